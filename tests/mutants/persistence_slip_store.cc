// The state of the store: commits, reads, upkeep, attachments.
#include "tests/mutants/persistence_slip_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace leasecheck::mutants {

using namespace runtime_persistence;  // NOLINT(build/namespaces): this file is about little else
using Slip = PersistenceSlip;

namespace {

bool RepeatsAnId(const std::vector<SessionNodeRecord>& nodes) {
  std::set<std::string> ids;
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) { return !ids.insert(node.node_id).second; });
}

std::optional<std::string> Text(const std::optional<OpaqueJson>& json) {
  return json.has_value() ? std::optional<std::string>(json->text) : std::nullopt;
}
std::optional<std::string> Text(const std::optional<std::vector<uint8_t>>& bytes) {
  return bytes.has_value() ? std::optional<std::string>(std::string(bytes->begin(), bytes->end())) : std::nullopt;
}
std::optional<OpaqueJson> Json(const std::optional<std::string>& text) {
  return text.has_value() ? std::optional<OpaqueJson>(OpaqueJson{*text}) : std::nullopt;
}

const std::optional<std::string>& LeafOf(const GraphCommitDelta& delta) {
  if (const auto* unchanged = std::get_if<Unchanged>(&delta)) return unchanged->leaf_node_id;
  if (const auto* append = std::get_if<Append>(&delta)) return append->leaf_node_id;
  return std::get<ReplaceFull>(delta).graph.leaf_node_id;
}

Result<RuntimeCommitResult> Refused(StoreError error) { return tl::unexpected<StoreError>(std::move(error)); }

}  // namespace

PersistenceSlipStore::PersistenceSlipStore(const Environment& environment, PersistenceSlip slip, const Liberties& liberties,
                                           PersistenceDisk* disk)
    : environment_(environment),
      slip_(slip),
      liberties_(liberties),
      disk_(disk),
      life_(disk == nullptr ? 0 : disk->BeginLife()),
      state_(disk == nullptr ? PersistenceState() : disk->Read()) {}

void PersistenceSlipStore::PauseIf(PersistenceSlip slip) {
  if (!Is(slip)) return;
  mutex_.Unlock();
  if (environment_.pause != nullptr) environment_.pause->Pause("slip");
  mutex_.Lock();
}

PersistenceSlipStore::Node* PersistenceSlipStore::FindNode(const std::string& id) {
  for (Node& node : state_.nodes) {
    if (node.record.node_id == id) return &node;
  }
  return nullptr;
}

// Commits.

Result<RuntimeCommitResult> PersistenceSlipStore::CommitRuntimeState(const CommitRuntimeStateRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const Commit& commit = request.commit;
  if (auto decided = Decide(commit)) return *std::move(decided);
  PauseIf(Slip::kCheckThenCommit);
  if (disk_ != nullptr && Is(Slip::kCrashCommitInTwoWrites)) {
    WriteAhead(commit);
    PauseIf(Slip::kCrashCommitInTwoWrites);
    // All else is right: it is looked at again.
    if (auto decided = Decide(commit)) return *std::move(decided);
  }
  return Apply(commit);
}

std::optional<Result<RuntimeCommitResult>> PersistenceSlipStore::Decide(const Commit& commit) {
  const auto& stamp = commit.turn_commit;
  if (state_.bound.has_value() && *state_.bound != commit.session_id) {
    return Refused(SessionBindingMismatch{*state_.bound, commit.session_id});
  }
  if (stamp.has_value() && stamp->session_id != commit.session_id) {
    return Refused(RuntimeTurnCommitConflict{stamp->session_id, stamp->turn_id});
  }
  const bool wrong_head = commit.expected_head_revision.has_value() && *commit.expected_head_revision != state_.revision;
  const bool replays =
      stamp.has_value() && state_.turns.count(stamp->turn_id) > 0 && !(Is(Slip::kReplayBehindHead) && wrong_head);
  if (replays) {
    const Turn& turn = state_.turns.at(stamp->turn_id);
    if (turn.hash != stamp->turn_commit_hash && !Is(Slip::kHashIgnored)) {
      return Refused(RuntimeTurnCommitConflict{stamp->session_id, stamp->turn_id});
    }
    if (Is(Slip::kReplayAddsUsage)) AddUsage(commit.usage_deltas);
    return Is(Slip::kReplayOfCurrent) ? state_.result : turn.result;
  }
  if (auto error = Check(commit)) {
    if (Is(Slip::kBindOnRejection) && !state_.bound.has_value()) state_.bound = commit.session_id;
    if (Is(Slip::kStampOnRejection) && stamp.has_value()) state_.turns[stamp->turn_id] = {stamp->turn_commit_hash, state_.result};
    Tear(commit);
    return Refused(*std::move(error));
  }
  return std::nullopt;
}

// Puts a part of the commit on the disk: the head, its graph and its stamps; neither its usage nor what it settles.
void PersistenceSlipStore::WriteAhead(const Commit& commit) {
  PersistenceState before = state_;
  Apply(commit);
  PersistenceState image = std::move(state_);
  image.ledger = before.ledger;
  image.rows = before.rows;
  image.attachments = before.attachments;
  state_ = std::move(before);
  disk_->Write(life_, std::move(image));
}

void PersistenceSlipStore::Persist() {
  if (disk_ == nullptr) return;
  PersistenceState image = state_;
  if (Is(Slip::kCrashLedgerForgotten)) image.ledger.clear();
  if (Is(Slip::kCrashStampsForgotten)) image.turns.clear();
  if (Is(Slip::kCrashSnapshotsForgotten)) image.blobs.clear();
  for (Node& node : image.nodes) {
    if (Is(Slip::kCrashTombstonesForgotten)) node.tombstoned = false;
  }
  for (Row& row : image.rows) {
    if (Is(Slip::kCrashFencingForgotten)) row.fencing = 0;
  }
  for (Attachment& attachment : image.attachments) {
    if (Is(Slip::kCrashCommittedForgotten)) attachment.committed = false;
  }
  disk_->Write(life_, std::move(image));
}

std::optional<StoreError> PersistenceSlipStore::Check(const Commit& commit) {
  const auto& expected = commit.expected_head_revision;
  const bool fits = !expected.has_value() || *expected == state_.revision || (Is(Slip::kZeroAlwaysFits) && *expected == 0);
  if (!fits) return HeadRevisionConflict{expected, state_.revision};
  if (auto error = CheckCompletions(commit)) return error;
  if (!DeltaFits(commit.graph)) return Backend{"a node is named that is stored, or twice"};
  return std::nullopt;
}

std::optional<StoreError> PersistenceSlipStore::CheckCompletions(const Commit& commit) {
  std::set<std::string> taken;
  for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) {
    if (!CompletionFits(commit, completion, taken)) {
      return QueuedWorkClaimExpired{completion.session_id, completion.claim_id};
    }
    // What was checked is gone at once, though a later completion may fail the commit.
    if (Is(Slip::kTornCompletions)) Settle(completion);
  }
  return std::nullopt;
}

bool PersistenceSlipStore::CompletionFits(const Commit& commit, const QueuedWorkCompletion& completion,
                                          std::set<std::string>& taken) {
  if (completion.batch_ids.empty()) return true;
  if (completion.session_id != commit.session_id && !Is(Slip::kCompletionOfAnySession)) return false;
  const std::size_t owned =
      std::count_if(state_.rows.begin(), state_.rows.end(), [&](const Row& row) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return Owns(row, completion.session_id, completion.claim_id, completion.lease_token);
      });
  if (Is(Slip::kCompletionByCount)) return owned == completion.batch_ids.size();
  for (const std::string& id : completion.batch_ids) {
    const std::size_t index = RowOf(id);
    if (index == state_.rows.size() || !taken.insert(id).second) return false;
    const Row& row = state_.rows[index];
    if (!Owns(row, completion.session_id, completion.claim_id, completion.lease_token)) return false;
    if (liberties_.lapsed_refused && Free(row, environment_.clock->Now())) return false;
  }
  return !liberties_.subset_refused || owned == completion.batch_ids.size();
}

void PersistenceSlipStore::Settle(const QueuedWorkCompletion& completion) {
  std::erase_if(state_.rows, [&](const Row& row) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const auto& ids = completion.batch_ids;
    return std::find(ids.begin(), ids.end(), row.batch.batch_id) != ids.end() &&
           Owns(row, completion.session_id, completion.claim_id, completion.lease_token);
  });
}

bool PersistenceSlipStore::DeltaFits(const GraphCommitDelta& delta) {
  if (liberties_.append_overwrites) return true;
  if (const auto* replace = std::get_if<ReplaceFull>(&delta)) return !RepeatsAnId(replace->graph.nodes);
  const auto* append = std::get_if<Append>(&delta);
  if (append == nullptr || Is(Slip::kAppendDuplicates)) return true;
  return !RepeatsAnId(append->nodes) &&
         std::none_of(append->nodes.begin(), append->nodes.end(), [&](const auto& node) ABSL_NO_THREAD_SAFETY_ANALYSIS {
           const Node* known = FindNode(node.node_id);
           return known != nullptr && !known->tombstoned;
         });
}

// What a commit that failed leaves behind all the same.
void PersistenceSlipStore::Tear(const Commit& commit) {
  if (Is(Slip::kTornUsage)) AddUsage(commit.usage_deltas);
  if (!Is(Slip::kTornStamps)) return;
  for (const std::string& id : commit.committed_attachment_ids) Stamp(commit.session_id, id);
}

RuntimeCommitResult PersistenceSlipStore::Apply(const Commit& commit) {
  for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) Settle(completion);
  for (const std::string& id : commit.committed_attachment_ids) Stamp(commit.session_id, id);
  ApplyGraph(commit.graph);
  AddUsage(commit.usage_deltas);
  const std::vector<AgentFrameRecord> old_frames = state_.last.agent_frames;
  state_.last = commit;
  if (Is(Slip::kFramesMerged) && commit.agent_frames.empty()) state_.last.agent_frames = old_frames;
  if (Is(Slip::kCommitClearsMeta)) state_.meta.reset();
  state_.bound = commit.session_id;
  state_.swept = 0;
  ++state_.revision;
  const HydratedSessionCheckpoint& given = commit.checkpoint;
  state_.result = {state_.revision, absl::StrCat("checkpoint-", state_.revision), {}};
  state_.result.manifest = {given.turn_state, Put(Text(given.tool_state), given.tool_state_ref),
                            Put(Text(given.plugin_snapshot), given.plugin_snapshot_ref),
                            Is(Slip::kRevisionDropped) ? std::nullopt : given.plugin_snapshot_revision,
                            Put(Text(given.execution_state), given.execution_state_ref)};
  if (commit.turn_commit.has_value())
    state_.turns[commit.turn_commit->turn_id] = {commit.turn_commit->turn_commit_hash, state_.result};
  return state_.result;
}

void PersistenceSlipStore::ApplyGraph(const GraphCommitDelta& delta) {
  const auto put = [&](const SessionNodeRecord& record) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Node* known = FindNode(record.node_id);
    const bool trapped = Is(Slip::kTombstoneTrap) && state_.traps.count(record.node_id) > 0;
    if (known != nullptr && liberties_.append_overwrites) {
      *known = {record, false};
      return;
    }
    if (known != nullptr && known->tombstoned) {
      state_.nodes.erase(state_.nodes.begin() + (known - state_.nodes.data()));  // live again, at the end
    }
    state_.nodes.push_back({record, trapped});
  };
  if (const auto* append = std::get_if<Append>(&delta)) {
    for (const SessionNodeRecord& node : append->nodes) put(node);
  }
  if (const auto* replace = std::get_if<ReplaceFull>(&delta)) {
    if (Is(Slip::kReplaceKeepsOld)) {
      std::erase_if(state_.nodes, [&](const Node& old) {
        return std::any_of(replace->graph.nodes.begin(), replace->graph.nodes.end(),
                           [&](const auto& node) { return node.node_id == old.record.node_id; });
      });
    } else {
      state_.nodes.clear();
    }
    for (const SessionNodeRecord& node : replace->graph.nodes) put(node);
  }
  if (LeafOf(delta).has_value() || !Is(Slip::kLeafNoneIgnored)) state_.leaf = LeafOf(delta);
}

void PersistenceSlipStore::AddUsage(const std::vector<TokenLedgerEntry>& deltas) {
  for (const TokenLedgerEntry& delta : deltas) {
    const TokenUsage& usage = delta.usage;
    const bool spent = usage.input_tokens + usage.output_tokens + usage.reasoning_tokens != 0;
    if (usage == TokenUsage() && !Is(Slip::kZeroEntryKept)) continue;
    if (!spent && liberties_.cached_only_dropped) continue;
    const auto known = std::find_if(state_.ledger.begin(), state_.ledger.end(), [&](const TokenLedgerEntry& entry) {
      return entry.source == delta.source && (entry.model == delta.model || Is(Slip::kLedgerBySource));
    });
    if (known == state_.ledger.end()) {
      state_.ledger.push_back(delta);
      continue;
    }
    if (Is(Slip::kLedgerLastWins)) known->usage = {};
    known->usage.input_tokens += usage.input_tokens;
    known->usage.output_tokens += usage.output_tokens;
    known->usage.cached_input_tokens += usage.cached_input_tokens;
    known->usage.reasoning_tokens += usage.reasoning_tokens;
  }
}

// Blobs.

std::optional<std::string> PersistenceSlipStore::Put(const std::optional<std::string>& content,
                                                     const std::optional<std::string>& ref) {
  if (!content.has_value() || liberties_.refs_echoed) return ref;
  for (const Blob& blob : state_.blobs) {
    if (blob.content == *content) return blob.ref;
  }
  state_.blobs.push_back({absl::StrCat("blob-", ++state_.serial), *content});
  return state_.blobs.back().ref;
}

std::optional<std::string> PersistenceSlipStore::Get(const std::optional<std::string>& ref) const {
  for (const Blob& blob : state_.blobs) {
    if (blob.ref == ref) return blob.content;
  }
  return std::nullopt;
}

HydratedSessionCheckpoint PersistenceSlipStore::Hydrated() const {
  HydratedSessionCheckpoint shown = state_.last.checkpoint;
  const SessionCheckpoint& manifest = state_.result.manifest;
  shown.tool_state_ref = manifest.tool_state_ref;
  shown.plugin_snapshot_ref = manifest.plugin_snapshot_ref;
  shown.execution_state_ref = manifest.execution_state_ref;
  if (liberties_.refs_echoed) return shown;
  shown.tool_state = Json(Get(manifest.tool_state_ref));
  shown.plugin_snapshot = Json(Get(manifest.plugin_snapshot_ref));
  const std::optional<std::string> bytes = Get(manifest.execution_state_ref);
  shown.execution_state.reset();
  if (bytes.has_value()) shown.execution_state.emplace(bytes->begin(), bytes->end());
  return shown;
}

// Reads.

Result<std::optional<PersistedSessionRead>> PersistenceSlipStore::LoadSession(const LoadSessionRequest& request) {
  absl::MutexLock lock(&mutex_);
  const auto* path = std::get_if<ActivePath>(&request.scope);
  if (path != nullptr && liberties_.paths_unsupported) {
    return tl::unexpected<StoreError>(UnsupportedReadScope{request.scope});
  }
  if (state_.revision == 0) return std::nullopt;
  if (path != nullptr && path->leaf_node_id.has_value() && Is(Slip::kUnknownLeafIsError) &&
      FindNode(*path->leaf_node_id) == nullptr) {
    return tl::unexpected<StoreError>(Backend{"no such leaf"});
  }
  Read read;
  read.session_id = *state_.bound;
  read.head_revision = state_.revision;
  read.config = state_.last.config;
  read.agent_frames = state_.last.agent_frames;
  read.current_agent_frame_id = state_.last.current_agent_frame_id;
  read.checkpoint_ref = state_.result.checkpoint_ref;
  read.checkpoint = Hydrated();
  PauseIf(Slip::kTornRead);
  read.graph = Graph(request.scope);
  read.token_ledger = state_.ledger;
  return read;
}

SessionGraph PersistenceSlipStore::Graph(const SessionReadScope& scope) {
  if (const auto* path = std::get_if<ActivePath>(&scope)) {
    const bool given = path->leaf_node_id.has_value();
    if (given && Is(Slip::kReadMovesLeaf)) state_.leaf = path->leaf_node_id;
    return Path(given ? path->leaf_node_id : state_.leaf);
  }
  SessionGraph graph;
  graph.leaf_node_id = state_.leaf;
  for (const Node& node : state_.nodes) {
    if (!node.tombstoned) graph.nodes.push_back(node.record);
  }
  const Node* leaf = state_.leaf.has_value() ? FindNode(*state_.leaf) : nullptr;
  if (liberties_.paths_pass_tombstones && leaf != nullptr && leaf->tombstoned) graph.leaf_node_id.reset();
  return graph;
}

SessionGraph PersistenceSlipStore::Path(const std::optional<std::string>& leaf) {
  SessionGraph graph;
  graph.leaf_node_id = leaf;
  std::optional<std::string> at = leaf;
  std::set<std::string> walked;  // parents may stand in a circle
  while (at.has_value() && walked.insert(*at).second) {
    const Node* node = FindNode(*at);
    if (node == nullptr || (node->tombstoned && !liberties_.paths_pass_tombstones)) break;
    if (!node->tombstoned) graph.nodes.push_back(node->record);
    at = node->record.parent_node_id;
  }
  if (!Is(Slip::kPathLeafFirst)) std::reverse(graph.nodes.begin(), graph.nodes.end());
  const Node* first = leaf.has_value() ? FindNode(*leaf) : nullptr;
  if (liberties_.paths_pass_tombstones && first != nullptr && first->tombstoned) graph.leaf_node_id.reset();
  return graph;
}

Result<std::optional<SessionNodeRecord>> PersistenceSlipStore::LoadNode(const LoadNodeRequest& request) {
  absl::MutexLock lock(&mutex_);
  if (Is(Slip::kNodeFoundByHeadPathOnly)) {
    for (const SessionNodeRecord& node : Path(state_.leaf).nodes) {
      if (node.node_id == request.node_id) return node;
    }
    return std::nullopt;
  }
  const Node* node = FindNode(request.node_id);
  if (node == nullptr || node->tombstoned) return std::nullopt;
  return node->record;
}

Result<Done> PersistenceSlipStore::SaveSessionMeta(const SaveSessionMetaRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const std::optional<std::string> old = state_.meta.has_value() ? state_.meta->cwd : std::nullopt;
  state_.meta = request.meta;
  if (Is(Slip::kMetaMerged) && !state_.meta->cwd.has_value()) state_.meta->cwd = old;
  return Done{};
}

Result<std::optional<SessionMeta>> PersistenceSlipStore::LoadSessionMeta(const LoadSessionMetaRequest&) {
  absl::MutexLock lock(&mutex_);
  return state_.meta;
}

// Upkeep.

Result<Done> PersistenceSlipStore::TombstoneNodes(const TombstoneNodesRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  for (const std::string& id : request.ids) {
    Node* node = FindNode(id);
    if (node == nullptr) state_.traps.insert(id);
    if (node == nullptr) continue;
    node->tombstoned = true;
    if (Is(Slip::kTombstoneMovesHead)) ++state_.revision;
    if (!Is(Slip::kTombstoneTakesChildren)) continue;
    for (Node& child : state_.nodes) child.tombstoned |= child.record.parent_node_id == id;
  }
  return Done{};
}

Result<VacuumReport> PersistenceSlipStore::Vacuum(const VacuumRequest&) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  if (liberties_.vacuum_later) return VacuumReport{};
  if (Is(Slip::kVacuumRevives)) {
    uint64_t revived = 0;
    for (Node& node : state_.nodes) revived += std::exchange(node.tombstoned, false) ? 1 : 0;
    return VacuumReport{revived};
  }
  uint64_t removed = std::erase_if(state_.nodes, [](const Node& node) { return node.tombstoned; });
  if (Is(Slip::kVacuumCountsAll)) removed += std::exchange(state_.traps, {}).size();
  return VacuumReport{removed};
}

Result<GcReport> PersistenceSlipStore::GcUnreachable(const GcUnreachableRequest&) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  if (liberties_.gc_does_nothing || state_.revision == 0) return GcReport{};
  const SessionCheckpoint& manifest = state_.result.manifest;
  const uint64_t deleted = std::erase_if(state_.blobs, [&](const Blob& blob) {
    if (blob.ref == manifest.execution_state_ref) return Is(Slip::kGcDropsLive);
    return blob.ref != manifest.tool_state_ref && blob.ref != manifest.plugin_snapshot_ref;
  });
  if (deleted > 0) state_.swept = deleted;
  return GcReport{1, 1 + state_.blobs.size(), Is(Slip::kGcCountsAgain) ? state_.swept : deleted};
}

// Attachments.

void PersistenceSlipStore::Stamp(const std::string& session, const std::string& id) {
  bool found = false;
  for (Attachment& row : state_.attachments) {
    if (row.intent.attachment_id != id) continue;
    if (row.intent.session_id != session && !Is(Slip::kStampsAnySession)) continue;
    row.committed = true;
    found = true;
  }
  if (!found && Is(Slip::kRefsRemembered)) state_.early.insert({session, id});
}

Result<Done> PersistenceSlipStore::RecordIntent(const RecordIntentRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  const AttachmentIntent& intent = request.intent;
  for (Attachment& row : state_.attachments) {
    if (row.intent.attachment_id != intent.attachment_id) continue;
    if (row.intent.session_id != intent.session_id && !liberties_.manifest_by_id) continue;
    const bool refreshes = !liberties_.manifest_by_id || intent.intent_at_epoch_ms > row.intent.intent_at_epoch_ms;
    if (refreshes) row.intent = intent;
    if (Is(Slip::kIntentClearsStamp)) row.committed = false;
    return Done{};
  }
  const bool stamped = state_.early.count({intent.session_id, intent.attachment_id}) > 0;
  state_.attachments.push_back({intent, stamped});
  return Done{};
}

Result<Done> PersistenceSlipStore::CommitRefs(const CommitRefsRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  for (const std::string& id : request.attachment_ids) Stamp(request.session_id, id);
  return Done{};
}

Result<std::vector<AttachmentManifestEntry>> PersistenceSlipStore::ListUncommitted(const ListUncommittedRequest& request) {
  absl::MutexLock lock(&mutex_);
  std::vector<AttachmentManifestEntry> list;
  for (const Attachment& row : state_.attachments) {
    const EpochMs at = row.intent.intent_at_epoch_ms;
    const bool late = Is(Slip::kCutoffExclusive) ? at >= request.older_than_epoch_ms : at > request.older_than_epoch_ms;
    if (row.committed || late) continue;
    list.push_back({row.intent.attachment_id, row.intent.session_id, row.intent.canonical_uri, at, std::nullopt});
  }
  if (liberties_.manifest_by_id) std::reverse(list.begin(), list.end());
  return list;
}

Result<Done> PersistenceSlipStore::Forget(const ForgetRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  std::erase_if(state_.attachments, [&](const Attachment& row) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const bool it = row.intent.attachment_id == request.attachment_id;
    if (it && row.committed && Is(Slip::kForgetKeepsStamp)) state_.early.insert({row.intent.session_id, request.attachment_id});
    return it;
  });
  return Done{};
}

}  // namespace leasecheck::mutants
