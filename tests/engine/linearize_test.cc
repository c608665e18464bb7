// The search against the naive verifier, which tries every order, on small histories; and its behaviour at its limits.
#include "properties/engine/linearize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "properties/engine/linearize_core.h"
#include "properties/engine/linearize_partition.h"
#include "properties/engine/verify.h"
#include "tests/engine/linearize_models.h"
#include "tests/support/random_intervals.h"

namespace leasecheck::engine {
namespace {

constexpr uint64_t kOracleSteps = 2'000'000;

// Counts what the oracle tests met, so that none of them passes by meeting nothing.
struct Tally {
  int ok = 0;
  int illegal = 0;
  int cores = 0;
  int minimal = 0;
};

// Judges a history with the search, and all that the search says with the verifier.
template <class Model>
void Compare(const Model& model, const std::vector<Interval>& history, typename Model::State state, bool with_core,
             Tally* tally) {
  const std::vector<typename Model::State> initial = {state};
  const auto expected = AnyOrderExplains(model, history, initial, {}, kOracleSteps);
  if (!expected) return;  // too many orders for the oracle; the tallies show that this is rare
  const auto result = Linearize(model, history, initial, LinearizeOptions());
  ASSERT_EQ(result.verdict, *expected ? Verdict::kOk : Verdict::kIllegal);
  if (*expected) {
    ++tally->ok;
    ASSERT_EQ(CheckWitness(model, history, initial, result.witness), std::nullopt);
    return;
  }
  ++tally->illegal;
  // The blocked end is the earliest: with later ends open nothing is wrong before it, and something is wrong with it.
  const auto until = [&](bool inclusive) {
    std::vector<Interval> cut = history;
    for (Interval& interval : cut) {
      const Instant end = history[result.blocked].end;
      if (inclusive ? interval.end > end : interval.end >= end) interval = {interval.call, kOpen, true, interval.parts};
    }
    return AnyOrderExplains(model, cut, initial, {}, kOracleSteps);
  };
  ASSERT_NE(until(false), std::optional<bool>(false));
  ASSERT_NE(until(true), std::optional<bool>(true));
  ASSERT_FALSE(result.refusals.empty());
  if (!with_core) return;
  const Core core = FindCore(model, history, initial, result.blocked, CoreOptions());
  const SelectedCalls<Model> selected(model, core.origin);
  ASSERT_NE(AnyOrderExplains(selected, core.history, initial, core.weakened, kOracleSteps), std::optional<bool>(true));
  ASSERT_TRUE(core.minimal);
  ASSERT_THAT(core.calls, testing::Contains(result.blocked));
  ++tally->cores;
  for (int call : core.calls) {
    const auto op = std::find(core.origin.begin(), core.origin.end(), call) - core.origin.begin();
    std::vector<bool> weaker = core.weakened;
    weaker[op] = true;
    ASSERT_NE(AnyOrderExplains(selected, core.history, initial, weaker, kOracleSteps), std::optional<bool>(false));
    ++tally->minimal;
  }
}

// Gives the calls the answers that one random order would give, so that about half of the histories are legal once some are
// changed.
template <class Model, class Answer>
void AnswerInSomeOrder(Random& random, Model& model, const std::vector<Interval>& history, typename Model::State state,
                       Answer answer) {
  std::vector<int> done(history.size(), 0);
  while (true) {
    std::vector<int> candidates;
    for (int op = 0; op < static_cast<int>(history.size()); ++op) {
      bool free = done[op] < history[op].parts;
      for (std::size_t other = 0; other < history.size(); ++other) {
        free = free && !(done[other] < history[other].parts && history[other].end < history[op].call);
      }
      if (free) candidates.push_back(op);
    }
    if (candidates.empty()) return;
    const int op = candidates[random.Below(static_cast<int>(candidates.size()))];
    if (done[op] == 0) answer(op, state);
    std::vector<typename Model::State> next;
    model.Step(state, op, done[op]++, &next);
    if (!next.empty()) state = next[random.Below(static_cast<int>(next.size()))];
  }
}

TEST(LinearizeOracleTest, Registers) {
  Tally tally;
  for (uint32_t seed = 0; seed < 30000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const int calls = 1 + random.Below(7);
    std::vector<Interval> history = random.History(calls, 4, 4);
    std::vector<RegisterOp> ops(calls);
    for (int i = 0; i < calls; ++i) {
      ops[i] = {static_cast<RegisterOp::Kind>(random.Below(5)), random.Below(3), random.Below(3), RegisterOp::kOk, {}};
      if (ops[i].kind == RegisterOp::kWriteBoth) history[i].parts = 2;
      if (history[i].optional) ops[i].answer = RegisterOp::kUnknown;
    }
    RegisterModel model(ops);
    AnswerInSomeOrder(random, model, history, 0, [&](int i, int value) {
      RegisterOp& op = model.ops()[i];
      if (history[i].optional) return;
      if (op.kind == RegisterOp::kRead) op.read = value;
      if (op.kind == RegisterOp::kCas && value != op.a) op.answer = RegisterOp::kFail;
    });
    if (random.OneIn(2)) {
      RegisterOp& op = model.ops()[random.Below(calls)];
      if (op.read) op.read = random.Below(3);
      if (op.kind == RegisterOp::kCas && op.answer != RegisterOp::kUnknown) {
        op.answer = random.OneIn(2) ? RegisterOp::kOk : RegisterOp::kFail;
      }
    }
    Compare(model, history, 0, /*with_core=*/true, &tally);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tally.ok, 15000);
  EXPECT_GT(tally.illegal, 1500);
  EXPECT_EQ(tally.cores, tally.illegal);
  EXPECT_GT(tally.minimal, tally.cores);
}

void CompareClaimQueues(bool fifo) {
  Tally tally;
  for (uint32_t seed = 0; seed < 15000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const int calls = 2 + random.Below(6);
    const std::vector<Interval> history = random.History(calls, 5, 4);
    std::vector<ClaimOp> ops(calls);
    for (int i = 0; i < calls; ++i) {
      const int kind = random.Below(8);
      ops[i].kind = kind < 2   ? ClaimOp::kEnqueue
                    : kind < 5 ? ClaimOp::kClaim
                               : static_cast<ClaimOp::Kind>(ClaimOp::kRenew + kind - 5);
      if (i == 0) ops[i].kind = ClaimOp::kEnqueue;
      ops[i].item = ops[i].kind == ClaimOp::kEnqueue ? i + 1 : 1 + random.Below(2);
      ops[i].token = ops[i].kind == ClaimOp::kEnqueue ? 0 : 1 + random.Below(2);
    }
    ClaimModel model(ops, fifo);
    AnswerInSomeOrder(random, model, history, {}, [&](int i, const ClaimModel::State& state) {
      ClaimOp& op = model.ops()[i];
      if (history[i].optional) return;
      op.answer = ClaimOp::kOk;
      if (op.kind == ClaimOp::kEnqueue) return;
      if (op.kind == ClaimOp::kClaim) {
        if (state.ready.empty()) {
          op.answer = ClaimOp::kEmpty;
        } else {
          const ClaimModel::Item& item = state.ready[fifo ? 0 : random.Below(static_cast<int>(state.ready.size()))];
          op.item = item.item;
          op.token = item.token + 1;
        }
      } else if (std::find(state.live.begin(), state.live.end(), ClaimModel::Item{op.item, op.token}) == state.live.end()) {
        op.answer = ClaimOp::kStale;
      }
    });
    if (random.OneIn(2)) {
      const int i = random.Below(calls);
      ClaimOp& op = model.ops()[i];
      if (!history[i].optional && op.kind == ClaimOp::kClaim) op.answer = random.OneIn(2) ? ClaimOp::kOk : ClaimOp::kEmpty;
      if (!history[i].optional && op.kind > ClaimOp::kClaim) op.answer = random.OneIn(2) ? ClaimOp::kOk : ClaimOp::kStale;
    }
    Compare(model, history, {}, /*with_core=*/true, &tally);
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(tally.ok, 7000);
  EXPECT_GT(tally.illegal, 1000);
}

TEST(LinearizeOracleTest, ClaimQueuesInAnyOrder) { CompareClaimQueues(/*fifo=*/false); }
TEST(LinearizeOracleTest, ClaimQueuesInFifoOrder) { CompareClaimQueues(/*fifo=*/true); }

std::pair<KvModel, std::vector<Interval>> RandomKvHistory(Random& random, int calls, int spread) {
  std::vector<Interval> history = random.History(calls, 8, spread);
  std::vector<KvOp> ops(calls);
  for (int i = 0; i < calls; ++i) {
    ops[i] = {static_cast<KvOp::Kind>(random.Below(3)), absl::StrCat(random.Below(2)), absl::StrCat(random.Below(3))};
  }
  for (int i = 0; i < calls; ++i) {
    if (ops[i].kind == KvOp::kGet) history[i].optional = false;
    if (ops[i].kind == KvOp::kGet && history[i].end == kOpen) history[i].end = 1000;
  }
  KvModel any(ops);
  AnswerInSomeOrder(random, any, history, {}, [&](int i, const KvModel::State& state) {
    if (ops[i].kind != KvOp::kGet) return;
    const auto it = state.find(ops[i].key);
    ops[i].value = it == state.end() ? "" : it->second;
    if (random.OneIn(8)) ops[i].value = "1";
    any = KvModel(ops);
  });
  return {KvModel(ops), history};
}

TEST(LinearizeOracleTest, KeyValueStoresWholeAndByKey) {
  Tally tally;
  for (uint32_t seed = 0; seed < 10000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto [model, history] = RandomKvHistory(random, 2 + random.Below(6), 4);
    Compare(model, history, {}, /*with_core=*/true, &tally);
    if (HasFatalFailure()) return;
    // Keys do not touch each other, so here the parts decide the whole.
    const std::vector<KvOp>& ops = model.ops();
    const auto parts = LinearizeByPart(
        model, history, {KvModel::State()}, [&](int op) { return std::optional<std::string>(ops[op].key); }, LinearizeOptions());
    ASSERT_EQ(parts.verdict, Linearize(model, history, {KvModel::State()}, LinearizeOptions()).verdict);
  }
  EXPECT_GT(tally.ok, 3000);
  EXPECT_GT(tally.illegal, 1000);
}

// A history that is long, has cuts, and is hard enough for the search to need them: verdicts as without any cut.
TEST(LinearizeTest, CutsChangeNoVerdict) {
  int ok = 0, illegal = 0;
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const int calls = 80;
    std::vector<Interval> history = random.History(calls, 1000, 8);
    std::vector<RegisterOp> ops(calls);
    for (RegisterOp& op : ops)
      op = {static_cast<RegisterOp::Kind>(random.Below(3)), random.Below(4), random.Below(4), RegisterOp::kOk, {}};
    RegisterModel model(ops);
    AnswerInSomeOrder(random, model, history, 0, [&](int i, int value) {
      RegisterOp& op = model.ops()[i];
      if (op.kind == RegisterOp::kRead) op.read = value;
      if (op.kind == RegisterOp::kCas && value != op.a) op.answer = RegisterOp::kFail;
    });
    if (random.OneIn(2)) model.ops()[calls - 1] = {RegisterOp::kRead, 0, 0, RegisterOp::kOk, random.Below(4)};
    // A call that is open from first to last and tells nothing takes every cut away.
    std::vector<Interval> without_cuts = history;
    without_cuts.push_back({-1, 10000, false, 1});
    RegisterModel longer = model;
    longer.ops().push_back({RegisterOp::kRead, 0, 0, RegisterOp::kOk, {}});
    const auto with = Linearize(model, history, {0, 1}, LinearizeOptions());
    ASSERT_EQ(with.verdict, Linearize(longer, without_cuts, {0, 1}, LinearizeOptions()).verdict);
    with.verdict == Verdict::kOk ? ++ok : ++illegal;
    if (with.verdict == Verdict::kOk) {
      ASSERT_EQ(CheckWitness(model, history, {0, 1}, with.witness), std::nullopt);
    }
  }
  EXPECT_GT(ok, 50);
  EXPECT_GT(illegal, 20);
}

TEST(LinearizeTest, AllFinalStatesAreFound) {
  // Two writes that overlap, then a call of unknown outcome that ends.
  RegisterModel model({{RegisterOp::kWrite, 1, 0, RegisterOp::kOk, {}},
                       {RegisterOp::kWrite, 2, 0, RegisterOp::kOk, {}},
                       {RegisterOp::kWrite, 3, 0, RegisterOp::kUnknown, {}}});
  LinearizeOptions options;
  options.want_final_states = true;
  const auto result = Linearize(model, {{1, 3}, {2, 4}, {5, 6, true}}, {0}, options);
  EXPECT_THAT(result.final_states, testing::UnorderedElementsAre(1, 2, 3));
}

TEST(LinearizeTest, NamesTheBlockedReturnAndItsClause) {
  RegisterModel model({{RegisterOp::kWrite, 1, 0, RegisterOp::kOk, {}},
                       {RegisterOp::kRead, 0, 0, RegisterOp::kOk, 0},  // stale
                       {RegisterOp::kRead, 0, 0, RegisterOp::kOk, 5},  // wrong too, but later
                       {RegisterOp::kCas, 7, 8, RegisterOp::kOk, {}}});
  const std::vector<Interval> history = {{1, 2}, {3, 5}, {4, 6}, {7, 8}};
  const auto result = Linearize(model, history, {0}, LinearizeOptions());
  ASSERT_EQ(result.verdict, Verdict::kIllegal);
  EXPECT_EQ(result.blocked, 1);
  EXPECT_THAT(result.refusals, testing::ElementsAre(testing::Pair(RegisterOp::kRead, 1)));
  const Core core = FindCore(model, history, {0}, result.blocked, CoreOptions());
  EXPECT_THAT(core.calls, testing::ElementsAre(0, 1));
  EXPECT_TRUE(core.minimal);
}

// An order that gets stuck earlier than another says nothing about the end at which all are.
TEST(LinearizeTest, OnlyTheFurthestOrdersTellClauses) {
  RegisterModel model({{RegisterOp::kWrite, 1, 0, RegisterOp::kOk, {}},
                       {RegisterOp::kWrite, 2, 0, RegisterOp::kOk, {}},
                       {RegisterOp::kRead, 0, 0, RegisterOp::kOk, 1},
                       {RegisterOp::kCas, 7, 8, RegisterOp::kOk, {}}});
  const auto result = Linearize(model, {{1, 3}, {2, 4}, {5, 6}, {7, 8}}, {0}, LinearizeOptions());
  ASSERT_EQ(result.verdict, Verdict::kIllegal);
  EXPECT_EQ(result.blocked, 3);
  EXPECT_THAT(result.refusals, testing::ElementsAre(testing::Pair(RegisterOp::kCas, 1)));
}

// Two puts of one key that overlap, a long way of puts of another with a barrier behind every round, and only then a get of the
// first: going straight through, the search would have to come back all the way.
TEST(LinearizeTest, CutsAreUsedWhereTheWayIsLong) {
  constexpr int kRounds = 100;
  for (const bool legal : {true, false}) {
    std::vector<KvOp> ops = {{KvOp::kPut, "a", "1"}, {KvOp::kPut, "a", "2"}};
    std::vector<Interval> history = {{0, 2}, {1, 3}};
    for (int i = 0; i < 4 * kRounds; ++i) {
      ops.push_back({KvOp::kPut, "b", absl::StrCat(i % 4)});
      history.push_back({10 + i / 4 * 10 + i % 4, 15 + i / 4 * 10 + i % 4});
    }
    // The order tried first leaves "2".
    ops.push_back({KvOp::kGet, "a", legal ? "1" : "3"});
    history.push_back({10000, 10001});
    const KvModel model(ops);
    const std::vector<KvModel::State> initial = {KvModel::State()};
    const auto result = Linearize(model, history, initial, LinearizeOptions());
    ASSERT_EQ(result.verdict, legal ? Verdict::kOk : Verdict::kIllegal);
    EXPECT_GT(result.stats.configurations, 4 * ops.size()) << "too easy: it went straight through";
    if (legal) {
      EXPECT_EQ(CheckWitness(model, history, initial, result.witness), std::nullopt);
    } else {
      EXPECT_EQ(result.blocked, static_cast<int>(ops.size()) - 1);
    }
  }
}

TEST(LinearizeTest, ACoreWithoutBudgetIsNotCalledMinimal) {
  RegisterModel model({{RegisterOp::kWrite, 1, 0, RegisterOp::kOk, {}}, {RegisterOp::kRead, 0, 0, RegisterOp::kOk, 0}});
  CoreOptions options;
  options.max_searches = 0;
  const Core core = FindCore(model, {{1, 2}, {3, 4}}, {0}, 1, options);
  EXPECT_FALSE(core.minimal);
  EXPECT_THAT(core.calls, testing::ElementsAre(0, 1));
}

// Appends that all overlap lead to a different state in each of their n! orders.
struct Hopeless {
  std::vector<KvOp> ops;
  std::vector<Interval> history;
  explicit Hopeless(int appends) {
    for (int i = 0; i < appends; ++i) {
      ops.push_back({KvOp::kAppend, "k", absl::StrCat("<", i, ">")});
      history.push_back({i, 100 + i});
    }
    ops.push_back({KvOp::kGet, "k", "not this"});
    history.push_back({300, 301});
  }
};

TEST(LinearizeTest, MemoryLimitEndsInUnknown) {
  const Hopeless hopeless(30);
  LinearizeOptions options;
  options.memory_bytes = 16 << 20;
  const auto result = Linearize(KvModel(hopeless.ops), hopeless.history, {KvModel::State()}, options);
  EXPECT_EQ(result.verdict, Verdict::kUnknown);
  EXPECT_EQ(result.reason, UnknownReason::kMemory);
  EXPECT_NE(result.detail, "");
  EXPECT_GT(result.stats.peak_bytes, options.memory_bytes / 8);
  EXPECT_LE(result.stats.peak_bytes, options.memory_bytes);
}

TEST(LinearizeTest, StepAndTimeLimitsEndInUnknown) {
  const Hopeless hopeless(30);
  LinearizeOptions options;
  options.max_steps = 5000;
  auto result = Linearize(KvModel(hopeless.ops), hopeless.history, {KvModel::State()}, options);
  EXPECT_EQ(result.reason, UnknownReason::kSteps);
  EXPECT_LE(result.stats.steps, 5000 + 100u);
  options = LinearizeOptions();
  int asked = 0;
  options.out_of_time = [&] { return ++asked == 3; };
  result = Linearize(KvModel(hopeless.ops), hopeless.history, {KvModel::State()}, options);
  EXPECT_EQ(result.verdict, Verdict::kUnknown);
  EXPECT_EQ(result.reason, UnknownReason::kTime);
  EXPECT_EQ(asked, 3);
}

TEST(LinearizeTest, MalformedHistoriesAreUnknown) {
  const RegisterModel model({{RegisterOp::kWrite, 1, 0, RegisterOp::kOk, {}}});
  EXPECT_EQ(Linearize(model, {{5, 4}}, {0}, LinearizeOptions()).reason, UnknownReason::kHistory);
  EXPECT_EQ(Linearize(model, {{1, 2, false, 0}}, {0}, LinearizeOptions()).reason, UnknownReason::kHistory);
  EXPECT_EQ(Linearize(model, {{1, 2}}, {}, LinearizeOptions()).reason, UnknownReason::kHistory);
}

TEST(LinearizeTest, TheEmptyHistoryIsOk) {
  EXPECT_EQ(Linearize(RegisterModel({}), {}, {0}, LinearizeOptions()).verdict, Verdict::kOk);
}

// 200 writes of unknown outcome, all alike and open for ever: without telling that they are alike this has 2^200 configurations.
TEST(LinearizeTest, UnknownOutcomesThatAreAlikeCountOnce) {
  std::vector<RegisterOp> ops(200, {RegisterOp::kCas, 1, 2, RegisterOp::kUnknown, {}});
  std::vector<Interval> history;
  history.reserve(221);
  for (int i = 0; i < 200; ++i) history.push_back({i, kOpen, true});
  for (int i = 0; i < 20; ++i) {
    ops.push_back({RegisterOp::kWrite, 1, 0, RegisterOp::kOk, {}});
    history.push_back({1000 + 10 * i, 1001 + 10 * i});
  }
  ops.push_back({RegisterOp::kRead, 0, 0, RegisterOp::kOk, 3});
  history.push_back({2000, 2001});
  LinearizeOptions options;
  options.max_steps = 100'000;
  const auto result = Linearize(RegisterModel(ops), history, {0}, options);
  EXPECT_EQ(result.verdict, Verdict::kIllegal);
  EXPECT_EQ(result.blocked, 220);
}

// Unseen writes that stay open for ever, each read soon after its call: an order in which they take no longer than others is
// found at once. Where one took effect only at the very end there is none, and the search goes on to the order that there is;
// where its value was read though it was never written, to none.
TEST(LinearizeTest, UnseenCallsAreTakenForUsualOnesFirst) {
  constexpr int kRounds = 60;
  enum class Case { kUsual, kLate, kNever };
  uint64_t usual_steps = 0;
  for (const Case which : {Case::kUsual, Case::kLate, Case::kNever}) {
    std::vector<RegisterOp> ops;
    std::vector<Interval> history;
    for (int i = 0; i < kRounds; ++i) {
      ops.push_back({RegisterOp::kWrite, 100 + i, 0, RegisterOp::kUnknown, {}});
      history.push_back({10 * i, kOpen, true});
      ops.push_back({RegisterOp::kRead, 0, 0, RegisterOp::kOk, 100 + i});
      history.push_back({10 * i + 1, 10 * i + 5});
    }
    ops.push_back({RegisterOp::kWrite, 1, 0, RegisterOp::kUnknown, {}});
    history.push_back({0, kOpen, true});
    ops.push_back({RegisterOp::kRead, 0, 0, RegisterOp::kOk,
                   which == Case::kUsual  ? 100 + kRounds - 1
                   : which == Case::kLate ? 1
                                          : 2});
    history.push_back({10 * kRounds, 10 * kRounds + 4});
    const RegisterModel model(ops);
    LinearizeOptions options;
    options.max_steps = 200'000;
    const auto result = Linearize(model, history, {0}, options);
    if (which == Case::kUsual) usual_steps = result.stats.steps;
    ASSERT_EQ(result.verdict, which == Case::kNever ? Verdict::kIllegal : Verdict::kOk);
    if (which == Case::kNever) {
      EXPECT_EQ(result.blocked, static_cast<int>(ops.size()) - 1);
    } else {
      EXPECT_EQ(CheckWitness(model, history, {0}, result.witness), std::nullopt);
    }
    if (which != Case::kUsual) {
      EXPECT_GT(result.stats.steps, usual_steps);
    }
    if (which == Case::kUsual) {
      EXPECT_LT(result.stats.steps, 4 * ops.size());
    }
  }
}

// The verifier itself: it finds fault with what is wrong.
TEST(VerifyTest, RefusesWrongWitnesses) {
  const RegisterModel model({{RegisterOp::kWrite, 1, 0, RegisterOp::kOk, {}}, {RegisterOp::kRead, 0, 0, RegisterOp::kOk, 1}});
  const std::vector<Interval> history = {{1, 2}, {3, 4}};
  const std::vector<int> initial = {1};
  EXPECT_EQ(CheckWitness(model, history, initial, std::vector<StepRef>{{0, 0}, {1, 0}}), std::nullopt);
  EXPECT_THAT(*CheckWitness(model, history, initial, std::vector<StepRef>{{1, 0}, {0, 0}}), testing::HasSubstr("ended"));
  EXPECT_THAT(*CheckWitness(model, history, initial, std::vector<StepRef>{{0, 0}}), testing::HasSubstr("not in the order"));
  EXPECT_THAT(*CheckWitness(model, history, initial, std::vector<StepRef>{{0, 0}, {0, 0}}), testing::HasSubstr("part"));
  EXPECT_THAT(*CheckWitness(model, history, initial, std::vector<StepRef>{{2, 0}}), testing::HasSubstr("no call"));
  const RegisterModel other({{RegisterOp::kWrite, 2, 0, RegisterOp::kOk, {}}, {RegisterOp::kRead, 0, 0, RegisterOp::kOk, 1}});
  EXPECT_THAT(*CheckWitness(other, history, initial, std::vector<StepRef>{{0, 0}, {1, 0}}), testing::HasSubstr("refuses"));
}

}  // namespace
}  // namespace leasecheck::engine
