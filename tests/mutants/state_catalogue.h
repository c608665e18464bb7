// The mutants and the controls of state_backend: each slip of StateSlipStore with its name, what it is, and the clauses
// that have to find it; each liberty with its name, the latitude that permits it and what a store with it declares.
//
// A mutant dies by the clause that its shrunk trace breaks. One that survives, or dies by a clause that it does not name, is a
// fault of the harness or of this table, and fails the tests. A control has to conform.
#ifndef LEASECHECK_TESTS_MUTANTS_STATE_CATALOGUE_H_
#define LEASECHECK_TESTS_MUTANTS_STATE_CATALOGUE_H_

#include <array>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/dialect.h"
#include "model/state_backend/family.h"
#include "model/target.h"
#include "tests/mutants/mutant.h"
#include "tests/mutants/state_slip_store.h"

namespace leasecheck::mutants {

struct StateMutant {
  StateSlip slip;
  absl::string_view name;
  absl::string_view sentence;
  std::array<const char*, 19> clauses;  // any of them may find it; null fills up
  MutantKind kind = MutantKind::kSequential;

  bool DiesBy(absl::string_view clause) const;
  std::string Named() const;  // the clauses, for a person
};

struct StateControl {
  absl::string_view name;
  absl::string_view latitude;
  bool StateLiberties::*liberty;
  const char* point = nullptr;  // the dialect that it declares; null: none
  const char* word = nullptr;
};

// All of them, in the order of StateSlip.
absl::Span<const StateMutant> StateMutants();
absl::Span<const StateControl> StateControls();

// Targets that run the mutant.
TargetFactory<StateBackendFamily> FactoryOf(const StateMutant& mutant);
TargetFactory<StateBackendFamily> FactoryOf(const StateControl& control);
TargetFactory<StateBackendFamily> StateTargets(absl::string_view name, StateSlip slip, const StateLiberties& liberties,
                                               const Dialects& dialects, bool durable = false);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_STATE_CATALOGUE_H_
