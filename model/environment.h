// What a store is given from outside, so that a test can decide it: the clock, the liveness probe and the pause hook.
#ifndef LEASECHECK_MODEL_ENVIRONMENT_H_
#define LEASECHECK_MODEL_ENVIRONMENT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "model/time.h"

namespace leasecheck {

// The pid that no process has: a local-process owner with it is dead to every claimant of the same host and boot
// (PROTOCOL.md, "Contract calls").
inline constexpr uint32_t kDeadPid = 4294967295u;

// Asks whether a process of this host and this boot still runs. `process_start` is field 22 of the Linux per-process stat,
// as text. A pid that exists with another start time is another process, so the asked one is dead. Implementations are
// thread-safe and never block.
class LivenessProbe {
 public:
  enum class Answer { kAlive, kDead, kUnknown };  // an unreadable process is kUnknown and counts as not dead
  virtual ~LivenessProbe() = default;
  virtual Answer Probe(uint32_t pid, absl::string_view process_start) const = 0;
};

// The probe of a run under the harness: kDeadPid is dead, one pid (the harness' own) is alive with its own start time and
// dead with any other, and nothing is known of the rest. Pure, so the spec can judge by it.
class FixedLiveness final : public LivenessProbe {
 public:
  FixedLiveness() = default;
  FixedLiveness(uint32_t own_pid, std::string own_start) : own_pid_(own_pid), own_start_(std::move(own_start)) {}
  Answer Probe(uint32_t pid, absl::string_view process_start) const override {
    if (pid == kDeadPid) return Answer::kDead;
    if (pid != own_pid_) return Answer::kUnknown;
    return process_start == own_start_ ? Answer::kAlive : Answer::kDead;
  }

 private:
  uint32_t own_pid_ = 1;
  std::string own_start_ = "1";
};

// Lets a test decide what happens between two steps of a store's call. A store calls Pause(point) only where it holds no
// lock; `point` names the place, in snake_case, and stays the same from release to release. Thread-safe; may block.
class PauseHook {
 public:
  virtual ~PauseHook() = default;
  virtual void Pause(absl::string_view point) = 0;
};

// Everything injected into a store. The pointers are borrowed and outlive the store; `pause` may be null.
struct Environment {
  const Clock* clock = nullptr;
  const LivenessProbe* liveness = nullptr;
  PauseHook* pause = nullptr;
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_ENVIRONMENT_H_
