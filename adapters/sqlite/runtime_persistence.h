// A durable runtime_persistence backend on SQLite.
//
// It makes the choices of the contract's "Ref" column everywhere, over the full range of u64. What it promises of threads,
// processes, crashes and trouble is said in database.h, of every family's store. A commit is one transaction over all of graph,
// head, checkpoint, ledger, queue, turn and attachments; load_session reads them in one snapshot.
//
//   auto store = sqlite::RuntimePersistence::Open({.path = "/var/lib/session.db", .environment = {.clock = &clock}});
//   if (!store.ok()) return store.status();
//   auto result = (*store)->CommitRuntimeState({.commit = commit});
//
// Cost. What a call does grows with what it is given and what it returns, not with what is stored: a path is walked by key from
// its leaf, an appended node, a ledger entry and an attachment are found by key, a claim passes over held and deferred batches
// once.
//
// The file is this family's alone. Loaded state, nodes, meta and the list of uncommitted attachments have no time of the store's
// in them, and neither have the answers of those who write them; so their reads are snapshots that wait for nobody, whatever the
// clock.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_H_

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
#include "model/runtime_persistence/store.h"
#include "model/time.h"

namespace leasecheck::sqlite {

template <>
inline runtime_persistence::StoreError TroubleError<runtime_persistence::StoreError>(absl::string_view text) {
  return runtime_persistence::Backend{std::string(text)};
}

class RuntimePersistence final : public runtime_persistence::RuntimePersistence {
 public:
  using Options = StoreOptions;  // its liveness probe is not asked: owners are names here

  // Errors: as Database::Open.
  static absl::StatusOr<std::unique_ptr<RuntimePersistence>> Open(const Options& options);

  // As those of Database. Thread-safe.
  static absl::Status Remove(absl::string_view path) { return Database::Remove(path); }
  absl::Status SetClock(EpochMs now) { return database_->SetClock(now); }
  absl::Status Health() const { return database_->Health(); }
  absl::Status Trouble() const { return database_->Trouble(); }
  uint64_t statements() const { return database_->statements(); }

  // Settled state.
  runtime_persistence::Result<std::optional<runtime_persistence::PersistedSessionRead>> LoadSession(
      const runtime_persistence::LoadSessionRequest& request) override;
  runtime_persistence::Result<std::optional<runtime_persistence::SessionNodeRecord>> LoadNode(
      const runtime_persistence::LoadNodeRequest& request) override;
  runtime_persistence::Result<runtime_persistence::RuntimeCommitResult> CommitRuntimeState(
      const runtime_persistence::CommitRuntimeStateRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> SaveSessionMeta(
      const runtime_persistence::SaveSessionMetaRequest& request) override;
  runtime_persistence::Result<std::optional<runtime_persistence::SessionMeta>> LoadSessionMeta(
      const runtime_persistence::LoadSessionMetaRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> TombstoneNodes(
      const runtime_persistence::TombstoneNodesRequest& request) override;
  runtime_persistence::Result<runtime_persistence::VacuumReport> Vacuum(
      const runtime_persistence::VacuumRequest& request) override;
  runtime_persistence::Result<runtime_persistence::GcReport> GcUnreachable(
      const runtime_persistence::GcUnreachableRequest& request) override;

  // kDurable, but kInline for a store in memory.
  runtime_persistence::Result<runtime_persistence::DurabilityTier> GetDurabilityTier(
      const runtime_persistence::DurabilityTierRequest& request) override;

  // The queue.
  runtime_persistence::Result<runtime_persistence::QueuedWorkBatch> EnqueueQueuedWork(
      const runtime_persistence::EnqueueQueuedWorkRequest& request) override;
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkClaim>> ClaimReadyQueuedWork(
      const runtime_persistence::ClaimReadyQueuedWorkRequest& request) override;
  // One transaction: nobody sees what it claims and gives back.
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkClaim>> ClaimReadyQueuedWorkByBatchIds(
      const runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest& request) override;
  runtime_persistence::Result<runtime_persistence::QueuedWorkClaim> RenewQueuedWorkClaim(
      const runtime_persistence::RenewQueuedWorkClaimRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> AbandonQueuedWorkClaim(
      const runtime_persistence::AbandonQueuedWorkClaimRequest& request) override;
  runtime_persistence::Result<std::optional<runtime_persistence::QueuedWorkBatch>> CancelQueuedWorkBatch(
      const runtime_persistence::CancelQueuedWorkBatchRequest& request) override;
  runtime_persistence::Result<std::vector<runtime_persistence::QueuedWorkBatch>> ListQueuedWork(
      const runtime_persistence::ListQueuedWorkRequest& request) override;
  runtime_persistence::Result<std::vector<runtime_persistence::QueuedWorkBatch>> ListPendingQueuedWork(
      const runtime_persistence::ListPendingQueuedWorkRequest& request) override;

  // Attachments.
  runtime_persistence::Result<runtime_persistence::Done> RecordIntent(
      const runtime_persistence::RecordIntentRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> CommitRefs(
      const runtime_persistence::CommitRefsRequest& request) override;
  // By time, then session, then id.
  runtime_persistence::Result<std::vector<runtime_persistence::AttachmentManifestEntry>> ListUncommitted(
      const runtime_persistence::ListUncommittedRequest& request) override;
  runtime_persistence::Result<runtime_persistence::Done> Forget(const runtime_persistence::ForgetRequest& request) override;

 private:
  RuntimePersistence(std::unique_ptr<Database> database, runtime_persistence::DurabilityTier tier)
      : database_(std::move(database)), tier_(tier) {}

  const std::unique_ptr<Database> database_;
  const runtime_persistence::DurabilityTier tier_;
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_H_
