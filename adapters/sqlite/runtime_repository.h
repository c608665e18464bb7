// A durable runtime_repository backend on SQLite.
//
// It makes the choices of the contract's (a) at every point of latitude. What it promises of threads, processes, crashes and
// trouble is said in database.h, of every family's store. Every call is one transaction: a sweep requeues all that it takes, or
// nothing.
//
//   auto store = sqlite::RuntimeRepository::Open({.path = "/var/lib/attempts.db", .environment = {.clock = &clock}});
//   if (!store.ok()) return store.status();
//   auto lease = (*store)->UpsertLease({"a", "worker", expires});
//
// Cost. A claim, a heartbeat and an ack find their attempt by key. A list reads the attempts that it returns off the index of the
// dispatch order, and sorts the retries that are due; waiting ones it does not look at. A sweep and a timeout read what they
// take.
//
// The file is this family's alone. Events, dead letters and the history of retries have no time of the store's in them; their
// reads are snapshots that wait for nobody, whatever the clock.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_H_

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
#include "model/runtime_repository/store.h"
#include "model/time.h"

namespace leasecheck::sqlite {

template <>
inline runtime_repository::StoreError TroubleError<runtime_repository::StoreError>(absl::string_view text) {
  return runtime_repository::Driver{runtime_repository::DriverClass::kBackend, std::string(text)};
}

// Thread-safe. Trouble is Driver of class BACKEND; EventStore in the two calls of events.
class RuntimeRepository final : public runtime_repository::RuntimeRepositoryStore {
 public:
  using Options = StoreOptions;  // its liveness probe is not asked: workers are names here

  // Errors: as Database::Open.
  static absl::StatusOr<std::unique_ptr<RuntimeRepository>> Open(const Options& options);

  // As those of Database. Thread-safe.
  static absl::Status Remove(absl::string_view path) { return Database::Remove(path); }
  absl::Status SetClock(EpochMs now) { return database_->SetClock(now); }
  absl::Status Health() const { return database_->Health(); }
  absl::Status Trouble() const { return database_->Trouble(); }
  uint64_t statements() const { return database_->statements(); }

  runtime_repository::Result<std::vector<runtime_repository::AttemptDispatchRecord>> ListDispatchableAttempts(
      const runtime_repository::ListDispatchableAttemptsRequest& request) override;
  runtime_repository::Result<runtime_repository::LeaseRecord> UpsertLease(
      const runtime_repository::UpsertLeaseRequest& request) override;
  runtime_repository::Result<runtime_repository::Done> HeartbeatLease(
      const runtime_repository::HeartbeatLeaseRequest& request) override;
  runtime_repository::Result<uint64_t> ExpireLeasesAndRequeue(
      const runtime_repository::ExpireLeasesAndRequeueRequest& request) override;
  runtime_repository::Result<uint64_t> LatestSeqForRun(const runtime_repository::LatestSeqForRunRequest& request) override;
  runtime_repository::Result<uint64_t> TransitionTimedOutAttempts(
      const runtime_repository::TransitionTimedOutAttemptsRequest& request) override;
  runtime_repository::Result<runtime_repository::Done> EnqueueAttempt(
      const runtime_repository::EnqueueAttemptRequest& request) override;
  runtime_repository::Result<runtime_repository::AckResult> AckAttempt(
      const runtime_repository::AckAttemptRequest& request) override;
  runtime_repository::Result<runtime_repository::Done> MarkAttemptStatus(
      const runtime_repository::MarkAttemptStatusRequest& request) override;
  runtime_repository::Result<runtime_repository::Done> SetAttemptPriority(
      const runtime_repository::SetAttemptPriorityRequest& request) override;
  runtime_repository::Result<runtime_repository::Done> SetAttemptTenantId(
      const runtime_repository::SetAttemptTenantIdRequest& request) override;
  runtime_repository::Result<runtime_repository::Done> SetAttemptTimeoutPolicy(
      const runtime_repository::SetAttemptTimeoutPolicyRequest& request) override;
  runtime_repository::Result<runtime_repository::Done> SetAttemptStartedAt(
      const runtime_repository::SetAttemptStartedAtRequest& request) override;
  runtime_repository::Result<std::optional<runtime_repository::AttemptStatus>> GetAttemptStatus(
      const runtime_repository::GetAttemptStatusRequest& request) override;
  runtime_repository::Result<std::optional<runtime_repository::LeaseRecord>> GetLeaseForAttempt(
      const runtime_repository::GetLeaseForAttemptRequest& request) override;
  runtime_repository::Result<std::optional<runtime_repository::LeaseRecord>> GetLeaseById(
      const runtime_repository::GetLeaseByIdRequest& request) override;
  runtime_repository::Result<runtime_repository::Done> HeartbeatLeaseWithVersion(
      const runtime_repository::HeartbeatLeaseWithVersionRequest& request) override;
  runtime_repository::Result<uint64_t> ActiveLeasesForWorker(
      const runtime_repository::ActiveLeasesForWorkerRequest& request) override;
  runtime_repository::Result<uint64_t> ActiveLeasesForTenant(
      const runtime_repository::ActiveLeasesForTenantRequest& request) override;
  runtime_repository::Result<std::vector<runtime_repository::RetryHistoryEntry>> GetAttemptRetryHistory(
      const runtime_repository::GetAttemptRetryHistoryRequest& request) override;
  runtime_repository::Result<std::vector<runtime_repository::DeadLetter>> ListDeadLetters(
      const runtime_repository::ListDeadLettersRequest& request) override;
  runtime_repository::Result<runtime_repository::Done> ReplayDeadLetter(
      const runtime_repository::ReplayDeadLetterRequest& request) override;
  runtime_repository::Result<uint64_t> AppendRunEvents(const runtime_repository::AppendRunEventsRequest& request) override;

 private:
  explicit RuntimeRepository(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  const std::unique_ptr<Database> database_;
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_H_
