// A third state_backend store, small and slow, written from the contract alone: right where its slip is kNone, wrong in one
// plausible way where it is another, and legal though different under its liberties.
//
// It keeps everything in plain maps under one mutex. The race slips let go of it in the middle of a call and pause there.
#ifndef LEASECHECK_TESTS_MUTANTS_STATE_SLIP_STORE_H_
#define LEASECHECK_TESTS_MUTANTS_STATE_SLIP_STORE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "model/environment.h"
#include "model/state_backend/store.h"
#include "tests/mutants/disk.h"

namespace leasecheck::mutants {

// What each is, in a sentence, is said in state_catalogue.cc.
enum class StateSlip {
  kNone,
  // Definitions.
  kDefinitionKeepsCreated,
  kLatestVersion,
  kTenantsShareDefinitions,
  kUnregisteredDefinition,
  // Executions.
  kCreateReplaces,
  kNoCompletedAt,
  kCompletedOnce,
  kResumeClearsCompleted,
  kMovesChecked,
  kStatusKeepsUpdated,
  kListOffsetFirst,
  kLimitZeroIsAll,
  kPageSkipsOne,
  // Patches.
  kPatchSplices,
  kPatchNullIsAbsent,
  kPatchSilent,
  kPatchKeepsUpdated,
  kPatchIsPath,
  // Logs and snapshots.
  kSinceInclusive,
  kHintTaken,
  kFailedAppendTakesNumber,
  kAppendTouchesExecution,
  kUndeclaredGlobalNumbers,
  kSnapshotLastWritten,
  kSnapshotNotReplaced,
  // The queue.
  kSweepResurrects,
  kClaimStarves,
  kClaimInEnqueueOrder,
  kFirstTypeFirst,
  kRetryAfterStrict,
  kNoBackoff,
  kBackoffUncapped,
  kReclaimInclusive,
  kExpiredClaimable,
  kLateHeartbeatRevives,
  kRenewByAnybody,
  kRenewAdds,
  kRenewRefusesLapsed,
  kAttemptAtClaim,
  kExhaustsOneLate,
  kReclaimUnordered,
  kReasonNamesWorker,
  kReasonEmpty,
  kReclaimKeepsAttempt,
  kFailRequeues,
  kLetterKeepsClaim,
  kCompleteTakesLetter,
  kSettledIdReused,
  kEnqueueKeepsLease,
  kEmptyClaimTakesAny,
  // Tokens and tenants.
  kTokenExpiresLate,
  kRevokedValid,
  kTokenIdIsText,
  kTokenTenantDefault,
  kTokenTextOfName,
  kTenantKeepsPolicy,
  kTenantUpdateInserts,
  kTenantUpdateTakesCreated,
  // Views.
  kViewReadsForeign,
  kViewLogsForeign,
  kViewAppendsForeign,
  kViewSnapshotReplacesForeign,
  kViewClaimsForeign,
  kViewReclaimsAll,
  kViewRenewsForeign,
  kViewKeepsCallersTenant,
  // Races.
  kLostPatch,
  kLostAppend,
  kAppendInTwoSteps,
  kDoubleClaim,
  kReclaimOverComplete,
  kReclaimOverRenew,
  kReclaimTwice,
  kBusyStore,
  // What a crash leaves.
  kCrashBackoffForgotten,
  kCrashEventForgotten,
  kCrashAttemptsForgotten,
  kCrashRevocationsForgotten,
  kCrashLeasesForgotten,
  kLast = kCrashLeasesForgotten,
};

// What the contract lets a store do otherwise (state-backend.md, 4). Those with a dialect are declared.
struct StateLiberties {
  bool silent_state_update = false;   // SB-LAT-4
  bool loses_session_type = false;    // SB-LAT-7
  bool stores_duplicates = false;     // SB-LAT-11
  bool completes_unknown = false;     // SB-LAT-18
  bool settled_succeeds = false;      // SB-LAT-19
  bool letter_of_unknown = false;     // SB-LAT-21
  bool drops_letter_text = false;     // SB-LAT-21
  bool shows_old_holder = false;      // SB-LAT-22
  bool items_of_default = false;      // SB-LAT-24
  bool token_created_later = false;   // SB-LAT-26
  bool hides_foreign_tokens = false;  // SB-LAT-28
  bool no_seed = false;               // SB-LAT-33
  bool short_tokens = false;          // SB-LAT-37
  bool foreign_is_not_found = false;  // SB-TEN-13: which error it is
  bool other_ties = false;            // SB-LSE-3, SB-CLM-5
  bool by_started_at = false;         // SB-LAT-5, declared
  bool accepts_unknown = false;       // SB-LAT-9, declared
  bool global_numbers = false;        // SB-LAT-10, declared
  bool any_order = false;             // SB-LAT-15, declared
  bool steals = false;                // SB-LAT-16, declared
  bool short_backoff = false;         // SB-LAT-17 bounded, declared
  bool no_backoff = false;            // SB-LAT-17 none, declared
  bool requeues = false;              // SB-LAT-20, declared
  bool no_tenants = false;            // SB-LAT-34, declared
  bool short_lease = false;           // SB-LAT-35, declared: 5 s
  bool rewrites_settled = false;      // SB-LAT-19 of preset sqlite, declared
  bool default_tokens = false;        // SB-LAT-27 of preset sqlite, declared
  bool replaces_executions = false;   // SB-LAT-2 of preset memory, declared
  bool never_completed_at = false;    // SB-LAT-6 of preset memory, declared
  bool reuses_settled_ids = false;    // SB-LAT-23 of preset memory, declared
};

// All that the store keeps.
struct StateTables {
  enum class Status { kPending, kClaimed, kCompleted, kFailed, kDead };
  struct ItemRow {
    state_backend::WorkItem item;  // with the claim's worker and lease
    Status status = Status::kPending;
    std::optional<Instant> retry_after;
    std::string last_error;
    Instant dead_at;
    uint64_t ordinal = 0;
    std::string last_worker;  // who claimed it last: kLateHeartbeatRevives
  };
  struct ExecutionRow {
    state_backend::TenantId tenant;
    state_backend::WorkflowExecution value;
    uint64_t ordinal = 0;
  };
  struct TokenRow {
    std::string text;
    state_backend::ApiToken info;
    bool revoked = false;
  };
  using DefinitionKey = std::tuple<std::string, std::string, std::string>;  // tenant, id, version

  std::map<DefinitionKey, state_backend::WorkflowDefinition> definitions;
  std::map<Uuid, ExecutionRow> executions;
  std::map<Uuid, std::vector<state_backend::Event>> logs;
  std::map<Uuid, int64_t> numbers;  // the last that was given
  int64_t global_number = 0;
  std::map<Uuid, std::map<int64_t, state_backend::Snapshot>> snapshots;
  std::map<Uuid, state_backend::Snapshot> last_snapshots;
  std::map<Uuid, ItemRow> items;
  std::vector<TokenRow> tokens;
  std::vector<state_backend::Tenant> tenants;
  uint64_t serial = 0;
};
using StateDisk = DiskOf<StateTables>;

class StateSlipStore final : public state_backend::StateBackendStore {
 public:
  // `disk`, where given, is borrowed and holds what earlier lives of the store wrote.
  StateSlipStore(const Environment& environment, StateSlip slip, const StateLiberties& liberties, StateDisk* disk = nullptr);

  template <class T>
  using Result = state_backend::Result<T>;
  using Done = state_backend::Done;
  using View = std::optional<state_backend::TenantId>;

  Result<Done> StoreWorkflow(const state_backend::StoreWorkflowRequest& request) override;
  Result<std::optional<state_backend::WorkflowDefinition>> GetWorkflow(const state_backend::GetWorkflowRequest& request) override;
  Result<Done> CreateExecution(const state_backend::CreateExecutionRequest& request) override;
  Result<std::optional<state_backend::WorkflowExecution>> GetExecution(
      const state_backend::GetExecutionRequest& request) override;
  Result<Done> UpdateExecutionStatus(const state_backend::UpdateExecutionStatusRequest& request) override;
  Result<Done> UpdateExecutionCurrentState(const state_backend::UpdateExecutionCurrentStateRequest& request) override;
  Result<Done> PatchAppendArray(const state_backend::PatchAppendArrayRequest& request) override;
  Result<std::vector<state_backend::WorkflowExecution>> ListExecutions(
      const state_backend::ListExecutionsRequest& request) override;
  Result<state_backend::EventSequence> AppendEvent(const state_backend::AppendEventRequest& request) override;
  Result<std::vector<state_backend::Event>> GetEvents(const state_backend::GetEventsRequest& request) override;
  Result<std::vector<state_backend::Event>> GetEventsSince(const state_backend::GetEventsSinceRequest& request) override;
  Result<state_backend::EventSequence> LatestSequence(const state_backend::LatestSequenceRequest& request) override;
  Result<Done> WriteSnapshot(const state_backend::WriteSnapshotRequest& request) override;
  Result<std::optional<state_backend::Snapshot>> LatestSnapshot(const state_backend::LatestSnapshotRequest& request) override;
  Result<state_backend::WorkItemId> EnqueueWorkItem(const state_backend::EnqueueWorkItemRequest& request) override;
  Result<std::optional<state_backend::WorkItem>> ClaimWorkItem(const state_backend::ClaimWorkItemRequest& request) override;
  Result<Done> RenewLease(const state_backend::RenewLeaseRequest& request) override;
  Result<Done> CompleteWorkItem(const state_backend::CompleteWorkItemRequest& request) override;
  Result<Done> FailWorkItem(const state_backend::FailWorkItemRequest& request) override;
  Result<state_backend::ReclaimResult> ReclaimExpiredLeases(const state_backend::ReclaimExpiredLeasesRequest& request) override;
  Result<Done> MoveToDeadLetter(const state_backend::MoveToDeadLetterRequest& request) override;
  Result<state_backend::CreatedToken> CreateToken(const state_backend::CreateTokenRequest& request) override;
  Result<std::optional<state_backend::ApiToken>> ValidateToken(const state_backend::ValidateTokenRequest& request) override;
  Result<Done> CreateTenant(const state_backend::CreateTenantRequest& request) override;
  Result<std::optional<state_backend::Tenant>> GetTenant(const state_backend::GetTenantRequest& request) override;
  Result<std::vector<state_backend::Tenant>> ListTenants(const state_backend::ListTenantsRequest& request) override;
  Result<Done> UpdateTenant(const state_backend::UpdateTenantRequest& request) override;
  Result<Done> RevokeToken(const state_backend::RevokeTokenRequest& request) override;
  Result<Done> ExpireToken(const state_backend::ExpireTokenRequest& request) override;
  Result<std::vector<state_backend::DeadLetter>> ListDeadLetters(const state_backend::ListDeadLettersRequest& request) override;

 private:
  using ItemRow = StateTables::ItemRow;
  using ExecutionRow = StateTables::ExecutionRow;
  using TokenRow = StateTables::TokenRow;
  using Status = StateTables::Status;

  bool Is(StateSlip slip) const { return slip_ == slip; }
  // Lets go of the mutex in the middle of a call, where the slip says so.
  void PauseIf(StateSlip slip) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Writes the tables to the disk when a call ends that may have changed them, whatever it answers.
  class Saving {
   public:
    explicit Saving(StateSlipStore* store) : store_(store) {}
    ~Saving() { store_->Persist(); }
    Saving(const Saving&) = delete;
    Saving& operator=(const Saving&) = delete;

   private:
    StateSlipStore* store_;
  };
  void Persist() ABSL_NO_THREAD_SAFETY_ANALYSIS;  // of Saving, whose owner holds the mutex

  Instant Now() const { return InstantOf(environment_.clock->Now()); }
  static bool Sees(const View& view, const std::string& tenant) { return !view.has_value() || *view == tenant; }
  static state_backend::TenantId OwnerOf(const View& view);
  bool IsRegistered(const std::string& tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  ExecutionRow* FindExecution(const Uuid& id, const View& view) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The error of a call that refers to the execution and may not, or none.
  std::optional<state_backend::StoreError> Standing(const Uuid& execution, const View& view)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  ItemRow* FindItem(const Uuid& id, const View& view) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  state_backend::WorkflowExecution Shown(const ExecutionRow& row) const;
  bool Before(const ExecutionRow& a, const ExecutionRow& b) const;
  bool HasEvent(const Uuid& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  state_backend::EventSequence NextNumber(const state_backend::Event& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<state_backend::Event> EventsOf(const Uuid& execution, const View& view, int64_t since)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  int64_t LeaseLength() const { return liberties_.short_lease ? 5'000 : 30'000; }
  bool IsEligible(const ItemRow& row, const state_backend::ClaimWorkItemRequest& request, Instant now) const;
  bool ClaimsBefore(const ItemRow& a, const ItemRow& b, const state_backend::ClaimWorkItemRequest& request) const;
  ItemRow* PickItem(const state_backend::ClaimWorkItemRequest& request, Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Steal(const View& view, Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsExpired(const ItemRow& row, Instant now) const;
  bool MayExpire(const ItemRow& row, Instant now) const;
  void Expire(ItemRow& row, Instant now, state_backend::ReclaimResult* result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t Backoff(uint32_t attempt) const;
  static void Release(ItemRow& row, Status status);
  Result<Done> Settled(ItemRow& row, Status wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string NewText(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  TokenRow* FindTokenId(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  state_backend::Tenant* FindTenant(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Environment environment_;
  const StateSlip slip_;
  const StateLiberties liberties_;
  StateDisk* const disk_;
  const int life_;  // of the disk's

  absl::Mutex mutex_;
  StateTables tables_ ABSL_GUARDED_BY(mutex_);
  bool inside_ ABSL_GUARDED_BY(mutex_) = false;  // a call of kBusyStore pauses
};

}  // namespace leasecheck::mutants

#endif  // LEASECHECK_TESTS_MUTANTS_STATE_SLIP_STORE_H_
