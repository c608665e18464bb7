// The baseline of the session_store family: enqueue, claim, renew and complete, on every store and on the floor (floor.h).
//
//   leasecheck_bench_session_store                 Google Benchmark, all its flags
//   leasecheck_bench_session_store --ratios        each store against the floor, measured alternately in one run; exit 1 where
//   the
//                                                  reference store misses its targets
//   leasecheck_bench_session_store --ratios=ROUNDS with so many rounds (31)
//
// Work is measured at a steady depth: blocks of one operation are timed, and the queue is brought back to its depth between them,
// untimed. Requests are made outside the timed part. A store is added in StoresUnderTest, one line.
#include "memstore/session_store.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "bench/floor.h"
#include "benchmark/benchmark.h"

namespace leasecheck::bench {
namespace {

using session_store::ClaimReadyQueuedWorkRequest;
using session_store::CommitRuntimeStateRequest;
using session_store::EnqueueQueuedWorkRequest;
using session_store::LeaseOwnerIdentity;
using session_store::QueuedWorkClaim;
using session_store::RenewQueuedWorkClaimRequest;
using session_store::SessionExecutionLease;

constexpr uint64_t kDepths[] = {1'000, 100'000, 1'000'000};
constexpr int kMaxThreads = 8;
constexpr int kBlock = 128;  // operations timed at a time
enum Op { kEnqueue, kClaim, kRenew, kComplete, kOps };
constexpr const char* kOpNames[kOps] = {"enqueue", "claim", "renew", "complete"};

ManualClock& SharedClock() {
  static ManualClock clock(1'700'000'000'000);
  return clock;
}
const FixedLiveness& SharedLiveness() {
  static const FixedLiveness liveness;
  return liveness;
}

struct StoreUnderTest {
  const char* name;
  std::function<std::unique_ptr<session_store::SessionStore>()> open;
};

// Every store that is compared with the floor. The reference store is the first. A backend, such as SQLite's `:memory:`, is one
// more line here.
const std::vector<StoreUnderTest>& StoresUnderTest() {
  static const std::vector<StoreUnderTest> stores{
      {"memory",
       [] {
         return std::make_unique<memstore::SessionStore>(
             Environment{.clock = &SharedClock(), .liveness = &SharedLiveness(), .pause = nullptr});
       }},
  };
  return stores;
}

template <class Response>
Response Must(session_store::Result<Response> result, const char* what) {
  if (!result.has_value()) {
    std::fprintf(stderr, "bench: %s failed\n", what);
    std::abort();
  }
  return *std::move(result);
}

const LeaseOwnerIdentity& Owner() {
  static const LeaseOwnerIdentity owner{"runner-1", "incarnation-1", session_store::OpaqueOwner{}};
  return owner;
}

// What the callers send. For the floor the fence is empty: it has no lane.
class Requests {
 public:
  explicit Requests(const session_store::SessionExecutionLeaseFence& fence) {
    enqueue_.batch.session_id = "session-1";
    enqueue_.batch.payloads = {
        session_store::ProcessWake{{"{\"process_id\":\"process-17\",\"sequence\":42,\"text\":\"the build has finished\"}"}}};
    claim_ = {"session-1", fence, Owner(), session_store::QueuedWorkClaimBoundary::kIdle, 60'000, 1};
    commit_.session_id = "session-1";
    commit_.session_execution_lease = fence;
    commit_.body.text = "{\"graph\":[]}";
  }
  const EnqueueQueuedWorkRequest& enqueue() const { return enqueue_; }
  const ClaimReadyQueuedWorkRequest& claim() const { return claim_; }
  CommitRuntimeStateRequest Completing(const QueuedWorkClaim& claim) const {
    CommitRuntimeStateRequest request{commit_};
    request.commit.completed_queue_claims.push_back(CompletionOf(claim));
    return request;
  }

 private:
  EnqueueQueuedWorkRequest enqueue_;
  ClaimReadyQueuedWorkRequest claim_;
  session_store::RuntimeCommit commit_;
};

// One queue kept at a depth, and timed blocks of operations on it. Queue is a SessionStore or the Floor.
template <class Queue>
class Workload {
 public:
  Workload(std::unique_ptr<Queue> queue, uint64_t depth) : queue_(std::move(queue)), requests_(FenceOf(Hold(*queue_))) {
    for (uint64_t i = 0; i < depth; ++i) Must(queue_->EnqueueQueuedWork(requests_.enqueue()), "enqueue");
  }

  // Seconds for kBlock operations; the queue has its depth again when it returns.
  double TimedBlock(Op op) {
    std::vector<QueuedWorkClaim> claims;
    claims.reserve(kBlock);
    double seconds = 0;
    if (op == kEnqueue) {
      seconds = Time([&](int) { return Must(queue_->EnqueueQueuedWork(requests_.enqueue()), "enqueue"); });
      for (int i = 0; i < kBlock; ++i) claims.push_back(Claim());
      for (const QueuedWorkClaim& claim : claims) Must(queue_->CommitRuntimeState(requests_.Completing(claim)), "complete");
      return seconds;
    }
    const double claiming = Time([&](int) {
      claims.push_back(Claim());
      return 0;
    });
    if (op == kClaim) seconds = claiming;
    std::vector<RenewQueuedWorkClaimRequest> renewals;
    for (const QueuedWorkClaim& claim : claims) renewals.push_back({claim, 90'000});
    const double renewing =
        op != kRenew ? 0 : Time([&](int i) { return Must(queue_->RenewQueuedWorkClaim(renewals[i]), "renew"); });
    if (op == kRenew) seconds = renewing;
    std::vector<CommitRuntimeStateRequest> commits;
    for (const QueuedWorkClaim& claim : claims) commits.push_back(requests_.Completing(claim));
    const double completing = Time([&](int i) { return Must(queue_->CommitRuntimeState(commits[i]), "complete"); });
    if (op == kComplete) seconds = completing;
    for (int i = 0; i < kBlock; ++i) Must(queue_->EnqueueQueuedWork(requests_.enqueue()), "enqueue");
    return seconds;
  }

  // One enqueue, claim, renew and complete, from any thread.
  void Cycle() {
    benchmark::DoNotOptimize(Must(queue_->EnqueueQueuedWork(requests_.enqueue()), "enqueue"));
    const RenewQueuedWorkClaimRequest renewal{Claim(), 90'000};
    benchmark::DoNotOptimize(Must(queue_->RenewQueuedWorkClaim(renewal), "renew"));
    benchmark::DoNotOptimize(Must(queue_->CommitRuntimeState(requests_.Completing(renewal.claim)), "complete"));
  }

 private:
  static SessionExecutionLease Hold(Floor&) { return {}; }
  static SessionExecutionLease Hold(session_store::SessionStore& store) {
    auto outcome = Must(store.TryClaimSessionExecutionLease({"session-1", Owner(), kEndOfTime}), "the lane");
    return std::get<session_store::LeaseAcquired>(outcome).lease;
  }

  QueuedWorkClaim Claim() {
    auto claim = Must(queue_->ClaimReadyQueuedWork(requests_.claim()), "claim");
    if (!claim.has_value()) {
      std::fputs("bench: nothing to claim\n", stderr);
      std::abort();
    }
    return *std::move(claim);
  }

  template <class Operation>
  static double Time(Operation&& operation) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kBlock; ++i) benchmark::DoNotOptimize(operation(i));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  std::unique_ptr<Queue> queue_;
  Requests requests_;
};

using FloorWorkload = Workload<Floor>;
using StoreWorkload = Workload<session_store::SessionStore>;

// A workload of either kind, so that all are measured by the same code.
struct Subject {
  std::function<double(Op)> timed_block;
  std::function<void()> cycle;
};

template <class W>
Subject SubjectOf(std::shared_ptr<W> workload) {
  return {[workload](Op op) { return workload->TimedBlock(op); }, [workload] { workload->Cycle(); }};
}
Subject OpenFloor(uint64_t depth) {
  return SubjectOf(std::make_shared<FloorWorkload>(std::make_unique<Floor>(&SharedClock()), depth));
}
Subject OpenStore(const StoreUnderTest& store, uint64_t depth) {
  return SubjectOf(std::make_shared<StoreWorkload>(store.open(), depth));
}

// Google Benchmark.

using Opener = std::function<Subject(uint64_t depth)>;

std::vector<std::pair<std::string, Opener>> Subjects() {
  std::vector<std::pair<std::string, Opener>> subjects{{"floor", OpenFloor}};
  for (const StoreUnderTest& store : StoresUnderTest()) {
    subjects.emplace_back(store.name, [&store](uint64_t depth) { return OpenStore(store, depth); });
  }
  return subjects;
}

void RunSteady(benchmark::State& state, const Opener& open, Op op) {
  const Subject subject = open(static_cast<uint64_t>(state.range(0)));
  for (auto _ : state) state.SetIterationTime(subject.timed_block(op));
  state.SetItemsProcessed(state.iterations() * kBlock);
}

void RunThreads(benchmark::State& state, const Opener& open) {
  static absl::Mutex mu;
  static std::shared_ptr<Subject> shared;
  std::shared_ptr<Subject> subject;
  {
    absl::MutexLock lock(&mu);
    if (shared == nullptr) shared = std::make_shared<Subject>(open(kDepths[0]));
    subject = shared;
  }
  for (auto _ : state) subject->cycle();
  state.SetItemsProcessed(state.iterations() * kOps);
  absl::MutexLock lock(&mu);
  shared.reset();
}

void RegisterAll() {
  for (const auto& [name, open] : Subjects()) {
    for (int op = 0; op < kOps; ++op) {
      auto* steady = benchmark::RegisterBenchmark(
          absl::StrCat(name, "/", kOpNames[op]).c_str(),
          [opener = open, op](benchmark::State& state) { RunSteady(state, opener, static_cast<Op>(op)); });
      for (uint64_t depth : kDepths) steady->Arg(static_cast<int64_t>(depth));
      steady->ArgName("depth")->UseManualTime();
    }
    benchmark::RegisterBenchmark(absl::StrCat(name, "/cycle").c_str(),
                                 [opener = open](benchmark::State& state) { RunThreads(state, opener); })
        ->ThreadRange(1, kMaxThreads)
        ->UseRealTime();
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

// Nanoseconds of wall time an operation with so many threads on one queue.
double TimeThreads(const Subject& subject, int threads) {
  constexpr int kCycles = 20'000;
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      for (int cycle = 0; cycle < kCycles / threads; ++cycle) subject.cycle();
    });
  }
  for (std::thread& thread : running) thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return took.count() * 1e9 / (double{kCycles} * int{kOps});
}

// Prints the tables; whether the reference store meets its targets: at each depth at least half the floor's operations a second,
// and from the smallest depth to the largest at most 1.3 times the floor's own growth.
bool PrintRatios(int rounds) {
  constexpr double kLeastRatio = 0.5;
  constexpr double kMostGrowth = 1.3;
  bool met = true;
  const auto opened = Subjects();
  std::map<std::pair<std::size_t, Op>, std::vector<double>> by_depth;  // (subject, operation) -> ns by depth
  std::printf("%-9s %-9s %-9s %10s %10s %14s\n", "depth", "operation", "store", "ns/op", "floor", "ops/s of floor");
  for (uint64_t depth : kDepths) {
    std::vector<Subject> subjects;
    for (const auto& [name, open] : opened) subjects.push_back(open(depth));
    for (int op = 0; op < kOps; ++op) {
      const std::vector<double> ns = Compare(subjects, static_cast<Op>(op), rounds);
      for (std::size_t i = 0; i < ns.size(); ++i) by_depth[{i, static_cast<Op>(op)}].push_back(ns[i]);
      for (std::size_t i = 1; i < ns.size(); ++i) {
        const double ratio = ns[0] / ns[i];
        const bool missed = i == 1 && ratio < kLeastRatio;
        met = met && !missed;
        std::printf("%-9llu %-9s %-9s %10.0f %10.0f %13.2fx%s\n", static_cast<unsigned long long>(depth), kOpNames[op],
                    opened[i].first.c_str(), ns[i], ns[0], ratio, missed ? "  MISSED" : "");
      }
    }
  }
  std::printf("\ngrowth of the time an operation from the smallest depth to the largest\n");
  for (std::size_t i = 1; i < opened.size(); ++i) {
    for (int op = 0; op < kOps; ++op) {
      const std::vector<double>& store = by_depth[{i, static_cast<Op>(op)}];
      const std::vector<double>& floor = by_depth[{0, static_cast<Op>(op)}];
      const double grew = store.back() / store.front();
      const double floor_grew = floor.back() / floor.front();
      const bool missed = i == 1 && grew > kMostGrowth * floor_grew;
      met = met && !missed;
      std::printf("%-9s %-9s %9.2fx, the floor %.2fx: %.2f of it%s\n", opened[i].first.c_str(), kOpNames[op], grew, floor_grew,
                  grew / floor_grew, missed ? "  MISSED" : "");
    }
  }
  std::printf("\ncycles of the four operations, wall time an operation\n");
  std::vector<Subject> subjects;
  for (const auto& [name, open] : opened) subjects.push_back(open(kDepths[0]));
  for (int threads = 1; threads <= kMaxThreads; threads *= 2) {
    std::vector<std::vector<double>> times(subjects.size());
    for (int round = 0; round < 7; ++round) {
      for (std::size_t i = 0; i < subjects.size(); ++i) times[i].push_back(TimeThreads(subjects[i], threads));
    }
    const double floor = Median(times[0]);
    for (std::size_t i = 1; i < subjects.size(); ++i) {
      const double ns = Median(times[i]);
      std::printf("%d threads %-9s %10.0f %10.0f %13.2fx\n", threads, opened[i].first.c_str(), ns, floor, floor / ns);
    }
  }
  return met;
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
    return leasecheck::bench::PrintRatios(rounds) ? 0 : 1;
  }
  leasecheck::bench::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
