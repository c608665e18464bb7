// The operation table of the state_backend family: the trait's 27 methods, then the fixtures.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_FAMILY_H_
#define LEASECHECK_MODEL_STATE_BACKEND_FAMILY_H_

#include <tuple>

#include "absl/strings/string_view.h"
#include "model/operation.h"
#include "model/state_backend/store.h"

namespace leasecheck {

struct StateBackendFamily {
  static constexpr absl::string_view kName = "state_backend";
  using Store = state_backend::StateBackendStore;
  using Error = state_backend::StoreError;
  static constexpr auto kOperations = std::make_tuple(
      Operation{"store_workflow", &Store::StoreWorkflow, Effect::kWrite},
      Operation{"get_workflow", &Store::GetWorkflow, Effect::kRead},
      Operation{"create_execution", &Store::CreateExecution, Effect::kWrite},
      Operation{"get_execution", &Store::GetExecution, Effect::kRead},
      Operation{"update_execution_status", &Store::UpdateExecutionStatus, Effect::kWrite},
      Operation{"update_execution_current_state", &Store::UpdateExecutionCurrentState, Effect::kWrite},
      Operation{"patch_append_array", &Store::PatchAppendArray, Effect::kWrite},
      Operation{"list_executions", &Store::ListExecutions, Effect::kRead},
      Operation{"append_event", &Store::AppendEvent, Effect::kWrite}, Operation{"get_events", &Store::GetEvents, Effect::kRead},
      Operation{"get_events_since", &Store::GetEventsSince, Effect::kRead},
      Operation{"latest_sequence", &Store::LatestSequence, Effect::kRead},
      Operation{"write_snapshot", &Store::WriteSnapshot, Effect::kWrite},
      Operation{"latest_snapshot", &Store::LatestSnapshot, Effect::kRead},
      Operation{"enqueue_work_item", &Store::EnqueueWorkItem, Effect::kWrite},
      Operation{"claim_work_item", &Store::ClaimWorkItem, Effect::kWrite},
      Operation{"renew_lease", &Store::RenewLease, Effect::kWrite},
      Operation{"complete_work_item", &Store::CompleteWorkItem, Effect::kWrite},
      Operation{"fail_work_item", &Store::FailWorkItem, Effect::kWrite},
      Operation{"reclaim_expired_leases", &Store::ReclaimExpiredLeases, Effect::kWrite},
      Operation{"move_to_dead_letter", &Store::MoveToDeadLetter, Effect::kWrite},
      Operation{"create_token", &Store::CreateToken, Effect::kWrite},
      Operation{"validate_token", &Store::ValidateToken, Effect::kRead},
      Operation{"create_tenant", &Store::CreateTenant, Effect::kWrite}, Operation{"get_tenant", &Store::GetTenant, Effect::kRead},
      Operation{"list_tenants", &Store::ListTenants, Effect::kRead},
      Operation{"update_tenant", &Store::UpdateTenant, Effect::kWrite},
      Operation{"revoke_token", &Store::RevokeToken, Effect::kWrite},
      Operation{"expire_token", &Store::ExpireToken, Effect::kWrite},
      Operation{"list_dead_letters", &Store::ListDeadLetters, Effect::kRead});
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_FAMILY_H_
