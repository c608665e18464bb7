// The operation table of the session_store family.
#ifndef LEASECHECK_MODEL_SESSION_STORE_FAMILY_H_
#define LEASECHECK_MODEL_SESSION_STORE_FAMILY_H_

#include <tuple>

#include "absl/strings/string_view.h"
#include "model/operation.h"
#include "model/session_store/store.h"

namespace leasecheck {

struct SessionStoreFamily {
  static constexpr absl::string_view kName = "session_store";
  using Store = session_store::SessionStore;
  using Error = session_store::StoreError;
  static constexpr auto kOperations =
      std::make_tuple(Operation{"enqueue_queued_work", &Store::EnqueueQueuedWork, Effect::kWrite},
                      Operation{"claim_leading_ready_session_command", &Store::ClaimLeadingReadySessionCommand, Effect::kWrite},
                      Operation{"claim_ready_queued_work", &Store::ClaimReadyQueuedWork, Effect::kWrite},
                      Operation{"claim_ready_queued_work_by_batch_ids", &Store::ClaimReadyQueuedWorkByBatchIds, Effect::kWrite},
                      Operation{"renew_queued_work_claim", &Store::RenewQueuedWorkClaim, Effect::kWrite},
                      Operation{"abandon_queued_work_claim", &Store::AbandonQueuedWorkClaim, Effect::kWrite},
                      Operation{"cancel_queued_work_batch", &Store::CancelQueuedWorkBatch, Effect::kWrite},
                      Operation{"list_queued_work", &Store::ListQueuedWork, Effect::kRead},
                      Operation{"list_pending_queued_work", &Store::ListPendingQueuedWork, Effect::kRead},
                      Operation{"try_claim_session_execution_lease", &Store::TryClaimSessionExecutionLease, Effect::kWrite},
                      Operation{"reclaim_session_execution_lease", &Store::ReclaimSessionExecutionLease, Effect::kWrite},
                      Operation{"renew_session_execution_lease", &Store::RenewSessionExecutionLease, Effect::kWrite},
                      Operation{"release_session_execution_lease", &Store::ReleaseSessionExecutionLease, Effect::kWrite},
                      Operation{"commit_runtime_state", &Store::CommitRuntimeState, Effect::kWrite},
                      Operation{"load_session", &Store::LoadSession, Effect::kRead},
                      Operation{"enqueue_pending_turn_input", &Store::EnqueuePendingTurnInput, Effect::kWrite},
                      Operation{"list_pending_turn_inputs", &Store::ListPendingTurnInputs, Effect::kRead},
                      Operation{"cancel_pending_turn_inputs", &Store::CancelPendingTurnInputs, Effect::kWrite},
                      Operation{"cancel_pending_turn_input", &Store::CancelPendingTurnInput, Effect::kWrite},
                      Operation{"cancel_pending_turn_input_suffix", &Store::CancelPendingTurnInputSuffix, Effect::kWrite},
                      Operation{"claim_active_turn_inputs", &Store::ClaimActiveTurnInputs, Effect::kWrite},
                      Operation{"claim_next_turn_inputs", &Store::ClaimNextTurnInputs, Effect::kWrite},
                      Operation{"abandon_turn_input_claim", &Store::AbandonTurnInputClaim, Effect::kWrite},
                      Operation{"vacuum", &Store::Vacuum, Effect::kWrite});
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_SESSION_STORE_FAMILY_H_
