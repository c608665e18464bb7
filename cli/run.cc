#include "cli/run.h"

#include <unistd.h>

#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/backend.h"
#include "cli/targets.h"

namespace leasecheck::cli {
namespace {

constexpr char kClearLine[] = "\r\033[K";

void ShowProgress(const std::string& backend, const Progress& progress) {
  std::string line = absl::StrFormat("%s%s: %s, %d programs, %d operations, %.0f s", kClearLine, backend, progress.stage,
                                     progress.programs, progress.operations, progress.seconds);
  if (progress.budget_seconds > 0) absl::StrAppendFormat(&line, " of %.0f", progress.budget_seconds);
  std::cerr << line << std::flush;
}

// The commands that run a failure again: from its file, whose name the engine adds, or the whole run where there is none. They
// carry every flag that decides what happens.
void NameReplay(const std::string& family, const Backend& backend, const RunFlags& flags, CheckOptions* options) {
  absl::StatusOr<std::string> program = OwnProgram();
  const std::string start = program.ok() ? ShellQuotedIfNeeded(*program) : "leasecheck";
  std::string target = absl::StrCat(" --family ", family, " --backend ", ShellQuotedIfNeeded(backend.name));
  const auto add = [](absl::string_view flag, absl::string_view value, std::string* command) {
    absl::StrAppend(command, " ", flag, " ", ShellQuotedIfNeeded(value));
  };
  const RunFlags usual;
  if (flags.call_timeout != usual.call_timeout) add("--call-timeout", flags.call_timeout, &target);
  if (flags.processes != usual.processes) add("--processes", absl::StrCat(flags.processes), &target);
  if (!flags.clock.empty()) add("--clock", flags.clock, &target);
  if (flags.clock_error != usual.clock_error) add("--clock-error", flags.clock_error, &target);
  if (flags.clock_drift != usual.clock_drift) add("--clock-drift", absl::StrCat(flags.clock_drift), &target);
  for (const std::string& dialect : flags.dialects) add("--dialect", dialect, &target);
  options->replay_command = absl::StrCat(start, " replay", target);
  std::string& check = options->replay_command_for_seed;
  check = absl::StrCat(start, " check", target, " --seed ", options->seed);
  if (flags.operations != usual.operations) add("--operations", absl::StrCat(flags.operations), &check);
  if (flags.budget != usual.budget) add("--budget", flags.budget, &check);
  if (flags.clients != usual.clients) add("--clients", absl::StrCat(flags.clients), &check);
  if (options->shards != 1) add("--shard", absl::StrCat(options->shard, "/", options->shards), &check);
  for (const std::string& clause : flags.only) add("--only", clause, &check);
  for (const std::string& clause : flags.skip) add("--skip", clause, &check);
  if (!flags.known_deviations.empty()) add("--known-deviations", flags.known_deviations, &check);
}

template <class F>
absl::StatusOr<Report> CheckBackend(const Backend& backend, const RunFlags& flags, const BackendOptions& backend_options,
                                    CheckOptions options) {
  absl::StatusOr<Targets<F>> targets = MakeTargets<F>(backend, backend_options);
  if (!targets.ok()) return targets.status();
  NameReplay(std::string(F::kName), backend, flags, &options);
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  if (terminal) options.progress = [&](const Progress& progress) { ShowProgress(backend.name, progress); };
  Report report = targets->crash ? Check<F>(targets->main, targets->crash, options) : Check<F>(targets->main, options);
  if (terminal) std::cerr << kClearLine << std::flush;
  if (report.backend.empty()) report.backend = backend.name;
  return report;
}

}  // namespace

absl::Status RunChecks(const RunFlags& flags, const std::function<void(const Report&)>& done) {
  std::vector<Backend> backends;
  for (const std::string& name : flags.backends.empty() ? std::vector<std::string>{"memory", "sqlite:"} : flags.backends) {
    absl::StatusOr<Backend> backend = ReadBackend(name);
    if (!backend.ok()) return backend.status();
    backends.push_back(*std::move(backend));
  }
  absl::Status status;
  absl::Status family = VisitFamily(flags.family, [&]<class F>() {
    absl::StatusOr<BackendOptions> backend_options = ReadBackendOptions(flags, Spec<F>::DialectPoints());
    absl::StatusOr<CheckOptions> options = ReadCheckOptions(flags, Spec<F>::Clauses());
    status = !backend_options.ok() ? backend_options.status() : options.status();
    for (const Backend& backend : backends) {
      if (!status.ok()) return;
      absl::StatusOr<Report> report = CheckBackend<F>(backend, flags, *backend_options, *options);
      status = report.status();
      if (report.ok()) done(*report);
    }
  });
  return family.ok() ? status : family;
}

}  // namespace leasecheck::cli
