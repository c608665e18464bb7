#include "properties/engine/scheduler.h"

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace leasecheck::engine {
namespace {

// Three clients that each append their number four times, pausing after each. Only one runs at a time, so the vector needs no
// lock: ThreadSanitizer is the witness.
std::vector<int> RunThree(const Schedule& schedule, Schedule* recorded) {
  std::vector<int> order;
  Scheduler scheduler(3, ReplayChooser(schedule));
  {
    std::vector<std::jthread> threads;
    for (int client = 0; client < 3; ++client) {
      threads.emplace_back([&, client] {
        scheduler.Start(client);
        for (int i = 0; i < 4; ++i) {
          order.push_back(client);
          scheduler.Pause("appended");
        }
        scheduler.Finish();
      });
    }
  }
  *recorded = scheduler.recorded();
  return order;
}

TEST(SchedulerTest, AScheduleDecidesTheOrderAndIsRecordedAsItWas) {
  Schedule recorded;
  const std::vector<int> order = RunThree({2, 0, 1, 1, 2, 0}, &recorded);
  ASSERT_EQ(order.size(), 12u);
  EXPECT_THAT(std::vector<int>(order.begin(), order.begin() + 6), testing::ElementsAre(2, 0, 1, 1, 2, 0));
  Schedule again;
  EXPECT_EQ(RunThree(recorded, &again), order);
  EXPECT_EQ(again, recorded);
}

TEST(SchedulerTest, WithoutAScheduleTheFirstClientRunsToItsEnd) {
  Schedule recorded;
  EXPECT_THAT(RunThree({}, &recorded), testing::ElementsAre(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2));
}

TEST(SchedulerTest, EntriesOfFinishedClientsArePassedOver) {
  Schedule recorded;
  EXPECT_THAT(RunThree({1, 1, 1, 1, 1, 1, 1, 2}, &recorded), testing::ElementsAre(1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0));
}

// A replayed schedule that has ended lets the current client run on; one that waits for another would run on for ever.
TEST(SchedulerTest, AClientThatWaitsForAnotherGivesWay) {
  Scheduler scheduler(2, ReplayChooser({0}));
  bool there = false;
  {
    std::jthread waiting([&] {
      scheduler.Start(0);
      while (!there) scheduler.GiveWay();
      scheduler.GiveWay();  // alone: returns
      scheduler.Finish();
    });
    std::jthread other([&] {
      scheduler.Start(1);
      there = true;
      scheduler.Finish();
    });
  }
  EXPECT_THAT(scheduler.recorded(), testing::ElementsAre(0, 1, 0));
}

// However the chooser likes them, two that wait do not keep the turn between them.
TEST(SchedulerTest, ThoseWhoWaitLetTheOneGoOnThatTheyWaitFor) {
  Scheduler scheduler(3, [](int, absl::Span<const int> runnable) { return runnable.front(); });
  bool there = false;
  {
    std::vector<std::jthread> waiting;
    for (int client = 0; client < 2; ++client) {
      waiting.emplace_back([&, client] {
        scheduler.Start(client);
        while (!there) scheduler.GiveWay();
        scheduler.Finish();
      });
    }
    std::jthread other([&] {
      scheduler.Start(2);
      scheduler.Pause("on the way");
      there = true;
      scheduler.Finish();
    });
  }
  EXPECT_THAT(scheduler.recorded(), testing::ElementsAre(0, 1, 2, 0, 1, 2, 0, 1));
}

TEST(SchedulerTest, APauseOfAThreadThatIsNoClientReturnsAtOnce) {
  Scheduler scheduler(1, ReplayChooser({}));
  scheduler.Pause("elsewhere");
  PauseRelay relay;
  relay.Pause("nobody is attached");
  relay.Attach(&scheduler);
  relay.Pause("not a client");
}

}  // namespace
}  // namespace leasecheck::engine
