// Targets over SlipStore: virtual clock, fixed liveness, pauses; on request a disk in memory, so that the store can be killed.
#ifndef LEASECHECK_TESTS_MUTANTS_SLIP_TARGET_H_
#define LEASECHECK_TESTS_MUTANTS_SLIP_TARGET_H_

#include <string>
#include <vector>

#include "model/dialect.h"
#include "model/session_store/family.h"
#include "model/target.h"
#include "tests/mutants/slip_store.h"

namespace leasecheck::mutants {

struct SlipTargetOptions {
  std::string name;
  Policy policy;
  bool durable = false;  // has a disk; Kill drops all that is not on it, and Reopen starts from it
  Dialects dialects;
  bool turn_inputs = false;  // offers them too; else a program would spend half of itself on what the slip is not about
};

// The queue, the lane and the commit, by index in the operation table.
std::vector<bool> QueueOperations();

// Thread-safe. Kill overlaps calls: those that are open then answer Indefinite, and what they write afterwards is lost.
TargetFactory<SessionStoreFamily> SlipTargets(SlipTargetOptions options);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_SLIP_TARGET_H_
