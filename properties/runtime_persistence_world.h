// The small world that a generated runtime_persistence program is about: so small that its calls meet.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_WORLD_H_
#define LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_WORLD_H_

#include <optional>
#include <string>
#include <vector>

#include "model/runtime_persistence/family.h"
#include "properties/engine/generator.h"
#include "properties/engine/random.h"

namespace leasecheck::runtime_persistence {

// What a program is about. Of a program about everything too little meets.
enum class Theme { kState, kQueue, kAll };

struct World {
  Theme theme = Theme::kAll;
  EpochMs start = 1000;
  std::vector<std::string> sessions;  // the first is the one that commits
  std::vector<std::string> owners;
  std::vector<std::optional<std::string>> keys;
  std::vector<DurationMs> ttls;
  std::vector<std::string> groups;
  std::vector<std::string> turns;
  std::vector<std::string> nodes;  // a parent stands before its children, so that no path is a circle (RP-LAT-6)
  std::vector<std::string> attachments;
  QueuedWorkBatchDraft common;    // what most drafts look like, so that groups form
  bool extreme_times = false;     // instants above 2^63 - 1 (RP-LAT-17), in programs of their own
  std::vector<uint64_t> weights;  // by operation, then SetClock, then Reopen: a swarm subset of all
};

World MakeWorld(engine::Random& random, const engine::GeneratorOptions& options);

}  // namespace leasecheck::runtime_persistence

#endif  // LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_WORLD_H_
