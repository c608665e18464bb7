// What every form of a report says in the same words: its title, its verdict in one line, the clauses by group.
#ifndef LEASECHECK_PROPERTIES_ENGINE_REPORT_SUMMARY_H_
#define LEASECHECK_PROPERTIES_ENGINE_REPORT_SUMMARY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "properties/engine/report.h"

namespace leasecheck::engine {

// The clauses of one part of a contract (QW-CLM): how many are in which status, and how often they were exercised.
struct ClauseGroup {
  std::string name;
  uint64_t exercised = 0;  // with the warnings
  uint64_t listed = 0;
  uint64_t missing = 0;
  uint64_t skipped = 0;
  uint64_t broken = 0;  // with those that the known deviations list
  uint64_t held = 0;
  uint64_t refused = 0;
};

// In the order in which the groups first occur. A clause's group is its id without the number at its end.
std::vector<ClauseGroup> GroupClauses(const std::vector<ClauseReport>& clauses);

// "exercised", "missing", "listed", "skipped", "broken", "expected", "warning".
absl::string_view StatusWord(ClauseReport::Status status);
// "conforms", "does not conform", "inconclusive", "internal error".
absl::string_view VerdictWord(const Report& report);

// One line each.
std::string Title(const Report& report);
std::string VerdictLine(const Report& report);

// 1234567 -> "1,234,567".
std::string Grouped(uint64_t number);
// Operations a second, grouped; "-" where the stage took no measurable time.
std::string Rate(const StageReport& stage);

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_REPORT_SUMMARY_H_
