#include "codec/values.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codec/instant.h"
#include "codec/sha256.h"
#include "codec/uuid.h"

namespace leasecheck::codec::values_internal {
namespace {

// What was found where something else was expected, short enough for a sentence.
std::string KindOf(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return json.get<bool>() ? "true" : "false";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      return absl::StrCat("the number ", DumpJson(json));
    case Json::value_t::string:
      return "a string";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::object:
      return "an object";
    default:
      return "binary data";
  }
}

std::string Quoted(absl::string_view text) {
  constexpr std::size_t kLongest = 60;
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(text.substr(0, kLongest)), text.size() > kLongest ? "..." : "", "\"");
}

std::string OneOf(absl::Span<const absl::string_view> words) {
  return absl::StrCat(
      words.size() == 1 ? "" : "one of ",
      absl::StrJoin(words, ", ", [](std::string* out, absl::string_view word) { absl::StrAppend(out, "\"", word, "\""); }));
}

std::string UnsignedName(uint64_t max) {
  return max == std::numeric_limits<uint64_t>::max() ? "an unsigned 64-bit number"
                                                     : absl::StrCat("a whole number from 0 to ", max);
}

std::string SignedName(int64_t min, int64_t max) {
  return min == std::numeric_limits<int64_t>::min() ? "a signed 64-bit number"
                                                    : absl::StrCat("a whole number from ", min, " to ", max);
}

}  // namespace

std::string Path::Text() const {
  std::string before = parent == nullptr ? "" : parent->Text();
  if (is_index) return absl::StrCat(before, "[", index, "]");
  if (before.empty() || name.empty()) return absl::StrCat(before, name);
  return absl::StrCat(before, ".", name);
}

bool Decoder::Fail(const Path& path, absl::string_view sentence) {
  if (status_.ok()) {
    std::string place = path.Text();
    status_ = absl::InvalidArgumentError(absl::StrCat(place, place.empty() ? "" : ": ", sentence));
  }
  return false;
}

bool Decoder::FailKind(const Path& path, absl::string_view expected, const Json& got) {
  return Fail(path, absl::StrCat("expected ", expected, ", got ", KindOf(got)));
}

Json EncodeScalar(const std::string& value) { return Json(value); }
Json EncodeScalar(bool value) { return Json(value); }
Json EncodeScalar(uint64_t value) { return Json(value); }
Json EncodeScalar(int64_t value) { return Json(value); }
Json EncodeScalar(double value) { return Json(value); }
Json EncodeScalar(const OpaqueJson& value) {
  absl::StatusOr<Json> json = ParseJson(value.text);
  return json.ok() ? *std::move(json) : Json(value.text);
}
Json EncodeScalar(Instant value) { return Json(InstantText(value)); }
Json EncodeScalar(const Uuid& value) { return Json(UuidText(value)); }
Json EncodeSecret(const Secret& value, Secrets secrets) {
  return Json(secrets == Secrets::kPlaintext ? value.text : PlaceholderOf(value, Sha256Hex).text);
}
Json NullJson() { return Json(nullptr); }
Json EmptyObject() { return Json::object(); }
Json EmptyArray() { return Json::array(); }

void SetMember(Json* object, absl::string_view name, Json value) {
  object->get_ref<Json::object_t&>()[std::string(name)] = std::move(value);
}

void Append(Json* array, Json value) { array->get_ref<Json::array_t&>().push_back(std::move(value)); }

void MergeMembers(Json* object, absl::string_view field, const OpaqueJson& members) {
  Json json = EncodeScalar(members);
  if (!json.is_object()) {
    SetMember(object, field, std::move(json));
    return;
  }
  object->get_ref<Json::object_t&>().merge(json.get_ref<Json::object_t&>());
}

bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, std::string* value) {
  if (!json.is_string()) return decoder.FailKind(path, "a string", json);
  *value = json.get_ref<const std::string&>();
  return true;
}

bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, bool* value) {
  if (!json.is_boolean()) return decoder.FailKind(path, "true or false", json);
  *value = json.get<bool>();
  return true;
}

bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, double* value) {
  if (!json.is_number()) return decoder.FailKind(path, "a number", json);
  *value = json.get<double>();
  return true;
}

bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, OpaqueJson* value) {
  if (DeeperThan(json, kMaxOpaqueDepth)) {
    return decoder.Fail(path, absl::StrCat("expected JSON of at most ", kMaxOpaqueDepth, " levels, got a deeper one"));
  }
  value->text = CanonicalText(json);
  return true;
}

bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, Instant* value) {
  const std::optional<Instant> instant =
      json.is_string() ? ParseInstant(json.get_ref<const std::string&>()) : std::optional<Instant>();
  constexpr absl::string_view kExpected = "an instant such as \"2026-01-31T23:59:59.999Z\"";
  if (!instant.has_value()) {
    return json.is_string()
               ? decoder.Fail(path, absl::StrCat("expected ", kExpected, ", got ", Quoted(json.get_ref<const std::string&>())))
               : decoder.FailKind(path, kExpected, json);
  }
  *value = *instant;
  return true;
}

bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, Uuid* value) {
  constexpr absl::string_view kExpected = "a UUID such as \"00000000-0000-4000-8000-000000000001\"";
  if (!json.is_string()) return decoder.FailKind(path, kExpected, json);
  const std::optional<Uuid> uuid = ParseUuid(json.get_ref<const std::string&>());
  if (!uuid.has_value()) {
    return decoder.Fail(path, absl::StrCat("expected ", kExpected, ", got ", Quoted(json.get_ref<const std::string&>())));
  }
  *value = *uuid;
  return true;
}

bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, Secret* value) {
  return DecodeScalar(json, path, decoder, &value->text);
}

bool DecodeUnsigned(const Json& json, const Path& path, Decoder& decoder, uint64_t max, uint64_t* value) {
  bool fits = json.is_number_unsigned() ? json.get<uint64_t>() <= max
                                        : json.is_number_integer() && json.get<int64_t>() >= 0 && json.get<uint64_t>() <= max;
  if (!fits) return decoder.FailKind(path, UnsignedName(max), json);
  *value = json.get<uint64_t>();
  return true;
}

bool DecodeSigned(const Json& json, const Path& path, Decoder& decoder, int64_t min, int64_t max, int64_t* value) {
  bool fits = json.is_number_unsigned() ? json.get<uint64_t>() <= static_cast<uint64_t>(max)
                                        : json.is_number_integer() && json.get<int64_t>() >= min && json.get<int64_t>() <= max;
  if (!fits) return decoder.FailKind(path, SignedName(min, max), json);
  *value = json.get<int64_t>();
  return true;
}

bool ExpectObject(const Json& json, const Path& path, Decoder& decoder) {
  return json.is_object() || decoder.FailKind(path, "an object", json);
}

bool ExpectArray(const Json& json, const Path& path, Decoder& decoder) {
  return json.is_array() || decoder.FailKind(path, "an array", json);
}

bool ExpectArrayOf(std::size_t size, const Json& json, const Path& path, Decoder& decoder) {
  if (!ExpectArray(json, path, decoder)) return false;
  return json.size() == size ||
         decoder.Fail(path, absl::StrCat("expected an array of ", size, " elements, got one of ", json.size()));
}

bool IsNull(const Json& json) { return json.is_null(); }
std::size_t SizeOf(const Json& array) { return array.size(); }
const Json& ElementAt(const Json& array, std::size_t index) { return array[index]; }

const Json* FindMember(const Json& object, absl::string_view name) {
  const auto& members = object.get_ref<const Json::object_t&>();
  auto it = members.find(std::string(name));
  return it == members.end() ? nullptr : &it->second;
}

bool FailMissing(const Path& path, Decoder& decoder) { return decoder.Fail(path, "a required field is missing"); }

bool CheckUnknown(const Json& object, const Path& path, Decoder& decoder, Known known) {
  if (decoder.options().unknown == DecodeOptions::Unknown::kIgnore) return true;
  for (const auto& [name, value] : object.get_ref<const Json::object_t&>()) {
    if (!known(name)) return decoder.Fail(path, absl::StrCat("unknown member ", Quoted(name)));
  }
  return true;
}

bool DecodeRest(const Json& object, const Path& path, Decoder& decoder, Known known, OpaqueJson* rest) {
  Json::object_t members;
  for (const auto& [name, value] : object.get_ref<const Json::object_t&>()) {
    if (!known(name)) members.emplace_hint(members.end(), name, value);
  }
  return DecodeScalar(Json(std::move(members)), path, decoder, rest);
}

bool DecodeWord(const Json& json, const Path& path, Decoder& decoder, absl::Span<const absl::string_view> words,
                std::size_t* index) {
  if (!json.is_string()) return decoder.FailKind(path, OneOf(words), json);
  const std::string& word = json.get_ref<const std::string&>();
  for (*index = 0; *index < words.size(); ++*index) {
    if (words[*index] == word) return true;
  }
  return decoder.Fail(path, absl::StrCat("expected ", OneOf(words), ", got ", Quoted(word)));
}

bool DecodeTagged(const Json& json, const Path& path, Decoder& decoder, Tagging tagging, absl::string_view tag,
                  absl::string_view content, absl::Span<const Alternative> alternatives, Tagged* tagged) {
  std::vector<absl::string_view> names;
  for (const Alternative& alternative : alternatives) names.push_back(alternative.name);
  if (tagging == Tagging::kExternal) {
    if (json.is_string()) return DecodeWord(json, path, decoder, names, &tagged->index);
    if (!json.is_object() || json.size() != 1) {
      return decoder.FailKind(path, absl::StrCat(OneOf(names), " as a string or as the only member of an object"), json);
    }
    const auto& [name, value] = *json.get_ref<const Json::object_t&>().begin();
    tagged->content = &value;
    if (!DecodeWord(Json(name), path, decoder, names, &tagged->index)) return false;
    tagged->content_name = alternatives[tagged->index].name;
    return true;
  }
  if (!ExpectObject(json, path, decoder)) return false;
  const Json* word = FindMember(json, tag);
  if (word == nullptr) return FailMissing(path.Member(tag), decoder);
  if (!DecodeWord(*word, path.Member(tag), decoder, names, &tagged->index)) return false;
  if (tagging == Tagging::kInternal) {
    tagged->content = &json;
    return true;
  }
  tagged->content = FindMember(json, content);
  tagged->content_name = content;
  return CheckUnknown(json, path, decoder, [&](absl::string_view name) { return name == tag || name == content; });
}

}  // namespace leasecheck::codec::values_internal
