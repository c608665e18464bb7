// The commit, and what it leaves.
#include <algorithm>
#include <functional>
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

Result<RuntimeCommitResult> SlipStore::CommitRuntimeState(const CommitRuntimeStateRequest& request) {
  absl::MutexLock lock(&mutex_);
  CarryOutLate();
  Result<RuntimeCommitResult> result = Commit(request.commit, Now());
  const bool lost_its_head = !result.has_value() && std::holds_alternative<HeadRevisionConflict>(result.error());
  // The settlement was handed to somebody who is not told of the refusal.
  if (Slips(Slip::kLateRefusedCommitSettles) && lost_its_head && !CheckCompletions(request.commit, Now()).has_value()) {
    refused_commit_ = request.commit;
  }
  return result;
}

// Where a slip leaves the critical section: lets others in, then repeats every check but the slip's own, so that only that
// one goes stale.
std::optional<Result<RuntimeCommitResult>> SlipStore::RaceWindow(Slip slip, absl::string_view point, const RuntimeCommit& commit,
                                                                 EpochMs* now) {
  if (!Slips(slip)) return std::nullopt;
  *now = LetOthersIn(point);
  if (auto replayed = Replay(commit, *now)) return replayed;
  if (slip == Slip::kRaceFenceThenCommit) return std::nullopt;
  if (Error error = CheckFence(commit, *now)) return Fail(*error);
  if (slip == Slip::kRaceHeadThenApply) return std::nullopt;
  if (Error error = CheckHead(commit)) return Fail(*error);
  return std::nullopt;
}

Result<RuntimeCommitResult> SlipStore::Commit(const RuntimeCommit& commit, EpochMs now) {
  const uint64_t head_at_start = state_.sessions[commit.session_id].head_revision;
  if (Deviates(Deviation::kUnconditionalLoses)) now = LetOthersIn("head_read");
  if (Error error = CheckBinding(commit)) return Fail(*error);
  const bool foreign_stamp = commit.turn_commit.has_value() && commit.turn_commit->session_id != commit.session_id;
  if (foreign_stamp && !Slips(Slip::kCommitStampSessionUnchecked)) {
    return Fail(RuntimeTurnCommitConflict{commit.turn_commit->session_id, commit.turn_commit->turn_id});
  }
  if (auto replayed = Replay(commit, now)) return *replayed;
  if (Slips(Slip::kRaceReplayThenApply) || Deviates(Deviation::kReplayLoserGetsError)) now = LetOthersIn("stamp_looked_up");
  const bool claims_first = Slips(Slip::kCommitChecksClaimsBeforeHead);
  if (Error error = CheckFence(commit, now)) return Fail(*error);
  if (auto replayed = RaceWindow(Slip::kRaceFenceThenCommit, "fence_checked", commit, &now)) return *replayed;
  if (claims_first) {
    if (Error error = CheckCompletions(commit, now)) return Fail(*error);
  }
  if (Error error = CheckHead(commit)) return Fail(*error);
  if (auto replayed = RaceWindow(Slip::kRaceHeadThenApply, "head_checked", commit, &now)) return *replayed;
  const uint64_t head = state_.sessions[commit.session_id].head_revision;
  if (Deviates(Deviation::kUnconditionalLoses) && !commit.expected_head_revision.has_value() && head != head_at_start) {
    return Fail(HeadRevisionConflict{std::nullopt, head});
  }
  SlipBeforeCompletions(commit);
  // Checked once and settled at once, or checked in turn.
  Error bad_inputs;
  const bool inputs_first = Slips(Slip::kInputSettledBeforeQueue);
  if (inputs_first) bad_inputs = CheckInputCompletions(commit, now);
  if (inputs_first && !bad_inputs.has_value()) SettleInputs(commit);
  if (!claims_first) {
    if (Error error = CheckCompletions(commit, now)) return Fail(*error);
  }
  if (Slips(Slip::kInputQueueSettledFirst)) Settle(commit);
  if (!inputs_first) bad_inputs = CheckInputCompletions(commit, now);
  if (bad_inputs.has_value()) return Fail(*bad_inputs);
  if (auto replayed = RaceWindow(Slip::kRaceCompletionsThenApply, "completions_checked", commit, &now)) return *replayed;
  if (auto replayed = RaceWindow(Slip::kRaceInputCompletionsThenApply, "inputs_checked", commit, &now)) return *replayed;
  if (Slips(Slip::kRaceInputCompletionsThenApply)) {
    if (Error error = CheckCompletions(commit, now)) return Fail(*error);
  }
  if (Deviates(Deviation::kReplayLoserGetsError) && commit.turn_commit.has_value() &&
      state_.sessions[commit.session_id].stamps.count(commit.turn_commit->turn_id) > 0) {
    return Fail(HeadRevisionConflict{commit.expected_head_revision, head});
  }
  if (Deviates(Deviation::kForeignReleaseRefused) && commit.release_session_execution_lease.has_value() &&
      commit.release_session_execution_lease->session_id != commit.session_id) {
    return Fail(Backend{"the release is of another session"});
  }
  const bool stamp_first = Slips(Slip::kCrashStampWrittenFirst) && commit.turn_commit.has_value();
  if (disk_ != nullptr && (stamp_first || Slips(Slip::kCrashCommitInTwoWrites))) {
    WriteAhead(commit);
    now = LetOthersIn("written_ahead");
    // All else is right: it is looked at again.
    if (auto replayed = Replay(commit, now)) return *replayed;
    if (Error error = CheckFence(commit, now)) return Fail(*error);
    if (Error error = CheckHead(commit)) return Fail(*error);
    if (Error error = CheckCompletions(commit, now)) return Fail(*error);
    if (Error error = CheckInputCompletions(commit, now)) return Fail(*error);
  }
  return Apply(commit);
}

// Puts a part of the commit on the disk: the stamp alone, or all but the settlement.
void SlipStore::WriteAhead(const RuntimeCommit& commit) {
  StoreState image = state_;
  Session& session = image.sessions[commit.session_id];
  const RuntimeCommitResult result = ResultOf(commit, session.head_revision + 1);
  if (commit.turn_commit.has_value()) {
    session.stamps[commit.turn_commit->turn_id] = {commit.turn_commit->turn_commit_hash, result};
  }
  if (Slips(Slip::kCrashCommitInTwoWrites)) {
    ++session.head_revision;
    session.body = commit.body;
    image.bound_session = commit.session_id;
  }
  image.next_id = state_.next_id;
  disk_->Write(life_, std::move(image));
}

SlipStore::Error SlipStore::CheckBinding(const RuntimeCommit& commit) {
  const bool bound = state_.bound_session.has_value();
  if (bound && *state_.bound_session != commit.session_id && !Deviates(Deviation::kBindsNever)) {
    return SessionBindingMismatch{*state_.bound_session, commit.session_id};
  }
  if (Deviates(Deviation::kBindsOnAttempt)) state_.bound_session = commit.session_id;
  return std::nullopt;
}

// The answer to a stamp that is recorded already, or nothing where the commit has to run.
std::optional<Result<RuntimeCommitResult>> SlipStore::Replay(const RuntimeCommit& commit, EpochMs now) {
  if (!commit.turn_commit.has_value()) return std::nullopt;
  const RuntimeTurnCommitStamp& stamp = *commit.turn_commit;
  Session& session = state_.sessions[commit.session_id];
  auto recorded = session.stamps.find(stamp.turn_id);
  if (recorded == session.stamps.end()) return std::nullopt;
  if (recorded->second.hash != stamp.turn_commit_hash && !Slips(Slip::kReplayAnyHash)) {
    return Fail(RuntimeTurnCommitConflict{stamp.session_id, stamp.turn_id});
  }
  if (Slips(Slip::kReplayRunsAgain)) return std::nullopt;
  if (Slips(Slip::kReplayChecksLane)) {
    if (Error error = CheckFence(commit, now)) return Fail(*error);
  }
  if (Slips(Slip::kInputReplayInterruptsAgain)) InterruptInputs(commit);
  if (Slips(Slip::kReplaySettlesAgain) && !CheckCompletions(commit, now).has_value()) Settle(commit);
  RuntimeCommitResult result = recorded->second.result;
  if (Slips(Slip::kReplayReturnsCurrentHead)) result.head_revision = session.head_revision;
  if (!Slips(Slip::kReplayIgnoresRelease)) HonourRelease(commit);
  Persist();
  return result;
}

SlipStore::Error SlipStore::CheckFence(const RuntimeCommit& commit, EpochMs now) {
  const auto& fence = commit.session_execution_lease;
  if (!fence.has_value() && Slips(Slip::kCommitFenceOptional)) return std::nullopt;
  if (fence.has_value() && FenceHolds(commit.session_id, *fence, now)) return std::nullopt;
  return SessionExecutionLeaseExpired{commit.session_id};
}

SlipStore::Error SlipStore::CheckHead(const RuntimeCommit& commit) {
  if (Slips(Slip::kCommitHeadUnchecked)) return std::nullopt;
  const uint64_t head = state_.sessions[commit.session_id].head_revision;
  std::optional<uint64_t> expected = commit.expected_head_revision;
  if (Slips(Slip::kCommitNoExpectationIsZero)) expected = expected.value_or(0);
  if (!expected.has_value() || *expected == head) return std::nullopt;
  return HeadRevisionConflict{commit.expected_head_revision, head};
}

// The effects that come too early: they stay although a completion turns out to be bad.
void SlipStore::SlipBeforeCompletions(const RuntimeCommit& commit) {
  Session& session = state_.sessions[commit.session_id];
  if (Slips(Slip::kCommitAdvancesHeadFirst)) ++session.head_revision;
  if (Slips(Slip::kCommitStoresBodyFirst)) session.body = commit.body;
  if (Slips(Slip::kCommitReleasesFirst)) HonourRelease(commit);
  if (Slips(Slip::kInputInterruptBeforeChecks)) InterruptInputs(commit);
  if (Slips(Slip::kCommitRecordsStampFirst) && commit.turn_commit.has_value()) {
    session.stamps[commit.turn_commit->turn_id] = {commit.turn_commit->turn_commit_hash,
                                                   ResultOf(commit, session.head_revision + 1)};
  }
}

SlipStore::Error SlipStore::CheckCompletions(const RuntimeCommit& commit, EpochMs now) {
  const std::vector<QueuedWorkCompletion>& completions = commit.completed_queue_claims;
  std::set<std::string> settled;
  for (auto completion = completions.begin(); completion != completions.end(); ++completion) {
    const bool repeated = std::find(completions.begin(), completion, *completion) != completion;
    if (repeated && Deviates(Deviation::kSameCompletionTwice)) continue;
    std::set<std::string> own;
    bool distinct = true;
    for (const std::string& batch_id : completion->batch_ids) {
      if (!own.insert(batch_id).second && Deviates(Deviation::kDuplicateIdsAreSet)) continue;
      distinct = settled.insert(batch_id).second && distinct;
    }
    if (!distinct || !Completes(commit, *completion, now)) {
      return QueuedWorkClaimExpired{completion->session_id, completion->claim_id};
    }
    if (Slips(Slip::kCommitDeletesAsItChecks)) {
      for (const std::string& batch_id : completion->batch_ids) RemoveRow(state_.sessions[completion->session_id], batch_id);
    }
  }
  return std::nullopt;
}

bool SlipStore::Completes(const RuntimeCommit& commit, const QueuedWorkCompletion& completion, EpochMs now) {
  if (completion.session_id != commit.session_id && !Slips(Slip::kCommitForeignSession)) return false;
  if (completion.batch_ids.empty()) return !Deviates(Deviation::kEmptyCompletionRefused);
  const std::vector<Row>& rows = state_.sessions[completion.session_id].rows;
  std::size_t claimed = 0;  // batches under this claim, listed or not
  std::set<std::string> owned;
  for (const Row& row : rows) {
    if (!OwnedByCompletion(row, completion, now)) continue;
    ++claimed;
    owned.insert(row.batch.batch_id);
  }
  const std::set<std::string> listed(completion.batch_ids.begin(), completion.batch_ids.end());
  if (Slips(Slip::kCommitIgnoresForeignIds)) {
    return std::any_of(listed.begin(), listed.end(), [&](const std::string& id) { return owned.count(id) > 0; });
  }
  if (Deviates(Deviation::kPartialRefused) && claimed != listed.size()) return false;
  return std::all_of(listed.begin(), listed.end(), [&](const std::string& id) { return owned.count(id) > 0; });
}

bool SlipStore::OwnedByCompletion(const Row& row, const QueuedWorkCompletion& completion, EpochMs now) {
  if (!row.record.has_value()) return false;
  const ClaimRecord& record = *row.record;
  if (Slips(Slip::kCommitAcceptsAnyClaim)) return true;
  if (record.claim_id != completion.claim_id) return false;
  if (record.lease_token != completion.lease_token && !Slips(Slip::kCommitTrustsClaimId)) return false;
  const bool refuses_lapsed = Slips(Slip::kCommitRefusesLapsedClaim) || Deviates(Deviation::kRefusesLapsedSettlement);
  if (refuses_lapsed && record.expires <= now) return false;
  return !Slips(Slip::kCommitNeedsClaimsLane) || record.lane_fence == LaneSession(completion.session_id).lane.counter;
}

// Removes what the commit's completions list.
void SlipStore::Settle(const RuntimeCommit& commit) {
  for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) {
    Session& session = state_.sessions[completion.session_id];
    std::vector<std::string> batch_ids = completion.batch_ids;
    for (const Row& row : session.rows) {
      const bool claimed = row.record.has_value() && row.record->lease_token == completion.lease_token;
      const auto listed = std::find(batch_ids.begin(), batch_ids.end(), row.batch.batch_id);
      if (Slips(Slip::kCommitDeletesWholeClaim) && claimed && listed == batch_ids.end()) batch_ids.push_back(row.batch.batch_id);
      if (Slips(Slip::kCommitIgnoresForeignIds) && !claimed && listed != batch_ids.end()) batch_ids.erase(listed);
    }
    for (const std::string& batch_id : batch_ids) {
      state_.settled.insert({completion.lease_token, batch_id});
      RemoveRow(session, batch_id);
    }
    if (Slips(Slip::kCommitSettlesFirstCompletionOnly)) break;
  }
}

RuntimeCommitResult SlipStore::ResultOf(const RuntimeCommit& commit, uint64_t head_revision) {
  const bool by_content = Deviates(Deviation::kCheckpointRefByContent);
  const uint64_t number = by_content ? std::hash<std::string>()(commit.body.text) : state_.next_id++;
  return {head_revision, OpaqueJson{absl::StrCat("\"checkpoint-", number, "\"")}, OpaqueJson{"{}"}};
}

RuntimeCommitResult SlipStore::Apply(const RuntimeCommit& commit) {
  Session* session = &state_.sessions[commit.session_id];
  state_.bound_session = commit.session_id;
  if (!Slips(Slip::kCommitAdvancesHeadFirst)) ++session->head_revision;
  session->body = commit.body;
  RuntimeCommitResult result = ResultOf(commit, session->head_revision);
  if (commit.turn_commit.has_value()) {
    session->stamps[commit.turn_commit->turn_id] = {commit.turn_commit->turn_commit_hash, result};
  }
  if (Slips(Slip::kRaceCommitInTwoSteps)) LetOthersIn("state_stored");
  if (Slips(Slip::kCrashSettlementWrittenLate)) unsettled_ = {commit.session_id, session->rows};
  if (Slips(Slip::kCrashInputsSettledLate)) unsettled_inputs_ = {commit.session_id, session->inputs};
  if (!Slips(Slip::kInputQueueSettledFirst)) Settle(commit);
  if (!Slips(Slip::kInputSettledBeforeQueue)) SettleInputs(commit);
  const bool interrupts_later = Slips(Slip::kRaceInputInterruptInOwnStep);
  if (!interrupts_later) InterruptInputs(commit);
  if (!Slips(Slip::kCommitReleasesFirst)) HonourRelease(commit);
  if (!Slips(Slip::kCrashCommitWrittenLate)) Persist();
  if (!interrupts_later || !commit.interrupted_turn_input_turn_id.has_value()) return result;
  LetOthersIn("commit_done");
  InterruptInputs(commit);
  Persist();
  return result;
}

Result<std::optional<LoadedSession>> SlipStore::LoadSession(const LoadSessionRequest&) {
  absl::MutexLock lock(&mutex_);
  if (!state_.bound_session.has_value()) return std::nullopt;
  const Session& session = state_.sessions[*state_.bound_session];
  if (session.head_revision == 0) return std::nullopt;
  return LoadedSession{*state_.bound_session, session.head_revision, session.body};
}

}  // namespace leasecheck::mutants
