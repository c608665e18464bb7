#include "tests/mutants/repository_catalogue.h"

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

using Slip = RepositorySlip;

constexpr RepositoryMutant kMutants[] = {
    // Lists.
    {Slip::kTiesByInsertion,
     "ties-by-insertion",
     "Attempts of one priority and number are listed as they were enqueued.",
     {"RR-LST-3", "RR-INV-9"}},
    {Slip::kPriorityIgnored, "priority-ignored", "The priority has no part in the order.", {"RR-LST-2", "RR-LST-3", "RR-INV-9"}},
    {Slip::kPriorityAscending, "priority-ascending", "Low priorities come first.", {"RR-LST-2", "RR-LST-3", "RR-INV-9"}},
    {Slip::kRetriesNotBehind,
     "retries-not-behind",
     "The order leaves attempt_no out, so that retries stand among first tries.",
     {"RR-LST-4", "RR-INV-9"}},
    {Slip::kRetryAtIgnoredInList, "retry-at-ignored-in-list", "A retry is listed before it is due.", {"RR-LST-5", "RR-INV-12"}},
    {Slip::kRetryAtStrict, "retry-at-strict", "A retry is listed from the millisecond after its retry_at on.", {"RR-LST-5"}},
    {Slip::kLimitZeroIsAll, "limit-zero-is-all", "A limit of 0 lists everything.", {"RR-LST-8", "RR-INV-9"}},
    {Slip::kTenantHides,
     "tenant-hides",
     "An attempt whose tenant has a lease is not listed.",
     {"RR-LST-12", "RR-LST-1", "RR-LST-5", "RR-LST-7", "RR-INV-7", "RR-LST-3", "RR-LST-2"}},
    {Slip::kLapsedListed, "lapsed-listed", "A Leased attempt is listed once its lease has expired.", {"RR-LST-6"}},
    {Slip::kLingeringListed, "lingering-listed", "A ready attempt is listed while a lease lingers.", {"RR-LST-7", "RR-INV-10"}},
    // Claims.
    {Slip::kClaimCutsGrace,
     "claim-cuts-grace",
     "A claim takes over an expired lease that no sweep has deleted.",
     {"RR-UPS-5", "RR-INV-1", "RR-INV-4", "RR-INV-2"}},
    {Slip::kSameWorkerReclaims,
     "same-worker-reclaims",
     "A worker may claim again what it holds, and gets a new lease.",
     {"RR-UPS-4", "RR-UPS-5", "RR-LAT-4", "RR-INV-1", "RR-INV-2"}},
    {Slip::kClaimReplacesLive,
     "claim-replaces-live",
     "A claim replaces any lease.",
     {"RR-UPS-3", "RR-UPS-4", "RR-UPS-5", "RR-LAT-4", "RR-INV-1", "RR-INV-2"}},
    {Slip::kRetryAtIgnored,
     "retry-at-ignored",
     "A retry may be claimed before it is due.",
     {"RR-UPS-7", "RR-INV-12", "RR-INV-4"}},
    {Slip::kRefusedClaimDropsLease,
     "refused-claim-drops-lease",
     "A refused claim deletes the expired lease, and its attempt stays Leased for ever.",
     {"RR-UPS-10", "RR-UPS-5", "RR-INV-2", "RR-INV-7", "RR-HBT-1", "RR-HBT-3", "RR-FIX-9", "RR-EXP-3", "RR-LAT-18", "RR-FIX-10",
      "RR-INV-15", "RR-FIX-15", "RR-FIX-3", "RR-FIX-4", "RR-FIX-5"}},
    {Slip::kRefusedClaimStarts,
     "refused-claim-starts",
     "A refused claim of a Leased attempt starts its timeout anew.",
     {"RR-UPS-10", "RR-UPS-11", "RR-TMO-1", "RR-TMO-7", "RR-TMO-3"}},
    {Slip::kClaimRestartsTimeout,
     "claim-restarts-timeout",
     "A claim sets started_at though there is one, so that the timeout counts from the last claim on.",
     {"RR-UPS-11", "RR-TMO-1", "RR-TMO-7", "RR-LAT-8", "RR-TMO-3", "RR-TMO-10"}},
    {Slip::kLeaseIdReused,
     "lease-id-reused",
     "The lease id is made of the attempt's, so that an old holder has the new lease.",
     {"RR-INV-5", "RR-HBT-2", "RR-HBT-7", "RR-FIX-9", "RR-INV-2"}},
    // Heartbeats.
    {Slip::kLateHeartbeatRevives,
     "late-heartbeat-revives",
     "A heartbeat with a swept lease brings lease and ownership back.",
     {"RR-HBT-2", "RR-HBT-7"}},
    {Slip::kHeartbeatRefusesExpired,
     "heartbeat-refuses-expired",
     "An expired lease cannot be refreshed though it is held.",
     {"RR-HBT-3", "RR-HBT-1", "RR-LAT-18", "RR-INV-2"}},
    {Slip::kVersionNotRaised, "version-not-raised", "A heartbeat leaves the version.", {"RR-INV-5", "RR-HBT-1", "RR-FIX-10"}},
    {Slip::kExpiryNeverBack,
     "expiry-never-back",
     "A heartbeat keeps the later of the two expiries.",
     {"RR-HBT-5", "RR-HBT-1", "RR-EXP-1", "RR-EXP-3", "RR-FIX-15", "RR-INV-3", "RR-LST-7", "RR-INV-15", "RR-UPS-9", "RR-FIX-9"}},
    {Slip::kVersionIgnored, "version-ignored", "A versioned heartbeat compares the worker only.", {"RR-FIX-10", "RR-INV-5"}},
    {Slip::kWorkerIgnored, "worker-ignored", "A versioned heartbeat compares the version only.", {"RR-FIX-10"}},
    {Slip::kHeartbeatMakesRunning, "heartbeat-makes-running", "A heartbeat makes the attempt Running.", {"RR-HBT-6", "RR-FIX-9"}},
    // Sweeps.
    {Slip::kSweepInclusive,
     "sweep-inclusive",
     "A sweep takes the leases that expire at the very cutoff.",
     {"RR-EXP-1", "RR-INV-2", "RR-LAT-5", "RR-EXP-6", "RR-EXP-9"}},
    {Slip::kSweepAddsGrace,
     "sweep-adds-grace",
     "A sweep takes a grace off the cutoff that its caller has taken off already.",
     {"RR-EXP-11", "RR-EXP-1", "RR-EXP-3", "RR-INV-3"}},
    {Slip::kSweepResurrects,
     "sweep-resurrects",
     "A sweep makes every attempt Queued whose lease it deletes, completed ones too.",
     {"RR-EXP-5", "RR-LST-6", "RR-INV-6", "RR-UPS-6", "RR-FIX-8", "RR-INV-4"}},
    {Slip::kSweepCountsRetry,
     "sweep-counts-retry",
     "A sweep raises attempt_no.",
     {"RR-EXP-4", "RR-INV-11", "RR-LST-11", "RR-FIX-9", "RR-FIX-3", "RR-FIX-4", "RR-FIX-5"}},
    {Slip::kSweepLosesPriority,
     "sweep-loses-priority",
     "A swept attempt has priority 0.",
     {"RR-EXP-4", "RR-LST-2", "RR-LST-3", "RR-LST-4", "RR-INV-9"}},
    // Timeouts.
    {Slip::kTimeoutConsultsLease,
     "timeout-consults-lease",
     "An attempt under a live lease does not time out.",
     {"RR-TMO-7", "RR-TMO-1"}},
    {Slip::kTimeoutStrict, "timeout-strict", "An attempt times out one millisecond late.", {"RR-TMO-1", "RR-TMO-7"}},
    {Slip::kTimeoutRetries,
     "timeout-retries",
     "A timeout schedules a retry where some are left.",
     {"RR-TMO-8", "RR-TMO-2", "RR-INV-6", "RR-INV-11", "RR-LST-6", "RR-LST-1", "RR-FIX-4", "RR-TMO-4", "RR-INV-16", "RR-FIX-8",
      "RR-UPS-6", "RR-FIX-13"}},
    {Slip::kTimeoutWithoutLetter,
     "timeout-without-letter",
     "A timeout to Failed writes no dead letter.",
     {"RR-TMO-4", "RR-INV-16", "RR-FIX-13"}},
    {Slip::kTimeoutWraps, "timeout-wraps", "A timeout beyond the end of time wraps and has passed.", {"RR-LAT-16", "RR-TMO-1"}},
    {Slip::kTimeoutKeepsLease,
     "timeout-keeps-lease",
     "A timed-out attempt keeps its lease.",
     {"RR-TMO-2", "RR-TMO-10", "RR-HBT-2", "RR-FIX-9", "RR-FIX-10", "RR-EXP-1", "RR-EXP-7", "RR-FIX-15", "RR-EXP-10",
      "RR-FIX-8"}},
    // Acks, replays, the rest.
    {Slip::kAckKeepsLease,
     "ack-keeps-lease",
     "An ack leaves the lease.",
     {"RR-FIX-3", "RR-FIX-4", "RR-FIX-5", "RR-FIX-9", "RR-HBT-2", "RR-FIX-10", "RR-EXP-1", "RR-EXP-7", "RR-FIX-15", "RR-LST-1",
      "RR-LST-5", "RR-UPS-8"}},
    {Slip::kRetryNotCounted, "retry-not-counted", "A retry keeps attempt_no.", {"RR-FIX-4", "RR-INV-11"}},
    {Slip::kOneRetryShort, "one-retry-short", "The last retry is not made.", {"RR-FIX-4"}},
    {Slip::kPolicyForgotten, "policy-forgotten", "An ack without a policy has none.", {"RR-FIX-4", "RR-FIX-6"}},
    {Slip::kDelayOfNext, "delay-of-next", "The delay is that of the next number.", {"RR-FIX-4"}},
    {Slip::kLetterMissing,
     "letter-missing",
     "A failure without retries writes no dead letter.",
     {"RR-FIX-5", "RR-INV-16", "RR-FIX-13"}},
    {Slip::kReplayCountsAnew,
     "replay-counts-anew",
     "A replayed attempt begins with attempt_no 1.",
     {"RR-FIX-13", "RR-INV-11", "RR-FIX-9", "RR-LST-11", "RR-FIX-3", "RR-FIX-4", "RR-FIX-5"}},
    {Slip::kReplayTwice, "replay-twice", "A replayed dead letter may be replayed again.", {"RR-FIX-13"}},
    {Slip::kEnqueueResets,
     "enqueue-resets",
     "Enqueueing an attempt that has ended makes it Queued.",
     {"RR-FIX-2", "RR-INV-6", "RR-LST-6", "RR-UPS-6", "RR-FIX-8"}},
    {Slip::kExpiredAtOnce, "expired-at-once", "A lease does not count at the instant of its expiry.", {"RR-FIX-15", "RR-LAT-5"}},
    {Slip::kClaimsCountAsEvents,
     "claims-count-as-events",
     "A claim is an event of its run.",
     {"RR-SEQ-1", "RR-SEQ-2", "RR-SEQ-3", "RR-INV-14", "RR-FIX-12"}},
    {Slip::kEventsOfAllRuns,
     "events-of-all-runs",
     "All runs share one count of events.",
     {"RR-SEQ-1", "RR-SEQ-2", "RR-SEQ-3", "RR-INV-14", "RR-FIX-12"}},
    // Races.
    {Slip::kCheckThenClaim,
     "check-then-take",
     "A claim looks, lets go, and takes: two of them succeed.",
     {"RR-UPS-13", "RR-INV-1", "RR-UPS-3", "RR-UPS-4", "RR-UPS-5", "RR-UPS-6", "RR-INV-4", "RR-INV-2", "RR-INV-6", "RR-UPS-7",
      "RR-UPS-1", "RR-INV-12", "RR-UPS-9"},
     MutantKind::kRace},
    {Slip::kLostAppend,
     "lost-append",
     "An append counts on from what it read before: one of two is lost.",
     {"RR-FIX-12", "RR-INV-14", "RR-SEQ-1", "RR-SEQ-4"},
     MutantKind::kRace},
    {Slip::kSweepsCountTwice,
     "sweeps-count-twice",
     "A sweep counts what it found before it deletes: two count one lease.",
     {"RR-EXP-10", "RR-EXP-1", "RR-EXP-3", "RR-EXP-7", "RR-INV-15", "RR-HBT-1", "RR-HBT-2", "RR-FIX-9", "RR-FIX-10", "RR-INV-2",
      "RR-TMO-1"},
     MutantKind::kRace},
    {Slip::kSweepOverHeartbeat,
     "sweep-over-heartbeat",
     "A sweep deletes what it found before, refreshed meanwhile or made anew.",
     {"RR-EXP-9", "RR-EXP-10", "RR-EXP-1", "RR-EXP-3", "RR-INV-2", "RR-HBT-2", "RR-FIX-9", "RR-FIX-10", "RR-INV-1", "RR-EXP-7",
      "RR-HBT-1", "RR-INV-6", "RR-TMO-1"},
     MutantKind::kRace},
    {Slip::kTornSweep,
     "torn-sweep",
     "A sweep deletes the leases first and requeues later.",
     {"RR-EXP-8", "RR-EXP-2", "RR-FIX-9", "RR-LST-1", "RR-LST-3", "RR-INV-4", "RR-INV-6", "RR-EXP-1", "RR-INV-7", "RR-LST-6",
      "RR-EXP-3", "RR-HBT-2", "RR-UPS-14", "RR-TMO-1"},
     MutantKind::kRace},
    {Slip::kTornTimeout,
     "torn-timeout",
     "A timeout ends the attempts first and writes the dead letters later.",
     {"RR-LAT-14", "RR-TMO-4", "RR-INV-16", "RR-FIX-13", "RR-FIX-9", "RR-TMO-2", "RR-TMO-1"},
     MutantKind::kRace},
    {Slip::kLostHeartbeat,
     "lost-heartbeat",
     "A heartbeat raises the version that it read before: one of two is lost.",
     {"RR-INV-5", "RR-HBT-1", "RR-FIX-10"},
     MutantKind::kRace},
    // What a crash leaves.
    {Slip::kCrashVersionsForgotten,
     "crash-versions-forgotten",
     "The versions of leases begin at 1 again after a crash.",
     {"RR-DUR-1", "RR-INV-5", "RR-FIX-10", "RR-HBT-1"},
     MutantKind::kCrash},
    {Slip::kCrashLettersForgotten,
     "crash-letters-forgotten",
     "The dead letters are not on the disk.",
     {"RR-DUR-1", "RR-FIX-5", "RR-TMO-4", "RR-INV-16", "RR-FIX-13"},
     MutantKind::kCrash},
    {Slip::kCrashPoliciesForgotten,
     "crash-policies-forgotten",
     "The policies are not on the disk.",
     {"RR-DUR-1", "RR-FIX-4", "RR-FIX-6", "RR-TMO-1", "RR-TMO-7"},
     MutantKind::kCrash},
    {Slip::kCrashEventsForgotten,
     "crash-events-forgotten",
     "The numbers of runs are not on the disk.",
     {"RR-DUR-1", "RR-SEQ-1", "RR-SEQ-4", "RR-FIX-12", "RR-INV-14"},
     MutantKind::kCrash},
    {Slip::kCrashSweepInTwoWrites,
     "crash-sweep-in-two-writes",
     "A sweep writes that the leases are gone before it writes that the attempts are Queued.",
     {"RR-EXP-1", "RR-EXP-2", "RR-FIX-9", "RR-INV-7", "RR-LST-1", "RR-INV-4", "RR-DUR-1", "RR-HBT-2", "RR-FIX-15", "RR-HBT-3",
      "RR-HBT-1", "RR-EXP-3", "RR-UPS-14", "RR-TMO-1"},
     MutantKind::kCrash},
};

constexpr RepositoryControl kControls[] = {
    {"one-refusal", "RR-LAT-3", &RepositoryLiberties::one_refusal},
    {"sweep-requeues-retries", "RR-LAT-11", &RepositoryLiberties::sweep_requeues_retries},
    {"counts-requeued", "RR-LAT-10", &RepositoryLiberties::counts_requeued},
    {"keeps-retry-at", "RR-LAT-9", &RepositoryLiberties::keeps_retry_at},
    {"ack-rewrites", "RR-LAT-13", &RepositoryLiberties::ack_rewrites},
    {"ack-ignores-lease", "RR-LAT-13", &RepositoryLiberties::ack_ignores_lease},
    {"any-outcome", "RR-LAT-13", &RepositoryLiberties::any_outcome},
    {"replays-begin-anew", "RR-FIX-13", &RepositoryLiberties::replays_begin_anew},
    {"short-letters", "RR-FIX-5", &RepositoryLiberties::short_letters},
    {"ids-of-attempt", "RR-UPS-1", &RepositoryLiberties::ids_of_attempt},
    {"resets-started-at", "RR-LAT-8", &RepositoryLiberties::resets_started_at, "reset"},
    {"no-priority", "RR-LAT-7", &RepositoryLiberties::no_priority, "no,id"},
    {"early-retries", "RR-LAT-2", &RepositoryLiberties::early_retries, nullptr, true},
    {"no-events", "RR-LAT-12", &RepositoryLiberties::no_events, "none", true},
};

static_assert(std::size(kMutants) == static_cast<std::size_t>(Slip::kLast), "a row a slip");

}  // namespace

bool RepositoryMutant::DiesBy(absl::string_view clause) const {
  return std::any_of(clauses.begin(), clauses.end(), [&](const char* own) { return own != nullptr && clause == own; });
}

std::string RepositoryMutant::Named() const {
  std::vector<absl::string_view> named;
  named.reserve(clauses.size());
  for (const char* clause : clauses) {
    if (clause != nullptr) named.emplace_back(clause);
  }
  return absl::StrJoin(named, ", ");
}

absl::Span<const RepositoryMutant> RepositoryMutants() { return kMutants; }
absl::Span<const RepositoryControl> RepositoryControls() { return kControls; }

TargetFactory<RuntimeRepositoryFamily> FactoryOf(const RepositoryMutant& mutant) {
  return RepositoryTargets(mutant.name, mutant.slip, {}, {}, mutant.kind == MutantKind::kCrash);
}

TargetFactory<RuntimeRepositoryFamily> FactoryOf(const RepositoryControl& control) {
  RepositoryLiberties liberties;
  liberties.*control.liberty = true;
  Dialects dialects;
  if (control.word != nullptr) dialects[std::string(control.latitude)] = control.word;
  if (control.upstream) dialects["profile"] = "upstream";
  return RepositoryTargets(control.name, RepositorySlip::kNone, liberties, dialects);
}

TargetFactory<RuntimeRepositoryFamily> RepositoryTargets(absl::string_view name, RepositorySlip slip,
                                                         const RepositoryLiberties& liberties, const Dialects& dialects,
                                                         bool durable) {
  TargetInfo info;
  info.name = std::string(name);
  info.concurrency = 16;
  info.pausable = true;
  info.durable = info.killable = durable;
  info.dialects = dialects;
  return [=]() -> absl::StatusOr<std::unique_ptr<Target<RuntimeRepositoryFamily>>> {
    return std::make_unique<DiskTarget<RuntimeRepositoryFamily, RepositoryState>>(
        info, [=](const Environment& environment, RepositoryDisk* disk) {
          return std::make_unique<RepositorySlipStore>(environment, slip, liberties, disk);
        });
  };
}

}  // namespace leasecheck::mutants
