#include "adapters/process/pipes.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "absl/time/clock.h"

namespace leasecheck::process {
namespace {

// Keeps SIGPIPE from this thread while it lives. Pipes have no MSG_NOSIGNAL, and a library must not change the whole process'
// handling of a signal.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~NoSigpipe() {
    // The signal of a failed write is for the writing thread: take it back before it is unblocked.
    const timespec no_wait = {0, 0};
    if (!was_pending_) {
      while (sigtimedwait(&sigpipe_, nullptr, &no_wait) == -1 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t sigpipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

// A duplicate above the standard descriptors, so that a program started with a closed stdin does not get a pipe in its place.
absl::StatusOr<Descriptor> Raised(int fd) {
  Descriptor low(fd);
  Descriptor high(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (high.get() < 0) return absl::ErrnoToStatus(errno, "cannot duplicate a pipe");
  return high;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  absl::StatusOr<Descriptor> read_end = Raised(ends[0]);
  absl::StatusOr<Descriptor> write_end = Raised(ends[1]);
  if (!read_end.ok()) return read_end.status();
  if (!write_end.ok()) return write_end.status();
  return Pipe{*std::move(read_end), *std::move(write_end)};
}

absl::Status WriteBytes(int fd, absl::string_view bytes, absl::Time deadline) {
  NoSigpipe no_sigpipe;
  while (!bytes.empty()) {
    ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EPIPE) return absl::UnavailableError("the other side closed the pipe");
    if (errno != EAGAIN) return absl::InternalError(absl::ErrnoToStatus(errno, "cannot write to a pipe").message());
    const int64_t left = absl::ToInt64Milliseconds(std::min(deadline - absl::Now(), absl::Hours(1)));
    if (left <= 0) return absl::DeadlineExceededError("the other side does not read");
    pollfd writable = {fd, POLLOUT, 0};
    poll(&writable, 1, static_cast<int>(left));
  }
  return absl::OkStatus();
}

void SetNonBlocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

bool ReadAvailable(int fd, std::string* buffer) {
  constexpr std::size_t kChunk = 64 << 10;
  buffer->resize(kChunk);
  ssize_t got = 0;
  do {
    got = read(fd, buffer->data(), buffer->size());
  } while (got < 0 && errno == EINTR);
  buffer->resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0 || (got < 0 && errno == EAGAIN);
}

void LineCutter::Feed(absl::string_view bytes, OnLine on_line, OnTooLong on_too_long) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const bool whole = end != absl::string_view::npos;
    absl::string_view piece = bytes.substr(0, end);
    bytes.remove_prefix(whole ? end + 1 : bytes.size());
    if (!skipping_ && rest_.size() + piece.size() > kMaxLineBytes) {
      skipping_ = true;
      rest_.clear();
      rest_.shrink_to_fit();
      on_too_long();
    }
    if (!skipping_) {
      if (whole && rest_.empty()) {
        on_line(piece);
      } else {
        rest_.append(piece.data(), piece.size());
        if (whole) {
          on_line(rest_);
          rest_.clear();
        }
      }
    }
    if (whole) skipping_ = false;
  }
}

}  // namespace leasecheck::process
