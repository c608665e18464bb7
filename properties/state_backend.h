// The state_backend family under the harness: its generator, its invariants as scans and probes, and Check for it.
#ifndef LEASECHECK_PROPERTIES_STATE_BACKEND_H_
#define LEASECHECK_PROPERTIES_STATE_BACKEND_H_

#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "model/state_backend/family.h"
#include "model/state_backend/spec.h"
#include "properties/check.h"
#include "properties/engine/generator.h"

namespace leasecheck::engine {

template <>
struct PropertiesOf<StateBackendFamily> {
  // The id of a token may be presented as a token's text: it is none.
  static absl::Span<const Conversion> Conversions();
  static std::unique_ptr<Generator<StateBackendFamily>> NewGenerator(Random random, const GeneratorOptions& options);
  // A token's creation shows the store's clock, and is legal in every state.
  static RequestOf<StateBackendFamily> ClockProbe();
  static std::vector<Finding> Scan(const History<StateBackendFamily>& history, const SpecSetup& setup, ClauseHits* hits);
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_STATE_BACKEND_H_
