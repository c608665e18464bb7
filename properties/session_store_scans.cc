#include "properties/session_store_scans.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "model/session_store/clauses.h"
#include "properties/session_store_calls.h"

namespace leasecheck::session_store {
namespace {

using engine::Finding;

// Whether `holder` is definitely dead as seen by `claimant` (QW-CLM-15).
bool DefinitelyDead(const LeaseOwnerIdentity& holder, const LeaseOwnerIdentity& claimant, const LivenessProbe* probe) {
  const auto* dead = std::get_if<LocalProcessOwner>(&holder.liveness);
  const auto* seen_from = std::get_if<LocalProcessOwner>(&claimant.liveness);
  if (dead == nullptr || seen_from == nullptr || probe == nullptr) return false;
  if (dead->host_id != seen_from->host_id || dead->boot_id != seen_from->boot_id) return false;
  return probe->Probe(dead->pid, dead->process_start) == LivenessProbe::Answer::kDead;
}

// One scan over what a history says of its batches and claims.
class BatchScan {
 public:
  BatchScan(const SessionHistory& history, const SpecSetup& setup, ClauseHits* hits)
      : history_(history), setup_(setup), hits_(hits), clock_(history) {}

  std::vector<Finding> Run() {
    for (std::size_t i = 0; i < history_.calls.size() && findings_.empty(); ++i) Take(i);
    if (findings_.empty()) CheckExclusive();
    std::sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) { return a.call < b.call; });
    return std::move(findings_);
  }

 private:
  // What is known of one batch.
  struct Batch {
    const QueuedWorkBatch* first_seen = nullptr;  // in an answer
    std::size_t first_call = 0;
    bool enqueued = false;              // by an answered call of this history; `first_call` then
    std::vector<std::size_t> grants;    // calls
    std::vector<std::size_t> removals;  // calls that removed it, or (not definite) may have
    std::vector<bool> definite;
  };
  // What is known of one claim, by its id and token.
  struct Claim {
    std::size_t grant = 0;
    const QueuedWorkClaim* value = nullptr;
    std::vector<std::size_t> renewals;
    std::vector<std::size_t> abandons;
  };
  using ClaimKey = std::pair<std::string, std::string>;

  const SessionCall& call(std::size_t i) const { return history_.calls[i]; }
  void Find(absl::string_view clause, std::size_t at, std::string explanation) {
    findings_.push_back({std::string(clause), at, std::move(explanation)});
  }
  void Held(ClauseIndex clause) {
    if (hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }

  void Take(std::size_t i) {
    const SessionCall& c = call(i);
    if (const LeaseOwnerIdentity* taker = UnseenTaker(c)) unseen_takers_.emplace_back(i, taker);
    if (const auto* batch = AnswerOf<EnqueueQueuedWorkRequest>(c)) TakeEnqueue(i, *batch);
    if (const QueuedWorkClaim* claim = GrantOf(c)) TakeGrant(i, *claim);
    if (CallOf<RenewQueuedWorkClaimRequest>(c) != nullptr) TakeRenew(i);
    if (const auto* abandon = CallOf<AbandonQueuedWorkClaimRequest>(c)) {
      auto claim = claims_.find(ClaimKey(abandon->claim.claim_id, abandon->claim.lease_token));
      if (claim != claims_.end()) claim->second.abandons.push_back(i);
    }
    if (const auto* cancel = CallOf<CancelQueuedWorkBatchRequest>(c)) TakeCancel(i, *cancel);
    if (const auto* commit = CallOf<CommitRuntimeStateRequest>(c)) TakeCommit(i, commit->commit);
    if (const auto* list = AnswerOf<ListQueuedWorkRequest>(c)) TakeList(i, *list, true);
    if (const auto* pending = AnswerOf<ListPendingQueuedWorkRequest>(c)) TakeList(i, *pending, false);
  }

  // Who may have taken batches by this call without an answer that says so: a claim by ids that did not match claims and gives
  // back (QW-LAT-22), an indefinite one is not known.
  static const LeaseOwnerIdentity* UnseenTaker(const SessionCall& c) {
    if (const auto* claim = CallOf<ClaimReadyQueuedWorkByBatchIdsRequest>(c)) {
      const auto* answer = AnswerOf<ClaimReadyQueuedWorkByBatchIdsRequest>(c);
      return IsIndefinite(c) || (answer != nullptr && !answer->has_value()) ? &claim->owner : nullptr;
    }
    if (!IsIndefinite(c)) return nullptr;
    if (const auto* claim = CallOf<ClaimReadyQueuedWorkRequest>(c)) return &claim->owner;
    if (const auto* claim = CallOf<ClaimLeadingReadySessionCommandRequest>(c)) return &claim->owner;
    return nullptr;
  }

  // Every sight of a batch: its content never changes, and it is not seen after its removal.
  Batch& See(std::size_t i, const QueuedWorkBatch& seen) {
    Batch& batch = batches_[seen.batch_id];
    if (batch.first_seen == nullptr) {
      batch.first_seen = &seen;
      batch.first_call = i;
      by_session_[seen.session_id].push_back(seen.batch_id);
    } else if (!(*batch.first_seen == seen)) {
      Find("QW-INV-15", i, absl::StrCat("batch ", seen.batch_id, " differs from what call ", batch.first_call, " answered"));
    }
    for (std::size_t r = 0; r < batch.removals.size(); ++r) {
      if (batch.definite[r] && Precedes(call(batch.removals[r]), call(i))) {
        Find("QW-INV-4", i,
             absl::StrCat("batch ", seen.batch_id, " was removed by call ", batch.removals[r], " and is seen again"));
      }
    }
    return batch;
  }

  void TakeEnqueue(std::size_t i, const QueuedWorkBatch& stored) {
    const QueuedWorkBatchDraft& draft = CallOf<EnqueueQueuedWorkRequest>(call(i))->batch;
    auto known = batches_.find(stored.batch_id);
    if (known != batches_.end() && known->second.enqueued && Precedes(call(known->second.first_call), call(i))) {
      if (!draft.source_key.has_value()) {
        Find("QW-ENQ-8", i,
             absl::StrCat("a draft without source key was answered with batch ", stored.batch_id, ", which call ",
                          known->second.first_call, " had made"));
        return;
      }
      for (std::size_t r = 0; r < known->second.removals.size(); ++r) {
        if (!known->second.definite[r] || !Precedes(call(known->second.removals[r]), call(i))) continue;
        Find("QW-ENQ-6", i,
             absl::StrCat("the key was free since call ", known->second.removals[r],
                          ", so a new batch with a new id was due; got the old id ", stored.batch_id));
        return;
      }
    }
    Batch& batch = See(i, stored);
    if (!batch.enqueued) batch.first_call = i;
    batch.enqueued = true;
    WarnOfNumber(stored);
  }

  // Numbers have to differ among batches that are there together only (QW-LAT-14).
  void WarnOfNumber(const QueuedWorkBatch& stored) {
    const auto [known, is_new] = numbers_.try_emplace(std::make_pair(stored.session_id, stored.enqueue_seq), &stored.batch_id);
    if (is_new || *known->second == stored.batch_id) return;
    Held(Clause<"QW-LAT-14">());
    known->second = &stored.batch_id;
  }

  void TakeGrant(std::size_t i, const QueuedWorkClaim& claim) {
    const auto [it, is_new] = claims_.try_emplace(ClaimKey(claim.claim_id, claim.lease_token));
    if (!is_new) {
      Find("QW-INV-8", i,
           absl::StrCat("claim id ", claim.claim_id, " and its token were granted before, by call ", it->second.grant));
      return;
    }
    it->second.grant = i;
    it->second.value = &claim;
    CheckFencing(i, claim);
    for (const QueuedWorkBatch& granted : claim.batches) {
      Batch& batch = See(i, granted);
      batch.grants.push_back(i);
    }
  }

  void CheckFencing(std::size_t i, const QueuedWorkClaim& claim) {
    if (claim.batches.empty()) return;
    std::vector<std::size_t>& grants = by_head_[claim.batches.front().batch_id];
    for (std::size_t earlier : grants) {
      if (!Precedes(call(earlier), call(i))) continue;
      Held(Clause<"QW-INV-8">());
      if (GrantOf(call(earlier))->fencing_token < claim.fencing_token) continue;
      Find("QW-INV-8", i,
           absl::StrCat("expected a fencing token above ", GrantOf(call(earlier))->fencing_token, ", which call ", earlier,
                        " got for the same head batch; got ", claim.fencing_token));
      return;
    }
    grants.push_back(i);
  }

  // Two grants of one batch in a row, in an order that real time leaves no doubt about: was the first claim certainly live?
  void CheckExclusive() {
    for (const auto& [batch_id, batch] : batches_) {
      engine::Instant returned = -1;  // the last of the grants before the first of the pair, which may have begun before others
      for (std::size_t n = 1; n < batch.grants.size(); ++n) {
        const std::size_t first = batch.grants[n - 1];
        const std::size_t second = batch.grants[n];
        const bool ordered = Precedes(call(first), call(second)) && returned < call(first).called &&
                             (n + 1 == batch.grants.size() || Precedes(call(second), call(batch.grants[n + 1])));
        if (ordered) CheckPair(batch_id, first, second);
        returned = std::max(returned, call(first).returned);
      }
    }
  }

  void CheckPair(const std::string& batch_id, std::size_t first, std::size_t second) {
    Held(Clause<"QW-INV-1">());
    const QueuedWorkClaim& held = *GrantOf(call(first));
    const Claim& claim = claims_.find(ClaimKey(held.claim_id, held.lease_token))->second;
    const auto counts = [&](std::size_t i) { return call(i).called < call(second).returned; };
    if (std::any_of(claim.abandons.begin(), claim.abandons.end(), counts)) return;
    EpochMs expires = held.expires_at_epoch_ms;
    EpochMs earliest = expires;
    std::size_t before = first;
    for (std::size_t renewal : claim.renewals) {
      if (!counts(renewal)) continue;
      const auto* renewed = AnswerOf<RenewQueuedWorkClaimRequest>(call(renewal));
      // Only the last renewal counts, where it is clear which that is and what it answered.
      if (renewed == nullptr || !Precedes(call(before), call(renewal)) || !Precedes(call(renewal), call(second))) return;
      expires = renewed->expires_at_epoch_ms;
      earliest = std::min(earliest, expires);
      before = renewal;
    }
    const EpochMs now = clock_.Latest(call(second));
    if (expires <= now || DefinitelyDead(held.owner, GrantOf(call(second))->owner, setup_.liveness)) return;
    for (const auto& [taking, taker] : unseen_takers_) {
      const bool between = !Precedes(call(taking), call(first)) && !Precedes(call(second), call(taking));
      // The clock may have fallen since: a claim that had lapsed once may look live again, but is gone if it was taken then.
      const bool takes = earliest <= clock_.Latest(call(taking)) || DefinitelyDead(held.owner, *taker, setup_.liveness);
      if (between && takes) return;
    }
    Find("QW-INV-1", second,
         absl::StrCat("batch ", batch_id, " was granted although the claim that call ", first, " got for it is live until ",
                      expires, "; now ", now));
  }

  // How many of the claim's batches it has certainly lost when call i began: retaken, cancelled or settled.
  std::size_t Lost(const Claim& claim, std::size_t i) const {
    std::size_t lost = 0;
    for (const QueuedWorkBatch& granted : claim.value->batches) lost += IsLost(claim, granted.batch_id, i) ? 1 : 0;
    return lost;
  }
  bool IsLost(const Claim& claim, const std::string& batch_id, std::size_t i) const {
    auto batch = batches_.find(batch_id);
    if (batch == batches_.end()) return false;
    for (std::size_t grant : batch->second.grants) {
      if (grant != claim.grant && Precedes(call(claim.grant), call(grant)) && Precedes(call(grant), call(i))) return true;
    }
    for (std::size_t r = 0; r < batch->second.removals.size(); ++r) {
      const std::size_t removal = batch->second.removals[r];
      if (batch->second.definite[r] && removal != i && Precedes(call(removal), call(i))) return true;
    }
    return false;
  }

  void TakeRenew(std::size_t i) {
    const QueuedWorkClaim& passed = CallOf<RenewQueuedWorkClaimRequest>(call(i))->claim;
    auto claim = claims_.find(ClaimKey(passed.claim_id, passed.lease_token));
    if (claim == claims_.end() || claim->second.value->session_id != passed.session_id) return;
    if (Succeeded(call(i))) {
      Held(Clause<"QW-INV-2">());
      const std::size_t left = claim->second.value->batches.size() - Lost(claim->second, i);
      if (passed.batches.size() > left) {
        Find("QW-INV-2", i,
             absl::StrCat("the claim of call ", claim->second.grant, " has lost batches for good and owns ", left,
                          " at most, yet a renewal of ", passed.batches.size(), " succeeded"));
      }
    }
    if (Succeeded(call(i)) || IsIndefinite(call(i))) claim->second.renewals.push_back(i);
  }

  void TakeCancel(std::size_t i, const CancelQueuedWorkBatchRequest& request) {
    const auto* cancelled = AnswerOf<CancelQueuedWorkBatchRequest>(call(i));
    if (cancelled != nullptr && cancelled->has_value()) {
      See(i, **cancelled);
      Remove(i, (*cancelled)->batch_id, true);
    } else if (IsIndefinite(call(i))) {
      Remove(i, request.batch_id, false);
    }
  }

  void Remove(std::size_t i, const std::string& batch_id, bool definite) {
    Batch& batch = batches_[batch_id];
    for (std::size_t r = 0; r < batch.removals.size(); ++r) {
      if (!definite || !batch.definite[r] || batch.removals[r] == i) continue;
      Find("QW-INV-4", i, absl::StrCat("batch ", batch_id, " was removed before, by call ", batch.removals[r]));
      return;
    }
    if (definite) Held(Clause<"QW-INV-4">());
    batch.removals.push_back(i);
    batch.definite.push_back(definite);
  }

  // A success that cannot be the replay of another commit, or (not definite) may be.
  void TakeCommit(std::size_t i, const RuntimeCommit& commit) {
    if (!Succeeded(call(i)) && !IsIndefinite(call(i))) return;
    bool definite = Succeeded(call(i));
    if (commit.turn_commit.has_value()) {
      std::vector<std::size_t>& same = stamped_[std::make_pair(commit.turn_commit->session_id, commit.turn_commit->turn_id)];
      for (std::size_t earlier : same) {
        if (Succeeded(call(earlier)) && Precedes(call(earlier), call(i))) return;  // a replay
        definite = false;
      }
      for (std::size_t later = i + 1; later < history_.calls.size() && call(later).called < call(i).returned; ++later) {
        const auto* other = CallOf<CommitRuntimeStateRequest>(call(later));
        if (other != nullptr && other->commit.turn_commit == commit.turn_commit) definite = false;
      }
      same.push_back(i);
    }
    for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) TakeCompletion(i, completion, definite);
  }

  void TakeCompletion(std::size_t i, const QueuedWorkCompletion& completion, bool definite) {
    auto claim = claims_.find(ClaimKey(completion.claim_id, completion.lease_token));
    for (const std::string& batch_id : completion.batch_ids) {
      if (definite && claim != claims_.end()) {
        Held(Clause<"QW-INV-2">());
        if (IsLost(claim->second, batch_id, i)) {
          Find("QW-INV-2", i,
               absl::StrCat("the claim of call ", claim->second.grant, " had lost batch ", batch_id,
                            " for good, yet a commit completed it under that claim"));
          return;
        }
      }
      auto batch = batches_.find(batch_id);
      const bool twice = batch != batches_.end() && !batch->second.removals.empty() && batch->second.removals.back() == i;
      if (!twice) Remove(i, batch_id, definite);
    }
  }

  void TakeList(std::size_t i, const std::vector<QueuedWorkBatch>& listed, bool all) {
    if (listed.size() > 1) Held(Clause<"QW-INV-15">());
    for (std::size_t n = 0; n < listed.size(); ++n) {
      if (n > 0 && listed[n].enqueue_seq <= listed[n - 1].enqueue_seq) {
        Find("QW-INV-15", i,
             absl::StrCat("the list is not in ascending order: enqueue_seq ", listed[n].enqueue_seq, " follows ",
                          listed[n - 1].enqueue_seq));
        return;
      }
      See(i, listed[n]);
    }
    if (all) CheckNothingLost(i, listed);
  }

  void CheckNothingLost(std::size_t i, const std::vector<QueuedWorkBatch>& listed) {
    std::vector<std::string>& present = by_session_[CallOf<ListQueuedWorkRequest>(call(i))->session_id];
    // Forgets what is certainly gone, so that a long history costs no more than what is stored at a time.
    std::erase_if(present, [&](const std::string& id) { return CertainlyGone(batches_[id], i); });
    for (const std::string& id : present) {
      const Batch& batch = batches_[id];
      if (!batch.enqueued || !Precedes(call(batch.first_call), call(i)) || MayBeGone(batch, i)) continue;
      Held(Clause<"QW-INV-3">());
      const bool there = std::any_of(listed.begin(), listed.end(), [&](const auto& b) { return b.batch_id == id; });
      if (!there) {
        Find("QW-INV-3", i,
             absl::StrCat("batch ", id, ", enqueued by call ", batch.first_call, ", is not listed although nothing removed it"));
        return;
      }
    }
  }
  bool CertainlyGone(const Batch& batch, std::size_t i) const {
    for (std::size_t r = 0; r < batch.removals.size(); ++r) {
      if (batch.definite[r] && Precedes(call(batch.removals[r]), call(i))) return true;
    }
    return false;
  }
  // Removals of calls that begin later in the order are not known yet, but such calls may overlap this one.
  bool MayBeGone(const Batch& batch, std::size_t i) const {
    if (!batch.removals.empty()) return true;
    for (std::size_t later = i + 1; later < history_.calls.size() && call(later).called < call(i).returned; ++later) {
      const SessionCall& c = call(later);
      if (CallOf<CancelQueuedWorkBatchRequest>(c) != nullptr || CallOf<CommitRuntimeStateRequest>(c) != nullptr) return true;
    }
    return false;
  }

  const SessionHistory& history_;
  const SpecSetup& setup_;
  ClauseHits* hits_;
  ClockRange clock_;
  absl::flat_hash_map<std::string, Batch> batches_;
  absl::flat_hash_map<std::string, std::vector<std::string>> by_session_;
  absl::flat_hash_map<ClaimKey, Claim> claims_;
  absl::flat_hash_map<std::string, std::vector<std::size_t>> by_head_;
  absl::flat_hash_map<std::pair<std::string, uint64_t>, const std::string*> numbers_;  // of a session -> the batch that has it
  absl::flat_hash_map<std::pair<std::string, std::string>, std::vector<std::size_t>> stamped_;
  std::vector<std::pair<std::size_t, const LeaseOwnerIdentity*>> unseen_takers_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> ScanBatches(const SessionHistory& history, const SpecSetup& setup, ClauseHits* hits) {
  return BatchScan(history, setup, hits).Run();
}

std::vector<Finding> ScanLanes(const SessionHistory& history, ClauseHits* hits) {
  struct Acquisition {
    std::size_t call;
    const SessionExecutionLease* lease;
  };
  absl::flat_hash_map<std::string, std::vector<Acquisition>> lanes;  // newest last; one a lease token
  for (std::size_t i = 0; i < history.calls.size(); ++i) {
    const SessionExecutionLease* lease = AcquiredLaneOf(history.calls[i]);
    if (lease == nullptr) continue;
    std::vector<Acquisition>& lane = lanes[lease->session_id];
    const auto same =
        std::find_if(lane.rbegin(), lane.rend(), [&](const auto& a) { return a.lease->lease_token == lease->lease_token; });
    if (same != lane.rend()) {
      if (same->lease->fencing_token != lease->fencing_token) {
        return {{"QW-INV-9", i,
                 absl::StrCat("call ", same->call, " got the same lease token with fencing token ", same->lease->fencing_token,
                              "; this one got ", lease->fencing_token)}};
      }
      continue;  // re-entry
    }
    for (auto earlier = lane.rbegin(); earlier != lane.rend() && earlier - lane.rbegin() < 8; ++earlier) {
      if (!Precedes(history.calls[earlier->call], history.calls[i])) continue;
      if (hits != nullptr) hits->Add(Clause<"QW-INV-9">(), Sense::kHeld);
      if (earlier->lease->fencing_token < lease->fencing_token) continue;
      return {{"QW-INV-9", i,
               absl::StrCat("expected a fencing token above ", earlier->lease->fencing_token, ", which call ", earlier->call,
                            " got for this lane; got ", lease->fencing_token)}};
    }
    lane.push_back({i, lease});
  }
  return {};
}

}  // namespace leasecheck::session_store
