#include "adapters/sqlite/runtime_repository_rows.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/columns.h"
#include "codec/json.h"
#include "codec/values.h"

namespace leasecheck::sqlite {
namespace {

using runtime_repository::AttemptDispatchRecord;
using runtime_repository::AttemptExecutionStatus;
using runtime_repository::DeadLetter;
using runtime_repository::LeaseRecord;
using runtime_repository::ReplayStatus;
using runtime_repository::RetryHistoryEntry;
using runtime_repository::RetryPolicy;

std::optional<int64_t> Ms(const std::optional<Instant>& instant) {
  if (!instant.has_value()) return std::nullopt;
  return instant->ms;
}
std::optional<int64_t> OptionalInt(const Rows& rows, int column) {
  if (rows.IsNull(column)) return std::nullopt;
  return rows.Int(column);
}
std::optional<Instant> OptionalInstant(const Rows& rows, int column) {
  if (rows.IsNull(column)) return std::nullopt;
  return Instant(rows.Int(column));
}

std::optional<RetryPolicy> ReadPolicy(Transaction& transaction, const std::optional<std::string>& text) {
  if (!text.has_value()) return std::nullopt;
  RetryPolicy policy;
  absl::StatusOr<codec::Json> json = codec::ParseJson(*text);
  absl::Status status = json.ok() ? codec::Decode(*json, &policy) : json.status();
  if (!status.ok()) transaction.Fail(absl::DataLossError(absl::StrCat("a retry policy cannot be read: ", status.message())));
  return policy;
}

// How an attempt waits for dispatch.
struct Line {
  const char* word;
  std::optional<int64_t> ready_from;
};
Line LineOf(const AttemptRow& row) {
  const bool retries = row.status == AttemptExecutionStatus::kRetryBackoff;
  if (row.status != AttemptExecutionStatus::kQueued && !retries) return {"none", std::nullopt};
  std::optional<int64_t> from;
  if (retries) from = Ms(row.retry_at);
  if (row.lease.has_value()) {
    // It hides the attempt up to the millisecond of its expiry, and that one too.
    const int64_t expired = row.lease->lease_expires_at.ms + 1;
    from = std::max(from.value_or(expired), expired);
  }
  return {from.has_value() ? "waits" : "ready", from};
}

std::optional<int64_t> TimesOutAt(const AttemptRow& row) {
  const bool executes = row.status == AttemptExecutionStatus::kLeased || row.status == AttemptExecutionStatus::kRunning;
  if (!executes || !row.timeout_ms.has_value() || !row.started_at.has_value()) return std::nullopt;
  int64_t at = 0;
  if (__builtin_add_overflow(row.started_at->ms, *row.timeout_ms, &at)) return std::nullopt;
  return at;
}

std::optional<std::string> PolicyText(const std::optional<RetryPolicy>& policy) {
  if (!policy.has_value()) return std::nullopt;
  return codec::CanonicalText(codec::Encode(*policy));
}

// Executes a statement whose arguments 1 to 19 are the columns of the table, in its order.
void ExecuteWith(Transaction& transaction, absl::string_view sql, const AttemptRow& row) {
  std::optional<absl::string_view> on_timeout_status;
  if (row.on_timeout_status.has_value()) on_timeout_status = WordOf(*row.on_timeout_status);
  std::optional<std::string> lease_id, worker_id;
  std::optional<int64_t> expires_at, heartbeat_at;
  std::optional<uint64_t> version;
  if (row.lease.has_value()) {
    lease_id = row.lease->lease_id;
    worker_id = row.lease->worker_id;
    expires_at = row.lease->lease_expires_at.ms;
    heartbeat_at = row.lease->heartbeat_at.ms;
    version = row.lease->version;
  }
  const Line line = LineOf(row);
  transaction.Execute(sql, row.attempt_id, row.run_id, int64_t{row.attempt_no}, WordOf(row.status), int64_t{row.priority},
                      row.tenant_id, Ms(row.retry_at), Ms(row.started_at), row.timeout_ms, on_timeout_status,
                      PolicyText(row.retry_policy), lease_id, worker_id, expires_at, heartbeat_at, version, line.word,
                      line.ready_from, TimesOutAt(row));
}

std::vector<std::string> Texts(Rows rows) {
  std::vector<std::string> texts;
  while (rows.Next()) texts.push_back(rows.Text(0));
  return texts;
}

uint64_t Count(Rows rows) { return rows.Next() ? static_cast<uint64_t>(rows.Int(0)) : 0; }

}  // namespace

std::optional<AttemptRow> ReadAttempt(Transaction& transaction, absl::string_view attempt_id) {
  Rows rows = transaction.Query(
      "SELECT attempt_id, run_id, attempt_no, status, priority, tenant_id, retry_at, started_at, timeout_ms, on_timeout_status, "
      "retry_policy, lease_id, worker_id, lease_expires_at, heartbeat_at, version FROM attempts WHERE attempt_id = ?1",
      attempt_id);
  if (!rows.Next()) return std::nullopt;
  AttemptRow row;
  row.attempt_id = rows.Text(0);
  row.run_id = rows.Text(1);
  row.attempt_no = static_cast<uint32_t>(rows.Int(2));
  row.status = FromWord<AttemptExecutionStatus>(rows.Text(3));
  row.priority = static_cast<int32_t>(rows.Int(4));
  row.tenant_id = rows.OptionalText(5);
  row.retry_at = OptionalInstant(rows, 6);
  row.started_at = OptionalInstant(rows, 7);
  row.timeout_ms = OptionalInt(rows, 8);
  if (!rows.IsNull(9)) row.on_timeout_status = FromWord<AttemptExecutionStatus>(rows.Text(9));
  row.retry_policy = ReadPolicy(transaction, rows.OptionalText(10));
  if (!rows.IsNull(11)) {
    row.lease =
        LeaseRecord{rows.Text(11), row.attempt_id, rows.Text(12), Instant(rows.Int(13)), Instant(rows.Int(14)), rows.U64(15)};
  }
  return row;
}

std::optional<AttemptRow> ReadAttemptOfLease(Transaction& transaction, absl::string_view lease_id) {
  std::optional<std::string> attempt_id;
  {
    Rows rows = transaction.Query("SELECT attempt_id FROM attempts WHERE lease_id = ?1", lease_id);
    if (rows.Next()) attempt_id = rows.Text(0);
  }
  if (!attempt_id.has_value()) return std::nullopt;
  return ReadAttempt(transaction, *attempt_id);
}

void AddAttempt(Transaction& transaction, const AttemptRow& row) {
  ExecuteWith(
      transaction,
      "INSERT INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) "
      "ON CONFLICT (attempt_id) DO NOTHING",
      row);
}

void WriteAttempt(Transaction& transaction, const AttemptRow& row) {
  ExecuteWith(transaction,
              "UPDATE attempts SET run_id = ?2, attempt_no = ?3, status = ?4, priority = ?5, tenant_id = ?6, retry_at = ?7, "
              "started_at = ?8, timeout_ms = ?9, on_timeout_status = ?10, retry_policy = ?11, lease_id = ?12, worker_id = ?13, "
              "lease_expires_at = ?14, heartbeat_at = ?15, version = ?16, line = ?17, ready_from = ?18, times_out_at = ?19 "
              "WHERE attempt_id = ?1",
              row);
}

std::vector<AttemptDispatchRecord> Dispatchable(Transaction& transaction, Instant now, uint64_t limit) {
  const auto most = static_cast<int64_t>(std::min<uint64_t>(limit, std::numeric_limits<int64_t>::max()));
  // The first half is read off its index as far as the limit goes; the second is sorted.
  Rows rows = transaction.Query(
      "SELECT attempt_id, run_id, attempt_no, status, retry_at, priority FROM attempts WHERE line = 'ready' "
      "UNION ALL "
      "SELECT attempt_id, run_id, attempt_no, status, retry_at, priority FROM attempts "
      "WHERE line = 'waits' AND ready_from <= ?1 "
      "ORDER BY priority DESC, attempt_no, attempt_id LIMIT ?2",
      now.ms, most);
  std::vector<AttemptDispatchRecord> records;
  while (rows.Next()) {
    records.push_back({rows.Text(0), rows.Text(1), static_cast<uint32_t>(rows.Int(2)),
                       FromWord<AttemptExecutionStatus>(rows.Text(3)), OptionalInstant(rows, 4)});
  }
  return records;
}

std::vector<std::string> StaleAttempts(Transaction& transaction, Instant cutoff) {
  return Texts(
      transaction.Query("SELECT attempt_id FROM attempts WHERE lease_id IS NOT NULL AND lease_expires_at < ?1", cutoff.ms));
}

std::vector<std::string> TimedOutAttempts(Transaction& transaction, Instant now) {
  return Texts(transaction.Query("SELECT attempt_id FROM attempts WHERE times_out_at <= ?1", now.ms));
}

uint64_t LiveLeasesOfWorker(Transaction& transaction, absl::string_view worker_id, Instant now) {
  return Count(
      transaction.Query("SELECT count(*) FROM attempts WHERE lease_id IS NOT NULL AND worker_id = ?1 AND lease_expires_at >= ?2",
                        worker_id, now.ms));
}

uint64_t LiveLeasesOfTenant(Transaction& transaction, absl::string_view tenant_id, Instant now) {
  return Count(
      transaction.Query("SELECT count(*) FROM attempts WHERE lease_id IS NOT NULL AND tenant_id = ?1 AND lease_expires_at >= ?2",
                        tenant_id, now.ms));
}

void AddRetry(Transaction& transaction, absl::string_view attempt_id, const RetryHistoryEntry& entry) {
  transaction.Execute("INSERT INTO retries VALUES (?1, ?2, ?3)", attempt_id, int64_t{entry.attempt_no}, entry.retry_at.ms);
}

std::vector<RetryHistoryEntry> ReadRetries(Transaction& transaction, absl::string_view attempt_id) {
  Rows rows = transaction.Query("SELECT attempt_no, retry_at FROM retries WHERE attempt_id = ?1 ORDER BY attempt_no", attempt_id);
  std::vector<RetryHistoryEntry> entries;
  while (rows.Next()) entries.push_back({static_cast<uint32_t>(rows.Int(0)), Instant(rows.Int(1))});
  return entries;
}

void WriteDeadLetter(Transaction& transaction, absl::string_view attempt_id, absl::string_view reason, Instant dead_at) {
  transaction.Execute(
      "INSERT INTO dead_letters VALUES (?1, ?2, 'pending', ?3, ?4, NULL) "
      "ON CONFLICT (attempt_id) DO UPDATE SET reason = ?2, replay_status = 'pending', dead_at = ?3",
      attempt_id, reason, dead_at.ms, uint64_t{0});
}

std::optional<ReplayStatus> ReadReplayStatus(Transaction& transaction, absl::string_view attempt_id) {
  Rows rows = transaction.Query("SELECT replay_status FROM dead_letters WHERE attempt_id = ?1", attempt_id);
  if (!rows.Next()) return std::nullopt;
  return FromWord<ReplayStatus>(rows.Text(0));
}

void MarkReplayed(Transaction& transaction, absl::string_view attempt_id, Instant now) {
  transaction.Execute(
      "UPDATE dead_letters SET replay_status = 'replayed', replay_count = replay_count + 1, replayed_at = ?2 "
      "WHERE attempt_id = ?1",
      attempt_id, now.ms);
}

std::vector<DeadLetter> ReadDeadLetters(Transaction& transaction) {
  Rows rows =
      transaction.Query("SELECT attempt_id, reason, replay_status, dead_at, replay_count FROM dead_letters ORDER BY attempt_id");
  std::vector<DeadLetter> letters;
  while (rows.Next()) {
    letters.push_back({rows.Text(0), rows.Text(1), FromWord<ReplayStatus>(rows.Text(2)), Instant(rows.Int(3)), rows.U64(4)});
  }
  return letters;
}

uint64_t ReadLatestSeq(Transaction& transaction, absl::string_view run_id) {
  Rows rows = transaction.Query("SELECT latest_seq FROM runs WHERE run_id = ?1", run_id);
  return rows.Next() ? rows.U64(0) : 0;
}

void WriteLatestSeq(Transaction& transaction, absl::string_view run_id, uint64_t latest_seq) {
  transaction.Execute("INSERT INTO runs VALUES (?1, ?2) ON CONFLICT (run_id) DO UPDATE SET latest_seq = ?2", run_id, latest_seq);
}

}  // namespace leasecheck::sqlite
