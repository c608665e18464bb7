// The scans and probes of state_backend on hand-made histories: each clause broken, kept, and excused where it can be.
#include "properties/state_backend_scans.h"

#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/state_backend/clauses.h"

namespace leasecheck::state_backend {
namespace {

using F = StateBackendFamily;
using View = std::optional<TenantId>;

constexpr Uuid kExecution{1, 1};
constexpr Uuid kItem{2, 1};
constexpr Uuid kOther{2, 2};

// Builds a history call by call; calls follow one another unless Overlapping is said.
class Builder {
 public:
  template <class R>
  Builder& Call(R request, typename OperationAt<F, OperationIndexOf<F, R>()>::Response response) {
    constexpr std::size_t kIndex = OperationIndexOf<F, R>();
    return Add(std::move(request), OutcomeOf<F>(std::in_place_index<0>, std::in_place_index<kIndex>, std::move(response)));
  }
  template <class R>
  Builder& Fail(R request, StoreError error = Database{"no"}) {
    return Add(std::move(request), OutcomeOf<F>(std::in_place_index<1>, std::move(error)));
  }
  template <class R>
  Builder& Unseen(R request) {
    return Add(std::move(request), Indefinite{});
  }
  // The last call began before the one before it ended.
  Builder& Overlapping() {
    auto& calls = history_.calls;
    calls.back().called = calls[calls.size() - 2].called;
    return *this;
  }
  Builder& Clock(EpochMs now) {
    now_ = now;
    engine::CallRecord<F> record;
    record.action = engine::SetClock{now};
    return Push(std::move(record));
  }
  Builder& Reopen() {
    engine::CallRecord<F> record;
    record.action = engine::Reopen{};
    return Push(std::move(record));
  }

  Builder& EnqueueAt(uint32_t attempt) {
    item_.attempt = attempt;
    return Enqueue();
  }
  Builder& BySystemClock() {
    for (auto& record : history_.calls) record.window = engine::TimeWindow{now_, now_};
    return *this;
  }
  Builder& Enqueue(uint32_t max_attempts = 3, const View& view = std::nullopt) {
    item_.id = kItem;
    item_.execution_id = kExecution;
    item_.queue_type = "tool";
    item_.max_attempts = max_attempts;
    return Call(EnqueueWorkItemRequest{item_, view}, kItem);
  }
  Builder& Claim(uint32_t attempt = 0, const View& view = std::nullopt) {
    WorkItem claimed = item_;
    claimed.attempt = attempt;
    claimed.worker_id = "w";
    claimed.lease_expires_at = Instant(static_cast<int64_t>(now_) + 30'000);
    return Call(ClaimWorkItemRequest{"w", {"tool"}, view}, claimed);
  }
  Builder& ClaimNone() { return Call(ClaimWorkItemRequest{"w", {"tool"}}, std::nullopt); }
  Builder& Retry(uint32_t attempt) {
    WorkItem item = item_;
    item.attempt = attempt;
    return Call(ReclaimExpiredLeasesRequest{}, ReclaimResult{{item}, {}});
  }
  Builder& Exhaust(uint32_t attempt) {
    WorkItem item = item_;
    item.attempt = attempt;
    return Call(ReclaimExpiredLeasesRequest{}, ReclaimResult{{}, {item}});
  }
  // Two items of one attempt each run out.
  Builder& ExhaustTwo() {
    Enqueue(1);
    WorkItem first = item_;
    item_.id = kOther;
    Call(EnqueueWorkItemRequest{item_}, kOther);
    WorkItem second = item_;
    first.attempt = second.attempt = 1;
    return Call(ReclaimExpiredLeasesRequest{}, ReclaimResult{{}, {first, second}});
  }
  Builder& Letters(const char* first, const char* second) {
    return Call(ListDeadLettersRequest{}, {{kItem, 1, first, Instant(1)}, {kOther, 1, second, Instant(1)}});
  }
  Builder& Move(const Uuid& id, const char* error) { return Call(MoveToDeadLetterRequest{id, error}, Done{}); }
  Builder& ReclaimNone() { return Call(ReclaimExpiredLeasesRequest{}, ReclaimResult{}); }
  Builder& Renew() { return Call(RenewLeaseRequest{kItem, "w"}, Done{}); }
  Builder& Complete(const View& view = std::nullopt) { return Call(CompleteWorkItemRequest{kItem, view}, Done{}); }

  static Event EventOf(uint64_t n, EventSequence sequence) {
    return {Uuid(3, n), kExecution, sequence, {R"({"type":"t"})"}, Instant(1)};
  }
  Builder& Append(uint64_t n, EventSequence number, const View& view = std::nullopt) {
    return Call(AppendEventRequest{EventOf(n, 0), view}, number);
  }
  Builder& Events(const std::vector<std::pair<uint64_t, EventSequence>>& events, EventSequence since = 0,
                  const View& view = std::nullopt) {
    std::vector<Event> shown;
    shown.reserve(events.size());
    for (const auto& [n, sequence] : events) shown.push_back(EventOf(n, sequence));
    if (since == 0) return Call(GetEventsRequest{kExecution, view}, std::move(shown));
    return Call(GetEventsSinceRequest{kExecution, since, view}, std::move(shown));
  }
  Builder& Last(EventSequence number) { return Call(LatestSequenceRequest{kExecution}, number); }
  Builder& Snapshots(EventSequence written, EventSequence shown) {
    const auto snapshot = [](EventSequence at) { return Snapshot{Uuid(4, 1), kExecution, at, {"1"}, Instant(1)}; };
    return Call(WriteSnapshotRequest{snapshot(written)}, Done{}).Call(LatestSnapshotRequest{kExecution}, snapshot(shown));
  }
  Builder& Patch(const char* value) { return Call(PatchAppendArrayRequest{kExecution, "log", {value}}, Done{}); }
  Builder& Shows(const char* state, const View& view = std::nullopt) {
    WorkflowExecution execution;
    execution.execution_id = kExecution;
    execution.current_state = {state};
    return Call(GetExecutionRequest{kExecution, view}, execution);
  }
  Builder& Token(const std::string& text, const std::string& id) {
    CreatedToken created;
    created.plaintext = Secret(text);
    created.info.id = id;
    return Call(CreateTokenRequest{"n", "r"}, created);
  }

  // The clause of the first finding, or "".
  std::string Found(const Dialects& dialects = {}, ClauseHits* hits = nullptr) const {
    const SpecSetup setup{&dialects, nullptr};
    for (const auto& findings :
         {ScanWork(history_, setup, hits), ScanLetters(history_, setup, hits), ScanLogs(history_, setup, hits),
          ScanAccess(history_, hits), ProbeObservations(history_, hits)}) {
      if (!findings.empty()) return findings.front().clause;
    }
    return "";
  }

 private:
  Builder& Add(RequestOf<F> request, OutcomeOf<F> outcome) {
    engine::CallRecord<F> record;
    record.action = std::move(request);
    record.outcome = std::move(outcome);
    return Push(std::move(record));
  }
  Builder& Push(engine::CallRecord<F> record) {
    record.called = time_++;
    record.returned = time_++;
    history_.calls.push_back(std::move(record));
    return *this;
  }

  BackendHistory history_;
  WorkItem item_;
  EpochMs now_ = 0;
  engine::Instant time_ = 0;
};

TEST(WorkScan, TheReasonOfWhatWasExhaustedIsFixed) {
  const auto listed = [](const char* first, const char* second, const Dialects& dialects = {}) {
    return Builder().ExhaustTwo().Letters(first, second).Found(dialects);
  };
  EXPECT_EQ(listed("worker dead", "worker dead"), "");
  EXPECT_EQ(listed("w1 is dead", "w2 is dead"), "SB-RCL-13");
  EXPECT_EQ(listed("", ""), "SB-RCL-13");
  EXPECT_EQ(listed("", "", {{"preset", "memory"}}), "");
  EXPECT_EQ(Builder().ExhaustTwo().Letters("dead", "dead").Letters("dead", "gone").Found(), "SB-RCL-13") << "in two lists";
  // What a caller says of an item afterwards is his own; nor does it say anything of one that nobody saw exhausted.
  EXPECT_EQ(Builder().ExhaustTwo().Move(kOther, "mine").Letters("dead", "mine").Found(), "");
  EXPECT_EQ(Builder().ExhaustTwo().Unseen(MoveToDeadLetterRequest{kOther, "mine"}).Letters("dead", "mine").Found(), "");
  EXPECT_EQ(Builder().Letters("dead", "gone").Found(), "");
}

TEST(WorkScan, AnItemIsClaimedOnceBetweenReleases) {
  EXPECT_EQ(Builder().Enqueue().Claim().Claim().Found(), "SB-INV-1");
  EXPECT_EQ(Builder().Enqueue().Claim().Clock(30'001).Retry(1).Clock(40'000).Claim(1).Found(), "");
  EXPECT_EQ(Builder().Enqueue().Claim().Unseen(ReclaimExpiredLeasesRequest{}).Claim(1).Found(), "");
  EXPECT_EQ(Builder().Enqueue().Claim().Claim().Found({{"SB-LAT-16", "stealing"}}), "");
}

TEST(WorkScan, AnItemThatHasEndedDoesNotComeBack) {
  EXPECT_EQ(Builder().Enqueue().Claim().Complete().Clock(30'001).Retry(1).Found(), "SB-INV-2");
  EXPECT_EQ(Builder().Enqueue().Complete().Claim().Found(), "SB-INV-2");
  EXPECT_EQ(Builder().Enqueue().Claim().Complete().Renew().Found(), "SB-INV-2");
  // A completion of an unknown item may succeed, and does nothing: before the enqueue, and through another's view.
  EXPECT_EQ(Builder().Complete().Enqueue().Claim().Found(), "");
  EXPECT_EQ(Builder().Enqueue(3, View("a")).Complete(View("b")).Claim(0, View("a")).Found(), "");
}

TEST(WorkScan, AttemptsRiseByReclaimsOnly) {
  EXPECT_EQ(Builder().Enqueue().Claim(1).Found(), "SB-INV-3");
  EXPECT_EQ(Builder().Enqueue().Claim().Clock(30'001).Retry(2).Found(), "SB-INV-3");
  EXPECT_EQ(Builder().Enqueue().Claim().Clock(30'001).Retry(1).Clock(40'000).Claim(0).Found(), "SB-INV-3");
}

TEST(WorkScan, AnItemIsDeliveredSoOftenOnly) {
  EXPECT_EQ(Builder().Enqueue(1).Claim().Clock(30'001).Retry(1).Clock(40'000).Claim(1).Found(), "SB-INV-5");
  EXPECT_EQ(Builder().Enqueue(2).Claim().Clock(30'001).Retry(1).Clock(40'000).Claim(1).Found(), "");
}

TEST(WorkScan, EachExpiryIsReportedOnce) {
  EXPECT_EQ(Builder().Enqueue(9).Claim().Clock(30'001).Retry(1).Retry(2).Found(), "SB-INV-6");
  EXPECT_EQ(Builder().Enqueue(1).Claim().Clock(30'001).Exhaust(1).Found(), "");
}

TEST(WorkScan, OnlyWhatRanOutIsReclaimed) {
  EXPECT_EQ(Builder().Enqueue().Claim().Clock(30'000).Retry(1).Found(), "SB-INV-7");
  EXPECT_EQ(Builder().Enqueue().Claim().Clock(20'000).Renew().Clock(40'000).Retry(1).Found(), "SB-INV-7");
  EXPECT_EQ(Builder().Enqueue().Claim().Clock(20'000).Renew().Clock(50'001).Retry(1).Found(), "");
}

TEST(WorkScan, LeasesEndALeaseLengthAfterTheClaim) {
  EXPECT_EQ(Builder().Enqueue().Claim().Found({{"SB-LAT-35", "5000"}}), "SB-INV-18");
}

TEST(WorkScan, NothingIsLostAndNothingIsMadeUp) {
  EXPECT_EQ(Builder().Claim().Found(), "SB-INV-4");
  EXPECT_EQ(Builder().Enqueue().Clock(30'001).ReclaimNone().Clock(94'001).ClaimNone().Found(), "SB-INV-4");
  EXPECT_EQ(Builder().Enqueue().Complete().Clock(30'001).ReclaimNone().Clock(94'001).ClaimNone().Found(), "");
  EXPECT_EQ(Builder().Enqueue().Clock(30'001).ReclaimNone().Clock(94'000).ClaimNone().Found(), "");
}

TEST(LogScan, NumbersRiseWithoutGaps) {
  EXPECT_EQ(Builder().Append(1, 1).Append(2, 1).Found(), "SB-SEQ-4");
  EXPECT_EQ(Builder().Append(1, 2).Found(), "SB-INV-9");
  EXPECT_EQ(Builder().Append(1, 2).Append(2, 1).Found({{"SB-LAT-10", "global"}}), "SB-INV-10");
  EXPECT_EQ(Builder().Append(1, 4).Append(2, 9).Found({{"SB-LAT-10", "global"}}), "");
  EXPECT_EQ(Builder().Append(1, 2).Append(2, 1).Overlapping().Found(), "");
}

TEST(LogScan, ReadsAgree) {
  EXPECT_EQ(Builder().Append(1, 1).Append(2, 2).Events({{1, 1}, {2, 2}}).Events({{2, 2}}, 1).Last(2).Found(), "");
  EXPECT_EQ(Builder().Append(1, 1).Append(2, 2).Events({{1, 1}}).Found(), "SB-INV-8");
  EXPECT_EQ(Builder().Append(1, 1).Last(1).Append(2, 2).Last(1).Found(), "SB-INV-12");
  EXPECT_EQ(Builder().Append(1, 1).Events({{7, 1}}).Found(), "SB-INV-8");
  EXPECT_EQ(Builder().Append(1, 1).Append(2, 2).Append(3, 3).Events({{1, 1}, {3, 3}}).Found(), "SB-INV-9");
}

// The second append is not over when the reader sees the third and goes on from there: then the second comes to light below.
TEST(LogScan, ACursorMissesNothing) {
  Builder builder;
  builder.Append(1, 1).Unseen(AppendEventRequest{Builder::EventOf(2, 0)}).Unseen(AppendEventRequest{Builder::EventOf(3, 0)});
  builder.Events({{3, 5}}, 1).Events({{2, 4}, {3, 5}}, 1);
  EXPECT_EQ(builder.Found({{"SB-LAT-10", "global"}}), "SB-INV-11");
}

TEST(LogScan, TheLatestSnapshotNeverFalls) {
  EXPECT_EQ(Builder().Snapshots(10, 10).Found(), "");
  EXPECT_EQ(Builder().Snapshots(10, 10).Snapshots(5, 5).Found(), "SB-INV-15");
  EXPECT_EQ(Builder().Snapshots(10, 11).Found(), "SB-INV-15");
}

TEST(LogScan, ArraysGrowByWhatWasAppended) {
  EXPECT_EQ(Builder().Shows("{}").Patch("12345").Patch("67890").Shows(R"({"log":[12345,67890]})").Found(), "");
  EXPECT_EQ(Builder().Shows(R"({"log":[]})").Patch("12345").Patch("67890").Shows(R"({"log":[12345]})").Found(), "SB-INV-16");
  EXPECT_EQ(Builder()
                .Shows(R"({"log":[]})")
                .Patch("12345")
                .Call(UpdateExecutionCurrentStateRequest{kExecution, {"7"}}, Done{})
                .Shows("7")
                .Found(),
            "");
}

// Permitted, and warned of, unless the execution may have been there.
TEST(LogScan, AStateThatIsStoredNowhereIsWarnedOf) {
  const UpdateExecutionCurrentStateRequest update{kExecution, {"7"}};
  WorkflowExecution execution;
  execution.execution_id = kExecution;
  const CreateExecutionRequest create{execution};
  const auto warnings = [](const Builder& history) {
    ClauseHits hits(std::size(kClauses));
    EXPECT_EQ(history.Found({}, &hits), "");
    return hits.held(Clause<"SB-LAT-4">());
  };
  EXPECT_EQ(warnings(Builder().Call(update, Done{})), 1u);
  EXPECT_EQ(warnings(Builder().Call(update, Done{}).Call(create, Done{})), 1u);
  EXPECT_EQ(warnings(Builder().Call(update, Done{}).Call(create, Done{}).Overlapping()), 0u);
  EXPECT_EQ(warnings(Builder().Call(create, Done{}).Call(update, Done{})), 0u);
  EXPECT_EQ(warnings(Builder().Unseen(create).Call(update, Done{})), 0u);
  EXPECT_EQ(warnings(Builder().Fail(update, NotFound{})), 0u);
}

TEST(AccessScan, ASecretIsInNoOtherAnswer) {
  const std::string text = "jj_0123456789abcdef0123456789abcdef";
  EXPECT_EQ(Builder().Token(text, "a").Token("jj_00000000000000000000000000000000", "b").Found(), "");
  EXPECT_EQ(Builder().Token(text, "a").Token(text, "b").Found(), "SB-INV-17");
  EXPECT_EQ(Builder().Token(text, "a").Token("jj_00000000000000000000000000000000", "a").Found(), "SB-INV-17");
  ApiToken leaky;
  leaky.name = text;
  EXPECT_EQ(Builder().Token(text, "a").Call(ValidateTokenRequest{Secret(text)}, leaky).Found(), "SB-INV-17");
  EXPECT_EQ(Builder().Token(text, "a").Fail(RevokeTokenRequest{"b"}, Database{"not " + text}).Found(), "SB-INV-17");
}

TEST(AccessScan, AViewIsShownItsOwn) {
  WorkflowExecution execution;
  execution.execution_id = kExecution;
  Builder builder;
  builder.Call(CreateExecutionRequest{execution, View("a")}, Done{});
  EXPECT_EQ(Builder(builder).Shows("null", View("a")).Found(), "");
  EXPECT_EQ(Builder(builder).Shows("null").Found(), "");
  EXPECT_EQ(Builder(builder).Shows("null", View("b")).Found(), "SB-INV-14");
}

// Nothing can be said of the attempt after the last number (SB-LAT-40).
TEST(WorkScan, TheLastAttemptIsNotJudged) {
  const uint32_t last = 4'294'967'295;
  EXPECT_EQ(Builder().EnqueueAt(last).Claim(last).Clock(30'001).Exhaust(last).Found(), "");
}

// Under the system's clock a token may expire between two calls.
TEST(Probes, ATokenExpiresByItself) {
  const auto history = [](bool by_itself) {
    Builder builder;
    builder.Call(ValidateTokenRequest{Secret("jj_")}, ApiToken{}).Fail(RenewLeaseRequest{kItem, "w"});
    builder.Call(ValidateTokenRequest{Secret("jj_")}, std::nullopt);
    return by_itself ? builder.BySystemClock().Found() : builder.Found();
  };
  EXPECT_EQ(history(true), "");
  EXPECT_EQ(history(false), "SB-GEN-2");
}

TEST(Probes, AFailureChangesNothing) {
  const RenewLeaseRequest renew{kItem, "w"};
  EXPECT_EQ(Builder().Shows("1").Fail(renew).Shows("1").Found(), "");
  EXPECT_EQ(Builder().Shows("1").Fail(renew).Shows("2").Found(), "SB-GEN-2");
  EXPECT_EQ(Builder().Shows("1").Reopen().Shows("2").Found(), "SB-DUR-1");
  EXPECT_EQ(Builder().Shows("1").Complete().Shows("2").Found(), "");
}

}  // namespace
}  // namespace leasecheck::state_backend
