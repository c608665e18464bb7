// The rules of the state_backend contract on plain data: one call after the other, at times that the caller gives.
#ifndef LEASECHECK_MEMSTORE_STATE_BACKEND_STATE_H_
#define LEASECHECK_MEMSTORE_STATE_BACKEND_STATE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "memstore/access_book.h"
#include "memstore/definition_shelf.h"
#include "memstore/event_log.h"
#include "memstore/execution_book.h"
#include "memstore/snapshot_shelf.h"
#include "memstore/state_backend_choices.h"
#include "memstore/state_backend_snapshot.h"
#include "memstore/tenant_scope.h"
#include "memstore/work_items.h"
#include "model/state_backend/store.h"
#include "model/time.h"

namespace leasecheck::memstore {

// What StateBackend guards with its mutex: one state, composed of a book or shelf a subject. Each method is the operation of the
// same name in model/state_backend/store.h, which says what it does and which errors it gives; `now` is the store's clock. A call
// that fails changes nothing. Where the contract leaves a choice, it is column (a) of state-backend.md, 4, or what `choices` say.
// Beyond the table:
//   - through the unscoped store an item may name any tenant, registered or not [SB-LAT-24];
//   - reclaimed items are shown without worker and lease [SB-LAT-22];
//   - dead_lettered_at stays at the first instant when the text is replaced [SB-DLQ-3];
//   - a view reads the events and snapshots of the executions that it sees, and of no others.
// Texts and ids of tokens are made from `token_seed` and their number, so a double of one seed issues the same ones. They are as
// secret as the seed.
//
// Not thread-safe.
class StateBackendState {
 public:
  StateBackendState(const StateBackendChoices& choices, uint64_t token_seed);
  StateBackendState(const StateBackendState&) = delete;
  StateBackendState& operator=(const StateBackendState&) = delete;

  state_backend::Result<state_backend::Done> StoreWorkflow(const state_backend::StoreWorkflowRequest& request, EpochMs now);
  state_backend::Result<std::optional<state_backend::WorkflowDefinition>> GetWorkflow(
      const state_backend::GetWorkflowRequest& request, EpochMs now);
  state_backend::Result<state_backend::Done> CreateExecution(const state_backend::CreateExecutionRequest& request, EpochMs now);
  state_backend::Result<std::optional<state_backend::WorkflowExecution>> GetExecution(
      const state_backend::GetExecutionRequest& request, EpochMs now);
  state_backend::Result<state_backend::Done> UpdateExecutionStatus(const state_backend::UpdateExecutionStatusRequest& request,
                                                                   EpochMs now);
  state_backend::Result<state_backend::Done> UpdateExecutionCurrentState(
      const state_backend::UpdateExecutionCurrentStateRequest& request, EpochMs now);
  state_backend::Result<state_backend::Done> PatchAppendArray(const state_backend::PatchAppendArrayRequest& request, EpochMs now);
  state_backend::Result<std::vector<state_backend::WorkflowExecution>> ListExecutions(
      const state_backend::ListExecutionsRequest& request, EpochMs now);
  state_backend::Result<state_backend::EventSequence> AppendEvent(const state_backend::AppendEventRequest& request, EpochMs now);
  state_backend::Result<std::vector<state_backend::Event>> GetEvents(const state_backend::GetEventsRequest& request, EpochMs now);
  state_backend::Result<std::vector<state_backend::Event>> GetEventsSince(const state_backend::GetEventsSinceRequest& request,
                                                                          EpochMs now);
  state_backend::Result<state_backend::EventSequence> LatestSequence(const state_backend::LatestSequenceRequest& request,
                                                                     EpochMs now);
  state_backend::Result<state_backend::Done> WriteSnapshot(const state_backend::WriteSnapshotRequest& request, EpochMs now);
  state_backend::Result<std::optional<state_backend::Snapshot>> LatestSnapshot(
      const state_backend::LatestSnapshotRequest& request, EpochMs now);
  state_backend::Result<state_backend::WorkItemId> EnqueueWorkItem(const state_backend::EnqueueWorkItemRequest& request,
                                                                   EpochMs now);
  state_backend::Result<std::optional<state_backend::WorkItem>> ClaimWorkItem(const state_backend::ClaimWorkItemRequest& request,
                                                                              EpochMs now);
  state_backend::Result<state_backend::Done> RenewLease(const state_backend::RenewLeaseRequest& request, EpochMs now);
  state_backend::Result<state_backend::Done> CompleteWorkItem(const state_backend::CompleteWorkItemRequest& request, EpochMs now);
  state_backend::Result<state_backend::Done> FailWorkItem(const state_backend::FailWorkItemRequest& request, EpochMs now);
  state_backend::Result<state_backend::ReclaimResult> ReclaimExpiredLeases(
      const state_backend::ReclaimExpiredLeasesRequest& request, EpochMs now);
  state_backend::Result<state_backend::Done> MoveToDeadLetter(const state_backend::MoveToDeadLetterRequest& request, EpochMs now);
  state_backend::Result<state_backend::CreatedToken> CreateToken(const state_backend::CreateTokenRequest& request, EpochMs now);
  state_backend::Result<std::optional<state_backend::ApiToken>> ValidateToken(const state_backend::ValidateTokenRequest& request,
                                                                              EpochMs now);
  state_backend::Result<state_backend::Done> CreateTenant(const state_backend::CreateTenantRequest& request, EpochMs now);
  state_backend::Result<std::optional<state_backend::Tenant>> GetTenant(const state_backend::GetTenantRequest& request,
                                                                        EpochMs now);
  state_backend::Result<std::vector<state_backend::Tenant>> ListTenants(const state_backend::ListTenantsRequest& request,
                                                                        EpochMs now);
  state_backend::Result<state_backend::Done> UpdateTenant(const state_backend::UpdateTenantRequest& request, EpochMs now);
  state_backend::Result<state_backend::Done> RevokeToken(const state_backend::RevokeTokenRequest& request, EpochMs now);
  state_backend::Result<state_backend::Done> ExpireToken(const state_backend::ExpireTokenRequest& request, EpochMs now);
  state_backend::Result<std::vector<state_backend::DeadLetter>> ListDeadLetters(
      const state_backend::ListDeadLettersRequest& request, EpochMs now);

  // Everything held, and back. `contents` comes from a StateBackendState.
  StateBackendContents Contents() const;
  void Restore(const StateBackendContents& contents);

 private:
  bool IsRegistered(const state_backend::TenantId& tenant);
  // Whether what is made through the view would belong to a tenant that is not registered.
  bool MakesNothing(const TenantScope& view) { return view.has_value() && !IsRegistered(*view); }
  // Whether an event, a snapshot or an item for this execution is taken.
  bool TakesFor(const TenantScope& view, const state_backend::ExecutionId& id) const;
  // Whether the view may read what hangs on this execution.
  bool Reads(const TenantScope& view, const state_backend::ExecutionId& id) const;
  Instant LeaseEnd(EpochMs now) const;
  // Until when an item with this attempt is not claimed after a reclaim.
  std::optional<Instant> RetryAfter(uint32_t attempt, EpochMs now) const;
  // Brings an item to an end: nobody holds it, or waits for it.
  template <class Change>
  void Settle(const state_backend::WorkItemId& id, WorkStatus status, Change&& change);

  const StateBackendChoices choices_;
  const uint64_t token_seed_;
  DefinitionShelf definitions_;
  ExecutionBook executions_;
  EventLog events_;
  SnapshotShelf snapshots_;
  WorkItems items_;
  TokenBook tokens_;
  TenantBook tenants_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_STATE_BACKEND_STATE_H_
