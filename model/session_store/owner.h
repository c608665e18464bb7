// Who holds a lease: part of the values of the session_store contract (queued-work.md, 2).
#ifndef LEASECHECK_MODEL_SESSION_STORE_OWNER_H_
#define LEASECHECK_MODEL_SESSION_STORE_OWNER_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>

#include "model/field.h"

namespace leasecheck {
namespace session_store {

// Says nothing of the process that owns a lease.
struct OpaqueOwner {
  friend bool operator==(const OpaqueOwner&, const OpaqueOwner&) = default;
};
// Names the process that owns a lease, so that others on its host can tell that it died.
struct LocalProcessOwner {
  std::string host_id;
  std::string boot_id;
  uint32_t pid = 0;
  std::string process_start;  // field 22 of the Linux per-process stat, as text
  friend bool operator==(const LocalProcessOwner&, const LocalProcessOwner&) = default;
};
using LeaseOwnerLiveness = std::variant<OpaqueOwner, LocalProcessOwner>;

// Who asks for a lease. Two identities are the *same incarnation* when owner_id and incarnation_id are equal; liveness is
// ignored. A holder is *definitely dead* as seen by a claimant when both are local processes of one host and boot, and the
// holder's pid does not exist or belongs to a process that started at another time.
struct LeaseOwnerIdentity {
  std::string owner_id;
  std::string incarnation_id;
  LeaseOwnerLiveness liveness;
  friend bool operator==(const LeaseOwnerIdentity&, const LeaseOwnerIdentity&) = default;
};

}  // namespace session_store

template <>
inline constexpr auto kFields<session_store::OpaqueOwner> = std::tuple<>{};
template <>
inline constexpr auto kFields<session_store::LocalProcessOwner> = std::make_tuple(
    Field{"host_id", &session_store::LocalProcessOwner::host_id}, Field{"boot_id", &session_store::LocalProcessOwner::boot_id},
    Field{"pid", &session_store::LocalProcessOwner::pid},
    Field{"process_start", &session_store::LocalProcessOwner::process_start});
template <>
inline constexpr auto kAlternatives<session_store::LeaseOwnerLiveness> =
    AlternativeList<2>{Tagging::kInternal, "kind", "", {{"opaque"}, {"local_process"}}};
template <>
inline constexpr auto kFields<session_store::LeaseOwnerIdentity> =
    std::make_tuple(Field{"owner_id", &session_store::LeaseOwnerIdentity::owner_id},
                    Field{"incarnation_id", &session_store::LeaseOwnerIdentity::incarnation_id},
                    Field{"liveness", &session_store::LeaseOwnerIdentity::liveness});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_SESSION_STORE_OWNER_H_
