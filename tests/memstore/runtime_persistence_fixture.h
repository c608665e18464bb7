// A runtime_persistence reference store with everything injected, and short spellings of its calls for tests.
#ifndef LEASECHECK_TESTS_MEMSTORE_RUNTIME_PERSISTENCE_FIXTURE_H_
#define LEASECHECK_TESTS_MEMSTORE_RUNTIME_PERSISTENCE_FIXTURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "memstore/runtime_persistence.h"
#include "model/environment.h"
#include "model/runtime_persistence/store.h"

namespace leasecheck::memstore {

using namespace runtime_persistence;  // NOLINT: tests speak of the contract's values throughout
using Store = memstore::RuntimePersistence;
using Batch = QueuedWorkBatch;
using Claim = QueuedWorkClaim;
using Ids = std::vector<std::string>;
using Node = SessionNodeRecord;

inline constexpr auto kIdle = QueuedWorkClaimBoundary::kIdle;
inline constexpr auto kCheckpoint = QueuedWorkClaimBoundary::kActiveTurnCheckpoint;

// A node, and one with a parent.
inline Node N(std::string id, std::optional<std::string> parent = std::nullopt, std::string payload = R"({"kind":"event"})") {
  Node node;
  node.node_id = std::move(id);
  node.parent_node_id = std::move(parent);
  node.timestamp = "2026-01-01T00:00:00Z";
  node.payload.text = std::move(payload);
  return node;
}
inline TokenLedgerEntry Usage(std::string source, int64_t input, int64_t output = 0, int64_t cached = 0, int64_t reasoning = 0) {
  return {std::move(source), "m", {input, output, cached, reasoning}};
}

inline SessionMeta MetaOf(std::string session) {
  SessionMeta meta;
  meta.session_id = std::move(session);
  return meta;
}

inline QueuedWorkBatchDraft Work(std::string session = "s") {
  QueuedWorkBatchDraft draft;
  draft.session_id = std::move(session);
  draft.payloads = {ProcessWake{{"{\"n\":1}"}}};
  return draft;
}
inline QueuedWorkBatchDraft Join(MergeKey key) {
  QueuedWorkBatchDraft draft = Work();
  draft.slot_policy = SlotPolicy::kJoin;
  draft.merge_key = std::move(key);
  return draft;
}
inline QueuedWorkBatchDraft At(EpochMs available_at) {
  QueuedWorkBatchDraft draft = Work();
  draft.available_at_ms = available_at;
  return draft;
}
inline QueuedWorkBatchDraft Keyed(std::string key, std::string payload = "{}", std::string session = "s") {
  QueuedWorkBatchDraft draft = Work(std::move(session));
  draft.source_key = std::move(key);
  draft.payloads = {TurnInput{{std::move(payload)}}};
  return draft;
}

// A commit of `session` with the remaining fields empty.
inline RuntimeCommit C(std::string session, std::optional<uint64_t> expected = std::nullopt) {
  RuntimeCommit commit;
  commit.session_id = std::move(session);
  commit.expected_head_revision = expected;
  return commit;
}
inline RuntimeCommit Graph(GraphCommitDelta delta) {
  RuntimeCommit commit = C("s");
  commit.graph = std::move(delta);
  return commit;
}
inline RuntimeCommit Stamped(RuntimeCommit commit, std::string turn, std::string hash) {
  commit.turn_commit = RuntimeTurnCommitStamp{commit.session_id, std::move(turn), std::move(hash)};
  return commit;
}
inline RuntimeCommit Completing(const std::vector<Claim>& claims) {
  RuntimeCommit commit = C("s");
  for (const Claim& claim : claims) commit.completed_queue_claims.push_back(CompletionOf(claim));
  return commit;
}
inline Claim Forged(Claim claim) {
  claim.lease_token += "x";
  return claim;
}

inline Ids IdsOf(const std::vector<Batch>& batches) {
  Ids ids;
  for (const Batch& batch : batches) ids.push_back(batch.batch_id);
  return ids;
}
// The ids of a grant; empty for none.
inline Ids IdsOf(const std::optional<Claim>& claim) { return claim.has_value() ? IdsOf(claim->batches) : Ids{}; }
inline Ids IdsOf(const SessionGraph& graph) {
  Ids ids;
  for (const Node& node : graph.nodes) ids.push_back(node.node_id);
  return ids;
}

// Whether a call failed with just this error.
template <class Response, class Error>
::testing::AssertionResult FailedWith(const Result<Response>& result, const Error& error) {
  if (result.has_value()) return ::testing::AssertionFailure() << "the call succeeded";
  if (result.error() != StoreError(error)) {
    return ::testing::AssertionFailure() << "another error, of alternative " << result.error().index();
  }
  return ::testing::AssertionSuccess();
}
inline const Backend kBackend{};  // equal to every Backend
inline QueuedWorkClaimExpired Expired(const Claim& claim) { return {claim.session_id, claim.claim_id}; }

class StoreTest : public ::testing::Test {
 protected:
  explicit StoreTest(const RuntimePersistenceOptions& options = {.id_style = IdStyle::kReadable}) : store_(Env(), options) {}

  Environment Env() { return {.clock = &clock_}; }

  Result<RuntimeCommitResult> Commit(const RuntimeCommit& commit) { return store_.CommitRuntimeState({commit}); }
  // The revision that the commit answers; 0 where it fails.
  uint64_t Revision(const RuntimeCommit& commit) {
    const auto result = Commit(commit);
    return result.has_value() ? result->head_revision : 0;
  }
  std::optional<PersistedSessionRead> Load(const SessionReadScope& scope = FullGraph{}) {
    return store_.LoadSession({scope}).value();
  }
  SessionGraph Path(std::optional<std::string> leaf = std::nullopt) { return Load(ActivePath{std::move(leaf)}).value().graph; }
  std::optional<Node> LoadNode(const std::string& id) { return store_.LoadNode({id}).value(); }
  void Tombstone(const Ids& ids) { EXPECT_TRUE(store_.TombstoneNodes({ids}).has_value()); }
  uint64_t Vacuum() { return store_.Vacuum({}).value().removed_node_count; }

  Batch Enqueue(const QueuedWorkBatchDraft& draft) { return store_.EnqueueQueuedWork({draft}).value(); }
  std::optional<Claim> ClaimWork(DurationMs ttl = 60000, uint64_t max = 1, QueuedWorkClaimBoundary boundary = kIdle,
                                 const std::string& owner = "o", const std::string& session = "s") {
    return store_.ClaimReadyQueuedWork({session, owner, boundary, ttl, max}).value();
  }
  std::optional<Claim> ClaimIds(const Ids& ids) {
    return store_.ClaimReadyQueuedWorkByBatchIds({"s", "o", kIdle, 60000, ids}).value();
  }
  Result<Claim> Renew(const Claim& claim, DurationMs ttl) { return store_.RenewQueuedWorkClaim({claim, ttl}); }
  void Abandon(const Claim& claim) { EXPECT_TRUE(store_.AbandonQueuedWorkClaim({claim}).has_value()); }
  std::optional<Batch> Cancel(const std::string& batch_id, const std::string& session = "s") {
    return store_.CancelQueuedWorkBatch({session, batch_id}).value();
  }
  Ids List(const std::string& session = "s") { return IdsOf(store_.ListQueuedWork({session}).value()); }
  Ids Pending(const std::string& session = "s") { return IdsOf(store_.ListPendingQueuedWork({session}).value()); }

  void Record(const std::string& id, const std::string& session, EpochMs at, const std::string& uri = "u") {
    EXPECT_TRUE(store_.RecordIntent({{id, session, uri, at}}).has_value());
  }
  Ids Uncommitted(EpochMs older_than = kEndOfTime) {
    const std::vector<AttachmentManifestEntry> entries = store_.ListUncommitted({older_than}).value();
    Ids ids;
    for (const AttachmentManifestEntry& entry : entries) ids.push_back(entry.attachment_id);
    return ids;
  }

  ManualClock clock_{1000};
  Store store_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_TESTS_MEMSTORE_RUNTIME_PERSISTENCE_FIXTURE_H_
