// Sweeps and timeouts: the two calls that move many attempts in one step.
#include <algorithm>

#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository::spec_internal {
namespace {

// How many leases a sweep finds.
struct Stale {
  uint64_t leases = 0;
  uint64_t of_terminal = 0;  // of them those of attempts that have ended
  uint64_t of_retries = 0;   // ... that are marked RetryBackoff
  uint64_t at_cutoff = 0;    // leases that expire at the very cutoff, and stay
};

Stale CountStale(const SpecState& state, Instant stale_before) {
  Stale stale;
  for (const Attempt& attempt : *state.attempts) {
    if (attempt.lease != nullptr && attempt.lease->record.lease_expires_at == stale_before) ++stale.at_cutoff;
    if (!IsStale(attempt, stale_before)) continue;
    ++stale.leases;
    if (IsTerminal(attempt.status)) ++stale.of_terminal;
    if (attempt.status == Status::kRetryBackoff) ++stale.of_retries;
  }
  return stale;
}

Verdict CheckSwept(const Judge& judge, Instant stale_before, const Stale& stale, uint64_t swept) {
  if (swept == stale.leases || swept == stale.leases - stale.of_terminal) return kAllowed;  // RR-LAT-10
  if (stale.at_cutoff > 0 && swept == stale.leases + stale.at_cutoff) return Refuse<"RR-EXP-1">();
  if (swept < stale.leases) return Refuse<"RR-EXP-3">();
  const bool again = judge.state.memory->swept == stale_before;
  return again ? Refuse<"RR-EXP-7">() : Refuse<"RR-EXP-1">();
}

void CountSwept(const Judge& judge, const Attempt& attempt) {
  const Settings& settings = *attempt.settings;
  judge.Held<"RR-EXP-1">();
  judge.Held<"RR-EXP-4">(attempt.attempt_no > 1 || settings.priority != 0 || settings.tenant_id.has_value() ||
                         settings.timeout.has_value() || settings.retry.has_value());
  judge.Held<"RR-EXP-5">(IsTerminal(attempt.status));
  judge.Held<"RR-EXP-2">(!IsTerminal(attempt.status));
  judge.Held<"RR-EXP-8">(attempt.Executes());
  judge.Held<"RR-EXP-11">();
  judge.Held<"RR-EXP-12">(attempt.Executes());
}

void CountSweep(Judge& judge, Instant stale_before, const Stale& stale) {
  judge.Held<"RR-EXP-3">(stale.leases > 0);
  judge.Refused<"RR-EXP-1">(stale.at_cutoff > 0);
  judge.Held<"RR-LAT-5">(stale.at_cutoff > 0);
  judge.Refused<"RR-EXP-7">(stale.leases == 0 && judge.state.memory->swept == stale_before);
  for (const Attempt& attempt : *judge.state.attempts) {
    if (IsStale(attempt, stale_before)) {
      CountSwept(judge, attempt);
      continue;
    }
    judge.Held<"RR-EXP-6">(stale.leases > 0);
    judge.Held<"RR-EXP-9">(attempt.lease != nullptr && attempt.lease->record.version > 1);
  }
  judge.state.memory.Edit().swept = stale_before;
}

void Sweep(const Judge& judge, SpecState& state, Instant stale_before, bool resets) {
  for (Attempt& attempt : state.attempts.Edit()) {
    if (!IsStale(attempt, stale_before)) continue;
    DropLease(judge, state, attempt);
    if (IsTerminal(attempt.status)) continue;
    if (attempt.status == Status::kRetryBackoff && state.swept_retries == Choice::kFirst) continue;
    Requeue(attempt);
    if (resets) attempt.started_at.reset();
  }
}

// Timeouts.

void CountTimedOut(const Judge& judge, const Attempt& attempt, Instant now) {
  const bool fails = attempt.settings->timeout->on_timeout_status == Status::kFailed;
  judge.Held<"RR-TMO-1">();
  judge.Held<"RR-TMO-2">(attempt.lease != nullptr);
  judge.Held<"RR-TMO-3">();
  judge.Held<"RR-TMO-4">(fails);
  judge.Held<"RR-TMO-7">(attempt.LiveAt(now));
  const auto& retry = attempt.settings->retry;
  judge.Held<"RR-TMO-8">(retry.has_value() && attempt.attempt_no <= retry->max_retries);
  judge.Held<"RR-LAT-14">(attempt.lease != nullptr && fails);
}

void CountSpared(const Judge& judge, const Attempt& attempt, Instant now) {
  const bool passed = attempt.settings->timeout.has_value() && attempt.started_at.has_value() &&
                      HasPassed(*attempt.started_at, attempt.settings->timeout->timeout_ms, now);
  judge.Refused<"RR-TMO-5">(!attempt.Executes() && passed);
  judge.Refused<"RR-TMO-6">(attempt.Executes() && !attempt.settings->timeout.has_value());
  const bool waits = attempt.Executes() && attempt.settings->timeout.has_value() && attempt.started_at.has_value() && !passed;
  judge.Refused<"RR-TMO-1">(waits);
  // A sum that wrapped would lie in the past.
  judge.Held<"RR-LAT-16">(waits && attempt.settings->timeout->timeout_ms > kLastInstant.ms);
}

void CountTimeout(Judge& judge, Instant now, uint64_t due) {
  for (const Attempt& attempt : *judge.state.attempts) {
    if (IsDue(attempt, now)) {
      CountTimedOut(judge, attempt, now);
    } else {
      CountSpared(judge, attempt, now);
    }
  }
  judge.Refused<"RR-TMO-10">(due == 0 && judge.state.memory->timed_out == now);
  judge.state.memory.Edit().timed_out = now;
}

void TimeOut(const Judge& judge, SpecState& state, Instant now) {
  for (Attempt& attempt : state.attempts.Edit()) {
    if (!IsDue(attempt, now)) continue;
    DropLease(judge, state, attempt);
    attempt.status = attempt.settings->timeout->on_timeout_status;
    attempt.retry_at.reset();
    attempt.retry_at_kept = true;
    attempt.started_at.reset();
    if (attempt.status == Status::kFailed) WriteLetter(state, attempt, kExecutionTimeout, now);
  }
}

// A wrong count of timeouts.
Verdict BlameTimeout(const Judge& judge, Instant now, uint64_t due, uint64_t answered) {
  const auto& attempts = *judge.state.attempts;
  if (answered < due) {
    const auto shielded = [now](const Attempt& attempt) { return IsDue(attempt, now) && attempt.LiveAt(now); };
    const bool all = std::all_of(attempts.begin(), attempts.end(),
                                 [&](const Attempt& attempt) { return !IsDue(attempt, now) || shielded(attempt); });
    return answered == 0 && all ? Refuse<"RR-TMO-7">() : Refuse<"RR-TMO-1">();
  }
  return judge.state.memory->timed_out == now ? Refuse<"RR-TMO-10">() : Refuse<"RR-TMO-1">();
}

}  // namespace

bool IsStale(const Attempt& attempt, Instant stale_before) {
  return attempt.lease != nullptr && attempt.lease->record.lease_expires_at < stale_before;
}

bool IsDue(const Attempt& attempt, Instant now) {
  const auto& policy = attempt.settings->timeout;
  return attempt.Executes() && policy.has_value() && attempt.started_at.has_value() &&
         now.ms - attempt.started_at->ms >= policy->timeout_ms;
}

Verdict JudgeCall(Judge& judge, const ExpireLeasesAndRequeueRequest& request, const Answer<uint64_t>& answer) {
  if (answer.error != nullptr) return Refuse<"RR-EXP-3">();
  const Stale stale = CountStale(judge.state, request.stale_before);
  if (answer.response != nullptr) {
    if (Verdict refused = CheckSwept(judge, request.stale_before, stale, *answer.response)) return refused;
    if (judge.counting()) CountSweep(judge, request.stale_before, stale);
  }
  if (stale.leases == 0) return kAllowed;
  const bool resets = judge.Declares("RR-LAT-8", "reset");
  ApplyWith(judge, &SpecState::swept_retries, stale.of_retries > 0,
            [&](SpecState& state) { Sweep(judge, state, request.stale_before, resets); });
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const TransitionTimedOutAttemptsRequest& request, const Answer<uint64_t>& answer) {
  if (answer.error != nullptr) return Refuse<"RR-TMO-3">();
  uint64_t due = 0;
  bool shows_choice = false;
  for (const Attempt& attempt : *judge.state.attempts) {
    if (!IsDue(attempt, request.now)) continue;
    ++due;
    shows_choice |= attempt.settings->timeout->on_timeout_status == Status::kFailed && LetterShowsChoice(attempt);
  }
  if (answer.response != nullptr) {
    if (*answer.response != due) return BlameTimeout(judge, request.now, due, *answer.response);
    if (judge.counting()) CountTimeout(judge, request.now, due);
  }
  if (due == 0) return kAllowed;
  ApplyWith(judge, &SpecState::letter_counts, shows_choice, [&](SpecState& state) { TimeOut(judge, state, request.now); });
  return kAllowed;
}

}  // namespace leasecheck::runtime_repository::spec_internal
