// The clause table of state_backend against the contract's own page.
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/state_backend/clauses.h"
#include "model/state_backend/dialects.h"

namespace leasecheck::state_backend {
namespace {

TEST(StateBackendClauses, IdsAreDistinctAndSentencesAreSentences) {
  std::set<std::string> ids;
  for (const ClauseInfo& clause : kClauses) {
    const std::string id(clause.id);
    EXPECT_TRUE(ids.insert(id).second) << id;
    EXPECT_EQ(clause.sentence.back(), '.') << id;
    EXPECT_TRUE(clause.expects_held || clause.expects_refused || !clause.reason.empty()) << id;
    EXPECT_TRUE(clause.checked_by != CheckedBy::kNobody || (!clause.expects_held && !clause.expects_refused)) << id;
    // No store has to give rise to a warning.
    EXPECT_TRUE(!clause.warns || !clause.reason.empty()) << id;
  }
}

TEST(StateBackendClauses, TheTableIsWhatTheContractHas) {
  std::ifstream page(absl::StrCat(LEASECHECK_SOURCE_DIR, "/docs/contracts/state-backend.md"));
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  const std::regex clause("\n(?:- |\\| )(SB-[A-Z]+-[0-9]+) ");
  std::set<std::string> on_page, in_table;
  for (std::sregex_iterator it(text.begin(), text.end(), clause), end; it != end; ++it) on_page.insert((*it)[1]);
  on_page.insert("SB-DUR-1");  // DESIGN.md's, of every durable store
  for (const ClauseInfo& info : kClauses) in_table.insert(std::string(info.id));
  EXPECT_GT(on_page.size(), 200u);
  EXPECT_EQ(in_table, on_page);
}

TEST(StateBackendDialects, HaveTheWordsOfTheProtocol) {
  std::set<std::string> points;
  for (const DialectPoint& point : kDialectPoints) points.insert(std::string(point.id));
  EXPECT_EQ(points, (std::set<std::string>{"SB-LAT-5", "SB-LAT-9", "SB-LAT-10", "SB-LAT-15", "SB-LAT-16", "SB-LAT-17",
                                           "SB-LAT-20", "SB-LAT-34", "SB-LAT-35", "preset", "views"}));
}

}  // namespace
}  // namespace leasecheck::state_backend
