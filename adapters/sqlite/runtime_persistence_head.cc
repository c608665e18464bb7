#include "adapters/sqlite/runtime_persistence_head.h"

#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/columns.h"
#include "adapters/sqlite/runtime_persistence_blobs.h"
#include "codec/json.h"
#include "codec/values.h"

namespace leasecheck::sqlite {
namespace {

using runtime_persistence::AgentFrameRecord;
using runtime_persistence::RelationChild;
using runtime_persistence::RelationRoot;
using runtime_persistence::RuntimeCommitResult;
using runtime_persistence::RuntimeTurnCommitStamp;
using runtime_persistence::SessionMeta;

std::vector<AgentFrameRecord> ReadFrames(Transaction& transaction, const std::string& text) {
  std::vector<AgentFrameRecord> frames;
  absl::StatusOr<codec::Json> json = codec::ParseJson(text);
  absl::Status status = json.ok() ? codec::Decode(*json, &frames) : json.status();
  if (!status.ok()) transaction.Fail(absl::DataLossError(absl::StrCat("the agent frames cannot be read: ", status.message())));
  return frames;
}

}  // namespace

std::optional<Binding> ReadBinding(Transaction& transaction) {
  Rows rows = transaction.Query("SELECT session_id, head_revision FROM head");
  if (!rows.Next()) return std::nullopt;
  return Binding{rows.Text(0), rows.U64(1)};
}

std::optional<Head> ReadSessionHead(Transaction& transaction) {
  Rows rows = transaction.Query(
      "SELECT session_id, head_revision, provider_id, model, agent_frames, current_agent_frame_id, leaf_node_id, checkpoint_ref "
      "FROM head");
  if (!rows.Next()) return std::nullopt;
  return Head{.session_id = rows.Text(0),
              .head_revision = rows.U64(1),
              .config = {rows.Text(2), {rows.Text(3)}},
              .agent_frames = ReadFrames(transaction, rows.Text(4)),
              .current_agent_frame_id = rows.Text(5),
              .leaf_node_id = rows.OptionalText(6),
              .checkpoint_ref = rows.Text(7)};
}

void WriteSessionHead(Transaction& transaction, const Head& head) {
  transaction.Execute("INSERT OR REPLACE INTO head VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", head.session_id,
                      head.head_revision, head.config.provider_id, head.config.model.text,
                      codec::CanonicalText(codec::Encode(head.agent_frames)), head.current_agent_frame_id, head.leaf_node_id,
                      head.checkpoint_ref);
}

std::optional<AcceptedTurn> ReadTurn(Transaction& transaction, const RuntimeTurnCommitStamp& stamp) {
  Rows rows = transaction.Query(
      "SELECT turn_commit_hash, head_revision, checkpoint_ref, turn_state, tool_state_ref, plugin_snapshot_ref, "
      "plugin_snapshot_revision, execution_state_ref FROM stamps WHERE session_id = ?1 AND turn_id = ?2",
      stamp.session_id, stamp.turn_id);
  if (!rows.Next()) return std::nullopt;
  return AcceptedTurn{rows.Text(0), {rows.U64(1), rows.Text(2), ReadManifest(rows, 3)}};
}

void WriteTurn(Transaction& transaction, const RuntimeTurnCommitStamp& stamp, const RuntimeCommitResult& result) {
  transaction.Execute("INSERT INTO stamps VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", stamp.session_id, stamp.turn_id,
                      stamp.turn_commit_hash, result.head_revision, result.checkpoint_ref, result.manifest.turn_state.text,
                      result.manifest.tool_state_ref, result.manifest.plugin_snapshot_ref,
                      result.manifest.plugin_snapshot_revision, result.manifest.execution_state_ref);
}

std::optional<SessionMeta> ReadMeta(Transaction& transaction) {
  Rows rows =
      transaction.Query("SELECT session_id, session_name, created_at, model, cwd, parent_session_id, caused_by FROM meta");
  if (!rows.Next()) return std::nullopt;
  SessionMeta meta{rows.Text(0), rows.Text(1), rows.Text(2), rows.Text(3), rows.OptionalText(4), RelationRoot{}};
  if (!rows.IsNull(5)) meta.relation = RelationChild{rows.Text(5), ReadJson(rows, 6)};
  return meta;
}

void WriteMeta(Transaction& transaction, const SessionMeta& meta) {
  const auto* child = std::get_if<RelationChild>(&meta.relation);
  std::optional<std::string> parent, caused_by;
  if (child != nullptr) {
    parent = child->parent_session_id;
    caused_by = TextOf(child->caused_by);
  }
  transaction.Execute("INSERT OR REPLACE INTO meta VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)", meta.session_id, meta.session_name,
                      meta.created_at, meta.model, meta.cwd, parent, caused_by);
}

}  // namespace leasecheck::sqlite
