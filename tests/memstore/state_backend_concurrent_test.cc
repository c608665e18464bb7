// Many threads on one state_backend store, every call overlapping those of the others.
#include <algorithm>
#include <atomic>
#include <set>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/memstore/rendezvous.h"
#include "tests/memstore/state_backend_fixture.h"

namespace leasecheck::memstore {
namespace {

using F = StateBackendFamily;
constexpr int kRounds = 100;
constexpr int kThreads = Rendezvous::kThreads;

class ConcurrentStore : public ::testing::Test {
 protected:
  // Runs the body once a thread; every thread makes `calls` calls on the store.
  void RunThreads(int calls, const std::function<void(int)>& body) {
    const int before = rendezvous_.full_meetings();
    rendezvous_.RunThreads(body);
    EXPECT_EQ(rendezvous_.full_meetings() - before, calls) << "every call overlapped the others";
  }

  // Makes the recorded calls again, one after the other, on a fresh store: every answer must be the same, so the record is the
  // order in which the calls took effect, and each took effect at one instant.
  void ExpectRecordReplays() {
    ManualClock clock;
    Store again({.clock = &clock});
    for (const RecordedCall<F>& call : store_.RecordedCalls()) {
      clock.Set(call.now);
      ASSERT_TRUE(Execute<F>(again, call.request) == call.outcome);
    }
    EXPECT_EQ(again.Snapshot(), store_.Snapshot());
  }
  static uint64_t Number(int thread, int round) {
    return uint64_t{1} + static_cast<uint64_t>(thread) * kRounds + static_cast<uint64_t>(round);
  }

  ManualClock clock_{0};
  Rendezvous rendezvous_;
  Store store_{{.clock = &clock_, .pause = &rendezvous_}, {.record_calls = true}};
};

// Worked example 18, and a reader with a cursor beside each writer. [SB-INV-8, 9, 11]
TEST_F(ConcurrentStore, E18EveryNumberOnceAndNoEventMissed) {
  store_.CreateExecution({Execution(1)}).value();
  std::vector<std::atomic<int>> given(static_cast<std::size_t>(kThreads * kRounds) + 1);
  RunThreads(2 * kRounds, [&](int thread) {
    EventSequence cursor = 0;
    Numbers seen;
    for (int round = 0; round < kRounds; ++round) {
      ++given[static_cast<std::size_t>(store_.AppendEvent({EventOf(Number(thread, round))}).value())];
      const std::vector<Event> tail = store_.GetEventsSince({E(1), cursor}).value();
      for (const Event& event : tail) {
        EXPECT_EQ(event.sequence, cursor + 1) << "no gap is ever seen";
        cursor = event.sequence;
      }
    }
  });
  EXPECT_EQ(given[0], 0);
  for (std::size_t number = 1; number < given.size(); ++number) EXPECT_EQ(given[number], 1) << number;
  ExpectRecordReplays();
}

// Worked example 19.
TEST_F(ConcurrentStore, E19NoItemIsClaimedTwice) {
  store_.CreateExecution({Execution(1)}).value();
  for (uint64_t n = 1; n <= 3 * kRounds; ++n) store_.EnqueueWorkItem({Item(n, static_cast<double>(n % 7))}).value();
  std::vector<std::atomic<int>> claimed(3 * kRounds + 1);
  RunThreads(kRounds, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      const auto item = store_.ClaimWorkItem({std::to_string(thread), {"tool"}}).value();
      ++claimed[item.has_value() ? item->id.low : 0];
    }
  });
  EXPECT_EQ(claimed[0], kRounds) << "a thread's worth of claims finds nothing any more";
  for (std::size_t n = 1; n < claimed.size(); ++n) EXPECT_EQ(claimed[n], 1) << n;
  ExpectRecordReplays();
}

// Concurrent appends to one array all survive. [SB-PAT-9, SB-INV-16]
TEST_F(ConcurrentStore, NoPatchIsLost) {
  WorkflowExecution execution = Execution(1);
  store_.CreateExecution({execution}).value();
  RunThreads(kRounds, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      store_.PatchAppendArray({E(1), "log", Json(std::to_string(Number(thread, round)))}).value();
    }
  });
  const std::string state = store_.GetExecution({E(1)}).value()->current_state.text;
  EXPECT_EQ(std::count(state.begin(), state.end(), ','), kThreads * kRounds - 1);
  ExpectRecordReplays();
}

// Worked example 20, over and over: workers that complete, heartbeats and reclaims at the end of every lease. An item that was
// completed never comes back, and each is reported once. [SB-INV-1, 2, 6]
TEST_F(ConcurrentStore, E20SweepsAndWorkersMeet) {
  store_.CreateExecution({Execution(1)}).value();
  for (uint64_t n = 1; n <= 40; ++n) {
    WorkItem item = Item(n);
    item.max_attempts = 4;
    store_.EnqueueWorkItem({item}).value();
  }
  absl::Mutex mu;
  std::set<uint64_t> completed;  // under mu
  std::set<uint64_t> exhausted;  // under mu
  RunThreads(4 * kRounds, [&](int thread) {
    const std::string me = std::to_string(thread);
    for (int round = 0; round < kRounds; ++round) {
      if (thread == 0) clock_.Set(static_cast<EpochMs>(round) * 11'000);
      const auto item = store_.ClaimWorkItem({me, {"tool"}}).value();
      const WorkItemId id = item.has_value() ? item->id : I(1 + static_cast<uint64_t>(round) % 40);
      (void)store_.RenewLease({id, me});
      const ReclaimResult reclaimed = store_.ReclaimExpiredLeases({}).value();
      const auto done = round % 3 == thread % 3 ? store_.CompleteWorkItem({id}) : store_.RenewLease({id, me});
      absl::MutexLock lock(&mu);
      if (done.has_value() && round % 3 == thread % 3) completed.insert(id.low);
      for (const WorkItem& dead : reclaimed.exhausted) EXPECT_TRUE(exhausted.insert(dead.id.low).second) << dead.id.low;
    }
  });
  clock_.Set(10'000'000);
  const ReclaimResult last = store_.ReclaimExpiredLeases({}).value();
  for (const WorkItem& dead : last.exhausted) exhausted.insert(dead.id.low);
  std::set<uint64_t> left;
  clock_.Set(20'000'000);
  while (const auto item = store_.ClaimWorkItem({"w", {"tool"}}).value()) left.insert(item->id.low);
  EXPECT_EQ(completed.size() + exhausted.size() + left.size(), 40u) << "every item is in exactly one place";
  for (const uint64_t n : completed) EXPECT_EQ(exhausted.count(n) + left.count(n), 0u) << n;
  for (const uint64_t n : exhausted) EXPECT_EQ(left.count(n), 0u) << n;
  ExpectRecordReplays();
}

}  // namespace
}  // namespace leasecheck::memstore
