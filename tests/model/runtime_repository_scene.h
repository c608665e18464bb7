// A scene for tests of the runtime_repository spec: a state, a clock and hand-written answers.
//
// Every refused answer is checked to leave the state as it was and to be explained.
#ifndef LEASECHECK_TESTS_MODEL_RUNTIME_REPOSITORY_SCENE_H_
#define LEASECHECK_TESTS_MODEL_RUNTIME_REPOSITORY_SCENE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/runtime_repository/clauses.h"
#include "model/runtime_repository/spec.h"

namespace leasecheck::runtime_repository {

using Family = RuntimeRepositoryFamily;
using SpecUnderTest = RuntimeRepositorySpec;
using Request = SpecUnderTest::Request;
using Outcome = SpecUnderTest::Outcome;
using Status = AttemptExecutionStatus;

class Scene : public testing::Test {
 public:
  static constexpr const char* kAllowed = "allowed";

  // Judges an answer: kAllowed, or the id of the clause that forbids it. Afterwards `alternatives` holds what else is possible.
  std::string JudgeOutcome(const Request& request, const Outcome& outcome) {
    const SpecState before = state;
    alternatives.clear();
    const auto refused = SpecUnderTest::Step(state, request, outcome, now, Context(), &alternatives);
    if (!refused.has_value()) return kAllowed;
    EXPECT_TRUE(state == before) << "a refusal changed the state";
    EXPECT_TRUE(alternatives.empty());
    const std::string why = SpecUnderTest::Explain(state, request, outcome, now, Context());
    EXPECT_NE(why.find("expected "), std::string::npos);
    EXPECT_NE(why.find("; got "), std::string::npos);
    return std::string(kClauses[*refused].id);
  }
  template <class R>
  std::string Judge(const R& request, typename OperationAt<Family, OperationIndexOf<Family, R>()>::Response response) {
    constexpr std::size_t kIndex = OperationIndexOf<Family, R>();
    return JudgeOutcome(Request(request),
                        Outcome(std::in_place_index<0>, ResponseOf<Family>(std::in_place_index<kIndex>, std::move(response))));
  }
  template <class R>
  std::string JudgeError(const R& request, DriverClass driver_class) {
    return JudgeOutcome(Request(request), Outcome(std::in_place_index<1>, StoreError(Driver{driver_class, std::nullopt})));
  }
  template <class R>
  std::string JudgeUnseen(const R& request) {
    return JudgeOutcome(Request(request), Indefinite{"lost"});
  }
  // Like Judge, but leaves the state alone.
  template <class R>
  std::string Peek(const R& request, typename OperationAt<Family, OperationIndexOf<Family, R>()>::Response response) {
    const SpecState before = state;
    std::string verdict = Judge(request, std::move(response));
    state = before;
    return verdict;
  }

  SpecUnderTest::Context Context() {
    SpecUnderTest::Context context;
    context.setup = {&dialects, nullptr};
    context.call = 1;
    context.hits = &hits;
    return context;
  }

  void Enqueue(const std::string& id) { ASSERT_EQ(Judge(EnqueueAttemptRequest{id, "r"}, Done{}), kAllowed); }
  std::string List(int64_t at, const std::vector<std::string>& ids, uint64_t limit = 10) {
    std::vector<AttemptDispatchRecord> records;
    records.reserve(ids.size());
    for (const std::string& id : ids) {
      const Attempt* attempt = state.Find(id);
      if (attempt == nullptr) return "nobody";
      records.push_back({id, "r", attempt->attempt_no, attempt->status, attempt->retry_at});
    }
    return Peek(ListDispatchableAttemptsRequest{Instant(at), limit}, std::move(records));
  }
  LeaseRecord LeaseOf(const std::string& attempt, const std::string& worker, int64_t expires, const std::string& id) const {
    return {id, attempt, worker, Instant(expires), InstantOf(now), 1};
  }
  std::string Claim(const std::string& attempt, const std::string& worker, int64_t expires, const std::string& id) {
    return Judge(UpsertLeaseRequest{attempt, worker, Instant(expires)}, LeaseOf(attempt, worker, expires, id));
  }
  std::string Refuse(const std::string& attempt, const std::string& worker,
                     DriverClass driver_class = DriverClass::kNotDispatchable) {
    return JudgeError(UpsertLeaseRequest{attempt, worker, Instant(100'000)}, driver_class);
  }
  std::string Beat(const std::string& id, int64_t at, int64_t expires) {
    return Judge(HeartbeatLeaseRequest{id, Instant(at), Instant(expires)}, Done{});
  }
  std::string Expire(int64_t cutoff, uint64_t count) { return Judge(ExpireLeasesAndRequeueRequest{Instant(cutoff)}, count); }
  std::string TimeOut(int64_t at, uint64_t count) { return Judge(TransitionTimedOutAttemptsRequest{Instant(at)}, count); }
  std::string Ack(const std::string& attempt, Status outcome, std::optional<RetryPolicy> policy, int64_t at, AckResult result) {
    return Judge(AckAttemptRequest{attempt, outcome, std::move(policy), Instant(at), std::nullopt}, result);
  }
  std::string Mark(const std::string& attempt, Status status) { return Judge(MarkAttemptStatusRequest{attempt, status}, Done{}); }
  std::string StatusIs(const std::string& attempt, uint32_t number, Status status) {
    return Peek(GetAttemptStatusRequest{attempt}, AttemptStatus{number, status});
  }
  uint64_t Held(const char* id) const { return hits.held(static_cast<ClauseIndex>(FindClause(kClauses, id))); }
  uint64_t Refused(const char* id) const { return hits.refused(static_cast<ClauseIndex>(FindClause(kClauses, id))); }

  static RetryPolicy Fixed(int64_t backoff, uint32_t retries) {
    return {RetryStrategy::kFixed, backoff, std::nullopt, std::nullopt, retries};
  }

  SpecState state;
  std::vector<SpecState> alternatives;
  EpochMs now = 0;
  Dialects dialects;
  ClauseHits hits{std::size(kClauses)};
};

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_TESTS_MODEL_RUNTIME_REPOSITORY_SCENE_H_
