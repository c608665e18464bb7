#include "tests/support/turn_input_suite.h"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace leasecheck::session_store {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kAfterWork = CheckpointKind::kAfterWork;
constexpr auto kBeforeCompletion = CheckpointKind::kBeforeCompletion;
using State = TurnInputState;

// What the suite is written in.

PendingTurnInputDraft TurnInputSuite::Next(const std::string& text, const std::string& session) {
  PendingTurnInputDraft draft;
  draft.session_id = session;
  draft.input.items = {TextItem{text}};
  return draft;
}

PendingTurnInputDraft TurnInputSuite::Active(const std::string& turn, CheckpointKind min_boundary, const std::string& text,
                                             const std::string& session) {
  PendingTurnInputDraft draft = Next(text, session);
  draft.ingress = ActiveTurnIngress{turn, min_boundary};
  return draft;
}

PendingTurnInputDraft TurnInputSuite::Keyed(const std::string& key, PendingTurnInputDraft draft) {
  draft.source_key = key;
  return draft;
}

PendingTurnInputDraft TurnInputSuite::WithId(const std::string& id, PendingTurnInputDraft draft) {
  draft.input_id = id;
  return draft;
}

PendingTurnInput TurnInputSuite::Enqueue(const PendingTurnInputDraft& draft) {
  auto input = store().EnqueuePendingTurnInput({draft});
  EXPECT_TRUE(input.has_value());
  return input.value_or(PendingTurnInput{});
}

StoreError TurnInputSuite::EnqueueError(const PendingTurnInputDraft& draft) {
  auto input = store().EnqueuePendingTurnInput({draft});
  EXPECT_FALSE(input.has_value());
  return input.has_value() ? StoreError(SessionBindingMismatch{}) : input.error();
}

SessionExecutionLease TurnInputSuite::Hold(const LeaseOwnerIdentity& owner, DurationMs ttl, const std::string& session) {
  auto outcome = store().TryClaimSessionExecutionLease({session, owner, ttl});
  if (!outcome.has_value() || !std::holds_alternative<LeaseAcquired>(*outcome)) {
    ADD_FAILURE() << "the lane of " << session << " is not to be had";
    return {};
  }
  return std::get<LeaseAcquired>(*outcome).lease;
}

TurnInputSuite::Claimed TurnInputSuite::TryNext(const SessionExecutionLease& lane, DurationMs ttl, uint64_t max) {
  return store().ClaimNextTurnInputs({lane.session_id, FenceOf(lane), lane.owner, ttl, max});
}

std::optional<TurnInputClaim> TurnInputSuite::ClaimNextAs(const LeaseOwnerIdentity& owner, const SessionExecutionLease& lane,
                                                          DurationMs ttl, uint64_t max) {
  Claimed claim = store().ClaimNextTurnInputs({lane.session_id, FenceOf(lane), owner, ttl, max});
  EXPECT_TRUE(claim.has_value());
  return claim.value_or(std::nullopt);
}

std::optional<TurnInputClaim> TurnInputSuite::ClaimNext(const SessionExecutionLease& lane, DurationMs ttl, uint64_t max) {
  return ClaimNextAs(lane.owner, lane, ttl, max);
}

TurnInputSuite::Claimed TurnInputSuite::TryActive(const SessionExecutionLease& lane, const std::string& turn,
                                                  CheckpointKind checkpoint, DurationMs ttl, uint64_t max) {
  return store().ClaimActiveTurnInputs({lane.session_id, FenceOf(lane), lane.owner, turn, checkpoint, ttl, max});
}

std::optional<TurnInputClaim> TurnInputSuite::ClaimActive(const SessionExecutionLease& lane, const std::string& turn,
                                                          CheckpointKind checkpoint, DurationMs ttl, uint64_t max) {
  Claimed claim = TryActive(lane, turn, checkpoint, ttl, max);
  EXPECT_TRUE(claim.has_value());
  return claim.value_or(std::nullopt);
}

void TurnInputSuite::Abandon(const TurnInputClaim& claim) { EXPECT_TRUE(store().AbandonTurnInputClaim({claim}).has_value()); }

std::vector<PendingTurnInput> TurnInputSuite::ListFull(const std::string& session) {
  auto inputs = store().ListPendingTurnInputs({session});
  EXPECT_TRUE(inputs.has_value());
  return inputs.value_or(std::vector<PendingTurnInput>{});
}

PendingTurnInputCancelOutcome TurnInputSuite::Cancel(const std::string& input_id, const std::string& session) {
  auto outcome = store().CancelPendingTurnInput({session, input_id});
  EXPECT_TRUE(outcome.has_value());
  return outcome.value_or(TurnInputNotFound{});
}

std::vector<PendingTurnInputCancelResult> TurnInputSuite::CancelAll(const std::vector<PendingTurnInputCancelTarget>& targets) {
  auto results = store().CancelPendingTurnInputs({"s", targets});
  EXPECT_TRUE(results.has_value());
  return results.value_or(std::vector<PendingTurnInputCancelResult>{});
}

PendingTurnInputSuffixCancelOutcome TurnInputSuite::Suffix(const PendingTurnInputCancelTarget& anchor,
                                                           const std::string& session) {
  auto suffix = store().CancelPendingTurnInputSuffix({session, anchor});
  EXPECT_TRUE(suffix.has_value());
  return suffix.value_or(SuffixAnchorNotFound{});
}

uint64_t TurnInputSuite::Vacuum() {
  auto report = store().Vacuum({});
  EXPECT_TRUE(report.has_value());
  EXPECT_EQ(report.value_or(VacuumReport{1, 0}).removed_node_count, 0u);
  return report.value_or(VacuumReport{}).removed_pending_turn_input_tombstone_count;
}

RuntimeCommit TurnInputSuite::CommitOf(const SessionExecutionLease& lane, const std::vector<TurnInputCompletion>& completions,
                                       const std::optional<std::string>& interrupted) {
  RuntimeCommit commit;
  commit.session_id = lane.session_id;
  commit.session_execution_lease = FenceOf(lane);
  commit.completed_turn_input_claims = completions;
  commit.interrupted_turn_input_turn_id = interrupted;
  return commit;
}

void TurnInputSuite::Settle(const SessionExecutionLease& lane, const std::vector<TurnInputClaim>& claims,
                            const std::optional<std::string>& interrupted) {
  std::vector<TurnInputCompletion> completions;
  for (const TurnInputClaim& claim : claims) completions.push_back(CompletionOf(claim));
  EXPECT_TRUE(Commit(CommitOf(lane, completions, interrupted)).has_value());
}

void TurnInputSuite::RefusesToSettle(const SessionExecutionLease& lane, const std::vector<TurnInputCompletion>& completions,
                                     const TurnInputClaim& blamed) {
  auto result = Commit(CommitOf(lane, completions));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error(), StoreError(TurnInputClaimExpired{blamed.session_id, blamed.claim_id}));
}

TurnInputSuite::Ids TurnInputSuite::IdsOf(const std::vector<PendingTurnInput>& inputs) {
  Ids ids;
  for (const PendingTurnInput& input : inputs) ids.push_back(input.input_id);
  return ids;
}

PendingTurnInput TurnInputSuite::RecordOf(const PendingTurnInputCancelOutcome& outcome) {
  return std::visit(
      [](const auto& o) -> PendingTurnInput {
        if constexpr (requires { o.input; }) {
          return o.input;
        } else {
          return {};
        }
      },
      outcome);
}

std::string TurnInputSuite::Word(const PendingTurnInputCancelOutcome& outcome) {
  static constexpr const char* kWords[] = {"cancelled ", "claimed ", "completed ", "already_cancelled ", "not_found"};
  return absl::StrCat(kWords[outcome.index()], RecordOf(outcome).input_id);
}

std::vector<std::string> TurnInputSuite::Words(const std::vector<PendingTurnInputCancelResult>& results) {
  std::vector<std::string> words;
  for (const auto& result : results) words.push_back(Word(result.outcome));
  return words;
}

std::vector<std::string> TurnInputSuite::Words(const PendingTurnInputSuffixCancelOutcome& suffix) {
  std::vector<std::string> words;
  const auto* outcomes = std::get_if<SuffixOutcomes>(&suffix);
  if (outcomes == nullptr) return {"no anchor"};
  for (const auto& outcome : outcomes->outcomes) words.push_back(Word(outcome));
  return words;
}

PendingTurnInput TurnInputSuite::Now(const std::string& input_id, const std::string& session) {
  for (const PendingTurnInput& input : ListFull(session)) {
    if (input.input_id == input_id) return input;
  }
  const PendingTurnInputCancelOutcome outcome = Cancel(input_id, session);
  EXPECT_FALSE(std::holds_alternative<TurnInputCancelled>(outcome)) << input_id << " was cancelled, but not listed";
  return RecordOf(outcome);
}

// Enqueue.

TEST_P(TurnInputSuite, EnqueueStoresWhatIsGiven) {  // TI-ENQ-1,2,4,5,15
  At(70);
  PendingTurnInputDraft draft = Keyed("", Active("t", kBeforeCompletion));
  draft.input.items = {TextItem{""}, ImageRefItem{"i"}, TextItem{"\xc3\xa9"}};
  draft.input.image_blobs.text = R"({"i":[0,255]})";
  draft.input.protocol_turn_options = ProtocolTurnOptions{7, {R"({"a":[1,2]})"}};
  draft.input.trace_turn_id = "";
  const PendingTurnInput a = Enqueue(WithId("mine", draft));
  const PendingTurnInput want{"mine", "s", "", a.enqueue_seq, draft.ingress, State::kPendingActive, 70, draft.input};
  EXPECT_EQ(a, want);
  EXPECT_GE(a.enqueue_seq, 1u);
  EXPECT_THAT(ListFull(), ElementsAre(want));

  const PendingTurnInput b = Enqueue(Next());
  const PendingTurnInput c = Enqueue(Next());
  EXPECT_EQ(b.state, State::kDeferredNextTurn);
  EXPECT_NE(b.input_id, c.input_id);
  EXPECT_LT(a.enqueue_seq, b.enqueue_seq);
  EXPECT_LT(b.enqueue_seq, c.enqueue_seq);
  EXPECT_THAT(ListFull(), ElementsAre(want, b, c));  // TI-LST-6
  PendingTurnInputDraft empty;
  EXPECT_EQ(Enqueue(empty).input, TurnInput{});
}

TEST_P(TurnInputSuite, KeysFindTheirRowInEveryState) {  // TI-ENQ-6,8,10,11,12
  const SessionExecutionLease lane = Hold(w_);
  const PendingTurnInputDraft draft = Keyed("k", Active("t"));
  const PendingTurnInput a = Enqueue(draft);
  EXPECT_EQ(Enqueue(draft), a);
  EXPECT_EQ(Enqueue(WithId("other", draft)), a);
  PendingTurnInputDraft elsewhere = draft;
  elsewhere.session_id = "s2";
  EXPECT_NE(Enqueue(elsewhere).input_id, a.input_id);
  PendingTurnInputDraft empty_key = Keyed("", Active("t"));
  EXPECT_NE(Enqueue(empty_key).input_id, a.input_id);

  const auto claim = ClaimActive(lane, "t", kAfterWork, 1000, 1);
  EXPECT_EQ(Enqueue(draft), claim->inputs[0]);
  EXPECT_EQ(Enqueue(draft).state, State::kAccepted);
  Settle(lane, {*claim});
  const PendingTurnInput completed = Enqueue(draft);
  EXPECT_EQ(completed.state, State::kCompleted);
  EXPECT_EQ(completed.enqueue_seq, a.enqueue_seq);
  EXPECT_EQ(Word(Cancel("other")), "not_found");
  EXPECT_THAT(List(), ElementsAre(Enqueue(empty_key).input_id));
}

TEST_P(TurnInputSuite, KeysConflictWithOtherContent) {  // TI-ENQ-7,9
  PendingTurnInputDraft draft = Keyed("k", Next());
  draft.input.items = {TextItem{"a"}, TextItem{"b"}};
  draft.input.image_blobs.text = R"({"i":[1]})";
  const PendingTurnInput a = Enqueue(draft);
  const StoreError conflict = PendingTurnInputSourceKeyConflict{"s", "k", a.input_id};
  for (int terminal = 0; terminal < 2; ++terminal) {
    PendingTurnInputDraft other = draft;
    other.input.items = {TextItem{"ab"}};
    EXPECT_EQ(EnqueueError(other), conflict);
    other = draft;
    other.input.items = {TextItem{"b"}, TextItem{"a"}};
    EXPECT_EQ(EnqueueError(other), conflict);
    other = draft;
    other.input.image_blobs.text = "{}";
    EXPECT_EQ(EnqueueError(other), conflict);
    other = draft;
    other.input.protocol_turn_options = ProtocolTurnOptions{};
    EXPECT_EQ(EnqueueError(other), conflict);
    other = draft;
    other.input.trace_turn_id = "";
    EXPECT_EQ(EnqueueError(other), conflict);
    other = draft;
    other.ingress = ActiveTurnIngress{"t", kAfterWork};
    EXPECT_EQ(EnqueueError(WithId("new", other)), conflict);
    Cancel(a.input_id);
  }
  EXPECT_EQ(Enqueue(draft).state, State::kCancelled);
  const PendingTurnInput b = Enqueue(Keyed("b", Active("t", kAfterWork)));
  EXPECT_EQ(EnqueueError(Keyed("b", Active("t", kBeforeCompletion))),
            StoreError(PendingTurnInputSourceKeyConflict{"s", "b", b.input_id}));
  EXPECT_EQ(EnqueueError(Keyed("b", Active("u", kAfterWork))),
            StoreError(PendingTurnInputSourceKeyConflict{"s", "b", b.input_id}));
}

TEST_P(TurnInputSuite, IdsAreTakenForTheWholeStore) {  // TI-ENQ-14, TI-LAT-3
  Enqueue(WithId("a", Next()));
  EXPECT_TRUE(std::holds_alternative<Backend>(EnqueueError(WithId("a", Next()))));
  EXPECT_TRUE(std::holds_alternative<Backend>(EnqueueError(WithId("a", Next("hi", "s2")))));
  EXPECT_THAT(List(), ElementsAre("a"));
  EXPECT_THAT(List("s2"), IsEmpty());
  Cancel("a");
  EXPECT_TRUE(std::holds_alternative<Backend>(EnqueueError(WithId("a", Keyed("k", Next())))));
  EXPECT_TRUE(Enqueue(Keyed("k", Next())).input_id != "a");
  // A key that matches is decided first.
  EXPECT_EQ(Enqueue(Keyed("k", WithId("a", Next()))).source_key, "k");
  EXPECT_EQ(Vacuum(), 1u);
  EXPECT_EQ(Enqueue(WithId("a", Next("hi", "s2"))).session_id, "s2");  // TI-VAC-3
}

TEST_P(TurnInputSuite, KeysAreAnsweredByWhatWasSubmitted) {  // TI-ENQ-16, TI-LAT-4
  const SessionExecutionLease lane = Hold(w_);
  const PendingTurnInput a = Enqueue(Keyed("k", Active("t")));
  Interrupt(lane, "t");
  const PendingTurnInput now = Enqueue(Keyed("k", Active("t")));
  EXPECT_EQ(now.input_id, a.input_id);
  EXPECT_EQ(now.ingress, TurnInputIngress(NextTurnIngress{}));
  EXPECT_EQ(now.state, State::kDeferredNextTurn);
  EXPECT_EQ(EnqueueError(Keyed("k", Next())), StoreError(PendingTurnInputSourceKeyConflict{"s", "k", a.input_id}));
}

// List.

TEST_P(TurnInputSuite, ListsWhatWaitsAndNobodyHolds) {  // TI-LST-1,2,3,4,5,7
  EXPECT_THAT(List("nobody"), IsEmpty());
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Active("t")).input_id;
  const std::string c = Enqueue(Active("u")).input_id;
  const std::string d = Enqueue(Next()).input_id;
  Enqueue(Next("hi", "s2"));
  EXPECT_THAT(List(), ElementsAre(a, b, c, d));
  ClaimNext(lane, 10, 1);
  ClaimActive(lane, "t", kAfterWork, 10);
  Cancel(d);
  EXPECT_THAT(List(), ElementsAre(c));
  At(9);
  EXPECT_THAT(List(), ElementsAre(c));
  At(10);
  EXPECT_THAT(List(), ElementsAre(a, c));  // the Accepted one is not listed
  EXPECT_THAT(List(), ElementsAre(a, c));
  EXPECT_EQ(ListFull()[0].state, State::kDeferredNextTurn);
  At(9);  // a clock that goes back finds the claim live again
  EXPECT_THAT(List(), ElementsAre(c));
}

TEST_P(TurnInputSuite, ADeadHolderHidesWhatItHolds) {  // TI-LST-8, TI-NXT-2, TI-LAT-16
  const LeaseOwnerIdentity dead = Process("d", kDeadPid);
  const LeaseOwnerIdentity alive = Process("x", 1);
  SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Next()).input_id;
  const std::string c = Enqueue(Active("t")).input_id;
  const auto held = ClaimNextAs(dead, lane, 1000);
  EXPECT_THAT(IdsOf(held), ElementsAre(a, b));
  EXPECT_THAT(List(), ElementsAre(c));
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  EXPECT_EQ(ClaimNextAs(w_, lane), std::nullopt);  // an opaque claimant cannot tell
  const auto taken = ClaimNextAs(alive, lane, 1000, 1);
  EXPECT_THAT(IdsOf(taken), ElementsAre(a));
  EXPECT_GT(taken->fencing_token, held->fencing_token);
  EXPECT_EQ(ClaimNextAs(dead, lane, 1000)->inputs[0].input_id, b);  // b, and not a, whose new holder lives
  RefusesToSettle(lane, {CompletionOf(*held)}, *held);
  // Accepted rows of a dead holder stay his.
  EXPECT_TRUE(store().ClaimActiveTurnInputs({"s", FenceOf(lane), dead, "t", kAfterWork, 1000, 10}).value().has_value());
  EXPECT_EQ(store().ClaimActiveTurnInputs({"s", FenceOf(lane), alive, "t", kAfterWork, 1000, 10}).value(), std::nullopt);
}

TEST_P(TurnInputSuite, ADeadHoldersRowIsTakenOnceEvenWhenItsClaimLapsed) {  // TI-NXT-2,4
  SessionExecutionLease lane = Hold(w_);
  const LeaseOwnerIdentity dead = Process("d", kDeadPid);
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Next()).input_id;
  ClaimNextAs(dead, lane, 5, 1);
  ClaimNextAs(dead, lane, 1000, 1);
  const std::string c = Enqueue(Next()).input_id;
  At(10);  // a's claim lapsed, b's lives
  EXPECT_THAT(IdsOf(ClaimNextAs(Process("x", 1), lane)), ElementsAre(a, b, c));
}

// Cancel.

TEST_P(TurnInputSuite, CancelDecidesTargetByTarget) {  // TI-CAN-1,3,4,5,8,9
  const std::string a = Enqueue(Keyed("ka", Next())).input_id;
  const PendingTurnInput b = Enqueue(Active("t"));
  const std::string other = Enqueue(Keyed("ko", Next("hi", "s2"))).input_id;
  EXPECT_THAT(CancelAll({}), IsEmpty());
  const std::vector<PendingTurnInputCancelTarget> targets = {
      SourceKeyTarget{"ka"}, InputIdTarget{"none"}, InputIdTarget{other},      SourceKeyTarget{"ko"},
      InputIdTarget{"ka"},   SourceKeyTarget{a},    InputIdTarget{b.input_id}, InputIdTarget{a}};
  const auto results = CancelAll(targets);
  EXPECT_THAT(Words(results), ElementsAre("cancelled " + a, "not_found", "not_found", "not_found", "not_found", "not_found",
                                          "cancelled " + b.input_id, "already_cancelled " + a));
  for (std::size_t i = 0; i < targets.size(); ++i) EXPECT_EQ(results[i].target, targets[i]);
  PendingTurnInput cancelled = b;
  cancelled.state = State::kCancelled;
  EXPECT_EQ(RecordOf(results[6].outcome), cancelled);  // its ingress stays
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_THAT(List("s2"), ElementsAre(other));
}

TEST_P(TurnInputSuite, CancelSaysWhoHoldsWhatIsClaimed) {  // TI-CAN-6,7,10,12
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Active("t")).input_id;
  At(100);
  const auto next = ClaimNextAs(Owner("v"), lane, 50);
  const auto active = ClaimActive(lane, "t", kAfterWork, 50);
  auto outcome = Cancel(a);
  ASSERT_EQ(Word(outcome), "claimed " + a);
  const PendingTurnInputClaimDiagnostics held{State::kDeferredNextTurn, next->claim_id, Owner("v"), EpochMs{150},
                                              next->fencing_token};
  EXPECT_EQ(std::get<TurnInputAlreadyClaimed>(outcome).claim, held);
  EXPECT_EQ(RecordOf(outcome), next->inputs[0]);
  At(150);
  outcome = Cancel(b);
  ASSERT_EQ(Word(outcome), "claimed " + b);
  const PendingTurnInputClaimDiagnostics accepted{State::kAccepted, active->claim_id, w_, EpochMs{150}, active->fencing_token};
  EXPECT_EQ(std::get<TurnInputAlreadyClaimed>(outcome).claim, accepted);
  EXPECT_EQ(RecordOf(outcome), active->inputs[0]);
  // A lapsed claim that lost its row is powerless over it.
  EXPECT_EQ(Word(Cancel(a)), "cancelled " + a);
  RefusesToSettle(lane, {CompletionOf(*next)}, *next);
  Abandon(*next);
  EXPECT_EQ(Now(a).state, State::kCancelled);
  Settle(lane, {*active});
  EXPECT_EQ(Word(Cancel(b)), "completed " + b);
}

TEST_P(TurnInputSuite, CancelOneNeverLooksForKeys) {  // TI-CAN1-1,2
  const std::string a = Enqueue(Keyed("k", Next())).input_id;
  EXPECT_EQ(Word(Cancel("k")), "not_found");
  EXPECT_EQ(Word(Cancel(a, "s2")), "not_found");
  EXPECT_EQ(Word(Cancel(a)), "cancelled " + a);
  EXPECT_EQ(Word(Cancel(a)), "already_cancelled " + a);
}

TEST_P(TurnInputSuite, SuffixCancelsFromTheAnchorOn) {  // TI-SFX-1..8
  const SessionExecutionLease lane = Hold(w_);
  const std::string z = Enqueue(Next()).input_id;
  const std::string a = Enqueue(Keyed("ka", Next())).input_id;
  const std::string b = Enqueue(Active("t")).input_id;
  const std::string elsewhere = Enqueue(Next("hi", "s2")).input_id;
  const std::string c = Enqueue(Active("u")).input_id;
  const auto claim = ClaimActive(lane, "t");
  Settle(lane, {*ClaimActive(lane, "u")});
  const std::string d = Enqueue(Next()).input_id;
  EXPECT_EQ(Suffix(SourceKeyTarget{"nope"}), PendingTurnInputSuffixCancelOutcome(SuffixAnchorNotFound{SourceKeyTarget{"nope"}}));
  EXPECT_THAT(Words(Suffix(InputIdTarget{elsewhere})), ElementsAre("no anchor"));
  EXPECT_THAT(Words(Suffix(InputIdTarget{c})), ElementsAre("completed " + c, "cancelled " + d));
  const auto suffix = Suffix(SourceKeyTarget{"ka"});
  EXPECT_THAT(Words(suffix), ElementsAre("cancelled " + a, "claimed " + b, "completed " + c, "already_cancelled " + d));
  EXPECT_EQ(std::get<SuffixOutcomes>(suffix).anchor, PendingTurnInputCancelTarget(SourceKeyTarget{"ka"}));
  const std::string e = Enqueue(Next()).input_id;
  EXPECT_THAT(Words(Suffix(InputIdTarget{b})),
              ElementsAre("claimed " + b, "completed " + c, "already_cancelled " + d, "cancelled " + e));
  EXPECT_THAT(List(), ElementsAre(z));
  EXPECT_THAT(List("s2"), ElementsAre(elsewhere));
  Abandon(*claim);
  EXPECT_THAT(List(), ElementsAre(z, b));
}

// Claims of a turn.

TEST_P(TurnInputSuite, ATurnClaimsItsFirstAdmittedRows) {  // TI-ACT-1,3,4,5,6,7,8,9,12
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Active("t", kBeforeCompletion)).input_id;
  const std::string b = Enqueue(Active("u")).input_id;
  const std::string n = Enqueue(Next()).input_id;
  const std::string c = Enqueue(Active("t")).input_id;
  const std::string d = Enqueue(Active("t")).input_id;
  Enqueue(Active("t", kAfterWork, "hi", "s2"));
  EXPECT_EQ(ClaimActive(lane, "t", kAfterWork, 1000, 0), std::nullopt);
  EXPECT_EQ(ClaimActive(lane, "T"), std::nullopt);
  EXPECT_EQ(ClaimActive(lane, ""), std::nullopt);
  At(20);
  const Claimed granted = store().ClaimActiveTurnInputs({"s", FenceOf(lane), Owner("v"), "t", kAfterWork, 30, 1});
  const TurnInputClaim& first = **granted;
  EXPECT_THAT(IdsOf(first.inputs), ElementsAre(c));
  EXPECT_EQ(first.inputs[0].state, State::kAccepted);
  EXPECT_EQ(first.inputs[0].ingress, TurnInputIngress(ActiveTurnIngress{"t"}));
  EXPECT_EQ(first.session_id, "s");
  EXPECT_EQ(first.owner, Owner("v"));
  EXPECT_EQ(first.claimed_at_epoch_ms, 20u);
  EXPECT_EQ(first.expires_at_epoch_ms, 50u);
  EXPECT_EQ(first.mode, TurnInputClaimMode(ActiveTurnClaimMode{"t", kAfterWork}));
  EXPECT_THAT(List(), ElementsAre(a, b, n, d));
  const auto second = ClaimActive(lane, "t", kBeforeCompletion);
  EXPECT_THAT(IdsOf(second), ElementsAre(a, d));
  EXPECT_EQ(second->mode, TurnInputClaimMode(ActiveTurnClaimMode{"t", kBeforeCompletion}));
  EXPECT_NE(first.claim_id, second->claim_id);
  EXPECT_NE(first.lease_token, second->lease_token);
  EXPECT_EQ(ClaimActive(lane, "t", kBeforeCompletion), std::nullopt);
  EXPECT_EQ(ClaimNext(lane, 1000, 1)->inputs[0].input_id, n);
}

TEST_P(TurnInputSuite, ClaimsNeedTheLane) {  // TI-ACT-1,2, TI-NXT-1
  Enqueue(Next());
  Enqueue(Active("t"));
  SessionExecutionLease none;
  none.session_id = "s";
  const StoreError expired = SessionExecutionLeaseExpired{"s"};
  const auto refused = [&](const SessionExecutionLease& lane) {
    const Claimed next = store().ClaimNextTurnInputs({"s", FenceOf(lane), lane.owner, 1000, 10});
    const Claimed active = store().ClaimActiveTurnInputs({"s", FenceOf(lane), lane.owner, "t", kAfterWork, 1000, 10});
    return !next.has_value() && next.error() == expired && !active.has_value() && active.error() == expired;
  };
  EXPECT_TRUE(refused(none));
  EXPECT_EQ(TryNext(none, 1000, 0).value(), std::nullopt);
  EXPECT_EQ(TryActive(none, "t", kAfterWork, 1000, 0).value(), std::nullopt);
  EXPECT_TRUE(refused(Hold(w_, 100, "s2")));
  const SessionExecutionLease lane = Hold(w_, 100);
  for (int part = 0; part < 4; ++part) {
    SessionExecutionLease bad = lane;
    if (part == 0) bad.lease_token += "x";
    if (part == 1) bad.fencing_token += 1;
    if (part == 2) bad.owner.incarnation_id += "x";
    if (part == 3) bad.owner.owner_id += "x";
    EXPECT_TRUE(refused(bad)) << part;
  }
  At(100);
  EXPECT_TRUE(refused(lane));
  At(99);
  EXPECT_TRUE(store().RenewSessionExecutionLease({FenceOf(lane), 100}).has_value());
  At(100);
  EXPECT_TRUE(TryNext(lane).value().has_value());  // the fence of before the renewal
  EXPECT_TRUE(store().ReleaseSessionExecutionLease({ReleaseOf(lane)}).has_value());
  EXPECT_TRUE(refused(lane));
  Hold(w_, 100);
  EXPECT_TRUE(refused(lane));
  EXPECT_EQ(List().size(), 1u);
}

TEST_P(TurnInputSuite, DeferredRowsAreNoTurnsAnyMore) {  // TI-ACT-10, TI-NXT-3,10
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Active("t")).input_id;
  const std::string b = Enqueue(Next()).input_id;
  const std::string c = Enqueue(Active("u")).input_id;
  EXPECT_THAT(IdsOf(ClaimNext(lane, 0, 10)), ElementsAre(b));
  Interrupt(lane, "t");
  EXPECT_EQ(ClaimActive(lane, "t", kBeforeCompletion), std::nullopt);
  EXPECT_THAT(IdsOf(ClaimNext(lane)), ElementsAre(a, b));
  EXPECT_THAT(List(), ElementsAre(c));
}

TEST_P(TurnInputSuite, LapsedAcceptedRowsAreStranded) {  // TI-LAT-1, TI-ACT-9, TI-NXT-3, TI-LST-5, TI-ABN-7
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Active("t")).input_id;
  const auto claim = ClaimActive(lane, "t", kAfterWork, 10);
  At(1000);
  EXPECT_EQ(ClaimActive(lane, "t", kBeforeCompletion), std::nullopt);
  EXPECT_EQ(ClaimNext(lane), std::nullopt);
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  Abandon(*claim);
  EXPECT_THAT(List(), ElementsAre(a));
  EXPECT_EQ(ListFull()[0].state, State::kPendingActive);
  EXPECT_GT(ClaimActive(lane, "t")->fencing_token, claim->fencing_token);
}

// The ends of time.

TEST_P(TurnInputSuite, ATtlOfZeroGrantsWhatHasLapsed) {  // TI-ACT-11, TI-NXT-9
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Next()).input_id;
  At(7);
  const auto first = ClaimNext(lane, 0);
  EXPECT_EQ(first->expires_at_epoch_ms, 7u);
  EXPECT_THAT(List(), ElementsAre(a));
  const auto second = ClaimNext(lane, 0);
  EXPECT_THAT(IdsOf(second), ElementsAre(a));
  EXPECT_GT(second->fencing_token, first->fencing_token);
  RefusesToSettle(lane, {CompletionOf(*first)}, *first);
  Settle(lane, {*second});

  const std::string b = Enqueue(Active("t")).input_id;
  const auto active = ClaimActive(lane, "t", kAfterWork, 0);
  EXPECT_EQ(active->inputs[0].state, State::kAccepted);
  EXPECT_EQ(ClaimActive(lane, "t", kAfterWork, 0), std::nullopt);
  Settle(lane, {*active});
  EXPECT_EQ(Now(b).state, State::kCompleted);
}

TEST_P(TurnInputSuite, AnEndlessTtlEndsAtTheEndOfTime) {  // TI-ACT-11, TI-INV-20, TI-LAT-10,11
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Next()).input_id;
  Enqueue(Active("t"));
  At(5);
  const auto next = ClaimNext(lane, kEndOfTime, kEndOfTime);
  EXPECT_EQ(next->expires_at_epoch_ms, kEndOfTime);
  EXPECT_EQ(ClaimActive(lane, "t", kAfterWork, kEndOfTime - 5, kEndOfTime)->expires_at_epoch_ms, kEndOfTime);
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  At(kMaxVirtualTime);
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  EXPECT_EQ(ClaimNext(lane), std::nullopt);
}

TEST_P(TurnInputSuite, ExpiryIsTheFirstInstantWithoutTheClaim) {  // TI-NXT-6,7,8
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Next()).input_id;
  const auto both = ClaimNext(lane, 10);
  At(9);
  EXPECT_EQ(ClaimNext(lane), std::nullopt);
  EXPECT_EQ(Word(Cancel(b)), "claimed " + b);
  At(10);
  const auto one = ClaimNext(lane, 10, 1);
  EXPECT_THAT(IdsOf(one), ElementsAre(a));
  EXPECT_GT(one->fencing_token, both->fencing_token);
  RefusesToSettle(lane, {CompletionOf(*both)}, *both);
  TurnInputCompletion rest = CompletionOf(*both);
  rest.input_ids = {b};
  EXPECT_TRUE(Commit(CommitOf(lane, {rest})).has_value());
  EXPECT_EQ(Now(b).state, State::kCompleted);
  At(9);  // the clock goes back: a is still under the newer claim
  EXPECT_THAT(List(), IsEmpty());
}

// Claims for the next turn.

TEST_P(TurnInputSuite, TheNextTurnClaimsWhatNobodyHolds) {  // TI-NXT-2,4,5,6, TI-LAT-17
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Next()).input_id;
  const std::string c = Enqueue(Next()).input_id;
  const auto first = ClaimNext(lane, 10, 1);
  EXPECT_THAT(IdsOf(first), ElementsAre(a));
  EXPECT_EQ(first->inputs[0].state, State::kDeferredNextTurn);
  EXPECT_EQ(first->mode, TurnInputClaimMode(NextTurnClaimMode{}));
  Cancel(b);
  EXPECT_THAT(IdsOf(ClaimNextAs(Owner("v"), lane)), ElementsAre(c));
  EXPECT_EQ(ClaimNext(lane), std::nullopt);
  EXPECT_EQ(ClaimNext(lane, 10, 0), std::nullopt);
}

// Abandon.

TEST_P(TurnInputSuite, AbandonGivesBackWhatTheTokenOwns) {  // TI-ABN-1..6,8
  const SessionExecutionLease lane = Hold(w_);
  const PendingTurnInput a = Enqueue(Next());
  const PendingTurnInput b = Enqueue(Next());
  const PendingTurnInput c = Enqueue(Active("t"));
  const auto next = ClaimNext(lane);
  const auto active = ClaimActive(lane, "t");
  TurnInputClaim other = *next;
  other.lease_token += "x";
  Abandon(other);
  other = *next;
  other.session_id = "s2";
  Abandon(other);
  other = *next;
  other.claim_id = active->claim_id;
  Abandon(other);
  EXPECT_THAT(List(), IsEmpty());
  other = *next;
  other.inputs = {};
  other.owner = Owner("nobody");
  Abandon(other);  // by token, not by what the value lists
  EXPECT_THAT(ListFull(), ElementsAre(a, b));
  Abandon(*active);
  EXPECT_THAT(ListFull(), ElementsAre(a, b, c));
  const auto again = ClaimNext(lane, 10, 1);
  EXPECT_GT(again->fencing_token, next->fencing_token);
  Abandon(*next);
  Abandon(*active);
  EXPECT_EQ(Word(Cancel(a.input_id)), "claimed " + a.input_id);
  Settle(lane, {*again});
  Abandon(*again);
  EXPECT_EQ(Now(a.input_id).state, State::kCompleted);
}

// Settlement.

TEST_P(TurnInputSuite, OddCompletionsFailOrDoWhatTheyList) {  // TI-LAT-6,7, TI-CMT-4,6,8,9
  const SessionExecutionLease lane = Hold(w_);
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Next()).input_id;
  const std::string other = Enqueue(Next()).input_id;
  const auto claim = ClaimNext(lane, 1000, 2);
  const TurnInputCompletion whole = CompletionOf(*claim);
  const auto with = [&](std::vector<std::string> ids) {
    TurnInputCompletion completion = whole;
    completion.input_ids = std::move(ids);
    return completion;
  };
  RefusesToSettle(lane, {with({a, a})}, *claim);
  RefusesToSettle(lane, {with({a, "unknown"})}, *claim);
  RefusesToSettle(lane, {with({a, other})}, *claim);
  RefusesToSettle(lane, {whole, whole}, *claim);
  RefusesToSettle(lane, {with({a}), with({b, a})}, *claim);
  TurnInputCompletion bad = whole;
  bad.lease_token += "x";
  RefusesToSettle(lane, {bad}, *claim);
  bad = whole;
  bad.session_id = "s2";
  auto foreign = Commit(CommitOf(lane, {bad}));
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error(), StoreError(TurnInputClaimExpired{"s2", claim->claim_id}));
  EXPECT_THAT(List(), ElementsAre(other));
  EXPECT_TRUE(Commit(CommitOf(lane, {with({})})).has_value());
  EXPECT_TRUE(Commit(CommitOf(lane, {with({b})})).has_value());
  EXPECT_EQ(Now(b).state, State::kCompleted);
  EXPECT_EQ(Now(a).state, State::kDeferredNextTurn);
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  EXPECT_TRUE(Commit(CommitOf(lane, {with({a}), with({})})).has_value());
  RefusesToSettle(lane, {whole}, *claim);
}

TEST_P(TurnInputSuite, AFailedCommitChangesNeitherQueueNorInputs) {  // TI-CMT-1,2,7, SC-CMT-11
  const SessionExecutionLease lane = Hold(w_);
  QueuedWorkBatchDraft draft;
  draft.session_id = "s";
  draft.payloads = {ProcessWake{}};
  const QueuedWorkBatch batch = store().EnqueueQueuedWork({draft}).value();
  const auto work = store().ClaimReadyQueuedWork({"s", FenceOf(lane), w_, QueuedWorkClaimBoundary::kIdle, 1000, 1}).value();
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Active("t")).input_id;
  const std::string c = Enqueue(Active("t", kBeforeCompletion)).input_id;
  const auto first = ClaimNext(lane);
  const auto second = ClaimActive(lane, "t");
  RuntimeCommit commit = CommitOf(lane, {CompletionOf(*first), CompletionOf(*second)}, "t");
  commit.completed_queue_claims = {CompletionOf(*work)};
  commit.turn_commit = RuntimeTurnCommitStamp{"s", "turn", "hash"};
  commit.release_session_execution_lease = ReleaseOf(lane);
  RuntimeCommit bad = commit;
  bad.completed_turn_input_claims[1].lease_token += "x";
  auto result = Commit(bad);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error(), StoreError(TurnInputClaimExpired{"s", second->claim_id}));
  bad.completed_queue_claims[0].lease_token += "x";  // the queue is checked first
  result = Commit(bad);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error(), StoreError(QueuedWorkClaimExpired{"s", work->claim_id}));
  bad.expected_head_revision = 5;
  result = Commit(bad);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error(), StoreError(HeadRevisionConflict{5, 0}));
  EXPECT_THAT(List(), ElementsAre(c));
  EXPECT_EQ(ListFull()[0].state, State::kPendingActive);
  EXPECT_EQ(store().ListQueuedWork({"s"}).value().size(), 1u);
  EXPECT_EQ(store().LoadSession({}).value(), std::nullopt);
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  EXPECT_EQ(Now(b).state, State::kAccepted);
  EXPECT_EQ(Commit(commit).value().head_revision, 1u);
  EXPECT_EQ(Now(a).state, State::kCompleted);
  EXPECT_EQ(Now(b).state, State::kCompleted);
  EXPECT_EQ(Now(b).ingress, TurnInputIngress(ActiveTurnIngress{"t"}));
  EXPECT_EQ(Now(c).state, State::kDeferredNextTurn);
  EXPECT_EQ(store().ListQueuedWork({"s"}).value().size(), 0u);
}

TEST_P(TurnInputSuite, AReplayAppliesNothingAgain) {  // TI-CMT-3,12
  const SessionExecutionLease lane = Hold(w_);
  Enqueue(Active("t"));
  const auto claim = ClaimActive(lane, "t");
  RuntimeCommit commit = CommitOf(lane, {CompletionOf(*claim)}, "t");
  commit.turn_commit = RuntimeTurnCommitStamp{"s", "turn", "hash"};
  const auto result = Commit(commit);
  const PendingTurnInput late = Enqueue(Active("t"));
  EXPECT_EQ(Commit(commit), result);
  EXPECT_THAT(ListFull(), ElementsAre(late));
  commit.turn_commit->turn_commit_hash = "other";
  EXPECT_EQ(Commit(commit).error(), StoreError(RuntimeTurnCommitConflict{"s", "turn"}));
}

TEST_P(TurnInputSuite, AnInterruptDefersWhatItsTurnLeft) {  // TI-CMT-10,11,12, TI-LAT-23
  const SessionExecutionLease lane = Hold(w_);
  const PendingTurnInput a = Enqueue(Keyed("k", Active("t")));
  const PendingTurnInput b = Enqueue(Active("t", kBeforeCompletion));
  const PendingTurnInput u = Enqueue(Active("u"));
  const PendingTurnInput held = Enqueue(Active("t"));
  const PendingTurnInput gone = Enqueue(Active("t"));
  const PendingTurnInput elsewhere = Enqueue(Active("t", kAfterWork, "hi", "s2"));
  Cancel(gone.input_id);
  // Hold only one of t's rows: the others are not admitted or come later.
  const auto claim = ClaimActive(lane, "t", kAfterWork, 1000, 1);
  EXPECT_THAT(IdsOf(claim), ElementsAre(a.input_id));
  Interrupt(lane, "t");
  PendingTurnInput deferred_b = b;
  deferred_b.ingress = NextTurnIngress{};
  deferred_b.state = State::kDeferredNextTurn;
  PendingTurnInput deferred_held = held;
  deferred_held.ingress = NextTurnIngress{};
  deferred_held.state = State::kDeferredNextTurn;
  EXPECT_THAT(ListFull(), ElementsAre(deferred_b, u, deferred_held));
  EXPECT_EQ(Now(a.input_id).state, State::kAccepted);
  EXPECT_EQ(Now(gone.input_id).state, State::kCancelled);
  EXPECT_THAT(ListFull("s2"), ElementsAre(elsewhere));
  Interrupt(lane, "t");
  EXPECT_THAT(ListFull(), ElementsAre(deferred_b, u, deferred_held));
  const PendingTurnInput late = Enqueue(Active("t"));
  EXPECT_EQ(late.state, State::kPendingActive);
  Abandon(*claim);
  EXPECT_EQ(Now(a.input_id), a);
}

TEST_P(TurnInputSuite, ClaimsOutliveTheLane) {  // TI-CMT-13,14,15
  SessionExecutionLease lane = Hold(w_, 100);
  const std::string a = Enqueue(Next()).input_id;
  const auto claim = ClaimNext(lane, 1000);
  auto refused = Commit([&] {
    RuntimeCommit commit = CommitOf(lane, {CompletionOf(*claim)});
    commit.session_execution_lease.reset();
    return commit;
  }());
  EXPECT_EQ(refused.error(), StoreError(SessionExecutionLeaseExpired{"s"}));
  RuntimeCommit releasing = CommitOf(lane);
  releasing.release_session_execution_lease = ReleaseOf(lane);
  EXPECT_TRUE(Commit(releasing).has_value());
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  lane = Hold(Owner("v"), 100);
  EXPECT_EQ(ClaimNext(lane), std::nullopt);
  Settle(lane, {*claim});
  EXPECT_EQ(Now(a).state, State::kCompleted);
}

// Vacuum.

TEST_P(TurnInputSuite, VacuumRemovesTombstonesOnly) {  // TI-VAC-1..4, TI-ENQ-3,13
  const SessionExecutionLease lane = Hold(w_);
  EXPECT_EQ(Vacuum(), 0u);
  const PendingTurnInput done = Enqueue(Keyed("done", Next()));
  Settle(lane, {*ClaimNext(lane)});
  const std::string held = Enqueue(Next()).input_id;
  const auto claim = ClaimNext(lane, 1000);
  const std::string accepted = Enqueue(Active("t")).input_id;
  const auto active = ClaimActive(lane, "t", kAfterWork, 0);
  const std::string waits = Enqueue(Active("u")).input_id;
  const PendingTurnInput other = Enqueue(Next("hi", "s2"));
  Cancel(other.input_id, "s2");
  const PendingTurnInput last = Enqueue(WithId("mine", Keyed("k", Next())));
  Cancel("mine");
  EXPECT_EQ(Vacuum(), 3u);
  EXPECT_EQ(Vacuum(), 0u);
  EXPECT_EQ(Word(Cancel(done.input_id)), "not_found");
  EXPECT_THAT(Words(Suffix(SourceKeyTarget{"k"})), ElementsAre("no anchor"));
  EXPECT_THAT(List(), ElementsAre(waits));
  EXPECT_EQ(Word(Cancel(held)), "claimed " + held);
  EXPECT_EQ(Now(accepted).state, State::kAccepted);
  const PendingTurnInput anew = Enqueue(WithId("mine", Keyed("k", Next("other"))));
  EXPECT_EQ(anew.input_id, "mine");
  EXPECT_GT(anew.enqueue_seq, last.enqueue_seq);
  EXPECT_GT(Enqueue(Next("hi", "s2")).enqueue_seq, other.enqueue_seq);
  Settle(lane, {*claim, *active});
}

TEST_P(TurnInputSuite, NoIdIsIssuedThatWasEverGiven) {  // TI-ENQ-4
  std::set<std::string> seen;
  // Ids that look like those the store is about to issue, given and vacuumed.
  const std::string issued = Enqueue(Next("hi", "guess")).input_id;
  seen.insert(issued);
  for (int ahead = 1; ahead < 10; ++ahead) {
    std::string guess = issued;
    guess.back() = static_cast<char>(guess.back() + ahead);
    if (!seen.insert(guess).second) continue;
    Enqueue(WithId(guess, Next("hi", "guess")));
    Cancel(guess, "guess");
  }
  Vacuum();
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(seen.insert(Enqueue(Next()).input_id).second);
}

TEST_P(TurnInputSuite, ManyRowsInFrontHideNothing) {  // TI-LAT-9, TI-ACT-4
  const SessionExecutionLease lane = Hold(w_);
  for (int i = 0; i < 70; ++i) Enqueue(Active("old"));
  for (int i = 0; i < 70; ++i) Enqueue(Active("live", kBeforeCompletion));
  for (int i = 0; i < 70; ++i) Enqueue(Next());
  ClaimNext(lane, 1000, 70);
  const std::string x = Enqueue(Active("live")).input_id;
  const std::string y = Enqueue(Next()).input_id;
  EXPECT_THAT(IdsOf(ClaimActive(lane, "live", kAfterWork, 1000, 1)), ElementsAre(x));
  EXPECT_THAT(IdsOf(ClaimNext(lane, 1000, 1)), ElementsAre(y));
  EXPECT_EQ(ClaimActive(lane, "live", kBeforeCompletion, 1000, 100)->inputs.size(), 70u);
}

// The worked examples of turn-input.md, section 6, that the tests above do not go through to the letter.

TEST_P(TurnInputSuite, Example2TombstoneReplay) {
  const PendingTurnInput a = Enqueue(Keyed("k", Next("hi")));
  PendingTurnInput cancelled = a;
  cancelled.state = State::kCancelled;
  EXPECT_EQ(Cancel(a.input_id), PendingTurnInputCancelOutcome(TurnInputCancelled{cancelled}));
  EXPECT_EQ(Enqueue(Keyed("k", Next("hi"))), cancelled);
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(Vacuum(), 1u);
  EXPECT_EQ(Word(Cancel(a.input_id)), "not_found");
  const PendingTurnInput anew = Enqueue(Keyed("k", Next("ho")));
  EXPECT_NE(anew.input_id, a.input_id);
  EXPECT_GT(anew.enqueue_seq, a.enqueue_seq);
}

TEST_P(TurnInputSuite, Example4BoundaryOrder) {
  const SessionExecutionLease lane = Hold(w_, 100000);
  const std::string a = Enqueue(Active("t", kBeforeCompletion)).input_id;
  const std::string b = Enqueue(Active("t")).input_id;
  EXPECT_THAT(IdsOf(ClaimActive(lane, "t", kAfterWork)), ElementsAre(b));
  EXPECT_THAT(List(), ElementsAre(a));
  EXPECT_THAT(IdsOf(ClaimActive(lane, "t", kBeforeCompletion)), ElementsAre(a));
}

TEST_P(TurnInputSuite, Examples6To9ExpiryOfANextTurnClaim) {
  const SessionExecutionLease lane = Hold(w_, 100000);
  const std::string a = Enqueue(Next()).input_id;
  const auto c1 = ClaimNext(lane, 1000);
  At(500);
  EXPECT_EQ(ClaimNext(lane), std::nullopt);
  At(999);
  EXPECT_THAT(List(), IsEmpty());
  At(1000);
  EXPECT_THAT(List(), ElementsAre(a));
  const auto c2 = ClaimNext(lane, 1000);
  EXPECT_GT(c2->fencing_token, c1->fencing_token);
  RefusesToSettle(lane, {CompletionOf(*c1)}, *c1);
  Abandon(*c1);
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  Settle(lane, {*c2});
  const std::string b = Enqueue(Next()).input_id;
  const auto late = ClaimNext(lane, 1000);
  At(5000);
  Settle(lane, {*late});
  EXPECT_EQ(Now(b).state, State::kCompleted);
}

TEST_P(TurnInputSuite, Example11Interrupt) {
  const SessionExecutionLease lane = Hold(w_, 100000);
  Enqueue(Active("t"));
  const std::string b = Enqueue(Active("t")).input_id;
  const std::string d = Enqueue(Active("t", kBeforeCompletion)).input_id;
  const std::string e = Enqueue(Active("u")).input_id;
  const auto c = ClaimActive(lane, "t", kAfterWork, 1000, 1);
  Settle(lane, {*c}, "t");
  EXPECT_THAT(List(), ElementsAre(b, d, e));
  EXPECT_EQ(ListFull()[2].state, State::kPendingActive);
  EXPECT_THAT(IdsOf(ClaimNext(lane)), ElementsAre(b, d));
}

TEST_P(TurnInputSuite, Examples14And15PartOfAClaimIsRetaken) {
  const SessionExecutionLease lane = Hold(w_, 100000);
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Next()).input_id;
  const auto c1 = ClaimNext(lane, 10, 2);
  At(10);
  const auto c2 = ClaimNext(lane, 1000, 1);
  TurnInputCompletion rest = CompletionOf(*c1);
  RefusesToSettle(lane, {rest}, *c1);
  Abandon(*c1);
  EXPECT_THAT(List(), ElementsAre(b));
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  rest.input_ids = {b};
  RefusesToSettle(lane, {rest}, *c1);
  Settle(lane, {*c2});
}

TEST_P(TurnInputSuite, Example16AllOrNothing) {
  const SessionExecutionLease lane = Hold(w_, 100000);
  const std::string a = Enqueue(Next()).input_id;
  const auto c1 = ClaimNext(lane, 1000, 1);
  Enqueue(Next());
  const auto c2 = ClaimNext(lane, 1000, 1);
  Abandon(*c2);
  RefusesToSettle(lane, {CompletionOf(*c1), CompletionOf(*c2)}, *c2);
  EXPECT_EQ(Word(Cancel(a)), "claimed " + a);
  Settle(lane, {*c1});
}

TEST_P(TurnInputSuite, Example18FencingTokensNeverDrift) {  // TI-LAT-5
  const SessionExecutionLease lane = Hold(w_, 100000);
  const std::string a = Enqueue(Next()).input_id;
  const std::string b = Enqueue(Next()).input_id;
  auto claim = ClaimNext(lane, 1000, 1);
  EXPECT_EQ(claim->fencing_token, 1u);
  Abandon(*claim);
  claim = ClaimNext(lane, 1000, 2);
  EXPECT_EQ(claim->fencing_token, 2u);
  EXPECT_EQ(std::get<TurnInputAlreadyClaimed>(Cancel(b)).claim->claim_fencing_token, 2u);
  Abandon(*claim);
  Cancel(a);
  claim = ClaimNext(lane);
  EXPECT_THAT(IdsOf(claim), ElementsAre(b));
  EXPECT_EQ(claim->fencing_token, 3u);
}

}  // namespace leasecheck::session_store
