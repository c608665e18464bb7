// The runtime_persistence family under the harness: its generator, its invariants as scans and probes, and Check for it.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_H_
#define LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_H_

#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "model/runtime_persistence/family.h"
#include "model/runtime_persistence/spec.h"
#include "properties/check.h"
#include "properties/engine/generator.h"

namespace leasecheck::engine {

template <>
struct PropertiesOf<RuntimePersistenceFamily> {
  static absl::Span<const Conversion> Conversions();
  static std::unique_ptr<Generator<RuntimePersistenceFamily>> NewGenerator(Random random, const GeneratorOptions& options);
  static RequestOf<RuntimePersistenceFamily> ClockProbe();
  static std::vector<Finding> Scan(const History<RuntimePersistenceFamily>& history, const SpecSetup& setup, ClauseHits* hits);
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_H_
