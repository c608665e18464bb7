// Runs the generic check on the mutants and says which were killed, by which clause, and how soon.
//
// Only properties/check.h is used: no trace, no weight and no budget is made for a particular mutant.
#ifndef LEASECHECK_TESTS_MUTANTS_RUN_H_
#define LEASECHECK_TESTS_MUTANTS_RUN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/mutants/mutant.h"

namespace leasecheck::mutants {

struct RunOptions {
  uint64_t first_seed = 1;
  int seeds = 20;
  // Contract calls of one check, divided among its stages. A mutant that is not killed within them survives.
  uint64_t operations = 1'500'000;
  std::vector<std::string> names;  // mutants to run; empty: all
  std::string family;              // ... of this family alone; empty: of each
  // Called after each mutant, with how many are done; may be empty.
  std::function<void(std::size_t done, std::size_t all)> progress;
};

// What came of one mutant.
struct KillRow {
  const AnyMutant* mutant = nullptr;
  int seeds = 0;
  int killed = 0;                        // seeds at which a clause was found broken, named or not
  std::map<std::string, int> by_clause;  // the clause that the shrunk trace breaks -> at how many seeds
  std::vector<std::string> foreign;      // of them those that the mutant does not name
  std::vector<std::string> trouble;      // checks that ended without a verdict, in a sentence each
  uint64_t median_operations = 0;        // until killed; 0 where never killed
  uint64_t worst_operations = 0;
  std::size_t shrunk_calls = 0;                      // contract calls of the shrunk trace, the median
  std::map<std::string, std::string> shrunk_traces;  // the shortest by each clause

  // Killed at every seed and by named clauses only.
  bool as_named() const { return killed == seeds && foreign.empty() && trouble.empty(); }
};

KillRow RunMutant(const AnyMutant& mutant, const RunOptions& options);

// The mutants that the options choose, in order. Empty where a name is no mutant's; `unknown` (may be null) then gets that name.
std::vector<const AnyMutant*> ChosenMutants(const RunOptions& options, std::string* unknown);

// ... and what came of each; `unknown` as above.
std::vector<KillRow> RunMutants(const RunOptions& options, std::string* unknown);

// The kill table as text, one mutant a line, and a last line that sums up.
std::string KillTable(const std::vector<KillRow>& rows);
// The same as a Markdown table.
std::string KillTableMarkdown(const std::vector<KillRow>& rows);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_RUN_H_
