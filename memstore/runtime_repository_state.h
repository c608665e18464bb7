// The rules of the runtime_repository contract on plain data: one call after the other, at times that the caller gives.
#ifndef LEASECHECK_MEMSTORE_RUNTIME_REPOSITORY_STATE_H_
#define LEASECHECK_MEMSTORE_RUNTIME_REPOSITORY_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "memstore/attempt_book.h"
#include "memstore/ids.h"
#include "memstore/runtime_repository_snapshot.h"
#include "model/runtime_repository/store.h"
#include "model/time.h"

namespace leasecheck::memstore {

// What a sweep does with started_at [RR-LAT-8].
enum class TimeoutClock {
  kKeep,   // a timeout counts from the first claim on, through failovers
  kReset,  // it counts from the last claim
};

// What RuntimeRepository guards with its mutex. Each method is the operation of the same name in
// model/runtime_repository/store.h, which says what it does and which errors it gives; `now` is the store's clock, which only
// UpsertLease asks for. A call that fails changes nothing. Where the contract leaves a choice, it is (a) of
// runtime-repository.md, 4:
//   - a retry is claimed from its retry_at on, unless `allow_early_retry_claim` [RR-LAT-2]; a live lease refuses with
//     LEASE_CONFLICT, everything else with NOT_DISPATCHABLE [RR-LAT-3]; retry_at is cleared by the claim [RR-LAT-9];
//   - a sweep counts leases [RR-LAT-10], and leaves RetryBackoff and its retry_at [RR-LAT-11];
//   - the latest number of a run is its head [RR-LAT-12]; an ack of a terminal attempt, or with a status that is no outcome, is
//     refused, and so is one that names another lease than the current one [RR-LAT-13];
//   - times saturate [RR-LAT-16], and any limit is legal [RR-LAT-15].
//
// Not thread-safe.
class RuntimeRepositoryState {
 public:
  RuntimeRepositoryState(IdSource ids, TimeoutClock timeout_clock, bool allow_early_retry_claim)
      : ids_(ids), timeout_clock_(timeout_clock), allow_early_retry_claim_(allow_early_retry_claim) {}
  RuntimeRepositoryState(const RuntimeRepositoryState&) = delete;
  RuntimeRepositoryState& operator=(const RuntimeRepositoryState&) = delete;

  runtime_repository::Result<std::vector<runtime_repository::AttemptDispatchRecord>> ListDispatchableAttempts(
      const runtime_repository::ListDispatchableAttemptsRequest& request, EpochMs now);
  runtime_repository::Result<runtime_repository::LeaseRecord> UpsertLease(const runtime_repository::UpsertLeaseRequest& request,
                                                                          EpochMs now);
  runtime_repository::Result<runtime_repository::Done> HeartbeatLease(const runtime_repository::HeartbeatLeaseRequest& request,
                                                                      EpochMs now);
  runtime_repository::Result<uint64_t> ExpireLeasesAndRequeue(const runtime_repository::ExpireLeasesAndRequeueRequest& request,
                                                              EpochMs now);
  runtime_repository::Result<uint64_t> LatestSeqForRun(const runtime_repository::LatestSeqForRunRequest& request, EpochMs now);
  runtime_repository::Result<uint64_t> TransitionTimedOutAttempts(
      const runtime_repository::TransitionTimedOutAttemptsRequest& request, EpochMs now);
  runtime_repository::Result<runtime_repository::Done> EnqueueAttempt(const runtime_repository::EnqueueAttemptRequest& request,
                                                                      EpochMs now);
  runtime_repository::Result<runtime_repository::AckResult> AckAttempt(const runtime_repository::AckAttemptRequest& request,
                                                                       EpochMs now);
  runtime_repository::Result<runtime_repository::Done> MarkAttemptStatus(
      const runtime_repository::MarkAttemptStatusRequest& request, EpochMs now);
  runtime_repository::Result<runtime_repository::Done> SetAttemptPriority(
      const runtime_repository::SetAttemptPriorityRequest& request, EpochMs now);
  runtime_repository::Result<runtime_repository::Done> SetAttemptTenantId(
      const runtime_repository::SetAttemptTenantIdRequest& request, EpochMs now);
  runtime_repository::Result<runtime_repository::Done> SetAttemptTimeoutPolicy(
      const runtime_repository::SetAttemptTimeoutPolicyRequest& request, EpochMs now);
  runtime_repository::Result<runtime_repository::Done> SetAttemptStartedAt(
      const runtime_repository::SetAttemptStartedAtRequest& request, EpochMs now);
  runtime_repository::Result<std::optional<runtime_repository::AttemptStatus>> GetAttemptStatus(
      const runtime_repository::GetAttemptStatusRequest& request, EpochMs now);
  runtime_repository::Result<std::optional<runtime_repository::LeaseRecord>> GetLeaseForAttempt(
      const runtime_repository::GetLeaseForAttemptRequest& request, EpochMs now);
  runtime_repository::Result<std::optional<runtime_repository::LeaseRecord>> GetLeaseById(
      const runtime_repository::GetLeaseByIdRequest& request, EpochMs now);
  runtime_repository::Result<runtime_repository::Done> HeartbeatLeaseWithVersion(
      const runtime_repository::HeartbeatLeaseWithVersionRequest& request, EpochMs now);
  runtime_repository::Result<uint64_t> ActiveLeasesForWorker(const runtime_repository::ActiveLeasesForWorkerRequest& request,
                                                             EpochMs now);
  runtime_repository::Result<uint64_t> ActiveLeasesForTenant(const runtime_repository::ActiveLeasesForTenantRequest& request,
                                                             EpochMs now);
  runtime_repository::Result<std::vector<runtime_repository::RetryHistoryEntry>> GetAttemptRetryHistory(
      const runtime_repository::GetAttemptRetryHistoryRequest& request, EpochMs now);
  runtime_repository::Result<std::vector<runtime_repository::DeadLetter>> ListDeadLetters(
      const runtime_repository::ListDeadLettersRequest& request, EpochMs now);
  runtime_repository::Result<runtime_repository::Done> ReplayDeadLetter(
      const runtime_repository::ReplayDeadLetterRequest& request, EpochMs now);
  runtime_repository::Result<uint64_t> AppendRunEvents(const runtime_repository::AppendRunEventsRequest& request, EpochMs now);

  // Everything held, and back. `contents` comes from a RuntimeRepositoryState.
  RuntimeRepositoryContents Contents() const;
  void Restore(const RuntimeRepositoryContents& contents);

 private:
  using Attempt = AttemptBook::Attempt;

  // Why the attempt, or null, cannot be claimed; nothing where it can.
  std::optional<runtime_repository::DriverClass> RefusalOf(const Attempt* attempt, Instant clock) const;
  void Refresh(Attempt& attempt, Instant heartbeat_at, Instant lease_expires_at);
  // Changes the attempt, where it is there.
  template <class Change>
  runtime_repository::Result<runtime_repository::Done> Set(absl::string_view attempt_id, Change&& change);
  // Writes the attempt's dead letter, over any before.
  void Bury(const std::string& attempt_id, absl::string_view reason, Instant dead_at);

  IdSource ids_;
  const TimeoutClock timeout_clock_;
  const bool allow_early_retry_claim_;
  AttemptBook book_;
  absl::btree_map<std::string, runtime_repository::DeadLetter> letters_;  // by attempt_id
  absl::flat_hash_map<std::string, uint64_t> heads_;                      // of the runs that have events
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_RUNTIME_REPOSITORY_STATE_H_
