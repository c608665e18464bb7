// Every form of a report, against golden files and read back by a parser.
#include "properties/engine/report.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "pugixml.hpp"
#include "tests/support/golden.h"

namespace leasecheck {
namespace {

Report BrokenReport() {
  Report report;
  report.family = "toy";
  report.backend = "my <store> & co 1.2";
  report.seed = 7;
  report.verdict = Verdict::kDoesNotConform;
  report.reason = "it broke TOY-CLM-14";
  report.stages = {{.name = "sequential", .programs = 1200, .operations = 71234, .reopens = 3, .seconds = 0.5},
                   {.name = "concurrent", .note = "concurrency: not checked (the backend takes one call at a time)"}};
  report.operations = {{.name = "push", .calls = 12, .answers = {{"ok", 11}, {"none", 1}}}};
  report.clauses = {
      {.id = "TOY-ENQ-1", .sentence = "A push is listed.", .checked_by = "spec", .held = 12345},
      {.id = "TOY-ENQ-2", .sentence = "A | in a sentence.", .checked_by = "scan", .status = ClauseReport::Status::kMissing},
      {.id = "TOY-CLM-14",
       .sentence = "A lapsed claim (`expires <= now`) is claimable.",
       .checked_by = "spec",
       .held = 4,
       .refused = 2,
       .status = ClauseReport::Status::kBroken},
      {.id = "TOY-CLM-15",
       .sentence = "Not reachable.",
       .checked_by = "nobody",
       .status = ClauseReport::Status::kListed,
       .reason = "by design"},
      {.id = "TOY-CLM-16", .sentence = "Out of scope.", .checked_by = "spec", .status = ClauseReport::Status::kSkipped},
      {.id = "TOY-CLM-17",
       .sentence = "Known.",
       .checked_by = "spec",
       .status = ClauseReport::Status::kExpectedly,
       .reason = "bug 12"},
      {.id = "TOY-LAT-1",
       .sentence = "An item may wait for ever.",
       .checked_by = "spec",
       .held = 1234,
       .status = ClauseReport::Status::kWarned,
       .reason = "a store that takes it back has none"}};
  FailureReport failure;
  failure.stage = "sequential";
  failure.clause = "TOY-CLM-14";
  failure.sentence = "A lapsed claim (`expires <= now`) is claimable.";
  failure.trace = "# leasecheck trace 1 toy\nstart 1000\na = push {}\n";
  failure.state_before = "queue: a#1";
  failure.call = "claim {}";
  failure.expected = "the claim of a";
  failure.got = "none";
  failure.file = "out/TOY-CLM-14.trace";
  failure.replay = "leasecheck replay --backend 'process:x' out/TOY-CLM-14.trace";
  failure.backend_log = "]]> \x01 \xff \x1b[31mred";
  failure.program = 12;
  failure.operations = 4321;
  failure.calls = 1;
  failure.note = "not minimal: the budget ended";
  report.failures = {failure};
  return report;
}

Report GoodReport() {
  Report report;
  report.family = "toy";
  report.backend = "memory";
  report.verdict = Verdict::kConforms;
  report.stages = {{.name = "sequential", .programs = 10, .operations = 600, .seconds = 0}};
  report.clauses = {{.id = "TOY-ENQ-1", .sentence = "A push is listed.", .checked_by = "spec", .held = 1}};
  return report;
}

TEST(ReportText, IsGolden) {
  testing::ExpectGolden("tests/engine/golden/report_broken.txt", BrokenReport().text());
  testing::ExpectGolden("tests/engine/golden/report_good.txt", GoodReport().text());
}

TEST(ReportText, LastLineIsTheVerdict) {
  EXPECT_TRUE(BrokenReport().text().ends_with("my <store> & co 1.2: DOES NOT CONFORM: it broke TOY-CLM-14\n"));
  EXPECT_TRUE(GoodReport().text().ends_with("memory: CONFORMS\n"));
  Report internal = GoodReport();
  internal.internal_error = true;
  internal.reason = "the disk is full";
  EXPECT_TRUE(internal.text().ends_with("memory: INTERNAL ERROR: the disk is full\n"));
}

TEST(ReportJUnit, IsGoldenAndWellFormed) {
  const std::string xml = ToJUnitXml({BrokenReport(), GoodReport()});
  testing::ExpectGolden("tests/engine/golden/report.junit.xml", xml);
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(xml.c_str()));
  const pugi::xml_node suite = document.child("testsuites").first_child();
  const auto cases = suite.select_nodes("testcase");
  EXPECT_EQ(suite.attribute("tests").as_uint(), cases.size());
  EXPECT_EQ(suite.attribute("failures").as_uint(), suite.select_nodes("testcase/failure").size());
  EXPECT_EQ(suite.attribute("skipped").as_uint(), suite.select_nodes("testcase/skipped").size());
  for (unsigned char c : xml) EXPECT_TRUE(c >= 0x20 || c == '\n' || c == '\t') << "XML 1.0 has no control characters";
  EXPECT_EQ(xml.find("&#"), std::string::npos) << "nor references to them";
}

TEST(ReportJUnit, ARunWithoutVerdictIsAnError) {
  Report report = GoodReport();
  report.verdict = Verdict::kInconclusive;
  report.reason = "nothing was checked";
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(ToJUnitXml({report}).c_str()));
  EXPECT_EQ(document.child("testsuites").child("testsuite").attribute("errors").as_int(), 1);
}

TEST(ReportJson, IsReadBack) {
  const std::string json = ToJson({BrokenReport(), GoodReport()});
  testing::ExpectGolden("tests/engine/golden/report.json", json);
  auto reports = ReportsFromJson(json);
  ASSERT_TRUE(reports.ok()) << reports.status();
  EXPECT_EQ(ToJson(*reports), json);
}

TEST(ReportJson, RefusesWhatIsNoReport) {
  for (const char* text : {"", "[]", "{}", "{\"leasecheck_report\":1}", "{\"leasecheck_report\":2,\"reports\":[]}",
                           "{\"leasecheck_report\":\"x\"}", "{\"leasecheck_report\":1,\"reports\":[{\"family\":3}]}"}) {
    EXPECT_FALSE(ReportsFromJson(text).ok()) << text;
  }
  nlohmann::json json = nlohmann::json::parse(ToJson({GoodReport()}));
  json["reports"][0]["clauses"][0]["status"] = "splendid";
  auto read = ReportsFromJson(json.dump());
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.status().message().find("\"splendid\" is no status"), absl::string_view::npos) << read.status();
}

TEST(ReportMarkup, IsGolden) {
  testing::ExpectGolden("tests/engine/golden/report.md", ToMarkdown({BrokenReport()}));
  testing::ExpectGolden("tests/engine/golden/report.html", ToHtml({BrokenReport()}));
}

}  // namespace
}  // namespace leasecheck
