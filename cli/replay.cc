// leasecheck replay: plays traces, failures and golden scenarios alike, against a backend and judges each.
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/flags.h"
#include "cli/recorded_target.h"
#include "cli/targets.h"
#include "cli/verbs.h"

namespace leasecheck::cli {
namespace {

struct ReplayFlags {
  RunFlags run;
  std::string backend = "memory";
  std::string history;
  std::vector<std::string> files;
};

// The family that all the traces are of; the flag's, where it is given.
absl::StatusOr<std::string> FamilyOf(const ReplayFlags& flags, const std::vector<TraceFile>& traces) {
  std::string family = flags.run.family;
  for (const TraceFile& trace : traces) {
    absl::StatusOr<std::string> named = engine::TraceFamily(trace.text, trace.name);
    if (!named.ok()) return named.status();
    if (family.empty()) family = *named;
    if (*named != family) {
      return absl::InvalidArgumentError(absl::StrCat(trace.name, ": it is a trace of ", *named, ", not of ", family));
    }
  }
  return family;
}

template <class F>
absl::StatusOr<bool> AnyCrash(const std::vector<TraceFile>& traces) {
  bool any = false;
  for (const TraceFile& file : traces) {
    auto trace = engine::ParseTrace<F>(file.text, file.name, engine::PropertiesOf<F>::Conversions());
    if (!trace.ok()) return trace.status();
    for (const auto& phase : trace->program.phases) {
      for (const auto& client : phase.clients) {
        any |= std::any_of(client.begin(), client.end(), [](const engine::Command<F>& command) {
          return std::holds_alternative<engine::Crash>(command.action);
        });
      }
    }
  }
  return any;
}

template <class F>
absl::StatusOr<Report> Replay(const ReplayFlags& flags, const Backend& backend, const std::vector<TraceFile>& traces) {
  absl::StatusOr<BackendOptions> options = ReadBackendOptions(flags.run, Spec<F>::DialectPoints());
  if (!options.ok()) return options.status();
  absl::StatusOr<bool> crashes = AnyCrash<F>(traces);
  if (!crashes.ok()) return crashes.status();
  absl::StatusOr<Targets<F>> targets = MakeTargets<F>(backend, *options);
  if (!targets.ok()) return targets.status();
  CheckOptions check;
  check.max_failures = traces.size();
  TargetFactory<F> factory = *crashes && targets->crash ? targets->crash : targets->main;
  const auto recorder = std::make_shared<HistoryRecorder>();
  if (!flags.history.empty()) factory = Recording<F>(std::move(factory), recorder);
  Report report = ReplayTraces<F>(factory, traces, check);
  if (report.backend.empty()) report.backend = backend.name;
  if (!flags.history.empty()) {
    if (absl::Status status = ReplaceFile(flags.history, recorder->Text()); !status.ok()) return status;
  }
  return report;
}

int RunVerb(const ReplayFlags& flags) {
  if (!flags.history.empty() && flags.files.size() != 1) {
    return Complain(absl::InvalidArgumentError("--history: it holds the run of one trace"));
  }
  std::vector<TraceFile> traces;
  for (const std::string& file : flags.files) {
    absl::StatusOr<std::string> text = ReadFile(file);
    if (!text.ok()) return Complain(text.status());
    traces.push_back({file, *std::move(text)});
  }
  absl::StatusOr<std::string> family = FamilyOf(flags, traces);
  if (!family.ok()) return Complain(family.status());
  absl::StatusOr<Backend> backend = ReadBackend(flags.backend);
  if (!backend.ok()) return Complain(backend.status());
  absl::StatusOr<Report> report = absl::InternalError("no family was visited");
  absl::Status visited = VisitFamily(*family, [&]<class F>() { report = Replay<F>(flags, *backend, traces); });
  if (!visited.ok()) return Complain(visited);
  if (!report.ok()) return Complain(report.status());
  std::cout << report->text();
  return ExitCode(*report);
}

}  // namespace

void AddReplayVerb(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<ReplayFlags>();
  CLI::App* verb = app.add_subcommand("replay", "Play traces against a backend and judge them");
  AddFamilyFlag(*verb, &flags->run);
  verb->add_option("--backend", flags->backend, "As for check")->type_name("BACKEND")->capture_default_str();
  AddBackendFlags(*verb, &flags->run);
  verb->add_option("--history", flags->history,
                   "Write what happened in the run of the one trace as a history file (docs/HISTORIES.md)")
      ->type_name("FILE");
  verb->add_option("FILE", flags->files, "Traces")->required();
  verb->callback([flags, exit_code] { *exit_code = RunVerb(*flags); });
}

}  // namespace leasecheck::cli
