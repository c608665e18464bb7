// The other half of the generator: what it learns from answers, and the epilogue that settles everything.
#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "properties/session_store_calls.h"
#include "properties/session_store_generator.h"

namespace leasecheck::session_store {
namespace {

using engine::Action;
using engine::CallRecord;
using engine::Command;

constexpr std::size_t kHandlesKept = 16;
constexpr DurationMs kDrainTtl = 60000;
// No generated finite lease or availability lies further ahead.
constexpr DurationMs kBeyondEveryDeadline = 100'000'000;
// What is waited at most, where the clock is the system's.
constexpr DurationMs kSystemPatience = 120;

template <class Container>
void KeepNewest(Container& container) {
  if (container.size() > kHandlesKept) container.erase(container.begin(), container.end() - kHandlesKept);
}

LeaseOwnerIdentity DrainOwner() { return {"drain", "drain", OpaqueOwner{}}; }

template <class Request>
Command<F> CommandOf(Request request, std::string label = "") {
  Command<F> command;
  command.label = std::move(label);
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

Command<F> CancelReferenced(const std::string& session, const std::string& label, std::string path) {
  Command<F> command = CommandOf(CancelQueuedWorkBatchRequest{session, ""});
  command.references.push_back({"batch_id", label, std::move(path)});
  return command;
}

}  // namespace

std::size_t SessionStoreGenerator::SessionIndex(const std::string& session) const {
  const auto found = std::find(world_.sessions.begin(), world_.sessions.end(), session);
  return found == world_.sessions.end() ? 0 : found - world_.sessions.begin();
}

std::size_t SessionStoreGenerator::OwnerIndex(const LeaseOwnerIdentity& owner) const {
  for (std::size_t i = 0; i < world_.owners.size(); ++i) {
    if (world_.owners[i].owner_id == owner.owner_id && world_.owners[i].incarnation_id == owner.incarnation_id) return i;
  }
  return 0;
}

void SessionStoreGenerator::Observe(const CallRecord<F>& record) {
  if (!drains_.empty()) ObserveDrain(record);
  if (record.loss != engine::Loss::kNone) return;
  if (const auto* batch = AnswerOf<EnqueueQueuedWorkRequest>(record)) ObserveBatch(record, *batch);
  for (const auto* claim :
       {AnswerOf<ClaimLeadingReadySessionCommandRequest>(record), AnswerOf<ClaimReadyQueuedWorkRequest>(record),
        AnswerOf<ClaimReadyQueuedWorkByBatchIdsRequest>(record)}) {
    if (claim != nullptr && claim->has_value()) ObserveClaim(record, **claim);
  }
  for (const auto* lane :
       {AnswerOf<TryClaimSessionExecutionLeaseRequest>(record), AnswerOf<ReclaimSessionExecutionLeaseRequest>(record)}) {
    if (lane != nullptr) ObserveLane(record, *lane);
  }
  if (const auto* cancelled = AnswerOf<CancelQueuedWorkBatchRequest>(record); cancelled != nullptr && cancelled->has_value()) {
    ObserveCancel(**cancelled);
  }
  if (const auto* abandon = CallOf<AbandonQueuedWorkClaimRequest>(record)) {
    for (BatchHandle& batch : known_.batches) {
      for (const QueuedWorkBatch& freed : abandon->claim.batches) {
        if (batch.id == freed.batch_id) batch.claimed_until = 0;
      }
    }
  }
  if (const auto* commit = CallOf<CommitRuntimeStateRequest>(record)) ObserveCommit(record, *commit);
  ObserveInputs(record);
  ObserveLaneEnd(record);
}

void SessionStoreGenerator::ObserveBatch(const CallRecord<F>& record, const QueuedWorkBatch& batch) {
  for (const BatchHandle& known : known_.batches) {
    if (known.id == batch.batch_id) return;
  }
  known_.batches.push_back(
      {record.label, "batch_id", batch.batch_id, SessionIndex(batch.session_id), batch.available_at_ms, 0, false, ""});
  if (known_.batches.size() > 2 * kHandlesKept) {
    std::erase_if(known_.batches, [](const BatchHandle& handle) { return handle.gone; });
  }
  if (known_.batches.size() > 2 * kHandlesKept) known_.batches.erase(known_.batches.begin());
}

// A claim that lost a batch is what to try next: neither renewing it nor settling all of it may work (QW-CAN-4).
void SessionStoreGenerator::ObserveCancel(const QueuedWorkBatch& cancelled) {
  for (BatchHandle& batch : known_.batches) {
    if (batch.id != cancelled.batch_id) continue;
    batch.gone = true;
    if (batch.claim.empty() || epilogue_begun_ || !planned_.empty()) continue;
    Command renew = CommandOf(RenewQueuedWorkClaimRequest{{}, 1000}, NewLabel('r'));
    renew.references.push_back({"claim", batch.claim, ""});
    planned_.push_back(std::move(renew));
  }
}

void SessionStoreGenerator::ObserveClaim(const CallRecord<F>& record, const QueuedWorkClaim& claim) {
  known_.claims.push_back({record.label, SessionIndex(claim.session_id), OwnerIndex(claim.owner), claim.batches.size(), false});
  KeepNewest(known_.claims);
  for (BatchHandle& batch : known_.batches) {
    for (const QueuedWorkBatch& granted : claim.batches) {
      if (batch.id != granted.batch_id) continue;
      batch.claimed_until = claim.expires_at_epoch_ms;
      batch.claim = record.label;
    }
  }
}

void SessionStoreGenerator::ObserveLane(const CallRecord<F>& record, const SessionExecutionLeaseClaimOutcome& outcome) {
  const auto add = [&](const char* path, const SessionExecutionLease& lease, bool acquired) {
    known_.lanes.push_back({record.label, path, SessionIndex(lease.session_id), OwnerIndex(lease.owner),
                            lease.expires_at_epoch_ms, acquired, lease.lease_token});
  };
  if (const auto* acquired = std::get_if<LeaseAcquired>(&outcome)) add("Acquired", acquired->lease, true);
  if (const auto* busy = std::get_if<LeaseBusy>(&outcome)) add("Busy.holder", busy->holder, false);
  KeepNewest(known_.lanes);
}

void SessionStoreGenerator::ObserveLaneEnd(const CallRecord<F>& record) {
  const auto set_expiry = [&](const std::string& token, EpochMs expires) {
    for (LaneHandle& lane : known_.lanes) {
      if (lane.token == token) lane.expires = expires;
    }
  };
  if (const auto* renewed = AnswerOf<RenewSessionExecutionLeaseRequest>(record)) {
    set_expiry(renewed->lease_token, renewed->expires_at_epoch_ms);
  }
  if (const auto* release = CallOf<ReleaseSessionExecutionLeaseRequest>(record)) set_expiry(release->completion.lease_token, 0);
  const auto* commit = CallOf<CommitRuntimeStateRequest>(record);
  if (commit != nullptr && engine::RequestIf<F>(record.action) != nullptr && record.outcome.index() == 0 &&
      commit->commit.release_session_execution_lease.has_value()) {
    set_expiry(commit->commit.release_session_execution_lease->lease_token, 0);
  }
}

void SessionStoreGenerator::ObserveCommit(const CallRecord<F>& record, const CommitRuntimeStateRequest& request) {
  const auto* result = AnswerOf<CommitRuntimeStateRequest>(record);
  if (result == nullptr) return;
  head_ = std::max(head_, result->head_revision);
  for (const QueuedWorkCompletion& completion : request.commit.completed_queue_claims) {
    for (BatchHandle& batch : known_.batches) {
      batch.gone |= std::find(completion.batch_ids.begin(), completion.batch_ids.end(), batch.id) != completion.batch_ids.end();
    }
  }
  if (const auto made = made_commits_.find(record.label); made != made_commits_.end()) {
    stamped_.push_back(std::move(made->second));
    made_commits_.erase(made);
    KeepNewest(stamped_);
  }
}

std::optional<Command<F>> SessionStoreGenerator::NextInEpilogue(const State& /*state*/, EpochMs now) {
  branch_ = -1;
  if (!epilogue_begun_ && in_scene_ && !planned_.empty() && branches_.empty()) {  // a scene is played to its end
    Command command = std::move(planned_.front());
    planned_.pop_front();
    return command;
  }
  if (!epilogue_begun_) {
    epilogue_begun_ = true;
    for (const std::string& session : world_.sessions) {
      if (world_.theme != Theme::kInputs) {
        epilogue_.push_back(CommandOf(ListQueuedWorkRequest{session}));
        epilogue_.push_back(CommandOf(ListPendingQueuedWorkRequest{session}));
      }
      if (world_.theme != Theme::kQueue) epilogue_.push_back(CommandOf(ListPendingTurnInputsRequest{session}));
    }
    epilogue_.push_back(CommandOf(LoadSessionRequest{}));
    const bool system = options_.system_now != 0;
    // Nobody waits for a minute.
    if (options_.move_clock && (!system || world_.lane_ttl < kSystemPatience)) {
      Command command;
      command.action = engine::SetClock{std::min(now + (system ? kSystemPatience : kBeyondEveryDeadline), kMaxVirtualTime)};
      epilogue_.push_back(std::move(command));
    }
    for (std::size_t i = 0; i < world_.sessions.size(); ++i) {
      drains_.push_back({.session = i});
      if (world_.theme != Theme::kQueue) input_drains_.push_back({.session = i});
    }
  }
  if (!epilogue_.empty()) {
    Command command = std::move(epilogue_.front());
    epilogue_.pop_front();
    return command;
  }
  while (!drains_.empty()) {
    if (auto command = DrainStep(drains_.front(), now)) return command;
    drains_.pop_front();
  }
  while (!input_drains_.empty()) {
    if (auto command = DrainInputs(input_drains_.front())) return command;
    input_drains_.pop_front();
  }
  return std::nullopt;
}

// Takes the lane; claims commands and turn work in turn until neither gives anything, settling each grant (the session that
// commits) or giving it back by cancelling (the others); then cancels what is left and looks once more.
std::optional<Command<F>> SessionStoreGenerator::DrainStep(Drain& drain, EpochMs /*now*/) {
  const std::string& session = world_.sessions[drain.session];
  constexpr int kMaxRounds = 12;
  switch (drain.step) {
    case 0:
      drain.step = world_.theme == Theme::kInputs ? 8 : 1;
      drain.lane = NewLabel('l');
      drain_lanes_.push_back(drain.lane);
      return CommandOf(TryClaimSessionExecutionLeaseRequest{session, DrainOwner(), kBeyondEveryDeadline}, drain.lane);
    case 1:
    case 2: {
      const bool commands = drain.step == 1;
      drain.step = commands ? 2 : 1;
      if (!commands && !drain.any_granted && drain.rounds > 0) drain.step = 4;
      if (++drain.rounds > kMaxRounds) drain.step = 4;
      if (commands) drain.any_granted = false;
      drain.claim = NewLabel('c');
      const DurationMs ttl = drain.session == 0 ? kDrainTtl : 0;
      Command command =
          commands ? CommandOf(ClaimLeadingReadySessionCommandRequest{session, {}, DrainOwner(), ttl}, drain.claim)
                   : CommandOf(ClaimReadyQueuedWorkRequest{session, {}, DrainOwner(), QueuedWorkClaimBoundary::kIdle, ttl, 10},
                               drain.claim);
      command.references.push_back({"session_execution_lease", drain.lane, "Acquired"});
      return command;
    }
    case 3: {  // settle what the last claim granted
      drain.step = 1;
      Command command = CommandOf(CommitRuntimeStateRequest{});
      std::get<CommitRuntimeStateRequest>(std::get<0>(command.action)).commit.session_id = session;
      command.references.push_back({"commit.session_execution_lease", drain.lane, "Acquired"});
      command.references.push_back({"commit.completed_queue_claims.0", drain.claim, ""});
      return command;
    }
    case 4:
      drain.step = 5;
      drain.listed = NewLabel('q');
      return CommandOf(ListQueuedWorkRequest{session}, drain.listed);
    case 5:
      if (drain.left_to_cancel > 0) {
        return CancelReferenced(session, drain.listed, absl::StrCat(--drain.left_to_cancel, ".batch_id"));
      }
      drain.step = 6;
      return CommandOf(ListPendingQueuedWorkRequest{session});
    case 6:
      drain.step = 7;
      return CommandOf(ListQueuedWorkRequest{session});
    case 7:
      drain.step = 8;
      if (drain.session == 0) return CommandOf(LoadSessionRequest{});
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

void SessionStoreGenerator::ObserveDrain(const CallRecord<F>& record) {
  Drain& drain = drains_.front();
  for (const auto* claim :
       {AnswerOf<ClaimLeadingReadySessionCommandRequest>(record), AnswerOf<ClaimReadyQueuedWorkRequest>(record)}) {
    if (claim == nullptr || !claim->has_value() || record.label != drain.claim) continue;
    drain.any_granted = true;
    if (drain.session == 0) {
      if (drain.step != 4) drain.step = 3;
    } else {
      for (std::size_t i = 0; i < (*claim)->batches.size(); ++i) {
        epilogue_.push_back(
            CancelReferenced(world_.sessions[drain.session], record.label, absl::StrCat("batches.", i, ".batch_id")));
      }
    }
  }
  if (drain.step == 5) {
    if (const auto* listed = AnswerOf<ListQueuedWorkRequest>(record)) drain.left_to_cancel = listed->size();
  }
}

}  // namespace leasecheck::session_store
