// The backends that the golden scenarios are played on, one line each.
#ifndef LEASECHECK_TESTS_TRACES_BACKENDS_H_
#define LEASECHECK_TESTS_TRACES_BACKENDS_H_

#include <string>
#include <vector>

#include "model/session_store/family.h"
#include "model/target.h"

namespace leasecheck {

struct SessionStoreBackend {
  std::string name;
  TargetFactory<SessionStoreFamily> targets;
  bool reference = false;  // it keeps the exact numbers that only the reference promises
};

// `directory`: an empty folder of the caller's, for durable stores.
std::vector<SessionStoreBackend> SessionStoreBackends(const std::string& directory);

}  // namespace leasecheck

#endif  // LEASECHECK_TESTS_TRACES_BACKENDS_H_
