// The lane of one session: the session execution lease (queued-work.md, EL).
#ifndef LEASECHECK_MEMSTORE_LEASE_LANE_H_
#define LEASECHECK_MEMSTORE_LEASE_LANE_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "memstore/ids.h"
#include "memstore/owners.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::memstore {

// Holds at most one lease, live or lapsed, and the fencing counter, which outlives every lease. A value; not thread-safe.
class LeaseLane {
 public:
  // `fencing_token` is the counter's value before the first acquisition.
  LeaseLane(std::string session_id, uint64_t fencing_token) : session_id_(std::move(session_id)), fencing_token_(fencing_token) {}

  // Whether a fence or a completion equals the lease held, lapsed or not, in session, incarnation, token and fencing token.
  template <class Proof>
  bool Matches(const Proof& proof) const {
    return lease_.has_value() && proof.session_id == session_id_ && SameIncarnation(proof.owner, lease_->owner) &&
           proof.lease_token == lease_->lease_token && proof.fencing_token == lease_->fencing_token;
  }

  // Whether the fence is valid: it matches and the lease is live.
  bool Admits(const session_store::SessionExecutionLeaseFence& fence, EpochMs now) const { return IsLive(now) && Matches(fence); }

  // EL-TRY. Fails with Backend, without effect, when the fencing counter is at its end.
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> TryClaim(const session_store::LeaseOwnerIdentity& owner,
                                                                                   DurationMs ttl, EpochMs now, IdSource& ids) {
    if (!IsLive(now)) return Acquire(owner, ttl, now, ids);
    if (!SameIncarnation(owner, lease_->owner)) return session_store::LeaseBusy{*lease_};
    lease_->expires_at_epoch_ms = SaturatingAdd(now, ttl);
    return session_store::LeaseAcquired{*lease_};
  }

  // EL-RCL. Fails as TryClaim.
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> Reclaim(
      const session_store::LeaseOwnerIdentity& owner, const session_store::SessionExecutionLeaseFence& observed, DurationMs ttl,
      EpochMs now, const LivenessProbe& probe, IdSource& ids) {
    if (IsLive(now) && !(Matches(observed) && DefinitelyDead(lease_->owner, owner, probe))) {
      return session_store::LeaseBusy{*lease_};
    }
    return Acquire(owner, ttl, now, ids);
  }

  // EL-REN. None where the fence is not valid.
  std::optional<session_store::SessionExecutionLease> Renew(const session_store::SessionExecutionLeaseFence& fence,
                                                            DurationMs ttl, EpochMs now) {
    if (!Admits(fence, now)) return std::nullopt;
    lease_->expires_at_epoch_ms = SaturatingAdd(now, ttl);
    return lease_;
  }

  // EL-REL.
  void Release(const session_store::SessionExecutionLeaseCompletion& completion) {
    if (Matches(completion)) lease_.reset();
  }

  const std::string& session_id() const { return session_id_; }
  uint64_t fencing_token() const { return fencing_token_; }
  friend bool operator==(const LeaseLane&, const LeaseLane&) = default;

 private:
  bool IsLive(EpochMs now) const { return lease_.has_value() && lease_->expires_at_epoch_ms > now; }

  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> Acquire(const session_store::LeaseOwnerIdentity& owner,
                                                                                  DurationMs ttl, EpochMs now, IdSource& ids) {
    if (fencing_token_ == std::numeric_limits<uint64_t>::max()) {
      return tl::unexpected<session_store::StoreError>(session_store::Backend{"the lane's fencing tokens are used up"});
    }
    ++fencing_token_;
    lease_ = session_store::SessionExecutionLease{session_id_,    owner, ids.Next(IdKind::kLaneToken),
                                                  fencing_token_, now,   SaturatingAdd(now, ttl)};
    return session_store::LeaseAcquired{*lease_};
  }

  std::string session_id_;
  uint64_t fencing_token_;
  std::optional<session_store::SessionExecutionLease> lease_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_LEASE_LANE_H_
