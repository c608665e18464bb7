#include "properties/engine/process_start.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace leasecheck::engine {

absl::StatusOr<std::string> ProcessStart(uint32_t pid) {
  const std::string folder = absl::StrCat("/proc/", pid);
  std::ifstream file(absl::StrCat(folder, "/stat"));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  std::error_code error;
  if (text.empty() && !std::filesystem::exists(folder, error) && !error && std::filesystem::exists("/proc/self", error)) {
    return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  }
  // The second field is the program's name in parentheses and may contain anything; what follows the last one is regular.
  const std::size_t end_of_name = text.rfind(')');
  std::vector<std::string> fields;
  if (end_of_name != std::string::npos && end_of_name + 2 <= text.size())
    fields = absl::StrSplit(text.substr(end_of_name + 2), ' ');
  constexpr std::size_t kStartTime = 22 - 3;  // the fields begin with the third
  if (fields.size() <= kStartTime) return absl::UnavailableError(absl::StrCat("cannot read ", folder, "/stat"));
  return fields[kStartTime];
}

std::string OwnProcessStart() { return ProcessStart(static_cast<uint32_t>(::getpid())).value_or(""); }

LivenessProbe::Answer ProcessLiveness::Probe(uint32_t pid, absl::string_view process_start) const {
  const absl::StatusOr<std::string> start = ProcessStart(pid);
  if (absl::IsNotFound(start.status())) return Answer::kDead;
  if (!start.ok()) return Answer::kUnknown;
  return process_start == *start ? Answer::kAlive : Answer::kDead;
}

}  // namespace leasecheck::engine
