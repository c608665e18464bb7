// The scans and probes of runtime_repository on hand-made histories: each clause broken, kept, and excused where it can be.
#include "properties/runtime_repository_scans.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/runtime_repository/clauses.h"

namespace leasecheck::runtime_repository {
namespace {

using F = RuntimeRepositoryFamily;
using Status = AttemptExecutionStatus;

// Builds a history call by call; calls follow one another unless Overlapping is said.
class Builder {
 public:
  template <class R>
  Builder& Call(R request, typename OperationAt<F, OperationIndexOf<F, R>()>::Response response) {
    constexpr std::size_t kIndex = OperationIndexOf<F, R>();
    return Add(std::move(request), OutcomeOf<F>(std::in_place_index<0>, std::in_place_index<kIndex>, std::move(response)));
  }
  template <class R>
  Builder& Fail(R request, DriverClass driver_class) {
    return Add(std::move(request), OutcomeOf<F>(std::in_place_index<1>, StoreError(Driver{driver_class, std::nullopt})));
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
  Builder& Reopen() {
    engine::CallRecord<F> record;
    record.action = engine::Reopen{};
    return Push(std::move(record));
  }

  Builder& Enqueue(const std::string& id) { return Call(EnqueueAttemptRequest{id, "r"}, Done{}); }
  Builder& Claim(const std::string& id, const std::string& lease, int64_t expires, int64_t now = 0) {
    return Call(UpsertLeaseRequest{id, "w", Instant(expires)}, LeaseRecord{lease, id, "w", Instant(expires), Instant(now), 1});
  }
  Builder& Refused(const std::string& id) { return Fail(UpsertLeaseRequest{id, "w", Instant(1)}, DriverClass::kNotDispatchable); }
  Builder& Beat(const std::string& lease, int64_t expires) {
    return Call(HeartbeatLeaseRequest{lease, Instant(0), Instant(expires)}, Done{});
  }
  Builder& Gone(const std::string& lease) {
    return Fail(HeartbeatLeaseRequest{lease, Instant(0), Instant(9)}, DriverClass::kLeaseNotFound);
  }
  Builder& Expire(int64_t cutoff, uint64_t count) { return Call(ExpireLeasesAndRequeueRequest{Instant(cutoff)}, count); }
  Builder& SweepAll(uint64_t count) { return Expire(kLastInstant.ms, count); }
  Builder& Ack(const std::string& id, Status outcome, AckResult result) {
    return Call(AckAttemptRequest{id, outcome, std::nullopt, Instant(0), std::nullopt}, result);
  }
  Builder& Retry(const std::string& id, int64_t at, uint32_t number) {
    return Ack(id, Status::kFailed, {Status::kRetryBackoff, Instant(at), number});
  }
  Builder& End(const std::string& id, Status status) { return Ack(id, status, {status, std::nullopt, 1}); }
  Builder& List(int64_t at, const std::vector<std::string>& ids, uint64_t limit = 10) {
    std::vector<AttemptDispatchRecord> records;
    records.reserve(ids.size());
    for (const std::string& id : ids) records.push_back({id, "r", 1, Status::kQueued, std::nullopt});
    return Call(ListDispatchableAttemptsRequest{Instant(at), limit}, records);
  }
  Builder& StatusIs(const std::string& id, Status status, uint32_t number = 1) {
    return Call(GetAttemptStatusRequest{id}, AttemptStatus{number, status});
  }
  Builder& Shows(const std::string& id, const std::string& lease, int64_t expires, uint64_t version) {
    return Call(GetLeaseForAttemptRequest{id}, LeaseRecord{lease, id, "w", Instant(expires), Instant(0), version});
  }
  Builder& Letters(const std::vector<std::string>& pending) {
    std::vector<DeadLetter> letters;
    letters.reserve(pending.size());
    for (const std::string& id : pending) letters.push_back({id, std::nullopt, ReplayStatus::kPending, {}, {}});
    return Call(ListDeadLettersRequest{}, letters);
  }

  // The clause of the first finding, or "".
  std::string Found(const Dialects& dialects = {}, ClauseHits* hits = nullptr) const {
    const SpecSetup setup{&dialects, nullptr};
    for (const auto& findings :
         {ScanLeases(history_, hits), ScanAttempts(history_, setup, hits), ProbeObservations(history_, hits)}) {
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

  RepositoryHistory history_;
  engine::Instant time_ = 0;
};

Builder Leased(int64_t expires = 50) { return Builder().Enqueue("a").Claim("a", "L1", expires); }

TEST(RuntimeRepositoryScans, OneOwner) {
  EXPECT_EQ(Leased().Claim("a", "L2", 60).Found(), "RR-INV-1");
  EXPECT_EQ(Leased().Expire(51, 1).Claim("a", "L2", 60).Found(), "");
  EXPECT_EQ(Leased().Retry("a", 1, 2).Claim("a", "L2", 60, 5).Found(), "");
  EXPECT_EQ(Leased().Unseen(ExpireLeasesAndRequeueRequest{Instant(51)}).Claim("a", "L2", 60).Found(), "");
  EXPECT_EQ(Leased().Claim("a", "L2", 60).Overlapping().Found(), "RR-INV-1");
  EXPECT_EQ(Leased().Call(MarkAttemptStatusRequest{"a", Status::kQueued}, Done{}).Claim("a", "L2", 60).Found(), "");
}

TEST(RuntimeRepositoryScans, LeaseIdsAndVersions) {
  EXPECT_EQ(Leased().Expire(51, 1).Claim("a", "L1", 60).Found(), "RR-INV-5");
  EXPECT_EQ(Leased().Beat("L1", 60).Shows("a", "L1", 60, 2).Found(), "");
  EXPECT_EQ(Leased().Beat("L1", 60).Shows("a", "L1", 60, 1).Found(), "RR-INV-5");
  EXPECT_EQ(Leased().Shows("a", "L1", 50, 2).Found(), "RR-INV-5");
  EXPECT_EQ(Leased().Unseen(HeartbeatLeaseRequest{"L1", Instant(0), Instant(9)}).Shows("a", "L1", 50, 2).Found(), "");
}

TEST(RuntimeRepositoryScans, SweepsTakeWhatHasExpired) {
  EXPECT_EQ(Leased().Expire(50, 1).Gone("L1").Found(), "RR-INV-2");
  EXPECT_EQ(Leased().Expire(51, 1).Gone("L1").Found(), "");
  EXPECT_EQ(Leased().Beat("L1", 90).Expire(51, 1).Gone("L1").Found(), "RR-INV-2");
  EXPECT_EQ(Leased().Beat("L1", 90).Expire(51, 1).Overlapping().Gone("L1").Found(), "");
  EXPECT_EQ(Leased().Gone("L1").Found(), "RR-INV-2");
  EXPECT_EQ(Leased().End("a", Status::kCompleted).Gone("L1").Found(), "");
}

TEST(RuntimeRepositoryScans, SweepsCountALeaseOnce) {
  EXPECT_EQ(Leased().Expire(51, 1).Expire(51, 1).Found(), "RR-EXP-10");
  EXPECT_EQ(Leased().Expire(51, 1).Expire(51, 1).Overlapping().Found(), "RR-EXP-10");
  EXPECT_EQ(Leased().SweepAll(0).Found(), "RR-INV-15");
  EXPECT_EQ(Leased().SweepAll(1).Found(), "");
  EXPECT_EQ(Leased().End("a", Status::kCancelled).SweepAll(0).Found(), "");
}

TEST(RuntimeRepositoryScans, EndsAreForEver) {
  const auto ended = [] { return Builder().Enqueue("a").End("a", Status::kFailed); };
  EXPECT_EQ(ended().List(0, {"a"}).Found(), "RR-INV-6");
  EXPECT_EQ(ended().Claim("a", "L", 5).Found(), "RR-INV-6");
  EXPECT_EQ(ended().StatusIs("a", Status::kQueued).Found(), "RR-INV-6");
  EXPECT_EQ(ended().Call(ReplayDeadLetterRequest{"a", Instant(0)}, Done{}).List(0, {"a"}).Found(), "");
  EXPECT_EQ(ended().Unseen(ReplayDeadLetterRequest{"a", Instant(0)}).List(0, {"a"}).Found(), "");
  EXPECT_EQ(Builder().Enqueue("a").StatusIs("a", Status::kCancelled).List(0, {"a"}).Found(), "RR-INV-6");
}

TEST(RuntimeRepositoryScans, NobodyIsMadeUp) {
  EXPECT_EQ(Builder().List(0, {"a"}).Found(), "RR-INV-8");
  EXPECT_EQ(Builder().Claim("a", "L", 5).Found(), "RR-INV-8");
  EXPECT_EQ(Builder().Unseen(EnqueueAttemptRequest{"a", "r"}).List(0, {"a"}).Found(), "");
}

TEST(RuntimeRepositoryScans, ListsRise) {
  const auto two = [] { return Builder().Enqueue("a").Enqueue("b"); };
  EXPECT_EQ(two().List(0, {"b", "a"}).Found(), "RR-INV-9");
  EXPECT_EQ(two().List(0, {"a", "a"}).Found(), "RR-INV-9");
  EXPECT_EQ(two().List(0, {"a", "b"}, 1).Found(), "RR-INV-9");
  const auto raised = [&] { return two().Call(SetAttemptPriorityRequest{"b", 1}, Done{}); };
  EXPECT_EQ(raised().List(0, {"b", "a"}).Found(), "");
  EXPECT_EQ(raised().List(0, {"a", "b"}).Found(), "RR-INV-9");
  EXPECT_EQ(raised().List(0, {"a", "b"}).Found({{"RR-LAT-7", "no,id"}}), "");
  EXPECT_EQ(two().Unseen(SetAttemptPriorityRequest{"b", 1}).List(0, {"a", "b"}).Found(), "");
  EXPECT_EQ(two().List(0, {"b"}, 1).List(0, {"a", "b"}, 2).Found(), "RR-INV-9");
  EXPECT_EQ(two().List(5, {"a", "b"}).List(6, {"a"}).Found(), "RR-INV-10");
  EXPECT_EQ(two().List(5, {"a"}).List(6, {"a", "b"}).Found(), "");
}

TEST(RuntimeRepositoryScans, NumbersRiseByRetries) {
  EXPECT_EQ(Builder().Enqueue("a").StatusIs("a", Status::kQueued, 2).Found(), "RR-INV-11");
  EXPECT_EQ(Builder().Enqueue("a").Retry("a", 5, 2).StatusIs("a", Status::kRetryBackoff, 2).Found(), "");
  EXPECT_EQ(Builder().Enqueue("a").Retry("a", 5, 2).StatusIs("a", Status::kRetryBackoff, 1).Found(), "RR-INV-11");
  EXPECT_EQ(Builder().Enqueue("a").Retry("a", 5, 1).Found(), "RR-INV-11");
}

TEST(RuntimeRepositoryScans, RetriesWait) {
  const auto backoff = [] { return Builder().Enqueue("a").Retry("a", 50, 2); };
  const AttemptDispatchRecord record{"a", "r", 2, Status::kRetryBackoff, Instant(50)};
  EXPECT_EQ(backoff().Call(ListDispatchableAttemptsRequest{Instant(49), 9}, {record}).Found(), "RR-INV-12");
  EXPECT_EQ(backoff().Call(ListDispatchableAttemptsRequest{Instant(50), 9}, {record}).Found(), "");
  EXPECT_EQ(backoff().Claim("a", "L", 99, 49).Found(), "RR-INV-12");
  EXPECT_EQ(backoff().Claim("a", "L", 99, 49).Found({{"profile", "upstream"}}), "");
  EXPECT_EQ(backoff().Claim("a", "L", 99, 50).Found(), "");
}

TEST(RuntimeRepositoryScans, RunsCountTheirEvents) {
  const AppendRunEventsRequest two{"r", 2};
  EXPECT_EQ(Builder().Call(two, 2).Call(LatestSeqForRunRequest{"r"}, 2).Found(), "");
  EXPECT_EQ(Builder().Call(two, 2).Call(LatestSeqForRunRequest{"r"}, 3).Found(), "RR-INV-14");
  EXPECT_EQ(Builder().Call(two, 2).Call(LatestSeqForRunRequest{"r"}, 1).Found(), "RR-SEQ-4");
  EXPECT_EQ(Builder().Call(two, 2).Call(two, 2).Overlapping().Call(LatestSeqForRunRequest{"r"}, 2).Found(), "RR-INV-14");
  const Dialects no_log = {{"profile", "upstream"}, {"RR-LAT-12", "none"}};
  EXPECT_EQ(Builder().Call(two, 2).Call(LatestSeqForRunRequest{"r"}, 0).Found(no_log), "");
}

TEST(RuntimeRepositoryScans, LettersAreOfWhatFailed) {
  const auto failed = [] { return Builder().Enqueue("a").End("a", Status::kFailed); };
  EXPECT_EQ(failed().Letters({"a"}).Found(), "");
  EXPECT_EQ(failed().Letters({}).Found(), "RR-INV-16");
  EXPECT_EQ(Builder().Enqueue("a").Letters({"a"}).Found(), "RR-INV-16");
  EXPECT_EQ(Builder().Enqueue("a").Call(TransitionTimedOutAttemptsRequest{Instant(5)}, 1).Letters({"a"}).Found(), "");
  EXPECT_EQ(failed().Call(ReplayDeadLetterRequest{"a", Instant(0)}, Done{}).Letters({}).Found(), "");
}

TEST(RuntimeRepositoryProbes, RefusalsAndReadsAreSilent) {
  ClauseHits hits(std::size(kClauses));
  const auto silent = [] { return Leased().StatusIs("a", Status::kLeased).Refused("a").StatusIs("a", Status::kLeased); };
  EXPECT_EQ(silent().Found({}, &hits), "");
  EXPECT_EQ(hits.refused(Clause<"RR-UPS-10">()), 1u);
  EXPECT_EQ(Leased().StatusIs("a", Status::kLeased).Refused("a").StatusIs("a", Status::kQueued).Found(), "RR-UPS-10");
  EXPECT_EQ(Leased().StatusIs("a", Status::kLeased).Gone("X").StatusIs("a", Status::kQueued).Found(), "RR-INV-13");
  EXPECT_EQ(Leased().StatusIs("a", Status::kLeased).List(0, {}).StatusIs("a", Status::kQueued).Found(), "RR-LST-10");
  EXPECT_EQ(Leased().StatusIs("a", Status::kLeased).Reopen().StatusIs("a", Status::kQueued).Found(), "RR-DUR-1");
  EXPECT_EQ(Leased().StatusIs("a", Status::kLeased).Beat("L1", 9).StatusIs("a", Status::kQueued).Found(), "");
}

TEST(RuntimeRepositoryProbes, SweepsLeaveNothingStaleAndLoseNothing) {
  EXPECT_EQ(Leased().Expire(51, 0).Shows("a", "L1", 50, 1).Found(), "RR-INV-3");
  EXPECT_EQ(Leased().Expire(50, 0).Shows("a", "L1", 50, 1).Found(), "");
  const auto swept = [] { return Leased().StatusIs("a", Status::kLeased).SweepAll(1); };
  EXPECT_EQ(swept().List(kLastInstant.ms, {"a"}).Found(), "");
  EXPECT_EQ(swept().List(kLastInstant.ms, {}).Found(), "RR-INV-7");
  const auto ended = Leased().StatusIs("a", Status::kCompleted).SweepAll(1).List(kLastInstant.ms, {});
  EXPECT_EQ(ended.Found(), "");
}

}  // namespace
}  // namespace leasecheck::runtime_repository
