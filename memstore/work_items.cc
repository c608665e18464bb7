#include "memstore/work_items.h"

#include <algorithm>

namespace leasecheck::memstore {

using state_backend::WorkItemId;

bool WorkItems::Place::Precedes(const Place& other) const { return node->Precedes(*other.node); }

WorkItems::Lane& WorkItems::LaneOf(TenantScope tenant, const std::string& queue_type) {
  std::unique_ptr<Lane>& lane = lanes_[LaneKey(std::move(tenant), queue_type)];
  if (lane == nullptr) lane = std::make_unique<Lane>();
  return *lane;
}

void WorkItems::Enter(Node& node) {
  const WorkItemRow& row = node.row;
  if (row.status == WorkStatus::kPending) {
    const Instant due = row.retry_after.value_or(kFirstInstant);
    LaneOf(std::nullopt, row.item.queue_type).Insert(node.of_all, due);
    LaneOf(row.item.tenant_id, row.item.queue_type).Insert(node.of_tenant, due);
  } else if (row.status == WorkStatus::kClaimed) {
    leases_[std::nullopt].insert({*row.item.lease_expires_at, &node});
    leases_[row.item.tenant_id].insert({*row.item.lease_expires_at, &node});
  }
}

void WorkItems::Leave(Node& node) {
  const WorkItemRow& row = node.row;
  if (row.status == WorkStatus::kPending) {
    LaneOf(std::nullopt, row.item.queue_type).Erase(node.of_all);
    LaneOf(row.item.tenant_id, row.item.queue_type).Erase(node.of_tenant);
  } else if (row.status == WorkStatus::kClaimed) {
    leases_[std::nullopt].erase({*row.item.lease_expires_at, &node});
    leases_[row.item.tenant_id].erase({*row.item.lease_expires_at, &node});
  }
}

bool WorkItems::Add(WorkItemRow row) {
  std::unique_ptr<Node>& node = nodes_[row.item.id];
  if (node != nullptr) return false;
  node = std::make_unique<Node>();
  node->row = std::move(row);
  node->ordinal = ++adds_;
  node->of_all.node = node->of_tenant.node = node.get();
  Enter(*node);
  return true;
}

const WorkItemRow* WorkItems::Find(const TenantScope& view, const WorkItemId& id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() || !Sees(view, found->second->row.item.tenant_id) ? nullptr : &found->second->row;
}

const WorkItemRow* WorkItems::NextEligible(const TenantScope& view, const std::vector<std::string>& queue_types, Instant now,
                                           ClaimOrder order) const {
  const Node* next = nullptr;
  for (const std::string& queue_type : queue_types) {
    const auto lane = lanes_.find(LaneKey(view, queue_type));
    if (lane == lanes_.end()) continue;
    lane->second->ForEachDue(now, [&](const Place& first) {
      if (next == nullptr || first.node->Precedes(*next)) next = first.node;
      return false;
    });
    if (next != nullptr && order == ClaimOrder::kAny) break;
  }
  return next == nullptr ? nullptr : &next->row;
}

std::vector<WorkItemId> WorkItems::Expired(const TenantScope& view, Instant now) const {
  std::vector<const Node*> expired;
  if (const auto leases = leases_.find(view); leases != leases_.end()) {
    for (auto lease = leases->second.begin(); lease != leases->second.end() && lease->expires_at < now; ++lease) {
      expired.push_back(lease->node);
    }
  }
  std::sort(expired.begin(), expired.end(), [](const Node* a, const Node* b) { return a->Precedes(*b); });
  std::vector<WorkItemId> ids;
  ids.reserve(expired.size());
  for (const Node* node : expired) ids.push_back(node->row.item.id);
  return ids;
}

std::vector<WorkItemRow> WorkItems::All() const {
  std::vector<const Node*> ordered;
  ordered.reserve(nodes_.size());
  for (const auto& [id, node] : nodes_) ordered.push_back(node.get());
  std::sort(ordered.begin(), ordered.end(), [](const Node* a, const Node* b) { return a->ordinal < b->ordinal; });
  std::vector<WorkItemRow> all;
  all.reserve(ordered.size());
  for (const Node* node : ordered) all.push_back(node->row);
  return all;
}

void WorkItems::Clear() {
  leases_.clear();
  lanes_.clear();
  nodes_.clear();
}

}  // namespace leasecheck::memstore
