// A tenant's view as a store of its own: for code that is written against StateBackend and serves one tenant.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_TENANT_VIEW_H_
#define LEASECHECK_MODEL_STATE_BACKEND_TENANT_VIEW_H_

#include <optional>
#include <utility>
#include <vector>

#include "model/state_backend/store.h"

namespace leasecheck::state_backend {

// Makes every call on `tables` through the view of `tenant`, whatever `view` the request has. As thread-safe as `tables`, which
// is borrowed and outlives the view.
//
//   TenantView alpha(store, "alpha");        // whom store.CreateTenant registered
//   alpha.CreateExecution({execution});      // belongs to alpha, and so does what is made for it:
//   alpha.EnqueueWorkItem({item});           // item.execution_id == execution.execution_id
class TenantView final : public StateBackend {
 public:
  TenantView(StateBackend& tables, TenantId tenant) : tables_(tables), tenant_(std::move(tenant)) {}

  Result<Done> StoreWorkflow(const StoreWorkflowRequest& request) override { return tables_.StoreWorkflow(Scoped(request)); }
  Result<std::optional<WorkflowDefinition>> GetWorkflow(const GetWorkflowRequest& request) override {
    return tables_.GetWorkflow(Scoped(request));
  }
  Result<Done> CreateExecution(const CreateExecutionRequest& request) override {
    return tables_.CreateExecution(Scoped(request));
  }
  Result<std::optional<WorkflowExecution>> GetExecution(const GetExecutionRequest& request) override {
    return tables_.GetExecution(Scoped(request));
  }
  Result<Done> UpdateExecutionStatus(const UpdateExecutionStatusRequest& request) override {
    return tables_.UpdateExecutionStatus(Scoped(request));
  }
  Result<Done> UpdateExecutionCurrentState(const UpdateExecutionCurrentStateRequest& request) override {
    return tables_.UpdateExecutionCurrentState(Scoped(request));
  }
  Result<Done> PatchAppendArray(const PatchAppendArrayRequest& request) override {
    return tables_.PatchAppendArray(Scoped(request));
  }
  Result<std::vector<WorkflowExecution>> ListExecutions(const ListExecutionsRequest& request) override {
    return tables_.ListExecutions(Scoped(request));
  }
  Result<EventSequence> AppendEvent(const AppendEventRequest& request) override { return tables_.AppendEvent(Scoped(request)); }
  Result<std::vector<Event>> GetEvents(const GetEventsRequest& request) override { return tables_.GetEvents(Scoped(request)); }
  Result<std::vector<Event>> GetEventsSince(const GetEventsSinceRequest& request) override {
    return tables_.GetEventsSince(Scoped(request));
  }
  Result<EventSequence> LatestSequence(const LatestSequenceRequest& request) override {
    return tables_.LatestSequence(Scoped(request));
  }
  Result<Done> WriteSnapshot(const WriteSnapshotRequest& request) override { return tables_.WriteSnapshot(Scoped(request)); }
  Result<std::optional<Snapshot>> LatestSnapshot(const LatestSnapshotRequest& request) override {
    return tables_.LatestSnapshot(Scoped(request));
  }
  Result<WorkItemId> EnqueueWorkItem(const EnqueueWorkItemRequest& request) override {
    return tables_.EnqueueWorkItem(Scoped(request));
  }
  Result<std::optional<WorkItem>> ClaimWorkItem(const ClaimWorkItemRequest& request) override {
    return tables_.ClaimWorkItem(Scoped(request));
  }
  Result<Done> RenewLease(const RenewLeaseRequest& request) override { return tables_.RenewLease(Scoped(request)); }
  Result<Done> CompleteWorkItem(const CompleteWorkItemRequest& request) override {
    return tables_.CompleteWorkItem(Scoped(request));
  }
  Result<Done> FailWorkItem(const FailWorkItemRequest& request) override { return tables_.FailWorkItem(Scoped(request)); }
  Result<ReclaimResult> ReclaimExpiredLeases(const ReclaimExpiredLeasesRequest& request) override {
    return tables_.ReclaimExpiredLeases(Scoped(request));
  }
  Result<Done> MoveToDeadLetter(const MoveToDeadLetterRequest& request) override {
    return tables_.MoveToDeadLetter(Scoped(request));
  }
  Result<CreatedToken> CreateToken(const CreateTokenRequest& request) override { return tables_.CreateToken(Scoped(request)); }
  Result<std::optional<ApiToken>> ValidateToken(const ValidateTokenRequest& request) override {
    return tables_.ValidateToken(Scoped(request));
  }
  Result<Done> CreateTenant(const CreateTenantRequest& request) override { return tables_.CreateTenant(Scoped(request)); }
  Result<std::optional<Tenant>> GetTenant(const GetTenantRequest& request) override { return tables_.GetTenant(Scoped(request)); }
  Result<std::vector<Tenant>> ListTenants(const ListTenantsRequest& request) override {
    return tables_.ListTenants(Scoped(request));
  }
  Result<Done> UpdateTenant(const UpdateTenantRequest& request) override { return tables_.UpdateTenant(Scoped(request)); }

 private:
  // The request, made through this view.
  template <class Request>
  Request Scoped(Request request) const {
    request.view = tenant_;
    return request;
  }

  StateBackend& tables_;
  const TenantId tenant_;
};

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_MODEL_STATE_BACKEND_TENANT_VIEW_H_
