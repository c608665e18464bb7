// UUIDs: 128-bit names that a caller or a store draws so that no two are equal.
//
// A type of its own, so that a name is not taken for any text, and so that the wire can have it as a UUID's text (codec/uuid.h):
// a backend that parses what it is sent never meets anything else. The engine's value "that no store ever issued" is the nil
// UUID.
#ifndef LEASECHECK_MODEL_UUID_H_
#define LEASECHECK_MODEL_UUID_H_

#include <cstdint>
#include <utility>

namespace leasecheck {

struct Uuid {
  uint64_t high = 0;  // the first 16 digits of the text
  uint64_t low = 0;   // the last 16

  constexpr Uuid() = default;
  constexpr Uuid(uint64_t first, uint64_t last) : high(first), low(last) {}

  friend constexpr bool operator==(const Uuid&, const Uuid&) = default;
  // As their texts are ordered.
  friend constexpr bool operator<(const Uuid& a, const Uuid& b) { return a.high != b.high ? a.high < b.high : a.low < b.low; }
  template <typename H>
  friend H AbslHashValue(H h, const Uuid& uuid) {
    return H::combine(std::move(h), uuid.high, uuid.low);
  }
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_UUID_H_
