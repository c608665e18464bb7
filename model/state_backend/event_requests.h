// The arguments of the state_backend operations on events and snapshots. What each operation does is said in store.h, and what
// `view` means.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_EVENT_REQUESTS_H_
#define LEASECHECK_MODEL_STATE_BACKEND_EVENT_REQUESTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/field.h"
#include "model/instant.h"
#include "model/state_backend/event_values.h"
#include "model/state_backend/values.h"

namespace leasecheck {
namespace state_backend {

struct AppendEventRequest {
  Event event;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const AppendEventRequest&, const AppendEventRequest&) = default;
};

struct GetEventsRequest {
  ExecutionId execution_id;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const GetEventsRequest&, const GetEventsRequest&) = default;
};

struct GetEventsSinceRequest {
  ExecutionId execution_id;
  EventSequence since_sequence = 0;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const GetEventsSinceRequest&, const GetEventsSinceRequest&) = default;
};

struct LatestSequenceRequest {
  ExecutionId execution_id;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const LatestSequenceRequest&, const LatestSequenceRequest&) = default;
};

struct WriteSnapshotRequest {
  Snapshot snapshot;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const WriteSnapshotRequest&, const WriteSnapshotRequest&) = default;
};

struct LatestSnapshotRequest {
  ExecutionId execution_id;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const LatestSnapshotRequest&, const LatestSnapshotRequest&) = default;
};

}  // namespace state_backend

template <>
inline constexpr auto kFields<state_backend::AppendEventRequest> = std::make_tuple(
    Field{"event", &state_backend::AppendEventRequest::event}, Field{"$tenant", &state_backend::AppendEventRequest::view});
template <>
inline constexpr auto kFields<state_backend::GetEventsRequest> =
    std::make_tuple(Field{"execution_id", &state_backend::GetEventsRequest::execution_id},
                    Field{"$tenant", &state_backend::GetEventsRequest::view});
template <>
inline constexpr auto kFields<state_backend::GetEventsSinceRequest> =
    std::make_tuple(Field{"execution_id", &state_backend::GetEventsSinceRequest::execution_id},
                    Field{"since_sequence", &state_backend::GetEventsSinceRequest::since_sequence},
                    Field{"$tenant", &state_backend::GetEventsSinceRequest::view});
template <>
inline constexpr auto kFields<state_backend::LatestSequenceRequest> =
    std::make_tuple(Field{"execution_id", &state_backend::LatestSequenceRequest::execution_id},
                    Field{"$tenant", &state_backend::LatestSequenceRequest::view});
template <>
inline constexpr auto kFields<state_backend::WriteSnapshotRequest> =
    std::make_tuple(Field{"snapshot", &state_backend::WriteSnapshotRequest::snapshot},
                    Field{"$tenant", &state_backend::WriteSnapshotRequest::view});
template <>
inline constexpr auto kFields<state_backend::LatestSnapshotRequest> =
    std::make_tuple(Field{"execution_id", &state_backend::LatestSnapshotRequest::execution_id},
                    Field{"$tenant", &state_backend::LatestSnapshotRequest::view});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_EVENT_REQUESTS_H_
