// The work queue of the mutants' store.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codec/json.h"
#include "tests/mutants/state_slip_store.h"

namespace leasecheck::mutants {

using namespace state_backend;  // NOLINT(build/namespaces): this file is about little else
using Slip = StateSlip;

namespace {

tl::unexpected<StoreError> Missing() { return tl::unexpected<StoreError>(NotFound{"no such item"}); }
tl::unexpected<StoreError> Refused() { return tl::unexpected<StoreError>(Database{"the tables do not take it"}); }

}  // namespace

StateTables::ItemRow* StateSlipStore::FindItem(const Uuid& id, const View& view) {
  const auto found = tables_.items.find(id);
  return found == tables_.items.end() || !Sees(view, found->second.item.tenant_id) ? nullptr : &found->second;
}

void StateSlipStore::Release(ItemRow& row, Status status) {
  row.status = status;
  row.item.worker_id.reset();
  row.item.lease_expires_at.reset();
}

Result<WorkItemId> StateSlipStore::EnqueueWorkItem(const EnqueueWorkItemRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const ItemRow* there = FindItem(request.item.id, std::nullopt);
  const bool settled = there != nullptr && there->status != Status::kPending && there->status != Status::kClaimed;
  if (there != nullptr && !(settled && (Is(Slip::kSettledIdReused) || liberties_.reuses_settled_ids))) return Refused();
  if (auto error = Standing(request.item.execution_id, request.view)) return tl::unexpected<StoreError>(*std::move(error));
  ItemRow row;
  row.item = request.item;
  const bool claimed = Is(Slip::kEnqueueKeepsLease) && row.item.worker_id.has_value();
  if (!claimed) Release(row, Status::kPending);
  if (claimed) row.status = Status::kClaimed;
  if (request.view.has_value() && !Is(Slip::kViewKeepsCallersTenant)) row.item.tenant_id = *request.view;
  if (!request.view.has_value() && liberties_.items_of_default) row.item.tenant_id = TenantId(kDefaultTenant);
  row.ordinal = ++tables_.serial;
  tables_.items[row.item.id] = std::move(row);
  return request.item.id;
}

// Claims.

bool StateSlipStore::IsExpired(const ItemRow& row, Instant now) const {
  if (row.status != Status::kClaimed || !row.item.lease_expires_at.has_value()) return false;
  const Instant until = *row.item.lease_expires_at;
  return until < now || (Is(Slip::kReclaimInclusive) && until == now);
}

bool StateSlipStore::IsEligible(const ItemRow& row, const ClaimWorkItemRequest& request, Instant now) const {
  const auto& types = request.queue_types;
  const bool any = Is(Slip::kEmptyClaimTakesAny) && types.empty();
  if (!any && std::find(types.begin(), types.end(), row.item.queue_type) == types.end()) return false;
  if (!Sees(request.view, row.item.tenant_id) && !Is(Slip::kViewClaimsForeign)) return false;
  if (Is(Slip::kExpiredClaimable) && IsExpired(row, now)) return true;
  if (row.status != Status::kPending) return false;
  if (!row.retry_after.has_value()) return true;
  return *row.retry_after < now || (*row.retry_after == now && !Is(Slip::kRetryAfterStrict));
}

bool StateSlipStore::ClaimsBefore(const ItemRow& a, const ItemRow& b, const ClaimWorkItemRequest& request) const {
  if (Is(Slip::kClaimInEnqueueOrder)) return a.ordinal < b.ordinal;
  if (liberties_.any_order) return a.item.id < b.item.id;
  if (Is(Slip::kFirstTypeFirst)) {
    const auto& types = request.queue_types;
    const auto place_a = std::find(types.begin(), types.end(), a.item.queue_type);
    const auto place_b = std::find(types.begin(), types.end(), b.item.queue_type);
    if (place_a != place_b) return place_a < place_b;
  }
  if (!(a.item.created_at == b.item.created_at)) return a.item.created_at < b.item.created_at;
  return liberties_.other_ties ? a.ordinal > b.ordinal : a.ordinal < b.ordinal;
}

StateTables::ItemRow* StateSlipStore::PickItem(const ClaimWorkItemRequest& request, Instant now) {
  std::vector<ItemRow*> rows;
  for (auto& [id, row] : tables_.items) {
    // The window of a starving claim is cut before what may be claimed is told from what may not.
    const bool counts = row.status == Status::kPending || row.status == Status::kClaimed;
    if (Is(Slip::kClaimStarves) ? counts : IsEligible(row, request, now)) rows.push_back(&row);
  }
  std::sort(rows.begin(), rows.end(), [&](const ItemRow* a, const ItemRow* b) { return ClaimsBefore(*a, *b, request); });
  if (Is(Slip::kClaimStarves)) {
    constexpr std::size_t kWindow = 3;
    if (rows.size() > kWindow) rows.resize(kWindow);
    std::erase_if(rows, [&](const ItemRow* row) { return !IsEligible(*row, request, now); });
  }
  return rows.empty() ? nullptr : rows.front();
}

void StateSlipStore::Steal(const View& view, Instant now) {
  for (auto& [id, row] : tables_.items) {
    if (!Sees(view, row.item.tenant_id) || !IsExpired(row, now)) continue;
    Release(row, Status::kPending);
    row.retry_after.reset();
  }
}

Result<std::optional<WorkItem>> StateSlipStore::ClaimWorkItem(const ClaimWorkItemRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const Instant now = Now();
  if (liberties_.steals && !request.queue_types.empty()) Steal(request.view, now);
  ItemRow* row = PickItem(request, now);
  if (row == nullptr) return std::nullopt;
  PauseIf(Slip::kDoubleClaim);
  row->status = Status::kClaimed;
  row->item.worker_id = request.worker_id;
  row->item.lease_expires_at = SaturatingAdd(now, LeaseLength());
  row->last_worker = request.worker_id;
  if (Is(Slip::kAttemptAtClaim)) ++row->item.attempt;
  return row->item;
}

Result<Done> StateSlipStore::RenewLease(const RenewLeaseRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  ItemRow* row = FindItem(request.item_id, Is(Slip::kViewRenewsForeign) ? View() : request.view);
  if (row == nullptr) return Missing();
  const bool revives = Is(Slip::kLateHeartbeatRevives) && row->status == Status::kPending &&
                       row->last_worker == request.worker_id && row->retry_after.has_value();
  if (revives) {
    row->status = Status::kClaimed;
    row->item.worker_id = request.worker_id;
  }
  const bool holder = row->item.worker_id == request.worker_id || Is(Slip::kRenewByAnybody);
  if (row->status != Status::kClaimed || !holder) return Missing();
  if (Is(Slip::kRenewRefusesLapsed) && IsExpired(*row, Now())) return Missing();
  const Instant from = Is(Slip::kRenewAdds) && !revives ? *row->item.lease_expires_at : Now();
  row->item.lease_expires_at = SaturatingAdd(from, LeaseLength());
  return Done{};
}

// Settling.

// An item that has ended already; `wanted` is what the call would make of it.
Result<Done> StateSlipStore::Settled(ItemRow& row, Status wanted) {
  if (row.status == wanted) return Done{};
  if (liberties_.rewrites_settled) {
    row.status = wanted;
    return Done{};
  }
  if (Is(Slip::kCompleteTakesLetter) && wanted == Status::kCompleted && row.status == Status::kDead) {
    row.status = wanted;
    return Done{};
  }
  if (liberties_.settled_succeeds) return Done{};
  return Missing();
}

Result<Done> StateSlipStore::CompleteWorkItem(const CompleteWorkItemRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  ItemRow* row = FindItem(request.item_id, request.view);
  if (row == nullptr) {
    if (liberties_.completes_unknown) return Done{};
    return Missing();
  }
  if (row->status != Status::kPending && row->status != Status::kClaimed) return Settled(*row, Status::kCompleted);
  // A sweep that goes by the lease alone finds one that completing leaves behind.
  const std::optional<Instant> lease = row->item.lease_expires_at;
  Release(*row, Status::kCompleted);
  if (Is(Slip::kSweepResurrects)) row->item.lease_expires_at = lease;
  return Done{};
}

Result<Done> StateSlipStore::FailWorkItem(const FailWorkItemRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  ItemRow* row = FindItem(request.item_id, request.view);
  if (row == nullptr) return Missing();
  if (row->status != Status::kPending && row->status != Status::kClaimed) return Settled(*row, Status::kFailed);
  row->last_error = request.error;
  if (!liberties_.requeues && !Is(Slip::kFailRequeues)) {
    Release(*row, Status::kFailed);
    return Done{};
  }
  Release(*row, Status::kPending);
  row->retry_after.reset();
  ++row->item.attempt;
  codec::Json payload = *codec::ParseJson(row->item.payload.text);
  if (payload.is_object()) {
    payload["last_error"] = request.error;
    row->item.payload.text = codec::CanonicalText(payload);
  }
  return Done{};
}

Result<Done> StateSlipStore::MoveToDeadLetter(const MoveToDeadLetterRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  ItemRow* row = FindItem(request.item_id, request.view);
  if (row == nullptr) {
    if (liberties_.letter_of_unknown) return Done{};
    return Missing();
  }
  if (row->status == Status::kCompleted && !liberties_.rewrites_settled) {
    if (liberties_.settled_succeeds) return Done{};
    return Missing();
  }
  if (row->status != Status::kDead) row->dead_at = Now();
  row->last_error = liberties_.drops_letter_text ? "" : request.last_error;
  if (Is(Slip::kLetterKeepsClaim) && row->status == Status::kClaimed) return Done{};
  Release(*row, Status::kDead);
  return Done{};
}

// Reclaims.

int64_t StateSlipStore::Backoff(uint32_t attempt) const {
  if (liberties_.short_backoff) return 1'500;
  const uint32_t most = Is(Slip::kBackoffUncapped) ? 20 : 6;
  return int64_t{1000} << std::min(attempt, most);
}

void StateSlipStore::Expire(ItemRow& row, Instant now, ReclaimResult* result) {
  const std::string worker = row.item.worker_id.value_or("");
  const std::optional<Instant> lease = row.item.lease_expires_at;
  if (!Is(Slip::kReclaimKeepsAttempt)) ++row.item.attempt;
  const uint32_t spent = Is(Slip::kExhaustsOneLate) ? row.item.attempt - 1 : row.item.attempt;
  const bool exhausted = spent >= row.item.max_attempts;
  Release(row, exhausted ? Status::kDead : Status::kPending);
  if (exhausted) {
    row.dead_at = now;
    row.last_error = Is(Slip::kReasonNamesWorker) ? absl::StrCat("the lease of ", worker, " expired") : "lease expired";
    if (Is(Slip::kReasonEmpty)) row.last_error.clear();
  } else if (!Is(Slip::kNoBackoff) && !liberties_.no_backoff) {
    row.retry_after = SaturatingAdd(now, Backoff(row.item.attempt));
  }
  WorkItem shown = row.item;
  if (liberties_.shows_old_holder) {
    shown.worker_id = worker;
    shown.lease_expires_at = lease;
  }
  (exhausted ? result->exhausted : result->retryable).push_back(std::move(shown));
}

// Of an item that had expired when the reclaim looked: a race slip overlooks one thing that happened since, and no other.
bool StateSlipStore::MayExpire(const ItemRow& row, Instant now) const {
  if (Is(Slip::kReclaimOverRenew)) return row.status == Status::kClaimed;
  if (Is(Slip::kReclaimOverComplete)) return IsExpired(row, now) || row.status == Status::kCompleted;
  if (Is(Slip::kReclaimTwice)) return IsExpired(row, now) || row.status == Status::kPending;
  return true;
}

Result<ReclaimResult> StateSlipStore::ReclaimExpiredLeases(const ReclaimExpiredLeasesRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const Instant now = Now();
  std::vector<ItemRow*> expired;
  for (auto& [id, row] : tables_.items) {
    const bool swept = Is(Slip::kSweepResurrects) && row.item.lease_expires_at.has_value() && *row.item.lease_expires_at < now;
    const bool visible = Sees(request.view, row.item.tenant_id) || Is(Slip::kViewReclaimsAll);
    if (visible && (IsExpired(row, now) || swept)) expired.push_back(&row);
  }
  std::sort(expired.begin(), expired.end(), [](const ItemRow* a, const ItemRow* b) {
    return std::make_pair(a->item.created_at.ms, a->ordinal) < std::make_pair(b->item.created_at.ms, b->ordinal);
  });
  if (Is(Slip::kReclaimUnordered)) std::reverse(expired.begin(), expired.end());
  // The race slips write what they have read before they paused.
  PauseIf(Slip::kReclaimOverComplete);
  PauseIf(Slip::kReclaimOverRenew);
  PauseIf(Slip::kReclaimTwice);
  ReclaimResult result;
  for (ItemRow* row : expired) {
    if (MayExpire(*row, now)) Expire(*row, now, &result);
  }
  return result;
}

Result<std::vector<DeadLetter>> StateSlipStore::ListDeadLetters(const ListDeadLettersRequest&) {
  absl::MutexLock lock(&mutex_);
  std::vector<DeadLetter> letters;
  for (const auto& [id, row] : tables_.items) {
    if (row.status == Status::kDead) letters.push_back({id, row.item.attempt, row.last_error, row.dead_at});
  }
  return letters;
}

}  // namespace leasecheck::mutants
