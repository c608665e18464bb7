// leasecheck check: runs the whole contract against backends and says whether they conform.
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/flags.h"
#include "cli/run.h"
#include "cli/verbs.h"
#include "properties/engine/report.h"

namespace leasecheck::cli {
namespace {

using Form = std::string (*)(const std::vector<Report>&);

struct CheckFlags {
  RunFlags run;
  std::string junit, json, markdown, html;

  std::vector<std::pair<std::string, Form>> Files() const {
    return {{junit, &ToJUnitXml}, {json, &ToJson}, {markdown, &ToMarkdown}, {html, &ToHtml}};
  }
};

int RunVerb(const CheckFlags& flags) {
  for (const auto& [file, form] : flags.Files()) {
    if (file.empty()) continue;
    if (absl::Status status = CheckWritable(file); !status.ok()) return Complain(status);
  }
  std::vector<Report> reports;
  absl::Status status = RunChecks(flags.run, [&](const Report& report) {
    std::cout << (reports.empty() ? "" : "\n") << report.text() << std::flush;
    reports.push_back(report);
  });
  if (!status.ok()) return Complain(status);
  for (const auto& [file, form] : flags.Files()) {
    if (file.empty()) continue;
    if (absl::Status written = WriteFile(file, form(reports)); !written.ok()) return Complain(written);
  }
  return ExitCode(reports);
}

}  // namespace

void AddCheckVerb(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* verb = app.add_subcommand("check", "Check backends against a contract");
  AddFamilyFlag(*verb, &flags->run);
  AddRunFlags(*verb, &flags->run);
  verb->add_option("--junit", flags->junit, "Write the result as JUnit XML")->type_name("FILE");
  verb->add_option("--json", flags->json, "Write it as JSON, which `coverage` reads")->type_name("FILE");
  verb->add_option("--markdown", flags->markdown, "Write it as Markdown")->type_name("FILE");
  verb->add_option("--html", flags->html, "Write it as a web page")->type_name("FILE");
  verb->callback([flags, exit_code] { *exit_code = RunVerb(*flags); });
}

}  // namespace leasecheck::cli
