// Targets that are another target in all but one thing.
#ifndef LEASECHECK_CLI_WRAPPED_TARGET_H_
#define LEASECHECK_CLI_WRAPPED_TARGET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/dialect.h"
#include "model/target.h"

namespace leasecheck::cli {

// Hands everything on.
template <class F>
class ForwardingTarget : public Target<F> {
 public:
  explicit ForwardingTarget(std::unique_ptr<Target<F>> target) : target_(std::move(target)) {}

  const TargetInfo& info() const override { return target_->info(); }
  OutcomeOf<F> Execute(const RequestOf<F>& request) override { return target_->Execute(request); }
  absl::Status Reset(EpochMs now) override { return target_->Reset(now); }
  absl::Status SetClock(EpochMs now) override { return target_->SetClock(now); }
  absl::Status Reopen() override { return target_->Reopen(); }
  absl::Status Kill() override { return target_->Kill(); }
  absl::Status KillProcess(int process) override { return target_->KillProcess(process); }
  absl::Status KillAtStatement(int process, uint64_t n) override { return target_->KillAtStatement(process, n); }
  void SetPauseHook(PauseHook* hook) override { target_->SetPauseHook(hook); }
  bool Crashed() const override { return target_->Crashed(); }
  absl::Status Health() const override { return target_->Health(); }
  std::string Log() const override { return target_->Log(); }

 private:
  const std::unique_ptr<Target<F>> target_;
};

// A target for which the command line declares dialects.
template <class F>
class DeclaredTarget final : public ForwardingTarget<F> {
 public:
  // A choice of `dialects` stands before the target's own at the same point.
  DeclaredTarget(std::unique_ptr<Target<F>> target, const Dialects& dialects)
      : ForwardingTarget<F>(std::move(target)), info_(ForwardingTarget<F>::info()) {
    for (const auto& [id, word] : dialects) info_.dialects[id] = word;
  }
  const TargetInfo& info() const override { return info_; }

 private:
  TargetInfo info_;
};

template <class F>
std::unique_ptr<Target<F>> Declared(std::unique_ptr<Target<F>> target, const Dialects& dialects) {
  if (dialects.empty()) return target;
  return std::make_unique<DeclaredTarget<F>>(std::move(target), dialects);
}

template <class F>
TargetFactory<F> Declaring(TargetFactory<F> factory, const Dialects& dialects) {
  return [factory = std::move(factory), dialects]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    absl::StatusOr<std::unique_ptr<Target<F>>> target = factory();
    if (!target.ok()) return target.status();
    return Declared<F>(*std::move(target), dialects);
  };
}

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_WRAPPED_TARGET_H_
