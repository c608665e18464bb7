// The turn-input operations of SessionStoreState.
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "memstore/session_store_state.h"

namespace leasecheck::memstore {
namespace {

using session_store::ActiveTurnClaimMode;
using session_store::ActiveTurnIngress;
using session_store::Backend;
using session_store::Done;
using session_store::InputIdTarget;
using session_store::LeaseOwnerIdentity;
using session_store::NextTurnClaimMode;
using session_store::PendingTurnInput;
using session_store::PendingTurnInputCancelOutcome;
using session_store::PendingTurnInputCancelResult;
using session_store::PendingTurnInputCancelTarget;
using session_store::PendingTurnInputClaimDiagnostics;
using session_store::PendingTurnInputDraft;
using session_store::PendingTurnInputSourceKeyConflict;
using session_store::PendingTurnInputSuffixCancelOutcome;
using session_store::Result;
using session_store::SessionExecutionLeaseExpired;
using session_store::SourceKeyTarget;
using session_store::StoreError;
using session_store::TurnInputClaim;
using session_store::TurnInputClaimMode;
using session_store::TurnInputState;
using session_store::VacuumReport;

constexpr uint64_t kEndOfCounter = std::numeric_limits<uint64_t>::max();

tl::unexpected<StoreError> Fail(StoreError error) { return tl::unexpected<StoreError>(std::move(error)); }

PendingTurnInputClaimDiagnostics DiagnosticsOf(const TurnInputRow& row) {
  PendingTurnInputClaimDiagnostics diagnostics;
  diagnostics.state = row.state;
  diagnostics.claim_fencing_token = row.counter();
  if (row.claim() == nullptr) return diagnostics;
  diagnostics.claim_id = row.claim()->claim_id;
  diagnostics.claim_owner = row.claim()->owner;
  diagnostics.claim_expires_at_ms = row.claim()->expires;
  return diagnostics;
}

}  // namespace

// Which row is meant.

TurnInputRow* SessionStoreState::FindInputById(absl::string_view session_id, absl::string_view input_id) const {
  auto it = inputs_by_id_.find(input_id);
  return it != inputs_by_id_.end() && it->second->submitted->session_id == session_id ? it->second : nullptr;
}

TurnInputRow* SessionStoreState::FindOwnedInput(absl::string_view session_id, const TurnInputClaims::Claim& claim,
                                                std::size_t place, absl::string_view input_id) const {
  if (place < claim.rows().size() && claim.rows()[place]->submitted->input_id == input_id) return claim.rows()[place];
  TurnInputRow* row = FindInputById(session_id, input_id);
  return row != nullptr && row->claim() == &claim ? row : nullptr;
}

TurnInputRow* SessionStoreState::FindInput(const Session* session, const PendingTurnInputCancelTarget& target) const {
  if (session == nullptr) return nullptr;
  if (const auto* key = std::get_if<SourceKeyTarget>(&target)) return session->inputs.FindBySourceKey(key->value);
  return FindInputById(session->lane.session_id(), std::get<InputIdTarget>(target).value);
}

Result<const TurnInputRow*> SessionStoreState::FindKeyed(const PendingTurnInputDraft& draft) const {
  const Session* session = draft.source_key.has_value() ? Find(draft.session_id) : nullptr;
  const TurnInputRow* row = session == nullptr ? nullptr : session->inputs.FindBySourceKey(*draft.source_key);
  if (row == nullptr) return nullptr;
  const bool as_submitted = choices_.key_match == KeyMatch::kSubmitted || !row->rewritten;
  const bool same_ingress =
      as_submitted ? draft.ingress == row->submitted->ingress : !std::holds_alternative<ActiveTurnIngress>(draft.ingress);
  if (same_ingress && draft.input == row->submitted->input) return row;
  return Fail(PendingTurnInputSourceKeyConflict{draft.session_id, *draft.source_key, row->submitted->input_id});
}

// Enqueue and list.

std::string SessionStoreState::NewInputId() {
  std::string id = ids_.Next(IdKind::kTurnInput);
  while (given_input_ids_.erase(id) != 0) id = ids_.Next(IdKind::kTurnInput);
  return id;
}

void SessionStoreState::RememberGivenId(const std::string& input_id) {
  if (ids_.WillIssue(IdKind::kTurnInput, input_id)) given_input_ids_.insert(input_id);
}

Result<PendingTurnInput> SessionStoreState::EnqueuePendingTurnInput(const session_store::EnqueuePendingTurnInputRequest& request,
                                                                    EpochMs now) {
  const PendingTurnInputDraft& draft = request.input;
  Result<const TurnInputRow*> keyed = FindKeyed(draft);
  if (!keyed.has_value()) return Fail(std::move(keyed).error());
  if (*keyed != nullptr) return (*keyed)->Record();
  if (draft.input_id.has_value() && inputs_by_id_.contains(*draft.input_id)) {
    return Fail(Backend{absl::StrCat("the store has a turn input with the id ", *draft.input_id, " already")});
  }
  if (last_input_seq_ == kEndOfCounter) return Fail(Backend{"the store's enqueue_seq numbers of turn inputs are used up"});
  auto input = std::make_shared<PendingTurnInput>();
  input->input_id = draft.input_id.has_value() ? *draft.input_id : NewInputId();
  if (draft.input_id.has_value()) RememberGivenId(*draft.input_id);
  input->session_id = draft.session_id;
  input->source_key = draft.source_key;
  input->enqueue_seq = ++last_input_seq_;
  input->ingress = draft.ingress;
  input->state = std::holds_alternative<ActiveTurnIngress>(draft.ingress) ? TurnInputState::kPendingActive
                                                                          : TurnInputState::kDeferredNextTurn;
  input->enqueued_at_ms = now;
  input->input = draft.input;
  TurnInputRow& row = FindOrCreate(draft.session_id).inputs.Append(input, input->state, false, first_counters_);
  inputs_by_id_.emplace(absl::string_view(row.submitted->input_id), &row);
  return row.Record();
}

Result<std::vector<PendingTurnInput>> SessionStoreState::ListPendingTurnInputs(
    const session_store::ListPendingTurnInputsRequest& request, EpochMs now) {
  std::vector<PendingTurnInput> inputs;
  const Session* session = Find(request.session_id);
  if (session == nullptr) return inputs;
  session->inputs.ForEachWaiting([&](const TurnInputRow& row) {
    if (!row.IsLiveClaimed(now)) inputs.push_back(row.Record());
  });
  return inputs;
}

// Cancel.

PendingTurnInputCancelOutcome SessionStoreState::CancelInput(TurnInputLog& inputs, TurnInputRow& row, EpochMs now) {
  if (row.state == TurnInputState::kCompleted) return session_store::TurnInputAlreadyCompleted{row.Record()};
  if (row.state == TurnInputState::kCancelled) return session_store::TurnInputAlreadyCancelled{row.Record()};
  if (!row.IsListed(now)) return session_store::TurnInputAlreadyClaimed{row.Record(), DiagnosticsOf(row)};
  inputs.Bury(row, TurnInputState::kCancelled);
  return session_store::TurnInputCancelled{row.Record()};
}

Result<std::vector<PendingTurnInputCancelResult>> SessionStoreState::CancelPendingTurnInputs(
    const session_store::CancelPendingTurnInputsRequest& request, EpochMs now) {
  Session* session = Find(request.session_id);
  std::vector<PendingTurnInputCancelResult> results;
  results.reserve(request.targets.size());
  for (const PendingTurnInputCancelTarget& target : request.targets) {
    TurnInputRow* row = FindInput(session, target);
    results.push_back({target, row == nullptr ? PendingTurnInputCancelOutcome(session_store::TurnInputNotFound{})
                                              : CancelInput(session->inputs, *row, now)});
  }
  return results;
}

Result<PendingTurnInputCancelOutcome> SessionStoreState::CancelPendingTurnInput(
    const session_store::CancelPendingTurnInputRequest& request, EpochMs now) {
  auto results = CancelPendingTurnInputs({request.session_id, {InputIdTarget{request.input_id}}}, now);
  return std::move(results->front().outcome);
}

Result<PendingTurnInputSuffixCancelOutcome> SessionStoreState::CancelPendingTurnInputSuffix(
    const session_store::CancelPendingTurnInputSuffixRequest& request, EpochMs now) {
  Session* session = Find(request.session_id);
  const TurnInputRow* anchor = FindInput(session, request.anchor);
  if (anchor == nullptr) return session_store::SuffixAnchorNotFound{request.anchor};
  session_store::SuffixOutcomes suffix{request.anchor, {}};
  session->inputs.ForEachFrom(*anchor,
                              [&](TurnInputRow& row) { suffix.outcomes.push_back(CancelInput(session->inputs, row, now)); });
  return suffix;
}

// Claim and abandon.

Result<std::optional<TurnInputClaim>> SessionStoreState::GrantInputs(Session& session, const TurnInputRows& rows,
                                                                     TurnInputState state, TurnInputClaimMode mode,
                                                                     const LeaseOwnerIdentity& owner, DurationMs ttl,
                                                                     EpochMs now) {
  if (rows.empty()) return std::nullopt;
  const std::optional<uint64_t> fencing_token = TurnInputClaims::NextFencingToken(rows);
  if (!fencing_token.has_value()) return Fail(Backend{"a turn input's fencing tokens are used up"});
  const TurnInputClaims::Claim& claim = session.inputs.Grant(
      {ids_.Next(IdKind::kClaim), ids_.Next(IdKind::kClaimToken), owner, SaturatingAdd(now, ttl), *fencing_token}, state, rows);

  Result<std::optional<TurnInputClaim>> granted(tl::in_place, std::in_place);
  TurnInputClaim& answer = **granted;
  answer.session_id = session.lane.session_id();
  answer.claim_id = claim.claim_id;
  answer.owner = owner;
  answer.lease_token = claim.lease_token;
  answer.fencing_token = claim.fencing_token;
  answer.claimed_at_epoch_ms = now;
  answer.expires_at_epoch_ms = claim.expires;
  answer.mode = std::move(mode);
  answer.inputs.reserve(rows.size());
  for (const TurnInputRow* row : rows) answer.inputs.push_back(row->Record());
  return granted;
}

Result<std::optional<TurnInputClaim>> SessionStoreState::ClaimActiveTurnInputs(
    const session_store::ClaimActiveTurnInputsRequest& request, EpochMs now) {
  if (request.max_inputs == 0) return std::nullopt;
  Session* session = FindUnderFence(request.session_id, request.session_execution_lease, now);
  if (session == nullptr) return Fail(SessionExecutionLeaseExpired{request.session_id});
  const TurnInputRows rows = session->inputs.SelectActive(request.turn_id, request.checkpoint, request.max_inputs, now);
  return GrantInputs(*session, rows, TurnInputState::kAccepted, ActiveTurnClaimMode{request.turn_id, request.checkpoint},
                     request.owner, request.lease_ttl_ms, now);
}

Result<std::optional<TurnInputClaim>> SessionStoreState::ClaimNextTurnInputs(
    const session_store::ClaimNextTurnInputsRequest& request, EpochMs now) {
  if (request.max_inputs == 0) return std::nullopt;
  Session* session = FindUnderFence(request.session_id, request.session_execution_lease, now);
  if (session == nullptr) return Fail(SessionExecutionLeaseExpired{request.session_id});
  const TurnInputRows rows = session->inputs.SelectNext(request.owner, *liveness_, request.max_inputs, now);
  return GrantInputs(*session, rows, TurnInputState::kDeferredNextTurn, NextTurnClaimMode{}, request.owner, request.lease_ttl_ms,
                     now);
}

Result<Done> SessionStoreState::AbandonTurnInputClaim(const session_store::AbandonTurnInputClaimRequest& request, EpochMs) {
  Session* session = Find(request.claim.session_id);
  if (session == nullptr) return Done{};
  const TurnInputClaims::Claim* claim = session->inputs.FindClaim(request.claim.claim_id, request.claim.lease_token);
  if (claim != nullptr) session->inputs.Abandon(*claim);
  return Done{};
}

// Vacuum.

Result<VacuumReport> SessionStoreState::Vacuum(const session_store::VacuumRequest&, EpochMs) {
  VacuumReport report;
  const auto vacuum = [&](Session& session) {
    report.removed_pending_turn_input_tombstone_count +=
        session.inputs.Vacuum([&](const TurnInputRow& row) { inputs_by_id_.erase(row.submitted->input_id); });
  };
  if (choices_.vacuum_reach == VacuumReach::kOwnSession && committed_.bound_session_id.has_value()) {
    if (Session* own = Find(*committed_.bound_session_id)) vacuum(*own);
    return report;
  }
  for (auto& [session_id, session] : sessions_) vacuum(*session);
  return report;
}

}  // namespace leasecheck::memstore
