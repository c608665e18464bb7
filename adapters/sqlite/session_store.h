// A durable session_store backend on SQLite.
//
// It makes the choices of the contract's "Ref" column everywhere, over the full range of u64 times. What it promises of threads,
// processes, crashes and trouble is said in database.h, of every family's store.
//
//   auto store = sqlite::SessionStore::Open({.path = "/var/lib/queue.db", .environment = {.clock = &clock, .liveness = &probe}});
//   if (!store.ok()) return store.status();
//   auto batch = (*store)->EnqueueQueuedWork({.batch = draft});
#ifndef LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_H_
#define LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/transaction.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::sqlite {

template <>
inline session_store::StoreError TroubleError<session_store::StoreError>(absl::string_view text) {
  return session_store::Backend{std::string(text)};
}

struct InputRow;  // turn_input_rows.h

class SessionStore final : public session_store::SessionStore {
 public:
  using Options = StoreOptions;

  // Errors: as Database::Open.
  static absl::StatusOr<std::unique_ptr<SessionStore>> Open(const Options& options);

  // As those of Database. Thread-safe.
  static absl::Status Remove(absl::string_view path) { return Database::Remove(path); }
  absl::Status SetClock(EpochMs now) { return database_->SetClock(now); }
  absl::Status Health() const { return database_->Health(); }
  absl::Status Trouble() const { return database_->Trouble(); }
  uint64_t statements() const { return database_->statements(); }

  session_store::Result<session_store::QueuedWorkBatch> EnqueueQueuedWork(
      const session_store::EnqueueQueuedWorkRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimLeadingReadySessionCommand(
      const session_store::ClaimLeadingReadySessionCommandRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const session_store::ClaimReadyQueuedWorkRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const session_store::ClaimReadyQueuedWorkByBatchIdsRequest& request) override;
  session_store::Result<session_store::QueuedWorkClaim> RenewQueuedWorkClaim(
      const session_store::RenewQueuedWorkClaimRequest& request) override;
  session_store::Result<session_store::Done> AbandonQueuedWorkClaim(
      const session_store::AbandonQueuedWorkClaimRequest& request) override;
  session_store::Result<std::optional<session_store::QueuedWorkBatch>> CancelQueuedWorkBatch(
      const session_store::CancelQueuedWorkBatchRequest& request) override;
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListQueuedWork(
      const session_store::ListQueuedWorkRequest& request) override;
  session_store::Result<std::vector<session_store::QueuedWorkBatch>> ListPendingQueuedWork(
      const session_store::ListPendingQueuedWorkRequest& request) override;
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> TryClaimSessionExecutionLease(
      const session_store::TryClaimSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> ReclaimSessionExecutionLease(
      const session_store::ReclaimSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::SessionExecutionLease> RenewSessionExecutionLease(
      const session_store::RenewSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::Done> ReleaseSessionExecutionLease(
      const session_store::ReleaseSessionExecutionLeaseRequest& request) override;
  session_store::Result<session_store::RuntimeCommitResult> CommitRuntimeState(
      const session_store::CommitRuntimeStateRequest& request) override;
  session_store::Result<std::optional<session_store::LoadedSession>> LoadSession(
      const session_store::LoadSessionRequest& request) override;
  session_store::Result<session_store::PendingTurnInput> EnqueuePendingTurnInput(
      const session_store::EnqueuePendingTurnInputRequest& request) override;
  session_store::Result<std::vector<session_store::PendingTurnInput>> ListPendingTurnInputs(
      const session_store::ListPendingTurnInputsRequest& request) override;
  session_store::Result<std::vector<session_store::PendingTurnInputCancelResult>> CancelPendingTurnInputs(
      const session_store::CancelPendingTurnInputsRequest& request) override;
  session_store::Result<session_store::PendingTurnInputSuffixCancelOutcome> CancelPendingTurnInputSuffix(
      const session_store::CancelPendingTurnInputSuffixRequest& request) override;
  session_store::Result<std::optional<session_store::TurnInputClaim>> ClaimActiveTurnInputs(
      const session_store::ClaimActiveTurnInputsRequest& request) override;
  session_store::Result<std::optional<session_store::TurnInputClaim>> ClaimNextTurnInputs(
      const session_store::ClaimNextTurnInputsRequest& request) override;
  session_store::Result<session_store::Done> AbandonTurnInputClaim(
      const session_store::AbandonTurnInputClaimRequest& request) override;
  session_store::Result<session_store::VacuumReport> Vacuum(const session_store::VacuumRequest& request) override;

 private:
  explicit SessionStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  // Grants the taken batches as one claim, or fails the transaction.
  session_store::Result<std::optional<session_store::QueuedWorkClaim>> Grant(
      Transaction& transaction, absl::string_view session_id, const session_store::LeaseOwnerIdentity& owner, DurationMs ttl,
      EpochMs now, const std::vector<uint64_t>& enqueue_seqs, uint64_t largest_counter);
  // A fresh input id: none that the store has, or that a caller ever gave.
  std::string NewInputId(Transaction& transaction);
  // Grants the rows as one claim, in the state that they have under it; none where there are none.
  session_store::Result<std::optional<session_store::TurnInputClaim>> GrantInputs(
      Transaction& transaction, std::vector<InputRow> rows, session_store::TurnInputState state,
      session_store::TurnInputClaimMode mode, const session_store::LeaseOwnerIdentity& owner, DurationMs ttl, EpochMs now);
  // Takes a lane that is not live, or whose holder is dead.
  session_store::Result<session_store::SessionExecutionLeaseClaimOutcome> Acquire(Transaction& transaction,
                                                                                  absl::string_view session_id,
                                                                                  uint64_t last_token,
                                                                                  const session_store::LeaseOwnerIdentity& owner,
                                                                                  DurationMs ttl, EpochMs now);

  const std::unique_ptr<Database> database_;
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_H_
