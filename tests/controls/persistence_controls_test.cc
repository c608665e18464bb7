// No false alarms of runtime_persistence: the store of its mutants without a slip, and with every liberty that the contract's
// latitude leaves, passes. 40,000 calls each usually; the nightly run makes them long (length.h).
#include <ostream>
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "properties/check.h"
#include "properties/runtime_persistence.h"
#include "tests/controls/length.h"
#include "tests/mutants/persistence_catalogue.h"

namespace leasecheck::mutants {

// What GoogleTest lists.
void PrintTo(const PersistenceControl& control, std::ostream* out) { *out << control.name; }

namespace {

using F = RuntimePersistenceFamily;

class PersistenceControlTest : public testing::TestWithParam<PersistenceControl> {};

// A short run need not reach every clause, and a liberty may take one away: it is the absence of failures that counts, and that
// nothing stayed undecided.
TEST_P(PersistenceControlTest, IsNotCondemned) {
  Liberties liberties;
  liberties.*GetParam().liberty = true;
  CheckOptions options;
  options.seed = 5;
  options.operations = controls::LengthOf(controls::PlaceOf(GetParam(), PersistenceControls()), 40'000);
  const Report report = Check<F>(PersistenceTargets(GetParam().name, PersistenceSlip::kNone, liberties), options);
  EXPECT_TRUE(report.failures.empty()) << GetParam().latitude << "\n" << report.text();
  EXPECT_FALSE(report.internal_error) << report.reason;
  for (const StageReport& stage : report.stages) EXPECT_EQ(stage.undecided, 0u) << stage.name;
}

INSTANTIATE_TEST_SUITE_P(All, PersistenceControlTest,
                         testing::ValuesIn(PersistenceControls().begin(), PersistenceControls().end()),
                         [](const testing::TestParamInfo<PersistenceControl>& control) {
                           return absl::StrReplaceAll(control.param.name, {{"-", "_"}});
                         });

// Across crashes too.
TEST(PersistenceSlipStore, WithoutASlipConforms) {
  CheckOptions options;
  options.seed = 3;
  options.operations = 60'000;
  const Report report = Check<F>(PersistenceTargets("no slip", PersistenceSlip::kNone, {}, true), options);
  EXPECT_TRUE(report.conforms()) << report.text();
}

}  // namespace
}  // namespace leasecheck::mutants
