// The queue: the rows are those of every queue (claim_rows.h, batch_rows.h), what a claim takes is this family's.
#include <algorithm>
#include <limits>

#include "adapters/sqlite/batch_rows.h"
#include "adapters/sqlite/claim_rows.h"
#include "adapters/sqlite/columns.h"
#include "adapters/sqlite/runtime_persistence.h"

namespace leasecheck::sqlite {
namespace {

using runtime_persistence::DeliveryPolicy;
using runtime_persistence::Done;
using runtime_persistence::MergeKey;
using runtime_persistence::QueuedWorkBatch;
using runtime_persistence::QueuedWorkBatchDraft;
using runtime_persistence::QueuedWorkClaim;
using runtime_persistence::QueuedWorkClaimBoundary;
using runtime_persistence::QueuedWorkClaimExpired;
using runtime_persistence::QueuedWorkPayload;
using runtime_persistence::Result;
using runtime_persistence::SlotPolicy;
using runtime_persistence::StoreError;

// What choosing a claim needs to know of a batch.
struct Candidate {
  uint64_t enqueue_seq = 0;
  DeliveryPolicy delivery_policy = DeliveryPolicy::kEarliestSafeBoundary;
  SlotPolicy slot_policy = SlotPolicy::kExclusive;
  MergeKey merge_key;
  uint64_t claim_counter = 0;
};

std::optional<Candidate> NextCandidate(Rows& line) {
  if (!line.Next()) return std::nullopt;
  return Candidate{.enqueue_seq = line.U64(0),
                   .delivery_policy = FromWord<DeliveryPolicy>(line.Text(1)),
                   .slot_policy = FromWord<SlotPolicy>(line.Text(2)),
                   .merge_key = ReadMergeKey(line, 3, 4),
                   .claim_counter = line.U64(5)};
}

// The head of the queue, and the candidates that join it. [RP-CLM-3..7]
std::vector<Candidate> Choose(Transaction& transaction, absl::string_view session_id, QueuedWorkClaimBoundary boundary,
                              uint64_t max_batches, EpochMs now) {
  FormLine(transaction, session_id, now);
  Rows line = transaction.Query(
      "SELECT enqueue_seq, delivery_policy, slot_policy, merge_key, merge_group, claim_counter FROM batches "
      "WHERE session_id = ?1 AND in_line = 1 AND ready_at_ms <= ?2 ORDER BY enqueue_seq",
      session_id, now);
  std::optional<Candidate> head = NextCandidate(line);
  if (!head.has_value()) return {};
  if (boundary == QueuedWorkClaimBoundary::kActiveTurnCheckpoint &&
      head->delivery_policy == DeliveryPolicy::kAfterCurrentTurnCommit) {
    return {};
  }
  std::vector<Candidate> chosen = {*head};
  while (head->slot_policy == SlotPolicy::kJoin && chosen.size() < max_batches) {
    std::optional<Candidate> next = NextCandidate(line);
    const bool joins = next.has_value() && next->slot_policy == SlotPolicy::kJoin &&
                       next->delivery_policy == head->delivery_policy && next->merge_key == head->merge_key;
    if (!joins) break;
    chosen.push_back(*std::move(next));
  }
  return chosen;
}

// What a claim is asked for, of whatever operation.
struct Ask {
  const std::string& session_id;
  const std::string& owner_id;
  DurationMs lease_ttl_ms;
};

// Grants the batches as one claim; none where there are none. All take the claim's fencing token as their counter. [RP-CLM-8..14]
Result<std::optional<QueuedWorkClaim>> Grant(Transaction& transaction, Database& database, const Ask& ask,
                                             const std::vector<Candidate>& chosen, EpochMs now) {
  if (chosen.empty()) return std::nullopt;
  uint64_t largest = 0;
  for (const Candidate& candidate : chosen) largest = std::max(largest, candidate.claim_counter);
  if (largest == std::numeric_limits<uint64_t>::max()) {
    return BackendError<StoreError>("the claim counter of a batch is used up");
  }
  QueuedWorkClaim claim{.session_id = ask.session_id,
                        .claim_id = database.NewId("claim"),
                        .owner_id = ask.owner_id,
                        .lease_token = database.NewId("lease"),
                        .fencing_token = largest + 1,
                        .claimed_at_epoch_ms = now,
                        .expires_at_epoch_ms = SaturatingAdd(now, ask.lease_ttl_ms),
                        .batches = {}};
  for (const Candidate& candidate : chosen) {
    LeaveLine(transaction, candidate.enqueue_seq, claim.fencing_token, claim.expires_at_epoch_ms);
    transaction.Execute("INSERT OR REPLACE INTO claims VALUES (?1, ?2, ?3, ?4, ?5, ?6)", candidate.enqueue_seq, claim.session_id,
                        claim.claim_id, claim.lease_token, claim.owner_id, claim.expires_at_epoch_ms);
    std::optional<QueuedWorkBatch> batch = BatchOfSeq<QueuedWorkBatch>(transaction, candidate.enqueue_seq);
    if (batch.has_value()) claim.batches.push_back(*std::move(batch));  // none after an error only
  }
  return claim;
}

void GiveBack(Transaction& transaction, const QueuedWorkClaim& claim) {
  for (uint64_t enqueue_seq : OwnedBatches(transaction, claim.session_id, claim.claim_id, claim.lease_token)) {
    ClearClaim(transaction, enqueue_seq);
  }
}

bool HoldsExactly(const QueuedWorkClaim& claim, const std::vector<std::string>& batch_ids) {
  return std::equal(claim.batches.begin(), claim.batches.end(), batch_ids.begin(), batch_ids.end(),
                    [](const QueuedWorkBatch& batch, const std::string& id) { return batch.batch_id == id; });
}

void InsertBatch(Transaction& transaction, const QueuedWorkBatch& batch, EpochMs now) {
  transaction.Execute("INSERT INTO batches VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)", batch.enqueue_seq,
                      batch.batch_id, batch.session_id, batch.source_key, WordOf(batch.delivery_policy),
                      WordOf(batch.slot_policy), MergeKeyName(batch.merge_key), MergeGroupOf(batch.merge_key),
                      batch.available_at_ms, batch.enqueued_at_ms, uint64_t{0}, batch.available_at_ms,
                      batch.available_at_ms <= now);
  InsertItems(transaction, batch);
}

}  // namespace

Result<QueuedWorkBatch> RuntimePersistence::EnqueueQueuedWork(const runtime_persistence::EnqueueQueuedWorkRequest& request) {
  const QueuedWorkBatchDraft& draft = request.batch;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<QueuedWorkBatch> {
    if (draft.source_key.has_value()) {
      auto stored = BatchOfKey<QueuedWorkBatch>(transaction, draft.session_id, *draft.source_key);
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

Result<std::optional<QueuedWorkClaim>> RuntimePersistence::ClaimReadyQueuedWork(
    const runtime_persistence::ClaimReadyQueuedWorkRequest& request) {
  if (request.max_batches == 0) return std::nullopt;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<QueuedWorkClaim>> {
    const auto chosen = Choose(transaction, request.session_id, request.boundary, request.max_batches, now);
    return Grant(transaction, *database_, {request.session_id, request.owner_id, request.lease_ttl_ms}, chosen, now);
  });
}

// A claim, and where it got something else an abandon, as the trait has it: counters rise, and claims that had lapsed are gone.
Result<std::optional<QueuedWorkClaim>> RuntimePersistence::ClaimReadyQueuedWorkByBatchIds(
    const runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  if (request.batch_ids.empty()) return std::nullopt;
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<QueuedWorkClaim>> {
    const auto chosen = Choose(transaction, request.session_id, request.boundary, request.batch_ids.size(), now);
    auto claim = Grant(transaction, *database_, {request.session_id, request.owner_id, request.lease_ttl_ms}, chosen, now);
    if (!claim.has_value() || !claim->has_value() || HoldsExactly(**claim, request.batch_ids)) return claim;
    GiveBack(transaction, **claim);
    return std::nullopt;
  });
}

Result<QueuedWorkClaim> RuntimePersistence::RenewQueuedWorkClaim(
    const runtime_persistence::RenewQueuedWorkClaimRequest& request) {
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

Result<Done> RuntimePersistence::AbandonQueuedWorkClaim(const runtime_persistence::AbandonQueuedWorkClaimRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    GiveBack(transaction, request.claim);
    return Done{};
  });
}

Result<std::optional<QueuedWorkBatch>> RuntimePersistence::CancelQueuedWorkBatch(
    const runtime_persistence::CancelQueuedWorkBatchRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<std::optional<QueuedWorkBatch>> {
    auto batch = BatchOfId<QueuedWorkBatch>(transaction, request.session_id, request.batch_id);
    if (!batch.has_value() || IsLiveClaimed(transaction, batch->enqueue_seq, now)) return std::nullopt;
    DeleteBatch(transaction, batch->enqueue_seq);
    return batch;
  });
}

Result<std::vector<QueuedWorkBatch>> RuntimePersistence::ListQueuedWork(
    const runtime_persistence::ListQueuedWorkRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs) -> Result<std::vector<QueuedWorkBatch>> {
    return BatchesOf<QueuedWorkBatch>(transaction, request.session_id);
  });
}

Result<std::vector<QueuedWorkBatch>> RuntimePersistence::ListPendingQueuedWork(
    const runtime_persistence::ListPendingQueuedWorkRequest& request) {
  return database_->Read([&](Transaction& transaction, EpochMs now) -> Result<std::vector<QueuedWorkBatch>> {
    std::vector<QueuedWorkBatch> batches = BatchesOf<QueuedWorkBatch>(transaction, request.session_id);
    const std::vector<uint64_t> claimed = LiveClaimed(transaction, request.session_id, now);
    std::erase_if(batches, [&](const QueuedWorkBatch& batch) {
      return std::binary_search(claimed.begin(), claimed.end(), batch.enqueue_seq);
    });
    return batches;
  });
}

}  // namespace leasecheck::sqlite
