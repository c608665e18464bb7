// How fast the harness is: operations generated, executed and judged a second, and programs a second, on the in-memory store.
//
//   build/release/bench/bench_checker
#include <memory>

#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "memstore/session_store.h"
#include "properties/check.h"
#include "properties/session_store.h"

namespace leasecheck {
namespace {

TargetFactory<SessionStoreFamily> Memory() {
  StoreFactory<SessionStoreFamily> factory;
  factory.info.name = "memory";
  factory.info.concurrency = 16;
  factory.info.pausable = true;
  factory.info.reference = true;
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<session_store::SessionStore>> {
    return std::make_unique<memstore::SessionStore>(options.environment);
  };
  return InProcess(std::move(factory));
}

// Runs one stage of a check and reports what it did.
void RunStage(benchmark::State& state, bool sequential) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  CheckOptions options;
  options.operations = 100'000;
  options.sequential = sequential;
  options.concurrent = !sequential;
  options.crash = false;
  options.clients = static_cast<int>(state.range(0));
  uint64_t operations = 0;
  uint64_t programs = 0;
  for (auto _ : state) {
    ++options.seed;
    const Report report = Check<SessionStoreFamily>(Memory(), options);
    if (!report.failures.empty()) {
      state.SkipWithError("the reference store broke the contract");
      break;
    }
    for (const StageReport& stage : report.stages) {
      operations += stage.operations;
      programs += stage.programs;
    }
  }
  state.counters["operations/s"] = benchmark::Counter(static_cast<double>(operations), benchmark::Counter::kIsRate);
  state.counters["programs/s"] = benchmark::Counter(static_cast<double>(programs), benchmark::Counter::kIsRate);
}

void Sequential(benchmark::State& state) { RunStage(state, true); }
BENCHMARK(Sequential)->Arg(1)->ArgName("clients")->Unit(benchmark::kMillisecond);

void Concurrent(benchmark::State& state) { RunStage(state, false); }
BENCHMARK(Concurrent)->Arg(2)->Arg(3)->Arg(4)->ArgName("clients")->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace leasecheck

BENCHMARK_MAIN();
