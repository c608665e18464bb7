// The rules of the session_store contract on plain data: one call after the other, at times that the caller gives.
#ifndef LEASECHECK_MEMSTORE_SESSION_STORE_STATE_H_
#define LEASECHECK_MEMSTORE_SESSION_STORE_STATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "memstore/ids.h"
#include "memstore/lease_lane.h"
#include "memstore/session_queue.h"
#include "memstore/session_store_snapshot.h"
#include "memstore/spares.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::memstore {

// What SessionStore guards with its mutex. Each method is the operation of the same name in model/session_store/store.h, which
// says what it does and which errors it gives, judged at `now`; a call that fails or answers "none" changes nothing. Where the
// contract leaves a choice, it is queued-work.md's "Ref":
//   - a completion of some of a claim's batches settles those [QW-LAT-1]; repeated batches are an error [QW-LAT-2,5]; an empty
//     completion of the commit's session is vacuous [QW-LAT-4]; renewing a claim value without batches is an error [QW-LAT-10];
//   - a grant's fencing token is 1 + the largest counter of its rows, and all of them take it [QW-LAT-24];
//   - a claim by ids that would grant something else leaves no mark at all [QW-LAT-22];
//   - a commit's release of another session's lane is ignored [QW-LAT-30];
//   - a counter at the end of its range makes the call fail with Backend [QW-LAT-35].
//
// Not thread-safe. The probe is borrowed.
class SessionStoreState {
 public:
  // `first_counters` is what enqueue_seq and the fencing tokens count from: 0 gives 1, 2, 3 ...
  SessionStoreState(const LivenessProbe* liveness, IdSource ids, uint64_t first_counters);
  SessionStoreState(const SessionStoreState&) = delete;
  SessionStoreState& operator=(const SessionStoreState&) = delete;

  session_store::Result<session_store::QueuedWorkBatch> EnqueueQueuedWork(const session_store::EnqueueQueuedWorkRequest& request,
                                                                          EpochMs now);
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimLeadingReadySessionCommand(
      const session_store::ClaimLeadingReadySessionCommandRequest& request, EpochMs now);
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const session_store::ClaimReadyQueuedWorkRequest& request, EpochMs now);
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const session_store::ClaimReadyQueuedWorkByBatchIdsRequest& request, EpochMs now);
  session_store::Result<session_store::QueuedWorkClaim> RenewQueuedWorkClaim(
      const session_store::RenewQueuedWorkClaimRequest& request, EpochMs now);
  session_store::Result<session_store::Done> AbandonQueuedWorkClaim(const session_store::AbandonQueuedWorkClaimRequest& request,
                                                                    EpochMs now);
  session_store::Result<std::optional<session_store::QueuedWorkBatch>> CancelQueuedWorkBatch(
      const session_store::CancelQueuedWorkBatchRequest& request, EpochMs now);
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListQueuedWork(
      const session_store::ListQueuedWorkRequest& request, EpochMs now);
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListPendingQueuedWork(
      const session_store::ListPendingQueuedWorkRequest& request, EpochMs now);
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> TryClaimSessionExecutionLease(
      const session_store::TryClaimSessionExecutionLeaseRequest& request, EpochMs now);
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> ReclaimSessionExecutionLease(
      const session_store::ReclaimSessionExecutionLeaseRequest& request, EpochMs now);
  session_store::Result<session_store::SessionExecutionLease> RenewSessionExecutionLease(
      const session_store::RenewSessionExecutionLeaseRequest& request, EpochMs now);
  session_store::Result<session_store::Done> ReleaseSessionExecutionLease(
      const session_store::ReleaseSessionExecutionLeaseRequest& request, EpochMs now);
  session_store::Result<session_store::RuntimeCommitResult> CommitRuntimeState(
      const session_store::CommitRuntimeStateRequest& request, EpochMs now);
  session_store::Result<std::optional<session_store::LoadedSession>> LoadSession(const session_store::LoadSessionRequest& request,
                                                                                 EpochMs now);

  // Everything held, and back. `contents` comes from a SessionStoreState. Batches are shared with it.
  SessionStoreContents Contents() const;
  void Restore(const SessionStoreContents& contents);

 private:
  struct Session {
    explicit Session(LeaseLane empty) : lane(std::move(empty)) {}
    LeaseLane lane;
    SessionQueue queue;
  };
  using Settled = absl::InlinedVector<QueueRow*, 4>;

  // The session, or null where nothing was ever enqueued or acquired.
  Session* Find(absl::string_view session_id) const;
  Session& FindOrCreate(const std::string& session_id);
  // The session's batch with this id, or null.
  QueueRow* FindBatch(const Session& session, absl::string_view batch_id) const;
  // The same if the claim owns it, else null. Looks first at the claim's row number `place`: completions mostly name all in
  // order.
  QueueRow* FindOwned(const Session& session, const QueueClaims::Claim& claim, std::size_t place,
                      absl::string_view batch_id) const;
  // The only way out of a queue.
  void Remove(Session& session, QueueRow& row);
  // The session whose lane admits the fence, or null: then the call answers SessionExecutionLeaseExpired.
  Session* FindUnderFence(absl::string_view session_id, const session_store::SessionExecutionLeaseFence& fence,
                          EpochMs now) const;

  // Grants the rows of one session; none where there are none.
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> Grant(Session& session, const QueueRows& rows,
                                                                             const session_store::LeaseOwnerIdentity& owner,
                                                                             DurationMs ttl, EpochMs now);

  // The two halves of a commit that is no replay: all checks from the fence on, which fail with an error or find the rows to
  // settle, and then the effect, which cannot fail.
  std::optional<session_store::StoreError> CheckCommit(const session_store::RuntimeCommit& commit, const Session* session,
                                                       EpochMs now, Settled& settled) const;
  void ApplyCommit(const session_store::RuntimeCommit& commit, Session& session, const Settled& settled,
                   session_store::RuntimeCommitResult& result);
  // The recorded result where the commit repeats a stamp, null where its stamp is new or absent; checks 2 and 3 of a commit.
  session_store::Result<const session_store::RuntimeCommitResult*> FindReplay(const session_store::RuntimeCommit& commit) const;

  const LivenessProbe* liveness_;
  IdSource ids_;
  uint64_t first_counters_;
  uint64_t last_enqueue_seq_;
  CommittedState committed_;
  absl::flat_hash_map<std::string, std::unique_ptr<Session>> sessions_;
  // Batches that left the store, to be filled again; and the last enqueue_seq whose batch a snapshot may share, and so keep.
  Spares<session_store::QueuedWorkBatch, std::shared_ptr<session_store::QueuedWorkBatch>> spare_batches_;
  mutable uint64_t last_shared_seq_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SESSION_STORE_STATE_H_
