// The provided method of runtime_repository, over a store that overrides only what the trait requires. [RR-TMO-9]
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "model/instant.h"
#include "model/runtime_repository/store.h"

namespace leasecheck::runtime_repository {
namespace {

class Bare final : public RuntimeRepository {
 public:
  Result<std::vector<AttemptDispatchRecord>> ListDispatchableAttempts(const ListDispatchableAttemptsRequest&) override {
    return std::vector<AttemptDispatchRecord>();
  }
  Result<LeaseRecord> UpsertLease(const UpsertLeaseRequest&) override { return LeaseRecord(); }
  Result<Done> HeartbeatLease(const HeartbeatLeaseRequest&) override { return Done{}; }
  Result<uint64_t> ExpireLeasesAndRequeue(const ExpireLeasesAndRequeueRequest&) override { return 7; }
  Result<uint64_t> LatestSeqForRun(const LatestSeqForRunRequest&) override { return 7; }
};

TEST(RuntimeRepositoryDefaults, NothingTimesOut) {
  Bare store;
  EXPECT_EQ(store.TransitionTimedOutAttempts({Instant(0)}).value(), 0u);
  EXPECT_EQ(store.TransitionTimedOutAttempts({kLastInstant}).value(), 0u);
}

TEST(Instants, SaturateAndCompareExactly) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(SaturatingAdd(Instant(5), 3), Instant(8));
  EXPECT_EQ(SaturatingAdd(Instant(5), kMost), kLastInstant);
  EXPECT_EQ(SaturatingAdd(kFirstInstant, kMost), kLastInstant);
  EXPECT_EQ(SaturatingAdd(kLastInstant, std::numeric_limits<int64_t>::min()), kFirstInstant);
  EXPECT_EQ(InstantOf(7), Instant(7));
  EXPECT_EQ(InstantOf(kEndOfTime), kLastInstant);
  EXPECT_TRUE(HasPassed(Instant(-5), 5, Instant(0)));
  EXPECT_FALSE(HasPassed(Instant(-4), 5, Instant(0)));
  EXPECT_FALSE(HasPassed(kFirstInstant, kMost, kLastInstant));
  EXPECT_LT(kFirstInstant, Instant(-1));
}

}  // namespace
}  // namespace leasecheck::runtime_repository
