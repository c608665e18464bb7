// What the verbs share: the flags that name a family, a backend and a run, read into plain values. Every mistake is
// InvalidArgument with one sentence, which the program prints before it exits with kBadArguments.
#ifndef LEASECHECK_CLI_FLAGS_H_
#define LEASECHECK_CLI_FLAGS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cli/backend.h"
#include "model/clause.h"
#include "model/dialect.h"
#include "properties/check.h"

namespace leasecheck::cli {

// The flags of a run, as they were given.
struct RunFlags {
  std::string family;                 // "": the first family
  std::vector<std::string> backends;  // empty: the built-in ones
  uint64_t seed = 1;
  std::string budget;
  uint64_t operations = 0;
  std::string shard;
  std::vector<std::string> only;
  std::vector<std::string> skip;
  std::string known_deviations;
  std::string call_timeout = "10s";
  int processes = 1;
  std::string clock;  // "": as the backend says
  std::string clock_error = "2ms";
  double clock_drift = 0;
  int clients = 3;
  std::vector<std::string> dialects;
  std::string out;
};

void AddFamilyFlag(CLI::App& app, RunFlags* flags);
void AddBackendFlags(CLI::App& app, RunFlags* flags);
void AddRunFlags(CLI::App& app, RunFlags* flags);

// The flags that name a family's things, checked: the clauses against its table and the dialects against its latitude points.
absl::StatusOr<CheckOptions> ReadCheckOptions(const RunFlags& flags, absl::Span<const ClauseInfo> clauses);
absl::StatusOr<BackendOptions> ReadBackendOptions(const RunFlags& flags, absl::Span<const DialectPoint> points);

// "500ms", "60s", "10m", "1h".
absl::StatusOr<absl::Duration> ReadDuration(absl::string_view flag, absl::string_view text);

struct Shard {
  int index = 0;
  int total = 1;
};
// "0/4"; where the text is empty, the pairs of environment variables that test runners set.
absl::StatusOr<Shard> ReadShard(const std::string& text);

// A line "CLAUSE reason" for each; empty lines and those that begin with # are comments.
absl::StatusOr<std::map<std::string, std::string>> ReadKnownDeviations(const std::string& file,
                                                                       absl::Span<const ClauseInfo> clauses);

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_FLAGS_H_
