// The session_store family under the harness: its generator, its invariants as scans and probes, and Check for it.
#ifndef LEASECHECK_PROPERTIES_SESSION_STORE_H_
#define LEASECHECK_PROPERTIES_SESSION_STORE_H_

#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "model/session_store/family.h"
#include "model/session_store/spec.h"
#include "properties/check.h"
#include "properties/engine/generator.h"

namespace leasecheck::engine {

template <>
struct PropertiesOf<SessionStoreFamily> {
  static absl::Span<const Conversion> Conversions();
  static std::unique_ptr<Generator<SessionStoreFamily>> NewGenerator(Random random, const GeneratorOptions& options);
  static RequestOf<SessionStoreFamily> ClockProbe();
  static std::vector<Finding> Scan(const History<SessionStoreFamily>& history, const SpecSetup& setup, ClauseHits* hits);
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_SESSION_STORE_H_
