// A scene for tests of the runtime_persistence spec: a state, a clock and hand-written answers.
//
// Every refused answer is checked to leave the state as it was and to be explained.
#ifndef LEASECHECK_TESTS_MODEL_RUNTIME_PERSISTENCE_SCENE_H_
#define LEASECHECK_TESTS_MODEL_RUNTIME_PERSISTENCE_SCENE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/runtime_persistence/clauses.h"
#include "model/runtime_persistence/spec.h"

namespace leasecheck::runtime_persistence {

using Family = RuntimePersistenceFamily;
using SpecUnderTest = RuntimePersistenceSpec;
using Request = SpecUnderTest::Request;
using Outcome = SpecUnderTest::Outcome;

// An answer of the operation that takes requests of type R.
template <class R>
Outcome Answered(typename OperationAt<Family, OperationIndexOf<Family, R>()>::Response response) {
  constexpr std::size_t kIndex = OperationIndexOf<Family, R>();
  return Outcome(std::in_place_index<0>, ResponseOf<Family>(std::in_place_index<kIndex>, std::move(response)));
}
inline Outcome Failed(StoreError error) { return Outcome(std::in_place_index<1>, std::move(error)); }
inline Outcome Unseen() { return Indefinite{"lost"}; }

inline SessionNodeRecord NodeOf(const std::string& id, std::optional<std::string> parent = std::nullopt, int content = 0) {
  SessionNodeRecord node;
  node.node_id = id;
  node.parent_node_id = std::move(parent);
  node.payload.text = absl::StrCat(R"({"event":)", content, R"(,"kind":"event"})");
  return node;
}
inline SessionGraph GraphOf(std::vector<SessionNodeRecord> nodes, std::optional<std::string> leaf) {
  return {std::move(nodes), std::move(leaf)};
}

inline QueuedWorkBatchDraft Draft(const std::string& session = "s") {
  QueuedWorkBatchDraft draft;
  draft.session_id = session;
  draft.payloads = {ProcessWake{{"{\"n\":1}"}}};
  return draft;
}
inline QueuedWorkBatchDraft JoinDraft(const std::string& group) {
  QueuedWorkBatchDraft draft = Draft();
  draft.slot_policy = SlotPolicy::kJoin;
  draft.merge_key = MergeGroup{group};
  return draft;
}
// The batch that a store makes of a draft.
inline QueuedWorkBatch BatchFrom(const QueuedWorkBatchDraft& draft, const std::string& id, uint64_t seq, EpochMs now) {
  QueuedWorkBatch batch{id,
                        draft.session_id,
                        draft.source_key,
                        draft.delivery_policy,
                        draft.slot_policy,
                        draft.merge_key,
                        draft.available_at_ms,
                        seq,
                        now,
                        {}};
  for (const QueuedWorkPayload& payload : draft.payloads) {
    batch.items.push_back({absl::StrCat(id, "/", batch.items.size()), payload});
  }
  return batch;
}

// Says which calls overlap the one being judged.
class FakeOverlap final : public Overlap<Family> {
 public:
  bool Overlaps(CallIndex) const override { return !calls.empty(); }
  bool Any(absl::FunctionRef<bool(const Request&)> predicate) const override {
    for (const Request& request : calls) {
      if (predicate(request)) return true;
    }
    return false;
  }
  std::vector<Request> calls;
};

class Scene : public testing::Test {
 public:
  static constexpr const char* kAllowed = "allowed";

  // Judges an answer: kAllowed, or the id of the clause that forbids it. Afterwards `alternatives` holds what else is possible.
  std::string JudgeOutcome(const Request& request, const Outcome& outcome) {
    const SpecState before = state;
    alternatives.clear();
    const auto refused = SpecUnderTest::Step(state, request, outcome, now, Context(), &alternatives);
    if (!refused.has_value()) return kAllowed;
    EXPECT_TRUE(state == before) << "a refusal changed the state";
    EXPECT_TRUE(alternatives.empty());
    const std::string why = SpecUnderTest::Explain(state, request, outcome, now, Context());
    EXPECT_NE(why.find("expected "), std::string::npos);
    EXPECT_NE(why.find("; got "), std::string::npos);
    return std::string(kClauses[*refused].id);
  }
  template <class R>
  std::string Judge(const R& request, typename OperationAt<Family, OperationIndexOf<Family, R>()>::Response response) {
    return JudgeOutcome(Request(request), Answered<R>(std::move(response)));
  }
  template <class R>
  std::string JudgeError(const R& request, StoreError error) {
    return JudgeOutcome(Request(request), Failed(std::move(error)));
  }
  // Like Judge, but leaves the state alone.
  template <class R>
  std::string Peek(const R& request, typename OperationAt<Family, OperationIndexOf<Family, R>()>::Response response) {
    const SpecState before = state;
    std::string verdict = Judge(request, std::move(response));
    state = before;
    return verdict;
  }
  template <class R>
  std::string PeekError(const R& request, StoreError error) {
    const SpecState before = state;
    std::string verdict = JudgeError(request, std::move(error));
    state = before;
    return verdict;
  }

  SpecUnderTest::Context Context() {
    SpecUnderTest::Context context;
    context.setup = {&dialects, nullptr};
    context.call = 1;
    context.overlap = overlap.calls.empty() ? nullptr : &overlap;
    context.part = part;
    context.hits = &hits;
    return context;
  }

  // Commits.

  RuntimeCommit Commit(GraphCommitDelta delta = Unchanged{}) const {
    RuntimeCommit commit;
    commit.session_id = "s";
    commit.graph = std::move(delta);
    return commit;
  }
  // What a store answers that keeps the caller's refs and names inline snapshots itself.
  RuntimeCommitResult ResultOf(const RuntimeCommit& commit, uint64_t revision) const {
    const HydratedSessionCheckpoint& given = commit.checkpoint;
    RuntimeCommitResult result{revision, absl::StrCat("cp", revision), {}};
    result.manifest = {given.turn_state, given.tool_state_ref, given.plugin_snapshot_ref, given.plugin_snapshot_revision,
                       given.execution_state_ref};
    if (given.tool_state.has_value()) result.manifest.tool_state_ref = absl::StrCat("blob:", given.tool_state->text);
    return result;
  }
  std::string Accept(const RuntimeCommit& commit) {
    const RuntimeCommitResult result = ResultOf(commit, state.head_revision + 1);
    std::string verdict = Judge(CommitRuntimeStateRequest{commit}, result);
    if (verdict == kAllowed) last = commit;
    return verdict;
  }
  // A read of what the last accepted commit left, with this graph.
  PersistedSessionRead ReadWith(SessionGraph graph) const {
    PersistedSessionRead read;
    const uint64_t revision = state.head_revision;
    read.session_id = "s";
    read.head_revision = revision;
    read.config = last.config;
    read.agent_frames = last.agent_frames;
    read.current_agent_frame_id = last.current_agent_frame_id;
    read.graph = std::move(graph);
    read.checkpoint_ref = absl::StrCat("cp", revision);
    read.checkpoint = last.checkpoint;
    if (last.checkpoint.tool_state.has_value()) {
      read.checkpoint->tool_state_ref = absl::StrCat("blob:", last.checkpoint.tool_state->text);
    }
    read.token_ledger = ledger;
    return read;
  }
  std::string Full(SessionGraph graph) { return Peek(LoadSessionRequest{}, ReadWith(std::move(graph))); }
  std::string Path(std::optional<std::string> leaf, SessionGraph graph) {
    return Peek(LoadSessionRequest{ActivePath{std::move(leaf)}}, ReadWith(std::move(graph)));
  }

  // The queue.

  QueuedWorkBatch Put(const std::string& id, const QueuedWorkBatchDraft& draft = Draft()) {
    QueuedWorkBatch batch = BatchFrom(draft, id, ++seq, now);
    EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{draft}, batch), kAllowed);
    return batch;
  }
  static ClaimReadyQueuedWorkRequest Work(uint64_t max = 10, DurationMs ttl = 50) {
    return {"s", "o", QueuedWorkClaimBoundary::kIdle, ttl, max};
  }
  QueuedWorkClaim Grant(std::vector<QueuedWorkBatch> batches, uint64_t fencing = 1, DurationMs ttl = 50) {
    ++serial;
    return {"s",
            absl::StrCat("claim-", serial),
            "o",
            absl::StrCat("token-", serial),
            fencing,
            now,
            SaturatingAdd(now, ttl),
            std::move(batches)};
  }
  QueuedWorkClaim Claim(std::vector<QueuedWorkBatch> batches, uint64_t fencing = 1, DurationMs ttl = 50) {
    const uint64_t max = batches.size();
    QueuedWorkClaim grant = Grant(std::move(batches), fencing, ttl);
    EXPECT_EQ(Judge(Work(max, ttl), grant), kAllowed);
    return grant;
  }
  std::string Pending(std::vector<QueuedWorkBatch> batches) {
    return Peek(ListPendingQueuedWorkRequest{"s"}, std::move(batches));
  }
  std::string List(std::vector<QueuedWorkBatch> batches) { return Peek(ListQueuedWorkRequest{"s"}, std::move(batches)); }

  SpecState state;
  std::vector<SpecState> alternatives;
  EpochMs now = 1000;
  Dialects dialects;
  FakeOverlap overlap;
  ClauseHits hits{std::size(kClauses)};
  int part = 0;
  RuntimeCommit last;
  std::vector<TokenLedgerEntry> ledger;
  uint64_t seq = 0;
  int serial = 0;
};

}  // namespace leasecheck::runtime_persistence

#endif  // LEASECHECK_TESTS_MODEL_RUNTIME_PERSISTENCE_SCENE_H_
