// What the runtime_repository operations cost, at several depths of the queue.
//
//   leasecheck_bench_runtime_repository                     Google Benchmark, all its flags
//   leasecheck_bench_runtime_repository --benchmark_filter=memory
//
// Depth is the number of attempts: three of four are queued, with priorities of all kinds, and every fourth waits for a retry
// that does not come. Work is measured at a steady depth: blocks of one operation are timed, and the store is brought back to its
// depth between them, untimed. Attempts are taken from all over the queue. The rows:
//   enqueue      a new attempt
//   list         the 16 first candidates
//   claim        one attempt by its id
//   dispatch     what a scheduler does: the list, and a claim of its first
//   heartbeat    of a held lease
//   ack          a failure without retries left: with a dead letter
//   sweep        all leases of a block, stale, in one call; items are leases
#include "memstore/runtime_repository.h"

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
#include "adapters/sqlite/runtime_repository.h"
#include "benchmark/benchmark.h"
#include "model/runtime_repository/store.h"

namespace leasecheck::bench {
namespace {

namespace rr = runtime_repository;

constexpr int kBlock = 128;  // operations timed at a time
constexpr Instant kNow(1'700'000'000'000);
constexpr Instant kSoon(kNow.ms + 30'000);
constexpr Instant kLater(kNow.ms + 60'000);

template <class Response>
Response Must(rr::Result<Response> result) {
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
  std::function<std::unique_ptr<rr::RuntimeRepositoryStore>(const Environment&)> open;
};

const std::vector<Store>& Stores() {
  static const auto& stores = *new std::vector<Store>{
      {"memory",
       {1'000, 10'000, 100'000, 1'000'000},
       [](const Environment& environment) { return std::make_unique<memstore::RuntimeRepository>(environment); }},
      {"sqlite::memory:",
       {1'000, 10'000, 100'000},
       [](const Environment& environment) -> std::unique_ptr<rr::RuntimeRepositoryStore> {
         auto store = sqlite::RuntimeRepository::Open({.path = ":memory:", .connections = 1, .environment = environment});
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
  Subject(const Store& store, int64_t depth) : depth_(depth), open_(store.open) { Fill(); }

  double TimeEnqueues() {
    // No call forgets an attempt: those of earlier blocks have ended, and stay. A store that is full of them is filled anew.
    if (extra_ > depth_) Fill();
    std::vector<std::string> ids;
    ids.reserve(kBlock);
    for (int i = 0; i < kBlock; ++i) ids.push_back(absl::StrCat("new-", extra_ + i));
    const double seconds = Seconds([&] {
      for (const std::string& id : ids) Must(store_->EnqueueAttempt({id, "run-1"}));
    });
    for (const std::string& id : ids) {
      Must(store_->AckAttempt({id, rr::AttemptExecutionStatus::kCompleted, {}, kNow, {}}));
    }
    extra_ += kBlock;
    return seconds;
  }

  double TimeLists() {
    return Seconds([&] {
      for (int i = 0; i < kBlock; ++i) benchmark::DoNotOptimize(Must(store_->ListDispatchableAttempts({kNow, 16})));
    });
  }

  double TimeClaims() {
    const std::vector<std::string> ids = Picked();
    const double seconds = Seconds([&] { Claim(ids); });
    Sweep();
    return seconds;
  }

  double TimeDispatches() {
    const double seconds = Seconds([&] {
      for (int i = 0; i < kBlock; ++i) {
        const auto listed = Must(store_->ListDispatchableAttempts({kNow, 16}));
        Must(store_->UpsertLease({listed.front().attempt_id, "worker-1", kSoon}));
      }
    });
    Sweep();
    return seconds;
  }

  double TimeHeartbeats() {
    const std::vector<rr::LeaseRecord> leases = Claim(Picked());
    const double seconds = Seconds([&] {
      for (const rr::LeaseRecord& lease : leases) Must(store_->HeartbeatLease({lease.lease_id, kNow, kSoon}));
    });
    Sweep();
    return seconds;
  }

  double TimeAcks() {
    const std::vector<std::string> ids = Picked();
    Claim(ids);
    const double seconds = Seconds([&] {
      for (const std::string& id : ids) Must(store_->AckAttempt({id, rr::AttemptExecutionStatus::kFailed, {}, kNow, {}}));
    });
    for (const std::string& id : ids) Must(store_->ReplayDeadLetter({id, kNow}));
    return seconds;
  }

  double TimeSweeps() {
    Claim(Picked());
    return Seconds([&] { Sweep(); });
  }

 private:
  static std::string IdOf(int64_t number) { return absl::StrCat("attempt-", number); }

  void Fill() {
    store_ = nullptr;
    store_ = open_({.clock = &clock_});
    extra_ = 0;
    rr::RetryPolicy never;
    never.backoff_ms = kLastInstant.ms;
    never.max_retries = 1;
    for (int64_t i = 0; i < depth_; ++i) {
      Must(store_->EnqueueAttempt({IdOf(i), absl::StrCat("run-", i / 10)}));
      if (i % 3 == 0) Must(store_->SetAttemptPriority({IdOf(i), static_cast<int32_t>(i % 7)}));
      if (i % 4 == 3) Must(store_->AckAttempt({IdOf(i), rr::AttemptExecutionStatus::kFailed, never, kNow, {}}));
    }
  }

  // A block of queued attempts, far from each other.
  std::vector<std::string> Picked() {
    std::vector<std::string> ids;
    ids.reserve(kBlock);
    while (ids.size() < kBlock) {
      next_ = (next_ + 7919) % depth_;
      if (next_ % 4 != 3) ids.push_back(IdOf(next_));
    }
    return ids;
  }

  std::vector<rr::LeaseRecord> Claim(const std::vector<std::string>& ids) {
    std::vector<rr::LeaseRecord> leases;
    leases.reserve(ids.size());
    for (const std::string& id : ids) leases.push_back(Must(store_->UpsertLease({id, "worker-1", kSoon})));
    return leases;
  }

  void Sweep() {
    if (Must(store_->ExpireLeasesAndRequeue({kLater})) != kBlock) std::abort();
  }

  const int64_t depth_;
  const std::function<std::unique_ptr<rr::RuntimeRepositoryStore>(const Environment&)> open_;
  ManualClock clock_{static_cast<EpochMs>(kNow.ms)};
  std::unique_ptr<rr::RuntimeRepositoryStore> store_;
  int64_t extra_ = 0;  // attempts beyond the depth, which have ended
  int64_t next_ = 0;
};

struct Row {
  const char* name;
  std::function<double(Subject&)> time;
};

const Row kRows[] = {
    {"list", &Subject::TimeLists},           {"claim", &Subject::TimeClaims}, {"dispatch", &Subject::TimeDispatches},
    {"heartbeat", &Subject::TimeHeartbeats}, {"ack", &Subject::TimeAcks},     {"sweep", &Subject::TimeSweeps},
    {"enqueue", &Subject::TimeEnqueues},
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
