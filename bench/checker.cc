// How fast the harness is: operations generated, executed and judged a second, and programs a second, on the in-memory store; or
// what the linearizability search costs on the histories that it has targets for; or what the scans cost on a long one.
//
//   build/release/bench/leasecheck_bench_checker
//   build/release/bench/leasecheck_bench_checker --table [part of a row's name]
//   build/release/bench/leasecheck_bench_checker --scan [calls]
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/synchronization/mutex.h"
#include "bench/checker_table.h"
#include "bench/long_scan.h"
#include "bench/memory_target.h"
#include "benchmark/benchmark.h"
#include "properties/check.h"
#include "properties/session_store.h"

namespace leasecheck {
namespace {

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
    const Report report = Check<SessionStoreFamily>(bench::MemoryTargets(), options);
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

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--table") == 0) {
    leasecheck::bench::TableOptions options;
    if (argc > 2) options.only = argv[2];
    return leasecheck::bench::PrintCheckerTable(options);
  }
  if (argc > 1 && std::strcmp(argv[1], "--scan") == 0) {
    leasecheck::bench::LongScanOptions options;
    if (argc > 2) options.operations = std::max(1, std::atoi(argv[2]));
    return leasecheck::bench::PrintLongScan(options);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
