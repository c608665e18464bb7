// The engine from programs to shrunk failures, on the toy family of tickets.
#include "properties/engine/runner.h"

#include <algorithm>
#include <set>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "properties/engine/shrink.h"
#include "tests/engine/ticket_family.h"

namespace leasecheck::engine {
namespace {

using F = TicketFamily;

Command<F> Take(std::string label, uint64_t value) {
  Command<F> command;
  command.label = std::move(label);
  command.action = RequestOf<F>(ticket::TakeRequest{value});
  return command;
}
Command<F> Redeem(const std::string& label) {
  Command<F> command;
  command.action = RequestOf<F>(ticket::RedeemRequest{});
  command.references = {{"voucher", label, ""}};
  return command;
}

class RunnerTest : public testing::Test {
 protected:
  std::unique_ptr<Target<F>> Open(bool racy) { return *InProcess(ticket::Factory(racy))(); }
  FixedLiveness liveness_;
  SpecSetup setup_{nullptr, &liveness_};
  LinearizeOptions search_;
  ClauseHits hits_{3};
};

TEST_F(RunnerTest, ReferencesResolveToEarlierAnswersAndElseToWhatWasNeverIssued) {
  auto target = Open(false);
  Driver<F> driver(*target, PropertiesOf<F>::Conversions());
  ASSERT_TRUE(driver.Begin(0).ok());
  ASSERT_TRUE(driver.Run(Redeem("a")).ok());  // not taken yet
  ASSERT_TRUE(driver.Run(Take("a", 7)).ok());
  ASSERT_TRUE(driver.Run(Redeem("a")).ok());
  const auto& calls = driver.history().calls;
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(std::get<ticket::RedeemRequest>(*RequestIf<F>(calls[0].action)).voucher.ticket_id, kNeverIssued);
  EXPECT_EQ(calls[0].outcome.index(), 1u);
  EXPECT_EQ(std::get<ticket::RedeemRequest>(*RequestIf<F>(calls[2].action)).voucher.ticket_id, "t1");
  EXPECT_EQ(*(ResponseIf<F, 1>(calls[2].outcome)), 7u);
}

TEST_F(RunnerTest, ALostResponseIsKnownToTheCheckerAndNotToTheClient) {
  auto target = Open(false);
  Driver<F> driver(*target, PropertiesOf<F>::Conversions());
  ASSERT_TRUE(driver.Begin(0).ok());
  Command<F> take = Take("a", 7);
  take.loss = Loss::kAnswer;
  ASSERT_TRUE(driver.Run(take).ok());
  ASSERT_TRUE(driver.Run(Redeem("a")).ok());
  const auto& calls = driver.history().calls;
  EXPECT_NE((ResponseIf<F, 0>(calls[0].outcome)), nullptr);
  EXPECT_EQ(std::get<ticket::RedeemRequest>(*RequestIf<F>(calls[1].action)).voucher.ticket_id, kNeverIssued);
}

TEST_F(RunnerTest, ProgramKDependsOnSeedAndKOnly) {
  auto target = Open(false);
  Runner<F> runner(*target, setup_, search_, &hits_);
  ProgramShape shape{.prefix = 20, .clients = 3, .branch = 3, .deterministic = true};
  const RunResult<F> first = runner.Generate(Random::ForProgram(5, 3), {}, shape);
  runner.Generate(Random::ForProgram(5, 4), {}, shape);
  const RunResult<F> again = runner.Generate(Random::ForProgram(5, 3), {}, shape);
  EXPECT_EQ(first.program, again.program);
  EXPECT_EQ(first.schedules, again.schedules);
}

TEST_F(RunnerTest, CallsOfFreeThreadsOverlap) {
  // The driver puts a hook of its own in the place of the test's where it knows that the store pauses.
  StoreFactory<F> factory = ticket::Factory(false);
  factory.info.pausable = false;
  auto target = *InProcess(factory)();
  // Proof of overlap, not luck: each of two calls waits in the store until the other is there.
  struct Rendezvous final : PauseHook {
    void Pause(absl::string_view) override { latch.arrive_and_wait(); }
    std::latch latch{2};
  } rendezvous;
  Driver<F> driver(*target, PropertiesOf<F>::Conversions());
  ASSERT_TRUE(driver.Begin(0).ok());
  ASSERT_TRUE(driver.Run(Take("a", 1)).ok());
  ASSERT_TRUE(driver.Run(Take("b", 2)).ok());
  driver.EndPhase();
  target->SetPauseHook(&rendezvous);
  Phase<F> phase;
  phase.clients = {{Redeem("a")}, {Redeem("b")}};
  ASSERT_TRUE(driver.RunPhase(phase).ok());
  target->SetPauseHook(nullptr);
  const auto& calls = driver.history().calls;
  ASSERT_EQ(calls.size(), 4u);
  EXPECT_TRUE(IntervalsOverlap(calls[2], calls[3]));
  EXPECT_EQ(calls[2].phase, 1);
}

TEST_F(RunnerTest, TheCorrectStorePassesUnderBothDrivers) {
  auto target = Open(false);
  Runner<F> runner(*target, setup_, search_, &hits_);
  for (uint64_t k = 0; k < 300; ++k) {
    const ProgramShape shape{.prefix = 6, .clients = 3, .parallel_phases = 2, .branch = 3, .deterministic = k % 2 == 0};
    const RunResult<F> run = runner.Generate(Random::ForProgram(1, k), {}, shape);
    ASSERT_TRUE(run.status.ok());
    ASSERT_FALSE(run.violation.has_value()) << run.violation->expected;
    ASSERT_EQ(run.undecided, "");
  }
  EXPECT_GT(hits_.held(1), 0u);
  EXPECT_GT(hits_.refused(1), 0u);
}

// The first program of the racy store that breaks the contract under the scheduler.
RunResult<F> FindRace(Runner<F>& runner) {
  for (uint64_t k = 0; k < 500; ++k) {
    RunResult<F> run =
        runner.Generate(Random::ForProgram(1, k), {}, {.prefix = 8, .clients = 3, .branch = 3, .deterministic = true});
    if (run.violation.has_value()) return run;
  }
  return {};
}

TEST_F(RunnerTest, ARaceIsFoundReplayedExactlyAndShrunkToItsCore) {
  auto target = Open(true);
  Runner<F> runner(*target, setup_, search_, nullptr);
  RunResult<F> race = FindRace(runner);
  ASSERT_TRUE(race.violation.has_value());
  EXPECT_EQ(race.violation->clause, "TK-ONCE");
  for (int i = 0; i < 20; ++i) {
    const RunResult<F> again = runner.Replay(race.program, race.schedules);
    ASSERT_TRUE(again.violation.has_value());
    EXPECT_EQ(again.violation->call, race.violation->call);
  }
  StillBreaks<F> still = [&](const Program<F>& program, const std::vector<Schedule>& schedules) -> std::optional<RunResult<F>> {
    RunResult<F> run = runner.Replay(program, schedules);
    if (!run.violation.has_value()) return std::nullopt;
    return run;
  };
  Shrinker<F> shrinker(still, 2000, {});
  const RunResult<F> shrunk = shrinker.Shrink(std::move(race));
  EXPECT_TRUE(shrinker.minimal());
  EXPECT_EQ(CommandCount(shrunk.program), 3u);  // one take, two redeems that overlap
  ASSERT_EQ(shrunk.program.phases.size(), 2u);
  EXPECT_EQ(shrunk.program.phases[1].clients.size(), 2u);
}

TEST_F(RunnerTest, TheRaceIsNoFailureOfAnyProgramWithoutOverlap) {
  auto target = Open(true);
  Runner<F> runner(*target, setup_, search_, nullptr);
  for (uint64_t k = 0; k < 200; ++k) {
    ASSERT_FALSE(runner.Generate(Random::ForProgram(2, k), {}, {.prefix = 40}).violation.has_value());
  }
}

}  // namespace
}  // namespace leasecheck::engine
