#include "adapters/sqlite/schema.h"

#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace leasecheck::sqlite {
namespace {

void SetWriteAheadLog(Connection& connection, absl::Status* status) {
  Rows rows = connection.Query(status, "PRAGMA journal_mode = WAL");
  if (!rows.Next()) return;
  std::string mode = rows.Text(0);
  // A database in memory has no log, and needs none.
  if (mode != "wal" && mode != "memory") {
    *status =
        absl::FailedPreconditionError(absl::StrCat("the SQLite database cannot use a write-ahead log; it uses '", mode, "'"));
  }
}

int64_t PragmaValue(Transaction& transaction, absl::string_view sql) {
  Rows rows = transaction.Query(sql);
  return rows.Next() ? rows.Int(0) : 0;
}

}  // namespace

absl::Status ConfigureConnection(Connection& connection, Synchronous synchronous, absl::Duration patience) {
  // SQLite does not wait by itself when two connections make the same new file a WAL database, so we do.
  constexpr int kPollMs = 2;
  // Where it does wait, for another's lock, that counts too.
  const absl::Time deadline = absl::Now() + patience;
  while (true) {
    absl::Status status;
    SetWriteAheadLog(connection, &status);
    connection.Execute(&status, synchronous == Synchronous::kFull ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
    connection.Execute(&status, "PRAGMA foreign_keys = ON");
    if (!absl::IsUnavailable(status) || absl::Now() >= deadline) return status;
    sqlite3_sleep(kPollMs);
  }
}

absl::Status EnsureSchema(Connection& connection, const Schema& schema) {
  Transaction transaction(connection, Transaction::Mode::kWrite);
  int64_t application = PragmaValue(transaction, "PRAGMA application_id");
  int64_t version = PragmaValue(transaction, "PRAGMA user_version");
  int64_t tables = PragmaValue(transaction, "SELECT count(*) FROM sqlite_schema");
  if (!transaction.status().ok()) return transaction.status();
  if (application == schema.application_id && version == schema.version) return transaction.Commit();
  if (application == schema.application_id) {
    return absl::FailedPreconditionError(
        absl::StrCat("the SQLite database was made by another version of this adapter (its schema is ", version, ", ours ",
                     schema.version, ")"));
  }
  if (application != 0 || tables != 0) {
    return absl::FailedPreconditionError(
        "the SQLite database belongs to another program, or is the store of another family: its tables are not ours");
  }
  for (absl::string_view sql : schema.tables) transaction.Execute(sql);
  transaction.Execute(absl::StrCat("PRAGMA application_id = ", schema.application_id));
  transaction.Execute(absl::StrCat("PRAGMA user_version = ", schema.version));
  return transaction.Commit();
}

absl::StatusOr<uint64_t> CountOpening(Connection& connection) {
  Transaction transaction(connection, Transaction::Mode::kWrite);
  transaction.Execute("UPDATE store SET openings = openings + 1");
  uint64_t opening = 0;
  {
    Rows rows = transaction.Query("SELECT openings FROM store");
    if (rows.Next()) opening = rows.U64(0);
  }
  absl::Status status = transaction.Commit();
  if (!status.ok()) return status;
  return opening;
}

EpochMs ReadClock(Transaction& transaction) {
  Rows rows = transaction.Query("SELECT clock_ms FROM store");
  return rows.Next() ? rows.U64(0) : 0;
}

void WriteClock(Transaction& transaction, EpochMs now) { transaction.Execute("UPDATE store SET clock_ms = ?1", now); }

void CountRepair(Transaction& transaction) { transaction.Execute("UPDATE store SET repairs = repairs + 1"); }

}  // namespace leasecheck::sqlite
