// Every mutant is killed by a clause that it named, at every seed: two usually, LEASECHECK_NIGHTLY=1 takes all 20. One mutant can
// be run alone: --gtest_filter='*claim_expiry_strict'.
#include "tests/mutants/run.h"

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace leasecheck::mutants {

// What GoogleTest lists.
void PrintTo(const AnyMutant& mutant, std::ostream* out) { *out << mutant.name; }

namespace {

bool Nightly() {
  const char* nightly = std::getenv("LEASECHECK_NIGHTLY");
  return nightly != nullptr && std::string(nightly) == "1";
}

class MutantTest : public testing::TestWithParam<AnyMutant> {};

TEST_P(MutantTest, DiesByANamedClause) {
  RunOptions options;
  options.seeds = Nightly() ? 20 : 2;
  const KillRow row = RunMutant(GetParam(), options);
  EXPECT_EQ(row.killed, row.seeds) << "it survived: " << GetParam().sentence;
  EXPECT_TRUE(row.foreign.empty()) << "it died by " << absl::StrJoin(row.foreign, ", ") << ", which it does not name";
  EXPECT_TRUE(row.trouble.empty()) << absl::StrJoin(row.trouble, "\n");
  RecordProperty("median_operations", std::to_string(row.median_operations));
  if (!HasFailure()) return;
  std::cout << KillTable({row});
  for (const auto& [clause, trace] : row.shrunk_traces) std::cout << trace;
}

INSTANTIATE_TEST_SUITE_P(All, MutantTest, testing::ValuesIn(AllMutants()), [](const testing::TestParamInfo<AnyMutant>& mutant) {
  return absl::StrReplaceAll(mutant.param.name, {{"-", "_"}});
});

}  // namespace
}  // namespace leasecheck::mutants
