// A durable session_store backend on SQLite.
//
// Every call is one transaction on a connection of its own, so the store may be used by many threads, by several stores on one
// file and by several processes at once; nothing but the database keeps them apart. It makes the choices of the contract's "Ref"
// column everywhere, over the full range of u64 times.
//
//   auto store = sqlite::SessionStore::Open({.path = "/var/lib/queue.db", .environment = {.clock = &clock, .liveness = &probe}});
//   if (!store.ok()) return store.status();
//   auto batch = (*store)->EnqueueQueuedWork({.batch = draft});
//
// Durability. The file is in write-ahead-log mode with synchronous=FULL: what a call acknowledged is on the disk. Closing every
// handle, or losing them to a crash, and opening the file again shows exactly the calls that were acknowledged, and of those that
// were open at a crash each one whole or not at all.
//
// Time. The clock is read once a call, inside its transaction, while the state cannot change: writers hold the database's write
// lock from BEGIN IMMEDIATE on. An injected clock can move while a writer is between its clock and its COMMIT, and a snapshot
// taken then would show the state before that writer at a time after it. So with an injected clock reads take the write lock too.
// With `clock_in_database` the time is a row like the others, snapshots are consistent with it, and reads block nobody.
//
// Errors. Trouble that the contract does not name (disk full, lock not got in time, corrupt file) is StoreError Backend, and
// the call had no effect. One case is hard: a COMMIT that fails while it writes. No reader sees such a transaction, but its pages
// may be in the log, and a crash could bring it back; so before Backend is returned another transaction is committed over those
// pages. Where that fails too, the call's outcome is unknown. The contract's answers cannot say so, therefore the store is
// then *broken*: Health() is not OK, this and every later call is answered Backend without an effect of its own, and whoever
// shows the store to a checker must call the broken call's outcome Indefinite. Opening the file again settles what happened.
#ifndef LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_H_
#define LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "adapters/sqlite/connection.h"
#include "adapters/sqlite/ids.h"
#include "adapters/sqlite/pool.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/transaction.h"
#include "model/environment.h"
#include "model/session_store/store.h"
#include "model/time.h"

namespace leasecheck::sqlite {

// How long a call waits for others: each attempt up to Options::busy_timeout, and so many attempts.
inline constexpr int kBusyAttempts = 3;

struct InputRow;  // turn_input_rows.h

class SessionStore final : public session_store::SessionStore {
 public:
  struct Options {
    std::string path = {};  // a file in an existing directory, or ":memory:" (gone with the store; one connection only)
    int connections = 4;    // calls that may be in the database at once; others wait for a free connection
    // `clock` is needed unless clock_in_database. `liveness` may be null: nobody is provably dead. `pause` is called at
    // "before_transaction" and "after_transaction" of every call, where the call holds neither connection nor lock.
    Environment environment = {};
    bool clock_in_database = false;        // the time is a row of the file, shared by all who open it so; see SetClock
    std::optional<uint64_t> id_seed = {};  // makes ids repeatable; they stay unique, because every opening counts
    absl::Duration busy_timeout = absl::Seconds(10);
    Synchronous synchronous = Synchronous::kFull;
    std::string vfs = {};             // the name of a registered SQLite VFS; empty: SQLite's own
    StatementHook on_statement = {};  // see connection.h; counts the statements of opening too
  };

  // Opens the store in a file, and makes it where the file is new or empty. Errors, each one sentence that names the file:
  // InvalidArgument (empty path, connections < 1, several of ":memory:", no clock), NotFound (no such directory),
  // PermissionDenied, DataLoss (corrupt, or no SQLite file), FailedPrecondition (another program's or version's database),
  // Unavailable (locked by somebody for longer than busy_timeout).
  static absl::StatusOr<std::unique_ptr<SessionStore>> Open(const Options& options);

  // Removes a store's file and what SQLite keeps beside it. No store may have it open. A missing file is no error.
  static absl::Status Remove(absl::string_view path);

  // Moves the clock in the database, in one transaction. FailedPrecondition without clock_in_database.
  absl::Status SetClock(EpochMs now);

  // OK, or why the store is broken (see above). Thread-safe.
  absl::Status Health() const;

  // The last trouble of the database that a call was answered Backend for; OK where there was none since the opening. What is no
  // trouble of the database is the contract's, or this adapter's mistake. Thread-safe.
  absl::Status Trouble() const;

  // Statements executed so far, those of opening included. Thread-safe.
  uint64_t statements() const { return gate_.count(); }

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
  explicit SessionStore(const Options& options);

  absl::Status OpenConnections();

  // Runs body(transaction, now) in one transaction, again from the start where others held the lock too long, and commits it if
  // it returned a response. `body` writes nothing but the database.
  template <class Body>
  auto Call(Transaction::Mode mode, Body body) -> decltype(body(std::declval<Transaction&>(), EpochMs{}));
  template <class Body>
  auto Write(Body body) {
    return Call(Transaction::Mode::kWrite, std::move(body));
  }
  template <class Body>
  auto Read(Body body) {
    return Call(options_.clock_in_database ? Transaction::Mode::kRead : Transaction::Mode::kWrite, std::move(body));
  }

  EpochMs Now(Transaction& transaction) const;
  void Pause(absl::string_view point) const;
  // The answer of a call that the database could not do.
  tl::unexpected<session_store::StoreError> Troubled(const absl::Status& trouble);
  // Commits something harmless over a transaction whose COMMIT failed while writing; where that fails, the store is broken.
  void OverwriteDoubt(Connection& connection, const absl::Status& why);

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

  const Options options_;
  StatementGate gate_;
  std::unique_ptr<IdSource> ids_;  // set by Open
  std::unique_ptr<Pool> pool_;     // set by Open
  mutable absl::Mutex health_mutex_;
  absl::Status health_ ABSL_GUARDED_BY(health_mutex_);
  absl::Status trouble_ ABSL_GUARDED_BY(health_mutex_);
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_H_
