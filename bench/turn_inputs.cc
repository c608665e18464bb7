// What the turn-input operations of the session_store family cost, at several depths and behind what is not theirs.
//
//   leasecheck_bench_turn_inputs                     Google Benchmark, all its flags
//   leasecheck_bench_turn_inputs --benchmark_filter=memory
//
// Depth is the number of inputs that wait, half for turn "t", half for the next turn. Work is measured at a steady depth: blocks
// of one operation are timed, and the log is brought back to its depth between them, untimed. The rows:
//   enqueue, claim_active, claim_next      one input a call, kBlock calls a block
//   cancel_suffix                          one call over the last kBlock inputs
//   list                                   one call, over all
//   claim_active_behind                    claim_active with `depth` inputs of another turn in front of the only ones of its own
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "adapters/sqlite/session_store.h"
#include "benchmark/benchmark.h"
#include "memstore/session_store.h"
#include "model/session_store/store.h"

namespace leasecheck::bench {
namespace {

namespace ss = session_store;

constexpr int64_t kDepths[] = {1'000, 10'000, 100'000};
constexpr int kBlock = 128;  // operations timed at a time

template <class Response>
Response Must(ss::Result<Response> result) {
  if (!result.has_value()) {
    std::fputs("bench: a call failed\n", stderr);
    std::abort();
  }
  return *std::move(result);
}

double Seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Store {
  const char* name;
  std::function<std::unique_ptr<ss::SessionStore>(const Environment&)> open;
};

const Store kStores[] = {
    {"memory", [](const Environment& environment) { return std::make_unique<memstore::SessionStore>(environment); }},
    {"sqlite::memory:",
     [](const Environment& environment) -> std::unique_ptr<ss::SessionStore> {
       auto store = sqlite::SessionStore::Open({.path = ":memory:", .connections = 1, .environment = environment});
       if (store.ok()) return *std::move(store);
       std::fprintf(stderr, "bench: %s\n", store.status().ToString().c_str());
       std::abort();
     }},
};

// One log kept at a depth, and timed calls on it.
class Log {
 public:
  // `behind`: all of the depth is of a turn that nobody claims.
  Log(const Store& store, int64_t depth, bool behind) : store_(store.open({.clock = &clock_, .liveness = &liveness_})) {
    auto lane = Must(store_->TryClaimSessionExecutionLease({"session-1", owner_, kEndOfTime}));
    fence_ = ss::FenceOf(std::get<ss::LeaseAcquired>(lane).lease);
    for (int64_t i = 0; i < depth; ++i) Enqueue(behind ? "old" : i % 2 == 0 ? "t" : "");
    if (!behind) return;
    for (int i = 0; i < kBlock; ++i) Enqueue("t");
  }

  double TimeEnqueues() {
    std::vector<ss::PendingTurnInput> inputs;
    inputs.reserve(kBlock);
    const double seconds = Seconds([&] {
      for (int i = 0; i < kBlock; ++i) inputs.push_back(Enqueue(""));
    });
    CancelFrom(inputs.front());
    return seconds;
  }
  double TimeClaims(bool active) {
    std::vector<ss::TurnInputClaim> claims;
    claims.reserve(kBlock);
    const ss::ClaimActiveTurnInputsRequest of_turn{"session-1", fence_, owner_, "t", ss::CheckpointKind::kAfterWork, 60'000, 1};
    const ss::ClaimNextTurnInputsRequest next{"session-1", fence_, owner_, 60'000, 1};
    const double seconds = Seconds([&] {
      for (int i = 0; i < kBlock; ++i) {
        claims.push_back(*Must(active ? store_->ClaimActiveTurnInputs(of_turn) : store_->ClaimNextTurnInputs(next)));
      }
    });
    for (const ss::TurnInputClaim& claim : claims) Must(store_->AbandonTurnInputClaim({claim}));
    return seconds;
  }
  double TimeSuffix() {
    const ss::PendingTurnInput first = Enqueue("");
    for (int i = 1; i < kBlock; ++i) Enqueue("");
    return CancelFrom(first);
  }
  double TimeList() {
    return Seconds([&] { benchmark::DoNotOptimize(Must(store_->ListPendingTurnInputs({"session-1"}))); });
  }

 private:
  // For the turn, or the next one where it is "".
  ss::PendingTurnInput Enqueue(const std::string& turn) {
    ss::PendingTurnInputDraft draft;
    draft.session_id = "session-1";
    if (!turn.empty()) draft.ingress = ss::ActiveTurnIngress{turn};
    draft.input.items = {ss::TextItem{"please look at the build once more, it has failed since noon"}};
    return Must(store_->EnqueuePendingTurnInput({std::move(draft)}));
  }
  double CancelFrom(const ss::PendingTurnInput& first) {
    const ss::CancelPendingTurnInputSuffixRequest request{"session-1", ss::InputIdTarget{first.input_id}};
    const double seconds = Seconds([&] { benchmark::DoNotOptimize(Must(store_->CancelPendingTurnInputSuffix(request))); });
    Must(store_->Vacuum({}));
    return seconds;
  }

  ManualClock clock_{1'700'000'000'000};
  FixedLiveness liveness_;
  std::unique_ptr<ss::SessionStore> store_;
  const ss::LeaseOwnerIdentity owner_{"runner-1", "incarnation-1", ss::OpaqueOwner{}};
  ss::SessionExecutionLeaseFence fence_;
};

struct Row {
  const char* name;
  bool behind;
  std::function<double(Log&)> time;
  std::function<int64_t(int64_t depth)> items;  // that one timing is about
};

const Row kRows[] = {
    {"enqueue", false, [](Log& log) { return log.TimeEnqueues(); }, [](int64_t) { return kBlock; }},
    {"claim_active", false, [](Log& log) { return log.TimeClaims(true); }, [](int64_t) { return kBlock; }},
    {"claim_next", false, [](Log& log) { return log.TimeClaims(false); }, [](int64_t) { return kBlock; }},
    {"cancel_suffix", false, [](Log& log) { return log.TimeSuffix(); }, [](int64_t) { return kBlock; }},
    {"list", false, [](Log& log) { return log.TimeList(); }, [](int64_t depth) { return depth; }},
    {"claim_active_behind", true, [](Log& log) { return log.TimeClaims(true); }, [](int64_t) { return kBlock; }},
};

// The log of a benchmark that is run several times is filled once: the latest is kept.
Log& Opened(const Store& store, int64_t depth, bool behind) {
  static std::string kept_key;
  static std::unique_ptr<Log> kept;
  std::string key = absl::StrCat(store.name, " ", depth, " ", behind);
  if (kept_key != key) {
    kept = nullptr;
    kept = std::make_unique<Log>(store, depth, behind);
    kept_key = std::move(key);
  }
  return *kept;
}

void RegisterAll() {
  for (const Store& store : kStores) {
    for (const int64_t depth : kDepths) {
      for (const Row& row : kRows) {
        benchmark::RegisterBenchmark(absl::StrCat(store.name, "/", row.name).c_str(),
                                     [&store, &row](benchmark::State& state) {
                                       Log& log = Opened(store, state.range(0), row.behind);
                                       for (auto _ : state) state.SetIterationTime(row.time(log));
                                       state.SetItemsProcessed(state.iterations() * row.items(state.range(0)));
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
