// Turn inputs: the two claims, abandon, and what a commit does to inputs.
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

// Claim.

bool SlipStore::EligibleForTurn(const InputRow& row, const InputAsker& asker) const {
  const bool lapsed = !LiveClaim(row, asker.now);
  const bool retakes = Deviates(Deviation::kInputReacquires) || Slips(Slip::kInputLapsedAcceptedRetaken);
  const bool once_for_turn = Slips(Slip::kInputDeferredClaimedForTurn) && lapsed;
  switch (row.input.state) {
    case TurnInputState::kPendingActive:
      break;
    case TurnInputState::kAccepted:
      if (!retakes || !lapsed) return false;
      break;
    case TurnInputState::kDeferredNextTurn:
      if (!once_for_turn) return false;
      break;
    default:
      return false;
  }
  const auto* way = std::get_if<ActiveTurnIngress>(once_for_turn ? &row.submitted : &row.input.ingress);
  if (way == nullptr || (way->turn_id != asker.turn()->turn_id && !Slips(Slip::kInputTurnIgnored))) return false;
  if (Slips(Slip::kInputBoundaryIgnored)) return true;
  if (Slips(Slip::kInputBoundaryExact)) return way->min_boundary == asker.turn()->checkpoint;
  return way->min_boundary == CheckpointKind::kAfterWork || asker.turn()->checkpoint == CheckpointKind::kBeforeCompletion;
}

bool SlipStore::EligibleForNext(const InputRow& row, const InputAsker& asker) const {
  if (row.input.state == TurnInputState::kPendingActive) return Slips(Slip::kInputNextTakesActive);
  if (row.input.state != TurnInputState::kDeferredNextTurn) return false;
  if (!row.record.has_value()) return true;
  if (Slips(Slip::kInputOwnLiveClaimRetaken) && SameIncarnation(row.record->owner, asker.owner)) return true;
  if (!Deviates(Deviation::kInputDeadHolderKept) && DefinitelyDead(row.record->owner, asker.owner)) return true;
  return Slips(Slip::kInputExpiryStrict) ? row.record->expires < asker.now : row.record->expires <= asker.now;
}

SlipStore::InputRows SlipStore::SelectInputs(const InputAsker& asker) {
  constexpr std::size_t kWindow = 32;
  Session& session = state_.sessions[asker.session_id];
  InputRows candidates = BySeq(session.inputs);
  if (Slips(Slip::kInputDeferredGoesLast)) {
    std::stable_sort(candidates.begin(), candidates.end(), [](const InputRow* a, const InputRow* b) {
      return (a->submitted == a->input.ingress) > (b->submitted == b->input.ingress);
    });
  }
  if (Slips(Slip::kInputNextNewestFirst) && asker.turn() == nullptr) std::reverse(candidates.begin(), candidates.end());
  const TurnInputState wanted = asker.turn() != nullptr ? TurnInputState::kPendingActive : TurnInputState::kDeferredNextTurn;
  const uint64_t max = Slips(Slip::kInputMaxOffByOne) && asker.max != kEndOfTime ? asker.max + 1 : asker.max;
  InputRows selected;
  std::size_t read = 0;
  for (InputRow* row : candidates) {
    if (selected.size() >= max) break;
    const bool in_state = row->input.state == wanted;
    if (Slips(Slip::kInputScanWindow) && in_state && read++ >= SaturatingAdd(max, kWindow)) break;
    if (asker.turn() != nullptr ? EligibleForTurn(*row, asker) : EligibleForNext(*row, asker)) {
      selected.push_back(row);
    } else if (in_state && Slips(asker.turn() != nullptr ? Slip::kInputOtherTurnBlocks : Slip::kInputNextHeldBlocks)) {
      break;
    }
  }
  std::sort(selected.begin(), selected.end(),
            [](const InputRow* a, const InputRow* b) { return a->input.enqueue_seq < b->input.enqueue_seq; });
  return selected;
}

SlipStore::Error SlipStore::CheckInputFence(const InputAsker& asker) {
  if (Slips(Slip::kInputFenceOfActiveUnchecked) && asker.turn() != nullptr) return std::nullopt;
  const bool foreign = Deviates(Deviation::kInputOwnerMustHoldLane) && !SameIncarnation(asker.owner, asker.fence.owner);
  if (!foreign && FenceHolds(asker.session_id, asker.fence, asker.now)) return std::nullopt;
  return SessionExecutionLeaseExpired{asker.session_id};
}

// Lets others in between the choice of the rows and their claim. Of the slip's checks all but whether they are still free are
// repeated; the deviation gives up where it would choose anew.
Result<SlipStore::InputRows> SlipStore::InputsAfterPause(InputAsker& asker, const InputRows& selected) {
  std::set<std::string> chosen;
  for (const InputRow* row : selected) chosen.insert(row->input.input_id);
  asker.now = LetOthersIn("inputs_selected");
  if (Error error = CheckInputFence(asker)) return Fail(*error);
  if (Deviates(Deviation::kInputBusyLoser)) {
    std::set<std::string> again;
    InputRows rows = SelectInputs(asker);
    for (const InputRow* row : rows) again.insert(row->input.input_id);
    if (again != chosen) return Fail(Backend{"could not serialize access due to concurrent update"});
    return rows;
  }
  InputRows rows = BySeq(state_.sessions[asker.session_id].inputs);
  std::erase_if(rows, [&](const InputRow* row) { return chosen.count(row->input.input_id) == 0 || Ended(*row); });
  return rows;
}

Result<std::optional<TurnInputClaim>> SlipStore::ClaimInputs(InputAsker asker) {
  if (asker.max == 0 && Slips(Slip::kInputMaxZeroIsUnlimited)) asker.max = kEndOfTime;
  if (asker.max == 0 && !Deviates(Deviation::kInputZeroChecksLane)) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  asker.now = Now();
  if (Error error = CheckInputFence(asker)) return Fail(*error);
  if (Slips(Slip::kRaceInputFenceThenClaim)) asker.now = LetOthersIn("fence_checked");
  InputRows rows = SelectInputs(asker);
  if (rows.empty()) return std::nullopt;
  if (Slips(Slip::kRaceInputSelectThenMark) || Deviates(Deviation::kInputBusyLoser)) {
    Result<InputRows> after = InputsAfterPause(asker, rows);
    if (!after.has_value()) return Fail(after.error());
    if (after->empty()) return std::nullopt;
    rows = *after;
  }
  TurnInputClaim claim = GrantInputs(asker, rows);
  if (!Slips(Slip::kCrashInputGrantWrittenLate)) Persist();
  return claim;
}

TurnInputClaim SlipStore::GrantInputs(const InputAsker& asker, const InputRows& rows) {
  Session& session = state_.sessions[asker.session_id];
  const std::string& first_id = rows.front()->input.input_id;
  uint64_t token = rows.front()->counter;
  for (const InputRow* row : rows) token = Deviates(Deviation::kInputCountersByRow) ? token : std::max(token, row->counter);
  token = Slips(Slip::kInputTokenNotRaised) ? std::max<uint64_t>(token, 1) : token + 1;
  if (Deviates(Deviation::kInputCountersLeap)) token += 6;
  TurnInputClaim claim;
  claim.session_id = asker.session_id;
  claim.claim_id = NewId("claim");
  const bool reuses = Slips(Slip::kInputLeaseTokenReused);
  if (reuses || Deviates(Deviation::kInputClaimIdNamesFirst))
    claim.claim_id = absl::StrCat("claim of ", first_id, " no ", reuses ? 0 : token);
  claim.owner = asker.owner;
  claim.lease_token = reuses ? absl::StrCat("token of ", first_id) : NewId("token");
  claim.fencing_token = token;
  claim.claimed_at_epoch_ms = asker.now;
  claim.expires_at_epoch_ms = Slips(Slip::kInputExpiryWraps) ? asker.now + asker.ttl : SaturatingAdd(asker.now, asker.ttl);
  if (Slips(Slip::kInputTtlZeroNeverLapses) && asker.ttl == 0) claim.expires_at_epoch_ms = kEndOfTime;
  claim.mode = asker.mode;
  const ClaimRecord record{.claim_id = claim.claim_id,
                           .lease_token = claim.lease_token,
                           .owner = asker.owner,
                           .claimed_at = asker.now,
                           .expires = claim.expires_at_epoch_ms,
                           .lane_fence = LaneSession(asker.session_id).lane.counter};
  for (InputRow* row : rows) {
    for (InputRow& other : session.inputs) {
      const bool same = row->record.has_value() && other.record.has_value() && &other != row &&
                        other.record->lease_token == row->record->lease_token;
      if (Slips(Slip::kInputRetakesWholeClaim) && same) other.record.reset();
    }
    row->record = record;
    row->counter = Deviates(Deviation::kInputCountersByRow) ? row->counter + 1 : token;
    if (asker.turn() != nullptr || Slips(Slip::kInputNextMarksAccepted)) row->input.state = TurnInputState::kAccepted;
    claim.inputs.push_back(row->input);
  }
  return claim;
}

Result<std::optional<TurnInputClaim>> SlipStore::ClaimActiveTurnInputs(const ClaimActiveTurnInputsRequest& request) {
  return ClaimInputs({request.session_id, request.session_execution_lease, request.owner,
                      ActiveTurnClaimMode{request.turn_id, request.checkpoint}, request.lease_ttl_ms, request.max_inputs});
}

Result<std::optional<TurnInputClaim>> SlipStore::ClaimNextTurnInputs(const ClaimNextTurnInputsRequest& request) {
  return ClaimInputs({request.session_id, request.session_execution_lease, request.owner, NextTurnClaimMode{},
                      request.lease_ttl_ms, request.max_inputs});
}

// Abandon.

void SlipStore::GiveBack(InputRow& row) {
  row.record.reset();
  if (Slips(Slip::kInputAbandonResetsCounter)) row.counter = 0;
  if (row.input.state != TurnInputState::kAccepted || Slips(Slip::kInputAbandonLeavesAccepted)) return;
  row.input.state = TurnInputState::kPendingActive;
  if (!Slips(Slip::kInputAbandonDefers)) return;
  row.input.state = TurnInputState::kDeferredNextTurn;
  row.input.ingress = NextTurnIngress{};
}

Result<Done> SlipStore::AbandonTurnInputClaim(const AbandonTurnInputClaimRequest& request) {
  const TurnInputClaim& claim = request.claim;
  absl::MutexLock lock(&mutex_);
  const EpochMs now = Now();
  const auto listed = [&](const InputRow& row) {
    return std::any_of(claim.inputs.begin(), claim.inputs.end(),
                       [&](const PendingTurnInput& input) { return input.input_id == row.input.input_id; });
  };
  const auto owned = [&](const InputRow& row) {
    if (!row.record.has_value()) return false;
    if (Slips(Slip::kInputAbandonFreesListed)) return listed(row);
    if (Slips(Slip::kInputAbandonOnlyListed) && !listed(row)) return false;
    if (Slips(Slip::kInputAbandonIgnoresLapsed) && row.record->expires <= now) return false;
    const bool same_token = row.record->lease_token == claim.lease_token || Slips(Slip::kInputAbandonTrustsClaimId);
    return row.record->claim_id == claim.claim_id && same_token;
  };
  std::set<std::string> checked;
  for (const InputRow& row : state_.sessions[claim.session_id].inputs) {
    if (owned(row)) checked.insert(row.input.input_id);
  }
  if (Slips(Slip::kRaceInputAbandonCheckThenClear) && !checked.empty()) LetOthersIn("claim_checked");
  for (InputRow& row : state_.sessions[claim.session_id].inputs) {
    if (checked.count(row.input.input_id) > 0 && !Ended(row)) GiveBack(row);
  }
  if (!Slips(Slip::kCrashInputAbandonWrittenLate)) Persist();
  return Done{};
}

// The commit.

bool SlipStore::OwnedByCompletion(const InputRow& row, const TurnInputCompletion& completion, EpochMs now) {
  if (!row.record.has_value() || row.record->claim_id != completion.claim_id) return false;
  if (row.record->lease_token != completion.lease_token && !Slips(Slip::kInputCommitTrustsClaimId)) return false;
  const bool refuses_lapsed = Slips(Slip::kInputCommitRefusesLapsed) || Deviates(Deviation::kInputRefusesLapsed);
  if (refuses_lapsed && row.record->expires <= now) return false;
  const Lane& lane = LaneSession(completion.session_id).lane;
  if (Slips(Slip::kInputClaimDiesWithLane) && row.record->lane_fence != lane.counter) return false;
  return !Slips(Slip::kInputCommitNeedsClaimant) ||
         (lane.lease.has_value() && SameIncarnation(lane.lease->owner, row.record->owner));
}

bool SlipStore::CompletesInputs(const RuntimeCommit& commit, const TurnInputCompletion& completion, EpochMs now) {
  if (completion.session_id != commit.session_id) return false;
  if (completion.input_ids.empty()) return !Deviates(Deviation::kInputEmptyCompletionRefused);
  std::set<std::string> owned;
  for (const InputRow& row : state_.sessions[completion.session_id].inputs) {
    if (OwnedByCompletion(row, completion, now)) owned.insert(row.input.input_id);
  }
  const std::set<std::string> listed(completion.input_ids.begin(), completion.input_ids.end());
  const auto is_owned = [&](const std::string& id) { return owned.count(id) > 0; };
  if (Slips(Slip::kInputCommitIgnoresForeignIds)) return std::any_of(listed.begin(), listed.end(), is_owned);
  if (Deviates(Deviation::kInputPartialRefused) && owned.size() != listed.size()) return false;
  return std::all_of(listed.begin(), listed.end(), is_owned);
}

SlipStore::Error SlipStore::CheckInputCompletions(const RuntimeCommit& commit, EpochMs now) {
  const std::vector<TurnInputCompletion>& completions = commit.completed_turn_input_claims;
  std::set<std::string> settled;
  for (auto completion = completions.begin(); completion != completions.end(); ++completion) {
    const bool repeated = std::find(completions.begin(), completion, *completion) != completion;
    if (repeated && Deviates(Deviation::kInputSameCompletionTwice)) continue;
    std::set<std::string> own;
    bool distinct = true;
    for (const std::string& input_id : completion->input_ids) {
      if (!own.insert(input_id).second && Deviates(Deviation::kInputDuplicateIdsAreSet)) continue;
      distinct = settled.insert(input_id).second && distinct;
    }
    if (!distinct || !CompletesInputs(commit, *completion, now)) {
      return TurnInputClaimExpired{completion->session_id, completion->claim_id};
    }
    if (Slips(Slip::kInputCompletesAsItChecks)) CompleteInputs(*completion);
  }
  return std::nullopt;
}

void SlipStore::CompleteInputs(const TurnInputCompletion& completion) {
  const std::set<std::string> listed(completion.input_ids.begin(), completion.input_ids.end());
  for (InputRow& row : state_.sessions[completion.session_id].inputs) {
    const bool claimed = row.record.has_value() && row.record->lease_token == completion.lease_token;
    const bool whole = Slips(Slip::kInputCompletesWholeClaim) && claimed;
    if (listed.count(row.input.input_id) == 0 && !whole) continue;
    if (Slips(Slip::kInputCommitIgnoresForeignIds) && !claimed) continue;
    row.input.state = TurnInputState::kCompleted;
    if (!Slips(Slip::kInputCompletedKeepsClaim)) row.record.reset();
  }
}

void SlipStore::SettleInputs(const RuntimeCommit& commit) {
  for (const TurnInputCompletion& completion : commit.completed_turn_input_claims) {
    CompleteInputs(completion);
    if (Slips(Slip::kInputFirstCompletionOnly)) break;
  }
}

void SlipStore::InterruptInputs(const RuntimeCommit& commit) {
  if (!commit.interrupted_turn_input_turn_id.has_value()) return;
  const std::string& turn_id = *commit.interrupted_turn_input_turn_id;
  if (Slips(Slip::kInputInterruptSticks)) state_.sessions[commit.session_id].interrupted_turns.insert(turn_id);
  for (auto& [id, session] : state_.sessions) {
    if (id == commit.session_id || Slips(Slip::kInputInterruptAllSessions)) Defer(session, turn_id);
  }
}

void SlipStore::Defer(Session& session, const std::string& turn_id) {
  std::vector<InputRow> copies;
  std::set<std::string> dropped;
  for (InputRow& row : session.inputs) {
    const auto* way = std::get_if<ActiveTurnIngress>(&row.input.ingress);
    const bool accepted = row.input.state == TurnInputState::kAccepted && Slips(Slip::kInputInterruptTakesAccepted);
    if (way == nullptr || (row.input.state != TurnInputState::kPendingActive && !accepted)) continue;
    if (way->turn_id != turn_id && !Slips(Slip::kInputInterruptAllTurns)) continue;
    if (way->min_boundary == CheckpointKind::kBeforeCompletion && Slips(Slip::kInputInterruptSparesLate)) continue;
    if (Slips(Slip::kInputInterruptCopies)) copies.push_back(row);
    if (Slips(Slip::kInputInterruptDrops)) dropped.insert(row.input.input_id);
    row.input.state = TurnInputState::kDeferredNextTurn;
    row.input.ingress = NextTurnIngress{};
    row.record.reset();
    if (Slips(Slip::kInputInterruptNumbersAnew)) row.input.enqueue_seq = NextInputSeq(session);
  }
  for (InputRow& copy : copies) {
    copy.input.input_id = NewId("input");
    copy.input.enqueue_seq = NextInputSeq(session);
    copy.input.source_key.reset();
    session.inputs.push_back(std::move(copy));
  }
  std::erase_if(session.inputs, [&](const InputRow& row) { return dropped.count(row.input.input_id) > 0; });
}

}  // namespace leasecheck::mutants
