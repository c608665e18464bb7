// The other half of the generator: what it learns from answers, and the epilogue that reads, sweeps and settles everything.
#include <utility>

#include "properties/runtime_repository_calls.h"
#include "properties/runtime_repository_generator.h"

namespace leasecheck::runtime_repository {
namespace {

using engine::CallRecord;
using engine::Command;

constexpr std::size_t kHandlesKept = 16;
constexpr uint64_t kAll = 1000;  // more than any program enqueues
constexpr Instant kBeforeEverything(0);

}  // namespace

void RuntimeRepositoryGenerator::Observe(const CallRecord<F>& record) {
  if (record.loss != engine::Loss::kNone || record.label.empty()) return;
  const auto* lease = AnswerOf<UpsertLeaseRequest>(record);
  if (lease == nullptr) return;
  known_.push_back({record.label, lease->attempt_id, lease->lease_id});
  if (known_.size() > kHandlesKept) known_.erase(known_.begin());
}

// Everything that can be read; then the sweep of everything, after which a list has every attempt that has not ended (RR-INV-7);
// then each attempt is claimed and completed.
void RuntimeRepositoryGenerator::BeginEpilogue(EpochMs now) {
  epilogue_begun_ = true;
  const auto read = [&] {
    for (const std::string& attempt : world_.attempts) {
      epilogue_.push_back(CommandOf(GetAttemptStatusRequest{attempt}));
      epilogue_.push_back(CommandOf(GetLeaseForAttemptRequest{attempt}));
    }
  };
  epilogue_.push_back(CommandOf(ListDispatchableAttemptsRequest{InstantOf(now), kAll}));
  epilogue_.push_back(CommandOf(ListDeadLettersRequest{}));
  for (const std::string& run : world_.runs) epilogue_.push_back(CommandOf(LatestSeqForRunRequest{run}));
  for (const std::string& worker : world_.workers) {
    epilogue_.push_back(CommandOf(ActiveLeasesForWorkerRequest{worker, kBeforeEverything}));
  }
  for (const std::string& attempt : world_.attempts) epilogue_.push_back(CommandOf(GetAttemptRetryHistoryRequest{attempt}));
  read();
  epilogue_.push_back(CommandOf(ExpireLeasesAndRequeueRequest{kLastInstant}));
  epilogue_.push_back(CommandOf(ListDispatchableAttemptsRequest{kLastInstant, kAll}));
  read();
  for (const std::string& attempt : world_.attempts) {
    epilogue_.push_back(CommandOf(UpsertLeaseRequest{attempt, "drain", SaturatingAdd(InstantOf(now), 60'000)}));
    epilogue_.push_back(
        CommandOf(AckAttemptRequest{attempt, AttemptExecutionStatus::kCompleted, std::nullopt, InstantOf(now), std::nullopt}));
  }
  epilogue_.push_back(CommandOf(ListDispatchableAttemptsRequest{kLastInstant, kAll}));
  read();
}

std::optional<Command<F>> RuntimeRepositoryGenerator::NextInEpilogue(const State& /*state*/, EpochMs now) {
  branch_ = -1;
  if (!epilogue_begun_) BeginEpilogue(now);
  return NextOf(epilogue_);
}

}  // namespace leasecheck::runtime_repository
