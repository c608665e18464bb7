#include "adapters/process/process_group.h"

#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace leasecheck::process {

absl::StatusOr<std::unique_ptr<ProcessGroup>> ProcessGroup::Start(ProcessOptions options, FamilyNames names) {
  std::unique_ptr<ProcessGroup> group(new ProcessGroup());
  if (options.processes < 1) return absl::InvalidArgumentError("a backend is at least one process");
  if (options.processes > 1 && options.directory.empty()) {
    absl::StatusOr<std::string> folder = MakeFolder();
    if (!folder.ok()) return folder.status();
    options.directory = group->directory_ = *std::move(folder);
  }
  group->clock_in_store_ = options.clock_in_store;
  for (int i = 0; i < options.processes; ++i) {
    absl::StatusOr<std::unique_ptr<BackendProcess>> child = BackendProcess::Start(options, names);
    if (!child.ok()) return child.status();
    group->children_.push_back(*std::move(child));
    if (options.processes > 1 && !group->children_.front()->info().durable) {
      return absl::UnimplementedError("the backend is not durable, and several processes share nothing but what is stored");
    }
  }
  group->info_ = group->children_.front()->info();
  group->info_.processes = options.processes;
  return group;
}

ProcessGroup::~ProcessGroup() {
  children_.clear();
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

BackendProcess& ProcessGroup::NextAlive() {
  const uint64_t first = next_.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < children_.size(); ++i) {
    BackendProcess& child = *children_[(first + i) % children_.size()];
    if (child.Alive()) return child;
  }
  return *children_[first % children_.size()];
}

absl::StatusOr<codec::Json> ProcessGroup::Call(absl::string_view method, codec::Json params) {
  if (children_.size() == 1) return children_.front()->Call(method, std::move(params));
  BackendProcess& child = NextAlive();
  if (clock_in_store_) return child.Call(method, std::move(params));
  absl::ReaderMutexLock open(&calls_);
  return child.Call(method, std::move(params));
}

absl::Status ProcessGroup::WithEach(const std::vector<BackendProcess*>& children,
                                    const std::function<absl::Status(BackendProcess&)>& act) {
  std::vector<absl::Status> statuses(children.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < children.size(); ++i) {
      threads.emplace_back([&, i] { statuses[i] = act(*children[i]); });
    }
    if (!children.empty()) statuses[0] = act(*children[0]);
  }
  for (absl::Status& status : statuses) {
    if (!status.ok()) return std::move(status);
  }
  return absl::OkStatus();
}

absl::Status ProcessGroup::Reset(EpochMs now) {
  next_.store(0, std::memory_order_relaxed);
  {
    absl::MutexLock lock(&mutex_);
    late_ = false;
  }
  std::vector<BackendProcess*> others;
  for (std::size_t i = 1; i < children_.size(); ++i) {
    children_[i]->LetGo();
    others.push_back(children_[i].get());
  }
  if (absl::Status status = children_.front()->Reset(now); !status.ok()) return status;
  return WithEach(others, [now](BackendProcess& child) { return child.Join(now); });
}

absl::Status ProcessGroup::SetClock(EpochMs now) {
  if (children_.size() == 1) return children_.front()->SetClock(now);
  return clock_in_store_ ? MoveStoresClock(now) : MoveOwnClocks(now);
}

absl::Status ProcessGroup::MoveOwnClocks(EpochMs now) {
  absl::MutexLock quiet(&calls_);
  absl::Status moved = absl::AbortedError("every process was dead");
  for (const auto& child : children_) {
    absl::Status status = child->SetClock(now);
    if (!status.ok() && !absl::IsAborted(status)) return status;
    if (status.ok()) moved = std::move(status);  // the dead know it from their return on
  }
  return moved;
}

// A child that dies meanwhile may or may not have moved it: another one moves it to the same instant.
absl::Status ProcessGroup::MoveStoresClock(EpochMs now) {
  for (const auto& child : children_) {
    if (!child->Alive()) continue;
    absl::Status status = child->SetClock(now);
    if (!absl::IsAborted(status)) return status;
  }
  absl::MutexLock lock(&mutex_);
  late_ = true;
  later_ = now;
  return absl::AbortedError("every process was dead");
}

absl::Status ProcessGroup::Reopen() {
  if (children_.size() == 1) return children_.front()->Reopen();
  std::vector<BackendProcess*> dead;
  for (const auto& child : children_) {
    if (!child->Alive()) dead.push_back(child.get());
  }
  const auto reopen = [](BackendProcess& child) { return child.Reopen(); };
  if (dead.empty()) {
    for (const auto& child : children_) {
      if (absl::Status status = child->Reopen(); !status.ok()) return status;
    }
  }
  if (absl::Status status = WithEach(dead, reopen); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  return std::exchange(late_, false) ? children_.front()->SetClock(later_) : absl::OkStatus();
}

absl::Status ProcessGroup::Kill() {
  for (const auto& child : children_) {
    if (absl::Status status = child->Kill(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ProcessGroup::KillProcess(int process) { return children_.at(static_cast<std::size_t>(process))->Kill(); }

absl::Status ProcessGroup::KillAtStatement(int process, uint64_t n) {
  BackendProcess& child = *children_.at(static_cast<std::size_t>(process));
  absl::Status status = child.KillAtStatement(n);
  // Of several, the one that was to be told may be dead already.
  return children_.size() > 1 && !child.Alive() && child.Health().ok() ? absl::OkStatus() : status;
}

absl::Status ProcessGroup::Shutdown() {
  return WithEach({children_.front().get()}, [this](BackendProcess& first) {
    absl::Status status = first.Shutdown();
    for (std::size_t i = 1; i < children_.size(); ++i) status.Update(children_[i]->Shutdown());
    return status;
  });
}

bool ProcessGroup::Crashed() const {
  for (const auto& child : children_) {
    if (child->Crashed()) return true;
  }
  return false;
}

absl::Status ProcessGroup::Health() const {
  for (const auto& child : children_) {
    if (absl::Status status = child->Health(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string ProcessGroup::Log() const {
  if (children_.size() == 1) return children_.front()->Log();
  std::string all;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const std::string log = children_[i]->Log();
    if (!log.empty()) absl::StrAppend(&all, "process ", i, ":\n", log, log.back() == '\n' ? "" : "\n");
  }
  return all;
}

}  // namespace leasecheck::process
