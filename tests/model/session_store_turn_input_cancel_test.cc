// Cancelling turn inputs against the spec.
#include "tests/model/session_store_turn_input_scene.h"

namespace leasecheck::session_store {
namespace {

using Results = std::vector<PendingTurnInputCancelResult>;
using Outcomes = std::vector<PendingTurnInputCancelOutcome>;

class CancelInputSpec : public InputScene {
 public:
  static CancelPendingTurnInputsRequest Of(std::vector<PendingTurnInputCancelTarget> targets) {
    return {"s", std::move(targets)};
  }
  static CancelPendingTurnInputRequest One(const std::string& id) { return {"s", id}; }
  static CancelPendingTurnInputSuffixRequest From(PendingTurnInputCancelTarget anchor) { return {"s", std::move(anchor)}; }
};

TEST_F(CancelInputSpec, ResultsFollowTheTargets) {
  const auto a = PutInput("a", WithKey("ka"));
  const auto b = PutInput("b", InputDraft(ForTurn("t")));
  const auto request = Of({Key("ka"), Key("none"), Id("b"), Id("a")});
  const Results right = {{Key("ka"), TurnInputCancelled{Cancelled(a)}},
                         {Key("none"), TurnInputNotFound{}},
                         {Id("b"), TurnInputCancelled{Cancelled(b)}},
                         {Id("a"), TurnInputAlreadyCancelled{Cancelled(a)}}};
  const auto refused = [&](std::size_t index, PendingTurnInputCancelOutcome outcome) {
    Results wrong = right;
    wrong[index].outcome = std::move(outcome);
    return Peek(request, wrong);
  };
  EXPECT_EQ(refused(0, TurnInputNotFound{}), "TI-CAN-5");
  EXPECT_EQ(refused(0, TurnInputCancelled{a}), "TI-CAN-5");
  EXPECT_EQ(refused(0, TurnInputCancelled{Cancelled(b)}), "TI-CAN-5");
  EXPECT_EQ(refused(1, TurnInputCancelled{Cancelled(b)}), "TI-CAN-4");
  EXPECT_EQ(refused(2, TurnInputCancelled{DeferredInput(b)}), "TI-CAN-5");
  EXPECT_EQ(refused(2, TurnInputAlreadyClaimed{b, std::nullopt}), "TI-CAN-5");
  EXPECT_EQ(refused(3, TurnInputCancelled{Cancelled(a)}), "TI-CAN-3");
  Results echo = right;
  echo[2].target = Id("a");
  EXPECT_EQ(Peek(request, echo), "TI-CAN-1");
  Results fewer = right;
  fewer.pop_back();
  EXPECT_EQ(Peek(request, fewer), "TI-CAN-1");
  EXPECT_EQ(PeekError(request, Backend{}), "TI-CAN-1");
  EXPECT_EQ(Peek(Of({}), Results{}), kAllowed);
  EXPECT_EQ(Judge(request, right), kAllowed);
  EXPECT_EQ(Inputs({}), kAllowed);
  for (const char* id : {"TI-CAN-1", "TI-CAN-2", "TI-CAN-3", "TI-CAN-4", "TI-CAN-5", "TI-CAN-11"})
    EXPECT_GT(HeldCount(id), 0u) << id;
  EXPECT_EQ(RefusedCount("TI-CAN-4"), 1u);
}

TEST_F(CancelInputSpec, ClaimedRowsStayAndSayByWhom) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  const auto claim = TakeNext({a, b}, 3);
  const TurnInputAlreadyClaimed right = ClaimedBy(claim, a);
  EXPECT_EQ(Judge(One("a"), right), kAllowed);
  EXPECT_EQ(Peek(One("a"), TurnInputAlreadyClaimed{a, std::nullopt}), kAllowed);  // TI-LAT-22
  EXPECT_EQ(Peek(One("a"), TurnInputCancelled{Cancelled(a)}), "TI-CAN-6");
  EXPECT_EQ(Peek(One("a"), TurnInputNotFound{}), "TI-CAN-6");
  const std::function<void(PendingTurnInputClaimDiagnostics&)> wrong[] = {
      [](auto& d) { d.state = TurnInputState::kAccepted; },
      [](auto& d) { d.claim_id = "other"; },
      [](auto& d) { d.claim_id.reset(); },
      [](auto& d) { d.claim_owner = Owner("y"); },
      [](auto& d) { d.claim_owner.reset(); },
      [](auto& d) { d.claim_expires_at_ms = 1501; },
      [](auto& d) { d.claim_expires_at_ms.reset(); },
      [](auto& d) { d.claim_fencing_token = 4; },
  };
  for (const auto& change : wrong) {
    TurnInputAlreadyClaimed said = right;
    change(*said.claim);
    EXPECT_EQ(Peek(One("a"), said), "TI-CAN-12");
  }
  // The second row may count by itself (TI-LAT-5), but it counts, and says the same again.
  TurnInputAlreadyClaimed second = ClaimedBy(claim, b);
  second.claim->claim_fencing_token = 0;
  EXPECT_EQ(Peek(One("b"), second), "TI-CAN-12");
  second.claim->claim_fencing_token = 1;
  EXPECT_EQ(Judge(One("b"), second), kAllowed);
  second.claim->claim_fencing_token = 2;
  EXPECT_EQ(Peek(One("b"), second), "TI-CAN-12");
  now = claim.expires_at_epoch_ms - 1;
  EXPECT_EQ(Peek(One("a"), right), kAllowed);
  now = claim.expires_at_epoch_ms;
  EXPECT_EQ(Peek(One("a"), right), "TI-CAN-5");
  CancelOne(a);
  EXPECT_EQ(RefusedCount("TI-CAN-6"), 4u);
}

TEST_F(CancelInputSpec, AcceptedRowsStayEvenWhenTheirClaimLapsed) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto claim = TakeActive({a});
  const auto right = ClaimedBy(claim, Accepted(a));
  EXPECT_EQ(Judge(One("a"), right), kAllowed);
  now = claim.expires_at_epoch_ms + 1;
  EXPECT_EQ(Judge(One("a"), right), kAllowed);
  EXPECT_EQ(Peek(One("a"), TurnInputCancelled{Cancelled(a)}), "TI-CAN-7");
  EXPECT_EQ(RefusedCount("TI-CAN-7"), 2u);
  EXPECT_EQ(HeldCount("TI-LAT-1"), 1u);
}

TEST_F(CancelInputSpec, TombstonesSayHowTheyEnded) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  CancelOne(a);
  const auto claim = TakeNext({b});
  EXPECT_EQ(Judge(Settle({CompletionOf(claim)}), Revision(1)), kAllowed);
  EXPECT_EQ(Judge(One("a"), TurnInputAlreadyCancelled{Cancelled(a)}), kAllowed);
  EXPECT_EQ(Judge(One("b"), TurnInputAlreadyCompleted{Completed(b)}), kAllowed);
  EXPECT_EQ(Peek(One("a"), TurnInputCancelled{Cancelled(a)}), "TI-CAN-8");
  EXPECT_EQ(Peek(One("b"), TurnInputAlreadyCancelled{Cancelled(b)}), "TI-CAN-8");
  EXPECT_EQ(Peek(One("b"), TurnInputNotFound{}), "TI-CAN-8");
  EXPECT_EQ(RefusedCount("TI-CAN-8"), 2u);
}

TEST_F(CancelInputSpec, OtherSessionsRowsAndVacuumedOnesAreNotFound) {
  const auto a = PutInput("a", WithKey("k"));
  const auto elsewhere = InputDraft(NextTurnIngress{}, "hi", "t");
  const auto b = PutInput("b", elsewhere);
  EXPECT_EQ(Judge(One("b"), TurnInputNotFound{}), kAllowed);
  EXPECT_EQ(Peek(One("b"), TurnInputCancelled{Cancelled(b)}), "TI-CAN-9");
  EXPECT_EQ(Judge(One("k"), TurnInputNotFound{}), kAllowed);
  EXPECT_EQ(Peek(One("k"), TurnInputCancelled{Cancelled(a)}), "TI-CAN1-2");
  EXPECT_EQ(RefusedCount("TI-CAN1-2"), 1u);
  CancelOne(a);
  EXPECT_EQ(Judge(VacuumRequest{}, VacuumReport{0, 1}), kAllowed);
  EXPECT_EQ(Judge(One("a"), TurnInputNotFound{}), kAllowed);
  EXPECT_EQ(Peek(One("a"), TurnInputAlreadyCancelled{Cancelled(a)}), "TI-CAN-9");
  EXPECT_EQ(RefusedCount("TI-CAN-9"), 2u);
  EXPECT_EQ(PeekError(One("a"), Backend{}), "TI-CAN1-1");
  EXPECT_EQ(HeldCount("TI-CAN1-1"), 1u);
  EXPECT_EQ(RefusedCount("TI-CAN1-1"), 3u);
}

TEST_F(CancelInputSpec, AClaimThatLostARowCanNeitherCompleteNorFreeIt) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  const auto claim = TakeNext({a, b});
  now = claim.expires_at_epoch_ms;
  CancelOne(a);
  EXPECT_EQ(Peek(Settle({CompletionOf(claim)}), Revision(1)), "TI-CAN-10");
  EXPECT_EQ(JudgeError(Settle({CompletionOf(claim)}), TurnInputClaimExpired{"s", claim.claim_id}), kAllowed);
  EXPECT_EQ(RefusedCount("TI-CAN-10"), 1u);
  GiveBack(claim);
  EXPECT_EQ(HeldCount("TI-CAN-10"), 1u);
  EXPECT_EQ(HeldCount("TI-ABN-6"), 1u);
  EXPECT_EQ(Inputs({b}), kAllowed);
}

TEST_F(CancelInputSpec, ASuffixIsAllFromItsAnchorOn) {
  Hold();
  const auto a = PutInput("a", WithKey("ka"));
  const auto b = PutInput("b", InputDraft(ForTurn("t")));
  const auto claim = TakeActive({b});
  const auto c = PutInput("c");
  CancelOne(c);
  const auto d = PutInput("d");
  PutInput("e", InputDraft(NextTurnIngress{}, "hi", "t"));
  const Outcomes all = {TurnInputCancelled{Cancelled(a)}, ClaimedBy(claim, Accepted(b)), TurnInputAlreadyCancelled{Cancelled(c)},
                        TurnInputCancelled{Cancelled(d)}};
  const auto wrong = [&](std::function<void(Outcomes&)> change) {
    Outcomes outcomes = all;
    change(outcomes);
    return Peek(From(Id("a")), SuffixOutcomes{Id("a"), outcomes});
  };
  EXPECT_EQ(wrong([](Outcomes& o) { o.pop_back(); }), "TI-SFX-3");
  EXPECT_EQ(wrong([](Outcomes& o) { o.clear(); }), "TI-SFX-4");
  EXPECT_EQ(wrong([](Outcomes& o) { std::swap(o[0], o[3]); }), "TI-SFX-4");
  EXPECT_EQ(wrong([](Outcomes& o) { o[1] = TurnInputNotFound{}; }), "TI-SFX-4");
  EXPECT_EQ(wrong([&](Outcomes& o) { o[1] = TurnInputCancelled{Cancelled(b)}; }), "TI-SFX-6");
  EXPECT_EQ(wrong([&](Outcomes& o) { o[2] = TurnInputCancelled{Cancelled(c)}; }), "TI-SFX-8");
  EXPECT_EQ(wrong([&](Outcomes& o) { o[3] = TurnInputAlreadyCancelled{Cancelled(d)}; }), "TI-SFX-3");
  EXPECT_EQ(Peek(From(Id("b")), SuffixOutcomes{Id("b"), {all[1]}}), "TI-SFX-5");
  EXPECT_EQ(Peek(From(Id("c")), SuffixOutcomes{Id("c"), {all[0], all[2], all[3]}}), "TI-SFX-7");
  EXPECT_EQ(Peek(From(Id("c")), SuffixAnchorNotFound{Id("c")}), "TI-SFX-1");
  EXPECT_EQ(Peek(From(Id("d")), SuffixAnchorNotFound{Id("d")}), "TI-SFX-2");
  EXPECT_EQ(Peek(From(Id("d")), SuffixOutcomes{Id("a"), {all[3]}}), "TI-SFX-4");
  EXPECT_EQ(Judge(From(Key("none")), SuffixAnchorNotFound{Key("none")}), kAllowed);
  EXPECT_EQ(Peek(From(Key("none")), SuffixAnchorNotFound{Key("ka")}), "TI-SFX-2");
  EXPECT_EQ(Peek(From(Key("none")), SuffixOutcomes{Key("none"), {}}), "TI-SFX-2");
  EXPECT_EQ(Peek(From(Id("e")), SuffixAnchorNotFound{Id("e")}), kAllowed);
  EXPECT_EQ(Judge(From(Key("ka")), SuffixOutcomes{Key("ka"), all}), kAllowed);
  EXPECT_EQ(Judge(From(Id("c")), SuffixOutcomes{Id("c"), {all[2], TurnInputAlreadyCancelled{Cancelled(d)}}}), kAllowed);
  EXPECT_EQ(PeekError(From(Id("c")), Backend{}), "TI-SFX-4");
  for (const char* id : {"TI-SFX-1", "TI-SFX-3", "TI-SFX-4", "TI-SFX-5", "TI-SFX-7", "TI-SFX-8"})
    EXPECT_GT(HeldCount(id), 0u) << id;
  EXPECT_EQ(RefusedCount("TI-SFX-6"), 1u);
  EXPECT_EQ(RefusedCount("TI-SFX-2"), 2u);
}

TEST_F(CancelInputSpec, AnUnseenCancelHasHappened) {
  Hold();
  const auto a = PutInput("a", WithKey("k"));
  const auto b = PutInput("b");
  const auto claim = TakeNext({a});
  EXPECT_EQ(JudgeOutcome(Request(Of({Id("a"), Id("b"), Id("b")})), Unseen()), kAllowed);
  EXPECT_EQ(Inputs({}), kAllowed);
  EXPECT_EQ(Judge(One("b"), TurnInputAlreadyCancelled{Cancelled(b)}), kAllowed);
  EXPECT_EQ(Judge(One("a"), ClaimedBy(claim, a)), kAllowed);
  const auto c = PutInput("c");
  EXPECT_EQ(JudgeOutcome(Request(From(Id("b"))), Unseen()), kAllowed);
  EXPECT_EQ(Judge(One("c"), TurnInputAlreadyCancelled{Cancelled(c)}), kAllowed);
}

TEST_F(CancelInputSpec, AnUnseenClaimShowsItsIdInWhatIsSaidOfIt) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  EXPECT_EQ(JudgeOutcome(Request(Next()), Unseen()), kAllowed);
  TurnInputClaim guess = NextGrant({a, b}, 7);
  EXPECT_EQ(Judge(One("a"), ClaimedBy(guess, a)), kAllowed);
  EXPECT_EQ(Judge(One("b"), ClaimedBy(guess, b)), kAllowed);
  guess.claim_id = "other";
  EXPECT_EQ(Peek(One("b"), ClaimedBy(guess, b)), "TI-CAN-12");
  // Its token stays unknown: nobody can complete it.
  EXPECT_EQ(Peek(Settle({CompletionOf(guess)}), Revision(1)), "TI-CMT-4");
}

TEST_F(CancelInputSpec, ARacingCancelMayFailWithBackend) {
  PutInput("a");
  overlap.calls.emplace_back(3, Request(Of({Id("a")})));
  EXPECT_EQ(PeekError(One("a"), Backend{}), kAllowed);  // TI-LAT-18
  EXPECT_EQ(PeekError(Of({Id("a")}), Backend{}), kAllowed);
  EXPECT_EQ(PeekError(From(Id("a")), Backend{}), kAllowed);
}

}  // namespace
}  // namespace leasecheck::session_store
