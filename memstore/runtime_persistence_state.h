// The rules of the runtime_persistence contract on plain data: one call after the other, at times that the caller gives.
#ifndef LEASECHECK_MEMSTORE_RUNTIME_PERSISTENCE_STATE_H_
#define LEASECHECK_MEMSTORE_RUNTIME_PERSISTENCE_STATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "memstore/attachment_log.h"
#include "memstore/blob_shelf.h"
#include "memstore/ids.h"
#include "memstore/node_log.h"
#include "memstore/runtime_persistence_snapshot.h"
#include "memstore/token_ledger.h"
#include "memstore/work_queue.h"
#include "model/runtime_persistence/store.h"
#include "model/time.h"

namespace leasecheck::memstore {

// What RuntimePersistence guards with its mutex. Each method is the operation of the same name in
// model/runtime_persistence/store.h, which says what it does and which errors it gives, judged at `now`; a call that fails or
// answers "none" changes nothing. Where the contract leaves a choice, it is the column "ref" of runtime-persistence.md, 4:
//   - a tombstoned node acts as if it were not stored, until a commit names it again [RP-LAT-3,6]; what would store a node twice
//     is Backend [RP-LAT-6]; a path ends at a node that it has already [RP-LAT-6d];
//   - cached tokens alone count in the ledger [RP-LAT-7]; blobs are named by their content, a ref without inline data is
//     hydrated where its blob is there [RP-LAT-9]; collecting also protects the refs of agent frames, which are no roots
//     [RP-LAT-13];
//   - a completion of some of a claim's batches settles those, an empty one nothing, and a batch named twice in a commit is an
//     error [RP-LAT-10]; a lapsed claim that nobody took can be completed and renewed [RP-LAT-11]; renewing a claim value without
//     batches is an error [RP-LAT-19];
//   - a grant's fencing token is 1 + the largest counter of its rows, and all of them take it [RP-LAT-18]; a claim by ids that
//     finds something else is granted and given back in one step [RP-LAT-26]; what is no candidate does not end a group
//     [RP-LAT-15];
//   - attachments have one row a (session, id); a new intent refreshes it; forgetting an id removes all its rows [RP-LAT-20];
//   - a counter at the end of its range makes the call fail with Backend.
//
// Not thread-safe.
class RuntimePersistenceState {
 public:
  // `first_counters` is what enqueue_seq and the fencing tokens count from: 0 gives 1, 2, 3 ...
  RuntimePersistenceState(IdSource ids, uint64_t first_counters)
      : ids_(ids), first_counters_(first_counters), last_enqueue_seq_(first_counters) {}
  RuntimePersistenceState(const RuntimePersistenceState&) = delete;
  RuntimePersistenceState& operator=(const RuntimePersistenceState&) = delete;

  runtime_persistence::Result<std::optional<runtime_persistence::PersistedSessionRead>> LoadSession(
      const runtime_persistence::LoadSessionRequest& request, EpochMs now);
  runtime_persistence::Result<std::optional<runtime_persistence::SessionNodeRecord>> LoadNode(
      const runtime_persistence::LoadNodeRequest& request, EpochMs now);
  runtime_persistence::Result<runtime_persistence::RuntimeCommitResult> CommitRuntimeState(
      const runtime_persistence::CommitRuntimeStateRequest& request, EpochMs now);
  runtime_persistence::Result<runtime_persistence::Done> SaveSessionMeta(
      const runtime_persistence::SaveSessionMetaRequest& request, EpochMs now);
  runtime_persistence::Result<std::optional<runtime_persistence::SessionMeta>> LoadSessionMeta(
      const runtime_persistence::LoadSessionMetaRequest& request, EpochMs now);
  runtime_persistence::Result<runtime_persistence::Done> TombstoneNodes(const runtime_persistence::TombstoneNodesRequest& request,
                                                                        EpochMs now);
  runtime_persistence::Result<runtime_persistence::VacuumReport> Vacuum(const runtime_persistence::VacuumRequest& request,
                                                                        EpochMs now);
  runtime_persistence::Result<runtime_persistence::GcReport> GcUnreachable(
      const runtime_persistence::GcUnreachableRequest& request, EpochMs now);
  runtime_persistence::Result<runtime_persistence::DurabilityTier> GetDurabilityTier(
      const runtime_persistence::DurabilityTierRequest& request, EpochMs now);
  runtime_persistence::Result<runtime_persistence::QueuedWorkBatch> EnqueueQueuedWork(
      const runtime_persistence::EnqueueQueuedWorkRequest& request, EpochMs now);
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const runtime_persistence::ClaimReadyQueuedWorkRequest& request, EpochMs now);
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest& request, EpochMs now);
  runtime_persistence::Result<runtime_persistence::QueuedWorkClaim> RenewQueuedWorkClaim(
      const runtime_persistence::RenewQueuedWorkClaimRequest& request, EpochMs now);
  runtime_persistence::Result<runtime_persistence::Done> AbandonQueuedWorkClaim(
      const runtime_persistence::AbandonQueuedWorkClaimRequest& request, EpochMs now);
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkBatch>> CancelQueuedWorkBatch(
      const runtime_persistence::CancelQueuedWorkBatchRequest& request, EpochMs now);
  runtime_persistence::Result<std::vector<runtime_persistence::QueuedWorkBatch>> ListQueuedWork(
      const runtime_persistence::ListQueuedWorkRequest& request, EpochMs now);
  runtime_persistence::Result<std::vector<runtime_persistence::QueuedWorkBatch>> ListPendingQueuedWork(
      const runtime_persistence::ListPendingQueuedWorkRequest& request, EpochMs now);
  runtime_persistence::Result<runtime_persistence::Done> RecordIntent(const runtime_persistence::RecordIntentRequest& request,
                                                                      EpochMs now);
  runtime_persistence::Result<runtime_persistence::Done> CommitRefs(const runtime_persistence::CommitRefsRequest& request,
                                                                    EpochMs now);
  runtime_persistence::Result<std::vector<runtime_persistence::AttachmentManifestEntry>> ListUncommitted(
      const runtime_persistence::ListUncommittedRequest& request, EpochMs now);
  runtime_persistence::Result<runtime_persistence::Done> Forget(const runtime_persistence::ForgetRequest& request, EpochMs now);

  // Everything held, and back. `contents` comes from a RuntimePersistenceState. Nodes, blobs and batches are shared with it.
  RuntimePersistenceContents Contents() const;
  void Restore(const RuntimePersistenceContents& contents);

 private:
  // The queue of the session, or null where nothing was ever enqueued.
  WorkQueue* FindQueue(absl::string_view session_id) const;

  uint64_t revision() const { return head_.has_value() ? head_->revision : 0; }
  // The recorded result where the commit repeats a stamp, null where its stamp is new or absent; checks 2 and 3 of a commit.
  runtime_persistence::Result<const runtime_persistence::RuntimeCommitResult*> FindReplay(
      const runtime_persistence::RuntimeCommit& commit) const;
  // The two halves of a commit that is no replay: all checks from the revision on, which fail with an error or find the rows to
  // settle, and then the effect, which cannot fail.
  std::optional<runtime_persistence::StoreError> CheckCommit(const runtime_persistence::RuntimeCommit& commit,
                                                             WorkQueue::Rows& settled) const;
  runtime_persistence::RuntimeCommitResult ApplyCommit(const runtime_persistence::RuntimeCommit& commit,
                                                       const WorkQueue::Rows& settled, EpochMs now);
  // Applies the delta and answers the leaf that it gives the head.
  const std::optional<std::string>& ApplyGraph(const runtime_persistence::GraphCommitDelta& delta);
  // The graph that the scope asks for.
  runtime_persistence::SessionGraph Read(const runtime_persistence::SessionReadScope& scope) const;

  // Grants the rows of one session, at least one.
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkClaim>> Grant(
      WorkQueue& queue, const WorkQueue::Rows& rows, const runtime_persistence::ClaimReadyQueuedWorkRequest& request,
      EpochMs now);

  IdSource ids_;
  const uint64_t first_counters_;
  uint64_t last_enqueue_seq_;
  std::optional<SessionHead> head_;
  NodeLog nodes_;
  BlobShelf blobs_;
  TokenLedger ledger_;
  RecordedCommits turns_;
  absl::flat_hash_map<std::string, std::unique_ptr<WorkQueue>> queues_;
  AttachmentLog attachments_;
  std::optional<runtime_persistence::SessionMeta> meta_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_RUNTIME_PERSISTENCE_STATE_H_
