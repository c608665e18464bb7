// No false alarms: the plain store and every legal deviant pass, in memory and across crashes. 30,000 calls each usually;
// the nightly run makes them long (length.h), across crashes a tenth of that.
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "properties/check.h"
#include "properties/session_store.h"
#include "tests/controls/catalogue.h"
#include "tests/controls/length.h"

namespace leasecheck::controls {

// What GoogleTest lists.
void PrintTo(const Control& control, std::ostream* out) { *out << control.name; }

namespace {

// A short run need not reach every clause, so it is the absence of failures that counts, and that nothing stayed undecided.
void ExpectNoAlarm(const TargetFactory<SessionStoreFamily>& factory, bool durable, std::size_t place) {
  CheckOptions options;
  options.seed = 7;
  options.operations = durable ? LengthOf(place, 300'000) / 10 : LengthOf(place, 30'000);
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

TEST(PlainStore, PassesInMemory) { ExpectNoAlarm(PlainFactory(false), false, Controls().size()); }
TEST(PlainStore, PassesAcrossCrashes) { ExpectNoAlarm(PlainFactory(true), true, Controls().size()); }

class ControlTest : public testing::TestWithParam<Control> {};

TEST_P(ControlTest, PassesInMemory) { ExpectNoAlarm(FactoryOf(GetParam(), false), false, PlaceOf(GetParam(), Controls())); }
TEST_P(ControlTest, PassesAcrossCrashes) { ExpectNoAlarm(FactoryOf(GetParam(), true), true, PlaceOf(GetParam(), Controls())); }

INSTANTIATE_TEST_SUITE_P(All, ControlTest, testing::ValuesIn(Controls().begin(), Controls().end()),
                         [](const testing::TestParamInfo<Control>& control) {
                           return absl::StrReplaceAll(control.param.name, {{"-", "_"}});
                         });

}  // namespace
}  // namespace leasecheck::controls
