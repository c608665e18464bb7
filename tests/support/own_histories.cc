#include "tests/support/own_histories.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "properties/engine/random.h"
#include "properties/engine/scheduler.h"

namespace leasecheck::tests {
namespace {

using namespace session_store;  // NOLINT(google-build-using-namespace): it makes requests of all kinds
using F = SessionStoreFamily;
using engine::Random;
using Record = engine::CallRecord<F>;

constexpr EpochMs kStart = 1000;
constexpr DurationMs kClaimTtl = 60;
constexpr DurationMs kLaneTtl = 2000;
constexpr DurationMs kRivalTtl = 20;  // of a lane that another owner takes
const std::string& Session() {
  static const std::string& session = *new std::string("s");
  return session;
}

LeaseOwnerIdentity Owner(const char* incarnation) { return {"worker", incarnation, OpaqueOwner{}}; }

// What the clients share: the store, the order of events, the lane that was announced last.
struct Shared {
  Target<F>& target;
  std::atomic<engine::Instant> clock{0};
  std::atomic<EpochMs> latest{kStart};
};

// One client: makes its calls one after the other from what it was answered, and writes them down.
class Client {
 public:
  Client(int number, const OwnHistoryOptions& options, SessionExecutionLease lane, Random random, Shared& shared)
      : number_(number),
        unseen_percent_(options.unseen_percent),
        input_percent_(options.input_percent),
        random_(std::move(random)),
        lane_(std::move(lane)),
        shared_(shared) {}

  // `pause` is called where another client may take its turn.
  template <class Pause>
  void Call(const Pause& pause) {
    Record& record = records_.emplace_back();
    record.client = number_;
    record.action = Next();
    record.called = shared_.clock.fetch_add(1);
    pause("call_begun");
    Perform(record);
    pause("call_done");
    record.returned = shared_.clock.fetch_add(1);
    ++made_;
    if (std::holds_alternative<RequestOf<F>>(record.action) && random_.Percent(unseen_percent_)) {
      record.outcome = Indefinite{};
      record.returned = engine::kNeverReturned;
    }
    Learn(record);
  }
  std::vector<Record> TakeRecords() { return std::move(records_); }

 private:
  void Perform(Record& record) {
    if (const auto* clock = std::get_if<engine::SetClock>(&record.action)) {
      (void)shared_.target.SetClock(clock->now);
    } else {
      record.outcome = shared_.target.Execute(std::get<RequestOf<F>>(record.action));
    }
  }

  engine::Action<F> Next() {
    if (input_percent_ > 0 && random_.Percent(input_percent_)) return NextOfInputs();
    // Enqueue, claim work, a command, by ids, renew, abandon, commit, cancel, list, list pending, take the lane, as a rival,
    // reclaim, renew and release it, load, move the clock.
    static constexpr uint64_t kWeights[] = {240, 200, 40, 20, 60, 40, 150, 30, 35, 35, 30, 3, 3, 20, 3, 20, 30};
    switch (random_.Weighted(kWeights)) {
      case 0:
        return Enqueue();
      case 1:
        return Request(
            ClaimReadyQueuedWorkRequest{Session(), FenceOf(lane_), Owner("a"), Boundary(), kClaimTtl, 1 + random_.Below(4)});
      case 2:
        return Request(ClaimLeadingReadySessionCommandRequest{Session(), FenceOf(lane_), Owner("a"), kClaimTtl});
      case 3:
        return Request(ClaimReadyQueuedWorkByBatchIdsRequest{
            Session(), FenceOf(lane_), Owner("a"), Boundary(), kClaimTtl, {Recent(batches_).value_or("none")}});
      case 4:
        return Request(RenewQueuedWorkClaimRequest{Recent(claims_).value_or(QueuedWorkClaim()), kClaimTtl});
      case 5:
        return Request(AbandonQueuedWorkClaimRequest{Recent(claims_).value_or(QueuedWorkClaim())});
      case 6:
        return Commit();
      case 7:
        return Request(CancelQueuedWorkBatchRequest{Session(), Recent(batches_).value_or("none")});
      case 8:
        return Request(ListQueuedWorkRequest{Session()});
      case 9:
        return Request(ListPendingQueuedWorkRequest{Session()});
      case 10:
        return Request(TryClaimSessionExecutionLeaseRequest{Session(), Owner("a"), kLaneTtl});
      case 11:
        return Request(TryClaimSessionExecutionLeaseRequest{Session(), Owner("b"), kRivalTtl});
      case 12:
        return Request(ReclaimSessionExecutionLeaseRequest{Session(), Owner("b"), FenceOf(lane_), kRivalTtl});
      case 13:
        return Request(RenewSessionExecutionLeaseRequest{FenceOf(lane_), kLaneTtl});
      case 14:
        return Request(ReleaseSessionExecutionLeaseRequest{ReleaseOf(lane_)});
      case 15:
        return Request(LoadSessionRequest{});
      default:
        return MoveClock();
    }
  }

  engine::Action<F> NextOfInputs() {
    // Enqueue, claim for the turn, for the next one, abandon, commit, cancel a list, one, a suffix, list, vacuum.
    static constexpr uint64_t kWeights[] = {50, 20, 30, 12, 25, 12, 8, 5, 15, 5};
    const TurnInputClaim claim = Recent(input_claims_).value_or(TurnInputClaim());
    const std::string input = Recent(inputs_).value_or("none");
    switch (random_.Weighted(kWeights)) {
      case 0:
        return EnqueueInput();
      case 1:
        return Request(ClaimActiveTurnInputsRequest{Session(), FenceOf(lane_), Owner("a"), "t", CheckpointKind::kBeforeCompletion,
                                                    kClaimTtl, 1 + random_.Below(3)});
      case 2:
        return Request(ClaimNextTurnInputsRequest{Session(), FenceOf(lane_), Owner("a"), kClaimTtl, 1 + random_.Below(3)});
      case 3:
        return Request(AbandonTurnInputClaimRequest{claim});
      case 4:
        return CommitInputs(claim);
      case 5:
        return Request(CancelPendingTurnInputsRequest{Session(), {InputIdTarget{input}, SourceKeyTarget{"key1"}}});
      case 6:
        return Request(CancelPendingTurnInputRequest{Session(), input});
      case 7:
        return Request(CancelPendingTurnInputSuffixRequest{Session(), InputIdTarget{input}});
      case 8:
        return Request(ListPendingTurnInputsRequest{Session()});
      default:
        return Request(VacuumRequest{});
    }
  }

  engine::Action<F> EnqueueInput() {
    PendingTurnInputDraft draft;
    draft.session_id = Session();
    if (random_.OneIn(4)) draft.source_key = absl::StrCat("key", random_.Below(3));
    if (random_.OneIn(12)) draft.input_id = absl::StrCat("own", random_.Below(3));
    if (random_.OneIn(2)) draft.ingress = ActiveTurnIngress{"t", CheckpointKind::kAfterWork};
    draft.input.items = {TextItem{random_.OneIn(5) ? "ho" : "hi"}};
    return Request(EnqueuePendingTurnInputRequest{std::move(draft)});
  }

  engine::Action<F> CommitInputs(const TurnInputClaim& claim) {
    RuntimeCommit commit;
    commit.session_id = Session();
    commit.session_execution_lease = FenceOf(lane_);
    if (!random_.OneIn(5)) commit.completed_turn_input_claims.push_back(CompletionOf(claim));
    if (random_.OneIn(3)) commit.interrupted_turn_input_turn_id.emplace("t");
    if (random_.OneIn(12)) commit.release_session_execution_lease = ReleaseOf(lane_);
    return Request(CommitRuntimeStateRequest{std::move(commit)});
  }

  template <class R>
  static engine::Action<F> Request(R request) {
    return RequestOf<F>(std::move(request));
  }

  QueuedWorkClaimBoundary Boundary() {
    return random_.OneIn(6) ? QueuedWorkClaimBoundary::kActiveTurnCheckpoint : QueuedWorkClaimBoundary::kIdle;
  }

  // One of the last few, mostly the last.
  template <class T>
  std::optional<T> Recent(const std::vector<T>& values) {
    if (values.empty()) return std::nullopt;
    const std::size_t back = random_.Percent(70) ? 0 : random_.Below(std::min<std::size_t>(values.size(), 4));
    return values[values.size() - 1 - back];
  }

  engine::Action<F> Enqueue() {
    QueuedWorkBatchDraft draft;
    draft.session_id = Session();
    if (random_.OneIn(10)) draft.source_key = absl::StrCat("key", random_.Below(8));
    if (random_.OneIn(10)) draft.delivery_policy = DeliveryPolicy::kAfterCurrentTurnCommit;
    draft.slot_policy = random_.OneIn(4) ? SlotPolicy::kExclusive : SlotPolicy::kJoin;
    if (random_.OneIn(20)) draft.available_at_ms = shared_.latest.load() + random_.Below(40);
    const OpaqueJson content{absl::StrCat("{\"n\":", number_, ",\"k\":", made_, "}")};
    draft.payloads.push_back(random_.OneIn(12) ? QueuedWorkPayload(SessionCommand{content})
                                               : QueuedWorkPayload(ProcessWake{content}));
    return Request(EnqueueQueuedWorkRequest{std::move(draft)});
  }

  engine::Action<F> Commit() {
    RuntimeCommit commit;
    commit.session_id = Session();
    commit.body = OpaqueJson{absl::StrCat("{\"by\":", number_, ",\"k\":", made_, "}")};
    commit.session_execution_lease = FenceOf(lane_);
    if (const auto claim = Recent(claims_)) commit.completed_queue_claims.push_back(CompletionOf(*claim));
    if (random_.OneIn(5)) {
      const std::string turn = absl::StrCat("t", number_, "-", made_ / 20);
      commit.turn_commit = RuntimeTurnCommitStamp{Session(), turn, random_.OneIn(10) ? "other" : "hash"};
    }
    return Request(CommitRuntimeStateRequest{std::move(commit)});
  }

  // Clients move it past each other now and then, so it also goes back.
  engine::Action<F> MoveClock() {
    const EpochMs now = shared_.latest.load() + random_.Below(12);
    shared_.latest.store(now);
    return engine::SetClock{random_.OneIn(10) ? now - random_.Below(20) : now};
  }

  // Keeps the handles that an answer gave it.
  void Learn(const Record& record) {
    const auto* response = std::get_if<0>(&record.outcome);
    if (response == nullptr || !std::holds_alternative<RequestOf<F>>(record.action)) return;
    std::visit([&](const auto& value) { LearnFrom(value); }, *response);
  }
  void LearnFrom(const QueuedWorkBatch& batch) { batches_.push_back(batch.batch_id); }
  void LearnFrom(const std::optional<QueuedWorkClaim>& claim) {
    if (claim.has_value()) claims_.push_back(*claim);
  }
  void LearnFrom(const PendingTurnInput& input) { inputs_.push_back(input.input_id); }
  void LearnFrom(const std::optional<TurnInputClaim>& claim) {
    if (claim.has_value()) input_claims_.push_back(*claim);
  }
  void LearnFrom(const SessionExecutionLeaseClaimOutcome& outcome) {
    const auto* acquired = std::get_if<LeaseAcquired>(&outcome);
    if (acquired != nullptr && acquired->lease.owner == Owner("a")) lane_ = acquired->lease;
  }
  template <class T>
  void LearnFrom(const T&) {}

  const int number_;
  const int unseen_percent_;
  const int input_percent_;
  Random random_;
  SessionExecutionLease lane_;
  Shared& shared_;
  uint64_t made_ = 0;
  std::vector<QueuedWorkClaim> claims_;
  std::vector<std::string> batches_;
  std::vector<TurnInputClaim> input_claims_;
  std::vector<std::string> inputs_;
  std::vector<Record> records_;
};

absl::StatusOr<Record> TakeLane(Shared& shared) {
  Record record;
  record.action = RequestOf<F>(TryClaimSessionExecutionLeaseRequest{Session(), Owner("a"), kLaneTtl});
  record.called = shared.clock.fetch_add(1);
  record.outcome = shared.target.Execute(std::get<RequestOf<F>>(record.action));
  record.returned = shared.clock.fetch_add(1);
  if (record.outcome.index() != 0) return absl::FailedPreconditionError("the store does not give the lane away");
  return record;
}

void RunFree(std::vector<Client>& clients, int calls_each) {
  std::latch start(static_cast<std::ptrdiff_t>(clients.size()));
  std::vector<std::jthread> threads;
  for (Client& client : clients) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      for (int i = 0; i < calls_each; ++i) {
        client.Call([](const char* point) {
          if (point[5] == 'b') std::this_thread::yield();
        });
      }
    });
  }
}

void RunScheduled(std::vector<Client>& clients, int calls_each, Random random, Target<F>& target) {
  engine::Scheduler scheduler(static_cast<int>(clients.size()),
                              [&](int, absl::Span<const int> runnable) { return runnable[random.Below(runnable.size())]; });
  target.SetPauseHook(&scheduler);
  {
    std::vector<std::jthread> threads;
    for (std::size_t number = 0; number < clients.size(); ++number) {
      threads.emplace_back([&, number] {
        scheduler.Start(static_cast<int>(number));
        for (int i = 0; i < calls_each; ++i) clients[number].Call([&](const char* point) { scheduler.Pause(point); });
        scheduler.Finish();
      });
    }
  }
  target.SetPauseHook(nullptr);
}

}  // namespace

absl::StatusOr<OwnHistory> RecordOwnHistory(const TargetFactory<F>& factory, const OwnHistoryOptions& options) {
  auto target = factory();
  if (!target.ok()) return target.status();
  if (absl::Status status = (*target)->Reset(kStart); !status.ok()) return status;
  Shared shared{**target};
  OwnHistory own;
  own.start = kStart;
  absl::StatusOr<Record> taken = TakeLane(shared);
  if (!taken.ok()) return taken.status();
  constexpr std::size_t kTake = OperationIndexOf<F, TryClaimSessionExecutionLeaseRequest>();
  const auto* lane = std::get_if<LeaseAcquired>(ResponseIf<F, kTake>(taken->outcome));
  if (lane == nullptr) return absl::FailedPreconditionError("the lane of a fresh store is not free");
  std::vector<Client> clients;
  for (int number = 0; number < options.clients; ++number) {
    clients.emplace_back(number, options, lane->lease, Random::ForProgram(options.seed, number), shared);
  }
  const int calls_each = options.calls / options.clients;
  if (options.free_threads) {
    RunFree(clients, calls_each);
  } else {
    RunScheduled(clients, calls_each, Random::ForProgram(options.seed, 1000), **target);
  }
  own.prefix.push_back(*std::move(taken));
  for (Client& client : clients) {
    std::vector<Record> records = client.TakeRecords();
    std::move(records.begin(), records.end(), std::back_inserter(own.phase));
  }
  std::sort(own.phase.begin(), own.phase.end(), [](const Record& a, const Record& b) { return a.called < b.called; });
  return own;
}

}  // namespace leasecheck::tests
