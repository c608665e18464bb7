#include "adapters/process/backend_process.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codec/family.h"
#include "codec/values.h"
#include "model/field.h"

namespace leasecheck::process {

// The fixed part of initialize's result; the rest is read by hand.
struct InitializeResult {
  uint32_t protocol = 0;
  std::string name;
  std::string version;
  std::vector<std::string> families;
  std::optional<std::vector<std::string>> operations;
  std::string clock;
  uint32_t concurrency = 0;
  bool durable = false;
  std::optional<bool> inflight_survives_crash;
  std::optional<bool> views;
  std::optional<OpaqueJson> dialects;
};

}  // namespace leasecheck::process

namespace leasecheck {
template <>
inline constexpr auto kFields<process::InitializeResult> = std::make_tuple(
    Field{"protocol", &process::InitializeResult::protocol}, Field{"name", &process::InitializeResult::name},
    Field{"version", &process::InitializeResult::version}, Field{"families", &process::InitializeResult::families},
    Field{"operations", &process::InitializeResult::operations}, Field{"clock", &process::InitializeResult::clock},
    Field{"concurrency", &process::InitializeResult::concurrency}, Field{"durable", &process::InitializeResult::durable},
    Field{"inflight_survives_crash", &process::InitializeResult::inflight_survives_crash},
    Field{"views", &process::InitializeResult::views}, Field{"dialects", &process::InitializeResult::dialects});
}  // namespace leasecheck

namespace leasecheck::process {
namespace {

using codec::Json;

// Whether calls may be made through tenants' views is a member of the result, and to the family's spec a dialect.
constexpr char kViewsPoint[] = "views";
constexpr char kHasViews[] = "tenants";

absl::Status BadInitialize(absl::string_view why) { return absl::FailedPreconditionError(absl::StrCat("initialize: ", why)); }

template <class Strings>
std::string Listed(const Strings& words) {
  return absl::StrJoin(words, ", ");
}

// A word; or a number where the point names no words.
absl::StatusOr<std::string> ReadChoice(const DialectPoint& point, const Json& choice) {
  uint64_t number = 0;
  if (point.words.empty()) {
    if (codec::Decode(choice, &number).ok()) return absl::StrCat(number);
    return BadInitialize(absl::StrCat("the dialect ", point.id, " takes a whole number, got ", codec::DumpJson(choice)));
  }
  std::string word;
  if (!codec::Decode(choice, &word).ok() || std::find(point.words.begin(), point.words.end(), word) == point.words.end()) {
    return BadInitialize(absl::StrCat("the dialect ", point.id, " has no choice ", codec::DumpJson(choice), "; its choices are ",
                                      Listed(point.words)));
  }
  return word;
}

absl::StatusOr<Dialects> ReadDialects(const Json& declared, absl::Span<const DialectPoint> points) {
  if (!declared.is_object()) return BadInitialize("\"dialects\" is no object");
  Dialects dialects;
  for (const auto& [id, choice] : declared.items()) {
    const std::string& wanted = id;
    auto point = std::find_if(points.begin(), points.end(), [&](const DialectPoint& p) { return p.id == wanted; });
    if (point == points.end()) {
      std::vector<absl::string_view> known;
      for (const DialectPoint& p : points) known.push_back(p.id);
      return BadInitialize(
          absl::StrCat("the dialect \"", id, "\" is unknown; this family has ", known.empty() ? "none" : Listed(known)));
    }
    absl::StatusOr<std::string> word = ReadChoice(*point, choice);
    if (!word.ok()) return word.status();
    dialects.emplace(id, *std::move(word));
  }
  return dialects;
}

absl::StatusOr<std::vector<bool>> ReadOperations(const std::vector<std::string>& names, const FamilyNames& family) {
  std::vector<bool> operations(family.operations.size(), false);
  for (const std::string& name : names) {
    auto found = std::find(family.operations.begin(), family.operations.end(), name);
    if (found == family.operations.end()) {
      return BadInitialize(absl::StrCat("the family ", family.family, " has no operation \"", name, "\""));
    }
    operations[static_cast<std::size_t>(found - family.operations.begin())] = true;
  }
  return operations;
}

}  // namespace

absl::StatusOr<TargetInfo> ReadInitialize(const Json& result, const FamilyNames& names,
                                          absl::Span<const DialectPoint> dialect_points) {
  // The version comes first: another protocol may have another shape.
  uint64_t protocol = 0;
  if (!result.is_object() || !result.contains("protocol") || !codec::Decode(result["protocol"], &protocol).ok()) {
    return BadInitialize("the result has no whole number \"protocol\"");
  }
  if (protocol != 1) return BadInitialize(absl::StrCat("the backend speaks protocol ", protocol, ", this is protocol 1"));
  InitializeResult read;
  absl::Status status = codec::Decode(result, &read, codec::kResult);
  if (!status.ok()) return BadInitialize(status.message());
  if (std::find(read.families.begin(), read.families.end(), names.family) == read.families.end()) {
    return absl::UnimplementedError(
        absl::StrCat("initialize: the backend has not the family ", names.family, ", only ", Listed(read.families)));
  }
  if (read.clock != "virtual" && read.clock != "system") {
    return BadInitialize(absl::StrCat("result.clock: expected \"virtual\" or \"system\", got \"", read.clock, "\""));
  }
  constexpr uint32_t kMostCalls = std::numeric_limits<int>::max();
  if (read.concurrency < 1 || read.concurrency > kMostCalls) {
    return BadInitialize(absl::StrCat("result.concurrency: expected at least 1, got ", read.concurrency));
  }
  TargetInfo info;
  info.name = read.name;
  info.version = read.version;
  info.virtual_clock = read.clock == "virtual";
  info.concurrency = static_cast<int>(read.concurrency);
  info.durable = read.durable;
  info.killable = read.durable;  // what is gone after a kill has nothing to show
  info.inflight_survives_crash = read.inflight_survives_crash.value_or(false);
  info.real_liveness = true;
  if (read.operations.has_value()) {
    absl::StatusOr<std::vector<bool>> operations = ReadOperations(*read.operations, names);
    if (!operations.ok()) return operations.status();
    info.operations = *std::move(operations);
  }
  if (read.dialects.has_value()) {
    absl::StatusOr<Dialects> dialects = ReadDialects(result["dialects"], dialect_points);
    if (!dialects.ok()) return dialects.status();
    info.dialects = *std::move(dialects);
  }
  const bool may_have_views = std::any_of(dialect_points.begin(), dialect_points.end(),
                                          [](const DialectPoint& point) { return point.id == kViewsPoint; });
  if (read.views.value_or(false) && may_have_views) info.dialects.emplace(kViewsPoint, kHasViews);
  return info;
}

absl::StatusOr<std::string> MakeFolder() {
  std::error_code error;
  std::string pattern = (std::filesystem::temp_directory_path(error) / "leasecheck-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr) {
    return absl::InternalError(absl::ErrnoToStatus(errno, "cannot make a folder for the backend").message());
  }
  return pattern;
}

absl::StatusOr<std::unique_ptr<BackendProcess>> BackendProcess::Start(ProcessOptions options, FamilyNames names) {
  std::unique_ptr<BackendProcess> process(new BackendProcess(std::move(options), std::move(names)));
  std::error_code error;
  if (process->options_.fake_clock) {
    absl::StatusOr<std::string> folder = MakeFolder();
    if (!folder.ok()) return folder.status();
    process->clock_folder_ = *std::move(folder);
    absl::StatusOr<FakedClock> clock = FakedClock::Make(process->clock_folder_ + "/clock");
    if (!clock.ok()) return clock.status();
    process->faked_clock_ = *std::move(clock);
    if (absl::Status status = process->faked_clock_->Set(0); !status.ok()) return status;
  }
  if (process->options_.directory.empty()) {
    absl::StatusOr<std::string> folder = MakeFolder();
    if (!folder.ok()) return folder.status();
    process->directory_ = *std::move(folder);
    process->owns_directory_ = true;
  } else {
    // The child may change its working directory.
    process->directory_ = std::filesystem::absolute(process->options_.directory, error).string();
    std::filesystem::create_directories(process->directory_, error);
    if (error) return absl::InternalError(absl::StrCat("cannot make the folder ", process->directory_, ": ", error.message()));
  }
  absl::StatusOr<std::shared_ptr<Connection>> connection = process->StartChild();
  if (!connection.ok()) return connection.status();
  return process;
}

BackendProcess::~BackendProcess() {
  if (std::shared_ptr<Connection> child = connection()) {
    child->Shutdown(std::min(options_.call_timeout, absl::Seconds(1))).IgnoreError();
    child->Kill();
  }
  std::error_code ignored;
  if (owns_directory_) std::filesystem::remove_all(directory_, ignored);
  if (faked_clock_.has_value()) faked_clock_->RemoveLeftovers();
  if (!clock_folder_.empty()) std::filesystem::remove_all(clock_folder_, ignored);
}

std::shared_ptr<Connection> BackendProcess::connection() const {
  absl::MutexLock lock(&mutex_);
  return connection_;
}

absl::StatusOr<std::shared_ptr<Connection>> BackendProcess::StartChild() {
  Environs environment = options_.environment;
  environment.emplace_back("LEASECHECK_DIR", directory_);
  if (faked_clock_.has_value()) {
    for (auto& variable : faked_clock_->Environment()) environment.push_back(std::move(variable));
  }
  absl::StatusOr<std::unique_ptr<Connection>> started = Connection::Start(options_.command, environment);
  if (!started.ok()) return started.status();
  std::shared_ptr<Connection> connection = *std::move(started);
  absl::StatusOr<Json> answer =
      connection->Call("initialize", {{"protocol", 1}, {"family", std::string(names_.family)}}, options_.call_timeout);
  if (!answer.ok()) {
    std::string log = connection->Log();
    return absl::Status(answer.status().code(), absl::StrCat(answer.status().message(), log.empty() ? "" : "; its stderr: ",
                                                             log.substr(log.size() - std::min<std::size_t>(log.size(), 500))));
  }
  if (answer->contains("error")) {
    return BadInitialize(absl::StrCat("the backend refused it: ", (*answer)["error"]["message"].get<std::string>()));
  }
  absl::StatusOr<TargetInfo> info = ReadInitialize((*answer)["result"], names_, options_.dialect_points);
  if (!info.ok()) return info.status();
  if (faked_clock_.has_value()) {
    if (info->virtual_clock) {
      return BadInitialize("the backend says that its clock is virtual, so there is none to fake: leave --clock faketime out");
    }
    info->virtual_clock = info->faked_clock = true;
  }
  info->kills_at_statement = options_.may_kill_itself;
  connection->SetConcurrency(info->concurrency);
  absl::MutexLock lock(&mutex_);
  const bool first = connection_ == nullptr;
  if (first) {
    info_ = *std::move(info);
  } else if (info->dialects != info_.dialects || info->operations != info_.operations || info->durable != info_.durable ||
             info->virtual_clock != info_.virtual_clock) {
    return BadInitialize("after its restart the backend describes itself otherwise than before");
  }
  connection_ = connection;
  new_child_ = true;
  return connection;
}

absl::StatusOr<std::shared_ptr<Connection>> BackendProcess::LivingChild() {
  std::shared_ptr<Connection> living = connection();
  if (living->failure().ok()) return living;
  living->Kill();  // returns when it is gone: two children never share the folder
  return StartChild();
}

absl::StatusOr<Json> BackendProcess::Call(absl::string_view method, Json params) {
  return connection()->Call(method, std::move(params), options_.call_timeout);
}

absl::Status BackendProcess::Control(Connection& connection, absl::string_view method, Json params) {
  absl::StatusOr<Json> answer = connection.Call(method, std::move(params), options_.call_timeout);
  if (!answer.ok()) return answer.status();
  if (answer->contains("result")) {
    if ((*answer)["result"].is_object()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("backend broke the protocol: the result of ", method, " is no object"));
  }
  const Json& error = (*answer)["error"];
  const std::string message = error["message"].get<std::string>();
  if (error["code"] == codec::kMethodNotFound) {
    return absl::UnimplementedError(absl::StrCat("the backend cannot do ", method, ": ", message));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the backend refused ", method, ": error ", codec::DumpJson(error["code"]), ": ", message));
}

absl::Status BackendProcess::Reset(EpochMs now) {
  absl::StatusOr<std::shared_ptr<Connection>> child = LivingChild();
  if (!child.ok()) return child.status();
  if (faked_clock_.has_value()) {
    if (absl::Status status = faked_clock_->Set(now); !status.ok()) return status;
  }
  absl::Status status = Control(**child, "reset", {{"now_ms", now}});
  absl::MutexLock lock(&mutex_);
  if (status.ok()) {
    now_ = now;
    new_child_ = false;
  }
  return status;
}

absl::Status BackendProcess::SetClock(EpochMs now) {
  if (!info_.virtual_clock) return absl::UnimplementedError("the backend reads the system's clock");
  if (faked_clock_.has_value()) return faked_clock_->Set(now);  // which a restart does not change
  absl::Status status = Control(*connection(), "set_clock", {{"now_ms", now}});
  if (!status.ok() && Crashed()) status = absl::AbortedError("the process had killed itself as planned");
  absl::MutexLock lock(&mutex_);
  if (status.ok() || absl::IsAborted(status)) now_ = now;
  return status;
}

absl::Status BackendProcess::Reopen() {
  if (!info_.durable) return absl::UnimplementedError("the backend is not durable");
  absl::StatusOr<std::shared_ptr<Connection>> child = LivingChild();
  if (!child.ok()) return child.status();
  absl::Status status = Control(**child, "reopen", Json::object());
  if (!status.ok()) return status;
  EpochMs now = 0;
  bool restarted = false;
  {
    absl::MutexLock lock(&mutex_);
    now = now_;
    restarted = std::exchange(new_child_, false);
  }
  const bool keeps_its_clock = !info_.virtual_clock || faked_clock_.has_value() || options_.clock_in_store;
  if (keeps_its_clock || !restarted) return absl::OkStatus();
  return Control(**child, "set_clock", {{"now_ms", now}});
}

absl::Status BackendProcess::Join(EpochMs now) {
  {
    absl::MutexLock lock(&mutex_);
    now_ = now;
  }
  return Reopen();
}

void BackendProcess::LetGo() {
  {
    absl::MutexLock lock(&mutex_);
    if (new_child_) return;
  }
  connection()->Kill();
}

bool BackendProcess::Alive() const { return connection()->failure().ok(); }

absl::Status BackendProcess::Kill() {
  connection()->Kill();
  return absl::OkStatus();
}

absl::Status BackendProcess::KillAtStatement(uint64_t n) {
  return Control(*connection(), kKillAtStatementMethod, {{"statement", n}});
}

absl::Status BackendProcess::Shutdown() { return connection()->Shutdown(options_.call_timeout); }

bool BackendProcess::Crashed() const { return options_.may_kill_itself && connection()->DiedBySigkill(); }

absl::Status BackendProcess::Health() const {
  absl::Status failure = connection()->failure();
  const bool ours = absl::IsAborted(failure) || absl::IsCancelled(failure);
  return ours || Crashed() ? absl::OkStatus() : failure;
}

std::string BackendProcess::Log() const { return connection()->Log(); }

}  // namespace leasecheck::process
