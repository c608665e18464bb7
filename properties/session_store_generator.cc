#include "properties/session_store_generator.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "properties/session_store_scenes.h"

namespace leasecheck::session_store {
namespace {

using engine::Action;
using engine::CallRecord;
using engine::Command;
using engine::Loss;
using engine::Reference;

constexpr std::size_t kSetClock = kOperationCount<F>;

// Bodies that an implementation may mangle: nesting, escapes, large numbers, an empty object. In canonical form.
const std::array<const char*, 5> kBodies = {R"({"n":1})", R"({})", R"({"a":[1,{"b":null}],"t":"\"\\"})",
                                            R"({"big":18446744073709551615})", "{\"u\":\"\xC3\xA9\xE2\x82\xAC\"}"};

// What befalls the clients, in 1,000 of the named things, where a check does not ask for more or less.
struct FaultRate {
  uint64_t per_mille;
  const char* reason;
};
constexpr FaultRate kLostRate = {17,
                                 "of calls: enough that handles are missing and calls are made again; the checker loses nothing"};
constexpr FaultRate kUnknownRate = {3, "of calls: the checker keeps every state that may be, and each excuses a later answer"};
constexpr FaultRate kHeldRate = {60,
                                 "of a branch's calls: a grant that arrives when it is over; more would order nothing any more"};
constexpr FaultRate kStallRate = {150, "of parallel phases: one client wakes up with a stale claim, the others have gone on"};
constexpr FaultRate kFallRate = {17, "of clock moves: a backend with a clock per process sees them; most leases must lapse"};
constexpr FaultRate kLeapRate = {8, "of clock moves: everything lapses at once, and little happens after it"};

// How often a program plays a scene: in percent, as its first thing and whenever it would make a random command; and one in how
// many commands of a scene has a random one come in front.
constexpr uint64_t kOpeningScene = 85;
constexpr uint64_t kLaterScene = 16;
constexpr uint64_t kInterlude = 30;

std::string At(const char* path, std::size_t index) { return absl::StrCat(path, ".", index); }

}  // namespace

SessionStoreGenerator::SessionStoreGenerator(engine::Random random, const engine::GeneratorOptions& options)
    : random_(random),
      faults_(engine::Random(random_).Split()),
      options_(options),
      world_(MakeWorld(random_, options_)) {}

bool SessionStoreGenerator::Strikes(uint64_t per_mille, uint64_t times) { return faults_.Below(1000) < per_mille * times; }

std::string SessionStoreGenerator::NewLabel(char kind) { return absl::StrCat(std::string(1, kind), ++labels_); }

void SessionStoreGenerator::DrawSession() {
  // Half of everything happens in the session that commits.
  session_ = random_.OneIn(2) ? 0 : random_.Below(world_.sessions.size());
}

std::size_t SessionStoreGenerator::AnySession() { return session_; }

DurationMs SessionStoreGenerator::Ttl() { return random_.Pick(world_.ttls); }

const LaneHandle* SessionStoreGenerator::NewestLane(std::size_t session) const {
  const auto newest_in = [&](const std::vector<LaneHandle>& lanes) -> const LaneHandle* {
    for (auto lane = lanes.rbegin(); lane != lanes.rend(); ++lane) {
      if (lane->session == session && lane->acquired) return &*lane;
    }
    return nullptr;
  };
  if (branch_ >= 0) {
    // The lanes of a branch's own may turn out Busy: the session's lane from before the phase is what clients race under.
    if (const LaneHandle* lane = newest_in(known_.lanes)) return lane;
    return newest_in(branches_[branch_].lanes);
  }
  return newest_in(known_.lanes);
}

namespace {

// One of two lists' elements, the newer ones preferred; null where both are empty.
template <class T>
const T* AnyOf(engine::Random& random, const std::vector<T>& known, const std::vector<T>* own) {
  if (own != nullptr && !own->empty() && (known.empty() || random.OneIn(2))) return &random.Pick(*own);
  if (known.empty()) return nullptr;
  if (random.Percent(60)) return &known[known.size() - 1 - random.Below(std::min<std::size_t>(known.size(), 3))];
  return &random.Pick(known);
}

}  // namespace

const LaneHandle* SessionStoreGenerator::AnyLane() {
  return AnyOf(random_, known_.lanes, branch_ < 0 ? nullptr : &branches_[branch_].lanes);
}
const ClaimHandle* SessionStoreGenerator::AnyClaim() {
  return AnyOf(random_, known_.claims, branch_ < 0 ? nullptr : &branches_[branch_].claims);
}
const BatchHandle* SessionStoreGenerator::AnyBatch() {
  return AnyOf(random_, known_.batches, branch_ < 0 ? nullptr : &branches_[branch_].batches);
}

LeaseOwnerIdentity SessionStoreGenerator::AddFence(Command& command, const char* to, std::size_t session) {
  const uint64_t way = random_.Below(20);
  const LaneHandle* lane = way < 17 ? NewestLane(session) : AnyLane();
  if (lane == nullptr || way == 19) {
    command.references.push_back({to, "", ""});
    return random_.Pick(world_.owners);
  }
  command.references.push_back({to, lane->label, lane->path});
  if (way == 16) {
    // An altered fence: another incarnation, another token, another number.
    const uint64_t altered = random_.Below(3);
    if (altered == 0) command.references.push_back({absl::StrCat(to, ".owner.incarnation_id"), "", ""});
    if (altered == 1) command.references.push_back({absl::StrCat(to, ".lease_token"), "", ""});
    if (altered == 2) command.references.push_back({absl::StrCat(to, ".fencing_token"), "", ""});
  }
  // QW-LAT-21: the claim's owner is mostly the fence's.
  return random_.Percent(85) ? world_.owners[lane->owner] : random_.Pick(world_.owners);
}

Command<F> SessionStoreGenerator::Next(const State& state, EpochMs now) {
  branch_ = -1;
  branches_.clear();
  branch_labels_.clear();
  originals_.clear();
  const bool queue = world_.theme == Theme::kQueue || (world_.theme == Theme::kBoth && random_.OneIn(2));
  if (labels_ == 0 && random_.OneIn(25)) queue ? PlanDeepQueue() : PlanDeepInputs();
  if (planned_.empty() && random_.OneIn(30)) queue ? PlanProbe(state, now) : PlanInputProbe(state, now);
  if (planned_.empty() && random_.Percent(labels_ == 0 ? kOpeningScene : kLaterScene)) PlanScene(now);
  in_scene_ &= !planned_.empty();
  if (!planned_.empty() && !(in_scene_ && random_.OneIn(kInterlude))) {
    Command command = std::move(planned_.front());
    planned_.pop_front();
    return command;
  }
  Command command = NextAlone(state, now);
  if (command.loss != Loss::kNone && faults_.OneIn(2)) planned_.push_back(Again(command));
  return command;
}

// Who does not know what came of a call makes it again: it must have one effect, or be refused for what the first one did.
Command<F> SessionStoreGenerator::Again(const Command& lost) {
  Command again = lost;
  again.loss = Loss::kNone;
  if (!again.label.empty()) again.label = NewLabel(again.label[0]);
  return again;
}

Command<F> SessionStoreGenerator::NextAlone(const State& state, EpochMs now) {
  DrawSession();
  return Generate(WithLane(random_.Weighted(world_.weights), now), state, now);
}

std::size_t SessionStoreGenerator::WithLane(std::size_t operation, EpochMs now) {
  const bool commits = operation == OperationIndexOf<F, CommitRuntimeStateRequest>();
  const bool claims_work = operation >= OperationIndexOf<F, ClaimLeadingReadySessionCommandRequest>() &&
                           operation <= OperationIndexOf<F, ClaimReadyQueuedWorkByBatchIdsRequest>();
  const bool claims = claims_work || operation == OperationIndexOf<F, ClaimActiveTurnInputsRequest>() ||
                      operation == OperationIndexOf<F, ClaimNextTurnInputsRequest>();
  if (!claims && !commits) return operation;
  const LaneHandle* lane = NewestLane(commits ? 0 : session_);
  if ((lane != nullptr && lane->expires > now) || random_.OneIn(5)) return operation;
  if (commits) session_ = 0;
  return OperationIndexOf<F, TryClaimSessionExecutionLeaseRequest>();
}

void SessionStoreGenerator::PlanScene(EpochMs now) {
  SceneWriter(*this, now).Write();
  in_scene_ = true;
}

// Probes observe a session, make one call, and observe it again; every other time the call is made twice, with an observation in
// between, and is one that has no effect the second time.
void SessionStoreGenerator::PlanProbe(const State& state, EpochMs now) {
  DrawSession();
  const std::string session = world_.sessions[AnySession()];
  const auto observe = [&] {
    planned_.push_back({"", Action<F>(RequestOf<F>(ListQueuedWorkRequest{session})), {}});
    planned_.push_back({"", Action<F>(RequestOf<F>(ListPendingQueuedWorkRequest{session})), {}});
  };
  if (random_.OneIn(2)) {
    observe();
    planned_.push_back(NextAlone(state, now));
    observe();
    return;
  }
  Command command;
  switch (random_.Below(4)) {
    case 0:
      command = Enqueue(now);
      std::get<EnqueueQueuedWorkRequest>(std::get<0>(command.action)).batch.source_key = "k";
      break;
    case 1:
      command = Abandon();
      break;
    case 2:
      command = ReleaseLane();
      break;
    default: {
      command = Commit();
      auto& commit = std::get<CommitRuntimeStateRequest>(std::get<0>(command.action)).commit;
      if (!commit.turn_commit.has_value()) AddStamp(commit);
      break;
    }
  }
  command.loss = Loss::kNone;
  planned_.push_back(command);
  observe();
  if (!command.label.empty()) command.label = NewLabel(command.label[0]);
  planned_.push_back(std::move(command));
  observe();
}

// A queue with more live-claimed batches in front than any scan window has rows: what is behind them must still be found
// (QW-LAT-11). Chance alone never makes one so deep. The program goes on from there.
void SessionStoreGenerator::PlanDeepQueue() {
  constexpr int kDepth = 36;
  constexpr DurationMs kLong = 10'000'000;
  const std::string session = world_.sessions[0];
  const LeaseOwnerIdentity owner = world_.owners[0];
  const auto plan = [&](RequestOf<F> request, char kind) -> Command& {
    return planned_.emplace_back(Command{NewLabel(kind), Action<F>(std::move(request)), {}});
  };
  const auto enqueue = [&] {
    QueuedWorkBatchDraft draft;
    draft.session_id = session;
    draft.slot_policy = SlotPolicy::kJoin;
    draft.payloads = {ProcessWake{}};
    plan(EnqueueQueuedWorkRequest{draft}, 'b');
  };
  const std::string lane = plan(TryClaimSessionExecutionLeaseRequest{session, owner, kLong}, 'l').label;
  const auto claim = [&](uint64_t max_batches) {
    Command& command =
        plan(ClaimReadyQueuedWorkRequest{session, {}, owner, QueuedWorkClaimBoundary::kIdle, kLong, max_batches}, 'c');
    command.references.push_back({"session_execution_lease", lane, "Acquired"});
  };
  for (int i = 0; i < kDepth; ++i) enqueue();
  claim(kDepth);
  enqueue();
  enqueue();
  claim(1);
}

Command<F> SessionStoreGenerator::NextInBranch(int client, const State& state, EpochMs now) {
  branch_ = client;
  const bool begins = branches_.empty();
  if (branches_.size() <= static_cast<std::size_t>(client)) branches_.resize(client + 1);
  if (begins) {
    branch_plans_.assign(2, {});
    const bool time_moves = options_.move_clock || options_.system_now != 0;
    if (time_moves && Strikes(kStallRate.per_mille, options_.faults.stalled)) {
      PlanStall(state, now);
    } else if (world_.theme != Theme::kQueue && random_.OneIn(3)) {
      PlanContest();
    }
  }
  DrawSession();
  if (static_cast<std::size_t>(client) < branch_plans_.size() && !branch_plans_[client].empty()) {
    Command command = std::move(branch_plans_[client].front());
    branch_plans_[client].pop_front();
    return command;
  }
  Command command = NextOfBranch(client, state, now);
  const bool call = engine::RequestIf<F>(command.action) != nullptr;
  if (call && Strikes(kHeldRate.per_mille, options_.faults.held)) {
    command.hold = 1 + faults_.Below(3);
  }
  if (command.loss != Loss::kNone && faults_.OneIn(2)) {
    branch_plans_.resize(std::max<std::size_t>(branch_plans_.size(), client + 1));
    branch_plans_[client].push_back(Again(command));
  }
  return command;
}

// The second client claims, or has claimed, sleeps until its lease is over and goes on; the first moves the clock there and
// claims in the same session.
void SessionStoreGenerator::PlanStall(const State& state, EpochMs now) {
  deadlines_.clear();
  Spec<F>::AppendDeadlines(state, &deadlines_);
  std::erase_if(deadlines_, [now](EpochMs deadline) { return deadline <= now || deadline >= kMaxVirtualTime; });
  const std::size_t session = faults_.OneIn(2) ? 0 : faults_.Below(world_.sessions.size());
  const LaneHandle* lane = NewestLane(session);
  std::vector<DurationMs> ttls = world_.ttls;
  std::erase_if(ttls, [](DurationMs ttl) { return ttl == 0 || ttl > 1000; });
  const bool inputs = world_.theme == Theme::kInputs || (world_.theme == Theme::kBoth && faults_.OneIn(2));
  const auto claim = [&](DurationMs ttl) {
    Command command{NewLabel('c'), {}, {{"session_execution_lease", lane->label, lane->path}}};
    const uint64_t max = 1 + faults_.Below(3);
    if (inputs) {
      command.action =
          Action<F>(RequestOf<F>(ClaimNextTurnInputsRequest{world_.sessions[session], {}, world_.owners[lane->owner], ttl, max}));
      return command;
    }
    command.action = Action<F>(RequestOf<F>(ClaimReadyQueuedWorkRequest{
        world_.sessions[session], {}, world_.owners[lane->owner], QueuedWorkClaimBoundary::kIdle, ttl, max}));
    return command;
  };
  EpochMs until = deadlines_.empty() ? now : *std::min_element(deadlines_.begin(), deadlines_.end());
  std::string own;
  if (lane != nullptr && !ttls.empty() && faults_.OneIn(2)) {
    const DurationMs ttl = faults_.Pick(ttls);
    until = now + ttl;
    branch_plans_[1].push_back(claim(ttl));
    own = branch_plans_[1].back().label;
  } else if (inputs ? !known_.input_claims.empty() : !known_.claims.empty()) {
    own = inputs ? known_.input_claims.back().label : known_.claims.back().label;
  }
  if (until <= now || own.empty()) return branch_plans_[1].clear();
  until = std::min(until + faults_.Below(2), kMaxVirtualTime);
  branch_plans_[1].push_back({"", engine::Stall{until}, {}});
  branch_plans_[1].push_back(StaleUse(own, inputs));
  if (faults_.OneIn(3)) return;  // the sleeper moves the clock itself, when all others have finished
  branch_plans_[0].push_back({"", engine::SetClock{until}, {}});
  if (lane != nullptr) branch_plans_[0].push_back(claim(60'000));
}

// What a worker does next with a claim that it takes to be its own.
Command<F> SessionStoreGenerator::StaleUse(const std::string& claim, bool inputs) {
  Command command;
  switch (faults_.Below(inputs ? 2 : 4)) {
    case 0:
      if (inputs) return AbandonOf(claim);
      command.action = Action<F>(RequestOf<F>(AbandonQueuedWorkClaimRequest{}));
      command.references = {{"claim", claim, ""}};
      break;
    case 1:
      if (inputs) return CompletionOf(claim);
      [[fallthrough]];
    case 2: {
      const LaneHandle* lane = NewestLane(0);
      CommitRuntimeStateRequest commit;
      commit.commit.session_id = world_.sessions[0];
      command.action = Action<F>(RequestOf<F>(std::move(commit)));
      if (lane != nullptr) command.references.push_back({"commit.session_execution_lease", lane->label, lane->path});
      command.references.push_back({"commit.completed_queue_claims.0", claim, ""});
      break;
    }
    default:
      command.action = Action<F>(RequestOf<F>(RenewQueuedWorkClaimRequest{{}, 60'000}));
      command.references = {{"claim", claim, ""}};
      break;
  }
  return command;
}

Command<F> SessionStoreGenerator::NextOfBranch(int client, const State& state, EpochMs now) {
  // Who reads the clock too early is found out only where it moves while he waits.
  if (client == 0 && options_.move_clock && options_.system_now == 0 && faults_.OneIn(5)) return MoveClock(state, now);
  if (random_.OneIn(4)) {
    if (auto twin = Twin(client)) return *std::move(twin);
  }
  std::size_t operation = random_.Weighted(world_.weights);
  // One client moves the clock, so that its order is known; nobody reopens under the others' feet.
  if (operation >= kSetClock && (client != 0 || operation > kSetClock)) {
    operation = world_.theme == Theme::kInputs ? OperationIndexOf<F, ClaimNextTurnInputsRequest>()
                                               : OperationIndexOf<F, ClaimReadyQueuedWorkRequest>();
  }
  Command command = Generate(operation, state, now);
  KeepForTwins(client, command);
  return command;
}

std::optional<Command<F>> SessionStoreGenerator::Twin(int client) {
  std::vector<const Command*> others;
  for (const auto& [maker, command] : originals_) {
    if (maker != client) others.push_back(&command);
  }
  if (others.empty()) return std::nullopt;
  Command twin = *random_.Pick(others);
  if (!twin.label.empty()) twin.label = NewLabel(twin.label[0]);
  return twin;
}

void SessionStoreGenerator::KeepForTwins(int client, const Command& command) {
  if (!command.label.empty()) branch_labels_.insert(command.label);
  // A client cannot refer to another's answers of the same phase.
  const bool of_the_prefix = std::none_of(command.references.begin(), command.references.end(),
                                          [this](const Reference& r) { return branch_labels_.contains(r.label); });
  if (of_the_prefix && engine::RequestIf<F>(command.action) != nullptr) originals_.emplace_back(client, command);
}

Command<F> SessionStoreGenerator::Generate(std::size_t operation, const State& state, EpochMs now) {
  Command command;
  switch (operation) {
    case OperationIndexOf<F, EnqueueQueuedWorkRequest>():
      command = Enqueue(now);
      break;
    case OperationIndexOf<F, ClaimLeadingReadySessionCommandRequest>():
      command = ClaimCommand(now);
      break;
    case OperationIndexOf<F, ClaimReadyQueuedWorkRequest>():
      command = ClaimReady(now);
      break;
    case OperationIndexOf<F, ClaimReadyQueuedWorkByBatchIdsRequest>():
      command = ClaimByIds(now);
      break;
    case OperationIndexOf<F, RenewQueuedWorkClaimRequest>():
      command = Renew();
      break;
    case OperationIndexOf<F, AbandonQueuedWorkClaimRequest>():
      command = Abandon();
      break;
    case OperationIndexOf<F, CancelQueuedWorkBatchRequest>():
      command = Cancel();
      break;
    case OperationIndexOf<F, ListQueuedWorkRequest>():
      command = List();
      break;
    case OperationIndexOf<F, ListPendingQueuedWorkRequest>():
      command = ListPending();
      break;
    case OperationIndexOf<F, TryClaimSessionExecutionLeaseRequest>():
      command = TryClaimLane();
      break;
    case OperationIndexOf<F, ReclaimSessionExecutionLeaseRequest>():
      command = ReclaimLane();
      break;
    case OperationIndexOf<F, RenewSessionExecutionLeaseRequest>():
      command = RenewLane();
      break;
    case OperationIndexOf<F, ReleaseSessionExecutionLeaseRequest>():
      command = ReleaseLane();
      break;
    case OperationIndexOf<F, CommitRuntimeStateRequest>():
      command = !stamped_.empty() && random_.OneIn(5) ? RepeatCommit() : Commit();
      break;
    case OperationIndexOf<F, LoadSessionRequest>():
      command = Load();
      break;
    case OperationIndexOf<F, EnqueuePendingTurnInputRequest>():
      command = EnqueueInput();
      break;
    case OperationIndexOf<F, ListPendingTurnInputsRequest>():
      command = ListInputs();
      break;
    case OperationIndexOf<F, CancelPendingTurnInputsRequest>():
      command = CancelInputs();
      break;
    case OperationIndexOf<F, CancelPendingTurnInputRequest>():
      command = CancelInput();
      break;
    case OperationIndexOf<F, CancelPendingTurnInputSuffixRequest>():
      command = CancelSuffix();
      break;
    case OperationIndexOf<F, ClaimActiveTurnInputsRequest>():
      command = ClaimActive();
      break;
    case OperationIndexOf<F, ClaimNextTurnInputsRequest>():
      command = ClaimNext();
      break;
    case OperationIndexOf<F, AbandonTurnInputClaimRequest>():
      command = AbandonInputs();
      break;
    case OperationIndexOf<F, VacuumRequest>():
      command.action = Action<F>(RequestOf<F>(VacuumRequest{}));
      break;
    case kSetClock:
      command = MoveClock(state, now);
      break;
    default:
      command.action = engine::Reopen{};
      break;
  }
  if (operation < kSetClock) DrawLoss(command);
  return command;
}

void SessionStoreGenerator::DrawLoss(Command& command) {
  const engine::FaultTimes& times = options_.faults;
  const bool usually = random_.Below(1000) < kLostRate.per_mille;
  if (times.lost > 0 && (usually || Strikes(kLostRate.per_mille, times.lost - 1))) command.loss = Loss::kAnswer;
  if (!Strikes(kUnknownRate.per_mille, times.unknown)) return;
  command.loss = faults_.OneIn(3) ? Loss::kRequest : Loss::kOutcome;
}

std::vector<QueuedWorkPayload> SessionStoreGenerator::Payloads() {
  const auto wake = [&] { return ProcessWake{{random_.Pick(kBodies)}}; };
  const auto order = [&] { return SessionCommand{{R"({"kind":"reset_session","reason":"r"})"}}; };
  if (world_.classless && random_.OneIn(8)) {
    if (random_.OneIn(2)) return {};
    return {wake(), order()};
  }
  if (random_.OneIn(5)) return {order()};
  if (random_.OneIn(4)) return {wake(), wake()};
  return {wake()};
}

QueuedWorkBatchDraft SessionStoreGenerator::Draft(EpochMs now) {
  QueuedWorkBatchDraft draft;
  draft.session_id = world_.sessions[AnySession()];
  if (random_.Percent(30)) draft.source_key = random_.Pick(world_.keys);
  draft.delivery_policy = world_.common.delivery_policy;
  draft.slot_policy = world_.common.slot_policy;
  draft.merge_key = world_.common.merge_key;
  const uint64_t different = random_.Below(15);  // one in five differs, in one field
  if (different == 0)
    draft.delivery_policy = random_.OneIn(2) ? DeliveryPolicy::kEarliestSafeBoundary : DeliveryPolicy::kAfterCurrentTurnCommit;
  if (different == 1) draft.slot_policy = random_.OneIn(2) ? SlotPolicy::kJoin : SlotPolicy::kExclusive;
  if (different == 2) draft.merge_key = MergeGroup{random_.Pick(world_.groups)};
  const uint64_t availability = random_.Below(10);
  if (availability == 7) draft.available_at_ms = now + random_.Below(2);
  if (availability == 8) draft.available_at_ms = now + 10;
  if (availability == 9) draft.available_at_ms = random_.Below(now + 1);
  if (world_.extreme_times && random_.OneIn(10)) draft.available_at_ms = std::numeric_limits<uint64_t>::max() - random_.Below(2);
  draft.payloads = Payloads();
  return draft;
}

Command<F> SessionStoreGenerator::Enqueue(EpochMs now) {
  Command command;
  command.label = NewLabel('b');
  command.action = Action<F>(RequestOf<F>(EnqueueQueuedWorkRequest{Draft(now)}));
  if (branch_ >= 0) branches_[branch_].batches.push_back({command.label, "batch_id", "", 0, 0, 0, false, ""});
  return command;
}

Command<F> SessionStoreGenerator::ClaimCommand(EpochMs /*now*/) {
  Command command;
  command.label = NewLabel('c');
  ClaimLeadingReadySessionCommandRequest request;
  const std::size_t session = AnySession();
  request.session_id = world_.sessions[session];
  request.owner = AddFence(command, "session_execution_lease", session);
  request.lease_ttl_ms = Ttl();
  if (branch_ >= 0) branches_[branch_].claims.push_back({command.label, session, OwnerIndex(request.owner), 0, false});
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::ClaimReady(EpochMs /*now*/) {
  static constexpr std::array<uint64_t, 8> kMaxima = {1, 1, 2, 3, 3, 10, 0, std::numeric_limits<uint64_t>::max()};
  Command command;
  command.label = NewLabel('c');
  ClaimReadyQueuedWorkRequest request;
  const std::size_t session = AnySession();
  request.session_id = world_.sessions[session];
  request.owner = AddFence(command, "session_execution_lease", session);
  request.boundary = random_.Percent(75) ? QueuedWorkClaimBoundary::kIdle : QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  request.lease_ttl_ms = Ttl();
  request.max_batches = random_.Pick(kMaxima);
  if (branch_ >= 0) branches_[branch_].claims.push_back({command.label, session, OwnerIndex(request.owner), 0, false});
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::ClaimByIds(EpochMs now) {
  Command command;
  command.label = NewLabel('c');
  ClaimReadyQueuedWorkByBatchIdsRequest request;
  const std::size_t session = AnySession();
  request.session_id = world_.sessions[session];
  request.owner = AddFence(command, "session_execution_lease", session);
  request.boundary = random_.Percent(80) ? QueuedWorkClaimBoundary::kIdle : QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  request.lease_ttl_ms = Ttl();
  std::vector<const BatchHandle*> asked;
  for (const BatchHandle& batch : known_.batches) {
    if (batch.session == session && !batch.gone && batch.available_at <= now && batch.claimed_until <= now)
      asked.push_back(&batch);
  }
  const std::size_t length = random_.OneIn(8) ? 0 : 1 + random_.Below(3);
  const uint64_t way = random_.Below(12);
  if (way == 0 && asked.size() > 1) asked.erase(asked.begin());  // skips earlier work
  if (asked.size() > length) asked.resize(length);
  if (way == 1) std::reverse(asked.begin(), asked.end());
  if (way == 2 && !asked.empty()) asked.push_back(asked.front());  // a duplicate
  if (way == 3 || asked.empty()) {
    if (const BatchHandle* batch = AnyBatch(); batch != nullptr && length > 0) asked.push_back(batch);
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    command.references.push_back({At("batch_ids", i), asked[i]->label, asked[i]->path});
  }
  if (way == 4) command.references.push_back({At("batch_ids", asked.size()), "", ""});  // an unknown id
  if (branch_ >= 0) branches_[branch_].claims.push_back({command.label, session, OwnerIndex(request.owner), 0, false});
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::Renew() {
  Command command;
  command.label = NewLabel('r');
  RenewQueuedWorkClaimRequest request;
  request.lease_ttl_ms = Ttl();
  const ClaimHandle* claim = AnyClaim();
  if (claim == nullptr) {
    command.references.push_back({"claim", "", ""});
  } else if (claim->batches > 1 && random_.OneIn(6)) {
    // A value narrowed to the last batch: what is left after the rest was settled (QW-LAT-36).
    for (const char* field : {"session_id", "claim_id", "owner", "lease_token", "fencing_token"}) {
      command.references.push_back({absl::StrCat("claim.", field), claim->label, field});
    }
    command.references.push_back({"claim.batches.0", claim->label, At("batches", claim->batches - 1)});
  } else {
    command.references.push_back({"claim", claim->label, ""});
    const uint64_t altered = random_.Below(24);
    if (altered == 0) command.references.push_back({"claim.lease_token", "", ""});
    if (altered == 1) command.references.push_back({"claim.claim_id", "", ""});
    if (altered == 2) command.references.push_back({"claim.fencing_token", "", ""});  // not compared (QW-REN-6)
    if (altered == 3) command.references.push_back({"claim.owner", "", ""});          // not compared
    if (altered == 4) command.references.push_back({"claim.batches", "", ""});        // QW-LAT-10
    if (altered == 5) request.claim.session_id = random_.Pick(world_.sessions);
  }
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::Abandon() {
  Command command;
  const ClaimHandle* claim = AnyClaim();
  command.references.push_back({"claim", claim == nullptr ? "" : claim->label, ""});
  const uint64_t altered = random_.Below(16);
  if (altered == 0) command.references.push_back({"claim.lease_token", "", ""});
  if (altered == 1) command.references.push_back({"claim.claim_id", "", ""});
  if (altered == 2) command.references.push_back({"claim.batches", "", ""});  // ownership is by token, not by the value's list
  command.action = Action<F>(RequestOf<F>(AbandonQueuedWorkClaimRequest{}));
  return command;
}

Command<F> SessionStoreGenerator::Cancel() {
  Command command;
  CancelQueuedWorkBatchRequest request;
  const BatchHandle* batch = AnyBatch();
  request.session_id = world_.sessions[batch == nullptr || random_.OneIn(10) ? AnySession() : batch->session];
  command.references.push_back({"batch_id", batch == nullptr ? "" : batch->label, batch == nullptr ? "" : batch->path});
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::List() {
  Command command;
  command.action = Action<F>(RequestOf<F>(ListQueuedWorkRequest{random_.OneIn(20) ? "nobody's" : world_.sessions[AnySession()]}));
  return command;
}

Command<F> SessionStoreGenerator::ListPending() {
  Command command;
  command.action =
      Action<F>(RequestOf<F>(ListPendingQueuedWorkRequest{random_.OneIn(20) ? "nobody's" : world_.sessions[AnySession()]}));
  return command;
}

Command<F> SessionStoreGenerator::TryClaimLane() {
  Command command;
  command.label = NewLabel('l');
  TryClaimSessionExecutionLeaseRequest request;
  const std::size_t session = AnySession();
  request.session_id = world_.sessions[session];
  const LaneHandle* lane = random_.OneIn(3) ? NewestLane(session) : nullptr;  // re-entry
  request.owner = lane != nullptr ? world_.owners[lane->owner] : random_.Pick(world_.owners);
  // Liveness is ignored in comparing incarnations.
  if (random_.OneIn(15)) request.owner.liveness = OpaqueOwner{};
  request.lease_ttl_ms = random_.Percent(70) ? world_.lane_ttl : Ttl();
  if (branch_ >= 0)
    branches_[branch_].lanes.push_back({command.label, "Acquired", session, OwnerIndex(request.owner), kEndOfTime, true, ""});
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::ReclaimLane() {
  Command command;
  command.label = NewLabel('l');
  ReclaimSessionExecutionLeaseRequest request;
  const std::size_t session = AnySession();
  request.session_id = world_.sessions[session];
  request.owner = random_.Pick(world_.owners);
  request.lease_ttl_ms = random_.Percent(70) ? world_.lane_ttl : Ttl();
  const LaneHandle* lane = random_.Percent(75) ? NewestLane(session) : AnyLane();
  command.references.push_back({"observed_holder", lane == nullptr ? "" : lane->label, lane == nullptr ? "" : lane->path});
  const uint64_t altered = random_.Below(10);
  if (altered == 0) command.references.push_back({"observed_holder.lease_token", "", ""});
  if (altered == 1) command.references.push_back({"observed_holder.fencing_token", "", ""});
  if (altered == 2) command.references.push_back({"observed_holder.owner.incarnation_id", "", ""});
  if (branch_ >= 0)
    branches_[branch_].lanes.push_back({command.label, "Acquired", session, OwnerIndex(request.owner), kEndOfTime, true, ""});
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::RenewLane() {
  Command command;
  RenewSessionExecutionLeaseRequest request;
  request.lease_ttl_ms = random_.Percent(70) ? world_.lane_ttl : Ttl();
  AddFence(command, "fence", AnySession());
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::ReleaseLane() {
  Command command;
  AddFence(command, "completion", AnySession());
  command.action = Action<F>(RequestOf<F>(ReleaseSessionExecutionLeaseRequest{}));
  return command;
}

void SessionStoreGenerator::AddCompletion(RuntimeCommit& commit, Command& command, std::size_t position) {
  const ClaimHandle* claim = nullptr;
  // Mostly a claim that can still be settled, from the session that commits.
  for (int tries = 0; tries < 4; ++tries) {
    claim = AnyClaim();
    if (claim == nullptr || (!claim->over && claim->session == 0)) break;
  }
  const std::string to = At("commit.completed_queue_claims", position);
  if (claim == nullptr) {
    if (random_.OneIn(4)) command.references.push_back({to, "", ""});
    return;
  }
  const uint64_t way = random_.Below(20);
  if (way == 0 || (way == 1 && claim->batches > 1)) {  // a part of the claim, or nothing of it
    for (const char* field : {"session_id", "claim_id", "lease_token"}) {
      command.references.push_back({absl::StrCat(to, ".", field), claim->label, field});
    }
    if (way == 1) {
      const std::size_t kept = random_.Below(claim->batches);
      command.references.push_back({to + ".batch_ids.0", claim->label, At("batches", kept) + ".batch_id"});
    }
    return;
  }
  command.references.push_back({to, claim->label, ""});
  if (way == 2) command.references.push_back({to + ".lease_token", "", ""});
  if (way == 3) command.references.push_back({to + ".claim_id", "", ""});
  if (way == 4 && claim->batches > 0) {  // a duplicate id, an unknown one, another claim's
    command.references.push_back({At((to + ".batch_ids").c_str(), claim->batches), claim->label, "batches.0.batch_id"});
  }
  if (way == 5 && claim->batches > 0) {
    const BatchHandle* batch = AnyBatch();
    const std::string other = At((to + ".batch_ids").c_str(), claim->batches);
    command.references.push_back({other, batch == nullptr ? "" : batch->label, batch == nullptr ? "" : batch->path});
  }
  if (way == 6 && random_.OneIn(2)) command.references.push_back({to + ".session_id", "", ""});
  if (way == 7) command.references.push_back({At("commit.completed_queue_claims", position + 1), claim->label, ""});  // twice
  (void)commit;
}

void SessionStoreGenerator::AddStamp(RuntimeCommit& commit) {
  RuntimeTurnCommitStamp stamp;
  stamp.session_id = random_.OneIn(15) ? "nobody's" : commit.session_id;
  stamp.turn_id = random_.Pick(world_.turns);
  stamp.turn_commit_hash = random_.Percent(80) ? "hash" : "other";
  commit.turn_commit = std::move(stamp);
}

Command<F> SessionStoreGenerator::Commit() {
  Command command;
  command.label = NewLabel('m');
  CommitRuntimeStateRequest request;
  RuntimeCommit& commit = request.commit;
  const std::size_t session = random_.OneIn(80) ? AnySession() : 0;
  commit.session_id = world_.sessions[session];
  if (!random_.OneIn(16)) AddFence(command, "commit.session_execution_lease", session);
  const uint64_t head = random_.Below(10);
  if (head >= 5) commit.expected_head_revision = head_;
  if (head == 9) commit.expected_head_revision = head_ + 1 - random_.Below(2) * std::min<uint64_t>(head_ + 1, 2);
  if (random_.Percent(40)) AddStamp(commit);
  const std::size_t completions = world_.theme == Theme::kInputs ? 0 : random_.Below(4);
  for (std::size_t i = 0; i < completions; ++i) {
    std::size_t position = 0;
    for (const Reference& reference : command.references) {
      for (std::size_t p = position; p < 8; ++p) {
        if (reference.to.rfind(At("commit.completed_queue_claims", p), 0) == 0) position = p + 1;
      }
    }
    AddCompletion(commit, command, position);
  }
  if (world_.theme != Theme::kQueue) AddInputs(commit, command);
  if (random_.OneIn(8)) AddFence(command, "commit.release_session_execution_lease", session);
  commit.body.text = random_.Pick(kBodies);
  const bool stamped = commit.turn_commit.has_value();
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  if (stamped) made_commits_.insert_or_assign(command.label, command);
  return command;
}

Command<F> SessionStoreGenerator::RepeatCommit() {
  Command command = random_.Pick(stamped_);
  command.label = NewLabel('m');
  auto& commit = std::get<CommitRuntimeStateRequest>(std::get<0>(command.action)).commit;
  if (random_.OneIn(5)) commit.turn_commit->turn_commit_hash = "changed";
  if (random_.OneIn(4)) {  // the retry needs no lane
    std::erase_if(command.references, [](const Reference& r) { return r.to.rfind("commit.session_execution_lease", 0) == 0; });
  }
  if (random_.OneIn(4)) AddFence(command, "commit.release_session_execution_lease", 0);
  return command;
}

Command<F> SessionStoreGenerator::Load() {
  Command command;
  LoadSessionRequest request;
  if (random_.OneIn(3)) request.scope = ActivePath{std::nullopt};
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

// Waits past a near deadline, or until shortly before one: what lies between, the clock's error leaves open.
Command<F> SessionStoreGenerator::Wait(const State& state, EpochMs now) {
  constexpr DurationMs kNear = 100;
  deadlines_.clear();
  Spec<F>::AppendDeadlines(state, &deadlines_);
  std::erase_if(deadlines_, [now](EpochMs deadline) { return deadline <= now || deadline > now + kNear; });
  const DurationMs apart = options_.clock_error + 1;
  EpochMs to = now + 1 + random_.Below(3);
  if (!deadlines_.empty() && !random_.OneIn(4)) {
    const EpochMs deadline = *std::min_element(deadlines_.begin(), deadlines_.end());
    to = random_.OneIn(3) ? std::max(now, deadline - apart) : deadline + apart;
  }
  Command command;
  command.action = engine::SetClock{to};
  return command;
}

Command<F> SessionStoreGenerator::MoveClock(const State& state, EpochMs now) {
  if (options_.system_now != 0) return Wait(state, now);
  deadlines_.clear();
  Spec<F>::AppendDeadlines(state, &deadlines_);
  std::erase_if(deadlines_, [](EpochMs deadline) { return deadline == 0 || deadline >= kMaxVirtualTime; });
  if (!options_.clock_backwards || !random_.OneIn(6)) {
    std::erase_if(deadlines_, [now](EpochMs deadline) { return deadline <= now; });
  }
  EpochMs to = now;
  const uint64_t way = random_.Below(10);
  if (way < 6 && !deadlines_.empty()) {
    // Mostly the next one: a far one makes everything before it lapse at once.
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
    constexpr std::array<DurationMs, 2> kLeaps = {10'000'000, 31'536'000'000};  // longer than the longest finite lease; a year
    to = now + faults_.Pick(kLeaps);
  }
  if (!options_.clock_backwards || options_.faults.clock_back == 0) to = std::max(to, now);
  if (options_.faults.clock_far == 0) to = std::min(to, now + 100'000);
  Command command;
  command.action = engine::SetClock{std::min(to, kMaxVirtualTime)};
  return command;
}

}  // namespace leasecheck::session_store
