// What a reference store of the state_backend contract holds at one instant, as a value.
#ifndef LEASECHECK_MEMSTORE_STATE_BACKEND_SNAPSHOT_H_
#define LEASECHECK_MEMSTORE_STATE_BACKEND_SNAPSHOT_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "memstore/access_book.h"
#include "memstore/definition_shelf.h"
#include "memstore/event_log.h"
#include "memstore/execution_book.h"
#include "memstore/shared_value.h"
#include "memstore/snapshot_shelf.h"
#include "memstore/work_items.h"

namespace leasecheck::memstore {

// In canonical order, so that equal stores give equal contents, however they came to be. No token's text is in it.
struct StateBackendContents {
  std::vector<DefinitionShelf::Definition> definitions;  // as they were put
  std::vector<ExecutionRow> executions;                  // as they were created
  std::vector<std::vector<EventLog::Entry>> logs;        // by execution
  std::vector<SnapshotShelf::Entry> snapshots;           // by execution and at_sequence
  std::vector<WorkItemRow> items;                        // as they were enqueued
  std::vector<TokenRow> tokens;                          // as they were created
  std::vector<state_backend::Tenant> tenants;            // by created_at, of equals as they were created

  friend bool operator==(const StateBackendContents& a, const StateBackendContents& b) {
    const auto same = [](const auto& x, const auto& y) { return SameValue(x, y); };
    const auto same_list = [&](const auto& x, const auto& y) { return std::equal(x.begin(), x.end(), y.begin(), y.end(), same); };
    return same_list(a.definitions, b.definitions) && a.executions == b.executions &&
           std::equal(a.logs.begin(), a.logs.end(), b.logs.begin(), b.logs.end(), same_list) &&
           same_list(a.snapshots, b.snapshots) && a.items == b.items && a.tokens == b.tokens && a.tenants == b.tenants;
  }
};

// A snapshot of a StateBackend: copied in constant time, compared and hashed by value. Only a store makes one; any store takes it
// back, as often as wanted. Thread-safe as a value: it never changes.
class StateBackendSnapshot {
 public:
  explicit StateBackendSnapshot(StateBackendContents contents)
      : contents_(std::make_shared<const StateBackendContents>(std::move(contents))) {}

  const StateBackendContents& contents() const { return *contents_; }

  friend bool operator==(const StateBackendSnapshot& a, const StateBackendSnapshot& b) {
    return a.contents_ == b.contents_ || *a.contents_ == *b.contents_;
  }
  // Over the parts that tell states apart in practice; the rest is left to ==.
  template <typename H>
  friend H AbslHashValue(H h, const StateBackendSnapshot& snapshot) {
    const StateBackendContents& contents = *snapshot.contents_;
    h = H::combine(std::move(h), contents.definitions.size(), contents.snapshots.size(), contents.tokens.size(),
                   contents.tenants.size());
    for (const ExecutionRow& row : contents.executions) {
      h = H::combine(std::move(h), row.record->execution_id, row.record->status, row.record->current_state,
                     row.record->updated_at);
    }
    for (const auto& log : contents.logs) h = H::combine(std::move(h), log.front()->execution_id, log.size());
    for (const WorkItemRow& row : contents.items) {
      h = H::combine(std::move(h), row.item.id, row.status, row.item.attempt, row.retry_after.value_or(kFirstInstant),
                     row.item.lease_expires_at.value_or(kFirstInstant));
    }
    return h;
  }

 private:
  std::shared_ptr<const StateBackendContents> contents_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_STATE_BACKEND_SNAPSHOT_H_
