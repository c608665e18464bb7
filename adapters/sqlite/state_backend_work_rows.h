// The work queue as rows.
#ifndef LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_WORK_ROWS_H_
#define LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_WORK_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/sqlite/state_backend_workflow_rows.h"
#include "adapters/sqlite/transaction.h"
#include "model/state_backend/work_values.h"

namespace leasecheck::sqlite {

enum class ItemStatus { kPending, kClaimed, kCompleted, kFailed, kDeadLettered };

// A row of `items`; the columns that follow from these are written with it.
struct ItemRow {
  int64_t place = 0;
  state_backend::WorkItem item;  // worker_id and lease_expires_at exactly while it is claimed
  ItemStatus status = ItemStatus::kPending;
  std::optional<Instant> retry_after;
  std::string last_error;
  std::optional<Instant> dead_lettered_at;
};

// False, without effect, where an item of this id was ever added. `execution` is the place of its execution; row.place is not
// used.
bool AddItem(Transaction& transaction, int64_t execution, const ItemRow& row);
// None where the view sees no such item.
std::optional<ItemRow> ReadItem(Transaction& transaction, const TenantScope& view, const state_backend::WorkItemId& id);
// Replaces what of the row at row.place can change.
void WriteItem(Transaction& transaction, const ItemRow& row);

// Lets the items whose retry has come at `now` be found by NextEligible. Costs what it lets through.
void AdmitRetries(Transaction& transaction, Instant now);
// The item that a claim takes. Looks at no item that is not eligible, but for a clock that went back.
std::optional<ItemRow> NextEligible(Transaction& transaction, const TenantScope& view,
                                    const std::vector<std::string>& queue_types, Instant now);
// The visible items whose lease ended before `now`, by created_at and then in the order of the adds.
std::vector<ItemRow> ExpiredItems(Transaction& transaction, const TenantScope& view, Instant now);
// By id.
std::vector<state_backend::DeadLetter> ReadBuriedItems(Transaction& transaction);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_WORK_ROWS_H_
