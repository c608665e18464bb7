// One store in a child process, of any family: the control methods of PROTOCOL.md and the child's lives and deaths.
#ifndef LEASECHECK_ADAPTERS_PROCESS_BACKEND_PROCESS_H_
#define LEASECHECK_ADAPTERS_PROCESS_BACKEND_PROCESS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "adapters/process/child.h"
#include "adapters/process/connection.h"
#include "adapters/process/faked_clock.h"
#include "codec/json.h"
#include "model/dialect.h"
#include "model/target.h"
#include "model/time.h"

namespace leasecheck::process {

struct ProcessOptions {
  std::string command;                              // for /bin/sh -c
  std::string directory;                            // the store's LEASECHECK_DIR; empty: a folder made and removed by the target
  absl::Duration call_timeout = absl::Seconds(10);  // a call that takes longer counts as hung
  absl::Span<const DialectPoint> dialect_points;    // what may be declared; borrowed for the target's life
  Environs environment;                             // added to the child's
  bool fake_clock = false;                          // the child reads the system's clock: give it a virtual one by FakedClock
  bool may_kill_itself = false;                     // a SIGKILL that is not ours is a planned crash (Target::Crashed), no fault
  int processes = 1;                                // children that serve the same folder; calls go to them in turn
  bool clock_in_store = false;                      // the virtual clock is part of the store: one child moves it for all
};

// The method of BackendProcess::KillAtStatement, {"statement":n}.
inline constexpr char kKillAtStatementMethod[] = "$kill_at_statement";

// What the process needs to know of its family.
struct FamilyNames {
  absl::string_view family;
  std::vector<absl::string_view> operations;  // by index in the table
};

// Thread-safe as model/target.h says of a Target, whose methods these are without the family. The codes are those of
// model/target.h; a message that concerns initialize begins with it.
class BackendProcess {
 public:
  // Starts the child and initializes it. FailedPrecondition: it speaks another protocol, or describes itself wrongly (an unknown
  // operation, dialect or word ...). Unimplemented: it has not this family. Unavailable, DeadlineExceeded: it died, hung.
  static absl::StatusOr<std::unique_ptr<BackendProcess>> Start(ProcessOptions options, FamilyNames names);
  ~BackendProcess();  // shuts the child down politely, where it works, else kills it

  const TargetInfo& info() const { return info_; }
  absl::StatusOr<codec::Json> Call(absl::string_view method, codec::Json params);
  absl::Status Reset(EpochMs now);
  absl::Status SetClock(EpochMs now);
  absl::Status Reopen();
  // Opens the store that another process has just reset at `now`.
  absl::Status Join(EpochMs now);
  absl::Status Kill();
  // Kills the child, unless it has opened no store yet: its folder can then be emptied.
  void LetGo();
  bool Alive() const;
  // Beyond PROTOCOL.md: tells a `leasecheck serve` that was started for it to send SIGKILL to itself before the n-th statement of
  // its store from now on; 0: no longer. Unimplemented: this child cannot. It may overlap calls.
  absl::Status KillAtStatement(uint64_t n);
  absl::Status Shutdown();
  bool Crashed() const;
  absl::Status Health() const;
  std::string Log() const;

 private:
  BackendProcess(ProcessOptions options, FamilyNames names) : options_(std::move(options)), names_(std::move(names)) {}

  std::shared_ptr<Connection> connection() const;
  absl::StatusOr<std::shared_ptr<Connection>> StartChild();
  // The living child, or a new one in the place of one that died, was killed or broke the protocol.
  absl::StatusOr<std::shared_ptr<Connection>> LivingChild();
  absl::Status Control(Connection& connection, absl::string_view method, codec::Json params);

  const ProcessOptions options_;
  const FamilyNames names_;
  std::optional<FakedClock> faked_clock_;
  std::string clock_folder_;  // of the faked clock; ours
  std::string directory_;
  bool owns_directory_ = false;
  TargetInfo info_;

  mutable absl::Mutex mutex_;
  std::shared_ptr<Connection> connection_ ABSL_GUARDED_BY(mutex_);
  EpochMs now_ ABSL_GUARDED_BY(mutex_) = 0;
  bool new_child_ ABSL_GUARDED_BY(mutex_) = true;  // it has seen neither reset nor reopen
};

// A new folder among the temporary ones, the caller's to remove. Internal: there cannot be one.
absl::StatusOr<std::string> MakeFolder();

// What an initialize result says, checked. A message says what is wrong with it.
absl::StatusOr<TargetInfo> ReadInitialize(const codec::Json& result, const FamilyNames& names,
                                          absl::Span<const DialectPoint> dialect_points);

}  // namespace leasecheck::process

#endif  // LEASECHECK_ADAPTERS_PROCESS_BACKEND_PROCESS_H_
