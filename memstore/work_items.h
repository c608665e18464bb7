// The work queue of a state_backend store: items, found by id, by what may be claimed and by what has expired.
#ifndef LEASECHECK_MEMSTORE_WORK_ITEMS_H_
#define LEASECHECK_MEMSTORE_WORK_ITEMS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "memstore/due_tree.h"
#include "memstore/state_backend_choices.h"
#include "memstore/tenant_scope.h"
#include "model/instant.h"
#include "model/state_backend/work_values.h"

namespace leasecheck::memstore {

enum class WorkStatus { kPending, kClaimed, kCompleted, kFailed, kDeadLettered };

// All that is known of an item.
struct WorkItemRow {
  state_backend::WorkItem item;  // worker_id and lease_expires_at exactly while it is claimed
  WorkStatus status = WorkStatus::kPending;
  std::optional<Instant> retry_after;
  std::string last_error;
  std::optional<Instant> dead_lettered_at;  // exactly while it is dead-lettered
  friend bool operator==(const WorkItemRow&, const WorkItemRow&) = default;
};

// Adding and changing cost the logarithm of the items held, and so does finding the item to claim, times the queue types asked
// for: items that wait for their retry, are claimed or settled are not looked at. Settled items stay, because their ids are never
// free again. Not thread-safe.
class WorkItems {
 public:
  WorkItems() = default;
  WorkItems(const WorkItems&) = delete;
  WorkItems& operator=(const WorkItems&) = delete;

  // False, without effect, where an item of this id was ever added.
  bool Add(WorkItemRow row);

  // The item, where the view sees it; else null. Borrowed.
  const WorkItemRow* Find(const TenantScope& view, const state_backend::WorkItemId& id) const;

  // Calls body(WorkItemRow&) for the item, which is there. It must not change id, tenant, queue type or created_at.
  template <class Body>
  void Change(const state_backend::WorkItemId& id, Body&& body) {
    Node& node = *nodes_.find(id)->second;
    Leave(node);
    body(node.row);
    Enter(node);
  }

  // The item that a claim takes at `now`, or null. Borrowed.
  const WorkItemRow* NextEligible(const TenantScope& view, const std::vector<std::string>& queue_types, Instant now,
                                  ClaimOrder order) const;

  // The visible items whose lease ended before `now`, by created_at and then in the order of the adds.
  std::vector<state_backend::WorkItemId> Expired(const TenantScope& view, Instant now) const;

  // Calls visit(const WorkItemRow&) for every item, in any order.
  template <class Visit>
  void ForEach(Visit&& visit) const {
    for (const auto& [id, node] : nodes_) visit(static_cast<const WorkItemRow&>(node->row));
  }

  // In the order of the adds.
  std::vector<WorkItemRow> All() const;
  void Clear();

 private:
  struct Node;
  // An item's place in a lane: its eligibility for the view of its tenant, or for the unscoped store.
  struct Place : DueTree<Place>::Node {
    const WorkItems::Node* node = nullptr;
    bool Precedes(const Place& other) const;
  };
  struct Node {
    WorkItemRow row;
    uint64_t ordinal = 0;  // in the order of the adds
    Place of_all;
    Place of_tenant;
    bool Precedes(const Node& other) const {
      const Instant mine = row.item.created_at;
      const Instant theirs = other.row.item.created_at;
      return mine == theirs ? ordinal < other.ordinal : mine < theirs;
    }
  };
  struct Lease {
    Instant expires_at;
    const Node* node = nullptr;
    bool operator<(const Lease& other) const {
      return expires_at == other.expires_at ? node->ordinal < other.node->ordinal : expires_at < other.expires_at;
    }
  };
  using Lane = DueTree<Place>;
  using LaneKey = std::pair<TenantScope, std::string>;  // of one tenant or all, and the queue type

  Lane& LaneOf(TenantScope tenant, const std::string& queue_type);
  // Into and out of the lanes and the leases, as the row says.
  void Enter(Node& node);
  void Leave(Node& node);

  absl::flat_hash_map<state_backend::WorkItemId, std::unique_ptr<Node>> nodes_;
  absl::flat_hash_map<LaneKey, std::unique_ptr<Lane>> lanes_;
  absl::flat_hash_map<TenantScope, absl::btree_set<Lease>> leases_;  // of each tenant, and of all
  uint64_t adds_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_WORK_ITEMS_H_
