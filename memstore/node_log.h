// The graph nodes of a session, in storage order (runtime-persistence.md, 1, "Graph node").
#ifndef LEASECHECK_MEMSTORE_NODE_LOG_H_
#define LEASECHECK_MEMSTORE_NODE_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "model/runtime_persistence/values.h"

namespace leasecheck::memstore {

// Holds live nodes, each immutable and shared with snapshots, and the ids of tombstoned ones: their content is never seen again.
// Appending and finding cost nothing that grows with the log; a path costs its length, a walk over all what it returns.
// Not thread-safe.
class NodeLog {
 public:
  using Node = runtime_persistence::SessionNodeRecord;
  using Nodes = std::vector<std::shared_ptr<const Node>>;

  // The live node, or null.
  const Node* Find(absl::string_view node_id) const;
  // All live nodes in storage order.
  std::vector<Node> All() const;
  // The live node `leaf` with its live ancestors, root first; ends at a parent that is no live node, or is on the path already.
  // Empty where the leaf is no live node. [RP-LDS-5..9,11]
  std::vector<Node> PathTo(const std::optional<std::string>& leaf) const;

  // Whether Append of these nodes is allowed: none is live, and none is named twice. [RP-CMT-14]
  bool MayAppend(const std::vector<Node>& nodes) const;
  // Puts them at the end. A tombstoned id among them is live again.
  void Append(const std::vector<Node>& nodes);
  // Whether none is named twice. [RP-CMT-16]
  static bool MayReplace(const std::vector<Node>& nodes);
  // Makes these all that there is; nothing is tombstoned any more. [RP-CMT-15]
  void Replace(const std::vector<Node>& nodes);

  // Hides a live node; no other id leaves a mark. [RP-TMB-1,2,5]
  void Tombstone(absl::string_view node_id);
  // Forgets the tombstoned nodes and says how many they were.
  uint64_t Vacuum();

  // The contents for a snapshot, and back.
  Nodes nodes() const;
  const absl::btree_set<std::string>& tombstoned() const { return tombstoned_; }
  void Restore(const Nodes& nodes, const absl::btree_set<std::string>& tombstoned);

 private:
  void Put(std::shared_ptr<const Node> node);

  uint64_t last_place_ = 0;
  absl::btree_map<uint64_t, std::shared_ptr<const Node>> live_;  // by place
  absl::flat_hash_map<absl::string_view, uint64_t> places_;      // of the live nodes; keys live in them
  absl::btree_set<std::string> tombstoned_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_NODE_LOG_H_
