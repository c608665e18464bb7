// The backends that the golden scenarios are played on, one line each.
#ifndef LEASECHECK_TESTS_TRACES_BACKENDS_H_
#define LEASECHECK_TESTS_TRACES_BACKENDS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/runtime_persistence/family.h"
#include "model/runtime_repository/family.h"
#include "model/session_store/family.h"
#include "model/state_backend/family.h"
#include "model/target.h"

namespace leasecheck {

template <class F>
struct GoldenBackend {
  std::string name;
  TargetFactory<F> targets;
  bool reference = false;  // it keeps the exact numbers that only the reference promises
  // The operations that it has in the contract's sense; none: all that its target offers.
  bool (*has)(absl::string_view operation) = nullptr;
};

// `directory`: an empty folder of the caller's, for durable stores. Specialised for each family.
template <class F>
std::vector<GoldenBackend<F>> GoldenBackends(const std::string& directory);
template <>
std::vector<GoldenBackend<SessionStoreFamily>> GoldenBackends(const std::string& directory);
template <>
std::vector<GoldenBackend<RuntimePersistenceFamily>> GoldenBackends(const std::string& directory);
template <>
std::vector<GoldenBackend<RuntimeRepositoryFamily>> GoldenBackends(const std::string& directory);
template <>
std::vector<GoldenBackend<StateBackendFamily>> GoldenBackends(const std::string& directory);

}  // namespace leasecheck

#endif  // LEASECHECK_TESTS_TRACES_BACKENDS_H_
