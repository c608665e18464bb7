// The other half of the generator: what it learns from answers, and the epilogue that reads, drains and settles everything.
#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "properties/runtime_persistence_calls.h"
#include "properties/runtime_persistence_generator.h"

namespace leasecheck::runtime_persistence {
namespace {

using engine::Action;
using engine::CallRecord;
using engine::Command;

constexpr std::size_t kHandlesKept = 16;
constexpr DurationMs kDrainTtl = 60000;
// No generated finite lease or availability lies further ahead.
constexpr DurationMs kBeyondEveryDeadline = 100'000'000;

template <class Container>
void KeepNewest(Container& container, std::size_t kept = kHandlesKept) {
  if (container.size() > kept) container.erase(container.begin(), container.end() - static_cast<std::ptrdiff_t>(kept));
}

template <class Request>
Command<F> CommandOf(Request request, std::string label = "") {
  Command<F> command;
  command.label = std::move(label);
  command.action = Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

}  // namespace

std::size_t RuntimePersistenceGenerator::SessionIndex(const std::string& session) const {
  const auto found = std::find(world_.sessions.begin(), world_.sessions.end(), session);
  return found == world_.sessions.end() ? 0 : static_cast<std::size_t>(found - world_.sessions.begin());
}

void RuntimePersistenceGenerator::Observe(const CallRecord<F>& record) {
  if (!drains_.empty()) ObserveDrain(record);
  if (record.loss != engine::Loss::kNone) return;
  if (const auto* batch = AnswerOf<EnqueueQueuedWorkRequest>(record)) {
    known_.batches.push_back({record.label, batch->batch_id, SessionIndex(batch->session_id)});
    KeepNewest(known_.batches, 3 * kHandlesKept);
  }
  if (const QueuedWorkClaim* claim = GrantOf(record)) ObserveClaim(record, *claim);
  if (const auto* abandon = CallOf<AbandonQueuedWorkClaimRequest>(record)) EndClaim(abandon->claim.claim_id);
  ObserveCommit(record);
}

void RuntimePersistenceGenerator::ObserveClaim(const CallRecord<F>& record, const QueuedWorkClaim& claim) {
  known_.claims.push_back({record.label, SessionIndex(claim.session_id), claim.batches.size(), false, claim.claim_id});
  KeepNewest(known_.claims);
}

void RuntimePersistenceGenerator::EndClaim(const std::string& claim_id) {
  for (ClaimHandle& claim : known_.claims) claim.over |= claim.id == claim_id;
}

void RuntimePersistenceGenerator::ObserveCommit(const CallRecord<F>& record) {
  const auto* request = CallOf<CommitRuntimeStateRequest>(record);
  if (request == nullptr || AnswerOf<CommitRuntimeStateRequest>(record) == nullptr) return;
  for (const QueuedWorkCompletion& completion : request->commit.completed_queue_claims) EndClaim(completion.claim_id);
  if (record.label.empty()) return;
  known_.commits.push_back(record.label);
  KeepNewest(known_.commits, 6);
  if (const auto made = made_commits_.find(record.label); made != made_commits_.end()) {
    stamped_.push_back(std::move(made->second));
    made_commits_.erase(made);
    KeepNewest(stamped_);
  }
}

// Everything that can be read, then, when all leases are over, the drains.
void RuntimePersistenceGenerator::BeginEpilogue(EpochMs now) {
  epilogue_begun_ = true;
  const auto read = [&] {
    epilogue_.push_back(CommandOf(LoadSessionRequest{}));
    epilogue_.push_back(CommandOf(LoadSessionRequest{ActivePath{}}));
    if (world_.theme == Theme::kQueue) return;
    epilogue_.push_back(CommandOf(LoadSessionMetaRequest{}));
    epilogue_.push_back(CommandOf(ListUncommittedRequest{kMaxVirtualTime}));
  };
  read();
  if (world_.theme != Theme::kQueue) {
    epilogue_.push_back(CommandOf(VacuumRequest{}));
    epilogue_.push_back(CommandOf(GcUnreachableRequest{}));
    read();
  }
  if (world_.theme == Theme::kState) return;
  for (const std::string& session : world_.sessions) {
    epilogue_.push_back(CommandOf(ListQueuedWorkRequest{session}));
    epilogue_.push_back(CommandOf(ListPendingQueuedWorkRequest{session}));
  }
  if (options_.move_clock && options_.system_now == 0) {  // nobody waits for a minute
    epilogue_.push_back({"", engine::SetClock{std::min(now + kBeyondEveryDeadline, kMaxVirtualTime)}, {}});
  }
  for (std::size_t i = 0; i < world_.sessions.size(); ++i) drains_.push_back({.session = i});
}

std::optional<Command<F>> RuntimePersistenceGenerator::NextInEpilogue(const State& /*state*/, EpochMs now) {
  branch_ = -1;
  if (!epilogue_begun_) BeginEpilogue(now);
  if (!epilogue_.empty()) {
    Command command = std::move(epilogue_.front());
    epilogue_.pop_front();
    return command;
  }
  while (!drains_.empty()) {
    if (auto command = DrainStep(drains_.front())) return command;
    drains_.pop_front();
  }
  return std::nullopt;
}

// Claims until nothing is granted, completing each grant (the session that commits) or giving it back by cancelling (the others);
// then cancels what is left and looks once more.
std::optional<Command<F>> RuntimePersistenceGenerator::DrainStep(Drain& drain) {
  const std::string& session = world_.sessions[drain.session];
  constexpr int kMaxRounds = 12;
  switch (drain.step) {
    case 0:
      if (++drain.rounds > kMaxRounds) {
        drain.step = 2;
        return DrainStep(drain);
      }
      drain.step = 1;
      drain.granted = false;
      drain.claim = NewLabel('c');
      return CommandOf(
          ClaimReadyQueuedWorkRequest{session, "drain", QueuedWorkClaimBoundary::kIdle, drain.session == 0 ? kDrainTtl : 0, 10},
          drain.claim);
    case 1: {
      drain.step = drain.granted && drain.session == 0 ? 0 : 2;
      if (!drain.granted || drain.session != 0) return DrainStep(drain);
      Command command = CommandOf(CommitRuntimeStateRequest{});
      std::get<CommitRuntimeStateRequest>(std::get<0>(command.action)).commit.session_id = session;
      command.references.push_back({"commit.completed_queue_claims.0", drain.claim, ""});
      return command;
    }
    case 2:
      drain.step = 3;
      drain.listed = NewLabel('q');
      return CommandOf(ListQueuedWorkRequest{session}, drain.listed);
    case 3: {
      if (drain.left_to_cancel == 0) {
        drain.step = 4;
        return CommandOf(ListPendingQueuedWorkRequest{session});
      }
      Command command = CommandOf(CancelQueuedWorkBatchRequest{session, ""});
      command.references.push_back({"batch_id", drain.listed, absl::StrCat(--drain.left_to_cancel, ".batch_id")});
      return command;
    }
    case 4:
      drain.step = 5;
      return CommandOf(ListQueuedWorkRequest{session});
    case 5:
      drain.step = 6;
      if (drain.session == 0) return CommandOf(LoadSessionRequest{});
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

void RuntimePersistenceGenerator::ObserveDrain(const CallRecord<F>& record) {
  Drain& drain = drains_.front();
  if (record.label == drain.claim && GrantOf(record) != nullptr) drain.granted = true;
  if (record.label != drain.listed || drain.step != 3) return;
  if (const auto* listed = AnswerOf<ListQueuedWorkRequest>(record)) drain.left_to_cancel = listed->size();
}

}  // namespace leasecheck::runtime_persistence
