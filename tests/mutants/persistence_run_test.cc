// Every mutant of runtime_persistence is killed by a clause that it named, at every seed: two usually, LEASECHECK_NIGHTLY=1 takes
// 20; and every control conforms. One can be run alone: --gtest_filter='*torn_read'.
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "properties/check.h"
#include "properties/runtime_persistence.h"
#include "tests/mutants/persistence_catalogue.h"

namespace leasecheck::mutants {
namespace {

using F = RuntimePersistenceFamily;

int Seeds() {
  const char* nightly = std::getenv("LEASECHECK_NIGHTLY");
  return nightly != nullptr && std::string(nightly) == "1" ? 20 : 2;
}

template <class Named>
std::string NameOf(const testing::TestParamInfo<Named>& info) {
  return absl::StrReplaceAll(info.param.name, {{"-", "_"}});
}

class PersistenceMutantTest : public testing::TestWithParam<PersistenceMutant> {};

TEST_P(PersistenceMutantTest, DiesByANamedClause) {
  const PersistenceMutant& mutant = GetParam();
  for (int seed = 1; seed <= Seeds(); ++seed) {
    CheckOptions options;
    options.seed = seed;
    options.operations = 300'000;
    options.sequential = !mutant.race;
    options.free_threads = false;  // so that it is the same every time
    const Report report = Check<F>(PersistenceTargets(mutant.name, mutant.slip, {}), options);
    ASSERT_FALSE(report.failures.empty()) << "seed " << seed << ", it survived: " << mutant.sentence << "\n" << report.text();
    const FailureReport& failure = report.failures.front();
    EXPECT_TRUE(mutant.DiesBy(failure.clause)) << "seed " << seed << ", it died by " << failure.clause << ":\n" << report.text();
    std::cout << mutant.name << " | seed " << seed << " | " << failure.clause << " | after " << failure.operations
              << " calls | shrunk to " << failure.calls << "\n";
  }
}

INSTANTIATE_TEST_SUITE_P(All, PersistenceMutantTest, testing::ValuesIn(PersistenceMutants().begin(), PersistenceMutants().end()),
                         NameOf<PersistenceMutant>);

class PersistenceControlTest : public testing::TestWithParam<PersistenceControl> {};

TEST_P(PersistenceControlTest, IsNotCondemned) {
  Liberties liberties;
  liberties.*GetParam().liberty = true;
  CheckOptions options;
  options.seed = 5;
  options.operations = 40'000;
  const Report report = Check<F>(PersistenceTargets(GetParam().name, PersistenceSlip::kNone, liberties), options);
  EXPECT_TRUE(report.failures.empty()) << GetParam().latitude << "\n" << report.text();
}

INSTANTIATE_TEST_SUITE_P(All, PersistenceControlTest,
                         testing::ValuesIn(PersistenceControls().begin(), PersistenceControls().end()),
                         NameOf<PersistenceControl>);

TEST(PersistenceSlipStore, WithoutASlipConforms) {
  CheckOptions options;
  options.seed = 3;
  options.operations = 60'000;
  const Report report = Check<F>(PersistenceTargets("no slip", PersistenceSlip::kNone, {}), options);
  EXPECT_TRUE(report.conforms()) << report.text();
}

}  // namespace
}  // namespace leasecheck::mutants
