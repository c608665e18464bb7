// Definitions, executions, logs and snapshots; the queue is in state_slip_queue.cc, tokens and tenants in state_slip_access.cc.
#include "tests/mutants/state_slip_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "codec/json.h"

namespace leasecheck::mutants {

using namespace state_backend;  // NOLINT(build/namespaces): this file is about little else
using Slip = StateSlip;

namespace {

tl::unexpected<StoreError> Fail(StoreError error) { return tl::unexpected<StoreError>(std::move(error)); }
tl::unexpected<StoreError> Missing() { return Fail(NotFound{"no such record"}); }
tl::unexpected<StoreError> Refused() { return Fail(Database{"the tables do not take it"}); }

}  // namespace

StateSlipStore::StateSlipStore(const Environment& environment, StateSlip slip, const StateLiberties& liberties, StateDisk* disk)
    : environment_(environment),
      slip_(slip),
      liberties_(liberties),
      disk_(disk),
      life_(disk == nullptr ? 0 : disk->BeginLife()),
      tables_(disk == nullptr ? StateTables() : disk->Read()) {
  absl::MutexLock lock(&mutex_);
  if (liberties_.no_seed || liberties_.no_tenants || FindTenant(TenantId(kDefaultTenant)) != nullptr) return;
  Tenant seed;
  seed.id = TenantId(kDefaultTenant);
  seed.name = std::string(kDefaultTenantName);
  tables_.tenants.push_back(std::move(seed));
}

void StateSlipStore::PauseIf(StateSlip slip) {
  if (!Is(slip)) return;
  mutex_.Unlock();
  if (environment_.pause != nullptr) environment_.pause->Pause("slip");
  mutex_.Lock();
}

void StateSlipStore::Persist() {
  if (disk_ == nullptr) return;
  StateTables image = tables_;
  for (auto& [id, row] : image.items) {
    if (Is(Slip::kCrashBackoffForgotten)) row.retry_after.reset();
    if (Is(Slip::kCrashAttemptsForgotten)) row.item.attempt = 0;
    if (Is(Slip::kCrashLeasesForgotten) && row.status == Status::kClaimed) Release(row, Status::kPending);
  }
  for (auto& [id, log] : image.logs) {
    if (Is(Slip::kCrashEventForgotten) && log.size() > 1) log.pop_back();
  }
  for (TokenRow& token : image.tokens) {
    if (Is(Slip::kCrashRevocationsForgotten)) token.revoked = false;
  }
  disk_->Write(life_, std::move(image));
}

TenantId StateSlipStore::OwnerOf(const View& view) { return view.value_or(TenantId(kDefaultTenant)); }

bool StateSlipStore::IsRegistered(const std::string& tenant) {
  return liberties_.no_tenants || tenant == kDefaultTenant || FindTenant(tenant) != nullptr;
}

StateTables::ExecutionRow* StateSlipStore::FindExecution(const Uuid& id, const View& view) {
  const auto found = tables_.executions.find(id);
  return found == tables_.executions.end() || !Sees(view, found->second.tenant) ? nullptr : &found->second;
}

std::optional<StoreError> StateSlipStore::Standing(const Uuid& execution, const View& view) {
  if (view.has_value() && !IsRegistered(*view)) return Database{"the tenant is not registered"};
  if (FindExecution(execution, std::nullopt) == nullptr) {
    return liberties_.accepts_unknown ? std::nullopt : std::optional<StoreError>(Database{"no such execution"});
  }
  if (FindExecution(execution, view) != nullptr) return std::nullopt;
  if (liberties_.foreign_is_not_found) return NotFound{"another tenant's"};
  return Database{"another tenant's"};
}

// Definitions.

Result<Done> StateSlipStore::StoreWorkflow(const StoreWorkflowRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  WorkflowDefinition definition = request.def;
  if (request.view.has_value() && !Is(Slip::kViewKeepsCallersTenant)) definition.tenant_id = *request.view;
  if (!IsRegistered(request.view.value_or(definition.tenant_id)) && !Is(Slip::kUnregisteredDefinition)) return Refused();
  const std::string tenant = Is(Slip::kTenantsShareDefinitions) ? "" : definition.tenant_id;
  const StateTables::DefinitionKey key(tenant, definition.workflow_id, definition.version);
  const auto before = tables_.definitions.find(key);
  if (before != tables_.definitions.end() && Is(Slip::kDefinitionKeepsCreated)) {
    definition.created_at = before->second.created_at;
  }
  tables_.definitions[key] = std::move(definition);
  return Done{};
}

Result<std::optional<WorkflowDefinition>> StateSlipStore::GetWorkflow(const GetWorkflowRequest& request) {
  absl::MutexLock lock(&mutex_);
  std::optional<WorkflowDefinition> other;
  for (const auto& [key, definition] : tables_.definitions) {
    const bool visible = Is(Slip::kTenantsShareDefinitions) || Sees(request.view, definition.tenant_id);
    if (definition.workflow_id != request.workflow_id || !visible) continue;
    if (definition.version == request.version) return definition;
    other = definition;
  }
  return Is(Slip::kLatestVersion) ? other : std::nullopt;
}

// Executions.

Result<Done> StateSlipStore::CreateExecution(const CreateExecutionRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  if (request.view.has_value() && !IsRegistered(*request.view)) return Refused();
  const Uuid& id = request.execution.execution_id;
  const bool replaces = Is(Slip::kCreateReplaces) || liberties_.replaces_executions;
  if (FindExecution(id, std::nullopt) != nullptr && !replaces) return Refused();
  tables_.executions[id] = {OwnerOf(request.view), request.execution, ++tables_.serial};
  return Done{};
}

WorkflowExecution StateSlipStore::Shown(const ExecutionRow& row) const {
  WorkflowExecution shown = row.value;
  if (liberties_.loses_session_type) shown.session_type.reset();
  return shown;
}

Result<std::optional<WorkflowExecution>> StateSlipStore::GetExecution(const GetExecutionRequest& request) {
  absl::MutexLock lock(&mutex_);
  const ExecutionRow* row = FindExecution(request.id, Is(Slip::kViewReadsForeign) ? View() : request.view);
  if (row == nullptr) return std::nullopt;
  return Shown(*row);
}

Result<Done> StateSlipStore::UpdateExecutionStatus(const UpdateExecutionStatusRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  ExecutionRow* row = FindExecution(request.id, request.view);
  if (row == nullptr) return Missing();
  WorkflowExecution& execution = row->value;
  if (Is(Slip::kMovesChecked) && IsTerminal(execution.status) && !IsTerminal(request.status)) return Refused();
  execution.status = request.status;
  if (!Is(Slip::kStatusKeepsUpdated)) execution.updated_at = Now();
  const bool never = Is(Slip::kNoCompletedAt) || liberties_.never_completed_at;
  const bool keeps = never || (Is(Slip::kCompletedOnce) && execution.completed_at.has_value());
  if (IsTerminal(request.status) && !keeps) execution.completed_at = Now();
  if (!IsTerminal(request.status) && Is(Slip::kResumeClearsCompleted)) execution.completed_at.reset();
  return Done{};
}

Result<Done> StateSlipStore::UpdateExecutionCurrentState(const UpdateExecutionCurrentStateRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  ExecutionRow* row = FindExecution(request.id, request.view);
  if (row == nullptr) {
    if (liberties_.silent_state_update) return Done{};
    return Missing();
  }
  row->value.current_state = request.current_state;
  row->value.updated_at = Now();
  return Done{};
}

Result<Done> StateSlipStore::PatchAppendArray(const PatchAppendArrayRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  ExecutionRow* row = FindExecution(request.execution_id, request.view);
  if (row == nullptr) return Missing();
  codec::Json state = *codec::ParseJson(row->value.current_state.text);
  const codec::Json value = *codec::ParseJson(request.value.text);
  PauseIf(Slip::kLostPatch);
  if (!state.is_object()) return Is(Slip::kPatchSilent) ? Result<Done>(Done{}) : Refused();
  codec::Json* place = &state;
  std::string key = request.key;
  if (Is(Slip::kPatchIsPath) && key.find('.') != std::string::npos) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(key, absl::MaxSplits('.', 1));
    if (!(*place)[parts.first].is_object()) (*place)[parts.first] = codec::Json::object();
    place = &(*place)[parts.first];
    key = parts.second;
  }
  const bool absent = !place->contains(key) || (Is(Slip::kPatchNullIsAbsent) && (*place)[key].is_null());
  if (absent) (*place)[key] = codec::Json::array();
  codec::Json& array = (*place)[key];
  if (!array.is_array()) return Is(Slip::kPatchSilent) ? Result<Done>(Done{}) : Refused();
  if (Is(Slip::kPatchSplices) && value.is_array()) {
    array.insert(array.end(), value.begin(), value.end());
  } else {
    array.push_back(value);
  }
  row->value.current_state.text = codec::CanonicalText(state);
  if (!Is(Slip::kPatchKeepsUpdated)) row->value.updated_at = Now();
  return Done{};
}

bool StateSlipStore::Before(const ExecutionRow& a, const ExecutionRow& b) const {
  const auto key = [this](const ExecutionRow& row) {
    return liberties_.by_started_at ? row.value.started_at : row.value.updated_at;
  };
  if (!(key(a) == key(b))) return key(a) > key(b);
  return liberties_.other_ties ? a.ordinal < b.ordinal : a.ordinal > b.ordinal;
}

Result<std::vector<WorkflowExecution>> StateSlipStore::ListExecutions(const ListExecutionsRequest& request) {
  absl::MutexLock lock(&mutex_);
  std::vector<const ExecutionRow*> rows;
  for (const auto& [id, row] : tables_.executions) {
    if (Sees(request.view, row.tenant)) rows.push_back(&row);
  }
  std::sort(rows.begin(), rows.end(), [this](const auto* a, const auto* b) { return Before(*a, *b); });
  uint64_t offset = request.offset;
  if (Is(Slip::kPageSkipsOne) && offset > 0) ++offset;
  const bool all = Is(Slip::kLimitZeroIsAll) && request.limit == 0;
  std::vector<WorkflowExecution> page;
  uint64_t place = 0;
  for (const ExecutionRow* row : rows) {
    const bool wanted = !request.status.has_value() || row->value.status == *request.status;
    if (!wanted && !Is(Slip::kListOffsetFirst)) continue;
    const bool inside = place++ >= offset && (page.size() < request.limit || all);
    if (inside && wanted) page.push_back(Shown(*row));
  }
  return page;
}

// Logs.

bool StateSlipStore::HasEvent(const Uuid& id) {
  return std::any_of(tables_.logs.begin(), tables_.logs.end(), [&](const auto& log) {
    return std::any_of(log.second.begin(), log.second.end(), [&](const Event& event) { return event.id == id; });
  });
}

EventSequence StateSlipStore::NextNumber(const Event& event) {
  if (liberties_.global_numbers || Is(Slip::kUndeclaredGlobalNumbers)) return ++tables_.global_number;
  int64_t& last = tables_.numbers[event.execution_id];
  last = Is(Slip::kHintTaken) && event.sequence > last ? event.sequence : last + 1;
  return last;
}

Result<EventSequence> StateSlipStore::AppendEvent(const AppendEventRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const Event& event = request.event;
  const View view = Is(Slip::kViewAppendsForeign) ? View() : request.view;
  if (auto error = Standing(event.execution_id, view)) return Fail(*std::move(error));
  if (Is(Slip::kBusyStore)) {
    if (inside_) return Fail(Database{"the store is busy"});
    inside_ = true;
    PauseIf(Slip::kBusyStore);
    inside_ = false;
  }
  if (HasEvent(event.id) && !liberties_.stores_duplicates) {
    if (Is(Slip::kFailedAppendTakesNumber)) NextNumber(event);
    return Refused();
  }
  Event stored = event;
  if (Is(Slip::kLostAppend)) {
    stored.sequence = tables_.numbers[event.execution_id] + 1;
    PauseIf(Slip::kLostAppend);
    tables_.numbers[event.execution_id] = stored.sequence;
  } else {
    stored.sequence = NextNumber(event);
  }
  PauseIf(Slip::kAppendInTwoSteps);
  tables_.logs[event.execution_id].push_back(stored);
  if (Is(Slip::kAppendTouchesExecution) && FindExecution(event.execution_id, std::nullopt) != nullptr) {
    FindExecution(event.execution_id, std::nullopt)->value.updated_at = Now();
  }
  return stored.sequence;
}

std::vector<Event> StateSlipStore::EventsOf(const Uuid& execution, const View& view, int64_t since) {
  std::vector<Event> events;
  const bool foreign = FindExecution(execution, std::nullopt) != nullptr && FindExecution(execution, view) == nullptr;
  if (foreign && !Is(Slip::kViewLogsForeign)) return events;
  for (const Event& event : tables_.logs[execution]) {
    const bool equal = event.sequence == since && Is(Slip::kSinceInclusive) && since > 0;
    if (event.sequence > since || equal) events.push_back(event);
  }
  if (!Is(Slip::kAppendInTwoSteps)) {
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.sequence < b.sequence; });
  }
  return events;
}

Result<std::vector<Event>> StateSlipStore::GetEvents(const GetEventsRequest& request) {
  absl::MutexLock lock(&mutex_);
  return EventsOf(request.execution_id, request.view, 0);
}

Result<std::vector<Event>> StateSlipStore::GetEventsSince(const GetEventsSinceRequest& request) {
  absl::MutexLock lock(&mutex_);
  return EventsOf(request.execution_id, request.view, request.since_sequence);
}

Result<EventSequence> StateSlipStore::LatestSequence(const LatestSequenceRequest& request) {
  absl::MutexLock lock(&mutex_);
  EventSequence last = 0;
  for (const Event& event : EventsOf(request.execution_id, request.view, 0)) last = std::max(last, event.sequence);
  return last;
}

Result<Done> StateSlipStore::WriteSnapshot(const WriteSnapshotRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const Snapshot& snapshot = request.snapshot;
  const View view = Is(Slip::kViewSnapshotReplacesForeign) ? View() : request.view;
  if (auto error = Standing(snapshot.execution_id, view)) return Fail(*std::move(error));
  auto& own = tables_.snapshots[snapshot.execution_id];
  const bool there = own.count(snapshot.at_sequence) > 0;
  if (!there || !Is(Slip::kSnapshotNotReplaced)) own[snapshot.at_sequence] = snapshot;
  tables_.last_snapshots[snapshot.execution_id] = snapshot;
  return Done{};
}

Result<std::optional<Snapshot>> StateSlipStore::LatestSnapshot(const LatestSnapshotRequest& request) {
  absl::MutexLock lock(&mutex_);
  const bool known = FindExecution(request.execution_id, std::nullopt) != nullptr;
  if (known && FindExecution(request.execution_id, request.view) == nullptr) return std::nullopt;
  const auto own = tables_.snapshots.find(request.execution_id);
  if (own == tables_.snapshots.end() || own->second.empty()) return std::nullopt;
  if (Is(Slip::kSnapshotLastWritten)) return tables_.last_snapshots[request.execution_id];
  return own->second.rbegin()->second;
}

}  // namespace leasecheck::mutants
