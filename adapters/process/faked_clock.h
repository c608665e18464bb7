// A virtual clock for a program that asks libc for the time and knows nothing of us: libfaketime (Debian's package faketime),
// preloaded into the child, reads the instant from a file.
#ifndef LEASECHECK_ADAPTERS_PROCESS_FAKED_CLOCK_H_
#define LEASECHECK_ADAPTERS_PROCESS_FAKED_CLOCK_H_

#include <ctime>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/process/child.h"
#include "model/time.h"

namespace leasecheck::process {

// What libfaketime, and many languages, can still tell: the end of the year 2261.
inline constexpr EpochMs kMaxFakedTime = 9214646399999;

// The clock of one store's children. It stands still until it is set, in either direction; a child sees the instant before or
// after a Set, at each time that it asks. The monotonic clock is the machine's, so that waits and timeouts work. A program that
// does not ask libc (Go) is not fooled: the harness proves at the start of a run that the clock follows. Thread-safe.
//
//   absl::StatusOr<FakedClock> clock = FakedClock::Make("/tmp/x/clock");
//   clock->Set(1000);
//   Child::Start(command, clock->Environment());
class FakedClock {
 public:
  // `file` holds the instant; its folder exists. NotFound: libfaketime is not installed.
  static absl::StatusOr<FakedClock> Make(std::string file);
  // What a child has to be started with.
  Environs Environment() const;
  // Takes effect before it returns. InvalidArgument: beyond kMaxFakedTime.
  absl::Status Set(EpochMs now) const;
  // Of children that were killed libfaketime leaves shared memory behind. Call it when none of them lives.
  void RemoveLeftovers() const;

 private:
  FakedClock(std::string library, std::string file) : library_(std::move(library)), file_(std::move(file)) {}
  std::string library_;
  std::string file_;
  time_t made_ = time(nullptr);
};

}  // namespace leasecheck::process

#endif  // LEASECHECK_ADAPTERS_PROCESS_FAKED_CLOCK_H_
