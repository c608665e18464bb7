// Many threads on one store, every call overlapping those of the others.
#include <atomic>
#include <functional>
#include <random>
#include <set>

#include "absl/synchronization/mutex.h"
#include "tests/memstore/fixture.h"
#include "tests/memstore/rendezvous.h"

namespace leasecheck::memstore {
namespace {

constexpr int kThreads = Rendezvous::kThreads;
constexpr int kRounds = 300;

class ConcurrentStore : public ::testing::Test {
 protected:
  ConcurrentStore()
      : store_({.clock = &clock_, .liveness = &liveness_, .pause = &rendezvous_},
               {.id_style = IdStyle::kReadable, .record_calls = true}),
        lane_(std::get<LeaseAcquired>(store_.TryClaimSessionExecutionLease({"s", kX, kEndOfTime}).value()).lease) {}

  // Runs the body once a thread; every thread makes `calls` calls on the store.
  void RunThreads(int calls, const std::function<void(int)>& body) {
    rendezvous_.RunThreads(body);
    EXPECT_EQ(rendezvous_.full_meetings(), calls) << "every call overlapped the others";
  }

  RuntimeCommit Completing(const Claim& claim) const {
    RuntimeCommit commit;
    commit.session_id = "s";
    commit.session_execution_lease = FenceOf(lane_);
    commit.completed_queue_claims = {CompletionOf(claim)};
    return commit;
  }

  // Makes the recorded calls again, one after the other, on a fresh store: every answer must be the same, so the record is the
  // order in which the calls took effect, and each took effect at one instant.
  void ExpectRecordReplays() {
    const auto calls = store_.RecordedCalls();
    ManualClock clock;
    Store again({.clock = &clock, .liveness = &liveness_}, {.id_style = IdStyle::kReadable});
    for (std::size_t i = 0; i < calls.size(); ++i) {
      clock.Set(calls[i].now);
      ASSERT_TRUE(Execute<SessionStoreFamily>(again, calls[i].request) == calls[i].outcome) << "call " << i;
    }
    EXPECT_EQ(again.Snapshot(), store_.Snapshot());
  }

  ManualClock clock_{1000};
  FixedLiveness liveness_;
  Rendezvous rendezvous_;
  Store store_;
  Lane lane_;
};

TEST_F(ConcurrentStore, LiveClaimsAreExclusiveAndNothingIsLost) {
  absl::Mutex mu;
  std::set<std::string> held, enqueued, settled;  // under mu
  const auto work = [&](int thread) {
    const LeaseOwnerIdentity me{std::to_string(thread), "1", OpaqueOwner{}};
    for (int round = 0; round < kRounds; ++round) {
      const std::string id = store_.EnqueueQueuedWork({Join("g")}).value().batch_id;
      {
        absl::MutexLock lock(&mu);
        EXPECT_TRUE(enqueued.insert(id).second);
      }
      const auto claim =
          store_.ClaimReadyQueuedWork({"s", FenceOf(lane_), me, kIdle, kEndOfTime, 1 + uint64_t(round % 3)}).value();
      for (const std::string& batch : IdsOf(claim)) {
        absl::MutexLock lock(&mu);
        EXPECT_TRUE(held.insert(batch).second) << batch << " is under two live claims";
      }
      if (!claim.has_value()) {
        store_.ListPendingQueuedWork({"s"}).value();
        continue;
      }
      {
        absl::MutexLock lock(&mu);
        for (const std::string& batch : IdsOf(claim)) {
          held.erase(batch);
          if (round % 4 == 0) continue;
          EXPECT_TRUE(settled.insert(batch).second) << batch << " is settled twice";
        }
      }
      if (round % 4 == 0) {
        store_.AbandonQueuedWorkClaim({*claim}).value();
      } else {
        EXPECT_TRUE(store_.CommitRuntimeState({Completing(*claim)}).has_value());
      }
    }
  };
  RunThreads(3 * kRounds, work);

  std::set<std::string> left;
  for (const std::string& id : IdsOf(store_.ListPendingQueuedWork({"s"}).value())) left.insert(id);
  EXPECT_EQ(left.size() + settled.size(), enqueued.size());
  EXPECT_TRUE(std::includes(enqueued.begin(), enqueued.end(), left.begin(), left.end()));
  for (const std::string& id : left) EXPECT_EQ(settled.count(id), 0u) << id;
  EXPECT_GT(settled.size(), std::size_t{kRounds});
  ExpectRecordReplays();
}

TEST_F(ConcurrentStore, EveryHistoryIsTheRecordedOrder) {
  const auto work = [&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread) + 1);
    const LeaseOwnerIdentity me = Process(std::to_string(thread), thread % 2 == 0 ? kDeadPid : 1);
    Claim last;
    for (int call = 0; call < 3 * kRounds; ++call) {
      if (random() % 4 == 0) clock_.Set(1000 + random() % 50);
      switch (random() % 8) {
        case 0:
        case 1:
          store_.EnqueueQueuedWork({At(1000 + random() % 50, Join("g"))}).value();
          break;
        case 2:
          store_.EnqueueQueuedWork({Keyed(std::to_string(random() % 3))}).value();
          break;
        case 3:
        case 4: {
          auto claim = store_.ClaimReadyQueuedWork({"s", FenceOf(lane_), me, kIdle, random() % 30, 2}).value();
          if (claim.has_value()) last = *std::move(claim);
          break;
        }
        case 5:
          store_.RenewQueuedWorkClaim({last, random() % 30});
          break;
        case 6:
          store_.CommitRuntimeState({Completing(last)});
          break;
        default:
          store_.CancelQueuedWorkBatch({"s", "b" + std::to_string(1 + random() % 100)}).value();
      }
    }
  };
  RunThreads(3 * kRounds, work);
  ExpectRecordReplays();
}

TEST_F(ConcurrentStore, OneOfManyFirstAcquisitionsWins) {
  std::atomic<int> winners{0};
  RunThreads(kRounds, [&](int thread) {
    const LeaseOwnerIdentity me{std::to_string(thread), "1", OpaqueOwner{}};
    for (int round = 0; round < kRounds; ++round) {
      const auto outcome = store_.TryClaimSessionExecutionLease({"lane " + std::to_string(round), me, kEndOfTime}).value();
      winners += std::holds_alternative<LeaseAcquired>(outcome) ? 1 : 0;
    }
  });
  EXPECT_EQ(winners, kRounds);
  ExpectRecordReplays();
}

// One winner for each input: cancelled or completed, once; and no input is under two live claims.
TEST_F(ConcurrentStore, TurnInputsEndOnce) {
  absl::Mutex mu;
  std::set<std::string> held, ended;  // under mu
  std::atomic<uint64_t> removed{0}, completed{0}, cancelled{0};
  const auto end = [&](const std::string& id) {
    absl::MutexLock lock(&mu);
    EXPECT_TRUE(ended.insert(id).second) << id << " ended twice";
  };
  const auto work = [&](int thread) {
    const LeaseOwnerIdentity me{std::to_string(thread), "1", OpaqueOwner{}};
    for (int round = 0; round < kRounds; ++round) {
      PendingTurnInputDraft draft;
      draft.session_id = "s";
      if (round % 2 == 0) draft.ingress = ActiveTurnIngress{"t"};
      const PendingTurnInput input = store_.EnqueuePendingTurnInput({draft}).value();
      const auto claim =
          round % 3 == 0
              ? store_.ClaimActiveTurnInputs({"s", FenceOf(lane_), me, "t", CheckpointKind::kAfterWork, kEndOfTime, 2}).value()
              : store_.ClaimNextTurnInputs({"s", FenceOf(lane_), me, kEndOfTime, 2}).value();
      if (claim.has_value()) {
        absl::MutexLock lock(&mu);
        for (const PendingTurnInput& taken : claim->inputs) {
          EXPECT_TRUE(held.insert(taken.input_id).second) << taken.input_id << " is under two live claims";
        }
      }
      const auto outcome = store_.CancelPendingTurnInput({"s", input.input_id}).value();
      if (std::holds_alternative<TurnInputCancelled>(outcome)) {
        end(input.input_id);
        ++cancelled;
      }
      if (!claim.has_value()) {
        removed += store_.Vacuum({}).value().removed_pending_turn_input_tombstone_count;
        continue;
      }
      {
        absl::MutexLock lock(&mu);
        for (const PendingTurnInput& taken : claim->inputs) held.erase(taken.input_id);
      }
      if (round % 5 == 0) {
        store_.AbandonTurnInputClaim({*claim}).value();
        continue;
      }
      for (const PendingTurnInput& taken : claim->inputs) end(taken.input_id);
      RuntimeCommit commit;
      commit.session_id = "s";
      commit.session_execution_lease = FenceOf(lane_);
      commit.completed_turn_input_claims = {CompletionOf(*claim)};
      if (round % 7 == 0) commit.interrupted_turn_input_turn_id = "t";
      EXPECT_TRUE(store_.CommitRuntimeState({commit}).has_value());
      completed += claim->inputs.size();
    }
  };
  RunThreads(4 * kRounds, work);
  removed += store_.Vacuum({}).value().removed_pending_turn_input_tombstone_count;
  EXPECT_EQ(removed, completed + cancelled);
  EXPECT_GT(completed, 0u);
  EXPECT_GT(cancelled, 0u);
  EXPECT_EQ(store_.ListPendingTurnInputs({"s"}).value().size(), kThreads * kRounds - removed);
  ExpectRecordReplays();
}

}  // namespace
}  // namespace leasecheck::memstore
