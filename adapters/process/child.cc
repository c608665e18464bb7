#include "adapters/process/child.h"

#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace leasecheck::process {
namespace {

std::vector<std::string> EnvironmentWith(const Environs& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool replaced = false;
    for (const auto& [name, value] : added) replaced = replaced || absl::StartsWith(*entry, name + "=");
    if (!replaced) all.push_back(*entry);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

// The attributes and actions of one posix_spawn, released with it.
struct SpawnPlan {
  SpawnPlan() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
};

int Spawn(const std::string& command, const Environs& environment, int in, int out, int err, pid_t* pid) {
  SpawnPlan plan;
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigdefault(&plan.attributes, &all);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawn_file_actions_adddup2(&plan.actions, in, 0);
  posix_spawn_file_actions_adddup2(&plan.actions, out, 1);
  posix_spawn_file_actions_adddup2(&plan.actions, err, 2);
  posix_spawn_file_actions_addclosefrom_np(&plan.actions, 3);
  std::string shell = "sh", option = "-c", text = command;
  char* arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  std::vector<std::string> strings = EnvironmentWith(environment);
  std::vector<char*> variables;
  for (std::string& entry : strings) variables.push_back(entry.data());
  variables.push_back(nullptr);
  return posix_spawn(pid, "/bin/sh", &plan.actions, &plan.attributes, arguments, variables.data());
}

// Whether a process of the group still runs. One that has ended but was not reaped by its parent, or by init in the parent's
// place, has let go of its files and counts as gone.
bool HasLivingMember(pid_t group) {
  if (kill(-group, 0) != 0) return false;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    if (!std::getline(file, stat)) continue;
    // PID (COMMAND) STATE PARENT GROUP ..., and the command may hold anything.
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    char state = 0;
    pid_t parent = 0, its_group = 0;
    fields >> state >> parent >> its_group;
    if (its_group == group && state != 'Z' && state != 'X') return true;
  }
  return false;
}

// Members of the group that are not our children die on their own time; a folder is free for a successor only after them.
// Bounded, for a process that the kernel cannot kill at once.
void AwaitEndOfGroup(pid_t group) {
  const absl::Time deadline = absl::Now() + absl::Seconds(2);
  while (HasLivingMember(group) && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Child>> Child::Start(const std::string& command, const Environs& environment) {
  absl::StatusOr<Pipe> in = MakePipe(), out = MakePipe(), err = MakePipe();
  for (const absl::Status& status : {in.status(), out.status(), err.status()}) {
    if (!status.ok()) return status;
  }
  std::unique_ptr<Child> child(new Child);
  int error = Spawn(command, environment, in->read.get(), out->write.get(), err->write.get(), &child->pid_);
  if (error != 0) {
    child->pid_ = -1;
    return absl::InternalError(absl::ErrnoToStatus(error, "cannot start /bin/sh").message());
  }
  // By its number: glibc 2.36 declares pidfd_open without C linkage.
  child->pidfd_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, child->pid_, 0)));
  if (child->pidfd_.get() < 0) return absl::InternalError(absl::ErrnoToStatus(errno, "cannot watch the child").message());
  child->in_ = std::move(in->write);
  child->out_ = std::move(out->read);
  child->err_ = std::move(err->read);
  for (int fd : {child->in(), child->out(), child->err()}) SetNonBlocking(fd);
  return child;
}

Child::~Child() {
  if (pid_ > 0) Reap();
}

void Child::KillGroup() {
  absl::MutexLock lock(&mutex_);
  // Until it is reaped, no other process or group can have this number.
  if (!reaped_) kill(-pid_, SIGKILL);
}

int Child::Reap() {
  absl::MutexLock lock(&mutex_);
  if (reaped_) return wait_status_;
  kill(-pid_, SIGKILL);
  while (waitpid(pid_, &wait_status_, 0) < 0 && errno == EINTR) {
  }
  AwaitEndOfGroup(pid_);
  reaped_ = true;
  return wait_status_;
}

std::string DescribeWaitStatus(int wait_status) {
  if (WIFEXITED(wait_status)) return absl::StrCat("exit ", WEXITSTATUS(wait_status));
  return absl::StrCat("signal ", WTERMSIG(wait_status), " (", strsignal(WTERMSIG(wait_status)), ")");
}

}  // namespace leasecheck::process
