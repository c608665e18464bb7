// Makes programs for the session_store family: random commands over a small world, biased to collisions.
#ifndef LEASECHECK_PROPERTIES_SESSION_STORE_GENERATOR_H_
#define LEASECHECK_PROPERTIES_SESSION_STORE_GENERATOR_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "model/session_store/family.h"
#include "model/session_store/spec.h"
#include "properties/engine/generator.h"
#include "properties/session_store_world.h"

namespace leasecheck::session_store {

using F = SessionStoreFamily;

// What a program knows of the handles it was given: labels to refer to, and guesses at what they are worth now. The guesses only
// steer; a wrong one makes a less interesting command, never a wrong verdict.
struct BatchHandle {
  std::string label;
  std::string path;  // of the batch id in the label's response
  std::string id;    // "" where the answer is not known yet
  std::size_t session = 0;
  EpochMs available_at = 0;
  EpochMs claimed_until = 0;
  bool gone = false;
  std::string claim;  // label of the last claim over it
};
struct ClaimHandle {
  std::string label;
  std::size_t session = 0;
  std::size_t owner = 0;
  std::size_t batches = 0;  // 0 where the answer is not known yet
  bool over = false;        // abandoned or settled
};
struct LaneHandle {
  std::string label;
  std::string path;  // of the lease in the label's response
  std::size_t session = 0;
  std::size_t owner = 0;
  EpochMs expires = 0;
  bool acquired = true;  // false: seen as another's, in a Busy answer
  std::string token;     // "" where the answer is not known yet
};
struct InputHandle {
  std::string label;  // its response is the record
  std::string id;     // "" where the answer is not known yet
  std::optional<std::string> key;
  std::size_t session = 0;
  std::optional<std::string> turn;  // that it waits for
  bool over = false;                // cancelled or completed
  std::string claim;                // label of the last claim over it
};
struct InputClaimHandle {
  std::string label;
  std::size_t session = 0;
  std::size_t inputs = 0;  // 0 where the answer is not known yet
  bool over = false;       // abandoned or completed
  std::string id{};        // "" where the answer is not known yet
};
struct Handles {
  std::vector<BatchHandle> batches;
  std::vector<ClaimHandle> claims;
  std::vector<LaneHandle> lanes;
  std::vector<InputHandle> inputs;
  std::vector<InputClaimHandle> input_claims;
};

class SessionStoreGenerator final : public engine::Generator<F> {
 public:
  SessionStoreGenerator(engine::Random random, const engine::GeneratorOptions& options);
  EpochMs Start() override { return world_.start; }
  engine::Command<F> Next(const State& state, EpochMs now) override;
  engine::Command<F> NextInBranch(int client, const State& state, EpochMs now) override;
  std::optional<engine::Command<F>> NextInEpilogue(const State& state, EpochMs now) override;
  void Observe(const engine::CallRecord<F>& record) override;

 private:
  friend class SceneWriter;
  using Command = engine::Command<F>;
  // Where the settling of one session at the end stands.
  struct Drain {
    std::size_t session = 0;
    int step = 0;
    int rounds = 0;
    bool any_granted = false;
    std::string lane{};              // label of the drain's own lane
    std::string claim{};             // label of its latest claim
    std::string listed{};            // label of its last list
    std::size_t left_to_cancel = 0;  // of that list, from the front
  };

  // Where the settling of one session's turn inputs stands.
  struct InputDrain {
    std::size_t session = 0;
    std::size_t turn = 0;  // to claim for next; behind the last turn: the next one
    int rounds = 0;
    int step = 0;
    std::string claim{};  // label of its latest claim
    bool granted = false;
  };

  Command NextAlone(const State& state, EpochMs now);
  // Claims and commits without a live lane are all refused alike: mostly takes the lane instead.
  std::size_t WithLane(std::size_t operation, EpochMs now);
  void PlanProbe(const State& state, EpochMs now);
  void PlanDeepQueue();
  void PlanScene(EpochMs now);
  bool Strikes(uint64_t per_mille, uint64_t times);
  void DrawLoss(Command& command);
  Command Again(const Command& lost);
  void PlanStall(const State& state, EpochMs now);
  Command StaleUse(const std::string& claim, bool inputs);
  void PlanContest();
  void PlanWatchedInterrupt();
  Command AbandonOf(const std::string& claim);     // of inputs, by its label
  Command CompletionOf(const std::string& claim);  // a commit of it
  Command NextOfBranch(int client, const State& state, EpochMs now);
  void PlanDeepInputs();
  void PlanListAndCancel();
  void PlanInputProbe(const State& state, EpochMs now);
  // A command that another client of the phase makes, made once more: two calls with one effect to give are what races are about
  // (one stamp, one key, one claim to settle).
  std::optional<Command> Twin(int client);
  void KeepForTwins(int client, const Command& command);
  // One command an operation; the index is that of the table.
  Command Generate(std::size_t operation, const State& state, EpochMs now);
  Command Enqueue(EpochMs now);
  Command ClaimCommand(EpochMs now);
  Command ClaimReady(EpochMs now);
  Command ClaimByIds(EpochMs now);
  Command Renew();
  Command Abandon();
  Command Cancel();
  Command List();
  Command ListPending();
  Command TryClaimLane();
  Command ReclaimLane();
  Command RenewLane();
  Command ReleaseLane();
  Command Commit();
  Command RepeatCommit();
  Command Load();
  Command EnqueueInput();
  Command ListInputs();
  Command CancelInputs();
  Command CancelInput();
  Command CancelSuffix();
  Command ClaimActive();
  Command ClaimNext();
  Command AbandonInputs();
  Command MoveClock(const State& state, EpochMs now);
  Command Wait(const State& state, EpochMs now);

  QueuedWorkBatchDraft Draft(EpochMs now);
  std::vector<QueuedWorkPayload> Payloads();
  void AddCompletion(RuntimeCommit& commit, Command& command, std::size_t position);
  void AddStamp(RuntimeCommit& commit);
  PendingTurnInputDraft InputDraft();
  TurnInput Payload();
  TurnInputIngress Ingress();
  void AddTarget(CancelPendingTurnInputsRequest& request, Command& command, const InputHandle* input);
  void AddInputs(RuntimeCommit& commit, Command& command);
  void AddInputCompletion(RuntimeCommit& commit, Command& command);
  std::string AnyTurn();

  // Puts a lane's fence, mostly the session's newest, at `to`; returns the owner to claim as.
  LeaseOwnerIdentity AddFence(Command& command, const char* to, std::size_t session);
  const LaneHandle* NewestLane(std::size_t session) const;
  const LaneHandle* AnyLane();
  const ClaimHandle* AnyClaim();
  const BatchHandle* AnyBatch();
  const InputHandle* AnyInput();
  const InputClaimHandle* AnyInputClaim();
  std::size_t AnySession();
  void DrawSession();
  DurationMs Ttl();
  std::string NewLabel(char kind);

  void ObserveBatch(const engine::CallRecord<F>& record, const QueuedWorkBatch& batch);
  void ObserveClaim(const engine::CallRecord<F>& record, const QueuedWorkClaim& claim);
  void ObserveLane(const engine::CallRecord<F>& record, const SessionExecutionLeaseClaimOutcome& outcome);
  void ObserveCancel(const QueuedWorkBatch& cancelled);
  void ObserveLaneEnd(const engine::CallRecord<F>& record);
  void ObserveCommit(const engine::CallRecord<F>& record, const CommitRuntimeStateRequest& request);
  void ObserveDrain(const engine::CallRecord<F>& record);
  void ObserveInputs(const engine::CallRecord<F>& record);
  void ObserveInput(const engine::CallRecord<F>& record, const PendingTurnInput& input);
  void ObserveInputClaim(const engine::CallRecord<F>& record, const TurnInputClaim& claim);
  void ObserveCancelled(const PendingTurnInputCancelOutcome& outcome);
  void EndInputClaim(const std::string& claim_id);
  void ObserveInputsSettled(const RuntimeCommit& commit);
  void PlanAfterInterrupt(const std::string& turn_id);
  std::size_t SessionIndex(const std::string& session) const;
  std::size_t OwnerIndex(const LeaseOwnerIdentity& owner) const;

  std::optional<Command> DrainStep(Drain& drain, EpochMs now);
  std::optional<Command> DrainInputs(InputDrain& drain);

  engine::Random random_;
  engine::Random faults_;  // of their own, so that programs with and without faults are otherwise alike
  engine::GeneratorOptions options_;
  World world_;
  Handles known_;                  // from what was observed
  std::vector<Handles> branches_;  // of a parallel phase that is being made: what each client's own commands will give it
  absl::flat_hash_set<std::string> branch_labels_;  // of that phase's commands so far
  std::vector<std::pair<int, Command>> originals_;  // of these commands those that may be made twice, and by whom they are made
  std::size_t session_ = 0;                         // that the command being made is mostly about
  int branch_ = -1;                                 // the client whose command is being made
  uint64_t labels_ = 0;
  uint64_t head_ = 0;                                       // guess of the head revision
  absl::flat_hash_map<std::string, Command> made_commits_;  // with a stamp, by label, until they are answered
  std::vector<Command> stamped_;                            // of them those that succeeded, to be repeated
  std::vector<EpochMs> deadlines_;
  std::deque<Command> planned_;                    // the rest of a probe or a scene, or a call made again
  bool in_scene_ = false;                          // planned_ began as a scene
  std::vector<std::size_t> scenes_left_;           // that this program has not had; the last is next
  std::vector<std::deque<Command>> branch_plans_;  // of a parallel phase: what a client does before all else
  bool epilogue_begun_ = false;
  std::deque<Command> epilogue_;
  std::deque<Drain> drains_;
  std::deque<InputDrain> input_drains_;
  std::vector<std::string> drain_lanes_;             // labels, by session
  std::vector<PendingTurnInputDraft> keyed_drafts_;  // to be enqueued again, as they were or changed
};

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_PROPERTIES_SESSION_STORE_GENERATOR_H_
