#include "memstore/runtime_repository.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace leasecheck::memstore {
namespace {

using runtime_repository::AckResult;
using runtime_repository::AttemptDispatchRecord;
using runtime_repository::AttemptStatus;
using runtime_repository::DeadLetter;
using runtime_repository::Done;
using runtime_repository::LeaseRecord;
using runtime_repository::Result;
using runtime_repository::RetryHistoryEntry;

const Environment& Checked(const Environment& environment) {
  if (environment.clock == nullptr) {
    std::fputs("memstore::RuntimeRepository: the environment needs a clock\n", stderr);
    std::abort();
  }
  return environment;
}

}  // namespace

RuntimeRepository::RuntimeRepository(const Environment& environment, const RuntimeRepositoryOptions& options)
    : environment_(Checked(environment)),
      state_(IdSource(options.id_style, options.id_seed), options.timeout_clock, options.allow_early_retry_claim),
      interceptor_(options.record_calls) {}

void RuntimeRepository::Pause(absl::string_view point) const {
  if (environment_.pause != nullptr) environment_.pause->Pause(point);
}

template <class Request, class Response>
Result<Response> RuntimeRepository::Call(const Request& request,
                                         Result<Response> (RuntimeRepositoryState::*rule)(const Request&, EpochMs)) {
  Pause("before_lock");
  mu_.Lock();
  Result<Response> result = interceptor_.Call(state_, rule, request, environment_.clock->Now());
  mu_.Unlock();
  Pause("after_unlock");
  return result;
}

Result<std::vector<AttemptDispatchRecord>> RuntimeRepository::ListDispatchableAttempts(
    const runtime_repository::ListDispatchableAttemptsRequest& request) {
  return Call(request, &RuntimeRepositoryState::ListDispatchableAttempts);
}
Result<LeaseRecord> RuntimeRepository::UpsertLease(const runtime_repository::UpsertLeaseRequest& request) {
  return Call(request, &RuntimeRepositoryState::UpsertLease);
}
Result<Done> RuntimeRepository::HeartbeatLease(const runtime_repository::HeartbeatLeaseRequest& request) {
  return Call(request, &RuntimeRepositoryState::HeartbeatLease);
}
Result<uint64_t> RuntimeRepository::ExpireLeasesAndRequeue(const runtime_repository::ExpireLeasesAndRequeueRequest& request) {
  return Call(request, &RuntimeRepositoryState::ExpireLeasesAndRequeue);
}
Result<uint64_t> RuntimeRepository::LatestSeqForRun(const runtime_repository::LatestSeqForRunRequest& request) {
  return Call(request, &RuntimeRepositoryState::LatestSeqForRun);
}
Result<uint64_t> RuntimeRepository::TransitionTimedOutAttempts(
    const runtime_repository::TransitionTimedOutAttemptsRequest& request) {
  return Call(request, &RuntimeRepositoryState::TransitionTimedOutAttempts);
}
Result<Done> RuntimeRepository::EnqueueAttempt(const runtime_repository::EnqueueAttemptRequest& request) {
  return Call(request, &RuntimeRepositoryState::EnqueueAttempt);
}
Result<AckResult> RuntimeRepository::AckAttempt(const runtime_repository::AckAttemptRequest& request) {
  return Call(request, &RuntimeRepositoryState::AckAttempt);
}
Result<Done> RuntimeRepository::MarkAttemptStatus(const runtime_repository::MarkAttemptStatusRequest& request) {
  return Call(request, &RuntimeRepositoryState::MarkAttemptStatus);
}
Result<Done> RuntimeRepository::SetAttemptPriority(const runtime_repository::SetAttemptPriorityRequest& request) {
  return Call(request, &RuntimeRepositoryState::SetAttemptPriority);
}
Result<Done> RuntimeRepository::SetAttemptTenantId(const runtime_repository::SetAttemptTenantIdRequest& request) {
  return Call(request, &RuntimeRepositoryState::SetAttemptTenantId);
}
Result<Done> RuntimeRepository::SetAttemptTimeoutPolicy(const runtime_repository::SetAttemptTimeoutPolicyRequest& request) {
  return Call(request, &RuntimeRepositoryState::SetAttemptTimeoutPolicy);
}
Result<Done> RuntimeRepository::SetAttemptStartedAt(const runtime_repository::SetAttemptStartedAtRequest& request) {
  return Call(request, &RuntimeRepositoryState::SetAttemptStartedAt);
}
Result<std::optional<AttemptStatus>> RuntimeRepository::GetAttemptStatus(
    const runtime_repository::GetAttemptStatusRequest& request) {
  return Call(request, &RuntimeRepositoryState::GetAttemptStatus);
}
Result<std::optional<LeaseRecord>> RuntimeRepository::GetLeaseForAttempt(
    const runtime_repository::GetLeaseForAttemptRequest& request) {
  return Call(request, &RuntimeRepositoryState::GetLeaseForAttempt);
}
Result<std::optional<LeaseRecord>> RuntimeRepository::GetLeaseById(const runtime_repository::GetLeaseByIdRequest& request) {
  return Call(request, &RuntimeRepositoryState::GetLeaseById);
}
Result<Done> RuntimeRepository::HeartbeatLeaseWithVersion(const runtime_repository::HeartbeatLeaseWithVersionRequest& request) {
  return Call(request, &RuntimeRepositoryState::HeartbeatLeaseWithVersion);
}
Result<uint64_t> RuntimeRepository::ActiveLeasesForWorker(const runtime_repository::ActiveLeasesForWorkerRequest& request) {
  return Call(request, &RuntimeRepositoryState::ActiveLeasesForWorker);
}
Result<uint64_t> RuntimeRepository::ActiveLeasesForTenant(const runtime_repository::ActiveLeasesForTenantRequest& request) {
  return Call(request, &RuntimeRepositoryState::ActiveLeasesForTenant);
}
Result<std::vector<RetryHistoryEntry>> RuntimeRepository::GetAttemptRetryHistory(
    const runtime_repository::GetAttemptRetryHistoryRequest& request) {
  return Call(request, &RuntimeRepositoryState::GetAttemptRetryHistory);
}
Result<std::vector<DeadLetter>> RuntimeRepository::ListDeadLetters(const runtime_repository::ListDeadLettersRequest& request) {
  return Call(request, &RuntimeRepositoryState::ListDeadLetters);
}
Result<Done> RuntimeRepository::ReplayDeadLetter(const runtime_repository::ReplayDeadLetterRequest& request) {
  return Call(request, &RuntimeRepositoryState::ReplayDeadLetter);
}
Result<uint64_t> RuntimeRepository::AppendRunEvents(const runtime_repository::AppendRunEventsRequest& request) {
  return Call(request, &RuntimeRepositoryState::AppendRunEvents);
}

absl::Status RuntimeRepository::FailNext(absl::string_view operation, FaultPoint point, runtime_repository::StoreError error) {
  absl::MutexLock lock(&mu_);
  return interceptor_.FailNext(operation, point, std::move(error));
}
absl::Status RuntimeRepository::FailNext(std::size_t operation, FaultPoint point, runtime_repository::StoreError error) {
  absl::MutexLock lock(&mu_);
  return interceptor_.FailNext(operation, point, std::move(error));
}
void RuntimeRepository::ClearFaults() {
  absl::MutexLock lock(&mu_);
  interceptor_.ClearFaults();
}

RuntimeRepositorySnapshot RuntimeRepository::Snapshot() const {
  absl::MutexLock lock(&mu_);
  return RuntimeRepositorySnapshot(state_.Contents());
}
void RuntimeRepository::Restore(const RuntimeRepositorySnapshot& snapshot) {
  absl::MutexLock lock(&mu_);
  state_.Restore(snapshot.contents());
}

std::vector<RecordedCall<RuntimeRepositoryFamily>> RuntimeRepository::RecordedCalls() const {
  absl::MutexLock lock(&mu_);
  return interceptor_.recorded();
}
void RuntimeRepository::ClearRecordedCalls() {
  absl::MutexLock lock(&mu_);
  interceptor_.ClearRecorded();
}

}  // namespace leasecheck::memstore
