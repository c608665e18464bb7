// The values of the state_backend contract: the work queue.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_WORK_VALUES_H_
#define LEASECHECK_MODEL_STATE_BACKEND_WORK_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/field.h"
#include "model/instant.h"
#include "model/state_backend/values.h"

namespace leasecheck {
namespace state_backend {

// A piece of work for whoever claims it.
//
// Beside what is shown the store keeps, of every item, its status (pending, claimed, completed, failed, dead-lettered), the
// instant before which it is not claimed again (*retry_after*), the last error, and its place in the order of the enqueues.
struct WorkItem {
  WorkItemId id;             // by the caller; unique in the store, over all tenants, for ever
  ExecutionId execution_id;  // by the caller
  std::string node_id;       // by the caller; a node may have several items
  std::string queue_type;    // by the caller; matched byte by byte
  OpaqueJson payload;
  uint32_t attempt = 0;                     // attempts spent: by the caller at enqueue, then + 1 at every reclaim
  uint32_t max_attempts = 3;                // by the caller
  Instant created_at;                       // by the caller: the order of claims, kept through every retry
  std::optional<Instant> lease_expires_at;  // by the store, while the item is claimed
  std::optional<std::string> worker_id;     // by the store, while the item is claimed
  TenantId tenant_id{kDefaultTenant};       // by the caller; a tenant's view puts its own in
  friend bool operator==(const WorkItem&, const WorkItem&) = default;
};

// What one reclaim did. worker_id and lease_expires_at of its items mean nothing: a store may show what was or nothing
// (SB-LAT-22). The reference shows nothing.
struct ReclaimResult {
  std::vector<WorkItem> retryable;  // pending again, by created_at
  std::vector<WorkItem> exhausted;  // dead-lettered, by created_at
  friend bool operator==(const ReclaimResult&, const ReclaimResult&) = default;
};

// A dead-lettered item, as the fixture list_dead_letters shows it.
struct DeadLetter {
  WorkItemId id;
  uint32_t attempt = 0;
  std::string last_error;    // empty where the store does not keep it (SB-LAT-21)
  Instant dead_lettered_at;  // the store's clock when it was first dead-lettered
  friend bool operator==(const DeadLetter&, const DeadLetter&) = default;
};

// The last_error that the reference gives an item whose last lease ran out. [SB-RCL-13]
inline constexpr absl::string_view kLeaseExpiredError = "the lease expired: its worker is dead or stalled";

}  // namespace state_backend

template <>
inline constexpr auto kFields<state_backend::WorkItem> = std::make_tuple(
    Field{"id", &state_backend::WorkItem::id}, Field{"execution_id", &state_backend::WorkItem::execution_id},
    Field{"node_id", &state_backend::WorkItem::node_id}, Field{"queue_type", &state_backend::WorkItem::queue_type},
    Field{"payload", &state_backend::WorkItem::payload}, Field{"attempt", &state_backend::WorkItem::attempt},
    Field{"max_attempts", &state_backend::WorkItem::max_attempts}, Field{"created_at", &state_backend::WorkItem::created_at},
    Field{"lease_expires_at", &state_backend::WorkItem::lease_expires_at},
    Field{"worker_id", &state_backend::WorkItem::worker_id}, Field{"tenant_id", &state_backend::WorkItem::tenant_id});
template <>
inline constexpr auto kFields<state_backend::ReclaimResult> = std::make_tuple(
    Field{"retryable", &state_backend::ReclaimResult::retryable}, Field{"exhausted", &state_backend::ReclaimResult::exhausted});
template <>
inline constexpr auto kFields<state_backend::DeadLetter> =
    std::make_tuple(Field{"id", &state_backend::DeadLetter::id}, Field{"attempt", &state_backend::DeadLetter::attempt},
                    Field{"last_error", &state_backend::DeadLetter::last_error},
                    Field{"dead_lettered_at", &state_backend::DeadLetter::dead_lettered_at});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_WORK_VALUES_H_
