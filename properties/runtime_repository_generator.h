// Makes programs for the runtime_repository family: random commands over a small world, biased to collisions.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_GENERATOR_H_
#define LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_GENERATOR_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "model/runtime_repository/family.h"
#include "model/runtime_repository/spec.h"
#include "properties/engine/generator.h"
#include "properties/runtime_repository_world.h"

namespace leasecheck::runtime_repository {

using F = RuntimeRepositoryFamily;

template <class Request>
engine::Command<F> CommandOf(Request request) {
  engine::Command<F> command;
  command.action = engine::Action<F>(RequestOf<F>(std::move(request)));
  return command;
}

// A lease that a program was granted: the label of the claim, and what is known of it. It only steers; a wrong one makes a less
// interesting command, never a wrong verdict.
struct LeaseHandle {
  std::string label;
  std::string attempt_id;
  std::string id;  // "" where the answer is not known yet
};

class RuntimeRepositoryGenerator final : public engine::Generator<F> {
 public:
  RuntimeRepositoryGenerator(engine::Random random, const engine::GeneratorOptions& options);
  EpochMs Start() override { return world_.start; }
  engine::Command<F> Next(const State& state, EpochMs now) override;
  engine::Command<F> NextInBranch(int client, const State& state, EpochMs now) override;
  std::optional<engine::Command<F>> NextInEpilogue(const State& state, EpochMs now) override;
  void Observe(const engine::CallRecord<F>& record) override;

 private:
  using Command = engine::Command<F>;

  bool Strikes(uint64_t per_mille, uint64_t times);
  void DrawLoss(Command& command);
  Command Again(const Command& lost);
  std::string NewLabel(char kind);
  bool Offers(std::size_t operation) const;
  // Draws which attempt the next command is mostly about.
  void DrawAttempt(const State& state);
  // An instant around one that the state knows: an expiry, a retry, a timeout, the clock.
  Instant AnyInstant(const State& state, EpochMs now);
  Instant Expiry(EpochMs now);
  Instant Cutoff(const State& state, EpochMs now);
  Instant TimeoutInstant(const State& state, EpochMs now);
  const LeaseHandle* AnyLease();

  void PlanWork(const State& state, EpochMs now);
  void DrawHot(const State& state, EpochMs now);
  // Observes, makes one call, and observes again; the call mostly has no effect.
  void PlanProbe(const State& state, EpochMs now);
  // A short story that random commands seldom tell (runtime_repository_scenes.cc); each once before any comes again.
  void PlanScene(const State& state, EpochMs now);
  struct Subject {
    std::string id;
    uint32_t attempt_no = 1;
  };
  // An attempt that a claim will get, after what this plans; nullopt where there is none.
  std::optional<Subject> Claimable(const State& state, EpochMs now, const std::string& other_than = "");
  std::string PlanClaim(const std::string& attempt_id, Instant expires);  // the label
  // A failed ack that leaves retries; the retry is due at once.
  void PlanRetry(const Subject& subject, EpochMs now);
  // False: nothing was planned, for the world lacks what it takes.
  bool SceneTimeoutOfRetry(const State& state, EpochMs now);
  bool SceneOldHandle(const State& state, EpochMs now);
  bool SceneRememberedPolicy(const State& state, EpochMs now);
  bool SceneNoTimeout(const State& state, EpochMs now);
  bool SceneFailover(const State& state, EpochMs now);
  bool SceneRetryBehind(const State& state, EpochMs now);
  bool SceneTenants(const State& state, EpochMs now);
  bool SceneRuns(const State& state, EpochMs now);
  bool SceneLingering(const State& state, EpochMs now);
  bool SceneEndedWithLease(const State& state, EpochMs now);
  // What a lease manager does: timeouts first, then the sweep, with the grace taken off (contract, 1).
  void PlanTick(EpochMs now);
  void PlanStall(const State& state, EpochMs now);
  // One client moves several things in one step, another looks at them one by one.
  void PlanWatch(const State& state, EpochMs now);
  void PlanTimeoutWatch(const State& state, EpochMs now);
  // The next of a plan that the target offers; nullopt: none is left.
  std::optional<Command> NextOf(std::deque<Command>& plan) const;
  void PlanRepeat(const Command& command, const State& state);
  Command NextOfBranch(int client, const State& state, EpochMs now);
  // A command that another client of the phase makes, made once more: two calls with one effect to give are what races are about.
  std::optional<Command> Twin(int client);
  void KeepForTwins(int client, const Command& command);
  // One command an operation; the index is that of the table.
  Command Generate(std::size_t operation, const State& state, EpochMs now);

  Command List(const State& state, EpochMs now);
  Command Upsert(EpochMs now);
  Command Heartbeat(const State& state, EpochMs now);
  Command HeartbeatWithVersion(const State& state, EpochMs now);
  Command Ack(const State& state, EpochMs now);
  std::optional<RetryPolicy> DrawPolicy();
  Command Mark();
  Command SetPriority();
  Command SetTenant();
  Command SetTimeout();
  Command SetStartedAt(EpochMs now);
  Command LeaseById();
  Command Active(const State& state, EpochMs now, bool of_tenant);
  Command Append();
  Command MoveClock(const State& state, EpochMs now);
  Command Wait(const State& state, EpochMs now);

  void BeginEpilogue(EpochMs now);

  engine::Random random_;
  engine::Random faults_;  // of their own, so that programs with and without faults are otherwise alike
  engine::GeneratorOptions options_;
  World world_;
  std::vector<LeaseHandle> known_;                  // from what was observed
  std::vector<std::vector<LeaseHandle>> branches_;  // of a parallel phase that is being made, by client
  absl::flat_hash_set<std::string> branch_labels_;  // of that phase's commands so far
  std::vector<std::pair<int, Command>> originals_;  // of these commands those that may be made twice, and by whom
  std::vector<std::deque<Command>> branch_plans_;   // what a client does before all else
  std::string hot_;                                 // the attempt that the phase's rivals meet at
  std::string attempt_;                             // that the command being made is mostly about
  int branch_ = -1;                                 // the client whose command is being made
  uint64_t labels_ = 0;
  std::vector<EpochMs> deadlines_;
  std::vector<std::size_t> scenes_left_;
  std::deque<Command> planned_;  // the rest of a probe or a scene, or a call made again
  bool epilogue_begun_ = false;
  std::deque<Command> epilogue_;
};

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_PROPERTIES_RUNTIME_REPOSITORY_GENERATOR_H_
