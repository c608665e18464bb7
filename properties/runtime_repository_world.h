// The small world that a generated runtime_repository program is about: so small that its calls meet.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_WORLD_H_
#define LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_WORLD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/runtime_repository/family.h"
#include "properties/engine/generator.h"
#include "properties/engine/random.h"

namespace leasecheck::runtime_repository {

// What a program is about. Marks make states that nothing else makes, and take the point out of most invariants: they have
// programs of their own. So has the order, which needs more attempts than rivals do.
enum class Theme { kLeases, kOrder, kMarks };

struct World {
  Theme theme = Theme::kLeases;
  EpochMs start = 1000;
  std::vector<std::string> attempts;
  std::vector<std::string> runs;
  std::vector<std::string> workers;
  std::vector<std::string> tenants;
  std::vector<int64_t> ttls;      // of leases, from the clock on; negative ones have expired when they are made
  std::vector<int64_t> timeouts;  // of timeout policies
  std::vector<int64_t> backoffs;  // of retry policies
  std::vector<int32_t> priorities;
  std::vector<uint64_t> weights;  // by operation, then SetClock, then Reopen: a swarm subset of all
};

World MakeWorld(engine::Random& random, const engine::GeneratorOptions& options);

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_WORLD_H_
