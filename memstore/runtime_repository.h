// The reference store of the runtime_repository contract, in memory: what a conforming backend does, and a test double of one.
//
//   ManualClock clock(0);
//   memstore::RuntimeRepository store({.clock = &clock});
//   store.EnqueueAttempt({"a", "run"});
//   auto lease = store.UpsertLease({"a", "worker", Instant(30'000)});
//
// Every call takes effect under one mutex, at one instant: the clock is read exactly once a call, inside, though only claims ask
// for it. The rules are in runtime_repository_state.h, with what this store chose where the contract leaves a choice. Nothing
// survives it.
//
// Cost. A claim, a heartbeat, an ack and every setter grow with the logarithm of the attempts held. A list costs that for each
// attempt it returns, and looks at none that is not dispatchable; a sweep and a timeout for each lease or attempt they take.
// Active leases cost what they count. Attempts stay for ever, as the contract wants them: it has no call that forgets one.
//
// Pauses (Environment::pause), both outside the lock: "before_lock" and "after_unlock", once each a call.
//
// As a test double it can be made to fail, be copied and set back, and say what was asked of it:
//
//   store.FailNext("heartbeat_lease", FaultPoint::kAfterEffect, runtime_repository::Driver{});
//   const RuntimeRepositorySnapshot before = store.Snapshot();  ...  store.Restore(before);
//   for (const auto& call : store.RecordedCalls()) ...
#ifndef LEASECHECK_MEMSTORE_RUNTIME_REPOSITORY_H_
#define LEASECHECK_MEMSTORE_RUNTIME_REPOSITORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "memstore/call_interceptor.h"
#include "memstore/ids.h"
#include "memstore/runtime_repository_snapshot.h"
#include "memstore/runtime_repository_state.h"
#include "model/environment.h"
#include "model/runtime_repository/family.h"
#include "model/runtime_repository/store.h"

namespace leasecheck::memstore {

struct RuntimeRepositoryOptions {
  // Opaque lease ids are made from `id_seed`, the injected randomness: stores of one seed that serve the same calls issue the
  // same ids. Readable ones are "c1", "c2" ..., in the order of the claims. Neither is ever issued twice by one store.
  IdStyle id_style = IdStyle::kOpaque;
  uint64_t id_seed = 0;
  // Keep every call for RecordedCalls. Costs a copy of each request and response.
  bool record_calls = false;
  // What a real backend does at two points of latitude: RR-LAT-8, and RR-LAT-2 of profile upstream.
  TimeoutClock timeout_clock = TimeoutClock::kKeep;
  bool allow_early_retry_claim = false;
};

// Thread-safe. Besides the contract's errors only injected faults.
class RuntimeRepository final : public runtime_repository::RuntimeRepositoryStore {
 public:
  // The environment's clock must be there: without it the constructor says so and aborts.
  explicit RuntimeRepository(const Environment& environment, const RuntimeRepositoryOptions& options = {});

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

  // The next call of the operation, by its name or index in RuntimeRepositoryFamily's table, answers `error`: before its effect
  // (nothing happens), or after it (what the call does is done, and its answer, even a contract error, is replaced). Faults of
  // one operation strike in the order of their injection, one a call. The clock is still read, and the pauses are still made.
  // InvalidArgument: there is no such operation; nothing is injected.
  absl::Status FailNext(absl::string_view operation, FaultPoint point, runtime_repository::StoreError error)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status FailNext(std::size_t operation, FaultPoint point, runtime_repository::StoreError error) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes back every fault that has not struck.
  void ClearFaults() ABSL_LOCKS_EXCLUDED(mu_);

  // What the store holds: attempts, leases, policies, dead letters, heads of runs and the place in its sequence of ids; not the
  // clock, the faults or the record of calls. Stores that hold the same give equal snapshots. Costs a copy of the store.
  RuntimeRepositorySnapshot Snapshot() const ABSL_LOCKS_EXCLUDED(mu_);
  // Makes the store hold what it, or another store, held at the snapshot. What was issued or stored since never happened: ids
  // issued since are issued again. Faults and the record of calls stay. Costs a copy of the snapshot.
  void Restore(const RuntimeRepositorySnapshot& snapshot) ABSL_LOCKS_EXCLUDED(mu_);

  // Every call so far, in the order in which they took effect; empty unless RuntimeRepositoryOptions::record_calls.
  std::vector<RecordedCall<RuntimeRepositoryFamily>> RecordedCalls() const ABSL_LOCKS_EXCLUDED(mu_);
  void ClearRecordedCalls() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // One call: pause, lock, read the clock, serve, unlock, pause.
  template <class Request, class Response>
  runtime_repository::Result<Response> Call(const Request& request,
                                            runtime_repository::Result<Response> (RuntimeRepositoryState::*rule)(const Request&,
                                                                                                                 EpochMs))
      ABSL_LOCKS_EXCLUDED(mu_);
  void Pause(absl::string_view point) const ABSL_LOCKS_EXCLUDED(mu_);

  const Environment environment_;
  mutable absl::Mutex mu_;
  RuntimeRepositoryState state_ ABSL_GUARDED_BY(mu_);
  CallInterceptor<RuntimeRepositoryFamily> interceptor_ ABSL_GUARDED_BY(mu_);
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_RUNTIME_REPOSITORY_H_
