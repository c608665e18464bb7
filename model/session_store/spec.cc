#include "model/session_store/spec.h"

#include <cassert>

#include "model/session_store/dialects.h"
#include "model/session_store/spec_internal.h"

namespace leasecheck::session_store {

using spec_internal::Answer;
using spec_internal::Judge;

SpecState SessionStoreSpec::Initial(const SpecSetup&) { return SpecState(); }

std::optional<ClauseIndex> SessionStoreSpec::Step(State& state, const Request& request, const Outcome& outcome, EpochMs now,
                                                  const Context& context, std::vector<State>* alternatives) {
  assert(outcome.index() <= 2);
  Judge judge{state, now, context, alternatives};
  return VisitOperation<Family>(request.index(), [&]<std::size_t I>() -> std::optional<ClauseIndex> {
    Answer<typename OperationAt<Family, I>::Response> answer;
    answer.response = ResponseIf<Family, I>(outcome);
    answer.error = std::get_if<1>(&outcome);
    answer.unseen = std::holds_alternative<Indefinite>(outcome);
    return JudgeCall(judge, std::get<I>(request), answer);
  });
}

int SessionStoreSpec::Parts(const Request& request, const Outcome& outcome, const Context& context) {
  constexpr std::size_t kByIds = OperationIndexOf<Family, ClaimReadyQueuedWorkByBatchIdsRequest>();
  if (request.index() != kByIds) return 1;
  const auto* grant = ResponseIf<Family, kByIds>(outcome);
  const bool none = grant != nullptr && !grant->has_value();
  if (!none && !std::holds_alternative<Indefinite>(outcome)) return 1;
  return spec_internal::SessionOverlapped(context, std::get<kByIds>(request).session_id) ? 2 : 1;
}

namespace {

struct PartitionKeyOf {
  using Key = std::optional<std::string>;
  Key operator()(const EnqueueQueuedWorkRequest& request) const { return request.batch.session_id; }
  Key operator()(const EnqueuePendingTurnInputRequest& request) const { return request.input.session_id; }
  Key operator()(const AbandonTurnInputClaimRequest& request) const { return request.claim.session_id; }
  Key operator()(const VacuumRequest&) const { return std::nullopt; }
  Key operator()(const RenewQueuedWorkClaimRequest& request) const { return request.claim.session_id; }
  Key operator()(const AbandonQueuedWorkClaimRequest& request) const { return request.claim.session_id; }
  Key operator()(const RenewSessionExecutionLeaseRequest& request) const { return request.fence.session_id; }
  Key operator()(const ReleaseSessionExecutionLeaseRequest& request) const { return request.completion.session_id; }
  Key operator()(const LoadSessionRequest&) const { return std::nullopt; }
  Key operator()(const CommitRuntimeStateRequest& request) const {
    const auto& release = request.commit.release_session_execution_lease;
    if (release.has_value() && release->session_id != request.commit.session_id) return std::nullopt;
    return request.commit.session_id;
  }
  template <class Request>
  Key operator()(const Request& request) const {
    return request.session_id;
  }
};

// When a lease that expires at `expires` was given `ttl`, if that can be told.
std::optional<EpochMs> StartOf(EpochMs expires, DurationMs ttl) {
  if (expires == kEndOfTime || expires < ttl) return std::nullopt;
  return expires - ttl;
}

struct ReportedInstantOf {
  using Instant = std::optional<EpochMs>;
  static Instant Of(const EnqueueQueuedWorkRequest&, const QueuedWorkBatch& batch) { return batch.enqueued_at_ms; }
  static Instant Of(const EnqueuePendingTurnInputRequest&, const PendingTurnInput& input) { return input.enqueued_at_ms; }
  static Instant Of(const RenewQueuedWorkClaimRequest& request, const QueuedWorkClaim& claim) {
    return StartOf(claim.expires_at_epoch_ms, request.lease_ttl_ms);
  }
  static Instant Of(const RenewSessionExecutionLeaseRequest& request, const SessionExecutionLease& lease) {
    return StartOf(lease.expires_at_epoch_ms, request.lease_ttl_ms);
  }
  template <class Request>
  static Instant Of(const Request& request, const SessionExecutionLeaseClaimOutcome& outcome) {
    const auto* acquired = std::get_if<LeaseAcquired>(&outcome);
    if (acquired == nullptr) return std::nullopt;
    return StartOf(acquired->lease.expires_at_epoch_ms, request.lease_ttl_ms);
  }
  template <class Request>
  static Instant Of(const Request&, const std::optional<QueuedWorkClaim>& grant) {
    if (!grant.has_value()) return std::nullopt;
    return grant->claimed_at_epoch_ms;
  }
  template <class Request>
  static Instant Of(const Request&, const std::optional<TurnInputClaim>& grant) {
    if (!grant.has_value()) return std::nullopt;
    return grant->claimed_at_epoch_ms;
  }
  template <class Request, class Response>
  static Instant Of(const Request&, const Response&) {
    return std::nullopt;
  }
};

}  // namespace

std::optional<std::string> SessionStoreSpec::PartitionKey(const Request& request) {
  return std::visit(PartitionKeyOf(), request);
}

std::optional<EpochMs> SessionStoreSpec::ReportedInstant(const Request& request, const Outcome& outcome) {
  return VisitOperation<Family>(request.index(), [&]<std::size_t I>() -> std::optional<EpochMs> {
    const auto* response = ResponseIf<Family, I>(outcome);
    if (response == nullptr) return std::nullopt;
    return ReportedInstantOf::Of(std::get<I>(request), *response);
  });
}

void SessionStoreSpec::AppendDeadlines(const State& state, std::vector<EpochMs>* deadlines) {
  for (const Cow<SessionState>& session : state.sessions()) {
    const ClaimRecord* last = nullptr;  // the rows of one claim mostly stand together
    for (const Row& row : session->rows) {
      if (row.stored->batch.available_at_ms > 0) deadlines->push_back(row.stored->batch.available_at_ms);
      if (row.claim != nullptr && row.claim.get() != last) deadlines->push_back(row.claim->expires.at);
      last = row.claim.get();
    }
    const InputClaimRecord* last_input = nullptr;
    for (const InputRow& row : *session->inputs) {
      if (row.claim != nullptr && row.claim.get() != last_input) deadlines->push_back(row.claim->expires.at);
      last_input = row.claim.get();
    }
    if (session->holder != nullptr) deadlines->push_back(session->holder->expires.at);
  }
}

absl::Span<const ClauseInfo> SessionStoreSpec::Clauses() { return kClauses; }
absl::Span<const DialectPoint> SessionStoreSpec::DialectPoints() { return kDialectPoints; }

}  // namespace leasecheck::session_store
