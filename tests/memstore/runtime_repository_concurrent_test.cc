// Many threads on one runtime_repository store, every call overlapping those of the others.
#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/synchronization/mutex.h"
#include "tests/memstore/rendezvous.h"
#include "tests/memstore/runtime_repository_fixture.h"

namespace leasecheck::memstore {
namespace {

using F = RuntimeRepositoryFamily;
constexpr int kRounds = 200;

class ConcurrentStore : public ::testing::Test {
 protected:
  // Runs the body once a thread; every thread makes `calls` calls on the store.
  void RunThreads(int calls, const std::function<void(int)>& body) {
    const int before = rendezvous_.full_meetings();
    rendezvous_.RunThreads(body);
    EXPECT_EQ(rendezvous_.full_meetings() - before, calls) << "every call overlapped the others";
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

  ManualClock clock_{0};
  Rendezvous rendezvous_;
  Store store_{{.clock = &clock_, .pause = &rendezvous_}, {.id_style = IdStyle::kReadable, .record_calls = true}};
};

TEST_F(ConcurrentStore, OfTheClaimsOfOneAttemptOneSucceeds) {  // RR-UPS-13, RR-INV-1
  for (int round = 0; round < kRounds; ++round) store_.EnqueueAttempt({std::to_string(round), "r"}).value();
  std::vector<std::atomic<int>> granted(kRounds);
  std::atomic<int> refused{0};
  RunThreads(kRounds, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      const auto lease = store_.UpsertLease({std::to_string(round), std::to_string(thread), At(30)});
      if (lease.has_value()) {
        ++granted[static_cast<std::size_t>(round)];
      } else {
        ++refused;
        EXPECT_TRUE(FailedWith(lease, DriverClass::kLeaseConflict));
      }
    }
  });
  for (const std::atomic<int>& count : granted) EXPECT_EQ(count, 1);
  EXPECT_EQ(refused, (Rendezvous::kThreads - 1) * kRounds);
  ExpectRecordReplays();
}

// Schedulers that dispatch, workers that end what they hold, and sweeps of everything: no attempt has two owners, and none is
// lost. [RR-INV-1, 7, 15]
TEST_F(ConcurrentStore, SchedulersWorkersAndSweepsLoseNothing) {
  absl::Mutex mu;
  uint64_t claims = 0;   // under mu
  uint64_t swept = 0;    // under mu
  uint64_t settled = 0;  // under mu
  RunThreads(5 * kRounds, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      store_.EnqueueAttempt({std::to_string(thread) + "/" + std::to_string(round), "r"}).value();
      const auto listed = store_.ListDispatchableAttempts({At(0), 16}).value();
      const std::string id = listed.empty() ? "none" : listed[static_cast<std::size_t>(thread) % listed.size()].attempt_id;
      const auto lease = store_.UpsertLease({id, std::to_string(thread), At(round % 3 == 0 ? 5 : 50)});
      // An ack that names its lease: a sweep may have taken it meanwhile. Every fourth worker dies and sends another's.
      const bool acks = lease.has_value() && round % 4 != 0;
      const auto acked = store_.AckAttempt(
          {id, AttemptExecutionStatus::kCompleted, std::nullopt, At(1), acks ? lease->lease_id : std::string("not mine")});
      const uint64_t expired = store_.ExpireLeasesAndRequeue({At(round % 2 == 0 ? 6 : 5)}).value();
      absl::MutexLock lock(&mu);
      if (lease.has_value()) ++claims;
      if (acked.has_value()) ++settled;
      swept += expired;
    }
  });
  uint64_t held = 0;
  uint64_t queued = 0;
  const RuntimeRepositorySnapshot last = store_.Snapshot();
  for (const AttemptValue& attempt : last.contents().attempts) {
    held += attempt.lease.has_value() ? 1 : 0;
    queued += attempt.status == AttemptExecutionStatus::kQueued ? 1 : 0;
  }
  EXPECT_EQ(claims, settled + swept + held) << "every lease was released once, or is held";
  EXPECT_EQ(settled + queued + held, uint64_t{Rendezvous::kThreads} * kRounds) << "no attempt is lost";
  EXPECT_GT(settled, 0u);
  EXPECT_GT(swept, 0u);
  ExpectRecordReplays();
}

// Worked example 15: a refresh and a sweep of one stale lease. [RR-EXP-9, 10]
TEST_F(ConcurrentStore, E15ARefreshedLeaseSurvivesOrWasSweptBefore) {
  std::vector<std::string> leases;
  for (int round = 0; round < kRounds; ++round) {
    store_.EnqueueAttempt({std::to_string(round), "r"}).value();
    leases.push_back(store_.UpsertLease({std::to_string(round), "w", At(30 + 100 * round)}).value().lease_id);
  }
  std::vector<std::atomic<uint64_t>> swept(kRounds);
  std::vector<std::atomic<int>> refreshed(kRounds);
  RunThreads(kRounds, [&](int thread) {
    for (int i = 0; i < kRounds; ++i) {
      const auto round = static_cast<std::size_t>(i);
      const double expiry = 30 + 100 * i;
      if (thread % 2 == 0) {
        // Far enough to outlive every later sweep of this test.
        const auto beat = store_.HeartbeatLease({leases[round], At(expiry + 1), kLastInstant});
        if (beat.has_value()) ++refreshed[round];
      } else {
        swept[round] += store_.ExpireLeasesAndRequeue({At(expiry + 10)}).value();
      }
    }
  });
  int survived = 0;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const auto lease = store_.GetLeaseForAttempt({std::to_string(round)}).value();
    const auto status = store_.GetAttemptStatus({std::to_string(round)}).value()->status;
    if (refreshed[round] > 0) {
      ++survived;
      EXPECT_EQ(refreshed[round], 2) << "both refreshes found it";
      EXPECT_EQ(swept[round], 0u);
      ASSERT_TRUE(lease.has_value());
      EXPECT_EQ(lease->version, 3u);
      EXPECT_EQ(status, AttemptExecutionStatus::kLeased);
    } else {
      EXPECT_EQ(swept[round], 1u) << "one sweep counts it";
      EXPECT_FALSE(lease.has_value());
      EXPECT_EQ(status, AttemptExecutionStatus::kQueued);
    }
  }
  RecordProperty("survived", survived);
  ExpectRecordReplays();
}

}  // namespace
}  // namespace leasecheck::memstore
