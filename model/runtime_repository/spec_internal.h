// What the files of the spec share. Not for others to include.
//
// Each operation has one JudgeCall. It first decides, reading only, and then changes the state: a refusal leaves it as it was.
#ifndef LEASECHECK_MODEL_RUNTIME_REPOSITORY_SPEC_INTERNAL_H_
#define LEASECHECK_MODEL_RUNTIME_REPOSITORY_SPEC_INTERNAL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/runtime_repository/clauses.h"
#include "model/runtime_repository/spec.h"

namespace leasecheck::runtime_repository::spec_internal {

using Status = AttemptExecutionStatus;

// nullopt: allowed; else the clause that forbids it.
using Verdict = std::optional<ClauseIndex>;
inline constexpr Verdict kAllowed = std::nullopt;

template <ClauseId kId>
constexpr Verdict Refuse() {
  return Clause<kId>();
}

// One outcome, seen as an operation's own: exactly one of response, error and unseen holds.
template <class Response>
struct Answer {
  const Response* response = nullptr;
  const StoreError* error = nullptr;
  bool unseen = false;

  bool Fails(DriverClass driver_class) const {
    const auto* driver = error == nullptr ? nullptr : std::get_if<Driver>(error);
    return driver != nullptr && driver->driver_class == driver_class;
  }
};

// A call being judged, with what it is judged against.
struct Judge {
  SpecState& state;
  EpochMs now;
  const RuntimeRepositorySpec::Context& context;
  std::vector<SpecState>* alternatives;  // may be null

  bool counting() const { return context.hits != nullptr; }
  template <ClauseId kId>
  void Held(bool applies = true) const {
    if (applies && counting()) context.hits->Add(Clause<kId>(), Sense::kHeld);
  }
  template <ClauseId kId>
  void Refused(bool applies = true) const {
    if (applies && counting()) context.hits->Add(Clause<kId>(), Sense::kRefused);
  }
  bool Declares(absl::string_view point, absl::string_view word) const {
    return context.setup.dialects != nullptr && leasecheck::Declares(*context.setup.dialects, point, word);
  }
  bool Upstream() const { return Declares("profile", "upstream"); }
  // Adds `other` as another state that the answer allows, unless it is the one that the step leaves anyway.
  void AddAlternative(SpecState other) const {
    if (alternatives != nullptr && !(other == state)) alternatives->push_back(std::move(other));
  }
};

// Changes the state; where that shows a choice that is still open, once for each of the two.
template <class Apply>
void ApplyWith(Judge& judge, Choice SpecState::*choice, bool shows, Apply apply) {
  if (!shows || judge.state.*choice != Choice::kOpen) return apply(judge.state);
  SpecState other = judge.state;
  other.*choice = Choice::kSecond;
  apply(other);
  judge.state.*choice = Choice::kFirst;
  apply(judge.state);
  judge.AddAlternative(std::move(other));
}

// Pointers first: states that share a value need no comparison.
template <class T>
bool SameValue(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

// The state (spec_state.cc).

// `attempt`, which is the state's own, to be written to.
Attempt& Edit(SpecState& state, const Attempt* attempt);
// A copy of what it shares, to be changed and put back.
Settings SettingsOf(const Attempt& attempt);
Past PastOf(const Attempt& attempt);
void SetLease(Attempt& attempt, LeaseRecord record, bool seen);
// Deletes the lease, if any; with `judge` it is remembered as gone.
void DropLease(const Judge& judge, SpecState& state, Attempt& attempt);
// Whether another dead letter of the attempt shows what becomes of the count of replays.
bool LetterShowsChoice(const Attempt& attempt);
void WriteLetter(const SpecState& state, Attempt& attempt, absl::string_view reason, Instant now);
// Makes it Queued; of its retry_at nothing is sure any more (RR-LAT-9).
void Requeue(Attempt& attempt);

// Lists (spec_list.cc): the attempts that are dispatchable, in the declared order.
std::vector<const Attempt*> DispatchOrder(const Judge& judge, Instant now);
bool Before(const Judge& judge, const Attempt& a, const Attempt& b);

// Acks (spec_ack.cc).

// The policy that an ack works by; null: none.
const RetryPolicy* EffectivePolicy(const Attempt& attempt, const AckAttemptRequest& request);
bool RetriesLeft(const Attempt& attempt, const AckAttemptRequest& request);
// What an ack that takes effect answers.
AckResult AckResultOf(const Attempt& attempt, const AckAttemptRequest& request);

// Sweeps and timeouts (spec_sweep.cc).
bool IsStale(const Attempt& attempt, Instant stale_before);
bool IsDue(const Attempt& attempt, Instant now);

// Settings (spec_attempt.cc).
std::optional<std::string> Trimmed(const std::optional<std::string>& tenant_id);
bool IsBadPolicy(const SetAttemptTimeoutPolicyRequest& request);

Verdict JudgeCall(Judge& judge, const ListDispatchableAttemptsRequest& request,
                  const Answer<std::vector<AttemptDispatchRecord>>& answer);
Verdict JudgeCall(Judge& judge, const UpsertLeaseRequest& request, const Answer<LeaseRecord>& answer);
Verdict JudgeCall(Judge& judge, const HeartbeatLeaseRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const ExpireLeasesAndRequeueRequest& request, const Answer<uint64_t>& answer);
Verdict JudgeCall(Judge& judge, const LatestSeqForRunRequest& request, const Answer<uint64_t>& answer);
Verdict JudgeCall(Judge& judge, const TransitionTimedOutAttemptsRequest& request, const Answer<uint64_t>& answer);
Verdict JudgeCall(Judge& judge, const EnqueueAttemptRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const AckAttemptRequest& request, const Answer<AckResult>& answer);
Verdict JudgeCall(Judge& judge, const MarkAttemptStatusRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const SetAttemptPriorityRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const SetAttemptTenantIdRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const SetAttemptTimeoutPolicyRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const SetAttemptStartedAtRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const GetAttemptStatusRequest& request, const Answer<std::optional<AttemptStatus>>& answer);
Verdict JudgeCall(Judge& judge, const GetLeaseForAttemptRequest& request, const Answer<std::optional<LeaseRecord>>& answer);
Verdict JudgeCall(Judge& judge, const GetLeaseByIdRequest& request, const Answer<std::optional<LeaseRecord>>& answer);
Verdict JudgeCall(Judge& judge, const HeartbeatLeaseWithVersionRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const ActiveLeasesForWorkerRequest& request, const Answer<uint64_t>& answer);
Verdict JudgeCall(Judge& judge, const ActiveLeasesForTenantRequest& request, const Answer<uint64_t>& answer);
Verdict JudgeCall(Judge& judge, const GetAttemptRetryHistoryRequest& request,
                  const Answer<std::vector<RetryHistoryEntry>>& answer);
Verdict JudgeCall(Judge& judge, const ListDeadLettersRequest& request, const Answer<std::vector<DeadLetter>>& answer);
Verdict JudgeCall(Judge& judge, const ReplayDeadLetterRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const AppendRunEventsRequest& request, const Answer<uint64_t>& answer);

}  // namespace leasecheck::runtime_repository::spec_internal

#endif  // LEASECHECK_MODEL_RUNTIME_REPOSITORY_SPEC_INTERNAL_H_
