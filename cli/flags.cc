#include "cli/flags.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "cli/files.h"
#include "model/clause.h"
#include "model/dialect.h"

namespace leasecheck::cli {
namespace {

// Where no limit is given, so that both built-in backends take two minutes together even on a slow disk.
constexpr uint64_t kDefaultOperations = 200'000;
constexpr absl::Duration kDefaultBudget = absl::Seconds(100);

absl::Status UnknownClause(absl::string_view where, absl::string_view id) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": there is no clause ", id, "; `leasecheck coverage` lists them"));
}

absl::Status CheckClauses(absl::string_view flag, const std::vector<std::string>& ids, absl::Span<const ClauseInfo> clauses) {
  for (const std::string& id : ids) {
    if (FindClause(clauses, id) == clauses.size()) return UnknownClause(flag, id);
  }
  return absl::OkStatus();
}

absl::StatusOr<Shard> MakeShard(absl::string_view where, absl::string_view index, absl::string_view total) {
  Shard shard;
  if (!absl::SimpleAtoi(index, &shard.index) || !absl::SimpleAtoi(total, &shard.total) || shard.total < 1 || shard.index < 0 ||
      shard.index >= shard.total) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": ", index, "/", total, " is no shard; write index/total with 0 <= index < total, such as 0/4"));
  }
  return shard;
}

// A word that a dialect point takes: one of its list, or a whole number (a length of time) where the list holds one or is empty.
bool Takes(const DialectPoint& point, absl::string_view word) {
  uint64_t number = 0;
  if (point.words.empty()) return absl::SimpleAtoi(word, &number);
  for (absl::string_view known : point.words) {
    if (known == word || (absl::SimpleAtoi(known, &number) && absl::SimpleAtoi(word, &number))) return true;
  }
  return false;
}

absl::Status AddDialect(absl::string_view text, absl::Span<const DialectPoint> points, Dialects* dialects) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
  for (const DialectPoint& point : points) {
    if (point.id != parts.first) continue;
    if (!Takes(point, parts.second)) {
      return absl::InvalidArgumentError(absl::StrCat("--dialect: ", point.id, " cannot be \"", parts.second, "\"; it takes ",
                                                     point.words.empty() ? "a whole number" : absl::StrJoin(point.words, ", ")));
    }
    (*dialects)[std::string(parts.first)] = std::string(parts.second);
    return absl::OkStatus();
  }
  std::vector<absl::string_view> known;
  for (const DialectPoint& point : points) known.push_back(point.id);
  return absl::InvalidArgumentError(
      absl::StrCat("--dialect: there is no latitude point \"", parts.first, "\"; there are ", absl::StrJoin(known, ", ")));
}

}  // namespace

void AddFamilyFlag(CLI::App& app, RunFlags* flags) {
  app.add_option("--family", flags->family, "The contract; the first one where none is named")->type_name("NAME");
}

void AddBackendFlags(CLI::App& app, RunFlags* flags) {
  app.add_option("--call-timeout", flags->call_timeout, "A call of a process: backend that takes longer counts as hung")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("--processes", flags->processes,
                 "Of sqlite: or a durable process: backend: deal the calls out to so many processes that\n"
                 "share the store, so that they race on it")
      ->type_name("N")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  app.add_option("--clock", flags->clock,
                 "faketime: give a process: backend that reads the system's clock a virtual one\n"
                 "(libfaketime, Debian's package faketime)")
      ->type_name("WORD");
  app.add_option("--clock-error", flags->clock_error, "How far the clock of a backend that reads the system's may be from ours")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("--clock-drift", flags->clock_drift, "... and how much more with each second, in seconds, such as 0.0001")
      ->type_name("X")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--dialect", flags->dialects, "Declare a choice at a latitude point for the backend; may be repeated")
      ->type_name("ID=WORD")
      ->allow_extra_args(false);
}

void AddRunFlags(CLI::App& app, RunFlags* flags) {
  app.add_option("--backend", flags->backends,
                 "memory, sqlite:PATH (a file or a folder, emptied; where PATH is empty a temporary one\n"
                 "in TMPDIR, and TMPDIR=/dev/shm or another tmpfs is many times faster than a disk) or\n"
                 "process:COMMAND; minimal, which inherits every provided method, where a trait has any; may be\n"
                 "repeated; memory and sqlite: where none is named")
      ->type_name("BACKEND")
      ->allow_extra_args(false);
  app.add_option("--seed", flags->seed, "Decides every program")->type_name("N")->capture_default_str();
  app.add_option("--budget", flags->budget,
                 "How long to check each backend, such as 60s or 10m; where no limit is given,\n"
                 "until 200,000 calls were made or 100 s have passed")
      ->type_name("TIME");
  app.add_option("--operations", flags->operations, "How many calls to make on each backend")->type_name("N");
  app.add_option("--shard", flags->shard,
                 "Make only every TOTAL-th program; else the variables of test runners decide\n"
                 "(GTEST_TOTAL_SHARDS, TEST_TOTAL_SHARDS or JOB_COMPLETIONS with their index)")
      ->type_name("INDEX/TOTAL");
  app.add_option("--clients", flags->clients, "Clients of a concurrent phase")
      ->type_name("N")
      ->check(CLI::Range(2, 64))
      ->capture_default_str();
  app.add_option("--only", flags->only, "Judge this clause only; may be repeated")->type_name("CLAUSE")->allow_extra_args(false);
  app.add_option("--skip", flags->skip, "Do not judge this clause; may be repeated")
      ->type_name("CLAUSE")
      ->allow_extra_args(false);
  app.add_option("--known-deviations", flags->known_deviations,
                 "Clauses that the backend is known to break, a line \"CLAUSE reason\" each; an\n"
                 "unexpected pass fails")
      ->type_name("FILE");
  app.add_option("--out", flags->out, "Folder for the traces of failures; those found earlier are run first")->type_name("DIR");
  AddBackendFlags(app, flags);
}

absl::StatusOr<absl::Duration> ReadDuration(absl::string_view flag, absl::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration <= absl::ZeroDuration() || duration > absl::Hours(24 * 365)) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, ": \"", text, "\" is no length of time; write 500ms, 60s, 10m or 1h, at most a year"));
  }
  return duration;
}

absl::StatusOr<Shard> ReadShard(const std::string& text) {
  if (!text.empty()) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('/', 1));
    return MakeShard("--shard", parts.first, parts.second);
  }
  constexpr std::array<std::pair<const char*, const char*>, 3> kVariables = {{{"GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS"},
                                                                              {"TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS"},
                                                                              {"JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"}}};
  for (const auto& [index, total] : kVariables) {
    const char* index_text = std::getenv(index);
    const char* total_text = std::getenv(total);
    if (index_text != nullptr && total_text != nullptr) return MakeShard(absl::StrCat(index, "/", total), index_text, total_text);
  }
  return Shard{};
}

absl::StatusOr<std::map<std::string, std::string>> ReadKnownDeviations(const std::string& file,
                                                                       absl::Span<const ClauseInfo> clauses) {
  std::map<std::string, std::string> known;
  if (file.empty()) return known;
  absl::StatusOr<std::string> text = ReadFile(file);
  if (!text.ok()) return text.status();
  int number = 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    const std::string where = absl::StrCat(file, ":", number);
    if (FindClause(clauses, parts.first) == clauses.size()) return UnknownClause(where, parts.first);
    const absl::string_view reason = absl::StripAsciiWhitespace(parts.second);
    if (reason.empty()) return absl::InvalidArgumentError(absl::StrCat(where, ": the reason is missing after ", parts.first));
    known[std::string(parts.first)] = std::string(reason);
  }
  return known;
}

absl::StatusOr<BackendOptions> ReadBackendOptions(const RunFlags& flags, absl::Span<const DialectPoint> points) {
  BackendOptions options;
  absl::StatusOr<absl::Duration> timeout = ReadDuration("--call-timeout", flags.call_timeout);
  if (!timeout.ok()) return timeout.status();
  options.call_timeout = *timeout;
  if (!flags.clock.empty() && flags.clock != "faketime") {
    return absl::InvalidArgumentError(absl::StrCat("--clock: there is no clock \"", flags.clock, "\"; there is faketime"));
  }
  options.fake_clock = !flags.clock.empty();
  options.processes = flags.processes;
  if (options.fake_clock && options.processes > 1) {
    return absl::InvalidArgumentError("--processes: the clock of one process only can be faked; leave --clock faketime out");
  }
  for (const std::string& text : flags.dialects) {
    if (absl::Status status = AddDialect(text, points, &options.dialects); !status.ok()) return status;
  }
  return options;
}

absl::StatusOr<CheckOptions> ReadCheckOptions(const RunFlags& flags, absl::Span<const ClauseInfo> clauses) {
  CheckOptions options;
  options.seed = flags.seed;
  options.operations = flags.operations;
  options.clients = flags.clients;
  options.only = flags.only;
  options.skip = flags.skip;
  options.out = flags.out;
  absl::StatusOr<absl::Duration> clock_error = ReadDuration("--clock-error", flags.clock_error);
  if (!clock_error.ok()) return clock_error.status();
  options.clock_error = *clock_error;
  options.clock_drift = flags.clock_drift;
  if (!flags.budget.empty()) {
    absl::StatusOr<absl::Duration> budget = ReadDuration("--budget", flags.budget);
    if (!budget.ok()) return budget.status();
    options.budget = *budget;
  }
  if (flags.budget.empty() && flags.operations == 0) {
    options.operations = kDefaultOperations;
    options.budget = kDefaultBudget;
  }
  absl::StatusOr<Shard> shard = ReadShard(flags.shard);
  if (!shard.ok()) return shard.status();
  options.shard = shard->index;
  options.shards = shard->total;
  if (absl::Status status = CheckClauses("--only", flags.only, clauses); !status.ok()) return status;
  if (absl::Status status = CheckClauses("--skip", flags.skip, clauses); !status.ok()) return status;
  auto known = ReadKnownDeviations(flags.known_deviations, clauses);
  if (!known.ok()) return known.status();
  options.known_deviations = *std::move(known);
  if (!flags.out.empty()) {
    if (absl::Status status = MakeFolder(flags.out); !status.ok()) return status;
  }
  return options;
}

}  // namespace leasecheck::cli
