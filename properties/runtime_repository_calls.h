// Small questions about the calls of a runtime_repository history.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_CALLS_H_
#define LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_CALLS_H_

#include <string>
#include <variant>

#include "model/runtime_repository/family.h"
#include "properties/engine/history.h"

namespace leasecheck::runtime_repository {

using RepositoryCall = engine::CallRecord<RuntimeRepositoryFamily>;
using RepositoryHistory = engine::History<RuntimeRepositoryFamily>;

// The request, where the call is one with that request type.
template <class Request>
const Request* CallOf(const RepositoryCall& call) {
  const auto* request = engine::RequestIf<RuntimeRepositoryFamily>(call.action);
  return request == nullptr ? nullptr : std::get_if<Request>(request);
}

// The success value, where the call is one with that request type and succeeded.
template <class Request>
const auto* AnswerOf(const RepositoryCall& call) {
  return ResponseIf<RuntimeRepositoryFamily, OperationIndexOf<RuntimeRepositoryFamily, Request>()>(call.outcome);
}

inline bool IsIndefinite(const RepositoryCall& call) {
  return std::holds_alternative<RequestOf<RuntimeRepositoryFamily>>(call.action) &&
         std::holds_alternative<Indefinite>(call.outcome);
}
// The call took effect, or may have.
inline bool MayHaveDone(const RepositoryCall& call) { return call.outcome.index() == 0 || IsIndefinite(call); }

// Whether the call failed with this class.
inline bool FailedWith(const RepositoryCall& call, DriverClass driver_class) {
  const auto* error = std::get_if<1>(&call.outcome);
  const auto* driver = error == nullptr ? nullptr : std::get_if<Driver>(error);
  return driver != nullptr && driver->driver_class == driver_class;
}

// The attempt whose status the call set, or may have set, to what it named, whatever that leaves behind: a mark; or an ack with a
// status that is no outcome, of a store that takes it (RR-LAT-13). Null: none.
inline const std::string* MarkedBy(const RepositoryCall& call) {
  if (!MayHaveDone(call)) return nullptr;
  if (const auto* mark = CallOf<MarkAttemptStatusRequest>(call)) return &mark->attempt_id;
  const auto* ack = CallOf<AckAttemptRequest>(call);
  return ack == nullptr || IsTerminal(ack->status) ? nullptr : &ack->attempt_id;
}

// Whether `earlier` returned before `later` was called.
inline bool Precedes(const RepositoryCall& earlier, const RepositoryCall& later) { return earlier.returned < later.called; }

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_CALLS_H_
