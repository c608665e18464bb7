// The calls of the runtime_repository family, each one transaction over the rows of runtime_repository_rows.h.
#include "adapters/sqlite/runtime_repository.h"

#include <limits>
#include <variant>

#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "adapters/sqlite/runtime_repository_rows.h"
#include "adapters/sqlite/runtime_repository_schema.h"
#include "adapters/sqlite/transaction.h"

namespace leasecheck::sqlite {
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

tl::unexpected<StoreError> Fail(DriverClass driver_class) { return Fails<StoreError>(Driver{driver_class, std::nullopt}); }

bool Executes(const AttemptRow& row) {
  return row.status == AttemptExecutionStatus::kLeased || row.status == AttemptExecutionStatus::kRunning;
}

// Why the attempt cannot be claimed; nothing where it can. [RR-UPS-2..9]
std::optional<DriverClass> RefusalOf(const std::optional<AttemptRow>& row, Instant clock) {
  if (!row.has_value()) return DriverClass::kNotDispatchable;
  const bool due = row->status == AttemptExecutionStatus::kRetryBackoff && row->retry_at.value_or(clock) <= clock;
  const bool ready = row->status == AttemptExecutionStatus::kQueued || due;
  const bool live = row->lease.has_value() && clock <= row->lease->lease_expires_at;
  if (live && (ready || Executes(*row))) return DriverClass::kLeaseConflict;
  if (!ready) return DriverClass::kNotDispatchable;
  return std::nullopt;
}

void Refresh(Transaction& transaction, AttemptRow row, Instant heartbeat_at, Instant lease_expires_at) {
  if (!row.lease.has_value()) return;  // only after an error of the database: nothing is committed then
  LeaseRecord lease = *row.lease;
  lease.heartbeat_at = heartbeat_at;
  lease.lease_expires_at = lease_expires_at;
  ++lease.version;
  row.lease = std::move(lease);
  WriteAttempt(transaction, row);
}

// Nothing is left of the attempt's execution.
void EndExecution(AttemptRow& row, AttemptExecutionStatus status) {
  row.status = status;
  row.lease.reset();
  row.retry_at.reset();
  row.started_at.reset();
}

// One property of an attempt. [RR-FIX-11]
template <class Change>
Result<Done> Set(Transaction& transaction, absl::string_view attempt_id, Change&& change) {
  std::optional<AttemptRow> row = ReadAttempt(transaction, attempt_id);
  if (!row.has_value()) return Fail(DriverClass::kAttemptNotFound);
  change(*row);
  WriteAttempt(transaction, *row);
  return Done{};
}

// The failure of a call of events is one of the event store.
Result<uint64_t> OfEvents(Result<uint64_t> result) {
  if (result.has_value() || std::holds_alternative<EventStore>(result.error())) return result;
  return Fails<StoreError>(EventStore{std::get<Driver>(result.error()).text.value_or("")});
}

}  // namespace

absl::StatusOr<std::unique_ptr<RuntimeRepository>> RuntimeRepository::Open(const Options& options) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(options, RuntimeRepositorySchema());
  if (!database.ok()) return database.status();
  return absl::WrapUnique(new RuntimeRepository(*std::move(database)));
}

// The trait.

Result<std::vector<AttemptDispatchRecord>> RuntimeRepository::ListDispatchableAttempts(
    const runtime_repository::ListDispatchableAttemptsRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<std::vector<AttemptDispatchRecord>> {
    return Dispatchable(transaction, request.now, request.limit);
  });
}

Result<LeaseRecord> RuntimeRepository::UpsertLease(const runtime_repository::UpsertLeaseRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<LeaseRecord> {
    const Instant clock = InstantOf(now);
    std::optional<AttemptRow> row = ReadAttempt(transaction, request.attempt_id);
    if (const auto refusal = RefusalOf(row, clock); refusal.has_value()) return Fail(*refusal);
    const LeaseRecord lease{database_->NewId("lease"), request.attempt_id, request.worker_id, request.lease_expires_at, clock, 1};
    row->status = AttemptExecutionStatus::kLeased;
    row->retry_at.reset();
    if (!row->started_at.has_value()) row->started_at = clock;
    row->lease = lease;
    WriteAttempt(transaction, *row);
    return lease;
  });
}

Result<Done> RuntimeRepository::HeartbeatLease(const runtime_repository::HeartbeatLeaseRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    std::optional<AttemptRow> row = ReadAttemptOfLease(transaction, request.lease_id);
    if (!row.has_value()) return Fail(DriverClass::kLeaseNotFound);
    Refresh(transaction, *std::move(row), request.heartbeat_at, request.lease_expires_at);
    return Done{};
  });
}

Result<uint64_t> RuntimeRepository::ExpireLeasesAndRequeue(const runtime_repository::ExpireLeasesAndRequeueRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<uint64_t> {
    const std::vector<std::string> stale = StaleAttempts(transaction, request.stale_before);
    for (const std::string& attempt_id : stale) {
      std::optional<AttemptRow> row = ReadAttempt(transaction, attempt_id);
      if (!row.has_value()) continue;  // only after an error of the database
      row->lease.reset();
      // What has ended stays so, and what waits for its retry goes on waiting.
      if (Executes(*row)) row->status = AttemptExecutionStatus::kQueued;
      WriteAttempt(transaction, *row);
    }
    return stale.size();
  });
}

Result<uint64_t> RuntimeRepository::LatestSeqForRun(const runtime_repository::LatestSeqForRunRequest& request) {
  return OfEvents(database_->ReadTimeless(
      [&](Transaction& transaction) -> Result<uint64_t> { return ReadLatestSeq(transaction, request.run_id); }));
}

Result<uint64_t> RuntimeRepository::TransitionTimedOutAttempts(
    const runtime_repository::TransitionTimedOutAttemptsRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<uint64_t> {
    const std::vector<std::string> late = TimedOutAttempts(transaction, request.now);
    for (const std::string& attempt_id : late) {
      std::optional<AttemptRow> row = ReadAttempt(transaction, attempt_id);
      if (!row.has_value() || !row->on_timeout_status.has_value()) continue;  // only after an error of the database
      EndExecution(*row, *row->on_timeout_status);
      WriteAttempt(transaction, *row);
      if (row->status == AttemptExecutionStatus::kFailed) {
        WriteDeadLetter(transaction, attempt_id, runtime_repository::kExecutionTimeout, request.now);
      }
    }
    return late.size();
  });
}

// The life of an attempt.

Result<Done> RuntimeRepository::EnqueueAttempt(const runtime_repository::EnqueueAttemptRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    AttemptRow row;
    row.attempt_id = request.attempt_id;
    row.run_id = request.run_id;
    AddAttempt(transaction, row);
    return Done{};
  });
}

Result<AckResult> RuntimeRepository::AckAttempt(const runtime_repository::AckAttemptRequest& request) {
  if (!IsTerminal(request.status)) return Fail(DriverClass::kBadOutcome);
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<AckResult> {
    std::optional<AttemptRow> row = ReadAttempt(transaction, request.attempt_id);
    if (!row.has_value()) return Fail(DriverClass::kAttemptNotFound);
    if (IsTerminal(row->status)) return Fail(DriverClass::kAttemptTerminal);
    const bool other_lease =
        request.lease_id.has_value() && (!row->lease.has_value() || row->lease->lease_id != *request.lease_id);
    if (other_lease) return Fail(DriverClass::kLeaseNotFound);
    EndExecution(*row, request.status);
    if (request.retry_policy.has_value()) row->retry_policy = request.retry_policy;
    if (request.status == AttemptExecutionStatus::kFailed) {
      constexpr uint32_t kLastNumber = std::numeric_limits<uint32_t>::max();
      const bool again =
          row->retry_policy.has_value() && row->attempt_no <= row->retry_policy->max_retries && row->attempt_no < kLastNumber;
      if (again) {
        const Instant retry_at = SaturatingAdd(request.now, RetryDelay(*row->retry_policy, row->attempt_no));
        AddRetry(transaction, request.attempt_id, {row->attempt_no, retry_at});
        row->status = AttemptExecutionStatus::kRetryBackoff;
        row->retry_at = retry_at;
        ++row->attempt_no;
      } else {
        WriteDeadLetter(transaction, request.attempt_id, runtime_repository::kTerminalFailed, request.now);
      }
    }
    WriteAttempt(transaction, *row);
    return AckResult{row->status, row->retry_at, row->attempt_no};
  });
}

Result<Done> RuntimeRepository::MarkAttemptStatus(const runtime_repository::MarkAttemptStatusRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    std::optional<AttemptRow> row = ReadAttempt(transaction, request.attempt_id);
    if (!row.has_value()) return Done{};
    row->status = request.status;
    if (IsTerminal(row->status)) row->retry_at.reset();
    if (!Executes(*row)) row->started_at.reset();
    WriteAttempt(transaction, *row);
    return Done{};
  });
}

Result<Done> RuntimeRepository::ReplayDeadLetter(const runtime_repository::ReplayDeadLetterRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    const std::optional<ReplayStatus> replay = ReadReplayStatus(transaction, request.attempt_id);
    if (!replay.has_value()) return Fail(DriverClass::kDeadLetterNotFound);
    if (*replay == ReplayStatus::kReplayed) return Fail(DriverClass::kAlreadyReplayed);
    MarkReplayed(transaction, request.attempt_id, request.now);
    return Set(transaction, request.attempt_id, [](AttemptRow& row) { EndExecution(row, AttemptExecutionStatus::kQueued); });
  });
}

// Properties.

Result<Done> RuntimeRepository::SetAttemptPriority(const runtime_repository::SetAttemptPriorityRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    return Set(transaction, request.attempt_id, [&](AttemptRow& row) { row.priority = request.priority; });
  });
}

Result<Done> RuntimeRepository::SetAttemptTenantId(const runtime_repository::SetAttemptTenantIdRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    return Set(transaction, request.attempt_id, [&](AttemptRow& row) {
      row.tenant_id = std::string(absl::StripAsciiWhitespace(request.tenant_id.value_or("")));
      if (row.tenant_id->empty()) row.tenant_id.reset();
    });
  });
}

Result<Done> RuntimeRepository::SetAttemptTimeoutPolicy(const runtime_repository::SetAttemptTimeoutPolicyRequest& request) {
  const bool ends = request.on_timeout_status == AttemptExecutionStatus::kFailed ||
                    request.on_timeout_status == AttemptExecutionStatus::kCancelled;
  if (request.timeout_ms <= 0 || !ends) return Fail(DriverClass::kBadPolicy);
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    return Set(transaction, request.attempt_id, [&](AttemptRow& row) {
      row.timeout_ms = request.timeout_ms;
      row.on_timeout_status = request.on_timeout_status;
    });
  });
}

Result<Done> RuntimeRepository::SetAttemptStartedAt(const runtime_repository::SetAttemptStartedAtRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    return Set(transaction, request.attempt_id, [&](AttemptRow& row) { row.started_at = request.started_at; });
  });
}

// What shows attempts and leases.

Result<std::optional<AttemptStatus>> RuntimeRepository::GetAttemptStatus(
    const runtime_repository::GetAttemptStatusRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<std::optional<AttemptStatus>> {
    const std::optional<AttemptRow> row = ReadAttempt(transaction, request.attempt_id);
    if (!row.has_value()) return std::nullopt;
    return AttemptStatus{row->attempt_no, row->status};
  });
}

Result<std::optional<LeaseRecord>> RuntimeRepository::GetLeaseForAttempt(
    const runtime_repository::GetLeaseForAttemptRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<std::optional<LeaseRecord>> {
    const std::optional<AttemptRow> row = ReadAttempt(transaction, request.attempt_id);
    if (!row.has_value()) return std::nullopt;
    return row->lease;
  });
}

Result<std::optional<LeaseRecord>> RuntimeRepository::GetLeaseById(const runtime_repository::GetLeaseByIdRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<std::optional<LeaseRecord>> {
    const std::optional<AttemptRow> row = ReadAttemptOfLease(transaction, request.lease_id);
    if (!row.has_value()) return std::nullopt;
    return row->lease;
  });
}

Result<Done> RuntimeRepository::HeartbeatLeaseWithVersion(const runtime_repository::HeartbeatLeaseWithVersionRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    std::optional<AttemptRow> row = ReadAttemptOfLease(transaction, request.lease_id);
    const bool matches = row.has_value() && row->lease.has_value() && row->lease->worker_id == request.worker_id &&
                         row->lease->version == request.expected_version;
    if (!matches) return Fail(DriverClass::kVersionConflict);
    Refresh(transaction, *std::move(row), request.heartbeat_at, request.lease_expires_at);
    return Done{};
  });
}

Result<uint64_t> RuntimeRepository::ActiveLeasesForWorker(const runtime_repository::ActiveLeasesForWorkerRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<uint64_t> {
    return LiveLeasesOfWorker(transaction, request.worker_id, request.now);
  });
}

Result<uint64_t> RuntimeRepository::ActiveLeasesForTenant(const runtime_repository::ActiveLeasesForTenantRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<uint64_t> {
    return LiveLeasesOfTenant(transaction, request.tenant_id, request.now);
  });
}

Result<std::vector<RetryHistoryEntry>> RuntimeRepository::GetAttemptRetryHistory(
    const runtime_repository::GetAttemptRetryHistoryRequest& request) {
  return database_->ReadTimeless([&](Transaction& transaction) -> Result<std::vector<RetryHistoryEntry>> {
    return ReadRetries(transaction, request.attempt_id);
  });
}

Result<std::vector<DeadLetter>> RuntimeRepository::ListDeadLetters(const runtime_repository::ListDeadLettersRequest&) {
  return database_->ReadTimeless(
      [&](Transaction& transaction) -> Result<std::vector<DeadLetter>> { return ReadDeadLetters(transaction); });
}

// Events.

Result<uint64_t> RuntimeRepository::AppendRunEvents(const runtime_repository::AppendRunEventsRequest& request) {
  return OfEvents(database_->Write([&](Transaction& transaction, EpochMs) -> Result<uint64_t> {
    const uint64_t latest = ReadLatestSeq(transaction, request.run_id);
    if (request.count == 0) return latest;
    if (request.count > std::numeric_limits<uint64_t>::max() - latest) {
      return Fails<StoreError>(EventStore{"the run's event numbers are used up"});
    }
    WriteLatestSeq(transaction, request.run_id, latest + request.count);
    return latest + request.count;
  }));
}

}  // namespace leasecheck::sqlite
