// Scans over what a history says of its turn inputs and their claims.
#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "model/session_store/clauses.h"
#include "properties/session_store_calls.h"
#include "properties/session_store_scans.h"

namespace leasecheck::session_store {
namespace {

using engine::Finding;

// A row, by its session and its number, which no other row of the session ever has.
using RowKey = std::pair<std::string, uint64_t>;
RowKey KeyOf(const PendingTurnInput& record) { return {record.session_id, record.enqueue_seq}; }
std::string NameOf(const PendingTurnInput& record) {
  return absl::StrCat("input ", record.input_id, " (seq ", record.enqueue_seq, ")");
}

const TurnInputClaim* InputGrantOf(const SessionCall& call) {
  for (const auto* answer : {AnswerOf<ClaimActiveTurnInputsRequest>(call), AnswerOf<ClaimNextTurnInputsRequest>(call)}) {
    if (answer != nullptr && answer->has_value()) return &**answer;
  }
  return nullptr;
}

const PendingTurnInput* RecordIn(const PendingTurnInputCancelOutcome& outcome) {
  return std::visit(
      [](const auto& one) -> const PendingTurnInput* {
        if constexpr (requires { one.input; }) {
          return &one.input;
        } else {
          return nullptr;
        }
      },
      outcome);
}

// The outcomes of a cancel of any kind, with the target of each where the answer names it.
struct OutcomeOfTarget {
  const PendingTurnInputCancelOutcome* outcome;
  std::optional<PendingTurnInputCancelTarget> target;
};
std::vector<OutcomeOfTarget> CancelOutcomes(const SessionCall& call) {
  std::vector<OutcomeOfTarget> outcomes;
  if (const auto* results = AnswerOf<CancelPendingTurnInputsRequest>(call)) {
    for (const PendingTurnInputCancelResult& result : *results) outcomes.push_back({&result.outcome, result.target});
  }
  if (const auto* one = AnswerOf<CancelPendingTurnInputRequest>(call)) {
    outcomes.push_back({one, InputIdTarget{CallOf<CancelPendingTurnInputRequest>(call)->input_id}});
  }
  if (const auto* answer = AnswerOf<CancelPendingTurnInputSuffixRequest>(call)) {
    const auto* suffix = std::get_if<SuffixOutcomes>(answer);
    for (std::size_t i = 0; suffix != nullptr && i < suffix->outcomes.size(); ++i) {
      outcomes.push_back({&suffix->outcomes[i], std::nullopt});
    }
  }
  return outcomes;
}

bool DefinitelyDead(const LeaseOwnerIdentity& holder, const LeaseOwnerIdentity& claimant, const LivenessProbe* probe) {
  const auto* dead = std::get_if<LocalProcessOwner>(&holder.liveness);
  const auto* seen_from = std::get_if<LocalProcessOwner>(&claimant.liveness);
  if (dead == nullptr || seen_from == nullptr || probe == nullptr) return false;
  if (dead->host_id != seen_from->host_id || dead->boot_id != seen_from->boot_id) return false;
  return probe->Probe(dead->pid, dead->process_start) == LivenessProbe::Answer::kDead;
}

bool IsTerminal(TurnInputState state) { return state == TurnInputState::kCancelled || state == TurnInputState::kCompleted; }

class InputScan {
 public:
  InputScan(const SessionHistory& history, const SpecSetup& setup, ClauseHits* hits)
      : history_(history), setup_(setup), hits_(hits), clock_(history) {
    reacquires_ = setup.dialects != nullptr && Declares(*setup.dialects, "TI-LAT-1", "reacquire");
    for (std::size_t i = 0; i < history.calls.size(); ++i) {
      if (CallOf<VacuumRequest>(call(i)) != nullptr) vacuums_.push_back(i);
    }
  }

  std::vector<Finding> Run() {
    for (std::size_t i = 0; i < history_.calls.size() && findings_.empty(); ++i) Take(i);
    if (findings_.empty()) CheckExclusive();
    std::sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) { return a.call < b.call; });
    return std::move(findings_);
  }

 private:
  // What is known of one row. Calls are positions in the history.
  struct Row {
    const PendingTurnInput* first_seen = nullptr;
    std::size_t first_call = 0;
    std::optional<std::size_t> enqueued;                          // by an answered call
    std::optional<std::pair<std::size_t, TurnInputState>> ended;  // first shown Cancelled or Completed
    std::optional<std::size_t> waits_for_next;                    // first shown DeferredNextTurn
    std::optional<std::size_t> deferred;                          // first shown with another ingress than at first
    std::vector<std::size_t> grants;
    std::optional<std::size_t> cancelled;  // by a call that says so
    std::optional<std::size_t> completed;  // by a commit that is no replay
  };
  struct Claim {
    std::size_t grant = 0;
    const TurnInputClaim* value = nullptr;
    std::vector<std::size_t> abandons;
  };
  using ClaimKey = std::pair<std::string, std::string>;

  const SessionCall& call(std::size_t i) const { return history_.calls[i]; }
  bool Before(std::size_t a, std::size_t b) const { return Precedes(call(a), call(b)); }
  void Find(absl::string_view clause, std::size_t at, std::string explanation) {
    if (findings_.empty()) findings_.push_back({std::string(clause), at, std::move(explanation)});
  }
  void Held(ClauseIndex clause) {
    if (hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }
  // Whether a vacuum may have come between the two calls.
  bool VacuumBetween(std::size_t a, std::size_t b) const {
    return std::any_of(vacuums_.begin(), vacuums_.end(), [&](std::size_t v) { return !Before(v, a) && !Before(b, v); });
  }

  void Take(std::size_t i) {
    const SessionCall& c = call(i);
    if (const auto* input = AnswerOf<EnqueuePendingTurnInputRequest>(c)) TakeEnqueue(i, *input);
    if (const auto* list = AnswerOf<ListPendingTurnInputsRequest>(c)) TakeList(i, *list);
    if (const TurnInputClaim* claim = InputGrantOf(c)) TakeGrant(i, *claim);
    if (const auto* abandon = CallOf<AbandonTurnInputClaimRequest>(c)) {
      auto claim = claims_.find(ClaimKey(abandon->claim.claim_id, abandon->claim.lease_token));
      if (claim != claims_.end()) claim->second.abandons.push_back(i);
    }
    TakeCancel(i);
    if (const auto* commit = CallOf<CommitRuntimeStateRequest>(c)) TakeCommit(i, commit->commit);
    TakeUnseen(i);
  }

  // Calls after which a row may be anywhere, though no answer says so.
  void TakeUnseen(std::size_t i) {
    const SessionCall& c = call(i);
    if (!IsIndefinite(c)) return;
    unseen_.push_back(i);
    if (const auto* claim = CallOf<ClaimNextTurnInputsRequest>(c)) unseen_takers_.emplace_back(i, &claim->owner);
  }

  // Every sight of a row.
  Row& See(std::size_t i, const PendingTurnInput& seen) {
    Row& row = rows_[KeyOf(seen)];
    if (row.first_seen == nullptr) {
      row.first_seen = &seen;
      row.first_call = i;
      by_id_[std::make_pair(seen.session_id, seen.input_id)] = KeyOf(seen);
    } else {
      CheckContent(i, row, seen);
    }
    CheckState(i, row, seen);
    if (IsTerminal(seen.state) && !row.ended.has_value()) row.ended = {i, seen.state};
    if (seen.state == TurnInputState::kDeferredNextTurn && !row.waits_for_next.has_value()) row.waits_for_next = i;
    return row;
  }

  void CheckContent(std::size_t i, Row& row, const PendingTurnInput& seen) {
    const PendingTurnInput& first = *row.first_seen;
    if (first.input_id != seen.input_id) {
      Find("TI-INV-2", i,
           absl::StrCat("enqueue_seq ", seen.enqueue_seq, " is that of input ", first.input_id, ", which call ", row.first_call,
                        " answered; got it for ", seen.input_id));
      return;
    }
    Held(Clause<"TI-INV-15">());
    const bool same_ingress = first.ingress == seen.ingress;
    const bool deferral = std::holds_alternative<NextTurnIngress>(seen.ingress);
    const bool back = same_ingress && row.deferred.has_value() && Before(*row.deferred, i);
    // Calls that overlap may be told in either order.
    const bool early = !same_ingress && !deferral && !Before(row.first_call, i);
    if (first.source_key != seen.source_key || first.enqueued_at_ms != seen.enqueued_at_ms || first.input != seen.input ||
        (!same_ingress && !deferral && !early) || back) {
      Find("TI-INV-15", i, absl::StrCat(NameOf(seen), " differs from what call ", row.first_call, " answered"));
    }
    if (!same_ingress && deferral && !row.deferred.has_value()) row.deferred = i;
  }

  void CheckState(std::size_t i, const Row& row, const PendingTurnInput& seen) {
    if (row.ended.has_value() && Before(row.ended->first, i)) {
      Held(Clause<"TI-INV-3">());
      if (row.ended->second != seen.state) {
        Find("TI-INV-3", i,
             absl::StrCat(NameOf(seen), " had ended when call ", row.ended->first, " answered, as ",
                          std::string(WordOf(row.ended->second)), "; now it is ", std::string(WordOf(seen.state))));
      }
    }
    const bool for_turn = seen.state == TurnInputState::kPendingActive || seen.state == TurnInputState::kAccepted;
    if (!row.waits_for_next.has_value() || !Before(*row.waits_for_next, i)) return;
    Held(Clause<"TI-INV-3">());
    if (for_turn) {
      Find("TI-INV-3", i,
           absl::StrCat(NameOf(seen), " waited for the next turn when call ", *row.waits_for_next, " answered; now it is ",
                        std::string(WordOf(seen.state))));
    }
  }

  void TakeEnqueue(std::size_t i, const PendingTurnInput& stored) {
    const PendingTurnInputDraft& draft = CallOf<EnqueuePendingTurnInputRequest>(call(i))->input;
    if (draft.source_key.has_value()) {
      CheckKey(i, stored, *draft.source_key);
    } else {
      CheckFresh(i, draft, stored);
    }
    Row& row = See(i, stored);
    if (!row.enqueued.has_value()) row.enqueued = i;
    ids_.try_emplace(stored.input_id, i);
  }

  void CheckKey(std::size_t i, const PendingTurnInput& stored, const std::string& source_key) {
    auto [known, is_new] = by_key_.try_emplace(std::make_pair(stored.session_id, source_key), i);
    if (is_new) return;
    const std::size_t earlier = known->second;
    // Of two that overlap, either may have come first.
    const bool either = !Before(earlier, i) && VacuumBetween(i, earlier);
    if (!either && !VacuumBetween(earlier, i)) {
      Held(Clause<"TI-INV-10">());
      const auto* other = AnswerOf<EnqueuePendingTurnInputRequest>(call(earlier));
      if (other->enqueue_seq != stored.enqueue_seq) {
        Find("TI-INV-10", i,
             absl::StrCat("the key's input is ", NameOf(*other), ", which call ", earlier, " answered; got ", NameOf(stored)));
      }
    }
    known->second = i;
  }

  // A draft without a key makes a new row.
  void CheckFresh(std::size_t i, const PendingTurnInputDraft& draft, const PendingTurnInput& stored) {
    const auto known = ids_.find(stored.input_id);
    if (!draft.input_id.has_value() && known != ids_.end() && Before(known->second, i)) {
      Find("TI-ENQ-4", i, absl::StrCat("the new input's id ", stored.input_id, " was answered before, by call ", known->second));
    }
    std::vector<std::size_t>& inserts = inserts_[stored.session_id];
    for (auto earlier = inserts.rbegin(); earlier != inserts.rend() && earlier - inserts.rbegin() < 8; ++earlier) {
      if (!Before(*earlier, i)) continue;
      Held(Clause<"TI-INV-2">());
      const auto* other = AnswerOf<EnqueuePendingTurnInputRequest>(call(*earlier));
      if (other->enqueue_seq < stored.enqueue_seq) continue;
      Find("TI-INV-2", i,
           absl::StrCat("expected an enqueue_seq above ", other->enqueue_seq, ", which call ", *earlier, " got; got ",
                        stored.enqueue_seq));
    }
    inserts.push_back(i);
  }

  void CheckAscending(std::size_t i, const std::vector<PendingTurnInput>& records) {
    for (std::size_t n = 1; n < records.size(); ++n) {
      Held(Clause<"TI-INV-2">());
      if (records[n - 1].enqueue_seq < records[n].enqueue_seq) continue;
      Find("TI-INV-2", i,
           absl::StrCat("the answer is not in ascending order: enqueue_seq ", records[n].enqueue_seq, " follows ",
                        records[n - 1].enqueue_seq));
    }
  }

  void TakeList(std::size_t i, const std::vector<PendingTurnInput>& listed) {
    CheckAscending(i, listed);
    for (const PendingTurnInput& record : listed) See(i, record);
    const std::string& session = CallOf<ListPendingTurnInputsRequest>(call(i))->session_id;
    for (const std::size_t enqueue : inserts_[session]) {
      const auto* stored = AnswerOf<EnqueuePendingTurnInputRequest>(call(enqueue));
      if (!Before(enqueue, i) || !Untouched(KeyOf(*stored), enqueue, i)) continue;
      Held(Clause<"TI-INV-9">());
      const bool there = std::any_of(listed.begin(), listed.end(), [&](const auto& r) { return KeyOf(r) == KeyOf(*stored); });
      if (there) continue;
      Find("TI-INV-9", i,
           absl::StrCat(NameOf(*stored), ", enqueued by call ", enqueue, ", is not listed although nothing took it"));
      return;
    }
  }
  // Nothing that began before call i returned can have taken the row, or cancelled it.
  bool Untouched(const RowKey& key, std::size_t enqueue, std::size_t i) const {
    const Row& row = rows_.find(key)->second;
    if (!row.grants.empty() || row.cancelled.has_value() || row.ended.has_value() || VacuumBetween(enqueue, i)) return false;
    if (std::any_of(unseen_.begin(), unseen_.end(), [&](std::size_t u) { return !Before(u, enqueue); })) return false;
    return i + 1 == history_.calls.size() || Before(i, i + 1);  // what overlaps it is not known yet
  }

  void TakeGrant(std::size_t i, const TurnInputClaim& claim) {
    CheckAscending(i, claim.inputs);
    const auto [it, is_new] = claims_.try_emplace(ClaimKey(claim.claim_id, claim.lease_token));
    if (!is_new) {
      Find("TI-INV-6", i,
           absl::StrCat("claim id ", claim.claim_id, " and its token were granted before, by call ", it->second.grant));
      return;
    }
    it->second.grant = i;
    it->second.value = &claim;
    CheckExpiry(i, claim);
    if (!claim.inputs.empty()) CheckFencing(i, claim);
    for (const PendingTurnInput& granted : claim.inputs) {
      std::vector<std::size_t>& grants = See(i, granted).grants;
      WarnOfToken(i, claim, grants);
      grants.push_back(i);
    }
  }

  // Only grants with the same first input have to rise (TI-LAT-5).
  void WarnOfToken(std::size_t i, const TurnInputClaim& claim, const std::vector<std::size_t>& grants) {
    const bool falls = std::any_of(grants.begin(), grants.end(), [&](std::size_t earlier) {
      return Before(earlier, i) && InputGrantOf(call(earlier))->fencing_token >= claim.fencing_token;
    });
    if (falls) Held(Clause<"TI-LAT-5">());
  }

  void CheckExpiry(std::size_t i, const TurnInputClaim& claim) {
    const auto* active = CallOf<ClaimActiveTurnInputsRequest>(call(i));
    const auto* next = CallOf<ClaimNextTurnInputsRequest>(call(i));
    if (active == nullptr && next == nullptr) return;
    const DurationMs ttl = active != nullptr ? active->lease_ttl_ms : next->lease_ttl_ms;
    const EpochMs due = SaturatingAdd(claim.claimed_at_epoch_ms, ttl);
    Held(Clause<"TI-INV-20">());
    if (claim.expires_at_epoch_ms == due) return;
    Find("TI-INV-20", i, absl::StrCat("expected expires_at ", due, "; got ", claim.expires_at_epoch_ms));
  }

  void CheckFencing(std::size_t i, const TurnInputClaim& claim) {
    std::vector<std::size_t>& grants = by_first_[KeyOf(claim.inputs.front())];
    for (std::size_t earlier : grants) {
      if (!Before(earlier, i)) continue;
      Held(Clause<"TI-INV-6">());
      if (InputGrantOf(call(earlier))->fencing_token < claim.fencing_token) continue;
      Find("TI-INV-6", i,
           absl::StrCat("expected a fencing token above ", InputGrantOf(call(earlier))->fencing_token, ", which call ", earlier,
                        " got for the same first input; got ", claim.fencing_token));
      return;
    }
    grants.push_back(i);
  }

  // Two grants of one row in a row, in an order that real time leaves no doubt about: was the first claim certainly live?
  void CheckExclusive() {
    for (const auto& [key, row] : rows_) {
      engine::Instant returned = -1;
      for (std::size_t n = 1; n < row.grants.size(); ++n) {
        const std::size_t first = row.grants[n - 1];
        const std::size_t second = row.grants[n];
        const bool ordered = Before(first, second) && returned < call(first).called &&
                             (n + 1 == row.grants.size() || Before(second, row.grants[n + 1]));
        if (ordered) CheckPair(*row.first_seen, first, second);
        returned = std::max(returned, call(first).returned);
      }
    }
  }

  void CheckPair(const PendingTurnInput& row, std::size_t first, std::size_t second) {
    const TurnInputClaim& held = *InputGrantOf(call(first));
    const bool for_turn = std::holds_alternative<ActiveTurnClaimMode>(held.mode);
    for_turn ? Held(Clause<"TI-INV-5">()) : Held(Clause<"TI-INV-4">());
    const Claim& claim = claims_.find(ClaimKey(held.claim_id, held.lease_token))->second;
    const auto counts = [&](std::size_t i) { return call(i).called < call(second).returned; };
    if (std::any_of(claim.abandons.begin(), claim.abandons.end(), counts)) return;
    const EpochMs now = clock_.Latest(call(second));
    if (for_turn) {
      if (reacquires_ && held.expires_at_epoch_ms <= now) return;
      Find("TI-INV-5", second,
           absl::StrCat(NameOf(row), " was granted although the turn's claim that call ", first,
                        " got for it was not abandoned; now ", now));
      return;
    }
    if (held.expires_at_epoch_ms <= now || DefinitelyDead(held.owner, InputGrantOf(call(second))->owner, setup_.liveness)) return;
    for (const auto& [taking, taker] : unseen_takers_) {
      const bool between = !Before(taking, first) && !Before(second, taking);
      // The clock may have fallen since: a claim that had lapsed once may look live again, but is gone if it was taken then.
      const bool takes =
          held.expires_at_epoch_ms <= clock_.Latest(call(taking)) || DefinitelyDead(held.owner, *taker, setup_.liveness);
      if (between && takes) return;
    }
    Find("TI-INV-4", second,
         absl::StrCat(NameOf(row), " was granted although the claim that call ", first, " got for it is live until ",
                      held.expires_at_epoch_ms, "; now ", now));
  }

  void TakeCancel(std::size_t i) {
    for (const OutcomeOfTarget& one : CancelOutcomes(call(i))) {
      const PendingTurnInput* record = RecordIn(*one.outcome);
      if (record == nullptr) {
        if (one.target.has_value()) CheckNotFound(i, *one.target);
        continue;
      }
      if (!std::holds_alternative<TurnInputCancelled>(*one.outcome)) {
        See(i, *record);
        continue;
      }
      Row& row = rows_[KeyOf(*record)];
      Held(Clause<"TI-INV-8">());
      const std::optional<std::size_t>& earlier = row.cancelled.has_value() ? row.cancelled : row.completed;
      if (earlier.has_value()) {
        Find("TI-INV-8", i,
             absl::StrCat(NameOf(*record), " is cancelled, and was ", row.cancelled.has_value() ? "cancelled" : "completed",
                          " by call ", *earlier));
      }
      See(i, *record);
      row.cancelled = i;
    }
  }

  void CheckNotFound(std::size_t i, const PendingTurnInputCancelTarget& target) {
    const auto* id = std::get_if<InputIdTarget>(&target);
    const auto* one = CallOf<CancelPendingTurnInputRequest>(call(i));
    const auto* many = CallOf<CancelPendingTurnInputsRequest>(call(i));
    if (id == nullptr || (one == nullptr && many == nullptr)) return;
    const std::string& session = one != nullptr ? one->session_id : many->session_id;
    const auto known = by_id_.find(std::make_pair(session, id->value));
    if (known == by_id_.end()) return;
    const Row& row = rows_.find(known->second)->second;
    if (!Before(row.first_call, i) || VacuumBetween(row.first_call, i)) return;
    Held(Clause<"TI-INV-9">());
    Find("TI-INV-9", i,
         absl::StrCat(NameOf(*row.first_seen), " was there when call ", row.first_call, " answered, and is not found"));
  }

  // A success that cannot be the replay of another commit.
  void TakeCommit(std::size_t i, const RuntimeCommit& commit) {
    if (!Succeeded(call(i))) return;
    if (commit.turn_commit.has_value()) {
      const auto stamp = std::make_pair(commit.turn_commit->session_id, commit.turn_commit->turn_id);
      if (stamped_.contains(stamp)) return;
      stamped_[stamp] = i;
      // Two of one stamp at a time, or one whose answer nobody saw: nobody knows which is the replay.
      for (std::size_t other = 0; other < history_.calls.size(); ++other) {
        const auto* same = CallOf<CommitRuntimeStateRequest>(call(other));
        if (same == nullptr || other == i || same->commit.turn_commit != commit.turn_commit) continue;
        if (!Before(i, other) && (!Before(other, i) || IsIndefinite(call(other)))) return;
      }
    }
    for (const TurnInputCompletion& completion : commit.completed_turn_input_claims) TakeCompletion(i, completion);
  }

  void TakeCompletion(std::size_t i, const TurnInputCompletion& completion) {
    const auto claim = claims_.find(ClaimKey(completion.claim_id, completion.lease_token));
    if (claim == claims_.end()) return;
    for (const PendingTurnInput& input : claim->second.value->inputs) {
      const auto& ids = completion.input_ids;
      if (std::find(ids.begin(), ids.end(), input.input_id) == ids.end()) continue;
      Row& row = rows_[KeyOf(input)];
      CheckLost(i, claim->second, row);
      if (row.completed == i) continue;  // listed twice
      Held(Clause<"TI-INV-8">());
      const std::optional<std::size_t>& earlier = row.cancelled.has_value() ? row.cancelled : row.completed;
      if (earlier.has_value()) {
        Find("TI-INV-8", i,
             absl::StrCat(NameOf(input), " is completed, and was ", row.cancelled.has_value() ? "cancelled" : "completed",
                          " by call ", *earlier));
      }
      row.completed = i;
    }
  }
  // The claim lost the row for good before call i began: to another grant. (To a cancel or a commit: that is TI-INV-8.)
  void CheckLost(std::size_t i, const Claim& claim, const Row& row) {
    Held(Clause<"TI-INV-7">());
    for (std::size_t grant : row.grants) {
      if (grant == claim.grant || !Before(claim.grant, grant) || !Before(grant, i)) continue;
      Find("TI-INV-7", i,
           absl::StrCat("the claim of call ", claim.grant, " lost ", NameOf(*row.first_seen), " to call ", grant,
                        ", yet a commit completed it under that claim"));
    }
  }

  const SessionHistory& history_;
  const SpecSetup& setup_;
  ClauseHits* hits_;
  ClockRange clock_;
  bool reacquires_ = false;
  absl::flat_hash_map<RowKey, Row> rows_;
  absl::flat_hash_map<std::pair<std::string, std::string>, RowKey> by_id_;        // by session and input_id: the newest row
  absl::flat_hash_map<std::pair<std::string, std::string>, std::size_t> by_key_;  // by session and source_key: the last enqueue
  absl::flat_hash_map<std::string, std::size_t> ids_;                             // the first enqueue that answered it
  absl::flat_hash_map<std::string, std::vector<std::size_t>> inserts_;            // by session: enqueues without a key
  absl::flat_hash_map<ClaimKey, Claim> claims_;
  absl::flat_hash_map<RowKey, std::vector<std::size_t>> by_first_;
  absl::flat_hash_map<std::pair<std::string, std::string>, std::size_t> stamped_;
  std::vector<std::size_t> vacuums_;
  std::vector<std::size_t> unseen_;
  std::vector<std::pair<std::size_t, const LeaseOwnerIdentity*>> unseen_takers_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> ScanInputs(const SessionHistory& history, const SpecSetup& setup, ClauseHits* hits) {
  return InputScan(history, setup, hits).Run();
}

}  // namespace leasecheck::session_store
