// The queue of one session under claims: what the stores with a queue share. What may be claimed differs from family to family
// and is theirs.
//
//   struct WorkRow : ClaimBook<WorkRow, std::string>::Claimable {
//     using Claims = ClaimBook<WorkRow, std::string>;
//     using Batch = runtime_persistence::QueuedWorkBatch;
//     std::shared_ptr<const Batch> batch;
//     uint64_t position = 0;
//     bool settling = false;
//   };
//   class WorkQueue : public BatchQueue<WorkQueue, WorkRow> {};
#ifndef LEASECHECK_MEMSTORE_BATCH_QUEUE_H_
#define LEASECHECK_MEMSTORE_BATCH_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "memstore/claim_book.h"
#include "memstore/ids.h"
#include "memstore/position_index.h"
#include "memstore/spares.h"
#include "model/time.h"

namespace leasecheck::memstore {

// Holds the rows, their claims and the indexes over them: the ids and the clock are the caller's. Not thread-safe.
//
// A row is claimable by time from max(available_at_ms, its claim's expiry) on. That one instant is its due time in an index by
// position, so the head, and each next candidate, is found in logarithmic time however many deferred or claimed batches lie in
// front, and whichever way the clock moved.
//
// `Queue` is the class that derives from this one. It may hide the four hooks below, to keep indexes of its own.
template <class Queue, class Row>
class BatchQueue {
 public:
  using Claims = typename Row::Claims;
  using Batch = typename Row::Batch;
  using Rows = absl::InlinedVector<Row*, 4>;

  BatchQueue() = default;
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;
  ~BatchQueue() {
    rows_.ForEach([](Row& row) { delete &row; });
  }

  std::size_t size() const { return size_; }

  // Puts a batch, with an enqueue_seq above all others, at the end. `counter` is its claim counter before the first grant.
  Row& Append(std::shared_ptr<const Batch> batch, uint64_t counter) {
    Row& row = *spares_.Take().release();
    row.batch = std::move(batch);
    row.position = ++last_position_;
    row.set_counter(counter);
    row.settling = false;
    if (row.batch->source_key.has_value()) by_source_key_.emplace(absl::string_view(*row.batch->source_key), &row);
    queue().Entered(row);
    Link(row);
    ++size_;
    return row;
  }

  // Takes the row out of the queue and out of its claim, for good, and returns its batch.
  std::shared_ptr<const Batch> Remove(Row& row) {
    Unlink(row);
    claims_.Release(row);
    rows_.Erase(row.position);
    queue().Leaving(row);
    if (row.batch->source_key.has_value()) by_source_key_.erase(*row.batch->source_key);
    --size_;
    std::shared_ptr<const Batch> batch = std::move(row.batch);
    spares_.Keep(std::unique_ptr<Row>(&row));
    return batch;
  }

  Row* FindBySourceKey(absl::string_view source_key) const {
    auto it = by_source_key_.find(source_key);
    return it == by_source_key_.end() ? nullptr : it->second;
  }

  // The row of this batch, or null. `ids` named the batches by their enqueue_seq.
  Row* FindBatch(const IdSource& ids, absl::string_view batch_id) const {
    const std::optional<uint64_t> seq = ids.NumberOf(IdKind::kBatch, batch_id);
    if (!seq.has_value()) return nullptr;
    Row* row = rows_.FindByKey(*seq, [](const Row& stored) { return stored.batch->enqueue_seq; });
    return row != nullptr && row->batch->batch_id == batch_id ? row : nullptr;
  }

  // The first row at or behind this position that is claimable by time, or null.
  Row* FirstDue(uint64_t position, EpochMs now) const { return rows_.FirstDue(position, now); }

  // Calls visit(const Row&) for every row in queue order. The visit must not change the queue.
  template <class Visit>
  void ForEach(Visit&& visit) const {
    rows_.ForEach([&](const Row& row) { visit(row); });
  }

  // The claims over the rows. Grant, Renew and Abandon keep the indexes; nothing else changes a claim.
  typename Claims::Claim* FindClaim(absl::string_view claim_id, absl::string_view lease_token) const {
    return claims_.Find(claim_id, lease_token);
  }
  const typename Claims::Claim& Grant(typename Claims::Terms terms, absl::Span<Row* const> rows) {
    for (Row* row : rows) Unlink(*row);
    const typename Claims::Claim& claim = claims_.Grant(std::move(terms), rows);
    for (Row* row : rows) Link(*row);
    return claim;
  }
  void Renew(typename Claims::Claim& claim, EpochMs expires) {
    for (Row* row : claim.rows()) Unlink(*row);
    Claims::Renew(claim, expires);
    for (Row* row : claim.rows()) Link(*row);
  }
  // Gives back all its rows; the claim is gone.
  void Abandon(const typename Claims::Claim& claim) {
    // The claim dies with the release of its last row, so its rows are named apart.
    const Rows rows(claim.rows().begin(), claim.rows().end());
    for (Row* row : rows) {
      Unlink(*row);
      claims_.Release(*row);
      Link(*row);
    }
  }

  // Finds the rows that the completions, of this one session, settle; null. Or the first completion that names another session,
  // or a batch that its tokens do not own, or one that was named before. No time is consulted; an empty completion settles
  // nothing.
  template <class Completion>
  const Completion* FindSettled(absl::string_view session_id, const std::vector<Completion>& completions, const IdSource& ids,
                                Rows& settled) const {
    const Completion* bad = nullptr;
    for (const Completion& completion : completions) {
      const typename Claims::Claim* claim = FindClaim(completion.claim_id, completion.lease_token);
      const bool owned = completion.session_id == session_id &&
                         TakeAll(completion.batch_ids, settled, [&](std::size_t place, absl::string_view batch_id) {
                           return claim == nullptr ? nullptr : FindOwned(*claim, place, batch_id, ids);
                         });
      if (owned) continue;
      bad = &completion;
      break;
    }
    ClearMarks(settled);
    return bad;
  }

 protected:
  // A row is in the queue and about to be indexed; it is about to leave, free of claims.
  void Entered(Row&) {}
  void Leaving(Row&) {}
  // A row came under its claim; it is about to leave it, or the claim's expiry to change.
  void Claimed(Row&) {}
  void Unclaiming(Row&) {}

 private:
  Queue& queue() { return static_cast<Queue&>(*this); }

  // Enters the row's due time. Every change of a claim goes between Unlink and Link.
  void Link(Row& row) {
    const typename Claims::Claim* claim = row.claim();
    const EpochMs available_at = row.batch->available_at_ms;
    rows_.Set(row.position, &row, claim == nullptr ? available_at : std::max(available_at, claim->expires));
    if (claim != nullptr) queue().Claimed(row);
  }
  void Unlink(Row& row) {
    if (row.claim() != nullptr) queue().Unclaiming(row);
  }

  // The row of the batch if the claim owns it, else null. Looks first at the claim's row number `place`: completions mostly name
  // all in order.
  Row* FindOwned(const typename Claims::Claim& claim, std::size_t place, absl::string_view batch_id, const IdSource& ids) const {
    if (place < claim.rows().size() && claim.rows()[place]->batch->batch_id == batch_id) return claim.rows()[place];
    Row* row = FindBatch(ids, batch_id);
    return row != nullptr && row->claim() == &claim ? row : nullptr;
  }

  PositionIndex<Row> rows_;                                     // all rows, owned; due when claimable by time
  absl::flat_hash_map<absl::string_view, Row*> by_source_key_;  // keys live in the batches
  Claims claims_;
  Spares<Row> spares_;
  std::size_t size_ = 0;
  uint64_t last_position_ = 0;
};

// Makes the batch of a draft: sets every field, whatever it held before.
template <class Batch, class Draft>
void FillBatch(Batch& batch, const Draft& draft, uint64_t enqueue_seq, EpochMs now, IdSource& ids) {
  batch.batch_id = ids.Name(IdKind::kBatch, enqueue_seq);
  batch.session_id = draft.session_id;
  batch.source_key = draft.source_key;
  batch.delivery_policy = draft.delivery_policy;
  batch.slot_policy = draft.slot_policy;
  batch.merge_key = draft.merge_key;
  batch.available_at_ms = draft.available_at_ms;
  batch.enqueue_seq = enqueue_seq;
  batch.enqueued_at_ms = now;
  batch.items.resize(draft.payloads.size());
  for (std::size_t i = 0; i < draft.payloads.size(); ++i) {
    batch.items[i].item_id = ids.Next(IdKind::kItem);
    batch.items[i].payload = draft.payloads[i];
  }
}

// Whether the rows' batches are just these, in this order.
template <class Rows>
bool SameIds(const Rows& rows, const std::vector<std::string>& batch_ids) {
  return std::equal(rows.begin(), rows.end(), batch_ids.begin(), batch_ids.end(),
                    [](const auto* row, const std::string& id) { return row->batch->batch_id == id; });
}

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_BATCH_QUEUE_H_
