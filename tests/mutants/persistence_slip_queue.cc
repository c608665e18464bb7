// The queue of the store.
#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/mutants/persistence_slip_store.h"

namespace leasecheck::mutants {

using namespace runtime_persistence;  // NOLINT(build/namespaces): this file is about little else
using Slip = PersistenceSlip;

bool PersistenceSlipStore::Free(const Row& row, EpochMs now) const {
  if (!row.claimed) return true;
  return Is(Slip::kExpiryStrict) ? row.expires < now : row.expires <= now;
}

bool PersistenceSlipStore::Owns(const Row& row, const std::string& session, const std::string& claim_id,
                                const std::string& token) const {
  return row.claimed && row.batch.session_id == session && row.claim_id == claim_id && row.lease_token == token;
}

std::size_t PersistenceSlipStore::RowOf(const std::string& batch_id) const {
  const auto found =
      std::find_if(state_.rows.begin(), state_.rows.end(), [&](const Row& row) { return row.batch.batch_id == batch_id; });
  return static_cast<std::size_t>(found - state_.rows.begin());
}

uint64_t PersistenceSlipStore::NextSeq(const std::string& session) {
  if (Is(Slip::kSeqPerSession) || liberties_.seq_reused) {
    uint64_t largest = 0;
    for (const Row& row : state_.rows) {
      if (liberties_.seq_reused || row.batch.session_id == session) largest = std::max(largest, row.batch.enqueue_seq);
    }
    return largest + 1;
  }
  return ++state_.last_seq;
}

Result<QueuedWorkBatch> PersistenceSlipStore::EnqueueQueuedWork(const EnqueueQueuedWorkRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const QueuedWorkBatchDraft& draft = request.batch;
  const EpochMs now = environment_.clock->Now();
  for (const Row& row : state_.rows) {
    if (!draft.source_key.has_value() || row.batch.source_key != draft.source_key) continue;
    if (row.batch.session_id != draft.session_id && !Is(Slip::kKeyUnscoped)) continue;
    if (row.claimed && Is(Slip::kKeyFreedByClaim)) continue;
    return row.batch;
  }
  PauseIf(Slip::kCheckThenEnqueue);
  QueuedWorkBatch batch;
  batch.batch_id = absl::StrCat("batch-", ++state_.serial);
  batch.session_id = draft.session_id;
  batch.source_key = draft.source_key;
  batch.delivery_policy = draft.delivery_policy;
  batch.slot_policy = draft.slot_policy;
  batch.merge_key = draft.merge_key;
  batch.available_at_ms = draft.available_at_ms;
  batch.enqueue_seq = NextSeq(draft.session_id);
  batch.enqueued_at_ms = now;
  for (const QueuedWorkPayload& payload : draft.payloads) {
    batch.items.push_back({absl::StrCat(batch.batch_id, ".", batch.items.size()), payload});
  }
  state_.rows.push_back({batch, false, "", "", 0, 0});
  return batch;
}

// Claims.

std::vector<std::size_t> PersistenceSlipStore::Candidates(const std::string& session, EpochMs now) {
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < state_.rows.size(); ++i) {
    const bool own = state_.rows[i].batch.session_id == session || Is(Slip::kClaimsAnySession);
    if (own && state_.rows[i].batch.available_at_ms <= now && Free(state_.rows[i], now)) candidates.push_back(i);
  }
  return candidates;
}

std::vector<std::size_t> PersistenceSlipStore::Group(const std::string& session, QueuedWorkClaimBoundary boundary, uint64_t max,
                                                     EpochMs now) {
  const std::vector<std::size_t> candidates = Candidates(session, now);
  if (candidates.empty() || max == 0) return {};
  const QueuedWorkBatch& head = state_.rows[candidates.front()].batch;
  const bool open = boundary == QueuedWorkClaimBoundary::kIdle || head.delivery_policy == DeliveryPolicy::kEarliestSafeBoundary;
  if (!open && !Is(Slip::kBoundaryIgnored)) return {};
  std::vector<std::size_t> group = {candidates.front()};
  const bool alone = head.slot_policy == SlotPolicy::kExclusive && !Is(Slip::kExclusiveTakesRun);
  const bool never = liberties_.never_stands_alone && std::holds_alternative<MergeNever>(head.merge_key);
  for (std::size_t i = 1; i < candidates.size() && group.size() < max && !alone && !never; ++i) {
    const QueuedWorkBatch& next = state_.rows[candidates[i]].batch;
    const bool joins = next.slot_policy == SlotPolicy::kJoin && next.delivery_policy == head.delivery_policy &&
                       (next.merge_key == head.merge_key || Is(Slip::kMergeKeyIgnored));
    const bool gap = candidates[i] != candidates[i - 1] + 1;
    if (!joins || (gap && liberties_.gap_ends_group)) break;
    group.push_back(candidates[i]);
  }
  return group;
}

QueuedWorkClaim PersistenceSlipStore::Take(const std::vector<std::size_t>& group, const std::string& session,
                                           const std::string& owner, DurationMs ttl, EpochMs now) {
  QueuedWorkClaim claim;
  claim.session_id = session;
  claim.owner_id = owner;
  claim.claim_id = absl::StrCat("claim-", ++state_.serial);
  claim.lease_token = absl::StrCat("token-", state_.serial);
  claim.claimed_at_epoch_ms = now;
  claim.expires_at_epoch_ms = SaturatingAdd(now, ttl);
  for (std::size_t index : group) {
    Row& row = state_.rows[index];
    row.claimed = true;
    row.claim_id = claim.claim_id;
    row.lease_token = claim.lease_token;
    row.expires = claim.expires_at_epoch_ms;
    ++row.fencing;
    claim.batches.push_back(row.batch);
  }
  claim.fencing_token = state_.rows[group.front()].fencing;
  return claim;
}

Result<std::optional<QueuedWorkClaim>> PersistenceSlipStore::ClaimReadyQueuedWork(const ClaimReadyQueuedWorkRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const EpochMs now = environment_.clock->Now();
  const std::vector<std::size_t> group = Group(request.session_id, request.boundary, request.max_batches, now);
  if (group.empty()) return std::nullopt;
  std::vector<std::string> ids;
  for (std::size_t index : group) ids.push_back(state_.rows[index].batch.batch_id);
  PauseIf(Slip::kCheckThenClaim);
  std::vector<std::size_t> still;
  for (const std::string& id : ids) {
    if (RowOf(id) < state_.rows.size()) still.push_back(RowOf(id));
  }
  if (still.empty()) return std::nullopt;
  return Take(still, request.session_id, request.owner_id, request.lease_ttl_ms, now);
}

Result<std::optional<QueuedWorkClaim>> PersistenceSlipStore::ClaimReadyQueuedWorkByBatchIds(
    const ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const EpochMs now = environment_.clock->Now();
  const std::vector<std::size_t> group = Group(request.session_id, request.boundary, request.batch_ids.size(), now);
  if (group.empty()) return std::nullopt;
  std::vector<std::string> ids;
  for (std::size_t index : group) ids.push_back(state_.rows[index].batch.batch_id);
  std::vector<std::string> asked = request.batch_ids;
  if (Is(Slip::kByIdsUnordered)) {
    std::sort(ids.begin(), ids.end());
    std::sort(asked.begin(), asked.end());
  }
  if (ids != asked && !Is(Slip::kByIdsKeepsMismatch)) return std::nullopt;
  QueuedWorkClaim claim = Take(group, request.session_id, request.owner_id, request.lease_ttl_ms, now);
  if (ids != asked) return std::nullopt;
  return claim;
}

Result<QueuedWorkClaim> PersistenceSlipStore::RenewQueuedWorkClaim(const RenewQueuedWorkClaimRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const QueuedWorkClaim& claim = request.claim;
  const EpochMs now = environment_.clock->Now();
  const EpochMs expires = SaturatingAdd(now, request.lease_ttl_ms);
  std::vector<Row*> owned;
  bool lapsed = false;
  for (Row& row : state_.rows) {
    const bool listed = std::any_of(claim.batches.begin(), claim.batches.end(),
                                    [&](const QueuedWorkBatch& batch) { return batch.batch_id == row.batch.batch_id; });
    const bool owns =
        Owns(row, claim.session_id, claim.claim_id, claim.lease_token) || (Is(Slip::kRenewIgnoresToken) && row.claimed && listed);
    if (owns) owned.push_back(&row);
    lapsed |= owns && Free(row, now);
  }
  const bool fits = !owned.empty() && owned.size() == claim.batches.size() && !(lapsed && liberties_.lapsed_refused);
  if (fits || (liberties_.failed_renew_marks && owned.size() != claim.batches.size())) {
    for (Row* row : owned) row->expires = expires;
  }
  if (!fits) return tl::unexpected<StoreError>(QueuedWorkClaimExpired{claim.session_id, claim.claim_id});
  QueuedWorkClaim renewed = claim;
  renewed.expires_at_epoch_ms = expires;
  return renewed;
}

Result<Done> PersistenceSlipStore::AbandonQueuedWorkClaim(const AbandonQueuedWorkClaimRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const QueuedWorkClaim& claim = request.claim;
  for (Row& row : state_.rows) {
    const bool listed = std::any_of(claim.batches.begin(), claim.batches.end(),
                                    [&](const QueuedWorkBatch& batch) { return batch.batch_id == row.batch.batch_id; });
    if (!Owns(row, claim.session_id, claim.claim_id, claim.lease_token) && !(Is(Slip::kAbandonIgnoresToken) && listed)) continue;
    row.claimed = false;
    if (Is(Slip::kFencingResetOnAbandon)) row.fencing = 0;
  }
  return Done{};
}

Result<std::optional<QueuedWorkBatch>> PersistenceSlipStore::CancelQueuedWorkBatch(const CancelQueuedWorkBatchRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const EpochMs now = environment_.clock->Now();
  const std::size_t index = RowOf(request.batch_id);
  if (index == state_.rows.size() || state_.rows[index].batch.session_id != request.session_id) return std::nullopt;
  if (!Free(state_.rows[index], now) && !Is(Slip::kCancelLive)) return std::nullopt;
  if (state_.rows[index].batch.available_at_ms > now && Is(Slip::kCancelKeepsDeferred)) return std::nullopt;
  QueuedWorkBatch batch = state_.rows[index].batch;
  state_.rows.erase(state_.rows.begin() + static_cast<std::ptrdiff_t>(index));
  return batch;
}

Result<std::vector<QueuedWorkBatch>> PersistenceSlipStore::ListQueuedWork(const ListQueuedWorkRequest& request) {
  absl::MutexLock lock(&mutex_);
  std::vector<QueuedWorkBatch> list;
  for (const Row& row : state_.rows) {
    if (row.batch.session_id == request.session_id) list.push_back(row.batch);
  }
  return list;
}

Result<std::vector<QueuedWorkBatch>> PersistenceSlipStore::ListPendingQueuedWork(const ListPendingQueuedWorkRequest& request) {
  absl::MutexLock lock(&mutex_);
  const EpochMs now = environment_.clock->Now();
  std::vector<QueuedWorkBatch> list;
  for (const Row& row : state_.rows) {
    const bool deferred = row.batch.available_at_ms > now && Is(Slip::kPendingHidesDeferred);
    if (row.batch.session_id == request.session_id && Free(row, now) && !deferred) list.push_back(row.batch);
  }
  return list;
}

}  // namespace leasecheck::mutants
