// The family that a flag names.
#ifndef LEASECHECK_CLI_FAMILIES_H_
#define LEASECHECK_CLI_FAMILIES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/families.h"

namespace leasecheck::cli {

// Calls visit.template operator()<F>() for the family of that name, the first for "". InvalidArgument: there is none.
template <class Visit>
absl::Status VisitFamily(const std::string& name, Visit&& visit) {
  bool found = false;
  std::vector<std::string> known;
  ForEachFamily(Families(), [&]<class F>() {
    known.emplace_back(F::kName);
    if (found || (!name.empty() && F::kName != absl::string_view(name))) return;
    found = true;
    visit.template operator()<F>();
  });
  if (found) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--family: there is no family \"", name, "\"; there are ", absl::StrJoin(known, ", ")));
}

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_FAMILIES_H_
