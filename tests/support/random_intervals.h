// Random numbers, and random intervals of calls, for the tests of the search.
#ifndef LEASECHECK_TESTS_SUPPORT_RANDOM_INTERVALS_H_
#define LEASECHECK_TESTS_SUPPORT_RANDOM_INTERVALS_H_

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "properties/engine/linearize_plan.h"

namespace leasecheck::engine {

// Not thread-safe.
class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  int Below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(engine_); }
  bool OneIn(int n) { return Below(n) == 0; }
  // `calls` intervals with all instants distinct but some bounds, which crashes share.
  std::vector<Interval> History(int calls, int unknown_in, int spread) {
    std::vector<Interval> history;
    std::vector<Instant> instants;
    instants.reserve(2 * calls);
    for (int i = 0; i < 2 * calls; ++i) instants.push_back(10 * i);
    // Swaps within a short distance: neither all at once nor one after another.
    for (int i = 0; i < 2 * calls; ++i) std::swap(instants[i], instants[std::min(2 * calls - 1, i + Below(spread))]);
    const Instant crash = 10 * Below(2 * calls) + 5;
    for (int i = 0; i < calls; ++i) {
      const auto [call, end] = std::minmax(instants[2 * i], instants[2 * i + 1]);
      Interval interval{call, end, false, 1};
      if (OneIn(unknown_in)) {
        interval.optional = true;
        const int bound = Below(3);
        if (bound == 0) interval.end = kOpen;
        if (bound == 1) interval.end = std::max(call, crash);
      }
      history.push_back(interval);
    }
    return history;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_TESTS_SUPPORT_RANDOM_INTERVALS_H_
