// The commit. Its checks come in one order, and the first that fails is the answer: binding, stamp's session, replay, head
// revision, completions, graph.
#include <algorithm>
#include <memory>

#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence::spec_internal {
namespace {

using CommitAnswer = Answer<RuntimeCommitResult>;

// The first of the checks that decides the commit; kCompletions where those before it pass.
enum class Check { kBinding, kStampSession, kReplay, kOtherHash, kHead, kCompletions };

Check DecidingCheck(const SpecState& state, const RuntimeCommit& commit) {
  if (state.bound_session.has_value() && *state.bound_session != commit.session_id) return Check::kBinding;
  if (commit.turn_commit.has_value()) {
    if (commit.turn_commit->session_id != commit.session_id) return Check::kStampSession;
    if (const RecordedTurn* turn = state.FindTurn(commit.turn_commit->turn_id)) {
      return turn->hash == commit.turn_commit->turn_commit_hash ? Check::kReplay : Check::kOtherHash;
    }
  }
  const auto& expected = commit.expected_head_revision;
  return expected.has_value() && *expected != state.head_revision ? Check::kHead : Check::kCompletions;
}

// A loser of a race without an expectation may be told of a conflict with the revision that it had read itself (RP-LAT-21).
bool LostRace(const Judge& judge, const RuntimeCommit& commit, const CommitAnswer& answer) {
  const auto* conflict = answer.ErrorIf<HeadRevisionConflict>();
  if (conflict == nullptr || commit.expected_head_revision.has_value() || !conflict->expected.has_value()) return false;
  return judge.OverlapsAny(
      [](const RuntimePersistenceSpec::Request& other) { return std::holds_alternative<CommitRuntimeStateRequest>(other); });
}

void CountFailure(const Judge& judge, const RuntimeCommit& commit) {
  if (!judge.counting()) return;
  Memory& memory = judge.state.memory.Edit();
  if (judge.state.head_revision == 0) memory.failed_unbound = true;
  if (commit.turn_commit.has_value()) AddTo(memory.failed_turns, commit.turn_commit->turn_id);
}

// Binding, stamps, head.

Verdict JudgeForeign(const Judge& judge, const RuntimeCommit& commit, const CommitAnswer& answer) {
  if (answer.unseen) return kAllowed;
  const auto* mismatch = answer.ErrorIf<SessionBindingMismatch>();
  const bool right = mismatch != nullptr && mismatch->bound_session_id == *judge.state.bound_session &&
                     mismatch->attempted_session_id == commit.session_id;
  if (!right) return Refuse<"RP-CMT-2">();
  judge.Refused<"RP-CMT-2">();
  return kAllowed;
}

Verdict JudgeStampConflict(const Judge& judge, const RuntimeCommit& commit, Check check, const CommitAnswer& answer) {
  if (answer.unseen) return kAllowed;
  const RuntimeTurnCommitStamp& stamp = *commit.turn_commit;
  const auto* conflict = answer.ErrorIf<RuntimeTurnCommitConflict>();
  const bool own = check == Check::kOtherHash;
  if (conflict == nullptr || conflict->session_id != stamp.session_id || conflict->turn_id != stamp.turn_id) {
    return own ? Refuse<"RP-CMT-9">() : Refuse<"RP-CMT-7">();
  }
  judge.Refused<"RP-CMT-9">(own);
  judge.Refused<"RP-CMT-7">(!own);
  if (!own) CountFailure(judge, commit);
  return kAllowed;
}

Verdict JudgeReplay(Judge& judge, const RuntimeCommit& commit, const CommitAnswer& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.response == nullptr) return Refuse<"RP-CMT-8">();
  SpecState& state = judge.state;
  const std::shared_ptr<const SavedCheckpoint> saved = state.FindTurn(commit.turn_commit->turn_id)->saved;
  const RuntimeCommitResult& result = *answer.response;
  if (result.head_revision != saved->revision) return Refuse<"RP-CMT-8">();
  if (saved->seen) {
    if (result.checkpoint_ref != saved->ref || result.manifest != saved->manifest) return Refuse<"RP-CMT-8">();
  } else {
    if (CheckResult(state, saved->given, result).has_value()) return Refuse<"RP-CMT-8">();
    BindSaved(state, saved, result.checkpoint_ref, result.manifest);
  }
  judge.Held<"RP-CMT-8">();
  judge.Held<"RP-CMT-11">(state.head_revision > saved->revision);
  return kAllowed;
}

Verdict JudgeLostHead(const Judge& judge, const RuntimeCommit& commit, const CommitAnswer& answer) {
  if (answer.unseen) return kAllowed;
  const auto* conflict = answer.ErrorIf<HeadRevisionConflict>();
  if (conflict == nullptr || conflict->expected != commit.expected_head_revision ||
      conflict->actual != judge.state.head_revision) {
    return Refuse<"RP-CMT-5">();
  }
  judge.Refused<"RP-CMT-5">();
  CountFailure(judge, commit);
  return kAllowed;
}

// Completions.

bool ListedBefore(const RuntimeCommit& commit, std::size_t index, std::size_t position) {
  const std::vector<std::string>& ids = commit.completed_queue_claims[index].batch_ids;
  const auto here = ids.begin() + static_cast<std::ptrdiff_t>(position);
  if (std::find(ids.begin(), here, *here) != here) return true;
  for (std::size_t i = 0; i < index; ++i) {
    const std::vector<std::string>& earlier = commit.completed_queue_claims[i].batch_ids;
    if (std::find(earlier.begin(), earlier.end(), *here) != earlier.end()) return true;
  }
  return false;
}

Verdict BlameCompletion(const SpecState& state, const RuntimeCommit& commit, const QueuedWorkCompletion& completion) {
  if (completion.session_id != commit.session_id) return Refuse<"RP-CMT-25">();
  const auto was_lost = [&](const std::string& id) { return Contains(state.memory->lost, id); };
  if (std::any_of(completion.batch_ids.begin(), completion.batch_ids.end(), was_lost)) return Refuse<"RP-CAN-4">();
  const bool known = std::any_of(completion.batch_ids.begin(), completion.batch_ids.end(),
                                 [&](const std::string& id) { return state.FindRow(id) != nullptr; });
  return known ? Refuse<"RP-CMT-27">() : Refuse<"RP-CMT-23">();
}

void CountBadCompletion(const Judge& judge, const RuntimeCommit& commit, const QueuedWorkCompletion& completion) {
  if (!judge.counting()) return;
  const bool foreign = completion.session_id != commit.session_id;
  judge.Refused<"RP-CMT-23">(!foreign);
  judge.Refused<"RP-CMT-24">();
  judge.Refused<"RP-CMT-25">(foreign);
  judge.Refused<"RP-CMT-27">(!foreign);
  judge.Refused<"RP-CAN-4">(std::any_of(completion.batch_ids.begin(), completion.batch_ids.end(),
                                        [&](const std::string& id) { return Contains(judge.state.memory->lost, id); }));
  CountFailure(judge, commit);
}

// A commit whose completions fail it, or may: one that may fail is named only up to the first that must.
struct Completions {
  bool must_fail = false;
  std::size_t first_bad = 0;  // of must_fail
};

Completions FateOfAll(const Judge& judge, const RuntimeCommit& commit) {
  for (std::size_t i = 0; i < commit.completed_queue_claims.size(); ++i) {
    if (FateOf(judge, commit, i) == CompletionFate::kMustFail) return {true, i};
  }
  return {};
}

Verdict JudgeExpired(const Judge& judge, const RuntimeCommit& commit, const Completions& fate,
                     const QueuedWorkClaimExpired& expired) {
  const std::size_t end = fate.must_fail ? fate.first_bad + 1 : commit.completed_queue_claims.size();
  for (std::size_t i = 0; i < end; ++i) {
    const QueuedWorkCompletion& completion = commit.completed_queue_claims[i];
    if (completion.session_id != expired.session_id || completion.claim_id != expired.claim_id) continue;
    const CompletionFate one = FateOf(judge, commit, i);
    if (one == CompletionFate::kFine) continue;
    if (one == CompletionFate::kMustFail) {
      CountBadCompletion(judge, commit, completion);
    } else {
      CountFailure(judge, commit);
    }
    return kAllowed;
  }
  if (fate.must_fail) return BlameCompletion(judge.state, commit, commit.completed_queue_claims[fate.first_bad]);
  return Refuse<"RP-CMT-23">();
}

// Errors behind the head's check.

Verdict JudgeRejectedGraph(const Judge& judge, const RuntimeCommit& commit) {
  const auto* append = std::get_if<Append>(&commit.graph);
  const auto is_live = [&](const SessionNodeRecord& node) {
    const NodeRow* row = judge.state.FindNode(node.node_id);
    return row != nullptr && !row->tombstoned;
  };
  judge.Refused<"RP-CMT-14">(append != nullptr && std::any_of(append->nodes.begin(), append->nodes.end(), is_live));
  judge.Refused<"RP-CMT-16">(append == nullptr);
  CountFailure(judge, commit);
  return kAllowed;
}

Verdict JudgeLateError(const Judge& judge, const RuntimeCommit& commit, const Completions& fate, const CommitAnswer& answer) {
  const SpecState& state = judge.state;
  if (const auto* expired = answer.ErrorIf<QueuedWorkClaimExpired>()) return JudgeExpired(judge, commit, fate, *expired);
  if (fate.must_fail) return BlameCompletion(state, commit, commit.completed_queue_claims[fate.first_bad]);
  if (answer.IsBackend() && IsOddDelta(state, commit.graph)) return JudgeRejectedGraph(judge, commit);
  if (answer.ErrorIf<SessionBindingMismatch>() != nullptr) {
    return state.bound_session.has_value() ? Refuse<"RP-CMT-2">() : Refuse<"RP-CMT-3">();
  }
  if (answer.ErrorIf<HeadRevisionConflict>() != nullptr) {
    return commit.expected_head_revision.has_value() ? Refuse<"RP-CMT-5">() : Refuse<"RP-CMT-4">();
  }
  if (answer.IsBackend() && std::holds_alternative<Append>(commit.graph)) return Refuse<"RP-CMT-13">();
  if (answer.IsBackend() && std::holds_alternative<ReplaceFull>(commit.graph)) return Refuse<"RP-CMT-15">();
  if (answer.ErrorIf<RuntimeTurnCommitConflict>() == nullptr) return Refuse<"RP-CMT-6">();
  const bool failed = commit.turn_commit.has_value() && Contains(state.memory->failed_turns, commit.turn_commit->turn_id);
  return failed ? Refuse<"RP-CMT-10">() : Refuse<"RP-CMT-11">();
}

// Success.

void CountSettled(const Judge& judge, const RuntimeCommit& commit) {
  for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) {
    if (completion.batch_ids.empty()) continue;
    const Row* row = judge.state.FindRow(completion.batch_ids.front());
    judge.Held<"RP-CMT-23">();
    judge.Held<"RP-CMT-26">(row != nullptr && !judge.LiveClaim(*row));
  }
}

void CountCommitted(const Judge& judge, const RuntimeCommit& commit) {
  if (!judge.counting()) return;
  SpecState& state = judge.state;
  const bool first = state.head_revision == 0;
  judge.Held<"RP-CMT-1">(first);
  judge.Held<"RP-CMT-3">(first && state.memory->failed_unbound);
  judge.Held<"RP-CMT-4">(!commit.expected_head_revision.has_value() && !first);
  judge.Held<"RP-CMT-5">(commit.expected_head_revision.has_value());
  judge.Held<"RP-CMT-12">(!commit.turn_commit.has_value());
  judge.Held<"RP-CMT-21">();
  judge.Held<"RP-CMT-19">(std::any_of(commit.usage_deltas.begin(), commit.usage_deltas.end(),
                                      [](const TokenLedgerEntry& entry) { return entry.usage == TokenUsage(); }));
  if (commit.turn_commit.has_value()) {
    judge.Held<"RP-CMT-10">(Contains(state.memory->failed_turns, commit.turn_commit->turn_id));
    judge.Held<"RP-CMT-11">(!state.turns->empty());
  }
  CountSettled(judge, commit);
  state.memory.Edit().settled = true;
  state.memory.Edit().collected = false;
}

void Settle(const Judge& judge, SpecState& state, const RuntimeCommit& commit) {
  Indices settled;
  for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) {
    const Indices owned = OwnedRows(*state.queue, completion.session_id, completion.claim_id, completion.lease_token);
    const auto is_listed = [&](std::size_t index) {
      const std::string& id = (*state.queue)[index].stored->batch.batch_id;
      return std::find(completion.batch_ids.begin(), completion.batch_ids.end(), id) != completion.batch_ids.end();
    };
    bool rest = false;
    for (std::size_t index : owned) {
      rest |= !is_listed(index);
      const bool twice = std::find(settled.begin(), settled.end(), index) != settled.end();
      if (is_listed(index) && !twice) settled.push_back(index);
    }
    if (!rest || completion.batch_ids.empty()) continue;
    auto record = std::make_shared<ClaimRecord>(*(*state.queue)[owned.front()].claim);
    record->partly_settled = true;
    for (std::size_t index : owned) state.queue.Edit()[index].claim = record;
  }
  std::sort(settled.begin(), settled.end());
  RemoveRows(judge, state, settled);
}

void RecordTurn(SpecState& state, const RuntimeTurnCommitStamp& stamp) {
  auto& turns = state.turns.Edit();
  const auto at = std::lower_bound(turns.begin(), turns.end(), stamp.turn_id,
                                   [](const RecordedTurn& turn, const std::string& id) { return turn.turn_id < id; });
  turns.insert(at, {stamp.turn_id, stamp.turn_commit_hash, state.saved});
}

void Apply(const Judge& judge, const RuntimeCommit& commit, const RuntimeCommitResult* result) {
  SpecState& state = judge.state;
  Settle(judge, state, commit);
  StampAttachments(judge, state, commit.session_id, commit.committed_attachment_ids);
  ApplyDelta(judge, state, commit.graph);
  ApplyUsage(state, commit.usage_deltas);
  ++state.head_revision;
  state.bound_session = commit.session_id;
  state.vacuumed = false;
  state.swept = false;
  state.head =
      std::make_shared<const Head>(Head{commit.config, commit.agent_frames, commit.current_agent_frame_id, LeafOf(commit.graph)});
  auto saved = std::make_shared<SavedCheckpoint>();
  saved->revision = state.head_revision;
  saved->given = commit.checkpoint;
  state.saved = std::move(saved);
  if (commit.turn_commit.has_value()) RecordTurn(state, *commit.turn_commit);
  if (result != nullptr) {
    BindSaved(state, std::shared_ptr<const SavedCheckpoint>(state.saved), result->checkpoint_ref, result->manifest);
    ReleaseBlobs(state);
  }
}

// An unseen commit that was rejected changed nothing, and that it did not happen is the engine's to try.
Verdict JudgeCompletions(const Judge& judge, const RuntimeCommit& commit, const CommitAnswer& answer) {
  const Completions fate = FateOfAll(judge, commit);
  if (answer.error != nullptr) return JudgeLateError(judge, commit, fate, answer);
  if (fate.must_fail) {
    if (answer.unseen) return kAllowed;
    return BlameCompletion(judge.state, commit, commit.completed_queue_claims[fate.first_bad]);
  }
  if (answer.response != nullptr) {
    const bool first = judge.state.head_revision == 0;
    if (answer.response->head_revision != judge.state.head_revision + 1) {
      return first ? Refuse<"RP-CMT-1">() : Refuse<"RP-CMT-6">();
    }
    if (Verdict refused = CheckResult(judge.state, commit.checkpoint, *answer.response)) return refused;
    CountCommitted(judge, commit);
  }
  Apply(judge, commit, answer.response);
  return kAllowed;
}

}  // namespace

CompletionFate FateOf(const Judge& judge, const RuntimeCommit& commit, std::size_t index) {
  const QueuedWorkCompletion& completion = commit.completed_queue_claims[index];
  if (completion.batch_ids.empty()) return CompletionFate::kMayFail;                 // RP-LAT-10d
  if (completion.session_id != commit.session_id) return CompletionFate::kMustFail;  // RP-LAT-10a
  bool may_fail = false;
  std::size_t distinct = 0;
  for (std::size_t i = 0; i < completion.batch_ids.size(); ++i) {
    const Row* row = judge.state.FindRow(completion.batch_ids[i]);
    if (row == nullptr || !Owns(*row, completion.session_id, completion.claim_id, completion.lease_token)) {
      return CompletionFate::kMustFail;
    }
    may_fail |= !judge.LiveClaim(*row);  // RP-LAT-11
    if (ListedBefore(commit, index, i)) {
      may_fail = true;  // RP-LAT-10c, RP-LAT-10e
    } else {
      ++distinct;
    }
  }
  const std::size_t owned =
      OwnedRows(*judge.state.queue, completion.session_id, completion.claim_id, completion.lease_token).size();
  return may_fail || distinct < owned ? CompletionFate::kMayFail : CompletionFate::kFine;  // RP-LAT-10b
}

Verdict JudgeCall(Judge& judge, const CommitRuntimeStateRequest& request, const CommitAnswer& answer) {
  const RuntimeCommit& commit = request.commit;
  const Check check = DecidingCheck(judge.state, commit);
  if (check != Check::kBinding && LostRace(judge, commit, answer)) return kAllowed;
  switch (check) {
    case Check::kBinding:
      return JudgeForeign(judge, commit, answer);
    case Check::kStampSession:
    case Check::kOtherHash:
      return JudgeStampConflict(judge, commit, check, answer);
    case Check::kReplay:
      return JudgeReplay(judge, commit, answer);
    case Check::kHead:
      return JudgeLostHead(judge, commit, answer);
    case Check::kCompletions:
      break;
  }
  return JudgeCompletions(judge, commit, answer);
}

}  // namespace leasecheck::runtime_persistence::spec_internal
