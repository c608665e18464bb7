// What a commit does to turn inputs; and vacuum.
#include <algorithm>
#include <memory>

#include "model/session_store/spec_turn_input.h"

namespace leasecheck::session_store::spec_internal {
namespace {

bool ListedBefore(const RuntimeCommit& commit, std::size_t index, std::size_t position) {
  const std::vector<std::string>& ids = commit.completed_turn_input_claims[index].input_ids;
  const auto here = ids.begin() + static_cast<std::ptrdiff_t>(position);
  if (std::find(ids.begin(), here, *here) != here) return true;
  for (std::size_t i = 0; i < index; ++i) {
    const std::vector<std::string>& earlier = commit.completed_turn_input_claims[i].input_ids;
    if (std::find(earlier.begin(), earlier.end(), *here) != earlier.end()) return true;
  }
  return false;
}

bool Owns(const InputRow& row, const TurnInputCompletion& completion) {
  return row.claim != nullptr && row.claim->seen && row.claim->claim_id == completion.claim_id &&
         row.claim->lease_token == completion.lease_token;
}

// What became of the inputs that a completion lists and does not own.
struct Missing {
  std::size_t completed = 0;
  std::size_t cancelled = 0;
  std::size_t held_by_others = 0;
  std::size_t others = 0;  // free, vacuumed, never there
};
Missing MissingOf(const InputRows& rows, const TurnInputCompletion& completion) {
  Missing missing;
  for (const std::string& id : completion.input_ids) {
    const std::size_t index = FindInput(rows, id);
    if (index == kNoInput) {
      ++missing.others;
    } else if (rows[index].state == TurnInputState::kCompleted) {
      ++missing.completed;
    } else if (rows[index].state == TurnInputState::kCancelled) {
      ++missing.cancelled;
    } else if (!Owns(rows[index], completion)) {
      ++(rows[index].claim != nullptr ? missing.held_by_others : missing.others);
    }
  }
  return missing;
}

void CountBadInputs(const Judge& judge, const SessionState& session, const RuntimeCommit& commit, std::size_t index) {
  if (!judge.counting()) return;
  const TurnInputCompletion& completion = commit.completed_turn_input_claims[index];
  const Missing missing = MissingOf(*session.inputs, completion);
  judge.Refused<"TI-CMT-1">(!commit.completed_queue_claims.empty());
  judge.Refused<"TI-CMT-2">();
  judge.Refused<"TI-CMT-4">();
  judge.Refused<"TI-CMT-7">(missing.held_by_others > 0);
  judge.Refused<"TI-CMT-8">(commit.completed_turn_input_claims.size() > 1);
  judge.Refused<"TI-CMT-9">(missing.completed == completion.input_ids.size());
  judge.Refused<"TI-CAN-10">(missing.cancelled > 0);
}

// TurnInputClaimExpired where no completion accounts for it.
Verdict BlameExpired(const Judge& judge, const SessionState& session, const RuntimeCommit& commit,
                     const TurnInputClaimExpired& expired) {
  const InputRows& rows = *session.inputs;
  for (const TurnInputCompletion& completion : commit.completed_turn_input_claims) {
    if (completion.claim_id != expired.claim_id) continue;
    const Indices owned = OwnedInputs(rows, completion.claim_id, completion.lease_token);
    if (owned.empty()) continue;
    const InputRow& row = rows[owned.front()];
    if (!judge.LiveClaim(row)) return Refuse<"TI-CMT-5">();
    if (session.holder != nullptr && !SameIncarnation(row.claim->owner, session.holder->owner)) return Refuse<"TI-CMT-14">();
    if (row.claim->lane_fencing != session.lane_fencing) return Refuse<"TI-CMT-13">();
  }
  return commit.completed_turn_input_claims.size() > 1 ? Refuse<"TI-CMT-8">() : Refuse<"TI-CMT-4">();
}

bool WaitsForTurn(const InputRow& row, absl::string_view turn_id) {
  const auto* turn = std::get_if<ActiveTurnIngress>(&IngressOf(row));
  return row.state == TurnInputState::kPendingActive && turn != nullptr && turn->turn_id == turn_id;
}

void CountInterrupt(const Judge& judge, const InputRows& rows, const std::string& turn_id) {
  bool defers = false;
  bool spares = false;
  for (const InputRow& row : rows) {
    const bool waits = WaitsForTurn(row, turn_id);
    const bool next_turn = std::holds_alternative<NextTurnIngress>(IngressOf(row));
    defers |= waits;
    spares |= !waits && !next_turn;
  }
  judge.Held<"TI-CMT-10">(defers);
  judge.Held<"TI-CMT-11">(spares);
  judge.Held<"TI-CMT-12">(!defers);
}

}  // namespace

CompletionFate FateOfInputs(const Judge& judge, const SessionState& session, const RuntimeCommit& commit, std::size_t index) {
  const TurnInputCompletion& completion = commit.completed_turn_input_claims[index];
  if (completion.input_ids.empty()) return CompletionFate::kMayFail;                 // TI-LAT-6
  if (completion.session_id != commit.session_id) return CompletionFate::kMustFail;  // TI-LAT-7
  bool may_fail = false;
  std::size_t distinct = 0;
  for (std::size_t i = 0; i < completion.input_ids.size(); ++i) {
    const std::size_t at = FindInput(*session.inputs, completion.input_ids[i]);
    if (at == kNoInput || !Owns((*session.inputs)[at], completion)) return CompletionFate::kMustFail;
    if (!judge.LiveClaim((*session.inputs)[at]) && judge.Declares("TI-LAT-12", "strict_expiry")) may_fail = true;
    if (ListedBefore(commit, index, i)) {
      may_fail = true;
    } else {
      ++distinct;
    }
  }
  may_fail = may_fail || distinct < OwnedInputs(*session.inputs, completion.claim_id, completion.lease_token).size();
  return may_fail ? CompletionFate::kMayFail : CompletionFate::kFine;
}

InputCompletions FateOfAllInputs(const Judge& judge, const SessionState& session, const RuntimeCommit& commit) {
  InputCompletions fate;
  for (std::size_t i = 0; i < commit.completed_turn_input_claims.size(); ++i) {
    const CompletionFate one = FateOfInputs(judge, session, commit, i);
    if (one == CompletionFate::kMayFail) fate.may_fail = true;
    if (one == CompletionFate::kMustFail) {
      fate.must_fail = true;
      fate.first_bad = i;
      return fate;
    }
  }
  return fate;
}

Verdict BlameInputCompletion(const InputRows& rows, const RuntimeCommit& commit, std::size_t index) {
  const TurnInputCompletion& completion = commit.completed_turn_input_claims[index];
  if (completion.session_id != commit.session_id) return Refuse<"TI-CMT-4">();
  const Missing missing = MissingOf(rows, completion);
  if (missing.cancelled > 0) return Refuse<"TI-CAN-10">();
  if (missing.completed == completion.input_ids.size()) return Refuse<"TI-CMT-9">();
  return Refuse<"TI-CMT-4">();
}

Verdict JudgeInputExpired(const Judge& judge, const SessionState& session, const RuntimeCommit& commit,
                          const InputCompletions& fate, const TurnInputClaimExpired& expired) {
  const std::size_t end = fate.must_fail ? fate.first_bad + 1 : commit.completed_turn_input_claims.size();
  for (std::size_t i = 0; i < end; ++i) {
    const TurnInputCompletion& completion = commit.completed_turn_input_claims[i];
    if (completion.session_id != expired.session_id || completion.claim_id != expired.claim_id) continue;
    const CompletionFate one = FateOfInputs(judge, session, commit, i);
    if (one == CompletionFate::kFine) continue;
    if (one == CompletionFate::kMustFail) CountBadInputs(judge, session, commit, i);
    return kAllowed;
  }
  if (fate.must_fail) return BlameInputCompletion(*session.inputs, commit, fate.first_bad);
  return BlameExpired(judge, session, commit, expired);
}

void CountInputsSettled(const Judge& judge, const SessionState& session, const RuntimeCommit& commit) {
  if (!judge.counting() || !ConcernsInputs(commit)) return;
  const InputRows& rows = *session.inputs;
  bool completes = false;
  for (const TurnInputCompletion& completion : commit.completed_turn_input_claims) {
    for (const std::string& id : completion.input_ids) {
      const InputRow& row = rows[FindInput(rows, id)];
      completes = true;
      judge.Held<"TI-CMT-4">();
      judge.Held<"TI-CMT-5">(!judge.LiveClaim(row));
      judge.Held<"TI-CMT-6">();
      judge.Held<"TI-CMT-13">(row.claim->lane_fencing != session.lane_fencing);
      judge.Held<"TI-CMT-14">(!SameIncarnation(row.claim->owner, commit.session_execution_lease->owner));
    }
  }
  judge.Held<"TI-CMT-8">(commit.completed_turn_input_claims.size() > 1);
  judge.Held<"TI-INV-18">(completes);
  if (commit.interrupted_turn_input_turn_id.has_value()) CountInterrupt(judge, rows, *commit.interrupted_turn_input_turn_id);
}

void SettleInputs(SessionState& session, const RuntimeCommit& commit) {
  if (!ConcernsInputs(commit) || session.inputs->empty()) return;
  InputRows& rows = session.inputs.Edit();
  for (const TurnInputCompletion& completion : commit.completed_turn_input_claims) {
    for (const std::string& id : completion.input_ids) {
      InputRow& row = rows[FindInput(rows, id)];
      row.state = TurnInputState::kCompleted;
      row.claim = nullptr;
    }
  }
  if (!commit.interrupted_turn_input_turn_id.has_value()) return;
  for (InputRow& row : rows) {
    if (!WaitsForTurn(row, *commit.interrupted_turn_input_turn_id)) continue;
    row.state = TurnInputState::kDeferredNextTurn;
    row.deferred = true;
  }
}

// vacuum

namespace {

using Reach = std::optional<std::string>;

std::size_t Removable(const SpecState& state, const Reach& reach) {
  std::size_t count = 0;
  for (const Cow<SessionState>& session : state.sessions()) {
    if (!reach.has_value() || session->id == *reach) count += CountTombstones(*session);
  }
  return count;
}

void Insert(std::vector<std::string>& sorted, const std::string& text) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), text);
  if (at == sorted.end() || *at != text) sorted.insert(at, text);
}

void RemoveTombstones(SpecState& state, const Reach& reach) {
  std::vector<std::string> ids;
  for (const Cow<SessionState>& session : state.sessions()) {
    if ((!reach.has_value() || session->id == *reach) && CountTombstones(*session) > 0) ids.push_back(session->id);
  }
  for (const std::string& id : ids) {
    SessionState& session = state.Edit(id);
    std::erase_if(session.inputs.Edit(), [&](const InputRow& row) {
      if (!IsTerminal(row.state)) return false;
      if (row.stored->named) Insert(session.vacuumed_ids.Edit(), row.stored->input.input_id);
      if (row.stored->input.source_key.has_value()) Insert(session.vacuumed_keys.Edit(), *row.stored->input.source_key);
      return true;
    });
  }
}

void CountVacuumed(const Judge& judge, std::size_t removed) {
  if (!judge.counting()) return;
  bool lane = false;
  bool others = false;
  for (const Cow<SessionState>& session : judge.state.sessions()) {
    lane |= judge.LiveLane(*session);
    others |= session->inputs->size() > CountTombstones(*session);
  }
  judge.Held<"TI-VAC-1">(removed > 0);
  judge.Held<"TI-VAC-2">(removed > 0 && others);
  judge.Held<"TI-VAC-4">(removed == 0 || !lane);
}

}  // namespace

std::size_t CountTombstones(const SessionState& session) {
  return static_cast<std::size_t>(
      std::count_if(session.inputs->begin(), session.inputs->end(), [](const InputRow& row) { return IsTerminal(row.state); }));
}

std::vector<std::optional<std::string>> VacuumReaches(const Judge& judge) {
  if (!judge.Declares("TI-LAT-13", "own_session")) return {std::nullopt};
  if (judge.state.bound_session.has_value() && !judge.context.partitioned) return {judge.state.bound_session};
  // A store may bind to the first session that tries to commit (QW-LAT-28); of a part of a history nobody knows which that was.
  std::vector<Reach> reaches = {std::nullopt};
  if (judge.context.partitioned) reaches.push_back("\x01 some other session");
  if (judge.state.first_committer.has_value()) reaches.push_back(judge.state.first_committer);
  return reaches;
}

Verdict JudgeCall(Judge& judge, const VacuumRequest&, const Answer<VacuumReport>& answer) {
  if (answer.error != nullptr) {
    const bool loser = answer.IsBackend() && judge.OverlapsAny([](const SessionStoreSpec::Request&) { return true; });
    return loser ? kAllowed : Refuse<"TI-VAC-4">();  // TI-LAT-18
  }
  std::vector<SpecState> next;
  for (const Reach& reach : VacuumReaches(judge)) {
    const std::size_t count = Removable(judge.state, reach);
    if (answer.response != nullptr) {
      const uint64_t shown = answer.response->removed_pending_turn_input_tombstone_count;
      if (judge.context.partitioned ? shown < count : shown != count) continue;
      if (next.empty()) CountVacuumed(judge, count);
    }
    next.push_back(judge.state);
    RemoveTombstones(next.back(), reach);
  }
  if (next.empty()) return Refuse<"TI-VAC-1">();
  judge.state = std::move(next.front());
  for (std::size_t i = 1; i < next.size(); ++i) {
    if (!(next[i] == judge.state)) judge.AddAlternative(std::move(next[i]));
  }
  return kAllowed;
}

}  // namespace leasecheck::session_store::spec_internal
