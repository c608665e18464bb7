// Small questions about the calls of a state_backend history.
#ifndef LEASECHECK_PROPERTIES_STATE_BACKEND_CALLS_H_
#define LEASECHECK_PROPERTIES_STATE_BACKEND_CALLS_H_

#include <optional>
#include <string>
#include <variant>

#include "absl/strings/str_format.h"
#include "model/state_backend/family.h"
#include "properties/engine/history.h"

namespace leasecheck::state_backend {

using BackendCall = engine::CallRecord<StateBackendFamily>;
using BackendHistory = engine::History<StateBackendFamily>;

// The request, where the call is one with that request type.
template <class Request>
const Request* CallOf(const BackendCall& call) {
  const auto* request = engine::RequestIf<StateBackendFamily>(call.action);
  return request == nullptr ? nullptr : std::get_if<Request>(request);
}

// The success value, where the call is one with that request type and succeeded.
template <class Request>
const auto* AnswerOf(const BackendCall& call) {
  return ResponseIf<StateBackendFamily, OperationIndexOf<StateBackendFamily, Request>()>(call.outcome);
}

inline bool IsIndefinite(const BackendCall& call) {
  return std::holds_alternative<RequestOf<StateBackendFamily>>(call.action) && std::holds_alternative<Indefinite>(call.outcome);
}
// The call took effect, or may have.
inline bool MayHaveDone(const BackendCall& call) { return call.outcome.index() == 0 || IsIndefinite(call); }

// Whether `earlier` returned before `later` was called.
inline bool Precedes(const BackendCall& earlier, const BackendCall& later) { return earlier.returned < later.called; }

// The view that a call was made through; null where it has none, or is no contract call.
inline const std::optional<TenantId>* ViewOf(const BackendCall& call) {
  const auto* request = engine::RequestIf<StateBackendFamily>(call.action);
  if (request == nullptr) return nullptr;
  return std::visit(
      [](const auto& r) -> const std::optional<TenantId>* {
        if constexpr (requires { r.view; }) return &r.view;
        return nullptr;
      },
      *request);
}

// As UUIDs are written.
inline std::string UuidText(const Uuid& id) {
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", id.high >> 32, (id.high >> 16) & 0xffff, id.high & 0xffff, id.low >> 48,
                         id.low & 0xffffffffffff);
}

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_PROPERTIES_STATE_BACKEND_CALLS_H_
