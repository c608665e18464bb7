// The spec of runtime_repository: the contract's worked examples, and wrong answers to them.
#include <limits>

#include "tests/model/runtime_repository_scene.h"

namespace leasecheck::runtime_repository {
namespace {

using RuntimeRepositorySpecTest = Scene;

TEST_F(RuntimeRepositorySpecTest, ListsInDispatchOrder) {
  for (const char* id : {"c", "a", "b"}) Enqueue(id);
  ASSERT_EQ(Judge(SetAttemptPriorityRequest{"b", 5}, Done{}), kAllowed);
  EXPECT_EQ(List(0, {"b", "a", "c"}), kAllowed);
  EXPECT_EQ(List(0, {"b"}, 1), kAllowed);
  EXPECT_EQ(List(0, {}, 0), kAllowed);
  EXPECT_EQ(List(0, {"b", "c", "a"}), "RR-LST-3");
  EXPECT_EQ(List(0, {"a", "b", "c"}), "RR-LST-2");
  EXPECT_EQ(List(0, {"b", "a"}), "RR-LST-1");
  EXPECT_EQ(List(0, {"b", "a", "a"}), "RR-INV-9");
  EXPECT_EQ(List(0, {"b"}, 0), "RR-LST-8");
  ASSERT_EQ(Judge(SetAttemptPriorityRequest{"a", -1}, Done{}), kAllowed);
  EXPECT_EQ(List(0, {"b", "c", "a"}), kAllowed);
  dialects["RR-LAT-7"] = "no,id";
  EXPECT_EQ(List(0, {"a", "b", "c"}), kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, ComparesIdsByBytes) {
  for (const char* id : {"a2", "a10", "B"}) Enqueue(id);
  EXPECT_EQ(List(0, {"B", "a10", "a2"}), kAllowed);
  EXPECT_EQ(List(0, {"B", "a2", "a10"}), "RR-LST-3");
}

TEST_F(RuntimeRepositorySpecTest, ListsRetriesLastAndNotBeforeTheyAreDue) {
  Enqueue("a");
  ASSERT_EQ(Claim("a", "w", 30'000, "L"), kAllowed);
  EXPECT_EQ(Ack("a", Status::kFailed, Fixed(1000, 3), 1000, {Status::kFailed, std::nullopt, 1}), "RR-FIX-4");
  ASSERT_EQ(Ack("a", Status::kFailed, Fixed(1000, 3), 1000, {Status::kRetryBackoff, Instant(2000), 2}), kAllowed);
  Enqueue("z");
  EXPECT_EQ(List(2000, {"z", "a"}), kAllowed);
  EXPECT_EQ(List(2000, {"a", "z"}), "RR-LST-4");
  EXPECT_EQ(List(1999, {"z"}), kAllowed);
  EXPECT_EQ(List(1999, {"z", "a"}), "RR-LST-5");
  EXPECT_EQ(List(2000, {"z"}), "RR-LST-5");
}

TEST_F(RuntimeRepositorySpecTest, GrantsAnAttemptOnce) {
  Enqueue("a");
  EXPECT_EQ(Refuse("a", "w1"), "RR-INV-4");
  ASSERT_EQ(Claim("a", "w1", 30'000, "L1"), kAllowed);
  EXPECT_EQ(Claim("a", "w2", 40'000, "L2"), "RR-UPS-3");
  EXPECT_EQ(Claim("a", "w1", 40'000, "L2"), "RR-UPS-4");
  EXPECT_EQ(Refuse("a", "w2", DriverClass::kLeaseConflict), kAllowed);
  EXPECT_EQ(Refuse("a", "w2"), kAllowed);
  EXPECT_EQ(Refuse("a", "w2", DriverClass::kBackend), "RR-LAT-3");
  EXPECT_EQ(Claim("nobody's", "w", 1, "L2"), "RR-UPS-2");
  EXPECT_EQ(List(0, {}), kAllowed);
  EXPECT_EQ(List(30'001, {"a"}), "RR-LST-6");
  EXPECT_EQ(Peek(GetLeaseForAttemptRequest{"a"}, LeaseOf("a", "w1", 30'000, "L1")), kAllowed);
  now = 30'001;
  EXPECT_EQ(Claim("a", "w2", 60'000, "L2"), "RR-UPS-5");
  EXPECT_EQ(Refused("RR-UPS-3"), 2u);
}

TEST_F(RuntimeRepositorySpecTest, CountsHeartbeats) {
  Enqueue("a");
  ASSERT_EQ(Claim("a", "w1", 30'000, "L1"), kAllowed);
  EXPECT_EQ(Beat("L1", 10'000, 40'000), kAllowed);
  EXPECT_EQ(Peek(GetLeaseByIdRequest{"L1"}, LeaseRecord{"L1", "a", "w1", Instant(40'000), Instant(10'000), 2}), kAllowed);
  EXPECT_EQ(Peek(GetLeaseByIdRequest{"L1"}, LeaseRecord{"L1", "a", "w1", Instant(40'000), Instant(10'000), 1}), "RR-INV-5");
  EXPECT_EQ(Peek(GetLeaseByIdRequest{"L1"}, LeaseRecord{"L1", "a", "w1", Instant(30'000), Instant(10'000), 2}), "RR-HBT-1");
  EXPECT_EQ(Peek(GetLeaseByIdRequest{"L1"}, LeaseRecord{"L1", "a", "w2", Instant(40'000), Instant(10'000), 2}), "RR-HBT-6");
  EXPECT_EQ(Beat("nope", 1, 2), "RR-HBT-2");
  EXPECT_EQ(JudgeError(HeartbeatLeaseRequest{"nope", Instant(1), Instant(2)}, DriverClass::kLeaseNotFound), kAllowed);
  EXPECT_EQ(Beat("L1", 5'000, 20'000), kAllowed);
  now = 25'000;
  EXPECT_EQ(JudgeError(HeartbeatLeaseRequest{"L1", Instant(25'000), Instant(50'000)}, DriverClass::kLeaseNotFound), "RR-HBT-3");
  const HeartbeatLeaseWithVersionRequest versioned{"L1", "w1", 3, Instant(25'000), Instant(50'000)};
  EXPECT_EQ(JudgeError(versioned, DriverClass::kVersionConflict), "RR-FIX-10");
  EXPECT_EQ(Judge(versioned, Done{}), kAllowed);
  EXPECT_EQ(Judge(versioned, Done{}), "RR-FIX-10");
  EXPECT_EQ(JudgeError(versioned, DriverClass::kVersionConflict), kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, SweepsStrictlyBeforeTheCutoff) {
  Enqueue("a");
  ASSERT_EQ(Claim("a", "w1", 30'000, "L1"), kAllowed);
  EXPECT_EQ(Expire(30'000, 1), "RR-EXP-1");
  EXPECT_EQ(Expire(30'000, 0), kAllowed);
  EXPECT_EQ(StatusIs("a", 1, Status::kLeased), kAllowed);
  EXPECT_EQ(Expire(30'001, 0), "RR-EXP-3");
  EXPECT_EQ(Expire(30'001, 1), kAllowed);
  EXPECT_EQ(StatusIs("a", 1, Status::kQueued), kAllowed);
  EXPECT_EQ(Expire(30'001, 1), "RR-EXP-7");
  EXPECT_EQ(Expire(30'001, 0), kAllowed);
  EXPECT_EQ(Refused("RR-EXP-7"), 1u);
  EXPECT_EQ(Beat("L1", 31'000, 60'000), "RR-HBT-2");
  now = 31'000;
  EXPECT_EQ(Claim("a", "w2", 61'000, "L2"), kAllowed);
  EXPECT_EQ(JudgeError(HeartbeatLeaseRequest{"L1", Instant(1), Instant(2)}, DriverClass::kLeaseNotFound), kAllowed);
  EXPECT_EQ(Refused("RR-HBT-7"), 1u);
}

TEST_F(RuntimeRepositorySpecTest, TimesOutAtTheMillisecond) {
  Enqueue("a");
  ASSERT_EQ(Judge(SetAttemptTimeoutPolicyRequest{"a", 10'000, Status::kCancelled}, Done{}), kAllowed);
  ASSERT_EQ(Claim("a", "w", 1'000'000, "L"), kAllowed);
  EXPECT_EQ(TimeOut(9'999, 1), "RR-TMO-1");
  EXPECT_EQ(TimeOut(9'999, 0), kAllowed);
  EXPECT_EQ(TimeOut(10'000, 0), "RR-TMO-7");
  EXPECT_EQ(TimeOut(10'000, 1), kAllowed);
  EXPECT_EQ(StatusIs("a", 1, Status::kCancelled), kAllowed);
  EXPECT_EQ(StatusIs("a", 1, Status::kQueued), "RR-INV-6");
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {}), kAllowed);
  EXPECT_EQ(Claim("a", "w", 1'000'000, "L2"), "RR-UPS-6");
  EXPECT_EQ(Expire(5'000'000, 0), kAllowed);
  EXPECT_EQ(TimeOut(10'000, 0), kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, TimeoutNeverWraps) {
  Enqueue("a");
  ASSERT_EQ(Judge(SetAttemptTimeoutPolicyRequest{"a", std::numeric_limits<int64_t>::max(), Status::kFailed}, Done{}), kAllowed);
  ASSERT_EQ(Claim("a", "w", 1, "L"), kAllowed);
  EXPECT_EQ(TimeOut(kLastInstant.ms, 0), kAllowed);
  EXPECT_EQ(TimeOut(kLastInstant.ms, 1), "RR-TMO-10");
  EXPECT_EQ(Held("RR-LAT-16"), 1u);
}

TEST_F(RuntimeRepositorySpecTest, TimeoutWritesALetter) {
  Enqueue("a");
  ASSERT_EQ(Judge(SetAttemptTimeoutPolicyRequest{"a", 10'000, Status::kFailed}, Done{}), kAllowed);
  ASSERT_EQ(Claim("a", "w", 12'000, "L"), kAllowed);
  ASSERT_EQ(TimeOut(20'000, 1), kAllowed);
  EXPECT_EQ(Expire(15'000, 0), kAllowed);
  const DeadLetter letter{"a", "execution_timeout", ReplayStatus::kPending, Instant(20'000), 0};
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {letter}), kAllowed);
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {}), "RR-TMO-4");
  DeadLetter brief{"a", "execution_timeout", ReplayStatus::kPending, std::nullopt, std::nullopt};
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {brief}), kAllowed);
  brief.reason = "terminal_failed";
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {brief}), "RR-TMO-4");
}

TEST_F(RuntimeRepositorySpecTest, RetriesWithCappedGrowth) {
  Enqueue("a");
  const RetryPolicy policy{RetryStrategy::kExponential, 100, 250, 3.0, 2};
  ASSERT_EQ(Ack("a", Status::kFailed, policy, 0, {Status::kRetryBackoff, Instant(100), 2}), kAllowed);
  EXPECT_EQ(Ack("a", Status::kFailed, std::nullopt, 0, {Status::kRetryBackoff, Instant(300), 3}), "RR-FIX-4");
  ASSERT_EQ(Ack("a", Status::kFailed, std::nullopt, 0, {Status::kRetryBackoff, Instant(250), 3}), kAllowed);
  EXPECT_EQ(Ack("a", Status::kFailed, std::nullopt, 0, {Status::kRetryBackoff, Instant(250), 4}), "RR-FIX-5");
  ASSERT_EQ(Ack("a", Status::kFailed, std::nullopt, 7, {Status::kFailed, std::nullopt, 3}), kAllowed);
  EXPECT_EQ(Peek(GetAttemptRetryHistoryRequest{"a"}, {{1, Instant(100)}, {2, Instant(250)}}), kAllowed);
  EXPECT_EQ(Peek(GetAttemptRetryHistoryRequest{"a"}, {{1, Instant(100)}}), "RR-FIX-4");
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {}), "RR-FIX-5");
  EXPECT_EQ(JudgeError(AckAttemptRequest{"b", Status::kFailed, {}, Instant(0), {}}, DriverClass::kAttemptNotFound), kAllowed);
  EXPECT_EQ(Held("RR-FIX-6"), 1u);
}

TEST_F(RuntimeRepositorySpecTest, RetriesSaturate) {
  Enqueue("a");
  const RetryPolicy policy{RetryStrategy::kExponential, kLastInstant.ms, std::nullopt, 1e300, 9};
  EXPECT_EQ(Ack("a", Status::kFailed, policy, 5, {Status::kRetryBackoff, Instant(5), 2}), "RR-FIX-4");
  EXPECT_EQ(Ack("a", Status::kFailed, policy, 5, {Status::kRetryBackoff, kLastInstant, 2}), kAllowed);
  EXPECT_EQ(Ack("a", Status::kFailed, policy, 5, {Status::kRetryBackoff, kLastInstant, 3}), kAllowed);
  EXPECT_EQ(Held("RR-LAT-16"), 2u);
}

TEST_F(RuntimeRepositorySpecTest, EarlyClaimsAreUpstreams) {
  Enqueue("a");
  ASSERT_EQ(Ack("a", Status::kFailed, Fixed(60'000, 1), 0, {Status::kRetryBackoff, Instant(60'000), 2}), kAllowed);
  now = 59'999;
  EXPECT_EQ(Refuse("a", "w"), kAllowed);
  EXPECT_EQ(Claim("a", "w", 90'000, "L"), "RR-UPS-7");
  dialects["profile"] = "upstream";
  EXPECT_EQ(Refuse("a", "w"), kAllowed);
  EXPECT_EQ(Claim("a", "w", 90'000, "L"), kAllowed);
  dialects.clear();
  ASSERT_EQ(Ack("a", Status::kFailed, Fixed(1, 9), 60'000, {Status::kRetryBackoff, Instant(60'001), 3}), kAllowed);
  now = 60'001;
  EXPECT_EQ(Refuse("a", "w"), "RR-UPS-8");
  EXPECT_EQ(Claim("a", "w", 90'000, "L2"), kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, StartedAtIsKeptOrReset) {
  const auto until_the_second_claim = [this] {
    Enqueue("a");
    ASSERT_EQ(Judge(SetAttemptTimeoutPolicyRequest{"a", 10'000, Status::kFailed}, Done{}), kAllowed);
    now = 0;
    ASSERT_EQ(Claim("a", "w", 3'000, "L1"), kAllowed);
    ASSERT_EQ(Expire(5'000, 1), kAllowed);
    now = 20'000;
    ASSERT_EQ(Claim("a", "w", 50'000, "L2"), kAllowed);
  };
  until_the_second_claim();
  EXPECT_EQ(TimeOut(20'000, 0), "RR-TMO-7");
  EXPECT_EQ(TimeOut(20'000, 1), kAllowed);
  state = SpecState();
  dialects["RR-LAT-8"] = "reset";
  until_the_second_claim();
  EXPECT_EQ(TimeOut(20'000, 1), "RR-TMO-1");
  EXPECT_EQ(TimeOut(20'000, 0), kAllowed);
  EXPECT_EQ(TimeOut(30'000, 1), kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, NumbersEvents) {
  EXPECT_EQ(Judge(LatestSeqForRunRequest{"r"}, 0), kAllowed);
  EXPECT_EQ(Judge(AppendRunEventsRequest{"r", 3}, 4), "RR-FIX-12");
  EXPECT_EQ(Judge(AppendRunEventsRequest{"r", 3}, 3), kAllowed);
  EXPECT_EQ(Judge(LatestSeqForRunRequest{"r"}, 3), kAllowed);
  EXPECT_EQ(Judge(LatestSeqForRunRequest{"r"}, 0), "RR-SEQ-1");
  EXPECT_EQ(Judge(LatestSeqForRunRequest{"other"}, 3), "RR-SEQ-2");
  EXPECT_EQ(Judge(AppendRunEventsRequest{"r", 0}, 3), kAllowed);
  dialects = {{"profile", "upstream"}, {"RR-LAT-12", "none"}};
  EXPECT_EQ(Judge(LatestSeqForRunRequest{"r"}, 0), kAllowed);
  dialects = {{"RR-LAT-12", "none"}};
  EXPECT_EQ(Judge(LatestSeqForRunRequest{"r"}, 0), "RR-SEQ-1");
}

TEST_F(RuntimeRepositorySpecTest, ReplaysALetterOnce) {
  Enqueue("a");
  ASSERT_EQ(Ack("a", Status::kFailed, std::nullopt, 5, {Status::kFailed, std::nullopt, 1}), kAllowed);
  EXPECT_EQ(Judge(ReplayDeadLetterRequest{"b", Instant(6)}, Done{}), "RR-FIX-13");
  EXPECT_EQ(JudgeError(ReplayDeadLetterRequest{"a", Instant(6)}, DriverClass::kDeadLetterNotFound), "RR-FIX-13");
  EXPECT_EQ(Judge(ReplayDeadLetterRequest{"a", Instant(6)}, Done{}), kAllowed);
  EXPECT_EQ(Judge(ReplayDeadLetterRequest{"a", Instant(6)}, Done{}), "RR-FIX-13");
  EXPECT_EQ(JudgeError(ReplayDeadLetterRequest{"a", Instant(6)}, DriverClass::kAlreadyReplayed), kAllowed);
  EXPECT_EQ(List(0, {"a"}), kAllowed);
  // A second letter may keep the count of replays or begin anew; both states go on until it shows.
  ASSERT_EQ(Ack("a", Status::kFailed, std::nullopt, 9, {Status::kFailed, std::nullopt, 1}), kAllowed);
  ASSERT_EQ(alternatives.size(), 1u);
  const SpecState other = alternatives[0];
  DeadLetter letter{"a", "terminal_failed", ReplayStatus::kPending, Instant(9), 1};
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {letter}), kAllowed);
  state = other;
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {letter}), "RR-FIX-13");
  letter.replay_count = 0;
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {letter}), kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, RewritesATerminalStatusOnlyToAnotherOne) {
  Enqueue("a");
  ASSERT_EQ(Ack("a", Status::kCompleted, std::nullopt, 5, {Status::kCompleted, std::nullopt, 1}), kAllowed);
  const AckAttemptRequest retry{"a", Status::kFailed, Fixed(1, 3), Instant(6), {}};
  EXPECT_EQ(JudgeError(retry, DriverClass::kAttemptTerminal), kAllowed);
  EXPECT_EQ(JudgeError(retry, DriverClass::kAttemptNotFound), "RR-FIX-8");
  EXPECT_EQ(Judge(retry, {Status::kRetryBackoff, Instant(7), 2}), "RR-INV-6");
  EXPECT_EQ(Ack("a", Status::kCancelled, std::nullopt, 6, {Status::kCancelled, std::nullopt, 1}), kAllowed);
  EXPECT_EQ(StatusIs("a", 1, Status::kCancelled), kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, LingeringLeasesHideAndAreReplaced) {
  Enqueue("a");
  ASSERT_EQ(Claim("a", "w", 50, "L1"), kAllowed);
  ASSERT_EQ(Mark("a", Status::kQueued), kAllowed);
  EXPECT_EQ(List(50, {}), kAllowed);
  EXPECT_EQ(List(50, {"a"}), "RR-LST-7");
  EXPECT_EQ(List(51, {"a"}), kAllowed);
  EXPECT_EQ(List(51, {}), "RR-LST-7");
  now = 50;
  EXPECT_EQ(Claim("a", "w", 90, "L2"), "RR-UPS-9");
  std::vector<EpochMs> deadlines;
  SpecUnderTest::AppendDeadlines(state, &deadlines);
  EXPECT_EQ(deadlines, std::vector<EpochMs>{51});
  now = 51;
  EXPECT_EQ(Refuse("a", "w"), "RR-UPS-9");
  EXPECT_EQ(Claim("a", "w", 90, "L2"), kAllowed);
  EXPECT_EQ(Beat("L1", 51, 60), "RR-HBT-2");
}

TEST_F(RuntimeRepositorySpecTest, SweepsOfMarkedAttemptsLeaveAChoice) {
  Enqueue("a");
  Enqueue("b");
  ASSERT_EQ(Claim("a", "w", 50, "L1"), kAllowed);
  ASSERT_EQ(Claim("b", "w", 50, "L2"), kAllowed);
  ASSERT_EQ(Mark("a", Status::kCompleted), kAllowed);
  ASSERT_EQ(Mark("b", Status::kRetryBackoff), kAllowed);
  const SpecState before = state;
  EXPECT_EQ(Expire(51, 0), "RR-EXP-3");
  EXPECT_EQ(Expire(51, 1), kAllowed);  // without the terminal one (RR-LAT-10)
  state = before;
  EXPECT_EQ(Expire(51, 2), kAllowed);
  ASSERT_EQ(alternatives.size(), 1u);
  const SpecState other = alternatives[0];
  EXPECT_EQ(StatusIs("a", 1, Status::kCompleted), kAllowed);
  EXPECT_EQ(StatusIs("b", 1, Status::kRetryBackoff), kAllowed);
  state = other;
  EXPECT_EQ(StatusIs("b", 1, Status::kQueued), kAllowed);  // RR-LAT-11
}

TEST_F(RuntimeRepositorySpecTest, ARetryAtMayHaveGoneWithTheClaim) {
  Enqueue("a");
  ASSERT_EQ(Ack("a", Status::kFailed, Fixed(100, 3), 0, {Status::kRetryBackoff, Instant(100), 2}), kAllowed);
  now = 100;
  ASSERT_EQ(Claim("a", "w", 10, "L"), kAllowed);
  ASSERT_EQ(Expire(200, 1), kAllowed);
  const AttemptDispatchRecord queued{"a", "r", 2, Status::kQueued, std::nullopt};
  EXPECT_EQ(Peek(ListDispatchableAttemptsRequest{Instant(0), 9}, {queued}), kAllowed);
  ASSERT_EQ(Mark("a", Status::kRetryBackoff), kAllowed);
  ASSERT_EQ(alternatives.size(), 1u);
  const SpecState other = alternatives[0];
  EXPECT_EQ(Peek(ListDispatchableAttemptsRequest{Instant(99), 9}, {}), kAllowed);
  state = other;
  EXPECT_EQ(Peek(ListDispatchableAttemptsRequest{Instant(99), 9}, {{"a", "r", 2, Status::kRetryBackoff, std::nullopt}}),
            kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, BindsAnUnseenLeaseAtFirstSight) {
  Enqueue("a");
  ASSERT_EQ(JudgeUnseen(UpsertLeaseRequest{"a", "w", Instant(50)}), kAllowed);
  EXPECT_EQ(Beat("L", 1, 60), "RR-HBT-2");
  EXPECT_EQ(Judge(GetLeaseForAttemptRequest{"a"}, LeaseOf("a", "w2", 50, "L")), "RR-HBT-6");
  EXPECT_EQ(Judge(GetLeaseForAttemptRequest{"a"}, LeaseOf("a", "w", 50, "L")), kAllowed);
  EXPECT_EQ(Peek(GetLeaseForAttemptRequest{"a"}, LeaseOf("a", "w", 50, "M")), "RR-FIX-9");
  EXPECT_EQ(Beat("L", 1, 60), kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, CountsLeasesThatLive) {
  Enqueue("a");
  ASSERT_EQ(Judge(SetAttemptTenantIdRequest{"a", " t\n"}, Done{}), kAllowed);
  ASSERT_EQ(Claim("a", "w", 50, "L"), kAllowed);
  EXPECT_EQ(Peek(ActiveLeasesForWorkerRequest{"w", Instant(50)}, 1), kAllowed);
  EXPECT_EQ(Peek(ActiveLeasesForWorkerRequest{"w", Instant(50)}, 0), "RR-FIX-15");
  EXPECT_EQ(Peek(ActiveLeasesForTenantRequest{"t", Instant(51)}, 0), kAllowed);
  EXPECT_EQ(Peek(ActiveLeasesForTenantRequest{"t", Instant(50)}, 1), kAllowed);
}

TEST_F(RuntimeRepositorySpecTest, ChecksSettings) {
  const SetAttemptTimeoutPolicyRequest bad{"a", 0, Status::kFailed};
  EXPECT_EQ(JudgeError(bad, DriverClass::kBadPolicy), kAllowed);
  EXPECT_EQ(JudgeError(bad, DriverClass::kAttemptNotFound), kAllowed);
  Enqueue("a");
  EXPECT_EQ(JudgeError(bad, DriverClass::kAttemptNotFound), "RR-FIX-11");
  EXPECT_EQ(Judge(bad, Done{}), "RR-FIX-11");
  EXPECT_EQ(Judge(SetAttemptPriorityRequest{"b", 1}, Done{}), "RR-FIX-11");
  EXPECT_EQ(JudgeError(SetAttemptPriorityRequest{"a", 1}, DriverClass::kAttemptNotFound), "RR-FIX-11");
  EXPECT_EQ(Judge(EnqueueAttemptRequest{"a", "other"}, Done{}), kAllowed);
  EXPECT_EQ(Refused("RR-FIX-2"), 1u);
  EXPECT_EQ(List(0, {"a"}), kAllowed);  // of the run that it was enqueued for
}

// Example 15: a heartbeat and a sweep at once, in the two orders that there are.
TEST_F(RuntimeRepositorySpecTest, HeartbeatAndSweepHaveAnOrder) {
  Enqueue("a");
  ASSERT_EQ(Claim("a", "w", 30'000, "L"), kAllowed);
  const SpecState before = state;
  EXPECT_EQ(Beat("L", 31'000, 61'000), kAllowed);
  EXPECT_EQ(Expire(40'000, 1), "RR-EXP-1");
  EXPECT_EQ(Expire(40'000, 0), kAllowed);
  state = before;
  EXPECT_EQ(Expire(40'000, 1), kAllowed);
  EXPECT_EQ(Beat("L", 31'000, 61'000), "RR-HBT-2");
}

TEST_F(RuntimeRepositorySpecTest, NotApplicableUnderADialect) {
  const auto upstream = Dialects{{"profile", "upstream"}, {"RR-LAT-12", "none"}};
  for (const char* id : {"RR-UPS-7", "RR-SEQ-1", "RR-INV-14"}) {
    const auto clause = static_cast<ClauseIndex>(FindClause(kClauses, id));
    EXPECT_EQ(SpecUnderTest::NotApplicable(clause, {}), "") << id;
    EXPECT_NE(SpecUnderTest::NotApplicable(clause, upstream), "") << id;
  }
}

}  // namespace
}  // namespace leasecheck::runtime_repository
