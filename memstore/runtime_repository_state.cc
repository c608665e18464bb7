#include "memstore/runtime_repository_state.h"

#include <limits>
#include <utility>

#include "absl/strings/ascii.h"

namespace leasecheck::memstore {
namespace {

using runtime_repository::AckResult;
using runtime_repository::AttemptDispatchRecord;
using runtime_repository::AttemptExecutionStatus;
using runtime_repository::AttemptStatus;
using runtime_repository::DeadLetter;
using runtime_repository::Done;
using runtime_repository::Driver;
using runtime_repository::DriverClass;
using runtime_repository::EventStore;
using runtime_repository::IsTerminal;
using runtime_repository::LeaseRecord;
using runtime_repository::ReplayStatus;
using runtime_repository::Result;
using runtime_repository::RetryHistoryEntry;
using runtime_repository::StoreError;

// A contract error as the failure of any operation.
tl::unexpected<StoreError> Fail(DriverClass driver_class) {
  return tl::unexpected<StoreError>(Driver{driver_class, std::nullopt});
}

// The attempt ends, or goes back to the queue: nothing of its execution is left.
void EndExecution(AttemptValue& attempt, AttemptExecutionStatus status) {
  attempt.status = status;
  attempt.retry_at.reset();
  attempt.started_at.reset();
  attempt.lease.reset();
}

}  // namespace

// Dispatch.

Result<std::vector<AttemptDispatchRecord>> RuntimeRepositoryState::ListDispatchableAttempts(
    const runtime_repository::ListDispatchableAttemptsRequest& request, EpochMs) {
  std::vector<AttemptDispatchRecord> list;
  if (request.limit == 0) return list;
  book_.ForEachDispatchable(request.now, [&](const AttemptValue& it) {
    list.push_back({it.attempt_id, it.run_id, it.attempt_no, it.status, it.retry_at});
    return list.size() < request.limit;
  });
  return list;
}

std::optional<DriverClass> RuntimeRepositoryState::RefusalOf(const Attempt* attempt, Instant clock) const {
  if (attempt == nullptr) return DriverClass::kNotDispatchable;
  const AttemptValue& it = **attempt;
  const bool ready = it.IsReady(clock) || (allow_early_retry_claim_ && it.status == AttemptExecutionStatus::kRetryBackoff);
  if (ready || it.IsExecuting()) {
    if (it.IsLive(clock)) return DriverClass::kLeaseConflict;
    if (ready) return std::nullopt;
  }
  return DriverClass::kNotDispatchable;
}

Result<LeaseRecord> RuntimeRepositoryState::UpsertLease(const runtime_repository::UpsertLeaseRequest& request, EpochMs now) {
  const Instant clock = InstantOf(now);
  Attempt* attempt = book_.Find(request.attempt_id);
  if (const auto refusal = RefusalOf(attempt, clock); refusal.has_value()) return Fail(*refusal);
  const LeaseRecord lease{ids_.Next(IdKind::kClaim), request.attempt_id, request.worker_id, request.lease_expires_at, clock, 1};
  book_.Change(*attempt, [&](AttemptValue& it) {
    it.status = AttemptExecutionStatus::kLeased;
    it.retry_at.reset();
    if (!it.started_at.has_value()) it.started_at = clock;
    it.lease = lease;
  });
  return lease;
}

void RuntimeRepositoryState::Refresh(Attempt& attempt, Instant heartbeat_at, Instant lease_expires_at) {
  book_.Change(attempt, [&](AttemptValue& it) {
    it.lease->heartbeat_at = heartbeat_at;
    it.lease->lease_expires_at = lease_expires_at;
    ++it.lease->version;
  });
}

Result<Done> RuntimeRepositoryState::HeartbeatLease(const runtime_repository::HeartbeatLeaseRequest& request, EpochMs) {
  Attempt* attempt = book_.FindByLease(request.lease_id);
  if (attempt == nullptr) return Fail(DriverClass::kLeaseNotFound);
  Refresh(*attempt, request.heartbeat_at, request.lease_expires_at);
  return Done{};
}

Result<Done> RuntimeRepositoryState::HeartbeatLeaseWithVersion(
    const runtime_repository::HeartbeatLeaseWithVersionRequest& request, EpochMs) {
  Attempt* attempt = book_.FindByLease(request.lease_id);
  if (attempt == nullptr || (*attempt)->lease->worker_id != request.worker_id ||
      (*attempt)->lease->version != request.expected_version) {
    return Fail(DriverClass::kVersionConflict);
  }
  Refresh(*attempt, request.heartbeat_at, request.lease_expires_at);
  return Done{};
}

// Sweeps.

Result<uint64_t> RuntimeRepositoryState::ExpireLeasesAndRequeue(const runtime_repository::ExpireLeasesAndRequeueRequest& request,
                                                                EpochMs) {
  const std::vector<Attempt*> stale = book_.Stale(request.stale_before);
  for (Attempt* attempt : stale) {
    book_.Change(*attempt, [&](AttemptValue& it) {
      it.lease.reset();
      // What has ended has no clock to keep; what waits for its retry goes on waiting.
      if (IsTerminal(it.status) || it.status == AttemptExecutionStatus::kRetryBackoff) return;
      it.status = AttemptExecutionStatus::kQueued;
      if (timeout_clock_ == TimeoutClock::kReset) it.started_at.reset();
    });
  }
  return stale.size();
}

Result<uint64_t> RuntimeRepositoryState::TransitionTimedOutAttempts(
    const runtime_repository::TransitionTimedOutAttemptsRequest& request, EpochMs) {
  const std::vector<Attempt*> late = book_.TimedOut(request.now);
  for (Attempt* attempt : late) {
    const AttemptExecutionStatus status = (*attempt)->timeout->on_timeout_status;
    book_.Change(*attempt, [&](AttemptValue& it) { EndExecution(it, status); });
    if (status == AttemptExecutionStatus::kFailed) {
      Bury((*attempt)->attempt_id, runtime_repository::kExecutionTimeout, request.now);
    }
  }
  return late.size();
}

// The life of an attempt.

Result<Done> RuntimeRepositoryState::EnqueueAttempt(const runtime_repository::EnqueueAttemptRequest& request, EpochMs) {
  if (book_.Find(request.attempt_id) != nullptr) return Done{};
  AttemptValue attempt;
  attempt.attempt_id = request.attempt_id;
  attempt.run_id = request.run_id;
  book_.Add(std::move(attempt));
  return Done{};
}

Result<AckResult> RuntimeRepositoryState::AckAttempt(const runtime_repository::AckAttemptRequest& request, EpochMs) {
  if (!IsTerminal(request.status)) return Fail(DriverClass::kBadOutcome);
  Attempt* attempt = book_.Find(request.attempt_id);
  if (attempt == nullptr) return Fail(DriverClass::kAttemptNotFound);
  if (IsTerminal((*attempt)->status)) return Fail(DriverClass::kAttemptTerminal);
  const std::optional<LeaseRecord>& lease = (*attempt)->lease;
  if (request.lease_id.has_value() && (!lease.has_value() || lease->lease_id != *request.lease_id)) {
    return Fail(DriverClass::kLeaseNotFound);
  }
  const bool failed = request.status == AttemptExecutionStatus::kFailed;
  AckResult result;
  book_.Change(*attempt, [&](AttemptValue& it) {
    EndExecution(it, request.status);
    if (request.retry_policy.has_value()) it.retry = request.retry_policy;
    constexpr uint32_t kLastNumber = std::numeric_limits<uint32_t>::max();
    if (failed && it.retry.has_value() && it.attempt_no <= it.retry->max_retries && it.attempt_no < kLastNumber) {
      it.retry_at = SaturatingAdd(request.now, RetryDelay(*it.retry, it.attempt_no));
      it.history.push_back({it.attempt_no, *it.retry_at});
      it.status = AttemptExecutionStatus::kRetryBackoff;
      ++it.attempt_no;
    }
    result = {it.status, it.retry_at, it.attempt_no};
  });
  if (result.status == AttemptExecutionStatus::kFailed) {
    Bury(request.attempt_id, runtime_repository::kTerminalFailed, request.now);
  }
  return result;
}

void RuntimeRepositoryState::Bury(const std::string& attempt_id, absl::string_view reason, Instant dead_at) {
  DeadLetter& letter = letters_[attempt_id];
  letter = {attempt_id, std::string(reason), ReplayStatus::kPending, dead_at, letter.replay_count.value_or(0)};
}

Result<std::vector<DeadLetter>> RuntimeRepositoryState::ListDeadLetters(const runtime_repository::ListDeadLettersRequest&,
                                                                        EpochMs) {
  std::vector<DeadLetter> list;
  list.reserve(letters_.size());
  for (const auto& [attempt_id, letter] : letters_) list.push_back(letter);
  return list;
}

Result<Done> RuntimeRepositoryState::ReplayDeadLetter(const runtime_repository::ReplayDeadLetterRequest& request, EpochMs) {
  auto letter = letters_.find(request.attempt_id);
  if (letter == letters_.end()) return Fail(DriverClass::kDeadLetterNotFound);
  if (letter->second.replay_status == ReplayStatus::kReplayed) return Fail(DriverClass::kAlreadyReplayed);
  letter->second.replay_status = ReplayStatus::kReplayed;
  letter->second.replay_count = letter->second.replay_count.value_or(0) + 1;
  book_.Change(*book_.Find(request.attempt_id), [](AttemptValue& it) { EndExecution(it, AttemptExecutionStatus::kQueued); });
  return Done{};
}

// Properties.

template <class Change>
Result<Done> RuntimeRepositoryState::Set(absl::string_view attempt_id, Change&& change) {
  Attempt* attempt = book_.Find(attempt_id);
  if (attempt == nullptr) return Fail(DriverClass::kAttemptNotFound);
  book_.Change(*attempt, change);
  return Done{};
}

Result<Done> RuntimeRepositoryState::MarkAttemptStatus(const runtime_repository::MarkAttemptStatusRequest& request, EpochMs) {
  Set(request.attempt_id, [&](AttemptValue& it) {
    it.status = request.status;
    if (IsTerminal(it.status)) it.retry_at.reset();
    if (!it.IsExecuting()) it.started_at.reset();
  });
  return Done{};
}

Result<Done> RuntimeRepositoryState::SetAttemptPriority(const runtime_repository::SetAttemptPriorityRequest& request, EpochMs) {
  return Set(request.attempt_id, [&](AttemptValue& it) { it.priority = request.priority; });
}

Result<Done> RuntimeRepositoryState::SetAttemptTenantId(const runtime_repository::SetAttemptTenantIdRequest& request, EpochMs) {
  std::string tenant(absl::StripAsciiWhitespace(request.tenant_id.value_or("")));
  return Set(request.attempt_id, [&](AttemptValue& it) {
    it.tenant_id = tenant.empty() ? std::nullopt : std::optional<std::string>(std::move(tenant));
  });
}

Result<Done> RuntimeRepositoryState::SetAttemptTimeoutPolicy(const runtime_repository::SetAttemptTimeoutPolicyRequest& request,
                                                             EpochMs) {
  const bool ends = request.on_timeout_status == AttemptExecutionStatus::kFailed ||
                    request.on_timeout_status == AttemptExecutionStatus::kCancelled;
  if (request.timeout_ms < 1 || !ends) return Fail(DriverClass::kBadPolicy);
  return Set(request.attempt_id, [&](AttemptValue& it) {
    it.timeout = TimeoutPolicy{request.timeout_ms, request.on_timeout_status};
  });
}

Result<Done> RuntimeRepositoryState::SetAttemptStartedAt(const runtime_repository::SetAttemptStartedAtRequest& request, EpochMs) {
  return Set(request.attempt_id, [&](AttemptValue& it) { it.started_at = request.started_at; });
}

// Reads.

Result<std::optional<AttemptStatus>> RuntimeRepositoryState::GetAttemptStatus(
    const runtime_repository::GetAttemptStatusRequest& request, EpochMs) {
  const Attempt* attempt = book_.Find(request.attempt_id);
  if (attempt == nullptr) return std::nullopt;
  return AttemptStatus{(*attempt)->attempt_no, (*attempt)->status};
}

Result<std::optional<LeaseRecord>> RuntimeRepositoryState::GetLeaseForAttempt(
    const runtime_repository::GetLeaseForAttemptRequest& request, EpochMs) {
  const Attempt* attempt = book_.Find(request.attempt_id);
  if (attempt == nullptr) return std::nullopt;
  return (*attempt)->lease;
}

Result<std::optional<LeaseRecord>> RuntimeRepositoryState::GetLeaseById(const runtime_repository::GetLeaseByIdRequest& request,
                                                                        EpochMs) {
  const Attempt* attempt = book_.FindByLease(request.lease_id);
  if (attempt == nullptr) return std::nullopt;
  return (*attempt)->lease;
}

Result<uint64_t> RuntimeRepositoryState::ActiveLeasesForWorker(const runtime_repository::ActiveLeasesForWorkerRequest& request,
                                                               EpochMs) {
  return book_.LiveOfWorker(request.worker_id, request.now);
}

Result<uint64_t> RuntimeRepositoryState::ActiveLeasesForTenant(const runtime_repository::ActiveLeasesForTenantRequest& request,
                                                               EpochMs) {
  return book_.LiveOfTenant(request.tenant_id, request.now);
}

Result<std::vector<RetryHistoryEntry>> RuntimeRepositoryState::GetAttemptRetryHistory(
    const runtime_repository::GetAttemptRetryHistoryRequest& request, EpochMs) {
  const Attempt* attempt = book_.Find(request.attempt_id);
  if (attempt == nullptr) return std::vector<RetryHistoryEntry>();
  return (*attempt)->history;
}

// Runs.

Result<uint64_t> RuntimeRepositoryState::LatestSeqForRun(const runtime_repository::LatestSeqForRunRequest& request, EpochMs) {
  auto head = heads_.find(request.run_id);
  return head == heads_.end() ? 0 : head->second;
}

Result<uint64_t> RuntimeRepositoryState::AppendRunEvents(const runtime_repository::AppendRunEventsRequest& request, EpochMs) {
  if (request.count == 0) return LatestSeqForRun({request.run_id}, 0);
  uint64_t& head = heads_[request.run_id];
  if (request.count > std::numeric_limits<uint64_t>::max() - head) {
    return tl::unexpected<StoreError>(EventStore{"the run's event numbers are used up"});
  }
  return head += request.count;
}

// Snapshots.

RuntimeRepositoryContents RuntimeRepositoryState::Contents() const {
  RuntimeRepositoryContents contents{ids_, book_.All(), letters_, {}};
  contents.heads.insert(heads_.begin(), heads_.end());
  return contents;
}

void RuntimeRepositoryState::Restore(const RuntimeRepositoryContents& contents) {
  ids_ = contents.ids;
  book_.Clear();
  for (const AttemptValue& attempt : contents.attempts) book_.Add(attempt);
  letters_ = contents.letters;
  heads_.clear();
  heads_.insert(contents.heads.begin(), contents.heads.end());
}

}  // namespace leasecheck::memstore
