// The single door to SQLite: everything the adapter sends to a database goes through Connection::Query and Execute here.
//
// A connection owns its handle and its prepared statements, binds and reads typed values, and turns SQLite's result codes into
// absl::Status. Before each statement it asks a StatementGate, which counts over all connections of a store; so a test can stop,
// fail or kill the process at the n-th statement.
//
//   StatementGate gate(nullptr);
//   auto connection = Connection::Open({.path = "/tmp/queue.db"}, &gate);
//   absl::Status status;
//   Rows rows = (*connection)->Query(&status, "SELECT name FROM people WHERE age > ?1", uint64_t{40});
//   while (rows.Next()) Print(rows.Text(0));
//   if (!status.ok()) ...
//
// u64 columns. SQLite's integers are signed, and the contract's times are unsigned over the full range. A uint64_t is
// therefore stored as x - 2^63: order, comparison and MAX keep their meaning from 0 to 2^64-1 (QW-LAT-13). The bias is applied
// here, in both directions, and nowhere else. An int64_t is stored as it is, and used only where the range is small (a pid, a
// position, a flag).
//
// Why not SQLiteCpp (Debian's libsqlitecpp-dev): it reports by exceptions, has no statement cache and no hook at execution, so
// all of it would have to be wrapped again.
#ifndef LEASECHECK_ADAPTERS_SQLITE_CONNECTION_H_
#define LEASECHECK_ADAPTERS_SQLITE_CONNECTION_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace leasecheck::sqlite {

// Called before the n-th statement of a store is executed, n = 1, 2, ... over all its connections, those of opening included.
// It may block (the caller then holds whatever locks the transaction holds) or kill the process. A status that is not OK is
// the statement's result, and the statement is not executed; a ROLLBACK is executed all the same. Called by many threads at once.
using StatementHook = std::function<absl::Status(uint64_t n)>;

// A hook that sends SIGKILL to this process before the n-th statement.
StatementHook KillAtStatement(uint64_t n);

// The same where it is set while stores are in use. Outlives their hooks. Thread-safe.
class KillSwitch {
 public:
  // Before the n-th statement from now on, of all the stores with this hook; 0: no longer.
  void Set(uint64_t n) { left_.store(n); }
  StatementHook Hook();

 private:
  std::atomic<uint64_t> left_{0};
};

// Counts statements and asks the hook. Thread-safe.
class StatementGate {
 public:
  explicit StatementGate(StatementHook hook) : hook_(std::move(hook)) {}
  absl::Status Pass() {
    uint64_t n = count_.fetch_add(1, std::memory_order_relaxed) + 1;
    return hook_ == nullptr ? absl::OkStatus() : hook_(n);
  }
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  const StatementHook hook_;
  std::atomic<uint64_t> count_{0};
};

// Finalizes a prepared statement.
struct StatementDeleter {
  void operator()(sqlite3_stmt* statement) const;
};
using StatementPtr = std::unique_ptr<sqlite3_stmt, StatementDeleter>;

class Connection;

// One execution of a statement, row by row. The columns of a row may be read after a Next that returned true. Columns count from
// 0. Ends the execution when destroyed, and must not outlive the connection or the status. Used by one thread.
class Rows {
 public:
  Rows(Rows&&) = default;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  // Goes to the next row. False at the end, and after an error, which is then in the status given to Query.
  bool Next();

  bool IsNull(int column) const;
  std::string Text(int column) const;
  std::optional<std::string> OptionalText(int column) const;
  std::vector<uint8_t> Bytes(int column) const;
  uint64_t U64(int column) const;  // of a u64 column
  int64_t Int(int column) const;   // of any other integer column

 private:
  friend class Connection;
  Rows(Connection* connection, absl::Status* status, absl::string_view sql, StatementPtr statement)
      : connection_(connection), status_(status), sql_(sql), statement_(std::move(statement)) {}

  // Arguments, 1-based.
  void Bind(int index, uint64_t value);
  void Bind(int index, int64_t value);
  void Bind(int index, int value) { Bind(index, int64_t{value}); }
  void Bind(int index, bool value) { Bind(index, int64_t{value}); }
  void Bind(int index, absl::string_view value);
  void Bind(int index, const std::string& value) { Bind(index, absl::string_view(value)); }
  void Bind(int index, const char* value) { Bind(index, absl::string_view(value)); }
  void Bind(int index, const std::vector<uint8_t>& bytes);
  void Bind(int index, std::nullopt_t);
  template <class T>
  void Bind(int index, const std::optional<T>& value) {
    if (value.has_value()) {
      Bind(index, *value);
    } else {
      Bind(index, std::nullopt);
    }
  }
  void CheckBind(int code);

  Connection* connection_;
  absl::Status* status_;
  absl::string_view sql_;   // the caller's, which outlives the execution
  StatementPtr statement_;  // null: there is nothing to execute, because of an error
  bool started_ = false;
};

// A connection to one database. Used by one thread at a time.
class Connection {
 public:
  struct Options {
    std::string path = {};                            // a file, or ":memory:"
    std::string vfs = {};                             // the name of a registered VFS; empty: SQLite's own
    absl::Duration busy_timeout = absl::Seconds(10);  // how long one statement waits for another's lock
  };

  // Opens the file, creating it where its directory exists. Touches no content. `gate` is borrowed. Errors: InvalidArgument for a
  // path that is empty or holds a NUL; else as StatusOf.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Options& options, StatementGate* gate);

  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Starts a statement. Where *status is not OK already, nothing is executed and there are no rows; an error is put into *status.
  // So a sequence of statements can be written straight down and the status asked once at its end. `sql` and *status outlive
  // the rows; arguments are copied.
  template <class... Args>
  Rows Query(absl::Status* status, absl::string_view sql, const Args&... args) {
    Rows rows(this, status, sql, status->ok() ? Prepare(sql, status) : nullptr);
    if (rows.statement_ != nullptr) {
      int index = 0;
      (rows.Bind(++index, args), ...);
    }
    return rows;
  }

  // Executes a statement to its end. Returns the number of rows that it inserted, changed or deleted; 0 after an error.
  template <class... Args>
  int64_t Execute(absl::Status* status, absl::string_view sql, const Args&... args) {
    Rows rows = Query(status, sql, args...);
    while (rows.Next()) continue;
    return status->ok() ? Changes() : 0;
  }

  // Whether a BEGIN is in force. SQLite ends a transaction by itself after some errors.
  bool InTransaction() const;

  // Executes ROLLBACK where a transaction is in force, whatever the gate says.
  void RollBack();

  // Virtual machine steps of all statements so far: a measure of work that does not depend on the machine.
  uint64_t steps() const { return steps_; }

 private:
  friend class Rows;
  struct Closer {
    void operator()(sqlite3* handle) const;
  };

  Connection(std::unique_ptr<sqlite3, Closer> handle, std::string path, StatementGate* gate)
      : handle_(std::move(handle)), path_(std::move(path)), gate_(gate) {}

  StatementPtr Prepare(absl::string_view sql, absl::Status* status);
  void GiveBack(absl::string_view sql, StatementPtr statement);  // resets it and keeps it for the next execution
  int64_t Changes() const;
  absl::Status Error(int code, absl::string_view sql) const;

  const std::unique_ptr<sqlite3, Closer> handle_;
  const std::string path_;
  StatementGate* const gate_;
  absl::flat_hash_map<std::string, StatementPtr> idle_;  // by SQL text; a statement that is being executed is not in it
  uint64_t steps_ = 0;
};

// One clear sentence about a SQLite result code. Unavailable: locked by others for too long; DataLoss: corrupt, or no database at
// all; NotFound: cannot be opened; PermissionDenied: read-only; ResourceExhausted: disk or memory full; Internal: the rest.
absl::Status StatusOf(int code, absl::string_view path, absl::string_view detail);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_CONNECTION_H_
