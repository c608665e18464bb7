// What answers tell of the order of concurrent calls, and which calls need no order: hints for the search (model/spec.h).
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend {
namespace {

using Request = StateBackendSpec::Request;
using Outcome = StateBackendSpec::Outcome;
using Family = StateBackendFamily;

template <class R>
const auto* AnswerTo(const Outcome& outcome) {
  return ResponseIf<Family, OperationIndexOf<Family, R>()>(outcome);
}

bool OnlyReads(const Request& request) { return OperationEffect<Family>(request.index()) == Effect::kRead; }

std::string NameOf(const char* what, const Uuid& id) { return absl::StrCat(what, absl::Hex(id.high), "-", absl::Hex(id.low)); }

// Marks.

// The last number of a log; an item's attempt; an item's way: 0 before its enqueue, 1 while it can be claimed, 2 when it is over.
// A read that shows nothing may have been made through a view that sees nothing, and says nothing.
struct MarksOf {
  const Outcome& outcome;
  std::vector<Mark>* marks;

  void operator()(const AppendEventRequest& request) const {
    const auto* number = AnswerTo<AppendEventRequest>(outcome);
    if (number == nullptr || *number < 1) return;
    const auto last = static_cast<uint64_t>(*number);
    marks->push_back({NameOf("log ", request.event.execution_id), last - 1, last});
  }
  void operator()(const GetEventsRequest& request) const { MarkLog(request.execution_id, AnswerTo<GetEventsRequest>(outcome)); }
  void operator()(const GetEventsSinceRequest& request) const {
    MarkLog(request.execution_id, AnswerTo<GetEventsSinceRequest>(outcome));
  }
  void operator()(const LatestSequenceRequest& request) const {
    const auto* number = AnswerTo<LatestSequenceRequest>(outcome);
    if (number != nullptr) MarkLast(request.execution_id, *number);
  }
  void operator()(const LatestSnapshotRequest& request) const {
    const auto* snapshot = AnswerTo<LatestSnapshotRequest>(outcome);
    if (snapshot == nullptr || !snapshot->has_value() || (*snapshot)->at_sequence < 0) return;
    const auto at = static_cast<uint64_t>((*snapshot)->at_sequence);
    marks->push_back({NameOf("snapshot ", request.execution_id), at, at});
  }
  void operator()(const EnqueueWorkItemRequest& request) const {
    if (AnswerTo<EnqueueWorkItemRequest>(outcome) == nullptr) return;
    MarkWay(request.item.id, 0, 1);
    MarkAttempt(request.item.id, 0, request.item.attempt);
  }
  void operator()(const ClaimWorkItemRequest&) const {
    const auto* claimed = AnswerTo<ClaimWorkItemRequest>(outcome);
    if (claimed == nullptr || !claimed->has_value()) return;
    MarkWay((*claimed)->id, 1, 1);
    MarkAttempt((*claimed)->id, (*claimed)->attempt, (*claimed)->attempt);
  }
  void operator()(const RenewLeaseRequest& request) const {
    if (AnswerTo<RenewLeaseRequest>(outcome) != nullptr) MarkWay(request.item_id, 1, 1);
  }
  void operator()(const ReclaimExpiredLeasesRequest&) const {
    const auto* result = AnswerTo<ReclaimExpiredLeasesRequest>(outcome);
    if (result == nullptr) return;
    for (const WorkItem& item : result->retryable) MarkReclaimed(item, 1);
    for (const WorkItem& item : result->exhausted) MarkReclaimed(item, 2);
  }
  void operator()(const CreateTokenRequest&) const {
    const auto instant = StateBackendSpec::ReportedInstant(Request(CreateTokenRequest()), outcome);
    if (instant.has_value()) marks->push_back({kClockCounter, *instant, *instant});
  }
  template <class R>
  void operator()(const R&) const {}

 private:
  void MarkWay(const WorkItemId& id, uint64_t before, uint64_t after) const {
    marks->push_back({NameOf("item ", id), before, after});
  }
  void MarkAttempt(const WorkItemId& id, uint64_t before, uint64_t after) const {
    marks->push_back({NameOf("attempt ", id), before, after});
  }
  void MarkReclaimed(const WorkItem& item, uint64_t after) const {
    MarkWay(item.id, 1, after);
    if (item.attempt > 0) MarkAttempt(item.id, item.attempt - 1, item.attempt);
  }
  void MarkLast(const ExecutionId& id, EventSequence number) const {
    if (number < 1) return;
    const auto last = static_cast<uint64_t>(number);
    marks->push_back({NameOf("log ", id), last, last});
  }
  void MarkLog(const ExecutionId& id, const std::vector<Event>* events) const {
    if (events != nullptr && !events->empty()) MarkLast(id, events->back().sequence);
  }
};

// Commuting.

// What a call reaches. kRecord and kLog are of one execution, kItem of one item; the others reach all of their kind.
enum class Area { kDefinition, kRecord, kLog, kRecords, kItem, kQueue, kTokens, kTenants };
struct Reach {
  Area area = Area::kQueue;
  std::optional<Uuid> of = std::nullopt;
  std::optional<Uuid> needs = std::nullopt;  // an execution that has to be there
  std::optional<Uuid> makes = std::nullopt;  // ... that this call may make
  std::optional<Uuid> event = std::nullopt;  // whose id has to be new
  std::string key = "";                      // of a definition
};

struct ReachOf {
  Reach operator()(const StoreWorkflowRequest& r) const { return Definition(r.def.workflow_id, r.def.version); }
  Reach operator()(const GetWorkflowRequest& r) const { return Definition(r.workflow_id, r.version); }
  Reach operator()(const CreateExecutionRequest& r) const {
    return {Area::kRecord, r.execution.execution_id, {}, r.execution.execution_id};
  }
  Reach operator()(const GetExecutionRequest& r) const { return {Area::kRecord, r.id}; }
  Reach operator()(const UpdateExecutionStatusRequest& r) const { return {Area::kRecord, r.id}; }
  Reach operator()(const UpdateExecutionCurrentStateRequest& r) const { return {Area::kRecord, r.id}; }
  Reach operator()(const PatchAppendArrayRequest& r) const { return {Area::kRecord, r.execution_id}; }
  Reach operator()(const ListExecutionsRequest&) const { return {Area::kRecords}; }
  Reach operator()(const AppendEventRequest& r) const {
    return {Area::kLog, r.event.execution_id, r.event.execution_id, {}, r.event.id};
  }
  Reach operator()(const GetEventsRequest& r) const { return {Area::kLog, r.execution_id, r.execution_id}; }
  Reach operator()(const GetEventsSinceRequest& r) const { return {Area::kLog, r.execution_id, r.execution_id}; }
  Reach operator()(const LatestSequenceRequest& r) const { return {Area::kLog, r.execution_id, r.execution_id}; }
  Reach operator()(const WriteSnapshotRequest& r) const { return {Area::kLog, r.snapshot.execution_id, r.snapshot.execution_id}; }
  Reach operator()(const LatestSnapshotRequest& r) const { return {Area::kLog, r.execution_id, r.execution_id}; }
  Reach operator()(const EnqueueWorkItemRequest& r) const { return {Area::kItem, r.item.id, r.item.execution_id}; }
  Reach operator()(const RenewLeaseRequest& r) const { return {Area::kItem, r.item_id}; }
  Reach operator()(const CompleteWorkItemRequest& r) const { return {Area::kItem, r.item_id}; }
  Reach operator()(const FailWorkItemRequest& r) const { return {Area::kItem, r.item_id}; }
  Reach operator()(const MoveToDeadLetterRequest& r) const { return {Area::kItem, r.item_id}; }
  Reach operator()(const ClaimWorkItemRequest&) const { return {Area::kQueue}; }
  Reach operator()(const ReclaimExpiredLeasesRequest&) const { return {Area::kQueue}; }
  Reach operator()(const ListDeadLettersRequest&) const { return {Area::kQueue}; }
  Reach operator()(const CreateTokenRequest&) const { return {Area::kTokens}; }
  Reach operator()(const ValidateTokenRequest&) const { return {Area::kTokens}; }
  Reach operator()(const RevokeTokenRequest&) const { return {Area::kTokens}; }
  Reach operator()(const ExpireTokenRequest&) const { return {Area::kTokens}; }
  Reach operator()(const CreateTenantRequest&) const { return {Area::kTenants}; }
  Reach operator()(const GetTenantRequest&) const { return {Area::kTenants}; }
  Reach operator()(const ListTenantsRequest&) const { return {Area::kTenants}; }
  Reach operator()(const UpdateTenantRequest&) const { return {Area::kTenants}; }

 private:
  static Reach Definition(const std::string& id, const std::string& version) {
    Reach reach{Area::kDefinition};
    reach.key = absl::StrCat(id.size(), " ", id, version);
    return reach;
  }
};

bool Same(const std::optional<Uuid>& a, const std::optional<Uuid>& b) { return a.has_value() && a == b; }

// Whether a call is about registered tenants: a tenant that is created meanwhile may change what it answers.
bool NeedsTenants(const Request& request) {
  if (std::holds_alternative<StoreWorkflowRequest>(request) || std::holds_alternative<EnqueueWorkItemRequest>(request))
    return true;
  return std::visit(
      [](const auto& r) {
        if constexpr (requires { r.view; }) return r.view.has_value();
        return false;
      },
      request);
}

bool Meet(const Reach& a, const Reach& b) {
  if (Same(a.makes, b.needs) || Same(b.makes, a.needs) || Same(a.event, b.event)) return true;
  const auto whole = [](Area area) { return area == Area::kRecords || area == Area::kQueue; };
  const auto kind = [](Area area) { return area == Area::kRecords ? Area::kRecord : area == Area::kItem ? Area::kQueue : area; };
  if (kind(a.area) != kind(b.area)) return false;
  if (whole(a.area) || whole(b.area)) return true;
  if (a.area == Area::kDefinition) return a.key == b.key;
  return !a.of.has_value() || !b.of.has_value() || *a.of == *b.of;
}

}  // namespace

bool StateBackendSpec::ChangesNothing(const Request& request, const Outcome& outcome, const Context& context) {
  if (OnlyReads(request) || outcome.index() == 1) return true;
  if (outcome.index() != 0) return false;
  if (const auto* claim = std::get_if<ClaimWorkItemRequest>(&request)) {
    const bool steals = context.setup.dialects != nullptr && Declares(*context.setup.dialects, "SB-LAT-16", "stealing");
    return !AnswerTo<ClaimWorkItemRequest>(outcome)->has_value() && (!steals || claim->queue_types.empty());
  }
  if (!std::holds_alternative<ReclaimExpiredLeasesRequest>(request)) return false;
  const ReclaimResult& result = *AnswerTo<ReclaimExpiredLeasesRequest>(outcome);
  return result.retryable.empty() && result.exhausted.empty();
}

void StateBackendSpec::AppendMarks(const Request& request, const Outcome& outcome, std::vector<Mark>* marks) {
  std::visit(MarksOf{outcome, marks}, request);
}

bool StateBackendSpec::Commute(const Request& a, const Outcome&, const Request& b, const Outcome&) {
  if (OnlyReads(a) && OnlyReads(b)) return true;
  const Reach reach_a = std::visit(ReachOf(), a);
  const Reach reach_b = std::visit(ReachOf(), b);
  const auto may_register = [](const Request& request) {  // an update does where it inserts
    return std::holds_alternative<CreateTenantRequest>(request) || std::holds_alternative<UpdateTenantRequest>(request);
  };
  const bool registers = may_register(a) || may_register(b);
  if (registers && (NeedsTenants(a) || NeedsTenants(b))) return false;
  return !Meet(reach_a, reach_b);
}

bool StateBackendSpec::ReadsClock(const Request& request) {
  return std::visit(
      []<class R>(const R&) {
        return std::is_same_v<R, ClaimWorkItemRequest> || std::is_same_v<R, RenewLeaseRequest> ||
               std::is_same_v<R, ReclaimExpiredLeasesRequest> || std::is_same_v<R, MoveToDeadLetterRequest> ||
               std::is_same_v<R, UpdateExecutionStatusRequest> || std::is_same_v<R, UpdateExecutionCurrentStateRequest> ||
               std::is_same_v<R, PatchAppendArrayRequest> || std::is_same_v<R, CreateTokenRequest> ||
               std::is_same_v<R, ValidateTokenRequest>;
      },
      request);
}

}  // namespace leasecheck::state_backend
