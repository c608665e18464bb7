// Turn inputs: enqueue, the list, the cancels and vacuum.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/mutants/slip_store.h"
#include "tests/mutants/slip_store_internal.h"

namespace leasecheck::mutants {

using namespace session_store;  // NOLINT(build/namespaces): this file is about little else

namespace {

const ActiveTurnIngress* TurnOf(const TurnInputIngress& ingress) { return std::get_if<ActiveTurnIngress>(&ingress); }

// The texts of an input in a row, as if they had been one.
std::string JoinedTexts(const TurnInput& input) {
  std::string joined;
  for (const TurnInputItem& item : input.items) {
    const auto* text = std::get_if<TextItem>(&item);
    absl::StrAppend(&joined, text != nullptr ? text->text : std::get<ImageRefItem>(item).id);
  }
  return joined;
}

}  // namespace

// Enqueue.

bool SlipStore::InputIdTaken(const PendingTurnInputDraft& draft) {
  if (!draft.input_id.has_value()) return false;
  for (const auto& [id, session] : state_.sessions) {
    if (id != draft.session_id && Deviates(Deviation::kInputIdsPerSession)) continue;
    for (const InputRow& row : session.inputs) {
      if (row.input.input_id == *draft.input_id) return true;
    }
  }
  return false;
}

InputRow* SlipStore::FindInputByKey(const PendingTurnInputDraft& draft) {
  if (!draft.source_key.has_value()) return nullptr;
  if (Slips(Slip::kInputEmptyKeyIsNoKey) && draft.source_key->empty()) return nullptr;
  for (auto& [id, session] : state_.sessions) {
    if (id != draft.session_id && !Slips(Slip::kInputKeyUnscoped)) continue;
    for (InputRow& row : session.inputs) {
      if (row.input.source_key != draft.source_key) continue;
      if (Slips(Slip::kInputKeyFreedByEnd) && Ended(row)) continue;
      if (Slips(Slip::kInputKeyFreedByClaim) && row.record.has_value()) continue;
      return &row;
    }
  }
  return nullptr;
}

bool SlipStore::SameSubmission(const InputRow& row, const PendingTurnInputDraft& draft) const {
  if (Slips(Slip::kInputContentUnchecked)) return true;
  const TurnInputIngress& ingress = Deviates(Deviation::kInputKeyMatchesStored) ? row.input.ingress : row.submitted;
  bool same_way = ingress == draft.ingress || Slips(Slip::kInputIngressUncompared);
  if (Slips(Slip::kInputBoundaryUncompared) && TurnOf(ingress) != nullptr && TurnOf(draft.ingress) != nullptr) {
    same_way = TurnOf(ingress)->turn_id == TurnOf(draft.ingress)->turn_id;
  }
  TurnInput stored = row.input.input;
  if (Slips(Slip::kInputOptionsUncompared)) {
    stored.protocol_turn_options = draft.input.protocol_turn_options;
    stored.trace_turn_id = draft.input.trace_turn_id;
  }
  if (Slips(Slip::kInputTextsJoined) && JoinedTexts(stored) == JoinedTexts(draft.input)) stored.items = draft.input.items;
  return same_way && stored == draft.input;
}

// The answer of a source_key that is bound, or nothing where a new row is due.
std::optional<Result<PendingTurnInput>> SlipStore::ReplayInputKey(const PendingTurnInputDraft& draft) {
  InputRow* row = FindInputByKey(draft);
  if (row == nullptr) {
    if (!Slips(Slip::kInputKeyRemembered) || !draft.source_key.has_value()) return std::nullopt;
    const auto& old_keys = state_.sessions[draft.session_id].old_input_keys;
    const auto old = old_keys.find(*draft.source_key);
    return old == old_keys.end() ? std::nullopt : std::make_optional<Result<PendingTurnInput>>(old->second);
  }
  if (!SameSubmission(*row, draft)) {
    if (Slips(Slip::kInputEndedNoConflict) && Ended(*row)) return std::nullopt;
    return Fail(PendingTurnInputSourceKeyConflict{draft.session_id, *draft.source_key, row->input.input_id});
  }
  if (Slips(Slip::kInputKeyRevives) && row->input.state == TurnInputState::kCancelled) {
    row->input.state = FirstStateOf(row->input.ingress);
  }
  if (Slips(Slip::kInputReplayDetachesClaim)) row->record.reset();
  return row->input;
}

uint64_t SlipStore::NextInputSeq(const Session& session) {
  if (Slips(Slip::kInputSeqFromMax)) {
    uint64_t largest = 0;
    for (const InputRow& row : session.inputs) largest = std::max(largest, row.input.enqueue_seq);
    return largest + 1;
  }
  if (Deviates(Deviation::kInputSeqWithGaps)) return state_.next_input_seq += 3 + state_.next_input_seq % 5;
  return Deviates(Deviation::kInputSeqPerSession) ? session.next_input_seq : state_.next_input_seq++;
}

PendingTurnInput SlipStore::InsertInput(const PendingTurnInputDraft& draft, EpochMs now) {
  Session& session = state_.sessions[draft.session_id];
  PendingTurnInput input;
  input.input_id = draft.input_id.has_value() ? *draft.input_id : NewId("input");
  input.session_id = draft.session_id;
  input.source_key = draft.source_key;
  input.enqueue_seq = NextInputSeq(session);
  input.ingress = draft.ingress;
  input.state = FirstStateOf(draft.ingress);
  input.enqueued_at_ms = now;
  input.input = draft.input;
  if (const ActiveTurnIngress* turn = TurnOf(draft.ingress)) {
    const bool ended = session.stamps.count(turn->turn_id) > 0;
    if (ended && Slips(Slip::kInputForEndedTurnDeferred)) input.state = TurnInputState::kDeferredNextTurn;
    if (session.interrupted_turns.count(turn->turn_id) > 0) input.state = TurnInputState::kDeferredNextTurn;
  }
  session.next_input_seq = input.enqueue_seq + 1;
  session.inputs.push_back({input, draft.ingress, std::nullopt, 0});
  return input;
}

Result<PendingTurnInput> SlipStore::EnqueuePendingTurnInput(const EnqueuePendingTurnInputRequest& request) {
  const PendingTurnInputDraft& draft = request.input;
  absl::MutexLock lock(&mutex_);
  EpochMs now = Now();
  const Backend taken{"the input_id is taken"};
  std::optional<uint64_t> early;
  if (Slips(Slip::kRaceInputSeqReadThenWrite)) {  // before the key is looked up, so that nothing else comes of it
    early = state_.next_input_seq;
    now = LetOthersIn("input_seq_read");
  }
  if (Slips(Slip::kInputIdBeforeKey) && InputIdTaken(draft)) return Fail(taken);
  if (auto replayed = ReplayInputKey(draft)) return *replayed;
  if (Slips(Slip::kRaceInputKeyThenInsert)) now = LetOthersIn("input_key_looked_up");
  if (InputIdTaken(draft) && !Slips(Slip::kInputIdUnchecked)) return Fail(taken);
  if (early.has_value()) state_.next_input_seq = *early;
  PendingTurnInput input = InsertInput(draft, now);
  if (!Slips(Slip::kCrashInputEnqueueWrittenLate)) Persist();
  return input;
}

// The list.

bool SlipStore::ListsInput(const InputRow& row, EpochMs now) const {
  const bool live = LiveClaim(row, now);
  if (row.input.state == TurnInputState::kAccepted) return Slips(Slip::kInputListShowsLapsedAccepted) && !live;
  if (Ended(row)) return false;
  if (!row.record.has_value() || Slips(Slip::kInputListShowsClaimed)) return true;
  if (Slips(Slip::kInputListHidesLapsed)) return false;
  if (Slips(Slip::kInputListShowsDeadHolder) && ProcessDead(environment_.liveness, row.record->owner)) return true;
  return Slips(Slip::kInputListExpiryStrict) ? row.record->expires < now : !live;
}

Result<std::vector<PendingTurnInput>> SlipStore::ListPendingTurnInputs(const ListPendingTurnInputsRequest& request) {
  absl::MutexLock lock(&mutex_);
  EpochMs now = Now();
  std::vector<PendingTurnInput> listed;
  const auto read = [&](std::optional<TurnInputState> state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (auto& [id, session] : state_.sessions) {
      if (id != request.session_id && !Slips(Slip::kInputListLeaksSessions)) continue;
      for (const InputRow* row : BySeq(session.inputs)) {
        if (ListsInput(*row, now) && (!state.has_value() || row->input.state == *state)) listed.push_back(row->input);
      }
    }
  };
  const bool two_reads = Slips(Slip::kRaceInputListInTwoReads);
  if (!two_reads && !Slips(Slip::kInputListByKind)) {
    read(std::nullopt);
    return listed;
  }
  read(TurnInputState::kPendingActive);
  if (two_reads) now = LetOthersIn("active_inputs_read");
  read(TurnInputState::kDeferredNextTurn);
  if (two_reads) {
    std::stable_sort(listed.begin(), listed.end(),
                     [](const PendingTurnInput& a, const PendingTurnInput& b) { return a.enqueue_seq < b.enqueue_seq; });
  }
  return listed;
}

// Cancel.

InputRow* SlipStore::FindInput(const std::string& session_id, const PendingTurnInputCancelTarget& target) {
  const auto* by_id = std::get_if<InputIdTarget>(&target);
  for (auto& [id, session] : state_.sessions) {
    if (id != session_id && !(Slips(Slip::kInputCancelAcrossSessions) && by_id != nullptr)) continue;
    for (InputRow& row : session.inputs) {
      if (by_id != nullptr ? row.input.input_id == by_id->value
                           : row.input.source_key == std::get<SourceKeyTarget>(target).value) {
        return &row;
      }
    }
  }
  return nullptr;
}

bool SlipStore::InputClaimed(const InputRow& row, EpochMs now) const {
  const bool live = LiveClaim(row, now);
  if (row.input.state == TurnInputState::kAccepted) return live || !Slips(Slip::kInputCancelLapsedAccepted);
  if (!row.record.has_value() || Slips(Slip::kInputCancelIgnoresClaim)) return false;
  return Slips(Slip::kInputCancelExpiryStrict) ? row.record->expires >= now : live;
}

std::optional<PendingTurnInputClaimDiagnostics> SlipStore::DiagnosticsOf(const InputRow& row, EpochMs now) {
  if (Deviates(Deviation::kInputNoDiagnostics)) return std::nullopt;
  PendingTurnInputClaimDiagnostics diagnostics;
  diagnostics.state = row.input.state;
  diagnostics.claim_fencing_token = row.counter;
  if (row.record.has_value()) {
    diagnostics.claim_id = row.record->claim_id;
    diagnostics.claim_owner = row.record->owner;
    diagnostics.claim_expires_at_ms = row.record->expires;
  }
  const Lane& lane = LaneSession(row.input.session_id).lane;
  if (Slips(Slip::kInputDiagnosticsOfLane) && lane.lease.has_value()) diagnostics.claim_owner = lane.lease->owner;
  if (Slips(Slip::kInputDiagnosticsHideLapse) && !LiveClaim(row, now)) diagnostics.claim_expires_at_ms.reset();
  if (Slips(Slip::kInputDiagnosticsOldState)) diagnostics.state = FirstStateOf(row.input.ingress);
  return diagnostics;
}

PendingTurnInputCancelOutcome SlipStore::CancelInput(InputRow& row, EpochMs now) {
  if (row.input.state == TurnInputState::kCompleted) return TurnInputAlreadyCompleted{row.input};
  if (row.input.state == TurnInputState::kCancelled) return TurnInputAlreadyCancelled{row.input};
  if (InputClaimed(row, now)) return TurnInputAlreadyClaimed{row.input, DiagnosticsOf(row, now)};
  row.input.state = TurnInputState::kCancelled;
  if (!Slips(Slip::kInputCancelKeepsClaim)) row.record.reset();
  return TurnInputCancelled{row.input};
}

PendingTurnInputCancelOutcome SlipStore::CancelTarget(const std::string& session_id, const PendingTurnInputCancelTarget& target,
                                                      EpochMs now) {
  InputRow* row = FindInput(session_id, target);
  if (row == nullptr) return TurnInputNotFound{};
  if (Slips(Slip::kRaceInputCancelCheckThenMark) && !Ended(*row) && !InputClaimed(*row, now)) {
    LetOthersIn("cancel_checked");
    row = FindInput(session_id, target);
    if (row == nullptr) return TurnInputNotFound{};
    row->input.state = TurnInputState::kCancelled;
    row->record.reset();
    return TurnInputCancelled{row->input};
  }
  return CancelInput(*row, now);
}

Result<std::vector<PendingTurnInputCancelResult>> SlipStore::CancelPendingTurnInputs(
    const CancelPendingTurnInputsRequest& request) {
  absl::MutexLock lock(&mutex_);
  EpochMs now = Now();
  std::vector<PendingTurnInputCancelResult> results;
  std::set<uint64_t> cancelled;  // here, by enqueue_seq
  bool unknown = false;
  for (const PendingTurnInputCancelTarget& target : request.targets) {
    if (!results.empty() && Slips(Slip::kRaceInputCancelInSteps)) now = LetOthersIn("one_target_cancelled");
    const bool skipped = unknown && Slips(Slip::kInputCancelStopsAtUnknown);
    PendingTurnInputCancelOutcome outcome = skipped ? TurnInputNotFound{} : CancelTarget(request.session_id, target, now);
    unknown |= std::holds_alternative<TurnInputNotFound>(outcome);
    if (const auto* now_cancelled = std::get_if<TurnInputCancelled>(&outcome)) cancelled.insert(now_cancelled->input.enqueue_seq);
    const auto* again = std::get_if<TurnInputAlreadyCancelled>(&outcome);
    if (Slips(Slip::kInputCancelDecidedAtStart) && again != nullptr && cancelled.count(again->input.enqueue_seq) > 0) {
      outcome = TurnInputCancelled{again->input};
    }
    results.push_back({target, std::move(outcome)});
  }
  if (!Slips(Slip::kCrashInputCancelWrittenLate)) Persist();
  return results;
}

Result<PendingTurnInputCancelOutcome> SlipStore::CancelPendingTurnInput(const CancelPendingTurnInputRequest& request) {
  absl::MutexLock lock(&mutex_);
  const EpochMs now = Now();
  PendingTurnInputCancelOutcome outcome = CancelTarget(request.session_id, InputIdTarget{request.input_id}, now);
  if (Slips(Slip::kInputCancelOneFindsKeys) && std::holds_alternative<TurnInputNotFound>(outcome)) {
    outcome = CancelTarget(request.session_id, SourceKeyTarget{request.input_id}, now);
  }
  if (!Slips(Slip::kCrashInputCancelWrittenLate)) Persist();
  return outcome;
}

bool SlipStore::InSuffix(const InputRow& row, const InputRow& anchor) const {
  if (Slips(Slip::kInputSuffixSkipsEnded) && Ended(row) && &row != &anchor) return false;
  if (Slips(Slip::kInputSuffixSameKind) && row.input.ingress.index() != anchor.input.ingress.index()) return false;
  if (Slips(Slip::kInputSuffixByTime)) return row.input.enqueued_at_ms >= anchor.input.enqueued_at_ms;
  return row.input.enqueue_seq >= anchor.input.enqueue_seq;
}

Result<PendingTurnInputSuffixCancelOutcome> SlipStore::CancelPendingTurnInputSuffix(
    const CancelPendingTurnInputSuffixRequest& request) {
  absl::MutexLock lock(&mutex_);
  const EpochMs now = Now();
  const InputRow* anchor = FindInput(request.session_id, request.anchor);
  const bool waits = anchor != nullptr && !Ended(*anchor);
  if (anchor == nullptr || (Slips(Slip::kInputSuffixAnchorMustWait) && !waits)) return SuffixAnchorNotFound{request.anchor};
  SuffixOutcomes suffix{request.anchor, {}};
  for (auto& [id, session] : state_.sessions) {
    if (id != request.session_id && !Slips(Slip::kInputSuffixAcrossSessions)) continue;
    for (InputRow* row : BySeq(session.inputs)) {
      if (!InSuffix(*row, *anchor)) continue;
      const bool claimed = !Ended(*row) && InputClaimed(*row, now);
      if (Slips(Slip::kInputSuffixTakesClaimed) && claimed && row->input.state != TurnInputState::kAccepted) row->record.reset();
      suffix.outcomes.push_back(CancelInput(*row, now));
      if (Slips(Slip::kInputSuffixStopsAtClaimed) && claimed) break;
    }
  }
  if (!Slips(Slip::kCrashInputCancelWrittenLate)) Persist();
  return suffix;
}

// Vacuum.

Result<VacuumReport> SlipStore::Vacuum(const VacuumRequest&) {
  absl::MutexLock lock(&mutex_);
  const EpochMs now = Now();
  VacuumReport report;
  const bool own_only = Deviates(Deviation::kInputVacuumsOwnSession) && state_.bound_session.has_value();
  for (auto& [id, session] : state_.sessions) {
    if (own_only && id != *state_.bound_session) continue;
    const auto removed = std::stable_partition(session.inputs.begin(), session.inputs.end(), [&](const InputRow& row) {
      const bool lapsed = row.input.state == TurnInputState::kAccepted && !LiveClaim(row, now);
      if (Slips(Slip::kInputVacuumTakesLapsed) && lapsed) return false;
      return !Ended(row) || (Slips(Slip::kInputVacuumKeepsCompleted) && row.input.state == TurnInputState::kCompleted);
    });
    report.removed_pending_turn_input_tombstone_count += static_cast<uint64_t>(session.inputs.end() - removed);
    for (auto row = removed; Slips(Slip::kInputKeyRemembered) && row != session.inputs.end(); ++row) {
      if (row->input.source_key.has_value()) session.old_input_keys.insert({*row->input.source_key, row->input});
    }
    session.inputs.erase(removed, session.inputs.end());
    for (InputRow& row : session.inputs) {
      if (Slips(Slip::kInputVacuumDropsLapsedClaims) && !LiveClaim(row, now)) row.record.reset();
    }
  }
  Persist();
  return report;
}

}  // namespace leasecheck::mutants
