// Cancelling turn inputs: a list of them, one, and a suffix.
#include <algorithm>
#include <memory>
#include <vector>

#include "model/session_store/spec_turn_input.h"

namespace leasecheck::session_store::spec_internal {
namespace {

// Which of the three it is: what a wrong outcome breaks depends on it.
enum class Manner { kList, kOne, kSuffix };

// One call, as far as it was judged.
struct Cancelling {
  Manner manner;
  absl::string_view session_id;
  InputRows rows;                  // as the outcomes so far left them
  std::vector<std::size_t> named;  // the row of each outcome so far; kNoInput where it names none
  std::vector<CancelFate> fates;   // of each outcome so far
  bool Cancelled(std::size_t index) const {
    for (std::size_t i = 0; i < named.size(); ++i) {
      if (named[i] == index && fates[i] == CancelFate::kCancelled) return true;
    }
    return false;
  }
  bool Any(CancelFate fate) const { return std::find(fates.begin(), fates.end(), fate) != fates.end(); }
};

struct RecordIn {
  const PendingTurnInput* operator()(const TurnInputNotFound&) const { return nullptr; }
  template <class Outcome>
  const PendingTurnInput* operator()(const Outcome& outcome) const {
    return &outcome.input;
  }
};

// The outcome is not the one that is due, or does not show the row as it is.
Verdict BlameFate(const Cancelling& call, std::size_t index, CancelFate due) {
  const bool suffix = call.manner == Manner::kSuffix;
  switch (due) {
    case CancelFate::kCancelled:
      return suffix ? Refuse<"TI-SFX-3">() : Refuse<"TI-CAN-5">();
    case CancelFate::kClaimed:
      if (suffix) return Refuse<"TI-SFX-6">();
      return call.rows[index].state == TurnInputState::kAccepted ? Refuse<"TI-CAN-7">() : Refuse<"TI-CAN-6">();
    case CancelFate::kCompleted:
    case CancelFate::kAlreadyCancelled:
      if (suffix) return Refuse<"TI-SFX-8">();
      return call.Cancelled(index) ? Refuse<"TI-CAN-3">() : Refuse<"TI-CAN-8">();
    case CancelFate::kNotFound:
      break;
  }
  return Refuse<"TI-CAN-4">();
}

Verdict BlameFound(const Judge& judge, const Cancelling& call, const PendingTurnInputCancelTarget& target) {
  const auto* id = std::get_if<InputIdTarget>(&target);
  if (call.manner == Manner::kOne && id != nullptr && FindInputKey(call.rows, id->value) != kNoInput)
    return Refuse<"TI-CAN1-2">();
  const bool gone = NamesVacuumed(judge.Session(call.session_id), target);
  return gone || NamesElsewhere(judge, call.session_id, target) ? Refuse<"TI-CAN-9">() : Refuse<"TI-CAN-4">();
}

// What is said of the claim must be true of it. What it shows for the first time is taken over.
Verdict TakeDiagnostics(InputRows& rows, std::size_t index, const PendingTurnInputClaimDiagnostics& shown) {
  InputRow& row = rows[index];
  const std::shared_ptr<const InputClaimRecord> claim = row.claim;
  if (shown.state != row.state || !shown.claim_id.has_value() || shown.claim_owner != claim->owner ||
      shown.claim_expires_at_ms != claim->expires.at) {
    return Refuse<"TI-CAN-12">();
  }
  if (claim->named && *shown.claim_id != claim->claim_id) return Refuse<"TI-CAN-12">();
  const uint64_t counter = shown.claim_fencing_token;
  if (row.counter_shown ? counter != row.counter : counter < std::max<uint64_t>(1, row.counter)) return Refuse<"TI-CAN-12">();
  row.counter = counter;
  row.counter_shown = true;
  if (claim->named) return kAllowed;
  auto named = std::make_shared<InputClaimRecord>(*claim);
  named->named = true;
  named->claim_id = *shown.claim_id;
  for (InputRow& other : rows) {
    if (other.claim == claim) other.claim = named;
  }
  return kAllowed;
}

void CancelRow(InputRow& row) {
  row.state = TurnInputState::kCancelled;
  row.claim = nullptr;
}

// Judges the outcome of a row, or of a target that names none, and does to `call.rows` what it says.
Verdict TakeOutcome(const Judge& judge, Cancelling& call, std::size_t index, const PendingTurnInputCancelTarget* target,
                    const PendingTurnInputCancelOutcome& outcome) {
  const CancelFate due = index == kNoInput ? CancelFate::kNotFound : FateOfCancel(judge, call.rows[index]);
  const PendingTurnInput* record = std::visit(RecordIn(), outcome);
  if (due == CancelFate::kNotFound) {
    if (record != nullptr) return BlameFound(judge, call, *target);
  } else {
    const bool right = outcome.index() == static_cast<std::size_t>(due);
    const TurnInputState state = due == CancelFate::kCancelled ? TurnInputState::kCancelled : call.rows[index].state;
    if (!right || !ShowsInput(call.rows, index, *record, state)) return BlameFate(call, index, due);
    BindInput(call.rows, index, *record);
    if (due == CancelFate::kClaimed) {
      const auto& claim = std::get<TurnInputAlreadyClaimed>(outcome).claim;  // absent: TI-LAT-22
      if (claim.has_value()) {
        if (Verdict refused = TakeDiagnostics(call.rows, index, *claim)) return refused;
      }
    }
    if (due == CancelFate::kCancelled) CancelRow(call.rows[index]);
  }
  call.named.push_back(index);
  call.fates.push_back(due);
  return kAllowed;
}

// An unseen call: what it did, if it happened.
void TakeUnseen(const Judge& judge, Cancelling& call, std::size_t index) {
  if (index != kNoInput && FateOfCancel(judge, call.rows[index]) == CancelFate::kCancelled) CancelRow(call.rows[index]);
}

void Apply(Judge& judge, Cancelling& call) {
  const SessionState& session = judge.Session(call.session_id);
  if (*session.inputs == call.rows) return;
  SessionState& edited = judge.state.Edit(call.session_id);
  edited.inputs.Edit() = std::move(call.rows);
  NoteSequence(edited);
}

// Counting, before the state changes.

void CountNotFound(const Judge& judge, const Cancelling& call, const PendingTurnInputCancelTarget& target) {
  const bool vacuumed = NamesVacuumed(judge.Session(call.session_id), target);
  judge.Refused<"TI-CAN-4">();
  judge.Refused<"TI-CAN-9">(vacuumed || NamesElsewhere(judge, call.session_id, target));
  judge.Held<"TI-VAC-3">(vacuumed);
}

void CountOutcome(const Judge& judge, const InputRow& row, CancelFate fate, bool again) {
  judge.Held<"TI-CAN-5">(fate == CancelFate::kCancelled);
  judge.Held<"TI-ABN-3">(fate == CancelFate::kCancelled && row.claim == nullptr && row.counter > 0);
  const bool accepted = row.state == TurnInputState::kAccepted;
  judge.Refused<"TI-CAN-6">(fate == CancelFate::kClaimed && !accepted);
  judge.Refused<"TI-CAN-7">(fate == CancelFate::kClaimed && accepted);
  judge.Refused<"TI-CAN-12">(fate == CancelFate::kClaimed);
  judge.Held<"TI-LAT-1">(IsStranded(judge, row));
  const bool terminal = fate == CancelFate::kCompleted || fate == CancelFate::kAlreadyCancelled;
  judge.Refused<"TI-CAN-8">(terminal && !again);
  judge.Held<"TI-CAN-3">(terminal && again);
}

void CountOutcomes(const Judge& judge, const Cancelling& call) {
  const InputRows& before = *judge.Session(call.session_id).inputs;
  for (std::size_t i = 0; i < call.named.size(); ++i) {
    if (call.named[i] == kNoInput) continue;
    const bool again = std::find(call.named.begin(), call.named.begin() + static_cast<std::ptrdiff_t>(i), call.named[i]) !=
                       call.named.begin() + static_cast<std::ptrdiff_t>(i);
    CountOutcome(judge, before[call.named[i]], call.fates[i], again);
  }
}

void CountList(const Judge& judge, const Cancelling& call, const CancelPendingTurnInputsRequest& request) {
  if (!judge.counting()) return;
  CountOutcomes(judge, call);
  for (std::size_t i = 0; i < call.named.size(); ++i) {
    if (call.named[i] == kNoInput) CountNotFound(judge, call, request.targets[i]);
  }
  judge.Held<"TI-CAN-1">();
  judge.Held<"TI-CAN-2">(std::count(call.fates.begin(), call.fates.end(), CancelFate::kCancelled) > 1);
  judge.Held<"TI-CAN-4">(call.Any(CancelFate::kNotFound) && call.Any(CancelFate::kCancelled));
  judge.Held<"TI-CAN-11">(call.fates.size() > 1);
}

void CountOne(const Judge& judge, const Cancelling& call, const std::string& input_id) {
  if (!judge.counting()) return;
  CountOutcomes(judge, call);
  const bool cancelled = call.Any(CancelFate::kCancelled);
  judge.Held<"TI-CAN1-1">(cancelled);
  judge.Refused<"TI-CAN1-1">(!cancelled);
  if (!call.Any(CancelFate::kNotFound)) return;
  CountNotFound(judge, call, InputIdTarget{input_id});
  judge.Refused<"TI-CAN1-2">(FindInputKey(call.rows, input_id) != kNoInput);
}

void CountSuffix(const Judge& judge, const Cancelling& call, std::size_t anchor) {
  if (!judge.counting()) return;
  CountOutcomes(judge, call);
  const bool more = call.fates.size() > 1;
  judge.Held<"TI-SFX-1">();
  judge.Held<"TI-SFX-3">(more);
  judge.Held<"TI-SFX-4">();
  judge.Held<"TI-SFX-5">(more && call.fates.front() != CancelFate::kCancelled);
  judge.Refused<"TI-SFX-6">(call.Any(CancelFate::kClaimed));
  judge.Held<"TI-SFX-7">(anchor > 0);
  judge.Held<"TI-SFX-8">(call.Any(CancelFate::kAlreadyCancelled));
}

// cancel_pending_turn_input_suffix

// An anchor that is there, and was answered not found.
Verdict BlameLostAnchor(const Judge& judge, const InputRow& anchor) {
  return IsWaiting(judge, anchor) ? Refuse<"TI-SFX-2">() : Refuse<"TI-SFX-1">();
}

// Outcomes of other rows than the suffix has.
Verdict BlameSuffix(const Cancelling& call, std::size_t anchor, const std::vector<PendingTurnInputCancelOutcome>& outcomes) {
  std::vector<std::size_t> shown;
  for (const PendingTurnInputCancelOutcome& outcome : outcomes) {
    const PendingTurnInput* record = std::visit(RecordIn(), outcome);
    if (record == nullptr) return Refuse<"TI-SFX-4">();
    const std::size_t index = FindInput(call.rows, record->input_id);
    if (index < anchor) return Refuse<"TI-SFX-7">();
    shown.push_back(index);
  }
  if (outcomes.size() == 1 && call.rows[anchor].state != TurnInputState::kPendingActive &&
      call.rows[anchor].state != TurnInputState::kDeferredNextTurn) {
    return Refuse<"TI-SFX-5">();
  }
  return outcomes.empty() || !std::is_sorted(shown.begin(), shown.end()) ? Refuse<"TI-SFX-4">() : Refuse<"TI-SFX-3">();
}

bool IsOf(const InputRow& row, const PendingTurnInputCancelOutcome& outcome) {
  const PendingTurnInput* record = std::visit(RecordIn(), outcome);
  return record != nullptr && (!row.stored->named || record->input_id == row.stored->input.input_id);
}

Verdict JudgeOutcomes(Judge& judge, Cancelling& call, std::size_t anchor, const SuffixOutcomes& answer) {
  const bool fits = answer.outcomes.size() == call.rows.size() - anchor;
  for (std::size_t i = 0; fits && i < answer.outcomes.size(); ++i) {
    if (!IsOf(call.rows[anchor + i], answer.outcomes[i])) return BlameSuffix(call, anchor, answer.outcomes);
  }
  if (!fits) return BlameSuffix(call, anchor, answer.outcomes);
  for (std::size_t i = 0; i < answer.outcomes.size(); ++i) {
    if (Verdict refused = TakeOutcome(judge, call, anchor + i, nullptr, answer.outcomes[i])) return refused;
  }
  CountSuffix(judge, call, anchor);
  Apply(judge, call);
  return kAllowed;
}

Cancelling Begin(const Judge& judge, Manner manner, absl::string_view session_id) {
  return {manner, session_id, *judge.Session(session_id).inputs, {}, {}};
}

}  // namespace

CancelFate FateOfCancel(const Judge& judge, const InputRow& row) {
  switch (row.state) {
    case TurnInputState::kCancelled:
      return CancelFate::kAlreadyCancelled;
    case TurnInputState::kCompleted:
      return CancelFate::kCompleted;
    case TurnInputState::kAccepted:
      return CancelFate::kClaimed;
    case TurnInputState::kPendingActive:
    case TurnInputState::kDeferredNextTurn:
      break;
  }
  return judge.LiveClaim(row) ? CancelFate::kClaimed : CancelFate::kCancelled;
}

Verdict JudgeCall(Judge& judge, const CancelPendingTurnInputsRequest& request,
                  const Answer<std::vector<PendingTurnInputCancelResult>>& answer) {
  if (answer.IsBackend() && InputsOverlapped(judge, request.session_id)) return kAllowed;  // TI-LAT-18
  if (answer.error != nullptr) return Refuse<"TI-CAN-1">();
  Cancelling call = Begin(judge, Manner::kList, request.session_id);
  if (answer.unseen) {
    for (const auto& target : request.targets) TakeUnseen(judge, call, FindTarget(call.rows, target));
    Apply(judge, call);
    return kAllowed;
  }
  if (answer.response->size() != request.targets.size()) return Refuse<"TI-CAN-1">();
  for (std::size_t i = 0; i < request.targets.size(); ++i) {
    const PendingTurnInputCancelResult& result = (*answer.response)[i];
    if (result.target != request.targets[i]) return Refuse<"TI-CAN-1">();
    const std::size_t index = FindTarget(call.rows, result.target);
    if (Verdict refused = TakeOutcome(judge, call, index, &result.target, result.outcome)) return refused;
  }
  CountList(judge, call, request);
  Apply(judge, call);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const CancelPendingTurnInputRequest& request,
                  const Answer<PendingTurnInputCancelOutcome>& answer) {
  if (answer.IsBackend() && InputsOverlapped(judge, request.session_id)) return kAllowed;  // TI-LAT-18
  if (answer.error != nullptr) return Refuse<"TI-CAN1-1">();
  Cancelling call = Begin(judge, Manner::kOne, request.session_id);
  const std::size_t index = FindInput(call.rows, request.input_id);
  if (answer.unseen) {
    TakeUnseen(judge, call, index);
  } else {
    const PendingTurnInputCancelTarget target = InputIdTarget{request.input_id};
    if (Verdict refused = TakeOutcome(judge, call, index, &target, *answer.response)) return refused;
    CountOne(judge, call, request.input_id);
  }
  Apply(judge, call);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const CancelPendingTurnInputSuffixRequest& request,
                  const Answer<PendingTurnInputSuffixCancelOutcome>& answer) {
  if (answer.IsBackend() && InputsOverlapped(judge, request.session_id)) return kAllowed;  // TI-LAT-18
  Cancelling call = Begin(judge, Manner::kSuffix, request.session_id);
  const std::size_t anchor = FindTarget(call.rows, request.anchor);
  if (answer.error != nullptr) return anchor == kNoInput ? Refuse<"TI-SFX-2">() : Refuse<"TI-SFX-4">();
  if (answer.unseen) {
    for (std::size_t i = anchor; i < call.rows.size(); ++i) TakeUnseen(judge, call, i);
    Apply(judge, call);
    return kAllowed;
  }
  const auto* outcomes = std::get_if<SuffixOutcomes>(answer.response);
  if (anchor == kNoInput) {
    if (outcomes != nullptr || std::get<SuffixAnchorNotFound>(*answer.response).anchor != request.anchor) {
      return Refuse<"TI-SFX-2">();
    }
    judge.Refused<"TI-SFX-2">();
    judge.Held<"TI-VAC-3">(NamesVacuumed(judge.Session(request.session_id), request.anchor));
    return kAllowed;
  }
  if (outcomes == nullptr) return BlameLostAnchor(judge, call.rows[anchor]);
  if (outcomes->anchor != request.anchor) return Refuse<"TI-SFX-4">();
  return JudgeOutcomes(judge, call, anchor, *outcomes);
}

}  // namespace leasecheck::session_store::spec_internal
