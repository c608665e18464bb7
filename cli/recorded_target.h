// A target whose calls are written down as a history file (docs/HISTORIES.md).
#ifndef LEASECHECK_CLI_RECORDED_TARGET_H_
#define LEASECHECK_CLI_RECORDED_TARGET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "cli/wrapped_target.h"
#include "codec/family.h"
#include "properties/engine/history_file.h"

namespace leasecheck::cli {

// Collects the events of a run, from a reset to the end; another reset begins anew. Thread-safe.
//
// Each call goes under the lowest process number that has no call open, and a number whose call ended in `info` is not used
// again. What is done to the store from outside is `info` of the process "nemesis": one event before it, one after it. The time
// is that of the store's clock in nanoseconds since the reset.
class HistoryRecorder {
 public:
  // The store is empty and its clock reads `now`. Where the clock is not virtual, the time is the machine's.
  void Reset(EpochMs now, bool virtual_clock);
  void SetClock(EpochMs now);
  uint64_t Call(absl::string_view f, const codec::Json& request);
  // `error` is left out where it is empty.
  void Return(uint64_t process, absl::string_view type, absl::string_view f, const codec::Json& value, const std::string& error);
  void Outside(absl::string_view f, const codec::Json& value);

  // JSON Lines.
  std::string Text() const;

 private:
  void Add(codec::OrderedJson process, absl::string_view type, absl::string_view f, const codec::Json& value,
           const std::string& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::string text_ ABSL_GUARDED_BY(mutex_);
  uint64_t events_ ABSL_GUARDED_BY(mutex_) = 0;
  bool virtual_clock_ ABSL_GUARDED_BY(mutex_) = true;
  EpochMs start_ ABSL_GUARDED_BY(mutex_) = 0;
  EpochMs now_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time began_ ABSL_GUARDED_BY(mutex_);
  std::set<uint64_t> free_ ABSL_GUARDED_BY(mutex_);
  uint64_t processes_ ABSL_GUARDED_BY(mutex_) = 0;
};

template <class F>
class RecordedTarget final : public ForwardingTarget<F> {
 public:
  using Base = ForwardingTarget<F>;
  RecordedTarget(std::unique_ptr<Target<F>> target, std::shared_ptr<HistoryRecorder> recorder)
      : Base(std::move(target)), recorder_(std::move(recorder)) {}

  OutcomeOf<F> Execute(const RequestOf<F>& request) override {
    const absl::string_view name = OperationName<F>(request.index());
    const codec::Json params = codec::EncodeRequest<F>(request);
    const uint64_t process = recorder_->Call(name, params);
    OutcomeOf<F> outcome = Base::Execute(request);
    if (const auto* response = std::get_if<0>(&outcome)) {
      recorder_->Return(process, "ok", name, codec::EncodeResponse<F>(*response), "");
    } else if (const auto* error = std::get_if<1>(&outcome)) {
      recorder_->Return(process, "fail", name, codec::EncodeError<F>(*error), "");
    } else if (const auto* foreign = std::get_if<ForeignError>(&outcome)) {
      recorder_->Return(process, "info", name, params, "foreign error: " + foreign->detail);
    } else if (const auto* unknown = std::get_if<Indefinite>(&outcome)) {
      recorder_->Return(process, "info", name, params, "indefinite: " + unknown->detail);
    } else {
      recorder_->Return(process, "fail", name, params, "unsupported");
    }
    return outcome;
  }
  absl::Status Reset(EpochMs now) override {
    recorder_->Reset(now, Base::info().virtual_clock);
    return Outside("reset", now, [&] { return Base::Reset(now); });
  }
  absl::Status SetClock(EpochMs now) override {
    recorder_->Outside("set_clock", now);
    absl::Status status = Base::SetClock(now);
    if (status.ok()) recorder_->SetClock(now);
    recorder_->Outside("set_clock", now);
    return status;
  }
  absl::Status Reopen() override {
    return Outside("reopen", nullptr, [&] { return Base::Reopen(); });
  }
  absl::Status Kill() override {
    return Outside("kill", nullptr, [&] { return Base::Kill(); });
  }
  absl::Status KillProcess(int process) override {
    return Outside("kill_process", process, [&] { return Base::KillProcess(process); });
  }
  absl::Status KillAtStatement(int process, uint64_t n) override {
    return Outside("kill_at_statement", n, [&] { return Base::KillAtStatement(process, n); });
  }

 private:
  template <class Do>
  absl::Status Outside(absl::string_view f, const codec::Json& value, Do&& act) {
    recorder_->Outside(f, value);
    absl::Status status = act();
    recorder_->Outside(f, value);
    return status;
  }

  const std::shared_ptr<HistoryRecorder> recorder_;
};

template <class F>
TargetFactory<F> Recording(TargetFactory<F> factory, std::shared_ptr<HistoryRecorder> recorder) {
  return [factory = std::move(factory), recorder = std::move(recorder)]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    absl::StatusOr<std::unique_ptr<Target<F>>> target = factory();
    if (!target.ok()) return target.status();
    return std::make_unique<RecordedTarget<F>>(*std::move(target), recorder);
  };
}

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_RECORDED_TARGET_H_
