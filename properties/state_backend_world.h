// The small world that a generated state_backend program is about: so small that its calls meet.
#ifndef LEASECHECK_PROPERTIES_STATE_BACKEND_WORLD_H_
#define LEASECHECK_PROPERTIES_STATE_BACKEND_WORLD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/state_backend/family.h"
#include "properties/engine/generator.h"
#include "properties/engine/random.h"

namespace leasecheck::state_backend {

using View = std::optional<TenantId>;

// What a program is about. The store is several stores in one, which meet seldom: a program is mostly about one of them.
enum class Theme { kQueue, kLogs, kExecutions, kAccess, kAll };

// An execution, and the one view through which it is written to: two are a defect of some stores that is no matter of the
// contract (SB-LAT-32).
struct WorldExecution {
  ExecutionId id;
  View owner;
};

struct World {
  Theme theme = Theme::kAll;
  EpochMs start = 1000;
  bool views = false;  // calls are made through views of tenants too
  bool tenants = true;
  DurationMs lease = kLeaseLengthMs;
  std::vector<WorldExecution> executions;
  std::vector<std::string> tenant_ids;  // that may be registered; without "default"
  std::vector<std::string> workers;
  std::vector<std::string> queue_types;
  std::vector<std::string> nodes;
  std::vector<std::string> keys;    // of the state
  std::vector<std::string> states;  // canonical JSON
  std::vector<std::string> values;  // ... to append
  std::vector<std::string> workflows;
  std::vector<std::string> versions;
  std::vector<int64_t> created;   // of items: few, so that there are ties
  std::vector<uint64_t> weights;  // by operation, then SetClock, then Reopen: a swarm subset of all
};

World MakeWorld(engine::Random& random, const engine::GeneratorOptions& options);

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_PROPERTIES_STATE_BACKEND_WORLD_H_
