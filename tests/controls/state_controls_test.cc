// No false alarms of state_backend: the store of its mutants without a slip, and with every liberty that the contract's
// latitude leaves, passes. 40,000 calls each usually; the nightly run makes them long (length.h).
#include <ostream>
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "properties/check.h"
#include "properties/state_backend.h"
#include "tests/controls/length.h"
#include "tests/mutants/state_catalogue.h"

namespace leasecheck::mutants {

// What GoogleTest lists.
void PrintTo(const StateControl& control, std::ostream* out) { *out << control.name; }

namespace {

using F = StateBackendFamily;

class StateControlTest : public testing::TestWithParam<StateControl> {};

// A short run need not reach every clause, and a liberty may take one away: it is the absence of failures that counts, and that
// nothing stayed undecided.
TEST_P(StateControlTest, IsNotCondemned) {
  CheckOptions options;
  options.seed = 5;
  options.operations = controls::LengthOf(controls::PlaceOf(GetParam(), StateControls()), 40'000);
  const Report report = Check<F>(FactoryOf(GetParam()), options);
  EXPECT_TRUE(report.failures.empty()) << GetParam().latitude << "\n" << report.text();
  EXPECT_FALSE(report.internal_error) << report.reason;
  for (const StageReport& stage : report.stages) EXPECT_EQ(stage.undecided, 0u) << stage.name;
}

// What is declared is what makes the difference: without the word the store breaks the contract.
TEST_P(StateControlTest, ADialectHasToBeDeclared) {
  if (GetParam().word == nullptr) GTEST_SKIP() << "it declares nothing";
  StateLiberties liberties;
  liberties.*GetParam().liberty = true;
  CheckOptions options;
  options.seed = 5;
  options.operations = 60'000;
  const Report report = Check<F>(StateTargets(GetParam().name, StateSlip::kNone, liberties, {{"views", "tenants"}}), options);
  EXPECT_FALSE(report.failures.empty()) << GetParam().latitude;
}

INSTANTIATE_TEST_SUITE_P(All, StateControlTest, testing::ValuesIn(StateControls().begin(), StateControls().end()),
                         [](const testing::TestParamInfo<StateControl>& control) {
                           return absl::StrReplaceAll(control.param.name, {{"-", "_"}});
                         });

// Across crashes too. That every clause is reached is asked in tests/properties/state_backend_check_test.cc.
TEST(StateSlipStore, WithoutASlipConforms) {
  CheckOptions options;
  options.seed = 3;
  options.operations = 60'000;
  const Report report = Check<F>(StateTargets("no slip", StateSlip::kNone, {}, {{"views", "tenants"}}, true), options);
  EXPECT_TRUE(report.failures.empty()) << report.text();
  EXPECT_FALSE(report.internal_error) << report.reason;
}

}  // namespace
}  // namespace leasecheck::mutants
