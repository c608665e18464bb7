#include "model/runtime_repository/spec.h"

#include <cassert>

#include "model/runtime_repository/dialects.h"
#include "model/runtime_repository/spec_internal.h"

namespace leasecheck::runtime_repository {

using spec_internal::Answer;
using spec_internal::Judge;

namespace {

// What the memory holds of the last sweep, timeout and list counts only while nothing else may have changed the store.
void ForgetLast(const RuntimeRepositorySpec::Request& request, SpecState& state) {
  if (OperationEffect<RuntimeRepositoryFamily>(request.index()) == Effect::kRead) return;
  const bool sweeps = std::holds_alternative<ExpireLeasesAndRequeueRequest>(request);
  const bool times_out = std::holds_alternative<TransitionTimedOutAttemptsRequest>(request);
  if (!sweeps && state.memory->swept.has_value()) state.memory.Edit().swept.reset();
  if (!times_out && state.memory->timed_out.has_value()) state.memory.Edit().timed_out.reset();
}

}  // namespace

SpecState RuntimeRepositorySpec::Initial(const SpecSetup&) { return SpecState(); }

std::optional<ClauseIndex> RuntimeRepositorySpec::Step(State& state, const Request& request, const Outcome& outcome, EpochMs now,
                                                       const Context& context, std::vector<State>* alternatives) {
  assert(outcome.index() <= 2);
  Judge judge{state, now, context, alternatives};
  const auto refused = VisitOperation<Family>(request.index(), [&]<std::size_t I>() -> std::optional<ClauseIndex> {
    Answer<typename OperationAt<Family, I>::Response> answer;
    answer.response = ResponseIf<Family, I>(outcome);
    answer.error = std::get_if<1>(&outcome);
    answer.unseen = std::holds_alternative<Indefinite>(outcome);
    return JudgeCall(judge, std::get<I>(request), answer);
  });
  if (!refused.has_value() && judge.counting()) ForgetLast(request, state);
  return refused;
}

int RuntimeRepositorySpec::Parts(const Request&, const Outcome&, const Context&) { return 1; }
std::optional<std::string> RuntimeRepositorySpec::PartitionKey(const Request&) { return std::nullopt; }

std::optional<EpochMs> RuntimeRepositorySpec::ReportedInstant(const Request&, const Outcome& outcome) {
  const auto* lease = ResponseIf<Family, OperationIndexOf<Family, UpsertLeaseRequest>()>(outcome);
  if (lease == nullptr || lease->heartbeat_at.ms < 0) return std::nullopt;
  return static_cast<EpochMs>(lease->heartbeat_at.ms);
}

void RuntimeRepositorySpec::AppendDeadlines(const State& state, std::vector<EpochMs>* deadlines) {
  const auto append = [&](int64_t ms) {
    if (ms > 0) deadlines->push_back(static_cast<EpochMs>(ms));
  };
  for (const Attempt& attempt : *state.attempts) {
    const bool backoff = attempt.status == AttemptExecutionStatus::kRetryBackoff;
    if (backoff && attempt.retry_at.has_value()) append(attempt.retry_at->ms);
    const bool lingers = attempt.lease != nullptr && (backoff || attempt.status == AttemptExecutionStatus::kQueued);
    if (lingers) append(attempt.lease->record.lease_expires_at.ms + 1);
  }
}

absl::Span<const ClauseInfo> RuntimeRepositorySpec::Clauses() { return kClauses; }
absl::Span<const DialectPoint> RuntimeRepositorySpec::DialectPoints() { return kDialectPoints; }

absl::string_view RuntimeRepositorySpec::NotApplicable(ClauseIndex clause, const Dialects& dialects) {
  if (!Declares(dialects, "profile", "upstream")) return "";
  const absl::string_view id = kClauses[clause].id;
  if (id == "RR-UPS-7") return "a store of profile upstream may grant the claim (RR-LAT-2)";
  const bool counts = id == "RR-SEQ-1" || id == "RR-SEQ-3" || id == "RR-SEQ-4" || id == "RR-INV-14";
  if (counts && Declares(dialects, "RR-LAT-12", "none")) return "the store has no event log (dialect RR-LAT-12)";
  return "";
}

}  // namespace leasecheck::runtime_repository
