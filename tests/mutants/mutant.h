// A mutant of any family: what is wrong with it, who finds it, and how it is checked. Each family's catalogue makes its own; here
// they stand in one list, which the kill table, `leasecheck mutants` and the tests go through.
#ifndef LEASECHECK_TESTS_MUTANTS_MUTANT_H_
#define LEASECHECK_TESTS_MUTANTS_MUTANT_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "properties/check.h"
#include "properties/engine/report.h"

namespace leasecheck::mutants {

enum class MutantKind {
  kSequential,  // wrong in a single call after another
  kRace,        // wrong only where calls overlap
  kCrash,       // wrong only after the store was killed or reopened
};

// "sequential", "race" or "crash".
absl::string_view KindName(MutantKind kind);

struct AnyMutant {
  absl::string_view family;
  absl::string_view name;      // "claim-expiry-strict"; no two families share one
  absl::string_view sentence;  // the slip, for a person
  MutantKind kind;
  std::string named;  // the clauses that have to find it, for a person
  std::function<bool(absl::string_view clause)> dies_by;
  std::function<Report(const CheckOptions& options)> check;
  // Commands in the parallel phases of a trace that a check of it printed.
  std::function<std::size_t(const std::string& trace)> branch_calls;
};

// Every family's, in the order of Families and of the catalogues.
const std::vector<AnyMutant>& AllMutants();
// Null where there is none of that name.
const AnyMutant* FindAnyMutant(absl::string_view name);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_MUTANT_H_
