// The latitude points of the runtime_repository contract at which a backend declares its choice (PROTOCOL.md, "Control methods").
// The first word of each is the reference's choice, and what an undeclared point means. At every other point the checker accepts
// what the contract's "(b)" says.
#ifndef LEASECHECK_MODEL_RUNTIME_REPOSITORY_DIALECTS_H_
#define LEASECHECK_MODEL_RUNTIME_REPOSITORY_DIALECTS_H_

#include "absl/strings/string_view.h"
#include "model/dialect.h"

namespace leasecheck::runtime_repository {

// How strict the checker is where the trait's page and its real backends disagree. `doc`: the page wins. `upstream`: a claim of
// RetryBackoff before its retry_at may also succeed (RR-LAT-2), and RR-LAT-12 may be declared `none`.
inline constexpr absl::string_view kDocOrUpstream[] = {"doc", "upstream"};
// The dispatch order: with or without the priority before attempt_no and attempt_id.
inline constexpr absl::string_view kOrders[] = {"priority,no,id", "no,id"};
// What a sweep does with started_at: `keep`, so that a timeout counts from the first claim on, or `reset`, from the last.
inline constexpr absl::string_view kKeepOrReset[] = {"keep", "reset"};
// Whether there is an event log: latest_seq_for_run is its head (`log`), or always 0 (`none`). `none` counts only together with
// the profile `upstream`; under `doc` a 0 after an append that was acknowledged breaks RR-SEQ-1 all the same.
inline constexpr absl::string_view kLogOrNone[] = {"log", "none"};

inline constexpr DialectPoint kDialectPoints[] = {
    {"RR-LAT-7", kOrders}, {"RR-LAT-8", kKeepOrReset}, {"RR-LAT-12", kLogOrNone}, {"profile", kDocOrUpstream}};

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_MODEL_RUNTIME_REPOSITORY_DIALECTS_H_
