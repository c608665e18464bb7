#include "tests/mutants/run.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "properties/check.h"

namespace leasecheck::mutants {
namespace {

template <class T>
T Median(std::vector<T> values) {
  if (values.empty()) return T();
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

std::string Clauses(const KillRow& row) {
  return absl::StrJoin(row.by_clause, " ",
                       [](std::string* out, const auto& clause) { absl::StrAppend(out, clause.first, " x", clause.second); });
}

std::size_t Unexpected(const std::vector<KillRow>& rows) {
  return std::count_if(rows.begin(), rows.end(), [](const KillRow& row) { return !row.as_named(); });
}

std::string Summary(const std::vector<KillRow>& rows) {
  const std::size_t unexpected = Unexpected(rows);
  return absl::StrCat(rows.size() - unexpected, " of ", rows.size(),
                      " mutants were killed at every seed, by a clause named beforehand",
                      unexpected == 0 ? "." : "; those that were not are marked '!'.");
}

}  // namespace

KillRow RunMutant(const AnyMutant& mutant, const RunOptions& options) {
  KillRow row;
  row.mutant = &mutant;
  row.seeds = options.seeds;
  std::vector<uint64_t> operations;
  std::vector<std::size_t> calls;
  for (int i = 0; i < options.seeds; ++i) {
    CheckOptions check;
    check.seed = options.first_seed + i;
    check.operations = options.operations;
    // What takes two clients cannot show with one, and what takes a crash only with one.
    check.sequential = mutant.kind == MutantKind::kSequential;
    check.concurrent = mutant.kind != MutantKind::kCrash;
    check.free_threads = false;  // so that the table is the same every time
    const Report report = mutant.check(check);
    if (report.failures.empty()) {
      if (report.internal_error) row.trouble.push_back(absl::StrCat("seed ", check.seed, ": ", report.reason));
      continue;
    }
    const FailureReport& failure = report.failures.front();
    ++row.killed;
    ++row.by_clause[failure.clause];
    if (!mutant.dies_by(failure.clause)) row.foreign.push_back(failure.clause);
    operations.push_back(failure.operations);
    calls.push_back(failure.calls);
    std::string& shortest = row.shrunk_traces[failure.clause];
    if (shortest.empty() || failure.trace.size() < shortest.size()) shortest = failure.trace;
  }
  if (!operations.empty()) row.worst_operations = *std::max_element(operations.begin(), operations.end());
  row.median_operations = Median(std::move(operations));
  row.shrunk_calls = Median(std::move(calls));
  return row;
}

std::vector<const AnyMutant*> ChosenMutants(const RunOptions& options, std::string* unknown) {
  std::vector<const AnyMutant*> chosen;
  for (const std::string& name : options.names) {
    chosen.push_back(FindAnyMutant(name));
    if (chosen.back() != nullptr) continue;
    if (unknown != nullptr) *unknown = name;
    return {};
  }
  for (const AnyMutant& mutant : AllMutants()) {
    if (options.names.empty() && (options.family.empty() || mutant.family == options.family)) chosen.push_back(&mutant);
  }
  return chosen;
}

std::vector<KillRow> RunMutants(const RunOptions& options, std::string* unknown) {
  const std::vector<const AnyMutant*> chosen = ChosenMutants(options, unknown);
  std::vector<KillRow> rows;
  rows.reserve(chosen.size());
  for (const AnyMutant* mutant : chosen) {
    rows.push_back(RunMutant(*mutant, options));
    if (options.progress) options.progress(rows.size(), chosen.size());
  }
  return rows;
}

std::string KillTable(const std::vector<KillRow>& rows) {
  std::string table = absl::StrFormat("  %-36s %-10s %-7s %9s %9s %6s  %s\n", "mutant", "kind", "killed", "median", "worst",
                                      "shrunk", "by clause (at so many seeds)");
  for (const KillRow& row : rows) {
    absl::StrAppend(&table, absl::StrFormat("%c %-36s %-10s %3d/%-3d %9d %9d %6d  %s\n", row.as_named() ? ' ' : '!',
                                            row.mutant->name, KindName(row.mutant->kind), row.killed, row.seeds,
                                            row.median_operations, row.worst_operations, row.shrunk_calls, Clauses(row)));
    if (row.as_named()) continue;
    absl::StrAppend(&table, "    named: ", row.mutant->named, "\n");
    for (const std::string& trouble : row.trouble) absl::StrAppend(&table, "    ", trouble, "\n");
  }
  absl::StrAppend(&table, "median, worst: contract calls until the mutant was killed; shrunk: calls of the minimal trace\n",
                  Summary(rows), "\n");
  return table;
}

std::string KillTableMarkdown(const std::vector<KillRow>& rows) {
  std::string table =
      "| mutant | what it does | kind | killed | median | worst | shrunk | by clause |\n|---|---|---|---|---|---|---|---|\n";
  for (const KillRow& row : rows) {
    absl::StrAppend(&table, "| ", row.mutant->name, " | ", row.mutant->sentence, " | ", KindName(row.mutant->kind), " | ",
                    row.killed, "/", row.seeds, " | ", row.median_operations, " | ", row.worst_operations, " | ",
                    row.shrunk_calls, " | ", Clauses(row), " |\n");
  }
  absl::StrAppend(&table, "\n", Summary(rows), "\n");
  return table;
}

}  // namespace leasecheck::mutants
