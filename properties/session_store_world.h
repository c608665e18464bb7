// The world of one generated program: the few sessions, owners, keys and lengths of time that its commands draw from. Few on
// purpose: bugs of these stores show where names, handles and instants collide.
#ifndef LEASECHECK_PROPERTIES_SESSION_STORE_WORLD_H_
#define LEASECHECK_PROPERTIES_SESSION_STORE_WORLD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/session_store/family.h"
#include "properties/engine/generator.h"
#include "properties/engine/random.h"

namespace leasecheck::session_store {

// What a program is about. Of a program about everything too little meets: claims, keys and clocks would be spread thin.
enum class Theme { kQueue, kInputs, kBoth };

struct World {
  Theme theme = Theme::kQueue;
  EpochMs start = 1000;
  std::vector<std::string> sessions;  // the first is the one that commits (QW-LAT-28)
  std::vector<LeaseOwnerIdentity> owners;
  std::vector<std::optional<std::string>> keys;
  std::vector<DurationMs> ttls;
  DurationMs lane_ttl = 60000;  // of most lanes: they outlive what is done under them
  std::vector<std::string> groups;
  std::vector<std::string> turns;
  std::vector<std::string> input_ids;  // that drafts of turn inputs ask for
  QueuedWorkBatchDraft common;         // what most drafts look like, so that groups form
  bool extreme_times = false;          // instants above 2^63 - 1 (QW-LAT-13)
  bool classless = false;              // batches without a class (QW-LAT-12)
  std::vector<uint64_t> weights;       // by operation, then SetClock, then Reopen: a swarm subset of all
};

World MakeWorld(engine::Random& random, const engine::GeneratorOptions& options);

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_PROPERTIES_SESSION_STORE_WORLD_H_
