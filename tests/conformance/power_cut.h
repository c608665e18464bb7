// SQLite in this process on a file system that loses what was not synced: killing it is a power cut.
#ifndef LEASECHECK_TESTS_CONFORMANCE_POWER_CUT_H_
#define LEASECHECK_TESTS_CONFORMANCE_POWER_CUT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/registry.h"
#include "adapters/sqlite/unsynced_vfs.h"
#include "model/session_store/family.h"
#include "model/target.h"
#include "properties/engine/scheduler.h"
#include "tests/support/declared.h"

namespace leasecheck {

// Each cut loses all unsynced writes, or every sector of them by a coin, in turn. Thread-safe as Target says.
template <class F = SessionStoreFamily>
class PowerCutTarget final : public Target<F> {
 public:
  using Store = typename sqlite::StoreOf<F>::type;
  using Loss = sqlite::UnsyncedVfs::Loss;

  // `folder` exists and is this target's own.
  PowerCutTarget(std::string folder, sqlite::Synchronous synchronous) : folder_(std::move(folder)), synchronous_(synchronous) {
    static std::atomic<int> made{0};
    auto vfs = sqlite::UnsyncedVfs::Register(absl::StrCat("power-cut-", made.fetch_add(1)));
    if (vfs.ok()) vfs_ = *std::move(vfs);
    info_.name = "sqlite, power cuts";
    info_.concurrency = 4;
    info_.durable = info_.killable = info_.kills_at_statement = info_.pausable = true;
    info_.reference = true;
    info_.dialects = DeclaredBy<Store>();
  }
  ~PowerCutTarget() override {
    store_.reset();
    if (!path_.empty()) Store::Remove(path_).IgnoreError();
  }

  const TargetInfo& info() const override { return info_; }
  OutcomeOf<F> Execute(const RequestOf<F>& request) override {
    if (dark_.load()) return Indefinite{"the power is off"};
    OutcomeOf<F> outcome = leasecheck::Execute<F>(*store_, request);
    if (dark_.load()) return Indefinite{"the power went off during the call"};
    if (outcome.index() == 1 && !store_->Trouble().ok()) return Indefinite{std::string(store_->Trouble().message())};
    return outcome;
  }
  absl::Status Reset(EpochMs now) override {
    if (vfs_ == nullptr) return absl::InternalError("there is no VFS");
    clock_.Set(now);
    if (absl::Status status = PowerOn(); !status.ok()) return status;
    if (!path_.empty()) Store::Remove(path_).IgnoreError();
    path_ = absl::StrCat(folder_, "/", vfs_->name(), "-", ++files_, ".db");
    return Open();
  }
  absl::Status SetClock(EpochMs now) override {
    clock_.Set(now);
    return absl::OkStatus();
  }
  absl::Status Reopen() override {
    if (absl::Status status = PowerOn(); !status.ok()) return status;
    return Open();
  }
  absl::Status Kill() override {
    Cut();
    return absl::OkStatus();
  }
  absl::Status KillAtStatement(int /*process*/, uint64_t n) override {
    left_.store(n);
    return absl::OkStatus();
  }
  bool Crashed() const override { return at_statement_.load(); }
  void SetPauseHook(PauseHook* hook) override { relay_.Attach(hook); }
  absl::Status Health() const override {
    if (dark_.load() || store_ == nullptr || store_->Trouble().ok()) return absl::OkStatus();
    return absl::FailedPreconditionError(store_->Trouble().message());
  }

 private:
  // In this order: what is written no longer must not be answered.
  void Cut() {
    if (dark_.exchange(true)) return;
    const uint64_t cut = cuts_.fetch_add(1);
    vfs_->Crash({cut % 2 == 0 ? Loss::Of::kEverything : Loss::Of::kSomeSectors, cut});
  }
  absl::Status PowerOn() {
    store_.reset();
    left_.store(0);
    at_statement_.store(false);
    return dark_.exchange(false) ? vfs_->Restart() : absl::OkStatus();
  }
  absl::Status Open() {
    typename Store::Options options;
    options.path = path_;
    options.environment = {&clock_, &liveness_, &relay_};
    options.vfs = vfs_->name();
    options.synchronous = synchronous_;
    options.on_statement = [this](uint64_t) {
      uint64_t left = left_.load();
      while (left > 0 && !left_.compare_exchange_weak(left, left - 1)) continue;
      if (left == 1) {
        at_statement_.store(true);
        Cut();
      }
      return absl::OkStatus();
    };
    auto store = Store::Open(options);
    if (!store.ok()) return absl::FailedPreconditionError(store.status().message());
    store_ = *std::move(store);
    return absl::OkStatus();
  }

  const std::string folder_;
  const sqlite::Synchronous synchronous_;
  TargetInfo info_;
  ManualClock clock_;
  FixedLiveness liveness_;
  engine::PauseRelay relay_;
  std::unique_ptr<sqlite::UnsyncedVfs> vfs_;
  std::string path_;
  uint64_t files_ = 0;
  std::atomic<uint64_t> cuts_{0};
  std::atomic<uint64_t> left_{0};  // statements until the cut; 0: none is planned
  std::atomic<bool> at_statement_{false};
  std::atomic<bool> dark_{false};
  std::unique_ptr<Store> store_;
};

template <class F = SessionStoreFamily>
TargetFactory<F> PowerCutBackend(const std::string& folder, sqlite::Synchronous synchronous) {
  return [folder, synchronous]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    return std::make_unique<PowerCutTarget<F>>(folder, synchronous);
  };
}

}  // namespace leasecheck

#endif  // LEASECHECK_TESTS_CONFORMANCE_POWER_CUT_H_
