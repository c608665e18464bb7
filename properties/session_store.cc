#include "properties/session_store.h"

#include <memory>
#include <utility>

#include "properties/session_store_generator.h"
#include "properties/session_store_scans.h"

namespace leasecheck::session_store {
namespace {

// An input stands for the target of a cancel that names it by its id.
PendingTurnInputCancelTarget TargetOf(const PendingTurnInput& input) { return InputIdTarget{input.input_id}; }

}  // namespace
}  // namespace leasecheck::session_store

namespace leasecheck::engine {

absl::Span<const Conversion> PropertiesOf<SessionStoreFamily>::Conversions() {
  using namespace session_store;  // NOLINT(google-build-using-namespace): the functions of the values, in a few lines
  constexpr QueuedWorkCompletion (*kQueueCompletion)(const QueuedWorkClaim&) = &CompletionOf;
  constexpr TurnInputCompletion (*kInputCompletion)(const TurnInputClaim&) = &CompletionOf;
  static const Conversion kConversions[] = {
      ConversionBy<kQueueCompletion>(kQueueCompletion),
      ConversionBy<kInputCompletion>(kInputCompletion),
      ConversionBy<&FenceOf>(&FenceOf),
      ConversionBy<&ReleaseOf>(&ReleaseOf),
      ConversionBy<&TargetOf>(&TargetOf),
  };
  return kConversions;
}

std::unique_ptr<Generator<SessionStoreFamily>> PropertiesOf<SessionStoreFamily>::NewGenerator(Random random,
                                                                                              const GeneratorOptions& options) {
  return std::make_unique<session_store::SessionStoreGenerator>(random, options);
}

RequestOf<SessionStoreFamily> PropertiesOf<SessionStoreFamily>::ClockProbe() {
  session_store::QueuedWorkBatchDraft draft;
  draft.session_id = "clock";
  draft.payloads = {session_store::ProcessWake{}};
  return session_store::EnqueueQueuedWorkRequest{std::move(draft)};
}

std::vector<Finding> PropertiesOf<SessionStoreFamily>::Scan(const History<SessionStoreFamily>& history, const SpecSetup& setup,
                                                            ClauseHits* hits) {
  std::vector<Finding> findings = session_store::ScanBatches(history, setup, hits);
  for (auto* more : {&session_store::ScanLanes, &session_store::ProbeObservations, &session_store::ProbeInputs}) {
    if (findings.empty()) findings = more(history, hits);
  }
  if (findings.empty()) findings = session_store::ScanInputs(history, setup, hits);
  return findings;
}

}  // namespace leasecheck::engine
