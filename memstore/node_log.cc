#include "memstore/node_log.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace leasecheck::memstore {

const NodeLog::Node* NodeLog::Find(absl::string_view node_id) const {
  auto place = places_.find(node_id);
  return place == places_.end() ? nullptr : live_.find(place->second)->second.get();
}

std::vector<NodeLog::Node> NodeLog::All() const {
  std::vector<Node> all;
  all.reserve(live_.size());
  for (const auto& [place, node] : live_) all.push_back(*node);
  return all;
}

std::vector<NodeLog::Node> NodeLog::PathTo(const std::optional<std::string>& leaf) const {
  std::vector<const Node*> path;
  absl::flat_hash_set<const Node*> on_path;
  for (const std::optional<std::string>* next = &leaf; next->has_value();) {
    const Node* node = Find(**next);
    if (node == nullptr || !on_path.insert(node).second) break;
    path.push_back(node);
    next = &node->parent_node_id;
  }
  std::vector<Node> nodes;
  nodes.reserve(path.size());
  for (auto node = path.rbegin(); node != path.rend(); ++node) nodes.push_back(**node);
  return nodes;
}

bool NodeLog::MayAppend(const std::vector<Node>& nodes) const {
  return MayReplace(nodes) &&
         std::none_of(nodes.begin(), nodes.end(), [this](const Node& node) { return places_.contains(node.node_id); });
}

void NodeLog::Append(const std::vector<Node>& nodes) {
  for (const Node& node : nodes) {
    tombstoned_.erase(node.node_id);
    Put(std::make_shared<const Node>(node));
  }
}

bool NodeLog::MayReplace(const std::vector<Node>& nodes) {
  absl::flat_hash_set<absl::string_view> ids;
  ids.reserve(nodes.size());
  return std::all_of(nodes.begin(), nodes.end(), [&](const Node& node) { return ids.insert(node.node_id).second; });
}

void NodeLog::Replace(const std::vector<Node>& nodes) {
  places_.clear();
  live_.clear();
  tombstoned_.clear();
  Append(nodes);
}

void NodeLog::Tombstone(absl::string_view node_id) {
  auto place = places_.find(node_id);
  if (place == places_.end()) return;
  auto node = live_.find(place->second);
  places_.erase(place);
  tombstoned_.insert(node->second->node_id);
  live_.erase(node);
}

uint64_t NodeLog::Vacuum() {
  const uint64_t removed = tombstoned_.size();
  tombstoned_.clear();
  return removed;
}

NodeLog::Nodes NodeLog::nodes() const {
  Nodes nodes;
  nodes.reserve(live_.size());
  for (const auto& [place, node] : live_) nodes.push_back(node);
  return nodes;
}

void NodeLog::Restore(const Nodes& nodes, const absl::btree_set<std::string>& tombstoned) {
  Replace({});
  for (const std::shared_ptr<const Node>& node : nodes) Put(node);
  tombstoned_ = tombstoned;
}

void NodeLog::Put(std::shared_ptr<const Node> node) {
  const absl::string_view id = node->node_id;
  live_.emplace_hint(live_.end(), ++last_place_, std::move(node));
  places_.emplace(id, last_place_);
}

}  // namespace leasecheck::memstore
