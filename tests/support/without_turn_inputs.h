// A session_store with the queue and the lane only: turn inputs are trouble, and vacuum finds nothing. For tests of other things.
#ifndef LEASECHECK_TESTS_SUPPORT_WITHOUT_TURN_INPUTS_H_
#define LEASECHECK_TESTS_SUPPORT_WITHOUT_TURN_INPUTS_H_

#include <optional>
#include <vector>

#include "model/session_store/store.h"

namespace leasecheck::session_store {

class WithoutTurnInputs : public SessionStore {
 public:
  Result<PendingTurnInput> EnqueuePendingTurnInput(const EnqueuePendingTurnInputRequest&) override { return None(); }
  Result<std::vector<PendingTurnInput>> ListPendingTurnInputs(const ListPendingTurnInputsRequest&) override { return None(); }
  Result<std::vector<PendingTurnInputCancelResult>> CancelPendingTurnInputs(const CancelPendingTurnInputsRequest&) override {
    return None();
  }
  Result<PendingTurnInputSuffixCancelOutcome> CancelPendingTurnInputSuffix(const CancelPendingTurnInputSuffixRequest&) override {
    return None();
  }
  Result<std::optional<TurnInputClaim>> ClaimActiveTurnInputs(const ClaimActiveTurnInputsRequest&) override { return None(); }
  Result<std::optional<TurnInputClaim>> ClaimNextTurnInputs(const ClaimNextTurnInputsRequest&) override { return None(); }
  Result<Done> AbandonTurnInputClaim(const AbandonTurnInputClaimRequest&) override { return None(); }
  Result<VacuumReport> Vacuum(const VacuumRequest&) override { return VacuumReport{}; }

 private:
  static tl::unexpected<StoreError> None() { return tl::unexpected<StoreError>(Backend{"this store has no turn inputs"}); }
};

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_TESTS_SUPPORT_WITHOUT_TURN_INPUTS_H_
