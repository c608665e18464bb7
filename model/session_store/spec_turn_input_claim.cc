// The two claims of turn inputs, and abandoning them.
#include <algorithm>
#include <memory>

#include "model/session_store/spec_turn_input.h"

namespace leasecheck::session_store::spec_internal {
namespace {

using GrantAnswer = Answer<std::optional<TurnInputClaim>>;

// Each of these clauses exists once for a running turn and once for the next one.
template <ClauseId kActive, ClauseId kNext>
Verdict RefuseFor(const InputClaimCall& call) {
  return call.active ? Refuse<kActive>() : Refuse<kNext>();
}

const ActiveTurnClaimMode& TurnOf(const InputClaimCall& call) { return std::get<ActiveTurnClaimMode>(call.mode); }

bool ForTurn(const TurnInputIngress& ingress, absl::string_view turn_id) {
  const auto* turn = std::get_if<ActiveTurnIngress>(&ingress);
  return turn != nullptr && turn->turn_id == turn_id;
}

bool Takes(const Judge& judge, const InputRow& row, const InputClaimCall& call, bool from_dead) {
  if (call.active) {
    if (!AdmitsInput(row, TurnOf(call).turn_id, TurnOf(call).checkpoint)) return false;
    if (row.state == TurnInputState::kPendingActive) return true;
    return row.state == TurnInputState::kAccepted && !judge.LiveClaim(row) && judge.Declares("TI-LAT-1", "reacquire");
  }
  if (row.state != TurnInputState::kDeferredNextTurn) return false;
  return !judge.LiveClaim(row) || (from_dead && judge.DefinitelyDead(row.claim->owner, call.owner));
}

// Whether the grant's inputs are those of the run: each what its row holds, or its first sight.
bool HoldsRun(const InputRows& rows, const Indices& run, const std::vector<PendingTurnInput>& inputs) {
  if (inputs.empty() || inputs.size() != run.size()) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const StoredInput& stored = *rows[run[i]].stored;
    if (stored.named ? stored.input.input_id != inputs[i].input_id : !ShowsInput(rows, run[i], inputs[i], inputs[i].state)) {
      return false;
    }
  }
  return true;
}

// Blame: which clause a wrong answer breaks. Runs only for a refusal.

// A granted input that this claim may not take.
Verdict BlameMember(const Judge& judge, const InputRows& rows, const InputClaimCall& call, const PendingTurnInput& input) {
  const std::size_t index = RowShownBy(rows, input);
  if (index == kNoInput) return RefuseFor<"TI-ACT-3", "TI-NXT-2">(call);
  const InputRow& row = rows[index];
  if (Takes(judge, row, call, true)) return kAllowed;
  if (IsTerminal(row.state)) return RefuseFor<"TI-ACT-3", "TI-NXT-2">(call);
  const bool live = judge.LiveClaim(row);
  if (live && BeyondSigned(row.claim->expires.at)) return Refuse<"TI-ACT-11">();
  if (!call.active) {
    if (row.state != TurnInputState::kDeferredNextTurn) return Refuse<"TI-NXT-3">();
    return SameIncarnation(row.claim->owner, call.owner) ? Refuse<"TI-NXT-6">() : Refuse<"TI-NXT-2">();
  }
  if (row.state == TurnInputState::kDeferredNextTurn) return row.deferred ? Refuse<"TI-ACT-10">() : Refuse<"TI-ACT-3">();
  if (row.state == TurnInputState::kAccepted) return Refuse<"TI-ACT-9">();
  return Refuse<"TI-ACT-8">();
}

// All members may be taken, but they are not the first ones, in order.
Verdict BlameOrder(const InputRows& rows, const InputClaimCall& call, const Indices& run,
                   const std::vector<PendingTurnInput>& inputs) {
  if (inputs.size() > call.max) return Refuse<"TI-INV-11">();
  if (inputs.empty()) return Refuse<"TI-INV-12">();
  for (std::size_t index : run) {
    const bool granted = std::any_of(inputs.begin(), inputs.end(), [&](const auto& i) { return RowShownBy(rows, i) == index; });
    if (granted || call.active) continue;
    if (rows[index].claim != nullptr) return Refuse<"TI-NXT-7">();
    if (rows[index].deferred) return Refuse<"TI-NXT-10">();
  }
  return RefuseFor<"TI-ACT-4", "TI-NXT-4">(call);
}

Verdict BlameInputs(const Judge& judge, const InputRows& rows, const InputClaimCall& call, const Indices& run,
                    const std::vector<PendingTurnInput>& inputs) {
  for (const PendingTurnInput& input : inputs) {
    if (Verdict refused = BlameMember(judge, rows, call, input)) return refused;
  }
  return BlameOrder(rows, call, run, inputs);
}

// Behind this many rows an input is more likely hidden by a scan window (TI-LAT-9) than by what they are.
constexpr std::size_t kSmallestWindow = 31;

// An answer that grants nothing where the run was due.
Verdict BlameNoGrant(const InputRows& rows, const InputClaimCall& call, const Indices& run) {
  const InputRow& first = rows[run.front()];
  if (run.front() >= kSmallestWindow) return Refuse<"TI-INV-12">();
  if (first.claim != nullptr) return call.active ? Refuse<"TI-INV-12">() : Refuse<"TI-NXT-2">();
  if (first.counter > 0) return Refuse<"TI-ABN-3">();
  if (run.front() > 0 && !IsTerminal(rows[run.front() - 1].state)) return RefuseFor<"TI-ACT-4", "TI-NXT-4">(call);
  return RefuseFor<"TI-ACT-3", "TI-NXT-2">(call);
}

// The grant's own fields.

Verdict CheckCounter(const InputClaimCall& call, const InputRow& first, uint64_t fencing_token) {
  if (fencing_token > first.counter) return kAllowed;
  if (first.counter == 0) return Refuse<"TI-ACT-7">();
  if (first.claim == nullptr) return Refuse<"TI-ABN-4">();
  return call.active ? Refuse<"TI-INV-6">() : Refuse<"TI-NXT-8">();
}

bool FreshProof(const InputRows& rows, const TurnInputClaim& grant) {
  return std::none_of(rows.begin(), rows.end(), [&](const InputRow& row) {
    return row.claim != nullptr && row.claim->seen &&
           (row.claim->lease_token == grant.lease_token || row.claim->claim_id == grant.claim_id);
  });
}

Verdict CheckRecords(const InputRows& rows, const InputClaimCall& call, const Indices& run, const TurnInputClaim& grant) {
  const TurnInputState state = call.active ? TurnInputState::kAccepted : TurnInputState::kDeferredNextTurn;
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (grant.inputs[i].state != state) return RefuseFor<"TI-ACT-6", "TI-NXT-5">(call);
    if (!ShowsInput(rows, run[i], grant.inputs[i], state)) return Refuse<"TI-INV-15">();
  }
  return IsSorted(grant.inputs) ? kAllowed : RefuseFor<"TI-ACT-4", "TI-NXT-4">(call);
}

// TI-ACT-7 is the clause of the fields of both grants: the next-turn claim's are those of a turn's (turn-input.md, 2).
Verdict CheckGrant(const Judge& judge, const InputRows& rows, const InputClaimCall& call, const Indices& run,
                   const TurnInputClaim& grant) {
  if (Verdict refused = CheckRecords(rows, call, run, grant)) return refused;
  if (grant.owner != call.owner && !SameIncarnation(call.owner, call.fence.owner)) return Refuse<"TI-ACT-12">();
  if (grant.session_id != call.session_id || grant.owner != call.owner || grant.mode != call.mode ||
      grant.claimed_at_epoch_ms != judge.now) {
    return Refuse<"TI-ACT-7">();
  }
  if (grant.expires_at_epoch_ms != SaturatingAdd(judge.now, call.ttl)) {
    if (call.ttl == 0) return RefuseFor<"TI-ACT-11", "TI-NXT-9">(call);
    return call.ttl > kEndOfTime - judge.now ? Refuse<"TI-ACT-11">() : Refuse<"TI-INV-20">();
  }
  if (Verdict refused = CheckCounter(call, rows[run.front()], grant.fencing_token)) return refused;
  return FreshProof(rows, grant) ? kAllowed : Refuse<"TI-ACT-7">();
}

// Counting.

// Rows that the claim passes over.
void CountPassedOver(const Judge& judge, const InputRows& rows, const InputClaimCall& call) {
  for (const InputRow& row : rows) {
    if (IsTerminal(row.state) || Takes(judge, row, call, true)) continue;
    const bool accepted = row.state == TurnInputState::kAccepted;
    if (!call.active) {
      judge.Refused<"TI-NXT-3">(row.state != TurnInputState::kDeferredNextTurn);
      const bool live = row.state == TurnInputState::kDeferredNextTurn && judge.LiveClaim(row);
      judge.Refused<"TI-NXT-6">(live && SameIncarnation(row.claim->owner, call.owner));
      continue;
    }
    const bool once_for_turn = ForTurn(row.stored->input.ingress, TurnOf(call).turn_id);
    judge.Refused<"TI-ACT-8">(row.state == TurnInputState::kPendingActive);
    judge.Refused<"TI-ACT-9">(accepted && once_for_turn && judge.LiveClaim(row));
    judge.Refused<"TI-ACT-10">(row.deferred && once_for_turn);
  }
}

void CountActiveGrant(const Judge& judge, const InputRows& rows, const InputClaimCall& call, const Indices& run) {
  judge.Held<"TI-ACT-2">();
  judge.Held<"TI-ACT-3">();
  judge.Held<"TI-ACT-4">(run.front() > 0 || rows.size() > run.size());
  judge.Held<"TI-ACT-6">();
  judge.Held<"TI-ACT-11">(call.ttl == 0 || call.ttl > kEndOfTime - judge.now);
}

void CountNextGrant(const Judge& judge, const InputRows& rows, const InputClaimCall& call, const Indices& run) {
  judge.Held<"TI-NXT-1">();
  judge.Held<"TI-NXT-2">();
  judge.Held<"TI-NXT-5">();
  judge.Held<"TI-NXT-9">(call.ttl == 0);
  bool live_in_front = false;
  for (std::size_t i = 0; i < run.front(); ++i) live_in_front |= judge.LiveClaim(rows[i]);
  judge.Held<"TI-NXT-4">(live_in_front || rows.size() > run.size());
  const InputRow& first = rows[run.front()];
  judge.Held<"TI-NXT-8">(first.counter > 0);
  bool next_behind = false;
  for (std::size_t i = run.front() + 1; i < rows.size(); ++i) {
    next_behind |= rows[i].state == TurnInputState::kDeferredNextTurn && !rows[i].deferred;
  }
  judge.Held<"TI-NXT-10">(first.deferred && next_behind);
  if (first.claim == nullptr) return;
  // A part of a lapsed claim.
  std::size_t of_old = 0;
  std::size_t taken = 0;
  for (const InputRow& row : rows) of_old += row.claim == first.claim ? 1 : 0;
  for (std::size_t index : run) taken += rows[index].claim == first.claim ? 1 : 0;
  judge.Held<"TI-NXT-7">(taken < of_old);
}

void CountGrant(const Judge& judge, const InputRows& rows, const InputClaimCall& call, const Indices& run) {
  if (!judge.counting()) return;
  CountPassedOver(judge, rows, call);
  if (call.active) {
    CountActiveGrant(judge, rows, call, run);
  } else {
    CountNextGrant(judge, rows, call, run);
  }
  const InputRow& first = rows[run.front()];
  judge.Held<"TI-ABN-3">(first.claim == nullptr && first.counter > 0);
  judge.Held<"TI-ABN-4">(first.claim == nullptr && first.counter > 0);
  judge.Held<"TI-ACT-7">();
  judge.Held<"TI-ACT-12">(!SameIncarnation(call.owner, call.fence.owner));
  judge.Held<"TI-INV-11">();
  judge.Held<"TI-INV-12">();
  judge.Held<"TI-INV-18">();
  judge.Held<"TI-INV-19">(first.counter > 0 || first.deferred);
}

void CountNone(const Judge& judge, const InputRows& rows, const InputClaimCall& call) {
  if (!judge.counting()) return;
  CountPassedOver(judge, rows, call);
  judge.Refused<"TI-ACT-3">(call.active && !rows.empty());
  judge.Refused<"TI-ACT-5">(call.active);
  judge.Refused<"TI-NXT-2">(!call.active && !rows.empty());
  judge.Refused<"TI-INV-12">();
}

// Judging.

// Puts the run of `state` under a claim. `grant` is null where nobody saw it.
void Take(const Judge& judge, SpecState& state, const InputClaimCall& call, const Indices& run, const TurnInputClaim* grant) {
  SessionState& session = state.Edit(call.session_id);
  auto record = std::make_shared<InputClaimRecord>();
  record->seen = grant != nullptr;
  record->named = record->seen;
  if (grant != nullptr) {
    record->claim_id = grant->claim_id;
    record->lease_token = grant->lease_token;
  }
  record->owner = call.owner;
  record->expires = {SaturatingAdd(judge.now, call.ttl)};
  record->lane_fencing = session.lane_fencing;
  InputRows& rows = session.inputs.Edit();
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (grant != nullptr) BindInput(rows, run[i], grant->inputs[i]);
    InputRow& row = rows[run[i]];
    row.claim = record;
    row.counter_shown = false;
    if (call.active) row.state = TurnInputState::kAccepted;
  }
  InputRow& first = rows[run.front()];
  first.counter = grant != nullptr ? grant->fencing_token : first.counter + 1;
  first.counter_shown = grant != nullptr;
  NoteSequence(session);
}

// The claim may be refused, for its owner is not the fence's (TI-LAT-17).
bool OwnerDiffers(const InputClaimCall& call) { return !SameIncarnation(call.owner, call.fence.owner); }

Verdict JudgeVacuous(const Judge& judge, const SessionState& session, const InputClaimCall& call, const GrantAnswer& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.response != nullptr && !answer.response->has_value()) {
    judge.Refused<"TI-ACT-1">(call.active);
    judge.Refused<"TI-NXT-1">(!call.active);
    return kAllowed;
  }
  const auto* expired = answer.ErrorIf<SessionExecutionLeaseExpired>();
  const bool bad_fence = !FenceValid(judge, session, call.session_id, call.fence) || OwnerDiffers(call);
  if (expired != nullptr && expired->session_id == call.session_id && bad_fence) return kAllowed;  // TI-LAT-2
  return RefuseFor<"TI-ACT-1", "TI-NXT-1">(call);
}

Verdict JudgeUnfenced(const Judge& judge, const InputClaimCall& call, const GrantAnswer& answer) {
  if (answer.unseen) return kAllowed;
  const auto* expired = answer.ErrorIf<SessionExecutionLeaseExpired>();
  if (expired == nullptr || expired->session_id != call.session_id) return RefuseFor<"TI-ACT-2", "TI-NXT-1">(call);
  judge.Refused<"TI-ACT-2">(call.active);
  judge.Refused<"TI-NXT-1">(!call.active);
  judge.Refused<"TI-INV-18">();
  return kAllowed;
}

Verdict JudgeClaimError(const Judge& judge, const InputRows& rows, const InputClaimCall& call, const Indices& run,
                        const GrantAnswer& answer) {
  if (const auto* expired = answer.ErrorIf<SessionExecutionLeaseExpired>()) {
    if (!OwnerDiffers(call)) return RefuseFor<"TI-ACT-2", "TI-NXT-1">(call);
    return expired->session_id == call.session_id ? kAllowed : Refuse<"TI-ACT-12">();  // TI-LAT-17
  }
  if (call.ttl > 0 && BeyondSigned(SaturatingAdd(judge.now, call.ttl))) return Refuse<"TI-ACT-11">();
  if (run.empty()) return call.active ? Refuse<"TI-ACT-5">() : Refuse<"TI-NXT-2">();
  return BlameNoGrant(rows, call, run);
}

Verdict JudgeGrant(Judge& judge, const InputRows& rows, const InputClaimCall& call, const Indices& run, const Indices& with_dead,
                   const TurnInputClaim& grant) {
  const bool plain = HoldsRun(rows, run, grant.inputs);
  if (!plain && !HoldsRun(rows, with_dead, grant.inputs)) return BlameInputs(judge, rows, call, run, grant.inputs);
  const Indices taken = plain ? run : with_dead;
  if (Verdict refused = CheckGrant(judge, rows, call, taken, grant)) return refused;
  CountGrant(judge, rows, call, taken);
  Take(judge, judge.state, call, taken, &grant);
  return kAllowed;
}

// What the call did, if it happened.
Verdict ApplyUnseen(Judge& judge, const InputClaimCall& call, const Indices& run, const Indices& with_dead) {
  const auto add = [&](const Indices& taken) {
    SpecState other = judge.state;
    if (!taken.empty()) Take(judge, other, call, taken, nullptr);
    judge.AddAlternative(std::move(other));
  };
  if (with_dead != run) add(with_dead);
  if (OwnerDiffers(call) && !run.empty()) add({});
  if (!run.empty()) Take(judge, judge.state, call, run, nullptr);
  return kAllowed;
}

Verdict JudgeClaim(Judge& judge, const InputClaimCall& call, const GrantAnswer& answer) {
  const SessionState& session = judge.Session(call.session_id);
  if (call.max == 0) return JudgeVacuous(judge, session, call, answer);
  if (answer.IsBackend() && InputsOverlapped(judge, call.session_id)) return kAllowed;  // TI-LAT-18
  if (!FenceValid(judge, session, call.session_id, call.fence)) return JudgeUnfenced(judge, call, answer);
  const InputRows& rows = *session.inputs;
  const Indices run = ForecastInputs(judge, rows, call, false);
  const Indices with_dead = ForecastInputs(judge, rows, call, true);
  if (answer.unseen) return ApplyUnseen(judge, call, run, with_dead);
  if (answer.error != nullptr) return JudgeClaimError(judge, rows, call, run, answer);
  if (answer.response->has_value()) return JudgeGrant(judge, rows, call, run, with_dead, **answer.response);
  if (!run.empty()) return BlameNoGrant(rows, call, run);
  CountNone(judge, rows, call);
  return kAllowed;
}

// abandon_turn_input_claim

void CountAbandoned(const Judge& judge, const SessionState& session, const TurnInputClaim& claim, const Indices& owned) {
  if (!judge.counting()) return;
  const InputRows& rows = *session.inputs;
  judge.Held<"TI-ABN-1">(!owned.empty());
  judge.Held<"TI-ABN-5">(owned.empty());
  for (std::size_t index : owned) {
    judge.Held<"TI-ABN-2">(rows[index].state == TurnInputState::kAccepted);
    judge.Held<"TI-ABN-7">(!judge.LiveClaim(rows[index]) || !judge.LiveLane(session));
    judge.Held<"TI-LAT-23">(rows[index].state == TurnInputState::kAccepted && TurnEnded(session, IngressOf(rows[index])));
  }
  for (const PendingTurnInput& input : claim.inputs) {
    const std::size_t index = FindInput(rows, input.input_id);
    if (index == kNoInput || std::find(owned.begin(), owned.end(), index) != owned.end()) continue;
    judge.Held<"TI-ABN-6">(IsTerminal(rows[index].state) || rows[index].claim != nullptr);
    judge.Held<"TI-CAN-10">(rows[index].state == TurnInputState::kCancelled);
  }
  if (!owned.empty()) return;
  // Half of the proof of a claim that is there.
  for (const Cow<SessionState>& other : judge.state.sessions()) {
    for (const InputRow& row : *other->inputs) {
      if (row.claim == nullptr || !row.claim->seen) continue;
      judge.Held<"TI-ABN-8">(row.claim->claim_id == claim.claim_id || row.claim->lease_token == claim.lease_token);
    }
  }
}

}  // namespace

InputClaimCall CallOf(const ClaimActiveTurnInputsRequest& request) {
  return {true,
          request.session_id,
          request.session_execution_lease,
          request.owner,
          ActiveTurnClaimMode{request.turn_id, request.checkpoint},
          request.lease_ttl_ms,
          request.max_inputs};
}

InputClaimCall CallOf(const ClaimNextTurnInputsRequest& request) {
  return {false,
          request.session_id,
          request.session_execution_lease,
          request.owner,
          NextTurnClaimMode{},
          request.lease_ttl_ms,
          request.max_inputs};
}

bool AdmitsInput(const InputRow& row, absl::string_view turn_id, CheckpointKind checkpoint) {
  const auto* turn = std::get_if<ActiveTurnIngress>(&IngressOf(row));
  if (turn == nullptr || turn->turn_id != turn_id) return false;
  return turn->min_boundary == CheckpointKind::kAfterWork || checkpoint == CheckpointKind::kBeforeCompletion;
}

Indices ForecastInputs(const Judge& judge, const InputRows& rows, const InputClaimCall& call, bool from_dead) {
  Indices run;
  for (std::size_t i = 0; i < rows.size() && run.size() < call.max; ++i) {
    if (Takes(judge, rows[i], call, from_dead)) run.push_back(i);
  }
  return run;
}

Verdict JudgeCall(Judge& judge, const ClaimActiveTurnInputsRequest& request, const GrantAnswer& answer) {
  return JudgeClaim(judge, CallOf(request), answer);
}

Verdict JudgeCall(Judge& judge, const ClaimNextTurnInputsRequest& request, const GrantAnswer& answer) {
  return JudgeClaim(judge, CallOf(request), answer);
}

Verdict JudgeCall(Judge& judge, const AbandonTurnInputClaimRequest& request, const Answer<Done>& answer) {
  const TurnInputClaim& claim = request.claim;
  const SessionState& session = judge.Session(claim.session_id);
  const Indices owned = OwnedInputs(*session.inputs, claim.claim_id, claim.lease_token);
  if (answer.IsBackend() && InputsOverlapped(judge, claim.session_id)) return kAllowed;  // TI-LAT-18
  if (answer.error != nullptr) {
    if (owned.empty()) return Refuse<"TI-ABN-5">();
    const bool needs_nothing = judge.LiveLane(session) && judge.LiveClaim((*session.inputs)[owned.front()]);
    return needs_nothing ? Refuse<"TI-ABN-1">() : Refuse<"TI-ABN-7">();
  }
  if (answer.response != nullptr) CountAbandoned(judge, session, claim, owned);
  if (owned.empty()) return kAllowed;
  InputRows& rows = judge.state.Edit(claim.session_id).inputs.Edit();
  for (std::size_t index : owned) {
    rows[index].claim = nullptr;
    rows[index].counter_shown = false;
    if (rows[index].state == TurnInputState::kAccepted) rows[index].state = TurnInputState::kPendingActive;
  }
  return kAllowed;
}

}  // namespace leasecheck::session_store::spec_internal
