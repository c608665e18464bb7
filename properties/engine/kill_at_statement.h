// Targets whose process can be told to kill itself at one of its own statements, so that crashes can be enumerated instead of
// thrown at a running process.
#ifndef LEASECHECK_PROPERTIES_ENGINE_KILL_AT_STATEMENT_H_
#define LEASECHECK_PROPERTIES_ENGINE_KILL_AT_STATEMENT_H_

#include <cstdint>

#include "absl/status/status.h"

namespace leasecheck::engine {

// A target may be one of these besides; the driver asks it by its type.
class KillsAtStatement {
 public:
  virtual ~KillsAtStatement() = default;
  // The process sends SIGKILL to itself before the n-th statement that it executes from here on (for SQLite, a statement of SQL);
  // 0: no longer. Target::Crashed() is true once it is dead, and a new process is not told. It may overlap calls, and fails as
  // Target says.
  virtual absl::Status KillAtStatement(uint64_t n) = 0;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_KILL_AT_STATEMENT_H_
