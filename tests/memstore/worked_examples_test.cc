// The worked examples of queued-work.md, section 6, one test each, by their numbers.
#include "tests/memstore/fixture.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using WorkedExample = StoreTest;

TEST_F(WorkedExample, N01KeyReplaysUntilSettled) {
  const Batch a = Enqueue(Keyed("k"));
  clock_.Set(1001);
  QueuedWorkBatchDraft other = Keyed("k", Command());
  EXPECT_EQ(Enqueue(other), a);
  const Lane lane = Hold();
  const auto claim = ClaimWork(lane);
  ASSERT_TRUE(claim.has_value());
  ASSERT_TRUE(Settle(lane, {*claim}).has_value());
  const Batch b = Enqueue(Keyed("k"));
  EXPECT_NE(b.batch_id, a.batch_id);
  EXPECT_GT(b.enqueue_seq, a.enqueue_seq);
}

TEST_F(WorkedExample, N02ClaimLapsesAndIsRetaken) {
  const Batch a = Enqueue(Turn());
  const Lane lane = Hold(kX, 60000);
  EXPECT_EQ(lane.fencing_token, 1u);
  const auto first = ClaimWork(lane, 500);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->fencing_token, 1u);
  EXPECT_EQ(first->expires_at_epoch_ms, 1500u);
  clock_.Set(1499);
  EXPECT_THAT(Pending(), IsEmpty());
  clock_.Set(1500);
  EXPECT_THAT(Pending(), ElementsAre(a.batch_id));
  const auto second = ClaimWork(lane, 500);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->fencing_token, 2u);
  EXPECT_TRUE(FailedWith(Settle(lane, {*first}), QueuedWorkClaimExpired{"s", first->claim_id}));
  EXPECT_TRUE(Settle(lane, {*second}).has_value());
}

TEST_F(WorkedExample, N02LapsedClaimCanBeCancelled) {
  const Batch a = Enqueue(Turn());
  ASSERT_TRUE(ClaimWork(Hold(), 500).has_value());
  clock_.Set(1500);
  EXPECT_EQ(Cancel(a.batch_id), a);
}

TEST_F(WorkedExample, N03ZeroTtlStillSettles) {
  Enqueue(Turn());
  const Lane lane = Hold();
  const auto claim = ClaimWork(lane, 0);
  ASSERT_TRUE(claim.has_value());
  EXPECT_EQ(claim->expires_at_epoch_ms, 1000u);
  clock_.Set(9000);
  EXPECT_TRUE(Settle(lane, {*claim}).has_value());
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(WorkedExample, N04LapsedClaimRenewsUnlessRetaken) {
  Enqueue(Turn());
  const Lane lane = Hold();
  const auto claim = ClaimWork(lane, 500);
  ASSERT_TRUE(claim.has_value());
  const SessionStoreSnapshot claimed = store_.Snapshot();
  clock_.Set(2000);
  const auto renewed = Renew(*claim, 1000);
  ASSERT_TRUE(renewed.has_value());
  Claim expected = *claim;
  expected.expires_at_epoch_ms = 3000;
  EXPECT_EQ(*renewed, expected);
  EXPECT_THAT(Pending(), IsEmpty());

  store_.Restore(claimed);
  clock_.Set(1600);
  const auto taken = ClaimWork(lane, 10000, 1, kY);
  ASSERT_TRUE(taken.has_value());
  clock_.Set(2000);
  const SessionStoreSnapshot before = store_.Snapshot();
  EXPECT_TRUE(FailedWith(Renew(*claim, 1000), QueuedWorkClaimExpired{"s", claim->claim_id}));
  EXPECT_EQ(store_.Snapshot(), before);
}

TEST_F(WorkedExample, N05CommandBlocksOnlyWhileCandidate) {
  const Batch c = Enqueue(Command());
  const Batch d = Enqueue(Turn());
  const Lane lane = Hold();
  EXPECT_FALSE(ClaimWork(lane, 60000, 10).has_value());
  EXPECT_THAT(IdsOf(ClaimCommand(lane)), ElementsAre(c.batch_id));
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 10)), ElementsAre(d.batch_id));
}

TEST_F(WorkedExample, N06CheckpointNeedsAnEarliestHead) {
  QueuedWorkBatchDraft after = Turn();
  after.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  const Batch d1 = Enqueue(after);
  const Batch d2 = Enqueue(Turn());
  const Lane lane = Hold();
  EXPECT_FALSE(ClaimWork(lane, 60000, 10, kX, kCheckpoint).has_value());
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 10)), ElementsAre(d1.batch_id));
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 10, kX, kCheckpoint)), ElementsAre(d2.batch_id));
}

TEST_F(WorkedExample, N07JoinGroupsByKey) {
  const Batch a = Enqueue(Join("g"));
  const Batch b = Enqueue(Join("g"));
  const Batch c = Enqueue(Join("h"));
  const Batch d = Enqueue(Join("g"));
  const Lane lane = Hold();
  const SessionStoreSnapshot before = store_.Snapshot();
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 10)), ElementsAre(a.batch_id, b.batch_id));
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 10)), ElementsAre(c.batch_id));
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 10)), ElementsAre(d.batch_id));
  store_.Restore(before);
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 1)), ElementsAre(a.batch_id));
}

TEST_F(WorkedExample, N08OnlyCandidatesEndAGroup) {
  const Batch a = Enqueue(Join("g"));
  const Batch b = Enqueue(Turn());
  const Batch c = Enqueue(Join("g"));
  const Lane lane = Hold();
  const SessionStoreSnapshot pending = store_.Snapshot();
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 10)), ElementsAre(a.batch_id));
  // B is claimed while A is out of the way.
  store_.Restore(pending);
  const auto a_alone = ClaimWork(lane);
  ASSERT_TRUE(a_alone.has_value());
  ASSERT_THAT(IdsOf(ClaimWork(lane)), ElementsAre(b.batch_id));
  Abandon(*a_alone);
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 10)), ElementsAre(a.batch_id, c.batch_id));
}

TEST_F(WorkedExample, N08DeferredDoesNotEndAGroup) {
  const Batch a = Enqueue(Join("g"));
  Enqueue(At(1001));
  const Batch c = Enqueue(Join("g"));
  EXPECT_THAT(IdsOf(ClaimWork(Hold(), 60000, 10)), ElementsAre(a.batch_id, c.batch_id));
}

TEST_F(WorkedExample, N09ByIdsNeverSkips) {
  const Batch a = Enqueue(Turn());
  const Batch b = Enqueue(Turn());
  const Lane lane = Hold();
  EXPECT_FALSE(ClaimIds(lane, {b.batch_id}).has_value());
  EXPECT_THAT(Pending(), ElementsAre(a.batch_id, b.batch_id));
  EXPECT_THAT(IdsOf(ClaimIds(lane, {a.batch_id})), ElementsAre(a.batch_id));
}

TEST_F(WorkedExample, N09ByIdsTakesGroupsAndPrefixes) {
  const std::string a = Enqueue(Join("g")).batch_id;
  const std::string b = Enqueue(Join("g")).batch_id;
  const Lane lane = Hold();
  const SessionStoreSnapshot before = store_.Snapshot();
  EXPECT_FALSE(ClaimIds(lane, {b, a}).has_value());
  EXPECT_EQ(store_.Snapshot(), before) << "a mismatch leaves no mark (LAT-22)";
  EXPECT_THAT(IdsOf(ClaimIds(lane, {a, b})), ElementsAre(a, b));
  store_.Restore(before);
  EXPECT_THAT(IdsOf(ClaimIds(lane, {a})), ElementsAre(a));
}

TEST_F(WorkedExample, N10ZeroBatchesComeBeforeTheFence) {
  Enqueue(Turn());
  Lane garbage = Hold();
  garbage.lease_token = "garbage";
  EXPECT_FALSE(TryClaim(garbage, 60000, 0).value().has_value());
  EXPECT_TRUE(FailedWith(TryClaim(garbage, 60000, 1), SessionExecutionLeaseExpired{"s"}));
  EXPECT_FALSE(ClaimIds(garbage, {}).has_value());
}

TEST_F(WorkedExample, N11RenewOfAPartlyLostClaimChangesNothing) {
  const Batch a = Enqueue(Join("g"));
  const Batch b = Enqueue(Join("g"));
  const Lane lane = Hold();
  const auto claim = ClaimWork(lane, 0, 10);
  ASSERT_THAT(IdsOf(claim), ElementsAre(a.batch_id, b.batch_id));
  EXPECT_EQ(Cancel(a.batch_id), a);
  EXPECT_TRUE(FailedWith(Renew(*claim, 60000), QueuedWorkClaimExpired{"s", claim->claim_id}));
  EXPECT_THAT(Pending(), ElementsAre(b.batch_id));
  EXPECT_THAT(IdsOf(ClaimWork(lane, 60000, 10, kY)), ElementsAre(b.batch_id));
}

TEST_F(WorkedExample, N12TokensRiseAboveEveryRow) {
  const Batch a = Enqueue(Join("g"));
  const Batch b = Enqueue(Join("g"));
  const Lane lane = Hold();
  for (uint64_t token = 1; token <= 5; ++token) {
    const auto claim = ClaimWork(lane);
    ASSERT_TRUE(claim.has_value());
    EXPECT_EQ(claim->fencing_token, token);
    Abandon(*claim);
  }
  const auto both = ClaimWork(lane, 60000, 2);
  ASSERT_THAT(IdsOf(both), ElementsAre(a.batch_id, b.batch_id));
  EXPECT_EQ(both->fencing_token, 6u);
  Abandon(*both);
  EXPECT_TRUE(Cancel(a.batch_id).has_value());
  const auto rest = ClaimWork(lane);
  ASSERT_THAT(IdsOf(rest), ElementsAre(b.batch_id));
  EXPECT_EQ(rest->fencing_token, 7u);
}

TEST_F(WorkedExample, N13CommitIsAllOrNothing) {
  const Batch a = Enqueue(Turn());
  const Batch b = Enqueue(Turn());
  const Lane lane = Hold();
  const auto c1 = ClaimWork(lane);
  const auto c2 = ClaimWork(lane);
  ASSERT_TRUE(c1.has_value() && c2.has_value());
  Claim wrong = *c2;
  wrong.lease_token = "wrong";
  EXPECT_TRUE(FailedWith(Settle(lane, {*c1, wrong}), QueuedWorkClaimExpired{"s", c2->claim_id}));
  EXPECT_THAT(List(), ElementsAre(a.batch_id, b.batch_id));
  EXPECT_FALSE(store_.LoadSession({}).value().has_value());
  EXPECT_EQ(Settle(lane, {*c1, *c2}).value().head_revision, 1u);
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(WorkedExample, N14StampedRetryReplays) {
  const Lane lane = Hold();
  RuntimeCommit commit = CommitOf(lane);
  commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  commit.release_session_execution_lease = ReleaseOf(lane);
  const auto first = Commit(commit);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->head_revision, 1u);
  EXPECT_EQ(Hold(kY).fencing_token, 2u) << "the lane is free";
  commit.session_execution_lease.reset();
  EXPECT_EQ(Commit(commit), first);
  commit.turn_commit->turn_commit_hash = "h'";
  EXPECT_TRUE(FailedWith(Commit(commit), RuntimeTurnCommitConflict{"s", "t"}));
}

TEST_F(WorkedExample, N15HeadConflictLeavesClaims) {
  const Batch a = Enqueue(Turn());
  const Lane lane = Hold();
  RuntimeCommit commit = CommitOf(lane);
  commit.expected_head_revision = 0;
  EXPECT_EQ(Commit(commit).value().head_revision, 1u);
  const auto claim = ClaimWork(lane);
  ASSERT_TRUE(claim.has_value());
  commit.completed_queue_claims = {CompletionOf(*claim)};
  EXPECT_TRUE(FailedWith(Commit(commit), HeadRevisionConflict{0, 1}));
  EXPECT_THAT(List(), ElementsAre(a.batch_id));
  EXPECT_THAT(Pending(), IsEmpty());
  commit.expected_head_revision = 1;
  EXPECT_EQ(Commit(commit).value().head_revision, 2u);
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(WorkedExample, N16LaneLapsesAndIsSuperseded) {
  clock_.Set(0);
  const Lane f1 = Hold(kX, 100);
  EXPECT_EQ(f1.fencing_token, 1u);
  EXPECT_EQ(f1.expires_at_epoch_ms, 100u);
  clock_.Set(99);
  EXPECT_EQ(store_.TryClaimSessionExecutionLease({"s", kY, 100}).value(), SessionExecutionLeaseClaimOutcome(LeaseBusy{f1}));
  clock_.Set(100);
  const Lane f2 = Hold(kY, 100);
  EXPECT_EQ(f2.fencing_token, 2u);
  EXPECT_TRUE(store_.ReleaseSessionExecutionLease({ReleaseOf(f1)}).has_value());
  EXPECT_EQ(store_.TryClaimSessionExecutionLease({"s", kX, 100}).value(), SessionExecutionLeaseClaimOutcome(LeaseBusy{f2}));
  EXPECT_TRUE(FailedWith(store_.RenewSessionExecutionLease({FenceOf(f1), 100}), SessionExecutionLeaseExpired{"s"}));
  EXPECT_TRUE(FailedWith(TryClaim(f1), SessionExecutionLeaseExpired{"s"}));
}

TEST_F(WorkedExample, N17LaneReentryAndIncarnations) {
  clock_.Set(0);
  const LeaseOwnerIdentity x1{"x", "i1", OpaqueOwner{}};
  const LeaseOwnerIdentity x2{"x", "i2", OpaqueOwner{}};
  const Lane first = Hold(x1, 100);
  clock_.Set(5);
  Lane reentered = first;
  reentered.expires_at_epoch_ms = 15;
  EXPECT_EQ(Hold(x1, 10), reentered);
  clock_.Set(6);
  EXPECT_EQ(store_.TryClaimSessionExecutionLease({"s", x2, 10}).value(), SessionExecutionLeaseClaimOutcome(LeaseBusy{reentered}));
  clock_.Set(15);
  EXPECT_TRUE(FailedWith(store_.RenewSessionExecutionLease({FenceOf(first), 10}), SessionExecutionLeaseExpired{"s"}));
}

TEST_F(WorkedExample, N18ReclaimOfADeadHoldersLane) {
  const Lane dead = Hold(Process("x", kDeadPid));
  const LeaseOwnerIdentity y = Process("y", 1);
  const LeaseOwnerIdentity z = Process("z", 1);
  EXPECT_EQ(store_.TryClaimSessionExecutionLease({"s", y, 100}).value(), SessionExecutionLeaseClaimOutcome(LeaseBusy{dead}));
  const auto taken = store_.ReclaimSessionExecutionLease({"s", y, FenceOf(dead), 100}).value();
  ASSERT_TRUE(std::holds_alternative<LeaseAcquired>(taken));
  const Lane of_y = std::get<LeaseAcquired>(taken).lease;
  EXPECT_EQ(of_y.fencing_token, 2u);
  EXPECT_NE(of_y.lease_token, dead.lease_token);
  EXPECT_EQ(store_.ReclaimSessionExecutionLease({"s", z, FenceOf(dead), 100}).value(),
            SessionExecutionLeaseClaimOutcome(LeaseBusy{of_y}));
}

TEST_F(WorkedExample, N19ClaimOutlivesItsLane) {
  const Batch a = Enqueue(Turn());
  const Lane of_x = Hold(kX);
  const auto claim = ClaimWork(of_x, 60000);
  ASSERT_TRUE(claim.has_value());
  EXPECT_TRUE(store_.ReleaseSessionExecutionLease({ReleaseOf(of_x)}).has_value());
  const Lane of_y = Hold(kY);
  EXPECT_FALSE(ClaimWork(of_y, 60000, 1, kY).has_value());
  EXPECT_FALSE(Cancel(a.batch_id).has_value());
  EXPECT_TRUE(Settle(of_y, {*claim}).has_value());
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(WorkedExample, N20ClasslessBatchBlocksClaimsUntilCancelled) {
  const Batch m = Enqueue(Mixed());
  const Batch d = Enqueue(Turn());
  const Lane lane = Hold();
  EXPECT_TRUE(FailedWith(TryClaim(lane), Backend{}));
  EXPECT_TRUE(FailedWith(store_.ClaimLeadingReadySessionCommand({"s", FenceOf(lane), kX, 1}), Backend{}));
  EXPECT_EQ(Cancel(m.batch_id), m);
  EXPECT_THAT(IdsOf(ClaimWork(lane)), ElementsAre(d.batch_id));
}

}  // namespace
}  // namespace leasecheck::memstore
