// Scenes: short plots over a few rows of their own, for situations that random commands seldom come to by themselves, such as a
// late heartbeat between a reclaim and the next claim. Only the plot is fixed: names, times and turns are drawn, what happened
// before stays, some scenes end early, and random commands come in between. They judge nothing; the spec does, as it does all
// else.
#ifndef LEASECHECK_PROPERTIES_STATE_BACKEND_SCENES_H_
#define LEASECHECK_PROPERTIES_STATE_BACKEND_SCENES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/state_backend/family.h"
#include "properties/engine/program.h"
#include "properties/state_backend_generator.h"

namespace leasecheck::state_backend {

// Writes one scene into a generator's plan. Borrows the generator and is its friend; made anew for each scene. Not thread-safe.
class SceneWriter {
 public:
  struct Scene {
    bool (SceneWriter::*write)();  // false: nothing was written, for the world lacks what it takes
    Theme theme;                   // of the programs that have it
  };
  static const std::vector<Scene>& Scenes();

  SceneWriter(StateBackendGenerator& generator, const SpecState& state, EpochMs now)
      : generator_(generator), state_(state), now_(now) {}
  // A scene that this program has not had yet, of its theme; any again once all were had. The programs take turns at what they
  // open with, so that each scene is played early in a run.
  void Write();

 private:
  void Shuffle();

  // Of the queue.
  bool Resurrection();   // an item that has ended stays so through its lease's end and a reclaim
  bool LateHeartbeat();  // of a worker whose item was reclaimed, and then claimed by another
  bool Ladder();         // an item is claimed and runs out until it is exhausted
  bool Backoff();        // a millisecond before, at and after retry_after; right after an opening too
  bool Starvation();     // one eligible item behind many that are not
  bool OldFirst();       // a retried item comes before younger ones
  bool Edges();          // each way to settle, on each kind of settled item
  bool SameWorker();     // claims again what it lost, and an old heartbeat renews that
  bool SweepOfMany();    // several items run out at once
  // Of logs.
  bool Reader();     // reads on from the last number that it saw
  bool Numbers();    // hints, failures, two executions in turn
  bool Snapshots();  // greater, smaller, the same at_sequence
  // Of executions.
  bool Patches();  // absent, present, no array, no object
  bool Pages();    // of executions that tie
  bool Ends();     // completed_at through terminal statuses and back
  // Of access.
  bool Tokens();       // valid, expired at the instant, revoked
  bool Definitions();  // of two tenants and versions
  bool Tenants();      // created, updated, cleared
  // Of views.
  bool Neighbours();  // two tenants, each with everything, who try each other's

  // What scenes are made of. Each adds commands to the plan; a call of an operation that the target does not offer is left out.
  template <class Request>
  void Add(Request request, std::string label = "", std::vector<engine::Reference> references = {}) {
    constexpr std::size_t kOperation = OperationIndexOf<F, Request>();
    if (!generator_.Offers(kOperation)) return;
    engine::Command<F> command;
    command.label = std::move(label);
    command.action = engine::Action<F>(RequestOf<F>(std::move(request)));
    command.references = std::move(references);
    generator_.planned_.push_back(std::move(command));
  }
  // An execution that is there, made where it is not: its place in the world.
  std::size_t Execution(OpaqueJson state = {"{}"});
  std::size_t ExecutionOf(std::size_t index, OpaqueJson state);
  const ExecutionId& Id(std::size_t execution) const { return world().executions[execution].id; }
  const View& Owner(std::size_t execution) const { return world().executions[execution].owner; }
  void MakeTenant(const TenantId& tenant);
  // A new item of the execution, of a queue type that is the scene's own.
  WorkItem NewItem(std::size_t execution);
  WorkItemId Enqueue(std::size_t execution, uint32_t max_attempts, int64_t created);
  void Claim(const char* worker);
  void Reclaim() { Add(ReclaimExpiredLeasesRequest{Anyone()}); }
  // Moves the clock, where it may be moved.
  void Later(DurationMs length);
  void Lapse() { Later(world().lease + 1); }
  // Closes the store and opens it again; false: it would be empty, or no reopening is wanted.
  bool Reopen();
  bool CanWait() const { return generator_.options_.system_now == 0 && generator_.options_.move_clock; }
  Event NewEvent(std::size_t execution, EventSequence hint);
  void Settle(const WorkItemId& id, uint64_t way);
  // The view through which the scene's execution is written to, or none.
  View Anyone() { return random().OneIn(2) ? View() : view_; }

  engine::Random& random() { return generator_.random_; }
  const World& world() const { return generator_.world_; }

  StateBackendGenerator& generator_;
  const SpecState& state_;
  EpochMs now_;  // when the next command of the plan runs
  std::string queue_ = "scene";
  View view_;  // the scene's execution's
  std::vector<ExecutionId> made_;
};

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_PROPERTIES_STATE_BACKEND_SCENES_H_
