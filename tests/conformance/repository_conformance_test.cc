// The stores of runtime_repository pass the whole check, in both profiles; SQLite at the other end of the wire is killed too.
//
// LEASECHECK_NIGHTLY=1 makes the runs long.
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "model/runtime_repository/spec.h"
#include "properties/check.h"
#include "properties/runtime_repository.h"
#include "tests/conformance/backends.h"
#include "tests/conformance/stages.h"

namespace leasecheck {
namespace {

using F = RuntimeRepositoryFamily;

TEST(RepositoryConformanceTest, SqliteConforms) {
  const TargetFactory<F> factory = InProcess(SqliteBackend<F>(testing::TempDir() + "conformance-repository"));
  const Report report = CheckFor<F>(factory, Nightly() ? 1'000'000 : 60'000);
  EXPECT_TRUE(report.conforms()) << report.text();
  EXPECT_GT(StageOf(report, "deterministic").overlapping, 0u);
  EXPECT_GT(StageOf(report, "sequential").reopens, 0u);
}

// A reference store that makes other choices than the reference's, and what it says of them.
Report CheckChoosing(const memstore::RuntimeRepositoryOptions& choices, const Dialects& dialects) {
  StoreFactory<F> factory = MemoryBackend<F>();
  factory.info.dialects = dialects;
  factory.open = [choices](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<F::Store>> {
    return std::make_unique<memstore::RuntimeRepository>(options.environment, choices);
  };
  return CheckFor<F>(InProcess(factory), Nightly() ? 3'000'000 : 100'000);
}

TEST(RepositoryConformanceTest, OtherChoicesAreToBeDeclared) {
  const memstore::RuntimeRepositoryOptions early{.allow_early_retry_claim = true};
  const memstore::RuntimeRepositoryOptions reset{.timeout_clock = memstore::TimeoutClock::kReset};
  Report report = CheckChoosing(early, {{"profile", "upstream"}});
  EXPECT_TRUE(report.conforms()) << report.text();
  report = CheckChoosing(reset, {{"RR-LAT-8", "reset"}});
  EXPECT_TRUE(report.conforms()) << report.text();
  EXPECT_EQ(CheckChoosing(early, {}).verdict, Verdict::kDoesNotConform);
  EXPECT_EQ(CheckChoosing(reset, {}).verdict, Verdict::kDoesNotConform);
  EXPECT_EQ(CheckChoosing({}, {{"RR-LAT-8", "reset"}}).verdict, Verdict::kDoesNotConform);
  EXPECT_EQ(CheckChoosing({}, {{"RR-LAT-7", "no,id"}}).verdict, Verdict::kDoesNotConform);
}

// What profile upstream permits, a store need not do.
TEST(RepositoryConformanceTest, ProfileUpstreamTakesTheStrictStoreToo) {
  const Report report = CheckChoosing({}, {{"profile", "upstream"}});
  EXPECT_TRUE(report.conforms()) << report.text();
}

TEST(RepositoryConformanceTest, TheServedReferenceStoreConforms) {
  const Report report = CheckFor<F>(ServedBackend<F>(LEASECHECK_PROGRAM, "memory"), Nightly() ? 1'000'000 : 30'000);
  EXPECT_TRUE(report.conforms()) << report.text();
  EXPECT_GT(StageOf(report, "concurrent").overlapping, 0u);
}

TEST(RepositoryConformanceTest, ServedSqliteBreaksNothing) { ExpectServedSqliteBreaksNothing<F>(LEASECHECK_PROGRAM); }

TEST(RepositoryConformanceTest, SqliteServedByThreeProcessesBreaksNothing) {
  ExpectThreeProcessesBreakNothing<F>(LEASECHECK_PROGRAM);
}

// An attempt's expiry is an argument; the clock that a claim reads is the machine's.
TEST(RepositoryConformanceTest, UnderTheSystemsClockBreaksNothing) {
  ExpectNothingBreaksUnderTheSystemsClock<F>(LEASECHECK_PROGRAM);
}

}  // namespace
}  // namespace leasecheck
