// The worked examples of state-backend.md, 6, by their numbers (18 to 20, the races, are in the stores' concurrent tests), and
// then the clauses of 3, by their ids.
#include "tests/support/state_backend_suite.h"

#include <limits>
#include <set>

#include "model/state_backend/tenant_view.h"

namespace leasecheck::state_backend {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

using Status = WorkflowStatus;

TEST_P(StateBackendSuite, Example1Numbers) {
  CreateAll({1});
  EXPECT_EQ(Append(1, 1, 3), 1);
  EXPECT_EQ(Append(2, 1, 1), 2);
  EXPECT_EQ(Append(3, 1, 2), 3);
  EXPECT_THAT(Events(), ElementsAre(1, 2, 3));
  EXPECT_THAT(EventsSince(1), ElementsAre(2, 3));
  EXPECT_EQ(Latest(), 3);
  EXPECT_EQ(Latest(9), 0);
}

TEST_P(StateBackendSuite, Example2NumbersAreAnExecutions) {
  CreateAll({1, 2});
  EXPECT_EQ(Append(1, 1), 1);
  EXPECT_EQ(Append(2, 2), 1);
  EXPECT_EQ(Append(3, 1), 2);
}

TEST_P(StateBackendSuite, Example3LatestSnapshot) {
  CreateAll({1});
  EXPECT_TRUE(Write(SnapshotAt(10)).has_value());
  EXPECT_TRUE(Write(SnapshotAt(5)).has_value());
  EXPECT_EQ(LatestSnap(), SnapshotAt(10));
  EXPECT_TRUE(Write(SnapshotAt(10, "{\"v\":2}")).has_value());
  EXPECT_EQ(LatestSnap(), SnapshotAt(10, "{\"v\":2}"));
}

TEST_P(StateBackendSuite, Example4Patches) {
  CreateAll({1});
  EXPECT_TRUE(SetState(1, "{\"a\":1}").has_value());
  EXPECT_TRUE(Patch(1, "log", "\"x\"").has_value());
  EXPECT_EQ(State(1), "{\"a\":1,\"log\":[\"x\"]}");
  EXPECT_TRUE(Patch(1, "log", "[1]").has_value());
  EXPECT_EQ(State(1), "{\"a\":1,\"log\":[\"x\",[1]]}");
  EXPECT_TRUE(FailedWith<Database>(Patch(1, "a", "\"y\"")));
  EXPECT_EQ(State(1), "{\"a\":1,\"log\":[\"x\",[1]]}");
  EXPECT_TRUE(SetState(1, "7").has_value());
  EXPECT_TRUE(FailedWith<Database>(Patch(1, "k", "1")));
  EXPECT_EQ(State(1), "7");
}

TEST_P(StateBackendSuite, Example5Lists) {
  for (const uint64_t n : {1, 2, 3}) EXPECT_TRUE(Create(Execution(n, static_cast<double>(n))).has_value());
  EXPECT_THAT(List({}, 2, 0), ElementsAre(3, 2));
  EXPECT_THAT(List({}, 2, 2), ElementsAre(1));
  EXPECT_THAT(List({}, 0, 0), IsEmpty());
  EXPECT_THAT(List({}, 5, 9), IsEmpty());
  SetClock(10);
  EXPECT_TRUE(SetStatus(1, Status::kRunning).has_value());
  EXPECT_THAT(List({}, 1, 0), ElementsAre(1));
}

TEST_P(StateBackendSuite, Example6CompletedAt) {
  CreateAll({1});
  SetClock(50);
  EXPECT_TRUE(SetStatus(1, Status::kCompleted).has_value());
  EXPECT_EQ(Get(1)->completed_at, At(50));
  SetClock(60);
  EXPECT_TRUE(SetStatus(1, Status::kRunning).has_value());
  EXPECT_EQ(Get(1)->status, Status::kRunning);
  EXPECT_EQ(Get(1)->completed_at, At(50));
  SetClock(70);
  EXPECT_TRUE(SetStatus(1, Status::kFailed).has_value());
  EXPECT_EQ(Get(1)->completed_at, At(70));
}

TEST_P(StateBackendSuite, Example7ClaimsAreByCreation) {
  CreateAll({1});
  SetClock(10);
  Enqueue(Item(1, 5, "tool"));
  Enqueue(Item(2, 3, "model"));
  EXPECT_EQ(Claimed({"tool", "model"}), 2u);
  EXPECT_EQ(Claimed({"tool"}), 1u);
  EXPECT_EQ(Claimed({"tool", "model"}), 0u);
  EXPECT_EQ(Claimed({}), 0u);
  EXPECT_EQ(Claimed({"Tool"}), 0u);
}

TEST_P(StateBackendSuite, Examples8And9LeasesRunOut) {
  CreateAll({1});
  Enqueue(Item(1));
  EXPECT_EQ(Claim()->lease_expires_at, At(30));
  SetClock(20);
  EXPECT_TRUE(Renew(1).has_value());
  SetClock(50);
  EXPECT_EQ(Reclaim(), ReclaimResult{});
  SetClock(51);
  const ReclaimResult first = Reclaim();
  ASSERT_THAT(first.retryable, SizeIs(1));
  EXPECT_THAT(first.exhausted, IsEmpty());
  EXPECT_EQ(first.retryable[0].attempt, 1u);
  SetClock(52.999);
  EXPECT_EQ(Claimed(), 0u);
  SetClock(53);
  const WorkItem again = Claim().value();
  EXPECT_EQ(again.attempt, 1u);
  EXPECT_EQ(again.lease_expires_at, At(83));
  SetClock(84);
  EXPECT_EQ(Reclaim().retryable.at(0).attempt, 2u);
  SetClock(87.999);
  EXPECT_EQ(Claimed(), 0u);
  SetClock(88);
  EXPECT_EQ(Claim()->lease_expires_at, At(118));
  SetClock(119);
  const ReclaimResult last = Reclaim();
  EXPECT_THAT(last.retryable, IsEmpty());
  ASSERT_THAT(last.exhausted, SizeIs(1));
  EXPECT_EQ(last.exhausted[0].attempt, 3u);
  SetClock(100000);
  EXPECT_EQ(Claimed(), 0u);
  EXPECT_TRUE(FailedWith<NotFound>(Renew(1)));
  EXPECT_TRUE(FailedWith<NotFound>(Complete(1)));
  EXPECT_EQ(Letters(), (std::vector<DeadLetter>{{I(1), 3, std::string(kLeaseExpiredError), At(119)}}));
}

TEST_P(StateBackendSuite, Example10FewAttempts) {
  CreateAll({1});
  for (const uint32_t most : {0u, 1u}) {
    WorkItem item = Item(1 + most);
    item.max_attempts = most;
    Enqueue(item);
    EXPECT_TRUE(Claim().has_value());
  }
  SetClock(31);
  const ReclaimResult result = Reclaim();
  EXPECT_THAT(result.retryable, IsEmpty());
  EXPECT_THAT(NumbersOf(result.exhausted), ElementsAre(1, 2));
  EXPECT_EQ(result.exhausted[1].attempt, 1u);
}

TEST_P(StateBackendSuite, Examples11And12RenewAfterTheEnd) {
  CreateAll({1});
  Enqueue(Item(1));
  EXPECT_EQ(Claimed(), 1u);
  EXPECT_TRUE(FailedWith<NotFound>(Renew(1, "w2")));
  SetClock(31);
  EXPECT_EQ(Claimed({"tool"}, "w2"), 0u) << "nothing is stolen";
  SetClock(40);
  EXPECT_TRUE(Renew(1).has_value());
  SetClock(41);
  EXPECT_EQ(Reclaim(), ReclaimResult{});
  SetClock(70.001);
  EXPECT_THAT(Retryable(), ElementsAre(1));
  EXPECT_TRUE(FailedWith<NotFound>(Renew(1)));
}

TEST_P(StateBackendSuite, Example13Failing) {
  CreateAll({1});
  Enqueue(Item(1));
  EXPECT_EQ(Claimed(), 1u);
  EXPECT_TRUE(Fail(1).has_value());
  SetClock(1000);
  EXPECT_EQ(Claimed(), 0u);
  EXPECT_EQ(Reclaim(), ReclaimResult{});
  EXPECT_TRUE(FailedWith<NotFound>(Renew(1)));
  EXPECT_TRUE(Fail(1).has_value());
  EXPECT_TRUE(Bury(1, "boom").has_value());
  EXPECT_EQ(Letters(), (std::vector<DeadLetter>{{I(1), 0, "boom", At(1000)}}));
}

TEST_P(StateBackendSuite, Example14Settling) {
  CreateAll({1});
  Enqueue(Item(1));
  EXPECT_EQ(Claimed(), 1u);
  EXPECT_TRUE(Complete(1).has_value());
  EXPECT_TRUE(Complete(1).has_value());
  EXPECT_TRUE(FailedWith<NotFound>(Fail(1)));
  EXPECT_TRUE(FailedWith<NotFound>(Bury(1, "late")));
  EXPECT_TRUE(FailedWith<Database>(TryEnqueue(Item(1))));
  EXPECT_TRUE(FailedWith<NotFound>(Complete(77)));
  EXPECT_TRUE(FailedWith<NotFound>(Fail(77)));
  EXPECT_TRUE(FailedWith<NotFound>(Bury(77, "")));
  SetClock(1000);
  EXPECT_EQ(Reclaim(), ReclaimResult{});
  EXPECT_EQ(Claimed(), 0u);
  EXPECT_THAT(Letters(), IsEmpty());
}

TEST_P(StateBackendSuite, Example15Tokens) {
  SetClock(5);
  const CreatedToken created = Token();
  EXPECT_THAT(created.plaintext.text, MatchesRegex("jj_[0-9a-f]{64}"));
  EXPECT_EQ(created.info, (ApiToken{created.info.id, "ci", "developer", At(5), std::nullopt, "default"}));
  EXPECT_EQ(Validate(created.plaintext.text), created.info);
  EXPECT_EQ(Validate("jj_"), std::nullopt);
  EXPECT_TRUE(store().ExpireToken({created.info.id, At(100)}).has_value());
  SetClock(99.999);
  EXPECT_TRUE(Validate(created.plaintext.text).has_value());
  SetClock(100);
  EXPECT_EQ(Validate(created.plaintext.text), std::nullopt);
}

TEST_P(StateBackendSuite, Example16Tenants) {
  EXPECT_THAT(store().ListTenants({}).value(), SizeIs(1));
  EXPECT_EQ(GetTenant("default")->name, "Default");
  Tenant acme = TenantOf("acme", 7);
  acme.policy = Json("{\"p\":1}");
  acme.limits.emplace().max_workflows = 3;
  acme.limits->max_tokens_per_month = std::numeric_limits<uint64_t>::max();
  acme.limits->max_cost_per_month_usd = 0.25;
  EXPECT_TRUE(AddTenant(acme).has_value());
  EXPECT_EQ(GetTenant("acme"), acme);
  EXPECT_TRUE(FailedWith<Database>(AddTenant(TenantOf("acme", 9))));
  EXPECT_TRUE(FailedWith<Database>(AddTenant(TenantOf("default"))));
  EXPECT_EQ(GetTenant("acme"), acme);
  EXPECT_TRUE(FailedWith<NotFound>(store().UpdateTenant({TenantOf("ghost")})));
  EXPECT_EQ(GetTenant("ghost"), std::nullopt);
  Tenant suspended = TenantOf("acme", 20);
  suspended.status = TenantStatus::kSuspended;
  EXPECT_TRUE(store().UpdateTenant({suspended}).has_value());
  suspended.created_at = acme.created_at;
  EXPECT_EQ(GetTenant("acme"), suspended) << "the policy is cleared, and created_at stays";
  Through("acme");
  CreateAll({1});
  Enqueue(Item(1));
  EXPECT_EQ(Claimed(), 1u) << "a status is not enforced";
}

TEST_P(StateBackendSuite, Example17Views) {
  EXPECT_TRUE(AddTenant(TenantOf("alpha")).has_value());
  EXPECT_TRUE(AddTenant(TenantOf("bravo")).has_value());
  Through("alpha");
  CreateAll({1});
  EXPECT_EQ(Append(1), 1);
  Enqueue(Item(1));
  Through("bravo");
  EXPECT_EQ(Get(1), std::nullopt);
  EXPECT_THAT(Events(), IsEmpty());
  EXPECT_THAT(EventsSince(-1), IsEmpty());
  EXPECT_EQ(Latest(), 0);
  EXPECT_TRUE(FailedWith<Database>(TryAppend(EventOf(2))));
  EXPECT_TRUE(FailedWith<Database>(Write(SnapshotAt(1))));
  EXPECT_TRUE(FailedWith<Database>(TryEnqueue(Item(2))));
  EXPECT_TRUE(FailedWith<NotFound>(SetStatus(1, Status::kFailed)));
  EXPECT_TRUE(FailedWith<NotFound>(SetState(1, "1")));
  EXPECT_TRUE(FailedWith<NotFound>(Patch(1, "k", "1")));
  EXPECT_TRUE(FailedWith<NotFound>(Complete(1)));
  EXPECT_TRUE(FailedWith<NotFound>(Fail(1)));
  EXPECT_TRUE(FailedWith<NotFound>(Bury(1, "")));
  EXPECT_EQ(Claimed(), 0u);
  EXPECT_TRUE(FailedWith<Database>(Create(Execution(1)))) << "ids are unique over tenants";
  Through("alpha");
  EXPECT_EQ(Append(3), 2);
  EXPECT_EQ(LatestSnap(), std::nullopt);
  EXPECT_EQ(Claimed(), 1u);
  Through("bravo");
  EXPECT_TRUE(FailedWith<NotFound>(Renew(1)));
  SetClock(31);
  EXPECT_EQ(Reclaim(), ReclaimResult{});
  Through("alpha");
  EXPECT_THAT(Retryable(), ElementsAre(1));
}

TEST_P(StateBackendSuite, WfDefinitions) {
  const auto find = [this](const std::string& version, std::optional<TenantId> view = {}) {
    return store().GetWorkflow({"flow", version, std::move(view)}).value();
  };
  EXPECT_TRUE(AddTenant(TenantOf("alpha")).has_value());
  EXPECT_EQ(find("1.0.0"), std::nullopt);
  WorkflowDefinition one{"flow", "1.0.0", Json("{\"a\":1}"), At(3), "default"};
  EXPECT_TRUE(store().StoreWorkflow({one}).has_value());
  EXPECT_EQ(find("1.0.0"), one);
  EXPECT_EQ(find("2.0.0"), std::nullopt);
  EXPECT_EQ(find("1.0"), std::nullopt);
  EXPECT_EQ(find("1.0.0", "alpha"), std::nullopt);
  one = {"flow", "1.0.0", Json("null"), At(9), "default"};
  EXPECT_TRUE(store().StoreWorkflow({one}).has_value());
  EXPECT_EQ(find("1.0.0"), one) << "all of it is replaced";
  WorkflowDefinition own{"flow", "1.0.0", Json("2"), At(1), "somebody else's"};
  EXPECT_TRUE(store().StoreWorkflow({own, "alpha"}).has_value());
  own.tenant_id = "alpha";
  EXPECT_EQ(find("1.0.0", "alpha"), own) << "a view puts its own tenant in";
  EXPECT_EQ(find("1.0.0", "default"), one);
  EXPECT_TRUE(find("1.0.0") == own || find("1.0.0") == one);
  one.tenant_id = "ghost";
  EXPECT_TRUE(FailedWith<Database>(store().StoreWorkflow({one})));
  EXPECT_TRUE(FailedWith<Database>(store().StoreWorkflow({own, "ghost"})));
  EXPECT_EQ(find("1.0.0", "ghost"), std::nullopt);
}

TEST_P(StateBackendSuite, ExeRecords) {
  WorkflowExecution all = Execution(1, 5, Status::kLimitExceeded);
  all.workflow_id = "";
  all.initial_input = Json("[1,null,{\"k\":\"\\\"\"}]");
  all.current_state = Json("\"text\"");
  all.started_at = At(-3);
  all.completed_at = At(2);
  all.session_type = SessionType::kApprovalGated;
  EXPECT_TRUE(Create(all).has_value());
  EXPECT_EQ(Get(1), all);
  EXPECT_TRUE(FailedWith<Database>(Create(Execution(1))));
  EXPECT_EQ(Get(1), all);
  EXPECT_EQ(Get(2), std::nullopt);
  EXPECT_TRUE(FailedWith<NotFound>(SetStatus(2, Status::kPaused)));
  EXPECT_TRUE(FailedWith<NotFound>(SetState(2, "1")));
  EXPECT_TRUE(FailedWith<NotFound>(Patch(2, "k", "1")));
  SetClock(8);
  EXPECT_TRUE(SetState(1, "null").has_value());
  all.current_state = Json("null");
  all.updated_at = At(8);
  EXPECT_EQ(Get(1), all);
  // No move is refused, and only terminal ones set completed_at.
  for (const auto& from : kWords<Status>) {
    for (const auto& to : kWords<Status>) {
      EXPECT_TRUE(SetStatus(1, from.value).has_value());
      SetClock(9);
      const std::optional<Instant> before = Get(1)->completed_at;
      EXPECT_TRUE(SetStatus(1, to.value).has_value());
      EXPECT_EQ(Get(1)->status, to.value);
      EXPECT_EQ(Get(1)->completed_at, IsTerminal(to.value) ? std::optional<Instant>(At(9)) : before);
    }
  }
}

TEST_P(StateBackendSuite, PatKeysAreNames) {
  CreateAll({1});
  SetClock(4);
  for (const char* key : {"b", "", "a.b", "a/b", "\x01\x1f\"\\\n", "\xc3\xa9", "a", "b", ""}) {
    EXPECT_TRUE(Patch(1, key, "null").has_value()) << key;
  }
  EXPECT_EQ(State(1), R"({"":[null,null],"\u0001\u001f\"\\\n":[null],"a":[null],"a.b":[null],"a/b":[null],"b":[null,null],)"
                      "\"\xc3\xa9\":[null]}");
  EXPECT_EQ(Get(1)->updated_at, At(4));
  for (const char* member : {"null", "{}", "\"[\"", "true", "0.5"}) {
    const std::string state = std::string("{\"a\":[\"]}\",{\"k\":[]}],\"k\":") + member + ",\"z\":{\"k\":[1]}}";
    EXPECT_TRUE(SetState(1, state).has_value());
    EXPECT_TRUE(FailedWith<Database>(Patch(1, "k", "1"))) << member;
    EXPECT_EQ(State(1), state);
    EXPECT_TRUE(Patch(1, "a", "{\"deep\":[[]]}").has_value());
    EXPECT_EQ(State(1), std::string("{\"a\":[\"]}\",{\"k\":[]},{\"deep\":[[]]}],\"k\":") + member + ",\"z\":{\"k\":[1]}}");
  }
  for (const char* state : {"null", "[]", "[[]]", "\"{}\"", "1"}) {
    EXPECT_TRUE(SetState(1, state).has_value());
    EXPECT_TRUE(FailedWith<Database>(Patch(1, "k", "1"))) << state;
    EXPECT_EQ(State(1), state);
  }
}

TEST_P(StateBackendSuite, LsePages) {
  for (uint64_t n = 1; n <= 7; ++n) {
    EXPECT_TRUE(Create(Execution(n, static_cast<double>(n % 3), n % 2 == 0 ? Status::kRunning : Status::kPaused)).has_value());
  }
  const Numbers all = List({}, 100, 0);
  EXPECT_THAT(all, SizeIs(7));
  Numbers paged;
  for (uint32_t offset = 0; offset < 9; offset += 2) {
    for (const uint64_t n : List({}, 2, offset)) paged.push_back(n);
  }
  EXPECT_EQ(paged, all);
  EXPECT_EQ(std::set<uint64_t>(all.begin(), all.end()).size(), 7u);
  EXPECT_THAT(List(Status::kRunning, 100, 0), SizeIs(3));
  EXPECT_THAT(List(Status::kPaused, 100, 1), SizeIs(3));
  EXPECT_THAT(List(Status::kFailed, 100, 0), IsEmpty());
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  EXPECT_THAT(List({}, kMost, 0), SizeIs(7));
  EXPECT_THAT(List({}, kMost, 6), SizeIs(1));
  EXPECT_THAT(List({}, kMost, kMost), IsEmpty());
  SetClock(50);
  EXPECT_TRUE(SetStatus(1, Status::kFailed).has_value());
  EXPECT_THAT(List(Status::kFailed, 9, 0), ElementsAre(1));
  EXPECT_THAT(List(Status::kPaused, 9, 0), SizeIs(3));
  EXPECT_EQ(List({}, 1, 0), (Numbers{1}));
}

TEST_P(StateBackendSuite, EvtLogs) {
  EXPECT_TRUE(FailedWith<Database>(TryAppend(EventOf(1))));
  CreateAll({1, 2});
  EXPECT_THAT(Events(), IsEmpty());
  EXPECT_EQ(Append(1, 1, 99), 1);
  EXPECT_TRUE(FailedWith<Database>(TryAppend(EventOf(1, 1)))) << "the id is there";
  EXPECT_TRUE(FailedWith<Database>(TryAppend(EventOf(1, 2)))) << "in whatever log";
  EXPECT_TRUE(FailedWith<Database>(TryAppend(EventOf(2, 9))));
  EXPECT_EQ(Append(2), 2) << "no number was used up";
  EXPECT_EQ(Append(3, 2), 1);
  Event stored = EventOf(1, 1, 1);
  EXPECT_EQ(store().GetEvents({E(1)}).value().at(0), stored);
  for (const EventSequence since : {std::numeric_limits<EventSequence>::min(), EventSequence{-1}, EventSequence{0}}) {
    EXPECT_THAT(EventsSince(since), ElementsAre(1, 2));
  }
  EXPECT_THAT(EventsSince(1), ElementsAre(2));
  EXPECT_THAT(EventsSince(2), IsEmpty());
  EXPECT_THAT(EventsSince(std::numeric_limits<EventSequence>::max()), IsEmpty());
  EXPECT_THAT(EventsSince(0, 9), IsEmpty());
  EXPECT_EQ(Get(1)->updated_at, At(0)) << "appends leave the execution";
}

TEST_P(StateBackendSuite, SnpAnyNumber) {
  EXPECT_TRUE(FailedWith<Database>(Write(SnapshotAt(0))));
  CreateAll({1, 2});
  EXPECT_EQ(LatestSnap(), std::nullopt);
  for (const EventSequence at : {std::numeric_limits<EventSequence>::min(), EventSequence{-5}, EventSequence{0}, EventSequence{7},
                                 std::numeric_limits<EventSequence>::max()}) {
    EXPECT_TRUE(Write(SnapshotAt(at, "[" + std::to_string(at) + "]")).has_value());
    EXPECT_EQ(LatestSnap(), SnapshotAt(at, "[" + std::to_string(at) + "]"));
  }
  EXPECT_EQ(LatestSnap(2), std::nullopt);
  Snapshot other = SnapshotAt(7);
  other.execution_id = E(2);
  EXPECT_TRUE(Write(other).has_value()) << "ids of snapshots are not compared";
  EXPECT_EQ(LatestSnap(2), other);
  EXPECT_EQ(Latest(), 0);
}

TEST_P(StateBackendSuite, EnqKeepsWhatItIsGiven) {
  CreateAll({1});
  WorkItem item = Item(1, -4, "");
  item.attempt = 5;
  item.max_attempts = std::numeric_limits<uint32_t>::max();
  item.worker_id = "thief";
  item.lease_expires_at = At(1000);
  item.payload = Json("[\"x\"]");
  Enqueue(item);
  EXPECT_TRUE(FailedWith<Database>(TryEnqueue(Item(1, 9))));
  EXPECT_TRUE(FailedWith<Database>(TryEnqueue(Item(2, 0, "tool", 9)))) << "no such execution";
  Enqueue(Item(2));
  item.worker_id = "";
  item.lease_expires_at = At(30);
  EXPECT_EQ(Claim({"", "", "x"}, ""), item);
  EXPECT_TRUE(Renew(1, "").has_value());
  EXPECT_EQ(Claimed({""}), 0u);
  SetClock(31);
  const ReclaimResult reclaimed = Reclaim();
  ASSERT_THAT(reclaimed.retryable, SizeIs(1));
  item.attempt = 6;
  item.worker_id.reset();
  item.lease_expires_at.reset();
  EXPECT_EQ(reclaimed.retryable[0], item);
}

TEST_P(StateBackendSuite, ClmPassesOverWhatIsNotEligible) {
  CreateAll({1});
  for (uint64_t n = 1; n <= 4; ++n) Enqueue(Item(n, static_cast<double>(n)));
  EXPECT_EQ(Claimed(), 1u);
  SetClock(10);
  EXPECT_EQ(Claimed(), 2u);
  SetClock(30.001);
  EXPECT_THAT(Retryable(), ElementsAre(1));
  EXPECT_EQ(Claimed(), 3u) << "the older one waits for its retry";
  SetClock(32.001);
  Enqueue(Item(5, 0.5));
  EXPECT_EQ(Claimed(), 5u);
  EXPECT_EQ(Claimed(), 1u) << "a retried item comes before younger ones";
  EXPECT_EQ(Claimed(), 4u);
  EXPECT_EQ(Claimed(), 0u);
}

TEST_P(StateBackendSuite, CmpAnyCallerAnyTime) {
  CreateAll({1});
  Enqueue(Item(1));
  Enqueue(Item(2));
  Enqueue(Item(3));
  EXPECT_TRUE(Complete(2).has_value()) << "never claimed";
  EXPECT_TRUE(Fail(3).has_value()) << "never claimed";
  EXPECT_EQ(Claimed(), 1u);
  EXPECT_EQ(Claimed(), 0u);
  SetClock(31);
  EXPECT_THAT(Retryable(), ElementsAre(1));
  EXPECT_TRUE(Complete(1).has_value()) << "a stale worker";
  SetClock(1000);
  EXPECT_EQ(Claimed(), 0u);
  EXPECT_EQ(Reclaim(), ReclaimResult{});
  EXPECT_TRUE(FailedWith<NotFound>(Complete(3)));
  EXPECT_TRUE(Bury(3, "a").has_value());
  SetClock(1001);
  EXPECT_TRUE(Bury(3, "b").has_value());
  EXPECT_EQ(Letters(), (std::vector<DeadLetter>{{I(3), 0, "b", At(1000)}}));
  EXPECT_TRUE(FailedWith<NotFound>(Fail(3)));
  EXPECT_TRUE(FailedWith<NotFound>(Complete(3)));
}

TEST_P(StateBackendSuite, RclBackoffEndsAt64Seconds) {
  CreateAll({1});
  WorkItem item = Item(1);
  item.max_attempts = 9;
  Enqueue(item);
  double now = 0;
  for (const double backoff : {2, 4, 8, 16, 32, 64, 64, 64}) {
    EXPECT_EQ(Claimed(), 1u);
    SetClock(now += 30.001);
    EXPECT_THAT(Retryable(), ElementsAre(1));
    EXPECT_EQ(Reclaim(), ReclaimResult{});
    SetClock(now + backoff - 0.001);
    EXPECT_EQ(Claimed(), 0u);
    SetClock(now += backoff);
  }
  EXPECT_EQ(Claimed(), 1u);
  SetClock(now + 30.001);
  EXPECT_EQ(Reclaim().exhausted.at(0).attempt, 9u);
}

TEST_P(StateBackendSuite, RclListsByCreation) {
  CreateAll({1});
  for (const uint64_t n : {4, 1, 3, 2}) {
    WorkItem item = Item(n, static_cast<double>(n));
    item.max_attempts = n % 2 == 0 ? 1 : 2;
    Enqueue(item);
  }
  for (int n = 0; n < 4; ++n) EXPECT_TRUE(Claim().has_value());
  EXPECT_TRUE(Bury(3, "gone").has_value());
  SetClock(31);
  const ReclaimResult result = Reclaim();
  EXPECT_THAT(NumbersOf(result.retryable), ElementsAre(1));
  EXPECT_THAT(NumbersOf(result.exhausted), ElementsAre(2, 4));
  EXPECT_EQ(Letters().size(), 3u);
}

TEST_P(StateBackendSuite, TokAreSecretAndDistinct) {
  std::set<std::string> texts;
  std::set<std::string> ids;
  for (int n = 0; n < 20; ++n) {
    const CreatedToken created = Token("same", "");
    texts.insert(created.plaintext.text);
    ids.insert(created.info.id);
    EXPECT_EQ(Validate(created.plaintext.text)->id, created.info.id);
    for (const std::string& wrong : {created.info.id, created.plaintext.text.substr(3), created.plaintext.text + "0",
                                     created.plaintext.text.substr(0, 66), "JJ_" + created.plaintext.text.substr(3)}) {
      EXPECT_EQ(Validate(wrong), std::nullopt) << wrong;
    }
  }
  EXPECT_EQ(texts.size(), 20u);
  EXPECT_EQ(ids.size(), 20u);
  const std::string id = *ids.begin();
  EXPECT_TRUE(store().RevokeToken({id}).has_value());
  EXPECT_TRUE(store().RevokeToken({id}).has_value());
  int valid = 0;
  for (const std::string& text : texts) valid += Validate(text).has_value() ? 1 : 0;
  EXPECT_EQ(valid, 19);
  EXPECT_TRUE(FailedWith<NotFound>(store().RevokeToken({"nobody"})));
  EXPECT_TRUE(FailedWith<NotFound>(store().ExpireToken({"nobody", At(1)})));
}

TEST_P(StateBackendSuite, TenAreGlobalAndOrdered) {
  EXPECT_TRUE(AddTenant(TenantOf("b", 9)).has_value());
  Through("b");
  EXPECT_TRUE(AddTenant(TenantOf("c", 8)).has_value());
  Through("nobody");
  EXPECT_TRUE(AddTenant(TenantOf("a", 7)).has_value());
  std::vector<TenantId> ids;
  const std::vector<Tenant> listed = store().ListTenants({"c"}).value();
  for (const Tenant& tenant : listed) {
    if (tenant.id != "default") ids.push_back(tenant.id);
  }
  EXPECT_THAT(ids, ElementsAre("a", "c", "b"));
  EXPECT_TRUE(store().UpdateTenant({TenantOf("a", 100), "b"}).has_value());
  EXPECT_EQ(GetTenant("a")->created_at, At(7));
  EXPECT_EQ(GetTenant("a")->updated_at, At(100));
}

TEST_P(StateBackendSuite, TenUnregisteredViewsMakeNothing) {
  CreateAll({1});
  Enqueue(Item(1));
  Through("ghost");
  EXPECT_TRUE(FailedWith<Database>(Create(Execution(2))));
  EXPECT_TRUE(FailedWith<Database>(TryAppend(EventOf(1))));
  EXPECT_TRUE(FailedWith<Database>(Write(SnapshotAt(1))));
  EXPECT_TRUE(FailedWith<Database>(TryEnqueue(Item(2))));
  EXPECT_TRUE(FailedWith<Database>(store().CreateToken({"n", "r", "ghost"})));
  EXPECT_TRUE(FailedWith<NotFound>(SetStatus(1, Status::kFailed)));
  EXPECT_TRUE(FailedWith<NotFound>(Renew(1)));
  EXPECT_EQ(Get(1), std::nullopt);
  EXPECT_THAT(List({}, 10, 0), IsEmpty());
  EXPECT_EQ(Claimed(), 0u);
  EXPECT_EQ(Reclaim(), ReclaimResult{});
  Through({});
  EXPECT_EQ(Get(2), std::nullopt);
}

TEST_P(StateBackendSuite, TenUnscopedSeesAll) {
  EXPECT_TRUE(AddTenant(TenantOf("alpha")).has_value());
  Through("alpha");
  EXPECT_TRUE(Create(Execution(1, 5)).has_value());
  WorkItem item = Item(1);
  item.tenant_id = "somebody";
  Enqueue(item);
  const CreatedToken token = Token();
  EXPECT_EQ(token.info.tenant_id, "alpha");
  Through("default");
  EXPECT_TRUE(Create(Execution(2, 6)).has_value());
  EXPECT_EQ(Validate(token.plaintext.text), token.info) << "authentication precedes scoping";
  EXPECT_THAT(List({}, 9, 0), ElementsAre(2));
  Through({});
  EXPECT_THAT(List({}, 9, 0), ElementsAre(2, 1));
  EXPECT_EQ(Append(1), 1);
  EXPECT_TRUE(Write(SnapshotAt(1)).has_value());
  EXPECT_EQ(Claim()->tenant_id, "alpha");
  Through("alpha");
  EXPECT_THAT(Events(), ElementsAre(1)) << "an event belongs to its execution's tenant";
  EXPECT_EQ(LatestSnap(), SnapshotAt(1));
  EXPECT_TRUE(Renew(1).has_value());
  // An item belongs to the tenant that it names, where nobody's view says otherwise.
  Through({});
  item.id = I(2);
  item.execution_id = E(2);
  item.tenant_id = "alpha";
  Enqueue(item);
  Through("default");
  EXPECT_EQ(Claimed(), 0u);
  TenantView alpha(store(), "alpha");
  EXPECT_EQ(alpha.ClaimWorkItem({"w", {"tool"}, "default"}).value()->id, I(2)) << "whatever the request's view says";
  EXPECT_EQ(alpha.GetExecution({E(2)}).value(), std::nullopt);
}

}  // namespace leasecheck::state_backend
