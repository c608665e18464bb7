#include "cli/exit_code.h"

#include <algorithm>
#include <array>

namespace leasecheck::cli {

int ExitCode(const Report& report) {
  if (report.internal_error) return kInternalError;
  switch (report.verdict) {
    case Verdict::kConforms:
      return kConforms;
    case Verdict::kDoesNotConform:
      return kDoesNotConform;
    case Verdict::kInconclusive:
      return kInconclusive;
  }
  return kInternalError;
}

int ExitCode(const std::vector<Report>& reports) {
  constexpr std::array kWorstFirst = {kInternalError, kDoesNotConform, kInconclusive};
  for (int code : kWorstFirst) {
    if (std::any_of(reports.begin(), reports.end(), [code](const Report& report) { return ExitCode(report) == code; }))
      return code;
  }
  return kConforms;
}

}  // namespace leasecheck::cli
