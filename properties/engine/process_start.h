// When processes started, as liveness probes know it.
#ifndef LEASECHECK_PROPERTIES_ENGINE_PROCESS_START_H_
#define LEASECHECK_PROPERTIES_ENGINE_PROCESS_START_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/environment.h"

namespace leasecheck::engine {

// Field 22 of a process' stat, as text. NotFound: there is no such process; Unavailable: it cannot be read.
absl::StatusOr<std::string> ProcessStart(uint32_t pid);

// That of this process; "" where it cannot be read.
std::string OwnProcessStart();

// Asks the system, as a store in production does. Thread-safe.
class ProcessLiveness final : public LivenessProbe {
 public:
  Answer Probe(uint32_t pid, absl::string_view process_start) const override;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_PROCESS_START_H_
