// The spec's rules for commits, reads, tombstones, checkpoints, meta and attachments: each accepted and refused.
#include "tests/model/runtime_persistence_scene.h"

namespace leasecheck::runtime_persistence {
namespace {

class RuntimePersistenceState : public Scene {
 public:
  // Example 3 of the contract: two branches of one root.
  void Branches() { ASSERT_EQ(Accept(Commit(ReplaceFull{GraphOf({r, l1, l2, q}, "l2")})), kAllowed); }
  static RuntimeTurnCommitStamp Stamp(const std::string& turn, const std::string& hash) { return {"s", turn, hash}; }

  const SessionNodeRecord r = NodeOf("r");
  const SessionNodeRecord l1 = NodeOf("l1", "r");
  const SessionNodeRecord l2 = NodeOf("l2", "l1");
  const SessionNodeRecord q = NodeOf("q", "r");
};

TEST_F(RuntimePersistenceState, RevisionsAndExpectations) {
  EXPECT_EQ(Judge(LoadSessionRequest{}, std::nullopt), kAllowed);
  RuntimeCommit commit = Commit();
  EXPECT_EQ(Peek(CommitRuntimeStateRequest{commit}, ResultOf(commit, 2)), "RP-CMT-1");
  commit.expected_head_revision = 5;
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{commit}, HeadRevisionConflict{5, 0}), kAllowed);
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{commit}, HeadRevisionConflict{5, 1}), "RP-CMT-5");
  EXPECT_EQ(Peek(CommitRuntimeStateRequest{commit}, ResultOf(commit, 1)), "RP-CMT-5");
  commit.expected_head_revision = 0;
  ASSERT_EQ(Accept(commit), kAllowed);
  EXPECT_EQ(JudgeError(CommitRuntimeStateRequest{commit}, HeadRevisionConflict{0, 1}), kAllowed);
  commit.expected_head_revision = std::nullopt;
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{commit}, HeadRevisionConflict{std::nullopt, 1}), "RP-CMT-4");
  EXPECT_EQ(Peek(CommitRuntimeStateRequest{commit}, ResultOf(commit, 1)), "RP-CMT-6");
  EXPECT_EQ(Accept(commit), kAllowed);
  EXPECT_EQ(Peek(LoadSessionRequest{}, std::nullopt), "RP-LDS-2");
}

TEST_F(RuntimePersistenceState, ALoserOfARaceMayBeToldOfWhatItRead) {
  ASSERT_EQ(Accept(Commit()), kAllowed);
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{Commit()}, HeadRevisionConflict{0, 1}), "RP-CMT-4");
  overlap.calls = {CommitRuntimeStateRequest{Commit()}};
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{Commit()}, HeadRevisionConflict{0, 1}), kAllowed);
}

TEST_F(RuntimePersistenceState, BindsOnAcceptance) {
  RuntimeCommit other = Commit();
  other.session_id = "t";
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{other}, SessionBindingMismatch{"s", "t"}), "RP-CMT-3");
  ASSERT_EQ(Accept(Commit()), kAllowed);
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{other}, SessionBindingMismatch{"s", "t"}), kAllowed);
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{other}, SessionBindingMismatch{"t", "s"}), "RP-CMT-2");
  EXPECT_EQ(Peek(CommitRuntimeStateRequest{other}, ResultOf(other, 2)), "RP-CMT-2");
}

TEST_F(RuntimePersistenceState, BranchesAndPaths) {
  Branches();
  EXPECT_EQ(Full(GraphOf({r, l1, l2, q}, "l2")), kAllowed);
  EXPECT_EQ(Full(GraphOf({r, l1, q, l2}, "l2")), "RP-LDS-3");
  EXPECT_EQ(Full(GraphOf({r, l1, l2}, "l2")), "RP-LDS-3");
  EXPECT_EQ(Full(GraphOf({r, l1, l2, q}, "q")), "RP-LDS-4");
  EXPECT_EQ(Path(std::nullopt, GraphOf({r, l1, l2}, "l2")), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({l2, l1, r}, "l2")), "RP-LDS-5");
  EXPECT_EQ(Path("q", GraphOf({r, q}, "q")), kAllowed);
  EXPECT_EQ(Path("q", GraphOf({r, l1, l2}, "l2")), "RP-LDS-6");
  EXPECT_EQ(Path("zz", GraphOf({}, "zz")), kAllowed);
  EXPECT_EQ(Path("zz", GraphOf({}, std::nullopt)), "RP-LDS-7");
  EXPECT_EQ(Judge(LoadNodeRequest{"q"}, q), kAllowed);
  EXPECT_EQ(Judge(LoadNodeRequest{"q"}, NodeOf("q", "r", 9)), "RP-LDN-1");
  EXPECT_EQ(Judge(LoadNodeRequest{"q"}, std::nullopt), "RP-LDN-1");
  EXPECT_EQ(Judge(LoadNodeRequest{"zz"}, q), "RP-LDN-2");
}

TEST_F(RuntimePersistenceState, TheLeafMovesAndMayBeNone) {
  ASSERT_EQ(Accept(Commit(ReplaceFull{GraphOf({NodeOf("a")}, "a")})), kAllowed);
  const SessionNodeRecord b = NodeOf("b", "a");
  ASSERT_EQ(Accept(Commit(Append{{b}, "b"})), kAllowed);
  EXPECT_EQ(Full(GraphOf({NodeOf("a"), b}, "b")), kAllowed);
  EXPECT_EQ(Full(GraphOf({NodeOf("a"), b}, "a")), "RP-LDS-4");
  ASSERT_EQ(Accept(Commit(Unchanged{"a"})), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({NodeOf("a")}, "a")), kAllowed);
  ASSERT_EQ(Accept(Commit(Unchanged{})), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({}, std::nullopt)), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({NodeOf("a")}, "a")), "RP-LDS-8");
}

TEST_F(RuntimePersistenceState, AppendOfAStoredNode) {
  ASSERT_EQ(Accept(Commit(Append{{NodeOf("x", "ghost")}, "x"})), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({NodeOf("x", "ghost")}, "x")), kAllowed);
  const RuntimeCommit again = Commit(Append{{NodeOf("x", "a", 2), NodeOf("y")}, "x"});
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{again}, Backend{"stored"}), kAllowed);
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{Commit(Append{{NodeOf("y")}, "y"})}, Backend{"no"}), "RP-CMT-13");
  ASSERT_EQ(Accept(again), kAllowed);  // RP-LAT-6: one record, the new content, anywhere
  EXPECT_EQ(Full(GraphOf({NodeOf("x", "a", 2), NodeOf("y")}, "x")), kAllowed);
  EXPECT_EQ(Full(GraphOf({NodeOf("y"), NodeOf("x", "a", 2)}, "x")), kAllowed);
  EXPECT_EQ(Full(GraphOf({NodeOf("x", "ghost"), NodeOf("y")}, "x")), "RP-LDS-3");
  EXPECT_EQ(Full(GraphOf({NodeOf("x", "ghost"), NodeOf("y"), NodeOf("x", "a", 2)}, "x")), "RP-CMT-14");
  // What a read shows of the order is kept from then on.
  EXPECT_EQ(Judge(LoadSessionRequest{}, ReadWith(GraphOf({NodeOf("y"), NodeOf("x", "a", 2)}, "x"))), kAllowed);
  EXPECT_EQ(Full(GraphOf({NodeOf("x", "a", 2), NodeOf("y")}, "x")), "RP-LDS-3");
}

TEST_F(RuntimePersistenceState, TombstonesAndVacuum) {
  Branches();
  EXPECT_EQ(Judge(TombstoneNodesRequest{{"l1", "nosuch", "l1"}}, Done{}), kAllowed);
  EXPECT_EQ(Judge(LoadNodeRequest{"l1"}, l1), "RP-TMB-1");
  EXPECT_EQ(Judge(LoadNodeRequest{"l1"}, std::nullopt), kAllowed);
  EXPECT_EQ(Full(GraphOf({r, l2, q}, "l2")), kAllowed);
  EXPECT_EQ(Full(GraphOf({r, l1, l2, q}, "l2")), "RP-LDS-10");
  EXPECT_EQ(Path(std::nullopt, GraphOf({l2}, "l2")), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({r, l2}, "l2")), kAllowed);  // RP-LAT-3
  EXPECT_EQ(Path(std::nullopt, GraphOf({r, l1, l2}, "l2")), "RP-LDS-10");
  EXPECT_EQ(Peek(VacuumRequest{}, VacuumReport{2}), "RP-VAC-1");
  EXPECT_EQ(Peek(VacuumRequest{}, VacuumReport{0}), kAllowed);  // left for later
  EXPECT_EQ(Judge(VacuumRequest{}, VacuumReport{1}), kAllowed);
  EXPECT_EQ(Judge(VacuumRequest{}, VacuumReport{1}), "RP-VAC-4");
  EXPECT_EQ(Path(std::nullopt, GraphOf({r, l2}, "l2")), "RP-LDS-9");
  // RP-VAC-5: the id is new again.
  const RuntimeCommit append = Commit(Append{{l1}, "l1"});
  EXPECT_EQ(PeekError(CommitRuntimeStateRequest{append}, Backend{"stored"}), "RP-CMT-13");
  EXPECT_EQ(Accept(append), kAllowed);
}

TEST_F(RuntimePersistenceState, ATombstonedLeaf) {
  Branches();
  ASSERT_EQ(Judge(TombstoneNodesRequest{{"l2"}}, Done{}), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({}, "l2")), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({r, l1}, std::nullopt)), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({r}, "l2")), "RP-LDS-11");
  EXPECT_EQ(Full(GraphOf({r, l1, q}, std::nullopt)), kAllowed);
  EXPECT_EQ(Full(GraphOf({r, l1, q}, "r")), "RP-LDS-4");
}

TEST_F(RuntimePersistenceState, TombstonesOneByOneWhileOthersLook) {
  Branches();
  const TombstoneNodesRequest both{{"l1", "q"}};
  EXPECT_EQ(SpecUnderTest::Parts(both, Answered<TombstoneNodesRequest>(Done{}), Context()), 1);
  overlap.calls = {LoadSessionRequest{}};
  EXPECT_EQ(SpecUnderTest::Parts(both, Answered<TombstoneNodesRequest>(Done{}), Context()), 2);
  ASSERT_EQ(Judge(both, Done{}), kAllowed);
  EXPECT_EQ(Full(GraphOf({r, l2, q}, "l2")), kAllowed);
  part = 1;
  ASSERT_EQ(Judge(both, Done{}), kAllowed);
  part = 0;
  EXPECT_EQ(Full(GraphOf({r, l2}, "l2")), kAllowed);
}

TEST_F(RuntimePersistenceState, ReplaysReturnTheStoredResult) {
  RuntimeCommit first = Commit();
  first.turn_commit = Stamp("t1", "h1");
  first.usage_deltas = {{"turn", "m", {10, 0, 0, 0}}};
  ASSERT_EQ(Accept(first), kAllowed);
  ledger = first.usage_deltas;
  RuntimeCommit second = Commit();
  second.expected_head_revision = 1;
  ASSERT_EQ(Accept(second), kAllowed);
  first.expected_head_revision = 0;
  const CommitRuntimeStateRequest again{first};
  EXPECT_EQ(Judge(again, ResultOf(first, 1)), kAllowed);
  EXPECT_EQ(Judge(again, ResultOf(first, 3)), "RP-CMT-8");
  RuntimeCommitResult renamed = ResultOf(first, 1);
  renamed.checkpoint_ref = "another";
  EXPECT_EQ(Judge(again, renamed), "RP-CMT-8");
  EXPECT_EQ(JudgeError(again, HeadRevisionConflict{0, 2}), "RP-CMT-8");
  EXPECT_EQ(Full(GraphOf({}, std::nullopt)), kAllowed);
  first.turn_commit->turn_commit_hash = "h2";
  EXPECT_EQ(JudgeError(CommitRuntimeStateRequest{first}, RuntimeTurnCommitConflict{"s", "t1"}), kAllowed);
  EXPECT_EQ(Judge(CommitRuntimeStateRequest{first}, ResultOf(first, 1)), "RP-CMT-9");
}

TEST_F(RuntimePersistenceState, AStampOfAnotherSession) {
  RuntimeCommit commit = Commit();
  commit.turn_commit = RuntimeTurnCommitStamp{"z", "t9", "h"};
  commit.expected_head_revision = 7;
  EXPECT_EQ(JudgeError(CommitRuntimeStateRequest{commit}, RuntimeTurnCommitConflict{"z", "t9"}), kAllowed);
  EXPECT_EQ(JudgeError(CommitRuntimeStateRequest{commit}, HeadRevisionConflict{7, 0}), "RP-CMT-7");
}

TEST_F(RuntimePersistenceState, AnUnseenCommitIsBoundByTheFirstRead) {
  RuntimeCommit commit = Commit();
  commit.turn_commit = Stamp("t1", "h1");
  commit.checkpoint.tool_state = OpaqueJson{"{\"generation\":1}"};
  ASSERT_EQ(JudgeOutcome(CommitRuntimeStateRequest{commit}, Unseen()), kAllowed);
  last = commit;
  ASSERT_EQ(Judge(LoadSessionRequest{}, ReadWith(GraphOf({}, std::nullopt))), kAllowed);
  PersistedSessionRead other = ReadWith(GraphOf({}, std::nullopt));
  other.checkpoint_ref = "another";
  EXPECT_EQ(Judge(LoadSessionRequest{}, other), "RP-LDS-2");
  RuntimeCommitResult renamed = ResultOf(commit, 1);
  renamed.checkpoint_ref = "another";
  EXPECT_EQ(Judge(CommitRuntimeStateRequest{commit}, renamed), "RP-CMT-8");
  EXPECT_EQ(Judge(CommitRuntimeStateRequest{commit}, ResultOf(commit, 1)), kAllowed);
}

TEST_F(RuntimePersistenceState, TheLedgerAddsUp) {
  RuntimeCommit commit = Commit();
  commit.usage_deltas = {{"turn", "m", {10, 2, 0, 1}}, {"sub", "m", {1, 0, 0, 0}}, {"turn", "m", {0, 0, 0, 0}}};
  ASSERT_EQ(Accept(commit), kAllowed);
  commit.usage_deltas = {{"turn", "m", {5, 0, 7, 0}}, {"turn", "m", {0, 0, 4, 0}}};
  ASSERT_EQ(Accept(commit), kAllowed);
  const SessionGraph none = GraphOf({}, std::nullopt);
  ledger = {{"turn", "m", {15, 2, 11, 1}}, {"sub", "m", {1, 0, 0, 0}}};
  EXPECT_EQ(Full(none), kAllowed);
  std::swap(ledger[0], ledger[1]);
  EXPECT_EQ(Full(none), "RP-CMT-18");
  ledger = {{"turn", "m", {5, 0, 7, 0}}, {"sub", "m", {1, 0, 0, 0}}};
  EXPECT_EQ(Full(none), "RP-CMT-18");
  ledger = {{"turn", "m", {15, 2, 11, 1}}, {"sub", "m", {1, 0, 0, 0}}, {"turn", "n", {}}};
  EXPECT_EQ(Full(none), "RP-CMT-19");
  // RP-LAT-7: a store that drops entries without a total does so always.
  ledger = {{"turn", "m", {15, 2, 7, 1}}, {"sub", "m", {1, 0, 0, 0}}};
  EXPECT_EQ(Judge(LoadSessionRequest{}, ReadWith(none)), kAllowed);
  ledger[0].usage.cached_input_tokens = 11;
  EXPECT_EQ(Full(none), "RP-CMT-18");
}

TEST_F(RuntimePersistenceState, SnapshotsHydrate) {
  RuntimeCommit commit = Commit();
  commit.checkpoint.tool_state = OpaqueJson{"{\"generation\":1}"};
  ASSERT_EQ(Accept(commit), kAllowed);
  const SessionGraph none = GraphOf({}, std::nullopt);
  const std::string ref = "blob:{\"generation\":1}";
  EXPECT_EQ(Full(none), kAllowed);
  RuntimeCommit named = Commit();
  named.checkpoint.tool_state_ref = ref;
  RuntimeCommitResult dropped = ResultOf(named, 2);
  dropped.manifest.tool_state_ref.reset();
  EXPECT_EQ(Peek(CommitRuntimeStateRequest{named}, dropped), "RP-CMT-22");
  ASSERT_EQ(Accept(named), kAllowed);
  EXPECT_EQ(Full(none), "RP-CMT-22");  // a ref that the store gave and the head names must hydrate
  last.checkpoint.tool_state = commit.checkpoint.tool_state;
  EXPECT_EQ(Full(none), kAllowed);
  EXPECT_EQ(Judge(GcUnreachableRequest{}, GcReport{1, 2, 3}), kAllowed);
  EXPECT_EQ(Judge(GcUnreachableRequest{}, GcReport{1, 2, 3}), "RP-GC-3");
  EXPECT_EQ(Judge(GcUnreachableRequest{}, GcReport{0, 2, 0}), "RP-GC-2");
  PersistedSessionRead emptied = ReadWith(none);
  emptied.checkpoint->tool_state.reset();
  EXPECT_EQ(Peek(LoadSessionRequest{}, emptied), "RP-GC-1");
  // Once no head names it, it may be gone; an invented one never hydrates.
  ASSERT_EQ(Accept(Commit()), kAllowed);
  ASSERT_EQ(Accept(named), kAllowed);
  EXPECT_EQ(Full(none), kAllowed);
  named.checkpoint.tool_state_ref = "invented";
  ASSERT_EQ(Accept(named), kAllowed);
  EXPECT_EQ(Full(none), kAllowed);
  last.checkpoint.tool_state = commit.checkpoint.tool_state;
  last.checkpoint.tool_state_ref = "invented";
  PersistedSessionRead made_up = ReadWith(none);
  made_up.checkpoint->tool_state_ref = "invented";
  EXPECT_EQ(Peek(LoadSessionRequest{}, made_up), "RP-CMT-22");
}

TEST_F(RuntimePersistenceState, HeadIsReplacedWhole) {
  RuntimeCommit commit = Commit();
  commit.agent_frames = {{"f", std::nullopt, {"{}"}}};
  ASSERT_EQ(Accept(commit), kAllowed);
  commit.agent_frames.clear();
  ASSERT_EQ(Accept(commit), kAllowed);
  PersistedSessionRead read = ReadWith(GraphOf({}, std::nullopt));
  EXPECT_EQ(Peek(LoadSessionRequest{}, read), kAllowed);
  read.agent_frames = {{"f", std::nullopt, {"{}"}}};
  EXPECT_EQ(Peek(LoadSessionRequest{}, read), "RP-CMT-20");
  read = ReadWith(GraphOf({}, std::nullopt));
  read.head_revision = 1;
  EXPECT_EQ(Peek(LoadSessionRequest{}, read), "RP-CMT-6");
}

TEST_F(RuntimePersistenceState, PathsAreReadAlwaysOrNever) {
  ASSERT_EQ(Accept(Commit()), kAllowed);
  const LoadSessionRequest path{ActivePath{}};
  EXPECT_EQ(PeekError(LoadSessionRequest{}, UnsupportedReadScope{FullGraph{}}), "RP-LDS-2");
  ASSERT_EQ(JudgeError(path, UnsupportedReadScope{ActivePath{}}), kAllowed);
  EXPECT_EQ(Path(std::nullopt, GraphOf({}, std::nullopt)), "RP-LDS-5");
  state.paths = Choice::kOpen;
  ASSERT_EQ(Judge(path, ReadWith(GraphOf({}, std::nullopt))), kAllowed);
  EXPECT_EQ(JudgeError(path, UnsupportedReadScope{ActivePath{}}), "RP-LDS-5");
}

TEST_F(RuntimePersistenceState, MetaAndTier) {
  SessionMeta meta;
  meta.session_id = "s";
  EXPECT_EQ(Judge(LoadSessionMetaRequest{}, meta), "RP-MET-1");
  EXPECT_EQ(Judge(LoadSessionMetaRequest{}, std::nullopt), kAllowed);
  EXPECT_EQ(Judge(SaveSessionMetaRequest{meta}, Done{}), kAllowed);
  EXPECT_EQ(Judge(LoadSessionMetaRequest{}, meta), kAllowed);
  SessionMeta other = meta;
  other.cwd = "/";
  EXPECT_EQ(Judge(LoadSessionMetaRequest{}, other), "RP-MET-2");
  ASSERT_EQ(Accept(Commit()), kAllowed);
  EXPECT_EQ(Judge(LoadSessionMetaRequest{}, std::nullopt), "RP-CMT-29");
  // RP-LAT-12: of two sessions' meta, either.
  other.session_id = "t";
  EXPECT_EQ(Judge(SaveSessionMetaRequest{other}, Done{}), kAllowed);
  EXPECT_EQ(Peek(LoadSessionMetaRequest{}, meta), kAllowed);
  EXPECT_EQ(Peek(LoadSessionMetaRequest{}, other), kAllowed);
  EXPECT_EQ(Judge(DurabilityTierRequest{}, DurabilityTier::kDurable), kAllowed);
  EXPECT_EQ(Judge(DurabilityTierRequest{}, DurabilityTier::kInline), "RP-DUR-1");
}

TEST_F(RuntimePersistenceState, Attachments) {
  const auto entry = [](const std::string& id, EpochMs at, const std::string& uri = "u") {
    return AttachmentManifestEntry{id, "s", uri, at, std::nullopt};
  };
  const auto record = [&](const std::string& id, EpochMs at, const std::string& uri = "u") {
    return Judge(RecordIntentRequest{{id, "s", uri, at}}, Done{});
  };
  const auto list = [&](EpochMs cutoff, std::vector<AttachmentManifestEntry> entries) {
    return Peek(ListUncommittedRequest{cutoff}, std::move(entries));
  };
  EXPECT_EQ(record("x", 100), kAllowed);
  EXPECT_EQ(record("y", 200), kAllowed);
  EXPECT_EQ(list(99, {}), kAllowed);
  EXPECT_EQ(list(100, {}), "AM-UNC-1");
  EXPECT_EQ(list(100, {entry("x", 100)}), kAllowed);
  EXPECT_EQ(list(500, {entry("y", 200), entry("x", 100)}), kAllowed);
  EXPECT_EQ(list(500, {entry("x", 100), entry("x", 100), entry("y", 200)}), "AM-INT-2");
  EXPECT_EQ(Judge(CommitRefsRequest{"other", {"x"}}, Done{}), kAllowed);
  EXPECT_EQ(list(100, {entry("x", 100)}), kAllowed);
  RuntimeCommit commit = Commit();
  commit.committed_attachment_ids = {"x", "nosuch"};
  ASSERT_EQ(Accept(commit), kAllowed);
  EXPECT_EQ(list(500, {entry("y", 200)}), kAllowed);
  EXPECT_EQ(list(500, {entry("x", 100), entry("y", 200)}), "AM-UNC-2");
  EXPECT_EQ(record("x", 300), kAllowed);  // never clears a stamp
  EXPECT_EQ(list(500, {entry("y", 200)}), kAllowed);
  EXPECT_EQ(record("nosuch", 300), kAllowed);  // no memory of the commit
  EXPECT_EQ(list(500, {entry("y", 200)}), "AM-UNC-1");
  EXPECT_EQ(Judge(ForgetRequest{"nosuch"}, Done{}), kAllowed);
  EXPECT_EQ(record("y", 250, "v"), kAllowed);
  EXPECT_EQ(list(500, {entry("y", 200)}), "AM-INT-3");
  EXPECT_EQ(list(500, {entry("y", 250, "v")}), kAllowed);
  EXPECT_EQ(record("y", 240), kAllowed);  // an earlier time: either
  EXPECT_EQ(alternatives.size(), 1u);
  EXPECT_EQ(Judge(ForgetRequest{"y"}, Done{}), kAllowed);
  EXPECT_EQ(list(500, {entry("y", 240)}), "AM-FGT-1");
  dialects["AM-NOP-1"] = "noop";
  EXPECT_EQ(list(500, {entry("y", 240)}), "AM-NOP-1");
  EXPECT_EQ(list(500, {}), kAllowed);
}

}  // namespace
}  // namespace leasecheck::runtime_persistence
