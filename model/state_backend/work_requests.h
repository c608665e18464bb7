// The arguments of the state_backend operations on the work queue. What each operation does is said in store.h, and what `view`
// means.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_WORK_REQUESTS_H_
#define LEASECHECK_MODEL_STATE_BACKEND_WORK_REQUESTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/field.h"
#include "model/instant.h"
#include "model/state_backend/values.h"
#include "model/state_backend/work_values.h"

namespace leasecheck {
namespace state_backend {

struct EnqueueWorkItemRequest {
  WorkItem item;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const EnqueueWorkItemRequest&, const EnqueueWorkItemRequest&) = default;
};

struct ClaimWorkItemRequest {
  std::string worker_id;
  std::vector<std::string> queue_types;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const ClaimWorkItemRequest&, const ClaimWorkItemRequest&) = default;
};

struct RenewLeaseRequest {
  WorkItemId item_id;
  std::string worker_id;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const RenewLeaseRequest&, const RenewLeaseRequest&) = default;
};

struct CompleteWorkItemRequest {
  WorkItemId item_id;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const CompleteWorkItemRequest&, const CompleteWorkItemRequest&) = default;
};

struct FailWorkItemRequest {
  WorkItemId item_id;
  std::string error;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const FailWorkItemRequest&, const FailWorkItemRequest&) = default;
};

struct ReclaimExpiredLeasesRequest {
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const ReclaimExpiredLeasesRequest&, const ReclaimExpiredLeasesRequest&) = default;
};

struct MoveToDeadLetterRequest {
  WorkItemId item_id;
  std::string last_error;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const MoveToDeadLetterRequest&, const MoveToDeadLetterRequest&) = default;
};

// The fixtures.

struct ListDeadLettersRequest {
  friend bool operator==(const ListDeadLettersRequest&, const ListDeadLettersRequest&) = default;
};

}  // namespace state_backend

template <>
inline constexpr auto kFields<state_backend::EnqueueWorkItemRequest> = std::make_tuple(
    Field{"item", &state_backend::EnqueueWorkItemRequest::item}, Field{"$tenant", &state_backend::EnqueueWorkItemRequest::view});
template <>
inline constexpr auto kFields<state_backend::ClaimWorkItemRequest> =
    std::make_tuple(Field{"worker_id", &state_backend::ClaimWorkItemRequest::worker_id},
                    Field{"queue_types", &state_backend::ClaimWorkItemRequest::queue_types},
                    Field{"$tenant", &state_backend::ClaimWorkItemRequest::view});
template <>
inline constexpr auto kFields<state_backend::RenewLeaseRequest> = std::make_tuple(
    Field{"item_id", &state_backend::RenewLeaseRequest::item_id},
    Field{"worker_id", &state_backend::RenewLeaseRequest::worker_id}, Field{"$tenant", &state_backend::RenewLeaseRequest::view});
template <>
inline constexpr auto kFields<state_backend::CompleteWorkItemRequest> =
    std::make_tuple(Field{"item_id", &state_backend::CompleteWorkItemRequest::item_id},
                    Field{"$tenant", &state_backend::CompleteWorkItemRequest::view});
template <>
inline constexpr auto kFields<state_backend::FailWorkItemRequest> = std::make_tuple(
    Field{"item_id", &state_backend::FailWorkItemRequest::item_id}, Field{"error", &state_backend::FailWorkItemRequest::error},
    Field{"$tenant", &state_backend::FailWorkItemRequest::view});
template <>
inline constexpr auto kFields<state_backend::ReclaimExpiredLeasesRequest> = std::make_tuple(Field{
    "$tenant", &state_backend::ReclaimExpiredLeasesRequest::view});
template <>
inline constexpr auto kFields<state_backend::MoveToDeadLetterRequest> =
    std::make_tuple(Field{"item_id", &state_backend::MoveToDeadLetterRequest::item_id},
                    Field{"last_error", &state_backend::MoveToDeadLetterRequest::last_error},
                    Field{"$tenant", &state_backend::MoveToDeadLetterRequest::view});
template <>
inline constexpr auto kFields<state_backend::ListDeadLettersRequest> = std::tuple<>{};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_WORK_REQUESTS_H_
