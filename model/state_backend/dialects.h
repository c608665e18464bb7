// The latitude points of the state_backend contract at which a backend declares its choice (PROTOCOL.md, "Control methods"). The
// first word of each is the reference's choice, and what an undeclared point means. At every other point the checker accepts what
// the contract's column (b) says.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_DIALECTS_H_
#define LEASECHECK_MODEL_STATE_BACKEND_DIALECTS_H_

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "model/dialect.h"
#include "model/state_backend/values.h"
#include "model/time.h"

namespace leasecheck::state_backend {

// SB-LAT-5: what list_executions orders by, late to early.
inline constexpr absl::string_view kListOrders[] = {"updated_at", "started_at"};
// SB-LAT-9: an event, a snapshot, an item for an execution that does not exist: an error, or stored. The same for all three.
// Views are not checked of a store that declares `accepted`.
inline constexpr absl::string_view kDatabaseOrAccepted[] = {"database", "accepted"};
// SB-LAT-10: events are numbered an execution, or over the whole store.
inline constexpr absl::string_view kNumberings[] = {"per_execution", "global"};
// SB-LAT-15: a claim takes the eligible item with the earliest created_at, or any.
inline constexpr absl::string_view kClaimOrders[] = {"fifo", "any"};
// SB-LAT-16: an expired item waits for a reclaim, or a claim makes it pending again without counting the attempt.
inline constexpr absl::string_view kWaitsOrStealing[] = {"waits", "stealing"};
// SB-LAT-17: how long after a reclaim an item is not claimed: 2^min(attempt, 6) s; at most 64 s; not at all.
inline constexpr absl::string_view kBackoffs[] = {"exponential", "bounded", "none"};
// SB-LAT-20: a failed item stays failed, or goes back to the queue at once.
inline constexpr absl::string_view kSinkOrRequeue[] = {"sink", "requeue"};
// SB-LAT-34: the four calls of tenants, or their defaults. Of a store without them only "default" is known to be registered.
inline constexpr absl::string_view kSupportedOrNot[] = {"supported", "unsupported"};
// The looseness of two upstream stores where the contract's table says "preset MEM" or "preset SQL".
inline constexpr absl::string_view kPresets[] = {"none", "memory", "sqlite"};
// Whether a call may be made through a tenant's view. On the wire it is the member "views" of initialize's result, true for
// `tenants`, and no dialect.
inline constexpr absl::string_view kViews[] = {"none", "tenants"};

// A point without words takes a number: SB-LAT-35 the lease length in milliseconds, 30000 where it is not declared.
inline constexpr DialectPoint kDialectPoints[] = {{"SB-LAT-5", kListOrders},
                                                  {"SB-LAT-9", kDatabaseOrAccepted},
                                                  {"SB-LAT-10", kNumberings},
                                                  {"SB-LAT-15", kClaimOrders},
                                                  {"SB-LAT-16", kWaitsOrStealing},
                                                  {"SB-LAT-17", kBackoffs},
                                                  {"SB-LAT-20", kSinkOrRequeue},
                                                  {"SB-LAT-34", kSupportedOrNot},
                                                  {"SB-LAT-35", {}},
                                                  {"preset", kPresets},
                                                  {"views", kViews}};

// The lease length that the dialects declare.
inline DurationMs LeaseLengthOf(const Dialects& dialects) {
  auto declared = dialects.find("SB-LAT-35");
  DurationMs length = 0;
  if (declared == dialects.end() || !absl::SimpleAtoi(declared->second, &length)) return kLeaseLengthMs;
  return length;
}

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_MODEL_STATE_BACKEND_DIALECTS_H_
