// The harness' only source of randomness: RapidCheck's splittable generator, so that program k of a run depends on (seed, k)
// alone, whatever ran before it.
//
//   Random random = Random::ForProgram(seed, k);
//   if (random.OneIn(4)) ...
#ifndef LEASECHECK_PROPERTIES_ENGINE_RANDOM_H_
#define LEASECHECK_PROPERTIES_ENGINE_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "rapidcheck/Gen.h"
#include "rapidcheck/Random.h"

namespace leasecheck::engine {

// Not thread-safe; give each thread a Split of its own.
class Random {
 public:
  explicit Random(uint64_t seed) : random_(seed) {}
  explicit Random(const rc::Random& random) : random_(random) {}

  static Random ForProgram(uint64_t seed, uint64_t k) { return Random(rc::Random({seed, k, 0, 0})); }

  uint64_t Next() { return random_.next(); }
  // Uniform in [0, n); 0 where n is 0. The bias of the modulus is below 2^-40 for every n used here.
  uint64_t Below(uint64_t n) { return n == 0 ? 0 : Next() % n; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  // True with probability percent / 100.
  bool Percent(uint64_t percent) { return Below(100) < percent; }
  template <class Container>
  const typename Container::value_type& Pick(const Container& container) {
    return container[Below(container.size())];
  }
  // The index of one of the weights, drawn in proportion; their sum is above 0.
  template <class Weights>
  std::size_t Weighted(const Weights& weights) {
    uint64_t total = 0;
    for (uint64_t weight : weights) total += weight;
    uint64_t drawn = Below(total);
    std::size_t index = 0;
    for (uint64_t weight : weights) {
      if (drawn < weight) break;
      drawn -= weight;
      ++index;
    }
    return index;
  }
  // A generator that is independent of what this one yields from here on.
  Random Split() { return Random(rc::Random({Next(), Next(), 1, 0})); }
  // One value of a RapidCheck generator.
  template <class T>
  T Value(const rc::Gen<T>& gen, int size = rc::kNominalSize) {
    return gen(rc::Random({Next(), Next(), 2, 0}), size).value();
  }

 private:
  rc::Random random_;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_RANDOM_H_
