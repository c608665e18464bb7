// A target over a store whose disk is in memory: it can be killed in the middle of its calls, and reopened from what it wrote.
#ifndef LEASECHECK_TESTS_MUTANTS_DISK_TARGET_H_
#define LEASECHECK_TESTS_MUTANTS_DISK_TARGET_H_

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "model/environment.h"
#include "model/target.h"
#include "properties/engine/scheduler.h"
#include "tests/mutants/disk.h"

namespace leasecheck::mutants {

// Virtual clock, fixed liveness, pauses. A store that is not durable, says `info`, gets no disk. Thread-safe. Kill overlaps
// calls: those that are open then answer Indefinite, and what they write afterwards is lost.
template <class F, class Image>
class DiskTarget final : public Target<F> {
 public:
  // `disk` is null where there is none, and outlives the store.
  using Open = std::function<std::unique_ptr<typename F::Store>(const Environment& environment, DiskOf<Image>* disk)>;

  DiskTarget(TargetInfo info, Open open) : info_(std::move(info)), open_(std::move(open)) {}

  const TargetInfo& info() const override { return info_; }

  OutcomeOf<F> Execute(const RequestOf<F>& request) override {
    if (killed_.load()) return Indefinite{"the store was killed"};
    OutcomeOf<F> outcome = leasecheck::Execute<F>(*store_, request);
    if (killed_.load()) return Indefinite{"the store was killed during the call"};
    return outcome;
  }

  absl::Status Reset(EpochMs now) override {
    store_.reset();
    disk_ = info_.durable ? std::make_unique<DiskOf<Image>>() : nullptr;
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
    store_ = open_(Environment{&clock_, &liveness_, &relay_}, disk_.get());
    killed_.store(false);
  }

  const TargetInfo info_;
  const Open open_;
  ManualClock clock_;
  FixedLiveness liveness_;
  engine::PauseRelay relay_;
  std::unique_ptr<DiskOf<Image>> disk_;
  std::unique_ptr<typename F::Store> store_;
  std::atomic<bool> killed_{false};
};

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_DISK_TARGET_H_
