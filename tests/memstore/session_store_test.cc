// What the contract says beyond its worked examples: time, dead owners, classless batches, keys, commits, lanes, isolation.
#include <map>
#include <set>

#include "tests/memstore/fixture.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Queue = StoreTest;
using Time = StoreTest;
using Commits = StoreTest;
using Lanes = StoreTest;

// The queue.

TEST_F(Queue, EnqueueKeepsEveryField) {
  QueuedWorkBatchDraft draft;
  draft.session_id = "";
  draft.source_key = "";
  draft.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  draft.slot_policy = SlotPolicy::kJoin;
  draft.merge_key = MergePayloadDefault{};
  draft.available_at_ms = kEndOfTime;
  draft.payloads = {session_store::SessionCommand{{"1"}}, ProcessWake{{"2"}}, ProcessWake{{"2"}}};
  const Batch batch = Enqueue(draft);
  EXPECT_EQ(batch, (Batch{"b1",
                          "",
                          "",
                          draft.delivery_policy,
                          draft.slot_policy,
                          draft.merge_key,
                          kEndOfTime,
                          1,
                          1000,
                          {{"i1", draft.payloads[0]}, {"i2", draft.payloads[1]}, {"i3", draft.payloads[2]}}}));
  EXPECT_THAT(store_.ListQueuedWork({""}).value(), ElementsAre(batch));
  EXPECT_THAT(store_.ListPendingQueuedWork({""}).value(), ElementsAre(batch));
}

TEST_F(Queue, ABatchHasNothingOfThoseThatWereCancelled) {
  QueuedWorkBatchDraft rich = Keyed("key", Join("a group"));
  rich.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  rich.available_at_ms = 77;
  rich.payloads.insert(rich.payloads.end(), 5, session_store::SessionCommand{{"\"five times, and longer than the first\""}});
  const QueuedWorkBatchDraft drafts[] = {rich, Turn(), Command(), rich, Mixed(), Keyed("", Turn("t")), Turn()};
  for (const QueuedWorkBatchDraft& draft : drafts) {
    const Batch batch = Enqueue(draft);
    std::vector<QueuedWorkPayload> payloads;
    for (const QueuedWorkItem& item : batch.items) payloads.push_back(item.payload);
    EXPECT_EQ(payloads, draft.payloads);
    EXPECT_EQ(batch.source_key, draft.source_key);
    EXPECT_EQ(batch.merge_key, draft.merge_key);
    EXPECT_EQ(batch.available_at_ms, draft.available_at_ms);
    EXPECT_THAT(store_.ListQueuedWork({draft.session_id}).value(), ElementsAre(batch));
    EXPECT_EQ(Cancel(batch.batch_id, draft.session_id), batch);
  }
}

TEST_F(Queue, EmptyKeyIsARealKeyAndNoKeyIsNone) {
  EXPECT_EQ(Enqueue(Keyed("")), Enqueue(Keyed("")));
  EXPECT_NE(Enqueue(Turn()).batch_id, Enqueue(Turn()).batch_id);
  EXPECT_NE(Enqueue(Keyed("", Turn("other"))).batch_id, Enqueue(Keyed("")).batch_id);
}

TEST_F(Queue, KeyHoldsWhileDeferredClaimedOrLapsedAndIsFreedByCancel) {
  const Batch deferred = Enqueue(Keyed("d", At(5000)));
  EXPECT_EQ(Enqueue(Keyed("d")), deferred);
  const Batch a = Enqueue(Keyed("a"));
  ASSERT_THAT(IdsOf(ClaimWork(Hold(), 10)), ElementsAre(a.batch_id));
  EXPECT_EQ(Enqueue(Keyed("a", Mixed())), a);
  clock_.Set(1010);
  EXPECT_EQ(Enqueue(Keyed("a")), a);
  EXPECT_TRUE(Cancel(a.batch_id).has_value());
  EXPECT_NE(Enqueue(Keyed("a")).batch_id, a.batch_id);
}

TEST_F(Queue, CommandClaimIgnoresPoliciesAndTakesOne) {
  QueuedWorkBatchDraft command = Command();
  command.slot_policy = SlotPolicy::kJoin;
  command.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  const Batch c1 = Enqueue(command);
  Enqueue(command);
  EXPECT_THAT(IdsOf(ClaimCommand(Hold())), ElementsAre(c1.batch_id));
}

TEST_F(Queue, CommandBehindTurnWorkOrInAnEmptyQueueIsNone) {
  const Lane lane = Hold();
  EXPECT_FALSE(ClaimCommand(lane).has_value());
  const Batch d = Enqueue(Turn());
  const Batch c = Enqueue(Command());
  EXPECT_FALSE(ClaimCommand(lane).has_value());
  ASSERT_THAT(IdsOf(ClaimWork(lane)), ElementsAre(d.batch_id));
  EXPECT_THAT(IdsOf(ClaimCommand(lane)), ElementsAre(c.batch_id));
}

TEST_F(Queue, GroupEndsAtEachDifference) {
  const SessionStoreSnapshot empty = store_.Snapshot();
  const auto ends = [&](const QueuedWorkBatchDraft& draft) {
    const Batch a = Enqueue(Join("g"));
    Enqueue(draft);
    const Lane lane = Hold();
    const bool ended = IdsOf(ClaimWork(lane, 60000, 10)) == Ids{a.batch_id};
    store_.Restore(empty);
    return ended;
  };
  QueuedWorkBatchDraft draft = Join("g");
  EXPECT_FALSE(ends(draft));
  draft.slot_policy = SlotPolicy::kExclusive;
  EXPECT_TRUE(ends(draft));
  draft = Join("g");
  draft.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  EXPECT_TRUE(ends(draft));
  draft = Join("g");
  draft.payloads = Command().payloads;
  EXPECT_TRUE(ends(draft));
  EXPECT_TRUE(ends(Join("")));
  draft.merge_key = MergeNever{};
  EXPECT_TRUE(ends(draft));
}

TEST_F(Queue, NeverJoinsNever) {
  QueuedWorkBatchDraft never = Turn();
  never.slot_policy = SlotPolicy::kJoin;
  Enqueue(never);
  Enqueue(never);
  EXPECT_EQ(ClaimWork(Hold(), 60000, kEndOfTime)->batches.size(), 2u);
}

TEST_F(Queue, ExclusiveHeadIsAlone) {
  const Batch a = Enqueue(Turn());
  Enqueue(Join("g"));
  EXPECT_THAT(IdsOf(ClaimWork(Hold(), 60000, 10)), ElementsAre(a.batch_id));
}

TEST_F(Queue, ByIdsRefusesWhateverIsNotTheGrant) {
  const std::string a = Enqueue(Join("g")).batch_id;
  const std::string b = Enqueue(Join("g")).batch_id;
  const std::string later = Enqueue(At(5000, Join("g"))).batch_id;
  const std::string foreign = Enqueue(Turn("other")).batch_id;
  const Lane lane = Hold();
  const SessionStoreSnapshot before = store_.Snapshot();
  for (const Ids& ids : std::vector<Ids>{{b}, {a, a}, {a, b, later}, {foreign}, {a, foreign}, {"nothing"}, {a, b, "nothing"}}) {
    EXPECT_FALSE(ClaimIds(lane, ids).has_value());
    EXPECT_EQ(store_.Snapshot(), before);
  }
  Lane stale = lane;
  stale.fencing_token = 9;
  EXPECT_TRUE(FailedWith(store_.ClaimReadyQueuedWorkByBatchIds({"s", FenceOf(stale), kX, kIdle, 1, {a}}),
                         SessionExecutionLeaseExpired{"s"}));
  Enqueue(Mixed());
  EXPECT_TRUE(FailedWith(store_.ClaimReadyQueuedWorkByBatchIds({"s", FenceOf(lane), kX, kIdle, 1, {a}}), Backend{}));
}

TEST_F(Queue, RenewLooksAtTokensAndNumberOnly) {
  const Batch a = Enqueue(Turn());
  Claim claim = *ClaimWork(Hold());
  claim.owner = kZ;
  claim.fencing_token = 99;
  claim.batches[0].batch_id = "anything";
  EXPECT_EQ(Renew(claim, 5).value().expires_at_epoch_ms, 1005u);
  const SessionStoreSnapshot before = store_.Snapshot();
  for (int field = 0; field < 5; ++field) {
    Claim wrong = claim;
    if (field == 0) wrong.claim_id = "c9";
    if (field == 1) wrong.lease_token = "t9";
    if (field == 2) wrong.session_id = "other";
    if (field == 3) wrong.batches.clear();
    if (field == 4) wrong.batches.push_back(a);
    EXPECT_TRUE(FailedWith(Renew(wrong, 60000), QueuedWorkClaimExpired{wrong.session_id, wrong.claim_id})) << field;
    EXPECT_EQ(store_.Snapshot(), before);
  }
}

TEST_F(Queue, RenewOfARetakenPartFailsAndNarrowedValueRenews) {
  Enqueue(Join("g"));
  Enqueue(Join("g"));
  const Lane lane = Hold();
  const Claim both = *ClaimWork(lane, 10, 2);
  clock_.Set(1010);
  ASSERT_TRUE(ClaimWork(lane, 10, 1, kY).has_value());
  EXPECT_TRUE(FailedWith(Renew(both, 10), QueuedWorkClaimExpired{"s", both.claim_id}));
  Claim rest = both;
  rest.batches.erase(rest.batches.begin());
  EXPECT_TRUE(Renew(rest, 10).has_value());
  EXPECT_THAT(Pending(), IsEmpty());
}

TEST_F(Queue, AbandonTouchesOnlyWhatIsOwned) {
  const Batch a = Enqueue(Turn());
  const Lane lane = Hold();
  const Claim stale = *ClaimWork(lane, 0);
  const Claim fresh = *ClaimWork(lane);
  EXPECT_GT(fresh.fencing_token, stale.fencing_token);
  Claim altered = fresh;
  altered.lease_token = "t9";
  const SessionStoreSnapshot before = store_.Snapshot();
  Abandon(stale);
  Abandon(altered);
  altered = fresh;
  altered.session_id = "nobody's";
  Abandon(altered);
  EXPECT_EQ(store_.Snapshot(), before);
  Abandon(fresh);
  Abandon(fresh);
  EXPECT_THAT(Pending(), ElementsAre(a.batch_id));
  EXPECT_GT(ClaimWork(lane)->fencing_token, fresh.fencing_token);
}

TEST_F(Queue, AbandonOfALapsedGroupFreesAllAtTheirPlaces) {
  const Ids ids{Enqueue(Join("g")).batch_id, Enqueue(Join("g")).batch_id, Enqueue(Join("g")).batch_id};
  const Lane lane = Hold();
  const Claim claim = *ClaimWork(lane, 10, 10);
  clock_.Set(2000);
  Abandon(claim);
  clock_.Set(1000);
  EXPECT_EQ(Pending(), ids);
  EXPECT_EQ(IdsOf(ClaimWork(lane, 10, 10)), ids);
}

TEST_F(Queue, CancelRefusesLiveMissingAndForeign) {
  const Batch a = Enqueue(Turn());
  EXPECT_FALSE(Cancel("b9").has_value());
  EXPECT_FALSE(Cancel(a.batch_id, "other").has_value());
  ASSERT_TRUE(ClaimWork(Hold(), 10).has_value());
  EXPECT_FALSE(Cancel(a.batch_id).has_value());
  EXPECT_THAT(List(), ElementsAre(a.batch_id));
  clock_.Set(1010);
  EXPECT_EQ(Cancel(a.batch_id), a);
  EXPECT_FALSE(Cancel(a.batch_id).has_value());
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(Queue, SessionsAreIsolated) {
  const Lane lane = Hold();
  const Lane other = Hold(kX, kEndOfTime, "other");
  Enqueue(Mixed("other"));
  const Batch a = Enqueue(Turn());
  EXPECT_THAT(IdsOf(ClaimWork(lane, 10, 9)), ElementsAre(a.batch_id));
  EXPECT_TRUE(FailedWith(store_.ClaimReadyQueuedWork({"s", FenceOf(other), kX, kIdle, 1, 1}), SessionExecutionLeaseExpired{"s"}));
  EXPECT_TRUE(FailedWith(store_.ClaimReadyQueuedWork({"unknown", FenceOf(lane), kX, kIdle, 1, 1}),
                         SessionExecutionLeaseExpired{"unknown"}));
  EXPECT_THAT(List("unknown"), IsEmpty());
}

// Classless batches.

TEST_F(Queue, ClasslessAtAnyPositionFailsClaimsButDeferredDisturbsNothing) {
  const Batch a = Enqueue(Command());
  QueuedWorkBatchDraft empty = At(2000);
  empty.payloads.clear();
  const Batch deferred = Enqueue(empty);
  const Lane lane = Hold();
  EXPECT_FALSE(ClaimWork(lane).has_value()) << "a command is at the head, and the classless batch is no candidate";
  clock_.Set(2000);
  EXPECT_TRUE(FailedWith(TryClaim(lane), Backend{}));
  EXPECT_TRUE(FailedWith(store_.ClaimLeadingReadySessionCommand({"s", FenceOf(lane), kX, 1}), Backend{}));
  EXPECT_FALSE(TryClaim(lane, 1, 0).value().has_value());
  clock_.Set(1999);
  EXPECT_THAT(IdsOf(ClaimCommand(lane)), ElementsAre(a.batch_id)) << "the clock went back";
  EXPECT_EQ(Cancel(deferred.batch_id), deferred);
}

// Time.

TEST_F(Time, DeferredBatchIsReadyAtItsInstantAndHiddenAgainWhenTheClockGoesBack) {
  const Batch late = Enqueue(At(3000));
  const Batch soon = Enqueue(At(2000));
  const Lane lane = Hold();
  const SessionStoreSnapshot before = store_.Snapshot();
  const std::map<EpochMs, Ids> heads{{1999, {}}, {2000, {soon.batch_id}}, {2999, {soon.batch_id}}, {3000, {late.batch_id}}};
  for (EpochMs now : {1999, 3000, 2999, 1999, 2000, 3000, 1999}) {
    clock_.Set(now);
    EXPECT_EQ(IdsOf(ClaimWork(lane)), heads.at(now)) << now;
    store_.Restore(before);
  }
  EXPECT_THAT(Pending(), ElementsAre(late.batch_id, soon.batch_id));
}

TEST_F(Time, PromotedBatchIsHiddenAgainWithoutRestore) {
  const Batch late = Enqueue(At(3000));
  const Lane lane = Hold();
  clock_.Set(3000);
  const Claim claim = *ClaimWork(lane, 10);
  Abandon(claim);
  clock_.Set(2999);
  EXPECT_FALSE(ClaimWork(lane).has_value());
  clock_.Set(3000);
  EXPECT_THAT(IdsOf(ClaimWork(lane)), ElementsAre(late.batch_id));
}

TEST_F(Time, LapsedClaimIsLiveAgainWhenTheClockGoesBack) {
  const Batch a = Enqueue(Turn());
  const Batch b = Enqueue(Turn());
  const Lane lane = Hold();
  ASSERT_TRUE(ClaimWork(lane, 500).has_value());
  clock_.Set(1500);
  EXPECT_THAT(Pending(), ElementsAre(a.batch_id, b.batch_id));
  clock_.Set(1499);
  EXPECT_THAT(Pending(), ElementsAre(b.batch_id));
  EXPECT_FALSE(Cancel(a.batch_id).has_value());
  EXPECT_THAT(IdsOf(ClaimWork(lane)), ElementsAre(b.batch_id));
  clock_.Set(1500);
  EXPECT_THAT(IdsOf(ClaimWork(lane)), ElementsAre(a.batch_id));
}

TEST_F(Time, HugeTimesNeverWrap) {
  const Batch never = Enqueue(At(kEndOfTime));
  const Batch a = Enqueue(Turn());
  const Lane lane = Hold(kX, kEndOfTime);
  EXPECT_EQ(lane.expires_at_epoch_ms, kEndOfTime);
  const Claim claim = *ClaimWork(lane, kEndOfTime, kEndOfTime);
  EXPECT_EQ(claim.expires_at_epoch_ms, kEndOfTime);
  EXPECT_EQ(claim.batches, std::vector<Batch>{a});
  clock_.Set(kEndOfTime - 1);
  EXPECT_THAT(Pending(), ElementsAre(never.batch_id));
  EXPECT_FALSE(ClaimWork(lane).has_value());
  EXPECT_FALSE(Cancel(a.batch_id).has_value());
  clock_.Set(kEndOfTime);
  EXPECT_THAT(Pending(), ElementsAre(never.batch_id, a.batch_id)) << "expires <= now, even at the end of time";
  const Lane last = Hold(kY, 1);
  EXPECT_FALSE(TryClaim(last).has_value()) << "nothing is live at the end of time";
}

TEST_F(Time, OneReadACall) {
  struct CountingClock final : Clock {
    EpochMs Now() const override {
      ++reads;
      return 1000;
    }
    mutable int reads = 0;
  } clock;
  Store store({.clock = &clock, .liveness = &liveness_});
  int calls = 0;
  ForEachOperation<SessionStoreFamily>([&](const auto& operation, std::size_t) {
    typename std::decay_t<decltype(operation)>::Request request{};
    (store.*operation.method)(request);
    EXPECT_EQ(clock.reads, ++calls) << std::string(operation.name);
  });
}

// Dead owners.

// Knows some dead pids, and counts how often it was asked.
class ScriptedLiveness final : public LivenessProbe {
 public:
  Answer Probe(uint32_t pid, absl::string_view process_start) const override {
    ++probes;
    if (process_start == "?") return Answer::kUnknown;
    return dead.count(pid) != 0 ? Answer::kDead : Answer::kAlive;
  }
  std::set<uint32_t> dead;
  mutable int probes = 0;
};

class DeadOwners : public StoreTest {
 protected:
  DeadOwners() : mortal_({.clock = &clock_, .liveness = &probe_}, {.id_style = IdStyle::kReadable}) {
    lane_ = std::get<LeaseAcquired>(mortal_.TryClaimSessionExecutionLease({"s", kX, kEndOfTime}).value()).lease;
  }
  std::string Add(const QueuedWorkBatchDraft& draft) { return mortal_.EnqueueQueuedWork({draft}).value().batch_id; }
  std::optional<Claim> Take(const LeaseOwnerIdentity& owner, uint64_t max = 1, DurationMs ttl = 60000) {
    return mortal_.ClaimReadyQueuedWork({"s", FenceOf(lane_), owner, kIdle, ttl, max}).value();
  }

  ScriptedLiveness probe_;
  Store mortal_;
  Lane lane_;
};

TEST_F(DeadOwners, LiveClaimOfADeadProcessIsClaimableButNeitherPendingNorCancellable) {
  const std::string a = Add(Turn());
  const Claim lost = *Take(Process("w", 7));
  const LeaseOwnerIdentity heir = Process("heir", 8);
  EXPECT_FALSE(Take(heir).has_value());
  probe_.dead = {7};
  EXPECT_THAT(mortal_.ListPendingQueuedWork({"s"}).value(), IsEmpty());
  EXPECT_FALSE(mortal_.CancelQueuedWorkBatch({"s", a}).value().has_value());
  EXPECT_FALSE(Take(kY).has_value()) << "an opaque claimant knows nobody dead";
  EXPECT_FALSE(Take(Process("heir", 8, "1", "other host")).has_value());
  EXPECT_FALSE(Take(Process("heir", 8, "1", "h", "other boot")).has_value());
  const auto taken = Take(heir);
  ASSERT_THAT(IdsOf(taken), ElementsAre(a));
  EXPECT_EQ(taken->fencing_token, 2u);
  EXPECT_TRUE(FailedWith(mortal_.RenewQueuedWorkClaim({lost, 1}), QueuedWorkClaimExpired{"s", lost.claim_id}));
}

TEST_F(DeadOwners, UnknownIsNotDead) {
  Add(Turn());
  ASSERT_TRUE(Take(Process("w", 7, "?")).has_value());
  probe_.dead = {7};
  EXPECT_FALSE(Take(Process("heir", 8)).has_value());
}

TEST_F(DeadOwners, TheirBatchesStandInQueueOrderAndJoin) {
  const std::string a = Add(Join("g"));
  const std::string b = Add(Join("g"));
  const std::string c = Add(Join("g"));
  const std::string d = Add(Join("g"));
  ASSERT_THAT(IdsOf(Take(Process("dead", 7))), ElementsAre(a));
  ASSERT_THAT(IdsOf(Take(Process("alive", 8))), ElementsAre(b));
  ASSERT_THAT(IdsOf(Take(Process("dead too", 9))), ElementsAre(c));
  probe_.dead = {7, 9};
  EXPECT_THAT(IdsOf(Take(Process("heir", 10), 10)), ElementsAre(a, c, d));
}

TEST_F(DeadOwners, OwnLiveClaimIsClaimableOnlyIfProvablyDead) {
  const std::string a = Add(Turn());
  const LeaseOwnerIdentity self = Process("w", 7);
  ASSERT_TRUE(Take(self).has_value());
  EXPECT_FALSE(Take(self).has_value());
  probe_.dead = {7};
  EXPECT_THAT(IdsOf(Take(self)), ElementsAre(a));
}

TEST_F(DeadOwners, NotYetAvailableBatchOfADeadOwnerIsNoCandidate) {
  const std::string a = Add(At(1000));
  ASSERT_TRUE(Take(Process("w", 7)).has_value());
  probe_.dead = {7};
  clock_.Set(999);
  EXPECT_FALSE(Take(Process("heir", 8)).has_value());
  clock_.Set(1000);
  EXPECT_THAT(IdsOf(Take(Process("heir", 8))), ElementsAre(a));
}

TEST_F(DeadOwners, EachLiveHolderIsProbedOnceHoweverMuchItHolds) {
  for (int i = 0; i < 40; ++i) Add(Turn());
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(Take(Process("w", 10 + i % 3), 1, 1000 + i).has_value());
  ASSERT_TRUE(Take(Process("lapsed", 20), 1, 0).has_value());
  ASSERT_TRUE(Take(kY).has_value());
  probe_.probes = 0;
  ASSERT_TRUE(Take(Process("claimant", 30)).has_value());
  EXPECT_EQ(probe_.probes, 3);
  probe_.probes = 0;
  ASSERT_TRUE(Take(kY).has_value());
  EXPECT_EQ(probe_.probes, 0) << "an opaque claimant needs no probe";
  // All but the last of the first owner's ten claims have lapsed, and every claim of the others.
  clock_.Set(1000 + 1000 + 28);
  probe_.probes = 0;
  ASSERT_TRUE(Take(Process("claimant", 31)).has_value());
  EXPECT_EQ(probe_.probes, 2) << "the claimant of pid 30 and the holder of the claim that lapses last";
}

TEST_F(DeadOwners, RenewedAbandonedAndSettledClaimsLeaveTheIndexRight) {
  const std::string a = Add(Turn());
  const std::string b = Add(Turn());
  const LeaseOwnerIdentity w = Process("w", 7);
  const LeaseOwnerIdentity heir = Process("heir", 8);
  const Claim of_a = *Take(w, 1, 10);
  const Claim of_b = *Take(w, 1, 20);
  ASSERT_TRUE(mortal_.RenewQueuedWorkClaim({of_a, 50}).has_value());
  ASSERT_TRUE(mortal_.AbandonQueuedWorkClaim({of_b}).has_value());
  probe_.dead = {7};
  clock_.Set(1040);
  ASSERT_THAT(IdsOf(Take(heir)), ElementsAre(a)) << "renewed to 1050, live, and its holder is dead";
  ASSERT_THAT(IdsOf(Take(heir)), ElementsAre(b));
  EXPECT_FALSE(Take(heir).has_value());
}

// Commits.

TEST_F(Commits, StoresTheBodyAndRisesTheHead) {
  const Lane lane = Hold();
  RuntimeCommit commit = CommitOf(lane);
  commit.body.text = "{\"a\":1}";
  const RuntimeCommitResult first = Commit(commit).value();
  EXPECT_EQ(first.head_revision, 1u);
  commit.body.text = "{\"a\":2}";
  const RuntimeCommitResult second = Commit(commit).value();
  EXPECT_EQ(second.head_revision, 2u);
  EXPECT_NE(second.checkpoint_ref, first.checkpoint_ref);
  EXPECT_EQ(store_.LoadSession({}).value(), (LoadedSession{"s", 2, {"{\"a\":2}"}}));
  EXPECT_EQ(store_.LoadSession({ActivePath{"leaf"}}).value(), (LoadedSession{"s", 2, {"{\"a\":2}"}}));
}

TEST_F(Commits, ChecksInOrder) {
  const Lane lane = Hold();
  RuntimeCommit ok = CommitOf(lane);
  ok.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  ASSERT_TRUE(Commit(ok).has_value());
  const SessionStoreSnapshot before = store_.Snapshot();

  RuntimeCommit bad = ok;
  bad.session_id = "other";
  bad.turn_commit = RuntimeTurnCommitStamp{"third", "t", "h'"};
  bad.session_execution_lease.reset();
  bad.expected_head_revision = 7;
  bad.completed_queue_claims = {{"s", "c9", "t9", {"b9"}}};
  EXPECT_TRUE(FailedWith(Commit(bad), SessionBindingMismatch{"s", "other"}));
  bad.session_id = "s";
  EXPECT_TRUE(FailedWith(Commit(bad), RuntimeTurnCommitConflict{"third", "t"}));
  bad.turn_commit->session_id = "s";
  EXPECT_TRUE(FailedWith(Commit(bad), RuntimeTurnCommitConflict{"s", "t"}));
  bad.turn_commit->turn_id = "t2";
  EXPECT_TRUE(FailedWith(Commit(bad), SessionExecutionLeaseExpired{"s"}));
  bad.session_execution_lease = FenceOf(lane);
  EXPECT_TRUE(FailedWith(Commit(bad), HeadRevisionConflict{7, 1}));
  bad.expected_head_revision = 1;
  EXPECT_TRUE(FailedWith(Commit(bad), QueuedWorkClaimExpired{"s", "c9"}));
  EXPECT_EQ(store_.Snapshot(), before);
  bad.completed_queue_claims.clear();
  EXPECT_TRUE(Commit(bad).has_value()) << "a failed commit recorded no stamp";
}

TEST_F(Commits, LastBadCompletionLeavesEverything) {
  for (int i = 0; i < 4; ++i) Enqueue(Turn());
  const Lane lane = Hold();
  std::vector<Claim> claims;
  for (int i = 0; i < 4; ++i) claims.push_back(*ClaimWork(lane));
  const SessionStoreSnapshot before = store_.Snapshot();
  RuntimeCommit commit = CommitOf(lane, claims);
  commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  commit.release_session_execution_lease = ReleaseOf(lane);
  const RuntimeCommit good = commit;

  QueuedWorkCompletion& last = commit.completed_queue_claims.back();
  const auto expect_refused = [&](const char* why) {
    EXPECT_TRUE(FailedWith(Commit(commit), QueuedWorkClaimExpired{last.session_id, last.claim_id})) << why;
    EXPECT_EQ(store_.Snapshot(), before) << why;
    commit = good;
  };
  last.lease_token = "t9";
  expect_refused("token");
  last.claim_id = "c9";
  expect_refused("claim");
  last.session_id = "other";
  expect_refused("session");
  last.batch_ids.push_back(last.batch_ids[0]);
  expect_refused("a batch twice");
  last.batch_ids.push_back("b9");
  expect_refused("unknown batch");
  last.batch_ids = good.completed_queue_claims[0].batch_ids;
  expect_refused("another claim's batch");
  last = good.completed_queue_claims[0];
  expect_refused("the same completion twice");
  last.session_id = "other";
  last.batch_ids.clear();
  expect_refused("an empty completion of another session");

  EXPECT_EQ(Commit(good).value().head_revision, 1u);
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(Commits, PartAndEmptyCompletionsSucceed) {
  const Batch a = Enqueue(Join("g"));
  const Batch b = Enqueue(Join("g"));
  const Lane lane = Hold();
  const Claim claim = *ClaimWork(lane, 60000, 2);
  RuntimeCommit commit = CommitOf(lane, {claim});
  commit.completed_queue_claims[0].batch_ids = {a.batch_id};
  commit.completed_queue_claims.push_back({"s", "c9", "t9", {}});
  EXPECT_TRUE(Commit(commit).has_value());
  EXPECT_THAT(List(), ElementsAre(b.batch_id));
  EXPECT_THAT(Pending(), IsEmpty()) << "the rest stays claimed";
  EXPECT_TRUE(FailedWith(Renew(claim, 1), QueuedWorkClaimExpired{"s", claim.claim_id}));
  commit.completed_queue_claims[0].batch_ids = {b.batch_id};
  EXPECT_TRUE(Commit(commit).has_value());
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_TRUE(FailedWith(Commit(commit), QueuedWorkClaimExpired{"s", claim.claim_id})) << "SC-CMT-14";
}

TEST_F(Commits, BatchesOfOneClaimMayBeNamedInAnyOrder) {
  Enqueue(Join("g"));
  Enqueue(Join("g"));
  const Lane lane = Hold();
  RuntimeCommit commit = CommitOf(lane, {*ClaimWork(lane, 60000, 2)});
  std::swap(commit.completed_queue_claims[0].batch_ids[0], commit.completed_queue_claims[0].batch_ids[1]);
  EXPECT_TRUE(Commit(commit).has_value());
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(Commits, ReplayIgnoresAllButTheReleaseAndTheBinding) {
  const Batch a = Enqueue(Turn());
  const Lane lane = Hold();
  RuntimeCommit commit = CommitOf(lane);
  commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  const auto first = Commit(commit);
  const Claim claim = *ClaimWork(lane);
  commit.body.text = "{\"other\":1}";
  commit.expected_head_revision = 9;
  commit.completed_queue_claims = {CompletionOf(claim), {"x", "y", "z", {"w"}}};
  const SessionStoreSnapshot before = store_.Snapshot();
  EXPECT_EQ(Commit(commit), first);
  EXPECT_EQ(store_.Snapshot(), before);
  EXPECT_THAT(List(), ElementsAre(a.batch_id));
  commit.release_session_execution_lease = ReleaseOf(lane);
  EXPECT_EQ(Commit(commit), first);
  EXPECT_EQ(Hold(kY).fencing_token, 2u);
}

TEST_F(Commits, ReleaseThatDoesNotMatchIsSilentlyIgnored) {
  const Lane lane = Hold();
  const Lane other = Hold(kX, kEndOfTime, "other");
  RuntimeCommit commit = CommitOf(lane);
  commit.release_session_execution_lease = ReleaseOf(lane);
  commit.release_session_execution_lease->lease_token = "l9";
  EXPECT_TRUE(Commit(commit).has_value());
  commit.release_session_execution_lease = ReleaseOf(other);
  EXPECT_TRUE(Commit(commit).has_value());
  EXPECT_TRUE(store_.RenewSessionExecutionLease({FenceOf(lane), 5}).has_value());
  EXPECT_TRUE(store_.RenewSessionExecutionLease({FenceOf(other), 5}).has_value());
}

TEST_F(Commits, LapsedUntakenClaimSettlesAndTheLaneMustBeLive) {
  Enqueue(Turn());
  const Lane short_lane = Hold(kX, 100);
  const Claim claim = *ClaimWork(short_lane, 10);
  clock_.Set(1100);
  EXPECT_TRUE(FailedWith(Settle(short_lane, {claim}), SessionExecutionLeaseExpired{"s"}));
  EXPECT_TRUE(Settle(Hold(kY), {claim}).has_value());
}

TEST_F(Commits, FirstSuccessBindsNotFirstAttempt) {
  const Lane other = Hold(kX, kEndOfTime, "other");
  RuntimeCommit failing = CommitOf(other);
  failing.expected_head_revision = 5;
  EXPECT_TRUE(FailedWith(Commit(failing), HeadRevisionConflict{5, 0}));
  EXPECT_TRUE(Commit(CommitOf(Hold())).has_value());
  failing.expected_head_revision.reset();
  EXPECT_TRUE(FailedWith(Commit(failing), SessionBindingMismatch{"s", "other"}));
}

// Lanes.

TEST_F(Lanes, FenceMustMatchInEveryField) {
  Enqueue(Turn());
  const Lane lane = Hold();
  for (int field = 0; field < 5; ++field) {
    SessionExecutionLeaseFence fence = FenceOf(lane);
    if (field == 0) fence.session_id = "other";
    if (field == 1) fence.owner.owner_id = "y";
    if (field == 2) fence.owner.incarnation_id = "2";
    if (field == 3) fence.lease_token = "l9";
    if (field == 4) fence.fencing_token = 2;
    EXPECT_TRUE(FailedWith(store_.ClaimReadyQueuedWork({"s", fence, kX, kIdle, 1, 1}), SessionExecutionLeaseExpired{"s"}));
    EXPECT_TRUE(FailedWith(store_.ClaimLeadingReadySessionCommand({"s", fence, kX, 1}), SessionExecutionLeaseExpired{"s"}));
    EXPECT_TRUE(FailedWith(store_.RenewSessionExecutionLease({fence, 1}), SessionExecutionLeaseExpired{fence.session_id}));
    const SessionStoreSnapshot before = store_.Snapshot();
    EXPECT_TRUE(store_
                    .ReleaseSessionExecutionLease(
                        {SessionExecutionLeaseCompletion{fence.session_id, fence.owner, fence.lease_token, fence.fencing_token}})
                    .has_value());
    EXPECT_EQ(store_.Snapshot(), before);
  }
  SessionExecutionLeaseFence fence = FenceOf(lane);
  fence.owner.liveness = LocalProcessOwner{"h", "b", 1, "1"};
  EXPECT_TRUE(store_.ClaimReadyQueuedWork({"s", fence, kX, kIdle, 1, 1}).value().has_value()) << "liveness is ignored";
}

TEST_F(Lanes, ReentryKeepsTheStoredLiveness) {
  const Lane lane = Hold(Process("x", 1));
  LeaseOwnerIdentity again = lane.owner;
  again.liveness = OpaqueOwner{};
  Lane expected = lane;
  expected.expires_at_epoch_ms = 1010;
  EXPECT_EQ(Hold(again, 10), expected);
}

TEST_F(Lanes, RenewSetsTheExpiryAndZeroLapses) {
  const Lane lane = Hold();
  Lane expected = lane;
  expected.expires_at_epoch_ms = 1005;
  EXPECT_EQ(store_.RenewSessionExecutionLease({FenceOf(lane), 5}).value(), expected);
  expected.expires_at_epoch_ms = 1000;
  EXPECT_EQ(store_.RenewSessionExecutionLease({FenceOf(lane), 0}).value(), expected);
  EXPECT_TRUE(FailedWith(store_.RenewSessionExecutionLease({FenceOf(lane), 5}), SessionExecutionLeaseExpired{"s"}));
  const Lane next = Hold();
  EXPECT_EQ(next.fencing_token, 2u) << "the same incarnation, but a new acquisition";
  EXPECT_NE(next.lease_token, lane.lease_token);
}

TEST_F(Lanes, ZeroTtlIsAcquiredAndLapsed) {
  const Lane lane = Hold(kX, 0);
  EXPECT_EQ(lane.expires_at_epoch_ms, 1000u);
  EXPECT_EQ(Hold(kY, 0).fencing_token, 2u);
}

TEST_F(Lanes, ReleaseOfALapsedLaneKeepsTheCounter) {
  const Lane lane = Hold(kX, 10);
  clock_.Set(1010);
  EXPECT_TRUE(store_.ReleaseSessionExecutionLease({ReleaseOf(lane)}).has_value());
  clock_.Set(1000);
  const Lane next = Hold(kY, 10);
  EXPECT_EQ(next.fencing_token, 2u) << "free even for a clock that went back";
  EXPECT_TRUE(store_.ReleaseSessionExecutionLease({ReleaseOf(lane)}).has_value());
  EXPECT_TRUE(store_.RenewSessionExecutionLease({FenceOf(next), 10}).has_value());
  EXPECT_TRUE(store_.ReleaseSessionExecutionLease({ReleaseOf(lane)}).has_value()) << "repeated";
  SessionExecutionLeaseCompletion unknown = ReleaseOf(lane);
  unknown.session_id = "unknown";
  EXPECT_TRUE(store_.ReleaseSessionExecutionLease({unknown}).has_value());
}

TEST_F(Lanes, ReclaimOfAFreeLaneIgnoresTheObservation) {
  const auto outcome = store_.ReclaimSessionExecutionLease({"s", kX, {}, 10}).value();
  ASSERT_TRUE(std::holds_alternative<LeaseAcquired>(outcome));
  EXPECT_EQ(std::get<LeaseAcquired>(outcome).lease.fencing_token, 1u);
}

TEST_F(Lanes, ReclaimIsBusyUnlessObservedExactlyAndDead) {
  const Lane dead = Hold(Process("x", kDeadPid));
  const SessionExecutionLeaseClaimOutcome busy = LeaseBusy{dead};
  const auto reclaim = [this](const LeaseOwnerIdentity& owner, const SessionExecutionLeaseFence& observed) {
    return store_.ReclaimSessionExecutionLease({"s", owner, observed, 10}).value();
  };
  const LeaseOwnerIdentity y = Process("y", 1);
  EXPECT_EQ(reclaim(kY, FenceOf(dead)), busy) << "opaque claimant";
  EXPECT_EQ(reclaim(Process("y", 1, "1", "other"), FenceOf(dead)), busy);
  EXPECT_EQ(reclaim(Process("y", 1, "1", "h", "other"), FenceOf(dead)), busy);
  SessionExecutionLeaseFence observed = FenceOf(dead);
  observed.session_id = "other";
  EXPECT_EQ(reclaim(y, observed), busy);
  observed = FenceOf(dead);
  observed.lease_token = "l9";
  EXPECT_EQ(reclaim(y, observed), busy);
  observed = FenceOf(dead);
  observed.fencing_token = 9;
  EXPECT_EQ(reclaim(y, observed), busy);
  EXPECT_TRUE(std::holds_alternative<LeaseAcquired>(reclaim(y, FenceOf(dead))));
  // y, alive, cannot come back in by reclaim.
  const Lane alive = Hold(y, 10);
  EXPECT_EQ(reclaim(y, FenceOf(alive)), SessionExecutionLeaseClaimOutcome(LeaseBusy{alive}));
}

// Counters at their end.

class Overflow : public StoreTest {
 protected:
  Overflow() : StoreTest({.id_style = IdStyle::kReadable, .first_counters = kEndOfTime - 1}) {}
};

TEST_F(Overflow, FailsWithBackendAndWithoutEffect) {
  const Batch a = Enqueue(Keyed("k"));
  EXPECT_EQ(a.enqueue_seq, kEndOfTime);
  const Lane lane = Hold();
  EXPECT_EQ(lane.fencing_token, kEndOfTime);
  const Claim claim = *ClaimWork(lane, 10);
  EXPECT_EQ(claim.fencing_token, kEndOfTime);
  Abandon(claim);
  const SessionStoreSnapshot before = store_.Snapshot();
  EXPECT_TRUE(FailedWith(store_.EnqueueQueuedWork({Turn()}), Backend{}));
  EXPECT_TRUE(FailedWith(store_.EnqueueQueuedWork({Turn("new session")}), Backend{}));
  EXPECT_EQ(Enqueue(Keyed("k")), a) << "a replay needs no number";
  EXPECT_TRUE(FailedWith(TryClaim(lane), Backend{}));
  EXPECT_EQ(store_.Snapshot(), before);
  EXPECT_TRUE(store_.ReleaseSessionExecutionLease({ReleaseOf(lane)}).has_value());
  EXPECT_TRUE(FailedWith(store_.TryClaimSessionExecutionLease({"s", kX, 1}), Backend{}));
  EXPECT_TRUE(FailedWith(store_.ReclaimSessionExecutionLease({"s", kX, {}, 1}), Backend{}));
}

}  // namespace
}  // namespace leasecheck::memstore
