// The claim queue that leaves open what no answer settled, against the plain one in every order: the same verdicts, and orders
// that the plain one allows.
#include "tests/engine/claim_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "properties/engine/verify.h"
#include "tests/support/random_intervals.h"

namespace leasecheck::engine {
namespace {

constexpr uint64_t kOracleSteps = 2'000'000;

struct Tally {
  int ok = 0;
  int illegal = 0;
  int undecided = 0;  // by the oracle
  int unknown_claims = 0;
};

// Calls and answers as one order of the plain model gives them; now and then an answer is changed.
std::vector<ClaimOp> RandomCalls(Random& random, const std::vector<Interval>& history, bool fifo) {
  const int calls = static_cast<int>(history.size());
  std::vector<ClaimOp> ops(calls);
  for (ClaimOp& op : ops) op.answer = ClaimOp::kOk;
  std::vector<bool> done(calls, false);
  ClaimModel::State state;
  std::vector<ClaimModel::Item> known;  // claims that were answered
  int items = 0;
  for (int taken = 0; taken < calls; ++taken) {
    std::vector<int> candidates;
    for (int op = 0; op < calls; ++op) {
      bool free = !done[op];
      for (int other = 0; other < calls; ++other) free = free && (done[other] || history[other].end >= history[op].call);
      if (free) candidates.push_back(op);
    }
    const int index = candidates[random.Below(static_cast<int>(candidates.size()))];
    done[index] = true;
    ClaimOp& op = ops[index];
    const bool unknown = history[index].optional;
    const int kind = random.Below(8);
    op.kind = kind < 2 || items == 0 ? ClaimOp::kEnqueue
              : kind < 5             ? ClaimOp::kClaim
                                     : static_cast<ClaimOp::Kind>(ClaimOp::kRenew + random.Below(4));
    if (op.kind > ClaimOp::kClaim && known.empty()) op.kind = ClaimOp::kClaim;
    if (unknown) op.answer = ClaimOp::kUnknown;
    if (op.kind == ClaimOp::kEnqueue) op.item = ++items;
    if (op.kind > ClaimOp::kClaim) {
      const ClaimModel::Item& item = known[random.Below(static_cast<int>(known.size()))];
      op.item = item.item;
      op.token = item.token;
    }
    const ClaimModel plain({op}, fifo);
    if (op.kind == ClaimOp::kClaim && !unknown) {
      op.answer = state.ready.empty() ? ClaimOp::kEmpty : ClaimOp::kOk;
      if (!state.ready.empty()) {
        const ClaimModel::Item& item = state.ready[fifo ? 0 : random.Below(static_cast<int>(state.ready.size()))];
        op.item = item.item;
        op.token = item.token + 1;
        known.push_back({op.item, op.token});
      }
    }
    if (op.kind > ClaimOp::kClaim && !unknown) {
      const bool live = std::find(state.live.begin(), state.live.end(), ClaimModel::Item{op.item, op.token}) != state.live.end();
      if (!live) op.answer = ClaimOp::kStale;
    }
    if (unknown && random.OneIn(2)) continue;  // it did not happen
    std::vector<ClaimModel::State> next;
    ClaimModel({op}, fifo).Step(state, 0, 0, &next);
    if (!next.empty()) state = next[random.Below(static_cast<int>(next.size()))];
  }
  if (random.OneIn(2)) {
    ClaimOp& op = ops[random.Below(calls)];
    if (op.answer != ClaimOp::kUnknown && op.kind == ClaimOp::kClaim && op.answer == ClaimOp::kOk) {
      if (random.OneIn(2))
        op = {ClaimOp::kClaim, 0, 0, ClaimOp::kEmpty};
      else
        op.token = 1 + random.Below(2);
    } else if (op.answer != ClaimOp::kUnknown && op.kind > ClaimOp::kClaim) {
      op.answer = op.answer == ClaimOp::kOk ? ClaimOp::kStale : ClaimOp::kOk;
    }
  }
  return ops;
}

void Compare(uint32_t seed, bool fifo, Tally* tally) {
  Random random(seed);
  const int calls = 3 + random.Below(6);
  const std::vector<Interval> history = random.History(calls, 6, 2 + random.Below(8));
  const std::vector<ClaimOp> ops = RandomCalls(random, history, fifo);
  const ClaimModel plain(ops, fifo);
  const ClaimQueue queue(ops, history, fifo);
  const auto expected = AnyOrderExplains(plain, history, {ClaimModel::State()}, {}, kOracleSteps);
  if (!expected.has_value()) {
    ++tally->undecided;
    return;
  }
  const auto result = Linearize(queue, history, {ClaimQueue::State()}, LinearizeOptions());
  ASSERT_EQ(result.verdict, *expected ? Verdict::kOk : Verdict::kIllegal);
  for (const StepRef& step : result.witness) {
    if (ops[step.op].kind == ClaimOp::kClaim && ops[step.op].answer == ClaimOp::kUnknown) ++tally->unknown_claims;
  }
  if (*expected) {
    ++tally->ok;
    ASSERT_EQ(CheckWitness(plain, history, {ClaimModel::State()}, queue.Arrange(history, result)), std::nullopt);
  } else {
    ++tally->illegal;
    ASSERT_FALSE(history.at(result.blocked).optional);
    ASSERT_FALSE(result.refusals.empty());
  }
}

void CompareMany(bool fifo) {
  Tally tally;
  for (uint32_t seed = 0; seed < 20000; ++seed) {
    SCOPED_TRACE(seed);
    Compare(seed, fifo, &tally);
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(tally.ok, 10000);
  EXPECT_GT(tally.illegal, 2000);
  EXPECT_LT(tally.undecided, 200);
  EXPECT_GT(tally.unknown_claims, 100);
}

TEST(ClaimQueueTest, AnyOrderAgreesWithEveryOrderOfThePlainQueue) { CompareMany(/*fifo=*/false); }
TEST(ClaimQueueTest, FifoAgreesWithEveryOrderOfThePlainQueue) { CompareMany(/*fifo=*/true); }

// Marks alone: which orders they force.
TEST(MarkedOrderTest, NarrowsIntervalsAndOrdersCalls) {
  const std::vector<Interval> history = {{0, 100}, {10, 50}, {5, 60}, {20, 30, true}};
  const MarkedOrder order(history, {{{"b", 0, 1}}, {{"b", 1, 1}}, {{"b", 1, 2}}, {{"b", 1, 1}}});
  EXPECT_TRUE(order.Before(0, 1));
  EXPECT_TRUE(order.Before(1, 2));
  EXPECT_FALSE(order.Before(1, 0));
  EXPECT_LT(order.intervals()[0].end, 50 * MarkedOrder::kScale);
  EXPECT_GT(order.intervals()[2].call, 10 * MarkedOrder::kScale);
  EXPECT_EQ(order.intervals()[0].call, 0);
}

TEST(MarkedOrderTest, CountersThatContradictThemselvesAreLeftOut) {
  const std::vector<Interval> twice = {{0, 10}, {5, 20}};
  const MarkedOrder order(twice, {{{"b", 0, 1}}, {{"b", 0, 1}}});
  EXPECT_FALSE(order.Before(0, 1));
  EXPECT_FALSE(order.Before(1, 0));
  const MarkedOrder backwards({{0, 10}, {20, 30}}, {{{"b", 1, 1}}, {{"b", 0, 1}}});
  EXPECT_FALSE(backwards.Before(1, 0));
  EXPECT_EQ(backwards.intervals()[1].end, 30 * MarkedOrder::kScale);
}

TEST(MarkedOrderTest, CallsThatMayNotHaveHappenedNarrowNothing) {
  const std::vector<Interval> history = {{0, 100, true}, {10, 50}};
  const MarkedOrder order(history, {{{"b", 0, 1}}, {{"b", 1, 1}}});
  EXPECT_EQ(order.intervals()[1].call, 10 * MarkedOrder::kScale);
  EXPECT_LE(order.intervals()[0].end, 50 * MarkedOrder::kScale);
}

}  // namespace
}  // namespace leasecheck::engine
