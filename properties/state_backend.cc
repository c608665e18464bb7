#include "properties/state_backend.h"

#include <memory>
#include <string>
#include <utility>

#include "properties/state_backend_generator.h"
#include "properties/state_backend_scans.h"

namespace leasecheck::engine {

namespace {

Secret AsText(const std::string& id) { return Secret(id); }

}  // namespace

absl::Span<const Conversion> PropertiesOf<StateBackendFamily>::Conversions() {
  static const Conversion kConversions[] = {ConversionBy<&AsText>(&AsText)};
  return kConversions;
}

std::unique_ptr<Generator<StateBackendFamily>> PropertiesOf<StateBackendFamily>::NewGenerator(Random random,
                                                                                              const GeneratorOptions& options) {
  return std::make_unique<state_backend::StateBackendGenerator>(random, options);
}

RequestOf<StateBackendFamily> PropertiesOf<StateBackendFamily>::ClockProbe() {
  return state_backend::CreateTokenRequest{"clock", "viewer"};
}

std::vector<Finding> PropertiesOf<StateBackendFamily>::Scan(const History<StateBackendFamily>& history, const SpecSetup& setup,
                                                            ClauseHits* hits) {
  std::vector<Finding> findings = state_backend::ScanWork(history, setup, hits);
  if (findings.empty()) findings = state_backend::ScanLetters(history, setup, hits);
  if (findings.empty()) findings = state_backend::ScanLogs(history, setup, hits);
  if (findings.empty()) findings = state_backend::ScanAccess(history, hits);
  if (findings.empty()) findings = state_backend::ProbeObservations(history, hits);
  return findings;
}

}  // namespace leasecheck::engine
