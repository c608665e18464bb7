// The state_backend store on SQLite: the suite (in memory, in a file, in a file with the shared clock, and in a file that is
// opened again before every call), and what it promises beyond it: everything is there again after opening, work that does not
// grow with what is stored, no secret in any file, records that cannot be read, statements that fail.
#include <atomic>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "adapters/sqlite/session_store.h"
#include "adapters/sqlite/state_backend_event_rows.h"
#include "adapters/sqlite/state_backend_work_rows.h"
#include "codec/sha256.h"
#include "tests/adapters/sqlite_state_backend_fixture.h"
#include "tests/support/state_backend_suite.h"

namespace leasecheck::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

enum class Where { kMemory, kFile, kSharedClock, kReopened };

class SqliteHandle final : public sb::StoreHandle {
 public:
  explicit SqliteHandle(Where where)
      : where_(where),
        options_{.path = where == Where::kMemory ? ":memory:" : folder_.File("state.db"),
                 .connections = where == Where::kMemory ? 1 : 2,
                 .environment = {.clock = &clock_},
                 .clock_in_database = where == Where::kSharedClock} {}
  sb::StateBackendStore& store() override { return Open(); }
  void SetNow(EpochMs now) override {
    if (where_ == Where::kSharedClock) {
      EXPECT_TRUE(Open().SetClock(now).ok());
    } else {
      clock_.Set(now);
    }
  }

 private:
  StateBackend& Open() {
    if (store_ == nullptr || where_ == Where::kReopened) {
      store_.reset();
      store_ = OpenBackend(options_);
    }
    return *store_;
  }

  const Where where_;
  Folder folder_;
  ManualClock clock_;
  const StateBackend::Options options_;
  std::unique_ptr<StateBackend> store_;
};

sb::StoreUnderTest In(const std::string& name, Where where) {
  return {name, [where] { return std::make_unique<SqliteHandle>(where); }};
}

class StateBackendStore : public ::testing::Test {
 protected:
  StateBackend::Options Options() { return {.path = File(), .connections = 1, .environment = {.clock = &clock_}, .id_seed = 5}; }
  std::string File() { return folder_.File("state.db"); }
  // Runs SQL on the file beside the store.
  void Sql(const std::string& sql) {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(File().c_str(), &handle), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << (error == nullptr ? "" : error);
    sqlite3_close(handle);
  }
  // The work of body(transaction) on the file, in steps of SQLite's virtual machine. Nothing that it writes is kept.
  uint64_t Steps(const std::function<void(Transaction&)>& body) {
    StatementGate gate(nullptr);
    auto connection = Connection::Open({.path = File()}, &gate);
    EXPECT_TRUE(connection.ok());
    {
      Transaction transaction(**connection, Transaction::Mode::kWrite);
      body(transaction);
      EXPECT_TRUE(transaction.status().ok()) << transaction.status();
    }
    return (*connection)->steps();
  }

  Folder folder_;
  ManualClock clock_{0};
};

TEST_F(StateBackendStore, EverythingIsThereAgain) {
  auto store = OpenBackend(Options());
  Engine first(store.get());
  first.AddTenant(sb::TenantOf("alpha", -5)).value();
  first.Through("alpha");
  store->StoreWorkflow({{"flow", "1", sb::Json("[1]"), At(1), "x"}, "alpha"}).value();
  sb::WorkflowExecution execution = sb::Execution(1, 2, sb::WorkflowStatus::kPaused);
  execution.session_type = sb::SessionType::kEphemeral;
  execution.current_state = sb::Json("{\"a\\u0000b\":1}");
  first.Create(execution).value();
  first.Append(1);
  first.Write(sb::SnapshotAt(1)).value();
  for (uint64_t n = 1; n <= 4; ++n) first.Enqueue(sb::Item(n, static_cast<double>(n)));
  EXPECT_EQ(first.Claimed(), 1u);
  clock_.Set(31'000);
  EXPECT_THAT(first.Retryable(), ElementsAre(1));
  EXPECT_EQ(first.Claimed(), 2u);
  first.Bury(3, "why").value();
  const sb::CreatedToken token = first.Token();
  const sb::CreatedToken revoked = first.Token();
  store->RevokeToken({revoked.info.id}).value();
  store->ExpireToken({token.info.id, At(100)}).value();
  store.reset();

  store = OpenBackend(Options());
  Engine again(store.get());
  EXPECT_EQ(again.GetTenant("alpha")->created_at, At(-5));
  again.Through("alpha");
  EXPECT_EQ(store->GetWorkflow({"flow", "1", "alpha"}).value()->tenant_id, "alpha");
  EXPECT_EQ(again.Get(1), execution);
  EXPECT_THAT(again.Events(), ElementsAre(1));
  EXPECT_TRUE(sb::FailedWith<sb::Database>(again.TryAppend(sb::EventOf(1))));
  EXPECT_EQ(again.Append(2), 2);
  EXPECT_EQ(again.LatestSnap(), sb::SnapshotAt(1));
  EXPECT_EQ(again.Claimed(), 4u);
  EXPECT_TRUE(again.Renew(2).has_value());
  EXPECT_THAT(again.Letters(), SizeIs(1));
  clock_.Set(33'000);
  EXPECT_EQ(again.Claim()->attempt, 1u);
  EXPECT_EQ(again.Validate(token.plaintext.text)->expires_at, At(100));
  EXPECT_EQ(again.Validate(revoked.plaintext.text), std::nullopt);
  EXPECT_NE(again.Token().plaintext, token.plaintext) << "also with a seed: every opening counts";
  EXPECT_TRUE(sb::FailedWith<sb::Database>(again.TryEnqueue(sb::Item(3))));
}

// SB-TOK-6: the text is in the answer, and neither in the file nor in its log.
TEST_F(StateBackendStore, NoSecretIsInAnyFile) {
  for (const bool seeded : {true, false}) {
    StateBackend::Options options = Options();
    if (!seeded) options.id_seed.reset();
    auto store = OpenBackend(options);
    Engine engine(store.get());
    const sb::CreatedToken token = engine.Token("needle-name");
    EXPECT_TRUE(engine.Validate(token.plaintext.text).has_value());
    std::string bytes;
    for (const char* suffix : {"", "-wal"}) {
      std::ifstream file(File() + suffix, std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    EXPECT_THAT(bytes, HasSubstr("needle-name")) << "the search sees what is written";
    EXPECT_THAT(bytes, HasSubstr(codec::Sha256Hex(token.plaintext.text)));
    EXPECT_THAT(bytes, Not(HasSubstr(token.plaintext.text)));
    EXPECT_THAT(bytes, Not(HasSubstr(token.plaintext.text.substr(3, 32))));
  }
}

TEST_F(StateBackendStore, TextsWithoutASeedAreRandom) {
  std::set<std::string> texts;
  for (int opening = 0; opening < 3; ++opening) {
    StateBackend::Options options = Options();
    options.id_seed.reset();
    auto store = OpenBackend(options);
    for (int n = 0; n < 5; ++n) texts.insert(store->CreateToken({"n", "r"}).value().plaintext.text);
  }
  EXPECT_THAT(texts, SizeIs(15));
}

// Items of every kind in great numbers, written beside the store: claimed, waiting for a retry, settled, of other queues, and
// ready but younger. Events and executions too.
constexpr const char* kMany = R"(
    CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n;
    INSERT INTO items SELECT NULL, 'claimed' || i, 'default', 1, '', 'tool', '{}', 0, 3, -9, 'claimed', NULL, 'none', 'w',
                             999999999, '', NULL FROM n;
    INSERT INTO items SELECT NULL, 'waits' || i, 'default', 1, '', 'tool', '{}', 1, 3, -9, 'pending', 999999999, 'waits', NULL,
                             NULL, '', NULL FROM n;
    INSERT INTO items SELECT NULL, 'done' || i, 'default', 1, '', 'tool', '{}', 0, 3, -9, 'completed', NULL, 'none', NULL, NULL,
                             '', NULL FROM n;
    INSERT INTO items SELECT NULL, 'other' || i, 'default', 1, '', 'other', '{}', 0, 3, -9, 'pending', NULL, 'ready', NULL, NULL,
                             '', NULL FROM n;
    INSERT INTO items SELECT NULL, 'young' || i, 'default', 1, '', 'tool', '{}', 0, 3, 99999, 'pending', NULL, 'ready', NULL,
                             NULL, '', NULL FROM n;
    INSERT INTO executions SELECT NULL, 'e' || i, 'default', '', '', 'failed', '{}', '{}', 0, -i, NULL, NULL FROM n;
    INSERT INTO events SELECT 1, i + 10, 'event' || i, '{}', 0 FROM n;)";

TEST_F(StateBackendStore, WorkDoesNotGrowWithWhatIsStored) {
  {
    auto store = OpenBackend(Options());
    Engine engine(store.get());
    engine.CreateAll({1});
    for (uint64_t n = 1; n <= 3; ++n) engine.Enqueue(sb::Item(n));
    EXPECT_EQ(engine.Claimed(), 1u);
    clock_.Set(31'000);
    EXPECT_THAT(engine.Retryable(), ElementsAre(1));
    EXPECT_EQ(engine.Claimed(), 2u);
    for (uint64_t n = 1; n <= 10; ++n) engine.Append(n);
  }
  const Instant due = At(33);
  const std::vector<std::function<void(Transaction&)>> bodies = {
      [&](Transaction& t) {
        AdmitRetries(t, due);
        EXPECT_EQ(NextEligible(t, std::nullopt, {"tool", "nosuch"}, due)->item.id, I(1));
      },
      [&](Transaction& t) { EXPECT_EQ(NextEligible(t, "default", {"tool"}, due)->item.id, I(3)); },
      [&](Transaction& t) { EXPECT_THAT(ExpiredItems(t, std::nullopt, At(62)), SizeIs(1)); },
      [&](Transaction& t) { EXPECT_THAT(ExpiredItems(t, "default", At(62)), SizeIs(1)); },
      [&](Transaction& t) { EXPECT_THAT(ListExecutionRows(t, std::nullopt, std::nullopt, 1, 0), SizeIs(1)); },
      [&](Transaction& t) { EXPECT_THAT(ListExecutionRows(t, "default", sb::WorkflowStatus::kRunning, 1, 0), SizeIs(1)); },
      [&](Transaction& t) { EXPECT_THAT(ListExecutionRows(t, std::nullopt, sb::WorkflowStatus::kRunning, 1, 0), SizeIs(1)); },
      [&](Transaction& t) { EXPECT_THAT(ListExecutionRows(t, "default", std::nullopt, 1, 0), SizeIs(1)); },
      [&](Transaction& t) {
        EXPECT_TRUE(AddEvent(t, 1, [&] {
          sb::Event event = sb::EventOf(99);
          event.sequence = ReadLatestSequence(t, 1) + 1;
          return event;
        }()));
      },
      [&](Transaction& t) { EXPECT_THAT(ReadEvents(t, 1, E(1), ReadLatestSequence(t, 1) - 1), SizeIs(1)); },
      [&](Transaction& t) { EXPECT_EQ(ReadItem(t, "default", I(2))->status, ItemStatus::kClaimed); },
      [&](Transaction& t) {
        ItemRow row = *ReadItem(t, std::nullopt, I(2));
        row.item.lease_expires_at = At(1000);
        WriteItem(t, row);
      },
  };
  std::vector<uint64_t> few;
  for (const auto& body : bodies) few.push_back(Steps(body));
  Sql(kMany);
  for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_LE(Steps(bodies[i]), few[i] + 20) << i;
}

TEST_F(StateBackendStore, AClockThatGoesBackFindsNoRetryTooEarly) {
  auto store = OpenBackend(Options());
  Engine engine(store.get());
  engine.CreateAll({1});
  engine.Enqueue(sb::Item(1));
  engine.Enqueue(sb::Item(2, 5, "other"));
  EXPECT_EQ(engine.Claimed(), 1u);
  clock_.Set(31'000);
  EXPECT_THAT(engine.Retryable(), ElementsAre(1));
  clock_.Set(40'000);
  EXPECT_EQ(engine.Claimed({"other"}), 2u) << "which lets the retry of item 1 through";
  clock_.Set(32'000);
  EXPECT_EQ(engine.Claimed(), 0u);
  clock_.Set(33'000);
  EXPECT_EQ(engine.Claimed(), 1u);
}

TEST_F(StateBackendStore, ARecordThatCannotBeReadIsTroubleAndNotSkipped) {
  auto store = OpenBackend(Options());
  Engine engine(store.get());
  engine.CreateAll({1});
  Sql("UPDATE executions SET current_state = '{'");
  const auto patched = engine.Patch(1, "k", "1");
  ASSERT_TRUE(sb::FailedWith<sb::Database>(patched));
  EXPECT_THAT(std::get<sb::Database>(patched.error()).text, HasSubstr("cannot be read"));
  EXPECT_TRUE(absl::IsDataLoss(store->Trouble()));
  Sql("UPDATE tenants SET limits = '[]'");
  EXPECT_TRUE(sb::FailedWith<sb::Database>(store->GetTenant({"default"})));
}

TEST_F(StateBackendStore, AFileOfAnotherFamilyIsRefused) {
  { OpenBackend(Options()); }
  auto other = SessionStore::Open({.path = File(), .environment = {.clock = &clock_}});
  EXPECT_TRUE(absl::IsFailedPrecondition(other.status())) << other.status();
  EXPECT_THAT(other.status().message(), HasSubstr("another family"));
}

TEST_F(StateBackendStore, EveryStatementThatFailsLeavesNothingBehind) {
  {
    auto setup = OpenBackend(Options());
    Engine engine(setup.get());
    engine.CreateAll({1});
    for (uint64_t n = 1; n <= 3; ++n) engine.Enqueue(sb::Item(n));
    EXPECT_EQ(engine.Claimed(), 1u);
    EXPECT_EQ(engine.Claimed(), 2u);
  }
  clock_.Set(31'000);
  const std::string before = DumpBackend(File());
  const std::vector<std::function<bool(StateBackend&)>> calls = {
      [](StateBackend& s) { return s.ReclaimExpiredLeases({}).has_value(); },
      [](StateBackend& s) {
        return s.ClaimWorkItem({"w", {"tool"}}).has_value();
      },
      [](StateBackend& s) { return s.AppendEvent({sb::EventOf(1)}).has_value(); },
      [](StateBackend& s) {
        return s.PatchAppendArray({E(1), "k", sb::Json("1")}).has_value();
      },
      [](StateBackend& s) {
        return s.CreateToken({"n", "r"}).has_value();
      },
  };
  for (std::size_t call = 0; call < calls.size(); ++call) {
    std::atomic<uint64_t> failing{0};
    StateBackend::Options options = Options();
    options.path = folder_.File(absl::StrCat("failing-", call, ".db"));
    std::filesystem::copy_file(File(), options.path);
    options.on_statement = [&failing](uint64_t n) { return n == failing ? absl::DataLossError("injected") : absl::OkStatus(); };
    int failed = 0;
    for (uint64_t n = 1;; ++n) {
      auto store = OpenBackend(options);
      failing = store->statements() + n;
      if (calls[call](*store)) break;
      ++failed;
      EXPECT_THAT(std::string(store->Trouble().message()), HasSubstr("injected")) << n;
      EXPECT_TRUE(store->Health().ok());
      store.reset();
      ASSERT_EQ(DumpBackend(options.path), before) << n;
    }
    EXPECT_GE(failed, 4) << "BEGIN, reads, writes, COMMIT";
    EXPECT_NE(DumpBackend(options.path), before);
  }
}

}  // namespace
}  // namespace leasecheck::sqlite

namespace leasecheck::state_backend {

INSTANTIATE_TEST_SUITE_P(Sqlite, StateBackendSuite,
                         ::testing::Values(sqlite::In("Memory", sqlite::Where::kMemory), sqlite::In("File", sqlite::Where::kFile),
                                           sqlite::In("SharedClock", sqlite::Where::kSharedClock),
                                           sqlite::In("Reopened", sqlite::Where::kReopened)),
                         StoreName);

}  // namespace leasecheck::state_backend
