// The runtime_repository contract: START HERE.
//
// A store of *attempts*, which are units of work of a run, with at most one *lease* each: who may execute it, until when. A
// scheduler lists what may be dispatched and claims one by its id; the list is advice, and the claim alone decides who owns it. A
// worker refreshes its lease by heartbeats and ends the attempt by an ack. A lease manager sweeps: a lease that was not refreshed
// is deleted and its attempt goes back to the queue, and an attempt that ran too long is ended.
//
//                 enqueue                     ack Completed
//                    |               +--------------------------------> Completed
//                    v    claim      |        ack Cancelled, timeout
//    +-----------> Queued --------> Leased --------------------------> Cancelled
//    |               ^               |  ^     ack Failed without retries left, timeout: with a dead letter
//    | sweep         | sweep    mark v  | claim
//    +---------------+------------ Running --------------------------> Failed --replay of the dead letter--> Queued
//                                    |
//                                    | ack Failed with retries left: attempt_no + 1, retry_at
//                                    v
//                               RetryBackoff --claim, from retry_at on--> Leased
//
//    LEASE   none --claim--> held, version 1 --heartbeat--> version 2 ... --sweep, ack, timeout, replay--> gone, its id for ever
//
// Words used below, of an attempt a at an instant t:
//   held          a has a lease, whether or not that has expired.
//   live          a has a lease with lease_expires_at >= t: at the very millisecond of its expiry it lives.
//   ready         a is Queued, or RetryBackoff with retry_at absent or <= t.
//   dispatchable  ready, and not live.
//   terminal      Completed, Failed or Cancelled.
// Running counts as Leased everywhere. Only the fixture mark_attempt_status makes it, and only after a mark can an attempt that
// is not Leased have a lease, or one that is Leased have none.
//
// Time. Five of the trait's methods take every instant from their arguments, which are pure: any instant is legal, earlier ones
// after later ones too, and none moves a clock. Only UpsertLease reads the store's own clock, once a call (RR-LAT-1). All is
// compared in whole milliseconds; the wire cuts finer digits off (RR-LAT-6).
//
// Thread safety: every method may be called from any thread at any time and takes effect at one instant between call and return.
// Ownership: requests are borrowed for the call, responses are values of the caller.
// Errors are values (values.h, StoreError). An error leaves the store exactly as it was. [RR-INV-13] Where a method's comment
// names no error, a conforming store does not fail. `Driver` of class BACKEND stands for what the contract does not name: a call
// may answer it, without effect, for trouble such as a disk that fails; for LatestSeqForRun and AppendRunEvents it is EventStore.
// Where a call has several faults, any of their classes is right; the order in which a comment lists them is the reference's.
//
//   ManualClock clock(0);
//   memstore::RuntimeRepository store({.clock = &clock});
//   store.EnqueueAttempt({"a", "run"});
//   auto listed = store.ListDispatchableAttempts({Instant(0), 16});               // a, attempt_no 1, Queued
//   auto lease = store.UpsertLease({"a", "worker", Instant(30'000)});             // version 1; a is Leased
//   store.HeartbeatLease({lease->lease_id, Instant(10'000), Instant(40'000)});    // version 2
//   store.ExpireLeasesAndRequeue({Instant(40'000)});                              // 0: the cutoff is strict
//   store.ExpireLeasesAndRequeue({Instant(40'001)});                              // 1: a is Queued again
//
// A scheduler or a lease manager needs RuntimeRepository, the trait. The trait cannot make what it talks about, so a store that
// is tested, or that stands in for a real one in a test, has the fixtures too: RuntimeRepositoryStore is both. A backend
// overrides the five methods that are pure here; TransitionTimedOutAttempts has a default, which does nothing.
//
// Source: shared/contracts/runtime-repository.md; the ids in brackets are its clauses.
#ifndef LEASECHECK_MODEL_RUNTIME_REPOSITORY_STORE_H_
#define LEASECHECK_MODEL_RUNTIME_REPOSITORY_STORE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "model/runtime_repository/requests.h"
#include "model/runtime_repository/values.h"
#include "tl/expected.hpp"

namespace leasecheck::runtime_repository {

template <class Response>
using Result = tl::expected<Response, StoreError>;

// The trait.
class RuntimeRepository {
 public:
  virtual ~RuntimeRepository() = default;

  // The attempts that are dispatchable at `now`, the first `limit` of them in dispatch order: priority from high to low, then
  // attempt_no from low to high, then attempt_id by its bytes; so a retry comes after every first try of its priority, and "a10"
  // before "a2". Nothing else has a part in the order, and tenants' limits none in the list. Status, attempt_no and retry_at are
  // shown as they are stored. limit 0 gives none; any limit is legal. Changes nothing: expired leases stay, RetryBackoff stays.
  // [RR-LST-1..12] Running and Leased attempts are in no list, whatever became of their leases. [RR-LST-6]
  virtual Result<std::vector<AttemptDispatchRecord>> ListDispatchableAttempts(const ListDispatchableAttemptsRequest& request) = 0;

  // Claims a dispatchable attempt: a new lease with a new id, version 1, this worker and this expiry, heartbeat_at = the clock;
  // the attempt is Leased, and started_at becomes the clock where it was none. Judged at the store's clock, on the state of this
  // moment and not on any list. attempt_no, priority, tenant and policies stay. [RR-UPS-1,8,11,12,15] A lingering expired lease
  // of a ready attempt goes. [RR-UPS-9] An expiry in the past is accepted, and the lease has then expired already. [RR-UPS-14] Of
  // any number of concurrent claims of one attempt exactly one succeeds. [RR-UPS-13] Errors, both without any effect [RR-UPS-10],
  // and each may stand for the other (RR-LAT-3):
  //   Driver LEASE_CONFLICT    the attempt is ready, Leased or Running and has a live lease; also to the lease's own worker: a
  //                            claim never renews. [RR-UPS-3,4,9]
  //   Driver NOT_DISPATCHABLE  the attempt is unknown [RR-UPS-2], is Leased or Running with an expired lease, which stays and may
  //                            yet be refreshed [RR-UPS-5], is terminal [RR-UPS-6], or waits for its retry_at [RR-UPS-7]
  virtual Result<LeaseRecord> UpsertLease(const UpsertLeaseRequest& request) = 0;

  // Stores both instants in the lease as they are given and adds 1 to its version. Nothing else of the lease or of its attempt
  // changes. No worker is checked; an expired lease that is still held lives again; both instants may go back, expiry into the
  // past too. [RR-HBT-1,3..6] Errors: Driver LEASE_NOT_FOUND for an id that is unknown or whose lease is gone: an old id never
  // touches a newer lease of its attempt. [RR-HBT-2,7]
  virtual Result<Done> HeartbeatLease(const HeartbeatLeaseRequest& request) = 0;

  // The sweep: deletes every lease with lease_expires_at < stale_before, strictly, and requeues its attempt at once: Queued,
  // attempt_no, priority, tenant and policies as they were, no dead letter and no history. A terminal attempt keeps its status,
  // and one in RetryBackoff keeps that and its retry_at (RR-LAT-11). What started_at becomes is a dialect: kept, or cleared
  // (RR-LAT-8). All or nothing in one step, also against heartbeats, claims and other sweeps: a refresh that came before saves
  // its lease. Returns how many leases this call deleted. The store adds no grace of its own. [RR-EXP-1..12]
  virtual Result<uint64_t> ExpireLeasesAndRequeue(const ExpireLeasesAndRequeueRequest& request) = 0;

  // The number of the run's last event; 0 for a run without events, known or not. Only AppendRunEvents moves it. [RR-SEQ-1..4]
  virtual Result<uint64_t> LatestSeqForRun(const LatestSeqForRunRequest& request) = 0;

  // Ends every attempt that is Leased or Running, has a timeout policy and a started_at, and whose timeout_ms have passed since
  // that at `now`; exactly timeout_ms later it has. Its lease, live or not, is deleted; its status is the policy's, started_at
  // and retry_at are cleared, attempt_no stays; retries left do not matter. Failed writes a dead letter (execution_timeout,
  // dead_at = now, pending) over any before; Cancelled none. Returns how many it ended. [RR-TMO-1..8,10] A timeout that leads
  // beyond the end of time never comes. [RR-LAT-16] Default: does nothing and returns 0, for a store that has no timeout
  // policies. [RR-TMO-9]
  virtual Result<uint64_t> TransitionTimedOutAttempts(const TransitionTimedOutAttemptsRequest& request);
};

// What makes, ends and shows attempts beside the trait. The ids RR-FIX-n are the contract's.
class RuntimeRepositoryFixtures {
 public:
  virtual ~RuntimeRepositoryFixtures() = default;

  // A new attempt: attempt_no 1, Queued, priority 0, nothing else set. Where the id is there already, in whatever status and of
  // whatever run: succeeds and changes nothing. [RR-FIX-1,2]
  virtual Result<Done> EnqueueAttempt(const EnqueueAttemptRequest& request) = 0;

  // Ends the attempt's execution with an outcome: Completed, Failed or Cancelled. A policy that is given is remembered from here
  // on, on any outcome; the *effective* one is the last that was given. [RR-FIX-6] In every case the lease is deleted and
  // started_at cleared; worker and lease are not asked for, and the attempt need not be leased. [RR-FIX-8]
  //   Failed, and attempt_no <= max_retries of the effective policy: RetryBackoff, attempt_no + 1, retry_at = now +
  //   RetryDelay(policy, the old attempt_no), at most kLastInstant, and one more entry of retry history. [RR-FIX-4]
  //   Failed otherwise: Failed, with a dead letter (terminal_failed, dead_at = now, pending) over any before; retry_at
  //   cleared. [RR-FIX-5]
  //   Completed, Cancelled: that status, retry_at cleared. [RR-FIX-3]
  // Errors: Driver BAD_OUTCOME for another status; ATTEMPT_NOT_FOUND [RR-FIX-7]; ATTEMPT_TERMINAL for a terminal attempt
  // [RR-FIX-8]; LEASE_NOT_FOUND where lease_id is given and is not the attempt's current lease. lease_id is this store's own
  // addition (RR-LAT-13): a foreign backend does not know it.
  virtual Result<AckResult> AckAttempt(const AckAttemptRequest& request) = 0;

  // Writes a status, any, as it is, and leaves the lease there is. A terminal status clears retry_at; every status but Leased and
  // Running clears started_at. An unknown id succeeds without effect. For making Running, and odd states. [RR-FIX-14]
  virtual Result<Done> MarkAttemptStatus(const MarkAttemptStatusRequest& request) = 0;

  // These four set one property of an attempt, in any status. Errors: Driver ATTEMPT_NOT_FOUND. [RR-FIX-11]
  virtual Result<Done> SetAttemptPriority(const SetAttemptPriorityRequest& request) = 0;
  // ASCII white space around the tenant goes; what is then empty is no tenant.
  virtual Result<Done> SetAttemptTenantId(const SetAttemptTenantIdRequest& request) = 0;
  // Also Driver BAD_POLICY, before that: timeout_ms < 1, or on_timeout_status is neither Failed nor Cancelled.
  virtual Result<Done> SetAttemptTimeoutPolicy(const SetAttemptTimeoutPolicyRequest& request) = 0;
  virtual Result<Done> SetAttemptStartedAt(const SetAttemptStartedAtRequest& request) = 0;

  // The attempt's number and status, or none. [RR-FIX-9]
  virtual Result<std::optional<AttemptStatus>> GetAttemptStatus(const GetAttemptStatusRequest& request) = 0;
  // The lease, expired or not, or none. [RR-FIX-9]
  virtual Result<std::optional<LeaseRecord>> GetLeaseForAttempt(const GetLeaseForAttemptRequest& request) = 0;
  virtual Result<std::optional<LeaseRecord>> GetLeaseById(const GetLeaseByIdRequest& request) = 0;

  // HeartbeatLease, if the lease has this worker and this version. Errors: Driver VERSION_CONFLICT if not, and for an id that is
  // unknown or whose lease is gone. [RR-FIX-10]
  virtual Result<Done> HeartbeatLeaseWithVersion(const HeartbeatLeaseWithVersionRequest& request) = 0;

  // How many leases live at `now`, of this worker, or of attempts of this tenant; whatever the attempts' status. [RR-FIX-15]
  virtual Result<uint64_t> ActiveLeasesForWorker(const ActiveLeasesForWorkerRequest& request) = 0;
  virtual Result<uint64_t> ActiveLeasesForTenant(const ActiveLeasesForTenantRequest& request) = 0;

  // The retries that acks scheduled for the attempt, oldest first; none for an unknown one. [RR-FIX-4]
  virtual Result<std::vector<RetryHistoryEntry>> GetAttemptRetryHistory(const GetAttemptRetryHistoryRequest& request) = 0;

  // Every dead letter, pending or replayed, by attempt_id. [RR-FIX-5, RR-TMO-4, RR-INV-16]
  virtual Result<std::vector<DeadLetter>> ListDeadLetters(const ListDeadLettersRequest& request) = 0;

  // Puts the attempt of a pending dead letter back: Queued, attempt_no as it was, retry_at and started_at cleared, a lease
  // deleted; the letter is replayed, and its count one higher. The only way out of a terminal status. `now` is for the records
  // of a store that keeps them. [RR-FIX-13] Errors: Driver DLQ_NOT_FOUND, DLQ_ALREADY_REPLAYED.
  virtual Result<Done> ReplayDeadLetter(const ReplayDeadLetterRequest& request) = 0;

  // Appends `count` events to the run, all or none, numbered on from its last, and returns the number of the last: with count 0,
  // that of the last there is. [RR-FIX-12] Errors: EventStore where the numbers would pass 2^64 - 1.
  virtual Result<uint64_t> AppendRunEvents(const AppendRunEventsRequest& request) = 0;
};

// A store that can be tested.
class RuntimeRepositoryStore : public RuntimeRepository, public RuntimeRepositoryFixtures {};

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_MODEL_RUNTIME_REPOSITORY_STORE_H_
