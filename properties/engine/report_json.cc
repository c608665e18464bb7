// The JSON form of a report, both ways.
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "properties/engine/report.h"
#include "properties/engine/report_summary.h"

namespace leasecheck {
namespace {

constexpr int kReportVersion = 1;

}  // namespace

// Found by nlohmann-json through the namespace of the structs.
static void to_json(nlohmann::json& json, const ClauseReport::Status& status) { json = std::string(engine::StatusWord(status)); }

static void from_json(const nlohmann::json& json, ClauseReport::Status& status) {
  using Status = ClauseReport::Status;
  const auto word = json.get<std::string>();
  for (Status known : {Status::kExercised, Status::kMissing, Status::kListed, Status::kSkipped, Status::kBroken,
                       Status::kExpectedly, Status::kWarned}) {
    if (word == engine::StatusWord(known)) {
      status = known;
      return;
    }
  }
  throw std::invalid_argument(absl::StrCat("\"", word, "\" is no status of a clause"));
}

static void to_json(nlohmann::json& json, const Verdict& verdict) {
  Report report;
  report.verdict = verdict;
  json = std::string(engine::VerdictWord(report));
}

static void from_json(const nlohmann::json& json, Verdict& verdict) {
  const auto word = json.get<std::string>();
  for (Verdict known : {Verdict::kConforms, Verdict::kDoesNotConform, Verdict::kInconclusive}) {
    Report report;
    report.verdict = known;
    if (word == engine::VerdictWord(report)) {
      verdict = known;
      return;
    }
  }
  throw std::invalid_argument(absl::StrCat("\"", word, "\" is no verdict"));
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ClauseReport, id, sentence, checked_by, held, refused, status, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StageReport, name, programs, operations, overlapping, crashes, kills_at_statement, reopens,
                                   lost_responses, unknown_outcomes, held, stalled, clock_back, clock_far, indefinite,
                                   unsupported, inside, undecided, seconds, note)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FailureReport, stage, clause, sentence, trace, state_before, call, expected, got, file, replay,
                                   backend_log, program, operations, calls, shrink_seconds, replays, replayed, known_deviation,
                                   note)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OperationReport, name, calls, answers)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Report, family, backend, seed, verdict, reason, stages, operations, clauses, failures,
                                   internal_error)

std::string ToJson(const std::vector<Report>& reports) {
  const nlohmann::json json = {{"leasecheck_report", kReportVersion}, {"reports", reports}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::vector<Report>> ReportsFromJson(absl::string_view text) {
  constexpr absl::string_view kNoReport = "it is no report that `leasecheck check --json` wrote";
  try {
    const nlohmann::json json = nlohmann::json::parse(text.begin(), text.end());
    if (!json.is_object() || json.value("leasecheck_report", 0) != kReportVersion) return absl::InvalidArgumentError(kNoReport);
    return json.at("reports").get<std::vector<Report>>();
  } catch (const std::exception& error) {  // nlohmann-json's own and those of the words above
    return absl::InvalidArgumentError(absl::StrCat(kNoReport, ": ", error.what()));
  }
}

}  // namespace leasecheck
