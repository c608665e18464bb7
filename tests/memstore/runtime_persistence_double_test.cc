// The comforts of a runtime_persistence test double: faults, snapshots, the record of calls, ids, the pause hook.
#include "absl/hash/hash.h"
#include "tests/memstore/runtime_persistence_fixture.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using F = RuntimePersistenceFamily;
using Faults = StoreTest;
using Snapshots = StoreTest;

TEST_F(Faults, StrikeBeforeOrAfterTheEffect) {
  ASSERT_TRUE(store_.FailNext("commit_runtime_state", FaultPoint::kBeforeEffect, Backend{"disk full"}).ok());
  ASSERT_TRUE(store_.FailNext("commit_runtime_state", FaultPoint::kAfterEffect, Backend{"connection lost"}).ok());
  const auto first = Commit(C("s"));
  ASSERT_FALSE(first.has_value());
  EXPECT_EQ(std::get<Backend>(first.error()).text, "disk full");
  EXPECT_EQ(Load(), std::nullopt);
  const RuntimeCommit stamped = Stamped(C("s"), "t", "h");
  EXPECT_EQ(std::get<Backend>(Commit(stamped).error()).text, "connection lost");
  EXPECT_EQ(Load()->head_revision, 1u);
  EXPECT_EQ(Commit(stamped)->head_revision, 1u) << "the retry finds its turn";
}

TEST_F(Faults, EveryOperationCanFail) {
  ForEachOperation<F>([this](const auto& operation, std::size_t) {
    typename std::decay_t<decltype(operation)>::Request request{};
    ASSERT_TRUE(store_.FailNext(operation.name, FaultPoint::kBeforeEffect, SessionBindingMismatch{"a", "b"}).ok());
    EXPECT_TRUE(FailedWith((store_.*operation.method)(request), SessionBindingMismatch{"a", "b"})) << operation.name;
    EXPECT_FALSE(FailedWith((store_.*operation.method)(request), SessionBindingMismatch{"a", "b"})) << operation.name;
  });
}

TEST_F(Faults, CanBeTakenBackAndNameTheirOperation) {
  ASSERT_TRUE(store_.FailNext("load_session", FaultPoint::kBeforeEffect, Backend{}).ok());
  store_.ClearFaults();
  EXPECT_EQ(Load(), std::nullopt);
  EXPECT_EQ(store_.FailNext("load", FaultPoint::kBeforeEffect, Backend{}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_.FailNext(kOperationCount<F>, FaultPoint::kBeforeEffect, Backend{}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(Snapshots, RestoreBringsBackEveryAnswer) {
  RuntimeCommit commit = Stamped(Graph(Append{{N("a"), N("b", "a"), N("c", "b")}, "c"}), "t", "h");
  commit.checkpoint.tool_state = OpaqueJson{"1"};
  commit.usage_deltas = {Usage("turn", 1)};
  const RuntimeCommitResult committed = Commit(commit).value();
  Tombstone({"b"});
  Record("x", "s", 1);
  Record("y", "s", 2);
  ASSERT_TRUE(store_.CommitRefs({"s", {"y"}}).has_value());
  ASSERT_TRUE(store_.SaveSessionMeta({MetaOf("s")}).has_value());
  for (int i = 0; i < 3; ++i) Enqueue(Join(MergeGroup{"g"}));
  Enqueue(Keyed("k", "{}", "other"));
  const Claim live = *ClaimWork(100, 2);
  const Claim lapsed = *ClaimWork(0);
  const RuntimePersistenceSnapshot saved = store_.Snapshot();
  const auto read = Load();

  Store other(Env(), {.id_style = IdStyle::kReadable, .id_seed = 5});
  other.CommitRuntimeState({C("noise")}).value();
  for (Store* store : {&store_, &other}) {
    store->Restore(saved);
    EXPECT_EQ(store->Snapshot(), saved);
    EXPECT_EQ(absl::HashOf(store->Snapshot()), absl::HashOf(saved));
    EXPECT_EQ(store->LoadSession({FullGraph{}}).value(), read);
    EXPECT_EQ(store->CommitRuntimeState({commit}).value(), committed);
    EXPECT_EQ(store->Vacuum({}).value().removed_node_count, 1u);
    EXPECT_EQ(store->ListUncommitted({5}).value().size(), 1u);
    EXPECT_TRUE(store->LoadSessionMeta({}).value().has_value());
    EXPECT_EQ(IdsOf(store->ListPendingQueuedWork({"s"}).value()), (Ids{"b3"}));
    EXPECT_EQ(store->EnqueueQueuedWork({Keyed("k", "{}", "other")}).value().batch_id, "b4");
    EXPECT_TRUE(store->RenewQueuedWorkClaim({lapsed, 50}).has_value());
    EXPECT_TRUE(store->CommitRuntimeState({Completing({live})}).has_value());
    EXPECT_EQ(store->EnqueueQueuedWork({Work()}).value().batch_id, "b5");
    EXPECT_NE(store->Snapshot(), saved);
  }
  EXPECT_EQ(store_.Snapshot(), other.Snapshot()) << "the same past, the same snapshot";
}

TEST_F(Snapshots, EveryPartOfTheStateTellsThemApart) {
  ASSERT_EQ(Revision(Graph(Append{{N("a")}, "a"})), 1u);
  Enqueue(Work());
  const Claim claim = *ClaimWork(100);
  Record("x", "s", 1);
  const RuntimePersistenceSnapshot base = store_.Snapshot();
  const auto differs = [&](auto&& change) {
    store_.Restore(base);
    change();
    return store_.Snapshot() != base;
  };
  EXPECT_FALSE(differs([] {}));
  EXPECT_TRUE(differs([&] { Renew(claim, 101).value(); }));
  EXPECT_TRUE(differs([&] { Abandon(claim); }));
  EXPECT_TRUE(differs([&] { Enqueue(Work()); }));
  EXPECT_TRUE(differs([&] { Cancel(Enqueue(Work()).batch_id); })) << "a number was used";
  EXPECT_TRUE(differs([&] { Commit(Graph(Unchanged{"a"})).value(); }));
  EXPECT_TRUE(differs([&] { Tombstone({"a"}); }));
  EXPECT_TRUE(differs([&] { Record("x", "s", 2); }));
  EXPECT_TRUE(differs([&] { store_.CommitRefs({"s", {"x"}}).value(); }));
  EXPECT_TRUE(differs([&] { store_.SaveSessionMeta({}).value(); }));
  RuntimeCommit heavier = Graph(Unchanged{"a"});
  heavier.checkpoint.tool_state = OpaqueJson{"1"};
  store_.Restore(base);
  Commit(heavier).value();
  Commit(Graph(Unchanged{"a"})).value();
  const RuntimePersistenceSnapshot with_old_blobs = store_.Snapshot();
  store_.GcUnreachable({}).value();
  EXPECT_NE(store_.Snapshot(), with_old_blobs);
}

TEST_F(Snapshots, EqualStatesAreEqualHoweverTheyCameToBe) {
  ASSERT_EQ(Revision(Graph(Append{{N("a"), N("b")}, "b"})), 1u);
  const RuntimePersistenceSnapshot before = store_.Snapshot();
  EXPECT_EQ(ClaimWork(), std::nullopt);
  Tombstone({"nosuch"});
  EXPECT_TRUE(store_.Forget({"nosuch"}).has_value());
  EXPECT_TRUE(FailedWith(Commit(C("t")), SessionBindingMismatch{"s", "t"}));
  EXPECT_EQ(store_.Snapshot(), before);
}

TEST_F(Snapshots, ShareNodesAndNeverChange) {
  ASSERT_EQ(Revision(Graph(Append{{N("a")}, "a"})), 1u);
  const RuntimePersistenceSnapshot saved = store_.Snapshot();
  EXPECT_EQ(store_.Snapshot().contents().nodes[0], saved.contents().nodes[0]) << "the very same node";
  Tombstone({"a"});
  EXPECT_EQ(saved.contents().nodes[0]->node_id, "a");
}

class Recording : public StoreTest {
 protected:
  Recording() : StoreTest({.id_style = IdStyle::kReadable, .record_calls = true}) {}
};

TEST_F(Recording, KeepsRequestOutcomeTimeAndFault) {
  const RuntimeCommitResult result = Commit(C("s")).value();
  clock_.Set(1001);
  ASSERT_TRUE(store_.FailNext("vacuum", FaultPoint::kAfterEffect, Backend{}).ok());
  EXPECT_FALSE(store_.Vacuum({}).has_value());
  using Call = RecordedCall<F>;
  constexpr std::size_t kCommit = OperationIndexOf<F, CommitRuntimeStateRequest>();
  EXPECT_THAT(store_.RecordedCalls(),
              ElementsAre(Call{RequestOf<F>(CommitRuntimeStateRequest{C("s")}),
                               OutcomeOf<F>(std::in_place_index<0>, std::in_place_index<kCommit>, result), 1000, std::nullopt},
                          Call{RequestOf<F>(VacuumRequest{}), OutcomeOf<F>(std::in_place_index<1>, Backend{}), 1001,
                               FaultPoint::kAfterEffect}));
  store_.ClearRecordedCalls();
  EXPECT_THAT(store_.RecordedCalls(), IsEmpty());
}

TEST(Ids, FollowTheSeed) {
  ManualClock clock(0);
  auto first_id = [&](uint64_t seed) {
    Store store({.clock = &clock}, {.id_seed = seed});
    return store.EnqueueQueuedWork({Work()}).value().batch_id;
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
    revisions.push_back(store->LoadSession({FullGraph{}}).value().has_value());
    inside = false;
  }
  Store* store = nullptr;
  bool inside = false;
  std::vector<std::string> points;
  std::vector<bool> revisions;
};

TEST(Pauses, AreMadeBeforeAndAfterTheLock) {
  ManualClock clock(0);
  ReentrantHook hook;
  Store store({.clock = &clock, .pause = &hook});
  hook.store = &store;
  store.CommitRuntimeState({C("s")}).value();
  EXPECT_THAT(hook.revisions, ElementsAre(false, true));
  EXPECT_THAT(hook.points,
              ElementsAre("before_lock", "before_lock", "after_unlock", "after_unlock", "before_lock", "after_unlock"));
}

TEST(Environments, WithoutAClockAreRefused) { EXPECT_DEATH(Store({}), "needs a clock"); }

}  // namespace
}  // namespace leasecheck::memstore
