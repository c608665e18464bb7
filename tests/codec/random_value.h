// Random values of a contract's types, made from the lists in model/field.h.
#ifndef LEASECHECK_TESTS_CODEC_RANDOM_VALUE_H_
#define LEASECHECK_TESTS_CODEC_RANDOM_VALUE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "model/field.h"
#include "model/instant.h"
#include "model/operation.h"
#include "model/secret.h"
#include "model/uuid.h"

namespace leasecheck::codec_test {

// Equal seeds give equal values. Numbers prefer the ends of their range, strings the characters that JSON escapes.
class RandomValue {
 public:
  explicit RandomValue(uint64_t seed) : random_(seed) {}

  template <class T>
  T Make() {
    T value{};
    Fill(&value);
    return value;
  }

  std::size_t Below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }

  // Some call, or some success value, of a family.
  template <class V>
  V MakeAlternative(std::size_t index) {
    V value;
    FillAlternative(index, &value, std::make_index_sequence<std::variant_size_v<V>>{});
    return value;
  }

 private:
  void Fill(std::string* value) {
    static constexpr std::array<const char*, 10> kPieces = {
        "",          "a",    "session-1",         "\"\\/\b\f\n\r\t", "\xc3\xa9", "\xf0\x9f\x92\xa9",
        "\x01\x1f~", "null", "\xe2\x80\xa8 line", "{\"a\":1}"};
    for (std::size_t pieces = Below(3); pieces > 0; --pieces) *value += kPieces[Below(kPieces.size())];
  }
  void Fill(bool* value) { *value = Below(2) == 0; }
  void Fill(OpaqueJson* value) {
    static constexpr std::array<const char*, 7> kTexts = {
        "null",   "{}",  "[1,-2,18446744073709551615,-9223372036854775808]", "{\"a\":{\"b\":[{}]},\"zz\":0.5}", "\"text\"",
        "1e+300", "true"};
    value->text = kTexts[Below(kTexts.size())];
  }

  void Fill(double* value) {
    static constexpr std::array<double, 5> kNumbers = {0.5, -3, 0, 1e300, 2};
    *value = kNumbers[Below(kNumbers.size())];
  }
  void Fill(Instant* value) {
    static constexpr std::array<Instant, 4> kInstants = {kFirstInstant, kLastInstant, Instant(-1), Instant(0)};
    *value = Below(2) == 0 ? kInstants[Below(kInstants.size())]
                           : Instant(std::uniform_int_distribution<int64_t>(kFirstInstant.ms, kLastInstant.ms)(random_));
  }

  void Fill(Uuid* value) { *value = Below(4) == 0 ? Uuid() : Uuid(random_(), random_()); }
  void Fill(Secret* value) { value->text = Below(2) == 0 ? "jj_" : std::string(Below(80), 'a'); }

  template <class T>
  void Fill(T* value) {
    if constexpr (kIsOptional<T>) {
      if (Below(2) == 0) Fill(&value->emplace());
      if constexpr (std::is_same_v<T, std::optional<OpaqueJson>>) {
        if (*value == OpaqueJson()) value->reset();  // JSON's null is an absent optional
      }
    } else if constexpr (kIsList<T>) {
      value->resize(Below(4));
      for (auto& element : *value) Fill(&element);
    } else if constexpr (kIsStruct<T>) {
      ForEachField<T>([&](const auto& field) {
        Fill(&(value->*(field.member)));
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value->*(field.member))>, OpaqueJson>) {
          if (field.role == FieldRole::kFlattened) {
            (value->*(field.member)).text = Below(2) == 0 ? "{}" : "{\"body\":[1],\"graph\":{\"x\":null}}";
          }
        }
      });
    } else if constexpr (kIsTuple<T>) {
      std::apply([&](const auto&... element) { (Fill(&(value->*(element.member))), ...); }, kElements<T>);
    } else if constexpr (kIsWords<T>) {
      *value = kWords<T>[Below(kWords<T>.size())].value;
    } else if constexpr (kIsAlternatives<T>) {
      FillAlternative(Below(std::variant_size_v<T>), value, std::make_index_sequence<std::variant_size_v<T>>{});
    } else {
      static_assert(std::is_integral_v<T>, "a type that the generator does not know");
      using Limits = std::numeric_limits<T>;
      const std::array<T, 5> ends = {Limits::min(), Limits::max(), static_cast<T>(Limits::max() - 1), static_cast<T>(1), 0};
      *value = Below(2) == 0 ? ends[Below(ends.size())] : static_cast<T>(random_());
    }
  }

  template <class V, std::size_t... I>
  void FillAlternative(std::size_t index, V* value, std::index_sequence<I...>) {
    ((index == I ? Fill(&value->template emplace<I>()) : void()), ...);
  }

  std::mt19937_64 random_;
};

}  // namespace leasecheck::codec_test

#endif  // LEASECHECK_TESTS_CODEC_RANDOM_VALUE_H_
