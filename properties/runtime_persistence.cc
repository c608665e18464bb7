#include "properties/runtime_persistence.h"

#include <memory>
#include <utility>

#include "properties/runtime_persistence_generator.h"
#include "properties/runtime_persistence_scans.h"

namespace leasecheck::engine {

absl::Span<const Conversion> PropertiesOf<RuntimePersistenceFamily>::Conversions() {
  constexpr runtime_persistence::QueuedWorkCompletion (*kCompletion)(const runtime_persistence::QueuedWorkClaim&) =
      &runtime_persistence::CompletionOf;
  static const Conversion kConversions[] = {ConversionBy<kCompletion>(kCompletion)};
  return kConversions;
}

std::unique_ptr<Generator<RuntimePersistenceFamily>> PropertiesOf<RuntimePersistenceFamily>::NewGenerator(
    Random random, const GeneratorOptions& options) {
  return std::make_unique<runtime_persistence::RuntimePersistenceGenerator>(random, options);
}

RequestOf<RuntimePersistenceFamily> PropertiesOf<RuntimePersistenceFamily>::ClockProbe() {
  runtime_persistence::QueuedWorkBatchDraft draft;
  draft.session_id = "clock";
  draft.payloads = {runtime_persistence::ProcessWake{}};
  return runtime_persistence::EnqueueQueuedWorkRequest{std::move(draft)};
}

std::vector<Finding> PropertiesOf<RuntimePersistenceFamily>::Scan(const History<RuntimePersistenceFamily>& history,
                                                                  const SpecSetup& setup, ClauseHits* hits) {
  std::vector<Finding> findings = runtime_persistence::ScanCommits(history, setup, hits);
  if (findings.empty()) findings = runtime_persistence::ScanQueue(history, hits);
  if (findings.empty()) findings = runtime_persistence::ScanAttachments(history, setup, hits);
  if (findings.empty()) findings = runtime_persistence::ProbeObservations(history, hits);
  return findings;
}

}  // namespace leasecheck::engine
