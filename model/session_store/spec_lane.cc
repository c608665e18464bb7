// The session execution lease.
#include <memory>

#include "model/session_store/spec_internal.h"

namespace leasecheck::session_store::spec_internal {
namespace {

// Whether `lease` is what the session's held lane shows. Liveness is not compared (QW-LAT-19); the expiry is the caller's to
// compare. Where the lane was not seen before, the token is free and the fencing token has a lower bound.
bool ShowsHolder(const SessionState& session, absl::string_view session_id, const SessionExecutionLease& lease) {
  const LaneHolder& holder = *session.holder;
  if (lease.session_id != session_id || !SameIncarnation(lease.owner, holder.owner)) return false;
  if (lease.claimed_at_epoch_ms != holder.claimed_at) return false;
  if (!holder.seen) return lease.fencing_token >= session.lane_fencing;
  return lease.lease_token == holder.lease_token && lease.fencing_token == session.lane_fencing;
}

// Gives the held lane a new expiry, and the tokens that an answer showed for the first time.
void SetHolder(Judge& judge, absl::string_view session_id, Deadline expires, const SessionExecutionLease* shown) {
  const LaneHolder& old = *judge.Session(session_id).holder;
  if (old.expires == expires && (old.seen || shown == nullptr)) return;
  auto fresh = std::make_shared<LaneHolder>(old);
  fresh->expires = expires;
  SessionState& session = judge.state.Edit(session_id);
  if (!old.seen && shown != nullptr) {
    fresh->seen = true;
    fresh->lease_token = shown->lease_token;
    session.lane_fencing = shown->fencing_token;
  }
  session.holder = std::move(fresh);
}

// Takes the lane; `lease` is null where nobody saw the answer.
void Acquire(Judge& judge, absl::string_view session_id, const LeaseOwnerIdentity& owner, DurationMs ttl,
             const SessionExecutionLease* lease) {
  auto holder = std::make_shared<LaneHolder>();
  holder->seen = lease != nullptr;
  holder->owner = owner;
  if (lease != nullptr) holder->lease_token = lease->lease_token;
  holder->claimed_at = judge.now;
  holder->expires = {SaturatingAdd(judge.now, ttl)};
  SessionState& session = judge.state.Edit(session_id);
  session.lane_fencing = lease != nullptr ? lease->fencing_token : session.lane_fencing + 1;
  session.holder = std::move(holder);
}

bool IsNewAcquisition(const Judge& judge, const SessionState& session, absl::string_view session_id,
                      const LeaseOwnerIdentity& owner, DurationMs ttl, const SessionExecutionLease& lease) {
  const bool repeats = session.holder != nullptr && session.holder->seen && session.holder->lease_token == lease.lease_token;
  return lease.session_id == session_id && lease.owner == owner && lease.fencing_token > session.lane_fencing && !repeats &&
         lease.claimed_at_epoch_ms == judge.now && lease.expires_at_epoch_ms == SaturatingAdd(judge.now, ttl);
}

bool ShowsBusy(const SessionState& session, absl::string_view session_id, const SessionExecutionLeaseClaimOutcome& outcome) {
  const auto* busy = std::get_if<LeaseBusy>(&outcome);
  return busy != nullptr && ShowsHolder(session, session_id, busy->holder) &&
         busy->holder.expires_at_epoch_ms == session.holder->expires.at;
}

const SessionExecutionLease* AcquiredIn(const SessionExecutionLeaseClaimOutcome& outcome) {
  const auto* acquired = std::get_if<LeaseAcquired>(&outcome);
  return acquired == nullptr ? nullptr : &acquired->lease;
}

void CountTryAcquired(const Judge& judge, const SessionState& session, absl::string_view session_id,
                      const LeaseOwnerIdentity& owner, DurationMs ttl) {
  if (!judge.counting()) return;
  judge.Held<"EL-TRY-1">();
  judge.Held<"EL-TRY-4">(ttl == 0 || (session.holder != nullptr && session.holder->expires.at == judge.now));
  judge.Held<"EL-TRY-7">(session.holder != nullptr && SameIncarnation(session.holder->owner, owner));
  for (const Cow<SessionState>& other : judge.state.sessions()) {
    judge.Held<"EL-TRY-6">(other->id != session_id && judge.LiveLane(*other));
  }
}

// try_claim and reclaim share the free and the busy case.

struct LaneCall {
  absl::string_view session_id;
  const LeaseOwnerIdentity& owner;
  DurationMs ttl;
};

using LaneAnswer = Answer<SessionExecutionLeaseClaimOutcome>;

// Whether the answer is an allowed new acquisition. `lease` becomes what it shows, null where nobody saw it.
bool FitsAcquisition(const Judge& judge, const SessionState& session, const LaneCall& call, const LaneAnswer& answer,
                     const SessionExecutionLease** lease) {
  *lease = answer.response == nullptr ? nullptr : AcquiredIn(*answer.response);
  if (answer.unseen) return true;
  return *lease != nullptr && IsNewAcquisition(judge, session, call.session_id, call.owner, call.ttl, **lease);
}

// Whether the call is answered by Busy with the true holder. What it shows for the first time is taken over.
bool AcceptBusy(Judge& judge, const SessionState& session, const LaneCall& call, const LaneAnswer& answer) {
  if (answer.unseen) return true;
  if (answer.response == nullptr || !ShowsBusy(session, call.session_id, *answer.response)) return false;
  SetHolder(judge, call.session_id, session.holder->expires, &std::get<LeaseBusy>(*answer.response).holder);
  return true;
}

// `lease`: what the refused answer acquired; null where it acquired nothing.
Verdict BlameTryOnFreeLane(const SessionState& session, const LaneCall& call, const SessionExecutionLease* lease) {
  const LaneHolder* lapsed = session.holder.get();
  if (lapsed == nullptr) return Refuse<"EL-TRY-1">();
  if (lease == nullptr) return Refuse<"EL-TRY-4">();
  const bool re_enters = lapsed->seen && SameIncarnation(lapsed->owner, call.owner) &&
                         (lease->lease_token == lapsed->lease_token || lease->fencing_token == session.lane_fencing);
  return re_enters ? Refuse<"EL-TRY-7">() : Refuse<"EL-TRY-1">();
}

Verdict JudgeReentry(Judge& judge, const SessionState& session, const LaneCall& call, const LaneAnswer& answer) {
  const Deadline expires{SaturatingAdd(judge.now, call.ttl)};
  const SessionExecutionLease* lease = nullptr;
  if (!answer.unseen) {
    lease = answer.response == nullptr ? nullptr : AcquiredIn(*answer.response);
    if (lease == nullptr || !ShowsHolder(session, call.session_id, *lease) || lease->expires_at_epoch_ms != expires.at) {
      return Refuse<"EL-TRY-2">();
    }
    judge.Held<"EL-TRY-2">();
    judge.Held<"EL-TRY-4">(call.ttl == 0);
  }
  SetHolder(judge, call.session_id, expires, lease);
  return kAllowed;
}

}  // namespace

Verdict JudgeCall(Judge& judge, const TryClaimSessionExecutionLeaseRequest& request, const LaneAnswer& answer) {
  const LaneCall call{request.session_id, request.owner, request.lease_ttl_ms};
  const SessionState& session = judge.Session(call.session_id);
  if (answer.IsBackend() && BeyondSigned(SaturatingAdd(judge.now, call.ttl))) return kAllowed;  // QW-LAT-13
  if (!judge.LiveLane(session)) {
    const SessionExecutionLease* lease = nullptr;
    if (!FitsAcquisition(judge, session, call, answer, &lease)) return BlameTryOnFreeLane(session, call, lease);
    if (!answer.unseen) CountTryAcquired(judge, session, call.session_id, call.owner, call.ttl);
    Acquire(judge, call.session_id, call.owner, call.ttl, lease);
    return kAllowed;
  }
  if (SameIncarnation(session.holder->owner, call.owner)) return JudgeReentry(judge, session, call, answer);
  const bool dead = judge.DefinitelyDead(session.holder->owner, call.owner);
  if (!AcceptBusy(judge, session, call, answer)) return dead ? Refuse<"EL-TRY-5">() : Refuse<"EL-TRY-3">();
  judge.Refused<"EL-TRY-3">(!answer.unseen);
  judge.Refused<"EL-TRY-5">(!answer.unseen && dead);
  judge.Refused<"QW-INV-10">(!answer.unseen);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ReclaimSessionExecutionLeaseRequest& request, const LaneAnswer& answer) {
  const LaneCall call{request.session_id, request.owner, request.lease_ttl_ms};
  const SessionState& session = judge.Session(call.session_id);
  if (answer.IsBackend() && BeyondSigned(SaturatingAdd(judge.now, call.ttl))) return kAllowed;  // QW-LAT-13
  const SessionExecutionLease* lease = nullptr;
  if (!judge.LiveLane(session)) {
    if (!FitsAcquisition(judge, session, call, answer, &lease)) return Refuse<"EL-RCL-1">();
    Acquire(judge, call.session_id, call.owner, call.ttl, lease);
    judge.Held<"EL-RCL-1">(!answer.unseen);
    return kAllowed;
  }
  const bool observed = request.observed_holder.session_id == call.session_id && MatchesLane(session, request.observed_holder);
  if (observed && judge.DefinitelyDead(session.holder->owner, call.owner)) {
    if (!FitsAcquisition(judge, session, call, answer, &lease)) return Refuse<"EL-RCL-2">();
    Acquire(judge, call.session_id, call.owner, call.ttl, lease);
    judge.Held<"EL-RCL-2">(!answer.unseen);
    judge.Held<"QW-INV-10">(!answer.unseen);
    return kAllowed;
  }
  const bool own = SameIncarnation(session.holder->owner, call.owner);
  if (!AcceptBusy(judge, session, call, answer)) return own ? Refuse<"EL-RCL-4">() : Refuse<"EL-RCL-3">();
  judge.Refused<"EL-RCL-3">(!answer.unseen && !own);
  judge.Refused<"EL-RCL-4">(!answer.unseen && own);
  judge.Refused<"QW-INV-10">(!answer.unseen && !own);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const RenewSessionExecutionLeaseRequest& request, const Answer<SessionExecutionLease>& answer) {
  const SessionExecutionLeaseFence& fence = request.fence;
  const SessionState& session = judge.Session(fence.session_id);
  const Deadline expires{SaturatingAdd(judge.now, request.lease_ttl_ms)};
  if (answer.IsBackend() && BeyondSigned(expires.at)) return kAllowed;  // QW-LAT-13
  if (!FenceValid(judge, session, fence.session_id, fence)) {
    if (answer.unseen) return kAllowed;
    const auto* expired = answer.ErrorIf<SessionExecutionLeaseExpired>();
    if (expired == nullptr || expired->session_id != fence.session_id) return Refuse<"EL-REN-2">();
    judge.Refused<"EL-REN-2">();
    return kAllowed;
  }
  if (!answer.unseen) {
    const bool right = answer.response != nullptr && ShowsHolder(session, fence.session_id, *answer.response) &&
                       answer.response->expires_at_epoch_ms == expires.at;
    if (!right) return request.lease_ttl_ms == 0 ? Refuse<"EL-REN-3">() : Refuse<"EL-REN-1">();
    judge.Held<"EL-REN-1">();
    judge.Held<"EL-REN-3">(request.lease_ttl_ms == 0);
  }
  SetHolder(judge, fence.session_id, expires, nullptr);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ReleaseSessionExecutionLeaseRequest& request, const Answer<Done>& answer) {
  const SessionExecutionLeaseCompletion& release = request.completion;
  const bool matches = MatchesLane(judge.Session(release.session_id), release);
  if (answer.error != nullptr) return matches ? Refuse<"EL-REL-1">() : Refuse<"EL-REL-2">();
  judge.Held<"EL-REL-1">(matches && !answer.unseen);
  judge.Held<"EL-REL-2">(!matches && !answer.unseen);
  if (matches) judge.state.Edit(release.session_id).holder = nullptr;
  return kAllowed;
}

}  // namespace leasecheck::session_store::spec_internal
