// What the tests of runtime_repository stores share: short spellings of calls and values. Times are seconds, as in the contract's
// examples.
#ifndef LEASECHECK_TESTS_SUPPORT_RUNTIME_REPOSITORY_CALLS_H_
#define LEASECHECK_TESTS_SUPPORT_RUNTIME_REPOSITORY_CALLS_H_

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "model/runtime_repository/store.h"

namespace leasecheck::runtime_repository {

using Lease = LeaseRecord;
using Ids = std::vector<std::string>;
using Status = AttemptExecutionStatus;

inline Instant At(double seconds) { return Instant(std::llround(seconds * 1000)); }
inline constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();

inline RetryPolicy Fixed(int64_t backoff_ms, uint32_t max_retries) {
  return {RetryStrategy::kFixed, backoff_ms, std::nullopt, std::nullopt, max_retries};
}
inline RetryPolicy Exponential(int64_t backoff_ms, std::optional<double> multiplier, std::optional<int64_t> cap,
                               uint32_t max_retries) {
  return {RetryStrategy::kExponential, backoff_ms, cap, multiplier, max_retries};
}

// Whether a call failed with this class.
template <class Response>
::testing::AssertionResult FailedWith(const Result<Response>& result, DriverClass driver_class) {
  if (result.has_value()) return ::testing::AssertionFailure() << "the call succeeded";
  const auto* driver = std::get_if<Driver>(&result.error());
  if (driver == nullptr) return ::testing::AssertionFailure() << "an error that is no Driver";
  if (driver->driver_class != driver_class) {
    return ::testing::AssertionFailure() << "class " << std::string(WordOf(driver->driver_class));
  }
  return ::testing::AssertionSuccess();
}

// Calls on a store, run "r". Each fails the test where the contract says nothing of failing.
class Calls {
 public:
  virtual ~Calls() = default;
  // May be another opening of the same store each time.
  virtual RuntimeRepositoryStore& store() = 0;

  void Enqueue(const Ids& ids, const std::string& run = "r") {
    for (const std::string& id : ids) {
      EXPECT_TRUE(store().EnqueueAttempt({id, run}).has_value());
      named_.insert(id);
    }
  }
  std::vector<AttemptDispatchRecord> Records(double now, uint64_t limit = kAll) {
    return store().ListDispatchableAttempts({At(now), limit}).value();
  }
  Ids List(double now, uint64_t limit = kAll) {
    Ids ids;
    for (const AttemptDispatchRecord& record : Records(now, limit)) ids.push_back(record.attempt_id);
    return ids;
  }
  Result<Lease> Upsert(const std::string& id, const std::string& worker, double expires) {
    return store().UpsertLease({id, worker, At(expires)});
  }
  // Claims at the clock's time.
  Lease Claim(const std::string& id, double expires, const std::string& worker = "w") {
    return Upsert(id, worker, expires).value();
  }
  Result<Done> Heartbeat(const std::string& lease_id, double at, double expires) {
    return store().HeartbeatLease({lease_id, At(at), At(expires)});
  }
  uint64_t Expire(double stale_before) { return store().ExpireLeasesAndRequeue({At(stale_before)}).value(); }
  uint64_t Timeout(double now) { return store().TransitionTimedOutAttempts({At(now)}).value(); }
  // The lease manager's tick: (timed out, requeued).
  std::pair<uint64_t, uint64_t> Tick(double now, double grace = 5) {
    const uint64_t timed_out = Timeout(now);
    return {timed_out, Expire(now - grace)};
  }
  Result<AckResult> Ack(const std::string& id, Status status, double now, std::optional<RetryPolicy> policy = std::nullopt) {
    return store().AckAttempt({id, status, policy, At(now), std::nullopt});
  }
  void Mark(const std::string& id, Status status) { EXPECT_TRUE(store().MarkAttemptStatus({id, status}).has_value()); }
  void SetPriority(const std::string& id, int32_t priority) {
    EXPECT_TRUE(store().SetAttemptPriority({id, priority}).has_value());
  }
  void SetTimeout(const std::string& id, double seconds, Status status) {
    EXPECT_TRUE(store().SetAttemptTimeoutPolicy({id, At(seconds).ms, status}).has_value());
  }
  void SetStarted(const std::string& id, std::optional<Instant> started_at) {
    EXPECT_TRUE(store().SetAttemptStartedAt({id, started_at}).has_value());
  }
  std::optional<AttemptStatus> Get(const std::string& id) { return store().GetAttemptStatus({id}).value(); }
  Status StatusOf(const std::string& id) { return Get(id).value().status; }
  uint32_t NumberOf(const std::string& id) { return Get(id).value().attempt_no; }
  std::optional<Lease> LeaseOf(const std::string& id) { return store().GetLeaseForAttempt({id}).value(); }
  std::vector<DeadLetter> Letters() { return store().ListDeadLetters({}).value(); }
  std::vector<RetryHistoryEntry> History(const std::string& id) { return store().GetAttemptRetryHistory({id}).value(); }
  Result<Done> Replay(const std::string& id, double now) { return store().ReplayDeadLetter({id, At(now)}); }
  uint64_t Latest(const std::string& run) { return store().LatestSeqForRun({run}).value(); }
  uint64_t AppendEvents(const std::string& run, uint64_t count) {
    runs_.insert(run);
    return store().AppendRunEvents({run, count}).value();
  }
  uint64_t OfWorker(const std::string& worker, double now) { return store().ActiveLeasesForWorker({worker, At(now)}).value(); }
  uint64_t OfTenant(const std::string& tenant, double now) { return store().ActiveLeasesForTenant({tenant, At(now)}).value(); }

  // All that can be seen of the attempts and runs that these calls named, as text.
  std::string Observed();
  // Whether the call leaves all of it as it was.
  template <class Call>
  bool IsSilent(Call&& call) {
    const std::string before = Observed();
    call();
    return Observed() == before;
  }

 private:
  std::set<std::string> named_;  // attempts
  std::set<std::string> runs_;
};

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_TESTS_SUPPORT_RUNTIME_REPOSITORY_CALLS_H_
