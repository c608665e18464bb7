// How a contract's values are described once and used everywhere.
//
// A plain struct lists its fields in one constant, an enumeration its words and a variant its alternatives. From these lists
// come the JSON codec, the trace format, the differences in failure messages and the references of programs. Nothing here
// does any I/O or knows JSON: the lists are data, the rooms above walk them.
//
//   struct Point { uint64_t x = 0; uint64_t y = 0; };
//   template <>
//   inline constexpr auto kFields<Point> = std::make_tuple(Field{"x", &Point::x}, Field{"y", &Point::y});
//
// The specialisations live in namespace leasecheck, beside the struct they describe.
#ifndef LEASECHECK_MODEL_FIELD_H_
#define LEASECHECK_MODEL_FIELD_H_

#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace leasecheck {

// A piece of JSON that the contract carries and returns but never looks into. The text is canonical (no white space, keys
// sorted, numbers by value), made so by the codec, so that equality of JSON values is equality of bytes: model and stores
// need no JSON library. Code that builds one by hand writes it in canonical form.
struct OpaqueJson {
  std::string text = "null";

  friend bool operator==(const OpaqueJson&, const OpaqueJson&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const OpaqueJson& json) {
    return H::combine(std::move(h), json.text);
  }
};

enum class FieldRole {
  kPlain,      // sent under its own name
  kFlattened,  // an OpaqueJson object whose members lie beside the other fields; takes every member that no field names
};

template <class Struct, class Member>
struct Field {
  absl::string_view name;
  Member Struct::*member;
  FieldRole role = FieldRole::kPlain;
};
template <class Struct, class Member>
Field(const char*, Member Struct::*) -> Field<Struct, Member>;
template <class Struct, class Member>
Field(const char*, Member Struct::*, FieldRole) -> Field<Struct, Member>;

// Stands where a type has no list.
struct Undescribed {};

// The fields of a struct: a tuple of Field.
template <class T>
inline constexpr Undescribed kFields{};

// The elements of a struct that JSON has as an array, such as [1,"Queued"]: a tuple of Field, in the array's order. The names are
// for messages. Traces take such a struct as one value, without places inside, unless it has kFields too.
template <class T>
inline constexpr Undescribed kElements{};

// The words of an enumeration: a std::array of Word, in the order of their declaration.
template <class E>
struct Word {
  E value;
  absl::string_view name;
};
template <class E>
inline constexpr Undescribed kWords{};

// How a variant shows which alternative it holds.
enum class Tagging {
  kExternal,  // {"name": {fields}}, or just "name" for an alternative without fields
  kInternal,  // {tag: "name", fields...}
  kAdjacent,  // {tag: "name", content: {fields}}
};

enum class AlternativeShape {
  kFields,   // the content is an object of the alternative's fields
  kNewtype,  // the alternative has one field, and the content is that field's value itself
};

struct Alternative {
  absl::string_view name;
  AlternativeShape shape = AlternativeShape::kFields;
};

template <std::size_t N>
struct AlternativeList {
  Tagging tagging;
  absl::string_view tag;      // of kInternal and kAdjacent
  absl::string_view content;  // of kAdjacent
  Alternative alternatives[N];
};

// The alternatives of a std::variant, in the order of its template arguments.
template <class V>
inline constexpr Undescribed kAlternatives{};

template <class T>
inline constexpr bool kIsStruct = !std::is_same_v<std::remove_cv_t<decltype(kFields<T>)>, Undescribed>;
template <class T>
inline constexpr bool kIsTuple = !std::is_same_v<std::remove_cv_t<decltype(kElements<T>)>, Undescribed>;
template <class T>
inline constexpr bool kIsWords = !std::is_same_v<std::remove_cv_t<decltype(kWords<T>)>, Undescribed>;
template <class T>
inline constexpr bool kIsAlternatives = !std::is_same_v<std::remove_cv_t<decltype(kAlternatives<T>)>, Undescribed>;

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsList = false;
template <class T>
inline constexpr bool kIsList<std::vector<T>> = true;

// Calls visit(field) for each field of T, in order.
template <class T, class Visit>
constexpr void ForEachField(Visit&& visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, kFields<T>);
}

// The word of an enumerator, or "" for a value outside the list.
template <class E>
constexpr absl::string_view WordOf(E value) {
  for (const auto& word : kWords<E>) {
    if (word.value == value) return word.name;
  }
  return "";
}

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_FIELD_H_
