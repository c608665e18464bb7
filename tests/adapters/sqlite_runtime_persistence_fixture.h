// What the tests of the runtime_persistence store on SQLite share: short ways to make requests, and the file's whole content.
#ifndef LEASECHECK_TESTS_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_FIXTURE_H_
#define LEASECHECK_TESTS_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/sqlite/runtime_persistence.h"
#include "model/environment.h"
#include "model/runtime_persistence/store.h"
#include "model/time.h"
#include "tests/adapters/sqlite_fixture.h"

namespace leasecheck::sqlite {

namespace rp = runtime_persistence;

inline rp::SessionNodeRecord Node(const std::string& id, std::optional<std::string> parent = std::nullopt) {
  rp::SessionNodeRecord node;
  node.node_id = id;
  node.parent_node_id = std::move(parent);
  node.timestamp = "2026-01-01T00:00:00Z";
  return node;
}

// The graph of worked example 3: r <- l1 <- l2, r <- q, leaf l2.
inline rp::GraphCommitDelta Branches() {
  return rp::ReplaceFull{{{Node("r"), Node("l1", "r"), Node("l2", "l1"), Node("q", "r")}, "l2"}};
}

inline rp::TokenLedgerEntry Usage(const std::string& source, const std::string& model, rp::TokenUsage usage) {
  return {source, model, usage};
}

inline rp::QueuedWorkBatchDraft Work(const std::string& session = "s") {
  rp::QueuedWorkBatchDraft draft;
  draft.session_id = session;
  draft.payloads = {rp::TurnInput{{"{\"text\":\"w\"}"}}};
  return draft;
}
inline rp::QueuedWorkBatchDraft Joining(const std::string& group) {
  rp::QueuedWorkBatchDraft draft = Work();
  draft.slot_policy = rp::SlotPolicy::kJoin;
  draft.merge_key = rp::MergeGroup{group};
  return draft;
}

// Calls on a store, in the words of the contract's examples; session "s". Each fails the test where the contract says nothing of
// failing.
class Session {
 public:
  explicit Session(rp::RuntimePersistence* store) : store_([store]() -> rp::RuntimePersistence& { return *store; }) {}
  // Asks for the store before every call.
  explicit Session(std::function<rp::RuntimePersistence&()> store) : store_(std::move(store)) {}

  rp::RuntimePersistence& store() { return store_(); }

  static rp::RuntimeCommit Empty(std::optional<uint64_t> expected = std::nullopt, const std::string& session = "s") {
    rp::RuntimeCommit commit;
    commit.session_id = session;
    commit.expected_head_revision = expected;
    return commit;
  }
  static rp::RuntimeCommit With(rp::GraphCommitDelta graph) {
    rp::RuntimeCommit commit = Empty();
    commit.graph = std::move(graph);
    return commit;
  }
  static rp::RuntimeCommit Completing(const std::vector<rp::QueuedWorkClaim>& claims) {
    rp::RuntimeCommit commit = Empty();
    for (const auto& claim : claims) commit.completed_queue_claims.push_back(rp::CompletionOf(claim));
    return commit;
  }
  static rp::RuntimeCommit Stamped(const std::string& turn, const std::string& hash, rp::RuntimeCommit commit = Empty()) {
    commit.turn_commit = rp::RuntimeTurnCommitStamp{commit.session_id, turn, hash};
    return commit;
  }
  rp::Result<rp::RuntimeCommitResult> Commit(rp::RuntimeCommit commit) {
    return store_().CommitRuntimeState({std::move(commit)});
  }
  // The new revision; 0 after an error, which fails the test.
  uint64_t Commits(rp::RuntimeCommit commit) {
    auto result = Commit(std::move(commit));
    EXPECT_TRUE(result.has_value()) << Text(result);
    return result.has_value() ? result->head_revision : 0;
  }

  std::optional<rp::PersistedSessionRead> Load(rp::SessionReadScope scope = rp::FullGraph{}) {
    return Get(store_().LoadSession({std::move(scope)}));
  }
  uint64_t Revision() {
    auto read = Load();
    return read.has_value() ? read->head_revision : 0;
  }
  // The nodes' ids in their order, and the leaf: "r l1 l2 / l2".
  std::string Graph(rp::SessionReadScope scope = rp::FullGraph{}) {
    auto read = Load(std::move(scope));
    if (!read.has_value()) return "no head";
    std::string text;
    for (const auto& node : read->graph.nodes) absl::StrAppend(&text, node.node_id, " ");
    return absl::StrCat(text, "/ ", read->graph.leaf_node_id.value_or("none"));
  }
  std::string Path(std::optional<std::string> leaf = std::nullopt) { return Graph(rp::ActivePath{std::move(leaf)}); }
  std::optional<rp::SessionNodeRecord> LoadNode(const std::string& id) { return Get(store_().LoadNode({id})); }
  void Tombstone(std::vector<std::string> ids) { Get(store_().TombstoneNodes({std::move(ids)})); }
  uint64_t Vacuum() { return Get(store_().Vacuum({})).removed_node_count; }
  rp::GcReport Gc() { return Get(store_().GcUnreachable({})); }

  rp::QueuedWorkBatch Enqueue(rp::QueuedWorkBatchDraft draft = Work()) {
    return Get(store_().EnqueueQueuedWork({std::move(draft)}));
  }
  std::optional<rp::QueuedWorkClaim> Claim(uint64_t max = 10, DurationMs ttl = 60000, const std::string& owner = "o1",
                                           rp::QueuedWorkClaimBoundary boundary = rp::QueuedWorkClaimBoundary::kIdle) {
    return Get(store_().ClaimReadyQueuedWork({"s", owner, boundary, ttl, max}));
  }
  std::optional<rp::QueuedWorkClaim> ClaimIds(std::vector<std::string> ids) {
    return Get(store_().ClaimReadyQueuedWorkByBatchIds({"s", "o1", rp::QueuedWorkClaimBoundary::kIdle, 60000, std::move(ids)}));
  }
  rp::Result<rp::QueuedWorkClaim> Renew(const rp::QueuedWorkClaim& claim, DurationMs ttl) {
    return store_().RenewQueuedWorkClaim({claim, ttl});
  }
  void Abandon(const rp::QueuedWorkClaim& claim) { Get(store_().AbandonQueuedWorkClaim({claim})); }
  std::optional<rp::QueuedWorkBatch> Cancel(const std::string& id) { return Get(store_().CancelQueuedWorkBatch({"s", id})); }
  std::vector<std::string> List() { return Ids(Get(store_().ListQueuedWork({"s"}))); }
  std::vector<std::string> Pending() { return Ids(Get(store_().ListPendingQueuedWork({"s"}))); }

  void Intend(const std::string& id, const std::string& session, EpochMs at) {
    Get(store_().RecordIntent({{id, session, absl::StrCat("file:///", id), at}}));
  }
  std::vector<std::string> Uncommitted(EpochMs at) {
    std::vector<std::string> ids;
    for (const auto& entry : Get(store_().ListUncommitted({at}))) ids.push_back(entry.attachment_id);
    return ids;
  }

  static std::vector<std::string> Ids(const std::vector<rp::QueuedWorkBatch>& batches) {
    std::vector<std::string> ids;
    ids.reserve(batches.size());
    for (const auto& batch : batches) ids.push_back(batch.batch_id);
    return ids;
  }
  static std::vector<std::string> Ids(const std::optional<rp::QueuedWorkClaim>& claim) {
    return claim.has_value() ? Ids(claim->batches) : std::vector<std::string>{};
  }
  template <class Result>
  static std::string Text(const Result& result) {
    if (result.has_value()) return "a response";
    if (const auto* backend = std::get_if<rp::Backend>(&result.error())) return absl::StrCat("Backend: ", backend->text);
    return absl::StrCat("contract error ", result.error().index());
  }
  template <class Response>
  static Response Get(rp::Result<Response> result) {
    EXPECT_TRUE(result.has_value()) << Text(result);
    return result.has_value() ? *std::move(result) : Response{};
  }

 private:
  const std::function<rp::RuntimePersistence&()> store_;
};

// Whether a result is this contract error, fields and all.
template <class Response>
bool Fails(const rp::Result<Response>& result, const rp::StoreError& error) {
  return !result.has_value() && result.error() == error;
}

// Every row of every table, without what each opening counts. The file must not be written meanwhile.
inline std::string DumpSession(const std::string& path, const std::string& vfs = "") {
  sqlite3* handle = nullptr;
  std::string dump;
  const auto append = [](void* to, int columns, char** values, char**) {
    auto* text = static_cast<std::string*>(to);
    for (int i = 0; i < columns; ++i) absl::StrAppend(text, values[i] == nullptr ? "NULL" : values[i], " ");
    absl::StrAppend(text, "\n");
    return 0;
  };
  if (sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, vfs.empty() ? nullptr : vfs.c_str()) == SQLITE_OK) {
    for (const char* sql : {"SELECT 'store', last_enqueue_seq, clock_ms FROM store", "SELECT 'node', * FROM nodes ORDER BY 2",
                            "SELECT 'blob', * FROM blobs ORDER BY 2", "SELECT 'checkpoint', * FROM checkpoints ORDER BY 2",
                            "SELECT 'head', * FROM head", "SELECT 'ledger', * FROM ledger ORDER BY 2",
                            "SELECT 'stamp', * FROM stamps ORDER BY 2, 3", "SELECT 'meta', * FROM meta",
                            "SELECT 'batch', * FROM batches ORDER BY 2", "SELECT 'item', * FROM items ORDER BY 2, 3",
                            "SELECT 'claim', * FROM claims ORDER BY 2", "SELECT 'attachment', * FROM attachments ORDER BY 2, 3",
                            "PRAGMA integrity_check", "PRAGMA foreign_key_check"}) {
      if (sqlite3_exec(handle, sql, append, &dump, nullptr) != SQLITE_OK) {
        absl::StrAppend(&dump, "error: ", sqlite3_errmsg(handle), "\n");
      }
    }
  }
  sqlite3_close(handle);
  return dump;
}

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_TESTS_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_FIXTURE_H_
