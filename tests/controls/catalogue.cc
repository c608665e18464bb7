#include "tests/controls/catalogue.h"

#include <iterator>
#include <string>

#include "tests/mutants/slip_target.h"

namespace leasecheck::controls {

using mutants::Deviation;

namespace {

constexpr Control kControls[] = {
    {Deviation::kSeqWithGaps, "seq-with-gaps", "QW-LAT-14", "enqueue_seq leaves gaps, as a database sequence does."},
    {Deviation::kSeqPerSession, "seq-per-session", "QW-LAT-14", "Each session counts its own enqueue_seq."},
    {Deviation::kSeqReusesDeletedLast, "seq-reuses-deleted-last", "QW-LAT-14",
     "The number of a removed last batch is given again."},
    {Deviation::kSeqStartsHigh, "seq-starts-high", "QW-LAT-14", "enqueue_seq starts just below 2^63 and passes it."},
    {Deviation::kClaimCounterLeaps, "claim-counter-leaps", "QW-LAT-37", "Fencing tokens of claims rise by more than one."},
    {Deviation::kLaneCounterLeaps, "lane-counter-leaps", "QW-LAT-37", "Fencing tokens of lanes rise by more than one."},
    {Deviation::kHeadRuleCounters, "head-rule-counters", "QW-LAT-24", "A grant's fencing token follows its head's counter only."},
    {Deviation::kIdsLikeUuids, "ids-like-uuids", "QW-LAT-25", "Ids look like UUIDs."},
    {Deviation::kIdsLong, "ids-long", "QW-LAT-25", "Ids are 2,000 characters long."},
    {Deviation::kIdsOdd, "ids-odd", "QW-LAT-25",
     "Ids hold quotes, line ends, braces, a dollar sign and characters beyond ASCII."},
    {Deviation::kIdsDescending, "ids-descending", "QW-LAT-25", "Later ids sort before earlier ones."},
    {Deviation::kClaimIdNamesHead, "claim-id-names-head", "QW-LAT-25",
     "Every claim of a head has the same claim id; the token tells them apart."},
    {Deviation::kCheckpointRefByContent, "checkpoint-ref-by-content", "QW-LAT-25",
     "Equal bodies have equal checkpoint references."},
    {Deviation::kPartialRefused, "partial-refused", "QW-LAT-1", "A completion of some of a claim's batches is refused."},
    {Deviation::kDuplicateIdsAreSet, "duplicate-ids-are-a-set", "QW-LAT-2",
     "A batch id listed twice in a completion counts once."},
    {Deviation::kEmptyCompletionRefused, "empty-completion-refused", "QW-LAT-4", "A completion without batches is refused."},
    {Deviation::kSameCompletionTwice, "same-completion-twice", "QW-LAT-5",
     "The same completion twice in one commit counts once."},
    {Deviation::kRefusesLapsedSettlement, "refuses-lapsed-settlement", "QW-LAT-7", "A lapsed claim is not settled; declared."},
    {Deviation::kRefusesLapsedRenewal, "refuses-lapsed-renewal", "QW-LAT-8", "A lapsed claim is not renewed; declared."},
    {Deviation::kEmptyRenewalAccepted, "empty-renewal-accepted", "QW-LAT-10",
     "Renewing a claim value without batches that owns nothing succeeds."},
    {Deviation::kClasslessRejected, "classless-rejected", "QW-LAT-12", "Batches without a class are rejected when enqueued."},
    {Deviation::kClasslessBehindHeadOk, "classless-behind-head-ok", "QW-LAT-12",
     "A batch without a class fails claims only at the head, and else ends a group."},
    {Deviation::kTimesAbove63BitsRefused, "times-above-63-bits-refused", "QW-LAT-13", "Times above 2^63 - 1 are refused."},
    {Deviation::kKeyLoserGetsBackend, "key-loser-gets-backend", "QW-LAT-16",
     "Of two concurrent enqueues with one key the loser gets a Backend error."},
    {Deviation::kReentryEchoesLiveness, "reentry-echoes-liveness", "QW-LAT-19",
     "Re-entering a lane answers with the caller's liveness."},
    {Deviation::kZeroChecksLane, "zero-checks-lane", "QW-LAT-20",
     "A claim of at most 0 batches, or of no ids, checks the fence first."},
    {Deviation::kIdsClaimThenAbandon, "ids-claim-then-abandon", "QW-LAT-22",
     "A claim by ids claims, looks, and abandons in two steps that others can see between."},
    {Deviation::kReplayLoserGetsError, "replay-loser-gets-error", "QW-LAT-27",
     "Of two concurrent commits with one stamp the loser gets an error, and its retry the replay."},
    {Deviation::kBindsNever, "binds-never", "QW-LAT-28", "A second session may commit too."},
    {Deviation::kBindsOnAttempt, "binds-on-attempt", "QW-LAT-28", "The first commit binds the store even if it fails."},
    {Deviation::kForeignReleaseRefused, "foreign-release-refused", "QW-LAT-30",
     "A commit that releases another session's lane is refused."},
    {Deviation::kUnconditionalLoses, "unconditional-loses", "QW-LAT-31",
     "A commit that expects no head can lose against a concurrent one."},
    {Deviation::kRemainderRenewed, "remainder-renewed", "QW-LAT-36",
     "A claim value whose other batches were settled can be renewed."},
    {Deviation::kInputReacquires, "input-reacquires", "TI-LAT-1",
     "A turn's claim takes an Accepted input whose claim lapsed; declared."},
    {Deviation::kInputZeroChecksLane, "input-zero-checks-lane", "TI-LAT-2",
     "A claim of at most 0 inputs checks the fence first."},
    {Deviation::kInputIdsPerSession, "input-ids-per-session", "TI-LAT-3", "An input_id is taken in its own session only."},
    {Deviation::kInputKeyMatchesStored, "input-key-matches-stored", "TI-LAT-4",
     "A draft is compared with the ingress that an interrupt left, not with the submitted one."},
    {Deviation::kInputCountersByRow, "input-counters-by-row", "TI-LAT-5",
     "Each input counts its claims alone; a grant's fencing token is its first input's."},
    {Deviation::kInputCountersLeap, "input-counters-leap", "TI-LAT-5", "Fencing tokens of input claims rise by more than one."},
    {Deviation::kInputPartialRefused, "input-partial-refused", "TI-LAT-6",
     "A completion of some of a claim's inputs is refused."},
    {Deviation::kInputDuplicateIdsAreSet, "input-duplicate-ids-are-a-set", "TI-LAT-6",
     "An input id listed twice in a completion counts once."},
    {Deviation::kInputEmptyCompletionRefused, "input-empty-completion-refused", "TI-LAT-6",
     "A completion without inputs is refused."},
    {Deviation::kInputSameCompletionTwice, "input-same-completion-twice", "TI-LAT-6",
     "The same completion of inputs twice in one commit counts once."},
    {Deviation::kInputRefusesLapsed, "input-refuses-lapsed", "TI-LAT-12", "A lapsed claim of inputs is not completed; declared."},
    {Deviation::kInputVacuumsOwnSession, "input-vacuums-own-session", "TI-LAT-13",
     "Vacuum reaches only the session that the store committed for; declared."},
    {Deviation::kInputSeqWithGaps, "input-seq-with-gaps", "TI-LAT-14",
     "enqueue_seq of inputs leaves gaps, as a database sequence does."},
    {Deviation::kInputSeqPerSession, "input-seq-per-session", "TI-LAT-14", "Each session counts its own enqueue_seq of inputs."},
    {Deviation::kInputDeadHolderKept, "input-dead-holder-kept", "TI-LAT-16",
     "A claim of inputs lasts until its expiry, though its holder is known dead."},
    {Deviation::kInputOwnerMustHoldLane, "input-owner-must-hold-lane", "TI-LAT-17",
     "A claim of inputs for another owner than the fence's is refused."},
    {Deviation::kInputBusyLoser, "input-busy-loser", "TI-LAT-18",
     "A claim of inputs that others came in between gets a Backend error."},
    {Deviation::kInputClaimIdNamesFirst, "input-claim-id-names-first", "TI-LAT-21",
     "A claim's id is made from its first input and its fencing token, the lease token at random."},
    {Deviation::kInputNoDiagnostics, "input-no-diagnostics", "TI-LAT-22", "A cancel does not say which claim holds an input."},
};

constexpr bool EveryDeviationIsListed() {
  if (std::size(kControls) + 1 != static_cast<std::size_t>(Deviation::kCount)) return false;
  for (std::size_t i = 0; i < std::size(kControls); ++i) {
    if (static_cast<std::size_t>(kControls[i].deviation) != i + 1) return false;
  }
  return true;
}
static_assert(EveryDeviationIsListed(), "the table has every deviation but kNone, in the order of the enumeration");

}  // namespace

absl::Span<const Control> Controls() { return kControls; }

TargetFactory<SessionStoreFamily> FactoryOf(const Control& control, bool durable) {
  Dialects dialects;
  if (control.deviation == Deviation::kRefusesLapsedSettlement) dialects["QW-LAT-7"] = "refuse";
  if (control.deviation == Deviation::kRefusesLapsedRenewal) dialects["QW-LAT-8"] = "refuse";
  if (control.deviation == Deviation::kInputReacquires) dialects["TI-LAT-1"] = "reacquire";
  if (control.deviation == Deviation::kInputRefusesLapsed) dialects["TI-LAT-12"] = "strict_expiry";
  if (control.deviation == Deviation::kInputVacuumsOwnSession) dialects["TI-LAT-13"] = "own_session";
  return mutants::SlipTargets({.name = std::string(control.name),
                               .policy = {.deviation = control.deviation},
                               .durable = durable,
                               .dialects = dialects,
                               .turn_inputs = true});
}

TargetFactory<SessionStoreFamily> PlainFactory(bool durable) {
  return mutants::SlipTargets({.name = "plain", .policy = {}, .durable = durable, .dialects = {}, .turn_inputs = true});
}

}  // namespace leasecheck::controls
