// The generator's commands, one an operation, and the moves of the clock.
#include "properties/state_backend_commands.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "properties/state_backend_generator.h"

namespace leasecheck::state_backend {
namespace {

using engine::Command;

constexpr std::size_t kSetClock = kOperationCount<F>;

struct FaultRate {
  uint64_t per_mille;
  const char* reason;
};
constexpr FaultRate kFallRate = {17, "of clock moves: a backend with a clock per process sees them"};
constexpr FaultRate kLeapRate = {8,
                                 "of clock moves: every lease runs out and every backoff is over, and little happens after it"};

}  // namespace

Command<F> StateBackendGenerator::Generate(std::size_t operation, const State& state, EpochMs now) {
  if (operation == kSetClock) return MoveClock(state, now);
  if (operation > kSetClock) return Command{"", engine::Reopen{}, {}};
  Command command;
  if (operation < OperationIndexOf<F, EnqueueWorkItemRequest>()) {
    command = GenerateOnExecutions(operation, state, now);
  } else if (operation < OperationIndexOf<F, CreateTokenRequest>() ||
             operation == OperationIndexOf<F, ListDeadLettersRequest>()) {
    command = GenerateOnQueue(operation, state, now);
  } else {
    command = GenerateOnAccess(operation, now);
  }
  DrawLoss(command);
  return command;
}

Command<F> StateBackendGenerator::GenerateOnExecutions(std::size_t operation, const State& state, EpochMs now) {
  static constexpr std::array<WorkflowStatus, 7> kStatuses = {
      WorkflowStatus::kRunning, WorkflowStatus::kPending,   WorkflowStatus::kPaused,       WorkflowStatus::kCompleted,
      WorkflowStatus::kFailed,  WorkflowStatus::kCancelled, WorkflowStatus::kLimitExceeded};
  const ExecutionId id = random_.OneIn(25) ? kNobody : Execution();
  switch (operation) {
    case OperationIndexOf<F, StoreWorkflowRequest>():
      return StoreWorkflow();
    case OperationIndexOf<F, GetWorkflowRequest>():
      return GetWorkflow();
    case OperationIndexOf<F, CreateExecutionRequest>():
      return CreateExecution(state, now);
    case OperationIndexOf<F, GetExecutionRequest>():
      return CommandOf(GetExecutionRequest{id, ReadView()});
    case OperationIndexOf<F, UpdateExecutionStatusRequest>():
      return CommandOf(UpdateExecutionStatusRequest{id, random_.Pick(kStatuses), WriteView(state)});
    case OperationIndexOf<F, UpdateExecutionCurrentStateRequest>():
      return UpdateState(state);
    case OperationIndexOf<F, PatchAppendArrayRequest>():
      return Patch(state);
    case OperationIndexOf<F, ListExecutionsRequest>():
      return List();
    case OperationIndexOf<F, AppendEventRequest>():
      return Append(state);
    case OperationIndexOf<F, GetEventsRequest>():
      return CommandOf(GetEventsRequest{id, ReadView()});
    case OperationIndexOf<F, GetEventsSinceRequest>():
      return Since(state);
    case OperationIndexOf<F, LatestSequenceRequest>():
      return CommandOf(LatestSequenceRequest{id, ReadView()});
    case OperationIndexOf<F, WriteSnapshotRequest>():
      return WriteSnapshot(state);
    default:
      return CommandOf(LatestSnapshotRequest{id, ReadView()});
  }
}

Command<F> StateBackendGenerator::GenerateOnQueue(std::size_t operation, const State& state, EpochMs now) {
  static_cast<void>(now);
  switch (operation) {
    case OperationIndexOf<F, EnqueueWorkItemRequest>():
      return Enqueue(state);
    case OperationIndexOf<F, ClaimWorkItemRequest>():
      return Claim();
    case OperationIndexOf<F, RenewLeaseRequest>():
      return Renew(state);
    case OperationIndexOf<F, CompleteWorkItemRequest>():
      return CommandOf(CompleteWorkItemRequest{subject_.item, subject_.item_view});
    case OperationIndexOf<F, FailWorkItemRequest>():
      return CommandOf(FailWorkItemRequest{subject_.item, random_.OneIn(2) ? "boom" : "a \"b\"\n", subject_.item_view});
    case OperationIndexOf<F, ReclaimExpiredLeasesRequest>():
      return CommandOf(ReclaimExpiredLeasesRequest{AnyView()});
    case OperationIndexOf<F, MoveToDeadLetterRequest>():
      return CommandOf(MoveToDeadLetterRequest{subject_.item, random_.OneIn(2) ? "why" : "because", subject_.item_view});
    default:
      return CommandOf(ListDeadLettersRequest{});
  }
}

Command<F> StateBackendGenerator::GenerateOnAccess(std::size_t operation, EpochMs now) {
  switch (operation) {
    case OperationIndexOf<F, CreateTokenRequest>():
      return CreateToken();
    case OperationIndexOf<F, ValidateTokenRequest>():
      return Validate();
    case OperationIndexOf<F, RevokeTokenRequest>(): {
      Command command = CommandOf(RevokeTokenRequest{""});
      const TokenHandle* token = random_.OneIn(10) ? nullptr : AnyToken();
      command.references = {{"id", token == nullptr ? "" : token->label, "info.id"}};
      return command;
    }
    case OperationIndexOf<F, ExpireTokenRequest>():
      return Expire(now);
    default:
      return OfTenant(operation, now);
  }
}

// Definitions and executions.

Command<F> StateBackendGenerator::StoreWorkflow() {
  WorkflowDefinition definition;
  definition.workflow_id = random_.Pick(world_.workflows);
  definition.version = random_.Pick(world_.versions);
  definition.ir = {absl::StrCat(R"({"n":)", ++ids_, "}")};
  definition.created_at = Instant(static_cast<int64_t>(random_.Below(10)));
  if (world_.tenants && random_.OneIn(3)) definition.tenant_id = AnyTenant();
  return CommandOf(StoreWorkflowRequest{std::move(definition), AnyView()});
}

Command<F> StateBackendGenerator::GetWorkflow() {
  const std::string version = random_.OneIn(12) ? "1" : random_.Pick(world_.versions);
  return CommandOf(GetWorkflowRequest{random_.OneIn(12) ? "nobody's" : random_.Pick(world_.workflows), version, AnyView()});
}

Command<F> StateBackendGenerator::CreateExecution(const State& state, EpochMs now) {
  // Of those that are not there yet, mostly: each is there once only.
  for (std::size_t i = 0; i < world_.executions.size() && random_.Percent(85); ++i) {
    if (state.FindExecution(world_.executions[i].id) == nullptr) subject_.execution = i;
  }
  WorkflowExecution execution;
  execution.execution_id = Execution();
  execution.workflow_id = random_.Pick(world_.workflows);
  execution.workflow_version = random_.Pick(world_.versions);
  execution.status = random_.OneIn(3) ? WorkflowStatus::kCompleted : WorkflowStatus::kRunning;
  execution.initial_input = {random_.Pick(world_.values)};
  execution.current_state = random_.OneIn(2) ? OpaqueJson{"{}"} : AnyState();
  execution.started_at = Instant(static_cast<int64_t>(random_.Below(4)));
  execution.updated_at = random_.OneIn(2) ? InstantOf(now) : Instant(static_cast<int64_t>(random_.Below(4)));
  if (random_.OneIn(4)) execution.completed_at = Instant(7);
  if (random_.OneIn(3)) execution.session_type = SessionType::kResumable;
  return CommandOf(CreateExecutionRequest{std::move(execution), WriteView(state)});
}

Command<F> StateBackendGenerator::UpdateState(const State& state) {
  return CommandOf(UpdateExecutionCurrentStateRequest{random_.OneIn(25) ? kNobody : Execution(), AnyState(), WriteView(state)});
}

Command<F> StateBackendGenerator::Patch(const State& state) {
  return CommandOf(PatchAppendArrayRequest{
      random_.OneIn(25) ? kNobody : Execution(), random_.Pick(world_.keys), {random_.Pick(world_.values)}, WriteView(state)});
}

Command<F> StateBackendGenerator::List() {
  static constexpr std::array<uint32_t, 7> kLimits = {100, 1, 1, 2, 3, 0, UINT32_MAX};
  static constexpr std::array<uint32_t, 7> kOffsets = {0, 0, 0, 1, 2, 9, UINT32_MAX};
  ListExecutionsRequest request{std::nullopt, random_.Pick(kLimits), random_.Pick(kOffsets), AnyView()};
  if (random_.OneIn(3)) request.status = random_.OneIn(2) ? WorkflowStatus::kRunning : WorkflowStatus::kCompleted;
  return CommandOf(std::move(request));
}

// Logs.

Command<F> StateBackendGenerator::Append(const State& state) {
  Event event;
  const bool again = !events_.empty() && random_.OneIn(9);
  event.id = again ? random_.Pick(events_) : NewId(kEventIds);
  if (!again) events_.push_back(event.id);
  event.execution_id = random_.OneIn(25) ? kNobody : Execution();
  event.sequence = static_cast<EventSequence>(random_.Below(6)) - 1;
  event.kind = {absl::StrCat(R"({"n":)", ids_, R"(,"type":"node_started"})")};
  event.created_at = Instant(static_cast<int64_t>(random_.Below(10)));
  return CommandOf(AppendEventRequest{std::move(event), WriteView(state)});
}

// From where a reader of the log would go on; from before it began and from behind its end.
Command<F> StateBackendGenerator::Since(const State& state) {
  const Log* log = state.FindLog(Execution());
  const uint64_t size = log == nullptr ? 0 : log->entries->size();
  EventSequence since = static_cast<EventSequence>(random_.Below(size + 2));
  const uint64_t way = random_.Below(12);
  if (way == 0) since = -1;
  if (way == 1) since = INT64_MAX;
  if (way == 2) since = INT64_MIN;
  return CommandOf(GetEventsSinceRequest{Execution(), since, ReadView()});
}

Command<F> StateBackendGenerator::WriteSnapshot(const State& state) {
  static constexpr std::array<EventSequence, 8> kSequences = {1, 2, 3, 5, 5, 10, 0, -1};
  Snapshot snapshot;
  snapshot.id = NewId(kSnapshotIds);
  snapshot.execution_id = random_.OneIn(25) ? kNobody : Execution();
  snapshot.at_sequence = random_.Pick(kSequences);
  snapshot.state = {absl::StrCat(R"({"v":)", ids_, "}")};
  snapshot.created_at = Instant(static_cast<int64_t>(random_.Below(10)));
  return CommandOf(WriteSnapshotRequest{std::move(snapshot), WriteView(state)});
}

// The queue.

WorkItem StateBackendGenerator::NewItem() {
  WorkItem item;
  item.id = NewId(kItemIds);
  item.execution_id = Execution();
  item.node_id = random_.Pick(world_.nodes);
  item.queue_type = random_.OneIn(2) ? world_.queue_types.front() : random_.Pick(world_.queue_types);
  item.payload = {random_.OneIn(3) ? random_.Pick(world_.values) : absl::StrCat(R"({"i":)", ids_, "}")};
  item.max_attempts = static_cast<uint32_t>(random_.Below(5));
  if (random_.OneIn(6)) item.attempt = static_cast<uint32_t>(random_.Below(3));
  if (random_.OneIn(25)) item.attempt = 8;  // beyond the longest backoff
  if (item.attempt == 8) item.max_attempts = 20;
  item.created_at = Instant(random_.Pick(world_.created));
  if (random_.OneIn(20)) {  // which the store discards (SB-LAT-14)
    item.worker_id = "w9";
    item.lease_expires_at = Instant(1);
  }
  return item;
}

Command<F> StateBackendGenerator::Enqueue(const State& state) {
  WorkItem item = NewItem();
  const bool again = !items_.empty() && random_.OneIn(10);
  if (again) item.id = random_.Pick(items_);
  if (!again) items_.push_back(item.id);
  if (random_.OneIn(25)) item.execution_id = kNobody;
  View view = WriteView(state);
  // Whose an item is that names a tenant beside its view, only the view decides.
  if (world_.views && view.has_value() && random_.OneIn(3)) item.tenant_id = AnyTenant();
  return CommandOf(EnqueueWorkItemRequest{std::move(item), std::move(view)});
}

Command<F> StateBackendGenerator::Claim() {
  ClaimWorkItemRequest request{random_.Pick(world_.workers), {}, AnyView()};
  const uint64_t way = random_.Below(16);
  if (way > 0) request.queue_types.push_back(random_.OneIn(2) ? world_.queue_types.front() : random_.Pick(world_.queue_types));
  if (way > 6) request.queue_types.push_back(random_.Pick(world_.queue_types));
  if (way == 1) request.queue_types = {"nobody's"};
  if (way > 12) request.queue_types = world_.queue_types;
  return CommandOf(std::move(request));
}

Command<F> StateBackendGenerator::Renew(const State& state) {
  // Mostly of an item that is claimed, and by its worker.
  for (int i = 0; i < 4 && !items_.empty(); ++i) {
    const state_backend::Item* item = state.FindItem(subject_.item);
    if (item != nullptr && item->stage == Stage::kClaimed) break;
    DrawItem(state);
  }
  const state_backend::Item* item = state.FindItem(subject_.item);
  const bool holder = item != nullptr && item->worker != nullptr && random_.Percent(75);
  return CommandOf(RenewLeaseRequest{subject_.item, holder ? *item->worker : random_.Pick(world_.workers), subject_.item_view});
}

// Tokens and tenants.

Command<F> StateBackendGenerator::CreateToken() {
  CreateTokenRequest request{random_.OneIn(3) ? "" : "ci", random_.OneIn(2) ? "developer" : "no such role", AnyView()};
  const View view = request.view;
  Command command = CommandOf(std::move(request));
  command.label = NewLabel('t');
  if (branch_ >= 0) branches_[branch_].push_back({command.label, view});
  return command;
}

Command<F> StateBackendGenerator::Validate() {
  Command command = CommandOf(ValidateTokenRequest{Secret(), AnyView()});
  auto& request = std::get<ValidateTokenRequest>(std::get<0>(command.action));
  const TokenHandle* token = AnyToken();
  if (token == nullptr || random_.OneIn(10)) {
    static constexpr std::array<const char*, 4> kWrong = {"", "jj_", "JJ_00", "nobody's"};
    request.token = Secret(random_.Pick(kWrong));
    return command;
  }
  command.references = {{"token", token->label, random_.OneIn(8) ? "info.id" : "plaintext"}};
  return command;
}

Command<F> StateBackendGenerator::Expire(EpochMs now) {
  const int64_t beside = static_cast<int64_t>(random_.Below(4)) - 1;
  Command command = CommandOf(ExpireTokenRequest{"", SaturatingAdd(InstantOf(now), beside)});
  const TokenHandle* token = random_.OneIn(10) ? nullptr : AnyToken();
  command.references = {{"id", token == nullptr ? "" : token->label, "info.id"}};
  if (token == nullptr) return command;
  Command validate = CommandOf(ValidateTokenRequest{Secret(), std::nullopt});
  validate.references = {{"token", token->label, "plaintext"}};
  if (branch_ < 0) planned_.push_front(std::move(validate));
  return command;
}

Command<F> StateBackendGenerator::OfTenant(std::size_t operation, EpochMs now) {
  Tenant tenant;
  tenant.id = random_.OneIn(5) ? TenantId(kDefaultTenant) : random_.Pick(world_.tenant_ids);
  if (random_.OneIn(12) && operation == OperationIndexOf<F, UpdateTenantRequest>()) tenant.id = "ghost";
  tenant.name = random_.OneIn(2) ? "one" : "two";
  tenant.status = random_.OneIn(2)   ? TenantStatus::kActive
                  : random_.OneIn(2) ? TenantStatus::kSuspended
                                     : TenantStatus::kArchived;
  if (random_.OneIn(2)) tenant.policy = OpaqueJson{R"({"p":1})"};
  if (random_.OneIn(2)) tenant.limits = TenantLimits{5, std::nullopt, 7000000000, 1.5};
  tenant.created_at = Instant(static_cast<int64_t>(random_.Below(9)));
  tenant.updated_at = InstantOf(now);
  switch (operation) {
    case OperationIndexOf<F, CreateTenantRequest>():
      return CommandOf(CreateTenantRequest{std::move(tenant), AnyView()});
    case OperationIndexOf<F, UpdateTenantRequest>():
      return CommandOf(UpdateTenantRequest{std::move(tenant), AnyView()});
    case OperationIndexOf<F, ListTenantsRequest>():
      return CommandOf(ListTenantsRequest{AnyView()});
    default:
      return CommandOf(GetTenantRequest{random_.OneIn(10) ? "ghost" : tenant.id, AnyView()});
  }
}

// The clock.

// Waits past a near deadline, or until shortly before one: what lies between, the clock's error leaves open.
Command<F> StateBackendGenerator::Wait(const State& state, EpochMs now) {
  constexpr DurationMs kNear = 100;
  deadlines_.clear();
  Spec<F>::AppendDeadlines(state, &deadlines_);
  std::erase_if(deadlines_, [now](EpochMs deadline) { return deadline <= now || deadline > now + kNear; });
  const DurationMs apart = options_.clock_error + 1;
  EpochMs to = now + 1 + random_.Below(3);
  if (!deadlines_.empty() && !random_.OneIn(4)) {
    const EpochMs deadline = *std::min_element(deadlines_.begin(), deadlines_.end());
    to = random_.OneIn(3) ? std::max(now, deadline - apart) : deadline + apart;
  }
  return {"", engine::SetClock{to}, {}};
}

Command<F> StateBackendGenerator::MoveClock(const State& state, EpochMs now) {
  if (options_.system_now != 0) return Wait(state, now);
  deadlines_.clear();
  Spec<F>::AppendDeadlines(state, &deadlines_);
  std::erase_if(deadlines_, [](EpochMs deadline) { return deadline == 0 || deadline >= kMaxVirtualTime; });
  if (!options_.clock_backwards || !random_.OneIn(6)) {
    std::erase_if(deadlines_, [now](EpochMs deadline) { return deadline <= now; });
  }
  EpochMs to = now;
  const uint64_t way = random_.Below(10);
  if (way < 6 && !deadlines_.empty()) {
    const EpochMs deadline =
        random_.OneIn(4) ? random_.Pick(deadlines_) : *std::min_element(deadlines_.begin(), deadlines_.end());
    to = deadline + random_.Below(3) - 1;
  } else if (way < 8) {
    static constexpr std::array<uint64_t, 4> kSteps = {1, 10, 1000, 2000};
    to = now + random_.Pick(kSteps);
  } else if (way == 8) {
    to = now + world_.lease + random_.Below(2);
  } else if (options_.clock_backwards && random_.OneIn(3)) {
    to = now - std::min<EpochMs>(now, 1 + random_.Below(100));
  }
  if (options_.clock_backwards && Strikes(kFallRate.per_mille, options_.faults.clock_back)) {
    to = now - std::min<EpochMs>(now, 1 + faults_.Below(faults_.OneIn(2) ? 10 : 100'000));
  } else if (Strikes(kLeapRate.per_mille, options_.faults.clock_far)) {
    constexpr std::array<DurationMs, 2> kLeaps = {10'000'000, 31'536'000'000};  // longer than any backoff; a year
    to = now + faults_.Pick(kLeaps);
  }
  if (!options_.clock_backwards || options_.faults.clock_back == 0) to = std::max(to, now);
  if (options_.faults.clock_far == 0) to = std::min(to, now + std::max<DurationMs>(world_.lease + 1, 100'000));
  return {"", engine::SetClock{std::min(to, kMaxVirtualTime)}, {}};
}

}  // namespace leasecheck::state_backend
