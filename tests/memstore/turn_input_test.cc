// Turn inputs in the reference store: the suite, and what is its own: choices, faults, snapshots, the record of calls, cost.
#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "memstore/session_store.h"
#include "tests/support/turn_input_suite.h"

namespace leasecheck::session_store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Store = memstore::SessionStore;
using memstore::SessionStoreOptions;

class MemoryHandle final : public StoreHandle {
 public:
  explicit MemoryHandle(const SessionStoreOptions& options) : store_({.clock = &clock_, .liveness = &liveness_}, options) {}
  SessionStore& store() override { return store_; }
  void SetNow(EpochMs now) override { clock_.Set(now); }

 private:
  ManualClock clock_;
  FixedLiveness liveness_{1, "1"};
  Store store_;
};

StoreUnderTest Memory(const std::string& name, const SessionStoreOptions& options) {
  return {name, [options] { return std::make_unique<MemoryHandle>(options); }};
}

// A store that is copied into a new one before every call: a snapshot loses nothing.
class CopiedHandle final : public StoreHandle {
 public:
  SessionStore& store() override {
    auto copy = std::make_unique<Store>(Environment{.clock = &clock_, .liveness = &liveness_}, SessionStoreOptions{.id_seed = 9});
    if (store_ != nullptr) {
      const memstore::SessionStoreSnapshot snapshot = store_->Snapshot();
      copy->Restore(snapshot);
      EXPECT_EQ(copy->Snapshot(), snapshot);
      EXPECT_EQ(absl::HashOf(copy->Snapshot()), absl::HashOf(snapshot));
    }
    store_ = std::move(copy);
    return *store_;
  }
  void SetNow(EpochMs now) override { clock_.Set(now); }

 private:
  ManualClock clock_;
  FixedLiveness liveness_{1, "1"};
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, TurnInputSuite,
                         ::testing::Values(Memory("Opaque", {}), Memory("Readable", {.id_style = memstore::IdStyle::kReadable}),
                                           StoreUnderTest{"Copied", [] { return std::make_unique<CopiedHandle>(); }}),
                         StoreName);

class OwnTest : public ::testing::Test {
 protected:
  static PendingTurnInputDraft Next(const std::string& session = "s") {
    PendingTurnInputDraft draft;
    draft.session_id = session;
    return draft;
  }
  static PendingTurnInputDraft Active(const std::string& turn, CheckpointKind min_boundary = CheckpointKind::kAfterWork) {
    PendingTurnInputDraft draft = Next();
    draft.ingress = ActiveTurnIngress{turn, min_boundary};
    return draft;
  }
  Store& Make(const SessionStoreOptions& options) {
    store_ = std::make_unique<Store>(Environment{.clock = &clock_, .liveness = &liveness_}, options);
    auto outcome = store_->TryClaimSessionExecutionLease({"s", w_, kEndOfTime}).value();
    lane_ = std::get<LeaseAcquired>(outcome).lease;
    return *store_;
  }
  std::optional<TurnInputClaim> ClaimActive(const std::string& turn, DurationMs ttl,
                                            CheckpointKind checkpoint = CheckpointKind::kAfterWork, uint64_t max = 10) {
    return store_->ClaimActiveTurnInputs({"s", FenceOf(lane_), w_, turn, checkpoint, ttl, max}).value();
  }
  std::optional<TurnInputClaim> ClaimNext(DurationMs ttl, uint64_t max = 10) {
    return store_->ClaimNextTurnInputs({"s", FenceOf(lane_), w_, ttl, max}).value();
  }
  Result<RuntimeCommitResult> Commit(const std::vector<TurnInputClaim>& claims,
                                     const std::optional<std::string>& interrupted = std::nullopt) {
    RuntimeCommit commit;
    commit.session_id = "s";
    commit.session_execution_lease = FenceOf(lane_);
    for (const TurnInputClaim& claim : claims) commit.completed_turn_input_claims.push_back(CompletionOf(claim));
    commit.interrupted_turn_input_turn_id = interrupted;
    return store_->CommitRuntimeState({commit});
  }

  ManualClock clock_;
  FixedLiveness liveness_{1, "1"};
  std::unique_ptr<Store> store_;
  const LeaseOwnerIdentity w_{"w", "1", OpaqueOwner{}};
  SessionExecutionLease lane_;
};

TEST_F(OwnTest, ReacquireLetsTheTurnTakeWhatLapsed) {  // TI-LAT-1
  Store& store = Make({.turn_inputs = {.lapsed_accepted = memstore::LapsedAccepted::kReacquire}});
  const auto a = store.EnqueuePendingTurnInput({Active("t", CheckpointKind::kBeforeCompletion)}).value();
  const auto b = store.EnqueuePendingTurnInput({Active("t")}).value();
  const auto first = ClaimActive("t", 10, CheckpointKind::kBeforeCompletion);
  ASSERT_EQ(first->inputs.size(), 2u);
  const auto c = store.EnqueuePendingTurnInput({Active("t")}).value();
  clock_.Set(9);
  EXPECT_EQ(ClaimActive("t", 10)->inputs[0].input_id, c.input_id);
  clock_.Set(10);
  EXPECT_EQ(ClaimActive("u", 10), std::nullopt);
  EXPECT_EQ(ClaimNext(10), std::nullopt);
  EXPECT_THAT(store.ListPendingTurnInputs({"s"}).value(), IsEmpty());
  EXPECT_TRUE(std::holds_alternative<TurnInputAlreadyClaimed>(store.CancelPendingTurnInput({"s", b.input_id}).value()));
  const auto second = ClaimActive("t", 10);  // a is not admitted, c is held until 19
  ASSERT_EQ(second->inputs.size(), 1u);
  EXPECT_EQ(second->inputs[0].input_id, b.input_id);
  EXPECT_GT(second->fencing_token, first->fencing_token);
  auto refused = Commit({*first});
  EXPECT_EQ(refused.error(), StoreError(TurnInputClaimExpired{"s", first->claim_id}));
  ASSERT_TRUE(store.AbandonTurnInputClaim({*first}).has_value());  // gives back a only
  EXPECT_EQ(store.ListPendingTurnInputs({"s"}).value()[0].input_id, a.input_id);
  clock_.Set(100);
  const auto all = ClaimActive("t", 10, CheckpointKind::kBeforeCompletion);
  ASSERT_EQ(all->inputs.size(), 3u);
  EXPECT_TRUE(std::is_sorted(all->inputs.begin(), all->inputs.end(),
                             [](const auto& x, const auto& y) { return x.enqueue_seq < y.enqueue_seq; }));
  EXPECT_TRUE(Commit({*all}, "t").has_value());
}

TEST_F(OwnTest, UpstreamComparesKeysWithWhatIsStored) {  // TI-LAT-4, v88
  Store& store = Make({.turn_inputs = {.key_match = memstore::KeyMatch::kCurrent}});
  PendingTurnInputDraft draft = Active("t");
  draft.source_key = "k";
  const auto a = store.EnqueuePendingTurnInput({draft}).value();
  EXPECT_EQ(store.EnqueuePendingTurnInput({draft}).value(), a);
  ASSERT_TRUE(Commit({}, "t").has_value());
  EXPECT_EQ(store.EnqueuePendingTurnInput({draft}).error(), StoreError(PendingTurnInputSourceKeyConflict{"s", "k", a.input_id}));
  draft.ingress = NextTurnIngress{};
  EXPECT_EQ(store.EnqueuePendingTurnInput({draft}).value().input_id, a.input_id);
}

TEST_F(OwnTest, VacuumOfTheOwnSession) {  // TI-LAT-13
  Store& store = Make({.turn_inputs = {.vacuum_reach = memstore::VacuumReach::kOwnSession}});
  const auto tombstones = [&](const std::string& session) {
    const auto input = store.EnqueuePendingTurnInput({Next(session)}).value();
    store.CancelPendingTurnInput({session, input.input_id}).value();
  };
  tombstones("s");
  tombstones("s2");
  EXPECT_EQ(store.Vacuum({}).value().removed_pending_turn_input_tombstone_count, 2u);  // not bound yet
  ASSERT_TRUE(Commit({}).has_value());
  tombstones("s");
  tombstones("s2");
  EXPECT_EQ(store.Vacuum({}).value().removed_pending_turn_input_tombstone_count, 1u);
}

TEST_F(OwnTest, FaultsStrikeTurnInputsToo) {
  Store& store = Make({});
  const StoreError lost = Backend{"lost"};
  ASSERT_TRUE(store.FailNext("enqueue_pending_turn_input", memstore::FaultPoint::kBeforeEffect, lost).ok());
  EXPECT_EQ(store.EnqueuePendingTurnInput({Next()}).error(), lost);
  EXPECT_THAT(store.ListPendingTurnInputs({"s"}).value(), IsEmpty());
  ASSERT_TRUE(store.FailNext("enqueue_pending_turn_input", memstore::FaultPoint::kAfterEffect, lost).ok());
  EXPECT_EQ(store.EnqueuePendingTurnInput({Next()}).error(), lost);
  const auto inputs = store.ListPendingTurnInputs({"s"}).value();
  ASSERT_EQ(inputs.size(), 1u);
  // The provided method is a call of its own.
  ASSERT_TRUE(store.FailNext("cancel_pending_turn_input", memstore::FaultPoint::kBeforeEffect, lost).ok());
  EXPECT_TRUE(store.CancelPendingTurnInputs({"s", {InputIdTarget{"none"}}}).has_value());
  EXPECT_EQ(store.CancelPendingTurnInput({"s", inputs[0].input_id}).error(), lost);
  ASSERT_TRUE(store.FailNext("vacuum", memstore::FaultPoint::kBeforeEffect, lost).ok());
  EXPECT_EQ(store.Vacuum({}).error(), lost);
}

TEST_F(OwnTest, CallsAreRecorded) {
  Store& store = Make({.record_calls = true});
  store.ClearRecordedCalls();
  const auto input = store.EnqueuePendingTurnInput({Next()}).value();
  store.CancelPendingTurnInput({"s", input.input_id}).value();
  store.Vacuum({}).value();
  const auto calls = store.RecordedCalls();
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<EnqueuePendingTurnInputRequest>(calls[0].request));
  EXPECT_TRUE(std::holds_alternative<CancelPendingTurnInputRequest>(calls[1].request));
  EXPECT_TRUE(std::holds_alternative<VacuumRequest>(calls[2].request));
}

TEST_F(OwnTest, CountersThatAreUsedUpFailTheCall) {  // QW-LAT-35
  Store& store = Make({.first_counters = kEndOfTime - 1});
  store.EnqueuePendingTurnInput({Next()}).value();
  EXPECT_TRUE(std::holds_alternative<Backend>(store.EnqueuePendingTurnInput({Next()}).error()));
  const auto claim = ClaimNext(0);
  EXPECT_EQ(claim->fencing_token, kEndOfTime);
  EXPECT_TRUE(std::holds_alternative<Backend>(store.ClaimNextTurnInputs({"s", FenceOf(lane_), w_, 0, 1}).error()));
  EXPECT_TRUE(Commit({*claim}).has_value());
}

// A clock, an owner or a claim more or less must not change what is claimed: the indexes against a plain scan of the records.
TEST_F(OwnTest, ClaimsTakeWhatAScanWouldTake) {
  for (const auto lapsed : {memstore::LapsedAccepted::kStrand, memstore::LapsedAccepted::kReacquire}) {
    Store& store = Make({.turn_inputs = {.lapsed_accepted = lapsed}});
    std::mt19937 random(lapsed == memstore::LapsedAccepted::kStrand ? 5 : 6);
    const auto pick = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
    struct Known {
      PendingTurnInput input;
      EpochMs claimed_until = 0;
      std::string claim_id;
    };
    std::vector<Known> known;  // by enqueue_seq
    std::vector<TurnInputClaim> claims;
    const std::string turns[] = {"t", "u"};
    const CheckpointKind kinds[] = {CheckpointKind::kAfterWork, CheckpointKind::kBeforeCompletion};
    std::size_t taken = 0;
    for (int step = 0; step < 6000; ++step) {
      const EpochMs now = pick(40);  // the clock goes both ways
      clock_.Set(now);
      const auto by_id = [&](const std::string& id) -> Known& {
        return *std::find_if(known.begin(), known.end(), [&](const Known& k) { return k.input.input_id == id; });
      };
      const auto grant = [&](const std::optional<TurnInputClaim>& claim) {
        if (!claim.has_value()) return;
        for (const auto& input : claim->inputs) by_id(input.input_id) = {input, claim->expires_at_epoch_ms, claim->claim_id};
        taken += claim->inputs.size();
        claims.push_back(*claim);
      };
      switch (pick(8)) {
        case 0:
        case 1: {
          PendingTurnInputDraft draft = pick(3) == 0 ? Next() : Active(turns[pick(2)], kinds[pick(2)]);
          known.push_back({store.EnqueuePendingTurnInput({draft}).value(), 0, ""});
          break;
        }
        case 2:
        case 3: {
          const std::string turn = turns[pick(2)];
          const CheckpointKind checkpoint = kinds[pick(2)];
          const uint64_t max = 1 + pick(3);
          std::vector<std::string> want;
          for (const Known& k : known) {
            const auto* ingress = std::get_if<ActiveTurnIngress>(&k.input.ingress);
            if (ingress == nullptr || ingress->turn_id != turn || want.size() == max) continue;
            if (ingress->min_boundary == CheckpointKind::kBeforeCompletion && checkpoint == CheckpointKind::kAfterWork) continue;
            const bool again = lapsed == memstore::LapsedAccepted::kReacquire && k.input.state == TurnInputState::kAccepted &&
                               k.claimed_until <= now;
            if (k.input.state == TurnInputState::kPendingActive || again) want.push_back(k.input.input_id);
          }
          const auto claim = ClaimActive(turn, pick(20), checkpoint, max);
          std::vector<std::string> got;
          if (claim.has_value()) {
            for (const auto& input : claim->inputs) got.push_back(input.input_id);
          }
          ASSERT_EQ(got, want) << "step " << step;
          grant(claim);
          break;
        }
        case 4: {
          const uint64_t max = 1 + pick(3);
          std::vector<std::string> want;
          for (const Known& k : known) {
            if (k.input.state == TurnInputState::kDeferredNextTurn && k.claimed_until <= now && want.size() < max) {
              want.push_back(k.input.input_id);
            }
          }
          const auto claim = ClaimNext(pick(20), max);
          std::vector<std::string> got;
          if (claim.has_value()) {
            for (const auto& input : claim->inputs) got.push_back(input.input_id);
          }
          ASSERT_EQ(got, want) << "step " << step;
          grant(claim);
          break;
        }
        case 5: {
          if (claims.empty()) break;
          const TurnInputClaim claim = claims[pick(static_cast<uint32_t>(claims.size()))];
          store.AbandonTurnInputClaim({claim}).value();
          for (Known& k : known) {
            if (k.claim_id != claim.claim_id) continue;
            k.claim_id.clear();
            k.claimed_until = 0;
            if (k.input.state == TurnInputState::kAccepted) k.input.state = TurnInputState::kPendingActive;
          }
          break;
        }
        case 6: {
          const std::string turn = turns[pick(2)];
          if (pick(4) != 0) break;
          ASSERT_TRUE(Commit({}, turn).has_value());
          for (Known& k : known) {
            const auto* ingress = std::get_if<ActiveTurnIngress>(&k.input.ingress);
            if (k.input.state != TurnInputState::kPendingActive || ingress->turn_id != turn) continue;
            k.input.state = TurnInputState::kDeferredNextTurn;
            k.input.ingress = NextTurnIngress{};
          }
          break;
        }
        default: {
          if (known.empty()) break;
          Known& k = known[pick(static_cast<uint32_t>(known.size()))];
          const bool waits = k.input.state == TurnInputState::kPendingActive ||
                             (k.input.state == TurnInputState::kDeferredNextTurn && k.claimed_until <= now);
          const auto outcome = store.CancelPendingTurnInput({"s", k.input.input_id}).value();
          ASSERT_EQ(std::holds_alternative<TurnInputCancelled>(outcome), waits);
          if (waits) k = {std::get<TurnInputCancelled>(outcome).input, 0, ""};
        }
      }
      std::vector<PendingTurnInput> listed;
      for (const Known& k : known) {
        if (k.input.state == TurnInputState::kPendingActive ||
            (k.input.state == TurnInputState::kDeferredNextTurn && k.claimed_until <= now)) {
          listed.push_back(k.input);
        }
      }
      ASSERT_EQ(store.ListPendingTurnInputs({"s"}).value(), listed) << "step " << step;
      if (step % 100 == 0) {
        uint64_t gone = std::erase_if(known, [](const Known& k) { return k.input.state == TurnInputState::kCancelled; });
        ASSERT_EQ(store.Vacuum({}).value().removed_pending_turn_input_tombstone_count, gone);
      }
    }
    EXPECT_GT(taken, 1000u);
  }
}

}  // namespace
}  // namespace leasecheck::session_store
