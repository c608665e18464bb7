// Several connections, threads and processes on one file of the runtime_repository store. The overlap is made, not hoped for
// (sqlite_meetings.h), or a call is stopped in the middle of its transaction.
#include <array>
#include <atomic>
#include <latch>
#include <set>
#include <thread>

#include "tests/adapters/sqlite_meetings.h"
#include "tests/adapters/sqlite_runtime_repository_fixture.h"

namespace leasecheck::sqlite {
namespace {

using ::testing::IsEmpty;

constexpr int kThreads = 4;
constexpr int kProcesses = 3;

class RuntimeRepositoryConcurrent : public ::testing::Test {
 protected:
  RuntimeRepository::Options Options(int connections) {
    return {.path = folder_.File("attempts.db"), .connections = connections, .environment = {.clock = &clock_}};
  }

  Folder folder_;
  ManualClock clock_{0};
};

// RR-UPS-13: of the rivals for one attempt exactly one wins.
TEST_F(RuntimeRepositoryConcurrent, OneOfManyClaims) {
  constexpr int kRounds = 15;
  Meeting meeting(kThreads);
  RuntimeRepository::Options options = Options(kThreads);
  options.environment.pause = &meeting;
  auto store = OpenRepository(options);
  Scheduler s(store.get());
  for (int round = 0; round < kRounds; ++round) s.Enqueue({absl::StrCat(round)});
  meeting.Meet(true);
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> won{0};
    RunThreads(kThreads, [&](int me) {
      const auto lease = store->UpsertLease({absl::StrCat(round), absl::StrCat(me), At(30)});
      if (lease.has_value()) {
        ++won;
      } else {
        EXPECT_TRUE(rr::FailedWith(lease, rr::DriverClass::kLeaseConflict));
      }
    });
    ASSERT_EQ(won, 1);
  }
  meeting.Meet(false);
  EXPECT_THAT(s.List(0), IsEmpty());
}

// Worked example 15: a refresh and a sweep of one stale lease run together.
TEST_F(RuntimeRepositoryConcurrent, E15ARefreshedLeaseSurvivesOrWasSweptBefore) {
  constexpr int kRounds = 20;
  Meeting meeting(2);
  RuntimeRepository::Options options = Options(2);
  options.environment.pause = &meeting;
  auto store = OpenRepository(options);
  Scheduler s(store.get());
  for (int round = 0; round < kRounds; ++round) {
    const std::string id = absl::StrCat(round);
    s.Enqueue({id});
    const rr::Lease lease = s.Claim(id, 30);
    std::atomic<bool> refreshed{false};
    std::atomic<uint64_t> swept{0};
    meeting.Meet(true);
    RunThreads(2, [&](int me) {
      if (me == 0) {
        refreshed = store->HeartbeatLease({lease.lease_id, At(31), At(1e6)}).has_value();
      } else {
        swept = store->ExpireLeasesAndRequeue({At(40)}).value();
      }
    });
    meeting.Meet(false);
    EXPECT_EQ(swept, refreshed ? 0u : 1u) << round;
    EXPECT_EQ(s.StatusOf(id), refreshed ? Status::kLeased : Status::kQueued);
    const std::optional<rr::Lease> held = s.LeaseOf(id);
    EXPECT_EQ(held.has_value(), refreshed.load());
    EXPECT_TRUE(!held.has_value() || held->version == 2) << round;
  }
}

// A sweep stopped inside its transaction: nobody sees a part of it, and a heartbeat of a lease that it took comes too late.
TEST_F(RuntimeRepositoryConcurrent, ASweepInTheMiddleHoldsUpWritersOnly) {
  std::latch inside(1), go_on(1);
  std::atomic<bool> armed{false};
  std::atomic<uint64_t> first_statement{0};
  RuntimeRepository::Options options = Options(3);
  options.clock_in_database = true;  // reads are snapshots then
  options.on_statement = [&](uint64_t n) {
    if (armed.load() && n == first_statement + 6) {  // BEGIN, the clock, the stale ones, a read and a write of the first
      inside.count_down();
      go_on.wait();
    }
    return absl::OkStatus();
  };
  auto store = OpenRepository(options);
  Scheduler s(store.get());
  s.Enqueue({"a", "b", "c"});
  std::vector<rr::Lease> leases;
  for (const char* id : {"a", "b", "c"}) leases.push_back(s.Claim(id, 5));
  first_statement = store->statements();
  armed = true;
  std::thread sweep([&] { EXPECT_EQ(store->ExpireLeasesAndRequeue({At(6)}).value(), 3u); });
  inside.wait();
  armed = false;
  EXPECT_THAT(s.List(0), IsEmpty()) << "a reader sees the state before, at once";
  EXPECT_EQ(s.OfWorker("w", 5), 3u);
  const uint64_t before_rival = store->statements();
  std::thread beat([&] {
    EXPECT_TRUE(rr::FailedWith(store->HeartbeatLease({leases[2].lease_id, At(6), At(60)}), rr::DriverClass::kLeaseNotFound));
  });
  while (store->statements() == before_rival) std::this_thread::yield();  // the rival is at its BEGIN IMMEDIATE
  go_on.count_down();
  sweep.join();
  beat.join();
  EXPECT_EQ(s.List(0).size(), 3u);
}

struct Counters {
  static constexpr int kMost = 256;
  std::atomic<uint64_t> count;
  std::atomic<uint64_t> lost_races;
  std::atomic<uint64_t> values[kMost];
};

// Processes that list, claim and end until nothing is left; a lost race goes to the next candidate, as a scheduler does.
TEST_F(RuntimeRepositoryConcurrent, ProcessesEndEveryAttemptOnce) {
  constexpr int kAttempts = 45, kMeetings = 15;
  SharedMemory<Counters> ended(kProcesses);
  RuntimeRepository::Options options = Options(2);
  options.clock_in_database = true;
  {
    auto store = OpenRepository(options);
    ASSERT_TRUE(store->SetClock(1000).ok());
    for (int i = 0; i < kAttempts; ++i) Scheduler(store.get()).Enqueue({absl::StrCat(100 + i)});
  }
  RunProcesses(kProcesses, [&](int me) {
    MeetingOfProcesses<Counters> meeting(&ended, kMeetings);
    RuntimeRepository::Options mine = options;
    mine.environment.pause = &meeting;
    auto store = RuntimeRepository::Open(mine);
    if (!store.ok()) return false;
    while (true) {
      const auto listed = (*store)->ListDispatchableAttempts({At(1), 16});
      if (!listed.has_value()) return false;
      if (listed->empty()) return true;
      for (const rr::AttemptDispatchRecord& record : *listed) {
        const auto lease = (*store)->UpsertLease({record.attempt_id, absl::StrCat(me), At(1e6)});
        if (!lease.has_value()) {
          ++ended->lost_races;
          continue;
        }
        const auto acked = (*store)->AckAttempt({record.attempt_id, Status::kCompleted, std::nullopt, At(1), lease->lease_id});
        if (!acked.has_value()) return false;
        ended->values[ended->count++] = std::stoul(record.attempt_id);
        break;
      }
    }
  });
  EXPECT_EQ(ended->count, static_cast<uint64_t>(kAttempts));
  EXPECT_GE(ended->lost_races, 1u) << "the first claims of all processes met";
  EXPECT_EQ(std::set<uint64_t>(ended->values, ended->values + kAttempts).size(), static_cast<std::size_t>(kAttempts));
  auto store = OpenRepository(options);
  EXPECT_THAT(Scheduler(store.get()).List(1e6), IsEmpty());
}

// Processes that all make the same new file, and append to one run: no number is given twice.
TEST_F(RuntimeRepositoryConcurrent, OneNewFileIsMadeOnce) {
  SharedMemory<Counters> numbers(kProcesses);
  for (int round = 0; round < 5; ++round) {
    numbers->count = 0;
    RuntimeRepository::Options options = Options(2);
    options.path = folder_.File(absl::StrCat("new-", round, ".db"));
    options.clock_in_database = true;
    RunProcesses(kProcesses, [&](int me) {
      numbers.Meet();
      auto store = RuntimeRepository::Open(options);
      if (!store.ok() || !(*store)->EnqueueAttempt({absl::StrCat(me), "r"}).has_value()) return false;
      const auto number = (*store)->AppendRunEvents({"r", 1});
      if (!number.has_value()) return false;
      numbers->values[numbers->count++] = *number;
      return true;
    });
    EXPECT_EQ(std::set<uint64_t>(numbers->values, numbers->values + kProcesses), (std::set<uint64_t>{1, 2, 3}));
    auto store = OpenRepository(options);
    EXPECT_EQ(Scheduler(store.get()).List(0).size(), static_cast<std::size_t>(kProcesses));
  }
}

}  // namespace
}  // namespace leasecheck::sqlite
