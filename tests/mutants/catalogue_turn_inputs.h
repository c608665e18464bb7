// The rows of the catalogue whose slips are about turn inputs.
#ifndef LEASECHECK_TESTS_MUTANTS_CATALOGUE_TURN_INPUTS_H_
#define LEASECHECK_TESTS_MUTANTS_CATALOGUE_TURN_INPUTS_H_

#include "absl/types/span.h"
#include "tests/mutants/catalogue.h"

namespace leasecheck::mutants {

// In the order of Slip, from kFirstOfInputs on. They stand in Mutants() behind the others.
absl::Span<const Mutant> TurnInputMutants();

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_CATALOGUE_TURN_INPUTS_H_
