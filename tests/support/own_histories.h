// Records concurrent histories of the session_store family, to measure the checker on: one session, a prefix that takes its lane,
// then one parallel phase.
//
// Each client does what a careless worker does: it enqueues, claims, renews, abandons, commits, cancels and lists, with the lane
// it last took; now and then it moves the clock, so that leases lapse while calls are open. One answer in a hundred is never
// seen, by its client as by the checker.
#ifndef LEASECHECK_TESTS_SUPPORT_OWN_HISTORIES_H_
#define LEASECHECK_TESTS_SUPPORT_OWN_HISTORIES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "model/session_store/family.h"
#include "model/target.h"
#include "properties/engine/history.h"

namespace leasecheck::tests {

struct OwnHistoryOptions {
  int clients = 4;
  int calls = 1000;  // of the phase, all clients together
  uint64_t seed = 1;
  int unseen_percent = 1;
  int input_percent = 0;  // of the calls, so many are about turn inputs
  // Free threads, which overlap as the machine lets them; else the deterministic scheduler, which keeps all clients' calls open.
  bool free_threads = false;
};

struct OwnHistory {
  EpochMs start = 0;
  std::vector<engine::CallRecord<SessionStoreFamily>> prefix;  // sequential
  std::vector<engine::CallRecord<SessionStoreFamily>> phase;
};

// Fails as the target does.
absl::StatusOr<OwnHistory> RecordOwnHistory(const TargetFactory<SessionStoreFamily>& factory, const OwnHistoryOptions& options);

}  // namespace leasecheck::tests

#endif  // LEASECHECK_TESTS_SUPPORT_OWN_HISTORIES_H_
