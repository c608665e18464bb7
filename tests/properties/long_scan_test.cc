// The scans alone on histories that are too long for a search: free threads in many sessions, some answers never seen, several
// clients that move the clock. The reference store passes, a store that hands live claims out again does not.
#include <iterator>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/session_store/clauses.h"
#include "properties/session_store_scans.h"
#include "tests/mutants/slip_target.h"
#include "tests/support/own_histories.h"

namespace leasecheck::session_store {
namespace {

SessionHistory Record(mutants::Slip slip) {
  auto own =
      tests::RecordOwnHistory(mutants::SlipTargets({.name = "plain", .policy = {.slip = slip}, .durable = false, .dialects = {}}),
                              {.clients = 4, .calls = 40'000, .sessions = 16, .seed = 5, .free_threads = true});
  EXPECT_TRUE(own.ok()) << own.status();
  SessionHistory history;
  if (!own.ok()) return history;
  history.start = own->start;
  history.calls = std::move(own->prefix);
  std::move(own->phase.begin(), own->phase.end(), std::back_inserter(history.calls));
  return history;
}

TEST(LongScanTest, PassesARightStoreAndReachesItsClauses) {
  const SessionHistory history = Record(mutants::Slip::kNone);
  ClauseHits hits(std::size(kClauses));
  const SpecSetup setup;
  EXPECT_TRUE(ScanBatches(history, setup, &hits).empty());
  EXPECT_TRUE(ScanLanes(history, &hits).empty());
  EXPECT_TRUE(ProbeObservations(history, &hits).empty());
  for (ClauseIndex clause : {Clause<"QW-INV-1">(), Clause<"QW-INV-2">(), Clause<"QW-INV-3">(), Clause<"QW-INV-4">(),
                             Clause<"QW-INV-8">(), Clause<"QW-INV-9">(), Clause<"QW-INV-15">()}) {
    EXPECT_GE(hits.held(clause), 50u) << kClauses[clause].id;
  }
  bool overlap = false;
  for (std::size_t i = 1; i < history.calls.size(); ++i) overlap |= history.calls[i].called < history.calls[i - 1].returned;
  EXPECT_TRUE(overlap);
}

TEST(LongScanTest, FindsLiveClaimsThatTheirOwnerGetsAgain) {
  const std::vector<engine::Finding> findings = ScanBatches(Record(mutants::Slip::kOwnLiveClaimRetaken), SpecSetup(), nullptr);
  ASSERT_FALSE(findings.empty());
  EXPECT_THAT(findings.front().clause, testing::AnyOf("QW-INV-1", "QW-INV-2"));
}

}  // namespace
}  // namespace leasecheck::session_store
