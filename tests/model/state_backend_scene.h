// A scene for tests of the state_backend spec: a state, a clock and hand-written answers.
//
// Every refused answer is checked to leave the state as it was and to be explained.
#ifndef LEASECHECK_TESTS_MODEL_STATE_BACKEND_SCENE_H_
#define LEASECHECK_TESTS_MODEL_STATE_BACKEND_SCENE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/state_backend/clauses.h"
#include "model/state_backend/spec.h"

namespace leasecheck::state_backend {

using Family = StateBackendFamily;
using Request = StateBackendSpec::Request;
using Outcome = StateBackendSpec::Outcome;
using View = std::optional<TenantId>;

class Scene : public testing::Test {
 public:
  static constexpr const char* kAllowed = "allowed";
  static constexpr Uuid kExecution{1, 1};
  static constexpr Uuid kOther{1, 2};
  static constexpr Uuid kItem{2, 1};

  // Judges an answer: kAllowed, or the id of the clause that forbids it. Afterwards `alternatives` holds what else is possible.
  std::string JudgeOutcome(const Request& request, const Outcome& outcome) {
    const SpecState before = state;
    alternatives.clear();
    const auto refused = StateBackendSpec::Step(state, request, outcome, now, Context(), &alternatives);
    if (!refused.has_value()) return kAllowed;
    EXPECT_TRUE(state == before) << "a refusal changed the state";
    EXPECT_TRUE(alternatives.empty());
    const std::string why = StateBackendSpec::Explain(state, request, outcome, now, Context());
    EXPECT_NE(why.find("expected "), std::string::npos);
    EXPECT_NE(why.find("; got "), std::string::npos);
    return std::string(kClauses[*refused].id);
  }
  template <class R>
  std::string Judge(const R& request, typename OperationAt<Family, OperationIndexOf<Family, R>()>::Response response) {
    constexpr std::size_t kIndex = OperationIndexOf<Family, R>();
    return JudgeOutcome(Request(request),
                        Outcome(std::in_place_index<0>, ResponseOf<Family>(std::in_place_index<kIndex>, std::move(response))));
  }
  template <class R>
  std::string JudgeError(const R& request, StoreError error) {
    return JudgeOutcome(Request(request), Outcome(std::in_place_index<1>, std::move(error)));
  }
  template <class R>
  std::string JudgeUnseen(const R& request) {
    return JudgeOutcome(Request(request), Indefinite{"lost"});
  }
  // Like Judge, but leaves the state alone.
  template <class R>
  std::string Peek(const R& request, typename OperationAt<Family, OperationIndexOf<Family, R>()>::Response response) {
    const SpecState before = state;
    std::string verdict = Judge(request, std::move(response));
    state = before;
    return verdict;
  }

  StateBackendSpec::Context Context() {
    StateBackendSpec::Context context;
    context.setup = {&dialects, nullptr};
    context.call = 1;
    context.latest = latest;
    context.hits = &hits;
    return context;
  }

  static WorkflowExecution NewExecution(const Uuid& id, const std::string& current = "{}") {
    WorkflowExecution execution;
    execution.execution_id = id;
    execution.workflow_id = "wf";
    execution.workflow_version = "1.0.0";
    execution.current_state = {current};
    return execution;
  }
  void Create(const Uuid& id, const View& view = std::nullopt, const std::string& current = "{}") {
    ASSERT_EQ(Judge(CreateExecutionRequest{NewExecution(id, current), view}, Done{}), kAllowed);
  }
  void CreateTenant(const TenantId& id) {
    Tenant tenant;
    tenant.id = id;
    ASSERT_EQ(Judge(CreateTenantRequest{tenant}, Done{}), kAllowed);
  }
  static WorkItem NewItem(const Uuid& id, int64_t created = 1, uint32_t max_attempts = 3) {
    WorkItem item;
    item.id = id;
    item.execution_id = kExecution;
    item.node_id = "n";
    item.queue_type = "tool";
    item.max_attempts = max_attempts;
    item.created_at = Instant(created);
    return item;
  }
  void Enqueue(const WorkItem& item, const View& view = std::nullopt) {
    ASSERT_EQ(Judge(EnqueueWorkItemRequest{item, view}, item.id), kAllowed);
  }
  // The item as a claim now hands it out.
  WorkItem Claimed(WorkItem item, const std::string& worker, uint32_t attempt = 0, int64_t lease = 30'000) const {
    item.worker_id = worker;
    item.attempt = attempt;
    item.lease_expires_at = Instant(static_cast<int64_t>(now) + lease);
    return item;
  }
  std::string Claim(const WorkItem& item, const std::string& worker, uint32_t attempt = 0) {
    return Judge(ClaimWorkItemRequest{worker, {"tool"}}, Claimed(item, worker, attempt));
  }
  std::string ClaimNone(const std::string& type = "tool") { return Judge(ClaimWorkItemRequest{"w", {type}}, std::nullopt); }
  std::string Retry(WorkItem item, uint32_t attempt) {
    item.attempt = attempt;
    return Judge(ReclaimExpiredLeasesRequest{}, ReclaimResult{{item}, {}});
  }
  std::string Exhaust(WorkItem item, uint32_t attempt) {
    item.attempt = attempt;
    return Judge(ReclaimExpiredLeasesRequest{}, ReclaimResult{{}, {item}});
  }
  std::string ReclaimNone() { return Judge(ReclaimExpiredLeasesRequest{}, ReclaimResult{}); }
  std::string Letters(std::vector<DeadLetter> letters) { return Judge(ListDeadLettersRequest{}, std::move(letters)); }
  static Event NewEvent(uint64_t n, const Uuid& execution, EventSequence sequence) {
    return {Uuid(3, n), execution, sequence, {R"({"type":"t"})"}, Instant(5)};
  }
  std::string Append(uint64_t n, EventSequence number, const Uuid& execution = kExecution, const View& view = std::nullopt) {
    return Judge(AppendEventRequest{NewEvent(n, execution, 0), view}, number);
  }

  SpecState state;
  std::vector<SpecState> alternatives;
  EpochMs now = 0;
  EpochMs latest = 0;
  Dialects dialects;
  ClauseHits hits{std::size(kClauses)};
};

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_TESTS_MODEL_STATE_BACKEND_SCENE_H_
