// The store of the mutants without a slip under the generic check: it conforms, and every clause is exercised in the senses that
// it expects. (The reference store is checked in tests/memstore.)
#include <string>

#include "gtest/gtest.h"
#include "properties/check.h"
#include "properties/state_backend.h"
#include "tests/mutants/state_catalogue.h"

namespace leasecheck::state_backend {
namespace {

using F = StateBackendFamily;

TargetFactory<F> RightStores() { return mutants::StateTargets("no slip", mutants::StateSlip::kNone, {}, {{"views", "tenants"}}); }

TEST(StateBackendCheck, AStoreWithoutASlipConforms) {
  CheckOptions options;
  options.seed = 7;
  options.operations = 60'000;
  const Report report = Check<F>(RightStores(), options);
  EXPECT_TRUE(report.failures.empty()) << report.text();
  EXPECT_FALSE(report.internal_error) << report.reason;
}

// No clause that a store has to show is left out by chance or by the generator.
TEST(StateBackendCheck, EveryClauseIsExercised) {
  CheckOptions options;
  options.seed = 11;
  options.operations = 200'000;
  options.free_threads = false;
  const Report report = Check<F>(RightStores(), options);
  ASSERT_TRUE(report.failures.empty()) << report.text();
  for (const ClauseReport& clause : report.clauses) {
    EXPECT_NE(clause.status, ClauseReport::Status::kMissing) << clause.id << ": " << clause.sentence;
  }
}

// No text of a token is in what a failing check writes.
TEST(StateBackendCheck, NoSecretIsInAReport) {
  CheckOptions options;
  options.seed = 3;
  options.operations = 200'000;
  const Report report = Check<F>(mutants::StateTargets("revoked-valid", mutants::StateSlip::kRevokedValid, {}, {}), options);
  ASSERT_FALSE(report.failures.empty());
  EXPECT_EQ(report.failures.front().clause, "SB-TOK-7");
  EXPECT_EQ(report.text().find("jj_"), std::string::npos) << report.text();
  EXPECT_EQ(report.failures.front().trace.find("jj_"), std::string::npos) << report.failures.front().trace;
}

}  // namespace
}  // namespace leasecheck::state_backend
