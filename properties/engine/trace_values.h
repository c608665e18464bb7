// Walks over the types of requests and answers that traces need: which place has which type, reading a request's JSON with its
// references, writing it again, and checking patterns. Everything follows from the lists of model/field.h.
#ifndef LEASECHECK_PROPERTIES_ENGINE_TRACE_VALUES_H_
#define LEASECHECK_PROPERTIES_ENGINE_TRACE_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "codec/json.h"
#include "codec/values.h"
#include "model/field.h"
#include "properties/engine/node.h"
#include "properties/engine/program.h"
#include "properties/engine/trace_pattern.h"
#include "properties/engine/trace_text.h"

namespace leasecheck::engine::trace_internal {

// The names of the members that a struct's JSON has for its fields.
template <class T>
std::vector<absl::string_view> FieldNames() {
  std::vector<absl::string_view> names;
  ForEachField<T>([&](const auto& field) {
    if (field.role == FieldRole::kPlain) names.push_back(field.name);
  });
  return names;
}

// Whether members that no field names belong to the struct.
template <class T>
constexpr bool HasFlattened() {
  bool flattened = false;
  ForEachField<T>([&](const auto& field) { flattened = flattened || field.role == FieldRole::kFlattened; });
  return flattened;
}

template <class T>
inline constexpr bool kHasOneField = std::tuple_size_v<std::remove_cv_t<decltype(kFields<T>)>> == 1;

// Whether a variant is written as {"name": content}.
template <class T>
constexpr bool IsExternallyTagged() {
  if constexpr (kIsAlternatives<T>) {
    return kAlternatives<T>.tagging == Tagging::kExternal;
  } else {
    return false;
  }
}

inline absl::Status NoSuchPlace(absl::string_view step, absl::Span<const absl::string_view> there) {
  if (there.empty())
    return absl::InvalidArgumentError(absl::StrCat("nothing is inside of it that could be named ", Quoted(step)));
  return absl::InvalidArgumentError(absl::StrCat("it has no ", Quoted(step), "; ", DidYouMean(step, there)));
}

// ---- The type of a place.

// The type at `path` inside of a T. InvalidArgument says which step leads nowhere.
template <class T>
absl::StatusOr<const NodeType*> TypeAt(absl::string_view path);

template <class V, std::size_t I = 0>
absl::StatusOr<const NodeType*> TypeInAlternative(absl::string_view name, absl::string_view rest) {
  if constexpr (I == std::variant_size_v<V>) {
    std::vector<absl::string_view> names;
    for (const Alternative& alternative : kAlternatives<V>.alternatives) names.push_back(alternative.name);
    return NoSuchPlace(name, names);
  } else {
    using A = std::variant_alternative_t<I, V>;
    if (kAlternatives<V>.alternatives[I].name != name) return TypeInAlternative<V, I + 1>(name, rest);
    if constexpr (kHasOneField<A>) {
      if (kAlternatives<V>.alternatives[I].shape == AlternativeShape::kNewtype) {
        using Only = std::remove_cvref_t<decltype(std::declval<A&>().*(std::get<0>(kFields<A>).member))>;
        return TypeAt<Only>(rest);
      }
    }
    return TypeAt<A>(rest);
  }
}

template <class T>
absl::StatusOr<const NodeType*> TypeAt(absl::string_view path) {
  if constexpr (kIsOptional<T>) {
    return TypeAt<typename T::value_type>(path);
  } else {
    if (path.empty()) return NodeTypeOf<T>();
    const auto [step, rest] = node_internal::Split(path);
    if constexpr (kIsStruct<T>) {
      absl::StatusOr<const NodeType*> found = NoSuchPlace(step, FieldNames<T>());
      ForEachField<T>([&, name = step, tail = rest](const auto& field) {
        using Member = std::remove_cvref_t<decltype(std::declval<T&>().*field.member)>;
        if (field.name == name) found = TypeAt<Member>(tail);
      });
      return found;
    } else if constexpr (kIsList<T>) {
      uint64_t index = 0;
      if (absl::SimpleAtoi(step, &index)) return TypeAt<typename T::value_type>(rest);
      return absl::InvalidArgumentError(absl::StrCat("it is a list: expected a position, got ", Quoted(step)));
    } else if constexpr (kIsAlternatives<T>) {
      return TypeInAlternative<T>(step, rest);
    } else {
      return NoSuchPlace(step, {});
    }
  }
}

// ---- The JSON of a place.

// The JSON at `path` inside of the value; nothing where there is no such place in it.
template <class T>
std::optional<codec::Json> JsonAt(const T& value, absl::string_view path) {
  if constexpr (kIsOptional<T>) {
    if (value.has_value()) return JsonAt(*value, path);
    return path.empty() ? std::make_optional(codec::Json(nullptr)) : std::nullopt;
  } else {
    if (path.empty()) return std::make_optional(codec::Encode(value));
    [[maybe_unused]] const auto [step, rest] = node_internal::Split(path);
    std::optional<codec::Json> found;
    if constexpr (kIsStruct<T>) {
      ForEachField<T>([&, name = step, tail = rest](const auto& field) {
        if (field.name == name) found = JsonAt(value.*field.member, tail);
      });
    } else if constexpr (kIsList<T>) {
      uint64_t index = 0;
      if (absl::SimpleAtoi(step, &index) && index < value.size()) found = JsonAt(value[index], rest);
    } else if constexpr (kIsAlternatives<T>) {
      if (node_internal::AlternativeNamed<T>(step) != value.index()) return std::nullopt;
      std::visit(
          [&, tail = rest](const auto& alternative) {
            using A = std::decay_t<decltype(alternative)>;
            if constexpr (kHasOneField<A>) {
              if (kAlternatives<T>.alternatives[value.index()].shape == AlternativeShape::kNewtype) {
                found = JsonAt(alternative.*(std::get<0>(kFields<A>).member), tail);
                return;
              }
            }
            found = JsonAt(alternative, tail);
          },
          value);
    }
    return found;
  }
}

// ---- Constants.

class Constants {
 public:
  struct Entry {
    codec::Json json;          // as written, its escapes too
    std::size_t position = 0;  // among the trace's constants
    bool canonical = false;    // its text was written by the type of its first use
  };
  // Values put in the place of names, in bytes of their text, that one trace may add up to: a small file must not become a huge
  // program.
  static constexpr std::size_t kMaxSubstituted = 64u << 20;

  void Add(const std::string& name, codec::Json json, const std::string& text, std::vector<TraceConstant>* constants) {
    entries_[name] = Entry{std::move(json), constants->size(), false};
    constants->push_back({name, text});
  }
  Entry* Find(absl::string_view name) {
    auto it = entries_.find(name);
    return it == entries_.end() ? nullptr : &it->second;
  }
  bool Spend(std::size_t bytes) {
    spent_ += bytes;
    return spent_ <= kMaxSubstituted;
  }

 private:
  absl::flat_hash_map<std::string, Entry> entries_;
  std::size_t spent_ = 0;
};

// ---- Writing a request.

// The references of a request by place.
struct ReferenceTree {
  std::optional<Reference> whole;
  std::map<std::string, ReferenceTree, std::less<>> parts;

  void Add(const Reference& reference);
  const ReferenceTree* Part(absl::string_view step) const {
    auto it = parts.find(step);
    return it == parts.end() ? nullptr : &it->second;
  }
};

// "$label.path", as a JSON string.
std::string ReferenceText(const Reference& reference);

// Names for the texts of constants: text -> name.
using ConstantNames = absl::flat_hash_map<std::string, std::string>;

// The text that stands for the value: the name of a constant where one has it.
inline std::string Named(std::string text, const ConstantNames& names) {
  auto it = names.find(text);
  return it == names.end() ? std::move(text) : absl::StrCat("\"$", it->second, "\"");
}

inline std::string WriteJson(codec::Json json) { return codec::DumpJson(Escape(std::move(json))); }

inline void AppendMember(std::string* object, absl::string_view name, absl::string_view value) {
  absl::StrAppend(object, object->size() > 1 ? "," : "", codec::DumpJson(codec::Json(std::string(name))), ":", value);
}

// What changes the parts of a referenced value: the members of a $base object beside "$base". Types are needed only for the
// order.
template <class T>
void WriteParts(const ReferenceTree& tree, std::string* object);

template <class T>
std::string WriteOverride(const ReferenceTree& tree) {
  if (tree.whole.has_value() && tree.parts.empty()) return ReferenceText(*tree.whole);
  std::string object = "{";
  if (tree.whole.has_value()) AppendMember(&object, "$base", ReferenceText(*tree.whole));
  WriteParts<T>(tree, &object);
  return absl::StrCat(object, "}");
}

template <class T>
void WriteParts(const ReferenceTree& tree, std::string* object) {
  if constexpr (kIsOptional<T>) {
    WriteParts<typename T::value_type>(tree, object);
  } else if constexpr (kIsStruct<T>) {
    ForEachField<T>([&](const auto& field) {
      using Member = std::remove_cvref_t<decltype(std::declval<T&>().*field.member)>;
      if (const ReferenceTree* part = tree.Part(field.name)) AppendMember(object, field.name, WriteOverride<Member>(*part));
    });
  } else if constexpr (kIsList<T>) {
    std::map<uint64_t, const ReferenceTree*> elements;
    for (const auto& [step, part] : tree.parts) {
      uint64_t index = 0;
      if (absl::SimpleAtoi(step, &index)) elements[index] = &part;
    }
    for (const auto& [index, part] : elements) {
      AppendMember(object, absl::StrCat(index), WriteOverride<typename T::value_type>(*part));
    }
  }
}

// The text of a value: members in the order of their declaration, those with their default left out, references in their places.
// `tree` is null where the value has none. Every place that a reference names exists in the value.
template <class T>
std::string Write(const T& value, const ReferenceTree* tree, const ConstantNames& names);

template <class T>
std::string WriteStruct(const T& value, const ReferenceTree* tree, const ConstantNames& names) {
  const T defaults{};
  std::string object = "{";
  ForEachField<T>([&](const auto& field) {
    const auto& member = value.*field.member;
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, OpaqueJson>) {
      const codec::Json json = codec::Encode(member);
      if (field.role == FieldRole::kFlattened && json.is_object()) {
        for (const auto& [name, inner] : json.items()) {
          if (absl::c_linear_search(FieldNames<T>(), name)) continue;  // the codec does not send it either
          AppendMember(&object, absl::StartsWith(name, "$") ? absl::StrCat("$", name) : name, WriteJson(inner));
        }
        return;
      }
    }
    const ReferenceTree* part = tree == nullptr ? nullptr : tree->Part(field.name);
    if (part == nullptr && member == defaults.*field.member) return;
    AppendMember(&object, field.name, Write(member, part, names));
  });
  return absl::StrCat(object, "}");
}

// The text of the alternative that an externally tagged variant holds; its content as that of any other value.
template <class V>
std::string WriteAlternative(const V& value, const ConstantNames& names) {
  return std::visit(
      [&]<class A>(const A& alternative) {
        const Alternative& list = kAlternatives<V>.alternatives[value.index()];
        std::string name = codec::DumpJson(codec::Json(std::string(list.name)));
        if constexpr (std::tuple_size_v<std::remove_cv_t<decltype(kFields<A>)>> == 0) {
          return name;
        } else {
          std::string content;
          if constexpr (kHasOneField<A>) {
            if (list.shape == AlternativeShape::kNewtype) {
              content = Write(alternative.*(std::get<0>(kFields<A>).member), nullptr, names);
            }
          }
          if (content.empty()) content = WriteStruct(alternative, nullptr, names);
          return absl::StrCat("{", name, ":", content, "}");
        }
      },
      value);
}

template <class T>
std::string Write(const T& value, const ReferenceTree* tree, const ConstantNames& names) {
  if (tree != nullptr && tree->whole.has_value()) return WriteOverride<T>(*tree);
  if constexpr (kIsOptional<T>) {
    return value.has_value() ? Write(*value, tree, names) : "null";
  } else if constexpr (kIsStruct<T>) {
    return Named(WriteStruct(value, tree, names), names);
  } else if constexpr (kIsList<T>) {
    std::string array = "[";
    for (std::size_t i = 0; i < value.size(); ++i) {
      absl::StrAppend(&array, i == 0 ? "" : ",", Write(value[i], tree == nullptr ? nullptr : tree->Part(absl::StrCat(i)), names));
    }
    return Named(absl::StrCat(array, "]"), names);
  } else if constexpr (kIsAlternatives<T>) {
    if constexpr (IsExternallyTagged<T>()) return Named(WriteAlternative(value, names), names);
    return Named(WriteJson(codec::Encode(value)), names);
  } else {
    return WriteJson(codec::Encode(value));
  }
}

// ---- Reading a request.

// What reading a request's JSON needs to know, and what it finds.
struct RequestContext {
  // The type of "label.path", checked: the label can be seen, and its answer has the place.
  std::function<absl::StatusOr<const NodeType*>(absl::string_view label, absl::string_view path)> type_of;
  absl::Span<const Conversion> conversions;
  Constants* constants = nullptr;
  std::vector<TraceConstant>* constant_texts = nullptr;
  std::vector<Reference> references;
};

// Adds `cause` to the place.
absl::Status ErrorIn(const std::string& place, absl::string_view cause);

// The reference that the string makes at the place, where a value of `type` is expected.
absl::StatusOr<Reference> ReadReference(const std::string& text, const std::string& place, const NodeType* type,
                                        RequestContext& context);

// What stands at a place: literal JSON, made ready for the codec, or a reference, which was taken out.
enum class Stands { kLiteral, kReference };

template <class T>
absl::StatusOr<Stands> Prepare(codec::Json* json, const std::string& place, RequestContext& context);

inline std::string Inside(const std::string& place, absl::string_view step) {
  return place.empty() ? std::string(step) : absl::StrCat(place, ".", step);
}

inline bool IsDollar(const codec::Json& json) {
  if (!json.is_string()) return false;
  const auto& text = json.get_ref<const std::string&>();
  return absl::StartsWith(text, "$") && !absl::StartsWith(text, "$$");
}

// Reads what changes parts of a referenced value.
template <class T>
absl::Status ReadOverride(const codec::Json& json, const std::string& place, RequestContext& context);

template <class T>
absl::Status ReadParts(const codec::Json& json, const std::string& place, RequestContext& context) {
  if constexpr (kIsOptional<T>) {
    return ReadParts<typename T::value_type>(json, place, context);
  } else if constexpr (kIsStruct<T>) {
    const std::vector<absl::string_view> fields = FieldNames<T>();
    for (const auto& [name, member] : json.items()) {
      if (name == "$base" || absl::c_linear_search(fields, name)) continue;
      return ErrorIn(place, NoSuchPlace(name, fields).message());
    }
    absl::Status status;
    ForEachField<T>([&](const auto& field) {
      using Member = std::remove_cvref_t<decltype(std::declval<T&>().*field.member)>;
      auto found = json.find(std::string(field.name));
      if (status.ok() && found != json.end()) status = ReadOverride<Member>(*found, Inside(place, field.name), context);
    });
    return status;
  } else if constexpr (kIsList<T>) {
    std::map<uint64_t, const codec::Json*> elements;
    for (const auto& [name, member] : json.items()) {
      uint64_t index = 0;
      if (name == "$base") continue;
      if (!absl::SimpleAtoi(name, &index) || absl::StrCat(index) != name) {
        return ErrorIn(place, absl::StrCat("it is a list: expected a position, got ", Quoted(name)));
      }
      elements[index] = &member;
    }
    for (const auto& [index, member] : elements) {
      absl::Status status = ReadOverride<typename T::value_type>(*member, Inside(place, absl::StrCat(index)), context);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  } else {
    if (json.size() > json.count("$base")) return ErrorIn(place, "its parts cannot be changed");
    return absl::OkStatus();
  }
}

template <class T>
absl::Status ReadBase(const codec::Json& base, const std::string& place, RequestContext& context) {
  if constexpr (kIsOptional<T>) {
    return ReadBase<typename T::value_type>(base, place, context);
  } else {
    if (!IsDollar(base)) return ErrorIn(place, "expected the name of an answer, such as \"$c\", after \"$base\"");
    absl::StatusOr<Reference> reference = ReadReference(base.get_ref<const std::string&>(), place, NodeTypeOf<T>(), context);
    if (!reference.ok()) return reference.status();
    context.references.push_back(*std::move(reference));
    return absl::OkStatus();
  }
}

template <class T>
absl::Status ReadOverride(const codec::Json& json, const std::string& place, RequestContext& context) {
  if (IsDollar(json)) return ReadBase<T>(json, place, context);
  if (!json.is_object() || json.empty()) {
    return ErrorIn(place, "only a reference can change a part of a referenced value; else write out the fields, one by one");
  }
  auto base = json.find("$base");
  if (base != json.end()) {
    if (absl::Status status = ReadBase<T>(*base, place, context); !status.ok()) return status;
  }
  return ReadParts<T>(json, place, context);
}

// Puts the constant's value in the place of its name, and makes the constant's text canonical if this is its first use.
template <class T>
absl::StatusOr<Stands> ReadConstant(Constants::Entry& constant, codec::Json* json, const std::string& place,
                                    RequestContext& context) {
  TraceConstant& text = (*context.constant_texts)[constant.position];
  if (!context.constants->Spend(text.text.size())) {
    return ErrorIn(place, absl::StrCat("the constants' values add up to more than ", Constants::kMaxSubstituted, " bytes"));
  }
  *json = constant.json;
  absl::StatusOr<Stands> stands = Prepare<T>(json, place, context);
  if (!stands.ok() || std::exchange(constant.canonical, true)) return stands;
  T value{};
  if (codec::Decode(*json, &value, {codec::DecodeOptions::Unknown::kReject, codec::DecodeOptions::Absent::kDefault, ""}).ok()) {
    std::string written = Write(value, nullptr, {});
    // A value that is all defaults has no text of its own, and keeps the one that it was written with.
    if (written.size() > 2) text.text = std::move(written);
  }
  return stands;
}

template <class T>
absl::Status PrepareFields(codec::Json* json, const std::string& place, RequestContext& context) {
  absl::Status status;
  ForEachField<T>([&](const auto& field) {
    using Member = std::remove_cvref_t<decltype(std::declval<T&>().*field.member)>;
    if (!status.ok() || field.role == FieldRole::kFlattened) return;
    auto found = json->find(std::string(field.name));
    if (found == json->end()) return;
    absl::StatusOr<Stands> stands = Prepare<Member>(&*found, Inside(place, field.name), context);
    status = stands.status();
    if (status.ok() && *stands == Stands::kReference) json->erase(found);
  });
  if (!status.ok()) return status;
  const std::vector<absl::string_view> fields = FieldNames<T>();
  codec::Json rest = codec::Json::object();
  for (const auto& [name, member] : json->items()) {
    if (absl::c_linear_search(fields, name)) continue;
    if (!HasFlattened<T>()) return ErrorIn(place, NoSuchPlace(name, fields).message());
    rest[name] = member;
  }
  for (const auto& [name, member] : rest.items()) json->erase(name);
  if (absl::Status unescaped = Unescape(&rest); !unescaped.ok()) return ErrorIn(place, unescaped.message());
  json->update(rest);
  return absl::OkStatus();
}

template <class T>
absl::Status PrepareElements(codec::Json* json, const std::string& place, RequestContext& context) {
  for (std::size_t i = 0; i < json->size(); ++i) {
    absl::StatusOr<Stands> stands = Prepare<T>(&(*json)[i], Inside(place, absl::StrCat(i)), context);
    if (!stands.ok()) return stands.status();
    if (*stands == Stands::kReference) (*json)[i] = codec::Encode(T{});
  }
  return absl::OkStatus();
}

// Prepares the content of an externally tagged alternative: constants may stand there, references may not, because programs
// cannot put a value into an alternative.
template <class V, std::size_t I = 0>
absl::Status PrepareAlternative(const std::string& name, codec::Json* content, const std::string& place,
                                RequestContext& context) {
  if constexpr (I == std::variant_size_v<V>) {
    return absl::OkStatus();  // the codec says what there is
  } else {
    using A = std::variant_alternative_t<I, V>;
    if (kAlternatives<V>.alternatives[I].name != name) return PrepareAlternative<V, I + 1>(name, content, place, context);
    const std::size_t references = context.references.size();
    absl::StatusOr<Stands> stands = Stands::kLiteral;
    if constexpr (kHasOneField<A>) {
      if (kAlternatives<V>.alternatives[I].shape == AlternativeShape::kNewtype) {
        using Only = std::remove_cvref_t<decltype(std::declval<A&>().*(std::get<0>(kFields<A>).member))>;
        stands = Prepare<Only>(content, place, context);
      }
    }
    if (kAlternatives<V>.alternatives[I].shape == AlternativeShape::kFields) stands = Prepare<A>(content, place, context);
    if (!stands.ok()) return stands.status();
    if (context.references.size() == references) return absl::OkStatus();
    return ErrorIn(place, "nothing can be referred to inside of an alternative");
  }
}

template <class T>
absl::StatusOr<Stands> Prepare(codec::Json* json, const std::string& place, RequestContext& context) {
  if constexpr (kIsOptional<T>) {
    if (json->is_null()) return Stands::kLiteral;
    return Prepare<typename T::value_type>(json, place, context);
  } else {
    if (IsDollar(*json)) {
      const std::string text = json->get<std::string>();
      if (Constants::Entry* constant = context.constants->Find(absl::string_view(text).substr(1))) {
        return ReadConstant<T>(*constant, json, place, context);
      }
      if (absl::Status status = ReadBase<T>(*json, place, context); !status.ok()) return status;
      return Stands::kReference;
    }
    if (json->is_object() && json->contains("$base")) {
      if (absl::Status status = ReadOverride<T>(*json, place, context); !status.ok()) return status;
      return Stands::kReference;
    }
    absl::Status status;
    if constexpr (kIsStruct<T>) {
      if (json->is_object()) status = PrepareFields<T>(json, place, context);
    } else if constexpr (kIsList<T>) {
      if (json->is_array()) status = PrepareElements<typename T::value_type>(json, place, context);
    } else if constexpr (IsExternallyTagged<T>()) {
      if (json->is_object() && json->size() == 1) {
        const std::string name = json->begin().key();
        status = PrepareAlternative<T>(name, &json->begin().value(), Inside(place, name), context);
      } else {
        status = Unescape(json);
      }
    } else {
      status = Unescape(json);
      if (!status.ok()) status = ErrorIn(place, status.message());
    }
    if (!status.ok()) return status;
    return Stands::kLiteral;
  }
}

// ---- Checking a pattern.

// What checking a pattern needs to know.
struct PatternContext {
  std::function<absl::StatusOr<const NodeType*>(absl::string_view label, absl::string_view path)> type_of;
  std::function<bool(absl::string_view name)> is_constant;
};

using CheckValue = std::function<absl::Status(const codec::Json&, const std::string&)>;

// Checks a string that begins with a `$`, or an object of operators, at a place of `type` (null: a place without a type of ours).
// `check` checks the patterns inside of operators.
absl::Status CheckWord(const std::string& text, const std::string& place, const NodeType* type, const PatternContext& context);
absl::Status CheckOperators(const codec::Json& pattern, const std::string& place, bool is_number, const NodeType* type,
                            const PatternContext& context, const CheckValue& check);

// Checks a pattern at a place without a type of ours: opaque JSON, a scalar.
absl::Status CheckUntyped(const codec::Json& pattern, const std::string& place, const PatternContext& context);

// Whether a value of T can match the pattern at all: its fields exist, its kinds fit, what it names can be seen.
template <class T>
absl::Status CheckPattern(const codec::Json& pattern, const std::string& place, const PatternContext& context);

template <class T>
absl::Status CheckFields(const codec::Json& pattern, const std::string& place, absl::string_view tag,
                         const PatternContext& context) {
  if (!pattern.is_object()) return ErrorIn(place, "expected an object");
  for (const auto& [name, member] : pattern.items()) {
    bool known = !tag.empty() && name == tag;
    absl::Status status;
    ForEachField<T>([&, key = absl::string_view(name), &inner = member](const auto& field) {
      using Member = std::remove_cvref_t<decltype(std::declval<T&>().*field.member)>;
      if (field.role == FieldRole::kFlattened || field.name != key) return;
      known = true;
      status = CheckPattern<Member>(inner, Inside(place, key), context);
    });
    if (!known && HasFlattened<T>()) {
      status = CheckUntyped(member, Inside(place, name), context);
      known = true;
    }
    if (!known) return ErrorIn(place, NoSuchPlace(name, FieldNames<T>()).message());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Checks the content of the alternative called `name`.
template <class V, std::size_t I = 0>
absl::Status CheckAlternative(absl::string_view name, const codec::Json& content, const std::string& place, absl::string_view tag,
                              const PatternContext& context) {
  if constexpr (I == std::variant_size_v<V>) {
    std::vector<absl::string_view> names;
    for (const Alternative& alternative : kAlternatives<V>.alternatives) names.push_back(alternative.name);
    return ErrorIn(place, NoSuchPlace(name, names).message());
  } else {
    using A = std::variant_alternative_t<I, V>;
    if (kAlternatives<V>.alternatives[I].name != name) return CheckAlternative<V, I + 1>(name, content, place, tag, context);
    if constexpr (kHasOneField<A>) {
      if (kAlternatives<V>.alternatives[I].shape == AlternativeShape::kNewtype) {
        using Only = std::remove_cvref_t<decltype(std::declval<A&>().*(std::get<0>(kFields<A>).member))>;
        return CheckPattern<Only>(content, place, context);
      }
    }
    return CheckFields<A>(content, place, tag, context);
  }
}

template <class V>
absl::Status CheckVariant(const codec::Json& pattern, const std::string& place, const PatternContext& context) {
  constexpr const auto& kList = kAlternatives<V>;
  if constexpr (kList.tagging == Tagging::kExternal) {
    const codec::Json none = codec::Json::object();
    if (pattern.is_string()) return CheckAlternative<V>(pattern.get_ref<const std::string&>(), none, place, "", context);
    if (!pattern.is_object() || pattern.size() != 1)
      return ErrorIn(place, "expected an alternative's name, or an object with it alone");
    return CheckAlternative<V>(pattern.begin().key(), pattern.begin().value(), Inside(place, pattern.begin().key()), "", context);
  } else {
    if (!pattern.is_object()) return ErrorIn(place, "expected an object");
    auto tag = pattern.find(std::string(kList.tag));
    if (tag == pattern.end() || !tag->is_string() || IsDollar(*tag)) return CheckUntyped(pattern, place, context);
    const std::string& name = tag->template get_ref<const std::string&>();
    if constexpr (kList.tagging == Tagging::kInternal) {
      return CheckAlternative<V>(name, pattern, place, kList.tag, context);
    } else {
      auto content = pattern.find(std::string(kList.content));
      return CheckAlternative<V>(name, content == pattern.end() ? codec::Json::object() : *content, Inside(place, kList.content),
                                 "", context);
    }
  }
}

// A value that is an array on the wire, an element a place.
template <class T>
absl::Status CheckElements(const codec::Json& pattern, const std::string& place, const PatternContext& context) {
  constexpr std::size_t kSize = std::tuple_size_v<std::remove_cvref_t<decltype(kElements<T>)>>;
  if (!pattern.is_array() || pattern.size() != kSize) {
    return ErrorIn(place, absl::StrCat("expected an array of ", kSize, " elements"));
  }
  absl::Status status;
  std::size_t i = 0;
  const auto check = [&](const auto& element) {
    if (!status.ok()) return;
    using Element = std::remove_cvref_t<decltype(std::declval<const T&>().*element.member)>;
    status = CheckPattern<Element>(pattern[i], Inside(place, absl::StrCat(i)), context);
    ++i;
  };
  std::apply([&](const auto&... element) { (check(element), ...); }, kElements<T>);
  return status;
}

template <class T>
absl::Status CheckPattern(const codec::Json& pattern, const std::string& place, const PatternContext& context) {
  if constexpr (kIsOptional<T>) {
    if (pattern.is_null()) return absl::OkStatus();
    if (pattern.is_object() && IsOperators(pattern)) {
      // Inside of the operators "none" may be meant too.
      using Inner = typename T::value_type;
      return CheckOperators(pattern, place, std::is_arithmetic_v<Inner>, NodeTypeOf<Inner>(), context,
                            [&](const codec::Json& inner, const std::string& at) { return CheckPattern<T>(inner, at, context); });
    }
    return CheckPattern<typename T::value_type>(pattern, place, context);
  } else {
    if (IsDollar(pattern)) return CheckWord(pattern.get_ref<const std::string&>(), place, NodeTypeOf<T>(), context);
    if (pattern.is_object() && IsOperators(pattern)) {
      return CheckOperators(pattern, place, std::is_arithmetic_v<T>, NodeTypeOf<T>(), context,
                            [&](const codec::Json& inner, const std::string& at) { return CheckPattern<T>(inner, at, context); });
    }
    if constexpr (kIsTuple<T>) {
      return CheckElements<T>(pattern, place, context);
    } else if constexpr (kIsStruct<T>) {
      return CheckFields<T>(pattern, place, "", context);
    } else if constexpr (kIsList<T>) {
      if (!pattern.is_array()) return ErrorIn(place, "expected an array");
      for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (i + 1 == pattern.size() && pattern[i] == codec::Json("$rest")) continue;
        absl::Status status = CheckPattern<typename T::value_type>(pattern[i], Inside(place, absl::StrCat(i)), context);
        if (!status.ok()) return status;
      }
      return absl::OkStatus();
    } else if constexpr (kIsAlternatives<T>) {
      return CheckVariant<T>(pattern, place, context);
    } else if constexpr (std::is_same_v<T, OpaqueJson>) {
      return CheckUntyped(pattern, place, context);
    } else {
      codec::Json literal = pattern;
      if (absl::Status status = Unescape(&literal); !status.ok()) return ErrorIn(place, status.message());
      T value{};
      absl::Status status = codec::Decode(literal, &value);
      return status.ok() ? status : ErrorIn(place, status.message());
    }
  }
}

}  // namespace leasecheck::engine::trace_internal

#endif  // LEASECHECK_PROPERTIES_ENGINE_TRACE_VALUES_H_
