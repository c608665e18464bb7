// The two claims: what a claim may take, whether the answer is that, and which clause a wrong answer breaks.
#include <algorithm>
#include <memory>

#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

using GrantAnswer = Answer<std::optional<QueuedWorkClaim>>;

// What a claim may take.

bool IsCandidate(const Judge& judge, const Row& row, absl::string_view session_id) {
  return row.session() == session_id && row.stored->batch.available_at_ms <= judge.now && !judge.LiveClaim(row);
}

bool GateOpen(const ClaimCall& call, const QueuedWorkBatch& head) {
  return call.boundary == QueuedWorkClaimBoundary::kIdle || head.delivery_policy == DeliveryPolicy::kEarliestSafeBoundary;
}

bool Joins(const QueuedWorkBatch& head, const QueuedWorkBatch& other) {
  return other.slot_policy == SlotPolicy::kJoin && other.delivery_policy == head.delivery_policy &&
         other.merge_key == head.merge_key;
}

// The whole group that begins with candidate `first`.
Indices GroupFrom(const Rows& rows, const ClaimCall& call, const Indices& candidates, std::size_t first) {
  Indices group = {candidates[first]};
  const QueuedWorkBatch& head = rows[candidates[first]].stored->batch;
  if (head.slot_policy == SlotPolicy::kExclusive) return group;
  for (std::size_t i = first + 1; i < candidates.size() && group.size() < call.max; ++i) {
    if (!Joins(head, rows[candidates[i]].stored->batch)) break;
    group.push_back(candidates[i]);
  }
  return group;
}

// How many of a group's batches a store has to grant at least: those before the first gap (RP-LAT-15), or the first alone where
// the merge key is `never` (RP-LAT-16).
std::size_t LeastOf(const Rows& rows, const Indices& group) {
  if (std::holds_alternative<MergeNever>(rows[group.front()].stored->batch.merge_key)) return 1;
  std::size_t least = 1;
  while (least < group.size() && group[least] == group[least - 1] + 1) ++least;
  return least;
}

void AddTakes(const Rows& rows, const ClaimCall& call, std::size_t first, Forecast& forecast) {
  Indices group = GroupFrom(rows, call, forecast.candidates, first);
  const std::size_t least = LeastOf(rows, group);
  for (; group.size() >= least; group.pop_back()) {
    forecast.takes.push_back(group);
    if (group.size() == 1) break;
  }
}

// Whether the grant holds this group: each batch what its row holds, or its first sight.
bool HoldsTake(const Rows& rows, const Indices& take, const std::vector<QueuedWorkBatch>& batches) {
  if (batches.size() != take.size()) return false;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const StoredBatch& stored = *rows[take[i]].stored;
    if (stored.seen ? stored.batch.batch_id != batches[i].batch_id : !Fits(rows, take[i], batches[i])) return false;
    if (i > 0 && batches[i - 1].enqueue_seq >= batches[i].enqueue_seq && !stored.seen) return false;
  }
  return true;
}

const Indices* TakeOf(const Rows& rows, const Forecast& forecast, const std::vector<QueuedWorkBatch>& batches) {
  const auto found = std::find_if(forecast.takes.begin(), forecast.takes.end(),
                                  [&](const Indices& take) { return HoldsTake(rows, take, batches); });
  return found == forecast.takes.end() ? nullptr : &*found;
}

bool GrantsIds(const std::vector<QueuedWorkBatch>& batches, const std::vector<std::string>& ids) {
  return std::equal(ids.begin(), ids.end(), batches.begin(), batches.end(),
                    [](const std::string& id, const QueuedWorkBatch& batch) { return id == batch.batch_id; });
}

// Whether a claim by ids has to be granted: whatever a plain claim takes now, it is these.
bool IdsAreDue(const Rows& rows, const Forecast& forecast, const std::vector<std::string>& ids) {
  return !forecast.takes.empty() && !forecast.may_be_none &&
         std::all_of(forecast.takes.begin(), forecast.takes.end(), [&](const Indices& take) { return HasIds(rows, take, ids); });
}

// Blame. Runs only for a refusal.

std::optional<std::size_t> RowOf(const Rows& rows, const QueuedWorkBatch& batch) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const StoredBatch& stored = *rows[i].stored;
    if (stored.seen ? stored.batch.batch_id == batch.batch_id : Fits(rows, i, batch)) return i;
  }
  return std::nullopt;
}

// A granted batch that no claim may take now.
Verdict BlameUnclaimable(const Judge& judge, const ClaimCall& call, const QueuedWorkBatch& batch) {
  const Rows& rows = *judge.state.queue;
  const std::optional<std::size_t> index = RowOf(rows, batch);
  if (!index.has_value()) return Refuse<"RP-INV-11">();
  const Row& row = rows[*index];
  if (row.session() != call.session_id) return Refuse<"RP-CLM-15">();
  if (row.stored->batch.available_at_ms > judge.now) return Refuse<"RP-CLM-13">();
  return judge.LiveClaim(row) ? Refuse<"RP-INV-10">() : kAllowed;
}

Verdict BlameGrant(const Judge& judge, const ClaimCall& call, const Forecast& forecast, const QueuedWorkClaim& grant) {
  if (grant.batches.empty()) return Refuse<"RP-CLM-2">();
  for (const QueuedWorkBatch& batch : grant.batches) {
    if (Verdict refused = BlameUnclaimable(judge, call, batch)) return refused;
  }
  const Rows& rows = *judge.state.queue;
  const QueuedWorkBatch& head = rows[forecast.candidates.front()].stored->batch;
  if (RowOf(rows, grant.batches.front()) != forecast.candidates.front()) {
    if (forecast.boundary) return Refuse<"RP-CLM-4">();
    return call.ids != nullptr ? Refuse<"RP-IDS-4">() : Refuse<"RP-CLM-3">();
  }
  if (forecast.boundary) return Refuse<"RP-CLM-4">();
  return head.slot_policy == SlotPolicy::kExclusive ? Refuse<"RP-CLM-5">() : Refuse<"RP-CLM-6">();
}

// Nothing, or an error, where a grant was due.
Verdict BlameNoGrant(const Judge& judge, const ClaimCall& call, const Forecast& forecast) {
  const Rows& rows = *judge.state.queue;
  const std::size_t first = forecast.candidates.front();
  const Row& head = rows[first];
  if (head.claim != nullptr) return head.claim->expires == judge.now ? Refuse<"RP-CLM-13">() : Refuse<"RP-CLM-12">();
  const EpochMs available = head.stored->batch.available_at_ms;
  if (available > 0 && available == judge.now) return Refuse<"RP-CLM-13">();
  const bool passes = std::any_of(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(first),
                                  [&](const Row& row) { return row.session() == call.session_id; });
  if (passes) return Refuse<"RP-CLM-3">();
  if (call.ids != nullptr) return Refuse<"RP-IDS-2">();
  if (head.stored->batch.delivery_policy == DeliveryPolicy::kAfterCurrentTurnCommit) return Refuse<"RP-CLM-4">();
  return head.head_fencing > 0 ? Refuse<"RP-ABN-1">() : Refuse<"RP-CLM-3">();
}

// The grant's own fields; its batches are known to be the right ones.
Verdict CheckGrant(const Judge& judge, const ClaimCall& call, const Indices& take, const QueuedWorkClaim& grant) {
  const Rows& rows = *judge.state.queue;
  for (std::size_t i = 0; i < take.size(); ++i) {
    if (!Fits(rows, take[i], grant.batches[i])) return Refuse<"RP-INV-15">();
  }
  if (grant.owner_id != call.owner_id) return Refuse<"RP-CLM-11">();
  if (grant.session_id != call.session_id || grant.claimed_at_epoch_ms != judge.now) return Refuse<"RP-CLM-8">();
  if (grant.expires_at_epoch_ms != SaturatingAdd(judge.now, call.ttl)) {
    return call.ttl == 0 ? Refuse<"RP-CLM-12">() : Refuse<"RP-CLM-8">();
  }
  if (grant.fencing_token <= rows[take.front()].head_fencing) return Refuse<"RP-CLM-9">();
  const bool known = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
    return row.claim != nullptr && row.claim->seen && row.claim->claim_id == grant.claim_id &&
           row.claim->lease_token == grant.lease_token;
  });
  return known ? Refuse<"RP-INV-13">() : kAllowed;
}

// Counting.

void CountTake(const Judge& judge, const ClaimCall& call, const Forecast& forecast, const Indices& take) {
  const Rows& rows = *judge.state.queue;
  const QueuedWorkBatch& head = rows[take.front()].stored->batch;
  const bool checkpoint = call.boundary == QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  judge.Held<"RP-CLM-3">();
  judge.Held<"RP-CLM-4">(checkpoint || head.delivery_policy == DeliveryPolicy::kAfterCurrentTurnCommit);
  judge.Held<"RP-CLM-5">(head.slot_policy == SlotPolicy::kExclusive && call.max > 1 && forecast.candidates.size() > 1);
  judge.Held<"RP-CLM-6">(take.size() > 1);
  judge.Held<"RP-CLM-7">(take.size() > 1 && std::holds_alternative<MergeNever>(head.merge_key));
  judge.Held<"RP-IDS-2">(call.ids != nullptr);
}

void CountGrant(const Judge& judge, const ClaimCall& call, const Forecast& forecast, const Indices& take) {
  if (!judge.counting()) return;
  CountTake(judge, call, forecast, take);
  const Rows& rows = *judge.state.queue;
  const Row& head = rows[take.front()];
  bool fresh = false;
  bool lapsed = false;
  for (std::size_t index : take) {
    fresh |= rows[index].claim == nullptr;
    lapsed |= rows[index].claim != nullptr;
  }
  judge.Held<"RP-CLM-8">();
  judge.Held<"RP-CLM-9">(head.head_fencing > 0);
  judge.Held<"RP-CLM-11">(std::any_of(
      rows.begin(), rows.end(), [&](const Row& row) { return judge.LiveClaim(row) && row.claim->owner_id == call.owner_id; }));
  judge.Held<"RP-CLM-12">(head.claim != nullptr);
  judge.Held<"RP-CLM-13">(head.claim != nullptr && head.claim->expires == judge.now);
  judge.Held<"RP-CLM-14">(fresh && lapsed);
  judge.Held<"RP-CLM-15">(judge.state.head_revision == 0);
  judge.Held<"RP-CLM-15">(
      std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.session() != call.session_id; }));
}

void CountNone(const Judge& judge, const ClaimCall& call, const Forecast& forecast) {
  if (!judge.counting()) return;
  judge.Refused<"RP-CLM-2">(forecast.candidates.empty());
  judge.Refused<"RP-CLM-4">(forecast.boundary);
  if (call.ids == nullptr) return;
  judge.Refused<"RP-IDS-2">();
  judge.Refused<"RP-IDS-3">(!forecast.takes.empty());
  const Row* first = judge.state.FindRow(call.ids->front());
  judge.Refused<"RP-IDS-4">(first != nullptr && !forecast.takes.empty());
}

// Applying.

// Puts a group under a claim. `grant` is null where nobody saw it.
void Take(const Judge& judge, SpecState& state, const ClaimCall& call, const Indices& take, const QueuedWorkClaim* grant,
          CallIndex giver = kNoCall) {
  auto record = std::make_shared<ClaimRecord>();
  record->seen = grant != nullptr;
  if (grant != nullptr) {
    record->claim_id = grant->claim_id;
    record->lease_token = grant->lease_token;
  }
  record->owner_id = std::string(call.owner_id);
  record->expires = SaturatingAdd(judge.now, call.ttl);
  record->giver = giver;
  Rows& rows = state.queue.Edit();
  for (std::size_t i = 0; i < take.size(); ++i) {
    if (grant != nullptr) Bind(rows, take[i], grant->batches[i]);
    rows[take[i]].claim = record;
  }
}

// A claim that was made in two steps leaves the old claims of what it gave back stale; made in one it leaves them alone
// (RP-LAT-26).
void AddGivenBack(const Judge& judge, const Indices& take) {
  if (judge.alternatives == nullptr) return;
  SpecState other = judge.state;
  Rows& rows = other.queue.Edit();
  for (std::size_t index : take) rows[index].claim = nullptr;
  judge.AddAlternative(std::move(other));
}

void AddTaken(const Judge& judge, const ClaimCall& call, const Indices& take, CallIndex giver) {
  if (judge.alternatives == nullptr) return;
  SpecState other = judge.state;
  Take(judge, other, call, take, nullptr, giver);
  judge.AddAlternative(std::move(other));
}

// The states that a claim by ids may leave which took something else than was asked for.
void AddMismatchStates(const Judge& judge, const ClaimCall& call, const Forecast& forecast, bool unseen, int parts) {
  for (const Indices& take : forecast.takes) {
    if (HasIds(*judge.state.queue, take, *call.ids)) continue;
    if (parts == 2) {
      AddTaken(judge, call, take, judge.context.call);  // part 1 gives it back
      continue;
    }
    AddGivenBack(judge, take);
    if (unseen) AddTaken(judge, call, take, kNoCall);  // it stopped between its two steps
  }
}

// Judging.

Verdict JudgeVacuous(const Judge& judge, const ClaimCall& call, const GrantAnswer& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.response == nullptr || answer.response->has_value()) {
    return call.ids != nullptr ? Refuse<"RP-IDS-1">() : Refuse<"RP-CLM-1">();
  }
  judge.Refused<"RP-IDS-1">(call.ids != nullptr);
  judge.Refused<"RP-CLM-1">(call.ids == nullptr);
  return kAllowed;
}

Verdict JudgeNone(const Judge& judge, const ClaimCall& call, const Forecast& forecast, int parts) {
  const bool takes = !forecast.takes.empty() && !forecast.may_be_none;
  const bool due = call.ids == nullptr ? takes : IdsAreDue(*judge.state.queue, forecast, *call.ids);
  if (due) return BlameNoGrant(judge, call, forecast);
  CountNone(judge, call, forecast);
  if (call.ids != nullptr) AddMismatchStates(judge, call, forecast, false, parts);
  return kAllowed;
}

Verdict JudgeGrant(const Judge& judge, const ClaimCall& call, const Forecast& forecast, const QueuedWorkClaim& grant) {
  const Indices* take = TakeOf(*judge.state.queue, forecast, grant.batches);
  if (take == nullptr) return BlameGrant(judge, call, forecast, grant);
  if (call.ids != nullptr && !GrantsIds(grant.batches, *call.ids)) return Refuse<"RP-IDS-2">();
  if (Verdict refused = CheckGrant(judge, call, *take, grant)) return refused;
  CountGrant(judge, call, forecast, *take);
  Take(judge, judge.state, call, *take, &grant);
  judge.state.queue.Edit()[take->front()].head_fencing = grant.fencing_token;
  return kAllowed;
}

// Every group that it may have taken. All that is known of the head's fencing token is that it rose.
Verdict ApplyUnseen(const Judge& judge, const ClaimCall& call, const Forecast& forecast, int parts) {
  if (call.ids != nullptr) AddMismatchStates(judge, call, forecast, true, parts);
  const SpecState before = judge.state;
  bool first = true;
  for (const Indices& take : forecast.takes) {
    if (call.ids != nullptr && !HasIds(*before.queue, take, *call.ids)) continue;
    SpecState after = before;
    Take(judge, after, call, take, nullptr);
    ++after.queue.Edit()[take.front()].head_fencing;
    if (first) {
      judge.state = std::move(after);
    } else {
      judge.AddAlternative(std::move(after));
    }
    first = false;
  }
  return kAllowed;
}

Verdict JudgeClaim(const Judge& judge, const ClaimCall& call, const GrantAnswer& answer, int parts = 1) {
  if (call.max == 0) return JudgeVacuous(judge, call, answer);
  const Forecast forecast = ForecastClaim(judge, call);
  if (answer.unseen) return ApplyUnseen(judge, call, forecast, parts);
  if (answer.error != nullptr || answer.response == nullptr) {
    return forecast.takes.empty() ? Refuse<"RP-CLM-2">() : BlameNoGrant(judge, call, forecast);
  }
  if (!answer.response->has_value()) return JudgeNone(judge, call, forecast, parts);
  return JudgeGrant(judge, call, forecast, **answer.response);
}

// The second step of a claim by ids: what the first one took is given back, or, where nobody saw the answer, perhaps not.
Verdict GiveBack(const Judge& judge, const GrantAnswer& answer) {
  const auto taken = [&](const Row& row) {
    return row.claim != nullptr && row.claim->giver != kNoCall && row.claim->giver == judge.context.call;
  };
  const Rows& rows = *judge.state.queue;
  if (std::none_of(rows.begin(), rows.end(), taken)) return kAllowed;
  if (answer.unseen && judge.alternatives != nullptr) judge.alternatives->push_back(judge.state);
  for (Row& row : judge.state.queue.Edit()) {
    if (taken(row)) row.claim = nullptr;
  }
  return kAllowed;
}

}  // namespace

Forecast ForecastClaim(const Judge& judge, const ClaimCall& call) {
  Forecast forecast;
  const Rows& rows = *judge.state.queue;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (IsCandidate(judge, rows[i], call.session_id)) forecast.candidates.push_back(i);
  }
  if (forecast.candidates.empty()) return forecast;
  // Where another call holds rows, a claim may begin at a later one (RP-LAT-22).
  forecast.may_be_none = RowsLocked(judge.context, call.session_id);
  const std::size_t heads = forecast.may_be_none ? forecast.candidates.size() : 1;
  for (std::size_t first = 0; first < heads; ++first) {
    const bool open = GateOpen(call, rows[forecast.candidates[first]].stored->batch);
    if (open) AddTakes(rows, call, first, forecast);
    if (first == 0) forecast.boundary = !open;
  }
  return forecast;
}

bool HasIds(const Rows& rows, const Indices& take, const std::vector<std::string>& ids) {
  return std::equal(ids.begin(), ids.end(), take.begin(), take.end(), [&](const std::string& id, std::size_t index) {
    return rows[index].stored->seen && rows[index].stored->batch.batch_id == id;
  });
}

ClaimCall CallOf(const ClaimReadyQueuedWorkRequest& request) {
  return {request.session_id, request.owner_id, request.boundary, request.lease_ttl_ms, request.max_batches};
}

ClaimCall CallOf(const ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  return {request.session_id,   request.owner_id,         request.boundary,
          request.lease_ttl_ms, request.batch_ids.size(), &request.batch_ids};
}

Verdict JudgeCall(Judge& judge, const ClaimReadyQueuedWorkRequest& request, const GrantAnswer& answer) {
  return JudgeClaim(judge, CallOf(request), answer);
}

Verdict JudgeCall(Judge& judge, const ClaimReadyQueuedWorkByBatchIdsRequest& request, const GrantAnswer& answer) {
  if (judge.context.part == 1) return GiveBack(judge, answer);
  const bool none = answer.unseen || (answer.response != nullptr && !answer.response->has_value());
  return JudgeClaim(judge, CallOf(request), answer, none && QueueOverlapped(judge.context, request.session_id) ? 2 : 1);
}

}  // namespace leasecheck::runtime_persistence::spec_internal
