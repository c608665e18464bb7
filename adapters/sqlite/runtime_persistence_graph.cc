#include "adapters/sqlite/runtime_persistence_graph.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/columns.h"

namespace leasecheck::sqlite {
namespace {

using runtime_persistence::SessionNodeRecord;

// The columns that ReadNode reads.
#define LEASECHECK_NODE_COLUMNS "node_id, parent_node_id, nodes.caused_by, agent_frame_id, timestamp, payload"

SessionNodeRecord ReadNode(const Rows& rows) {
  SessionNodeRecord node;
  node.node_id = rows.Text(0);
  node.parent_node_id = rows.OptionalText(1);
  node.caused_by = ReadJson(rows, 2);
  node.agent_frame_id = rows.OptionalText(3);
  node.timestamp = rows.Text(4);
  node.payload.text = rows.Text(5);
  return node;
}

std::vector<SessionNodeRecord> ReadNodes(Rows rows) {
  std::vector<SessionNodeRecord> nodes;
  while (rows.Next()) nodes.push_back(ReadNode(rows));
  return nodes;
}

// False where a node of this id is stored.
bool Insert(Transaction& transaction, const SessionNodeRecord& node) {
  return transaction.Execute(
             "INSERT INTO nodes (node_id, parent_node_id, caused_by, agent_frame_id, timestamp, payload, tombstoned) "
             "VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0) ON CONFLICT (node_id) DO NOTHING",
             node.node_id, node.parent_node_id, TextOf(node.caused_by), node.agent_frame_id, node.timestamp,
             node.payload.text) == 1;
}

// Each row names the next as its parent: the rows are what the walk found, and in its order.
bool IsWalk(const std::vector<SessionNodeRecord>& nodes) {
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i - 1].parent_node_id != nodes[i].node_id) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> AppendNodes(Transaction& transaction, const std::vector<SessionNodeRecord>& nodes) {
  for (const SessionNodeRecord& node : nodes) {
    transaction.Execute("DELETE FROM nodes WHERE node_id = ?1 AND tombstoned = 1", node.node_id);
    if (!Insert(transaction, node)) return node.node_id;
  }
  return std::nullopt;
}

std::optional<std::string> ReplaceNodes(Transaction& transaction, const std::vector<SessionNodeRecord>& nodes) {
  transaction.Execute("DELETE FROM nodes");
  for (const SessionNodeRecord& node : nodes) {
    if (!Insert(transaction, node)) return node.node_id;
  }
  return std::nullopt;
}

std::vector<SessionNodeRecord> LiveNodes(Transaction& transaction) {
  return ReadNodes(
      transaction.Query("SELECT " LEASECHECK_NODE_COLUMNS " FROM nodes WHERE tombstoned = 0 ORDER BY nodes.position"));
}

std::vector<SessionNodeRecord> PathTo(Transaction& transaction, absl::string_view leaf) {
  // UNION, not UNION ALL: a node that was seen adds no row, so a circle of parents ends the walk. CROSS JOIN keeps the order of
  // the tables: from the path to the node, by its key.
  std::vector<SessionNodeRecord> nodes = ReadNodes(
      transaction.Query("WITH RECURSIVE path (position, parent) AS ("
                        "  SELECT position, parent_node_id FROM nodes WHERE node_id = ?1 AND tombstoned = 0"
                        "  UNION"
                        "  SELECT nodes.position, nodes.parent_node_id FROM path CROSS JOIN nodes ON nodes.node_id = path.parent"
                        "  WHERE nodes.tombstoned = 0) "
                        "SELECT " LEASECHECK_NODE_COLUMNS " FROM path CROSS JOIN nodes ON nodes.position = path.position",
                        leaf));
  if (!IsWalk(nodes)) transaction.Fail(absl::InternalError(absl::StrCat("the path to node '", leaf, "' came out of order")));
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

std::optional<SessionNodeRecord> LiveNode(Transaction& transaction, absl::string_view node_id) {
  Rows rows = transaction.Query("SELECT " LEASECHECK_NODE_COLUMNS " FROM nodes WHERE node_id = ?1 AND tombstoned = 0", node_id);
  if (!rows.Next()) return std::nullopt;
  return ReadNode(rows);
}

void Tombstone(Transaction& transaction, absl::string_view node_id) {
  transaction.Execute("UPDATE nodes SET tombstoned = 1 WHERE node_id = ?1 AND tombstoned = 0", node_id);
}

uint64_t RemoveTombstoned(Transaction& transaction) {
  return static_cast<uint64_t>(transaction.Execute("DELETE FROM nodes WHERE tombstoned = 1"));
}

}  // namespace leasecheck::sqlite
