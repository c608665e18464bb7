#include "adapters/sqlite/session_store.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/batch_rows.h"
#include "adapters/sqlite/claim_rows.h"
#include "adapters/sqlite/rows.h"
#include "adapters/sqlite/session_store_schema.h"
#include "adapters/sqlite/turn_input_rows.h"
#include "tl/expected.hpp"

namespace leasecheck::sqlite {
namespace {

using session_store::DeliveryPolicy;
using session_store::Done;
using session_store::HeadRevisionConflict;
using session_store::LeaseAcquired;
using session_store::LeaseBusy;
using session_store::LeaseOwnerIdentity;
using session_store::LoadedSession;
using session_store::QueuedWorkBatch;
using session_store::QueuedWorkClaim;
using session_store::QueuedWorkClaimBoundary;
using session_store::QueuedWorkClaimExpired;
using session_store::QueuedWorkPayload;
using session_store::Result;
using session_store::RuntimeCommit;
using session_store::RuntimeCommitResult;
using session_store::RuntimeTurnCommitConflict;
using session_store::SessionBindingMismatch;
using session_store::SessionExecutionLease;
using session_store::SessionExecutionLeaseClaimOutcome;
using session_store::SessionExecutionLeaseExpired;
using session_store::SessionExecutionLeaseFence;
using session_store::SlotPolicy;
using session_store::StoreError;
using session_store::TurnInputClaimExpired;
using session_store::TurnInputCompletion;

constexpr uint64_t kMaxU64 = std::numeric_limits<uint64_t>::max();

// What a claim is made of.
struct Taken {
  std::vector<uint64_t> enqueue_seqs;
  std::vector<std::string> batch_ids;
  uint64_t largest_counter = 0;

  void Add(const Candidate& candidate) {
    enqueue_seqs.push_back(candidate.enqueue_seq);
    batch_ids.push_back(candidate.batch_id);
    largest_counter = std::max(largest_counter, candidate.claim_counter);
  }
};

bool Joins(const Candidate& head, const Candidate& next) {
  return next.work_class == WorkClass::kTurnWork && next.slot_policy == SlotPolicy::kJoin &&
         next.delivery_policy == head.delivery_policy && next.merge_key == head.merge_key;
}

// The turn work that a claim takes: the head, and the run that joins it. [QW-CLM-3..8]
Taken TakeTurnWork(Candidates candidates, QueuedWorkClaimBoundary boundary, uint64_t max_batches) {
  Taken taken;
  std::optional<Candidate> head = candidates.Next();
  if (!head.has_value() || head->work_class != WorkClass::kTurnWork) return taken;
  if (boundary == QueuedWorkClaimBoundary::kActiveTurnCheckpoint &&
      head->delivery_policy != DeliveryPolicy::kEarliestSafeBoundary) {
    return taken;
  }
  taken.Add(*head);
  if (head->slot_policy == SlotPolicy::kExclusive) return taken;
  while (taken.enqueue_seqs.size() < max_batches) {
    std::optional<Candidate> next = candidates.Next();
    if (!next.has_value() || !Joins(*head, *next)) break;
    taken.Add(*next);
  }
  return taken;
}

// The leading session command, or nothing. [QW-CMD-2..6]
Taken TakeCommand(Candidates candidates) {
  Taken taken;
  std::optional<Candidate> head = candidates.Next();
  if (head.has_value() && head->work_class == WorkClass::kSessionCommand) taken.Add(*head);
  return taken;
}

// What every claim checks before it looks at the queue; no value: go on. [QW-CMD-1, QW-CLM-2,17]
template <class Request>
std::optional<StoreError> RefuseClaim(Transaction& transaction, const Request& request, EpochMs now) {
  if (!HoldsLane(transaction, request.session_id, request.session_execution_lease, now)) {
    return SessionExecutionLeaseExpired{request.session_id};
  }
  if (HasClasslessCandidate(transaction, request.session_id, now)) {
    return session_store::Backend{absl::StrCat(
        "session '", request.session_id, "' has a batch without a class in its line: its payloads are none or mixed; cancel it")};
  }
  return std::nullopt;
}

// Frees the commit's own lane if the release matches it; silently nothing otherwise. [SC-CMT-10, QW-LAT-30]
void HonourRelease(Transaction& transaction, const RuntimeCommit& commit) {
  const auto& release = commit.release_session_execution_lease;
  if (!release.has_value() || release->session_id != commit.session_id) return;
  if (ReadLane(transaction, commit.session_id).Matches(*release)) FreeLane(transaction, commit.session_id);
}

// Checks a commit that is no replay, and settles what it completes. No value: it may go on. [SC-CMT-5..9]
std::optional<StoreError> RefuseCommit(Transaction& transaction, const RuntimeCommit& commit, uint64_t head_revision,
                                       EpochMs now) {
  if (!commit.session_execution_lease.has_value() ||
      !HoldsLane(transaction, commit.session_id, *commit.session_execution_lease, now)) {
    return SessionExecutionLeaseExpired{commit.session_id};
  }
  if (commit.expected_head_revision.has_value() && *commit.expected_head_revision != head_revision) {
    return HeadRevisionConflict{commit.expected_head_revision, head_revision};
  }
  for (const session_store::QueuedWorkCompletion& completion : commit.completed_queue_claims) {
    if (!Settle(transaction, commit.session_id, completion)) {
      return QueuedWorkClaimExpired{completion.session_id, completion.claim_id};
    }
  }
  for (const TurnInputCompletion& completion : commit.completed_turn_input_claims) {
    if (!CompleteInputs(transaction, commit.session_id, completion)) {
      return TurnInputClaimExpired{completion.session_id, completion.claim_id};
    }
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SessionStore>> SessionStore::Open(const Options& options) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(options, SessionStoreSchema());
  if (!database.ok()) return database.status();
  return absl::WrapUnique(new SessionStore(*std::move(database)));
}

// The queue.

Result<QueuedWorkBatch> SessionStore::EnqueueQueuedWork(const session_store::EnqueueQueuedWorkRequest& request) {
  const session_store::QueuedWorkBatchDraft& draft = request.batch;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<QueuedWorkBatch> {
    if (draft.source_key.has_value()) {
      std::optional<QueuedWorkBatch> stored = BatchOfKey<QueuedWorkBatch>(transaction, draft.session_id, *draft.source_key);
      if (stored.has_value()) return *std::move(stored);
    }
    QueuedWorkBatch batch{.batch_id = database_->NewId("batch"),
                          .session_id = draft.session_id,
                          .source_key = draft.source_key,
                          .delivery_policy = draft.delivery_policy,
                          .slot_policy = draft.slot_policy,
                          .merge_key = draft.merge_key,
                          .available_at_ms = draft.available_at_ms,
                          .enqueue_seq = NextEnqueueSeq(transaction),
                          .enqueued_at_ms = now,
                          .items = {}};
    for (const QueuedWorkPayload& payload : draft.payloads) batch.items.push_back({database_->NewId("item"), payload});
    InsertBatch(transaction, batch, now);
    return batch;
  });
}

Result<std::optional<QueuedWorkClaim>> SessionStore::Grant(Transaction& transaction, absl::string_view session_id,
                                                           const LeaseOwnerIdentity& owner, DurationMs ttl, EpochMs now,
                                                           const std::vector<uint64_t>& enqueue_seqs, uint64_t largest_counter) {
  if (enqueue_seqs.empty()) return std::nullopt;
  if (largest_counter == kMaxU64) return BackendError<StoreError>("the claim counter of a batch is used up");
  ClaimRecord record{database_->NewId("claim"), database_->NewId("lease"), owner, largest_counter + 1, SaturatingAdd(now, ttl)};
  QueuedWorkClaim claim{.session_id = std::string(session_id),
                        .claim_id = record.claim_id,
                        .owner = owner,
                        .lease_token = record.lease_token,
                        .fencing_token = record.counter,
                        .claimed_at_epoch_ms = now,
                        .expires_at_epoch_ms = record.expires_at_ms,
                        .batches = {}};
  for (uint64_t enqueue_seq : enqueue_seqs) {
    WriteClaim(transaction, session_id, enqueue_seq, record);
    std::optional<QueuedWorkBatch> batch = BatchOfSeq<QueuedWorkBatch>(transaction, enqueue_seq);
    if (batch.has_value()) claim.batches.push_back(*std::move(batch));  // none after an error only
  }
  return claim;
}

Result<std::optional<QueuedWorkClaim>> SessionStore::ClaimLeadingReadySessionCommand(
    const session_store::ClaimLeadingReadySessionCommandRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<QueuedWorkClaim>> {
    if (std::optional<StoreError> error = RefuseClaim(transaction, request, now)) return Fails<StoreError>(*std::move(error));
    Taken taken = TakeCommand(Candidates(transaction, request.session_id, request.owner, database_->liveness(), now));
    return Grant(transaction, request.session_id, request.owner, request.lease_ttl_ms, now, taken.enqueue_seqs,
                 taken.largest_counter);
  });
}

Result<std::optional<QueuedWorkClaim>> SessionStore::ClaimReadyQueuedWork(
    const session_store::ClaimReadyQueuedWorkRequest& request) {
  if (request.max_batches == 0) return std::nullopt;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<QueuedWorkClaim>> {
    if (std::optional<StoreError> error = RefuseClaim(transaction, request, now)) return Fails<StoreError>(*std::move(error));
    Taken taken = TakeTurnWork(Candidates(transaction, request.session_id, request.owner, database_->liveness(), now),
                               request.boundary, request.max_batches);
    return Grant(transaction, request.session_id, request.owner, request.lease_ttl_ms, now, taken.enqueue_seqs,
                 taken.largest_counter);
  });
}

Result<std::optional<QueuedWorkClaim>> SessionStore::ClaimReadyQueuedWorkByBatchIds(
    const session_store::ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  if (request.batch_ids.empty()) return std::nullopt;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<QueuedWorkClaim>> {
    if (std::optional<StoreError> error = RefuseClaim(transaction, request, now)) return Fails<StoreError>(*std::move(error));
    Taken taken = TakeTurnWork(Candidates(transaction, request.session_id, request.owner, database_->liveness(), now),
                               request.boundary, request.batch_ids.size());
    if (taken.batch_ids != request.batch_ids) return std::nullopt;
    return Grant(transaction, request.session_id, request.owner, request.lease_ttl_ms, now, taken.enqueue_seqs,
                 taken.largest_counter);
  });
}

Result<QueuedWorkClaim> SessionStore::RenewQueuedWorkClaim(const session_store::RenewQueuedWorkClaimRequest& request) {
  const QueuedWorkClaim& claim = request.claim;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<QueuedWorkClaim> {
    std::vector<uint64_t> owned = OwnedBatches(transaction, claim.session_id, claim.claim_id, claim.lease_token);
    if (owned.empty() || owned.size() != claim.batches.size()) {
      return Fails<StoreError>(QueuedWorkClaimExpired{claim.session_id, claim.claim_id});
    }
    QueuedWorkClaim renewed = claim;
    renewed.expires_at_epoch_ms = SaturatingAdd(now, request.lease_ttl_ms);
    for (uint64_t enqueue_seq : owned) ExtendClaim(transaction, enqueue_seq, renewed.expires_at_epoch_ms);
    return renewed;
  });
}

Result<Done> SessionStore::AbandonQueuedWorkClaim(const session_store::AbandonQueuedWorkClaimRequest& request) {
  const QueuedWorkClaim& claim = request.claim;
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    for (uint64_t enqueue_seq : OwnedBatches(transaction, claim.session_id, claim.claim_id, claim.lease_token)) {
      ClearClaim(transaction, enqueue_seq);
    }
    return Done{};
  });
}

Result<std::optional<QueuedWorkBatch>> SessionStore::CancelQueuedWorkBatch(
    const session_store::CancelQueuedWorkBatchRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<QueuedWorkBatch>> {
    std::optional<QueuedWorkBatch> batch = BatchOfId<QueuedWorkBatch>(transaction, request.session_id, request.batch_id);
    if (!batch.has_value() || IsLiveClaimed(transaction, batch->enqueue_seq, now)) return std::nullopt;
    DeleteBatch(transaction, batch->enqueue_seq);
    return batch;
  });
}

Result<std::vector<QueuedWorkBatch>> SessionStore::ListQueuedWork(const session_store::ListQueuedWorkRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<std::vector<QueuedWorkBatch>> {
    return BatchesOf<QueuedWorkBatch>(transaction, request.session_id);
  });
}

Result<std::vector<QueuedWorkBatch>> SessionStore::ListPendingQueuedWork(
    const session_store::ListPendingQueuedWorkRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs now) -> Result<std::vector<QueuedWorkBatch>> {
    std::vector<QueuedWorkBatch> batches = BatchesOf<QueuedWorkBatch>(transaction, request.session_id);
    std::vector<uint64_t> claimed = LiveClaimed(transaction, request.session_id, now);
    std::erase_if(batches, [&](const QueuedWorkBatch& batch) {
      return std::binary_search(claimed.begin(), claimed.end(), batch.enqueue_seq);
    });
    return batches;
  });
}

// The lane.

Result<SessionExecutionLeaseClaimOutcome> SessionStore::Acquire(Transaction& transaction, absl::string_view session_id,
                                                                uint64_t last_token, const LeaseOwnerIdentity& owner,
                                                                DurationMs ttl, EpochMs now) {
  if (last_token == kMaxU64) return BackendError<StoreError>("the fencing tokens of a lane are used up");
  SessionExecutionLease lease{.session_id = std::string(session_id),
                              .owner = owner,
                              .lease_token = database_->NewId("lane"),
                              .fencing_token = last_token + 1,
                              .claimed_at_epoch_ms = now,
                              .expires_at_epoch_ms = SaturatingAdd(now, ttl)};
  WriteLane(transaction, lease);
  return SessionExecutionLeaseClaimOutcome(LeaseAcquired{std::move(lease)});
}

Result<SessionExecutionLeaseClaimOutcome> SessionStore::TryClaimSessionExecutionLease(
    const session_store::TryClaimSessionExecutionLeaseRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<SessionExecutionLeaseClaimOutcome> {
    Lane lane = ReadLane(transaction, request.session_id);
    if (!lane.Live(now)) {
      return Acquire(transaction, request.session_id, lane.lease.fencing_token, request.owner, request.lease_ttl_ms, now);
    }
    if (!SameIncarnation(lane.lease.owner, request.owner)) {
      return SessionExecutionLeaseClaimOutcome(LeaseBusy{std::move(lane.lease)});
    }
    lane.lease.expires_at_epoch_ms = SaturatingAdd(now, request.lease_ttl_ms);
    WriteLane(transaction, lane.lease);
    return SessionExecutionLeaseClaimOutcome(LeaseAcquired{std::move(lane.lease)});
  });
}

Result<SessionExecutionLeaseClaimOutcome> SessionStore::ReclaimSessionExecutionLease(
    const session_store::ReclaimSessionExecutionLeaseRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<SessionExecutionLeaseClaimOutcome> {
    Lane lane = ReadLane(transaction, request.session_id);
    bool free = !lane.Live(now);
    if (!free &&
        !(lane.Matches(request.observed_holder) && DefinitelyDead(lane.lease.owner, request.owner, database_->liveness()))) {
      return SessionExecutionLeaseClaimOutcome(LeaseBusy{std::move(lane.lease)});
    }
    return Acquire(transaction, request.session_id, lane.lease.fencing_token, request.owner, request.lease_ttl_ms, now);
  });
}

Result<SessionExecutionLease> SessionStore::RenewSessionExecutionLease(
    const session_store::RenewSessionExecutionLeaseRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<SessionExecutionLease> {
    Lane lane = ReadLane(transaction, request.fence.session_id);
    if (!lane.Live(now) || !lane.Matches(request.fence)) {
      return Fails<StoreError>(SessionExecutionLeaseExpired{request.fence.session_id});
    }
    lane.lease.expires_at_epoch_ms = SaturatingAdd(now, request.lease_ttl_ms);
    WriteLane(transaction, lane.lease);
    return std::move(lane.lease);
  });
}

Result<Done> SessionStore::ReleaseSessionExecutionLease(const session_store::ReleaseSessionExecutionLeaseRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    const std::string& session_id = request.completion.session_id;
    if (ReadLane(transaction, session_id).Matches(request.completion)) FreeLane(transaction, session_id);
    return Done{};
  });
}

// The commit.

Result<RuntimeCommitResult> SessionStore::CommitRuntimeState(const session_store::CommitRuntimeStateRequest& request) {
  const RuntimeCommit& commit = request.commit;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<RuntimeCommitResult> {
    std::optional<LoadedSession> head = ReadHead(transaction);
    if (head.has_value() && head->session_id != commit.session_id) {
      return Fails<StoreError>(SessionBindingMismatch{head->session_id, commit.session_id});
    }
    if (commit.turn_commit.has_value()) {
      const session_store::RuntimeTurnCommitStamp& stamp = *commit.turn_commit;
      std::optional<RecordedCommit> recorded = ReadStamp(transaction, stamp);
      if (stamp.session_id != commit.session_id ||
          (recorded.has_value() && recorded->turn_commit_hash != stamp.turn_commit_hash)) {
        return Fails<StoreError>(RuntimeTurnCommitConflict{stamp.session_id, stamp.turn_id});
      }
      if (recorded.has_value()) {
        HonourRelease(transaction, commit);
        return std::move(recorded->result);
      }
    }
    uint64_t head_revision = head.has_value() ? head->head_revision : 0;
    if (std::optional<StoreError> error = RefuseCommit(transaction, commit, head_revision, now))
      return Fails<StoreError>(*std::move(error));
    if (head_revision == kMaxU64) return BackendError<StoreError>("the head revisions are used up");
    RuntimeCommitResult result{head_revision + 1, OpaqueJson{absl::StrCat("\"", database_->NewId("checkpoint"), "\"")},
                               OpaqueJson{"{}"}};
    if (commit.interrupted_turn_input_turn_id.has_value()) {
      InterruptTurn(transaction, commit.session_id, *commit.interrupted_turn_input_turn_id);
    }
    WriteHead(transaction, {commit.session_id, result.head_revision, commit.body});
    if (commit.turn_commit.has_value()) WriteStamp(transaction, *commit.turn_commit, result);
    HonourRelease(transaction, commit);
    return result;
  });
}

Result<std::optional<LoadedSession>> SessionStore::LoadSession(const session_store::LoadSessionRequest&) {
  return database_->Read(
      [&](Transaction& transaction, EpochMs) -> Result<std::optional<LoadedSession>> { return ReadHead(transaction); });
}

}  // namespace leasecheck::sqlite
