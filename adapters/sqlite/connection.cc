#include "adapters/sqlite/connection.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace leasecheck::sqlite {
namespace {

constexpr uint64_t kBias = uint64_t{1} << 63;

absl::StatusCode CodeOf(int primary) {
  switch (primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return absl::StatusCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_CANTOPEN:
      return absl::StatusCode::kNotFound;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::StatusCode::kPermissionDenied;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

StatementHook KillAtStatement(uint64_t n) {
  return [n](uint64_t statement) {
    if (statement == n) kill(getpid(), SIGKILL);
    return absl::OkStatus();
  };
}

StatementHook KillSwitch::Hook() {
  return [this](uint64_t) {
    uint64_t left = left_.load();
    while (left > 0 && !left_.compare_exchange_weak(left, left - 1)) continue;
    if (left == 1) kill(getpid(), SIGKILL);
    return absl::OkStatus();
  };
}

absl::Status StatusOf(int code, absl::string_view path, absl::string_view detail) {
  return absl::Status(CodeOf(code & 0xff), absl::StrCat("SQLite database '", path, "': ", detail, " (code ", code, ")"));
}

void StatementDeleter::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Connection::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Rows::~Rows() {
  if (statement_ != nullptr) connection_->GiveBack(sql_, std::move(statement_));
}

bool Rows::Next() {
  if (statement_ == nullptr || !status_->ok()) return false;
  if (!started_) {
    started_ = true;
    *status_ = connection_->gate_->Pass();
    if (!status_->ok()) return false;
  }
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) *status_ = connection_->Error(code, sql_);
  return false;
}

bool Rows::IsNull(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

std::string Rows::Text(int column) const {
  // The pointer before the length, as SQLite asks.
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return "";
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::optional<std::string> Rows::OptionalText(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Text(column);
}

std::vector<uint8_t> Rows::Bytes(int column) const {
  const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  if (bytes == nullptr) return {};
  return std::vector<uint8_t>(bytes, bytes + sqlite3_column_bytes(statement_.get(), column));
}

uint64_t Rows::U64(int column) const { return static_cast<uint64_t>(Int(column)) ^ kBias; }

int64_t Rows::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }

void Rows::Bind(int index, uint64_t value) { Bind(index, static_cast<int64_t>(value ^ kBias)); }

void Rows::Bind(int index, int64_t value) { CheckBind(sqlite3_bind_int64(statement_.get(), index, value)); }

void Rows::Bind(int index, absl::string_view value) {
  // A null pointer would bind NULL, and an empty string is a value.
  const char* data = value.data() == nullptr ? "" : value.data();
  CheckBind(sqlite3_bind_text64(statement_.get(), index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Rows::Bind(int index, const std::vector<uint8_t>& bytes) {
  const void* data = bytes.empty() ? "" : static_cast<const void*>(bytes.data());
  CheckBind(sqlite3_bind_blob64(statement_.get(), index, data, bytes.size(), SQLITE_TRANSIENT));
}

void Rows::Bind(int index, std::nullopt_t) { CheckBind(sqlite3_bind_null(statement_.get(), index)); }

void Rows::CheckBind(int code) {
  if (code != SQLITE_OK && status_->ok()) *status_ = connection_->Error(code, sql_);
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Options& options, StatementGate* gate) {
  if (options.path.empty()) return absl::InvalidArgumentError("the path of a SQLite database must not be empty");
  if (options.path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the path of a SQLite database must not contain a NUL character");
  }
  // Debian's SQLite reads "file:..." as a URI; ours is a plain file name.
  std::string path = absl::StartsWith(options.path, "file:") ? absl::StrCat("./", options.path) : options.path;
  sqlite3* raw = nullptr;
  int code = sqlite3_open_v2(
      path.c_str(), &raw,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
      options.vfs.empty() ? nullptr : options.vfs.c_str());
  std::unique_ptr<sqlite3, Closer> handle(raw);
  if (code != SQLITE_OK) {
    absl::string_view detail = raw == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(raw);
    absl::string_view hint = (code & 0xff) == SQLITE_CANTOPEN ? "; is it a file in an existing, accessible directory?" : "";
    return StatusOf(code, options.path, absl::StrCat(detail, hint));
  }
  int64_t timeout = absl::ToInt64Milliseconds(options.busy_timeout);
  sqlite3_busy_timeout(raw, static_cast<int>(std::clamp<int64_t>(timeout, 0, std::numeric_limits<int>::max())));
  return std::unique_ptr<Connection>(new Connection(std::move(handle), options.path, gate));
}

Connection::~Connection() { RollBack(); }

bool Connection::InTransaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

void Connection::RollBack() {
  if (!InTransaction()) return;
  gate_->Pass().IgnoreError();
  sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

StatementPtr Connection::Prepare(absl::string_view sql, absl::Status* status) {
  auto found = idle_.find(sql);
  if (found != idle_.end() && found->second != nullptr) return std::move(found->second);
  sqlite3_stmt* statement = nullptr;
  int code =
      sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) *status = Error(code, sql);
  return StatementPtr(statement);
}

void Connection::GiveBack(absl::string_view sql, StatementPtr statement) {
  steps_ += static_cast<uint64_t>(sqlite3_stmt_status(statement.get(), SQLITE_STMTSTATUS_VM_STEP, 1));
  sqlite3_reset(statement.get());
  sqlite3_clear_bindings(statement.get());
  StatementPtr& slot = idle_[sql];
  if (slot == nullptr) slot = std::move(statement);
}

int64_t Connection::Changes() const { return sqlite3_changes64(handle_.get()); }

absl::Status Connection::Error(int code, absl::string_view sql) const {
  return StatusOf(code, path_, absl::StrCat(sqlite3_errmsg(handle_.get()), ", at \"", sql.substr(0, 60), "\""));
}

}  // namespace leasecheck::sqlite
