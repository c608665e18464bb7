#include "adapters/sqlite/state_backend_event_rows.h"

#include "adapters/sqlite/instant_columns.h"

namespace leasecheck::sqlite {

using codec::UuidText;
using state_backend::Event;
using state_backend::EventSequence;
using state_backend::ExecutionId;
using state_backend::Snapshot;

EventSequence ReadLatestSequence(Transaction& transaction, int64_t execution) {
  Rows rows = transaction.Query("SELECT max(sequence) FROM events WHERE execution = ?1", execution);
  return rows.Next() && !rows.IsNull(0) ? rows.Int(0) : 0;
}

bool AddEvent(Transaction& transaction, int64_t execution, const Event& event) {
  const int64_t added = transaction.Execute("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (event_id) DO NOTHING",
                                            execution, event.sequence, UuidText(event.id), event.kind.text, event.created_at.ms);
  return added == 1;
}

std::vector<Event> ReadEvents(Transaction& transaction, int64_t execution, const ExecutionId& id, EventSequence since) {
  Rows rows = transaction.Query(
      "SELECT event_id, sequence, kind, created_at FROM events WHERE execution = ?1 AND sequence > ?2 ORDER BY sequence",
      execution, since);
  std::vector<Event> events;
  while (rows.Next()) events.push_back({ReadUuid(rows, 0), id, rows.Int(1), {rows.Text(2)}, ReadInstant(rows, 3)});
  return events;
}

void StoreSnapshot(Transaction& transaction, int64_t execution, const Snapshot& snapshot) {
  transaction.Execute("INSERT OR REPLACE INTO snapshots VALUES (?1, ?2, ?3, ?4, ?5)", execution, snapshot.at_sequence,
                      UuidText(snapshot.id), snapshot.state.text, snapshot.created_at.ms);
}

std::optional<Snapshot> ReadLatestSnapshot(Transaction& transaction, int64_t execution, const ExecutionId& id) {
  Rows rows = transaction.Query(
      "SELECT snapshot_id, at_sequence, state, created_at FROM snapshots WHERE execution = ?1 ORDER BY at_sequence DESC LIMIT 1",
      execution);
  if (!rows.Next()) return std::nullopt;
  return Snapshot{ReadUuid(rows, 0), id, rows.Int(1), {rows.Text(2)}, ReadInstant(rows, 3)};
}

}  // namespace leasecheck::sqlite
