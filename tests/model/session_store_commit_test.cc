// The lane, the commit and load_session against the spec.
#include "tests/model/session_store_scene.h"

namespace leasecheck::session_store {
namespace {

class LaneSpec : public Scene {
 protected:
  TryClaimSessionExecutionLeaseRequest Try(const LeaseOwnerIdentity& owner, DurationMs ttl = 100) const {
    return {"s", owner, ttl};
  }
  ReclaimSessionExecutionLeaseRequest Reclaim(const LeaseOwnerIdentity& owner, const SessionExecutionLease& observed) const {
    return {"s", owner, FenceOf(observed), 100};
  }
  SessionExecutionLease Lease(const LeaseOwnerIdentity& owner, uint64_t fencing, DurationMs ttl = 100) {
    return {"s", owner, absl::StrCat("lane-", ++serial), fencing, now, SaturatingAdd(now, ttl)};
  }
};

struct WrongLease {
  const char* clause;
  std::function<void(SessionExecutionLease&)> change;
};

TEST_F(LaneSpec, AFreeLaneIsAcquired) {
  const auto right = Lease(Owner("x"), 1);
  EXPECT_EQ(Peek(Try(Owner("x")), LeaseAcquired{right}), kAllowed);
  const WrongLease wrong[] = {
      {"EL-TRY-1", [](SessionExecutionLease& l) { l.session_id = "elsewhere"; }},
      {"EL-TRY-1", [](SessionExecutionLease& l) { l.owner = Owner("y"); }},
      {"EL-TRY-1", [](SessionExecutionLease& l) { l.fencing_token = 0; }},
      {"EL-TRY-1", [](SessionExecutionLease& l) { l.claimed_at_epoch_ms = 1; }},
      {"EL-TRY-1", [](SessionExecutionLease& l) { l.expires_at_epoch_ms = 1101; }},
  };
  for (const WrongLease& one : wrong) {
    auto lease = right;
    one.change(lease);
    EXPECT_EQ(Peek(Try(Owner("x")), LeaseAcquired{lease}), one.clause);
  }
  EXPECT_EQ(Peek(Try(Owner("x")), LeaseBusy{right}), "EL-TRY-1");
  EXPECT_EQ(PeekError(Try(Owner("x")), Backend{}), "EL-TRY-1");
  EXPECT_EQ(PeekError(Try(Owner("x"), kEndOfTime), Backend{}), kAllowed);  // QW-LAT-13
}

TEST_F(LaneSpec, ALiveLaneIsBusyUntilTheInstantOfItsExpiry) {
  const auto held = Hold(Owner("x"), 100);
  now = 1099;
  EXPECT_EQ(Peek(Try(Owner("y")), LeaseAcquired{Lease(Owner("y"), 2)}), "EL-TRY-3");
  EXPECT_EQ(PeekError(Try(Owner("y")), SessionExecutionLeaseExpired{"s"}), "EL-TRY-3");
  auto stale = held;
  stale.expires_at_epoch_ms = 1;
  EXPECT_EQ(Peek(Try(Owner("y")), LeaseBusy{stale}), "EL-TRY-3");
  auto other_incarnation = Owner("x");
  other_incarnation.incarnation_id = "x2";
  EXPECT_EQ(Judge(Try(other_incarnation), LeaseBusy{held}), kAllowed);
  auto echoed = held;
  echoed.owner.liveness = LocalProcessOwner{};
  EXPECT_EQ(Judge(Try(Owner("y")), LeaseBusy{echoed}), kAllowed);  // QW-LAT-19
  now = 1100;
  EXPECT_EQ(Peek(Try(Owner("y")), LeaseBusy{held}), "EL-TRY-4");
  EXPECT_EQ(Peek(Try(Owner("y")), LeaseAcquired{Lease(Owner("y"), 1)}), "EL-TRY-1");
  EXPECT_EQ(Judge(Try(Owner("y")), LeaseAcquired{Lease(Owner("y"), 5)}), kAllowed);  // QW-LAT-37
  EXPECT_EQ(RefusedCount("EL-TRY-3"), 2u);
  EXPECT_EQ(HeldCount("EL-TRY-4"), 1u);
}

TEST_F(LaneSpec, TheHolderReentersItsLiveLane) {
  const auto held = Hold(Owner("x"), 100);
  now = 1005;
  auto again = held;
  again.expires_at_epoch_ms = 1015;
  EXPECT_EQ(Peek(Try(Owner("x"), 10), LeaseBusy{held}), "EL-TRY-2");
  EXPECT_EQ(Peek(Try(Owner("x"), 10), LeaseAcquired{held}), "EL-TRY-2");
  auto anew = again;
  anew.lease_token = "new";
  EXPECT_EQ(Peek(Try(Owner("x"), 10), LeaseAcquired{anew}), "EL-TRY-2");
  auto later = again;
  later.claimed_at_epoch_ms = 1005;
  EXPECT_EQ(Peek(Try(Owner("x"), 10), LeaseAcquired{later}), "EL-TRY-2");
  EXPECT_EQ(Judge(Try(Owner("x"), 10), LeaseAcquired{again}), kAllowed);
  now = 1015;
  auto revived = again;
  revived.expires_at_epoch_ms = 1025;
  EXPECT_EQ(Peek(Try(Owner("x"), 10), LeaseAcquired{revived}), "EL-TRY-7");
  EXPECT_EQ(Judge(Try(Owner("x"), 10), LeaseAcquired{Lease(Owner("x"), 2, 10)}), kAllowed);
  EXPECT_EQ(HeldCount("EL-TRY-2"), 1u);
  EXPECT_EQ(HeldCount("EL-TRY-7"), 1u);
}

TEST_F(LaneSpec, DeadHoldersLoseTheirLaneByReclaimOnly) {
  const auto held = Hold(DeadOwner("x"));
  const auto claimant = AliveOwner("y");
  EXPECT_EQ(Peek(Try(claimant), LeaseAcquired{Lease(claimant, 2)}), "EL-TRY-5");
  EXPECT_EQ(Judge(Try(claimant), LeaseBusy{held}), kAllowed);
  auto stale = held;
  stale.fencing_token = 0;
  EXPECT_EQ(Peek(Reclaim(claimant, stale), LeaseAcquired{Lease(claimant, 2)}), "EL-RCL-3");
  EXPECT_EQ(Judge(Reclaim(claimant, stale), LeaseBusy{held}), kAllowed);
  EXPECT_EQ(Peek(Reclaim(Owner("z"), held), LeaseAcquired{Lease(Owner("z"), 2)}), "EL-RCL-3");
  EXPECT_EQ(Peek(Reclaim(claimant, held), LeaseBusy{held}), "EL-RCL-2");
  EXPECT_EQ(Peek(Reclaim(claimant, held), LeaseAcquired{Lease(claimant, 1)}), "EL-RCL-2");
  const auto taken = Lease(claimant, 2);
  EXPECT_EQ(Judge(Reclaim(claimant, held), LeaseAcquired{taken}), kAllowed);
  EXPECT_EQ(Judge(Reclaim(AliveOwner("z"), held), LeaseBusy{taken}), kAllowed);
  EXPECT_EQ(Peek(Reclaim(claimant, taken), LeaseAcquired{taken}), "EL-RCL-4");
  EXPECT_EQ(Judge(Reclaim(claimant, taken), LeaseBusy{taken}), kAllowed);
  EXPECT_EQ(HeldCount("EL-RCL-2"), 1u);
  EXPECT_EQ(HeldCount("QW-INV-10"), 1u);
  EXPECT_EQ(RefusedCount("EL-RCL-3"), 2u);
  EXPECT_EQ(RefusedCount("EL-RCL-4"), 1u);
}

TEST_F(LaneSpec, ReclaimAcquiresFreeAndLapsedLanes) {
  EXPECT_EQ(Peek(Reclaim(Owner("y"), lane), LeaseBusy{lane}), "EL-RCL-1");
  EXPECT_EQ(PeekError(Reclaim(Owner("y"), lane), SessionExecutionLeaseExpired{"s"}), "EL-RCL-1");
  EXPECT_EQ(Judge(Reclaim(Owner("y"), lane), LeaseAcquired{Lease(Owner("y"), 1)}), kAllowed);
  now = 1100;
  EXPECT_EQ(Peek(Reclaim(Owner("z"), lane), LeaseAcquired{Lease(Owner("z"), 1)}), "EL-RCL-1");
  EXPECT_EQ(Judge(Reclaim(Owner("z"), lane), LeaseAcquired{Lease(Owner("z"), 2)}), kAllowed);
  EXPECT_EQ(HeldCount("EL-RCL-1"), 2u);
}

TEST_F(LaneSpec, RenewKeepsTheLaneAndNeverRevivesIt) {
  const auto held = Hold(Owner("x"), 100);
  now = 1050;
  const RenewSessionExecutionLeaseRequest request{FenceOf(held), 100};
  auto right = held;
  right.expires_at_epoch_ms = 1150;
  EXPECT_EQ(Peek(request, held), "EL-REN-1");
  auto anew = right;
  anew.fencing_token = 2;
  EXPECT_EQ(Peek(request, anew), "EL-REN-1");
  EXPECT_EQ(PeekError(request, SessionExecutionLeaseExpired{"s"}), "EL-REN-1");
  EXPECT_EQ(PeekError(RenewSessionExecutionLeaseRequest{FenceOf(held), 0}, SessionExecutionLeaseExpired{"s"}), "EL-REN-3");
  EXPECT_EQ(Judge(request, right), kAllowed);
  now = 1150;
  auto revived = right;
  revived.expires_at_epoch_ms = 1250;
  EXPECT_EQ(Peek(request, revived), "EL-REN-2");
  EXPECT_EQ(PeekError(request, SessionExecutionLeaseExpired{"t"}), "EL-REN-2");
  EXPECT_EQ(JudgeError(request, SessionExecutionLeaseExpired{"s"}), kAllowed);
  const auto next = Hold(Owner("x"), 100);
  EXPECT_EQ(Peek(request, revived), "EL-REN-2");  // superseded
  auto lapsed = next;
  lapsed.expires_at_epoch_ms = now;
  EXPECT_EQ(Judge(RenewSessionExecutionLeaseRequest{FenceOf(next), 0}, lapsed), kAllowed);
  EXPECT_EQ(HeldCount("EL-REN-3"), 1u);
}

TEST_F(LaneSpec, ReleaseFreesOnlyWhatItMatches) {
  const auto first = Hold(Owner("x"), 100);
  now = 1100;
  const auto second = Hold(Owner("y"), 100);
  EXPECT_EQ(PeekError(ReleaseSessionExecutionLeaseRequest{ReleaseOf(first)}, SessionExecutionLeaseExpired{"s"}), "EL-REL-2");
  EXPECT_EQ(Judge(ReleaseSessionExecutionLeaseRequest{ReleaseOf(first)}, Done{}), kAllowed);
  EXPECT_EQ(Peek(Try(Owner("z")), LeaseBusy{second}), kAllowed);
  now = 1200;  // lapsed, and still its own
  EXPECT_EQ(PeekError(ReleaseSessionExecutionLeaseRequest{ReleaseOf(second)}, Backend{}), "EL-REL-1");
  EXPECT_EQ(Judge(ReleaseSessionExecutionLeaseRequest{ReleaseOf(second)}, Done{}), kAllowed);
  EXPECT_EQ(Peek(Try(Owner("z")), LeaseAcquired{Lease(Owner("z"), 2)}), "EL-TRY-1");  // the counter survives
  EXPECT_EQ(Judge(Try(Owner("z")), LeaseAcquired{Lease(Owner("z"), 3)}), kAllowed);
  EXPECT_EQ(HeldCount("EL-REL-1"), 1u);
  EXPECT_EQ(HeldCount("EL-REL-2"), 1u);
}

class CommitSpec : public Scene {
 protected:
  static CommitRuntimeStateRequest Stamped(CommitRuntimeStateRequest request, const std::string& hash = "h") {
    request.commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", hash};
    return request;
  }
  QueuedWorkClaimExpired Expired(const QueuedWorkClaim& claim) const { return {claim.session_id, claim.claim_id}; }
};

TEST_F(CommitSpec, SettlesRemovesAndAdvances) {
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  const auto c = Put("c");
  Hold();
  const auto first = Claim({a, b});
  const auto second = Claim({c});
  const auto request = Commit({CompletionOf(first)});
  EXPECT_EQ(Peek(request, Revision(2)), "SC-CMT-10");
  EXPECT_EQ(Peek(request, Revision(0)), "SC-CMT-10");
  EXPECT_EQ(PeekError(request, Backend{}), "SC-CMT-10");
  EXPECT_EQ(PeekError(request, Expired(first)), "SC-CMT-7");
  EXPECT_EQ(PeekError(request, SessionExecutionLeaseExpired{"s"}), "SC-CMT-5");
  EXPECT_EQ(PeekError(request, HeadRevisionConflict{std::nullopt, 0}), "SC-CMT-6");
  EXPECT_EQ(PeekError(request, RuntimeTurnCommitConflict{"s", "t"}), "SC-CMT-4");
  EXPECT_EQ(PeekError(request, SessionBindingMismatch{"s", "s"}), "SC-CMT-1");
  EXPECT_EQ(PeekError(request, SessionBindingMismatch{"t", "s"}), "SC-CMT-1");
  EXPECT_EQ(Judge(request, Revision(1)), kAllowed);
  EXPECT_EQ(List({c}), kAllowed);
  EXPECT_EQ(List({a, b, c}), "QW-LST-1");
  EXPECT_EQ(Peek(request, Revision(2)), "SC-CMT-14");
  EXPECT_EQ(JudgeError(request, Expired(first)), kAllowed);
  EXPECT_EQ(Judge(Commit({CompletionOf(second)}), Revision(2)), kAllowed);
  EXPECT_EQ(HeldCount("SC-CMT-16"), 1u);
  EXPECT_EQ(RefusedCount("SC-CMT-14"), 1u);
}

TEST_F(CommitSpec, NeedsTheLiveLane) {
  auto bare = Commit();
  bare.commit.session_execution_lease = std::nullopt;
  EXPECT_EQ(Peek(bare, Revision(1)), "SC-CMT-5");
  EXPECT_EQ(PeekError(bare, SessionExecutionLeaseExpired{"s"}), kAllowed);
  const auto lease = Hold(Owner("x"), 100);
  const auto request = Commit();
  now = 1100;
  EXPECT_EQ(Peek(request, Revision(1)), "SC-CMT-5");
  EXPECT_EQ(PeekError(request, SessionExecutionLeaseExpired{"t"}), "SC-CMT-5");
  EXPECT_EQ(JudgeError(request, SessionExecutionLeaseExpired{"s"}), kAllowed);
  Hold(Owner("y"));
  EXPECT_EQ(Peek(request, Revision(1)), "SC-CMT-5");
  EXPECT_EQ(RefusedCount("SC-CMT-5"), 2u);
}

TEST_F(CommitSpec, ChecksTheExpectedHead) {
  const auto a = Put("a");
  Hold();
  const auto claim = Claim({a});
  auto request = Commit({CompletionOf(claim)});
  request.commit.expected_head_revision = 1;
  EXPECT_EQ(Peek(request, Revision(1)), "SC-CMT-6");
  EXPECT_EQ(PeekError(request, HeadRevisionConflict{1, 1}), "SC-CMT-6");
  EXPECT_EQ(JudgeError(request, HeadRevisionConflict{1, 0}), kAllowed);
  request.commit.expected_head_revision = 0;
  EXPECT_EQ(PeekError(request, HeadRevisionConflict{0, 0}), "SC-CMT-6");
  EXPECT_EQ(Judge(request, Revision(1)), kAllowed);
}

TEST_F(CommitSpec, AHeadConflictWithoutExpectationNeedsARace) {  // QW-LAT-31
  Hold();
  EXPECT_EQ(PeekError(Commit(), HeadRevisionConflict{std::nullopt, 0}), "SC-CMT-6");
  auto other = Commit();
  other.commit.session_id = "t";
  overlap.calls = {{1, other}};
  EXPECT_EQ(PeekError(Commit(), HeadRevisionConflict{std::nullopt, 0}), "SC-CMT-6");
  overlap.calls = {{1, Commit()}};
  EXPECT_EQ(PeekError(Commit(), HeadRevisionConflict{std::nullopt, 1}), kAllowed);
}

TEST_F(CommitSpec, ReplaysReturnTheRecordedResult) {
  const auto a = Put("a");
  const auto lease = Hold();
  const auto claim = Claim({a});
  auto request = Stamped(Commit({CompletionOf(claim)}));
  EXPECT_EQ(PeekError(request, RuntimeTurnCommitConflict{"s", "t"}), "SC-CMT-12");
  EXPECT_EQ(Judge(request, Revision(1)), kAllowed);
  auto retry = request;
  retry.commit.session_execution_lease = std::nullopt;
  retry.commit.expected_head_revision = 77;
  retry.commit.release_session_execution_lease = ReleaseOf(lease);
  EXPECT_EQ(Peek(retry, Revision(2)), "SC-CMT-3");
  auto other_ref = Revision(1);
  other_ref.checkpoint_ref = {"\"other\""};
  EXPECT_EQ(Peek(retry, other_ref), "SC-CMT-3");
  EXPECT_EQ(PeekError(retry, SessionExecutionLeaseExpired{"s"}), "SC-CMT-3");
  EXPECT_EQ(PeekError(retry, Expired(claim)), "SC-CMT-3");
  overlap.calls = {{1, request}};
  EXPECT_EQ(PeekError(retry, Expired(claim)), kAllowed);  // QW-LAT-27
  EXPECT_EQ(PeekError(retry, Backend{}), "SC-CMT-3");
  overlap.calls.clear();
  EXPECT_EQ(Judge(retry, Revision(1)), kAllowed);
  EXPECT_EQ(state.Find("s")->holder, nullptr);  // the release was honoured
  EXPECT_EQ(state.Find("s")->head_revision, 1u);
  EXPECT_EQ(HeldCount("SC-CMT-3"), 1u);
  EXPECT_EQ(HeldCount("SC-CMT-15"), 1u);
  const auto changed = Stamped(request, "h2");
  EXPECT_EQ(Peek(changed, Revision(2)), "SC-CMT-4");
  EXPECT_EQ(Peek(changed, Revision(1)), "SC-CMT-4");
  EXPECT_EQ(JudgeError(changed, RuntimeTurnCommitConflict{"s", "t"}), kAllowed);
}

TEST_F(CommitSpec, StampsNameTheCommitsSession) {
  Hold();
  auto request = Stamped(Commit());
  request.commit.turn_commit->session_id = "t";
  EXPECT_EQ(Peek(request, Revision(1)), "SC-CMT-2");
  EXPECT_EQ(PeekError(request, SessionExecutionLeaseExpired{"s"}), "SC-CMT-2");
  EXPECT_EQ(PeekError(request, RuntimeTurnCommitConflict{"s", "t"}), "SC-CMT-2");
  EXPECT_EQ(PeekError(request, RuntimeTurnCommitConflict{"t", "t"}), kAllowed);
}

TEST_F(CommitSpec, CompletionsOwnWhatTheyList) {
  const auto a = Put("a");
  const auto b = Put("b");
  Hold();
  const auto first = Claim({a});
  const auto second = Claim({b});
  auto forged = CompletionOf(second);
  forged.lease_token = "forged";
  const auto bad = Stamped(Commit({CompletionOf(first), forged}));
  EXPECT_EQ(Peek(bad, Revision(1)), "SC-CMT-7");
  EXPECT_EQ(PeekError(bad, Expired(first)), "SC-CMT-7");
  EXPECT_EQ(PeekError(bad, Backend{}), "SC-CMT-7");
  EXPECT_EQ(JudgeError(bad, Expired(second)), kAllowed);
  EXPECT_EQ(List({a, b}), kAllowed);
  EXPECT_EQ(RefusedCount("SC-CMT-11"), 1u);
  EXPECT_EQ(RefusedCount("SC-CMT-12"), 1u);
  auto stranger = CompletionOf(first);
  stranger.batch_ids = {"b"};  // QW-LAT-3
  EXPECT_EQ(Peek(Commit({stranger}), Revision(1)), "SC-CMT-7");
  auto foreign = CompletionOf(first);
  foreign.session_id = "t";
  EXPECT_EQ(Peek(Commit({foreign}), Revision(1)), "SC-CMT-8");
  EXPECT_EQ(PeekError(Commit({foreign}), Expired(first)), "SC-CMT-8");
  EXPECT_EQ(PeekError(Commit({foreign}), QueuedWorkClaimExpired{"t", first.claim_id}), kAllowed);
  const auto both = Commit({CompletionOf(first), CompletionOf(second)});
  EXPECT_EQ(PeekError(both, Expired(second)), "SC-CMT-15");
  EXPECT_EQ(Judge(both, Revision(1)), kAllowed);
  EXPECT_EQ(HeldCount("SC-CMT-15"), 1u);
  EXPECT_EQ(List({}), kAllowed);
}

TEST_F(CommitSpec, LapsedClaimsSettleUnlessTheDialectRefuses) {  // QW-LAT-7
  const auto a = Put("a");
  Hold();
  const auto claim = Claim({a}, 1, 0);
  now = 9000;
  const auto request = Commit({CompletionOf(claim)});
  EXPECT_EQ(PeekError(request, Expired(claim)), "SC-CMT-9");
  EXPECT_EQ(Peek(request, Revision(1)), kAllowed);
  EXPECT_EQ(HeldCount("SC-CMT-9"), 1u);
  dialects["QW-LAT-7"] = "refuse";
  EXPECT_EQ(PeekError(request, Expired(claim)), kAllowed);
  EXPECT_EQ(Peek(request, Revision(1)), kAllowed);
  Claim({a}, 2);
  EXPECT_EQ(Peek(request, Revision(1)), "SC-CMT-7");
}

TEST_F(CommitSpec, AnyLaneOfTheSessionSettles) {
  const auto a = Put("a");
  Hold();
  const auto claim = Claim({a}, 1, 60000);
  Free();
  Hold(Owner("y"));
  const auto request = Commit({CompletionOf(claim)});
  EXPECT_EQ(PeekError(request, Expired(claim)), "SC-CMT-13");
  EXPECT_EQ(Judge(request, Revision(1)), kAllowed);
  EXPECT_EQ(HeldCount("SC-CMT-13"), 1u);
  EXPECT_EQ(HeldCount("QW-CLM-18"), 1u);
}

TEST_F(CommitSpec, PartialCompletionsGoEitherWay) {  // QW-LAT-1, QW-LAT-36
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  Hold();
  const auto claim = Claim({a, b});
  auto part_of_it = CompletionOf(claim);
  part_of_it.batch_ids = {"b"};
  EXPECT_EQ(PeekError(Commit({part_of_it}), Expired(claim)), kAllowed);
  EXPECT_EQ(Judge(Commit({part_of_it}), Revision(1)), kAllowed);
  EXPECT_EQ(List({a}), kAllowed);
  EXPECT_EQ(Pending({}), kAllowed);
  EXPECT_EQ(Pending({a}), "QW-PND-1");
  auto whole = claim;
  whole.expires_at_epoch_ms = 2000;
  EXPECT_EQ(PeekError(RenewQueuedWorkClaimRequest{claim, 1000}, Expired(claim)), kAllowed);
  EXPECT_EQ(Peek(RenewQueuedWorkClaimRequest{claim, 1000}, whole), kAllowed);
  auto narrowed = claim;
  narrowed.batches = {a};
  auto renewed = narrowed;
  renewed.expires_at_epoch_ms = 2000;
  EXPECT_EQ(Peek(RenewQueuedWorkClaimRequest{narrowed, 1000}, renewed), kAllowed);
  EXPECT_EQ(PeekError(RenewQueuedWorkClaimRequest{narrowed, 1000}, Expired(claim)), kAllowed);
  auto rest = CompletionOf(claim);
  rest.batch_ids = {"a"};
  EXPECT_EQ(PeekError(Commit({rest}), Expired(claim)), "SC-CMT-7");
  EXPECT_EQ(Judge(Commit({rest}), Revision(2)), kAllowed);
}

TEST_F(CommitSpec, RepeatedAndEmptyCompletionsGoEitherWay) {  // QW-LAT-2, 4, 5
  const auto a = Put("a");
  Hold();
  const auto claim = Claim({a});
  auto repeated = CompletionOf(claim);
  repeated.batch_ids = {"a", "a"};
  auto empty = CompletionOf(claim);
  empty.batch_ids = {};
  empty.lease_token = "bogus";
  for (const auto& request :
       {Commit({repeated}), Commit({empty}), Commit({CompletionOf(claim), CompletionOf(claim)}), Commit({empty, repeated})}) {
    EXPECT_EQ(PeekError(request, Expired(claim)), kAllowed);
    EXPECT_EQ(Peek(request, Revision(1)), kAllowed);
  }
  EXPECT_EQ(Judge(Commit({empty}), Revision(1)), kAllowed);
  EXPECT_EQ(Pending({}), kAllowed);
  EXPECT_EQ(Judge(Commit({repeated}), Revision(2)), kAllowed);
  EXPECT_EQ(List({}), kAllowed);
}

TEST_F(CommitSpec, ACancelledBatchFailsTheWholeCompletion) {
  const auto a = Put("a", JoinDraft());
  const auto b = Put("b", JoinDraft());
  Hold();
  const auto claim = Claim({a, b});
  now = 1500;
  EXPECT_EQ(Judge(CancelQueuedWorkBatchRequest{"s", "a"}, a), kAllowed);
  EXPECT_EQ(Peek(Commit({CompletionOf(claim)}), Revision(1)), "QW-CAN-4");
  EXPECT_EQ(JudgeError(Commit({CompletionOf(claim)}), Expired(claim)), kAllowed);
  EXPECT_EQ(RefusedCount("QW-CAN-4"), 1u);
}

TEST_F(CommitSpec, ReleaseFreesTheLaneItMatches) {
  const auto lease = Hold();
  auto request = Commit();
  request.commit.release_session_execution_lease = ReleaseOf(lease);
  request.commit.release_session_execution_lease->lease_token = "other";
  EXPECT_EQ(Judge(request, Revision(1)), kAllowed);  // silently left alone
  ASSERT_NE(state.Find("s")->holder, nullptr);
  request.commit.release_session_execution_lease = ReleaseOf(lease);
  EXPECT_EQ(Judge(request, Revision(2)), kAllowed);
  EXPECT_EQ(state.Find("s")->holder, nullptr);
}

TEST_F(CommitSpec, AForeignReleaseIsRefusedIgnoredOrHonoured) {  // QW-LAT-30
  SessionExecutionLease other{"t", Owner("x"), "lane-t", 1, now, now + 100};
  EXPECT_EQ(Judge(TryClaimSessionExecutionLeaseRequest{"t", Owner("x"), 100}, LeaseAcquired{other}), kAllowed);
  Hold();
  auto request = Commit();
  request.commit.release_session_execution_lease = ReleaseOf(other);
  EXPECT_EQ(PeekError(request, Backend{}), kAllowed);
  EXPECT_EQ(PeekError(request, SessionExecutionLeaseExpired{"s"}), kAllowed);
  EXPECT_EQ(Judge(request, Revision(1)), kAllowed);
  ASSERT_EQ(alternatives.size(), 1u);
  EXPECT_NE(state.Find("t")->holder, nullptr);
  EXPECT_EQ(alternatives[0].Find("t")->holder, nullptr);
}

TEST_F(CommitSpec, ASecondSessionMayCommitOrNot) {  // QW-LAT-28
  Hold();
  EXPECT_EQ(Judge(Commit(), Revision(1)), kAllowed);
  EXPECT_EQ(Judge(Commit(), Revision(2)), kAllowed);
  EXPECT_EQ(HeldCount("SC-CMT-1"), 1u);
  Hold(Owner("x"), 100, "t");  // fencing 2: a leap is allowed
  auto request = Commit();
  request.commit.session_id = "t";
  EXPECT_EQ(PeekError(request, SessionBindingMismatch{"s", "t"}), kAllowed);
  EXPECT_EQ(PeekError(request, SessionBindingMismatch{"s", "s"}), "SC-CMT-1");
  EXPECT_EQ(PeekError(request, SessionBindingMismatch{"u", "t"}), "SC-CMT-1");
  EXPECT_EQ(Judge(request, Revision(1)), kAllowed);
}

TEST_F(CommitSpec, AFailedFirstAttemptMayBindToo) {  // QW-LAT-28
  EXPECT_EQ(JudgeError(Commit(), SessionExecutionLeaseExpired{"s"}), kAllowed);
  auto other = Commit();
  other.commit.session_id = "t";
  EXPECT_EQ(PeekError(other, SessionBindingMismatch{"s", "t"}), kAllowed);
  EXPECT_EQ(PeekError(Commit(), SessionBindingMismatch{"t", "s"}), "SC-CMT-1");
  partitioned = true;  // who else committed is unknown
  EXPECT_EQ(PeekError(Commit(), SessionBindingMismatch{"t", "s"}), kAllowed);
}

TEST_F(CommitSpec, LoadShowsTheLastCommit) {
  const LoadSessionRequest load;
  const LoadedSession loaded{"s", 1, {"{\"graph\":1}"}};
  EXPECT_EQ(Peek(load, loaded), "SC-LOD-1");
  EXPECT_EQ(Judge(load, std::nullopt), kAllowed);
  Hold();
  EXPECT_EQ(Judge(Commit(), Revision(1)), kAllowed);
  EXPECT_EQ(Peek(load, std::nullopt), "SC-LOD-1");
  EXPECT_EQ(PeekError(load, Backend{}), "SC-LOD-1");
  EXPECT_EQ(Peek(load, LoadedSession{"s", 2, {"{\"graph\":1}"}}), "SC-LOD-1");
  EXPECT_EQ(Peek(load, LoadedSession{"s", 1, {"{}"}}), "SC-LOD-1");
  EXPECT_EQ(Peek(load, LoadedSession{"t", 1, {"{\"graph\":1}"}}), "SC-LOD-1");
  EXPECT_EQ(Judge(load, loaded), kAllowed);
  EXPECT_EQ(HeldCount("SC-LOD-1"), 1u);
  EXPECT_EQ(RefusedCount("SC-LOD-1"), 1u);
}

}  // namespace
}  // namespace leasecheck::session_store
