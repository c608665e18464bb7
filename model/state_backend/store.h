// The state_backend contract: START HERE.
//
// The durable state of a workflow engine, in one store: workflow *definitions*, *executions* of them with a state that is
// patched, an append-only *event log* an execution, *snapshots* of what the log adds up to, a *work queue* whose items are
// claimed under a lease, API *tokens*, and *tenants*. A scheduler reclaims expired leases, lists executions, appends events and
// enqueues items; workers claim, renew while they work, patch the state and settle; an HTTP layer validates a token with every
// request.
//
//   ITEM       enqueue --> pending --claim--> claimed --complete--> completed
//              pending, claimed --fail--> failed
//              pending, claimed, failed --move_to_dead_letter--> dead-lettered
//              claimed, lease_expires_at < now --reclaim--> pending with attempt + 1, not claimable before a backoff
//                                              --reclaim with attempt + 1 >= max_attempts--> dead-lettered
//              completed and dead-lettered are for good, and so is an id: it is never free again.
//   EXECUTION  create --> any status --update_execution_status--> any status. Nothing deletes one.
//   LOG        an execution's events are numbered 1, 2, 3 ... and never change.
//   TOKEN      create --> valid --revoke_token, or expires_at <= now--> not valid
//   TENANT     create --update--> ... Nothing deletes one. "default" is there from the beginning.
//
// Views. The store is one set of tables. A request whose `view` is absent is made through the *unscoped* store, which sees and
// changes the records of all tenants; one with a view is made through that tenant's view, which sees and changes that tenant's
// records only. To a view a foreign record is not there: reads answer none, empty or 0, a call that names it fails with NotFound,
// and one that refers to its execution with Database. [SB-TEN-10,13] What a view makes belongs to its tenant, whatever tenant_id
// the value says. [SB-TEN-11] Through the unscoped store a definition and an item belong to the tenant that their tenant_id
// names, an execution to "default", an event and a snapshot to their execution's tenant, a token to "default" (SB-LAT-24).
// Global, and the same through every view: the tenants themselves [SB-TEN-9], the validity of tokens (SB-LAT-28), and the
// uniqueness of execution, event and item ids [SB-TEN-14]. A tenant is *registered* if it was created, or is "default". Through
// the view of one that is not, calls that make something fail with Database, calls that name something with NotFound, and reads,
// claims and reclaims find nothing; tenant calls work as ever. [SB-TEN-12] A view may be had as a store of its own:
// tenant_view.h.
//
// Words used below, judged at `now`, the store's own clock, read once a call and in no case twice:
//   eligible   an item that is pending, whose queue_type is one of those asked for, and whose retry_after is absent or <= now.
//   expired    a claimed item with lease_expires_at < now. At lease_expires_at == now it has not.
//   visible    a record that the call's view sees.
// L is the lease length: 30 s, or what the store declares (SB-LAT-35).
//
// Time. Only what the store stamps comes from its clock: updated_at of an execution that is changed, completed_at, leases,
// retry_after, created_at of a token, dead_lettered_at. All other instants are the caller's, stored as they are and compared with
// no clock; created_at of an item orders the queue and nothing else. All in whole milliseconds, saturating at kLastInstant.
//
// Thread safety: every method may be called from any thread at any time and takes effect at one instant between call and return.
// [SB-GEN-1] A call that the contract allows waits for others rather than failing. [SB-GEN-5]
// Ownership: requests are borrowed for the call, responses are values of the caller. [SB-GEN-3]
// Errors are values (values.h, StoreError). An error leaves everything as it was. [SB-GEN-2] Where a method's comment names no
// error, a conforming store does not fail; Database may stand for trouble that the contract does not name, without effect.
//
//   ManualClock clock(0);
//   memstore::StateBackend store({.clock = &clock});
//   store.CreateExecution({execution});                                  // execution.execution_id == e
//   store.AppendEvent({{Uuid(1, 1), e, 0, {R"({"type":"workflow_started"})"}, Instant(0)}});  // 1
//   store.EnqueueWorkItem({item});                                       // item.queue_type == "tool"
//   auto claimed = store.ClaimWorkItem({"w", {"tool"}});                 // lease_expires_at 30'000
//   clock.Set(30'001);
//   store.ReclaimExpiredLeases({});                                      // retryable: attempt 1, claimable from 32'001 on
//   TenantView alpha(store, "alpha");
//   alpha.GetExecution({e});                                             // none
//
// The engine's parts need StateBackend, the trait. It cannot revoke tokens or show dead letters, so a store that is tested, or
// that stands in for a real one in a test, has the fixtures too: StateBackendStore is both. A backend overrides what is pure:
// 23 methods, three fixtures. The four methods of tenants have a default, that of a store without any (SB-LAT-34 `unsupported`).
//
// Source: docs/contracts/state-backend.md; the ids in brackets are its clauses.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_STORE_H_
#define LEASECHECK_MODEL_STATE_BACKEND_STORE_H_

#include <optional>
#include <vector>

#include "model/state_backend/requests.h"
#include "model/state_backend/values.h"
#include "tl/expected.hpp"

namespace leasecheck::state_backend {

template <class Response>
using Result = tl::expected<Response, StoreError>;

// The trait.
class StateBackend {
 public:
  virtual ~StateBackend() = default;

  // ---- Workflow definitions. A tenant has at most one of a (workflow_id, version).

  // Stores the definition over the tenant's earlier one of this id and version, all of it. Other versions and other tenants'
  // definitions are not touched. [SB-WF-1..3,6] Errors: Database where the tenant is not registered. [SB-WF-7]
  virtual Result<Done> StoreWorkflow(const StoreWorkflowRequest& request) = 0;

  // The definition of exactly this id and version, or none: there is no "latest". [SB-WF-4,5] Unscoped, where several tenants
  // have one: any of them (SB-LAT-42); the reference gives the one that was stored last.
  virtual Result<std::optional<WorkflowDefinition>> GetWorkflow(const GetWorkflowRequest& request) = 0;

  // ---- Executions.

  // Stores the record as it is, status and times included. Its definition need not exist. [SB-EXE-1,3] Errors: Database where the
  // id was created before, in any tenant; the first stays [SB-EXE-2]; and through the view of an unregistered one [SB-TEN-12].
  virtual Result<Done> CreateExecution(const CreateExecutionRequest& request) = 0;

  // The record, or none. [SB-EXE-4] session_type may have been lost (SB-LAT-7); the reference keeps it.
  virtual Result<std::optional<WorkflowExecution>> GetExecution(const GetExecutionRequest& request) = 0;

  // Sets the status, and updated_at to now. A terminal status also sets completed_at to now, whether or not it was set; any other
  // leaves it. Every move is allowed. [SB-EXE-6..8] Errors: NotFound. [SB-EXE-5]
  virtual Result<Done> UpdateExecutionStatus(const UpdateExecutionStatusRequest& request) = 0;

  // Puts this JSON, any, in the place of current_state, and sets updated_at to now. [SB-EXE-9] Errors: NotFound. [SB-EXE-10]
  virtual Result<Done> UpdateExecutionCurrentState(const UpdateExecutionCurrentStateRequest& request) = 0;

  // Makes `value` the last element of the array that current_state has under `key`, or makes that member the array [value] where
  // there is none; sets updated_at to now. One element, whatever the value is; the key is one name, never a path, "" too. In one
  // step: of concurrent calls no value is lost. [SB-PAT-2..5,8,9] Errors: NotFound [SB-PAT-1]; Database where the member is no
  // array, null neither, or the state no object. [SB-PAT-6,7]
  virtual Result<Done> PatchAppendArray(const PatchAppendArrayRequest& request) = 0;

  // The visible executions, or those with this status, by updated_at from late to early, without the first `offset`, at most
  // `limit`. Ties in any order, but no execution twice. Any limit and offset is legal. [SB-LSE-1..7] Dialect SB-LAT-5
  // `started_at`: by that. The reference puts, of equals, the one that was created later first.
  virtual Result<std::vector<WorkflowExecution>> ListExecutions(const ListExecutionsRequest& request) = 0;

  // ---- The event log.

  // Appends the event to its execution's log, under the next number, and returns that: the n-th append of an execution gets n,
  // whatever the event says. Nothing but the log changes. [SB-EVT-1,2,9,10, SB-SEQ-1,2] Dialect SB-LAT-10 `global`: the n-th
  // append of the store gets n. Errors: Database where the execution is not visible [SB-EVT-7], or an event of this id is in any
  // log [SB-EVT-8]; no number is used up then. [SB-SEQ-3] Dialect SB-LAT-9 `accepted`: the execution need not exist.
  virtual Result<EventSequence> AppendEvent(const AppendEventRequest& request) = 0;

  // The execution's events, by number; empty where it has none or is unknown. [SB-EVT-3,6]
  virtual Result<std::vector<Event>> GetEvents(const GetEventsRequest& request) = 0;

  // Those with a number above since_sequence, which may be any. [SB-EVT-4,5]
  virtual Result<std::vector<Event>> GetEventsSince(const GetEventsSinceRequest& request) = 0;

  // The number of the last, or 0. [SB-SEQ-5,6]
  virtual Result<EventSequence> LatestSequence(const LatestSequenceRequest& request) = 0;

  // Stores the snapshot over an earlier one of the execution with this at_sequence, which is compared with nothing. The log does
  // not change. [SB-SNP-3..5,7] Errors: Database where the execution is not visible [SB-SNP-6], but for SB-LAT-9 `accepted`. Ids
  // of snapshots are not compared.
  virtual Result<Done> WriteSnapshot(const WriteSnapshotRequest& request) = 0;

  // The execution's snapshot with the greatest at_sequence, or none. [SB-SNP-1,2]
  virtual Result<std::optional<Snapshot>> LatestSnapshot(const LatestSnapshotRequest& request) = 0;

  // ---- The work queue.

  // Adds the item, pending and eligible at once: worker_id and lease_expires_at are discarded, all else is stored as it is.
  // Returns its id. [SB-ENQ-1..3,6] Errors: Database where the id was ever enqueued, whatever became of it [SB-ENQ-4], or the
  // execution is not visible [SB-ENQ-5], but for SB-LAT-9 `accepted`.
  virtual Result<WorkItemId> EnqueueWorkItem(const EnqueueWorkItemRequest& request) = 0;

  // Of the visible items that are eligible, over all queue types given, the one with the earliest created_at becomes claimed by
  // worker_id, with lease_expires_at = now + L, and is returned; attempt stays. None where there is none, so also without a queue
  // type. The order of queue_types means nothing, and a worker may have any name. [SB-CLM-1..8,10,11] An expired item is not
  // eligible until it is reclaimed. [SB-CLM-9] Of equals the reference takes the one that was enqueued first. Dialects: SB-LAT-15
  // `any`: any eligible item; SB-LAT-16 `stealing`: a call with a queue type first makes every visible expired item pending
  // again, attempt as it is, without backoff.
  virtual Result<std::optional<WorkItem>> ClaimWorkItem(const ClaimWorkItemRequest& request) = 0;

  // Sets lease_expires_at of the item to now + L, whether or not it had expired. [SB-REN-1,4,7] The holder is known by worker_id
  // alone. [SB-REN-6] Errors: NotFound where the item is not claimed by this worker: another's, pending again, settled, unknown.
  // [SB-REN-2,3,5]
  virtual Result<Done> RenewLease(const RenewLeaseRequest& request) = 0;

  // The item, pending or claimed, by whomever, is completed for good. One that is already: succeeds, nothing happens.
  // [SB-CMP-1..4,7] Errors: NotFound for an unknown [SB-CMP-5], failed or dead-lettered item [SB-CMP-6].
  virtual Result<Done> CompleteWorkItem(const CompleteWorkItemRequest& request) = 0;

  // The item, pending or claimed, by whomever, is failed: not claimable any more; attempt and payload stay; the store keeps the
  // text. One that is failed already: succeeds, nothing happens. [SB-FAI-1..3,5,7] Errors: NotFound for an unknown [SB-FAI-4],
  // completed or dead-lettered item [SB-FAI-6]. Dialect SB-LAT-20 `requeue`: it is pending and eligible at once, attempt + 1
  // without a cap, and a payload that is an object gets the text as its member last_error.
  virtual Result<Done> FailWorkItem(const FailWorkItemRequest& request) = 0;

  // Takes every visible expired item, in one step. With a' = attempt + 1, at most 2^32 - 1: where a' < max_attempts it is pending
  // with attempt a' and retry_after = now + 2^min(a', 6) s, and listed as retryable; else dead-lettered with attempt a' and
  // kLeaseExpiredError, and listed as exhausted. Lists by created_at, then, in the reference, in the order of the enqueues. No
  // other item is touched, and no event appended. [SB-RCL-1..13] Dialect SB-LAT-17 for the backoff: `none`, `bounded` (up to 64
  // s).
  virtual Result<ReclaimResult> ReclaimExpiredLeases(const ReclaimExpiredLeasesRequest& request) = 0;

  // The item, pending, claimed or failed, is dead-lettered for good, with this text; attempt stays. One that is already: succeeds
  // and takes the text. [SB-DLQ-1,3,5] Errors: NotFound for an unknown [SB-DLQ-2] or completed item [SB-DLQ-4].
  virtual Result<Done> MoveToDeadLetter(const MoveToDeadLetterRequest& request) = 0;

  // ---- Tokens.

  // Makes a token that never expires: a text that nobody can guess (kTokenPrefix and 64 hexadecimal digits) and what is known of
  // it, with a fresh id. The text is in this answer and nowhere else: the store keeps its SHA-256. [SB-TOK-1..3,6] Errors:
  // Database through the view of a tenant that is not registered. [SB-TEN-12]
  virtual Result<CreatedToken> CreateToken(const CreateTokenRequest& request) = 0;

  // What is known of the token with exactly this text, its own tenant included, through whatever view; none where there is none,
  // it was revoked, or expires_at <= now. [SB-TOK-4,5,7..9]
  virtual Result<std::optional<ApiToken>> ValidateToken(const ValidateTokenRequest& request) = 0;

  // ---- Tenants. `view` means nothing here.

  // Errors: Database where the id is there, "default" too; the first stays. [SB-TEN-1,2] Default: Database. [SB-DEF-1]
  virtual Result<Done> CreateTenant(const CreateTenantRequest& request);

  // The tenant, or none. [SB-TEN-1,3] Default: none. [SB-DEF-2]
  virtual Result<std::optional<Tenant>> GetTenant(const GetTenantRequest& request);

  // All of them, by created_at. [SB-TEN-7,8] Of equals the reference lists the one first that was created first. Default: empty.
  // [SB-DEF-3]
  virtual Result<std::vector<Tenant>> ListTenants(const ListTenantsRequest& request);

  // Sets name, status, policy, limits and updated_at as given; what is absent is cleared; created_at stays. [SB-TEN-4,5] Errors:
  // NotFound. [SB-TEN-6] Default: Database. [SB-DEF-4]
  virtual Result<Done> UpdateTenant(const UpdateTenantRequest& request);
};

// What the trait cannot do or show. Unscoped: they have no view.
class StateBackendFixtures {
 public:
  virtual ~StateBackendFixtures() = default;

  // From here on the token is not valid, for good. One that was revoked: succeeds. [SB-TOK-7] Errors: NotFound.
  virtual Result<Done> RevokeToken(const RevokeTokenRequest& request) = 0;

  // Sets the token's expires_at. [SB-TOK-8] Errors: NotFound.
  virtual Result<Done> ExpireToken(const ExpireTokenRequest& request) = 0;

  // Every dead-lettered item, of all tenants, by id. [SB-DLQ-6]
  virtual Result<std::vector<DeadLetter>> ListDeadLetters(const ListDeadLettersRequest& request) = 0;
};

// A store that can be tested.
class StateBackendStore : public StateBackend, public StateBackendFixtures {};

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_MODEL_STATE_BACKEND_STORE_H_
