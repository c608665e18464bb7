// The values of the state_backend contract: workflow definitions and executions.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_WORKFLOW_VALUES_H_
#define LEASECHECK_MODEL_STATE_BACKEND_WORKFLOW_VALUES_H_

#include <array>
#include <optional>
#include <string>
#include <tuple>

#include "model/field.h"
#include "model/instant.h"
#include "model/state_backend/values.h"

namespace leasecheck {
namespace state_backend {

// A compiled workflow. All by the caller; a tenant's view puts its own tenant in the place of tenant_id.
struct WorkflowDefinition {
  std::string workflow_id;
  std::string version;  // opaque: versions have no order
  OpaqueJson ir;
  Instant created_at;  // stored as it is
  TenantId tenant_id{kDefaultTenant};
  friend bool operator==(const WorkflowDefinition&, const WorkflowDefinition&) = default;
};

// Where an execution is on its way. The last four are terminal.
enum class WorkflowStatus { kPending, kRunning, kPaused, kCompleted, kFailed, kCancelled, kLimitExceeded };

constexpr bool IsTerminal(WorkflowStatus status) {
  return status == WorkflowStatus::kCompleted || status == WorkflowStatus::kFailed || status == WorkflowStatus::kCancelled ||
         status == WorkflowStatus::kLimitExceeded;
}

// Whether the engine above the store would make this move. No store enforces it. [SB-EXE-8, SB-LAT-3]
constexpr bool IsLegalMove(WorkflowStatus from, WorkflowStatus to) {
  switch (from) {
    case WorkflowStatus::kPending:
      return to == WorkflowStatus::kRunning;
    case WorkflowStatus::kRunning:
      return to == WorkflowStatus::kPaused || IsTerminal(to);
    case WorkflowStatus::kPaused:
      return to == WorkflowStatus::kRunning || to == WorkflowStatus::kCancelled;
    default:
      return false;
  }
}

enum class SessionType { kStateless, kResumable, kPersistentGoverned, kEphemeral, kApprovalGated };

// One run of a workflow. Which tenant it belongs to stands beside the record.
struct WorkflowExecution {
  ExecutionId execution_id;  // by the caller; unique in the store, over all tenants
  std::string workflow_id;   // by the caller; compared with no definition
  std::string workflow_version;
  WorkflowStatus status = WorkflowStatus::kRunning;  // any at first, then by update_execution_status
  OpaqueJson initial_input;                          // never changes
  OpaqueJson current_state;                          // any JSON
  Instant started_at;                                // by the caller; never changes
  Instant updated_at;                       // by the caller at first, then the store's clock at every change but an event
  std::optional<Instant> completed_at;      // by the caller at first, then as SB-EXE-7 says
  std::optional<SessionType> session_type;  // by the caller; a store may lose it (SB-LAT-7)
  friend bool operator==(const WorkflowExecution&, const WorkflowExecution&) = default;
};

}  // namespace state_backend

template <>
inline constexpr auto kWords<state_backend::WorkflowStatus> =
    std::array{Word<state_backend::WorkflowStatus>{state_backend::WorkflowStatus::kPending, "pending"},
               Word<state_backend::WorkflowStatus>{state_backend::WorkflowStatus::kRunning, "running"},
               Word<state_backend::WorkflowStatus>{state_backend::WorkflowStatus::kPaused, "paused"},
               Word<state_backend::WorkflowStatus>{state_backend::WorkflowStatus::kCompleted, "completed"},
               Word<state_backend::WorkflowStatus>{state_backend::WorkflowStatus::kFailed, "failed"},
               Word<state_backend::WorkflowStatus>{state_backend::WorkflowStatus::kCancelled, "cancelled"},
               Word<state_backend::WorkflowStatus>{state_backend::WorkflowStatus::kLimitExceeded, "limit_exceeded"}};
template <>
inline constexpr auto kWords<state_backend::SessionType> =
    std::array{Word<state_backend::SessionType>{state_backend::SessionType::kStateless, "stateless"},
               Word<state_backend::SessionType>{state_backend::SessionType::kResumable, "resumable"},
               Word<state_backend::SessionType>{state_backend::SessionType::kPersistentGoverned, "persistent_governed"},
               Word<state_backend::SessionType>{state_backend::SessionType::kEphemeral, "ephemeral"},
               Word<state_backend::SessionType>{state_backend::SessionType::kApprovalGated, "approval_gated"}};
template <>
inline constexpr auto kFields<state_backend::WorkflowDefinition> = std::make_tuple(
    Field{"workflow_id", &state_backend::WorkflowDefinition::workflow_id},
    Field{"version", &state_backend::WorkflowDefinition::version}, Field{"ir", &state_backend::WorkflowDefinition::ir},
    Field{"created_at", &state_backend::WorkflowDefinition::created_at},
    Field{"tenant_id", &state_backend::WorkflowDefinition::tenant_id});
template <>
inline constexpr auto kFields<state_backend::WorkflowExecution> =
    std::make_tuple(Field{"execution_id", &state_backend::WorkflowExecution::execution_id},
                    Field{"workflow_id", &state_backend::WorkflowExecution::workflow_id},
                    Field{"workflow_version", &state_backend::WorkflowExecution::workflow_version},
                    Field{"status", &state_backend::WorkflowExecution::status},
                    Field{"initial_input", &state_backend::WorkflowExecution::initial_input},
                    Field{"current_state", &state_backend::WorkflowExecution::current_state},
                    Field{"started_at", &state_backend::WorkflowExecution::started_at},
                    Field{"updated_at", &state_backend::WorkflowExecution::updated_at},
                    Field{"completed_at", &state_backend::WorkflowExecution::completed_at},
                    Field{"session_type", &state_backend::WorkflowExecution::session_type});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_WORKFLOW_VALUES_H_
