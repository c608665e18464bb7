// leasecheck mutants: checks deliberately wrong stores and prints which were found out, by which clause and how soon.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/families.h"
#include "cli/files.h"
#include "cli/verbs.h"
#include "properties/engine/report.h"
#include "tests/mutants/run.h"
#include "tests/mutants/show.h"
#include "tests/mutants/shrunk.h"

namespace leasecheck::cli {
namespace {

struct MutantsFlags {
  mutants::RunOptions run;
  std::string markdown;
  std::string show;
  bool shrunk = false;
};

int Unknown(const std::string& name) {
  return Complain(absl::InvalidArgumentError(absl::StrCat("there is no mutant \"", name, "\"")));
}

int Show(const MutantsFlags& flags) {
  const std::optional<Report> report = mutants::ShowMutant(flags.show, flags.run.first_seed, flags.run.operations);
  if (!report.has_value()) return Unknown(flags.show);
  std::cout << report->text();
  return ExitCode(*report);
}

int ShowShrinking(const MutantsFlags& flags) {
  std::string unknown;
  const std::vector<mutants::ShrunkRow> rows = mutants::MeasureShrinking(flags.run, &unknown);
  if (!unknown.empty()) return Unknown(unknown);
  if (rows.empty()) return Complain(absl::InvalidArgumentError("--shrunk: none of these mutants is a race"));
  std::cout << mutants::ShrunkTable(rows);
  return mutants::ShrinksWell(rows) ? kConforms : kDoesNotConform;
}

int RunVerb(const MutantsFlags& flags) {
  if (absl::Status known = VisitFamily(flags.run.family, []<class F>() {}); !known.ok()) return Complain(known);
  if (!flags.show.empty()) return Show(flags);
  if (flags.shrunk) return ShowShrinking(flags);
  if (!flags.markdown.empty()) {
    if (absl::Status status = CheckWritable(flags.markdown); !status.ok()) return Complain(status);
  }
  mutants::RunOptions options = flags.run;
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  if (terminal) {
    options.progress = [](std::size_t done, std::size_t all) {
      std::cerr << "\r\033[K" << done << " of " << all << " mutants" << (done == all ? "\r\033[K" : "") << std::flush;
    };
  }
  std::string unknown;
  const std::vector<mutants::KillRow> rows = mutants::RunMutants(options, &unknown);
  if (rows.empty()) return Unknown(unknown);
  std::cout << mutants::KillTable(rows);
  if (!flags.markdown.empty()) {
    absl::Status status = WriteFile(flags.markdown, mutants::KillTableMarkdown(rows));
    if (!status.ok()) return Complain(status);
  }
  const bool all = std::all_of(rows.begin(), rows.end(), [](const mutants::KillRow& row) { return row.as_named(); });
  return all ? kConforms : kDoesNotConform;
}

}  // namespace

void AddMutantsVerb(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<MutantsFlags>();
  CLI::App* verb = app.add_subcommand("mutants", "Check deliberately wrong stores: does the harness find each out?");
  verb->add_option("--seed", flags->run.first_seed, "The first seed")->type_name("N")->capture_default_str();
  verb->add_option("--seeds", flags->run.seeds, "How many seeds to run each with")
      ->type_name("N")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  verb->add_option("--operations", flags->run.operations, "Calls until a mutant counts as surviving")
      ->type_name("N")
      ->capture_default_str();
  verb->add_option("--family", flags->run.family, "The mutants of this contract; of each where none is named")->type_name("NAME");
  verb->add_option("--markdown", flags->markdown, "Write the table as Markdown")->type_name("FILE");
  verb->add_option("--show", flags->show, "Check this mutant once and print what its author would see")->type_name("NAME");
  verb->add_flag("--shrunk", flags->shrunk, "Print how well the failures of the races shrink, and whether they replay");
  verb->add_option("NAME", flags->run.names, "Mutants; all where none is named");
  verb->callback([flags, exit_code] { *exit_code = RunVerb(*flags); });
}

}  // namespace leasecheck::cli
