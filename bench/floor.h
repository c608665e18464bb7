// The floor of the session_store baseline: the least that a queue with these values can cost.
#ifndef LEASECHECK_BENCH_FLOOR_H_
#define LEASECHECK_BENCH_FLOOR_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "memstore/ids.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::bench {

// Takes and returns the very requests and responses of SessionStore's enqueue, claim, renew and commit, and does next to nothing
// in between: one mutex, a deque of waiting batches, a hash map of claims. It knows one session, no lane, no time but the stamps
// it writes, no keys, groups, classes, deferral or expiry: it is not a conforming store. What a store costs above it is the price
// of the contract. Thread-safe. The clock is borrowed.
class Floor {
 public:
  explicit Floor(const Clock* clock) : clock_(clock) {}

  // Puts the batch at the end.
  session_store::Result<session_store::QueuedWorkBatch> EnqueueQueuedWork(const session_store::EnqueueQueuedWorkRequest& request)
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    const session_store::QueuedWorkBatchDraft& draft = request.batch;
    session_store::QueuedWorkBatch& batch = waiting_.emplace_back();
    batch.batch_id = ids_.Next(memstore::IdKind::kBatch);
    batch.session_id = draft.session_id;
    batch.source_key = draft.source_key;
    batch.delivery_policy = draft.delivery_policy;
    batch.slot_policy = draft.slot_policy;
    batch.merge_key = draft.merge_key;
    batch.available_at_ms = draft.available_at_ms;
    batch.enqueue_seq = ++last_enqueue_seq_;
    batch.enqueued_at_ms = clock_->Now();
    batch.items.reserve(draft.payloads.size());
    for (const auto& payload : draft.payloads) batch.items.push_back({ids_.Next(memstore::IdKind::kItem), payload});
    return batch;
  }

  // Takes the first batch, alone; none where nothing waits.
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const session_store::ClaimReadyQueuedWorkRequest& request) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    if (waiting_.empty()) return std::nullopt;
    const EpochMs now = clock_->Now();
    session_store::Result<std::optional<session_store::QueuedWorkClaim>> granted(tl::in_place, std::in_place);
    session_store::QueuedWorkClaim& claim = **granted;
    claim.session_id = request.session_id;
    claim.claim_id = ids_.Next(memstore::IdKind::kClaim);
    claim.owner = request.owner;
    claim.lease_token = ids_.Next(memstore::IdKind::kClaimToken);
    claim.fencing_token = 1;
    claim.claimed_at_epoch_ms = now;
    claim.expires_at_epoch_ms = SaturatingAdd(now, request.lease_ttl_ms);
    claim.batches.push_back(waiting_.front());
    claims_.emplace(claim.claim_id, Held{claim.lease_token, claim.expires_at_epoch_ms, std::move(waiting_.front())});
    waiting_.pop_front();
    return granted;
  }

  // Sets the claim's expiry.
  session_store::Result<session_store::QueuedWorkClaim> RenewQueuedWorkClaim(
      const session_store::RenewQueuedWorkClaimRequest& request) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    auto held = claims_.find(request.claim.claim_id);
    if (held == claims_.end() || held->second.lease_token != request.claim.lease_token) {
      return Fail(session_store::QueuedWorkClaimExpired{request.claim.session_id, request.claim.claim_id});
    }
    held->second.expires = SaturatingAdd(clock_->Now(), request.lease_ttl_ms);
    session_store::Result<session_store::QueuedWorkClaim> renewed(tl::in_place, request.claim);
    renewed->expires_at_epoch_ms = held->second.expires;
    return renewed;
  }

  // Stores the body and forgets the claims completed. Each must exist; the batches named are not compared.
  session_store::Result<session_store::RuntimeCommitResult> CommitRuntimeState(
      const session_store::CommitRuntimeStateRequest& request) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    for (const session_store::QueuedWorkCompletion& completion : request.commit.completed_queue_claims) {
      auto held = claims_.find(completion.claim_id);
      if (held == claims_.end() || held->second.lease_token != completion.lease_token) {
        return Fail(session_store::QueuedWorkClaimExpired{completion.session_id, completion.claim_id});
      }
      claims_.erase(held);
    }
    body_ = request.commit.body;
    return session_store::RuntimeCommitResult{
        ++head_revision_, {absl::StrCat("\"", ids_.Next(memstore::IdKind::kCheckpoint), "\"")}, {"{}"}};
  }

 private:
  struct Held {
    std::string lease_token;
    EpochMs expires;
    session_store::QueuedWorkBatch batch;
  };

  static tl::unexpected<session_store::StoreError> Fail(session_store::StoreError error) {
    return tl::unexpected<session_store::StoreError>(std::move(error));
  }

  const Clock* const clock_;
  absl::Mutex mu_;
  memstore::IdSource ids_ ABSL_GUARDED_BY(mu_){memstore::IdStyle::kOpaque, 0};
  std::deque<session_store::QueuedWorkBatch> waiting_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Held> claims_ ABSL_GUARDED_BY(mu_);
  uint64_t last_enqueue_seq_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t head_revision_ ABSL_GUARDED_BY(mu_) = 0;
  OpaqueJson body_ ABSL_GUARDED_BY(mu_);
};

}  // namespace leasecheck::bench

#endif  // LEASECHECK_BENCH_FLOOR_H_
