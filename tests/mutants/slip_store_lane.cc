// The session's lane.
#include <algorithm>
#include <string>
#include <utility>

#include "tests/mutants/slip_store.h"
#include "tests/mutants/slip_store_internal.h"

namespace leasecheck::mutants {

using namespace session_store;  // NOLINT(build/namespaces): this file is about little else

namespace {

template <class Proof>
bool Matches(const SessionExecutionLease& lease, const Proof& proof) {
  return lease.session_id == proof.session_id && SameIncarnation(lease.owner, proof.owner) &&
         lease.lease_token == proof.lease_token && lease.fencing_token == proof.fencing_token;
}

}  // namespace

// The session whose lane this one uses.
Session& SlipStore::LaneSession(const std::string& session_id) {
  return state_.sessions[Slips(Slip::kLaneSharedBySessions) ? "" : session_id];
}

bool SlipStore::FenceMatches(const SessionExecutionLease& lease, const SessionExecutionLeaseFence& fence) const {
  if (Slips(Slip::kFenceTrustsOwner)) return SameIncarnation(lease.owner, fence.owner);
  const bool same_owner = lease.owner.owner_id == fence.owner.owner_id &&
                          (lease.owner.incarnation_id == fence.owner.incarnation_id || Slips(Slip::kFenceIgnoresIncarnation));
  const bool same_token = lease.lease_token == fence.lease_token || Slips(Slip::kFenceIgnoresToken);
  const bool same_counter = lease.fencing_token == fence.fencing_token || Slips(Slip::kFenceIgnoresCounter);
  return lease.session_id == fence.session_id && same_owner && same_token && same_counter;
}

// Whether the fence is good for a claim or a commit of this session.
bool SlipStore::FenceHolds(const std::string& session_id, const SessionExecutionLeaseFence& fence, EpochMs now) {
  if (fence.session_id != session_id && !Slips(Slip::kFenceCheckedInOwnSession)) return false;
  const Lane& lane = LaneSession(fence.session_id).lane;
  if (!lane.lease.has_value() || !FenceMatches(*lane.lease, fence)) return false;
  if (Slips(Slip::kFenceIgnoresExpiry)) return true;
  const EpochMs expires = lane.lease->expires_at_epoch_ms;
  return Slips(Slip::kFenceExpiryStrict) ? expires >= now : expires > now;
}

EpochMs SlipStore::LaneExpiryOf(EpochMs now, DurationMs ttl) const {
  return Slips(Slip::kLaneExpiryWraps) ? now + ttl : SaturatingAdd(now, ttl);
}

bool SlipStore::LaneTimeRefused(EpochMs now, DurationMs ttl) const {
  return Deviates(Deviation::kTimesAbove63BitsRefused) && SaturatingAdd(now, ttl) > kEndOfSignedTime;
}

LeaseAcquired SlipStore::Acquire(const std::string& session_id, const LeaseOwnerIdentity& owner, DurationMs ttl, EpochMs now) {
  Lane& lane = LaneSession(session_id).lane;
  const bool lapsed = lane.lease.has_value() && lane.lease->expires_at_epoch_ms <= now;
  if (Slips(Slip::kLaneCounterDroppedByExpiry) && lapsed) lane.counter = 0;
  lane.counter += Deviates(Deviation::kLaneCounterLeaps) ? 2 + lane.counter % 5 : 1;
  lane.lease = SessionExecutionLease{session_id, owner, NewId("lane"), lane.counter, now, LaneExpiryOf(now, ttl)};
  Persist();
  return LeaseAcquired{*lane.lease};
}

LeaseAcquired SlipStore::Reenter(Lane& lane, const LeaseOwnerIdentity& owner, DurationMs ttl, EpochMs now) {
  SessionExecutionLease& lease = *lane.lease;
  const EpochMs expires = LaneExpiryOf(now, ttl);
  lease.expires_at_epoch_ms = Slips(Slip::kReentryNeverShortens) ? std::max(expires, lease.expires_at_epoch_ms) : expires;
  if (Slips(Slip::kReentryRaisesFence)) lease.fencing_token = ++lane.counter;
  if (Slips(Slip::kReentryMovesClaimedAt)) lease.claimed_at_epoch_ms = now;
  Persist();
  LeaseAcquired acquired{lease};
  if (Deviates(Deviation::kReentryEchoesLiveness)) acquired.lease.owner = owner;
  return acquired;
}

Result<SessionExecutionLeaseClaimOutcome> SlipStore::TryClaimSessionExecutionLease(
    const TryClaimSessionExecutionLeaseRequest& request) {
  const std::optional<EpochMs> early = ReadEarly(Slip::kRaceLaneTimeBeforeLock);
  absl::MutexLock lock(&mutex_);
  EpochMs now = early.value_or(Now());
  if (LaneTimeRefused(now, request.lease_ttl_ms)) return Fail(Backend{"the time is out of range"});
  Lane& lane = LaneSession(request.session_id).lane;
  std::optional<uint64_t> counter;
  if (Slips(Slip::kRaceLaneCounterReadThenWrite)) {
    counter = lane.counter;
    now = LetOthersIn("counter_read");
  }
  if (lane.lease.has_value()) {
    const EpochMs expires = lane.lease->expires_at_epoch_ms;
    const bool lapsed = Slips(Slip::kTryClaimExpiryStrict) ? expires < now : expires <= now;
    const bool same = Slips(Slip::kReentryIgnoresIncarnation) ? lane.lease->owner.owner_id == request.owner.owner_id
                                                              : SameIncarnation(lane.lease->owner, request.owner);
    if (same && !lapsed && Slips(Slip::kRaceReentryCheckThenExtend)) {
      const SessionExecutionLease found = *lane.lease;
      now = LetOthersIn("own_lane_found");
      lane.lease = found;
    }
    if (same && (!lapsed || Slips(Slip::kLapsedLaneReentered))) return Reenter(lane, request.owner, request.lease_ttl_ms, now);
    const bool taken_over = Slips(Slip::kTryClaimTakesDeadHolder) && DefinitelyDead(lane.lease->owner, request.owner);
    if (!lapsed && !taken_over) return LeaseBusy{*lane.lease};
  }
  if (Slips(Slip::kRaceTryClaimCheckThenTake)) now = LetOthersIn("lane_found_free");
  if (counter.has_value()) lane.counter = *counter;
  return Acquire(request.session_id, request.owner, request.lease_ttl_ms, now);
}

Result<SessionExecutionLeaseClaimOutcome> SlipStore::ReclaimSessionExecutionLease(
    const ReclaimSessionExecutionLeaseRequest& request) {
  absl::MutexLock lock(&mutex_);
  EpochMs now = Now();
  if (LaneTimeRefused(now, request.lease_ttl_ms)) return Fail(Backend{"the time is out of range"});
  Lane& lane = LaneSession(request.session_id).lane;
  if (lane.lease.has_value() && lane.lease->expires_at_epoch_ms > now) {
    const SessionExecutionLease& holder = *lane.lease;
    const bool observed = Slips(Slip::kReclaimWithoutObservation) ||
                          (request.observed_holder.session_id == request.session_id && Matches(holder, request.observed_holder));
    const bool opaque = std::holds_alternative<OpaqueOwner>(holder.owner.liveness);
    const bool dead = DefinitelyDead(holder.owner, request.owner) || (Slips(Slip::kReclaimOpaqueHolder) && opaque);
    if (Slips(Slip::kReclaimReenters) && SameIncarnation(holder.owner, request.owner)) {
      return Reenter(lane, request.owner, request.lease_ttl_ms, now);
    }
    if (!observed || !dead) return LeaseBusy{holder};
    if (Slips(Slip::kReclaimKeepsCounter)) --lane.counter;
    if (Slips(Slip::kRaceReclaimCheckThenTake)) now = LetOthersIn("holder_found_dead");
  }
  return Acquire(request.session_id, request.owner, request.lease_ttl_ms, now);
}

Result<SessionExecutionLease> SlipStore::RenewSessionExecutionLease(const RenewSessionExecutionLeaseRequest& request) {
  absl::MutexLock lock(&mutex_);
  EpochMs now = Now();
  if (LaneTimeRefused(now, request.lease_ttl_ms)) return Fail(Backend{"the time is out of range"});
  Lane& lane = LaneSession(request.fence.session_id).lane;
  const bool held = lane.lease.has_value() && Matches(*lane.lease, request.fence);
  if (!held || (lane.lease->expires_at_epoch_ms <= now && !Slips(Slip::kLaneRenewRevivesLapsed))) {
    return Fail(SessionExecutionLeaseExpired{request.fence.session_id});
  }
  if (Slips(Slip::kRaceLaneRenewCheckThenExtend)) {
    const SessionExecutionLease checked = *lane.lease;
    now = LetOthersIn("lane_checked");
    lane.lease = checked;
  }
  const EpochMs base = Slips(Slip::kLaneRenewAddsToOldExpiry) ? lane.lease->expires_at_epoch_ms : now;
  lane.lease->expires_at_epoch_ms = LaneExpiryOf(base, request.lease_ttl_ms);
  if (Slips(Slip::kLaneRenewMovesClaimedAt)) lane.lease->claimed_at_epoch_ms = now;
  if (!Slips(Slip::kCrashRenewWrittenLate)) Persist();
  return *lane.lease;
}

void SlipStore::FreeLane(const std::string& session_id) {
  Session& session = LaneSession(session_id);
  if (Slips(Slip::kClaimDiesWithLane)) {
    for (Row& row : session.rows) {
      if (row.record.has_value() && row.record->lane_fence == session.lane.counter) row.record.reset();
    }
  }
  session.lane.lease.reset();
  if (Slips(Slip::kLaneCounterDroppedByRelease)) session.lane.counter = 0;
}

Result<Done> SlipStore::ReleaseSessionExecutionLease(const ReleaseSessionExecutionLeaseRequest& request) {
  absl::MutexLock lock(&mutex_);
  const std::string& session_id = request.completion.session_id;
  const Lane& lane = LaneSession(session_id).lane;
  if (!lane.lease.has_value()) return Done{};
  const bool matches = Slips(Slip::kReleaseTrustsOwner) ? SameIncarnation(lane.lease->owner, request.completion.owner)
                                                        : Matches(*lane.lease, request.completion);
  if (!matches) return Done{};
  if (Slips(Slip::kRaceReleaseCheckThenFree)) LetOthersIn("release_checked");
  FreeLane(session_id);
  if (!Slips(Slip::kCrashReleaseWrittenLate)) Persist();
  return Done{};
}

// The release that a commit carries.
void SlipStore::HonourRelease(const RuntimeCommit& commit) {
  if (!commit.release_session_execution_lease.has_value() || Slips(Slip::kCommitForgetsRelease)) return;
  const SessionExecutionLeaseCompletion& release = *commit.release_session_execution_lease;
  const Lane& lane = LaneSession(commit.session_id).lane;
  if (!lane.lease.has_value() || release.session_id != commit.session_id) return;
  if (!Matches(*lane.lease, release) && !Slips(Slip::kCommitReleasesAnyHolder)) return;
  if (Slips(Slip::kRaceCommitReleaseCheckThenFree)) LetOthersIn("release_checked");
  FreeLane(commit.session_id);
}

}  // namespace leasecheck::mutants
