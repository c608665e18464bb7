// The commit: one transaction over everything that it moves.
#include <limits>
#include <variant>

#include "absl/strings/str_cat.h"
#include "adapters/sqlite/claim_rows.h"
#include "adapters/sqlite/runtime_persistence.h"
#include "adapters/sqlite/runtime_persistence_attachments.h"
#include "adapters/sqlite/runtime_persistence_blobs.h"
#include "adapters/sqlite/runtime_persistence_graph.h"
#include "adapters/sqlite/runtime_persistence_head.h"
#include "adapters/sqlite/runtime_persistence_ledger.h"

namespace leasecheck::sqlite {
namespace {

using runtime_persistence::Append;
using runtime_persistence::GraphCommitDelta;
using runtime_persistence::HeadRevisionConflict;
using runtime_persistence::QueuedWorkClaimExpired;
using runtime_persistence::ReplaceFull;
using runtime_persistence::Result;
using runtime_persistence::RuntimeCommit;
using runtime_persistence::RuntimeCommitResult;
using runtime_persistence::RuntimeTurnCommitConflict;
using runtime_persistence::RuntimeTurnCommitStamp;
using runtime_persistence::SessionBindingMismatch;
using runtime_persistence::StoreError;
using runtime_persistence::Unchanged;

// Checks what comes before the writes, in the contract's order, and deletes what the commit completes. No value: it may go on.
// [RP-CMT-4,5,23..27]
std::optional<StoreError> Refuse(Transaction& transaction, const RuntimeCommit& commit, uint64_t head_revision) {
  if (commit.expected_head_revision.has_value() && *commit.expected_head_revision != head_revision) {
    return HeadRevisionConflict{commit.expected_head_revision, head_revision};
  }
  for (const runtime_persistence::QueuedWorkCompletion& completion : commit.completed_queue_claims) {
    if (!Settle(transaction, commit.session_id, completion)) {
      return QueuedWorkClaimExpired{completion.session_id, completion.claim_id};
    }
  }
  return std::nullopt;
}

// Returns the id of a node that cannot be put in. [RP-CMT-13..16]
std::optional<std::string> Apply(Transaction& transaction, const GraphCommitDelta& delta) {
  if (const auto* append = std::get_if<Append>(&delta)) return AppendNodes(transaction, append->nodes);
  if (const auto* replace = std::get_if<ReplaceFull>(&delta)) return ReplaceNodes(transaction, replace->graph.nodes);
  return std::nullopt;
}

const std::optional<std::string>& LeafOf(const GraphCommitDelta& delta) {
  if (const auto* append = std::get_if<Append>(&delta)) return append->leaf_node_id;
  if (const auto* replace = std::get_if<ReplaceFull>(&delta)) return replace->graph.leaf_node_id;
  return std::get<Unchanged>(delta).leaf_node_id;
}

// Moves the store to the next revision. An error gives the transaction up. [RP-CMT-6,13..22,28]
Result<RuntimeCommitResult> Advance(Transaction& transaction, const RuntimeCommit& commit, uint64_t head_revision, EpochMs now) {
  if (head_revision == std::numeric_limits<uint64_t>::max()) return BackendError<StoreError>("the head revisions are used up");
  if (std::optional<std::string> id = Apply(transaction, commit.graph)) {
    return BackendError<StoreError>(absl::StrCat("node '", *id, "' is in the graph already, or twice in the commit"));
  }
  if (!AddUsage(transaction, commit.usage_deltas)) return BackendError<StoreError>("a sum of the token ledger overflows");
  StoredCheckpoint checkpoint = StoreCheckpoint(transaction, commit.checkpoint);
  WriteSessionHead(transaction, {.session_id = commit.session_id,
                                 .head_revision = head_revision + 1,
                                 .config = commit.config,
                                 .agent_frames = commit.agent_frames,
                                 .current_agent_frame_id = commit.current_agent_frame_id,
                                 .leaf_node_id = LeafOf(commit.graph),
                                 .checkpoint_ref = checkpoint.ref});
  StampAttachments(transaction, commit.session_id, commit.committed_attachment_ids, now);
  RuntimeCommitResult result{head_revision + 1, std::move(checkpoint.ref), std::move(checkpoint.manifest)};
  if (commit.turn_commit.has_value()) WriteTurn(transaction, *commit.turn_commit, result);
  return result;
}

}  // namespace

Result<RuntimeCommitResult> RuntimePersistence::CommitRuntimeState(
    const runtime_persistence::CommitRuntimeStateRequest& request) {
  const RuntimeCommit& commit = request.commit;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<RuntimeCommitResult> {
    std::optional<Binding> bound = ReadBinding(transaction);
    if (bound.has_value() && bound->session_id != commit.session_id) {
      return Fails<StoreError>(SessionBindingMismatch{bound->session_id, commit.session_id});
    }
    if (commit.turn_commit.has_value()) {
      const RuntimeTurnCommitStamp& stamp = *commit.turn_commit;
      if (stamp.session_id != commit.session_id) {
        return Fails<StoreError>(RuntimeTurnCommitConflict{stamp.session_id, stamp.turn_id});
      }
      std::optional<AcceptedTurn> accepted = ReadTurn(transaction, stamp);
      if (accepted.has_value() && accepted->turn_commit_hash != stamp.turn_commit_hash) {
        return Fails<StoreError>(RuntimeTurnCommitConflict{stamp.session_id, stamp.turn_id});
      }
      if (accepted.has_value()) return std::move(accepted->result);
    }
    const uint64_t head_revision = bound.has_value() ? bound->head_revision : 0;
    if (std::optional<StoreError> error = Refuse(transaction, commit, head_revision)) return Fails<StoreError>(*std::move(error));
    return Advance(transaction, commit, head_revision, now);
  });
}

}  // namespace leasecheck::sqlite
