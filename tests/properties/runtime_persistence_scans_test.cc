// The scans and probes of runtime_persistence on hand-made histories: each clause broken, kept, and excused where it can be.
#include "properties/runtime_persistence_scans.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/runtime_persistence/clauses.h"

namespace leasecheck::runtime_persistence {
namespace {

using F = RuntimePersistenceFamily;

QueuedWorkBatch Batch(const std::string& id, uint64_t seq, const std::string& session = "s") {
  QueuedWorkBatch batch;
  batch.batch_id = id;
  batch.session_id = session;
  batch.enqueue_seq = seq;
  return batch;
}

QueuedWorkClaim Claim(const std::string& id, uint64_t fencing, EpochMs expires, std::vector<QueuedWorkBatch> batches) {
  QueuedWorkClaim claim;
  claim.session_id = "s";
  claim.claim_id = id;
  claim.lease_token = id + "-token";
  claim.fencing_token = fencing;
  claim.expires_at_epoch_ms = expires;
  claim.batches = std::move(batches);
  return claim;
}

RuntimeCommit CommitFor(std::optional<uint64_t> expected = std::nullopt) {
  RuntimeCommit commit;
  commit.session_id = "s";
  commit.expected_head_revision = expected;
  return commit;
}

RuntimeCommit Stamped(const std::string& hash) {
  RuntimeCommit commit = CommitFor();
  commit.turn_commit = RuntimeTurnCommitStamp{"s", "t", hash};
  return commit;
}

PersistedSessionRead Read(uint64_t revision) {
  PersistedSessionRead read;
  read.session_id = "s";
  read.head_revision = revision;
  read.checkpoint_ref = "cp" + std::to_string(revision);
  read.checkpoint.emplace();
  return read;
}

// Builds a history call by call; calls follow one another unless Overlapping is said.
class Builder {
 public:
  Builder() { history_.start = 1000; }

  template <class R>
  Builder& Call(R request, typename OperationAt<F, OperationIndexOf<F, R>()>::Response response) {
    constexpr std::size_t kIndex = OperationIndexOf<F, R>();
    return Add(std::move(request), OutcomeOf<F>(std::in_place_index<0>, std::in_place_index<kIndex>, std::move(response)));
  }
  template <class R>
  Builder& Fail(R request, StoreError error) {
    return Add(std::move(request), OutcomeOf<F>(std::in_place_index<1>, std::move(error)));
  }
  template <class R>
  Builder& Unseen(R request) {
    return Add(std::move(request), Indefinite{});
  }
  // The call of this index ends only now.
  Builder& EndsNow(std::size_t index) {
    history_.calls[index].returned = history_.calls.back().returned + 1;
    return *this;
  }
  // The last call began before the one before it ended.
  Builder& Overlapping() {
    auto& calls = history_.calls;
    calls.back().called = calls[calls.size() - 2].called;
    return *this;
  }
  Builder& SetClock(EpochMs now) {
    engine::CallRecord<F> record;
    record.action = engine::SetClock{now};
    return Push(std::move(record));
  }

  Builder& Commit(const RuntimeCommit& commit, uint64_t revision) {
    RuntimeCommitResult result;
    result.head_revision = revision;
    result.checkpoint_ref = "cp" + std::to_string(revision);
    return Call(CommitRuntimeStateRequest{commit}, std::move(result));
  }
  Builder& Load(PersistedSessionRead read) { return Call(LoadSessionRequest{}, std::move(read)); }
  Builder& Grant(const QueuedWorkClaim& claim) {
    return Call(ClaimReadyQueuedWorkRequest{"s", "o", QueuedWorkClaimBoundary::kIdle, 50, 9}, std::optional(claim));
  }
  Builder& Enqueue(const QueuedWorkBatch& batch) {
    EnqueueQueuedWorkRequest request;
    request.batch.session_id = batch.session_id;
    return Call(std::move(request), batch);
  }
  Builder& List(std::vector<QueuedWorkBatch> batches, const std::string& session = "s") {
    return Call(ListQueuedWorkRequest{session}, std::move(batches));
  }

  // The clause that some scan or probe finds broken; "" where none is.
  std::string Broken() {
    ClauseHits hits(std::size(kClauses));
    std::vector<engine::Finding> findings = ScanCommits(history_, {}, &hits);
    if (findings.empty()) findings = ScanQueue(history_, &hits);
    if (findings.empty()) findings = ScanAttachments(history_, {}, &hits);
    if (findings.empty()) findings = ProbeObservations(history_, &hits);
    return findings.empty() ? "" : findings.front().clause;
  }

 private:
  template <class R>
  Builder& Add(R request, OutcomeOf<F> outcome) {
    engine::CallRecord<F> record;
    record.action = engine::Action<F>(RequestOf<F>(std::move(request)));
    record.outcome = std::move(outcome);
    return Push(std::move(record));
  }
  Builder& Push(engine::CallRecord<F> record) {
    record.called = ++at_;
    record.returned = ++at_;
    history_.calls.push_back(std::move(record));
    return *this;
  }

  PersistenceHistory history_;
  engine::Instant at_ = 0;
};

TEST(CommitScan, Revisions) {
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Commit(CommitFor(), 2).Broken(), "");
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Commit(CommitFor(), 1).Broken(), "RP-INV-1");
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Commit(CommitFor(), 3).Broken(), "RP-INV-1");
  EXPECT_EQ(Builder().Commit(CommitFor(), 2).Commit(CommitFor(), 1).Broken(), "RP-INV-1");
  EXPECT_EQ(Builder().Commit(CommitFor(), 2).Commit(CommitFor(), 1).Overlapping().Broken(), "");
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Unseen(CommitRuntimeStateRequest{CommitFor()}).Commit(CommitFor(), 3).Broken(), "");
}

TEST(CommitScan, LostUpdates) {
  EXPECT_EQ(Builder().Commit(CommitFor(0), 1).Commit(CommitFor(1), 2).Broken(), "");
  EXPECT_EQ(Builder().Commit(CommitFor(0), 1).Commit(CommitFor(0), 2).Overlapping().Broken(), "RP-INV-2");
  const HeadRevisionConflict right{0, 1};
  EXPECT_EQ(Builder().Commit(CommitFor(0), 1).Fail(CommitRuntimeStateRequest{CommitFor(0)}, right).Broken(), "");
  EXPECT_EQ(Builder().Fail(CommitRuntimeStateRequest{CommitFor(0)}, right).Broken(), "RP-INV-2");
  const HeadRevisionConflict past{5, 0};
  EXPECT_EQ(Builder().Commit(CommitFor(0), 1).Fail(CommitRuntimeStateRequest{CommitFor(5)}, past).Broken(), "RP-INV-2");
}

TEST(CommitScan, Replays) {
  EXPECT_EQ(Builder().Commit(Stamped("h"), 1).Commit(CommitFor(), 2).Commit(Stamped("h"), 1).Broken(), "");
  EXPECT_EQ(Builder().Commit(Stamped("h"), 1).Commit(Stamped("h"), 2).Broken(), "RP-INV-3");
  EXPECT_EQ(Builder().Commit(Stamped("h"), 1).Commit(Stamped("g"), 1).Broken(), "RP-INV-3");
}

TEST(CommitScan, ReadsAreOfOneRevision) {
  RuntimeCommit commit = CommitFor();
  commit.current_agent_frame_id = "f";
  PersistedSessionRead read = Read(1);
  read.current_agent_frame_id = "f";
  EXPECT_EQ(Builder().Commit(commit, 1).Load(read).Broken(), "");
  EXPECT_EQ(Builder().Commit(commit, 1).Load(Read(1)).Broken(), "RP-INV-5");
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Commit(CommitFor(), 2).Load(Read(1)).Broken(), "RP-INV-5");
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Commit(CommitFor(), 2).Load(Read(1)).Overlapping().Broken(), "");
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Load(Read(2)).Broken(), "RP-INV-5");
  PersistedSessionRead other = Read(1);
  other.checkpoint_ref = "another";
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Load(Read(1)).Load(other).Broken(), "RP-INV-5");
}

TEST(CommitScan, TheLedgerIsTheSum) {
  RuntimeCommit commit = CommitFor();
  commit.usage_deltas = {{"turn", "m", {3, 0, 1, 0}}};
  PersistedSessionRead read = Read(2);
  read.token_ledger = {{"turn", "m", {6, 0, 2, 0}}};
  EXPECT_EQ(Builder().Commit(commit, 1).Commit(commit, 2).Load(read).Broken(), "");
  read.token_ledger = {{"turn", "m", {3, 0, 1, 0}}};
  EXPECT_EQ(Builder().Commit(commit, 1).Commit(commit, 2).Load(read).Broken(), "RP-INV-6");
  read.token_ledger.clear();
  EXPECT_EQ(Builder().Commit(commit, 1).Commit(commit, 2).Load(read).Broken(), "RP-INV-6");
}

TEST(CommitScan, TombstonesAndVacuum) {
  SessionNodeRecord node;
  node.node_id = "n";
  RuntimeCommit commit = CommitFor();
  commit.graph = Append{{node}, std::nullopt};
  const TombstoneNodesRequest tombstone{{"n"}};
  EXPECT_EQ(Builder().Commit(commit, 1).Call(tombstone, Done{}).Call(LoadNodeRequest{"n"}, node).Broken(), "RP-INV-7");
  EXPECT_EQ(Builder().Commit(commit, 1).Call(tombstone, Done{}).Call(LoadNodeRequest{"n"}, node).Overlapping().Broken(), "");
  EXPECT_EQ(Builder().Call(tombstone, Done{}).Commit(commit, 1).Call(LoadNodeRequest{"n"}, node).Broken(), "");
  PersistedSessionRead read = Read(1);
  read.graph.nodes = {node};
  EXPECT_EQ(Builder().Commit(commit, 1).Call(tombstone, Done{}).Load(read).Broken(), "RP-INV-7");
  EXPECT_EQ(Builder().Commit(commit, 1).Call(tombstone, Done{}).Call(VacuumRequest{}, VacuumReport{1}).Broken(), "");
  EXPECT_EQ(Builder().Commit(commit, 1).Call(tombstone, Done{}).Call(VacuumRequest{}, VacuumReport{2}).Broken(), "RP-INV-8");
  // A vacuum that goes on while another one begins and ends may remove what is tombstoned after that.
  const auto vacuums = [&] {
    return Builder().Commit(commit, 1).Call(VacuumRequest{}, VacuumReport{1}).Call(VacuumRequest{}, VacuumReport{0});
  };
  EXPECT_EQ(vacuums().Call(tombstone, Done{}).EndsNow(1).Broken(), "");
  EXPECT_EQ(vacuums().Call(tombstone, Done{}).Broken(), "RP-INV-8");
}

TEST(QueueScan, Exclusivity) {
  const QueuedWorkBatch b = Batch("b", 1);
  const QueuedWorkClaim first = Claim("c1", 1, 2000, {b});
  const QueuedWorkClaim second = Claim("c2", 2, 9000, {b});
  EXPECT_EQ(Builder().Enqueue(b).Grant(first).Grant(second).Broken(), "RP-INV-10");
  EXPECT_EQ(Builder().Enqueue(b).Grant(first).SetClock(2000).Grant(second).Broken(), "");
  EXPECT_EQ(Builder().Enqueue(b).Grant(first).Call(AbandonQueuedWorkClaimRequest{first}, Done{}).Grant(second).Broken(), "");
  // A renewal that failed may have shortened the claim all the same (RP-LAT-19).
  EXPECT_EQ(Builder()
                .Enqueue(b)
                .Grant(first)
                .Fail(RenewQueuedWorkClaimRequest{first, 0}, QueuedWorkClaimExpired{"s", "c1"})
                .Grant(second)
                .Broken(),
            "");
}

TEST(QueueScan, FencingAndProofs) {
  const QueuedWorkBatch b = Batch("b", 1);
  const QueuedWorkClaim first = Claim("c1", 2, 1000, {b});
  EXPECT_EQ(Builder().Grant(first).Grant(Claim("c2", 2, 1000, {b})).Broken(), "RP-INV-13");
  EXPECT_EQ(Builder().Grant(first).Grant(Claim("c1", 3, 1000, {b})).Broken(), "RP-CLM-10");
  EXPECT_EQ(Builder().Grant(first).Grant(Claim("c2", 3, 1000, {b})).Broken(), "");
}

TEST(QueueScan, AtMostOnceAndNothingLost) {
  const QueuedWorkBatch b = Batch("b", 1);
  const auto cancel = [&](Builder& builder) -> Builder& {
    return builder.Call(CancelQueuedWorkBatchRequest{"s", "b"}, std::optional(b));
  };
  Builder twice;
  EXPECT_EQ(cancel(cancel(twice.Enqueue(b))).Broken(), "RP-INV-11");
  Builder seen_again;
  EXPECT_EQ(cancel(seen_again.Enqueue(b)).List({b}).Broken(), "RP-INV-11");
  EXPECT_EQ(Builder().Enqueue(b).List({}).Broken(), "RP-INV-15");
  QueuedWorkBatch changed = b;
  changed.source_key = "k";
  EXPECT_EQ(Builder().Enqueue(b).List({changed}).Broken(), "RP-INV-15");
  EXPECT_EQ(Builder().Enqueue(b).Enqueue(b).Broken(), "RP-ENQ-2");
  EXPECT_EQ(Builder().List({Batch("b", 2), Batch("c", 1)}).Broken(), "RP-INV-12");
}

TEST(QueueScan, StaleHolders) {
  const QueuedWorkBatch b = Batch("b", 1);
  const QueuedWorkClaim first = Claim("c1", 1, 1000, {b});
  const QueuedWorkClaim second = Claim("c2", 2, 9000, {b});
  EXPECT_EQ(Builder().Grant(first).Grant(second).Call(RenewQueuedWorkClaimRequest{first, 1}, first).Broken(), "RP-INV-14");
  RuntimeCommit commit = CommitFor();
  commit.completed_queue_claims = {CompletionOf(first)};
  EXPECT_EQ(Builder().Grant(first).Grant(second).Commit(commit, 1).Broken(), "RP-INV-14");
}

TEST(AttachmentScan, ListedWhileInForce) {
  const RecordIntentRequest record{{"x", "s", "u", 100}};
  const AttachmentManifestEntry x{"x", "s", "u", 100, std::nullopt};
  const ListUncommittedRequest list{500};
  using List = std::vector<AttachmentManifestEntry>;
  EXPECT_EQ(Builder().Call(record, Done{}).Call(list, List{x}).Broken(), "");
  EXPECT_EQ(Builder().Call(record, Done{}).Call(list, List{}).Broken(), "RP-INV-17");
  EXPECT_EQ(Builder().Call(record, Done{}).Call(list, List{}).Overlapping().Broken(), "");
  EXPECT_EQ(Builder().Call(ForgetRequest{"x"}, Done{}).Call(list, List{x}).Broken(), "RP-INV-17");
  EXPECT_EQ(Builder().Call(record, Done{}).Call(ForgetRequest{"x"}, Done{}).Call(list, List{x}).Broken(), "RP-INV-17");
  RuntimeCommit commit = CommitFor();
  commit.committed_attachment_ids = {"x"};
  EXPECT_EQ(Builder().Call(record, Done{}).Commit(commit, 1).Call(list, List{x}).Broken(), "RP-INV-17");
  EXPECT_EQ(Builder().Commit(commit, 1).Call(record, Done{}).Call(list, List{x}).Broken(), "");
  EXPECT_EQ(Builder()
                .Call(record, Done{})
                .Fail(CommitRuntimeStateRequest{commit}, HeadRevisionConflict{std::nullopt, 0})
                .Call(list, List{})
                .Broken(),
            "RP-INV-17");
  const CommitRefsRequest foreign{"other", {"x"}};
  EXPECT_EQ(Builder().Call(record, Done{}).Call(foreign, Done{}).Call(list, List{x}).Broken(), "");
}

TEST(Probes, WhatChangesNoRead) {
  PersistedSessionRead read = Read(1);
  PersistedSessionRead changed = read;
  changed.graph.nodes.emplace_back();
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Load(read).Call(VacuumRequest{}, VacuumReport{}).Load(changed).Broken(), "RP-VAC-3");
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Load(read).Call(GcUnreachableRequest{}, GcReport{}).Load(changed).Broken(),
            "RP-INV-9");
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Load(read).Call(SaveSessionMetaRequest{}, Done{}).Load(changed).Broken(),
            "RP-INV-18");
  EXPECT_EQ(Builder().Commit(CommitFor(), 1).Load(read).Call(TombstoneNodesRequest{{"n"}}, Done{}).Load(changed).Broken(), "");
  EXPECT_EQ(Builder()
                .Commit(CommitFor(), 1)
                .Load(read)
                .Fail(CommitRuntimeStateRequest{CommitFor(0)}, HeadRevisionConflict{0, 1})
                .Load(changed)
                .Broken(),
            "RP-INV-4");
}

TEST(Probes, OtherSessionsQueues) {
  const QueuedWorkBatch other = Batch("o", 2, "t");
  EXPECT_EQ(Builder().List({}).Enqueue(other).List({}).Broken(), "");
  EXPECT_EQ(Builder().List({}).Enqueue(other).List({Batch("b", 3)}).Broken(), "RP-INV-16");
  EXPECT_EQ(Builder().List({}).Enqueue(Batch("b", 3)).List({Batch("b", 3)}).Broken(), "");
}

}  // namespace
}  // namespace leasecheck::runtime_persistence
