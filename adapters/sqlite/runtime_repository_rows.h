// Attempts, leases, dead letters and runs as rows.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_ROWS_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/transaction.h"
#include "model/instant.h"
#include "model/runtime_repository/values.h"

namespace leasecheck::sqlite {

// A row of `attempts`, with its lease; the columns that follow from these are written with it.
struct AttemptRow {
  std::string attempt_id;
  std::string run_id;
  uint32_t attempt_no = 1;
  runtime_repository::AttemptExecutionStatus status = runtime_repository::AttemptExecutionStatus::kQueued;
  int32_t priority = 0;
  std::optional<std::string> tenant_id;
  std::optional<Instant> retry_at;
  std::optional<Instant> started_at;
  std::optional<int64_t> timeout_ms;
  std::optional<runtime_repository::AttemptExecutionStatus> on_timeout_status;  // with timeout_ms, or absent with it
  std::optional<runtime_repository::RetryPolicy> retry_policy;
  std::optional<runtime_repository::LeaseRecord> lease;
};

// None where there is no such row.
std::optional<AttemptRow> ReadAttempt(Transaction& transaction, absl::string_view attempt_id);
std::optional<AttemptRow> ReadAttemptOfLease(Transaction& transaction, absl::string_view lease_id);
// Adds a row where there is none of this id.
void AddAttempt(Transaction& transaction, const AttemptRow& row);
// Replaces the row that is there.
void WriteAttempt(Transaction& transaction, const AttemptRow& row);

// The first `limit` attempts that are dispatchable at `now`, in dispatch order. Looks at those that it returns and, of the
// retries, at those that are due.
std::vector<runtime_repository::AttemptDispatchRecord> Dispatchable(Transaction& transaction, Instant now, uint64_t limit);
// The ids of the attempts whose leases expired before the cutoff, and of those that have timed out at `now`.
std::vector<std::string> StaleAttempts(Transaction& transaction, Instant cutoff);
std::vector<std::string> TimedOutAttempts(Transaction& transaction, Instant now);
// The leases that are live at `now`.
uint64_t LiveLeasesOfWorker(Transaction& transaction, absl::string_view worker_id, Instant now);
uint64_t LiveLeasesOfTenant(Transaction& transaction, absl::string_view tenant_id, Instant now);

// The retries that acks scheduled, oldest first.
void AddRetry(Transaction& transaction, absl::string_view attempt_id, const runtime_repository::RetryHistoryEntry& entry);
std::vector<runtime_repository::RetryHistoryEntry> ReadRetries(Transaction& transaction, absl::string_view attempt_id);

// Writes a pending letter over any that the attempt has; its count of replays stays.
void WriteDeadLetter(Transaction& transaction, absl::string_view attempt_id, absl::string_view reason, Instant dead_at);
// None where the attempt has no letter.
std::optional<runtime_repository::ReplayStatus> ReadReplayStatus(Transaction& transaction, absl::string_view attempt_id);
void MarkReplayed(Transaction& transaction, absl::string_view attempt_id, Instant now);
// By attempt_id.
std::vector<runtime_repository::DeadLetter> ReadDeadLetters(Transaction& transaction);

// The number of the run's last event; 0 where it has none.
uint64_t ReadLatestSeq(Transaction& transaction, absl::string_view run_id);
void WriteLatestSeq(Transaction& transaction, absl::string_view run_id, uint64_t latest_seq);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_ROWS_H_
