// The graph's nodes as rows.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_GRAPH_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_GRAPH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/transaction.h"
#include "model/runtime_persistence/values.h"

namespace leasecheck::sqlite {

// Puts the nodes after the stored ones, a tombstoned node of the same id out of the way. Returns the id of a node that is live
// already, or comes twice; then the caller gives the transaction up.
std::optional<std::string> AppendNodes(Transaction& transaction,
                                       const std::vector<runtime_persistence::SessionNodeRecord>& nodes);

// Makes these the only nodes. Returns the id of a node that comes twice, as AppendNodes.
std::optional<std::string> ReplaceNodes(Transaction& transaction,
                                        const std::vector<runtime_persistence::SessionNodeRecord>& nodes);

// Every live node, in the order of storage.
std::vector<runtime_persistence::SessionNodeRecord> LiveNodes(Transaction& transaction);

// The live nodes from the root to `leaf`, root first. Ends at a parent that is no live node, or that is on the path already; none
// where the leaf is no live node. Costs as much as the path is long, whatever the size of the graph.
std::vector<runtime_persistence::SessionNodeRecord> PathTo(Transaction& transaction, absl::string_view leaf);

std::optional<runtime_persistence::SessionNodeRecord> LiveNode(Transaction& transaction, absl::string_view node_id);

// Hides a live node; any other id does nothing.
void Tombstone(Transaction& transaction, absl::string_view node_id);

// Removes the tombstoned nodes, and returns how many.
uint64_t RemoveTombstoned(Transaction& transaction);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_GRAPH_H_
