// The turn-input operations of SessionStore.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/sqlite/session_store.h"
#include "adapters/sqlite/turn_input_rows.h"

namespace leasecheck::sqlite {
namespace {

using session_store::ActiveTurnClaimMode;
using session_store::ActiveTurnIngress;
using session_store::Done;
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

constexpr uint64_t kMaxU64 = std::numeric_limits<uint64_t>::max();

// Cancels the row where that can be, and says what became of it. [TI-CAN-5..8,12]
PendingTurnInputCancelOutcome Cancel(Transaction& transaction, InputRow row, EpochMs now) {
  if (row.record.state == TurnInputState::kCompleted) {
    return session_store::TurnInputAlreadyCompleted{std::move(row.record)};
  }
  if (row.record.state == TurnInputState::kCancelled) {
    return session_store::TurnInputAlreadyCancelled{std::move(row.record)};
  }
  if (row.IsListed(now)) {
    CancelInput(transaction, row.record.enqueue_seq);
    row.record.state = TurnInputState::kCancelled;
    return session_store::TurnInputCancelled{std::move(row.record)};
  }
  PendingTurnInputClaimDiagnostics claim;
  claim.state = row.record.state;
  claim.claim_fencing_token = row.counter;
  if (row.claim.has_value()) {
    claim.claim_id = row.claim->claim_id;
    claim.claim_owner = row.claim->owner;
    claim.claim_expires_at_ms = row.claim->expires_at_ms;
  }
  return session_store::TurnInputAlreadyClaimed{std::move(row.record), std::move(claim)};
}

}  // namespace

std::string SessionStore::NewInputId(Transaction& transaction) {
  std::string id = database_->NewId("input");
  while (IsInputIdUsed(transaction, id)) id = database_->NewId("input");
  return id;
}

Result<PendingTurnInput> SessionStore::EnqueuePendingTurnInput(const session_store::EnqueuePendingTurnInputRequest& request) {
  const PendingTurnInputDraft& draft = request.input;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<PendingTurnInput> {
    if (draft.source_key.has_value()) {
      std::optional<InputRow> keyed = InputOf(transaction, draft.session_id, SourceKeyTarget{*draft.source_key});
      if (keyed.has_value() && keyed->submitted == draft.ingress && keyed->record.input == draft.input) {
        return std::move(keyed->record);
      }
      if (keyed.has_value()) {
        return Fails<StoreError>(PendingTurnInputSourceKeyConflict{draft.session_id, *draft.source_key, keyed->record.input_id});
      }
    }
    if (draft.input_id.has_value() && HasInput(transaction, *draft.input_id)) {
      return BackendError<StoreError>(absl::StrCat("the store has a turn input with the id '", *draft.input_id, "' already"));
    }
    PendingTurnInput input;
    input.input_id = draft.input_id.has_value() ? *draft.input_id : NewInputId(transaction);
    input.session_id = draft.session_id;
    input.source_key = draft.source_key;
    input.enqueue_seq = NextInputSeq(transaction);
    input.ingress = draft.ingress;
    input.state = std::holds_alternative<ActiveTurnIngress>(draft.ingress) ? TurnInputState::kPendingActive
                                                                           : TurnInputState::kDeferredNextTurn;
    input.enqueued_at_ms = now;
    input.input = draft.input;
    InsertInput(transaction, input, draft.input_id.has_value());
    return input;
  });
}

Result<std::vector<PendingTurnInput>> SessionStore::ListPendingTurnInputs(
    const session_store::ListPendingTurnInputsRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs now) -> Result<std::vector<PendingTurnInput>> {
    std::vector<PendingTurnInput> listed;
    for (InputRow& row : WaitingInputs(transaction, request.session_id)) {
      if (row.IsListed(now)) listed.push_back(std::move(row.record));
    }
    return listed;
  });
}

Result<std::vector<PendingTurnInputCancelResult>> SessionStore::CancelPendingTurnInputs(
    const session_store::CancelPendingTurnInputsRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::vector<PendingTurnInputCancelResult>> {
    std::vector<PendingTurnInputCancelResult> results;
    for (const PendingTurnInputCancelTarget& target : request.targets) {
      std::optional<InputRow> row = InputOf(transaction, request.session_id, target);
      results.push_back({target, row.has_value() ? Cancel(transaction, *std::move(row), now)
                                                 : PendingTurnInputCancelOutcome(session_store::TurnInputNotFound{})});
    }
    return results;
  });
}

Result<PendingTurnInputSuffixCancelOutcome> SessionStore::CancelPendingTurnInputSuffix(
    const session_store::CancelPendingTurnInputSuffixRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<PendingTurnInputSuffixCancelOutcome> {
    std::optional<InputRow> anchor = InputOf(transaction, request.session_id, request.anchor);
    if (!anchor.has_value()) return session_store::SuffixAnchorNotFound{request.anchor};
    session_store::SuffixOutcomes suffix{request.anchor, {}};
    for (InputRow& row : InputsFrom(transaction, request.session_id, anchor->record.enqueue_seq)) {
      suffix.outcomes.push_back(Cancel(transaction, std::move(row), now));
    }
    return suffix;
  });
}

Result<std::optional<TurnInputClaim>> SessionStore::GrantInputs(Transaction& transaction, std::vector<InputRow> rows,
                                                                TurnInputState state, TurnInputClaimMode mode,
                                                                const LeaseOwnerIdentity& owner, DurationMs ttl, EpochMs now) {
  if (rows.empty()) return std::nullopt;
  uint64_t largest_counter = 0;
  for (const InputRow& row : rows) largest_counter = std::max(largest_counter, row.counter);
  if (largest_counter == kMaxU64) return BackendError<StoreError>("the claim counter of a turn input is used up");
  const ClaimRecord record{database_->NewId("claim"), database_->NewId("lease"), owner, largest_counter + 1,
                           SaturatingAdd(now, ttl)};
  TurnInputClaim claim;
  claim.session_id = rows.front().record.session_id;
  claim.claim_id = record.claim_id;
  claim.owner = owner;
  claim.lease_token = record.lease_token;
  claim.fencing_token = record.counter;
  claim.claimed_at_epoch_ms = now;
  claim.expires_at_epoch_ms = record.expires_at_ms;
  claim.mode = std::move(mode);
  for (InputRow& row : rows) {
    ClaimInput(transaction, row.record.enqueue_seq, state, record);
    row.record.state = state;
    claim.inputs.push_back(std::move(row.record));
  }
  return claim;
}

Result<std::optional<TurnInputClaim>> SessionStore::ClaimActiveTurnInputs(
    const session_store::ClaimActiveTurnInputsRequest& request) {
  if (request.max_inputs == 0) return std::nullopt;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<TurnInputClaim>> {
    if (!HoldsLane(transaction, request.session_id, request.session_execution_lease, now)) {
      return Fails<StoreError>(SessionExecutionLeaseExpired{request.session_id});
    }
    return GrantInputs(transaction,
                       InputsForTurn(transaction, request.session_id, request.turn_id, request.checkpoint, request.max_inputs),
                       TurnInputState::kAccepted, ActiveTurnClaimMode{request.turn_id, request.checkpoint}, request.owner,
                       request.lease_ttl_ms, now);
  });
}

Result<std::optional<TurnInputClaim>> SessionStore::ClaimNextTurnInputs(
    const session_store::ClaimNextTurnInputsRequest& request) {
  if (request.max_inputs == 0) return std::nullopt;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<TurnInputClaim>> {
    if (!HoldsLane(transaction, request.session_id, request.session_execution_lease, now)) {
      return Fails<StoreError>(SessionExecutionLeaseExpired{request.session_id});
    }
    return GrantInputs(
        transaction,
        InputsForNextTurn(transaction, request.session_id, request.owner, database_->liveness(), request.max_inputs, now),
        TurnInputState::kDeferredNextTurn, NextTurnClaimMode{}, request.owner, request.lease_ttl_ms, now);
  });
}

Result<Done> SessionStore::AbandonTurnInputClaim(const session_store::AbandonTurnInputClaimRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    AbandonInputs(transaction, request.claim.session_id, request.claim.claim_id, request.claim.lease_token);
    return Done{};
  });
}

Result<VacuumReport> SessionStore::Vacuum(const session_store::VacuumRequest&) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<VacuumReport> {
    return VacuumReport{0, VacuumInputs(transaction)};
  });
}

}  // namespace leasecheck::sqlite
