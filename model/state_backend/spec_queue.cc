// The work queue: enqueue, renew, and what ends an item.
#include <algorithm>
#include <string>
#include <utility>

#include "model/state_backend/spec_internal.h"
#include "model/state_backend/spec_json.h"

namespace leasecheck::state_backend::spec_internal {

Likely HasExpired(const Item& item, Instant clock) {
  if (item.lease.to < clock) return Likely::kYes;
  return item.lease.from < clock ? Likely::kMaybe : Likely::kNo;
}

Likely IsDue(const Item& item, Instant clock) {
  if (!item.retry_after.has_value() || item.retry_after->to <= clock) return Likely::kYes;
  return item.retry_after->from <= clock ? Likely::kMaybe : Likely::kNo;
}

void Settle(Item& item, Ends end) {
  item.stage = Stage::kSettled;
  item.ends = end;
  item.worker = nullptr;
  item.lease = Moment();
  item.retry_after.reset();
}

void Lose(const Judge& judge, SpecState& state, const Item& item) {
  constexpr std::size_t kRemembered = 32;
  if (!judge.counting() || item.stage != Stage::kClaimed) return;
  auto& lost = state.memory.Edit().lost;
  if (lost.size() == kRemembered) lost.erase(lost.begin());
  lost.emplace_back(item.id(), *item.worker);
}

OpaqueJson PayloadWithError(const Item& item) {
  if (item.last_error == nullptr || !MembersOf(item.work->payload.text).has_value()) return item.work->payload;
  return {WithMember(item.work->payload.text, "last_error", QuotedJson(*item.last_error))};
}

namespace {

// Which of the two ways with payloads is shown; nullopt: neither, and kOpen: it cannot be told.
std::optional<Choice> PayloadShown(const Item& item, const OpaqueJson& shown) {
  const OpaqueJson gained = PayloadWithError(item);
  if (gained == item.work->payload) return shown == gained ? std::optional(Choice::kOpen) : std::nullopt;
  if (shown == item.work->payload) return Choice::kFirst;
  return shown == gained ? std::optional(Choice::kSecond) : std::nullopt;
}

}  // namespace

bool ShowsWork(const SpecState& state, const Item& item, const WorkItem& shown) {
  const WorkItem& work = *item.work;
  const std::optional<Choice> payload = PayloadShown(item, shown.payload);
  return payload.has_value() && (*payload == Choice::kOpen || MayChoose(state, &SpecState::payloads, *payload)) &&
         shown.id == work.id && shown.execution_id == work.execution_id && shown.node_id == work.node_id &&
         shown.queue_type == work.queue_type && shown.max_attempts == work.max_attempts && shown.created_at == work.created_at;
}

void TakeWork(SpecState& state, const Item& item, const WorkItem& shown) {
  const Choice payload = *PayloadShown(item, shown.payload);
  if (payload != Choice::kOpen) Choose(state, &SpecState::payloads, payload);
}

Verdict BlameSettled(const Item& item) {
  if (item.ends == kCompleted) return Refuse<"SB-CMP-1">();
  return item.ends == kFailed ? Refuse<"SB-FAI-1">() : Refuse<"SB-DLQ-5">();
}

namespace {

bool IsUnregistered(const Judge& judge, const View& view) {
  return view.has_value() && IsRegistered(judge, *view) == Registered::kNo;
}

// Enqueue.

Verdict JudgeNoStanding(const Judge& judge, Standing standing, const Answer<WorkItemId>& answer) {
  if (answer.unseen) return kAllowed;
  if (standing == Standing::kUnknown) {
    if (!answer.IsDatabase()) return Refuse<"SB-ENQ-5">();
    judge.Refused<"SB-ENQ-5">();
    return kAllowed;
  }
  const bool foreign = standing == Standing::kForeign;
  if (!answer.IsEither()) return foreign ? Refuse<"SB-TEN-13">() : Refuse<"SB-TEN-12">();
  judge.Refused<"SB-TEN-13">(foreign);
  judge.Refused<"SB-TEN-12">(!foreign);
  return kAllowed;
}

// An id that was enqueued before.
Verdict JudgeTaken(const Judge& judge, const Item& there, const View& view, const Answer<WorkItemId>& answer) {
  if (answer.unseen) return kAllowed;
  const bool foreign = !Sees(view, there.work->tenant_id);
  if (!answer.IsDatabase()) return foreign ? Refuse<"SB-TEN-14">() : Refuse<"SB-ENQ-4">();
  judge.Refused<"SB-ENQ-4">();
  judge.Refused<"SB-TEN-14">(foreign);
  return kAllowed;
}

void CountEnqueue(const Judge& judge, const EnqueueWorkItemRequest& request) {
  const WorkItem& work = request.item;
  judge.Held<"SB-ENQ-1">();
  judge.Held<"SB-TEN-11">(request.view.has_value() && work.tenant_id != *request.view);
  judge.Held<"SB-ENQ-6">(std::any_of(judge.state.items->begin(), judge.state.items->end(), [&](const Item& other) {
    return other.work->execution_id == work.execution_id && other.work->node_id == work.node_id;
  }));
}

void Add(SpecState& state, const EnqueueWorkItemRequest& request, TenantId tenant) {
  WorkItem work = request.item;
  work.worker_id.reset();
  work.lease_expires_at.reset();
  work.tenant_id = std::move(tenant);
  Item item;
  item.attempt = work.attempt;
  item.unscoped = !request.view.has_value();
  item.work = Share(std::move(work));
  // Where the id of a settled item is taken again, its dead letter may still be listed (SB-LAT-23).
  if (const Item* before = state.FindItem(item.id()); before != nullptr) item.letter = before->letter;
  Put(state, std::move(item));
}

// Through the unscoped store an item may belong to the tenant that its caller names, or to "default": the same in a whole run.
void AddForTenant(Judge& judge, const EnqueueWorkItemRequest& request) {
  if (request.view.has_value()) return Add(judge.state, request, *request.view);
  const bool open = request.item.tenant_id != kDefaultTenant;
  if (!open || judge.state.callers == Choice::kFirst) return Add(judge.state, request, request.item.tenant_id);
  SpecState other = judge.state;
  Choose(other, &SpecState::callers, Choice::kSecond);
  Add(other, request, TenantId(kDefaultTenant));
  if (judge.state.callers == Choice::kSecond) {
    judge.state = std::move(other);
    return;
  }
  Choose(judge.state, &SpecState::callers, Choice::kFirst);
  Add(judge.state, request, request.item.tenant_id);
  judge.AddAlternative(std::move(other));
}

// Renew.

Verdict BlameRenewal(const Item* item, bool foreign) {
  if (foreign) return Refuse<"SB-TEN-10">();
  if (item == nullptr || item->stage == Stage::kSettled) return Refuse<"SB-REN-3">();
  if (item->stage == Stage::kClaimed) return Refuse<"SB-REN-2">();
  return item->attempt > item->work->attempt ? Refuse<"SB-REN-5">() : Refuse<"SB-REN-3">();
}

void CountNoRenewal(const Judge& judge, const Item* item, const RenewLeaseRequest& request, bool foreign) {
  const auto& lost = judge.state.memory->lost;
  const bool loser = std::find(lost.begin(), lost.end(), std::pair(request.item_id, request.worker_id)) != lost.end();
  const bool claimed = item != nullptr && item->stage == Stage::kClaimed;
  judge.Refused<"SB-TEN-10">(foreign);
  judge.Refused<"SB-TEN-12">(IsUnregistered(judge, request.view));
  judge.Refused<"SB-REN-2">(claimed);
  judge.Refused<"SB-REN-3">(!claimed);
  judge.Refused<"SB-REN-5">(loser && item != nullptr && item->stage == Stage::kPending);
  judge.Refused<"SB-DLQ-5">(item != nullptr && item->ends == kDead);
}

void CountRenewal(const Judge& judge, const Item& item) {
  const auto& lost = judge.state.memory->lost;
  judge.Held<"SB-REN-1">();
  judge.Held<"SB-REN-4">(HasExpired(item, judge.Clock()) == Likely::kYes);
  judge.Held<"SB-REN-6">(std::find(lost.begin(), lost.end(), std::pair(item.id(), *item.worker)) != lost.end());
  judge.Held<"SB-REN-7">(item.attempt > item.work->attempt);
}

// Settling.

// A call that settles an item which the view does not have. `also_success`: the contract leaves a store that choice.
Verdict JudgeNobody(const Judge& judge, const WorkItemId& id, const View& view, const Answer<Done>& answer, bool also_success,
                    Verdict refusal) {
  if (answer.unseen) return kAllowed;
  const bool foreign = judge.state.FindItem(id) != nullptr;
  const bool allowed = answer.IsNotFound() || (also_success && answer.response != nullptr);
  if (!allowed) return foreign ? Refuse<"SB-TEN-10">() : refusal;
  judge.Refused<"SB-TEN-10">(foreign && answer.error != nullptr);
  judge.Refused<"SB-TEN-12">(answer.error != nullptr && IsUnregistered(judge, view));
  return kAllowed;
}

// What an item that is settled may still become: under the preset `sqlite` a success may have made it `end` (SB-LAT-19).
void ResettleAs(Judge& judge, const Item& item, Ends end) {
  if (!judge.SqlitePreset() || (item.ends & end) != 0) return;
  Edit(judge.state, &item).ends |= end;
}
// The item is not that, as the answer shows.
void RuleOut(Judge& judge, const Item& item, Ends end) {
  if ((item.ends & end) != 0) Edit(judge.state, &item).ends &= static_cast<Ends>(~end);
}

// When a letter that gets another text was written, the contract leaves open.
void SetLetter(Item& item, const std::string& text, Moment at) {
  const bool again = item.letter != nullptr && (item.ends & kDead) != 0;
  if (again) at = {std::min(at.from, item.letter->at.from), std::max(at.to, item.letter->at.to)};
  Letter letter{text, at, again};
  if (item.last_error != nullptr) letter.kept = *item.last_error;
  letter.any_kept = again && (!item.letter->last_error.has_value() || item.letter->any_kept);
  item.letter = Share(std::move(letter));
}

void CountDone(const Judge& judge, const Item& item) {
  judge.Held<"SB-CMP-1">(item.stage == Stage::kClaimed);
  judge.Held<"SB-CMP-2">(item.stage == Stage::kClaimed && HasExpired(item, judge.Clock()) == Likely::kYes);
  judge.Held<"SB-CMP-3">(item.stage == Stage::kPending);
}

void Requeue(SpecState& state, const Item& item, const std::string& error) {
  Item& own = Edit(state, &item);
  own.stage = Stage::kPending;
  own.worker = nullptr;
  own.lease = Moment();
  own.retry_after.reset();
  own.last_error = Share(error);
  if (own.attempt != UINT32_MAX) ++own.attempt;
}

// Dead letters.

// Whether the item may be shown so in the list.
Verdict CheckLetter(const Item& item, const DeadLetter& shown) {
  const bool exhausted = !item.letter->last_error.has_value();
  if (shown.attempt != item.attempt) return exhausted ? Refuse<"SB-RCL-4">() : Refuse<"SB-DLQ-1">();
  if (!item.letter->at.Includes(shown.dead_lettered_at)) return exhausted ? Refuse<"SB-RCL-13">() : Refuse<"SB-DLQ-6">();
  const bool text = exhausted || shown.last_error.empty() || shown.last_error == *item.letter->last_error;
  if (text || item.letter->any_kept || item.letter->kept == shown.last_error) return kAllowed;
  return item.letter->rewritten ? Refuse<"SB-DLQ-3">() : Refuse<"SB-DLQ-1">();
}

Verdict BlameStranger(const Item* item) {
  if (item == nullptr) return Refuse<"SB-DLQ-6">();
  if (item->ends == kCompleted) return Refuse<"SB-DLQ-4">();
  return item->ends == kFailed ? Refuse<"SB-FAI-1">() : Refuse<"SB-DLQ-6">();
}

// A letter that may be of an earlier item with the same id, which only the preset memory permits.
bool MayBeOfAnEarlier(const Judge& judge, const std::vector<DeadLetter>& letters, const Item* item) {
  if (!judge.MemoryPreset() || item == nullptr || item->letter == nullptr) return false;
  const auto rows = std::count_if(letters.begin(), letters.end(), [&](const DeadLetter& row) { return row.id == item->id(); });
  return (item->ends & kDead) == 0 || rows > 1;
}

Verdict CheckLetters(const Judge& judge, const std::vector<DeadLetter>& letters) {
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const Item* item = judge.state.FindItem(letters[i].id);
    if (MayBeOfAnEarlier(judge, letters, item)) continue;
    if (item == nullptr || (item->ends & kDead) == 0) return BlameStranger(item);
    if (Verdict refused = CheckLetter(*item, letters[i])) return refused;
    for (std::size_t k = 0; k < i; ++k) {
      if (letters[k].id == letters[i].id) return Refuse<"SB-DLQ-6">();
    }
  }
  return kAllowed;
}

bool Lists(const std::vector<DeadLetter>& letters, const Item& item) {
  return std::any_of(letters.begin(), letters.end(), [&](const DeadLetter& letter) { return letter.id == item.id(); });
}

Verdict BlameMissing(const Item& item) {
  return item.letter->last_error.has_value() ? Refuse<"SB-DLQ-1">() : Refuse<"SB-RCL-4">();
}

void CountLetter(const Judge& judge, const Item& item, const DeadLetter& shown) {
  const bool exhausted = !item.letter->last_error.has_value();
  judge.Held<"SB-DLQ-1">(!exhausted);
  judge.Held<"SB-DLQ-6">();
  judge.Held<"SB-RCL-13">(exhausted && !shown.last_error.empty());
}

}  // namespace

Verdict JudgeCall(Judge& judge, const EnqueueWorkItemRequest& request, const Answer<WorkItemId>& answer) {
  const Item* there = judge.state.FindItem(request.item.id);
  const bool free = there == nullptr || (judge.MemoryPreset() && there->stage == Stage::kSettled);
  const Standing standing = StandingOf(judge, request.item.execution_id, request.view);
  if (!free) {
    // Of two faults either may be named.
    const bool strange = standing == Standing::kForeign || standing == Standing::kUnregistered;
    return strange && answer.IsEither() ? kAllowed : JudgeTaken(judge, *there, request.view, answer);
  }
  if (standing != Standing::kFine) return JudgeNoStanding(judge, standing, answer);
  if (answer.error != nullptr) {
    const bool registered = IsRegistered(judge, request.view.value_or(request.item.tenant_id)) == Registered::kYes;
    if (answer.IsDatabase() && (!registered || there != nullptr)) return kAllowed;
    return RefuseError<"SB-ENQ-1">(judge, answer);
  }
  if (answer.response != nullptr) {
    if (*answer.response != request.item.id) return Refuse<"SB-ENQ-1">();
    if (judge.counting()) CountEnqueue(judge, request);
  }
  AddForTenant(judge, request);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const RenewLeaseRequest& request, const Answer<Done>& answer) {
  const Item* item = VisibleItem(judge.state, request.item_id, request.view);
  const bool foreign = item == nullptr && judge.state.FindItem(request.item_id) != nullptr;
  if (item == nullptr || !item->IsClaimedBy(request.worker_id)) {
    if (answer.unseen) return kAllowed;
    if (!answer.IsNotFound()) return BlameRenewal(item, foreign);
    if (judge.counting()) CountNoRenewal(judge, item, request, foreign);
    return kAllowed;
  }
  if (answer.error != nullptr) {
    const bool late = HasExpired(*item, judge.Clock()) == Likely::kYes;
    return late ? RefuseError<"SB-REN-4">(judge, answer) : RefuseError<"SB-REN-1">(judge, answer);
  }
  if (answer.response != nullptr && judge.counting()) CountRenewal(judge, *item);
  Edit(judge.state, item).lease = judge.Stamp(judge.LeaseLength());
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const CompleteWorkItemRequest& request, const Answer<Done>& answer) {
  const Item* item = VisibleItem(judge.state, request.item_id, request.view);
  if (item == nullptr) {
    const Verdict refused = JudgeNobody(judge, request.item_id, request.view, answer, true, Refuse<"SB-CMP-5">());
    judge.Refused<"SB-CMP-5">(!refused.has_value() && answer.error != nullptr);
    return refused;
  }
  if (item->stage != Stage::kSettled) {
    if (answer.error != nullptr) {
      return item->stage == Stage::kPending ? RefuseError<"SB-CMP-3">(judge, answer) : RefuseError<"SB-CMP-1">(judge, answer);
    }
    if (answer.response != nullptr) CountDone(judge, *item);
    Settle(Edit(judge.state, item), kCompleted);
    return kAllowed;
  }
  if (answer.error == nullptr) {
    judge.Held<"SB-CMP-4">(item->ends == kCompleted && answer.response != nullptr);
    ResettleAs(judge, *item, kCompleted);
    return kAllowed;
  }
  if (item->ends == kCompleted) return RefuseError<"SB-CMP-4">(judge, answer);
  if (!answer.IsNotFound()) return Refuse<"SB-CMP-6">();
  judge.Refused<"SB-CMP-6">();
  judge.Refused<"SB-LAT-19">();
  RuleOut(judge, *item, kCompleted);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const FailWorkItemRequest& request, const Answer<Done>& answer) {
  const Item* item = VisibleItem(judge.state, request.item_id, request.view);
  if (item == nullptr) {
    const Verdict refused = JudgeNobody(judge, request.item_id, request.view, answer, false, Refuse<"SB-FAI-4">());
    judge.Refused<"SB-FAI-4">(!refused.has_value() && answer.error != nullptr);
    return refused;
  }
  if (item->stage != Stage::kSettled) {
    if (answer.error != nullptr) return RefuseError<"SB-FAI-1">(judge, answer);
    judge.Held<"SB-FAI-1">(answer.response != nullptr);
    judge.Held<"SB-FAI-7">(answer.response != nullptr && item->stage == Stage::kPending);
    if (judge.Requeues()) {
      Lose(judge, judge.state, *item);
      Requeue(judge.state, *item, request.error);
    } else {
      Item& own = Edit(judge.state, item);
      own.last_error = Share(request.error);
      Settle(own, kFailed);
    }
    return kAllowed;
  }
  if (answer.error == nullptr) {
    judge.Held<"SB-FAI-5">(item->ends == kFailed && answer.response != nullptr);
    ResettleAs(judge, *item, kFailed);
    return kAllowed;
  }
  if (item->ends == kFailed) return RefuseError<"SB-FAI-5">(judge, answer);
  if (!answer.IsNotFound()) return Refuse<"SB-FAI-6">();
  judge.Refused<"SB-FAI-6">();
  judge.Refused<"SB-LAT-19">();
  RuleOut(judge, *item, kFailed);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const MoveToDeadLetterRequest& request, const Answer<Done>& answer) {
  const Item* item = VisibleItem(judge.state, request.item_id, request.view);
  if (item == nullptr) {
    const Verdict refused = JudgeNobody(judge, request.item_id, request.view, answer, true, Refuse<"SB-DLQ-2">());
    judge.Refused<"SB-DLQ-2">(!refused.has_value() && answer.error != nullptr);
    return refused;
  }
  if (item->stage == Stage::kSettled && (item->ends & kCompleted) != 0) {
    // It stays completed, whatever the answer (SB-LAT-19); only sure of it where that is its only possible end.
    if (answer.error != nullptr) {
      if (!answer.IsNotFound()) return Refuse<"SB-DLQ-4">();
      judge.Refused<"SB-DLQ-4">();
      RuleOut(judge, *item, static_cast<Ends>(kFailed | kDead));
      return kAllowed;
    }
    if (!judge.SqlitePreset()) return kAllowed;
    Item& own = Edit(judge.state, item);
    SetLetter(own, request.last_error, judge.Stamp());
    own.ends |= kDead;
    return kAllowed;
  }
  const bool again = item->ends == kDead;
  if (answer.error != nullptr) return again ? RefuseError<"SB-DLQ-3">(judge, answer) : RefuseError<"SB-DLQ-1">(judge, answer);
  judge.Held<"SB-DLQ-3">(again && answer.response != nullptr);
  judge.Held<"SB-FAI-2">(item->ends == kFailed && answer.response != nullptr);
  Item& own = Edit(judge.state, item);
  SetLetter(own, request.last_error, judge.Stamp());
  Settle(own, kDead);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ListDeadLettersRequest&, const Answer<std::vector<DeadLetter>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SB-DLQ-6">();
  const std::vector<DeadLetter>& letters = *answer.response;
  if (Verdict refused = CheckLetters(judge, letters)) return refused;
  for (const Item& item : *judge.state.items) {
    if (item.ends == kDead && !Lists(letters, item)) return BlameMissing(item);
  }
  for (std::size_t i = 0; i < judge.state.items->size(); ++i) {
    const Item& item = (*judge.state.items)[i];
    if ((item.ends & kDead) != 0 && !Lists(letters, item)) RuleOut(judge, item, kDead);
  }
  for (const DeadLetter& letter : letters) {
    const Item* item = judge.state.FindItem(letter.id);
    if (MayBeOfAnEarlier(judge, letters, item)) continue;
    if (judge.counting()) CountLetter(judge, *item, letter);
    Letter bound = *item->letter;
    bound.at = Moment::At(letter.dead_lettered_at);
    if (item->ends == kDead && *item->letter == bound) continue;
    Item& own = Edit(judge.state, item);
    own.ends = kDead;
    own.letter = Share(std::move(bound));
  }
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
