// What the conformance tests of every family ask of a report, and of the stores at the other end of the wire.
#ifndef LEASECHECK_TESTS_CONFORMANCE_STAGES_H_
#define LEASECHECK_TESTS_CONFORMANCE_STAGES_H_

#include <cstdint>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "properties/check.h"
#include "tests/conformance/backends.h"

namespace leasecheck {

// LEASECHECK_NIGHTLY=1 makes the runs long.
inline bool Nightly() { return std::getenv("LEASECHECK_NIGHTLY") != nullptr; }

inline StageReport StageOf(const Report& report, const std::string& name) {
  for (const StageReport& stage : report.stages) {
    if (stage.name == name) return stage;
  }
  ADD_FAILURE() << "there is no stage " << name << " in\n" << report.text();
  return {};
}

template <class F>
Report CheckFor(const TargetFactory<F>& factory, uint64_t operations) {
  CheckOptions options;
  options.operations = operations;
  return Check<F>(factory, options);
}

// The short runs reach too little of the contract to conform.
template <class F>
void ExpectServedSqliteBreaksNothing(const std::string& program) {
  const Report report = CheckFor<F>(ServedBackend<F>(program, "sqlite:"), Nightly() ? 100'000 : 2'000);
  EXPECT_NE(report.verdict, Verdict::kDoesNotConform) << report.text();
  EXPECT_GT(StageOf(report, "sequential").reopens, 0u);
  EXPECT_GT(StageOf(report, "concurrent").overlapping, 0u);
  EXPECT_GT(StageOf(report, "crash").crashes, 0u);
}

template <class F>
void ExpectThreeProcessesBreakNothing(const std::string& program) {
  const Report report = CheckFor<F>(ServedBackend<F>(program, "sqlite:", 3), Nightly() ? 300'000 : 4'500);
  EXPECT_NE(report.verdict, Verdict::kDoesNotConform) << report.text();
  EXPECT_GT(StageOf(report, "concurrent").overlapping, 0u);
  EXPECT_GT(StageOf(report, "crash").crashes, 0u);
  EXPECT_GT(StageOf(report, "crash").kills_at_statement, 0u);
}

// Returns what was reported, for what a family adds.
template <class F>
Report ExpectNothingBreaksUnderTheSystemsClock(const std::string& program) {
  const Report report = CheckFor<F>(ServedBackend<F>(program, "sqlite:", 1, "system"), Nightly() ? 100'000 : 2'000);
  EXPECT_NE(report.verdict, Verdict::kDoesNotConform) << report.text();
  EXPECT_FALSE(report.internal_error) << report.reason;
  EXPECT_GT(StageOf(report, "sequential").operations, 0u);
  EXPECT_GT(StageOf(report, "concurrent").overlapping, 0u);
  EXPECT_GT(StageOf(report, "concurrent").held, 0u);
  EXPECT_GT(StageOf(report, "crash").crashes, 0u);
  for (const StageReport& stage : report.stages) EXPECT_EQ(stage.clock_back + stage.clock_far, 0u) << stage.name;
  return report;
}

}  // namespace leasecheck

#endif  // LEASECHECK_TESTS_CONFORMANCE_STAGES_H_
