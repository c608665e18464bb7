// Small questions about the calls of a runtime_persistence history.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_CALLS_H_
#define LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_CALLS_H_

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/runtime_persistence/family.h"
#include "properties/engine/history.h"

namespace leasecheck::runtime_persistence {

using PersistenceCall = engine::CallRecord<RuntimePersistenceFamily>;
using PersistenceHistory = engine::History<RuntimePersistenceFamily>;

// The request, where the call is one with that request type.
template <class Request>
const Request* CallOf(const PersistenceCall& call) {
  const auto* request = engine::RequestIf<RuntimePersistenceFamily>(call.action);
  return request == nullptr ? nullptr : std::get_if<Request>(request);
}

// The success value, where the call is one with that request type and succeeded.
template <class Request>
const auto* AnswerOf(const PersistenceCall& call) {
  return ResponseIf<RuntimePersistenceFamily, OperationIndexOf<RuntimePersistenceFamily, Request>()>(call.outcome);
}

// The claim that a call granted, or null.
inline const QueuedWorkClaim* GrantOf(const PersistenceCall& call) {
  for (const auto* answer :
       {AnswerOf<ClaimReadyQueuedWorkRequest>(call), AnswerOf<ClaimReadyQueuedWorkByBatchIdsRequest>(call)}) {
    if (answer != nullptr && answer->has_value()) return &**answer;
  }
  return nullptr;
}

// What a load showed, or null.
inline const PersistedSessionRead* ReadOf(const PersistenceCall& call) {
  const auto* answer = AnswerOf<LoadSessionRequest>(call);
  return answer != nullptr && answer->has_value() ? &**answer : nullptr;
}

inline bool IsIndefinite(const PersistenceCall& call) {
  return std::holds_alternative<RequestOf<RuntimePersistenceFamily>>(call.action) &&
         std::holds_alternative<Indefinite>(call.outcome);
}
inline bool Succeeded(const PersistenceCall& call) { return call.outcome.index() == 0; }

// The contract error, where the call failed with it.
template <class Error>
const Error* ErrorOf(const PersistenceCall& call) {
  const auto* error = std::get_if<1>(&call.outcome);
  return error == nullptr ? nullptr : std::get_if<Error>(error);
}

// Whether `earlier` returned before `later` was called.
inline bool Precedes(const PersistenceCall& earlier, const PersistenceCall& later) { return earlier.returned < later.called; }

}  // namespace leasecheck::runtime_persistence

#endif  // LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_CALLS_H_
