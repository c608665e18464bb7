// The baseline of the session_store family: what enqueue, claim, renew and commit cost on every store and on the floor (floor.h).
//
//   leasecheck_bench_session_store                 Google Benchmark, all its flags
//   leasecheck_bench_session_store --ratios        every store measured in one run, alternately, with the ratios that the targets
//                                                  are about and the calls a second of 1 to 8 threads; exit 1 where the
//                                                  reference store misses a target
//   leasecheck_bench_session_store --ratios=ROUNDS with so many rounds (31)
//
// Work is measured at a steady depth: blocks of one operation are timed, and the queue is brought back to its depth between them,
// untimed. A store is added in StoresUnderTest, one line.
#include "adapters/sqlite/session_store.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "bench/floor.h"
#include "bench/workload.h"
#include "benchmark/benchmark.h"
#include "memstore/session_store.h"

namespace leasecheck::bench {
namespace {

constexpr uint64_t kDepths[] = {1'000, 100'000, 1'000'000};
constexpr int kThreads[] = {1, 2, 4, 8};

const Environment& SharedEnvironment() {
  static ManualClock clock(1'700'000'000'000);
  static const FixedLiveness liveness;
  static const Environment environment{.clock = &clock, .liveness = &liveness, .pause = nullptr};
  return environment;
}

// A folder of this run, gone with it.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "leasecheck-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      std::fprintf(stderr, "bench: cannot make a folder like %s\n", name.c_str());
      std::abort();
    }
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  // A file name that was not given before.
  std::string NewFile() { return absl::StrCat(path_, "/", ++files_, ".db"); }

 private:
  std::string path_;
  int files_ = 0;
};

std::unique_ptr<session_store::SessionStore> OpenSqlite(std::string path, int connections) {
  auto store = sqlite::SessionStore::Open({.path = std::move(path),
                                           .connections = connections,
                                           .environment = SharedEnvironment(),
                                           .busy_timeout = absl::Minutes(1)});
  if (!store.ok()) {
    std::fprintf(stderr, "bench: %s\n", store.status().ToString().c_str());
    std::abort();
  }
  return *std::move(store);
}

struct StoreUnderTest {
  const char* name;
  std::function<std::unique_ptr<session_store::SessionStore>()> open;
  bool at_depths;      // whether it is measured at every depth; else, at the smallest
  int threaded_calls;  // of each operation, by all threads together; 0: it is not measured with threads
};

// The reference store is the first. One that syncs a disk at each commit is filled too slowly for the great depths.
const std::vector<StoreUnderTest>& StoresUnderTest() {
  static Folder folder;
  static const std::vector<StoreUnderTest> stores{
      {"memory", [] { return std::make_unique<memstore::SessionStore>(SharedEnvironment()); }, true, 40'000},
      {"sqlite::memory:", [] { return OpenSqlite(":memory:", 1); }, true, 0},
      {"sqlite:file", [] { return OpenSqlite(folder.NewFile(), kThreads[std::size(kThreads) - 1]); }, false, 160},
  };
  return stores;
}

// A workload of either kind, so that all are measured by the same code.
struct Subject {
  std::function<double(Op)> timed_block;
  std::function<std::array<double, kOps>(int threads, int calls)> timed_threads;
};

template <class W>
Subject SubjectOf(std::shared_ptr<W> workload) {
  return {[workload](Op op) { return workload->TimedBlock(op); },
          [workload](int threads, int calls) { return workload->TimedThreads(threads, calls); }};
}

// The floor, or a store, as something that is opened at a depth.
struct Contender {
  std::string name;
  std::function<Subject(uint64_t depth)> open;
  bool at_depths;
  int threaded_calls;
};

// The floor and then the stores.
std::vector<Contender> Contenders() {
  using FloorWorkload = Workload<Floor>;
  using StoreWorkload = Workload<session_store::SessionStore>;
  std::vector<Contender> contenders{
      {"floor",
       [](uint64_t depth) {
         return SubjectOf(std::make_shared<FloorWorkload>(std::make_unique<Floor>(SharedEnvironment().clock), depth));
       },
       true, StoresUnderTest().front().threaded_calls}};
  for (const StoreUnderTest& store : StoresUnderTest()) {
    contenders.push_back({store.name,
                          [&store](uint64_t depth) { return SubjectOf(std::make_shared<StoreWorkload>(store.open(), depth)); },
                          store.at_depths, store.threaded_calls});
  }
  return contenders;
}

// Google Benchmark.

// The workload of a benchmark that is run several times is filled once: the latest is kept.
const Subject& Opened(const Contender& contender, uint64_t depth) {
  static std::string kept_name;
  static uint64_t kept_depth = 0;
  static Subject kept;
  if (kept_name != contender.name || kept_depth != depth) {
    kept = {};
    kept = contender.open(depth);
    kept_name = contender.name;
    kept_depth = depth;
  }
  return kept;
}

void RunSteady(benchmark::State& state, const Contender& contender, Op op) {
  const Subject& subject = Opened(contender, static_cast<uint64_t>(state.range(0)));
  for (auto _ : state) state.SetIterationTime(subject.timed_block(op));
  state.SetItemsProcessed(state.iterations() * kBlock);
}

void RunThreads(benchmark::State& state, const Contender& contender, Op op) {
  const Subject& subject = Opened(contender, kDepths[0]);
  const int threads = static_cast<int>(state.range(0));
  const int calls = contender.threaded_calls / threads;
  for (auto _ : state) state.SetIterationTime(subject.timed_threads(threads, calls)[op]);
  state.SetItemsProcessed(state.iterations() * threads * calls);
}

void RegisterAll() {
  static const std::vector<Contender> contenders = Contenders();
  for (const Contender& contender : contenders) {
    for (uint64_t depth : kDepths) {
      if (depth != kDepths[0] && !contender.at_depths) continue;
      for (int op = 0; op < kOps; ++op) {
        benchmark::RegisterBenchmark(
            absl::StrCat(contender.name, "/", kOpNames[op]).c_str(),
            [&contender, op](benchmark::State& state) { RunSteady(state, contender, static_cast<Op>(op)); })
            ->Arg(static_cast<int64_t>(depth))
            ->ArgName("depth")
            ->UseManualTime();
      }
    }
    for (int op = 0; op < kOps && contender.threaded_calls > 0; ++op) {
      auto* threaded = benchmark::RegisterBenchmark(
          absl::StrCat(contender.name, "/", kOpNames[op]).c_str(),
          [&contender, op](benchmark::State& state) { RunThreads(state, contender, static_cast<Op>(op)); });
      for (int threads : kThreads) threaded->Arg(threads);
      threaded->ArgName("threads")->UseManualTime();
    }
  }
}

// Ratios.

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Nanoseconds an operation, the median of the rounds, of each subject; the subjects take turns, so that what disturbs the machine
// disturbs all alike.
std::vector<double> Compare(const std::vector<Subject>& subjects, Op op, int rounds) {
  std::vector<std::vector<double>> times(subjects.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      double best = subjects[i].timed_block(op);
      for (int again = 1; again < 4; ++again) best = std::min(best, subjects[i].timed_block(op));
      times[i].push_back(best / kBlock * 1e9);
    }
  }
  std::vector<double> medians;
  for (auto& of_one : times) medians.push_back(Median(std::move(of_one)));
  return medians;
}

// What the reference store has to reach with each operation but the stamped commit, of which the floor keeps nothing.
constexpr double kLeastOfFloor = 0.5;    // of the floor's operations a second, at each depth
constexpr double kMostGrowth = 1.3;      // times the floor's own growth from the smallest depth to the largest
constexpr double kLeastOfSqlite = 10.0;  // times the operations a second of SQLite in memory, at each depth
constexpr bool IsJudged(Op op) { return op != kStamp; }

// Measures at each depth, prints, and says whether the targets are met.
bool PrintDepths(int rounds) {
  std::vector<Contender> contenders = Contenders();
  contenders.erase(std::remove_if(contenders.begin(), contenders.end(), [](const Contender& c) { return !c.at_depths; }),
                   contenders.end());
  constexpr std::size_t kFloor = 0, kMemory = 1, kSqlite = 2;
  bool met = true;
  const auto judge = [&met](Op op, bool reached) {
    if (reached || !IsJudged(op)) return "";
    met = false;
    return " MISSED";
  };
  std::printf(
      "nanoseconds an operation, one thread, and the reference store's operations a second as multiples of the others'\n");
  std::printf("%-8s %-9s", "depth", "operation");
  for (const Contender& contender : contenders) std::printf(" %15s", contender.name.c_str());
  std::printf("  of the floor's  of SQLite's\n");
  std::map<Op, std::vector<std::vector<double>>> by_depth;  // ns of each contender
  for (uint64_t depth : kDepths) {
    std::vector<Subject> subjects;
    for (const Contender& contender : contenders) subjects.push_back(contender.open(depth));
    for (int i = 0; i < kOps; ++i) {
      const Op op = static_cast<Op>(i);
      const std::vector<double> ns = Compare(subjects, op, rounds);
      by_depth[op].push_back(ns);
      std::printf("%-8llu %-9s", static_cast<unsigned long long>(depth), kOpNames[op]);
      for (double of_one : ns) std::printf(" %15.0f", of_one);
      const double of_floor = ns[kFloor] / ns[kMemory];
      const double of_sqlite = ns[kSqlite] / ns[kMemory];
      std::printf("  %13.2fx%s %11.0fx%s\n", of_floor, judge(op, of_floor >= kLeastOfFloor), of_sqlite,
                  judge(op, of_sqlite >= kLeastOfSqlite));
      std::fflush(stdout);
    }
  }
  std::printf("\ngrowth of the time an operation from the smallest depth to the largest, and as a multiple of the floor's\n");
  for (const auto& [op, ns] : by_depth) {
    std::printf("%-9s", kOpNames[op]);
    const double floor_grew = ns.back()[kFloor] / ns.front()[kFloor];
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const double grew = ns.back()[i] / ns.front()[i];
      std::printf("  %s %.2fx", contenders[i].name.c_str(), grew);
      if (i != kFloor)
        std::printf(" (%.2f)%s", grew / floor_grew, i == kMemory ? judge(op, grew <= kMostGrowth * floor_grew) : "");
    }
    std::printf("\n");
  }
  return met;
}

void PrintThreads(int rounds) {
  std::printf("\noperations a second, all threads together, at depth %llu\n%-15s %-9s",
              static_cast<unsigned long long>(kDepths[0]), "store", "operation");
  for (int threads : kThreads) std::printf(" %9d%s", threads, threads == 1 ? " thread " : " threads");
  std::printf("\n");
  for (const Contender& contender : Contenders()) {
    if (contender.threaded_calls == 0) continue;
    const Subject subject = contender.open(kDepths[0]);
    std::array<std::vector<double>, kOps> rates;  // by number of threads
    for (int threads : kThreads) {
      const int calls = contender.threaded_calls / threads;
      std::array<std::vector<double>, kOps> measured;
      for (int round = 0; round < rounds; ++round) {
        const std::array<double, kOps> seconds = subject.timed_threads(threads, calls);
        for (std::size_t op = 0; op < kOps; ++op) measured[op].push_back(threads * calls / seconds[op]);
      }
      for (std::size_t op = 0; op < kOps; ++op) rates[op].push_back(Median(measured[op]));
    }
    for (std::size_t op = 0; op < kOps; ++op) {
      std::printf("%-15s %-9s", contender.name.c_str(), kOpNames[op]);
      for (double rate : rates[op]) std::printf(" %17.0f", rate);
      std::printf("\n");
    }
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace leasecheck::bench

int main(int argc, char** argv) {
  // The cost of deadlock detection, a debugging aid of absl::Mutex, is nobody's here.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::string_view first = argc > 1 ? argv[1] : "";
  if (absl::ConsumePrefix(&first, "--ratios")) {
    int rounds = 31;
    if (argc > 2 || (!first.empty() && (!absl::ConsumePrefix(&first, "=") || !absl::SimpleAtoi(first, &rounds) || rounds < 1))) {
      std::fputs("usage: leasecheck_bench_session_store --ratios[=ROUNDS], with at least one round\n", stderr);
      return 64;
    }
    const bool met = leasecheck::bench::PrintDepths(rounds);
    leasecheck::bench::PrintThreads(std::min(rounds, 5));
    return met ? 0 : 1;
  }
  leasecheck::bench::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
