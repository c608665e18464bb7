// Enqueueing turn inputs, and their list.
#include <algorithm>
#include <memory>

#include "model/session_store/spec_turn_input.h"

namespace leasecheck::session_store::spec_internal {
namespace {

using Kind = Admission::Kind;
using EnqueueAnswer = Answer<PendingTurnInput>;

// enqueue_pending_turn_input

TurnInputState FirstState(const TurnInputIngress& ingress) {
  return std::holds_alternative<ActiveTurnIngress>(ingress) ? TurnInputState::kPendingActive : TurnInputState::kDeferredNextTurn;
}

bool KeyElsewhere(const Judge& judge, const PendingTurnInputDraft& draft) {
  return draft.source_key.has_value() && NamesElsewhere(judge, draft.session_id, SourceKeyTarget{*draft.source_key});
}
bool KeyVacuumed(const SessionState& session, const PendingTurnInputDraft& draft) {
  return draft.source_key.has_value() && NamesVacuumed(session, SourceKeyTarget{*draft.source_key});
}

// Equal to a keyless row: what a store without keys might take for the same input.
bool KeylessTwin(const InputRows& rows, const PendingTurnInputDraft& draft) {
  return !draft.source_key.has_value() && std::any_of(rows.begin(), rows.end(), [&](const InputRow& row) {
    const PendingTurnInput& other = row.stored->input;
    return !other.source_key.has_value() && other.ingress == draft.ingress && other.input == draft.input;
  });
}

// The clause by which a row of its key answers a matching draft.
Verdict RefuseReplay(const InputRow& twin) {
  if (IsTerminal(twin.state)) return Refuse<"TI-ENQ-8">();
  if (twin.claim != nullptr) return Refuse<"TI-ENQ-10">();
  return Refuse<"TI-ENQ-6">();
}

// An error of any kind where a new row was due.
Verdict RefuseFreshError(const Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft) {
  if (KeyVacuumed(session, draft)) return Refuse<"TI-ENQ-13">();
  if (KeyElsewhere(judge, draft)) return Refuse<"TI-ENQ-12">();
  if (draft.input_id.has_value()) return Refuse<"TI-ENQ-4">();
  return draft.source_key.has_value() ? Refuse<"TI-ENQ-5">() : Refuse<"TI-ENQ-1">();
}

Verdict JudgeConflict(Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft, const Admission& admission,
                      const PendingTurnInputSourceKeyConflict& conflict) {
  if (admission.kind == Kind::kTaken) return Refuse<"TI-ENQ-14">();
  if (admission.twin == kNoInput) return RefuseFreshError(judge, session, draft);
  const InputRow& twin = (*session.inputs)[admission.twin];
  if (admission.kind == Kind::kReplay) return RefuseReplay(twin);
  const bool right = conflict.session_id == draft.session_id && conflict.source_key == *draft.source_key &&
                     (!twin.stored->named || conflict.existing_input_id == twin.stored->input.input_id);
  if (!right) return Refuse<"TI-ENQ-7">();
  judge.Refused<"TI-ENQ-7">();
  judge.Refused<"TI-ENQ-9">(IsTerminal(twin.state));
  judge.Held<"TI-ENQ-16">(admission.kind == Kind::kEither);
  if (twin.stored->named) return kAllowed;
  PendingTurnInput named = twin.stored->input;
  named.input_id = conflict.existing_input_id;
  judge.state.Edit(draft.session_id).inputs.Edit()[admission.twin].stored =
      std::make_shared<const StoredInput>(std::move(named), false, true);
  return kAllowed;
}

Verdict JudgeEnqueueError(Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft,
                          const Admission& admission, const EnqueueAnswer& answer) {
  if (const auto* conflict = answer.ErrorIf<PendingTurnInputSourceKeyConflict>()) {
    return JudgeConflict(judge, session, draft, admission, *conflict);
  }
  if (answer.ErrorIf<SessionExecutionLeaseExpired>() != nullptr) return Refuse<"TI-ENQ-15">();
  if (answer.IsBackend() && InputsOverlapped(judge, draft.session_id)) return kAllowed;  // TI-LAT-18
  switch (admission.kind) {
    case Kind::kTaken:
      if (!answer.IsBackend()) return Refuse<"TI-ENQ-14">();
      judge.Refused<"TI-ENQ-14">();
      return kAllowed;
    case Kind::kMayBeTaken:
      if (answer.IsBackend()) return kAllowed;  // TI-LAT-3
      return Refuse<"TI-ENQ-4">();
    case Kind::kFresh:
      return RefuseFreshError(judge, session, draft);
    case Kind::kConflict:
      return Refuse<"TI-ENQ-7">();
    case Kind::kReplay:
    case Kind::kEither:
      break;
  }
  const PendingTurnInput& twin = (*session.inputs)[admission.twin].stored->input;
  const bool other_id = draft.input_id.has_value() && *draft.input_id != twin.input_id;
  return other_id ? Refuse<"TI-ENQ-11">() : RefuseReplay((*session.inputs)[admission.twin]);
}

Verdict JudgeKeyReplay(Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft, const Admission& admission,
                       const PendingTurnInput& shown) {
  const InputRow& twin = (*session.inputs)[admission.twin];
  if (admission.kind == Kind::kConflict) return IsTerminal(twin.state) ? Refuse<"TI-ENQ-9">() : Refuse<"TI-ENQ-7">();
  const bool other_id = draft.input_id.has_value() && *draft.input_id != twin.stored->input.input_id;
  if (!ShowsInput(*session.inputs, admission.twin, shown)) {
    return other_id && shown.input_id == *draft.input_id ? Refuse<"TI-ENQ-11">() : RefuseReplay(twin);
  }
  judge.Held<"TI-ENQ-6">();
  judge.Held<"TI-ENQ-8">(IsTerminal(twin.state));
  judge.Held<"TI-ENQ-10">(twin.claim != nullptr);
  judge.Held<"TI-ENQ-11">(other_id);
  judge.Held<"TI-ENQ-16">(admission.kind == Kind::kEither);
  if (!twin.stored->seen) {
    SessionState& edited = judge.state.Edit(draft.session_id);
    BindInput(edited.inputs.Edit(), admission.twin, shown);
    NoteSequence(edited);
  }
  return kAllowed;
}

Verdict CheckFreshId(const Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft,
                     const PendingTurnInput& shown) {
  if (draft.input_id.has_value()) return shown.input_id == *draft.input_id ? kAllowed : Refuse<"TI-ENQ-4">();
  if (FindInput(*session.inputs, shown.input_id) != kNoInput) {
    return draft.source_key.has_value() ? Refuse<"TI-ENQ-4">() : Refuse<"TI-ENQ-1">();
  }
  if (NamesElsewhere(judge, draft.session_id, InputIdTarget{shown.input_id})) {
    return KeyElsewhere(judge, draft) ? Refuse<"TI-ENQ-12">() : Refuse<"TI-ENQ-4">();
  }
  return kAllowed;
}

Verdict CheckFresh(const Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft,
                   const PendingTurnInput& shown) {
  if (Verdict refused = CheckFreshId(judge, session, draft, shown)) return refused;
  // What vacuum removed is shown instead of a new row.
  const bool old = shown.enqueue_seq <= session.last_input_seq && KeyVacuumed(session, draft);
  if (shown.session_id != draft.session_id || shown.source_key != draft.source_key || shown.ingress != draft.ingress ||
      shown.input != draft.input || shown.enqueued_at_ms != judge.now) {
    return old ? Refuse<"TI-ENQ-13">() : Refuse<"TI-ENQ-5">();
  }
  if (shown.state != FirstState(draft.ingress)) return old ? Refuse<"TI-ENQ-13">() : Refuse<"TI-ENQ-2">();
  return shown.enqueue_seq > session.last_input_seq ? kAllowed : Refuse<"TI-ENQ-3">();
}

void CountFresh(const Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft) {
  if (!judge.counting()) return;
  judge.Held<"TI-ENQ-1">(KeylessTwin(*session.inputs, draft));
  judge.Held<"TI-ENQ-2">();
  judge.Held<"TI-ENQ-3">(session.last_input_seq > 0);
  judge.Held<"TI-ENQ-4">();
  judge.Held<"TI-ENQ-5">();
  judge.Held<"TI-ENQ-12">(KeyElsewhere(judge, draft));
  judge.Held<"TI-ENQ-13">(KeyVacuumed(session, draft));
  judge.Held<"TI-ENQ-15">(!judge.LiveLane(session) || TurnEnded(session, draft.ingress));
  judge.Held<"TI-LAT-23">(TurnEnded(session, draft.ingress));
  const bool id_anew = draft.input_id.has_value() && NamesVacuumed(session, InputIdTarget{*draft.input_id});
  judge.Held<"TI-VAC-3">(id_anew || KeyVacuumed(session, draft));
}

void Insert(Judge& judge, const PendingTurnInputDraft& draft, const PendingTurnInput* shown) {
  InputRow row;
  row.state = FirstState(draft.ingress);
  SessionState& session = judge.state.Edit(draft.session_id);
  if (shown != nullptr) {
    row.stored = std::make_shared<const StoredInput>(*shown, true, true);
    session.last_input_seq = shown->enqueue_seq;
  } else {
    PendingTurnInput unseen{
        draft.input_id.value_or(""), draft.session_id, draft.source_key, 0, draft.ingress, row.state, judge.now, draft.input};
    row.stored = std::make_shared<const StoredInput>(std::move(unseen), false, draft.input_id.has_value());
  }
  session.inputs.Edit().push_back(std::move(row));
}

Verdict JudgeFresh(Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft, const Admission& admission,
                   const EnqueueAnswer& answer) {
  if (admission.kind == Kind::kTaken) {
    if (answer.unseen) return kAllowed;
    return Refuse<"TI-ENQ-14">();
  }
  if (answer.unseen) {
    if (admission.kind == Kind::kMayBeTaken) judge.AddAlternative(judge.state);
  } else {
    if (Verdict refused = CheckFresh(judge, session, draft, *answer.response)) return refused;
    CountFresh(judge, session, draft);
  }
  Insert(judge, draft, answer.response);
  return kAllowed;
}

// list_pending_turn_inputs

// Whether the list is exactly the waiting rows, in order. `rows` takes over what it shows for the first time.
bool MatchesList(const Judge& judge, const std::vector<PendingTurnInput>& list, InputRows& rows, bool* binds) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!IsWaiting(judge, rows[i])) continue;
    if (next == list.size() || !ShowsInput(rows, i, list[next])) return false;
    if (!rows[i].stored->seen) {
      BindInput(rows, i, list[next]);
      *binds = true;
    }
    ++next;
  }
  return next == list.size();
}

// A record that is no waiting row, or not as it is.
Verdict BlameShown(const Judge& judge, const InputRows& rows, const PendingTurnInput& record) {
  const std::size_t index = RowShownBy(rows, record);
  if (index == kNoInput) return Refuse<"TI-LST-1">();
  const InputRow& row = rows[index];
  if (IsTerminal(row.state)) return Refuse<"TI-LST-2">();
  if (judge.LiveClaim(row)) {
    if (BeyondSigned(row.claim->expires.at)) return Refuse<"TI-ACT-11">();
    return judge.DeadAtHome(row.claim->owner) ? Refuse<"TI-LST-8">() : Refuse<"TI-LST-3">();
  }
  if (row.state == TurnInputState::kAccepted) return Refuse<"TI-LST-5">();
  if (ShowsInput(rows, index, record)) return kAllowed;
  return row.claim != nullptr ? Refuse<"TI-LST-4">() : Refuse<"TI-INV-15">();
}

Verdict BlameList(const Judge& judge, const SessionState& session, absl::string_view session_id,
                  const std::vector<PendingTurnInput>& list) {
  if (judge.state.Find(session_id) == nullptr) return Refuse<"TI-LST-7">();
  const InputRows& rows = *session.inputs;
  for (const PendingTurnInput& record : list) {
    if (Verdict refused = BlameShown(judge, rows, record)) return refused;
  }
  bool mixed = false;
  for (const PendingTurnInput& record : list) mixed = mixed || record.ingress.index() != list.front().ingress.index();
  if (!IsSorted(list)) return mixed ? Refuse<"TI-LST-6">() : Refuse<"TI-LST-1">();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!IsWaiting(judge, rows[i])) continue;
    const bool shown = std::any_of(list.begin(), list.end(), [&](const auto& record) { return RowShownBy(rows, record) == i; });
    if (shown) continue;
    if (rows[i].claim != nullptr) return Refuse<"TI-LST-4">();
    if (rows[i].counter > 0) return Refuse<"TI-ABN-3">();
  }
  return Refuse<"TI-LST-1">();
}

void CountList(const Judge& judge, const SessionState& session, absl::string_view session_id) {
  if (!judge.counting()) return;
  judge.Held<"TI-LST-7">(judge.state.Find(session_id) == nullptr);
  bool for_turns = false;
  bool for_next = false;
  for (const InputRow& row : *session.inputs) {
    const bool live = judge.LiveClaim(row);
    const bool waits = IsWaiting(judge, row);
    judge.Held<"TI-LST-1">(waits);
    judge.Held<"TI-LST-2">(IsTerminal(row.state));
    judge.Held<"TI-LST-3">(live);
    judge.Held<"TI-LST-4">(waits && row.claim != nullptr);
    judge.Held<"TI-LST-5">(row.state == TurnInputState::kAccepted && !live);
    judge.Held<"TI-LAT-1">(IsStranded(judge, row));
    judge.Held<"TI-LST-8">(live && judge.DeadAtHome(row.claim->owner));
    judge.Held<"TI-ABN-3">(waits && row.claim == nullptr && row.counter > 0);
    judge.Held<"TI-CMT-13">(live && (!judge.LiveLane(session) || session.lane_fencing != row.claim->lane_fencing));
    for_turns |= waits && row.state == TurnInputState::kPendingActive;
    for_next |= waits && row.state == TurnInputState::kDeferredNextTurn;
  }
  judge.Held<"TI-LST-6">(for_turns && for_next);
}

}  // namespace

Admission Admit(const Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft) {
  const InputRows& rows = *session.inputs;
  if (draft.source_key.has_value()) {
    const std::size_t twin = FindInputKey(rows, *draft.source_key);
    if (twin != kNoInput) {
      const bool same_input = rows[twin].stored->input.input == draft.input;
      const bool as_submitted = same_input && rows[twin].stored->input.ingress == draft.ingress;
      const bool as_it_is = same_input && IngressOf(rows[twin]) == draft.ingress;
      if (as_submitted != as_it_is) return {Kind::kEither, twin};
      return {as_submitted ? Kind::kReplay : Kind::kConflict, twin};
    }
  }
  if (!draft.input_id.has_value()) return {};
  if (FindInput(rows, *draft.input_id) != kNoInput) return {Kind::kTaken};
  const bool elsewhere = judge.context.partitioned || NamesElsewhere(judge, draft.session_id, InputIdTarget{*draft.input_id});
  return {elsewhere ? Kind::kMayBeTaken : Kind::kFresh};
}

Verdict JudgeCall(Judge& judge, const EnqueuePendingTurnInputRequest& request, const EnqueueAnswer& answer) {
  const PendingTurnInputDraft& draft = request.input;
  const SessionState& session = judge.Session(draft.session_id);
  const Admission admission = Admit(judge, session, draft);
  if (answer.error != nullptr) return JudgeEnqueueError(judge, session, draft, admission, answer);
  if (admission.twin == kNoInput) return JudgeFresh(judge, session, draft, admission, answer);
  return answer.unseen ? kAllowed : JudgeKeyReplay(judge, session, draft, admission, *answer.response);
}

Verdict JudgeCall(Judge& judge, const ListPendingTurnInputsRequest& request,
                  const Answer<std::vector<PendingTurnInput>>& answer) {
  if (answer.unseen) return kAllowed;
  const SessionState& session = judge.Session(request.session_id);
  if (answer.error != nullptr) {
    return judge.state.Find(request.session_id) == nullptr ? Refuse<"TI-LST-7">() : Refuse<"TI-LST-1">();
  }
  InputRows rows = *session.inputs;
  bool binds = false;
  if (!MatchesList(judge, *answer.response, rows, &binds)) {
    return BlameList(judge, session, request.session_id, *answer.response);
  }
  CountList(judge, session, request.session_id);
  if (binds) {
    SessionState& edited = judge.state.Edit(request.session_id);
    edited.inputs.Edit() = std::move(rows);
    NoteSequence(edited);
  }
  return kAllowed;
}

}  // namespace leasecheck::session_store::spec_internal
