// Invariants of state_backend histories, judged apart from the spec. Internal to properties/state_backend*.
#ifndef LEASECHECK_PROPERTIES_STATE_BACKEND_SCANS_H_
#define LEASECHECK_PROPERTIES_STATE_BACKEND_SCANS_H_

#include <vector>

#include "model/spec.h"
#include "properties/state_backend_calls.h"

namespace leasecheck::state_backend {

// Each stops at its first finding; `hits` (may be null) counts the clauses.

// The queue: exclusivity, at most one end, attempts, deliveries, expiries, leases, nothing lost (SB-INV-1..7,18, SB-RCL-5).
std::vector<engine::Finding> ScanWork(const BackendHistory& history, const SpecSetup& setup, ClauseHits* hits);

// Dead letters: the reason of what was exhausted is fixed (SB-RCL-13).
std::vector<engine::Finding> ScanLetters(const BackendHistory& history, const SpecSetup& setup, ClauseHits* hits);

// Logs, snapshots, arrays: order, gaps, prefixes, cursors, agreement (SB-INV-8..12,15,16, SB-SEQ-4).
std::vector<engine::Finding> ScanLogs(const BackendHistory& history, const SpecSetup& setup, ClauseHits* hits);

// Tokens and tenants: secrets, isolation (SB-INV-14,17).
std::vector<engine::Finding> ScanAccess(const BackendHistory& history, ClauseHits* hits);

// What must not change is the same before and after (SB-GEN-2, SB-DUR-1).
std::vector<engine::Finding> ProbeObservations(const BackendHistory& history, ClauseHits* hits);

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_PROPERTIES_STATE_BACKEND_SCANS_H_
