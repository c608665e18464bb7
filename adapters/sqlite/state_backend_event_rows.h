// Events and snapshots as rows. Executions are named by their place (PlaceOfExecution).
#ifndef LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_EVENT_ROWS_H_
#define LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_EVENT_ROWS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "adapters/sqlite/transaction.h"
#include "model/state_backend/event_values.h"

namespace leasecheck::sqlite {

// The number of the execution's last event, or 0.
state_backend::EventSequence ReadLatestSequence(Transaction& transaction, int64_t execution);
// False, without effect, where an event of this id is there. The event has its number.
bool AddEvent(Transaction& transaction, int64_t execution, const state_backend::Event& event);
// The events with a number above `since`, by number.
std::vector<state_backend::Event> ReadEvents(Transaction& transaction, int64_t execution, const state_backend::ExecutionId& id,
                                             state_backend::EventSequence since);

// Over the one that the execution has of this at_sequence.
void StoreSnapshot(Transaction& transaction, int64_t execution, const state_backend::Snapshot& snapshot);
// The one with the greatest at_sequence.
std::optional<state_backend::Snapshot> ReadLatestSnapshot(Transaction& transaction, int64_t execution,
                                                          const state_backend::ExecutionId& id);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_EVENT_ROWS_H_
