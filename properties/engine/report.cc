// The console form of a report.
#include "properties/engine/report.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "properties/engine/report_summary.h"

namespace leasecheck {
namespace {

using engine::ClauseGroup;
using engine::Grouped;

// Rows of cells as aligned columns, two spaces apart; the first column is text, the rest numbers.
std::string Columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = absl::StrFormat("  %-*s", static_cast<int>(widths[0]), row[0]);
    for (std::size_t i = 1; i < row.size(); ++i) absl::StrAppendFormat(&line, "  %*s", static_cast<int>(widths[i]), row[i]);
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return text;
}

std::string StageTable(const Report& report) {
  std::vector<std::vector<std::string>> rows = {
      {"stage", "programs", "operations", "overlapping", "crashes", "at statement", "reopens", "undecided", "ops/s"}};
  for (const StageReport& stage : report.stages) {
    rows.push_back({stage.name, Grouped(stage.programs), Grouped(stage.operations), Grouped(stage.overlapping),
                    Grouped(stage.crashes), Grouped(stage.kills_at_statement), Grouped(stage.reopens), Grouped(stage.undecided),
                    engine::Rate(stage)});
  }
  std::string text = Columns(rows);
  StageReport all;
  for (const StageReport& stage : report.stages) {
    all.lost_responses += stage.lost_responses;
    all.unknown_outcomes += stage.unknown_outcomes;
    all.held += stage.held;
    all.stalled += stage.stalled;
    all.clock_back += stage.clock_back;
    all.clock_far += stage.clock_far;
  }
  absl::StrAppend(&text, "  faults besides: ", Grouped(all.lost_responses), " answers lost, ", Grouped(all.unknown_outcomes),
                  " outcomes unknown, ", Grouped(all.held), " answers late, ", Grouped(all.stalled), " workers stalled, ",
                  Grouped(all.clock_back), " clock falls, ", Grouped(all.clock_far), " clock leaps\n");
  for (const StageReport& stage : report.stages) {
    if (!stage.note.empty()) absl::StrAppend(&text, "  ", stage.name, ": ", stage.note, "\n");
  }
  return text;
}

std::string ClauseSummary(const Report& report) {
  std::vector<std::vector<std::string>> rows = {
      {"clauses", "exercised", "listed", "missing", "skipped", "broken", "held", "refused"}};
  for (const ClauseGroup& group : engine::GroupClauses(report.clauses)) {
    rows.push_back({group.name, Grouped(group.exercised), Grouped(group.listed), Grouped(group.missing), Grouped(group.skipped),
                    Grouped(group.broken), Grouped(group.held), Grouped(group.refused)});
  }
  std::string text = Columns(rows);
  std::vector<std::string> missing;
  for (const ClauseReport& clause : report.clauses) {
    if (clause.status == ClauseReport::Status::kMissing) missing.push_back(clause.id);
  }
  if (!missing.empty()) absl::StrAppend(&text, "  not reached: ", absl::StrJoin(missing, ", "), "\n");
  for (const ClauseReport& clause : report.clauses) {
    if (clause.status != ClauseReport::Status::kWarned) continue;
    absl::StrAppend(&text, "  warning ", clause.id, ", met ", Grouped(clause.held),
                    clause.held == 1 ? " time: " : " times: ", clause.sentence, "\n");
  }
  return text;
}

// The lines of a piece, each moved to the right.
std::string Indented(absl::string_view piece) {
  std::string text;
  for (absl::string_view line : absl::StrSplit(absl::StripTrailingAsciiWhitespace(piece), '\n')) {
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(absl::StrCat("    ", line)), "\n");
  }
  return text;
}

void AppendPart(absl::string_view title, absl::string_view piece, std::string* text) {
  if (piece.empty()) return;
  std::string printable(piece);  // a backend's texts must not steer the terminal
  for (char& c : printable) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\n' && c != '\t') c = '?';
  }
  absl::StrAppend(text, "  ", title, ":\n", Indented(printable));
}

}  // namespace

std::string ToText(const FailureReport& failure) {
  std::string text =
      absl::StrCat(failure.known_deviation ? "EXPECTED FAILURE " : "FAILURE ", failure.clause, ": ", failure.sentence, "\n");
  absl::StrAppend(&text, "  stage ", failure.stage, ", program ", failure.program, ", found after ", Grouped(failure.operations),
                  " operations, ", failure.calls, failure.calls == 1 ? " call" : " calls", " in the minimal trace\n");
  if (!failure.note.empty()) absl::StrAppend(&text, "  note: ", failure.note, "\n");
  AppendPart("trace", failure.trace, &text);
  AppendPart("state before", failure.state_before, &text);
  AppendPart("call", failure.call, &text);
  AppendPart("expected", failure.expected, &text);
  AppendPart("got", failure.got, &text);
  AppendPart("the backend's stderr ends", failure.backend_log, &text);
  AppendPart("written to", failure.file, &text);
  AppendPart("replay with", failure.replay, &text);
  return text;
}

std::string Report::text() const {
  std::string text = absl::StrCat(engine::Title(*this), "\n");
  if (!stages.empty()) absl::StrAppend(&text, "\n", StageTable(*this));
  if (!clauses.empty()) absl::StrAppend(&text, "\n", ClauseSummary(*this));
  for (const FailureReport& failure : failures) absl::StrAppend(&text, "\n", ToText(failure));
  absl::StrAppend(&text, "\n", engine::VerdictLine(*this), "\n");
  return text;
}

}  // namespace leasecheck
