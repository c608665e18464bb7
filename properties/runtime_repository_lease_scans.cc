// Scans over leases: one owner at a time, versions, what sweeps may take, and that claims and releases add up.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/runtime_repository/clauses.h"
#include "properties/runtime_repository_scans.h"

namespace leasecheck::runtime_repository {
namespace {

using engine::Finding;
using Moment = engine::Instant;

// Calls in the order in which they were called, asked whether one of them may have taken effect between two moments.
class Spans {
 public:
  void Add(const RepositoryCall& call) {
    const Moment returned = IsIndefinite(call) ? engine::kNeverReturned : call.returned;
    called_.push_back(call.called);
    last_returned_.push_back(last_returned_.empty() ? returned : std::max(last_returned_.back(), returned));
  }
  bool AnyWithin(Moment after, Moment before) const {
    const auto behind = std::lower_bound(called_.begin(), called_.end(), before) - called_.begin();
    return behind > 0 && last_returned_[static_cast<std::size_t>(behind) - 1] > after;
  }

 private:
  std::vector<Moment> called_;
  std::vector<Moment> last_returned_;  // of the calls up to this one
};

class LeaseScan {
 public:
  LeaseScan(const RepositoryHistory& history, ClauseHits* hits) : history_(history), hits_(hits) {}

  std::vector<Finding> Run() {
    for (std::size_t i = 0; i < history_.calls.size(); ++i) Collect(i);
    for (std::size_t i = 0; i < history_.calls.size() && findings_.empty(); ++i) Check(i);
    return std::move(findings_);
  }

 private:
  struct LeaseFacts {
    std::size_t claim = 0;               // the call that made it; 0 with `seen` false
    bool seen = false;                   // its claim's answer was
    std::vector<std::size_t> refreshes;  // calls that refreshed it, or may have
  };

  const RepositoryCall& call(std::size_t i) const { return history_.calls[i]; }
  void Find(absl::string_view clause, std::size_t at, std::string explanation) {
    findings_.push_back({std::string(clause), at, std::move(explanation)});
  }
  void Held(ClauseIndex clause) {
    if (hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }

  void Collect(std::size_t i) {
    const RepositoryCall& c = call(i);
    if (!MayHaveDone(c)) return;
    endless_ |= GivesExpiry(c) && ExpiryGiven(i) >= kLastInstant;
    if (const auto* ack = CallOf<AckAttemptRequest>(c)) releases_[ack->attempt_id].Add(c);
    if (const auto* replay = CallOf<ReplayDeadLetterRequest>(c)) releases_[replay->attempt_id].Add(c);
    if (const std::string* marked = MarkedBy(c)) marked_.insert(*marked);
    if (const auto* heartbeat = CallOf<HeartbeatLeaseRequest>(c)) leases_[heartbeat->lease_id].refreshes.push_back(i);
    if (const auto* heartbeat = CallOf<HeartbeatLeaseWithVersionRequest>(c)) leases_[heartbeat->lease_id].refreshes.push_back(i);
    if (CallOf<ExpireLeasesAndRequeueRequest>(c) != nullptr) {
      const auto* swept = AnswerOf<ExpireLeasesAndRequeueRequest>(c);
      if (swept == nullptr || *swept > 0) sweeps_.push_back(i);
    }
    if (CallOf<TransitionTimedOutAttemptsRequest>(c) != nullptr) {
      const auto* ended = AnswerOf<TransitionTimedOutAttemptsRequest>(c);
      if (ended == nullptr || *ended > 0) timeouts_.Add(c);
    }
  }

  void Check(std::size_t i) {
    const RepositoryCall& c = call(i);
    if (const auto* claim = CallOf<UpsertLeaseRequest>(c)) {
      if (MayHaveDone(c)) ++may_have_claimed_;
      if (const auto* lease = AnswerOf<UpsertLeaseRequest>(c)) TakeClaim(i, claim->attempt_id, *lease);
    }
    if (const auto* shown = AnswerOf<GetLeaseForAttemptRequest>(c); shown != nullptr && shown->has_value()) {
      CheckVersion(i, (*shown)->lease_id, (*shown)->version);
    }
    if (const auto* by_id = CallOf<GetLeaseByIdRequest>(c)) {
      const auto* shown = AnswerOf<GetLeaseByIdRequest>(c);
      if (shown != nullptr && shown->has_value()) CheckVersion(i, by_id->lease_id, (*shown)->version);
      if (shown != nullptr && !shown->has_value()) CheckGone(i, by_id->lease_id);
    }
    if (const auto* heartbeat = CallOf<HeartbeatLeaseRequest>(c)) {
      if (FailedWith(c, DriverClass::kLeaseNotFound)) CheckGone(i, heartbeat->lease_id);
    }
    if (const auto* heartbeat = CallOf<HeartbeatLeaseWithVersionRequest>(c)) {
      if (c.outcome.index() == 0) CheckVersion(i, heartbeat->lease_id, heartbeat->expected_version);
    }
    CheckSums(i);
  }

  // Claims.

  void TakeClaim(std::size_t i, const std::string& attempt_id, const LeaseRecord& lease) {
    LeaseFacts& facts = leases_[lease.lease_id];
    if (facts.seen) {
      return Find("RR-INV-5", i, absl::StrCat("lease id ", lease.lease_id, " was issued before, by call ", facts.claim));
    }
    facts.seen = true;
    facts.claim = i;
    Held(Clause<"RR-INV-5">());
    const auto [last, is_first] = last_claim_.try_emplace(attempt_id, i);
    if (!is_first) CheckReleased(i, attempt_id, last->second);
    last->second = i;
  }

  // Sweeps and timeouts of any attempt may have released this one; what they took shows elsewhere.
  void CheckReleased(std::size_t i, const std::string& attempt_id, std::size_t before) {
    if (marked_.contains(attempt_id)) return;
    Held(Clause<"RR-INV-1">());
    // Where the two overlap, the one that was called last may have been the first.
    const Moment from = call(before).called;
    const Moment to = std::max(call(before).returned, call(i).returned);
    const auto releases = releases_.find(attempt_id);
    if (releases != releases_.end() && releases->second.AnyWithin(from, to)) return;
    if (timeouts_.AnyWithin(from, to) || SweptWithin(from, to)) return;
    Find("RR-INV-1", i,
         absl::StrCat("attempt ", attempt_id, " was granted to call ", before, " and nothing has released it since then"));
  }

  bool SweptWithin(Moment from, Moment to) const {
    return std::any_of(sweeps_.begin(), sweeps_.end(), [&](std::size_t sweep) { return MayFallWithin(sweep, from, to); });
  }
  bool MayFallWithin(std::size_t i, Moment from, Moment to) const {
    return call(i).called < to && (IsIndefinite(call(i)) || call(i).returned > from);
  }

  // Versions.

  void CheckVersion(std::size_t i, const std::string& lease_id, uint64_t version) {
    uint64_t least = 1;
    uint64_t most = 1;
    for (std::size_t refresh : leases_[lease_id].refreshes) {
      if (refresh == i) continue;
      if (call(refresh).outcome.index() == 0 && Precedes(call(refresh), call(i))) ++least;
      if (call(refresh).called < call(i).returned) ++most;
    }
    Held(Clause<"RR-INV-5">());
    if (version >= least && version <= most) return;
    Find("RR-INV-5", i,
         absl::StrCat("lease ", lease_id, " has version ", version, " after ", least - 1, " to ", most - 1, " heartbeats"));
  }

  // What became of a lease that is gone.

  void CheckGone(std::size_t i, const std::string& lease_id) {
    const auto found = leases_.find(lease_id);
    if (found == leases_.end() || !found->second.seen || !Precedes(call(found->second.claim), call(i))) return;
    const LeaseFacts& facts = found->second;
    const std::string& attempt_id = CallOf<UpsertLeaseRequest>(call(facts.claim))->attempt_id;
    if (marked_.contains(attempt_id)) return;
    const Moment from = call(facts.claim).called;
    const Moment to = call(i).returned;
    Held(Clause<"RR-INV-2">());
    const auto releases = releases_.find(attempt_id);
    if (releases != releases_.end() && releases->second.AnyWithin(from, to)) return;
    if (timeouts_.AnyWithin(from, to)) return;
    const bool swept = std::any_of(sweeps_.begin(), sweeps_.end(),
                                   [&](std::size_t sweep) { return MayFallWithin(sweep, from, to) && MayTake(sweep, facts); });
    if (swept) return;
    Find("RR-INV-2", i,
         absl::StrCat("lease ", lease_id, " of call ", facts.claim, " is gone, and no sweep had a cutoff beyond its expiry"));
  }

  // Whether some expiry that the lease may have had at the sweep lies before its cutoff.
  bool MayTake(std::size_t sweep, const LeaseFacts& facts) const {
    const Instant cutoff = CallOf<ExpireLeasesAndRequeueRequest>(call(sweep))->stale_before;
    std::vector<std::size_t> givers = {facts.claim};
    givers.insert(givers.end(), facts.refreshes.begin(), facts.refreshes.end());
    return std::any_of(givers.begin(), givers.end(), [&](std::size_t giver) {
      if (call(giver).called >= call(sweep).returned && !IsIndefinite(call(sweep))) return false;
      return ExpiryGiven(giver) < cutoff && !Superseded(giver, givers, sweep);
    });
  }
  bool Superseded(std::size_t giver, const std::vector<std::size_t>& givers, std::size_t sweep) const {
    if (IsIndefinite(call(giver))) return false;
    return std::any_of(givers.begin(), givers.end(), [&](std::size_t other) {
      return call(other).outcome.index() == 0 && Precedes(call(giver), call(other)) && Precedes(call(other), call(sweep));
    });
  }
  static bool GivesExpiry(const RepositoryCall& c) {
    return CallOf<UpsertLeaseRequest>(c) != nullptr || CallOf<HeartbeatLeaseRequest>(c) != nullptr ||
           CallOf<HeartbeatLeaseWithVersionRequest>(c) != nullptr;
  }
  Instant ExpiryGiven(std::size_t giver) const {
    if (const auto* claim = CallOf<UpsertLeaseRequest>(call(giver))) return claim->lease_expires_at;
    if (const auto* heartbeat = CallOf<HeartbeatLeaseRequest>(call(giver))) return heartbeat->lease_expires_at;
    return CallOf<HeartbeatLeaseWithVersionRequest>(call(giver))->lease_expires_at;
  }

  // Sums.

  void CheckSums(std::size_t i) {
    const RepositoryCall& c = call(i);
    const auto* sweep = CallOf<ExpireLeasesAndRequeueRequest>(c);
    if (MayHaveDone(c) && (CallOf<AckAttemptRequest>(c) != nullptr || CallOf<ReplayDeadLetterRequest>(c) != nullptr)) {
      ++otherwise_;
    }
    if (const auto* ended = AnswerOf<TransitionTimedOutAttemptsRequest>(c)) otherwise_ += *ended;
    const bool moves = sweep != nullptr || CallOf<TransitionTimedOutAttemptsRequest>(c) != nullptr;
    if (IsIndefinite(c) && moves) uncounted_ = true;
    const auto* swept = AnswerOf<ExpireLeasesAndRequeueRequest>(c);
    if (swept == nullptr) return;
    swept_ += *swept;
    if (*swept > 0) Held(Clause<"RR-EXP-10">());
    last_swept_ = std::max(last_swept_, c.returned);
    const uint64_t claims = ClaimsBy(i, last_swept_);
    if (swept_ > claims) {
      return Find("RR-EXP-10", i, absl::StrCat("sweeps have counted ", swept_, " leases so far, of ", claims, " claims"));
    }
    if (sweep->stale_before == kLastInstant) CheckAllReleased(i);
  }

  // The claims that may have been made before the last of the sweeps up to call `i` returned.
  uint64_t ClaimsBy(std::size_t i, Moment returned) const {
    uint64_t claims = may_have_claimed_;
    for (std::size_t k = i + 1; k < history_.calls.size() && call(k).called < returned; ++k) {
      if (CallOf<UpsertLeaseRequest>(call(k)) != nullptr && MayHaveDone(call(k))) ++claims;
    }
    return claims;
  }

  // After a sweep of everything that overlaps nothing, every claim was released by this or that.
  void CheckAllReleased(std::size_t i) {
    if (!marked_.empty() || uncounted_ || endless_ || Overlaps(i)) return;
    uint64_t claimed = 0;
    for (std::size_t k = 0; k < i; ++k) claimed += AnswerOf<UpsertLeaseRequest>(call(k)) != nullptr ? 1 : 0;
    Held(Clause<"RR-INV-15">());
    if (claimed <= swept_ + otherwise_) return;
    Find(
        "RR-INV-15", i,
        absl::StrCat(claimed, " claims were granted, but sweeps released ", swept_, " and all other calls at most ", otherwise_));
  }
  bool Overlaps(std::size_t i) const {
    if (i + 1 < history_.calls.size() && call(i + 1).called < call(i).returned) return true;
    return std::any_of(history_.calls.begin(), history_.calls.begin() + static_cast<std::ptrdiff_t>(i),
                       [&](const RepositoryCall& other) { return !IsIndefinite(other) && other.returned > call(i).called; });
  }

  const RepositoryHistory& history_;
  ClauseHits* hits_;
  absl::flat_hash_map<std::string, LeaseFacts> leases_;
  absl::flat_hash_map<std::string, std::size_t> last_claim_;  // by attempt
  absl::flat_hash_map<std::string, Spans> releases_;          // acks and replays, by attempt
  std::vector<std::size_t> sweeps_;                           // that took something, or may have
  Spans timeouts_;                                            // likewise
  absl::flat_hash_set<std::string> marked_;                   // attempts
  uint64_t may_have_claimed_ = 0;
  uint64_t swept_ = 0;
  Moment last_swept_ = -1;  // when the last of those sweeps returned
  uint64_t otherwise_ = 0;  // leases that acks, replays and timeouts may have released
  bool endless_ = false;    // a lease may have been given an expiry that no cutoff lies beyond
  bool uncounted_ = false;  // a sweep's or a timeout's count was never seen
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> ScanLeases(const RepositoryHistory& history, ClauseHits* hits) { return LeaseScan(history, hits).Run(); }

}  // namespace leasecheck::runtime_repository
