// One run of check over the chosen backends, as `check` and `coverage` make it.
#ifndef LEASECHECK_CLI_RUN_H_
#define LEASECHECK_CLI_RUN_H_

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "cli/flags.h"
#include "properties/engine/report.h"

namespace leasecheck::cli {

// Checks each backend in turn and calls done(report) after each. Not OK: a flag is wrong, and nothing was run. Progress goes to
// stderr where it is a terminal.
absl::Status RunChecks(const RunFlags& flags, const std::function<void(const Report&)>& done);

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_RUN_H_
