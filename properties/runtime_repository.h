// The runtime_repository family under the harness: its generator, its invariants as scans and probes, and Check for it.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_H_
#define LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_H_

#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "model/runtime_repository/family.h"
#include "model/runtime_repository/spec.h"
#include "properties/check.h"
#include "properties/engine/generator.h"

namespace leasecheck::engine {

template <>
struct PropertiesOf<RuntimeRepositoryFamily> {
  static absl::Span<const Conversion> Conversions();
  static std::unique_ptr<Generator<RuntimeRepositoryFamily>> NewGenerator(Random random, const GeneratorOptions& options);
  // Only a claim reads the store's clock, and it needs an attempt that may be claimed.
  static std::vector<RequestOf<RuntimeRepositoryFamily>> BeforeClockProbe();
  static RequestOf<RuntimeRepositoryFamily> ClockProbe();
  static std::vector<Finding> Scan(const History<RuntimeRepositoryFamily>& history, const SpecSetup& setup, ClauseHits* hits);
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_H_
