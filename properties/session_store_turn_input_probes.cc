// Probes of turn inputs: two lists of one session with only calls in between that must not have changed it; a list and at once a
// cancel, which must agree.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/session_store/clauses.h"
#include "model/session_store/spec.h"
#include "properties/session_store_calls.h"
#include "properties/session_store_scans.h"

namespace leasecheck::session_store {
namespace {

using engine::Finding;
using List = std::vector<PendingTurnInput>;

// What was called between two lists, seen from the listed session.
struct Between {
  bool elsewhere = false;      // it names another session (TI-INV-13)
  bool repeated = false;       // of an idempotent call (TI-INV-16)
  bool failed_commit = false;  // TI-INV-17
};

class InputObservations {
 public:
  explicit InputObservations(ClauseHits* hits) : hits_(hits) {}

  std::optional<Finding> Take(std::size_t i, const SessionCall& call, bool overlaps) {
    const std::optional<Seen> listed = std::exchange(just_listed_, std::nullopt);
    if (overlaps || IsIndefinite(call) || engine::RequestIf<SessionStoreFamily>(call.action) == nullptr) {
      // A clock move changes what is listed; a crash or an overlap may change anything. Reopening must change nothing.
      if (!std::holds_alternative<engine::Reopen>(call.action)) lists_.clear();
      return std::nullopt;
    }
    if (call.window.has_value()) lists_.clear();  // time passes by itself
    if (const auto* request = CallOf<ListPendingTurnInputsRequest>(call)) {
      const auto* list = AnswerOf<ListPendingTurnInputsRequest>(call);
      if (list == nullptr) return std::nullopt;
      if (!call.window.has_value()) just_listed_ = Seen{i, list, request->session_id, {}};
      return Compare(i, request->session_id, list);
    }
    if (listed.has_value()) {
      if (auto finding = Agree(i, call, *listed)) return finding;
    }
    TakeChange(call);
    return std::nullopt;
  }

 private:
  struct Seen {
    std::size_t call;
    const List* list;
    std::string session;
    Between between;
  };

  void Held(bool applies, ClauseIndex clause) {
    if (applies && hits_ != nullptr) hits_->Add(clause, Sense::kHeld);
  }

  std::optional<Finding> Compare(std::size_t i, const std::string& session, const List* now) {
    std::optional<Finding> finding;
    const auto found = lists_.find(session);
    if (found != lists_.end()) {
      const Between& between = found->second.between;
      Held(between.elsewhere, Clause<"TI-INV-13">());
      Held(between.repeated, Clause<"TI-INV-16">());
      Held(between.failed_commit, Clause<"TI-INV-17">());
      if (*found->second.list != *now) {
        const char* clause = between.failed_commit ? "TI-INV-17"
                             : between.repeated    ? "TI-INV-16"
                             : between.elsewhere   ? "TI-INV-13"
                                                   : "TI-LST-7";
        finding = Finding{clause, i,
                          absl::StrCat("the inputs were listed by call ", found->second.call,
                                       " and nothing since then may change the list, yet it differs")};
      }
    }
    lists_.insert_or_assign(session, Seen{i, now, session, {}});
    return finding;
  }

  // The cancel that comes right after a list: an input is listed exactly when the cancel cancels it.
  std::optional<Finding> Agree(std::size_t i, const SessionCall& call, const Seen& listed) {
    absl::flat_hash_set<uint64_t> named;  // of a row that is named twice only the first outcome counts
    const auto check = [&](const std::string& session, const PendingTurnInputCancelOutcome& outcome) -> std::optional<Finding> {
      const auto* cancelled = std::get_if<TurnInputCancelled>(&outcome);
      const auto* claimed = std::get_if<TurnInputAlreadyClaimed>(&outcome);
      if (session != listed.session || (cancelled == nullptr && claimed == nullptr)) return std::nullopt;
      const PendingTurnInput& input = cancelled != nullptr ? cancelled->input : claimed->input;
      if (!named.insert(input.enqueue_seq).second) return std::nullopt;
      const bool there = std::any_of(listed.list->begin(), listed.list->end(),
                                     [&](const PendingTurnInput& r) { return r.enqueue_seq == input.enqueue_seq; });
      Held(true, Clause<"TI-INV-14">());
      if (there == (cancelled != nullptr)) return std::nullopt;
      return Finding{"TI-INV-14", i,
                     absl::StrCat("input ", input.input_id, there ? " was listed" : " was not listed", " by call ", listed.call,
                                  ", just before, and a cancel says that it ", there ? "is claimed" : "waited")};
    };
    if (const auto* results = AnswerOf<CancelPendingTurnInputsRequest>(call)) {
      for (const PendingTurnInputCancelResult& result : *results) {
        if (auto finding = check(CallOf<CancelPendingTurnInputsRequest>(call)->session_id, result.outcome)) return finding;
      }
    }
    if (const auto* one = AnswerOf<CancelPendingTurnInputRequest>(call)) {
      return check(CallOf<CancelPendingTurnInputRequest>(call)->session_id, *one);
    }
    if (const auto* answer = AnswerOf<CancelPendingTurnInputSuffixRequest>(call)) {
      const auto* suffix = std::get_if<SuffixOutcomes>(answer);
      for (std::size_t n = 0; suffix != nullptr && n < suffix->outcomes.size(); ++n) {
        const std::string& session = CallOf<CancelPendingTurnInputSuffixRequest>(call)->session_id;
        if (auto finding = check(session, suffix->outcomes[n])) return finding;
      }
    }
    return std::nullopt;
  }

  void TakeChange(const SessionCall& call) {
    Between kind;
    const bool changes = Changes(call, kind);
    const std::optional<std::string> session =
        SessionStoreSpec::PartitionKey(*engine::RequestIf<SessionStoreFamily>(call.action));
    for (auto it = lists_.begin(); it != lists_.end();) {
      if (session.has_value() && it->first != *session) {
        it->second.between.elsewhere = true;
      } else if (changes) {
        lists_.erase(it++);
        continue;
      } else {
        it->second.between.repeated |= kind.repeated;
        it->second.between.failed_commit |= kind.failed_commit;
      }
      ++it;
    }
  }

  static bool AnyCancelled(const SessionCall& call, bool* is_cancel) {
    const auto cancelled = [](const PendingTurnInputCancelOutcome& one) {
      return std::holds_alternative<TurnInputCancelled>(one);
    };
    if (const auto* results = AnswerOf<CancelPendingTurnInputsRequest>(call)) {
      *is_cancel = !results->empty();
      return std::any_of(results->begin(), results->end(), [&](const auto& result) { return cancelled(result.outcome); });
    }
    if (const auto* one = AnswerOf<CancelPendingTurnInputRequest>(call)) {
      *is_cancel = true;
      return cancelled(*one);
    }
    const auto* answer = AnswerOf<CancelPendingTurnInputSuffixRequest>(call);
    const auto* suffix = answer == nullptr ? nullptr : std::get_if<SuffixOutcomes>(answer);
    *is_cancel = suffix != nullptr;
    return suffix != nullptr && std::any_of(suffix->outcomes.begin(), suffix->outcomes.end(), cancelled);
  }

  // Whether the call may change the list of the session that it names.
  bool Changes(const SessionCall& call, Between& kind) {
    const auto* commit = CallOf<CommitRuntimeStateRequest>(call);
    if (!Succeeded(call)) {
      kind.failed_commit = commit != nullptr;
      return false;
    }
    if (const auto* input = AnswerOf<EnqueuePendingTurnInputRequest>(call)) {
      kind.repeated = !enqueued_.insert({input->session_id, input->enqueue_seq}).second;
      return !kind.repeated;
    }
    for (const auto* answer : {AnswerOf<ClaimActiveTurnInputsRequest>(call), AnswerOf<ClaimNextTurnInputsRequest>(call)}) {
      if (answer != nullptr) return answer->has_value();
    }
    if (const auto* abandon = CallOf<AbandonTurnInputClaimRequest>(call)) {
      const TurnInputClaim& claim = abandon->claim;
      kind.repeated = !abandoned_.insert({claim.session_id, claim.claim_id, claim.lease_token}).second;
      return !kind.repeated;
    }
    if (commit != nullptr) {
      const auto& stamp = commit->commit.turn_commit;
      kind.repeated = stamp.has_value() && !stamped_.insert({stamp->session_id, stamp->turn_id}).second;
      if (kind.repeated) return false;
      return !commit->commit.completed_turn_input_claims.empty() || commit->commit.interrupted_turn_input_turn_id.has_value();
    }
    bool is_cancel = false;
    const bool cancelled = AnyCancelled(call, &is_cancel);
    kind.repeated = is_cancel && !cancelled;
    return cancelled;  // vacuum, the queue and the lane never touch what is listed
  }

  ClauseHits* hits_;
  absl::flat_hash_map<std::string, Seen> lists_;
  std::optional<Seen> just_listed_;
  absl::flat_hash_set<std::pair<std::string, uint64_t>> enqueued_;
  absl::flat_hash_set<std::tuple<std::string, std::string, std::string>> abandoned_;
  absl::flat_hash_set<std::pair<std::string, std::string>> stamped_;
};

}  // namespace

std::vector<Finding> ProbeInputs(const SessionHistory& history, ClauseHits* hits) {
  InputObservations observations(hits);
  engine::Instant latest = -1;
  for (std::size_t i = 0; i < history.calls.size(); ++i) {
    const SessionCall& call = history.calls[i];
    const bool overlaps = call.called < latest || (i + 1 < history.calls.size() && history.calls[i + 1].called < call.returned);
    latest = std::max(latest, call.returned);
    if (auto finding = observations.Take(i, call, overlaps)) return {*std::move(finding)};
  }
  return {};
}

}  // namespace leasecheck::session_store
