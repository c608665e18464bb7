#include "cli/recorded_target.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "properties/engine/history_edn.h"

namespace leasecheck::cli {

void HistoryRecorder::Reset(EpochMs now, bool virtual_clock) {
  absl::MutexLock lock(&mutex_);
  text_.clear();
  events_ = 0;
  virtual_clock_ = virtual_clock;
  start_ = now_ = now;
  began_ = absl::Now();
  free_.clear();
  processes_ = 0;
}

void HistoryRecorder::SetClock(EpochMs now) {
  absl::MutexLock lock(&mutex_);
  now_ = now;
}

uint64_t HistoryRecorder::Call(absl::string_view f, const codec::Json& request) {
  absl::MutexLock lock(&mutex_);
  if (free_.empty()) free_.insert(processes_++);
  const uint64_t process = *free_.begin();
  free_.erase(free_.begin());
  Add(process, "invoke", f, request, "");
  return process;
}

void HistoryRecorder::Return(uint64_t process, absl::string_view type, absl::string_view f, const codec::Json& value,
                             const std::string& error) {
  absl::MutexLock lock(&mutex_);
  Add(process, type, f, value, error);
  if (type != "info") free_.insert(process);
}

void HistoryRecorder::Outside(absl::string_view f, const codec::Json& value) {
  absl::MutexLock lock(&mutex_);
  Add("nemesis", "info", f, value, "");
}

std::string HistoryRecorder::Text() const {
  absl::MutexLock lock(&mutex_);
  return text_;
}

void HistoryRecorder::Add(codec::OrderedJson process, absl::string_view type, absl::string_view f, const codec::Json& value,
                          const std::string& error) {
  constexpr int64_t kNanosecondsAMillisecond = 1000000;
  const int64_t time = virtual_clock_ ? static_cast<int64_t>(now_ - start_) * kNanosecondsAMillisecond
                                      : absl::ToInt64Nanoseconds(absl::Now() - began_);
  engine::Event event = {{"index", events_++},        {"time", time},        {"process", std::move(process)},
                         {"type", std::string(type)}, {"f", std::string(f)}, {"value", engine::FromPlainJson(value)}};
  if (!error.empty()) event["error"] = engine::FromPlainJson(error);
  absl::StrAppend(&text_, codec::DumpOrderedJson(event), "\n");
}

}  // namespace leasecheck::cli
