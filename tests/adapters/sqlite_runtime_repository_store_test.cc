// The runtime_repository store on SQLite: the suite (in memory, in a file, in a file with the shared clock, and in a file that is
// opened again before every call), and what it promises beyond it: everything is there again after opening, work that does not
// grow with what is stored, records that cannot be read, statements that fail.
#include <atomic>
#include <functional>
#include <set>

#include "adapters/sqlite/runtime_repository_rows.h"
#include "tests/adapters/sqlite_runtime_repository_fixture.h"
#include "tests/support/runtime_repository_suite.h"

namespace leasecheck::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Where { kMemory, kFile, kSharedClock, kReopened };

class SqliteHandle final : public rr::StoreHandle {
 public:
  explicit SqliteHandle(Where where)
      : where_(where),
        options_{.path = where == Where::kMemory ? ":memory:" : folder_.File("attempts.db"),
                 .connections = where == Where::kMemory ? 1 : 2,
                 .environment = {.clock = &clock_},
                 .clock_in_database = where == Where::kSharedClock} {}
  rr::RuntimeRepositoryStore& store() override { return Open(); }
  void SetNow(EpochMs now) override {
    if (where_ == Where::kSharedClock) {
      EXPECT_TRUE(Open().SetClock(now).ok());
    } else {
      clock_.Set(now);
    }
  }

 private:
  RuntimeRepository& Open() {
    if (store_ == nullptr || where_ == Where::kReopened) {
      store_.reset();
      store_ = OpenRepository(options_);
    }
    return *store_;
  }

  const Where where_;
  Folder folder_;
  ManualClock clock_;
  const RuntimeRepository::Options options_;
  std::unique_ptr<RuntimeRepository> store_;
};

rr::StoreUnderTest In(const std::string& name, Where where) {
  return {name, [where] { return std::make_unique<SqliteHandle>(where); }};
}

class RuntimeRepositoryStore : public ::testing::Test {
 protected:
  RuntimeRepository::Options Options() {
    return {.path = File(), .connections = 1, .environment = {.clock = &clock_}, .id_seed = 5};
  }
  std::string File() { return folder_.File("attempts.db"); }
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

// Something in every column of every table.
void Fill(Scheduler& s) {
  s.Enqueue({"a", "b", "c", "d"}, "run");
  s.Enqueue({std::string("x\0y", 3), ""}, "");
  s.SetPriority("a", -7);
  s.store().SetAttemptTenantId({"a", "t"}).value();
  s.SetTimeout("a", 10, Status::kCancelled);
  s.Ack("a", Status::kFailed, -0.001, rr::Exponential(1, 1.1, 250, 4'000'000'000u)).value();
  const rr::Lease lease = s.Claim("a", -3, "w");
  s.Heartbeat(lease.lease_id, -1, 50).value();
  s.Ack("b", Status::kFailed, 1, rr::Fixed(9'000'000'000'000, 2)).value();
  s.Ack("b", Status::kFailed, 2).value();
  s.Ack("c", Status::kFailed, 3).value();
  s.Ack("d", Status::kFailed, 3).value();
  s.Replay("d", 4).value();
  s.AppendEvents("run", rr::kAll - 1);
}

TEST_F(RuntimeRepositoryStore, EverythingIsThereAgain) {
  auto store = OpenRepository(Options());
  clock_.Set(5000);
  Scheduler first(store.get());
  Fill(first);
  const std::string before = first.Observed();
  const rr::Lease lease = *first.LeaseOf("a");
  store.reset();
  store = OpenRepository(Options());
  Scheduler again(store.get());
  for (const char* id : {"a", "b", "c", "d", ""}) again.Enqueue({id}, "another");
  again.Enqueue({std::string("x\0y", 3)}, "another");
  again.AppendEvents("run", 0);
  EXPECT_EQ(again.Observed(), before);
  EXPECT_EQ(again.OfTenant("t", 0), 1u);
  EXPECT_TRUE(store->HeartbeatLeaseWithVersion({lease.lease_id, "w", 2, At(1), At(60)}).has_value()) << "the version too";
  EXPECT_EQ(again.Timeout(14.999), 0u);
  EXPECT_EQ(again.Timeout(15), 1u) << "the timeout too, and when it began";
  EXPECT_TRUE(rr::FailedWith(again.Replay("d", 5), rr::DriverClass::kAlreadyReplayed));
  EXPECT_EQ(again.Ack("b", Status::kFailed, 3).value().status, Status::kFailed) << "the policy too";
  EXPECT_NE(again.Claim("d", 5).lease_id, lease.lease_id);
}

TEST_F(RuntimeRepositoryStore, LeaseIdsDifferOverOpenings) {
  std::set<std::string> ids;
  for (int opening = 0; opening < 5; ++opening) {
    auto store = OpenRepository(Options());
    Scheduler s(store.get());
    s.Enqueue({"a"});
    for (int i = 0; i < 3; ++i) {
      ids.insert(s.Claim("a", 1).lease_id);
      EXPECT_EQ(s.Expire(2), 1u);
    }
  }
  EXPECT_EQ(ids.size(), 15u);
}

// Attempts of every kind in great numbers, written beside the store: waiting retries before and behind everything, held ones,
// ended ones, and ready ones of a low priority.
constexpr const char* kMany = R"(
    CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i FROM n;
    INSERT INTO attempts SELECT 'waits' || i, 'r', 2, 'RetryBackoff', 9 - i % 20, 't', 999999999, NULL, NULL, NULL, NULL,
                                NULL, NULL, NULL, NULL, NULL, 'waits', 999999999, NULL FROM n;
    INSERT INTO attempts SELECT 'held' || i, 'r', 1, 'Leased', 9, 't', NULL, 1, 999999999, 'Failed', NULL,
                                'lease' || i, 'other', 999999999, 1, -9223372036854775807, 'none', NULL, 1000000000 FROM n;
    INSERT INTO attempts SELECT 'ended' || i, 'r', 1, 'Failed', 9, 't', NULL, NULL, NULL, NULL, NULL,
                                NULL, NULL, NULL, NULL, NULL, 'none', NULL, NULL FROM n;
    INSERT INTO attempts SELECT 'ready' || i, 'r', 1, 'Queued', -9, NULL, NULL, NULL, NULL, NULL, NULL,
                                NULL, NULL, NULL, NULL, NULL, 'ready', NULL, NULL FROM n;
    INSERT INTO dead_letters SELECT 'ended' || i, 'terminal_failed', 'pending', 1, 0, NULL FROM n;
    INSERT INTO runs SELECT 'run' || i, i FROM n;)";

TEST_F(RuntimeRepositoryStore, WorkDoesNotGrowWithWhatIsStored) {
  {
    auto store = OpenRepository(Options());
    Scheduler s(store.get());
    s.Enqueue({"a", "b", "c", "d"});
    s.Ack("d", Status::kFailed, 0, rr::Fixed(1000, 1)).value();
    s.SetTimeout("c", 1, Status::kFailed);
    s.Claim("c", 5, "w");
    s.store().SetAttemptTenantId({"c", "mine"}).value();
    s.AppendEvents("r", 1);
  }
  const std::vector<std::function<void(Transaction&)>> bodies = {
      [](Transaction& t) { EXPECT_EQ(Dispatchable(t, At(10), 3).size(), 3u); },
      [](Transaction& t) {
        std::optional<AttemptRow> row = ReadAttempt(t, "a");
        row->status = Status::kLeased;
        row->lease = rr::Lease{"new", "a", "w", At(9), At(9), 1};
        WriteAttempt(t, *row);
      },
      [](Transaction& t) { EXPECT_EQ(StaleAttempts(t, At(6)).size(), 1u); },
      [](Transaction& t) { EXPECT_EQ(TimedOutAttempts(t, At(1)).size(), 1u); },
      [](Transaction& t) { EXPECT_EQ(LiveLeasesOfWorker(t, "w", At(1)), 1u); },
      [](Transaction& t) { EXPECT_EQ(LiveLeasesOfTenant(t, "mine", At(1)), 1u); },
      [](Transaction& t) {
        AttemptRow row;
        row.attempt_id = "new";
        AddAttempt(t, row);
      },
      [](Transaction& t) { WriteDeadLetter(t, "a", "r", At(1)); },
      [](Transaction& t) { WriteLatestSeq(t, "r", ReadLatestSeq(t, "r") + 1); },
  };
  std::vector<uint64_t> few;
  for (const auto& body : bodies) few.push_back(Steps(body));
  Sql(kMany);
  for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_LE(Steps(bodies[i]), few[i] + 20) << i;
  auto store = OpenRepository(Options());
  Scheduler s(store.get());
  EXPECT_THAT(s.List(1, 4), ElementsAre("a", "b", "d", "ready1"));
  EXPECT_EQ(s.List(1).size(), 50003u);
  EXPECT_EQ(s.Expire(1e6), 50001u);
}

TEST_F(RuntimeRepositoryStore, ARecordThatCannotBeReadIsTroubleAndNotSkipped) {
  auto store = OpenRepository(Options());
  Scheduler s(store.get());
  s.Enqueue({"a"});
  Sql("UPDATE attempts SET retry_policy = '{\"no\":1}'");
  const auto read = store->GetAttemptStatus({"a"});
  ASSERT_TRUE(rr::FailedWith(read, rr::DriverClass::kBackend));
  EXPECT_THAT(std::get<rr::Driver>(read.error()).text.value_or(""), HasSubstr("strategy"));
  EXPECT_TRUE(absl::IsDataLoss(store->Trouble()));
}

TEST_F(RuntimeRepositoryStore, TroubleWithEventsIsTheEventStores) {
  auto store = OpenRepository(Options());
  Sql("DROP TABLE runs");
  for (const auto& result : {store->LatestSeqForRun({"r"}), store->AppendRunEvents({"r", 1})}) {
    ASSERT_FALSE(result.has_value());
    ASSERT_TRUE(std::holds_alternative<rr::EventStore>(result.error()));
    EXPECT_THAT(std::get<rr::EventStore>(result.error()).text, HasSubstr("runs"));
  }
}

TEST_F(RuntimeRepositoryStore, AFileOfAnotherFamilyIsRefused) {
  { OpenRepository(Options()); }
  auto other = SessionStore::Open({.path = File(), .environment = {.clock = &clock_}});
  EXPECT_TRUE(absl::IsFailedPrecondition(other.status())) << other.status();
  EXPECT_THAT(other.status().message(), HasSubstr("another family"));
}

TEST_F(RuntimeRepositoryStore, EveryStatementThatFailsLeavesNothingBehind) {
  {
    auto setup = OpenRepository(Options());
    Scheduler s(setup.get());
    for (const char* id : {"a", "b", "c"}) {
      s.Enqueue({id});
      s.SetTimeout(id, 1, Status::kFailed);
      s.Claim(id, 5);
    }
  }
  const std::string before = DumpRepository(File());
  const std::vector<std::function<bool(RuntimeRepository&)>> calls = {
      [](RuntimeRepository& s) { return s.ExpireLeasesAndRequeue({At(6)}).has_value(); },
      [](RuntimeRepository& s) { return s.TransitionTimedOutAttempts({At(1)}).has_value(); },
      [](RuntimeRepository& s) {
        return s.AckAttempt({"a", Status::kFailed, rr::Fixed(1, 1), At(1), std::nullopt}).has_value();
      },
  };
  for (std::size_t call = 0; call < calls.size(); ++call) {
    std::atomic<uint64_t> failing{0};
    RuntimeRepository::Options options = Options();
    options.path = folder_.File(absl::StrCat("failing-", call, ".db"));
    std::filesystem::copy_file(File(), options.path);
    options.on_statement = [&failing](uint64_t n) { return n == failing ? absl::DataLossError("injected") : absl::OkStatus(); };
    int failed = 0;
    for (uint64_t n = 1;; ++n) {
      auto store = OpenRepository(options);
      failing = store->statements() + n;
      if (calls[call](*store)) break;
      ++failed;
      EXPECT_THAT(std::string(store->Trouble().message()), HasSubstr("injected")) << n;
      EXPECT_TRUE(store->Health().ok());
      store.reset();
      ASSERT_EQ(DumpRepository(options.path), before) << n;
    }
    EXPECT_GE(failed, 5) << "BEGIN, reads, writes, COMMIT";
    EXPECT_NE(DumpRepository(options.path), before);
  }
}

}  // namespace
}  // namespace leasecheck::sqlite

namespace leasecheck::runtime_repository {

INSTANTIATE_TEST_SUITE_P(Sqlite, RuntimeRepositorySuite,
                         ::testing::Values(sqlite::In("Memory", sqlite::Where::kMemory), sqlite::In("File", sqlite::Where::kFile),
                                           sqlite::In("SharedClock", sqlite::Where::kSharedClock),
                                           sqlite::In("Reopened", sqlite::Where::kReopened)),
                         StoreName);

}  // namespace leasecheck::runtime_repository
