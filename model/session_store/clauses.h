// The clauses of the session_store contract (queued-work.md, 3 and 5), each in one sentence of our own, with who judges it and
// which senses a run has to reach. In code a clause is named by its id: Clause<"QW-CLM-14">().
#ifndef LEASECHECK_MODEL_SESSION_STORE_CLAUSES_H_
#define LEASECHECK_MODEL_SESSION_STORE_CLAUSES_H_

#include <cstddef>
#include <iterator>

#include "model/clause.h"

namespace leasecheck::session_store {

// id, sentence, checked by, a run must reach "held", a run must reach "refused", reason.
inline constexpr ClauseInfo kClauses[] = {
    // enqueue_queued_work
    {"QW-ENQ-1",
     "Enqueue returns the stored batch: the draft's fields as given, its payloads in order, and ids, number and time by the "
     "store.",
     CheckedBy::kSpec, true, false},
    {"QW-ENQ-2", "Enqueue needs no lane and works while other batches of the queue are claimed.", CheckedBy::kSpec, true, false},
    {"QW-ENQ-3", "A new batch gets an enqueue_seq above that of every batch then in its session's queue.", CheckedBy::kSpec, true,
     false},
    {"QW-ENQ-4",
     "While a batch with the same source_key is stored in the session, enqueue inserts nothing and returns that batch unchanged.",
     CheckedBy::kSpec, true, false},
    {"QW-ENQ-5", "A source_key also finds its batch while that batch is claimed, lapsed or deferred.", CheckedBy::kSpec, true,
     false},
    {"QW-ENQ-6", "Once its batch is settled or cancelled, a source_key creates a new, different batch.", CheckedBy::kSpec, true,
     false},
    {"QW-ENQ-7", "The same source_key in another session is another key.", CheckedBy::kSpec, true, false},
    {"QW-ENQ-8", "Drafts without a source_key are never taken for one another, even if equal and in the same millisecond.",
     CheckedBy::kSpec, true, false},
    {"QW-ENQ-9", "Drafts without payloads, or with a mix of classes, are accepted and listed.", CheckedBy::kSpec, true, false,
     "a store may reject them instead (QW-LAT-12)"},
    {"QW-ENQ-10", "An enqueued batch is visible to both lists at once, deferred or not.", CheckedBy::kSpec, true, false},

    // claim_leading_ready_session_command
    {"QW-CMD-1", "A command claim first checks the fence, and fails without effect unless it is the session's live lane.",
     CheckedBy::kSpec, true, true},
    {"QW-CMD-2", "A command claim grants exactly when the first claimable batch is a session command.", CheckedBy::kSpec, true,
     true},
    {"QW-CMD-3", "A session command behind claimable turn work is not granted.", CheckedBy::kSpec, false, true},
    {"QW-CMD-4", "A command claim takes one batch, whatever policies it has and whatever follows it.", CheckedBy::kSpec, true,
     false},
    {"QW-CMD-5", "A command claim does not look at the delivery policy.", CheckedBy::kSpec, true, false},
    {"QW-CMD-6", "A command claim on a queue without claimable batches answers none.", CheckedBy::kSpec, false, true},
    {"QW-CMD-7", "Deferred or live-claimed batches in front of a session command do not block it.", CheckedBy::kSpec, true,
     false},

    // claim_ready_queued_work
    {"QW-CLM-1", "A claim of at most 0 batches answers none before any check.", CheckedBy::kSpec, false, true},
    {"QW-CLM-2", "A work claim checks the fence, and fails without effect unless it is the session's live lane.",
     CheckedBy::kSpec, true, true},
    {"QW-CLM-3", "A work claim answers none while the first claimable batch is not turn work.", CheckedBy::kSpec, false, true},
    {"QW-CLM-4",
     "At a checkpoint a claim is granted only if the head may be delivered at the earliest safe boundary; nothing behind it is "
     "searched.",
     CheckedBy::kSpec, true, true},
    {"QW-CLM-5", "When the session is idle, both delivery policies are granted.", CheckedBy::kSpec, true, false},
    {"QW-CLM-6", "An exclusive head is granted alone, whatever max_batches.", CheckedBy::kSpec, true, false},
    {"QW-CLM-7", "A join head is granted with the longest run of following claimable batches that match it, up to max_batches.",
     CheckedBy::kSpec, true, false},
    {"QW-CLM-8", "A deferred or live-claimed batch inside a group is skipped and does not end the group.", CheckedBy::kSpec, true,
     false},
    {"QW-CLM-9", "A batch is ready exactly from available_at_ms on; deferred batches are skipped.", CheckedBy::kSpec, true, true},
    {"QW-CLM-10",
     "A grant echoes session and owner, starts now, expires after the ttl, and has a fresh token and a fencing token above the "
     "head's last.",
     CheckedBy::kSpec, true, false},
    {"QW-CLM-11", "Granted batches leave the pending list but stay in the list, unchanged.", CheckedBy::kSpec, true, false},
    {"QW-CLM-12", "A ttl of 0 grants a claim that has lapsed already, and that still settles or renews until someone else acts.",
     CheckedBy::kSpec, true, false},
    {"QW-CLM-13", "An expiry beyond the last instant becomes the last instant and never wraps.", CheckedBy::kSpec, true, false,
     "a store may refuse times above 2^63-1 (QW-LAT-13)"},
    {"QW-CLM-14",
     "A lapsed claim's batch can be claimed by anyone, with a larger fencing token, and the old claim is stale from then on.",
     CheckedBy::kSpec, true, false},
    {"QW-CLM-15", "A live claim's batch can be claimed by another only if its owner is definitely dead for the claimant.",
     CheckedBy::kSpec, true, true},
    {"QW-CLM-16", "An owner cannot claim again what it holds under its own live claim.", CheckedBy::kSpec, false, true},
    {"QW-CLM-17", "While a claimable batch has no class, claims fail and change nothing.", CheckedBy::kSpec, false, true,
     "a store may reject such batches at enqueue (QW-LAT-12)"},
    {"QW-CLM-18", "A claim survives the release or loss of the lane under which it was taken.", CheckedBy::kSpec, true, false},
    {"QW-CLM-19", "The claim's owner is the owner argument, which need not be the fence's owner.", CheckedBy::kSpec, true, false},
    {"QW-CLM-20", "A claim looks at and changes batches of its own session only.", CheckedBy::kSpec, true, false},
    {"QW-CLM-21", "Two claims of one session may be live at once over different batches.", CheckedBy::kSpec, true, false},

    // claim_ready_queued_work_by_batch_ids
    {"QW-IDS-1", "A claim of no ids answers none before any check.", CheckedBy::kSpec, false, true},
    {"QW-IDS-2", "A claim by ids grants exactly when a plain claim of as many batches would grant these, in this order.",
     CheckedBy::kSpec, true, true},
    {"QW-IDS-3", "A claim by ids never skips earlier claimable work.", CheckedBy::kSpec, false, true},
    {"QW-IDS-4", "A prefix of a group may be claimed by ids.", CheckedBy::kSpec, true, false},
    {"QW-IDS-5",
     "Ids in the wrong order, repeated, unknown, foreign, of commands, or of batches that are not claimable give none.",
     CheckedBy::kSpec, false, true},
    {"QW-IDS-6", "A claim by ids obeys the fence, the boundary and the class rule of a plain claim.", CheckedBy::kSpec, false,
     true},
    {"QW-IDS-7", "After a claim by ids that did not match, every batch is pending as before.", CheckedBy::kSpec, true, false},

    // renew_queued_work_claim
    {"QW-REN-1", "Renewing a claim that still owns all its batches makes them expire a ttl from now.", CheckedBy::kSpec, true,
     false},
    {"QW-REN-2", "Renew returns the passed claim with nothing but the expiry changed.", CheckedBy::kSpec, true, false},
    {"QW-REN-3", "Renewing a claim that does not own all its batches fails with QueuedWorkClaimExpired.", CheckedBy::kSpec, false,
     true},
    {"QW-REN-4", "A lapsed claim that nobody took, cancelled or abandoned can be renewed and is live again.", CheckedBy::kSpec,
     true, false, "a store may declare that it refuses (QW-LAT-8)"},
    {"QW-REN-5", "A stale, abandoned or settled claim, or one with an altered token, cannot be renewed.", CheckedBy::kSpec, false,
     true},
    {"QW-REN-6", "Renewing a claim needs no lane, and does not compare the passed owner and fencing token.", CheckedBy::kSpec,
     true, false},
    {"QW-REN-7", "A renewal with a shorter ttl shortens the claim, and one with ttl 0 lapses it now.", CheckedBy::kSpec, true,
     false},
    {"QW-REN-8", "Renewing changes no fencing token.", CheckedBy::kSpec, true, false},

    // abandon_queued_work_claim
    {"QW-ABN-1", "Abandoning gives back every batch that the claim still owns, in its old place and at once.", CheckedBy::kSpec,
     true, false},
    {"QW-ABN-2", "Abandoning a claim that owns nothing any more succeeds without effect.", CheckedBy::kSpec, true, false},
    {"QW-ABN-3", "Abandoning never touches a newer claim over the same batch.", CheckedBy::kSpec, true, false},
    {"QW-ABN-4", "The next claim of an abandoned head has a larger fencing token.", CheckedBy::kSpec, true, false},
    {"QW-ABN-5", "Abandoning needs no lane and works on lapsed claims.", CheckedBy::kSpec, true, false},

    // cancel_queued_work_batch
    {"QW-CAN-1", "Cancelling a pending batch removes it for good and returns it as stored.", CheckedBy::kSpec, true, false},
    {"QW-CAN-2", "A batch under a live claim cannot be cancelled, even if the holder is dead.", CheckedBy::kSpec, false, true},
    {"QW-CAN-3", "Cancelling a batch that is missing, settled, cancelled or of another session answers none.", CheckedBy::kSpec,
     false, true},
    {"QW-CAN-4", "A lapsed claim that lost a batch by cancelling can neither be renewed nor settled whole.", CheckedBy::kSpec,
     false, true},
    {"QW-CAN-5", "Cancelling needs no lane and frees the source_key.", CheckedBy::kSpec, true, false},

    // list_queued_work, list_pending_queued_work
    {"QW-LST-1", "The list holds all stored batches of the session in ascending enqueue_seq.", CheckedBy::kSpec, true, false},
    {"QW-LST-2", "The list of an unknown session is empty.", CheckedBy::kSpec, true, false},
    {"QW-PND-1", "The pending list is the list without the batches under a live claim.", CheckedBy::kSpec, true, false},
    {"QW-PND-2", "The pending list includes deferred batches.", CheckedBy::kSpec, true, false},
    {"QW-PND-3", "A live claim of a dead owner hides its batches from the pending list until it lapses.", CheckedBy::kSpec, true,
     false},

    // The lane.
    {"EL-TRY-1", "A free or lapsed lane is acquired: larger fencing token, new token, held from now for the ttl.",
     CheckedBy::kSpec, true, false},
    {"EL-TRY-2", "The holder's own incarnation re-enters its live lane: same tokens and start, new expiry.", CheckedBy::kSpec,
     true, false},
    {"EL-TRY-3", "Anyone else who tries a live lane is told Busy with the holder, and nothing changes.", CheckedBy::kSpec, false,
     true},
    {"EL-TRY-4", "A lane has lapsed at the instant of its expiry, and with ttl 0 at once.", CheckedBy::kSpec, true, false},
    {"EL-TRY-5", "Trying the live lane of a dead holder is Busy all the same.", CheckedBy::kSpec, false, true},
    {"EL-TRY-6", "The lanes of different sessions are independent, and one lane has one winner.", CheckedBy::kSpec, true, false},
    {"EL-TRY-7", "The old holder of a lapsed lane acquires it anew, with new tokens.", CheckedBy::kSpec, true, false},
    {"EL-RCL-1", "Reclaiming a free or lapsed lane acquires it, whatever was observed.", CheckedBy::kSpec, true, false},
    {"EL-RCL-2", "Reclaiming a live lane acquires it if the observation matches exactly and the holder is definitely dead.",
     CheckedBy::kSpec, true, false},
    {"EL-RCL-3", "Reclaiming a live lane with a stale observation, or from a holder not known dead, is Busy.", CheckedBy::kSpec,
     false, true},
    {"EL-RCL-4", "Reclaiming one's own live lane is Busy: there is no re-entry on this path.", CheckedBy::kSpec, false, true},
    {"EL-REN-1", "Renewing a live lane with its fence moves the expiry and keeps tokens and start.", CheckedBy::kSpec, true,
     false},
    {"EL-REN-2", "A lane that is free, lapsed, superseded or of another fence cannot be renewed.", CheckedBy::kSpec, false, true},
    {"EL-REN-3", "Renewing a lane with ttl 0 succeeds and leaves it lapsed.", CheckedBy::kSpec, true, false},
    {"EL-REL-1", "A matching release frees the lane, lapsed or not, and keeps its fencing counter.", CheckedBy::kSpec, true,
     false},
    {"EL-REL-2", "A release that does not match succeeds without effect.", CheckedBy::kSpec, true, false},

    // commit_runtime_state
    {"SC-CMT-1", "The first successful commit binds the store to its session; another session's commit is a binding mismatch.",
     CheckedBy::kSpec, true, false, "either answer is allowed to a second session (QW-LAT-28), so none need be refused"},
    {"SC-CMT-2", "A commit whose stamp names another session conflicts.", CheckedBy::kSpec, false, true},
    {"SC-CMT-3",
     "A commit whose stamp is recorded with the same hash returns the recorded result, changes nothing, and honours the release.",
     CheckedBy::kSpec, true, false},
    {"SC-CMT-4", "A commit whose turn is recorded with another hash conflicts.", CheckedBy::kSpec, false, true},
    {"SC-CMT-5", "A commit needs the fence of its session's live lane.", CheckedBy::kSpec, true, true},
    {"SC-CMT-6", "A commit that expects another head revision than the current one conflicts.", CheckedBy::kSpec, true, true},
    {"SC-CMT-7", "A completion must own every batch it lists, under exactly its claim id and token.", CheckedBy::kSpec, true,
     true},
    {"SC-CMT-8", "A completion must be of the commit's own session.", CheckedBy::kSpec, false, true},
    {"SC-CMT-9", "A lapsed claim that nobody took still settles.", CheckedBy::kSpec, true, false,
     "a store may declare that it refuses (QW-LAT-7)"},
    {"SC-CMT-10",
     "A commit stores the body, raises the head by 1, removes the listed batches, records the stamp and frees the released lane, "
     "in one step.",
     CheckedBy::kSpec, true, false},
    {"SC-CMT-11", "A commit that fails leaves everything as it was, even if only its last completion is bad.", CheckedBy::kSpec,
     false, true},
    {"SC-CMT-12", "A failed commit records no stamp: the same stamp can succeed later.", CheckedBy::kSpec, false, true,
     "counted where a stamped commit fails; its later success is judged as a first commit"},
    {"SC-CMT-13", "Any live lane of the session may settle a claim, not only the one it was taken under.", CheckedBy::kSpec, true,
     false},
    {"SC-CMT-14", "A second, unstamped commit of the same completion fails, for the batches are gone.", CheckedBy::kSpec, false,
     true},
    {"SC-CMT-15", "Several completions settle together, and a stamped retry needs no lane.", CheckedBy::kSpec, true, false},
    {"SC-CMT-16", "A completion never affects batches of other claims.", CheckedBy::kSpec, true, false},

    // load_session has no clause in queued-work.md. PROTOCOL.md ("Values") gives it in one sentence; this is our id for it.
    {"SC-LOD-1", "Load answers none before the first commit, then the head revision and body that the last commit left.",
     CheckedBy::kSpec, true, true},

    // The invariants.
    {"QW-INV-1", "No batch is under two live claims, except where the first holder is definitely dead.", CheckedBy::kScan, true,
     false},
    {"QW-INV-2", "A claim that lost a batch for good is never renewed and never settles that batch.", CheckedBy::kScan, true,
     false},
    {"QW-INV-3", "A batch stays listed until a cancel returned it or a commit completed it.", CheckedBy::kScan, true, false},
    {"QW-INV-4", "A batch is removed once and never seen again.", CheckedBy::kScan, true, false},
    {"QW-INV-5", "A claim takes the first claimable batch, and answers none only if there is none or it may not be taken now.",
     CheckedBy::kSpec, true, true},
    {"QW-INV-6", "A command grant holds one session command, a work grant only turn work.", CheckedBy::kSpec, true, false},
    {"QW-INV-7", "A grant of several batches is a maximal run of join batches of one policy and one merge key, in order.",
     CheckedBy::kSpec, true, false},
    {"QW-INV-8", "Fencing tokens of one head rise from grant to grant, and no grant repeats another's claim id and token.",
     CheckedBy::kScan, true, false},
    {"QW-INV-9", "Fencing tokens of a lane rise with every acquisition, and each belongs to one token.", CheckedBy::kScan, true,
     false},
    {"QW-INV-10", "A live lane changes hands only by a reclaim with an exact observation of a dead holder.", CheckedBy::kSpec,
     true, true},
    {"QW-INV-11", "A claim or commit succeeds only under the latest acquisition of the lane, not released and not lapsed.",
     CheckedBy::kSpec, true, true},
    {"QW-INV-12", "Successful commits number the head 1, 2, 3 and so on; replays and failures do not advance it.",
     CheckedBy::kSpec, true, false},
    {"QW-INV-13", "A commit takes effect as a whole or not at all.", CheckedBy::kSpec, true, true},
    {"QW-INV-14", "A turn commits under one hash only, and its retries return an equal result without effect.", CheckedBy::kSpec,
     true, true},
    {"QW-INV-15", "Both lists are in strictly ascending order, and what they show of a batch never changes.", CheckedBy::kScan,
     true, false},
    {"QW-INV-16", "No call that names one session changes another.", CheckedBy::kProbe, true, false},
    {"QW-INV-17", "Repeating a keyed enqueue, an abandon, a release or a stamped commit has no further effect.",
     CheckedBy::kProbe, true, false},
    {"QW-INV-18", "Work at the head that nobody holds can always be claimed: nothing gets stuck.", CheckedBy::kSpec, true, false},
    {"QW-INV-19", "Reads, claims that answer none, and errors change nothing.", CheckedBy::kProbe, true, false},
    {"QW-INV-20", "A renewal changes nothing but the expiry of that claim's batches.", CheckedBy::kProbe, true, false},
};

// The index of a clause in kClauses; an unknown id does not compile.
template <ClauseId kId>
constexpr ClauseIndex Clause() {
  constexpr std::size_t kIndex = FindClause(kClauses, kId.view());
  static_assert(kIndex < std::size(kClauses), "no clause of session_store has this id");
  return static_cast<ClauseIndex>(kIndex);
}

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_MODEL_SESSION_STORE_CLAUSES_H_
