// The last part of the generator: what it learns from answers, and the epilogue that reads everything and drains the queue.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "properties/state_backend_calls.h"
#include "properties/state_backend_commands.h"
#include "properties/state_backend_generator.h"

namespace leasecheck::state_backend {
namespace {

using engine::CallRecord;
using engine::Command;

constexpr std::size_t kHandlesKept = 8;
constexpr uint32_t kAll = 1000;  // more than any program creates
constexpr DurationMs kLongestBackoff = 64'000;

}  // namespace

void StateBackendGenerator::Observe(const CallRecord<F>& record) {
  if (record.loss != engine::Loss::kNone || record.label.empty()) return;
  if (AnswerOf<CreateTokenRequest>(record) == nullptr) return;
  tokens_.push_back({record.label, CallOf<CreateTokenRequest>(record)->view});
  if (tokens_.size() > kHandlesKept) tokens_.erase(tokens_.begin());
}

void StateBackendGenerator::ReadEverything(const State& state) {
  for (const WorldExecution& execution : world_.executions) {
    epilogue_.push_back(CommandOf(GetExecutionRequest{execution.id, execution.owner}));
    epilogue_.push_back(CommandOf(GetEventsRequest{execution.id, execution.owner}));
    epilogue_.push_back(CommandOf(LatestSequenceRequest{execution.id, execution.owner}));
    epilogue_.push_back(CommandOf(LatestSnapshotRequest{execution.id, execution.owner}));
  }
  epilogue_.push_back(CommandOf(ListExecutionsRequest{std::nullopt, kAll, 0}));
  if (world_.views) epilogue_.push_back(CommandOf(ListExecutionsRequest{std::nullopt, kAll, 0, world_.tenant_ids.front()}));
  for (const DefinitionRow& row : *state.definitions) {
    const WorkflowDefinition& definition = *row.value;
    View view;
    if (world_.views) view = definition.tenant_id;
    epilogue_.push_back(CommandOf(GetWorkflowRequest{definition.workflow_id, definition.version, view}));
  }
  for (const TokenHandle& token : tokens_) {
    Command validate = CommandOf(ValidateTokenRequest{Secret(), std::nullopt});
    validate.references = {{"token", token.label, "plaintext"}};
    epilogue_.push_back(std::move(validate));
  }
  epilogue_.push_back(CommandOf(ListTenantsRequest{}));
}

// All workers stop, and time passes every lease and every backoff: then each item that has not ended is reclaimed, claimed and
// completed, and nothing else comes back (SB-INV-4).
void StateBackendGenerator::Drain(const State& state, EpochMs now) {
  const auto later = [&now](DurationMs length) {
    now = std::min(now + length, kMaxVirtualTime);
    return Command{"", engine::SetClock{now}, {}};
  };
  epilogue_.push_back(later(world_.lease + 1));
  epilogue_.push_back(CommandOf(ReclaimExpiredLeasesRequest{}));
  epilogue_.push_back(CommandOf(ReclaimExpiredLeasesRequest{}));
  epilogue_.push_back(later(kLongestBackoff));
  std::vector<WorkItemId> left;
  std::vector<std::string> types = world_.queue_types;
  for (const Item& item : *state.items) {
    if (item.stage == Stage::kSettled) continue;
    left.push_back(item.id());
    const std::string& type = item.work->queue_type;
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  }
  for (std::size_t i = 0; i <= left.size(); ++i) epilogue_.push_back(CommandOf(ClaimWorkItemRequest{"drain", types}));
  for (const WorkItemId& id : left) epilogue_.push_back(CommandOf(CompleteWorkItemRequest{id}));
  epilogue_.push_back(later(world_.lease + 1 + kLongestBackoff));
  epilogue_.push_back(CommandOf(ReclaimExpiredLeasesRequest{}));
  epilogue_.push_back(CommandOf(ClaimWorkItemRequest{"drain", types}));
}

void StateBackendGenerator::BeginEpilogue(const State& state, EpochMs now) {
  epilogue_begun_ = true;
  ReadEverything(state);
  epilogue_.push_back(CommandOf(ListDeadLettersRequest{}));
  if (options_.system_now == 0 && options_.move_clock) Drain(state, now);
  epilogue_.push_back(CommandOf(ListDeadLettersRequest{}));
}

std::optional<Command<F>> StateBackendGenerator::NextInEpilogue(const State& state, EpochMs now) {
  branch_ = -1;
  if (!epilogue_begun_) BeginEpilogue(state, now);
  while (!epilogue_.empty()) {
    Command command = std::move(epilogue_.front());
    epilogue_.pop_front();
    const RequestOf<F>* request = engine::RequestIf<F>(command.action);
    if (request == nullptr || Offers(request->index())) return command;
  }
  return std::nullopt;
}

}  // namespace leasecheck::state_backend
