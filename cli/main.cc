// leasecheck: checks whether a store conforms to its contract. One file a verb.
#include <exception>
#include <iostream>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "cli/exit_code.h"
#include "cli/verbs.h"

namespace leasecheck::cli {

int Complain(const absl::Status& status) {
  std::cerr << "leasecheck: " << status.message() << "\n";
  if (absl::IsInternal(status)) return kInternalError;
  return absl::IsUnavailable(status) ? kInconclusive : kBadArguments;
}

namespace {

int Run(int argc, char** argv) {
  CLI::App app("Checks whether a store conforms to its contract: sequentially, concurrently and across crashes.", "leasecheck");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer(kExitCodesHelp);
  int exit_code = kInternalError;
  AddCheckVerb(app, &exit_code);
  AddReplayVerb(app, &exit_code);
  AddServeVerb(app, &exit_code);
  AddCoverageVerb(app, &exit_code);
  AddConvertVerb(app, &exit_code);
#ifdef LEASECHECK_MUTANTS
  AddMutantsVerb(app, &exit_code);
#endif
  for (CLI::App* verb : app.get_subcommands({})) {
    if (verb->get_footer().empty()) verb->footer(kExitCodesHelp);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::cerr << "leasecheck: " << error.what() << " (leasecheck --help says more)\n";
    return kBadArguments;
  }
  return exit_code;
}

}  // namespace
}  // namespace leasecheck::cli

int main(int argc, char** argv) {
  try {
    return leasecheck::cli::Run(argc, argv);
  } catch (const std::exception& error) {  // of a library; ours throw nothing
    std::cerr << "leasecheck: internal error: " << error.what() << "\n";
    return leasecheck::cli::kInternalError;
  }
}
