// The event logs of a state_backend store's executions.
#ifndef LEASECHECK_MEMSTORE_EVENT_LOG_H_
#define LEASECHECK_MEMSTORE_EVENT_LOG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "memstore/state_backend_choices.h"
#include "model/state_backend/event_values.h"

namespace leasecheck::memstore {

// Appending costs no walk, reading from a number on the logarithm of the log and what it returns. Not thread-safe.
class EventLog {
 public:
  using Entry = std::shared_ptr<const state_backend::Event>;

  explicit EventLog(Numbering numbering) : numbering_(numbering) {}

  // Appends the event under the next number, and returns that; nothing, without effect, where an event of its id is in any log.
  std::optional<state_backend::EventSequence> Append(state_backend::Event event);

  // The events of the execution with a number above `since`, by number. Borrowed until the next change.
  absl::Span<const Entry> Since(const state_backend::ExecutionId& id, state_backend::EventSequence since) const;

  // The number of the execution's last event, or 0.
  state_backend::EventSequence Latest(const state_backend::ExecutionId& id) const;

  // Each execution's log, by execution, and back.
  std::vector<std::vector<Entry>> All() const;
  void Restore(const std::vector<std::vector<Entry>>& logs);

 private:
  const Numbering numbering_;
  absl::flat_hash_map<state_backend::ExecutionId, std::vector<Entry>> logs_;
  absl::flat_hash_set<Uuid> ids_;  // of all events
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_EVENT_LOG_H_
