// The stores of state_backend pass the whole check, in every dialect that they can declare; SQLite at the other end of the wire
// is killed too.
//
// LEASECHECK_NIGHTLY=1 makes the runs long.
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/state_backend/spec.h"
#include "properties/check.h"
#include "properties/state_backend.h"
#include "tests/conformance/backends.h"
#include "tests/conformance/stages.h"

namespace leasecheck {
namespace {

using F = StateBackendFamily;

TEST(StateConformanceTest, SqliteConforms) {
  const TargetFactory<F> factory = InProcess(SqliteBackend<F>(testing::TempDir() + "conformance-state"));
  const Report report = CheckFor<F>(factory, Nightly() ? 1'000'000 : 100'000);
  EXPECT_TRUE(report.conforms()) << report.text();
  EXPECT_GT(StageOf(report, "deterministic").overlapping, 0u);
  EXPECT_GT(StageOf(report, "sequential").reopens, 0u);
}

// Overrides only what the trait requires: tenants are the provided methods' answers.
TEST(StateConformanceTest, TheMinimalStoreConforms) {
  StoreFactory<F> factory = MemoryBackend<F>();
  factory.info.name = "minimal";
  factory.info.dialects = memstore::MinimalStateBackend::Declared();
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<F::Store>> {
    return std::make_unique<memstore::MinimalStateBackend>(options.environment);
  };
  const Report report = CheckFor<F>(InProcess(factory), Nightly() ? 3'000'000 : 200'000);
  EXPECT_TRUE(report.conforms()) << report.text();
}

// The reference store, choosing else than the reference at one point of latitude.
struct Choice {
  const char* point;
  const char* word;
};

void PrintTo(const Choice& choice, std::ostream* out) { *out << choice.point << "=" << choice.word; }

memstore::StateBackendOptions OptionsOf(const Choice& choice) {
  const auto options = memstore::StateBackend::OptionsOf({{choice.point, choice.word}});
  EXPECT_TRUE(options.ok()) << options.status();
  return options.value_or(memstore::StateBackendOptions());
}

Report CheckChoosing(const memstore::StateBackendOptions& choices, const Dialects& declared) {
  StoreFactory<F> factory = MemoryBackend<F>();
  factory.info.dialects = declared;
  factory.open = [choices](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<F::Store>> {
    return std::make_unique<memstore::StateBackend>(options.environment, choices);
  };
  return CheckFor<F>(InProcess(factory), Nightly() ? 3'000'000 : 100'000);
}

class StateChoiceTest : public testing::TestWithParam<Choice> {};

TEST_P(StateChoiceTest, PassesWhereItIsDeclared) {
  const memstore::StateBackendOptions options = OptionsOf(GetParam());
  const Dialects declared = memstore::StateBackend::DeclaredWith(options);
  ASSERT_EQ(declared.at(GetParam().point), GetParam().word);
  const Report report = CheckChoosing(options, declared);
  EXPECT_TRUE(report.conforms()) << report.text();
}

TEST_P(StateChoiceTest, HasToBeDeclared) {
  const memstore::StateBackendOptions options = OptionsOf(GetParam());
  Dialects declared = memstore::StateBackend::DeclaredWith(options);
  declared.erase(GetParam().point);
  EXPECT_EQ(CheckChoosing(options, declared).verdict, Verdict::kDoesNotConform);
}

INSTANTIATE_TEST_SUITE_P(All, StateChoiceTest,
                         testing::Values(Choice{"SB-LAT-5", "started_at"}, Choice{"SB-LAT-9", "accepted"},
                                         Choice{"SB-LAT-10", "global"}, Choice{"SB-LAT-15", "any"},
                                         Choice{"SB-LAT-16", "stealing"}, Choice{"SB-LAT-17", "bounded"},
                                         Choice{"SB-LAT-17", "none"}, Choice{"SB-LAT-20", "requeue"},
                                         Choice{"SB-LAT-34", "unsupported"}, Choice{"SB-LAT-35", "45000"}),
                         [](const testing::TestParamInfo<Choice>& choice) {
                           return absl::StrReplaceAll(absl::StrCat(choice.param.point, "_", choice.param.word), {{"-", "_"}});
                         });

TEST(StateConformanceTest, TheServedReferenceStoreConforms) {
  const Report report = CheckFor<F>(ServedBackend<F>(LEASECHECK_PROGRAM, "memory"), Nightly() ? 1'000'000 : 60'000);
  EXPECT_TRUE(report.conforms()) << report.text();
  EXPECT_GT(StageOf(report, "concurrent").overlapping, 0u);
}

TEST(StateConformanceTest, ServedSqliteBreaksNothing) { ExpectServedSqliteBreaksNothing<F>(LEASECHECK_PROGRAM); }

TEST(StateConformanceTest, SqliteServedByThreeProcessesBreaksNothing) { ExpectThreeProcessesBreakNothing<F>(LEASECHECK_PROGRAM); }

// What the store stamps lies between the call and its answer. Leases are far longer than a check: no budget would reach their
// end, and the report says what does.
TEST(StateConformanceTest, UnderTheSystemsClockBreaksNothing) {
  const Report report = ExpectNothingBreaksUnderTheSystemsClock<F>(LEASECHECK_PROGRAM);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive) << report.text();
  EXPECT_THAT(report.reason, testing::HasSubstr("--clock faketime"));
}

}  // namespace
}  // namespace leasecheck
