// A store that reads the system's clock is judged by windows. The system's clock here is simulated: every reading moves it a
// little, waiting moves it far, and the store's may be off.
#include <atomic>
#include <memory>
#include <type_traits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "memstore/session_store.h"
#include "properties/check.h"
#include "properties/session_store.h"
#include "tests/mutants/slip_store.h"

namespace leasecheck {
namespace {

using F = SessionStoreFamily;
using testing::HasSubstr;

constexpr EpochMs kToday = 1'700'000'000'000;

// Four readings a millisecond.
class SimulatedTime final : public SystemTime {
 public:
  EpochMs Now() override { return kToday + readings_.fetch_add(1) / 4; }
  void WaitUntil(EpochMs instant) override {
    const uint64_t wanted = (instant - kToday) * 4;
    uint64_t seen = readings_.load();
    while (seen < wanted && !readings_.compare_exchange_weak(seen, wanted)) {
    }
  }

 private:
  std::atomic<uint64_t> readings_{0};
};

// What the store reads: the simulated time, off by `ahead` ms.
class StoreClock final : public Clock {
 public:
  StoreClock(SimulatedTime& time, int64_t ahead) : time_(time), ahead_(ahead) {}
  EpochMs Now() const override { return time_.Now() + ahead_; }

 private:
  SimulatedTime& time_;
  const int64_t ahead_;
};

template <class Store, class... Args>
StoreFactory<F> Stores(const Clock& clock, Args... args) {
  StoreFactory<F> factory;
  factory.info.name = "on the system's clock";
  factory.info.concurrency = 8;
  factory.info.virtual_clock = false;
  factory.info.pausable = true;
  // The slips here are of the queue: of turn inputs nothing is asked.
  for (std::size_t i = 0; i < kOperationCount<F> && std::is_same_v<Store, mutants::SlipStore>; ++i) {
    factory.info.operations.push_back(i < OperationIndexOf<F, session_store::EnqueuePendingTurnInputRequest>());
  }
  factory.open = [&clock, args...](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<F::Store>> {
    Environment environment = options.environment;
    environment.clock = &clock;
    return std::make_unique<Store>(environment, args...);
  };
  return factory;
}

CheckOptions Options(SimulatedTime& time) {
  CheckOptions options;
  options.operations = 30'000;
  options.system_time = &time;
  return options;
}

uint64_t Inside(const Report& report) {
  uint64_t inside = 0;
  for (const StageReport& stage : report.stages) inside += stage.inside;
  return inside;
}

class SystemClockTest : public testing::TestWithParam<int> {};

TEST_P(SystemClockTest, ARightStoreWhoseClockIsOffByLessThanDeclaredIsNotBlamed) {
  SimulatedTime time;
  const StoreClock clock(time, GetParam());
  const Report report = Check<F>(InProcess(Stores<memstore::SessionStore>(clock)), Options(time));
  EXPECT_TRUE(report.failures.empty()) << report.text();
  EXPECT_NE(report.verdict, Verdict::kDoesNotConform) << report.text();
  // Deadlines were met: some answers fell inside their window, and not most.
  EXPECT_GT(Inside(report), 0u);
  EXPECT_THAT(report.reason, testing::Not(HasSubstr("proves too little")));
  // Leases were seen to hold and seen to lapse.
  for (const ClauseReport& clause : report.clauses) {
    if (clause.id == "QW-CLM-7" || clause.id == "EL-TRY-1") {
      EXPECT_GT(clause.held, 0u) << clause.id;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Off, SystemClockTest, testing::Values(-2, -1, 0, 1, 2), [](const auto& off) {
  return off.param < 0 ? "Behind" + std::to_string(-off.param) : "Ahead" + std::to_string(off.param);
});

TEST(SystemClockTest, AClockThatIsOffByMoreIsToldFromABrokenContract) {
  SimulatedTime time;
  const StoreClock clock(time, 50);
  const Report report = Check<F>(InProcess(Stores<memstore::SessionStore>(clock)), Options(time));
  EXPECT_EQ(report.verdict, Verdict::kInconclusive) << report.text();
  EXPECT_THAT(report.reason, HasSubstr("--clock-error"));
  EXPECT_TRUE(report.failures.empty());
}

TEST(SystemClockTest, ADeclaredErrorCoversIt) {
  SimulatedTime time;
  const StoreClock clock(time, 50);
  CheckOptions options = Options(time);
  options.clock_error = absl::Milliseconds(50);
  options.inside_limit = 1;
  const Report report = Check<F>(InProcess(Stores<memstore::SessionStore>(clock)), options);
  EXPECT_TRUE(report.failures.empty()) << report.text();
}

// Half a millisecond of error is not none: windows are whole milliseconds.
TEST(SystemClockTest, AnErrorBelowAMillisecondIsRoundedUp) {
  SimulatedTime time;
  const StoreClock clock(time, 1);
  CheckOptions options = Options(time);
  options.clock_error = absl::Microseconds(500);
  const Report report = Check<F>(InProcess(Stores<memstore::SessionStore>(clock)), options);
  EXPECT_TRUE(report.failures.empty()) << report.text();
  EXPECT_THAT(report.reason, testing::Not(HasSubstr("--clock-error")));
}

TEST(SystemClockTest, TooManyAnswersInsideProveTooLittle) {
  SimulatedTime time;
  const StoreClock clock(time, 0);
  CheckOptions options = Options(time);
  options.clock_error = absl::Milliseconds(30);
  options.inside_limit = 0.001;
  const Report report = Check<F>(InProcess(Stores<memstore::SessionStore>(clock)), options);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_THAT(report.reason, HasSubstr("proves too little"));
}

// A clock that runs fast: a declared drift widens the windows as the run goes on.
class FastClock final : public Clock {
 public:
  explicit FastClock(SimulatedTime& time) : time_(time) {}
  EpochMs Now() const override {
    const EpochMs now = time_.Now();
    return now + (now - kToday) / 100;
  }

 private:
  SimulatedTime& time_;
};

TEST(SystemClockTest, ADriftMustBeDeclared) {
  SimulatedTime time;
  const FastClock clock(time);
  EXPECT_THAT(Check<F>(InProcess(Stores<memstore::SessionStore>(clock)), Options(time)).reason, HasSubstr("--clock-error"));

  SimulatedTime again;
  const FastClock fast(again);
  CheckOptions options = Options(again);
  options.clock_drift = 0.011;
  options.inside_limit = 1;
  const Report report = Check<F>(InProcess(Stores<memstore::SessionStore>(fast)), options);
  EXPECT_TRUE(report.failures.empty()) << report.text();
}

// The declared drift opens windows of half a second: when an unseen call took effect, nobody can try out.
TEST(SystemClockTest, AnUnseenCallInAWideWindowCondemnsNobody) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SimulatedTime time;
    const FastClock fast(time);
    CheckOptions options = Options(time);
    options.seed = seed;
    options.operations = 60'000;
    options.sequential = options.free_threads = false;
    options.clock_drift = 0.011;
    options.inside_limit = 1;
    const Report report = Check<F>(InProcess(Stores<memstore::SessionStore>(fast)), options);
    EXPECT_TRUE(report.failures.empty()) << report.text();
  }
}

class SystemClockMutantTest : public testing::TestWithParam<mutants::Slip> {};

TEST_P(SystemClockMutantTest, ALeaseThatEndsAtTheWrongTimeIsFound) {
  SimulatedTime time;
  const StoreClock clock(time, 1);
  CheckOptions options = Options(time);
  options.operations = 300'000;
  options.shrink = false;
  const Report report =
      Check<F>(InProcess(Stores<mutants::SlipStore>(clock, mutants::Policy{GetParam(), mutants::Deviation::kNone})), options);
  EXPECT_EQ(report.verdict, Verdict::kDoesNotConform) << report.text();
}

INSTANTIATE_TEST_SUITE_P(All, SystemClockMutantTest,
                         testing::Values(mutants::Slip::kFenceIgnoresExpiry, mutants::Slip::kTtlZeroNeverLapses,
                                         mutants::Slip::kRenewAddsToOldExpiry, mutants::Slip::kLiveClaimRetaken,
                                         mutants::Slip::kLapsedLaneReentered, mutants::Slip::kRenewRefusesLapsed));

}  // namespace
}  // namespace leasecheck
