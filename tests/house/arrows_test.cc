// The house's own rules, read from its sources: which room includes which, where a family may be named, what a header begins
// with (DESIGN.md, "The house"; docs/ARCHITECTURE.md shows the arrows).
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/support/golden.h"

namespace leasecheck {
namespace {

namespace fs = std::filesystem;

struct Include {
  std::string path;
  bool angled = false;
};

struct Source {
  std::string path;  // from the project's root
  std::string text;
  std::vector<Include> includes;
};

std::vector<Source> SourcesUnder(const std::string& room) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::vector<Source> sources;
  const fs::path root = LEASECHECK_SOURCE_DIR;
  for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
    const std::string extension = entry.path().extension();
    if (extension != ".h" && extension != ".cc") continue;
    Source& source = sources.emplace_back();
    source.path = fs::relative(entry.path(), root);
    source.text = testing::ReadWhole(entry.path());
    for (const std::string& line : std::vector<std::string>(absl::StrSplit(source.text, '\n'))) {
      std::smatch match;
      if (std::regex_search(line, match, kInclude)) source.includes.push_back({match[2], match[1] == "<"});
    }
  }
  return sources;
}

bool InAny(const std::string& path, const std::vector<std::string>& places) {
  return std::any_of(places.begin(), places.end(), [&](const std::string& place) { return absl::StartsWith(path, place); });
}

const std::vector<std::string>& Rooms() {
  static const std::vector<std::string> rooms = {"model/", "codec/", "memstore/", "adapters/", "properties/",
                                                 "cli/",   "bench/", "tests/",    "examples/"};
  return rooms;
}

// What the sources of a room may include of ours. Every room but those on top is here.
const std::map<std::string, std::vector<std::string>>& Arrows() {
  static const std::map<std::string, std::vector<std::string>> arrows = {
      {"model/", {"model/"}},
      {"codec/", {"model/", "codec/"}},
      {"memstore/", {"model/", "memstore/"}},
      {"adapters/sqlite/", {"model/", "codec/", "adapters/sqlite/"}},
      {"adapters/process/", {"model/", "codec/", "adapters/process/"}},
      // The public face of the engine lies one room up.
      {"properties/engine/", {"model/", "codec/", "properties/engine/", "properties/check.h"}},
      {"properties/", {"model/", "codec/", "properties/"}},
      // The one verb that shows the harness tested too.
      {"cli/",
       {"model/", "codec/", "memstore/", "adapters/", "properties/", "cli/", "tests/mutants/run.h", "tests/mutants/show.h",
        "tests/mutants/shrunk.h"}},
  };
  return arrows;
}

TEST(Arrows, EveryRoomIncludesOnlyWhatIsBelowIt) {
  std::size_t seen = 0;
  for (const auto& [room, allowed] : Arrows()) {
    for (const Source& source : SourcesUnder(room)) {
      for (const Include& include : source.includes) {
        if (!InAny(include.path, Rooms())) continue;
        ++seen;
        EXPECT_TRUE(InAny(include.path, allowed)) << source.path << " includes " << include.path;
      }
    }
  }
  EXPECT_GT(seen, 100u) << "the test reads no includes any more";
}

TEST(Arrows, EveryAdapterHasItsArrows) {
  for (const auto& entry : fs::directory_iterator(fs::path(LEASECHECK_SOURCE_DIR) / "adapters")) {
    if (!entry.is_directory()) continue;
    EXPECT_TRUE(Arrows().contains(absl::StrCat("adapters/", entry.path().filename().string(), "/"))) << entry;
  }
}

TEST(Arrows, IncludesAreFromTheRoot) {
  for (const std::string& room : Rooms()) {
    for (const Source& source : SourcesUnder(room)) {
      for (const Include& include : source.includes) {
        EXPECT_FALSE(absl::StartsWith(include.path, ".")) << source.path << " includes " << include.path;
        if (!include.angled && !absl::StrContains(include.path, "/")) {
          EXPECT_FALSE(fs::exists((fs::path(LEASECHECK_SOURCE_DIR) / source.path).parent_path() / include.path))
              << source.path << " includes " << include.path << " without its path";
        }
      }
    }
  }
}

TEST(Arrows, StoresNeverSeeASpec) {
  for (const char* room : {"memstore/", "adapters/"}) {
    for (const Source& source : SourcesUnder(room)) {
      for (const Include& include : source.includes) {
        EXPECT_FALSE(absl::StrContains(include.path, "/spec")) << source.path << " includes " << include.path;
        EXPECT_FALSE(absl::EndsWith(include.path, "/clauses.h")) << source.path << " includes " << include.path;
      }
    }
  }
  for (const Source& source : SourcesUnder("model/")) {
    for (const Include& include : source.includes) EXPECT_FALSE(absl::StartsWith(include.path, "memstore/")) << source.path;
  }
}

TEST(Arrows, ModelIsPure) {
  const std::set<std::string> impure = {"thread",     "mutex",  "shared_mutex", "condition_variable",
                                        "chrono",     "random", "fstream",      "iostream",
                                        "filesystem", "future", "ctime",        "cstdio"};
  for (const Source& source : SourcesUnder("model/")) {
    for (const Include& include : source.includes) {
      const bool standard = include.angled && !absl::StrContains(include.path, ".") && !impure.contains(include.path);
      EXPECT_TRUE(standard || InAny(include.path, {"model/", "absl/", "tl/"})) << source.path << " includes " << include.path;
      EXPECT_FALSE(InAny(include.path, {"absl/synchronization/", "absl/random/", "absl/time/"})) << source.path;
    }
  }
}

// The names under which a family may turn up: session_store, SessionStore.
std::vector<std::string> FamilyNames() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(LEASECHECK_SOURCE_DIR) / "model")) {
    if (!entry.is_directory()) continue;
    const std::string name = entry.path().filename();
    names.push_back(name);
    std::string camel;
    for (const std::string& part : std::vector<std::string>(absl::StrSplit(name, '_'))) {
      camel += absl::StrCat(std::string(1, static_cast<char>(std::toupper(part[0]))), part.substr(1));
    }
    names.push_back(camel);
  }
  return names;
}

TEST(Families, AreNotNamedInTheEngineOrTheCommandLine) {
  ASSERT_FALSE(FamilyNames().empty());
  for (const char* room : {"properties/engine/", "cli/"}) {
    for (const Source& source : SourcesUnder(room)) {
      for (const std::string& name : FamilyNames())
        EXPECT_FALSE(absl::StrContains(source.text, name)) << source.path << ": " << name;
    }
  }
}

TEST(Headers, BeginWithTheirContractAndAreGuardedByTheirPath) {
  for (const std::string& room : Rooms()) {
    for (const Source& source : SourcesUnder(room)) {
      if (!absl::EndsWith(source.path, ".h")) continue;
      EXPECT_TRUE(absl::StartsWith(source.text, "// ")) << source.path << " begins without a sentence on what it is for";
      std::string guard = "LEASECHECK_";
      for (char c : source.path) guard += std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(c)) : '_';
      EXPECT_TRUE(absl::StrContains(source.text, absl::StrCat("#ifndef ", guard, "_\n#define ", guard, "_\n"))) << source.path;
    }
  }
}

TEST(Text, HasNoLeftovers) {
  const std::regex leftovers(
      "\\b(TO"
      "DO|FIX"
      "ME|X"
      "XX)\\b");
  for (const std::string& room : Rooms()) {
    for (const Source& source : SourcesUnder(room)) EXPECT_FALSE(std::regex_search(source.text, leftovers)) << source.path;
  }
}

}  // namespace
}  // namespace leasecheck
