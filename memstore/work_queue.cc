#include "memstore/work_queue.h"

namespace leasecheck::memstore {
namespace {

using runtime_persistence::DeliveryPolicy;
using runtime_persistence::QueuedWorkBatch;
using runtime_persistence::QueuedWorkClaimBoundary;
using runtime_persistence::SlotPolicy;

// Whether `batch` may follow `head`, a Join batch, in one claim.
bool Joins(const QueuedWorkBatch& batch, const QueuedWorkBatch& head) {
  return batch.slot_policy == SlotPolicy::kJoin && batch.delivery_policy == head.delivery_policy &&
         batch.merge_key == head.merge_key;
}

}  // namespace

WorkQueue::Rows WorkQueue::Select(QueuedWorkClaimBoundary boundary, uint64_t max_batches, EpochMs now) const {
  WorkRow* head = FirstDue(0, now);
  if (head == nullptr) return {};
  if (boundary == QueuedWorkClaimBoundary::kActiveTurnCheckpoint &&
      head->batch->delivery_policy == DeliveryPolicy::kAfterCurrentTurnCommit) {
    return {};
  }
  Rows rows{head};
  if (head->batch->slot_policy == SlotPolicy::kExclusive) return rows;
  while (rows.size() < max_batches) {
    WorkRow* next = FirstDue(rows.back()->position + 1, now);
    if (next == nullptr || !Joins(*next->batch, *head->batch)) break;
    rows.push_back(next);
  }
  return rows;
}

}  // namespace leasecheck::memstore
