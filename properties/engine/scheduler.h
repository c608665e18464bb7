// The deterministic scheduler: several client threads of which exactly one runs at a time, switching only where it says so.
//
// Switch points are the boundaries of calls and the pauses inside a store (PauseHook), which hold no lock; so every client can
// always run on, and a run is decided by the sequence of choices alone. The choices are recorded; given back, they reproduce the
// run exactly.
#ifndef LEASECHECK_PROPERTIES_ENGINE_SCHEDULER_H_
#define LEASECHECK_PROPERTIES_ENGINE_SCHEDULER_H_

#include <atomic>
#include <deque>
#include <functional>
#include <semaphore>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "model/environment.h"
#include "properties/engine/program.h"

namespace leasecheck::engine {

// Decides who runs next: given the client that runs now (-1 at first) and those that have not finished, in ascending order and
// never empty, returns one of the latter.
using Chooser = std::function<int(int current, absl::Span<const int> runnable)>;

// Replays `schedule`: entries naming a client that has finished are passed over; past the end the current client runs on.
Chooser ReplayChooser(Schedule schedule);

// For one phase. Thread-safe: each client thread calls Start once, Pause any number of times, Finish once.
class Scheduler final : public PauseHook {
 public:
  Scheduler(int clients, Chooser chooser);
  // Joins the calling thread to the run as `client` and waits until it is chosen first.
  void Start(int client) ABSL_LOCKS_EXCLUDED(mutex_);
  // A switch point of the calling client; of no effect in a thread that is none.
  void Pause(absl::string_view point) override ABSL_LOCKS_EXCLUDED(mutex_);
  // The calling client waits for something that only others can bring about: one of them runs next, if there is one, and none
  // that waits too and has been asked since the last of the others went on.
  void GiveWay() ABSL_LOCKS_EXCLUDED(mutex_);
  void Finish() ABSL_LOCKS_EXCLUDED(mutex_);
  // Who was chosen at each switch point. Call it when all clients have finished.
  Schedule recorded() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // The client of `candidates` whose turn it is now.
  int ChooseNext(int current, absl::Span<const int> candidates) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Hands the turn on to `next` and waits for the next of `client`.
  void HandOn(int client, int next);

  const int processor_;  // on which all clients run
  mutable absl::Mutex mutex_;
  Chooser chooser_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> runnable_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> gave_way_ ABSL_GUARDED_BY(mutex_);  // since a client went on
  Schedule recorded_ ABSL_GUARDED_BY(mutex_);
  int waiting_to_start_ ABSL_GUARDED_BY(mutex_);
  // One a client, released when its turn begins: cheaper to hand on than a condition of the mutex.
  std::deque<std::binary_semaphore> turns_;
};

// The pause hook that a store is given for its whole life: hands each pause on to the scheduler of the running phase, if any.
class PauseRelay final : public PauseHook {
 public:
  void Pause(absl::string_view point) override {
    if (PauseHook* hook = hook_.load(std::memory_order_acquire)) hook->Pause(point);
  }
  // Borrowed; null to detach. Call it while no store call is open.
  void Attach(PauseHook* hook) { hook_.store(hook, std::memory_order_release); }

 private:
  std::atomic<PauseHook*> hook_{nullptr};
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_SCHEDULER_H_
