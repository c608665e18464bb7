#include "properties/runtime_persistence_world.h"

#include <algorithm>
#include <array>
#include <limits>

#include "rapidcheck/gen/Arbitrary.h"
#include "rapidcheck/gen/Container.h"
#include "rapidcheck/gen/Create.h"
#include "rapidcheck/gen/Select.h"
#include "rapidcheck/gen/Text.h"

namespace leasecheck::runtime_persistence {
namespace {

using engine::GeneratorOptions;
using engine::Random;
using F = RuntimePersistenceFamily;

struct Weight {
  uint64_t weight;
  const char* reason;
};

constexpr std::size_t kFirstOfQueue = OperationIndexOf<F, EnqueueQueuedWorkRequest>();
constexpr std::size_t kLastOfQueue = OperationIndexOf<F, ListPendingQueuedWorkRequest>();
constexpr std::size_t kCommit = OperationIndexOf<F, CommitRuntimeStateRequest>();

// One line an operation, in the table's order. Those of the state and those of the queue add up to about the same.
constexpr std::array<Weight, kOperationCount<F> + 2> kWeights = {{
    {16, "load: all of the graph, or a path; the view of all that a commit does, or should not have done"},
    {5, "load a node: live, tombstoned, unknown"},
    {30, "commit: has the most clauses; stale heads, repeated turns, odd graphs, good and bad completions"},
    {3, "save meta"},
    {2, "load meta"},
    {7, "tombstone: paths with a hole, ids that come back"},
    {4, "vacuum: more would leave no tombstone to meet"},
    {5, "collect: after commits that leave blobs behind"},
    {1, "durability tier: it never changes"},
    {24, "enqueue: a queue of a few batches must always be there for the rest to meet"},
    {24, "claim: the operation with the most clauses of the queue"},
    {8, "claim by ids: mostly the claimable prefix, else it answers none"},
    {10, "renew: on live, lapsed, retaken and partly lost claims"},
    {8, "abandon: as renew; every counter must survive it"},
    {8, "cancel: races the claims for the same batches"},
    {5, "list: what a failure would have changed shows here"},
    {7, "list pending: the only view of a claim's expiry"},
    {8, "record an intent: new, repeated, later, earlier; few ids"},
    {3, "commit refs: own and foreign, before the intent and after it"},
    {6, "list uncommitted: around the instants of the intents"},
    {3, "forget: stamped rows too"},
    {16, "move the clock: mostly to an expiry -1, 0, +1 ms"},
    {1, "reopen a durable store"},
}};

const std::array<std::string, 5> kSessionNames = {"s", "s2", "", "session/\xC3\xA9", "S"};

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
  draft.slot_policy = random.Percent(75) ? SlotPolicy::kJoin : SlotPolicy::kExclusive;
  const uint64_t merge = random.Below(4);
  if (merge >= 2) draft.merge_key = MergeGroup{world.groups[0]};
  if (merge == 1) draft.merge_key = MergePayloadDefault{};
  return draft;
}

// What the theme needs for anything to happen, and nothing of what it leaves out.
void Enable(Theme theme, std::vector<uint64_t>& weights) {
  weights[kCommit] = std::max<uint64_t>(weights[kCommit], theme == Theme::kQueue ? 14 : 20);
  if (theme != Theme::kState) weights[kFirstOfQueue] = std::max<uint64_t>(weights[kFirstOfQueue], 10);
  for (std::size_t i = 0; i < kOperationCount<F>; ++i) {
    const bool queue = i >= kFirstOfQueue && i <= kLastOfQueue;
    if (theme == Theme::kState && queue) weights[i] = 0;
    if (theme == Theme::kQueue && !queue && i != kCommit && i != 0) weights[i] = 0;
  }
  if (theme == Theme::kState) weights[kOperationCount<F>] = 4;  // nothing lapses
}

std::vector<uint64_t> SwarmWeights(Random& random, const GeneratorOptions& options, Theme theme) {
  std::vector<uint64_t> weights;
  weights.reserve(std::size(kWeights));
  for (const Weight& weight : kWeights) weights.push_back(weight.weight);
  const bool everything = random.OneIn(3);
  for (std::size_t i = 0; i < weights.size() && !everything; ++i) {
    if (random.OneIn(6)) weights[i] = 0;
    if (random.OneIn(8)) weights[i] *= 4;
  }
  Enable(theme, weights);
  if (!options.move_clock) weights[kOperationCount<F>] = 0;
  weights[kOperationCount<F> + 1] *= options.durable ? options.faults.reopen : 0;
  for (std::size_t i = 0; i < options.operations.size(); ++i) {
    if (!options.operations[i]) weights[i] = 0;
  }
  return weights;
}

}  // namespace

World MakeWorld(Random& random, const GeneratorOptions& options) {
  static const auto kStart = rc::gen::weightedElement<EpochMs>({{6, 1000}, {1, 0}, {1, 1}, {1, 1760000000000}});
  static const auto kSessionCount = rc::gen::weightedElement<int>({{4, 1}, {5, 2}});
  static const auto kTheme = rc::gen::weightedElement<Theme>({{6, Theme::kState}, {6, Theme::kQueue}, {5, Theme::kAll}});
  World world;
  world.start = random.Value(kStart);
  const int sessions = random.Value(kSessionCount);
  const std::size_t first = random.OneIn(3) ? random.Below(kSessionNames.size()) : 0;
  for (int i = 0; i < sessions; ++i) world.sessions.push_back(kSessionNames[(first + i) % kSessionNames.size()]);
  world.owners = {"o1", "o2", ""};
  world.keys = {std::nullopt, "k", "", "k2"};
  world.ttls = Subset<DurationMs>(random, {0, 1, 10, 100, 500, 1000, 60000}, 3);
  if (options.system_now != 0) {
    world.start = options.system_now;
    world.ttls = Subset<DurationMs>(random, {0, 1, 8, 20, 40, 60000}, 3);
  }
  world.groups = {"g", "h"};
  world.turns = {"t1", "t2", "t3", "t4"};
  world.nodes = {"n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"};
  world.attachments = {"x", "y", "z"};
  world.extreme_times = random.OneIn(15) && options.system_now == 0;
  if (world.extreme_times) {
    world.ttls.push_back(std::numeric_limits<uint64_t>::max());
    world.ttls.push_back(uint64_t{1} << 63);
  }
  world.common = CommonDraft(random, world);
  world.theme = random.Value(kTheme);
  world.weights = SwarmWeights(random, options, world.theme);
  return world;
}

}  // namespace leasecheck::runtime_persistence
