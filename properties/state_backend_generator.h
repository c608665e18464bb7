// Makes programs for the state_backend family: random commands over a small world, biased to collisions, with scenes in between
// (state_backend_scenes.h).
#ifndef LEASECHECK_PROPERTIES_STATE_BACKEND_GENERATOR_H_
#define LEASECHECK_PROPERTIES_STATE_BACKEND_GENERATOR_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "model/state_backend/family.h"
#include "model/state_backend/spec.h"
#include "properties/engine/generator.h"
#include "properties/state_backend_world.h"

namespace leasecheck::state_backend {

using F = StateBackendFamily;

class SceneWriter;

// A token that a program made: the label of its creation. It only steers.
struct TokenHandle {
  std::string label;
  View view;
};

class StateBackendGenerator final : public engine::Generator<F> {
 public:
  StateBackendGenerator(engine::Random random, const engine::GeneratorOptions& options);
  EpochMs Start() override { return world_.start; }
  engine::Command<F> Next(const State& state, EpochMs now) override;
  engine::Command<F> NextInBranch(int client, const State& state, EpochMs now) override;
  std::optional<engine::Command<F>> NextInEpilogue(const State& state, EpochMs now) override;
  void Observe(const engine::CallRecord<F>& record) override;

 private:
  friend class SceneWriter;
  using Command = engine::Command<F>;

  // What the command being made is mostly about.
  struct Subject {
    std::size_t execution = 0;  // of the world's
    WorkItemId item;
    View item_view;  // through which a call on the item is made
  };

  bool Strikes(uint64_t per_mille, uint64_t times);
  void DrawLoss(Command& command);
  Command Again(const Command& lost);
  std::string NewLabel(char kind);
  bool Offers(std::size_t operation) const;
  bool Declared(absl::string_view point, absl::string_view word) const { return Declares(options_.dialects, point, word); }

  // Draws.
  void DrawSubject(const State& state);
  void DrawItem(const State& state);
  Uuid NewId(uint64_t kind);
  View AnyView();                      // of a call that names no record
  View WriteView(const State& state);  // of a call on the subject's execution; sometimes a stranger's
  View ReadView();                     // ... that reads
  const ExecutionId& Execution() const { return world_.executions[subject_.execution].id; }
  OpaqueJson AnyState() { return {random_.Pick(world_.states)}; }
  TenantId AnyTenant();
  const TokenHandle* AnyToken();

  // Sequences.
  void PlanProbe(const State& state, EpochMs now);
  void PlanRepeat(const Command& command);
  void PlanRace(const State& state, EpochMs now);
  void PlanStall(const State& state, EpochMs now);
  std::optional<Command> Twin(int client);
  void KeepForTwins(int client, const Command& command);
  Command NextOfBranch(int client, const State& state, EpochMs now);

  // One command an operation; the index is that of the table.
  Command Generate(std::size_t operation, const State& state, EpochMs now);
  Command GenerateOnExecutions(std::size_t operation, const State& state, EpochMs now);
  Command GenerateOnQueue(std::size_t operation, const State& state, EpochMs now);
  Command GenerateOnAccess(std::size_t operation, EpochMs now);

  Command StoreWorkflow();
  Command GetWorkflow();
  Command CreateExecution(const State& state, EpochMs now);
  Command UpdateState(const State& state);
  Command Patch(const State& state);
  Command List();
  Command Append(const State& state);
  Command Since(const State& state);
  Command WriteSnapshot(const State& state);
  Command Enqueue(const State& state);
  WorkItem NewItem();
  Command Claim();
  Command Renew(const State& state);
  Command CreateToken();
  Command Validate();
  Command Expire(EpochMs now);
  Command OfTenant(std::size_t operation, EpochMs now);
  Command MoveClock(const State& state, EpochMs now);
  Command Wait(const State& state, EpochMs now);

  void BeginEpilogue(const State& state, EpochMs now);
  void ReadEverything(const State& state);
  void Drain(const State& state, EpochMs now);

  engine::Random random_;
  engine::Random faults_;  // of their own, so that programs with and without faults are otherwise alike
  engine::GeneratorOptions options_;
  World world_;
  Subject subject_;
  uint64_t ids_ = 0;
  uint64_t labels_ = 0;
  std::vector<WorkItemId> items_;                   // that this program enqueued, or tried to
  std::vector<Uuid> events_;                        // ... appended
  std::vector<TokenHandle> tokens_;                 // from what was observed
  std::vector<std::vector<TokenHandle>> branches_;  // of a parallel phase that is being made, by client
  absl::flat_hash_set<std::string> branch_labels_;  // of that phase's commands so far
  std::vector<std::pair<int, Command>> originals_;  // of these commands those that may be made twice, and by whom
  std::vector<std::deque<Command>> branch_plans_;   // what a client does before all else
  int branch_ = -1;                                 // the client whose command is being made
  std::size_t hot_execution_ = 0;                   // that the phase's rivals meet at
  std::optional<WorkItemId> hot_item_;
  std::vector<EpochMs> deadlines_;
  std::deque<Command> planned_;  // the rest of a scene, a probe, or a call made again
  std::vector<std::size_t> scenes_left_;
  bool epilogue_begun_ = false;
  std::deque<Command> epilogue_;
};

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_PROPERTIES_STATE_BACKEND_GENERATOR_H_
