// Pipes with one JSON text a line: descriptors that close themselves, lines cut from a stream, writes that survive a reader's
// death.
#ifndef LEASECHECK_ADAPTERS_PROCESS_PIPES_H_
#define LEASECHECK_ADAPTERS_PROCESS_PIPES_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace leasecheck::process {

// The longest line that either side must accept, without its line feed (PROTOCOL.md, "Transport").
inline constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20;

// Owns a file descriptor and closes it.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const { return fd_; }
  void Close() { *this = Descriptor(); }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

// A pipe whose ends no child inherits and that are not among the three standard descriptors.
absl::StatusOr<Pipe> MakePipe();

// Writes all bytes until the deadline. Never raises SIGPIPE. Unavailable: the other side is closed; DeadlineExceeded: it did not
// read in time (for a descriptor that blocks, the deadline is looked at between two writes only); Internal: anything else.
absl::Status WriteBytes(int fd, absl::string_view bytes, absl::Time deadline);

void SetNonBlocking(int fd);

// Reads what is there into *buffer (replaced). Returns false at the end of the stream; an empty buffer where nothing is there
// yet.
bool ReadAvailable(int fd, std::string* buffer);

// Cuts a stream of bytes into lines. A line of more than kMaxLineBytes is reported once, without its text, as soon as it is too
// long, and skipped up to its line feed. Not thread-safe.
class LineCutter {
 public:
  using OnLine = absl::FunctionRef<void(absl::string_view)>;
  using OnTooLong = absl::FunctionRef<void()>;
  void Feed(absl::string_view bytes, OnLine on_line, OnTooLong on_too_long);
  // What came after the last line feed.
  absl::string_view rest() const { return rest_; }

 private:
  std::string rest_;
  bool skipping_ = false;
};

}  // namespace leasecheck::process

#endif  // LEASECHECK_ADAPTERS_PROCESS_PIPES_H_
