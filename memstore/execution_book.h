// The executions of a state_backend store, found by id and listed by time.
#ifndef LEASECHECK_MEMSTORE_EXECUTION_BOOK_H_
#define LEASECHECK_MEMSTORE_EXECUTION_BOOK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "memstore/shared_value.h"
#include "memstore/state_backend_choices.h"
#include "memstore/tenant_scope.h"
#include "model/instant.h"
#include "model/state_backend/workflow_values.h"

namespace leasecheck::memstore {

// An execution and whose it is. The record is shared with snapshots and never changes: a new one takes its place.
struct ExecutionRow {
  state_backend::TenantId tenant;
  std::shared_ptr<const state_backend::WorkflowExecution> record;
  friend bool operator==(const ExecutionRow& a, const ExecutionRow& b) {
    return a.tenant == b.tenant && SameValue(a.record, b.record);
  }
};

// Finding costs no walk, adding and changing the logarithm of the executions held, a page of a list the rows that it skips and
// returns. Not thread-safe.
class ExecutionBook {
 public:
  explicit ExecutionBook(ListOrder order) : order_(order) {}
  ExecutionBook(const ExecutionBook&) = delete;
  ExecutionBook& operator=(const ExecutionBook&) = delete;

  // False, without effect, where an execution of this id is there.
  bool Add(ExecutionRow row);

  // The execution, where the view sees it; else null. Borrowed until the next change of the book.
  const ExecutionRow* Find(const TenantScope& view, const state_backend::ExecutionId& id) const;

  // Puts the record in the place of the one with its id, which is there.
  void Replace(state_backend::WorkflowExecution record);

  // What the view sees, of one status or all, late to early, of equals the one that was added later first: `limit` of them behind
  // the first `offset`.
  std::vector<state_backend::WorkflowExecution> List(const TenantScope& view,
                                                     const std::optional<state_backend::WorkflowStatus>& status, uint32_t limit,
                                                     uint32_t offset) const;

  // In the order in which they were added.
  std::vector<ExecutionRow> All() const;
  void Clear();

 private:
  struct Entry {
    ExecutionRow row;
    uint64_t place = 0;  // in the order of the adds
  };
  struct Listed {
    Instant time;
    uint64_t place = 0;
    const Entry* entry = nullptr;
    bool operator<(const Listed& other) const { return time == other.time ? place > other.place : time > other.time; }
  };
  // The lists that pages are cut from: of all or one tenant, of all or one status.
  using ListKey = std::pair<TenantScope, std::optional<state_backend::WorkflowStatus>>;

  Instant TimeOf(const Entry& entry) const;
  template <class Visit>
  void ForEachListOf(const Entry& entry, Visit&& visit);
  void Enlist(const Entry& entry);
  void Delist(const Entry& entry);

  const ListOrder order_;
  absl::flat_hash_map<state_backend::ExecutionId, std::unique_ptr<Entry>> entries_;
  absl::flat_hash_map<ListKey, absl::btree_set<Listed>> lists_;
  uint64_t adds_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_EXECUTION_BOOK_H_
