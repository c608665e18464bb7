#include "memstore/state_backend.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace leasecheck::memstore {
namespace {

const Environment& Checked(const Environment& environment) {
  if (environment.clock == nullptr) {
    std::fputs("memstore::StateBackend: the environment needs a clock\n", stderr);
    std::abort();
  }
  return environment;
}

}  // namespace

StateBackend::StateBackend(const Environment& environment, const StateBackendOptions& options)
    : environment_(Checked(environment)), state_(options.choices, options.token_seed), interceptor_(options.record_calls) {}

absl::StatusOr<StateBackendOptions> StateBackend::OptionsOf(const Dialects& dialects) {
  const absl::StatusOr<StateBackendChoices> choices = ChoicesOf(dialects);
  if (!choices.ok()) return choices.status();
  return StateBackendOptions{.choices = *choices};
}

void StateBackend::Pause(absl::string_view point) const {
  if (environment_.pause != nullptr) environment_.pause->Pause(point);
}

template <class Request, class Response>
state_backend::Result<Response> StateBackend::Call(const Request& request,
                                                   state_backend::Result<Response> (StateBackendState::*rule)(const Request&,
                                                                                                              EpochMs)) {
  Pause("before_lock");
  mu_.Lock();
  state_backend::Result<Response> result = interceptor_.Call(state_, rule, request, environment_.clock->Now());
  mu_.Unlock();
  Pause("after_unlock");
  return result;
}

state_backend::Result<state_backend::Done> StateBackend::StoreWorkflow(const state_backend::StoreWorkflowRequest& request) {
  return Call(request, &StateBackendState::StoreWorkflow);
}
state_backend::Result<std::optional<state_backend::WorkflowDefinition>> StateBackend::GetWorkflow(
    const state_backend::GetWorkflowRequest& request) {
  return Call(request, &StateBackendState::GetWorkflow);
}
state_backend::Result<state_backend::Done> StateBackend::CreateExecution(const state_backend::CreateExecutionRequest& request) {
  return Call(request, &StateBackendState::CreateExecution);
}
state_backend::Result<std::optional<state_backend::WorkflowExecution>> StateBackend::GetExecution(
    const state_backend::GetExecutionRequest& request) {
  return Call(request, &StateBackendState::GetExecution);
}
state_backend::Result<state_backend::Done> StateBackend::UpdateExecutionStatus(
    const state_backend::UpdateExecutionStatusRequest& request) {
  return Call(request, &StateBackendState::UpdateExecutionStatus);
}
state_backend::Result<state_backend::Done> StateBackend::UpdateExecutionCurrentState(
    const state_backend::UpdateExecutionCurrentStateRequest& request) {
  return Call(request, &StateBackendState::UpdateExecutionCurrentState);
}
state_backend::Result<state_backend::Done> StateBackend::PatchAppendArray(const state_backend::PatchAppendArrayRequest& request) {
  return Call(request, &StateBackendState::PatchAppendArray);
}
state_backend::Result<std::vector<state_backend::WorkflowExecution>> StateBackend::ListExecutions(
    const state_backend::ListExecutionsRequest& request) {
  return Call(request, &StateBackendState::ListExecutions);
}
state_backend::Result<state_backend::EventSequence> StateBackend::AppendEvent(const state_backend::AppendEventRequest& request) {
  return Call(request, &StateBackendState::AppendEvent);
}
state_backend::Result<std::vector<state_backend::Event>> StateBackend::GetEvents(const state_backend::GetEventsRequest& request) {
  return Call(request, &StateBackendState::GetEvents);
}
state_backend::Result<std::vector<state_backend::Event>> StateBackend::GetEventsSince(
    const state_backend::GetEventsSinceRequest& request) {
  return Call(request, &StateBackendState::GetEventsSince);
}
state_backend::Result<state_backend::EventSequence> StateBackend::LatestSequence(
    const state_backend::LatestSequenceRequest& request) {
  return Call(request, &StateBackendState::LatestSequence);
}
state_backend::Result<state_backend::Done> StateBackend::WriteSnapshot(const state_backend::WriteSnapshotRequest& request) {
  return Call(request, &StateBackendState::WriteSnapshot);
}
state_backend::Result<std::optional<state_backend::Snapshot>> StateBackend::LatestSnapshot(
    const state_backend::LatestSnapshotRequest& request) {
  return Call(request, &StateBackendState::LatestSnapshot);
}
state_backend::Result<state_backend::WorkItemId> StateBackend::EnqueueWorkItem(
    const state_backend::EnqueueWorkItemRequest& request) {
  return Call(request, &StateBackendState::EnqueueWorkItem);
}
state_backend::Result<std::optional<state_backend::WorkItem>> StateBackend::ClaimWorkItem(
    const state_backend::ClaimWorkItemRequest& request) {
  return Call(request, &StateBackendState::ClaimWorkItem);
}
state_backend::Result<state_backend::Done> StateBackend::RenewLease(const state_backend::RenewLeaseRequest& request) {
  return Call(request, &StateBackendState::RenewLease);
}
state_backend::Result<state_backend::Done> StateBackend::CompleteWorkItem(const state_backend::CompleteWorkItemRequest& request) {
  return Call(request, &StateBackendState::CompleteWorkItem);
}
state_backend::Result<state_backend::Done> StateBackend::FailWorkItem(const state_backend::FailWorkItemRequest& request) {
  return Call(request, &StateBackendState::FailWorkItem);
}
state_backend::Result<state_backend::ReclaimResult> StateBackend::ReclaimExpiredLeases(
    const state_backend::ReclaimExpiredLeasesRequest& request) {
  return Call(request, &StateBackendState::ReclaimExpiredLeases);
}
state_backend::Result<state_backend::Done> StateBackend::MoveToDeadLetter(const state_backend::MoveToDeadLetterRequest& request) {
  return Call(request, &StateBackendState::MoveToDeadLetter);
}
state_backend::Result<state_backend::CreatedToken> StateBackend::CreateToken(const state_backend::CreateTokenRequest& request) {
  return Call(request, &StateBackendState::CreateToken);
}
state_backend::Result<std::optional<state_backend::ApiToken>> StateBackend::ValidateToken(
    const state_backend::ValidateTokenRequest& request) {
  return Call(request, &StateBackendState::ValidateToken);
}
state_backend::Result<state_backend::Done> StateBackend::CreateTenant(const state_backend::CreateTenantRequest& request) {
  return Call(request, &StateBackendState::CreateTenant);
}
state_backend::Result<std::optional<state_backend::Tenant>> StateBackend::GetTenant(
    const state_backend::GetTenantRequest& request) {
  return Call(request, &StateBackendState::GetTenant);
}
state_backend::Result<std::vector<state_backend::Tenant>> StateBackend::ListTenants(
    const state_backend::ListTenantsRequest& request) {
  return Call(request, &StateBackendState::ListTenants);
}
state_backend::Result<state_backend::Done> StateBackend::UpdateTenant(const state_backend::UpdateTenantRequest& request) {
  return Call(request, &StateBackendState::UpdateTenant);
}
state_backend::Result<state_backend::Done> StateBackend::RevokeToken(const state_backend::RevokeTokenRequest& request) {
  return Call(request, &StateBackendState::RevokeToken);
}
state_backend::Result<state_backend::Done> StateBackend::ExpireToken(const state_backend::ExpireTokenRequest& request) {
  return Call(request, &StateBackendState::ExpireToken);
}
state_backend::Result<std::vector<state_backend::DeadLetter>> StateBackend::ListDeadLetters(
    const state_backend::ListDeadLettersRequest& request) {
  return Call(request, &StateBackendState::ListDeadLetters);
}

absl::Status StateBackend::FailNext(absl::string_view operation, FaultPoint point, state_backend::StoreError error) {
  absl::MutexLock lock(&mu_);
  return interceptor_.FailNext(operation, point, std::move(error));
}

absl::Status StateBackend::FailNext(std::size_t operation, FaultPoint point, state_backend::StoreError error) {
  absl::MutexLock lock(&mu_);
  return interceptor_.FailNext(operation, point, std::move(error));
}

void StateBackend::ClearFaults() {
  absl::MutexLock lock(&mu_);
  interceptor_.ClearFaults();
}

StateBackendSnapshot StateBackend::Snapshot() const {
  absl::MutexLock lock(&mu_);
  return StateBackendSnapshot(state_.Contents());
}

void StateBackend::Restore(const StateBackendSnapshot& snapshot) {
  absl::MutexLock lock(&mu_);
  state_.Restore(snapshot.contents());
}

std::vector<RecordedCall<StateBackendFamily>> StateBackend::RecordedCalls() const {
  absl::MutexLock lock(&mu_);
  return interceptor_.recorded();
}

void StateBackend::ClearRecordedCalls() {
  absl::MutexLock lock(&mu_);
  interceptor_.ClearRecorded();
}

}  // namespace leasecheck::memstore
