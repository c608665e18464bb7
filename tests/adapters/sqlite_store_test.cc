// What the SQLite store promises beyond the contract's examples: times over all of u64, ids and sequence numbers over openings,
// work that does not grow with what is passed over, files that cannot be used, statements and syncs that fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <set>

#include "adapters/sqlite/rows.h"
#include "adapters/sqlite/transaction.h"
#include "adapters/sqlite/unsynced_vfs.h"
#include "tests/adapters/sqlite_fixture.h"

namespace leasecheck::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kHalf = uint64_t{1} << 63;

class SqliteStore : public ::testing::Test {
 protected:
  SessionStore::Options Options(int connections = 1) {
    return {.path = folder_.File("queue.db"),
            .connections = connections,
            .environment = {.clock = &clock_, .liveness = &liveness_},
            .id_seed = 5};
  }
  std::unique_ptr<SessionStore> Open() { return Open(Options()); }
  static std::unique_ptr<SessionStore> Open(const SessionStore::Options& options) {
    auto store = SessionStore::Open(options);
    if (!store.ok()) ADD_FAILURE() << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static absl::Status StatusOfOpening(SessionStore::Options options) {
    options.busy_timeout = absl::Milliseconds(20);
    return SessionStore::Open(options).status();
  }
  // Runs SQL on the file beside the store.
  void Sql(const std::string& sql) {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(folder_.File("queue.db").c_str(), &handle), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << (error == nullptr ? "" : error);
    sqlite3_close(handle);
  }

  Folder folder_;
  ManualClock clock_{1000};
  FixedLiveness liveness_;
};

TEST_F(SqliteStore, EverythingIsThereAgain) {
  auto store = Open();
  Caller s(store.get());
  ss::QueuedWorkBatchDraft draft = Join(std::string("g\0h", 3));
  draft.session_id = "s";
  draft.source_key = "";
  draft.delivery_policy = ss::DeliveryPolicy::kAfterCurrentTurnCommit;
  draft.payloads = {Wake("\xc3\xa9"), Wake("2")};
  s.Enqueue(draft);
  s.Enqueue(Draft({}));
  s.Enqueue(Draft({Command(), Command()}));
  ASSERT_TRUE(s.Cancel(s.List()[1]).has_value());
  auto lane = s.Lane(Process("X", 4000000000u));
  ASSERT_TRUE(s.Claim(lane)->has_value());
  ss::RuntimeCommit commit = Caller::Settling(lane, {});
  commit.turn_commit = ss::RuntimeTurnCommitStamp{"s", "t", "h"};
  commit.body = OpaqueJson{"{\"a\":[1,2]}"};
  auto committed = s.Commit(commit);
  auto list = *store->ListQueuedWork({"s"});
  auto pending = *store->ListPendingQueuedWork({"s"});
  ASSERT_EQ(list.size(), 2u);
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(list[0].merge_key, draft.merge_key);
  EXPECT_EQ(list[0].source_key, "");
  EXPECT_EQ(list[0].items[0].payload, draft.payloads[0]);

  store.reset();
  store = Open(Options(3));
  Caller again(store.get());
  EXPECT_EQ(*store->ListQueuedWork({"s"}), list);
  EXPECT_EQ(*store->ListPendingQueuedWork({"s"}), pending);
  EXPECT_EQ(again.Try(Owner("Y"), 1), ss::SessionExecutionLeaseClaimOutcome(ss::LeaseBusy{lane}));
  EXPECT_EQ(*store->LoadSession({}), (ss::LoadedSession{"s", 1, commit.body}));
  EXPECT_EQ(*again.Commit(commit), *committed);
}

TEST_F(SqliteStore, TimesRunOverAllOfU64) {
  auto store = Open();
  Caller s(store.get());
  ss::QueuedWorkBatchDraft draft = Draft();
  draft.available_at_ms = kHalf;
  std::string half = s.Enqueue(draft).batch_id;
  draft.available_at_ms = kMax;
  ss::QueuedWorkBatch last = s.Enqueue(draft);
  EXPECT_EQ(last.available_at_ms, kMax);
  auto lane = s.Lane(Owner("X"), kMax);
  EXPECT_EQ(lane.expires_at_epoch_ms, kMax);
  EXPECT_THAT(Caller::Ids(s.Claim(lane)), IsEmpty());
  clock_.Set(kHalf - 1);
  EXPECT_THAT(Caller::Ids(s.Claim(lane)), IsEmpty());
  clock_.Set(kHalf);
  auto claim = s.Claim(lane, 1, kMax);
  ASSERT_THAT(Caller::Ids(claim), ElementsAre(half));
  EXPECT_EQ((*claim)->claimed_at_epoch_ms, kHalf);
  EXPECT_EQ((*claim)->expires_at_epoch_ms, kMax);
  EXPECT_THAT(s.Pending(), ElementsAre(last.batch_id));
  clock_.Set(kMax - 1);
  EXPECT_THAT(Caller::Ids(s.Claim(lane)), IsEmpty());
  EXPECT_EQ(s.Cancel(half), std::nullopt);
  EXPECT_THAT(s.Pending(), ElementsAre(last.batch_id));
  EXPECT_EQ(s.Try(Owner("Y"), 1), ss::SessionExecutionLeaseClaimOutcome(ss::LeaseBusy{lane}));
  clock_.Set(kMax);  // expires == now has lapsed, here too
  EXPECT_THAT(s.Pending(), ElementsAre(half, last.batch_id));
  auto next = s.Lane(Owner("Y"), 0);
  EXPECT_EQ(next.fencing_token, 2u);
  EXPECT_TRUE(Is(s.Claim(next), ss::SessionExecutionLeaseExpired{"s"}));
}

TEST_F(SqliteStore, CountersEndAtTheTopOfU64WithoutHarm) {
  auto store = Open();
  Caller s(store.get());
  std::string a = s.Enqueue().batch_id;
  auto lane = s.Lane(Owner("X"));
  auto claim = s.Claim(lane);
  s.Abandon(**claim);
  Sql("UPDATE batches SET claim_counter = 9223372036854775806");
  claim = s.Claim(lane);
  ASSERT_THAT(Caller::Ids(claim), ElementsAre(a));
  EXPECT_EQ((*claim)->fencing_token, kMax);
  s.Abandon(**claim);
  Sql("UPDATE store SET last_enqueue_seq = 9223372036854775806; UPDATE lanes SET fencing_token = 9223372036854775807");
  EXPECT_EQ(s.Enqueue().enqueue_seq, kMax);
  clock_.Set(100000);
  store.reset();
  std::string before = Dump(folder_.File("queue.db"));
  store = Open();
  Caller top(store.get());
  EXPECT_TRUE(Is(store->EnqueueQueuedWork({Draft()}), ss::Backend{}));
  EXPECT_TRUE(Is(store->TryClaimSessionExecutionLease({"s", Owner("Y"), 1}), ss::Backend{}));
  store.reset();
  EXPECT_EQ(Dump(folder_.File("queue.db")), before);
}

TEST_F(SqliteStore, NumbersAndIdsAreNeverUsedAgain) {
  std::set<std::string> ids;
  uint64_t last_seq = 0;
  for (int opening = 0; opening < 4; ++opening) {
    auto one = Open();  // the same seed each time, and two handles at once
    auto two = Open();
    for (SessionStore* store : {one.get(), two.get(), one.get()}) {
      Caller s(store);
      ss::QueuedWorkBatch batch = s.Enqueue();
      EXPECT_GT(batch.enqueue_seq, last_seq);
      last_seq = batch.enqueue_seq;
      EXPECT_TRUE(ids.insert(batch.batch_id).second);
      EXPECT_TRUE(ids.insert(batch.items[0].item_id).second);
      auto lane = s.Lane(Owner("X"), 0);
      EXPECT_TRUE(ids.insert(lane.lease_token).second);
      auto claim = s.Claim(s.Lane(Owner("X"), 1), 1, 0);
      ASSERT_TRUE(claim.has_value() && claim->has_value());
      EXPECT_TRUE(ids.insert((*claim)->claim_id).second);
      EXPECT_TRUE(ids.insert((*claim)->lease_token).second);
      ASSERT_TRUE(s.Cancel(batch.batch_id).has_value()) << "the last number is free in the table";
      clock_.Set(clock_.Now() + 10);
    }
  }
}

TEST_F(SqliteStore, ABackwardClockMakesNothingReady) {
  auto store = Open();
  Caller s(store.get());
  ss::QueuedWorkBatchDraft draft = Draft();
  draft.available_at_ms = 500;
  std::string a = s.Enqueue(draft).batch_id;
  clock_.Set(400);
  auto lane = s.Lane(Owner("X"));
  EXPECT_THAT(Caller::Ids(s.Claim(lane)), IsEmpty());
  clock_.Set(500);
  EXPECT_THAT(Caller::Ids(s.Claim(lane)), ElementsAre(a));
}

// The candidates of a claim cost the same whatever lies in front of them.
TEST_F(SqliteStore, DeferredAndClaimedRowsArePassedOnce) {
  auto store = Open();
  Caller s(store.get());
  s.Enqueue();
  auto lane = s.Lane(Owner("X"));
  ASSERT_TRUE(s.Claim(lane)->has_value());
  std::string path = folder_.File("queue.db");
  auto steps = [&] {
    StatementGate gate(nullptr);
    auto connection = Connection::Open({.path = path}, &gate);
    EXPECT_TRUE(connection.ok());
    {
      Transaction transaction(**connection, Transaction::Mode::kWrite);
      EXPECT_FALSE(HasClasslessCandidate(transaction, "s", 1000));
      EXPECT_TRUE(Candidates(transaction, "s", Owner("X"), nullptr, 1000).Next().has_value());
      EXPECT_TRUE(transaction.status().ok());
    }
    return (*connection)->steps();
  };
  s.Enqueue();
  uint64_t few = steps();
  // 3000 deferred batches and 3000 under a live claim, copied from the two there are, in front of one that is ready.
  Sql(R"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
         INSERT INTO batches SELECT -9000000000000000000 + i, 'copy-' || i, 's', NULL, 'turn_work', 'earliest_safe_boundary',
                'exclusive', 'never', NULL, 0, 0, -9223372036854775807, 0, 0 FROM n;
         INSERT INTO claims SELECT b.enqueue_seq, b.session_id, claim_id, lease_token, owner_id, incarnation_id, host_id, boot_id,
                pid, process_start, expires_at_ms FROM batches b, claims c WHERE b.enqueue_seq % 2 = 0
                AND b.batch_id LIKE 'copy-%' AND c.enqueue_seq < -9100000000000000000;
         UPDATE store SET last_enqueue_seq = -8000000000000000000)");
  s.Enqueue();
  ASSERT_EQ(store->ListQueuedWork({"s"})->size(), 6003u);
  ASSERT_EQ(store->ListPendingQueuedWork({"s"})->size(), 3002u);
  EXPECT_LE(steps(), few + 50);
}

TEST_F(SqliteStore, EveryStatementThatFailsLeavesNothingBehind) {
  auto setup = Open();
  Caller s(setup.get());
  s.Enqueue(Join("g"));
  s.Enqueue(Join("g"));
  auto lane = s.Lane(Owner("X"));
  auto claim = s.Claim(lane);
  ss::RuntimeCommit commit = Caller::Settling(lane, {**claim});
  commit.turn_commit = ss::RuntimeTurnCommitStamp{"s", "t", "h"};
  commit.release_session_execution_lease = ss::ReleaseOf(lane);
  setup.reset();
  std::string before = Dump(folder_.File("queue.db"));

  std::atomic<uint64_t> failing{0};
  SessionStore::Options options = Options();
  options.on_statement = [&failing](uint64_t n) { return n == failing ? absl::DataLossError("injected") : absl::OkStatus(); };
  int failed = 0;
  for (uint64_t n = 1;; ++n) {
    auto store = Open(options);
    failing = store->statements() + n;
    auto result = store->CommitRuntimeState({commit});
    if (result.has_value()) break;
    ++failed;
    EXPECT_TRUE(Is(result, ss::Backend{})) << n;
    EXPECT_THAT(std::get<ss::Backend>(result.error()).text, HasSubstr("injected"));
    EXPECT_TRUE(store->Health().ok());
    store.reset();
    ASSERT_EQ(Dump(folder_.File("queue.db")), before) << n;
  }
  EXPECT_GT(failed, 8) << "BEGIN, checks, deletes, head, stamp, lane, COMMIT";
  EXPECT_NE(Dump(folder_.File("queue.db")), before);
}

TEST_F(SqliteStore, ACommitWhoseSyncFailsIsOverwritten) {
  auto vfs = UnsyncedVfs::Register("failing-sync");
  ASSERT_TRUE(vfs.ok());
  SessionStore::Options options = Options();
  options.vfs = (*vfs)->name();
  auto store = Open(options);
  std::string a = Caller(store.get()).Enqueue().batch_id;
  (*vfs)->FailSyncs(1);
  EXPECT_TRUE(Is(store->EnqueueQueuedWork({Draft()}), ss::Backend{}));
  EXPECT_TRUE(store->Health().ok()) << store->Health();
  EXPECT_THAT(Caller(store.get()).List(), ElementsAre(a));
  // The process dies with its pages still in the system's cache: the refused batch must not come back.
  (*vfs)->Crash({UnsyncedVfs::Loss::Of::kNothing});
  store.reset();
  ASSERT_TRUE((*vfs)->Restart().ok());
  store = Open(options);
  EXPECT_THAT(Caller(store.get()).List(), ElementsAre(a));
}

TEST_F(SqliteStore, WhatCannotBeOverwrittenBreaksTheStore) {
  auto vfs = UnsyncedVfs::Register("broken-sync");
  ASSERT_TRUE(vfs.ok());
  SessionStore::Options options = Options();
  options.vfs = (*vfs)->name();
  auto store = Open(options);
  Caller(store.get()).Enqueue();
  (*vfs)->FailSyncs(2);
  EXPECT_TRUE(Is(store->EnqueueQueuedWork({Draft()}), ss::Backend{}));
  EXPECT_TRUE(absl::IsUnavailable(store->Health()));
  EXPECT_TRUE(Is(store->ListQueuedWork({"s"}), ss::Backend{}));
  store.reset();
  store = Open(options);
  EXPECT_TRUE(store->Health().ok());
  EXPECT_THAT(Caller(store.get()).List().size(), ::testing::AnyOf(1u, 2u));
}

TEST_F(SqliteStore, BadFilesAreOneClearStatus) {
  SessionStore::Options options = Options();
  options.path = folder_.File("nowhere/queue.db");
  EXPECT_TRUE(absl::IsNotFound(StatusOfOpening(options)));
  EXPECT_THAT(StatusOfOpening(options).message(), HasSubstr("nowhere/queue.db"));
  options.path = folder_.File("");
  EXPECT_TRUE(absl::IsNotFound(StatusOfOpening(options))) << StatusOfOpening(options);
  options.path = "";
  EXPECT_TRUE(absl::IsInvalidArgument(StatusOfOpening(options)));
  options.path = std::string("a\0b", 3);
  EXPECT_TRUE(absl::IsInvalidArgument(StatusOfOpening(options)));
  options = Options(0);
  EXPECT_TRUE(absl::IsInvalidArgument(StatusOfOpening(options)));
  options = Options(2);
  options.path = ":memory:";
  EXPECT_TRUE(absl::IsInvalidArgument(StatusOfOpening(options)));
  options = Options();
  options.environment.clock = nullptr;
  EXPECT_TRUE(absl::IsInvalidArgument(StatusOfOpening(options)));
  options = Options();
  options.vfs = "no such VFS";
  EXPECT_FALSE(StatusOfOpening(options).ok());

  options.vfs = "";
  std::ofstream(options.path) << "This is a text, long enough to be more than the header of a database file, and none at all. "
                              << std::string(500, 'x');
  EXPECT_TRUE(absl::IsDataLoss(StatusOfOpening(options))) << StatusOfOpening(options);
  EXPECT_THAT(StatusOfOpening(options).message(), HasSubstr("not a database"));

  ASSERT_TRUE(SessionStore::Remove(options.path).ok());
  Sql("CREATE TABLE other (x)");
  EXPECT_TRUE(absl::IsFailedPrecondition(StatusOfOpening(options))) << StatusOfOpening(options);
  EXPECT_THAT(StatusOfOpening(options).message(), HasSubstr("another program"));

  ASSERT_TRUE(SessionStore::Remove(options.path).ok());
  Open();
  Sql("PRAGMA user_version = 99");
  EXPECT_THAT(StatusOfOpening(options).message(), HasSubstr("another version"));
}

TEST_F(SqliteStore, ACorruptFileAnswersBackend) {
  auto store = Open();
  for (int i = 0; i < 200; ++i) Caller(store.get()).Enqueue(Draft({Wake(std::string(400, 'x'))}));
  store.reset();
  {
    std::fstream file(folder_.File("queue.db"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3 * 4096);  // the first pages are the schema, which is needed to open it
    file << std::string(40 * 4096, '\x5a');
  }
  auto opened = SessionStore::Open(Options());
  if (opened.ok()) {
    EXPECT_TRUE(Is((*opened)->ListQueuedWork({"s"}), ss::Backend{}));
  } else {
    EXPECT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
  }
}

TEST_F(SqliteStore, ALockedFileIsUnavailableAndThenWorks) {
  SessionStore::Options options = Options();
  options.busy_timeout = absl::Milliseconds(1);
  auto store = Open(options);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(options.path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(absl::IsUnavailable(StatusOfOpening(options))) << StatusOfOpening(options);
  EXPECT_TRUE(Is(store->EnqueueQueuedWork({Draft()}), ss::Backend{}));
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ(Caller(store.get()).Enqueue().enqueue_seq, 1u);
}

// A superuser may write anything, so a child gives up its rights first.
TEST_F(SqliteStore, AReadOnlyFileIsPermissionDenied) {
  Open();
  std::filesystem::permissions(folder_.File(""), std::filesystem::perms(0755));
  std::filesystem::permissions(folder_.File("queue.db"), std::filesystem::perms(0444));
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (getuid() == 0 && setuid(65534) != 0) _exit(3);
    _exit(absl::IsPermissionDenied(StatusOfOpening(Options())) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(SqliteStore, TheSharedClockIsARow) {
  SessionStore::Options options = Options();
  EXPECT_TRUE(absl::IsFailedPrecondition(Open(options)->SetClock(1)));
  options.environment.clock = nullptr;
  options.clock_in_database = true;
  auto one = Open(options), two = Open(options);
  EXPECT_EQ(Caller(two.get()).Enqueue().enqueued_at_ms, 0u);
  ASSERT_TRUE(one->SetClock(kMax).ok());
  EXPECT_EQ(Caller(two.get()).Enqueue().enqueued_at_ms, kMax);
}

}  // namespace
}  // namespace leasecheck::sqlite
