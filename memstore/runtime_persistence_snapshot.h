// What a reference store of the runtime_persistence contract holds at one instant, as a value.
#ifndef LEASECHECK_MEMSTORE_RUNTIME_PERSISTENCE_SNAPSHOT_H_
#define LEASECHECK_MEMSTORE_RUNTIME_PERSISTENCE_SNAPSHOT_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "memstore/attachment_log.h"
#include "memstore/blob_shelf.h"
#include "memstore/ids.h"
#include "memstore/node_log.h"
#include "memstore/shared_value.h"
#include "memstore/token_ledger.h"
#include "memstore/work_queue.h"
#include "model/runtime_persistence/store.h"

namespace leasecheck::memstore {

// The result of a stamped commit. Stamps are kept by turn id: a store commits for one session only.
struct RecordedCommit {
  std::string turn_commit_hash;
  runtime_persistence::RuntimeCommitResult result;
  friend bool operator==(const RecordedCommit&, const RecordedCommit&) = default;
};
using RecordedCommits = absl::btree_map<std::string, RecordedCommit>;

// What the last accepted commit left, beside graph, ledger and blobs. Its session is what the store is bound to.
struct SessionHead {
  std::string session_id;
  uint64_t revision = 0;
  runtime_persistence::PersistedSessionConfig config;
  std::vector<runtime_persistence::AgentFrameRecord> agent_frames;
  std::string current_agent_frame_id;
  std::optional<std::string> leaf_node_id;
  runtime_persistence::BlobRef checkpoint_ref;
  friend bool operator==(const SessionHead&, const SessionHead&) = default;
};

// The contents in canonical order, so that equal stores give equal contents, however they came to be. Nodes, blobs and batches
// are shared with the store and never change.
struct RuntimePersistenceContents {
  struct Row {
    std::shared_ptr<const runtime_persistence::QueuedWorkBatch> batch;
    uint64_t counter = 0;                            // the claim counter
    std::shared_ptr<const WorkClaims::Terms> claim;  // live or lapsed, shared by the rows of one claim; or null
    friend bool operator==(const Row& a, const Row& b) {
      return a.counter == b.counter && SameValue(a.claim, b.claim) && SameValue(a.batch, b.batch);
    }
  };
  struct Queue {
    std::string session_id;
    std::vector<Row> rows;
    friend bool operator==(const Queue&, const Queue&) = default;
  };

  IdSource ids;
  uint64_t last_enqueue_seq = 0;
  std::optional<SessionHead> head;
  NodeLog::Nodes nodes;
  absl::btree_set<std::string> tombstoned;
  BlobShelf::Blobs blobs;
  std::vector<runtime_persistence::TokenLedgerEntry> ledger;
  RecordedCommits turns;
  std::vector<Queue> queues;  // those that hold something, by session
  std::vector<runtime_persistence::AttachmentManifestEntry> attachments;
  std::optional<runtime_persistence::SessionMeta> meta;

  friend bool operator==(const RuntimePersistenceContents& a, const RuntimePersistenceContents& b) {
    auto same = [](const auto& x, const auto& y) { return SameValue(x, y); };
    return a.ids == b.ids && a.last_enqueue_seq == b.last_enqueue_seq && a.head == b.head &&
           std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(), same) && a.tombstoned == b.tombstoned &&
           SameNames(a.blobs, b.blobs) && a.ledger == b.ledger && a.turns == b.turns && a.queues == b.queues &&
           a.attachments == b.attachments && a.meta == b.meta;
  }

 private:
  // A blob's name stands for its content.
  static bool SameNames(const BlobShelf::Blobs& a, const BlobShelf::Blobs& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return x.first == y.first; });
  }
};

// A snapshot of a RuntimePersistence: copied in constant time, compared and hashed by value. Only a store makes one; any store
// takes it back, as often as wanted. Thread-safe as a value: it never changes.
class RuntimePersistenceSnapshot {
 public:
  explicit RuntimePersistenceSnapshot(RuntimePersistenceContents contents)
      : contents_(std::make_shared<const RuntimePersistenceContents>(std::move(contents))) {}

  const RuntimePersistenceContents& contents() const { return *contents_; }

  friend bool operator==(const RuntimePersistenceSnapshot& a, const RuntimePersistenceSnapshot& b) {
    return a.contents_ == b.contents_ || *a.contents_ == *b.contents_;
  }
  // Over the parts that tell states apart in practice; the rest is left to ==.
  template <typename H>
  friend H AbslHashValue(H h, const RuntimePersistenceSnapshot& snapshot) {
    const RuntimePersistenceContents& contents = *snapshot.contents_;
    h = H::combine(std::move(h), contents.ids, contents.last_enqueue_seq, contents.nodes.size(), contents.tombstoned.size(),
                   contents.blobs.size(), contents.attachments.size(), contents.meta.has_value());
    if (contents.head.has_value()) h = H::combine(std::move(h), contents.head->session_id, contents.head->revision);
    for (const RuntimePersistenceContents::Queue& queue : contents.queues) {
      for (const RuntimePersistenceContents::Row& row : queue.rows) {
        h = H::combine(std::move(h), row.batch->enqueue_seq, row.counter, row.claim == nullptr ? 0 : row.claim->expires);
      }
    }
    return h;
  }

 private:
  std::shared_ptr<const RuntimePersistenceContents> contents_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_RUNTIME_PERSISTENCE_SNAPSHOT_H_
