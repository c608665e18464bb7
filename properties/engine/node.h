// Nodes: places inside a request or a response, named by a path and addressed without knowing their type.
//
// A path is a list of steps joined by dots: a field's name, a list's position, an alternative's name. Optionals are stepped
// through silently. "completed_queue_claims.0" is a node of a commit, "Acquired" the lease inside a granted lane.
#ifndef LEASECHECK_PROPERTIES_ENGINE_NODE_H_
#define LEASECHECK_PROPERTIES_ENGINE_NODE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/field.h"

namespace leasecheck::engine {

// What stands for an identifier or token that no store ever issued. A label without a value resolves to it.
inline constexpr absl::string_view kNeverIssued = "never-issued";

// Makes `value` the fixed value that no store ever issued: kNeverIssued for strings, 0 for numbers, empty lists, the first
// alternative of a variant made so.
template <class T>
void MakeNeverIssued(T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    value = std::string(kNeverIssued);
  } else if constexpr (kIsStruct<T>) {
    ForEachField<T>([&](const auto& field) { MakeNeverIssued(value.*field.member); });
  } else if constexpr (kIsAlternatives<T>) {
    MakeNeverIssued(value.template emplace<0>());
  } else {
    value = T{};
  }
}

// A type as the engine sees it; one object a type, compared by address.
struct NodeType {
  void (*copy)(void* to, const void* from);
  void (*make_never_issued)(void* node);
};

template <class T>
const NodeType* NodeTypeOf() {
  static constexpr NodeType kType{
      [](void* to, const void* from) { *static_cast<T*>(to) = *static_cast<const T*>(from); },
      [](void* node) { MakeNeverIssued(*static_cast<T*>(node)); },
  };
  return &kType;
}

struct Node {
  void* value = nullptr;  // null: there is no such place
  const NodeType* type = nullptr;
};
struct ConstNode {
  const void* value = nullptr;
  const NodeType* type = nullptr;
};

// How a value of one type is used where another is expected: a lease where a fence is.
struct Conversion {
  const NodeType* from;
  const NodeType* to;
  void (*convert)(void* to, const void* from);
};

template <auto Function, class From, class To>
Conversion ConversionBy(To (*)(const From&)) {
  return {NodeTypeOf<From>(), NodeTypeOf<To>(),
          [](void* to, const void* from) { *static_cast<To*>(to) = Function(*static_cast<const From*>(from)); }};
}

namespace node_internal {

struct Step {
  absl::string_view head;
  absl::string_view rest;
};
inline Step Split(absl::string_view path) {
  const std::size_t dot = path.find('.');
  if (dot == absl::string_view::npos) return {path, ""};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

template <class V, std::size_t I = 0>
std::size_t AlternativeNamed(absl::string_view name) {
  if constexpr (I == std::variant_size_v<V>) {
    return I;
  } else {
    return kAlternatives<V>.alternatives[I].name == name ? I : AlternativeNamed<V, I + 1>(name);
  }
}

}  // namespace node_internal

// The place at `path` inside `value`, or a null node.
template <class T>
ConstNode FindNode(const T& value, absl::string_view path) {
  if constexpr (kIsOptional<T>) {
    return value.has_value() ? FindNode(*value, path) : ConstNode{};
  } else {
    if (path.empty()) return {&value, NodeTypeOf<T>()};
    [[maybe_unused]] const auto [head, rest] = node_internal::Split(path);
    ConstNode found;
    if constexpr (kIsStruct<T>) {
      ForEachField<T>([&, step = head, tail = rest](const auto& field) {
        if (field.name == step) found = FindNode(value.*field.member, tail);
      });
    } else if constexpr (kIsList<T>) {
      uint64_t index = 0;
      if (absl::SimpleAtoi(head, &index) && index < value.size()) found = FindNode(value[index], rest);
    } else if constexpr (kIsAlternatives<T>) {
      if (node_internal::AlternativeNamed<T>(head) != value.index()) return {};
      std::visit(
          [&, tail = rest](const auto& alternative) {
            using A = std::decay_t<decltype(alternative)>;
            if constexpr (std::tuple_size_v<std::remove_cv_t<decltype(kFields<A>)>> == 1) {
              if (kAlternatives<T>.alternatives[value.index()].shape == AlternativeShape::kNewtype) {
                found = FindNode(alternative.*(std::get<0>(kFields<A>).member), tail);
                return;
              }
            }
            found = FindNode(alternative, tail);
          },
          value);
    }
    return found;
  }
}

// The place at `path` inside `value`, made where it is missing: an absent optional becomes present, a list grows by one element
// at most. A null node where the path names nothing.
template <class T>
Node MakeNode(T& value, absl::string_view path) {
  if constexpr (kIsOptional<T>) {
    if (!value.has_value()) value.emplace();
    return MakeNode(*value, path);
  } else {
    if (path.empty()) return {&value, NodeTypeOf<T>()};
    [[maybe_unused]] const auto [head, rest] = node_internal::Split(path);
    Node found;
    if constexpr (kIsStruct<T>) {
      ForEachField<T>([&, step = head, tail = rest](const auto& field) {
        if (field.name == step) found = MakeNode(value.*field.member, tail);
      });
    } else if constexpr (kIsList<T>) {
      uint64_t index = 0;
      if (!absl::SimpleAtoi(head, &index) || index > value.size()) return {};
      if (index == value.size()) value.emplace_back();
      found = MakeNode(value[index], rest);
    }
    return found;
  }
}

// Puts `from` into `to`, converting where the types differ. False where no conversion fits.
inline bool Assign(Node to, ConstNode from, absl::Span<const Conversion> conversions) {
  if (to.type == from.type) {
    to.type->copy(to.value, from.value);
    return true;
  }
  for (const Conversion& conversion : conversions) {
    if (conversion.from == from.type && conversion.to == to.type) {
      conversion.convert(to.value, from.value);
      return true;
    }
  }
  return false;
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_NODE_H_
