#include "properties/runtime_repository_world.h"

#include <algorithm>
#include <array>
#include <limits>

#include "rapidcheck/gen/Arbitrary.h"
#include "rapidcheck/gen/Container.h"
#include "rapidcheck/gen/Create.h"
#include "rapidcheck/gen/Select.h"
#include "rapidcheck/gen/Text.h"

namespace leasecheck::runtime_repository {
namespace {

using engine::GeneratorOptions;
using engine::Random;
using F = RuntimeRepositoryFamily;

struct Weight {
  uint64_t weight;
  const char* reason;
};

constexpr std::size_t kMark = OperationIndexOf<F, MarkAttemptStatusRequest>();
constexpr std::size_t kPriority = OperationIndexOf<F, SetAttemptPriorityRequest>();
constexpr std::size_t kEnqueue = OperationIndexOf<F, EnqueueAttemptRequest>();
constexpr std::size_t kUpsert = OperationIndexOf<F, UpsertLeaseRequest>();
constexpr std::size_t kList = OperationIndexOf<F, ListDispatchableAttemptsRequest>();
constexpr std::size_t kStartedAt = OperationIndexOf<F, SetAttemptStartedAtRequest>();

// One line an operation, in the table's order.
constexpr std::array<Weight, kOperationCount<F> + 2> kWeights = {{
    {16, "list: the view of what is dispatchable, at instants around expiries and retries"},
    {30, "claim: the arbiter of ownership; most are refused, and each refusal has its own reason"},
    {14, "heartbeat: on live, expired, swept and replaced leases"},
    {14, "sweep: with a cutoff at an expiry, 1 ms before and after; each gives attempts back to be claimed again"},
    {4, "latest number: between appends"},
    {14, "timeout: at the instant of a timeout, 1 ms before and after; each ends attempts for good"},
    {9, "enqueue: few ids, so most exist already"},
    {14, "ack: mostly failures with retries; each outcome ends what the rest is about"},
    {0, "mark: in its own theme"},
    {4, "set priority: the order's first key"},
    {2, "set tenant: only counts see it"},
    {11, "set a timeout policy: before and after the claim; a timeout without one takes nothing"},
    {3, "set started_at: timeouts that no clock had to wait for"},
    {8, "status: what sweeps, timeouts and acks did"},
    {9, "lease of an attempt: version, expiry, and that it is gone"},
    {5, "lease by id: mostly of old leases"},
    {7, "versioned heartbeat: right, stale, another's"},
    {3, "active leases of a worker"},
    {2, "active leases of a tenant"},
    {2, "retry history"},
    {5, "dead letters: after acks and timeouts"},
    {5, "replay of a dead letter: the only way back; without it everything ends"},
    {4, "append: two of them at once must both count"},
    {9, "move the clock: only claims read it; mostly to a retry's instant -1, 0, +1 ms"},
    {1, "reopen a durable store"},
}};

const std::array<std::vector<std::string>, 5> kAttempts = {{
    {"a", "b", "c"},
    {"a", "b", "c", "d"},
    {"a", "b"},
    {"a10", "a2", "b"},  // by bytes a10 is the first
    {"", "A", "a"},
}};
const std::vector<std::string> kManyAttempts = {"a1", "a10", "a2", "B", "b", "c", "z"};

void Enable(Theme theme, std::vector<uint64_t>& weights) {
  weights[kUpsert] = std::max<uint64_t>(weights[kUpsert], 16);
  weights[kEnqueue] = std::max<uint64_t>(weights[kEnqueue], 6);
  if (theme == Theme::kMarks) weights[kMark] = 22;
  if (theme == Theme::kOrder) {
    weights[kList] = std::max<uint64_t>(weights[kList], 30);
    weights[kPriority] = std::max<uint64_t>(weights[kPriority], 16);
    weights[kEnqueue] = std::max<uint64_t>(weights[kEnqueue], 20);
  }
}

std::vector<uint64_t> SwarmWeights(Random& random, const GeneratorOptions& options, Theme theme) {
  std::vector<uint64_t> weights;
  weights.reserve(kWeights.size());
  for (const Weight& weight : kWeights) weights.push_back(weight.weight);
  const bool everything = random.OneIn(3);
  for (std::size_t i = 0; i < weights.size() && !everything; ++i) {
    if (random.OneIn(6)) weights[i] = 0;
    if (random.OneIn(8)) weights[i] *= 4;
  }
  Enable(theme, weights);
  // A claim that waits for a timeout under the system's clock takes a set instant instead.
  if (options.system_now != 0) weights[kStartedAt] = std::max<uint64_t>(weights[kStartedAt], 5);
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
  static const auto kTheme = rc::gen::weightedElement<Theme>({{9, Theme::kLeases}, {3, Theme::kOrder}, {3, Theme::kMarks}});
  World world;
  world.theme = random.Value(kTheme);
  world.start = options.system_now != 0 ? options.system_now : random.Value(kStart);
  // Few attempts with many rivals: two calls that never meet in one attempt show nothing of claims.
  world.attempts = world.theme == Theme::kOrder ? kManyAttempts : random.Pick(kAttempts);
  world.runs = {"r", "q"};
  world.workers = {"w1", "w2", "w3"};
  world.tenants = {"t", "u"};
  world.ttls = {10, 20, 100, 1000, 30'000, 0, -1, -10};
  world.timeouts = {1, 10, 50, 1000, 20'000};
  world.backoffs = {1, 1, 10, 100, 60'000};
  if (options.system_now != 0) {
    world.ttls = {8, 20, 40, 60'000, 0, -10};
    world.timeouts = {8, 20, 60'000};
    world.backoffs = {8, 20, 60'000};
  }
  world.priorities = {0, 1, 5, -1, -5, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()};
  world.weights = SwarmWeights(random, options, world.theme);
  return world;
}

}  // namespace leasecheck::runtime_repository
