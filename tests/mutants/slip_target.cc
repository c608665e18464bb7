#include "tests/mutants/slip_target.h"

#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/environment.h"
#include "properties/engine/scheduler.h"

namespace leasecheck::mutants {
namespace {

using F = SessionStoreFamily;

class SlipTarget final : public Target<F> {
 public:
  explicit SlipTarget(const SlipTargetOptions& options) : policy_(options.policy) {
    info_.name = options.name;
    info_.concurrency = 16;
    info_.pausable = true;
    info_.durable = info_.killable = options.durable;
    info_.dialects = options.dialects;
    if (!options.turn_inputs) info_.operations = QueueOperations();
  }

  const TargetInfo& info() const override { return info_; }

  OutcomeOf<F> Execute(const RequestOf<F>& request) override {
    if (killed_.load()) return Indefinite{"the store was killed"};
    OutcomeOf<F> outcome = leasecheck::Execute<F>(*store_, request);
    if (killed_.load()) return Indefinite{"the store was killed during the call"};
    return outcome;
  }

  absl::Status Reset(EpochMs now) override {
    store_.reset();
    disk_ = info_.durable ? std::make_unique<Disk>() : nullptr;
    clock_.Set(now);
    Start();
    return absl::OkStatus();
  }
  absl::Status SetClock(EpochMs now) override {
    clock_.Set(now);
    return absl::OkStatus();
  }
  absl::Status Reopen() override {
    if (!info_.durable) return absl::UnimplementedError("the store has no disk: it cannot be reopened");
    Start();
    return absl::OkStatus();
  }
  absl::Status Kill() override {
    if (!info_.durable) return absl::UnimplementedError("the store has no disk: it cannot be killed");
    // In this order: a call whose write no longer arrives must not answer.
    killed_.store(true);
    disk_->EndLife();
    return absl::OkStatus();
  }
  void SetPauseHook(PauseHook* hook) override { relay_.Attach(hook); }

 private:
  void Start() {
    store_ = std::make_unique<SlipStore>(Environment{&clock_, &liveness_, &relay_}, policy_, disk_.get());
    killed_.store(false);
  }

  TargetInfo info_;
  const Policy policy_;
  ManualClock clock_;
  FixedLiveness liveness_;
  engine::PauseRelay relay_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<SlipStore> store_;
  std::atomic<bool> killed_{false};
};

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
    return std::make_unique<SlipTarget>(options);
  };
}

}  // namespace leasecheck::mutants
