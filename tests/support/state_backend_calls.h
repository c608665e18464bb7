// What the tests of state_backend stores share: short spellings of calls and values. Times are seconds, as in the contract's
// examples; executions and items are named by small numbers.
#ifndef LEASECHECK_TESTS_SUPPORT_STATE_BACKEND_CALLS_H_
#define LEASECHECK_TESTS_SUPPORT_STATE_BACKEND_CALLS_H_

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "model/state_backend/store.h"

namespace leasecheck::state_backend {

using Numbers = std::vector<uint64_t>;
using Queues = std::vector<std::string>;

inline Instant At(double seconds) { return Instant(std::llround(seconds * 1000)); }

// The ids that the tests use: each kind in a range of its own.
inline Uuid E(uint64_t number) { return {0xe000'0000'0000'4000u, number}; }
inline Uuid I(uint64_t number) { return {0x1000'0000'0000'4000u, number}; }
inline Uuid EventId(uint64_t number) { return {0xeeee'0000'0000'4000u, number}; }

inline OpaqueJson Json(std::string text) { return {std::move(text)}; }

inline WorkflowExecution Execution(uint64_t number, double updated = 0, WorkflowStatus status = WorkflowStatus::kRunning) {
  WorkflowExecution execution;
  execution.execution_id = E(number);
  execution.workflow_id = "flow";
  execution.workflow_version = "1.0.0";
  execution.status = status;
  execution.initial_input = Json("{}");
  execution.current_state = Json("{}");
  execution.updated_at = At(updated);
  return execution;
}

inline WorkItem Item(uint64_t number, double created = 0, std::string queue_type = "tool", uint64_t execution = 1) {
  WorkItem item;
  item.id = I(number);
  item.execution_id = E(execution);
  item.node_id = "node";
  item.queue_type = std::move(queue_type);
  item.payload = Json("{\"n\":1}");
  item.created_at = At(created);
  return item;
}

inline Event EventOf(uint64_t number, uint64_t execution = 1, EventSequence hint = 0) {
  return {EventId(number), E(execution), hint, Json("{\"type\":\"node_started\"}"), At(static_cast<double>(number))};
}

inline Snapshot SnapshotAt(EventSequence sequence, std::string state = "{}", uint64_t execution = 1) {
  return {Uuid(0x5000'0000'0000'4000u, static_cast<uint64_t>(sequence)), E(execution), sequence, Json(std::move(state)), At(1)};
}

inline Tenant TenantOf(std::string id, double created = 0) {
  Tenant tenant;
  tenant.id = std::move(id);
  tenant.name = "name of " + tenant.id;
  tenant.created_at = tenant.updated_at = At(created);
  return tenant;
}

// Whether a call failed with this error.
template <class Error, class Response>
::testing::AssertionResult FailedWith(const Result<Response>& result) {
  if (result.has_value()) return ::testing::AssertionFailure() << "the call succeeded";
  if (!std::holds_alternative<Error>(result.error())) {
    return ::testing::AssertionFailure() << "the error with index " << result.error().index();
  }
  return ::testing::AssertionSuccess();
}

inline Numbers NumbersOf(const std::vector<WorkItem>& items) {
  Numbers numbers;
  for (const WorkItem& item : items) numbers.push_back(item.id.low);
  return numbers;
}
inline Numbers NumbersOf(const std::vector<WorkflowExecution>& executions) {
  Numbers numbers;
  for (const WorkflowExecution& execution : executions) numbers.push_back(execution.execution_id.low);
  return numbers;
}
// The numbers of the log's events, with the sequences checked to rise.
inline Numbers NumbersOf(const std::vector<Event>& events) {
  Numbers numbers;
  for (std::size_t i = 0; i < events.size(); ++i) {
    numbers.push_back(events[i].id.low);
    EXPECT_TRUE(i == 0 || events[i - 1].sequence < events[i].sequence);
  }
  return numbers;
}

// Calls on a store, through the view that is set. Each fails the test where the contract says nothing of failing.
class Calls {
 public:
  virtual ~Calls() = default;
  // May be another opening of the same store each time.
  virtual StateBackendStore& store() = 0;

  // From here on calls are made through this tenant's view; none: the unscoped store.
  void Through(std::optional<TenantId> view) { view_ = std::move(view); }

  Result<Done> Create(const WorkflowExecution& execution) { return store().CreateExecution({execution, view_}); }
  void CreateAll(const Numbers& numbers) {
    for (const uint64_t number : numbers) EXPECT_TRUE(Create(Execution(number)).has_value());
  }
  std::optional<WorkflowExecution> Get(uint64_t number) { return store().GetExecution({E(number), view_}).value(); }
  Result<Done> SetStatus(uint64_t number, WorkflowStatus status) {
    return store().UpdateExecutionStatus({E(number), status, view_});
  }
  Result<Done> SetState(uint64_t number, std::string state) {
    return store().UpdateExecutionCurrentState({E(number), Json(std::move(state)), view_});
  }
  Result<Done> Patch(uint64_t number, std::string key, std::string value) {
    return store().PatchAppendArray({E(number), std::move(key), Json(std::move(value)), view_});
  }
  std::string State(uint64_t number) { return Get(number).value().current_state.text; }
  Numbers List(std::optional<WorkflowStatus> status, uint32_t limit, uint32_t offset) {
    return NumbersOf(store().ListExecutions({status, limit, offset, view_}).value());
  }

  Result<EventSequence> TryAppend(const Event& event) { return store().AppendEvent({event, view_}); }
  EventSequence Append(uint64_t number, uint64_t execution = 1, EventSequence hint = 0) {
    return TryAppend(EventOf(number, execution, hint)).value();
  }
  Numbers Events(uint64_t execution = 1) { return NumbersOf(store().GetEvents({E(execution), view_}).value()); }
  Numbers EventsSince(EventSequence since, uint64_t execution = 1) {
    return NumbersOf(store().GetEventsSince({E(execution), since, view_}).value());
  }
  EventSequence Latest(uint64_t execution = 1) { return store().LatestSequence({E(execution), view_}).value(); }
  Result<Done> Write(const Snapshot& snapshot) { return store().WriteSnapshot({snapshot, view_}); }
  std::optional<Snapshot> LatestSnap(uint64_t execution = 1) { return store().LatestSnapshot({E(execution), view_}).value(); }

  Result<WorkItemId> TryEnqueue(const WorkItem& item) { return store().EnqueueWorkItem({item, view_}); }
  void Enqueue(const WorkItem& item) { EXPECT_EQ(TryEnqueue(item).value(), item.id); }
  std::optional<WorkItem> Claim(const Queues& queue_types = {"tool"}, const std::string& worker = "w1") {
    return store().ClaimWorkItem({worker, queue_types, view_}).value();
  }
  // The number of the item that a claim gets, or 0.
  uint64_t Claimed(const Queues& queue_types = {"tool"}, const std::string& worker = "w1") {
    const std::optional<WorkItem> item = Claim(queue_types, worker);
    return item.has_value() ? item->id.low : 0;
  }
  Result<Done> Renew(uint64_t number, const std::string& worker = "w1") { return store().RenewLease({I(number), worker, view_}); }
  Result<Done> Complete(uint64_t number) { return store().CompleteWorkItem({I(number), view_}); }
  Result<Done> Fail(uint64_t number, const std::string& error = "boom") {
    return store().FailWorkItem({I(number), error, view_});
  }
  Result<Done> Bury(uint64_t number, const std::string& error) { return store().MoveToDeadLetter({I(number), error, view_}); }
  ReclaimResult Reclaim() { return store().ReclaimExpiredLeases({view_}).value(); }
  Numbers Retryable() { return NumbersOf(Reclaim().retryable); }
  std::vector<DeadLetter> Letters() { return store().ListDeadLetters({}).value(); }

  CreatedToken Token(const std::string& name = "ci", const std::string& role = "developer") {
    return store().CreateToken({name, role, view_}).value();
  }
  std::optional<ApiToken> Validate(const std::string& text) { return store().ValidateToken({Secret(text), view_}).value(); }
  Result<Done> AddTenant(const Tenant& tenant) { return store().CreateTenant({tenant, view_}); }
  std::optional<Tenant> GetTenant(const TenantId& id) { return store().GetTenant({id, view_}).value(); }

 private:
  std::optional<TenantId> view_;
};

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_TESTS_SUPPORT_STATE_BACKEND_CALLS_H_
