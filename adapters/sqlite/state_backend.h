// A durable state_backend store on SQLite.
//
// It makes the reference's choice at every point of latitude (SB-LAT-n), and has views: tenants share the tables. What it
// promises of threads, processes, crashes and trouble is said in database.h, of every family's store. Every call is one
// transaction: a reclaim takes all that has expired, or nothing.
//
//   auto store = sqlite::StateBackend::Open({.path = "/var/lib/state.db", .environment = {.clock = &clock}});
//   if (!store.ok()) return store.status();
//   auto item = (*store)->ClaimWorkItem({"worker", {"tool"}});
//
// Cost. What is named is found by key. A claim reads one row a queue type off the index of the order of claims, and looks at no
// item that is claimed, settled or waits for its retry; a reclaim reads what it takes; a page of executions the rows that it
// skips and returns; a tail of a log what it returns.
//
// Secrets. The text of a token is drawn from OpenSSL's random numbers, and only its SHA-256 gets as far as a statement. With
// StoreOptions::id_seed texts are repeatable, and as secret as the seed.
//
// The file is this family's alone. Definitions, events, snapshots and tenants have no time of the store's in them; their reads
// are snapshots that wait for nobody, whatever the clock.
#ifndef LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_H_
#define LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_H_

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
#include "model/dialect.h"
#include "model/state_backend/store.h"
#include "model/time.h"

namespace leasecheck::sqlite {

template <>
inline state_backend::StoreError TroubleError<state_backend::StoreError>(absl::string_view text) {
  return state_backend::Database{std::string(text)};
}

// Thread-safe. Trouble is the contract's Database.
class StateBackend final : public state_backend::StateBackendStore {
 public:
  using Options = StoreOptions;  // its liveness probe is not asked: workers are names here

  // Errors: as Database::Open.
  static absl::StatusOr<std::unique_ptr<StateBackend>> Open(const Options& options);

  // What it declares: that it has views.
  static Dialects Declared() { return {{"views", "tenants"}}; }

  // As those of Database. Thread-safe.
  static absl::Status Remove(absl::string_view path) { return Database::Remove(path); }
  absl::Status SetClock(EpochMs now) { return database_->SetClock(now); }
  absl::Status Health() const { return database_->Health(); }
  absl::Status Trouble() const { return database_->Trouble(); }
  uint64_t statements() const { return database_->statements(); }

  state_backend::Result<state_backend::Done> StoreWorkflow(const state_backend::StoreWorkflowRequest& request) override;
  state_backend::Result<std::optional<state_backend::WorkflowDefinition>> GetWorkflow(
      const state_backend::GetWorkflowRequest& request) override;
  state_backend::Result<state_backend::Done> CreateExecution(const state_backend::CreateExecutionRequest& request) override;
  state_backend::Result<std::optional<state_backend::WorkflowExecution>> GetExecution(
      const state_backend::GetExecutionRequest& request) override;
  state_backend::Result<state_backend::Done> UpdateExecutionStatus(
      const state_backend::UpdateExecutionStatusRequest& request) override;
  state_backend::Result<state_backend::Done> UpdateExecutionCurrentState(
      const state_backend::UpdateExecutionCurrentStateRequest& request) override;
  state_backend::Result<state_backend::Done> PatchAppendArray(const state_backend::PatchAppendArrayRequest& request) override;
  state_backend::Result<std::vector<state_backend::WorkflowExecution>> ListExecutions(
      const state_backend::ListExecutionsRequest& request) override;
  state_backend::Result<state_backend::EventSequence> AppendEvent(const state_backend::AppendEventRequest& request) override;
  state_backend::Result<std::vector<state_backend::Event>> GetEvents(const state_backend::GetEventsRequest& request) override;
  state_backend::Result<std::vector<state_backend::Event>> GetEventsSince(
      const state_backend::GetEventsSinceRequest& request) override;
  state_backend::Result<state_backend::EventSequence> LatestSequence(
      const state_backend::LatestSequenceRequest& request) override;
  state_backend::Result<state_backend::Done> WriteSnapshot(const state_backend::WriteSnapshotRequest& request) override;
  state_backend::Result<std::optional<state_backend::Snapshot>> LatestSnapshot(
      const state_backend::LatestSnapshotRequest& request) override;
  state_backend::Result<state_backend::WorkItemId> EnqueueWorkItem(const state_backend::EnqueueWorkItemRequest& request) override;
  state_backend::Result<std::optional<state_backend::WorkItem>> ClaimWorkItem(
      const state_backend::ClaimWorkItemRequest& request) override;
  state_backend::Result<state_backend::Done> RenewLease(const state_backend::RenewLeaseRequest& request) override;
  state_backend::Result<state_backend::Done> CompleteWorkItem(const state_backend::CompleteWorkItemRequest& request) override;
  state_backend::Result<state_backend::Done> FailWorkItem(const state_backend::FailWorkItemRequest& request) override;
  state_backend::Result<state_backend::ReclaimResult> ReclaimExpiredLeases(
      const state_backend::ReclaimExpiredLeasesRequest& request) override;
  state_backend::Result<state_backend::Done> MoveToDeadLetter(const state_backend::MoveToDeadLetterRequest& request) override;
  state_backend::Result<state_backend::CreatedToken> CreateToken(const state_backend::CreateTokenRequest& request) override;
  state_backend::Result<std::optional<state_backend::ApiToken>> ValidateToken(
      const state_backend::ValidateTokenRequest& request) override;
  state_backend::Result<state_backend::Done> CreateTenant(const state_backend::CreateTenantRequest& request) override;
  state_backend::Result<std::optional<state_backend::Tenant>> GetTenant(const state_backend::GetTenantRequest& request) override;
  state_backend::Result<std::vector<state_backend::Tenant>> ListTenants(
      const state_backend::ListTenantsRequest& request) override;
  state_backend::Result<state_backend::Done> UpdateTenant(const state_backend::UpdateTenantRequest& request) override;
  state_backend::Result<state_backend::Done> RevokeToken(const state_backend::RevokeTokenRequest& request) override;
  state_backend::Result<state_backend::Done> ExpireToken(const state_backend::ExpireTokenRequest& request) override;
  state_backend::Result<std::vector<state_backend::DeadLetter>> ListDeadLetters(
      const state_backend::ListDeadLettersRequest& request) override;

 private:
  StateBackend(std::unique_ptr<Database> database, bool repeatable) : database_(std::move(database)), repeatable_(repeatable) {}

  // The text of a new token; none where there are no random numbers to be had.
  std::optional<std::string> NewTokenText();

  const std::unique_ptr<Database> database_;
  const bool repeatable_;  // ids and texts come from a seed
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_H_
