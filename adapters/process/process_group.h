// One store served by several child processes at once, of any family: calls go to them in turn, so that real processes race on
// it.
#ifndef LEASECHECK_ADAPTERS_PROCESS_PROCESS_GROUP_H_
#define LEASECHECK_ADAPTERS_PROCESS_PROCESS_GROUP_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "adapters/process/backend_process.h"
#include "codec/json.h"
#include "model/target.h"
#include "model/time.h"

namespace leasecheck::process {

// ProcessOptions::processes children of one command on one folder; of one child it is that child. Calls are dealt out from the
// first child on, beginning anew at each Reset, so that a program is dealt out alike every time it is run; a dead child is passed
// over. Thread-safe as model/target.h says of a Target, whose methods these are without the family.
//
// Time. Where the clock is in the store, one child moves it, at one instant of its own; calls may be open. Else each child has a
// clock of its own, and all are moved while no call is open: a move waits for the open calls, and holds up new ones.
//
// A Reset kills every child but the first before that one empties the folder: no handle is left on what is removed. A Reopen
// after a death brings back the dead and leaves the others alone; with none dead, each child drops its handles in turn.
class ProcessGroup {
 public:
  // The errors are BackendProcess::Start's; Unimplemented too where there are to be several processes and the backend is not
  // durable, because they share nothing but what is stored.
  static absl::StatusOr<std::unique_ptr<ProcessGroup>> Start(ProcessOptions options, FamilyNames names);
  ~ProcessGroup();

  const TargetInfo& info() const { return info_; }
  absl::StatusOr<codec::Json> Call(absl::string_view method, codec::Json params) ABSL_LOCKS_EXCLUDED(calls_);
  absl::Status Reset(EpochMs now);
  absl::Status SetClock(EpochMs now) ABSL_LOCKS_EXCLUDED(calls_);
  absl::Status Reopen();
  absl::Status Kill();
  absl::Status KillProcess(int process);
  absl::Status KillAtStatement(int process, uint64_t n);
  absl::Status Shutdown();
  bool Crashed() const;
  absl::Status Health() const;
  // The ends of the children's logs, one after the other.
  std::string Log() const;

 private:
  ProcessGroup() = default;

  BackendProcess& NextAlive();
  absl::Status MoveOwnClocks(EpochMs now) ABSL_LOCKS_EXCLUDED(calls_);
  absl::Status MoveStoresClock(EpochMs now);
  // Does something with some of the children at once; the first error.
  static absl::Status WithEach(const std::vector<BackendProcess*>& children,
                               const std::function<absl::Status(BackendProcess&)>& act);

  std::string directory_;  // ours to remove; "" where there is none
  bool clock_in_store_ = false;
  TargetInfo info_;
  std::vector<std::unique_ptr<BackendProcess>> children_;
  std::atomic<uint64_t> next_{0};

  absl::Mutex calls_;  // shared by open calls where each child has a clock of its own

  absl::Mutex mutex_;
  bool late_ ABSL_GUARDED_BY(mutex_) = false;  // a move of the store's clock found nobody alive
  EpochMs later_ ABSL_GUARDED_BY(mutex_) = 0;  // ... to this
};

}  // namespace leasecheck::process

#endif  // LEASECHECK_ADAPTERS_PROCESS_PROCESS_GROUP_H_
