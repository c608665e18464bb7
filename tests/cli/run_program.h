// Runs a command line and keeps what a user would see of it.
#ifndef LEASECHECK_TESTS_CLI_RUN_PROGRAM_H_
#define LEASECHECK_TESTS_CLI_RUN_PROGRAM_H_

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/golden.h"

namespace leasecheck::testing {

struct Ran {
  int exit_code = -1;  // -1: ended by a signal
  std::string out;
  std::string err;
};

// A folder of the test's own, empty at its start.
class CommandLineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / absl::StrCat("leasecheck-cli-", info->name(), "-", getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }

  // For /bin/sh, in the test's folder, with nothing on stdin; $L is the program, $S the sources.
  Ran Run(const std::string& command) const {
    const std::string line =
        absl::StrCat("cd '", folder_.string(), "' && L='", LEASECHECK_PROGRAM, "' S='", LEASECHECK_SOURCE_DIR,
                     "' && export L S && unset GTEST_TOTAL_SHARDS GTEST_SHARD_INDEX TEST_TOTAL_SHARDS TEST_SHARD_INDEX && { ",
                     command, "\n} >.out 2>.err </dev/null");
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadWhole(Path(".out")), ReadWhole(Path(".err"))};
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace leasecheck::testing

#endif  // LEASECHECK_TESTS_CLI_RUN_PROGRAM_H_
