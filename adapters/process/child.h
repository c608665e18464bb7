// A child process with pipes for its three standard streams.
#ifndef LEASECHECK_ADAPTERS_PROCESS_CHILD_H_
#define LEASECHECK_ADAPTERS_PROCESS_CHILD_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "adapters/process/pipes.h"

namespace leasecheck::process {

// Names and values added to the environment of a child.
using Environs = std::vector<std::pair<std::string, std::string>>;

// `/bin/sh -c COMMAND` in a session of its own, so that a signal to its process group reaches all that it started and a
// terminal's Ctrl-C does not reach it. It inherits no descriptor but its three pipes, no ignored or blocked signal. Thread-safe.
//
// Made with posix_spawn: Boost.Process 1.74, Debian's, forks and then allocates in a program with threads, starts no session,
// and leaves unrelated descriptors open in the child. posix_spawn does all that is needed in one call.
class Child {
 public:
  static absl::StatusOr<std::unique_ptr<Child>> Start(const std::string& command, const Environs& environment);
  ~Child();  // kills and reaps

  int in() const { return in_.get(); }         // its stdin: write; does not block
  int out() const { return out_.get(); }       // its stdout: read; does not block
  int err() const { return err_.get(); }       // its stderr: likewise
  int exited() const { return pidfd_.get(); }  // readable once the child has ended

  // SIGKILL to the whole group.
  void KillGroup();
  // Kills the group, waits for the child and for what else is left of the group, and returns the child's wait status.
  int Reap();

 private:
  Child() = default;

  Descriptor in_, out_, err_, pidfd_;
  pid_t pid_ = -1;
  absl::Mutex mutex_;
  bool reaped_ ABSL_GUARDED_BY(mutex_) = false;
  int wait_status_ ABSL_GUARDED_BY(mutex_) = 0;
};

// "exit 3", "signal 9 (Killed)".
std::string DescribeWaitStatus(int wait_status);

}  // namespace leasecheck::process

#endif  // LEASECHECK_ADAPTERS_PROCESS_CHILD_H_
