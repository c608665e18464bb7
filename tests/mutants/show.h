// What a user would have seen of one mutant: the report of its check.
#ifndef LEASECHECK_TESTS_MUTANTS_SHOW_H_
#define LEASECHECK_TESTS_MUTANTS_SHOW_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "properties/engine/report.h"

namespace leasecheck::mutants {

// Checks the mutant of that name until it is killed, or the operations are used up. None where there is no such mutant.
std::optional<Report> ShowMutant(absl::string_view name, uint64_t seed, uint64_t operations);

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_SHOW_H_
