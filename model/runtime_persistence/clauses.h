// The clauses of the runtime_persistence contract (runtime-persistence.md, 3 and 5), each in one sentence of our own, with who
// judges it and which senses a run has to reach. In code a clause is named by its id: Clause<"RP-CMT-8">().
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_CLAUSES_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_CLAUSES_H_

#include <cstddef>
#include <iterator>

#include "model/clause.h"

namespace leasecheck::runtime_persistence {

// Why a sense need not be reached: which conforming stores never show the clause.
inline constexpr absl::string_view kNotThisVersion = "not in this version of the trait";

// id, sentence, checked by, a run must reach "held", a run must reach "refused", reason.
inline constexpr ClauseInfo kClauses[] = {
    // load_session
    {"RP-LDS-1", "Before the first accepted commit a session reads none in every scope, whatever meta and queued work there is.",
     CheckedBy::kSpec, false, true},
    {"RP-LDS-2", "After an accepted commit a read shows its revision, config, frames, current frame and checkpoint.",
     CheckedBy::kSpec, true, false},
    {"RP-LDS-3", "The full graph is every live node of every branch, in storage order.", CheckedBy::kSpec, true, false},
    {"RP-LDS-4", "The full graph's leaf is the head leaf: that of the last accepted delta.", CheckedBy::kSpec, true, false},
    {"RP-LDS-5", "The active path without a leaf of its own is the head leaf with its ancestors, root first.", CheckedBy::kSpec,
     true, false},
    {"RP-LDS-6",
     "The active path from a given leaf is that node with its ancestors, also off the current branch, and the stored leaf stays.",
     CheckedBy::kSpec, true, false},
    {"RP-LDS-7", "The active path from an unknown leaf has no nodes and that leaf, and is no error.", CheckedBy::kSpec, true,
     false},
    {"RP-LDS-8", "The active path of a head without a leaf has no nodes and no leaf.", CheckedBy::kSpec, true, false},
    {"RP-LDS-9", "The active path ends, without an error, at a parent that is not stored.", CheckedBy::kSpec, true, false},
    {"RP-LDS-10", "A tombstoned node is in no graph, before and after a vacuum.", CheckedBy::kSpec, true, false},
    {"RP-LDS-11", "A tombstoned node on the path ends it there, as if it were not stored.", CheckedBy::kSpec, true, false,
     "a store may show the live ancestors beyond it (RP-LAT-3)"},
    {"RP-LDS-12", "The scope decides the graph only: revision, ledger and checkpoint are the same in every scope.",
     CheckedBy::kSpec, true, false},
    {"RP-LDS-13", "A checkpoint with inline snapshots reads back with equal snapshots, revision and turn state.",
     CheckedBy::kSpec, true, false},
    {"RP-LDS-14", "A read shows head, graph, checkpoint and ledger of one and the same revision.", CheckedBy::kSpec, true, false},

    // load_node
    {"RP-LDN-1", "A live node is found by its id on any branch, exactly as it was committed.", CheckedBy::kSpec, true, false},
    {"RP-LDN-2", "An unknown or tombstoned id, or any before the first commit, reads none.", CheckedBy::kSpec, false, true},

    // commit_runtime_state
    {"RP-CMT-1", "The first accepted commit binds the store to its session and gives revision 1.", CheckedBy::kSpec, true, false},
    {"RP-CMT-2", "A commit for another session than the bound one fails with SessionBindingMismatch and changes nothing.",
     CheckedBy::kSpec, false, true},
    {"RP-CMT-3", "A rejected commit does not bind the store.", CheckedBy::kSpec, true, false},
    {"RP-CMT-4", "A commit without an expected revision is accepted at any revision.", CheckedBy::kSpec, true, false},
    {"RP-CMT-5",
     "An expected revision is accepted exactly when it is the current one, 0 meaning no head; else HeadRevisionConflict tells "
     "both.",
     CheckedBy::kSpec, true, true},
    {"RP-CMT-6", "An accepted commit answers the previous revision + 1, and the next read shows it.", CheckedBy::kSpec, true,
     false},
    {"RP-CMT-7",
     "A stamp of another session than the commit is RuntimeTurnCommitConflict, before any look at replays and revisions.",
     CheckedBy::kSpec, false, true},
    {"RP-CMT-8", "A commit whose turn was accepted with the same hash returns the result of then and changes nothing.",
     CheckedBy::kSpec, true, false},
    {"RP-CMT-9", "A commit whose turn was accepted with another hash fails with RuntimeTurnCommitConflict.", CheckedBy::kSpec,
     false, true},
    {"RP-CMT-10", "A rejected commit records no stamp: its turn may be tried again with any hash.", CheckedBy::kSpec, true,
     false},
    {"RP-CMT-11", "Stamps of different turns never interact, and are kept for good.", CheckedBy::kSpec, true, false},
    {"RP-CMT-12", "A commit without a stamp is never taken for a repetition.", CheckedBy::kSpec, true, false},
    {"RP-CMT-13", "Append puts its nodes after the stored ones, in its order, whether or not their parents exist.",
     CheckedBy::kSpec, true, false},
    {"RP-CMT-14", "Append of a live node is rejected without effect.", CheckedBy::kSpec, false, true,
     "a store may replace the node's content instead (RP-LAT-6)"},
    {"RP-CMT-15", "ReplaceFull makes the graph exactly the given one, all live, tombstoned ids in it included.", CheckedBy::kSpec,
     true, false},
    {"RP-CMT-16", "ReplaceFull that names a node twice is rejected without effect.", CheckedBy::kSpec, false, true,
     "a store may keep one of the two instead (RP-LAT-6)"},
    {"RP-CMT-17", "The delta's leaf becomes the head leaf, whether it exists, and also where it is none.", CheckedBy::kSpec, true,
     false},
    {"RP-CMT-18", "The ledger has one entry a source and model, the field-wise sum, in the order of first contribution.",
     CheckedBy::kSpec, true, false},
    {"RP-CMT-19", "A usage entry of four zeros leaves no trace in the ledger.", CheckedBy::kSpec, true, false},
    {"RP-CMT-20", "Config, frames, current frame and checkpoint replace the previous ones whole.", CheckedBy::kSpec, true, false},
    {"RP-CMT-21", "A result's manifest has the commit's turn state and plugin revision, and no inline data.", CheckedBy::kSpec,
     true, false},
    {"RP-CMT-22", "An inline snapshot is stored under a ref that manifest and reads agree on; a ref without inline data is kept.",
     CheckedBy::kSpec, true, false},
    {"RP-CMT-23", "A completion of owned batches removes them; any other fails with QueuedWorkClaimExpired.", CheckedBy::kSpec,
     true, true},
    {"RP-CMT-24", "A commit with one failing completion changes nothing at all, the batches of its good completions included.",
     CheckedBy::kSpec, false, true},
    {"RP-CMT-25", "A completion of another session than the commit's fails with QueuedWorkClaimExpired.", CheckedBy::kSpec, false,
     true},
    {"RP-CMT-26", "A lapsed claim that nobody took can still be completed.", CheckedBy::kSpec, true, false,
     "a store may refuse it (RP-LAT-11)"},
    {"RP-CMT-27", "A completion fails once any of its batches was claimed anew, cancelled, given back or completed.",
     CheckedBy::kSpec, false, true},
    {"RP-CMT-28", "A commit stamps the session's rows of its attachments, keeps older stamps, and passes over ids without a row.",
     CheckedBy::kSpec, true, false},
    {"RP-CMT-29", "A commit does not touch the session meta.", CheckedBy::kSpec, true, false},

    // save_session_meta, load_session_meta
    {"RP-MET-1", "Meta reads none before the first save.", CheckedBy::kSpec, false, true},
    {"RP-MET-2", "Meta reads as it was saved last, in every field.", CheckedBy::kSpec, true, false},
    {"RP-MET-3", "Saving meta replaces it whole, at any time, whatever session it names, and does not move the head.",
     CheckedBy::kSpec, true, false},

    // tombstone_nodes
    {"RP-TMB-1", "A tombstoned node is hidden from every read at once.", CheckedBy::kSpec, true, false},
    {"RP-TMB-2", "Unknown, repeated and tombstoned ids, and an empty list, are accepted without effect.", CheckedBy::kSpec, true,
     false},
    {"RP-TMB-3", "Tombstoning moves neither revision nor leaf, and hides no child.", CheckedBy::kSpec, true, false},
    {"RP-TMB-4", "A later ReplaceFull with a tombstoned id makes it visible again.", CheckedBy::kSpec, true, false},
    {"RP-TMB-5", "An id that was tombstoned while unknown is visible once it is appended.", CheckedBy::kSpec, true, false},

    // vacuum
    {"RP-VAC-1", "Vacuum removes tombstoned nodes and answers how many it removed.", CheckedBy::kSpec, true, false},
    {"RP-VAC-2", "A vacuum right after another, or of an empty store, removes nothing.", CheckedBy::kSpec, true, false},
    {"RP-VAC-3", "Vacuum changes no read.", CheckedBy::kProbe, true, false,
     "a path through a tombstoned node may change (RP-LAT-3)"},
    {"RP-VAC-4", "Ids that were never stored do not count in a vacuum.", CheckedBy::kSpec, true, false},
    {"RP-VAC-5", "After a vacuum, Append of a removed id inserts a new node.", CheckedBy::kSpec, true, false},

    // gc_unreachable
    {"RP-GC-1", "Collecting removes no blob that the head reaches: reads are the same before and after.", CheckedBy::kSpec, true,
     false},
    {"RP-GC-2", "Collecting reports the roots, the blobs that they reach, and the blobs that it removed.", CheckedBy::kSpec, true,
     false, "a store may report zeros (RP-LAT-13)"},
    {"RP-GC-3", "A collection right after another, or of an empty store, deletes nothing.", CheckedBy::kSpec, true, false},
    {"RP-GC-4", "Blobs of superseded checkpoints are kept by nothing, old turn results included.", CheckedBy::kSpec, true, false,
     "a store may keep more than it must (RP-LAT-13)"},
    {"RP-GC-5", "In doubt a collection keeps, and may report zeros.", CheckedBy::kNobody, false, false,
     "an internal failure cannot be caused from outside"},

    // durability_tier
    {"RP-DUR-1", "The durability tier is the same for the life of a store.", CheckedBy::kSpec, true, false},
    {"RP-DUR-2", "A store that keeps its data in its process is Inline, one on a disk or server is Durable.", CheckedBy::kNobody,
     false, false, "what a store is made of cannot be seen from outside; one that says Durable is held to RP-DUR-3"},
    {"RP-DUR-3", "What a Durable store acknowledged is there again after closing and opening.", CheckedBy::kProbe, true, false,
     "an Inline store promises nothing of the kind"},

    // enqueue_queued_work
    {"RP-ENQ-1", "Enqueue returns the stored batch: the draft's fields as given, its payloads in order, enqueued now.",
     CheckedBy::kSpec, true, false},
    {"RP-ENQ-2", "Batch ids are unique in the store, item ids in their batch.", CheckedBy::kScan, true, false},
    {"RP-ENQ-3", "A new batch has an enqueue_seq above that of every batch in the store.", CheckedBy::kSpec, true, false},
    {"RP-ENQ-4",
     "While a batch with the same source_key is stored in the session, enqueue stores nothing and returns that batch unchanged.",
     CheckedBy::kSpec, true, false},
    {"RP-ENQ-5",
     "A source_key belongs to its session and is free again once its batch is completed or cancelled; drafts without one never "
     "meet.",
     CheckedBy::kSpec, true, false},
    {"RP-ENQ-6", "Enqueue is not bound to the session of the commits, and accepts a batch without payloads.", CheckedBy::kSpec,
     true, false},

    // claim_ready_queued_work
    {"RP-CLM-1", "A claim of at most 0 batches answers none and changes nothing.", CheckedBy::kSpec, false, true},
    {"RP-CLM-2", "A claim without any candidate answers none.", CheckedBy::kSpec, false, true},
    {"RP-CLM-3", "A claim begins with the first candidate; held and deferred batches in front are passed over.", CheckedBy::kSpec,
     true, false},
    {"RP-CLM-4",
     "At a checkpoint a claim is granted only if its head may be delivered at the earliest safe boundary; when idle, always.",
     CheckedBy::kSpec, true, true},
    {"RP-CLM-5", "An exclusive head is granted alone.", CheckedBy::kSpec, true, false},
    {"RP-CLM-6",
     "A join head is granted with the following candidates that match it, up to max_batches and to the first that does not.",
     CheckedBy::kSpec, true, false},
    {"RP-CLM-7", "Merge keys match when they are equal, and never equals never.", CheckedBy::kSpec, true, false,
     "a store may grant such batches alone (RP-LAT-16)"},
    {"RP-CLM-8", "A grant starts now and expires after its ttl, at most at the last instant, under the owner that was given.",
     CheckedBy::kSpec, true, false},
    {"RP-CLM-9", "A grant's fencing token is above every earlier one of the same head batch, whatever ended those claims.",
     CheckedBy::kSpec, true, false},
    {"RP-CLM-10", "No two grants have the same claim id and lease token.", CheckedBy::kScan, true, false},
    {"RP-CLM-11", "The owner id is recorded and never compared: one owner may hold many claims.", CheckedBy::kSpec, true, false},
    {"RP-CLM-12", "A grant with ttl 0 has lapsed already, and another claim may take its batches at once.", CheckedBy::kSpec,
     true, false},
    {"RP-CLM-13", "A claim has lapsed at the instant of its expiry, and a batch is available from available_at_ms on.",
     CheckedBy::kSpec, true, false},
    {"RP-CLM-14", "A grant over lapsed batches ends the old claims' ownership of those batches only.", CheckedBy::kSpec, true,
     false},
    {"RP-CLM-15", "A claim needs no head and no binding, and takes batches of its own session only.", CheckedBy::kSpec, true,
     false},

    // claim_ready_queued_work_by_batch_ids
    {"RP-IDS-1", "A claim of no ids answers none and does not touch the store.", CheckedBy::kSpec, false, true},
    {"RP-IDS-2", "A claim by ids is granted exactly when a plain claim of as many batches would grant these, in this order.",
     CheckedBy::kSpec, true, true},
    {"RP-IDS-3", "After a claim by ids that did not match, its batches are pending again.", CheckedBy::kSpec, false, true},
    {"RP-IDS-4", "A claim by ids skips no earlier work, does not reorder, and matches no repeated id.", CheckedBy::kSpec, false,
     true},

    // renew_queued_work_claim
    {"RP-REN-1", "Renewing makes the batches expire a ttl from now and returns the claim with nothing else changed.",
     CheckedBy::kSpec, true, false},
    {"RP-REN-2", "Renewing a claim that owns another number of batches than it lists fails with QueuedWorkClaimExpired.",
     CheckedBy::kSpec, false, true},
    {"RP-REN-3", "Renewing may shorten a claim, and revive a lapsed one that nobody took.", CheckedBy::kSpec, true, false,
     "a store may refuse to revive it (RP-LAT-11)"},

    // abandon_queued_work_claim
    {"RP-ABN-1", "Abandoning gives back what the claim still owns; it is pending at once.", CheckedBy::kSpec, true, false},
    {"RP-ABN-2", "A stale, unknown or repeated abandon succeeds, without effect on anybody.", CheckedBy::kSpec, true, false},

    // cancel_queued_work_batch
    {"RP-CAN-1", "Cancelling a batch that is pending or lapsed removes it and returns it.", CheckedBy::kSpec, true, false},
    {"RP-CAN-2", "Cancelling a batch that is claimed, gone or of another session answers none, without effect.", CheckedBy::kSpec,
     false, true},
    {"RP-CAN-3", "A deferred batch can be cancelled.", CheckedBy::kSpec, true, false},
    {"RP-CAN-4", "A lapsed claim that lost a batch by cancelling cannot complete it.", CheckedBy::kSpec, false, true},

    // list_queued_work, list_pending_queued_work
    {"RP-LST-1", "The list holds all batches of the session by enqueue_seq, claimed and deferred ones too.", CheckedBy::kSpec,
     true, false},
    {"RP-PND-1", "The pending list is the list without the batches under a live claim.", CheckedBy::kSpec, true, false},

    // The provided methods, of a backend that inherits them (dialect RP-DEF = default)
    {"RP-DEF-1", "The inherited durability tier is Inline.", CheckedBy::kSpec, true, false},
    {"RP-DEF-2", "The inherited enqueue always fails with Backend and stores nothing.", CheckedBy::kSpec, false, true},
    {"RP-DEF-3", "The inherited claim always fails with Backend, for max_batches 0 too.", CheckedBy::kSpec, false, true},
    {"RP-DEF-4", "The inherited claim by ids answers none for no ids, and else the claim's Backend.", CheckedBy::kSpec, false,
     true},
    {"RP-DEF-5", "The inherited renew always fails with QueuedWorkClaimExpired of the claim.", CheckedBy::kSpec, false, true},
    {"RP-DEF-6", "The inherited abandon succeeds and does nothing.", CheckedBy::kSpec, true, false},
    {"RP-DEF-7", "The inherited cancel answers none.", CheckedBy::kSpec, false, true},
    {"RP-DEF-8", "The inherited list is empty.", CheckedBy::kSpec, true, false},
    {"RP-DEF-9", "The inherited pending list is whatever the list answers.", CheckedBy::kSpec, true, false},
    {"RP-DEF-10", "The inherited claim by ids calls the overridden claim and abandon.", CheckedBy::kNobody, false, false,
     "which method calls which cannot be seen from outside; tests/model runs it over a store that overrides the two"},

    // AttachmentManifest
    {"AM-INT-1", "An intent that was recorded is a row without a stamp.", CheckedBy::kSpec, true, false},
    {"AM-INT-2", "Recording an equal intent again leaves one row.", CheckedBy::kSpec, true, false},
    {"AM-INT-3", "Recording an intent again with a later time refreshes uri and time, and never clears a stamp.",
     CheckedBy::kSpec, true, false},
    {"AM-CMT-1", "Committing refs stamps the session's rows of these ids, and passes over ids without one.", CheckedBy::kSpec,
     true, false},
    {"AM-CMT-2", "The first stamp of a row is kept.", CheckedBy::kNobody, false, false,
     "no call of this version shows the stamp of a row that has one"},
    {"AM-CMT-3", "Committing a ref before its intent is not remembered.", CheckedBy::kSpec, true, false},
    {"AM-UNC-1", "The list is every row without a stamp, of every session, whose intent is not later than the given instant.",
     CheckedBy::kSpec, true, true},
    {"AM-UNC-2", "A row with a stamp is never listed.", CheckedBy::kSpec, true, false},
    {"AM-UNC-3", "The order of the list is nothing to rely on.", CheckedBy::kNobody, false, false,
     "it permits and demands nothing"},
    {"AM-FGT-1", "Forgetting removes the rows of the id, stamped or not, whatever their session.", CheckedBy::kSpec, true, false},
    {"AM-FGT-2", "Forgetting an unknown id succeeds.", CheckedBy::kSpec, true, false},
    {"AM-FGT-3", "After forgetting, a new intent starts without a stamp.", CheckedBy::kSpec, true, false},
    {"AM-NOP-1", "A manifest that is declared a no-op succeeds in every call and never lists anything.", CheckedBy::kSpec, true,
     false, "a store that keeps attachments shows it nowhere"},
    {"AM-AGE-1", "Aged intents without a stamp can be forgotten in one conditional step.", CheckedBy::kNobody, false, false,
     kNotThisVersion},
    {"AM-LIV-1", "It can be asked whether an attachment has a live ref.", CheckedBy::kNobody, false, false, kNotThisVersion},
    {"AM-HLD-1", "It can be asked whether a session holds a ref.", CheckedBy::kNobody, false, false, kNotThisVersion},
    {"AM-ALL-1", "Every ref can be listed once.", CheckedBy::kNobody, false, false, kNotThisVersion},

    // Invariants
    {"RP-INV-1",
     "The accepted commits, in the order of their revisions, answer 1, 2, 3 and so on, without a gap or a repetition.",
     CheckedBy::kScan, true, false},
    {"RP-INV-2",
     "No two accepted commits expected the same revision, and a conflict names a revision that was current during its call.",
     CheckedBy::kScan, true, false},
    {"RP-INV-3", "A turn is accepted once; every later commit of it gets that result, field for field, or a conflict.",
     CheckedBy::kScan, true, false},
    {"RP-INV-4", "Of an accepted commit everything is seen by every later call, of a rejected one nothing ever.",
     CheckedBy::kProbe, true, false},
    {"RP-INV-5", "A read shows the state after one accepted commit, and the reads of one client never go back.", CheckedBy::kScan,
     true, false},
    {"RP-INV-6", "Each counter of the ledger is the sum of the accepted deltas up to the revision read, and no other.",
     CheckedBy::kScan, true, false},
    {"RP-INV-7", "A node that was tombstoned is in no read until a commit adds it again.", CheckedBy::kScan, true, false},
    {"RP-INV-8", "Vacuums remove at most as many nodes as were tombstoned, and change no read.", CheckedBy::kScan, true, false},
    {"RP-INV-9", "A collection changes no read, hydrated snapshots included.", CheckedBy::kProbe, true, false},
    {"RP-INV-10", "No batch is under two live claims.", CheckedBy::kScan, true, false},
    {"RP-INV-11", "A batch leaves the queue once, completed or cancelled, and is never seen again.", CheckedBy::kScan, true,
     false},
    {"RP-INV-12", "Claims and lists have their batches in the order of enqueue_seq, and no claim passes over ready work.",
     CheckedBy::kScan, true, false},
    {"RP-INV-13", "Fencing tokens of one head batch rise from grant to grant, and no grant repeats another's claim id and token.",
     CheckedBy::kScan, true, false},
    {"RP-INV-14", "A claim that lost a batch never renews, completes or frees it.", CheckedBy::kScan, true, false},
    {"RP-INV-15",
     "A batch is in every list of its session from its enqueue to its end, unchanged, and a source_key has at most one.",
     CheckedBy::kScan, true, false},
    {"RP-INV-16", "No queue call changes another session's batches.", CheckedBy::kProbe, true, false},
    {"RP-INV-17", "An attachment is listed exactly while an intent is in force that no commit of its session named.",
     CheckedBy::kScan, true, false},
    {"RP-INV-18", "Meta, tombstones, vacuum, collection, queue and attachments never move the head revision.", CheckedBy::kProbe,
     true, false},
};

// The index of a clause in kClauses; an unknown id does not compile.
template <ClauseId kId>
constexpr ClauseIndex Clause() {
  constexpr std::size_t kIndex = FindClause(kClauses, kId.view());
  static_assert(kIndex < std::size(kClauses), "no clause of runtime_persistence has this id");
  return static_cast<ClauseIndex>(kIndex);
}

}  // namespace leasecheck::runtime_persistence

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_CLAUSES_H_
