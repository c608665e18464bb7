// The clause table of runtime_persistence against the contract's own page.
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/runtime_persistence/clauses.h"
#include "model/runtime_persistence/spec.h"

namespace leasecheck::runtime_persistence {
namespace {

TEST(RuntimePersistenceClauses, IdsAreDistinctAndSentencesAreSentences) {
  std::set<std::string> ids;
  for (const ClauseInfo& clause : kClauses) {
    const std::string id(clause.id);
    EXPECT_TRUE(ids.insert(id).second) << id;
    EXPECT_EQ(clause.sentence.back(), '.') << id;
    EXPECT_TRUE(clause.expects_held || clause.expects_refused || !clause.reason.empty()) << id;
    EXPECT_EQ(clause.checked_by == CheckedBy::kNobody, !clause.expects_held && !clause.expects_refused) << id;
  }
}

TEST(RuntimePersistenceClauses, EveryClauseOfTheContractIsInTheTable) {
  const std::string path = absl::StrCat(LEASECHECK_SOURCE_DIR, "/../shared/contracts/runtime-persistence.md");
  std::ifstream page(path);
  if (!page) GTEST_SKIP() << "the contract's page is not beside the sources (" << path << ")";
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  const std::regex clause(R"(- ((?:RP-(?:[A-KM-Z][A-Z]+|LDS|LDN|LST)|AM-[A-Z]+)-[0-9]+))");
  std::set<std::string> on_page;
  for (std::sregex_iterator it(text.begin(), text.end(), clause), end; it != end; ++it) on_page.insert((*it)[1]);
  EXPECT_GT(on_page.size(), 100u);
  std::set<std::string> in_table;
  for (const ClauseInfo& info : kClauses) in_table.insert(std::string(info.id));
  for (const std::string& id : on_page) EXPECT_EQ(in_table.count(id), 1u) << id;
}

TEST(RuntimePersistenceClauses, EveryClauseThatTheSpecJudgesIsCountedSomewhere) {
  std::string sources;
  for (const char* file :
       {"attachments", "checkpoint", "claim", "commit", "defaults", "graph", "ledger", "meta", "queue", "read", "renew"}) {
    std::ifstream source(absl::StrCat(LEASECHECK_SOURCE_DIR, "/model/runtime_persistence/spec_", file, ".cc"));
    ASSERT_TRUE(source) << file;
    sources.append(std::istreambuf_iterator<char>(source), {});
  }
  const auto counted = [&](absl::string_view what, const std::string& id) {
    return sources.find(absl::StrCat(what, "<\"", id, "\">")) != std::string::npos;
  };
  for (const ClauseInfo& info : kClauses) {
    if (info.checked_by != CheckedBy::kSpec) continue;
    const std::string id(info.id);
    EXPECT_TRUE(counted("Held", id) || counted("MustHold", id) || !info.expects_held) << id;
    EXPECT_TRUE(counted("Refused", id) || counted("MustRefuse", id) || !info.expects_refused) << id;
  }
}

TEST(RuntimePersistenceClauses, DialectsTakeClausesOut) {
  const auto why = [](absl::string_view id, const Dialects& dialects) {
    return RuntimePersistenceSpec::NotApplicable(static_cast<ClauseIndex>(FindClause(kClauses, id)), dialects);
  };
  EXPECT_EQ(why("RP-CLM-1", {}), "");
  EXPECT_NE(why("RP-DEF-2", {}), "");
  EXPECT_NE(why("AM-NOP-1", {}), "");
  EXPECT_NE(why("RP-CLM-1", {{"RP-DEF", "default"}}), "");
  EXPECT_EQ(why("RP-DEF-2", {{"RP-DEF", "default"}}), "");
  EXPECT_EQ(why("RP-CMT-5", {{"RP-DEF", "default"}}), "");
  EXPECT_NE(why("AM-INT-1", {{"AM-NOP-1", "noop"}}), "");
  EXPECT_EQ(why("AM-NOP-1", {{"AM-NOP-1", "noop"}}), "");
}

}  // namespace
}  // namespace leasecheck::runtime_persistence
