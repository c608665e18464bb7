// Scans over the queue: exclusivity, ends, attempts, deliveries, expiries, leases, nothing lost.
#include "properties/state_backend_scans.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/state_backend/clauses.h"
#include "model/state_backend/dialects.h"
#include "properties/engine/clock_range.h"

namespace leasecheck::state_backend {
namespace {

using engine::Finding;
using Indices = std::vector<std::size_t>;

class WorkScan {
 public:
  WorkScan(const BackendHistory& history, const SpecSetup& setup, ClauseHits* hits)
      : history_(history), hits_(hits), clock_(history) {
    if (setup.dialects == nullptr) return;
    steals_ = Declares(*setup.dialects, "SB-LAT-16", "stealing");
    requeues_ = Declares(*setup.dialects, "SB-LAT-20", "requeue");
    forgets_ids_ = Declares(*setup.dialects, "preset", "memory");
    lease_ = LeaseLengthOf(*setup.dialects);
  }

  std::vector<Finding> Run() {
    for (std::size_t i = 0; i < history_.calls.size(); ++i) Collect(i);
    for (std::size_t i = 0; i < history_.calls.size() && findings_.empty(); ++i) Check(i);
    for (const auto& [id, facts] : facts_) {
      if (findings_.empty()) CheckItem(id, facts);
    }
    if (findings_.empty()) CheckDrained();
    std::sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) { return a.call < b.call; });
    return std::move(findings_);
  }

 private:
  // The calls about one item, each in the order of the calls.
  struct Facts {
    Indices enqueues;  // that succeeded, or may have
    Indices claims;    // that returned it
    Indices renewals;  // that succeeded, or may have; so have those below
    Indices completes;
    Indices fails;
    Indices letters;      // move_to_dead_letter
    Indices reclaims;     // that listed it, as either
    Indices exhaustions;  // ... as exhausted
  };

  const BackendCall& call(std::size_t i) const { return history_.calls[i]; }
  void Find(absl::string_view clause, std::size_t at, std::string explanation) {
    findings_.push_back({std::string(clause), at, std::move(explanation)});
  }
  void Held(ClauseIndex clause) {
    if (hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }
  bool MayFollow(std::size_t later, std::size_t earlier) const {
    return IsIndefinite(call(later)) || call(later).returned > call(earlier).called;
  }
  // Whether one of `calls` may have taken effect after `from` and before `to`, other than these two.
  bool AnyBetween(const Indices& calls, std::size_t from, std::size_t to) const {
    return std::any_of(calls.begin(), calls.end(), [&](std::size_t i) {
      return i != from && i != to && MayFollow(i, from) && call(i).called < call(to).returned;
    });
  }
  std::size_t CountBefore(const Indices& calls, std::size_t to, bool surely) const {
    return static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), [&](std::size_t i) {
      if (i == to) return false;
      return surely ? !IsIndefinite(call(i)) && Precedes(call(i), call(to)) : call(i).called < call(to).returned;
    }));
  }

  void Collect(std::size_t i) {
    const BackendCall& c = call(i);
    if (!MayHaveDone(c)) return;
    if (const auto* enqueue = CallOf<EnqueueWorkItemRequest>(c)) facts_[enqueue->item.id].enqueues.push_back(i);
    if (const auto* renew = CallOf<RenewLeaseRequest>(c)) facts_[renew->item_id].renewals.push_back(i);
    if (const auto* complete = CallOf<CompleteWorkItemRequest>(c)) facts_[complete->item_id].completes.push_back(i);
    if (const auto* fail = CallOf<FailWorkItemRequest>(c)) facts_[fail->item_id].fails.push_back(i);
    if (const auto* move = CallOf<MoveToDeadLetterRequest>(c)) facts_[move->item_id].letters.push_back(i);
    if (CallOf<ClaimWorkItemRequest>(c) != nullptr) {
      const auto* claimed = AnswerOf<ClaimWorkItemRequest>(c);
      if (claimed == nullptr) unseen_claims_.push_back(i);
      if (claimed != nullptr && claimed->has_value()) facts_[(*claimed)->id].claims.push_back(i);
    }
    if (CallOf<ReclaimExpiredLeasesRequest>(c) != nullptr) CollectReclaim(i, AnswerOf<ReclaimExpiredLeasesRequest>(c));
  }
  void CollectReclaim(std::size_t i, const ReclaimResult* result) {
    if (result == nullptr) return unseen_reclaims_.push_back(i);
    for (const WorkItem& item : result->retryable) facts_[item.id].reclaims.push_back(i);
    for (const WorkItem& item : result->exhausted) facts_[item.id].reclaims.push_back(i);
    for (const WorkItem& item : result->exhausted) facts_[item.id].exhaustions.push_back(i);
  }

  // The item as it was enqueued, where that is certain.
  const EnqueueWorkItemRequest* EnqueueOf(const Facts& facts) const {
    return facts.enqueues.size() == 1 ? CallOf<EnqueueWorkItemRequest>(call(facts.enqueues.front())) : nullptr;
  }

  void Check(std::size_t i) {
    const BackendCall& c = call(i);
    if (const auto* claimed = AnswerOf<ClaimWorkItemRequest>(c); claimed != nullptr && claimed->has_value()) {
      CheckEnqueued(i, (*claimed)->id);
      CheckAttempt(i, **claimed, 0);
      CheckLease(i, **claimed);
    }
    if (const auto* result = AnswerOf<ReclaimExpiredLeasesRequest>(c)) CheckReclaim(i, *result);
  }

  // Nothing comes back that was not enqueued.
  void CheckEnqueued(std::size_t i, const WorkItemId& id) {
    const Facts& facts = facts_[id];
    if (!facts.enqueues.empty() && call(facts.enqueues.front()).called < call(i).returned) return;
    Find("SB-INV-4", i, absl::StrCat("nobody has enqueued item ", UuidText(id)));
  }

  // The attempt is the first one, and one for each reclaim (and, in the dialect requeue, each fail) before; `own` of this call.
  void CheckAttempt(std::size_t i, const WorkItem& shown, std::size_t own) {
    const Facts& facts = facts_[shown.id];
    const EnqueueWorkItemRequest* enqueue = EnqueueOf(facts);
    if (enqueue == nullptr) return;
    std::size_t least = enqueue->item.attempt + own + CountBefore(facts.reclaims, i, true);
    std::size_t most =
        enqueue->item.attempt + own + CountBefore(facts.reclaims, i, false) + CountBefore(unseen_reclaims_, i, false);
    if (requeues_) {
      most += CountBefore(facts.fails, i, false);
      least += OwnFails(facts, i);
    }
    if (most > std::numeric_limits<uint32_t>::max()) return;  // SB-LAT-40
    Held(Clause<"SB-INV-3">());
    if (shown.attempt >= least && shown.attempt <= most) return;
    Find("SB-INV-3", i,
         absl::StrCat("item ", UuidText(shown.id), " has attempt ", shown.attempt, " and has to have ", least,
                      least == most ? "" : absl::StrCat(" to ", most)));
  }
  // The fails that surely made the item pending again: a settled item stays as it is, so only where nothing settles it.
  std::size_t OwnFails(const Facts& facts, std::size_t i) const {
    if (!facts.completes.empty() || !facts.letters.empty() || !facts.exhaustions.empty()) return 0;
    return CountBefore(facts.fails, i, true);
  }

  void CheckLease(std::size_t i, const WorkItem& shown) {
    if (!shown.lease_expires_at.has_value()) return;
    Held(Clause<"SB-INV-18">());
    const auto length = static_cast<int64_t>(lease_);
    const leasecheck::Instant from = SaturatingAdd(InstantOf(clock_.Earliest(call(i))), length);
    const leasecheck::Instant to = SaturatingAdd(InstantOf(clock_.Latest(call(i))), length);
    if (from <= *shown.lease_expires_at && *shown.lease_expires_at <= to) return;
    Find("SB-INV-18", i,
         absl::StrCat("item ", UuidText(shown.id), " is leased until ", shown.lease_expires_at->ms, " and has to be until ",
                      from.ms, " to ", to.ms));
  }

  void CheckReclaim(std::size_t i, const ReclaimResult& result) {
    absl::flat_hash_set<WorkItemId> seen;
    for (const auto* list : {&result.retryable, &result.exhausted}) {
      for (const WorkItem& item : *list) {
        if (!seen.insert(item.id).second) {
          return Find("SB-INV-6", i, absl::StrCat("item ", UuidText(item.id), " is listed twice"));
        }
        CheckEnqueued(i, item.id);
        CheckAttempt(i, item, 1);
        CheckJustified(i, item.id);
      }
    }
  }

  // The last claim or renewal that surely came before, with nothing of the item in between, gave it a lease that had run out.
  void CheckJustified(std::size_t i, const WorkItemId& id) {
    const Facts& facts = facts_[id];
    std::optional<std::size_t> last;
    for (const Indices* grants : {&facts.claims, &facts.renewals}) {
      for (std::size_t grant : *grants) {
        if (IsIndefinite(call(grant)) || !Precedes(call(grant), call(i))) continue;
        if (!last.has_value() || call(*last).called < call(grant).called) last = grant;
      }
    }
    if (!last.has_value() || AnyBetween(facts.claims, *last, i) || AnyBetween(facts.renewals, *last, i)) return;
    if (AnyBetween(facts.reclaims, *last, i) || AnyBetween(unseen_reclaims_, *last, i)) return;
    if (AnyBetween(unseen_claims_, *last, i)) return;
    Held(Clause<"SB-INV-7">());
    const EpochMs until = SaturatingAdd(clock_.Earliest(call(*last)), lease_);
    if (until < clock_.Latest(call(i))) return;
    Find("SB-INV-7", i,
         absl::StrCat("item ", UuidText(id), " is reclaimed though call ", *last, " leased it until ", until,
                      " at least, and the ", "clock read ", clock_.Latest(call(i)), " at most"));
  }

  // Items.

  void CheckItem(const WorkItemId& id, const Facts& facts) {
    if (!steals_) CheckExclusive(id, facts);
    CheckExpiries(id, facts);
    CheckEnds(id, facts);
    if (!steals_ && !requeues_) CheckDeliveries(id, facts);
  }

  void CheckExclusive(const WorkItemId& id, const Facts& facts) {
    for (std::size_t n = 1; n < facts.claims.size(); ++n) {
      const std::size_t first = facts.claims[n - 1];
      const std::size_t second = facts.claims[n];
      if (!Precedes(call(first), call(second))) continue;
      Held(Clause<"SB-INV-1">());
      const bool released = AnyBetween(facts.reclaims, first, second) || AnyBetween(unseen_reclaims_, first, second) ||
                            (requeues_ && AnyBetween(facts.fails, first, second)) ||
                            (forgets_ids_ && AnyBetween(facts.enqueues, first, second));
      if (released) continue;
      return Find("SB-INV-1", second,
                  absl::StrCat("item ", UuidText(id), " was claimed by call ", first, " and nothing has released it since"));
    }
  }

  // Each expiry once: between two reclaims of an item it was claimed.
  void CheckExpiries(const WorkItemId& id, const Facts& facts) {
    for (std::size_t n = 1; n < facts.reclaims.size(); ++n) {
      const std::size_t first = facts.reclaims[n - 1];
      const std::size_t second = facts.reclaims[n];
      if (!Precedes(call(first), call(second))) continue;
      Held(Clause<"SB-INV-6">());
      if (AnyBetween(facts.claims, first, second) || AnyBetween(unseen_claims_, first, second)) continue;
      return Find("SB-INV-6", second,
                  absl::StrCat("item ", UuidText(id), " was reclaimed by call ", first, " and not claimed since then"));
    }
    if (facts.exhaustions.size() < 2 || forgets_ids_) return;
    Find("SB-INV-6", facts.exhaustions[1],
         absl::StrCat("item ", UuidText(id), " was exhausted before, in call ", facts.exhaustions.front()));
  }

  // Whether the call, a success, shows that the item has ended: one that was there, and that the call's view sees.
  bool Ends(const Facts& facts, std::size_t i) const {
    if (IsIndefinite(call(i))) return false;
    const EnqueueWorkItemRequest* enqueue = EnqueueOf(facts);
    if (enqueue == nullptr || IsIndefinite(call(facts.enqueues.front())) || !Precedes(call(facts.enqueues.front()), call(i))) {
      return false;
    }
    const auto* view = ViewOf(call(i));
    return !view->has_value() || *view == enqueue->view;
  }

  void CheckEnds(const WorkItemId& id, const Facts& facts) {
    if (forgets_ids_) return;
    Indices ends = facts.exhaustions;
    for (const Indices* settled : {&facts.completes, &facts.letters}) {
      std::copy_if(settled->begin(), settled->end(), std::back_inserter(ends), [&](std::size_t i) { return Ends(facts, i); });
    }
    if (!requeues_) {
      std::copy_if(facts.fails.begin(), facts.fails.end(), std::back_inserter(ends),
                   [&](std::size_t i) { return Ends(facts, i); });
    }
    for (std::size_t end : ends) {
      Held(Clause<"SB-INV-2">());
      for (const Indices* later : {&facts.claims, &facts.renewals, &facts.reclaims}) {
        for (std::size_t i : *later) {
          if (IsIndefinite(call(i)) || !Precedes(call(end), call(i))) continue;
          return Find(
              "SB-INV-2", i,
              absl::StrCat("item ", UuidText(id), " had ended with call ", end, ", and is claimed, renewed or reclaimed"));
        }
      }
    }
  }

  void CheckDeliveries(const WorkItemId& id, const Facts& facts) {
    const EnqueueWorkItemRequest* enqueue = EnqueueOf(facts);
    if (enqueue == nullptr || facts.claims.empty()) return;
    const WorkItem& item = enqueue->item;
    const std::size_t left = item.max_attempts > item.attempt ? item.max_attempts - item.attempt : 0;
    const std::size_t most = std::max<std::size_t>(1, left);
    Held(Clause<"SB-INV-5">());
    Held(Clause<"SB-RCL-5">());
    if (facts.claims.size() <= most) return;
    Find("SB-INV-5", facts.claims[most],
         absl::StrCat("item ", UuidText(id), " is claimed for the ", facts.claims.size(), "th time; ", most, " are all"));
  }

  // Nothing lost: a claim that asks for the item's type and finds nothing, when every lease and every backoff is over, says that
  // the item has ended or is claimed.

  void CheckDrained() {
    EpochMs highest = history_.start;  // that the clock may have read so far
    const std::size_t never = history_.calls.size();
    std::size_t swept = never;  // a reclaim of all tenants when every lease was over
    EpochMs swept_at = 0;
    for (std::size_t i = 0; i < history_.calls.size() && findings_.empty(); ++i) {
      const BackendCall& c = call(i);
      if (engine::RequestIf<StateBackendFamily>(c.action) == nullptr) continue;
      const EpochMs earliest = clock_.Earliest(c);
      if (earliest < swept_at) swept = never;  // backoffs may lie in the future again
      const auto* reclaim = CallOf<ReclaimExpiredLeasesRequest>(c);
      const bool sweeps = reclaim != nullptr && !reclaim->view.has_value() && c.outcome.index() == 0;
      if (sweeps && swept == never && earliest > SaturatingAdd(highest, lease_)) {
        swept = i;
        swept_at = clock_.Latest(c);
      }
      const auto* claim = CallOf<ClaimWorkItemRequest>(c);
      const auto* claimed = AnswerOf<ClaimWorkItemRequest>(c);
      const bool none = claim != nullptr && !claim->view.has_value() && claimed != nullptr && !claimed->has_value();
      if (none && swept != never && earliest >= SaturatingAdd(swept_at, kLongestBackoff)) CheckNoneLeft(i, *claim, swept);
      highest = std::max(highest, clock_.Latest(c));
    }
  }

  void CheckNoneLeft(std::size_t i, const ClaimWorkItemRequest& claim, std::size_t swept) {
    for (const auto& [id, facts] : facts_) {
      const EnqueueWorkItemRequest* enqueue = EnqueueOf(facts);
      if (enqueue == nullptr || IsIndefinite(call(facts.enqueues.front())) ||
          !Precedes(call(facts.enqueues.front()), call(swept))) {
        continue;
      }
      const auto& types = claim.queue_types;
      if (std::find(types.begin(), types.end(), enqueue->item.queue_type) == types.end()) continue;
      const auto before = [&](const Indices& calls) {
        return std::any_of(calls.begin(), calls.end(), [&](std::size_t k) { return call(k).called < call(i).returned; });
      };
      const bool ended = before(facts.completes) || before(facts.fails) || before(facts.letters) || before(facts.exhaustions);
      // A reclaim after the sweep may have given it a new backoff; a claim may hold it.
      if (ended || AnyBetween(facts.claims, swept, i) || AnyBetween(facts.renewals, swept, i) ||
          AnyBetween(facts.reclaims, swept, i) || !unseen_claims_.empty() || !unseen_reclaims_.empty()) {
        continue;
      }
      return Find(
          "SB-INV-4", i,
          absl::StrCat("item ", UuidText(id), " was enqueued and has not ended, every lease and backoff is over since call ",
                       swept, ", and a claim of its queue type finds nothing"));
    }
    Held(Clause<"SB-INV-4">());
  }

  static constexpr DurationMs kLongestBackoff = 64'000;

  const BackendHistory& history_;
  ClauseHits* hits_;
  engine::ClockRange<StateBackendFamily> clock_;
  bool steals_ = false;
  bool requeues_ = false;
  bool forgets_ids_ = false;
  DurationMs lease_ = kLeaseLengthMs;
  absl::flat_hash_map<WorkItemId, Facts> facts_;
  Indices unseen_claims_;    // that may have returned anything
  Indices unseen_reclaims_;  // that may have reclaimed anything
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> ScanWork(const BackendHistory& history, const SpecSetup& setup, ClauseHits* hits) {
  return WorkScan(history, setup, hits).Run();
}

}  // namespace leasecheck::state_backend
