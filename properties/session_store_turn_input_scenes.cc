// The scenes of turn inputs.
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "properties/session_store_scenes.h"

namespace leasecheck::session_store {
namespace {

constexpr DurationMs kLong = 60'000;
constexpr uint64_t kMany = 10;

}  // namespace

std::string SceneWriter::EnqueueInput(std::size_t session, TurnInputIngress ingress, std::optional<std::string> key) {
  PendingTurnInputDraft draft;
  draft.session_id = Name(session);
  draft.source_key = std::move(key);
  draft.ingress = std::move(ingress);
  if (random().OneIn(2)) draft.input = generator_.Payload();
  return AddInput(std::move(draft));
}

std::string SceneWriter::AddInput(PendingTurnInputDraft draft) {
  return Add(EnqueuePendingTurnInputRequest{std::move(draft)}, 'i');
}

std::string SceneWriter::ClaimTurn(std::size_t session, const Lane& lane, const std::string& turn, DurationMs ttl,
                                   uint64_t max_inputs, CheckpointKind checkpoint) {
  return Add(ClaimActiveTurnInputsRequest{Name(session), {}, world().owners[lane.owner], turn, checkpoint, ttl, max_inputs}, 'a',
             {{"session_execution_lease", lane.label, lane.path}});
}

std::string SceneWriter::ClaimNext(std::size_t session, const Lane& lane, DurationMs ttl, uint64_t max_inputs) {
  return Add(ClaimNextTurnInputsRequest{Name(session), {}, world().owners[lane.owner], ttl, max_inputs}, 'n',
             {{"session_execution_lease", lane.label, lane.path}});
}

void SceneWriter::AbandonInputs(const std::string& claim, const char* altered) {
  std::vector<Reference> references = {{"claim", claim, ""}};
  if (altered != nullptr) references.push_back({altered, "", ""});
  Add(AbandonTurnInputClaimRequest{}, 'q', std::move(references));
}

void SceneWriter::ListInputs(std::size_t session) { Add(ListPendingTurnInputsRequest{Name(session)}, 'q'); }

TurnInputIngress SceneWriter::ForTurn(const std::string& turn) {
  return ActiveTurnIngress{turn, random().OneIn(2) ? CheckpointKind::kAfterWork : CheckpointKind::kBeforeCompletion};
}

void SceneWriter::Complete(Commit& commit, const std::string& claim, const char* altered) {
  const std::string to = absl::StrCat("commit.completed_turn_input_claims.", commit.commit.completed_turn_input_claims.size());
  commit.commit.completed_turn_input_claims.emplace_back();
  commit.references.push_back({to, claim, ""});
  if (altered != nullptr) commit.references.push_back({absl::StrCat(to, ".", altered), "", ""});
}

void SceneWriter::CompleteOne(Commit& commit, const std::string& claim, std::size_t input) {
  const std::string to = absl::StrCat("commit.completed_turn_input_claims.", commit.commit.completed_turn_input_claims.size());
  commit.commit.completed_turn_input_claims.emplace_back();
  for (const char* field : {"session_id", "claim_id", "lease_token"}) {
    commit.references.push_back({absl::StrCat(to, ".", field), claim, field});
  }
  commit.references.push_back({to + ".input_ids.0", claim, absl::StrCat("inputs.", input, ".input_id")});
}

// Two claims are completed together, not at all if one is bad, and not once more (TI-CMT-8, TI-CMT-9, TI-INV-17).
bool SceneWriter::SettledTogether() {
  const Lane lane = Hold(0);
  const bool for_turn = random().OneIn(3);
  const std::string& turn = random().Pick(world().turns);
  const bool watched = world().sessions.size() > 1;  // the other session, which nothing may change
  if (watched) ListInputs(1);
  std::array<std::string, 2> claims;
  for (int i = 0; i < 2; ++i) EnqueueInput(0, for_turn ? ForTurn(turn) : TurnInputIngress(NextTurnIngress{}));
  for (std::string& claim : claims) claim = for_turn ? ClaimTurn(0, lane, turn, kLong, 1) : ClaimNext(0, lane, kLong, 1);
  const std::size_t bad = random().Below(2);
  Commit commit = NewCommit(lane);
  for (std::size_t i = 0; i < 2; ++i) {
    Complete(commit, claims[i], i == bad ? (random().OneIn(2) ? "lease_token" : "claim_id") : nullptr);
  }
  if (random().OneIn(2)) Settle(commit, "");  // of the queue, which is checked first
  if (random().OneIn(2)) commit.commit.interrupted_turn_input_turn_id = random().Pick(world().turns);
  ListInputs(0);
  Plan(commit);
  ListInputs(0);
  Commit good = NewCommit(lane);
  for (const std::string& claim : claims) Complete(good, claim);
  Plan(good);
  Commit again = NewCommit(lane);
  Complete(again, claims[random().Below(2)]);
  Plan(again);
  if (watched) ListInputs(1);
  return true;
}

// A commit of batches and inputs: the queue's completions are checked first, and either spoils all (TI-CMT-1).
bool SceneWriter::SettledWithQueue() {
  const Lane lane = Hold(0);
  Enqueue(Work(0));
  EnqueueInput(0, NextTurnIngress{});
  const std::string batches = Claim(0, lane, kLong, kMany);
  const std::string inputs = ClaimNext(0, lane, kLong, kMany);
  const bool bad_queue = random().OneIn(2);
  Commit bad = NewCommit(lane);
  Settle(bad, batches, bad_queue ? "lease_token" : nullptr);
  Complete(bad, inputs, bad_queue && random().OneIn(2) ? nullptr : "lease_token");
  Plan(bad);
  if (random().OneIn(2)) ListInputs(0);
  if (random().OneIn(2)) List(0);
  Commit good = NewCommit(lane);
  Settle(good, batches);
  Complete(good, inputs);
  Plan(good);
  return true;
}

// A turn is interrupted: what waited for it and was not claimed waits for the next turn in its old place (TI-CMT-10, 11, 12,
// TI-ACT-10, TI-NXT-10).
bool SceneWriter::Interrupt() {
  const Lane lane = Hold(0);
  const std::size_t first = random().Below(world().turns.size());
  const std::string& turn = world().turns[first];
  const std::string& other = world().turns[(first + 1) % world().turns.size()];
  EnqueueInput(0, ForTurn(turn), random().OneIn(2) ? std::optional<std::string>("k2") : std::nullopt);
  const bool claims = random().OneIn(2);
  const std::string claim = claims ? ClaimTurn(0, lane, turn, kLong, 1) : "";
  EnqueueInput(0, ForTurn(turn));
  EnqueueInput(0, ForTurn(other));
  const bool watched = world().sessions.size() > 1;
  if (watched && random().OneIn(2)) EnqueueInput(1, ForTurn(turn));
  if (watched) ListInputs(1);
  Commit commit = NewCommit(lane);
  commit.commit.interrupted_turn_input_turn_id = turn;
  if (claims && random().OneIn(2)) Complete(commit, claim);
  const bool stamped = !random().OneIn(5);
  if (stamped) commit.commit.turn_commit = RuntimeTurnCommitStamp{Name(0), turn, "hash"};
  Plan(commit);
  EnqueueInput(0, NextTurnIngress{});
  ClaimTurn(0, lane, turn, kLong, kMany);
  if (stamped && random().OneIn(4)) EnqueueInput(0, ForTurn(turn));
  ClaimNext(0, lane, random().OneIn(2) ? 0 : kLong, random().OneIn(2) ? 1 : kMany);
  if (random().OneIn(2)) ListInputs(0);
  Plan(commit);
  if (stamped && !random().OneIn(4)) {
    commit.commit.turn_commit.reset();  // interrupted once more, not replayed
    Plan(commit);
  }
  ListInputs(0);
  if (watched) ListInputs(1);
  return true;
}

// A lapsed claim is taken over input by input; the rest stays with it, and it cannot complete the whole (TI-NXT-7, TI-CMT-7).
bool SceneWriter::Piecemeal() {
  const Lane lane = Hold(0);
  for (int i = 0; i < 2; ++i) EnqueueInput(0, NextTurnIngress{});
  const std::string claim = ClaimNext(0, lane, Short(), kMany);
  Lapse();
  if (random().OneIn(2)) ListInputs(0);
  ClaimNext(0, lane, kLong, 1);
  Commit whole = NewCommit(lane);
  Complete(whole, claim);
  Plan(whole);
  if (random().OneIn(2)) {
    Commit rest = NewCommit(lane);
    CompleteOne(rest, claim, 1);
    Plan(rest);
  }
  AbandonInputs(claim);
  ListInputs(0);
  return true;
}

// A lapsed claim loses an input to a cancel: it can neither complete nor free it (TI-CAN-10).
bool SceneWriter::LostInput() {
  const Lane lane = Hold(0);
  for (std::size_t i = 0; i < 1 + random().Below(2); ++i) EnqueueInput(0, NextTurnIngress{});
  const std::string claim = ClaimNext(0, lane, Short(), kMany);
  Lapse();
  ListInputs(0);
  CancelPendingTurnInputsRequest cancel{Name(0), {InputIdTarget{"nobody's"}, InputIdTarget{"nobody's"}}};
  std::vector<Reference> references = {{absl::StrCat("targets.", random().Below(2)), claim, "inputs.0"}};
  if (random().OneIn(2)) {
    cancel.targets.emplace_back(InputIdTarget{"nobody's"});
    references.push_back({"targets.2", claim, "inputs.1"});
  }
  Add(std::move(cancel), 'q', std::move(references));
  Commit commit = NewCommit(lane);
  Complete(commit, claim);
  Plan(commit);
  AbandonInputs(claim);
  ListInputs(0);
  return true;
}

// An input that a turn accepted: not listed, not cancelled, not claimed again, lapsed or not, until it is given back (TI-CAN-7,
// TI-ACT-9, TI-LST-5, TI-ABN-2).
bool SceneWriter::Accepted() {
  const std::size_t session = AnySession();
  const Lane lane = Hold(session);
  const std::string& turn = random().Pick(world().turns);
  const std::string input = EnqueueInput(session, ForTurn(turn));
  if (random().OneIn(2)) EnqueueInput(session, ForTurn(turn));
  const uint64_t ttl = random().Below(3);
  const std::string claim = ClaimTurn(session, lane, turn, ttl == 0 ? 0 : ttl == 1 ? Short() : kLong, kMany);
  if (ttl == 1) Lapse();
  ClaimTurn(session, lane, turn, kLong, random().OneIn(4) ? 0 : kMany);
  ListInputs(session);
  Add(CancelPendingTurnInputRequest{Name(session), ""}, 'q', {{"input_id", input, "input_id"}});
  static const std::array<const char*, 3> kAltered = {"claim.lease_token", "claim.claim_id", "claim.session_id"};
  AbandonInputs(claim, random().Pick(kAltered));
  AbandonInputs(claim);
  ListInputs(session);
  ClaimTurn(session, lane, turn, ttl == 0 ? kLong : 0, kMany);
  return true;
}

// The life of a key: bound while its input waits, is held and has ended, free after a vacuum, another one elsewhere, and no id
// (TI-ENQ-8 to 13, TI-CAN1-2).
bool SceneWriter::InputKeys() {
  const Lane lane = Hold(0);
  static const std::array<const char*, 3> kKeys = {"k3", "", "k2"};
  PendingTurnInputDraft draft;
  draft.session_id = Name(0);
  draft.source_key = random().Pick(kKeys);
  draft.input = generator_.Payload();
  const std::string first = AddInput(draft);
  const std::string claim = ClaimNext(0, lane, random().OneIn(3) ? 0 : kLong, kMany);
  PendingTurnInputDraft again = draft;
  if (random().OneIn(2)) again.input_id = random().Pick(world().input_ids);
  AddInput(again);
  if (!random().OneIn(3)) {
    PendingTurnInputDraft elsewhere = draft;
    elsewhere.session_id = Elsewhere();
    AddInput(std::move(elsewhere));
  }
  Add(CancelPendingTurnInputRequest{Name(0), *draft.source_key}, 'q');
  if (random().OneIn(2)) {
    Commit commit = NewCommit(lane);
    Complete(commit, claim);
    Plan(commit);
  } else {
    AbandonInputs(claim);
    if (random().OneIn(2)) {
      Add(CancelPendingTurnInputsRequest{Name(0), {SourceKeyTarget{*draft.source_key}}}, 'q');
    } else {
      Add(CancelPendingTurnInputRequest{Name(0), ""}, 'q', {{"input_id", first, "input_id"}});
    }
  }
  again.input_id = random().OneIn(2) ? std::optional<std::string>(random().Pick(world().input_ids)) : std::nullopt;
  AddInput(again);
  PendingTurnInputDraft changed = draft;
  changed.input.trace_turn_id = "changed";
  AddInput(std::move(changed));
  Add(VacuumRequest{}, 'q');
  AddInput(random().OneIn(2) ? draft : again);
  return true;
}

// A claim outlives its lane and is completed under another owner's (TI-CMT-13, TI-CMT-14).
bool SceneWriter::CompletedUnderAnotherLane() {
  const Lane lane = Hold(0);
  const bool for_turn = random().OneIn(2);
  const std::string& turn = random().Pick(world().turns);
  EnqueueInput(0, for_turn ? ForTurn(turn) : TurnInputIngress(NextTurnIngress{}));
  const std::string claim = for_turn ? ClaimTurn(0, lane, turn, kLong, kMany) : ClaimNext(0, lane, kLong, kMany);
  const Lane next = HoldNext(0, lane);
  if (random().OneIn(2)) {  // under the lane that ended
    for_turn ? ClaimTurn(0, lane, turn, kLong, kMany) : ClaimNext(0, lane, kLong, kMany);
  }
  Commit commit = NewCommit(next);
  Complete(commit, claim);
  Plan(commit);
  return true;
}

// A suffix with claimed, cancelled and waiting inputs in it and one in front, twice (TI-SFX-5 to 8).
bool SceneWriter::Suffix() {
  const std::size_t session = AnySession();
  const Lane lane = Hold(session);
  const std::string& turn = random().Pick(world().turns);
  if (random().OneIn(2)) EnqueueInput(session, NextTurnIngress{});
  const std::string anchor = EnqueueInput(session, ForTurn(turn));
  EnqueueInput(session, NextTurnIngress{});
  if (random().OneIn(2)) EnqueueInput(session, ForTurn(turn));
  if (random().OneIn(2)) {
    ClaimTurn(session, lane, turn, kLong, 1);
  } else {
    ClaimNext(session, lane, kLong, 1);
  }
  const PendingTurnInputCancelTarget unknown = InputIdTarget{"nobody's"};
  if (random().OneIn(2)) Add(CancelPendingTurnInputSuffixRequest{Name(session), unknown}, 'q');
  for (int i = 0; i < 2; ++i) {
    Add(CancelPendingTurnInputSuffixRequest{Name(session), unknown}, 'q', {{"anchor", anchor, ""}});
    if (i == 0) EnqueueInput(session, random().OneIn(2) ? ForTurn(turn) : TurnInputIngress(NextTurnIngress{}));
  }
  ListInputs(session);
  return true;
}

// What a dead owner holds is hidden until it lapses, but another may claim it (TI-LST-8, TI-NXT-2).
bool SceneWriter::DeadHolderOfInputs() {
  const std::size_t session = AnySession();
  auto lanes = HoldOfTheDead(session);
  if (!lanes.has_value()) return false;
  auto& [dead, heir] = *lanes;
  EnqueueInput(session, NextTurnIngress{});
  const std::string claim = ClaimNext(session, dead, kLong, kMany);
  ListInputs(session);
  if (random().OneIn(2)) {
    Add(TryClaimSessionExecutionLeaseRequest{Name(session), world().owners[heir.owner], kLong}, 'l');
  }
  Add(CancelPendingTurnInputRequest{Name(session), ""}, 'q', {{"input_id", claim, "inputs.0.input_id"}});
  heir.label = Add(ReclaimSessionExecutionLeaseRequest{Name(session), world().owners[heir.owner], {}, world().lane_ttl}, 'l',
                   {{"observed_holder", dead.label, dead.path}});
  ClaimNext(session, heir, kLong, kMany);
  if (random().OneIn(2)) AbandonInputs(claim);
  return true;
}

// As Edges(): limits of 0, fences never issued and none at all, targets named twice, unknown ones, one by one.
bool SceneWriter::EdgesOfInputs() {
  const Lane lane = Hold(0);
  const Lane nobody{"", "", lane.owner};
  const std::string& turn = random().Pick(world().turns);
  const auto maybe = [&] { return !random().OneIn(3); };
  const std::string first = EnqueueInput(0, NextTurnIngress{});
  const std::string second = EnqueueInput(0, ForTurn(turn));
  if (maybe()) ClaimTurn(0, random().OneIn(2) ? lane : nobody, turn, kLong, 0);
  if (maybe()) ClaimNext(0, random().OneIn(2) ? lane : nobody, kLong, 0);
  if (maybe()) ClaimTurn(0, nobody, turn, kLong, kMany);
  if (maybe()) {  // an id that is taken
    PendingTurnInputDraft taken;
    taken.session_id = Name(0);
    Add(EnqueuePendingTurnInputRequest{std::move(taken)}, 'i', {{"input.input_id", first, "input_id"}});
  }
  if (maybe()) {  // nothing to defer
    Commit interrupt = NewCommit(lane);
    interrupt.commit.interrupted_turn_input_turn_id = "nobody's";
    Plan(interrupt);
  }
  const PendingTurnInputCancelTarget unknown = InputIdTarget{"nobody's"};
  if (maybe()) Add(CancelPendingTurnInputSuffixRequest{Name(0), unknown}, 'q');
  if (random().OneIn(3)) Add(CancelPendingTurnInputRequest{Name(0), ""}, 'q', {{"input_id", second, "input_id"}});
  const bool first_twice = random().OneIn(2);
  const std::string& twice = first_twice ? first : second;
  if (maybe()) {
    const std::string again = absl::StrCat("targets.", random().OneIn(2) ? 1 : 3);
    Add(CancelPendingTurnInputsRequest{Name(0), {unknown, unknown, unknown, unknown}}, 'q',
        {{"targets.0", twice, ""}, {again, twice, ""}, {"targets.2", first_twice ? second : first, ""}});
  }
  if (random().OneIn(2)) {
    EnqueueInput(0, NextTurnIngress{});
    Commit unfenced = NewCommit(lane);
    unfenced.references.clear();
    Complete(unfenced, ClaimNext(0, lane, kLong, kMany));
    Plan(unfenced);
  }
  return true;
}

}  // namespace leasecheck::session_store
