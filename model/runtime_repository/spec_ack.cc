// Acks, marks and replays of dead letters: what moves one attempt from status to status.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository::spec_internal {
namespace {

bool IsOutcome(Status status) { return IsTerminal(status); }

// backoff * multiplier^(times), by squaring; infinite where it overflows.
long double Grown(long double backoff, long double multiplier, uint32_t times) {
  long double grown = backoff;
  for (long double power = multiplier; times > 0; times >>= 1, power *= power) {
    if ((times & 1) != 0) grown *= power;
  }
  return grown;
}

// The delay before the retry that follows execution `attempt_no`, in milliseconds.
int64_t DelayOf(const RetryPolicy& policy, uint32_t attempt_no) {
  constexpr long double kFar = 4e18L;  // beyond every instant, and within int64_t
  int64_t delay = policy.backoff_ms;
  if (policy.strategy == RetryStrategy::kExponential) {
    const long double grown = Grown(static_cast<long double>(policy.backoff_ms),
                                    static_cast<long double>(policy.multiplier.value_or(2.0)), attempt_no - 1);
    delay = std::isnan(grown) ? 0 : static_cast<int64_t>(std::round(std::clamp(grown, -kFar, kFar)));
  }
  if (policy.max_backoff_ms.has_value()) delay = std::min(delay, *policy.max_backoff_ms);
  return std::max<int64_t>(delay, 1);
}

// Whether two results are the same but for what powers in floating point may differ by.
bool SameResult(const AckResult& expected, const AckResult& got, const RetryPolicy* policy, Instant now) {
  if (expected == got) return true;
  const bool exponential = policy != nullptr && policy->strategy == RetryStrategy::kExponential;
  if (!exponential || !expected.next_retry_at.has_value() || !got.next_retry_at.has_value()) return false;
  AckResult other = got;
  other.next_retry_at = expected.next_retry_at;
  if (!(other == expected)) return false;
  const auto delay = static_cast<long double>(expected.next_retry_at->ms - now.ms);
  const auto apart = static_cast<long double>(std::abs(expected.next_retry_at->ms - got.next_retry_at->ms));
  return delay > 0x1p50L && apart <= 1 + delay * 1e-12L;
}

struct Faults {
  bool bad_outcome = false;
  bool unknown = false;
  bool terminal = false;
  bool wrong_lease = false;
  bool any() const { return bad_outcome || unknown || terminal || wrong_lease; }
};

Faults FaultsOf(const Attempt* attempt, const AckAttemptRequest& request) {
  Faults faults;
  faults.bad_outcome = !IsOutcome(request.status);
  faults.unknown = attempt == nullptr;
  if (attempt == nullptr) return faults;
  faults.terminal = IsTerminal(attempt->status);
  faults.wrong_lease = request.lease_id.has_value() && (attempt->lease == nullptr || !attempt->lease->seen ||
                                                        attempt->lease->record.lease_id != *request.lease_id);
  return faults;
}

// The clause that says what the ack does.
Verdict ClauseOf(const Attempt& attempt, const AckAttemptRequest& request) {
  if (request.status != Status::kFailed) return Refuse<"RR-FIX-3">();
  return RetriesLeft(attempt, request) ? Refuse<"RR-FIX-4">() : Refuse<"RR-FIX-5">();
}

Verdict JudgeRefusal(const Judge& judge, const Attempt* attempt, const AckAttemptRequest& request, const Faults& faults,
                     const Answer<AckResult>& answer) {
  if (!faults.any()) return ClauseOf(*attempt, request);
  const bool right = (faults.bad_outcome && answer.Fails(DriverClass::kBadOutcome)) ||
                     (faults.unknown && answer.Fails(DriverClass::kAttemptNotFound)) ||
                     (faults.terminal && answer.Fails(DriverClass::kAttemptTerminal)) ||
                     (faults.wrong_lease && answer.Fails(DriverClass::kLeaseNotFound));
  if (!right) return faults.unknown ? Refuse<"RR-FIX-7">() : Refuse<"RR-FIX-8">();
  judge.Refused<"RR-FIX-7">(faults.unknown);
  judge.Refused<"RR-FIX-8">(faults.terminal);
  return kAllowed;
}

Verdict CheckResult(const Attempt& attempt, const AckAttemptRequest& request, const Faults& faults, const AckResult& result) {
  // A terminal status may be rewritten, but the attempt never comes back (RR-LAT-13).
  if (faults.terminal && !IsTerminal(AckResultOf(attempt, request).status)) return Refuse<"RR-INV-6">();
  const bool right = SameResult(AckResultOf(attempt, request), result, EffectivePolicy(attempt, request), request.now);
  return right ? kAllowed : ClauseOf(attempt, request);
}

void CountAck(const Judge& judge, const Attempt& attempt, const AckAttemptRequest& request) {
  const bool retries = RetriesLeft(attempt, request);
  const bool failed = request.status == Status::kFailed;
  judge.Held<"RR-FIX-3">(!failed);
  judge.Held<"RR-FIX-4">(retries);
  judge.Held<"RR-FIX-5">(failed && !retries);
  judge.Held<"RR-FIX-6">(retries && !request.retry_policy.has_value());
  judge.Held<"RR-FIX-8">(attempt.lease == nullptr);
  judge.Held<"RR-LAT-16">(retries && AckResultOf(attempt, request).next_retry_at == kLastInstant);
}

void Remember(Attempt& attempt, const RetryPolicy& policy) {
  Settings settings = SettingsOf(attempt);
  settings.retry = policy;
  attempt.settings = std::make_shared<const Settings>(std::move(settings));
}

void AddRetry(Attempt& attempt, Instant retry_at) {
  Past past = PastOf(attempt);
  past.retries.push_back({attempt.attempt_no, retry_at});
  attempt.past = std::make_shared<const Past>(std::move(past));
}

void Ack(const Judge& judge, SpecState& state, const AckAttemptRequest& request, const AckResult& result) {
  Attempt& attempt = Edit(state, state.Find(request.attempt_id));
  if (request.retry_policy.has_value()) Remember(attempt, *request.retry_policy);
  DropLease(judge, state, attempt);
  attempt.started_at.reset();
  attempt.retry_at = result.next_retry_at;
  attempt.retry_at_kept = true;
  if (result.next_retry_at.has_value()) AddRetry(attempt, *result.next_retry_at);
  attempt.status = result.status;
  attempt.attempt_no = result.next_attempt_no;
  if (result.status == Status::kFailed) WriteLetter(state, attempt, kTerminalFailed, request.now);
}

}  // namespace

const RetryPolicy* EffectivePolicy(const Attempt& attempt, const AckAttemptRequest& request) {
  if (request.retry_policy.has_value()) return &*request.retry_policy;
  return attempt.settings->retry.has_value() ? &*attempt.settings->retry : nullptr;
}

bool RetriesLeft(const Attempt& attempt, const AckAttemptRequest& request) {
  const RetryPolicy* policy = EffectivePolicy(attempt, request);
  return request.status == Status::kFailed && policy != nullptr && attempt.attempt_no <= policy->max_retries;
}

AckResult AckResultOf(const Attempt& attempt, const AckAttemptRequest& request) {
  if (!RetriesLeft(attempt, request)) return {request.status, std::nullopt, attempt.attempt_no};
  const int64_t delay = DelayOf(*EffectivePolicy(attempt, request), attempt.attempt_no);
  return {Status::kRetryBackoff, SaturatingAdd(request.now, delay), attempt.attempt_no + 1};
}

Verdict JudgeCall(Judge& judge, const AckAttemptRequest& request, const Answer<AckResult>& answer) {
  const Attempt* attempt = judge.state.Find(request.attempt_id);
  const Faults faults = FaultsOf(attempt, request);
  if (answer.error != nullptr) return JudgeRefusal(judge, attempt, request, faults, answer);
  if (faults.unknown) return answer.unseen ? kAllowed : Refuse<"RR-FIX-7">();
  const AckResult expected = AckResultOf(*attempt, request);
  if (faults.terminal && !IsTerminal(expected.status)) return answer.unseen ? kAllowed : Refuse<"RR-INV-6">();
  if (answer.response != nullptr) {
    if (Verdict refused = CheckResult(*attempt, request, faults, *answer.response)) return refused;
    if (judge.counting() && !faults.any()) CountAck(judge, *attempt, request);
  }
  const AckResult result = answer.response != nullptr ? *answer.response : expected;
  const bool shows_choice = result.status == Status::kFailed && LetterShowsChoice(*attempt);
  ApplyWith(judge, &SpecState::letter_counts, shows_choice, [&](SpecState& state) { Ack(judge, state, request, result); });
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const MarkAttemptStatusRequest& request, const Answer<Done>& answer) {
  if (answer.error != nullptr) return Refuse<"RR-FIX-14">();
  const Attempt* found = judge.state.Find(request.attempt_id);
  judge.Held<"RR-FIX-14">(found != nullptr && answer.response != nullptr);
  judge.Refused<"RR-FIX-14">(found == nullptr && answer.response != nullptr);
  if (found == nullptr) return kAllowed;
  Attempt& attempt = Edit(judge.state, found);
  attempt.status = request.status;
  if (!attempt.Executes()) attempt.started_at.reset();
  if (request.status == Status::kQueued) Requeue(attempt);
  if (IsTerminal(request.status)) {
    attempt.retry_at.reset();
    attempt.retry_at_kept = true;
  }
  if (request.status != Status::kRetryBackoff || attempt.retry_at_kept) return kAllowed;
  // Whether the store still has the old retry_at shows from here on (RR-LAT-9).
  attempt.retry_at_kept = true;
  SpecState other = judge.state;
  Edit(other, other.Find(request.attempt_id)).retry_at.reset();
  judge.AddAlternative(std::move(other));
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ReplayDeadLetterRequest& request, const Answer<Done>& answer) {
  const Attempt* found = judge.state.Find(request.attempt_id);
  const bool pending = found != nullptr && found->past != nullptr && found->past->letter.has_value() &&
                       found->past->letter->status == ReplayStatus::kPending;
  if (answer.error != nullptr) {
    const bool right = answer.Fails(DriverClass::kDeadLetterNotFound) || answer.Fails(DriverClass::kAlreadyReplayed) ||
                       (found == nullptr && answer.Fails(DriverClass::kAttemptNotFound));
    if (pending || !right) return Refuse<"RR-FIX-13">();
    judge.Refused<"RR-FIX-13">();
    return kAllowed;
  }
  if (!pending) return answer.unseen ? kAllowed : Refuse<"RR-FIX-13">();
  judge.Held<"RR-FIX-13">(answer.response != nullptr);
  Attempt& attempt = Edit(judge.state, found);
  DropLease(judge, judge.state, attempt);
  attempt.status = Status::kQueued;
  attempt.retry_at.reset();
  attempt.retry_at_kept = true;
  attempt.started_at.reset();
  Past past = PastOf(attempt);
  past.letter->status = ReplayStatus::kReplayed;
  ++past.letter->replays;
  attempt.past = std::make_shared<const Past>(std::move(past));
  return kAllowed;
}

}  // namespace leasecheck::runtime_repository::spec_internal
