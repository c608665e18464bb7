// What a reference store asks of lease owners.
#ifndef LEASECHECK_MEMSTORE_OWNERS_H_
#define LEASECHECK_MEMSTORE_OWNERS_H_

#include <variant>

#include "model/environment.h"
#include "model/session_store/values.h"

namespace leasecheck::memstore {

// Whether both name one incarnation of one owner; liveness is ignored.
inline bool SameIncarnation(const session_store::LeaseOwnerIdentity& a, const session_store::LeaseOwnerIdentity& b) {
  return a.owner_id == b.owner_id && a.incarnation_id == b.incarnation_id;
}

// The local process that `owner` says it is, or null.
inline const session_store::LocalProcessOwner* LocalProcessOf(const session_store::LeaseOwnerIdentity& owner) {
  return std::get_if<session_store::LocalProcessOwner>(&owner.liveness);
}

// Whether `holder` is definitely dead as seen by `claimant`: a process of the same host and boot that no longer runs. Only then
// is the probe asked.
inline bool DefinitelyDead(const session_store::LocalProcessOwner& holder, const session_store::LocalProcessOwner& claimant,
                           const LivenessProbe& probe) {
  return holder.host_id == claimant.host_id && holder.boot_id == claimant.boot_id &&
         probe.Probe(holder.pid, holder.process_start) == LivenessProbe::Answer::kDead;
}

// The same of two owners of any kind: an opaque one is neither known dead nor able to know.
inline bool DefinitelyDead(const session_store::LeaseOwnerIdentity& holder, const session_store::LeaseOwnerIdentity& claimant,
                           const LivenessProbe& probe) {
  const auto* held = LocalProcessOf(holder);
  const auto* asks = LocalProcessOf(claimant);
  return held != nullptr && asks != nullptr && DefinitelyDead(*held, *asks, probe);
}

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_OWNERS_H_
