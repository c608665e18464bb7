// The forms of a report for other programs' eyes: JUnit XML, Markdown and HTML.
#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "properties/engine/report.h"
#include "properties/engine/report_summary.h"
#include "pugixml.hpp"

namespace leasecheck {
namespace {

using engine::Grouped;

// Text that XML 1.0 can hold: valid UTF-8 without control characters. A backend's log may be anything.
std::string XmlText(absl::string_view text) {
  using Json = nlohmann::json;
  const std::string json = Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
  auto valid = Json::parse(json).get<std::string>();
  for (char& c : valid) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) c = '?';
  }
  return absl::StrReplaceAll(valid, {{"\xEF\xBF\xBE", "?"}, {"\xEF\xBF\xBF", "?"}});
}

void SetAttribute(absl::string_view name, absl::string_view value, pugi::xml_node node) {
  node.append_attribute(std::string(name).c_str()).set_value(XmlText(value).c_str());
}

pugi::xml_node AppendElement(absl::string_view name, absl::string_view text, pugi::xml_node parent) {
  pugi::xml_node node = parent.append_child(std::string(name).c_str());
  if (!text.empty()) node.text().set(XmlText(text).c_str());
  return node;
}

std::string Written(const pugi::xml_document& document, unsigned flags) {
  std::ostringstream out;
  document.save(out, "  ", flags, pugi::encoding_utf8);
  return out.str();
}

// What JUnit calls the class of a case.
std::string ClassName(const Report& report, absl::string_view part) {
  return absl::StrCat("leasecheck.", report.family, ".", part);
}

void AppendFailures(const Report& report, absl::string_view clause, pugi::xml_node test_case) {
  for (const FailureReport& failure : report.failures) {
    if (failure.clause != clause) continue;
    pugi::xml_node node = AppendElement("failure", ToText(failure), test_case);
    SetAttribute("message", failure.sentence, node);
    SetAttribute("type", failure.clause, node);
    return;  // JUnit's schema has one a case; the text form has them all
  }
  SetAttribute("message", "broken", test_case.append_child("failure"));
}

// Adds the case of one clause; returns 'f' for a failed one, 's' for a skipped one, ' ' else.
char AppendClauseCase(const Report& report, const ClauseReport& clause, pugi::xml_node suite) {
  pugi::xml_node test_case = suite.append_child("testcase");
  SetAttribute("classname", ClassName(report, "clauses"), test_case);
  SetAttribute("name", absl::StrCat(clause.id, " ", clause.sentence), test_case);
  SetAttribute("time", "0", test_case);
  switch (clause.status) {
    case ClauseReport::Status::kExercised:
      return ' ';
    case ClauseReport::Status::kWarned:
      AppendElement("system-out", absl::StrCat("warning, met ", Grouped(clause.held), clause.held == 1 ? " time" : " times"),
                    test_case);
      return ' ';
    case ClauseReport::Status::kBroken:
      AppendFailures(report, clause.id, test_case);
      return 'f';
    case ClauseReport::Status::kMissing:
      SetAttribute("message", "required, and this run did not reach it", test_case.append_child("skipped"));
      return 's';
    default:
      SetAttribute("message", clause.reason.empty() ? engine::StatusWord(clause.status) : absl::string_view(clause.reason),
                   test_case.append_child("skipped"));
      return 's';
  }
}

// A failure whose clause is none of the table's (PROTOCOL) belongs to its stage.
bool HasOwnCase(const Report& report, const FailureReport& failure) {
  for (const ClauseReport& clause : report.clauses) {
    if (clause.id == failure.clause && clause.status == ClauseReport::Status::kBroken) return true;
  }
  return false;
}

bool AppendStageCase(const Report& report, const StageReport& stage, pugi::xml_node suite) {
  pugi::xml_node test_case = suite.append_child("testcase");
  SetAttribute("classname", ClassName(report, "stages"), test_case);
  SetAttribute("name", stage.name, test_case);
  SetAttribute("time", absl::StrFormat("%.3f", stage.seconds), test_case);
  bool failed = false;
  for (const FailureReport& failure : report.failures) {
    if (failed || failure.stage != stage.name || failure.known_deviation || HasOwnCase(report, failure)) continue;
    pugi::xml_node node = AppendElement("failure", ToText(failure), test_case);
    SetAttribute("message", failure.sentence, node);
    SetAttribute("type", failure.clause, node);
    failed = true;
  }
  AppendElement(
      "system-out",
      absl::StrCat(Grouped(stage.programs), " programs, ", Grouped(stage.operations), " operations, ", Grouped(stage.overlapping),
                   " overlapping, ", Grouped(stage.crashes), " crashes, ", Grouped(stage.kills_at_statement),
                   " kills at a statement", stage.note.empty() ? "" : "; ", stage.note),
      test_case);
  return failed;
}

// Adds the case of the verdict, so that no run that did not conform looks green.
char AppendVerdictCase(const Report& report, pugi::xml_node suite) {
  pugi::xml_node test_case = suite.append_child("testcase");
  SetAttribute("classname", ClassName(report, "verdict"), test_case);
  SetAttribute("name", "conforms", test_case);
  SetAttribute("time", "0", test_case);
  if (report.conforms() && !report.internal_error) return ' ';
  const bool failed = report.verdict == Verdict::kDoesNotConform && !report.internal_error;
  SetAttribute("message", engine::VerdictLine(report), test_case.append_child(failed ? "failure" : "error"));
  return failed ? 'f' : 'e';
}

std::string MarkdownCell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}, {"<", "&lt;"}, {"`", "'"}});
}

// A fence longer than any run of backticks in the text.
std::string MarkdownBlock(absl::string_view text) {
  std::string fence = "```";
  while (text.find(fence) != absl::string_view::npos) fence += '`';
  return absl::StrCat(fence, "text\n", text, fence, "\n");
}

void AppendRow(absl::string_view cell, std::initializer_list<std::string> cells, pugi::xml_node table) {
  pugi::xml_node row = table.append_child("tr");
  for (const std::string& text : cells) AppendElement(cell, text.empty() ? "\u00a0" : text, row);  // HTML has no empty tags
}

constexpr char kStyle[] =
    "body{font:15px/1.5 sans-serif;max-width:72em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
    "td,th{border:1px solid #bbb;padding:.2em .6em;text-align:left}pre{background:#f4f4f4;padding:1em;overflow:auto}";

void AppendHtmlTables(const Report& report, pugi::xml_node body) {
  AppendElement("h2", "Stages", body);
  pugi::xml_node stages = body.append_child("table");
  AppendRow("th", {"stage", "programs", "operations", "overlapping", "crashes", "at statement", "reopens", "ops/s", "note"},
            stages);
  for (const StageReport& stage : report.stages) {
    AppendRow("td",
              {stage.name, Grouped(stage.programs), Grouped(stage.operations), Grouped(stage.overlapping), Grouped(stage.crashes),
               Grouped(stage.kills_at_statement), Grouped(stage.reopens), engine::Rate(stage), stage.note},
              stages);
  }
  AppendElement("h2", "Clauses", body);
  pugi::xml_node clauses = body.append_child("table");
  AppendRow("th", {"clause", "what must hold", "status", "held", "refused", "reason"}, clauses);
  for (const ClauseReport& clause : report.clauses) {
    AppendRow("td",
              {clause.id, clause.sentence, std::string(engine::StatusWord(clause.status)), Grouped(clause.held),
               Grouped(clause.refused), clause.reason},
              clauses);
  }
}

void AppendSuite(const Report& report, pugi::xml_node suites) {
  pugi::xml_node suite = suites.append_child("testsuite");
  SetAttribute("name", engine::Title(report), suite);
  int tests = 0;
  int failures = 0;
  int skipped = 0;
  int errors = 0;
  double seconds = 0;
  pugi::xml_attribute counts[] = {suite.append_attribute("tests"), suite.append_attribute("failures"),
                                  suite.append_attribute("errors"), suite.append_attribute("skipped")};
  pugi::xml_attribute time = suite.append_attribute("time");
  auto count = [&](char kind) {
    ++tests;
    failures += kind == 'f';
    skipped += kind == 's';
    errors += kind == 'e';
  };
  count(AppendVerdictCase(report, suite));
  for (const StageReport& stage : report.stages) {
    count(AppendStageCase(report, stage, suite) ? 'f' : ' ');
    seconds += stage.seconds;
  }
  for (const ClauseReport& clause : report.clauses) count(AppendClauseCase(report, clause, suite));
  counts[0].set_value(tests);
  counts[1].set_value(failures);
  counts[2].set_value(errors);
  counts[3].set_value(skipped);
  time.set_value(absl::StrFormat("%.3f", seconds).c_str());
}

std::string MarkdownOf(const Report& report) {
  std::string text = absl::StrCat("# ", engine::Title(report), "\n\n**", MarkdownCell(engine::VerdictLine(report)), "**\n\n");
  absl::StrAppend(&text, "| stage | programs | operations | overlapping | crashes | at statement | reopens | ops/s | note |\n",
                  "|---|---:|---:|---:|---:|---:|---:|---:|---|\n");
  for (const StageReport& stage : report.stages) {
    absl::StrAppend(&text, "| ", stage.name, " | ", Grouped(stage.programs), " | ", Grouped(stage.operations), " | ",
                    Grouped(stage.overlapping), " | ");
    absl::StrAppend(&text, Grouped(stage.crashes), " | ", Grouped(stage.kills_at_statement), " | ", Grouped(stage.reopens), " | ",
                    engine::Rate(stage), " | ", MarkdownCell(stage.note), " |\n");
  }
  for (const FailureReport& failure : report.failures) {
    absl::StrAppend(&text, "\n## ", failure.clause, "\n\n", MarkdownBlock(ToText(failure)));
  }
  absl::StrAppend(&text, "\n| clause | what must hold | status | held | refused | reason |\n|---|---|---|---:|---:|---|\n");
  for (const ClauseReport& clause : report.clauses) {
    absl::StrAppend(&text, "| ", clause.id, " | ", MarkdownCell(clause.sentence), " | ", engine::StatusWord(clause.status),
                    " | ");
    absl::StrAppend(&text, Grouped(clause.held), " | ", Grouped(clause.refused), " | ", MarkdownCell(clause.reason), " |\n");
  }
  return text;
}

void AppendHtmlReport(const Report& report, pugi::xml_node body) {
  AppendElement("h1", engine::Title(report), body);
  AppendElement("strong", engine::VerdictLine(report), body.append_child("p"));
  for (const FailureReport& failure : report.failures) {
    AppendElement("h2", failure.clause, body);
    AppendElement("pre", ToText(failure), body);
  }
  AppendHtmlTables(report, body);
}

}  // namespace

std::string ToJUnitXml(const std::vector<Report>& reports) {
  pugi::xml_document document;
  pugi::xml_node suites = document.append_child("testsuites");
  for (const Report& report : reports) AppendSuite(report, suites);
  return Written(document, pugi::format_indent);
}

std::string ToMarkdown(const std::vector<Report>& reports) {
  return absl::StrJoin(reports, "\n", [](std::string* out, const Report& report) { absl::StrAppend(out, MarkdownOf(report)); });
}

std::string ToHtml(const std::vector<Report>& reports) {
  pugi::xml_document document;
  document.append_child(pugi::node_doctype).set_value("html");
  pugi::xml_node html = document.append_child("html");
  SetAttribute("lang", "en", html);
  pugi::xml_node head = html.append_child("head");
  SetAttribute("charset", "utf-8", head.append_child("meta"));
  AppendElement("title", "leasecheck", head);
  AppendElement("style", kStyle, head);
  pugi::xml_node body = html.append_child("body");
  for (const Report& report : reports) AppendHtmlReport(report, body);
  return Written(document, pugi::format_indent | pugi::format_no_declaration);
}

}  // namespace leasecheck
