// The queue of one session in the runtime_persistence family: what may be claimed (runtime-persistence.md, 3, "claim").
#ifndef LEASECHECK_MEMSTORE_WORK_QUEUE_H_
#define LEASECHECK_MEMSTORE_WORK_QUEUE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "memstore/batch_queue.h"
#include "memstore/claim_book.h"
#include "model/runtime_persistence/queue_values.h"
#include "model/time.h"

namespace leasecheck::memstore {

// A stored batch with its claim record; an owner is a plain id. Addresses are stable as long as the batch is stored.
struct WorkRow : ClaimBook<WorkRow, std::string>::Claimable {
  using Claims = ClaimBook<WorkRow, std::string>;
  using Batch = runtime_persistence::QueuedWorkBatch;
  std::shared_ptr<const Batch> batch;
  uint64_t position = 0;  // its place in the queue
  bool settling = false;  // marked by a commit that is being checked
};
using WorkClaims = WorkRow::Claims;

// Not thread-safe.
class WorkQueue : public BatchQueue<WorkQueue, WorkRow> {
 public:
  // What a claim takes: the head, or the head's join group of at most max_batches, at least 1; empty where there is no head or
  // the boundary does not admit it. What is no candidate does not end a group. [RP-CLM-2..7,13; RP-LAT-15,16]
  Rows Select(runtime_persistence::QueuedWorkClaimBoundary boundary, uint64_t max_batches, EpochMs now) const;

 private:
  friend class BatchQueue<WorkQueue, WorkRow>;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_WORK_QUEUE_H_
