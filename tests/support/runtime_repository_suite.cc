// The worked examples of runtime-repository.md, 6, by their numbers (15, the race, is in the stores' concurrent tests), and then
// the clauses of 3 to 5, by their ids.
#include "tests/support/runtime_repository_suite.h"

#include <algorithm>
#include <tuple>

namespace leasecheck::runtime_repository {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST_P(RuntimeRepositorySuite, Example1Order) {
  Enqueue({"c", "a", "b"});
  SetPriority("b", 5);
  EXPECT_THAT(List(0, 10), ElementsAre("b", "a", "c"));
  EXPECT_THAT(List(0, 1), ElementsAre("b"));
  EXPECT_THAT(List(0, 0), IsEmpty());
}

TEST_P(RuntimeRepositorySuite, Example2RetriesGoLast) {
  Enqueue({"a"});
  Claim("a", 30);
  EXPECT_EQ(Ack("a", Status::kFailed, 1, Fixed(1000, 3)).value(), (AckResult{Status::kRetryBackoff, At(2), 2}));
  Enqueue({"z"});
  EXPECT_THAT(Records(2, 10), ElementsAre(AttemptDispatchRecord{"z", "r", 1, Status::kQueued, std::nullopt},
                                          AttemptDispatchRecord{"a", "r", 2, Status::kRetryBackoff, At(2)}));
  EXPECT_THAT(List(1.999, 10), ElementsAre("z"));
}

TEST_P(RuntimeRepositorySuite, Example3Claim) {
  Enqueue({"a"});
  const Lease lease = Claim("a", 30, "w1");
  EXPECT_EQ(lease, (Lease{lease.lease_id, "a", "w1", At(30), At(0), 1}));
  EXPECT_TRUE(FailedWith(Upsert("a", "w2", 40), DriverClass::kLeaseConflict));
  EXPECT_TRUE(FailedWith(Upsert("a", "w1", 40), DriverClass::kLeaseConflict));
  EXPECT_EQ(LeaseOf("a"), lease);
  EXPECT_THAT(List(0), IsEmpty());
  EXPECT_THAT(List(1000), IsEmpty());
}

TEST_P(RuntimeRepositorySuite, Example4Heartbeat) {
  Enqueue({"a"});
  const std::string id = Claim("a", 30, "w1").lease_id;
  EXPECT_TRUE(Heartbeat(id, 10, 40).has_value());
  EXPECT_EQ(LeaseOf("a"), (Lease{id, "a", "w1", At(40), At(10), 2}));
  EXPECT_TRUE(FailedWith(Heartbeat("nope", 10, 40), DriverClass::kLeaseNotFound));
  EXPECT_TRUE(Heartbeat(id, 5, 20).has_value());
  EXPECT_EQ(LeaseOf("a"), (Lease{id, "a", "w1", At(20), At(5), 3}));
}

TEST_P(RuntimeRepositorySuite, Example5StrictCutoff) {
  Enqueue({"a"});
  const Lease lease = Claim("a", 30);
  EXPECT_EQ(Expire(30), 0u);
  EXPECT_EQ(StatusOf("a"), Status::kLeased);
  EXPECT_EQ(Expire(30.001), 1u);
  EXPECT_EQ(Get("a"), (AttemptStatus{1, Status::kQueued}));
  EXPECT_EQ(LeaseOf("a"), std::nullopt);
  EXPECT_EQ(Expire(30.001), 0u);
  EXPECT_TRUE(FailedWith(Heartbeat(lease.lease_id, 31, 61), DriverClass::kLeaseNotFound));
}

TEST_P(RuntimeRepositorySuite, Example6Grace) {
  Enqueue({"a"});
  const Lease lease = Claim("a", 30, "w1");
  EXPECT_THAT(Tick(35), Pair(0, 0));
  SetClock(33);
  EXPECT_TRUE(FailedWith(Upsert("a", "w2", 60), DriverClass::kNotDispatchable));
  EXPECT_TRUE(Heartbeat(lease.lease_id, 34, 64).has_value());
  EXPECT_THAT(Tick(36), Pair(0, 0));
  EXPECT_THAT(Tick(70), Pair(0, 1));
}

TEST_P(RuntimeRepositorySuite, Example7NewLeaseOldId) {
  const Lease old = SweepOne();
  SetClock(31);
  const Lease lease = Claim("a", 61, "w2");
  EXPECT_NE(lease.lease_id, old.lease_id);
  EXPECT_EQ(lease.version, 1u);
  EXPECT_TRUE(FailedWith(Heartbeat(old.lease_id, 40, 90), DriverClass::kLeaseNotFound));
  EXPECT_EQ(LeaseOf("a"), lease);
}

TEST_P(RuntimeRepositorySuite, Example8TimeoutEdge) {
  Enqueue({"a"});
  SetTimeout("a", 10, Status::kCancelled);
  Claim("a", 1000);
  EXPECT_EQ(Timeout(9.999), 0u);
  EXPECT_EQ(Timeout(10), 1u);
  EXPECT_EQ(StatusOf("a"), Status::kCancelled);
  EXPECT_EQ(LeaseOf("a"), std::nullopt);
  EXPECT_THAT(Letters(), IsEmpty());
  EXPECT_TRUE(FailedWith(Upsert("a", "w", 1000), DriverClass::kNotDispatchable));
  EXPECT_EQ(Expire(5000), 0u);
  EXPECT_EQ(Timeout(10), 0u);
}

TEST_P(RuntimeRepositorySuite, Example9TimeoutBeatsSweep) {
  Enqueue({"a"});
  SetTimeout("a", 10, Status::kFailed);
  Claim("a", 12);
  EXPECT_THAT(Tick(20), Pair(1, 0));
  EXPECT_EQ(StatusOf("a"), Status::kFailed);
  EXPECT_THAT(Letters(), ElementsAre(DeadLetter{"a", "execution_timeout", ReplayStatus::kPending, At(20), 0}));
}

TEST_P(RuntimeRepositorySuite, Example10ExponentialWithCap) {
  Enqueue({"a"});
  const RetryPolicy policy = Exponential(100, 3.0, 250, 2);
  EXPECT_EQ(Ack("a", Status::kFailed, 0, policy).value(), (AckResult{Status::kRetryBackoff, At(0.1), 2}));
  EXPECT_EQ(Ack("a", Status::kFailed, 1).value(), (AckResult{Status::kRetryBackoff, At(1.25), 3}));
  EXPECT_EQ(Ack("a", Status::kFailed, 2).value(), (AckResult{Status::kFailed, std::nullopt, 3}));
  EXPECT_THAT(Letters(), ElementsAre(DeadLetter{"a", "terminal_failed", ReplayStatus::kPending, At(2), 0}));
  EXPECT_THAT(History("a"), ElementsAre(RetryHistoryEntry{1, At(0.1)}, RetryHistoryEntry{2, At(1.25)}));
}

TEST_P(RuntimeRepositorySuite, Example11NoEarlyClaim) {
  Enqueue({"a"});
  Ack("a", Status::kFailed, 0, Fixed(60'000, 1)).value();
  SetClock(59);
  EXPECT_TRUE(FailedWith(Upsert("a", "w", 90), DriverClass::kNotDispatchable));
  SetClock(60);
  Claim("a", 90);
  EXPECT_EQ(Get("a"), (AttemptStatus{2, Status::kLeased}));
}

TEST_P(RuntimeRepositorySuite, Example12FailoverClock) {
  Enqueue({"a"});
  SetTimeout("a", 10, Status::kFailed);
  Claim("a", 3);
  EXPECT_EQ(Expire(5), 1u);
  SetClock(20);
  Claim("a", 50);
  EXPECT_EQ(Timeout(20), 1u);
  EXPECT_EQ(Timeout(30), 0u);
}

TEST_P(RuntimeRepositorySuite, Example13Seq) {
  EXPECT_EQ(Latest("r"), 0u);
  EXPECT_EQ(AppendEvents("r", 3), 3u);
  EXPECT_EQ(Latest("r"), 3u);
  EXPECT_EQ(Latest("other"), 0u);
  EXPECT_EQ(AppendEvents("r", 0), 3u);
}

TEST_P(RuntimeRepositorySuite, Example14LostWorkProbe) {
  Enqueue({"queued", "held", "lapsed", "running", "retry", "done", "failed", "cancelled", "timed"});
  for (const char* id : {"held", "done", "failed", "cancelled", "timed"}) Claim(id, 1000);
  Claim("lapsed", -5);
  Claim("running", 20);
  Mark("running", Status::kRunning);
  Ack("retry", Status::kFailed, 5, Fixed(9000, 1)).value();
  Ack("done", Status::kCompleted, 6).value();
  Ack("failed", Status::kFailed, 7).value();
  Ack("cancelled", Status::kCancelled, 8).value();
  SetTimeout("timed", 1, Status::kFailed);
  EXPECT_EQ(Timeout(9), 1u);
  EXPECT_EQ(store().ExpireLeasesAndRequeue({kLastInstant}).value(), 3u);
  const std::vector<AttemptDispatchRecord> listed = store().ListDispatchableAttempts({kLastInstant, kAll}).value();
  Ids left;
  left.reserve(listed.size());
  for (const AttemptDispatchRecord& record : listed) left.push_back(record.attempt_id);
  EXPECT_THAT(left, ElementsAre("held", "lapsed", "queued", "running", "retry"));
}

// list_dispatchable_attempts

TEST_P(RuntimeRepositorySuite, ListingOrdersByPriorityNumberAndBytes) {  // RR-LST-1..4
  Enqueue({"a2", "a10", "Z", "b", "\xc3\xa9", "low", "high", "retry"});
  SetPriority("low", -1);
  SetPriority("high", 2);
  SetPriority("retry", 2);
  Ack("retry", Status::kFailed, 0, Fixed(1, 1)).value();
  SetStarted("Z", At(-5));
  SetTimeout("b", 1, Status::kFailed);
  EXPECT_THAT(List(1), ElementsAre("high", "retry", "Z", "a10", "a2", "b", "\xc3\xa9", "low"));
  EXPECT_EQ(List(1), List(1));
}

TEST_P(RuntimeRepositorySuite, ListingTakesExtremePriorities) {  // RR-LST-2
  Enqueue({"a", "b", "c"});
  SetPriority("a", std::numeric_limits<int32_t>::min());
  SetPriority("c", std::numeric_limits<int32_t>::max());
  EXPECT_THAT(List(0), ElementsAre("c", "b", "a"));
}

TEST_P(RuntimeRepositorySuite, ListingShowsARetryFromItsInstantOn) {  // RR-LST-5, RR-LST-11
  Enqueue({"a", "b"});
  Ack("a", Status::kFailed, 1, Fixed(1000, 1)).value();
  Mark("b", Status::kRetryBackoff);
  EXPECT_THAT(List(1.999), ElementsAre("b"));
  EXPECT_THAT(Records(2), ElementsAre(AttemptDispatchRecord{"b", "r", 1, Status::kRetryBackoff, std::nullopt},
                                      AttemptDispatchRecord{"a", "r", 2, Status::kRetryBackoff, At(2)}));
}

TEST_P(RuntimeRepositorySuite, ListingNeverShowsWhatIsHeldOrHasEnded) {  // RR-LST-6
  Enqueue({"leased", "lapsed", "running", "bare", "done", "failed", "cancelled"});
  Claim("leased", 10);
  Claim("lapsed", -1);
  Mark("running", Status::kRunning);
  Mark("bare", Status::kLeased);
  Ack("done", Status::kCompleted, 0).value();
  Ack("failed", Status::kFailed, 0).value();
  Ack("cancelled", Status::kCancelled, 0).value();
  EXPECT_THAT(store().ListDispatchableAttempts({kLastInstant, kAll}).value(), IsEmpty());
}

TEST_P(RuntimeRepositorySuite, ListingHidesAReadyAttemptBehindALingeringLease) {  // RR-LST-7, RR-LAT-5
  Enqueue({"a", "b"});
  Claim("a", 10);
  Mark("a", Status::kQueued);
  Claim("b", 10);
  Mark("b", Status::kRetryBackoff);
  EXPECT_THAT(List(10), IsEmpty());
  EXPECT_THAT(List(10.001), ElementsAre("a", "b"));
}

TEST_P(RuntimeRepositorySuite, ListingTakesAnyLimitAndAnyTime) {  // RR-LST-8, 9, RR-LAT-15, RR-INV-9, 10
  Enqueue({"a", "b", "c"});
  Ack("c", Status::kFailed, 0, Fixed(5000, 1)).value();
  EXPECT_THAT(List(9, 0), IsEmpty());
  EXPECT_THAT(List(9, 2), ElementsAre("a", "b"));
  EXPECT_THAT(List(9, uint64_t{1} << 63), ElementsAre("a", "b", "c"));
  EXPECT_THAT(List(-1e9), ElementsAre("a", "b"));
  EXPECT_THAT(List(9), ElementsAre("a", "b", "c"));
  EXPECT_EQ(Claim("a", 5).heartbeat_at, At(0)) << "no list moves the clock";
}

TEST_P(RuntimeRepositorySuite, ListingChangesNothing) {  // RR-LST-10
  Enqueue({"a", "b", "c"});
  Claim("a", -1);
  Ack("b", Status::kFailed, 0, Fixed(1, 1)).value();
  EXPECT_TRUE(IsSilent([&] { List(100); }));
}

TEST_P(RuntimeRepositorySuite, ListingKnowsNoTenants) {  // RR-LST-12
  Enqueue({"a", "b"});
  for (const char* id : {"a", "b"}) store().SetAttemptTenantId({id, "t"}).value();
  for (const std::string busy : {"1", "2", "3", "4", "5", "6", "7", "8", "9"}) {
    Enqueue({busy});
    store().SetAttemptTenantId({busy, "t"}).value();
    Claim(busy, 100);
  }
  EXPECT_THAT(List(0), ElementsAre("a", "b"));
}

// upsert_lease

TEST_P(RuntimeRepositorySuite, ClaimingMakesALeaseAndSetsStartedAtOnce) {  // RR-UPS-1, 8, 11, 12
  Enqueue({"a"});
  SetPriority("a", 3);
  Ack("a", Status::kFailed, 0, Fixed(1000, 5)).value();
  SetClock(7);
  const Lease lease = Claim("a", 30, "w1");
  EXPECT_EQ(lease, (Lease{lease.lease_id, "a", "w1", At(30), At(7), 1}));
  EXPECT_EQ(store().GetLeaseById({lease.lease_id}).value(), lease);
  EXPECT_EQ(Get("a"), (AttemptStatus{2, Status::kLeased}));
  SetTimeout("a", 10, Status::kCancelled);
  EXPECT_EQ(Expire(100), 1u);
  SetClock(12);
  Claim("a", 50);
  EXPECT_EQ(Timeout(16.999), 0u) << "started_at is that of the first claim";
  EXPECT_EQ(Timeout(17), 1u);
}

TEST_P(RuntimeRepositorySuite, ClaimingRefusesWithoutATrace) {  // RR-UPS-2..7, 10, RR-LAT-3, RR-INV-13
  Enqueue({"live", "lapsed", "running", "done", "retry", "bare"});
  const Lease live = Claim("live", 100, "w1");
  const Lease lapsed = Claim("lapsed", 10);
  Claim("running", 100);
  Mark("running", Status::kRunning);
  Mark("bare", Status::kRunning);
  Ack("done", Status::kCompleted, 0).value();
  Ack("retry", Status::kFailed, 0, Fixed(60'000, 1)).value();
  SetClock(50);
  EXPECT_TRUE(IsSilent([&] {
    EXPECT_TRUE(FailedWith(Upsert("live", "w1", 200), DriverClass::kLeaseConflict));
    EXPECT_TRUE(FailedWith(Upsert("live", "w2", 200), DriverClass::kLeaseConflict));
    EXPECT_TRUE(FailedWith(Upsert("running", "w2", 200), DriverClass::kLeaseConflict));
    for (const char* id : {"lapsed", "done", "retry", "bare", "unknown"}) {
      EXPECT_TRUE(FailedWith(Upsert(id, "w2", 200), DriverClass::kNotDispatchable)) << id;
    }
  }));
  EXPECT_EQ(LeaseOf("unknown"), std::nullopt);
  EXPECT_EQ(Get("unknown"), std::nullopt);
  EXPECT_TRUE(Heartbeat(lapsed.lease_id, 50, 90).has_value()) << "a refused claim cuts no grace short";
}

TEST_P(RuntimeRepositorySuite, ClaimingWordsItsRefusalsAsTheSchedulerReadsThem) {
  EXPECT_EQ(PhraseOf(DriverClass::kLeaseConflict), "active lease already exists");
  EXPECT_EQ(PhraseOf(DriverClass::kNotDispatchable), "not dispatchable");
  EXPECT_EQ(PhraseOf(DriverClass::kLeaseNotFound), "");
}

TEST_P(RuntimeRepositorySuite, ClaimingIsLiveAtTheInstantOfExpiry) {  // RR-LAT-5, RR-UPS-3, 5
  Enqueue({"a"});
  Claim("a", 10);
  SetClock(10);
  EXPECT_TRUE(FailedWith(Upsert("a", "w2", 20), DriverClass::kLeaseConflict));
  SetClock(10.001);
  EXPECT_TRUE(FailedWith(Upsert("a", "w2", 20), DriverClass::kNotDispatchable));
}

TEST_P(RuntimeRepositorySuite, ClaimingReplacesALingeringLeaseOnceItHasExpired) {  // RR-UPS-9, RR-LAT-4
  Enqueue({"a"});
  const Lease old = Claim("a", 10);
  EXPECT_TRUE(Heartbeat(old.lease_id, 1, 10).has_value());
  Mark("a", Status::kQueued);
  SetClock(10);
  EXPECT_TRUE(FailedWith(Upsert("a", "w", 20), DriverClass::kLeaseConflict));
  SetClock(10.001);
  const Lease lease = Claim("a", 20);
  EXPECT_NE(lease.lease_id, old.lease_id);
  EXPECT_EQ(lease.version, 1u);
  EXPECT_TRUE(FailedWith(Heartbeat(old.lease_id, 11, 30), DriverClass::kLeaseNotFound));
  EXPECT_EQ(store().GetLeaseById({old.lease_id}).value(), std::nullopt);
}

TEST_P(RuntimeRepositorySuite, ClaimingTakesAnExpiryInThePast) {  // RR-UPS-14
  Enqueue({"a"});
  SetClock(100);
  EXPECT_EQ(Claim("a", 5).lease_expires_at, At(5));
  EXPECT_EQ(OfWorker("w", 6), 0u);
  EXPECT_EQ(Expire(5.001), 1u);
}

TEST_P(RuntimeRepositorySuite, ClaimingTakesTheLastInstant) {  // RR-LAT-16
  Enqueue({"a"});
  SetNow(kEndOfTime);
  EXPECT_EQ(store().UpsertLease({"a", "w", kLastInstant}).value().heartbeat_at, kLastInstant);
  EXPECT_EQ(store().ExpireLeasesAndRequeue({kLastInstant}).value(), 0u);
}

TEST_P(RuntimeRepositorySuite, ClaimingIsJudgedAtTheClaim) {  // RR-UPS-15
  Enqueue({"a", "b"});
  EXPECT_THAT(List(0), ElementsAre("a", "b"));
  Ack("a", Status::kCompleted, 0).value();
  EXPECT_TRUE(FailedWith(Upsert("a", "w", 10), DriverClass::kNotDispatchable));
  Enqueue({"c"});
  Claim("c", 10);
}

TEST_P(RuntimeRepositorySuite, ClaimingGivesEveryLeaseAnIdOfItsOwn) {  // RR-INV-5
  Ids seen;
  Enqueue({"a"});
  for (int i = 0; i < 20; ++i) {
    seen.push_back(Claim("a", 5).lease_id);
    EXPECT_EQ(Expire(6), 1u);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

TEST_P(RuntimeRepositorySuite, ClaimingForgetsTheRetryInstant) {  // RR-LAT-9, RR-UPS-12
  Enqueue({"a"});
  Ack("a", Status::kFailed, 0, Fixed(1, 1)).value();
  SetClock(1);
  Claim("a", 5);
  EXPECT_EQ(Expire(6), 1u);
  EXPECT_THAT(Records(6), ElementsAre(AttemptDispatchRecord{"a", "r", 2, Status::kQueued, std::nullopt}));
}

// heartbeat_lease

TEST_P(RuntimeRepositorySuite, HeartbeatsMoveTheInstantsAndNothingElse) {  // RR-HBT-1, 4..6
  Enqueue({"a"});
  const Lease lease = Claim("a", 30, "w1");
  SetTimeout("a", 50, Status::kCancelled);
  EXPECT_TRUE(Heartbeat(lease.lease_id, -10, -5).has_value());
  EXPECT_EQ(LeaseOf("a"), (Lease{lease.lease_id, "a", "w1", At(-5), At(-10), 2}));
  EXPECT_EQ(Get("a"), (AttemptStatus{1, Status::kLeased}));
  EXPECT_EQ(Timeout(49.999), 0u) << "started_at stayed";
  EXPECT_EQ(Expire(-4.999), 1u) << "the sweep sees the new expiry";
}

TEST_P(RuntimeRepositorySuite, HeartbeatsReviveWhatHasExpiredButIsHeld) {  // RR-HBT-3, RR-LAT-18
  Enqueue({"a"});
  const Lease lease = Claim("a", 10);
  SetClock(100);
  EXPECT_TRUE(Heartbeat(lease.lease_id, 100, 130).has_value());
  EXPECT_TRUE(FailedWith(Upsert("a", "w2", 200), DriverClass::kLeaseConflict));
  EXPECT_EQ(Expire(130), 0u);
}

TEST_P(RuntimeRepositorySuite, HeartbeatsFindNoLeaseThatIsGone) {  // RR-HBT-2, 7, RR-TMO-10
  Enqueue({"swept", "acked", "timed", "replayed"});
  const Lease leases[] = {Claim("swept", 10), Claim("acked", 50), Claim("timed", 50), Claim("replayed", 50)};
  EXPECT_EQ(Expire(11), 1u);
  Ack("acked", Status::kCompleted, 1).value();
  SetTimeout("timed", 1, Status::kCancelled);
  EXPECT_EQ(Timeout(1), 1u);
  Ack("replayed", Status::kFailed, 1).value();
  EXPECT_TRUE(Replay("replayed", 2).has_value());
  Enqueue({"newer"});
  const Lease newer = Claim("swept", 60);
  EXPECT_TRUE(IsSilent([&] {
    for (const Lease& lease : leases) {
      EXPECT_TRUE(FailedWith(Heartbeat(lease.lease_id, 20, 90), DriverClass::kLeaseNotFound)) << lease.attempt_id;
    }
    EXPECT_TRUE(FailedWith(Heartbeat("", 20, 90), DriverClass::kLeaseNotFound));
  }));
  EXPECT_EQ(LeaseOf("swept"), newer);
}

TEST_P(RuntimeRepositorySuite, HeartbeatsWithAVersionAskForAllThree) {  // RR-FIX-10
  Enqueue({"a"});
  const std::string id = Claim("a", 30, "w").lease_id;
  const auto beat = [&](const std::string& lease, const std::string& worker, uint64_t version) {
    return store().HeartbeatLeaseWithVersion({lease, worker, version, At(1), At(40)});
  };
  EXPECT_TRUE(IsSilent([&] {
    EXPECT_TRUE(FailedWith(beat("nope", "w", 1), DriverClass::kVersionConflict));
    EXPECT_TRUE(FailedWith(beat(id, "v", 1), DriverClass::kVersionConflict));
    EXPECT_TRUE(FailedWith(beat(id, "w", 2), DriverClass::kVersionConflict));
  }));
  EXPECT_TRUE(beat(id, "w", 1).has_value());
  EXPECT_EQ(LeaseOf("a"), (Lease{id, "a", "w", At(40), At(1), 2}));
  EXPECT_TRUE(FailedWith(beat(id, "w", 1), DriverClass::kVersionConflict));
  EXPECT_TRUE(Heartbeat(id, 2, 50).has_value());
  EXPECT_TRUE(beat(id, "w", 3).has_value()) << "both kinds count";
}

// expire_leases_and_requeue

TEST_P(RuntimeRepositorySuite, SweepingTakesTheStaleAndLeavesTheRest) {  // RR-EXP-1..4, 6, 7, 11, 12, RR-INV-3
  Enqueue({"a", "b", "c", "queued", "retry", "bare"});
  SetPriority("a", 7);
  store().SetAttemptTenantId({"a", "t"}).value();
  Ack("a", Status::kFailed, 0, Fixed(1, 3)).value();
  SetClock(1);
  Claim("a", 10);
  Claim("b", 9.999);
  Mark("b", Status::kRunning);
  Claim("c", 10.001);
  Mark("bare", Status::kLeased);
  Ack("retry", Status::kFailed, 0, Fixed(50'000, 1)).value();
  EXPECT_EQ(Expire(10), 1u);
  EXPECT_EQ(Expire(10.001), 1u);
  EXPECT_TRUE(IsSilent([&] { EXPECT_EQ(Expire(10.001), 0u); }));
  EXPECT_EQ(Get("a"), (AttemptStatus{2, Status::kQueued}));
  EXPECT_EQ(Get("b"), (AttemptStatus{1, Status::kQueued}));
  EXPECT_EQ(StatusOf("c"), Status::kLeased);
  EXPECT_EQ(StatusOf("bare"), Status::kLeased);
  EXPECT_EQ(StatusOf("retry"), Status::kRetryBackoff);
  EXPECT_THAT(List(-100), ElementsAre("a", "b", "queued")) << "at once, at any time, and with its priority";
  EXPECT_THAT(Letters(), IsEmpty());
  EXPECT_EQ(History("a").size(), 1u);
  SetClock(20);
  Claim("a", 50);
  EXPECT_EQ(OfTenant("t", 20), 1u) << "the tenant stayed";
  EXPECT_EQ(Ack("a", Status::kFailed, 20).value().status, Status::kRetryBackoff) << "the policy stayed";
}

TEST_P(RuntimeRepositorySuite, SweepingCountsLeasesAndLeavesEndedAndWaitingAttempts) {  // RR-EXP-3, 5, RR-LAT-10, 11
  Enqueue({"ended", "waiting"});
  Claim("ended", 10);
  Mark("ended", Status::kCompleted);
  Ack("waiting", Status::kFailed, 0, Fixed(30'000, 1)).value();
  SetClock(30);
  Claim("waiting", 10);
  Mark("waiting", Status::kRetryBackoff);
  EXPECT_EQ(Expire(20), 2u);
  EXPECT_EQ(StatusOf("ended"), Status::kCompleted);
  EXPECT_EQ(LeaseOf("ended"), std::nullopt);
  EXPECT_EQ(StatusOf("waiting"), Status::kRetryBackoff);
  EXPECT_EQ(LeaseOf("waiting"), std::nullopt);
}

TEST_P(RuntimeRepositorySuite, SweepingGoesOnForEver) {  // RR-LAT-17, RR-INV-11
  Enqueue({"a"});
  Ack("a", Status::kFailed, -10, Fixed(1, 1)).value();
  for (int i = 0; i < 10; ++i) {
    Claim("a", 1);
    EXPECT_EQ(Expire(2), 1u);
    EXPECT_EQ(NumberOf("a"), 2u);
  }
}

// transition_timed_out_attempts

TEST_P(RuntimeRepositorySuite, TimingOutTakesWhatExecutesTooLong) {  // RR-TMO-1..4, 7, 8
  Enqueue({"leased", "running", "early", "never", "later"});
  for (const char* id : {"leased", "running", "early", "later"}) SetTimeout(id, 10, Status::kFailed);
  Ack("leased", Status::kFailed, -1, Fixed(1, 9)).value();
  for (const char* id : {"leased", "running", "never"}) Claim(id, 1000);
  Mark("running", Status::kRunning);
  SetClock(1);
  Claim("early", 1000);
  SetStarted("later", At(-100));
  EXPECT_EQ(Timeout(9.999), 0u);
  EXPECT_EQ(Timeout(10), 2u);
  EXPECT_EQ(Get("leased"), (AttemptStatus{2, Status::kFailed})) << "retries left do not matter";
  EXPECT_EQ(StatusOf("running"), Status::kFailed);
  EXPECT_EQ(LeaseOf("leased"), std::nullopt);
  EXPECT_THAT(Letters(), ElementsAre(DeadLetter{"leased", "execution_timeout", ReplayStatus::kPending, At(10), 0},
                                     DeadLetter{"running", "execution_timeout", ReplayStatus::kPending, At(10), 0}));
  EXPECT_EQ(Timeout(10), 0u);
  EXPECT_EQ(Timeout(11), 1u);
  EXPECT_EQ(StatusOf("never"), Status::kLeased);
  EXPECT_EQ(StatusOf("later"), Status::kQueued);
}

TEST_P(RuntimeRepositorySuite, TimingOutPassesOverWhatDoesNotExecute) {  // RR-TMO-5, 6
  Enqueue({"queued", "waiting", "ended"});
  for (const char* id : {"queued", "waiting", "ended"}) SetTimeout(id, 1, Status::kFailed);
  Ack("waiting", Status::kFailed, 0, Fixed(1, 1)).value();
  Ack("ended", Status::kCompleted, 0).value();
  for (const char* id : {"queued", "waiting", "ended"}) SetStarted(id, At(-1000));
  EXPECT_TRUE(IsSilent([&] { EXPECT_EQ(store().TransitionTimedOutAttempts({kLastInstant}).value(), 0u); }));
}

TEST_P(RuntimeRepositorySuite, TimingOutTakesAnAttemptThatOnlyAMarkMade) {
  Enqueue({"a"});
  Mark("a", Status::kRunning);
  SetTimeout("a", 1, Status::kCancelled);
  EXPECT_EQ(store().TransitionTimedOutAttempts({kLastInstant}).value(), 0u) << "it never started";
  SetStarted("a", At(4));
  EXPECT_EQ(Timeout(4.999), 0u);
  EXPECT_EQ(Timeout(5), 1u);
  EXPECT_THAT(Letters(), IsEmpty());
}

TEST_P(RuntimeRepositorySuite, TimingOutNeverWraps) {  // RR-LAT-16
  Enqueue({"a", "b"});
  for (const char* id : {"a", "b"}) {
    Claim(id, 5);
    store().SetAttemptTimeoutPolicy({id, std::numeric_limits<int64_t>::max(), Status::kFailed}).value();
  }
  SetStarted("b", kLastInstant);
  EXPECT_EQ(store().TransitionTimedOutAttempts({kLastInstant}).value(), 0u);
  SetStarted("a", kFirstInstant);
  store().SetAttemptTimeoutPolicy({"a", kLastInstant.ms - kFirstInstant.ms, Status::kFailed}).value();
  EXPECT_EQ(store().TransitionTimedOutAttempts({kLastInstant}).value(), 1u);
}

TEST_P(RuntimeRepositorySuite, TimingOutIsFreshAfterARetryAndAReplay) {  // RR-LAT-8, RR-FIX-4, 13
  Enqueue({"a"});
  SetTimeout("a", 10, Status::kFailed);
  Claim("a", 100);
  Ack("a", Status::kFailed, 5, Fixed(1000, 1)).value();
  SetClock(20);
  Claim("a", 100);
  EXPECT_EQ(Timeout(29.999), 0u);
  EXPECT_EQ(Timeout(30), 1u);
  EXPECT_TRUE(Replay("a", 31).has_value());
  SetClock(40);
  Claim("a", 100);
  EXPECT_EQ(Timeout(49.999), 0u);
  EXPECT_EQ(Timeout(50), 1u);
}

// ack_attempt and the dead letters

TEST_P(RuntimeRepositorySuite, AckingEndsTheExecution) {  // RR-FIX-3, 5, 8
  for (const Status status : {Status::kCompleted, Status::kCancelled, Status::kFailed}) {
    const std::string id(WordOf(status));
    Enqueue({id, id + "/leased"});
    const Lease lease = Claim(id + "/leased", 10);
    EXPECT_EQ(Ack(id, status, 1).value(), (AckResult{status, std::nullopt, 1})) << "never leased";
    EXPECT_EQ(Ack(id + "/leased", status, 1).value(), (AckResult{status, std::nullopt, 1}));
    EXPECT_EQ(LeaseOf(id + "/leased"), std::nullopt);
    EXPECT_EQ(store().GetLeaseById({lease.lease_id}).value(), std::nullopt);
    EXPECT_EQ(OfWorker("w", 0), 0u);
  }
  Ids dead;
  for (const DeadLetter& letter : Letters()) dead.push_back(letter.attempt_id);
  EXPECT_THAT(dead, ElementsAre("Failed", "Failed/leased"));
}

TEST_P(RuntimeRepositorySuite, AckingRemembersThePolicyThatWasGivenLast) {  // RR-FIX-4, 6
  Enqueue({"a", "b"});
  EXPECT_EQ(Ack("a", Status::kFailed, 0, Fixed(1000, 5)).value().next_retry_at, At(1));
  EXPECT_EQ(Ack("a", Status::kFailed, 10).value().next_retry_at, At(11));
  EXPECT_EQ(Ack("a", Status::kFailed, 20, Fixed(3000, 5)).value().next_retry_at, At(23));
  EXPECT_EQ(Ack("a", Status::kFailed, 30, Fixed(3000, 3)).value().status, Status::kFailed);
  EXPECT_EQ(NumberOf("a"), 4u);
  EXPECT_EQ(Ack("b", Status::kCompleted, 0, Fixed(1, 0)).value().status, Status::kCompleted);
}

TEST_P(RuntimeRepositorySuite, AckingRefusesWithoutATrace) {  // RR-FIX-7, 8, RR-LAT-13, RR-INV-6
  Enqueue({"ended", "held", "bare"});
  const Lease held = Claim("held", 10);
  Ack("ended", Status::kCancelled, 0).value();
  EXPECT_TRUE(IsSilent([&] {
    EXPECT_TRUE(FailedWith(Ack("nope", Status::kCompleted, 0, Fixed(1, 1)), DriverClass::kAttemptNotFound));
    EXPECT_TRUE(FailedWith(Ack("ended", Status::kFailed, 0, Fixed(1, 1)), DriverClass::kAttemptTerminal));
    for (const Status status : {Status::kQueued, Status::kLeased, Status::kRunning, Status::kRetryBackoff}) {
      EXPECT_TRUE(FailedWith(Ack("held", status, 0, Fixed(1, 1)), DriverClass::kBadOutcome));
    }
    for (const char* id : {"held", "bare"}) {
      EXPECT_TRUE(
          FailedWith(store().AckAttempt({id, Status::kCompleted, Fixed(1, 1), At(0), "c9"}), DriverClass::kLeaseNotFound));
    }
  }));
  EXPECT_TRUE(store().AckAttempt({"held", Status::kCompleted, std::nullopt, At(0), held.lease_id}).has_value());
}

TEST_P(RuntimeRepositorySuite, AckingSaturatesInsteadOfWrapping) {  // RR-LAT-16
  Enqueue({"a", "b"});
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Ack("a", Status::kFailed, 5, Fixed(kMost, 9)).value().next_retry_at, kLastInstant);
  EXPECT_EQ(Ack("b", Status::kFailed, 5, Exponential(kMost, 1e300, std::nullopt, 9)).value().next_retry_at, kLastInstant);
  EXPECT_EQ(Ack("b", Status::kFailed, 5).value().next_retry_at, kLastInstant) << "the power is infinite";
}

TEST_P(RuntimeRepositorySuite, AckingBuriesAndReplays) {  // RR-FIX-5, 13, RR-INV-16
  Enqueue({"a"});
  EXPECT_TRUE(FailedWith(Replay("a", 0), DriverClass::kDeadLetterNotFound));
  EXPECT_TRUE(FailedWith(Replay("nope", 0), DriverClass::kDeadLetterNotFound));
  Ack("a", Status::kFailed, 0, Fixed(1, 1)).value();
  Ack("a", Status::kFailed, 1).value();
  EXPECT_THAT(Letters(), ElementsAre(DeadLetter{"a", "terminal_failed", ReplayStatus::kPending, At(1), 0}));
  EXPECT_TRUE(Replay("a", 2).has_value());
  EXPECT_THAT(Records(0), ElementsAre(AttemptDispatchRecord{"a", "r", 2, Status::kQueued, std::nullopt}));
  EXPECT_THAT(Letters(), ElementsAre(DeadLetter{"a", "terminal_failed", ReplayStatus::kReplayed, At(1), 1}));
  EXPECT_TRUE(IsSilent([&] { EXPECT_TRUE(FailedWith(Replay("a", 3), DriverClass::kAlreadyReplayed)); }));
  SetTimeout("a", 1, Status::kFailed);
  Claim("a", 50);
  EXPECT_EQ(Timeout(7), 1u);
  EXPECT_THAT(Letters(), ElementsAre(DeadLetter{"a", "execution_timeout", ReplayStatus::kPending, At(7), 1}));
}

TEST_P(RuntimeRepositorySuite, AckingAReplayTakesALingeringLease) {  // RR-FIX-13
  Enqueue({"a"});
  Ack("a", Status::kFailed, 0).value();
  Mark("a", Status::kQueued);
  const Lease lease = Claim("a", 10);
  EXPECT_TRUE(Replay("a", 0).has_value());
  EXPECT_EQ(store().GetLeaseById({lease.lease_id}).value(), std::nullopt);
  EXPECT_EQ(StatusOf("a"), Status::kQueued);
}

// The delay of a retry.

TEST(RetryDelays, FollowThePolicy) {
  EXPECT_EQ(RetryDelay(Fixed(500, 1), 7), 500);
  EXPECT_EQ(RetryDelay(Exponential(100, std::nullopt, std::nullopt, 1), 1), 100);
  EXPECT_EQ(RetryDelay(Exponential(100, std::nullopt, std::nullopt, 1), 4), 800) << "2.0 where none is given";
  EXPECT_EQ(RetryDelay(Exponential(101, 1.5, std::nullopt, 1), 2), 152) << "151.5, rounded";
  EXPECT_EQ(RetryDelay(Exponential(100, 3.0, 250, 1), 2), 250);
  RetryPolicy capped = Fixed(500, 1);
  capped.max_backoff_ms = 20;
  EXPECT_EQ(RetryDelay(capped, 1), 20);
  capped.max_backoff_ms = -1;
  EXPECT_EQ(RetryDelay(capped, 1), 1);
}

TEST(RetryDelays, AreAtLeastAMillisecondAndSaturate) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(RetryDelay(Fixed(0, 1), 1), 1);
  EXPECT_EQ(RetryDelay(Fixed(std::numeric_limits<int64_t>::min(), 1), 1), 1);
  EXPECT_EQ(RetryDelay(Exponential(100, -2.0, std::nullopt, 1), 2), 1);
  EXPECT_EQ(RetryDelay(Exponential(1, 2.0, std::nullopt, 1), 4'000'000'000u), kMost);
  EXPECT_EQ(RetryDelay(Exponential(-1, 2.0, std::nullopt, 1), 4'000'000'000u), 1);
  EXPECT_EQ(RetryDelay(Exponential(0, 2.0, std::nullopt, 1), 4'000'000'000u), 1) << "no number at all";
  EXPECT_EQ(RetryDelay(Exponential(kMost, 1.0, std::nullopt, 1), 9), kMost);
}

// Fixtures

TEST_P(RuntimeRepositorySuite, FixturesEnqueueOnce) {  // RR-FIX-1, 2
  Enqueue({"a"});
  EXPECT_EQ(Get("a"), (AttemptStatus{1, Status::kQueued}));
  Ack("a", Status::kCompleted, 0).value();
  EXPECT_TRUE(IsSilent([&] { Enqueue({"a"}, "other"); }));
  Enqueue({""}, "");
  EXPECT_THAT(List(0), ElementsAre(""));
}

TEST_P(RuntimeRepositorySuite, FixturesMarkWritesTheStatusAlone) {  // RR-FIX-14
  EXPECT_TRUE(IsSilent([&] { Mark("nope", Status::kQueued); }));
  Enqueue({"a"});
  SetTimeout("a", 10, Status::kCancelled);
  const Lease lease = Claim("a", 30);
  Mark("a", Status::kRunning);
  EXPECT_EQ(LeaseOf("a"), lease);
  EXPECT_EQ(Timeout(9), 0u);
  Mark("a", Status::kQueued);
  EXPECT_EQ(LeaseOf("a"), lease);
  Mark("a", Status::kLeased);
  EXPECT_EQ(Timeout(1000), 0u) << "Queued had cleared started_at";
  Mark("a", Status::kFailed);
  EXPECT_THAT(Letters(), IsEmpty());
  EXPECT_EQ(LeaseOf("a"), lease);
  EXPECT_EQ(OfWorker("w", 30), 1u) << "whatever the status";

  Enqueue({"b"});
  Ack("b", Status::kFailed, 0, Fixed(5000, 1)).value();
  Mark("b", Status::kQueued);
  Mark("b", Status::kRetryBackoff);
  EXPECT_THAT(List(4.999), IsEmpty()) << "retry_at stayed";
  Mark("b", Status::kCompleted);
  Mark("b", Status::kRetryBackoff);
  EXPECT_THAT(List(0), ElementsAre("b")) << "a terminal status cleared it";
}

TEST_P(RuntimeRepositorySuite, FixturesSettersNeedAnAttempt) {  // RR-FIX-11
  EXPECT_TRUE(IsSilent([&] {
    EXPECT_TRUE(FailedWith(store().SetAttemptPriority({"a", 1}), DriverClass::kAttemptNotFound));
    EXPECT_TRUE(FailedWith(store().SetAttemptTenantId({"a", "t"}), DriverClass::kAttemptNotFound));
    EXPECT_TRUE(FailedWith(store().SetAttemptTimeoutPolicy({"a", 1, Status::kFailed}), DriverClass::kAttemptNotFound));
    EXPECT_TRUE(FailedWith(store().SetAttemptStartedAt({"a", At(0)}), DriverClass::kAttemptNotFound));
  }));
  Enqueue({"a"});
  Ack("a", Status::kCompleted, 0).value();
  SetPriority("a", 1);
  SetTimeout("a", 1, Status::kFailed);
  SetStarted("a", At(0));
  SetStarted("a", std::nullopt);
  EXPECT_TRUE(store().SetAttemptTenantId({"a", "t"}).has_value());
  EXPECT_TRUE(IsSilent([&] {
    EXPECT_TRUE(FailedWith(store().SetAttemptTimeoutPolicy({"a", 0, Status::kFailed}), DriverClass::kBadPolicy));
    EXPECT_TRUE(FailedWith(store().SetAttemptTimeoutPolicy({"a", -1, Status::kFailed}), DriverClass::kBadPolicy));
    EXPECT_TRUE(FailedWith(store().SetAttemptTimeoutPolicy({"a", 1, Status::kCompleted}), DriverClass::kBadPolicy));
  }));
}

TEST_P(RuntimeRepositorySuite, FixturesCountLiveLeases) {  // RR-FIX-9, 15, RR-LAT-5
  Enqueue({"a", "b", "c"});
  store().SetAttemptTenantId({"a", " \tt\n"}).value();
  store().SetAttemptTenantId({"b", "t"}).value();
  const Lease a = Claim("a", 10, "w1");
  Claim("b", 20, "w1");
  Claim("c", 20, "w2");
  EXPECT_EQ(OfWorker("w1", 10), 2u);
  EXPECT_EQ(OfWorker("w1", 10.001), 1u);
  EXPECT_EQ(OfWorker("w1", 20.001), 0u);
  EXPECT_EQ(OfWorker("nobody", 0), 0u);
  EXPECT_EQ(OfTenant("t", 10), 2u);
  EXPECT_EQ(OfTenant("", 10), 0u);
  EXPECT_EQ(LeaseOf("a"), a) << "expired or not";
  store().SetAttemptTenantId({"b", " "}).value();
  EXPECT_EQ(OfTenant("t", 10), 1u);
  store().SetAttemptTenantId({"c", "t"}).value();
  EXPECT_EQ(OfTenant("t", 11), 1u);
  Mark("c", Status::kCompleted);
  EXPECT_EQ(OfTenant("t", 11), 1u);
  Heartbeat(a.lease_id, 0, 40).value();
  EXPECT_EQ(OfTenant("t", 30), 1u);
  EXPECT_EQ(OfWorker("w1", 30), 1u);
}

// latest_seq_for_run

TEST_P(RuntimeRepositorySuite, RunsCountTheirOwnEvents) {  // RR-SEQ-1..4, RR-FIX-12
  Enqueue({"a"}, "r");
  EXPECT_EQ(AppendEvents("r", 2), 2u);
  EXPECT_EQ(AppendEvents("q", 1), 1u);
  EXPECT_EQ(AppendEvents("r", 3), 5u);
  EXPECT_TRUE(IsSilent([&] { EXPECT_EQ(AppendEvents("new", 0), 0u); }));
  Claim("a", 5);
  Expire(6);
  Ack("a", Status::kCompleted, 0).value();
  EXPECT_EQ(Latest("r"), 5u);
  EXPECT_EQ(Latest("q"), 1u);
  EXPECT_EQ(Latest(""), 0u);
}

TEST_P(RuntimeRepositorySuite, RunsEndAtTheLastNumber) {
  EXPECT_EQ(AppendEvents("r", kAll - 1), kAll - 1);
  EXPECT_TRUE(IsSilent([&] {
    const auto result = store().AppendRunEvents({"r", 2});
    ASSERT_FALSE(result.has_value());
    EXPECT_TRUE(std::holds_alternative<EventStore>(result.error()));
  }));
  EXPECT_EQ(AppendEvents("r", 1), kAll);
}

// Against a plain model: the list of many attempts in random states is what a sort of all of them says.
TEST_P(RuntimeRepositorySuite, ListingIsWhatASortOfEverythingSays) {  // RR-LST-1, RR-INV-9, 10
  uint64_t state = 1;
  const auto below = [&](uint64_t bound) { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 33 % bound; };
  const auto pick = [&](uint64_t bound) { return below(64) % bound; };
  struct Expected {
    int32_t priority;
    uint32_t number;
    std::string id;
    double from;
  };
  std::vector<Expected> all;
  SetClock(1000);
  for (int i = 0; i < 120; ++i) {
    const std::string id = std::to_string(pick(1000)) + "-" + std::to_string(i);
    Enqueue({id});
    const auto priority = static_cast<int32_t>(pick(5)) - 2;
    SetPriority(id, priority);
    uint32_t number = 1;
    double from = -1e6;
    for (uint64_t retries = pick(3); retries > 0; --retries, ++number) {
      from = static_cast<double>(pick(50));
      Ack(id, Status::kFailed, from - 1, Fixed(1000, 9)).value();
    }
    if (pick(4) == 0) {
      const bool held = pick(2) == 0;
      Claim(id, held ? 1e6 : 5);
      if (held) continue;
      EXPECT_EQ(Expire(6), 1u);
      from = -1e6;
    }
    all.push_back({priority, number, id, from});
  }
  std::sort(all.begin(), all.end(), [](const Expected& a, const Expected& b) {
    return std::tuple(-a.priority, a.number, a.id) < std::tuple(-b.priority, b.number, b.id);
  });
  for (const double now : {49.0, 0.0, 25.0, -1.0, 10.0}) {
    Ids expected;
    for (const Expected& attempt : all) {
      if (attempt.from <= now) expected.push_back(attempt.id);
    }
    EXPECT_EQ(List(now), expected) << now;
    expected.resize(std::min<std::size_t>(expected.size(), 7));
    EXPECT_EQ(List(now, 7), expected) << now;
  }
}

}  // namespace leasecheck::runtime_repository
