#include "adapters/process/connection.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "codec/values.h"

namespace leasecheck::process {
namespace {

using codec::Json;

// How long a child that closed its stdout may take to end before that counts as a breach of the protocol.
constexpr absl::Duration kGraceAfterOutput = absl::Seconds(1);

absl::Status Broke(absl::string_view how, absl::string_view line) {
  constexpr std::size_t kQuoted = 200;
  std::string quoted = line.empty() ? "" : absl::StrCat(": ", absl::Utf8SafeCHexEscape(line.substr(0, kQuoted)));
  return absl::FailedPreconditionError(
      absl::StrCat("backend broke the protocol: ", how, quoted, line.size() > kQuoted ? "..." : ""));
}

// Why the object is no JSON-RPC answer; empty where it is one.
std::string FaultOf(const Json& answer, int64_t* id) {
  if (!answer.is_object()) return "a line on its stdout is no object";
  const Json* version = codec::values_internal::FindMember(answer, "jsonrpc");
  if (version == nullptr || *version != "2.0") return "an answer lacks \"jsonrpc\":\"2.0\"";
  const Json* id_member = codec::values_internal::FindMember(answer, "id");
  if (id_member == nullptr || !codec::Decode(*id_member, id).ok()) return "an answer has no whole number as its id";
  const Json* error = codec::values_internal::FindMember(answer, "error");
  if (answer.contains("result") == (error != nullptr)) return "an answer needs exactly one of result and error";
  if (error == nullptr) return "";
  int64_t code = 0;
  std::string message;
  if (!error->is_object() || !error->contains("code") || !codec::Decode((*error)["code"], &code).ok() ||
      !error->contains("message") || !codec::Decode((*error)["message"], &message).ok()) {
    return "an error needs a whole number as its code and a string as its message";
  }
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Start(const std::string& command, const Environs& environment) {
  absl::StatusOr<std::unique_ptr<Child>> child = Child::Start(command, environment);
  if (!child.ok()) return child.status();
  return std::unique_ptr<Connection>(new Connection(*std::move(child)));
}

Connection::Connection(std::unique_ptr<Child> child) : child_(std::move(child)), reader_([this] { Read(); }) {}

Connection::~Connection() {
  Kill();
  reader_.join();
}

void Connection::SetConcurrency(int concurrency) {
  absl::MutexLock lock(&mutex_);
  concurrency_ = concurrency;
}

absl::StatusOr<Json> Connection::Call(absl::string_view method, Json params, absl::Duration timeout) {
  OpenCall call{std::string(method), std::nullopt};
  Json request = {{"jsonrpc", "2.0"}, {"method", call.method}, {"params", std::move(params)}};
  int64_t id = 0;
  auto may_send = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !failure_.ok() || sent_ < concurrency_; };
  {
    absl::MutexLock lock(&mutex_, absl::Condition(&may_send));
    if (!failure_.ok()) return failure_;
    id = ++last_id_;
    ++sent_;
  }
  request["id"] = id;
  std::string line = codec::DumpJson(request);
  if (line.size() > kMaxLineBytes) {
    absl::MutexLock lock(&mutex_);
    --sent_;
    return absl::InvalidArgumentError(absl::StrCat("the request ", method, " is longer than 16 MiB"));
  }
  line += '\n';
  {
    absl::MutexLock lock(&mutex_);
    open_.emplace(id, &call);
  }
  const absl::Time deadline = absl::Now() + timeout;
  {
    absl::MutexLock lock(&writing_);
    // A child that does not read has not answered either, and one that is gone is found by the reader.
    WriteBytes(child_->in(), line, deadline).IgnoreError();
  }
  auto done = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return call.answer.has_value() || !failure_.ok(); };
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithDeadline(absl::Condition(&done), deadline)) {
    FailLocked(absl::DeadlineExceededError(
        absl::StrCat("backend hung: no answer to ", method, " within ", absl::FormatDuration(timeout))));
  }
  open_.erase(id);
  --sent_;
  if (call.answer.has_value()) return *std::move(call.answer);
  return failure_;
}

void Connection::Kill() {
  absl::MutexLock lock(&mutex_);
  FailLocked(absl::AbortedError("killed by the harness"));
  mutex_.Await(absl::Condition(&ended_));
}

absl::Status Connection::Shutdown(absl::Duration timeout) {
  {
    absl::MutexLock lock(&mutex_);
    if (!failure_.ok()) return failure_;
    shutting_down_ = true;
  }
  absl::StatusOr<Json> answer = Call("shutdown", Json::object(), timeout);
  if (!answer.ok()) return answer.status();
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(&ended_), timeout)) {
    FailLocked(absl::DeadlineExceededError("backend hung: it answered shutdown and did not exit"));
    mutex_.Await(absl::Condition(&ended_));
  }
  return absl::IsCancelled(failure_) ? absl::OkStatus() : failure_;
}

absl::Status Connection::failure() const {
  absl::MutexLock lock(&mutex_);
  return failure_;
}

bool Connection::DiedBySigkill() const {
  absl::MutexLock lock(&mutex_);
  return died_by_sigkill_;
}

std::string Connection::Log() const {
  absl::MutexLock lock(&mutex_);
  return log_.size() <= kLogBytes ? log_ : log_.substr(log_.size() - kLogBytes);
}

void Connection::FailLocked(absl::Status reason) {
  if (failure_.ok()) failure_ = std::move(reason);
  child_->KillGroup();
}

void Connection::Fail(absl::Status reason) {
  absl::MutexLock lock(&mutex_);
  FailLocked(std::move(reason));
}

std::string Connection::OpenMethods() const {
  if (open_.empty()) return "between two calls";
  return absl::StrCat("while serving ", absl::StrJoin(open_, ", ", [](std::string* out, const auto& entry) {
                        absl::StrAppend(out, entry.second->method);
                      }));
}

absl::Status Connection::EndOf(int wait_status) const {
  if (shutting_down_ && open_.empty()) {
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) return absl::CancelledError("backend was shut down");
    return absl::UnavailableError(absl::StrCat("backend ended with ", DescribeWaitStatus(wait_status), " after shutdown"));
  }
  return absl::UnavailableError(absl::StrCat("backend died (", DescribeWaitStatus(wait_status), ") ", OpenMethods()));
}

void Connection::Read() {
  ReadUntilExit();
  // The group is killed first, so that nobody writes any more: what it has written is all there is, and belongs to the calls.
  child_->KillGroup();
  constexpr int kMostChunks = 1024;
  std::string bytes;
  for (int i = 0; i < kMostChunks && ReadAvailable(child_->out(), &bytes) && !bytes.empty(); ++i) HandleOutput(bytes);
  for (int i = 0; i < kMostChunks && ReadAvailable(child_->err(), &bytes) && !bytes.empty(); ++i) KeepLog(bytes);
  const int wait_status = child_->Reap();
  absl::MutexLock lock(&mutex_);
  if (failure_.ok()) {
    // A shell that waits for its command tells of the command's signal by its exit status.
    died_by_sigkill_ = (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL) ||
                       (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 128 + SIGKILL);
    failure_ = EndOf(wait_status);
  }
  ended_ = true;
}

void Connection::ReadUntilExit() {
  pollfd watched[] = {{child_->exited(), POLLIN, 0}, {child_->out(), POLLIN, 0}, {child_->err(), POLLIN, 0}};
  absl::Time output_closed = absl::InfiniteFuture();
  std::string bytes;
  while (true) {
    const absl::Duration left = output_closed + kGraceAfterOutput - absl::Now();
    const int wait_ms = left > absl::Hours(1) ? -1 : static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(left) + 1));
    poll(watched, 3, wait_ms);
    if (watched[0].revents != 0) return;
    if (watched[1].fd >= 0 && watched[1].revents != 0) {
      if (ReadAvailable(child_->out(), &bytes)) {
        HandleOutput(bytes);
      } else {
        watched[1].fd = -1;
        output_closed = absl::Now();
      }
    }
    if (watched[2].fd >= 0 && watched[2].revents != 0) {
      if (ReadAvailable(child_->err(), &bytes)) {
        KeepLog(bytes);
      } else {
        watched[2].fd = -1;
      }
    }
    if (absl::Now() > output_closed + kGraceAfterOutput) {
      Fail(Broke("it closed its stdout and lives on", ""));
      output_closed = absl::InfiniteFuture();
    }
  }
}

void Connection::HandleOutput(absl::string_view bytes) {
  lines_.Feed(
      bytes, [this](absl::string_view line) { HandleLine(line); },
      [this] { Fail(Broke("a line on its stdout is longer than 16 MiB", "")); });
}

void Connection::HandleLine(absl::string_view line) {
  absl::StatusOr<Json> answer = codec::ParseJson(line);
  if (!answer.ok()) return Fail(Broke(absl::StrCat("a line on its stdout is no JSON (", answer.status().message(), ")"), line));
  int64_t id = 0;
  std::string fault = FaultOf(*answer, &id);
  if (!fault.empty()) return Fail(Broke(fault, line));
  absl::MutexLock lock(&mutex_);
  if (!failure_.ok()) return;
  auto open = open_.find(id);
  if (open == open_.end()) {
    const char* what =
        id >= 1 && id <= last_id_ ? "a second answer to the request with id " : "an answer to no request, with id ";
    return FailLocked(Broke(absl::StrCat(what, id), line));
  }
  open->second->answer = *std::move(answer);
  open_.erase(open);
}

void Connection::KeepLog(absl::string_view bytes) {
  absl::MutexLock lock(&mutex_);
  absl::StrAppend(&log_, bytes);
  // Cut now and then only, so that a flood does not move the kept part with every read.
  if (log_.size() > 2 * kLogBytes) log_.erase(0, log_.size() - kLogBytes);
}

}  // namespace leasecheck::process
