// New attempts, their settings, and the events of runs.
#include <algorithm>
#include <limits>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository::spec_internal {
namespace {

// Judges a setter of one attempt's property, which fails for an unknown attempt only, and else changes it by `set`.
template <class Set>
Verdict JudgeSetter(Judge& judge, const std::string& attempt_id, const Answer<Done>& answer, Set set) {
  const Attempt* found = judge.state.Find(attempt_id);
  if (answer.error != nullptr) {
    if (found != nullptr || !answer.Fails(DriverClass::kAttemptNotFound)) return Refuse<"RR-FIX-11">();
    judge.Refused<"RR-FIX-11">();
    return kAllowed;
  }
  if (found == nullptr) return answer.unseen ? kAllowed : Refuse<"RR-FIX-11">();
  judge.Held<"RR-FIX-11">(answer.response != nullptr);
  set(Edit(judge.state, found));
  return kAllowed;
}

template <class Change>
auto ChangeSettings(Change change) {
  return [change](Attempt& attempt) {
    Settings settings = SettingsOf(attempt);
    change(settings);
    attempt.settings = std::make_shared<const Settings>(std::move(settings));
  };
}

}  // namespace

std::optional<std::string> Trimmed(const std::optional<std::string>& tenant_id) {
  if (!tenant_id.has_value()) return std::nullopt;
  const absl::string_view trimmed = absl::StripAsciiWhitespace(*tenant_id);
  return trimmed.empty() ? std::nullopt : std::optional<std::string>(trimmed);
}

bool IsBadPolicy(const SetAttemptTimeoutPolicyRequest& request) {
  return request.timeout_ms < 1 ||
         (request.on_timeout_status != Status::kFailed && request.on_timeout_status != Status::kCancelled);
}

Verdict JudgeCall(Judge& judge, const EnqueueAttemptRequest& request, const Answer<Done>& answer) {
  const Attempt* found = judge.state.Find(request.attempt_id);
  if (answer.error != nullptr) return found == nullptr ? Refuse<"RR-FIX-1">() : Refuse<"RR-FIX-2">();
  judge.Held<"RR-FIX-1">(found == nullptr && answer.response != nullptr);
  judge.Refused<"RR-FIX-2">(found != nullptr && answer.response != nullptr);
  if (found != nullptr) return kAllowed;
  Attempt attempt;
  attempt.settings =
      std::make_shared<const Settings>(Settings{request.attempt_id, request.run_id, 0, std::nullopt, std::nullopt, std::nullopt});
  auto& attempts = judge.state.attempts.Edit();
  const auto at = std::lower_bound(attempts.begin(), attempts.end(), request.attempt_id,
                                   [](const Attempt& other, const std::string& id) { return other.id() < id; });
  attempts.insert(at, std::move(attempt));
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const SetAttemptPriorityRequest& request, const Answer<Done>& answer) {
  return JudgeSetter(judge, request.attempt_id, answer,
                     ChangeSettings([&](Settings& settings) { settings.priority = request.priority; }));
}

Verdict JudgeCall(Judge& judge, const SetAttemptTenantIdRequest& request, const Answer<Done>& answer) {
  return JudgeSetter(judge, request.attempt_id, answer,
                     ChangeSettings([&](Settings& settings) { settings.tenant_id = Trimmed(request.tenant_id); }));
}

Verdict JudgeCall(Judge& judge, const SetAttemptTimeoutPolicyRequest& request, const Answer<Done>& answer) {
  if (!IsBadPolicy(request)) {
    return JudgeSetter(judge, request.attempt_id, answer, ChangeSettings([&](Settings& settings) {
                         settings.timeout = TimeoutPolicy{request.timeout_ms, request.on_timeout_status};
                       }));
  }
  if (answer.unseen) return kAllowed;
  const bool unknown = judge.state.Find(request.attempt_id) == nullptr;
  if (!answer.Fails(DriverClass::kBadPolicy) && !(unknown && answer.Fails(DriverClass::kAttemptNotFound))) {
    return Refuse<"RR-FIX-11">();
  }
  judge.Refused<"RR-FIX-11">();
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const SetAttemptStartedAtRequest& request, const Answer<Done>& answer) {
  return JudgeSetter(judge, request.attempt_id, answer, [&](Attempt& attempt) { attempt.started_at = request.started_at; });
}

Verdict JudgeCall(Judge& judge, const AppendRunEventsRequest& request, const Answer<uint64_t>& answer) {
  const uint64_t head = judge.state.HeadOf(request.run_id);
  const bool overflows = request.count > std::numeric_limits<uint64_t>::max() - head;
  if (answer.error != nullptr) return overflows ? kAllowed : Refuse<"RR-FIX-12">();
  if (overflows) return answer.unseen ? kAllowed : Refuse<"RR-FIX-12">();
  const uint64_t last = head + request.count;
  if (answer.response != nullptr) {
    if (*answer.response != last) return Refuse<"RR-FIX-12">();
    judge.Held<"RR-FIX-12">();
  }
  if (request.count == 0) return kAllowed;
  auto& runs = judge.state.runs.Edit();
  const auto run = std::find_if(runs.begin(), runs.end(), [&](const auto& other) { return other.first == request.run_id; });
  if (run == runs.end()) {
    // Ordered by name, so that the order of first events is no part of the state.
    runs.insert(std::lower_bound(runs.begin(), runs.end(), std::pair(request.run_id, uint64_t{0})), {request.run_id, last});
  } else {
    run->second = last;
  }
  return kAllowed;
}

}  // namespace leasecheck::runtime_repository::spec_internal
