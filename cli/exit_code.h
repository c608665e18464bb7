// What the program's exit status says (DESIGN.md, "CLI").
#ifndef LEASECHECK_CLI_EXIT_CODE_H_
#define LEASECHECK_CLI_EXIT_CODE_H_

#include <vector>

#include "properties/engine/report.h"

namespace leasecheck::cli {

inline constexpr int kConforms = 0;
inline constexpr int kDoesNotConform = 1;
inline constexpr int kInconclusive = 2;  // unknown, incomplete, or the backend could not be checked
inline constexpr int kBadArguments = 64;
inline constexpr int kInternalError = 70;

inline constexpr char kExitCodesHelp[] =
    "Exit status: 0 the backend conforms; 1 it does not; 2 unknown, incomplete or inconclusive;\n"
    "64 bad arguments; 70 an internal error.";

// Of one report, and of several: an internal error before a backend that does not conform before an inconclusive one.
int ExitCode(const Report& report);
int ExitCode(const std::vector<Report>& reports);

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_EXIT_CODE_H_
