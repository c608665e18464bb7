#include "properties/engine/scheduler.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/algorithm/container.h"

namespace leasecheck::engine {
namespace {

// The client that the calling thread is, in the scheduler it joined.
thread_local const Scheduler* joined_scheduler = nullptr;
thread_local int joined_client = -1;

// Keeps the calling thread on one processor. Only one client runs at a time, so nothing is lost, and handing the turn on within
// one processor is several times faster than waking another. A failure is of no consequence.
void StayOn(int processor) {
  if (processor < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

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
    : processor_(sched_getcpu()), chooser_(std::move(chooser)), runnable_(clients), waiting_to_start_(clients) {
  for (int client = 0; client < clients; ++client) turns_.emplace_back(0);
  std::iota(runnable_.begin(), runnable_.end(), 0);
}

void Scheduler::Start(int client) {
  joined_scheduler = this;
  joined_client = client;
  StayOn(processor_);
  {
    absl::MutexLock lock(&mutex_);
    if (--waiting_to_start_ == 0) turns_[ChooseNext(-1, runnable_)].release();
  }
  turns_[client].acquire();
}

void Scheduler::Pause(absl::string_view /*point*/) {
  if (joined_scheduler != this) return;
  int next = 0;
  {
    absl::MutexLock lock(&mutex_);
    gave_way_.clear();
    next = ChooseNext(joined_client, runnable_);
  }
  HandOn(joined_client, next);
}

void Scheduler::GiveWay() {
  int next = 0;
  {
    absl::MutexLock lock(&mutex_);
    gave_way_.push_back(joined_client);
    std::vector<int> others;
    for (const int client : runnable_) {
      if (!absl::c_linear_search(gave_way_, client)) others.push_back(client);
    }
    if (others.empty()) return gave_way_.clear();  // all wait: it is for the caller to see that nothing will come
    next = ChooseNext(joined_client, others);
  }
  HandOn(joined_client, next);
}

void Scheduler::HandOn(int client, int next) {
  if (next == client) return;
  turns_[next].release();
  turns_[client].acquire();
}

void Scheduler::Finish() {
  absl::MutexLock lock(&mutex_);
  runnable_.erase(std::find(runnable_.begin(), runnable_.end(), joined_client));
  gave_way_.clear();
  joined_scheduler = nullptr;
  if (!runnable_.empty()) turns_[ChooseNext(joined_client, runnable_)].release();
}

Schedule Scheduler::recorded() const {
  absl::MutexLock lock(&mutex_);
  return recorded_;
}

int Scheduler::ChooseNext(int current, absl::Span<const int> candidates) {
  const int next = chooser_(current, candidates);
  recorded_.push_back(next);
  return next;
}

}  // namespace leasecheck::engine
