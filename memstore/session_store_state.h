// The rules of the session_store contract on plain data: one call after the other, at times that the caller gives.
#ifndef LEASECHECK_MEMSTORE_SESSION_STORE_STATE_H_
#define LEASECHECK_MEMSTORE_SESSION_STORE_STATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
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
#include "memstore/turn_input_log.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::memstore {

// With what a keyed draft is compared once an interrupt rewrote the ingress of the row that has its key (TI-LAT-4).
enum class KeyMatch {
  kSubmitted,  // with what was submitted: the exact repetition finds its row
  kCurrent,    // with what is stored now, as upstream does: it conflicts, and a next-turn draft that was never submitted matches
};

// What a vacuum reaches (TI-LAT-13).
enum class VacuumReach {
  kStore,       // every session
  kOwnSession,  // the one that the store committed for; every session before the first commit
};

// The first of each is the contract's reference choice. A store that chooses another declares it: `reacquire`, `own_session`;
// KeyMatch needs no declaration.
struct TurnInputChoices {
  LapsedAccepted lapsed_accepted = LapsedAccepted::kStrand;
  KeyMatch key_match = KeyMatch::kSubmitted;
  VacuumReach vacuum_reach = VacuumReach::kStore;
};

// What SessionStore guards with its mutex. Each method is the operation of the same name in model/session_store/store.h, which
// says what it does and which errors it gives, judged at `now`; a call that fails or answers "none" changes nothing. Where the
// contract leaves a choice, it is queued-work.md's "Ref" and turn-input.md's "R":
//   - a completion of some of a claim's batches settles those [QW-LAT-1]; repeated batches are an error [QW-LAT-2,5]; an empty
//     completion of the commit's session is vacuous [QW-LAT-4]; renewing a claim value without batches is an error [QW-LAT-10];
//   - a grant's fencing token is 1 + the largest counter of its rows, and all of them take it [QW-LAT-24];
//   - a claim by ids that would grant something else leaves no mark at all [QW-LAT-22];
//   - a commit's release of another session's lane is ignored [QW-LAT-30];
//   - a counter at the end of its range makes the call fail with Backend [QW-LAT-35];
//   - all of this holds for turn inputs too [TI-LAT-5,6,7,8]; an input_id that is taken is Backend, in every session, and an id
//     that a caller ever gave is never issued [TI-LAT-3]; the rest is TurnInputChoices [TI-LAT-1,4,13].
//
// Not thread-safe. The probe is borrowed.
class SessionStoreState {
 public:
  // `first_counters` is what enqueue_seq and the fencing tokens count from: 0 gives 1, 2, 3 ...
  SessionStoreState(const LivenessProbe* liveness, IdSource ids, uint64_t first_counters, const TurnInputChoices& choices);
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
  session_store::Result<session_store::PendingTurnInput> EnqueuePendingTurnInput(
      const session_store::EnqueuePendingTurnInputRequest& request, EpochMs now);
  session_store::Result<std::vector<session_store::PendingTurnInput>> ListPendingTurnInputs(
      const session_store::ListPendingTurnInputsRequest& request, EpochMs now);
  session_store::Result<std::vector<session_store::PendingTurnInputCancelResult>> CancelPendingTurnInputs(
      const session_store::CancelPendingTurnInputsRequest& request, EpochMs now);
  session_store::Result<session_store::PendingTurnInputCancelOutcome> CancelPendingTurnInput(
      const session_store::CancelPendingTurnInputRequest& request, EpochMs now);
  session_store::Result<session_store::PendingTurnInputSuffixCancelOutcome> CancelPendingTurnInputSuffix(
      const session_store::CancelPendingTurnInputSuffixRequest& request, EpochMs now);
  session_store::Result<std::optional<session_store::TurnInputClaim>> ClaimActiveTurnInputs(
      const session_store::ClaimActiveTurnInputsRequest& request, EpochMs now);
  session_store::Result<std::optional<session_store::TurnInputClaim>> ClaimNextTurnInputs(
      const session_store::ClaimNextTurnInputsRequest& request, EpochMs now);
  session_store::Result<session_store::Done> AbandonTurnInputClaim(const session_store::AbandonTurnInputClaimRequest& request,
                                                                   EpochMs now);
  session_store::Result<session_store::VacuumReport> Vacuum(const session_store::VacuumRequest& request, EpochMs now);

  // Everything held, and back. `contents` comes from a SessionStoreState. Batches and inputs are shared with it.
  SessionStoreContents Contents() const;
  void Restore(const SessionStoreContents& contents);

 private:
  struct Session {
    Session(LeaseLane empty, LapsedAccepted lapsed_accepted) : lane(std::move(empty)), inputs(lapsed_accepted) {}
    LeaseLane lane;
    SessionQueue queue;
    TurnInputLog inputs;
  };
  // What a commit completes.
  struct Settled {
    QueueRows batches;
    TurnInputRows inputs;
  };

  // The session, or null where nothing was ever enqueued or acquired.
  Session* Find(absl::string_view session_id) const;
  Session& FindOrCreate(const std::string& session_id);
  // The only way out of a queue.
  void Remove(Session& session, QueueRow& row);
  // The session whose lane admits the fence, or null: then the call answers SessionExecutionLeaseExpired.
  Session* FindUnderFence(absl::string_view session_id, const session_store::SessionExecutionLeaseFence& fence,
                          EpochMs now) const;

  // Grants the rows of one session; none where there are none.
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> Grant(Session& session, const QueueRows& rows,
                                                                             const session_store::LeaseOwnerIdentity& owner,
                                                                             DurationMs ttl, EpochMs now);

  // The session's input that the target names, or null.
  TurnInputRow* FindInput(const Session* session, const session_store::PendingTurnInputCancelTarget& target) const;
  TurnInputRow* FindInputById(absl::string_view session_id, absl::string_view input_id) const;
  // The same of a completion: null unless the claim owns it. Looks first at the claim's row number `place`.
  TurnInputRow* FindOwnedInput(absl::string_view session_id, const TurnInputClaims::Claim& claim, std::size_t place,
                               absl::string_view input_id) const;
  // The row that a keyed draft finds, null where it is new, or the conflict. [TI-ENQ-6..11]
  session_store::Result<const TurnInputRow*> FindKeyed(const session_store::PendingTurnInputDraft& draft) const;
  std::string NewInputId();
  void RememberGivenId(const std::string& input_id);
  // Cancels the row where that can be, and says what became of it. [TI-CAN-5..8,12]
  static session_store::PendingTurnInputCancelOutcome CancelInput(TurnInputLog& inputs, TurnInputRow& row, EpochMs now);
  // Grants the rows in the state that they have under the claim; none where there are none.
  session_store::Result<std::optional<session_store::TurnInputClaim>> GrantInputs(Session& session, const TurnInputRows& rows,
                                                                                  session_store::TurnInputState state,
                                                                                  session_store::TurnInputClaimMode mode,
                                                                                  const session_store::LeaseOwnerIdentity& owner,
                                                                                  DurationMs ttl, EpochMs now);

  void RestoreInputs(const SessionStoreContents::Session& saved, Session& session);

  // Finds what the completions list; false at the first that does not own it all, which `bad` then is. What they found is
  // marked, so that nothing is found twice.
  bool TakeInputs(const session_store::RuntimeCommit& commit, const Session& session, Settled& settled,
                  const session_store::TurnInputCompletion** bad) const;

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
  const TurnInputChoices choices_;
  uint64_t last_enqueue_seq_;
  uint64_t last_input_seq_;
  CommittedState committed_;
  absl::flat_hash_map<std::string, std::unique_ptr<Session>> sessions_;
  absl::flat_hash_map<absl::string_view, TurnInputRow*> inputs_by_id_;  // of all sessions; ids live in the rows
  // Ids that callers gave and that ids_ has yet to come to: it will pass them over, also when their rows are gone.
  std::set<std::string> given_input_ids_;
  // Batches that left the store, to be filled again; and the last enqueue_seq whose batch a snapshot may share, and so keep.
  Spares<session_store::QueuedWorkBatch, std::shared_ptr<session_store::QueuedWorkBatch>> spare_batches_;
  mutable uint64_t last_shared_seq_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SESSION_STORE_STATE_H_
