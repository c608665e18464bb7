// The comforts of a test double: faults, snapshots, the record of calls, ids, the pause hook.
#include <set>

#include "absl/hash/hash.h"
#include "tests/memstore/fixture.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

using Faults = StoreTest;
using Snapshots = StoreTest;

TEST_F(Faults, BeforeEffectNothingHappens) {
  const SessionStoreSnapshot before = store_.Snapshot();
  ASSERT_TRUE(store_.FailNext("enqueue_queued_work", FaultPoint::kBeforeEffect, Backend{"disk full"}).ok());
  const auto result = store_.EnqueueQueuedWork({Turn()});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(std::get<Backend>(result.error()).text, "disk full");
  EXPECT_EQ(store_.Snapshot(), before);
  EXPECT_TRUE(store_.EnqueueQueuedWork({Turn()}).has_value()) << "one call only";
}

TEST_F(Faults, AfterEffectTheEffectIsThere) {
  ASSERT_TRUE(store_.FailNext("enqueue_queued_work", FaultPoint::kAfterEffect, Backend{}).ok());
  EXPECT_TRUE(FailedWith(store_.EnqueueQueuedWork({Turn()}), Backend{}));
  EXPECT_THAT(List(), ElementsAre("b1"));
}

TEST_F(Faults, AfterEffectHidesEvenAContractError) {
  ASSERT_TRUE(store_.FailNext("renew_queued_work_claim", FaultPoint::kAfterEffect, HeadRevisionConflict{1, 2}).ok());
  EXPECT_TRUE(FailedWith(Renew({}, 1), HeadRevisionConflict{1, 2}));
}

TEST_F(Faults, StrikeTheirOwnOperationInOrder) {
  const std::size_t list = OperationIndexOf<SessionStoreFamily, ListQueuedWorkRequest>();
  ASSERT_TRUE(store_.FailNext(list, FaultPoint::kBeforeEffect, QueuedWorkClaimExpired{"1", ""}).ok());
  ASSERT_TRUE(store_.FailNext(list, FaultPoint::kBeforeEffect, QueuedWorkClaimExpired{"2", ""}).ok());
  Enqueue(Turn());
  EXPECT_TRUE(FailedWith(store_.ListQueuedWork({"s"}), QueuedWorkClaimExpired{"1", ""}));
  EXPECT_TRUE(store_.ListPendingQueuedWork({"s"}).has_value());
  EXPECT_TRUE(FailedWith(store_.ListQueuedWork({"s"}), QueuedWorkClaimExpired{"2", ""}));
  EXPECT_THAT(List(), ElementsAre("b1"));
}

TEST_F(Faults, EveryOperationCanFail) {
  ForEachOperation<SessionStoreFamily>([this](const auto& operation, std::size_t) {
    typename std::decay_t<decltype(operation)>::Request request{};
    ASSERT_TRUE(store_.FailNext(operation.name, FaultPoint::kBeforeEffect, SessionBindingMismatch{"a", "b"}).ok());
    EXPECT_TRUE(FailedWith((store_.*operation.method)(request), SessionBindingMismatch{"a", "b"}));
    EXPECT_FALSE(FailedWith((store_.*operation.method)(request), SessionBindingMismatch{"a", "b"}));
  });
}

TEST_F(Faults, CanBeTakenBack) {
  ASSERT_TRUE(store_.FailNext("list_queued_work", FaultPoint::kBeforeEffect, Backend{}).ok());
  store_.ClearFaults();
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(Faults, UnknownOperationIsSaidSo) {
  const absl::Status by_name = store_.FailNext("enqueue", FaultPoint::kBeforeEffect, Backend{});
  EXPECT_EQ(by_name.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(by_name.message()), HasSubstr("\"enqueue\""));
  const absl::Status by_index = store_.FailNext(kOperationCount<SessionStoreFamily>, FaultPoint::kBeforeEffect, Backend{});
  EXPECT_EQ(by_index.code(), absl::StatusCode::kInvalidArgument);
}

// Snapshots.

TEST_F(Snapshots, RestoreBringsBackEveryAnswer) {
  const Lane lane = Hold(Process("x", 1));
  Enqueue(Keyed("k", At(2000)));
  Enqueue(Join("g"));
  Enqueue(Join("g"));
  Enqueue(Turn("other"));
  const Claim live = *ClaimWork(lane, 100, 2, Process("w", kDeadPid));
  const Batch last = Enqueue(Turn());
  const Claim lapsed = *ClaimWork(lane, 0);
  RuntimeCommit commit = CommitOf(lane);
  commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  const auto committed = Commit(commit);
  const SessionStoreSnapshot saved = store_.Snapshot();

  Store other(Env(), {.id_style = IdStyle::kReadable, .id_seed = 5});
  other.EnqueueQueuedWork({Turn("noise")}).value();
  for (Store* store : {&store_, &other}) {
    store->Restore(saved);
    EXPECT_EQ(store->Snapshot(), saved);
    EXPECT_EQ(absl::HashOf(store->Snapshot()), absl::HashOf(saved));
    EXPECT_EQ(IdsOf(store->ListQueuedWork({"s"}).value()), (Ids{"b1", "b2", "b3", "b5"}));
    EXPECT_EQ(IdsOf(store->ListPendingQueuedWork({"s"}).value()), (Ids{"b1", "b5"}));
    EXPECT_EQ(IdsOf(store->ListQueuedWork({"noise"}).value()), Ids{});
    EXPECT_EQ(store->EnqueueQueuedWork({Keyed("k")}).value().batch_id, "b1");
    EXPECT_EQ(store->CommitRuntimeState({commit}), committed);
    EXPECT_TRUE(store->RenewQueuedWorkClaim({lapsed, 50}).has_value());
    EXPECT_TRUE(store->RenewQueuedWorkClaim({live, 50}).has_value());
    const auto heir = store->ClaimReadyQueuedWork({"s", FenceOf(lane), Process("y", 1), kIdle, 50, 9}).value();
    EXPECT_EQ(IdsOf(heir), (Ids{"b2", "b3"})) << "from a dead process";
    EXPECT_EQ(heir->fencing_token, 2u);
    EXPECT_EQ(store->EnqueueQueuedWork({Turn()}).value().enqueue_seq, last.enqueue_seq + 1);
    EXPECT_NE(store->Snapshot(), saved);
  }
  EXPECT_EQ(store_.Snapshot(), other.Snapshot()) << "the same past, the same snapshot";
}

TEST_F(Snapshots, EveryPartOfTheStateTellsThemApart) {
  const Lane lane = Hold();
  Enqueue(Turn());
  const Claim claim = *ClaimWork(lane, 100);
  const SessionStoreSnapshot base = store_.Snapshot();
  const auto differs = [&](auto&& change) {
    store_.Restore(base);
    change();
    return store_.Snapshot() != base;
  };
  EXPECT_FALSE(differs([] {}));
  EXPECT_TRUE(differs([&] { Renew(claim, 101).value(); }));
  EXPECT_TRUE(differs([&] { Abandon(claim); }));
  EXPECT_TRUE(differs([&] { Enqueue(Turn()); }));
  EXPECT_TRUE(differs([&] { Cancel(Enqueue(Turn()).batch_id); })) << "a number was used";
  EXPECT_TRUE(differs([&] { store_.RenewSessionExecutionLease({FenceOf(lane), 1}).value(); }));
  EXPECT_TRUE(differs([&] { store_.ReleaseSessionExecutionLease({ReleaseOf(lane)}).value(); }));
  EXPECT_TRUE(differs([&] { Commit(CommitOf(lane)).value(); }));
}

TEST_F(Snapshots, EqualStatesAreEqualHoweverTheyCameToBe) {
  const Lane lane = Hold();
  Enqueue(Turn());
  const SessionStoreSnapshot before = store_.Snapshot();
  store_.ClaimReadyQueuedWork({"nobody's", {}, kX, kIdle, 1, 1});
  store_.ListQueuedWork({"nobody's"}).value();
  store_.ReleaseSessionExecutionLease({{"nobody's", kX, "l1", 1}}).value();
  EXPECT_FALSE(ClaimCommand(lane).has_value());
  EXPECT_EQ(store_.Snapshot(), before);
}

TEST_F(Snapshots, KeepTheirBatchesWhenTheStoreFillsItsOwnAnew) {
  for (int i = 0; i < 3; ++i) Enqueue(Keyed(std::string(40, static_cast<char>('a' + i)), Mixed()));
  const auto listed = [this] { return store_.ListQueuedWork({"s"}).value(); };
  const std::vector<Batch> before = listed();
  const SessionStoreSnapshot saved = store_.Snapshot();
  Enqueue(Command());
  for (const std::string& id : List()) Cancel(id);
  for (int i = 0; i < 8; ++i) Enqueue(Join("group"));
  store_.Restore(saved);
  EXPECT_EQ(listed(), before);
  for (const Batch& batch : before) Cancel(batch.batch_id);
  for (int i = 0; i < 8; ++i) Enqueue(Join("group"));
  store_.Restore(saved);
  EXPECT_EQ(listed(), before);
}

TEST_F(Snapshots, CopiesShareAndNeverChange) {
  Enqueue(Turn());
  const SessionStoreSnapshot saved = store_.Snapshot();
  const SessionStoreSnapshot copy = saved;
  EXPECT_EQ(&copy.contents(), &saved.contents());
  Cancel("b1");
  EXPECT_EQ(copy.contents().sessions[0].rows.size(), 1u);
}

// The record of calls.

class Recording : public StoreTest {
 protected:
  Recording() : StoreTest({.id_style = IdStyle::kReadable, .record_calls = true}) {}
};

TEST_F(Recording, KeepsRequestOutcomeTimeAndFault) {
  const Batch a = Enqueue(Turn());
  clock_.Set(1001);
  EXPECT_FALSE(Renew({}, 7).has_value());
  ASSERT_TRUE(store_.FailNext("load_session", FaultPoint::kAfterEffect, Backend{}).ok());
  EXPECT_FALSE(store_.LoadSession({}).has_value());
  using Call = RecordedCall<SessionStoreFamily>;
  using Request = RequestOf<SessionStoreFamily>;
  using Outcome = OutcomeOf<SessionStoreFamily>;
  constexpr std::size_t kEnqueue = OperationIndexOf<SessionStoreFamily, EnqueueQueuedWorkRequest>();
  EXPECT_THAT(store_.RecordedCalls(),
              ElementsAre(Call{Request(EnqueueQueuedWorkRequest{Turn()}),
                               Outcome(std::in_place_index<0>, std::in_place_index<kEnqueue>, a), 1000, std::nullopt},
                          Call{Request(RenewQueuedWorkClaimRequest{{}, 7}),
                               Outcome(std::in_place_index<1>, QueuedWorkClaimExpired{"", ""}), 1001, std::nullopt},
                          Call{Request(LoadSessionRequest{}), Outcome(std::in_place_index<1>, Backend{}), 1001,
                               FaultPoint::kAfterEffect}));
  store_.ClearRecordedCalls();
  EXPECT_THAT(store_.RecordedCalls(), IsEmpty());
}

TEST_F(Faults, NothingIsRecordedUnlessAsked) {
  Enqueue(Turn());
  EXPECT_THAT(store_.RecordedCalls(), IsEmpty());
}

// Ids.

TEST(Ids, ReadableOnesCountByKind) {
  ManualClock clock(0);
  FixedLiveness liveness;
  Store store({.clock = &clock, .liveness = &liveness}, {.id_style = IdStyle::kReadable});
  EXPECT_EQ(store.EnqueueQueuedWork({Turn()}).value().batch_id, "b1");
  const Batch second = store.EnqueueQueuedWork({Mixed("other")}).value();
  EXPECT_EQ(second.batch_id, "b2");
  EXPECT_EQ(second.items[1].item_id, "i3");
  const Lane lane = std::get<LeaseAcquired>(store.TryClaimSessionExecutionLease({"s", kX, 100}).value()).lease;
  EXPECT_EQ(lane.lease_token, "l1");
  const Claim claim = *store.ClaimReadyQueuedWork({"s", FenceOf(lane), kX, kIdle, 1, 1}).value();
  EXPECT_EQ(claim.claim_id, "c1");
  EXPECT_EQ(claim.lease_token, "t1");
  RuntimeCommit commit;
  commit.session_id = "s";
  commit.session_execution_lease = FenceOf(lane);
  EXPECT_EQ(store.CommitRuntimeState({commit}).value().checkpoint_ref.text, "\"k1\"");
}

TEST(Ids, OpaqueOnesNeverRepeatAndFollowTheSeed) {
  IdSource one(IdStyle::kOpaque, 1);
  IdSource same(IdStyle::kOpaque, 1);
  IdSource two(IdStyle::kOpaque, 2);
  std::set<std::string> seen;
  for (int i = 0; i < 20000; ++i) {
    const std::string id = one.Next(IdKind::kBatch);
    ASSERT_THAT(id, MatchesRegex("b[0-9a-z]*"));
    ASSERT_EQ(id.size(), 14u);
    ASSERT_EQ(id, same.Next(IdKind::kBatch));
    ASSERT_NE(id, two.Next(IdKind::kBatch));
    ASSERT_TRUE(seen.insert(id.substr(1)).second);
    ASSERT_TRUE(seen.insert(one.Next(IdKind::kItem).substr(1)).second);
    same.Next(IdKind::kItem);
  }
}

TEST(Ids, NumbersComeBack) {
  for (const IdStyle style : {IdStyle::kOpaque, IdStyle::kReadable}) {
    const IdSource ids(style, 7);
    for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{123456789}, kEndOfTime - 1, kEndOfTime}) {
      const std::string id = ids.Name(IdKind::kBatch, number);
      EXPECT_EQ(ids.NumberOf(IdKind::kBatch, id), number) << id;
      EXPECT_EQ(ids.NumberOf(IdKind::kItem, id), std::nullopt);
      if (number == 0) continue;
      EXPECT_NE(ids.NumberOf(IdKind::kBatch, id + "0"), number);
    }
    EXPECT_EQ(ids.NumberOf(IdKind::kBatch, ""), std::nullopt);
    EXPECT_EQ(ids.NumberOf(IdKind::kBatch, "b"), std::nullopt);
  }
}

TEST_F(Snapshots, NearlyRightIdsNameNothing) {
  EXPECT_EQ(Enqueue(Turn()).batch_id, "b1");
  for (const char* id : {"b01", "b 1", "b+1", "B1", "b1 ", "1"}) EXPECT_FALSE(Cancel(id).has_value()) << id;
  Store opaque(Env());
  std::string id = opaque.EnqueueQueuedWork({Turn()}).value().batch_id;
  for (std::size_t i = 0; i < id.size(); ++i) {
    for (const char wrong : {'!', 'i', 'B', '\xff', '\0'}) {
      std::string altered = id;
      altered[i] = wrong;
      EXPECT_FALSE(opaque.CancelQueuedWorkBatch({"s", altered}).value().has_value());
    }
  }
  EXPECT_TRUE(opaque.CancelQueuedWorkBatch({"s", id}).value().has_value());
}

TEST(Ids, StoresOfDifferentSeedsIssueDifferentIds) {
  ManualClock clock(0);
  FixedLiveness liveness;
  Store one({.clock = &clock, .liveness = &liveness}, {.id_seed = 1});
  Store two({.clock = &clock, .liveness = &liveness}, {.id_seed = 2});
  EXPECT_NE(one.EnqueueQueuedWork({Turn()}).value().batch_id, two.EnqueueQueuedWork({Turn()}).value().batch_id);
}

// The pause hook.

// Calls back into the store from each pause: this would deadlock if a lock were held.
struct ReentrantHook final : PauseHook {
  void Pause(absl::string_view point) override {
    points.emplace_back(point);
    if (store == nullptr || inside) return;
    inside = true;
    lists.push_back(IdsOf(store->ListQueuedWork({"s"}).value()).size());
    inside = false;
  }
  Store* store = nullptr;
  bool inside = false;
  std::vector<std::string> points;
  std::vector<std::size_t> lists;
};

TEST(Pauses, AreMadeBeforeAndAfterTheLock) {
  ManualClock clock(0);
  FixedLiveness liveness;
  ReentrantHook hook;
  Store store({.clock = &clock, .liveness = &liveness, .pause = &hook});
  store.EnqueueQueuedWork({Turn()}).value();
  EXPECT_THAT(hook.points, ElementsAre("before_lock", "after_unlock"));
  hook.store = &store;
  store.EnqueueQueuedWork({Turn()}).value();
  EXPECT_THAT(hook.lists, ElementsAre(1u, 2u)) << "what a call in the pause sees: not yet, and then, the effect";
}

TEST(Environments, WithoutClockOrProbeAreRefused) {
  ManualClock clock(0);
  FixedLiveness liveness;
  EXPECT_DEATH(Store({.liveness = &liveness}), "needs a clock and a liveness probe");
  EXPECT_DEATH(Store({.clock = &clock}), "needs a clock and a liveness probe");
}

}  // namespace
}  // namespace leasecheck::memstore
