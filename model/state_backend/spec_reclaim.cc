// Reclaims: every expired item of the view, in one step.
#include <algorithm>
#include <string>
#include <vector>

#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend::spec_internal {

std::optional<Moment> BackoffOf(const Judge& judge, uint32_t attempt) {
  constexpr DurationMs kLongest = 64'000;
  if (judge.Declares("SB-LAT-17", "none")) return std::nullopt;
  if (judge.Declares("SB-LAT-17", "bounded")) return Moment{judge.Clock(), judge.Stamp(kLongest).to};
  return judge.Stamp(DurationMs{1000} << std::min<uint32_t>(attempt, 6));
}

namespace {

using Items = std::vector<WorkItem>;

uint32_t NextAttempt(const Item& item) { return item.attempt == UINT32_MAX ? item.attempt : item.attempt + 1; }
bool Exhausts(const Item& item) { return NextAttempt(item) >= item.work->max_attempts; }

bool MayExpire(const Judge& judge, const Item& item, const View& view) {
  return item.stage == Stage::kClaimed && Sees(view, item.work->tenant_id) && HasExpired(item, judge.Clock()) != Likely::kNo;
}
bool MustExpire(const Judge& judge, const Item& item, const View& view) {
  return MayExpire(judge, item, view) && HasExpired(item, judge.Clock()) == Likely::kYes;
}

// An item that is listed and may not be.
Verdict BlameListed(const Judge& judge, const Item* item, const View& view) {
  if (item == nullptr) return Refuse<"SB-RCL-9">();
  if (!Sees(view, item->work->tenant_id)) return Refuse<"SB-TEN-10">();
  switch (item->stage) {
    case Stage::kClaimed:
      return Refuse<"SB-RCL-1">();
    case Stage::kPending:
      return judge.state.memory->reclaimed ? Refuse<"SB-RCL-10">() : Refuse<"SB-RCL-12">();
    default:
      return item->ends == kCompleted ? Refuse<"SB-CMP-7">() : Refuse<"SB-RCL-12">();
  }
}

Verdict CheckCopy(const Judge& judge, const Item& item, const WorkItem& shown, bool exhausted) {
  if (shown.attempt != NextAttempt(item)) return shown.attempt == item.attempt ? Refuse<"SB-RCL-2">() : Refuse<"SB-RCL-7">();
  if (Exhausts(item) != exhausted) return exhausted ? Refuse<"SB-RCL-3">() : Refuse<"SB-RCL-4">();
  if (!ShowsWork(judge.state, item, shown)) return Refuse<"SB-RCL-7">();
  return item.unscoped || shown.tenant_id == item.work->tenant_id ? kAllowed : Refuse<"SB-TEN-15">();
}

bool Lists(const Items& items, const WorkItemId& id) {
  return std::any_of(items.begin(), items.end(), [&](const WorkItem& item) { return item.id == id; });
}

Verdict CheckList(const Judge& judge, const Items& items, const View& view, bool exhausted) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item* item = judge.state.FindItem(items[i].id);
    if (item == nullptr || !MayExpire(judge, *item, view)) return BlameListed(judge, item, view);
    if (Verdict refused = CheckCopy(judge, *item, items[i], exhausted)) return refused;
    for (std::size_t k = 0; k < i; ++k) {
      if (items[k].id == items[i].id) return Refuse<"SB-INV-6">();
    }
    if (i > 0 && items[i].created_at < items[i - 1].created_at && !judge.MemoryPreset()) return Refuse<"SB-RCL-8">();
  }
  return kAllowed;
}

Verdict CheckAll(const Judge& judge, const View& view, const ReclaimResult& result) {
  if (Verdict refused = CheckList(judge, result.retryable, view, false)) return refused;
  if (Verdict refused = CheckList(judge, result.exhausted, view, true)) return refused;
  for (const Item& item : *judge.state.items) {
    const bool listed = Lists(result.retryable, item.id()) || Lists(result.exhausted, item.id());
    if (listed || !MustExpire(judge, item, view)) continue;
    if (!view.has_value() && item.work->tenant_id != kDefaultTenant && !item.unscoped) return Refuse<"SB-TEN-15">();
    return item.attempt > item.work->attempt ? Refuse<"SB-INV-6">() : Refuse<"SB-RCL-1">();
  }
  return kAllowed;
}

void CountReclaimed(const Judge& judge, const Item& item) {
  const bool exhausted = Exhausts(item);
  judge.Held<"SB-RCL-1">();
  judge.Held<"SB-RCL-2">();
  judge.Held<"SB-RCL-3">(!exhausted);
  judge.Held<"SB-RCL-4">(exhausted);
  judge.Held<"SB-RCL-7">();
  judge.Held<"SB-RCL-11">(judge.state.FindLog(item.work->execution_id) != nullptr);
}

void CountSpared(const Judge& judge, const Item& item, const View& view, bool reclaims) {
  const bool visible = Sees(view, item.work->tenant_id);
  judge.Refused<"SB-RCL-1">(item.stage == Stage::kClaimed && visible && item.lease == Moment::At(judge.Clock()));
  judge.Held<"SB-RCL-12">(reclaims && visible && item.stage != Stage::kClaimed);
  judge.Held<"SB-CMP-7">(item.ends == kCompleted);
  judge.Refused<"SB-DLQ-5">(item.ends == kDead);
  judge.Refused<"SB-TEN-10">(!visible && item.stage == Stage::kClaimed && HasExpired(item, judge.Clock()) == Likely::kYes);
}

void Count(Judge& judge, const View& view, const ReclaimResult& result) {
  const bool reclaims = !result.retryable.empty() || !result.exhausted.empty();
  for (const Item& item : *judge.state.items) {
    if (MayExpire(judge, item, view)) {
      CountReclaimed(judge, item);
    } else {
      CountSpared(judge, item, view, reclaims);
    }
  }
  judge.Held<"SB-RCL-8">(result.retryable.size() > 1 || result.exhausted.size() > 1);
  judge.Refused<"SB-RCL-9">(!reclaims);
  judge.Refused<"SB-RCL-10">(!reclaims && judge.state.memory->reclaimed);
  judge.Refused<"SB-TEN-12">(view.has_value() && IsRegistered(judge, *view) == Registered::kNo);
}

void Expire(const Judge& judge, SpecState& state, const WorkItemId& id) {
  const Item* item = state.FindItem(id);
  Lose(judge, state, *item);
  Item& own = Edit(state, item);
  own.attempt = NextAttempt(own);
  if (own.attempt >= own.work->max_attempts) {
    Settle(own, kDead);
    own.letter = Share(Letter{std::nullopt, judge.Stamp()});
    return;
  }
  own.stage = Stage::kPending;
  own.worker = nullptr;
  own.lease = Moment();
  own.retry_after = BackoffOf(judge, own.attempt);
}

// A reclaim that nobody saw: of items that may have expired, each was taken or not.
void ReclaimUnseen(Judge& judge, const View& view) {
  std::vector<SpecState> states = {judge.state};
  for (const Item& item : std::vector<Item>(*judge.state.items)) {
    if (!MayExpire(judge, item, view)) continue;
    const std::size_t count = states.size();
    const bool sure = MustExpire(judge, item, view);
    for (std::size_t i = 0; i < count; ++i) {
      if (!sure) states.push_back(states[i]);
      Expire(judge, states[i], item.id());
    }
    for (std::size_t i = count; i < states.size(); ++i) Edit(states[i], states[i].FindItem(item.id())).lease.from = judge.Clock();
  }
  judge.state = std::move(states.front());
  for (std::size_t i = 1; i < states.size(); ++i) judge.AddAlternative(std::move(states[i]));
}

}  // namespace

Verdict JudgeCall(Judge& judge, const ReclaimExpiredLeasesRequest& request, const Answer<ReclaimResult>& answer) {
  if (answer.error != nullptr) return RefuseError<"SB-RCL-9">(judge, answer);
  if (answer.unseen) {
    ReclaimUnseen(judge, request.view);
    return kAllowed;
  }
  const ReclaimResult& result = *answer.response;
  if (Verdict refused = CheckAll(judge, request.view, result)) return refused;
  if (judge.counting()) Count(judge, request.view, result);
  for (const Item& item : std::vector<Item>(*judge.state.items)) {
    if (!MayExpire(judge, item, request.view)) continue;
    const auto shown = [&](const WorkItem& work) { return work.id == item.id(); };
    const Items& list = Lists(result.exhausted, item.id()) ? result.exhausted : result.retryable;
    const auto found = std::find_if(list.begin(), list.end(), shown);
    if (found == list.end()) {
      Edit(judge.state, judge.state.FindItem(item.id())).lease.from = judge.Clock();
      continue;
    }
    TakeWork(judge.state, item, *found);
    Expire(judge, judge.state, item.id());
  }
  if (judge.counting()) judge.state.memory.Edit().reclaimed = !result.retryable.empty() || !result.exhausted.empty();
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
