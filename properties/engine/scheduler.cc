#include "properties/engine/scheduler.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/algorithm/container.h"

namespace leasecheck::engine {
namespace {

// The client that the calling thread is, in the scheduler it joined.
thread_local const Scheduler* joined_scheduler = nullptr;
thread_local int joined_client = -1;

}  // namespace

Chooser ReplayChooser(Schedule schedule) {
  return [schedule = std::move(schedule), next = std::size_t{0}](int current, absl::Span<const int> runnable) mutable {
    while (next < schedule.size()) {
      const int chosen = schedule[next++];
      if (absl::c_linear_search(runnable, chosen)) return chosen;
    }
    return absl::c_linear_search(runnable, current) ? current : runnable.front();
  };
}

Scheduler::Scheduler(int clients, Chooser chooser)
    : chooser_(std::move(chooser)), runnable_(clients), waiting_to_start_(clients) {
  std::iota(runnable_.begin(), runnable_.end(), 0);
}

void Scheduler::Start(int client) {
  joined_scheduler = this;
  joined_client = client;
  absl::MutexLock lock(&mutex_);
  if (--waiting_to_start_ == 0) ChooseNext(-1);
  AwaitTurn(client);
}

void Scheduler::Pause(absl::string_view /*point*/) {
  if (joined_scheduler != this) return;
  absl::MutexLock lock(&mutex_);
  ChooseNext(joined_client);
  AwaitTurn(joined_client);
}

void Scheduler::Finish() {
  absl::MutexLock lock(&mutex_);
  runnable_.erase(std::find(runnable_.begin(), runnable_.end(), joined_client));
  joined_scheduler = nullptr;
  if (!runnable_.empty()) ChooseNext(joined_client);
}

Schedule Scheduler::recorded() const {
  absl::MutexLock lock(&mutex_);
  return recorded_;
}

void Scheduler::ChooseNext(int current) {
  turn_ = chooser_(current, runnable_);
  recorded_.push_back(turn_);
}

void Scheduler::AwaitTurn(int client) {
  auto is_my_turn = [this, client]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return turn_ == client; };
  mutex_.Await(absl::Condition(&is_my_turn));
}

}  // namespace leasecheck::engine
