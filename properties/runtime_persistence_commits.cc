// The commits of a generated program: what they do to each part of the state, right and wrong.
#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "properties/runtime_persistence_generator.h"

namespace leasecheck::runtime_persistence {
namespace {

using engine::Action;
using engine::Command;
using engine::Reference;

// Few contents, so that equal ones are stored again; bodies that an implementation may mangle.
const std::array<const char*, 3> kToolStates = {R"({"generation":1})", R"({"generation":18446744073709551615})",
                                                "{\"generation\":2,\"u\":\"\xC3\xA9\xE2\x82\xAC\"}"};
const std::array<const char*, 3> kPluginSnapshots = {R"({})", R"({"a":[1,{"b":null}],"t":"\"\\"})", R"([])"};
const std::array<std::vector<uint8_t>, 3> kExecutionStates = {{{}, {0, 1, 255}, {7}}};

std::string At(const char* path, std::size_t index) { return absl::StrCat(path, ".", index); }

std::string TurnState(uint64_t index) {
  return absl::StrCat(R"({"protocol_turn_options":{},"token_usage":{"cached_input_tokens":0,"input_tokens":0,)",
                      R"("output_tokens":0,"reasoning_tokens":0},"turn_index":)", index, "}");
}

}  // namespace

SessionNodeRecord RuntimePersistenceGenerator::Node(std::size_t index) {
  SessionNodeRecord node;
  node.node_id = world_.nodes[index];
  // Mostly the node before it, so that paths are long; any earlier one, which may not be stored; or none.
  const uint64_t way = random_.Below(8);
  if (index > 0 && way < 5) node.parent_node_id = world_.nodes[index - 1];
  if (index > 0 && (way == 5 || way == 6)) node.parent_node_id = world_.nodes[random_.Below(index)];
  if (random_.OneIn(20)) node.parent_node_id = "never stored";
  if (random_.OneIn(6)) node.caused_by = OpaqueJson{R"({"cause":"c"})"};
  if (random_.OneIn(4)) node.agent_frame_id = "f1";
  node.timestamp = "2026-01-01T00:00:00Z";
  node.payload.text = random_.OneIn(4) ? absl::StrCat(R"({"body":{"n":)", Fresh(), R"(},"kind":"plugin","plugin_type":"p"})")
                                       : absl::StrCat(R"({"event":{"n":)", Fresh(), R"(},"kind":"event"})");
  return node;
}

std::optional<std::string> RuntimePersistenceGenerator::Leaf(const std::vector<SessionNodeRecord>& nodes) {
  const uint64_t way = random_.Below(10);
  if (way == 0) return std::nullopt;
  if (way == 1) return "never stored";
  if (way < 5 || nodes.empty()) return random_.Pick(world_.nodes);
  return nodes.back().node_id;
}

Append RuntimePersistenceGenerator::AppendDelta(const State& state) {
  Append append;
  const std::size_t wanted = 1 + random_.Below(3);
  std::size_t index = random_.Below(world_.nodes.size());
  for (std::size_t tries = 0; tries < world_.nodes.size() && append.nodes.size() < wanted; ++tries) {
    const std::size_t at = (index + tries) % world_.nodes.size();
    // Mostly new ids: of a stored one, live or tombstoned, the store may refuse it (RP-LAT-6).
    if (state.FindNode(world_.nodes[at]) == nullptr || random_.OneIn(15)) append.nodes.push_back(Node(at));
  }
  if (!append.nodes.empty() && random_.OneIn(25)) append.nodes.push_back(append.nodes.front());
  append.leaf_node_id = Leaf(append.nodes);
  return append;
}

ReplaceFull RuntimePersistenceGenerator::ReplaceDelta() {
  ReplaceFull replace;
  for (std::size_t i = 0; i < world_.nodes.size(); ++i) {
    if (random_.Percent(45)) replace.graph.nodes.push_back(Node(i));
  }
  if (random_.OneIn(4)) std::reverse(replace.graph.nodes.begin(), replace.graph.nodes.end());
  if (!replace.graph.nodes.empty() && random_.OneIn(12)) replace.graph.nodes.push_back(replace.graph.nodes.front());
  replace.graph.leaf_node_id = Leaf(replace.graph.nodes);
  return replace;
}

GraphCommitDelta RuntimePersistenceGenerator::Delta(const State& state) {
  const uint64_t way = random_.Below(10);
  if (way < 5) return AppendDelta(state);
  if (way < 7) return ReplaceDelta();
  Unchanged unchanged;
  unchanged.leaf_node_id = state.head != nullptr && random_.OneIn(2) ? state.head->leaf : Leaf({});
  return unchanged;
}

bool RuntimePersistenceGenerator::DrawSnapshot(const char* field, Command& command) {
  const uint64_t way = random_.Below(20);
  const std::string* commit = AnyCommit();
  const std::string to = absl::StrCat("commit.checkpoint.", field);
  if (way >= 8 && way < 14 && commit != nullptr) command.references.push_back({to, *commit, absl::StrCat("manifest.", field)});
  if (way == 14) command.references.push_back({to, "", ""});  // invented, or both
  return way < 8 || (way == 14 && random_.OneIn(2));
}

void RuntimePersistenceGenerator::AddCheckpoint(HydratedSessionCheckpoint& checkpoint, Command& command) {
  checkpoint.turn_state.text = TurnState(Fresh());
  if (DrawSnapshot("tool_state_ref", command)) checkpoint.tool_state = OpaqueJson{random_.Pick(kToolStates)};
  if (DrawSnapshot("plugin_snapshot_ref", command)) {
    checkpoint.plugin_snapshot = OpaqueJson{random_.Pick(kPluginSnapshots)};
    if (random_.OneIn(2)) checkpoint.plugin_snapshot_revision = Fresh();
  }
  if (DrawSnapshot("execution_state_ref", command)) checkpoint.execution_state = random_.Pick(kExecutionStates);
}

// All of it positive, so that no total is 0 by chance (RP-LAT-7).
TokenLedgerEntry RuntimePersistenceGenerator::Usage() {
  static const std::array<const char*, 2> kSources = {"turn", "sub"};
  static const std::array<const char*, 2> kModels = {"m", "n"};
  TokenLedgerEntry entry{random_.Pick(kSources), random_.Pick(kModels), {}};
  const auto count = [&] { return static_cast<int64_t>(random_.Below(3) * (1 + random_.Below(20))); };
  const uint64_t way = random_.Below(10);
  if (way > 1) entry.usage = {1 + count(), count(), count(), count()};
  if (way == 1) entry.usage.cached_input_tokens = 1 + count();
  return entry;
}

void RuntimePersistenceGenerator::AddStamp(RuntimeCommit& commit) {
  RuntimeTurnCommitStamp stamp;
  stamp.session_id = random_.OneIn(15) ? "nobody's" : commit.session_id;
  stamp.turn_id = random_.Pick(world_.turns);
  stamp.turn_commit_hash = random_.Percent(80) ? "hash" : "other";
  commit.turn_commit = std::move(stamp);
}

void RuntimePersistenceGenerator::AddCompletion(Command& command, std::size_t position) {
  const ClaimHandle* claim = nullptr;
  // Mostly a claim that can still be completed, from the session that commits.
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
  if (way == 0 || (way == 1 && claim->batches > 1)) {  // nothing of the claim, or a part of it
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
  const std::string more = At((to + ".batch_ids").c_str(), claim->batches);
  if (way == 4 && claim->batches > 0) command.references.push_back({more, claim->label, "batches.0.batch_id"});
  if (way == 5 && claim->batches > 0) {  // another claim's batch
    const BatchHandle* batch = AnyBatch();
    command.references.push_back({more, batch == nullptr ? "" : batch->label, "batch_id"});
  }
  if (way == 8 && claim->batches > 0) {  // as many as the claim has, one of them another's
    const BatchHandle* batch = AnyBatch();
    command.references.push_back({to + ".batch_ids.0", batch == nullptr ? "" : batch->label, "batch_id"});
  }
  if (way == 6 && random_.OneIn(2)) command.references.push_back({to + ".session_id", "", ""});
  if (way == 7) command.references.push_back({At("commit.completed_queue_claims", position + 1), claim->label, ""});  // twice
}

Command<F> RuntimePersistenceGenerator::Commit(const State& state) {
  Command command;
  command.label = NewLabel('m');
  CommitRuntimeStateRequest request;
  RuntimeCommit& commit = request.commit;
  commit.session_id = random_.OneIn(30) ? AnySession() : world_.sessions[0];
  const uint64_t expected = random_.Below(20);
  if (expected < 8) commit.expected_head_revision = state.head_revision;
  if (expected == 8) commit.expected_head_revision = state.head_revision + 1;
  if (expected == 9) commit.expected_head_revision = 0;
  if (expected == 10 && state.head_revision > 0) commit.expected_head_revision = state.head_revision - 1;
  commit.config = {"provider", {absl::StrCat(R"({"model":"m","n":)", Fresh(), "}")}};
  const uint64_t frames = random_.Below(3);
  for (uint64_t i = 1; i <= frames; ++i) {
    commit.agent_frames.push_back({absl::StrCat("f", i), std::nullopt, {absl::StrCat(R"({"n":)", Fresh(), "}")}});
  }
  commit.current_agent_frame_id = random_.OneIn(3) ? "" : absl::StrCat("f", Fresh());
  if (world_.theme != Theme::kQueue) {
    commit.graph = Delta(state);
    AddCheckpoint(commit.checkpoint, command);
    const uint64_t usages = random_.Below(4);
    for (uint64_t i = 0; i < usages; ++i) commit.usage_deltas.push_back(Usage());
    const uint64_t attachments = random_.Below(4);
    for (uint64_t i = 1; i < attachments; ++i) commit.committed_attachment_ids.push_back(random_.Pick(world_.attachments));
  }
  if (random_.Percent(35)) AddStamp(commit);
  const std::size_t completions = world_.theme == Theme::kState ? 0 : random_.Below(4);
  for (std::size_t i = 0; i < completions; ++i) {
    std::size_t position = 0;
    for (const Reference& reference : command.references) {
      for (std::size_t p = position; p < 8; ++p) {
        if (reference.to.rfind(At("commit.completed_queue_claims", p), 0) == 0) position = p + 1;
      }
    }
    AddCompletion(command, position);
  }
  const bool stamped = commit.turn_commit.has_value();
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  if (stamped) made_commits_.insert_or_assign(command.label, command);
  return command;
}

Command<F> RuntimePersistenceGenerator::RepeatCommit() {
  Command command = random_.Pick(stamped_);
  command.label = NewLabel('m');
  RuntimeCommit& commit = std::get<CommitRuntimeStateRequest>(std::get<0>(command.action)).commit;
  if (random_.OneIn(5)) commit.turn_commit->turn_commit_hash = "changed";
  // An equal hash need not mean an equal commit: ids and times are not part of it.
  if (random_.OneIn(4)) commit.graph = Unchanged{};
  return command;
}

}  // namespace leasecheck::runtime_persistence
