// What the state_backend operations cost, at several depths.
//
//   leasecheck_bench_state_backend                     Google Benchmark, all its flags
//   leasecheck_bench_state_backend --benchmark_filter=memory
//
// Depth is the number of work items, of executions, and of events in one log. Of the items every fourth is held by a worker whose
// lease does not end, and every fourth waits for a retry that does not come; both are older than all that may be claimed, so a
// claim that looked at them would show it. Work is measured at a steady depth: blocks of one operation are timed, and the store
// is brought back to its depth between them, untimed; logs only grow. The rows:
//   claim        the oldest of two queues
//   renew        of a held lease
//   reclaim      all leases of a block, expired, in one call; items are leases
//   cycle        enqueue, claim and complete: what one piece of work costs
//   append       one event to the long log
//   tail         its last 16 events
//   patch        one element to an array in a state of a few hundred bytes
//   page         50 executions from the beginning
//   page_of      ... of one status and tenant
//   page_1000    ... behind the first 1000
#include "adapters/sqlite/state_backend.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "memstore/state_backend.h"
#include "model/state_backend/store.h"

namespace leasecheck::bench {
namespace {

namespace sb = state_backend;

constexpr int kBlock = 128;  // operations timed at a time
constexpr EpochMs kNow = 1'700'000'000'000;
constexpr EpochMs kFar = kNow + 1'000'000'000'000;
constexpr EpochMs kExpired = sb::kLeaseLengthMs + 1;  // after a claim
constexpr EpochMs kBackoff = 64'000;                  // the longest
constexpr uint32_t kEndless = 1'000'000'000;          // attempts
const Uuid kLongLog(1, 1);

template <class Response>
Response Must(sb::Result<Response> result) {
  if (!result.has_value()) {
    std::fputs("bench: a call failed\n", stderr);
    std::abort();
  }
  return *std::move(result);
}

template <class Work>
double Seconds(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Store {
  const char* name;
  std::vector<int64_t> depths;
  std::function<std::unique_ptr<sb::StateBackend>(const Environment&)> open;
};

const std::vector<Store>& Stores() {
  static const auto& stores = *new std::vector<Store>{
      {"memory",
       {1'000, 10'000, 100'000, 1'000'000},
       [](const Environment& environment) { return std::make_unique<memstore::StateBackend>(environment); }},
      {"sqlite::memory:",
       {1'000, 10'000, 100'000},
       [](const Environment& environment) -> std::unique_ptr<sb::StateBackend> {
         auto store = sqlite::StateBackend::Open({.path = ":memory:", .connections = 1, .environment = environment});
         if (store.ok()) return *std::move(store);
         std::fprintf(stderr, "bench: %s\n", store.status().ToString().c_str());
         std::abort();
       }},
  };
  return stores;
}

// A store kept at a depth, and timed calls on it.
class Subject {
 public:
  Subject(const Store& store, int64_t depth) : depth_(static_cast<uint64_t>(depth)), open_(store.open) { Fill(); }

  double TimeClaims() {
    const double seconds = Seconds([&] { Claim(); });
    BringBack();
    return seconds;
  }

  double TimeRenewals() {
    const std::vector<Uuid> ids = Claim();
    const double seconds = Seconds([&] {
      for (const Uuid& id : ids) Must(store_->RenewLease({id, kWorker}));
    });
    BringBack();
    return seconds;
  }

  double TimeReclaims() {
    Claim();
    clock_.Set(now_ += kExpired);
    const double seconds = Seconds([&] { Reclaim(); });
    clock_.Set(now_ += kBackoff);
    return seconds;
  }

  double TimeCycles() {
    // No call forgets an item: those of earlier blocks are completed, and stay. A store that is full of them is filled anew.
    if (drawn_ > 2 * depth_ + kBlock) Fill();
    std::vector<sb::WorkItem> items;
    items.reserve(kBlock);
    for (int i = 0; i < kBlock; ++i) items.push_back(NewItem(kOldest));
    return Seconds([&] {
      for (const sb::WorkItem& item : items) {
        Must(store_->EnqueueWorkItem({item}));
        const auto claimed = Must(store_->ClaimWorkItem({kWorker, kQueues}));
        Must(store_->CompleteWorkItem({claimed->id}));
      }
    });
  }

  double TimeAppends() {
    std::vector<sb::Event> events;
    events.reserve(kBlock);
    for (int i = 0; i < kBlock; ++i) events.push_back(NewEvent());
    return Seconds([&] {
      for (const sb::Event& event : events) Must(store_->AppendEvent({event}));
    });
  }

  double TimeTails() {
    const sb::EventSequence last = Must(store_->LatestSequence({kLongLog}));
    return Seconds([&] {
      for (int i = 0; i < kBlock; ++i) benchmark::DoNotOptimize(Must(store_->GetEventsSince({kLongLog, last - 16})));
    });
  }

  double TimePatches() {
    Must(store_->UpdateExecutionCurrentState({kLongLog, {R"({"a":1,"log":[],"text":"the state of an execution"})"}}));
    return Seconds([&] {
      for (int i = 0; i < kBlock; ++i) Must(store_->PatchAppendArray({kLongLog, "log", {"1"}}));
    });
  }

  double TimePages() { return TimeLists({std::nullopt, 50, 0}); }
  double TimePagesOf() { return TimeLists({sb::WorkflowStatus::kPaused, 50, 0, "default"}); }
  double TimeLatePages() { return TimeLists({std::nullopt, 50, 1000}); }

 private:
  static constexpr int64_t kOldest = -1'000'000;
  inline static const std::string kWorker = "worker-1";
  inline static const std::vector<std::string> kQueues = {"tool", "model"};

  double TimeLists(const sb::ListExecutionsRequest& request) {
    return Seconds([&] {
      for (int i = 0; i < kBlock; ++i) benchmark::DoNotOptimize(Must(store_->ListExecutions(request)));
    });
  }

  sb::WorkItem NewItem(int64_t created) {
    sb::WorkItem item;
    item.id = Uuid(2, ++drawn_);
    item.execution_id = kLongLog;
    item.queue_type = drawn_ % 2 == 0 ? "tool" : "model";
    item.payload.text = R"({"input":"some input of a node"})";
    item.max_attempts = kEndless;
    item.created_at = Instant(created);
    return item;
  }

  sb::Event NewEvent() { return {Uuid(3, ++events_), kLongLog, 0, {R"({"type":"node_started"})"}, Instant(0)}; }

  void Fill() {
    store_ = nullptr;
    store_ = open_({.clock = &clock_});
    drawn_ = events_ = 0;
    for (uint64_t i = 0; i < depth_; ++i) {
      sb::WorkflowExecution execution;
      execution.execution_id = i == 0 ? kLongLog : Uuid(4, i);
      execution.workflow_id = "flow";
      execution.status = i % 3 == 0 ? sb::WorkflowStatus::kPaused : sb::WorkflowStatus::kCompleted;
      execution.updated_at = Instant(static_cast<int64_t>(i * 7919 % depth_));
      Must(store_->CreateExecution({execution}));
    }
    for (uint64_t i = 0; i < depth_; ++i) Must(store_->AppendEvent({NewEvent()}));
    // The old half: a quarter waits, then a quarter is held, in a time that does not come again.
    for (uint64_t i = 0; i < depth_ / 2; ++i) Must(store_->EnqueueWorkItem({NewItem(static_cast<int64_t>(i))}));
    clock_.Set(kFar);
    for (uint64_t i = 0; i < depth_ / 4; ++i) Must(store_->ClaimWorkItem({"nobody", kQueues}));
    clock_.Set(kFar + kExpired);
    Must(store_->ReclaimExpiredLeases({}));
    for (uint64_t i = 0; i < depth_ / 4; ++i) Must(store_->ClaimWorkItem({"nobody", kQueues}));
    clock_.Set(now_ = kNow);
    for (uint64_t i = depth_ / 2; i < depth_; ++i) Must(store_->EnqueueWorkItem({NewItem(static_cast<int64_t>(i))}));
  }

  std::vector<Uuid> Claim() {
    std::vector<Uuid> ids;
    ids.reserve(kBlock);
    for (int i = 0; i < kBlock; ++i) ids.push_back(Must(store_->ClaimWorkItem({kWorker, kQueues}))->id);
    return ids;
  }
  void Reclaim() {
    if (Must(store_->ReclaimExpiredLeases({})).retryable.size() != kBlock) std::abort();
  }
  // What a block claimed may be claimed again.
  void BringBack() {
    clock_.Set(now_ += kExpired);
    Reclaim();
    clock_.Set(now_ += kBackoff);
  }

  const uint64_t depth_;
  const std::function<std::unique_ptr<sb::StateBackend>(const Environment&)> open_;
  ManualClock clock_{kNow};
  EpochMs now_ = kNow;
  std::unique_ptr<sb::StateBackend> store_;
  uint64_t drawn_ = 0;   // ids of items
  uint64_t events_ = 0;  // ids of events
};

struct Row {
  const char* name;
  std::function<double(Subject&)> time;
};

const Row kRows[] = {
    {"claim", &Subject::TimeClaims},   {"renew", &Subject::TimeRenewals},  {"reclaim", &Subject::TimeReclaims},
    {"append", &Subject::TimeAppends}, {"tail", &Subject::TimeTails},      {"patch", &Subject::TimePatches},
    {"page", &Subject::TimePages},     {"page_of", &Subject::TimePagesOf}, {"page_1000", &Subject::TimeLatePages},
    {"cycle", &Subject::TimeCycles},
};

// The subject of a benchmark that is run several times is filled once: the latest is kept.
Subject& Opened(const Store& store, int64_t depth) {
  static std::string kept_key;
  static std::unique_ptr<Subject> kept;
  std::string key = absl::StrCat(store.name, " ", depth);
  if (kept_key != key) {
    kept = nullptr;
    kept = std::make_unique<Subject>(store, depth);
    kept_key = std::move(key);
  }
  return *kept;
}

void RegisterAll() {
  for (const Store& store : Stores()) {
    for (const int64_t depth : store.depths) {
      for (const Row& row : kRows) {
        benchmark::RegisterBenchmark(absl::StrCat(store.name, "/", row.name).c_str(),
                                     [&store, &row](benchmark::State& state) {
                                       Subject& subject = Opened(store, state.range(0));
                                       for (auto _ : state) state.SetIterationTime(row.time(subject));
                                       state.SetItemsProcessed(state.iterations() * kBlock);
                                     })
            ->Arg(depth)
            ->ArgName("depth")
            ->UseManualTime();
      }
    }
  }
}

}  // namespace
}  // namespace leasecheck::bench

int main(int argc, char** argv) {
  // The cost of deadlock detection, a debugging aid of absl::Mutex, is nobody's here.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  leasecheck::bench::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
