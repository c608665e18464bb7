#include "model/session_store/values.h"

namespace leasecheck::session_store {

QueuedWorkCompletion CompletionOf(const QueuedWorkClaim& claim) {
  QueuedWorkCompletion completion{claim.session_id, claim.claim_id, claim.lease_token, {}};
  for (const QueuedWorkBatch& batch : claim.batches) completion.batch_ids.push_back(batch.batch_id);
  return completion;
}

TurnInputCompletion CompletionOf(const TurnInputClaim& claim) {
  TurnInputCompletion completion{claim.session_id, claim.claim_id, claim.lease_token, {}};
  for (const PendingTurnInput& input : claim.inputs) completion.input_ids.push_back(input.input_id);
  return completion;
}

SessionExecutionLeaseFence FenceOf(const SessionExecutionLease& lease) {
  return {lease.session_id, lease.owner, lease.lease_token, lease.fencing_token};
}

SessionExecutionLeaseCompletion ReleaseOf(const SessionExecutionLease& lease) {
  return {lease.session_id, lease.owner, lease.lease_token, lease.fencing_token};
}

}  // namespace leasecheck::session_store
