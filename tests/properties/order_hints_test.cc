// What the spec tells the search of the order of calls never changes a verdict: small concurrent histories of right and wrong
// stores, with answers exchanged now and then, judged with the hints, without them, and by trying every order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "bench/memory_target.h"
#include "model/session_store/spec.h"
#include "properties/engine/linearize.h"
#include "properties/engine/linearize_core.h"
#include "properties/engine/phase_model.h"
#include "properties/engine/verify.h"
#include "tests/mutants/slip_target.h"
#include "tests/support/own_histories.h"

namespace leasecheck::tests {
namespace {

using F = SessionStoreFamily;
using engine::Verdict;
using State = engine::TimedState<F>;

constexpr uint64_t kOracleSteps = 30'000;

struct Tally {
  int ok = 0;
  int illegal = 0;
  int oracle = 0;  // histories of which every order was tried
  int cores = 0;
  uint64_t steps = 0;
  uint64_t steps_without = 0;
};

// Exchanges the answers of two calls of one operation.
void ExchangeAnswers(std::mt19937& random, std::vector<engine::CallRecord<F>>* calls) {
  const std::size_t a = random() % calls->size();
  for (std::size_t tries = 0; tries < calls->size(); ++tries) {
    const std::size_t b = random() % calls->size();
    const auto* request_a = engine::RequestIf<F>((*calls)[a].action);
    const auto* request_b = engine::RequestIf<F>((*calls)[b].action);
    if (a == b || request_a == nullptr || request_b == nullptr || request_a->index() != request_b->index()) continue;
    if (std::holds_alternative<Indefinite>((*calls)[a].outcome) || std::holds_alternative<Indefinite>((*calls)[b].outcome))
      continue;
    std::swap((*calls)[a].outcome, (*calls)[b].outcome);
    return;
  }
}

void Compare(const OwnHistory& own, Tally* tally) {
  FixedLiveness liveness;
  const Dialects dialects;
  const SpecSetup setup{&dialects, &liveness};
  State start{own.start, Spec<F>::Initial(setup)};
  for (const auto& call : own.prefix) {
    std::vector<Spec<F>::State> alternatives;
    const auto refused =
        Spec<F>::Step(start.state, std::get<RequestOf<F>>(call.action), call.outcome, start.now, {setup}, &alternatives);
    ASSERT_FALSE(refused.has_value());
  }
  const std::vector<State> initial = {start};
  const engine::PhaseModel<F> model(own.phase, own.prefix.size(), setup, own.start);
  const std::vector<engine::Interval> history = model.Intervals();
  engine::LinearizeOptions options;
  options.want_final_states = true;
  const auto with = engine::Linearize(model, history, absl::MakeConstSpan(initial), options);
  options.ignore_order_hints = true;
  const auto without = engine::Linearize(model, history, absl::MakeConstSpan(initial), options);
  ASSERT_NE(with.verdict, Verdict::kUnknown);
  ASSERT_EQ(with.verdict, without.verdict);
  ASSERT_THAT(with.final_states, testing::UnorderedElementsAreArray(without.final_states));
  // Any order will do: those are looked for first in which unseen calls take no longer than others.
  engine::LinearizeOptions any;
  const auto first = engine::Linearize(model, history, absl::MakeConstSpan(initial), any);
  ASSERT_EQ(first.verdict, with.verdict);
  if (first.verdict == Verdict::kOk) {
    ASSERT_EQ(engine::CheckWitness(model, history, absl::MakeConstSpan(initial), first.witness), std::nullopt);
  }
  tally->steps += with.stats.steps;
  tally->steps_without += without.stats.steps;
  const auto every = engine::AnyOrderExplains(model, history, absl::MakeConstSpan(initial), {}, kOracleSteps);
  if (every.has_value()) {
    ++tally->oracle;
    ASSERT_EQ(with.verdict == Verdict::kOk, *every);
  }
  if (with.verdict == Verdict::kOk) {
    ++tally->ok;
    ASSERT_EQ(engine::CheckWitness(model, history, absl::MakeConstSpan(initial), with.witness), std::nullopt);
    return;
  }
  ++tally->illegal;
  ASSERT_FALSE(history.at(with.blocked).optional);
  ASSERT_FALSE(with.refusals.empty());
  if (tally->illegal % 8 != 0) return;
  const engine::Core core = engine::FindCore(model, history, absl::MakeConstSpan(initial), with.blocked, engine::CoreOptions());
  const engine::SelectedCalls<engine::PhaseModel<F>> selected(model, core.origin);
  ASSERT_NE(engine::AnyOrderExplains(selected, core.history, absl::MakeConstSpan(initial), core.weakened, kOracleSteps),
            std::optional<bool>(true));
  ++tally->cores;
}

void CompareMany(mutants::Policy policy, int seeds, Tally* tally) {
  const auto factory = mutants::SlipTargets({"slip", policy, false, {}});
  SCOPED_TRACE(static_cast<int>(policy.slip));
  SCOPED_TRACE(static_cast<int>(policy.deviation));
  for (int seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    OwnHistoryOptions options;
    options.clients = 2 + static_cast<int>(random() % 3);
    options.calls = options.clients * (2 + static_cast<int>(random() % 4));
    options.unseen_percent = 5;
    options.seed = static_cast<uint64_t>(seed) * 100 + static_cast<uint64_t>(policy.slip);
    auto own = RecordOwnHistory(factory, options);
    ASSERT_TRUE(own.ok()) << own.status();
    if (random() % 3 == 0) ExchangeAnswers(random, &own->phase);
    Compare(*own, tally);
    if (testing::Test::HasFatalFailure()) return;
  }
}

// The reference store's own histories of turn inputs and of the rest, and what becomes of them with answers exchanged.
TEST(OrderHintsTest, ChangeNoVerdictOnTurnInputs) {
  const auto factory = bench::MemoryTargets();
  Tally tally;
  for (int seed = 0; seed < 2500; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    OwnHistoryOptions options;
    options.clients = 2 + static_cast<int>(random() % 3);
    options.calls = options.clients * (2 + static_cast<int>(random() % 4));
    options.unseen_percent = 5;
    options.input_percent = 75;
    options.seed = static_cast<uint64_t>(seed) + 1;
    auto own = RecordOwnHistory(factory, options);
    ASSERT_TRUE(own.ok()) << own.status();
    if (random() % 2 == 0) ExchangeAnswers(random, &own->phase);
    Compare(*own, &tally);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tally.ok, 1200);
  EXPECT_GT(tally.illegal, 150);
  EXPECT_GT(tally.oracle, 300);
  EXPECT_LT(tally.steps, tally.steps_without) << "the hints spare nothing";
}

TEST(OrderHintsTest, ChangeNoVerdict) {
  Tally tally;
  for (const auto& [slip, seeds] : {std::pair(mutants::Slip::kNone, 1500),
                                    {mutants::Slip::kRaceSelectThenMark, 200},
                                    {mutants::Slip::kRaceTryClaimCheckThenTake, 200},
                                    {mutants::Slip::kRaceFenceThenCommit, 200},
                                    {mutants::Slip::kRaceRenewCheckThenExtend, 200},
                                    {mutants::Slip::kLiveClaimedEndsRun, 200},
                                    {mutants::Slip::kRaceTimeBeforeLock, 200},
                                    {mutants::Slip::kRaceSeqReadThenWrite, 200}}) {
    CompareMany({.slip = slip}, seeds, &tally);
    if (HasFatalFailure()) return;
  }
  for (int deviation = 1; deviation < static_cast<int>(mutants::Deviation::kCount); ++deviation) {
    CompareMany({.deviation = static_cast<mutants::Deviation>(deviation)}, 30, &tally);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tally.ok, 1500);
  EXPECT_GT(tally.illegal, 150);
  EXPECT_GT(tally.oracle, 500);
  EXPECT_GT(tally.cores, 15);
  EXPECT_LT(2 * tally.steps, tally.steps_without) << "the hints spare next to nothing";
}

}  // namespace
}  // namespace leasecheck::tests
