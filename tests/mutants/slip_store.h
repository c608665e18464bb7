// The store that the harness is tested with: a third implementation of the session_store contract, deliberately plain (one
// mutex, two vectors of rows a session, every call scans everything), in which one decision at a time can be taken wrongly.
//
// With Slip::kNone and Deviation::kNone it is exactly correct and answers as the contract's reference does. A *slip* is one
// mistake that a good engineer makes: the harness has to find it. A *deviation* is one of the liberties that the contract's
// latitude grants: the harness has to let it pass. What each slip is, and which clauses have to find it, stands in
// catalogue.cc, and in catalogue_turn_inputs.cc from kFirstOfInputs on; the deviations stand in tests/controls/catalogue.cc.
//
//   ManualClock clock(1000);
//   FixedLiveness liveness;
//   SlipStore store({.clock = &clock, .liveness = &liveness}, {.slip = Slip::kLifo});
//
// Thread safety: as the contract asks. A race slip drops the lock in the middle of a call and calls Environment::pause there,
// so that a deterministic driver can let another call in; it is wrong only if one comes.
// Durability: a store with a Disk writes an image of its whole state to it before each answer, and starts from the disk's image.
#ifndef LEASECHECK_TESTS_MUTANTS_SLIP_STORE_H_
#define LEASECHECK_TESTS_MUTANTS_SLIP_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "tests/mutants/disk.h"

namespace leasecheck::mutants {

enum class Slip {
  kNone,

  // Enqueue and the idempotency key.
  kSeqFromCount,
  kEnqueuedAtFromDraft,
  kItemIdsMadeOnRead,
  kKeylessDeduplicated,
  kKeyUnscoped,
  kKeyFreedByClaim,
  kKeyFreedByExpiry,
  kKeyHeldByDeferredIgnored,
  kKeyReplayOverwrites,
  kKeyReplayEchoesDraft,
  kKeyRemembered,
  kEmptyKeyIsNoKey,

  // Which batches are candidates, and which of them are granted.
  kLifo,
  kOrderByAvailability,
  kAvailabilityStrict,
  kAvailabilityIgnored,
  kDeferredBlocksHead,
  kDeferredEndsRun,
  kLiveClaimedBlocksHead,
  kLiveClaimedEndsRun,
  kScanWindow,
  kExclusiveSkippedInRun,
  kExclusiveHeadTakesRun,
  kExclusiveJoinsRun,
  kMergeKeyIgnored,
  kMergeNeverNeverJoins,
  kDeliveryIgnoredInRun,
  kCommandJoinsRun,
  kMaxOffByOne,
  kMaxZeroIsUnlimited,
  kGatedHeadSkipped,
  kBoundaryIgnored,
  kIdleRefusesAfterCommit,
  kCommandSkippedByTurnClaim,
  kTurnWorkSkippedByCommandClaim,
  kCommandClaimTakesTwo,
  kCommandClaimAsksDelivery,
  kClasslessIsTurnWork,
  kClasslessSkipped,
  kClasslessDeferredBlocks,
  kIdsAsSet,
  kIdsSkipEarlier,
  kIdsMismatchKeepsClaim,
  kIdsPrefixRefused,
  kIdsReturnPrefix,

  // The grant: exclusivity, tokens, expiry.
  kOwnLiveClaimRetaken,
  kSameOwnerNameRetakes,
  kLiveClaimRetaken,
  kClaimExpiryStrict,
  kDeadClaimNotClaimable,
  kDeadIgnoresBoot,
  kDeadIgnoresHost,
  kTtlZeroNeverLapses,
  kClaimExpiryWraps,
  kTokenNotRaisedByRetake,
  kLeaseTokenReused,
  kRetakeKeepsClaimedAt,
  kClaimDiesWithLane,

  // Renew, abandon, cancel, lists.
  kRenewTrustsClaimId,
  kRenewChangesToken,
  kRenewRaisesFencing,
  kRenewAddsToOldExpiry,
  kRenewNeverShortens,
  kRenewMutatesThenFails,
  kRenewAcceptsRemainder,
  kRenewOnlyHead,
  kRenewNeedsLane,
  kRenewRefusesLapsed,
  kAbandonTrustsClaimId,
  kAbandonResetsCounter,
  kAbandonOnlyHead,
  kAbandonMovesToBack,
  kAbandonIgnoresLapsed,
  kAbandonOfStaleFails,
  kCancelIgnoresClaim,
  kCancelDeadHolder,
  kCancelExpiryStrict,
  kCancelRefusesDeferred,
  kCancelAcrossSessions,
  kListNewestFirst,
  kListHidesClaimed,
  kPendingHidesDeferred,
  kPendingShowsDeadHolder,
  kPendingExpiryStrict,
  kPendingLeaksSessions,
  kReadReapsLapsed,

  // The lane.
  kTryClaimExpiryStrict,
  kTryClaimTakesDeadHolder,
  kReentryIgnoresIncarnation,
  kReentryRaisesFence,
  kReentryMovesClaimedAt,
  kReentryNeverShortens,
  kLapsedLaneReentered,
  kLaneSharedBySessions,
  kLaneExpiryWraps,
  kLaneCounterDroppedByRelease,
  kLaneCounterDroppedByExpiry,
  kFenceExpiryStrict,
  kFenceIgnoresExpiry,
  kFenceTrustsOwner,
  kFenceIgnoresIncarnation,
  kFenceIgnoresToken,
  kFenceIgnoresCounter,
  kFenceCheckedInOwnSession,
  kLaneRenewRevivesLapsed,
  kLaneRenewAddsToOldExpiry,
  kLaneRenewMovesClaimedAt,
  kReleaseTrustsOwner,
  kReclaimWithoutObservation,
  kReclaimOpaqueHolder,
  kReclaimReenters,
  kReclaimKeepsCounter,

  // The commit.
  kCommitStampSessionUnchecked,
  kCommitFenceOptional,
  kCommitHeadUnchecked,
  kCommitNoExpectationIsZero,
  kCommitChecksClaimsBeforeHead,
  kCommitRefusesLapsedClaim,
  kCommitTrustsClaimId,
  kCommitAcceptsAnyClaim,
  kCommitIgnoresForeignIds,
  kCommitForeignSession,
  kCommitNeedsClaimsLane,
  kCommitDeletesAsItChecks,
  kCommitAdvancesHeadFirst,
  kCommitStoresBodyFirst,
  kCommitRecordsStampFirst,
  kCommitReleasesFirst,
  kCommitSettlesFirstCompletionOnly,
  kCommitDeletesWholeClaim,
  kCommitForgetsRelease,
  kCommitReleasesAnyHolder,
  kReplayRunsAgain,
  kReplayChecksLane,
  kReplayIgnoresRelease,
  kReplayAnyHash,
  kReplayReturnsCurrentHead,
  kReplaySettlesAgain,

  // Races: correct until another call comes in between.
  kRaceTimeBeforeLock,
  kRaceFenceThenClaim,
  kRaceSelectThenMark,
  kRaceCounterReadThenWrite,
  kRaceKeyThenInsert,
  kRaceSeqReadThenWrite,
  kRaceRenewCheckThenExtend,
  kRaceCancelCheckThenRemove,
  kRaceTryClaimCheckThenTake,
  kRaceReleaseCheckThenFree,
  kRaceLaneRenewCheckThenExtend,
  kRaceCompletionsThenApply,
  kRaceHeadThenApply,
  kRaceReplayThenApply,
  kRaceFenceThenCommit,
  kRaceCommitInTwoSteps,
  kRacePendingInTwoReads,

  kRaceLaneTimeBeforeLock,
  kRaceEnqueueTimeBeforeLock,
  kRaceAbandonCheckThenClear,
  kRaceReclaimCheckThenTake,
  kRaceReentryCheckThenExtend,
  kRaceLaneCounterReadThenWrite,
  kRaceCommitReleaseCheckThenFree,
  kRaceGrantInTwoSteps,
  kRaceIdsCheckThenClaim,

  // Time, and effects that come late: correct while the clock only ticks and nothing is refused.
  kTimeOfLastWrite,
  kTimeNeverFalls,
  kTimeInSteps,
  kTimeIn32Bits,
  kLateRefusedCommitSettles,
  kLateRefusedRenewExtends,

  // Crashes: correct until the disk's image is all that is left.
  kCrashLaneCountersForgotten,
  kCrashClaimsForgotten,
  kCrashClaimCountersForgotten,
  kCrashStampsForgotten,
  kCrashIdsRestart,
  kCrashEnqueueWrittenLate,
  kCrashRenewWrittenLate,
  kCrashReleaseWrittenLate,
  kCrashCommitWrittenLate,
  kCrashSettlementWrittenLate,
  kCrashCommitInTwoWrites,
  kCrashCancelWrittenLate,
  kCrashAbandonWrittenLate,
  kCrashGrantWrittenLate,
  kCrashLanesForgotten,
  kCrashHeadForgotten,
  kCrashKeysForgotten,
  kCrashSeqRestarts,
  kCrashLeasesRestarted,
  kCrashClaimTokensMadeAnew,
  kCrashStampWrittenFirst,
  kCrashAvailabilityForgotten,

  // Turn inputs from here on; see kFirstOfInputs. Enqueue and the idempotency key.
  kInputKeyFreedByEnd,
  kInputKeyFreedByClaim,
  kInputKeyUnscoped,
  kInputContentUnchecked,
  kInputIngressUncompared,
  kInputBoundaryUncompared,
  kInputTextsJoined,
  kInputOptionsUncompared,
  kInputEndedNoConflict,
  kInputKeyRevives,
  kInputKeyRemembered,
  kInputEmptyKeyIsNoKey,
  kInputReplayDetachesClaim,
  kInputIdBeforeKey,
  kInputIdUnchecked,
  kInputSeqFromMax,
  kInputForEndedTurnDeferred,

  // The list, and what a cancel says and does.
  kInputListHidesLapsed,
  kInputListShowsClaimed,
  kInputListExpiryStrict,
  kInputListShowsLapsedAccepted,
  kInputListByKind,
  kInputListShowsDeadHolder,
  kInputListLeaksSessions,
  kInputCancelStopsAtUnknown,
  kInputCancelDecidedAtStart,
  kInputCancelIgnoresClaim,
  kInputCancelExpiryStrict,
  kInputCancelLapsedAccepted,
  kInputCancelKeepsClaim,
  kInputCancelAcrossSessions,
  kInputCancelOneFindsKeys,
  kInputDiagnosticsOfLane,
  kInputDiagnosticsHideLapse,
  kInputDiagnosticsOldState,
  kInputSuffixAnchorMustWait,
  kInputSuffixSkipsEnded,
  kInputSuffixStopsAtClaimed,
  kInputSuffixTakesClaimed,
  kInputSuffixSameKind,
  kInputSuffixByTime,
  kInputSuffixAcrossSessions,

  // Which inputs a claim takes, and the grant.
  kInputBoundaryIgnored,
  kInputBoundaryExact,
  kInputTurnIgnored,
  kInputOtherTurnBlocks,
  kInputLapsedAcceptedRetaken,
  kInputDeferredClaimedForTurn,
  kInputScanWindow,
  kInputMaxOffByOne,
  kInputMaxZeroIsUnlimited,
  kInputFenceOfActiveUnchecked,
  kInputNextTakesActive,
  kInputNextHeldBlocks,
  kInputNextNewestFirst,
  kInputDeferredGoesLast,
  kInputOwnLiveClaimRetaken,
  kInputExpiryStrict,
  kInputNextMarksAccepted,
  kInputRetakesWholeClaim,
  kInputTtlZeroNeverLapses,
  kInputExpiryWraps,
  kInputTokenNotRaised,
  kInputLeaseTokenReused,

  // Abandon.
  kInputAbandonLeavesAccepted,
  kInputAbandonDefers,
  kInputAbandonTrustsClaimId,
  kInputAbandonFreesListed,
  kInputAbandonOnlyListed,
  kInputAbandonIgnoresLapsed,
  kInputAbandonResetsCounter,

  // The commit, and vacuum.
  kInputCommitRefusesLapsed,
  kInputCommitTrustsClaimId,
  kInputCommitIgnoresForeignIds,
  kInputCommitNeedsClaimant,
  kInputClaimDiesWithLane,
  kInputCompletesAsItChecks,
  kInputQueueSettledFirst,
  kInputSettledBeforeQueue,
  kInputFirstCompletionOnly,
  kInputCompletesWholeClaim,
  kInputCompletedKeepsClaim,
  kInputInterruptBeforeChecks,
  kInputInterruptTakesAccepted,
  kInputInterruptAllTurns,
  kInputInterruptSparesLate,
  kInputInterruptCopies,
  kInputInterruptDrops,
  kInputInterruptNumbersAnew,
  kInputInterruptAllSessions,
  kInputInterruptSticks,
  kInputReplayInterruptsAgain,
  kInputVacuumTakesLapsed,
  kInputVacuumKeepsCompleted,
  kInputVacuumDropsLapsedClaims,

  // Races of turn inputs.
  kRaceInputKeyThenInsert,
  kRaceInputSeqReadThenWrite,
  kRaceInputListInTwoReads,
  kRaceInputCancelCheckThenMark,
  kRaceInputCancelInSteps,
  kRaceInputFenceThenClaim,
  kRaceInputSelectThenMark,
  kRaceInputAbandonCheckThenClear,
  kRaceInputCompletionsThenApply,
  kRaceInputInterruptInOwnStep,

  // Crashes of turn inputs.
  kCrashInputClaimsForgotten,
  kCrashInputAcceptedForgotten,
  kCrashInputCountersForgotten,
  kCrashInputKeysForgotten,
  kCrashInputIngressForgotten,
  kCrashInputSeqRestarts,
  kCrashInputEnqueueWrittenLate,
  kCrashInputCancelWrittenLate,
  kCrashInputGrantWrittenLate,
  kCrashInputAbandonWrittenLate,
  kCrashInputsSettledLate,

  kCount  // how many there are
};

// The slips before it are of the queue, the lane and the commit alone.
inline constexpr Slip kFirstOfInputs = Slip::kInputKeyFreedByEnd;

// The liberties that the contract's latitude points leave (queued-work.md, 4; turn-input.md, 4).
enum class Deviation {
  kNone,
  kSeqWithGaps,              // LAT-14
  kSeqPerSession,            // LAT-14
  kSeqReusesDeletedLast,     // LAT-14
  kSeqStartsHigh,            // LAT-14
  kClaimCounterLeaps,        // LAT-37
  kLaneCounterLeaps,         // LAT-37
  kHeadRuleCounters,         // LAT-24
  kIdsLikeUuids,             // LAT-25
  kIdsLong,                  // LAT-25
  kIdsOdd,                   // LAT-25
  kIdsDescending,            // LAT-25
  kClaimIdNamesHead,         // LAT-25
  kCheckpointRefByContent,   // LAT-25
  kPartialRefused,           // LAT-1
  kDuplicateIdsAreSet,       // LAT-2
  kEmptyCompletionRefused,   // LAT-4
  kSameCompletionTwice,      // LAT-5
  kRefusesLapsedSettlement,  // LAT-7, declared
  kRefusesLapsedRenewal,     // LAT-8, declared
  kEmptyRenewalAccepted,     // LAT-10
  kClasslessRejected,        // LAT-12
  kClasslessBehindHeadOk,    // LAT-12
  kTimesAbove63BitsRefused,  // LAT-13
  kKeyLoserGetsBackend,      // LAT-16
  kReentryEchoesLiveness,    // LAT-19
  kZeroChecksLane,           // LAT-20
  kIdsClaimThenAbandon,      // LAT-22
  kReplayLoserGetsError,     // LAT-27
  kBindsNever,               // LAT-28
  kBindsOnAttempt,           // LAT-28
  kForeignReleaseRefused,    // LAT-30
  kUnconditionalLoses,       // LAT-31
  kRemainderRenewed,         // LAT-36
  // Of turn inputs (turn-input.md, 4).
  kInputReacquires,              // LAT-1, declared
  kInputZeroChecksLane,          // LAT-2
  kInputIdsPerSession,           // LAT-3
  kInputKeyMatchesStored,        // LAT-4
  kInputCountersByRow,           // LAT-5
  kInputCountersLeap,            // LAT-5
  kInputPartialRefused,          // LAT-6
  kInputDuplicateIdsAreSet,      // LAT-6
  kInputEmptyCompletionRefused,  // LAT-6
  kInputSameCompletionTwice,     // LAT-6
  kInputRefusesLapsed,           // LAT-12, declared
  kInputVacuumsOwnSession,       // LAT-13, declared
  kInputSeqWithGaps,             // LAT-14
  kInputSeqPerSession,           // LAT-14
  kInputDeadHolderKept,          // LAT-16
  kInputOwnerMustHoldLane,       // LAT-17
  kInputBusyLoser,               // LAT-18
  kInputClaimIdNamesFirst,       // LAT-21
  kInputNoDiagnostics,           // LAT-22
  kCount                         // how many there are
};

// At most one of the two is set.
struct Policy {
  Slip slip = Slip::kNone;
  Deviation deviation = Deviation::kNone;
};

// What a batch's latest claim left on it.
struct ClaimRecord {
  std::string claim_id;
  std::string lease_token;
  session_store::LeaseOwnerIdentity owner;
  EpochMs claimed_at = 0;
  EpochMs expires = 0;
  uint64_t lane_fence = 0;  // the lane's counter when the claim was taken
};

struct Row {
  session_store::QueuedWorkBatch batch;
  std::optional<ClaimRecord> record;
  uint64_t counter = 0;  // the largest fencing token of its claims
};

struct InputRow {
  session_store::PendingTurnInput input;
  session_store::TurnInputIngress submitted;  // what `input.ingress` was at first
  std::optional<ClaimRecord> record;
  uint64_t counter = 0;  // the largest fencing token of its claims
};

struct Lane {
  std::optional<session_store::SessionExecutionLease> lease;  // none: free
  uint64_t counter = 0;                                       // the fencing token of the latest acquisition
};

struct Stamp {
  std::string hash;
  session_store::RuntimeCommitResult result;
};

struct Session {
  std::vector<Row> rows;  // ascending enqueue_seq
  Lane lane;
  uint64_t next_seq = 1;  // only a store that counts by session uses it
  uint64_t head_revision = 0;
  OpaqueJson body{"{}"};
  std::map<std::string, Stamp> stamps;                             // by turn
  std::map<std::string, session_store::QueuedWorkBatch> old_keys;  // only a slip looks here

  std::vector<InputRow> inputs;
  uint64_t next_input_seq = 1;                                            // only a store that counts by session uses it
  std::map<std::string, session_store::PendingTurnInput> old_input_keys;  // only slips look here and below
  std::set<std::string> interrupted_turns;
};

// Everything a store knows; a value, so that a disk can hold it.
struct StoreState {
  std::map<std::string, Session> sessions;
  std::optional<std::string> bound_session;
  uint64_t next_seq = 1;
  uint64_t next_input_seq = 1;
  uint64_t next_id = 1;
  std::set<std::pair<std::string, std::string>> settled;  // (lease token, batch id) of completed batches, for LAT-36
};

using Disk = DiskOf<StoreState>;

class SlipStore final : public session_store::SessionStore {
 public:
  // `disk`, where given, is borrowed and holds what earlier lives of the store wrote.
  SlipStore(const Environment& environment, Policy policy, Disk* disk = nullptr);

  session_store::Result<session_store::QueuedWorkBatch> EnqueueQueuedWork(
      const session_store::EnqueueQueuedWorkRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimLeadingReadySessionCommand(
      const session_store::ClaimLeadingReadySessionCommandRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const session_store::ClaimReadyQueuedWorkRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const session_store::ClaimReadyQueuedWorkByBatchIdsRequest& request) override;
  session_store::Result<session_store::QueuedWorkClaim> RenewQueuedWorkClaim(
      const session_store::RenewQueuedWorkClaimRequest& request) override;
  session_store::Result<session_store::Done> AbandonQueuedWorkClaim(
      const session_store::AbandonQueuedWorkClaimRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkBatch>> CancelQueuedWorkBatch(
      const session_store::CancelQueuedWorkBatchRequest& request) override;
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListQueuedWork(
      const session_store::ListQueuedWorkRequest& request) override;
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListPendingQueuedWork(
      const session_store::ListPendingQueuedWorkRequest& request) override;
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> TryClaimSessionExecutionLease(
      const session_store::TryClaimSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> ReclaimSessionExecutionLease(
      const session_store::ReclaimSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::SessionExecutionLease> RenewSessionExecutionLease(
      const session_store::RenewSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::Done> ReleaseSessionExecutionLease(
      const session_store::ReleaseSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::RuntimeCommitResult> CommitRuntimeState(
      const session_store::CommitRuntimeStateRequest& request) override;
  session_store::Result<std::optional<session_store::LoadedSession>> LoadSession(
      const session_store::LoadSessionRequest& request) override;
  session_store::Result<session_store::PendingTurnInput> EnqueuePendingTurnInput(
      const session_store::EnqueuePendingTurnInputRequest& request) override;
  session_store::Result<std::vector<session_store::PendingTurnInput>> ListPendingTurnInputs(
      const session_store::ListPendingTurnInputsRequest& request) override;
  session_store::Result<std::vector<session_store::PendingTurnInputCancelResult>> CancelPendingTurnInputs(
      const session_store::CancelPendingTurnInputsRequest& request) override;
  session_store::Result<session_store::PendingTurnInputCancelOutcome> CancelPendingTurnInput(
      const session_store::CancelPendingTurnInputRequest& request) override;
  session_store::Result<session_store::PendingTurnInputSuffixCancelOutcome> CancelPendingTurnInputSuffix(
      const session_store::CancelPendingTurnInputSuffixRequest& request) override;
  session_store::Result<std::optional<session_store::TurnInputClaim>> ClaimActiveTurnInputs(
      const session_store::ClaimActiveTurnInputsRequest& request) override;
  session_store::Result<std::optional<session_store::TurnInputClaim>> ClaimNextTurnInputs(
      const session_store::ClaimNextTurnInputsRequest& request) override;
  session_store::Result<session_store::Done> AbandonTurnInputClaim(
      const session_store::AbandonTurnInputClaimRequest& request) override;
  session_store::Result<session_store::VacuumReport> Vacuum(const session_store::VacuumRequest& request) override;

 private:
  // What the three claiming operations have in common.
  struct Asker {
    const std::string& session_id;
    const session_store::LeaseOwnerIdentity& owner;
    DurationMs ttl;
    EpochMs now;  // read anew where a race slip let others in
    const session_store::SessionExecutionLeaseFence* fence = nullptr;
  };
  using Positions = std::vector<std::size_t>;  // of rows in their session, the order of the grant
  struct EarlyToken {
    std::string head_id;
    uint64_t token;
  };
  using Error = std::optional<session_store::StoreError>;
  // What the two claims of turn inputs have in common.
  struct InputAsker {
    const std::string& session_id;
    const session_store::SessionExecutionLeaseFence& fence;
    const session_store::LeaseOwnerIdentity& owner;
    session_store::TurnInputClaimMode mode;
    DurationMs ttl;
    uint64_t max;
    EpochMs now = 0;

    const session_store::ActiveTurnClaimMode* turn() const { return std::get_if<session_store::ActiveTurnClaimMode>(&mode); }
  };
  using InputRows = std::vector<InputRow*>;

  bool Slips(Slip slip) const { return policy_.slip == slip; }
  bool Deviates(Deviation deviation) const { return policy_.deviation == deviation; }

  // Lets other calls in: drops the lock, pauses, takes it again. Pointers to rows are stale afterwards. Returns the time then.
  EpochMs LetOthersIn(absl::string_view point) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Persist() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOfInputs(Session& session) const;
  // What the store takes for the time.
  EpochMs Now() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // ... where `slip` reads it before it has the lock; called without it.
  std::optional<EpochMs> ReadEarly(Slip slip) const;
  void Recover() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CarryOutLate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::string NewId(absl::string_view kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  EpochMs ExpiryOf(EpochMs now, DurationMs ttl) const;
  bool DefinitelyDead(const session_store::LeaseOwnerIdentity& holder, const session_store::LeaseOwnerIdentity& claimant) const;

  // Enqueue.
  uint64_t NextSeq(const Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const session_store::QueuedWorkBatch* FindByKey(const session_store::QueuedWorkBatchDraft& draft, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::Result<session_store::QueuedWorkBatch> ReplayKey(const session_store::QueuedWorkBatch& stored,
                                                                  const session_store::QueuedWorkBatchDraft& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::Result<session_store::QueuedWorkBatch> Insert(const session_store::QueuedWorkBatchDraft& draft, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Claims. Rows are named by their position in the session's vector.
  bool Available(const Row& row, EpochMs now) const;
  bool Takeable(const Row& row, const Asker& asker) const;
  Positions Candidates(const Session& session, const Asker& asker, uint64_t max_batches) const;
  session_store::Result<Positions> SelectTurnWork(const Session& session, const Asker& asker,
                                                  session_store::QueuedWorkClaimBoundary boundary, uint64_t max_batches) const;
  session_store::Result<Positions> SelectCommand(const Session& session, const Asker& asker) const;
  Positions LongestRun(const Session& session, const Asker& asker, const Positions& candidates, std::size_t first,
                       uint64_t max_batches) const;
  Error RefuseClassless(const Session& session, const Asker& asker, const Positions& candidates) const;
  uint64_t NextToken(const Session& session, const Positions& selected, EpochMs now) const;
  session_store::Result<Positions> SelectChecked(Asker& asker,
                                                 absl::FunctionRef<session_store::Result<Positions>(const Session&)> select)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Positions SelectedAfterPause(Asker& asker, const Positions& selected, absl::string_view point)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> GrantSelected(
      Asker& asker, Positions selected, const std::optional<EarlyToken>& early = std::nullopt)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<EarlyToken> ReadTokenEarly(const session_store::ClaimReadyQueuedWorkRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::QueuedWorkClaim Grant(const Asker& asker, const Positions& selected, uint64_t token)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IdsGranted(const Session& session, const Asker& asker, const std::vector<std::string>& batch_ids,
                  Positions* selected) const;
  std::vector<Row*> OwnedRows(const session_store::QueuedWorkClaim& claim, bool trusts_claim_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HoldsForRenew(const session_store::QueuedWorkClaim& claim, const std::vector<Row*>& owned, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Cancellable(const Row& row, EpochMs now) const;
  bool Pending(const Row& row, EpochMs now) const;
  void ReapLapsed(const std::string& session_id, EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<session_store::QueuedWorkBatch> BatchesOf(const std::vector<Row>& rows) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveRow(Session& session, absl::string_view batch_id);

  // The lane.
  Session& LaneSession(const std::string& session_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool FenceMatches(const session_store::SessionExecutionLease& lease,
                    const session_store::SessionExecutionLeaseFence& fence) const;
  bool FenceHolds(const std::string& session_id, const session_store::SessionExecutionLeaseFence& fence, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  EpochMs LaneExpiryOf(EpochMs now, DurationMs ttl) const;
  bool LaneTimeRefused(EpochMs now, DurationMs ttl) const;
  session_store::LeaseAcquired Acquire(const std::string& session_id, const session_store::LeaseOwnerIdentity& owner,
                                       DurationMs ttl, EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::LeaseAcquired Reenter(Lane& lane, const session_store::LeaseOwnerIdentity& owner, DurationMs ttl, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FreeLane(const std::string& session_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HonourRelease(const session_store::RuntimeCommit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The commit.
  session_store::Result<session_store::RuntimeCommitResult> Commit(const session_store::RuntimeCommit& commit, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<session_store::Result<session_store::RuntimeCommitResult>> Replay(const session_store::RuntimeCommit& commit,
                                                                                  EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<session_store::Result<session_store::RuntimeCommitResult>> RaceWindow(Slip slip, absl::string_view point,
                                                                                      const session_store::RuntimeCommit& commit,
                                                                                      EpochMs* now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Error CheckBinding(const session_store::RuntimeCommit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Error CheckFence(const session_store::RuntimeCommit& commit, EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Error CheckHead(const session_store::RuntimeCommit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SlipBeforeCompletions(const session_store::RuntimeCommit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Error CheckCompletions(const session_store::RuntimeCommit& commit, EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Completes(const session_store::RuntimeCommit& commit, const session_store::QueuedWorkCompletion& completion, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool OwnedByCompletion(const Row& row, const session_store::QueuedWorkCompletion& completion, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Settle(const session_store::RuntimeCommit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::RuntimeCommitResult ResultOf(const session_store::RuntimeCommit& commit, uint64_t head_revision)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteAhead(const session_store::RuntimeCommit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::RuntimeCommitResult Apply(const session_store::RuntimeCommit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Turn inputs: enqueue, list, cancel.
  bool InputIdTaken(const session_store::PendingTurnInputDraft& draft) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  InputRow* FindInputByKey(const session_store::PendingTurnInputDraft& draft) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SameSubmission(const InputRow& row, const session_store::PendingTurnInputDraft& draft) const;
  std::optional<session_store::Result<session_store::PendingTurnInput>> ReplayInputKey(
      const session_store::PendingTurnInputDraft& draft) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t NextInputSeq(const Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::PendingTurnInput InsertInput(const session_store::PendingTurnInputDraft& draft, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  InputRow* FindInput(const std::string& session_id, const session_store::PendingTurnInputCancelTarget& target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ListsInput(const InputRow& row, EpochMs now) const;
  bool InputClaimed(const InputRow& row, EpochMs now) const;
  std::optional<session_store::PendingTurnInputClaimDiagnostics> DiagnosticsOf(const InputRow& row, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::PendingTurnInputCancelOutcome CancelInput(InputRow& row, EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::PendingTurnInputCancelOutcome CancelTarget(const std::string& session_id,
                                                            const session_store::PendingTurnInputCancelTarget& target,
                                                            EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool InSuffix(const InputRow& row, const InputRow& anchor) const;

  // ... claims, and what a commit does.
  bool EligibleForTurn(const InputRow& row, const InputAsker& asker) const;
  bool EligibleForNext(const InputRow& row, const InputAsker& asker) const;
  InputRows SelectInputs(const InputAsker& asker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Error CheckInputFence(const InputAsker& asker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::Result<InputRows> InputsAfterPause(InputAsker& asker, const InputRows& selected)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  session_store::Result<std::optional<session_store::TurnInputClaim>> ClaimInputs(InputAsker asker) ABSL_LOCKS_EXCLUDED(mutex_);
  session_store::TurnInputClaim GrantInputs(const InputAsker& asker, const InputRows& rows) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveBack(InputRow& row);
  Error CheckInputCompletions(const session_store::RuntimeCommit& commit, EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool CompletesInputs(const session_store::RuntimeCommit& commit, const session_store::TurnInputCompletion& completion,
                       EpochMs now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool OwnedByCompletion(const InputRow& row, const session_store::TurnInputCompletion& completion, EpochMs now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CompleteInputs(const session_store::TurnInputCompletion& completion) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SettleInputs(const session_store::RuntimeCommit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void InterruptInputs(const session_store::RuntimeCommit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Defer(Session& session, const std::string& turn_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Environment environment_;
  const Policy policy_;
  Disk* const disk_;
  const int life_;
  absl::Mutex mutex_;
  StoreState state_ ABSL_GUARDED_BY(mutex_);
  // The rows that the disk still shows after a commit; only kCrashSettlementWrittenLate sets it.
  std::optional<std::pair<std::string, std::vector<Row>>> unsettled_ ABSL_GUARDED_BY(mutex_);
  // ... and the inputs; only kCrashInputsSettledLate sets it.
  std::optional<std::pair<std::string, std::vector<InputRow>>> unsettled_inputs_ ABSL_GUARDED_BY(mutex_);
  // What slips of time and of late effects remember.
  EpochMs kept_time_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<session_store::RuntimeCommit> refused_commit_ ABSL_GUARDED_BY(mutex_);
  std::optional<session_store::RenewQueuedWorkClaimRequest> refused_renewal_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_SLIP_STORE_H_
