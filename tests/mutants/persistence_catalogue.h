// The mutants and the controls of runtime_persistence: each slip of PersistenceSlipStore with its name, what it is, and the
// clauses that have to find it; each liberty with its name and the latitude that permits it.
//
// A mutant dies by the clause that its shrunk trace breaks. One that survives, or dies by a clause that it does not name, is a
// fault of the harness or of this table, and fails the tests. A control has to conform.
#ifndef LEASECHECK_TESTS_MUTANTS_PERSISTENCE_CATALOGUE_H_
#define LEASECHECK_TESTS_MUTANTS_PERSISTENCE_CATALOGUE_H_

#include <array>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/runtime_persistence/family.h"
#include "model/target.h"
#include "tests/mutants/mutant.h"
#include "tests/mutants/persistence_slip_store.h"

namespace leasecheck::mutants {

struct PersistenceMutant {
  PersistenceSlip slip;
  absl::string_view name;
  absl::string_view sentence;
  std::array<const char*, 10> clauses;  // any of them may find it; null fills up
  MutantKind kind = MutantKind::kSequential;

  bool DiesBy(absl::string_view clause) const;
  std::string Named() const;  // the clauses, for a person
};

struct PersistenceControl {
  absl::string_view name;
  absl::string_view latitude;
  bool Liberties::*liberty;
};

// All of them, in the order of PersistenceSlip.
absl::Span<const PersistenceMutant> PersistenceMutants();
absl::Span<const PersistenceControl> PersistenceControls();

// Targets that run the mutant.
TargetFactory<RuntimePersistenceFamily> FactoryOf(const PersistenceMutant& mutant);
TargetFactory<RuntimePersistenceFamily> PersistenceTargets(absl::string_view name, PersistenceSlip slip,
                                                           const Liberties& liberties, bool durable = false);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_PERSISTENCE_CATALOGUE_H_
