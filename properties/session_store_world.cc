#include "properties/session_store_world.h"

#include <algorithm>
#include <array>
#include <limits>

#include "properties/session_store_scenes.h"
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

// One line an operation, in the table's order. Those of the queue and the lane add up to about 150 with the clock, those of turn
// inputs to about 80 more; a program of one theme draws from its own only.
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
    {22, "enqueue an input: as a batch; one in two has a key, and keys are few"},
    {6, "list the inputs: the view of what a failure, a lapse or an abandonment changed"},
    {7, "cancel several inputs: the same one twice, by id and by key, among claimed and unknown ones"},
    {5, "cancel one input: races the claims"},
    {4, "cancel a suffix: leaves little to do for the rest of the program"},
    {13, "claim inputs for a turn: both checkpoints, turns that match and that do not"},
    {14, "claim inputs for the next turn: has most of the rules of time"},
    {8, "abandon inputs: on live, lapsed, retaken and partly lost claims"},
    {3, "vacuum: frees keys and ids; more would leave no tombstone to meet"},
    {16, "move the clock: mostly to an expiry -1, 0, +1 ms"},
    {3, "reopen a durable store: a third of the calls are of scenes, which have none"},
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

// The queue keeps the larger part: it has more clauses, and its races are rarer.
Theme DrawTheme(Random& random, const GeneratorOptions& options) {
  constexpr std::size_t kEnqueue = OperationIndexOf<SessionStoreFamily, EnqueuePendingTurnInputRequest>();
  if (kEnqueue < options.operations.size() && !options.operations[kEnqueue]) return Theme::kQueue;
  static const auto kTheme = rc::gen::weightedElement<Theme>({{8, Theme::kQueue}, {7, Theme::kInputs}, {4, Theme::kBoth}});
  const OpeningScene opening = OpeningSceneOf(options.program);
  Theme theme = random.Value(kTheme);
  if (opening.queue && theme == Theme::kInputs) theme = Theme::kQueue;
  if (opening.inputs && theme == Theme::kQueue) theme = Theme::kInputs;
  return theme;
}

constexpr std::size_t kFirstOfInputs = OperationIndexOf<SessionStoreFamily, EnqueuePendingTurnInputRequest>();
constexpr std::size_t kFirstOfLane = OperationIndexOf<SessionStoreFamily, TryClaimSessionExecutionLeaseRequest>();

// Without rows and a lane nothing else happens.
void Enable(Theme theme, std::vector<uint64_t>& weights) {
  if (theme != Theme::kInputs) weights[0] = std::max<uint64_t>(weights[0], 10);
  if (theme != Theme::kQueue) weights[kFirstOfInputs] = std::max<uint64_t>(weights[kFirstOfInputs], 10);
  weights[kFirstOfLane] += 2;
  for (std::size_t i = 0; i < kFirstOfLane && theme == Theme::kInputs; ++i) weights[i] = 0;
  for (std::size_t i = kFirstOfInputs; i < kOperationCount<SessionStoreFamily> && theme == Theme::kQueue; ++i) weights[i] = 0;
}

std::vector<uint64_t> SwarmWeights(Random& random, const GeneratorOptions& options, Theme theme) {
  std::vector<uint64_t> weights;
  for (const Weight& weight : kWeights) weights.push_back(weight.weight);
  const bool everything = random.OneIn(3);
  for (std::size_t i = 0; i < weights.size() && !everything; ++i) {
    if (random.OneIn(6)) weights[i] = 0;
    if (random.OneIn(8)) weights[i] *= 4;
  }
  Enable(theme, weights);
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
  const std::vector<LeaseOwnerIdentity> owners = Owners(options);
  world.owners = Subset(random, owners, 3);
  // Much needs the dead one.
  const auto dead = std::find_if(owners.begin(), owners.end(), [](const LeaseOwnerIdentity& o) { return o.owner_id == "D"; });
  if (random.Percent(75) && std::find(world.owners.begin(), world.owners.end(), *dead) == world.owners.end()) {
    world.owners.push_back(*dead);
  }
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
  world.input_ids = {"i-1", "i-2", "k"};
  world.extreme_times = random.OneIn(12) && options.system_now == 0;
  world.classless = random.OneIn(5);
  if (world.extreme_times) {
    world.ttls.push_back(std::numeric_limits<uint64_t>::max());
    world.ttls.push_back(uint64_t{1} << 63);
  }
  world.common = CommonDraft(random, world);
  world.theme = DrawTheme(random, options);
  world.weights = SwarmWeights(random, options, world.theme);
  return world;
}

}  // namespace leasecheck::session_store
