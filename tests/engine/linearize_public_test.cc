// The public histories: every verdict agrees with their README, and every claim of the search is checked without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "properties/engine/linearize.h"
#include "properties/engine/linearize_partition.h"
#include "properties/engine/verify.h"
#include "tests/engine/claim_queue.h"
#include "tests/engine/public_histories.h"

namespace leasecheck::engine {
namespace {

class PublicHistoriesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = PublicHistories();
    if (folder_.empty()) GTEST_SKIP() << "the public histories are not mounted beside the source directory";
  }
  std::string folder_;
};

// The verdict, after what the search says for it was checked.
template <class Model>
Verdict Judge(const Model& model, const std::vector<Interval>& history, typename Model::State initial) {
  const std::vector<typename Model::State> initials = {initial};
  const auto result = Linearize(model, history, initials, LinearizeOptions());
  if (result.verdict == Verdict::kOk) {
    EXPECT_EQ(CheckWitness(model, history, initials, result.witness), std::nullopt);
  }
  if (result.verdict == Verdict::kIllegal) {
    EXPECT_FALSE(history.at(result.blocked).optional);
    EXPECT_FALSE(result.refusals.empty());
    // What ended before can be explained: with the blocked call and all that end later made optional an order exists.
    std::vector<Interval> before = history;
    for (Interval& interval : before) {
      if (interval.end >= history[result.blocked].end) interval = {interval.call, kOpen, true, interval.parts};
    }
    const auto prefix = Linearize(model, before, initials, LinearizeOptions());
    EXPECT_EQ(prefix.verdict, Verdict::kOk);
    EXPECT_EQ(CheckWitness(model, before, initials, prefix.witness), std::nullopt);
  }
  EXPECT_EQ(result.detail, "");
  return result.verdict;
}

TEST_F(PublicHistoriesTest, EtcdLogs) {
  for (int number = 0; number <= 102; ++number) {
    if (number == 95) continue;
    const auto calls = ReadEtcdLog(absl::StrFormat("%s/jepsen/etcd_%03d.log", folder_, number));
    ASSERT_TRUE(calls.ok()) << calls.status();
    ASSERT_GT(calls->ops.size(), 50u);
    EXPECT_EQ(Judge(RegisterModel(calls->ops), calls->history, kNil),
              EtcdLogIsLinearizable(number) ? Verdict::kOk : Verdict::kIllegal)
        << number;
  }
}

TEST_F(PublicHistoriesTest, KeyValueStoresByKey) {
  const std::map<std::string, std::size_t> ops = {{"c01-ok", 58},   {"c01-bad", 38},  {"c10-ok", 337},
                                                  {"c10-bad", 405}, {"c50-ok", 1712}, {"c50-bad", 2024}};
  for (const auto& [name, count] : ops) {
    const auto calls = ReadKvHistory(absl::StrCat(folder_, "/kv/", name, ".txt"));
    ASSERT_TRUE(calls.ok()) << calls.status();
    ASSERT_EQ(calls->ops.size(), count);
    const auto result = LinearizeByPart(
        KvKeyModel(&calls->ops), calls->history, {KvKeyModel::State()},
        [&](int op) { return std::optional<std::string>(calls->ops[op].key); }, LinearizeOptions());
    EXPECT_EQ(result.verdict, absl::EndsWith(name, "ok") ? Verdict::kOk : Verdict::kIllegal) << name;
    if (result.verdict == Verdict::kOk) {  // also of all keys together
      const std::vector<StepRef> whole = WholeWitness<KvKeyModel::State>(calls->history, result);
      EXPECT_EQ(CheckWitness(KvModel(calls->ops), calls->history, {KvModel::State()}, whole), std::nullopt) << name;
    }
    for (const auto& part : result.parts) {
      const KvKeyModel model(&calls->ops);
      Judge(SelectedCalls<KvKeyModel>(model, part.part.origin), part.part.history, {});
    }
  }
}

// Verdicts of the queue that leaves open what no answer settled; its orders are checked against the plain one.
void JudgeClaimHistories(const std::string& folder, bool fifo) {
  int histories = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder + "/claimq")) {
    const std::string name = file.path().stem();
    if (absl::StartsWith(name, "fifo") != fifo) continue;
    ++histories;
    const auto history = ReadClaimHistory(file.path());
    ASSERT_TRUE(history.ok()) << history.status();
    ASSERT_EQ(history->fifo, fifo);
    const ClaimQueue queue(history->calls.ops, history->calls.history, fifo);
    const auto result = Linearize(queue, history->calls.history, {ClaimQueue::State()}, LinearizeOptions());
    EXPECT_EQ(result.verdict, absl::StrContains(name, "-bad") ? Verdict::kIllegal : Verdict::kOk) << name;
    EXPECT_EQ(result.detail, "");
    if (result.verdict == Verdict::kOk) {
      EXPECT_EQ(CheckWitness(ClaimModel(history->calls.ops, fifo), history->calls.history, {ClaimModel::State()},
                             queue.Arrange(history->calls.history, result)),
                std::nullopt)
          << name;
    }
  }
  EXPECT_GE(histories, 9);
}

TEST_F(PublicHistoriesTest, ClaimQueuesInAnyOrder) { JudgeClaimHistories(folder_, /*fifo=*/false); }
TEST_F(PublicHistoriesTest, ClaimQueuesInFifoOrder) { JudgeClaimHistories(folder_, /*fifo=*/true); }

// The same by the plain queue, where that is decided in time.
void JudgePlainClaimHistories(const std::string& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto history = ReadClaimHistory(absl::StrCat(folder, "/claimq/", name, ".jsonl"));
    ASSERT_TRUE(history.ok()) << history.status();
    ASSERT_GE(history->calls.ops.size(), 100u);
    const Verdict expected = absl::StrContains(name, "-bad") ? Verdict::kIllegal : Verdict::kOk;
    EXPECT_EQ(Judge(ClaimModel(history->calls.ops, history->fifo), history->calls.history, {}), expected) << name;
  }
}

TEST_F(PublicHistoriesTest, PlainClaimQueuesInAnyOrder) {
  JudgePlainClaimHistories(folder_, {"any-c4-n1000-d8", "any-c8-n1000-d4-bad-dup", "any-c8-n1000-d4-bad-stale",
                                     "any-c8-n1000-d4-unknown", "any-c8-n10000-d8", "any-c16-n10000-d8"});
}

TEST_F(PublicHistoriesTest, PlainClaimQueuesInFifoOrder) {
  JudgePlainClaimHistories(folder_, {"fifo-c4-n1000-d8", "fifo-c4-n1000-d4-unknown", "fifo-c8-n1000-d4",
                                     "fifo-c8-n1000-d4-bad-dup", "fifo-c8-n1000-d4-bad-stale", "fifo-c8-n1000-d4-unknown"});
}

}  // namespace
}  // namespace leasecheck::engine
