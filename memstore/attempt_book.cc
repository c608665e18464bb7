#include "memstore/attempt_book.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace leasecheck::memstore {
namespace {

using runtime_repository::AttemptExecutionStatus;

constexpr Instant kAlways(std::numeric_limits<int64_t>::min());

// The instant from which on the attempt is dispatchable, whatever else passes; none where it is not ready at any time.
std::optional<Instant> DispatchableFrom(const AttemptValue& value) {
  const bool waits = value.status == AttemptExecutionStatus::kRetryBackoff;
  if (value.status != AttemptExecutionStatus::kQueued && !waits) return std::nullopt;
  Instant from = waits ? value.retry_at.value_or(kAlways) : kAlways;
  // At the millisecond of its expiry a lease is live.
  if (value.lease.has_value()) from = std::max(from, Instant(value.lease->lease_expires_at.ms + 1));
  return from;
}

// The instant at which the attempt times out, in milliseconds; beyond every Instant where it would come after the end of time.
std::optional<int64_t> TimesOutAt(const AttemptValue& value) {
  if (!value.IsExecuting() || !value.timeout.has_value() || !value.started_at.has_value()) return std::nullopt;
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  const int64_t timeout_ms = value.timeout->timeout_ms;
  const int64_t started_at = value.started_at->ms;
  return started_at > 0 && timeout_ms > kNever - started_at ? kNever : started_at + timeout_ms;
}

}  // namespace

AttemptBook::Attempt& AttemptBook::Add(AttemptValue value) {
  auto owned = std::make_unique<Attempt>();
  Attempt& attempt = *owned;
  attempt.value_ = std::move(value);
  attempt.place_ = attempts_.size();
  attempts_.emplace(absl::string_view(attempt.value_.attempt_id), std::move(owned));
  Enter(attempt);
  return attempt;
}

AttemptBook::Attempt* AttemptBook::Find(absl::string_view attempt_id) const {
  auto it = attempts_.find(attempt_id);
  return it == attempts_.end() ? nullptr : it->second.get();
}

AttemptBook::Attempt* AttemptBook::FindByLease(absl::string_view lease_id) const {
  auto it = by_lease_.find(lease_id);
  return it == by_lease_.end() ? nullptr : it->second;
}

void AttemptBook::Enter(Attempt& attempt) {
  const AttemptValue& value = attempt.value_;
  if (const auto from = DispatchableFrom(value); from.has_value()) dispatch_.Insert(attempt, *from);
  if (const auto at = TimesOutAt(value); at.has_value()) timeouts_.insert({*at, attempt.place_, &attempt});
  if (!value.lease.has_value()) return;
  const Timed expiry{value.lease->lease_expires_at.ms, attempt.place_, &attempt};
  by_lease_.emplace(value.lease->lease_id, &attempt);
  expiries_.insert(expiry);
  Insert(by_worker_, value.lease->worker_id, expiry);
  if (value.tenant_id.has_value()) Insert(by_tenant_, *value.tenant_id, expiry);
}

void AttemptBook::Leave(Attempt& attempt) {
  const AttemptValue& value = attempt.value_;
  if (DispatchableFrom(value).has_value()) dispatch_.Erase(attempt);
  if (const auto at = TimesOutAt(value); at.has_value()) timeouts_.erase({*at, attempt.place_, &attempt});
  if (!value.lease.has_value()) return;
  const Timed expiry{value.lease->lease_expires_at.ms, attempt.place_, &attempt};
  by_lease_.erase(value.lease->lease_id);
  expiries_.erase(expiry);
  Erase(by_worker_, value.lease->worker_id, expiry);
  if (value.tenant_id.has_value()) Erase(by_tenant_, *value.tenant_id, expiry);
}

void AttemptBook::Erase(TimedSets& sets, const std::string& key, const Timed& timed) {
  auto it = sets.find(key);
  it->second.erase(timed);
  if (it->second.empty()) sets.erase(it);
}

uint64_t AttemptBook::CountLive(const TimedSets& sets, const std::string& key, Instant now) {
  auto it = sets.find(key);
  if (it == sets.end()) return 0;
  return static_cast<uint64_t>(std::distance(it->second.lower_bound({now.ms, 0, nullptr}), it->second.end()));
}

std::vector<AttemptBook::Attempt*> AttemptBook::Before(const TimedSet& set, int64_t at) {
  std::vector<Attempt*> found;
  for (auto it = set.begin(); it != set.end() && it->at < at; ++it) found.push_back(it->attempt);
  return found;
}

std::vector<AttemptBook::Attempt*> AttemptBook::Stale(Instant cutoff) const { return Before(expiries_, cutoff.ms); }

std::vector<AttemptBook::Attempt*> AttemptBook::TimedOut(Instant now) const { return Before(timeouts_, now.ms + 1); }

std::vector<AttemptValue> AttemptBook::All() const {
  std::vector<AttemptValue> all;
  all.reserve(attempts_.size());
  for (const auto& [id, attempt] : attempts_) all.push_back(attempt->value_);
  std::sort(all.begin(), all.end(), [](const AttemptValue& a, const AttemptValue& b) { return a.attempt_id < b.attempt_id; });
  return all;
}

void AttemptBook::Clear() {
  dispatch_.Clear();
  by_lease_.clear();
  expiries_.clear();
  by_worker_.clear();
  by_tenant_.clear();
  timeouts_.clear();
  attempts_.clear();
}

}  // namespace leasecheck::memstore
