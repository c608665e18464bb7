#include "memstore/session_queue.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

namespace leasecheck::memstore {
namespace {

using session_store::DeliveryPolicy;
using session_store::QueuedWorkBatch;
using session_store::QueuedWorkClaimBoundary;
using session_store::QueuedWorkItem;
using session_store::SlotPolicy;

BatchClass ClassOf(const QueuedWorkItem& item) {
  return std::holds_alternative<session_store::SessionCommand>(item.payload) ? BatchClass::kSessionCommand
                                                                             : BatchClass::kTurnWork;
}

BatchClass ClassOf(const QueuedWorkBatch& batch) {
  if (batch.items.empty()) return BatchClass::kNone;
  const BatchClass first = ClassOf(batch.items.front());
  const bool shared =
      std::all_of(batch.items.begin(), batch.items.end(), [first](const QueuedWorkItem& item) { return ClassOf(item) == first; });
  return shared ? first : BatchClass::kNone;
}

// Whether `row` may follow `head`, a Join batch of turn work, in one claim.
bool Joins(const QueueRow& row, const QueueRow& head) {
  return row.batch_class == BatchClass::kTurnWork && row.batch->slot_policy == SlotPolicy::kJoin &&
         row.batch->delivery_policy == head.batch->delivery_policy && row.batch->merge_key == head.batch->merge_key;
}

}  // namespace

QueueRow* SessionQueue::Candidates::FirstFrom(uint64_t position) const {
  QueueRow* first = queue_.FirstDue(position, now_);
  for (const LocalHolders<QueueRow>::Rows* rows : dead_) {
    QueueRow* left_behind = rows->FirstDue(position, now_);
    if (left_behind != nullptr && (first == nullptr || left_behind->position < first->position)) first = left_behind;
  }
  return first;
}

QueueRows SessionQueue::SelectTurnWork(const Candidates& candidates, QueuedWorkClaimBoundary boundary, uint64_t max_batches) {
  QueueRow* head = candidates.First();
  if (head == nullptr || head->batch_class != BatchClass::kTurnWork) return {};
  if (boundary == QueuedWorkClaimBoundary::kActiveTurnCheckpoint &&
      head->batch->delivery_policy != DeliveryPolicy::kEarliestSafeBoundary) {
    return {};
  }
  QueueRows rows{head};
  if (head->batch->slot_policy == SlotPolicy::kExclusive) return rows;
  while (rows.size() < max_batches) {
    QueueRow* next = candidates.After(*rows.back());
    if (next == nullptr || !Joins(*next, *head)) break;
    rows.push_back(next);
  }
  return rows;
}

QueueRows SessionQueue::SelectCommand(const Candidates& candidates) {
  QueueRow* head = candidates.First();
  if (head == nullptr || head->batch_class != BatchClass::kSessionCommand) return {};
  return {head};
}

void SessionQueue::Entered(QueueRow& row) {
  row.batch_class = ClassOf(*row.batch);
  if (row.batch_class == BatchClass::kNone) classless_.Set(row.position, &row, row.batch->available_at_ms);
}

void SessionQueue::Leaving(QueueRow& row) {
  if (row.batch_class == BatchClass::kNone) classless_.Erase(row.position);
}

void SessionQueue::Claimed(QueueRow& row) {
  const session_store::LocalProcessOwner* process = LocalProcessOf(row.claim()->owner);
  if (process != nullptr) holders_.Add(*process, row, row.position, row.batch->available_at_ms, row.claim()->expires);
}

void SessionQueue::Unclaiming(QueueRow& row) {
  const session_store::LocalProcessOwner* process = LocalProcessOf(row.claim()->owner);
  if (process != nullptr) holders_.Remove(*process, row.position, row.claim()->expires);
}

}  // namespace leasecheck::memstore
