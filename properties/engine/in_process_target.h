// A target made from a store in this process: virtual clock, fixed liveness, pauses.
#ifndef LEASECHECK_PROPERTIES_ENGINE_IN_PROCESS_TARGET_H_
#define LEASECHECK_PROPERTIES_ENGINE_IN_PROCESS_TARGET_H_

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "model/environment.h"
#include "model/target.h"
#include "model/time.h"
#include "properties/engine/scheduler.h"

namespace leasecheck {

// What a store is opened with.
struct OpenOptions {
  Environment environment;  // the harness' clock, liveness and pause hook; outlive the store
  std::string directory;    // the store's private folder, for a durable store; "" where the harness was given none
  bool fresh = true;        // the folder is empty; false: open the data that is there
};

// How the harness gets at a store: what it says of itself, and how to open one. `open` is called again for every program, and
// with fresh = false to reopen a durable one after the last was destroyed. Thread-safe.
template <class F>
struct StoreFactory {
  TargetInfo info;
  std::function<absl::StatusOr<std::unique_ptr<typename F::Store>>(const OpenOptions&)> open;
  std::string directory;  // parent of the private folders; needed where info.durable
  // Why the store could not do its work, for a reason that is none of its contract: a full disk. OK where nothing is wrong. An
  // error that is answered while it is not OK counts as Indefinite, and the check ends without a verdict. May be empty.
  std::function<absl::Status(const typename F::Store&)> trouble = {};
  // Moves the virtual clock of a store that keeps it itself, such as in a row that several processes read: in one transaction,
  // and it may overlap calls. Empty: the store reads the clock that it was given.
  std::function<absl::Status(typename F::Store&, EpochMs)> set_clock = {};
};

namespace engine {

template <class F>
class InProcessTarget final : public Target<F> {
 public:
  // `directory` is this target's own ("" for none); it is emptied by Reset.
  InProcessTarget(std::shared_ptr<const StoreFactory<F>> factory, std::string directory)
      : factory_(std::move(factory)), directory_(std::move(directory)) {}

  const TargetInfo& info() const override { return factory_->info; }
  OutcomeOf<F> Execute(const RequestOf<F>& request) override {
    OutcomeOf<F> outcome = leasecheck::Execute<F>(*store_, request);
    if (outcome.index() == 0 || factory_->trouble == nullptr) return outcome;
    absl::Status trouble = factory_->trouble(*store_);
    if (!trouble.ok()) outcome = Indefinite{std::string(trouble.message())};
    return outcome;
  }
  absl::Status Reset(EpochMs now) override {
    store_.reset();
    clock_.Set(now);
    if (!directory_.empty()) {
      std::error_code error;
      std::filesystem::remove_all(directory_, error);
      std::filesystem::create_directories(directory_, error);
      if (error) return absl::UnavailableError(absl::StrCat("cannot make the folder ", directory_, ": ", error.message()));
    }
    absl::Status status = Open(true);
    return status.ok() ? SetClock(now) : status;
  }
  absl::Status SetClock(EpochMs now) override {
    clock_.Set(now);
    if (factory_->set_clock == nullptr) return absl::OkStatus();
    if (store_ == nullptr) return absl::FailedPreconditionError("no store is open");
    return factory_->set_clock(*store_, now);
  }
  absl::Status Reopen() override {
    if (!factory_->info.durable) return absl::UnimplementedError("the store is not durable: it cannot be reopened");
    store_.reset();
    return Open(false);
  }
  absl::Status Kill() override { return absl::UnimplementedError("a store in this process cannot be killed"); }
  void SetPauseHook(PauseHook* hook) override { relay_.Attach(hook); }
  absl::Status Health() const override {
    if (store_ == nullptr || factory_->trouble == nullptr) return absl::OkStatus();
    absl::Status trouble = factory_->trouble(*store_);
    return trouble.ok() ? trouble : absl::FailedPreconditionError(trouble.message());
  }

 private:
  absl::Status Open(bool fresh) {
    auto store = factory_->open({{&clock_, &liveness_, &relay_}, directory_, fresh});
    // Nothing died or hung in this process: the store cannot be checked.
    if (!store.ok()) return absl::FailedPreconditionError(store.status().message());
    store_ = *std::move(store);
    return absl::OkStatus();
  }

  const std::shared_ptr<const StoreFactory<F>> factory_;
  const std::string directory_;
  ManualClock clock_;
  FixedLiveness liveness_;
  PauseRelay relay_;
  std::unique_ptr<typename F::Store> store_;
};

}  // namespace engine

// Targets over a factory's stores.
template <class F>
TargetFactory<F> InProcess(StoreFactory<F> factory) {
  auto shared = std::make_shared<const StoreFactory<F>>(std::move(factory));
  auto made = std::make_shared<std::atomic<int>>(0);
  return [shared, made]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    std::string directory;
    if (!shared->directory.empty()) directory = absl::StrCat(shared->directory, "/store-", made->fetch_add(1));
    return std::make_unique<engine::InProcessTarget<F>>(shared, std::move(directory));
  };
}

}  // namespace leasecheck

#endif  // LEASECHECK_PROPERTIES_ENGINE_IN_PROCESS_TARGET_H_
