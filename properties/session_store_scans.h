// The invariants of session_store that are judged apart from the spec, on histories of any length.
//
// Scans (QW-INV-1, 2, 3, 4, 8, 9, 15 and the uniqueness of ids) look at what the answers say about batches, claims and lanes;
// probes (QW-INV-16, 17, 19, 20) compare two observations of one session with only calls between them that must not change it.
// Both know real time: "before" means that one call returned before the other was called, and where calls overlap, or an answer
// was never seen, they say nothing.
#ifndef LEASECHECK_PROPERTIES_SESSION_STORE_SCANS_H_
#define LEASECHECK_PROPERTIES_SESSION_STORE_SCANS_H_

#include <vector>

#include "model/session_store/family.h"
#include "model/spec.h"
#include "properties/engine/history.h"

namespace leasecheck::session_store {

using SessionHistory = engine::History<SessionStoreFamily>;

// The findings, those at the earliest call first. `hits` may be null.
std::vector<engine::Finding> ScanBatches(const SessionHistory& history, const SpecSetup& setup, ClauseHits* hits);
std::vector<engine::Finding> ScanLanes(const SessionHistory& history, ClauseHits* hits);
std::vector<engine::Finding> ProbeObservations(const SessionHistory& history, ClauseHits* hits);
// The same of turn inputs: TI-INV-2 to 10, 15 and 20; TI-INV-13, 14, 16 and 17.
std::vector<engine::Finding> ScanInputs(const SessionHistory& history, const SpecSetup& setup, ClauseHits* hits);
std::vector<engine::Finding> ProbeInputs(const SessionHistory& history, ClauseHits* hits);

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_PROPERTIES_SESSION_STORE_SCANS_H_
