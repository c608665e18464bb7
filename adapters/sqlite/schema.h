// What every store's file has in common, whatever its family: how it is opened, how it is told from others, and the one row of
// the store as a whole.
//
// Each family's tables begin with a table `store` of one row, which has at least
//   last_enqueue_seq  u64: the counter of the queue, where there is one; a number is never used twice
//   openings          u64: how often the store was opened; part of every id
//   clock_ms          u64: the clock that processes share, where they were told to
//   repairs           u64: commits that failed while writing and were overwritten
#ifndef LEASECHECK_ADAPTERS_SQLITE_SCHEMA_H_
#define LEASECHECK_ADAPTERS_SQLITE_SCHEMA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "adapters/sqlite/connection.h"
#include "adapters/sqlite/transaction.h"
#include "model/time.h"

namespace leasecheck::sqlite {

// The tables of one family.
struct Schema {
  int64_t application_id;                      // in the file's header; of this family alone
  int64_t version;                             // raised by every change of the tables
  absl::Span<const absl::string_view> tables;  // the statements that make them in an empty file
};

// When a commit waits for the disk.
enum class Synchronous {
  kFull,  // at every commit: what was acknowledged survives a power cut
  kOff,   // never: for a test that shows what kFull is for
};

// Sets what SQLite keeps per connection, and the write-ahead log. Waits up to `patience` for others that open the same new file.
absl::Status ConfigureConnection(Connection& connection, Synchronous synchronous, absl::Duration patience);

// Makes the tables in an empty file; accepts a file that has them. Atomic, and safe to race with another process. Errors:
// FailedPrecondition where the file is another program's or family's database, or was made by another version; else as StatusOf.
absl::Status EnsureSchema(Connection& connection, const Schema& schema);

// Counts this opening of the store and returns its number, 1 for the first ever; no number is given twice.
absl::StatusOr<uint64_t> CountOpening(Connection& connection);

// The clock that processes share.
EpochMs ReadClock(Transaction& transaction);
void WriteClock(Transaction& transaction, EpochMs now);

// Writes something harmless.
void CountRepair(Transaction& transaction);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_SCHEMA_H_
