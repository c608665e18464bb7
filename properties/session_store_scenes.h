// Scenes: short plots over a few rows of their own, for situations that random commands seldom come to by themselves, such as a
// lapsed claim that lost one of its batches. Only the plot is fixed: names, times and turns are drawn, what happened before
// stays, some scenes end early, and random commands come in between. They judge nothing; the spec does, as it does all else.
#ifndef LEASECHECK_PROPERTIES_SESSION_STORE_SCENES_H_
#define LEASECHECK_PROPERTIES_SESSION_STORE_SCENES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/session_store/family.h"
#include "properties/engine/program.h"
#include "properties/session_store_generator.h"

namespace leasecheck::session_store {

// The programs take turns at the scenes, so that each is played early in a run: the scene that a program of this number, which
// has one, opens with. Programs of one remainder take turns too (--shard).
struct OpeningScene {
  std::size_t scene = 0;  // its position among all
  bool queue = false;     // not for a program of turn inputs alone
  bool inputs = false;    // not for one of batches alone
};
OpeningScene OpeningSceneOf(uint64_t program);

// Writes one scene into a generator's plan. Borrows the generator and is its friend; made anew for each scene. Not thread-safe.
class SceneWriter {
 public:
  struct Scene {
    bool (SceneWriter::*write)();  // false: nothing was written, for the world lacks what it takes
    bool queue;                    // not for a program of turn inputs alone
    bool inputs;                   // not for one of batches alone
  };
  static const std::vector<Scene>& Scenes();

  SceneWriter(SessionStoreGenerator& generator, EpochMs now) : generator_(generator), now_(now) {}
  // A scene that this program has not had yet, of its theme; any again once all were had.
  void Write();

 private:
  using Reference = engine::Reference;
  using Command = engine::Command<F>;
  struct Lane {
    std::string label;
    std::string path;
    std::size_t owner = 0;
  };
  void Shuffle();

  // Of batches and the lane.
  bool LostBatch();
  bool SettledUnderAnotherLane();
  bool GroupWithGap();
  bool CommandBehind();
  bool Boundary();
  bool KeyAgain();
  bool Renewals();
  bool TwoClaims();
  bool DeadHolder();
  bool Stamps();
  bool Edges();
  // Of turn inputs.
  bool SettledTogether();
  bool SettledWithQueue();
  bool Interrupt();
  bool Piecemeal();
  bool LostInput();
  bool Accepted();
  bool InputKeys();
  bool CompletedUnderAnotherLane();
  bool Suffix();
  bool DeadHolderOfInputs();
  bool EdgesOfInputs();

  // What scenes are made of. Each adds commands to the plan; a call of an operation that the target does not offer is left out.
  template <class Request>
  std::string Add(Request request, char kind, std::vector<Reference> references = {}) {
    constexpr std::size_t kOperation = OperationIndexOf<F, Request>();
    const std::vector<bool>& offered = generator_.options_.operations;
    if (kOperation < offered.size() && !offered[kOperation]) return "";
    std::string label = generator_.NewLabel(kind);
    generator_.planned_.push_back({label, engine::Action<F>(RequestOf<F>(std::move(request))), std::move(references)});
    return label;
  }
  Lane Hold(std::size_t session);                                           // a live lane, the session's own where there is one
  Lane HoldNext(std::size_t session, const Lane& before);                   // another owner's, once that of `before` ended
  std::optional<std::pair<Lane, Lane>> HoldOfTheDead(std::size_t session);  // a dead owner's, and who took it from him
  DurationMs Short();                                                       // the ttl of a lease that Lapse() ends
  void Lapse();                                    // moves the clock to the end of the last Short(), or a little beyond
  QueuedWorkBatchDraft Work(std::size_t session);  // a draft of turn work that joins its like
  std::string Enqueue(const QueuedWorkBatchDraft& draft);
  std::string Claim(std::size_t session, const Lane& lane, DurationMs ttl, uint64_t max_batches,
                    QueuedWorkClaimBoundary boundary = QueuedWorkClaimBoundary::kIdle);
  std::string ClaimCommand(std::size_t session, const Lane& lane, DurationMs ttl);
  std::string ClaimById(std::size_t session, const Lane& lane, const std::string& batch);  // by the label of its enqueue
  void ClaimAnyhow(std::size_t session, const Lane& lane);
  void Clear(std::size_t session);  // cancels what waits, so that what comes is at the head; unless that is much
  void List(std::size_t session);
  std::string EnqueueInput(std::size_t session, TurnInputIngress ingress, std::optional<std::string> key = std::nullopt);
  std::string AddInput(PendingTurnInputDraft draft);
  std::string ClaimTurn(std::size_t session, const Lane& lane, const std::string& turn, DurationMs ttl, uint64_t max_inputs,
                        CheckpointKind checkpoint = CheckpointKind::kBeforeCompletion);
  std::string ClaimNext(std::size_t session, const Lane& lane, DurationMs ttl, uint64_t max_inputs);
  void AbandonInputs(const std::string& claim, const char* altered = nullptr);
  void ListInputs(std::size_t session);
  TurnInputIngress ForTurn(const std::string& turn);

  // A commit of the session that commits, under `lane`.
  struct Commit {
    RuntimeCommit commit;
    std::vector<Reference> references;
  };
  Commit NewCommit(const Lane& lane);
  // `altered`: a field of the completion that is replaced by one never issued, such as "lease_token"; may be null.
  void Settle(Commit& commit, const std::string& claim, const char* altered = nullptr);
  void Complete(Commit& commit, const std::string& claim, const char* altered = nullptr);
  void CompleteOne(Commit& commit, const std::string& claim, std::size_t input);  // one input of the claim only
  std::string Plan(const Commit& commit);

  const std::string& Name(std::size_t session) const { return generator_.world_.sessions[session]; }
  // A session that is not the one that commits; the world's second one where it has any.
  std::string Elsewhere() const { return world().sessions.size() > 1 ? Name(1) : "elsewhere"; }
  std::size_t AnySession();
  std::size_t OtherOwner(std::size_t owner);
  std::size_t NotDead(std::size_t owner);  // the owner, or one who is not known dead instead
  engine::Random& random() { return generator_.random_; }
  const World& world() const { return generator_.world_; }

  SessionStoreGenerator& generator_;
  EpochMs now_;  // when the next command of the plan runs, where the clock is virtual
  DurationMs lapses_after_ = 0;
};

}  // namespace leasecheck::session_store

#endif  // LEASECHECK_PROPERTIES_SESSION_STORE_SCENES_H_
