#include "properties/engine/process_start.h"

#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/str_split.h"

namespace leasecheck::engine {

std::string OwnProcessStart() {
  std::ifstream file("/proc/self/stat");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  // The second field is the program's name in parentheses and may contain anything; what follows the last one is regular.
  const std::size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos || end_of_name + 2 > text.size()) return "";
  const std::vector<std::string> fields = absl::StrSplit(text.substr(end_of_name + 2), ' ');
  constexpr std::size_t kStartTime = 22 - 3;  // the fields begin with the third
  return fields.size() > kStartTime ? fields[kStartTime] : "";
}

}  // namespace leasecheck::engine
