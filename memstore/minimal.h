// The least that a backend can be: it overrides what its trait requires and inherits every provided method. For checking the
// provided methods, and as the smallest example of a backend.
#ifndef LEASECHECK_MEMSTORE_MINIMAL_H_
#define LEASECHECK_MEMSTORE_MINIMAL_H_

#include <optional>
#include <vector>

#include "memstore/runtime_persistence.h"
#include "memstore/state_backend.h"
#include "model/dialect.h"
#include "model/environment.h"
#include "model/runtime_persistence/store.h"
#include "model/state_backend/store.h"

namespace leasecheck::memstore {

// The eight required methods are the reference store's. It has no queue and keeps no attachments. Thread-safe.
//
//   MinimalRuntimePersistence store({.clock = &clock});
//   store.EnqueueQueuedWork({draft});  // Backend, always
class MinimalRuntimePersistence final
    : public runtime_persistence::NoopAttachmentManifest<runtime_persistence::RuntimePersistence> {
 public:
  explicit MinimalRuntimePersistence(const Environment& environment) : state_(environment) {}

  // What such a backend declares.
  static Dialects Declared() { return {{"AM-NOP-1", "noop"}, {"RP-DEF", "default"}}; }

  runtime_persistence::Result<std::optional<runtime_persistence::PersistedSessionRead>> LoadSession(
      const runtime_persistence::LoadSessionRequest& request) override {
    return state_.LoadSession(request);
  }
  runtime_persistence::Result<std::optional<runtime_persistence::SessionNodeRecord>> LoadNode(
      const runtime_persistence::LoadNodeRequest& request) override {
    return state_.LoadNode(request);
  }
  runtime_persistence::Result<runtime_persistence::RuntimeCommitResult> CommitRuntimeState(
      const runtime_persistence::CommitRuntimeStateRequest& request) override {
    return state_.CommitRuntimeState(request);
  }
  runtime_persistence::Result<runtime_persistence::Done> SaveSessionMeta(
      const runtime_persistence::SaveSessionMetaRequest& request) override {
    return state_.SaveSessionMeta(request);
  }
  runtime_persistence::Result<std::optional<runtime_persistence::SessionMeta>> LoadSessionMeta(
      const runtime_persistence::LoadSessionMetaRequest& request) override {
    return state_.LoadSessionMeta(request);
  }
  runtime_persistence::Result<runtime_persistence::Done> TombstoneNodes(
      const runtime_persistence::TombstoneNodesRequest& request) override {
    return state_.TombstoneNodes(request);
  }
  runtime_persistence::Result<runtime_persistence::VacuumReport> Vacuum(
      const runtime_persistence::VacuumRequest& request) override {
    return state_.Vacuum(request);
  }
  runtime_persistence::Result<runtime_persistence::GcReport> GcUnreachable(
      const runtime_persistence::GcUnreachableRequest& request) override {
    return state_.GcUnreachable(request);
  }

 private:
  memstore::RuntimePersistence state_;
};

// The 23 required methods, and the fixtures, are the reference store's; of tenants there is only the default one. Thread-safe.
//
//   MinimalStateBackend store({.clock = &clock});
//   store.CreateTenant({tenant});  // Database, always
class MinimalStateBackend final : public state_backend::StateBackendStore {
 public:
  explicit MinimalStateBackend(const Environment& environment) : state_(environment) {}

  // What such a backend declares.
  static Dialects Declared() { return {{"SB-LAT-34", "unsupported"}}; }

  state_backend::Result<state_backend::Done> StoreWorkflow(const state_backend::StoreWorkflowRequest& request) override {
    return state_.StoreWorkflow(request);
  }
  state_backend::Result<std::optional<state_backend::WorkflowDefinition>> GetWorkflow(
      const state_backend::GetWorkflowRequest& request) override {
    return state_.GetWorkflow(request);
  }
  state_backend::Result<state_backend::Done> CreateExecution(const state_backend::CreateExecutionRequest& request) override {
    return state_.CreateExecution(request);
  }
  state_backend::Result<std::optional<state_backend::WorkflowExecution>> GetExecution(
      const state_backend::GetExecutionRequest& request) override {
    return state_.GetExecution(request);
  }
  state_backend::Result<state_backend::Done> UpdateExecutionStatus(
      const state_backend::UpdateExecutionStatusRequest& request) override {
    return state_.UpdateExecutionStatus(request);
  }
  state_backend::Result<state_backend::Done> UpdateExecutionCurrentState(
      const state_backend::UpdateExecutionCurrentStateRequest& request) override {
    return state_.UpdateExecutionCurrentState(request);
  }
  state_backend::Result<state_backend::Done> PatchAppendArray(const state_backend::PatchAppendArrayRequest& request) override {
    return state_.PatchAppendArray(request);
  }
  state_backend::Result<std::vector<state_backend::WorkflowExecution>> ListExecutions(
      const state_backend::ListExecutionsRequest& request) override {
    return state_.ListExecutions(request);
  }
  state_backend::Result<state_backend::EventSequence> AppendEvent(const state_backend::AppendEventRequest& request) override {
    return state_.AppendEvent(request);
  }
  state_backend::Result<std::vector<state_backend::Event>> GetEvents(const state_backend::GetEventsRequest& request) override {
    return state_.GetEvents(request);
  }
  state_backend::Result<std::vector<state_backend::Event>> GetEventsSince(
      const state_backend::GetEventsSinceRequest& request) override {
    return state_.GetEventsSince(request);
  }
  state_backend::Result<state_backend::EventSequence> LatestSequence(
      const state_backend::LatestSequenceRequest& request) override {
    return state_.LatestSequence(request);
  }
  state_backend::Result<state_backend::Done> WriteSnapshot(const state_backend::WriteSnapshotRequest& request) override {
    return state_.WriteSnapshot(request);
  }
  state_backend::Result<std::optional<state_backend::Snapshot>> LatestSnapshot(
      const state_backend::LatestSnapshotRequest& request) override {
    return state_.LatestSnapshot(request);
  }
  state_backend::Result<state_backend::WorkItemId> EnqueueWorkItem(
      const state_backend::EnqueueWorkItemRequest& request) override {
    return state_.EnqueueWorkItem(request);
  }
  state_backend::Result<std::optional<state_backend::WorkItem>> ClaimWorkItem(
      const state_backend::ClaimWorkItemRequest& request) override {
    return state_.ClaimWorkItem(request);
  }
  state_backend::Result<state_backend::Done> RenewLease(const state_backend::RenewLeaseRequest& request) override {
    return state_.RenewLease(request);
  }
  state_backend::Result<state_backend::Done> CompleteWorkItem(const state_backend::CompleteWorkItemRequest& request) override {
    return state_.CompleteWorkItem(request);
  }
  state_backend::Result<state_backend::Done> FailWorkItem(const state_backend::FailWorkItemRequest& request) override {
    return state_.FailWorkItem(request);
  }
  state_backend::Result<state_backend::ReclaimResult> ReclaimExpiredLeases(
      const state_backend::ReclaimExpiredLeasesRequest& request) override {
    return state_.ReclaimExpiredLeases(request);
  }
  state_backend::Result<state_backend::Done> MoveToDeadLetter(const state_backend::MoveToDeadLetterRequest& request) override {
    return state_.MoveToDeadLetter(request);
  }
  state_backend::Result<state_backend::CreatedToken> CreateToken(const state_backend::CreateTokenRequest& request) override {
    return state_.CreateToken(request);
  }
  state_backend::Result<std::optional<state_backend::ApiToken>> ValidateToken(
      const state_backend::ValidateTokenRequest& request) override {
    return state_.ValidateToken(request);
  }
  state_backend::Result<state_backend::Done> RevokeToken(const state_backend::RevokeTokenRequest& request) override {
    return state_.RevokeToken(request);
  }
  state_backend::Result<state_backend::Done> ExpireToken(const state_backend::ExpireTokenRequest& request) override {
    return state_.ExpireToken(request);
  }
  state_backend::Result<std::vector<state_backend::DeadLetter>> ListDeadLetters(
      const state_backend::ListDeadLettersRequest& request) override {
    return state_.ListDeadLetters(request);
  }

 private:
  memstore::StateBackend state_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_MINIMAL_H_
