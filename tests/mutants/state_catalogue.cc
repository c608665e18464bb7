#include "tests/mutants/state_catalogue.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "tests/mutants/disk_target.h"

namespace leasecheck::mutants {
namespace {

using Slip = StateSlip;

constexpr StateMutant kMutants[] = {
    // Definitions.
    {Slip::kDefinitionKeepsCreated,
     "definition-keeps-created",
     "Storing a definition again keeps the first created_at.",
     {"SB-WF-2", "SB-WF-6", "SB-WF-1"}},
    {Slip::kLatestVersion,
     "latest-version",
     "An unknown version is answered with another one.",
     {"SB-WF-5", "SB-WF-3", "SB-WF-4", "SB-TEN-10", "SB-TEN-12"}},
    {Slip::kTenantsShareDefinitions,
     "tenants-share-definitions",
     "A definition's key has no tenant in it.",
     {"SB-WF-6", "SB-TEN-10", "SB-WF-1", "SB-WF-2", "SB-TEN-11", "SB-INV-14", "SB-WF-3", "SB-WF-4"}},
    {Slip::kUnregisteredDefinition,
     "unregistered-definition",
     "A definition is stored for a tenant that does not exist.",
     {"SB-WF-7", "SB-TEN-12"}},
    // Executions.
    {Slip::kCreateReplaces, "create-replaces", "A second creation replaces the execution.", {"SB-EXE-2", "SB-TEN-14"}},
    {Slip::kNoCompletedAt, "no-completed-at", "A terminal status leaves completed_at alone.", {"SB-EXE-7"}},
    {Slip::kCompletedOnce, "completed-once", "completed_at is set only where it was none.", {"SB-EXE-7"}},
    {Slip::kResumeClearsCompleted, "resume-clears-completed", "A status that is not terminal clears completed_at.", {"SB-EXE-7"}},
    {Slip::kMovesChecked, "moves-checked", "A terminal execution cannot be resumed.", {"SB-EXE-8"}},
    {Slip::kStatusKeepsUpdated,
     "status-keeps-updated",
     "A status update leaves updated_at.",
     {"SB-EXE-6", "SB-LSE-2", "SB-LSE-4"}},
    {Slip::kListOffsetFirst,
     "list-offset-first",
     "The offset is taken before the status is looked at.",
     {"SB-LSE-4", "SB-LSE-1", "SB-LSE-2", "SB-LSE-6"}},
    {Slip::kLimitZeroIsAll, "limit-zero-is-all-executions", "A limit of 0 lists everything.", {"SB-LSE-5", "SB-LSE-6"}},
    {Slip::kPageSkipsOne,
     "page-skips-one",
     "Every page but the first begins one too late.",
     {"SB-LSE-4", "SB-LSE-6", "SB-LSE-2"}},
    // Patches.
    {Slip::kPatchSplices,
     "patch-splices",
     "An array is appended element by element.",
     {"SB-PAT-4", "SB-PAT-3", "SB-PAT-2", "SB-INV-16"}},
    {Slip::kPatchNullIsAbsent, "patch-null-is-absent", "A member that is null becomes an array.", {"SB-PAT-6"}},
    {Slip::kPatchSilent,
     "patch-silent",
     "A value that has no place is dropped, and the append succeeds.",
     {"SB-PAT-6", "SB-PAT-7", "SB-INV-16"}},
    {Slip::kPatchKeepsUpdated, "patch-keeps-updated", "An append leaves updated_at.", {"SB-PAT-8", "SB-LSE-2", "SB-LSE-4"}},
    {Slip::kPatchIsPath,
     "patch-is-path",
     "A dot in the key leads into the state.",
     {"SB-PAT-5", "SB-PAT-3", "SB-PAT-2", "SB-PAT-6"}},
    // Logs and snapshots.
    {Slip::kSinceInclusive,
     "since-inclusive",
     "get_events_since shows the event of the number itself again.",
     {"SB-EVT-4", "SB-EVT-5"}},
    {Slip::kHintTaken,
     "hint-taken",
     "A caller's number is taken where it leads on.",
     {"SB-SEQ-1", "SB-SEQ-2", "SB-INV-9", "SB-SEQ-4"}},
    {Slip::kFailedAppendTakesNumber,
     "failed-append-takes-number",
     "An append that fails uses up a number.",
     {"SB-SEQ-3", "SB-SEQ-2", "SB-SEQ-1", "SB-INV-9", "SB-EVT-8"}},
    {Slip::kAppendTouchesExecution,
     "append-touches-execution",
     "An append sets updated_at of the execution.",
     {"SB-EVT-10", "SB-EXE-1", "SB-EXE-6", "SB-EXE-9", "SB-PAT-8", "SB-LSE-2", "SB-LSE-4"}},
    {Slip::kUndeclaredGlobalNumbers,
     "undeclared-global-numbers",
     "Events are numbered over all executions.",
     {"SB-SEQ-2", "SB-SEQ-1", "SB-SEQ-3", "SB-INV-9"}},
    {Slip::kSnapshotLastWritten,
     "snapshot-last-written",
     "The latest snapshot is the one that was written last.",
     {"SB-SNP-2", "SB-INV-15"}},
    {Slip::kSnapshotNotReplaced,
     "snapshot-not-replaced",
     "A second snapshot of an at_sequence is dropped.",
     {"SB-SNP-3", "SB-SNP-5"}},
    // The queue.
    {Slip::kSweepResurrects,
     "sweep-resurrects-completed",
     "A reclaim goes by the lease alone and brings a completed item back.",
     {"SB-CMP-7", "SB-CMP-1", "SB-RCL-12", "SB-INV-2", "SB-RCL-9"}},
    {Slip::kClaimStarves,
     "claim-starves",
     "A claim looks at the first three rows only, eligible or not.",
     {"SB-INV-20", "SB-CLM-3", "SB-RCL-3", "SB-TEN-15", "SB-CLM-4", "SB-CLM-10", "SB-INV-4"}},
    {Slip::kClaimInEnqueueOrder, "claim-in-enqueue-order", "Claims go by the order of the enqueues.", {"SB-CLM-4", "SB-CLM-10"}},
    {Slip::kFirstTypeFirst, "first-type-first", "The first queue type named has priority.", {"SB-CLM-4", "SB-CLM-10"}},
    {Slip::kRetryAfterStrict,
     "retry-after-strict",
     "A retry is claimable from the millisecond after its backoff on.",
     {"SB-CLM-3", "SB-RCL-3", "SB-CLM-10", "SB-CLM-4", "SB-INV-4"}},
    {Slip::kNoBackoff, "no-backoff", "A reclaimed item is claimable at once.", {"SB-RCL-6", "SB-CLM-3"}},
    {Slip::kBackoffUncapped,
     "backoff-uncapped",
     "The backoff doubles beyond 64 s.",
     {"SB-RCL-3", "SB-CLM-3", "SB-RCL-6", "SB-CLM-10", "SB-CLM-4", "SB-INV-4"}},
    {Slip::kReclaimInclusive,
     "reclaim-inclusive",
     "A lease that ends at the very instant is reclaimed.",
     {"SB-RCL-1", "SB-INV-7", "SB-RCL-9"}},
    {Slip::kExpiredClaimable,
     "expired-claimable",
     "A claim takes an expired item that nobody reclaimed.",
     {"SB-CLM-9", "SB-INV-1", "SB-CLM-7", "SB-INV-5", "SB-RCL-5"}},
    {Slip::kLateHeartbeatRevives,
     "late-heartbeat-revives-retry",
     "A heartbeat of the last worker revives an item that was reclaimed.",
     {"SB-REN-5", "SB-REN-3", "SB-REN-6", "SB-INV-2"}},
    {Slip::kRenewByAnybody, "renew-by-anybody", "Any worker may renew.", {"SB-REN-2"}},
    {Slip::kRenewAdds,
     "renew-adds",
     "A renewal adds to the lease instead of setting it.",
     {"SB-REN-1", "SB-RCL-1", "SB-INV-6", "SB-RCL-9", "SB-INV-4", "SB-TEN-15"}},
    {Slip::kRenewRefusesLapsed,
     "renew-refuses-lapsed-item",
     "A lease that has run out cannot be renewed though nobody reclaimed it.",
     {"SB-REN-4", "SB-REN-1"}},
    {Slip::kAttemptAtClaim, "attempt-at-claim", "A claim counts an attempt too.", {"SB-CLM-6", "SB-RCL-2", "SB-INV-3"}},
    {Slip::kExhaustsOneLate,
     "exhausts-one-late",
     "An item is given one delivery more than it has.",
     {"SB-RCL-4", "SB-RCL-3", "SB-INV-5", "SB-RCL-5"}},
    {Slip::kReclaimUnordered, "reclaim-unordered", "A reclaim lists the youngest first.", {"SB-RCL-8"}},
    {Slip::kReasonNamesWorker,
     "reason-names-worker",
     "The reason of an exhausted item says whose lease has expired.",
     {"SB-RCL-13"}},
    {Slip::kReasonEmpty, "reason-empty", "An exhausted item is dead-lettered without a reason.", {"SB-RCL-13"}},
    {Slip::kReclaimKeepsAttempt,
     "reclaim-keeps-attempt",
     "A reclaim counts no attempt.",
     {"SB-RCL-2", "SB-RCL-7", "SB-INV-3", "SB-INV-5", "SB-RCL-5"}},
    {Slip::kFailRequeues,
     "fail-requeues",
     "A failed item is pending again, undeclared.",
     {"SB-FAI-1", "SB-FAI-2", "SB-INV-2", "SB-DLQ-1", "SB-INV-3", "SB-CMP-6", "SB-FAI-5", "SB-INV-5", "SB-RCL-5"}},
    {Slip::kLetterKeepsClaim,
     "letter-keeps-claim",
     "Dead-lettering a claimed item leaves it claimed.",
     {"SB-DLQ-1", "SB-DLQ-5", "SB-RCL-12", "SB-REN-3", "SB-INV-2", "SB-DLQ-3", "SB-CMP-6", "SB-FAI-6"}},
    {Slip::kCompleteTakesLetter,
     "complete-takes-letter",
     "Completing a dead-lettered item takes it off the list.",
     {"SB-CMP-6", "SB-DLQ-1", "SB-RCL-4", "SB-DLQ-3"}},
    {Slip::kSettledIdReused,
     "settled-id-reused",
     "The id of an item that has ended may be enqueued again.",
     {"SB-ENQ-4", "SB-TEN-14"}},
    {Slip::kEnqueueKeepsLease,
     "enqueue-keeps-lease",
     "An item that brings a worker is born claimed.",
     {"SB-ENQ-2", "SB-INV-20", "SB-CLM-4", "SB-CLM-3", "SB-RCL-12", "SB-REN-3", "SB-INV-4", "SB-TEN-15", "SB-RCL-10", "SB-INV-3",
      "SB-RCL-4", "SB-CLM-10"}},
    {Slip::kEmptyClaimTakesAny, "empty-claim-takes-any", "A claim without queue types takes any item.", {"SB-CLM-2"}},
    // Tokens and tenants.
    {Slip::kTokenExpiresLate, "token-expires-late", "A token is valid at the very instant of its expiry.", {"SB-TOK-8"}},
    {Slip::kRevokedValid, "revoked-valid", "A revoked token is valid.", {"SB-TOK-7"}},
    {Slip::kTokenIdIsText, "token-id-is-text", "A token's id is taken for its text.", {"SB-TOK-5"}},
    {Slip::kTokenTenantDefault, "token-tenant-default", "A validated token is always of the default tenant.", {"SB-TOK-4"}},
    {Slip::kTokenTextOfName, "token-text-of-name", "A token's text is made of its name.", {"SB-INV-17", "SB-TOK-4", "SB-TOK-2"}},
    {Slip::kTenantKeepsPolicy,
     "tenant-keeps-policy",
     "An update without a policy keeps the old one.",
     {"SB-TEN-5", "SB-TEN-4", "SB-TEN-7"}},
    {Slip::kTenantUpdateInserts, "tenant-update-inserts", "An update of an unknown tenant makes it.", {"SB-TEN-6"}},
    {Slip::kTenantUpdateTakesCreated,
     "tenant-update-takes-created",
     "An update takes the caller's created_at.",
     {"SB-TEN-4", "SB-TEN-5", "SB-TEN-7"}},
    // Views.
    {Slip::kViewReadsForeign, "view-reads-foreign", "A view reads every tenant's executions.", {"SB-TEN-10", "SB-INV-14"}},
    {Slip::kViewLogsForeign, "view-logs-foreign", "A view reads every tenant's events.", {"SB-TEN-10", "SB-INV-14"}},
    {Slip::kViewAppendsForeign,
     "view-appends-foreign",
     "A view appends to another tenant's log, which then has a gap for its owner.",
     {"SB-TEN-13", "SB-TEN-12"}},
    {Slip::kViewSnapshotReplacesForeign,
     "view-snapshot-replaces-foreign",
     "A view replaces another tenant's snapshot.",
     {"SB-TEN-13", "SB-TEN-12"}},
    {Slip::kViewClaimsForeign,
     "view-claims-foreign",
     "A view claims every tenant's items.",
     {"SB-TEN-10", "SB-INV-14", "SB-TEN-12"}},
    {Slip::kViewReclaimsAll, "view-reclaims-all", "A view reclaims every tenant's items.", {"SB-TEN-10", "SB-INV-14"}},
    {Slip::kViewRenewsForeign, "view-renews-foreign", "A view renews another tenant's lease.", {"SB-TEN-10", "SB-REN-3"}},
    {Slip::kViewKeepsCallersTenant,
     "view-keeps-callers-tenant",
     "What a view makes belongs to the tenant that the caller wrote into it.",
     {"SB-TEN-11", "SB-WF-1", "SB-WF-2", "SB-INV-20", "SB-TEN-10", "SB-TEN-15", "SB-REN-3", "SB-INV-14", "SB-WF-6", "SB-CLM-4",
      "SB-FAI-4", "SB-RCL-1", "SB-WF-7", "SB-REN-1", "SB-INV-4", "SB-CLM-6", "SB-CMP-3", "SB-DLQ-1", "SB-FAI-1"}},
    // Races.
    {Slip::kLostPatch,
     "lost-patch",
     "An append reads the state, and writes it in a second step.",
     {"SB-PAT-3", "SB-PAT-9", "SB-INV-16", "SB-PAT-2", "SB-EXE-9", "SB-EXE-6", "SB-PAT-8", "SB-EXE-1", "SB-PAT-6", "SB-PAT-7"},
     MutantKind::kRace},
    {Slip::kLostAppend,
     "lost-event-append",
     "An append reads the last number, and takes the next in a second step.",
     {"SB-SEQ-4", "SB-SEQ-2", "SB-INV-9", "SB-INV-10", "SB-SEQ-1", "SB-EVT-3", "SB-INV-8", "SB-INV-11", "SB-INV-12", "SB-SEQ-3",
      "SB-EVT-4", "SB-SEQ-6"},
     MutantKind::kRace},
    {Slip::kAppendInTwoSteps,
     "append-in-two-steps",
     "An append takes its number first and is in the log later: a reader's cursor passes it.",
     {"SB-EVT-3", "SB-EVT-4", "SB-INV-8", "SB-INV-11", "SB-INV-12", "SB-SEQ-6", "SB-SEQ-2", "SB-INV-9", "SB-SEQ-5", "SB-EVT-9",
      "SB-SEQ-4", "SB-SEQ-1", "SB-EVT-8"},
     MutantKind::kRace},
    {Slip::kDoubleClaim,
     "double-claim",
     "A claim picks an item, and takes it in a second step.",
     {"SB-CLM-7", "SB-INV-1", "SB-INV-2", "SB-CMP-1", "SB-FAI-1", "SB-DLQ-5", "SB-RCL-4", "SB-INV-20", "SB-REN-2", "SB-CLM-4",
      "SB-CLM-9", "SB-REN-1", "SB-INV-5", "SB-RCL-5", "SB-RCL-12"},
     MutantKind::kRace},
    {Slip::kReclaimOverComplete,
     "reclaim-over-complete",
     "A reclaim reads what has expired, and undoes what was completed meanwhile.",
     {"SB-CMP-7", "SB-CMP-1", "SB-INV-2", "SB-RCL-12", "SB-RCL-1", "SB-INV-7", "SB-CMP-4", "SB-DLQ-4", "SB-FAI-6"},
     MutantKind::kRace},
    {Slip::kReclaimOverRenew,
     "reclaim-over-renew",
     "A reclaim reads what has expired, and takes what was renewed meanwhile.",
     {"SB-RCL-1", "SB-INV-7", "SB-REN-1", "SB-REN-4", "SB-REN-5", "SB-RCL-12", "SB-REN-3", "SB-INV-6"},
     MutantKind::kRace},
    {Slip::kReclaimTwice,
     "reclaim-twice",
     "Two reclaims at once list one expiry twice.",
     {"SB-INV-6", "SB-RCL-12", "SB-RCL-10", "SB-INV-3", "SB-RCL-2", "SB-RCL-7", "SB-RCL-9"},
     MutantKind::kRace},
    {Slip::kBusyStore,
     "busy-store",
     "An append fails while another is under way.",
     {"SB-GEN-5", "SB-EVT-1", "SB-EVT-3"},
     MutantKind::kRace},
    // What a crash leaves.
    {Slip::kCrashBackoffForgotten,
     "crash-backoff-forgotten",
     "After a crash a retry is claimable at once.",
     {"SB-RCL-6", "SB-CLM-3", "SB-CLM-4", "SB-CLM-10"},
     MutantKind::kCrash},
    {Slip::kCrashEventForgotten,
     "crash-event-forgotten",
     "After a crash the last event of a log is gone.",
     {"SB-EVT-3", "SB-EVT-4", "SB-DUR-1", "SB-INV-8", "SB-INV-12", "SB-SEQ-6", "SB-SEQ-2", "SB-INV-9", "SB-EVT-8", "SB-SEQ-4",
      "SB-SEQ-5", "SB-SEQ-1"},
     MutantKind::kCrash},
    {Slip::kCrashAttemptsForgotten,
     "crash-attempts-forgotten",
     "After a crash every item begins at attempt 0.",
     {"SB-CLM-6", "SB-RCL-2", "SB-RCL-7", "SB-INV-3", "SB-DLQ-1", "SB-RCL-4", "SB-DUR-1", "SB-INV-5", "SB-RCL-5"},
     MutantKind::kCrash},
    {Slip::kCrashRevocationsForgotten,
     "crash-revocations-forgotten",
     "After a crash revoked tokens are valid.",
     {"SB-TOK-7", "SB-DUR-1"},
     MutantKind::kCrash},
    {Slip::kCrashLeasesForgotten,
     "crash-leases-forgotten",
     "After a crash what was claimed is pending.",
     {"SB-CLM-7", "SB-INV-1", "SB-REN-1", "SB-REN-4", "SB-RCL-1", "SB-INV-6", "SB-CLM-9", "SB-INV-5", "SB-RCL-5", "SB-TEN-15"},
     MutantKind::kCrash},
};

constexpr StateControl kControls[] = {
    {"silent-state-update", "SB-LAT-4", &StateLiberties::silent_state_update},
    {"loses-session-type", "SB-LAT-7", &StateLiberties::loses_session_type},
    {"stores-duplicates", "SB-LAT-11", &StateLiberties::stores_duplicates},
    {"completes-unknown", "SB-LAT-18", &StateLiberties::completes_unknown},
    {"settled-succeeds", "SB-LAT-19", &StateLiberties::settled_succeeds},
    {"letter-of-unknown", "SB-LAT-21", &StateLiberties::letter_of_unknown},
    {"drops-letter-text", "SB-LAT-21", &StateLiberties::drops_letter_text},
    {"shows-old-holder", "SB-LAT-22", &StateLiberties::shows_old_holder},
    {"items-of-default", "SB-LAT-24", &StateLiberties::items_of_default},
    {"token-created-later", "SB-LAT-26", &StateLiberties::token_created_later},
    {"hides-foreign-tokens", "SB-LAT-28", &StateLiberties::hides_foreign_tokens},
    {"no-seed", "SB-LAT-33", &StateLiberties::no_seed},
    {"short-tokens", "SB-LAT-37", &StateLiberties::short_tokens},
    {"foreign-is-not-found", "SB-TEN-13", &StateLiberties::foreign_is_not_found},
    {"other-ties", "SB-CLM-5", &StateLiberties::other_ties},
    {"by-started-at", "SB-LAT-5", &StateLiberties::by_started_at, "SB-LAT-5", "started_at"},
    {"accepts-unknown", "SB-LAT-9", &StateLiberties::accepts_unknown, "SB-LAT-9", "accepted"},
    {"global-numbers", "SB-LAT-10", &StateLiberties::global_numbers, "SB-LAT-10", "global"},
    {"any-order", "SB-LAT-15", &StateLiberties::any_order, "SB-LAT-15", "any"},
    {"steals", "SB-LAT-16", &StateLiberties::steals, "SB-LAT-16", "stealing"},
    {"short-backoff", "SB-LAT-17", &StateLiberties::short_backoff, "SB-LAT-17", "bounded"},
    {"no-backoff", "SB-LAT-17", &StateLiberties::no_backoff, "SB-LAT-17", "none"},
    {"requeues", "SB-LAT-20", &StateLiberties::requeues, "SB-LAT-20", "requeue"},
    {"no-tenants", "SB-LAT-34", &StateLiberties::no_tenants, "SB-LAT-34", "unsupported"},
    {"short-lease", "SB-LAT-35", &StateLiberties::short_lease, "SB-LAT-35", "5000"},
    {"rewrites-settled", "SB-LAT-19", &StateLiberties::rewrites_settled, "preset", "sqlite"},
    {"default-tokens", "SB-LAT-27", &StateLiberties::default_tokens, "preset", "sqlite"},
    {"replaces-executions", "SB-LAT-2", &StateLiberties::replaces_executions, "preset", "memory"},
    {"never-completed-at", "SB-LAT-6", &StateLiberties::never_completed_at, "preset", "memory"},
    {"reuses-settled-ids", "SB-LAT-23", &StateLiberties::reuses_settled_ids, "preset", "memory"},
};

static_assert(std::size(kMutants) == static_cast<std::size_t>(Slip::kLast), "a row a slip");

}  // namespace

bool StateMutant::DiesBy(absl::string_view clause) const {
  return std::any_of(clauses.begin(), clauses.end(), [&](const char* own) { return own != nullptr && clause == own; });
}

std::string StateMutant::Named() const {
  std::vector<absl::string_view> named;
  named.reserve(clauses.size());
  for (const char* clause : clauses) {
    if (clause != nullptr) named.emplace_back(clause);
  }
  return absl::StrJoin(named, ", ");
}

absl::Span<const StateMutant> StateMutants() { return kMutants; }
absl::Span<const StateControl> StateControls() { return kControls; }

TargetFactory<StateBackendFamily> FactoryOf(const StateMutant& mutant) {
  return StateTargets(mutant.name, mutant.slip, {}, {{"views", "tenants"}}, mutant.kind == MutantKind::kCrash);
}

TargetFactory<StateBackendFamily> FactoryOf(const StateControl& control) {
  StateLiberties liberties;
  liberties.*control.liberty = true;
  Dialects dialects;
  // Views are not checked of a store that takes records for unknown executions, or has no tenants.
  const bool views = !liberties.accepts_unknown && !liberties.no_tenants;
  if (views) dialects["views"] = "tenants";
  if (control.point != nullptr) dialects[control.point] = control.word;
  return StateTargets(control.name, StateSlip::kNone, liberties, dialects);
}

TargetFactory<StateBackendFamily> StateTargets(absl::string_view name, StateSlip slip, const StateLiberties& liberties,
                                               const Dialects& dialects, bool durable) {
  TargetInfo info;
  info.name = std::string(name);
  info.concurrency = 16;
  info.pausable = true;
  info.durable = info.killable = durable;
  info.dialects = dialects;
  return [=]() -> absl::StatusOr<std::unique_ptr<Target<StateBackendFamily>>> {
    return std::make_unique<DiskTarget<StateBackendFamily, StateTables>>(
        info, [=](const Environment& environment, StateDisk* disk) {
          return std::make_unique<StateSlipStore>(environment, slip, liberties, disk);
        });
  };
}

}  // namespace leasecheck::mutants
