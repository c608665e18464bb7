#include "properties/session_store.h"

#include <memory>
#include <utility>

#include "properties/session_store_generator.h"
#include "properties/session_store_scans.h"

namespace leasecheck::engine {
namespace {

// What names an input where one is to be cancelled.
session_store::PendingTurnInputCancelTarget TargetOf(const session_store::PendingTurnInput& input) {
  return session_store::InputIdTarget{input.input_id};
}

}  // namespace

absl::Span<const Conversion> PropertiesOf<SessionStoreFamily>::Conversions() {
  using namespace session_store;  // NOLINT(google-build-using-namespace): the functions of the values, in a few lines
  constexpr QueuedWorkCompletion (*kQueueCompletion)(const QueuedWorkClaim&) = &CompletionOf;
  constexpr TurnInputCompletion (*kInputCompletion)(const TurnInputClaim&) = &CompletionOf;
  static const Conversion kConversions[] = {
      ConversionBy<kQueueCompletion>(kQueueCompletion),
      ConversionBy<kInputCompletion>(kInputCompletion),
      ConversionBy<&TargetOf>(&TargetOf),
      ConversionBy<&FenceOf>(&FenceOf),
      ConversionBy<&ReleaseOf>(&ReleaseOf),
  };
  return kConversions;
}

std::unique_ptr<Generator<SessionStoreFamily>> PropertiesOf<SessionStoreFamily>::NewGenerator(Random random,
                                                                                              const GeneratorOptions& options) {
  return std::make_unique<session_store::SessionStoreGenerator>(std::move(random), options);
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
  for (auto* more : {&session_store::ScanLanes, &session_store::ProbeObservations}) {
    if (findings.empty()) findings = more(history, hits);
  }
  return findings;
}

}  // namespace leasecheck::engine
