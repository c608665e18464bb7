// The spec's rules for the queue, the completions, and the provided methods: each accepted and refused.
#include "tests/model/runtime_persistence_scene.h"

namespace leasecheck::runtime_persistence {
namespace {

class RuntimePersistenceQueue : public Scene {
 public:
  static CommitRuntimeStateRequest Completing(std::vector<QueuedWorkCompletion> completions) {
    RuntimeCommit commit;
    commit.session_id = "s";
    commit.completed_queue_claims = std::move(completions);
    return {commit};
  }
  std::string Complete(std::vector<QueuedWorkCompletion> completions) {
    const CommitRuntimeStateRequest request = Completing(std::move(completions));
    return Judge(request, ResultOf(request.commit, state.head_revision + 1));
  }
  std::string Expired(std::vector<QueuedWorkCompletion> completions, const std::string& claim_id) {
    return JudgeError(Completing(std::move(completions)), QueuedWorkClaimExpired{"s", claim_id});
  }
};

TEST_F(RuntimePersistenceQueue, EnqueueStoresTheDraft) {
  const QueuedWorkBatch first = Put("e1");
  QueuedWorkBatch second = BatchFrom(Draft(), "e2", 2, now);
  second.enqueue_seq = 1;
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Draft()}, second), "RP-ENQ-3");
  second.enqueue_seq = 2;
  second.enqueued_at_ms = now + 1;
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Draft()}, second), "RP-ENQ-1");
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Draft()}, first), "RP-ENQ-5");
  // The order is that of the whole store.
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Draft("t")}, BatchFrom(Draft("t"), "e3", 1, now)), "RP-ENQ-3");
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Draft("t")}, BatchFrom(Draft("t"), "e3", 2, now)), kAllowed);
  EXPECT_EQ(JudgeError(EnqueueQueuedWorkRequest{Draft()}, Backend{"no"}), "RP-ENQ-1");
  overlap.calls = {EnqueueQueuedWorkRequest{Draft()}};
  EXPECT_EQ(JudgeError(EnqueueQueuedWorkRequest{Draft()}, Backend{"no"}), kAllowed);
}

TEST_F(RuntimePersistenceQueue, SourceKeys) {
  QueuedWorkBatchDraft keyed = Draft();
  keyed.source_key = "";
  const QueuedWorkBatch first = Put("e1", keyed);
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{keyed}, first), kAllowed);
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{keyed}, BatchFrom(keyed, "e2", 2, now)), "RP-ENQ-4");
  QueuedWorkBatchDraft elsewhere = keyed;
  elsewhere.session_id = "t";
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{elsewhere}, first), "RP-ENQ-5");
  const QueuedWorkClaim claim = Claim({first});
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{keyed}, first), kAllowed);
  ASSERT_EQ(Complete({CompletionOf(claim)}), kAllowed);
  now = 1001;
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{keyed}, first), "RP-ENQ-5");
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{keyed}, BatchFrom(keyed, "e2", 2, now)), kAllowed);
}

TEST_F(RuntimePersistenceQueue, AtomicPair) {
  const QueuedWorkBatch e1 = Put("e1");
  const QueuedWorkBatch e2 = Put("e2");
  const QueuedWorkClaim k1 = Claim({e1});
  const QueuedWorkClaim k2 = Claim({e2});
  QueuedWorkCompletion wrong = CompletionOf(k2);
  wrong.lease_token = "wrong";
  EXPECT_EQ(Complete({CompletionOf(k1), wrong}), "RP-CMT-27");
  EXPECT_EQ(Expired({CompletionOf(k1), wrong}, k1.claim_id), "RP-CMT-27");
  EXPECT_EQ(Expired({CompletionOf(k1), wrong}, k2.claim_id), kAllowed);
  EXPECT_EQ(List({e1, e2}), kAllowed);
  EXPECT_EQ(List({e2}), "RP-LST-1");
  QueuedWorkClaim renewed = k1;
  renewed.expires_at_epoch_ms = now + 70;
  EXPECT_EQ(Judge(RenewQueuedWorkClaimRequest{k1, 70}, renewed), kAllowed);
  EXPECT_EQ(Expired({CompletionOf(k1), CompletionOf(k2)}, k1.claim_id), "RP-CMT-23");
  EXPECT_EQ(Complete({CompletionOf(k1), CompletionOf(k2)}), kAllowed);
  EXPECT_EQ(List({}), kAllowed);
  EXPECT_EQ(Complete({CompletionOf(k1)}), "RP-CMT-23");
}

TEST_F(RuntimePersistenceQueue, CompletionsThatMayGoEitherWay) {
  const QueuedWorkBatch a = Put("a", JoinDraft("g"));
  const QueuedWorkBatch b = Put("b", JoinDraft("g"));
  const QueuedWorkClaim claim = Claim({a, b});
  QueuedWorkCompletion part_of_it = CompletionOf(claim);
  part_of_it.batch_ids = {"b"};
  EXPECT_EQ(Expired({part_of_it}, claim.claim_id), kAllowed);
  QueuedWorkCompletion foreign = CompletionOf(claim);
  foreign.session_id = "t";
  EXPECT_EQ(Complete({foreign}), "RP-CMT-25");
  ASSERT_EQ(Complete({part_of_it}), kAllowed);
  EXPECT_EQ(Pending({}), kAllowed);  // the rest stays claimed
  EXPECT_EQ(List({a}), kAllowed);
  // RP-LAT-27: of a claim some of whose batches are completed a renewal may do either.
  EXPECT_EQ(PeekError(RenewQueuedWorkClaimRequest{claim, 70}, QueuedWorkClaimExpired{"s", claim.claim_id}), kAllowed);
  now = 1050;  // lapsed and not taken
  QueuedWorkCompletion rest = CompletionOf(claim);
  rest.batch_ids = {"a"};
  EXPECT_EQ(Expired({rest}, claim.claim_id), kAllowed);
  EXPECT_EQ(Complete({rest}), kAllowed);
}

TEST_F(RuntimePersistenceQueue, ExpiryEdge) {
  const QueuedWorkBatch e1 = Put("e1");
  const QueuedWorkClaim held = Claim({e1});
  now = 1049;
  EXPECT_EQ(Pending({}), kAllowed);
  EXPECT_EQ(Pending({e1}), "RP-PND-1");
  EXPECT_EQ(Peek(CancelQueuedWorkBatchRequest{"s", "e1"}, std::nullopt), kAllowed);
  EXPECT_EQ(Peek(CancelQueuedWorkBatchRequest{"s", "e1"}, e1), "RP-CAN-2");
  EXPECT_EQ(Judge(Work(), Grant({e1}, 2)), "RP-INV-10");
  now = 1050;
  EXPECT_EQ(Pending({}), "RP-CLM-13");
  EXPECT_EQ(Judge(Work(), std::nullopt), "RP-CLM-13");
  EXPECT_EQ(Judge(Work(), Grant({e1}, 1)), "RP-CLM-9");
  Claim({e1}, 2);
  EXPECT_EQ(Complete({CompletionOf(held)}), "RP-CMT-27");
  EXPECT_EQ(Expired({CompletionOf(held)}, held.claim_id), kAllowed);
  EXPECT_EQ(Judge(RenewQueuedWorkClaimRequest{held, 9}, held), "RP-INV-14");
  EXPECT_EQ(JudgeError(RenewQueuedWorkClaimRequest{held, 9}, QueuedWorkClaimExpired{"s", held.claim_id}), kAllowed);
}

TEST_F(RuntimePersistenceQueue, ALapsedClaimMayBeRevived) {
  const QueuedWorkBatch e1 = Put("e1");
  const QueuedWorkClaim claim = Claim({e1});
  now = 9000;
  EXPECT_EQ(PeekError(RenewQueuedWorkClaimRequest{claim, 100}, QueuedWorkClaimExpired{"s", claim.claim_id}), kAllowed);
  EXPECT_EQ(PeekError(RenewQueuedWorkClaimRequest{claim, 100}, Backend{""}), "RP-REN-3");
  QueuedWorkClaim renewed = claim;
  renewed.expires_at_epoch_ms = 9100;
  EXPECT_EQ(Judge(RenewQueuedWorkClaimRequest{claim, 100}, renewed), kAllowed);
  renewed.fencing_token = 2;
  EXPECT_EQ(Judge(RenewQueuedWorkClaimRequest{claim, 100}, renewed), "RP-REN-1");
  EXPECT_EQ(JudgeError(RenewQueuedWorkClaimRequest{claim, 100}, QueuedWorkClaimExpired{"s", claim.claim_id}), "RP-REN-1");
  EXPECT_EQ(Pending({}), kAllowed);
}

TEST_F(RuntimePersistenceQueue, BoundaryGate) {
  QueuedWorkBatchDraft after = Draft();
  after.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  const QueuedWorkBatch a = Put("a", after);
  const QueuedWorkBatch b = Put("b");
  ClaimReadyQueuedWorkRequest checkpoint = Work();
  checkpoint.boundary = QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  EXPECT_EQ(Judge(checkpoint, Grant({b})), "RP-CLM-4");
  EXPECT_EQ(Judge(checkpoint, Grant({a})), "RP-CLM-4");
  EXPECT_EQ(Judge(checkpoint, std::nullopt), kAllowed);
  EXPECT_EQ(Judge(Work(), Grant({b})), "RP-CLM-3");
  EXPECT_EQ(Judge(Work(), Grant({a, b})), "RP-CLM-5");
  EXPECT_EQ(Judge(Work(), std::nullopt), "RP-CLM-4");
  const QueuedWorkClaim claim = Claim({a});
  EXPECT_EQ(Judge(checkpoint, Grant({b})), kAllowed);
  EXPECT_EQ(Judge(AbandonQueuedWorkClaimRequest{claim}, Done{}), kAllowed);
  EXPECT_EQ(Judge(AbandonQueuedWorkClaimRequest{claim}, Done{}), kAllowed);
  EXPECT_EQ(Judge(Work(), std::nullopt), "RP-CLM-4");
  EXPECT_EQ(Judge(Work(), Grant({a}, 1)), "RP-CLM-9");
  EXPECT_EQ(Judge(Work(), Grant({a}, 2)), kAllowed);
}

TEST_F(RuntimePersistenceQueue, GroupsAndGaps) {
  const QueuedWorkBatch j1 = Put("j1", JoinDraft("g"));
  const QueuedWorkBatch j2 = Put("j2", JoinDraft("g"));
  const QueuedWorkBatch j3 = Put("j3", JoinDraft("h"));
  EXPECT_EQ(Peek(Work(), Grant({j1})), "RP-CLM-6");
  EXPECT_EQ(Peek(Work(), Grant({j1, j2, j3})), "RP-CLM-6");
  EXPECT_EQ(Peek(Work(1), Grant({j1})), kAllowed);
  Claim({j1, j2});
  Claim({j3});
  // Another session's batch in between is a gap, at which a group may end (RP-LAT-15).
  const QueuedWorkBatch k1 = Put("k1", JoinDraft("k"));
  Put("other", Draft("t"));
  const QueuedWorkBatch k2 = Put("k2", JoinDraft("k"));
  EXPECT_EQ(Peek(Work(), Grant({k1})), kAllowed);
  EXPECT_EQ(Peek(Work(), Grant({k1, k2})), kAllowed);
  EXPECT_EQ(Peek(Work(), Grant({k2})), "RP-CLM-3");
  // Another call that holds rows may hide them (RP-LAT-22).
  overlap.calls = {Work()};
  EXPECT_EQ(Peek(Work(), Grant({k2})), kAllowed);
  EXPECT_EQ(Peek(Work(), std::nullopt), kAllowed);
}

TEST_F(RuntimePersistenceQueue, ByIds) {
  const QueuedWorkBatch a = Put("a");
  const QueuedWorkBatch b = Put("b");
  const auto by = [](std::vector<std::string> ids) {
    return ClaimReadyQueuedWorkByBatchIdsRequest{"s", "o", QueuedWorkClaimBoundary::kIdle, 50, std::move(ids)};
  };
  EXPECT_EQ(Judge(by({"b"}), Grant({b})), "RP-IDS-4");
  EXPECT_EQ(Judge(by({"b"}), Grant({a})), "RP-IDS-2");
  EXPECT_EQ(Judge(by({"b"}), std::nullopt), kAllowed);
  EXPECT_EQ(Judge(by({"a"}), std::nullopt), "RP-IDS-2");
  EXPECT_EQ(Judge(by({}), std::nullopt), kAllowed);
  EXPECT_EQ(JudgeError(by({}), Backend{""}), "RP-IDS-1");
  EXPECT_EQ(Pending({a, b}), kAllowed);
  EXPECT_EQ(Peek(by({"a"}), Grant({a}, 2)), kAllowed);
  // While others look it may take the head and give it back.
  overlap.calls = {ListPendingQueuedWorkRequest{"s"}};
  EXPECT_EQ(SpecUnderTest::Parts(by({"b"}), Answered<ClaimReadyQueuedWorkByBatchIdsRequest>(std::nullopt), Context()), 2);
  ASSERT_EQ(Judge(by({"b"}), std::nullopt), kAllowed);
  ASSERT_EQ(alternatives.size(), 1u);
  state = alternatives.front();
  EXPECT_EQ(Pending({b}), kAllowed);
  part = 1;
  ASSERT_EQ(Judge(by({"b"}), std::nullopt), kAllowed);
  part = 0;
  EXPECT_EQ(Pending({a, b}), kAllowed);
}

TEST_F(RuntimePersistenceQueue, PartialTakeover) {
  const QueuedWorkBatch j1 = Put("j1", JoinDraft("g"));
  const QueuedWorkBatch j2 = Put("j2", JoinDraft("g"));
  const QueuedWorkClaim k1 = Claim({j1, j2});
  now = 1050;
  EXPECT_EQ(Judge(Work(1), Grant({j1}, 2)), kAllowed);
  EXPECT_EQ(JudgeError(RenewQueuedWorkClaimRequest{k1, 1000}, QueuedWorkClaimExpired{"s", k1.claim_id}), kAllowed);
  EXPECT_EQ(alternatives.size(), 1u);  // RP-LAT-19: what did match may be held longer
  EXPECT_EQ(Complete({CompletionOf(k1)}), "RP-CMT-27");
  EXPECT_EQ(Judge(AbandonQueuedWorkClaimRequest{k1}, Done{}), kAllowed);
  EXPECT_EQ(Pending({j2}), kAllowed);
}

TEST_F(RuntimePersistenceQueue, UnseenGrantsAndBatches) {
  ASSERT_EQ(JudgeOutcome(EnqueueQueuedWorkRequest{Draft()}, Unseen()), kAllowed);
  const QueuedWorkBatch first = BatchFrom(Draft(), "u1", 7, now);
  EXPECT_EQ(Peek(ListQueuedWorkRequest{"s"}, {BatchFrom(Draft(), "u1", 7, now + 1)}), "RP-LST-1");
  ASSERT_EQ(Judge(ListQueuedWorkRequest{"s"}, {first}), kAllowed);
  EXPECT_EQ(Peek(ListQueuedWorkRequest{"s"}, {BatchFrom(Draft(), "u2", 7, now)}), "RP-LST-1");
  ASSERT_EQ(JudgeOutcome(Work(), Unseen()), kAllowed);
  EXPECT_EQ(Pending({}), kAllowed);
  now = 1050;
  EXPECT_EQ(Peek(Work(), Grant({first}, 1)), "RP-CLM-9");  // it rose, whatever to
  EXPECT_EQ(Peek(Work(), Grant({first}, 2)), kAllowed);
}

TEST_F(RuntimePersistenceQueue, CancellingUnderALapsedClaim) {
  QueuedWorkBatchDraft deferred = Draft();
  deferred.available_at_ms = 5000;
  const QueuedWorkBatch late = Put("late", deferred);
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "late"}, std::nullopt), "RP-CAN-3");
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"t", "late"}, late), "RP-CAN-2");
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "late"}, late), kAllowed);
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "late"}, late), "RP-CAN-2");
  const QueuedWorkBatch e1 = Put("e1");
  const QueuedWorkClaim claim = Claim({e1});
  now = 1050;
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "e1"}, std::nullopt), "RP-CAN-1");
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "e1"}, e1), kAllowed);
  EXPECT_EQ(Complete({CompletionOf(claim)}), "RP-CAN-4");
  EXPECT_EQ(Expired({CompletionOf(claim)}, claim.claim_id), kAllowed);
}

TEST_F(RuntimePersistenceQueue, InheritedMethods) {
  dialects["RP-DEF"] = "default";
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Draft()}, BatchFrom(Draft(), "a", 1, now)), "RP-DEF-2");
  EXPECT_EQ(JudgeError(EnqueueQueuedWorkRequest{Draft()}, Backend{""}), kAllowed);
  EXPECT_EQ(Judge(Work(0), std::nullopt), "RP-DEF-3");
  EXPECT_EQ(JudgeError(Work(0), Backend{""}), kAllowed);
  EXPECT_EQ(Judge(ClaimReadyQueuedWorkByBatchIdsRequest{}, std::nullopt), kAllowed);
  EXPECT_EQ(Judge(DurabilityTierRequest{}, DurabilityTier::kDurable), "RP-DEF-1");
  const QueuedWorkClaim claim = Grant({});
  EXPECT_EQ(JudgeError(RenewQueuedWorkClaimRequest{claim, 1}, QueuedWorkClaimExpired{"s", claim.claim_id}), kAllowed);
  EXPECT_EQ(Judge(RenewQueuedWorkClaimRequest{claim, 1}, claim), "RP-DEF-5");
  EXPECT_EQ(Judge(AbandonQueuedWorkClaimRequest{claim}, Done{}), kAllowed);
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "a"}, std::nullopt), kAllowed);
  EXPECT_EQ(Judge(ListQueuedWorkRequest{"s"}, {}), kAllowed);
  EXPECT_EQ(Judge(ListPendingQueuedWorkRequest{"s"}, {BatchFrom(Draft(), "a", 1, now)}), "RP-DEF-9");
}

}  // namespace
}  // namespace leasecheck::runtime_persistence
