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

// Of both the checker is told the same; only one of them happened.
TEST_F(RunnerTest, OfACallWithoutAnOutcomeNobodyKnowsWhetherItHappened) {
  for (const Loss loss : {Loss::kOutcome, Loss::kRequest}) {
    auto target = Open(false);
    Runner<F> runner(*target, setup_, search_, nullptr);
    Command<F> lost = Redeem("a");
    lost.loss = loss;
    Program<F> program;
    program.phases = {{{{Take("a", 7), lost, Redeem("a")}}}};
    const RunResult<F> run = runner.Replay(program, {});
    ASSERT_FALSE(run.violation.has_value());
    ASSERT_EQ(run.history.calls.size(), 3u) << "the program goes on";
    const CallRecord<F>& unknown = run.history.calls[1];
    EXPECT_TRUE(std::holds_alternative<Indefinite>(unknown.outcome));
    EXPECT_LT(unknown.returned, run.history.calls[2].called) << "its effect came before it returned, or never";
    EXPECT_EQ(run.history.calls[2].outcome.index(), loss == Loss::kOutcome ? 1u : 0u);
  }
}

// What a client does after a barrier cannot be explained by a call of before it.
TEST_F(RunnerTest, AnUnknownOutcomeExcusesNothingThatItCannotHaveDone) {
  auto target = Open(false);
  Runner<F> runner(*target, setup_, search_, nullptr);
  Command<F> unknown = Take("b", 8);
  unknown.loss = Loss::kRequest;
  const RunResult<F> run = runner.Replay({.start = 0, .phases = {{{{Take("a", 7), unknown, Redeem("a")}}}}}, {});
  ASSERT_FALSE(run.violation.has_value());
  Judge<F> judge(setup_, nullptr);
  judge.Begin(0);
  std::vector<CallRecord<F>> calls = run.history.calls;
  calls[2].outcome = OutcomeOf<F>(std::in_place_index<1>, ticket::NoSuchTicket{});
  EXPECT_FALSE(judge.JudgeCall(calls[0], 0).has_value());
  EXPECT_FALSE(judge.JudgeCall(calls[1], 1).has_value());
  ASSERT_TRUE(judge.JudgeCall(calls[2], 2).has_value());
}

// Whether the held call returned when the other client had made two. False where that one was there already before it.
bool HeldBack(const std::vector<CallRecord<F>>& calls) {
  const auto held = std::find_if(calls.begin(), calls.end(), [](const auto& call) { return call.fault_took; });
  if (held == calls.end()) return false;
  EXPECT_EQ(held->client, 0);
  const auto before = [&](const auto& call) { return call.client == 1 && call.returned < held->returned; };
  EXPECT_GE(std::count_if(calls.begin(), calls.end(), before), 1);
  return std::count_if(calls.begin(), calls.end(), before) == 2;
}

TEST_F(RunnerTest, AHeldAnswerArrivesWhenOthersHaveGoneOn) {
  Command<F> held = Redeem("a");
  held.hold = 2;
  Program<F> program;
  program.phases = {{{{Take("a", 7)}}}, {{{held, Redeem("a")}, {Take("b", 1), Take("c", 2)}}}};
  auto target = Open(false);
  Runner<F> runner(*target, setup_, search_, nullptr);
  const RunResult<F> chosen = runner.Replay(program, {}, [] { return ReplayChooser({0, 0, 0, 0}); });
  EXPECT_FALSE(chosen.violation.has_value());
  EXPECT_TRUE(HeldBack(chosen.history.calls));
  // Of free threads either may be first.
  int held_back = 0;
  for (int i = 0; i < 2000 && held_back < 3; ++i) {
    const RunResult<F> run = runner.Replay(program, {});
    ASSERT_TRUE(run.status.ok());
    EXPECT_FALSE(run.violation.has_value());
    ASSERT_EQ(run.history.calls.size(), 5u);
    held_back += HeldBack(run.history.calls) ? 1 : 0;
  }
  EXPECT_EQ(held_back, 3);
}

// Everybody waits for everybody: nobody can go on, so nobody is held any longer.
TEST_F(RunnerTest, AnswersThatAllAreHeldAreLetGo) {
  Command<F> held = Redeem("a");
  held.hold = 3;
  Program<F> program;
  program.phases = {{{{Take("a", 7)}}}, {{{held, held}, {held}, {held}}}};
  for (const bool deterministic : {false, true}) {
    auto target = Open(false);
    Runner<F> runner(*target, setup_, search_, nullptr);
    std::function<Chooser()> chooser;
    if (deterministic) chooser = [] { return ReplayChooser({0, 1, 2}); };
    const RunResult<F> run = runner.Replay(program, {}, chooser);
    EXPECT_EQ(run.history.calls.size(), 5u);
    EXPECT_FALSE(run.violation.has_value());
  }
}

TEST_F(RunnerTest, ASleeperWakesWhenTheClockIsThereAndElseMovesItItself) {
  const auto stall = [](EpochMs until) {
    Command<F> command;
    command.action = Stall{until};
    return command;
  };
  const auto clock = [](EpochMs now) {
    Command<F> command;
    command.action = SetClock{now};
    return command;
  };
  Program<F> program;
  program.phases = {{{{stall(5), stall(3)}}},
                    {{{Take("a", 1), clock(10), Take("b", 2)}, {stall(10), Take("c", 3)}}},
                    {{{stall(30), Take("d", 4)}, {stall(20), Take("e", 5)}}}};
  for (const bool deterministic : {false, true}) {
    auto target = Open(false);
    Runner<F> runner(*target, setup_, search_, nullptr);
    std::function<Chooser()> chooser;
    if (deterministic) chooser = [] { return ReplayChooser({1, 1, 1, 1}); };
    const RunResult<F> run = runner.Replay(program, {}, chooser);
    ASSERT_FALSE(run.violation.has_value());
    ASSERT_EQ(run.history.calls.size(), 11u);
    std::vector<EpochMs> moved;
    int woken = 0;
    for (const CallRecord<F>& call : run.history.calls) {
      if (const auto* set = std::get_if<SetClock>(&call.action)) moved.push_back(set->now);
      if (std::holds_alternative<Stall>(call.action)) ++woken;
      if (std::holds_alternative<Stall>(call.action)) {
        EXPECT_TRUE(call.fault_took);
      }
    }
    EXPECT_EQ(moved.front(), 5u);
    EXPECT_EQ(moved[1], 10u);
    EXPECT_EQ(moved.back(), 30u);
    EXPECT_EQ(woken + moved.size(), 6u);
    EXPECT_GE(woken, 2);
  }
}

// The clients of free threads by the recorded order: each run begins and ends its calls like the one before.
TEST_F(RunnerTest, FreeThreadsKeepToARecordedOrder) {
  const auto order_of = [](const RunResult<F>& run) { return run.schedules[1]; };
  Program<F> program;
  program.phases = {{{{Take("a", 7)}}}, {{{Take("b", 1), Redeem("a")}, {Redeem("a"), Take("c", 2)}, {Take("d", 3)}}}};
  for (const std::vector<int>& turns :
       {std::vector<int>{2, 1, 0, 0, 0, 1, 2, 1, 1, 0}, std::vector<int>{0, 1, 2, 2, 1, 0, 1, 0, 0, 1},
        std::vector<int>{2, 2, 1, 1, 1, 1, 0, 0, 0, 0}}) {
    Schedule order(turns.begin(), turns.end());
    order.of_calls = true;
    auto target = Open(false);
    Runner<F> runner(*target, setup_, search_, nullptr);
    for (int i = 0; i < 20; ++i) {
      const RunResult<F> run = runner.Replay(program, {{}, order});
      ASSERT_TRUE(run.status.ok());
      ASSERT_EQ(order_of(run), order);
    }
  }
}

// A program of which parts were taken away, and one that has more than the order: what is left keeps to it, and nobody waits for
// ever.
TEST_F(RunnerTest, AnOrderOfAnotherProgramHoldsNobodyUp) {
  Command<F> held = Take("e", 5);
  held.hold = 2;
  Program<F> program;
  program.phases = {{{{Take("a", 7)}}}, {{{held, Redeem("a"), Redeem("a")}, {Redeem("a"), held, held}, {}}}};
  Schedule order{1, 2, 2, 1, 2, 0, 2, 1};
  order.of_calls = true;
  auto target = Open(false);
  Runner<F> runner(*target, setup_, search_, nullptr);
  for (int i = 0; i < 20; ++i) {
    const RunResult<F> run = runner.Replay(program, {{}, order});
    ASSERT_TRUE(run.status.ok());
    EXPECT_EQ(run.history.calls.size(), 7u);
    EXPECT_FALSE(run.violation.has_value());
  }
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

// The second call needs the first only as long as its value is not 0.
TEST_F(RunnerTest, WhatASimplerValueDoesNotNeedGoesToo) {
  const StillBreaks<F> still = [](const Program<F>& program, const std::vector<Schedule>&) -> std::optional<RunResult<F>> {
    if (CommandCount(program) == 0) return std::nullopt;
    const auto& commands = program.phases[0].clients[0];
    if (commands.back().label != "b") return std::nullopt;
    if (commands.size() == 1 && !(commands[0] == Take("b", 0))) return std::nullopt;
    RunResult<F> broken;
    broken.program = program;
    broken.violation.emplace();
    broken.history.calls.resize(1);
    return broken;
  };
  const Program<F> program = {.start = 0, .phases = {{{{Take("a", 7), Take("b", 9)}}}}};
  Shrinker<F> shrinker(still, 2000, {});
  const RunResult<F> shrunk = shrinker.Shrink(*still(program, {}));
  EXPECT_TRUE(shrinker.minimal());
  EXPECT_EQ(CommandCount(shrunk.program), 1u);
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
