// leasecheck convert: histories from one format to another.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/verbs.h"
#include "properties/engine/history_formats.h"

namespace leasecheck::cli {
namespace {

struct ConvertFlags {
  std::string from;
  std::string to;
  std::string in;
  std::string out;
};

std::string Formats() { return absl::StrJoin(engine::HistoryFormatNames(), ", "); }

absl::StatusOr<engine::HistoryFormat> ReadFormat(absl::string_view flag, const std::string& name) {
  if (std::optional<engine::HistoryFormat> format = engine::HistoryFormatNamed(name)) return *format;
  return absl::InvalidArgumentError(absl::StrCat(flag, ": there is no format \"", name, "\"; there are ", Formats()));
}

absl::StatusOr<engine::HistoryFormat> SourceFormat(const ConvertFlags& flags, absl::string_view file, absl::string_view text) {
  if (!flags.from.empty()) return ReadFormat("--from", flags.from);
  if (std::optional<engine::HistoryFormat> format = engine::GuessHistoryFormat(text)) return *format;
  return absl::InvalidArgumentError(
      absl::StrCat(file, ":1:1: expected a history, found none of the formats; --from says which it is: ", Formats()));
}

absl::Status Convert(const ConvertFlags& flags) {
  // Arguments are judged before stdin is waited for.
  absl::StatusOr<engine::HistoryFormat> to = ReadFormat("--to", flags.to);
  if (!to.ok()) return to.status();
  if (!flags.from.empty()) {
    if (absl::Status status = ReadFormat("--from", flags.from).status(); !status.ok()) return status;
  }
  const std::string file = flags.in == "-" ? "stdin" : flags.in;
  absl::StatusOr<std::string> text = flags.in == "-" ? ReadStdin() : ReadFile(flags.in);
  if (!text.ok()) return text.status();
  absl::StatusOr<engine::HistoryFormat> from = SourceFormat(flags, file, *text);
  if (!from.ok()) return from.status();
  absl::StatusOr<std::string> converted = engine::ConvertHistory(*text, file, *from, *to);
  if (!converted.ok()) return converted.status();
  if (flags.out != "-") return ReplaceFile(flags.out, *converted);
  std::cout << *converted << std::flush;
  return std::cout ? absl::OkStatus() : absl::InvalidArgumentError("cannot write stdout");
}

}  // namespace

void AddConvertVerb(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<ConvertFlags>();
  CLI::App* verb = app.add_subcommand("convert", "Convert a history to another format (docs/HISTORIES.md)");
  verb->add_option("--from", flags->from, absl::StrCat("The format of IN: ", Formats(), "; guessed where it is not given"))
      ->type_name("FORMAT");
  verb->add_option("--to", flags->to, "The format of OUT")->type_name("FORMAT")->required();
  verb->add_option("IN", flags->in, "The history; - is stdin")->required();
  verb->add_option("OUT", flags->out, "The file that is made; - is stdout")->required();
  verb->footer("Exit status: 0 the history is converted; 64 bad arguments or a bad history; 70 an internal error.");
  verb->callback([flags, exit_code] {
    const absl::Status status = Convert(*flags);
    *exit_code = status.ok() ? kConforms : Complain(status);
  });
}

}  // namespace leasecheck::cli
