// The tables of the session_store family in SQLite, and what is fixed when a store is opened.
#ifndef LEASECHECK_ADAPTERS_SQLITE_SCHEMA_H_
#define LEASECHECK_ADAPTERS_SQLITE_SCHEMA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/sqlite/connection.h"

namespace leasecheck::sqlite {

// When a commit waits for the disk.
enum class Synchronous {
  kFull,  // at every commit: what was acknowledged survives a power cut
  kOff,   // never: for a test that shows what kFull is for
};

// Sets what SQLite keeps per connection, and the write-ahead log. Waits up to `patience` for others that open the same new file.
absl::Status ConfigureConnection(Connection& connection, Synchronous synchronous, absl::Duration patience);

// Makes the tables in an empty file; accepts a file that has them. Atomic, and safe to race with another process. Errors:
// FailedPrecondition where the file is another program's database or was made by another version; else as StatusOf.
absl::Status EnsureSchema(Connection& connection);

// Counts this opening of the store and returns its number, 1 for the first ever; no number is given twice.
absl::StatusOr<uint64_t> CountOpening(Connection& connection);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_SCHEMA_H_
