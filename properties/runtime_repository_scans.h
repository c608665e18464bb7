// The invariants of runtime_repository that are judged apart from the spec, on histories of any length.
//
// Scans look at what the answers say: of leases (RR-INV-1, 2, 5 and 15, RR-EXP-10), and of attempts and runs (RR-INV-6, 8, 9, 11,
// 12, 14 and 16, RR-SEQ-4). Probes (RR-LST-10, RR-UPS-10, RR-DUR-1, RR-INV-3, 7, 9, 10 and 13) compare observations with only
// calls between them that must not change what they show. All know real time: "before" means that one call returned before the
// other was called, and where calls overlap, or an answer was never seen, they take what is most lenient. A mark takes its
// attempt out of all but RR-INV-5, 9, 11, 13 and 14.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_SCANS_H_
#define LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_SCANS_H_

#include <vector>

#include "model/runtime_repository/family.h"
#include "model/spec.h"
#include "properties/engine/history.h"
#include "properties/runtime_repository_calls.h"

namespace leasecheck::runtime_repository {

// The findings, those at the earliest call first. `hits` may be null.
std::vector<engine::Finding> ScanLeases(const RepositoryHistory& history, ClauseHits* hits);
std::vector<engine::Finding> ScanAttempts(const RepositoryHistory& history, const SpecSetup& setup, ClauseHits* hits);
std::vector<engine::Finding> ProbeObservations(const RepositoryHistory& history, ClauseHits* hits);

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_SCANS_H_
