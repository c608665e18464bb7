// The runtime_persistence contract: START HERE.
//
// One store holds the *settled* state of one agent session and moves it atomically: the graph of nodes, the head (config, agent
// frames, leaf, revision), the checkpoint with its snapshots, and the token ledger. One commit replaces all of these together,
// and in the same step it removes the queued work that the turn has done, remembers the turn, so that a retry is recognised, and
// stamps the attachments that the new state refers to. Work in flight is not the store's business.
//
// Beside the state there is a durable queue of incoming work, which hosts fill and the session's runtime claims under a lease
// with a ttl, and a write-ahead list of attachments. The store is bound to one session by its first accepted commit, and only
// commits are: queue and attachments carry their own session ids, which are not compared with the binding.
//
//   HEAD        none, revision 0 --accepted commit--> revision 1 --accepted commit--> revision 2 ...
//               A rejected or replayed commit moves nothing, and neither does any other call.
//   NODE        absent --Append, ReplaceFull--> live --tombstone--> tombstoned --vacuum--> absent
//               tombstoned --ReplaceFull or Append with its id--> live        live, tombstoned --ReplaceFull without it--> absent
//   BATCH       enqueue --> pending --claim--> claimed --commit that completes it--> gone
//               claimed --abandon, or expires <= now--> pending        pending --cancel--> gone
//               An expired batch is pending, and yet still owned by its claim until another claim takes it or it is cancelled.
//   ATTACHMENT  absent --record_intent--> intent --commit_refs, or a commit that names it--> committed
//               any --forget--> absent
//
// Words used below, all judged at `now`, the store's clock read once per call:
//   head       the state that the last accepted commit left; its *leaf* is the node at which the conversation goes on.
//   live       of a node: stored and not tombstoned. Of a claim: expires > now; at expires == now it has lapsed.
//   candidate  a batch of the session with available_at_ms <= now that is under no live claim, in order of enqueue_seq. The first
//              is the *head of the queue*.
//   owned      a batch whose claim record has exactly this session, claim_id and lease_token.
//   replay     a commit whose stamp (session, turn) an accepted commit had before, with the same hash.
//
// Thread safety: every method may be called from any thread at any time and takes effect at one instant between call and return.
// Ownership: requests are borrowed for the call, responses are values of the caller.
// Errors are values (values.h, StoreError). Every error, and every answer "none", leaves the store exactly as it was, except that
// a claim by ids that found something else may have advanced fencing tokens. `Backend` stands for what the contract does not
// name; where a method's comment does not demand it, a call may answer it, without effect, for trouble such as a disk that fails,
// and a conforming store does not otherwise.
//
//   ManualClock clock(1000);
//   memstore::RuntimePersistence store({.clock = &clock});
//   RuntimeCommit commit;
//   commit.session_id = "s";
//   commit.expected_head_revision = 0;
//   commit.graph = Append{{first_node}, first_node.node_id};
//   auto result = store.CommitRuntimeState({commit});  // head_revision 1
//   auto read = store.LoadSession({ActivePath{}});        // the path from the root to first_node
//
// A backend overrides the eight methods that are pure here and, where it keeps attachments, the four of the manifest; else it
// derives from NoopAttachmentManifest<RuntimePersistence>. The other nine have a default: that of a store without a queue.
//
// Source: shared/contracts/runtime-persistence.md; the ids in brackets are its clauses.
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_STORE_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_STORE_H_

#include <optional>
#include <vector>

#include "model/runtime_persistence/requests.h"
#include "model/runtime_persistence/values.h"
#include "tl/expected.hpp"

namespace leasecheck::runtime_persistence {

template <class Response>
using Result = tl::expected<Response, StoreError>;

// The write-ahead list of attachments. A session records the *intent* to write an attachment before it writes the bytes; the
// commit that refers to the attachment stamps the row. Rows that stay without a stamp name bytes that may be collected. A row
// belongs to a session and an attachment id; rows of several sessions may have one id.
class AttachmentManifest {
 public:
  virtual ~AttachmentManifest() = default;

  // Stores the intent as a row without a stamp. Where the session has a row of this id, its uri and its time become those of the
  // intent and its stamp stays; an equal intent therefore changes nothing. [AM-INT-1..3]
  virtual Result<Done> RecordIntent(const RecordIntentRequest& request) = 0;

  // Stamps the session's rows of these ids with now. Ids without a row of this session are passed over and not remembered: an
  // intent that comes later has no stamp. A stamp that is there stays. An empty list does nothing. [AM-CMT-1..3]
  virtual Result<Done> CommitRefs(const CommitRefsRequest& request) = 0;

  // Every row of every session that has no stamp and whose intent is not later than older_than_epoch_ms, in any order.
  // [AM-UNC-1..3]
  virtual Result<std::vector<AttachmentManifestEntry>> ListUncommitted(const ListUncommittedRequest& request) = 0;

  // Removes every row of this attachment id, stamped or not, whatever its session; an unknown id does nothing. A later intent
  // starts without a stamp. [AM-FGT-1..3]
  virtual Result<Done> Forget(const ForgetRequest& request) = 0;
};

class RuntimePersistence : public AttachmentManifest {
 public:
  // Required: settled state.

  // The head with as much of the graph as `scope` asks for, all from one revision; none before the first accepted commit,
  // whatever meta or queued work there is. [RP-LDS-1,2,12,14] FullGraph: every live node of every branch in storage order, and
  // the head's leaf. [RP-LDS-3,4] ActivePath: the leaf that it names, or else the head's, with its ancestors, root first;
  // siblings are not on the path. The path ends, without an error, at a parent that does not exist or is tombstoned, and at one
  // that is on it already. A leaf that is not a live node, or no leaf, gives no nodes; the answer's leaf is the asked one in any
  // case, and the stored one does not change. [RP-LDS-5..9,11] Tombstoned nodes are never shown. [RP-LDS-10] Snapshots come back
  // as they were committed; one that was named only, and whose blob is not there, reads none. [RP-LDS-13, RP-CMT-22] Errors: none
  // of the contract's; UnsupportedReadScope from a store that cannot read paths at all.
  virtual Result<std::optional<PersistedSessionRead>> LoadSession(const LoadSessionRequest& request) = 0;

  // The live node of this id, on whatever branch; none where it is unknown or tombstoned, and before the first commit. Never an
  // error. [RP-LDN-1,2]
  virtual Result<std::optional<SessionNodeRecord>> LoadNode(const LoadNodeRequest& request) = 0;

  // Commits, all or nothing. The checks, in this order; the first that fails is the answer:
  //   1. SessionBindingMismatch: the store is bound to another session. [RP-CMT-2]
  //   2. RuntimeTurnCommitConflict: the stamp names another session than the commit. [RP-CMT-7]
  //   3. The stamp's (session, turn) was accepted before, with this hash: a replay. Returns the result that it had then, field
  //      for field, and changes nothing; nothing else is looked at. With another hash: RuntimeTurnCommitConflict. [RP-CMT-8,9,11]
  //   4. HeadRevisionConflict{expected, actual}: expected_head_revision is given and not the current one; 0 stands for "no head".
  //      [RP-CMT-4,5]
  //   5. QueuedWorkClaimExpired{completion's session_id and claim_id}: a completion of another session, or that names a batch
  //      which its session, claim_id and lease_token do not own, or a batch named twice. No time is consulted: a lapsed claim
  //      that nobody took completes. Naming some of a claim's batches is allowed, and the rest stays claimed. [RP-CMT-23,25..27]
  //   6. Backend: Append of a node that is live, or a list that names a node twice. [RP-CMT-14,16]
  // On success, in one step: the first commit binds the store; head_revision is the previous + 1; the graph delta, and its leaf,
  // are applied (Append puts nodes at the end, a tombstoned id among them becomes a new live node there; ReplaceFull makes the
  // graph exactly the given one; a parent or leaf need not exist); config, frames, current frame and checkpoint replace what was
  // there; usage is added to the ledger; the completed batches are gone; the stamp and the result are recorded for good; the rows
  // (session, id) of committed_attachment_ids get a stamp if they have none. Meta is not touched.
  // [RP-CMT-1,3,6,13,15,17,20,28,29] A commit without a turn stamp is never recognised again. [RP-CMT-12] A rejected one records
  // nothing. [RP-CMT-3,10,24] The ledger has one entry a (source, model), in the order of the first entry that counted: fields
  // are added up, an entry of four zeros does not count. [RP-CMT-18,19] The result's manifest names the snapshots: inline ones by
  // the store's own refs, others by the caller's. [RP-CMT-21,22]
  virtual Result<RuntimeCommitResult> CommitRuntimeState(const CommitRuntimeStateRequest& request) = 0;

  // Keeps the meta as it is given, in place of any before. One a store, not compared with the binding, allowed before the first
  // commit. [RP-MET-3]
  virtual Result<Done> SaveSessionMeta(const SaveSessionMetaRequest& request) = 0;
  // The meta that was saved last, or none. [RP-MET-1,2]
  virtual Result<std::optional<SessionMeta>> LoadSessionMeta(const LoadSessionMetaRequest& request) = 0;

  // Hides these live nodes from every read at once; their children stay, head and leaf stay. Ids that are unknown, repeated or
  // tombstoned already are passed over and leave no mark: a later Append of such an id is visible. [RP-TMB-1..5]
  virtual Result<Done> TombstoneNodes(const TombstoneNodesRequest& request) = 0;

  // Removes tombstoned nodes and says how many; no read changes. A store that leaves them for later says 0. [RP-VAC-1..5]
  virtual Result<VacuumReport> Vacuum(const VacuumRequest& request) = 0;

  // Removes the blobs that the head does not reach: from its checkpoint over the refs in that, and from its agent frames. Old
  // results and old checkpoints keep nothing. No read changes; repeated at once it deletes nothing. A store may keep more.
  // [RP-GC-1..5]
  virtual Result<GcReport> GcUnreachable(const GcUnreachableRequest& request) = 0;

  // Provided: durability and the queue.

  // kDurable where everything that was acknowledged survives closing and opening. The same for the life of the store.
  // Default: kInline. [RP-DUR-1..3, RP-DEF-1]
  virtual Result<DurabilityTier> GetDurabilityTier(const DurabilityTierRequest& request);

  // Stores a batch at the end of the queue and returns it: the draft's fields verbatim, its payloads in order as items, a new
  // batch_id, an enqueue_seq above every one that the store ever gave, enqueued_at = now. Batches without payloads are stored
  // too. [RP-ENQ-1,2,3,6] A draft whose source_key equals that of a batch which the session has stored, claimed or not, stores
  // nothing and returns that batch as it is; completing or cancelling the batch frees the key. [RP-ENQ-4,5] Default: Backend,
  // always: a store without a queue is loud rather than losing work. [RP-DEF-2]
  virtual Result<QueuedWorkBatch> EnqueueQueuedWork(const EnqueueQueuedWorkRequest& request);

  // Claims the next work. None where max_batches is 0, there are no candidates, or the boundary is kActiveTurnCheckpoint and the
  // head of the queue is kAfterCurrentTurnCommit; nothing behind it is searched for. [RP-CLM-1..4]
  // An Exclusive head is granted alone. A Join head is granted with the following candidates as long as they are Join and equal
  // in delivery policy and merge key, at most max_batches in all; what is no candidate in between neither joins nor ends the
  // group. [RP-CLM-5..7] The grant: claimed_at = now, expires_at = now + lease_ttl_ms (saturating), a claim_id never used before,
  // a lease_token, and a fencing_token above every earlier one of a granted batch, whatever ended those claims. Claims that had
  // the batches lose them. With a ttl of 0 the claim has lapsed already. The owner id is recorded and never compared. No head,
  // lane or binding is asked for, and other sessions' batches are never touched. [RP-CLM-8..15] Default: Backend, always, for
  // max_batches 0 too. [RP-DEF-3]
  virtual Result<std::optional<QueuedWorkClaim>> ClaimReadyQueuedWork(const ClaimReadyQueuedWorkRequest& request);

  // Claims exactly these batches, if a ClaimReadyQueuedWork with max_batches = the number of ids would grant exactly them, in
  // this order; else none, and all of them are pending as before, though fencing tokens may have risen. An empty list gives none
  // and does not touch the store. It never skips earlier work. [RP-IDS-1..4] Default: ClaimReadyQueuedWork, then
  // AbandonQueuedWorkClaim where the answer is something else, and their errors; so a store that overrides those two need not
  // override this. [RP-DEF-4,10]
  virtual Result<std::optional<QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const ClaimReadyQueuedWorkByBatchIdsRequest& request);

  // Makes the batches that the claim owns expire at now + lease_ttl_ms, earlier or later than before, and returns the passed
  // claim with that expiry. A lapsed claim that nobody took is live again. [RP-REN-1,3] Errors:
  // QueuedWorkClaimExpired{session_id, claim_id} unless it owns as many batches as the passed claim has, at least one; nothing
  // changes then. [RP-REN-2] Default: QueuedWorkClaimExpired, always, as a store that never granted one. [RP-DEF-5]
  virtual Result<QueuedWorkClaim> RenewQueuedWorkClaim(const RenewQueuedWorkClaimRequest& request);

  // Gives back every batch that the claim still owns, at once. A claim that owns nothing has no effect, and a newer claim is
  // never touched. Never fails. [RP-ABN-1,2] Default: nothing. [RP-DEF-6]
  virtual Result<Done> AbandonQueuedWorkClaim(const AbandonQueuedWorkClaimRequest& request);

  // Removes a batch of the session that is under no live claim, deferred ones too, and returns it. None where it is under a live
  // claim, gone, or another session's: then it was claimed or completed, and a caller must not restore a draft of it. A lapsed
  // claim that lost a batch so cannot complete it. [RP-CAN-1..4] Default: none. [RP-DEF-7]
  virtual Result<std::optional<QueuedWorkBatch>> CancelQueuedWorkBatch(const CancelQueuedWorkBatchRequest& request);

  // All batches of the session, claimed and deferred ones too, by enqueue_seq. [RP-LST-1] Default: no batches. [RP-DEF-8]
  virtual Result<std::vector<QueuedWorkBatch>> ListQueuedWork(const ListQueuedWorkRequest& request);

  // The same without the batches under a live claim. [RP-PND-1] Default: whatever ListQueuedWork answers. [RP-DEF-9]
  virtual Result<std::vector<QueuedWorkBatch>> ListPendingQueuedWork(const ListPendingQueuedWorkRequest& request);
};

// A manifest for stores with no attachment story: every call succeeds, and nothing is ever listed. Such a store declares the
// dialect AM-NOP-1 = noop. [AM-NOP-1]
//
//   class MyStore : public NoopAttachmentManifest<RuntimePersistence> { ... the eight ... };
template <class Base>
class NoopAttachmentManifest : public Base {
 public:
  Result<Done> RecordIntent(const RecordIntentRequest&) override { return Done{}; }
  Result<Done> CommitRefs(const CommitRefsRequest&) override { return Done{}; }
  Result<std::vector<AttachmentManifestEntry>> ListUncommitted(const ListUncommittedRequest&) override {
    return std::vector<AttachmentManifestEntry>();
  }
  Result<Done> Forget(const ForgetRequest&) override { return Done{}; }
};

}  // namespace leasecheck::runtime_persistence

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_STORE_H_
