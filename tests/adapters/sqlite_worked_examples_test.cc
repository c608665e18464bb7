// The worked examples of queued-work.md, section 6, against the SQLite store: in memory, in a file, in a file with the shared
// clock, and in a file that is closed and opened again before every call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/adapters/sqlite_fixture.h"

namespace leasecheck::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

enum class Where { kMemory, kFile, kSharedClock, kReopened };

class WorkedExamples : public ::testing::TestWithParam<Where> {
 protected:
  WorkedExamples()
      : options_{.path = GetParam() == Where::kMemory ? ":memory:" : folder_.File("queue.db"),
                 .connections = GetParam() == Where::kMemory ? 1 : 2,
                 .environment = {.clock = &clock_, .liveness = &liveness_},
                 .clock_in_database = GetParam() == Where::kSharedClock} {
    At(1000);
  }

  // The store; another opening of it at every use where the parameter says so.
  SessionStore& store() {
    if (store_ == nullptr || GetParam() == Where::kReopened) {
      store_.reset();
      auto store = SessionStore::Open(options_);
      if (!store.ok()) ADD_FAILURE() << store.status();
      store_ = *std::move(store);
    }
    return *store_;
  }
  void At(EpochMs now) {
    if (GetParam() == Where::kSharedClock) {
      EXPECT_TRUE(store().SetClock(now).ok());
    } else {
      clock_.Set(now);
    }
  }
  static ss::QueuedWorkClaimExpired Expired(const ss::QueuedWorkClaim& claim) { return {"s", claim.claim_id}; }

  Folder folder_;
  ManualClock clock_;
  FixedLiveness liveness_;
  const SessionStore::Options options_;
  std::unique_ptr<SessionStore> store_;
  Caller s_{[this]() -> ss::SessionStore& { return store(); }};
  const ss::LeaseOwnerIdentity x_ = Owner("X");
  const ss::LeaseOwnerIdentity y_ = Owner("Y");
};

TEST_P(WorkedExamples, E1_SourceKeys) {
  ss::QueuedWorkBatchDraft draft = Draft();
  draft.source_key = "k";
  ss::QueuedWorkBatch a = s_.Enqueue(draft);
  At(1001);
  draft.payloads = {Wake("other"), Wake("more")};
  EXPECT_EQ(s_.Enqueue(draft), a);
  auto lane = s_.Lane(x_);
  auto claim = s_.Claim(lane);
  ASSERT_THAT(Caller::Ids(claim), ElementsAre(a.batch_id));
  EXPECT_EQ(s_.Enqueue(draft), a) << "a claimed batch keeps its key";
  ASSERT_TRUE(s_.Settle(lane, {**claim}).has_value());
  ss::QueuedWorkBatch b = s_.Enqueue(draft);
  EXPECT_NE(b.batch_id, a.batch_id);
  EXPECT_GT(b.enqueue_seq, a.enqueue_seq);
  EXPECT_EQ(b.items.size(), 2u);
}

TEST_P(WorkedExamples, E2_ExpiryIsLapsed) {
  std::string a = s_.Enqueue().batch_id;
  auto lane = s_.Lane(x_, 60000);
  EXPECT_EQ(lane.fencing_token, 1u);
  auto first = s_.Claim(lane, 1, 500);
  ASSERT_THAT(Caller::Ids(first), ElementsAre(a));
  EXPECT_EQ((*first)->fencing_token, 1u);
  EXPECT_EQ((*first)->claimed_at_epoch_ms, 1000u);
  EXPECT_EQ((*first)->expires_at_epoch_ms, 1500u);
  At(1499);
  EXPECT_THAT(s_.Pending(), IsEmpty());
  EXPECT_EQ(s_.Cancel(a), std::nullopt);
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), IsEmpty());
  At(1500);
  EXPECT_THAT(s_.Pending(), ElementsAre(a));
  auto second = s_.Claim(lane);
  ASSERT_THAT(Caller::Ids(second), ElementsAre(a));
  EXPECT_EQ((*second)->fencing_token, 2u);
  EXPECT_TRUE(Is(s_.Settle(lane, {**first}), Expired(**first)));
  EXPECT_TRUE(s_.Settle(lane, {**second}).has_value());
}

TEST_P(WorkedExamples, E3_TtlZeroStillSettles) {
  s_.Enqueue();
  auto claim = s_.Claim(s_.Lane(x_, 100), 1, 0);
  ASSERT_TRUE(claim.has_value() && claim->has_value());
  EXPECT_EQ((*claim)->expires_at_epoch_ms, 1000u);
  At(9000);
  EXPECT_TRUE(s_.Settle(s_.Lane(x_), {**claim}).has_value());
  EXPECT_THAT(s_.List(), IsEmpty());
}

TEST_P(WorkedExamples, E4_RenewOfALapsedClaim) {
  std::string a = s_.Enqueue().batch_id;
  auto lane = s_.Lane(x_);
  auto claim = s_.Claim(lane, 1, 500);
  ASSERT_THAT(Caller::Ids(claim), ElementsAre(a));
  At(2000);
  auto renewed = s_.Renew(**claim, 1000);
  ASSERT_TRUE(renewed.has_value());
  ss::QueuedWorkClaim expected = **claim;
  expected.expires_at_epoch_ms = 3000;
  EXPECT_EQ(*renewed, expected);
  EXPECT_THAT(s_.Pending(), IsEmpty());
  At(3600);
  auto taken = s_.ClaimFor(y_, lane);
  ASSERT_THAT(Caller::Ids(taken), ElementsAre(a));
  EXPECT_TRUE(Is(s_.Renew(**claim, 1000), Expired(**claim)));
  EXPECT_TRUE(s_.Settle(lane, {**taken}).has_value());
}

TEST_P(WorkedExamples, E5_CommandsLead) {
  std::string c = s_.Enqueue(Draft({Command()})).batch_id;
  std::string d = s_.Enqueue().batch_id;
  auto lane = s_.Lane(x_);
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), IsEmpty());
  EXPECT_THAT(Caller::Ids(s_.ClaimCommand(lane)), ElementsAre(c));
  EXPECT_THAT(Caller::Ids(s_.ClaimCommand(lane)), IsEmpty());
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), ElementsAre(d));
}

TEST_P(WorkedExamples, E6_Boundaries) {
  ss::QueuedWorkBatchDraft late = Draft();
  late.delivery_policy = ss::DeliveryPolicy::kAfterCurrentTurnCommit;
  std::string d1 = s_.Enqueue(late).batch_id;
  std::string d2 = s_.Enqueue().batch_id;
  auto lane = s_.Lane(x_);
  auto checkpoint = ss::QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  EXPECT_THAT(Caller::Ids(s_.Claim(lane, 10, 60000, checkpoint)), IsEmpty());
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), ElementsAre(d1));
  EXPECT_THAT(Caller::Ids(s_.Claim(lane, 10, 60000, checkpoint)), ElementsAre(d2));
}

TEST_P(WorkedExamples, E7_Groups) {
  std::string a = s_.Enqueue(Join("g")).batch_id, b = s_.Enqueue(Join("g")).batch_id;
  std::string c = s_.Enqueue(Join("h")).batch_id, d = s_.Enqueue(Join("g")).batch_id;
  auto lane = s_.Lane(x_);
  auto one = s_.Claim(lane, 1);
  EXPECT_THAT(Caller::Ids(one), ElementsAre(a));
  s_.Abandon(**one);
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), ElementsAre(a, b));
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), ElementsAre(c));
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), ElementsAre(d));
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), IsEmpty());
}

TEST_P(WorkedExamples, E8_OnlyCandidatesEndARun) {
  ss::QueuedWorkBatchDraft deferred = Draft();
  deferred.available_at_ms = 2000;
  std::string a = s_.Enqueue(Join("g")).batch_id;
  std::string b = s_.Enqueue(deferred).batch_id;
  std::string c = s_.Enqueue(Join("g")).batch_id;
  auto lane = s_.Lane(x_, std::numeric_limits<uint64_t>::max());
  auto claim = s_.Claim(lane);
  ASSERT_THAT(Caller::Ids(claim), ElementsAre(a, c)) << "deferred";
  At(2000);
  auto second = s_.Claim(lane);
  ASSERT_THAT(Caller::Ids(second), ElementsAre(b));
  s_.Abandon(**claim);
  claim = s_.Claim(lane);
  ASSERT_THAT(Caller::Ids(claim), ElementsAre(a, c)) << "live-claimed";
  s_.Abandon(**claim);
  s_.Abandon(**second);
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), ElementsAre(a)) << "pending and exclusive";
}

TEST_P(WorkedExamples, E9_ByIds) {
  std::string a = s_.Enqueue().batch_id, b = s_.Enqueue().batch_id;
  auto lane = s_.Lane(x_);
  EXPECT_THAT(Caller::Ids(s_.ClaimIds(lane, {b})), IsEmpty());
  EXPECT_THAT(s_.Pending(), ElementsAre(a, b));
  EXPECT_THAT(Caller::Ids(s_.ClaimIds(lane, {a})), ElementsAre(a));
  EXPECT_THAT(Caller::Ids(s_.ClaimIds(lane, {b})), ElementsAre(b));
  std::string c = s_.Enqueue(Join("g")).batch_id, d = s_.Enqueue(Join("g")).batch_id;
  EXPECT_THAT(Caller::Ids(s_.ClaimIds(lane, {d, c})), IsEmpty());
  EXPECT_THAT(Caller::Ids(s_.ClaimIds(lane, {c, c})), IsEmpty());
  EXPECT_THAT(Caller::Ids(s_.ClaimIds(lane, {c, "nobody"})), IsEmpty());
  auto both = s_.ClaimIds(lane, {c, d});
  ASSERT_THAT(Caller::Ids(both), ElementsAre(c, d));
  s_.Abandon(**both);
  EXPECT_THAT(Caller::Ids(s_.ClaimIds(lane, {c})), ElementsAre(c));
}

TEST_P(WorkedExamples, E10_NothingAskedFor) {
  s_.Enqueue();
  ss::SessionExecutionLease garbage{.session_id = "s", .owner = x_, .lease_token = "none", .fencing_token = 9};
  EXPECT_THAT(Caller::Ids(s_.Claim(garbage, 0)), IsEmpty());
  EXPECT_THAT(Caller::Ids(s_.ClaimIds(garbage, {})), IsEmpty());
  EXPECT_TRUE(Is(s_.Claim(garbage, 1), ss::SessionExecutionLeaseExpired{"s"}));
  EXPECT_TRUE(Is(s_.ClaimCommand(garbage), ss::SessionExecutionLeaseExpired{"s"}));
}

TEST_P(WorkedExamples, E11_RenewOfHalfAClaimChangesNothing) {
  std::string a = s_.Enqueue(Join("g")).batch_id, b = s_.Enqueue(Join("g")).batch_id;
  auto lane = s_.Lane(x_);
  auto claim = s_.Claim(lane, 10, 0);
  ASSERT_THAT(Caller::Ids(claim), ElementsAre(a, b));
  ASSERT_TRUE(s_.Cancel(a).has_value());
  EXPECT_TRUE(Is(s_.Renew(**claim, 60000), Expired(**claim)));
  EXPECT_THAT(s_.Pending(), ElementsAre(b));
  EXPECT_THAT(Caller::Ids(s_.ClaimFor(y_, lane)), ElementsAre(b));
}

TEST_P(WorkedExamples, E12_TheTokenIsAboveEveryCounterOfTheGroup) {
  std::string a = s_.Enqueue(Join("g")).batch_id, b = s_.Enqueue(Join("g")).batch_id;
  auto lane = s_.Lane(x_);
  for (uint64_t i = 1; i <= 5; ++i) {
    auto claim = s_.Claim(lane, 1);
    ASSERT_THAT(Caller::Ids(claim), ElementsAre(a));
    EXPECT_EQ((*claim)->fencing_token, i);
    s_.Abandon(**claim);
  }
  auto group = s_.Claim(lane, 2);
  ASSERT_THAT(Caller::Ids(group), ElementsAre(a, b));
  EXPECT_EQ((*group)->fencing_token, 6u);
  s_.Abandon(**group);
  ASSERT_TRUE(s_.Cancel(a).has_value());
  auto rest = s_.Claim(lane);
  ASSERT_THAT(Caller::Ids(rest), ElementsAre(b));
  EXPECT_EQ((*rest)->fencing_token, 7u);
}

TEST_P(WorkedExamples, E13_ACommitIsAllOrNothing) {
  std::string a = s_.Enqueue().batch_id, b = s_.Enqueue().batch_id;
  auto lane = s_.Lane(x_);
  auto c1 = s_.Claim(lane), c2 = s_.Claim(lane);
  ss::RuntimeCommit commit = Caller::Settling(lane, {**c1, **c2});
  commit.completed_queue_claims[1].lease_token = "wrong";
  EXPECT_TRUE(Is(s_.Commit(commit), Expired(**c2)));
  EXPECT_THAT(s_.List(), ElementsAre(a, b));
  EXPECT_EQ(*store().LoadSession({}), std::nullopt);
  auto settled = s_.Settle(lane, {**c1, **c2});
  ASSERT_TRUE(settled.has_value());
  EXPECT_EQ(settled->head_revision, 1u);
  EXPECT_THAT(s_.List(), IsEmpty());
  EXPECT_TRUE(Is(s_.Settle(lane, {**c1}), Expired(**c1)));
}

TEST_P(WorkedExamples, E14_Stamps) {
  auto lane = s_.Lane(x_);
  ss::RuntimeCommit commit = Caller::Settling(lane, {});
  commit.turn_commit = ss::RuntimeTurnCommitStamp{"s", "t", "h"};
  commit.release_session_execution_lease = ss::ReleaseOf(lane);
  commit.body = {"{\"graph\":1}"};
  auto first = s_.Commit(commit);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->head_revision, 1u);
  auto next = s_.Lane(y_);
  EXPECT_EQ(next.fencing_token, 2u) << "the lane was freed";
  ss::RuntimeCommit retry = commit;
  retry.session_execution_lease.reset();
  retry.release_session_execution_lease = ss::ReleaseOf(next);
  EXPECT_EQ(*s_.Commit(retry), *first);
  EXPECT_EQ(s_.Lane(x_).fencing_token, 3u) << "a replay honours its release";
  retry.turn_commit->turn_commit_hash = "h'";
  EXPECT_TRUE(Is(s_.Commit(retry), ss::RuntimeTurnCommitConflict{"s", "t"}));
  ss::RuntimeCommit foreign = commit;
  foreign.turn_commit->session_id = "other";
  EXPECT_TRUE(Is(s_.Commit(foreign), ss::RuntimeTurnCommitConflict{"other", "t"}));
  ss::RuntimeCommit elsewhere = commit;
  elsewhere.session_id = "other";
  EXPECT_TRUE(Is(s_.Commit(elsewhere), ss::SessionBindingMismatch{"s", "other"}));
  EXPECT_EQ(*store().LoadSession({}), (ss::LoadedSession{"s", 1, {"{\"graph\":1}"}}));
}

TEST_P(WorkedExamples, E15_HeadConflicts) {
  s_.Enqueue();
  auto lane = s_.Lane(x_);
  auto claim = s_.Claim(lane);
  ss::RuntimeCommit commit = Caller::Settling(lane, {});
  commit.expected_head_revision = 0;
  EXPECT_EQ(s_.Commit(commit)->head_revision, 1u);
  commit.completed_queue_claims = {ss::CompletionOf(**claim)};
  EXPECT_TRUE(Is(s_.Commit(commit), ss::HeadRevisionConflict{0, 1}));
  EXPECT_EQ(s_.List().size(), 1u);
  commit.expected_head_revision = 1;
  EXPECT_EQ(s_.Commit(commit)->head_revision, 2u);
  EXPECT_THAT(s_.List(), IsEmpty());
}

TEST_P(WorkedExamples, E16_LanesLapse) {
  At(0);
  auto first = s_.Lane(x_, 100);
  EXPECT_EQ(first.fencing_token, 1u);
  EXPECT_EQ(first.expires_at_epoch_ms, 100u);
  At(99);
  EXPECT_EQ(s_.Try(y_, 100), ss::SessionExecutionLeaseClaimOutcome(ss::LeaseBusy{first}));
  At(100);
  auto second = s_.Lane(y_, 100);
  EXPECT_EQ(second.fencing_token, 2u);
  EXPECT_TRUE(store().ReleaseSessionExecutionLease({ss::ReleaseOf(first)}).has_value());
  EXPECT_EQ(s_.Try(x_, 100), ss::SessionExecutionLeaseClaimOutcome(ss::LeaseBusy{second}));
  EXPECT_TRUE(Is(store().RenewSessionExecutionLease({ss::FenceOf(first), 100}), ss::SessionExecutionLeaseExpired{"s"}));
  EXPECT_TRUE(Is(s_.Claim(first), ss::SessionExecutionLeaseExpired{"s"}));
  EXPECT_TRUE(store().ReleaseSessionExecutionLease({ss::ReleaseOf(second)}).has_value());
  EXPECT_TRUE(Is(store().RenewSessionExecutionLease({ss::FenceOf(second), 100}), ss::SessionExecutionLeaseExpired{"s"}));
  EXPECT_EQ(s_.Lane(x_).fencing_token, 3u);
}

TEST_P(WorkedExamples, E17_ReEntry) {
  At(0);
  auto first = s_.Lane(x_, 100);
  At(5);
  auto again = s_.Lane(x_, 10);
  ss::SessionExecutionLease expected = first;
  expected.expires_at_epoch_ms = 15;
  EXPECT_EQ(again, expected);
  At(6);
  ss::LeaseOwnerIdentity other = x_;
  other.incarnation_id = "X-2";
  EXPECT_EQ(s_.Try(other, 10), ss::SessionExecutionLeaseClaimOutcome(ss::LeaseBusy{again}));
  At(15);
  EXPECT_TRUE(Is(store().RenewSessionExecutionLease({ss::FenceOf(again), 10}), ss::SessionExecutionLeaseExpired{"s"}));
  EXPECT_EQ(s_.Lane(x_, 10).fencing_token, 2u);
}

TEST_P(WorkedExamples, E18_DeadHolders) {
  auto dead = Process("X", kDeadPid), y = Process("Y", 1), z = Process("Z", 1);
  auto lane = s_.Lane(dead);
  EXPECT_EQ(s_.Try(y, 100), ss::SessionExecutionLeaseClaimOutcome(ss::LeaseBusy{lane}));
  EXPECT_EQ(*store().ReclaimSessionExecutionLease({"s", y_, ss::FenceOf(lane), 100}),
            ss::SessionExecutionLeaseClaimOutcome(ss::LeaseBusy{lane}))
      << "an opaque claimant knows nothing";
  auto reclaimed = store().ReclaimSessionExecutionLease({"s", y, ss::FenceOf(lane), 60000});
  ASSERT_TRUE(reclaimed.has_value() && std::holds_alternative<ss::LeaseAcquired>(*reclaimed));
  auto second = std::get<ss::LeaseAcquired>(*reclaimed).lease;
  EXPECT_EQ(second.fencing_token, 2u);
  EXPECT_EQ(*store().ReclaimSessionExecutionLease({"s", z, ss::FenceOf(lane), 100}),
            ss::SessionExecutionLeaseClaimOutcome(ss::LeaseBusy{second}));
}

TEST_P(WorkedExamples, E18b_DeadClaimants) {
  auto dead = Process("X", kDeadPid), y = Process("Y", 1);
  std::string a = s_.Enqueue().batch_id, b = s_.Enqueue().batch_id, c = s_.Enqueue().batch_id;
  auto lane = s_.Lane(y);
  auto kept = s_.Claim(lane);
  ASSERT_THAT(Caller::Ids(kept), ElementsAre(a));
  auto lost = s_.ClaimFor(dead, lane);
  ASSERT_THAT(Caller::Ids(lost), ElementsAre(b));
  EXPECT_THAT(s_.Pending(), ElementsAre(c));
  EXPECT_EQ(s_.Cancel(b), std::nullopt);
  EXPECT_THAT(Caller::Ids(s_.ClaimFor(y_, lane)), ElementsAre(c)) << "an opaque claimant waits for the expiry";
  auto taken = s_.ClaimFor(y, lane);
  ASSERT_THAT(Caller::Ids(taken), ElementsAre(b));
  EXPECT_EQ((*taken)->fencing_token, 2u);
  EXPECT_TRUE(Is(s_.Renew(**lost, 1000), Expired(**lost)));
}

TEST_P(WorkedExamples, E19_AClaimOutlivesItsLane) {
  std::string a = s_.Enqueue().batch_id;
  auto lane = s_.Lane(x_);
  auto claim = s_.Claim(lane);
  ASSERT_TRUE(store().ReleaseSessionExecutionLease({ss::ReleaseOf(lane)}).has_value());
  auto next = s_.Lane(y_);
  EXPECT_THAT(Caller::Ids(s_.Claim(next)), IsEmpty());
  EXPECT_EQ(s_.Cancel(a), std::nullopt);
  EXPECT_TRUE(s_.Settle(next, {**claim}).has_value());
}

TEST_P(WorkedExamples, E20_ClasslessBatches) {
  std::string d = s_.Enqueue().batch_id;
  std::string m = s_.Enqueue(Draft({Wake(), Command()})).batch_id;
  std::string none = s_.Enqueue(Draft({})).batch_id;
  auto lane = s_.Lane(x_);
  EXPECT_TRUE(Is(s_.Claim(lane), ss::Backend{}));
  EXPECT_TRUE(Is(s_.ClaimCommand(lane), ss::Backend{}));
  ASSERT_TRUE(s_.Cancel(m).has_value());
  EXPECT_TRUE(Is(s_.ClaimIds(lane, {d}), ss::Backend{}));
  EXPECT_THAT(s_.List(), ElementsAre(d, none));
  ASSERT_TRUE(s_.Cancel(none).has_value());
  EXPECT_THAT(Caller::Ids(s_.Claim(lane)), ElementsAre(d));
}

TEST_P(WorkedExamples, CompletionsInPartAndTwice) {
  std::string a = s_.Enqueue(Join("g")).batch_id, b = s_.Enqueue(Join("g")).batch_id;
  auto lane = s_.Lane(x_);
  auto claim = s_.Claim(lane);
  ss::RuntimeCommit commit = Caller::Settling(lane, {**claim});
  commit.completed_queue_claims[0].batch_ids = {a, a};
  EXPECT_TRUE(Is(s_.Commit(commit), Expired(**claim)));
  EXPECT_TRUE(Is(s_.Settle(lane, {**claim, **claim}), Expired(**claim)));
  commit.completed_queue_claims[0].batch_ids = {a};
  commit.completed_queue_claims[0].session_id = "other";
  EXPECT_TRUE(Is(s_.Commit(commit), ss::QueuedWorkClaimExpired{"other", (*claim)->claim_id}));
  EXPECT_THAT(s_.List(), ElementsAre(a, b));
  commit.completed_queue_claims[0] = {"s", "bogus", "bogus", {}};
  EXPECT_TRUE(s_.Commit(commit).has_value());
  commit.completed_queue_claims[0] = {"s", (*claim)->claim_id, (*claim)->lease_token, {b}};
  EXPECT_TRUE(s_.Commit(commit).has_value());
  EXPECT_THAT(s_.List(), ElementsAre(a));
  EXPECT_THAT(s_.Pending(), IsEmpty());
  EXPECT_TRUE(Is(s_.Renew(**claim, 1), Expired(**claim)));
  ss::QueuedWorkClaim rest = **claim;
  rest.batches.pop_back();
  EXPECT_TRUE(s_.Renew(rest, 1).has_value());
  rest.batches.clear();
  EXPECT_TRUE(Is(s_.Renew(rest, 1), Expired(**claim)));
}

std::string NameOf(const ::testing::TestParamInfo<Where>& where) {
  switch (where.param) {
    case Where::kMemory:
      return "Memory";
    case Where::kFile:
      return "File";
    case Where::kSharedClock:
      return "SharedClock";
    case Where::kReopened:
      return "Reopened";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(Everywhere, WorkedExamples,
                         ::testing::Values(Where::kMemory, Where::kFile, Where::kSharedClock, Where::kReopened), NameOf);

}  // namespace
}  // namespace leasecheck::sqlite
