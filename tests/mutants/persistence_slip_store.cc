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

}  // namespace

PersistenceSlipStore::PersistenceSlipStore(const Environment& environment, PersistenceSlip slip, const Liberties& liberties)
    : environment_(environment), slip_(slip), liberties_(liberties) {}

void PersistenceSlipStore::PauseIf(PersistenceSlip slip) {
  if (!Is(slip)) return;
  mutex_.Unlock();
  if (environment_.pause != nullptr) environment_.pause->Pause("slip");
  mutex_.Lock();
}

PersistenceSlipStore::Node* PersistenceSlipStore::FindNode(const std::string& id) {
  for (Node& node : nodes_) {
    if (node.record.node_id == id) return &node;
  }
  return nullptr;
}

// Commits.

Result<RuntimeCommitResult> PersistenceSlipStore::CommitRuntimeState(const CommitRuntimeStateRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Commit& commit = request.commit;
  const auto& stamp = commit.turn_commit;
  if (bound_.has_value() && *bound_ != commit.session_id) {
    return tl::unexpected<StoreError>(SessionBindingMismatch{*bound_, commit.session_id});
  }
  if (stamp.has_value() && stamp->session_id != commit.session_id) {
    return tl::unexpected<StoreError>(RuntimeTurnCommitConflict{stamp->session_id, stamp->turn_id});
  }
  const bool wrong_head = commit.expected_head_revision.has_value() && *commit.expected_head_revision != revision_;
  const bool replays = stamp.has_value() && turns_.count(stamp->turn_id) > 0 && !(Is(Slip::kReplayBehindHead) && wrong_head);
  if (replays) {
    const Turn& turn = turns_.at(stamp->turn_id);
    if (turn.hash != stamp->turn_commit_hash && !Is(Slip::kHashIgnored)) {
      return tl::unexpected<StoreError>(RuntimeTurnCommitConflict{stamp->session_id, stamp->turn_id});
    }
    if (Is(Slip::kReplayAddsUsage)) AddUsage(commit.usage_deltas);
    return Is(Slip::kReplayOfCurrent) ? result_ : turn.result;
  }
  if (auto error = Check(commit)) {
    if (Is(Slip::kBindOnRejection) && !bound_.has_value()) bound_ = commit.session_id;
    if (Is(Slip::kStampOnRejection) && stamp.has_value()) turns_[stamp->turn_id] = {stamp->turn_commit_hash, result_};
    Tear(commit);
    return tl::unexpected<StoreError>(*std::move(error));
  }
  PauseIf(Slip::kCheckThenCommit);
  return Apply(commit);
}

std::optional<StoreError> PersistenceSlipStore::Check(const Commit& commit) {
  const auto& expected = commit.expected_head_revision;
  const bool fits = !expected.has_value() || *expected == revision_ || (Is(Slip::kZeroAlwaysFits) && *expected == 0);
  if (!fits) return HeadRevisionConflict{expected, revision_};
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
  const std::size_t owned = std::count_if(rows_.begin(), rows_.end(), [&](const Row& row) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return Owns(row, completion.session_id, completion.claim_id, completion.lease_token);
  });
  if (Is(Slip::kCompletionByCount)) return owned == completion.batch_ids.size();
  for (const std::string& id : completion.batch_ids) {
    const std::size_t index = RowOf(id);
    if (index == rows_.size() || !taken.insert(id).second) return false;
    const Row& row = rows_[index];
    if (!Owns(row, completion.session_id, completion.claim_id, completion.lease_token)) return false;
    if (liberties_.lapsed_refused && Free(row, environment_.clock->Now())) return false;
  }
  return !liberties_.subset_refused || owned == completion.batch_ids.size();
}

void PersistenceSlipStore::Settle(const QueuedWorkCompletion& completion) {
  std::erase_if(rows_, [&](const Row& row) ABSL_NO_THREAD_SAFETY_ANALYSIS {
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
  const std::vector<AgentFrameRecord> old_frames = last_.agent_frames;
  last_ = commit;
  if (Is(Slip::kFramesMerged) && commit.agent_frames.empty()) last_.agent_frames = old_frames;
  if (Is(Slip::kCommitClearsMeta)) meta_.reset();
  bound_ = commit.session_id;
  swept_ = 0;
  ++revision_;
  const HydratedSessionCheckpoint& given = commit.checkpoint;
  result_ = {revision_, absl::StrCat("checkpoint-", revision_), {}};
  result_.manifest = {given.turn_state, Put(Text(given.tool_state), given.tool_state_ref),
                      Put(Text(given.plugin_snapshot), given.plugin_snapshot_ref),
                      Is(Slip::kRevisionDropped) ? std::nullopt : given.plugin_snapshot_revision,
                      Put(Text(given.execution_state), given.execution_state_ref)};
  if (commit.turn_commit.has_value()) turns_[commit.turn_commit->turn_id] = {commit.turn_commit->turn_commit_hash, result_};
  return result_;
}

void PersistenceSlipStore::ApplyGraph(const GraphCommitDelta& delta) {
  const auto put = [&](const SessionNodeRecord& record) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Node* known = FindNode(record.node_id);
    const bool trapped = Is(Slip::kTombstoneTrap) && traps_.count(record.node_id) > 0;
    if (known != nullptr && liberties_.append_overwrites) {
      *known = {record, false};
      return;
    }
    if (known != nullptr && known->tombstoned) {
      nodes_.erase(nodes_.begin() + (known - nodes_.data()));  // live again, at the end
    }
    nodes_.push_back({record, trapped});
  };
  if (const auto* append = std::get_if<Append>(&delta)) {
    for (const SessionNodeRecord& node : append->nodes) put(node);
  }
  if (const auto* replace = std::get_if<ReplaceFull>(&delta)) {
    if (Is(Slip::kReplaceKeepsOld)) {
      std::erase_if(nodes_, [&](const Node& old) {
        return std::any_of(replace->graph.nodes.begin(), replace->graph.nodes.end(),
                           [&](const auto& node) { return node.node_id == old.record.node_id; });
      });
    } else {
      nodes_.clear();
    }
    for (const SessionNodeRecord& node : replace->graph.nodes) put(node);
  }
  if (LeafOf(delta).has_value() || !Is(Slip::kLeafNoneIgnored)) leaf_ = LeafOf(delta);
}

void PersistenceSlipStore::AddUsage(const std::vector<TokenLedgerEntry>& deltas) {
  for (const TokenLedgerEntry& delta : deltas) {
    const TokenUsage& usage = delta.usage;
    const bool spent = usage.input_tokens + usage.output_tokens + usage.reasoning_tokens != 0;
    if (usage == TokenUsage() && !Is(Slip::kZeroEntryKept)) continue;
    if (!spent && liberties_.cached_only_dropped) continue;
    const auto known = std::find_if(ledger_.begin(), ledger_.end(), [&](const TokenLedgerEntry& entry) {
      return entry.source == delta.source && (entry.model == delta.model || Is(Slip::kLedgerBySource));
    });
    if (known == ledger_.end()) {
      ledger_.push_back(delta);
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
  for (const Blob& blob : blobs_) {
    if (blob.content == *content) return blob.ref;
  }
  blobs_.push_back({absl::StrCat("blob-", ++serial_), *content});
  return blobs_.back().ref;
}

std::optional<std::string> PersistenceSlipStore::Get(const std::optional<std::string>& ref) const {
  for (const Blob& blob : blobs_) {
    if (blob.ref == ref) return blob.content;
  }
  return std::nullopt;
}

HydratedSessionCheckpoint PersistenceSlipStore::Hydrated() const {
  HydratedSessionCheckpoint shown = last_.checkpoint;
  const SessionCheckpoint& manifest = result_.manifest;
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
  if (revision_ == 0) return std::nullopt;
  if (path != nullptr && path->leaf_node_id.has_value() && Is(Slip::kUnknownLeafIsError) &&
      FindNode(*path->leaf_node_id) == nullptr) {
    return tl::unexpected<StoreError>(Backend{"no such leaf"});
  }
  Read read;
  read.session_id = *bound_;
  read.head_revision = revision_;
  read.config = last_.config;
  read.agent_frames = last_.agent_frames;
  read.current_agent_frame_id = last_.current_agent_frame_id;
  read.checkpoint_ref = result_.checkpoint_ref;
  read.checkpoint = Hydrated();
  PauseIf(Slip::kTornRead);
  read.graph = Graph(request.scope);
  read.token_ledger = ledger_;
  return read;
}

SessionGraph PersistenceSlipStore::Graph(const SessionReadScope& scope) {
  if (const auto* path = std::get_if<ActivePath>(&scope)) {
    const bool given = path->leaf_node_id.has_value();
    if (given && Is(Slip::kReadMovesLeaf)) leaf_ = path->leaf_node_id;
    return Path(given ? path->leaf_node_id : leaf_);
  }
  SessionGraph graph;
  graph.leaf_node_id = leaf_;
  for (const Node& node : nodes_) {
    if (!node.tombstoned) graph.nodes.push_back(node.record);
  }
  const Node* leaf = leaf_.has_value() ? FindNode(*leaf_) : nullptr;
  if (liberties_.paths_pass_tombstones && leaf != nullptr && leaf->tombstoned) graph.leaf_node_id.reset();
  return graph;
}

SessionGraph PersistenceSlipStore::Path(const std::optional<std::string>& leaf) {
  SessionGraph graph;
  graph.leaf_node_id = leaf;
  std::optional<std::string> at = leaf;
  while (at.has_value()) {
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
    for (const SessionNodeRecord& node : Path(leaf_).nodes) {
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
  const std::optional<std::string> old = meta_.has_value() ? meta_->cwd : std::nullopt;
  meta_ = request.meta;
  if (Is(Slip::kMetaMerged) && !meta_->cwd.has_value()) meta_->cwd = old;
  return Done{};
}

Result<std::optional<SessionMeta>> PersistenceSlipStore::LoadSessionMeta(const LoadSessionMetaRequest&) {
  absl::MutexLock lock(&mutex_);
  return meta_;
}

// Upkeep.

Result<Done> PersistenceSlipStore::TombstoneNodes(const TombstoneNodesRequest& request) {
  absl::MutexLock lock(&mutex_);
  for (const std::string& id : request.ids) {
    Node* node = FindNode(id);
    if (node == nullptr) traps_.insert(id);
    if (node == nullptr) continue;
    node->tombstoned = true;
    if (Is(Slip::kTombstoneMovesHead)) ++revision_;
    if (!Is(Slip::kTombstoneTakesChildren)) continue;
    for (Node& child : nodes_) child.tombstoned |= child.record.parent_node_id == id;
  }
  return Done{};
}

Result<VacuumReport> PersistenceSlipStore::Vacuum(const VacuumRequest&) {
  absl::MutexLock lock(&mutex_);
  if (liberties_.vacuum_later) return VacuumReport{};
  if (Is(Slip::kVacuumRevives)) {
    uint64_t revived = 0;
    for (Node& node : nodes_) revived += std::exchange(node.tombstoned, false) ? 1 : 0;
    return VacuumReport{revived};
  }
  uint64_t removed = std::erase_if(nodes_, [](const Node& node) { return node.tombstoned; });
  if (Is(Slip::kVacuumCountsAll)) removed += std::exchange(traps_, {}).size();
  return VacuumReport{removed};
}

Result<GcReport> PersistenceSlipStore::GcUnreachable(const GcUnreachableRequest&) {
  absl::MutexLock lock(&mutex_);
  if (liberties_.gc_does_nothing || revision_ == 0) return GcReport{};
  const SessionCheckpoint& manifest = result_.manifest;
  const uint64_t deleted = std::erase_if(blobs_, [&](const Blob& blob) {
    if (blob.ref == manifest.execution_state_ref) return Is(Slip::kGcDropsLive);
    return blob.ref != manifest.tool_state_ref && blob.ref != manifest.plugin_snapshot_ref;
  });
  if (deleted > 0) swept_ = deleted;
  return GcReport{1, 1 + blobs_.size(), Is(Slip::kGcCountsAgain) ? swept_ : deleted};
}

// Attachments.

void PersistenceSlipStore::Stamp(const std::string& session, const std::string& id) {
  bool found = false;
  for (Attachment& row : attachments_) {
    if (row.intent.attachment_id != id) continue;
    if (row.intent.session_id != session && !Is(Slip::kStampsAnySession)) continue;
    row.committed = true;
    found = true;
  }
  if (!found && Is(Slip::kRefsRemembered)) early_.insert({session, id});
}

Result<Done> PersistenceSlipStore::RecordIntent(const RecordIntentRequest& request) {
  absl::MutexLock lock(&mutex_);
  const AttachmentIntent& intent = request.intent;
  for (Attachment& row : attachments_) {
    if (row.intent.attachment_id != intent.attachment_id) continue;
    if (row.intent.session_id != intent.session_id && !liberties_.manifest_by_id) continue;
    const bool refreshes = !liberties_.manifest_by_id || intent.intent_at_epoch_ms > row.intent.intent_at_epoch_ms;
    if (refreshes) row.intent = intent;
    if (Is(Slip::kIntentClearsStamp)) row.committed = false;
    return Done{};
  }
  const bool stamped = early_.count({intent.session_id, intent.attachment_id}) > 0;
  attachments_.push_back({intent, stamped});
  return Done{};
}

Result<Done> PersistenceSlipStore::CommitRefs(const CommitRefsRequest& request) {
  absl::MutexLock lock(&mutex_);
  for (const std::string& id : request.attachment_ids) Stamp(request.session_id, id);
  return Done{};
}

Result<std::vector<AttachmentManifestEntry>> PersistenceSlipStore::ListUncommitted(const ListUncommittedRequest& request) {
  absl::MutexLock lock(&mutex_);
  std::vector<AttachmentManifestEntry> list;
  for (const Attachment& row : attachments_) {
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
  std::erase_if(attachments_, [&](const Attachment& row) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const bool it = row.intent.attachment_id == request.attachment_id;
    if (it && row.committed && Is(Slip::kForgetKeepsStamp)) early_.insert({row.intent.session_id, request.attachment_id});
    return it;
  });
  return Done{};
}

}  // namespace leasecheck::mutants
