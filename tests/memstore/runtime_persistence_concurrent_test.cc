// Many threads on one runtime_persistence store, every call overlapping those of the others.
#include <functional>
#include <set>

#include "absl/synchronization/mutex.h"
#include "tests/memstore/rendezvous.h"
#include "tests/memstore/runtime_persistence_fixture.h"

namespace leasecheck::memstore {
namespace {

using F = RuntimePersistenceFamily;
constexpr int kRounds = 200;

class ConcurrentStore : public ::testing::Test {
 protected:
  // Runs the body once a thread; every thread makes `calls` calls on the store.
  void RunThreads(int calls, const std::function<void(int)>& body) {
    rendezvous_.RunThreads(body);
    EXPECT_EQ(rendezvous_.full_meetings(), calls) << "every call overlapped the others";
  }

  // Makes the recorded calls again, one after the other, on a fresh store: every answer must be the same, so the record is the
  // order in which the calls took effect, and each took effect at one instant.
  void ExpectRecordReplays() {
    ManualClock clock;
    Store again({.clock = &clock}, {.id_style = IdStyle::kReadable});
    for (const RecordedCall<F>& call : store_.RecordedCalls()) {
      clock.Set(call.now);
      ASSERT_TRUE(Execute<F>(again, call.request) == call.outcome);
    }
    EXPECT_EQ(again.Snapshot(), store_.Snapshot());
  }

  ManualClock clock_{1000};
  Rendezvous rendezvous_;
  Store store_{{.clock = &clock_, .pause = &rendezvous_}, {.id_style = IdStyle::kReadable, .record_calls = true}};
};

TEST_F(ConcurrentStore, OfTheCommitsThatExpectOneRevisionOneIsAccepted) {
  absl::Mutex mu;
  std::multiset<uint64_t> revisions;  // under mu
  int conflicts = 0;                  // under mu
  RunThreads(2 * kRounds, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      const auto read = store_.LoadSession({ActivePath{}}).value();
      const uint64_t seen = read.has_value() ? read->head_revision : 0;
      RuntimeCommit commit = C("s", seen);
      const std::string id = std::to_string(thread) + "/" + std::to_string(round);
      commit.graph = Append{{N(id, read.has_value() ? read->graph.leaf_node_id : std::nullopt)}, id};
      commit.usage_deltas = {Usage("turn", 1)};
      const auto result = store_.CommitRuntimeState({commit});
      absl::MutexLock lock(&mu);
      if (result.has_value()) {
        revisions.insert(result->head_revision);
      } else {
        EXPECT_EQ(std::get<HeadRevisionConflict>(result.error()).expected, seen);
        ++conflicts;
      }
    }
  });
  const PersistedSessionRead last = store_.LoadSession({ActivePath{}}).value().value();
  EXPECT_EQ(revisions.size() + static_cast<std::size_t>(conflicts), std::size_t{Rendezvous::kThreads} * kRounds);
  EXPECT_EQ(revisions.size(), last.head_revision) << "none was lost";
  EXPECT_EQ(std::set<uint64_t>(revisions.begin(), revisions.end()).size(), revisions.size()) << "none was given twice";
  EXPECT_EQ(last.graph.nodes.size(), last.head_revision);
  EXPECT_EQ(last.token_ledger[0].usage.input_tokens, static_cast<int64_t>(last.head_revision));
  EXPECT_GT(conflicts, 0);
  ExpectRecordReplays();
}

TEST_F(ConcurrentStore, LiveClaimsAreExclusiveAndSettleOnce) {
  absl::Mutex mu;
  std::set<std::string> held;  // under mu
  std::size_t settled = 0;     // under mu
  RunThreads(3 * kRounds, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      store_.EnqueueQueuedWork({Join(MergeGroup{"g"})}).value();
      const auto claim =
          store_.ClaimReadyQueuedWork({"s", std::to_string(thread), kIdle, kEndOfTime, 1 + uint64_t(round % 3)}).value();
      {
        absl::MutexLock lock(&mu);
        for (const std::string& batch : IdsOf(claim)) EXPECT_TRUE(held.insert(batch).second) << batch << " is claimed twice";
      }
      const auto result = store_.CommitRuntimeState({claim.has_value() ? Completing({*claim}) : C("s")});
      EXPECT_TRUE(result.has_value());
      absl::MutexLock lock(&mu);
      settled += IdsOf(claim).size();
    }
  });
  EXPECT_EQ(settled + store_.ListQueuedWork({"s"}).value().size(), std::size_t{Rendezvous::kThreads} * kRounds);
  ExpectRecordReplays();
}

}  // namespace
}  // namespace leasecheck::memstore
