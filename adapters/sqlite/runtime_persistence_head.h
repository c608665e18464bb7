// What a commit leaves beside graph, checkpoint and ledger, and the session's meta, as rows.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_HEAD_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_HEAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/transaction.h"
#include "model/runtime_persistence/values.h"

namespace leasecheck::sqlite {

// What a commit is checked against.
struct Binding {
  std::string session_id;
  uint64_t head_revision = 0;
};

struct Head {
  std::string session_id;
  uint64_t head_revision = 0;
  runtime_persistence::PersistedSessionConfig config;
  std::vector<runtime_persistence::AgentFrameRecord> agent_frames;
  std::string current_agent_frame_id;
  std::optional<std::string> leaf_node_id;
  runtime_persistence::BlobRef checkpoint_ref;
};

// None before the first commit.
std::optional<Binding> ReadBinding(Transaction& transaction);
// The same, whole. Frames that cannot be read fail the transaction.
std::optional<Head> ReadSessionHead(Transaction& transaction);
void WriteSessionHead(Transaction& transaction, const Head& head);

// The turns that were accepted.
struct AcceptedTurn {
  std::string turn_commit_hash;
  runtime_persistence::RuntimeCommitResult result;
};
std::optional<AcceptedTurn> ReadTurn(Transaction& transaction, const runtime_persistence::RuntimeTurnCommitStamp& stamp);
void WriteTurn(Transaction& transaction, const runtime_persistence::RuntimeTurnCommitStamp& stamp,
               const runtime_persistence::RuntimeCommitResult& result);

std::optional<runtime_persistence::SessionMeta> ReadMeta(Transaction& transaction);
void WriteMeta(Transaction& transaction, const runtime_persistence::SessionMeta& meta);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_HEAD_H_
