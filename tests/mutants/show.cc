#include "tests/mutants/show.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "properties/check.h"
#include "tests/mutants/mutant.h"

namespace leasecheck::mutants {

std::optional<Report> ShowMutant(absl::string_view name, uint64_t seed, uint64_t operations) {
  const AnyMutant* mutant = FindAnyMutant(name);
  if (mutant == nullptr) return std::nullopt;
  CheckOptions options;
  options.seed = seed;
  options.operations = operations;
  options.replay_command_for_seed = absl::StrCat("leasecheck mutants --show ", name);
  return mutant->check(options);
}

}  // namespace leasecheck::mutants
