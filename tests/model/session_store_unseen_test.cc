// Calls whose answer nobody saw, the transient of QW-LAT-22, and the spec's state as a value.
#include <algorithm>

#include "absl/hash/hash.h"
#include "tests/model/session_store_scene.h"

namespace leasecheck::session_store {
namespace {

class UnseenSpec : public Scene {
 protected:
  template <class R>
  void Lose(const R& request) {
    EXPECT_EQ(JudgeOutcome(Request(request), Unseen()), kAllowed);
  }
};

constexpr std::nullopt_t kNone = std::nullopt;

TEST_F(UnseenSpec, AnUnseenBatchIsBoundByItsFirstSight) {
  const auto a = Put("a");
  Lose(EnqueueQueuedWorkRequest{Draft()});
  const auto c = Put("c");  // seq 2
  EXPECT_EQ(List({a, c}), "QW-LST-1");
  EXPECT_EQ(List({a, BatchFrom(Draft(), "b", 2, now), c}), "QW-LST-1");  // c's number
  EXPECT_EQ(List({a, BatchFrom(Draft(), "b", 1, now), c}), "QW-LST-1");
  EXPECT_EQ(List({a, c, BatchFrom(Draft(), "b", 3, now)}), "QW-LST-1");  // it was enqueued before c
}

TEST_F(UnseenSpec, AnUnseenBatchKeepsWhatItsFirstSightShowed) {
  Lose(EnqueueQueuedWorkRequest{Draft()});
  const auto first = BatchFrom(Draft(), "b", 4, now);
  auto late = first;
  late.enqueued_at_ms = 1001;
  EXPECT_EQ(Pending({late}), "QW-PND-1");
  EXPECT_EQ(Pending({first}), kAllowed);
  EXPECT_EQ(List({BatchFrom(Draft(), "b2", 4, now)}), "QW-LST-1");
  EXPECT_EQ(List({first}), kAllowed);
  EXPECT_EQ(Peek(EnqueueQueuedWorkRequest{Draft()}, BatchFrom(Draft(), "c", 4, now)), "QW-ENQ-3");
}

TEST_F(UnseenSpec, TwoUnseenBatchesAreBoundInOrder) {
  Lose(EnqueueQueuedWorkRequest{Draft()});
  Lose(EnqueueQueuedWorkRequest{Draft()});
  const auto b1 = BatchFrom(Draft(), "b1", 1, now);
  const auto b2 = BatchFrom(Draft(), "b2", 2, now);
  EXPECT_EQ(List({b2, b1}), "QW-LST-1");
  EXPECT_EQ(List({b1, b1}), "QW-LST-1");
  EXPECT_EQ(List({b1}), "QW-LST-1");
  EXPECT_EQ(List({b1, b2}), kAllowed);
}

TEST_F(UnseenSpec, AKeyedReplayAndAGrantShowAnUnseenBatch) {
  Lose(EnqueueQueuedWorkRequest{Keyed("k")});
  const auto b1 = BatchFrom(Keyed("k"), "b1", 1, now);
  const SpecState unseen = state;
  now = 1001;
  EXPECT_EQ(Peek(EnqueueQueuedWorkRequest{Keyed("k")}, BatchFrom(Keyed("k"), "b1", 1, now)), "QW-ENQ-4");
  EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{Keyed("k")}, b1), kAllowed);
  EXPECT_EQ(List({b1}), kAllowed);
  state = unseen;
  Hold();
  EXPECT_EQ(Judge(Work(), Grant({b1})), kAllowed);
  EXPECT_EQ(List({b1}), kAllowed);
  Lose(EnqueueQueuedWorkRequest{Keyed("k")});  // a replay changes nothing
  EXPECT_EQ(List({b1}), kAllowed);
}

TEST_F(UnseenSpec, AnUnseenClaimHidesItsRowsUntilItLapses) {
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  Hold();
  Lose(Work(10, 500));
  EXPECT_EQ(Pending({a, b}), "QW-PND-1");
  EXPECT_EQ(Pending({}), kAllowed);
  EXPECT_EQ(Judge(Work(), kNone), kAllowed);
  now = 1500;
  EXPECT_EQ(Pending({a, b}), kAllowed);
  EXPECT_EQ(Peek(Work(), Grant({a, b}, 1)), "QW-CLM-14");  // the lost grant had at least 1
  EXPECT_EQ(Judge(Work(), Grant({a, b}, 2)), kAllowed);
}

TEST_F(UnseenSpec, UnseenClaimsThatCannotGrantChangeNothing) {
  Put("a");
  const SpecState before = state;
  Lose(Work());  // no lane
  Lose(ByIds({"a"}));
  Lose(Work(0));
  EXPECT_TRUE(state == before);
  EXPECT_TRUE(alternatives.empty());
}

TEST_F(UnseenSpec, AnUnseenClaimByIdsMayHaveStoppedHalfway) {
  const auto a = Put("a");
  Hold();
  Lose(ByIds({"z"}));
  ASSERT_EQ(alternatives.size(), 1u);
  const SpecState halfway = alternatives[0];  // taken, and never given back
  EXPECT_EQ(Pending({a}), kAllowed);
  state = halfway;
  EXPECT_EQ(Pending({}), kAllowed);
  now = 1500;
  EXPECT_EQ(Pending({a}), kAllowed);
  Lose(ByIds({"a"}));
  EXPECT_TRUE(alternatives.empty());
  EXPECT_EQ(Pending({}), kAllowed);
}

TEST_F(UnseenSpec, UnseenRenewalAbandonCancelAndRelease) {
  const auto a = Put("a");
  const auto b = Put("b");
  Hold();
  const auto claim = Claim({a});
  Lose(RenewQueuedWorkClaimRequest{claim, 5000});
  now = 3000;
  EXPECT_EQ(Pending({b}), kAllowed);
  Lose(AbandonQueuedWorkClaimRequest{claim});
  EXPECT_EQ(Pending({a, b}), kAllowed);
  Lose(CancelQueuedWorkBatchRequest{"s", "a"});
  EXPECT_EQ(List({b}), kAllowed);
  Lose(ReleaseSessionExecutionLeaseRequest{ReleaseOf(lane)});
  EXPECT_EQ(Peek(Work(), Grant({b})), "QW-CLM-2");
  Lose(ListQueuedWorkRequest{"s"});
  Lose(LoadSessionRequest{});
}

TEST_F(UnseenSpec, AnUnseenRenewalOfALapsedClaimGoesEitherWayUnderTheDialect) {
  const auto a = Put("a");
  Hold();
  const auto claim = Claim({a});
  now = 2000;
  dialects["QW-LAT-8"] = "refuse";
  Lose(RenewQueuedWorkClaimRequest{claim, 5000});
  ASSERT_EQ(alternatives.size(), 1u);
  const SpecState refused = alternatives[0];
  EXPECT_EQ(Pending({}), kAllowed);
  state = refused;
  EXPECT_EQ(Pending({a}), kAllowed);
}

TEST_F(UnseenSpec, AnUnseenLaneIsShownByBusyAndByReentry) {
  Lose(TryClaimSessionExecutionLeaseRequest{"s", Owner("x"), 100});
  const SpecState unseen = state;
  const SessionExecutionLease held{"s", Owner("x"), "t1", 3, 1000, 1100};
  EXPECT_EQ(Judge(TryClaimSessionExecutionLeaseRequest{"s", Owner("y"), 100}, LeaseBusy{held}), kAllowed);
  auto other = held;
  other.lease_token = "t2";
  EXPECT_EQ(Judge(TryClaimSessionExecutionLeaseRequest{"s", Owner("y"), 100}, LeaseBusy{other}), "EL-TRY-3");
  lane = held;
  EXPECT_EQ(Judge(Work(), kNone), kAllowed);
  state = unseen;
  now = 1050;
  auto again = held;
  again.expires_at_epoch_ms = 1250;
  EXPECT_EQ(Judge(TryClaimSessionExecutionLeaseRequest{"s", Owner("x"), 200}, LeaseAcquired{again}), kAllowed);
  EXPECT_EQ(Judge(Work(), kNone), kAllowed);
  state = unseen;
  auto zero = held;
  zero.fencing_token = 0;
  EXPECT_EQ(Judge(TryClaimSessionExecutionLeaseRequest{"s", Owner("y"), 100}, LeaseBusy{zero}), "EL-TRY-3");
  now = 1100;
  const SessionExecutionLease next{"s", Owner("y"), "t3", 2, 1100, 1200};
  EXPECT_EQ(Judge(TryClaimSessionExecutionLeaseRequest{"s", Owner("y"), 100}, LeaseAcquired{next}), kAllowed);
}

TEST_F(UnseenSpec, AnUnseenCommitIsReplayedWithWhateverItStored) {
  const auto a = Put("a");
  Hold();
  const auto claim = Claim({a});
  auto request = Commit({CompletionOf(claim)});
  request.commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  request.commit.release_session_execution_lease = ReleaseOf(lane);
  Lose(request);
  EXPECT_TRUE(alternatives.empty());
  EXPECT_EQ(List({}), kAllowed);
  EXPECT_EQ(Peek(request, Revision(2)), "SC-CMT-3");
  EXPECT_EQ(Judge(request, Revision(1)), kAllowed);
  auto other = Revision(1);
  other.manifest = {"1"};
  EXPECT_EQ(Judge(request, other), "SC-CMT-3");
  EXPECT_EQ(Judge(LoadSessionRequest{}, LoadedSession{"s", 1, request.commit.body}), kAllowed);
}

TEST_F(UnseenSpec, AnUnseenPartialCommitGoesEitherWay) {
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  Hold();
  const auto claim = Claim({a, b});
  auto half = CompletionOf(claim);
  half.batch_ids = {"a"};
  Lose(Commit({half}));
  ASSERT_EQ(alternatives.size(), 1u);
  const SpecState failed = alternatives[0];
  EXPECT_EQ(List({b}), kAllowed);
  state = failed;
  EXPECT_EQ(List({a, b}), kAllowed);
  half.lease_token = "forged";
  Lose(Commit({half}));
  EXPECT_TRUE(alternatives.empty());
  EXPECT_EQ(List({a, b}), kAllowed);
}

// QW-LAT-22 under concurrency.

class TransientSpec : public UnseenSpec {
 protected:
  void SetUp() override {
    a = Put("a");
    b = Put("b");
    Hold();
    overlap.calls = {{8, Work()}};
    call = 7;
  }
  QueuedWorkBatch a, b;
};

TEST_F(TransientSpec, OnlyAMismatchUnderOverlapHasTwoParts) {
  const Request ids = ByIds({"b"});
  const Outcome none = Answered<ClaimReadyQueuedWorkByBatchIdsRequest>(kNone);
  EXPECT_EQ(SpecUnderTest::Parts(ids, none, Context()), 2);
  EXPECT_EQ(SpecUnderTest::Parts(ids, Unseen(), Context()), 2);
  EXPECT_EQ(SpecUnderTest::Parts(ids, Answered<ClaimReadyQueuedWorkByBatchIdsRequest>(Grant({b})), Context()), 1);
  EXPECT_EQ(SpecUnderTest::Parts(ids, Failed(Backend{}), Context()), 1);
  EXPECT_EQ(SpecUnderTest::Parts(Work(), Answered<ClaimReadyQueuedWorkRequest>(kNone), Context()), 1);
  overlap.calls = {{8, ListQueuedWorkRequest{"t"}}};
  EXPECT_EQ(SpecUnderTest::Parts(ids, none, Context()), 1);
  overlap.calls.clear();
  EXPECT_EQ(SpecUnderTest::Parts(ids, none, Context()), 1);
}

TEST_F(TransientSpec, OthersMaySeeTheHeadAsClaimedInBetween) {
  EXPECT_EQ(Judge(ByIds({"b"}), kNone), kAllowed);
  ASSERT_EQ(alternatives.size(), 1u);
  const SpecState atomic = state;
  state = alternatives[0];
  call = 8;
  EXPECT_EQ(Judge(Work(), Grant({b})), kAllowed);  // a is hidden
  call = 7;
  part = 1;
  EXPECT_EQ(Judge(ByIds({"b"}), kNone), kAllowed);
  EXPECT_TRUE(alternatives.empty());
  EXPECT_EQ(Pending({a}), kAllowed);
  state = atomic;
  EXPECT_EQ(Judge(ByIds({"b"}), kNone), kAllowed);
  EXPECT_TRUE(state == atomic);
  part = 0;
  EXPECT_EQ(Judge(ByIds({"a"}), kNone), "QW-IDS-2");
}

TEST_F(TransientSpec, AnUnseenMismatchMayKeepWhatItTook) {
  Lose(ByIds({"b"}));
  ASSERT_EQ(alternatives.size(), 1u);
  state = alternatives[0];
  part = 1;
  Lose(ByIds({"b"}));
  ASSERT_EQ(alternatives.size(), 1u);
  const SpecState kept = alternatives[0];
  EXPECT_EQ(Pending({a, b}), kAllowed);
  state = kept;
  EXPECT_EQ(Pending({b}), kAllowed);
}

// The state as a value.

TEST_F(UnseenSpec, StatesAreEqualByValue) {
  const auto play = [&] {
    state = SpecState();
    seq = 0;
    serial = 0;
    lane_fencing = 0;
    const auto a = Put("a", Keyed("k"));
    Hold();
    const auto claim = Claim({a});
    auto request = Commit({CompletionOf(claim)});
    request.commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
    EXPECT_EQ(Judge(request, Revision(1)), kAllowed);
    const auto b = Put("b");
    Claim({b});
    return state;
  };
  const SpecState one = play();
  const SpecState two = play();
  EXPECT_TRUE(one == two);
  EXPECT_EQ(absl::HashOf(one), absl::HashOf(two));
  const SpecState copy = one;
  state = copy;
  Put("c");
  EXPECT_FALSE(state == one);
  EXPECT_NE(absl::HashOf(state), absl::HashOf(one));
  EXPECT_TRUE(copy == one);
}

TEST_F(UnseenSpec, EveryStepThatChangesSomethingChangesTheValue) {
  std::vector<SpecState> seen = {state};
  const auto changed = [&] {
    EXPECT_EQ(std::count(seen.begin(), seen.end(), state), 0) << SpecUnderTest::Describe(state, now);
    seen.push_back(state);
  };
  const auto a = Put("a");
  changed();
  Hold();
  changed();
  const auto claim = Claim({a});
  changed();
  auto renewed = claim;
  renewed.expires_at_epoch_ms = 3000;
  EXPECT_EQ(Judge(RenewQueuedWorkClaimRequest{claim, 2000}, renewed), kAllowed);
  changed();
  Abandon(claim);
  changed();
  Free();
  changed();
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "a"}, a), kAllowed);
  changed();
  Hold();
  EXPECT_EQ(Judge(Commit(), Revision(1)), kAllowed);
  changed();
}

TEST_F(UnseenSpec, DescribeAndDeadlinesShowTheState) {
  const auto a = Put("a", Keyed("k"));
  Put("b", Deferred(7000));
  Hold();
  Claim({a});
  auto request = Commit();
  request.commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  EXPECT_EQ(Judge(request, Revision(1)), kAllowed);
  const std::string text = SpecUnderTest::Describe(state, now);
  for (const char* piece : {"now 1000", "bound to session \"s\"", "\"a\" (seq 1)", "claimed by x/x1", "expires_at 1500",
                            "deferred until 7000", "lane held", "head_revision 1", "turn \"t\"", "key \"k\""}) {
    EXPECT_NE(text.find(piece), std::string::npos) << piece << " is missing in\n" << text;
  }
  std::vector<EpochMs> deadlines;
  SpecUnderTest::AppendDeadlines(state, &deadlines);
  std::sort(deadlines.begin(), deadlines.end());
  EXPECT_EQ(deadlines, (std::vector<EpochMs>{1500, 7000, 61000}));
}

TEST_F(UnseenSpec, ExplainSaysWhatWasExpected) {
  const auto a = Put("a");
  Hold();
  const std::string text = SpecUnderTest::Explain(state, Work(), Answered<ClaimReadyQueuedWorkRequest>(kNone), now, Context());
  EXPECT_NE(text.find("first batch is \"a\" (seq 1)"), std::string::npos) << text;
  EXPECT_NE(text.find("expires_at 1500"), std::string::npos) << text;
  EXPECT_NE(text.find("got none"), std::string::npos) << text;
}

TEST_F(UnseenSpec, PartitionKeysAndReportedInstants) {
  using Key = std::optional<std::string>;
  EXPECT_EQ(SpecUnderTest::PartitionKey(EnqueueQueuedWorkRequest{Draft("t")}), Key("t"));
  EXPECT_EQ(SpecUnderTest::PartitionKey(Work()), Key("s"));
  EXPECT_EQ(SpecUnderTest::PartitionKey(RenewQueuedWorkClaimRequest{Grant({}), 1}), Key("s"));
  EXPECT_EQ(SpecUnderTest::PartitionKey(ReleaseSessionExecutionLeaseRequest{ReleaseOf(lane)}), Key("s"));
  EXPECT_EQ(SpecUnderTest::PartitionKey(LoadSessionRequest{}), std::nullopt);
  auto commit = Commit();
  EXPECT_EQ(SpecUnderTest::PartitionKey(commit), Key("s"));
  auto foreign = lane;
  foreign.session_id = "t";
  commit.commit.release_session_execution_lease = ReleaseOf(foreign);
  EXPECT_EQ(SpecUnderTest::PartitionKey(commit), std::nullopt);

  using Instant = std::optional<EpochMs>;
  EXPECT_EQ(SpecUnderTest::ReportedInstant(Work(), Answered<ClaimReadyQueuedWorkRequest>(Grant({}))), Instant(1000));
  EXPECT_EQ(SpecUnderTest::ReportedInstant(Work(), Answered<ClaimReadyQueuedWorkRequest>(kNone)), std::nullopt);
  EXPECT_EQ(SpecUnderTest::ReportedInstant(Work(), Unseen()), std::nullopt);
  const auto claim = Grant({}, 1, 500);
  EXPECT_EQ(SpecUnderTest::ReportedInstant(RenewQueuedWorkClaimRequest{claim, 200}, Answered<RenewQueuedWorkClaimRequest>(claim)),
            Instant(1300));
  const SessionExecutionLease held{"s", Owner("x"), "t1", 3, 1, kEndOfTime};
  EXPECT_EQ(SpecUnderTest::ReportedInstant(TryClaimSessionExecutionLeaseRequest{"s", Owner("x"), 100},
                                           Answered<TryClaimSessionExecutionLeaseRequest>(LeaseAcquired{held})),
            std::nullopt);
  ASSERT_EQ(SpecUnderTest::DialectPoints().size(), 5u);
  EXPECT_EQ(SpecUnderTest::DialectPoints()[0].id, "QW-LAT-7");
  EXPECT_EQ(SpecUnderTest::DialectPoints()[0].words[0], "allow");
}

}  // namespace
}  // namespace leasecheck::session_store
