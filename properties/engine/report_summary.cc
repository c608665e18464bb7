#include "properties/engine/report_summary.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace leasecheck::engine {
namespace {

void Count(const ClauseReport& clause, ClauseGroup* group) {
  group->held += clause.held;
  group->refused += clause.refused;
  switch (clause.status) {
    case ClauseReport::Status::kExercised:
    case ClauseReport::Status::kWarned:
      ++group->exercised;
      break;
    case ClauseReport::Status::kMissing:
      ++group->missing;
      break;
    case ClauseReport::Status::kListed:
      ++group->listed;
      break;
    case ClauseReport::Status::kSkipped:
      ++group->skipped;
      break;
    case ClauseReport::Status::kBroken:
    case ClauseReport::Status::kExpectedly:
      ++group->broken;
      break;
  }
}

}  // namespace

std::vector<ClauseGroup> GroupClauses(const std::vector<ClauseReport>& clauses) {
  std::vector<ClauseGroup> groups;
  for (const ClauseReport& clause : clauses) {
    const std::string name = clause.id.substr(0, clause.id.rfind('-'));
    auto group = absl::c_find_if(groups, [&](const ClauseGroup& known) { return known.name == name; });
    if (group == groups.end()) {
      groups.emplace_back().name = name;
      group = groups.end() - 1;
    }
    Count(clause, &*group);
  }
  return groups;
}

absl::string_view StatusWord(ClauseReport::Status status) {
  switch (status) {
    case ClauseReport::Status::kExercised:
      return "exercised";
    case ClauseReport::Status::kMissing:
      return "missing";
    case ClauseReport::Status::kListed:
      return "listed";
    case ClauseReport::Status::kSkipped:
      return "skipped";
    case ClauseReport::Status::kBroken:
      return "broken";
    case ClauseReport::Status::kExpectedly:
      return "expected";
    case ClauseReport::Status::kWarned:
      return "warning";
  }
  return "";
}

absl::string_view VerdictWord(const Report& report) {
  if (report.internal_error) return "internal error";
  switch (report.verdict) {
    case Verdict::kConforms:
      return "conforms";
    case Verdict::kDoesNotConform:
      return "does not conform";
    case Verdict::kInconclusive:
      return "inconclusive";
  }
  return "";
}

std::string Title(const Report& report) {
  return absl::StrCat("leasecheck: ", report.backend, " against ", report.family, ", seed ", report.seed);
}

std::string VerdictLine(const Report& report) {
  std::string line = absl::StrCat(report.backend, ": ", absl::AsciiStrToUpper(VerdictWord(report)));
  if (!report.reason.empty()) absl::StrAppend(&line, ": ", report.reason);
  return line;
}

std::string Grouped(uint64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string Rate(const StageReport& stage) {
  if (stage.seconds <= 0) return "-";
  return Grouped(static_cast<uint64_t>(static_cast<double>(stage.operations) / stage.seconds));
}

}  // namespace leasecheck::engine
