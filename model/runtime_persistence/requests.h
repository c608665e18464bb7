// The arguments of the runtime_persistence operations. What each operation does is said in store.h.
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_REQUESTS_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_REQUESTS_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "model/field.h"
#include "model/runtime_persistence/attachment_values.h"
#include "model/runtime_persistence/queue_values.h"
#include "model/runtime_persistence/values.h"
#include "model/time.h"

namespace leasecheck {
namespace runtime_persistence {

// Settled state.

struct LoadSessionRequest {
  SessionReadScope scope;
  friend bool operator==(const LoadSessionRequest&, const LoadSessionRequest&) = default;
};

struct LoadNodeRequest {
  std::string node_id;
  friend bool operator==(const LoadNodeRequest&, const LoadNodeRequest&) = default;
};

struct CommitRuntimeStateRequest {
  RuntimeCommit commit;
  friend bool operator==(const CommitRuntimeStateRequest&, const CommitRuntimeStateRequest&) = default;
};

struct SaveSessionMetaRequest {
  SessionMeta meta;
  friend bool operator==(const SaveSessionMetaRequest&, const SaveSessionMetaRequest&) = default;
};

struct LoadSessionMetaRequest {
  friend bool operator==(const LoadSessionMetaRequest&, const LoadSessionMetaRequest&) = default;
};

struct TombstoneNodesRequest {
  std::vector<std::string> ids;
  friend bool operator==(const TombstoneNodesRequest&, const TombstoneNodesRequest&) = default;
};

struct VacuumRequest {
  friend bool operator==(const VacuumRequest&, const VacuumRequest&) = default;
};

struct GcUnreachableRequest {
  friend bool operator==(const GcUnreachableRequest&, const GcUnreachableRequest&) = default;
};

struct DurabilityTierRequest {
  friend bool operator==(const DurabilityTierRequest&, const DurabilityTierRequest&) = default;
};

// The queue.

struct EnqueueQueuedWorkRequest {
  QueuedWorkBatchDraft batch;
  friend bool operator==(const EnqueueQueuedWorkRequest&, const EnqueueQueuedWorkRequest&) = default;
};

struct ClaimReadyQueuedWorkRequest {
  std::string session_id;
  std::string owner_id;
  QueuedWorkClaimBoundary boundary = QueuedWorkClaimBoundary::kIdle;
  DurationMs lease_ttl_ms = 0;
  uint64_t max_batches = 0;
  friend bool operator==(const ClaimReadyQueuedWorkRequest&, const ClaimReadyQueuedWorkRequest&) = default;
};

struct ClaimReadyQueuedWorkByBatchIdsRequest {
  std::string session_id;
  std::string owner_id;
  QueuedWorkClaimBoundary boundary = QueuedWorkClaimBoundary::kIdle;
  DurationMs lease_ttl_ms = 0;
  std::vector<std::string> batch_ids;
  friend bool operator==(const ClaimReadyQueuedWorkByBatchIdsRequest&, const ClaimReadyQueuedWorkByBatchIdsRequest&) = default;
};

struct RenewQueuedWorkClaimRequest {
  QueuedWorkClaim claim;
  DurationMs lease_ttl_ms = 0;
  friend bool operator==(const RenewQueuedWorkClaimRequest&, const RenewQueuedWorkClaimRequest&) = default;
};

struct AbandonQueuedWorkClaimRequest {
  QueuedWorkClaim claim;
  friend bool operator==(const AbandonQueuedWorkClaimRequest&, const AbandonQueuedWorkClaimRequest&) = default;
};

struct CancelQueuedWorkBatchRequest {
  std::string session_id;
  std::string batch_id;
  friend bool operator==(const CancelQueuedWorkBatchRequest&, const CancelQueuedWorkBatchRequest&) = default;
};

struct ListQueuedWorkRequest {
  std::string session_id;
  friend bool operator==(const ListQueuedWorkRequest&, const ListQueuedWorkRequest&) = default;
};

struct ListPendingQueuedWorkRequest {
  std::string session_id;
  friend bool operator==(const ListPendingQueuedWorkRequest&, const ListPendingQueuedWorkRequest&) = default;
};

// The attachment manifest.

struct RecordIntentRequest {
  AttachmentIntent intent;
  friend bool operator==(const RecordIntentRequest&, const RecordIntentRequest&) = default;
};

struct CommitRefsRequest {
  std::string session_id;
  std::vector<std::string> attachment_ids;
  friend bool operator==(const CommitRefsRequest&, const CommitRefsRequest&) = default;
};

struct ListUncommittedRequest {
  EpochMs older_than_epoch_ms = 0;
  friend bool operator==(const ListUncommittedRequest&, const ListUncommittedRequest&) = default;
};

struct ForgetRequest {
  std::string attachment_id;
  friend bool operator==(const ForgetRequest&, const ForgetRequest&) = default;
};

}  // namespace runtime_persistence

template <>
inline constexpr auto kFields<runtime_persistence::LoadSessionRequest> = std::make_tuple(Field{
    "scope", &runtime_persistence::LoadSessionRequest::scope});
template <>
inline constexpr auto kFields<runtime_persistence::LoadNodeRequest> = std::make_tuple(Field{
    "node_id", &runtime_persistence::LoadNodeRequest::node_id});
template <>
inline constexpr auto kFields<runtime_persistence::CommitRuntimeStateRequest> = std::make_tuple(Field{
    "commit", &runtime_persistence::CommitRuntimeStateRequest::commit});
template <>
inline constexpr auto kFields<runtime_persistence::SaveSessionMetaRequest> = std::make_tuple(Field{
    "meta", &runtime_persistence::SaveSessionMetaRequest::meta});
template <>
inline constexpr auto kFields<runtime_persistence::LoadSessionMetaRequest> = std::tuple<>{};
template <>
inline constexpr auto kFields<runtime_persistence::TombstoneNodesRequest> = std::make_tuple(Field{
    "ids", &runtime_persistence::TombstoneNodesRequest::ids});
template <>
inline constexpr auto kFields<runtime_persistence::VacuumRequest> = std::tuple<>{};
template <>
inline constexpr auto kFields<runtime_persistence::GcUnreachableRequest> = std::tuple<>{};
template <>
inline constexpr auto kFields<runtime_persistence::DurabilityTierRequest> = std::tuple<>{};
template <>
inline constexpr auto kFields<runtime_persistence::EnqueueQueuedWorkRequest> = std::make_tuple(Field{
    "batch", &runtime_persistence::EnqueueQueuedWorkRequest::batch});
template <>
inline constexpr auto kFields<runtime_persistence::ClaimReadyQueuedWorkRequest> =
    std::make_tuple(Field{"session_id", &runtime_persistence::ClaimReadyQueuedWorkRequest::session_id},
                    Field{"owner_id", &runtime_persistence::ClaimReadyQueuedWorkRequest::owner_id},
                    Field{"boundary", &runtime_persistence::ClaimReadyQueuedWorkRequest::boundary},
                    Field{"lease_ttl_ms", &runtime_persistence::ClaimReadyQueuedWorkRequest::lease_ttl_ms},
                    Field{"max_batches", &runtime_persistence::ClaimReadyQueuedWorkRequest::max_batches});
template <>
inline constexpr auto kFields<runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest> =
    std::make_tuple(Field{"session_id", &runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest::session_id},
                    Field{"owner_id", &runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest::owner_id},
                    Field{"boundary", &runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest::boundary},
                    Field{"lease_ttl_ms", &runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest::lease_ttl_ms},
                    Field{"batch_ids", &runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest::batch_ids});
template <>
inline constexpr auto kFields<runtime_persistence::RenewQueuedWorkClaimRequest> =
    std::make_tuple(Field{"claim", &runtime_persistence::RenewQueuedWorkClaimRequest::claim},
                    Field{"lease_ttl_ms", &runtime_persistence::RenewQueuedWorkClaimRequest::lease_ttl_ms});
template <>
inline constexpr auto kFields<runtime_persistence::AbandonQueuedWorkClaimRequest> = std::make_tuple(Field{
    "claim", &runtime_persistence::AbandonQueuedWorkClaimRequest::claim});
template <>
inline constexpr auto kFields<runtime_persistence::CancelQueuedWorkBatchRequest> =
    std::make_tuple(Field{"session_id", &runtime_persistence::CancelQueuedWorkBatchRequest::session_id},
                    Field{"batch_id", &runtime_persistence::CancelQueuedWorkBatchRequest::batch_id});
template <>
inline constexpr auto kFields<runtime_persistence::ListQueuedWorkRequest> = std::make_tuple(Field{
    "session_id", &runtime_persistence::ListQueuedWorkRequest::session_id});
template <>
inline constexpr auto kFields<runtime_persistence::ListPendingQueuedWorkRequest> = std::make_tuple(Field{
    "session_id", &runtime_persistence::ListPendingQueuedWorkRequest::session_id});
template <>
inline constexpr auto kFields<runtime_persistence::RecordIntentRequest> = std::make_tuple(Field{
    "intent", &runtime_persistence::RecordIntentRequest::intent});
template <>
inline constexpr auto kFields<runtime_persistence::CommitRefsRequest> =
    std::make_tuple(Field{"session_id", &runtime_persistence::CommitRefsRequest::session_id},
                    Field{"attachment_ids", &runtime_persistence::CommitRefsRequest::attachment_ids});
template <>
inline constexpr auto kFields<runtime_persistence::ListUncommittedRequest> = std::make_tuple(Field{
    "older_than_epoch_ms", &runtime_persistence::ListUncommittedRequest::older_than_epoch_ms});
template <>
inline constexpr auto kFields<runtime_persistence::ForgetRequest> = std::make_tuple(Field{
    "attachment_id", &runtime_persistence::ForgetRequest::attachment_id});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_REQUESTS_H_
