// The wire to one child process: JSON-RPC requests out, answers in, until the child ends.
#ifndef LEASECHECK_ADAPTERS_PROCESS_CONNECTION_H_
#define LEASECHECK_ADAPTERS_PROCESS_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "adapters/process/child.h"
#include "adapters/process/pipes.h"
#include "codec/json.h"

namespace leasecheck::process {

// How much of the child's stderr is kept: its end.
inline constexpr std::size_t kLogBytes = 64 << 10;

// Thread-safe. A connection fails once and for good; the first reason stays, the child is killed, and every open and later call
// returns that reason:
//   Unavailable         the child died: "backend died (exit 3) while serving claim_ready_queued_work"
//   DeadlineExceeded    a call was not answered in time: "backend hung: no answer to reset within 10s"
//   FailedPrecondition  the child broke the protocol
//   Aborted             Kill was called
//   Cancelled           Shutdown was called
class Connection {
 public:
  // Internal: the shell could not be started. (A command that does not exist dies later, with the shell's exit 127.)
  static absl::StatusOr<std::unique_ptr<Connection>> Start(const std::string& command, const Environs& environment);
  ~Connection();  // kills the child

  // How many requests may be open at once, 1 at first: a call waits until it may be sent.
  void SetConcurrency(int concurrency);

  // Sends a request and returns its answer: an object with `result`, or with `error` (an object with a whole number `code` and a
  // string `message`). The timeout runs from the sending. InvalidArgument: the request is longer than a line may be; nothing was
  // sent.
  absl::StatusOr<codec::Json> Call(absl::string_view method, codec::Json params, absl::Duration timeout);

  // SIGKILL. Open calls return Aborted. Returns when the child is gone.
  void Kill();

  // Asks the child to end, waits for it and kills it where it does not. Call it while no call is open. OK where it answered and
  // exited with 0.
  absl::Status Shutdown(absl::Duration timeout);

  // Why the connection failed; OK while it works.
  absl::Status failure() const;
  // Whether the child was ended by a SIGKILL that was not ours.
  bool DiedBySigkill() const;
  // The last kLogBytes of the child's stderr.
  std::string Log() const;

 private:
  struct OpenCall {
    std::string method;
    std::optional<codec::Json> answer;
  };

  explicit Connection(std::unique_ptr<Child> child);

  void Read();  // the reader's thread
  void ReadUntilExit();
  void HandleOutput(absl::string_view bytes);
  void HandleLine(absl::string_view line);
  void KeepLog(absl::string_view bytes);
  void Fail(absl::Status reason);
  void FailLocked(absl::Status reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string OpenMethods() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status EndOf(int wait_status) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<Child> child_;
  LineCutter lines_;  // the reader's

  absl::Mutex writing_;  // held for one whole line

  mutable absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  bool shutting_down_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  // the child is reaped
  bool died_by_sigkill_ ABSL_GUARDED_BY(mutex_) = false;
  int concurrency_ ABSL_GUARDED_BY(mutex_) = 1;
  int64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  int sent_ ABSL_GUARDED_BY(mutex_) = 0;                       // calls that hold a place among the open ones
  std::map<int64_t, OpenCall*> open_ ABSL_GUARDED_BY(mutex_);  // sent and not answered
  std::string log_ ABSL_GUARDED_BY(mutex_);

  std::thread reader_;  // last: it uses all of the above
};

}  // namespace leasecheck::process

#endif  // LEASECHECK_ADAPTERS_PROCESS_CONNECTION_H_
