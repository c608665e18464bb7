// A third runtime_repository store, small and slow, written from the contract alone: right where its slip is kNone, wrong in one
// plausible way where it is another, and legal though different under its liberties.
//
// It keeps everything in plain maps under one mutex. The race slips let go of it in the middle of a call and pause there.
#ifndef LEASECHECK_TESTS_MUTANTS_REPOSITORY_SLIP_STORE_H_
#define LEASECHECK_TESTS_MUTANTS_REPOSITORY_SLIP_STORE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "model/environment.h"
#include "model/runtime_repository/store.h"
#include "tests/mutants/disk.h"

namespace leasecheck::mutants {

// What each is, in a sentence, is said in repository_catalogue.cc.
enum class RepositorySlip {
  kNone,
  // Lists.
  kTiesByInsertion,
  kPriorityIgnored,
  kPriorityAscending,
  kRetriesNotBehind,
  kRetryAtIgnoredInList,
  kRetryAtStrict,
  kLimitZeroIsAll,
  kTenantHides,
  kLapsedListed,
  kLingeringListed,
  // Claims.
  kClaimCutsGrace,
  kSameWorkerReclaims,
  kClaimReplacesLive,
  kRetryAtIgnored,
  kRefusedClaimDropsLease,
  kRefusedClaimStarts,
  kClaimRestartsTimeout,
  kLeaseIdReused,
  // Heartbeats.
  kLateHeartbeatRevives,
  kHeartbeatRefusesExpired,
  kVersionNotRaised,
  kExpiryNeverBack,
  kVersionIgnored,
  kWorkerIgnored,
  kHeartbeatMakesRunning,
  // Sweeps.
  kSweepInclusive,
  kSweepAddsGrace,
  kSweepResurrects,
  kSweepCountsRetry,
  kSweepLosesPriority,
  // Timeouts.
  kTimeoutConsultsLease,
  kTimeoutStrict,
  kTimeoutRetries,
  kTimeoutWithoutLetter,
  kTimeoutWraps,
  kTimeoutKeepsLease,
  // Acks, replays, the rest.
  kAckKeepsLease,
  kRetryNotCounted,
  kOneRetryShort,
  kPolicyForgotten,
  kDelayOfNext,
  kLetterMissing,
  kReplayCountsAnew,
  kReplayTwice,
  kEnqueueResets,
  kExpiredAtOnce,
  kClaimsCountAsEvents,
  kEventsOfAllRuns,
  // Races.
  kCheckThenClaim,
  kLostAppend,
  kSweepsCountTwice,
  kSweepOverHeartbeat,
  kTornSweep,
  kTornTimeout,
  kLostHeartbeat,
  // What a crash leaves.
  kCrashVersionsForgotten,
  kCrashLettersForgotten,
  kCrashPoliciesForgotten,
  kCrashEventsForgotten,
  kCrashSweepInTwoWrites,
  kLast = kCrashSweepInTwoWrites,
};

// What the contract lets a store do otherwise (runtime-repository.md, 4). Those with a dialect are declared.
struct RepositoryLiberties {
  bool one_refusal = false;             // RR-LAT-3
  bool sweep_requeues_retries = false;  // RR-LAT-11
  bool counts_requeued = false;         // RR-LAT-10
  bool keeps_retry_at = false;          // RR-LAT-9
  bool ack_rewrites = false;            // RR-LAT-13
  bool ack_ignores_lease = false;       // RR-LAT-13
  bool any_outcome = false;             // RR-LAT-13
  bool replays_begin_anew = false;      // of a second dead letter
  bool short_letters = false;           // without dead_at and replay_count
  bool ids_of_attempt = false;          // lease ids of another format
  bool resets_started_at = false;       // RR-LAT-8, declared
  bool no_priority = false;             // RR-LAT-7, declared
  bool early_retries = false;           // RR-LAT-2, declared
  bool no_events = false;               // RR-LAT-12, declared
};

// All that the store keeps.
struct RepositoryState {
  struct Row {
    std::string run_id;
    uint64_t inserted = 0;
    uint32_t attempt_no = 1;
    runtime_repository::AttemptExecutionStatus status = runtime_repository::AttemptExecutionStatus::kQueued;
    int32_t priority = 0;
    std::optional<Instant> retry_at;
    std::optional<Instant> started_at;
    std::optional<std::string> tenant;
    std::optional<std::pair<int64_t, runtime_repository::AttemptExecutionStatus>> timeout;
    std::optional<runtime_repository::RetryPolicy> retry;
    std::vector<runtime_repository::RetryHistoryEntry> history;
    std::optional<runtime_repository::DeadLetter> letter;
  };
  std::map<std::string, Row> rows;
  std::map<std::string, runtime_repository::LeaseRecord> leases;  // by attempt
  std::map<std::string, runtime_repository::LeaseRecord> gone;    // by lease id: kLateHeartbeatRevives
  std::map<std::string, uint64_t> events;
  uint64_t serial = 0;  // of leases and rows
};
using RepositoryDisk = DiskOf<RepositoryState>;

class RepositorySlipStore final : public runtime_repository::RuntimeRepositoryStore {
 public:
  // `disk`, where given, is borrowed and holds what earlier lives of the store wrote.
  RepositorySlipStore(const Environment& environment, RepositorySlip slip, const RepositoryLiberties& liberties,
                      RepositoryDisk* disk = nullptr);

  template <class T>
  using Result = runtime_repository::Result<T>;
  using Done = runtime_repository::Done;

  Result<std::vector<runtime_repository::AttemptDispatchRecord>> ListDispatchableAttempts(
      const runtime_repository::ListDispatchableAttemptsRequest& request) override;
  Result<runtime_repository::LeaseRecord> UpsertLease(const runtime_repository::UpsertLeaseRequest& request) override;
  Result<Done> HeartbeatLease(const runtime_repository::HeartbeatLeaseRequest& request) override;
  Result<uint64_t> ExpireLeasesAndRequeue(const runtime_repository::ExpireLeasesAndRequeueRequest& request) override;
  Result<uint64_t> LatestSeqForRun(const runtime_repository::LatestSeqForRunRequest& request) override;
  Result<uint64_t> TransitionTimedOutAttempts(const runtime_repository::TransitionTimedOutAttemptsRequest& request) override;
  Result<Done> EnqueueAttempt(const runtime_repository::EnqueueAttemptRequest& request) override;
  Result<runtime_repository::AckResult> AckAttempt(const runtime_repository::AckAttemptRequest& request) override;
  Result<Done> MarkAttemptStatus(const runtime_repository::MarkAttemptStatusRequest& request) override;
  Result<Done> SetAttemptPriority(const runtime_repository::SetAttemptPriorityRequest& request) override;
  Result<Done> SetAttemptTenantId(const runtime_repository::SetAttemptTenantIdRequest& request) override;
  Result<Done> SetAttemptTimeoutPolicy(const runtime_repository::SetAttemptTimeoutPolicyRequest& request) override;
  Result<Done> SetAttemptStartedAt(const runtime_repository::SetAttemptStartedAtRequest& request) override;
  Result<std::optional<runtime_repository::AttemptStatus>> GetAttemptStatus(
      const runtime_repository::GetAttemptStatusRequest& request) override;
  Result<std::optional<runtime_repository::LeaseRecord>> GetLeaseForAttempt(
      const runtime_repository::GetLeaseForAttemptRequest& request) override;
  Result<std::optional<runtime_repository::LeaseRecord>> GetLeaseById(
      const runtime_repository::GetLeaseByIdRequest& request) override;
  Result<Done> HeartbeatLeaseWithVersion(const runtime_repository::HeartbeatLeaseWithVersionRequest& request) override;
  Result<uint64_t> ActiveLeasesForWorker(const runtime_repository::ActiveLeasesForWorkerRequest& request) override;
  Result<uint64_t> ActiveLeasesForTenant(const runtime_repository::ActiveLeasesForTenantRequest& request) override;
  Result<std::vector<runtime_repository::RetryHistoryEntry>> GetAttemptRetryHistory(
      const runtime_repository::GetAttemptRetryHistoryRequest& request) override;
  Result<std::vector<runtime_repository::DeadLetter>> ListDeadLetters(
      const runtime_repository::ListDeadLettersRequest& request) override;
  Result<Done> ReplayDeadLetter(const runtime_repository::ReplayDeadLetterRequest& request) override;
  Result<uint64_t> AppendRunEvents(const runtime_repository::AppendRunEventsRequest& request) override;

 private:
  using Row = RepositoryState::Row;
  using Lease = runtime_repository::LeaseRecord;
  using Status = runtime_repository::AttemptExecutionStatus;

  bool Is(RepositorySlip slip) const { return slip_ == slip; }
  // Lets go of the mutex in the middle of a call, where the slip says so.
  void PauseIf(RepositorySlip slip) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Writes the state to the disk when a call ends that may have changed it, whatever it answers.
  class Saving {
   public:
    explicit Saving(RepositorySlipStore* store) : store_(store) {}
    ~Saving() { store_->Persist(); }
    Saving(const Saving&) = delete;
    Saving& operator=(const Saving&) = delete;

   private:
    RepositorySlipStore* store_;
  };
  void Persist() ABSL_NO_THREAD_SAFETY_ANALYSIS;  // of Saving, whose owner holds the mutex

  Row* FindRow(const std::string& attempt_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Lease* LeaseOf(const std::string& attempt_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Lease* FindLease(const std::string& lease_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropLease(const std::string& attempt_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool LiveAt(const std::string& attempt_id, Instant at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static bool Executes(const Row& row) { return row.status == Status::kLeased || row.status == Status::kRunning; }
  bool Ready(const Row& row, Instant at) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Listed(const std::string& attempt_id, const Row& row, Instant at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Before(const std::string& a_id, const Row& a, const std::string& b_id, const Row& b) const;
  std::optional<runtime_repository::DriverClass> Refusal(const runtime_repository::UpsertLeaseRequest& request, Instant clock)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string NewLeaseId(const std::string& attempt_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<Done> Refresh(Lease* lease, Instant heartbeat_at, Instant expires) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::string> Stale(Instant cutoff) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the attempt went back to the queue.
  bool Requeue(const std::string& attempt_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Due(const std::string& attempt_id, const Row& row, Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteLetter(const std::string& attempt_id, Row& row, absl::string_view reason, Instant now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<runtime_repository::DriverClass> AckRefusal(const runtime_repository::AckAttemptRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Retry(Row& row, const runtime_repository::RetryPolicy& policy, Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t& EventsOf(const std::string& run_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Environment environment_;
  const RepositorySlip slip_;
  const RepositoryLiberties liberties_;
  RepositoryDisk* const disk_;
  const int life_;  // of the disk's

  absl::Mutex mutex_;
  RepositoryState state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_REPOSITORY_SLIP_STORE_H_
