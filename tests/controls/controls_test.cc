// No false alarms: the plain store and every legal deviant pass, in memory and across crashes. 30,000 calls each usually;
// LEASECHECK_NIGHTLY=1 makes 10,000,000 in memory and 1,000,000 across crashes.
#include <cstdlib>
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "properties/check.h"
#include "properties/session_store.h"
#include "tests/controls/catalogue.h"

namespace leasecheck::controls {
namespace {

bool Nightly() {
  const char* nightly = std::getenv("LEASECHECK_NIGHTLY");
  return nightly != nullptr && std::string(nightly) == "1";
}

// A short run need not reach every clause, so it is the absence of failures that counts, and that nothing stayed undecided.
void ExpectNoAlarm(const TargetFactory<SessionStoreFamily>& factory, bool durable) {
  CheckOptions options;
  options.seed = 7;
  options.operations = Nightly() ? (durable ? 1'000'000 : 10'000'000) : 30'000;
  const Report report = Check<SessionStoreFamily>(factory, options);
  EXPECT_TRUE(report.failures.empty()) << report.text();
  EXPECT_FALSE(report.internal_error) << report.reason;
  uint64_t operations = 0;
  for (const StageReport& stage : report.stages) {
    operations += stage.operations;
    EXPECT_EQ(stage.undecided, 0u) << stage.name;
  }
  EXPECT_GE(operations, options.operations);
}

TEST(PlainStore, PassesInMemory) { ExpectNoAlarm(PlainFactory(false), false); }
TEST(PlainStore, PassesAcrossCrashes) { ExpectNoAlarm(PlainFactory(true), true); }

class ControlTest : public testing::TestWithParam<Control> {};

TEST_P(ControlTest, PassesInMemory) { ExpectNoAlarm(FactoryOf(GetParam(), false), false); }
TEST_P(ControlTest, PassesAcrossCrashes) { ExpectNoAlarm(FactoryOf(GetParam(), true), true); }

INSTANTIATE_TEST_SUITE_P(All, ControlTest, testing::ValuesIn(Controls().begin(), Controls().end()),
                         [](const testing::TestParamInfo<Control>& control) {
                           return absl::StrReplaceAll(control.param.name, {{"-", "_"}});
                         });

}  // namespace
}  // namespace leasecheck::controls
