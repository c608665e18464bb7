// The work queue.
#include <algorithm>
#include <limits>
#include <utility>

#include "memstore/json_object.h"
#include "memstore/state_backend_state.h"

namespace leasecheck::memstore {

using state_backend::Database;
using state_backend::DeadLetter;
using state_backend::Done;
using state_backend::kLeaseExpiredError;
using state_backend::NotFound;
using state_backend::ReclaimResult;
using state_backend::Result;
using state_backend::StoreError;
using state_backend::WorkItem;
using state_backend::WorkItemId;

namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr uint32_t kMostDoublings = 6;  // the exponential backoff ends at 2^6 s
constexpr uint32_t kMostSeconds = 64;

tl::unexpected<StoreError> NoSuchItem() { return tl::unexpected<StoreError>(NotFound{"no such item, or not in that state"}); }

uint32_t OneMore(uint32_t attempt) { return attempt == std::numeric_limits<uint32_t>::max() ? attempt : attempt + 1; }

// Nobody holds the item any more.
void Release(WorkItemRow& row) {
  row.item.worker_id.reset();
  row.item.lease_expires_at.reset();
}

}  // namespace

Instant StateBackendState::LeaseEnd(EpochMs now) const {
  constexpr auto kLongest = static_cast<DurationMs>(std::numeric_limits<int64_t>::max());
  return SaturatingAdd(InstantOf(now), static_cast<int64_t>(std::min(choices_.lease_length_ms, kLongest)));
}

std::optional<Instant> StateBackendState::RetryAfter(uint32_t attempt, EpochMs now) const {
  int64_t seconds = 0;
  switch (choices_.backoff) {
    case RetryBackoff::kNone:
      return std::nullopt;
    case RetryBackoff::kBounded:
      seconds = std::min(attempt, kMostSeconds);
      break;
    case RetryBackoff::kExponential:
      seconds = int64_t{1} << std::min(attempt, kMostDoublings);
  }
  return SaturatingAdd(InstantOf(now), seconds * kMsPerSecond);
}

Result<WorkItemId> StateBackendState::EnqueueWorkItem(const state_backend::EnqueueWorkItemRequest& request, EpochMs) {
  if (!TakesFor(request.view, request.item.execution_id)) {
    return tl::unexpected<StoreError>(Database{"the item's execution does not exist"});
  }
  WorkItemRow row;
  row.item = request.item;
  if (request.view.has_value()) row.item.tenant_id = *request.view;
  Release(row);
  if (!items_.Add(std::move(row))) return tl::unexpected<StoreError>(Database{"an item of this id was enqueued before"});
  return request.item.id;
}

Result<std::optional<WorkItem>> StateBackendState::ClaimWorkItem(const state_backend::ClaimWorkItemRequest& request,
                                                                 EpochMs now) {
  const Instant clock = InstantOf(now);
  if (choices_.expired_item == ExpiredItem::kStealing && !request.queue_types.empty()) {
    for (const WorkItemId& id : items_.Expired(request.view, clock)) {
      items_.Change(id, [](WorkItemRow& it) {
        Release(it);
        it.status = WorkStatus::kPending;
        it.retry_after.reset();
      });
    }
  }
  const WorkItemRow* next = items_.NextEligible(request.view, request.queue_types, clock, choices_.claim_order);
  if (next == nullptr) return std::nullopt;
  items_.Change(next->item.id, [&](WorkItemRow& it) {
    it.status = WorkStatus::kClaimed;
    it.item.worker_id = request.worker_id;
    it.item.lease_expires_at = LeaseEnd(now);
  });
  return next->item;
}

Result<Done> StateBackendState::RenewLease(const state_backend::RenewLeaseRequest& request, EpochMs now) {
  const WorkItemRow* row = items_.Find(request.view, request.item_id);
  if (row == nullptr || row->status != WorkStatus::kClaimed || row->item.worker_id != request.worker_id) return NoSuchItem();
  items_.Change(request.item_id, [&](WorkItemRow& it) { it.item.lease_expires_at = LeaseEnd(now); });
  return Done{};
}

template <class Change>
void StateBackendState::Settle(const WorkItemId& id, WorkStatus status, Change&& change) {
  items_.Change(id, [&](WorkItemRow& it) {
    Release(it);
    it.status = status;
    it.retry_after.reset();
    change(it);
  });
}

Result<Done> StateBackendState::CompleteWorkItem(const state_backend::CompleteWorkItemRequest& request, EpochMs) {
  const WorkItemRow* row = items_.Find(request.view, request.item_id);
  if (row == nullptr || row->status == WorkStatus::kFailed || row->status == WorkStatus::kDeadLettered) return NoSuchItem();
  if (row->status != WorkStatus::kCompleted) Settle(request.item_id, WorkStatus::kCompleted, [](WorkItemRow&) {});
  return Done{};
}

Result<Done> StateBackendState::FailWorkItem(const state_backend::FailWorkItemRequest& request, EpochMs) {
  const WorkItemRow* row = items_.Find(request.view, request.item_id);
  if (row == nullptr || row->status == WorkStatus::kCompleted || row->status == WorkStatus::kDeadLettered) return NoSuchItem();
  if (row->status == WorkStatus::kFailed) return Done{};
  const bool requeues = choices_.failed_item == FailedItem::kRequeue;
  Settle(request.item_id, requeues ? WorkStatus::kPending : WorkStatus::kFailed, [&](WorkItemRow& it) {
    it.last_error = request.error;
    if (!requeues) return;
    it.item.attempt = OneMore(it.item.attempt);
    std::optional<OpaqueJson> payload = SetMember(it.item.payload, "last_error", JsonString(request.error));
    if (payload.has_value()) it.item.payload = *std::move(payload);
  });
  return Done{};
}

Result<ReclaimResult> StateBackendState::ReclaimExpiredLeases(const state_backend::ReclaimExpiredLeasesRequest& request,
                                                              EpochMs now) {
  const Instant clock = InstantOf(now);
  ReclaimResult result;
  for (const WorkItemId& id : items_.Expired(request.view, clock)) {
    items_.Change(id, [&](WorkItemRow& it) {
      Release(it);
      it.item.attempt = OneMore(it.item.attempt);
      const bool exhausted = it.item.attempt >= it.item.max_attempts;
      if (exhausted) {
        it.status = WorkStatus::kDeadLettered;
        it.retry_after.reset();
        it.last_error = std::string(kLeaseExpiredError);
        it.dead_lettered_at = clock;
      } else {
        it.status = WorkStatus::kPending;
        it.retry_after = RetryAfter(it.item.attempt, now);
      }
      (exhausted ? result.exhausted : result.retryable).push_back(it.item);
    });
  }
  return result;
}

Result<Done> StateBackendState::MoveToDeadLetter(const state_backend::MoveToDeadLetterRequest& request, EpochMs now) {
  const WorkItemRow* row = items_.Find(request.view, request.item_id);
  if (row == nullptr || row->status == WorkStatus::kCompleted) return NoSuchItem();
  Settle(request.item_id, WorkStatus::kDeadLettered, [&](WorkItemRow& it) {
    it.last_error = request.last_error;
    if (!it.dead_lettered_at.has_value()) it.dead_lettered_at = InstantOf(now);
  });
  return Done{};
}

Result<std::vector<DeadLetter>> StateBackendState::ListDeadLetters(const state_backend::ListDeadLettersRequest&, EpochMs) {
  std::vector<DeadLetter> letters;
  items_.ForEach([&](const WorkItemRow& row) {
    if (row.status != WorkStatus::kDeadLettered) return;
    letters.push_back({row.item.id, row.item.attempt, row.last_error, *row.dead_lettered_at});
  });
  std::sort(letters.begin(), letters.end(), [](const DeadLetter& a, const DeadLetter& b) { return a.id < b.id; });
  return letters;
}

}  // namespace leasecheck::memstore
