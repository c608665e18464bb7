#include "memstore/session_store.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace leasecheck::memstore {
namespace {

using session_store::Done;
using session_store::LoadedSession;
using session_store::PendingTurnInput;
using session_store::PendingTurnInputCancelOutcome;
using session_store::PendingTurnInputCancelResult;
using session_store::PendingTurnInputSuffixCancelOutcome;
using session_store::QueuedWorkBatch;
using session_store::QueuedWorkClaim;
using session_store::Result;
using session_store::RuntimeCommitResult;
using session_store::SessionExecutionLease;
using session_store::SessionExecutionLeaseClaimOutcome;
using session_store::TurnInputClaim;
using session_store::VacuumReport;

const Environment& Checked(const Environment& environment) {
  if (environment.clock == nullptr || environment.liveness == nullptr) {
    std::fputs("memstore::SessionStore: the environment needs a clock and a liveness probe\n", stderr);
    std::abort();
  }
  return environment;
}

}  // namespace

SessionStore::SessionStore(const Environment& environment, const SessionStoreOptions& options)
    : environment_(Checked(environment)),
      state_(environment.liveness, IdSource(options.id_style, options.id_seed), options.first_counters, options.turn_inputs),
      interceptor_(options.record_calls) {}

void SessionStore::Pause(absl::string_view point) const {
  if (environment_.pause != nullptr) environment_.pause->Pause(point);
}

template <class Request, class Response>
Result<Response> SessionStore::Call(const Request& request,
                                    Result<Response> (SessionStoreState::*rule)(const Request&, EpochMs)) {
  Pause("before_lock");
  mu_.Lock();
  Result<Response> result = interceptor_.Call(state_, rule, request, environment_.clock->Now());
  mu_.Unlock();
  Pause("after_unlock");
  return result;
}

Result<QueuedWorkBatch> SessionStore::EnqueueQueuedWork(const session_store::EnqueueQueuedWorkRequest& request) {
  return Call(request, &SessionStoreState::EnqueueQueuedWork);
}
Result<std::optional<QueuedWorkClaim>> SessionStore::ClaimLeadingReadySessionCommand(
    const session_store::ClaimLeadingReadySessionCommandRequest& request) {
  return Call(request, &SessionStoreState::ClaimLeadingReadySessionCommand);
}
Result<std::optional<QueuedWorkClaim>> SessionStore::ClaimReadyQueuedWork(
    const session_store::ClaimReadyQueuedWorkRequest& request) {
  return Call(request, &SessionStoreState::ClaimReadyQueuedWork);
}
Result<std::optional<QueuedWorkClaim>> SessionStore::ClaimReadyQueuedWorkByBatchIds(
    const session_store::ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  return Call(request, &SessionStoreState::ClaimReadyQueuedWorkByBatchIds);
}
Result<QueuedWorkClaim> SessionStore::RenewQueuedWorkClaim(const session_store::RenewQueuedWorkClaimRequest& request) {
  return Call(request, &SessionStoreState::RenewQueuedWorkClaim);
}
Result<Done> SessionStore::AbandonQueuedWorkClaim(const session_store::AbandonQueuedWorkClaimRequest& request) {
  return Call(request, &SessionStoreState::AbandonQueuedWorkClaim);
}
Result<std::optional<QueuedWorkBatch>> SessionStore::CancelQueuedWorkBatch(
    const session_store::CancelQueuedWorkBatchRequest& request) {
  return Call(request, &SessionStoreState::CancelQueuedWorkBatch);
}
Result<std::vector<QueuedWorkBatch>> SessionStore::ListQueuedWork(const session_store::ListQueuedWorkRequest& request) {
  return Call(request, &SessionStoreState::ListQueuedWork);
}
Result<std::vector<QueuedWorkBatch>> SessionStore::ListPendingQueuedWork(
    const session_store::ListPendingQueuedWorkRequest& request) {
  return Call(request, &SessionStoreState::ListPendingQueuedWork);
}
Result<SessionExecutionLeaseClaimOutcome> SessionStore::TryClaimSessionExecutionLease(
    const session_store::TryClaimSessionExecutionLeaseRequest& request) {
  return Call(request, &SessionStoreState::TryClaimSessionExecutionLease);
}
Result<SessionExecutionLeaseClaimOutcome> SessionStore::ReclaimSessionExecutionLease(
    const session_store::ReclaimSessionExecutionLeaseRequest& request) {
  return Call(request, &SessionStoreState::ReclaimSessionExecutionLease);
}
Result<SessionExecutionLease> SessionStore::RenewSessionExecutionLease(
    const session_store::RenewSessionExecutionLeaseRequest& request) {
  return Call(request, &SessionStoreState::RenewSessionExecutionLease);
}
Result<Done> SessionStore::ReleaseSessionExecutionLease(const session_store::ReleaseSessionExecutionLeaseRequest& request) {
  return Call(request, &SessionStoreState::ReleaseSessionExecutionLease);
}
Result<RuntimeCommitResult> SessionStore::CommitRuntimeState(const session_store::CommitRuntimeStateRequest& request) {
  return Call(request, &SessionStoreState::CommitRuntimeState);
}
Result<std::optional<LoadedSession>> SessionStore::LoadSession(const session_store::LoadSessionRequest& request) {
  return Call(request, &SessionStoreState::LoadSession);
}
Result<PendingTurnInput> SessionStore::EnqueuePendingTurnInput(const session_store::EnqueuePendingTurnInputRequest& request) {
  return Call(request, &SessionStoreState::EnqueuePendingTurnInput);
}
Result<std::vector<PendingTurnInput>> SessionStore::ListPendingTurnInputs(
    const session_store::ListPendingTurnInputsRequest& request) {
  return Call(request, &SessionStoreState::ListPendingTurnInputs);
}
Result<std::vector<PendingTurnInputCancelResult>> SessionStore::CancelPendingTurnInputs(
    const session_store::CancelPendingTurnInputsRequest& request) {
  return Call(request, &SessionStoreState::CancelPendingTurnInputs);
}
Result<PendingTurnInputCancelOutcome> SessionStore::CancelPendingTurnInput(
    const session_store::CancelPendingTurnInputRequest& request) {
  return Call(request, &SessionStoreState::CancelPendingTurnInput);
}
Result<PendingTurnInputSuffixCancelOutcome> SessionStore::CancelPendingTurnInputSuffix(
    const session_store::CancelPendingTurnInputSuffixRequest& request) {
  return Call(request, &SessionStoreState::CancelPendingTurnInputSuffix);
}
Result<std::optional<TurnInputClaim>> SessionStore::ClaimActiveTurnInputs(
    const session_store::ClaimActiveTurnInputsRequest& request) {
  return Call(request, &SessionStoreState::ClaimActiveTurnInputs);
}
Result<std::optional<TurnInputClaim>> SessionStore::ClaimNextTurnInputs(
    const session_store::ClaimNextTurnInputsRequest& request) {
  return Call(request, &SessionStoreState::ClaimNextTurnInputs);
}
Result<Done> SessionStore::AbandonTurnInputClaim(const session_store::AbandonTurnInputClaimRequest& request) {
  return Call(request, &SessionStoreState::AbandonTurnInputClaim);
}
Result<VacuumReport> SessionStore::Vacuum(const session_store::VacuumRequest& request) {
  return Call(request, &SessionStoreState::Vacuum);
}

absl::Status SessionStore::FailNext(absl::string_view operation, FaultPoint point, session_store::StoreError error) {
  absl::MutexLock lock(&mu_);
  return interceptor_.FailNext(operation, point, std::move(error));
}
absl::Status SessionStore::FailNext(std::size_t operation, FaultPoint point, session_store::StoreError error) {
  absl::MutexLock lock(&mu_);
  return interceptor_.FailNext(operation, point, std::move(error));
}
void SessionStore::ClearFaults() {
  absl::MutexLock lock(&mu_);
  interceptor_.ClearFaults();
}

SessionStoreSnapshot SessionStore::Snapshot() const {
  absl::MutexLock lock(&mu_);
  return SessionStoreSnapshot(state_.Contents());
}
void SessionStore::Restore(const SessionStoreSnapshot& snapshot) {
  absl::MutexLock lock(&mu_);
  state_.Restore(snapshot.contents());
}

std::vector<RecordedCall<SessionStoreFamily>> SessionStore::RecordedCalls() const {
  absl::MutexLock lock(&mu_);
  return interceptor_.recorded();
}
void SessionStore::ClearRecordedCalls() {
  absl::MutexLock lock(&mu_);
  interceptor_.ClearRecorded();
}

}  // namespace leasecheck::memstore
