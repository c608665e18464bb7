// Several connections, threads and processes on one file of the state_backend store. The overlap is made, not hoped for
// (sqlite_meetings.h), or a call is stopped in the middle of its transaction.
#include <algorithm>
#include <atomic>
#include <latch>
#include <set>
#include <thread>

#include "tests/adapters/sqlite_meetings.h"
#include "tests/adapters/sqlite_state_backend_fixture.h"

namespace leasecheck::sqlite {
namespace {

using ::testing::SizeIs;

constexpr int kThreads = 4;
constexpr int kProcesses = 3;

class StateBackendConcurrent : public ::testing::Test {
 protected:
  StateBackend::Options Options(int connections) {
    return {.path = folder_.File("state.db"), .connections = connections, .environment = {.clock = &clock_}};
  }

  Folder folder_;
  ManualClock clock_{0};
};

// Worked examples 18 and 19, and patches of one array: all rivals of a round are inside their calls at once.
TEST_F(StateBackendConcurrent, RivalsNeverShareANumberAnItemOrAPlace) {
  constexpr int kRounds = 15;
  Meeting meeting(kThreads);
  StateBackend::Options options = Options(kThreads);
  options.environment.pause = &meeting;
  auto store = OpenBackend(options);
  Engine engine(store.get());
  engine.CreateAll({1});
  constexpr uint64_t kItems = kThreads * kRounds / 2;
  for (uint64_t n = 1; n <= kItems; ++n) engine.Enqueue(sb::Item(n));
  std::vector<std::atomic<int>> given(kThreads * kRounds + 1);
  std::vector<std::atomic<int>> claimed(kItems + 1);
  meeting.Meet(true);
  RunThreads(kThreads, [&](int me) {
    for (int round = 0; round < kRounds; ++round) {
      const auto number = uint64_t{1} + static_cast<uint64_t>(round) * kThreads + static_cast<uint64_t>(me);
      ++given[static_cast<std::size_t>(store->AppendEvent({sb::EventOf(number)}).value())];
      store->PatchAppendArray({E(1), "log", sb::Json(absl::StrCat(number))}).value();
      const auto item = store->ClaimWorkItem({absl::StrCat(me), {"tool"}}).value();
      ++claimed[item.has_value() ? item->id.low : 0];
    }
  });
  meeting.Meet(false);
  EXPECT_EQ(claimed[0], static_cast<int>(kItems)) << "the other half of the claims";
  for (std::size_t n = 1; n < claimed.size(); ++n) EXPECT_EQ(claimed[n], 1) << n;
  for (std::size_t n = 1; n < given.size(); ++n) EXPECT_EQ(given[n], 1) << n;
  const std::string state = engine.State(1);
  EXPECT_EQ(std::count(state.begin(), state.end(), ','), kThreads * kRounds - 1);
  EXPECT_THAT(engine.Events(), SizeIs(kThreads * kRounds));
}

// Worked example 20: a completion and a reclaim of one expired item run together.
TEST_F(StateBackendConcurrent, E20ACompletedItemIsNeverReclaimed) {
  constexpr int kRounds = 20;
  Meeting meeting(2);
  StateBackend::Options options = Options(2);
  options.environment.pause = &meeting;
  auto store = OpenBackend(options);
  Engine engine(store.get());
  engine.CreateAll({1});
  for (uint64_t round = 1; round <= kRounds; ++round) {
    clock_.Set(round * 1'000'000);
    engine.Enqueue(sb::Item(round));
    EXPECT_EQ(engine.Claimed(), round);
    clock_.Set(round * 1'000'000 + 31'000);
    std::atomic<bool> completed{false};
    std::atomic<std::size_t> reclaimed{0};
    meeting.Meet(true);
    RunThreads(2, [&](int me) {
      if (me == 0) {
        completed = store->CompleteWorkItem({I(round)}).has_value();
      } else {
        reclaimed = store->ReclaimExpiredLeases({}).value().retryable.size();
      }
    });
    meeting.Meet(false);
    EXPECT_TRUE(completed) << "whether it was claimed or pending again";
    EXPECT_LE(reclaimed, 1u);
    clock_.Set(round * 1'000'000 + 100'000);
    EXPECT_EQ(engine.Claimed(), 0u) << round;
    EXPECT_EQ(engine.Reclaim(), sb::ReclaimResult{});
  }
}

// A reclaim stopped inside its transaction: nobody sees a part of it, and a heartbeat of what it took comes too late.
TEST_F(StateBackendConcurrent, AReclaimInTheMiddleHoldsUpWritersOnly) {
  std::latch inside(1), go_on(1);
  std::atomic<bool> armed{false};
  std::atomic<uint64_t> first_statement{0};
  StateBackend::Options options = Options(3);
  options.clock_in_database = true;  // reads are snapshots then
  options.on_statement = [&](uint64_t n) {
    if (armed.load() && n == first_statement + 5) {  // BEGIN, the clock, the expired ones, a write of the first
      inside.count_down();
      go_on.wait();
    }
    return absl::OkStatus();
  };
  auto store = OpenBackend(options);
  Engine engine(store.get());
  engine.CreateAll({1});
  for (uint64_t n = 1; n <= 3; ++n) {
    sb::WorkItem item = sb::Item(n);
    item.max_attempts = 1;
    engine.Enqueue(item);
    EXPECT_EQ(engine.Claimed(), n);
  }
  ASSERT_TRUE(store->SetClock(31'000).ok());
  first_statement = store->statements();
  armed = true;
  std::thread sweep([&] { EXPECT_THAT(store->ReclaimExpiredLeases({}).value().exhausted, SizeIs(3)); });
  inside.wait();
  armed = false;
  EXPECT_THAT(engine.Letters(), SizeIs(0)) << "a reader sees the state before, at once";
  const uint64_t before_rival = store->statements();
  std::thread beat([&] { EXPECT_TRUE(sb::FailedWith<sb::NotFound>(store->RenewLease({I(3), "w1"}))); });
  while (store->statements() == before_rival) std::this_thread::yield();  // the rival is at its BEGIN IMMEDIATE
  go_on.count_down();
  sweep.join();
  beat.join();
  EXPECT_THAT(engine.Letters(), SizeIs(3));
}

struct Counters {
  static constexpr int kMost = 256;
  std::atomic<uint64_t> count;
  std::atomic<uint64_t> values[kMost];
};

// Processes of two tenants, one file: each ends its own items, every item once.
TEST_F(StateBackendConcurrent, ProcessesEndTheItemsOfTheirTenantOnce) {
  constexpr int kItems = 20, kMeetings = 10;
  SharedMemory<Counters> ended(kProcesses);
  StateBackend::Options options = Options(2);
  options.clock_in_database = true;
  {
    auto store = OpenBackend(options);
    ASSERT_TRUE(store->SetClock(1000).ok());
    Engine engine(store.get());
    for (const char* tenant : {"even", "odd"}) {
      engine.Through(std::nullopt);
      engine.AddTenant(sb::TenantOf(tenant)).value();
      const uint64_t first = tenant == std::string("odd") ? 1 : 2;
      engine.Through(tenant);
      engine.Create(sb::Execution(first)).value();
      for (uint64_t n = first; n <= 2 * kItems; n += 2) engine.Enqueue(sb::Item(n, 0, "tool", first));
    }
  }
  RunProcesses(kProcesses, [&](int me) {
    MeetingOfProcesses<Counters> meeting(&ended, kMeetings);
    StateBackend::Options mine = options;
    mine.environment.pause = &meeting;
    auto store = StateBackend::Open(mine);
    if (!store.ok()) return false;
    const std::string tenant = me == 0 ? "odd" : "even";
    while (true) {
      const auto item = (*store)->ClaimWorkItem({absl::StrCat(me), {"tool"}, tenant});
      if (!item.has_value()) return false;
      if (!item->has_value()) return true;
      const uint64_t number = (*item)->id.low;
      if (number % 2 != (me == 0 ? 1u : 0u)) return false;
      if (!(*store)->CompleteWorkItem({(*item)->id, tenant}).has_value()) return false;
      ended->values[ended->count++] = number;
    }
  });
  ASSERT_EQ(ended->count, static_cast<uint64_t>(2 * kItems));
  EXPECT_THAT(std::set<uint64_t>(ended->values, ended->values + 2 * kItems), SizeIs(2 * kItems));
}

// Processes that all make the same new file, and append to one log: no number is given twice.
TEST_F(StateBackendConcurrent, OneNewFileIsMadeOnce) {
  SharedMemory<Counters> numbers(kProcesses);
  for (int round = 0; round < 5; ++round) {
    numbers->count = 0;
    StateBackend::Options options = Options(2);
    options.path = folder_.File(absl::StrCat("new-", round, ".db"));
    options.clock_in_database = true;
    RunProcesses(kProcesses, [&](int me) {
      numbers.Meet();
      auto store = StateBackend::Open(options);
      if (!store.ok()) return false;
      const bool created = (*store)->CreateExecution({sb::Execution(1)}).has_value();
      const auto number = (*store)->AppendEvent({sb::EventOf(uint64_t{1} + static_cast<uint64_t>(me))});
      if (!number.has_value()) return false;
      numbers->values[numbers->count++] = static_cast<uint64_t>(*number) + (created ? 100u : 0u);
      return true;
    });
    std::set<uint64_t> given;
    int created = 0;
    for (int i = 0; i < kProcesses; ++i) {
      given.insert(numbers->values[i] % 100);
      created += numbers->values[i] >= 100 ? 1 : 0;
    }
    EXPECT_EQ(given, (std::set<uint64_t>{1, 2, 3}));
    EXPECT_EQ(created, 1);
  }
}

}  // namespace
}  // namespace leasecheck::sqlite
