// Golden files: a text that a test makes is compared with the file that holds it. LEASECHECK_REWRITE=1 writes the files anew;
// read the difference before you commit it.
#ifndef LEASECHECK_TESTS_SUPPORT_GOLDEN_H_
#define LEASECHECK_TESTS_SUPPORT_GOLDEN_H_

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace leasecheck::testing {

// The whole file, or "" where it cannot be read.
inline std::string ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// `path` is relative to the project's root.
inline void ExpectGolden(const std::string& path, const std::string& text) {
  const std::string file = std::string(LEASECHECK_SOURCE_DIR) + "/" + path;
  if (std::getenv("LEASECHECK_REWRITE") != nullptr) {
    std::ofstream(file, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(text, ReadWhole(file)) << path << " differs; LEASECHECK_REWRITE=1 writes it anew";
}

}  // namespace leasecheck::testing

#endif  // LEASECHECK_TESTS_SUPPORT_GOLDEN_H_
