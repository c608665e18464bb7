// The worked examples of runtime-persistence.md, 6, by their numbers.
#include "tests/memstore/runtime_persistence_fixture.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WorkedExample : public StoreTest {
 protected:
  // The graph of examples 3 and 6.
  void CommitBranches() {
    ASSERT_EQ(Revision(Graph(ReplaceFull{{{N("r"), N("l1", "r"), N("l2", "l1"), N("q", "r")}, "l2"}})), 1u);
  }
};

TEST_F(WorkedExample, E1RevisionsCountFromNoHead) {
  EXPECT_EQ(Load(), std::nullopt);
  EXPECT_TRUE(store_.SaveSessionMeta({MetaOf("s")}).has_value());
  EXPECT_EQ(Load(), std::nullopt);
  EXPECT_EQ(Revision(C("s", 0)), 1u);
  EXPECT_TRUE(FailedWith(Commit(C("s", 0)), HeadRevisionConflict{0, 1}));
  EXPECT_EQ(Revision(C("s")), 2u);
}

TEST_F(WorkedExample, E2OnlyAnAcceptedCommitBinds) {
  EXPECT_TRUE(FailedWith(Commit(C("s", 5)), HeadRevisionConflict{5, 0}));
  EXPECT_EQ(Revision(C("t")), 1u);
  EXPECT_TRUE(FailedWith(Commit(C("s")), SessionBindingMismatch{"t", "s"}));
}

TEST_F(WorkedExample, E3Branches) {
  CommitBranches();
  EXPECT_THAT(IdsOf(Load()->graph), ElementsAre("r", "l1", "l2", "q"));
  EXPECT_THAT(IdsOf(Path()), ElementsAre("r", "l1", "l2"));
  EXPECT_EQ(Path().leaf_node_id, "l2");
  EXPECT_THAT(IdsOf(Path("q")), ElementsAre("r", "q"));
  EXPECT_EQ(Path("q").leaf_node_id, "q");
  EXPECT_EQ(Path("zz"), (SessionGraph{{}, "zz"}));
  EXPECT_EQ(Load()->graph.leaf_node_id, "l2");
}

TEST_F(WorkedExample, E4TheLeafMoves) {
  EXPECT_EQ(Revision(Graph(ReplaceFull{{{N("a")}, "a"}})), 1u);
  EXPECT_EQ(Revision(Graph(Append{{N("b", "a")}, "b"})), 2u);
  EXPECT_EQ(Load()->graph.leaf_node_id, "b");
  EXPECT_EQ(Revision(Graph(Unchanged{"a"})), 3u);
  EXPECT_THAT(IdsOf(Load()->graph), ElementsAre("a", "b"));
  EXPECT_EQ(Load()->graph.leaf_node_id, "a");
  EXPECT_THAT(IdsOf(Path()), ElementsAre("a"));
  EXPECT_EQ(Revision(Graph(Unchanged{})), 4u);
  EXPECT_EQ(Path(), SessionGraph());
}

TEST_F(WorkedExample, E5AnOrphanIsAcceptedAndStoredOnce) {
  EXPECT_EQ(Revision(Graph(Append{{N("x", "ghost")}, "x"})), 1u);
  EXPECT_THAT(IdsOf(Path()), ElementsAre("x"));
  EXPECT_TRUE(FailedWith(Commit(Graph(Append{{N("x", "a")}, "x"})), kBackend));
  EXPECT_EQ(Load()->head_revision, 1u);
  EXPECT_EQ(LoadNode("x")->parent_node_id, "ghost");
}

TEST_F(WorkedExample, E6ATombstoneHidesAndEndsThePath) {
  CommitBranches();
  Tombstone({"l1", "nosuch", "l1"});
  for (const bool vacuumed : {false, true}) {
    EXPECT_EQ(LoadNode("l1"), std::nullopt) << vacuumed;
    EXPECT_THAT(IdsOf(Load()->graph), ElementsAre("r", "l2", "q"));
    EXPECT_THAT(IdsOf(Path()), ElementsAre("l2"));
    EXPECT_EQ(Path().leaf_node_id, "l2");
    EXPECT_EQ(Load()->head_revision, 1u);
    EXPECT_EQ(Vacuum(), vacuumed ? 0u : 1u);
  }
  EXPECT_EQ(Revision(Graph(ReplaceFull{{{N("r"), N("l1", "r")}, "l1"}})), 2u);
  EXPECT_THAT(IdsOf(Path()), ElementsAre("r", "l1"));
}

TEST_F(WorkedExample, E7AReplayReturnsTheOldResult) {
  RuntimeCommit first = Stamped(C("s"), "t1", "h1");
  first.usage_deltas = {Usage("turn", 10)};
  const RuntimeCommitResult result = Commit(first).value();
  EXPECT_EQ(result.head_revision, 1u);
  EXPECT_EQ(Revision(C("s", 1)), 2u);
  first.expected_head_revision = 0;
  EXPECT_EQ(Commit(first).value(), result);
  EXPECT_EQ(Load()->head_revision, 2u);
  EXPECT_THAT(Load()->token_ledger, ElementsAre(Usage("turn", 10)));
  EXPECT_TRUE(FailedWith(Commit(Stamped(C("s"), "t1", "h2")), RuntimeTurnCommitConflict{"s", "t1"}));
}

TEST_F(WorkedExample, E8AStampOfAnotherSessionComesBeforeTheRevision) {
  for (const std::optional<uint64_t> expected : {std::optional<uint64_t>(), std::optional<uint64_t>(7)}) {
    RuntimeCommit commit = C("s", expected);
    commit.turn_commit = RuntimeTurnCommitStamp{"z", "t9", "h"};
    EXPECT_TRUE(FailedWith(Commit(commit), RuntimeTurnCommitConflict{"z", "t9"}));
  }
}

TEST_F(WorkedExample, E9AFailedCommitLeavesItsStampFree) {
  Enqueue(Work());
  const Claim claim = *ClaimWork();
  EXPECT_TRUE(FailedWith(Commit(Stamped(Completing({Forged(claim)}), "t1", "h1")), Expired(claim)));
  EXPECT_EQ(Load(), std::nullopt);
  EXPECT_THAT(List(), ElementsAre("b1"));
  EXPECT_EQ(Revision(Stamped(Completing({claim}), "t1", "h2")), 1u);
}

TEST_F(WorkedExample, E10TwoCompletionsSettleTogetherOrNotAtAll) {
  Enqueue(Work());
  Enqueue(Work());
  const Claim k1 = *ClaimWork();
  const Claim k2 = *ClaimWork();
  EXPECT_TRUE(FailedWith(Commit(Completing({k1, Forged(k2)})), Expired(k2)));
  EXPECT_THAT(List(), ElementsAre("b1", "b2"));
  EXPECT_TRUE(Renew(k1, 60000).has_value());
  EXPECT_EQ(Revision(Completing({k1, k2})), 1u);
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(WorkedExample, E11TheLedgerMerges) {
  for (const TokenLedgerEntry& delta :
       {Usage("turn", 10, 2, 0, 1), Usage("sub", 1), Usage("turn", 5, 0, 7, 0), Usage("turn", 0, 0, 4, 0)}) {
    RuntimeCommit commit = C("s");
    commit.usage_deltas = {delta};
    ASSERT_TRUE(Commit(commit).has_value());
  }
  EXPECT_THAT(Load()->token_ledger, ElementsAre(Usage("turn", 15, 2, 11, 1), Usage("sub", 1)));
}

TEST_F(WorkedExample, E12AClaimLapsesAtItsExpiry) {
  Enqueue(Work());
  const Claim old = *ClaimWork(50);
  EXPECT_EQ(old.expires_at_epoch_ms, 1050u);
  clock_.Set(1049);
  EXPECT_THAT(Pending(), IsEmpty());
  EXPECT_EQ(Cancel("b1"), std::nullopt);
  clock_.Set(1050);
  EXPECT_THAT(Pending(), ElementsAre("b1"));
  EXPECT_EQ(ClaimWork(50, 1, kIdle, "o2")->fencing_token, 2u);
  EXPECT_TRUE(FailedWith(Commit(Completing({old})), Expired(old)));
  EXPECT_TRUE(FailedWith(Renew(old, 50), Expired(old)));
}

TEST_F(WorkedExample, E13ALapsedClaimThatNobodyTookStillWorks) {
  Enqueue(Work());
  const Claim claim = *ClaimWork(50);
  clock_.Set(9000);
  const RuntimePersistenceSnapshot lapsed = store_.Snapshot();
  EXPECT_EQ(Renew(claim, 100)->expires_at_epoch_ms, 9100u);
  store_.Restore(lapsed);
  EXPECT_EQ(Revision(Completing({claim})), 1u);
}

TEST_F(WorkedExample, E14AClaimWithTtl0HasLapsed) {
  Enqueue(Work());
  const Claim first = *ClaimWork(0);
  EXPECT_EQ(first.expires_at_epoch_ms, 1000u);
  EXPECT_EQ(first.fencing_token, 1u);
  EXPECT_EQ(ClaimWork(0, 1, kIdle, "o2")->fencing_token, 2u);
}

TEST_F(WorkedExample, E15TheBoundaryGatesTheHead) {
  QueuedWorkBatchDraft late = Work();
  late.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  Enqueue(late);
  Enqueue(Work());
  EXPECT_EQ(ClaimWork(60000, 1, kCheckpoint), std::nullopt);
  const Claim a = *ClaimWork();
  EXPECT_THAT(IdsOf(a.batches), ElementsAre("b1"));
  EXPECT_THAT(IdsOf(ClaimWork(60000, 1, kCheckpoint)), ElementsAre("b2"));
  Abandon(a);
  const Claim again = *ClaimWork();
  EXPECT_THAT(IdsOf(again.batches), ElementsAre("b1"));
  EXPECT_EQ(again.fencing_token, 2u);
}

TEST_F(WorkedExample, E16GroupsJoinUpToTheFirstOther) {
  for (const char* group : {"g", "g", "h", "g"}) Enqueue(Join(MergeGroup{group}));
  const RuntimePersistenceSnapshot fresh = store_.Snapshot();
  EXPECT_THAT(IdsOf(ClaimWork(60000, 10)), ElementsAre("b1", "b2"));
  EXPECT_THAT(IdsOf(ClaimWork(60000, 10)), ElementsAre("b3"));
  EXPECT_THAT(IdsOf(ClaimWork(60000, 10)), ElementsAre("b4"));
  store_.Restore(fresh);
  EXPECT_THAT(IdsOf(ClaimWork(60000, 1)), ElementsAre("b1"));
  EXPECT_THAT(IdsOf(ClaimWork(60000, 10)), ElementsAre("b2"));
}

TEST_F(WorkedExample, E17ByIdsTakesTheHeadOrNothing) {
  Enqueue(Work());
  Enqueue(Work());
  EXPECT_EQ(ClaimIds({"b2"}), std::nullopt);
  EXPECT_THAT(Pending(), ElementsAre("b1", "b2"));
  EXPECT_EQ(ClaimIds({"b1"})->fencing_token, 2u);
  EXPECT_EQ(ClaimIds({}), std::nullopt);
}

TEST_F(WorkedExample, E18ASourceKeyFindsItsBatchUntilItIsGone) {
  const Batch first = Enqueue(Keyed("k", "{\"p\":1}"));
  const Claim claim = *ClaimWork();
  EXPECT_EQ(Enqueue(Keyed("k", "{\"p\":2}")), first);
  EXPECT_THAT(List(), ElementsAre("b1"));
  ASSERT_TRUE(Commit(Completing({claim})).has_value());
  const Batch second = Enqueue(Keyed("k", "{\"p\":2}"));
  EXPECT_NE(second.batch_id, first.batch_id);
  EXPECT_GT(second.enqueue_seq, first.enqueue_seq);
}

TEST_F(WorkedExample, E19AClaimThatLostOneRow) {
  clock_.Set(0);
  Enqueue(Join(MergeGroup{"g"}));
  Enqueue(Join(MergeGroup{"g"}));
  const Claim k1 = *ClaimWork(50, 2);
  clock_.Set(50);
  const Claim taken = *ClaimWork(60000, 1, kIdle, "o2");
  EXPECT_THAT(IdsOf(taken.batches), ElementsAre("b1"));
  EXPECT_TRUE(FailedWith(Renew(k1, 1000), Expired(k1)));
  EXPECT_THAT(Pending(), ElementsAre("b2"));
  EXPECT_TRUE(FailedWith(Commit(Completing({k1})), Expired(k1)));
  Abandon(k1);
  EXPECT_TRUE(Renew(taken, 1000).has_value());
  EXPECT_THAT(IdsOf(ClaimWork()), ElementsAre("b2"));
}

TEST_F(WorkedExample, E20BlobsAreKeptAsLongAsTheHeadNamesThem) {
  RuntimeCommit inline_state = C("s");
  inline_state.checkpoint.tool_state = OpaqueJson{"{\"generation\":1}"};
  const BlobRef h1 = Commit(inline_state).value().manifest.tool_state_ref.value();
  RuntimeCommit by_ref = C("s");
  by_ref.checkpoint.tool_state_ref = h1;
  ASSERT_EQ(Revision(by_ref), 2u);
  EXPECT_EQ(Load()->checkpoint->tool_state, OpaqueJson{"{\"generation\":1}"});
  RuntimeCommit next = C("s");
  next.checkpoint.tool_state = OpaqueJson{"{\"generation\":2}"};
  ASSERT_EQ(Revision(next), 3u);
  // The first two checkpoints have one content, and so one manifest.
  EXPECT_EQ(store_.GcUnreachable({}).value(), (GcReport{1, 2, 2}));
  EXPECT_EQ(store_.GcUnreachable({}).value(), (GcReport{1, 2, 0}));
  EXPECT_EQ(Load()->checkpoint->tool_state, OpaqueJson{"{\"generation\":2}"});
}

TEST_F(WorkedExample, E21Attachments) {
  Record("x", "s", 100);
  Record("y", "s", 200);
  EXPECT_THAT(Uncommitted(99), IsEmpty());
  EXPECT_THAT(Uncommitted(100), ElementsAre("x"));
  EXPECT_TRUE(store_.CommitRefs({"other", {"x"}}).has_value());
  EXPECT_THAT(Uncommitted(100), ElementsAre("x"));
  RuntimeCommit rejected = C("s", 9);
  rejected.committed_attachment_ids = {"y"};
  EXPECT_TRUE(FailedWith(Commit(rejected), HeadRevisionConflict{9, 0}));
  RuntimeCommit commit = C("s");
  commit.committed_attachment_ids = {"x", "nosuch"};
  EXPECT_EQ(Revision(commit), 1u);
  EXPECT_THAT(Uncommitted(500), ElementsAre("y"));
  EXPECT_TRUE(store_.Forget({"y"}).has_value());
  EXPECT_THAT(Uncommitted(500), IsEmpty());
}

}  // namespace
}  // namespace leasecheck::memstore
