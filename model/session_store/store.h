// The session_store contract: START HERE.
//
// A session's runtime and its hosts put work (process wakes, session commands) into a durable queue, first in, first out, one
// queue a session. Exactly one runner at a time drains it: the runner first holds the session's *lane* (the session execution
// lease, fenced by a token that only rises), then takes a *claim* (a lease with a ttl) on the batch, or group of batches, at
// the head, does the work, and *settles*: one atomic commit stores the new session state, removes the claimed batches and may
// free the lane. A runner that dies leaves a claim that lapses by time, or is provably dead; its batches become claimable again.
//
//   BATCH  absent --enqueue--> READY (deferred until available_at_ms) --claim--> CLAIMED
//          READY, lapsed --cancel--> gone       CLAIMED --abandon, or expires <= now--> READY
//          CLAIMED --commit that completes it--> gone       CLAIMED, lapsed --claim by anyone--> CLAIMED under a new token
//   CLAIM  granted --renew--> granted --commit--> settled; --abandon--> released; --retaken or cancelled--> stale for ever
//   LANE   free --try_claim--> held --renew, or try_claim by the same incarnation--> held
//          held --release, or commit with release--> free       held --expires <= now--> lapsed (acts free)
//          held by a dead owner --reclaim with the exact observation--> held by another, token + 1
//
// Beside the queue the store takes *turn inputs*: user text and images meant for the model. Hosts enqueue, list and cancel them
// without holding anything; the session's runner, holding the lane, claims those of its running turn at that turn's checkpoints,
// and those for the next turn when it is idle, and completes them in the same commit that stores the session's state. The store
// never knows whether a turn runs: a turn id is a string to compare. Cancelled and completed inputs stay as *tombstones*, so that
// keys and cancels go on being answered, until vacuum removes them.
//
//   ROW    absent --enqueue for a turn t--> PendingActive(t)        absent --enqueue for the next turn--> DeferredNextTurn
//          PendingActive --claim_active--> Accepted                 Accepted --abandon--> PendingActive
//          PendingActive(t) --commit with interrupted = t--> DeferredNextTurn, its ingress becomes NextTurn
//          PendingActive, DeferredNextTurn, no live claim --cancel--> Cancelled
//          Accepted, claimed DeferredNextTurn --commit that completes it--> Completed
//          DeferredNextTurn --claim_next--> DeferredNextTurn, under a claim          Cancelled, Completed --vacuum--> gone
//          The lapse of a claim changes no state: an Accepted row stays so until its claim is abandoned or completed, or, where
//          the store declares `reacquire` (TI-LAT-1), until its turn claims it anew.
//   CLAIM  a set of rows under one claim_id and lease_token, which can leave it one by one: granted --commit--> settled,
//          --abandon--> released; a row of a lapsed claim --claimed again or cancelled--> left it for ever
//
// Words used below, all judged at `now`, the store's clock read once per call:
//   live       a claim or lane with expires > now; at expires == now it has lapsed.
//   pending    a batch not under a live claim.
//   claimable  for an owner: available_at_ms <= now, and unclaimed, lapsed, or held by an owner that is definitely dead as seen
//              by this owner. The claimable batches of a session in ascending enqueue_seq are its *candidates*, the first of them
//              the *head*.
//   owned      a batch whose claim record carries exactly this claim_id and lease_token.
//   stale      a claim whose batches were retaken, cancelled, abandoned or settled. It never works again.
//   row        a turn input as it is stored. It is *owned* by a claim as a batch is, and *listed* where it is PendingActive or
//              DeferredNextTurn and not under a live claim. Its *counter* is the fencing token of its latest grant, 0 before.
//   terminal   Cancelled or Completed.
//   fence      a copy of a lane's session, owner, token and fencing token. It is *valid* when the session's lane is live and
//   equal
//              in all four (owners are equal when owner_id and incarnation_id are; liveness is ignored).
//
// Thread safety: every method may be called from any thread at any time and takes effect at one instant between call and return.
// Ownership: requests are borrowed for the call, responses are values of the caller.
// Errors are values (values.h, StoreError). Every error, and every answer "none", leaves the store exactly as it was. `Backend`
// stands for trouble that the contract does not name, such as a disk that fails; a call may always answer it, without effect,
// for that reason, and a conforming store does not otherwise.
//
//   ManualClock clock(1000);
//   memstore::SessionStore store({.clock = &clock, .liveness = &probe});
//   auto lane = store.TryClaimSessionExecutionLease({.session_id = "s", .owner = me, .lease_ttl_ms = 60000});
//   auto claim = store.ClaimReadyQueuedWork({.session_id = "s", .session_execution_lease = FenceOf(lease), .owner = me,
//                                            .boundary = QueuedWorkClaimBoundary::kIdle, .lease_ttl_ms = 500, .max_batches = 1});
//   if (claim.has_value() && claim->has_value()) ... work on (*claim)->batches, then CommitRuntimeState
//
// Source: shared/contracts/queued-work.md and turn-input.md (TI-...); the ids in brackets are their clauses.
#ifndef LEASECHECK_MODEL_SESSION_STORE_STORE_H_
#define LEASECHECK_MODEL_SESSION_STORE_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/session_store/turn_input_requests.h"
#include "model/session_store/values.h"
#include "tl/expected.hpp"

namespace leasecheck {
namespace session_store {

template <class Response>
using Result = tl::expected<Response, StoreError>;

// The queue.

struct EnqueueQueuedWorkRequest {
  QueuedWorkBatchDraft batch;
  friend bool operator==(const EnqueueQueuedWorkRequest&, const EnqueueQueuedWorkRequest&) = default;
};

struct ClaimLeadingReadySessionCommandRequest {
  std::string session_id;
  SessionExecutionLeaseFence session_execution_lease;
  LeaseOwnerIdentity owner;
  DurationMs lease_ttl_ms = 0;
  friend bool operator==(const ClaimLeadingReadySessionCommandRequest&, const ClaimLeadingReadySessionCommandRequest&) = default;
};

struct ClaimReadyQueuedWorkRequest {
  std::string session_id;
  SessionExecutionLeaseFence session_execution_lease;
  LeaseOwnerIdentity owner;
  QueuedWorkClaimBoundary boundary = QueuedWorkClaimBoundary::kIdle;
  DurationMs lease_ttl_ms = 0;
  uint64_t max_batches = 0;
  friend bool operator==(const ClaimReadyQueuedWorkRequest&, const ClaimReadyQueuedWorkRequest&) = default;
};

struct ClaimReadyQueuedWorkByBatchIdsRequest {
  std::string session_id;
  SessionExecutionLeaseFence session_execution_lease;
  LeaseOwnerIdentity owner;
  QueuedWorkClaimBoundary boundary = QueuedWorkClaimBoundary::kIdle;
  DurationMs lease_ttl_ms = 0;
  std::vector<std::string> batch_ids;
  friend bool operator==(const ClaimReadyQueuedWorkByBatchIdsRequest&, const ClaimReadyQueuedWorkByBatchIdsRequest&) = default;
};

struct RenewQueuedWorkClaimRequest {
  QueuedWorkClaim claim;
  DurationMs lease_ttl_ms = 0;
  friend bool operator==(const RenewQueuedWorkClaimRequest&, const RenewQueuedWorkClaimRequest&) = default;
};

struct AbandonQueuedWorkClaimRequest {
  QueuedWorkClaim claim;
  friend bool operator==(const AbandonQueuedWorkClaimRequest&, const AbandonQueuedWorkClaimRequest&) = default;
};

struct CancelQueuedWorkBatchRequest {
  std::string session_id;
  std::string batch_id;
  friend bool operator==(const CancelQueuedWorkBatchRequest&, const CancelQueuedWorkBatchRequest&) = default;
};

struct ListQueuedWorkRequest {
  std::string session_id;
  friend bool operator==(const ListQueuedWorkRequest&, const ListQueuedWorkRequest&) = default;
};

struct ListPendingQueuedWorkRequest {
  std::string session_id;
  friend bool operator==(const ListPendingQueuedWorkRequest&, const ListPendingQueuedWorkRequest&) = default;
};

// The lane.

struct TryClaimSessionExecutionLeaseRequest {
  std::string session_id;
  LeaseOwnerIdentity owner;
  DurationMs lease_ttl_ms = 0;
  friend bool operator==(const TryClaimSessionExecutionLeaseRequest&, const TryClaimSessionExecutionLeaseRequest&) = default;
};

struct ReclaimSessionExecutionLeaseRequest {
  std::string session_id;
  LeaseOwnerIdentity owner;
  SessionExecutionLeaseFence observed_holder;
  DurationMs lease_ttl_ms = 0;
  friend bool operator==(const ReclaimSessionExecutionLeaseRequest&, const ReclaimSessionExecutionLeaseRequest&) = default;
};

struct RenewSessionExecutionLeaseRequest {
  SessionExecutionLeaseFence fence;
  DurationMs lease_ttl_ms = 0;
  friend bool operator==(const RenewSessionExecutionLeaseRequest&, const RenewSessionExecutionLeaseRequest&) = default;
};

struct ReleaseSessionExecutionLeaseRequest {
  SessionExecutionLeaseCompletion completion;
  friend bool operator==(const ReleaseSessionExecutionLeaseRequest&, const ReleaseSessionExecutionLeaseRequest&) = default;
};

// The commit.

struct CommitRuntimeStateRequest {
  RuntimeCommit commit;
  friend bool operator==(const CommitRuntimeStateRequest&, const CommitRuntimeStateRequest&) = default;
};

struct LoadSessionRequest {
  SessionReadScope scope;
  friend bool operator==(const LoadSessionRequest&, const LoadSessionRequest&) = default;
};

class SessionStore {
 public:
  virtual ~SessionStore() = default;

  // Stores a batch at the end of its session's queue and returns it: the draft's fields verbatim, its payloads in order as items
  // with ids of their own, an enqueue_seq above that of every batch now in the queue, enqueued_at_ms = now. Needs no lane.
  // Visible to the lists at once, deferred or not. Drafts without payloads, or with a mix of classes, are stored too.
  // [QW-ENQ-1,2,3,9,10] A draft whose source_key equals that of a batch still stored in the session, claimed or deferred as it
  // may be, inserts nothing and returns that batch as it is, whatever else the draft says. Settling or cancelling the batch frees
  // its key; other sessions' keys and drafts without a key never meet. [QW-ENQ-4..8]
  virtual Result<QueuedWorkBatch> EnqueueQueuedWork(const EnqueueQueuedWorkRequest& request) = 0;

  // Claims the head if it is a session command: exactly that batch, whatever its policies. None where the head is turn work or
  // there are no candidates; deferred and live-claimed batches in front are no candidates. [QW-CMD-2..7]
  // Errors: SessionExecutionLeaseExpired{session_id} unless the fence is of this session and valid, checked first [QW-CMD-1];
  // Backend while any candidate is classless [QW-CLM-17].
  virtual Result<std::optional<QueuedWorkClaim>> ClaimLeadingReadySessionCommand(
      const ClaimLeadingReadySessionCommandRequest& request) = 0;

  // Claims the next turn work. None where max_batches is 0 (before any check), there are no candidates, the head is a command, or
  // the boundary is kActiveTurnCheckpoint and the head's delivery policy is not kEarliestSafeBoundary; nothing behind such a head
  // is searched for. [QW-CLM-1,3,4,5]
  // An Exclusive head is granted alone. A Join head is granted with the longest run of following candidates that are turn work,
  // Join and equal in delivery policy and merge key, at most max_batches in all. Candidates only: a deferred or live-claimed
  // batch in between neither joins nor ends the run. [QW-CLM-6..9] The grant: claimed_at = now, expires_at = now + lease_ttl_ms
  // (saturating), a fresh claim_id and lease_token, a fencing_token above every earlier one of the same head, the batches in
  // order and unchanged. They leave the pending list and stay in the list. With a ttl of 0 the claim has lapsed already, yet
  // settles or renews until someone takes or cancels the batches. Earlier claims over a granted batch are stale from here on. The
  // owner is recorded, not compared with the fence's; the claim survives the loss of the lane; two claims of one session may be
  // live over different batches. [QW-CLM-10..16,18..21] Errors: as ClaimLeadingReadySessionCommand. [QW-CLM-2,17]
  virtual Result<std::optional<QueuedWorkClaim>> ClaimReadyQueuedWork(const ClaimReadyQueuedWorkRequest& request) = 0;

  // Claims exactly these batches, if a ClaimReadyQueuedWork with max_batches = the number of ids would grant exactly them in this
  // order; else none, and the queue is pending as before (fencing tokens may have risen). An empty list gives none before any
  // check. It never skips earlier work; a prefix of a group may be asked for. Errors as ClaimReadyQueuedWork. [QW-IDS-1..7]
  virtual Result<std::optional<QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const ClaimReadyQueuedWorkByBatchIdsRequest& request) = 0;

  // Extends (or shortens) a claim: all its batches now expire at now + lease_ttl_ms. Returns the passed claim with only
  // expires_at_epoch_ms changed. A lapsed claim that nobody took, cancelled or abandoned is live again. Needs no lane; owner and
  // fencing_token of the passed claim are not compared. [QW-REN-1,2,4,6,7,8]
  // Errors: QueuedWorkClaimExpired{session_id, claim_id} unless the session's batches owned by this claim_id and lease_token are
  // as many as the passed claim has. [QW-REN-3,5]
  virtual Result<QueuedWorkClaim> RenewQueuedWorkClaim(const RenewQueuedWorkClaimRequest& request) = 0;

  // Gives back every batch that the claim still owns; they are pending at once, in their old places, and their next claim has a
  // larger fencing_token. A claim that owns nothing any more has no effect. Needs no lane, works on lapsed claims, never touches
  // a newer claim, never fails. [QW-ABN-1..5]
  virtual Result<Done> AbandonQueuedWorkClaim(const AbandonQueuedWorkClaimRequest& request) = 0;

  // Removes a pending batch for good, frees its source_key and returns it as stored. None where it is under a live claim (even of
  // a dead holder), missing, settled, cancelled, or of another session. Needs no lane. [QW-CAN-1,2,3,5] A claim that lost a batch
  // so can neither be renewed nor completed whole. [QW-CAN-4]
  virtual Result<std::optional<QueuedWorkBatch>> CancelQueuedWorkBatch(const CancelQueuedWorkBatchRequest& request) = 0;

  // All stored batches of the session, claimed and deferred ones too, in ascending enqueue_seq; empty for an unknown session.
  // Never changes anything. [QW-LST-1,2]
  virtual Result<std::vector<QueuedWorkBatch>> ListQueuedWork(const ListQueuedWorkRequest& request) = 0;

  // The list without the batches under a live claim. Lapsed claims count as pending, a dead holder's live claim does not,
  // deferred batches are included. Never changes anything. [QW-PND-1..3]
  virtual Result<std::vector<QueuedWorkBatch>> ListPendingQueuedWork(const ListPendingQueuedWorkRequest& request) = 0;

  // Takes the lane if it is free or lapsed: fencing_token = the previous + 1 (the first is 1), a new token, claimed_at = now,
  // expires_at = now + lease_ttl_ms (saturating). A live lane of the same incarnation is re-entered: same token, fencing_token
  // and claimed_at, expires_at set anew, earlier or later. Any other live lane, even of a dead holder: Busy with the holder, and
  // no change. Sessions' lanes are independent. [EL-TRY-1..7]
  virtual Result<SessionExecutionLeaseClaimOutcome> TryClaimSessionExecutionLease(
      const TryClaimSessionExecutionLeaseRequest& request) = 0;

  // Takes the lane of a dead holder. A free or lapsed lane is acquired as by TryClaimSessionExecutionLease, whatever
  // observed_holder says. A live lane is acquired if observed_holder is of this session and matches it exactly, and the holder is
  // definitely dead for `owner`; else Busy with the holder (there is no re-entry on this path). [EL-RCL-1..4]
  virtual Result<SessionExecutionLeaseClaimOutcome> ReclaimSessionExecutionLease(
      const ReclaimSessionExecutionLeaseRequest& request) = 0;

  // Sets the expiry of a held lane to now + lease_ttl_ms, 0 included; token, fencing_token and claimed_at stay. [EL-REN-1,3]
  // Errors: SessionExecutionLeaseExpired{fence.session_id} unless the fence is valid; a lapsed lane is not revived. [EL-REN-2]
  virtual Result<SessionExecutionLease> RenewSessionExecutionLease(const RenewSessionExecutionLeaseRequest& request) = 0;

  // Frees the lane if the completion matches it, lapsed or not, and keeps its fencing counter; else no effect. Never fails.
  // [EL-REL-1,2]
  virtual Result<Done> ReleaseSessionExecutionLease(const ReleaseSessionExecutionLeaseRequest& request) = 0;

  // Settles, all or nothing. The checks, in this order; the first that fails is the answer:
  //   1. SessionBindingMismatch: the store committed for another session before. The first success binds. [SC-CMT-1]
  //   2. RuntimeTurnCommitConflict: the stamp names another session than the commit. [SC-CMT-2]
  //   3. The stamp's (session, turn) is recorded with this hash: a *replay*. Returns the recorded result and honours the release;
  //      nothing else is checked or changed. With another hash: RuntimeTurnCommitConflict. [SC-CMT-3,4]
  //   4. SessionExecutionLeaseExpired: no fence, or not a valid one of this session. [SC-CMT-5]
  //   5. HeadRevisionConflict: expected_head_revision is given and not the current one (0 before any commit). [SC-CMT-6]
  //   6. QueuedWorkClaimExpired{completion's session_id and claim_id}: a completion of another session, or that names a batch
  //      which its claim_id and lease_token do not own; no time is consulted, a lapsed claim that nobody took settles. A
  //      duplicate id, or the same completion twice, is an error too; an empty completion is not.
  //      [SC-CMT-7,8,9,14; QW-LAT-2,4,5]
  //   7. TurnInputClaimExpired{completion's session_id and claim_id}: the same of completed_turn_input_claims and the rows that
  //      they name. [TI-CMT-1,4,5,9; TI-LAT-6,7,12]
  // On success, in one step: the body is stored, head_revision is the previous + 1, the listed batches are gone (the rest of a
  // claim completed in part stays claimed), the stamp and its result are recorded, and the lane is freed if the release matches
  // it (otherwise it is silently left alone). The listed turn inputs become Completed and leave their claims, ingress, seq and
  // key unchanged; then, where interrupted_turn_input_turn_id is t, every row of the session that is still PendingActive for
  // turn t becomes DeferredNextTurn with ingress NextTurn, whatever its min_boundary, and keeps its id, seq, key, time and
  // payload. Accepted rows, other turns', and t's rows enqueued later are not touched, and nothing but a completion frees a
  // claimed row. Whoever holds the lane may settle a claim, whoever took it. A failure changes nothing at all and
  // records no stamp. [SC-CMT-10..13,15,16; QW-LAT-1; TI-CMT-2,3,6..8,10..15]
  virtual Result<RuntimeCommitResult> CommitRuntimeState(const CommitRuntimeStateRequest& request) = 0;

  // What the last successful commit left, or none before the first. The scope does not matter in this family.
  virtual Result<std::optional<LoadedSession>> LoadSession(const LoadSessionRequest& request) = 0;

  // Stores a turn input and returns it: the draft's session, key, ingress and payload verbatim; input_id the draft's, or a fresh
  // one; an enqueue_seq above that of every row ever enqueued in the session, whatever became of it; enqueued_at_ms = now; state
  // PendingActive for a turn, DeferredNextTurn for the next one. Needs no lane, and the turn is not validated: it may have ended,
  // or never be. [TI-ENQ-1,2,3,4,5,15]
  // A draft whose source_key equals that of a row of the session, in whatever state, inserts and changes nothing. Where the
  // draft's ingress, as it was submitted for that row, and payload are the same, the row is returned as it is now: a claimed row
  // stays claimed, a tombstone is not revived, and the draft's input_id does not matter. An interrupt that rewrote the ingress
  // since does not matter either (TI-LAT-4; upstream compares with the rewritten one). Vacuum frees the keys of the tombstones it
  // removes; other sessions' keys and drafts without a key never meet. [TI-ENQ-6,8,10,11,12,13,16]
  // Errors: PendingTurnInputSourceKeyConflict{session_id, source_key, existing_input_id} where ingress or payload differ, also
  // from a tombstone's [TI-ENQ-7,9]; Backend where the draft's input_id is that of a row of the store, of any session, a
  // tombstone included (a matching key is decided first) [TI-ENQ-14, TI-LAT-3].
  virtual Result<PendingTurnInput> EnqueuePendingTurnInput(const EnqueuePendingTurnInputRequest& request) = 0;

  // The session's listed rows, both kinds interleaved in ascending enqueue_seq; empty for an unknown session. Accepted rows are
  // not among them, even under a lapsed claim, nor are rows of a dead holder whose claim is live. Never changes anything.
  // [TI-LST-1..8]
  virtual Result<std::vector<PendingTurnInput>> ListPendingTurnInputs(const ListPendingTurnInputsRequest& request) = 0;

  // Cancels the rows of the session that the targets name. One result a target, in their order, each target echoed and decided
  // on what the ones before it left: [TI-CAN-1,3]
  //   Cancelled(row)         a listed row; it becomes Cancelled, its ingress stays, and a lapsed claim over it loses it
  //   [TI-CAN-5] AlreadyClaimed(row)    DeferredNextTurn under a live claim, or Accepted even under a lapsed one; with the row's
  //   state, the
  //                          claim's id, owner and expiry, and the row's counter; nothing changes [TI-CAN-6,7,12]
  //   AlreadyCompleted(row), AlreadyCancelled(row)     a tombstone [TI-CAN-8]
  //   NotFound               no row of this session; the other targets are cancelled all the same [TI-CAN-4,9]
  // All of it at one instant and at one `now`. Needs no lane. A claim that lost a row so can no longer complete it, and
  // abandoning it does not touch the row. [TI-CAN-2,10,11]
  virtual Result<std::vector<PendingTurnInputCancelResult>> CancelPendingTurnInputs(
      const CancelPendingTurnInputsRequest& request) = 0;

  // Provided: exactly CancelPendingTurnInputs with the one target input_id; a source_key is not looked for. [TI-CAN1-1,2]
  virtual Result<PendingTurnInputCancelOutcome> CancelPendingTurnInput(const CancelPendingTurnInputRequest& request);

  // Cancels the anchor and everything behind it: all rows of the session with an enqueue_seq not below the anchor's, whatever
  // their state, turn or key. One outcome for each, in order, decided as by CancelPendingTurnInputs; a claimed or terminal row
  // among them, the anchor included, is reported and stops nothing. All of it at one instant. SuffixAnchorNotFound where the
  // anchor names no row of this session; then nothing changes. [TI-SFX-1..8]
  virtual Result<PendingTurnInputSuffixCancelOutcome> CancelPendingTurnInputSuffix(
      const CancelPendingTurnInputSuffixRequest& request) = 0;

  // Claims what was said to the running turn: the first max_inputs rows, by enqueue_seq, that are PendingActive for exactly this
  // turn_id and whose min_boundary the checkpoint admits (CheckpointKind); others in front are passed over. None where
  // max_inputs is 0 (before any check), or there is no such row. [TI-ACT-1,3,4,5,8,9,10]
  // The rows become Accepted. The grant: claimed_at = now, expires_at = now + lease_ttl_ms (saturating), a fresh claim_id and
  // lease_token, a fencing_token above the counter of every row, which all take it (TI-LAT-5), the mode as asked, the rows in
  // order and Accepted. With a ttl of 0 the claim has lapsed already, and completes all the same. The owner is recorded, not
  // compared with the fence's. [TI-ACT-6,7,11,12]
  // A row that is Accepted already is not taken, live or lapsed; where the store declares `reacquire` (TI-LAT-1) a lapsed one of
  // this turn is, at a checkpoint that admits it, and the old claim loses it.
  // Errors: SessionExecutionLeaseExpired{session_id} unless the fence is of this session and valid. [TI-ACT-2]
  virtual Result<std::optional<TurnInputClaim>> ClaimActiveTurnInputs(const ClaimActiveTurnInputsRequest& request) = 0;

  // Claims what is to open the next turn: the first max_inputs rows, by enqueue_seq, that are DeferredNextTurn and unclaimed,
  // under a lapsed claim, or held by an owner that is definitely dead as seen by `owner` (TI-LAT-16). A row under a live claim,
  // even the caller's own, is passed over. None as ClaimActiveTurnInputs. The rows stay DeferredNextTurn; the grant is otherwise
  // that of ClaimActiveTurnInputs. A claim that loses some of its rows so keeps the others. Errors: as ClaimActiveTurnInputs.
  // [TI-NXT-1..10]
  virtual Result<std::optional<TurnInputClaim>> ClaimNextTurnInputs(const ClaimNextTurnInputsRequest& request) = 0;

  // Gives back every row of the session that the claim still owns, whatever its `inputs` say: Accepted ones become PendingActive
  // again, others keep their state; all are listed, cancellable and claimable at once, and keep their counters. A claim that owns
  // nothing any more has no effect. Needs no lane, works on lapsed claims, never touches a newer claim, never fails.
  // [TI-ABN-1..8]
  virtual Result<Done> AbandonTurnInputClaim(const AbandonTurnInputClaimRequest& request) = 0;

  // Removes the tombstones of all sessions (where the store declares `own_session`, TI-LAT-13: of the one it is bound to, once it
  // is bound) and says how many. Their ids and keys may be used anew, their enqueue_seqs are not; other rows and all claims stay.
  // Needs no lane. removed_node_count is 0 in this family. [TI-VAC-1..4]
  virtual Result<VacuumReport> Vacuum(const VacuumRequest& request) = 0;
};

}  // namespace session_store

template <>
inline constexpr auto kFields<session_store::EnqueueQueuedWorkRequest> = std::make_tuple(Field{
    "batch", &session_store::EnqueueQueuedWorkRequest::batch});
template <>
inline constexpr auto kFields<session_store::ClaimLeadingReadySessionCommandRequest> = std::make_tuple(
    Field{"session_id", &session_store::ClaimLeadingReadySessionCommandRequest::session_id},
    Field{"session_execution_lease", &session_store::ClaimLeadingReadySessionCommandRequest::session_execution_lease},
    Field{"owner", &session_store::ClaimLeadingReadySessionCommandRequest::owner},
    Field{"lease_ttl_ms", &session_store::ClaimLeadingReadySessionCommandRequest::lease_ttl_ms});
template <>
inline constexpr auto kFields<session_store::ClaimReadyQueuedWorkRequest> =
    std::make_tuple(Field{"session_id", &session_store::ClaimReadyQueuedWorkRequest::session_id},
                    Field{"session_execution_lease", &session_store::ClaimReadyQueuedWorkRequest::session_execution_lease},
                    Field{"owner", &session_store::ClaimReadyQueuedWorkRequest::owner},
                    Field{"boundary", &session_store::ClaimReadyQueuedWorkRequest::boundary},
                    Field{"lease_ttl_ms", &session_store::ClaimReadyQueuedWorkRequest::lease_ttl_ms},
                    Field{"max_batches", &session_store::ClaimReadyQueuedWorkRequest::max_batches});
template <>
inline constexpr auto kFields<session_store::ClaimReadyQueuedWorkByBatchIdsRequest> = std::make_tuple(
    Field{"session_id", &session_store::ClaimReadyQueuedWorkByBatchIdsRequest::session_id},
    Field{"session_execution_lease", &session_store::ClaimReadyQueuedWorkByBatchIdsRequest::session_execution_lease},
    Field{"owner", &session_store::ClaimReadyQueuedWorkByBatchIdsRequest::owner},
    Field{"boundary", &session_store::ClaimReadyQueuedWorkByBatchIdsRequest::boundary},
    Field{"lease_ttl_ms", &session_store::ClaimReadyQueuedWorkByBatchIdsRequest::lease_ttl_ms},
    Field{"batch_ids", &session_store::ClaimReadyQueuedWorkByBatchIdsRequest::batch_ids});
template <>
inline constexpr auto kFields<session_store::RenewQueuedWorkClaimRequest> =
    std::make_tuple(Field{"claim", &session_store::RenewQueuedWorkClaimRequest::claim},
                    Field{"lease_ttl_ms", &session_store::RenewQueuedWorkClaimRequest::lease_ttl_ms});
template <>
inline constexpr auto kFields<session_store::AbandonQueuedWorkClaimRequest> = std::make_tuple(Field{
    "claim", &session_store::AbandonQueuedWorkClaimRequest::claim});
template <>
inline constexpr auto kFields<session_store::CancelQueuedWorkBatchRequest> =
    std::make_tuple(Field{"session_id", &session_store::CancelQueuedWorkBatchRequest::session_id},
                    Field{"batch_id", &session_store::CancelQueuedWorkBatchRequest::batch_id});
template <>
inline constexpr auto kFields<session_store::ListQueuedWorkRequest> = std::make_tuple(Field{
    "session_id", &session_store::ListQueuedWorkRequest::session_id});
template <>
inline constexpr auto kFields<session_store::ListPendingQueuedWorkRequest> = std::make_tuple(Field{
    "session_id", &session_store::ListPendingQueuedWorkRequest::session_id});
template <>
inline constexpr auto kFields<session_store::TryClaimSessionExecutionLeaseRequest> =
    std::make_tuple(Field{"session_id", &session_store::TryClaimSessionExecutionLeaseRequest::session_id},
                    Field{"owner", &session_store::TryClaimSessionExecutionLeaseRequest::owner},
                    Field{"lease_ttl_ms", &session_store::TryClaimSessionExecutionLeaseRequest::lease_ttl_ms});
template <>
inline constexpr auto kFields<session_store::ReclaimSessionExecutionLeaseRequest> =
    std::make_tuple(Field{"session_id", &session_store::ReclaimSessionExecutionLeaseRequest::session_id},
                    Field{"owner", &session_store::ReclaimSessionExecutionLeaseRequest::owner},
                    Field{"observed_holder", &session_store::ReclaimSessionExecutionLeaseRequest::observed_holder},
                    Field{"lease_ttl_ms", &session_store::ReclaimSessionExecutionLeaseRequest::lease_ttl_ms});
template <>
inline constexpr auto kFields<session_store::RenewSessionExecutionLeaseRequest> =
    std::make_tuple(Field{"fence", &session_store::RenewSessionExecutionLeaseRequest::fence},
                    Field{"lease_ttl_ms", &session_store::RenewSessionExecutionLeaseRequest::lease_ttl_ms});
template <>
inline constexpr auto kFields<session_store::ReleaseSessionExecutionLeaseRequest> = std::make_tuple(Field{
    "completion", &session_store::ReleaseSessionExecutionLeaseRequest::completion});
template <>
inline constexpr auto kFields<session_store::CommitRuntimeStateRequest> = std::make_tuple(Field{
    "commit", &session_store::CommitRuntimeStateRequest::commit});
template <>
inline constexpr auto kFields<session_store::LoadSessionRequest> = std::make_tuple(Field{
    "scope", &session_store::LoadSessionRequest::scope});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_SESSION_STORE_STORE_H_
