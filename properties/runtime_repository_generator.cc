#include "properties/runtime_repository_generator.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace leasecheck::runtime_repository {
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
constexpr FaultRate kHeldRate = {60, "of a branch's calls: a lease that arrives when it was swept; more would order nothing"};
constexpr FaultRate kStallRate = {150, "of parallel phases: one worker wakes up with a swept lease, the others have gone on"};
constexpr FaultRate kFallRate = {17, "of clock moves: a backend with a clock per process sees them"};
constexpr FaultRate kLeapRate = {8, "of clock moves: every retry is due at once, and little happens after it"};

constexpr int64_t kGrace = 5;          // of the lease manager
constexpr int64_t kLongestWait = 100;  // under the system's clock

// `instant` or a millisecond beside it.
Instant Near(engine::Random& random, Instant instant) {
  return SaturatingAdd(instant, static_cast<int64_t>(random.Below(3)) - 1);
}

}  // namespace

RuntimeRepositoryGenerator::RuntimeRepositoryGenerator(engine::Random random, const engine::GeneratorOptions& options)
    : random_(random), faults_(random_.Split()), options_(options), world_(MakeWorld(random_, options)) {}

bool RuntimeRepositoryGenerator::Strikes(uint64_t per_mille, uint64_t times) { return faults_.Below(1000) < per_mille * times; }

std::string RuntimeRepositoryGenerator::NewLabel(char kind) { return absl::StrCat(std::string(1, kind), ++labels_); }

bool RuntimeRepositoryGenerator::Offers(std::size_t operation) const {
  return operation >= options_.operations.size() || options_.operations[operation];
}

void RuntimeRepositoryGenerator::DrawAttempt(const State& state) {
  attempt_ = branch_ >= 0 && random_.Percent(60) ? hot_ : random_.Pick(world_.attempts);
  if (random_.OneIn(30)) attempt_ = "nobody's";
  // Mostly one that is there.
  if (state.Find(attempt_) == nullptr && !state.attempts->empty() && random_.Percent(70)) {
    attempt_ = random_.Pick(*state.attempts).id();
  }
}

const LeaseHandle* RuntimeRepositoryGenerator::AnyLease() {
  const std::vector<LeaseHandle>* own = branch_ < 0 ? nullptr : &branches_[branch_];
  if (own != nullptr && !own->empty() && (known_.empty() || random_.OneIn(2))) return &random_.Pick(*own);
  if (known_.empty()) return nullptr;
  // Mostly a new one: of the old ones there is little to tell but that they are gone.
  return random_.OneIn(3) ? &random_.Pick(known_) : &known_.back();
}

// Instants.

Instant RuntimeRepositoryGenerator::AnyInstant(const State& state, EpochMs now) {
  std::vector<Instant> instants = {InstantOf(now)};
  for (const Attempt& attempt : *state.attempts) {
    if (attempt.lease != nullptr) instants.push_back(attempt.lease->record.lease_expires_at);
    if (attempt.retry_at.has_value()) instants.push_back(*attempt.retry_at);
  }
  return Near(random_, random_.Pick(instants));
}

Instant RuntimeRepositoryGenerator::Expiry(EpochMs now) { return SaturatingAdd(InstantOf(now), random_.Pick(world_.ttls)); }

Instant RuntimeRepositoryGenerator::Cutoff(const State& state, EpochMs now) {
  std::vector<Instant> expiries;
  for (const Attempt& attempt : *state.attempts) {
    if (attempt.lease != nullptr) expiries.push_back(attempt.lease->record.lease_expires_at);
  }
  if (expiries.empty() || random_.OneIn(8)) return SaturatingAdd(InstantOf(now), -kGrace);
  return random_.OneIn(12) ? SaturatingAdd(InstantOf(now), 10'000'000) : Near(random_, random_.Pick(expiries));
}

Instant RuntimeRepositoryGenerator::TimeoutInstant(const State& state, EpochMs now) {
  std::vector<Instant> due;
  const bool others_too = random_.OneIn(4);  // that must not time out
  for (const Attempt& attempt : *state.attempts) {
    const auto& timeout = attempt.settings->timeout;
    if (!timeout.has_value() || !attempt.started_at.has_value() || !(attempt.Executes() || others_too)) continue;
    due.push_back(SaturatingAdd(*attempt.started_at, timeout->timeout_ms));
  }
  if (due.empty() || random_.OneIn(6)) return SaturatingAdd(InstantOf(now), random_.Pick(world_.timeouts));
  return Near(random_, random_.Pick(due));
}

// Sequences.

Command<F> RuntimeRepositoryGenerator::Next(const State& state, EpochMs now) {
  branch_ = -1;
  branches_.clear();
  branch_labels_.clear();
  originals_.clear();
  DrawAttempt(state);
  if (planned_.empty()) PlanWork(state, now);
  if (planned_.empty() && random_.OneIn(14)) PlanProbe(state, now);
  if (planned_.empty() && random_.OneIn(40)) PlanTick(now);
  if (planned_.empty() && random_.OneIn(24)) PlanScene(state, now);
  if (auto command = NextOf(planned_)) return *std::move(command);
  Command command = Generate(random_.Weighted(world_.weights), state, now);
  if (command.loss != Loss::kNone && faults_.OneIn(2)) planned_.push_back(Again(command));
  if (command.loss == Loss::kNone) PlanRepeat(command, state);
  return command;
}

std::optional<Command<F>> RuntimeRepositoryGenerator::NextOf(std::deque<Command>& plan) const {
  while (!plan.empty()) {
    Command command = std::move(plan.front());
    plan.pop_front();
    const RequestOf<F>* request = engine::RequestIf<F>(command.action);
    if (request == nullptr || Offers(request->index())) return command;
  }
  return std::nullopt;
}

// Where every attempt has ended, or there is none, little can happen: mostly a new one comes, or one that failed comes back.
void RuntimeRepositoryGenerator::PlanWork(const State& state, EpochMs now) {
  const bool idle = std::all_of(state.attempts->begin(), state.attempts->end(),
                                [](const Attempt& attempt) { return IsTerminal(attempt.status); });
  if (!idle || random_.OneIn(3)) return;
  for (const std::string& id : world_.attempts) {
    if (state.Find(id) == nullptr) return planned_.push_back(CommandOf(EnqueueAttemptRequest{id, random_.Pick(world_.runs)}));
  }
  for (const Attempt& attempt : *state.attempts) {
    const bool pending =
        attempt.past != nullptr && attempt.past->letter.has_value() && attempt.past->letter->status == ReplayStatus::kPending;
    if (pending) return planned_.push_back(CommandOf(ReplayDeadLetterRequest{attempt.id(), InstantOf(now)}));
  }
}

// Who does not know what came of a call makes it again: it must have one effect, or be refused for what the first one did.
Command<F> RuntimeRepositoryGenerator::Again(const Command& lost) {
  Command again = lost;
  again.loss = Loss::kNone;
  if (!again.label.empty()) again.label = NewLabel(again.label[0]);
  return again;
}

// A sweep or a timeout made twice in a row finds nothing the second time. A list is read once more with the next limit, or later.
// A timeout policy is tried out.
void RuntimeRepositoryGenerator::PlanRepeat(const Command& command, const State& state) {
  const RequestOf<F>* request = engine::RequestIf<F>(command.action);
  if (request == nullptr) return;
  const auto* policy = std::get_if<SetAttemptTimeoutPolicyRequest>(request);
  const Attempt* attempt = policy == nullptr ? nullptr : state.Find(policy->attempt_id);
  const bool counts = attempt != nullptr && attempt->Executes() && attempt->started_at.has_value() && policy->timeout_ms > 0;
  if (counts && random_.OneIn(3)) {
    const Instant due = SaturatingAdd(*attempt->started_at, policy->timeout_ms);
    planned_.push_back(CommandOf(TransitionTimedOutAttemptsRequest{Near(random_, due)}));
  }
  const bool sweeps = std::holds_alternative<ExpireLeasesAndRequeueRequest>(*request) ||
                      std::holds_alternative<TransitionTimedOutAttemptsRequest>(*request);
  if (sweeps && random_.OneIn(6)) planned_.push_back(command);
  const auto* list = std::get_if<ListDispatchableAttemptsRequest>(request);
  if (list == nullptr || !random_.OneIn(4)) return;
  ListDispatchableAttemptsRequest other = *list;
  if (random_.OneIn(2)) {
    ++other.limit;
  } else {
    other.now = SaturatingAdd(other.now, random_.OneIn(2) ? 1 : 10'000'000);
    other.limit = 100;
  }
  planned_.push_back(CommandOf(other));
}

void RuntimeRepositoryGenerator::PlanTick(EpochMs now) {
  planned_.push_back(CommandOf(TransitionTimedOutAttemptsRequest{InstantOf(now)}));
  planned_.push_back(CommandOf(ExpireLeasesAndRequeueRequest{SaturatingAdd(InstantOf(now), -kGrace)}));
}

void RuntimeRepositoryGenerator::PlanProbe(const State& state, EpochMs now) {
  const Instant at = AnyInstant(state, now);
  const std::string attempt = attempt_;
  const auto observe = [&] {
    planned_.push_back(CommandOf(ListDispatchableAttemptsRequest{at, 100}));
    planned_.push_back(CommandOf(GetAttemptStatusRequest{attempt}));
    planned_.push_back(CommandOf(GetLeaseForAttemptRequest{attempt}));
    planned_.push_back(CommandOf(ListDeadLettersRequest{}));
  };
  observe();
  Command command;
  switch (random_.Below(6)) {
    case 0:
      command = CommandOf(HeartbeatLeaseRequest{"nobody's", InstantOf(now), Expiry(now)});
      break;
    case 1:
      command = CommandOf(ReplayDeadLetterRequest{attempt, InstantOf(now)});
      break;
    case 2:
      command = options_.durable && options_.faults.reopen > 0 ? Command{"", engine::Reopen{}, {}} : Upsert(now);
      break;
    case 3:
      command = Generate(random_.Weighted(world_.weights), state, now);
      break;
    default:
      command = Upsert(now);
      break;
  }
  command.loss = Loss::kNone;
  planned_.push_back(std::move(command));
  observe();
}

// Parallel phases.

Command<F> RuntimeRepositoryGenerator::NextInBranch(int client, const State& state, EpochMs now) {
  branch_ = client;
  const bool begins = branches_.empty();
  if (branches_.size() <= static_cast<std::size_t>(client)) branches_.resize(client + 1);
  if (begins) {
    DrawHot(state, now);
    branch_plans_.assign(2, {});
    const bool time_moves = options_.move_clock || options_.system_now != 0;
    if (time_moves && Strikes(kStallRate.per_mille, options_.faults.stalled)) PlanStall(state, now);
    if (random_.OneIn(3)) PlanWatch(state, now);
  }
  DrawAttempt(state);
  if (static_cast<std::size_t>(client) < branch_plans_.size()) {
    if (auto command = NextOf(branch_plans_[client])) return *std::move(command);
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

// Mostly an attempt that can be claimed: rivals for another are all refused.
void RuntimeRepositoryGenerator::DrawHot(const State& state, EpochMs now) {
  hot_ = state.attempts->empty() ? random_.Pick(world_.attempts) : random_.Pick(*state.attempts).id();
  if (random_.OneIn(3)) return;
  for (const Attempt& attempt : *state.attempts) {
    if (attempt.DispatchableAt(InstantOf(now))) hot_ = attempt.id();
  }
}

// The second client holds a lease, sleeps beyond its expiry and goes on with it; the first sweeps it there and claims the
// attempt.
void RuntimeRepositoryGenerator::PlanStall(const State& state, EpochMs now) {
  if (known_.empty()) return;
  const LeaseHandle& held = known_.back();
  const Attempt* attempt = state.FindLease(held.id);
  if (attempt == nullptr) return;
  Instant expires = attempt->lease->record.lease_expires_at;
  if (options_.system_now != 0 && expires > SaturatingAdd(InstantOf(now), kLongestWait)) {
    expires = SaturatingAdd(InstantOf(now), 20);
    Command shorter = CommandOf(HeartbeatLeaseRequest{"", InstantOf(now), expires});
    shorter.references = {{"lease_id", held.label, "lease_id"}};
    branch_plans_[1].push_back(std::move(shorter));
  }
  const EpochMs until = std::min(std::max<EpochMs>(now + 1, expires.ms < 0 ? 0 : expires.ms + 1), kMaxVirtualTime);
  branch_plans_[1].push_back({"", engine::Stall{until}, {}});
  Command late = CommandOf(HeartbeatLeaseRequest{"", InstantOf(until), SaturatingAdd(InstantOf(until), 30'000)});
  late.references = {{"lease_id", held.label, "lease_id"}};
  branch_plans_[1].push_back(std::move(late));
  if (faults_.OneIn(3)) return;  // the sleeper moves the clock itself, when all others have finished
  branch_plans_[0].push_back({"", engine::SetClock{until}, {}});
  branch_plans_[0].push_back(CommandOf(ExpireLeasesAndRequeueRequest{SaturatingAdd(expires, 1)}));
  Command claim = CommandOf(UpsertLeaseRequest{held.attempt_id, world_.workers[1], SaturatingAdd(InstantOf(until), 30'000)});
  claim.label = NewLabel('l');
  branch_plans_[0].push_back(std::move(claim));
}

void RuntimeRepositoryGenerator::PlanWatch(const State& state, EpochMs now) {
  if (random_.OneIn(2)) return PlanTimeoutWatch(state, now);
  std::vector<const Attempt*> held;
  held.reserve(state.attempts->size());
  for (const Attempt& attempt : *state.attempts) {
    if (attempt.Executes() && attempt.lease != nullptr) held.push_back(&attempt);
  }
  if (held.empty()) return;
  const Attempt& attempt = *random_.Pick(held);
  hot_ = attempt.id();
  const Instant expires = attempt.lease->record.lease_expires_at;
  branch_plans_[0].push_back(CommandOf(ExpireLeasesAndRequeueRequest{SaturatingAdd(expires, 1)}));
  branch_plans_[1].push_back(CommandOf(GetAttemptStatusRequest{hot_}));
  branch_plans_[1].push_back(CommandOf(GetLeaseForAttemptRequest{hot_}));
  branch_plans_[1].push_back(CommandOf(ListDispatchableAttemptsRequest{expires, 100}));
}

// The attempt's status, its lease and its dead letter: what a timeout moves. The watcher looks more than once, for it must look
// while the timeout is at work.
void RuntimeRepositoryGenerator::PlanTimeoutWatch(const State& state, EpochMs now) {
  const auto watched = std::find_if(state.attempts->begin(), state.attempts->end(), [&](const Attempt& attempt) {
    return attempt.Executes() || attempt.DispatchableAt(InstantOf(now));
  });
  if (watched == state.attempts->end()) return;
  hot_ = watched->id();
  const Instant at = InstantOf(now);
  if (!watched->Executes()) {
    Command claim = CommandOf(UpsertLeaseRequest{hot_, random_.Pick(world_.workers), SaturatingAdd(at, 30'000)});
    claim.label = NewLabel('l');
    branch_plans_[0].push_back(std::move(claim));
  }
  constexpr int64_t kTimeout = 1;
  if (!watched->started_at.has_value() && watched->Executes()) {  // it was marked
    branch_plans_[0].push_back(CommandOf(SetAttemptStartedAtRequest{hot_, at}));
  }
  branch_plans_[0].push_back(CommandOf(SetAttemptTimeoutPolicyRequest{hot_, kTimeout, AttemptExecutionStatus::kFailed}));
  branch_plans_[0].push_back(CommandOf(TransitionTimedOutAttemptsRequest{SaturatingAdd(at, 60'000)}));
  const std::size_t looks = 2 + random_.Below(2);
  for (std::size_t i = 0; i < looks; ++i) {
    branch_plans_[1].push_back(CommandOf(GetAttemptStatusRequest{hot_}));
    branch_plans_[1].push_back(CommandOf(ListDeadLettersRequest{}));
    if (random_.OneIn(3)) branch_plans_[1].push_back(CommandOf(GetLeaseForAttemptRequest{hot_}));
  }
}

Command<F> RuntimeRepositoryGenerator::NextOfBranch(int client, const State& state, EpochMs now) {
  if (random_.OneIn(3)) {
    if (auto twin = Twin(client)) return *std::move(twin);
  }
  if (attempt_ == hot_ && random_.OneIn(5)) return Upsert(now);
  std::size_t operation = random_.Weighted(world_.weights);
  // One client moves the clock, so that its order is known; nobody reopens under the others' feet.
  if (operation >= kSetClock && (client != 0 || operation > kSetClock)) operation = OperationIndexOf<F, UpsertLeaseRequest>();
  Command command = Generate(operation, state, now);
  KeepForTwins(client, command);
  return command;
}

std::optional<Command<F>> RuntimeRepositoryGenerator::Twin(int client) {
  std::vector<const Command*> others;
  others.reserve(originals_.size());
  for (const auto& [maker, command] : originals_) {
    if (maker != client) others.push_back(&command);
  }
  if (others.empty()) return std::nullopt;
  Command twin = *random_.Pick(others);
  if (!twin.label.empty()) twin.label = NewLabel(twin.label[0]);
  return twin;
}

void RuntimeRepositoryGenerator::KeepForTwins(int client, const Command& command) {
  if (!command.label.empty()) branch_labels_.insert(command.label);
  // A client cannot refer to another's answers of the same phase.
  const bool of_the_prefix = std::none_of(command.references.begin(), command.references.end(),
                                          [this](const engine::Reference& r) { return branch_labels_.contains(r.label); });
  if (of_the_prefix && engine::RequestIf<F>(command.action) != nullptr) originals_.emplace_back(client, command);
}

// Commands.

Command<F> RuntimeRepositoryGenerator::Generate(std::size_t operation, const State& state, EpochMs now) {
  const auto make = [&]() -> Command {
    switch (operation) {
      case OperationIndexOf<F, ListDispatchableAttemptsRequest>():
        return List(state, now);
      case OperationIndexOf<F, UpsertLeaseRequest>():
        return Upsert(now);
      case OperationIndexOf<F, HeartbeatLeaseRequest>():
        return Heartbeat(state, now);
      case OperationIndexOf<F, ExpireLeasesAndRequeueRequest>():
        return CommandOf(ExpireLeasesAndRequeueRequest{Cutoff(state, now)});
      case OperationIndexOf<F, LatestSeqForRunRequest>():
        return CommandOf(LatestSeqForRunRequest{random_.OneIn(8) ? "nobody's" : random_.Pick(world_.runs)});
      case OperationIndexOf<F, TransitionTimedOutAttemptsRequest>():
        return CommandOf(TransitionTimedOutAttemptsRequest{TimeoutInstant(state, now)});
      case OperationIndexOf<F, EnqueueAttemptRequest>():
        return CommandOf(EnqueueAttemptRequest{random_.Pick(world_.attempts), random_.Pick(world_.runs)});
      case OperationIndexOf<F, AckAttemptRequest>():
        return Ack(state, now);
      case OperationIndexOf<F, MarkAttemptStatusRequest>():
        return Mark();
      case OperationIndexOf<F, SetAttemptPriorityRequest>():
        return SetPriority();
      case OperationIndexOf<F, SetAttemptTenantIdRequest>():
        return SetTenant();
      case OperationIndexOf<F, SetAttemptTimeoutPolicyRequest>():
        return SetTimeout();
      case OperationIndexOf<F, SetAttemptStartedAtRequest>():
        return SetStartedAt(now);
      case OperationIndexOf<F, GetAttemptStatusRequest>():
        return CommandOf(GetAttemptStatusRequest{attempt_});
      case OperationIndexOf<F, GetLeaseForAttemptRequest>():
        return CommandOf(GetLeaseForAttemptRequest{attempt_});
      case OperationIndexOf<F, GetLeaseByIdRequest>():
        return LeaseById();
      case OperationIndexOf<F, HeartbeatLeaseWithVersionRequest>():
        return HeartbeatWithVersion(state, now);
      case OperationIndexOf<F, ActiveLeasesForWorkerRequest>():
        return Active(state, now, false);
      case OperationIndexOf<F, ActiveLeasesForTenantRequest>():
        return Active(state, now, true);
      case OperationIndexOf<F, GetAttemptRetryHistoryRequest>():
        return CommandOf(GetAttemptRetryHistoryRequest{attempt_});
      case OperationIndexOf<F, ListDeadLettersRequest>():
        return CommandOf(ListDeadLettersRequest{});
      case OperationIndexOf<F, ReplayDeadLetterRequest>():
        return CommandOf(ReplayDeadLetterRequest{attempt_, InstantOf(now)});
      case OperationIndexOf<F, AppendRunEventsRequest>():
        return Append();
      case kSetClock:
        return MoveClock(state, now);
      default:
        return Command{"", engine::Reopen{}, {}};
    }
  };
  Command command = make();
  if (operation < kSetClock) DrawLoss(command);
  return command;
}

void RuntimeRepositoryGenerator::DrawLoss(Command& command) {
  const engine::FaultTimes& times = options_.faults;
  const bool usually = random_.Below(1000) < kLostRate.per_mille;
  if (times.lost > 0 && (usually || Strikes(kLostRate.per_mille, times.lost - 1))) command.loss = Loss::kAnswer;
  if (!Strikes(kUnknownRate.per_mille, times.unknown)) return;
  command.loss = faults_.OneIn(3) ? Loss::kRequest : Loss::kOutcome;
}

Command<F> RuntimeRepositoryGenerator::List(const State& state, EpochMs now) {
  static constexpr std::array<uint64_t, 8> kLimits = {100, 100, 16, 1, 2, 3, 0, std::numeric_limits<int64_t>::max()};
  Instant at = random_.OneIn(2) ? InstantOf(now) : AnyInstant(state, now);
  if (random_.OneIn(10)) at = random_.OneIn(2) ? Instant(0) : Instant(static_cast<int64_t>(kMaxVirtualTime));
  return CommandOf(ListDispatchableAttemptsRequest{at, random_.Pick(kLimits)});
}

Command<F> RuntimeRepositoryGenerator::Upsert(EpochMs now) {
  Command command = CommandOf(UpsertLeaseRequest{attempt_, random_.Pick(world_.workers), Expiry(now)});
  command.label = NewLabel('l');
  if (branch_ >= 0) branches_[branch_].push_back({command.label, attempt_, ""});
  return command;
}

Command<F> RuntimeRepositoryGenerator::Heartbeat(const State& state, EpochMs now) {
  HeartbeatLeaseRequest request{"", InstantOf(now), Expiry(now)};
  if (random_.OneIn(4)) request.heartbeat_at = AnyInstant(state, now);
  if (random_.OneIn(4)) request.lease_expires_at = std::min(AnyInstant(state, now), SaturatingAdd(InstantOf(now), 10'000'000));
  const LeaseHandle* lease = random_.OneIn(20) ? nullptr : AnyLease();
  Command command = CommandOf(std::move(request));
  command.references = {{"lease_id", lease == nullptr ? "" : lease->label, "lease_id"}};
  return command;
}

Command<F> RuntimeRepositoryGenerator::HeartbeatWithVersion(const State& state, EpochMs now) {
  HeartbeatLeaseWithVersionRequest request{"", random_.Pick(world_.workers), 1 + random_.Below(3), InstantOf(now), Expiry(now)};
  const LeaseHandle* lease = random_.OneIn(20) ? nullptr : AnyLease();
  const Attempt* holder = lease == nullptr ? nullptr : state.FindLease(lease->id);
  if (holder != nullptr && random_.Percent(80)) {
    request.worker_id = holder->lease->record.worker_id;
    request.expected_version = holder->lease->record.version;
    if (random_.OneIn(6)) --request.expected_version;
  }
  Command command = CommandOf(std::move(request));
  command.references = {{"lease_id", lease == nullptr ? "" : lease->label, "lease_id"}};
  return command;
}

std::optional<RetryPolicy> RuntimeRepositoryGenerator::DrawPolicy() {
  if (random_.OneIn(3)) return std::nullopt;
  RetryPolicy policy;
  policy.backoff_ms = random_.Pick(world_.backoffs);
  policy.max_retries = static_cast<uint32_t>(random_.Below(7));
  if (random_.OneIn(2)) return policy;
  policy.strategy = RetryStrategy::kExponential;
  const uint64_t multiplier = random_.Below(4);
  if (multiplier > 0) policy.multiplier = static_cast<double>(1 + multiplier);
  if (random_.OneIn(3)) policy.max_backoff_ms = policy.backoff_ms * 2 + 50;
  if (random_.OneIn(8)) {  // beyond the end of time (RR-LAT-16)
    policy.backoff_ms = kLastInstant.ms;
    policy.max_backoff_ms.reset();
    policy.multiplier = 1e300;
  }
  return policy;
}

Command<F> RuntimeRepositoryGenerator::Ack(const State& state, EpochMs now) {
  using Status = AttemptExecutionStatus;
  AckAttemptRequest request;
  request.attempt_id = attempt_;
  const uint64_t outcome = random_.Below(40);
  request.status = outcome < 30 ? Status::kFailed : outcome < 36 ? Status::kCompleted : Status::kCancelled;
  if (outcome == 39) request.status = random_.OneIn(2) ? Status::kRunning : Status::kQueued;
  request.retry_policy = DrawPolicy();
  request.now = random_.Percent(80) ? InstantOf(now) : AnyInstant(state, now);
  Command command = CommandOf(std::move(request));
  // The lease is this project's own addition: a store that lacks a fixture that PROTOCOL.md does not name is a foreign one.
  const bool own = Offers(OperationIndexOf<F, SetAttemptStartedAtRequest>());
  if (const LeaseHandle* lease = own && random_.OneIn(6) ? AnyLease() : nullptr) {
    command.references = {{"lease_id", lease->label, "lease_id"}};
  }
  return command;
}

Command<F> RuntimeRepositoryGenerator::Mark() {
  static constexpr std::array<AttemptExecutionStatus, 10> kStatuses = {
      AttemptExecutionStatus::kQueued,       AttemptExecutionStatus::kQueued,    AttemptExecutionStatus::kRunning,
      AttemptExecutionStatus::kRunning,      AttemptExecutionStatus::kLeased,    AttemptExecutionStatus::kRetryBackoff,
      AttemptExecutionStatus::kRetryBackoff, AttemptExecutionStatus::kCompleted, AttemptExecutionStatus::kFailed,
      AttemptExecutionStatus::kCancelled};
  return CommandOf(MarkAttemptStatusRequest{attempt_, random_.Pick(kStatuses)});
}

Command<F> RuntimeRepositoryGenerator::SetPriority() {
  return CommandOf(SetAttemptPriorityRequest{attempt_, random_.Pick(world_.priorities)});
}

Command<F> RuntimeRepositoryGenerator::SetTenant() {
  SetAttemptTenantIdRequest request{attempt_, random_.Pick(world_.tenants)};
  const uint64_t way = random_.Below(8);
  if (way == 0) request.tenant_id.reset();
  if (way == 1) request.tenant_id = " \t";
  if (way == 2) request.tenant_id = absl::StrCat("  ", *request.tenant_id, "\n");
  return CommandOf(std::move(request));
}

Command<F> RuntimeRepositoryGenerator::SetTimeout() {
  SetAttemptTimeoutPolicyRequest request{attempt_, random_.Pick(world_.timeouts), AttemptExecutionStatus::kFailed};
  if (random_.OneIn(3)) request.on_timeout_status = AttemptExecutionStatus::kCancelled;
  const uint64_t way = random_.Below(24);
  if (way == 0) request.timeout_ms = -static_cast<int64_t>(random_.Below(2));
  if (way == 1) request.on_timeout_status = AttemptExecutionStatus::kQueued;
  if (way < 4 && way > 1) request.timeout_ms = std::numeric_limits<int64_t>::max() - static_cast<int64_t>(random_.Below(2));
  return CommandOf(std::move(request));
}

Command<F> RuntimeRepositoryGenerator::SetStartedAt(EpochMs now) {
  SetAttemptStartedAtRequest request{attempt_, std::nullopt};
  if (!random_.OneIn(5)) request.started_at = SaturatingAdd(InstantOf(now), -static_cast<int64_t>(random_.Below(100)));
  return CommandOf(std::move(request));
}

Command<F> RuntimeRepositoryGenerator::LeaseById() {
  Command command = CommandOf(GetLeaseByIdRequest{""});
  const LeaseHandle* lease = random_.OneIn(12) ? nullptr : AnyLease();
  command.references = {{"lease_id", lease == nullptr ? "" : lease->label, "lease_id"}};
  return command;
}

Command<F> RuntimeRepositoryGenerator::Active(const State& state, EpochMs now, bool of_tenant) {
  const Instant at = AnyInstant(state, now);
  if (of_tenant) return CommandOf(ActiveLeasesForTenantRequest{random_.Pick(world_.tenants), at});
  return CommandOf(ActiveLeasesForWorkerRequest{random_.Pick(world_.workers), at});
}

Command<F> RuntimeRepositoryGenerator::Append() {
  return CommandOf(AppendRunEventsRequest{random_.Pick(world_.runs), random_.OneIn(6) ? 0 : 1 + random_.Below(3)});
}

// The clock.

// Waits past a near deadline, or until shortly before one: what lies between, the clock's error leaves open.
Command<F> RuntimeRepositoryGenerator::Wait(const State& state, EpochMs now) {
  deadlines_.clear();
  Spec<F>::AppendDeadlines(state, &deadlines_);
  std::erase_if(deadlines_, [now](EpochMs deadline) { return deadline <= now || deadline > now + kLongestWait; });
  const DurationMs apart = options_.clock_error + 1;
  EpochMs to = now + 1 + random_.Below(3);
  if (!deadlines_.empty() && !random_.OneIn(4)) {
    const EpochMs deadline = *std::min_element(deadlines_.begin(), deadlines_.end());
    to = random_.OneIn(3) ? std::max(now, deadline - apart) : deadline + apart;
  }
  return {"", engine::SetClock{to}, {}};
}

Command<F> RuntimeRepositoryGenerator::MoveClock(const State& state, EpochMs now) {
  if (options_.system_now != 0) return Wait(state, now);
  deadlines_.clear();
  Spec<F>::AppendDeadlines(state, &deadlines_);
  // A lease's end is no deadline of the clock's, but the reason for which a claim is refused changes there.
  for (const Attempt& attempt : *state.attempts) {
    if (attempt.lease == nullptr || attempt.lease->record.lease_expires_at.ms <= 0) continue;
    deadlines_.push_back(static_cast<EpochMs>(attempt.lease->record.lease_expires_at.ms));
  }
  std::erase_if(deadlines_, [](EpochMs deadline) { return deadline == 0 || deadline >= kMaxVirtualTime; });
  if (!options_.clock_backwards || !random_.OneIn(6)) {
    std::erase_if(deadlines_, [now](EpochMs deadline) { return deadline <= now; });
  }
  EpochMs to = now;
  const uint64_t way = random_.Below(10);
  if (way < 6 && !deadlines_.empty()) {
    const EpochMs deadline =
        random_.OneIn(4) ? random_.Pick(deadlines_) : *std::min_element(deadlines_.begin(), deadlines_.end());
    to = deadline + random_.Below(3) - 1;
  } else if (way < 9) {
    static constexpr std::array<uint64_t, 4> kSteps = {1, 2, 10, 100};
    to = now + random_.Pick(kSteps);
  } else if (options_.clock_backwards && random_.OneIn(2)) {
    to = now - std::min<EpochMs>(now, 1 + random_.Below(100));
  } else if (random_.OneIn(4)) {
    to = now + 10'000'000;  // beyond every lease
  }
  if (options_.clock_backwards && Strikes(kFallRate.per_mille, options_.faults.clock_back)) {
    to = now - std::min<EpochMs>(now, 1 + faults_.Below(faults_.OneIn(2) ? 10 : 100'000));
  } else if (Strikes(kLeapRate.per_mille, options_.faults.clock_far)) {
    constexpr std::array<DurationMs, 2> kLeaps = {10'000'000, 31'536'000'000};  // longer than the longest lease; a year
    to = now + faults_.Pick(kLeaps);
  }
  if (!options_.clock_backwards || options_.faults.clock_back == 0) to = std::max(to, now);
  if (options_.faults.clock_far == 0) to = std::min(to, now + 100'000);
  return {"", engine::SetClock{std::min(to, kMaxVirtualTime)}, {}};
}

}  // namespace leasecheck::runtime_repository
