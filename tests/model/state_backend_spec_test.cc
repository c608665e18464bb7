// The spec of state_backend on hand-written answers: the contract's worked examples, and what is forbidden beside them.
#include <string>

#include "gtest/gtest.h"
#include "tests/model/state_backend_scene.h"

namespace leasecheck::state_backend {
namespace {

class Executions : public Scene {};
class Logs : public Scene {};
class Queue : public Scene {};
class Access : public Scene {};
class Views : public Scene {};

TEST_F(Executions, PatchesGoByTheState) {
  Create(kExecution, std::nullopt, R"({"a":1})");
  const auto patch = [&](const char* key, const char* value) {
    return Judge(PatchAppendArrayRequest{kExecution, key, {value}}, Done{});
  };
  const auto shows = [&](const char* current) {
    WorkflowExecution shown = NewExecution(kExecution, current);
    shown.updated_at = InstantOf(now);
    return Peek(GetExecutionRequest{kExecution}, shown);
  };
  now = 10;
  EXPECT_EQ(patch("log", R"("x")"), kAllowed);
  EXPECT_EQ(patch("log", "[1]"), kAllowed);
  EXPECT_EQ(shows(R"({"a":1,"log":["x",[1]]})"), kAllowed);
  EXPECT_EQ(shows(R"({"a":1,"log":["x",1]})"), "SB-PAT-3");
  EXPECT_EQ(shows(R"({"a":1,"log":["x"]})"), "SB-PAT-3");
  EXPECT_EQ(patch("a", R"("y")"), "SB-PAT-6");
  EXPECT_EQ(JudgeError(PatchAppendArrayRequest{kExecution, "a", {"1"}}, Database{}), kAllowed);
  EXPECT_EQ(patch("a.b", "null"), kAllowed);
  EXPECT_EQ(patch("", "{}"), kAllowed);
  EXPECT_EQ(shows(R"({"":[{}],"a":1,"a.b":[null],"log":["x",[1]]})"), kAllowed);
  EXPECT_EQ(Judge(UpdateExecutionCurrentStateRequest{kExecution, {"7"}}, Done{}), kAllowed);
  EXPECT_EQ(patch("k", "1"), "SB-PAT-7");
  EXPECT_EQ(JudgeError(PatchAppendArrayRequest{kExecution, "k", {"1"}}, Database{}), kAllowed);
  EXPECT_EQ(JudgeError(PatchAppendArrayRequest{kOther, "k", {"1"}}, Database{}), "SB-PAT-1");
}

TEST_F(Executions, AStateUpdateOfAnUnknownOneMaySucceedAndDoesNothing) {
  EXPECT_EQ(JudgeError(UpdateExecutionCurrentStateRequest{kOther, {"{}"}}, NotFound{}), kAllowed);
  EXPECT_EQ(Judge(UpdateExecutionCurrentStateRequest{kOther, {"{}"}}, Done{}), kAllowed);
  EXPECT_EQ(Peek(GetExecutionRequest{kOther}, std::nullopt), kAllowed);
}

TEST_F(Executions, KeysAreEscapedAsCanonicalTextHasThem) {
  Create(kExecution, std::nullopt, R"({"a\"b":[1],"z":"}"})");
  EXPECT_EQ(Judge(PatchAppendArrayRequest{kExecution, "a\"b", {"2"}}, Done{}), kAllowed);
  EXPECT_EQ(Judge(PatchAppendArrayRequest{kExecution, "\n", {"3"}}, Done{}), kAllowed);
  WorkflowExecution shown = NewExecution(kExecution, R"({"\n":[3],"a\"b":[1,2],"z":"}"})");
  EXPECT_EQ(Peek(GetExecutionRequest{kExecution}, shown), kAllowed);
}

TEST_F(Executions, CompletedAtFollowsTheTerminalStatuses) {
  Create(kExecution);
  const auto update = [&](WorkflowStatus status) { return Judge(UpdateExecutionStatusRequest{kExecution, status}, Done{}); };
  const auto shows = [&](WorkflowStatus status, std::optional<Instant> completed) {
    WorkflowExecution shown = NewExecution(kExecution);
    shown.status = status;
    shown.updated_at = InstantOf(now);
    shown.completed_at = completed;
    return Peek(GetExecutionRequest{kExecution}, shown);
  };
  now = 50;
  EXPECT_EQ(update(WorkflowStatus::kCompleted), kAllowed);
  EXPECT_EQ(shows(WorkflowStatus::kCompleted, Instant(50)), kAllowed);
  EXPECT_EQ(shows(WorkflowStatus::kCompleted, std::nullopt), "SB-EXE-7");
  now = 60;
  EXPECT_EQ(update(WorkflowStatus::kRunning), kAllowed);
  EXPECT_EQ(shows(WorkflowStatus::kRunning, Instant(50)), kAllowed);
  EXPECT_EQ(shows(WorkflowStatus::kRunning, std::nullopt), "SB-EXE-7");
  now = 70;
  EXPECT_EQ(update(WorkflowStatus::kFailed), kAllowed);
  EXPECT_EQ(shows(WorkflowStatus::kFailed, Instant(70)), kAllowed);
  EXPECT_EQ(shows(WorkflowStatus::kFailed, Instant(50)), "SB-EXE-7");
  EXPECT_EQ(JudgeError(UpdateExecutionStatusRequest{kExecution, WorkflowStatus::kPending}, Database{}), "SB-EXE-8");
}

TEST_F(Executions, PagesAreOfSomeOrderOfTheTies) {
  const auto make = [&](uint64_t n, int64_t updated) {
    WorkflowExecution execution = NewExecution(Uuid(1, n));
    execution.updated_at = Instant(updated);
    return execution;
  };
  for (uint64_t n = 1; n <= 3; ++n) EXPECT_EQ(Judge(CreateExecutionRequest{make(n, n == 3 ? 9 : 4)}, Done{}), kAllowed);
  const auto page = [&](uint32_t limit, uint32_t offset, std::vector<WorkflowExecution> shown) {
    return Peek(ListExecutionsRequest{std::nullopt, limit, offset}, std::move(shown));
  };
  EXPECT_EQ(page(2, 0, {make(3, 9), make(1, 4)}), kAllowed);
  EXPECT_EQ(page(2, 0, {make(3, 9), make(2, 4)}), kAllowed);
  EXPECT_EQ(page(2, 0, {make(1, 4), make(3, 9)}), "SB-LSE-2");
  EXPECT_EQ(page(2, 0, {make(1, 4), make(2, 4)}), "SB-LSE-2");
  EXPECT_EQ(page(2, 2, {make(1, 4)}), kAllowed);
  EXPECT_EQ(page(2, 2, {}), "SB-LSE-4");
  EXPECT_EQ(page(9, 0, {make(3, 9), make(1, 4), make(1, 4)}), "SB-LSE-3");
  EXPECT_EQ(page(0, 0, {make(3, 9)}), "SB-LSE-5");
  EXPECT_EQ(page(5, 9, {}), kAllowed);
  EXPECT_EQ(page(5, 0, {make(3, 9), make(1, 4)}), "SB-LSE-1");
}

// Where the clock's reading is known within a window, the first answer that shows the instant binds it.
TEST_F(Executions, AnInstantOfAWindowIsBoundAtFirstSight) {
  Create(kExecution);
  now = 100;
  latest = 105;
  EXPECT_EQ(Judge(UpdateExecutionStatusRequest{kExecution, WorkflowStatus::kPaused}, Done{}), kAllowed);
  WorkflowExecution shown = NewExecution(kExecution);
  shown.status = WorkflowStatus::kPaused;
  shown.updated_at = Instant(106);
  EXPECT_EQ(Judge(GetExecutionRequest{kExecution}, shown), "SB-EXE-6");
  shown.updated_at = Instant(103);
  EXPECT_EQ(Judge(GetExecutionRequest{kExecution}, shown), kAllowed);
  shown.updated_at = Instant(104);
  EXPECT_EQ(Judge(GetExecutionRequest{kExecution}, shown), "SB-EXE-6");
}

TEST_F(Executions, ASessionTypeIsKeptOrLostTheSameEveryTime) {
  WorkflowExecution execution = NewExecution(kExecution);
  execution.session_type = SessionType::kEphemeral;
  EXPECT_EQ(Judge(CreateExecutionRequest{execution}, Done{}), kAllowed);
  WorkflowExecution lost = execution;
  lost.session_type.reset();
  EXPECT_EQ(Judge(GetExecutionRequest{kExecution}, lost), kAllowed);
  EXPECT_EQ(Judge(GetExecutionRequest{kExecution}, execution), "SB-LAT-7");
}

TEST_F(Logs, AreNumberedWithoutGaps) {
  Create(kExecution);
  Create(kOther);
  EXPECT_EQ(Append(1, 1), kAllowed);
  EXPECT_EQ(Append(2, 1, kOther), kAllowed);
  EXPECT_EQ(Append(3, 3), "SB-SEQ-2");
  EXPECT_EQ(Judge(AppendEventRequest{NewEvent(4, kExecution, 7)}, 7), "SB-SEQ-1");
  EXPECT_EQ(Append(3, 2), kAllowed);
  EXPECT_EQ(Append(5, 2), "SB-SEQ-4");
  const Event first = NewEvent(1, kExecution, 1);
  const Event second = NewEvent(3, kExecution, 2);
  EXPECT_EQ(Judge(GetEventsRequest{kExecution}, {first, second}), kAllowed);
  EXPECT_EQ(Judge(GetEventsRequest{kExecution}, {second, first}), "SB-EVT-3");
  EXPECT_EQ(Judge(GetEventsRequest{kExecution}, {first}), "SB-EVT-3");
  EXPECT_EQ(Judge(GetEventsSinceRequest{kExecution, 1}, {second}), kAllowed);
  EXPECT_EQ(Judge(GetEventsSinceRequest{kExecution, 1}, {first, second}), "SB-EVT-4");
  EXPECT_EQ(Judge(GetEventsSinceRequest{kExecution, -1}, {first, second}), kAllowed);
  EXPECT_EQ(Judge(LatestSequenceRequest{kExecution}, 1), "SB-SEQ-6");
  EXPECT_EQ(Judge(LatestSequenceRequest{Uuid(9, 9)}, 0), kAllowed);
  EXPECT_EQ(JudgeError(AppendEventRequest{NewEvent(6, kExecution, 0)}, SequenceConflict{}), "SB-SEQ-7");
}

// Ids may be unique in each log only.
TEST_F(Logs, ADuplicateOfAnotherLogIsAnotherChoice) {
  Create(kExecution);
  Create(kOther);
  EXPECT_EQ(Append(1, 1), kAllowed);
  EXPECT_EQ(JudgeError(AppendEventRequest{NewEvent(1, kExecution, 0)}, Database{}), kAllowed);
  EXPECT_EQ(Append(1, 1, kOther), kAllowed);
  EXPECT_EQ(Append(1, 2), "SB-EVT-8");
  EXPECT_EQ(JudgeError(AppendEventRequest{NewEvent(1, kOther, 0)}, Database{}), kAllowed);
}

TEST_F(Logs, ADuplicateIsRefusedOrStoredTheSameEveryTime) {
  Create(kExecution);
  EXPECT_EQ(Append(1, 1), kAllowed);
  EXPECT_EQ(JudgeError(AppendEventRequest{NewEvent(1, kExecution, 0)}, Database{}), kAllowed);
  EXPECT_EQ(Append(1, 2), "SB-EVT-8");
  EXPECT_EQ(Append(2, 3), "SB-SEQ-3");
  EXPECT_EQ(Append(2, 2), kAllowed);
}

TEST_F(Logs, AnUnseenGlobalNumberIsBoundAtFirstSight) {
  dialects["SB-LAT-10"] = "global";
  Create(kExecution);
  EXPECT_EQ(Append(1, 4), kAllowed);
  EXPECT_EQ(JudgeUnseen(AppendEventRequest{NewEvent(2, kExecution, 0)}), kAllowed);
  EXPECT_EQ(Judge(LatestSequenceRequest{kExecution}, 4), "SB-SEQ-6");
  EXPECT_EQ(Judge(LatestSequenceRequest{kExecution}, 9), kAllowed);
  EXPECT_EQ(Judge(GetEventsSinceRequest{kExecution, 4}, {NewEvent(2, kExecution, 9)}), kAllowed);
  EXPECT_EQ(Append(3, 9), "SB-SEQ-4");
}

TEST_F(Logs, AnUnseenGlobalNumberMayStandBehindKnownOnes) {
  dialects["SB-LAT-10"] = "global";
  Create(kExecution);
  EXPECT_EQ(Append(1, 4), kAllowed);
  EXPECT_EQ(JudgeUnseen(AppendEventRequest{NewEvent(2, kExecution, 0)}), kAllowed);
  EXPECT_EQ(Peek(GetEventsRequest{kExecution}, {NewEvent(1, kExecution, 4)}), "SB-EVT-3");
  EXPECT_EQ(Judge(GetEventsRequest{kExecution}, {NewEvent(1, kExecution, 4), NewEvent(2, kExecution, 6)}), kAllowed);
  EXPECT_EQ(Judge(LatestSequenceRequest{kExecution}, 7), "SB-SEQ-6");
}

TEST_F(Logs, TheGreatestSnapshotIsTheLatest) {
  Create(kExecution);
  const auto snapshot = [&](uint64_t n, EventSequence at) {
    return Snapshot{Uuid(4, n), kExecution, at, {std::to_string(n)}, Instant(1)};
  };
  EXPECT_EQ(Judge(LatestSnapshotRequest{kExecution}, std::nullopt), kAllowed);
  EXPECT_EQ(Judge(WriteSnapshotRequest{snapshot(1, 10)}, Done{}), kAllowed);
  EXPECT_EQ(Judge(WriteSnapshotRequest{snapshot(2, 5)}, Done{}), kAllowed);
  EXPECT_EQ(Judge(LatestSnapshotRequest{kExecution}, snapshot(2, 5)), "SB-SNP-2");
  EXPECT_EQ(Judge(LatestSnapshotRequest{kExecution}, snapshot(1, 10)), kAllowed);
  EXPECT_EQ(Judge(WriteSnapshotRequest{snapshot(3, 10)}, Done{}), kAllowed);
  EXPECT_EQ(Judge(LatestSnapshotRequest{kExecution}, snapshot(1, 10)), "SB-SNP-3");
}

TEST_F(Queue, ClaimsGoByCreatedAt) {
  Create(kExecution);
  const WorkItem late = NewItem(Uuid(2, 1), 5);
  WorkItem early = NewItem(Uuid(2, 2), 3);
  Enqueue(late);
  Enqueue(early);
  EXPECT_EQ(ClaimNone("Tool"), kAllowed);
  EXPECT_EQ(Judge(ClaimWorkItemRequest{"w", {}}, std::nullopt), kAllowed);
  EXPECT_EQ(ClaimNone(), "SB-INV-20");
  EXPECT_EQ(Claim(late, "w1"), "SB-CLM-4");
  EXPECT_EQ(Claim(early, "w1"), kAllowed);
  EXPECT_EQ(Claim(early, "w1"), "SB-CLM-7");
  EXPECT_EQ(Claim(late, "w1"), kAllowed);
  EXPECT_EQ(ClaimNone(), kAllowed);
}

// Worked example 8 and 9.
TEST_F(Queue, AnItemIsReclaimedUntilItIsExhausted) {
  Create(kExecution);
  const WorkItem item = NewItem(kItem);
  Enqueue(item);
  EXPECT_EQ(Claim(item, "w1"), kAllowed);
  now = 20'000;
  EXPECT_EQ(Judge(RenewLeaseRequest{kItem, "w1"}, Done{}), kAllowed);
  EXPECT_EQ(JudgeError(RenewLeaseRequest{kItem, "w2"}, NotFound{}), kAllowed);
  now = 50'000;
  EXPECT_EQ(ReclaimNone(), kAllowed);
  EXPECT_EQ(Retry(item, 1), "SB-RCL-1");
  now = 50'001;
  EXPECT_EQ(ReclaimNone(), "SB-RCL-1");
  EXPECT_EQ(Exhaust(item, 1), "SB-RCL-3");
  EXPECT_EQ(Retry(item, 0), "SB-RCL-2");
  EXPECT_EQ(Retry(item, 1), kAllowed);
  EXPECT_EQ(Retry(item, 2), "SB-RCL-10");
  EXPECT_EQ(Judge(RenewLeaseRequest{kItem, "w1"}, Done{}), "SB-REN-5");
  now = 52'000;
  EXPECT_EQ(Claim(item, "w1", 1), "SB-RCL-6");
  EXPECT_EQ(ClaimNone(), kAllowed);
  now = 52'001;
  EXPECT_EQ(ClaimNone(), "SB-CLM-3");
  EXPECT_EQ(Claim(item, "w1", 0), "SB-RCL-2");
  EXPECT_EQ(Claim(item, "w2", 1), kAllowed);
  now = 82'002;
  EXPECT_EQ(Retry(item, 2), kAllowed);
  now = 90'000;
  EXPECT_EQ(Claim(item, "w2", 2), kAllowed);
  now = 130'000;
  EXPECT_EQ(Retry(item, 3), "SB-RCL-4");
  EXPECT_EQ(Exhaust(item, 3), kAllowed);
  EXPECT_EQ(Claim(item, "w2", 3), "SB-RCL-4");
  EXPECT_EQ(JudgeError(CompleteWorkItemRequest{kItem}, NotFound{}), kAllowed);
  EXPECT_EQ(Letters({}), "SB-RCL-4");
  EXPECT_EQ(Letters({{kItem, 3, "lease expired", Instant(130'000)}}), kAllowed);
}

TEST_F(Queue, ACompletedItemStaysSo) {
  Create(kExecution);
  const WorkItem item = NewItem(kItem);
  Enqueue(item);
  EXPECT_EQ(Claim(item, "w1"), kAllowed);
  now = 40'000;
  EXPECT_EQ(Judge(CompleteWorkItemRequest{kItem}, Done{}), kAllowed);
  EXPECT_EQ(Retry(item, 1), "SB-CMP-7");
  EXPECT_EQ(ReclaimNone(), kAllowed);
  EXPECT_EQ(Claim(item, "w2"), "SB-CMP-1");
  EXPECT_EQ(Judge(CompleteWorkItemRequest{kItem}, Done{}), kAllowed);
  EXPECT_EQ(JudgeError(CompleteWorkItemRequest{kItem}, NotFound{}), "SB-CMP-4");
  EXPECT_EQ(JudgeError(FailWorkItemRequest{kItem, "boom"}, NotFound{}), kAllowed);
  EXPECT_EQ(JudgeError(MoveToDeadLetterRequest{kItem, "boom"}, NotFound{}), kAllowed);
  EXPECT_EQ(Judge(EnqueueWorkItemRequest{item}, kItem), "SB-ENQ-4");
  EXPECT_EQ(Letters({{kItem, 0, "boom", Instant(40'000)}}), "SB-DLQ-4");
}

// SB-LAT-21: a store that drops the text still has the one that was there.
TEST_F(Queue, ADroppedTextLeavesTheOneBefore) {
  Create(kExecution);
  const WorkItem item = NewItem(kItem, 1, 1);
  Enqueue(item);
  EXPECT_EQ(Claim(item, "w1"), kAllowed);
  now = 30'001;
  EXPECT_EQ(Exhaust(item, 1), kAllowed);
  EXPECT_EQ(Judge(MoveToDeadLetterRequest{kItem, "boom"}, Done{}), kAllowed);
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {{kItem, 1, "lease expired", Instant(30'001)}}), kAllowed);
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {{kItem, 1, "boom", Instant(30'001)}}), kAllowed);
  const Uuid failed(2, 7);
  Enqueue(NewItem(failed));
  EXPECT_EQ(Judge(FailWorkItemRequest{failed, "first"}, Done{}), kAllowed);
  EXPECT_EQ(Judge(MoveToDeadLetterRequest{failed, "second"}, Done{}), kAllowed);
  const DeadLetter exhausted{kItem, 1, "boom", Instant(30'001)};
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {exhausted, {failed, 0, "first", Instant(30'001)}}), kAllowed);
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {exhausted, {failed, 0, "second", Instant(30'001)}}), kAllowed);
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {exhausted, {failed, 0, "third", Instant(30'001)}}), "SB-DLQ-1");
}

// SB-LAT-23: whether the dead letter of the item before goes is not said.
TEST_F(Queue, UnderThePresetMemoryAnIdTakenAgainMayKeepItsLetter) {
  dialects["preset"] = "memory";
  Create(kExecution);
  Enqueue(NewItem(kItem));
  EXPECT_EQ(Judge(MoveToDeadLetterRequest{kItem, "why"}, Done{}), kAllowed);
  Enqueue(NewItem(kItem));
  const DeadLetter before{kItem, 0, "why", Instant(0)};
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {before}), kAllowed);
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {}), kAllowed);
  now = 5;
  EXPECT_EQ(Judge(MoveToDeadLetterRequest{kItem, "again"}, Done{}), kAllowed);
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {before, {kItem, 0, "again", Instant(5)}}), kAllowed);
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {{kItem, 0, "other", Instant(5)}}), "SB-DLQ-1");
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {}), "SB-DLQ-1");
}

// Under the preset sqlite a settled item may be rewritten; the list of dead letters tells.
TEST_F(Queue, ARewrittenItemIsToldByTheDeadLetters) {
  dialects["preset"] = "sqlite";
  Create(kExecution);
  Enqueue(NewItem(kItem));
  EXPECT_EQ(Judge(MoveToDeadLetterRequest{kItem, "why"}, Done{}), kAllowed);
  EXPECT_EQ(Judge(CompleteWorkItemRequest{kItem}, Done{}), kAllowed);
  EXPECT_EQ(Peek(ListDeadLettersRequest{}, {{kItem, 0, "why", Instant(0)}}), kAllowed);
  EXPECT_EQ(Letters({}), kAllowed);
  EXPECT_EQ(Letters({{kItem, 0, "why", Instant(0)}}), "SB-DLQ-4");
}

TEST_F(Queue, StealingTakesEveryExpiredItemBack) {
  Create(kExecution);
  const WorkItem item = NewItem(kItem);
  Enqueue(item);
  EXPECT_EQ(Claim(item, "w1"), kAllowed);
  now = 31'000;
  EXPECT_EQ(Claim(item, "w2"), "SB-CLM-9");
  EXPECT_EQ(hits.held(Clause<"SB-LAT-16">()), 0u);
  dialects["SB-LAT-16"] = "stealing";
  EXPECT_EQ(Claim(item, "w2"), kAllowed);
  EXPECT_EQ(hits.held(Clause<"SB-LAT-16">()), 1u);  // which the report warns of
  EXPECT_EQ(JudgeError(RenewLeaseRequest{kItem, "w1"}, NotFound{}), kAllowed);
  EXPECT_EQ(Judge(RenewLeaseRequest{kItem, "w2"}, Done{}), kAllowed);
}

TEST_F(Queue, ABoundedBackoffIsLearntFromTheClaims) {
  dialects["SB-LAT-17"] = "bounded";
  Create(kExecution);
  const WorkItem item = NewItem(kItem);
  Enqueue(item);
  EXPECT_EQ(Claim(item, "w1"), kAllowed);
  now = 30'001;
  EXPECT_EQ(Retry(item, 1), kAllowed);
  now = 31'000;
  EXPECT_EQ(ClaimNone(), kAllowed);
  EXPECT_EQ(Claim(item, "w1", 1), "SB-RCL-6");  // it was not eligible a moment ago
  now = 94'001;
  EXPECT_EQ(ClaimNone(), "SB-CLM-3");
  EXPECT_EQ(Claim(item, "w1", 1), kAllowed);
}

TEST_F(Queue, AnUnseenClaimMayHaveTakenAnythingThatWasDue) {
  Create(kExecution);
  const WorkItem a = NewItem(Uuid(2, 1), 3);
  const WorkItem b = NewItem(Uuid(2, 2), 3);
  Enqueue(a);
  Enqueue(b);
  Enqueue(NewItem(Uuid(2, 3), 4));
  EXPECT_EQ(JudgeUnseen(ClaimWorkItemRequest{"w1", {"tool"}}), kAllowed);
  EXPECT_EQ(alternatives.size(), 1u);
}

TEST_F(Queue, ARequeuedItemMayGainTheErrorTheSameEveryTime) {
  dialects["SB-LAT-20"] = "requeue";
  Create(kExecution);
  WorkItem item = NewItem(kItem);
  item.payload = {R"({"i":1})"};
  Enqueue(item);
  EXPECT_EQ(Claim(item, "w1"), kAllowed);
  EXPECT_EQ(Judge(FailWorkItemRequest{kItem, "bo\"om"}, Done{}), kAllowed);
  WorkItem gained = item;
  gained.payload = {R"({"i":1,"last_error":"bo\"om"})"};
  EXPECT_EQ(Claim(gained, "w2", 0), "SB-RCL-2");
  EXPECT_EQ(Claim(gained, "w2", 1), kAllowed);
  EXPECT_EQ(Judge(FailWorkItemRequest{kItem, "x"}, Done{}), kAllowed);
  EXPECT_EQ(Claim(item, "w2", 2), "SB-ENQ-3");
}

TEST_F(Access, ATokenIsValidUntilItsExpiry) {
  CreatedToken created;
  created.plaintext = Secret("jj_0123456789abcdef0123456789abcdef");
  created.info = {"id", "ci", "developer", Instant(0), std::nullopt, "default"};
  EXPECT_EQ(Judge(CreateTokenRequest{"ci", "developer"}, created), kAllowed);
  const auto shows = [&](std::optional<Instant> expires) {
    ApiToken info = created.info;
    info.expires_at = expires;
    return Judge(ValidateTokenRequest{created.plaintext}, info);
  };
  EXPECT_EQ(shows(std::nullopt), kAllowed);
  EXPECT_EQ(Judge(ValidateTokenRequest{Secret("jj_")}, created.info), "SB-TOK-5");
  EXPECT_EQ(Judge(ExpireTokenRequest{"id", Instant(100)}, Done{}), kAllowed);
  now = 99;
  EXPECT_EQ(shows(Instant(100)), kAllowed);
  now = 100;
  EXPECT_EQ(shows(Instant(100)), "SB-TOK-8");
  EXPECT_EQ(Judge(ValidateTokenRequest{created.plaintext}, std::nullopt), kAllowed);
  EXPECT_EQ(Judge(CreateTokenRequest{"ci", "developer"}, created), "SB-INV-17");
}

TEST_F(Access, ATokensTextIsInNoExplanation) {
  CreatedToken created;
  created.plaintext = Secret("JJ_0123456789abcdef0123456789abcdef");
  created.info = {"id", "ci", "r", Instant(0), std::nullopt, "default"};
  EXPECT_EQ(Judge(CreateTokenRequest{"ci", "r"}, created), "SB-TOK-1");
  const Outcome outcome(std::in_place_index<0>,
                        ResponseOf<Family>(std::in_place_index<OperationIndexOf<Family, CreateTokenRequest>()>, created));
  const std::string why = StateBackendSpec::Explain(state, Request(CreateTokenRequest{"ci", "r"}), outcome, now, Context());
  EXPECT_EQ(why.find("0123456789abcdef"), std::string::npos);
}

TEST_F(Access, AFreshStoreHasADefaultTenantOrNone) {
  Tenant seeded;
  seeded.id = "default";
  seeded.name = "Default";
  EXPECT_EQ(Peek(GetTenantRequest{"default"}, seeded), kAllowed);
  EXPECT_EQ(Judge(ListTenantsRequest{}, {}), kAllowed);
  EXPECT_EQ(Judge(GetTenantRequest{"default"}, seeded), "SB-TEN-3");
  EXPECT_EQ(Judge(CreateTenantRequest{seeded}, Done{}), kAllowed);
  EXPECT_EQ(Judge(CreateTenantRequest{seeded}, Done{}), "SB-TEN-2");
}

TEST_F(Access, AnUpdateOfAnUnreadDefaultTenantLeavesItsBirthOpen) {
  Tenant given;
  given.id = "default";
  given.name = "n";
  given.created_at = Instant(7);
  EXPECT_EQ(Judge(UpdateTenantRequest{given}, Done{}), kAllowed);
  Tenant shown = given;
  shown.created_at = Instant(0);
  EXPECT_EQ(Judge(GetTenantRequest{"default"}, shown), kAllowed);
  EXPECT_EQ(Judge(GetTenantRequest{"default"}, given), "SB-TEN-4");
}

// Worked example 17.
TEST_F(Views, SeeTheirOwnOnly) {
  CreateTenant("alpha");
  CreateTenant("bravo");
  Create(kExecution, View("alpha"));
  EXPECT_EQ(Append(1, 1, kExecution, View("alpha")), kAllowed);
  Enqueue(NewItem(kItem), View("alpha"));
  const View bravo("bravo");
  EXPECT_EQ(Judge(GetExecutionRequest{kExecution, bravo}, std::nullopt), kAllowed);
  EXPECT_EQ(Judge(GetExecutionRequest{kExecution, bravo}, NewExecution(kExecution)), "SB-TEN-10");
  EXPECT_EQ(Judge(LatestSequenceRequest{kExecution, bravo}, 1), "SB-TEN-10");
  EXPECT_EQ(Append(2, 2, kExecution, bravo), "SB-TEN-13");
  EXPECT_EQ(JudgeError(AppendEventRequest{NewEvent(2, kExecution, 0), bravo}, Database{}), kAllowed);
  EXPECT_EQ(Append(3, 1, kExecution, View("ghost")), "SB-TEN-12");
  EXPECT_EQ(JudgeError(CompleteWorkItemRequest{kItem, bravo}, NotFound{}), kAllowed);
  EXPECT_EQ(Judge(ClaimWorkItemRequest{"w", {"tool"}, bravo}, std::nullopt), kAllowed);
  WorkItem shown = NewItem(kItem);
  shown.tenant_id = "alpha";
  EXPECT_EQ(Peek(ClaimWorkItemRequest{"w", {"tool"}, bravo}, Claimed(shown, "w")), "SB-TEN-10");
  EXPECT_EQ(Peek(ClaimWorkItemRequest{"w", {"tool"}}, Claimed(NewItem(kItem), "w")), "SB-TEN-15");
  EXPECT_EQ(Judge(ClaimWorkItemRequest{"w", {"tool"}}, Claimed(shown, "w")), kAllowed);
  EXPECT_EQ(Append(2, 2, kExecution, View("alpha")), kAllowed);
}

TEST_F(Views, OfNobodyFindAndMakeNothing) {
  const View ghost("ghost");
  EXPECT_EQ(Judge(CreateExecutionRequest{NewExecution(kExecution), ghost}, Done{}), "SB-TEN-12");
  EXPECT_EQ(JudgeError(CreateExecutionRequest{NewExecution(kExecution), ghost}, Database{}), kAllowed);
  EXPECT_EQ(JudgeError(StoreWorkflowRequest{WorkflowDefinition(), ghost}, Database{}), kAllowed);
  EXPECT_EQ(JudgeError(RenewLeaseRequest{kItem, "w", ghost}, NotFound{}), kAllowed);
  EXPECT_EQ(Judge(ListExecutionsRequest{std::nullopt, 9, 0, ghost}, {}), kAllowed);
}

}  // namespace
}  // namespace leasecheck::state_backend
