// The scans and probes of turn inputs on hand-made histories: each clause once broken, once kept, and where overlap excuses it,
// once excused.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/session_store/clauses.h"
#include "properties/session_store_calls.h"
#include "properties/session_store_scans.h"

namespace leasecheck::session_store {
namespace {

using F = SessionStoreFamily;
using testing::ElementsAre;
using testing::IsEmpty;

LeaseOwnerIdentity Owner(const std::string& name) { return {name, name + "1", OpaqueOwner{}}; }
LeaseOwnerIdentity DeadOwner(const std::string& name) { return {name, name + "1", LocalProcessOwner{"h", "b", kDeadPid, "1"}}; }
LeaseOwnerIdentity AliveOwner(const std::string& name) { return {name, name + "1", LocalProcessOwner{"h", "b", 1, "1"}}; }

PendingTurnInput Input(const std::string& id, uint64_t seq, const std::string& session = "s") {
  PendingTurnInput input;
  input.input_id = id;
  input.session_id = session;
  input.enqueue_seq = seq;
  return input;
}
PendingTurnInput ForTurn(PendingTurnInput input) {
  input.ingress = ActiveTurnIngress{"t", {}};
  input.state = TurnInputState::kPendingActive;
  return input;
}
PendingTurnInput In(TurnInputState state, PendingTurnInput input) {
  input.state = state;
  return input;
}
TurnInputClaim Claim(const std::string& id, uint64_t fencing, EpochMs expires, std::vector<PendingTurnInput> inputs,
                     LeaseOwnerIdentity owner = Owner("X")) {
  TurnInputClaim claim;
  claim.session_id = "s";
  claim.claim_id = id;
  claim.lease_token = id + "-token";
  claim.owner = std::move(owner);
  claim.fencing_token = fencing;
  claim.claimed_at_epoch_ms = 1000;
  claim.expires_at_epoch_ms = expires;
  claim.inputs = std::move(inputs);
  return claim;
}
TurnInputClaim OfTurn(TurnInputClaim claim) {
  claim.mode = ActiveTurnClaimMode{"t", {}};
  for (PendingTurnInput& input : claim.inputs) input.state = TurnInputState::kAccepted;
  return claim;
}

// Builds a history call by call; calls follow one another unless Overlapping is said.
class Builder {
 public:
  Builder() { history_.start = 1000; }
  Builder& Enqueue(const PendingTurnInput& input, std::optional<std::string> key = std::nullopt,
                   std::optional<std::string> id = std::nullopt) {
    PendingTurnInputDraft draft;
    draft.session_id = input.session_id;
    draft.source_key = std::move(key);
    draft.input_id = std::move(id);
    return Add(EnqueuePendingTurnInputRequest{std::move(draft)}, input);
  }
  Builder& List(std::vector<PendingTurnInput> inputs, const std::string& session = "s") {
    return Add(ListPendingTurnInputsRequest{session}, std::move(inputs));
  }
  Builder& Grant(const TurnInputClaim& claim) {
    const DurationMs ttl = claim.expires_at_epoch_ms - claim.claimed_at_epoch_ms;
    if (std::holds_alternative<ActiveTurnClaimMode>(claim.mode)) {
      return Add(ClaimActiveTurnInputsRequest{"s", {}, claim.owner, "t", {}, ttl, 10}, std::optional(claim));
    }
    return Add(ClaimNextTurnInputsRequest{"s", {}, claim.owner, ttl, 10}, std::optional(claim));
  }
  Builder& Abandon(const TurnInputClaim& claim) { return Add(AbandonTurnInputClaimRequest{claim}, Done{}); }
  Builder& Cancel(PendingTurnInput input) {
    input.state = TurnInputState::kCancelled;
    return Outcome(input.input_id, TurnInputCancelled{input});
  }
  Builder& Outcome(const std::string& id, PendingTurnInputCancelOutcome outcome) {
    return Add(CancelPendingTurnInputRequest{"s", id}, std::move(outcome));
  }
  Builder& Commit(std::vector<TurnInputCompletion> completions, std::optional<std::string> turn = std::nullopt) {
    return Add(CommitOf(std::move(completions), std::move(turn)), RuntimeCommitResult{});
  }
  Builder& FailedCommit(std::vector<TurnInputCompletion> completions) {
    return AddOutcome(CommitOf(std::move(completions), std::nullopt), OutcomeOf<F>(std::in_place_index<1>, Backend{}));
  }
  Builder& Vacuum() { return Add(VacuumRequest{}, VacuumReport{}); }
  Builder& Clock(EpochMs now) {
    Next().action = engine::SetClock{now};
    return *this;
  }
  // The last two calls overlap.
  Builder& Overlapping() {
    auto& calls = history_.calls;
    std::swap(calls[calls.size() - 2].returned, calls[calls.size() - 1].returned);
    return *this;
  }
  // Nobody saw the last call's answer.
  Builder& Unseen() {
    history_.calls.back().outcome = Indefinite{};
    return *this;
  }

  std::vector<std::string> Broken(ClauseHits* hits = nullptr, const Dialects* dialects = nullptr) const {
    std::vector<std::string> clauses;
    const FixedLiveness liveness;
    const SpecSetup setup{dialects, &liveness};
    for (const auto& findings : {ScanInputs(history_, setup, hits), ProbeInputs(history_, hits)}) {
      for (const engine::Finding& finding : findings) {
        EXPECT_FALSE(finding.explanation.empty());
        clauses.push_back(finding.clause);
      }
    }
    return clauses;
  }

 private:
  static CommitRuntimeStateRequest CommitOf(std::vector<TurnInputCompletion> completions, std::optional<std::string> turn) {
    CommitRuntimeStateRequest request;
    request.commit.session_id = "s";
    request.commit.completed_turn_input_claims = std::move(completions);
    if (turn.has_value()) request.commit.turn_commit = RuntimeTurnCommitStamp{"s", *turn, "h"};
    return request;
  }
  engine::CallRecord<F>& Next() {
    engine::CallRecord<F>& record = history_.calls.emplace_back();
    record.called = tick_++;
    record.returned = tick_++;
    return record;
  }
  template <class Request, class Response>
  Builder& Add(Request request, Response response) {
    constexpr std::size_t kIndex = OperationIndexOf<F, Request>();
    return AddOutcome(std::move(request),
                      OutcomeOf<F>(std::in_place_index<0>, ResponseOf<F>(std::in_place_index<kIndex>, std::move(response))));
  }
  template <class Request>
  Builder& AddOutcome(Request request, OutcomeOf<F> outcome) {
    engine::CallRecord<F>& record = Next();
    record.action = RequestOf<F>(std::move(request));
    record.outcome = std::move(outcome);
    return *this;
  }
  SessionHistory history_;
  engine::Instant tick_ = 0;
};

const PendingTurnInput kA = Input("A", 1);
const PendingTurnInput kB = Input("B", 2);
const PendingTurnInput kT = ForTurn(Input("T", 3));

TEST(TurnInputScansTest, ALifeWithoutFaultBreaksNothing) {
  const TurnInputClaim first = Claim("c1", 1, 1500, {kA, kB});
  const TurnInputClaim second = Claim("c2", 2, 1900, {kA}, Owner("Y"));
  const TurnInputClaim active = OfTurn(Claim("c3", 1, 1100, {kT}));
  TurnInputClaim again = OfTurn(Claim("c4", 2, 9000, {kT}));
  ClauseHits hits(std::size(kClauses));
  EXPECT_THAT(Builder()
                  .Enqueue(kA)
                  .Enqueue(kB, "k")
                  .Enqueue(kB, "k")
                  .Enqueue(kT)
                  .List({kA, kB, kT})
                  .FailedCommit({})
                  .List({kA, kB, kT})
                  .List({}, "other")
                  .Grant(first)
                  .List({}, "other")
                  .Grant(active)
                  .Abandon(active)
                  .List({kT})
                  .Abandon(active)
                  .List({kT})
                  .Outcome("T", TurnInputAlreadyClaimed{kA, std::nullopt})
                  .Grant(again)
                  .Clock(1500)
                  .Grant(second)
                  .Commit({CompletionOf(second), {"s", "c1", "c1-token", {"B"}}})
                  .Outcome("A", TurnInputAlreadyCompleted{In(TurnInputState::kCompleted, kA)})
                  .Outcome("A", TurnInputAlreadyCompleted{In(TurnInputState::kCompleted, kA)})
                  .Vacuum()
                  .Outcome("A", TurnInputNotFound{})
                  .Broken(&hits),
              IsEmpty());
  for (const char* id : {"TI-INV-2", "TI-INV-3", "TI-INV-4", "TI-INV-5", "TI-INV-6", "TI-INV-7", "TI-INV-8", "TI-INV-9",
                         "TI-INV-10", "TI-INV-13", "TI-INV-14", "TI-INV-15", "TI-INV-16", "TI-INV-17", "TI-INV-20"}) {
    EXPECT_GT(hits.held(static_cast<ClauseIndex>(FindClause(kClauses, id))), 0u) << id;
  }
}

TEST(TurnInputScansTest, NumbersRiseAndAreOfOneRow) {
  EXPECT_THAT(Builder().Enqueue(kB).Enqueue(kA).Broken(), ElementsAre("TI-INV-2"));
  EXPECT_THAT(Builder().Enqueue(kB).Enqueue(kA).Overlapping().Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA, "k").Enqueue(Input("C", 1), "k2").Broken(), ElementsAre("TI-INV-2"));
  EXPECT_THAT(Builder().List({kB, kA}).Broken(), ElementsAre("TI-INV-2"));
  EXPECT_THAT(Builder().Grant(Claim("c", 1, 1500, {kA, kA})).Broken(), ElementsAre("TI-INV-2"));
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(Input("A", 2)).Broken(), ElementsAre("TI-ENQ-4"));
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(Input("A", 2), std::nullopt, "A").Broken(), IsEmpty());
}

TEST(TurnInputScansTest, StatesFollowTheirArrows) {
  const PendingTurnInput cancelled = In(TurnInputState::kCancelled, kT);
  EXPECT_THAT(Builder().Cancel(kT).List({kT}).Broken(), ElementsAre("TI-INV-3"));
  EXPECT_THAT(Builder().Cancel(kT).List({kT}).Overlapping().Broken(), IsEmpty());
  EXPECT_THAT(Builder().Cancel(kT).Outcome("T", TurnInputAlreadyCompleted{In(TurnInputState::kCompleted, kT)}).Broken(),
              ElementsAre("TI-INV-3"));
  PendingTurnInput deferred = In(TurnInputState::kDeferredNextTurn, kT);
  deferred.ingress = NextTurnIngress{};
  EXPECT_THAT(Builder().List({kT}).List({deferred}).Broken(), ElementsAre("TI-LST-7"));  // nothing deferred it: the probe
  EXPECT_THAT(Builder().Enqueue(kT).Enqueue(deferred, "k").Broken(), IsEmpty());
  EXPECT_THAT(Builder()
                  .Enqueue(deferred, "k")
                  .Outcome("T", TurnInputAlreadyClaimed{In(TurnInputState::kAccepted, deferred), {}})
                  .Broken(),
              ElementsAre("TI-INV-3"));
}

TEST(TurnInputScansTest, ContentNeverChanges) {
  PendingTurnInput changed = kA;
  changed.input.items = {TextItem{"ho"}};
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(changed, "k").Broken(), ElementsAre("TI-INV-15"));
  PendingTurnInput other_turn = kT;
  other_turn.ingress = ActiveTurnIngress{"u", {}};
  EXPECT_THAT(Builder().Enqueue(kT).Enqueue(other_turn, "k").Broken(), ElementsAre("TI-INV-15"));
  PendingTurnInput deferred = In(TurnInputState::kDeferredNextTurn, kT);
  deferred.ingress = NextTurnIngress{};
  PendingTurnInput back = deferred;
  back.ingress = kT.ingress;
  EXPECT_THAT(Builder().Enqueue(kT).Enqueue(deferred, "k").Enqueue(back, "k").Broken(), ElementsAre("TI-INV-15"));
}

TEST(TurnInputScansTest, OneLiveClaimAtATime) {
  const TurnInputClaim first = Claim("c1", 1, 1500, {kA});
  const TurnInputClaim second = Claim("c2", 2, 1500, {kA});
  EXPECT_THAT(Builder().Grant(first).Grant(second).Broken(), ElementsAre("TI-INV-4"));
  EXPECT_THAT(Builder().Grant(first).Grant(second).Overlapping().Broken(), IsEmpty());
  EXPECT_THAT(Builder().Grant(first).Clock(1499).Grant(second).Broken(), ElementsAre("TI-INV-4"));
  EXPECT_THAT(Builder().Grant(first).Clock(1500).Grant(second).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Grant(first).Abandon(first).Grant(second).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Grant(first).Abandon(first).Unseen().Grant(second).Broken(), IsEmpty());
  const TurnInputClaim dead = Claim("c3", 1, 1500, {kA}, DeadOwner("D"));
  EXPECT_THAT(Builder().Grant(dead).Grant(Claim("c4", 2, 1500, {kA}, AliveOwner("L"))).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Grant(dead).Grant(second).Broken(), ElementsAre("TI-INV-4"));
}

TEST(TurnInputScansTest, AcceptedOnce) {
  const TurnInputClaim first = OfTurn(Claim("c1", 1, 1500, {kT}));
  const TurnInputClaim second = OfTurn(Claim("c2", 2, 1500, {kT}));
  EXPECT_THAT(Builder().Grant(first).Clock(1500).Grant(second).Broken(), ElementsAre("TI-INV-5"));
  const Dialects reacquires = {{"TI-LAT-1", "reacquire"}};
  EXPECT_THAT(Builder().Grant(first).Clock(1500).Grant(second).Broken(nullptr, &reacquires), IsEmpty());
  EXPECT_THAT(Builder().Grant(first).Clock(1499).Grant(second).Broken(nullptr, &reacquires), ElementsAre("TI-INV-5"));
  EXPECT_THAT(Builder().Grant(first).Abandon(first).Grant(second).Broken(), IsEmpty());
}

TEST(TurnInputScansTest, FencingRisesAndExpiryIsTheTtl) {
  const TurnInputClaim first = Claim("c1", 5, 1000, {kA});
  EXPECT_THAT(Builder().Grant(first).Grant(Claim("c2", 5, 1000, {kA})).Broken(), ElementsAre("TI-INV-6"));
  EXPECT_THAT(Builder().Grant(first).Grant(Claim("c1", 6, 1000, {kA})).Broken(), ElementsAre("TI-INV-6"));
  EXPECT_THAT(Builder().Grant(first).Grant(Claim("c2", 2, 1000, {kB})).Broken(), IsEmpty());  // TI-LAT-5
  const auto warned = [](Builder life) {
    ClauseHits hits(std::size(kClauses));
    EXPECT_THAT(life.Broken(&hits), IsEmpty());
    return hits.held(Clause<"TI-LAT-5">());
  };
  const TurnInputClaim behind = Claim("c2", 2, 1000, {kA, kB});
  EXPECT_EQ(warned(Builder().Grant(Claim("c1", 5, 1000, {kB})).Grant(behind)), 1u);
  EXPECT_EQ(warned(Builder().Grant(Claim("c1", 1, 1000, {kB})).Grant(behind)), 0u);
  EXPECT_EQ(warned(Builder().Grant(Claim("c1", 5, 1000, {kB})).Grant(behind).Overlapping()), 0u);
  TurnInputClaim wrong = first;
  Builder late;
  late.Grant(wrong);
  wrong.claim_id = "c9";
  wrong.claimed_at_epoch_ms = 2000;  // the builder asks for the difference, which wraps: the sum saturates
  EXPECT_THAT(late.Grant(wrong).Broken(), testing::Contains("TI-INV-20"));
}

TEST(TurnInputScansTest, OneWinnerAndStaleTokensArePowerless) {
  const TurnInputClaim first = Claim("c1", 1, 1000, {kA});
  const TurnInputClaim second = Claim("c2", 2, 1000, {kA});
  EXPECT_THAT(Builder().Grant(first).Cancel(kA).Commit({CompletionOf(first)}).Broken(), ElementsAre("TI-INV-8"));
  EXPECT_THAT(Builder().Grant(first).Commit({CompletionOf(first)}).Commit({CompletionOf(first)}).Broken(),
              ElementsAre("TI-INV-8"));
  EXPECT_THAT(Builder().Grant(first).Commit({CompletionOf(first)}, "t").Commit({CompletionOf(first)}, "t").Broken(), IsEmpty());
  EXPECT_THAT(Builder().Grant(first).Commit({CompletionOf(first)}).Cancel(kA).Broken(), ElementsAre("TI-INV-8"));
  EXPECT_THAT(Builder().Grant(first).Commit({CompletionOf(first)}).Unseen().Cancel(kA).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Cancel(kA).Cancel(kA).Broken(), ElementsAre("TI-INV-8"));
  EXPECT_THAT(Builder().Grant(first).Grant(second).Commit({CompletionOf(first)}).Broken(), ElementsAre("TI-INV-7"));
  EXPECT_THAT(Builder().Grant(first).Grant(second).Overlapping().Commit({CompletionOf(first)}).Broken(), IsEmpty());
}

TEST(TurnInputScansTest, NothingIsLost) {
  EXPECT_THAT(Builder().Enqueue(kA).Enqueue(kB).List({kB}).Broken(), ElementsAre("TI-INV-9"));
  EXPECT_THAT(Builder().Enqueue(kA).List({}).Overlapping().Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Cancel(kA).List({}).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Grant(Claim("c", 1, 1500, {kA})).Unseen().List({}).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA).Outcome("A", TurnInputNotFound{}).Broken(), ElementsAre("TI-INV-9"));
  EXPECT_THAT(Builder().Enqueue(kA).Vacuum().Outcome("A", TurnInputNotFound{}).Broken(), IsEmpty());
  EXPECT_THAT(Builder().Vacuum().Enqueue(kA).Outcome("A", TurnInputNotFound{}).Broken(), ElementsAre("TI-INV-9"));
}

TEST(TurnInputScansTest, AKeyHasOneInput) {
  EXPECT_THAT(Builder().Enqueue(kA, "k").Enqueue(kB, "k").Broken(), ElementsAre("TI-INV-10"));
  EXPECT_THAT(Builder().Enqueue(kA, "k").Enqueue(kB, "k").Overlapping().Broken(), ElementsAre("TI-INV-10"));
  EXPECT_THAT(Builder().Enqueue(kA, "k").Vacuum().Enqueue(kB, "k").Broken(), IsEmpty());
  EXPECT_THAT(Builder().Enqueue(kA, "k").Enqueue(Input("B", 2, "u"), "k").Broken(), IsEmpty());
}

TEST(TurnInputScansTest, ProbesCompareTwoLists) {
  const auto between = [](auto change) {
    Builder builder;
    builder.List({kA, kB});
    change(builder);
    return builder.List({kA}).Broken();
  };
  EXPECT_THAT(between([](Builder& b) { b.FailedCommit({}); }), ElementsAre("TI-INV-17"));
  EXPECT_THAT(between([](Builder& b) { b.Enqueue(Input("C", 1, "u")); }), ElementsAre("TI-INV-13"));
  EXPECT_THAT(between([](Builder& b) { b.Outcome("Z", TurnInputNotFound{}); }), ElementsAre("TI-INV-16"));
  EXPECT_THAT(between([](Builder& b) { b.Vacuum(); }), ElementsAre("TI-LST-7"));
  EXPECT_THAT(between([](Builder& b) { b.Cancel(kB); }), IsEmpty());
  EXPECT_THAT(between([](Builder& b) { b.Clock(1001); }), IsEmpty());
  EXPECT_THAT(between([](Builder& b) { b.Grant(Claim("c", 1, 1500, {kB})); }), IsEmpty());
  EXPECT_THAT(between([](Builder& b) { b.Abandon(Claim("c", 1, 1500, {kB})); }), IsEmpty());
}

TEST(TurnInputScansTest, ACancelAgreesWithTheListBefore) {
  EXPECT_THAT(Builder().List({kA}).Cancel(kA).Broken(), IsEmpty());
  EXPECT_THAT(Builder().List({}).Cancel(kA).Broken(), ElementsAre("TI-INV-14"));
  EXPECT_THAT(Builder().List({kA}).Outcome("A", TurnInputAlreadyClaimed{kA, std::nullopt}).Broken(), ElementsAre("TI-INV-14"));
  EXPECT_THAT(Builder().List({}).Clock(2000).Cancel(kA).Broken(), IsEmpty());
  EXPECT_THAT(Builder().List({}, "u").Cancel(kA).Broken(), IsEmpty());
}

}  // namespace
}  // namespace leasecheck::session_store
