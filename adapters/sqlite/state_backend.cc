// The calls of the state_backend family, each one transaction over the rows of state_backend_*_rows.h: definitions, executions,
// events and snapshots. The queue is in state_backend_work.cc, tokens and tenants in state_backend_access.cc.
#include "adapters/sqlite/state_backend.h"

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/state_backend_access_rows.h"
#include "adapters/sqlite/state_backend_event_rows.h"
#include "adapters/sqlite/state_backend_schema.h"
#include "adapters/sqlite/state_backend_workflow_rows.h"
#include "adapters/sqlite/transaction.h"
#include "codec/json.h"

namespace leasecheck::sqlite {
namespace {

using state_backend::Done;
using state_backend::Event;
using state_backend::EventSequence;
using state_backend::IsTerminal;
using state_backend::kDefaultTenant;
using state_backend::NotFound;
using state_backend::Result;
using state_backend::Snapshot;
using state_backend::StoreError;
using state_backend::WorkflowDefinition;
using state_backend::WorkflowExecution;

tl::unexpected<StoreError> NoSuchExecution() { return Fails<StoreError>(NotFound{"no such execution"}); }
tl::unexpected<StoreError> Refused(const char* why) { return Fails<StoreError>(state_backend::Database{why}); }

// Changes the execution, if the view sees it: change(WorkflowExecution&) says whether it may be written.
template <class Change>
Result<Done> ChangeExecution(Transaction& transaction, const TenantScope& view, const state_backend::ExecutionId& id, EpochMs now,
                             Change&& change) {
  std::optional<WorkflowExecution> execution = ReadExecution(transaction, view, id);
  if (!execution.has_value()) return NoSuchExecution();
  if (!change(*execution)) return Refused("the state is no object, or has something else than an array under the key");
  execution->updated_at = InstantOf(now);
  WriteExecution(transaction, *execution);
  return Done{};
}

// Appends the value to the array under the key; false, without effect, where there is no place for it. [SB-PAT-2..7]
bool AppendToArray(Transaction& transaction, const std::string& key, const OpaqueJson& value, OpaqueJson* state) {
  absl::StatusOr<codec::Json> object = codec::ParseJson(state->text);
  absl::StatusOr<codec::Json> element = codec::ParseJson(value.text);
  for (const auto* json : {&object, &element}) {
    if (json->ok()) continue;
    transaction.Fail(absl::DataLossError(absl::StrCat("JSON cannot be read: ", json->status().message())));
    return false;
  }
  if (!object->is_object()) return false;
  const auto member = object->find(key);
  if (member == object->end()) {
    (*object)[key] = codec::Json::array({*std::move(element)});
  } else if (member->is_array()) {
    member->push_back(*std::move(element));
  } else {
    return false;
  }
  state->text = codec::CanonicalText(*object);
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateBackend>> StateBackend::Open(const Options& options) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(options, StateBackendSchema());
  if (!database.ok()) return database.status();
  return absl::WrapUnique(new StateBackend(*std::move(database), options.id_seed.has_value()));
}

// Definitions.

Result<Done> StateBackend::StoreWorkflow(const state_backend::StoreWorkflowRequest& request) {
  WorkflowDefinition definition = request.def;
  if (request.view.has_value()) definition.tenant_id = *request.view;
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    if (!HasTenant(transaction, definition.tenant_id)) return Refused("the definition's tenant is not registered");
    StoreDefinition(transaction, definition);
    return Done{};
  });
}

Result<std::optional<WorkflowDefinition>> StateBackend::GetWorkflow(const state_backend::GetWorkflowRequest& request) {
  return database_->ReadTimeless([&](Transaction& transaction) -> Result<std::optional<WorkflowDefinition>> {
    return ReadDefinition(transaction, request.view, request.workflow_id, request.version);
  });
}

// Executions.

Result<Done> StateBackend::CreateExecution(const state_backend::CreateExecutionRequest& request) {
  const std::string tenant = request.view.value_or(std::string(kDefaultTenant));
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    if (!HasTenant(transaction, tenant)) return Refused("the view's tenant is not registered");
    if (!AddExecution(transaction, tenant, request.execution)) return Refused("an execution of this id is there");
    return Done{};
  });
}

Result<std::optional<WorkflowExecution>> StateBackend::GetExecution(const state_backend::GetExecutionRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<std::optional<WorkflowExecution>> {
    return ReadExecution(transaction, request.view, request.id);
  });
}

Result<Done> StateBackend::UpdateExecutionStatus(const state_backend::UpdateExecutionStatusRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<Done> {
    return ChangeExecution(transaction, request.view, request.id, now, [&](WorkflowExecution& execution) {
      execution.status = request.status;
      if (IsTerminal(request.status)) execution.completed_at = InstantOf(now);
      return true;
    });
  });
}

Result<Done> StateBackend::UpdateExecutionCurrentState(const state_backend::UpdateExecutionCurrentStateRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<Done> {
    return ChangeExecution(transaction, request.view, request.id, now, [&](WorkflowExecution& execution) {
      execution.current_state = request.current_state;
      return true;
    });
  });
}

Result<Done> StateBackend::PatchAppendArray(const state_backend::PatchAppendArrayRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<Done> {
    return ChangeExecution(transaction, request.view, request.execution_id, now, [&](WorkflowExecution& execution) {
      return AppendToArray(transaction, request.key, request.value, &execution.current_state);
    });
  });
}

Result<std::vector<WorkflowExecution>> StateBackend::ListExecutions(const state_backend::ListExecutionsRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<std::vector<WorkflowExecution>> {
    return ListExecutionRows(transaction, request.view, request.status, request.limit, request.offset);
  });
}

// Events and snapshots.

Result<EventSequence> StateBackend::AppendEvent(const state_backend::AppendEventRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<EventSequence> {
    const std::optional<int64_t> execution = PlaceOfExecution(transaction, request.view, request.event.execution_id);
    if (!execution.has_value()) return Refused("the event's execution does not exist");
    Event event = request.event;
    event.sequence = ReadLatestSequence(transaction, *execution) + 1;
    if (!AddEvent(transaction, *execution, event)) return Refused("an event of this id is there");
    return event.sequence;
  });
}

Result<std::vector<Event>> StateBackend::GetEvents(const state_backend::GetEventsRequest& request) {
  return GetEventsSince({request.execution_id, 0, request.view});
}

Result<std::vector<Event>> StateBackend::GetEventsSince(const state_backend::GetEventsSinceRequest& request) {
  return database_->ReadTimeless([&](Transaction& transaction) -> Result<std::vector<Event>> {
    const std::optional<int64_t> execution = PlaceOfExecution(transaction, request.view, request.execution_id);
    if (!execution.has_value()) return std::vector<Event>();
    return ReadEvents(transaction, *execution, request.execution_id, request.since_sequence);
  });
}

Result<EventSequence> StateBackend::LatestSequence(const state_backend::LatestSequenceRequest& request) {
  return database_->ReadTimeless([&](Transaction& transaction) -> Result<EventSequence> {
    const std::optional<int64_t> execution = PlaceOfExecution(transaction, request.view, request.execution_id);
    return execution.has_value() ? ReadLatestSequence(transaction, *execution) : 0;
  });
}

Result<Done> StateBackend::WriteSnapshot(const state_backend::WriteSnapshotRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    const std::optional<int64_t> execution = PlaceOfExecution(transaction, request.view, request.snapshot.execution_id);
    if (!execution.has_value()) return Refused("the snapshot's execution does not exist");
    StoreSnapshot(transaction, *execution, request.snapshot);
    return Done{};
  });
}

Result<std::optional<Snapshot>> StateBackend::LatestSnapshot(const state_backend::LatestSnapshotRequest& request) {
  return database_->ReadTimeless([&](Transaction& transaction) -> Result<std::optional<Snapshot>> {
    const std::optional<int64_t> execution = PlaceOfExecution(transaction, request.view, request.execution_id);
    if (!execution.has_value()) return std::nullopt;
    return ReadLatestSnapshot(transaction, *execution, request.execution_id);
  });
}

}  // namespace leasecheck::sqlite
