#include "adapters/process/server.h"

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "adapters/process/pipes.h"
#include "codec/family.h"
#include "codec/values.h"
#include "model/field.h"

namespace leasecheck::process {

struct InitializeParams {
  uint64_t protocol = 0;
  std::string family;
};
struct ClockParams {
  uint64_t now_ms = 0;
};
struct KillParams {
  uint64_t statement = 0;
};
struct NoParams {};

}  // namespace leasecheck::process

namespace leasecheck {
template <>
inline constexpr auto kFields<process::InitializeParams> =
    std::make_tuple(Field{"protocol", &process::InitializeParams::protocol}, Field{"family", &process::InitializeParams::family});
template <>
inline constexpr auto kFields<process::ClockParams> = std::make_tuple(Field{"now_ms", &process::ClockParams::now_ms});
template <>
inline constexpr auto kFields<process::KillParams> = std::make_tuple(Field{"statement", &process::KillParams::statement});
template <>
inline constexpr auto kFields<process::NoParams> = std::tuple<>{};
}  // namespace leasecheck

namespace leasecheck::process {
namespace {

using codec::Json;

Json Error(int code, absl::string_view message) { return {{"error", {{"code", code}, {"message", std::string(message)}}}}; }

Json Result(Json result) {
  Json answer = Json::object();
  answer["result"] = std::move(result);
  return answer;
}

// What the answer to a control method carries.
Json ControlAnswer(const absl::Status& status) {
  if (status.ok()) return Result(Json::object());
  return Error(absl::IsUnimplemented(status) ? codec::kMethodNotFound : codec::kInternalError, status.message());
}

// The point of a family that has views: on the wire a member of its own.
constexpr absl::string_view kViewsPoint = "views";
constexpr absl::string_view kHasViews = "tenants";

// A dialect point without words holds a number.
Json EncodeDialects(const Dialects& dialects) {
  Json json = Json::object();
  for (const auto& [id, word] : dialects) {
    if (id == kViewsPoint) continue;
    absl::StatusOr<Json> number = codec::ParseJson(word);
    json[id] = number.ok() && number->is_number_unsigned() ? *number : Json(word);
  }
  return json;
}

struct ServedRequest {
  int64_t id = 0;
  std::string method;
  Json params;
};

class Server {
 public:
  Server(const ServedCalls& calls, int in, int out) : calls_(calls), in_(in), out_(out) {
    if (Concurrency() == 1) return;
    for (int i = 0; i < Concurrency(); ++i) workers_.emplace_back([this] { Work(); });
  }

  ~Server() {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    for (std::thread& worker : workers_) worker.join();
  }

  absl::Status Run() {
    LineCutter lines;
    std::string bytes;
    while (!shut_down_ && WriteStatus().ok()) {
      pollfd readable = {in_, POLLIN, 0};
      poll(&readable, 1, -1);
      const bool more = ReadAvailable(in_, &bytes);
      lines.Feed(
          bytes, [this](absl::string_view line) { HandleLine(line); },
          [this] { Answer(nullptr, Error(codec::kParseError, "a line of more than 16 MiB")); });
      if (!more) break;
    }
    // Whoever closes its end after a last line without a line feed has said it all.
    if (!lines.rest().empty()) HandleLine(lines.rest());
    AwaitQuiet();
    return WriteStatus();
  }

 private:
  void HandleLine(absl::string_view line) {
    if (shut_down_) return;
    absl::StatusOr<Json> json = codec::ParseJson(line);
    if (!json.ok()) return Answer(nullptr, Error(codec::kParseError, json.status().message()));
    ServedRequest request;
    const std::string fault = ReadRequest(*json, &request);
    if (!fault.empty()) return Answer(nullptr, Error(codec::kInvalidRequest, fault));
    HandleRequest(std::move(request));
  }

  // Why the value is no request; empty where it is one.
  static std::string ReadRequest(Json& json, ServedRequest* request) {
    if (json.is_array()) return "batches are not part of this protocol";
    if (!json.is_object()) return "a request is an object";
    auto version = json.find("jsonrpc");
    if (version == json.end() || *version != "2.0") return "a request has \"jsonrpc\":\"2.0\"";
    auto id = json.find("id");
    if (id == json.end() || !codec::Decode(*id, &request->id).ok()) return "a request has a whole number as its id";
    auto method = json.find("method");
    if (method == json.end() || !codec::Decode(*method, &request->method).ok()) return "a request has a string as its method";
    auto params = json.find("params");
    request->params = params == json.end() ? Json::object() : std::move(*params);
    return "";
  }

  void HandleRequest(ServedRequest request) {
    const int64_t id = request.id;
    if (request.method == "initialize") return Answer(id, Initialize(request.params));
    if (request.method == "reset") return Answer(id, WithClock(request.params, [this](EpochMs now) { return Reset(now); }));
    if (request.method == "set_clock")
      return Answer(id, WithClock(request.params, [this](EpochMs now) { return SetClock(now); }));
    if (request.method == "reopen") return Answer(id, WithoutParams(request.params, [this] { return Reopen(); }));
    if (request.method == "shutdown") {
      AwaitQuiet();
      Json answer = WithoutParams(request.params, [this] {
        shut_down_ = true;
        return absl::OkStatus();
      });
      return Answer(id, std::move(answer));
    }
    if (request.method == kKillAtStatementMethod && calls_.kill_at_statement != nullptr) {
      return Answer(id, KillAtStatement(request.params));
    }
    if (workers_.empty()) return Answer(id, Call(request));
    // A parent that opens more calls than it may waits here.
    auto has_room = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return queue_.size() < 2 * workers_.size(); };
    absl::MutexLock lock(&mutex_, absl::Condition(&has_room));
    ++open_;
    queue_.push_back(std::move(request));
  }

  Json Initialize(const Json& params) {
    InitializeParams read;
    absl::Status status = codec::Decode(params, &read, codec::kStrictParams);
    if (!status.ok()) return Error(codec::kInvalidParams, status.message());
    if (read.protocol != 1) return Error(codec::kInvalidParams, "params.protocol: this is protocol 1");
    if (read.family != calls_.names.family) {
      return Error(codec::kInvalidParams, absl::StrCat("params.family: this is a store of ", calls_.names.family));
    }
    const TargetInfo& info = *calls_.info;
    Json result = {{"protocol", 1},
                   {"name", info.name},
                   {"version", info.version},
                   {"families", Json::array({std::string(calls_.names.family)})},
                   {"clock", info.virtual_clock ? "virtual" : "system"},
                   {"concurrency", Concurrency()},
                   {"durable", info.durable}};
    if (info.inflight_survives_crash) result["inflight_survives_crash"] = true;
    if (Declares(info.dialects, kViewsPoint, kHasViews)) result["views"] = true;
    if (!info.dialects.empty()) result["dialects"] = EncodeDialects(info.dialects);
    if (!info.operations.empty()) result["operations"] = Json::array();
    for (std::size_t i = 0; i < info.operations.size(); ++i) {
      if (info.operations[i]) result["operations"].push_back(std::string(calls_.names.operations[i]));
    }
    return Result(std::move(result));
  }

  // Each open call takes a thread.
  int Concurrency() const {
    constexpr int kMost = 64;
    return std::clamp(calls_.info->concurrency, 1, kMost);
  }

  template <class Change>
  Json WithClock(const Json& params, const Change& change) {
    ClockParams read;
    absl::Status status = codec::Decode(params, &read, codec::kStrictParams);
    if (!status.ok()) return Error(codec::kInvalidParams, status.message());
    if (read.now_ms > kMaxVirtualTime) {
      return Error(codec::kInvalidParams,
                   absl::StrCat("params.now_ms: expected at most ", kMaxVirtualTime, ", got ", read.now_ms));
    }
    return ControlAnswer(change(read.now_ms));
  }

  template <class Change>
  Json WithoutParams(const Json& params, const Change& change) {
    NoParams read;
    absl::Status status = codec::Decode(params, &read, codec::kStrictParams);
    return status.ok() ? ControlAnswer(change()) : Error(codec::kInvalidParams, status.message());
  }

  Json KillAtStatement(const Json& params) {
    KillParams read;
    absl::Status status = codec::Decode(params, &read, codec::kStrictParams);
    if (!status.ok()) return Error(codec::kInvalidParams, status.message());
    calls_.kill_at_statement(read.statement);
    return ControlAnswer(absl::OkStatus());
  }

  absl::Status Reset(EpochMs now) {
    AwaitQuiet();
    absl::Status status = calls_.reset(now);
    store_open_ = status.ok();
    return status;
  }

  absl::Status SetClock(EpochMs now) {
    if (!calls_.info->virtual_clock) return absl::UnimplementedError("the store reads the system's clock");
    return calls_.set_clock(now);
  }

  absl::Status Reopen() {
    if (!calls_.info->durable) return absl::UnimplementedError("the store is not durable");
    AwaitQuiet();
    absl::Status status = calls_.reopen();
    store_open_ = status.ok();
    return status;
  }

  Json Call(const ServedRequest& request) {
    const bool known = std::find(calls_.names.operations.begin(), calls_.names.operations.end(), request.method) !=
                       calls_.names.operations.end();
    if (!known) {
      return Error(codec::kMethodNotFound,
                   absl::StrCat("the family ", calls_.names.family, " has no method ", request.method.substr(0, 60)));
    }
    if (!store_open_) return Error(codec::kInvalidRequest, "no store is open: reset or reopen comes first");
    absl::StatusOr<Json> answer = calls_.call(request.method, request.params);
    if (answer.ok()) return *std::move(answer);
    return Error(absl::IsInvalidArgument(answer.status()) ? codec::kInvalidParams : codec::kInternalError,
                 answer.status().message());
  }

  // A worker's thread.
  void Work() {
    while (true) {
      ServedRequest request;
      {
        auto wanted = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !queue_.empty(); };
        absl::MutexLock lock(&mutex_, absl::Condition(&wanted));
        if (queue_.empty()) return;
        request = std::move(queue_.front());
        queue_.pop_front();
      }
      Answer(request.id, Call(request));
      absl::MutexLock lock(&mutex_);
      --open_;
    }
  }

  void AwaitQuiet() {
    auto quiet = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return open_ == 0; };
    absl::MutexLock lock(&mutex_, absl::Condition(&quiet));
  }

  void Answer(const Json& id, Json answer) {
    answer["jsonrpc"] = "2.0";
    answer["id"] = id;
    std::string line = codec::DumpJson(answer);
    if (line.size() > kMaxLineBytes) {
      return Answer(id, Error(codec::kInternalError, "the answer is longer than 16 MiB"));
    }
    line += '\n';
    absl::MutexLock lock(&writing_);
    if (write_status_.ok()) write_status_ = WriteBytes(out_, line, absl::InfiniteFuture());
  }

  absl::Status WriteStatus() {
    absl::MutexLock lock(&writing_);
    return write_status_;
  }

  const ServedCalls& calls_;
  const int in_;
  const int out_;
  bool shut_down_ = false;  // the reader's
  // Written by the reader while no call is open, and read by calls, which are handed over under the mutex.
  bool store_open_ = false;

  absl::Mutex writing_;
  absl::Status write_status_ ABSL_GUARDED_BY(writing_);

  absl::Mutex mutex_;
  std::deque<ServedRequest> queue_ ABSL_GUARDED_BY(mutex_);
  std::size_t open_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::vector<std::thread> workers_;  // last: they use all of the above
};

}  // namespace

absl::Status ServeCalls(const ServedCalls& calls, int in, int out) { return Server(calls, in, out).Run(); }

}  // namespace leasecheck::process
