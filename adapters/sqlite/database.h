// A store's file, opened: its connections, its health, its ids, and the frame of every call. What is in the tables is each
// family's.
//
// Every call is one transaction on a connection of its own, so a store may be used by many threads, by several stores on one file
// and by several processes at once; nothing but the database keeps them apart.
//
// Durability. The file is in write-ahead-log mode with synchronous=FULL: what a call acknowledged is on the disk. Closing every
// handle, or losing them to a crash, and opening the file again shows exactly the calls that were acknowledged, and of those that
// were open at a crash each one whole or not at all.
//
// Time. The clock is read once a call, inside its transaction, while the state cannot change: writers hold the database's write
// lock from BEGIN IMMEDIATE on. An injected clock can move while a writer is between its clock and its COMMIT, and a snapshot
// taken then would show the state before that writer at a time after it. So with an injected clock reads take the write lock too.
// With `clock_in_database` the time is a row like the others, snapshots are consistent with it, and reads block nobody. Reads of
// what has no time in it, neither in their answer nor in the answers of those who write it, are snapshots always.
//
// Errors. Trouble that the contract does not name (disk full, lock not got in time, corrupt file) is the contract's error
// Backend, and the call had no effect. One case is hard: a COMMIT that fails while it writes. No reader sees such a transaction,
// but its pages may be in the log, and a crash could bring it back; so before Backend is returned another transaction is
// committed over those pages. Where that fails too, the call's outcome is unknown. The contract's answers cannot say so,
// therefore the store is then *broken*: Health() is not OK, this and every later call is answered Backend without an effect of
// its own, and whoever shows the store to a checker must call the broken call's outcome Indefinite. Opening the file again
// settles what happened.
#ifndef LEASECHECK_ADAPTERS_SQLITE_DATABASE_H_
#define LEASECHECK_ADAPTERS_SQLITE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "adapters/sqlite/connection.h"
#include "adapters/sqlite/ids.h"
#include "adapters/sqlite/pool.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/transaction.h"
#include "model/environment.h"
#include "model/time.h"
#include "tl/expected.hpp"

namespace leasecheck::sqlite {

// How long a call waits for others: each attempt up to StoreOptions::busy_timeout, and so many attempts.
inline constexpr int kBusyAttempts = 3;

// How a store is opened; of every family.
struct StoreOptions {
  std::string path = {};  // a file in an existing directory, or ":memory:" (gone with the store; one connection only)
  int connections = 4;    // calls that may be in the database at once; others wait for a free connection
  // `clock` is needed unless clock_in_database. `liveness` may be null: nobody is provably dead. `pause` is called at
  // "before_transaction" and "after_transaction" of every call, where the call holds neither connection nor lock.
  Environment environment = {};
  bool clock_in_database = false;        // the time is a row of the file, shared by all who open it so; see SetClock
  std::optional<uint64_t> id_seed = {};  // makes ids repeatable; they stay unique, because every opening counts
  absl::Duration busy_timeout = absl::Seconds(10);
  Synchronous synchronous = Synchronous::kFull;
  std::string vfs = {};             // the name of a registered SQLite VFS; empty: SQLite's own
  StatementHook on_statement = {};  // see connection.h; counts the statements of opening too
};

// The error by which a family's contract answers trouble that it does not name. Each store's header says it for its family.
template <class Error>
Error TroubleError(absl::string_view text) = delete;

// Every contract error leaves through here: a Result's error type is the family's variant.
template <class Error>
tl::unexpected<Error> Fails(std::type_identity_t<Error> error) {
  return tl::unexpected<Error>(std::move(error));
}
template <class Error>
tl::unexpected<Error> BackendError(absl::string_view text) {
  return Fails<Error>(TroubleError<Error>(text));
}

// Thread-safe.
class Database {
 public:
  // Opens a file of this schema, and makes it where the file is new or empty. Errors, each one sentence that names the file:
  // InvalidArgument (empty path, connections < 1, several of ":memory:", no clock), NotFound (no such directory),
  // PermissionDenied, DataLoss (corrupt, or no SQLite file), FailedPrecondition (another program's, family's or version's
  // database), Unavailable (locked by somebody for longer than busy_timeout).
  static absl::StatusOr<std::unique_ptr<Database>> Open(const StoreOptions& options, const Schema& schema);

  // Removes a store's file and what SQLite keeps beside it. No store may have it open. A missing file is no error.
  static absl::Status Remove(absl::string_view path);

  // Moves the clock in the database, in one transaction. FailedPrecondition without clock_in_database.
  absl::Status SetClock(EpochMs now);

  // OK, or why the store is broken (see above).
  absl::Status Health() const;

  // The last trouble of the database that a call was answered Backend for; OK where there was none since the opening. What is no
  // trouble of the database is the contract's, or this adapter's mistake.
  absl::Status Trouble() const;

  // Statements executed so far, those of opening included.
  uint64_t statements() const { return gate_.count(); }

  const LivenessProbe* liveness() const { return options_.environment.liveness; }

  // A fresh id of this kind.
  std::string NewId(absl::string_view kind) { return ids_->Next(kind); }

  // Each runs body(transaction, now), which returns a tl::expected<Response, Error>, in one transaction: again from the start
  // where others held the lock too long. Commits it if the body returned a response. The body writes nothing but the database.
  template <class Body>
  auto Write(Body body) {
    return Call(Transaction::Mode::kWrite, std::move(body));
  }
  // ... for a body that only reads.
  template <class Body>
  auto Read(Body body) {
    return Call(options_.clock_in_database ? Transaction::Mode::kRead : Transaction::Mode::kWrite, std::move(body));
  }
  // ... for a body that only reads, and only what has no time in it: blocks nobody and waits for nobody.
  template <class Body>
  auto ReadTimeless(Body body) {
    return Call(Transaction::Mode::kRead, [&](Transaction& transaction, EpochMs) { return body(transaction); });
  }

 private:
  explicit Database(const StoreOptions& options) : options_(options), gate_(options.on_statement) {}

  absl::Status OpenConnections(const Schema& schema);

  template <class Body>
  auto Call(Transaction::Mode mode, Body body) -> decltype(body(std::declval<Transaction&>(), EpochMs{}));
  template <class Result, class Body>
  Result CallOnce(Transaction::Mode mode, Body& body);

  EpochMs Now(Transaction& transaction) const;
  void Pause(absl::string_view point) const;
  // Notes trouble and returns its text.
  std::string NoteTrouble(const absl::Status& trouble);
  // Commits something harmless over a transaction whose COMMIT failed while writing; where that fails, the store is broken.
  void OverwriteDoubt(Connection& connection, const absl::Status& why);

  const StoreOptions options_;
  StatementGate gate_;
  std::unique_ptr<IdSource> ids_;  // set by Open
  std::unique_ptr<Pool> pool_;     // set by Open
  mutable absl::Mutex health_mutex_;
  absl::Status health_ ABSL_GUARDED_BY(health_mutex_);
  absl::Status trouble_ ABSL_GUARDED_BY(health_mutex_);
};

template <class Body>
auto Database::Call(Transaction::Mode mode, Body body) -> decltype(body(std::declval<Transaction&>(), EpochMs{})) {
  using Result = decltype(body(std::declval<Transaction&>(), EpochMs{}));
  Pause("before_transaction");
  Result result = CallOnce<Result>(mode, body);
  Pause("after_transaction");
  return result;
}

template <class Result, class Body>
Result Database::CallOnce(Transaction::Mode mode, Body& body) {
  const auto troubled = [this](const absl::Status& trouble) {
    return BackendError<typename Result::error_type>(NoteTrouble(trouble));
  };
  if (absl::Status health = Health(); !health.ok()) return troubled(health);
  Pool::Lease connection = pool_->Take();
  for (int attempt = 1;; ++attempt) {
    Transaction transaction(*connection, mode);
    Result answer = body(transaction, Now(transaction));
    // After an error of the database the answer was computed from nothing.
    if (!answer.has_value() && transaction.status().ok()) return answer;
    absl::Status status = transaction.Commit();
    if (status.ok()) return answer;
    if (transaction.in_doubt()) OverwriteDoubt(*connection, status);
    if (!absl::IsUnavailable(status) || attempt == kBusyAttempts) return troubled(status);
  }
}

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_DATABASE_H_
