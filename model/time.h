// Time as the contracts have it: whole milliseconds since the Unix epoch, unsigned, read from an injected clock.
#ifndef LEASECHECK_MODEL_TIME_H_
#define LEASECHECK_MODEL_TIME_H_

#include <atomic>
#include <cstdint>
#include <limits>

namespace leasecheck {

using EpochMs = uint64_t;     // an instant
using DurationMs = uint64_t;  // a length of time, such as a lease's ttl

inline constexpr EpochMs kEndOfTime = std::numeric_limits<EpochMs>::max();

// The last instant a virtual clock may read: the end of the year 9998 (PROTOCOL.md, "Control methods").
inline constexpr EpochMs kMaxVirtualTime = 253370764799999;

// `instant` + `length`, at most kEndOfTime: expiries never wrap (QW-CLM-13).
constexpr EpochMs SaturatingAdd(EpochMs instant, DurationMs length) {
  return length > kEndOfTime - instant ? kEndOfTime : instant + length;
}

// Where a store gets the time from. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual EpochMs Now() const = 0;
};

// A clock that stands still until it is moved, in either direction. Thread-safe; a reader sees the time before or after a
// concurrent Set.
//
//   ManualClock clock(1000);
//   clock.Set(1500);
class ManualClock final : public Clock {
 public:
  explicit ManualClock(EpochMs now = 0) : now_(now) {}
  EpochMs Now() const override { return now_.load(std::memory_order_acquire); }
  void Set(EpochMs now) { now_.store(now, std::memory_order_release); }

 private:
  std::atomic<EpochMs> now_;
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_TIME_H_
