// Workflow definitions and executions as rows.
#ifndef LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_WORKFLOW_ROWS_H_
#define LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_WORKFLOW_ROWS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/transaction.h"
#include "model/state_backend/workflow_values.h"

namespace leasecheck::sqlite {

// A call's tenant; none: the unscoped store.
using TenantScope = std::optional<state_backend::TenantId>;

// Over the one that its tenant has of this id and version.
void StoreDefinition(Transaction& transaction, const state_backend::WorkflowDefinition& definition);
// The visible definition that was stored last.
std::optional<state_backend::WorkflowDefinition> ReadDefinition(Transaction& transaction, const TenantScope& view,
                                                                absl::string_view workflow_id, absl::string_view version);

// False, without effect, where an execution of this id is there.
bool AddExecution(Transaction& transaction, absl::string_view tenant_id, const state_backend::WorkflowExecution& execution);
// None where the view sees no such execution.
std::optional<state_backend::WorkflowExecution> ReadExecution(Transaction& transaction, const TenantScope& view,
                                                              const state_backend::ExecutionId& id);
// The row by which events, snapshots and items name the execution; none where the view sees no such execution.
std::optional<int64_t> PlaceOfExecution(Transaction& transaction, const TenantScope& view, const state_backend::ExecutionId& id);
// Replaces what of the record can change.
void WriteExecution(Transaction& transaction, const state_backend::WorkflowExecution& execution);
// A page, late to early, of equals the one that was added later first. Reads the rows that it skips and returns.
std::vector<state_backend::WorkflowExecution> ListExecutionRows(Transaction& transaction, const TenantScope& view,
                                                                const std::optional<state_backend::WorkflowStatus>& status,
                                                                uint32_t limit, uint32_t offset);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_WORKFLOW_ROWS_H_
