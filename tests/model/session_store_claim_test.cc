// Claims, renewals and abandons against the spec.
#include "tests/model/session_store_scene.h"

namespace leasecheck::session_store {
namespace {

class ClaimSpec : public Scene {};

constexpr std::nullopt_t kNone = std::nullopt;

struct WrongClaim {
  const char* clause;
  std::function<void(QueuedWorkClaim&)> change;
};

TEST_F(ClaimSpec, GrantsSayWhatWasGranted) {
  const auto b1 = Put("b1");
  Hold();
  const QueuedWorkClaim right = Grant({b1});
  EXPECT_EQ(Peek(Work(), right), kAllowed);
  const WrongClaim wrong[] = {
      {"QW-CLM-10", [](QueuedWorkClaim& c) { c.session_id = "elsewhere"; }},
      {"QW-CLM-10", [](QueuedWorkClaim& c) { c.owner = Owner("y"); }},
      {"QW-CLM-10", [](QueuedWorkClaim& c) { c.owner.liveness = LocalProcessOwner{}; }},
      {"QW-CLM-10", [](QueuedWorkClaim& c) { c.claimed_at_epoch_ms = 999; }},
      {"QW-CLM-10", [](QueuedWorkClaim& c) { c.expires_at_epoch_ms = 1501; }},
      {"QW-CLM-10", [](QueuedWorkClaim& c) { c.fencing_token = 0; }},
      {"QW-CLM-10", [](QueuedWorkClaim& c) { c.batches.clear(); }},
      {"QW-CLM-11", [](QueuedWorkClaim& c) { c.batches[0].enqueue_seq = 5; }},
      {"QW-CLM-11", [](QueuedWorkClaim& c) { c.batches[0].items[0].payload = Command(); }},
      {"QW-INV-4", [](QueuedWorkClaim& c) { c.batches[0].batch_id = "b9"; }},
  };
  for (const WrongClaim& one : wrong) {
    QueuedWorkClaim claim = right;
    one.change(claim);
    EXPECT_EQ(Peek(Work(), claim), one.clause);
  }
  QueuedWorkClaim leaps = right;
  leaps.fencing_token = 40;  // QW-LAT-37
  EXPECT_EQ(Peek(Work(), leaps), kAllowed);
}

TEST_F(ClaimSpec, TheFenceMustBeTheLiveLane) {
  const auto b1 = Put("b1");
  const auto lease = Hold();
  SessionExecutionLeaseFence wrong_owner = FenceOf(lease);
  wrong_owner.owner.incarnation_id = "x2";
  SessionExecutionLeaseFence wrong_session = FenceOf(lease);
  wrong_session.session_id = "t";
  SessionExecutionLeaseFence wrong_token = FenceOf(lease);
  wrong_token.lease_token = "lane-0";
  SessionExecutionLeaseFence wrong_number = FenceOf(lease);
  wrong_number.fencing_token = 2;
  for (const auto& fence : {wrong_owner, wrong_session, wrong_token, wrong_number}) {
    auto work = Work();
    work.session_execution_lease = fence;
    EXPECT_EQ(Peek(work, Grant({b1})), "QW-CLM-2");
    EXPECT_EQ(Peek(work, kNone), "QW-CLM-2");
    EXPECT_EQ(PeekError(work, Backend{}), "QW-CLM-2");
    EXPECT_EQ(PeekError(work, SessionExecutionLeaseExpired{"other"}), "QW-CLM-2");
    EXPECT_EQ(PeekError(work, SessionExecutionLeaseExpired{"s"}), kAllowed);
    auto command = CommandClaim();
    command.session_execution_lease = fence;
    EXPECT_EQ(Peek(command, kNone), "QW-CMD-1");
    EXPECT_EQ(PeekError(command, SessionExecutionLeaseExpired{"s"}), kAllowed);
    auto ids = ByIds({"b1"});
    ids.session_execution_lease = fence;
    EXPECT_EQ(Peek(ids, Grant({b1})), "QW-IDS-6");
    EXPECT_EQ(PeekError(ids, SessionExecutionLeaseExpired{"s"}), kAllowed);
  }
  EXPECT_EQ(PeekError(Work(), SessionExecutionLeaseExpired{"s"}), "QW-CLM-2");
  EXPECT_EQ(PeekError(CommandClaim(), SessionExecutionLeaseExpired{"s"}), "QW-CMD-1");
  EXPECT_EQ(PeekError(ByIds({"b1"}), SessionExecutionLeaseExpired{"s"}), "QW-IDS-6");
  now = lease.expires_at_epoch_ms;
  EXPECT_EQ(Peek(Work(), Grant({b1})), "QW-CLM-2");
  now = 1000;
  Free();
  EXPECT_EQ(Peek(Work(), Grant({b1})), "QW-CLM-2");
  EXPECT_EQ(RefusedCount("QW-CLM-2"), 4u);
}

TEST_F(ClaimSpec, NothingAskedForIsNoneBeforeAnyCheck) {
  const auto b1 = Put("b1");
  EXPECT_EQ(Peek(Work(0), kNone), kAllowed);
  EXPECT_EQ(PeekError(Work(0), SessionExecutionLeaseExpired{"s"}), kAllowed);  // QW-LAT-20
  EXPECT_EQ(Peek(ByIds({}), kNone), kAllowed);
  Hold();
  EXPECT_EQ(Peek(Work(0), Grant({b1})), "QW-CLM-1");
  EXPECT_EQ(PeekError(Work(0), SessionExecutionLeaseExpired{"s"}), "QW-CLM-1");
  EXPECT_EQ(PeekError(Work(0), Backend{}), "QW-CLM-1");
  EXPECT_EQ(PeekError(ByIds({}), Backend{}), "QW-IDS-1");
  EXPECT_EQ(Peek(ByIds({}), Grant({})), "QW-IDS-1");
}

TEST_F(ClaimSpec, CommandsAndWorkWaitForEachOther) {
  const auto c1 = Put("c1", CommandDraft());
  const auto d2 = Put("d2");
  const auto c3 = Put("c3", CommandDraft());
  Hold();
  EXPECT_EQ(Judge(Work(), kNone), kAllowed);
  EXPECT_EQ(Peek(Work(), Grant({d2})), "QW-CLM-3");
  EXPECT_EQ(Peek(Work(), Grant({c1})), "QW-CLM-3");
  EXPECT_EQ(Peek(CommandClaim(), kNone), "QW-CMD-2");
  EXPECT_EQ(Peek(CommandClaim(), Grant({c1, d2})), "QW-CMD-4");
  EXPECT_EQ(Peek(CommandClaim(), Grant({c3})), "QW-INV-5");
  EXPECT_EQ(Judge(CommandClaim(), Grant({c1})), kAllowed);
  EXPECT_EQ(Judge(CommandClaim(), kNone), kAllowed);
  EXPECT_EQ(Peek(CommandClaim(), Grant({c3})), "QW-CMD-3");
  EXPECT_EQ(Peek(CommandClaim(), Grant({d2})), "QW-CMD-2");
  EXPECT_EQ(Judge(Work(), Grant({d2})), kAllowed);
  EXPECT_EQ(Peek(CommandClaim(), kNone), "QW-CMD-7");
  EXPECT_EQ(Judge(CommandClaim(), Grant({c3})), kAllowed);
  EXPECT_EQ(Judge(CommandClaim(), kNone), kAllowed);
  EXPECT_EQ(PeekError(CommandClaim(), Backend{}), "QW-CMD-6");
  EXPECT_EQ(RefusedCount("QW-CLM-3"), 1u);
  EXPECT_EQ(RefusedCount("QW-CMD-3"), 1u);
  EXPECT_EQ(HeldCount("QW-CMD-7"), 1u);
}

TEST_F(ClaimSpec, CommandsIgnoreTheDeliveryPolicy) {
  const auto c1 = Put("c1", AfterTurn(CommandDraft()));
  Hold();
  EXPECT_EQ(Peek(CommandClaim(), kNone), "QW-CMD-5");
  EXPECT_EQ(Judge(CommandClaim(), Grant({c1})), kAllowed);
  EXPECT_EQ(HeldCount("QW-CMD-5"), 1u);
}

TEST_F(ClaimSpec, CheckpointsAdmitTheEarliestSafeBoundaryOnly) {
  const auto d1 = Put("d1", AfterTurn());
  const auto d2 = Put("d2");
  Hold();
  EXPECT_EQ(Judge(AtCheckpoint(), kNone), kAllowed);
  EXPECT_EQ(Peek(AtCheckpoint(), Grant({d1})), "QW-CLM-4");
  EXPECT_EQ(Peek(AtCheckpoint(), Grant({d2})), "QW-CLM-4");
  EXPECT_EQ(PeekError(AtCheckpoint(), Backend{}), "QW-CLM-4");
  EXPECT_EQ(Peek(Work(), kNone), "QW-CLM-5");
  EXPECT_EQ(Judge(Work(), Grant({d1})), kAllowed);
  EXPECT_EQ(Judge(AtCheckpoint(), Grant({d2})), kAllowed);
  const auto d3 = Put("d3");
  (void)d3;
  Claim({d3});
  EXPECT_EQ(HeldCount("QW-CLM-4"), 1u);
  EXPECT_EQ(RefusedCount("QW-CLM-4"), 1u);
  EXPECT_EQ(HeldCount("QW-CLM-5"), 1u);
}

TEST_F(ClaimSpec, NoneAtACheckpointIsRefusedForTheBoundary) {
  Put("d1");
  Hold();
  EXPECT_EQ(Peek(AtCheckpoint(), kNone), "QW-CLM-4");
}

TEST_F(ClaimSpec, GroupsAreTheLongestRun) {
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  const auto c = Put("c", JoinDraft("h"));
  const auto d = Put("d", JoinDraft());
  Hold();
  EXPECT_EQ(Peek(Work(10), Grant({a})), "QW-CLM-7");
  EXPECT_EQ(Peek(Work(10), Grant({a, b, c})), "QW-CLM-7");
  EXPECT_EQ(Peek(Work(10), Grant({a, b, d})), "QW-CLM-7");
  EXPECT_EQ(Peek(Work(10), Grant({b, a})), "QW-INV-5");
  EXPECT_EQ(Peek(Work(10), Grant({b})), "QW-INV-5");
  EXPECT_EQ(Peek(Work(1), Grant({a, b})), "QW-CLM-7");
  EXPECT_EQ(Peek(Work(1), Grant({a})), kAllowed);
  EXPECT_EQ(Peek(Work(10), kNone), "QW-INV-18");
  EXPECT_EQ(PeekError(Work(10), Backend{}), "QW-INV-18");
  EXPECT_EQ(Judge(Work(10), Grant({a, b})), kAllowed);
  EXPECT_EQ(Judge(Work(10), Grant({c})), kAllowed);
  EXPECT_EQ(Judge(Work(10), Grant({d})), kAllowed);
  EXPECT_EQ(Judge(Work(10), kNone), kAllowed);
  EXPECT_EQ(HeldCount("QW-INV-7"), 1u);
}

TEST_F(ClaimSpec, EachDifferenceEndsAGroup) {
  const QueuedWorkBatchDraft others[] = {AfterTurn(JoinDraft()), JoinDraft("h"), Draft(), CommandDraft(), [] {
                                           QueuedWorkBatchDraft draft = JoinDraft();
                                           draft.merge_key = MergePayloadDefault{};
                                           return draft;
                                         }()};
  for (const QueuedWorkBatchDraft& other : others) {
    state = SpecState();
    lane_fencing = 0;
    const auto a = Put(absl::StrCat("a", seq), JoinDraft());
    const auto b = Put(absl::StrCat("b", seq), other);
    Hold();
    EXPECT_EQ(Peek(Work(10), Grant({a, b})), "QW-CLM-7");
    EXPECT_EQ(Judge(Work(10), Grant({a})), kAllowed);
  }
}

TEST_F(ClaimSpec, AnExclusiveHeadIsGrantedAlone) {
  const auto a = Put("a");
  const auto b = Put("b", JoinDraft());
  Hold();
  EXPECT_EQ(Peek(Work(10), Grant({a, b})), "QW-CLM-6");
  EXPECT_EQ(Judge(Work(10), Grant({a})), kAllowed);
  EXPECT_EQ(HeldCount("QW-CLM-6"), 1u);
}

TEST_F(ClaimSpec, BatchesThatAreNoCandidatesDoNotEndAGroup) {
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", Deferred(9000, JoinDraft()));
  const auto c = Put("c", JoinDraft());
  Hold();
  EXPECT_EQ(Peek(Work(10), Grant({a})), "QW-CLM-8");
  EXPECT_EQ(Peek(Work(10), Grant({a, b, c})), "QW-CLM-9");
  EXPECT_EQ(Judge(Work(10), Grant({a, c})), kAllowed);
  EXPECT_EQ(HeldCount("QW-CLM-8"), 1u);
}

TEST_F(ClaimSpec, BatchesAreReadyFromTheirInstantOn) {
  const auto a = Put("a", Deferred(2000));
  const auto b = Put("b");
  Hold();
  now = 1999;
  EXPECT_EQ(Peek(Work(), Grant({a})), "QW-CLM-9");
  EXPECT_EQ(Peek(Work(), kNone), "QW-CLM-9");
  const auto claim = Grant({b});
  EXPECT_EQ(Judge(Work(), claim), kAllowed);
  EXPECT_EQ(Judge(Work(), kNone), kAllowed);
  now = 2000;
  EXPECT_EQ(Peek(Work(), kNone), "QW-CLM-9");
  EXPECT_EQ(Judge(Work(), Grant({a})), kAllowed);
  EXPECT_GE(HeldCount("QW-CLM-9"), 2u);
  EXPECT_EQ(RefusedCount("QW-CLM-9"), 1u);
}

TEST_F(ClaimSpec, LiveClaimsKeepOthersAndTheirOwnerAway) {
  const auto a = Put("a");
  const auto lease = Hold();
  Claim({a});
  EXPECT_EQ(Peek(Work(), Grant({a}, 2)), "QW-CLM-16");
  EXPECT_EQ(Judge(Work(), kNone), kAllowed);
  EXPECT_EQ(RefusedCount("QW-CLM-16"), 1u);
  auto other = Work();
  other.owner = Owner("y");
  auto grant = Grant({a}, 2);
  grant.owner = other.owner;
  EXPECT_EQ(Peek(other, grant), "QW-CLM-15");
  EXPECT_EQ(Judge(other, kNone), kAllowed);
  EXPECT_EQ(RefusedCount("QW-CLM-15"), 1u);
  const auto b = Put("b");
  EXPECT_EQ(Peek(Work(), kNone), "QW-CLM-21");
  Claim({b});
  EXPECT_EQ(HeldCount("QW-CLM-21"), 1u);
}

TEST_F(ClaimSpec, LapsedClaimsAreRetakenWithALargerToken) {
  const auto a = Put("a");
  Hold();
  const auto old = Claim({a}, 3);
  now = 1500;
  EXPECT_EQ(Peek(Work(), kNone), "QW-CLM-14");
  EXPECT_EQ(Peek(Work(), Grant({a}, 3)), "QW-CLM-14");
  auto repeated = Grant({a}, 4);
  repeated.lease_token = old.lease_token;
  EXPECT_EQ(Peek(Work(), repeated), "QW-CLM-10");
  Claim({a}, 4);
  EXPECT_EQ(HeldCount("QW-CLM-14"), 1u);
  EXPECT_EQ(HeldCount("QW-INV-18"), 1u);
}

TEST_F(ClaimSpec, OnlyDeadHoldersLoseALiveClaim) {
  const auto a = Put("a");
  Hold(DeadOwner("x"));
  Claim({a});
  auto work = Work();
  work.owner = AliveOwner("y");
  auto grant = Grant({a}, 2);
  grant.owner = work.owner;
  EXPECT_EQ(Peek(work, kNone), "QW-CLM-15");
  auto same = grant;
  same.fencing_token = 1;
  EXPECT_EQ(Peek(work, same), "QW-CLM-15");
  auto far = work;
  std::get<LocalProcessOwner>(far.owner.liveness).host_id = "elsewhere";
  EXPECT_EQ(Peek(far, kNone), kAllowed);
  EXPECT_EQ(Judge(work, grant), kAllowed);
  EXPECT_EQ(HeldCount("QW-CLM-15"), 1u);
  now = 1001;
  auto back = Work();
  back.owner = DeadOwner("z");
  EXPECT_EQ(Judge(back, kNone), kAllowed);  // the new holder lives
}

TEST_F(ClaimSpec, ZeroTtlGrantsALapsedClaim) {
  const auto a = Put("a");
  Hold();
  auto wrong = Grant({a}, 1, 0);
  wrong.expires_at_epoch_ms = 1001;
  EXPECT_EQ(Peek(Work(1, 0), wrong), "QW-CLM-12");
  const auto claim = Claim({a}, 1, 0);
  EXPECT_EQ(Pending({a}), kAllowed);
  now = 9000;
  auto renewed = claim;
  renewed.expires_at_epoch_ms = 9500;
  EXPECT_EQ(Judge(RenewQueuedWorkClaimRequest{claim, 500}, renewed), kAllowed);
  EXPECT_EQ(Pending({}), kAllowed);
  EXPECT_GE(HeldCount("QW-CLM-12"), 1u);
}

TEST_F(ClaimSpec, HugeTtlsSaturateOrAreRefused) {
  const auto a = Put("a");
  Hold();
  EXPECT_EQ(PeekError(Work(1, kEndOfTime), Backend{}), kAllowed);  // QW-LAT-13
  auto wrapped = Grant({a}, 1, kEndOfTime);
  wrapped.expires_at_epoch_ms = 999;
  EXPECT_EQ(Peek(Work(1, kEndOfTime), wrapped), "QW-CLM-13");
  Claim({a}, 1, kEndOfTime);
  now = kMaxVirtualTime;
  const auto lease = Hold(Owner("y"));
  EXPECT_EQ(Peek(Work(), Grant({a}, 2)), "QW-CLM-13");
  EXPECT_EQ(Judge(Work(), kNone), kAllowed);
  EXPECT_EQ(HeldCount("QW-CLM-13"), 1u);
}

TEST_F(ClaimSpec, ClasslessCandidatesFailClaims) {
  const auto m = Put("m", Classless());
  const auto a = Put("a");
  Hold();
  EXPECT_EQ(JudgeError(Work(), Backend{}), kAllowed);
  EXPECT_EQ(JudgeError(CommandClaim(), Backend{}), kAllowed);
  EXPECT_EQ(JudgeError(ByIds({"m"}), Backend{}), kAllowed);
  EXPECT_EQ(Peek(Work(), kNone), "QW-CLM-17");
  EXPECT_EQ(Peek(Work(), Grant({a})), "QW-CLM-17");
  EXPECT_EQ(Peek(Work(), Grant({m})), "QW-CLM-17");
  EXPECT_EQ(Peek(ByIds({"a"}), kNone), "QW-CLM-17");
  EXPECT_EQ(RefusedCount("QW-CLM-17"), 3u);
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "m"}, m), kAllowed);
  EXPECT_EQ(PeekError(Work(), Backend{}), "QW-INV-18");
  Claim({a});
}

TEST_F(ClaimSpec, AClasslessBatchBehindTheHeadMayFailClaims) {  // QW-LAT-12
  const auto a = Put("a", JoinDraft());
  const auto m = Put("m", Classless());
  Hold();
  EXPECT_EQ(PeekError(Work(), Backend{}), kAllowed);
  EXPECT_EQ(Peek(Work(), kNone), "QW-CLM-17");
  EXPECT_EQ(Peek(Work(), Grant({a, m})), "QW-CLM-7");
  EXPECT_EQ(Peek(Work(), Grant({a})), kAllowed);
}

TEST_F(ClaimSpec, AClasslessBatchThatIsNoCandidateDisturbsNothing) {
  Put("m", [] {
    QueuedWorkBatchDraft draft = Classless();
    draft.available_at_ms = 9000;
    return draft;
  }());
  const auto a = Put("a");
  Hold();
  EXPECT_EQ(PeekError(Work(), Backend{}), "QW-CLM-17");
  Claim({a});
}

TEST_F(ClaimSpec, TheOwnerArgumentIsRecorded) {
  const auto a = Put("a");
  Hold();
  auto work = Work();
  work.owner = Owner("y");
  EXPECT_EQ(Peek(work, Grant({a})), "QW-CLM-19");  // the fence's owner
  auto grant = Grant({a});
  grant.owner = Owner("y");
  EXPECT_EQ(Judge(work, grant), kAllowed);
  EXPECT_EQ(HeldCount("QW-CLM-19"), 1u);
  EXPECT_EQ(Judge(Work(), kNone), kAllowed);
}

TEST_F(ClaimSpec, OtherSessionsAreNeverTouched) {
  const EnqueueQueuedWorkRequest elsewhere{Draft("t")};
  const auto t1 = BatchFrom(elsewhere.batch, "t1", ++seq, now);
  EXPECT_EQ(Judge(elsewhere, t1), kAllowed);
  Hold();
  EXPECT_EQ(Peek(Work(), Grant({t1})), "QW-CLM-20");
  EXPECT_EQ(Judge(Work(), kNone), kAllowed);
  Claim({Put("a")});
  EXPECT_EQ(HeldCount("QW-CLM-20"), 1u);
  EXPECT_EQ(PeekError(Work(), Backend{}), "QW-INV-5");
}

TEST_F(ClaimSpec, FencingTokensAreComparedPerHead) {  // QW-LAT-24, worked example 12
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  Hold();
  for (uint64_t fencing = 1; fencing <= 5; ++fencing) Abandon(Claim({a}, fencing));
  EXPECT_EQ(Peek(Work(), kNone), "QW-ABN-1");
  EXPECT_EQ(Peek(Work(), Grant({a, b}, 5)), "QW-ABN-4");
  Abandon(Claim({a, b}, 6));
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "a"}, a), kAllowed);
  EXPECT_EQ(Peek(Work(), Grant({b}, 7)), kAllowed);
  EXPECT_EQ(Peek(Work(), Grant({b}, 2)), kAllowed);
  Abandon(Claim({b}, 2));
  EXPECT_EQ(Peek(Work(), Grant({b}, 2)), "QW-ABN-4");
  EXPECT_EQ(HeldCount("QW-ABN-4"), 5u);
}

TEST_F(ClaimSpec, ByIdsGrantsExactlyTheNextGroup) {
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  Put("c");
  Hold();
  EXPECT_EQ(Peek(ByIds({"a"}), kNone), "QW-IDS-4");
  EXPECT_EQ(Peek(ByIds({"a"}), Grant({a, b})), "QW-CLM-7");
  EXPECT_EQ(Peek(ByIds({"a", "b"}), kNone), "QW-IDS-2");
  EXPECT_EQ(Peek(ByIds({"b", "a"}), Grant({a, b})), "QW-IDS-2");
  EXPECT_EQ(Peek(ByIds({"b", "a"}), Grant({b, a})), "QW-IDS-3");
  EXPECT_EQ(Peek(ByIds({"b"}), Grant({b})), "QW-IDS-3");
  for (const auto& ids : std::vector<std::vector<std::string>>{{"b"}, {"b", "a"}, {"a", "a"}, {"a", "b", "c"}, {"z"}, {"c"}}) {
    EXPECT_EQ(Judge(ByIds(ids), kNone), kAllowed);
  }
  EXPECT_EQ(Pending({a, b, state.Find("s")->rows[2].stored->batch}), kAllowed);
  EXPECT_EQ(RefusedCount("QW-IDS-3"), 3u);
  EXPECT_EQ(RefusedCount("QW-IDS-5"), 3u);
  EXPECT_EQ(Peek(ByIds({"a"}), Grant({a})), kAllowed);
  EXPECT_EQ(HeldCount("QW-IDS-4"), 1u);
  EXPECT_EQ(Judge(ByIds({"a", "b"}), Grant({a, b})), kAllowed);
}

TEST_F(ClaimSpec, ByIdsObeysClassAndBoundary) {
  const auto c = Put("c", CommandDraft());
  const auto a = Put("a", AfterTurn());
  Hold();
  EXPECT_EQ(Judge(ByIds({"c"}), kNone), kAllowed);
  EXPECT_EQ(Peek(ByIds({"c"}), Grant({c})), "QW-IDS-5");
  EXPECT_EQ(Peek(ByIds({"a"}), Grant({a})), "QW-IDS-3");
  EXPECT_EQ(PeekError(ByIds({"a"}), Backend{}), "QW-IDS-5");
  EXPECT_EQ(Judge(CommandClaim(), Grant({c})), kAllowed);
  auto checkpoint = ByIds({"a"});
  checkpoint.boundary = QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  EXPECT_EQ(Peek(checkpoint, Grant({a})), "QW-IDS-6");
  EXPECT_EQ(Judge(checkpoint, kNone), kAllowed);
  EXPECT_EQ(RefusedCount("QW-IDS-6"), 1u);
}

TEST_F(ClaimSpec, AMismatchMayLeaveLapsedClaimsStale) {  // QW-LAT-22
  const auto a = Put("a");
  Hold();
  const auto claim = Claim({a});
  now = 1500;
  EXPECT_EQ(Judge(ByIds({"z"}), kNone), kAllowed);
  ASSERT_EQ(alternatives.size(), 1u);
  const SpecState given_back = alternatives[0];
  auto renewed = claim;
  renewed.expires_at_epoch_ms = now + 100;
  EXPECT_EQ(Peek(RenewQueuedWorkClaimRequest{claim, 100}, renewed), kAllowed);
  state = given_back;
  EXPECT_EQ(Peek(RenewQueuedWorkClaimRequest{claim, 100}, renewed), "QW-REN-5");
  EXPECT_EQ(Peek(Work(), Grant({a}, 1)), "QW-ABN-4");  // counters may have risen and cannot have fallen
  EXPECT_EQ(Pending({a}), kAllowed);
}

TEST_F(ClaimSpec, ManyLiveClaimsHideNothing) {  // QW-LAT-11
  Hold();
  for (int i = 0; i < 40; ++i) Claim({Put(absl::StrCat("a", i))}, 1, 60000);
  const auto last = Put("last");
  EXPECT_EQ(Peek(Work(1), kNone), "QW-INV-18");
  EXPECT_EQ(Judge(Work(1), Grant({last})), kAllowed);
}

// Renew and abandon.

TEST_F(ClaimSpec, RenewMovesTheExpiryAndNothingElse) {
  const auto a = Put("a");
  Hold();
  const auto claim = Claim({a});
  now = 1100;
  auto right = claim;
  right.expires_at_epoch_ms = 2100;
  const RenewQueuedWorkClaimRequest request{claim, 1000};
  EXPECT_EQ(Peek(request, right), kAllowed);
  const WrongClaim wrong[] = {
      {"QW-REN-1", [](QueuedWorkClaim& c) { c.expires_at_epoch_ms = 1500; }},
      {"QW-REN-2", [](QueuedWorkClaim& c) { c.lease_token = "other"; }},
      {"QW-REN-2", [](QueuedWorkClaim& c) { c.claim_id = "other"; }},
      {"QW-REN-2", [](QueuedWorkClaim& c) { c.claimed_at_epoch_ms = 1100; }},
      {"QW-REN-2", [](QueuedWorkClaim& c) { c.batches.clear(); }},
      {"QW-REN-2", [](QueuedWorkClaim& c) { c.owner = Owner("y"); }},
      {"QW-REN-8", [](QueuedWorkClaim& c) { c.fencing_token = 2; }},
  };
  for (const WrongClaim& one : wrong) {
    auto renewed = right;
    one.change(renewed);
    EXPECT_EQ(Peek(request, renewed), one.clause);
  }
  auto unshortened = claim;
  EXPECT_EQ(Peek(RenewQueuedWorkClaimRequest{claim, 10}, unshortened), "QW-REN-7");
  EXPECT_EQ(PeekError(request, QueuedWorkClaimExpired{"s", claim.claim_id}), "QW-REN-1");
  Free();
  EXPECT_EQ(PeekError(request, SessionExecutionLeaseExpired{"s"}), "QW-REN-6");
  auto lapsed = claim;
  lapsed.expires_at_epoch_ms = 1100;
  EXPECT_EQ(Judge(RenewQueuedWorkClaimRequest{claim, 0}, lapsed), kAllowed);
  EXPECT_EQ(Pending({a}), kAllowed);
  EXPECT_EQ(HeldCount("QW-REN-7"), 1u);
  EXPECT_EQ(HeldCount("QW-REN-6"), 1u);
  EXPECT_EQ(HeldCount("QW-CLM-18"), 1u);
}

TEST_F(ClaimSpec, LapsedClaimsRenewUnlessTheDialectRefuses) {  // QW-LAT-8
  const auto a = Put("a");
  Hold();
  const auto claim = Claim({a});
  now = 2000;
  auto renewed = claim;
  renewed.expires_at_epoch_ms = 3000;
  const RenewQueuedWorkClaimRequest request{claim, 1000};
  EXPECT_EQ(PeekError(request, QueuedWorkClaimExpired{"s", claim.claim_id}), "QW-REN-4");
  EXPECT_EQ(Peek(request, renewed), kAllowed);
  EXPECT_EQ(HeldCount("QW-REN-4"), 1u);
  dialects["QW-LAT-8"] = "refuse";
  EXPECT_EQ(Peek(request, renewed), kAllowed);
  EXPECT_EQ(PeekError(request, QueuedWorkClaimExpired{"s", claim.claim_id}), kAllowed);
}

TEST_F(ClaimSpec, ClaimsThatLostTheirBatchesDoNotRenew) {
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  Hold();
  const auto claim = Claim({a, b});
  const RenewQueuedWorkClaimRequest request{claim, 60000};
  auto altered = request;
  altered.claim.lease_token = "forged";
  EXPECT_EQ(Peek(altered, altered.claim), "QW-REN-5");
  EXPECT_EQ(PeekError(altered, QueuedWorkClaimExpired{"s", claim.claim_id}), kAllowed);
  EXPECT_EQ(PeekError(altered, QueuedWorkClaimExpired{"s", "another"}), "QW-REN-5");
  auto half = request;
  half.claim.batches.pop_back();
  EXPECT_EQ(Peek(half, half.claim), "QW-REN-3");
  EXPECT_EQ(PeekError(half, QueuedWorkClaimExpired{"s", claim.claim_id}), kAllowed);
  now = 1500;
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "a"}, a), kAllowed);
  auto renewed = claim;
  renewed.expires_at_epoch_ms = 61500;
  EXPECT_EQ(Peek(request, renewed), "QW-CAN-4");
  EXPECT_EQ(JudgeError(request, QueuedWorkClaimExpired{"s", claim.claim_id}), kAllowed);
  EXPECT_EQ(RefusedCount("QW-CAN-4"), 1u);
  EXPECT_EQ(Pending({b}), kAllowed);  // QW-LAT-9: not extended
  EXPECT_EQ(Pending({}), "QW-PND-1");
  Claim({b}, 2);
  EXPECT_EQ(Peek(request, renewed), "QW-REN-5");
  EXPECT_EQ(JudgeError(request, QueuedWorkClaimExpired{"s", claim.claim_id}), kAllowed);
}

TEST_F(ClaimSpec, AnEmptyClaimValueRenewsOrNot) {  // QW-LAT-10
  QueuedWorkClaim empty;
  empty.session_id = "s";
  empty.claim_id = "none";
  auto renewed = empty;
  renewed.expires_at_epoch_ms = 1500;
  const SpecState before = state;
  EXPECT_EQ(Judge(RenewQueuedWorkClaimRequest{empty, 500}, renewed), kAllowed);
  EXPECT_TRUE(state == before);
  EXPECT_EQ(PeekError(RenewQueuedWorkClaimRequest{empty, 500}, QueuedWorkClaimExpired{"s", "none"}), kAllowed);
}

TEST_F(ClaimSpec, AbandonGivesBackWhatIsStillOwned) {
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  Hold();
  const auto first = Claim({a, b});
  EXPECT_EQ(PeekError(AbandonQueuedWorkClaimRequest{first}, Backend{}), "QW-ABN-1");
  auto altered = first;
  altered.lease_token = "forged";
  EXPECT_EQ(PeekError(AbandonQueuedWorkClaimRequest{altered}, QueuedWorkClaimExpired{"s", first.claim_id}), "QW-ABN-2");
  Abandon(altered);
  EXPECT_EQ(Pending({}), kAllowed);
  now = 1500;
  EXPECT_EQ(PeekError(AbandonQueuedWorkClaimRequest{first}, Backend{}), "QW-ABN-5");
  const auto second = Claim({a}, 2);  // max 1: b stays under the lapsed claim
  Abandon(first);
  EXPECT_EQ(Pending({b}), kAllowed);  // a newer claim is untouched
  EXPECT_EQ(HeldCount("QW-ABN-3"), 1u);
  Abandon(second);
  EXPECT_EQ(Pending({a, b}), kAllowed);
  Abandon(second);
  EXPECT_EQ(HeldCount("QW-ABN-1"), 2u);
  EXPECT_EQ(HeldCount("QW-ABN-2"), 2u);
  EXPECT_EQ(HeldCount("QW-ABN-5"), 1u);
}

}  // namespace
}  // namespace leasecheck::session_store
