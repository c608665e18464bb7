// The text of a token goes over the pipe and nowhere else: every file that a run writes, and all that it prints, is searched for
// the texts which the backend did issue.
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/run_program.h"

namespace leasecheck::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SecretsTest : public CommandLineTest {
 protected:
  // What the backend wrote into the pipe, as `tee -a wire` kept it.
  std::set<std::string> Issued() const {
    const std::string wire = ReadWhole(Path("wire"));
    const std::regex text("jj_[0-9a-f]{32,}");
    return {std::sregex_token_iterator(wire.begin(), wire.end(), text), std::sregex_token_iterator()};
  }

  // Every file of the test's folder, but the wire itself.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Path("."))) {
      if (entry.is_regular_file() && entry.path().filename() != "wire") files.push_back(entry.path());
    }
    return files;
  }

  void ExpectNoneIsWritten() const {
    const std::set<std::string> issued = Issued();
    ASSERT_THAT(issued, Not(IsEmpty()));
    for (const std::string& file : Files()) {
      const std::string text = ReadWhole(file);
      for (const std::string& secret : issued) EXPECT_FALSE(absl::StrContains(text, secret)) << secret << " is in " << file;
    }
  }
};

constexpr char kServed[] = "$L serve --family state_backend --backend memory | tee -a wire";
constexpr char kReports[] = " --junit r.xml --json r.json --markdown r.md --html r.html --out found";

TEST_F(SecretsTest, ARightStoresRunWritesNone) {
  const Ran ran = Run(
      absl::StrCat("B='", kServed, "'; $L check --family state_backend --backend \"process:$B\" --operations 6000", kReports));
  EXPECT_THAT(ran.out, Not(HasSubstr("DOES NOT CONFORM"))) << ran.err;
  EXPECT_GE(Files().size(), 6u);
  ExpectNoneIsWritten();
}

// The role of a token that was just made is told wrongly, so that the trace of the failure has the call which answers the text.
TEST_F(SecretsTest, AFailuresTraceAndItsReplayWriteNone) {
  const std::string wrong = absl::StrCat(kServed, R"( | sed -u "s/\(\"result\":\[\"jj_.*\"role\":\"\)/\1no /")");
  Ran ran = Run(absl::StrCat("cat >backend <<'EOF'\n", wrong,
                             "\nEOF\n$L check --family state_backend --backend \"process:sh backend\" ",
                             "--operations 6000 --only SB-TOK-2", kReports));
  ASSERT_EQ(ran.exit_code, 1) << ran.out << ran.err;
  ASSERT_TRUE(std::filesystem::exists(Path("found")));
  ran = Run("for t in found/*.trace; do cat $t; $L replay $t --backend \"process:sh backend\" --history $t.history; done");
  EXPECT_THAT(ran.out, HasSubstr("create_token"));
  EXPECT_THAT(ran.out, HasSubstr("secret:")) << ran.err;
  ExpectNoneIsWritten();
}

}  // namespace
}  // namespace leasecheck::testing
