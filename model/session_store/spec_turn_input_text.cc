#include "model/session_store/spec_turn_input_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/session_store/spec_turn_input.h"

namespace leasecheck::session_store::spec_internal {
namespace {

std::string NameOf(const InputRow& row) {
  const StoredInput& stored = *row.stored;
  if (!stored.named) return "an input not seen yet";
  if (!stored.seen) return Quote(stored.input.input_id);
  return absl::StrCat(Quote(stored.input.input_id), " (seq ", stored.input.enqueue_seq, ")");
}
std::string NameOf(const PendingTurnInput& input) {
  return absl::StrCat(Quote(input.input_id), " (seq ", input.enqueue_seq, ")");
}

std::string NamesOf(const InputRows& rows, const Indices& which) {
  if (which.empty()) return "no inputs";
  return absl::StrJoin(which, ", ", [&](std::string* out, std::size_t index) { absl::StrAppend(out, NameOf(rows[index])); });
}
std::string NamesOf(const std::vector<PendingTurnInput>& inputs) {
  if (inputs.empty()) return "no inputs";
  return absl::StrJoin(inputs, ", ", [](std::string* out, const PendingTurnInput& input) {
    absl::StrAppend(out, NameOf(input), " ", std::string(WordOf(input.state)));
  });
}

std::string TextOfIngress(const TurnInputIngress& ingress) {
  const auto* turn = std::get_if<ActiveTurnIngress>(&ingress);
  if (turn == nullptr) return "for the next turn";
  return absl::StrCat("for turn ", Quote(turn->turn_id), " from ", std::string(WordOf(turn->min_boundary)), " on");
}

std::string TextOfTarget(const PendingTurnInputCancelTarget& target) {
  const auto* id = std::get_if<InputIdTarget>(&target);
  if (id != nullptr) return absl::StrCat("input_id ", Quote(id->value));
  return absl::StrCat("source_key ", Quote(std::get<SourceKeyTarget>(target).value));
}

constexpr const char* kOutcomeNames[] = {"Cancelled", "AlreadyClaimed", "AlreadyCompleted", "AlreadyCancelled", "NotFound"};

std::string TextOfClaim(const PendingTurnInputClaimDiagnostics& claim) {
  std::string text =
      absl::StrCat(", state ", std::string(WordOf(claim.state)), ", claim ",
                   claim.claim_id.has_value() ? Quote(*claim.claim_id) : "none", ", counter ", claim.claim_fencing_token);
  if (claim.claim_owner.has_value()) absl::StrAppend(&text, ", owner ", TextOf(*claim.claim_owner));
  if (claim.claim_expires_at_ms.has_value()) absl::StrAppend(&text, ", expires_at ", *claim.claim_expires_at_ms);
  return text;
}

// What a cancel should say of the row, and do to it.
std::string ExpectedOutcome(const Judge& judge, InputRows& rows, std::size_t index) {
  if (index == kNoInput) return "NotFound";
  InputRow& row = rows[index];
  const CancelFate fate = FateOfCancel(judge, row);
  std::string text = absl::StrCat(kOutcomeNames[static_cast<std::size_t>(fate)], " of ", NameOf(row));
  if (fate == CancelFate::kClaimed) {
    absl::StrAppend(&text, ", which is ", std::string(WordOf(row.state)), " under ",
                    row.claim->named ? absl::StrCat("claim ", Quote(row.claim->claim_id)) : "a claim nobody saw", " of ",
                    TextOf(row.claim->owner), " until ", row.claim->expires.at, ", counter ",
                    row.counter_shown ? "" : "at least ", row.counter);
  }
  if (fate == CancelFate::kCancelled) {
    row.state = TurnInputState::kCancelled;
    row.claim = nullptr;
  }
  return text;
}

std::string ExpectedGrant(const Judge& judge, const InputClaimCall& call) {
  const SessionState& session = judge.Session(call.session_id);
  if (call.max == 0) return "none, for nothing is asked for; or SessionExecutionLeaseExpired where the fence is not valid";
  if (!FenceValid(judge, session, call.session_id, call.fence)) return ExpectedFence(judge, session, call.session_id);
  const InputRows& rows = *session.inputs;
  const Indices run = ForecastInputs(judge, rows, call, false);
  const Indices with_dead = ForecastInputs(judge, rows, call, true);
  std::string text = "none, for no input is claimable";
  if (!run.empty()) {
    text = absl::StrCat("a grant to ", TextOf(call.owner), " of exactly ", NamesOf(rows, run), ", ",
                        call.active ? "accepted" : "still deferred_next_turn", ", with claimed_at ", judge.now, ", expires_at ",
                        SaturatingAdd(judge.now, call.ttl), ", a new claim_id and token, and a fencing_token above ",
                        rows[run.front()].counter);
  }
  if (with_dead != run) absl::StrAppend(&text, "; or one of ", NamesOf(rows, with_dead), ", for a holder is dead");
  return text;
}

}  // namespace

std::string TextOf(const PendingTurnInput& input) {
  return absl::StrCat("input ", NameOf(input), ", ", std::string(WordOf(input.state)), " ", TextOfIngress(input.ingress),
                      ", enqueued_at_ms ", input.enqueued_at_ms);
}

std::string TextOf(const std::vector<PendingTurnInput>& list) { return NamesOf(list); }

std::string TextOf(const PendingTurnInputCancelOutcome& outcome) {
  std::string text = kOutcomeNames[outcome.index()];
  std::visit(
      [&](const auto& one) {
        if constexpr (requires { one.input; }) absl::StrAppend(&text, " of ", TextOf(one.input));
      },
      outcome);
  const auto* claimed = std::get_if<TurnInputAlreadyClaimed>(&outcome);
  if (claimed != nullptr && claimed->claim.has_value()) absl::StrAppend(&text, TextOfClaim(*claimed->claim));
  return text;
}

std::string TextOf(const std::vector<PendingTurnInputCancelResult>& results) {
  if (results.empty()) return "no results";
  return absl::StrJoin(results, "; ", [](std::string* out, const PendingTurnInputCancelResult& result) {
    absl::StrAppend(out, TextOfTarget(result.target), ": ", TextOf(result.outcome));
  });
}

std::string TextOf(const PendingTurnInputSuffixCancelOutcome& outcome) {
  const auto* suffix = std::get_if<SuffixOutcomes>(&outcome);
  if (suffix == nullptr) {
    return absl::StrCat("AnchorNotFound of ", TextOfTarget(std::get<SuffixAnchorNotFound>(outcome).anchor));
  }
  return absl::StrCat("from ", TextOfTarget(suffix->anchor), " on: ",
                      absl::StrJoin(suffix->outcomes, "; ", [](std::string* out, const PendingTurnInputCancelOutcome& one) {
                        absl::StrAppend(out, TextOf(one));
                      }));
}

std::string TextOf(const TurnInputClaim& claim) {
  return absl::StrCat("claim ", Quote(claim.claim_id), " of ", NamesOf(claim.inputs), " by ", TextOf(claim.owner),
                      " with fencing_token ", claim.fencing_token, ", claimed_at ", claim.claimed_at_epoch_ms, " and expires_at ",
                      claim.expires_at_epoch_ms);
}

std::string TextOf(const VacuumReport& report) {
  return absl::StrCat(report.removed_pending_turn_input_tombstone_count, " tombstones removed");
}

std::string ExpectedOf(const Judge& judge, const EnqueuePendingTurnInputRequest& request) {
  const PendingTurnInputDraft& draft = request.input;
  const SessionState& session = judge.Session(draft.session_id);
  const Admission admission = Admit(judge, session, draft);
  const auto twin = [&] { return NameOf((*session.inputs)[admission.twin]); };
  const std::string fresh = absl::StrCat("a new input with the draft's fields, ", TextOfIngress(draft.ingress),
                                         ", enqueued_at_ms ", judge.now, ", and an enqueue_seq above ", session.last_input_seq);
  switch (admission.kind) {
    case Admission::Kind::kFresh:
      return fresh;
    case Admission::Kind::kTaken:
      return absl::StrCat("a Backend error, for the session has an input ", Quote(*draft.input_id));
    case Admission::Kind::kMayBeTaken:
      return absl::StrCat(fresh, "; or a Backend error, for another session may have an input ", Quote(*draft.input_id));
    case Admission::Kind::kReplay:
      return absl::StrCat("the stored input of source_key ", Quote(*draft.source_key), ", ", twin(), ", as it is now");
    case Admission::Kind::kConflict:
      return absl::StrCat("PendingTurnInputSourceKeyConflict with ", twin(), ", whose content differs");
    case Admission::Kind::kEither:
      break;
  }
  return absl::StrCat("the stored input ", twin(), " as it is now, or PendingTurnInputSourceKeyConflict with it, for it was ",
                      "deferred since");
}

std::string ExpectedOf(const Judge& judge, const ListPendingTurnInputsRequest& request) {
  const InputRows& rows = *judge.Session(request.session_id).inputs;
  Indices waiting;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (IsWaiting(judge, rows[i])) waiting.push_back(i);
  }
  return absl::StrCat("exactly ", NamesOf(rows, waiting), ", as stored and in this order");
}

std::string ExpectedOf(const Judge& judge, const CancelPendingTurnInputsRequest& request) {
  InputRows rows = *judge.Session(request.session_id).inputs;
  std::vector<std::string> outcomes;
  for (const PendingTurnInputCancelTarget& target : request.targets) {
    outcomes.push_back(absl::StrCat(TextOfTarget(target), ": ", ExpectedOutcome(judge, rows, FindTarget(rows, target))));
  }
  return outcomes.empty() ? "no results" : absl::StrJoin(outcomes, "; ");
}

std::string ExpectedOf(const Judge& judge, const CancelPendingTurnInputRequest& request) {
  InputRows rows = *judge.Session(request.session_id).inputs;
  return ExpectedOutcome(judge, rows, FindInput(rows, request.input_id));
}

std::string ExpectedOf(const Judge& judge, const CancelPendingTurnInputSuffixRequest& request) {
  InputRows rows = *judge.Session(request.session_id).inputs;
  const std::size_t anchor = FindTarget(rows, request.anchor);
  if (anchor == kNoInput) return absl::StrCat("AnchorNotFound of ", TextOfTarget(request.anchor));
  std::vector<std::string> outcomes;
  for (std::size_t i = anchor; i < rows.size(); ++i) outcomes.push_back(ExpectedOutcome(judge, rows, i));
  return absl::StrCat("from ", TextOfTarget(request.anchor), " on: ", absl::StrJoin(outcomes, "; "));
}

std::string ExpectedOf(const Judge& judge, const ClaimActiveTurnInputsRequest& request) {
  return ExpectedGrant(judge, CallOf(request));
}
std::string ExpectedOf(const Judge& judge, const ClaimNextTurnInputsRequest& request) {
  return ExpectedGrant(judge, CallOf(request));
}

std::string ExpectedOf(const Judge&, const AbandonTurnInputClaimRequest&) { return "success: abandoning never fails"; }

std::string ExpectedOf(const Judge& judge, const VacuumRequest&) {
  std::vector<std::string> counts;
  for (const auto& reach : VacuumReaches(judge)) {
    std::size_t count = 0;
    for (const Cow<SessionState>& session : judge.state.sessions()) {
      if (!reach.has_value() || session->id == *reach) count += CountTombstones(*session);
    }
    counts.push_back(absl::StrCat(count, " tombstones removed"));
  }
  return absl::StrJoin(counts, ", or ");
}

std::string BadInputCompletion(const Judge& judge, const SessionState& session, const RuntimeCommit& commit) {
  const InputCompletions fate = FateOfAllInputs(judge, session, commit);
  if (!fate.must_fail) return "";
  const TurnInputCompletion& completion = commit.completed_turn_input_claims[fate.first_bad];
  return absl::StrCat("TurnInputClaimExpired of session ", Quote(completion.session_id), ", claim ", Quote(completion.claim_id),
                      ", for turn-input completion ", fate.first_bad + 1, " does not own all its inputs in this session");
}

std::string DescribeInput(const InputRow& row, EpochMs now) {
  std::string text = absl::StrCat(NameOf(row), ": ", std::string(WordOf(row.state)), " ", TextOfIngress(IngressOf(row)));
  if (row.deferred) absl::StrAppend(&text, ", once ", TextOfIngress(row.stored->input.ingress));
  if (row.stored->input.source_key.has_value()) absl::StrAppend(&text, ", key ", Quote(*row.stored->input.source_key));
  if (row.claim != nullptr) {
    absl::StrAppend(&text, ", ", row.claim->expires.LiveAt(now) ? "claimed" : "lapsed", " by ", TextOf(row.claim->owner),
                    row.claim->named ? absl::StrCat(" as ", Quote(row.claim->claim_id)) : " in a grant nobody saw",
                    ", expires_at ", row.claim->expires.at);
  }
  if (row.counter > 0) absl::StrAppend(&text, ", counter ", row.counter_shown ? "" : "at least ", row.counter);
  return text;
}

}  // namespace leasecheck::session_store::spec_internal
