// Every scenario under traces/ is canonical, and every backend answers it as it says.
//
//   LEASECHECK_REWRITE=1 golden_test    rewrites the files into their canonical form; then look at the difference.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "model/families.h"
#include "properties/engine/trace.h"
#include "properties/registry.h"
#include "tests/traces/backends.h"

namespace leasecheck::engine {
namespace {

std::string Read(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> TraceFiles() {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(LEASECHECK_SOURCE_DIR "/traces")) {
    if (entry.path().extension() == ".trace") files.insert(entry.path().string());
  }
  return {files.begin(), files.end()};
}

// "traces/session_store/02-lapsed-claim-is-retaken.trace"
std::string Name(const std::string& file) { return file.substr(sizeof(LEASECHECK_SOURCE_DIR)); }

// What the trace needs of a backend that this one does not have.
template <class F>
std::string Lacks(const Trace<F>& trace, const GoldenBackend<F>& backend, const TargetInfo& info) {
  for (const Phase<F>& phase : trace.program.phases) {
    for (const auto& client : phase.clients) {
      for (const Command<F>& command : client) {
        if (std::holds_alternative<Reopen>(command.action) && !info.durable) return "it cannot be reopened";
        if (std::holds_alternative<Crash>(command.action) && !info.killable) return "it cannot be killed";
        const RequestOf<F>* request = RequestIf<F>(command.action);
        if (request == nullptr) continue;
        const absl::string_view operation = OperationName<F>(request->index());
        const bool offered = info.operations.empty() || info.operations[request->index()];
        if (!offered || (backend.has != nullptr && !backend.has(operation))) return absl::StrCat("it does not offer ", operation);
      }
    }
  }
  return "";
}

template <class F>
absl::StatusOr<Trace<F>> Parse(const std::string& text, const std::string& file) {
  return ParseTrace<F>(text, Name(file), PropertiesOf<F>::Conversions());
}

// A file, for the family that its first line names.
class Golden : public testing::TestWithParam<std::string> {
 protected:
  // Calls visit.template operator()<F>().
  template <class Visit>
  void ForItsFamily(Visit&& visit) {
    const auto family = TraceFamily(Read(GetParam()), Name(GetParam()));
    ASSERT_TRUE(family.ok()) << family.status();
    bool found = false;
    ForEachFamily(Families(), [&]<class F>() {
      if (*family != F::kName) return;
      found = true;
      visit.template operator()<F>();
    });
    EXPECT_TRUE(found) << "a scenario of a family that is not in the list: " << *family;
  }
};

template <class F>
void ExpectCanonical(const std::string& file) {
  const std::string text = Read(file);
  const auto trace = Parse<F>(text, file);
  ASSERT_TRUE(trace.ok()) << trace.status();
  const std::string printed = PrintTrace<F>(*trace);
  if (const char* rewrite = std::getenv("LEASECHECK_REWRITE"); rewrite != nullptr && std::string(rewrite) == "1") {
    std::ofstream(file, std::ios::binary) << printed;
  } else {
    EXPECT_EQ(text, printed);
  }
  const auto again = Parse<F>(printed, file);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(*again == *trace);
  EXPECT_EQ(PrintTrace<F>(*again), printed);
}

TEST_P(Golden, IsCanonical) {
  ForItsFamily([&]<class F>() { ExpectCanonical<F>(GetParam()); });
}

template <class F>
void ExpectAnswers(const std::string& file, const std::string& directory) {
  const auto trace = Parse<F>(Read(file), file);
  ASSERT_TRUE(trace.ok()) << trace.status();
  std::size_t expectations = 0;
  for (const auto& of_command : trace->expectations) expectations += of_command.size();
  EXPECT_GT(expectations, 0u) << "a scenario without expectations shows nothing";
  int played = 0;
  for (const GoldenBackend<F>& backend : GoldenBackends<F>(directory)) {
    auto target = backend.targets();
    ASSERT_TRUE(target.ok()) << target.status();
    if (!Lacks<F>(*trace, backend, (*target)->info()).empty()) continue;
    const auto history = PlayTrace<F>(**target, *trace, PropertiesOf<F>::Conversions());
    ASSERT_TRUE(history.ok()) << backend.name << ": " << history.status();
    for (const Mismatch& mismatch : MatchExpectations<F>(*trace, *history, backend.reference)) {
      ADD_FAILURE() << backend.name << ": " << mismatch.Describe(Name(file)) << PrintHistory<F>(*history);
    }
    ++played;
  }
  EXPECT_GT(played, 0) << "no backend can play this scenario";
}

// An empty folder for durable stores.
std::string Directory() { return absl::StrCat(testing::TempDir(), "/golden-", ::getpid()); }

TEST_P(Golden, IsAnsweredAsExpected) {
  ForItsFamily([&]<class F>() { ExpectAnswers<F>(GetParam(), Directory()); });
  std::filesystem::remove_all(Directory());
}

// The places of a pattern that name one value: changing one must be seen. What stands below the operators that accept many values
// is left out.
void CollectLeaves(codec::Json& pattern, std::vector<codec::Json*>* leaves) {
  if (pattern.is_structured()) {
    if (pattern.is_object() && (pattern.contains("$one_of") || pattern.contains("$not"))) return;
    for (auto& [name, member] : pattern.items()) {
      if (name != "$above" && name != "$below") CollectLeaves(member, leaves);
    }
  } else if (pattern != codec::Json("$any") && pattern != codec::Json("$rest")) {
    leaves->push_back(&pattern);
  }
}

// What no store answers where `leaf` was expected.
codec::Json Otherwise(const codec::Json& leaf) {
  return leaf.is_number() ? codec::Json(123456789) : leaf.is_null() ? codec::Json("something") : codec::Json("something else");
}

// What the first backend answers whose answers are all as a reference's are expected to be.
template <class F>
absl::StatusOr<History<F>> PlayAsReference(const Trace<F>& trace, const std::string& directory) {
  for (const GoldenBackend<F>& backend : GoldenBackends<F>(directory)) {
    auto target = backend.targets();
    if (!target.ok()) return target.status();
    if (!Lacks<F>(trace, backend, (*target)->info()).empty()) continue;
    auto history = PlayTrace<F>(**target, trace, PropertiesOf<F>::Conversions());
    if (!history.ok() || MatchExpectations<F>(trace, *history, true).empty()) return history;
  }
  return absl::NotFoundError("no backend answers as a reference");
}

template <class F>
void ExpectComparisons(const std::string& file, const std::string& directory) {
  auto trace = Parse<F>(Read(file), file);
  ASSERT_TRUE(trace.ok()) << trace.status();
  const auto history = PlayAsReference<F>(*trace, directory);
  ASSERT_TRUE(history.ok()) << history.status();
  for (auto& of_command : trace->expectations) {
    if (of_command.size() != 1) continue;
    const Expectation kept = of_command[0];
    of_command[0].kind = kept.kind == Expectation::Kind::kError ? Expectation::Kind::kResponse : Expectation::Kind::kIndefinite;
    EXPECT_FALSE(MatchExpectations<F>(*trace, *history, true).empty());
    of_command[0] = kept;
    std::vector<codec::Json*> leaves;
    CollectLeaves(of_command[0].pattern, &leaves);
    for (codec::Json* leaf : leaves) {
      const codec::Json expected = *leaf;
      *leaf = Otherwise(expected);
      EXPECT_FALSE(MatchExpectations<F>(*trace, *history, true).empty()) << of_command[0].pattern.dump();
      *leaf = expected;
    }
  }
}

TEST_P(Golden, EveryExpectationIsCompared) {
  ForItsFamily([&]<class F>() { ExpectComparisons<F>(GetParam(), Directory()); });
  std::filesystem::remove_all(Directory());
}

INSTANTIATE_TEST_SUITE_P(Traces, Golden, testing::ValuesIn(TraceFiles()), [](const auto& file) {
  return absl::StrReplaceAll(std::filesystem::path(file.param).stem().string(), {{"-", "_"}, {".", "_"}});
});

}  // namespace
}  // namespace leasecheck::engine
