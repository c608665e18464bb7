// The provided methods as the trait has them: what a store does that has no queue.
#include "model/runtime_persistence/store.h"

#include <algorithm>
#include <utility>

namespace leasecheck::runtime_persistence {
namespace {

tl::unexpected<StoreError> NoQueue() { return tl::unexpected<StoreError>(Backend{"this store takes no queued work"}); }

bool HoldsExactly(const QueuedWorkClaim& claim, const std::vector<std::string>& batch_ids) {
  return std::equal(claim.batches.begin(), claim.batches.end(), batch_ids.begin(), batch_ids.end(),
                    [](const QueuedWorkBatch& batch, const std::string& id) { return batch.batch_id == id; });
}

}  // namespace

Result<DurabilityTier> RuntimePersistence::GetDurabilityTier(const DurabilityTierRequest&) { return DurabilityTier::kInline; }

Result<QueuedWorkBatch> RuntimePersistence::EnqueueQueuedWork(const EnqueueQueuedWorkRequest&) { return NoQueue(); }

Result<std::optional<QueuedWorkClaim>> RuntimePersistence::ClaimReadyQueuedWork(const ClaimReadyQueuedWorkRequest&) {
  return NoQueue();
}

Result<std::optional<QueuedWorkClaim>> RuntimePersistence::ClaimReadyQueuedWorkByBatchIds(
    const ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  if (request.batch_ids.empty()) return std::nullopt;
  auto claim = ClaimReadyQueuedWork(
      {request.session_id, request.owner_id, request.boundary, request.lease_ttl_ms, request.batch_ids.size()});
  if (!claim.has_value() || !claim->has_value() || HoldsExactly(**claim, request.batch_ids)) return claim;
  auto abandoned = AbandonQueuedWorkClaim({*std::move(*claim)});
  if (!abandoned.has_value()) return tl::unexpected<StoreError>(std::move(abandoned).error());
  return std::nullopt;
}

Result<QueuedWorkClaim> RuntimePersistence::RenewQueuedWorkClaim(const RenewQueuedWorkClaimRequest& request) {
  return tl::unexpected<StoreError>(QueuedWorkClaimExpired{request.claim.session_id, request.claim.claim_id});
}

Result<Done> RuntimePersistence::AbandonQueuedWorkClaim(const AbandonQueuedWorkClaimRequest&) { return Done{}; }

Result<std::optional<QueuedWorkBatch>> RuntimePersistence::CancelQueuedWorkBatch(const CancelQueuedWorkBatchRequest&) {
  return std::nullopt;
}

Result<std::vector<QueuedWorkBatch>> RuntimePersistence::ListQueuedWork(const ListQueuedWorkRequest&) {
  return std::vector<QueuedWorkBatch>();
}

Result<std::vector<QueuedWorkBatch>> RuntimePersistence::ListPendingQueuedWork(const ListPendingQueuedWorkRequest& request) {
  return ListQueuedWork({request.session_id});
}

}  // namespace leasecheck::runtime_persistence
