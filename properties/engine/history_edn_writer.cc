#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "properties/engine/history_edn.h"
#include "properties/engine/history_edn_words.h"

namespace leasecheck::engine {

using codec::OrderedJson;
using namespace edn;  // NOLINT(google-build-using-namespace): the words that this file is about

namespace {

absl::Status BadSpecial(absl::string_view name, absl::string_view holds) {
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is a taken name: expected ", holds));
}

void AppendEscaped(char c, std::string* out) {
  for (const StringEscape& escape : kStringEscapes) {
    if (escape.character != c) continue;
    out->append({'\\', escape.letter});
    return;
  }
  if (IsControl(c)) {
    absl::StrAppendFormat(out, "\\u%04x", static_cast<unsigned char>(c));
  } else {
    out->push_back(c);
  }
}

void AppendText(absl::string_view json, EdnPlace place, std::string* out) {
  const Meaning meaning = MeaningOf(json, place);
  if (meaning.keyword) return absl::StrAppend(out, ":", meaning.text);
  out->push_back('"');
  for (char c : meaning.text) AppendEscaped(c, out);
  out->push_back('"');
}

absl::Status AppendElements(const OrderedJson& elements, absl::string_view open, char close, bool distinct, std::string* out) {
  out->append(open.data(), open.size());
  absl::flat_hash_set<std::string> seen;
  bool first = true;
  for (const OrderedJson& element : elements) {
    if (distinct && !seen.insert(DistinctText(element)).second) return BadSpecial("#set", "no value twice");
    if (!first) out->push_back(' ');
    first = false;
    if (absl::Status status = AppendEdn(element, EdnPlace::kValue, out); !status.ok()) return status;
  }
  out->push_back(close);
  return absl::OkStatus();
}

absl::Status AppendPairs(const OrderedJson& pairs, std::string* out) {
  static constexpr char kHolds[] = "pairs of a key and a value, no key twice and one at least neither a string nor a keyword";
  if (!pairs.is_array()) return BadSpecial("#map", kHolds);
  bool plain = true;
  absl::flat_hash_set<std::string> seen;
  out->push_back('{');
  for (const OrderedJson& pair : pairs) {
    if (!pair.is_array() || pair.size() != 2) return BadSpecial("#map", kHolds);
    if (!seen.insert(DistinctText(pair[0])).second) return BadSpecial("#map", kHolds);
    plain = plain && pair[0].is_string();
    if (seen.size() > 1) out->append(", ");
    if (absl::Status status = AppendEdn(pair[0], EdnPlace::kValue, out); !status.ok()) return status;
    out->push_back(' ');
    if (absl::Status status = AppendEdn(pair[1], EdnPlace::kValue, out); !status.ok()) return status;
  }
  if (plain) return BadSpecial("#map", kHolds);
  out->push_back('}');
  return absl::OkStatus();
}

absl::Status AppendCharacter(const OrderedJson& value, std::string* out) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (SequenceLength(text) != text.size() || text.empty()) return BadSpecial("#char", "a string of one character");
  for (const NamedCharacter& named : kNamedCharacters) {
    if (text[0] == named.character) {
      absl::StrAppend(out, "\\", named.name);
      return absl::OkStatus();
    }
  }
  if (IsControl(text[0])) {
    absl::StrAppendFormat(out, "\\u%04x", static_cast<unsigned char>(text[0]));
  } else {
    absl::StrAppend(out, "\\", text);
  }
  return absl::OkStatus();
}

absl::Status AppendSpecial(absl::string_view name, const OrderedJson& value, std::string* out) {
  if (name == "#set" || name == "#list") {
    if (!value.is_array()) return BadSpecial(name, "an array");
    return name == "#set" ? AppendElements(value, "#{", '}', true, out) : AppendElements(value, "(", ')', false, out);
  }
  if (name == "#map") return AppendPairs(value, out);
  if (name == "#char") return AppendCharacter(value, out);
  if (name == "#tag") {
    const bool tagged = value.is_array() && value.size() == 2 && value[0].is_string() && IsTag(value[0].get<std::string>());
    if (!tagged) return BadSpecial(name, "an array of a tag's name and its value");
    absl::StrAppend(out, "#", value[0].get<std::string>(), " ");
    return AppendEdn(value[1], EdnPlace::kValue, out);
  }
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (name == "#symbol") {
    if (!IsSymbol(text)) return BadSpecial(name, "a symbol's text");
  } else if (NumberFrom(text) != Special("#number", text)) {
    return BadSpecial(name, "the text of a number that JSON lacks");
  }
  out->append(text);
  return absl::OkStatus();
}

}  // namespace

absl::Status AppendEdnMap(const codec::OrderedJson& object, const std::function<bool(absl::string_view key)>& named,
                          std::string* out) {
  out->push_back('{');
  bool first = true;
  for (const auto& [name, value] : object.get_ref<const OrderedJson::object_t&>()) {
    if (IsTaken(name)) return BadSpecial(name, "no member beside it");
    if (!first) out->append(", ");
    first = false;
    AppendText(name, EdnPlace::kKey, out);
    out->push_back(' ');
    const EdnPlace place = named && named(name) ? EdnPlace::kName : EdnPlace::kValue;
    if (absl::Status status = AppendEdn(value, place, out); !status.ok()) return status;
  }
  out->push_back('}');
  return absl::OkStatus();
}

absl::Status AppendEdn(const codec::OrderedJson& json, EdnPlace place, std::string* out) {
  if (json.is_null()) {
    out->append("nil");
  } else if (json.is_string()) {
    AppendText(json.get_ref<const std::string&>(), place, out);
  } else if (json.is_array()) {
    return AppendElements(json, "[", ']', false, out);
  } else if (json.is_object()) {
    const bool special = json.size() == 1 && IsTaken(json.begin().key());
    return special ? AppendSpecial(json.begin().key(), json.begin().value(), out) : AppendEdnMap(json, nullptr, out);
  } else {
    out->append(json.dump());
  }
  return absl::OkStatus();
}

codec::OrderedJson FromPlainJson(const codec::Json& json) {
  if (json.is_string()) return EscapeString(json.get<std::string>(), EdnPlace::kValue);
  if (json.is_array()) {
    OrderedJson array = OrderedJson::array();
    for (const codec::Json& element : json) array.push_back(FromPlainJson(element));
    return array;
  }
  if (json.is_object()) {
    OrderedJson object = OrderedJson::object();
    for (const auto& [name, value] : json.items()) {
      object.get_ref<OrderedJson::object_t&>().emplace_back(IsTaken(name) ? "~" + name : name, FromPlainJson(value));
    }
    return object;
  }
  if (json.is_number_unsigned()) return json.get<uint64_t>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number_float()) return json.get<double>();
  return json.is_boolean() ? OrderedJson(json.get<bool>()) : OrderedJson(nullptr);
}

}  // namespace leasecheck::engine
