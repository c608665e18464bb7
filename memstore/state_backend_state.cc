// Definitions, executions, events and snapshots; everything held, and back.
#include "memstore/state_backend_state.h"

#include <memory>
#include <utility>

#include "memstore/json_object.h"

namespace leasecheck::memstore {

using state_backend::Database;
using state_backend::Done;
using state_backend::Event;
using state_backend::EventSequence;
using state_backend::ExecutionId;
using state_backend::IsTerminal;
using state_backend::kDefaultTenant;
using state_backend::kDefaultTenantName;
using state_backend::NotFound;
using state_backend::Result;
using state_backend::Snapshot;
using state_backend::StoreError;
using state_backend::Tenant;
using state_backend::TenantId;
using state_backend::WorkflowDefinition;
using state_backend::WorkflowExecution;

namespace {

tl::unexpected<StoreError> Refused(const char* why) { return tl::unexpected<StoreError>(Database{why}); }
tl::unexpected<StoreError> NoSuchExecution() { return tl::unexpected<StoreError>(NotFound{"no such execution"}); }

// The tenant that a fresh store has.
Tenant DefaultTenant() {
  Tenant tenant;
  tenant.id = std::string(kDefaultTenant);
  tenant.name = std::string(kDefaultTenantName);
  return tenant;
}

std::vector<Event> Copies(absl::Span<const EventLog::Entry> entries) {
  std::vector<Event> events;
  events.reserve(entries.size());
  for (const EventLog::Entry& entry : entries) events.push_back(*entry);
  return events;
}

}  // namespace

StateBackendState::StateBackendState(const StateBackendChoices& choices, uint64_t token_seed)
    : choices_(choices), token_seed_(token_seed), executions_(choices.list_order), events_(choices.numbering) {
  tenants_.Add(DefaultTenant());
}

bool StateBackendState::IsRegistered(const TenantId& tenant) { return tenants_.Find(tenant) != nullptr; }

bool StateBackendState::TakesFor(const TenantScope& view, const ExecutionId& id) const {
  if (executions_.Find(view, id) != nullptr) return true;
  return choices_.unknown_execution == UnknownExecution::kAccepted && executions_.Find(std::nullopt, id) == nullptr;
}

bool StateBackendState::Reads(const TenantScope& view, const ExecutionId& id) const {
  return !view.has_value() || executions_.Find(view, id) != nullptr;
}

// Definitions.

Result<Done> StateBackendState::StoreWorkflow(const state_backend::StoreWorkflowRequest& request, EpochMs) {
  auto definition = std::make_shared<WorkflowDefinition>(request.def);
  if (request.view.has_value()) definition->tenant_id = *request.view;
  if (!IsRegistered(definition->tenant_id)) return Refused("the definition's tenant is not registered");
  definitions_.Put(std::move(definition));
  return Done{};
}

Result<std::optional<WorkflowDefinition>> StateBackendState::GetWorkflow(const state_backend::GetWorkflowRequest& request,
                                                                         EpochMs) {
  const DefinitionShelf::Definition found = definitions_.Find(request.view, request.workflow_id, request.version);
  if (found == nullptr) return std::nullopt;
  return *found;
}

// Executions.

Result<Done> StateBackendState::CreateExecution(const state_backend::CreateExecutionRequest& request, EpochMs) {
  if (MakesNothing(request.view)) return Refused("the view's tenant is not registered");
  ExecutionRow row;
  row.tenant = request.view.value_or(std::string(kDefaultTenant));
  row.record = std::make_shared<const WorkflowExecution>(request.execution);
  if (!executions_.Add(std::move(row))) return Refused("an execution of this id is there");
  return Done{};
}

Result<std::optional<WorkflowExecution>> StateBackendState::GetExecution(const state_backend::GetExecutionRequest& request,
                                                                         EpochMs) {
  const ExecutionRow* row = executions_.Find(request.view, request.id);
  if (row == nullptr) return std::nullopt;
  return *row->record;
}

Result<Done> StateBackendState::UpdateExecutionStatus(const state_backend::UpdateExecutionStatusRequest& request, EpochMs now) {
  const ExecutionRow* row = executions_.Find(request.view, request.id);
  if (row == nullptr) return NoSuchExecution();
  WorkflowExecution record = *row->record;
  record.status = request.status;
  record.updated_at = InstantOf(now);
  if (IsTerminal(request.status)) record.completed_at = record.updated_at;
  executions_.Replace(std::move(record));
  return Done{};
}

Result<Done> StateBackendState::UpdateExecutionCurrentState(const state_backend::UpdateExecutionCurrentStateRequest& request,
                                                            EpochMs now) {
  const ExecutionRow* row = executions_.Find(request.view, request.id);
  if (row == nullptr) return NoSuchExecution();
  WorkflowExecution record = *row->record;
  record.current_state = request.current_state;
  record.updated_at = InstantOf(now);
  executions_.Replace(std::move(record));
  return Done{};
}

Result<Done> StateBackendState::PatchAppendArray(const state_backend::PatchAppendArrayRequest& request, EpochMs now) {
  const ExecutionRow* row = executions_.Find(request.view, request.execution_id);
  if (row == nullptr) return NoSuchExecution();
  std::optional<OpaqueJson> patched = AppendToMember(row->record->current_state, request.key, request.value);
  if (!patched.has_value()) return Refused("the state is no object, or has something else than an array under the key");
  WorkflowExecution record = *row->record;
  record.current_state = *std::move(patched);
  record.updated_at = InstantOf(now);
  executions_.Replace(std::move(record));
  return Done{};
}

Result<std::vector<WorkflowExecution>> StateBackendState::ListExecutions(const state_backend::ListExecutionsRequest& request,
                                                                         EpochMs) {
  return executions_.List(request.view, request.status, request.limit, request.offset);
}

// Events and snapshots.

Result<EventSequence> StateBackendState::AppendEvent(const state_backend::AppendEventRequest& request, EpochMs) {
  if (!TakesFor(request.view, request.event.execution_id)) return Refused("the event's execution does not exist");
  const std::optional<EventSequence> sequence = events_.Append(request.event);
  if (!sequence.has_value()) return Refused("an event of this id is there");
  return *sequence;
}

Result<std::vector<Event>> StateBackendState::GetEvents(const state_backend::GetEventsRequest& request, EpochMs) {
  if (!Reads(request.view, request.execution_id)) return std::vector<Event>();
  return Copies(events_.Since(request.execution_id, 0));
}

Result<std::vector<Event>> StateBackendState::GetEventsSince(const state_backend::GetEventsSinceRequest& request, EpochMs) {
  if (!Reads(request.view, request.execution_id)) return std::vector<Event>();
  return Copies(events_.Since(request.execution_id, request.since_sequence));
}

Result<EventSequence> StateBackendState::LatestSequence(const state_backend::LatestSequenceRequest& request, EpochMs) {
  return Reads(request.view, request.execution_id) ? events_.Latest(request.execution_id) : 0;
}

Result<Done> StateBackendState::WriteSnapshot(const state_backend::WriteSnapshotRequest& request, EpochMs) {
  if (!TakesFor(request.view, request.snapshot.execution_id)) return Refused("the snapshot's execution does not exist");
  snapshots_.Put(std::make_shared<const Snapshot>(request.snapshot));
  return Done{};
}

Result<std::optional<Snapshot>> StateBackendState::LatestSnapshot(const state_backend::LatestSnapshotRequest& request, EpochMs) {
  if (!Reads(request.view, request.execution_id)) return std::nullopt;
  const SnapshotShelf::Entry latest = snapshots_.Latest(request.execution_id);
  if (latest == nullptr) return std::nullopt;
  return *latest;
}

// Everything.

StateBackendContents StateBackendState::Contents() const {
  return {definitions_.All(), executions_.All(), events_.All(), snapshots_.All(), items_.All(), tokens_.all(), tenants_.All()};
}

void StateBackendState::Restore(const StateBackendContents& contents) {
  definitions_.Clear();
  for (const DefinitionShelf::Definition& definition : contents.definitions) definitions_.Put(definition);
  executions_.Clear();
  for (const ExecutionRow& row : contents.executions) executions_.Add(row);
  events_.Restore(contents.logs);
  snapshots_.Clear();
  for (const SnapshotShelf::Entry& snapshot : contents.snapshots) snapshots_.Put(snapshot);
  items_.Clear();
  for (const WorkItemRow& row : contents.items) items_.Add(row);
  tokens_.Restore(contents.tokens);
  tenants_.Restore(contents.tenants);
}

}  // namespace leasecheck::memstore
