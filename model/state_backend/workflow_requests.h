// The arguments of the state_backend operations on workflow definitions and executions. What each operation does is said in
// store.h, and what `view` means.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_WORKFLOW_REQUESTS_H_
#define LEASECHECK_MODEL_STATE_BACKEND_WORKFLOW_REQUESTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/field.h"
#include "model/instant.h"
#include "model/state_backend/values.h"
#include "model/state_backend/workflow_values.h"

namespace leasecheck {
namespace state_backend {

struct StoreWorkflowRequest {
  WorkflowDefinition def;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const StoreWorkflowRequest&, const StoreWorkflowRequest&) = default;
};

struct GetWorkflowRequest {
  std::string workflow_id;
  std::string version;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const GetWorkflowRequest&, const GetWorkflowRequest&) = default;
};

struct CreateExecutionRequest {
  WorkflowExecution execution;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const CreateExecutionRequest&, const CreateExecutionRequest&) = default;
};

struct GetExecutionRequest {
  ExecutionId id;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const GetExecutionRequest&, const GetExecutionRequest&) = default;
};

struct UpdateExecutionStatusRequest {
  ExecutionId id;
  WorkflowStatus status = WorkflowStatus::kRunning;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const UpdateExecutionStatusRequest&, const UpdateExecutionStatusRequest&) = default;
};

struct UpdateExecutionCurrentStateRequest {
  ExecutionId id;
  OpaqueJson current_state;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const UpdateExecutionCurrentStateRequest&, const UpdateExecutionCurrentStateRequest&) = default;
};

struct PatchAppendArrayRequest {
  ExecutionId execution_id;
  std::string key;
  OpaqueJson value;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const PatchAppendArrayRequest&, const PatchAppendArrayRequest&) = default;
};

struct ListExecutionsRequest {
  std::optional<WorkflowStatus> status;
  uint32_t limit = 0;
  uint32_t offset = 0;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const ListExecutionsRequest&, const ListExecutionsRequest&) = default;
};

}  // namespace state_backend

template <>
inline constexpr auto kFields<state_backend::StoreWorkflowRequest> = std::make_tuple(
    Field{"def", &state_backend::StoreWorkflowRequest::def}, Field{"$tenant", &state_backend::StoreWorkflowRequest::view});
template <>
inline constexpr auto kFields<state_backend::GetWorkflowRequest> = std::make_tuple(
    Field{"workflow_id", &state_backend::GetWorkflowRequest::workflow_id},
    Field{"version", &state_backend::GetWorkflowRequest::version}, Field{"$tenant", &state_backend::GetWorkflowRequest::view});
template <>
inline constexpr auto kFields<state_backend::CreateExecutionRequest> =
    std::make_tuple(Field{"execution", &state_backend::CreateExecutionRequest::execution},
                    Field{"$tenant", &state_backend::CreateExecutionRequest::view});
template <>
inline constexpr auto kFields<state_backend::GetExecutionRequest> = std::make_tuple(
    Field{"id", &state_backend::GetExecutionRequest::id}, Field{"$tenant", &state_backend::GetExecutionRequest::view});
template <>
inline constexpr auto kFields<state_backend::UpdateExecutionStatusRequest> =
    std::make_tuple(Field{"id", &state_backend::UpdateExecutionStatusRequest::id},
                    Field{"status", &state_backend::UpdateExecutionStatusRequest::status},
                    Field{"$tenant", &state_backend::UpdateExecutionStatusRequest::view});
template <>
inline constexpr auto kFields<state_backend::UpdateExecutionCurrentStateRequest> =
    std::make_tuple(Field{"id", &state_backend::UpdateExecutionCurrentStateRequest::id},
                    Field{"current_state", &state_backend::UpdateExecutionCurrentStateRequest::current_state},
                    Field{"$tenant", &state_backend::UpdateExecutionCurrentStateRequest::view});
template <>
inline constexpr auto kFields<state_backend::PatchAppendArrayRequest> = std::make_tuple(
    Field{"execution_id", &state_backend::PatchAppendArrayRequest::execution_id},
    Field{"key", &state_backend::PatchAppendArrayRequest::key}, Field{"value", &state_backend::PatchAppendArrayRequest::value},
    Field{"$tenant", &state_backend::PatchAppendArrayRequest::view});
template <>
inline constexpr auto kFields<state_backend::ListExecutionsRequest> = std::make_tuple(
    Field{"status", &state_backend::ListExecutionsRequest::status}, Field{"limit", &state_backend::ListExecutionsRequest::limit},
    Field{"offset", &state_backend::ListExecutionsRequest::offset},
    Field{"$tenant", &state_backend::ListExecutionsRequest::view});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_WORKFLOW_REQUESTS_H_
