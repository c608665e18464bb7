// The graph: what commits do to it, what reads show of it, tombstones and vacuum.
#include <algorithm>
#include <iterator>
#include <memory>
#include <set>

#include "absl/container/flat_hash_set.h"
#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

using Nodes = std::vector<SessionNodeRecord>;
using NodePointers = std::vector<const SessionNodeRecord*>;

bool RepeatsAnId(const Nodes& nodes) {
  absl::flat_hash_set<absl::string_view> ids;
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) { return !ids.insert(node.node_id).second; });
}

void PutNode(NodeRows& rows, const SessionNodeRecord& record) {
  auto stored = std::make_shared<const SessionNodeRecord>(record);
  for (NodeRow& row : rows) {
    if (row.id() != record.node_id) continue;
    row = {std::move(stored), false, true};  // RP-LAT-6: one record, the new content, anywhere
    return;
  }
  rows.push_back({std::move(stored), false, false});
}

// The path of a read.

// A node's ancestors and itself, root first. `over`: tombstoned nodes are passed over; else the first one ends the path.
NodePointers PathTo(const SpecState& state, const std::optional<std::string>& leaf, bool over) {
  NodePointers path;
  absl::flat_hash_set<absl::string_view> walked;
  for (const std::string* id = leaf.has_value() ? &*leaf : nullptr; id != nullptr;) {
    const NodeRow* node = state.FindNode(*id);
    if (node == nullptr || (node->tombstoned && !over) || !walked.insert(node->id()).second) break;
    if (!node->tombstoned) path.push_back(node->record.get());
    id = node->record->parent_node_id.has_value() ? &*node->record->parent_node_id : nullptr;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

bool Shows(const Nodes& nodes, const NodePointers& path) {
  return std::equal(nodes.begin(), nodes.end(), path.begin(), path.end(),
                    [](const SessionNodeRecord& node, const SessionNodeRecord* wanted) { return node == *wanted; });
}

bool IsTombstoned(const SpecState& state, absl::string_view id) {
  const NodeRow* node = state.FindNode(id);
  return node != nullptr && node->tombstoned;
}

// The leaf that a read shows. That of a tombstoned node may be left out (RP-LAT-3).
bool ShowsLeaf(const SpecState& state, const std::optional<std::string>& wanted, const std::optional<std::string>& leaf) {
  return leaf == wanted || (!leaf.has_value() && IsTombstoned(state, *wanted));
}

const SessionNodeRecord* ShownTombstone(const SpecState& state, const Nodes& nodes) {
  const auto hidden = [&](const auto& node) { return IsTombstoned(state, node.node_id); };
  const auto shown = std::find_if(nodes.begin(), nodes.end(), hidden);
  return shown == nodes.end() ? nullptr : &*shown;
}

// The full graph.

NodePointers LiveNodes(const NodeRows& rows, bool loose) {
  NodePointers live;
  for (const NodeRow& row : rows) {
    if (!row.tombstoned && row.loose == loose) live.push_back(row.record.get());
  }
  return live;
}

// Every live node once: those with a known place in their order, the loose ones anywhere.
bool ShowsAll(const NodeRows& rows, const Nodes& nodes) {
  const NodePointers placed = LiveNodes(rows, false);
  const NodePointers loose = LiveNodes(rows, true);
  if (nodes.size() != placed.size() + loose.size()) return false;
  std::size_t next = 0;
  std::size_t found = 0;
  for (const SessionNodeRecord& node : nodes) {
    const auto is_it = [&](const SessionNodeRecord* other) { return node == *other; };
    if (next < placed.size() && node == *placed[next]) {
      ++next;
    } else if (std::any_of(loose.begin(), loose.end(), is_it)) {
      ++found;
    } else {
      return false;
    }
  }
  return next == placed.size() && found == loose.size() && !RepeatsAnId(nodes);
}

Verdict CheckFull(const SpecState& state, const SessionGraph& graph) {
  if (!ShowsAll(*state.nodes, graph.nodes)) {
    if (ShownTombstone(state, graph.nodes) != nullptr) return Refuse<"RP-LDS-10">();
    if (RepeatsAnId(graph.nodes)) return Refuse<"RP-CMT-14">();
    return Refuse<"RP-LDS-3">();
  }
  return ShowsLeaf(state, state.head->leaf, graph.leaf_node_id) ? kAllowed : Refuse<"RP-LDS-4">();
}

Verdict CheckPath(const SpecState& state, const ActivePath& path, const SessionGraph& graph) {
  const bool given = path.leaf_node_id.has_value();
  const std::optional<std::string>& leaf = given ? path.leaf_node_id : state.head->leaf;
  const bool right = Shows(graph.nodes, PathTo(state, leaf, false)) || Shows(graph.nodes, PathTo(state, leaf, true));
  if (!right && ShownTombstone(state, graph.nodes) != nullptr) return Refuse<"RP-LDS-10">();
  if (!leaf.has_value()) return right && !graph.leaf_node_id.has_value() ? kAllowed : Refuse<"RP-LDS-8">();
  if (right && ShowsLeaf(state, leaf, graph.leaf_node_id)) return kAllowed;
  if (state.FindNode(*leaf) == nullptr) return Refuse<"RP-LDS-7">();
  if (IsTombstoned(state, *leaf)) return Refuse<"RP-LDS-11">();
  const NodePointers wanted = PathTo(state, leaf, false);
  const std::optional<std::string>& beyond = wanted.front()->parent_node_id;
  if (beyond.has_value() && graph.nodes.size() != wanted.size()) {
    return IsTombstoned(state, *beyond) ? Refuse<"RP-LDS-11">() : Refuse<"RP-LDS-9">();
  }
  return given ? Refuse<"RP-LDS-6">() : Refuse<"RP-LDS-5">();
}

void CountPath(const Judge& judge, const ActivePath& path) {
  const SpecState& state = judge.state;
  const bool given = path.leaf_node_id.has_value();
  const std::optional<std::string>& leaf = given ? path.leaf_node_id : state.head->leaf;
  if (!leaf.has_value()) return judge.Held<"RP-LDS-8">();
  const NodePointers nodes = PathTo(state, leaf, false);
  judge.Held<"RP-LDS-7">(given && state.FindNode(*leaf) == nullptr);
  if (nodes.empty()) return;
  judge.Held<"RP-LDS-5">(!given);
  judge.Held<"RP-LDS-6">(given && leaf != state.head->leaf);
  const std::optional<std::string>& beyond = nodes.front()->parent_node_id;
  if (!beyond.has_value()) return;
  judge.Held<"RP-LDS-9">(state.FindNode(*beyond) == nullptr);
  judge.Held<"RP-LDS-11">(IsTombstoned(state, *beyond));
}

// tombstone_nodes

void Tombstone(SpecState& state, const std::string& id) {
  const NodeRow* node = state.FindNode(id);
  if (node == nullptr || node->tombstoned) return;
  const std::ptrdiff_t index = node - state.nodes->data();
  state.nodes.Edit()[index].tombstoned = true;
  state.vacuumed = false;
}

void CountTombstones(const Judge& judge, const TombstoneNodesRequest& request) {
  if (!judge.counting()) return;
  const SpecState& state = judge.state;
  std::set<absl::string_view> seen;
  judge.Held<"RP-TMB-2">(request.ids.empty());
  for (const std::string& id : request.ids) {
    const NodeRow* node = state.FindNode(id);
    const bool effect = node != nullptr && !node->tombstoned && seen.insert(id).second;
    judge.Held<"RP-TMB-2">(!effect);
    judge.Held<"RP-TMB-3">(effect && state.head->leaf == id);
    if (node == nullptr) AddTo(judge.state.memory.Edit().missed, id);
  }
}

}  // namespace

const std::optional<std::string>& LeafOf(const GraphCommitDelta& delta) {
  if (const auto* unchanged = std::get_if<Unchanged>(&delta)) return unchanged->leaf_node_id;
  if (const auto* append = std::get_if<Append>(&delta)) return append->leaf_node_id;
  return std::get<ReplaceFull>(delta).graph.leaf_node_id;
}

bool IsOddDelta(const SpecState& state, const GraphCommitDelta& delta) {
  if (const auto* replace = std::get_if<ReplaceFull>(&delta)) return RepeatsAnId(replace->graph.nodes);
  const auto* append = std::get_if<Append>(&delta);
  if (append == nullptr) return false;
  return RepeatsAnId(append->nodes) || std::any_of(append->nodes.begin(), append->nodes.end(),
                                                   [&](const auto& node) { return state.FindNode(node.node_id) != nullptr; });
}

void ApplyDelta(const Judge& judge, SpecState& state, const GraphCommitDelta& delta) {
  const auto* append = std::get_if<Append>(&delta);
  const auto* replace = std::get_if<ReplaceFull>(&delta);
  if (judge.counting() && append != nullptr && !append->nodes.empty()) {
    judge.Held<"RP-CMT-13">();
    for (const SessionNodeRecord& node : append->nodes) {
      judge.Held<"RP-VAC-5">(Contains(state.memory->vacuumed, node.node_id) && state.FindNode(node.node_id) == nullptr);
      judge.Held<"RP-TMB-5">(Contains(state.memory->missed, node.node_id));
    }
  }
  if (append != nullptr) {
    for (const SessionNodeRecord& node : append->nodes) PutNode(state.nodes.Edit(), node);
  }
  if (replace == nullptr) return;
  judge.Held<"RP-CMT-15">();
  NodeRows rows;
  for (const SessionNodeRecord& node : replace->graph.nodes) {
    judge.Held<"RP-TMB-4">(IsTombstoned(state, node.node_id));
    PutNode(rows, node);
  }
  state.nodes = Cow<NodeRows>(std::move(rows));
}

Verdict CheckGraph(const Judge& judge, const SessionReadScope& scope, const SessionGraph& graph) {
  const auto* path = std::get_if<ActivePath>(&scope);
  return path == nullptr ? CheckFull(judge.state, graph) : CheckPath(judge.state, *path, graph);
}

void CountGraph(const Judge& judge, const SessionReadScope& scope) {
  if (!judge.counting()) return;
  const SpecState& state = judge.state;
  judge.Held<"RP-LDS-10">(
      std::any_of(state.nodes->begin(), state.nodes->end(), [](const NodeRow& row) { return row.tombstoned; }));
  if (const auto* path = std::get_if<ActivePath>(&scope)) return CountPath(judge, *path);
  judge.Held<"RP-LDS-3">(!state.nodes->empty());
  judge.Held<"RP-LDS-4">();
}

void BindOrder(SpecState& state, const SessionGraph& graph) {
  const auto loose = [](const NodeRow& row) { return row.loose && !row.tombstoned; };
  if (std::none_of(state.nodes->begin(), state.nodes->end(), loose)) return;
  NodeRows rows;
  for (const SessionNodeRecord& node : graph.nodes) rows.push_back({state.FindNode(node.node_id)->record, false, false});
  for (const NodeRow& row : *state.nodes) {
    if (row.tombstoned) rows.push_back(row);
  }
  state.nodes = Cow<NodeRows>(std::move(rows));
}

Verdict JudgeCall(Judge& judge, const LoadNodeRequest& request, const Answer<std::optional<SessionNodeRecord>>& answer) {
  if (answer.unseen) return kAllowed;
  const NodeRow* node = judge.state.FindNode(request.node_id);
  const bool live = node != nullptr && !node->tombstoned;
  if (answer.error != nullptr) return live ? Refuse<"RP-LDN-1">() : Refuse<"RP-LDN-2">();
  if (answer.response->has_value() != live) {
    if (live) return Refuse<"RP-LDN-1">();
    return node == nullptr ? Refuse<"RP-LDN-2">() : Refuse<"RP-TMB-1">();
  }
  if (live && **answer.response != *node->record) return Refuse<"RP-LDN-1">();
  judge.Held<"RP-LDN-1">(live);
  judge.Refused<"RP-LDN-2">(!live);
  judge.Held<"RP-TMB-1">(node != nullptr && node->tombstoned);
  return kAllowed;
}

int TombstoneParts(const RuntimePersistenceSpec::Context& context, const TombstoneNodesRequest& request) {
  const bool overlapped = context.overlap != nullptr && context.overlap->Any([](const auto&) { return true; });
  return overlapped && request.ids.size() > 1 ? static_cast<int>(request.ids.size()) : 1;
}

Verdict JudgeCall(Judge& judge, const TombstoneNodesRequest& request, const Answer<Done>& answer) {
  if (answer.error != nullptr) return Refuse<"RP-TMB-2">();
  if (TombstoneParts(judge.context, request) > 1) {  // RP-LAT-23
    Tombstone(judge.state, request.ids[judge.context.part]);
    return kAllowed;
  }
  if (answer.response != nullptr) CountTombstones(judge, request);
  SpecState prefix = judge.state;
  for (std::size_t i = 0; i < request.ids.size(); ++i) {
    Tombstone(judge.state, request.ids[i]);
    if (!answer.unseen || i + 1 == request.ids.size()) continue;
    Tombstone(prefix, request.ids[i]);
    if (judge.alternatives != nullptr) judge.alternatives->push_back(prefix);  // it stopped here
  }
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const VacuumRequest&, const Answer<VacuumReport>& answer) {
  const SpecState& state = judge.state;
  const auto hidden = [](const NodeRow& row) { return row.tombstoned; };
  const uint64_t tombstoned = std::count_if(state.nodes->begin(), state.nodes->end(), hidden);
  if (answer.error != nullptr) return tombstoned > 0 ? Refuse<"RP-VAC-1">() : Refuse<"RP-VAC-2">();
  if (answer.response != nullptr) {
    const uint64_t removed = answer.response->removed_node_count;
    if (removed != tombstoned && removed != 0) {
      if (tombstoned == 0) return state.memory->missed.empty() ? Refuse<"RP-VAC-2">() : Refuse<"RP-VAC-4">();
      return Refuse<"RP-VAC-1">();
    }
    if (removed > 0 && state.vacuumed) return Refuse<"RP-VAC-2">();
    judge.Held<"RP-VAC-1">(removed > 0);
    judge.Held<"RP-VAC-2">(state.vacuumed || state.nodes->empty());
    judge.Held<"RP-VAC-4">(judge.counting() && !state.memory->missed.empty());
    judge.state.vacuumed = true;
    if (removed == 0) return kAllowed;
  }
  if (tombstoned == 0) return kAllowed;
  if (judge.counting()) {
    for (const NodeRow& row : *state.nodes) {
      if (row.tombstoned) AddTo(judge.state.memory.Edit().vacuumed, row.id());
    }
  }
  std::erase_if(judge.state.nodes.Edit(), hidden);
  return kAllowed;
}

}  // namespace leasecheck::runtime_persistence::spec_internal
