// Checkpoints and their snapshots as rows, each under the digest of what it is.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_BLOBS_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_BLOBS_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/connection.h"
#include "adapters/sqlite/transaction.h"
#include "model/runtime_persistence/values.h"

namespace leasecheck::sqlite {

struct StoredCheckpoint {
  runtime_persistence::BlobRef ref;
  runtime_persistence::SessionCheckpoint manifest;
};

// Stores the inline snapshots under refs of the store's, and the checkpoint that names them; where a snapshot is not inline, the
// caller's ref is kept. What is there already is not stored again.
StoredCheckpoint StoreCheckpoint(Transaction& transaction, const runtime_persistence::HydratedSessionCheckpoint& checkpoint);

// The checkpoint with the snapshots that its refs name; one that nobody stored is absent.
std::optional<runtime_persistence::HydratedSessionCheckpoint> LoadCheckpoint(Transaction& transaction, absl::string_view ref);

// The five columns of a manifest from `first`: turn_state, tool_state_ref, plugin_snapshot_ref, plugin_snapshot_revision and
// execution_state_ref.
runtime_persistence::SessionCheckpoint ReadManifest(const Rows& rows, int first);

// Removes what the head does not reach, and says what it kept.
runtime_persistence::GcReport RemoveUnreachable(Transaction& transaction);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_BLOBS_H_
