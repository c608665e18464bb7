// The clauses of the runtime_repository contract (runtime-repository.md, 3 to 5), each in one sentence of our own, with who
// judges it and which senses a run has to reach. In code a clause is named by its id: Clause<"RR-UPS-5">(). Points of latitude
// are clauses too: those that demand something are judged, the others only permit.
#ifndef LEASECHECK_MODEL_RUNTIME_REPOSITORY_CLAUSES_H_
#define LEASECHECK_MODEL_RUNTIME_REPOSITORY_CLAUSES_H_

#include <cstddef>
#include <iterator>

#include "model/clause.h"

namespace leasecheck::runtime_repository {

// id, sentence, checked by, a run must reach "held", a run must reach "refused", reason.
inline constexpr ClauseInfo kClauses[] = {
    // list_dispatchable_attempts
    {"RR-LST-1", "The list is exactly the dispatchable attempts, cut to the first `limit` in dispatch order.", CheckedBy::kSpec,
     true, false},
    {"RR-LST-2",
     "The dispatch order is priority from high to low, then attempt_no, then attempt_id by bytes, and is the same at every call.",
     CheckedBy::kSpec, true, false},
    {"RR-LST-3",
     "Nothing but priority, attempt_no and attempt_id has a part in the order; a10 is before a2, and a negative priority after "
     "0.",
     CheckedBy::kSpec, true, false},
    {"RR-LST-4", "A retry comes after every first try of its priority, also after one that was enqueued later.", CheckedBy::kSpec,
     true, false},
    {"RR-LST-5", "A retry is listed from its retry_at on, and always where it has none.", CheckedBy::kSpec, true, true},
    {"RR-LST-6", "Leased, Running and terminal attempts are never listed, whatever became of their leases.", CheckedBy::kSpec,
     false, true},
    {"RR-LST-7", "A ready attempt with a lingering lease is hidden up to and including the millisecond of the lease's expiry.",
     CheckedBy::kSpec, true, true, "a store without mark_attempt_status cannot come there"},
    {"RR-LST-8", "A limit of 0 lists nothing, a limit above the number of candidates all, and neither is an error.",
     CheckedBy::kSpec, true, true},
    {"RR-LST-9", "Any `now` is legal, earlier ones after later ones too, and none moves the store's clock.", CheckedBy::kSpec,
     true, false},
    {"RR-LST-10", "A list changes nothing: expired leases stay, and RetryBackoff stays RetryBackoff.", CheckedBy::kProbe, true,
     false},
    {"RR-LST-11", "A list shows status, attempt_no and retry_at as they are stored.", CheckedBy::kSpec, true, false},
    {"RR-LST-12", "A tenant never keeps an attempt out of the list.", CheckedBy::kSpec, true, false},

    // upsert_lease
    {"RR-UPS-1",
     "A claim of a dispatchable attempt makes a lease of version 1 with the given worker and expiry, refreshed now, and the "
     "attempt Leased.",
     CheckedBy::kSpec, true, false},
    {"RR-UPS-2", "A claim of an unknown attempt is refused and leaves no lease.", CheckedBy::kSpec, false, true},
    {"RR-UPS-3", "A claim of an attempt under a live lease is refused and changes nothing.", CheckedBy::kSpec, false, true},
    {"RR-UPS-4", "A claim by the worker that holds the live lease is refused too: a claim never renews.", CheckedBy::kSpec, false,
     true},
    {"RR-UPS-5", "A claim of an attempt under an expired lease is refused until a sweep, and its owner may still refresh it.",
     CheckedBy::kSpec, false, true},
    {"RR-UPS-6", "A claim of a terminal attempt is refused.", CheckedBy::kSpec, false, true},
    {"RR-UPS-7", "A claim of a retry before its retry_at is refused.", CheckedBy::kSpec, false, true},
    {"RR-UPS-8", "A claim of a retry that is due succeeds and keeps attempt_no.", CheckedBy::kSpec, true, false},
    {"RR-UPS-9",
     "A claim of a ready attempt with a lingering lease is refused while that lives, and replaces it once it has expired.",
     CheckedBy::kSpec, true, true, "a store without mark_attempt_status cannot come there"},
    {"RR-UPS-10", "A refused claim changes nothing: not the status, not the old lease, not started_at.", CheckedBy::kProbe, false,
     true},
    {"RR-UPS-11", "A claim sets started_at where there was none, and else keeps it.", CheckedBy::kSpec, true, false},
    {"RR-UPS-12", "A claim changes neither attempt_no nor priority, tenant and policies.", CheckedBy::kSpec, true, false},
    {"RR-UPS-13", "Of concurrent claims of one attempt exactly one succeeds, and the others are refused.", CheckedBy::kSpec, true,
     true},
    {"RR-UPS-14", "A claim with an expiry in the past succeeds, and its lease has expired already.", CheckedBy::kSpec, true,
     false},
    {"RR-UPS-15", "A claim is judged on the state at the claim, listed before or not.", CheckedBy::kSpec, true, true},

    // heartbeat_lease
    {"RR-HBT-1", "A heartbeat stores both instants as given and adds 1 to the version.", CheckedBy::kSpec, true, false},
    {"RR-HBT-2",
     "A heartbeat with an unknown id, or that of a lease which is gone, fails with LEASE_NOT_FOUND and makes nothing.",
     CheckedBy::kSpec, false, true},
    {"RR-HBT-3", "A heartbeat revives a lease that has expired and was not swept.", CheckedBy::kSpec, true, false},
    {"RR-HBT-4", "A heartbeat asks for no worker: whoever has the id may refresh.", CheckedBy::kSpec, true, false},
    {"RR-HBT-5", "A heartbeat may move both instants back, the expiry into the past too.", CheckedBy::kSpec, true, false},
    {"RR-HBT-6", "A heartbeat changes neither the lease's id, attempt and worker nor the attempt.", CheckedBy::kSpec, true,
     false},
    {"RR-HBT-7", "The id of an old lease never touches a newer lease of the same attempt.", CheckedBy::kSpec, false, true},

    // expire_leases_and_requeue
    {"RR-EXP-1", "A sweep takes the leases with an expiry strictly before stale_before; an equal one stays.", CheckedBy::kSpec,
     true, true},
    {"RR-EXP-2", "A swept lease is gone, and its attempt, unless terminal, is Queued.", CheckedBy::kSpec, true, false},
    {"RR-EXP-3", "A sweep answers how many leases it deleted.", CheckedBy::kSpec, true, false},
    {"RR-EXP-4", "A sweep changes neither attempt_no nor priority, tenant and policies, and delays nothing.", CheckedBy::kSpec,
     true, false},
    {"RR-EXP-5", "A sweep leaves a terminal attempt's status.", CheckedBy::kSpec, true, false,
     "a store without mark_attempt_status cannot come there"},
    {"RR-EXP-6", "A sweep touches no attempt without a lease that is stale.", CheckedBy::kSpec, true, false},
    {"RR-EXP-7", "A second sweep with the same cutoff and nothing in between answers 0.", CheckedBy::kSpec, false, true},
    {"RR-EXP-8", "No moment shows a swept lease with its attempt still Leased.", CheckedBy::kSpec, true, false},
    {"RR-EXP-9", "A lease whose refresh to the cutoff or beyond was answered before a sweep took effect survives it.",
     CheckedBy::kSpec, true, false},
    {"RR-EXP-10", "Two sweeps never count one lease both, and none deletes a lease that was made after it looked.",
     CheckedBy::kScan, true, false},
    {"RR-EXP-11", "A sweep takes the cutoff as it is given and adds no grace.", CheckedBy::kSpec, true, false},
    {"RR-EXP-12", "A swept attempt is dispatchable at once, without a dead letter or an entry of history.", CheckedBy::kSpec,
     true, false},

    // latest_seq_for_run
    {"RR-SEQ-1", "The latest number of a run is that of its last event.", CheckedBy::kSpec, true, false},
    {"RR-SEQ-2", "A run without events, known or not, has 0, and that is no error.", CheckedBy::kSpec, false, true},
    {"RR-SEQ-3", "Appends to one run do not move another; attempts, leases, acks and sweeps move none.", CheckedBy::kSpec, true,
     false},
    {"RR-SEQ-4", "The latest number never goes back, and is never below one that an append answered before.", CheckedBy::kScan,
     true, false},

    // transition_timed_out_attempts
    {"RR-TMO-1",
     "A timeout takes the Leased and Running attempts whose timeout has passed since started_at; the exact millisecond counts.",
     CheckedBy::kSpec, true, true},
    {"RR-TMO-2", "A timed-out attempt loses its lease, retry_at and started_at, gets its policy's status and keeps attempt_no.",
     CheckedBy::kSpec, true, false},
    {"RR-TMO-3", "A timeout answers how many attempts it ended.", CheckedBy::kSpec, true, false},
    {"RR-TMO-4", "A timeout to Failed writes a pending dead letter with reason execution_timeout, one to Cancelled none.",
     CheckedBy::kSpec, true, false},
    {"RR-TMO-5", "Queued, RetryBackoff and terminal attempts never time out, whatever started_at says.", CheckedBy::kSpec, false,
     true},
    {"RR-TMO-6", "An attempt without a timeout policy never times out.", CheckedBy::kSpec, false, true},
    {"RR-TMO-7", "A live, freshly refreshed lease does not keep an attempt from timing out.", CheckedBy::kSpec, true, false},
    {"RR-TMO-8", "A timeout is terminal, also with retries left.", CheckedBy::kSpec, true, false},
    {"RR-TMO-9", "A store without timeouts answers 0 to every call, and then takes no timeout policy.", CheckedBy::kNobody, false,
     false, "which of the two a store is shows only in the operations it declares; tests/model runs the default body"},
    {"RR-TMO-10", "After a timeout the old lease is not found, and a second call with the same instant answers 0.",
     CheckedBy::kSpec, false, true},

    // Fixtures
    {"RR-FIX-1", "A new attempt is Queued with attempt_no 1, priority 0 and nothing else.", CheckedBy::kSpec, true, false},
    {"RR-FIX-2", "Enqueueing an id that is there succeeds and changes nothing, for another run too.", CheckedBy::kSpec, false,
     true},
    {"RR-FIX-3", "An ack Completed or Cancelled deletes the lease, sets the status and answers it without a retry.",
     CheckedBy::kSpec, true, false},
    {"RR-FIX-4",
     "An ack Failed with retries left deletes the lease and makes RetryBackoff with the next number, due after the policy's "
     "delay, with an entry of history.",
     CheckedBy::kSpec, true, false},
    {"RR-FIX-5",
     "An ack Failed without retries left makes Failed, keeps attempt_no and writes a pending dead letter with reason "
     "terminal_failed.",
     CheckedBy::kSpec, true, false},
    {"RR-FIX-6", "A retry policy that an ack brings replaces the remembered one, on any outcome.", CheckedBy::kSpec, true, false},
    {"RR-FIX-7", "An ack of an unknown attempt fails with ATTEMPT_NOT_FOUND.", CheckedBy::kSpec, false, true},
    {"RR-FIX-8", "An ack needs neither lease nor worker; of a terminal attempt it is refused.", CheckedBy::kSpec, true, true,
     "a store may let an ack rewrite a terminal status (RR-LAT-13)"},
    {"RR-FIX-9", "An attempt's status and lease can be read, an expired lease too, and are none where there are none.",
     CheckedBy::kSpec, true, true},
    {"RR-FIX-10", "A versioned heartbeat refreshes if id, worker and version match, and else fails with VERSION_CONFLICT.",
     CheckedBy::kSpec, true, true},
    {"RR-FIX-11", "Priority, tenant, timeout policy and started_at can be set in any status, and of unknown attempts not at all.",
     CheckedBy::kSpec, true, true},
    {"RR-FIX-12", "An append numbers its events on from the run's last, all or none, and answers the last number.",
     CheckedBy::kSpec, true, false},
    {"RR-FIX-13",
     "Replaying a pending dead letter deletes the lease and makes its attempt Queued with the number it had; without one it is "
     "refused.",
     CheckedBy::kSpec, true, true},
    {"RR-FIX-14", "A mark writes a status as it is and leaves the lease; of an unknown attempt it does nothing.",
     CheckedBy::kSpec, true, true},
    {"RR-FIX-15",
     "The active leases of a worker, or of a tenant, are those with an expiry not before now, whatever the attempts' status.",
     CheckedBy::kSpec, true, false},
    {"RR-DUR-1", "What a durable store has acknowledged is there after closing, opening and a crash.", CheckedBy::kProbe, true,
     false, "only a durable store is reopened"},

    // Latitude
    {"RR-LAT-1", "The store's own clock is read by claims only; all other calls take their time from arguments.",
     CheckedBy::kNobody, false, false, "it permits; RR-UPS-1 and RR-LST-9 say what it demands"},
    {"RR-LAT-2", "Profile upstream also permits a claim of a retry before its retry_at.", CheckedBy::kNobody, false, false,
     "it permits; RR-UPS-7 is what doc demands"},
    {"RR-LAT-3", "A refused claim may name either claim refusal, and no other class.", CheckedBy::kSpec, false, true},
    {"RR-LAT-4", "A claim never replaces a live lease, of the same worker neither.", CheckedBy::kSpec, false, true},
    {"RR-LAT-5", "At the very instant of its expiry a lease is live to lists and counts, and not stale to sweeps.",
     CheckedBy::kSpec, true, false},
    {"RR-LAT-6", "Instants are compared in whole milliseconds.", CheckedBy::kNobody, false, false,
     "the wire cuts finer digits off, so none arrives"},
    {"RR-LAT-7", "A store may order without the priority, and says so.", CheckedBy::kNobody, false, false,
     "it permits; RR-LST-2 judges the order that is declared"},
    {"RR-LAT-8", "A store keeps started_at through a sweep, or clears it, always the same.", CheckedBy::kSpec, true, false},
    {"RR-LAT-9", "A Queued attempt may show an old retry_at.", CheckedBy::kNobody, false, false, "it permits"},
    {"RR-LAT-10", "A sweep that took the lease of a terminal attempt may leave it out of its count.", CheckedBy::kNobody, false,
     false, "it permits"},
    {"RR-LAT-11", "A sweep that took the lease of a retry may make it Queued.", CheckedBy::kNobody, false, false, "it permits"},
    {"RR-LAT-12", "A store of profile upstream may have no event log, and says so.", CheckedBy::kNobody, false, false,
     "it permits; RR-SEQ-1 is what doc demands"},
    {"RR-LAT-13", "An ack may rewrite a terminal status, but a terminal attempt never comes back.", CheckedBy::kNobody, false,
     false, "it permits; RR-INV-6 is what it demands"},
    {"RR-LAT-14", "A timeout is never half done: no moment shows one part of it without the others.", CheckedBy::kSpec, true,
     false, "a store without timeouts shows none"},
    {"RR-LAT-15", "A limit beyond 2^63 lists everything.", CheckedBy::kNobody, false, false,
     "a foreign backend may fail; tests/memstore asks the reference"},
    {"RR-LAT-16",
     "Instants and delays never wrap: a timeout beyond the end of time never comes, and a delay ends at the last instant.",
     CheckedBy::kSpec, true, false},
    {"RR-LAT-17", "An attempt may be requeued by sweeps without end.", CheckedBy::kNobody, false, false, "it permits"},
    {"RR-LAT-18", "A heartbeat of an expired lease that is still held succeeds.", CheckedBy::kSpec, true, false},

    // Invariants
    {"RR-INV-1", "Between two successful claims of an attempt lies a release of it.", CheckedBy::kScan, true, false},
    {"RR-INV-2", "A sweep takes a lease only if the expiry it was last given lies before the cutoff.", CheckedBy::kScan, true,
     false},
    {"RR-INV-3", "After a sweep no lease is left that expired before its cutoff.", CheckedBy::kProbe, true, false},
    {"RR-INV-4", "A claim succeeds exactly if its attempt was dispatchable just before.", CheckedBy::kSpec, true, true},
    {"RR-INV-5", "A lease's version is 1 more than its successful heartbeats, and no two leases have one id.", CheckedBy::kScan,
     true, false},
    {"RR-INV-6", "A terminal attempt is never listed, claimed or given another status, until its dead letter is replayed.",
     CheckedBy::kScan, true, false},
    {"RR-INV-7", "Every attempt that has not ended comes back in a list after a sweep of everything.", CheckedBy::kProbe, true,
     false},
    {"RR-INV-8", "Every attempt that is listed, leased or counted was enqueued.", CheckedBy::kScan, true, false},
    {"RR-INV-9", "A list rises strictly in the dispatch order, and a shorter one is the beginning of a longer one.",
     CheckedBy::kScan, true, false},
    {"RR-INV-10", "A later `now` takes no attempt out of the list of an unchanged store.", CheckedBy::kProbe, true, false},
    {"RR-INV-11", "attempt_no rises by 1 at an ack that schedules a retry, and never else.", CheckedBy::kScan, true, false},
    {"RR-INV-12", "No attempt is listed or claimed before the retry_at that its ack answered.", CheckedBy::kScan, true, false,
     "a store of profile upstream may grant the claim (RR-LAT-2)"},
    {"RR-INV-13", "Refused calls and reads leave every observation as it was.", CheckedBy::kProbe, true, false},
    {"RR-INV-14", "A run's latest number is the number of events that were appended to it.", CheckedBy::kScan, true, false},
    {"RR-INV-15", "Leases that were released and leases that are held add up to the successful claims.", CheckedBy::kScan, true,
     false},
    {"RR-INV-16", "An attempt has a pending dead letter exactly if it last ended Failed and was not replayed since.",
     CheckedBy::kScan, true, false},
};

// The index of a clause in kClauses; an unknown id does not compile.
template <ClauseId kId>
constexpr ClauseIndex Clause() {
  constexpr std::size_t kIndex = FindClause(kClauses, kId.view());
  static_assert(kIndex < std::size(kClauses), "no clause of runtime_repository has this id");
  return static_cast<ClauseIndex>(kIndex);
}

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_MODEL_RUNTIME_REPOSITORY_CLAUSES_H_
