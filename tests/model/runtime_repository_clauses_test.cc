// The clause table of runtime_repository against the contract's own page.
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/runtime_repository/clauses.h"
#include "model/runtime_repository/dialects.h"

namespace leasecheck::runtime_repository {
namespace {

TEST(RuntimeRepositoryClauses, IdsAreDistinctAndSentencesAreSentences) {
  std::set<std::string> ids;
  for (const ClauseInfo& clause : kClauses) {
    const std::string id(clause.id);
    EXPECT_TRUE(ids.insert(id).second) << id;
    EXPECT_EQ(clause.sentence.back(), '.') << id;
    EXPECT_TRUE(clause.expects_held || clause.expects_refused || !clause.reason.empty()) << id;
    EXPECT_EQ(clause.checked_by == CheckedBy::kNobody, !clause.expects_held && !clause.expects_refused) << id;
  }
}

TEST(RuntimeRepositoryClauses, TheTableIsWhatTheContractHas) {
  const std::string path = absl::StrCat(LEASECHECK_SOURCE_DIR, "/../shared/contracts/runtime-repository.md");
  std::ifstream page(path);
  if (!page) GTEST_SKIP() << "the contract's page is not beside the sources (" << path << ")";
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  const std::regex clause("- (RR-[A-Z]+-[0-9]+) ");
  std::set<std::string> on_page, in_table;
  for (std::sregex_iterator it(text.begin(), text.end(), clause), end; it != end; ++it) on_page.insert((*it)[1]);
  for (const ClauseInfo& info : kClauses) in_table.insert(std::string(info.id));
  EXPECT_GT(on_page.size(), 100u);
  EXPECT_EQ(in_table, on_page);
}

TEST(RuntimeRepositoryDialects, HaveTheWordsOfTheProtocol) {
  std::set<std::string> points;
  for (const DialectPoint& point : kDialectPoints) {
    points.insert(std::string(point.id));
    EXPECT_EQ(point.words.size(), 2u) << std::string(point.id);
  }
  EXPECT_EQ(points, (std::set<std::string>{"RR-LAT-12", "RR-LAT-7", "RR-LAT-8", "profile"}));
}

}  // namespace
}  // namespace leasecheck::runtime_repository
