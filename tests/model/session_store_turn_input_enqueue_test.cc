// Enqueueing and listing turn inputs against the spec.
#include "tests/model/session_store_turn_input_scene.h"

namespace leasecheck::session_store {
namespace {

class EnqueueInputSpec : public InputScene {};

struct WrongInput {
  const char* clause;
  std::function<void(PendingTurnInput&)> change;
};

TEST_F(EnqueueInputSpec, ANewRowIsWhatItsDraftSays) {
  PutInput("i1");
  const auto draft = InputDraft(ForTurn("t"));
  const PendingTurnInput right = InputFrom(draft, "i2", 2, now);
  const WrongInput wrong[] = {
      {"TI-ENQ-5", [](PendingTurnInput& i) { i.session_id = "t"; }},
      {"TI-ENQ-5", [](PendingTurnInput& i) { i.source_key = "k"; }},
      {"TI-ENQ-5", [](PendingTurnInput& i) { i.ingress = NextTurnIngress{}; }},
      {"TI-ENQ-5", [](PendingTurnInput& i) { i.ingress = ForTurn("t", CheckpointKind::kBeforeCompletion); }},
      {"TI-ENQ-5", [](PendingTurnInput& i) { i.input = Says("ho"); }},
      {"TI-ENQ-5", [](PendingTurnInput& i) { i.enqueued_at_ms = 999; }},
      {"TI-ENQ-2", [](PendingTurnInput& i) { i.state = TurnInputState::kDeferredNextTurn; }},
      {"TI-ENQ-2", [](PendingTurnInput& i) { i.state = TurnInputState::kAccepted; }},
      {"TI-ENQ-3", [](PendingTurnInput& i) { i.enqueue_seq = 1; }},
      {"TI-ENQ-3", [](PendingTurnInput& i) { i.enqueue_seq = 0; }},
      {"TI-ENQ-1", [](PendingTurnInput& i) { i.input_id = "i1"; }},
  };
  for (const WrongInput& one : wrong) {
    PendingTurnInput input = right;
    one.change(input);
    EXPECT_EQ(Peek(Enqueue(draft), input), one.clause);
  }
  PendingTurnInput gap = right;
  gap.enqueue_seq = 40;
  EXPECT_EQ(Peek(Enqueue(draft), gap), kAllowed);
  EXPECT_EQ(Peek(Enqueue(InputDraft()), InputFrom(InputDraft(), "i9", 2, now)), kAllowed);
  EXPECT_EQ(HeldCount("TI-ENQ-1"), 1u);  // the row equals the first
  EXPECT_EQ(PeekError(Enqueue(draft), Backend{}), "TI-ENQ-1");
  EXPECT_EQ(PeekError(Enqueue(draft), SessionExecutionLeaseExpired{"s"}), "TI-ENQ-15");
  EXPECT_EQ(PeekError(Enqueue(draft), PendingTurnInputSourceKeyConflict{"s", "", "i1"}), "TI-ENQ-1");
}

TEST_F(EnqueueInputSpec, AKeyAnswersWithItsRowAsItIsNow) {
  Hold();
  const auto draft = WithKey("k");
  const auto a = PutInput("a", draft);
  EXPECT_EQ(Judge(Enqueue(draft), a), kAllowed);
  EXPECT_EQ(Peek(Enqueue(draft), InputFrom(draft, "b", 2, now)), "TI-ENQ-6");
  EXPECT_EQ(PeekError(Enqueue(draft), PendingTurnInputSourceKeyConflict{"s", "k", "a"}), "TI-ENQ-6");
  EXPECT_EQ(PeekError(Enqueue(draft), Backend{}), "TI-ENQ-6");
  EXPECT_EQ(Judge(Enqueue(WithId("c", draft)), a), kAllowed);
  EXPECT_EQ(Peek(Enqueue(WithId("c", draft)), In(a.state, InputFrom(draft, "c", 1, now))), "TI-ENQ-11");
  EXPECT_EQ(PeekError(Enqueue(WithId("c", draft)), Backend{}), "TI-ENQ-11");
  TakeNext({a});
  EXPECT_EQ(Judge(Enqueue(draft), a), kAllowed);
  EXPECT_EQ(Peek(Enqueue(draft), Accepted(a)), "TI-ENQ-10");
  now += 500;
  CancelOne(a);
  EXPECT_EQ(Judge(Enqueue(draft), Cancelled(a)), kAllowed);
  EXPECT_EQ(Peek(Enqueue(draft), a), "TI-ENQ-8");
  EXPECT_EQ(Peek(Enqueue(draft), InputFrom(draft, "b", 2, now)), "TI-ENQ-8");
  EXPECT_EQ(HeldCount("TI-ENQ-6"), 4u);
  EXPECT_EQ(HeldCount("TI-ENQ-8"), 1u);
  EXPECT_EQ(HeldCount("TI-ENQ-10"), 1u);
  EXPECT_EQ(HeldCount("TI-ENQ-11"), 1u);
}

TEST_F(EnqueueInputSpec, OtherContentConflicts) {
  const auto draft = WithKey("k");
  const auto a = PutInput("a", draft);
  const PendingTurnInputSourceKeyConflict right{"s", "k", "a"};
  const auto text = WithKey("k", InputDraft(NextTurnIngress{}, "ho"));
  const auto ingress = WithKey("k", InputDraft(ForTurn("t")));
  auto items = draft;
  items.input.items = {TextItem{"h"}, TextItem{"i"}};
  auto options = draft;
  options.input.protocol_turn_options = ProtocolTurnOptions{};
  for (const auto& other : {text, ingress, items, options}) {
    EXPECT_EQ(JudgeError(Enqueue(other), right), kAllowed);
    EXPECT_EQ(Peek(Enqueue(other), a), "TI-ENQ-7");
    EXPECT_EQ(Peek(Enqueue(other), InputFrom(other, "b", 2, now)), "TI-ENQ-7");
    EXPECT_EQ(PeekError(Enqueue(other), PendingTurnInputSourceKeyConflict{"s", "k", "b"}), "TI-ENQ-7");
    EXPECT_EQ(PeekError(Enqueue(other), PendingTurnInputSourceKeyConflict{"t", "k", "a"}), "TI-ENQ-7");
    EXPECT_EQ(PeekError(Enqueue(other), Backend{}), "TI-ENQ-7");
  }
  CancelOne(a);
  EXPECT_EQ(JudgeError(Enqueue(text), right), kAllowed);
  EXPECT_EQ(Peek(Enqueue(text), InputFrom(text, "b", 2, now)), "TI-ENQ-9");
  EXPECT_EQ(RefusedCount("TI-ENQ-9"), 1u);
  EXPECT_EQ(RefusedCount("TI-ENQ-7"), 5u);
}

TEST_F(EnqueueInputSpec, KeysAreOfTheirSession) {
  const auto a = PutInput("a", WithKey("k"));
  const auto elsewhere = WithKey("k", InputDraft(NextTurnIngress{}, "ho", "t"));
  EXPECT_EQ(Peek(Enqueue(elsewhere), a), "TI-ENQ-12");
  EXPECT_EQ(PeekError(Enqueue(elsewhere), PendingTurnInputSourceKeyConflict{"t", "k", "a"}), "TI-ENQ-12");
  EXPECT_EQ(Judge(Enqueue(elsewhere), InputFrom(elsewhere, "b", 1, now)), kAllowed);
  EXPECT_EQ(HeldCount("TI-ENQ-12"), 1u);
}

TEST_F(EnqueueInputSpec, VacuumFreesKeysAndIdsButNoNumbers) {
  const auto draft = WithKey("k");
  const auto a = PutInput("a", draft);
  CancelOne(a);
  now = 2000;
  EXPECT_EQ(Judge(VacuumRequest{}, VacuumReport{0, 1}), kAllowed);
  const auto other = WithKey("k", InputDraft(NextTurnIngress{}, "ho"));
  EXPECT_EQ(Peek(Enqueue(draft), Cancelled(a)), "TI-ENQ-13");
  EXPECT_EQ(PeekError(Enqueue(other), PendingTurnInputSourceKeyConflict{"s", "k", "a"}), "TI-ENQ-13");
  EXPECT_EQ(Peek(Enqueue(other), InputFrom(other, "b", 1, now)), "TI-ENQ-3");  // TI-LAT-14
  EXPECT_EQ(Peek(Enqueue(other), InputFrom(other, "b", 2, now)), kAllowed);
  EXPECT_EQ(Peek(Enqueue(WithId("a")), InputFrom(InputDraft(), "a", 2, now)), kAllowed);
  EXPECT_EQ(PeekError(Enqueue(WithId("a")), Backend{}), "TI-ENQ-4");
  EXPECT_EQ(HeldCount("TI-ENQ-13"), 1u);
  EXPECT_EQ(HeldCount("TI-VAC-3"), 2u);
}

TEST_F(EnqueueInputSpec, AnIdIsTakenOnceInASession) {
  const auto a = PutInput("a", WithId("a"));
  EXPECT_EQ(Peek(Enqueue(WithId("b")), InputFrom(InputDraft(), "c", 2, now)), "TI-ENQ-4");
  EXPECT_EQ(Peek(Enqueue(WithId("a")), InputFrom(InputDraft(), "a", 2, now)), "TI-ENQ-14");
  EXPECT_EQ(Peek(Enqueue(WithId("a")), a), "TI-ENQ-14");
  EXPECT_EQ(JudgeError(Enqueue(WithId("a")), Backend{}), kAllowed);
  EXPECT_EQ(PeekError(Enqueue(WithId("a")), PendingTurnInputSourceKeyConflict{"s", "", "a"}), "TI-ENQ-14");
  CancelOne(a);
  EXPECT_EQ(JudgeError(Enqueue(WithId("a")), Backend{}), kAllowed);
  EXPECT_EQ(RefusedCount("TI-ENQ-14"), 2u);
  // In another session it may be taken or not (TI-LAT-3).
  const auto elsewhere = WithId("a", InputDraft(NextTurnIngress{}, "hi", "t"));
  EXPECT_EQ(PeekError(Enqueue(elsewhere), Backend{}), kAllowed);
  EXPECT_EQ(Peek(Enqueue(elsewhere), InputFrom(elsewhere, "a", 1, now)), kAllowed);
  // The store's own ids are new.
  EXPECT_EQ(Peek(Enqueue(InputDraft(NextTurnIngress{}, "hi", "t")), InputFrom(elsewhere, "a", 1, now)), "TI-ENQ-4");
}

TEST_F(EnqueueInputSpec, AfterADeferralEitherContentMatches) {
  Hold();
  const auto draft = WithKey("k", InputDraft(ForTurn("t")));
  const auto a = PutInput("a", draft);
  EXPECT_EQ(Judge(Settle({}, "t"), Revision(1)), kAllowed);
  const auto next = WithKey("k");
  for (const auto& either : {draft, next}) {
    EXPECT_EQ(Judge(Enqueue(either), DeferredInput(a)), kAllowed);
    EXPECT_EQ(JudgeError(Enqueue(either), PendingTurnInputSourceKeyConflict{"s", "k", "a"}), kAllowed);
    EXPECT_EQ(Peek(Enqueue(either), a), "TI-ENQ-6");
  }
  const auto third = WithKey("k", InputDraft(ForTurn("u")));
  EXPECT_EQ(Peek(Enqueue(third), DeferredInput(a)), "TI-ENQ-7");
  EXPECT_EQ(HeldCount("TI-ENQ-16"), 4u);
}

TEST_F(EnqueueInputSpec, ATurnThatEndedMayStillBeWrittenTo) {
  Hold();
  auto commit = Settle({});
  commit.commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", "h"};
  EXPECT_EQ(Judge(commit, Revision(1)), kAllowed);
  PutInput("a", InputDraft(ForTurn("t")));
  EXPECT_EQ(HeldCount("TI-ENQ-15"), 1u);
  EXPECT_EQ(HeldCount("TI-LAT-23"), 1u);
  PutInput("b", InputDraft(ForTurn("u")));
  EXPECT_EQ(HeldCount("TI-LAT-23"), 1u);
}

TEST_F(EnqueueInputSpec, ARacingEnqueueMayFailWithBackend) {
  overlap.calls.emplace_back(3, Request(Enqueue(InputDraft())));
  EXPECT_EQ(PeekError(Enqueue(InputDraft()), Backend{}), kAllowed);  // TI-LAT-18
  overlap.calls[0].second = Request(ListPendingTurnInputsRequest{"s"});
  EXPECT_EQ(PeekError(Enqueue(InputDraft()), Backend{}), "TI-ENQ-1");
}

TEST_F(EnqueueInputSpec, AnUnseenRowIsBoundAtFirstSight) {
  const auto a = PutInput("a");
  EXPECT_EQ(JudgeOutcome(Request(Enqueue(WithKey("k"))), Unseen()), kAllowed);
  EXPECT_EQ(JudgeOutcome(Request(Enqueue(WithId("c"))), Unseen()), kAllowed);
  const auto d = PutInput("d");  // number 2: no room for the two in front of it
  (void)d;
  PendingTurnInput b = InputFrom(WithKey("k"), "b", 2, now);
  EXPECT_EQ(PeekInputs({a, b, InputFrom(InputDraft(), "c", 3, now), d}), "TI-LST-1");
  EXPECT_EQ(Peek(Enqueue(WithKey("k")), b), "TI-ENQ-6");
}

TEST_F(EnqueueInputSpec, UnseenRowsLeaveRoomAndKeepTheirPlaces) {
  const auto a = PutInput("a");
  EXPECT_EQ(JudgeOutcome(Request(Enqueue(WithKey("k"))), Unseen()), kAllowed);
  EXPECT_EQ(JudgeOutcome(Request(Enqueue(WithId("c"))), Unseen()), kAllowed);
  input_seq = 9;
  const auto d = PutInput("d");
  const auto b = InputFrom(WithKey("k"), "b", 4, now);
  const auto c = InputFrom(WithId("c"), "c", 6, now);
  EXPECT_EQ(PeekInputs({a, b, c, d}), kAllowed);
  EXPECT_EQ(PeekInputs({a, c, b, d}), "TI-LST-1");
  auto late = c;
  late.enqueue_seq = 10;
  EXPECT_EQ(PeekInputs({a, b, late, d}), "TI-INV-15");
  // A conflict tells the id, and only that.
  const auto other = WithKey("k", InputDraft(NextTurnIngress{}, "ho"));
  EXPECT_EQ(JudgeError(Enqueue(other), PendingTurnInputSourceKeyConflict{"s", "k", "b"}), kAllowed);
  EXPECT_EQ(PeekError(Enqueue(other), PendingTurnInputSourceKeyConflict{"s", "k", "x"}), "TI-ENQ-7");
  EXPECT_EQ(Inputs({a, b, c, d}), kAllowed);
  EXPECT_EQ(PeekInputs({a, In(b.state, InputFrom(WithKey("k"), "b", 5, now)), c, d}), "TI-INV-15");
}

class ListInputSpec : public InputScene {};

TEST_F(ListInputSpec, ShowsWhatWaitsInOrder) {
  Hold();
  const auto a = PutInput("a", InputDraft(ForTurn("t")));
  const auto b = PutInput("b");
  const auto c = PutInput("c", InputDraft(ForTurn("u")));
  EXPECT_EQ(Inputs({a, b, c}), kAllowed);
  EXPECT_EQ(PeekInputs({a, c, b}), "TI-LST-6");
  EXPECT_EQ(PeekInputs({a, b}), "TI-LST-1");
  EXPECT_EQ(PeekInputs({a, b, c, c}), "TI-LST-6");
  EXPECT_EQ(PeekInputs({a, In(TurnInputState::kPendingActive, b), c}), "TI-INV-15");
  EXPECT_EQ(PeekInputs({a, b, DeferredInput(c)}), "TI-INV-15");
  const auto claim = TakeNext({b});
  EXPECT_EQ(Inputs({a, c}), kAllowed);
  EXPECT_EQ(PeekInputs({a, b, c}), "TI-LST-3");
  const auto active = TakeActive({a});
  EXPECT_EQ(Inputs({c}), kAllowed);
  EXPECT_EQ(PeekInputs({Accepted(a), c}), "TI-LST-3");
  now = claim.expires_at_epoch_ms - 1;
  EXPECT_EQ(PeekInputs({b, c}), "TI-LST-3");
  now = claim.expires_at_epoch_ms;
  EXPECT_EQ(Inputs({b, c}), kAllowed);
  EXPECT_EQ(PeekInputs({c}), "TI-LST-4");
  EXPECT_EQ(PeekInputs({Accepted(a), b, c}), "TI-LST-5");
  GiveBack(active);
  EXPECT_EQ(Inputs({a, b, c}), kAllowed);
  EXPECT_EQ(PeekInputs({b, c}), "TI-ABN-3");
  CancelOne(b);
  EXPECT_EQ(PeekInputs({a, Cancelled(b), c}), "TI-LST-2");
  EXPECT_EQ(PeekInputs({a, b, c}), "TI-LST-2");
  EXPECT_EQ(Inputs({a, c}), kAllowed);
  for (const char* id : {"TI-LST-1", "TI-LST-2", "TI-LST-3", "TI-LST-4", "TI-LST-5", "TI-LST-6", "TI-ABN-3"}) {
    EXPECT_GT(HeldCount(id), 0u) << id;
  }
}

TEST_F(ListInputSpec, UnknownSessionsHaveNone) {
  EXPECT_EQ(Judge(ListPendingTurnInputsRequest{"nobody"}, {}), kAllowed);
  EXPECT_EQ(Peek(ListPendingTurnInputsRequest{"nobody"}, {InputFrom(InputDraft(), "a", 1, now)}), "TI-LST-7");
  EXPECT_EQ(PeekError(ListPendingTurnInputsRequest{"nobody"}, Backend{}), "TI-LST-7");
  EXPECT_EQ(HeldCount("TI-LST-7"), 1u);
}

TEST_F(ListInputSpec, DeadHoldersHideTheirRowsUntilTheLapse) {
  Hold(DeadOwner("d"));
  const auto a = PutInput("a");
  TakeNext({a});
  EXPECT_EQ(Inputs({}), kAllowed);
  EXPECT_EQ(PeekInputs({a}), "TI-LST-8");
  EXPECT_EQ(HeldCount("TI-LST-8"), 1u);
}

}  // namespace
}  // namespace leasecheck::session_store
