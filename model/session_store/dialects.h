// The latitude points of the session_store contract at which a backend declares its choice (PROTOCOL.md, "Control methods").
// The first word of each is the reference's choice, and what an undeclared point means.
#ifndef LEASECHECK_MODEL_SESSION_STORE_DIALECTS_H_
#define LEASECHECK_MODEL_SESSION_STORE_DIALECTS_H_

#include "absl/strings/string_view.h"
#include "model/dialect.h"

namespace leasecheck::session_store {

inline constexpr absl::string_view kAllowOrRefuse[] = {"allow", "refuse"};
// An Accepted input whose claim lapsed: nobody can claim it (`strand`), or claim_active_turn_inputs of the same turn, at a
// checkpoint that admits it, takes it under a higher fencing token (`reacquire`). In both it is not listed, and cancelling it is
// AlreadyClaimed.
inline constexpr absl::string_view kStrandOrReacquire[] = {"strand", "reacquire"};
// Completing a lapsed claim that nobody took: it succeeds (`allow`), or is TurnInputClaimExpired (`strict_expiry`).
inline constexpr absl::string_view kAllowOrStrictExpiry[] = {"allow", "strict_expiry"};
// What vacuum reaches: every session of the store (`store`), or only the one that the store was bound to by its first commit,
// and every session before that (`own_session`).
inline constexpr absl::string_view kStoreOrOwnSession[] = {"store", "own_session"};

inline constexpr DialectPoint kDialectPoints[] = {
    {"QW-LAT-7", kAllowOrRefuse},  // settling a lapsed, untaken claim of queued work
    {"QW-LAT-8", kAllowOrRefuse},  // renewing one
    {"TI-LAT-1", kStrandOrReacquire}, {"TI-LAT-12", kAllowOrStrictExpiry}, {"TI-LAT-13", kStoreOrOwnSession},
};

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_MODEL_SESSION_STORE_DIALECTS_H_
