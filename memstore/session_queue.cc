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
  QueueRow* first = queue_.rows_.FirstDue(position, now_);
  for (const LocalHolders<QueueRow>::Rows* rows : dead_) {
    QueueRow* left_behind = rows->FirstDue(position, now_);
    if (left_behind != nullptr && (first == nullptr || left_behind->position < first->position)) first = left_behind;
  }
  return first;
}

SessionQueue::~SessionQueue() {
  rows_.ForEach([](QueueRow& row) { delete &row; });
}

QueueRow& SessionQueue::Append(std::shared_ptr<const QueuedWorkBatch> batch, uint64_t counter) {
  QueueRow& row = *spares_.Take().release();
  row.batch = std::move(batch);
  row.batch_class = ClassOf(*row.batch);
  row.position = ++last_position_;
  row.set_counter(counter);
  row.settling = false;
  if (row.batch->source_key.has_value()) by_source_key_.emplace(absl::string_view(*row.batch->source_key), &row);
  if (row.batch_class == BatchClass::kNone) classless_.Set(row.position, &row, row.batch->available_at_ms);
  Link(row);
  ++size_;
  return row;
}

std::shared_ptr<const QueuedWorkBatch> SessionQueue::Remove(QueueRow& row) {
  Unlink(row);
  claims_.Release(row);
  rows_.Erase(row.position);
  if (row.batch_class == BatchClass::kNone) classless_.Erase(row.position);
  if (row.batch->source_key.has_value()) by_source_key_.erase(*row.batch->source_key);
  --size_;
  std::shared_ptr<const QueuedWorkBatch> batch = std::move(row.batch);
  spares_.Keep(std::unique_ptr<QueueRow>(&row));
  return batch;
}

QueueRow* SessionQueue::FindBySourceKey(absl::string_view source_key) const {
  auto it = by_source_key_.find(source_key);
  return it == by_source_key_.end() ? nullptr : it->second;
}

QueueRow* SessionQueue::FindBySeq(uint64_t enqueue_seq) const {
  return rows_.FindByKey(enqueue_seq, [](const QueueRow& row) { return row.batch->enqueue_seq; });
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

const QueueClaims::Claim& SessionQueue::Grant(QueueClaims::Terms terms, absl::Span<QueueRow* const> rows) {
  for (QueueRow* row : rows) Unlink(*row);
  const QueueClaims::Claim& claim = claims_.Grant(std::move(terms), rows);
  for (QueueRow* row : rows) Link(*row);
  return claim;
}

void SessionQueue::Renew(QueueClaims::Claim& claim, EpochMs expires) {
  for (QueueRow* row : claim.rows()) Unlink(*row);
  QueueClaims::Renew(claim, expires);
  for (QueueRow* row : claim.rows()) Link(*row);
}

void SessionQueue::Abandon(const QueueClaims::Claim& claim) {
  // The claim dies with the release of its last row, so its rows are named apart.
  const QueueRows rows(claim.rows().begin(), claim.rows().end());
  for (QueueRow* row : rows) {
    Unlink(*row);
    claims_.Release(*row);
    Link(*row);
  }
}

void SessionQueue::Link(QueueRow& row) {
  const QueueClaims::Claim* claim = row.claim();
  const EpochMs available_at = row.batch->available_at_ms;
  rows_.Set(row.position, &row, claim == nullptr ? available_at : std::max(available_at, claim->expires));
  if (claim == nullptr) return;
  const session_store::LocalProcessOwner* process = LocalProcessOf(claim->owner);
  if (process != nullptr) holders_.Add(*process, row, row.position, available_at, claim->expires);
}

void SessionQueue::Unlink(QueueRow& row) {
  if (row.claim() == nullptr) return;
  const session_store::LocalProcessOwner* process = LocalProcessOf(row.claim()->owner);
  if (process != nullptr) holders_.Remove(*process, row.position, row.claim()->expires);
}

}  // namespace leasecheck::memstore
