#include "adapters/process/faked_clock.h"

#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace leasecheck::process {
namespace {

// The library for programs with threads; its folder is that of the machine's architecture.
std::string Library() {
  glob_t found{};
  std::string library;
  if (glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, nullptr, &found) == 0) library = found.gl_pathv[0];
  globfree(&found);
  return library;
}

// The process that a name such as "faketime_shm_123" or "sem.faketime_sem_123" is of; 0: it is no such name.
pid_t OwnerOf(const std::string& name) {
  for (absl::string_view prefix : {"faketime_shm_", "sem.faketime_sem_"}) {
    pid_t pid = 0;
    if (absl::StartsWith(name, prefix) && absl::SimpleAtoi(absl::string_view(name).substr(prefix.size()), &pid)) return pid;
  }
  return 0;
}

}  // namespace

void FakedClock::RemoveLeftovers() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", error)) {
    const pid_t pid = OwnerOf(entry.path().filename().string());
    struct stat status {};
    const bool ours =
        pid > 0 && lstat(entry.path().c_str(), &status) == 0 && status.st_uid == geteuid() && status.st_ctime >= made_;
    if (ours && kill(pid, 0) != 0 && errno == ESRCH) unlink(entry.path().c_str());
  }
}

absl::StatusOr<FakedClock> FakedClock::Make(std::string file) {
  std::string library = Library();
  if (library.empty()) {
    return absl::NotFoundError("libfaketime was not found; install Debian's package faketime (apt-get install faketime)");
  }
  return FakedClock(std::move(library), std::move(file));
}

Environs FakedClock::Environment() const {
  return {{"LD_PRELOAD", library_},
          {"FAKETIME_TIMESTAMP_FILE", file_},
          // Seconds of the epoch need no time zone.
          {"FAKETIME_FMT", "%s"},
          {"FAKETIME_NO_CACHE", "1"},
          {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}};
}

absl::Status FakedClock::Set(EpochMs now) const {
  if (now > kMaxFakedTime) {
    return absl::InvalidArgumentError(absl::StrCat("a faked clock cannot read ", now, ", only up to ", kMaxFakedTime));
  }
  // Written in place, a reader would see half of it.
  const std::string draft = file_ + ".new";
  {
    std::ofstream out(draft);
    // In the middle of the millisecond: libfaketime computes with floating point numbers and cuts off.
    out << absl::StrFormat("%d.%03d5\n", now / 1000, now % 1000);
    if (!out.flush()) return absl::InternalError(absl::StrCat("cannot write ", draft));
  }
  std::error_code error;
  std::filesystem::rename(draft, file_, error);
  if (error) return absl::InternalError(absl::StrCat("cannot write ", file_, ": ", error.message()));
  return absl::OkStatus();
}

}  // namespace leasecheck::process
