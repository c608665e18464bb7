#include "memstore/runtime_persistence_state.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

namespace leasecheck::memstore {
namespace {

using runtime_persistence::ActivePath;
using runtime_persistence::AgentFrameRecord;
using runtime_persistence::Append;
using runtime_persistence::Backend;
using runtime_persistence::BlobRef;
using runtime_persistence::Done;
using runtime_persistence::DurabilityTier;
using runtime_persistence::GcReport;
using runtime_persistence::GraphCommitDelta;
using runtime_persistence::HeadRevisionConflict;
using runtime_persistence::PersistedSessionRead;
using runtime_persistence::QueuedWorkClaimExpired;
using runtime_persistence::QueuedWorkCompletion;
using runtime_persistence::ReplaceFull;
using runtime_persistence::Result;
using runtime_persistence::RuntimeCommit;
using runtime_persistence::RuntimeCommitResult;
using runtime_persistence::RuntimeTurnCommitConflict;
using runtime_persistence::RuntimeTurnCommitStamp;
using runtime_persistence::SessionBindingMismatch;
using runtime_persistence::SessionGraph;
using runtime_persistence::SessionMeta;
using runtime_persistence::SessionNodeRecord;
using runtime_persistence::SessionReadScope;
using runtime_persistence::StoreError;
using runtime_persistence::Unchanged;
using runtime_persistence::VacuumReport;

constexpr uint64_t kEndOfCounter = std::numeric_limits<uint64_t>::max();

// A contract error as the failure of any operation.
tl::unexpected<StoreError> Fail(StoreError error) { return tl::unexpected<StoreError>(std::move(error)); }

}  // namespace

// Reads.

SessionGraph RuntimePersistenceState::Read(const SessionReadScope& scope) const {
  const ActivePath* path = std::get_if<ActivePath>(&scope);
  if (path == nullptr) return {nodes_.All(), head_->leaf_node_id};
  const std::optional<std::string>& leaf = path->leaf_node_id.has_value() ? path->leaf_node_id : head_->leaf_node_id;
  return {nodes_.PathTo(leaf), leaf};
}

Result<std::optional<PersistedSessionRead>> RuntimePersistenceState::LoadSession(
    const runtime_persistence::LoadSessionRequest& request, EpochMs) {
  if (!head_.has_value()) return std::nullopt;
  Result<std::optional<PersistedSessionRead>> loaded(tl::in_place, std::in_place);
  PersistedSessionRead& read = **loaded;
  read.session_id = head_->session_id;
  read.head_revision = head_->revision;
  read.config = head_->config;
  read.agent_frames = head_->agent_frames;
  read.current_agent_frame_id = head_->current_agent_frame_id;
  read.graph = Read(request.scope);
  read.checkpoint_ref = head_->checkpoint_ref;
  read.checkpoint = blobs_.Hydrate(head_->checkpoint_ref);
  read.token_ledger = ledger_.entries();
  return loaded;
}

Result<std::optional<SessionNodeRecord>> RuntimePersistenceState::LoadNode(const runtime_persistence::LoadNodeRequest& request,
                                                                           EpochMs) {
  const SessionNodeRecord* node = nodes_.Find(request.node_id);
  if (node == nullptr) return std::nullopt;
  return *node;
}

// The commit.

Result<RuntimeCommitResult> RuntimePersistenceState::CommitRuntimeState(
    const runtime_persistence::CommitRuntimeStateRequest& request, EpochMs now) {
  const RuntimeCommit& commit = request.commit;
  if (head_.has_value() && head_->session_id != commit.session_id) {
    return Fail(SessionBindingMismatch{head_->session_id, commit.session_id});
  }
  Result<const RuntimeCommitResult*> replay = FindReplay(commit);
  if (!replay.has_value()) return Fail(std::move(replay).error());
  if (*replay != nullptr) return **replay;
  WorkQueue::Rows settled;
  std::optional<StoreError> error = CheckCommit(commit, settled);
  if (error.has_value()) return Fail(*std::move(error));
  return ApplyCommit(commit, settled, now);
}

Result<const RuntimeCommitResult*> RuntimePersistenceState::FindReplay(const RuntimeCommit& commit) const {
  if (!commit.turn_commit.has_value()) return nullptr;
  const RuntimeTurnCommitStamp& stamp = *commit.turn_commit;
  if (stamp.session_id != commit.session_id) return Fail(RuntimeTurnCommitConflict{stamp.session_id, stamp.turn_id});
  // The recorded turns are of the bound session, and an unbound store has none.
  auto turn = turns_.find(stamp.turn_id);
  if (turn == turns_.end()) return nullptr;
  if (turn->second.turn_commit_hash != stamp.turn_commit_hash) {
    return Fail(RuntimeTurnCommitConflict{stamp.session_id, stamp.turn_id});
  }
  return &turn->second.result;
}

std::optional<StoreError> RuntimePersistenceState::CheckCommit(const RuntimeCommit& commit, WorkQueue::Rows& settled) const {
  if (commit.expected_head_revision.has_value() && *commit.expected_head_revision != revision()) {
    return HeadRevisionConflict{commit.expected_head_revision, revision()};
  }
  const WorkQueue no_batches;
  const WorkQueue* queue = FindQueue(commit.session_id);
  const QueuedWorkCompletion* bad =
      (queue == nullptr ? no_batches : *queue).FindSettled(commit.session_id, commit.completed_queue_claims, ids_, settled);
  if (bad != nullptr) return QueuedWorkClaimExpired{bad->session_id, bad->claim_id};
  if (const auto* append = std::get_if<Append>(&commit.graph); append != nullptr && !nodes_.MayAppend(append->nodes)) {
    return Backend{"the commit appends a node that is stored, or one twice"};
  }
  if (const auto* replace = std::get_if<ReplaceFull>(&commit.graph);
      replace != nullptr && !NodeLog::MayReplace(replace->graph.nodes)) {
    return Backend{"the commit replaces the graph by one that has a node twice"};
  }
  if (revision() == kEndOfCounter) return Backend{"the session's head revisions are used up"};
  return std::nullopt;
}

RuntimeCommitResult RuntimePersistenceState::ApplyCommit(const RuntimeCommit& commit, const WorkQueue::Rows& settled,
                                                         EpochMs now) {
  RuntimeCommitResult result;
  result.head_revision = revision() + 1;
  result.checkpoint_ref = blobs_.Put(commit.checkpoint, &result.manifest);
  SessionHead& head = head_.has_value() ? *head_ : head_.emplace();
  head.session_id = commit.session_id;
  head.revision = result.head_revision;
  head.config = commit.config;
  head.agent_frames = commit.agent_frames;
  head.current_agent_frame_id = commit.current_agent_frame_id;
  head.leaf_node_id = ApplyGraph(commit.graph);
  head.checkpoint_ref = result.checkpoint_ref;
  for (const TokenLedger::Entry& delta : commit.usage_deltas) ledger_.Add(delta);
  for (WorkRow* row : settled) FindQueue(commit.session_id)->Remove(*row);
  for (const std::string& attachment_id : commit.committed_attachment_ids) {
    attachments_.Commit(commit.session_id, attachment_id, now);
  }
  if (commit.turn_commit.has_value()) {
    turns_.emplace(commit.turn_commit->turn_id, RecordedCommit{commit.turn_commit->turn_commit_hash, result});
  }
  return result;
}

const std::optional<std::string>& RuntimePersistenceState::ApplyGraph(const GraphCommitDelta& delta) {
  if (const auto* append = std::get_if<Append>(&delta)) {
    nodes_.Append(append->nodes);
    return append->leaf_node_id;
  }
  if (const auto* replace = std::get_if<ReplaceFull>(&delta)) {
    nodes_.Replace(replace->graph.nodes);
    return replace->graph.leaf_node_id;
  }
  return std::get<Unchanged>(delta).leaf_node_id;
}

// Meta.

Result<Done> RuntimePersistenceState::SaveSessionMeta(const runtime_persistence::SaveSessionMetaRequest& request, EpochMs) {
  meta_ = request.meta;
  return Done{};
}

Result<std::optional<SessionMeta>> RuntimePersistenceState::LoadSessionMeta(const runtime_persistence::LoadSessionMetaRequest&,
                                                                            EpochMs) {
  return meta_;
}

// Upkeep.

Result<Done> RuntimePersistenceState::TombstoneNodes(const runtime_persistence::TombstoneNodesRequest& request, EpochMs) {
  for (const std::string& id : request.ids) nodes_.Tombstone(id);
  return Done{};
}

Result<VacuumReport> RuntimePersistenceState::Vacuum(const runtime_persistence::VacuumRequest&, EpochMs) {
  return VacuumReport{nodes_.Vacuum()};
}

Result<GcReport> RuntimePersistenceState::GcUnreachable(const runtime_persistence::GcUnreachableRequest&, EpochMs) {
  if (!head_.has_value()) return GcReport{};
  absl::btree_set<BlobRef> reached = blobs_.Reach(head_->checkpoint_ref);
  for (const AgentFrameRecord& frame : head_->agent_frames) {
    if (frame.execution_state_ref.has_value()) reached.insert(*frame.execution_state_ref);
  }
  return GcReport{1, reached.size(), blobs_.KeepOnly(reached)};
}

Result<DurabilityTier> RuntimePersistenceState::GetDurabilityTier(const runtime_persistence::DurabilityTierRequest&, EpochMs) {
  return DurabilityTier::kInline;
}

// Snapshots.

RuntimePersistenceContents RuntimePersistenceState::Contents() const {
  RuntimePersistenceContents contents{
      ids_, last_enqueue_seq_,      head_, nodes_.nodes(), nodes_.tombstoned(), blobs_.blobs(), ledger_.entries(), turns_,
      {},   attachments_.entries(), meta_};
  for (const auto& [session_id, queue] : queues_) {
    if (queue->size() == 0) continue;
    RuntimePersistenceContents::Queue& saved = contents.queues.emplace_back();
    saved.session_id = session_id;
    saved.rows.reserve(queue->size());
    SharedTerms<WorkClaims> terms;
    queue->ForEach([&](const WorkRow& row) { saved.rows.push_back({row.batch, row.counter(), terms.Of(row.claim())}); });
  }
  std::sort(contents.queues.begin(), contents.queues.end(),
            [](const auto& a, const auto& b) { return a.session_id < b.session_id; });
  return contents;
}

void RuntimePersistenceState::Restore(const RuntimePersistenceContents& contents) {
  ids_ = contents.ids;
  last_enqueue_seq_ = contents.last_enqueue_seq;
  head_ = contents.head;
  nodes_.Restore(contents.nodes, contents.tombstoned);
  blobs_.Restore(contents.blobs);
  ledger_.Restore(contents.ledger);
  turns_ = contents.turns;
  attachments_.Restore(contents.attachments);
  meta_ = contents.meta;
  queues_.clear();
  for (const RuntimePersistenceContents::Queue& saved : contents.queues) {
    std::unique_ptr<WorkQueue>& queue = queues_[saved.session_id];
    queue = std::make_unique<WorkQueue>();
    absl::flat_hash_map<const WorkClaims::Terms*, WorkQueue::Rows> claims;
    for (const RuntimePersistenceContents::Row& row : saved.rows) {
      WorkRow& stored = queue->Append(row.batch, row.counter);
      if (row.claim != nullptr) claims[row.claim.get()].push_back(&stored);
    }
    for (const auto& [terms, rows] : claims) queue->Grant(*terms, rows);
  }
}

}  // namespace leasecheck::memstore
