#include "tests/support/runtime_repository_calls.h"

#include "absl/strings/str_cat.h"

namespace leasecheck::runtime_repository {
namespace {

std::string TextOf(const std::optional<Instant>& instant) {
  return instant.has_value() ? absl::StrCat(instant->ms) : std::string("never");
}

std::string TextOf(const std::optional<Lease>& lease) {
  if (!lease.has_value()) return "no lease";
  return absl::StrCat(lease->lease_id, " of ", lease->worker_id, " to ", lease->lease_expires_at.ms, " beaten ",
                      lease->heartbeat_at.ms, " version ", lease->version);
}

}  // namespace

std::string Calls::Observed() {
  std::string text;
  for (const Instant now : {kFirstInstant, Instant(0), kLastInstant}) {
    const auto records = store().ListDispatchableAttempts({now, kAll}).value();
    for (const AttemptDispatchRecord& record : records) {
      absl::StrAppend(&text, record.attempt_id, " in ", record.run_id, " retries ", TextOf(record.retry_at), ", ");
    }
    absl::StrAppend(&text, "\n");
  }
  for (const std::string& id : named_) {
    const AttemptStatus status = Get(id).value_or(AttemptStatus{0, Status::kQueued});
    absl::StrAppend(&text, id, ": ", status.attempt_no, " ", std::string(WordOf(status.status)), " ", TextOf(LeaseOf(id)));
    for (const RetryHistoryEntry& entry : History(id)) absl::StrAppend(&text, " ", entry.attempt_no, "@", entry.retry_at.ms);
    absl::StrAppend(&text, "\n");
  }
  for (const DeadLetter& letter : Letters()) {
    absl::StrAppend(&text, letter.attempt_id, " ", letter.reason.value_or(""), " ", std::string(WordOf(letter.replay_status)),
                    " ", TextOf(letter.dead_at), " ", letter.replay_count.value_or(0), "\n");
  }
  for (const std::string& run : runs_) {
    if (const uint64_t latest = Latest(run); latest > 0) absl::StrAppend(&text, run, " ", latest, "\n");
  }
  return text;
}

}  // namespace leasecheck::runtime_repository
