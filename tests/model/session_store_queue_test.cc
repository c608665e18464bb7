// Enqueue, cancel and the lists against the spec.
#include "tests/model/session_store_scene.h"

namespace leasecheck::session_store {
namespace {

class QueueSpec : public Scene {};

struct WrongBatch {
  const char* clause;
  std::function<void(QueuedWorkBatch&)> change;
};

TEST_F(QueueSpec, EnqueueReturnsTheDraftAsStored) {
  Put("b1");
  QueuedWorkBatchDraft draft = Keyed("k", JoinDraft());
  draft.payloads = {Wake(), Wake()};
  draft.available_at_ms = 5000;
  const EnqueueQueuedWorkRequest request{draft};
  const QueuedWorkBatch right = BatchFrom(draft, "b2", 7, now);
  EXPECT_EQ(Peek(request, right), kAllowed);
  const WrongBatch wrong[] = {
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.session_id = "t"; }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.source_key = std::nullopt; }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit; }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.slot_policy = SlotPolicy::kExclusive; }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.merge_key = MergeNever{}; }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.available_at_ms = 0; }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.items.pop_back(); }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.items[1].payload = Command(); }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.items[1].item_id = b.items[0].item_id; }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.enqueued_at_ms = 999; }},
      {"QW-ENQ-1", [](QueuedWorkBatch& b) { b.batch_id = "b1"; }},
      {"QW-ENQ-3", [](QueuedWorkBatch& b) { b.enqueue_seq = 1; }},
      {"QW-ENQ-3", [](QueuedWorkBatch& b) { b.enqueue_seq = 0; }},
  };
  for (const WrongBatch& one : wrong) {
    QueuedWorkBatch batch = right;
    one.change(batch);
    EXPECT_EQ(Peek(request, batch), one.clause);
  }
}

TEST_F(QueueSpec, EnqueueNeedsNoLaneAndNoFreeQueue) {
  EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{Draft()}, SessionExecutionLeaseExpired{"s"}), "QW-ENQ-2");
  EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{Draft()}, Backend{}), "QW-ENQ-1");
  const auto b1 = Put("b1");
  Hold();
  Claim({b1});
  now = 1001;
  EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{Draft()}, Backend{}), "QW-ENQ-2");
  Put("b2");
  EXPECT_EQ(HeldCount("QW-ENQ-2"), 1u);
}

TEST_F(QueueSpec, KeyedReplayReturnsTheStoredBatchUnchanged) {
  const auto b1 = Put("b1", Keyed("k"));
  now = 1001;
  const EnqueueQueuedWorkRequest again{Keyed("k", CommandDraft())};
  EXPECT_EQ(Peek(again, BatchFrom(again.batch, "b2", 2, now)), "QW-ENQ-4");
  QueuedWorkBatch changed = b1;
  changed.items[0].payload = Command();
  EXPECT_EQ(Peek(again, changed), "QW-ENQ-4");
  EXPECT_EQ(Judge(again, b1), kAllowed);
  EXPECT_EQ(List({b1}), kAllowed);
  EXPECT_EQ(HeldCount("QW-ENQ-4"), 1u);
  EXPECT_EQ(HeldCount("QW-ENQ-5"), 0u);
}

TEST_F(QueueSpec, KeyIsFoundWhileItsBatchIsClaimedOrDeferred) {
  const auto b1 = Put("b1", Keyed("k"));
  Hold();
  Claim({b1});
  const EnqueueQueuedWorkRequest again{Keyed("k")};
  EXPECT_EQ(Peek(again, BatchFrom(again.batch, "b2", 2, now)), "QW-ENQ-5");
  EXPECT_EQ(Judge(again, b1), kAllowed);
  now = 2000;  // lapsed
  EXPECT_EQ(Peek(again, BatchFrom(again.batch, "b2", 2, now)), "QW-ENQ-5");
  const auto b3 = Put("b3", Keyed("d", Deferred(9000)));
  EXPECT_EQ(Peek(EnqueueQueuedWorkRequest{Keyed("d")}, BatchFrom(Keyed("d"), "b4", 9, now)), "QW-ENQ-5");
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Keyed("d")}, b3), kAllowed);
  EXPECT_EQ(HeldCount("QW-ENQ-5"), 2u);
}

TEST_F(QueueSpec, KeyIsFreeOnceItsBatchIsGone) {
  const auto b1 = Put("b1", Keyed("k"));
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "b1"}, b1), kAllowed);
  now = 1001;
  EXPECT_EQ(Peek(EnqueueQueuedWorkRequest{Keyed("k")}, b1), "QW-ENQ-6");
  Put("b2", Keyed("k"));
  EXPECT_EQ(HeldCount("QW-ENQ-6"), 1u);
  EXPECT_EQ(HeldCount("QW-CAN-5"), 1u);
}

TEST_F(QueueSpec, KeysOfOtherSessionsAndKeylessDraftsNeverMeet) {
  const auto b1 = Put("b1", Keyed("k"));
  const EnqueueQueuedWorkRequest elsewhere{Keyed("k", Draft("t"))};
  EXPECT_EQ(Peek(elsewhere, b1), "QW-ENQ-7");
  EXPECT_EQ(Judge(elsewhere, BatchFrom(elsewhere.batch, "b2", 2, now)), kAllowed);
  EXPECT_EQ(HeldCount("QW-ENQ-7"), 1u);
  const auto b3 = Put("b3");
  EXPECT_EQ(Peek(EnqueueQueuedWorkRequest{Draft()}, b3), "QW-ENQ-8");
  EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{Draft()}, Backend{}), "QW-ENQ-8");
  Put("b4");
  EXPECT_EQ(HeldCount("QW-ENQ-8"), 1u);
}

TEST_F(QueueSpec, ClasslessDraftsAreAcceptedOrRejected) {  // QW-LAT-12
  for (const QueuedWorkBatchDraft& draft : {Classless(), [] {
                                              QueuedWorkBatchDraft empty = Draft();
                                              empty.payloads.clear();
                                              return empty;
                                            }()}) {
    EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{draft}, Backend{}), kAllowed);
    EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{draft}, QueuedWorkClaimExpired{"s", "c"}), "QW-ENQ-9");
    Put(absl::StrCat("b", seq), draft);
  }
  EXPECT_EQ(HeldCount("QW-ENQ-9"), 2u);
}

TEST_F(QueueSpec, HugeTimesMayBeRefused) {  // QW-LAT-13
  const EnqueueQueuedWorkRequest far{Deferred(kEndOfTime)};
  EXPECT_EQ(PeekError(far, Backend{}), kAllowed);
  EXPECT_EQ(Peek(far, BatchFrom(far.batch, "b1", 1, now)), kAllowed);
  EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{Deferred(9223372036854775807u)}, Backend{}), "QW-ENQ-1");
}

TEST_F(QueueSpec, LosersOfAKeyRaceMayFailOnlyWhileTheyRace) {  // QW-LAT-16
  Put("b1", Keyed("k"));
  EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{Keyed("k")}, Backend{}), "QW-ENQ-1");
  overlap.calls = {{4, EnqueueQueuedWorkRequest{Keyed("other")}}};
  EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{Keyed("k")}, Backend{}), "QW-ENQ-1");
  overlap.calls = {{4, EnqueueQueuedWorkRequest{Keyed("k")}}};
  EXPECT_EQ(PeekError(EnqueueQueuedWorkRequest{Keyed("k")}, Backend{}), kAllowed);
}

TEST_F(QueueSpec, OnlyOverlappingEnqueuesMayPassEachOther) {  // QW-LAT-33
  call = 3;
  const auto b5 = BatchFrom(Draft(), "b5", 5, now);
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Draft()}, b5), kAllowed);
  call = 4;
  const auto b2 = BatchFrom(Draft(), "b2", 2, now);
  EXPECT_EQ(Peek(EnqueueQueuedWorkRequest{Draft()}, b2), "QW-ENQ-3");
  overlap.calls = {{3, EnqueueQueuedWorkRequest{Draft()}}};
  EXPECT_EQ(Peek(EnqueueQueuedWorkRequest{Draft()}, BatchFrom(Draft(), "b2", 5, now)), "QW-ENQ-3");
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Draft()}, b2), kAllowed);
  EXPECT_EQ(List({b2, b5}), kAllowed);
}

TEST_F(QueueSpec, CancelRemovesWhatIsPending) {
  const auto b1 = Put("b1");
  const auto b2 = Put("b2", Deferred(9000));
  QueuedWorkBatch changed = b1;
  changed.enqueue_seq = 9;
  EXPECT_EQ(Peek(CancelQueuedWorkBatchRequest{"s", "b1"}, changed), "QW-CAN-1");
  EXPECT_EQ(Peek(CancelQueuedWorkBatchRequest{"s", "b1"}, std::nullopt), "QW-CAN-5");
  EXPECT_EQ(PeekError(CancelQueuedWorkBatchRequest{"s", "b1"}, SessionExecutionLeaseExpired{"s"}), "QW-CAN-5");
  Hold();
  EXPECT_EQ(Peek(CancelQueuedWorkBatchRequest{"s", "b1"}, std::nullopt), "QW-CAN-1");
  EXPECT_EQ(PeekError(CancelQueuedWorkBatchRequest{"s", "b1"}, Backend{}), "QW-CAN-1");
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "b2"}, b2), kAllowed);
  EXPECT_EQ(Peek(CancelQueuedWorkBatchRequest{"s", "b2"}, b2), "QW-CAN-3");
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "b2"}, std::nullopt), kAllowed);
  EXPECT_EQ(Peek(CancelQueuedWorkBatchRequest{"t", "b1"}, b1), "QW-CAN-3");
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"t", "b1"}, std::nullopt), kAllowed);
  EXPECT_EQ(List({b1}), kAllowed);
  EXPECT_EQ(RefusedCount("QW-CAN-3"), 2u);
}

TEST_F(QueueSpec, CancelLeavesLiveClaimsAloneAndTakesLapsedOnes) {
  const auto b1 = Put("b1");
  Hold(DeadOwner("x"));
  Claim({b1});
  now = 1499;
  EXPECT_EQ(Peek(CancelQueuedWorkBatchRequest{"s", "b1"}, b1), "QW-CAN-2");  // the holder is dead, and it is live
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "b1"}, std::nullopt), kAllowed);
  now = 1500;
  EXPECT_EQ(Peek(CancelQueuedWorkBatchRequest{"s", "b1"}, std::nullopt), "QW-CAN-1");
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "b1"}, b1), kAllowed);
  EXPECT_EQ(List({}), kAllowed);
}

TEST_F(QueueSpec, ListsShowExactlyWhatIsStored) {
  const auto b1 = Put("b1");
  const auto b2 = Put("b2", Classless());
  const auto b3 = Put("b3", Deferred(9000));
  EXPECT_EQ(List({b1, b2, b3}), kAllowed);
  EXPECT_EQ(List({b1, b3}), "QW-LST-1");
  EXPECT_EQ(List({b1, b2, b3, BatchFrom(Draft(), "b4", 4, now)}), "QW-LST-1");
  EXPECT_EQ(List({b2, b1, b3}), "QW-LST-1");
  EXPECT_EQ(List({b1, b1, b2, b3}), "QW-LST-1");
  QueuedWorkBatch changed = b2;
  changed.items[0].item_id = "another";
  EXPECT_EQ(List({b1, changed, b3}), "QW-INV-15");
  EXPECT_EQ(PeekError(ListQueuedWorkRequest{"s"}, Backend{}), "QW-LST-1");
  EXPECT_EQ(Peek(ListQueuedWorkRequest{"t"}, {b1}), "QW-LST-2");
  EXPECT_EQ(PeekError(ListQueuedWorkRequest{"t"}, Backend{}), "QW-LST-2");
  EXPECT_EQ(Judge(ListQueuedWorkRequest{"t"}, std::vector<QueuedWorkBatch>{}), kAllowed);
  EXPECT_EQ(HeldCount("QW-LST-2"), 1u);
}

TEST_F(QueueSpec, PendingHidesLiveClaimsOnly) {
  const auto b1 = Put("b1");
  const auto b2 = Put("b2", Deferred(9000));
  Hold();
  Claim({b1});
  EXPECT_EQ(Pending({b1, b2}), "QW-PND-1");
  EXPECT_EQ(Pending({}), "QW-PND-2");
  EXPECT_EQ(Pending({b2}), kAllowed);
  now = 1499;
  EXPECT_EQ(Pending({b2}), kAllowed);
  now = 1500;
  EXPECT_EQ(Pending({b2}), "QW-PND-1");
  EXPECT_EQ(Pending({b2, b1}), "QW-PND-1");
  EXPECT_EQ(PeekError(ListPendingQueuedWorkRequest{"s"}, Backend{}), "QW-PND-1");
  QueuedWorkBatch changed = b1;
  changed.enqueued_at_ms = 1;
  EXPECT_EQ(Pending({changed, b2}), "QW-INV-15");
  EXPECT_EQ(Pending({b1, b2}), kAllowed);
}

TEST_F(QueueSpec, ADeadHolderStillHidesItsBatches) {
  const auto b1 = Put("b1");
  Hold(DeadOwner("x"));
  Claim({b1});
  EXPECT_EQ(Pending({b1}), "QW-PND-3");
  EXPECT_EQ(Pending({}), kAllowed);
  EXPECT_EQ(HeldCount("QW-PND-3"), 1u);
}

TEST_F(QueueSpec, ASaturatedClaimIsNeverPending) {
  const auto b1 = Put("b1");
  Hold();
  Claim({b1}, 1, kEndOfTime);
  now = kMaxVirtualTime;
  EXPECT_EQ(Pending({b1}), "QW-CLM-13");
  EXPECT_EQ(Pending({}), kAllowed);
}

}  // namespace
}  // namespace leasecheck::session_store
