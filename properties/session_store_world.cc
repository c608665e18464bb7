#include "properties/session_store_world.h"

#include <algorithm>
#include <array>
#include <limits>

#include "rapidcheck/gen/Arbitrary.h"
#include "rapidcheck/gen/Container.h"
#include "rapidcheck/gen/Create.h"
#include "rapidcheck/gen/Select.h"
#include "rapidcheck/gen/Text.h"

namespace leasecheck::session_store {
namespace {

using engine::GeneratorOptions;
using engine::Random;

struct Weight {
  uint64_t weight;
  const char* reason;
};

// One line an operation, in the table's order. The sum is about 150.
constexpr std::array<Weight, kOperationCount<SessionStoreFamily> + 2> kWeights = {{
    {26, "enqueue: a queue of a few batches must always be there for the rest to meet"},
    {8, "claim a command: only one batch in five is one"},
    {22, "claim: the operation with the most clauses"},
    {8, "claim by ids: mostly the claimable prefix, else it answers none"},
    {10, "renew: on live, lapsed, retaken and partly lost claims"},
    {8, "abandon: as renew; every counter must survive it"},
    {8, "cancel: races the claims for the same batches"},
    {4, "list: what a failure would have changed shows here"},
    {6, "list pending: the only view of a claim's expiry"},
    {12, "take the lane: everything else needs one; re-entry and Busy"},
    {5, "reclaim the lane: needs a dead holder, which one owner in four is"},
    {4, "renew the lane"},
    {3, "release the lane: more would leave the rest without one"},
    {16, "commit: settles; stamps are repeated, heads are wrong, completions stale"},
    {1, "load: the body of the last commit"},
    {16, "move the clock: mostly to an expiry -1, 0, +1 ms"},
    {1, "reopen a durable store"},
}};

const std::array<std::string, 5> kSessionNames = {"s", "s2", "", "session/\xC3\xA9", "S"};

std::vector<LeaseOwnerIdentity> Owners(const GeneratorOptions& options) {
  const LocalProcessOwner dead{"h", "b", kDeadPid, "7"};
  const LocalProcessOwner alive{"h", "b", options.live_pid, options.live_process_start};
  const LocalProcessOwner reused{"h", "b", options.live_pid, options.live_process_start + "0"};
  const LocalProcessOwner other_boot{"h", "b2", kDeadPid, "7"};
  const LocalProcessOwner other_host{"h2", "b", kDeadPid, "7"};
  return {
      {"X", "x1", OpaqueOwner{}}, {"Y", "y1", OpaqueOwner{}}, {"X", "x2", OpaqueOwner{}}, {"D", "d1", dead},
      {"A", "a1", alive},         {"R", "r1", reused},        {"B", "b1", other_boot},    {"H", "h1", other_host},
  };
}

// Some of `all`, at least `least`, in their order: a swarm subset.
template <class T>
std::vector<T> Subset(Random& random, const std::vector<T>& all, std::size_t least) {
  std::vector<T> some;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t left = all.size() - i;
    if (some.size() + left <= least || random.Percent(60)) some.push_back(all[i]);
  }
  return some;
}

QueuedWorkBatchDraft CommonDraft(Random& random, const World& world) {
  QueuedWorkBatchDraft draft;
  draft.delivery_policy = random.Percent(75) ? DeliveryPolicy::kEarliestSafeBoundary : DeliveryPolicy::kAfterCurrentTurnCommit;
  draft.slot_policy = random.Percent(80) ? SlotPolicy::kJoin : SlotPolicy::kExclusive;
  const uint64_t merge = random.Below(4);
  if (merge >= 2) draft.merge_key = MergeGroup{world.groups[0]};
  if (merge == 1) draft.merge_key = MergePayloadDefault{};
  return draft;
}

std::vector<uint64_t> SwarmWeights(Random& random, const GeneratorOptions& options) {
  std::vector<uint64_t> weights;
  for (const Weight& weight : kWeights) weights.push_back(weight.weight);
  const bool everything = random.OneIn(3);
  for (std::size_t i = 0; i < weights.size() && !everything; ++i) {
    if (random.OneIn(6)) weights[i] = 0;
    if (random.OneIn(8)) weights[i] *= 4;
  }
  // Without batches and a lane nothing else happens.
  weights[0] = std::max<uint64_t>(weights[0], 10);
  weights[OperationIndexOf<SessionStoreFamily, TryClaimSessionExecutionLeaseRequest>()] += 2;
  if (!options.move_clock) weights[kOperationCount<SessionStoreFamily>] = 0;
  weights[kOperationCount<SessionStoreFamily> + 1] *= options.durable ? options.faults.reopen : 0;
  for (std::size_t i = 0; i < options.operations.size(); ++i) {
    if (!options.operations[i]) weights[i] = 0;
  }
  return weights;
}

}  // namespace

World MakeWorld(Random& random, const GeneratorOptions& options) {
  static const auto kStart = rc::gen::weightedElement<EpochMs>({{6, 1000}, {1, 0}, {1, 1}, {1, 1760000000000}});
  static const auto kSessionCount = rc::gen::weightedElement<int>({{5, 1}, {4, 2}, {2, 3}});
  World world;
  world.start = random.Value(kStart);
  const int sessions = random.Value(kSessionCount);
  const std::size_t first = random.Below(3) == 0 ? random.Below(kSessionNames.size()) : 0;
  for (int i = 0; i < sessions; ++i) world.sessions.push_back(kSessionNames[(first + i) % kSessionNames.size()]);
  world.owners = Subset(random, Owners(options), 3);
  world.keys = {std::nullopt, "k", "", "k2"};
  world.ttls = Subset<DurationMs>(random, {0, 1, 10, 100, 500, 1000, 60000}, 3);
  if (options.system_now != 0) {
    // What a test can wait for, and what it never sees the end of; most lanes of the latter kind, or nothing gets done.
    world.start = options.system_now;
    world.ttls = Subset<DurationMs>(random, {0, 1, 8, 20, 40, 60000}, 3);
    if (random.OneIn(4)) world.lane_ttl = 60;
  }
  world.groups = {"g", "h"};
  world.turns = {"t1", "t2", "t3"};
  world.extreme_times = random.OneIn(12) && options.system_now == 0;
  world.classless = random.OneIn(5);
  if (world.extreme_times) {
    world.ttls.push_back(std::numeric_limits<uint64_t>::max());
    world.ttls.push_back(uint64_t{1} << 63);
  }
  world.common = CommonDraft(random, world);
  world.weights = SwarmWeights(random, options);
  return world;
}

}  // namespace leasecheck::session_store
