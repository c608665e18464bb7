// The reference store of the runtime_persistence contract, in memory: what a conforming backend does, and a test double of one.
//
//   ManualClock clock(1000);
//   memstore::RuntimePersistence store({.clock = &clock});
//   auto result = store.CommitRuntimeState({commit});
//
// Every call takes effect under one mutex, at one instant: the clock is read exactly once a call, inside. The rules are in
// runtime_persistence_state.h, with what this store chose where the contract leaves a choice. It is Inline: nothing survives it.
//
// Cost. A commit costs what it carries, and not how much is stored; a ReplaceFull also what it replaces. A node is found, an
// attachment recorded, stamped and forgotten without a walk; a path costs its length, a full graph, a list and the ledger what
// they return; the ledger comes with every read of the session. A claim grows with the logarithm of its session's own depth, and
// with what it grants. A vacuum costs what it removes, a collection the blobs that are held.
//
// Pauses (Environment::pause), both outside the lock: "before_lock" and "after_unlock", once each a call.
//
// As a test double it can be made to fail, be copied and set back, and say what was asked of it:
//
//   store.FailNext("commit_runtime_state", FaultPoint::kAfterEffect, runtime_persistence::Backend{"connection lost"});
//   const RuntimePersistenceSnapshot before = store.Snapshot();  ...  store.Restore(before);
//   for (const auto& call : store.RecordedCalls()) ...
#ifndef LEASECHECK_MEMSTORE_RUNTIME_PERSISTENCE_H_
#define LEASECHECK_MEMSTORE_RUNTIME_PERSISTENCE_H_

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
#include "memstore/runtime_persistence_snapshot.h"
#include "memstore/runtime_persistence_state.h"
#include "model/environment.h"
#include "model/runtime_persistence/family.h"
#include "model/runtime_persistence/store.h"

namespace leasecheck::memstore {

struct RuntimePersistenceOptions {
  // Opaque ids are made from `id_seed`, the injected randomness: stores of one seed that serve the same calls issue the same ids.
  // Readable ids are "b1", "b2" (batches), "i1" (items), "c1" (claims) and "t1" (lease tokens), each numbered in the order of
  // issue. Neither is ever issued twice by one store. Refs are the SHA-256 of what they name in both styles.
  IdStyle id_style = IdStyle::kOpaque;
  uint64_t id_seed = 0;
  // Keep every call for RecordedCalls. Costs a copy of each request and response.
  bool record_calls = false;
  // What enqueue_seq and the fencing tokens count from. Only a test of what happens at their end sets it: near 2^64 - 1.
  uint64_t first_counters = 0;
};

// Thread-safe. Besides the contract's errors, Backend: a counter is used up, or a fault was injected.
class RuntimePersistence final : public runtime_persistence::RuntimePersistence {
 public:
  // The environment's clock must be there: without it the constructor says so and aborts.
  explicit RuntimePersistence(const Environment& environment, const RuntimePersistenceOptions& options = {});

  runtime_persistence::Result<std::optional<runtime_persistence::PersistedSessionRead>> LoadSession(
      const runtime_persistence::LoadSessionRequest& request) override;
  runtime_persistence::Result<std::optional<runtime_persistence::SessionNodeRecord>> LoadNode(
      const runtime_persistence::LoadNodeRequest& request) override;
  runtime_persistence::Result<runtime_persistence::RuntimeCommitResult> CommitRuntimeState(
      const runtime_persistence::CommitRuntimeStateRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> SaveSessionMeta(
      const runtime_persistence::SaveSessionMetaRequest& request) override;
  runtime_persistence::Result<std::optional<runtime_persistence::SessionMeta>> LoadSessionMeta(
      const runtime_persistence::LoadSessionMetaRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> TombstoneNodes(
      const runtime_persistence::TombstoneNodesRequest& request) override;
  runtime_persistence::Result<runtime_persistence::VacuumReport> Vacuum(
      const runtime_persistence::VacuumRequest& request) override;
  runtime_persistence::Result<runtime_persistence::GcReport> GcUnreachable(
      const runtime_persistence::GcUnreachableRequest& request) override;
  runtime_persistence::Result<runtime_persistence::DurabilityTier> GetDurabilityTier(
      const runtime_persistence::DurabilityTierRequest& request) override;
  runtime_persistence::Result<runtime_persistence::QueuedWorkBatch> EnqueueQueuedWork(
      const runtime_persistence::EnqueueQueuedWorkRequest& request) override;
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const runtime_persistence::ClaimReadyQueuedWorkRequest& request) override;
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest& request) override;
  runtime_persistence::Result<runtime_persistence::QueuedWorkClaim> RenewQueuedWorkClaim(
      const runtime_persistence::RenewQueuedWorkClaimRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> AbandonQueuedWorkClaim(
      const runtime_persistence::AbandonQueuedWorkClaimRequest& request) override;
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkBatch>> CancelQueuedWorkBatch(
      const runtime_persistence::CancelQueuedWorkBatchRequest& request) override;
  runtime_persistence::Result<std::vector<runtime_persistence::QueuedWorkBatch>> ListQueuedWork(
      const runtime_persistence::ListQueuedWorkRequest& request) override;
  runtime_persistence::Result<std::vector<runtime_persistence::QueuedWorkBatch>> ListPendingQueuedWork(
      const runtime_persistence::ListPendingQueuedWorkRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> RecordIntent(
      const runtime_persistence::RecordIntentRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> CommitRefs(
      const runtime_persistence::CommitRefsRequest& request) override;
  runtime_persistence::Result<std::vector<runtime_persistence::AttachmentManifestEntry>> ListUncommitted(
      const runtime_persistence::ListUncommittedRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> Forget(const runtime_persistence::ForgetRequest& request) override;

  // The next call of the operation, by its name or index in RuntimePersistenceFamily's table, answers `error`: before its effect
  // (nothing happens), or after it (what the call does is done, and its answer, even a contract error, is replaced). Faults of
  // one operation strike in the order of their injection, one a call. The clock is still read, and the pauses are still made.
  // InvalidArgument: there is no such operation; nothing is injected.
  absl::Status FailNext(absl::string_view operation, FaultPoint point, runtime_persistence::StoreError error)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status FailNext(std::size_t operation, FaultPoint point, runtime_persistence::StoreError error) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes back every fault that has not struck.
  void ClearFaults() ABSL_LOCKS_EXCLUDED(mu_);

  // What the store holds: head, graph, blobs, ledger, turns, queues, attachments, meta, counters and the place in its sequence of
  // ids; not the clock, the faults or the record of calls. Stores that hold the same give equal snapshots. Costs a walk over the
  // store; nodes, blobs and batches are shared, not copied.
  RuntimePersistenceSnapshot Snapshot() const ABSL_LOCKS_EXCLUDED(mu_);
  // Makes the store hold what it, or another store, held at the snapshot. What was issued or stored since never happened: ids
  // issued since are issued again. Faults and the record of calls stay. Costs a walk over the snapshot.
  void Restore(const RuntimePersistenceSnapshot& snapshot) ABSL_LOCKS_EXCLUDED(mu_);

  // Every call so far, in the order in which they took effect; empty unless RuntimePersistenceOptions::record_calls.
  std::vector<RecordedCall<RuntimePersistenceFamily>> RecordedCalls() const ABSL_LOCKS_EXCLUDED(mu_);
  void ClearRecordedCalls() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // One call: pause, lock, read the clock, serve, unlock, pause.
  template <class Request, class Response>
  runtime_persistence::Result<Response> Call(
      const Request& request, runtime_persistence::Result<Response> (RuntimePersistenceState::*rule)(const Request&, EpochMs))
      ABSL_LOCKS_EXCLUDED(mu_);
  void Pause(absl::string_view point) const ABSL_LOCKS_EXCLUDED(mu_);

  const Environment environment_;
  mutable absl::Mutex mu_;
  RuntimePersistenceState state_ ABSL_GUARDED_BY(mu_);
  CallInterceptor<RuntimePersistenceFamily> interceptor_ ABSL_GUARDED_BY(mu_);
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_RUNTIME_PERSISTENCE_H_
