// What the worked examples leave out: the contract at its edges.
#include <limits>

#include "tests/memstore/runtime_persistence_fixture.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
constexpr int64_t kMaxSigned = std::numeric_limits<int64_t>::max();

class RuntimePersistenceTest : public StoreTest {};

// A commit with an effect in every area, as session "s".
RuntimeCommit Full(const std::vector<Claim>& claims) {
  RuntimeCommit commit = Stamped(Completing(claims), "t", "h");
  commit.config = {"provider", {"{\"id\":\"m\"}"}};
  commit.agent_frames = {{"f", std::nullopt, {"{\"depth\":0}"}}};
  commit.current_agent_frame_id = "f";
  commit.graph = Append{{N("a"), N("b", "a")}, "b"};
  commit.checkpoint.tool_state = OpaqueJson{"{\"generation\":1}"};
  commit.checkpoint.plugin_snapshot = OpaqueJson{"[1]"};
  commit.checkpoint.plugin_snapshot_revision = kMax;
  commit.checkpoint.execution_state = std::vector<uint8_t>{0, 255};
  commit.usage_deltas = {Usage("turn", 3)};
  commit.committed_attachment_ids = {"x"};
  return commit;
}

TEST_F(RuntimePersistenceTest, AReadShowsAllThatACommitCarried) {
  const RuntimeCommit commit = Full({});
  const RuntimeCommitResult result = Commit(commit).value();
  const PersistedSessionRead read = Load().value();
  EXPECT_EQ(read.session_id, "s");
  EXPECT_EQ(read.config, commit.config);
  EXPECT_EQ(read.agent_frames, commit.agent_frames);
  EXPECT_EQ(read.current_agent_frame_id, "f");
  EXPECT_EQ(read.checkpoint_ref, result.checkpoint_ref);
  ASSERT_TRUE(read.checkpoint.has_value());
  EXPECT_EQ(read.checkpoint->tool_state, commit.checkpoint.tool_state);
  EXPECT_EQ(read.checkpoint->plugin_snapshot, commit.checkpoint.plugin_snapshot);
  EXPECT_EQ(read.checkpoint->plugin_snapshot_revision, kMax);
  EXPECT_EQ(read.checkpoint->execution_state, commit.checkpoint.execution_state);
  EXPECT_EQ(read.checkpoint->turn_state, commit.checkpoint.turn_state);
  EXPECT_EQ(result.manifest.turn_state, commit.checkpoint.turn_state);
  EXPECT_EQ(result.manifest.tool_state_ref, read.checkpoint->tool_state_ref);
  EXPECT_EQ(result.manifest.plugin_snapshot_ref, read.checkpoint->plugin_snapshot_ref);
  EXPECT_EQ(result.manifest.execution_state_ref, read.checkpoint->execution_state_ref);
}

TEST_F(RuntimePersistenceTest, ACommitThatFailsOnItsLastCompletionChangesNothing) {
  std::vector<Claim> claims;
  for (int i = 0; i < 3; ++i) {
    Enqueue(Work());
    claims.push_back(*ClaimWork());
  }
  Record("x", "s", 1);
  ASSERT_EQ(Revision(Graph(Append{{N("z")}, "z"})), 1u);
  const RuntimePersistenceSnapshot before = store_.Snapshot();
  const Claim last = claims.back();
  claims.back() = Forged(last);
  EXPECT_TRUE(FailedWith(Commit(Full(claims)), Expired(last)));
  EXPECT_EQ(store_.Snapshot(), before);
  claims.back() = last;
  EXPECT_EQ(Revision(Full(claims)), 2u);
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_THAT(Uncommitted(), IsEmpty());
}

TEST_F(RuntimePersistenceTest, ACommitThatFailsOnItsGraphChangesNothing) {
  Enqueue(Work());
  const Claim claim = *ClaimWork();
  ASSERT_EQ(Revision(Graph(Append{{N("a")}, "a"})), 1u);
  const RuntimePersistenceSnapshot before = store_.Snapshot();
  EXPECT_TRUE(FailedWith(Commit(Full({claim})), kBackend));
  RuntimeCommit twice = Full({claim});
  twice.graph = Append{{N("c"), N("c")}, "c"};
  EXPECT_TRUE(FailedWith(Commit(twice), kBackend));
  twice.graph = ReplaceFull{{{N("c"), N("d"), N("c")}, "c"}};
  EXPECT_TRUE(FailedWith(Commit(twice), kBackend));
  EXPECT_EQ(store_.Snapshot(), before);
}

TEST_F(RuntimePersistenceTest, ChecksComeInTheContractsOrder) {
  Enqueue(Work());
  const Claim claim = *ClaimWork();
  ASSERT_EQ(Revision(Stamped(Graph(Append{{N("a")}, "a"}), "t1", "h")), 1u);
  RuntimeCommit wrong = C("u", 9);  // wrong in every way, put right one by one
  wrong.turn_commit = RuntimeTurnCommitStamp{"v", "t1", "other"};
  wrong.completed_queue_claims = {CompletionOf(Forged(claim))};
  wrong.graph = Append{{N("a")}, "a"};
  EXPECT_TRUE(FailedWith(Commit(wrong), SessionBindingMismatch{"s", "u"}));
  wrong.session_id = "s";
  EXPECT_TRUE(FailedWith(Commit(wrong), RuntimeTurnCommitConflict{"v", "t1"}));
  wrong.turn_commit->session_id = "s";
  EXPECT_TRUE(FailedWith(Commit(wrong), RuntimeTurnCommitConflict{"s", "t1"}));
  wrong.turn_commit->turn_id = "t2";
  EXPECT_TRUE(FailedWith(Commit(wrong), HeadRevisionConflict{9, 1}));
  wrong.expected_head_revision = 1;
  EXPECT_TRUE(FailedWith(Commit(wrong), Expired(claim)));
  wrong.completed_queue_claims = {CompletionOf(claim)};
  EXPECT_TRUE(FailedWith(Commit(wrong), kBackend));
  wrong.graph = Unchanged{"a"};
  EXPECT_EQ(Revision(wrong), 2u);
}

TEST_F(RuntimePersistenceTest, CompletionsOfPartOfAClaimAndWhatTheyMayNotName) {
  for (int i = 0; i < 3; ++i) Enqueue(Join(MergeGroup{"g"}));
  Enqueue(Work());
  const Claim group = *ClaimWork(60000, 3);
  const Claim other = *ClaimWork();
  auto with = [&](Ids ids, const std::string& session = "s") {
    RuntimeCommit commit = C("s");
    commit.completed_queue_claims = {{session, group.claim_id, group.lease_token, std::move(ids)}};
    return commit;
  };
  EXPECT_TRUE(FailedWith(Commit(with({"b1", other.batches[0].batch_id})), Expired(group)));
  EXPECT_TRUE(FailedWith(Commit(with({"b1", "b1"})), Expired(group)));
  EXPECT_TRUE(FailedWith(Commit(with({"b1", "nosuch"})), Expired(group)));
  EXPECT_TRUE(FailedWith(Commit(with({"b1"}, "u")), (QueuedWorkClaimExpired{"u", group.claim_id})));
  EXPECT_TRUE(FailedWith(Commit(Completing({other, other})), Expired(other)));
  EXPECT_THAT(List(), SizeIs(4));
  EXPECT_EQ(Revision(with({})), 1u);
  EXPECT_EQ(Revision(with({"b3", "b1"})), 2u);
  EXPECT_THAT(List(), ElementsAre("b2", "b4"));
  EXPECT_THAT(Pending(), IsEmpty());
  EXPECT_TRUE(FailedWith(Renew(group, 1), Expired(group)));
  Claim narrowed = group;
  narrowed.batches = {group.batches[1]};
  EXPECT_TRUE(Renew(narrowed, 1).has_value());
}

TEST_F(RuntimePersistenceTest, AReplayLooksAtNothingElse) {
  Enqueue(Work());
  const Claim claim = *ClaimWork();
  const RuntimeCommit commit = Full({claim});
  const RuntimeCommitResult result = Commit(commit).value();
  const RuntimePersistenceSnapshot after = store_.Snapshot();
  EXPECT_EQ(Commit(commit).value(), result);  // its completion is stale, its nodes are stored
  RuntimeCommit other = C("s", 77);
  EXPECT_EQ(Commit(Stamped(other, "t", "h")).value(), result);
  EXPECT_EQ(store_.Snapshot(), after);
}

TEST_F(RuntimePersistenceTest, AReplayedRefMayLeadNowhereAfterACollection) {
  RuntimeCommit first = Stamped(C("s"), "t", "h");
  first.checkpoint.turn_state.text = "{\"turn_index\":1}";
  const RuntimeCommitResult result = Commit(first).value();
  ASSERT_EQ(Revision(C("s")), 2u);
  EXPECT_EQ(store_.GcUnreachable({}).value(), (GcReport{1, 1, 1}));
  EXPECT_EQ(Commit(first).value(), result);
}

TEST_F(RuntimePersistenceTest, PathsEndInACycle) {
  ASSERT_EQ(Revision(Graph(ReplaceFull{{{N("a", "c"), N("b", "a"), N("c", "b"), N("self", "self"), N("tail", "b")}, "c"}})), 1u);
  EXPECT_THAT(IdsOf(Path()), ElementsAre("a", "b", "c"));
  EXPECT_THAT(IdsOf(Path("self")), ElementsAre("self"));
  EXPECT_THAT(IdsOf(Path("tail")), ElementsAre("c", "a", "b", "tail"));
  EXPECT_EQ(LoadNode("self")->parent_node_id, "self");
}

TEST_F(RuntimePersistenceTest, ATombstonedNodeComesBackAtTheEndWithNewContent) {
  ASSERT_EQ(Revision(Graph(ReplaceFull{{{N("a"), N("b")}, "b"}})), 1u);
  Tombstone({"a"});
  ASSERT_EQ(Revision(Graph(Append{{N("a", "b", "{\"kind\":\"plugin\"}")}, "a"})), 2u);
  EXPECT_THAT(IdsOf(Load()->graph), ElementsAre("b", "a"));
  EXPECT_EQ(LoadNode("a")->payload.text, "{\"kind\":\"plugin\"}");
  EXPECT_EQ(Vacuum(), 0u);
}

TEST_F(RuntimePersistenceTest, TombstonesLeaveNoTrapAndReplaceClearsThem) {
  Tombstone({"later"});
  Tombstone({});
  EXPECT_EQ(Vacuum(), 0u);
  ASSERT_EQ(Revision(Graph(Append{{N("later"), N("leaf", "later")}, "leaf"})), 1u);
  EXPECT_TRUE(LoadNode("later").has_value());
  Tombstone({"leaf"});
  EXPECT_EQ(Path(), (SessionGraph{{}, "leaf"}));
  EXPECT_EQ(Load()->graph.leaf_node_id, "leaf");
  ASSERT_EQ(Revision(Graph(ReplaceFull{{{N("later")}, "later"}})), 2u);
  EXPECT_EQ(Vacuum(), 0u);
  Tombstone({"later"});
  EXPECT_EQ(Vacuum(), 1u);
  EXPECT_EQ(Revision(Graph(Append{{N("later")}, "later"})), 3u);
}

TEST_F(RuntimePersistenceTest, RefsWithoutABlobReadNone) {
  RuntimeCommit commit = C("s");
  commit.checkpoint.tool_state_ref = "invented";
  commit.checkpoint.execution_state_ref = "";
  const RuntimeCommitResult result = Commit(commit).value();
  EXPECT_EQ(result.manifest.tool_state_ref, "invented");
  EXPECT_EQ(Load()->checkpoint->tool_state_ref, "invented");
  EXPECT_EQ(Load()->checkpoint->tool_state, std::nullopt);
  // A blob is read as what it was written as.
  RuntimeCommit bytes = C("s");
  bytes.checkpoint.execution_state = std::vector<uint8_t>{'{', '}'};
  const BlobRef ref = Commit(bytes).value().manifest.execution_state_ref.value();
  RuntimeCommit crossed = C("s");
  crossed.checkpoint.tool_state_ref = ref;
  crossed.checkpoint.execution_state_ref = ref;
  ASSERT_TRUE(Commit(crossed).has_value());
  EXPECT_EQ(Load()->checkpoint->tool_state, std::nullopt);
  EXPECT_EQ(Load()->checkpoint->execution_state, (std::vector<uint8_t>{'{', '}'}));
}

TEST_F(RuntimePersistenceTest, InlineDataWinsOverTheCallersRef) {
  RuntimeCommit commit = C("s");
  commit.checkpoint.tool_state = OpaqueJson{"1"};
  commit.checkpoint.tool_state_ref = "callers";
  const BlobRef ref = Commit(commit).value().manifest.tool_state_ref.value();
  EXPECT_NE(ref, "callers");
  EXPECT_EQ(ref, RefOf(OpaqueJson{"1"}));
  EXPECT_THAT(ref, ::testing::MatchesRegex("[0-9a-f]{64}"));
}

TEST_F(RuntimePersistenceTest, RefsOfDifferentContentDiffer) {
  EXPECT_NE(RefOf(OpaqueJson{"1"}), RefOf(std::vector<uint8_t>{'1'}));
  SessionCheckpoint a, b;
  a.tool_state_ref = "x";
  b.plugin_snapshot_ref = "x";
  EXPECT_NE(RefOf(a), RefOf(b));
  a.tool_state_ref = "";
  EXPECT_NE(RefOf(a), RefOf(SessionCheckpoint{}));
}

TEST_F(RuntimePersistenceTest, CollectingKeepsWhatAFrameNames) {
  RuntimeCommit commit = C("s");
  commit.checkpoint.execution_state = std::vector<uint8_t>{1};
  const BlobRef ref = Commit(commit).value().manifest.execution_state_ref.value();
  RuntimeCommit framed = C("s");
  framed.agent_frames = {{"f", ref, {"{}"}}};
  ASSERT_EQ(Revision(framed), 2u);
  EXPECT_EQ(store_.GcUnreachable({}).value(), (GcReport{1, 2, 1}));
  RuntimeCommit again = C("s");
  again.checkpoint.execution_state_ref = ref;
  ASSERT_EQ(Revision(again), 3u);
  EXPECT_EQ(Load()->checkpoint->execution_state, (std::vector<uint8_t>{1}));
}

TEST_F(RuntimePersistenceTest, UpkeepOfAnEmptyStore) {
  EXPECT_EQ(store_.GcUnreachable({}).value(), GcReport());
  EXPECT_EQ(Vacuum(), 0u);
  EXPECT_EQ(LoadNode("a"), std::nullopt);
  EXPECT_EQ(store_.LoadSessionMeta({}).value(), std::nullopt);
  EXPECT_EQ(store_.GetDurabilityTier({}).value(), DurabilityTier::kInline);
}

TEST_F(RuntimePersistenceTest, MetaIsOneSlotApartFromEverything) {
  SessionMeta meta{"other", "name", "now", "m", "/", RelationChild{"p", OpaqueJson{"1"}}};
  ASSERT_TRUE(store_.SaveSessionMeta({meta}).has_value());
  EXPECT_EQ(store_.LoadSessionMeta({}).value(), meta);
  ASSERT_EQ(Revision(C("s")), 1u);
  EXPECT_EQ(store_.LoadSessionMeta({}).value(), meta);
  meta = {"s", "", "", "", std::nullopt, RelationRoot{}};
  ASSERT_TRUE(store_.SaveSessionMeta({meta}).has_value());
  EXPECT_EQ(store_.LoadSessionMeta({}).value(), meta);
  EXPECT_EQ(Load()->head_revision, 1u);
}

TEST_F(RuntimePersistenceTest, SumsStayInRange) {
  for (const int64_t delta : {kMaxSigned, int64_t{1}, int64_t{5}}) {
    RuntimeCommit commit = C("s");
    commit.usage_deltas = {Usage("turn", delta, -delta), Usage("zero", 0)};
    ASSERT_TRUE(Commit(commit).has_value());
  }
  EXPECT_THAT(Load()->token_ledger, ElementsAre(Usage("turn", kMaxSigned, std::numeric_limits<int64_t>::min())));
}

TEST_F(RuntimePersistenceTest, TimesAndLimitsAtTheirEnd) {
  clock_.Set(kMax - 1);
  Enqueue(At(kMax));
  EXPECT_EQ(ClaimWork(), std::nullopt);
  Enqueue(Join(MergeNever{}));
  Enqueue(Join(MergeNever{}));
  const Claim group = *ClaimWork(kMax, kMax);
  EXPECT_THAT(IdsOf(group.batches), ElementsAre("b2", "b3"));
  EXPECT_EQ(group.expires_at_epoch_ms, kMax);
  clock_.Set(kMax);
  EXPECT_THAT(IdsOf(ClaimWork()), ElementsAre("b1"));
  EXPECT_TRUE(Cancel("b1").has_value()) << "at the last instant every claim has lapsed";
  EXPECT_THAT(IdsOf(ClaimWork(0, kMax)), ElementsAre("b2", "b3"));
  Record("x", "s", kMax);
  EXPECT_THAT(Uncommitted(kMax - 1), IsEmpty());
  EXPECT_THAT(Uncommitted(kMax), ElementsAre("x"));
  EXPECT_TRUE(FailedWith(Commit(C("s", kMax)), HeadRevisionConflict{kMax, 0}));
}

TEST_F(RuntimePersistenceTest, QueuesOfSessionsNeverMeet) {
  Enqueue(Keyed("k", "{}", "s"));
  Enqueue(Keyed("k", "{}", "t"));
  const Claim of_t = *ClaimWork(60000, 9, kIdle, "o", "t");
  EXPECT_THAT(IdsOf(of_t.batches), ElementsAre("b2"));
  EXPECT_EQ(Cancel("b1", "t"), std::nullopt);
  Claim moved = of_t;
  moved.session_id = "s";
  EXPECT_TRUE(FailedWith(Renew(moved, 1), Expired(moved)));
  Abandon(moved);
  EXPECT_THAT(Pending("t"), IsEmpty());
  EXPECT_THAT(Pending("s"), ElementsAre("b1"));
  EXPECT_THAT(List("nosuch"), IsEmpty());
  EXPECT_GT(Enqueue(Work("u")).enqueue_seq, 2u);
}

TEST_F(RuntimePersistenceTest, WhatIsNoCandidateDoesNotEndAGroup) {
  Enqueue(Join(MergePayloadDefault{}));
  QueuedWorkBatchDraft later = Join(MergeGroup{"other"});
  later.available_at_ms = 5000;
  Enqueue(later);
  Enqueue(Join(MergePayloadDefault{}));
  EXPECT_THAT(IdsOf(ClaimWork(60000, 9)), ElementsAre("b1", "b3"));
}

TEST_F(RuntimePersistenceTest, AGroupsTokenIsAboveThoseOfAllItsRows) {
  Enqueue(Join(MergeNever{}));
  Enqueue(Join(MergeNever{}));
  Abandon(*ClaimWork(60000, 1));
  const Claim both = *ClaimWork(60000, 2);
  EXPECT_EQ(both.fencing_token, 2u);
  Abandon(both);
  ASSERT_TRUE(Cancel("b1").has_value());
  EXPECT_EQ(ClaimWork()->fencing_token, 3u);
}

TEST_F(RuntimePersistenceTest, CancellingFreesTheKeyAndBreaksTheClaim) {
  Enqueue(Keyed("", "1"));
  const Claim claim = *ClaimWork(10);
  EXPECT_EQ(Cancel("b1"), std::nullopt);
  clock_.Set(1010);
  EXPECT_EQ(Cancel("b1")->items[0].payload, QueuedWorkPayload(TurnInput{{"1"}}));
  EXPECT_EQ(Cancel("b1"), std::nullopt);
  EXPECT_TRUE(FailedWith(Commit(Completing({claim})), Expired(claim)));
  EXPECT_EQ(Enqueue(Keyed("", "2")).batch_id, "b2");
}

TEST_F(RuntimePersistenceTest, RenewingAClaimValueWithoutBatchesFails) {
  Enqueue(Work());
  Claim empty = *ClaimWork();
  empty.batches.clear();
  EXPECT_TRUE(FailedWith(Renew(empty, 1), Expired(empty)));
}

TEST_F(RuntimePersistenceTest, AttachmentRowsAreOfASessionAndAnId) {
  Record("", "", 0);  // the least row there is
  Record("x", "s", 5);
  Record("x", "t", 3);
  EXPECT_THAT(Uncommitted(), ElementsAre("", "x", "x"));
  ASSERT_TRUE(store_.CommitRefs({"s", {"x", "x", "early"}}).has_value());
  Record("x", "s", 9, "new");
  Record("early", "s", 1);
  EXPECT_THAT(Uncommitted(), ElementsAre("", "early", "x"));
  Record("x", "t", 2, "v");  // an earlier time refreshes too
  EXPECT_EQ(store_.ListUncommitted({2}).value().back(), (AttachmentManifestEntry{"x", "t", "v", 2, std::nullopt}));
  ASSERT_TRUE(store_.Forget({"x"}).has_value());
  ASSERT_TRUE(store_.Forget({"x"}).has_value());
  EXPECT_THAT(Uncommitted(), ElementsAre("", "early"));
  Record("x", "s", 1);
  EXPECT_THAT(Uncommitted(), ElementsAre("", "early", "x"));
}

TEST_F(RuntimePersistenceTest, LargeGraphsAreReadFromAnywhere) {
  constexpr int kNodes = 100'000;
  ReplaceFull all;
  for (int i = 0; i < kNodes; ++i) {
    all.graph.nodes.push_back(N(std::to_string(i), i == 0 ? std::nullopt : std::optional(std::to_string(i - 1))));
  }
  ASSERT_EQ(Revision(Graph(all)), 1u);
  EXPECT_THAT(Path(std::to_string(kNodes - 1)).nodes, SizeIs(kNodes));
  EXPECT_THAT(IdsOf(Path("2")), ElementsAre("0", "1", "2"));
  ASSERT_EQ(Revision(Graph(Append{{N("side", "1")}, "side"})), 2u);
  EXPECT_THAT(IdsOf(Path()), ElementsAre("0", "1", "side"));
  EXPECT_EQ(LoadNode("99999")->parent_node_id, "99998");
}

class CountersAtTheirEnd : public StoreTest {
 protected:
  CountersAtTheirEnd() : StoreTest({.id_style = IdStyle::kReadable, .first_counters = kMax - 2}) {}
};

TEST_F(CountersAtTheirEnd, FailWithoutEffect) {
  EXPECT_EQ(Enqueue(Work()).enqueue_seq, kMax - 1);
  EXPECT_EQ(Enqueue(Keyed("k")).enqueue_seq, kMax);
  EXPECT_TRUE(FailedWith(store_.EnqueueQueuedWork({Work()}), kBackend));
  EXPECT_EQ(Enqueue(Keyed("k")).enqueue_seq, kMax);
  EXPECT_EQ(ClaimWork(0)->fencing_token, kMax - 1);
  EXPECT_EQ(ClaimIds({"b2"}), std::nullopt);  // takes the last token
  const RuntimePersistenceSnapshot before = store_.Snapshot();
  EXPECT_TRUE(FailedWith(store_.ClaimReadyQueuedWork({"s", "o", kIdle, 0, 1}), kBackend));
  EXPECT_TRUE(FailedWith(store_.ClaimReadyQueuedWorkByBatchIds({"s", "o", kIdle, 0, {"x"}}), kBackend));
  EXPECT_EQ(store_.Snapshot(), before);
}

}  // namespace
}  // namespace leasecheck::memstore
