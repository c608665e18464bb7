#include "adapters/sqlite/state_backend_workflow_rows.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "adapters/sqlite/columns.h"
#include "adapters/sqlite/instant_columns.h"

namespace leasecheck::sqlite {
namespace {

using codec::UuidText;
using state_backend::ExecutionId;
using state_backend::SessionType;
using state_backend::WorkflowDefinition;
using state_backend::WorkflowExecution;
using state_backend::WorkflowStatus;

// The columns that ExecutionOf reads, in its order, as every statement begins that reads executions.
std::string SelectExecutions(absl::string_view rest) {
  return absl::StrCat(
      "SELECT execution_id, workflow_id, workflow_version, status, initial_input, current_state, started_at, updated_at, "
      "completed_at, session_type FROM executions WHERE ",
      rest);
}

WorkflowExecution ExecutionOf(const Rows& rows) {
  WorkflowExecution execution;
  execution.execution_id = ReadUuid(rows, 0);
  execution.workflow_id = rows.Text(1);
  execution.workflow_version = rows.Text(2);
  execution.status = FromWord<WorkflowStatus>(rows.Text(3));
  execution.initial_input.text = rows.Text(4);
  execution.current_state.text = rows.Text(5);
  execution.started_at = ReadInstant(rows, 6);
  execution.updated_at = ReadInstant(rows, 7);
  execution.completed_at = ReadOptionalInstant(rows, 8);
  if (!rows.IsNull(9)) execution.session_type = FromWord<SessionType>(rows.Text(9));
  return execution;
}

std::optional<std::string> WordOfSessionType(const WorkflowExecution& execution) {
  if (!execution.session_type.has_value()) return std::nullopt;
  return std::string(WordOf(*execution.session_type));
}

}  // namespace

void StoreDefinition(Transaction& transaction, const WorkflowDefinition& definition) {
  transaction.Execute(
      "INSERT OR REPLACE INTO definitions (workflow_id, version, tenant_id, ir, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
      definition.workflow_id, definition.version, definition.tenant_id, definition.ir.text, definition.created_at.ms);
}

std::optional<WorkflowDefinition> ReadDefinition(Transaction& transaction, const TenantScope& view, absl::string_view workflow_id,
                                                 absl::string_view version) {
  Rows rows = transaction.Query(
      view.has_value()
          ? "SELECT ir, created_at, tenant_id FROM definitions WHERE workflow_id = ?1 AND version = ?2 AND tenant_id = ?3"
          : "SELECT ir, created_at, tenant_id FROM definitions WHERE workflow_id = ?1 AND version = ?2 AND ?3 IS NULL "
            "ORDER BY place DESC LIMIT 1",
      workflow_id, version, view);
  if (!rows.Next()) return std::nullopt;
  return WorkflowDefinition{std::string(workflow_id), std::string(version), {rows.Text(0)}, ReadInstant(rows, 1), rows.Text(2)};
}

bool AddExecution(Transaction& transaction, absl::string_view tenant_id, const WorkflowExecution& execution) {
  const int64_t added = transaction.Execute(
      "INSERT INTO executions (tenant_id, execution_id, workflow_id, workflow_version, status, initial_input, current_state, "
      "started_at, updated_at, completed_at, session_type) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
      "ON CONFLICT (execution_id) DO NOTHING",
      tenant_id, UuidText(execution.execution_id), execution.workflow_id, execution.workflow_version, WordOf(execution.status),
      execution.initial_input.text, execution.current_state.text, execution.started_at.ms, execution.updated_at.ms,
      MsOf(execution.completed_at), WordOfSessionType(execution));
  return added == 1;
}

std::optional<WorkflowExecution> ReadExecution(Transaction& transaction, const TenantScope& view, const ExecutionId& id) {
  static const std::string kSql = SelectExecutions("execution_id = ?1 AND (?2 IS NULL OR tenant_id = ?2)");
  Rows rows = transaction.Query(kSql, UuidText(id), view);
  if (!rows.Next()) return std::nullopt;
  return ExecutionOf(rows);
}

std::optional<int64_t> PlaceOfExecution(Transaction& transaction, const TenantScope& view, const ExecutionId& id) {
  Rows rows = transaction.Query("SELECT place FROM executions WHERE execution_id = ?1 AND (?2 IS NULL OR tenant_id = ?2)",
                                UuidText(id), view);
  if (!rows.Next()) return std::nullopt;
  return rows.Int(0);
}

void WriteExecution(Transaction& transaction, const WorkflowExecution& execution) {
  transaction.Execute(
      "UPDATE executions SET status = ?2, current_state = ?3, updated_at = ?4, completed_at = ?5 WHERE execution_id = ?1",
      UuidText(execution.execution_id), WordOf(execution.status), execution.current_state.text, execution.updated_at.ms,
      MsOf(execution.completed_at));
}

std::vector<WorkflowExecution> ListExecutionRows(Transaction& transaction, const TenantScope& view,
                                                 const std::optional<WorkflowStatus>& status, uint32_t limit, uint32_t offset) {
  std::optional<std::string> word;
  if (status.has_value()) word = std::string(WordOf(*status));
  // One statement for each of the four orders, so that each is read off its index.
  static const std::string kOrder = " ORDER BY updated_at DESC, place DESC LIMIT ?3 OFFSET ?4";
  static const std::string kOfBoth = SelectExecutions("tenant_id = ?1 AND status = ?2" + kOrder);
  static const std::string kOfTenant = SelectExecutions("tenant_id = ?1 AND ?2 IS NULL" + kOrder);
  static const std::string kOfStatus = SelectExecutions("?1 IS NULL AND status = ?2" + kOrder);
  static const std::string kAll = SelectExecutions("?1 IS NULL AND ?2 IS NULL" + kOrder);
  const std::string& scoped = word.has_value() ? kOfBoth : kOfTenant;
  const std::string& unscoped = word.has_value() ? kOfStatus : kAll;
  Rows rows = transaction.Query(view.has_value() ? scoped : unscoped, view, word, int64_t{limit}, int64_t{offset});
  std::vector<WorkflowExecution> page;
  while (rows.Next()) page.push_back(ExecutionOf(rows));
  return page;
}

}  // namespace leasecheck::sqlite
