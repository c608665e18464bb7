#include "properties/state_backend_world.h"

#include <algorithm>
#include <array>

#include "model/state_backend/dialects.h"
#include "rapidcheck/gen/Arbitrary.h"
#include "rapidcheck/gen/Container.h"
#include "rapidcheck/gen/Create.h"
#include "rapidcheck/gen/Select.h"

namespace leasecheck::state_backend {
namespace {

using engine::GeneratorOptions;
using engine::Random;
using F = StateBackendFamily;

struct Weight {
  uint64_t weight;
  Theme theme;  // whose operation it is
  const char* reason;
};

constexpr std::size_t kCreate = OperationIndexOf<F, CreateExecutionRequest>();
constexpr std::size_t kEnqueue = OperationIndexOf<F, EnqueueWorkItemRequest>();
constexpr std::size_t kCreateTenant = OperationIndexOf<F, CreateTenantRequest>();
constexpr std::size_t kCreateToken = OperationIndexOf<F, CreateTokenRequest>();
constexpr std::size_t kClaim = OperationIndexOf<F, ClaimWorkItemRequest>();

// One line an operation, in the table's order.
constexpr std::array<Weight, kOperationCount<F> + 2> kWeights = {{
    {10, Theme::kAccess, "store a definition: two ids and versions, so that it replaces and collides"},
    {10, Theme::kAccess, "get a definition: of every version and tenant"},
    {9, Theme::kAll, "create an execution: few ids, so most exist; all else needs one"},
    {14, Theme::kExecutions, "get an execution: the view of what status, state and patch did"},
    {12, Theme::kExecutions, "status: terminal ones and back again, which sets completed_at or leaves it"},
    {7, Theme::kExecutions, "state: numbers and texts too, to which nothing can be appended"},
    {16, Theme::kExecutions, "patch: two of them at once must both count"},
    {12, Theme::kExecutions, "list: pages around the end, of each status"},
    {18, Theme::kLogs, "append: numbers, and each that fails must take none"},
    {9, Theme::kLogs, "all events"},
    {14, Theme::kLogs, "events since: from the numbers that a reader would come to"},
    {8, Theme::kLogs, "latest number: between appends"},
    {8, Theme::kLogs, "snapshot: few numbers, so that they are overtaken and replaced"},
    {8, Theme::kLogs, "latest snapshot"},
    {16, Theme::kQueue, "enqueue: without items there is no queue; a few ids again"},
    {26, Theme::kQueue, "claim: the arbiter of ownership"},
    {12, Theme::kQueue, "renew: by the holder, late, by others"},
    {8, Theme::kQueue, "complete: pending, claimed and settled items; each ends what the rest is about"},
    {6, Theme::kQueue, "fail"},
    {14, Theme::kQueue, "reclaim: mostly just before and after a lease ran out"},
    {4, Theme::kQueue, "dead-letter: of each kind of item"},
    {8, Theme::kAccess, "create a token"},
    {14, Theme::kAccess, "validate: of live, expired and revoked tokens, and other texts"},
    {7, Theme::kAccess, "create a tenant: without one there are no views"},
    {7, Theme::kAccess, "get a tenant"},
    {6, Theme::kAccess, "list tenants"},
    {6, Theme::kAccess, "update a tenant"},
    {4, Theme::kAccess, "revoke a token"},
    {5, Theme::kAccess, "expire a token: at the clock, a millisecond beside it"},
    {5, Theme::kQueue, "dead letters: after exhaustions"},
    {11, Theme::kQueue, "move the clock: mostly to a deadline -1, 0, +1 ms"},
    {1, Theme::kAll, "reopen a durable store"},
}};

bool Belongs(Theme of, Theme program) { return program == Theme::kAll || of == Theme::kAll || of == program; }

std::vector<uint64_t> SwarmWeights(Random& random, const GeneratorOptions& options, const World& world) {
  std::vector<uint64_t> weights;
  weights.reserve(kWeights.size());
  // What is of another theme stays possible: the parts of the store must not touch each other.
  for (const Weight& weight : kWeights) {
    weights.push_back(Belongs(weight.theme, world.theme) ? 4 * weight.weight : weight.weight / 6);
  }
  const bool everything = random.OneIn(3);
  for (std::size_t i = 0; i < weights.size() && !everything; ++i) {
    if (random.OneIn(7)) weights[i] = 0;
    if (random.OneIn(8)) weights[i] *= 3;
  }
  weights[kCreate] = std::max<uint64_t>(weights[kCreate], 20);
  if (world.theme == Theme::kQueue || world.theme == Theme::kAll) {
    weights[kEnqueue] = std::max<uint64_t>(weights[kEnqueue], 40);
    weights[kClaim] = std::max<uint64_t>(weights[kClaim], 40);
  }
  if (world.theme == Theme::kAccess) weights[kCreateToken] = std::max<uint64_t>(weights[kCreateToken], 20);
  if (world.views) weights[kCreateTenant] = std::max<uint64_t>(weights[kCreateTenant], 12);
  if (!options.move_clock) weights[kOperationCount<F>] = 0;
  weights[kOperationCount<F> + 1] = options.durable ? 4 * options.faults.reopen : 0;
  for (std::size_t i = 0; i < options.operations.size(); ++i) {
    if (!options.operations[i]) weights[i] = 0;
  }
  return weights;
}

std::vector<WorldExecution> MakeExecutions(Random& random, const World& world) {
  std::vector<WorldExecution> executions;
  const uint64_t count = 2 + random.Below(3);
  executions.reserve(count);
  for (uint64_t n = 1; n <= count; ++n) {
    WorldExecution execution{Uuid(0xe, n), std::nullopt};
    if (world.views && n > 1) execution.owner = world.tenant_ids[n % world.tenant_ids.size()];
    if (world.views && n == 1 && random.OneIn(2)) execution.owner = world.tenant_ids.front();
    executions.push_back(std::move(execution));
  }
  return executions;
}

}  // namespace

World MakeWorld(Random& random, const GeneratorOptions& options) {
  static const auto kStart = rc::gen::weightedElement<EpochMs>({{6, 1000}, {1, 0}, {1, 1}, {1, 1760000000000}});
  static const auto kTheme = rc::gen::weightedElement<Theme>(
      {{8, Theme::kQueue}, {4, Theme::kLogs}, {4, Theme::kExecutions}, {3, Theme::kAccess}, {3, Theme::kAll}});
  World world;
  world.theme = random.Value(kTheme);
  world.start = options.system_now != 0 ? options.system_now : random.Value(kStart);
  world.tenants = !Declares(options.dialects, "SB-LAT-34", "unsupported");
  const bool may_view =
      Declares(options.dialects, "views", "tenants") && world.tenants && !Declares(options.dialects, "SB-LAT-9", "accepted");
  // Half of the programs stay unscoped: what views hide from each other cannot race.
  world.views = may_view && random.OneIn(2);
  world.lease = LeaseLengthOf(options.dialects);
  world.tenant_ids = {"alpha", "bravo"};
  world.executions = MakeExecutions(random, world);
  world.workers = {"w1", "w2", "w3", ""};
  world.queue_types = {"tool", "model", "Tool"};
  world.nodes = {"n", "m"};
  world.keys = {"log", "log", "log", "a.b", "", "n", "/log"};
  world.states = {R"({})",
                  R"({"log":[]})",
                  R"({"a":1,"log":["x"]})",
                  R"({"log":null,"n":7})",
                  R"({"a":{"b":[]},"log":"x"})",
                  R"(7)",
                  R"(null)",
                  R"(["log"])",
                  R"("log")"};
  world.values = {R"("x")", R"(1)", R"([1,2])", R"([])", R"({"k":"v"})", R"(null)", R"("a\"b")"};
  world.workflows = {"wf", "wf2"};
  world.versions = {"1.0.0", "2.0.0", "1.0"};
  world.created = {1, 2, 3, 3, 5, 8, 5000};
  world.weights = SwarmWeights(random, options, world);
  return world;
}

}  // namespace leasecheck::state_backend
