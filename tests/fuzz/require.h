// What a fuzz target asserts.
#ifndef LEASECHECK_TESTS_FUZZ_REQUIRE_H_
#define LEASECHECK_TESTS_FUZZ_REQUIRE_H_

#include <cstdio>
#include <cstdlib>

namespace leasecheck::fuzz {

// Ends the program where `holds` is false: that is how a fuzz target tells of a find.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: not so: %s\n", what);
  std::abort();
}

}  // namespace leasecheck::fuzz

#endif  // LEASECHECK_TESTS_FUZZ_REQUIRE_H_
