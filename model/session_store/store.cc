#include "model/session_store/store.h"

#include <utility>

namespace leasecheck::session_store {

Result<PendingTurnInputCancelOutcome> SessionStore::CancelPendingTurnInput(const CancelPendingTurnInputRequest& request) {
  auto results = CancelPendingTurnInputs({request.session_id, {InputIdTarget{request.input_id}}});
  if (!results.has_value()) return tl::unexpected<StoreError>(std::move(results).error());
  if (results->size() != 1) return tl::unexpected<StoreError>(Backend{"the store did not answer one result for one target"});
  return std::move(results->front().outcome);
}

}  // namespace leasecheck::session_store
