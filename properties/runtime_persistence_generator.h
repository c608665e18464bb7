// Makes programs for the runtime_persistence family: random commands over a small world, biased to collisions.
#ifndef LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_GENERATOR_H_
#define LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_GENERATOR_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "model/runtime_persistence/family.h"
#include "model/runtime_persistence/spec.h"
#include "properties/engine/generator.h"
#include "properties/runtime_persistence_world.h"

namespace leasecheck::runtime_persistence {

using F = RuntimePersistenceFamily;

// What a program knows of the handles it was given: labels to refer to, and guesses at what they are worth now. The guesses only
// steer; a wrong one makes a less interesting command, never a wrong verdict.
struct BatchHandle {
  std::string label;
  std::string id;  // "" where the answer is not known yet
  std::size_t session = 0;
};
struct ClaimHandle {
  std::string label;
  std::size_t session = 0;
  std::size_t batches = 0;  // 0 where the answer is not known yet
  bool over = false;        // abandoned or completed
  std::string id{};         // "" where the answer is not known yet
};
struct Handles {
  std::vector<BatchHandle> batches;
  std::vector<ClaimHandle> claims;
  std::vector<std::string> commits;  // labels of accepted ones, whose manifests name blobs
};

class RuntimePersistenceGenerator final : public engine::Generator<F> {
 public:
  RuntimePersistenceGenerator(engine::Random random, const engine::GeneratorOptions& options);
  EpochMs Start() override { return world_.start; }
  engine::Command<F> Next(const State& state, EpochMs now) override;
  engine::Command<F> NextInBranch(int client, const State& state, EpochMs now) override;
  std::optional<engine::Command<F>> NextInEpilogue(const State& state, EpochMs now) override;
  void Observe(const engine::CallRecord<F>& record) override;

 private:
  using Command = engine::Command<F>;
  // Where the settling of one session at the end stands.
  struct Drain {
    std::size_t session = 0;
    int step = 0;
    int rounds = 0;
    std::string claim{};   // label of its latest claim
    bool granted = false;  // ... and whether it got anything
    std::string listed{};  // label of its list
    std::size_t left_to_cancel = 0;
  };

  bool Strikes(uint64_t per_mille, uint64_t times);
  void DrawLoss(Command& command);
  Command Again(const Command& lost);
  std::string NewLabel(char kind);
  // Observes, makes one call, and observes again; the call mostly has no effect.
  void PlanProbe(const State& state, EpochMs now);
  void PlanDeepQueue();
  void PlanStall(const State& state, EpochMs now);
  Command StaleUse(const std::string& claim);
  Command NextOfBranch(int client, const State& state, EpochMs now);
  // A command that another client of the phase makes, made once more: two calls with one effect to give are what races are about.
  std::optional<Command> Twin(int client);
  void KeepForTwins(int client, const Command& command);
  // One command an operation; the index is that of the table.
  Command Generate(std::size_t operation, const State& state, EpochMs now);

  Command Load(const State& state);
  Command LoadNode();
  Command Tombstone();
  Command SaveMeta();
  Command Enqueue(EpochMs now);
  Command Claim();
  Command ClaimByIds(const State& state, EpochMs now);
  Command Renew();
  Command Abandon();
  Command Cancel();
  Command List(bool pending);
  Command RecordIntent(EpochMs now);
  Command CommitRefs();
  Command ListUncommitted(const State& state, EpochMs now);
  Command Forget();
  Command MoveClock(const State& state, EpochMs now);
  Command Wait(const State& state, EpochMs now);

  // Commits (runtime_persistence_commits.cc).
  Command Commit(const State& state);
  Command RepeatCommit();
  SessionNodeRecord Node(std::size_t index);
  GraphCommitDelta Delta(const State& state);
  Append AppendDelta(const State& state);
  ReplaceFull ReplaceDelta();
  std::optional<std::string> Leaf(const std::vector<SessionNodeRecord>& nodes);
  void AddCheckpoint(HydratedSessionCheckpoint& checkpoint, Command& command);
  // How a snapshot is committed: inline, by the ref that an earlier commit got, by an invented one, or not at all.
  bool DrawSnapshot(const char* field, Command& command);
  TokenLedgerEntry Usage();
  void AddStamp(RuntimeCommit& commit);
  void AddCompletion(Command& command, std::size_t position);

  QueuedWorkBatchDraft Draft(EpochMs now);
  const ClaimHandle* AnyClaim();
  const BatchHandle* AnyBatch();
  const std::string* AnyCommit();
  const std::string& AnySession() { return world_.sessions[session_]; }
  void DrawSession();
  DurationMs Ttl() { return random_.Pick(world_.ttls); }
  // Numbers that make two contents differ.
  uint64_t Fresh() { return ++fresh_; }

  void ObserveClaim(const engine::CallRecord<F>& record, const QueuedWorkClaim& claim);
  void ObserveCommit(const engine::CallRecord<F>& record);
  void EndClaim(const std::string& claim_id);
  std::size_t SessionIndex(const std::string& session) const;
  void BeginEpilogue(EpochMs now);
  std::optional<Command> DrainStep(Drain& drain);
  void ObserveDrain(const engine::CallRecord<F>& record);

  engine::Random random_;
  engine::Random faults_;  // of their own, so that programs with and without faults are otherwise alike
  engine::GeneratorOptions options_;
  World world_;
  Handles known_;                                   // from what was observed
  std::vector<Handles> branches_;                   // of a parallel phase that is being made, by client
  absl::flat_hash_set<std::string> branch_labels_;  // of that phase's commands so far
  std::vector<std::pair<int, Command>> originals_;  // of these commands those that may be made twice, and by whom
  std::vector<std::deque<Command>> branch_plans_;   // what a client does before all else
  std::size_t session_ = 0;                         // that the command being made is mostly about
  int branch_ = -1;                                 // the client whose command is being made
  uint64_t labels_ = 0;
  uint64_t fresh_ = 0;
  absl::flat_hash_map<std::string, Command> made_commits_;  // with a stamp, by label, until they are answered
  std::vector<Command> stamped_;                            // of them those that succeeded, to be repeated
  std::vector<EpochMs> deadlines_;
  std::deque<Command> planned_;  // the rest of a probe, or a call made again
  bool epilogue_begun_ = false;
  std::deque<Command> epilogue_;
  std::deque<Drain> drains_;
};

}  // namespace leasecheck::runtime_persistence

#endif  // LEASECHECK_PROPERTIES_RUNTIME_PERSISTENCE_GENERATOR_H_
