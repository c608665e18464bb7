#include "cli/backend.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace leasecheck::cli {

absl::StatusOr<Backend> ReadBackend(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  Backend backend{Backend::Kind::kMemory, std::string(text), std::string(parts.second)};
  if (text == "memory") return backend;
  if (text == "minimal") {
    backend.kind = Backend::Kind::kMinimal;
    return backend;
  }
  if (parts.first == "sqlite") {
    backend.kind = Backend::Kind::kSqlite;
    return backend;
  }
  if (parts.first == "process") {
    backend.kind = Backend::Kind::kProcess;
    if (backend.argument.empty())
      return absl::InvalidArgumentError("--backend: process: needs the command, such as process:./my_backend");
    return backend;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--backend: there is no backend \"", text, "\"; there are memory, minimal, sqlite:PATH and process:COMMAND"));
}

std::string ShellQuoted(absl::string_view word) { return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'"); }

std::string ShellQuotedIfNeeded(absl::string_view word) {
  const bool plain = absl::c_all_of(word, [](char c) { return absl::ascii_isalnum(c) || absl::StrContains("_-./:=,", c); });
  return plain && !word.empty() ? std::string(word) : ShellQuoted(word);
}

absl::StatusOr<std::string> OwnProgram() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return absl::InternalError(absl::StrCat("cannot find this program's own file: ", error.message()));
  return path.string();
}

}  // namespace leasecheck::cli
