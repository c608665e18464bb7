// Renewing and abandoning claims.
#include <algorithm>
#include <memory>

#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

struct RenewFate {
  bool may_succeed = false;
  bool may_fail = false;
  bool leaves_a_mark = false;  // one that failed by count may have moved the expiry all the same (RP-LAT-19)
};

RenewFate FateOfRenew(const Judge& judge, const QueuedWorkClaim& claim, const Indices& owned) {
  if (owned.empty()) return {claim.batches.empty(), true, false};  // RP-LAT-19
  const ClaimRecord& record = *(*judge.state.queue)[owned.front()].claim;
  if (record.partly_settled) return {true, true, false};  // RP-LAT-27
  if (owned.size() != claim.batches.size()) return {false, true, true};
  return {true, !record.LiveAt(judge.now), false};  // RP-LAT-11
}

void SetExpiry(SpecState& state, const Indices& owned, EpochMs expires) {
  if ((*state.queue)[owned.front()].claim->expires == expires) return;
  Rows& rows = state.queue.Edit();
  auto record = std::make_shared<ClaimRecord>(*rows[owned.front()].claim);
  record->expires = expires;
  for (std::size_t index : owned) rows[index].claim = record;
}

void AddMarked(const Judge& judge, const Indices& owned, EpochMs expires) {
  SpecState other = judge.state;
  SetExpiry(other, owned, expires);
  judge.AddAlternative(std::move(other));
}

Verdict JudgeRenewError(const Judge& judge, const QueuedWorkClaim& claim, const Indices& owned, const RenewFate& fate,
                        EpochMs expires, const Answer<QueuedWorkClaim>& answer) {
  const auto* expired = answer.ErrorIf<QueuedWorkClaimExpired>();
  const bool right = expired != nullptr && expired->session_id == claim.session_id && expired->claim_id == claim.claim_id;
  if (!fate.may_fail) return Refuse<"RP-REN-1">();
  if (!right) return fate.may_succeed ? Refuse<"RP-REN-3">() : Refuse<"RP-REN-2">();
  judge.Refused<"RP-REN-2">(!fate.may_succeed);
  if (fate.leaves_a_mark && judge.alternatives != nullptr) AddMarked(judge, owned, expires);
  return kAllowed;
}

Verdict CheckRenewed(const QueuedWorkClaim& claim, const QueuedWorkClaim& renewed, EpochMs expires) {
  QueuedWorkClaim wanted = claim;
  wanted.expires_at_epoch_ms = expires;
  return renewed == wanted ? kAllowed : Refuse<"RP-REN-1">();
}

void CountAbandoned(const Judge& judge, const Indices& owned) {
  judge.Held<"RP-ABN-1">(!owned.empty());
  judge.Held<"RP-ABN-2">(owned.empty());
}

}  // namespace

Indices OwnedRows(const Rows& rows, absl::string_view session_id, absl::string_view claim_id, absl::string_view lease_token) {
  Indices owned;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (Owns(rows[i], session_id, claim_id, lease_token)) owned.push_back(i);
  }
  return owned;
}

Verdict JudgeCall(Judge& judge, const RenewQueuedWorkClaimRequest& request, const Answer<QueuedWorkClaim>& answer) {
  const QueuedWorkClaim& claim = request.claim;
  const EpochMs expires = SaturatingAdd(judge.now, request.lease_ttl_ms);
  const Indices owned = OwnedRows(*judge.state.queue, claim.session_id, claim.claim_id, claim.lease_token);
  const RenewFate fate = FateOfRenew(judge, claim, owned);
  if (answer.error != nullptr) return JudgeRenewError(judge, claim, owned, fate, expires, answer);
  if (answer.response != nullptr) {
    if (!fate.may_succeed) return owned.empty() ? Refuse<"RP-INV-14">() : Refuse<"RP-REN-2">();
    if (Verdict refused = CheckRenewed(claim, *answer.response, expires)) return refused;
  }
  if (owned.empty()) return kAllowed;
  if (answer.response != nullptr) {
    const ClaimRecord& record = *(*judge.state.queue)[owned.front()].claim;
    judge.Held<"RP-REN-1">();
    judge.Held<"RP-REN-3">(!record.LiveAt(judge.now) || expires < record.expires);
  }
  // Where it can only have failed by count, it may have moved the expiry; that it did not is the engine's to try.
  if (fate.may_succeed || fate.leaves_a_mark) SetExpiry(judge.state, owned, expires);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const AbandonQueuedWorkClaimRequest& request, const Answer<Done>& answer) {
  const QueuedWorkClaim& claim = request.claim;
  const Indices owned = OwnedRows(*judge.state.queue, claim.session_id, claim.claim_id, claim.lease_token);
  if (answer.error != nullptr) return owned.empty() ? Refuse<"RP-ABN-2">() : Refuse<"RP-ABN-1">();
  if (answer.response != nullptr) CountAbandoned(judge, owned);
  if (owned.empty()) return kAllowed;
  Rows& rows = judge.state.queue.Edit();
  for (std::size_t index : owned) rows[index].claim = nullptr;
  return kAllowed;
}

}  // namespace leasecheck::runtime_persistence::spec_internal
