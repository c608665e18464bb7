// The verbs of the program: each adds its subcommand, which sets *exit_code when it ran.
#ifndef LEASECHECK_CLI_VERBS_H_
#define LEASECHECK_CLI_VERBS_H_

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace leasecheck::cli {

void AddCheckVerb(CLI::App& app, int* exit_code);
void AddConvertVerb(CLI::App& app, int* exit_code);
void AddCoverageVerb(CLI::App& app, int* exit_code);
void AddReplayVerb(CLI::App& app, int* exit_code);
void AddServeVerb(CLI::App& app, int* exit_code);
void AddMutantsVerb(CLI::App& app, int* exit_code);

// Prints what is wrong on stderr and returns the exit status that goes with it.
int Complain(const absl::Status& status);

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_VERBS_H_
