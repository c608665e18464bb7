// The public histories through every format: what comes back is what was there, and gets the same verdict.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "properties/engine/history_formats.h"
#include "properties/engine/linearize.h"
#include "tests/engine/public_histories.h"
#include "tests/support/golden.h"

namespace leasecheck::engine {
namespace {

class HistoryPublicTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = PublicHistories();
    if (folder_.empty()) GTEST_SKIP() << "the public histories are not mounted beside the source directory";
  }

  std::vector<std::string> Files(const std::string& folder) const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ + folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
  }

  // public format -> history -> EDN -> history -> public format, with the format guessed where it is not our own.
  static std::string Around(const std::string& text, HistoryFormat format) {
    if (!text.empty()) {
      EXPECT_EQ(GuessHistoryFormat(text), format);
    }
    const auto history = ConvertHistory(text, "1", format, HistoryFormat::kHistory);
    EXPECT_TRUE(history.ok()) << history.status();
    const auto edn = ConvertHistory(history.value_or(""), "2", HistoryFormat::kHistory, HistoryFormat::kEdn);
    EXPECT_TRUE(edn.ok()) << edn.status();
    const auto again = ConvertHistory(edn.value_or(""), "3", HistoryFormat::kEdn, HistoryFormat::kHistory);
    EXPECT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again.value_or("bad"), history.value_or(""));
    const auto back = ConvertHistory(again.value_or(""), "4", HistoryFormat::kHistory, format);
    EXPECT_TRUE(back.ok()) << back.status();
    return back.value_or("");
  }

  std::string folder_;
};

// Each call's kind, arguments and answer.
auto Parts(const RegisterOp& op) { return std::tuple(op.kind, op.a, op.b, op.answer, op.read); }

// The instants of a log are its line numbers, so lines that are no events leave gaps; only the order says something.
std::vector<std::pair<Instant, Instant>> Ranks(const std::vector<Interval>& history) {
  std::vector<Instant> instants;
  for (const Interval& interval : history) {
    instants.push_back(interval.call);
    if (interval.end != kOpen) instants.push_back(interval.end);
  }
  std::sort(instants.begin(), instants.end());
  const auto rank = [&](Instant instant) {
    return instant == kOpen ? kOpen : std::lower_bound(instants.begin(), instants.end(), instant) - instants.begin();
  };
  std::vector<std::pair<Instant, Instant>> ranks;
  for (const Interval& interval : history) ranks.emplace_back(rank(interval.call), rank(interval.end));
  return ranks;
}

TEST_F(HistoryPublicTest, EtcdLogs) {
  const std::string copy = ::testing::TempDir() + "leasecheck-etcd-copy.log";
  int judged = 0;
  for (const std::string& file : Files("/jepsen")) {
    SCOPED_TRACE(file);
    std::ofstream(copy) << Around(leasecheck::testing::ReadWhole(file), HistoryFormat::kEtcdLog);
    const auto direct = ReadEtcdLog(file);
    const auto converted = ReadEtcdLog(copy);
    ASSERT_TRUE(direct.ok() && converted.ok());
    ASSERT_EQ(direct->ops.size(), converted->ops.size());
    for (std::size_t i = 0; i < direct->ops.size(); ++i) ASSERT_EQ(Parts(direct->ops[i]), Parts(converted->ops[i])) << i;
    ASSERT_EQ(Ranks(direct->history), Ranks(converted->history));
    if (direct->ops.empty()) continue;
    const std::vector<int> initials = {kNil};
    const auto result = Linearize(RegisterModel(converted->ops), converted->history, initials, LinearizeOptions());
    const int number = std::stoi(file.substr(file.size() - 7, 3));
    EXPECT_EQ(result.verdict, EtcdLogIsLinearizable(number) ? Verdict::kOk : Verdict::kIllegal);
    ++judged;
  }
  std::filesystem::remove(copy);
  EXPECT_EQ(judged, 102);
}

// These come back to the last byte, so there is nothing else to compare.
TEST_F(HistoryPublicTest, KeyValueStoresAndClaimQueuesKeepEveryByte) {
  std::size_t files = 0;
  for (const std::string& file : Files("/kv")) {
    const std::string text = leasecheck::testing::ReadWhole(file);
    ASSERT_FALSE(text.empty());
    EXPECT_TRUE(Around(text, HistoryFormat::kPorcupineKv) == text) << file;
    ++files;
  }
  for (const std::string& file : Files("/claimq")) {
    const std::string text = leasecheck::testing::ReadWhole(file);
    ASSERT_FALSE(text.empty());
    EXPECT_TRUE(Around(text, HistoryFormat::kClaimq) == text) << file;
    ++files;
  }
  EXPECT_EQ(files, 6u + 22u);
}

}  // namespace
}  // namespace leasecheck::engine
