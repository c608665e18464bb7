// How well failures of concurrent programs shrink in this process: measured on the mutants that are wrong only where calls
// overlap.
#ifndef LEASECHECK_TESTS_MUTANTS_SHRUNK_H_
#define LEASECHECK_TESTS_MUTANTS_SHRUNK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/mutants/mutant.h"
#include "tests/mutants/run.h"

namespace leasecheck::mutants {

// What came of the failures of one mutant, a seed each.
struct ShrunkRow {
  const AnyMutant* mutant = nullptr;
  int seeds = 0;
  std::vector<std::size_t> branch_calls;  // of the shrunk programs: commands in their parallel phases
  std::vector<std::size_t> calls;         // ... and contract calls in all
  std::vector<double> seconds;            // that shrinking took
  uint64_t runs = 0;                      // of the shrunk programs by their schedules
  uint64_t replayed = 0;                  // of them, those that broke the same clause

  // Every failure came back at every run, and was shrunk in time.
  bool exact() const { return static_cast<int>(calls.size()) == seeds && runs > 0 && replayed == runs; }
};

// The races among the mutants that the options choose (ChosenMutants, which says what `unknown` is), at each of their seeds.
std::vector<ShrunkRow> MeasureShrinking(const RunOptions& options, std::string* unknown);

inline constexpr std::size_t kMostBranchCalls = 6;  // the median over all
inline constexpr double kMostSeconds = 5;           // each

// One mutant a line, and a line that sums up.
std::string ShrunkTable(const std::vector<ShrunkRow>& rows);
// Whether the limits were kept: every run replayed, the median of the calls in branches, each in time.
bool ShrinksWell(const std::vector<ShrunkRow>& rows);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_SHRUNK_H_
