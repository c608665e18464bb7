// What the spec says to people: Describe and Explain. Slow, and never used to judge.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository {
namespace spec_internal {
namespace {

std::string Quote(const std::string& text) { return absl::StrCat("\"", text, "\""); }
std::string TextOf(Status status) { return std::string(WordOf(status)); }
std::string TextOf(Instant instant) { return absl::StrCat(instant.ms); }
std::string TextOf(const std::optional<Instant>& instant) { return instant.has_value() ? TextOf(*instant) : "none"; }
std::string TextOf(uint64_t number) { return absl::StrCat(number); }
std::string TextOf(const Done&) { return "success"; }

std::string TextOf(const LeaseRecord& lease) {
  return absl::StrCat("lease ", Quote(lease.lease_id), " of attempt ", Quote(lease.attempt_id), " by worker ",
                      Quote(lease.worker_id), ", version ", lease.version, ", heartbeat_at ", TextOf(lease.heartbeat_at),
                      ", expires at ", TextOf(lease.lease_expires_at));
}
std::string TextOf(const AttemptStatus& status) {
  return absl::StrCat(TextOf(status.status), " with attempt_no ", status.attempt_no);
}
std::string TextOf(const AckResult& result) {
  return absl::StrCat(TextOf(result.status), ", next_retry_at ", TextOf(result.next_retry_at), ", next_attempt_no ",
                      result.next_attempt_no);
}
std::string TextOf(const AttemptDispatchRecord& record) {
  return absl::StrCat(Quote(record.attempt_id), " (", TextOf(record.status), ", attempt_no ", record.attempt_no,
                      record.retry_at.has_value() ? absl::StrCat(", retry_at ", TextOf(*record.retry_at)) : "", ")");
}
std::string TextOf(const RetryHistoryEntry& entry) {
  return absl::StrCat("the retry of attempt_no ", entry.attempt_no, " at ", TextOf(entry.retry_at));
}
std::string TextOf(const DeadLetter& letter) {
  return absl::StrCat("the letter of ", Quote(letter.attempt_id), " (", letter.reason.value_or("no reason"), ", ",
                      std::string(WordOf(letter.replay_status)), ", dead_at ", TextOf(letter.dead_at), ", replays ",
                      letter.replay_count.has_value() ? absl::StrCat(*letter.replay_count) : "not told", ")");
}
template <class T>
std::string TextOf(const std::optional<T>& value) {
  return value.has_value() ? TextOf(*value) : "none";
}
template <class T>
std::string TextOf(const std::vector<T>& values) {
  if (values.empty()) return "an empty list";
  return absl::StrJoin(values, ", ", [](std::string* out, const T& value) { absl::StrAppend(out, TextOf(value)); });
}

struct ErrorText {
  std::string operator()(const Driver& error) const {
    return absl::StrCat("Driver ", std::string(WordOf(error.driver_class)), " (", error.text.value_or(""), ")");
  }
  std::string operator()(const EventStore& error) const { return absl::StrCat("EventStore (", error.text, ")"); }
};

template <class Response>
std::string Got(const Answer<Response>& answer) {
  if (answer.response != nullptr) return TextOf(*answer.response);
  if (answer.error != nullptr) return std::visit(ErrorText(), *answer.error);
  return "an answer that nobody saw";
}

// What was expected.

struct ExpectedOf {
  const Judge& judge;

  std::string operator()(const ListDispatchableAttemptsRequest& request) const {
    std::vector<AttemptDispatchRecord> records;
    for (const Attempt* attempt : DispatchOrder(judge, request.now)) {
      if (records.size() == request.limit) break;
      records.push_back({attempt->id(), attempt->settings->run_id, attempt->attempt_no, attempt->status,
                         attempt->status == Status::kQueued ? std::nullopt : attempt->retry_at});
    }
    return absl::StrCat(TextOf(records), ", in this order");
  }
  std::string operator()(const UpsertLeaseRequest& request) const {
    const Instant clock = InstantOf(judge.now);
    const Attempt* attempt = judge.state.Find(request.attempt_id);
    if (attempt == nullptr) return "a claim refusal, for the attempt is unknown";
    if (!attempt->DispatchableAt(clock)) {
      return absl::StrCat("a claim refusal, for the clock reads ", TextOf(clock), " and the attempt is ", About(*attempt));
    }
    return TextOf(LeaseRecord{"(a new id)", request.attempt_id, request.worker_id, request.lease_expires_at, clock, 1});
  }
  std::string operator()(const HeartbeatLeaseRequest& request) const {
    const Attempt* attempt = judge.state.FindLease(request.lease_id);
    if (attempt == nullptr) return "Driver LEASE_NOT_FOUND";
    return absl::StrCat("success, for ", TextOf(attempt->lease->record), " is held");
  }
  std::string operator()(const HeartbeatLeaseWithVersionRequest& request) const {
    const Attempt* attempt = judge.state.FindLease(request.lease_id);
    if (attempt == nullptr) return "Driver VERSION_CONFLICT, for there is no such lease";
    return absl::StrCat("success if worker and version match, else Driver VERSION_CONFLICT; there is ",
                        TextOf(attempt->lease->record));
  }
  std::string operator()(const ExpireLeasesAndRequeueRequest& request) const {
    uint64_t stale = 0;
    for (const Attempt& attempt : *judge.state.attempts) stale += IsStale(attempt, request.stale_before) ? 1 : 0;
    return absl::StrCat(stale, ", the leases that expire before ", TextOf(request.stale_before));
  }
  std::string operator()(const LatestSeqForRunRequest& request) const { return TextOf(judge.state.HeadOf(request.run_id)); }
  std::string operator()(const TransitionTimedOutAttemptsRequest& request) const {
    uint64_t due = 0;
    for (const Attempt& attempt : *judge.state.attempts) due += IsDue(attempt, request.now) ? 1 : 0;
    return absl::StrCat(due, ", the executing attempts whose timeout has passed");
  }
  std::string operator()(const EnqueueAttemptRequest&) const { return "success: enqueueing never fails"; }
  std::string operator()(const AckAttemptRequest& request) const {
    const Attempt* attempt = judge.state.Find(request.attempt_id);
    if (attempt == nullptr) return "Driver ATTEMPT_NOT_FOUND";
    return absl::StrCat(IsTerminal(attempt->status) ? "Driver ATTEMPT_TERMINAL, or " : "",
                        IsTerminal(request.status) ? "" : "Driver BAD_OUTCOME, or ",
                        request.lease_id.has_value() ? "Driver LEASE_NOT_FOUND if the lease is not current, or " : "",
                        TextOf(AckResultOf(*attempt, request)));
  }
  std::string operator()(const MarkAttemptStatusRequest&) const { return "success: a mark never fails"; }
  std::string operator()(const SetAttemptTimeoutPolicyRequest& request) const {
    return IsBadPolicy(request) ? "Driver BAD_POLICY" : Setter(request.attempt_id);
  }
  std::string operator()(const SetAttemptPriorityRequest& request) const { return Setter(request.attempt_id); }
  std::string operator()(const SetAttemptTenantIdRequest& request) const { return Setter(request.attempt_id); }
  std::string operator()(const SetAttemptStartedAtRequest& request) const { return Setter(request.attempt_id); }
  std::string operator()(const GetAttemptStatusRequest& request) const {
    const Attempt* attempt = judge.state.Find(request.attempt_id);
    return attempt == nullptr ? "none" : TextOf(AttemptStatus{attempt->attempt_no, attempt->status});
  }
  std::string operator()(const GetLeaseForAttemptRequest& request) const { return Held(judge.state.Find(request.attempt_id)); }
  std::string operator()(const GetLeaseByIdRequest& request) const { return Held(judge.state.FindLease(request.lease_id)); }
  std::string operator()(const ActiveLeasesForWorkerRequest& request) const {
    return Active(request.now, [&](const Attempt& attempt) { return attempt.lease->record.worker_id == request.worker_id; });
  }
  std::string operator()(const ActiveLeasesForTenantRequest& request) const {
    return Active(request.now, [&](const Attempt& attempt) { return attempt.settings->tenant_id == request.tenant_id; });
  }
  std::string operator()(const GetAttemptRetryHistoryRequest& request) const {
    const Attempt* attempt = judge.state.Find(request.attempt_id);
    return attempt == nullptr || attempt->past == nullptr ? "an empty list" : TextOf(attempt->past->retries);
  }
  std::string operator()(const ListDeadLettersRequest&) const {
    std::vector<DeadLetter> letters;
    for (const Attempt& attempt : *judge.state.attempts) {
      if (attempt.past == nullptr || !attempt.past->letter.has_value()) continue;
      const Letter& letter = *attempt.past->letter;
      letters.push_back({attempt.id(), letter.reason, letter.status, letter.dead_at, letter.replays});
    }
    return TextOf(letters);
  }
  std::string operator()(const ReplayDeadLetterRequest& request) const {
    const Attempt* attempt = judge.state.Find(request.attempt_id);
    const bool letter = attempt != nullptr && attempt->past != nullptr && attempt->past->letter.has_value();
    if (!letter) return "Driver DLQ_NOT_FOUND";
    return attempt->past->letter->status == ReplayStatus::kPending ? "success" : "Driver DLQ_ALREADY_REPLAYED";
  }
  std::string operator()(const AppendRunEventsRequest& request) const {
    return absl::StrCat(judge.state.HeadOf(request.run_id) + request.count, ", or EventStore beyond 2^64 - 1");
  }

  static std::string About(const Attempt& attempt) {
    std::string text = TextOf(attempt.status);
    if (attempt.status == Status::kRetryBackoff) absl::StrAppend(&text, " until ", TextOf(attempt.retry_at));
    if (attempt.lease == nullptr) return absl::StrCat(text, ", without a lease");
    return absl::StrCat(text, ", with ", attempt.lease->seen ? "" : "a lease not seen yet, ", TextOf(attempt.lease->record));
  }

 private:
  std::string Setter(const std::string& attempt_id) const {
    return judge.state.Find(attempt_id) == nullptr ? "Driver ATTEMPT_NOT_FOUND" : "success";
  }
  static std::string Held(const Attempt* attempt) {
    return attempt == nullptr || attempt->lease == nullptr ? "none" : TextOf(attempt->lease->record);
  }
  template <class Asked>
  std::string Active(Instant now, Asked asked) const {
    const auto& attempts = *judge.state.attempts;
    return absl::StrCat(std::count_if(attempts.begin(), attempts.end(),
                                      [&](const Attempt& attempt) { return attempt.LiveAt(now) && asked(attempt); }),
                        ", the leases with an expiry not before ", TextOf(now));
  }
};

template <class Request, class Response>
std::string Explanation(const Judge& judge, const Request& request, const Answer<Response>& answer) {
  return absl::StrCat("expected ", ExpectedOf{judge}(request), "; got ", Got(answer));
}

std::string DescribeAttempt(const Attempt& attempt) {
  const Settings& settings = *attempt.settings;
  std::string text = absl::StrCat("attempt ", Quote(attempt.id()), " of run ", Quote(settings.run_id), ": attempt_no ",
                                  attempt.attempt_no, ", ", ExpectedOf::About(attempt));
  if (settings.priority != 0) absl::StrAppend(&text, ", priority ", settings.priority);
  if (settings.tenant_id.has_value()) absl::StrAppend(&text, ", tenant ", Quote(*settings.tenant_id));
  if (attempt.started_at.has_value()) absl::StrAppend(&text, ", started_at ", TextOf(attempt.started_at));
  if (settings.timeout.has_value()) {
    absl::StrAppend(&text, ", ", TextOf(settings.timeout->on_timeout_status), " after ", settings.timeout->timeout_ms);
  }
  if (settings.retry.has_value()) absl::StrAppend(&text, ", max_retries ", settings.retry->max_retries);
  if (attempt.past != nullptr && attempt.past->letter.has_value()) {
    const Letter& letter = *attempt.past->letter;
    absl::StrAppend(&text, ", dead letter ", letter.reason, " (", std::string(WordOf(letter.status)), ")");
  }
  return text;
}

}  // namespace
}  // namespace spec_internal

std::string RuntimeRepositorySpec::Explain(const State& state, const Request& request, const Outcome& outcome, EpochMs now,
                                           const Context& context) {
  using spec_internal::Answer;
  State copy = state;
  const spec_internal::Judge judge{copy, now, context, nullptr};
  return VisitOperation<Family>(request.index(), [&]<std::size_t I>() {
    Answer<typename OperationAt<Family, I>::Response> answer;
    answer.response = ResponseIf<Family, I>(outcome);
    answer.error = std::get_if<1>(&outcome);
    answer.unseen = std::holds_alternative<Indefinite>(outcome);
    return spec_internal::Explanation(judge, std::get<I>(request), answer);
  });
}

std::string RuntimeRepositorySpec::Describe(const State& state, EpochMs now) {
  std::vector<std::string> lines = {absl::StrCat("now ", now)};
  lines.reserve(1 + state.attempts->size() + state.runs->size());
  for (const Attempt& attempt : *state.attempts) lines.push_back(spec_internal::DescribeAttempt(attempt));
  for (const auto& [run, head] : *state.runs) lines.push_back(absl::StrCat("run \"", run, "\" has ", head, " events"));
  return absl::StrJoin(lines, "\n");
}

}  // namespace leasecheck::runtime_repository
