// Targets: anything that executes operations, seen from the harness.
#ifndef LEASECHECK_MODEL_TARGET_H_
#define LEASECHECK_MODEL_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/dialect.h"
#include "model/environment.h"
#include "model/operation.h"
#include "model/time.h"

namespace leasecheck {

// What a target says of itself.
struct TargetInfo {
  std::string name;
  std::string version;
  bool virtual_clock = true;             // SetClock works; else the target reads the system's clock
  bool faked_clock = false;              // ... by faking the time that its process asks for: to be proved before it is believed
  int concurrency = 1;                   // calls that may be open at once; 1: never a second one while one is open
  bool durable = false;                  // Reopen works: what was acknowledged is there again
  bool killable = false;                 // Kill works
  int processes = 1;                     // that share the data: KillProcess kills one, and the others live on
  bool kills_at_statement = false;       // KillAtStatement works
  bool pausable = false;                 // the store calls the pause hook it was given: races inside a call can be replayed
  bool inflight_survives_crash = false;  // calls open at a crash may still take effect after Reopen
  bool real_liveness = false;            // it probes real processes itself; else it was given the harness' fixed probe
  bool reference = false;                // a reference store: exact numbers that only it promises are compared too
  Dialects dialects;
  std::vector<bool> operations;  // by index in the table; empty: all of them
};

// One store under test. Execute may be called by up to `concurrency` threads at once; the rest by one thread while no call
// is open, except Kill and SetClock, which may overlap calls. Between Kill and the next Reopen or Reset every call is
// Indefinite. A non-OK status of any of these is a fault of the harness' plumbing or of the backend's manners, never a
// verdict on its contract: the code is kUnavailable where the backend died, kDeadlineExceeded where it hung,
// kFailedPrecondition where it broke the protocol, kUnimplemented where it lacks the ability.
template <class F>
class Target {
 public:
  virtual ~Target() = default;
  virtual const TargetInfo& info() const = 0;
  virtual OutcomeOf<F> Execute(const RequestOf<F>& request) = 0;
  virtual absl::Status Reset(EpochMs now) = 0;  // a fresh, empty store
  // Takes effect at one instant before it returns. Aborted: a Kill came in between, and it takes effect at the next Reopen.
  virtual absl::Status SetClock(EpochMs now) = 0;
  virtual absl::Status Reopen() = 0;  // drop every handle and open the same data again
  virtual absl::Status Kill() = 0;    // SIGKILL; open calls return Indefinite
  // SIGKILL of one of the `processes`, 0 the first. Its open calls return Indefinite; calls go to the others until Reopen brings
  // it back, which leaves the others alone. It may overlap calls, as Kill.
  virtual absl::Status KillProcess(int process) {
    return process == 0 ? Kill() : absl::UnimplementedError("the backend is one process");
  }
  // The process sends SIGKILL to itself before the n-th statement that its store executes from here on (for SQLite, a statement
  // of SQL), 1 the first; 0: no longer. Crashed() is true once it is dead, and a new process is not told. It may overlap calls.
  virtual absl::Status KillAtStatement(int /*process*/, uint64_t /*n*/) {
    return absl::UnimplementedError("the backend cannot be killed at a statement");
  }
  // Where `pausable`: the hook of the store's pauses from here on; borrowed, null for none. Call it while no call is open.
  virtual void SetPauseHook(PauseHook* /*hook*/) {}
  // Whether a process died by its own hand, as the harness had planned, and was not reopened since. Where it was the only one:
  // Reopen before the next call.
  virtual bool Crashed() const { return false; }
  // Why Execute answered Indefinite without the harness having caused it; OK where nothing is wrong.
  virtual absl::Status Health() const { return absl::OkStatus(); }
  // What the backend wrote beside its answers, the end of it, for the report of a failure.
  virtual std::string Log() const { return ""; }
};

// Makes a target of its own at every call. Thread-safe.
template <class F>
using TargetFactory = std::function<absl::StatusOr<std::unique_ptr<Target<F>>>()>;

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_TARGET_H_
