// What the runtime_persistence store on SQLite promises beyond the contract's examples: everything is there again after opening,
// values over all of u64, work that does not grow with what is stored, records that cannot be read, statements that fail.
#include <limits>

#include "adapters/sqlite/claim_rows.h"
#include "adapters/sqlite/runtime_persistence_attachments.h"
#include "adapters/sqlite/runtime_persistence_graph.h"
#include "adapters/sqlite/runtime_persistence_ledger.h"
#include "tests/adapters/sqlite_runtime_persistence_fixture.h"

namespace leasecheck::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kHalf = uint64_t{1} << 63;

class RuntimePersistenceStore : public ::testing::Test {
 protected:
  RuntimePersistence::Options Options() {
    return {.path = folder_.File("session.db"), .connections = 1, .environment = {.clock = &clock_}, .id_seed = 5};
  }
  std::unique_ptr<RuntimePersistence> Open() { return Open(Options()); }
  static std::unique_ptr<RuntimePersistence> Open(const RuntimePersistence::Options& options) {
    auto store = RuntimePersistence::Open(options);
    if (!store.ok()) ADD_FAILURE() << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  // Runs SQL on the file beside the store.
  void Sql(const std::string& sql) {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(folder_.File("session.db").c_str(), &handle), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << (error == nullptr ? "" : error);
    sqlite3_close(handle);
  }
  // The work of body(transaction) on the file, in steps of SQLite's virtual machine. Nothing that it writes is kept.
  template <class Body>
  uint64_t Steps(Body body) {
    StatementGate gate(nullptr);
    auto connection = Connection::Open({.path = folder_.File("session.db")}, &gate);
    EXPECT_TRUE(connection.ok());
    {
      Transaction transaction(**connection, Transaction::Mode::kWrite);
      body(transaction);
      EXPECT_TRUE(transaction.status().ok()) << transaction.status();
    }
    return (*connection)->steps();
  }

  Folder folder_;
  ManualClock clock_{1000};
};

// A commit that fills every field.
rp::RuntimeCommit EveryField() {
  rp::RuntimeCommit commit = Session::Stamped("t", "h");
  commit.config = {"provider", OpaqueJson{"{\"max\":18446744073709551615}"}};
  commit.agent_frames = {{"f1", "frame-ref", OpaqueJson{"{\"deep\":{\"execution_state_ref\":\"no\"}}"}},
                         {"", std::nullopt, {"{}"}}};
  commit.current_agent_frame_id = "elsewhere";
  rp::SessionNodeRecord node = Node(std::string("a\0b", 3));
  node.caused_by = OpaqueJson{"[1,\"\xc3\xa9\"]"};
  node.agent_frame_id = "";
  node.payload = OpaqueJson{"{\"body\":{},\"kind\":\"plugin\",\"plugin_type\":\"p\"}"};
  commit.graph = rp::ReplaceFull{{{node, Node("", node.node_id)}, ""}};
  commit.checkpoint.turn_state = OpaqueJson{"{\"turn_index\":3}"};
  commit.checkpoint.tool_state = OpaqueJson{"{\"generation\":18446744073709551615}"};
  commit.checkpoint.plugin_snapshot = OpaqueJson{"{\"generation\":18446744073709551615}"};
  commit.checkpoint.plugin_snapshot_revision = kMax;
  commit.checkpoint.execution_state = std::vector<uint8_t>{0, 255, 128, 0};
  commit.usage_deltas = {Usage("", "", {-1, 2, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()})};
  return commit;
}

TEST_F(RuntimePersistenceStore, EveryFieldComesBack) {
  const rp::RuntimeCommit commit = EveryField();
  auto store = Open();
  auto result = store->CommitRuntimeState({commit});
  ASSERT_TRUE(result.has_value()) << Session::Text(result);
  for (int opening = 0; opening < 2; ++opening) {
    auto read = Session(store.get()).Load();
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->session_id, "s");
    EXPECT_EQ(read->config, commit.config);
    EXPECT_EQ(read->agent_frames, commit.agent_frames);
    EXPECT_EQ(read->current_agent_frame_id, "elsewhere");
    EXPECT_EQ(read->graph, std::get<rp::ReplaceFull>(commit.graph).graph);
    EXPECT_EQ(read->token_ledger, commit.usage_deltas);
    EXPECT_EQ(read->checkpoint_ref, result->checkpoint_ref);
    rp::HydratedSessionCheckpoint checkpoint = commit.checkpoint;
    checkpoint.tool_state_ref = result->manifest.tool_state_ref;
    checkpoint.plugin_snapshot_ref = result->manifest.plugin_snapshot_ref;
    checkpoint.execution_state_ref = result->manifest.execution_state_ref;
    EXPECT_EQ(read->checkpoint, checkpoint);
    EXPECT_EQ(result->manifest.tool_state_ref, result->manifest.plugin_snapshot_ref) << "equal content has one name";
    EXPECT_EQ(store->CommitRuntimeState({commit}), result);
    EXPECT_EQ(Session(store.get()).Gc(), (rp::GcReport{1, 3, 0}));
    store.reset();
    store = Open();
  }
}

TEST_F(RuntimePersistenceStore, EverythingIsThereAgain) {
  auto store = Open();
  Session s(store.get());
  s.Commits(Session::With(Branches()));
  s.Tombstone({"l1"});
  Session::Get(store->SaveSessionMeta({{"x", "y", "z", "m", "", rp::RelationChild{"", std::nullopt}}}));
  s.Enqueue();
  s.Enqueue(Joining("g"));
  auto claim = s.Claim();
  s.Intend("a", "s", kMax);
  const auto everything = [](rp::RuntimePersistence& of) {
    return std::make_tuple(of.LoadSession({}), of.LoadSessionMeta({}), of.ListQueuedWork({"s"}), of.ListPendingQueuedWork({"s"}),
                           of.ListUncommitted({kMax}), of.GetDurabilityTier({}), of.LoadNode({"l1"}));
  };
  const auto before = everything(*store);
  store.reset();
  store = Open();
  EXPECT_TRUE(everything(*store) == before);
  EXPECT_EQ(*store->GetDurabilityTier({}), rp::DurabilityTier::kDurable);
  Session again(store.get());
  EXPECT_EQ(again.Vacuum(), 1u);
  EXPECT_EQ(again.Commits(Session::Completing({*claim})), 2u) << "the claim too";
  const rp::QueuedWorkBatch next = again.Enqueue();
  EXPECT_EQ(next.enqueue_seq, 3u) << "numbers go on";
  EXPECT_NE(next.batch_id, claim->batches[0].batch_id);
}

TEST_F(RuntimePersistenceStore, InMemoryNothingIsDurable) {
  RuntimePersistence::Options options = Options();
  options.path = ":memory:";
  EXPECT_EQ(*Open(options)->GetDurabilityTier({}), rp::DurabilityTier::kInline);
}

// RP-LAT-17: saturating, never negative.
TEST_F(RuntimePersistenceStore, TimesOverAllOfU64) {
  auto store = Open();
  Session s(store.get());
  clock_.Set(kHalf + 5);
  rp::QueuedWorkBatchDraft late = Work();
  late.available_at_ms = kHalf + 6;
  const std::string id = s.Enqueue(late).batch_id;
  EXPECT_EQ(s.Claim(), std::nullopt);
  clock_.Set(kHalf + 6);
  auto claim = store->ClaimReadyQueuedWork({"s", "o", rp::QueuedWorkClaimBoundary::kIdle, kMax, kMax});
  ASSERT_TRUE(claim.has_value() && claim->has_value()) << "a huge maximum is no limit";
  EXPECT_EQ((*claim)->expires_at_epoch_ms, kMax);
  EXPECT_THAT(s.Pending(), IsEmpty());
  clock_.Set(kMax);
  EXPECT_THAT(s.Pending(), ElementsAre(id));
  s.Intend("old", "s", kHalf - 1);
  s.Intend("new", "s", kHalf);
  s.Intend("last", "s", kMax);
  EXPECT_THAT(s.Uncommitted(kHalf - 1), ElementsAre("old"));
  EXPECT_THAT(s.Uncommitted(kHalf), ElementsAre("old", "new"));
  EXPECT_THAT(s.Uncommitted(kMax), ElementsAre("old", "new", "last"));
}

// RP-LAT-6d.
TEST_F(RuntimePersistenceStore, ACircleOfParentsEndsThePath) {
  auto store = Open();
  Session s(store.get());
  s.Commits(Session::With(rp::ReplaceFull{{{Node("a", "c"), Node("b", "a"), Node("c", "b"), Node("self", "self")}, "c"}}));
  EXPECT_EQ(s.Path(), "a b c / c");
  EXPECT_EQ(s.Path("self"), "self / self");
}

TEST_F(RuntimePersistenceStore, ALedgerThatOverflowsIsRefused) {
  auto store = Open();
  Session s(store.get());
  rp::RuntimeCommit commit = Session::Empty();
  commit.usage_deltas = {Usage("a", "m", {0, 0, std::numeric_limits<int64_t>::max(), 0})};
  s.Commits(commit);
  commit.usage_deltas = {Usage("b", "m", {1, 1, 1, 1}), Usage("a", "m", {0, 0, 1, 0})};
  EXPECT_TRUE(Fails(s.Commit(commit), rp::Backend{}));
  EXPECT_EQ(s.Load()->token_ledger.size(), 1u);
  EXPECT_TRUE(store->Trouble().ok()) << "no trouble of the database";
}

// Rows of three tables in great numbers, written beside the store.
constexpr const char* kMany = R"(
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT INTO nodes SELECT NULL, 'many-' || i, 'many-' || (i - 1), NULL, NULL, '', '{"kind":"event"}', i % 2 FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT INTO ledger SELECT NULL, 'source-' || i, 'm', 1, 2, 3, 4 FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT INTO attachments SELECT 's' || (i % 10), 'many-' || i, '', -9223372036854775807 - 1 + i,
             CASE WHEN i % 2 = 0 THEN -9223372036854775807 - 1 + i END FROM n;)";

TEST_F(RuntimePersistenceStore, WorkDoesNotGrowWithWhatIsStored) {
  auto store = Open();
  Session s(store.get());
  s.Commits(Session::With(Branches()));
  s.Intend("x", "s", 100);
  const auto path = [](Transaction& transaction) { EXPECT_EQ(PathTo(transaction, "l2").size(), 3u); };
  const auto node = [](Transaction& transaction) { EXPECT_TRUE(LiveNode(transaction, "q").has_value()); };
  const auto append = [](Transaction& transaction) {
    EXPECT_EQ(AppendNodes(transaction, {Node("new", "l2")}), std::nullopt);
    EXPECT_EQ(AppendNodes(transaction, {Node("q")}), "q");
  };
  const auto usage = [](Transaction& transaction) {
    EXPECT_TRUE(AddUsage(transaction, {Usage("new", "m", {1, 1, 1, 1}), Usage("new", "m", {1, 1, 1, 1})}));
  };
  const auto stamp = [](Transaction& transaction) { StampAttachments(transaction, "s", {"x", "nosuch"}, 5); };
  const std::vector<std::function<void(Transaction&)>> bodies = {path, node, append, usage, stamp};
  std::vector<uint64_t> few, many;
  for (const auto& body : bodies) few.push_back(Steps(body));
  Sql(kMany);
  for (const auto& body : bodies) many.push_back(Steps(body));
  for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_LE(many[i], few[i] + 20) << i;

  // What is returned in great numbers is whole, and in order.
  auto read = s.Load();
  EXPECT_EQ(read->graph.nodes.size(), 50004u);
  EXPECT_EQ(read->token_ledger.size(), 100000u);
  EXPECT_EQ(read->token_ledger.back(), Usage("source-100000", "m", {1, 2, 3, 4}));
  EXPECT_EQ(s.Uncommitted(50).size(), 25u);
  EXPECT_EQ(s.Uncommitted(kMax).size(), 50001u);
  EXPECT_EQ(s.Vacuum(), 50000u);
  EXPECT_EQ(s.Path(), "r l1 l2 / l2");
}

TEST_F(RuntimePersistenceStore, APathOfAHundredThousandNodes) {
  auto store = Open();
  Session s(store.get());
  std::vector<rp::SessionNodeRecord> nodes = {Node("0")};
  for (int i = 1; i < 100000; ++i) nodes.push_back(Node(absl::StrCat(i), absl::StrCat(i - 1)));
  s.Commits(Session::With(rp::Append{nodes, "99999"}));
  auto read = s.Load(rp::ActivePath{});
  ASSERT_EQ(read->graph.nodes.size(), 100000u);
  EXPECT_TRUE(read->graph.nodes == nodes);
  EXPECT_EQ(s.Path("2"), "0 1 2 / 2");
}

TEST_F(RuntimePersistenceStore, ARecordThatCannotBeReadIsTroubleAndNotSkipped) {
  auto store = Open();
  Session s(store.get());
  s.Commits(Session::With(Branches()));
  s.Enqueue();
  Sql("UPDATE head SET agent_frames = '[{\"no\":1}]'");
  auto read = store->LoadSession({});
  ASSERT_TRUE(Fails(read, rp::Backend{}));
  EXPECT_THAT(std::get<rp::Backend>(read.error()).text, HasSubstr("frame_id"));
  EXPECT_TRUE(absl::IsDataLoss(store->Trouble()));
  Sql("PRAGMA ignore_check_constraints = 1; UPDATE items SET type = 'unheard of'");
  EXPECT_TRUE(Fails(store->ListQueuedWork({"s"}), rp::Backend{}));
}

TEST_F(RuntimePersistenceStore, AFileOfAnotherFamilyIsRefused) {
  { Open(); }
  auto other = SessionStore::Open({.path = folder_.File("session.db"), .environment = {.clock = &clock_}});
  EXPECT_TRUE(absl::IsFailedPrecondition(other.status())) << other.status();
  EXPECT_THAT(other.status().message(), HasSubstr("another family"));
}

TEST_F(RuntimePersistenceStore, EveryStatementThatFailsLeavesNothingBehind) {
  auto setup = Open();
  Session s(setup.get());
  s.Commits(Session::With(Branches()));
  s.Tombstone({"q"});
  s.Enqueue();
  s.Intend("x", "s", 1);
  rp::RuntimeCommit commit = EveryField();
  commit.graph = rp::Append{{Node("q"), Node("n")}, "n"};
  commit.completed_queue_claims = {rp::CompletionOf(*s.Claim())};
  commit.committed_attachment_ids = {"x"};
  setup.reset();
  const std::string before = DumpSession(folder_.File("session.db"));

  std::atomic<uint64_t> failing{0};
  RuntimePersistence::Options options = Options();
  options.on_statement = [&failing](uint64_t n) { return n == failing ? absl::DataLossError("injected") : absl::OkStatus(); };
  int failed = 0;
  for (uint64_t n = 1;; ++n) {
    auto store = Open(options);
    failing = store->statements() + n;
    auto result = store->CommitRuntimeState({commit});
    if (result.has_value()) break;
    ++failed;
    EXPECT_THAT(std::get<rp::Backend>(result.error()).text, HasSubstr("injected")) << n;
    EXPECT_TRUE(store->Health().ok());
    store.reset();
    ASSERT_EQ(DumpSession(folder_.File("session.db")), before) << n;
  }
  EXPECT_GT(failed, 15) << "BEGIN, checks, batches, nodes, ledger, blobs, checkpoint, head, attachments, stamp, COMMIT";
  EXPECT_NE(DumpSession(folder_.File("session.db")), before);
}

}  // namespace
}  // namespace leasecheck::sqlite
