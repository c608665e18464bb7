// The store against a deliberately naive model of claiming that scans everything, over random calls with a clock that jumps both
// ways, deferred and classless batches, and processes that die and rise again.
#include <algorithm>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/memstore/fixture.h"

namespace leasecheck::memstore {
namespace {

// Its dead pids change at will; an unknown process start is kUnknown.
class ChangingLiveness final : public LivenessProbe {
 public:
  Answer Probe(uint32_t pid, absl::string_view) const override {
    if (unknown.count(pid) != 0) return Answer::kUnknown;
    return dead.count(pid) != 0 ? Answer::kDead : Answer::kAlive;
  }
  std::set<uint32_t> dead, unknown;
};

struct NaiveRow {
  Batch batch;
  uint64_t counter = 0;
  bool claimed = false;
  std::string claim_id, lease_token;
  LeaseOwnerIdentity owner;
  EpochMs expires = 0;
};

enum class NaiveClass { kNone, kTurn, kCommand };

class NaiveQueue {
 public:
  explicit NaiveQueue(const ChangingLiveness& liveness) : liveness_(liveness) {}

  struct Choice {
    bool backend_error = false;
    std::vector<NaiveRow*> rows;
  };

  std::vector<NaiveRow*> Candidates(const LeaseOwnerIdentity& claimant, EpochMs now) {
    std::vector<NaiveRow*> found;
    for (NaiveRow& row : rows) {
      if (row.batch.available_at_ms > now) continue;
      if (row.claimed && row.expires > now && !Dead(row.owner, claimant)) continue;
      found.push_back(&row);
    }
    return found;
  }

  Choice ChooseCommand(const LeaseOwnerIdentity& claimant, EpochMs now) {
    const auto found = Candidates(claimant, now);
    if (AnyClassless(found)) return {true, {}};
    if (found.empty() || ClassOf(found[0]->batch) != NaiveClass::kCommand) return {};
    return {false, {found[0]}};
  }

  Choice ChooseWork(const LeaseOwnerIdentity& claimant, EpochMs now, QueuedWorkClaimBoundary boundary, uint64_t max) {
    if (max == 0) return {};
    const auto found = Candidates(claimant, now);
    if (AnyClassless(found)) return {true, {}};
    if (found.empty() || ClassOf(found[0]->batch) != NaiveClass::kTurn) return {};
    const Batch& head = found[0]->batch;
    if (boundary == kCheckpoint && head.delivery_policy != DeliveryPolicy::kEarliestSafeBoundary) return {};
    Choice choice{false, {found[0]}};
    if (head.slot_policy == SlotPolicy::kExclusive) return choice;
    for (std::size_t i = 1; i < found.size() && choice.rows.size() < max; ++i) {
      const Batch& next = found[i]->batch;
      if (ClassOf(next) != NaiveClass::kTurn || next.slot_policy != SlotPolicy::kJoin ||
          next.delivery_policy != head.delivery_policy || !(next.merge_key == head.merge_key)) {
        break;
      }
      choice.rows.push_back(found[i]);
    }
    return choice;
  }

  std::vector<NaiveRow*> Owned(const std::string& claim_id, const std::string& token) {
    std::vector<NaiveRow*> owned;
    for (NaiveRow& row : rows) {
      if (row.claimed && row.claim_id == claim_id && row.lease_token == token) owned.push_back(&row);
    }
    return owned;
  }
  Ids Pending(EpochMs now) const {
    Ids ids;
    for (const NaiveRow& row : rows) {
      if (!row.claimed || row.expires <= now) ids.push_back(row.batch.batch_id);
    }
    return ids;
  }
  void Erase(const std::string& batch_id) {
    rows.erase(std::find_if(rows.begin(), rows.end(), [&](const NaiveRow& row) { return row.batch.batch_id == batch_id; }));
  }

  std::vector<NaiveRow> rows;

 private:
  static NaiveClass ClassOf(const Batch& batch) {
    std::size_t wakes = 0;
    for (const QueuedWorkItem& item : batch.items) wakes += std::holds_alternative<ProcessWake>(item.payload) ? 1 : 0;
    if (batch.items.empty() || (wakes != 0 && wakes != batch.items.size())) return NaiveClass::kNone;
    return wakes != 0 ? NaiveClass::kTurn : NaiveClass::kCommand;
  }
  static bool AnyClassless(const std::vector<NaiveRow*>& found) {
    return std::any_of(found.begin(), found.end(), [](NaiveRow* row) { return ClassOf(row->batch) == NaiveClass::kNone; });
  }
  bool Dead(const LeaseOwnerIdentity& holder, const LeaseOwnerIdentity& claimant) const {
    const auto* a = std::get_if<LocalProcessOwner>(&holder.liveness);
    const auto* b = std::get_if<LocalProcessOwner>(&claimant.liveness);
    return a != nullptr && b != nullptr && a->host_id == b->host_id && a->boot_id == b->boot_id &&
           liveness_.Probe(a->pid, a->process_start) == LivenessProbe::Answer::kDead;
  }

  const ChangingLiveness& liveness_;
};

// How often each kind of outcome was seen: a run that never got there proves nothing.
struct Seen {
  int grants = 0, groups = 0, nones = 0, errors = 0, commands = 0, from_dead = 0, rehidden = 0, renewed = 0, settled = 0;
};

class Differential {
 public:
  explicit Differential(uint64_t seed, Seen& seen)
      : random_(seed), seen_(seen), store_({.clock = &clock_, .liveness = &liveness_}, {.id_seed = seed}), naive_(liveness_) {
    const auto outcome = store_.TryClaimSessionExecutionLease({"s", kX, kEndOfTime}).value();
    lane_ = std::get<LeaseAcquired>(outcome).lease;
    owners_ = {kX,
               kY,
               Process("p", 1),
               Process("q", 2),
               Process("q", 2, "other start"),
               Process("r", 3, "1", "other host"),
               Process("r", 3, "1", "h", "other boot"),
               Process("u", 4)};
  }

  void Step() {
    switch (Pick(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Enqueue();
      case 4:
        return MoveClock();
      case 5:
        return ChangeLiveness();
      case 6:
      case 7:
      case 8:
      case 9:
        return ClaimWork();
      case 10:
        return ClaimCommand();
      case 11:
        return Renew();
      case 12:
        return Abandon();
      case 13:
      case 14:
        return Settle();
      default:
        return Cancel();
    }
  }

  void CompareLists() {
    ASSERT_EQ(IdsOf(store_.ListPendingQueuedWork({"s"}).value()), naive_.Pending(clock_.Now()));
    std::vector<Batch> all;
    for (const NaiveRow& row : naive_.rows) all.push_back(row.batch);
    ASSERT_EQ(store_.ListQueuedWork({"s"}).value(), all);
  }

 private:
  uint64_t Pick(uint64_t below) { return random_() % below; }
  const LeaseOwnerIdentity& Owner() { return owners_[Pick(owners_.size())]; }
  EpochMs Instant() {
    const uint64_t kind = Pick(40);
    return kind == 0 ? kEndOfTime : kind == 1 ? kEndOfTime - 1 : kind == 2 ? 0 : Pick(60);
  }

  void Enqueue() {
    QueuedWorkBatchDraft draft;
    draft.session_id = "s";
    draft.slot_policy = Pick(3) != 0 ? SlotPolicy::kJoin : SlotPolicy::kExclusive;
    draft.delivery_policy = Pick(5) != 0 ? DeliveryPolicy::kEarliestSafeBoundary : DeliveryPolicy::kAfterCurrentTurnCommit;
    if (Pick(4) == 0) draft.merge_key = MergeGroup{"g"};
    if (Pick(3) == 0) draft.available_at_ms = Instant();
    const uint64_t what = Pick(40);
    if (what != 0) draft.payloads.push_back(ProcessWake{});
    if (what == 1) draft.payloads.push_back(session_store::SessionCommand{});
    if (what > 35) draft.payloads = {session_store::SessionCommand{}};
    NaiveRow row;
    row.batch = store_.EnqueueQueuedWork({draft}).value();
    naive_.rows.push_back(row);
  }

  void MoveClock() {
    const auto before = naive_.Candidates(kX, clock_.Now());
    // The lane must be live, and at the end of time nothing is.
    clock_.Set(std::min(Instant(), kEndOfTime - 1));
    const auto after = naive_.Candidates(kX, clock_.Now());
    seen_.rehidden += std::includes(after.begin(), after.end(), before.begin(), before.end()) ? 0 : 1;
  }

  void ChangeLiveness() {
    const uint32_t pid = 1 + static_cast<uint32_t>(Pick(4));
    auto& set = Pick(3) == 0 ? liveness_.unknown : liveness_.dead;
    if (!set.erase(pid)) set.insert(pid);
  }

  void ClaimWork() {
    const LeaseOwnerIdentity owner = Owner();
    const auto boundary = Pick(4) == 0 ? kCheckpoint : kIdle;
    const uint64_t max = Pick(10) == 0 ? kEndOfTime : Pick(5);
    const DurationMs ttl = Ttl();
    const auto expected = naive_.ChooseWork(owner, clock_.Now(), boundary, max);
    Compare(expected, owner, ttl, store_.ClaimReadyQueuedWork({"s", FenceOf(lane_), owner, boundary, ttl, max}));
  }

  void ClaimCommand() {
    const LeaseOwnerIdentity owner = Owner();
    const DurationMs ttl = Ttl();
    const auto expected = naive_.ChooseCommand(owner, clock_.Now());
    seen_.commands += static_cast<int>(expected.rows.size());
    Compare(expected, owner, ttl, store_.ClaimLeadingReadySessionCommand({"s", FenceOf(lane_), owner, ttl}));
  }

  DurationMs Ttl() { return Pick(15) == 0 ? kEndOfTime : Pick(25); }

  void Compare(const NaiveQueue::Choice& expected, const LeaseOwnerIdentity& owner, DurationMs ttl,
               const Result<std::optional<Claim>>& actual) {
    ASSERT_EQ(!actual.has_value(), expected.backend_error);
    if (expected.backend_error) {
      ++seen_.errors;
      ASSERT_TRUE(std::holds_alternative<Backend>(actual.error()));
      return;
    }
    ASSERT_EQ(actual->has_value(), !expected.rows.empty());
    if (expected.rows.empty()) {
      ++seen_.nones;
      return;
    }
    const EpochMs now = clock_.Now();
    Claim claim{"s", (*actual)->claim_id, owner, (*actual)->lease_token, 0, now, now > kEndOfTime - ttl ? kEndOfTime : now + ttl,
                {}};
    for (const NaiveRow* row : expected.rows) {
      claim.fencing_token = std::max(claim.fencing_token, row->counter + 1);
      claim.batches.push_back(row->batch);
      seen_.from_dead += row->claimed && row->expires > now ? 1 : 0;
    }
    ASSERT_EQ(**actual, claim);
    for (NaiveRow* row : expected.rows) {
      *row = {row->batch, claim.fencing_token, true, claim.claim_id, claim.lease_token, owner, claim.expires_at_epoch_ms};
    }
    ++seen_.grants;
    seen_.groups += claim.batches.size() > 1 ? 1 : 0;
    claims_.push_back(claim);
    if (claims_.size() > 12) claims_.erase(claims_.begin());
  }

  void Renew() {
    if (claims_.empty()) return;
    const Claim& claim = claims_[Pick(claims_.size())];
    const DurationMs ttl = Ttl();
    const auto owned = naive_.Owned(claim.claim_id, claim.lease_token);
    const auto actual = store_.RenewQueuedWorkClaim({claim, ttl});
    ASSERT_EQ(actual.has_value(), owned.size() == claim.batches.size());
    if (!actual.has_value()) return;
    ++seen_.renewed;
    for (NaiveRow* row : owned) row->expires = actual->expires_at_epoch_ms;
  }

  void Abandon() {
    if (claims_.empty()) return;
    const Claim& claim = claims_[Pick(claims_.size())];
    ASSERT_TRUE(store_.AbandonQueuedWorkClaim({claim}).has_value());
    for (NaiveRow* row : naive_.Owned(claim.claim_id, claim.lease_token)) row->claimed = false;
  }

  void Settle() {
    if (claims_.empty()) return;
    const Claim claim = claims_[Pick(claims_.size())];
    RuntimeCommit commit;
    commit.session_id = "s";
    commit.session_execution_lease = FenceOf(lane_);
    commit.completed_queue_claims = {CompletionOf(claim)};
    const bool owns_all = naive_.Owned(claim.claim_id, claim.lease_token).size() == claim.batches.size();
    const auto actual = store_.CommitRuntimeState({commit});
    ASSERT_EQ(actual.has_value(), owns_all);
    if (!owns_all) return;
    ++seen_.settled;
    for (const Batch& batch : claim.batches) naive_.Erase(batch.batch_id);
  }

  void Cancel() {
    if (naive_.rows.empty()) return;
    // Classless batches go first, or every claim would fail.
    auto victim =
        std::find_if(naive_.rows.begin(), naive_.rows.end(), [](const NaiveRow& row) { return row.batch.items.size() != 1; });
    if (victim == naive_.rows.end()) victim = naive_.rows.begin() + static_cast<std::ptrdiff_t>(Pick(naive_.rows.size()));
    const bool live = victim->claimed && victim->expires > clock_.Now();
    const auto actual = store_.CancelQueuedWorkBatch({"s", victim->batch.batch_id}).value();
    ASSERT_EQ(actual.has_value(), !live);
    if (live) return;
    ASSERT_EQ(*actual, victim->batch);
    naive_.rows.erase(victim);
  }

  std::mt19937_64 random_;
  Seen& seen_;
  ManualClock clock_{10};
  ChangingLiveness liveness_;
  Store store_;
  NaiveQueue naive_;
  Lane lane_;
  std::vector<LeaseOwnerIdentity> owners_;
  std::vector<Claim> claims_;
};

TEST(SelectionModel, RandomCallsAgree) {
  Seen seen;
  for (uint64_t seed = 1; seed <= 60 && !::testing::Test::HasFatalFailure(); ++seed) {
    const ::testing::ScopedTrace in_seed(__FILE__, __LINE__, absl::StrCat("seed ", seed));
    Differential run(seed, seen);
    for (int step = 0; step < 1500 && !::testing::Test::HasFatalFailure(); ++step) {
      const ::testing::ScopedTrace in_step(__FILE__, __LINE__, absl::StrCat("step ", step));
      run.Step();
      if (step % 5 == 0) run.CompareLists();
    }
  }
  EXPECT_GT(seen.grants, 5000);
  EXPECT_GT(seen.groups, 1000);
  EXPECT_GT(seen.nones, 1000);
  EXPECT_GT(seen.errors, 300);
  EXPECT_GT(seen.commands, 50);
  EXPECT_GT(seen.from_dead, 300);
  EXPECT_GT(seen.rehidden, 500);
  EXPECT_GT(seen.renewed, 300);
  EXPECT_GT(seen.settled, 1000);
}

}  // namespace
}  // namespace leasecheck::memstore
