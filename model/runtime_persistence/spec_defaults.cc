// The nine provided methods of a store that inherits them (RP-DEF-1 to RP-DEF-9): what they answer depends on nothing.
#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

using Request = RuntimePersistenceSpec::Request;
using Outcome = RuntimePersistenceSpec::Outcome;

template <ClauseId kId>
Verdict MustRefuse(const Judge& judge, bool right) {
  if (!right) return Refuse<kId>();
  judge.Refused<kId>();
  return kAllowed;
}

template <ClauseId kId>
Verdict MustHold(const Judge& judge, bool right) {
  if (!right) return Refuse<kId>();
  judge.Held<kId>();
  return kAllowed;
}

struct DefaultOf {
  const Judge& judge;
  const Outcome& outcome;

  bool IsBackend() const {
    const auto* error = std::get_if<1>(&outcome);
    return error != nullptr && std::holds_alternative<Backend>(*error);
  }

  Verdict operator()(const DurabilityTierRequest&) const {
    const auto answer = AnswerFrom<DurabilityTierRequest>(outcome);
    return MustHold<"RP-DEF-1">(judge, answer.response != nullptr && *answer.response == DurabilityTier::kInline);
  }
  Verdict operator()(const EnqueueQueuedWorkRequest&) const { return MustRefuse<"RP-DEF-2">(judge, IsBackend()); }
  Verdict operator()(const ClaimReadyQueuedWorkRequest&) const { return MustRefuse<"RP-DEF-3">(judge, IsBackend()); }
  Verdict operator()(const ClaimReadyQueuedWorkByBatchIdsRequest& request) const {
    const auto answer = AnswerFrom<ClaimReadyQueuedWorkByBatchIdsRequest>(outcome);
    const bool none = answer.response != nullptr && !answer.response->has_value();
    judge.Refused<"RP-IDS-1">(request.batch_ids.empty() && none);
    return MustRefuse<"RP-DEF-4">(judge, request.batch_ids.empty() ? none : IsBackend());
  }
  Verdict operator()(const RenewQueuedWorkClaimRequest& request) const {
    const auto* expired = AnswerFrom<RenewQueuedWorkClaimRequest>(outcome).ErrorIf<QueuedWorkClaimExpired>();
    return MustRefuse<"RP-DEF-5">(judge, expired != nullptr && expired->session_id == request.claim.session_id &&
                                             expired->claim_id == request.claim.claim_id);
  }
  Verdict operator()(const AbandonQueuedWorkClaimRequest&) const {
    return MustHold<"RP-DEF-6">(judge, AnswerFrom<AbandonQueuedWorkClaimRequest>(outcome).response != nullptr);
  }
  Verdict operator()(const CancelQueuedWorkBatchRequest&) const {
    const auto answer = AnswerFrom<CancelQueuedWorkBatchRequest>(outcome);
    return MustRefuse<"RP-DEF-7">(judge, answer.response != nullptr && !answer.response->has_value());
  }
  Verdict operator()(const ListQueuedWorkRequest&) const {
    const auto answer = AnswerFrom<ListQueuedWorkRequest>(outcome);
    return MustHold<"RP-DEF-8">(judge, answer.response != nullptr && answer.response->empty());
  }
  Verdict operator()(const ListPendingQueuedWorkRequest&) const {
    const auto answer = AnswerFrom<ListPendingQueuedWorkRequest>(outcome);
    return MustHold<"RP-DEF-9">(judge, answer.response != nullptr && answer.response->empty());
  }
  template <class Other>
  Verdict operator()(const Other&) const {
    return kAllowed;
  }
};

}  // namespace

bool IsProvided(const Request& request) {
  constexpr std::size_t kFirst = OperationIndexOf<RuntimePersistenceFamily, DurabilityTierRequest>();
  constexpr std::size_t kLast = OperationIndexOf<RuntimePersistenceFamily, ListPendingQueuedWorkRequest>();
  static_assert(kLast - kFirst == 8, "the provided methods stand together in the table");
  return request.index() >= kFirst && request.index() <= kLast;
}

Verdict JudgeDefault(const Judge& judge, const Request& request, const Outcome& outcome) {
  if (std::holds_alternative<Indefinite>(outcome)) return kAllowed;
  return std::visit(DefaultOf{judge, outcome}, request);
}

}  // namespace leasecheck::runtime_persistence::spec_internal
