// Opening, the reads of settled state, and upkeep. The commit, the queue and the attachments have files of their own.
#include "adapters/sqlite/runtime_persistence.h"

#include <variant>

#include "absl/memory/memory.h"
#include "adapters/sqlite/runtime_persistence_blobs.h"
#include "adapters/sqlite/runtime_persistence_graph.h"
#include "adapters/sqlite/runtime_persistence_head.h"
#include "adapters/sqlite/runtime_persistence_ledger.h"
#include "adapters/sqlite/runtime_persistence_schema.h"
#include "adapters/sqlite/transaction.h"

namespace leasecheck::sqlite {
namespace {

using runtime_persistence::ActivePath;
using runtime_persistence::Done;
using runtime_persistence::DurabilityTier;
using runtime_persistence::GcReport;
using runtime_persistence::PersistedSessionRead;
using runtime_persistence::Result;
using runtime_persistence::SessionGraph;
using runtime_persistence::SessionMeta;
using runtime_persistence::SessionNodeRecord;
using runtime_persistence::SessionReadScope;
using runtime_persistence::VacuumReport;

// As much of the graph as the scope asks for. [RP-LDS-3..9]
SessionGraph ReadGraph(Transaction& transaction, const SessionReadScope& scope, const std::optional<std::string>& head_leaf) {
  const auto* path = std::get_if<ActivePath>(&scope);
  if (path == nullptr) return {LiveNodes(transaction), head_leaf};
  const std::optional<std::string>& leaf = path->leaf_node_id.has_value() ? path->leaf_node_id : head_leaf;
  if (!leaf.has_value()) return {};
  return {PathTo(transaction, *leaf), leaf};
}

}  // namespace

absl::StatusOr<std::unique_ptr<RuntimePersistence>> RuntimePersistence::Open(const Options& options) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(options, RuntimePersistenceSchema());
  if (!database.ok()) return database.status();
  const DurabilityTier tier = options.path == ":memory:" ? DurabilityTier::kInline : DurabilityTier::kDurable;
  return absl::WrapUnique(new RuntimePersistence(*std::move(database), tier));
}

Result<std::optional<PersistedSessionRead>> RuntimePersistence::LoadSession(
    const runtime_persistence::LoadSessionRequest& request) {
  return database_->ReadTimeless([&](Transaction& transaction) -> Result<std::optional<PersistedSessionRead>> {
    std::optional<Head> head = ReadSessionHead(transaction);
    if (!head.has_value()) return std::nullopt;
    PersistedSessionRead read;
    read.session_id = std::move(head->session_id);
    read.head_revision = head->head_revision;
    read.config = std::move(head->config);
    read.agent_frames = std::move(head->agent_frames);
    read.current_agent_frame_id = std::move(head->current_agent_frame_id);
    read.graph = ReadGraph(transaction, request.scope, head->leaf_node_id);
    read.checkpoint = LoadCheckpoint(transaction, head->checkpoint_ref);
    read.checkpoint_ref = std::move(head->checkpoint_ref);
    read.token_ledger = ReadLedger(transaction);
    return read;
  });
}

Result<std::optional<SessionNodeRecord>> RuntimePersistence::LoadNode(const runtime_persistence::LoadNodeRequest& request) {
  return database_->ReadTimeless([&](Transaction& transaction) -> Result<std::optional<SessionNodeRecord>> {
    return LiveNode(transaction, request.node_id);
  });
}

Result<Done> RuntimePersistence::SaveSessionMeta(const runtime_persistence::SaveSessionMetaRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    WriteMeta(transaction, request.meta);
    return Done{};
  });
}

Result<std::optional<SessionMeta>> RuntimePersistence::LoadSessionMeta(const runtime_persistence::LoadSessionMetaRequest&) {
  return database_->ReadTimeless(
      [&](Transaction& transaction) -> Result<std::optional<SessionMeta>> { return ReadMeta(transaction); });
}

Result<Done> RuntimePersistence::TombstoneNodes(const runtime_persistence::TombstoneNodesRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    for (const std::string& id : request.ids) Tombstone(transaction, id);
    return Done{};
  });
}

Result<VacuumReport> RuntimePersistence::Vacuum(const runtime_persistence::VacuumRequest&) {
  return database_->Write(
      [&](Transaction& transaction, EpochMs) -> Result<VacuumReport> { return VacuumReport{RemoveTombstoned(transaction)}; });
}

Result<GcReport> RuntimePersistence::GcUnreachable(const runtime_persistence::GcUnreachableRequest&) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<GcReport> { return RemoveUnreachable(transaction); });
}

Result<DurabilityTier> RuntimePersistence::GetDurabilityTier(const runtime_persistence::DurabilityTierRequest&) { return tier_; }

}  // namespace leasecheck::sqlite
