// The invariants of runtime_persistence that are judged apart from the spec, on histories of any length.
//
// Scans (RP-INV-1 to 3, 5 to 8, 10 to 15 and 17, and the uniqueness of ids) look at what the answers say of commits, reads,
// batches, claims and attachments; probes (RP-VAC-3, RP-DUR-3, RP-INV-4, 9, 16 and 18) compare two observations with only calls
// between them that must not change what they show. Both know real time: "before" means that one call returned before the other
// was called, and where calls overlap, or an answer was never seen, they say nothing.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_SCANS_H_
#define LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_SCANS_H_

#include <vector>

#include "model/runtime_persistence/family.h"
#include "model/spec.h"
#include "properties/engine/history.h"
#include "properties/runtime_persistence_calls.h"

namespace leasecheck::runtime_persistence {

// The findings, those at the earliest call first. `hits` may be null.
std::vector<engine::Finding> ScanCommits(const PersistenceHistory& history, const SpecSetup& setup, ClauseHits* hits);
std::vector<engine::Finding> ScanQueue(const PersistenceHistory& history, ClauseHits* hits);
std::vector<engine::Finding> ScanAttachments(const PersistenceHistory& history, const SpecSetup& setup, ClauseHits* hits);
std::vector<engine::Finding> ProbeObservations(const PersistenceHistory& history, ClauseHits* hits);

}  // namespace leasecheck::runtime_persistence

#endif  // LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_SCANS_H_
