// leasecheck coverage: how often each clause was exercised, in both senses.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/flags.h"
#include "cli/run.h"
#include "cli/verbs.h"
#include "properties/engine/report.h"
#include "properties/engine/report_summary.h"

namespace leasecheck::cli {
namespace {

struct CoverageFlags {
  RunFlags run;
  std::vector<std::string> json;
};

absl::Status ReadReports(const std::vector<std::string>& files, std::vector<Report>* reports) {
  for (const std::string& file : files) {
    absl::StatusOr<std::string> text = ReadFile(file);
    if (!text.ok()) return text.status();
    absl::StatusOr<std::vector<Report>> read = ReportsFromJson(*text);
    if (!read.ok()) return absl::InvalidArgumentError(absl::StrCat(file, ": ", read.status().message()));
    reports->insert(reports->end(), read->begin(), read->end());
  }
  return absl::OkStatus();
}

// One table for each family: what all its reports exercised together. A clause has the worst status that stands in its way:
// broken in one report is broken; exercised in one is exercised.
std::vector<Report> Merged(const std::vector<Report>& reports) {
  using Status = ClauseReport::Status;
  const auto rank = [](Status status) {
    constexpr Status kStrongest[] = {Status::kBroken, Status::kExpectedly, Status::kWarned, Status::kExercised,
                                     Status::kListed, Status::kMissing,    Status::kSkipped};
    return std::find(std::begin(kStrongest), std::end(kStrongest), status) - std::begin(kStrongest);
  };
  std::vector<Report> families;
  for (const Report& report : reports) {
    auto family =
        std::find_if(families.begin(), families.end(), [&](const Report& known) { return known.family == report.family; });
    if (family == families.end()) {
      families.push_back(report);
      continue;
    }
    for (const ClauseReport& clause : report.clauses) {
      auto& known = family->clauses;
      auto found = std::find_if(known.begin(), known.end(), [&](const ClauseReport& other) { return other.id == clause.id; });
      if (found == known.end()) {
        known.push_back(clause);
        continue;
      }
      found->held += clause.held;
      found->refused += clause.refused;
      if (rank(clause.status) < rank(found->status)) found->status = clause.status;
    }
  }
  return families;
}

void Print(const Report& report) {
  std::cout << report.family << "\n"
            << absl::StrFormat("  %-12s %-9s %12s %12s  %-6s %s\n", "clause", "status", "held", "refused", "by",
                               "what must hold");
  std::map<std::string, int> counts;
  for (const ClauseReport& clause : report.clauses) {
    const std::string status(engine::StatusWord(clause.status));
    ++counts[status];
    std::cout << absl::StrFormat("  %-12s %-9s %12s %12s  %-6s %s\n", clause.id, status, engine::Grouped(clause.held),
                                 engine::Grouped(clause.refused), clause.checked_by, clause.sentence);
    if (!clause.reason.empty()) std::cout << "      reason: " << clause.reason << "\n";
  }
  std::string sum = absl::StrCat(report.clauses.size(), " clauses");
  for (const auto& [status, count] : counts) absl::StrAppend(&sum, ", ", count, " ", status);
  std::cout << sum << "\n";
}

bool Complete(const Report& report) {
  return !report.clauses.empty() && std::all_of(report.clauses.begin(), report.clauses.end(), [](const ClauseReport& clause) {
    using Status = ClauseReport::Status;
    return clause.status == Status::kExercised || clause.status == Status::kListed || clause.status == Status::kWarned;
  });
}

int RunVerb(const CoverageFlags& flags) {
  std::vector<Report> reports;
  absl::Status status = flags.json.empty() ? RunChecks(flags.run, [&](const Report& report) { reports.push_back(report); })
                                           : ReadReports(flags.json, &reports);
  if (!status.ok()) return Complain(status);
  const int code = ExitCode(reports);
  if (code == kInternalError) std::cerr << "leasecheck: " << reports.front().reason << "\n";
  const std::vector<Report> families = Merged(reports);
  for (const Report& family : families) Print(family);
  if (code == kInternalError || code == kDoesNotConform) return code;
  return std::all_of(families.begin(), families.end(), Complete) ? kConforms : kInconclusive;
}

}  // namespace

void AddCoverageVerb(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<CoverageFlags>();
  CLI::App* verb = app.add_subcommand("coverage", "Show how often each clause is exercised by a check");
  AddFamilyFlag(*verb, &flags->run);
  verb->add_option("--json", flags->json, "Show these reports of `check --json` together, and run nothing")
      ->type_name("FILE")
      ->allow_extra_args(false);
  AddRunFlags(*verb, &flags->run);
  verb->callback([flags, exit_code] { *exit_code = RunVerb(*flags); });
}

}  // namespace leasecheck::cli
