#include "memstore/runtime_persistence.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace leasecheck::memstore {
namespace {

using runtime_persistence::AttachmentManifestEntry;
using runtime_persistence::Done;
using runtime_persistence::DurabilityTier;
using runtime_persistence::GcReport;
using runtime_persistence::PersistedSessionRead;
using runtime_persistence::QueuedWorkBatch;
using runtime_persistence::QueuedWorkClaim;
using runtime_persistence::Result;
using runtime_persistence::RuntimeCommitResult;
using runtime_persistence::SessionMeta;
using runtime_persistence::SessionNodeRecord;
using runtime_persistence::VacuumReport;

const Environment& Checked(const Environment& environment) {
  if (environment.clock == nullptr) {
    std::fputs("memstore::RuntimePersistence: the environment needs a clock\n", stderr);
    std::abort();
  }
  return environment;
}

}  // namespace

RuntimePersistence::RuntimePersistence(const Environment& environment, const RuntimePersistenceOptions& options)
    : environment_(Checked(environment)),
      state_(IdSource(options.id_style, options.id_seed), options.first_counters),
      interceptor_(options.record_calls) {}

void RuntimePersistence::Pause(absl::string_view point) const {
  if (environment_.pause != nullptr) environment_.pause->Pause(point);
}

template <class Request, class Response>
Result<Response> RuntimePersistence::Call(const Request& request,
                                          Result<Response> (RuntimePersistenceState::*rule)(const Request&, EpochMs)) {
  Pause("before_lock");
  mu_.Lock();
  Result<Response> result = interceptor_.Call(state_, rule, request, environment_.clock->Now());
  mu_.Unlock();
  Pause("after_unlock");
  return result;
}

Result<std::optional<PersistedSessionRead>> RuntimePersistence::LoadSession(
    const runtime_persistence::LoadSessionRequest& request) {
  return Call(request, &RuntimePersistenceState::LoadSession);
}
Result<std::optional<SessionNodeRecord>> RuntimePersistence::LoadNode(const runtime_persistence::LoadNodeRequest& request) {
  return Call(request, &RuntimePersistenceState::LoadNode);
}
Result<RuntimeCommitResult> RuntimePersistence::CommitRuntimeState(
    const runtime_persistence::CommitRuntimeStateRequest& request) {
  return Call(request, &RuntimePersistenceState::CommitRuntimeState);
}
Result<Done> RuntimePersistence::SaveSessionMeta(const runtime_persistence::SaveSessionMetaRequest& request) {
  return Call(request, &RuntimePersistenceState::SaveSessionMeta);
}
Result<std::optional<SessionMeta>> RuntimePersistence::LoadSessionMeta(
    const runtime_persistence::LoadSessionMetaRequest& request) {
  return Call(request, &RuntimePersistenceState::LoadSessionMeta);
}
Result<Done> RuntimePersistence::TombstoneNodes(const runtime_persistence::TombstoneNodesRequest& request) {
  return Call(request, &RuntimePersistenceState::TombstoneNodes);
}
Result<VacuumReport> RuntimePersistence::Vacuum(const runtime_persistence::VacuumRequest& request) {
  return Call(request, &RuntimePersistenceState::Vacuum);
}
Result<GcReport> RuntimePersistence::GcUnreachable(const runtime_persistence::GcUnreachableRequest& request) {
  return Call(request, &RuntimePersistenceState::GcUnreachable);
}
Result<DurabilityTier> RuntimePersistence::GetDurabilityTier(const runtime_persistence::DurabilityTierRequest& request) {
  return Call(request, &RuntimePersistenceState::GetDurabilityTier);
}
Result<QueuedWorkBatch> RuntimePersistence::EnqueueQueuedWork(const runtime_persistence::EnqueueQueuedWorkRequest& request) {
  return Call(request, &RuntimePersistenceState::EnqueueQueuedWork);
}
Result<std::optional<QueuedWorkClaim>> RuntimePersistence::ClaimReadyQueuedWork(
    const runtime_persistence::ClaimReadyQueuedWorkRequest& request) {
  return Call(request, &RuntimePersistenceState::ClaimReadyQueuedWork);
}
Result<std::optional<QueuedWorkClaim>> RuntimePersistence::ClaimReadyQueuedWorkByBatchIds(
    const runtime_persistence::ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  return Call(request, &RuntimePersistenceState::ClaimReadyQueuedWorkByBatchIds);
}
Result<QueuedWorkClaim> RuntimePersistence::RenewQueuedWorkClaim(
    const runtime_persistence::RenewQueuedWorkClaimRequest& request) {
  return Call(request, &RuntimePersistenceState::RenewQueuedWorkClaim);
}
Result<Done> RuntimePersistence::AbandonQueuedWorkClaim(const runtime_persistence::AbandonQueuedWorkClaimRequest& request) {
  return Call(request, &RuntimePersistenceState::AbandonQueuedWorkClaim);
}
Result<std::optional<QueuedWorkBatch>> RuntimePersistence::CancelQueuedWorkBatch(
    const runtime_persistence::CancelQueuedWorkBatchRequest& request) {
  return Call(request, &RuntimePersistenceState::CancelQueuedWorkBatch);
}
Result<std::vector<QueuedWorkBatch>> RuntimePersistence::ListQueuedWork(
    const runtime_persistence::ListQueuedWorkRequest& request) {
  return Call(request, &RuntimePersistenceState::ListQueuedWork);
}
Result<std::vector<QueuedWorkBatch>> RuntimePersistence::ListPendingQueuedWork(
    const runtime_persistence::ListPendingQueuedWorkRequest& request) {
  return Call(request, &RuntimePersistenceState::ListPendingQueuedWork);
}
Result<Done> RuntimePersistence::RecordIntent(const runtime_persistence::RecordIntentRequest& request) {
  return Call(request, &RuntimePersistenceState::RecordIntent);
}
Result<Done> RuntimePersistence::CommitRefs(const runtime_persistence::CommitRefsRequest& request) {
  return Call(request, &RuntimePersistenceState::CommitRefs);
}
Result<std::vector<AttachmentManifestEntry>> RuntimePersistence::ListUncommitted(
    const runtime_persistence::ListUncommittedRequest& request) {
  return Call(request, &RuntimePersistenceState::ListUncommitted);
}
Result<Done> RuntimePersistence::Forget(const runtime_persistence::ForgetRequest& request) {
  return Call(request, &RuntimePersistenceState::Forget);
}

absl::Status RuntimePersistence::FailNext(absl::string_view operation, FaultPoint point, runtime_persistence::StoreError error) {
  absl::MutexLock lock(&mu_);
  return interceptor_.FailNext(operation, point, std::move(error));
}
absl::Status RuntimePersistence::FailNext(std::size_t operation, FaultPoint point, runtime_persistence::StoreError error) {
  absl::MutexLock lock(&mu_);
  return interceptor_.FailNext(operation, point, std::move(error));
}
void RuntimePersistence::ClearFaults() {
  absl::MutexLock lock(&mu_);
  interceptor_.ClearFaults();
}

RuntimePersistenceSnapshot RuntimePersistence::Snapshot() const {
  absl::MutexLock lock(&mu_);
  return RuntimePersistenceSnapshot(state_.Contents());
}
void RuntimePersistence::Restore(const RuntimePersistenceSnapshot& snapshot) {
  absl::MutexLock lock(&mu_);
  state_.Restore(snapshot.contents());
}

std::vector<RecordedCall<RuntimePersistenceFamily>> RuntimePersistence::RecordedCalls() const {
  absl::MutexLock lock(&mu_);
  return interceptor_.recorded();
}
void RuntimePersistence::ClearRecordedCalls() {
  absl::MutexLock lock(&mu_);
  interceptor_.ClearRecorded();
}

}  // namespace leasecheck::memstore
