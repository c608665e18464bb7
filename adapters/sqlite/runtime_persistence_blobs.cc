#include "adapters/sqlite/runtime_persistence_blobs.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/sqlite/columns.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "codec/values.h"

namespace leasecheck::sqlite {
namespace {

using runtime_persistence::BlobRef;
using runtime_persistence::GcReport;
using runtime_persistence::HydratedSessionCheckpoint;
using runtime_persistence::SessionCheckpoint;

// JSON, bytes and checkpoints never share a name: what is digested begins with its kind.

BlobRef StoreJson(Transaction& transaction, const OpaqueJson& json) {
  BlobRef ref = codec::Sha256Hex(absl::StrCat("json\n", json.text));
  transaction.Execute("INSERT INTO blobs VALUES (?1, ?2) ON CONFLICT (ref) DO NOTHING", ref, json.text);
  return ref;
}

BlobRef StoreBytes(Transaction& transaction, const std::vector<uint8_t>& bytes) {
  const absl::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  BlobRef ref = codec::Sha256Hex(absl::StrCat("bytes\n", view));
  transaction.Execute("INSERT INTO blobs VALUES (?1, ?2) ON CONFLICT (ref) DO NOTHING", ref, bytes);
  return ref;
}

std::optional<OpaqueJson> LoadJson(Transaction& transaction, const std::optional<BlobRef>& ref) {
  if (!ref.has_value()) return std::nullopt;
  Rows rows = transaction.Query("SELECT content FROM blobs WHERE ref = ?1 AND typeof(content) = 'text'", *ref);
  if (!rows.Next()) return std::nullopt;
  return OpaqueJson{rows.Text(0)};
}

std::optional<std::vector<uint8_t>> LoadBytes(Transaction& transaction, const std::optional<BlobRef>& ref) {
  if (!ref.has_value()) return std::nullopt;
  Rows rows = transaction.Query("SELECT content FROM blobs WHERE ref = ?1 AND typeof(content) = 'blob'", *ref);
  if (!rows.Next()) return std::nullopt;
  return rows.Bytes(0);
}

// The blobs that the head's checkpoint names.
#define LEASECHECK_REACHED                                                               \
  "SELECT tool_state_ref FROM head JOIN checkpoints ON ref = checkpoint_ref UNION "      \
  "SELECT plugin_snapshot_ref FROM head JOIN checkpoints ON ref = checkpoint_ref UNION " \
  "SELECT execution_state_ref FROM head JOIN checkpoints ON ref = checkpoint_ref "

// Those that its agent frames name. They are kept too, but are no roots.
#define LEASECHECK_OF_FRAMES "SELECT value ->> 'execution_state_ref' FROM head, json_each(agent_frames) "

uint64_t Count(Transaction& transaction, absl::string_view sql) {
  Rows rows = transaction.Query(sql);
  return rows.Next() ? static_cast<uint64_t>(rows.Int(0)) : 0;
}

}  // namespace

StoredCheckpoint StoreCheckpoint(Transaction& transaction, const HydratedSessionCheckpoint& checkpoint) {
  StoredCheckpoint stored;
  SessionCheckpoint& manifest = stored.manifest;
  manifest.turn_state = checkpoint.turn_state;
  manifest.tool_state_ref = checkpoint.tool_state_ref;
  manifest.plugin_snapshot_ref = checkpoint.plugin_snapshot_ref;
  manifest.plugin_snapshot_revision = checkpoint.plugin_snapshot_revision;
  manifest.execution_state_ref = checkpoint.execution_state_ref;
  if (checkpoint.tool_state.has_value()) manifest.tool_state_ref = StoreJson(transaction, *checkpoint.tool_state);
  if (checkpoint.plugin_snapshot.has_value()) manifest.plugin_snapshot_ref = StoreJson(transaction, *checkpoint.plugin_snapshot);
  if (checkpoint.execution_state.has_value()) manifest.execution_state_ref = StoreBytes(transaction, *checkpoint.execution_state);
  stored.ref = codec::Sha256Hex(absl::StrCat("checkpoint\n", codec::CanonicalText(codec::Encode(manifest))));
  transaction.Execute("INSERT INTO checkpoints VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (ref) DO NOTHING", stored.ref,
                      manifest.turn_state.text, manifest.tool_state_ref, manifest.plugin_snapshot_ref,
                      manifest.plugin_snapshot_revision, manifest.execution_state_ref);
  return stored;
}

SessionCheckpoint ReadManifest(const Rows& rows, int first) {
  SessionCheckpoint manifest;
  manifest.turn_state.text = rows.Text(first);
  manifest.tool_state_ref = rows.OptionalText(first + 1);
  manifest.plugin_snapshot_ref = rows.OptionalText(first + 2);
  if (!rows.IsNull(first + 3)) manifest.plugin_snapshot_revision = rows.U64(first + 3);
  manifest.execution_state_ref = rows.OptionalText(first + 4);
  return manifest;
}

std::optional<HydratedSessionCheckpoint> LoadCheckpoint(Transaction& transaction, absl::string_view ref) {
  Rows rows = transaction.Query(
      "SELECT turn_state, tool_state_ref, plugin_snapshot_ref, plugin_snapshot_revision, execution_state_ref FROM checkpoints "
      "WHERE ref = ?1",
      ref);
  if (!rows.Next()) return std::nullopt;
  SessionCheckpoint manifest = ReadManifest(rows, 0);
  HydratedSessionCheckpoint checkpoint;
  checkpoint.turn_state = std::move(manifest.turn_state);
  checkpoint.tool_state = LoadJson(transaction, manifest.tool_state_ref);
  checkpoint.tool_state_ref = std::move(manifest.tool_state_ref);
  checkpoint.plugin_snapshot = LoadJson(transaction, manifest.plugin_snapshot_ref);
  checkpoint.plugin_snapshot_ref = std::move(manifest.plugin_snapshot_ref);
  checkpoint.plugin_snapshot_revision = manifest.plugin_snapshot_revision;
  checkpoint.execution_state = LoadBytes(transaction, manifest.execution_state_ref);
  checkpoint.execution_state_ref = std::move(manifest.execution_state_ref);
  return checkpoint;
}

GcReport RemoveUnreachable(Transaction& transaction) {
  GcReport report;
  report.deleted_blob_count +=
      static_cast<uint64_t>(transaction.Execute("DELETE FROM checkpoints WHERE ref NOT IN (SELECT checkpoint_ref FROM head)"));
  // IS NOT TRUE: a list with NULL in it, for a ref that is absent, makes IN unknown where it is not true.
  report.deleted_blob_count +=
      static_cast<uint64_t>(transaction.Execute("DELETE FROM blobs WHERE (ref IN (" LEASECHECK_REACHED
                                                ")) IS NOT TRUE AND (ref IN (" LEASECHECK_OF_FRAMES ")) IS NOT TRUE"));
  report.root_count = Count(transaction, "SELECT count(*) FROM head");
  report.retained_blob_count =
      Count(transaction, "SELECT count(*) FROM checkpoints") + Count(transaction, "SELECT count(*) FROM blobs");
  return report;
}

}  // namespace leasecheck::sqlite
