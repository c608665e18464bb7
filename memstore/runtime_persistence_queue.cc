// The queue and the attachment manifest of RuntimePersistenceState.
#include <limits>
#include <string>
#include <utility>

#include "memstore/runtime_persistence_state.h"

namespace leasecheck::memstore {
namespace {

using runtime_persistence::AttachmentManifestEntry;
using runtime_persistence::Backend;
using runtime_persistence::ClaimReadyQueuedWorkRequest;
using runtime_persistence::Done;
using runtime_persistence::QueuedWorkBatch;
using runtime_persistence::QueuedWorkBatchDraft;
using runtime_persistence::QueuedWorkClaim;
using runtime_persistence::QueuedWorkClaimExpired;
using runtime_persistence::Result;
using runtime_persistence::StoreError;

constexpr uint64_t kEndOfCounter = std::numeric_limits<uint64_t>::max();

tl::unexpected<StoreError> Fail(StoreError error) { return tl::unexpected<StoreError>(std::move(error)); }

}  // namespace

WorkQueue* RuntimePersistenceState::FindQueue(absl::string_view session_id) const {
  auto it = queues_.find(session_id);
  return it == queues_.end() ? nullptr : it->second.get();
}

Result<QueuedWorkBatch> RuntimePersistenceState::EnqueueQueuedWork(const runtime_persistence::EnqueueQueuedWorkRequest& request,
                                                                   EpochMs now) {
  const QueuedWorkBatchDraft& draft = request.batch;
  WorkQueue* known = FindQueue(draft.session_id);
  if (known != nullptr && draft.source_key.has_value()) {
    const WorkRow* stored = known->FindBySourceKey(*draft.source_key);
    if (stored != nullptr) return *stored->batch;
  }
  if (last_enqueue_seq_ == kEndOfCounter) return Fail(Backend{"the store's enqueue_seq numbers are used up"});
  ++last_enqueue_seq_;
  auto batch = std::make_shared<QueuedWorkBatch>();
  FillBatch(*batch, draft, last_enqueue_seq_, now, ids_);
  std::unique_ptr<WorkQueue>& queue = queues_[draft.session_id];
  if (queue == nullptr) queue = std::make_unique<WorkQueue>();
  return *queue->Append(std::move(batch), first_counters_).batch;
}

Result<std::optional<QueuedWorkClaim>> RuntimePersistenceState::ClaimReadyQueuedWork(const ClaimReadyQueuedWorkRequest& request,
                                                                                     EpochMs now) {
  WorkQueue* queue = FindQueue(request.session_id);
  if (request.max_batches == 0 || queue == nullptr) return std::nullopt;
  const WorkQueue::Rows rows = queue->Select(request.boundary, request.max_batches, now);
  if (rows.empty()) return std::nullopt;
  return Grant(*queue, rows, request, now);
}

Result<std::optional<QueuedWorkClaim>> RuntimePersistenceState::Grant(WorkQueue& queue, const WorkQueue::Rows& rows,
                                                                      const ClaimReadyQueuedWorkRequest& request, EpochMs now) {
  const std::optional<uint64_t> fencing_token = WorkClaims::NextFencingToken(rows);
  if (!fencing_token.has_value()) return Fail(Backend{"a batch's fencing tokens are used up"});
  const WorkClaims::Claim& claim = queue.Grant({ids_.Next(IdKind::kClaim), ids_.Next(IdKind::kClaimToken), request.owner_id,
                                                SaturatingAdd(now, request.lease_ttl_ms), *fencing_token},
                                               rows);
  Result<std::optional<QueuedWorkClaim>> granted(tl::in_place, std::in_place);
  QueuedWorkClaim& answer = **granted;
  answer.session_id = request.session_id;
  answer.claim_id = claim.claim_id;
  answer.owner_id = request.owner_id;
  answer.lease_token = claim.lease_token;
  answer.fencing_token = claim.fencing_token;
  answer.claimed_at_epoch_ms = now;
  answer.expires_at_epoch_ms = claim.expires;
  answer.batches.reserve(rows.size());
  for (const WorkRow* row : rows) answer.batches.push_back(*row->batch);
  return granted;
}

Result<std::optional<QueuedWorkClaim>> RuntimePersistenceState::ClaimReadyQueuedWorkByBatchIds(
    const runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest& request, EpochMs now) {
  WorkQueue* queue = FindQueue(request.session_id);
  if (request.batch_ids.empty() || queue == nullptr) return std::nullopt;
  const WorkQueue::Rows rows = queue->Select(request.boundary, request.batch_ids.size(), now);
  if (rows.empty()) return std::nullopt;
  auto claim =
      Grant(*queue, rows,
            {request.session_id, request.owner_id, request.boundary, request.lease_ttl_ms, request.batch_ids.size()}, now);
  if (!claim.has_value() || SameIds(rows, request.batch_ids)) return claim;
  // Given back in the same step: the counters stay where the grant took them. [RP-IDS-3]
  queue->Abandon(*rows.front()->claim());
  return std::nullopt;
}

Result<QueuedWorkClaim> RuntimePersistenceState::RenewQueuedWorkClaim(
    const runtime_persistence::RenewQueuedWorkClaimRequest& request, EpochMs now) {
  const QueuedWorkClaim& passed = request.claim;
  WorkQueue* queue = FindQueue(passed.session_id);
  WorkClaims::Claim* claim = queue == nullptr ? nullptr : queue->FindClaim(passed.claim_id, passed.lease_token);
  if (claim == nullptr || claim->rows().size() != passed.batches.size()) {
    return Fail(QueuedWorkClaimExpired{passed.session_id, passed.claim_id});
  }
  queue->Renew(*claim, SaturatingAdd(now, request.lease_ttl_ms));
  Result<QueuedWorkClaim> renewed(tl::in_place, passed);
  renewed->expires_at_epoch_ms = claim->expires;
  return renewed;
}

Result<Done> RuntimePersistenceState::AbandonQueuedWorkClaim(const runtime_persistence::AbandonQueuedWorkClaimRequest& request,
                                                             EpochMs) {
  WorkQueue* queue = FindQueue(request.claim.session_id);
  if (queue == nullptr) return Done{};
  const WorkClaims::Claim* claim = queue->FindClaim(request.claim.claim_id, request.claim.lease_token);
  if (claim != nullptr) queue->Abandon(*claim);
  return Done{};
}

Result<std::optional<QueuedWorkBatch>> RuntimePersistenceState::CancelQueuedWorkBatch(
    const runtime_persistence::CancelQueuedWorkBatchRequest& request, EpochMs now) {
  WorkQueue* queue = FindQueue(request.session_id);
  WorkRow* row = queue == nullptr ? nullptr : queue->FindBatch(ids_, request.batch_id);
  if (row == nullptr || row->IsLiveClaimed(now)) return std::nullopt;
  return *queue->Remove(*row);
}

Result<std::vector<QueuedWorkBatch>> RuntimePersistenceState::ListQueuedWork(
    const runtime_persistence::ListQueuedWorkRequest& request, EpochMs) {
  std::vector<QueuedWorkBatch> batches;
  const WorkQueue* queue = FindQueue(request.session_id);
  if (queue == nullptr) return batches;
  batches.reserve(queue->size());
  queue->ForEach([&](const WorkRow& row) { batches.push_back(*row.batch); });
  return batches;
}

Result<std::vector<QueuedWorkBatch>> RuntimePersistenceState::ListPendingQueuedWork(
    const runtime_persistence::ListPendingQueuedWorkRequest& request, EpochMs now) {
  std::vector<QueuedWorkBatch> batches;
  const WorkQueue* queue = FindQueue(request.session_id);
  if (queue == nullptr) return batches;
  queue->ForEach([&](const WorkRow& row) {
    if (!row.IsLiveClaimed(now)) batches.push_back(*row.batch);
  });
  return batches;
}

// Attachments.

Result<Done> RuntimePersistenceState::RecordIntent(const runtime_persistence::RecordIntentRequest& request, EpochMs) {
  attachments_.Record(request.intent);
  return Done{};
}

Result<Done> RuntimePersistenceState::CommitRefs(const runtime_persistence::CommitRefsRequest& request, EpochMs now) {
  for (const std::string& attachment_id : request.attachment_ids) attachments_.Commit(request.session_id, attachment_id, now);
  return Done{};
}

Result<std::vector<AttachmentManifestEntry>> RuntimePersistenceState::ListUncommitted(
    const runtime_persistence::ListUncommittedRequest& request, EpochMs) {
  return attachments_.Uncommitted(request.older_than_epoch_ms);
}

Result<Done> RuntimePersistenceState::Forget(const runtime_persistence::ForgetRequest& request, EpochMs) {
  attachments_.Forget(request.attachment_id);
  return Done{};
}

}  // namespace leasecheck::memstore
