// The clause table against the contract's own page.
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/session_store/clauses.h"

namespace leasecheck::session_store {
namespace {

static_assert(kClauses[Clause<"QW-CLM-14">()].id == "QW-CLM-14");
static_assert(FindClause(kClauses, "QW-CLM-99") == std::size(kClauses));

TEST(Clauses, IdsAreDistinctAndSentencesAreSentences) {
  std::set<std::string> ids;
  for (const ClauseInfo& clause : kClauses) {
    const std::string id(clause.id);
    EXPECT_TRUE(ids.insert(id).second) << id;
    ASSERT_FALSE(clause.sentence.empty()) << id;
    EXPECT_EQ(clause.sentence.back(), '.') << id;
    EXPECT_TRUE(clause.expects_held || clause.expects_refused || !clause.reason.empty()) << id;
    EXPECT_EQ(clause.checked_by == CheckedBy::kNobody, !clause.expects_held && !clause.expects_refused) << id;
  }
}

// The ids at the beginning of the lines of a page.
std::set<std::string> IdsOn(std::istream& page, const std::regex& clause) {
  std::set<std::string> ids;
  for (std::string line; std::getline(page, line);) {
    std::smatch match;
    if (std::regex_search(line, match, clause)) ids.insert(match[1]);
  }
  return ids;
}

TEST(Clauses, EveryClauseOfTheContractIsInTheTable) {
  const std::string folder = LEASECHECK_SOURCE_DIR "/../shared/contracts/";
  std::ifstream queued_work(folder + "queued-work.md"), turn_input(folder + "turn-input.md");
  if (!queued_work || !turn_input) GTEST_SKIP() << "the contract's pages are not beside the sources (" << folder << ")";
  std::set<std::string> on_page =
      IdsOn(queued_work,
            std::regex(R"(^(?:[0-9]+\.|-) ((?:QW-(?:ENQ|CMD|CLM|IDS|REN|ABN|CAN|LST|PND|INV)|EL-[A-Z]+|SC-CMT)-[0-9]+) )"));
  EXPECT_GT(on_page.size(), 100u);
  const std::set<std::string> inputs =
      IdsOn(turn_input, std::regex(R"(^- (TI-(?:ENQ|LST|CAN1|CAN|SFX|ACT|NXT|ABN|CMT|VAC|INV)-[0-9]+) )"));
  EXPECT_GT(inputs.size(), 100u);
  on_page.insert(inputs.begin(), inputs.end());
  std::set<std::string> in_table;
  for (const ClauseInfo& info : kClauses) in_table.insert(std::string(info.id));
  EXPECT_EQ(in_table.erase("SC-LOD-1"), 1u);  // ours: PROTOCOL.md gives it
  EXPECT_EQ(on_page, in_table);
}

TEST(Clauses, EveryClauseThatTheSpecJudgesIsCountedSomewhere) {
  std::string sources;
  for (const char* file : {"spec_queue.cc", "spec_claim.cc", "spec_renew.cc", "spec_lane.cc", "spec_commit.cc"}) {
    std::ifstream source(absl::StrCat(LEASECHECK_SOURCE_DIR, "/model/session_store/", file));
    ASSERT_TRUE(source) << file;
    sources.append(std::istreambuf_iterator<char>(source), {});
  }
  for (const ClauseInfo& info : kClauses) {
    if (info.checked_by != CheckedBy::kSpec) continue;
    const std::string id(info.id);
    const bool held = sources.find("Held<\"" + id + "\">") != std::string::npos;
    const bool refused = sources.find("Refused<\"" + id + "\">") != std::string::npos;
    EXPECT_TRUE(held || !info.expects_held) << id;
    EXPECT_TRUE(refused || !info.expects_refused) << id;
  }
}

}  // namespace
}  // namespace leasecheck::session_store
