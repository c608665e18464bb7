// The queue of one session: its batches, their claims, and what is claimable now (queued-work.md, 3).
#ifndef LEASECHECK_MEMSTORE_SESSION_QUEUE_H_
#define LEASECHECK_MEMSTORE_SESSION_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "memstore/claim_book.h"
#include "memstore/local_holders.h"
#include "memstore/position_index.h"
#include "memstore/spares.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::memstore {

// What all payloads of a batch have in common; kNone for a batch without payloads or with a mix ("classless").
enum class BatchClass { kSessionCommand, kTurnWork, kNone };

// A stored batch with its claim record. Addresses are stable as long as the batch is stored.
struct QueueRow : ClaimBook<QueueRow, session_store::LeaseOwnerIdentity>::Claimable {
  std::shared_ptr<const session_store::QueuedWorkBatch> batch;
  BatchClass batch_class = BatchClass::kNone;
  uint64_t position = 0;  // its place in the queue
  bool settling = false;  // marked by a commit that is being checked
};

using QueueClaims = ClaimBook<QueueRow, session_store::LeaseOwnerIdentity>;
using QueueRows = absl::InlinedVector<QueueRow*, 4>;

// Holds the rows and every index over them; decides what is claimable, not what may be claimed: the lane, the ids and the clock
// are the caller's. Not thread-safe.
//
// A row is claimable by time from max(available_at_ms, its claim's expiry) on. That one instant is its due time in an index by
// position, so a claim finds the head, and each next candidate, in logarithmic time however many deferred or claimed batches lie
// in front, and whichever way the clock moved. Live claims of dead processes are found in an index a process (LocalHolders).
class SessionQueue {
 public:
  // The rows claimable at one instant by one owner, in queue order. Valid until the queue changes.
  class Candidates {
   public:
    // Whether a classless batch is among them: then nothing may be claimed. [QW-CLM-17]
    bool HasClassless() const { return queue_.classless_.FirstDue(0, now_) != nullptr; }
    QueueRow* First() const { return FirstFrom(0); }
    QueueRow* After(const QueueRow& row) const { return FirstFrom(row.position + 1); }

   private:
    friend class SessionQueue;
    Candidates(const SessionQueue& queue, EpochMs now, const session_store::LeaseOwnerIdentity& claimant,
               const LivenessProbe& probe)
        : queue_(queue), now_(now), dead_(queue.holders_.DeadFor(claimant, probe, now)) {}
    QueueRow* FirstFrom(uint64_t position) const;

    const SessionQueue& queue_;
    EpochMs now_;
    absl::InlinedVector<const LocalHolders<QueueRow>::Rows*, 2> dead_;
  };

  SessionQueue() = default;
  SessionQueue(const SessionQueue&) = delete;
  SessionQueue& operator=(const SessionQueue&) = delete;

  ~SessionQueue();

  std::size_t size() const { return size_; }

  // Puts a batch, with an enqueue_seq above all others, at the end. `counter` is its claim counter before the first grant.
  QueueRow& Append(std::shared_ptr<const session_store::QueuedWorkBatch> batch, uint64_t counter);
  // Takes the row out of the queue and out of its claim, for good, and returns its batch.
  std::shared_ptr<const session_store::QueuedWorkBatch> Remove(QueueRow& row);

  QueueRow* FindBySourceKey(absl::string_view source_key) const;
  // The row with this enqueue_seq, or null.
  QueueRow* FindBySeq(uint64_t enqueue_seq) const;
  // Calls visit(const QueueRow&) for every row in queue order. The visit must not change the queue.
  template <class Visit>
  void ForEach(Visit&& visit) const {
    rows_.ForEach([&](const QueueRow& row) { visit(row); });
  }

  Candidates CandidatesFor(const session_store::LeaseOwnerIdentity& claimant, const LivenessProbe& probe, EpochMs now) const {
    return Candidates(*this, now, claimant, probe);
  }
  // What a claim of turn work takes: the head, or the head's join group of at most max_batches; empty where the head is not
  // admitted. [QW-CLM-3..8]
  static QueueRows SelectTurnWork(const Candidates& candidates, session_store::QueuedWorkClaimBoundary boundary,
                                  uint64_t max_batches);
  // What a claim of a command takes: the head if it is one; else empty. [QW-CMD-2..6]
  static QueueRows SelectCommand(const Candidates& candidates);

  // The claims over the rows. Grant, Renew and Abandon keep the indexes; nothing else changes a claim.
  QueueClaims::Claim* FindClaim(absl::string_view claim_id, absl::string_view lease_token) const {
    return claims_.Find(claim_id, lease_token);
  }
  const QueueClaims::Claim& Grant(QueueClaims::Terms terms, absl::Span<QueueRow* const> rows);
  void Renew(QueueClaims::Claim& claim, EpochMs expires);
  // Gives back all its rows; the claim is gone.
  void Abandon(const QueueClaims::Claim& claim);

 private:
  // Enters the row's due time, and its claim if that is a local process'. Every change of a claim goes between Unlink and Link.
  void Link(QueueRow& row);
  void Unlink(QueueRow& row);

  PositionIndex<QueueRow> rows_;                                     // all rows, owned; due when claimable by time
  PositionIndex<QueueRow> classless_;                                // the classless ones, due when available
  absl::flat_hash_map<absl::string_view, QueueRow*> by_source_key_;  // keys live in the batches
  LocalHolders<QueueRow> holders_;
  QueueClaims claims_;
  Spares<QueueRow> spares_;
  std::size_t size_ = 0;
  uint64_t last_position_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SESSION_QUEUE_H_
