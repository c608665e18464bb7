// The queue of one session: its batches, their claims, and what is claimable now (queued-work.md, 3).
#ifndef LEASECHECK_MEMSTORE_SESSION_QUEUE_H_
#define LEASECHECK_MEMSTORE_SESSION_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/container/inlined_vector.h"
#include "memstore/batch_queue.h"
#include "memstore/claim_book.h"
#include "memstore/local_holders.h"
#include "memstore/position_index.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::memstore {

// What all payloads of a batch have in common; kNone for a batch without payloads or with a mix ("classless").
enum class BatchClass { kSessionCommand, kTurnWork, kNone };

// A stored batch with its claim record. Addresses are stable as long as the batch is stored.
struct QueueRow : ClaimBook<QueueRow, session_store::LeaseOwnerIdentity>::Claimable {
  using Claims = ClaimBook<QueueRow, session_store::LeaseOwnerIdentity>;
  using Batch = session_store::QueuedWorkBatch;
  std::shared_ptr<const session_store::QueuedWorkBatch> batch;
  BatchClass batch_class = BatchClass::kNone;
  uint64_t position = 0;  // its place in the queue
  bool settling = false;  // marked by a commit that is being checked
};

using QueueClaims = QueueRow::Claims;
using QueueRows = absl::InlinedVector<QueueRow*, 4>;

// Decides what is claimable, not what may be claimed: the lane, the ids and the clock are the caller's. Not thread-safe. To the
// shared queue it adds what is claimable before its claim lapses: live claims of dead processes are found in an index a process
// (LocalHolders).
class SessionQueue : public BatchQueue<SessionQueue, QueueRow> {
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

  Candidates CandidatesFor(const session_store::LeaseOwnerIdentity& claimant, const LivenessProbe& probe, EpochMs now) const {
    return Candidates(*this, now, claimant, probe);
  }
  // What a claim of turn work takes: the head, or the head's join group of at most max_batches; empty where the head is not
  // admitted. [QW-CLM-3..8]
  static QueueRows SelectTurnWork(const Candidates& candidates, session_store::QueuedWorkClaimBoundary boundary,
                                  uint64_t max_batches);
  // What a claim of a command takes: the head if it is one; else empty. [QW-CMD-2..6]
  static QueueRows SelectCommand(const Candidates& candidates);

 private:
  friend class BatchQueue<SessionQueue, QueueRow>;
  void Entered(QueueRow& row);
  void Leaving(QueueRow& row);
  // Keep what local processes hold.
  void Claimed(QueueRow& row);
  void Unclaiming(QueueRow& row);

  PositionIndex<QueueRow> classless_;  // the classless ones, due when available
  LocalHolders<QueueRow> holders_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SESSION_QUEUE_H_
