// Claims: which item has to be handed out, which may be, and which clause a wrong answer breaks.
#include <algorithm>
#include <string>
#include <vector>

#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend::spec_internal {
namespace {

bool Asks(const ClaimWorkItemRequest& request, absl::string_view queue_type) {
  return std::find(request.queue_types.begin(), request.queue_types.end(), queue_type) != request.queue_types.end();
}

Likely Eligible(const Item& item, const ClaimWorkItemRequest& request, Instant clock) {
  if (item.stage != Stage::kPending || !Asks(request, item.work->queue_type)) return Likely::kNo;
  return Sees(request.view, item.work->tenant_id) ? IsDue(item, clock) : Likely::kNo;
}

// Stealing (SB-LAT-16): a claim with a queue type makes every expired item of the view pending again.

bool StealsFrom(const Judge& judge, const ClaimWorkItemRequest& request, const Item& item) {
  return item.stage == Stage::kClaimed && Sees(request.view, item.work->tenant_id) &&
         HasExpired(item, judge.Clock()) != Likely::kNo;
}

void TakeBack(const Judge& judge, SpecState& state, const WorkItemId& id) {
  const Item* item = state.FindItem(id);
  Lose(judge, state, *item);
  Item& own = Edit(state, item);
  own.stage = Stage::kPending;
  own.worker = nullptr;
  own.lease = Moment();
  own.retry_after.reset();
}

// The states in which the claim then chooses: one, unless it is not known whether some lease has run out.
std::vector<SpecState> AfterStealing(const Judge& judge, const ClaimWorkItemRequest& request) {
  std::vector<SpecState> states = {judge.state};
  if (!judge.Steals() || request.queue_types.empty()) return states;
  for (const Item& item : *judge.state.items) {
    if (!StealsFrom(judge, request, item)) continue;
    const bool sure = HasExpired(item, judge.Clock()) == Likely::kYes;
    judge.Held<"SB-LAT-16">(sure);
    const std::size_t count = states.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (!sure) states.push_back(states[i]);
      TakeBack(judge, states[i], item.id());
    }
    for (std::size_t i = count; i < states.size(); ++i) Edit(states[i], states[i].FindItem(item.id())).lease.from = judge.Clock();
  }
  return states;
}

// What is handed out.

WorkItem ClaimedCopy(const Judge& judge, const Item& item, const ClaimWorkItemRequest& request) {
  WorkItem copy = *item.work;
  copy.attempt = item.attempt;
  copy.worker_id = request.worker_id;
  copy.lease_expires_at = judge.Stamp(judge.LeaseLength()).from;
  return copy;
}

Verdict CheckCopy(const Judge& judge, const SpecState& state, const Item& item, const ClaimWorkItemRequest& request,
                  const WorkItem& shown) {
  const WorkItem expected = ClaimedCopy(judge, item, request);
  if (shown.worker_id != expected.worker_id || !shown.lease_expires_at.has_value()) return Refuse<"SB-CLM-6">();
  if (!judge.Stamp(judge.LeaseLength()).Includes(*shown.lease_expires_at)) return Refuse<"SB-CLM-6">();
  if (shown.attempt != expected.attempt) {
    return item.attempt == item.work->attempt ? Refuse<"SB-CLM-6">() : Refuse<"SB-RCL-2">();
  }
  if (!ShowsWork(state, item, shown)) return Refuse<"SB-ENQ-3">();
  const bool tenant = shown.tenant_id == item.work->tenant_id;
  if (item.unscoped) {
    // A tenant that may be the item's tells which of the two it is; any other means nothing (SB-LAT-24).
    return tenant || judge.state.callers == Choice::kOpen || shown.tenant_id != kDefaultTenant ? kAllowed : Refuse<"SB-TEN-15">();
  }
  if (tenant) return kAllowed;
  return request.view.has_value() ? Refuse<"SB-TEN-11">() : Refuse<"SB-TEN-15">();
}

// An item that may not be handed out.
Verdict BlameGrant(const Judge& judge, const Item* item, const ClaimWorkItemRequest& request, bool sees) {
  if (item == nullptr) return Refuse<"SB-INV-4">();
  if (!sees) return Refuse<"SB-TEN-10">();
  if (item->stage == Stage::kSettled) {
    const bool exhausted = item->ends == kDead && !item->letter->last_error.has_value();
    return exhausted ? Refuse<"SB-RCL-4">() : BlameSettled(*item);
  }
  if (item->stage == Stage::kClaimed) {
    return HasExpired(*item, judge.Clock()) == Likely::kYes ? Refuse<"SB-CLM-9">() : Refuse<"SB-CLM-7">();
  }
  return IsDue(*item, judge.Clock()) == Likely::kNo && Asks(request, item->work->queue_type) ? Refuse<"SB-RCL-6">()
                                                                                             : Refuse<"SB-CLM-3">();
}

// An eligible item that no claim may answer none over.
Verdict BlameNone(const Judge& judge, const Item& item) {
  if (item.retry_after.has_value() && item.retry_after->to == judge.Clock()) return Refuse<"SB-CLM-3">();
  if (item.retry_after.has_value()) return Refuse<"SB-RCL-3">();
  return item.unscoped || item.work->tenant_id == kDefaultTenant ? Refuse<"SB-INV-20">() : Refuse<"SB-TEN-15">();
}

bool HasRivals(const Judge& judge, const ClaimWorkItemRequest& request) {
  return AnyRival<ClaimWorkItemRequest>(judge, [&](const ClaimWorkItemRequest& other) {
    return std::any_of(other.queue_types.begin(), other.queue_types.end(),
                       [&](const std::string& type) { return Asks(request, type); });
  });
}

void CountGrant(const Judge& judge, const Item& item, const ClaimWorkItemRequest& request, const SpecState& state) {
  const std::vector<std::string>& types = request.queue_types;
  judge.Held<"SB-CLM-3">();
  judge.Held<"SB-CLM-6">();
  judge.Held<"SB-CLM-8">();
  judge.Held<"SB-CLM-11">(request.worker_id.empty() || std::count(types.begin(), types.end(), item.work->queue_type) > 1);
  judge.Held<"SB-ENQ-2">(item.attempt == item.work->attempt);
  judge.Held<"SB-ENQ-3">();
  judge.Held<"SB-INV-20">(HasRivals(judge, request));
  judge.Held<"SB-RCL-2">(item.attempt > item.work->attempt);
  judge.Held<"SB-RCL-6">(item.retry_after.has_value());
  judge.Held<"SB-TEN-15">(!request.view.has_value() && !item.unscoped && item.work->tenant_id != kDefaultTenant);
  judge.Held<"SB-TEN-11">(request.view.has_value());
  for (const Item& other : *state.items) {
    const bool younger =
        Eligible(other, request, judge.Clock()) == Likely::kYes && item.work->created_at < other.work->created_at;
    judge.Held<"SB-CLM-4">(younger);
    judge.Held<"SB-CLM-10">(younger && item.attempt > item.work->attempt);
  }
}

// What the claim left behind, of all that it might have taken.
void CountSpared(const Judge& judge, const ClaimWorkItemRequest& request, const SpecState& state) {
  if (request.queue_types.empty()) return;
  for (const Item& item : *state.items) {
    const bool visible = Sees(request.view, item.work->tenant_id);
    const bool asked = Asks(request, item.work->queue_type);
    const bool claimed = item.stage == Stage::kClaimed && visible && asked;
    judge.Refused<"SB-CLM-7">(claimed && HasExpired(item, judge.Clock()) == Likely::kNo);
    judge.Refused<"SB-CLM-9">(claimed && HasExpired(item, judge.Clock()) == Likely::kYes);
    judge.Refused<"SB-CLM-3">(item.stage == Stage::kPending && visible && !asked);
    judge.Refused<"SB-TEN-10">(item.stage == Stage::kPending && asked && !visible);
    judge.Refused<"SB-DLQ-5">(item.ends == kDead && asked);
    judge.Held<"SB-CMP-1">(item.ends == kCompleted && asked);
    judge.Refused<"SB-CLM-3">(item.stage == Stage::kPending && visible && asked && IsDue(item, judge.Clock()) == Likely::kNo);
  }
}

void CountNone(const Judge& judge, const ClaimWorkItemRequest& request) {
  judge.Refused<"SB-CLM-1">();
  judge.Refused<"SB-CLM-2">(request.queue_types.empty() && !judge.state.items->empty());
  judge.Refused<"SB-TEN-12">(request.view.has_value() && IsRegistered(judge, *request.view) == Registered::kNo);
}

void Count(const Judge& judge, const ClaimWorkItemRequest& request, const WorkItem* taken, const SpecState& before) {
  const Item* item = taken == nullptr ? nullptr : before.FindItem(taken->id);
  if (item != nullptr) CountGrant(judge, *item, request, before);
  if (item == nullptr) CountNone(judge, request);
  CountSpared(judge, request, before);
}

void Claim(SpecState& state, const WorkItemId& id, const ClaimWorkItemRequest& request, Moment lease) {
  Item& own = Edit(state, state.FindItem(id));
  own.stage = Stage::kClaimed;
  own.worker = Share(request.worker_id);
  own.lease = lease;
  own.retry_after.reset();
}

// Of items that may or may not be eligible, the answer shows that these are not.
void NotDue(SpecState& state, const WorkItemId& id, Instant clock) {
  Edit(state, state.FindItem(id)).retry_after->from = SaturatingAdd(clock, 1);
}

// The claim took `taken` (null: nothing) in `state`. Allowed: makes it so.
Verdict TakeFrom(const Judge& judge, SpecState& state, const ClaimWorkItemRequest& request, const WorkItem* taken) {
  const Item* item = taken == nullptr ? nullptr : state.FindItem(taken->id);
  if (taken != nullptr) {
    const bool may = item != nullptr && Eligible(*item, request, judge.Clock()) != Likely::kNo;
    if (!may) return BlameGrant(judge, item, request, item != nullptr && Sees(request.view, item->work->tenant_id));
  }
  std::vector<WorkItemId> not_due;
  for (const Item& other : *state.items) {
    const Likely eligible = &other == item ? Likely::kNo : Eligible(other, request, judge.Clock());
    if (eligible == Likely::kNo) continue;
    const bool before =
        item == nullptr || (other.work->created_at < item->work->created_at && !judge.Declares("SB-LAT-15", "any"));
    if (!before) continue;
    if (eligible == Likely::kMaybe) {
      not_due.push_back(other.id());
      continue;
    }
    if (item == nullptr) return BlameNone(judge, other);
    return other.attempt > other.work->attempt ? Refuse<"SB-CLM-10">() : Refuse<"SB-CLM-4">();
  }
  if (taken != nullptr) {
    if (Verdict refused = CheckCopy(judge, state, *item, request, *taken)) return refused;
    TakeWork(state, *item, *taken);
    Claim(state, taken->id, request, Moment::At(*taken->lease_expires_at));
  }
  for (const WorkItemId& id : not_due) NotDue(state, id, judge.Clock());
  return kAllowed;
}

// Every item that a claim which nobody saw may have taken.
void TakeUnseen(Judge& judge, const ClaimWorkItemRequest& request, std::vector<SpecState> states) {
  std::vector<SpecState> next;
  for (const SpecState& state : states) {
    for (const Item& item : *state.items) {
      if (Eligible(item, request, judge.Clock()) == Likely::kNo) continue;
      WorkItem copy = ClaimedCopy(judge, item, request);
      if (item.last_error != nullptr && state.payloads == Choice::kSecond) copy.payload = PayloadWithError(item);
      SpecState taken = state;
      if (TakeFrom(judge, taken, request, &copy).has_value()) continue;
      Edit(taken, taken.FindItem(copy.id)).lease = judge.Stamp(judge.LeaseLength());
      taken.payloads = state.payloads;  // nobody saw the payload
      next.push_back(std::move(taken));
    }
    SpecState none = state;
    if (!TakeFrom(judge, none, request, nullptr).has_value()) next.push_back(std::move(none));
  }
  judge.state = std::move(next.front());
  for (std::size_t i = 1; i < next.size(); ++i) judge.AddAlternative(std::move(next[i]));
}

}  // namespace

Verdict JudgeCall(Judge& judge, const ClaimWorkItemRequest& request, const Answer<std::optional<WorkItem>>& answer) {
  if (answer.error != nullptr) return RefuseError<"SB-CLM-1">(judge, answer);
  std::vector<SpecState> states = AfterStealing(judge, request);
  if (answer.unseen) {
    TakeUnseen(judge, request, std::move(states));
    return kAllowed;
  }
  const WorkItem* taken = answer.response->has_value() ? &**answer.response : nullptr;
  if (taken != nullptr && request.queue_types.empty()) return Refuse<"SB-CLM-2">();
  const std::vector<SpecState> before = judge.counting() ? states : std::vector<SpecState>();
  Verdict first_refusal;
  std::vector<SpecState> allowed;
  for (SpecState& state : states) {
    const Verdict refused = TakeFrom(judge, state, request, taken);
    if (!refused.has_value()) allowed.push_back(std::move(state));
    if (!first_refusal.has_value()) first_refusal = refused;
  }
  if (allowed.empty()) return first_refusal;
  if (judge.counting()) Count(judge, request, taken, before.front());
  judge.state = std::move(allowed.front());
  for (std::size_t i = 1; i < allowed.size(); ++i) judge.AddAlternative(std::move(allowed[i]));
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
