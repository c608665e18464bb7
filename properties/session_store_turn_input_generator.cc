// The generator's part about turn inputs: their commands, what it learns from answers, and how the epilogue settles them.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "properties/session_store_calls.h"
#include "properties/session_store_generator.h"

namespace leasecheck::session_store {
namespace {

using engine::Action;
using engine::CallRecord;
using engine::Command;
using engine::Reference;

constexpr std::size_t kInputsKept = 24;
constexpr std::size_t kClaimsKept = 16;
// 1 and a few split claims, 0 and the largest number are edges (TI-LAT-2, TI-LAT-10).
constexpr std::array<uint64_t, 8> kMaxima = {1, 1, 2, 3, 3, 10, 0, std::numeric_limits<uint64_t>::max()};

template <class Request>
Command<F> CommandOf(Request request, std::string label = "") {
  Command<F> command;
  command.label = std::move(label);
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

template <class Container>
void KeepNewest(Container& container, std::size_t kept) {
  if (container.size() > kept) container.erase(container.begin(), container.end() - static_cast<std::ptrdiff_t>(kept));
}

// One of two lists' elements, the newer ones preferred; null where both are empty.
template <class T>
const T* AnyOf(engine::Random& random, const std::vector<T>& known, const std::vector<T>* own) {
  if (own != nullptr && !own->empty() && (known.empty() || random.OneIn(2))) return &random.Pick(*own);
  if (known.empty()) return nullptr;
  if (random.Percent(50)) return &known[known.size() - 1 - random.Below(std::min<std::size_t>(known.size(), 4))];
  return &random.Pick(known);
}

}  // namespace

const InputHandle* SessionStoreGenerator::AnyInput() {
  return AnyOf(random_, known_.inputs, branch_ < 0 ? nullptr : &branches_[branch_].inputs);
}
const InputClaimHandle* SessionStoreGenerator::AnyInputClaim() {
  return AnyOf(random_, known_.input_claims, branch_ < 0 ? nullptr : &branches_[branch_].input_claims);
}

// Mostly a turn that an input of this session waits for.
std::string SessionStoreGenerator::AnyTurn() {
  for (auto input = known_.inputs.rbegin(); input != known_.inputs.rend(); ++input) {
    if (input->session == session_ && !input->over && input->turn.has_value() && random_.OneIn(2)) return *input->turn;
  }
  return world_.turns[random_.OneIn(3) ? random_.Below(world_.turns.size()) : 0];
}

// enqueue

TurnInputIngress SessionStoreGenerator::Ingress() {
  if (random_.Percent(45)) return NextTurnIngress{};
  const CheckpointKind boundary = random_.Percent(65) ? CheckpointKind::kAfterWork : CheckpointKind::kBeforeCompletion;
  return ActiveTurnIngress{world_.turns[random_.OneIn(3) ? random_.Below(world_.turns.size()) : 0], boundary};
}

// Few texts, so that equal content under one key and different content under it are both common. The rest are shapes that an
// implementation may mangle: no items at all, "a" and "b" against "ab", blobs, options.
TurnInput SessionStoreGenerator::Payload() {
  TurnInput input;
  switch (random_.Below(12)) {
    case 0:
      input.items = {TextItem{"a"}, TextItem{"b"}};
      break;
    case 1:
      input.items = {TextItem{"ab"}};
      break;
    case 2:
      input.items = {TextItem{"\xC3\xA9\"\\"}, ImageRefItem{"p"}};
      input.image_blobs.text = R"({"p":[0,127,255]})";
      break;
    case 3:
      input.protocol_turn_options = ProtocolTurnOptions{1, {R"({"n":1})"}};
      input.trace_turn_id = "trace";
      break;
    case 4:
      break;
    default:
      input.items = {TextItem{random_.Percent(80) ? "hi" : "ho"}};
      break;
  }
  return input;
}

PendingTurnInputDraft SessionStoreGenerator::InputDraft() {
  if (!keyed_drafts_.empty() && random_.OneIn(4)) {
    // Once more, mostly as it was: a replay; else with other content: a conflict.
    PendingTurnInputDraft draft = random_.Pick(keyed_drafts_);
    const uint64_t changed = random_.Below(8);
    if (changed == 0) draft.ingress = Ingress();
    if (changed == 1) draft.ingress = NextTurnIngress{};  // what an interrupt makes of it (TI-LAT-4)
    if (changed == 2) draft.input = Payload();
    if (changed == 3 || changed == 4) draft.session_id = random_.Pick(world_.sessions);
    if (random_.OneIn(6)) draft.input_id = random_.Pick(world_.input_ids);
    return draft;
  }
  PendingTurnInputDraft draft;
  draft.session_id = world_.sessions[AnySession()];
  if (random_.Percent(45)) draft.source_key = random_.Pick(world_.keys);
  if (random_.OneIn(10)) draft.input_id = random_.Pick(world_.input_ids);
  draft.ingress = Ingress();
  draft.input = Payload();
  if (draft.source_key.has_value()) {
    keyed_drafts_.push_back(draft);
    KeepNewest(keyed_drafts_, 8);
  }
  return draft;
}

Command<F> SessionStoreGenerator::EnqueueInput() {
  const PendingTurnInputDraft draft = InputDraft();
  Command command = CommandOf(EnqueuePendingTurnInputRequest{draft}, NewLabel('i'));
  // The id of another input, of any session, which the store may have made itself (TI-LAT-3).
  if (random_.OneIn(12)) {
    const InputHandle* input = AnyInput();
    if (input != nullptr) command.references.push_back({"input.input_id", input->label, "input_id"});
  }
  if (branch_ >= 0) {
    InputHandle handle;
    handle.label = command.label;
    handle.key = draft.source_key;
    handle.session = SessionIndex(draft.session_id);
    branches_[branch_].inputs.push_back(std::move(handle));
  }
  return command;
}

Command<F> SessionStoreGenerator::ListInputs() {
  return CommandOf(ListPendingTurnInputsRequest{random_.OneIn(20) ? "nobody's" : world_.sessions[AnySession()]});
}

// cancel

void SessionStoreGenerator::AddTarget(CancelPendingTurnInputsRequest& request, Command& command, const InputHandle* input) {
  const std::string to = absl::StrCat("targets.", request.targets.size());
  const bool by_key = input == nullptr ? random_.OneIn(3) : input->key.has_value() && random_.OneIn(3);
  if (by_key) {
    request.targets.push_back(SourceKeyTarget{input != nullptr ? *input->key : random_.Pick(world_.keys).value_or("nobody's")});
    return;
  }
  request.targets.push_back(InputIdTarget{"nobody's"});
  if (input != nullptr) command.references.push_back({to, input->label, ""});
}

Command<F> SessionStoreGenerator::CancelInputs() {
  Command command;
  CancelPendingTurnInputsRequest request;
  const std::size_t targets = random_.OneIn(15) ? 0 : 1 + random_.Below(4);
  std::size_t session = AnySession();
  const InputHandle* input = nullptr;
  for (std::size_t i = 0; i < targets; ++i) {
    // The one before, once more: by its id, or by its key.
    if (input == nullptr || !random_.OneIn(4)) input = random_.OneIn(8) ? nullptr : AnyInput();
    if (i == 0 && input != nullptr && !random_.OneIn(12)) session = input->session;
    AddTarget(request, command, input);
  }
  request.session_id = world_.sessions[session];
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::CancelInput() {
  const InputHandle* input = AnyInput();
  CancelPendingTurnInputRequest request;
  request.session_id = world_.sessions[input == nullptr || random_.OneIn(10) ? AnySession() : input->session];
  const uint64_t way = random_.Below(12);
  request.input_id = way == 0 ? random_.Pick(world_.keys).value_or("") : random_.Pick(world_.input_ids);  // a key is no id
  Command command = CommandOf(std::move(request));
  if (way > 1) command.references.push_back({"input_id", input == nullptr ? "" : input->label, "input_id"});
  return command;
}

Command<F> SessionStoreGenerator::CancelSuffix() {
  const InputHandle* input = random_.OneIn(10) ? nullptr : AnyInput();
  CancelPendingTurnInputSuffixRequest request;
  request.session_id = world_.sessions[input == nullptr || random_.OneIn(10) ? AnySession() : input->session];
  if (input != nullptr && input->key.has_value() && random_.OneIn(2)) {
    request.anchor = SourceKeyTarget{*input->key};
    return CommandOf(std::move(request));
  }
  request.anchor = random_.OneIn(2) ? PendingTurnInputCancelTarget(SourceKeyTarget{random_.Pick(world_.keys).value_or("")})
                                    : PendingTurnInputCancelTarget(InputIdTarget{"nobody's"});
  Command command = CommandOf(std::move(request));
  if (input != nullptr) command.references.push_back({"anchor", input->label, ""});
  return command;
}

// claim, abandon

Command<F> SessionStoreGenerator::ClaimActive() {
  Command command;
  command.label = NewLabel('a');
  ClaimActiveTurnInputsRequest request;
  const std::size_t session = AnySession();
  request.session_id = world_.sessions[session];
  request.owner = AddFence(command, "session_execution_lease", session);
  request.turn_id = AnyTurn();
  request.checkpoint = random_.OneIn(2) ? CheckpointKind::kAfterWork : CheckpointKind::kBeforeCompletion;
  request.lease_ttl_ms = Ttl();
  request.max_inputs = random_.Pick(kMaxima);
  if (branch_ >= 0) branches_[branch_].input_claims.push_back({command.label, session, 0, false});
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::ClaimNext() {
  Command command;
  command.label = NewLabel('n');
  ClaimNextTurnInputsRequest request;
  const std::size_t session = AnySession();
  request.session_id = world_.sessions[session];
  request.owner = AddFence(command, "session_execution_lease", session);
  request.lease_ttl_ms = Ttl();
  request.max_inputs = random_.Pick(kMaxima);
  if (branch_ >= 0) branches_[branch_].input_claims.push_back({command.label, session, 0, false});
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> SessionStoreGenerator::AbandonInputs() {
  Command command;
  AbandonTurnInputClaimRequest request;
  const InputClaimHandle* claim = AnyInputClaim();
  command.references.push_back({"claim", claim == nullptr ? "" : claim->label, ""});
  const uint64_t altered = random_.Below(16);
  if (altered == 0) command.references.push_back({"claim.lease_token", "", ""});
  if (altered == 1) command.references.push_back({"claim.claim_id", "", ""});
  if (altered == 2) command.references.push_back({"claim.session_id", "", ""});
  if (altered == 3) command.references.push_back({"claim.inputs", "", ""});  // ownership is by token, not by the value's list
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

// commit

void SessionStoreGenerator::AddInputCompletion(RuntimeCommit& commit, Command& command) {
  const InputClaimHandle* claim = nullptr;
  const auto listed = [&] {
    return std::any_of(command.references.begin(), command.references.end(),
                       [&](const Reference& r) { return r.label == claim->label; });
  };
  // Mostly a claim that can still be completed, from the session that commits, and not twice.
  for (int tries = 0; tries < 6; ++tries) {
    claim = AnyInputClaim();
    if (claim == nullptr || (!claim->over && claim->session == 0 && !listed())) break;
  }
  if (claim == nullptr && !random_.OneIn(4)) return;
  if (claim != nullptr && listed() && !random_.OneIn(4)) return;
  const std::string to = absl::StrCat("commit.completed_turn_input_claims.", commit.completed_turn_input_claims.size());
  commit.completed_turn_input_claims.emplace_back();
  const std::string label = claim == nullptr ? "" : claim->label;
  const std::size_t inputs = claim == nullptr ? 0 : claim->inputs;
  const uint64_t way = random_.Below(20);
  if (way == 0 || (way <= 2 && inputs > 1)) {  // nothing of the claim, or a part
    for (const char* field : {"session_id", "claim_id", "lease_token"}) {
      command.references.push_back({absl::StrCat(to, ".", field), label, field});
    }
    const std::string one = absl::StrCat("inputs.", inputs == 0 ? 0 : random_.Below(inputs), ".input_id");
    if (way > 0) command.references.push_back({to + ".input_ids.0", label, one});
    return;
  }
  command.references.push_back({to, label, ""});
  if (way == 3) command.references.push_back({to + ".lease_token", "", ""});
  if (way == 4) command.references.push_back({to + ".claim_id", "", ""});
  if (way == 5) command.references.push_back({to + ".session_id", "", ""});
  const std::string behind = absl::StrCat(to, ".input_ids.", inputs);
  if (way == 6 && inputs > 0) command.references.push_back({behind, label, "inputs.0.input_id"});  // a duplicate
  if (way == 7 && inputs > 0) {                                                                    // another one's, or unknown
    const InputHandle* input = AnyInput();
    command.references.push_back({behind, input == nullptr ? "" : input->label, "input_id"});
  }
  if (way == 8) {  // twice
    command.references.push_back(
        {absl::StrCat("commit.completed_turn_input_claims.", commit.completed_turn_input_claims.size()), label, ""});
    commit.completed_turn_input_claims.emplace_back();
  }
}

void SessionStoreGenerator::AddInputs(RuntimeCommit& commit, Command& command) {
  const std::size_t completions = random_.Below(4) * random_.Below(2) + random_.Below(2);
  for (std::size_t i = 0; i < completions; ++i) AddInputCompletion(commit, command);
  if (random_.OneIn(4)) commit.interrupted_turn_input_turn_id = AnyTurn();
}

// Plans.

// More rows in front than any scan window has, which the claim passes over: what is behind must still be found (TI-LAT-9). Chance
// alone never makes a session so deep.
void SessionStoreGenerator::PlanDeepInputs() {
  constexpr int kDepth = 36;
  constexpr DurationMs kLong = 10'000'000;
  const std::string session = world_.sessions[0];
  const LeaseOwnerIdentity owner = world_.owners[0];
  const bool for_turn = random_.OneIn(2);
  const auto plan = [&](Command command) -> Command& { return planned_.emplace_back(std::move(command)); };
  const auto enqueue = [&](TurnInputIngress ingress) {
    PendingTurnInputDraft draft;
    draft.session_id = session;
    draft.ingress = std::move(ingress);
    plan(CommandOf(EnqueuePendingTurnInputRequest{std::move(draft)}, NewLabel('i')));
  };
  const std::string lane = plan(CommandOf(TryClaimSessionExecutionLeaseRequest{session, owner, kLong}, NewLabel('l'))).label;
  const auto claim = [&](uint64_t max) {
    Command command = for_turn ? CommandOf(ClaimActiveTurnInputsRequest{session, {}, owner, "t1", {}, kLong, max}, NewLabel('a'))
                               : CommandOf(ClaimNextTurnInputsRequest{session, {}, owner, kLong, max}, NewLabel('n'));
    plan(std::move(command)).references.push_back({"session_execution_lease", lane, "Acquired"});
  };
  const TurnInputIngress wanted = for_turn ? TurnInputIngress(ActiveTurnIngress{"t1", {}}) : TurnInputIngress(NextTurnIngress{});
  for (int i = 0; i < kDepth; ++i) enqueue(for_turn ? TurnInputIngress(ActiveTurnIngress{"t2", {}}) : wanted);
  if (!for_turn) claim(kDepth);
  enqueue(wanted);
  enqueue(wanted);
  claim(1);
}

Command<F> SessionStoreGenerator::AbandonOf(const std::string& claim) {
  Command command = CommandOf(AbandonTurnInputClaimRequest{});
  command.references.push_back({"claim", claim, ""});
  return command;
}

Command<F> SessionStoreGenerator::CompletionOf(const std::string& claim) {
  Command command = CommandOf(CommitRuntimeStateRequest{}, NewLabel('m'));
  auto& commit = std::get<CommitRuntimeStateRequest>(std::get<0>(command.action)).commit;
  commit.session_id = world_.sessions[0];
  commit.completed_turn_input_claims.emplace_back();
  if (const LaneHandle* lane = NewestLane(0)) {
    command.references.push_back({"commit.session_execution_lease", lane->label, lane->path});
  }
  command.references.push_back({"commit.completed_turn_input_claims.0", claim, ""});
  return command;
}

// One client interrupts a turn, the other looks whether the commit is there and then what waits: all of the commit, or nothing.
void SessionStoreGenerator::PlanWatchedInterrupt() {
  session_ = 0;
  Command commit = CompletionOf("");
  auto& body = std::get<CommitRuntimeStateRequest>(std::get<0>(commit.action)).commit;
  body.completed_turn_input_claims.clear();
  body.interrupted_turn_input_turn_id = AnyTurn();
  commit.references.pop_back();
  branch_plans_[1].push_back(std::move(commit));
  branch_plans_[0].push_back(CommandOf(LoadSessionRequest{}));
  branch_plans_[0].push_back(random_.OneIn(3) ? ClaimNext() : CommandOf(ListPendingTurnInputsRequest{world_.sessions[0]}));
}

// Two clients of a phase want the same claimed inputs: one to complete or give back its claim, maybe as its turn is interrupted,
// the other to claim or cancel them, or to see what the first one did.
void SessionStoreGenerator::PlanContest() {
  if (random_.OneIn(3)) return PlanWatchedInterrupt();
  const auto& claims = known_.input_claims;
  const auto found = std::find_if(claims.rbegin(), claims.rend(), [](const InputClaimHandle& claim) { return !claim.over; });
  if (found == claims.rend()) return;
  session_ = found->session;
  const std::string& session = world_.sessions[found->session];
  if (found->session == 0 && random_.Percent(60)) {
    Command commit = CompletionOf(found->label);
    if (random_.Percent(60)) {
      std::get<CommitRuntimeStateRequest>(std::get<0>(commit.action)).commit.interrupted_turn_input_turn_id = AnyTurn();
    }
    branch_plans_[1].push_back(std::move(commit));
  } else {
    branch_plans_[1].push_back(AbandonOf(found->label));
  }
  Command cancel = CommandOf(CancelPendingTurnInputsRequest{session, {InputIdTarget{"nobody's"}, InputIdTarget{"nobody's"}}});
  cancel.references.push_back({"targets.0", found->label, "inputs.0"});
  cancel.references.push_back({"targets.1", found->label, "inputs.1"});
  for (std::size_t i = 0; i < 1 + random_.Below(2); ++i) {
    const uint64_t way = random_.Below(4);
    if (way == 0) branch_plans_[0].push_back(CommandOf(ListPendingTurnInputsRequest{session}));
    if (way == 1) branch_plans_[0].push_back(cancel);
    if (way == 2) branch_plans_[0].push_back(ClaimNext());
    if (way == 3) branch_plans_[0].push_back(ClaimActive());
  }
  if (random_.OneIn(2)) branch_plans_[0].push_back(CommandOf(ListPendingTurnInputsRequest{session}));
}

// A list, and at once a cancel of what is known: the two must agree (TI-INV-14).
void SessionStoreGenerator::PlanListAndCancel() {
  const std::size_t session = AnySession();
  planned_.push_back(CommandOf(ListPendingTurnInputsRequest{world_.sessions[session]}));
  Command command;
  CancelPendingTurnInputsRequest request;
  request.session_id = world_.sessions[session];
  for (const InputHandle& input : known_.inputs) {
    if (input.session != session || request.targets.size() == 6 || random_.OneIn(2)) continue;
    command.references.push_back({absl::StrCat("targets.", request.targets.size()), input.label, ""});
    request.targets.push_back(InputIdTarget{"nobody's"});
  }
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  planned_.push_back(std::move(command));
}

// As PlanProbe.
void SessionStoreGenerator::PlanInputProbe(const State& state, EpochMs now) {
  DrawSession();
  if (random_.OneIn(3)) return PlanListAndCancel();
  const ListPendingTurnInputsRequest observe{world_.sessions[AnySession()]};
  planned_.push_back(CommandOf(observe));
  if (random_.OneIn(2)) {
    planned_.push_back(random_.OneIn(3) ? Commit() : NextAlone(state, now));
    planned_.push_back(CommandOf(observe));
    return;
  }
  Command command;
  switch (random_.Below(5)) {
    case 0:
      command = EnqueueInput();
      std::get<EnqueuePendingTurnInputRequest>(std::get<0>(command.action)).input.source_key = "k";
      break;
    case 1:
      command = AbandonInputs();
      break;
    case 2:
      command = CancelInputs();
      break;
    case 3:
      command = CancelSuffix();
      break;
    default: {
      command = Commit();
      auto& commit = std::get<CommitRuntimeStateRequest>(std::get<0>(command.action)).commit;
      commit.interrupted_turn_input_turn_id = AnyTurn();
      if (!commit.turn_commit.has_value()) AddStamp(commit);
      break;
    }
  }
  command.loss = engine::Loss::kNone;
  planned_.push_back(command);
  planned_.push_back(CommandOf(observe));
  if (!command.label.empty()) command.label = NewLabel(command.label[0]);
  planned_.push_back(std::move(command));
  planned_.push_back(CommandOf(observe));
}

// Observing.

void SessionStoreGenerator::ObserveInput(const CallRecord<F>& record, const PendingTurnInput& input) {
  for (const InputHandle& known : known_.inputs) {
    if (known.id == input.input_id) return;
  }
  InputHandle handle{record.label, input.input_id, input.source_key, SessionIndex(input.session_id), std::nullopt, false, ""};
  if (const auto* turn = std::get_if<ActiveTurnIngress>(&input.ingress)) handle.turn = turn->turn_id;
  known_.inputs.push_back(std::move(handle));
  if (known_.inputs.size() <= kInputsKept) return;
  // Tombstones go first, but a few are kept to be met.
  const auto over = std::find_if(known_.inputs.begin(), known_.inputs.end(), [](const InputHandle& h) { return h.over; });
  known_.inputs.erase(over != known_.inputs.end() ? over : known_.inputs.begin());
}

void SessionStoreGenerator::ObserveInputClaim(const CallRecord<F>& record, const TurnInputClaim& claim) {
  known_.input_claims.push_back({record.label, SessionIndex(claim.session_id), claim.inputs.size(), false, claim.claim_id});
  KeepNewest(known_.input_claims, kClaimsKept);
  for (InputHandle& input : known_.inputs) {
    for (const PendingTurnInput& granted : claim.inputs) {
      if (input.id == granted.input_id) input.claim = record.label;
    }
  }
}

// A lapsed claim that lost an input is what to try next: it can neither complete nor free it (TI-CAN-10).
void SessionStoreGenerator::ObserveCancelled(const PendingTurnInputCancelOutcome& outcome) {
  const auto* cancelled = std::get_if<TurnInputCancelled>(&outcome);
  if (cancelled == nullptr) return;
  for (InputHandle& input : known_.inputs) {
    if (input.id != cancelled->input.input_id) continue;
    input.over = true;
    if (input.claim.empty() || epilogue_begun_ || !planned_.empty()) continue;
    Command abandon = CommandOf(AbandonTurnInputClaimRequest{});
    abandon.references.push_back({"claim", input.claim, ""});
    Command commit = CommandOf(CommitRuntimeStateRequest{}, NewLabel('m'));
    auto& body = std::get<CommitRuntimeStateRequest>(std::get<0>(commit.action)).commit;
    body.session_id = world_.sessions[0];
    body.completed_turn_input_claims.emplace_back();
    AddFence(commit, "commit.session_execution_lease", 0);
    commit.references.push_back({"commit.completed_turn_input_claims.0", input.claim, ""});
    planned_.push_back(random_.OneIn(2) ? std::move(commit) : std::move(abandon));
  }
}

void SessionStoreGenerator::ObserveInputs(const CallRecord<F>& record) {
  if (const auto* input = AnswerOf<EnqueuePendingTurnInputRequest>(record)) ObserveInput(record, *input);
  for (const auto* claim : {AnswerOf<ClaimActiveTurnInputsRequest>(record), AnswerOf<ClaimNextTurnInputsRequest>(record)}) {
    if (claim == nullptr || !claim->has_value()) continue;
    ObserveInputClaim(record, **claim);
    if (!input_drains_.empty() && input_drains_.front().claim == record.label) input_drains_.front().granted = true;
  }
  if (const auto* results = AnswerOf<CancelPendingTurnInputsRequest>(record)) {
    for (const PendingTurnInputCancelResult& result : *results) ObserveCancelled(result.outcome);
  }
  if (const auto* outcome = AnswerOf<CancelPendingTurnInputRequest>(record)) ObserveCancelled(*outcome);
  if (const auto* suffix = AnswerOf<CancelPendingTurnInputSuffixRequest>(record)) {
    const auto* outcomes = std::get_if<SuffixOutcomes>(suffix);
    for (std::size_t i = 0; outcomes != nullptr && i < outcomes->outcomes.size(); ++i) ObserveCancelled(outcomes->outcomes[i]);
  }
  if (!Succeeded(record)) return;
  if (const auto* abandon = CallOf<AbandonTurnInputClaimRequest>(record)) EndInputClaim(abandon->claim.claim_id);
  if (const auto* commit = CallOf<CommitRuntimeStateRequest>(record)) ObserveInputsSettled(commit->commit);
}

void SessionStoreGenerator::EndInputClaim(const std::string& claim_id) {
  for (InputClaimHandle& claim : known_.input_claims) claim.over |= claim.id == claim_id;
}

void SessionStoreGenerator::ObserveInputsSettled(const RuntimeCommit& commit) {
  for (const TurnInputCompletion& completion : commit.completed_turn_input_claims) {
    EndInputClaim(completion.claim_id);
    for (InputHandle& input : known_.inputs) {
      const auto& ids = completion.input_ids;
      input.over |= std::find(ids.begin(), ids.end(), input.id) != ids.end();
    }
  }
  const auto& turn_id = commit.interrupted_turn_input_turn_id;
  if (turn_id.has_value() && !epilogue_begun_ && planned_.empty() && random_.OneIn(2)) PlanAfterInterrupt(*turn_id);
}

// What was deferred is enqueued once more, as it was submitted or as it is now (TI-LAT-4), and claimed before what came later
// (TI-NXT-10).
void SessionStoreGenerator::PlanAfterInterrupt(const std::string& turn_id) {
  for (const PendingTurnInputDraft& draft : keyed_drafts_) {
    const auto* turn = std::get_if<ActiveTurnIngress>(&draft.ingress);
    if (turn == nullptr || turn->turn_id != turn_id || draft.session_id != world_.sessions[0]) continue;
    PendingTurnInputDraft again = draft;
    if (random_.OneIn(3)) again.ingress = NextTurnIngress{};
    planned_.push_back(CommandOf(EnqueuePendingTurnInputRequest{std::move(again)}, NewLabel('i')));
    break;
  }
  session_ = 0;
  PendingTurnInputDraft later;
  later.session_id = world_.sessions[0];
  later.input = Payload();
  planned_.push_back(CommandOf(EnqueuePendingTurnInputRequest{std::move(later)}, NewLabel('i')));
  planned_.push_back(ClaimNext());
}

// Claims for the next turn, then for each turn, until neither gives anything, completing each grant (the session that commits) or
// giving it back (the others); then cancels what is left, vacuums, and looks once more.
std::optional<Command<F>> SessionStoreGenerator::DrainInputs(InputDrain& drain) {
  constexpr int kMaxRounds = 8;
  constexpr DurationMs kTtl = 60000;
  const std::string& session = world_.sessions[drain.session];
  const std::string lane = drain.session < drain_lanes_.size() ? drain_lanes_[drain.session] : "";
  if (drain.granted) {
    drain.granted = false;
    if (drain.session > 0) {
      Command command = CommandOf(AbandonTurnInputClaimRequest{});
      command.references.push_back({"claim", drain.claim, ""});
      return command;  // claiming it again would give it again
    }
    Command command = CommandOf(CommitRuntimeStateRequest{});
    auto& commit = std::get<CommitRuntimeStateRequest>(std::get<0>(command.action)).commit;
    commit.session_id = session;
    commit.completed_turn_input_claims.emplace_back();
    command.references.push_back({"commit.session_execution_lease", lane, "Acquired"});
    command.references.push_back({"commit.completed_turn_input_claims.0", drain.claim, ""});
    drain.claim.clear();
    return command;
  }
  // A claim that was not completed leads to the next turn.
  if (!drain.claim.empty() && drain.step == 1) ++drain.turn;
  if (drain.turn <= world_.turns.size() && ++drain.rounds <= kMaxRounds) {
    drain.step = 1;
    drain.claim = NewLabel('n');
    const LeaseOwnerIdentity owner{"drain", "drain", OpaqueOwner{}};
    Command command =
        drain.turn == 0 ? CommandOf(ClaimNextTurnInputsRequest{session, {}, owner, kTtl, 10}, drain.claim)
                        : CommandOf(
                              ClaimActiveTurnInputsRequest{
                                  session, {}, owner, world_.turns[drain.turn - 1], CheckpointKind::kBeforeCompletion, kTtl, 10},
                              drain.claim);
    command.references.push_back({"session_execution_lease", lane, "Acquired"});
    return command;
  }
  drain.turn = world_.turns.size() + 1;
  switch (++drain.step) {
    case 2:
      return CommandOf(ListPendingTurnInputsRequest{session});
    case 3: {
      Command command;
      CancelPendingTurnInputsRequest request;
      request.session_id = session;
      for (const InputHandle& input : known_.inputs) {
        if (input.session != drain.session) continue;
        command.references.push_back({absl::StrCat("targets.", request.targets.size()), input.label, ""});
        request.targets.push_back(InputIdTarget{"nobody's"});
      }
      command.action = Action<F>(RequestOf<F>(std::move(request)));
      return command;
    }
    case 4:
    case 5:
      return CommandOf(VacuumRequest{});
    case 6:
      return CommandOf(ListPendingTurnInputsRequest{session});
    default:
      return std::nullopt;
  }
}

}  // namespace leasecheck::session_store
