// What the spec says to people: Describe and Explain. Slow, and never used to judge.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/session_store/spec_internal.h"
#include "model/session_store/spec_turn_input_text.h"

namespace leasecheck::session_store {
namespace spec_internal {

std::string Quote(absl::string_view text) { return absl::StrCat("\"", text, "\""); }
std::string TextOf(const LeaseOwnerIdentity& owner) { return absl::StrCat(owner.owner_id, "/", owner.incarnation_id); }

std::string ExpectedFence(const Judge& judge, const SessionState& session, absl::string_view session_id) {
  std::string why = "the session's lane is free";
  if (session.holder != nullptr) {
    why = absl::StrCat("the lane's last acquisition is by ", TextOf(session.holder->owner), " with fencing_token ",
                       session.lane_fencing, judge.LiveLane(session) ? ", live until " : ", lapsed at ",
                       session.holder->expires.at);
  }
  return absl::StrCat("SessionExecutionLeaseExpired of session ", Quote(session_id), ", for the fence is not the live lane's (",
                      why, ")");
}

namespace {

using Gate = Forecast::Gate;
using spec_internal::ExpectedOf;  // of turn inputs
using spec_internal::TextOf;

std::string NameOf(const StoredBatch& stored) {
  if (!stored.seen) return "a batch not seen yet";
  return absl::StrCat(Quote(stored.batch.batch_id), " (seq ", stored.batch.enqueue_seq, ")");
}

std::string NamesOf(const SessionState& session, const Indices& rows) {
  if (rows.empty()) return "no batches";
  return absl::StrJoin(rows, ", ",
                       [&](std::string* out, std::size_t index) { absl::StrAppend(out, NameOf(*session.rows[index].stored)); });
}

std::string NamesOf(const std::vector<QueuedWorkBatch>& batches) {
  if (batches.empty()) return "no batches";
  return absl::StrJoin(batches, ", ", [](std::string* out, const QueuedWorkBatch& batch) {
    absl::StrAppend(out, Quote(batch.batch_id), " (seq ", batch.enqueue_seq, ")");
  });
}

// What was answered, in a few words.

std::string TextOf(const QueuedWorkBatch& batch) {
  return absl::StrCat("batch ", Quote(batch.batch_id), " with enqueue_seq ", batch.enqueue_seq, ", enqueued_at_ms ",
                      batch.enqueued_at_ms, " and ", batch.items.size(), " items");
}
std::string TextOf(const QueuedWorkClaim& claim) {
  return absl::StrCat("a claim of ", NamesOf(claim.batches), " by ", TextOf(claim.owner), " with fencing_token ",
                      claim.fencing_token, ", claimed_at ", claim.claimed_at_epoch_ms, " and expires_at ",
                      claim.expires_at_epoch_ms);
}
std::string TextOf(const SessionExecutionLease& lease) {
  return absl::StrCat("a lease of ", TextOf(lease.owner), " with token ", Quote(lease.lease_token), ", fencing_token ",
                      lease.fencing_token, ", claimed_at ", lease.claimed_at_epoch_ms, " and expires_at ",
                      lease.expires_at_epoch_ms);
}
std::string TextOf(const SessionExecutionLeaseClaimOutcome& outcome) {
  if (const auto* acquired = std::get_if<LeaseAcquired>(&outcome)) return absl::StrCat("Acquired, ", TextOf(acquired->lease));
  return absl::StrCat("Busy, ", TextOf(std::get<LeaseBusy>(outcome).holder));
}
std::string TextOf(const std::vector<QueuedWorkBatch>& list) { return NamesOf(list); }
std::string TextOf(const Done&) { return "success"; }
std::string TextOf(const RuntimeCommitResult& result) {
  return absl::StrCat("success with head_revision ", result.head_revision);
}
std::string TextOf(const LoadedSession& loaded) {
  return absl::StrCat("session ", Quote(loaded.session_id), " at head_revision ", loaded.head_revision, " with body ",
                      loaded.body.text);
}
template <class T>
std::string TextOf(const std::optional<T>& value) {
  return value.has_value() ? TextOf(*value) : "none";
}

struct ErrorText {
  std::string operator()(const SessionExecutionLeaseExpired& error) const {
    return absl::StrCat("SessionExecutionLeaseExpired of session ", Quote(error.session_id));
  }
  std::string operator()(const QueuedWorkClaimExpired& error) const {
    return absl::StrCat("QueuedWorkClaimExpired of session ", Quote(error.session_id), ", claim ", Quote(error.claim_id));
  }
  std::string operator()(const TurnInputClaimExpired& error) const {
    return absl::StrCat("TurnInputClaimExpired of session ", Quote(error.session_id), ", claim ", Quote(error.claim_id));
  }
  std::string operator()(const PendingTurnInputSourceKeyConflict& error) const {
    return absl::StrCat("PendingTurnInputSourceKeyConflict of session ", Quote(error.session_id), ", source_key ",
                        Quote(error.source_key), " with existing_input_id ", Quote(error.existing_input_id));
  }
  std::string operator()(const HeadRevisionConflict& error) const {
    return absl::StrCat("HeadRevisionConflict with expected ",
                        error.expected.has_value() ? absl::StrCat(*error.expected) : "none", " and actual ", error.actual);
  }
  std::string operator()(const RuntimeTurnCommitConflict& error) const {
    return absl::StrCat("RuntimeTurnCommitConflict of session ", Quote(error.session_id), ", turn ", Quote(error.turn_id));
  }
  std::string operator()(const SessionBindingMismatch& error) const {
    return absl::StrCat("SessionBindingMismatch with bound ", Quote(error.bound_session_id), " and attempted ",
                        Quote(error.attempted_session_id));
  }
  std::string operator()(const Backend& error) const { return absl::StrCat("Backend (", error.text, ")"); }
};

template <class Response>
std::string Got(const Answer<Response>& answer) {
  if (answer.response != nullptr) return TextOf(*answer.response);
  if (answer.error != nullptr) return std::visit(ErrorText(), *answer.error);
  return "an answer that nobody saw";
}

// What was expected.

std::string ExpectedRun(const Judge& judge, const SessionState& session, const ClaimCall& call, const Forecast& forecast) {
  const Row& head = session.rows[forecast.run.front()];
  std::string text =
      absl::StrCat("a grant to ", TextOf(call.owner), " whose first batch is ", NameOf(*head.stored), ", of exactly ",
                   NamesOf(session, forecast.run), ", unchanged, with claimed_at ", judge.now, ", expires_at ",
                   SaturatingAdd(judge.now, call.ttl), ", a new token, and a fencing_token above ", head.head_fencing);
  if (forecast.classless) absl::StrAppend(&text, "; or a Backend error, for a claimable batch has no class");
  return text;
}

std::string ExpectedGrant(const Judge& judge, const ClaimCall& call) {
  const SessionState& session = judge.Session(call.session_id);
  if (call.max == 0) return "none, for nothing is asked for; or SessionExecutionLeaseExpired where the fence is not valid";
  if (!FenceValid(judge, session, call.session_id, call.fence)) return ExpectedFence(judge, session, call.session_id);
  const Forecast forecast = ForecastClaim(judge, session, call);
  const std::string head = forecast.candidates.empty() ? "" : NameOf(*session.rows[forecast.candidates.front()].stored);
  switch (forecast.gate) {
    case Gate::kEmpty:
      return "none, for no batch is claimable";
    case Gate::kClass:
      return absl::StrCat("none, for the first claimable batch, ", head, ", is of the other class");
    case Gate::kBoundary:
      return absl::StrCat("none, for the first claimable batch, ", head, ", waits for the end of the turn");
    case Gate::kClassless:
      return absl::StrCat("a Backend error, for the first claimable batch, ", head, ", has no class");
    case Gate::kOpen:
      break;
  }
  if (call.ids != nullptr && !RunMatchesIds(session, forecast, *call.ids)) {
    return absl::StrCat("none, for a claim of ", call.max, " would take ", NamesOf(session, forecast.run),
                        ", which are not the ids asked for");
  }
  return ExpectedRun(judge, session, call, forecast);
}

std::string ExpectedOf(const Judge& judge, const EnqueueQueuedWorkRequest& request) {
  const SessionState& session = judge.Session(request.batch.session_id);
  for (const Row& row : session.rows) {
    if (request.batch.source_key.has_value() && row.stored->batch.source_key == request.batch.source_key) {
      return absl::StrCat("the stored batch of source_key ", Quote(*request.batch.source_key), ", ", NameOf(*row.stored),
                          ", unchanged");
    }
  }
  std::string text = absl::StrCat("a new batch with the draft's fields, ", request.batch.payloads.size(),
                                  " items with distinct ids, and enqueued_at_ms ", judge.now);
  if (!session.rows.empty()) absl::StrAppend(&text, ", after ", NameOf(*session.rows.back().stored));
  return text;
}

std::string ExpectedOf(const Judge& judge, const ClaimLeadingReadySessionCommandRequest& request) {
  return ExpectedGrant(judge, CallOf(request));
}
std::string ExpectedOf(const Judge& judge, const ClaimReadyQueuedWorkRequest& request) {
  return ExpectedGrant(judge, CallOf(request));
}
std::string ExpectedOf(const Judge& judge, const ClaimReadyQueuedWorkByBatchIdsRequest& request) {
  return ExpectedGrant(judge, CallOf(request));
}

std::string ExpectedOf(const Judge& judge, const RenewQueuedWorkClaimRequest& request) {
  const QueuedWorkClaim& claim = request.claim;
  const SessionState& session = judge.Session(claim.session_id);
  const Indices owned = OwnedRows(session, claim.claim_id, claim.lease_token);
  const std::string owns = absl::StrCat("the claim owns ", owned.size(), " of its ", claim.batches.size(), " batches");
  const std::string renewed = absl::StrCat("the passed claim with expires_at ", SaturatingAdd(judge.now, request.lease_ttl_ms));
  const std::string expired = absl::StrCat("QueuedWorkClaimExpired of claim ", Quote(claim.claim_id));
  const bool partly = !owned.empty() && session.rows[owned.front()].claim->partly_settled;
  if (partly || (owned.empty() && claim.batches.empty())) return absl::StrCat(renewed, " or ", expired, ", for ", owns);
  return absl::StrCat(!owned.empty() && owned.size() == claim.batches.size() ? renewed : expired, ", for ", owns);
}

std::string ExpectedOf(const Judge&, const AbandonQueuedWorkClaimRequest&) { return "success: abandoning never fails"; }

std::string ExpectedOf(const Judge& judge, const CancelQueuedWorkBatchRequest& request) {
  const Row* row = judge.Session(request.session_id).FindRow(request.batch_id);
  if (row == nullptr) return "none, for the session stores no such batch";
  if (!judge.LiveClaim(*row)) return absl::StrCat("the batch ", NameOf(*row->stored), " as stored, for it is pending");
  return absl::StrCat("none, for the batch is claimed until ", row->claim->expires.at);
}

std::string ExpectedOf(const Judge& judge, const ListQueuedWorkRequest& request) {
  const SessionState& session = judge.Session(request.session_id);
  Indices all;
  for (std::size_t i = 0; i < session.rows.size(); ++i) all.push_back(i);
  return absl::StrCat("exactly ", NamesOf(session, all), ", as stored and in this order");
}

std::string ExpectedOf(const Judge& judge, const ListPendingQueuedWorkRequest& request) {
  const SessionState& session = judge.Session(request.session_id);
  Indices pending;
  for (std::size_t i = 0; i < session.rows.size(); ++i) {
    if (!judge.LiveClaim(session.rows[i])) pending.push_back(i);
  }
  return absl::StrCat("exactly ", NamesOf(session, pending), ", as stored and in this order");
}

std::string TextOf(const SessionState& session, const LaneHolder& holder) {
  return absl::StrCat(TextOf(holder.owner), " with ",
                      holder.seen ? absl::StrCat("token ", Quote(holder.lease_token), ", fencing_token ", session.lane_fencing)
                                  : absl::StrCat("a token not seen yet, a fencing_token of at least ", session.lane_fencing),
                      ", claimed_at ", holder.claimed_at, " and expires_at ", holder.expires.at);
}

std::string ExpectedAcquisition(const Judge& judge, const SessionState& session, DurationMs ttl) {
  return absl::StrCat("Acquired by the caller with a new token, a fencing_token above ", session.lane_fencing, ", claimed_at ",
                      judge.now, " and expires_at ", SaturatingAdd(judge.now, ttl));
}

std::string ExpectedOf(const Judge& judge, const TryClaimSessionExecutionLeaseRequest& request) {
  const SessionState& session = judge.Session(request.session_id);
  if (!judge.LiveLane(session)) return ExpectedAcquisition(judge, session, request.lease_ttl_ms);
  const std::string held = TextOf(session, *session.holder);
  if (!SameIncarnation(session.holder->owner, request.owner)) return absl::StrCat("Busy with the holder, ", held);
  return absl::StrCat("Acquired again by its holder, ", held, ", the expiry now ",
                      SaturatingAdd(judge.now, request.lease_ttl_ms));
}

std::string ExpectedOf(const Judge& judge, const ReclaimSessionExecutionLeaseRequest& request) {
  const SessionState& session = judge.Session(request.session_id);
  if (!judge.LiveLane(session)) return ExpectedAcquisition(judge, session, request.lease_ttl_ms);
  const bool observed = request.observed_holder.session_id == request.session_id && MatchesLane(session, request.observed_holder);
  const bool dead = judge.DefinitelyDead(session.holder->owner, request.owner);
  if (observed && dead) return ExpectedAcquisition(judge, session, request.lease_ttl_ms);
  return absl::StrCat("Busy with the holder, ", TextOf(session, *session.holder), ", for ",
                      observed ? "the holder is not known to be dead" : "the observation does not match it");
}

std::string ExpectedOf(const Judge& judge, const RenewSessionExecutionLeaseRequest& request) {
  const SessionState& session = judge.Session(request.fence.session_id);
  if (!FenceValid(judge, session, request.fence.session_id, request.fence)) {
    return ExpectedFence(judge, session, request.fence.session_id);
  }
  return absl::StrCat("the lease of ", TextOf(session, *session.holder), ", the expiry now ",
                      SaturatingAdd(judge.now, request.lease_ttl_ms));
}

std::string ExpectedOf(const Judge&, const ReleaseSessionExecutionLeaseRequest&) { return "success: releasing never fails"; }

// The first completion that fails the commit, in words; "" where none must.
std::string BadCompletion(const Judge& judge, const SessionState& session, const RuntimeCommit& commit) {
  for (std::size_t i = 0; i < commit.completed_queue_claims.size(); ++i) {
    if (FateOf(judge, session, commit, i) != CompletionFate::kMustFail) continue;
    const QueuedWorkCompletion& completion = commit.completed_queue_claims[i];
    return absl::StrCat("QueuedWorkClaimExpired of session ", Quote(completion.session_id), ", claim ",
                        Quote(completion.claim_id), ", for completion ", i + 1, " does not own all its batches in this session");
  }
  return "";
}

std::string ExpectedOf(const Judge& judge, const CommitRuntimeStateRequest& request) {
  const RuntimeCommit& commit = request.commit;
  const SessionState& session = judge.Session(commit.session_id);
  if (commit.turn_commit.has_value()) {
    const RuntimeTurnCommitStamp& stamp = *commit.turn_commit;
    if (stamp.session_id != commit.session_id) return "RuntimeTurnCommitConflict, for the stamp names another session";
    for (const auto& [turn_id, turn] : *session.turns) {
      if (turn_id != stamp.turn_id) continue;
      if (turn->hash != stamp.turn_commit_hash) return "RuntimeTurnCommitConflict, for the turn is recorded with another hash";
      return absl::StrCat("the recorded result, with head_revision ", turn->result.head_revision);
    }
  }
  const auto& fence = commit.session_execution_lease;
  if (!fence.has_value() || !FenceValid(judge, session, commit.session_id, *fence)) {
    return ExpectedFence(judge, session, commit.session_id);
  }
  if (commit.expected_head_revision.has_value() && *commit.expected_head_revision != session.head_revision) {
    return absl::StrCat("HeadRevisionConflict with expected ", *commit.expected_head_revision, " and actual ",
                        session.head_revision);
  }
  const std::string bad = BadCompletion(judge, session, commit);
  if (!bad.empty()) return bad;
  const std::string bad_inputs = BadInputCompletion(judge, session, commit);
  return bad_inputs.empty() ? absl::StrCat("success with head_revision ", session.head_revision + 1) : bad_inputs;
}

std::string ExpectedOf(const Judge& judge, const LoadSessionRequest&) {
  std::vector<std::string> committed;
  for (const Cow<SessionState>& session : judge.state.sessions()) {
    if (session->head_revision == 0) continue;
    committed.push_back(absl::StrCat("session ", Quote(session->id), " at head_revision ", session->head_revision, " with body ",
                                     session->body->text));
  }
  return committed.empty() ? "none, for nothing was committed" : absl::StrJoin(committed, ", or ");
}

template <class Request, class Response>
std::string Explanation(const Judge& judge, const Request& request, const Answer<Response>& answer) {
  return absl::StrCat("expected ", ExpectedOf(judge, request), "; got ", Got(answer));
}

// Describe.

std::string DescribeRow(const Row& row, EpochMs now) {
  const QueuedWorkBatch& batch = row.stored->batch;
  std::string text = NameOf(*row.stored);
  const char* kClass[] = {"turn work", "session command", "no class"};
  absl::StrAppend(&text, ": ", kClass[static_cast<int>(row.stored->batch_class)], ", ", std::string(WordOf(batch.slot_policy)),
                  ", ", std::string(WordOf(batch.delivery_policy)));
  if (const auto* group = std::get_if<MergeGroup>(&batch.merge_key)) absl::StrAppend(&text, ", group ", Quote(group->group));
  if (batch.source_key.has_value()) absl::StrAppend(&text, ", key ", Quote(*batch.source_key));
  if (batch.available_at_ms > now) absl::StrAppend(&text, ", deferred until ", batch.available_at_ms);
  if (row.claim != nullptr) {
    absl::StrAppend(&text, ", ", row.claim->expires.LiveAt(now) ? "claimed" : "lapsed", " by ", TextOf(row.claim->owner),
                    row.claim->seen ? absl::StrCat(" as ", Quote(row.claim->claim_id)) : " in a grant nobody saw",
                    ", expires_at ", row.claim->expires.at);
  }
  if (row.head_fencing > 0) absl::StrAppend(&text, ", fencing_token ", row.head_fencing, " as head");
  return text;
}

void DescribeSession(const SessionState& session, EpochMs now, std::vector<std::string>& lines) {
  const std::string prefix = absl::StrCat("session ", Quote(session.id), ": ");
  for (const Row& row : session.rows) lines.push_back(absl::StrCat(prefix, "batch ", DescribeRow(row, now)));
  for (const InputRow& row : *session.inputs) lines.push_back(absl::StrCat(prefix, "turn input ", DescribeInput(row, now)));
  if (session.holder != nullptr) {
    lines.push_back(absl::StrCat(prefix, "lane ", session.holder->expires.LiveAt(now) ? "held" : "lapsed", ", ",
                                 TextOf(session, *session.holder)));
  } else if (session.lane_fencing > 0) {
    lines.push_back(absl::StrCat(prefix, "lane free, last fencing_token ", session.lane_fencing));
  }
  if (session.head_revision > 0) {
    lines.push_back(absl::StrCat(prefix, "head_revision ", session.head_revision, ", body ", session.body->text));
  }
  for (const auto& [turn_id, turn] : *session.turns) {
    lines.push_back(absl::StrCat(prefix, "turn ", Quote(turn_id), " recorded with hash ", Quote(turn->hash), " as head_revision ",
                                 turn->result.head_revision));
  }
}

}  // namespace
}  // namespace spec_internal

std::string SessionStoreSpec::Explain(const State& state, const Request& request, const Outcome& outcome, EpochMs now,
                                      const Context& context) {
  using spec_internal::Answer;
  State copy = state;
  const spec_internal::Judge judge{copy, now, context, nullptr};
  return VisitOperation<Family>(request.index(), [&]<std::size_t I>() {
    Answer<typename OperationAt<Family, I>::Response> answer;
    answer.response = ResponseIf<Family, I>(outcome);
    answer.error = std::get_if<1>(&outcome);
    answer.unseen = std::holds_alternative<Indefinite>(outcome);
    return spec_internal::Explanation(judge, std::get<I>(request), answer);
  });
}

std::string SessionStoreSpec::Describe(const State& state, EpochMs now) {
  std::vector<std::string> lines = {absl::StrCat("now ", now)};
  if (state.bound_session.has_value()) {
    lines.push_back(absl::StrCat("bound to session ", spec_internal::Quote(*state.bound_session)));
  }
  for (const Cow<SessionState>& session : state.sessions()) spec_internal::DescribeSession(*session, now, lines);
  return absl::StrJoin(lines, "\n");
}

}  // namespace leasecheck::session_store
