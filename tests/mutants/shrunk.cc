#include "tests/mutants/shrunk.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "properties/check.h"

namespace leasecheck::mutants {
namespace {

template <class T>
T Median(std::vector<T> values) {
  if (values.empty()) return T();
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

template <class T>
T Worst(const std::vector<T>& values) {
  return values.empty() ? T() : *std::max_element(values.begin(), values.end());
}

ShrunkRow Measure(const AnyMutant& mutant, uint64_t first_seed, int seeds) {
  ShrunkRow row;
  row.mutant = &mutant;
  row.seeds = seeds;
  for (int i = 0; i < seeds; ++i) {
    CheckOptions options;
    options.seed = first_seed + i;
    options.operations = 1'500'000;
    options.sequential = false;
    options.free_threads = false;
    const Report report = mutant.check(options);
    if (report.failures.empty()) continue;
    const FailureReport& failure = report.failures.front();
    row.branch_calls.push_back(mutant.branch_calls(failure.trace));
    row.calls.push_back(failure.calls);
    row.seconds.push_back(failure.shrink_seconds);
    row.runs += failure.replays;
    row.replayed += failure.replayed;
  }
  return row;
}

struct Sums {
  std::vector<std::size_t> branch_calls;
  std::vector<double> seconds;
  uint64_t runs = 0, replayed = 0;
};

Sums SumUp(const std::vector<ShrunkRow>& rows) {
  Sums sums;
  for (const ShrunkRow& row : rows) {
    sums.branch_calls.insert(sums.branch_calls.end(), row.branch_calls.begin(), row.branch_calls.end());
    sums.seconds.insert(sums.seconds.end(), row.seconds.begin(), row.seconds.end());
    sums.runs += row.runs;
    sums.replayed += row.replayed;
  }
  return sums;
}

}  // namespace

std::vector<ShrunkRow> MeasureShrinking(const RunOptions& options, std::string* unknown) {
  std::vector<ShrunkRow> rows;
  for (const AnyMutant* mutant : ChosenMutants(options, unknown)) {
    if (mutant->kind == MutantKind::kRace) rows.push_back(Measure(*mutant, options.first_seed, options.seeds));
  }
  return rows;
}

std::string ShrunkTable(const std::vector<ShrunkRow>& rows) {
  std::string table = absl::StrFormat("  %-38s %6s %9s %9s %6s %8s %8s %9s\n", "mutant", "found", "branches", "worst", "calls",
                                      "seconds", "worst", "replayed");
  for (const ShrunkRow& row : rows) {
    absl::StrAppend(
        &table, absl::StrFormat("%c %-38s %3d/%-2d %9d %9d %6d %8.2f %8.2f %4d/%d\n", row.exact() ? ' ' : '!', row.mutant->name,
                                row.calls.size(), row.seeds, Median(row.branch_calls), Worst(row.branch_calls), Median(row.calls),
                                Median(row.seconds), Worst(row.seconds), row.replayed, row.runs));
  }
  const Sums sums = SumUp(rows);
  absl::StrAppendFormat(
      &table,
      "branches: commands in the parallel phases of the shrunk program, the median of the seeds; calls: all its "
      "contract calls\n%d failures, %d commands in branches at the median, %.2f s at the median and %.2f s at most "
      "to shrink one, %d of %d replays broke the same clause.\n",
      sums.branch_calls.size(), Median(sums.branch_calls), Median(sums.seconds), Worst(sums.seconds), sums.replayed, sums.runs);
  return table;
}

bool ShrinksWell(const std::vector<ShrunkRow>& rows) {
  const Sums sums = SumUp(rows);
  return std::all_of(rows.begin(), rows.end(), [](const ShrunkRow& row) { return row.exact(); }) &&
         Median(sums.branch_calls) <= kMostBranchCalls && Worst(sums.seconds) <= kMostSeconds;
}

}  // namespace leasecheck::mutants
