#include "tests/mutants/persistence_catalogue.h"

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

using Slip = PersistenceSlip;

constexpr PersistenceMutant kMutants[] = {
    // The commit.
    {Slip::kReplayBehindHead,
     "replay-behind-head",
     "The expected revision is compared before the turn is looked up, so a retry conflicts.",
     {"RP-CMT-8", "RP-CMT-9", "RP-INV-3"}},
    {Slip::kStampOnRejection,
     "stamp-on-rejection",
     "A rejected commit leaves its stamp, and its retry is taken for a replay.",
     {"RP-CMT-10", "RP-CMT-1", "RP-CMT-6", "RP-CMT-11", "RP-INV-1", "RP-CMT-5", "RP-INV-3", "RP-CMT-23"}},
    {Slip::kHashIgnored, "hash-ignored", "A turn with another hash is taken for a replay.", {"RP-CMT-9", "RP-INV-3"}},
    {Slip::kReplayOfCurrent,
     "replay-of-current",
     "A replay returns the result of the last commit instead of its own.",
     {"RP-CMT-8", "RP-INV-3"}},
    {Slip::kReplayAddsUsage,
     "replay-adds-usage",
     "A replay merges its usage into the ledger again.",
     {"RP-CMT-18", "RP-INV-6", "RP-INV-5"}},
    {Slip::kTornCompletions,
     "torn-completions",
     "The batches of good completions are gone though a later completion fails the commit.",
     {"RP-INV-4", "RP-LST-1", "RP-PND-1", "RP-INV-15", "RP-CLM-3", "RP-CAN-1", "RP-CMT-23", "RP-REN-1", "RP-CLM-13"}},
    {Slip::kTornUsage,
     "torn-usage",
     "The usage of a rejected commit stays in the ledger.",
     {"RP-INV-4", "RP-CMT-18", "RP-INV-6", "RP-INV-5"}},
    {Slip::kTornStamps, "torn-stamps", "A rejected commit stamps its attachments.", {"RP-INV-17", "AM-UNC-1"}},
    {Slip::kBindOnRejection, "bind-on-rejection", "A rejected first commit binds the store.", {"RP-CMT-3", "RP-CMT-2"}},
    {Slip::kZeroAlwaysFits,
     "zero-always-fits",
     "An expected revision of 0 is taken for no expectation.",
     {"RP-CMT-5", "RP-INV-2"}},
    {Slip::kLeafNoneIgnored, "leaf-none-ignored", "A delta without a leaf leaves the old one.", {"RP-LDS-4", "RP-LDS-8"}},
    {Slip::kAppendDuplicates,
     "append-duplicates",
     "Append of a stored id adds a second record.",
     {"RP-CMT-14", "RP-LDS-3", "RP-LDN-1", "RP-LDS-5", "RP-LDS-6"}},
    {Slip::kReplaceKeepsOld,
     "replace-keeps-old",
     "ReplaceFull keeps the nodes that it does not name.",
     {"RP-LDS-3", "RP-LDN-2", "RP-LDS-7", "RP-LDS-9", "RP-LDS-5", "RP-LDS-6", "RP-LDS-10", "RP-CMT-13"}},
    {Slip::kFramesMerged,
     "frames-merged",
     "A commit without agent frames keeps the old ones.",
     {"RP-CMT-20", "RP-LDS-2", "RP-INV-5"}},
    {Slip::kRevisionDropped, "plugin-revision-dropped", "The manifest leaves the plugin revision out.", {"RP-CMT-21"}},
    {Slip::kCommitClearsMeta, "commit-clears-meta", "A commit forgets the session meta.", {"RP-CMT-29", "RP-MET-2"}},
    {Slip::kCompletionByCount,
     "completion-by-count",
     "A completion is compared by how many rows the claim owns, not by which.",
     {"RP-CMT-23", "RP-CMT-27", "RP-INV-14", "RP-CAN-4", "RP-LST-1", "RP-INV-11", "RP-CMT-24", "RP-INV-15"}},
    {Slip::kCompletionOfAnySession, "completion-of-any-session", "A commit completes claims of other sessions.", {"RP-CMT-25"}},
    // Reads.
    {Slip::kPathLeafFirst, "path-leaf-first", "A path is returned leaf first.", {"RP-LDS-5", "RP-LDS-6"}},
    {Slip::kReadMovesLeaf,
     "read-moves-leaf",
     "Reading the path to a leaf makes it the head leaf.",
     {"RP-LDS-4", "RP-LDS-5", "RP-LDS-6", "RP-LDS-7", "RP-LDS-8", "RP-LDS-11", "RP-INV-18", "RP-INV-9"}},
    {Slip::kUnknownLeafIsError, "unknown-leaf-is-error", "Reading the path to an unknown leaf fails.", {"RP-LDS-5", "RP-LDS-7"}},
    {Slip::kNodeFoundByHeadPathOnly,
     "node-by-head-path-only",
     "Only nodes on the path to the head leaf are found by id.",
     {"RP-LDN-1"}},
    {Slip::kLedgerLastWins,
     "ledger-last-wins",
     "The ledger keeps the last delta instead of the sum.",
     {"RP-CMT-18", "RP-INV-6", "RP-INV-5"}},
    {Slip::kLedgerBySource, "ledger-by-source", "The ledger adds up over models.", {"RP-CMT-18", "RP-INV-6", "RP-INV-5"}},
    {Slip::kZeroEntryKept, "zero-entry-kept", "An entry of four zeros becomes a row of the ledger.", {"RP-CMT-19", "RP-CMT-18"}},
    // Upkeep.
    {Slip::kVacuumRevives,
     "vacuum-revives",
     "Vacuum clears the marks of tombstoned nodes and keeps the nodes.",
     {"RP-INV-7", "RP-LDS-3", "RP-LDN-2", "RP-VAC-3", "RP-TMB-1", "RP-CMT-6", "RP-LDS-7", "RP-LDS-9", "RP-CMT-13"}},
    {Slip::kTombstoneTrap,
     "tombstone-trap",
     "An id that was tombstoned while unknown is hidden when it is appended.",
     {"RP-LDS-3", "RP-LDN-1", "RP-LDS-5", "RP-LDS-6", "RP-VAC-2", "RP-VAC-4", "RP-INV-8"}},
    {Slip::kTombstoneTakesChildren,
     "tombstone-takes-children",
     "Tombstoning a node hides its children too.",
     {"RP-LDS-3", "RP-LDN-1", "RP-LDS-5", "RP-LDS-6", "RP-LDS-11", "RP-VAC-1", "RP-INV-8", "RP-LDS-4"}},
    {Slip::kTombstoneMovesHead,
     "tombstone-moves-head",
     "Tombstoning raises the head revision.",
     {"RP-CMT-6", "RP-CMT-5", "RP-INV-5", "RP-INV-1", "RP-INV-2", "RP-INV-18", "RP-CMT-4"}},
    {Slip::kVacuumCountsAll,
     "vacuum-counts-all",
     "Vacuum counts ids that were tombstoned while unknown.",
     {"RP-VAC-1", "RP-VAC-2", "RP-VAC-4", "RP-INV-8"}},
    {Slip::kGcDropsLive,
     "gc-drops-live",
     "A collection takes the execution state of the head for garbage.",
     {"RP-GC-1", "RP-INV-9", "RP-LDS-13", "RP-CMT-22"}},
    {Slip::kGcCountsAgain, "gc-counts-again", "A collection reports what the one before it deleted.", {"RP-GC-3"}},
    {Slip::kMetaMerged, "meta-merged", "Saving meta without a directory keeps the old one.", {"RP-MET-2", "RP-MET-3"}},
    // The queue.
    {Slip::kKeyUnscoped, "persistence-key-unscoped", "A source_key finds batches of other sessions.", {"RP-ENQ-5"}},
    {Slip::kKeyFreedByClaim,
     "persistence-key-freed-by-claim",
     "Claimed batches are left out when a key is looked up.",
     {"RP-ENQ-4", "RP-INV-15"}},
    {Slip::kSeqPerSession, "seq-per-session", "Each session counts its own batches.", {"RP-ENQ-3"}},
    {Slip::kExpiryStrict,
     "expiry-strict",
     "A claim still holds at the instant of its expiry.",
     {"RP-CLM-12", "RP-CLM-13", "RP-PND-1", "RP-CAN-1", "RP-IDS-2"}},
    {Slip::kFencingResetOnAbandon,
     "fencing-reset-on-abandon",
     "Giving a batch back starts its fencing counter anew.",
     {"RP-CLM-9", "RP-INV-13"}},
    {Slip::kBoundaryIgnored, "persistence-boundary-ignored", "The boundary of a claim is not looked at.", {"RP-CLM-4"}},
    {Slip::kExclusiveTakesRun, "exclusive-takes-run", "An exclusive head takes the batches behind it with it.", {"RP-CLM-5"}},
    {Slip::kMergeKeyIgnored, "persistence-merge-key-ignored", "Batches of other groups join.", {"RP-CLM-6"}},
    {Slip::kClaimsAnySession, "claims-any-session", "A claim takes batches of every session.", {"RP-CLM-15", "RP-INV-16"}},
    {Slip::kByIdsUnordered, "by-ids-unordered", "A claim by ids compares them as a set.", {"RP-IDS-2", "RP-IDS-4"}},
    {Slip::kByIdsKeepsMismatch,
     "by-ids-keeps-mismatch",
     "A claim by ids that got something else keeps it and answers none.",
     {"RP-IDS-2", "RP-IDS-3", "RP-CLM-3", "RP-PND-1", "RP-CAN-1", "RP-CLM-12", "RP-CLM-4", "RP-CLM-6"}},
    {Slip::kRenewIgnoresToken,
     "renew-ignores-token",
     "A renewal looks at the batches that it lists, not at who holds them.",
     {"RP-INV-14", "RP-REN-2"}},
    {Slip::kAbandonIgnoresToken,
     "abandon-ignores-token",
     "Abandoning frees the batches that the claim lists, whoever holds them.",
     {"RP-INV-10", "RP-INV-14", "RP-PND-1", "RP-CAN-2", "RP-CMT-23", "RP-REN-1", "RP-CMT-27", "RP-INV-15"}},
    {Slip::kCancelLive, "cancel-live", "A batch under a live claim can be cancelled.", {"RP-CAN-2"}},
    {Slip::kCancelKeepsDeferred, "cancel-keeps-deferred", "A deferred batch cannot be cancelled.", {"RP-CAN-3", "RP-CAN-1"}},
    {Slip::kPendingHidesDeferred, "persistence-pending-hides-deferred", "The pending list leaves deferred batches out.", {"RP-PND-1"}},
    // Attachments.
    {Slip::kCutoffExclusive,
     "cutoff-exclusive",
     "An intent at the very instant asked for is not listed.",
     {"AM-UNC-1", "RP-INV-17"}},
    {Slip::kForgetKeepsStamp,
     "forget-keeps-stamp",
     "A forgotten attachment keeps its stamp for the next intent.",
     {"AM-UNC-1", "RP-INV-17", "AM-FGT-3"}},
    {Slip::kIntentClearsStamp,
     "intent-clears-stamp",
     "Recording an intent again clears its stamp.",
     {"AM-UNC-2", "RP-INV-17", "AM-INT-3"}},
    {Slip::kRefsRemembered,
     "refs-remembered",
     "Refs that were committed before their intent are remembered.",
     {"AM-UNC-1", "RP-INV-17", "AM-CMT-3"}},
    {Slip::kStampsAnySession,
     "stamps-any-session",
     "Committing refs stamps the rows of other sessions.",
     {"AM-UNC-1", "RP-INV-17", "AM-CMT-1"}},
    // Races.
    {Slip::kTornRead,
     "torn-read",
     "A read takes the head, and the graph and the ledger a moment later.",
     {"RP-INV-5", "RP-INV-6", "RP-LDS-3", "RP-LDS-4", "RP-LDS-14", "RP-CMT-18", "RP-INV-7", "RP-LDS-10", "RP-CMT-6"},
     MutantKind::kRace},
    {Slip::kCheckThenCommit,
     "check-then-commit",
     "A commit is checked, and made a moment later.",
     {"RP-INV-1", "RP-INV-2", "RP-INV-3", "RP-CMT-6", "RP-CMT-5", "RP-CMT-8", "RP-CMT-2", "RP-CMT-1", "RP-CMT-14", "RP-CMT-27"},
     MutantKind::kRace},
    {Slip::kCheckThenEnqueue,
     "check-then-enqueue",
     "A key is looked up, and its batch stored a moment later.",
     {"RP-ENQ-4", "RP-INV-15", "RP-ENQ-1", "RP-ENQ-5", "RP-ENQ-3"},
     MutantKind::kRace},
    {Slip::kCheckThenClaim,
     "check-then-claim",
     "The batches of a claim are chosen, and taken a moment later.",
     {"RP-INV-10", "RP-CLM-3", "RP-INV-14", "RP-CLM-6", "RP-CMT-23", "RP-INV-13", "RP-CLM-5", "RP-PND-1", "RP-CLM-9"},
     MutantKind::kRace},
    // What a crash leaves.
    {Slip::kCrashCommitInTwoWrites,
     "persistence-crash-commit-in-two-writes",
     "A commit writes its head first; usage, attachments and what it settles follow.",
     {"RP-INV-4", "RP-INV-5", "RP-INV-6", "RP-INV-17", "RP-CMT-24", "RP-LDS-1", "RP-CMT-1", "RP-CMT-6"},
     MutantKind::kCrash},
    {Slip::kCrashLedgerForgotten,
     "persistence-crash-ledger-forgotten",
     "The ledger is not written to disk.",
     {"RP-CMT-18", "RP-INV-5", "RP-INV-6"},
     MutantKind::kCrash},
    {Slip::kCrashStampsForgotten,
     "persistence-crash-stamps-forgotten",
     "The turns that were committed are not written to disk.",
     {"RP-CMT-8", "RP-CMT-9", "RP-INV-3"},
     MutantKind::kCrash},
    {Slip::kCrashTombstonesForgotten,
     "persistence-crash-tombstones-forgotten",
     "Tombstones are not written to disk.",
     {"RP-TMB-1", "RP-INV-7", "RP-INV-8", "RP-LDS-3", "RP-LDN-2", "RP-VAC-2"},
     MutantKind::kCrash},
    {Slip::kCrashSnapshotsForgotten,
     "persistence-crash-snapshots-forgotten",
     "Snapshots are written to disk by nobody; only their names are.",
     {"RP-LDS-13", "RP-CMT-22", "RP-GC-1"},
     MutantKind::kCrash},
    {Slip::kCrashFencingForgotten,
     "persistence-crash-fencing-forgotten",
     "The fencing counters of claimed batches start anew.",
     {"RP-CLM-9", "RP-INV-13"},
     MutantKind::kCrash},
    {Slip::kCrashCommittedForgotten,
     "persistence-crash-committed-forgotten",
     "That an attachment was committed is not written to disk.",
     {"RP-INV-17", "AM-UNC-1", "AM-CMT-1"},
     MutantKind::kCrash},
};

constexpr PersistenceControl kControls[] = {
    {"append-overwrites", "RP-LAT-6", &Liberties::append_overwrites},
    {"paths-pass-tombstones", "RP-LAT-3", &Liberties::paths_pass_tombstones},
    {"cached-only-dropped", "RP-LAT-7", &Liberties::cached_only_dropped},
    {"refs-echoed", "RP-LAT-9", &Liberties::refs_echoed},
    {"gc-does-nothing", "RP-LAT-13", &Liberties::gc_does_nothing},
    {"vacuum-later", "RP-VAC-3", &Liberties::vacuum_later},
    {"subset-refused", "RP-LAT-10", &Liberties::subset_refused},
    {"lapsed-refused", "RP-LAT-11", &Liberties::lapsed_refused},
    {"gap-ends-group", "RP-LAT-15", &Liberties::gap_ends_group},
    {"never-stands-alone", "RP-LAT-16", &Liberties::never_stands_alone},
    {"seq-reused", "RP-LAT-14", &Liberties::seq_reused},
    {"failed-renew-marks", "RP-LAT-19", &Liberties::failed_renew_marks},
    {"manifest-by-id", "RP-LAT-20", &Liberties::manifest_by_id},
    {"paths-unsupported", "RP-LAT-25", &Liberties::paths_unsupported},
};

static_assert(std::size(kMutants) == static_cast<std::size_t>(Slip::kLast), "a row a slip");

}  // namespace

bool PersistenceMutant::DiesBy(absl::string_view clause) const {
  return std::any_of(clauses.begin(), clauses.end(), [&](const char* own) { return own != nullptr && clause == own; });
}

std::string PersistenceMutant::Named() const {
  std::vector<absl::string_view> named;
  for (const char* clause : clauses) {
    if (clause != nullptr) named.emplace_back(clause);
  }
  return absl::StrJoin(named, ", ");
}

absl::Span<const PersistenceMutant> PersistenceMutants() { return kMutants; }
absl::Span<const PersistenceControl> PersistenceControls() { return kControls; }

TargetFactory<RuntimePersistenceFamily> FactoryOf(const PersistenceMutant& mutant) {
  return PersistenceTargets(mutant.name, mutant.slip, {}, mutant.kind == MutantKind::kCrash);
}

TargetFactory<RuntimePersistenceFamily> PersistenceTargets(absl::string_view name, PersistenceSlip slip,
                                                           const Liberties& liberties, bool durable) {
  TargetInfo info;
  info.name = std::string(name);
  info.concurrency = 16;
  info.pausable = true;
  info.durable = info.killable = durable;
  return [=]() -> absl::StatusOr<std::unique_ptr<Target<RuntimePersistenceFamily>>> {
    return std::make_unique<DiskTarget<RuntimePersistenceFamily, PersistenceState>>(
        info, [=](const Environment& environment, PersistenceDisk* disk) {
          return std::make_unique<PersistenceSlipStore>(environment, slip, liberties, disk);
        });
  };
}

}  // namespace leasecheck::mutants
