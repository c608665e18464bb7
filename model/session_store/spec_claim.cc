// The three claims: what a claim would do, whether the answer is that, and which clause a wrong answer breaks.
#include <algorithm>
#include <memory>

#include "model/session_store/spec_internal.h"

namespace leasecheck::session_store::spec_internal {
namespace {

using Kind = ClaimCall::Kind;
using Gate = Forecast::Gate;
using GrantAnswer = Answer<std::optional<QueuedWorkClaim>>;

// Each of these clauses exists once for commands, once for work and once for claims by ids.
template <ClauseId kCommand, ClauseId kWork, ClauseId kByIds>
Verdict RefuseFor(Kind kind) {
  switch (kind) {
    case Kind::kCommand:
      return Refuse<kCommand>();
    case Kind::kWork:
      return Refuse<kWork>();
    case Kind::kByIds:
      return Refuse<kByIds>();
  }
  return Refuse<kWork>();
}

bool Claimable(const Judge& judge, const Row& row, const LeaseOwnerIdentity& owner) {
  if (row.stored->batch.available_at_ms > judge.now) return false;
  return !judge.LiveClaim(row) || judge.DefinitelyDead(row.claim->owner, owner);
}

bool Joins(const StoredBatch& head, const StoredBatch& other) {
  return other.batch_class == BatchClass::kTurnWork && other.batch.slot_policy == SlotPolicy::kJoin &&
         other.batch.delivery_policy == head.batch.delivery_policy && other.batch.merge_key == head.batch.merge_key;
}

Gate GateOf(const ClaimCall& call, const StoredBatch& head) {
  if (head.batch_class == BatchClass::kNone) return Gate::kClassless;
  if (head.batch_class != (call.kind == Kind::kCommand ? BatchClass::kSessionCommand : BatchClass::kTurnWork))
    return Gate::kClass;
  const bool checkpoint = call.kind != Kind::kCommand && call.boundary == QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  return checkpoint && head.batch.delivery_policy != DeliveryPolicy::kEarliestSafeBoundary ? Gate::kBoundary : Gate::kOpen;
}

// Whether the grant holds the forecast run: each batch what its row holds, or its first sight.
bool HoldsRun(const SessionState& session, const Forecast& forecast, const std::vector<QueuedWorkBatch>& batches) {
  if (forecast.gate != Gate::kOpen || batches.size() != forecast.run.size()) return false;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const StoredBatch& stored = *session.rows[forecast.run[i]].stored;
    if (stored.seen ? stored.batch.batch_id != batches[i].batch_id : !Fits(session, forecast.run[i], batches[i])) return false;
    if (i > 0 && batches[i - 1].enqueue_seq >= batches[i].enqueue_seq && !stored.seen) return false;
  }
  return true;
}

bool HasIds(const std::vector<QueuedWorkBatch>& batches, const std::vector<std::string>& ids) {
  return batches.size() == ids.size() &&
         std::equal(ids.begin(), ids.end(), batches.begin(),
                    [](const std::string& id, const QueuedWorkBatch& batch) { return id == batch.batch_id; });
}

// Blame: which clause a wrong answer breaks. Runs only for a refusal.

std::optional<std::size_t> RowOf(const SessionState& session, const QueuedWorkBatch& batch) {
  for (std::size_t i = 0; i < session.rows.size(); ++i) {
    const StoredBatch& stored = *session.rows[i].stored;
    if (stored.seen ? stored.batch.batch_id == batch.batch_id : Fits(session, i, batch)) return i;
  }
  return std::nullopt;
}

// A granted batch that no claim may take now.
Verdict BlameUnclaimable(const Judge& judge, const SessionState& session, const ClaimCall& call, const QueuedWorkBatch& batch) {
  const std::optional<std::size_t> index = RowOf(session, batch);
  if (!index.has_value()) {
    for (const Cow<SessionState>& other : judge.state.sessions()) {
      if (other->id != call.session_id && other->FindRow(batch.batch_id) != nullptr) return Refuse<"QW-CLM-20">();
    }
    return Refuse<"QW-INV-4">();
  }
  const Row& row = session.rows[*index];
  if (row.stored->batch.available_at_ms > judge.now) return Refuse<"QW-CLM-9">();
  if (!judge.LiveClaim(row) || judge.DefinitelyDead(row.claim->owner, call.owner)) return kAllowed;
  if (BeyondSigned(row.claim->expires.at)) return Refuse<"QW-CLM-13">();
  return SameIncarnation(row.claim->owner, call.owner) ? Refuse<"QW-CLM-16">() : Refuse<"QW-CLM-15">();
}

Verdict BlameGate(const SessionState& session, const ClaimCall& call, const Forecast& forecast,
                  const std::vector<QueuedWorkBatch>& batches) {
  switch (forecast.gate) {
    case Gate::kClassless:
      return Refuse<"QW-CLM-17">();
    case Gate::kBoundary:
      return call.kind == Kind::kByIds ? Refuse<"QW-IDS-6">() : Refuse<"QW-CLM-4">();
    case Gate::kEmpty:
      return call.kind == Kind::kCommand ? Refuse<"QW-CMD-6">() : Refuse<"QW-INV-5">();
    case Gate::kClass:
    case Gate::kOpen:
      break;
  }
  const std::optional<std::size_t> first = RowOf(session, batches.front());
  const bool skips = first.has_value() && *first != forecast.candidates.front();
  switch (call.kind) {
    case Kind::kCommand:
      return skips && session.rows[*first].stored->batch_class == BatchClass::kSessionCommand ? Refuse<"QW-CMD-3">()
                                                                                              : Refuse<"QW-CMD-2">();
    case Kind::kWork:
      return Refuse<"QW-CLM-3">();
    case Kind::kByIds:
      return skips ? Refuse<"QW-IDS-3">() : Refuse<"QW-IDS-5">();
  }
  return kAllowed;
}

// The first place where the granted group leaves the run.
Verdict BlameGroup(const SessionState& session, const ClaimCall& call, const Forecast& forecast,
                   const std::vector<QueuedWorkBatch>& batches) {
  if (call.kind == Kind::kCommand) return Refuse<"QW-CMD-4">();
  if (session.rows[forecast.run.front()].stored->batch.slot_policy == SlotPolicy::kExclusive) return Refuse<"QW-CLM-6">();
  std::size_t common = 1;
  while (common < batches.size() && common < forecast.run.size() && RowOf(session, batches[common]) == forecast.run[common]) {
    ++common;
  }
  const bool misses = common < forecast.run.size();
  const bool over_gap = misses && forecast.run[common] != forecast.run[common - 1] + 1;
  return over_gap ? Refuse<"QW-CLM-8">() : Refuse<"QW-CLM-7">();
}

Verdict BlameMembers(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast,
                     const std::vector<QueuedWorkBatch>& batches) {
  if (batches.empty() || !judge.blames()) return Refuse<"QW-CLM-10">();
  for (const QueuedWorkBatch& batch : batches) {
    if (Verdict refused = BlameUnclaimable(judge, session, call, batch)) return refused;
  }
  if (forecast.gate != Gate::kOpen) return BlameGate(session, call, forecast, batches);
  if (RowOf(session, batches.front()) != forecast.run.front()) {
    return call.kind == Kind::kByIds ? Refuse<"QW-IDS-3">() : Refuse<"QW-INV-5">();
  }
  return BlameGroup(session, call, forecast, batches);
}

// Behind this many live-claimed batches a head is more likely hidden by a scan window (QW-LAT-11) than by the other claims.
constexpr std::size_t kSmallestWindow = 31;

// An answer that grants nothing where a grant of the run was due.
Verdict BlameNoGrant(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast) {
  if (!judge.blames()) return Refuse<"QW-INV-18">();
  const Row& head = session.rows[forecast.run.front()];
  if (judge.LiveClaim(head)) return Refuse<"QW-CLM-15">();
  if (head.claim != nullptr) return Refuse<"QW-CLM-14">();
  if (head.stored->batch.available_at_ms > 0 && head.stored->batch.available_at_ms == judge.now) return Refuse<"QW-CLM-9">();
  const bool after_turn = head.stored->batch.delivery_policy == DeliveryPolicy::kAfterCurrentTurnCommit;
  if (call.kind == Kind::kCommand) {
    if (forecast.run.front() > 0) return Refuse<"QW-CMD-7">();
    return after_turn ? Refuse<"QW-CMD-5">() : Refuse<"QW-CMD-2">();
  }
  for (std::size_t i = 0; i < forecast.run.front(); ++i) {
    if (session.rows[i].stored->batch.available_at_ms > judge.now) return Refuse<"QW-CLM-9">();
  }
  if (forecast.run.front() >= kSmallestWindow) return Refuse<"QW-INV-18">();
  if (forecast.run.front() > 0) return Refuse<"QW-CLM-21">();
  if (call.kind == Kind::kByIds) {
    ClaimCall unlimited = call;
    unlimited.max = call.max + 1;
    const bool prefix = ForecastClaim(judge, session, unlimited).run.size() > forecast.run.size();
    return prefix ? Refuse<"QW-IDS-4">() : Refuse<"QW-IDS-2">();
  }
  if (after_turn) return Refuse<"QW-CLM-5">();
  if (call.boundary == QueuedWorkClaimBoundary::kActiveTurnCheckpoint) return Refuse<"QW-CLM-4">();
  return head.head_fencing > 0 ? Refuse<"QW-ABN-1">() : Refuse<"QW-INV-18">();
}

bool FreshProof(const SessionState& session, const QueuedWorkClaim& grant) {
  return std::none_of(session.rows.begin(), session.rows.end(), [&](const Row& row) {
    return row.claim != nullptr && row.claim->seen && row.claim->lease_token == grant.lease_token;
  });
}

Verdict CheckFencing(const Judge& judge, const Row& head, uint64_t fencing_token) {
  if (fencing_token > head.head_fencing) return kAllowed;
  if (head.head_fencing == 0) return Refuse<"QW-CLM-10">();
  if (head.claim == nullptr) return Refuse<"QW-ABN-4">();
  return judge.LiveClaim(head) ? Refuse<"QW-CLM-15">() : Refuse<"QW-CLM-14">();
}

// The grant's own fields; its batches are known to be the right ones.
Verdict CheckGrant(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast,
                   const QueuedWorkClaim& grant) {
  for (std::size_t i = 0; i < forecast.run.size(); ++i) {
    if (!Fits(session, forecast.run[i], grant.batches[i])) return Refuse<"QW-CLM-11">();
  }
  if (grant.owner != call.owner && !SameIncarnation(call.owner, call.fence.owner)) return Refuse<"QW-CLM-19">();
  if (grant.session_id != call.session_id || grant.owner != call.owner || grant.claimed_at_epoch_ms != judge.now) {
    return Refuse<"QW-CLM-10">();
  }
  if (grant.expires_at_epoch_ms != SaturatingAdd(judge.now, call.ttl)) {
    if (call.ttl == 0) return Refuse<"QW-CLM-12">();
    return call.ttl > kEndOfTime - judge.now ? Refuse<"QW-CLM-13">() : Refuse<"QW-CLM-10">();
  }
  if (Verdict refused = CheckFencing(judge, session.rows[forecast.run.front()], grant.fencing_token)) return refused;
  return FreshProof(session, grant) ? kAllowed : Refuse<"QW-CLM-10">();
}

// Counting.

void CountSkipped(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast) {
  const std::size_t head = forecast.candidates.empty() ? session.rows.size() : forecast.candidates.front();
  for (std::size_t i = 0; i < session.rows.size(); ++i) {
    const Row& row = session.rows[i];
    const bool deferred = row.stored->batch.available_at_ms > judge.now;
    const bool live = judge.LiveClaim(row) && !judge.DefinitelyDead(row.claim->owner, call.owner);
    if (deferred && i < head) {
      judge.Held<"QW-CLM-9">(head < session.rows.size());
      judge.Refused<"QW-CLM-9">(head == session.rows.size());
    }
    if (deferred || !live) continue;
    const bool own = SameIncarnation(row.claim->owner, call.owner);
    judge.Refused<"QW-CLM-16">(own && i < head);
    judge.Refused<"QW-CLM-15">(!own && i < head);
  }
}

void CountGroup(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast) {
  const Indices& run = forecast.run;
  const StoredBatch& head = *session.rows[run.front()].stored;
  const bool more = forecast.candidates.size() > run.size();
  if (head.batch.slot_policy == SlotPolicy::kExclusive) {
    judge.Held<"QW-CLM-6">(call.max > 1 && more);
    return;
  }
  judge.Held<"QW-CLM-7">(run.size() > 1 || more);
  judge.Held<"QW-INV-7">(run.size() > 1);
  for (std::size_t i = 1; i < run.size(); ++i) judge.Held<"QW-CLM-8">(run[i] != run[i - 1] + 1);
}

void CountRetake(const Judge& judge, const Row& head) {
  if (head.claim == nullptr) {
    judge.Held<"QW-ABN-4">(head.head_fencing > 0);
    return;
  }
  judge.Held<"QW-CLM-15">(judge.LiveClaim(head));
  judge.Held<"QW-CLM-14">(!judge.LiveClaim(head));
}

void CountWorkGrant(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast) {
  const StoredBatch& head = *session.rows[forecast.run.front()].stored;
  const bool checkpoint = call.boundary == QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  judge.Held<"QW-CLM-2">(call.kind == Kind::kWork);
  judge.Held<"QW-CLM-4">(checkpoint);
  judge.Held<"QW-CLM-5">(!checkpoint && head.batch.delivery_policy == DeliveryPolicy::kAfterCurrentTurnCommit);
  CountGroup(judge, session, call, forecast);
  if (call.kind != Kind::kByIds) return;
  judge.Held<"QW-IDS-2">();
  ClaimCall unlimited = call;
  unlimited.max = call.max + 1;
  judge.Held<"QW-IDS-4">(ForecastClaim(judge, session, unlimited).run.size() > forecast.run.size());
}

void CountCommandGrant(const Judge& judge, const SessionState& session, const Forecast& forecast) {
  judge.Held<"QW-CMD-1">();
  judge.Held<"QW-CMD-2">();
  judge.Held<"QW-CMD-4">(forecast.candidates.size() > 1);
  judge.Held<"QW-CMD-5">(session.rows[forecast.run.front()].stored->batch.delivery_policy ==
                         DeliveryPolicy::kAfterCurrentTurnCommit);
  judge.Held<"QW-CMD-7">(forecast.run.front() > 0);
}

void CountGrant(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast) {
  if (!judge.counting()) return;
  CountSkipped(judge, session, call, forecast);
  if (call.kind == Kind::kCommand) {
    CountCommandGrant(judge, session, forecast);
  } else {
    CountWorkGrant(judge, session, call, forecast);
  }
  const Row& head = session.rows[forecast.run.front()];
  CountRetake(judge, head);
  judge.Held<"QW-CLM-9">(head.stored->batch.available_at_ms > 0 && head.stored->batch.available_at_ms == judge.now);
  judge.Held<"QW-CLM-10">();
  judge.Held<"QW-CLM-12">(call.ttl == 0);
  judge.Held<"QW-CLM-13">(call.ttl > kEndOfTime - judge.now);
  judge.Held<"QW-CLM-19">(!SameIncarnation(call.owner, call.fence.owner));
  judge.Held<"QW-INV-5">(session.rows.size() > 1);
  judge.Held<"QW-INV-6">();
  judge.Held<"QW-INV-11">();
  judge.Held<"QW-INV-18">(head.claim != nullptr || head.head_fencing > 0 || head.stored->batch.available_at_ms > 0);
  const bool beside = std::any_of(session.rows.begin(), session.rows.end(), [&](const Row& row) {
    return judge.LiveClaim(row) && !judge.DefinitelyDead(row.claim->owner, call.owner);
  });
  judge.Held<"QW-CLM-21">(beside && call.ttl > 0);
  for (const Cow<SessionState>& other : judge.state.sessions()) {
    judge.Held<"QW-CLM-20">(other->id != call.session_id && !other->rows.empty());
  }
}

void CountIdsMismatch(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast) {
  judge.Refused<"QW-IDS-2">();
  judge.Held<"QW-IDS-7">(forecast.gate == Gate::kOpen);
  const std::size_t index = session.IndexOf(call.ids->front());
  const bool candidate = index < session.rows.size() && Claimable(judge, session.rows[index], call.owner);
  const bool skips = candidate && index != forecast.candidates.front();
  judge.Refused<"QW-IDS-3">(skips);
  judge.Refused<"QW-IDS-5">(!candidate || (!skips && forecast.gate == Gate::kOpen));
  judge.Refused<"QW-IDS-6">(forecast.gate == Gate::kBoundary);
}

void CountNone(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast) {
  if (!judge.counting()) return;
  CountSkipped(judge, session, call, forecast);
  judge.Refused<"QW-INV-5">(call.kind != Kind::kByIds);
  switch (call.kind) {
    case Kind::kCommand: {
      const bool command_behind = std::any_of(forecast.candidates.begin(), forecast.candidates.end(), [&](std::size_t index) {
        return session.rows[index].stored->batch_class == BatchClass::kSessionCommand;
      });
      judge.Refused<"QW-CMD-2">(forecast.gate == Gate::kClass);
      judge.Refused<"QW-CMD-3">(forecast.gate == Gate::kClass && command_behind);
      judge.Refused<"QW-CMD-6">(forecast.gate == Gate::kEmpty);
      return;
    }
    case Kind::kWork:
      judge.Refused<"QW-CLM-3">(forecast.gate == Gate::kClass);
      judge.Refused<"QW-CLM-4">(forecast.gate == Gate::kBoundary);
      return;
    case Kind::kByIds:
      CountIdsMismatch(judge, session, call, forecast);
      return;
  }
}

// Applying.

// Puts the forecast run of `state` under a claim. `grant` is null where nobody saw it. The head's fencing token is the
// caller's to raise.
void Take(const Judge& judge, SpecState& state, const ClaimCall& call, const Forecast& forecast, const QueuedWorkClaim* grant,
          CallIndex giver = kNoCall) {
  auto record = std::make_shared<ClaimRecord>();
  record->seen = grant != nullptr;
  if (grant != nullptr) {
    record->claim_id = grant->claim_id;
    record->lease_token = grant->lease_token;
  }
  record->owner = call.owner;
  record->expires = {SaturatingAdd(judge.now, call.ttl)};
  record->giver = giver;
  SessionState& session = state.Edit(call.session_id);
  record->lane_fencing = session.lane_fencing;
  for (std::size_t i = 0; i < forecast.run.size(); ++i) {
    if (grant != nullptr) Bind(session, forecast.run[i], grant->batches[i]);
    session.rows.Edit(forecast.run[i]).claim = record;
  }
}

// A claim by ids that took another group than was asked for and gave it back leaves that group's old claims stale, if it was
// made in two steps; made in one it may leave everything alone (QW-LAT-22). Where it lapsed or its owner died, an old claim may
// or may not work afterwards.
void AddGivenBack(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast) {
  const bool had_claims = std::any_of(forecast.run.begin(), forecast.run.end(),
                                      [&](std::size_t index) { return session.rows[index].claim != nullptr; });
  if (!had_claims || judge.alternatives == nullptr) return;
  SpecState other = judge.state;
  SessionState& edited = other.Edit(call.session_id);
  for (std::size_t index : forecast.run) edited.rows.Edit(index).claim = nullptr;
  judge.AddAlternative(std::move(other));
}

// Of a claim that did not match even a rise of the fencing token is not known (QW-LAT-22).
void AddHidden(const Judge& judge, const ClaimCall& call, const Forecast& forecast, CallIndex giver) {
  if (judge.alternatives == nullptr) return;
  SpecState other = judge.state;
  Take(judge, other, call, forecast, nullptr, giver);
  judge.AddAlternative(std::move(other));
}

// The states that a claim by ids may leave which granted something else than asked for.
void AddMismatchStates(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast,
                       const GrantAnswer& answer, int parts) {
  if (forecast.gate != Gate::kOpen) return;
  if (parts == 2) {
    AddHidden(judge, call, forecast, judge.context.call);  // part 1 gives it back
    return;
  }
  AddGivenBack(judge, session, call, forecast);
  if (answer.unseen) AddHidden(judge, call, forecast, kNoCall);  // it stopped between its two steps
}

// Judging.

Verdict JudgeVacuous(const Judge& judge, const SessionState& session, const ClaimCall& call, const GrantAnswer& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.response != nullptr && !answer.response->has_value()) {
    judge.Refused<"QW-IDS-1">(call.kind == Kind::kByIds);
    judge.Refused<"QW-CLM-1">(call.kind == Kind::kWork);
    return kAllowed;
  }
  const auto* expired = answer.ErrorIf<SessionExecutionLeaseExpired>();
  if (expired != nullptr && expired->session_id == call.session_id && !FenceValid(judge, session, call.session_id, call.fence)) {
    return kAllowed;  // QW-LAT-20
  }
  return call.kind == Kind::kByIds ? Refuse<"QW-IDS-1">() : Refuse<"QW-CLM-1">();
}

Verdict JudgeUnfenced(const Judge& judge, const ClaimCall& call, const GrantAnswer& answer) {
  if (answer.unseen) return kAllowed;
  const auto* expired = answer.ErrorIf<SessionExecutionLeaseExpired>();
  if (expired == nullptr || expired->session_id != call.session_id) {
    return RefuseFor<"QW-CMD-1", "QW-CLM-2", "QW-IDS-6">(call.kind);
  }
  judge.Refused<"QW-CMD-1">(call.kind == Kind::kCommand);
  judge.Refused<"QW-CLM-2">(call.kind == Kind::kWork);
  judge.Refused<"QW-IDS-6">(call.kind == Kind::kByIds);
  judge.Refused<"QW-INV-11">();
  return kAllowed;
}

Verdict JudgeClaimError(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast,
                        const GrantAnswer& answer) {
  if (answer.ErrorIf<SessionExecutionLeaseExpired>() != nullptr) {
    return RefuseFor<"QW-CMD-1", "QW-CLM-2", "QW-IDS-6">(call.kind);
  }
  if (answer.IsBackend() && forecast.classless) {
    judge.Refused<"QW-CLM-17">();
    judge.Refused<"QW-IDS-6">(call.kind == Kind::kByIds);
    return kAllowed;
  }
  if (session.classless > 0) return Refuse<"QW-CLM-17">();
  switch (forecast.gate) {
    case Gate::kOpen:
      return BlameNoGrant(judge, session, call, forecast);
    case Gate::kEmpty:
      return RefuseFor<"QW-CMD-6", "QW-INV-5", "QW-IDS-5">(call.kind);
    case Gate::kBoundary:
      return RefuseFor<"QW-CMD-5", "QW-CLM-4", "QW-IDS-6">(call.kind);
    case Gate::kClass:
    case Gate::kClassless:
      break;
  }
  return RefuseFor<"QW-CMD-2", "QW-CLM-3", "QW-IDS-5">(call.kind);
}

Verdict JudgeNone(Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast,
                  const GrantAnswer& answer, int parts) {
  if (forecast.gate == Gate::kClassless) return Refuse<"QW-CLM-17">();
  const bool due = forecast.gate == Gate::kOpen && (call.kind != Kind::kByIds || RunMatchesIds(session, forecast, *call.ids));
  if (due) return forecast.classless ? Refuse<"QW-CLM-17">() : BlameNoGrant(judge, session, call, forecast);
  CountNone(judge, session, call, forecast);
  if (call.kind == Kind::kByIds) AddMismatchStates(judge, session, call, forecast, answer, parts);
  return kAllowed;
}

Verdict JudgeGrant(Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast,
                   const QueuedWorkClaim& grant) {
  if (forecast.gate == Gate::kClassless) return Refuse<"QW-CLM-17">();
  if (!HoldsRun(session, forecast, grant.batches)) return BlameMembers(judge, session, call, forecast, grant.batches);
  if (call.kind == Kind::kByIds && !HasIds(grant.batches, *call.ids)) return Refuse<"QW-IDS-2">();
  if (Verdict refused = CheckGrant(judge, session, call, forecast, grant)) return refused;
  CountGrant(judge, session, call, forecast);
  Take(judge, judge.state, call, forecast, &grant);
  judge.state.Edit(call.session_id).rows.Edit(forecast.run.front()).head_fencing = grant.fencing_token;
  return kAllowed;
}

Verdict ApplyUnseen(Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast,
                    const GrantAnswer& answer, int parts) {
  if (forecast.gate != Gate::kOpen) return kAllowed;
  if (call.kind == Kind::kByIds && !RunMatchesIds(session, forecast, *call.ids)) {
    AddMismatchStates(judge, session, call, forecast, answer, parts);
    return kAllowed;
  }
  if (forecast.classless) judge.AddAlternative(judge.state);  // it may have failed (QW-LAT-12)
  Take(judge, judge.state, call, forecast, nullptr);
  ++judge.state.Edit(call.session_id).rows.Edit(forecast.run.front()).head_fencing;  // all that is known is that it rose
  return kAllowed;
}

Verdict JudgeClaim(Judge& judge, const ClaimCall& call, const GrantAnswer& answer, int parts = 1) {
  const SessionState& session = judge.Session(call.session_id);
  if (call.max == 0) return JudgeVacuous(judge, session, call, answer);
  if (answer.IsBackend() && BeyondSigned(SaturatingAdd(judge.now, call.ttl))) return kAllowed;  // QW-LAT-13
  if (!FenceValid(judge, session, call.session_id, call.fence)) return JudgeUnfenced(judge, call, answer);
  const Forecast forecast = ForecastClaim(judge, session, call);
  if (answer.unseen) return ApplyUnseen(judge, session, call, forecast, answer, parts);
  if (answer.error != nullptr) return JudgeClaimError(judge, session, call, forecast, answer);
  if (!answer.response->has_value()) return JudgeNone(judge, session, call, forecast, answer, parts);
  return JudgeGrant(judge, session, call, forecast, **answer.response);
}

// The second step of a claim by ids: what the first one took is given back, or, where nobody saw the answer, perhaps not.
Verdict GiveBack(Judge& judge, const ClaimCall& call, const GrantAnswer& answer) {
  const SessionState& session = judge.Session(call.session_id);
  const auto taken = [&](const Row& row) {
    return row.claim != nullptr && row.claim->giver != kNoCall && row.claim->giver == judge.context.call;
  };
  if (std::none_of(session.rows.begin(), session.rows.end(), taken)) return kAllowed;
  if (answer.unseen) judge.AddAlternative(judge.state);
  CowList<Row>& rows = judge.state.Edit(call.session_id).rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (taken(rows[i])) rows.Edit(i).claim = nullptr;
  }
  return kAllowed;
}

}  // namespace

Forecast ForecastClaim(const Judge& judge, const SessionState& session, const ClaimCall& call) {
  Forecast forecast;
  // Behind the run only those look who count, and for rows without a class.
  const bool whole = judge.counting() || session.classless > 0;
  const StoredBatch* head = nullptr;
  bool ended = false;  // the run
  std::size_t next = 0;
  for (const Row& row : session.rows) {
    const std::size_t index = next++;
    if (!Claimable(judge, row, call.owner)) continue;
    const StoredBatch& stored = *row.stored;
    forecast.candidates.push_back(index);
    if (stored.batch_class == BatchClass::kNone) forecast.classless = true;
    if (head == nullptr) {
      head = &stored;
      forecast.gate = GateOf(call, stored);
      ended = forecast.gate != Gate::kOpen;
    } else {
      ended = ended || call.kind == Kind::kCommand || head->batch.slot_policy == SlotPolicy::kExclusive || !Joins(*head, stored);
    }
    if (!ended) forecast.run.push_back(index);
    ended = ended || forecast.run.size() >= call.max;
    if (ended && !whole) break;
  }
  return forecast;
}

bool RunMatchesIds(const SessionState& session, const Forecast& forecast, const std::vector<std::string>& ids) {
  if (forecast.run.size() != ids.size()) return false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const StoredBatch& stored = *session.rows[forecast.run[i]].stored;
    if (!stored.seen || stored.batch.batch_id != ids[i]) return false;
  }
  return true;
}

ClaimCall CallOf(const ClaimLeadingReadySessionCommandRequest& request) {
  return {Kind::kCommand,
          request.session_id,
          request.session_execution_lease,
          request.owner,
          QueuedWorkClaimBoundary::kIdle,
          request.lease_ttl_ms,
          1};
}

ClaimCall CallOf(const ClaimReadyQueuedWorkRequest& request) {
  return {Kind::kWork,          request.session_id, request.session_execution_lease, request.owner, request.boundary,
          request.lease_ttl_ms, request.max_batches};
}

ClaimCall CallOf(const ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  return {Kind::kByIds,     request.session_id,   request.session_execution_lease, request.owner,
          request.boundary, request.lease_ttl_ms, request.batch_ids.size(),        &request.batch_ids};
}

bool SessionOverlapped(const SessionStoreSpec::Context& context, absl::string_view session_id) {
  return context.overlap != nullptr && context.overlap->Any([&](const SessionStoreSpec::Request& other) {
    const std::optional<std::string> key = SessionStoreSpec::PartitionKey(other);
    return !key.has_value() || *key == session_id;
  });
}

Verdict JudgeCall(Judge& judge, const ClaimLeadingReadySessionCommandRequest& request, const GrantAnswer& answer) {
  return JudgeClaim(judge, CallOf(request), answer);
}

Verdict JudgeCall(Judge& judge, const ClaimReadyQueuedWorkRequest& request, const GrantAnswer& answer) {
  return JudgeClaim(judge, CallOf(request), answer);
}

Verdict JudgeCall(Judge& judge, const ClaimReadyQueuedWorkByBatchIdsRequest& request, const GrantAnswer& answer) {
  const ClaimCall call = CallOf(request);
  if (judge.context.part == 1) return GiveBack(judge, call, answer);
  const bool none = answer.unseen || (answer.response != nullptr && !answer.response->has_value());
  return JudgeClaim(judge, call, answer, none && SessionOverlapped(judge.context, call.session_id) ? 2 : 1);
}

}  // namespace leasecheck::session_store::spec_internal
