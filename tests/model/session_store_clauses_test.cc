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
    // A warning is of a latitude point, and no store has to give rise to it.
    EXPECT_EQ(clause.warns, id.find("-LAT-") != std::string::npos) << id;
    EXPECT_TRUE(!clause.warns || (clause.expects_held && !clause.reason.empty())) << id;
  }
}

TEST(Clauses, EveryClauseOfTheContractIsInTheTable) {
  const std::regex clause(
      R"(^(?:[0-9]+\.|-) ((?:QW-(?:ENQ|CMD|CLM|IDS|REN|ABN|CAN|LST|PND|INV)|EL-[A-Z]+|SC-CMT|TI-(?:[A-KM-Z][A-Z0-9]+|LST))-[0-9]+) )");
  std::set<std::string> on_page;
  for (const char* name : {"queued-work.md", "turn-input.md"}) {
    const std::string path = absl::StrCat(LEASECHECK_SOURCE_DIR, "/../shared/contracts/", name);
    std::ifstream page(path);
    if (!page) GTEST_SKIP() << "the contract's page is not beside the sources (" << path << ")";
    for (std::string line; std::getline(page, line);) {
      std::smatch match;
      if (std::regex_search(line, match, clause)) on_page.insert(match[1]);
    }
  }
  EXPECT_GT(on_page.size(), 200u);
  std::set<std::string> in_table;
  for (const ClauseInfo& info : kClauses) {
    if (!info.warns) in_table.insert(std::string(info.id));
  }
  EXPECT_EQ(in_table.erase("SC-LOD-1"), 1u);  // ours: PROTOCOL.md gives it
  EXPECT_EQ(on_page, in_table);
}

TEST(Clauses, EveryClauseThatTheSpecJudgesIsCountedSomewhere) {
  std::string sources;
  for (const char* file :
       {"spec_queue.cc", "spec_claim.cc", "spec_renew.cc", "spec_lane.cc", "spec_commit.cc", "spec_turn_input_cancel.cc",
        "spec_turn_input_claim.cc", "spec_turn_input_commit.cc", "spec_turn_input_enqueue.cc"}) {
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
