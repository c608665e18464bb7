// The comforts of a state_backend test double: faults, snapshots, the record of calls without secrets, the pause hook.
#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "memstore/sha256.h"
#include "tests/memstore/state_backend_fixture.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

using F = StateBackendFamily;
using Faults = StoreTest;
using Snapshots = StoreTest;

TEST_F(Faults, StrikeBeforeOrAfterTheEffect) {
  CreateAll({1});
  ASSERT_TRUE(store_.FailNext("append_event", FaultPoint::kBeforeEffect, Database{"disk full"}).ok());
  ASSERT_TRUE(store_.FailNext("append_event", FaultPoint::kAfterEffect, Database{"connection lost"}).ok());
  EXPECT_EQ(std::get<Database>(TryAppend(EventOf(1)).error()).text, "disk full");
  EXPECT_EQ(Latest(), 0);
  EXPECT_EQ(std::get<Database>(TryAppend(EventOf(1)).error()).text, "connection lost");
  EXPECT_EQ(Latest(), 1);
  EXPECT_TRUE(FailedWith<Database>(TryAppend(EventOf(1)))) << "the retry finds the event";
}

TEST_F(Faults, EveryOperationCanFail) {
  ForEachOperation<F>([this](const auto& operation, std::size_t) {
    typename std::decay_t<decltype(operation)>::Request request{};
    ASSERT_TRUE(store_.FailNext(operation.name, FaultPoint::kBeforeEffect, Serialization{}).ok());
    const auto struck = (store_.*operation.method)(request);
    ASSERT_FALSE(struck.has_value()) << operation.name;
    EXPECT_TRUE(std::holds_alternative<Serialization>(struck.error())) << operation.name;
    const auto after = (store_.*operation.method)(request);
    EXPECT_TRUE(after.has_value() || !std::holds_alternative<Serialization>(after.error())) << operation.name;
  });
}

TEST_F(Faults, CanBeTakenBackAndNameTheirOperation) {
  ASSERT_TRUE(store_.FailNext("latest_sequence", FaultPoint::kBeforeEffect, Database{}).ok());
  store_.ClearFaults();
  EXPECT_EQ(Latest(), 0);
  EXPECT_EQ(store_.FailNext("latest", FaultPoint::kBeforeEffect, Database{}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_.FailNext(kOperationCount<F>, FaultPoint::kBeforeEffect, Database{}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(Snapshots, RestoreBringsBackEveryAnswer) {
  AddTenant(TenantOf("alpha", 3)).value();
  store_.StoreWorkflow({{"flow", "1", Json("{}"), At(1), "alpha"}}).value();
  store_.StoreWorkflow({{"flow", "1", Json("1"), At(1), "default"}}).value();
  CreateAll({1, 2});
  Append(1);
  Write(SnapshotAt(4)).value();
  for (uint64_t n = 1; n <= 4; ++n) Enqueue(Item(n, static_cast<double>(5 - n)));
  EXPECT_EQ(Claimed(), 4u);
  SetClock(31);
  EXPECT_THAT(Retryable(), ElementsAre(4));
  EXPECT_EQ(Claimed(), 3u);
  Fail(2).value();
  const CreatedToken token = Token();
  const CreatedToken revoked = Token();
  store_.RevokeToken({revoked.info.id}).value();
  const StateBackendSnapshot saved = store_.Snapshot();

  Store other(Env());
  other.CreateExecution({Execution(9)}).value();
  other.AppendEvent({EventOf(9, 9)}).value();
  for (Store* store : {&store_, &other}) {
    SetClock(31);
    store->Restore(saved);
    EXPECT_EQ(store->Snapshot(), saved);
    EXPECT_EQ(absl::HashOf(store->Snapshot()), absl::HashOf(saved));
    EXPECT_EQ(store->GetWorkflow({"flow", "1"}).value()->tenant_id, "default") << "the last one";
    EXPECT_EQ(store->GetExecution({E(9)}).value(), std::nullopt);
    EXPECT_EQ(store->AppendEvent({EventOf(9, 1)}).value(), 2);
    EXPECT_EQ(store->LatestSnapshot({E(1)}).value()->at_sequence, 4);
    EXPECT_TRUE(store->ValidateToken({token.plaintext}).value().has_value());
    EXPECT_FALSE(store->ValidateToken({revoked.plaintext}).value().has_value());
    EXPECT_NE(store->CreateToken({"n", "r"}).value().plaintext, revoked.plaintext);
    EXPECT_EQ(NumbersOf(store->ListExecutions({{}, 9, 0}).value()), (Numbers{2, 1}));
    EXPECT_EQ(store->ClaimWorkItem({"w", {"tool"}}).value()->id, I(1));
    EXPECT_EQ(store->ClaimWorkItem({"w", {"tool"}}).value(), std::nullopt) << "the retry waits, and one failed";
    SetClock(33);
    EXPECT_EQ(store->ClaimWorkItem({"w", {"tool"}}).value()->attempt, 1u);
    SetClock(62);
    EXPECT_THAT(store->ReclaimExpiredLeases({}).value().retryable, SizeIs(2));
    EXPECT_NE(store->Snapshot(), saved);
  }
}

TEST_F(Snapshots, AreWhatIsHeldAndNotHowItCame) {
  const auto run = [this](Store& store, bool detour) {
    store.CreateExecution({Execution(1)}).value();
    store.EnqueueWorkItem({Item(1)}).value();
    if (detour) {
      store.ClaimWorkItem({"w", {"tool"}}).value();
      store.UpdateExecutionStatus({E(1), WorkflowStatus::kPaused}).value();
      store.UpdateExecutionStatus({E(1), WorkflowStatus::kRunning}).value();
    }
    store.CompleteWorkItem({I(1)}).value();
    SetClock(0);
  };
  Store a(Env()), b(Env());
  run(a, false);
  run(b, true);
  EXPECT_EQ(a.Snapshot(), b.Snapshot());
  EXPECT_EQ(absl::HashOf(a.Snapshot()), absl::HashOf(b.Snapshot()));
}

class Recorded : public StoreTest {
 protected:
  Recorded() : StoreTest({.record_calls = true}) {}
};

TEST_F(Recorded, NoSecretIsKept) {  // SB-TOK-6, SB-INV-17
  const CreatedToken token = Token();
  EXPECT_TRUE(Validate(token.plaintext.text).has_value());
  EXPECT_EQ(Validate("jj_"), std::nullopt);
  const auto calls = store_.RecordedCalls();
  ASSERT_THAT(calls, SizeIs(3));
  const auto& created = std::get<CreatedToken>(std::get<0>(calls[0].outcome));
  const auto& asked = std::get<ValidateTokenRequest>(calls[1].request);
  EXPECT_TRUE(IsPlaceholder(created.plaintext));
  EXPECT_EQ(asked.token, created.plaintext) << "it can be told which token was meant";
  EXPECT_EQ(std::get<ValidateTokenRequest>(calls[2].request).token, Secret("jj_"));
  // What the store keeps is the digest alone.
  const std::vector<TokenRow> rows = store_.Snapshot().contents().tokens;
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].hash, Sha256Hex(token.plaintext.text));
  EXPECT_FALSE(absl::StrContains(rows[0].info.id + rows[0].info.name + rows[0].info.role, token.plaintext.text));
}

TEST(Seeds, MakeTokensRepeatable) {
  ManualClock clock;
  const auto first = [&clock](uint64_t seed) {
    return Store({.clock = &clock}, {.token_seed = seed}).CreateToken({"n", "r"}).value();
  };
  EXPECT_EQ(first(1), first(1));
  EXPECT_NE(first(1).plaintext, first(2).plaintext);
  EXPECT_NE(first(1).info.id, first(2).info.id);
}

class Points final : public PauseHook {
 public:
  void Pause(absl::string_view point) override { points.emplace_back(point); }
  std::vector<std::string> points;
};

TEST(Pauses, AreMadeOutsideOfTheLock) {
  ManualClock clock;
  Points hook;
  Store store({.clock = &clock, .pause = &hook});
  store.ReclaimExpiredLeases({}).value();
  EXPECT_THAT(hook.points, ElementsAre("before_lock", "after_unlock"));
}

TEST(WithoutClock, TheStoreSaysSoAndAborts) { EXPECT_DEATH(Store({}), "the environment needs a clock"); }

}  // namespace
}  // namespace leasecheck::memstore
