// The mutants: every slip of the store with its name, what it is, and the clauses that have to find it.
//
// The clauses were named before the mutants were run. A mutant that survives, or that dies by a clause it does not name, is a
// fault of the harness or of this table, and fails the tests.
#ifndef LEASECHECK_TESTS_MUTANTS_CATALOGUE_H_
#define LEASECHECK_TESTS_MUTANTS_CATALOGUE_H_

#include <array>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/session_store/family.h"
#include "model/target.h"
#include "tests/mutants/slip_store.h"

namespace leasecheck::mutants {

enum class MutantKind {
  kSequential,  // wrong in a single call after another
  kRace,        // wrong only where calls overlap
  kCrash,       // wrong only after the store was killed or reopened
};

// "sequential", "race" or "crash".
absl::string_view KindName(MutantKind kind);

struct Mutant {
  Slip slip;
  absl::string_view name;      // "claim-expiry-strict"
  absl::string_view sentence;  // the slip, for a person
  MutantKind kind;
  std::array<const char*, 14> clauses;  // any of them may find it; null fills up

  bool DiesBy(absl::string_view clause) const;
  std::vector<std::string> ClauseIds() const;
};

// All of them, in the order of Slip.
absl::Span<const Mutant> Mutants();
// Null where there is none of that name.
const Mutant* FindMutant(absl::string_view name);

// Targets that run the mutant. A crash mutant's can be killed and reopened.
TargetFactory<SessionStoreFamily> FactoryOf(const Mutant& mutant);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_CATALOGUE_H_
