// The arguments of the runtime_repository operations. What each operation does is said in store.h.
#ifndef LEASECHECK_MODEL_RUNTIME_REPOSITORY_REQUESTS_H_
#define LEASECHECK_MODEL_RUNTIME_REPOSITORY_REQUESTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "model/field.h"
#include "model/instant.h"
#include "model/runtime_repository/values.h"

namespace leasecheck {
namespace runtime_repository {

// The trait.

struct ListDispatchableAttemptsRequest {
  Instant now;
  uint64_t limit = 0;
  friend bool operator==(const ListDispatchableAttemptsRequest&, const ListDispatchableAttemptsRequest&) = default;
};

struct UpsertLeaseRequest {
  std::string attempt_id;
  std::string worker_id;
  Instant lease_expires_at;
  friend bool operator==(const UpsertLeaseRequest&, const UpsertLeaseRequest&) = default;
};

struct HeartbeatLeaseRequest {
  std::string lease_id;
  Instant heartbeat_at;
  Instant lease_expires_at;
  friend bool operator==(const HeartbeatLeaseRequest&, const HeartbeatLeaseRequest&) = default;
};

struct ExpireLeasesAndRequeueRequest {
  Instant stale_before;
  friend bool operator==(const ExpireLeasesAndRequeueRequest&, const ExpireLeasesAndRequeueRequest&) = default;
};

struct LatestSeqForRunRequest {
  std::string run_id;
  friend bool operator==(const LatestSeqForRunRequest&, const LatestSeqForRunRequest&) = default;
};

struct TransitionTimedOutAttemptsRequest {
  Instant now;
  friend bool operator==(const TransitionTimedOutAttemptsRequest&, const TransitionTimedOutAttemptsRequest&) = default;
};

// The fixtures: what the trait talks about and cannot make.

struct EnqueueAttemptRequest {
  std::string attempt_id;
  std::string run_id;
  friend bool operator==(const EnqueueAttemptRequest&, const EnqueueAttemptRequest&) = default;
};

struct AckAttemptRequest {
  std::string attempt_id;
  AttemptExecutionStatus status = AttemptExecutionStatus::kCompleted;
  std::optional<RetryPolicy> retry_policy;
  Instant now;
  std::optional<std::string> lease_id;  // RR-LAT-13; none: whatever lease there is
  friend bool operator==(const AckAttemptRequest&, const AckAttemptRequest&) = default;
};

struct MarkAttemptStatusRequest {
  std::string attempt_id;
  AttemptExecutionStatus status = AttemptExecutionStatus::kQueued;
  friend bool operator==(const MarkAttemptStatusRequest&, const MarkAttemptStatusRequest&) = default;
};

struct SetAttemptPriorityRequest {
  std::string attempt_id;
  int32_t priority = 0;
  friend bool operator==(const SetAttemptPriorityRequest&, const SetAttemptPriorityRequest&) = default;
};

struct SetAttemptTenantIdRequest {
  std::string attempt_id;
  std::optional<std::string> tenant_id;
  friend bool operator==(const SetAttemptTenantIdRequest&, const SetAttemptTenantIdRequest&) = default;
};

struct SetAttemptTimeoutPolicyRequest {
  std::string attempt_id;
  int64_t timeout_ms = 0;
  AttemptExecutionStatus on_timeout_status = AttemptExecutionStatus::kFailed;
  friend bool operator==(const SetAttemptTimeoutPolicyRequest&, const SetAttemptTimeoutPolicyRequest&) = default;
};

struct SetAttemptStartedAtRequest {
  std::string attempt_id;
  std::optional<Instant> started_at;
  friend bool operator==(const SetAttemptStartedAtRequest&, const SetAttemptStartedAtRequest&) = default;
};

struct GetAttemptStatusRequest {
  std::string attempt_id;
  friend bool operator==(const GetAttemptStatusRequest&, const GetAttemptStatusRequest&) = default;
};

struct GetLeaseForAttemptRequest {
  std::string attempt_id;
  friend bool operator==(const GetLeaseForAttemptRequest&, const GetLeaseForAttemptRequest&) = default;
};

struct GetLeaseByIdRequest {
  std::string lease_id;
  friend bool operator==(const GetLeaseByIdRequest&, const GetLeaseByIdRequest&) = default;
};

struct HeartbeatLeaseWithVersionRequest {
  std::string lease_id;
  std::string worker_id;
  uint64_t expected_version = 0;
  Instant heartbeat_at;
  Instant lease_expires_at;
  friend bool operator==(const HeartbeatLeaseWithVersionRequest&, const HeartbeatLeaseWithVersionRequest&) = default;
};

struct ActiveLeasesForWorkerRequest {
  std::string worker_id;
  Instant now;
  friend bool operator==(const ActiveLeasesForWorkerRequest&, const ActiveLeasesForWorkerRequest&) = default;
};

struct ActiveLeasesForTenantRequest {
  std::string tenant_id;
  Instant now;
  friend bool operator==(const ActiveLeasesForTenantRequest&, const ActiveLeasesForTenantRequest&) = default;
};

struct GetAttemptRetryHistoryRequest {
  std::string attempt_id;
  friend bool operator==(const GetAttemptRetryHistoryRequest&, const GetAttemptRetryHistoryRequest&) = default;
};

struct ListDeadLettersRequest {
  friend bool operator==(const ListDeadLettersRequest&, const ListDeadLettersRequest&) = default;
};

struct ReplayDeadLetterRequest {
  std::string attempt_id;
  Instant now;
  friend bool operator==(const ReplayDeadLetterRequest&, const ReplayDeadLetterRequest&) = default;
};

struct AppendRunEventsRequest {
  std::string run_id;
  uint64_t count = 0;
  friend bool operator==(const AppendRunEventsRequest&, const AppendRunEventsRequest&) = default;
};

}  // namespace runtime_repository

template <>
inline constexpr auto kFields<runtime_repository::ListDispatchableAttemptsRequest> =
    std::make_tuple(Field{"now", &runtime_repository::ListDispatchableAttemptsRequest::now},
                    Field{"limit", &runtime_repository::ListDispatchableAttemptsRequest::limit});
template <>
inline constexpr auto kFields<runtime_repository::UpsertLeaseRequest> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::UpsertLeaseRequest::attempt_id},
                    Field{"worker_id", &runtime_repository::UpsertLeaseRequest::worker_id},
                    Field{"lease_expires_at", &runtime_repository::UpsertLeaseRequest::lease_expires_at});
template <>
inline constexpr auto kFields<runtime_repository::HeartbeatLeaseRequest> =
    std::make_tuple(Field{"lease_id", &runtime_repository::HeartbeatLeaseRequest::lease_id},
                    Field{"heartbeat_at", &runtime_repository::HeartbeatLeaseRequest::heartbeat_at},
                    Field{"lease_expires_at", &runtime_repository::HeartbeatLeaseRequest::lease_expires_at});
template <>
inline constexpr auto kFields<runtime_repository::ExpireLeasesAndRequeueRequest> = std::make_tuple(Field{
    "stale_before", &runtime_repository::ExpireLeasesAndRequeueRequest::stale_before});
template <>
inline constexpr auto kFields<runtime_repository::LatestSeqForRunRequest> = std::make_tuple(Field{
    "run_id", &runtime_repository::LatestSeqForRunRequest::run_id});
template <>
inline constexpr auto kFields<runtime_repository::TransitionTimedOutAttemptsRequest> = std::make_tuple(Field{
    "now", &runtime_repository::TransitionTimedOutAttemptsRequest::now});
template <>
inline constexpr auto kFields<runtime_repository::EnqueueAttemptRequest> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::EnqueueAttemptRequest::attempt_id},
                    Field{"run_id", &runtime_repository::EnqueueAttemptRequest::run_id});
template <>
inline constexpr auto kFields<runtime_repository::AckAttemptRequest> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::AckAttemptRequest::attempt_id},
                    Field{"status", &runtime_repository::AckAttemptRequest::status},
                    Field{"retry_policy", &runtime_repository::AckAttemptRequest::retry_policy},
                    Field{"now", &runtime_repository::AckAttemptRequest::now},
                    Field{"lease_id", &runtime_repository::AckAttemptRequest::lease_id});
template <>
inline constexpr auto kFields<runtime_repository::MarkAttemptStatusRequest> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::MarkAttemptStatusRequest::attempt_id},
                    Field{"status", &runtime_repository::MarkAttemptStatusRequest::status});
template <>
inline constexpr auto kFields<runtime_repository::SetAttemptPriorityRequest> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::SetAttemptPriorityRequest::attempt_id},
                    Field{"priority", &runtime_repository::SetAttemptPriorityRequest::priority});
template <>
inline constexpr auto kFields<runtime_repository::SetAttemptTenantIdRequest> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::SetAttemptTenantIdRequest::attempt_id},
                    Field{"tenant_id", &runtime_repository::SetAttemptTenantIdRequest::tenant_id});
template <>
inline constexpr auto kFields<runtime_repository::SetAttemptTimeoutPolicyRequest> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::SetAttemptTimeoutPolicyRequest::attempt_id},
                    Field{"timeout_ms", &runtime_repository::SetAttemptTimeoutPolicyRequest::timeout_ms},
                    Field{"on_timeout_status", &runtime_repository::SetAttemptTimeoutPolicyRequest::on_timeout_status});
template <>
inline constexpr auto kFields<runtime_repository::SetAttemptStartedAtRequest> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::SetAttemptStartedAtRequest::attempt_id},
                    Field{"started_at", &runtime_repository::SetAttemptStartedAtRequest::started_at});
template <>
inline constexpr auto kFields<runtime_repository::GetAttemptStatusRequest> = std::make_tuple(Field{
    "attempt_id", &runtime_repository::GetAttemptStatusRequest::attempt_id});
template <>
inline constexpr auto kFields<runtime_repository::GetLeaseForAttemptRequest> = std::make_tuple(Field{
    "attempt_id", &runtime_repository::GetLeaseForAttemptRequest::attempt_id});
template <>
inline constexpr auto kFields<runtime_repository::GetLeaseByIdRequest> = std::make_tuple(Field{
    "lease_id", &runtime_repository::GetLeaseByIdRequest::lease_id});
template <>
inline constexpr auto kFields<runtime_repository::HeartbeatLeaseWithVersionRequest> =
    std::make_tuple(Field{"lease_id", &runtime_repository::HeartbeatLeaseWithVersionRequest::lease_id},
                    Field{"worker_id", &runtime_repository::HeartbeatLeaseWithVersionRequest::worker_id},
                    Field{"expected_version", &runtime_repository::HeartbeatLeaseWithVersionRequest::expected_version},
                    Field{"heartbeat_at", &runtime_repository::HeartbeatLeaseWithVersionRequest::heartbeat_at},
                    Field{"lease_expires_at", &runtime_repository::HeartbeatLeaseWithVersionRequest::lease_expires_at});
template <>
inline constexpr auto kFields<runtime_repository::ActiveLeasesForWorkerRequest> =
    std::make_tuple(Field{"worker_id", &runtime_repository::ActiveLeasesForWorkerRequest::worker_id},
                    Field{"now", &runtime_repository::ActiveLeasesForWorkerRequest::now});
template <>
inline constexpr auto kFields<runtime_repository::ActiveLeasesForTenantRequest> =
    std::make_tuple(Field{"tenant_id", &runtime_repository::ActiveLeasesForTenantRequest::tenant_id},
                    Field{"now", &runtime_repository::ActiveLeasesForTenantRequest::now});
template <>
inline constexpr auto kFields<runtime_repository::GetAttemptRetryHistoryRequest> = std::make_tuple(Field{
    "attempt_id", &runtime_repository::GetAttemptRetryHistoryRequest::attempt_id});
template <>
inline constexpr auto kFields<runtime_repository::ListDeadLettersRequest> = std::tuple<>{};
template <>
inline constexpr auto kFields<runtime_repository::ReplayDeadLetterRequest> =
    std::make_tuple(Field{"attempt_id", &runtime_repository::ReplayDeadLetterRequest::attempt_id},
                    Field{"now", &runtime_repository::ReplayDeadLetterRequest::now});
template <>
inline constexpr auto kFields<runtime_repository::AppendRunEventsRequest> =
    std::make_tuple(Field{"run_id", &runtime_repository::AppendRunEventsRequest::run_id},
                    Field{"count", &runtime_repository::AppendRunEventsRequest::count});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_REPOSITORY_REQUESTS_H_
