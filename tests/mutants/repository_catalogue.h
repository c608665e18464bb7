// The mutants and the controls of runtime_repository: each slip of RepositorySlipStore with its name, what it is, and the clauses
// that have to find it; each liberty with its name, the latitude that permits it and what a store with it declares.
//
// A mutant dies by the clause that its shrunk trace breaks. One that survives, or dies by a clause that it does not name, is a
// fault of the harness or of this table, and fails the tests. A control has to conform.
#ifndef LEASECHECK_TESTS_MUTANTS_REPOSITORY_CATALOGUE_H_
#define LEASECHECK_TESTS_MUTANTS_REPOSITORY_CATALOGUE_H_

#include <array>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/dialect.h"
#include "model/runtime_repository/family.h"
#include "model/target.h"
#include "tests/mutants/mutant.h"
#include "tests/mutants/repository_slip_store.h"

namespace leasecheck::mutants {

struct RepositoryMutant {
  RepositorySlip slip;
  absl::string_view name;
  absl::string_view sentence;
  std::array<const char*, 16> clauses;  // any of them may find it; null fills up
  MutantKind kind = MutantKind::kSequential;

  bool DiesBy(absl::string_view clause) const;
  std::string Named() const;  // the clauses, for a person
};

struct RepositoryControl {
  absl::string_view name;
  absl::string_view latitude;
  bool RepositoryLiberties::*liberty;
  const char* word = nullptr;  // declared for `latitude`; null: nothing
  bool upstream = false;       // of this profile
};

// All of them, in the order of RepositorySlip.
absl::Span<const RepositoryMutant> RepositoryMutants();
absl::Span<const RepositoryControl> RepositoryControls();

// Targets that run the mutant.
TargetFactory<RuntimeRepositoryFamily> FactoryOf(const RepositoryMutant& mutant);
TargetFactory<RuntimeRepositoryFamily> FactoryOf(const RepositoryControl& control);
TargetFactory<RuntimeRepositoryFamily> RepositoryTargets(absl::string_view name, RepositorySlip slip,
                                                         const RepositoryLiberties& liberties, const Dialects& dialects,
                                                         bool durable = false);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_REPOSITORY_CATALOGUE_H_
