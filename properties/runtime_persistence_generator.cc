#include "properties/runtime_persistence_generator.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace leasecheck::runtime_persistence {
namespace {

using engine::Action;
using engine::Command;
using engine::Loss;
using engine::Reference;

constexpr std::size_t kSetClock = kOperationCount<F>;

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

constexpr DurationMs kLongestWait = 100;  // under the system's clock

std::string At(const char* path, std::size_t index) { return absl::StrCat(path, ".", index); }

template <class Request>
Command<F> CommandOf(Request request) {
  Command<F> command;
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

// One of two lists' elements, the newer ones preferred; null where both are empty.
template <class T>
const T* AnyOf(engine::Random& random, const std::vector<T>& known, const std::vector<T>* own) {
  if (own != nullptr && !own->empty() && (known.empty() || random.OneIn(2))) return &random.Pick(*own);
  if (known.empty()) return nullptr;
  if (random.Percent(60)) return &known[known.size() - 1 - random.Below(std::min<std::size_t>(known.size(), 3))];
  return &random.Pick(known);
}

}  // namespace

RuntimePersistenceGenerator::RuntimePersistenceGenerator(engine::Random random, const engine::GeneratorOptions& options)
    : random_(random), faults_(engine::Random(random_).Split()), options_(options), world_(MakeWorld(random_, options_)) {}

bool RuntimePersistenceGenerator::Strikes(uint64_t per_mille, uint64_t times) { return faults_.Below(1000) < per_mille * times; }

std::string RuntimePersistenceGenerator::NewLabel(char kind) { return absl::StrCat(std::string(1, kind), ++labels_); }

void RuntimePersistenceGenerator::DrawSession() {
  // Half of everything happens in the session that commits.
  session_ = random_.OneIn(2) ? 0 : random_.Below(world_.sessions.size());
}

const ClaimHandle* RuntimePersistenceGenerator::AnyClaim() {
  return AnyOf(random_, known_.claims, branch_ < 0 ? nullptr : &branches_[branch_].claims);
}
const BatchHandle* RuntimePersistenceGenerator::AnyBatch() {
  return AnyOf(random_, known_.batches, branch_ < 0 ? nullptr : &branches_[branch_].batches);
}
const std::string* RuntimePersistenceGenerator::AnyCommit() {
  return AnyOf(random_, known_.commits, branch_ < 0 ? nullptr : &branches_[branch_].commits);
}

Command<F> RuntimePersistenceGenerator::Next(const State& state, EpochMs now) {
  branch_ = -1;
  branches_.clear();
  branch_labels_.clear();
  originals_.clear();
  DrawSession();
  if (labels_ == 0 && world_.theme == Theme::kQueue && random_.OneIn(20)) PlanDeepQueue();
  if (planned_.empty() && random_.OneIn(25)) PlanProbe(state, now);
  if (!planned_.empty()) {
    Command command = std::move(planned_.front());
    planned_.pop_front();
    return command;
  }
  Command command = Generate(random_.Weighted(world_.weights), state, now);
  if (command.loss != Loss::kNone && faults_.OneIn(2)) planned_.push_back(Again(command));
  return command;
}

// Who does not know what came of a call makes it again: it must have one effect, or be refused for what the first one did.
Command<F> RuntimePersistenceGenerator::Again(const Command& lost) {
  Command again = lost;
  again.loss = Loss::kNone;
  if (!again.label.empty()) again.label = NewLabel(again.label[0]);
  return again;
}

void RuntimePersistenceGenerator::PlanProbe(const State& state, EpochMs now) {
  const bool queue = world_.theme == Theme::kQueue || (world_.theme == Theme::kAll && random_.OneIn(2));
  const std::string session = AnySession();
  const auto observe = [&] {
    if (queue) {
      planned_.push_back(CommandOf(ListQueuedWorkRequest{session}));
      planned_.push_back(CommandOf(ListPendingQueuedWorkRequest{session}));
    } else {
      planned_.push_back(CommandOf(LoadSessionRequest{}));
      planned_.push_back(CommandOf(LoadSessionRequest{ActivePath{}}));
    }
  };
  observe();
  Command command;
  if (queue) {
    command = random_.OneIn(3) ? Commit(state) : Generate(random_.Weighted(world_.weights), state, now);
  } else {
    switch (random_.Below(4)) {
      case 0:
        command = CommandOf(VacuumRequest{});
        break;
      case 1:
        command = CommandOf(GcUnreachableRequest{});
        break;
      case 2:
        command = Commit(state);
        std::get<CommitRuntimeStateRequest>(std::get<0>(command.action)).commit.expected_head_revision = 999;
        break;
      default:
        command = Generate(random_.Weighted(world_.weights), state, now);
        break;
    }
  }
  command.loss = Loss::kNone;
  planned_.push_back(std::move(command));
  observe();
}

// A queue with more live-claimed batches in front than any scan window has rows: what is behind them must still be found. Chance
// alone never makes one so deep. The program goes on from there.
void RuntimePersistenceGenerator::PlanDeepQueue() {
  constexpr int kDepth = 36;
  constexpr DurationMs kLong = 10'000'000;
  const auto plan = [&](RequestOf<F> request, char kind) {
    planned_.push_back(Command{NewLabel(kind), Action<F>(std::move(request)), {}});
  };
  QueuedWorkBatchDraft draft;
  draft.session_id = world_.sessions[0];
  draft.slot_policy = SlotPolicy::kJoin;
  draft.merge_key = MergeGroup{"deep"};
  draft.payloads = {ProcessWake{}};
  const auto claim = [&](uint64_t max) {
    plan(ClaimReadyQueuedWorkRequest{draft.session_id, world_.owners[0], QueuedWorkClaimBoundary::kIdle, kLong, max}, 'c');
  };
  for (int i = 0; i < kDepth; ++i) plan(EnqueueQueuedWorkRequest{draft}, 'b');
  claim(kDepth);
  plan(EnqueueQueuedWorkRequest{draft}, 'b');
  plan(EnqueueQueuedWorkRequest{draft}, 'b');
  claim(1);
}

Command<F> RuntimePersistenceGenerator::NextInBranch(int client, const State& state, EpochMs now) {
  branch_ = client;
  const bool begins = branches_.empty();
  if (branches_.size() <= static_cast<std::size_t>(client)) branches_.resize(client + 1);
  if (begins) {
    branch_plans_.assign(2, {});
    const bool time_moves = options_.move_clock || options_.system_now != 0;
    if (time_moves && Strikes(kStallRate.per_mille, options_.faults.stalled)) PlanStall(state, now);
  }
  DrawSession();
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

// The second client holds a claim, sleeps until its lease is over and goes on; the first moves the clock there and claims in the
// same session.
void RuntimePersistenceGenerator::PlanStall(const State& state, EpochMs now) {
  deadlines_.clear();
  Spec<F>::AppendDeadlines(state, &deadlines_);
  std::erase_if(deadlines_, [now](EpochMs deadline) { return deadline <= now || deadline >= kMaxVirtualTime; });
  const bool waits = options_.system_now != 0;
  if (known_.claims.empty() || (deadlines_.empty() && !waits)) return;
  const ClaimHandle& held = known_.claims.back();
  std::string stale = held.label;
  EpochMs ends = deadlines_.empty() ? kMaxVirtualTime : *std::min_element(deadlines_.begin(), deadlines_.end());
  if (waits && ends > now + kLongestWait) {  // then he makes a claim that he can outsleep
    ends = now + 20;
    Command brief = CommandOf(ClaimReadyQueuedWorkRequest{world_.sessions[held.session], world_.owners[0],
                                                          QueuedWorkClaimBoundary::kIdle, 20, 1 + faults_.Below(3)});
    brief.label = stale = NewLabel('c');
    branch_plans_[1].push_back(std::move(brief));
  }
  const EpochMs until = std::min(ends + faults_.Below(2), kMaxVirtualTime);
  branch_plans_[1].push_back({"", engine::Stall{until}, {}});
  branch_plans_[1].push_back(StaleUse(stale));
  if (faults_.OneIn(3)) return;  // the sleeper moves the clock itself, when all others have finished
  branch_plans_[0].push_back({"", engine::SetClock{until}, {}});
  Command claim = CommandOf(ClaimReadyQueuedWorkRequest{world_.sessions[held.session], world_.owners[1],
                                                        QueuedWorkClaimBoundary::kIdle, 60'000, 1 + faults_.Below(3)});
  claim.label = NewLabel('c');
  branch_plans_[0].push_back(std::move(claim));
}

// What a worker does next with a claim that it takes to be its own.
Command<F> RuntimePersistenceGenerator::StaleUse(const std::string& claim) {
  switch (faults_.Below(4)) {
    case 0: {
      Command command = CommandOf(AbandonQueuedWorkClaimRequest{});
      command.references = {{"claim", claim, ""}};
      return command;
    }
    case 1: {
      Command command = CommandOf(RenewQueuedWorkClaimRequest{{}, 60'000});
      command.references = {{"claim", claim, ""}};
      return command;
    }
    default: {
      CommitRuntimeStateRequest commit;
      commit.commit.session_id = world_.sessions[0];
      Command command = CommandOf(std::move(commit));
      command.references = {{"commit.completed_queue_claims.0", claim, ""}};
      return command;
    }
  }
}

Command<F> RuntimePersistenceGenerator::NextOfBranch(int client, const State& state, EpochMs now) {
  // Who reads the clock too early is found out only where it moves while he waits.
  const bool lapses = world_.theme != Theme::kState;
  if (client == 0 && lapses && options_.move_clock && options_.system_now == 0 && faults_.OneIn(5)) return MoveClock(state, now);
  if (random_.OneIn(4)) {
    if (auto twin = Twin(client)) return *std::move(twin);
  }
  // Who reads while others commit must see one revision.
  if (world_.theme != Theme::kQueue && random_.OneIn(5)) return Load(state);
  std::size_t operation = random_.Weighted(world_.weights);
  // One client moves the clock, so that its order is known; nobody reopens under the others' feet.
  if (operation >= kSetClock && (client != 0 || operation > kSetClock)) operation = OperationIndexOf<F, LoadSessionRequest>();
  Command command = Generate(operation, state, now);
  KeepForTwins(client, command);
  return command;
}

std::optional<Command<F>> RuntimePersistenceGenerator::Twin(int client) {
  std::vector<const Command*> others;
  for (const auto& [maker, command] : originals_) {
    if (maker != client) others.push_back(&command);
  }
  if (others.empty()) return std::nullopt;
  Command twin = *random_.Pick(others);
  if (!twin.label.empty()) twin.label = NewLabel(twin.label[0]);
  return twin;
}

void RuntimePersistenceGenerator::KeepForTwins(int client, const Command& command) {
  if (!command.label.empty()) branch_labels_.insert(command.label);
  // A client cannot refer to another's answers of the same phase.
  const bool of_the_prefix = std::none_of(command.references.begin(), command.references.end(),
                                          [this](const Reference& r) { return branch_labels_.contains(r.label); });
  if (of_the_prefix && engine::RequestIf<F>(command.action) != nullptr) originals_.emplace_back(client, command);
}

Command<F> RuntimePersistenceGenerator::Generate(std::size_t operation, const State& state, EpochMs now) {
  const auto make = [&]() -> Command {
    switch (operation) {
      case OperationIndexOf<F, LoadSessionRequest>():
        return Load(state);
      case OperationIndexOf<F, LoadNodeRequest>():
        return LoadNode();
      case OperationIndexOf<F, CommitRuntimeStateRequest>():
        return !stamped_.empty() && random_.OneIn(5) ? RepeatCommit() : Commit(state);
      case OperationIndexOf<F, SaveSessionMetaRequest>():
        return SaveMeta();
      case OperationIndexOf<F, LoadSessionMetaRequest>():
        return CommandOf(LoadSessionMetaRequest{});
      case OperationIndexOf<F, TombstoneNodesRequest>():
        return Tombstone();
      case OperationIndexOf<F, VacuumRequest>():
        return CommandOf(VacuumRequest{});
      case OperationIndexOf<F, GcUnreachableRequest>():
        return CommandOf(GcUnreachableRequest{});
      case OperationIndexOf<F, DurabilityTierRequest>():
        return CommandOf(DurabilityTierRequest{});
      case OperationIndexOf<F, EnqueueQueuedWorkRequest>():
        return Enqueue(now);
      case OperationIndexOf<F, ClaimReadyQueuedWorkRequest>():
        return Claim();
      case OperationIndexOf<F, ClaimReadyQueuedWorkByBatchIdsRequest>():
        return ClaimByIds(state, now);
      case OperationIndexOf<F, RenewQueuedWorkClaimRequest>():
        return Renew();
      case OperationIndexOf<F, AbandonQueuedWorkClaimRequest>():
        return Abandon();
      case OperationIndexOf<F, CancelQueuedWorkBatchRequest>():
        return Cancel();
      case OperationIndexOf<F, ListQueuedWorkRequest>():
        return List(false);
      case OperationIndexOf<F, ListPendingQueuedWorkRequest>():
        return List(true);
      case OperationIndexOf<F, RecordIntentRequest>():
        return RecordIntent(now);
      case OperationIndexOf<F, CommitRefsRequest>():
        return CommitRefs();
      case OperationIndexOf<F, ListUncommittedRequest>():
        return ListUncommitted(state, now);
      case OperationIndexOf<F, ForgetRequest>():
        return Forget();
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

void RuntimePersistenceGenerator::DrawLoss(Command& command) {
  const engine::FaultTimes& times = options_.faults;
  const bool usually = random_.Below(1000) < kLostRate.per_mille;
  if (times.lost > 0 && (usually || Strikes(kLostRate.per_mille, times.lost - 1))) command.loss = Loss::kAnswer;
  if (!Strikes(kUnknownRate.per_mille, times.unknown)) return;
  command.loss = faults_.OneIn(3) ? Loss::kRequest : Loss::kOutcome;
}

// Settled state.

Command<F> RuntimePersistenceGenerator::Load(const State& state) {
  LoadSessionRequest request;
  if (random_.Percent(50)) {
    ActivePath path;
    const uint64_t way = random_.Below(8);
    if (way < 3) path.leaf_node_id = random_.Pick(world_.nodes);
    if (way == 3) path.leaf_node_id = "never stored";
    if (way == 4 && !state.nodes->empty()) path.leaf_node_id = state.nodes->back().id();
    request.scope = std::move(path);
  }
  return CommandOf(std::move(request));
}

Command<F> RuntimePersistenceGenerator::LoadNode() {
  return CommandOf(LoadNodeRequest{random_.OneIn(12) ? "never stored" : random_.Pick(world_.nodes)});
}

Command<F> RuntimePersistenceGenerator::Tombstone() {
  TombstoneNodesRequest request;
  const uint64_t ids = random_.Below(4);
  for (uint64_t i = 0; i < ids; ++i) request.ids.push_back(random_.Pick(world_.nodes));
  if (random_.OneIn(8)) request.ids.push_back("never stored");
  return CommandOf(std::move(request));
}

Command<F> RuntimePersistenceGenerator::SaveMeta() {
  // RP-LAT-12: of another session's meta stores may keep another slot.
  SessionMeta meta{world_.sessions[0], absl::StrCat("name ", Fresh()), "2026-01-01T00:00:00Z", "model", std::nullopt, {}};
  if (random_.OneIn(2)) meta.cwd.emplace("/work");
  if (random_.OneIn(3)) meta.relation = RelationChild{"parent", std::nullopt};
  return CommandOf(SaveSessionMetaRequest{std::move(meta)});
}

// The queue.

QueuedWorkBatchDraft RuntimePersistenceGenerator::Draft(EpochMs now) {
  QueuedWorkBatchDraft draft = world_.common;
  draft.session_id = AnySession();
  if (random_.Percent(30)) draft.source_key = random_.Pick(world_.keys);
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
  const uint64_t payloads = random_.OneIn(12) ? 0 : 1 + random_.Below(2);
  for (uint64_t i = 0; i < payloads; ++i) {
    switch (random_.Below(3)) {
      case 0:
        draft.payloads.push_back(TurnInput{{R"({"image_blobs":{},"items":[{"text":"hello","type":"text"}]})"}});
        break;
      case 1:
        draft.payloads.push_back(ProcessWake{{absl::StrCat(R"({"n":)", Fresh(), "}")}});
        break;
      default:
        draft.payloads.push_back(SessionCommand{{R"({"kind":"reset_session","reason":"r"})"}});
        break;
    }
  }
  return draft;
}

Command<F> RuntimePersistenceGenerator::Enqueue(EpochMs now) {
  Command command = CommandOf(EnqueueQueuedWorkRequest{Draft(now)});
  command.label = NewLabel('b');
  if (branch_ >= 0) branches_[branch_].batches.push_back({command.label, "", session_});
  return command;
}

Command<F> RuntimePersistenceGenerator::Claim() {
  static constexpr std::array<uint64_t, 8> kMaxima = {1, 1, 2, 3, 3, 10, 0, std::numeric_limits<uint64_t>::max()};
  ClaimReadyQueuedWorkRequest request;
  request.session_id = AnySession();
  request.owner_id = random_.Pick(world_.owners);
  request.boundary = random_.Percent(75) ? QueuedWorkClaimBoundary::kIdle : QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  request.lease_ttl_ms = Ttl();
  request.max_batches = random_.Pick(kMaxima);
  Command command = CommandOf(std::move(request));
  command.label = NewLabel('c');
  if (branch_ >= 0) branches_[branch_].claims.push_back({command.label, session_});
  return command;
}

Command<F> RuntimePersistenceGenerator::ClaimByIds(const State& state, EpochMs now) {
  ClaimReadyQueuedWorkByBatchIdsRequest request;
  request.session_id = AnySession();
  request.owner_id = random_.Pick(world_.owners);
  request.boundary = random_.Percent(80) ? QueuedWorkClaimBoundary::kIdle : QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
  request.lease_ttl_ms = Ttl();
  std::vector<const BatchHandle*> asked;
  for (const Row& row : *state.queue) {
    const bool taken = row.claim != nullptr && row.claim->LiveAt(now);
    if (taken || row.session() != request.session_id || row.stored->batch.available_at_ms > now) continue;
    for (const BatchHandle& batch : known_.batches) {
      if (batch.id == row.stored->batch.batch_id) asked.push_back(&batch);
    }
  }
  const std::size_t length = random_.OneIn(12) ? 0 : 1 + random_.Below(3);
  const uint64_t way = random_.Below(12);
  if (way == 0 && asked.size() > 1) asked.erase(asked.begin());  // skips earlier work
  if (asked.size() > length) asked.resize(length);
  if (way == 1) std::reverse(asked.begin(), asked.end());
  if (way == 2 && !asked.empty()) asked.push_back(asked.front());  // a duplicate
  if (way == 3 || asked.empty()) {
    if (const BatchHandle* batch = AnyBatch(); batch != nullptr && length > 0) asked.push_back(batch);
  }
  Command command = CommandOf(std::move(request));
  command.label = NewLabel('c');
  for (std::size_t i = 0; i < asked.size(); ++i) {
    command.references.push_back({At("batch_ids", i), asked[i]->label, "batch_id"});
  }
  if (way == 4) command.references.push_back({At("batch_ids", asked.size()), "", ""});  // an unknown id
  if (branch_ >= 0) branches_[branch_].claims.push_back({command.label, session_});
  return command;
}

Command<F> RuntimePersistenceGenerator::Renew() {
  Command command = CommandOf(RenewQueuedWorkClaimRequest{{}, Ttl()});
  command.label = NewLabel('r');
  const ClaimHandle* claim = AnyClaim();
  if (claim == nullptr) {
    command.references.push_back({"claim", "", ""});
    return command;
  }
  if (claim->batches > 1 && random_.OneIn(6)) {
    // A value narrowed to the last batch: what is left after the rest was completed (RP-LAT-27).
    for (const char* field : {"session_id", "claim_id", "owner_id", "lease_token", "fencing_token"}) {
      command.references.push_back({absl::StrCat("claim.", field), claim->label, field});
    }
    command.references.push_back({"claim.batches.0", claim->label, At("batches", claim->batches - 1)});
    return command;
  }
  command.references.push_back({"claim", claim->label, ""});
  const uint64_t altered = random_.Below(24);
  if (altered == 0) command.references.push_back({"claim.lease_token", "", ""});
  if (altered == 1) command.references.push_back({"claim.claim_id", "", ""});
  if (altered == 2) command.references.push_back({"claim.fencing_token", "", ""});  // not compared
  if (altered == 3) command.references.push_back({"claim.owner_id", "", ""});       // not compared (RP-CLM-11)
  if (altered == 4) command.references.push_back({"claim.batches", "", ""});        // RP-LAT-19
  if (altered == 5) command.references.push_back({"claim.session_id", "", ""});
  return command;
}

Command<F> RuntimePersistenceGenerator::Abandon() {
  Command command = CommandOf(AbandonQueuedWorkClaimRequest{});
  const ClaimHandle* claim = AnyClaim();
  command.references.push_back({"claim", claim == nullptr ? "" : claim->label, ""});
  const uint64_t altered = random_.Below(16);
  if (altered == 0) command.references.push_back({"claim.lease_token", "", ""});
  if (altered == 1) command.references.push_back({"claim.claim_id", "", ""});
  if (altered == 2) command.references.push_back({"claim.batches", "", ""});  // ownership is by token, not by the value's list
  if (altered == 3) command.references.push_back({"claim.session_id", "", ""});
  return command;
}

Command<F> RuntimePersistenceGenerator::Cancel() {
  CancelQueuedWorkBatchRequest request;
  const BatchHandle* batch = AnyBatch();
  request.session_id = batch == nullptr || random_.OneIn(10) ? AnySession() : world_.sessions[batch->session];
  Command command = CommandOf(std::move(request));
  command.references.push_back({"batch_id", batch == nullptr ? "" : batch->label, "batch_id"});
  return command;
}

Command<F> RuntimePersistenceGenerator::List(bool pending) {
  const std::string session = random_.OneIn(20) ? "nobody's" : AnySession();
  return pending ? CommandOf(ListPendingQueuedWorkRequest{session}) : CommandOf(ListQueuedWorkRequest{session});
}

// Attachments.

Command<F> RuntimePersistenceGenerator::RecordIntent(EpochMs now) {
  const std::size_t id = random_.Below(world_.attachments.size());
  // Mostly each id has its own session: of one that two recorded little is known (RP-LAT-20).
  const std::size_t session = random_.OneIn(25) ? random_.Below(world_.sessions.size())
                              : id == 2         ? world_.sessions.size() - 1
                                                : 0;
  AttachmentIntent intent{world_.attachments[id], world_.sessions[session], "mem:u", now};
  const uint64_t way = random_.Below(10);
  if (way < 5) {  // later than any before
    intent.intent_at_epoch_ms = world_.start + 10 * Fresh();
    intent.canonical_uri = absl::StrCat("mem:", fresh_);
  }
  if (way == 9) intent.intent_at_epoch_ms = now - std::min<EpochMs>(now, 5);
  return CommandOf(RecordIntentRequest{std::move(intent)});
}

Command<F> RuntimePersistenceGenerator::CommitRefs() {
  CommitRefsRequest request;
  request.session_id = world_.sessions[random_.OneIn(3) ? random_.Below(world_.sessions.size()) : 0];
  const uint64_t ids = random_.Below(3);
  for (uint64_t i = 0; i < ids; ++i) request.attachment_ids.push_back(random_.Pick(world_.attachments));
  return CommandOf(std::move(request));
}

Command<F> RuntimePersistenceGenerator::ListUncommitted(const State& state, EpochMs now) {
  EpochMs cutoff = random_.OneIn(3) ? now : kMaxVirtualTime;
  if (!state.attachments->empty() && random_.OneIn(2)) {
    const EpochMs at = random_.Pick(*state.attachments).intent.intent_at_epoch_ms;
    cutoff = at + random_.Below(3) - (at > 0 ? 1 : 0);
  }
  return CommandOf(ListUncommittedRequest{cutoff});
}

Command<F> RuntimePersistenceGenerator::Forget() {
  return CommandOf(ForgetRequest{random_.OneIn(8) ? "never recorded" : random_.Pick(world_.attachments)});
}

// The clock.

// Waits past a near deadline, or until shortly before one: what lies between, the clock's error leaves open.
Command<F> RuntimePersistenceGenerator::Wait(const State& state, EpochMs now) {
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

Command<F> RuntimePersistenceGenerator::MoveClock(const State& state, EpochMs now) {
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
  return {"", engine::SetClock{std::min(to, kMaxVirtualTime)}, {}};
}

}  // namespace leasecheck::runtime_persistence
