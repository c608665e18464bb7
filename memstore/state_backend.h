// The reference store of the state_backend contract, in memory: what a conforming backend does, and a test double of one.
//
//   ManualClock clock(0);
//   memstore::StateBackend store({.clock = &clock});
//   store.CreateExecution({execution});
//   store.EnqueueWorkItem({item});
//   auto claimed = store.ClaimWorkItem({"worker", {"tool"}});
//   state_backend::TenantView alpha(store, "alpha");  // model/state_backend/tenant_view.h: over the same tables
//
// Every call takes effect under one mutex, at one instant: the clock is read exactly once a call, inside. The rules are in
// state_backend_state.h, with what this store chose where the contract leaves a choice, and state_backend_choices.h has what it
// can choose else. Nothing survives it.
//
// Cost. Reading by id, appending an event and enqueueing cost no walk; a claim grows with the logarithm of the items held, times
// the queue types asked for, and looks at no item that is not eligible; a reclaim with that for each item it takes; a page of a
// list with the rows it skips and returns; a tail of a log with what it returns; a patch with the size of the state. Nothing that
// is stored ever goes, as the contract wants it: it has no call that deletes.
//
// Pauses (Environment::pause), both outside the lock: "before_lock" and "after_unlock", once each a call.
//
// As a test double it can be made to fail, be copied and set back, and say what was asked of it:
//
//   store.FailNext("append_event", FaultPoint::kAfterEffect, state_backend::Database{"connection lost"});
//   const StateBackendSnapshot before = store.Snapshot();  ...  store.Restore(before);
//   for (const auto& call : store.RecordedCalls()) ...
#ifndef LEASECHECK_MEMSTORE_STATE_BACKEND_H_
#define LEASECHECK_MEMSTORE_STATE_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "memstore/call_interceptor.h"
#include "memstore/state_backend_choices.h"
#include "memstore/state_backend_snapshot.h"
#include "memstore/state_backend_state.h"
#include "model/dialect.h"
#include "model/environment.h"
#include "model/state_backend/family.h"
#include "model/state_backend/store.h"

namespace leasecheck::memstore {

struct StateBackendOptions {
  // The injected randomness: texts and ids of tokens are made from it, so stores of one seed issue the same ones. Whoever wants
  // tokens that nobody can guess brings a seed that nobody can.
  uint64_t token_seed = 0;
  // Keep every call for RecordedCalls. Costs a copy of each request and response.
  bool record_calls = false;
  StateBackendChoices choices = {};
};

// Thread-safe. Besides the contract's errors only injected faults.
class StateBackend final : public state_backend::StateBackendStore {
 public:
  // The environment's clock must be there: without it the constructor says so and aborts.
  explicit StateBackend(const Environment& environment, const StateBackendOptions& options = {});

  // What a store with the reference's own choices declares: that it has views.
  static Dialects Declared() { return DialectsOf({}); }
  // The options of a store that makes the choices which these dialects declare. Errors: as ChoicesOf.
  static absl::StatusOr<StateBackendOptions> OptionsOf(const Dialects& dialects);
  // What a store with these options declares.
  static Dialects DeclaredWith(const StateBackendOptions& options) { return DialectsOf(options.choices); }

  state_backend::Result<state_backend::Done> StoreWorkflow(const state_backend::StoreWorkflowRequest& request) override;
  state_backend::Result<std::optional<state_backend::WorkflowDefinition>> GetWorkflow(
      const state_backend::GetWorkflowRequest& request) override;
  state_backend::Result<state_backend::Done> CreateExecution(const state_backend::CreateExecutionRequest& request) override;
  state_backend::Result<std::optional<state_backend::WorkflowExecution>> GetExecution(
      const state_backend::GetExecutionRequest& request) override;
  state_backend::Result<state_backend::Done> UpdateExecutionStatus(
      const state_backend::UpdateExecutionStatusRequest& request) override;
  state_backend::Result<state_backend::Done> UpdateExecutionCurrentState(
      const state_backend::UpdateExecutionCurrentStateRequest& request) override;
  state_backend::Result<state_backend::Done> PatchAppendArray(const state_backend::PatchAppendArrayRequest& request) override;
  state_backend::Result<std::vector<state_backend::WorkflowExecution>> ListExecutions(
      const state_backend::ListExecutionsRequest& request) override;
  state_backend::Result<state_backend::EventSequence> AppendEvent(const state_backend::AppendEventRequest& request) override;
  state_backend::Result<std::vector<state_backend::Event>> GetEvents(const state_backend::GetEventsRequest& request) override;
  state_backend::Result<std::vector<state_backend::Event>> GetEventsSince(
      const state_backend::GetEventsSinceRequest& request) override;
  state_backend::Result<state_backend::EventSequence> LatestSequence(
      const state_backend::LatestSequenceRequest& request) override;
  state_backend::Result<state_backend::Done> WriteSnapshot(const state_backend::WriteSnapshotRequest& request) override;
  state_backend::Result<std::optional<state_backend::Snapshot>> LatestSnapshot(
      const state_backend::LatestSnapshotRequest& request) override;
  state_backend::Result<state_backend::WorkItemId> EnqueueWorkItem(const state_backend::EnqueueWorkItemRequest& request) override;
  state_backend::Result<std::optional<state_backend::WorkItem>> ClaimWorkItem(
      const state_backend::ClaimWorkItemRequest& request) override;
  state_backend::Result<state_backend::Done> RenewLease(const state_backend::RenewLeaseRequest& request) override;
  state_backend::Result<state_backend::Done> CompleteWorkItem(const state_backend::CompleteWorkItemRequest& request) override;
  state_backend::Result<state_backend::Done> FailWorkItem(const state_backend::FailWorkItemRequest& request) override;
  state_backend::Result<state_backend::ReclaimResult> ReclaimExpiredLeases(
      const state_backend::ReclaimExpiredLeasesRequest& request) override;
  state_backend::Result<state_backend::Done> MoveToDeadLetter(const state_backend::MoveToDeadLetterRequest& request) override;
  state_backend::Result<state_backend::CreatedToken> CreateToken(const state_backend::CreateTokenRequest& request) override;
  state_backend::Result<std::optional<state_backend::ApiToken>> ValidateToken(
      const state_backend::ValidateTokenRequest& request) override;
  state_backend::Result<state_backend::Done> CreateTenant(const state_backend::CreateTenantRequest& request) override;
  state_backend::Result<std::optional<state_backend::Tenant>> GetTenant(const state_backend::GetTenantRequest& request) override;
  state_backend::Result<std::vector<state_backend::Tenant>> ListTenants(
      const state_backend::ListTenantsRequest& request) override;
  state_backend::Result<state_backend::Done> UpdateTenant(const state_backend::UpdateTenantRequest& request) override;
  state_backend::Result<state_backend::Done> RevokeToken(const state_backend::RevokeTokenRequest& request) override;
  state_backend::Result<state_backend::Done> ExpireToken(const state_backend::ExpireTokenRequest& request) override;
  state_backend::Result<std::vector<state_backend::DeadLetter>> ListDeadLetters(
      const state_backend::ListDeadLettersRequest& request) override;

  // The next call of the operation, by its name or index in StateBackendFamily's table, answers `error`: before its effect
  // (nothing happens), or after it (what the call does is done, and its answer, even a contract error, is replaced). Faults of
  // one operation strike in the order of their injection, one a call. The clock is still read, and the pauses are still made.
  // InvalidArgument: there is no such operation; nothing is injected.
  absl::Status FailNext(absl::string_view operation, FaultPoint point, state_backend::StoreError error) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status FailNext(std::size_t operation, FaultPoint point, state_backend::StoreError error) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes back every fault that has not struck.
  void ClearFaults() ABSL_LOCKS_EXCLUDED(mu_);

  // What the store holds: all of its tables; not the clock, the faults or the record of calls, and no token's text. Stores that
  // hold the same give equal snapshots. Costs a copy of the queue and a walk over the rest, whose values are shared.
  StateBackendSnapshot Snapshot() const ABSL_LOCKS_EXCLUDED(mu_);
  // Makes the store hold what it, or another store, held at the snapshot. What was stored since never happened: tokens issued
  // since are issued again. Faults and the record of calls stay. Costs a walk over the snapshot.
  void Restore(const StateBackendSnapshot& snapshot) ABSL_LOCKS_EXCLUDED(mu_);

  // Every call so far, in the order in which they took effect; empty unless StateBackendOptions::record_calls. Secrets are kept
  // as their placeholders (model/secret.h).
  std::vector<RecordedCall<StateBackendFamily>> RecordedCalls() const ABSL_LOCKS_EXCLUDED(mu_);
  void ClearRecordedCalls() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // One call: pause, lock, read the clock, serve, unlock, pause.
  template <class Request, class Response>
  state_backend::Result<Response> Call(const Request& request,
                                       state_backend::Result<Response> (StateBackendState::*rule)(const Request&, EpochMs))
      ABSL_LOCKS_EXCLUDED(mu_);
  void Pause(absl::string_view point) const ABSL_LOCKS_EXCLUDED(mu_);

  const Environment environment_;
  mutable absl::Mutex mu_;
  StateBackendState state_ ABSL_GUARDED_BY(mu_);
  CallInterceptor<StateBackendFamily> interceptor_ ABSL_GUARDED_BY(mu_);
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_STATE_BACKEND_H_
