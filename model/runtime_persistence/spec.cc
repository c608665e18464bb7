#include "model/runtime_persistence/spec.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "model/runtime_persistence/dialects.h"
#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence {

using spec_internal::Answer;
using spec_internal::Judge;

SpecState RuntimePersistenceSpec::Initial(const SpecSetup&) { return SpecState(); }

std::optional<ClauseIndex> RuntimePersistenceSpec::Step(State& state, const Request& request, const Outcome& outcome, EpochMs now,
                                                        const Context& context, std::vector<State>* alternatives) {
  assert(outcome.index() <= 2);
  Judge judge{state, now, context, alternatives};
  if (spec_internal::IsProvided(request) && judge.Declares("RP-DEF", "default")) {
    return spec_internal::JudgeDefault(judge, request, outcome);
  }
  return VisitOperation<Family>(request.index(), [&]<std::size_t I>() -> std::optional<ClauseIndex> {
    Answer<typename OperationAt<Family, I>::Response> answer;
    answer.response = ResponseIf<Family, I>(outcome);
    answer.error = std::get_if<1>(&outcome);
    answer.unseen = std::holds_alternative<Indefinite>(outcome);
    return JudgeCall(judge, std::get<I>(request), answer);
  });
}

int RuntimePersistenceSpec::Parts(const Request& request, const Outcome& outcome, const Context& context) {
  if (const auto* tombstone = std::get_if<TombstoneNodesRequest>(&request)) {
    return spec_internal::TombstoneParts(context, *tombstone);
  }
  const auto* by_ids = std::get_if<ClaimReadyQueuedWorkByBatchIdsRequest>(&request);
  if (by_ids == nullptr) return 1;
  const auto answer = spec_internal::AnswerFrom<ClaimReadyQueuedWorkByBatchIdsRequest>(outcome);
  const bool none = answer.response != nullptr && !answer.response->has_value();
  if (!none && !answer.unseen) return 1;
  return spec_internal::QueueOverlapped(context, by_ids->session_id) ? 2 : 1;
}

std::optional<std::string> RuntimePersistenceSpec::PartitionKey(const Request&) { return std::nullopt; }

namespace {

struct ReportedInstantOf {
  using Instant = std::optional<EpochMs>;
  static Instant Of(const EnqueueQueuedWorkRequest&, const QueuedWorkBatch& batch) { return batch.enqueued_at_ms; }
  static Instant Of(const RenewQueuedWorkClaimRequest& request, const QueuedWorkClaim& claim) {
    const EpochMs expires = claim.expires_at_epoch_ms;
    if (expires == kEndOfTime || expires < request.lease_ttl_ms) return std::nullopt;
    return expires - request.lease_ttl_ms;
  }
  template <class Request>
  static Instant Of(const Request&, const std::optional<QueuedWorkClaim>& grant) {
    if (!grant.has_value()) return std::nullopt;
    return grant->claimed_at_epoch_ms;
  }
  template <class Request, class Response>
  static Instant Of(const Request&, const Response&) {
    return std::nullopt;
  }
};

// The clauses that only a store with a queue shows.
bool ConcernsQueue(absl::string_view id) {
  static constexpr absl::string_view kPrefixes[] = {"RP-ENQ-", "RP-CLM-", "RP-IDS-", "RP-REN-", "RP-ABN-",
                                                    "RP-CAN-", "RP-LST-", "RP-PND-", "RP-DUR-"};
  static constexpr absl::string_view kIds[] = {"RP-CMT-23", "RP-CMT-24", "RP-CMT-25", "RP-CMT-26", "RP-CMT-27", "RP-INV-10",
                                               "RP-INV-11", "RP-INV-12", "RP-INV-13", "RP-INV-14", "RP-INV-15", "RP-INV-16"};
  if (id == "RP-IDS-1") return false;  // the inherited method shows it too
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](auto prefix) { return id.substr(0, prefix.size()) == prefix; }) ||
         std::find(std::begin(kIds), std::end(kIds), id) != std::end(kIds);
}

// The clauses that only a store with attachments shows.
bool ConcernsAttachments(absl::string_view id) {
  if (id == "RP-CMT-28" || id == "RP-INV-17") return true;
  return id.substr(0, 3) == "AM-" && id != "AM-NOP-1" && id != "AM-FGT-2";
}

}  // namespace

std::optional<EpochMs> RuntimePersistenceSpec::ReportedInstant(const Request& request, const Outcome& outcome) {
  return VisitOperation<Family>(request.index(), [&]<std::size_t I>() -> std::optional<EpochMs> {
    const auto* response = ResponseIf<Family, I>(outcome);
    if (response == nullptr) return std::nullopt;
    return ReportedInstantOf::Of(std::get<I>(request), *response);
  });
}

void RuntimePersistenceSpec::AppendDeadlines(const State& state, std::vector<EpochMs>* deadlines) {
  const ClaimRecord* last = nullptr;  // the rows of one claim mostly stand together
  for (const Row& row : *state.queue) {
    if (row.stored->batch.available_at_ms > 0) deadlines->push_back(row.stored->batch.available_at_ms);
    if (row.claim != nullptr && row.claim.get() != last) deadlines->push_back(row.claim->expires);
    last = row.claim.get();
  }
}

absl::Span<const ClauseInfo> RuntimePersistenceSpec::Clauses() { return kClauses; }
absl::Span<const DialectPoint> RuntimePersistenceSpec::DialectPoints() { return kDialectPoints; }

absl::string_view RuntimePersistenceSpec::NotApplicable(ClauseIndex clause, const Dialects& dialects) {
  const absl::string_view id = kClauses[clause].id;
  const bool inherits = Declares(dialects, "RP-DEF", "default");
  if (inherits && ConcernsQueue(id)) return "the store inherits the provided methods (dialect RP-DEF)";
  if (!inherits && id.substr(0, 7) == "RP-DEF-")
    return "only a store that inherits the provided methods shows it (dialect RP-DEF)";
  const bool keeps_nothing = Declares(dialects, "AM-NOP-1", "noop");
  if (keeps_nothing && ConcernsAttachments(id)) return "the store keeps no attachments (dialect AM-NOP-1)";
  if (!keeps_nothing && id == "AM-NOP-1") return "the store keeps attachments";
  return "";
}

}  // namespace leasecheck::runtime_persistence
