#include "model/runtime_persistence/queue_values.h"

namespace leasecheck::runtime_persistence {

QueuedWorkCompletion CompletionOf(const QueuedWorkClaim& claim) {
  QueuedWorkCompletion completion{claim.session_id, claim.claim_id, claim.lease_token, {}};
  for (const QueuedWorkBatch& batch : claim.batches) completion.batch_ids.push_back(batch.batch_id);
  return completion;
}

}  // namespace leasecheck::runtime_persistence
