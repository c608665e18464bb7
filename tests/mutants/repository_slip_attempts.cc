// Attempts, dead letters, counts and the events of runs.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tests/mutants/repository_slip_store.h"

namespace leasecheck::mutants {

using namespace runtime_repository;  // NOLINT(build/namespaces): this file is about little else
using Slip = RepositorySlip;

namespace {

tl::unexpected<StoreError> Fail(DriverClass driver_class) { return tl::unexpected<StoreError>(Driver{driver_class, {}}); }

int64_t Delay(const RetryPolicy& policy, uint32_t attempt_no) {
  double delay = static_cast<double>(policy.backoff_ms);
  if (policy.strategy == RetryStrategy::kExponential) {
    delay = std::round(delay * std::pow(policy.multiplier.value_or(2.0), attempt_no - 1));
  }
  if (policy.max_backoff_ms.has_value()) delay = std::min(delay, static_cast<double>(*policy.max_backoff_ms));
  return static_cast<int64_t>(std::clamp(delay, 1.0, 9e18));
}

}  // namespace

Result<Done> RepositorySlipStore::EnqueueAttempt(const EnqueueAttemptRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  if (Row* row = FindRow(request.attempt_id)) {
    if (Is(Slip::kEnqueueResets) && IsTerminal(row->status)) row->status = Status::kQueued;
    return Done{};
  }
  Row row;
  row.run_id = request.run_id;
  row.inserted = ++state_.serial;
  state_.rows[request.attempt_id] = std::move(row);
  return Done{};
}

// Acks.

std::optional<DriverClass> RepositorySlipStore::AckRefusal(const AckAttemptRequest& request) {
  if (!IsTerminal(request.status) && !liberties_.any_outcome) return DriverClass::kBadOutcome;
  const Row* row = FindRow(request.attempt_id);
  if (row == nullptr) return DriverClass::kAttemptNotFound;
  const RetryPolicy* policy = request.retry_policy.has_value() ? &*request.retry_policy
                              : row->retry.has_value()         ? &*row->retry
                                                               : nullptr;
  const bool retries = request.status == Status::kFailed && policy != nullptr && row->attempt_no <= policy->max_retries;
  const bool stays_terminal = IsTerminal(request.status) && !retries;
  if (IsTerminal(row->status) && !(liberties_.ack_rewrites && stays_terminal)) return DriverClass::kAttemptTerminal;
  const Lease* lease = LeaseOf(request.attempt_id);
  const bool current = !request.lease_id.has_value() || (lease != nullptr && lease->lease_id == *request.lease_id);
  if (!current && !liberties_.ack_ignores_lease) return DriverClass::kLeaseNotFound;
  return std::nullopt;
}

void RepositorySlipStore::Retry(Row& row, const RetryPolicy& policy, Instant now) {
  row.retry_at = SaturatingAdd(now, Delay(policy, row.attempt_no + (Is(Slip::kDelayOfNext) ? 1 : 0)));
  row.history.push_back({row.attempt_no, *row.retry_at});
  if (!Is(Slip::kRetryNotCounted)) ++row.attempt_no;
  row.status = Status::kRetryBackoff;
}

void RepositorySlipStore::WriteLetter(const std::string& attempt_id, Row& row, absl::string_view reason, Instant now) {
  uint64_t replays = 0;
  if (row.letter.has_value() && !liberties_.replays_begin_anew) replays = row.letter->replay_count.value_or(0);
  row.letter = DeadLetter{attempt_id, std::string(reason), ReplayStatus::kPending, now, replays};
}

Result<AckResult> RepositorySlipStore::AckAttempt(const AckAttemptRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  if (const auto refusal = AckRefusal(request)) return Fail(*refusal);
  Row& row = *FindRow(request.attempt_id);
  if (request.retry_policy.has_value()) row.retry = request.retry_policy;
  const auto effective = Is(Slip::kPolicyForgotten) ? request.retry_policy : row.retry;
  if (!Is(Slip::kAckKeepsLease)) DropLease(request.attempt_id);
  row.started_at.reset();
  row.retry_at.reset();
  const uint32_t most = effective.has_value() ? effective->max_retries : 0;
  const bool left = row.attempt_no <= most && !(Is(Slip::kOneRetryShort) && row.attempt_no == most);
  if (request.status == Status::kFailed && effective.has_value() && left) {
    Retry(row, *effective, request.now);
  } else {
    row.status = request.status;
    if (row.status == Status::kFailed && !Is(Slip::kLetterMissing)) {
      WriteLetter(request.attempt_id, row, kTerminalFailed, request.now);
    }
  }
  return AckResult{row.status, row.retry_at, row.attempt_no};
}

Result<Done> RepositorySlipStore::MarkAttemptStatus(const MarkAttemptStatusRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  Row* row = FindRow(request.attempt_id);
  if (row == nullptr) return Done{};
  row->status = request.status;
  if (IsTerminal(row->status)) row->retry_at.reset();
  if (!Executes(*row)) row->started_at.reset();
  return Done{};
}

// Settings.

Result<Done> RepositorySlipStore::SetAttemptPriority(const SetAttemptPriorityRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  Row* row = FindRow(request.attempt_id);
  if (row == nullptr) return Fail(DriverClass::kAttemptNotFound);
  row->priority = request.priority;
  return Done{};
}

Result<Done> RepositorySlipStore::SetAttemptTenantId(const SetAttemptTenantIdRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  Row* row = FindRow(request.attempt_id);
  if (row == nullptr) return Fail(DriverClass::kAttemptNotFound);
  const std::string trimmed(absl::StripAsciiWhitespace(request.tenant_id.value_or("")));
  row->tenant = trimmed.empty() ? std::nullopt : std::optional<std::string>(trimmed);
  return Done{};
}

Result<Done> RepositorySlipStore::SetAttemptTimeoutPolicy(const SetAttemptTimeoutPolicyRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const bool ends = request.on_timeout_status == Status::kFailed || request.on_timeout_status == Status::kCancelled;
  if (request.timeout_ms < 1 || !ends) return Fail(DriverClass::kBadPolicy);
  Row* row = FindRow(request.attempt_id);
  if (row == nullptr) return Fail(DriverClass::kAttemptNotFound);
  row->timeout = std::pair(request.timeout_ms, request.on_timeout_status);
  return Done{};
}

Result<Done> RepositorySlipStore::SetAttemptStartedAt(const SetAttemptStartedAtRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  Row* row = FindRow(request.attempt_id);
  if (row == nullptr) return Fail(DriverClass::kAttemptNotFound);
  row->started_at = request.started_at;
  return Done{};
}

// Reads.

Result<std::optional<AttemptStatus>> RepositorySlipStore::GetAttemptStatus(const GetAttemptStatusRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Row* row = FindRow(request.attempt_id);
  if (row == nullptr) return std::optional<AttemptStatus>();
  return std::optional<AttemptStatus>(AttemptStatus{row->attempt_no, row->status});
}

Result<std::optional<LeaseRecord>> RepositorySlipStore::GetLeaseForAttempt(const GetLeaseForAttemptRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Lease* lease = LeaseOf(request.attempt_id);
  return lease == nullptr ? std::optional<Lease>() : std::optional<Lease>(*lease);
}

Result<std::optional<LeaseRecord>> RepositorySlipStore::GetLeaseById(const GetLeaseByIdRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Lease* lease = FindLease(request.lease_id);
  return lease == nullptr ? std::optional<Lease>() : std::optional<Lease>(*lease);
}

Result<uint64_t> RepositorySlipStore::ActiveLeasesForWorker(const ActiveLeasesForWorkerRequest& request) {
  absl::MutexLock lock(&mutex_);
  uint64_t active = 0;
  for (const auto& [id, lease] : state_.leases) {
    const bool ends_now = Is(Slip::kExpiredAtOnce) && lease.lease_expires_at == request.now;
    if (lease.worker_id == request.worker_id && lease.lease_expires_at >= request.now && !ends_now) ++active;
  }
  return active;
}

Result<uint64_t> RepositorySlipStore::ActiveLeasesForTenant(const ActiveLeasesForTenantRequest& request) {
  absl::MutexLock lock(&mutex_);
  uint64_t active = 0;
  for (const auto& [id, lease] : state_.leases) {
    if (state_.rows.at(id).tenant == request.tenant_id && lease.lease_expires_at >= request.now) ++active;
  }
  return active;
}

Result<std::vector<RetryHistoryEntry>> RepositorySlipStore::GetAttemptRetryHistory(const GetAttemptRetryHistoryRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Row* row = FindRow(request.attempt_id);
  return row == nullptr ? std::vector<RetryHistoryEntry>() : row->history;
}

Result<std::vector<DeadLetter>> RepositorySlipStore::ListDeadLetters(const ListDeadLettersRequest&) {
  absl::MutexLock lock(&mutex_);
  std::vector<DeadLetter> letters;
  for (const auto& [id, row] : state_.rows) {
    if (!row.letter.has_value()) continue;
    letters.push_back(*row.letter);
    if (liberties_.short_letters) letters.back().dead_at.reset();
    if (liberties_.short_letters) letters.back().replay_count.reset();
  }
  return letters;
}

Result<Done> RepositorySlipStore::ReplayDeadLetter(const ReplayDeadLetterRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  Row* row = FindRow(request.attempt_id);
  if (row == nullptr || !row->letter.has_value()) return Fail(DriverClass::kDeadLetterNotFound);
  const bool replayed = row->letter->replay_status == ReplayStatus::kReplayed;
  if (replayed && !Is(Slip::kReplayTwice)) return Fail(DriverClass::kAlreadyReplayed);
  DropLease(request.attempt_id);
  row->status = Status::kQueued;
  row->retry_at.reset();
  row->started_at.reset();
  if (Is(Slip::kReplayCountsAnew)) row->attempt_no = 1;
  row->letter->replay_status = ReplayStatus::kReplayed;
  row->letter->replay_count = row->letter->replay_count.value_or(0) + 1;
  return Done{};
}

// Events.

uint64_t& RepositorySlipStore::EventsOf(const std::string& run_id) {
  return state_.events[Is(Slip::kEventsOfAllRuns) ? "" : run_id];
}

Result<uint64_t> RepositorySlipStore::LatestSeqForRun(const LatestSeqForRunRequest& request) {
  absl::MutexLock lock(&mutex_);
  return liberties_.no_events ? uint64_t{0} : EventsOf(request.run_id);
}

Result<uint64_t> RepositorySlipStore::AppendRunEvents(const AppendRunEventsRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const uint64_t head = EventsOf(request.run_id);
  if (request.count > std::numeric_limits<uint64_t>::max() - head) {
    return tl::unexpected<StoreError>(EventStore{"the numbers are used up"});
  }
  PauseIf(Slip::kLostAppend);
  return EventsOf(request.run_id) = head + request.count;
}

}  // namespace leasecheck::mutants
