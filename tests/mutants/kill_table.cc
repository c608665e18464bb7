// Prints the kill table: kill_table [--markdown] [--seeds N] [--operations N] [--trace] [MUTANT...]. What `leasecheck mutants`
// calls, for use before the command line exists and in scripts.
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tests/mutants/run.h"

int main(int argc, char** argv) {
  leasecheck::mutants::RunOptions options;
  bool markdown = false;
  bool trace = false;
  CLI::App app("Runs the generic check on the deliberately wrong stores.");
  app.add_flag("--markdown", markdown, "print a Markdown table");
  app.add_flag("--trace", trace, "print the shrunk traces too");
  app.add_option("--seeds", options.seeds, "seeds a mutant");
  app.add_option("--seed", options.first_seed, "the first seed");
  app.add_option("--operations", options.operations, "contract calls a check");
  app.add_option("mutants", options.names, "mutants to run; none: all");
  CLI11_PARSE(app, argc, argv);
  std::string unknown;
  const std::vector<leasecheck::mutants::KillRow> rows = leasecheck::mutants::RunMutants(options, &unknown);
  if (!unknown.empty()) {
    std::cerr << "kill_table: there is no mutant named '" << unknown << "'\n";
    return 64;
  }
  std::cout << (markdown ? leasecheck::mutants::KillTableMarkdown(rows) : leasecheck::mutants::KillTable(rows));
  bool all_as_named = true;
  for (const leasecheck::mutants::KillRow& row : rows) {
    for (const auto& [clause, text] : row.shrunk_traces) {
      if (trace) std::cout << "\n# " << row.mutant->name << " by " << clause << "\n" << text;
    }
    all_as_named &= row.as_named();
  }
  return all_as_named ? 0 : 1;
}
