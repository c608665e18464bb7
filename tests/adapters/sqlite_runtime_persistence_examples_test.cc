// The worked examples of runtime-persistence.md, section 6, against the SQLite store: in memory, in a file, in a file with the
// shared clock, and in a file that is closed and opened again before every call.
#include "tests/adapters/sqlite_runtime_persistence_fixture.h"

namespace leasecheck::sqlite {
namespace {

using rp::QueuedWorkClaimBoundary;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

enum class Where { kMemory, kFile, kSharedClock, kReopened };

class RuntimePersistenceExamples : public ::testing::TestWithParam<Where> {
 protected:
  RuntimePersistenceExamples()
      : options_{.path = GetParam() == Where::kMemory ? ":memory:" : folder_.File("session.db"),
                 .connections = GetParam() == Where::kMemory ? 1 : 2,
                 .environment = {.clock = &clock_},
                 .clock_in_database = GetParam() == Where::kSharedClock} {
    At(1000);
  }

  // The store; another opening of it at every use where the parameter says so.
  RuntimePersistence& store() {
    if (store_ == nullptr || GetParam() == Where::kReopened) {
      store_.reset();
      auto store = RuntimePersistence::Open(options_);
      if (!store.ok()) ADD_FAILURE() << store.status();
      store_ = *std::move(store);
    }
    return *store_;
  }
  void At(EpochMs now) {
    if (GetParam() == Where::kSharedClock) {
      EXPECT_TRUE(store().SetClock(now).ok());
    } else {
      clock_.Set(now);
    }
  }
  static rp::QueuedWorkClaimExpired Expired(const rp::QueuedWorkClaim& claim) { return {"s", claim.claim_id}; }

  Folder folder_;
  ManualClock clock_;
  const RuntimePersistence::Options options_;
  std::unique_ptr<RuntimePersistence> store_;
  Session s_{[this]() -> rp::RuntimePersistence& { return store(); }};
};

TEST_P(RuntimePersistenceExamples, E1_HeadAndMetaAreApart) {
  EXPECT_EQ(s_.Load(), std::nullopt);
  EXPECT_EQ(Session::Get(store().LoadSessionMeta({})), std::nullopt);
  rp::SessionMeta meta{"s", "name", "now", "m", "/home", rp::RelationChild{"p", OpaqueJson{"{\"a\":1}"}}};
  Session::Get(store().SaveSessionMeta({meta}));
  EXPECT_EQ(Session::Get(store().LoadSessionMeta({})), meta);
  EXPECT_EQ(s_.Load(), std::nullopt);
  EXPECT_EQ(s_.Commits(Session::Empty(0)), 1u);
  EXPECT_TRUE(Fails(s_.Commit(Session::Empty(0)), rp::HeadRevisionConflict{0, 1}));
  EXPECT_EQ(s_.Commits(Session::Empty()), 2u);
  meta = {"t", "", "", "", std::nullopt, rp::RelationRoot{}};
  Session::Get(store().SaveSessionMeta({meta}));
  EXPECT_EQ(Session::Get(store().LoadSessionMeta({})), meta);
}

TEST_P(RuntimePersistenceExamples, E2_Binding) {
  EXPECT_TRUE(Fails(s_.Commit(Session::Empty(5)), rp::HeadRevisionConflict{5, 0}));
  EXPECT_EQ(s_.Commits(Session::Empty(std::nullopt, "t")), 1u);
  EXPECT_TRUE(Fails(s_.Commit(Session::Empty()), rp::SessionBindingMismatch{"t", "s"}));
}

TEST_P(RuntimePersistenceExamples, E3_Branches) {
  s_.Commits(Session::With(Branches()));
  EXPECT_EQ(s_.Graph(), "r l1 l2 q / l2");
  EXPECT_EQ(s_.Path(), "r l1 l2 / l2");
  EXPECT_EQ(s_.Path("q"), "r q / q");
  EXPECT_EQ(s_.Path("zz"), "/ zz");
  EXPECT_EQ(s_.Graph(), "r l1 l2 q / l2");
}

TEST_P(RuntimePersistenceExamples, E4_LeafMoves) {
  s_.Commits(Session::With(rp::ReplaceFull{{{Node("a")}, "a"}}));
  EXPECT_EQ(s_.Commits(Session::With(rp::Append{{Node("b", "a")}, "b"})), 2u);
  EXPECT_EQ(s_.Graph(), "a b / b");
  s_.Commits(Session::With(rp::Unchanged{"a"}));
  EXPECT_EQ(s_.Graph(), "a b / a");
  EXPECT_EQ(s_.Path(), "a / a");
  s_.Commits(Session::With(rp::Unchanged{}));
  EXPECT_EQ(s_.Path(), "/ none");
}

TEST_P(RuntimePersistenceExamples, E5_OrphansAndDoubles) {
  s_.Commits(Session::With(rp::Append{{Node("x", "ghost")}, "x"}));
  EXPECT_EQ(s_.Path(), "x / x");
  EXPECT_TRUE(Fails(s_.Commit(Session::With(rp::Append{{Node("y"), Node("x", "a")}, "y"})), rp::Backend{}));
  EXPECT_TRUE(Fails(s_.Commit(Session::With(rp::Append{{Node("y"), Node("y")}, "y"})), rp::Backend{}));
  EXPECT_TRUE(Fails(s_.Commit(Session::With(rp::ReplaceFull{{{Node("y"), Node("y")}, "y"}})), rp::Backend{}));
  EXPECT_EQ(s_.Revision(), 1u);
  EXPECT_EQ(s_.Graph(), "x / x");
  EXPECT_EQ(s_.LoadNode("x"), Node("x", "ghost"));
}

TEST_P(RuntimePersistenceExamples, E6_Tombstones) {
  s_.Commits(Session::With(Branches()));
  s_.Tombstone({"l1", "nosuch", "l1"});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(s_.LoadNode("l1"), std::nullopt);
    EXPECT_EQ(s_.Graph(), "r l2 q / l2");
    EXPECT_EQ(s_.Path(), "l2 / l2");
    EXPECT_EQ(s_.Path("l1"), "/ l1");
    EXPECT_EQ(s_.Revision(), 1u);
    EXPECT_EQ(s_.Vacuum(), round == 0 ? 1u : 0u);
  }
  s_.Commits(Session::With(rp::Append{{Node("nosuch", "r")}, "nosuch"}));
  EXPECT_EQ(s_.Path(), "r nosuch / nosuch") << "an unknown id leaves no trap";
  s_.Commits(Session::With(rp::ReplaceFull{{{Node("r"), Node("l1", "r")}, "l1"}}));
  EXPECT_EQ(s_.Path(), "r l1 / l1");
}

TEST_P(RuntimePersistenceExamples, E6_TombstonedNodesComeBackAtTheEnd) {
  s_.Commits(Session::With(Branches()));
  s_.Tombstone({"l1"});
  rp::SessionNodeRecord again = Node("l1", "q");
  s_.Commits(Session::With(rp::Append{{again}, "l2"}));
  EXPECT_EQ(s_.Graph(), "r l2 q l1 / l2");
  EXPECT_EQ(s_.LoadNode("l1"), again);
  EXPECT_EQ(s_.Path(), "r q l1 l2 / l2");
  EXPECT_EQ(s_.Vacuum(), 0u);
}

TEST_P(RuntimePersistenceExamples, E7_Replay) {
  rp::RuntimeCommit first = Session::Stamped("t1", "h1");
  first.usage_deltas = {Usage("turn", "m", {10, 0, 0, 0})};
  first.checkpoint.tool_state = OpaqueJson{"{\"generation\":18446744073709551615}"};
  auto result = s_.Commit(first);
  ASSERT_TRUE(result.has_value());
  s_.Commits(Session::Empty(1));
  s_.Gc();
  first.expected_head_revision = 0;
  first.completed_queue_claims = {{"s", "no claim", "no token", {"no batch"}}};
  EXPECT_EQ(s_.Commit(first), result);
  EXPECT_EQ(s_.Revision(), 2u);
  EXPECT_THAT(s_.Load()->token_ledger, ElementsAre(Usage("turn", "m", {10, 0, 0, 0})));
  EXPECT_TRUE(Fails(s_.Commit(Session::Stamped("t1", "h2")), rp::RuntimeTurnCommitConflict{"s", "t1"}));
}

TEST_P(RuntimePersistenceExamples, E8_StampOfAnotherSession) {
  rp::RuntimeCommit commit = Session::Empty(9);
  commit.turn_commit = rp::RuntimeTurnCommitStamp{"z", "t9", "h"};
  EXPECT_TRUE(Fails(s_.Commit(commit), rp::RuntimeTurnCommitConflict{"z", "t9"}));
}

TEST_P(RuntimePersistenceExamples, E9_ARejectedStampIsFree) {
  s_.Enqueue();
  auto claim = s_.Claim();
  ASSERT_TRUE(claim.has_value());
  rp::QueuedWorkClaim stale = *claim;
  stale.lease_token = "stale";
  EXPECT_TRUE(Fails(s_.Commit(Session::Stamped("t1", "h1", Session::Completing({stale}))), Expired(stale)));
  EXPECT_EQ(s_.Load(), std::nullopt);
  EXPECT_EQ(s_.List().size(), 1u);
  EXPECT_EQ(s_.Commits(Session::Stamped("t1", "h2", Session::Completing({*claim}))), 1u);
}

TEST_P(RuntimePersistenceExamples, E10_AtomicPair) {
  std::string e1 = s_.Enqueue().batch_id, e2 = s_.Enqueue().batch_id;
  auto k1 = s_.Claim(), k2 = s_.Claim();
  rp::RuntimeCommit commit = Session::Completing({*k1, *k2});
  commit.completed_queue_claims[1].lease_token = "wrong";
  EXPECT_TRUE(Fails(s_.Commit(commit), Expired(*k2)));
  EXPECT_THAT(s_.List(), ElementsAre(e1, e2));
  EXPECT_TRUE(s_.Renew(*k1, 1000).has_value());
  EXPECT_EQ(s_.Commits(Session::Completing({*k1, *k2})), 1u);
  EXPECT_THAT(s_.List(), IsEmpty());
}

TEST_P(RuntimePersistenceExamples, E11_Ledger) {
  for (const auto& delta : {Usage("turn", "m", {10, 2, 0, 1}), Usage("sub", "m", {1, 0, 0, 0}), Usage("turn", "m", {5, 0, 7, 0}),
                            Usage("zero", "m", {}), Usage("turn", "m", {0, 0, 4, 0})}) {
    rp::RuntimeCommit commit = Session::Empty();
    commit.usage_deltas = {delta};
    s_.Commits(commit);
  }
  EXPECT_THAT(s_.Load()->token_ledger, ElementsAre(Usage("turn", "m", {15, 2, 11, 1}), Usage("sub", "m", {1, 0, 0, 0})));
}

TEST_P(RuntimePersistenceExamples, E12_ExpiryIsInclusive) {
  std::string id = s_.Enqueue().batch_id;
  auto old = s_.Claim(1, 50);
  EXPECT_EQ(old->expires_at_epoch_ms, 1050u);
  At(1049);
  EXPECT_THAT(s_.Pending(), IsEmpty());
  EXPECT_EQ(s_.Cancel(id), std::nullopt);
  At(1050);
  EXPECT_THAT(s_.Pending(), ElementsAre(id));
  EXPECT_EQ(s_.Claim(1, 50, "o2")->fencing_token, 2u);
  EXPECT_TRUE(Fails(s_.Commit(Session::Completing({*old})), Expired(*old)));
  EXPECT_TRUE(Fails(s_.Renew(*old, 10), Expired(*old)));
}

TEST_P(RuntimePersistenceExamples, E13_LateButUntaken) {
  s_.Enqueue();
  auto claim = s_.Claim(1, 50);
  At(9000);
  EXPECT_EQ(s_.Renew(*claim, 100)->expires_at_epoch_ms, 9100u);
  At(9999);
  EXPECT_EQ(s_.Commits(Session::Completing({*claim})), 1u);
}

TEST_P(RuntimePersistenceExamples, E14_TtlZero) {
  s_.Enqueue();
  auto claim = s_.Claim(1, 0);
  EXPECT_EQ(claim->expires_at_epoch_ms, 1000u);
  EXPECT_EQ(claim->fencing_token, 1u);
  EXPECT_EQ(s_.Claim(1, 50, "o2")->fencing_token, 2u);
}

TEST_P(RuntimePersistenceExamples, E15_BoundaryGate) {
  rp::QueuedWorkBatchDraft late = Work();
  late.delivery_policy = rp::DeliveryPolicy::kAfterCurrentTurnCommit;
  std::string a = s_.Enqueue(late).batch_id, b = s_.Enqueue().batch_id;
  EXPECT_EQ(s_.Claim(9, 500, "o", QueuedWorkClaimBoundary::kActiveTurnCheckpoint), std::nullopt);
  auto idle = s_.Claim(9, 500);
  EXPECT_THAT(Session::Ids(idle), ElementsAre(a));
  EXPECT_THAT(Session::Ids(s_.Claim(9, 500, "o", QueuedWorkClaimBoundary::kActiveTurnCheckpoint)), ElementsAre(b));
  s_.Abandon(*idle);
  EXPECT_EQ(s_.Claim()->fencing_token, 2u);
}

TEST_P(RuntimePersistenceExamples, E16_Join) {
  std::vector<std::string> j;
  for (const char* group : {"g", "g", "h", "g"}) j.push_back(s_.Enqueue(Joining(group)).batch_id);
  auto first = s_.Claim();
  EXPECT_THAT(Session::Ids(first), ElementsAre(j[0], j[1]));
  EXPECT_THAT(Session::Ids(s_.Claim()), ElementsAre(j[2]));
  EXPECT_THAT(Session::Ids(s_.Claim()), ElementsAre(j[3]));
  s_.Abandon(*first);
  EXPECT_THAT(Session::Ids(s_.Claim(1)), ElementsAre(j[0]));
  EXPECT_THAT(Session::Ids(s_.Claim()), ElementsAre(j[1]));
}

TEST_P(RuntimePersistenceExamples, E17_ByIds) {
  std::string a = s_.Enqueue().batch_id, b = s_.Enqueue().batch_id;
  EXPECT_EQ(s_.ClaimIds({b}), std::nullopt);
  EXPECT_THAT(s_.Pending(), ElementsAre(a, b));
  EXPECT_EQ(s_.ClaimIds({a})->fencing_token, 2u);
  EXPECT_EQ(s_.ClaimIds({}), std::nullopt);
}

TEST_P(RuntimePersistenceExamples, E18_SourceKey) {
  rp::QueuedWorkBatchDraft draft = Work();
  draft.source_key = "";
  rp::QueuedWorkBatch e1 = s_.Enqueue(draft);
  auto claim = s_.Claim();
  draft.payloads = {rp::SessionCommand{{"{}"}}, rp::ProcessWake{{"[]"}}};
  EXPECT_EQ(s_.Enqueue(draft), e1);
  s_.Commits(Session::Completing({*claim}));
  rp::QueuedWorkBatch e2 = s_.Enqueue(draft);
  EXPECT_NE(e2.batch_id, e1.batch_id);
  EXPECT_GT(e2.enqueue_seq, e1.enqueue_seq);
  EXPECT_EQ(e2.items[0].payload, draft.payloads[0]);
  EXPECT_EQ(e2.items[1].payload, draft.payloads[1]);
}

TEST_P(RuntimePersistenceExamples, E19_PartialTakeover) {
  std::string j1 = s_.Enqueue(Joining("g")).batch_id, j2 = s_.Enqueue(Joining("g")).batch_id;
  auto k1 = s_.Claim(10, 50);
  At(1050);
  auto taken = s_.Claim(1, 1000, "o2");
  EXPECT_THAT(Session::Ids(taken), ElementsAre(j1));
  EXPECT_TRUE(Fails(s_.Renew(*k1, 1000), Expired(*k1)));
  EXPECT_THAT(s_.Pending(), ElementsAre(j2));
  EXPECT_TRUE(Fails(s_.Commit(Session::Completing({*k1})), Expired(*k1)));
  s_.Abandon(*k1);
  EXPECT_THAT(s_.Pending(), ElementsAre(j2));
  EXPECT_TRUE(s_.Renew(*taken, 1000).has_value());
}

TEST_P(RuntimePersistenceExamples, E20_Blobs) {
  rp::RuntimeCommit commit = Session::Empty();
  const OpaqueJson g1{"{\"g\":1}"}, g2{"{\"g\":2}"};
  commit.checkpoint.tool_state = g1;
  auto h1 = s_.Commit(commit)->manifest.tool_state_ref;
  ASSERT_TRUE(h1.has_value());
  commit.checkpoint.tool_state = std::nullopt;
  commit.checkpoint.tool_state_ref = h1;
  s_.Commits(commit);
  EXPECT_EQ(s_.Load()->checkpoint->tool_state, g1);
  commit.checkpoint.tool_state_ref = std::nullopt;
  commit.checkpoint.tool_state = g2;
  s_.Commits(commit);
  EXPECT_EQ(s_.Gc(), (rp::GcReport{1, 2, 2})) << "the one old manifest, which both old commits share, and h1";
  EXPECT_EQ(s_.Gc(), (rp::GcReport{1, 2, 0}));
  EXPECT_EQ(s_.Load()->checkpoint->tool_state, g2);
  commit.checkpoint.tool_state = std::nullopt;
  commit.checkpoint.tool_state_ref = h1;
  s_.Commits(commit);
  EXPECT_EQ(s_.Load()->checkpoint->tool_state, std::nullopt) << "its blob is gone, its name stays";
  EXPECT_EQ(s_.Load()->checkpoint->tool_state_ref, h1);
}

TEST_P(RuntimePersistenceExamples, E21_Attachments) {
  s_.Intend("x", "s", 100);
  s_.Intend("y", "s", 200);
  EXPECT_THAT(s_.Uncommitted(99), IsEmpty());
  EXPECT_THAT(s_.Uncommitted(100), ElementsAre("x"));
  Session::Get(store().CommitRefs({"other", {"x"}}));
  EXPECT_THAT(s_.Uncommitted(500), ElementsAre("x", "y"));
  rp::RuntimeCommit rejected = Session::Empty(7);
  rejected.committed_attachment_ids = {"y"};
  EXPECT_FALSE(s_.Commit(rejected).has_value());
  rp::RuntimeCommit commit = Session::Empty();
  commit.committed_attachment_ids = {"x", "nosuch"};
  s_.Commits(commit);
  s_.Intend("x", "s", 300);
  EXPECT_THAT(s_.Uncommitted(500), ElementsAre("y")) << "a stamp stays";
  s_.Intend("nosuch", "s", 300);
  EXPECT_THAT(s_.Uncommitted(500), ElementsAre("y", "nosuch")) << "a commit before the intent has no memory";
  for (const char* id : {"y", "nosuch", "x", "x"}) Session::Get(store().Forget({id}));
  EXPECT_THAT(s_.Uncommitted(500), IsEmpty());
  s_.Intend("x", "s", 400);
  EXPECT_THAT(s_.Uncommitted(500), ElementsAre("x"));
}

const char* NameOf(Where where) {
  switch (where) {
    case Where::kMemory:
      return "Memory";
    case Where::kFile:
      return "File";
    case Where::kSharedClock:
      return "SharedClock";
    case Where::kReopened:
      break;
  }
  return "Reopened";
}

INSTANTIATE_TEST_SUITE_P(Everywhere, RuntimePersistenceExamples,
                         ::testing::Values(Where::kMemory, Where::kFile, Where::kSharedClock, Where::kReopened),
                         [](const auto& where) { return NameOf(where.param); });

}  // namespace
}  // namespace leasecheck::sqlite
