// Turn inputs in the SQLite store: the suite (in memory, in a file, in a file with the shared clock, and in a file that is opened
// again before every call), and what is its own: work, failing statements, the ends of the counters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>

#include "adapters/sqlite/turn_input_rows.h"
#include "tests/adapters/sqlite_fixture.h"
#include "tests/support/turn_input_suite.h"

namespace leasecheck::sqlite {
namespace {

using ss::StoreUnderTest;
using ::testing::HasSubstr;

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

enum class Where { kMemory, kFile, kSharedClock, kReopened };

class SqliteHandle final : public ss::StoreHandle {
 public:
  explicit SqliteHandle(Where where)
      : where_(where),
        options_{.path = where == Where::kMemory ? ":memory:" : folder_.File("inputs.db"),
                 .connections = where == Where::kMemory ? 1 : 2,
                 .environment = {.clock = &clock_, .liveness = &liveness_},
                 .clock_in_database = where == Where::kSharedClock} {}
  ss::SessionStore& store() override { return Open(); }
  void SetNow(EpochMs now) override {
    if (where_ == Where::kSharedClock) {
      EXPECT_TRUE(Open().SetClock(now).ok());
    } else {
      clock_.Set(now);
    }
  }

 private:
  SessionStore& Open() {
    if (store_ == nullptr || where_ == Where::kReopened) {
      store_.reset();
      auto store = SessionStore::Open(options_);
      if (!store.ok()) ADD_FAILURE() << store.status();
      store_ = *std::move(store);
    }
    return *store_;
  }

  const Where where_;
  Folder folder_;
  ManualClock clock_;
  FixedLiveness liveness_{1, "1"};
  const SessionStore::Options options_;
  std::unique_ptr<SessionStore> store_;
};

StoreUnderTest In(const std::string& name, Where where) {
  return {name, [where] { return std::make_unique<SqliteHandle>(where); }};
}

class SqliteInputs : public ::testing::Test {
 protected:
  SessionStore::Options Options() {
    return {.path = folder_.File("inputs.db"),
            .connections = 1,
            .environment = {.clock = &clock_, .liveness = &liveness_},
            .id_seed = 5};
  }
  static std::unique_ptr<SessionStore> Open(const SessionStore::Options& options) {
    auto store = SessionStore::Open(options);
    if (!store.ok()) ADD_FAILURE() << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  void Sql(const std::string& sql) {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(folder_.File("inputs.db").c_str(), &handle), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << (error == nullptr ? "" : error);
    sqlite3_close(handle);
  }
  static ss::PendingTurnInput Enqueue(SessionStore& store, ss::TurnInputIngress ingress, const std::string& session = "s") {
    auto input = store.EnqueuePendingTurnInput({{session, std::nullopt, std::nullopt, std::move(ingress), {}}});
    EXPECT_TRUE(input.has_value());
    return input.value_or(ss::PendingTurnInput{});
  }

  Folder folder_;
  ManualClock clock_{1000};
  FixedLiveness liveness_;
};

// The work of a claim, of a list and of a vacuum does not depend on what is not theirs.
TEST_F(SqliteInputs, WhatIsNotTheirsCostsNothing) {
  auto store = Open(Options());
  auto lane = Caller(store.get()).Lane(Owner("X"));
  Enqueue(*store, ss::NextTurnIngress{});
  ASSERT_TRUE((*store->ClaimNextTurnInputs({"s", ss::FenceOf(lane), Owner("X"), 60000, 1})).has_value());
  const auto fill = [&] {
    Enqueue(*store, ss::ActiveTurnIngress{"t"});
    Enqueue(*store, ss::ActiveTurnIngress{"t", ss::CheckpointKind::kBeforeCompletion});
    Enqueue(*store, ss::NextTurnIngress{});
  };
  fill();
  const auto steps = [&](const std::function<void(Transaction&)>& work) {
    StatementGate gate(nullptr);
    auto connection = Connection::Open({.path = folder_.File("inputs.db")}, &gate);
    EXPECT_TRUE(connection.ok());
    {
      Transaction transaction(**connection, Transaction::Mode::kWrite);
      work(transaction);
      EXPECT_TRUE(transaction.status().ok()) << transaction.status();
    }
    return (*connection)->steps();
  };
  const std::function<void(Transaction&)> works[] = {
      [](Transaction& t) { EXPECT_EQ(InputsForTurn(t, "s", "t", ss::CheckpointKind::kAfterWork, 1).size(), 1u); },
      [](Transaction& t) { EXPECT_EQ(InputsForTurn(t, "s", "t", ss::CheckpointKind::kBeforeCompletion, 1).size(), 1u); },
      [](Transaction& t) { EXPECT_EQ(InputsForNextTurn(t, "s", Process("X", 1), nullptr, 1, 1000).size(), 1u); },
      [&](Transaction& t) { EXPECT_EQ(InputsForNextTurn(t, "s", Process("X", 1), &liveness_, 1, 1000).size(), 1u); },
      [](Transaction& t) { EXPECT_EQ(VacuumInputs(t), 0u); },
      [](Transaction& t) { AbandonInputs(t, "s", "no claim", "no token"); },
      [](Transaction& t) { InterruptTurn(t, "s", "no turn"); },
  };
  std::vector<uint64_t> few;
  for (const auto& work : works) few.push_back(steps(work));
  // 6000 rows in front: of another turn, under a live claim.
  Sql(R"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
         INSERT INTO turn_inputs (enqueue_seq, input_id, given, session_id, turn_id, min_boundary, enqueued_at_ms, input,
                                  rewritten, state, claim_counter, ready_at_ms, in_line, claim_id, lease_token, owner_id,
                                  incarnation_id, expires_at_ms)
         SELECT -9000000000000000000 + i, 'input-copy-' || i, 0, 's', CASE WHEN i % 2 = 0 THEN 'old' END,
                CASE WHEN i % 2 = 0 THEN 'after_work' END, 0, '{"image_blobs":{},"items":[]}', 0,
                CASE WHEN i % 2 = 0 THEN 'pending_active' ELSE 'deferred_next_turn' END, 0,
                CASE WHEN i % 2 = 0 THEN -9223372036854775808 ELSE 0 END, i % 2 = 0, CASE WHEN i % 2 = 1 THEN 'c' END,
                CASE WHEN i % 2 = 1 THEN 'l' END, CASE WHEN i % 2 = 1 THEN 'o' END, CASE WHEN i % 2 = 1 THEN 'o' END,
                CASE WHEN i % 2 = 1 THEN 0 END FROM n;
         DELETE FROM turn_inputs WHERE claim_id IS NULL AND (turn_id = 't' OR turn_id IS NULL);
         UPDATE store SET last_input_seq = -8000000000000000000)");
  fill();
  ASSERT_EQ(store->ListPendingTurnInputs({"s"})->size(), 3003u);
  for (std::size_t i = 0; i < std::size(works); ++i) EXPECT_LE(steps(works[i]), few[i] + 50) << i;
}

TEST_F(SqliteInputs, EveryStatementThatFailsLeavesNothingBehind) {
  ss::RuntimeCommit commit;
  std::string anchor;
  {
    auto store = Open(Options());
    auto lane = Caller(store.get()).Lane(Owner("X"));
    commit = Caller::Settling(lane, {});
    for (int i = 0; i < 2; ++i) Enqueue(*store, ss::NextTurnIngress{});
    auto next = *store->ClaimNextTurnInputs({"s", ss::FenceOf(lane), Owner("X"), 60000, 10});
    Enqueue(*store, ss::ActiveTurnIngress{"t"});
    auto active =
        *store->ClaimActiveTurnInputs({"s", ss::FenceOf(lane), Owner("X"), "t", ss::CheckpointKind::kAfterWork, 60000, 10});
    commit.completed_turn_input_claims = {ss::CompletionOf(*next), ss::CompletionOf(*active)};
    commit.interrupted_turn_input_turn_id = "t";
    anchor = Enqueue(*store, ss::ActiveTurnIngress{"t"}).input_id;
    Enqueue(*store, ss::ActiveTurnIngress{"t"});
  }
  const std::string path = folder_.File("inputs.db");
  std::string before = Dump(path);
  std::atomic<uint64_t> failing{0};
  SessionStore::Options options = Options();
  options.on_statement = [&failing](uint64_t n) { return n == failing ? absl::DataLossError("injected") : absl::OkStatus(); };
  // Each of them takes several statements; the state they leave is what the next one begins with.
  const std::function<std::optional<ss::StoreError>(SessionStore&)> calls[] = {
      [&](SessionStore& store) -> std::optional<ss::StoreError> {
        auto result = store.CommitRuntimeState({commit});
        return result.has_value() ? std::nullopt : std::make_optional(result.error());
      },
      [&](SessionStore& store) -> std::optional<ss::StoreError> {
        auto result = store.CancelPendingTurnInputSuffix({"s", ss::InputIdTarget{anchor}});
        return result.has_value() ? std::nullopt : std::make_optional(result.error());
      },
      [&](SessionStore& store) -> std::optional<ss::StoreError> {
        auto result = store.Vacuum({});
        return result.has_value() ? std::nullopt : std::make_optional(result.error());
      },
  };
  for (const auto& call : calls) {
    int failed = 0;
    for (uint64_t n = 1;; ++n) {
      auto store = Open(options);
      failing = store->statements() + n;
      const std::optional<ss::StoreError> error = call(*store);
      failing = 0;
      store.reset();
      if (!error.has_value()) break;
      ++failed;
      ASSERT_TRUE(std::holds_alternative<ss::Backend>(*error)) << n;
      EXPECT_THAT(std::get<ss::Backend>(*error).text, HasSubstr("injected"));
      ASSERT_EQ(Dump(path), before) << n;
    }
    EXPECT_GT(failed, 3) << "BEGIN, what it reads and writes, COMMIT";
    EXPECT_NE(Dump(path), before);
    before = Dump(path);
  }
}

TEST_F(SqliteInputs, CountersEndAtTheTopOfU64WithoutHarm) {
  auto store = Open(Options());
  auto lane = Caller(store.get()).Lane(Owner("X"));
  const auto a = Enqueue(*store, ss::NextTurnIngress{});
  Sql("UPDATE turn_inputs SET claim_counter = 9223372036854775806; UPDATE store SET last_input_seq = 9223372036854775806");
  auto claim = store->ClaimNextTurnInputs({"s", ss::FenceOf(lane), Owner("X"), 0, 1});
  ASSERT_TRUE(claim.has_value() && claim->has_value());
  EXPECT_EQ((*claim)->fencing_token, kMax);
  auto none_left = store->ClaimNextTurnInputs({"s", ss::FenceOf(lane), Owner("X"), 0, 1});
  EXPECT_TRUE(Is(none_left, ss::Backend{}));
  EXPECT_EQ(Enqueue(*store, ss::NextTurnIngress{}).enqueue_seq, kMax);
  EXPECT_TRUE(Is(store->EnqueuePendingTurnInput({{"s", std::nullopt, std::nullopt, ss::NextTurnIngress{}, {}}}), ss::Backend{}));
  EXPECT_EQ(store->ListPendingTurnInputs({"s"})->size(), 2u);
  ss::RuntimeCommit commit = Caller::Settling(lane, {});
  commit.completed_turn_input_claims = {ss::CompletionOf(**claim)};
  EXPECT_TRUE(store->CommitRuntimeState({commit}).has_value());
}

TEST_F(SqliteInputs, APayloadThatCannotBeReadIsTrouble) {
  auto store = Open(Options());
  Enqueue(*store, ss::NextTurnIngress{});
  Sql("UPDATE turn_inputs SET input = '{\"items\":7}'");
  EXPECT_TRUE(Is(store->ListPendingTurnInputs({"s"}), ss::Backend{}));
  EXPECT_TRUE(absl::IsDataLoss(store->Trouble())) << store->Trouble();
  EXPECT_TRUE(store->Health().ok());
}

}  // namespace
}  // namespace leasecheck::sqlite

namespace leasecheck::session_store {

INSTANTIATE_TEST_SUITE_P(Sqlite, TurnInputSuite,
                         ::testing::Values(sqlite::In("Memory", sqlite::Where::kMemory), sqlite::In("File", sqlite::Where::kFile),
                                           sqlite::In("SharedClock", sqlite::Where::kSharedClock),
                                           sqlite::In("Reopened", sqlite::Where::kReopened)),
                         StoreName);

}  // namespace leasecheck::session_store
