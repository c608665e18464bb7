// Turn inputs in commits, and vacuum, against the spec.
#include "tests/model/session_store_turn_input_scene.h"

namespace leasecheck::session_store {
namespace {

class CommitInputSpec : public InputScene {};

TEST_F(CommitInputSpec, CompletesWhatItOwns) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto b = PutInput("b");
  const auto active = TakeActive({a});
  const auto next = TakeNext({b}, 1, 10);
  now += 10;
  const auto commit = Settle({CompletionOf(active), CompletionOf(next)});
  EXPECT_EQ(PeekError(commit, TurnInputClaimExpired{"s", next.claim_id}), "TI-CMT-5");
  EXPECT_EQ(PeekError(commit, TurnInputClaimExpired{"s", active.claim_id}), "TI-CMT-8");
  EXPECT_EQ(PeekError(commit, Backend{}), "SC-CMT-10");
  dialects["TI-LAT-12"] = "strict_expiry";
  EXPECT_EQ(PeekError(commit, TurnInputClaimExpired{"s", next.claim_id}), kAllowed);
  EXPECT_EQ(PeekError(commit, TurnInputClaimExpired{"s", active.claim_id}), "TI-CMT-8");
  EXPECT_EQ(Judge(commit, Revision(1)), kAllowed);
  EXPECT_EQ(Judge(CancelPendingTurnInputRequest{"s", "a"}, TurnInputAlreadyCompleted{Completed(a)}), kAllowed);
  EXPECT_EQ(JudgeError(commit, TurnInputClaimExpired{"s", active.claim_id}), kAllowed);
  EXPECT_EQ(Peek(commit, Revision(2)), "TI-CMT-9");
  for (const char* id : {"TI-CMT-4", "TI-CMT-5", "TI-CMT-6", "TI-CMT-8"}) EXPECT_GT(HeldCount(id), 0u) << id;
  for (const char* id : {"TI-CMT-2", "TI-CMT-4", "TI-CMT-8", "TI-CMT-9"}) EXPECT_GT(RefusedCount(id), 0u) << id;
}

TEST_F(CommitInputSpec, AllOrNothing) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  const auto old = TakeNext({a, b}, 1, 10);
  now += 10;
  const auto first = TakeNext({a}, 2, 500);
  const auto stale = CompletionOf(old);
  const auto good = CompletionOf(first);
  EXPECT_EQ(Peek(Settle({good, stale}), Revision(1)), "TI-CMT-4");
  EXPECT_EQ(PeekError(Settle({good, stale}), TurnInputClaimExpired{"s", first.claim_id}), "TI-CMT-4");
  EXPECT_EQ(JudgeError(Settle({good, stale}), TurnInputClaimExpired{"s", old.claim_id}), kAllowed);
  EXPECT_EQ(RefusedCount("TI-CMT-7"), 1u);
  EXPECT_EQ(Judge(Settle({good}), Revision(1)), kAllowed);
}

TEST_F(CommitInputSpec, OddCompletions) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  const auto claim = TakeNext({a, b});
  const auto listing = [&](std::vector<std::string> ids) {
    return TurnInputCompletion{"s", claim.claim_id, claim.lease_token, std::move(ids)};
  };
  const TurnInputClaimExpired error{"s", claim.claim_id};
  // TI-LAT-6: of these either answer.
  for (const auto& either : {Settle({listing({"b"})}), Settle({listing({"a", "b", "b"})}), Settle({listing({})}),
                             Settle({CompletionOf(claim), CompletionOf(claim)})}) {
    EXPECT_EQ(Peek(either, Revision(1)), kAllowed);
    EXPECT_EQ(PeekError(either, error), kAllowed);
  }
  EXPECT_EQ(Peek(Settle({listing({"a", "b", "x"})}), Revision(1)), "TI-CMT-4");
  auto foreign = CompletionOf(claim);
  foreign.session_id = "t";
  EXPECT_EQ(Peek(Settle({foreign}), Revision(1)), "TI-CMT-4");  // TI-LAT-7
  EXPECT_EQ(PeekError(Settle({foreign}), TurnInputClaimExpired{"t", claim.claim_id}), kAllowed);
  EXPECT_EQ(PeekError(Settle({foreign}), error), "TI-CMT-4");
  EXPECT_EQ(PeekError(Settle({CompletionOf(claim)}), error), "TI-CMT-4");
  // Exactly what is listed completes.
  EXPECT_EQ(Judge(Settle({listing({"b"})}), Revision(1)), kAllowed);
  EXPECT_EQ(Judge(CancelPendingTurnInputRequest{"s", "a"}, ClaimedBy(claim, a)), kAllowed);
  EXPECT_EQ(Judge(CancelPendingTurnInputRequest{"s", "b"}, TurnInputAlreadyCompleted{Completed(b)}), kAllowed);
}

TEST_F(CommitInputSpec, TheQueueIsCheckedFirst) {
  Hold();
  const auto batch = Put("b1");
  const auto work = Claim({batch});
  const auto a = PutInput("a");
  const auto inputs = TakeNext({a});
  auto bad_work = CompletionOf(work);
  bad_work.lease_token = "other";
  auto bad_inputs = CompletionOf(inputs);
  bad_inputs.lease_token = "other";
  auto commit = Settle({bad_inputs});
  commit.commit.completed_queue_claims = {bad_work};
  EXPECT_EQ(PeekError(commit, TurnInputClaimExpired{"s", inputs.claim_id}), "TI-CMT-1");
  EXPECT_EQ(JudgeError(commit, QueuedWorkClaimExpired{"s", work.claim_id}), kAllowed);
  commit.commit.completed_queue_claims = {CompletionOf(work)};
  EXPECT_EQ(JudgeError(commit, TurnInputClaimExpired{"s", inputs.claim_id}), kAllowed);
  EXPECT_EQ(RefusedCount("TI-CMT-1"), 2u);
  EXPECT_EQ(List({batch}), kAllowed);
  auto headless = commit;
  headless.commit.expected_head_revision = 9;
  EXPECT_EQ(PeekError(headless, TurnInputClaimExpired{"s", inputs.claim_id}), "SC-CMT-6");
  auto unfenced = commit;
  unfenced.commit.session_execution_lease.reset();
  EXPECT_EQ(JudgeError(unfenced, SessionExecutionLeaseExpired{"s"}), kAllowed);
  EXPECT_EQ(RefusedCount("TI-CMT-15"), 1u);
  commit.commit.completed_turn_input_claims = {CompletionOf(inputs)};
  EXPECT_EQ(Judge(commit, Revision(1)), kAllowed);
  EXPECT_EQ(List({}), kAllowed);
}

TEST_F(CommitInputSpec, AReplayTouchesNothing) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto claim = TakeActive({a});
  auto commit = Settle({CompletionOf(claim)}, "t");
  commit.commit.turn_commit = RuntimeTurnCommitStamp{"s", "turn", "h"};
  EXPECT_EQ(Judge(commit, Revision(1)), kAllowed);
  const auto b = PutInput("b", InputDraft(ForTurn("t")));
  EXPECT_EQ(PeekError(commit, TurnInputClaimExpired{"s", claim.claim_id}), "SC-CMT-3");
  EXPECT_EQ(Judge(commit, Revision(1)), kAllowed);
  EXPECT_EQ(HeldCount("TI-CMT-3"), 1u);
  EXPECT_EQ(Inputs({b}), kAllowed);
  EXPECT_EQ(PeekInputs({DeferredInput(b)}), "TI-INV-15");
}

TEST_F(CommitInputSpec, AnInterruptDefersWhatWaitsForItsTurn) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto b = PutInput("b", InputDraft(ForTurn("t")));
  const auto d = PutInput("d", InputDraft(ForTurn("t", CheckpointKind::kBeforeCompletion)));
  const auto e = PutInput("e", InputDraft(ForTurn("u")));
  const auto f = PutInput("f", InputDraft(ForTurn("t")));
  const auto claim = TakeActive({a});
  EXPECT_EQ(Judge(Settle({}, "t"), Revision(1)), kAllowed);
  EXPECT_EQ(Inputs({DeferredInput(b), DeferredInput(d), e, DeferredInput(f)}), kAllowed);
  EXPECT_EQ(Judge(CancelPendingTurnInputRequest{"s", "a"}, ClaimedBy(claim, Accepted(a))), kAllowed);
  GiveBack(claim);
  EXPECT_EQ(Inputs({a, DeferredInput(b), DeferredInput(d), e, DeferredInput(f)}), kAllowed);
  EXPECT_EQ(Judge(Settle({}, "nobody"), Revision(2)), kAllowed);
  for (const char* id : {"TI-CMT-10", "TI-CMT-11", "TI-CMT-12"}) EXPECT_GT(HeldCount(id), 0u) << id;
}

TEST_F(CommitInputSpec, ClaimsOutliveTheirLaneAndAnotherMayComplete) {
  Hold();
  const auto a = PutInput("a");
  const auto claim = TakeNext({a});
  Free();
  EXPECT_EQ(Inputs({}), kAllowed);
  EXPECT_EQ(HeldCount("TI-CMT-13"), 1u);
  Hold(Owner("y"));
  EXPECT_EQ(PeekError(Settle({CompletionOf(claim)}), TurnInputClaimExpired{"s", claim.claim_id}), "TI-CMT-14");
  EXPECT_EQ(Judge(Settle({CompletionOf(claim)}), Revision(1)), kAllowed);
  EXPECT_EQ(HeldCount("TI-CMT-13"), 2u);
  EXPECT_EQ(HeldCount("TI-CMT-14"), 1u);
}

TEST_F(CommitInputSpec, AnUnseenCommitHasHappenedAsFarAsItMust) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b", InputDraft(ForTurn("t")));
  const auto claim = TakeNext({a});
  auto bad = CompletionOf(claim);
  bad.input_ids.push_back("x");
  EXPECT_EQ(JudgeOutcome(Request(Settle({bad}, "t")), Unseen()), kAllowed);
  EXPECT_EQ(Inputs({b}), kAllowed);
  EXPECT_EQ(JudgeOutcome(Request(Settle({CompletionOf(claim)}, "t")), Unseen()), kAllowed);
  EXPECT_TRUE(alternatives.empty());
  EXPECT_EQ(Inputs({DeferredInput(b)}), kAllowed);
  EXPECT_EQ(Judge(CancelPendingTurnInputRequest{"s", "a"}, TurnInputAlreadyCompleted{Completed(a)}), kAllowed);
}

class VacuumSpec : public InputScene {};

TEST_F(VacuumSpec, RemovesTombstonesAndNothingElse) {
  Hold();
  const auto a = PutInput("a");
  const auto b = PutInput("b");
  const auto c = PutInput("c");
  const auto claim = TakeNext({a});
  CancelOne(b);
  PutInput("d", InputDraft(NextTurnIngress{}, "hi", "t"));
  EXPECT_EQ(Judge(CancelPendingTurnInputRequest{"t", "d"},
                  TurnInputCancelled{Cancelled(InputFrom(InputDraft(NextTurnIngress{}, "hi", "t"), "d", 4, now))}),
            kAllowed);
  EXPECT_EQ(Peek(VacuumRequest{}, VacuumReport{0, 1}), "TI-VAC-1");
  EXPECT_EQ(Peek(VacuumRequest{}, VacuumReport{0, 3}), "TI-VAC-1");
  EXPECT_EQ(PeekError(VacuumRequest{}, Backend{}), "TI-VAC-4");
  EXPECT_EQ(Judge(VacuumRequest{}, VacuumReport{0, 2}), kAllowed);
  EXPECT_EQ(Judge(VacuumRequest{}, VacuumReport{0, 0}), kAllowed);
  EXPECT_EQ(Inputs({c}), kAllowed);
  EXPECT_EQ(Judge(Settle({CompletionOf(claim)}), Revision(1)), kAllowed);
  for (const char* id : {"TI-VAC-1", "TI-VAC-2", "TI-VAC-4"}) EXPECT_GT(HeldCount(id), 0u) << id;
}

TEST_F(VacuumSpec, ItsReachIsDeclared) {
  Hold();
  const auto a = PutInput("a");
  CancelOne(a);
  const auto elsewhere = InputDraft(NextTurnIngress{}, "hi", "t");
  const auto b = PutInput("b", elsewhere);
  EXPECT_EQ(Judge(CancelPendingTurnInputRequest{"t", "b"}, TurnInputCancelled{Cancelled(b)}), kAllowed);
  dialects["TI-LAT-13"] = "own_session";
  EXPECT_EQ(Peek(VacuumRequest{}, VacuumReport{0, 2}), kAllowed);  // not bound yet
  EXPECT_EQ(Judge(Settle({}), Revision(1)), kAllowed);
  EXPECT_EQ(Peek(VacuumRequest{}, VacuumReport{0, 2}), "TI-VAC-1");
  EXPECT_EQ(Judge(VacuumRequest{}, VacuumReport{0, 1}), kAllowed);
  EXPECT_EQ(Judge(CancelPendingTurnInputRequest{"t", "b"}, TurnInputAlreadyCancelled{Cancelled(b)}), kAllowed);
}

TEST_F(VacuumSpec, APartOfAHistoryDoesNotKnowTheOthersTombstones) {
  const auto a = PutInput("a");
  CancelOne(a);
  partitioned = true;
  EXPECT_EQ(Peek(VacuumRequest{}, VacuumReport{0, 7}), kAllowed);
  EXPECT_EQ(Peek(VacuumRequest{}, VacuumReport{0, 0}), "TI-VAC-1");
  EXPECT_EQ(PeekError(Enqueue(WithId("other")), Backend{}), kAllowed);  // another session may have it (TI-LAT-3)
}

}  // namespace
}  // namespace leasecheck::session_store
