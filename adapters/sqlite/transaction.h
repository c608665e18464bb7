// One transaction on a connection, with one status for all its statements.
#ifndef LEASECHECK_ADAPTERS_SQLITE_TRANSACTION_H_
#define LEASECHECK_ADAPTERS_SQLITE_TRANSACTION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/sqlite/connection.h"

namespace leasecheck::sqlite {

// Begins in the constructor; rolled back when destroyed without Commit. After the first statement that fails the later ones do
// nothing: queries have no rows, Execute returns 0, and Commit rolls back and says why. So the code between reads straight
// down, and what it computed after an error is thrown away with the transaction.
//
//   Transaction transaction(connection, Transaction::Mode::kWrite);
//   transaction.Execute("UPDATE accounts SET money = money - ?1 WHERE name = ?2", uint64_t{5}, "ann");
//   absl::Status status = transaction.Commit();
class Transaction {
 public:
  enum class Mode {
    kRead,   // a snapshot, taken by the first query; blocks nobody and waits for nobody
    kWrite,  // BEGIN IMMEDIATE: holds the database's write lock from here to the end, so nothing changes under it
  };

  Transaction(Connection& connection, Mode mode) : connection_(connection) {
    connection_.Execute(&status_, mode == Mode::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
  }
  ~Transaction() { connection_.RollBack(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  template <class... Args>
  Rows Query(absl::string_view sql, const Args&... args) {
    return connection_.Query(&status_, sql, args...);
  }
  template <class... Args>
  int64_t Execute(absl::string_view sql, const Args&... args) {
    return connection_.Execute(&status_, sql, args...);
  }

  // The first error, from BEGIN on.
  const absl::Status& status() const { return status_; }

  // Makes this the transaction's error, so that it cannot be committed.
  void Fail(absl::Status status) { status_.Update(status); }

  // Ends the transaction. Where it is not OK, the transaction was rolled back. See in_doubt for what that is worth.
  absl::Status Commit() {
    if (status_.ok()) {
      connection_.Execute(&status_, "COMMIT");
      // A COMMIT that waits for a lock, or was never executed, leaves the transaction in force.
      in_doubt_ = !status_.ok() && !connection_.InTransaction();
    }
    connection_.RollBack();
    return status_;
  }

  // After a Commit that failed: whether it failed while writing. No connection sees the transaction then, but its pages may be in
  // the log, and a crash before another transaction overwrites them could bring it back.
  bool in_doubt() const { return in_doubt_; }

 private:
  Connection& connection_;
  absl::Status status_;
  bool in_doubt_ = false;
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_TRANSACTION_H_
