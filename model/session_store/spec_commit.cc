// The commit, and load_session.
#include <algorithm>
#include <memory>

#include "model/session_store/spec_internal.h"
#include "model/session_store/spec_turn_input.h"

namespace leasecheck::session_store::spec_internal {
namespace {

using CommitAnswer = Answer<RuntimeCommitResult>;

// The first of the commit's checks that decides it (SC-CMT-2 to SC-CMT-6); kCompletions where they all pass.
enum class Check { kStampSession, kReplay, kOtherHash, kFence, kHead, kCompletions };

const RecordedTurn* FindTurn(const SessionState& session, absl::string_view turn_id) {
  const auto& turns = *session.turns;
  auto found = std::lower_bound(turns.begin(), turns.end(), turn_id,
                                [](const auto& turn, absl::string_view id) { return turn.first < id; });
  return found == turns.end() || found->first != turn_id ? nullptr : found->second.get();
}

void SetTurn(SessionState& session, const RuntimeTurnCommitStamp& stamp, bool seen, RuntimeCommitResult result) {
  auto turn = std::make_shared<const RecordedTurn>(RecordedTurn{stamp.turn_commit_hash, seen, std::move(result)});
  auto& turns = session.turns.Edit();
  auto at = std::lower_bound(turns.begin(), turns.end(), stamp.turn_id,
                             [](const auto& old, const std::string& id) { return old.first < id; });
  if (at != turns.end() && at->first == stamp.turn_id) {
    at->second = std::move(turn);
  } else {
    turns.emplace(at, stamp.turn_id, std::move(turn));
  }
}

Check DecidingCheck(const Judge& judge, const SessionState& session, const RuntimeCommit& commit) {
  if (commit.turn_commit.has_value()) {
    if (commit.turn_commit->session_id != commit.session_id) return Check::kStampSession;
    if (const RecordedTurn* turn = FindTurn(session, commit.turn_commit->turn_id)) {
      return turn->hash == commit.turn_commit->turn_commit_hash ? Check::kReplay : Check::kOtherHash;
    }
  }
  const auto& fence = commit.session_execution_lease;
  if (!fence.has_value() || !FenceValid(judge, session, commit.session_id, *fence)) return Check::kFence;
  const auto& expected = commit.expected_head_revision;
  if (expected.has_value() && *expected != session.head_revision) return Check::kHead;
  return Check::kCompletions;
}

bool NamesStamp(const RuntimeTurnCommitConflict* conflict, const RuntimeTurnCommitStamp& stamp) {
  return conflict != nullptr && conflict->session_id == stamp.session_id && conflict->turn_id == stamp.turn_id;
}

// The lane that the commit's release frees. It may name another session than the commit's only in a lenient case (QW-LAT-30).
bool ReleasesForeignLane(const RuntimeCommit& commit) {
  return commit.release_session_execution_lease.has_value() &&
         commit.release_session_execution_lease->session_id != commit.session_id;
}

void HonourRelease(Judge& judge, const RuntimeCommit& commit) {
  if (!commit.release_session_execution_lease.has_value()) return;
  const SessionExecutionLeaseCompletion& release = *commit.release_session_execution_lease;
  if (!MatchesLane(judge.Session(release.session_id), release)) return;
  if (!ReleasesForeignLane(commit)) {
    judge.state.Edit(release.session_id).holder = nullptr;
  } else if (judge.alternatives != nullptr) {
    SpecState other = judge.state;
    other.Edit(release.session_id).holder = nullptr;
    judge.AddAlternative(std::move(other));
  }
}

bool OverlapsCommitOf(const Judge& judge, const RuntimeCommit& commit, bool same_turn) {
  return judge.OverlapsAny([&](const SessionStoreSpec::Request& request) {
    const auto* other = std::get_if<CommitRuntimeStateRequest>(&request);
    if (other == nullptr || other->commit.session_id != commit.session_id) return false;
    return !same_turn || other->commit.turn_commit == commit.turn_commit;
  });
}

// Binding.

Verdict JudgeBindingMismatch(const Judge& judge, const RuntimeCommit& commit, const SessionBindingMismatch& mismatch) {
  const std::string& bound = mismatch.bound_session_id;
  const bool other = bound != commit.session_id && mismatch.attempted_session_id == commit.session_id;
  // A store may bind to the first session that tries (QW-LAT-28).
  const bool known = judge.state.bound_session == bound || judge.state.first_committer == bound || judge.context.partitioned;
  if (!other || !known) return Refuse<"SC-CMT-1">();
  judge.Refused<"SC-CMT-1">();
  return kAllowed;
}

// Replay.

Verdict JudgeReplay(Judge& judge, const SessionState& session, const RuntimeCommit& commit, const CommitAnswer& answer) {
  const RuntimeTurnCommitStamp& stamp = *commit.turn_commit;
  if (answer.error != nullptr) {
    const bool loser = answer.ErrorIf<HeadRevisionConflict>() != nullptr || answer.ErrorIf<QueuedWorkClaimExpired>() != nullptr ||
                       answer.ErrorIf<TurnInputClaimExpired>() != nullptr ||
                       answer.ErrorIf<SessionExecutionLeaseExpired>() != nullptr;
    return loser && OverlapsCommitOf(judge, commit, true) ? kAllowed : Refuse<"SC-CMT-3">();  // QW-LAT-27
  }
  if (answer.response != nullptr) {
    const RecordedTurn& turn = *FindTurn(session, stamp.turn_id);
    const RuntimeCommitResult& result = *answer.response;
    if (turn.seen ? turn.result != result : turn.result.head_revision != result.head_revision) return Refuse<"SC-CMT-3">();
    const auto& fence = commit.session_execution_lease;
    judge.Held<"SC-CMT-3">();
    judge.Held<"TI-CMT-3">(ConcernsInputs(commit));
    judge.Held<"QW-INV-14">();
    judge.Held<"SC-CMT-15">(!fence.has_value() || !FenceValid(judge, session, commit.session_id, *fence));
    if (!turn.seen) SetTurn(judge.state.Edit(commit.session_id), stamp, true, result);
  }
  HonourRelease(judge, commit);
  return kAllowed;
}

// The failing checks.

Verdict JudgeStampConflict(const Judge& judge, const RuntimeCommit& commit, Check check, const CommitAnswer& answer) {
  if (answer.unseen) return kAllowed;
  const bool own = check == Check::kOtherHash;
  if (!NamesStamp(answer.ErrorIf<RuntimeTurnCommitConflict>(), *commit.turn_commit)) {
    return own ? Refuse<"SC-CMT-4">() : Refuse<"SC-CMT-2">();
  }
  judge.Refused<"SC-CMT-4">(own);
  judge.Refused<"QW-INV-14">(own);
  judge.Refused<"SC-CMT-2">(!own);
  return kAllowed;
}

void CountFailure(const Judge& judge, const RuntimeCommit& commit) {
  judge.Refused<"SC-CMT-11">(!commit.completed_queue_claims.empty());
  judge.Refused<"TI-CMT-2">(ConcernsInputs(commit));
  judge.Refused<"SC-CMT-12">(commit.turn_commit.has_value());
  judge.Refused<"QW-INV-13">();
}

Verdict JudgeLostFence(const Judge& judge, const RuntimeCommit& commit, const CommitAnswer& answer) {
  if (answer.unseen) return kAllowed;
  const auto* expired = answer.ErrorIf<SessionExecutionLeaseExpired>();
  if (expired == nullptr || expired->session_id != commit.session_id) return Refuse<"SC-CMT-5">();
  judge.Refused<"SC-CMT-5">();
  judge.Refused<"TI-CMT-15">(!commit.completed_turn_input_claims.empty());
  judge.Refused<"TI-INV-18">(!commit.completed_turn_input_claims.empty());
  judge.Refused<"QW-INV-11">();
  CountFailure(judge, commit);
  return kAllowed;
}

Verdict JudgeLostHead(const Judge& judge, const SessionState& session, const RuntimeCommit& commit, const CommitAnswer& answer) {
  if (answer.unseen) return kAllowed;
  const auto* conflict = answer.ErrorIf<HeadRevisionConflict>();
  if (conflict == nullptr || conflict->expected != commit.expected_head_revision || conflict->actual != session.head_revision) {
    return Refuse<"SC-CMT-6">();
  }
  judge.Refused<"SC-CMT-6">();
  CountFailure(judge, commit);
  return kAllowed;
}

// Completions.

std::size_t OwnedCount(const SessionState& session, const QueuedWorkCompletion& completion) {
  return OwnedRows(session, completion.claim_id, completion.lease_token).size();
}

bool ListedBefore(const RuntimeCommit& commit, std::size_t index, std::size_t position) {
  const std::vector<std::string>& ids = commit.completed_queue_claims[index].batch_ids;
  const std::string& id = ids[position];
  if (std::find(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(position), id) !=
      ids.begin() + static_cast<std::ptrdiff_t>(position)) {
    return true;
  }
  for (std::size_t i = 0; i < index; ++i) {
    const std::vector<std::string>& earlier = commit.completed_queue_claims[i].batch_ids;
    if (std::find(earlier.begin(), earlier.end(), id) != earlier.end()) return true;
  }
  return false;
}

Verdict BlameCompletion(const Judge& judge, const SessionState& session, const RuntimeCommit& commit,
                        const QueuedWorkCompletion& completion) {
  if (!judge.blames()) return Refuse<"SC-CMT-7">();
  if (completion.session_id != commit.session_id) return Refuse<"SC-CMT-8">();
  std::size_t missing = 0;
  for (const std::string& id : completion.batch_ids) missing += session.FindRow(id) == nullptr ? 1 : 0;
  if (missing == completion.batch_ids.size()) return Refuse<"SC-CMT-14">();
  if (missing > 0 && OwnedCount(session, completion) > 0) return Refuse<"QW-CAN-4">();
  return Refuse<"SC-CMT-7">();
}

void CountBadCompletion(const Judge& judge, const SessionState& session, const RuntimeCommit& commit,
                        const QueuedWorkCompletion& completion) {
  if (!judge.counting()) return;
  const bool foreign = completion.session_id != commit.session_id;
  std::size_t missing = 0;
  for (const std::string& id : completion.batch_ids) missing += session.FindRow(id) == nullptr ? 1 : 0;
  const std::size_t owned = OwnedCount(session, completion);
  const bool partly =
      owned > 0 && session.rows[OwnedRows(session, completion.claim_id, completion.lease_token).front()].claim->partly_settled;
  judge.Refused<"SC-CMT-7">(!foreign);
  judge.Refused<"SC-CMT-8">(foreign);
  judge.Refused<"SC-CMT-14">(!foreign && owned == 0 && missing == completion.batch_ids.size());
  judge.Refused<"QW-CAN-4">(!foreign && owned > 0 && missing > 0 && !partly);
  judge.Refused<"TI-CMT-1">(!commit.completed_turn_input_claims.empty());
  CountFailure(judge, commit);
}

// The claim under which the completion's first batch stands; null where it does not own it.
const ClaimRecord* RecordOf(const SessionState& session, const QueuedWorkCompletion& completion) {
  if (completion.batch_ids.empty()) return nullptr;
  const Row* row = session.FindRow(completion.batch_ids.front());
  return row != nullptr && Owns(row->claim, completion.claim_id, completion.lease_token) ? row->claim.get() : nullptr;
}

// QueuedWorkClaimExpired where no completion accounts for it.
Verdict BlameExpired(const Judge& judge, const SessionState& session, const RuntimeCommit& commit,
                     const QueuedWorkClaimExpired& expired) {
  for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) {
    const ClaimRecord* record = RecordOf(session, completion);
    if (record == nullptr || completion.claim_id != expired.claim_id) continue;
    if (!record->expires.LiveAt(judge.now)) return Refuse<"SC-CMT-9">();
    if (record->lane_fencing != session.lane_fencing) return Refuse<"SC-CMT-13">();
  }
  return commit.completed_queue_claims.size() > 1 ? Refuse<"SC-CMT-15">() : Refuse<"SC-CMT-7">();
}

// A commit whose completions fail it, or may: one that may fail is named only up to the first that must.
struct Completions {
  bool must_fail = false;
  bool may_fail = false;
  std::size_t first_bad = 0;  // of must_fail
};

Completions FateOfAll(const Judge& judge, const SessionState& session, const RuntimeCommit& commit) {
  Completions fate;
  for (std::size_t i = 0; i < commit.completed_queue_claims.size(); ++i) {
    const CompletionFate one = FateOf(judge, session, commit, i);
    if (one == CompletionFate::kMayFail) fate.may_fail = true;
    if (one == CompletionFate::kMustFail) {
      fate.must_fail = true;
      fate.first_bad = i;
      return fate;
    }
  }
  return fate;
}

Verdict JudgeExpired(const Judge& judge, const SessionState& session, const RuntimeCommit& commit, const Completions& fate,
                     const QueuedWorkClaimExpired& expired) {
  const std::size_t end = fate.must_fail ? fate.first_bad + 1 : commit.completed_queue_claims.size();
  for (std::size_t i = 0; i < end; ++i) {
    const QueuedWorkCompletion& completion = commit.completed_queue_claims[i];
    if (completion.session_id != expired.session_id || completion.claim_id != expired.claim_id) continue;
    const CompletionFate one = FateOf(judge, session, commit, i);
    if (one == CompletionFate::kFine) continue;
    if (one == CompletionFate::kMustFail) CountBadCompletion(judge, session, commit, completion);
    return kAllowed;
  }
  if (fate.must_fail) return BlameCompletion(judge, session, commit, commit.completed_queue_claims[fate.first_bad]);
  return BlameExpired(judge, session, commit, expired);
}

// An error though the checks up to the completions pass.
Verdict JudgeLateError(const Judge& judge, const SessionState& session, const RuntimeCommit& commit, const Completions& fate,
                       const InputCompletions& inputs, const CommitAnswer& answer) {
  if (const auto* expired = answer.ErrorIf<TurnInputClaimExpired>()) {
    if (fate.must_fail) return Refuse<"TI-CMT-1">();
    const Verdict verdict = JudgeInputExpired(judge, session, commit, inputs, *expired);
    if (!verdict.has_value() && inputs.must_fail) CountFailure(judge, commit);
    return verdict;
  }
  if (answer.IsBackend() && ConcernsInputs(commit) && InputsOverlapped(judge, commit.session_id)) return kAllowed;  // TI-LAT-18
  if (const auto* expired = answer.ErrorIf<QueuedWorkClaimExpired>()) {
    return JudgeExpired(judge, session, commit, fate, *expired);
  }
  if (answer.ErrorIf<HeadRevisionConflict>() != nullptr) {
    const bool racing = !commit.expected_head_revision.has_value() && OverlapsCommitOf(judge, commit, false);
    return racing ? kAllowed : Refuse<"SC-CMT-6">();  // QW-LAT-31
  }
  const bool lease = answer.ErrorIf<SessionExecutionLeaseExpired>() != nullptr;
  if (ReleasesForeignLane(commit) && (lease || answer.IsBackend())) return kAllowed;  // QW-LAT-30
  if (lease) return Refuse<"SC-CMT-5">();
  if (answer.ErrorIf<RuntimeTurnCommitConflict>() != nullptr) {
    return commit.turn_commit.has_value() ? Refuse<"SC-CMT-12">() : Refuse<"SC-CMT-4">();
  }
  if (fate.must_fail) return BlameCompletion(judge, session, commit, commit.completed_queue_claims[fate.first_bad]);
  if (inputs.must_fail) return BlameInputCompletion(*session.inputs, commit, inputs.first_bad);
  return Refuse<"SC-CMT-10">();
}

// Success.

void CountSettled(const Judge& judge, const SessionState& session, const RuntimeCommit& commit) {
  for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) {
    const ClaimRecord* record = RecordOf(session, completion);
    if (record == nullptr) continue;
    judge.Held<"SC-CMT-7">();
    judge.Held<"SC-CMT-9">(!record->expires.LiveAt(judge.now));
    judge.Held<"QW-CLM-12">(!record->expires.LiveAt(judge.now));
    judge.Held<"SC-CMT-13">(record->lane_fencing != session.lane_fencing);
    judge.Held<"QW-CLM-18">(record->lane_fencing != session.lane_fencing);
  }
  const auto listed = [&](const ClaimRecord& record) {
    return std::any_of(commit.completed_queue_claims.begin(), commit.completed_queue_claims.end(), [&](const auto& completion) {
      return record.claim_id == completion.claim_id && record.lease_token == completion.lease_token;
    });
  };
  const bool others = std::any_of(session.rows.begin(), session.rows.end(),
                                  [&](const Row& row) { return row.claim != nullptr && !listed(*row.claim); });
  judge.Held<"SC-CMT-16">(others && !commit.completed_queue_claims.empty());
}

void CountCommitted(const Judge& judge, const SessionState& session, const RuntimeCommit& commit) {
  if (!judge.counting()) return;
  judge.Held<"SC-CMT-1">(judge.state.bound_session == commit.session_id);
  judge.Held<"SC-CMT-5">();
  judge.Held<"SC-CMT-6">(commit.expected_head_revision.has_value());
  judge.Held<"SC-CMT-10">();
  judge.Held<"SC-CMT-15">(commit.completed_queue_claims.size() > 1);
  judge.Held<"QW-INV-11">();
  judge.Held<"QW-INV-12">();
  judge.Held<"QW-INV-13">(!commit.completed_queue_claims.empty());
  CountSettled(judge, session, commit);
  CountInputsSettled(judge, session, commit);
}

void Settle(SessionState& session, const RuntimeCommit& commit) {
  Indices settled;
  for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) {
    bool rest = false;
    Indices owned = OwnedRows(session, completion.claim_id, completion.lease_token);
    for (std::size_t& index : owned) {
      const std::string& id = session.rows[index].stored->batch.batch_id;
      const auto& ids = completion.batch_ids;
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
        rest = true;
      } else if (std::find(settled.begin(), settled.end(), index) == settled.end()) {
        settled.push_back(index);
      }
    }
    if (!rest || completion.batch_ids.empty()) continue;
    auto record = std::make_shared<ClaimRecord>(*session.rows[owned.front()].claim);
    record->partly_settled = true;
    for (std::size_t index : owned) session.rows.Edit(index).claim = record;
  }
  std::sort(settled.begin(), settled.end());
  RemoveRows(session, settled);
}

void Apply(Judge& judge, const RuntimeCommit& commit, const RuntimeCommitResult* result) {
  SessionState& session = judge.state.Edit(commit.session_id);
  Settle(session, commit);
  SettleInputs(session, commit);
  ++session.head_revision;
  session.body = std::make_shared<const OpaqueJson>(commit.body);
  if (commit.turn_commit.has_value()) {
    RuntimeCommitResult recorded;
    if (result != nullptr) recorded = *result;
    recorded.head_revision = session.head_revision;
    SetTurn(session, *commit.turn_commit, result != nullptr, std::move(recorded));
  }
  if (!judge.state.bound_session.has_value()) judge.state.bound_session = commit.session_id;
  HonourRelease(judge, commit);
}

Verdict JudgeCompletions(Judge& judge, const SessionState& session, const RuntimeCommit& commit, const CommitAnswer& answer) {
  const Completions fate = FateOfAll(judge, session, commit);
  const InputCompletions inputs = FateOfAllInputs(judge, session, commit);
  if (answer.error != nullptr) return JudgeLateError(judge, session, commit, fate, inputs, answer);
  if (fate.must_fail || inputs.must_fail) {
    if (answer.unseen) return kAllowed;
    return fate.must_fail ? BlameCompletion(judge, session, commit, commit.completed_queue_claims[fate.first_bad])
                          : BlameInputCompletion(*session.inputs, commit, inputs.first_bad);
  }
  if (answer.response != nullptr) {
    if (answer.response->head_revision != session.head_revision + 1) return Refuse<"SC-CMT-10">();
    CountCommitted(judge, session, commit);
  } else if (fate.may_fail || inputs.may_fail) {
    judge.AddAlternative(judge.state);
  }
  Apply(judge, commit, answer.response);
  return kAllowed;
}

Verdict JudgeCommit(Judge& judge, const RuntimeCommit& commit, const CommitAnswer& answer) {
  if (const auto* mismatch = answer.ErrorIf<SessionBindingMismatch>()) return JudgeBindingMismatch(judge, commit, *mismatch);
  const std::optional<std::string>& bound = judge.state.bound_session;
  if (answer.unseen && bound.has_value() && *bound != commit.session_id) judge.AddAlternative(judge.state);  // QW-LAT-28
  const SessionState& session = judge.Session(commit.session_id);
  const Check check = DecidingCheck(judge, session, commit);
  switch (check) {
    case Check::kStampSession:
    case Check::kOtherHash:
      return JudgeStampConflict(judge, commit, check, answer);
    case Check::kReplay:
      return JudgeReplay(judge, session, commit, answer);
    case Check::kFence:
      return JudgeLostFence(judge, commit, answer);
    case Check::kHead:
      return JudgeLostHead(judge, session, commit, answer);
    case Check::kCompletions:
      break;
  }
  return JudgeCompletions(judge, session, commit, answer);
}

}  // namespace

CompletionFate FateOf(const Judge& judge, const SessionState& session, const RuntimeCommit& commit, std::size_t index) {
  const QueuedWorkCompletion& completion = commit.completed_queue_claims[index];
  if (completion.batch_ids.empty()) return CompletionFate::kMayFail;                 // QW-LAT-4
  if (completion.session_id != commit.session_id) return CompletionFate::kMustFail;  // QW-LAT-6
  bool may_fail = false;
  std::size_t distinct = 0;
  for (std::size_t i = 0; i < completion.batch_ids.size(); ++i) {
    const Row* row = session.FindRow(completion.batch_ids[i]);
    if (row == nullptr || !Owns(row->claim, completion.claim_id, completion.lease_token)) return CompletionFate::kMustFail;
    if (!judge.LiveClaim(*row) && judge.Declares("QW-LAT-7", "refuse")) may_fail = true;
    if (ListedBefore(commit, index, i)) {
      may_fail = true;  // QW-LAT-2, QW-LAT-5
    } else {
      ++distinct;
    }
  }
  may_fail = may_fail || distinct < OwnedCount(session, completion);  // QW-LAT-1
  return may_fail ? CompletionFate::kMayFail : CompletionFate::kFine;
}

Verdict JudgeCall(Judge& judge, const CommitRuntimeStateRequest& request, const CommitAnswer& answer) {
  const bool first = !judge.state.first_committer.has_value();
  if (first) judge.state.first_committer = request.commit.session_id;
  const Verdict verdict = JudgeCommit(judge, request.commit, answer);
  if (verdict.has_value() && first) judge.state.first_committer.reset();
  return verdict;
}

Verdict JudgeCall(Judge& judge, const LoadSessionRequest&, const Answer<std::optional<LoadedSession>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SC-LOD-1">();
  if (!answer.response->has_value()) {
    for (const Cow<SessionState>& session : judge.state.sessions()) {
      if (session->head_revision > 0) return Refuse<"SC-LOD-1">();
    }
    judge.Refused<"SC-LOD-1">();
    return kAllowed;
  }
  // Where a second session committed too, either may be what the store loads (QW-LAT-28).
  const LoadedSession& loaded = **answer.response;
  const SessionState& session = judge.Session(loaded.session_id);
  if (session.head_revision == 0) return judge.context.partitioned ? kAllowed : Refuse<"SC-LOD-1">();
  if (loaded.head_revision != session.head_revision || loaded.body != *session.body) return Refuse<"SC-LOD-1">();
  judge.Held<"SC-LOD-1">();
  return kAllowed;
}

}  // namespace leasecheck::session_store::spec_internal
