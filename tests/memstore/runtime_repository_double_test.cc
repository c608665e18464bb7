// The comforts of a runtime_repository test double: faults, snapshots, the record of calls, ids, the pause hook.
#include "absl/hash/hash.h"
#include "tests/memstore/runtime_repository_fixture.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using F = RuntimeRepositoryFamily;
using Faults = StoreTest;
using Snapshots = StoreTest;

Driver Trouble(std::string text) { return {DriverClass::kBackend, std::move(text)}; }

TEST_F(Faults, StrikeBeforeOrAfterTheEffect) {
  Enqueue({"a"});
  ASSERT_TRUE(store_.FailNext("upsert_lease", FaultPoint::kBeforeEffect, Trouble("disk full")).ok());
  ASSERT_TRUE(store_.FailNext("upsert_lease", FaultPoint::kAfterEffect, Trouble("connection lost")).ok());
  const auto first = Upsert("a", "w", 30);
  ASSERT_FALSE(first.has_value());
  EXPECT_EQ(std::get<Driver>(first.error()).text, "disk full");
  EXPECT_EQ(LeaseOf("a"), std::nullopt);
  EXPECT_EQ(std::get<Driver>(Upsert("a", "w", 30).error()).text, "connection lost");
  EXPECT_NE(LeaseOf("a"), std::nullopt);
  EXPECT_TRUE(FailedWith(Upsert("a", "w", 30), DriverClass::kLeaseConflict)) << "the retry finds the lease";
}

TEST_F(Faults, EveryOperationCanFail) {
  ForEachOperation<F>([this](const auto& operation, std::size_t) {
    typename std::decay_t<decltype(operation)>::Request request{};
    ASSERT_TRUE(store_.FailNext(operation.name, FaultPoint::kBeforeEffect, EventStore{}).ok());
    const auto struck = (store_.*operation.method)(request);
    ASSERT_FALSE(struck.has_value()) << operation.name;
    EXPECT_TRUE(std::holds_alternative<EventStore>(struck.error())) << operation.name;
    const auto after = (store_.*operation.method)(request);
    EXPECT_TRUE(after.has_value() || !std::holds_alternative<EventStore>(after.error())) << operation.name;
  });
}

TEST_F(Faults, CanBeTakenBackAndNameTheirOperation) {
  ASSERT_TRUE(store_.FailNext("latest_seq_for_run", FaultPoint::kBeforeEffect, EventStore{}).ok());
  store_.ClearFaults();
  EXPECT_EQ(Latest("r"), 0u);
  EXPECT_EQ(store_.FailNext("latest", FaultPoint::kBeforeEffect, Driver{}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_.FailNext(kOperationCount<F>, FaultPoint::kBeforeEffect, Driver{}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(Snapshots, RestoreBringsBackEveryAnswer) {
  Enqueue({"a", "b", "c", "d"});
  SetPriority("b", 2);
  store_.SetAttemptTenantId({"a", "t"}).value();
  SetTimeout("a", 10, Status::kFailed);
  const Lease lease = Claim("a", 30);
  Ack("b", Status::kFailed, 0, Fixed(1000, 3)).value();
  Ack("c", Status::kFailed, 0).value();
  AppendEvents("r", 4);
  const RuntimeRepositorySnapshot saved = store_.Snapshot();

  Store other(Env(), {.id_style = IdStyle::kReadable, .id_seed = 5});
  other.EnqueueAttempt({"noise", "n"}).value();
  other.UpsertLease({"noise", "w", At(5)}).value();
  for (Store* store : {&store_, &other}) {
    store->Restore(saved);
    EXPECT_EQ(store->Snapshot(), saved);
    EXPECT_EQ(absl::HashOf(store->Snapshot()), absl::HashOf(saved));
    EXPECT_EQ(store->ListDispatchableAttempts({At(1), kAll}).value().size(), 2u);
    EXPECT_EQ(store->ListDispatchableAttempts({At(1), 1}).value()[0].attempt_id, "b");
    EXPECT_EQ(store->GetLeaseById({lease.lease_id}).value(), lease);
    EXPECT_EQ(store->ActiveLeasesForWorker({"w", At(30)}).value(), 1u);
    EXPECT_EQ(store->ActiveLeasesForTenant({"t", At(30)}).value(), 1u);
    EXPECT_EQ(store->ListDeadLetters({}).value().size(), 1u);
    EXPECT_EQ(store->GetAttemptRetryHistory({"b"}).value().size(), 1u);
    EXPECT_EQ(store->AppendRunEvents({"r", 1}).value(), 5u);
    EXPECT_EQ(store->UpsertLease({"d", "w", At(5)}).value().lease_id, "c2");
    EXPECT_EQ(store->TransitionTimedOutAttempts({At(10)}).value(), 1u);
    EXPECT_EQ(store->ExpireLeasesAndRequeue({At(6)}).value(), 1u);
    EXPECT_NE(store->Snapshot(), saved);
  }
  EXPECT_EQ(store_.Snapshot(), other.Snapshot()) << "the same past, the same snapshot";
}

TEST_F(Snapshots, EveryPartOfTheStateTellsThemApart) {
  Enqueue({"a", "b"});
  const Lease lease = Claim("a", 30);
  Ack("b", Status::kFailed, 0).value();
  const RuntimeRepositorySnapshot base = store_.Snapshot();
  const auto differs = [&](auto&& change) {
    store_.Restore(base);
    change();
    return store_.Snapshot() != base;
  };
  EXPECT_FALSE(differs([] {}));
  EXPECT_TRUE(differs([&] { Enqueue({"c"}); }));
  EXPECT_TRUE(differs([&] { Heartbeat(lease.lease_id, 0, 30).value(); })) << "a version was used";
  EXPECT_TRUE(differs([&] { SetPriority("a", 1); }));
  EXPECT_TRUE(differs([&] { store_.SetAttemptTenantId({"a", "t"}).value(); }));
  EXPECT_TRUE(differs([&] { SetTimeout("a", 1, Status::kFailed); }));
  EXPECT_TRUE(differs([&] { SetStarted("a", At(9)); }));
  EXPECT_TRUE(differs([&] { Mark("a", Status::kRunning); }));
  EXPECT_TRUE(differs([&] { Ack("a", Status::kCompleted, 0, Fixed(1, 0)).value(); }));
  EXPECT_TRUE(differs([&] { Replay("b", 0).value(); }));
  EXPECT_TRUE(differs([&] { AppendEvents("r", 1); }));
  EXPECT_TRUE(differs([&] { Expire(31); }));
}

TEST_F(Snapshots, EqualStatesAreEqualHoweverTheyCameToBe) {
  Enqueue({"a", "b"});
  SetPriority("a", 5);
  Store other(Env(), {.id_style = IdStyle::kReadable});
  for (const char* id : {"b", "a"}) other.EnqueueAttempt({id, "r"}).value();
  other.SetAttemptPriority({"a", 4}).value();
  other.SetAttemptPriority({"a", 5}).value();
  EXPECT_EQ(store_.Snapshot(), other.Snapshot());
  EXPECT_EQ(absl::HashOf(store_.Snapshot()), absl::HashOf(other.Snapshot()));
}

class Recording : public StoreTest {
 protected:
  Recording() : StoreTest({.id_style = IdStyle::kReadable, .record_calls = true}) {}
};

TEST_F(Recording, KeepsRequestOutcomeTimeAndFault) {
  Enqueue({"a"});
  clock_.Set(1001);
  ASSERT_TRUE(store_.FailNext("expire_leases_and_requeue", FaultPoint::kAfterEffect, Driver{}).ok());
  EXPECT_FALSE(store_.ExpireLeasesAndRequeue({At(1)}).has_value());
  using Call = RecordedCall<F>;
  constexpr std::size_t kEnqueue = OperationIndexOf<F, EnqueueAttemptRequest>();
  EXPECT_THAT(store_.RecordedCalls(),
              ElementsAre(Call{RequestOf<F>(EnqueueAttemptRequest{"a", "r"}),
                               OutcomeOf<F>(std::in_place_index<0>, std::in_place_index<kEnqueue>, Done{}), 0, std::nullopt},
                          Call{RequestOf<F>(ExpireLeasesAndRequeueRequest{At(1)}), OutcomeOf<F>(std::in_place_index<1>, Driver{}),
                               1001, FaultPoint::kAfterEffect}));
  store_.ClearRecordedCalls();
  EXPECT_THAT(store_.RecordedCalls(), IsEmpty());
}

TEST(Ids, FollowTheSeed) {
  ManualClock clock(0);
  auto first_id = [&](uint64_t seed) {
    Store store({.clock = &clock}, {.id_seed = seed});
    store.EnqueueAttempt({"a", "r"}).value();
    return store.UpsertLease({"a", "w", At(1)}).value().lease_id;
  };
  EXPECT_EQ(first_id(1), first_id(1));
  EXPECT_NE(first_id(1), first_id(2));
}

// Calls back into the store from each pause: this would deadlock if a lock were held.
struct ReentrantHook final : PauseHook {
  void Pause(absl::string_view point) override {
    points.emplace_back(point);
    if (inside) return;
    inside = true;
    there.push_back(store->GetAttemptStatus({"a"}).value().has_value());
    inside = false;
  }
  Store* store = nullptr;
  bool inside = false;
  std::vector<std::string> points;
  std::vector<bool> there;
};

TEST(Pauses, AreMadeBeforeAndAfterTheLock) {
  ManualClock clock(0);
  ReentrantHook hook;
  Store store({.clock = &clock, .pause = &hook});
  hook.store = &store;
  store.EnqueueAttempt({"a", "r"}).value();
  EXPECT_THAT(hook.there, ElementsAre(false, true));
  EXPECT_THAT(hook.points,
              ElementsAre("before_lock", "before_lock", "after_unlock", "after_unlock", "before_lock", "after_unlock"));
}

TEST(Environments, WithoutAClockAreRefused) { EXPECT_DEATH(Store({}), "needs a clock"); }

}  // namespace
}  // namespace leasecheck::memstore
