// The system's clock, for a target that reads it itself: the harness cannot move it, so it notes what its own clock read around
// every call and judges by that window.
#ifndef LEASECHECK_PROPERTIES_ENGINE_SYSTEM_TIME_H_
#define LEASECHECK_PROPERTIES_ENGINE_SYSTEM_TIME_H_

#include <algorithm>
#include <chrono>
#include <cmath>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "model/time.h"

namespace leasecheck {

// Reads the harness' clock, and waits. Thread-safe.
class SystemTime {
 public:
  virtual ~SystemTime() = default;
  virtual EpochMs Now() = 0;
  virtual void WaitUntil(EpochMs instant) = 0;
};

// This machine's, as libc tells it: Abseil may read the processor's counter instead, which no faked clock reaches.
class MachineClock final : public Clock {
 public:
  EpochMs Now() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<EpochMs>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  }
};
class MachineTime final : public SystemTime {
 public:
  EpochMs Now() override { return MachineClock().Now(); }
  void WaitUntil(EpochMs instant) override {
    const EpochMs now = Now();
    if (instant > now) absl::SleepFor(absl::Milliseconds(instant - now));
  }
};

namespace engine {

// The instants, both included, between which the target's own clock read whatever it read during a call.
struct TimeWindow {
  EpochMs earliest = 0;
  EpochMs latest = 0;
};

// How far the target's clock may be from the harness': at first, and more with every millisecond that passes.
struct ClockError {
  DurationMs error = 2;
  double drift = 0;  // such as 0.0001 for 100 ppm

  // The window of a call that the harness saw begin and end at these instants, in a run that began at `start`.
  TimeWindow Around(EpochMs called, EpochMs returned, EpochMs start) const {
    const EpochMs run = returned > start ? returned - start : 0;
    const DurationMs wide = error + static_cast<DurationMs>(std::ceil(drift * static_cast<double>(run)));
    return {called - std::min(called, wide), SaturatingAdd(std::max(called, returned), wide)};
  }
};

}  // namespace engine
}  // namespace leasecheck

#endif  // LEASECHECK_PROPERTIES_ENGINE_SYSTEM_TIME_H_
