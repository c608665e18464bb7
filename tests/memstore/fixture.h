// A reference store with everything injected, and short spellings of its calls for tests.
#ifndef LEASECHECK_TESTS_MEMSTORE_FIXTURE_H_
#define LEASECHECK_TESTS_MEMSTORE_FIXTURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "memstore/session_store.h"
#include "model/environment.h"
#include "model/session_store/store.h"

namespace leasecheck::memstore {

using namespace session_store;  // NOLINT: tests speak of the contract's values throughout
using Store = memstore::SessionStore;
using Batch = QueuedWorkBatch;
using Claim = QueuedWorkClaim;
using Lane = SessionExecutionLease;
using Ids = std::vector<std::string>;

inline const LeaseOwnerIdentity kX{"x", "1", OpaqueOwner{}};
inline const LeaseOwnerIdentity kY{"y", "1", OpaqueOwner{}};
inline const LeaseOwnerIdentity kZ{"z", "1", OpaqueOwner{}};
inline constexpr auto kIdle = QueuedWorkClaimBoundary::kIdle;
inline constexpr auto kCheckpoint = QueuedWorkClaimBoundary::kActiveTurnCheckpoint;

inline LeaseOwnerIdentity Process(std::string id, uint32_t pid, std::string start = "1", std::string host = "h",
                                  std::string boot = "b") {
  return {std::move(id), "1", LocalProcessOwner{std::move(host), std::move(boot), pid, std::move(start)}};
}

inline QueuedWorkBatchDraft Turn(std::string session = "s") {
  QueuedWorkBatchDraft draft;
  draft.session_id = std::move(session);
  draft.payloads = {ProcessWake{{"{\"n\":1}"}}};
  return draft;
}
inline QueuedWorkBatchDraft Command(std::string session = "s") {
  QueuedWorkBatchDraft draft = Turn(std::move(session));
  draft.payloads = {session_store::SessionCommand{{"{\"kind\":\"reset_session\"}"}}};
  return draft;
}
inline QueuedWorkBatchDraft Mixed(std::string session = "s") {
  QueuedWorkBatchDraft draft = Turn(std::move(session));
  draft.payloads.push_back(session_store::SessionCommand{{"{}"}});
  return draft;
}
inline QueuedWorkBatchDraft Join(std::string group) {
  QueuedWorkBatchDraft draft = Turn();
  draft.slot_policy = SlotPolicy::kJoin;
  draft.merge_key = MergeGroup{std::move(group)};
  return draft;
}
inline QueuedWorkBatchDraft At(EpochMs available_at, QueuedWorkBatchDraft draft = Turn()) {
  draft.available_at_ms = available_at;
  return draft;
}
inline QueuedWorkBatchDraft Keyed(std::string key, QueuedWorkBatchDraft draft = Turn()) {
  draft.source_key = std::move(key);
  return draft;
}

inline Ids IdsOf(const std::vector<Batch>& batches) {
  Ids ids;
  for (const Batch& batch : batches) ids.push_back(batch.batch_id);
  return ids;
}
// The ids of a grant; empty for none.
inline Ids IdsOf(const std::optional<Claim>& claim) { return claim.has_value() ? IdsOf(claim->batches) : Ids{}; }

// Whether a call failed with just this error.
template <class Response, class Error>
::testing::AssertionResult FailedWith(const Result<Response>& result, const Error& error) {
  if (result.has_value()) return ::testing::AssertionFailure() << "the call succeeded";
  if (result.error() != StoreError(error)) {
    return ::testing::AssertionFailure() << "another error, of alternative " << result.error().index();
  }
  return ::testing::AssertionSuccess();
}

class StoreTest : public ::testing::Test {
 protected:
  explicit StoreTest(const SessionStoreOptions& options = {.id_style = IdStyle::kReadable}) : store_(Env(), options) {}

  Environment Env() { return {.clock = &clock_, .liveness = &liveness_}; }

  Batch Enqueue(const QueuedWorkBatchDraft& draft) { return store_.EnqueueQueuedWork({draft}).value(); }
  // A lane that `owner` holds from now on.
  Lane Hold(const LeaseOwnerIdentity& owner = kX, DurationMs ttl = kEndOfTime, const std::string& session = "s") {
    auto outcome = store_.TryClaimSessionExecutionLease({session, owner, ttl}).value();
    if (std::holds_alternative<LeaseBusy>(outcome)) {
      ADD_FAILURE() << "the lane of " << session << " is busy";
      return {};
    }
    return std::get<LeaseAcquired>(outcome).lease;
  }
  Result<std::optional<Claim>> TryClaim(const Lane& lane, DurationMs ttl = 60000, uint64_t max = 1,
                                        const LeaseOwnerIdentity& owner = kX, QueuedWorkClaimBoundary boundary = kIdle) {
    return store_.ClaimReadyQueuedWork({lane.session_id, FenceOf(lane), owner, boundary, ttl, max});
  }
  std::optional<Claim> ClaimWork(const Lane& lane, DurationMs ttl = 60000, uint64_t max = 1, const LeaseOwnerIdentity& owner = kX,
                                 QueuedWorkClaimBoundary boundary = kIdle) {
    return TryClaim(lane, ttl, max, owner, boundary).value();
  }
  std::optional<Claim> ClaimCommand(const Lane& lane, DurationMs ttl = 60000, const LeaseOwnerIdentity& owner = kX) {
    return store_.ClaimLeadingReadySessionCommand({lane.session_id, FenceOf(lane), owner, ttl}).value();
  }
  std::optional<Claim> ClaimIds(const Lane& lane, const Ids& ids, DurationMs ttl = 60000) {
    return store_.ClaimReadyQueuedWorkByBatchIds({lane.session_id, FenceOf(lane), kX, kIdle, ttl, ids}).value();
  }
  Result<Claim> Renew(const Claim& claim, DurationMs ttl) { return store_.RenewQueuedWorkClaim({claim, ttl}); }
  void Abandon(const Claim& claim) { EXPECT_TRUE(store_.AbandonQueuedWorkClaim({claim}).has_value()); }
  std::optional<Batch> Cancel(const std::string& batch_id, const std::string& session = "s") {
    return store_.CancelQueuedWorkBatch({session, batch_id}).value();
  }
  Ids List(const std::string& session = "s") { return IdsOf(store_.ListQueuedWork({session}).value()); }
  Ids Pending(const std::string& session = "s") { return IdsOf(store_.ListPendingQueuedWork({session}).value()); }

  // A commit of session s under the lane that completes the claims.
  static RuntimeCommit CommitOf(const Lane& lane, const std::vector<Claim>& claims = {}) {
    RuntimeCommit commit;
    commit.session_id = lane.session_id;
    commit.session_execution_lease = FenceOf(lane);
    for (const Claim& claim : claims) commit.completed_queue_claims.push_back(CompletionOf(claim));
    return commit;
  }
  Result<RuntimeCommitResult> Commit(const RuntimeCommit& commit) { return store_.CommitRuntimeState({commit}); }
  Result<RuntimeCommitResult> Settle(const Lane& lane, const std::vector<Claim>& claims) {
    return Commit(CommitOf(lane, claims));
  }

  ManualClock clock_{1000};
  FixedLiveness liveness_{1, "1"};
  Store store_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_TESTS_MEMSTORE_FIXTURE_H_
