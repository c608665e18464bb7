// The reference store of the session_store contract, in memory: what a conforming backend does, and a test double of one.
//
//   ManualClock clock(1000);
//   FixedLiveness liveness;
//   memstore::SessionStore store({.clock = &clock, .liveness = &liveness});
//   auto batch = store.EnqueueQueuedWork({draft});
//
// Every call takes effect under one mutex, at one instant: the clock is read exactly once a call, inside. The rules are in
// session_store_state.h, with what this store chose where the contract leaves a choice.
//
// Cost. A claim, of batches or of turn inputs, never scans: it grows with the logarithm of its session's own depth, with what it
// grants, and with the local processes that hold live claims in the session (each is probed once, and only for a claimant that is
// a local process itself). Other sessions, and what is deferred, claimed, of another turn or not admitted in front, cost nothing,
// and the clock may go back. Lists cost what they return; those of what is pending also walk over what is claimed. A suffix
// cancel costs its suffix, an interrupt the inputs that it defers, a vacuum the sessions and the tombstones it removes.
//
// Pauses (Environment::pause), both outside the lock: "before_lock" and "after_unlock", once each a call.
//
// As a test double it can be made to fail, be copied and set back, and say what was asked of it:
//
//   store.FailNext("commit_runtime_state", FaultPoint::kAfterEffect, session_store::Backend{"connection lost"});
//   const SessionStoreSnapshot before = store.Snapshot();  ...  store.Restore(before);
//   for (const auto& call : store.RecordedCalls()) ...
#ifndef LEASECHECK_MEMSTORE_SESSION_STORE_H_
#define LEASECHECK_MEMSTORE_SESSION_STORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "memstore/call_interceptor.h"
#include "memstore/ids.h"
#include "memstore/session_store_snapshot.h"
#include "memstore/session_store_state.h"
#include "model/environment.h"
#include "model/session_store/family.h"
#include "model/session_store/store.h"

namespace leasecheck::memstore {

struct SessionStoreOptions {
  // Opaque ids are made from `id_seed`, the injected randomness: stores of one seed that serve the same calls issue the same ids.
  // Readable ids are "b1", "b2" (batches), "i1" (items), "u1" (turn inputs), "c1" (claims of both), "t1" (their lease tokens),
  // "l1" (lanes' lease tokens) and "k1" (checkpoints), each numbered in the order of issue. Neither is ever issued twice by one
  // store, and none that a caller ever gave to a turn input is issued.
  IdStyle id_style = IdStyle::kOpaque;
  uint64_t id_seed = 0;
  // Keep every call for RecordedCalls. Costs a copy of each request and response.
  bool record_calls = false;
  // What the store chooses for turn inputs where the contract leaves a choice.
  TurnInputChoices turn_inputs = {};
  // What enqueue_seq and the fencing tokens count from. Only a test of what happens at their end sets it: near 2^64 - 1.
  uint64_t first_counters = 0;
};

// Thread-safe. Besides the contract's errors, Backend: a counter is used up [QW-LAT-35], or a fault was injected.
class SessionStore final : public session_store::SessionStore {
 public:
  // The environment's clock and probe must be there: without one the constructor says so and aborts.
  explicit SessionStore(const Environment& environment, const SessionStoreOptions& options = {});

  session_store::Result<session_store::QueuedWorkBatch> EnqueueQueuedWork(
      const session_store::EnqueueQueuedWorkRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimLeadingReadySessionCommand(
      const session_store::ClaimLeadingReadySessionCommandRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const session_store::ClaimReadyQueuedWorkRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const session_store::ClaimReadyQueuedWorkByBatchIdsRequest& request) override;
  session_store::Result<session_store::QueuedWorkClaim> RenewQueuedWorkClaim(
      const session_store::RenewQueuedWorkClaimRequest& request) override;
  session_store::Result<session_store::Done> AbandonQueuedWorkClaim(
      const session_store::AbandonQueuedWorkClaimRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkBatch>> CancelQueuedWorkBatch(
      const session_store::CancelQueuedWorkBatchRequest& request) override;
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListQueuedWork(
      const session_store::ListQueuedWorkRequest& request) override;
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListPendingQueuedWork(
      const session_store::ListPendingQueuedWorkRequest& request) override;
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> TryClaimSessionExecutionLease(
      const session_store::TryClaimSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> ReclaimSessionExecutionLease(
      const session_store::ReclaimSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::SessionExecutionLease> RenewSessionExecutionLease(
      const session_store::RenewSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::Done> ReleaseSessionExecutionLease(
      const session_store::ReleaseSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::RuntimeCommitResult> CommitRuntimeState(
      const session_store::CommitRuntimeStateRequest& request) override;
  session_store::Result<std::optional<session_store::LoadedSession>> LoadSession(
      const session_store::LoadSessionRequest& request) override;
  session_store::Result<session_store::PendingTurnInput> EnqueuePendingTurnInput(
      const session_store::EnqueuePendingTurnInputRequest& request) override;
  session_store::Result<std::vector<session_store::PendingTurnInput>> ListPendingTurnInputs(
      const session_store::ListPendingTurnInputsRequest& request) override;
  session_store::Result<std::vector<session_store::PendingTurnInputCancelResult>> CancelPendingTurnInputs(
      const session_store::CancelPendingTurnInputsRequest& request) override;
  // The provided method is a call of its own here, so that it can be made to fail and is recorded under its own name.
  session_store::Result<session_store::PendingTurnInputCancelOutcome> CancelPendingTurnInput(
      const session_store::CancelPendingTurnInputRequest& request) override;
  session_store::Result<session_store::PendingTurnInputSuffixCancelOutcome> CancelPendingTurnInputSuffix(
      const session_store::CancelPendingTurnInputSuffixRequest& request) override;
  session_store::Result<std::optional<session_store::TurnInputClaim>> ClaimActiveTurnInputs(
      const session_store::ClaimActiveTurnInputsRequest& request) override;
  session_store::Result<std::optional<session_store::TurnInputClaim>> ClaimNextTurnInputs(
      const session_store::ClaimNextTurnInputsRequest& request) override;
  session_store::Result<session_store::Done> AbandonTurnInputClaim(
      const session_store::AbandonTurnInputClaimRequest& request) override;
  session_store::Result<session_store::VacuumReport> Vacuum(const session_store::VacuumRequest& request) override;

  // The next call of the operation, by its name or index in SessionStoreFamily's table, answers `error`: before its effect
  // (nothing happens), or after it (what the call does is done, and its answer, even a contract error, is replaced). Faults of
  // one operation strike in the order of their injection, one a call. The clock is still read, and the pauses are still made.
  // InvalidArgument: there is no such operation; nothing is injected.
  absl::Status FailNext(absl::string_view operation, FaultPoint point, session_store::StoreError error) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status FailNext(std::size_t operation, FaultPoint point, session_store::StoreError error) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes back every fault that has not struck.
  void ClearFaults() ABSL_LOCKS_EXCLUDED(mu_);

  // What the store holds: queues, turn inputs, claims, lanes, commits, counters and the place in its sequence of ids; not the
  // clock, the faults or the record of calls. Stores that hold the same give equal snapshots. Costs a walk over the store;
  // batches are shared, not copied.
  SessionStoreSnapshot Snapshot() const ABSL_LOCKS_EXCLUDED(mu_);
  // Makes the store hold what it, or another store, held at the snapshot. What was issued or stored since never happened: ids
  // issued since are issued again. Faults and the record of calls stay. Costs a walk over the snapshot.
  void Restore(const SessionStoreSnapshot& snapshot) ABSL_LOCKS_EXCLUDED(mu_);

  // Every call so far, in the order in which they took effect; empty unless SessionStoreOptions::record_calls.
  std::vector<RecordedCall<SessionStoreFamily>> RecordedCalls() const ABSL_LOCKS_EXCLUDED(mu_);
  void ClearRecordedCalls() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // One call: pause, lock, read the clock, serve, unlock, pause.
  template <class Request, class Response>
  session_store::Result<Response> Call(const Request& request,
                                       session_store::Result<Response> (SessionStoreState::*rule)(const Request&, EpochMs))
      ABSL_LOCKS_EXCLUDED(mu_);
  void Pause(absl::string_view point) const ABSL_LOCKS_EXCLUDED(mu_);

  const Environment environment_;
  mutable absl::Mutex mu_;
  SessionStoreState state_ ABSL_GUARDED_BY(mu_);
  CallInterceptor<SessionStoreFamily> interceptor_ ABSL_GUARDED_BY(mu_);
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SESSION_STORE_H_
