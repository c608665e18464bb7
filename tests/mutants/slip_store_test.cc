// The store that the harness is tested with, tested itself: without a slip it answers the contract's worked examples
// (queued-work.md, 6), its disk brings everything back, and every slip is a row of the table with clauses that exist.
#include "tests/mutants/slip_store.h"

#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/clause.h"
#include "model/runtime_persistence/clauses.h"
#include "model/session_store/clauses.h"
#include "tests/mutants/catalogue.h"
#include "tests/mutants/persistence_catalogue.h"

namespace leasecheck::mutants {
namespace {

using namespace session_store;  // NOLINT(build/namespaces): this file is about little else
using testing::ElementsAre;
using testing::IsEmpty;
using Ids = std::vector<std::string>;

LeaseOwnerIdentity Owner(const std::string& id, const std::string& incarnation = "1") { return {id, incarnation, OpaqueOwner{}}; }
LeaseOwnerIdentity Process(const std::string& id, uint32_t pid) { return {id, "1", LocalProcessOwner{"host", "boot", pid, "1"}}; }

Ids IdsOf(const std::vector<QueuedWorkBatch>& batches) {
  Ids ids;
  for (const QueuedWorkBatch& batch : batches) ids.push_back(batch.batch_id);
  return ids;
}

template <class Error, class T>
const Error* ErrorOf(const Result<T>& result) {
  return result.has_value() ? nullptr : std::get_if<Error>(&result.error());
}

// Session "s", in the words of the worked examples.
class SlipStoreTest : public testing::Test {
 protected:
  SlipStoreTest() { Open({}); }
  void Open(Policy policy, Disk* disk = nullptr) {
    store_ = std::make_unique<SlipStore>(Environment{&clock_, &liveness_, nullptr}, policy, disk);
  }
  void At(EpochMs now) { clock_.Set(now); }

  QueuedWorkBatchDraft Draft(SlotPolicy slot = SlotPolicy::kExclusive, const std::string& group = "") {
    QueuedWorkBatchDraft draft;
    draft.session_id = "s";
    draft.slot_policy = slot;
    if (!group.empty()) draft.merge_key = MergeGroup{group};
    draft.payloads = {ProcessWake{{"{}"}}};
    return draft;
  }
  QueuedWorkBatchDraft CommandDraft() {
    QueuedWorkBatchDraft draft = Draft();
    draft.payloads = {SessionCommand{{"{}"}}};
    return draft;
  }
  QueuedWorkBatch Enqueue(const QueuedWorkBatchDraft& draft) { return *store_->EnqueueQueuedWork({draft}); }
  std::string Add(const QueuedWorkBatchDraft& draft) { return Enqueue(draft).batch_id; }

  SessionExecutionLeaseClaimOutcome Try(const LeaseOwnerIdentity& owner, DurationMs ttl) {
    return *store_->TryClaimSessionExecutionLease({"s", owner, ttl});
  }
  SessionExecutionLease Lane(const LeaseOwnerIdentity& owner = Owner("X"), DurationMs ttl = 1'000'000) {
    lane_ = std::get<LeaseAcquired>(Try(owner, ttl)).lease;
    return lane_;
  }
  Result<std::optional<QueuedWorkClaim>> TryTake(uint64_t max, DurationMs ttl = 60000,
                                                 QueuedWorkClaimBoundary boundary = QueuedWorkClaimBoundary::kIdle) {
    return store_->ClaimReadyQueuedWork({"s", FenceOf(lane_), lane_.owner, boundary, ttl, max});
  }
  std::optional<QueuedWorkClaim> Take(uint64_t max, DurationMs ttl = 60000,
                                      QueuedWorkClaimBoundary boundary = QueuedWorkClaimBoundary::kIdle) {
    return *TryTake(max, ttl, boundary);
  }
  Ids TakeIds(uint64_t max) {
    const auto claim = Take(max);
    return claim.has_value() ? IdsOf(claim->batches) : Ids();
  }
  Ids TakeByIds(const Ids& ids) {
    const auto claim =
        *store_->ClaimReadyQueuedWorkByBatchIds({"s", FenceOf(lane_), lane_.owner, QueuedWorkClaimBoundary::kIdle, 60000, ids});
    return claim.has_value() ? IdsOf(claim->batches) : Ids();
  }
  Result<std::optional<QueuedWorkClaim>> TakeCommand() {
    return store_->ClaimLeadingReadySessionCommand({"s", FenceOf(lane_), lane_.owner, 60000});
  }
  Result<QueuedWorkClaim> Renew(const QueuedWorkClaim& claim, DurationMs ttl) {
    return store_->RenewQueuedWorkClaim({claim, ttl});
  }
  void Abandon(const QueuedWorkClaim& claim) { ASSERT_TRUE(store_->AbandonQueuedWorkClaim({claim}).has_value()); }
  std::optional<QueuedWorkBatch> Cancel(const std::string& batch_id) { return *store_->CancelQueuedWorkBatch({"s", batch_id}); }
  Ids List() { return IdsOf(*store_->ListQueuedWork({"s"})); }
  Ids Pending() { return IdsOf(*store_->ListPendingQueuedWork({"s"})); }
  RuntimeCommit CommitOf(std::vector<QueuedWorkCompletion> completions) {
    RuntimeCommit commit;
    commit.session_id = "s";
    commit.session_execution_lease = FenceOf(lane_);
    commit.completed_queue_claims = std::move(completions);
    return commit;
  }
  Result<RuntimeCommitResult> Commit(const RuntimeCommit& commit) { return store_->CommitRuntimeState({commit}); }
  Result<RuntimeCommitResult> Settle(const QueuedWorkClaim& claim) { return Commit(CommitOf({CompletionOf(claim)})); }

  ManualClock clock_{1000};
  FixedLiveness liveness_;
  std::unique_ptr<SlipStore> store_;
  SessionExecutionLease lane_;
};

TEST_F(SlipStoreTest, Example1KeyIsFreeAfterSettlement) {
  Lane();
  QueuedWorkBatchDraft draft = Draft();
  draft.source_key = "k";
  const QueuedWorkBatch a = Enqueue(draft);
  At(1001);
  draft.payloads.push_back(ProcessWake{{"1"}});
  EXPECT_EQ(Enqueue(draft), a);
  ASSERT_TRUE(Settle(*Take(1)).has_value());
  EXPECT_NE(Add(draft), a.batch_id);
}

TEST_F(SlipStoreTest, Example2LapsedClaimIsRetakenUnderALargerToken) {
  EXPECT_EQ(Lane().fencing_token, 1u);
  const std::string a = Add(Draft());
  const QueuedWorkClaim first = *Take(1, 500);
  EXPECT_EQ(first.fencing_token, 1u);
  EXPECT_EQ(first.expires_at_epoch_ms, 1500u);
  At(1499);
  EXPECT_THAT(Pending(), IsEmpty());
  At(1500);
  EXPECT_THAT(Pending(), ElementsAre(a));
  const QueuedWorkClaim second = *Take(1, 500);
  EXPECT_EQ(second.fencing_token, 2u);
  const auto stale = Settle(first);
  ASSERT_NE(ErrorOf<QueuedWorkClaimExpired>(stale), nullptr);
  EXPECT_EQ(*ErrorOf<QueuedWorkClaimExpired>(stale), (QueuedWorkClaimExpired{"s", first.claim_id}));
  EXPECT_TRUE(Settle(second).has_value());
}

TEST_F(SlipStoreTest, Example3ClaimWithTtlZeroSettlesLate) {
  Lane();
  Add(Draft());
  const QueuedWorkClaim claim = *Take(1, 0);
  EXPECT_EQ(claim.expires_at_epoch_ms, 1000u);
  At(9000);
  EXPECT_TRUE(Settle(claim).has_value());
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(SlipStoreTest, Example4LapsedClaimIsRenewedUnlessTaken) {
  Lane();
  Add(Draft());
  const QueuedWorkClaim claim = *Take(1, 500);
  At(2000);
  QueuedWorkClaim expected = claim;
  expected.expires_at_epoch_ms = 3000;
  EXPECT_EQ(*Renew(claim, 1000), expected);
  EXPECT_THAT(Pending(), IsEmpty());
  At(3000);
  const QueuedWorkClaim other = *Take(1, 500);
  EXPECT_NE(ErrorOf<QueuedWorkClaimExpired>(Renew(claim, 1000)), nullptr);
  EXPECT_TRUE(Settle(other).has_value());
}

TEST_F(SlipStoreTest, Example5CommandBlocksTurnWorkUntilClaimed) {
  Lane();
  const std::string c = Add(CommandDraft());
  const std::string d = Add(Draft());
  EXPECT_THAT(TakeIds(10), IsEmpty());
  EXPECT_THAT(IdsOf((**TakeCommand()).batches), ElementsAre(c));
  EXPECT_THAT(TakeIds(10), ElementsAre(d));
}

TEST_F(SlipStoreTest, Example6BoundaryGatesTheHead) {
  Lane();
  QueuedWorkBatchDraft late = Draft();
  late.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  const std::string d1 = Add(late);
  const std::string d2 = Add(Draft());
  EXPECT_EQ(Take(10, 60000, QueuedWorkClaimBoundary::kActiveTurnCheckpoint), std::nullopt);
  EXPECT_THAT(TakeIds(10), ElementsAre(d1));
  EXPECT_THAT(IdsOf(Take(10, 60000, QueuedWorkClaimBoundary::kActiveTurnCheckpoint)->batches), ElementsAre(d2));
}

TEST_F(SlipStoreTest, Example7RunsOfEqualMergeKeys) {
  Lane();
  const std::string a = Add(Draft(SlotPolicy::kJoin, "g")), b = Add(Draft(SlotPolicy::kJoin, "g"));
  const std::string c = Add(Draft(SlotPolicy::kJoin, "h")), d = Add(Draft(SlotPolicy::kJoin, "g"));
  Abandon(*Take(1));
  EXPECT_THAT(TakeIds(10), ElementsAre(a, b));
  EXPECT_THAT(TakeIds(10), ElementsAre(c));
  EXPECT_THAT(TakeIds(10), ElementsAre(d));
}

TEST_F(SlipStoreTest, Example8NonCandidatesDoNotEndARun) {
  Lane();
  QueuedWorkBatchDraft deferred = Draft();
  deferred.available_at_ms = 2000;
  const std::string a = Add(Draft(SlotPolicy::kJoin, "g"));
  Add(deferred);
  const std::string c = Add(Draft(SlotPolicy::kJoin, "g"));
  const QueuedWorkClaim both = *Take(10);
  EXPECT_THAT(IdsOf(both.batches), ElementsAre(a, c));
  Abandon(both);
  At(2000);
  EXPECT_THAT(TakeIds(10), ElementsAre(a));
}

TEST_F(SlipStoreTest, Example9ByIdsNeverSkipsAndAsksInOrder) {
  Lane();
  const std::string a = Add(Draft()), b = Add(Draft());
  EXPECT_THAT(TakeByIds({b}), IsEmpty());
  EXPECT_THAT(Pending(), ElementsAre(a, b));
  EXPECT_THAT(TakeByIds({a}), ElementsAre(a));
  ASSERT_TRUE(Cancel(b).has_value());
  const std::string c = Add(Draft(SlotPolicy::kJoin, "g")), d = Add(Draft(SlotPolicy::kJoin, "g"));
  EXPECT_THAT(TakeByIds({d, c}), IsEmpty());
  EXPECT_THAT(TakeByIds({c}), ElementsAre(c));
}

TEST_F(SlipStoreTest, Example10ZeroBeforeTheFence) {
  EXPECT_EQ(*TryTake(0), std::nullopt);
  EXPECT_NE(ErrorOf<SessionExecutionLeaseExpired>(TryTake(1)), nullptr);
}

TEST_F(SlipStoreTest, Example11FailedRenewChangesNothing) {
  Lane();
  const std::string a = Add(Draft(SlotPolicy::kJoin)), b = Add(Draft(SlotPolicy::kJoin));
  const QueuedWorkClaim claim = *Take(2, 0);
  ASSERT_EQ(Cancel(a)->batch_id, a);
  EXPECT_NE(ErrorOf<QueuedWorkClaimExpired>(Renew(claim, 60000)), nullptr);
  EXPECT_THAT(Pending(), ElementsAre(b));
  EXPECT_THAT(TakeIds(10), ElementsAre(b));
}

TEST_F(SlipStoreTest, Example12GroupTakesItsLargestCounter) {
  Lane();
  const std::string a = Add(Draft(SlotPolicy::kJoin)), b = Add(Draft(SlotPolicy::kJoin));
  for (int i = 0; i < 5; ++i) Abandon(*Take(1));
  const QueuedWorkClaim both = *Take(2);
  EXPECT_EQ(both.fencing_token, 6u);
  Abandon(both);
  ASSERT_TRUE(Cancel(a).has_value());
  const QueuedWorkClaim rest = *Take(2);
  EXPECT_THAT(IdsOf(rest.batches), ElementsAre(b));
  EXPECT_EQ(rest.fencing_token, 7u);
}

TEST_F(SlipStoreTest, Example13OneBadCompletionSpoilsTheCommit) {
  Lane();
  const std::string a = Add(Draft()), b = Add(Draft());
  const QueuedWorkCompletion c1 = CompletionOf(*Take(1)), c2 = CompletionOf(*Take(1));
  QueuedWorkCompletion bad = c2;
  bad.lease_token = "wrong";
  EXPECT_NE(ErrorOf<QueuedWorkClaimExpired>(Commit(CommitOf({c1, bad}))), nullptr);
  EXPECT_THAT(List(), ElementsAre(a, b));
  EXPECT_EQ(*store_->LoadSession({}), std::nullopt);
  EXPECT_EQ(Commit(CommitOf({c1, c2}))->head_revision, 1u);
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(SlipStoreTest, Example14StampReplaysWithoutALane) {
  Lane();
  RuntimeCommit commit = CommitOf({});
  commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  commit.release_session_execution_lease = ReleaseOf(lane_);
  const Result<RuntimeCommitResult> first = Commit(commit);
  EXPECT_EQ(first->head_revision, 1u);
  EXPECT_EQ(Lane(Owner("Y")).fencing_token, 2u);
  commit.session_execution_lease.reset();
  EXPECT_EQ(*Commit(commit), *first);
  commit.turn_commit->turn_commit_hash = "other";
  EXPECT_NE(ErrorOf<RuntimeTurnCommitConflict>(Commit(commit)), nullptr);
}

TEST_F(SlipStoreTest, Example15HeadConflictTouchesNothing) {
  Lane();
  Add(Draft());
  RuntimeCommit commit = CommitOf({});
  commit.expected_head_revision = 0;
  EXPECT_EQ(Commit(commit)->head_revision, 1u);
  commit.completed_queue_claims = {CompletionOf(*Take(1))};
  const auto conflict = Commit(commit);
  ASSERT_NE(ErrorOf<HeadRevisionConflict>(conflict), nullptr);
  EXPECT_EQ(*ErrorOf<HeadRevisionConflict>(conflict), (HeadRevisionConflict{0, 1}));
  commit.expected_head_revision = 1;
  EXPECT_EQ(Commit(commit)->head_revision, 2u);
}

TEST_F(SlipStoreTest, Example16LaneChangesHandsAtItsExpiry) {
  At(0);
  const SessionExecutionLease x = Lane(Owner("X"), 100);
  At(99);
  EXPECT_EQ(std::get<LeaseBusy>(Try(Owner("Y"), 100)).holder, x);
  At(100);
  const SessionExecutionLease y = std::get<LeaseAcquired>(Try(Owner("Y"), 100)).lease;
  EXPECT_EQ(y.fencing_token, 2u);
  EXPECT_TRUE(store_->ReleaseSessionExecutionLease({ReleaseOf(x)}).has_value());
  EXPECT_EQ(std::get<LeaseBusy>(Try(Owner("X"), 100)).holder, y);
  EXPECT_NE(ErrorOf<SessionExecutionLeaseExpired>(store_->RenewSessionExecutionLease({FenceOf(x), 100})), nullptr);
  EXPECT_NE(ErrorOf<SessionExecutionLeaseExpired>(TryTake(1)), nullptr);
}

TEST_F(SlipStoreTest, Example17ReentryIsForTheSameIncarnation) {
  At(0);
  const SessionExecutionLease first = Lane(Owner("X", "i1"), 100);
  At(5);
  SessionExecutionLease expected = first;
  expected.expires_at_epoch_ms = 15;
  EXPECT_EQ(Lane(Owner("X", "i1"), 10), expected);
  At(6);
  EXPECT_TRUE(std::holds_alternative<LeaseBusy>(Try(Owner("X", "i2"), 10)));
  At(15);
  EXPECT_NE(ErrorOf<SessionExecutionLeaseExpired>(store_->RenewSessionExecutionLease({FenceOf(first), 10})), nullptr);
}

TEST_F(SlipStoreTest, Example18ReclaimFromADeadHolder) {
  const SessionExecutionLease x = Lane(Process("X", kDeadPid));
  const auto reclaim = [&](const LeaseOwnerIdentity& owner) {
    return *store_->ReclaimSessionExecutionLease({"s", owner, FenceOf(x), 1000});
  };
  EXPECT_TRUE(std::holds_alternative<LeaseBusy>(Try(Process("Y", 1), 1000)));
  EXPECT_TRUE(std::holds_alternative<LeaseBusy>(reclaim(Owner("opaque"))));
  const auto taken = reclaim(Process("Y", 1));
  EXPECT_EQ(std::get<LeaseAcquired>(taken).lease.fencing_token, 2u);
  EXPECT_EQ(std::get<LeaseBusy>(reclaim(Process("Z", 1))).holder.owner.owner_id, "Y");
}

TEST_F(SlipStoreTest, Example19ClaimOutlivesItsLane) {
  const SessionExecutionLease x = Lane(Owner("X"));
  const std::string a = Add(Draft());
  const QueuedWorkClaim claim = *Take(1);
  ASSERT_TRUE(store_->ReleaseSessionExecutionLease({ReleaseOf(x)}).has_value());
  Lane(Owner("Y"));
  EXPECT_THAT(TakeIds(1), IsEmpty());
  EXPECT_EQ(Cancel(a), std::nullopt);
  EXPECT_TRUE(Settle(claim).has_value());
}

TEST_F(SlipStoreTest, Example20ClasslessBatchFailsClaimsUntilCancelled) {
  Lane();
  QueuedWorkBatchDraft mixed = Draft();
  mixed.payloads.push_back(SessionCommand{{"{}"}});
  const std::string m = Add(mixed);
  const std::string a = Add(Draft());
  EXPECT_NE(ErrorOf<Backend>(TryTake(1)), nullptr);
  EXPECT_NE(ErrorOf<Backend>(TakeCommand()), nullptr);
  EXPECT_EQ(Cancel(m)->batch_id, m);
  EXPECT_THAT(TakeIds(1), ElementsAre(a));
}

TEST_F(SlipStoreTest, ExpiriesSaturate) {
  Lane();
  Add(Draft());
  EXPECT_EQ(Take(1, kEndOfTime)->expires_at_epoch_ms, kEndOfTime);
}

TEST_F(SlipStoreTest, DiskBringsEverythingBack) {
  Disk disk;
  Open({}, &disk);
  Lane();
  const std::string a = Add(Draft()), b = Add(Draft());
  const QueuedWorkClaim claim = *Take(1);
  RuntimeCommit commit = CommitOf({CompletionOf(claim)});
  commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  const Result<RuntimeCommitResult> result = Commit(commit);
  const QueuedWorkClaim second = *Take(1);
  disk.EndLife();
  Open({}, &disk);
  EXPECT_THAT(List(), ElementsAre(b));
  EXPECT_THAT(Pending(), IsEmpty());
  EXPECT_EQ(*Commit(commit), *result);
  EXPECT_TRUE(Settle(second).has_value());
  EXPECT_EQ(std::get<LeaseBusy>(Try(Owner("Y"), 1)).holder, lane_);
}

TEST_F(SlipStoreTest, WritesOfAnEndedLifeAreLost) {
  Disk disk;
  Open({}, &disk);
  const std::string a = Add(Draft());
  disk.EndLife();
  Add(Draft());
  Open({}, &disk);
  EXPECT_THAT(List(), ElementsAre(a));
}

// A pause hook that makes one call of its own in the middle of another.
class CallInBetween final : public PauseHook {
 public:
  void Pause(absl::string_view) override {
    ++pauses;
    if (auto now = std::exchange(call, nullptr)) now();
  }
  std::function<void()> call;
  int pauses = 0;
};

TEST(RaceSlip, GrantsTwiceOnlyIfACallComesInBetween) {
  ManualClock clock(1000);
  FixedLiveness liveness;
  CallInBetween between;
  SlipStore store({&clock, &liveness, &between}, {.slip = Slip::kRaceSelectThenMark});
  const auto lane = std::get<LeaseAcquired>(*store.TryClaimSessionExecutionLease({"s", Owner("X"), 60000})).lease;
  QueuedWorkBatchDraft draft;
  draft.session_id = "s";
  draft.payloads = {ProcessWake{}};
  const auto take = [&] {
    return *store.ClaimReadyQueuedWork({"s", FenceOf(lane), Owner("X"), QueuedWorkClaimBoundary::kIdle, 60000, 1});
  };
  store.EnqueueQueuedWork({draft}).value();
  ASSERT_TRUE(take().has_value());
  EXPECT_FALSE(take().has_value());
  store.EnqueueQueuedWork({draft}).value();
  std::optional<QueuedWorkClaim> inner;
  between.call = [&] { inner = take(); };
  const std::optional<QueuedWorkClaim> outer = take();
  ASSERT_TRUE(inner.has_value() && outer.has_value());
  EXPECT_EQ(IdsOf(inner->batches), IdsOf(outer->batches));
  EXPECT_GT(between.pauses, 2);
}

TEST(Catalogue, EveryNameIsThereOnce) {
  std::set<std::string> names;
  for (const AnyMutant& mutant : AllMutants()) {
    EXPECT_TRUE(names.emplace(mutant.name).second) << mutant.name << " is there twice";
    EXPECT_FALSE(mutant.sentence.empty()) << mutant.name;
  }
}

TEST(Catalogue, EveryMutantNamesClausesThatExist) {
  for (const PersistenceMutant& mutant : PersistenceMutants()) {
    EXPECT_NE(mutant.clauses[0], nullptr) << mutant.name;
    for (const char* clause : mutant.clauses) {
      EXPECT_TRUE(clause == nullptr ||
                  FindClause(runtime_persistence::kClauses, clause) < std::size(runtime_persistence::kClauses))
          << mutant.name << ": " << clause;
    }
  }
  for (const Mutant& mutant : Mutants()) {
    EXPECT_FALSE(mutant.ClauseIds().empty()) << mutant.name;
    std::vector<std::string> clauses = mutant.ClauseIds();
    for (const char* clause : ClausesOf(mutant.trail)) clauses.push_back(clause);
    for (const std::string& clause : clauses) {
      EXPECT_LT(FindClause(session_store::kClauses, clause), std::size(session_store::kClauses)) << mutant.name << ": " << clause;
    }
  }
}

// The published table is made by a command that takes long; here, that it is of these mutants.
TEST(Catalogue, ThePublishedTableHasEveryMutant) {
  std::ifstream file(absl::StrCat(LEASECHECK_SOURCE_DIR, "/docs/MUTANTS.md"));
  const std::string table(std::istreambuf_iterator<char>(file), {});
  for (const AnyMutant& mutant : AllMutants()) {
    EXPECT_NE(table.find(absl::StrCat("| ", mutant.name, " | ", mutant.sentence, " |")), std::string::npos) << mutant.name;
  }
}

// That a slip changes what the store does is shown by the kill; that the store asks for it at all, by its sources.
TEST(Catalogue, TheStoreAsksForEverySlip) {
  std::string sources;
  for (const char* name : {"slip_store.cc", "slip_store_claims.cc", "slip_store_commit.cc", "slip_store_input_claims.cc",
                           "slip_store_inputs.cc", "slip_store_lane.cc"}) {
    std::ifstream file(absl::StrCat(LEASECHECK_SOURCE_DIR, "/tests/mutants/", name));
    sources.append(std::istreambuf_iterator<char>(file), {});
  }
  std::ifstream header(absl::StrCat(LEASECHECK_SOURCE_DIR, "/tests/mutants/slip_store.h"));
  std::string line;
  int slips = 0;
  bool in_enumeration = false;
  while (std::getline(header, line)) {
    if (line == "enum class Slip {") in_enumeration = true;
    if (line == "};") in_enumeration = false;
    if (!in_enumeration || line.rfind("  k", 0) != 0 || line == "  kNone,") continue;
    const std::string slip = line.substr(2, line.find_first_of(",  ", 2) - 2);
    if (slip == "kCount") continue;
    ++slips;
    EXPECT_NE(sources.find(absl::StrCat("Slip::", slip)), std::string::npos) << slip;
  }
  EXPECT_EQ(slips, Mutants().size());
}

}  // namespace
}  // namespace leasecheck::mutants
