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
// Cost. A claim never scans the queue: it grows with the logarithm of its session's own depth, the batches it grants, and the
// local processes that hold live claims in the session (each is probed once, and only for a claimant that is a local process
// itself). Other sessions, and deferred or claimed batches in front, cost nothing, and the clock may go back. Lists cost what
// they return; list_pending also walks over what it leaves out.
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
#include "tests/support/without_turn_inputs.h"

namespace leasecheck::memstore {

struct SessionStoreOptions {
  // Opaque ids are made from `id_seed`, the injected randomness: stores of one seed that serve the same calls issue the same ids.
  // Readable ids are "b1", "b2" (batches), "i1" (items), "c1" (claims), "t1" (their lease tokens), "l1" (lanes' lease tokens) and
  // "k1" (checkpoints), each numbered in the order of issue. Neither is ever issued twice by one store.
  IdStyle id_style = IdStyle::kOpaque;
  uint64_t id_seed = 0;
  // Keep every call for RecordedCalls. Costs a copy of each request and response.
  bool record_calls = false;
  // What enqueue_seq and the fencing tokens count from. Only a test of what happens at their end sets it: near 2^64 - 1.
  uint64_t first_counters = 0;
};

// Thread-safe. Besides the contract's errors, Backend: a counter is used up [QW-LAT-35], or a fault was injected.
class SessionStore final : public session_store::WithoutTurnInputs {
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

  // The next call of the operation, by its name or index in SessionStoreFamily's table, answers `error`: before its effect
  // (nothing happens), or after it (what the call does is done, and its answer, even a contract error, is replaced). Faults of
  // one operation strike in the order of their injection, one a call. The clock is still read, and the pauses are still made.
  // InvalidArgument: there is no such operation; nothing is injected.
  absl::Status FailNext(absl::string_view operation, FaultPoint point, session_store::StoreError error) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status FailNext(std::size_t operation, FaultPoint point, session_store::StoreError error) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes back every fault that has not struck.
  void ClearFaults() ABSL_LOCKS_EXCLUDED(mu_);

  // What the store holds: queues, claims, lanes, commits, counters and the place in its sequence of ids; not the clock, the
  // faults or the record of calls. Stores that hold the same give equal snapshots. Costs a walk over the store; batches are
  // shared, not copied.
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
