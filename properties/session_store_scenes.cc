// The scenes of batches, of the lane and of the commit, and what all scenes are made of.
#include "properties/session_store_scenes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

namespace leasecheck::session_store {
namespace {

constexpr DurationMs kLong = 60'000;
constexpr uint64_t kMany = 10;

bool IsLocal(const LeaseOwnerIdentity& owner) {
  const auto* process = std::get_if<LocalProcessOwner>(&owner.liveness);
  return process != nullptr && process->host_id == "h" && process->boot_id == "b";
}
bool IsDead(const LeaseOwnerIdentity& owner) {
  return IsLocal(owner) && std::get<LocalProcessOwner>(owner.liveness).pid == kDeadPid;
}

// Whoever is on its host may take what it holds, itself too. Of the world's owners two are such, and no world has them alone.
bool IsGone(const LeaseOwnerIdentity& owner) { return IsLocal(owner) && owner.owner_id != "A"; }

}  // namespace

const std::vector<SceneWriter::Scene>& SceneWriter::Scenes() {
  static const std::vector<Scene>& scenes = *new std::vector<Scene>{
      {&SceneWriter::LostBatch, true, false},
      {&SceneWriter::SettledUnderAnotherLane, true, false},
      {&SceneWriter::GroupWithGap, true, false},
      {&SceneWriter::CommandBehind, true, false},
      {&SceneWriter::Boundary, true, false},
      {&SceneWriter::KeyAgain, true, false},
      {&SceneWriter::Renewals, true, false},
      {&SceneWriter::TwoClaims, true, false},
      {&SceneWriter::DeadHolder, true, false},
      {&SceneWriter::Stamps, true, false},
      {&SceneWriter::Edges, true, false},
      {&SceneWriter::SettledTogether, false, true},
      {&SceneWriter::SettledWithQueue, false, false},
      {&SceneWriter::Interrupt, false, true},
      {&SceneWriter::Piecemeal, false, true},
      {&SceneWriter::LostInput, false, true},
      {&SceneWriter::Accepted, false, true},
      {&SceneWriter::InputKeys, false, true},
      {&SceneWriter::CompletedUnderAnotherLane, false, true},
      {&SceneWriter::Suffix, false, true},
      {&SceneWriter::DeadHolderOfInputs, false, true},
      {&SceneWriter::EdgesOfInputs, false, true},
  };
  return scenes;
}

OpeningScene OpeningSceneOf(uint64_t program) {
  const std::vector<SceneWriter::Scene>& scenes = SceneWriter::Scenes();
  const std::size_t scene = (program + program / scenes.size()) % scenes.size();
  return {scene, scenes[scene].queue, scenes[scene].inputs};
}

void SceneWriter::Shuffle() {
  std::vector<std::size_t>& left = generator_.scenes_left_;
  for (std::size_t i = 0; i < Scenes().size(); ++i) {
    const Scene& scene = Scenes()[i];
    if (scene.queue && world().theme == Theme::kInputs) continue;
    if (scene.inputs && world().theme == Theme::kQueue) continue;
    left.push_back(i);
  }
  for (std::size_t i = left.size(); i > 1; --i) std::swap(left[i - 1], left[random().Below(i)]);
  const auto opening = std::find(left.begin(), left.end(), OpeningSceneOf(generator_.options_.program).scene);
  if (generator_.labels_ == 0 && opening != left.end()) std::swap(*opening, left.back());
}

void SceneWriter::Write() {
  std::vector<std::size_t>& left = generator_.scenes_left_;
  if (left.empty()) Shuffle();
  std::deque<Command>& plan = generator_.planned_;
  const std::size_t begin = plan.size();
  while (!left.empty()) {
    const Scene& scene = Scenes()[left.back()];
    left.pop_back();
    if ((this->*scene.write)()) break;
  }
  // Some end early: what is left behind is for the random commands to meet.
  const std::size_t length = plan.size() - begin;
  if (length > 4 && random().OneIn(10)) plan.resize(begin + length / 2 + random().Below(length / 2));
}

std::size_t SceneWriter::AnySession() { return random().OneIn(2) ? 0 : random().Below(world().sessions.size()); }

std::size_t SceneWriter::NotDead(std::size_t owner) {
  const std::vector<LeaseOwnerIdentity>& owners = world().owners;
  while (IsGone(owners[owner])) owner = (owner + 1) % owners.size();
  return owner;
}

std::size_t SceneWriter::OtherOwner(std::size_t owner) {
  return (owner + 1 + random().Below(world().owners.size() - 1)) % world().owners.size();
}

SceneWriter::Lane SceneWriter::Hold(std::size_t session) {
  const LaneHandle* lane = generator_.NewestLane(session);
  const bool live = lane != nullptr && lane->expires > now_;
  if (live && lane->expires - now_ > kLong / 2) return {lane->label, lane->path, NotDead(lane->owner)};
  const std::size_t owner = live ? lane->owner : NotDead(random().Below(world().owners.size()));
  const std::string label =
      Add(TryClaimSessionExecutionLeaseRequest{Name(session), world().owners[owner], world().lane_ttl}, 'l');
  return {label, "Acquired", NotDead(owner)};
}

SceneWriter::Lane SceneWriter::HoldNext(std::size_t session, const Lane& before) {
  if (random().OneIn(2)) {
    Add(RenewSessionExecutionLeaseRequest{{}, 0}, 'l', {{"fence", before.label, before.path}});
  } else {
    Add(ReleaseSessionExecutionLeaseRequest{}, 'l', {{"completion", before.label, before.path}});
  }
  if (random().OneIn(4)) Add(ReleaseSessionExecutionLeaseRequest{}, 'l', {{"completion", before.label, before.path}});
  const std::size_t owner = OtherOwner(before.owner);
  const std::string label =
      Add(TryClaimSessionExecutionLeaseRequest{Name(session), world().owners[owner], world().lane_ttl}, 'l');
  return {label, "Acquired", owner};
}

std::optional<std::pair<SceneWriter::Lane, SceneWriter::Lane>> SceneWriter::HoldOfTheDead(std::size_t session) {
  const std::vector<LeaseOwnerIdentity>& owners = world().owners;
  const auto dead = std::find_if(owners.begin(), owners.end(), IsDead);
  if (dead == owners.end()) return std::nullopt;
  auto heir = std::find_if(owners.begin(), owners.end(), [](const auto& o) { return IsLocal(o) && !IsDead(o); });
  if (heir == owners.end()) heir = owners.begin();  // who cannot tell: the lane stays Busy
  if (const LaneHandle* lane = generator_.NewestLane(session)) {
    Add(ReleaseSessionExecutionLeaseRequest{}, 'l', {{"completion", lane->label, lane->path}});
  }
  const std::string label = Add(TryClaimSessionExecutionLeaseRequest{Name(session), *dead, world().lane_ttl}, 'l');
  const auto index = [&](const auto& owner) { return static_cast<std::size_t>(owner - owners.begin()); };
  return std::make_pair(Lane{label, "Acquired", index(dead)}, Lane{"", "Acquired", index(heir)});
}

DurationMs SceneWriter::Short() {
  const engine::GeneratorOptions& options = generator_.options_;
  std::vector<DurationMs> ttls = world().ttls;
  const bool system = options.system_now != 0;
  const DurationMs longest = system ? 40 : 1000;
  std::erase_if(ttls, [&](DurationMs ttl) { return ttl > longest || (system && ttl == 0); });
  lapses_after_ = ttls.empty() || (!options.move_clock && !system) ? 0 : random().Pick(ttls);
  return lapses_after_;
}

void SceneWriter::Lapse() {
  const engine::GeneratorOptions& options = generator_.options_;
  if (lapses_after_ == 0) return;
  constexpr DurationMs kSlack = 20;  // under the system's clock, for the calls between now and the grant
  now_ += lapses_after_ + (options.system_now != 0 ? options.clock_error + kSlack : random().Below(4) / 3);
  now_ = std::min(now_, kMaxVirtualTime);
  Command command;
  command.action = engine::SetClock{now_};
  generator_.planned_.push_back(std::move(command));
}

// Batches.

QueuedWorkBatchDraft SceneWriter::Work(std::size_t session) {
  QueuedWorkBatchDraft draft;
  draft.session_id = Name(session);
  draft.delivery_policy = random().OneIn(4) ? world().common.delivery_policy : DeliveryPolicy::kEarliestSafeBoundary;
  draft.slot_policy = SlotPolicy::kJoin;
  if (random().OneIn(2)) draft.merge_key = MergeGroup{random().Pick(world().groups)};
  draft.payloads = {ProcessWake{}};
  return draft;
}

std::string SceneWriter::Enqueue(const QueuedWorkBatchDraft& draft) { return Add(EnqueueQueuedWorkRequest{draft}, 'b'); }

std::string SceneWriter::Claim(std::size_t session, const Lane& lane, DurationMs ttl, uint64_t max_batches,
                               QueuedWorkClaimBoundary boundary) {
  return Add(ClaimReadyQueuedWorkRequest{Name(session), {}, world().owners[lane.owner], boundary, ttl, max_batches}, 'c',
             {{"session_execution_lease", lane.label, lane.path}});
}

std::string SceneWriter::ClaimCommand(std::size_t session, const Lane& lane, DurationMs ttl) {
  return Add(ClaimLeadingReadySessionCommandRequest{Name(session), {}, world().owners[lane.owner], ttl}, 'c',
             {{"session_execution_lease", lane.label, lane.path}});
}

std::string SceneWriter::ClaimById(std::size_t session, const Lane& lane, const std::string& batch) {
  const LeaseOwnerIdentity& owner = world().owners[lane.owner];
  return Add(ClaimReadyQueuedWorkByBatchIdsRequest{Name(session), {}, owner, QueuedWorkClaimBoundary::kIdle, kLong, {}}, 'c',
             {{"session_execution_lease", lane.label, lane.path}, {"batch_ids.0", batch, "batch_id"}});
}

void SceneWriter::Clear(std::size_t session) {
  std::vector<const BatchHandle*> claimable;
  for (const BatchHandle& batch : generator_.known_.batches) {
    if (batch.session == session && !batch.gone && batch.claimed_until <= now_) claimable.push_back(&batch);
  }
  if (claimable.size() > 3) return;
  for (const BatchHandle* batch : claimable) {
    Add(CancelQueuedWorkBatchRequest{Name(session), ""}, 'q', {{"batch_id", batch->label, batch->path}});
  }
}

void SceneWriter::List(std::size_t session) {
  if (random().OneIn(2)) Add(ListPendingQueuedWorkRequest{Name(session)}, 'q');
  Add(ListQueuedWorkRequest{Name(session)}, 'q');
}

SceneWriter::Commit SceneWriter::NewCommit(const Lane& lane) {
  Commit commit;
  commit.commit.session_id = Name(0);
  commit.references.push_back({"commit.session_execution_lease", lane.label, lane.path});
  return commit;
}

void SceneWriter::Settle(Commit& commit, const std::string& claim, const char* altered) {
  const std::string to = absl::StrCat("commit.completed_queue_claims.", commit.commit.completed_queue_claims.size());
  commit.commit.completed_queue_claims.emplace_back();
  commit.references.push_back({to, claim, ""});
  if (altered != nullptr) commit.references.push_back({absl::StrCat(to, ".", altered), "", ""});
}

std::string SceneWriter::Plan(const Commit& commit) {
  return Add(CommitRuntimeStateRequest{commit.commit}, 'm', commit.references);
}

// A lapsed claim of two loses one to a cancel: it can neither be renewed nor settled whole (QW-CAN-4).
bool SceneWriter::LostBatch() {
  const Lane lane = Hold(0);
  Clear(0);
  const QueuedWorkBatchDraft draft = Work(0);
  const std::size_t batches = 2 + random().Below(2);
  for (std::size_t i = 0; i < batches; ++i) Enqueue(draft);
  const std::string claim = Claim(0, lane, Short(), kMany);
  Lapse();
  Add(CancelQueuedWorkBatchRequest{Name(0), ""}, 'q',
      {{"batch_id", claim, absl::StrCat("batches.", random().Below(2), ".batch_id")}});
  const bool renew_first = random().OneIn(2);
  const auto renew = [&] { Add(RenewQueuedWorkClaimRequest{{}, kLong}, 'r', {{"claim", claim, ""}}); };
  if (renew_first) renew();
  Commit commit = NewCommit(lane);
  Settle(commit, claim);
  Plan(commit);
  if (!renew_first) renew();
  if (random().OneIn(2)) Add(AbandonQueuedWorkClaimRequest{}, 'q', {{"claim", claim, ""}});
  return true;
}

// Work is claimed in one of three ways.
void SceneWriter::ClaimAnyhow(std::size_t session, const Lane& lane) {
  const uint64_t way = random().Below(3);
  if (way == 0) Claim(session, lane, kLong, 1);
  if (way == 1) ClaimCommand(session, lane, kLong);
  if (way == 2) ClaimById(session, lane, "");
}

// A claim outlives the lane that it was taken under, is settled under the next one, and once (SC-CMT-13, SC-CMT-14).
bool SceneWriter::SettledUnderAnotherLane() {
  const Lane lane = Hold(0);
  Enqueue(Work(0));
  const std::string claim = Claim(0, lane, kLong, kMany);
  const Lane next = HoldNext(0, lane);
  if (random().OneIn(2)) ClaimAnyhow(0, lane);
  for (int i = 0; i < 2; ++i) {
    Commit commit = NewCommit(next);
    Settle(commit, claim);
    Plan(commit);
  }
  return true;
}

// A group whose middle cannot be claimed, for it is deferred or held; asked for by ids first (QW-CLM-8, QW-IDS-4).
bool SceneWriter::GroupWithGap() {
  const std::size_t session = AnySession();
  const Lane lane = Hold(session);
  Clear(session);
  const QueuedWorkBatchDraft draft = Work(session);
  QueuedWorkBatchDraft later = draft;
  later.available_at_ms = now_ + 10;
  const bool held = generator_.options_.move_clock && generator_.options_.system_now == 0 && random().OneIn(2);
  const std::string first = Enqueue(held ? later : draft);
  Enqueue(held ? draft : later);
  if (held) {
    Claim(session, lane, kLong, 1);
    lapses_after_ = 10;
    Lapse();
  }
  const std::string last = Enqueue(draft);
  const auto by_id = [&](const std::string& label) { return ClaimById(session, lane, label); };
  if (!random().OneIn(3)) by_id(last);
  const std::string claim = by_id(first);
  Add(AbandonQueuedWorkClaimRequest{}, 'q', {{"claim", claim, ""}});
  Claim(session, lane, Short(), kMany);
  return true;
}

// A command behind work that is deferred or held, and in front of more (QW-CMD-7, QW-CMD-4, QW-CLM-3).
bool SceneWriter::CommandBehind() {
  const std::size_t session = AnySession();
  const Lane lane = Hold(session);
  Clear(session);
  QueuedWorkBatchDraft draft = Work(session);
  const bool deferred = random().OneIn(2);
  if (deferred) draft.available_at_ms = now_ + 10;
  Enqueue(draft);
  Claim(session, lane, kLong, kMany);
  QueuedWorkBatchDraft command = Work(session);
  command.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  command.payloads = {SessionCommand{{R"({"kind":"reset_session","reason":"r"})"}}};
  Enqueue(command);
  Enqueue(random().OneIn(2) ? command : Work(session));
  Claim(session, lane, kLong, kMany);
  ClaimCommand(session, lane, Short());
  return true;
}

// Work for after the turn is not given at a checkpoint, nor is what follows it, but when idle; to whatever owner (QW-CLM-4, 6,
// 19).
bool SceneWriter::Boundary() {
  const std::size_t session = AnySession();
  Lane lane = Hold(session);
  Clear(session);
  QueuedWorkBatchDraft draft = Work(session);
  if (random().OneIn(2)) Enqueue(draft);
  draft.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  if (random().OneIn(2)) draft.slot_policy = SlotPolicy::kExclusive;
  Enqueue(draft);
  Enqueue(random().OneIn(2) ? draft : Work(session));
  if (random().OneIn(3)) lane.owner = OtherOwner(lane.owner);
  Claim(session, lane, kLong, 1, QueuedWorkClaimBoundary::kActiveTurnCheckpoint);
  Claim(session, lane, kLong, kMany, QueuedWorkClaimBoundary::kActiveTurnCheckpoint);
  Claim(session, lane, Short(), kMany);
  return true;
}

// A key finds its batch while that is held or deferred, is free afterwards, and is another one elsewhere (QW-ENQ-5, 6, 7).
bool SceneWriter::KeyAgain() {
  const Lane lane = Hold(0);
  QueuedWorkBatchDraft draft = Work(0);
  static const std::array<const char*, 3> kKeys = {"k", "", "k2"};
  draft.source_key = random().Pick(kKeys);
  const bool deferred = random().OneIn(3);
  if (deferred) draft.available_at_ms = now_ + 10;
  const std::string first = Enqueue(draft);
  const std::string claim = Claim(0, lane, kLong, kMany);
  QueuedWorkBatchDraft again = draft;
  if (random().OneIn(2)) again.payloads.emplace_back(ProcessWake{{R"({"n":1})"}});
  Enqueue(again);
  if (!random().OneIn(3)) {
    again.session_id = Elsewhere();
    Enqueue(again);
    again.session_id = Name(0);
  }
  if (!deferred && random().OneIn(2)) {
    Commit commit = NewCommit(lane);
    Settle(commit, claim);
    Plan(commit);
  } else {
    if (!deferred) Add(AbandonQueuedWorkClaimRequest{}, 'q', {{"claim", claim, ""}});
    Add(CancelQueuedWorkBatchRequest{Name(0), ""}, 'q', {{"batch_id", first, "batch_id"}});
  }
  Enqueue(again);
  return true;
}

// Renewing compares neither owner nor number, changes no list, and may shorten; then the claim is given back (QW-REN-6, 7).
bool SceneWriter::Renewals() {
  const std::size_t session = AnySession();
  const Lane lane = Hold(session);
  Enqueue(Work(session));
  const std::string claim = Claim(session, lane, kLong, kMany);
  if (!random().OneIn(3)) Add(ReleaseSessionExecutionLeaseRequest{}, 'l', {{"completion", lane.label, lane.path}});
  const auto renew = [&](DurationMs ttl, const char* altered) {
    std::vector<Reference> references = {{"claim", claim, ""}};
    if (altered != nullptr) references.push_back({altered, "", ""});
    Add(RenewQueuedWorkClaimRequest{{}, ttl}, 'r', std::move(references));
  };
  List(session);
  renew(2 * kLong, random().OneIn(2) ? "claim.owner" : "claim.fencing_token");
  List(session);
  renew(random().OneIn(2) ? 0 : Short(), nullptr);
  if (random().OneIn(2)) Lapse();
  if (random().OneIn(2)) Claim(session, lane, kLong, kMany);
  Add(AbandonQueuedWorkClaimRequest{}, 'q', {{"claim", claim, ""}});
  List(session);
  return true;
}

// Of two claims one is settled, and not by a completion of another session; or both, and not if one is bad (SC-CMT-8, 11, 16).
bool SceneWriter::TwoClaims() {
  const Lane lane = Hold(0);
  QueuedWorkBatchDraft draft = Work(0);
  draft.slot_policy = SlotPolicy::kExclusive;
  for (int i = 0; i < 2; ++i) Enqueue(draft);
  const std::string first = Claim(0, lane, kLong, 1);
  const std::string second = Claim(0, lane, kLong, 1);
  Commit foreign = NewCommit(lane);
  Settle(foreign, first, "session_id");
  Plan(foreign);
  Commit bad = NewCommit(lane);
  Settle(bad, first);
  Settle(bad, second, random().OneIn(2) ? "lease_token" : "claim_id");
  if (random().OneIn(4)) bad.commit.expected_head_revision = generator_.head_ + 1;
  if (!random().OneIn(3)) Plan(bad);
  Commit good = NewCommit(lane);
  Settle(good, second);
  if (!random().OneIn(3)) Settle(good, first);
  Plan(good);
  List(0);
  return true;
}

// What a dead owner holds: his lane is Busy until it is reclaimed, his batch is hidden until it is claimed (EL-RCL-2, QW-CLM-15).
bool SceneWriter::DeadHolder() {
  const std::size_t session = AnySession();
  auto lanes = HoldOfTheDead(session);
  if (!lanes.has_value()) return false;
  auto& [dead, heir] = *lanes;
  Enqueue(Work(session));
  const std::string claim = Claim(session, dead, kLong, kMany);
  Add(TryClaimSessionExecutionLeaseRequest{Name(session), world().owners[heir.owner], kLong}, 'l');
  Add(ListPendingQueuedWorkRequest{Name(session)}, 'q');
  Add(CancelQueuedWorkBatchRequest{Name(session), ""}, 'q', {{"batch_id", claim, "batches.0.batch_id"}});
  heir.label = Add(ReclaimSessionExecutionLeaseRequest{Name(session), world().owners[heir.owner], {}, world().lane_ttl}, 'l',
                   {{"observed_holder", dead.label, dead.path}});
  Claim(session, heir, kLong, kMany);
  Add(ReclaimSessionExecutionLeaseRequest{Name(session), world().owners[heir.owner], {}, world().lane_ttl}, 'l',
      {{"observed_holder", heir.label, heir.path}});  // his own, once more
  Add(AbandonQueuedWorkClaimRequest{}, 'q', {{"claim", claim, ""}});
  return true;
}

// Calls that are refused or have nothing to do at first sight: limits of 0, no ids, fences never issued, a wrong head.
bool SceneWriter::Edges() {
  const Lane lane = Hold(0);
  const Lane nobody{"", "", lane.owner};
  const auto maybe = [&] { return !random().OneIn(3); };
  if (maybe()) Enqueue(Work(0));
  if (maybe()) Claim(0, random().OneIn(2) ? lane : nobody, kLong, 0);
  if (maybe()) Add(ClaimReadyQueuedWorkByBatchIdsRequest{Name(0), {}, world().owners[lane.owner], {}, kLong, {}}, 'c');
  if (maybe()) ClaimById(0, lane, "");
  for (int i = 0; i < 2; ++i) {
    if (maybe()) ClaimAnyhow(0, nobody);
  }
  if (maybe()) {  // his own
    Add(ReclaimSessionExecutionLeaseRequest{Name(0), world().owners[lane.owner], {}, world().lane_ttl}, 'l',
        {{"observed_holder", lane.label, lane.path}});
  }
  if (maybe()) Add(RenewSessionExecutionLeaseRequest{{}, kLong}, 'l', {{"fence", "", ""}});
  Commit commit = NewCommit(lane);
  commit.commit.expected_head_revision = generator_.head_ + 1;
  if (maybe()) Plan(commit);
  commit.commit.expected_head_revision = generator_.head_;
  if (random().OneIn(2)) commit.commit.turn_commit = RuntimeTurnCommitStamp{"nobody's", random().Pick(world().turns), "hash"};
  if (maybe()) Plan(commit);
  if (random().OneIn(2)) return true;
  Add(ReleaseSessionExecutionLeaseRequest{}, 'l', {{"completion", lane.label, lane.path}});
  const LeaseOwnerIdentity& owner = world().owners[OtherOwner(lane.owner)];
  Add(ReclaimSessionExecutionLeaseRequest{Name(0), owner, {}, world().lane_ttl}, 'l',
      {{"observed_holder", lane.label, lane.path}});  // who is gone
  return true;
}

// A stamped commit is repeated, as it was, without its lane, with another hash; a stamp of another session (SC-CMT-2, 3, 4).
bool SceneWriter::Stamps() {
  const Lane lane = Hold(0);
  Enqueue(Work(0));
  Commit commit = NewCommit(lane);
  Settle(commit, Claim(0, lane, kLong, kMany));
  commit.commit.turn_commit = RuntimeTurnCommitStamp{Name(0), random().Pick(world().turns), "hash"};
  Commit foreign = commit;
  foreign.commit.turn_commit->session_id = "nobody's";
  if (random().OneIn(2)) Plan(foreign);
  Plan(commit);
  Commit again = commit;
  if (random().OneIn(2)) again.references.erase(again.references.begin());
  Plan(again);
  commit.commit.turn_commit->turn_commit_hash = "changed";
  Plan(commit);
  return true;
}

}  // namespace leasecheck::session_store
