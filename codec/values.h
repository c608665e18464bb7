// JSON of a contract's values, made from their lists in model/field.h.
//
//   Json json = Encode(batch);
//   QueuedWorkBatch read;
//   absl::Status status = Decode(json, &read);   // "batches[0].enqueue_seq: expected an unsigned 64-bit number, got a string"
//
// The shapes are PROTOCOL.md's, "Values":
//   struct          an object of its fields; an optional without a value is left out; a kFlattened field's members lie beside
//   them std::optional   the value or null std::vector     an array enumeration     its word std::variant    by its tagging;
//   under kExternal an alternative without fields is its name alone OpaqueJson      itself, as canonical text (codec/json.h)
//   kElements       an array of the struct's elements, in order; where it has kFields too, those name its places in traces
//   Instant         RFC 3339 text (codec/instant.h)
//   Uuid            its text (codec/uuid.h)
//   Secret          its placeholder (model/secret.h), and its own text only for who asks for Secrets::kPlaintext: the wire
//   integers        plain numbers over the whole range of the type; a fraction, even 5.0, or a number out of range is an error
//
// Everything here is a pure function, safe from any thread. The work is in values.cc; the templates only walk the lists.
#ifndef LEASECHECK_CODEC_VALUES_H_
#define LEASECHECK_CODEC_VALUES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "codec/json.h"
#include "model/field.h"
#include "model/instant.h"
#include "model/secret.h"
#include "model/uuid.h"

namespace leasecheck::codec {

struct DecodeOptions {
  // What a member that no field names means. Answers may carry more than the contract knows; requests may not.
  enum class Unknown { kIgnore, kReject } unknown = Unknown::kIgnore;
  // What a missing field that is no optional means: an error, or that the struct keeps its default (traces).
  enum class Absent { kError, kDefault } absent = Absent::kError;
  // What messages call the decoded value: "result", "params". Empty: they begin with the first member's name.
  absl::string_view root = "";
};

// What becomes of a Secret. The plaintext is for the wire alone: what people read, and what is kept in files, has placeholders.
enum class Secrets { kPlaceholder, kPlaintext };

// The JSON of a value. Never fails: an OpaqueJson that holds no JSON text, which only a fault of the caller can make, is sent as
// a string (a flattened one under its own name), so that it is seen rather than lost.
template <class T>
Json Encode(const T& value, Secrets secrets = Secrets::kPlaceholder);

// Reads *value from `json`. InvalidArgument names the place, what was expected there and what was found; *value is then
// unspecified.
template <class T>
absl::Status Decode(const Json& json, T* value, const DecodeOptions& options = {});

namespace values_internal {

// The place of a value inside of the decoded one; a list on the call stack.
struct Path {
  const Path* parent = nullptr;
  absl::string_view name;
  std::size_t index = 0;
  bool is_index = false;

  Path Member(absl::string_view member) const { return Path{this, member}; }
  Path Element(std::size_t element) const { return Path{this, "", element, true}; }
  std::string Text() const;
};

// The options of one decoding, and its first error.
class Decoder {
 public:
  explicit Decoder(const DecodeOptions& options) : options_(options) {}
  const DecodeOptions& options() const { return options_; }
  const absl::Status& status() const { return status_; }

  // All return false, so that they can end a decoding.
  bool Fail(const Path& path, absl::string_view sentence);
  bool FailKind(const Path& path, absl::string_view expected, const Json& got);

 private:
  const DecodeOptions options_;
  absl::Status status_;
};

using Known = absl::FunctionRef<bool(absl::string_view)>;

Json EncodeScalar(const std::string& value);
Json EncodeScalar(bool value);
Json EncodeScalar(uint64_t value);
Json EncodeScalar(int64_t value);
Json EncodeScalar(double value);
Json EncodeScalar(const OpaqueJson& value);
Json EncodeScalar(Instant value);
Json EncodeScalar(const Uuid& value);
Json EncodeSecret(const Secret& value, Secrets secrets);
Json NullJson();
Json EmptyObject();
Json EmptyArray();
void SetMember(Json* object, absl::string_view name, Json value);
void Append(Json* array, Json value);
// Adds the members of the flattened object; a member that is there already stays.
void MergeMembers(Json* object, absl::string_view field, const OpaqueJson& members);

bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, std::string* value);
bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, bool* value);
bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, double* value);
bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, OpaqueJson* value);
bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, Instant* value);
bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, Uuid* value);
bool DecodeScalar(const Json& json, const Path& path, Decoder& decoder, Secret* value);
bool DecodeUnsigned(const Json& json, const Path& path, Decoder& decoder, uint64_t max, uint64_t* value);
bool DecodeSigned(const Json& json, const Path& path, Decoder& decoder, int64_t min, int64_t max, int64_t* value);

bool ExpectObject(const Json& json, const Path& path, Decoder& decoder);
bool ExpectArray(const Json& json, const Path& path, Decoder& decoder);
bool ExpectArrayOf(std::size_t size, const Json& json, const Path& path, Decoder& decoder);
bool IsNull(const Json& json);
std::size_t SizeOf(const Json& array);
const Json& ElementAt(const Json& array, std::size_t index);
const Json* FindMember(const Json& object, absl::string_view name);  // null where absent
bool FailMissing(const Path& path, Decoder& decoder);
// Fails at the first member that is not known, where the options say so.
bool CheckUnknown(const Json& object, const Path& path, Decoder& decoder, Known known);
// The members that are not known, as one object.
bool DecodeRest(const Json& object, const Path& path, Decoder& decoder, Known known, OpaqueJson* rest);
// The position of the word that `json` holds among the words.
bool DecodeWord(const Json& json, const Path& path, Decoder& decoder, absl::Span<const absl::string_view> words,
                std::size_t* index);

// Where a variant's alternative was found.
struct Tagged {
  std::size_t index = 0;
  const Json* content = nullptr;   // null: the name alone
  absl::string_view content_name;  // how messages call it; empty: the variant itself
};
bool DecodeTagged(const Json& json, const Path& path, Decoder& decoder, Tagging tagging, absl::string_view tag,
                  absl::string_view content, absl::Span<const Alternative> alternatives, Tagged* tagged);

template <class T>
Json EncodeValue(const T& value, Secrets secrets);
template <class T>
bool DecodeValue(const Json& json, const Path& path, Decoder& decoder, T* value);

template <class T>
void EncodeFields(const T& value, Secrets secrets, Json* object) {
  ForEachField<T>([&](const auto& field) {
    const auto& member = value.*(field.member);
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, OpaqueJson>) {
      if (field.role == FieldRole::kFlattened) return MergeMembers(object, field.name, member);
    }
    if constexpr (kIsOptional<Member>) {
      if (!member.has_value()) return;
    }
    SetMember(object, field.name, EncodeValue(member, secrets));
  });
}

// Reads the fields of T from an object whose member `tag` belongs to somebody else.
template <class T>
bool DecodeFields(const Json& json, const Path& path, Decoder& decoder, absl::string_view tag, T* value) {
  bool flattened = false;
  bool ok = true;
  auto known = [&](absl::string_view name) {
    bool found = !tag.empty() && name == tag;
    ForEachField<T>([&](const auto& field) { found = found || (field.role == FieldRole::kPlain && field.name == name); });
    return found;
  };
  ForEachField<T>([&](const auto& field) {
    if (!ok) return;
    auto* member = &(value->*(field.member));
    using Member = std::remove_cvref_t<decltype(*member)>;
    if constexpr (std::is_same_v<Member, OpaqueJson>) {
      if (field.role == FieldRole::kFlattened) {
        flattened = true;
        ok = DecodeRest(json, path, decoder, known, member);
        return;
      }
    }
    const Path place = path.Member(field.name);
    if (const Json* found = FindMember(json, field.name)) {
      ok = DecodeValue(*found, place, decoder, member);
    } else if constexpr (kIsOptional<Member>) {
      if (decoder.options().absent == DecodeOptions::Absent::kError) member->reset();
    } else if (decoder.options().absent == DecodeOptions::Absent::kError) {
      ok = FailMissing(place, decoder);
    }
  });
  return ok && (flattened || CheckUnknown(json, path, decoder, known));
}

template <class V, std::size_t I>
using AlternativeType = std::variant_alternative_t<I, V>;

template <class T>
inline constexpr bool kHasNoFields = std::tuple_size_v<std::remove_cv_t<decltype(kFields<T>)>> == 0;

// The only field of a kNewtype alternative.
template <class T>
constexpr auto OnlyField() {
  static_assert(std::tuple_size_v<std::remove_cv_t<decltype(kFields<T>)>> == 1, "a newtype has one field");
  return std::get<0>(kFields<T>).member;
}

template <class V, std::size_t I>
Json EncodeAlternative(const AlternativeType<V, I>& value, Secrets secrets) {
  using T = AlternativeType<V, I>;
  constexpr const auto& kList = kAlternatives<V>;
  constexpr Alternative kAlternative = kList.alternatives[I];
  Json content;
  if constexpr (kAlternative.shape == AlternativeShape::kNewtype) {
    content = EncodeValue(value.*OnlyField<T>(), secrets);
  } else {
    content = EmptyObject();
    EncodeFields(value, secrets, &content);
  }
  if constexpr (kList.tagging == Tagging::kInternal) {
    SetMember(&content, kList.tag, EncodeScalar(std::string(kAlternative.name)));
    return content;
  } else if constexpr (kList.tagging == Tagging::kExternal) {
    if constexpr (kHasNoFields<T>) return EncodeScalar(std::string(kAlternative.name));
    Json object = EmptyObject();
    SetMember(&object, kAlternative.name, std::move(content));
    return object;
  } else {
    Json object = EmptyObject();
    SetMember(&object, kList.tag, EncodeScalar(std::string(kAlternative.name)));
    if constexpr (!kHasNoFields<T>) SetMember(&object, kList.content, std::move(content));
    return object;
  }
}

template <class V, std::size_t I>
bool DecodeAlternative(const Tagged& tagged, const Path& path, Decoder& decoder, V* variant) {
  using T = AlternativeType<V, I>;
  constexpr const auto& kList = kAlternatives<V>;
  constexpr Alternative kAlternative = kList.alternatives[I];
  constexpr bool kInternal = kList.tagging == Tagging::kInternal;
  T& value = variant->template emplace<I>();
  const Path inner = path.Member(tagged.content_name);
  const Path& place = tagged.content_name.empty() ? path : inner;
  if constexpr (kHasNoFields<T> && !kInternal) {
    if (tagged.content == nullptr) return true;
    if (kList.tagging == Tagging::kExternal) return decoder.Fail(place, "expected nothing: the name alone is sent, as a string");
    return ExpectObject(*tagged.content, place, decoder);
  } else {
    if (tagged.content == nullptr) {
      return decoder.Fail(path, std::string("expected the fields of ") + std::string(kAlternative.name));
    }
    if constexpr (kAlternative.shape == AlternativeShape::kNewtype) {
      static_assert(!kInternal, "an internally tagged alternative has its fields beside the tag");
      return DecodeValue(*tagged.content, place, decoder, &(value.*OnlyField<T>()));
    } else {
      return ExpectObject(*tagged.content, place, decoder) &&
             DecodeFields(*tagged.content, place, decoder, kInternal ? kList.tag : "", &value);
    }
  }
}

template <class V, std::size_t... I>
Json EncodeVariant(const V& value, Secrets secrets, std::index_sequence<I...>) {
  Json json;
  ((value.index() == I ? void(json = EncodeAlternative<V, I>(*std::get_if<I>(&value), secrets)) : void()), ...);
  return json;
}

template <class V, std::size_t... I>
bool DecodeVariant(const Json& json, const Path& path, Decoder& decoder, V* value, std::index_sequence<I...>) {
  constexpr const auto& kList = kAlternatives<V>;
  static_assert(sizeof...(I) == std::size(kList.alternatives), "the list names every alternative");
  Tagged tagged;
  if (!DecodeTagged(json, path, decoder, kList.tagging, kList.tag, kList.content, kList.alternatives, &tagged)) return false;
  bool ok = false;
  ((tagged.index == I ? void(ok = DecodeAlternative<V, I>(tagged, path, decoder, value)) : void()), ...);
  return ok;
}

template <class T>
Json EncodeValue(const T& value, Secrets secrets) {
  if constexpr (kIsOptional<T>) {
    return value.has_value() ? EncodeValue(*value, secrets) : NullJson();
  } else if constexpr (kIsList<T>) {
    Json array = EmptyArray();
    for (const auto& element : value) Append(&array, EncodeValue(element, secrets));
    return array;
  } else if constexpr (kIsTuple<T>) {
    Json array = EmptyArray();
    std::apply([&](const auto&... element) { (Append(&array, EncodeValue(value.*(element.member), secrets)), ...); },
               kElements<T>);
    return array;
  } else if constexpr (kIsStruct<T>) {
    Json object = EmptyObject();
    EncodeFields(value, secrets, &object);
    return object;
  } else if constexpr (kIsWords<T>) {
    return EncodeScalar(std::string(WordOf(value)));
  } else if constexpr (kIsAlternatives<T>) {
    return EncodeVariant(value, secrets, std::make_index_sequence<std::variant_size_v<T>>{});
  } else if constexpr (std::is_same_v<T, Secret>) {
    return EncodeSecret(value, secrets);
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return EncodeScalar(static_cast<std::conditional_t<std::is_unsigned_v<T>, uint64_t, int64_t>>(value));
  } else {
    return EncodeScalar(value);
  }
}

template <class T>
bool DecodeList(const Json& json, const Path& path, Decoder& decoder, std::vector<T>* value) {
  if (!ExpectArray(json, path, decoder)) return false;
  value->clear();
  value->reserve(SizeOf(json));
  for (std::size_t i = 0; i < SizeOf(json); ++i) {
    if (!DecodeValue(ElementAt(json, i), path.Element(i), decoder, &value->emplace_back())) return false;
  }
  return true;
}

template <class T>
bool DecodeTuple(const Json& json, const Path& path, Decoder& decoder, T* value) {
  constexpr std::size_t kSize = std::tuple_size_v<std::remove_cv_t<decltype(kElements<T>)>>;
  if (!ExpectArrayOf(kSize, json, path, decoder)) return false;
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return (DecodeValue(ElementAt(json, I), path.Element(I), decoder, &(value->*(std::get<I>(kElements<T>).member))) && ...);
  }
  (std::make_index_sequence<kSize>{});
}

template <class I>
bool DecodeInteger(const Json& json, const Path& path, Decoder& decoder, I* value) {
  using Limits = std::numeric_limits<I>;
  std::conditional_t<std::is_unsigned_v<I>, uint64_t, int64_t> wide = 0;
  bool ok = false;
  if constexpr (std::is_unsigned_v<I>) {
    ok = DecodeUnsigned(json, path, decoder, Limits::max(), &wide);
  } else {
    ok = DecodeSigned(json, path, decoder, Limits::min(), Limits::max(), &wide);
  }
  *value = static_cast<I>(wide);
  return ok;
}

template <class E>
bool DecodeEnum(const Json& json, const Path& path, Decoder& decoder, E* value) {
  constexpr auto kNames = std::apply([](const auto&... word) { return std::array{word.name...}; }, kWords<E>);
  std::size_t index = 0;
  if (!DecodeWord(json, path, decoder, kNames, &index)) return false;
  *value = kWords<E>[index].value;
  return true;
}

template <class T>
bool DecodeValue(const Json& json, const Path& path, Decoder& decoder, T* value) {
  if constexpr (kIsOptional<T>) {
    if (IsNull(json)) {
      value->reset();
      return true;
    }
    return DecodeValue(json, path, decoder, &value->emplace());
  } else if constexpr (kIsList<T>) {
    return DecodeList(json, path, decoder, value);
  } else if constexpr (kIsTuple<T>) {
    return DecodeTuple(json, path, decoder, value);
  } else if constexpr (kIsStruct<T>) {
    return ExpectObject(json, path, decoder) && DecodeFields(json, path, decoder, "", value);
  } else if constexpr (kIsWords<T>) {
    return DecodeEnum(json, path, decoder, value);
  } else if constexpr (kIsAlternatives<T>) {
    return DecodeVariant(json, path, decoder, value, std::make_index_sequence<std::variant_size_v<T>>{});
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return DecodeInteger(json, path, decoder, value);
  } else {
    return DecodeScalar(json, path, decoder, value);
  }
}

}  // namespace values_internal

template <class T>
Json Encode(const T& value, Secrets secrets) {
  return values_internal::EncodeValue(value, secrets);
}

template <class T>
absl::Status Decode(const Json& json, T* value, const DecodeOptions& options) {
  values_internal::Decoder decoder(options);
  values_internal::DecodeValue(json, values_internal::Path{nullptr, options.root}, decoder, value);
  return decoder.status();
}

}  // namespace leasecheck::codec

#endif  // LEASECHECK_CODEC_VALUES_H_
