// Backends by their names on the command line.
#ifndef LEASECHECK_CLI_BACKEND_H_
#define LEASECHECK_CLI_BACKEND_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "adapters/sqlite/connection.h"
#include "model/dialect.h"

namespace leasecheck::cli {

struct Backend {
  enum class Kind { kMemory, kMinimal, kSqlite, kProcess };
  Kind kind = Kind::kMemory;
  std::string name;      // as it was written
  std::string argument;  // after the colon
};

// "memory", "minimal", "sqlite", "sqlite:PATH", "process:COMMAND".
absl::StatusOr<Backend> ReadBackend(absl::string_view text);

struct BackendOptions {
  absl::Duration call_timeout = absl::Seconds(10);
  bool fake_clock = false;         // of process: the child is given a virtual clock by libfaketime
  bool system_clock = false;       // built-in stores read the system's clock
  Dialects dialects;               // declared on the command line, beside what the backend declares itself
  int processes = 1;               // of sqlite or process: children that share the store
  bool clock_in_store = false;     // of sqlite: the virtual clock is a row of the file
  bool real_liveness = false;      // built-in stores ask the system who is dead, as their harness is another process
  uint64_t kill_at_statement = 0;  // of sqlite: this process kills itself before that statement; 0: never
  std::shared_ptr<sqlite::KillSwitch> kill_switch;  // of sqlite, may be null: kills this process when it is set
};

// A word of a shell command line, always in quotes, and in quotes where it needs them.
std::string ShellQuoted(absl::string_view word);
std::string ShellQuotedIfNeeded(absl::string_view word);
// The file of this program.
absl::StatusOr<std::string> OwnProgram();

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_BACKEND_H_
