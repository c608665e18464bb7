// Instants that a caller names, beside the store's own clock (time.h): UTC, before and after 1970, in whole milliseconds.
//
// A type of its own, so that an instant is not taken for a length or a number, and so that the wire can have it as RFC 3339 text
// (codec/instant.h). What that text can say, the years 0000 to 9999, is the whole range: kFirstInstant to kLastInstant.
#ifndef LEASECHECK_MODEL_INSTANT_H_
#define LEASECHECK_MODEL_INSTANT_H_

#include <cstdint>
#include <utility>

#include "model/time.h"

namespace leasecheck {

struct Instant {
  int64_t ms = 0;  // since the Unix epoch

  constexpr Instant() = default;
  explicit constexpr Instant(int64_t milliseconds) : ms(milliseconds) {}

  friend constexpr bool operator==(const Instant&, const Instant&) = default;
  friend constexpr bool operator<(const Instant& a, const Instant& b) { return a.ms < b.ms; }
  friend constexpr bool operator>(const Instant& a, const Instant& b) { return b < a; }
  friend constexpr bool operator<=(const Instant& a, const Instant& b) { return !(b < a); }
  friend constexpr bool operator>=(const Instant& a, const Instant& b) { return !(a < b); }
  template <typename H>
  friend H AbslHashValue(H h, const Instant& instant) {
    return H::combine(std::move(h), instant.ms);
  }
};

inline constexpr Instant kFirstInstant{-62167219200000};  // 0000-01-01T00:00:00.000Z
inline constexpr Instant kLastInstant{253402300799999};   // 9999-12-31T23:59:59.999Z

// What a clock reads, as an instant; at most kLastInstant.
constexpr Instant InstantOf(EpochMs now) {
  return now > static_cast<EpochMs>(kLastInstant.ms) ? kLastInstant : Instant(static_cast<int64_t>(now));
}

// `instant` + `length` milliseconds, which may be negative, kept within kFirstInstant and kLastInstant: it never wraps.
constexpr Instant SaturatingAdd(Instant instant, int64_t length) {
  if (length > kLastInstant.ms - instant.ms) return kLastInstant;
  if (length < kFirstInstant.ms - instant.ms) return kFirstInstant;
  return Instant(instant.ms + length);
}

// Whether at least `length` milliseconds lie between `from` and `to`. Exact for every length, so a length that leads beyond
// kLastInstant has never passed.
constexpr bool HasPassed(Instant from, int64_t length, Instant to) { return to.ms - from.ms >= length; }

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_INSTANT_H_
