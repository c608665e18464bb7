// The work queue's calls.
#include <algorithm>
#include <limits>
#include <utility>

#include "adapters/sqlite/state_backend.h"
#include "adapters/sqlite/state_backend_work_rows.h"
#include "adapters/sqlite/transaction.h"

namespace leasecheck::sqlite {
namespace {

using state_backend::DeadLetter;
using state_backend::Done;
using state_backend::kLeaseExpiredError;
using state_backend::kLeaseLengthMs;
using state_backend::NotFound;
using state_backend::ReclaimResult;
using state_backend::Result;
using state_backend::StoreError;
using state_backend::WorkItem;
using state_backend::WorkItemId;

constexpr uint32_t kLongestBackoff = 6;  // 2^6 seconds
constexpr uint32_t kLastAttempt = std::numeric_limits<uint32_t>::max();

tl::unexpected<StoreError> NoSuchItem() { return Fails<StoreError>(NotFound{"no such item, or not in that state"}); }

Instant LeaseEnd(EpochMs now) { return SaturatingAdd(InstantOf(now), int64_t{kLeaseLengthMs}); }

// Nobody holds the item, or waits for it.
void Release(ItemRow& row, ItemStatus status) {
  row.status = status;
  row.item.worker_id.reset();
  row.item.lease_expires_at.reset();
  row.retry_after.reset();
}

void BuryRow(ItemRow& row, absl::string_view last_error, EpochMs now) {
  Release(row, ItemStatus::kDeadLettered);
  row.last_error = std::string(last_error);
  if (!row.dead_lettered_at.has_value()) row.dead_lettered_at = InstantOf(now);
}

}  // namespace

Result<WorkItemId> StateBackend::EnqueueWorkItem(const state_backend::EnqueueWorkItemRequest& request) {
  ItemRow row;
  row.item = request.item;
  if (request.view.has_value()) row.item.tenant_id = *request.view;
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<WorkItemId> {
    const std::optional<int64_t> execution = PlaceOfExecution(transaction, request.view, request.item.execution_id);
    if (!execution.has_value()) return Fails<StoreError>(state_backend::Database{"the item's execution does not exist"});
    if (!AddItem(transaction, *execution, row)) {
      return Fails<StoreError>(state_backend::Database{"an item of this id was enqueued before"});
    }
    return row.item.id;
  });
}

Result<std::optional<WorkItem>> StateBackend::ClaimWorkItem(const state_backend::ClaimWorkItemRequest& request) {
  if (request.queue_types.empty()) return std::nullopt;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<WorkItem>> {
    const Instant clock = InstantOf(now);
    AdmitRetries(transaction, clock);
    std::optional<ItemRow> row = NextEligible(transaction, request.view, request.queue_types, clock);
    if (!row.has_value()) return std::nullopt;
    row->status = ItemStatus::kClaimed;
    row->item.worker_id = request.worker_id;
    row->item.lease_expires_at = LeaseEnd(now);
    WriteItem(transaction, *row);
    return row->item;
  });
}

Result<Done> StateBackend::RenewLease(const state_backend::RenewLeaseRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<Done> {
    std::optional<ItemRow> row = ReadItem(transaction, request.view, request.item_id);
    const bool holds = row.has_value() && row->status == ItemStatus::kClaimed && row->item.worker_id == request.worker_id;
    if (!holds) return NoSuchItem();
    row->item.lease_expires_at = LeaseEnd(now);
    WriteItem(transaction, *row);
    return Done{};
  });
}

Result<Done> StateBackend::CompleteWorkItem(const state_backend::CompleteWorkItemRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    std::optional<ItemRow> row = ReadItem(transaction, request.view, request.item_id);
    if (!row.has_value() || row->status == ItemStatus::kFailed || row->status == ItemStatus::kDeadLettered) return NoSuchItem();
    if (row->status == ItemStatus::kCompleted) return Done{};
    Release(*row, ItemStatus::kCompleted);
    WriteItem(transaction, *row);
    return Done{};
  });
}

Result<Done> StateBackend::FailWorkItem(const state_backend::FailWorkItemRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    std::optional<ItemRow> row = ReadItem(transaction, request.view, request.item_id);
    if (!row.has_value() || row->status == ItemStatus::kCompleted || row->status == ItemStatus::kDeadLettered) {
      return NoSuchItem();
    }
    if (row->status == ItemStatus::kFailed) return Done{};
    Release(*row, ItemStatus::kFailed);
    row->last_error = request.error;
    WriteItem(transaction, *row);
    return Done{};
  });
}

Result<ReclaimResult> StateBackend::ReclaimExpiredLeases(const state_backend::ReclaimExpiredLeasesRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<ReclaimResult> {
    const Instant clock = InstantOf(now);
    ReclaimResult result;
    for (ItemRow& row : ExpiredItems(transaction, request.view, clock)) {
      if (row.item.attempt != kLastAttempt) ++row.item.attempt;
      const bool exhausted = row.item.attempt >= row.item.max_attempts;
      if (exhausted) {
        BuryRow(row, kLeaseExpiredError, now);
      } else {
        Release(row, ItemStatus::kPending);
        row.retry_after = SaturatingAdd(clock, int64_t{1000} << std::min(row.item.attempt, kLongestBackoff));
      }
      WriteItem(transaction, row);
      (exhausted ? result.exhausted : result.retryable).push_back(std::move(row.item));
    }
    return result;
  });
}

Result<Done> StateBackend::MoveToDeadLetter(const state_backend::MoveToDeadLetterRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<Done> {
    std::optional<ItemRow> row = ReadItem(transaction, request.view, request.item_id);
    if (!row.has_value() || row->status == ItemStatus::kCompleted) return NoSuchItem();
    BuryRow(*row, request.last_error, now);
    WriteItem(transaction, *row);
    return Done{};
  });
}

Result<std::vector<DeadLetter>> StateBackend::ListDeadLetters(const state_backend::ListDeadLettersRequest&) {
  return database_->Read(
      [&](Transaction& transaction, EpochMs) -> Result<std::vector<DeadLetter>> { return ReadBuriedItems(transaction); });
}

}  // namespace leasecheck::sqlite
