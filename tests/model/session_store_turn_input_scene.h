// A scene with turn inputs, for tests of the session_store spec.
#ifndef LEASECHECK_TESTS_MODEL_SESSION_STORE_TURN_INPUT_SCENE_H_
#define LEASECHECK_TESTS_MODEL_SESSION_STORE_TURN_INPUT_SCENE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/model/session_store_scene.h"

namespace leasecheck::session_store {

inline TurnInput Says(const std::string& text) {
  TurnInput input;
  input.items = {TextItem{text}};
  return input;
}
inline TurnInputIngress ForTurn(const std::string& turn, CheckpointKind boundary = CheckpointKind::kAfterWork) {
  return ActiveTurnIngress{turn, boundary};
}
inline PendingTurnInputDraft InputDraft(TurnInputIngress ingress = NextTurnIngress{}, const std::string& text = "hi",
                                        const std::string& session = "s") {
  PendingTurnInputDraft draft;
  draft.session_id = session;
  draft.ingress = std::move(ingress);
  draft.input = Says(text);
  return draft;
}
inline PendingTurnInputDraft WithKey(const std::string& key, PendingTurnInputDraft draft = InputDraft()) {
  draft.source_key = key;
  return draft;
}
inline PendingTurnInputDraft WithId(const std::string& id, PendingTurnInputDraft draft = InputDraft()) {
  draft.input_id = id;
  return draft;
}

// The row that a store makes of a draft.
inline PendingTurnInput InputFrom(const PendingTurnInputDraft& draft, const std::string& id, uint64_t seq, EpochMs now) {
  const bool for_turn = std::holds_alternative<ActiveTurnIngress>(draft.ingress);
  return {id,  draft.session_id, draft.source_key,
          seq, draft.ingress,    for_turn ? TurnInputState::kPendingActive : TurnInputState::kDeferredNextTurn,
          now, draft.input};
}
inline PendingTurnInput In(TurnInputState state, PendingTurnInput input) {
  input.state = state;
  return input;
}
inline PendingTurnInput Cancelled(PendingTurnInput input) { return In(TurnInputState::kCancelled, std::move(input)); }
inline PendingTurnInput Completed(PendingTurnInput input) { return In(TurnInputState::kCompleted, std::move(input)); }
inline PendingTurnInput Accepted(PendingTurnInput input) { return In(TurnInputState::kAccepted, std::move(input)); }
// As an interrupt leaves it.
inline PendingTurnInput DeferredInput(PendingTurnInput input) {
  input.ingress = NextTurnIngress{};
  return In(TurnInputState::kDeferredNextTurn, std::move(input));
}

inline PendingTurnInputCancelTarget Id(const std::string& id) { return InputIdTarget{id}; }
inline PendingTurnInputCancelTarget Key(const std::string& key) { return SourceKeyTarget{key}; }

class InputScene : public Scene {
 public:
  EnqueuePendingTurnInputRequest Enqueue(const PendingTurnInputDraft& draft) const { return {draft}; }

  PendingTurnInput PutInput(const std::string& id, const PendingTurnInputDraft& draft = InputDraft()) {
    PendingTurnInput input = InputFrom(draft, id, ++input_seq, now);
    EXPECT_EQ(Judge(Enqueue(draft), input), kAllowed);
    return input;
  }

  ClaimNextTurnInputsRequest Next(uint64_t max = 10, DurationMs ttl = 500) const {
    return {"s", FenceOf(lane), lane.owner, ttl, max};
  }
  ClaimActiveTurnInputsRequest Active(const std::string& turn = "t", CheckpointKind checkpoint = CheckpointKind::kAfterWork,
                                      uint64_t max = 10, DurationMs ttl = 500) const {
    return {"s", FenceOf(lane), lane.owner, turn, checkpoint, ttl, max};
  }
  // The claim that a store grants for these rows; their states are set.
  TurnInputClaim NextGrant(std::vector<PendingTurnInput> inputs, uint64_t fencing = 1, DurationMs ttl = 500) {
    ++serial;
    return {"s",
            absl::StrCat("claim-", serial),
            lane.owner,
            absl::StrCat("token-", serial),
            fencing,
            now,
            SaturatingAdd(now, ttl),
            NextTurnClaimMode{},
            std::move(inputs)};
  }
  TurnInputClaim ActiveGrant(std::vector<PendingTurnInput> inputs, uint64_t fencing = 1, DurationMs ttl = 500,
                             const std::string& turn = "t", CheckpointKind checkpoint = CheckpointKind::kAfterWork) {
    for (PendingTurnInput& input : inputs) input.state = TurnInputState::kAccepted;
    TurnInputClaim grant = NextGrant(std::move(inputs), fencing, ttl);
    grant.mode = ActiveTurnClaimMode{turn, checkpoint};
    return grant;
  }
  TurnInputClaim TakeNext(std::vector<PendingTurnInput> inputs, uint64_t fencing = 1, DurationMs ttl = 500) {
    const uint64_t max = inputs.size();
    TurnInputClaim grant = NextGrant(std::move(inputs), fencing, ttl);
    EXPECT_EQ(Judge(Next(max, ttl), grant), kAllowed);
    return grant;
  }
  TurnInputClaim TakeActive(std::vector<PendingTurnInput> inputs, uint64_t fencing = 1, DurationMs ttl = 500) {
    const uint64_t max = inputs.size();
    TurnInputClaim grant = ActiveGrant(std::move(inputs), fencing, ttl);
    EXPECT_EQ(Judge(Active("t", CheckpointKind::kAfterWork, max, ttl), grant), kAllowed);
    return grant;
  }
  void GiveBack(const TurnInputClaim& claim) { EXPECT_EQ(Judge(AbandonTurnInputClaimRequest{claim}, Done{}), kAllowed); }

  std::string Inputs(std::vector<PendingTurnInput> inputs, const std::string& session = "s") {
    return Judge(ListPendingTurnInputsRequest{session}, std::move(inputs));
  }
  std::string PeekInputs(std::vector<PendingTurnInput> inputs) {
    return Peek(ListPendingTurnInputsRequest{"s"}, std::move(inputs));
  }
  void CancelOne(const PendingTurnInput& input) {
    EXPECT_EQ(Judge(CancelPendingTurnInputRequest{input.session_id, input.input_id}, TurnInputCancelled{Cancelled(input)}),
              kAllowed);
  }
  // What is said of a row under this claim.
  static TurnInputAlreadyClaimed ClaimedBy(const TurnInputClaim& claim, const PendingTurnInput& input) {
    return {input, PendingTurnInputClaimDiagnostics{input.state, claim.claim_id, claim.owner, claim.expires_at_epoch_ms,
                                                    claim.fencing_token}};
  }

  CommitRuntimeStateRequest Settle(std::vector<TurnInputCompletion> completions,
                                   std::optional<std::string> interrupted = std::nullopt) const {
    CommitRuntimeStateRequest request = Commit();
    request.commit.completed_turn_input_claims = std::move(completions);
    request.commit.interrupted_turn_input_turn_id = std::move(interrupted);
    return request;
  }

  uint64_t input_seq = 0;
};

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_TESTS_MODEL_SESSION_STORE_TURN_INPUT_SCENE_H_
