// A scene for tests of the session_store spec: a state, a clock and hand-written answers.
//
// Every refused answer is checked to leave the state as it was and to be explained.
#ifndef LEASECHECK_TESTS_MODEL_SESSION_STORE_SCENE_H_
#define LEASECHECK_TESTS_MODEL_SESSION_STORE_SCENE_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/session_store/clauses.h"
#include "model/session_store/spec.h"

namespace leasecheck::session_store {

using Family = SessionStoreFamily;
using SpecUnderTest = SessionStoreSpec;
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

inline LeaseOwnerIdentity Owner(const std::string& name) { return {name, absl::StrCat(name, "1"), OpaqueOwner{}}; }
inline LeaseOwnerIdentity ProcessOwner(const std::string& name, uint32_t pid) {
  return {name, absl::StrCat(name, "1"), LocalProcessOwner{"host", "boot", pid, "1"}};
}
inline LeaseOwnerIdentity DeadOwner(const std::string& name) { return ProcessOwner(name, kDeadPid); }
inline LeaseOwnerIdentity AliveOwner(const std::string& name) { return ProcessOwner(name, 1); }

inline QueuedWorkPayload Wake() { return ProcessWake{{"{\"n\":1}"}}; }
inline QueuedWorkPayload Command() { return SessionCommand{{"{\"kind\":\"reset_session\"}"}}; }

inline QueuedWorkBatchDraft Draft(const std::string& session = "s") {
  QueuedWorkBatchDraft draft;
  draft.session_id = session;
  draft.payloads = {Wake()};
  return draft;
}
inline QueuedWorkBatchDraft CommandDraft() {
  QueuedWorkBatchDraft draft = Draft();
  draft.payloads = {Command()};
  return draft;
}
inline QueuedWorkBatchDraft JoinDraft(const std::string& group = "g") {
  QueuedWorkBatchDraft draft = Draft();
  draft.slot_policy = SlotPolicy::kJoin;
  draft.merge_key = MergeGroup{group};
  return draft;
}
inline QueuedWorkBatchDraft Keyed(const std::string& key, QueuedWorkBatchDraft draft = Draft()) {
  draft.source_key = key;
  return draft;
}
inline QueuedWorkBatchDraft Deferred(EpochMs until, QueuedWorkBatchDraft draft = Draft()) {
  draft.available_at_ms = until;
  return draft;
}
inline QueuedWorkBatchDraft AfterTurn(QueuedWorkBatchDraft draft = Draft()) {
  draft.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
  return draft;
}
inline QueuedWorkBatchDraft Classless() {
  QueuedWorkBatchDraft draft = Draft();
  draft.payloads = {Wake(), Command()};
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
  bool Overlaps(CallIndex other) const override {
    for (const auto& [index, request] : calls) {
      if (index == other) return true;
    }
    return false;
  }
  bool Any(absl::FunctionRef<bool(const Request&)> predicate) const override {
    for (const auto& [index, request] : calls) {
      if (predicate(request)) return true;
    }
    return false;
  }
  std::vector<std::pair<CallIndex, Request>> calls;
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
  std::string PeekOutcome(const Request& request, const Outcome& outcome) {
    const SpecState before = state;
    std::string verdict = JudgeOutcome(request, outcome);
    state = before;
    return verdict;
  }
  template <class R>
  std::string Peek(const R& request, typename OperationAt<Family, OperationIndexOf<Family, R>()>::Response response) {
    return PeekOutcome(Request(request), Answered<R>(std::move(response)));
  }
  template <class R>
  std::string PeekError(const R& request, StoreError error) {
    return PeekOutcome(Request(request), Failed(std::move(error)));
  }

  SpecUnderTest::Context Context() {
    SpecUnderTest::Context context;
    context.setup = {&dialects, &liveness};
    context.call = call;
    context.overlap = overlap.calls.empty() ? nullptr : &overlap;
    context.part = part;
    context.partitioned = partitioned;
    context.hits = &hits;
    return context;
  }

  uint64_t HeldCount(absl::string_view id) const { return hits.held(static_cast<ClauseIndex>(FindClause(kClauses, id))); }
  uint64_t RefusedCount(absl::string_view id) const { return hits.refused(static_cast<ClauseIndex>(FindClause(kClauses, id))); }

  // Steps with a right answer, which the test relies on.

  QueuedWorkBatch Put(const std::string& id, const QueuedWorkBatchDraft& draft = Draft()) {
    QueuedWorkBatch batch = BatchFrom(draft, id, ++seq, now);
    EXPECT_EQ(Judge(EnqueueQueuedWorkRequest{draft}, batch), kAllowed);
    return batch;
  }
  SessionExecutionLease Hold(const LeaseOwnerIdentity& owner = Owner("x"), DurationMs ttl = 60000,
                             const std::string& session = "s") {
    SessionExecutionLease lease{session, owner, absl::StrCat("lane-", ++serial), ++lane_fencing, now, SaturatingAdd(now, ttl)};
    EXPECT_EQ(Judge(TryClaimSessionExecutionLeaseRequest{session, owner, ttl}, LeaseAcquired{lease}), kAllowed);
    lane = lease;
    return lease;
  }
  void Free() { EXPECT_EQ(Judge(ReleaseSessionExecutionLeaseRequest{ReleaseOf(lane)}, Done{}), kAllowed); }

  ClaimReadyQueuedWorkRequest Work(uint64_t max = 10, DurationMs ttl = 500) const {
    return {"s", FenceOf(lane), lane.owner, QueuedWorkClaimBoundary::kIdle, ttl, max};
  }
  ClaimReadyQueuedWorkRequest AtCheckpoint(uint64_t max = 10) const {
    ClaimReadyQueuedWorkRequest request = Work(max);
    request.boundary = QueuedWorkClaimBoundary::kActiveTurnCheckpoint;
    return request;
  }
  ClaimLeadingReadySessionCommandRequest CommandClaim(DurationMs ttl = 500) const {
    return {"s", FenceOf(lane), lane.owner, ttl};
  }
  ClaimReadyQueuedWorkByBatchIdsRequest ByIds(std::vector<std::string> ids, DurationMs ttl = 500) const {
    return {"s", FenceOf(lane), lane.owner, QueuedWorkClaimBoundary::kIdle, ttl, std::move(ids)};
  }
  // The claim that a store grants for these batches.
  QueuedWorkClaim Grant(std::vector<QueuedWorkBatch> batches, uint64_t fencing = 1, DurationMs ttl = 500) {
    ++serial;
    return {"s", absl::StrCat("claim-", serial), lane.owner,        absl::StrCat("token-", serial), fencing,
            now, SaturatingAdd(now, ttl),        std::move(batches)};
  }
  QueuedWorkClaim Claim(std::vector<QueuedWorkBatch> batches, uint64_t fencing = 1, DurationMs ttl = 500) {
    const uint64_t max = batches.size();
    QueuedWorkClaim grant = Grant(std::move(batches), fencing, ttl);
    EXPECT_EQ(Judge(Work(max, ttl), grant), kAllowed);
    return grant;
  }
  void Abandon(const QueuedWorkClaim& claim) { EXPECT_EQ(Judge(AbandonQueuedWorkClaimRequest{claim}, Done{}), kAllowed); }

  std::string List(std::vector<QueuedWorkBatch> batches) { return Judge(ListQueuedWorkRequest{"s"}, std::move(batches)); }
  std::string Pending(std::vector<QueuedWorkBatch> batches) {
    return Judge(ListPendingQueuedWorkRequest{"s"}, std::move(batches));
  }

  CommitRuntimeStateRequest Commit(std::vector<QueuedWorkCompletion> completions = {}) const {
    RuntimeCommit commit;
    commit.session_id = "s";
    commit.session_execution_lease = FenceOf(lane);
    commit.completed_queue_claims = std::move(completions);
    commit.body = {"{\"graph\":1}"};
    return {commit};
  }
  static RuntimeCommitResult Revision(uint64_t revision) { return {revision, {absl::StrCat(revision)}, {"{}"}}; }

  SpecState state;
  std::vector<SpecState> alternatives;
  EpochMs now = 1000;
  Dialects dialects;
  FixedLiveness liveness;
  FakeOverlap overlap;
  ClauseHits hits{std::size(kClauses)};
  CallIndex call = kNoCall;
  int part = 0;
  bool partitioned = false;
  SessionExecutionLease lane{"s", Owner("nobody"), "never issued", 99, 0, 0};
  uint64_t lane_fencing = 0;
  uint64_t seq = 0;
  int serial = 0;
};

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_TESTS_MODEL_SESSION_STORE_SCENE_H_
