// What the baseline of the session_store family does to a queue, and how it is timed.
#ifndef LEASECHECK_BENCH_WORKLOAD_H_
#define LEASECHECK_BENCH_WORKLOAD_H_

#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/floor.h"
#include "benchmark/benchmark.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::bench {

// What is measured: enqueue, claim of one batch, renewal of a claim, the commit that completes a claim, the commit that carries a
// stamp and completes nothing.
enum Op { kEnqueue, kClaim, kRenew, kComplete, kStamp, kOps };
inline constexpr const char* kOpNames[kOps] = {"enqueue", "claim", "renew", "complete", "stamp"};

inline constexpr int kBlock = 128;  // operations timed at a time

template <class Response>
Response Must(session_store::Result<Response> result, const char* what) {
  if (!result.has_value()) {
    std::fprintf(stderr, "bench: %s failed\n", what);
    std::abort();
  }
  return *std::move(result);
}

inline const session_store::LeaseOwnerIdentity& Owner() {
  static const session_store::LeaseOwnerIdentity owner{"runner-1", "incarnation-1", session_store::OpaqueOwner{}};
  return owner;
}

// What the callers send. For the floor the fence is empty: it has no lane. Thread-safe.
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
  const session_store::EnqueueQueuedWorkRequest& enqueue() const { return enqueue_; }
  const session_store::ClaimReadyQueuedWorkRequest& claim() const { return claim_; }
  session_store::CommitRuntimeStateRequest Completing(const session_store::QueuedWorkClaim& claim) const {
    session_store::CommitRuntimeStateRequest request{commit_};
    request.commit.completed_queue_claims.push_back(session_store::CompletionOf(claim));
    return request;
  }
  // Of a turn that no other call names.
  session_store::CommitRuntimeStateRequest Stamped() const {
    session_store::CommitRuntimeStateRequest request{commit_};
    request.commit.turn_commit = {"session-1", absl::StrCat("turn-", ++turns_), "sha256:6d1f0c7e"};
    return request;
  }

 private:
  session_store::EnqueueQueuedWorkRequest enqueue_;
  session_store::ClaimReadyQueuedWorkRequest claim_;
  session_store::RuntimeCommit commit_;
  mutable std::atomic<uint64_t> turns_ = 0;
};

// One queue kept at a depth, and timed calls on it. Queue is a SessionStore or the Floor. Requests are made outside the timed
// parts; answers are freed inside, as a caller does.
template <class Queue>
class Workload {
 public:
  Workload(std::unique_ptr<Queue> queue, uint64_t depth) : queue_(std::move(queue)), requests_(FenceOf(Hold(*queue_))) {
    for (uint64_t i = 0; i < depth; ++i) Must(queue_->EnqueueQueuedWork(requests_.enqueue()), "enqueue");
  }

  // Seconds for kBlock operations from one thread; the queue has its depth again when it returns.
  double TimedBlock(Op op) {
    Caller caller(*this, kBlock);
    if (op == kStamp) return caller.Time(kStamp);
    if (op == kEnqueue) {
      const double enqueueing = caller.Time(kEnqueue);
      for (const Op rest : {kClaim, kComplete}) caller.Time(rest);
      return enqueueing;
    }
    double seconds = 0;
    for (const Op step : {kClaim, kRenew, kComplete}) {
      if (step == kRenew && op != kRenew) continue;
      const double took = caller.Time(step);
      if (step == op) seconds = took;
    }
    caller.Time(kEnqueue);
    return seconds;
  }

  // Seconds of wall time in which so many threads made `calls` calls each, operation by operation: all begin together, and the
  // last to finish ends it. The queue has its depth again when it returns.
  std::array<double, kOps> TimedThreads(int threads, int calls) {
    using Instant = std::chrono::steady_clock::time_point;
    std::array<Instant, 2 * kOps> instants;
    std::size_t passed = 0;
    std::barrier gate(threads, [&]() noexcept { instants[passed++] = std::chrono::steady_clock::now(); });
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&] {
        Caller caller(*this, calls);
        for (int op = 0; op < kOps; ++op) {
          caller.Prepare(static_cast<Op>(op));
          gate.arrive_and_wait();
          caller.CallAll(static_cast<Op>(op));
          gate.arrive_and_wait();
        }
      });
    }
    for (std::thread& thread : running) thread.join();
    std::array<double, kOps> seconds;
    for (std::size_t op = 0; op < kOps; ++op) {
      seconds[op] = std::chrono::duration<double>(instants[2 * op + 1] - instants[2 * op]).count();
    }
    return seconds;
  }

 private:
  // One thread's calls, so many of each operation, and what they need of each other.
  class Caller {
   public:
    Caller(Workload& workload, int calls) : workload_(workload), calls_(static_cast<std::size_t>(calls)) {}

    double Time(Op op) {
      Prepare(op);
      const auto start = std::chrono::steady_clock::now();
      CallAll(op);
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }

    // Makes the requests.
    void Prepare(Op op) {
      const Requests& requests = workload_.requests_;
      renewals_.clear();
      commits_.clear();
      if (op == kClaim) claims_.reserve(calls_);
      if (op == kRenew) {
        for (const auto& claim : claims_) renewals_.push_back({claim, 90'000});
      } else if (op == kComplete) {
        for (const auto& claim : claims_) commits_.push_back(requests.Completing(claim));
        claims_.clear();
      } else if (op == kStamp) {
        for (std::size_t i = 0; i < calls_; ++i) commits_.push_back(requests.Stamped());
      }
    }

    void CallAll(Op op) {
      Queue& queue = *workload_.queue_;
      for (std::size_t i = 0; i < calls_; ++i) {
        if (op == kEnqueue) {
          benchmark::DoNotOptimize(Must(queue.EnqueueQueuedWork(workload_.requests_.enqueue()), "enqueue"));
        } else if (op == kClaim) {
          claims_.push_back(Granted(queue.ClaimReadyQueuedWork(workload_.requests_.claim())));
        } else if (op == kRenew) {
          benchmark::DoNotOptimize(Must(queue.RenewQueuedWorkClaim(renewals_[i]), "renew"));
        } else {
          benchmark::DoNotOptimize(Must(queue.CommitRuntimeState(commits_[i]), "commit"));
        }
      }
    }

   private:
    static session_store::QueuedWorkClaim Granted(session_store::Result<std::optional<session_store::QueuedWorkClaim>> answer) {
      auto claim = Must(std::move(answer), "claim");
      if (!claim.has_value()) {
        std::fputs("bench: nothing to claim\n", stderr);
        std::abort();
      }
      return *std::move(claim);
    }

    Workload& workload_;
    const std::size_t calls_;
    std::vector<session_store::QueuedWorkClaim> claims_;
    std::vector<session_store::RenewQueuedWorkClaimRequest> renewals_;
    std::vector<session_store::CommitRuntimeStateRequest> commits_;
  };

  static session_store::SessionExecutionLease Hold(Floor&) { return {}; }
  static session_store::SessionExecutionLease Hold(session_store::SessionStore& store) {
    auto outcome = Must(store.TryClaimSessionExecutionLease({"session-1", Owner(), kEndOfTime}), "the lane");
    return std::get<session_store::LeaseAcquired>(outcome).lease;
  }

  std::unique_ptr<Queue> queue_;
  Requests requests_;
};

}  // namespace leasecheck::bench

#endif  // LEASECHECK_BENCH_WORKLOAD_H_
