#include "properties/state_backend_scenes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "properties/state_backend_commands.h"

namespace leasecheck::state_backend {

const std::vector<SceneWriter::Scene>& SceneWriter::Scenes() {
  static const std::vector<Scene>& scenes = *new std::vector<Scene>{
      {&SceneWriter::Resurrection, Theme::kQueue}, {&SceneWriter::LateHeartbeat, Theme::kQueue},
      {&SceneWriter::Ladder, Theme::kQueue},       {&SceneWriter::Backoff, Theme::kQueue},
      {&SceneWriter::Starvation, Theme::kQueue},   {&SceneWriter::OldFirst, Theme::kQueue},
      {&SceneWriter::Edges, Theme::kQueue},        {&SceneWriter::SameWorker, Theme::kQueue},
      {&SceneWriter::SweepOfMany, Theme::kQueue},  {&SceneWriter::Reader, Theme::kLogs},
      {&SceneWriter::Numbers, Theme::kLogs},       {&SceneWriter::Snapshots, Theme::kLogs},
      {&SceneWriter::Patches, Theme::kExecutions}, {&SceneWriter::Pages, Theme::kExecutions},
      {&SceneWriter::Ends, Theme::kExecutions},    {&SceneWriter::Tokens, Theme::kAccess},
      {&SceneWriter::Definitions, Theme::kAccess}, {&SceneWriter::Tenants, Theme::kAccess},
      {&SceneWriter::Neighbours, Theme::kAll},
  };
  return scenes;
}

void SceneWriter::Shuffle() {
  std::vector<std::size_t>& left = generator_.scenes_left_;
  for (std::size_t i = 0; i < Scenes().size(); ++i) {
    const Theme theme = Scenes()[i].theme;
    if (theme == Theme::kAll || world().theme == Theme::kAll || theme == world().theme) left.push_back(i);
  }
  for (std::size_t i = left.size(); i > 1; --i) std::swap(left[i - 1], left[random().Below(i)]);
  const std::size_t opening = generator_.options_.program % left.size();
  if (generator_.labels_ + generator_.ids_ == 0) std::swap(left[opening], left.back());
}

void SceneWriter::Write() {
  std::vector<std::size_t>& left = generator_.scenes_left_;
  if (left.empty()) Shuffle();
  auto& plan = generator_.planned_;
  const std::size_t begin = plan.size();
  while (!left.empty()) {
    const Scene& scene = Scenes()[left.back()];
    left.pop_back();
    if ((this->*scene.write)()) break;
  }
  // Some end early: what is left behind is for the random commands to meet.
  const std::size_t length = plan.size() - begin;
  if (length > 4 && random().OneIn(10)) plan.resize(begin + length / 2 + random().Below(length / 2));
}

// What scenes are made of.

void SceneWriter::MakeTenant(const TenantId& tenant) {
  if (tenant == kDefaultTenant || state_.FindTenant(tenant) != nullptr) return;
  Tenant created;
  created.id = tenant;
  created.name = tenant;
  Add(CreateTenantRequest{std::move(created)});
}

std::size_t SceneWriter::ExecutionOf(std::size_t index, OpaqueJson state) {
  view_ = Owner(index);
  const bool made = std::find(made_.begin(), made_.end(), Id(index)) != made_.end();
  if (made || state_.FindExecution(Id(index)) != nullptr) return index;
  if (view_.has_value()) MakeTenant(*view_);
  WorkflowExecution execution;
  execution.execution_id = Id(index);
  execution.workflow_id = "wf";
  execution.workflow_version = "1.0.0";
  execution.current_state = std::move(state);
  execution.started_at = Instant(static_cast<int64_t>(random().Below(4)));
  execution.updated_at = execution.started_at;
  Add(CreateExecutionRequest{std::move(execution), view_});
  made_.push_back(Id(index));
  return index;
}

std::size_t SceneWriter::Execution(OpaqueJson state) {
  return ExecutionOf(random().Below(world().executions.size()), std::move(state));
}

WorkItem SceneWriter::NewItem(std::size_t execution) {
  generator_.subject_.execution = execution;
  WorkItem item = generator_.NewItem();
  item.queue_type = queue_;
  item.attempt = 0;
  item.worker_id.reset();
  item.lease_expires_at.reset();
  return item;
}

WorkItemId SceneWriter::Enqueue(std::size_t execution, uint32_t max_attempts, int64_t created) {
  WorkItem item = NewItem(execution);
  item.max_attempts = max_attempts;
  item.created_at = Instant(created);
  const WorkItemId id = item.id;
  generator_.items_.push_back(id);
  Add(EnqueueWorkItemRequest{std::move(item), Owner(execution)});
  return id;
}

void SceneWriter::Claim(const char* worker) { Add(ClaimWorkItemRequest{worker, {queue_}, Anyone()}); }

void SceneWriter::Later(DurationMs length) {
  if (!CanWait()) return;
  now_ = std::min(now_ + length, kMaxVirtualTime);
  engine::Command<F> command;
  command.action = engine::SetClock{now_};
  generator_.planned_.push_back(std::move(command));
}

bool SceneWriter::Reopen() {
  if (!generator_.options_.durable || generator_.options_.faults.reopen <= 0) return false;
  engine::Command<F> command;
  command.action = engine::Reopen{};
  generator_.planned_.push_back(std::move(command));
  return true;
}

Event SceneWriter::NewEvent(std::size_t execution, EventSequence hint) {
  Event event;
  event.id = generator_.NewId(kEventIds);
  event.execution_id = Id(execution);
  event.sequence = hint;
  event.kind = {absl::StrCat(R"({"n":)", generator_.ids_, R"(,"type":"tool_called"})")};
  generator_.events_.push_back(event.id);
  return event;
}

void SceneWriter::Settle(const WorkItemId& id, uint64_t way) {
  if (way == 0) Add(CompleteWorkItemRequest{id, Anyone()});
  if (way == 1) Add(FailWorkItemRequest{id, "boom", Anyone()});
  if (way == 2) Add(MoveToDeadLetterRequest{id, absl::StrCat("why ", ++generator_.ids_), Anyone()});
}

// The queue.

bool SceneWriter::Resurrection() {
  if (!CanWait()) return false;
  const WorkItemId id = Enqueue(Execution(), 3, 1);
  Claim("w1");
  if (random().OneIn(2)) Lapse();
  Settle(id, random().Below(3));
  if (random().OneIn(2)) Lapse();
  Reclaim();
  Later(64'000);
  Claim("w2");
  Add(RenewLeaseRequest{id, "w1", Anyone()});
  Add(ListDeadLettersRequest{});
  return true;
}

bool SceneWriter::LateHeartbeat() {
  if (!CanWait()) return false;
  const WorkItemId id = Enqueue(Execution(), 4, 1);
  Claim("w1");
  Later(random().Below(world().lease));
  Add(RenewLeaseRequest{id, "w1", Anyone()});
  Later(world().lease + random().Below(2));
  Reclaim();
  if (random().OneIn(3)) Later(1);
  Reclaim();
  Add(RenewLeaseRequest{id, "w1", Anyone()});
  Later(2'000);
  Claim("w2");
  Add(RenewLeaseRequest{id, "w1", Anyone()});
  Later(world().lease);
  Add(RenewLeaseRequest{id, "w2", Anyone()});
  Settle(id, random().Below(3));
  return true;
}

bool SceneWriter::Ladder() {
  if (!CanWait()) return false;
  const auto most = static_cast<uint32_t>(random().Below(4));
  const WorkItemId id = Enqueue(Execution(), most, 1);
  for (uint32_t i = 0; i <= most; ++i) {
    Claim(random().OneIn(2) ? "w1" : "w2");
    Later(world().lease);
    Reclaim();
    Later(1);
    Reclaim();
    Later(64'000);
  }
  Claim("w3");
  Settle(id, random().Below(3));
  Add(ListDeadLettersRequest{});
  return true;
}

bool SceneWriter::Backoff() {
  if (!CanWait()) return false;
  const std::size_t execution = Execution();
  WorkItem item = NewItem(execution);
  item.attempt = static_cast<uint32_t>(random().Below(8));
  item.max_attempts = 20;
  const uint32_t next = item.attempt + 1;
  const WorkItemId id = item.id;
  generator_.items_.push_back(id);
  Add(EnqueueWorkItemRequest{std::move(item), Owner(execution)});
  Claim("w1");
  Lapse();
  Reclaim();
  if (random().OneIn(3) && Reopen()) Claim("w2");
  Later((DurationMs{1000} << std::min<uint32_t>(next, 6)) - 1);
  Claim("w2");
  Later(1);
  Claim("w2");
  Settle(id, 0);
  return true;
}

bool SceneWriter::Starvation() {
  const std::size_t execution = Execution();
  const uint64_t blocked = 2 + random().Below(4);
  std::vector<WorkItemId> others;
  for (uint64_t i = 0; i < blocked; ++i) others.push_back(Enqueue(execution, 9, static_cast<int64_t>(i)));
  // What is before it: claimed, in backoff, ended, of another type.
  for (uint64_t i = 0; i < blocked; ++i) Claim("w1");
  if (CanWait() && random().OneIn(2)) {
    Lapse();
    Reclaim();
  } else if (random().OneIn(2)) {
    Settle(others.front(), random().Below(3));
  }
  queue_ = "other";
  Enqueue(execution, 9, 0);
  queue_ = "scene";
  const WorkItemId id = Enqueue(execution, 9, 100);
  Claim("w2");
  Add(CompleteWorkItemRequest{id, Anyone()});
  Claim("w2");
  for (const WorkItemId& other : others) Settle(other, 0);
  return true;
}

bool SceneWriter::OldFirst() {
  if (!CanWait()) return false;
  const std::size_t execution = Execution();
  const WorkItemId old = Enqueue(execution, 5, 1);
  Claim("w1");
  const WorkItemId young = Enqueue(execution, 5, 2);
  Lapse();
  Reclaim();
  if (random().OneIn(2)) Later(1'999);
  Claim("w2");  // the young one: the old one waits
  Enqueue(execution, 5, 3);
  Later(2'000);
  Claim("w2");
  Settle(old, 0);
  Settle(young, 0);
  Claim("w3");
  return true;
}

bool SceneWriter::Edges() {
  const std::size_t execution = Execution();
  for (uint64_t way = 0; way < 3; ++way) {
    const WorkItemId id = Enqueue(execution, 3, 1);
    if (random().OneIn(2)) Claim("w1");
    Settle(id, way);
    const uint64_t first = random().Below(3);
    for (uint64_t i = 0; i < 3; ++i) Settle(id, (first + i) % 3);
    WorkItem again = NewItem(execution);
    again.id = id;
    if (random().OneIn(2)) Add(EnqueueWorkItemRequest{std::move(again), Owner(execution)});
    Claim("w2");
  }
  Add(ListDeadLettersRequest{});
  return true;
}

bool SceneWriter::SameWorker() {
  if (!CanWait()) return false;
  const WorkItemId id = Enqueue(Execution(), 5, 1);
  Claim("w1");
  Lapse();
  Claim("w1");
  Reclaim();
  Later(2'000);
  Claim("w1");
  Later(10);
  Add(RenewLeaseRequest{id, "w1", Anyone()});
  Later(world().lease);
  Reclaim();
  Settle(id, random().Below(3));
  return true;
}

bool SceneWriter::SweepOfMany() {
  if (!CanWait()) return false;
  const std::size_t execution = Execution();
  const uint64_t count = 3 + random().Below(3);
  std::vector<WorkItemId> items;
  for (uint64_t i = 0; i < count; ++i) {
    items.push_back(Enqueue(execution, random().OneIn(2) ? 1 : 5, static_cast<int64_t>(count - i)));
  }
  for (uint64_t i = 0; i < count; ++i) Claim("w1");
  Later(5);
  Add(RenewLeaseRequest{items.front(), "w1", Anyone()});
  Settle(items.back(), random().Below(3));
  Later(world().lease - 4);
  Reclaim();
  Reclaim();
  Add(ListDeadLettersRequest{});
  Later(64'000);
  for (uint64_t i = 0; i < count; ++i) Claim("w2");
  return true;
}

// Logs.

bool SceneWriter::Reader() {
  const std::size_t execution = Execution();
  const Log* log = state_.FindLog(Id(execution));
  auto cursor = static_cast<EventSequence>(log == nullptr ? 0 : log->entries->size());
  for (int i = 0; i < 4; ++i) {
    const uint64_t count = random().Below(3);
    for (uint64_t k = 0; k < count; ++k) Add(AppendEventRequest{NewEvent(execution, 0), view_});
    Add(GetEventsSinceRequest{Id(execution), cursor, view_});
    cursor += static_cast<EventSequence>(count);
  }
  Add(LatestSequenceRequest{Id(execution), view_});
  Add(GetEventsRequest{Id(execution), view_});
  return true;
}

bool SceneWriter::Numbers() {
  if (world().executions.size() < 2) return false;
  const std::size_t a = ExecutionOf(0, {"{}"});
  const std::size_t b = ExecutionOf(1, {"{}"});
  for (const EventSequence hint : {3, 1, 2}) {
    const Event event = NewEvent(random().OneIn(3) ? b : a, hint);
    const std::size_t execution = event.execution_id == Id(a) ? a : b;
    Add(AppendEventRequest{event, Owner(execution)});
    if (random().OneIn(2)) Add(AppendEventRequest{event, Owner(execution)});
    Add(LatestSequenceRequest{Id(execution), Owner(execution)});
  }
  Event nowhere = NewEvent(a, 0);
  nowhere.execution_id = kNobody;
  Add(AppendEventRequest{std::move(nowhere), Owner(a)});
  for (const std::size_t execution : {b, a}) {
    Add(AppendEventRequest{NewEvent(execution, 1), Owner(execution)});
    Add(GetEventsRequest{Id(execution), Owner(execution)});
  }
  return true;
}

bool SceneWriter::Snapshots() {
  const std::size_t execution = Execution();
  const EventSequence high = 10 + static_cast<EventSequence>(random().Below(1000));
  for (const EventSequence at : {high, high - 5, high, high - 5, high + 1}) {
    Snapshot snapshot;
    snapshot.id = generator_.NewId(kSnapshotIds);
    snapshot.execution_id = Id(execution);
    snapshot.at_sequence = at;
    snapshot.state = {absl::StrCat(R"({"v":)", generator_.ids_, "}")};
    snapshot.created_at = Instant(static_cast<int64_t>(random().Below(9)));
    Add(WriteSnapshotRequest{std::move(snapshot), view_});
    Add(LatestSnapshotRequest{Id(execution), view_});
  }
  return true;
}

// Executions.

bool SceneWriter::Patches() {
  const std::size_t execution = Execution({R"({"a":1})"});
  const auto patch = [&](const char* key, const char* value) {
    Add(PatchAppendArrayRequest{Id(execution), key, {value}, view_});
    Add(GetExecutionRequest{Id(execution), view_});
  };
  Add(UpdateExecutionCurrentStateRequest{Id(execution), {random().OneIn(3) ? "{}" : R"({"a":1,"z":null})"}, view_});
  patch("log", R"("x")");
  if (CanWait()) Later(10);
  patch("log", random().OneIn(2) ? "[1]" : R"({"log":[]})");
  patch(random().OneIn(2) ? "a" : "z", R"("y")");
  patch(random().OneIn(2) ? "a.b" : "", "null");
  Add(UpdateExecutionCurrentStateRequest{Id(execution), {random().OneIn(2) ? "7" : "[]"}, view_});
  patch("log", "1");
  return true;
}

bool SceneWriter::Pages() {
  for (std::size_t i = 0; i < world().executions.size(); ++i) ExecutionOf(i, {"{}"});
  Add(UpdateExecutionStatusRequest{Id(0), WorkflowStatus::kRunning, Owner(0)});
  if (random().OneIn(2) && CanWait()) Later(1);
  Add(UpdateExecutionStatusRequest{Id(1), WorkflowStatus::kRunning, Owner(1)});
  const uint32_t limit = 1 + static_cast<uint32_t>(random().Below(2));
  const auto count = static_cast<uint32_t>(world().executions.size());
  for (uint32_t offset = 0; offset <= count; offset += limit) Add(ListExecutionsRequest{std::nullopt, limit, offset});
  Add(ListExecutionsRequest{WorkflowStatus::kRunning, UINT32_MAX, 1});
  Add(ListExecutionsRequest{std::nullopt, 0, 0});
  return true;
}

bool SceneWriter::Ends() {
  static constexpr std::array<WorkflowStatus, 4> kEnds = {WorkflowStatus::kCompleted, WorkflowStatus::kFailed,
                                                          WorkflowStatus::kCancelled, WorkflowStatus::kLimitExceeded};
  const std::size_t execution = Execution();
  for (const WorkflowStatus status :
       {random().Pick(kEnds), WorkflowStatus::kRunning, random().Pick(kEnds), WorkflowStatus::kPaused}) {
    if (CanWait()) Later(10);
    Add(UpdateExecutionStatusRequest{Id(execution), status, view_});
    Add(GetExecutionRequest{Id(execution), view_});
  }
  return true;
}

// Access.

bool SceneWriter::Tokens() {
  const std::string label = generator_.NewLabel('t');
  View view;
  if (world().views) view = world().tenant_ids.front();
  if (view.has_value()) MakeTenant(*view);
  Add(CreateTokenRequest{"ci", "developer", view}, label);
  const auto validate = [&](const View& through) {
    Add(ValidateTokenRequest{Secret(), through}, "", {{"token", label, "plaintext"}});
  };
  validate(view);
  validate(std::nullopt);
  Add(ValidateTokenRequest{Secret(), std::nullopt}, "", {{"token", label, "info.id"}});
  Add(ExpireTokenRequest{"", InstantOf(now_ + 1)}, "", {{"id", label, "info.id"}});
  validate(view);
  if (CanWait()) Later(1);
  validate(view);
  Add(ExpireTokenRequest{"", InstantOf(now_ + 100'000)}, "", {{"id", label, "info.id"}});
  validate(view);
  Add(RevokeTokenRequest{""}, "", {{"id", label, "info.id"}});
  validate(view);
  return true;
}

bool SceneWriter::Definitions() {
  if (!world().tenants) return false;
  const auto store = [&](const char* version, const TenantId& tenant) {
    WorkflowDefinition definition;
    definition.workflow_id = "wf";
    definition.version = version;
    definition.ir = {absl::StrCat(R"({"n":)", ++generator_.ids_, "}")};
    definition.tenant_id = world().views && random().OneIn(3) ? TenantId("bravo") : tenant;
    View view;
    if (world().views) view = tenant;
    Add(StoreWorkflowRequest{std::move(definition), view});
  };
  const auto get = [&](const char* version) {
    Add(GetWorkflowRequest{"wf", version});
    if (!world().views) return;
    Add(GetWorkflowRequest{"wf", version, TenantId("alpha")});
    Add(GetWorkflowRequest{"wf", version, TenantId("bravo")});
  };
  MakeTenant("alpha");
  MakeTenant("bravo");
  store("1.0.0", "alpha");
  get("1.0.0");
  get("2.0.0");
  store("1.0.0", "bravo");
  get("1.0.0");
  store("1.0.0", "alpha");
  get("1.0.0");
  store("2.0.0", "ghost");
  get("2.0.0");
  return true;
}

bool SceneWriter::Tenants() {
  if (!world().tenants) return false;
  const TenantId id = random().Pick(world().tenant_ids);
  Tenant tenant{id, "one", TenantStatus::kActive, OpaqueJson{R"({"p":1})"}, TenantLimits{1, 2, 3, 4.5}, Instant(3), Instant(4)};
  Add(CreateTenantRequest{tenant});
  Add(CreateTenantRequest{tenant});
  Add(GetTenantRequest{id});
  tenant.name = "two";
  tenant.status = TenantStatus::kSuspended;
  tenant.policy.reset();
  if (random().OneIn(2)) tenant.limits.reset();
  tenant.created_at = Instant(1);
  tenant.updated_at = Instant(9);
  Add(UpdateTenantRequest{tenant});
  Add(GetTenantRequest{id});
  tenant.id = "ghost";
  Add(UpdateTenantRequest{tenant});
  Add(GetTenantRequest{TenantId("ghost")});
  Add(ListTenantsRequest{});
  return true;
}

// Views.

bool SceneWriter::Neighbours() {
  if (!world().views || world().executions.size() < 2) return false;
  const std::size_t execution = ExecutionOf(1, {"{}"});
  const View own = Owner(1);
  const TenantId other = *own == "alpha" ? "bravo" : "alpha";
  MakeTenant(other);
  Add(AppendEventRequest{NewEvent(execution, 0), own});
  const WorkItemId id = Enqueue(execution, 3, 1);
  const auto snapshot = [&](const View& view, const char* state) {
    Snapshot written{generator_.NewId(kSnapshotIds), Id(execution), 1, {state}, Instant(1)};
    Add(WriteSnapshotRequest{std::move(written), view});
  };
  snapshot(own, "1");
  for (const View& stranger : {View(other), View("ghost")}) {
    Add(GetExecutionRequest{Id(execution), stranger});
    Add(GetEventsRequest{Id(execution), stranger});
    Add(LatestSequenceRequest{Id(execution), stranger});
    Add(AppendEventRequest{NewEvent(execution, 0), stranger});
    snapshot(stranger, "2");
    Add(EnqueueWorkItemRequest{NewItem(execution), stranger});
    Add(UpdateExecutionStatusRequest{Id(execution), WorkflowStatus::kCancelled, stranger});
    Add(PatchAppendArrayRequest{Id(execution), "log", {"1"}, stranger});
    Add(ClaimWorkItemRequest{"w9", {queue_}, stranger});
    Add(CompleteWorkItemRequest{id, stranger});
    Add(MoveToDeadLetterRequest{id, "theirs", stranger});
  }
  Claim("w1");
  if (CanWait()) {
    Lapse();
    Add(RenewLeaseRequest{id, "w1", View(other)});
    Add(ReclaimExpiredLeasesRequest{View(other)});
    Add(ReclaimExpiredLeasesRequest{own});
  }
  Add(AppendEventRequest{NewEvent(execution, 0), own});
  Add(LatestSnapshotRequest{Id(execution), own});
  Add(GetExecutionRequest{Id(execution), own});
  Add(FailWorkItemRequest{id, "boom", View(other)});
  Add(CompleteWorkItemRequest{id, own});
  return true;
}

}  // namespace leasecheck::state_backend
