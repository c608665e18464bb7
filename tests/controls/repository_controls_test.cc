// No false alarms of runtime_repository: the store of its mutants without a slip, and with every liberty that the contract's
// latitude leaves, passes. 40,000 calls each usually; the nightly run makes them long (length.h).
#include <iterator>
#include <ostream>
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "model/runtime_repository/clauses.h"
#include "properties/check.h"
#include "properties/runtime_repository.h"
#include "tests/controls/length.h"
#include "tests/mutants/repository_catalogue.h"

namespace leasecheck::mutants {

// What GoogleTest lists.
void PrintTo(const RepositoryControl& control, std::ostream* out) { *out << control.name; }

namespace {

using F = RuntimeRepositoryFamily;

class RepositoryControlTest : public testing::TestWithParam<RepositoryControl> {};

// A short run need not reach every clause, and a liberty may take one away: it is the absence of failures that counts, and that
// nothing stayed undecided.
TEST_P(RepositoryControlTest, IsNotCondemned) {
  CheckOptions options;
  options.seed = 5;
  options.operations = controls::LengthOf(controls::PlaceOf(GetParam(), RepositoryControls()), 40'000);
  const Report report = Check<F>(FactoryOf(GetParam()), options);
  EXPECT_TRUE(report.failures.empty()) << GetParam().latitude << "\n" << report.text();
  EXPECT_FALSE(report.internal_error) << report.reason;
  for (const StageReport& stage : report.stages) EXPECT_EQ(stage.undecided, 0u) << stage.name;
}

// What is declared is what makes the difference: without the word the store breaks the contract.
TEST_P(RepositoryControlTest, ADialectHasToBeDeclared) {
  if (GetParam().word == nullptr && !GetParam().upstream) GTEST_SKIP() << "it declares nothing";
  RepositoryLiberties liberties;
  liberties.*GetParam().liberty = true;
  CheckOptions options;
  options.seed = 5;
  options.operations = 40'000;
  const Report report = Check<F>(RepositoryTargets(GetParam().name, RepositorySlip::kNone, liberties, {}), options);
  EXPECT_FALSE(report.failures.empty()) << GetParam().latitude;
}

INSTANTIATE_TEST_SUITE_P(All, RepositoryControlTest, testing::ValuesIn(RepositoryControls().begin(), RepositoryControls().end()),
                         [](const testing::TestParamInfo<RepositoryControl>& control) {
                           return absl::StrReplaceAll(control.param.name, {{"-", "_"}});
                         });

TEST(RepositoryCatalogue, EveryMutantNamesClausesThatExist) {
  for (const RepositoryMutant& mutant : RepositoryMutants()) {
    EXPECT_NE(mutant.clauses[0], nullptr) << mutant.name;
    for (const char* clause : mutant.clauses) {
      EXPECT_TRUE(clause == nullptr || FindClause(runtime_repository::kClauses, clause) < std::size(runtime_repository::kClauses))
          << mutant.name << ": " << clause;
    }
  }
}

// Across crashes too.
TEST(RepositorySlipStore, WithoutASlipConforms) {
  CheckOptions options;
  options.seed = 3;
  options.operations = 60'000;
  const Report report = Check<F>(RepositoryTargets("no slip", RepositorySlip::kNone, {}, {}, true), options);
  EXPECT_TRUE(report.conforms()) << report.text();
}

}  // namespace
}  // namespace leasecheck::mutants
