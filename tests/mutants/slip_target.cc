#include "tests/mutants/slip_target.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "tests/mutants/disk_target.h"

namespace leasecheck::mutants {
namespace {

using F = SessionStoreFamily;

}  // namespace

std::vector<bool> QueueOperations() {
  std::vector<bool> operations;
  for (std::size_t i = 0; i < kOperationCount<F>; ++i) {
    operations.push_back(i < OperationIndexOf<F, session_store::EnqueuePendingTurnInputRequest>());
  }
  return operations;
}

TargetFactory<F> SlipTargets(SlipTargetOptions options) {
  return [options = std::move(options)]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    TargetInfo info;
    info.name = options.name;
    info.concurrency = 16;
    info.pausable = true;
    info.durable = info.killable = options.durable;
    info.dialects = options.dialects;
    if (!options.turn_inputs) info.operations = QueueOperations();
    return std::make_unique<DiskTarget<F, StoreState>>(std::move(info),
                                                       [policy = options.policy](const Environment& environment, Disk* disk) {
                                                         return std::make_unique<SlipStore>(environment, policy, disk);
                                                       });
  };
}

}  // namespace leasecheck::mutants
