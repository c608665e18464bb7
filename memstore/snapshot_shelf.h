// The snapshots of a state_backend store's executions.
#ifndef LEASECHECK_MEMSTORE_SNAPSHOT_SHELF_H_
#define LEASECHECK_MEMSTORE_SNAPSHOT_SHELF_H_

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "model/state_backend/event_values.h"

namespace leasecheck::memstore {

// At most one an execution and at_sequence. Every call costs a logarithm of the snapshots held. Not thread-safe.
class SnapshotShelf {
 public:
  using Entry = std::shared_ptr<const state_backend::Snapshot>;

  // Over what the execution has at this at_sequence.
  void Put(Entry snapshot) { kept_[Key(snapshot->execution_id, snapshot->at_sequence)] = std::move(snapshot); }

  // The execution's snapshot with the greatest at_sequence, or null.
  Entry Latest(const state_backend::ExecutionId& id) const {
    auto behind = kept_.upper_bound(Key(id, std::numeric_limits<state_backend::EventSequence>::max()));
    if (behind == kept_.begin()) return nullptr;
    --behind;
    return behind->first.first == id ? behind->second : nullptr;
  }

  // By execution and at_sequence.
  std::vector<Entry> All() const {
    std::vector<Entry> all;
    all.reserve(kept_.size());
    for (const auto& [key, snapshot] : kept_) all.push_back(snapshot);
    return all;
  }
  void Clear() { kept_.clear(); }

 private:
  using Key = std::pair<state_backend::ExecutionId, state_backend::EventSequence>;
  absl::btree_map<Key, Entry> kept_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_SNAPSHOT_SHELF_H_
