#include "properties/runtime_repository.h"

#include <memory>
#include <utility>

#include "properties/runtime_repository_generator.h"
#include "properties/runtime_repository_scans.h"

namespace leasecheck::engine {

namespace {

constexpr const char* kClockAttempt = "clock";

}  // namespace

absl::Span<const Conversion> PropertiesOf<RuntimeRepositoryFamily>::Conversions() { return {}; }

std::unique_ptr<Generator<RuntimeRepositoryFamily>> PropertiesOf<RuntimeRepositoryFamily>::NewGenerator(
    Random random, const GeneratorOptions& options) {
  return std::make_unique<runtime_repository::RuntimeRepositoryGenerator>(std::move(random), options);
}

std::vector<RequestOf<RuntimeRepositoryFamily>> PropertiesOf<RuntimeRepositoryFamily>::BeforeClockProbe() {
  return {runtime_repository::EnqueueAttemptRequest{kClockAttempt, kClockAttempt},
          runtime_repository::ExpireLeasesAndRequeueRequest{kLastInstant}};
}

RequestOf<RuntimeRepositoryFamily> PropertiesOf<RuntimeRepositoryFamily>::ClockProbe() {
  return runtime_repository::UpsertLeaseRequest{kClockAttempt, kClockAttempt, leasecheck::Instant(0)};
}

std::vector<Finding> PropertiesOf<RuntimeRepositoryFamily>::Scan(const History<RuntimeRepositoryFamily>& history,
                                                                 const SpecSetup& setup, ClauseHits* hits) {
  std::vector<Finding> findings = runtime_repository::ScanLeases(history, hits);
  if (findings.empty()) findings = runtime_repository::ScanAttempts(history, setup, hits);
  if (findings.empty()) findings = runtime_repository::ProbeObservations(history, hits);
  return findings;
}

}  // namespace leasecheck::engine
