// Probes: observations with only calls in between that must not have changed what they show.
#include <algorithm>
#include <optional>
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
using F = RuntimeRepositoryFamily;
using Records = std::vector<AttemptDispatchRecord>;

bool Lists(const Records& records, const std::string& attempt_id) {
  return std::any_of(records.begin(), records.end(), [&](const auto& record) { return record.attempt_id == attempt_id; });
}

class Observations {
 public:
  Observations(const RepositoryHistory& history, ClauseHits* hits) : history_(history), hits_(hits) {
    for (const RepositoryCall& call : history.calls) {
      if (const std::string* marked = MarkedBy(call)) marked_.insert(*marked);
      const auto* claim = CallOf<UpsertLeaseRequest>(call);
      const auto* heartbeat = CallOf<HeartbeatLeaseRequest>(call);
      const auto* versioned = CallOf<HeartbeatLeaseWithVersionRequest>(call);
      endless_ |= (claim != nullptr && claim->lease_expires_at >= kLastInstant) ||
                  (heartbeat != nullptr && heartbeat->lease_expires_at >= kLastInstant) ||
                  (versioned != nullptr && versioned->lease_expires_at >= kLastInstant);
    }
  }

  std::optional<Finding> Take(std::size_t i, bool overlaps) {
    const RepositoryCall& call = history_.calls[i];
    if (std::holds_alternative<engine::SetClock>(call.action)) return std::nullopt;  // no read asks the clock (RR-LAT-1)
    if (std::holds_alternative<engine::Reopen>(call.action)) {
      for (Seen& seen : seen_) seen.reopened = true;
      return std::nullopt;
    }
    if (overlaps || IsIndefinite(call) || engine::RequestIf<F>(call.action) == nullptr) {
      Forget();
      return std::nullopt;
    }
    if (OperationEffect<F>(engine::RequestIf<F>(call.action)->index()) == Effect::kRead) return TakeRead(i, call);
    TakeWrite(call);
    return std::nullopt;
  }

 private:
  // A read, and what lay between it and now. Only calls that must not change anything did.
  struct Seen {
    std::size_t call = 0;
    bool listed = false;    // a list
    bool refused = false;   // a refused claim
    bool failed = false;    // another call that failed
    bool reopened = false;  // the store
  };
  static constexpr std::size_t kSeenKept = 48;

  const RepositoryCall& call(std::size_t i) const { return history_.calls[i]; }
  void Hit(ClauseIndex clause, bool applies, Sense sense = Sense::kHeld) {
    if (applies && hits_ != nullptr) hits_->Add(clause, sense);
  }
  void Forget() {
    seen_.clear();
    swept_.reset();
    statuses_.clear();
  }

  // What may change the store ends all observations; a sweep leaves what it must bring back.
  void TakeWrite(const RepositoryCall& call) {
    if (call.outcome.index() != 0) {
      const bool claim = CallOf<UpsertLeaseRequest>(call) != nullptr;
      for (Seen& seen : seen_) (claim ? seen.refused : seen.failed) = true;
      return;
    }
    seen_.clear();
    const auto* sweep = CallOf<ExpireLeasesAndRequeueRequest>(call);
    if (sweep == nullptr) return Forget();
    swept_ = sweep->stale_before;
  }

  // Reads.

  std::optional<Finding> TakeRead(std::size_t i, const RepositoryCall& read) {
    if (read.outcome.index() != 0) return std::nullopt;
    std::optional<Finding> finding = CompareWithSame(i, read);
    if (!finding.has_value()) finding = CheckAfterSweep(i, read);
    if (const auto* list = CallOf<ListDispatchableAttemptsRequest>(read)) {
      if (!finding.has_value()) finding = CompareLists(i, *list, *AnswerOf<ListDispatchableAttemptsRequest>(read));
      if (!finding.has_value()) finding = CheckNothingLost(i, *list, *AnswerOf<ListDispatchableAttemptsRequest>(read));
      for (Seen& seen : seen_) seen.listed = true;
    }
    if (const auto* status = CallOf<GetAttemptStatusRequest>(read)) {
      const auto& shown = *AnswerOf<GetAttemptStatusRequest>(read);
      if (shown.has_value()) statuses_[status->attempt_id] = IsTerminal(shown->status);
    }
    if (seen_.size() == kSeenKept) seen_.erase(seen_.begin());
    seen_.push_back({i});
    return finding;
  }

  std::optional<Finding> CompareWithSame(std::size_t i, const RepositoryCall& read) {
    for (auto seen = seen_.begin(); seen != seen_.end(); ++seen) {
      if (*engine::RequestIf<F>(call(seen->call).action) != *engine::RequestIf<F>(read.action)) continue;
      const Seen before = *seen;
      seen_.erase(seen);
      Hit(Clause<"RR-DUR-1">(), before.reopened);
      Hit(Clause<"RR-UPS-10">(), before.refused, Sense::kRefused);
      Hit(Clause<"RR-LST-10">(), before.listed);
      Hit(Clause<"RR-INV-13">(), before.refused || before.failed || before.listed);
      if (call(before.call).outcome == read.outcome) return std::nullopt;
      const char* clause = before.reopened  ? "RR-DUR-1"
                           : before.failed  ? "RR-INV-13"
                           : before.refused ? "RR-UPS-10"
                           : before.listed  ? "RR-LST-10"
                                            : "RR-INV-13";
      return Finding{clause, i,
                     absl::StrCat("call ", before.call, " read the same, and nothing since then may change it, yet it differs")};
    }
    return std::nullopt;
  }

  // The same list with another limit or a later instant (RR-INV-9, RR-INV-10).
  std::optional<Finding> CompareLists(std::size_t i, const ListDispatchableAttemptsRequest& list, const Records& records) {
    for (const Seen& seen : seen_) {
      const auto* other = CallOf<ListDispatchableAttemptsRequest>(call(seen.call));
      if (other == nullptr || call(seen.call).outcome.index() != 0) continue;
      const Records& others = *AnswerOf<ListDispatchableAttemptsRequest>(call(seen.call));
      if (other->now == list.now &&
          !PrefixOf(other->limit < list.limit ? others : records, other->limit < list.limit ? records : others)) {
        return Finding{"RR-INV-9", i, absl::StrCat("the list of call ", seen.call, " at the same instant begins otherwise")};
      }
      const bool earlier = other->now < list.now;
      const ListDispatchableAttemptsRequest& later = earlier ? list : *other;
      if (other->now == list.now || (earlier ? records : others).size() >= later.limit) continue;
      Hit(Clause<"RR-INV-10">(), true);
      for (const AttemptDispatchRecord& record : earlier ? others : records) {
        if (Lists(earlier ? records : others, record.attempt_id)) continue;
        return Finding{"RR-INV-10", i,
                       absl::StrCat("attempt ", record.attempt_id,
                                    " is in the earlier and not in the later one of this list and ", "that of call ", seen.call)};
      }
    }
    return std::nullopt;
  }
  static bool PrefixOf(const Records& shorter, const Records& longer) {
    return shorter.size() <= longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
  }

  // After a sweep no lease is left that expired before its cutoff.
  std::optional<Finding> CheckAfterSweep(std::size_t i, const RepositoryCall& read) {
    if (!swept_.has_value()) return std::nullopt;
    const std::optional<LeaseRecord>* lease = AnswerOf<GetLeaseForAttemptRequest>(read);
    if (lease == nullptr) lease = AnswerOf<GetLeaseByIdRequest>(read);
    if (lease == nullptr) return std::nullopt;
    Hit(Clause<"RR-INV-3">(), true);
    if (!lease->has_value() || (*lease)->lease_expires_at >= *swept_) return std::nullopt;
    return Finding{"RR-INV-3", i,
                   absl::StrCat("lease ", (*lease)->lease_id, " expired at ", (*lease)->lease_expires_at.ms,
                                " and is held after a sweep of those before ", swept_->ms)};
  }

  // After the sweep of everything the list of everything has every attempt that had not ended before.
  std::optional<Finding> CheckNothingLost(std::size_t i, const ListDispatchableAttemptsRequest& list, const Records& records) {
    if (endless_ || swept_ != kLastInstant || list.now != kLastInstant || records.size() >= list.limit) return std::nullopt;
    for (const auto& [attempt_id, terminal] : statuses_) {
      if (terminal || marked_.contains(attempt_id)) continue;
      Hit(Clause<"RR-INV-7">(), true);
      if (Lists(records, attempt_id)) continue;
      return Finding{"RR-INV-7", i,
                     absl::StrCat("attempt ", attempt_id, " had not ended, and after a sweep of every lease it is not listed")};
    }
    return std::nullopt;
  }

  const RepositoryHistory& history_;
  ClauseHits* hits_;
  bool endless_ = false;  // a lease may have been given an expiry that no cutoff lies beyond
  std::vector<Seen> seen_;
  std::optional<Instant> swept_;                     // the last write that succeeded was this sweep
  absl::flat_hash_map<std::string, bool> statuses_;  // of attempts since the last write that was no sweep: terminal
  absl::flat_hash_set<std::string> marked_;          // attempts
};

}  // namespace

std::vector<Finding> ProbeObservations(const RepositoryHistory& history, ClauseHits* hits) {
  Observations observations(history, hits);
  engine::Instant latest = -1;
  for (std::size_t i = 0; i < history.calls.size(); ++i) {
    const RepositoryCall& call = history.calls[i];
    const bool overlaps = call.called < latest || (i + 1 < history.calls.size() && history.calls[i + 1].called < call.returned);
    latest = std::max(latest, call.returned);
    if (auto finding = observations.Take(i, overlaps)) return {*std::move(finding)};
  }
  return {};
}

}  // namespace leasecheck::runtime_repository
