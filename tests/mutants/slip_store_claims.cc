// Which batches a claim takes, and the grant.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/mutants/slip_store.h"
#include "tests/mutants/slip_store_internal.h"

namespace leasecheck::mutants {

using namespace session_store;  // NOLINT(build/namespaces): this file is about little else

using Positions = std::vector<std::size_t>;

bool SlipStore::Available(const Row& row, EpochMs now) const {
  if (Slips(Slip::kAvailabilityIgnored)) return true;
  return Slips(Slip::kAvailabilityStrict) ? row.batch.available_at_ms < now : row.batch.available_at_ms <= now;
}

// Whether the row's claim, if any, is in nobody's way.
bool SlipStore::Takeable(const Row& row, const Asker& asker) const {
  if (!row.record.has_value()) return true;
  const ClaimRecord& record = *row.record;
  const bool lapsed = Slips(Slip::kClaimExpiryStrict) ? record.expires < asker.now : record.expires <= asker.now;
  if (lapsed) return true;
  if (Slips(Slip::kLiveClaimRetaken) && !SameIncarnation(record.owner, asker.owner)) return true;
  if (Slips(Slip::kOwnLiveClaimRetaken) && SameIncarnation(record.owner, asker.owner)) return true;
  if (Slips(Slip::kSameOwnerNameRetakes) && record.owner.owner_id == asker.owner.owner_id &&
      record.owner.incarnation_id != asker.owner.incarnation_id) {
    return true;
  }
  return !Slips(Slip::kDeadClaimNotClaimable) && DefinitelyDead(record.owner, asker.owner);
}

Positions SlipStore::Candidates(const Session& session, const Asker& asker, uint64_t max_batches) const {
  const std::vector<Row>& rows = session.rows;
  const uint64_t window = max_batches + 32;
  uint64_t available = 0;
  Positions candidates;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!Available(rows[i], asker.now)) {
      if (Slips(Slip::kDeferredBlocksHead) && candidates.empty()) break;
      continue;
    }
    if (Slips(Slip::kScanWindow) && available++ == window) break;
    if (!Takeable(rows[i], asker)) {
      if (Slips(Slip::kLiveClaimedBlocksHead) && candidates.empty()) break;
      continue;
    }
    if (Slips(Slip::kClasslessSkipped) && !ClassOf(rows[i].batch).has_value()) continue;
    candidates.push_back(i);
  }
  if (Slips(Slip::kLifo)) std::reverse(candidates.begin(), candidates.end());
  if (Slips(Slip::kOrderByAvailability)) {
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](std::size_t a, std::size_t b) { return rows[a].batch.available_at_ms < rows[b].batch.available_at_ms; });
  }
  return candidates;
}

SlipStore::Error SlipStore::RefuseClassless(const Session& session, const Asker& asker, const Positions& candidates) const {
  const Backend refusal{"a queued batch has no single class"};
  for (std::size_t i : candidates) {
    if (Slips(Slip::kClasslessIsTurnWork)) break;
    if (!ClassOf(session.rows[i].batch).has_value()) return refusal;
    if (Deviates(Deviation::kClasslessBehindHeadOk)) break;
  }
  if (Slips(Slip::kClasslessDeferredBlocks)) {
    for (const Row& row : session.rows) {
      if (Takeable(row, asker) && !ClassOf(row.batch).has_value()) return refusal;
    }
  }
  return std::nullopt;
}

// The head, which is turn work, and the candidates that are granted with it.
Positions SlipStore::LongestRun(const Session& session, const Asker& asker, const Positions& candidates, std::size_t first,
                                uint64_t max_batches) const {
  const std::vector<Row>& rows = session.rows;
  const QueuedWorkBatch& head = rows[candidates[first]].batch;
  Positions run = {candidates[first]};
  if (head.slot_policy == SlotPolicy::kExclusive && !Slips(Slip::kExclusiveHeadTakesRun)) return run;
  const uint64_t limit = Slips(Slip::kMaxOffByOne) ? SaturatingAdd(max_batches, 1) : max_batches;
  for (std::size_t k = first + 1; k < candidates.size() && run.size() < limit; ++k) {
    const QueuedWorkBatch& next = rows[candidates[k]].batch;
    for (std::size_t between = candidates[k - 1] + 1; between < candidates[k]; ++between) {
      const bool deferred = !Available(rows[between], asker.now);
      if (Slips(deferred ? Slip::kDeferredEndsRun : Slip::kLiveClaimedEndsRun)) return run;
    }
    if (Slips(Slip::kExclusiveSkippedInRun) && next.slot_policy == SlotPolicy::kExclusive) continue;
    const bool never_meets = Slips(Slip::kMergeNeverNeverJoins) && std::holds_alternative<MergeNever>(next.merge_key);
    const bool joins = (ClassOf(next) == WorkClass::kTurnWork || Slips(Slip::kCommandJoinsRun)) &&
                       (next.slot_policy == SlotPolicy::kJoin || Slips(Slip::kExclusiveJoinsRun)) &&
                       (next.delivery_policy == head.delivery_policy || Slips(Slip::kDeliveryIgnoredInRun)) &&
                       ((next.merge_key == head.merge_key && !never_meets) || Slips(Slip::kMergeKeyIgnored));
    if (!joins) break;
    run.push_back(candidates[k]);
  }
  std::sort(run.begin(), run.end());
  return run;
}

Result<Positions> SlipStore::SelectTurnWork(const Session& session, const Asker& asker, QueuedWorkClaimBoundary boundary,
                                            uint64_t max_batches) const {
  const Positions candidates = Candidates(session, asker, max_batches);
  if (Error refusal = RefuseClassless(session, asker, candidates)) return Fail(*refusal);
  auto gated = [&](const QueuedWorkBatch& batch) {
    if (Slips(Slip::kBoundaryIgnored)) return false;
    if (boundary == QueuedWorkClaimBoundary::kActiveTurnCheckpoint) {
      return batch.delivery_policy != DeliveryPolicy::kEarliestSafeBoundary;
    }
    return Slips(Slip::kIdleRefusesAfterCommit) && batch.delivery_policy == DeliveryPolicy::kAfterCurrentTurnCommit;
  };
  for (std::size_t first = 0; first < candidates.size(); ++first) {
    const QueuedWorkBatch& head = session.rows[candidates[first]].batch;
    if (ClassOf(head) == WorkClass::kCommand) {
      if (Slips(Slip::kCommandSkippedByTurnClaim)) continue;
      break;
    }
    if (gated(head)) {
      if (Slips(Slip::kGatedHeadSkipped)) continue;
      break;
    }
    return LongestRun(session, asker, candidates, first, max_batches);
  }
  return Positions();
}

Result<Positions> SlipStore::SelectCommand(const Session& session, const Asker& asker) const {
  const Positions candidates = Candidates(session, asker, 1);
  if (Error refusal = RefuseClassless(session, asker, candidates)) return Fail(*refusal);
  Positions selected;
  for (std::size_t i : candidates) {
    const QueuedWorkBatch& batch = session.rows[i].batch;
    const bool command = ClassOf(batch) == WorkClass::kCommand;
    if (!command && selected.empty() && Slips(Slip::kTurnWorkSkippedByCommandClaim)) continue;
    if (!command) break;
    if (Slips(Slip::kCommandClaimAsksDelivery) && batch.delivery_policy != DeliveryPolicy::kEarliestSafeBoundary) break;
    selected.push_back(i);
    if (!Slips(Slip::kCommandClaimTakesTwo) || selected.size() == 2) break;
  }
  return selected;
}

uint64_t SlipStore::NextToken(const Session& session, const Positions& selected, EpochMs now) const {
  const Row& head = session.rows[selected.front()];
  if (Deviates(Deviation::kHeadRuleCounters)) return head.counter + 1;
  uint64_t largest = 0;
  for (std::size_t i : selected) largest = std::max(largest, session.rows[i].counter);
  const bool retake = head.record.has_value() && head.record->expires <= now;
  if (Slips(Slip::kTokenNotRaisedByRetake) && retake) return largest;
  return largest + (Deviates(Deviation::kClaimCounterLeaps) ? 1 + largest % 7 : 1);
}

QueuedWorkClaim SlipStore::Grant(const Asker& asker, const Positions& selected, uint64_t token) {
  Session& session = state_.sessions[asker.session_id];
  const Row& head = session.rows[selected.front()];
  QueuedWorkClaim claim{.session_id = asker.session_id,
                        .claim_id = NewId("claim"),
                        .owner = asker.owner,
                        .lease_token = NewId("token"),
                        .fencing_token = token,
                        .claimed_at_epoch_ms = asker.now,
                        .expires_at_epoch_ms = ExpiryOf(asker.now, asker.ttl),
                        .batches = {}};
  const bool trusts_claim_id = Slips(Slip::kRenewTrustsClaimId) || Slips(Slip::kAbandonTrustsClaimId) ||
                               Slips(Slip::kCommitTrustsClaimId) || Slips(Slip::kLeaseTokenReused);
  if (trusts_claim_id || Deviates(Deviation::kClaimIdNamesHead)) claim.claim_id = absl::StrCat("claim of ", head.batch.batch_id);
  if (Slips(Slip::kLeaseTokenReused)) claim.lease_token = absl::StrCat("token of ", head.batch.batch_id);
  if (Slips(Slip::kRetakeKeepsClaimedAt) && head.record.has_value()) claim.claimed_at_epoch_ms = head.record->claimed_at;
  const ClaimRecord record{.claim_id = claim.claim_id,
                           .lease_token = claim.lease_token,
                           .owner = asker.owner,
                           .claimed_at = claim.claimed_at_epoch_ms,
                           .expires = claim.expires_at_epoch_ms,
                           .lane_fence = LaneSession(asker.session_id).lane.counter};
  if (Slips(Slip::kRaceGrantInTwoSteps) && selected.size() > 1) {
    // The head is marked and told, the rest follow.
    Row& first = session.rows[selected.front()];
    first.counter = token;
    first.record = record;
    std::vector<QueuedWorkBatch> rest;
    for (std::size_t i : selected) {
      claim.batches.push_back(session.rows[i].batch);
      if (i != selected.front()) rest.push_back(session.rows[i].batch);
    }
    LetOthersIn("head_marked");
    for (Row& row : session.rows) {
      for (const QueuedWorkBatch& batch : rest) {
        if (row.batch.batch_id != batch.batch_id) continue;
        row.counter = token;
        row.record = record;
      }
    }
    return claim;
  }
  for (std::size_t i : selected) {
    Row& row = session.rows[i];
    row.counter = Deviates(Deviation::kHeadRuleCounters) ? row.counter + 1 : token;
    row.record = record;
    claim.batches.push_back(row.batch);
  }
  return claim;
}

// Lets others in, then finds the selected rows again; those that went meanwhile are left out.
Positions SlipStore::SelectedAfterPause(Asker& asker, const Positions& selected, absl::string_view point) {
  std::set<std::string> batch_ids;
  for (std::size_t i : selected) batch_ids.insert(state_.sessions[asker.session_id].rows[i].batch.batch_id);
  asker.now = LetOthersIn(point);
  const std::vector<Row>& rows = state_.sessions[asker.session_id].rows;
  Positions found;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (batch_ids.count(rows[i].batch.batch_id) > 0) found.push_back(i);
  }
  return found;
}

Result<Positions> SlipStore::SelectChecked(Asker& asker, absl::FunctionRef<Result<Positions>(const Session&)> select) {
  if (!FenceHolds(asker.session_id, *asker.fence, asker.now)) return Fail(SessionExecutionLeaseExpired{asker.session_id});
  if (Deviates(Deviation::kTimesAbove63BitsRefused) && SaturatingAdd(asker.now, asker.ttl) > kEndOfSignedTime) {
    return Fail(Backend{"the time is out of range"});
  }
  if (Slips(Slip::kRaceFenceThenClaim)) asker.now = LetOthersIn("fence_checked");
  return select(state_.sessions[asker.session_id]);
}

// The token that a claim would give now; only a slip wants to know it early.
std::optional<SlipStore::EarlyToken> SlipStore::ReadTokenEarly(const ClaimReadyQueuedWorkRequest& request) {
  const Asker asker{request.session_id, request.owner, request.lease_ttl_ms, Now()};
  const Session& session = state_.sessions[request.session_id];
  const Result<Positions> selected = SelectTurnWork(session, asker, request.boundary, request.max_batches);
  if (!selected.has_value() || selected->empty()) return std::nullopt;
  return EarlyToken{session.rows[selected->front()].batch.batch_id, NextToken(session, *selected, asker.now)};
}

Result<std::optional<QueuedWorkClaim>> SlipStore::GrantSelected(Asker& asker, Positions selected,
                                                                const std::optional<EarlyToken>& early) {
  if (selected.empty()) return std::nullopt;
  if (Slips(Slip::kRaceSelectThenMark)) {
    selected = SelectedAfterPause(asker, selected, "batches_selected");
    if (!FenceHolds(asker.session_id, *asker.fence, asker.now)) return Fail(SessionExecutionLeaseExpired{asker.session_id});
  }
  if (selected.empty()) return std::nullopt;
  const Session& session = state_.sessions[asker.session_id];
  uint64_t token = NextToken(session, selected, asker.now);
  if (early.has_value() && early->head_id == session.rows[selected.front()].batch.batch_id) token = early->token;
  QueuedWorkClaim claim = Grant(asker, selected, token);
  if (!Slips(Slip::kCrashGrantWrittenLate)) Persist();
  return claim;
}

Result<std::optional<QueuedWorkClaim>> SlipStore::ClaimLeadingReadySessionCommand(
    const ClaimLeadingReadySessionCommandRequest& request) {
  absl::MutexLock lock(&mutex_);
  Asker asker{request.session_id, request.owner, request.lease_ttl_ms, Now(), &request.session_execution_lease};
  Result<Positions> selected = SelectChecked(asker, [&](const Session& session) { return SelectCommand(session, asker); });
  if (!selected.has_value()) return Fail(selected.error());
  return GrantSelected(asker, *selected);
}

Result<std::optional<QueuedWorkClaim>> SlipStore::ClaimReadyQueuedWork(const ClaimReadyQueuedWorkRequest& request) {
  uint64_t max_batches = request.max_batches;
  if (max_batches == 0 && Slips(Slip::kMaxZeroIsUnlimited)) max_batches = kEndOfTime;
  if (max_batches == 0 && !Deviates(Deviation::kZeroChecksLane)) return std::nullopt;
  const std::optional<EpochMs> early = ReadEarly(Slip::kRaceTimeBeforeLock);
  absl::MutexLock lock(&mutex_);
  CarryOutLate();
  std::optional<EarlyToken> early_token;
  if (Slips(Slip::kRaceCounterReadThenWrite)) {
    early_token = ReadTokenEarly(request);
    LetOthersIn("counter_read");
  }
  const EpochMs now = early.value_or(Now());
  Asker asker{request.session_id, request.owner, request.lease_ttl_ms, now, &request.session_execution_lease};
  Result<Positions> selected = SelectChecked(asker, [&](const Session& session) {
    return max_batches == 0 ? Positions() : SelectTurnWork(session, asker, request.boundary, max_batches);
  });
  if (!selected.has_value()) return Fail(selected.error());
  return GrantSelected(asker, *selected, early_token);
}

// Whether these are the batches that were asked for; a slip may change what is granted.
bool SlipStore::IdsGranted(const Session& session, const Asker& asker, const std::vector<std::string>& batch_ids,
                           Positions* selected) const {
  std::vector<std::string> granted;
  for (std::size_t i : *selected) granted.push_back(session.rows[i].batch.batch_id);
  if (Slips(Slip::kIdsSkipEarlier) && granted != batch_ids) {
    Positions asked;
    for (std::size_t i : Candidates(session, asker, batch_ids.size())) {
      const QueuedWorkBatch& batch = session.rows[i].batch;
      const bool listed = std::find(batch_ids.begin(), batch_ids.end(), batch.batch_id) != batch_ids.end();
      if (listed && ClassOf(batch) == WorkClass::kTurnWork) asked.push_back(i);
    }
    if (batch_ids.size() == 1 && asked.size() == 1) return *selected = asked, true;
  }
  if (Slips(Slip::kIdsAsSet)) {
    return std::set<std::string>(granted.begin(), granted.end()) == std::set<std::string>(batch_ids.begin(), batch_ids.end());
  }
  if (Slips(Slip::kIdsReturnPrefix)) {
    return !granted.empty() && granted.size() <= batch_ids.size() &&
           std::equal(granted.begin(), granted.end(), batch_ids.begin());
  }
  return granted == batch_ids;
}

Result<std::optional<QueuedWorkClaim>> SlipStore::ClaimReadyQueuedWorkByBatchIds(
    const ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  const std::vector<std::string>& ids = request.batch_ids;
  if (ids.empty() && !Deviates(Deviation::kZeroChecksLane)) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  Asker asker{request.session_id, request.owner, request.lease_ttl_ms, Now(), &request.session_execution_lease};
  const uint64_t max_batches = Slips(Slip::kIdsPrefixRefused) ? kEndOfTime : ids.size();
  Result<Positions> selected = SelectChecked(asker, [&](const Session& session) {
    return ids.empty() ? Positions() : SelectTurnWork(session, asker, request.boundary, max_batches);
  });
  if (!selected.has_value()) return Fail(selected.error());
  if (IdsGranted(state_.sessions[asker.session_id], asker, ids, &*selected)) {
    if (Slips(Slip::kRaceIdsCheckThenClaim)) *selected = SelectedAfterPause(asker, *selected, "ids_compared");
    return GrantSelected(asker, *selected);
  }
  if (Slips(Slip::kIdsMismatchKeepsClaim)) GrantSelected(asker, *selected);
  if (Deviates(Deviation::kIdsClaimThenAbandon)) {
    const Result<std::optional<QueuedWorkClaim>> claim = GrantSelected(asker, *selected);
    if (claim.has_value() && claim->has_value()) {
      LetOthersIn("ids_claimed");
      for (Row* row : OwnedRows(**claim, false)) row->record.reset();
      Persist();
    }
  }
  return std::nullopt;
}

}  // namespace leasecheck::mutants
