// The generator's draws, sequences and parallel phases. What makes the single commands is in state_backend_commands.cc.
#include "properties/state_backend_generator.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "properties/state_backend_commands.h"
#include "properties/state_backend_scenes.h"

namespace leasecheck::state_backend {
namespace {

using engine::Command;
using engine::Loss;

constexpr std::size_t kSetClock = kOperationCount<F>;

// What befalls the clients, in 1,000 of the named things, where a check does not ask for more or less.
struct FaultRate {
  uint64_t per_mille;
  const char* reason;
};
constexpr FaultRate kLostRate = {17,
                                 "of calls: enough that handles are missing and calls are made again; the checker loses nothing"};
constexpr FaultRate kUnknownRate = {3, "of calls: the checker keeps every state that may be, and each excuses a later answer"};
constexpr FaultRate kHeldRate = {60, "of a branch's calls: an item that arrives when it was reclaimed; more would order nothing"};
constexpr FaultRate kStallRate = {150, "of parallel phases: one worker wakes up with a reclaimed item, the others have gone on"};

}  // namespace

StateBackendGenerator::StateBackendGenerator(engine::Random random, const engine::GeneratorOptions& options)
    : random_(random), faults_(random_.Split()), options_(options), world_(MakeWorld(random_, options)) {}

bool StateBackendGenerator::Strikes(uint64_t per_mille, uint64_t times) { return faults_.Below(1000) < per_mille * times; }

std::string StateBackendGenerator::NewLabel(char kind) { return absl::StrCat(std::string(1, kind), ++labels_); }

bool StateBackendGenerator::Offers(std::size_t operation) const {
  return operation >= options_.operations.size() || options_.operations[operation];
}

Uuid StateBackendGenerator::NewId(uint64_t kind) { return Uuid(kind, ++ids_); }

// Draws.

void StateBackendGenerator::DrawSubject(const State& state) {
  subject_.execution = branch_ >= 0 && random_.Percent(70) ? hot_execution_ : random_.Below(world_.executions.size());
  // Mostly one that is there.
  if (state.FindExecution(Execution()) == nullptr && random_.Percent(70)) {
    for (std::size_t i = 0; i < world_.executions.size(); ++i) {
      if (state.FindExecution(world_.executions[i].id) != nullptr) subject_.execution = i;
    }
  }
  DrawItem(state);
}

// Mostly an item that can still change, and mostly through the view that it belongs to.
void StateBackendGenerator::DrawItem(const State& state) {
  subject_.item = items_.empty() || random_.OneIn(40) ? kNobody : random_.Pick(items_);
  if (branch_ >= 0 && hot_item_.has_value() && random_.Percent(60)) subject_.item = *hot_item_;
  const state_backend::Item* item = state.FindItem(subject_.item);
  for (int i = 0; i < 3 && item != nullptr && item->stage == Stage::kSettled && random_.Percent(75); ++i) {
    subject_.item = random_.Pick(items_);
    item = state.FindItem(subject_.item);
  }
  subject_.item_view.reset();
  if (!world_.views) return;
  if (item != nullptr && !item->unscoped) subject_.item_view = item->work->tenant_id;
  const uint64_t way = random_.Below(20);
  if (way < 6) subject_.item_view.reset();
  if (way >= 18) subject_.item_view = AnyTenant();
}

TenantId StateBackendGenerator::AnyTenant() {
  const uint64_t way = random_.Below(10);
  if (way == 0) return "ghost";
  return way == 1 ? TenantId(kDefaultTenant) : random_.Pick(world_.tenant_ids);
}

View StateBackendGenerator::AnyView() {
  if (!world_.views || random_.OneIn(3)) return std::nullopt;
  return AnyTenant();
}

// A stranger's write has to fail, and so names an execution that is there already: nobody must create it for another tenant.
View StateBackendGenerator::WriteView(const State& state) {
  const View& owner = world_.executions[subject_.execution].owner;
  const bool stranger = world_.views && state.FindExecution(Execution()) != nullptr && random_.OneIn(7);
  return stranger ? View(AnyTenant()) : owner;
}

View StateBackendGenerator::ReadView() {
  const View& owner = world_.executions[subject_.execution].owner;
  if (!world_.views || random_.Percent(65)) return owner;
  return random_.OneIn(2) ? View() : View(AnyTenant());
}

const TokenHandle* StateBackendGenerator::AnyToken() {
  const std::vector<TokenHandle>* own = branch_ < 0 ? nullptr : &branches_[branch_];
  if (own != nullptr && !own->empty() && (tokens_.empty() || random_.OneIn(2))) return &random_.Pick(*own);
  return tokens_.empty() ? nullptr : &random_.Pick(tokens_);
}

// Sequences.

Command<F> StateBackendGenerator::Next(const State& state, EpochMs now) {
  branch_ = -1;
  branches_.clear();
  branch_labels_.clear();
  originals_.clear();
  DrawSubject(state);
  const bool scene = planned_.empty() && (labels_ + ids_ == 0 ? random_.OneIn(2) : random_.OneIn(9));
  if (scene) SceneWriter(*this, state, now).Write();
  if (planned_.empty() && random_.OneIn(14)) PlanProbe(state, now);
  if (!planned_.empty() && !random_.OneIn(12)) {
    Command command = std::move(planned_.front());
    planned_.pop_front();
    // What came in between may have moved the clock beyond the plot's.
    if (auto* clock = std::get_if<engine::SetClock>(&command.action)) clock->now = std::max(clock->now, now);
    return command;
  }
  Command command = Generate(random_.Weighted(world_.weights), state, now);
  if (command.loss != Loss::kNone && faults_.OneIn(2)) planned_.push_front(Again(command));
  if (command.loss == Loss::kNone) PlanRepeat(command);
  return command;
}

// Who does not know what came of a call makes it again: it must have one effect, or be refused for what the first one did.
Command<F> StateBackendGenerator::Again(const Command& lost) {
  Command again = lost;
  again.loss = Loss::kNone;
  if (!again.label.empty()) again.label = NewLabel(again.label[0]);
  return again;
}

// A reclaim made twice in a row finds nothing the second time. A page is followed by the next. A write is read back at once.
void StateBackendGenerator::PlanRepeat(const Command& command) {
  const RequestOf<F>* request = engine::RequestIf<F>(command.action);
  if (request == nullptr) return;
  if (std::holds_alternative<ReclaimExpiredLeasesRequest>(*request) && random_.OneIn(5)) planned_.push_front(command);
  if (const auto* list = std::get_if<ListExecutionsRequest>(request); list != nullptr && list->limit > 0 && random_.OneIn(3)) {
    ListExecutionsRequest next = *list;
    next.offset = list->offset > UINT32_MAX - list->limit ? UINT32_MAX : list->offset + list->limit;
    planned_.push_front(CommandOf(next));
  }
  const auto* patch = std::get_if<PatchAppendArrayRequest>(request);
  if (patch != nullptr && random_.OneIn(3)) planned_.push_front(CommandOf(GetExecutionRequest{patch->execution_id, patch->view}));
  const auto* status = std::get_if<UpdateExecutionStatusRequest>(request);
  if (status != nullptr && random_.OneIn(3)) planned_.push_front(CommandOf(GetExecutionRequest{status->id, status->view}));
  const auto* tenant = std::get_if<UpdateTenantRequest>(request);
  if (tenant != nullptr && random_.OneIn(2)) planned_.push_front(CommandOf(GetTenantRequest{tenant->tenant.id}));
}

// Observes, makes one call, which mostly fails, and observes again.
void StateBackendGenerator::PlanProbe(const State& state, EpochMs now) {
  const ExecutionId execution = Execution();
  const auto observe = [&] {
    planned_.push_back(CommandOf(GetExecutionRequest{execution}));
    planned_.push_back(CommandOf(GetEventsRequest{execution}));
    planned_.push_back(CommandOf(LatestSnapshotRequest{execution}));
    planned_.push_back(CommandOf(ListDeadLettersRequest{}));
    if (world_.tenants) planned_.push_back(CommandOf(ListTenantsRequest{}));
  };
  observe();
  Command command;
  const View stranger = world_.views ? View("ghost") : View();
  switch (random_.Below(8)) {
    case 0:
      command = CommandOf(PatchAppendArrayRequest{execution, "n", {"1"}, world_.executions[subject_.execution].owner});
      break;
    case 1:
      command = CommandOf(UpdateExecutionStatusRequest{kNobody, WorkflowStatus::kFailed});
      break;
    case 2: {
      Event event{events_.empty() ? NewId(kEventIds) : events_.back(), execution, 1, {R"({"type":"node_failed"})"}, Instant(4)};
      command = CommandOf(AppendEventRequest{std::move(event), world_.executions[subject_.execution].owner});
      break;
    }
    case 3:
      command = CommandOf(MoveToDeadLetterRequest{subject_.item, "again", stranger});
      break;
    case 4:
      command = CommandOf(RenewLeaseRequest{subject_.item, "nobody"});
      break;
    case 5:
      command = options_.durable && options_.faults.reopen > 0 ? Command{"", engine::Reopen{}, {}} : CreateExecution(state, now);
      break;
    case 6:
      command = CreateExecution(state, now);
      break;
    default:
      command = Generate(random_.Weighted(world_.weights), state, now);
      break;
  }
  command.loss = Loss::kNone;
  planned_.push_back(std::move(command));
  observe();
}

// Parallel phases.

Command<F> StateBackendGenerator::NextInBranch(int client, const State& state, EpochMs now) {
  branch_ = client;
  const bool begins = branches_.empty();
  if (branches_.size() <= static_cast<std::size_t>(client)) branches_.resize(client + 1);
  if (begins) {
    branch_plans_.assign(2, {});
    PlanRace(state, now);
    const bool stalls = options_.system_now == 0 && options_.move_clock;
    if (stalls && Strikes(kStallRate.per_mille, options_.faults.stalled)) PlanStall(state, now);
  }
  DrawSubject(state);
  if (static_cast<std::size_t>(client) < branch_plans_.size() && !branch_plans_[client].empty()) {
    Command command = std::move(branch_plans_[client].front());
    branch_plans_[client].pop_front();
    return command;
  }
  Command command = NextOfBranch(client, state, now);
  const bool call = engine::RequestIf<F>(command.action) != nullptr;
  if (call && Strikes(kHeldRate.per_mille, options_.faults.held)) command.hold = 1 + faults_.Below(3);
  if (command.loss != Loss::kNone && faults_.OneIn(2)) {
    branch_plans_.resize(std::max<std::size_t>(branch_plans_.size(), client + 1));
    branch_plans_[client].push_back(Again(command));
  }
  return command;
}

// The phase is about one execution and one item, mostly ones that are there; and begins, in part, with two calls that must not
// miss each other.
void StateBackendGenerator::PlanRace(const State& state, EpochMs now) {
  hot_execution_ = random_.Below(world_.executions.size());
  hot_item_.reset();
  const state_backend::Item* claimed = nullptr;
  for (const state_backend::Item& item : *state.items) {
    if (item.stage == Stage::kSettled) continue;
    if (!hot_item_.has_value() || random_.OneIn(2)) hot_item_ = item.id();
    if (item.stage == Stage::kClaimed && (claimed == nullptr || random_.OneIn(2))) claimed = &item;
  }
  if (!random_.OneIn(3)) return;
  subject_.execution = hot_execution_;
  const View owner = world_.executions[hot_execution_].owner;
  switch (random_.Below(4)) {
    case 0:  // two appends, and one who reads on from what it has seen
      branch_plans_[0].push_back(Append(state));
      branch_plans_[1].push_back(CommandOf(GetEventsRequest{Execution(), owner}));
      branch_plans_[1].push_back(CommandOf(LatestSequenceRequest{Execution(), owner}));
      return;
    case 1:
      for (auto& plan : branch_plans_) plan.push_back(CommandOf(PatchAppendArrayRequest{Execution(), "log", {"1"}, owner}));
      return;
    default:
      break;
  }
  if (claimed == nullptr || options_.system_now != 0 || !options_.move_clock) return;
  // The lease runs out, and while it is reclaimed its worker comes back.
  hot_item_ = claimed->id();
  const EpochMs lapsed = static_cast<EpochMs>(std::max<int64_t>(claimed->lease.to.ms + 1, static_cast<int64_t>(now)));
  branch_plans_[0].push_back({"", engine::SetClock{std::min(lapsed, kMaxVirtualTime)}, {}});
  branch_plans_[0].push_back(CommandOf(ReclaimExpiredLeasesRequest{}));
  switch (random_.Below(3)) {
    case 0:
      branch_plans_[1].push_back(CommandOf(CompleteWorkItemRequest{claimed->id()}));
      // Whether it is still completed shows at once.
      branch_plans_[0].push_back(random_.OneIn(2) ? CommandOf(MoveToDeadLetterRequest{claimed->id(), "late"})
                                                  : CommandOf(FailWorkItemRequest{claimed->id(), "late"}));
      break;
    case 1:
      branch_plans_[1].push_back(CommandOf(RenewLeaseRequest{claimed->id(), *claimed->worker}));
      break;
    default:
      branch_plans_[1].push_back(CommandOf(ReclaimExpiredLeasesRequest{}));
      break;
  }
}

// The second client holds an item, sleeps beyond its lease and goes on with it; the first reclaims it there and claims it again
// once the backoff is over.
void StateBackendGenerator::PlanStall(const State& state, EpochMs now) {
  const auto& items = *state.items;
  const auto in = [&](Stage stage) {
    return std::find_if(items.begin(), items.end(), [stage](const auto& item) { return item.stage == stage; });
  };
  auto held = in(Stage::kClaimed);
  const bool claims = held == items.end();  // then the sleeper claims first
  if (claims) held = in(Stage::kPending);
  if (held == items.end()) return;
  const std::string worker = claims ? "w1" : *held->worker;
  if (claims) branch_plans_[1].push_back(CommandOf(ClaimWorkItemRequest{worker, {held->work->queue_type}}));
  const int64_t ends = claims ? static_cast<int64_t>(now + world_.lease) : held->lease.to.ms;
  const EpochMs lapsed = static_cast<EpochMs>(std::max<int64_t>(ends, static_cast<int64_t>(now)) + 1);
  const EpochMs due = lapsed + 64'000;
  branch_plans_[1].push_back({"", engine::Stall{std::min(faults_.OneIn(2) ? lapsed : due, kMaxVirtualTime)}, {}});
  branch_plans_[1].push_back(CommandOf(RenewLeaseRequest{held->id(), worker}));
  if (faults_.OneIn(3)) return;  // the sleeper moves the clock itself, when all others have finished
  branch_plans_[0].push_back({"", engine::SetClock{std::min(lapsed, kMaxVirtualTime)}, {}});
  branch_plans_[0].push_back(CommandOf(ReclaimExpiredLeasesRequest{}));
  branch_plans_[0].push_back({"", engine::SetClock{std::min(due, kMaxVirtualTime)}, {}});
  branch_plans_[0].push_back(CommandOf(ClaimWorkItemRequest{"w2", {held->work->queue_type}}));
}

Command<F> StateBackendGenerator::NextOfBranch(int client, const State& state, EpochMs now) {
  if (random_.OneIn(3)) {
    if (auto twin = Twin(client)) return *std::move(twin);
  }
  std::size_t operation = random_.Weighted(world_.weights);
  // One client moves the clock, so that its order is known; nobody reopens under the others' feet.
  if (operation >= kSetClock && (client != 0 || operation > kSetClock)) operation = OperationIndexOf<F, ClaimWorkItemRequest>();
  Command command = Generate(operation, state, now);
  KeepForTwins(client, command);
  return command;
}

// A command that another client of the phase makes, made once more: two calls with one effect to give are what races are about.
// An id that has to be new is new again, half of the time.
std::optional<Command<F>> StateBackendGenerator::Twin(int client) {
  std::vector<const Command*> others;
  others.reserve(originals_.size());
  for (const auto& [maker, command] : originals_) {
    if (maker != client) others.push_back(&command);
  }
  if (others.empty()) return std::nullopt;
  Command twin = *random_.Pick(others);
  if (!twin.label.empty()) twin.label = NewLabel(twin.label[0]);
  auto& request = std::get<0>(twin.action);
  if (auto* append = std::get_if<AppendEventRequest>(&request); append != nullptr && !random_.OneIn(4)) {
    append->event.id = NewId(kEventIds);
  }
  if (auto* enqueue = std::get_if<EnqueueWorkItemRequest>(&request); enqueue != nullptr && random_.OneIn(2)) {
    enqueue->item.id = NewId(kItemIds);
    items_.push_back(enqueue->item.id);
  }
  return twin;
}

void StateBackendGenerator::KeepForTwins(int client, const Command& command) {
  if (!command.label.empty()) branch_labels_.insert(command.label);
  // A client cannot refer to another's answers of the same phase.
  const bool of_the_prefix = std::none_of(command.references.begin(), command.references.end(),
                                          [this](const engine::Reference& r) { return branch_labels_.contains(r.label); });
  if (of_the_prefix && engine::RequestIf<F>(command.action) != nullptr) originals_.emplace_back(client, command);
}

void StateBackendGenerator::DrawLoss(Command& command) {
  const engine::FaultTimes& times = options_.faults;
  const bool usually = random_.Below(1000) < kLostRate.per_mille;
  if (times.lost > 0 && (usually || Strikes(kLostRate.per_mille, times.lost - 1))) command.loss = Loss::kAnswer;
  if (!Strikes(kUnknownRate.per_mille, times.unknown)) return;
  command.loss = faults_.OneIn(3) ? Loss::kRequest : Loss::kOutcome;
}

}  // namespace leasecheck::state_backend
