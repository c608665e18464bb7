// Small questions about the calls of a session_store history.
#ifndef LEASECHECK_PROPERTIES_SESSION_STORE_CALLS_H_
#define LEASECHECK_PROPERTIES_SESSION_STORE_CALLS_H_

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/session_store/family.h"
#include "properties/engine/clock_range.h"
#include "properties/engine/history.h"

namespace leasecheck::session_store {

using SessionCall = engine::CallRecord<SessionStoreFamily>;

// The request, where the call is one with that request type.
template <class Request>
const Request* CallOf(const SessionCall& call) {
  const auto* request = engine::RequestIf<SessionStoreFamily>(call.action);
  return request == nullptr ? nullptr : std::get_if<Request>(request);
}

// The success value, where the call is one with that request type and succeeded.
template <class Request>
const auto* AnswerOf(const SessionCall& call) {
  return ResponseIf<SessionStoreFamily, OperationIndexOf<SessionStoreFamily, Request>()>(call.outcome);
}

// The claim that a call granted, or null.
inline const QueuedWorkClaim* GrantOf(const SessionCall& call) {
  for (const auto* answer : {AnswerOf<ClaimLeadingReadySessionCommandRequest>(call), AnswerOf<ClaimReadyQueuedWorkRequest>(call),
                             AnswerOf<ClaimReadyQueuedWorkByBatchIdsRequest>(call)}) {
    if (answer != nullptr && answer->has_value()) return &**answer;
  }
  return nullptr;
}

// The lane that a call newly acquired or re-entered, or null.
inline const SessionExecutionLease* AcquiredLaneOf(const SessionCall& call) {
  for (const auto* answer :
       {AnswerOf<TryClaimSessionExecutionLeaseRequest>(call), AnswerOf<ReclaimSessionExecutionLeaseRequest>(call)}) {
    if (answer == nullptr) continue;
    if (const auto* acquired = std::get_if<LeaseAcquired>(answer)) return &acquired->lease;
  }
  return nullptr;
}

inline bool IsIndefinite(const SessionCall& call) {
  return std::holds_alternative<RequestOf<SessionStoreFamily>>(call.action) && std::holds_alternative<Indefinite>(call.outcome);
}
inline bool Succeeded(const SessionCall& call) { return call.outcome.index() == 0; }

// Whether `earlier` returned before `later` was called.
inline bool Precedes(const SessionCall& earlier, const SessionCall& later) { return earlier.returned < later.called; }

using ClockRange = engine::ClockRange<SessionStoreFamily>;

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_PROPERTIES_SESSION_STORE_CALLS_H_
