// Renewing and abandoning claims.
#include <algorithm>
#include <memory>

#include "model/session_store/spec_internal.h"

namespace leasecheck::session_store::spec_internal {
namespace {

struct RenewFate {
  bool may_succeed = false;
  bool may_fail = false;
};

RenewFate FateOfRenew(const Judge& judge, const SessionState& session, const QueuedWorkClaim& claim, const Indices& owned) {
  if (owned.empty()) return {claim.batches.empty(), true};  // 0 of 0 is either (QW-LAT-10)
  const ClaimRecord& record = *session.rows[owned.front()].claim;
  if (record.partly_settled) return {true, true};  // QW-LAT-36
  if (owned.size() != claim.batches.size()) return {false, true};
  const bool refuses_lapsed = !record.expires.LiveAt(judge.now) && judge.Declares("QW-LAT-8", "refuse");
  return {true, refuses_lapsed};
}

// A renewal that succeeded though the claim does not own its batches.
Verdict BlameRevival(const Judge& judge, const SessionState& session, const QueuedWorkClaim& claim, const Indices& owned) {
  if (owned.empty() || !judge.blames()) return Refuse<"QW-REN-5">();
  const bool lost = std::any_of(claim.batches.begin(), claim.batches.end(),
                                [&](const QueuedWorkBatch& batch) { return session.FindRow(batch.batch_id) == nullptr; });
  return lost ? Refuse<"QW-CAN-4">() : Refuse<"QW-REN-3">();
}

Verdict JudgeRenewError(const Judge& judge, const SessionState& session, const QueuedWorkClaim& claim, const Indices& owned,
                        const RenewFate& fate, const Answer<QueuedWorkClaim>& answer) {
  const auto* expired = answer.ErrorIf<QueuedWorkClaimExpired>();
  const bool right = expired != nullptr && expired->session_id == claim.session_id && expired->claim_id == claim.claim_id;
  if (fate.may_fail) {
    if (!right) return owned.empty() ? Refuse<"QW-REN-5">() : Refuse<"QW-REN-3">();
    const bool lost = !owned.empty() && std::any_of(claim.batches.begin(), claim.batches.end(), [&](const auto& batch) {
      return session.FindRow(batch.batch_id) == nullptr;
    });
    judge.Refused<"QW-REN-3">(!fate.may_succeed);
    judge.Refused<"QW-REN-5">(!fate.may_succeed && owned.empty());
    judge.Refused<"QW-CAN-4">(!fate.may_succeed && lost);
    return kAllowed;
  }
  if (answer.ErrorIf<SessionExecutionLeaseExpired>() != nullptr) return Refuse<"QW-REN-6">();
  const ClaimRecord& record = *session.rows[owned.front()].claim;
  return record.expires.LiveAt(judge.now) ? Refuse<"QW-REN-1">() : Refuse<"QW-REN-4">();
}

Verdict CheckRenewed(const Judge& judge, const SessionState& session, const RenewQueuedWorkClaimRequest& request,
                     const Indices& owned, const QueuedWorkClaim& renewed) {
  const QueuedWorkClaim& claim = request.claim;
  if (renewed.fencing_token != claim.fencing_token) return Refuse<"QW-REN-8">();
  if (renewed.session_id != claim.session_id || renewed.claim_id != claim.claim_id || renewed.owner != claim.owner ||
      renewed.lease_token != claim.lease_token || renewed.claimed_at_epoch_ms != claim.claimed_at_epoch_ms ||
      renewed.batches != claim.batches) {
    return Refuse<"QW-REN-2">();
  }
  const EpochMs expires = SaturatingAdd(judge.now, request.lease_ttl_ms);
  if (renewed.expires_at_epoch_ms == expires) return kAllowed;
  if (request.lease_ttl_ms > kEndOfTime - judge.now) return Refuse<"QW-CLM-13">();
  const bool shortens = !owned.empty() && expires < session.rows[owned.front()].claim->expires.at;
  return shortens ? Refuse<"QW-REN-7">() : Refuse<"QW-REN-1">();
}

void CountRenewed(const Judge& judge, const SessionState& session, const Indices& owned, EpochMs expires) {
  if (!judge.counting() || owned.empty()) return;
  const ClaimRecord& record = *session.rows[owned.front()].claim;
  const bool live = record.expires.LiveAt(judge.now);
  judge.Held<"QW-REN-1">();
  judge.Held<"QW-REN-2">();
  judge.Held<"QW-REN-8">();
  judge.Held<"QW-REN-4">(!live);
  judge.Held<"QW-REN-6">(!judge.LiveLane(session));
  judge.Held<"QW-REN-7">(expires < record.expires.at);
  judge.Held<"QW-CLM-12">(record.partly_settled == false && !live);
  judge.Held<"QW-CLM-13">(expires == kEndOfTime);
  judge.Held<"QW-CLM-18">(!judge.LiveLane(session) || session.lane_fencing != record.lane_fencing);
}

void SetExpiry(SessionState& session, const Indices& owned, Deadline expires) {
  if (session.rows[owned.front()].claim->expires == expires) return;
  auto record = std::make_shared<ClaimRecord>(*session.rows[owned.front()].claim);
  record->expires = expires;
  for (std::size_t index : owned) session.rows.Edit(index).claim = record;
}

void CountAbandoned(const Judge& judge, const SessionState& session, const QueuedWorkClaim& claim, const Indices& owned) {
  if (!judge.counting()) return;
  judge.Held<"QW-ABN-1">(!owned.empty());
  judge.Held<"QW-ABN-2">(owned.empty());
  const bool lapsed = !owned.empty() && !judge.LiveClaim(session.rows[owned.front()]);
  judge.Held<"QW-ABN-5">(!owned.empty() && (lapsed || !judge.LiveLane(session)));
  const bool newer = std::any_of(claim.batches.begin(), claim.batches.end(), [&](const QueuedWorkBatch& batch) {
    const Row* row = session.FindRow(batch.batch_id);
    return row != nullptr && row->claim != nullptr && row->claim->claim_id != claim.claim_id;
  });
  judge.Held<"QW-ABN-3">(newer);
}

}  // namespace

Indices OwnedRows(const SessionState& session, absl::string_view claim_id, absl::string_view lease_token) {
  Indices owned;
  const ClaimRecord* known = nullptr;  // a record that is this claim's, to spare comparing the text for each row
  std::size_t next = 0;
  for (const Row& row : session.rows) {
    const std::size_t index = next++;
    if (row.claim == nullptr || (row.claim.get() != known && !Owns(row.claim, claim_id, lease_token))) continue;
    known = row.claim.get();
    owned.push_back(index);
  }
  return owned;
}

Verdict JudgeCall(Judge& judge, const RenewQueuedWorkClaimRequest& request, const Answer<QueuedWorkClaim>& answer) {
  const QueuedWorkClaim& claim = request.claim;
  const SessionState& session = judge.Session(claim.session_id);
  const Deadline expires{SaturatingAdd(judge.now, request.lease_ttl_ms)};
  if (answer.IsBackend() && BeyondSigned(expires.at)) return kAllowed;  // QW-LAT-13
  const Indices owned = OwnedRows(session, claim.claim_id, claim.lease_token);
  const RenewFate fate = FateOfRenew(judge, session, claim, owned);
  if (answer.error != nullptr) return JudgeRenewError(judge, session, claim, owned, fate, answer);
  if (answer.response != nullptr) {
    if (!fate.may_succeed) return BlameRevival(judge, session, claim, owned);
    if (Verdict refused = CheckRenewed(judge, session, request, owned, *answer.response)) return refused;
    CountRenewed(judge, session, owned, expires.at);
  }
  if (!fate.may_succeed || owned.empty()) return kAllowed;
  if (answer.unseen && fate.may_fail) judge.AddAlternative(judge.state);
  SetExpiry(judge.state.Edit(claim.session_id), owned, expires);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const AbandonQueuedWorkClaimRequest& request, const Answer<Done>& answer) {
  const QueuedWorkClaim& claim = request.claim;
  const SessionState& session = judge.Session(claim.session_id);
  const Indices owned = OwnedRows(session, claim.claim_id, claim.lease_token);
  if (answer.error != nullptr) {
    if (owned.empty()) return Refuse<"QW-ABN-2">();
    const bool needs_nothing = judge.LiveLane(session) && judge.LiveClaim(session.rows[owned.front()]);
    return needs_nothing ? Refuse<"QW-ABN-1">() : Refuse<"QW-ABN-5">();
  }
  if (answer.response != nullptr) CountAbandoned(judge, session, claim, owned);
  if (owned.empty()) return kAllowed;
  SessionState& edited = judge.state.Edit(claim.session_id);
  for (std::size_t index : owned) edited.rows.Edit(index).claim = nullptr;
  return kAllowed;
}

}  // namespace leasecheck::session_store::spec_internal
