// Claiming and abandoning turn inputs against the spec.
#include "tests/model/session_store_turn_input_scene.h"

namespace leasecheck::session_store {
namespace {

constexpr std::nullopt_t kNone = std::nullopt;
constexpr CheckpointKind kAfterWork = CheckpointKind::kAfterWork;
constexpr CheckpointKind kBeforeCompletion = CheckpointKind::kBeforeCompletion;

class ClaimInputSpec : public InputScene {};

struct WrongClaim {
  const char* clause;
  std::function<void(TurnInputClaim&)> change;
};

TEST_F(ClaimInputSpec, GrantsSayWhatWasGranted) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto b = PutInput("b");
  const WrongClaim both[] = {
      {"TI-ACT-7", [](TurnInputClaim& c) { c.session_id = "elsewhere"; }},
      {"TI-ACT-7", [](TurnInputClaim& c) { c.owner = Owner("y"); }},
      {"TI-ACT-7", [](TurnInputClaim& c) { c.claimed_at_epoch_ms = 999; }},
      {"TI-INV-20", [](TurnInputClaim& c) { c.expires_at_epoch_ms = 1501; }},
      {"TI-ACT-7", [](TurnInputClaim& c) { c.fencing_token = 0; }},
      {"TI-ACT-7",
       [](TurnInputClaim& c) {
         c.mode = ActiveTurnClaimMode{"u", kAfterWork};
       }},
      {"TI-ACT-7",
       [](TurnInputClaim& c) {
         c.mode = ActiveTurnClaimMode{"t", kBeforeCompletion};
       }},
      {"TI-INV-15", [](TurnInputClaim& c) { c.inputs[0].enqueue_seq = 9; }},
      {"TI-INV-15", [](TurnInputClaim& c) { c.inputs[0].input = Says("ho"); }},
      {"TI-INV-12", [](TurnInputClaim& c) { c.inputs.clear(); }},
  };
  for (const WrongClaim& one : both) {
    TurnInputClaim active = ActiveGrant({a});
    one.change(active);
    EXPECT_EQ(Peek(Active(), active), one.clause);
    TurnInputClaim next = NextGrant({b});
    one.change(next);
    EXPECT_EQ(Peek(Next(), next), one.clause);
  }
  TurnInputClaim pending = ActiveGrant({a});
  pending.inputs[0].state = TurnInputState::kPendingActive;
  EXPECT_EQ(Peek(Active(), pending), "TI-ACT-6");
  EXPECT_EQ(Peek(Next(), NextGrant({Accepted(b)})), "TI-NXT-5");
  EXPECT_EQ(Judge(Active(), ActiveGrant({a})), kAllowed);
  EXPECT_EQ(Judge(Next(), NextGrant({b}, 40)), kAllowed);
  EXPECT_EQ(HeldCount("TI-ACT-7"), 2u);
}

TEST_F(ClaimInputSpec, TheFenceMustBeTheLiveLane) {
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto b = PutInput("b");
  const auto lease = Hold();
  auto wrong_owner = FenceOf(lease);
  wrong_owner.owner.incarnation_id = "x2";
  auto wrong_session = FenceOf(lease);
  wrong_session.session_id = "t";
  auto wrong_token = FenceOf(lease);
  wrong_token.lease_token = "lane-0";
  auto wrong_number = FenceOf(lease);
  wrong_number.fencing_token = 2;
  for (const auto& fence : {wrong_owner, wrong_session, wrong_token, wrong_number}) {
    auto active = Active();
    active.session_execution_lease = fence;
    EXPECT_EQ(Peek(active, ActiveGrant({a})), "TI-ACT-2");
    EXPECT_EQ(Peek(active, kNone), "TI-ACT-2");
    EXPECT_EQ(PeekError(active, SessionExecutionLeaseExpired{"t"}), "TI-ACT-2");
    EXPECT_EQ(PeekError(active, SessionExecutionLeaseExpired{"s"}), kAllowed);
    auto next = Next();
    next.session_execution_lease = fence;
    EXPECT_EQ(Peek(next, NextGrant({b})), "TI-NXT-1");
    EXPECT_EQ(PeekError(next, SessionExecutionLeaseExpired{"s"}), kAllowed);
  }
  EXPECT_EQ(PeekError(Active(), SessionExecutionLeaseExpired{"s"}), "TI-ACT-2");
  EXPECT_EQ(PeekError(Next(), SessionExecutionLeaseExpired{"s"}), "TI-NXT-1");
  now = lease.expires_at_epoch_ms - 1;
  EXPECT_EQ(Peek(Next(), NextGrant({b})), kAllowed);
  now = lease.expires_at_epoch_ms;
  EXPECT_EQ(Peek(Next(), NextGrant({b})), "TI-NXT-1");
  EXPECT_EQ(Peek(Active(), ActiveGrant({a})), "TI-ACT-2");
}

TEST_F(ClaimInputSpec, NothingAskedForIsNone) {
  const auto b = PutInput("b");
  EXPECT_EQ(Peek(Active("t", kAfterWork, 0), kNone), kAllowed);
  EXPECT_EQ(PeekError(Next(0), SessionExecutionLeaseExpired{"s"}), kAllowed);  // TI-LAT-2
  EXPECT_EQ(Peek(Next(0), kNone), kAllowed);
  Hold();
  EXPECT_EQ(PeekError(Next(0), SessionExecutionLeaseExpired{"s"}), "TI-NXT-1");
  EXPECT_EQ(PeekError(Active("t", kAfterWork, 0), SessionExecutionLeaseExpired{"s"}), "TI-ACT-1");
  EXPECT_EQ(Peek(Next(0), NextGrant({b})), "TI-NXT-1");
  EXPECT_EQ(Peek(Active("t", kAfterWork, 0), ActiveGrant({})), "TI-ACT-1");
}

TEST_F(ClaimInputSpec, ATurnTakesItsOwnThatTheCheckpointAdmits) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t", kBeforeCompletion)));
  const auto b = PutInput("b", InputDraft(ForTurn("t")));
  const auto c = PutInput("c", InputDraft(ForTurn("u")));
  const auto d = PutInput("d");
  EXPECT_EQ(Peek(Active(), ActiveGrant({a, b})), "TI-ACT-8");
  EXPECT_EQ(Peek(Active(), ActiveGrant({b, c})), "TI-ACT-8");
  EXPECT_EQ(Peek(Active(), ActiveGrant({b, d})), "TI-ACT-3");
  EXPECT_EQ(Peek(Active(), kNone), "TI-ACT-4");
  EXPECT_EQ(Peek(Active("t", kBeforeCompletion), ActiveGrant({a, b}, 1, 500, "t", kBeforeCompletion)), kAllowed);
  EXPECT_EQ(Peek(Active("t", kBeforeCompletion), ActiveGrant({b}, 1, 500, "t", kBeforeCompletion)), "TI-ACT-4");
  EXPECT_EQ(Peek(Active("t", kBeforeCompletion), ActiveGrant({b, a}, 1, 500, "t", kBeforeCompletion)), "TI-ACT-4");
  EXPECT_EQ(Peek(Active("t", kBeforeCompletion, 1), ActiveGrant({a, b}, 1, 500, "t", kBeforeCompletion)), "TI-INV-11");
  EXPECT_EQ(Peek(Active("t", kBeforeCompletion), kNone), "TI-ACT-3");
  EXPECT_EQ(Judge(Active(), ActiveGrant({b})), kAllowed);
  EXPECT_EQ(Peek(Active(), ActiveGrant({b})), "TI-ACT-9");
  EXPECT_EQ(Judge(Active(), kNone), kAllowed);
  EXPECT_EQ(Judge(Active("nobody"), kNone), kAllowed);
  EXPECT_EQ(PeekError(Active("nobody"), Backend{}), "TI-ACT-5");
  EXPECT_EQ(Judge(Settle({}, "t"), Revision(1)), kAllowed);
  EXPECT_EQ(Peek(Active("t", kBeforeCompletion), ActiveGrant({a}, 1, 500, "t", kBeforeCompletion)), "TI-ACT-10");
  EXPECT_EQ(Judge(Active("t", kBeforeCompletion), kNone), kAllowed);
  for (const char* id : {"TI-ACT-3", "TI-ACT-5", "TI-ACT-8", "TI-ACT-9", "TI-ACT-10", "TI-INV-12"})
    EXPECT_GT(RefusedCount(id), 0u) << id;
}

TEST_F(ClaimInputSpec, TheNextTurnTakesTheFirstThatWait) {
  Hold();
  const auto a = PutInput("a");
  const auto t = PutInput("t1", InputDraft(ForTurn("t")));
  const auto b = PutInput("b");
  const auto c = PutInput("c");
  EXPECT_EQ(Peek(Next(), NextGrant({a, t, b, c})), "TI-NXT-3");
  EXPECT_EQ(Peek(Next(), NextGrant({a, b})), "TI-NXT-4");
  EXPECT_EQ(Peek(Next(2), NextGrant({a, b, c})), "TI-INV-11");
  EXPECT_EQ(Peek(Next(~uint64_t{0}), NextGrant({a, b, c})), kAllowed);  // TI-LAT-10
  const auto claim = TakeNext({a}, 1, 500);
  EXPECT_EQ(Peek(Next(), NextGrant({a, b, c})), "TI-NXT-6");
  auto other = Next();
  other.owner = Owner("y");
  auto grant = NextGrant({a, b, c});
  grant.owner = Owner("y");
  EXPECT_EQ(Peek(other, grant), "TI-NXT-2");
  EXPECT_EQ(Peek(Next(), kNone), "TI-NXT-4");
  const auto rest = TakeNext({b, c}, 1, 500);
  EXPECT_EQ(Judge(Next(), kNone), kAllowed);
  now = claim.expires_at_epoch_ms - 1;
  EXPECT_EQ(Peek(Next(), NextGrant({a, b, c}, 2)), "TI-NXT-6");
  now = claim.expires_at_epoch_ms;
  EXPECT_EQ(Peek(Next(), kNone), "TI-NXT-2");
  EXPECT_EQ(Peek(Next(), NextGrant({b, c}, 2)), "TI-NXT-7");
  EXPECT_EQ(Peek(Next(), NextGrant({a, b, c}, 1)), "TI-NXT-8");
  EXPECT_EQ(Judge(Next(2), NextGrant({a, b}, 2)), kAllowed);
  // What was not taken is still the old claim's.
  EXPECT_EQ(Peek(Settle({{"s", rest.claim_id, rest.lease_token, {"c"}}}), Revision(1)), kAllowed);
  EXPECT_EQ(Peek(Settle({{"s", rest.claim_id, rest.lease_token, {"b", "c"}}}), Revision(1)), "TI-CMT-4");
  EXPECT_GT(RefusedCount("TI-NXT-6"), 0u);
  EXPECT_GT(HeldCount("TI-NXT-8"), 0u);
}

TEST_F(ClaimInputSpec, ManyInFrontHideNothing) {
  Hold();
  for (int i = 0; i < 40; ++i) PutInput(absl::StrCat("o", i), InputDraft(ForTurn("old")));
  const auto x = PutInput("x", InputDraft(ForTurn("t")));
  EXPECT_EQ(Peek(Active("t", kAfterWork, 1), kNone), "TI-INV-12");  // TI-LAT-9
  EXPECT_EQ(Peek(Active("t", kAfterWork, 1), ActiveGrant({x})), kAllowed);
}

TEST_F(ClaimInputSpec, DeferredRowsKeepTheirPlace) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto b = PutInput("b");
  EXPECT_EQ(Judge(Settle({}, "t"), Revision(1)), kAllowed);
  EXPECT_EQ(Peek(Next(1), NextGrant({b})), "TI-NXT-10");
  EXPECT_EQ(Judge(Next(1), NextGrant({DeferredInput(a)})), kAllowed);
  EXPECT_EQ(HeldCount("TI-NXT-10"), 1u);
}

TEST_F(ClaimInputSpec, TtlsHaveTheirEdges) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b", InputDraft(ForTurn("t")));
  auto wrong = NextGrant({a}, 1, 0);
  wrong.expires_at_epoch_ms = now + 1;
  EXPECT_EQ(Peek(Next(1, 0), wrong), "TI-NXT-9");
  const auto lapsed = TakeNext({a}, 1, 0);
  EXPECT_EQ(Inputs({a, b}), kAllowed);
  const DurationMs forever = kEndOfTime;
  auto wraps = NextGrant({a}, 2, 5);
  wraps.expires_at_epoch_ms = now - 1;
  EXPECT_EQ(Peek(Next(1, forever), wraps), "TI-ACT-11");
  EXPECT_EQ(PeekError(Next(1, forever), Backend{}), "TI-ACT-11");  // TI-LAT-11: no refusal
  EXPECT_EQ(Judge(Next(1, forever), NextGrant({a}, 2, forever)), kAllowed);
  EXPECT_EQ(PeekInputs({a, b}), "TI-ACT-11");  // as if its expiry were negative
  EXPECT_EQ(Judge(Active("t", kAfterWork, 1, 0), ActiveGrant({b}, 1, 0)), kAllowed);
  EXPECT_EQ(HeldCount("TI-NXT-9"), 1u);
  EXPECT_EQ(HeldCount("TI-ACT-11"), 1u);
}

TEST_F(ClaimInputSpec, AcceptedRowsAreStrandedOrReacquired) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto claim = TakeActive({a}, 1, 500);
  EXPECT_EQ(Inputs({}), kAllowed);
  EXPECT_EQ(HeldCount("TI-LAT-1"), 0u);
  now += 500;
  EXPECT_EQ(Inputs({}), kAllowed);
  EXPECT_EQ(HeldCount("TI-LAT-1"), 1u) << "it is stranded: the report warns";
  EXPECT_EQ(Peek(Active(), ActiveGrant({a}, 2)), "TI-ACT-9");
  EXPECT_EQ(Judge(Active(), kNone), kAllowed);
  EXPECT_EQ(Peek(Next(), NextGrant({Accepted(a)}, 2)), "TI-NXT-3");
  dialects["TI-LAT-1"] = "reacquire";
  EXPECT_EQ(Inputs({}), kAllowed);
  EXPECT_EQ(HeldCount("TI-LAT-1"), 1u) << "its turn may take it again";
  EXPECT_EQ(Peek(Active(), kNone), "TI-INV-12");
  EXPECT_EQ(Peek(Active("u"), ActiveGrant({a}, 2, 500, "u")), "TI-ACT-9");
  EXPECT_EQ(Peek(Next(), NextGrant({Accepted(a)}, 2)), "TI-NXT-3");
  EXPECT_EQ(Peek(Active(), ActiveGrant({a}, 1)), "TI-INV-6");
  now -= 1;
  EXPECT_EQ(Peek(Active(), ActiveGrant({a}, 2)), "TI-ACT-9");
  now += 1;
  EXPECT_EQ(Judge(Active(), ActiveGrant({a}, 2)), kAllowed);
  EXPECT_EQ(Peek(Settle({CompletionOf(claim)}), Revision(1)), "TI-CMT-4");
}

TEST_F(ClaimInputSpec, DeadHoldersMayOrMayNotLoseTheirRows) {
  Hold(DeadOwner("d"));
  const auto a = PutInput("a");
  TakeNext({a});
  const auto b = PutInput("b");
  auto taker = Next();
  taker.owner = AliveOwner("y");
  auto both = NextGrant({a, b}, 2);
  both.owner = taker.owner;
  auto plain = NextGrant({b});
  plain.owner = taker.owner;
  EXPECT_EQ(Peek(taker, both), kAllowed);  // TI-LAT-16
  EXPECT_EQ(Peek(taker, plain), kAllowed);
  EXPECT_EQ(JudgeOutcome(Request(taker), Unseen()), kAllowed);
  EXPECT_EQ(alternatives.size(), 2u);  // it may have taken both, or been refused for its owner (TI-LAT-17)
}

TEST_F(ClaimInputSpec, TheOwnerNeedNotBeTheFences) {
  Hold();
  const auto a = PutInput("a");
  auto other = Next();
  other.owner = Owner("y");
  auto grant = NextGrant({a});
  EXPECT_EQ(Peek(other, grant), "TI-ACT-12");
  grant.owner = Owner("y");
  EXPECT_EQ(PeekError(other, SessionExecutionLeaseExpired{"s"}), kAllowed);  // TI-LAT-17
  EXPECT_EQ(PeekError(other, SessionExecutionLeaseExpired{"t"}), "TI-ACT-12");
  EXPECT_EQ(Judge(other, grant), kAllowed);
  EXPECT_EQ(HeldCount("TI-ACT-12"), 1u);
}

TEST_F(ClaimInputSpec, TokensAreFresh) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  const auto claim = TakeNext({a});
  auto same_token = NextGrant({b});
  same_token.lease_token = claim.lease_token;
  EXPECT_EQ(Peek(Next(), same_token), "TI-ACT-7");
  auto same_id = NextGrant({b});
  same_id.claim_id = claim.claim_id;
  EXPECT_EQ(Peek(Next(), same_id), "TI-ACT-7");
}

TEST_F(ClaimInputSpec, FencingMayDriftBetweenFirstRows) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  GiveBack(TakeNext({a}, 1));
  const auto second = TakeNext({a, b}, 2);
  GiveBack(second);
  CancelOne(a);
  EXPECT_EQ(Peek(Next(), NextGrant({b}, 2)), kAllowed);  // TI-LAT-5
  EXPECT_EQ(Peek(Next(), NextGrant({b}, 3)), kAllowed);
  EXPECT_EQ(Peek(Next(), NextGrant({b}, 0)), "TI-ACT-7");
}

TEST_F(ClaimInputSpec, AnUnseenClaimHidesItsRowsAndCannotBeProven) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b", InputDraft(ForTurn("t")));
  EXPECT_EQ(JudgeOutcome(Request(Next(1, 500)), Unseen()), kAllowed);
  EXPECT_EQ(JudgeOutcome(Request(Active()), Unseen()), kAllowed);
  EXPECT_EQ(Inputs({}), kAllowed);
  now += 500;
  EXPECT_EQ(Inputs({a}), kAllowed);
  EXPECT_EQ(Peek(Next(), NextGrant({a}, 1)), "TI-NXT-8");
  EXPECT_EQ(Peek(Next(), NextGrant({a}, 2)), kAllowed);
  EXPECT_EQ(PeekInputs({a, b}), "TI-LST-5");
}

TEST_F(ClaimInputSpec, ARacingClaimMayFailWithBackend) {
  Hold();
  PutInput("a");
  overlap.calls.emplace_back(3, Request(Next()));
  EXPECT_EQ(PeekError(Next(), Backend{}), kAllowed);
  EXPECT_EQ(PeekError(Active(), Backend{}), kAllowed);
  EXPECT_EQ(Peek(Next(), kNone), "TI-NXT-2");
}

class AbandonInputSpec : public InputScene {};

TEST_F(AbandonInputSpec, WhatComesBackToATurnThatEndedIsWarnedOf) {
  Hold();
  const auto claim = TakeActive({PutInput("a", InputDraft(ForTurn("t")))});
  auto commit = Settle({});
  commit.commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  EXPECT_EQ(Judge(commit, Revision(1)), kAllowed);
  EXPECT_EQ(HeldCount("TI-LAT-23"), 0u);
  GiveBack(claim);
  EXPECT_EQ(HeldCount("TI-LAT-23"), 1u);
}

TEST_F(AbandonInputSpec, GivesBackWhatTheClaimOwns) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto b = PutInput("b");
  auto active = TakeActive({a}, 5);
  const auto next = TakeNext({b}, 7);
  auto wrong = active;
  wrong.lease_token = next.lease_token;
  GiveBack(wrong);
  EXPECT_EQ(HeldCount("TI-ABN-8"), 2u);
  EXPECT_EQ(Inputs({}), kAllowed);
  active.inputs.clear();  // what it lists does not matter
  GiveBack(active);
  GiveBack(next);
  EXPECT_EQ(Inputs({a, b}), kAllowed);
  EXPECT_EQ(Peek(Active(), ActiveGrant({a}, 5)), "TI-ABN-4");
  EXPECT_EQ(Peek(Next(), NextGrant({b}, 7)), "TI-ABN-4");
  EXPECT_EQ(Peek(Next(), kNone), "TI-ABN-3");
  EXPECT_EQ(Peek(Active(), ActiveGrant({a}, 6)), kAllowed);
  GiveBack(next);
  EXPECT_EQ(HeldCount("TI-ABN-5"), 2u);
  EXPECT_EQ(HeldCount("TI-ABN-2"), 1u);
  EXPECT_EQ(PeekError(AbandonTurnInputClaimRequest{next}, Backend{}), "TI-ABN-5");
}

TEST_F(AbandonInputSpec, NeverTouchesANewerClaimAndNeedsNoLane) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  const auto old = TakeNext({a, b}, 1, 10);
  now += 10;
  const auto newer = TakeNext({a}, 2, 500);
  Free();
  EXPECT_EQ(PeekError(AbandonTurnInputClaimRequest{old}, SessionExecutionLeaseExpired{"s"}), "TI-ABN-7");
  GiveBack(old);
  EXPECT_EQ(Inputs({b}), kAllowed);
  EXPECT_EQ(HeldCount("TI-ABN-6"), 1u);
  EXPECT_EQ(HeldCount("TI-ABN-7"), 1u);
  EXPECT_EQ(JudgeOutcome(Request(AbandonTurnInputClaimRequest{newer}), Unseen()), kAllowed);
  EXPECT_EQ(Inputs({a, b}), kAllowed);
}

}  // namespace
}  // namespace leasecheck::session_store
