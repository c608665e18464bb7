// What the spec says to people: Describe and Explain. Slow, and never used to judge.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence {
namespace spec_internal {
namespace {

std::string Quote(const std::string& text) { return absl::StrCat("\"", text, "\""); }
std::string Quote(const std::optional<std::string>& text) { return text.has_value() ? Quote(*text) : "none"; }

std::string NameOf(const StoredBatch& stored) {
  if (!stored.seen) return "a batch not seen yet";
  return absl::StrCat(Quote(stored.batch.batch_id), " (seq ", stored.batch.enqueue_seq, ")");
}

std::string NamesOf(const Rows& rows, const Indices& indices) {
  if (indices.empty()) return "no batches";
  return absl::StrJoin(indices, ", ",
                       [&](std::string* out, std::size_t index) { absl::StrAppend(out, NameOf(*rows[index].stored)); });
}

// What was answered, in a few words.

std::string TextOf(const QueuedWorkBatch& batch) {
  return absl::StrCat("batch ", Quote(batch.batch_id), " with enqueue_seq ", batch.enqueue_seq, ", enqueued_at_ms ",
                      batch.enqueued_at_ms, " and ", batch.items.size(), " items");
}
std::string TextOf(const std::vector<QueuedWorkBatch>& batches) {
  if (batches.empty()) return "no batches";
  return absl::StrJoin(batches, ", ", [](std::string* out, const QueuedWorkBatch& batch) {
    absl::StrAppend(out, Quote(batch.batch_id), " (seq ", batch.enqueue_seq, ")");
  });
}
std::string TextOf(const QueuedWorkClaim& claim) {
  return absl::StrCat("a claim of ", TextOf(claim.batches), " by ", Quote(claim.owner_id), " with fencing_token ",
                      claim.fencing_token, ", claimed_at ", claim.claimed_at_epoch_ms, " and expires_at ",
                      claim.expires_at_epoch_ms);
}
std::string TextOf(const Done&) { return "success"; }
std::string TextOf(const SessionGraph& graph) {
  const std::string nodes = absl::StrJoin(
      graph.nodes, " ", [](std::string* out, const SessionNodeRecord& node) { absl::StrAppend(out, node.node_id); });
  return absl::StrCat("[", nodes, "] with leaf ", Quote(graph.leaf_node_id));
}
std::string TextOf(const std::vector<TokenLedgerEntry>& ledger) {
  return absl::StrCat("[",
                      absl::StrJoin(ledger, ", ",
                                    [](std::string* out, const TokenLedgerEntry& entry) {
                                      const TokenUsage& usage = entry.usage;
                                      absl::StrAppend(out, entry.source, "/", entry.model, " ", usage.input_tokens, " ",
                                                      usage.output_tokens, " ", usage.cached_input_tokens, " ",
                                                      usage.reasoning_tokens);
                                    }),
                      "]");
}
std::string TextOf(const std::optional<OpaqueJson>& content) { return content.has_value() ? content->text : "none"; }
std::string TextOf(const HydratedSessionCheckpoint& checkpoint) {
  return absl::StrCat(
      "turn_state ", checkpoint.turn_state.text, ", tool_state ", TextOf(checkpoint.tool_state), " under ",
      Quote(checkpoint.tool_state_ref), ", plugin_snapshot ", TextOf(checkpoint.plugin_snapshot), " under ",
      Quote(checkpoint.plugin_snapshot_ref), ", execution_state ",
      checkpoint.execution_state.has_value() ? absl::StrCat(checkpoint.execution_state->size(), " bytes") : "none", " under ",
      Quote(checkpoint.execution_state_ref));
}
std::string TextOf(const PersistedSessionRead& read) {
  return absl::StrCat("session ", Quote(read.session_id), " at head_revision ", read.head_revision, ", current frame ",
                      Quote(read.current_agent_frame_id), ", nodes ", TextOf(read.graph), ", ledger ", TextOf(read.token_ledger),
                      ", checkpoint ", Quote(read.checkpoint_ref), ": ",
                      read.checkpoint.has_value() ? TextOf(*read.checkpoint) : "none");
}
std::string TextOf(const SessionNodeRecord& node) {
  return absl::StrCat("node ", Quote(node.node_id), " under ", Quote(node.parent_node_id), " with payload ", node.payload.text);
}
std::string TextOf(const SessionCheckpoint& manifest) {
  return absl::StrCat("tool_state_ref ", Quote(manifest.tool_state_ref), ", plugin_snapshot_ref ",
                      Quote(manifest.plugin_snapshot_ref), ", execution_state_ref ", Quote(manifest.execution_state_ref));
}
std::string TextOf(const RuntimeCommitResult& result) {
  return absl::StrCat("success with head_revision ", result.head_revision, ", checkpoint_ref ", Quote(result.checkpoint_ref),
                      ", ", TextOf(result.manifest));
}
std::string TextOf(const SessionMeta& meta) {
  return absl::StrCat("meta of session ", Quote(meta.session_id), ", name ", Quote(meta.session_name));
}
std::string TextOf(const VacuumReport& report) { return absl::StrCat(report.removed_node_count, " nodes removed"); }
std::string TextOf(const GcReport& report) {
  return absl::StrCat(report.root_count, " roots, ", report.retained_blob_count, " blobs retained, ", report.deleted_blob_count,
                      " deleted");
}
std::string TextOf(DurabilityTier tier) { return tier == DurabilityTier::kInline ? "Inline" : "Durable"; }
std::string TextOf(const AttachmentIntent& intent) {
  return absl::StrCat(Quote(intent.attachment_id), " of ", Quote(intent.session_id), " at ", intent.intent_at_epoch_ms, " (",
                      intent.canonical_uri, ")");
}
std::string TextOf(const std::vector<AttachmentManifestEntry>& list) {
  if (list.empty()) return "no attachments";
  return absl::StrJoin(list, ", ", [](std::string* out, const AttachmentManifestEntry& entry) {
    absl::StrAppend(
        out, TextOf(AttachmentIntent{entry.attachment_id, entry.session_id, entry.canonical_uri, entry.intent_at_epoch_ms}));
  });
}
template <class T>
std::string TextOf(const std::optional<T>& value) {
  return value.has_value() ? TextOf(*value) : "none";
}

struct ErrorText {
  std::string operator()(const SessionBindingMismatch& error) const {
    return absl::StrCat("SessionBindingMismatch with bound ", Quote(error.bound_session_id), " and attempted ",
                        Quote(error.attempted_session_id));
  }
  std::string operator()(const UnsupportedReadScope&) const { return "UnsupportedReadScope"; }
  std::string operator()(const HeadRevisionConflict& error) const {
    return absl::StrCat("HeadRevisionConflict with expected ",
                        error.expected.has_value() ? absl::StrCat(*error.expected) : "none", " and actual ", error.actual);
  }
  std::string operator()(const RuntimeTurnCommitConflict& error) const {
    return absl::StrCat("RuntimeTurnCommitConflict of session ", Quote(error.session_id), ", turn ", Quote(error.turn_id));
  }
  std::string operator()(const QueuedWorkClaimExpired& error) const {
    return absl::StrCat("QueuedWorkClaimExpired of session ", Quote(error.session_id), ", claim ", Quote(error.claim_id));
  }
  std::string operator()(const UnsupportedRecordSchemaVersion& error) const {
    return absl::StrCat("UnsupportedRecordSchemaVersion of ", error.record_kind);
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

// Each live node, in storage order.
std::string LiveNodes(const SpecState& state) {
  std::vector<std::string> live;
  for (const NodeRow& row : *state.nodes) {
    if (!row.tombstoned) live.push_back(row.loose ? absl::StrCat(row.id(), " (anywhere)") : row.id());
  }
  return absl::StrCat("[", absl::StrJoin(live, " "), "]");
}

std::string LedgerOf(const SpecState& state) {
  std::vector<TokenLedgerEntry> ledger;
  for (const LedgerPair& pair : *state.ledger) ledger.push_back({pair.source, pair.model, pair.all});
  return TextOf(ledger);
}

struct ExpectedOf {
  const Judge& judge;

  std::string operator()(const LoadSessionRequest& request) const {
    const SpecState& state = judge.state;
    if (state.head_revision == 0) return "none, for nothing was committed";
    const auto* path = std::get_if<ActivePath>(&request.scope);
    const std::string graph =
        path == nullptr
            ? absl::StrCat("all of ", LiveNodes(state))
            : absl::StrCat("the path to ", Quote(path->leaf_node_id.has_value() ? path->leaf_node_id : state.head->leaf), " in ",
                           LiveNodes(state));
    return absl::StrCat("session ", Quote(state.bound_session), " at head_revision ", state.head_revision, ", current frame ",
                        Quote(state.head->current_agent_frame_id), ", nodes ", graph, " with head leaf ", Quote(state.head->leaf),
                        ", ledger ", LedgerOf(state), ", checkpoint ",
                        state.saved->seen ? Quote(state.saved->ref) : "of any name", ": ", TextOf(state.saved->given),
                        state.saved->seen ? absl::StrCat(" (named ", TextOf(state.saved->manifest), ")") : "");
  }
  std::string operator()(const LoadNodeRequest& request) const {
    const NodeRow* node = judge.state.FindNode(request.node_id);
    if (node == nullptr) return "none, for there is no such node";
    return node->tombstoned ? "none, for the node is tombstoned" : TextOf(*node->record);
  }
  std::string operator()(const CommitRuntimeStateRequest& request) const { return Commit(request.commit); }
  std::string operator()(const SaveSessionMetaRequest&) const { return "success"; }
  std::string operator()(const LoadSessionMetaRequest&) const {
    return judge.state.metas->empty() ? "none, for none was saved" : TextOf(*judge.state.metas->back());
  }
  std::string operator()(const TombstoneNodesRequest&) const { return "success: tombstoning never fails"; }
  std::string operator()(const VacuumRequest&) const {
    std::size_t tombstoned = 0;
    for (const NodeRow& row : *judge.state.nodes) tombstoned += row.tombstoned ? 1 : 0;
    return absl::StrCat(tombstoned, " nodes removed, or none");
  }
  std::string operator()(const GcUnreachableRequest&) const {
    if (judge.state.head_revision == 0) return "zeros, for nothing was committed";
    return absl::StrCat("a root or more", judge.state.swept ? " and nothing deleted, for the last collection did" : "",
                        ", or zeros");
  }
  std::string operator()(const DurabilityTierRequest&) const { return "the tier that it answered before"; }

  std::string operator()(const EnqueueQueuedWorkRequest& request) const {
    const QueuedWorkBatchDraft& draft = request.batch;
    for (const Row& row : *judge.state.queue) {
      if (!draft.source_key.has_value() || row.stored->batch.source_key != draft.source_key) continue;
      if (row.session() == draft.session_id) return absl::StrCat("the batch of that key, ", NameOf(*row.stored), ", unchanged");
    }
    std::string text = absl::StrCat("a new batch with the draft's fields, ", draft.payloads.size(),
                                    " items with distinct ids, and enqueued_at_ms ", judge.now);
    if (!judge.state.queue->empty()) absl::StrAppend(&text, ", after ", NameOf(*judge.state.queue->back().stored));
    return text;
  }
  std::string operator()(const ClaimReadyQueuedWorkRequest& request) const { return Grant(CallOf(request)); }
  std::string operator()(const ClaimReadyQueuedWorkByBatchIdsRequest& request) const { return Grant(CallOf(request)); }
  std::string operator()(const RenewQueuedWorkClaimRequest& request) const {
    const QueuedWorkClaim& claim = request.claim;
    const std::size_t owned = OwnedRows(*judge.state.queue, claim.session_id, claim.claim_id, claim.lease_token).size();
    return absl::StrCat("the passed claim with expires_at ", SaturatingAdd(judge.now, request.lease_ttl_ms),
                        " if it owns its batches, else QueuedWorkClaimExpired of claim ", Quote(claim.claim_id), "; it owns ",
                        owned, " rows and lists ", claim.batches.size());
  }
  std::string operator()(const AbandonQueuedWorkClaimRequest&) const { return "success: abandoning never fails"; }
  std::string operator()(const CancelQueuedWorkBatchRequest& request) const {
    const Row* row = judge.state.FindRow(request.batch_id);
    if (row == nullptr || row->session() != request.session_id) return "none, for the session stores no such batch";
    if (!judge.LiveClaim(*row)) return absl::StrCat("the batch ", NameOf(*row->stored), " as stored, for it is pending");
    return absl::StrCat("none, for the batch is claimed until ", row->claim->expires);
  }
  std::string operator()(const ListQueuedWorkRequest& request) const { return Listed(request.session_id, false); }
  std::string operator()(const ListPendingQueuedWorkRequest& request) const { return Listed(request.session_id, true); }

  std::string operator()(const RecordIntentRequest&) const { return "success"; }
  std::string operator()(const CommitRefsRequest&) const { return "success"; }
  std::string operator()(const ListUncommittedRequest& request) const {
    std::vector<std::string> due;
    for (const Attachment& row : *judge.state.attachments) {
      if (row.committed || row.intent.intent_at_epoch_ms > request.older_than_epoch_ms) continue;
      due.push_back(absl::StrCat(TextOf(row.intent), row.contested ? ", or not, for two sessions recorded it" : ""));
    }
    return due.empty() ? "no attachments" : absl::StrJoin(due, ", ");
  }
  std::string operator()(const ForgetRequest&) const { return "success: forgetting never fails"; }

 private:
  std::string Listed(absl::string_view session_id, bool pending_only) const {
    Indices listed;
    const Rows& rows = *judge.state.queue;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].session() == session_id && (!pending_only || !judge.LiveClaim(rows[i]))) listed.push_back(i);
    }
    return absl::StrCat("exactly ", NamesOf(rows, listed), ", as stored and in this order");
  }

  std::string Grant(const ClaimCall& call) const {
    if (call.max == 0) return "none, for nothing is asked for";
    const Rows& rows = *judge.state.queue;
    const Forecast forecast = ForecastClaim(judge, call);
    if (forecast.candidates.empty()) return "none, for there is no candidate";
    if (forecast.takes.empty()) {
      return absl::StrCat("none, for the first candidate, ", NameOf(*rows[forecast.candidates.front()].stored),
                          ", waits for the end of the turn");
    }
    const Indices& take = forecast.takes.front();
    if (call.ids != nullptr && !HasIds(rows, take, *call.ids)) {
      return absl::StrCat("none, for a claim of ", call.max, " would take ", NamesOf(rows, take));
    }
    return absl::StrCat("a grant to ", Quote(std::string(call.owner_id)), " of ", NamesOf(rows, take),
                        forecast.takes.size() > 1 ? " (or of less of it)" : "", ", unchanged, with claimed_at ", judge.now,
                        ", expires_at ", SaturatingAdd(judge.now, call.ttl), ", a new token, and a fencing_token above ",
                        rows[take.front()].head_fencing);
  }

  std::string Completions(const RuntimeCommit& commit) const {
    for (std::size_t i = 0; i < commit.completed_queue_claims.size(); ++i) {
      if (FateOf(judge, commit, i) != CompletionFate::kMustFail) continue;
      const QueuedWorkCompletion& completion = commit.completed_queue_claims[i];
      return absl::StrCat("QueuedWorkClaimExpired of session ", Quote(completion.session_id), ", claim ",
                          Quote(completion.claim_id), ", for completion ", i + 1, " does not own all its batches");
    }
    return "";
  }

  std::string Commit(const RuntimeCommit& commit) const {
    const SpecState& state = judge.state;
    if (state.bound_session.has_value() && *state.bound_session != commit.session_id) {
      return absl::StrCat("SessionBindingMismatch, for the store is bound to ", Quote(*state.bound_session));
    }
    if (commit.turn_commit.has_value()) {
      const RuntimeTurnCommitStamp& stamp = *commit.turn_commit;
      if (stamp.session_id != commit.session_id) return "RuntimeTurnCommitConflict, for the stamp names another session";
      if (const RecordedTurn* turn = state.FindTurn(stamp.turn_id)) {
        if (turn->hash != stamp.turn_commit_hash) return "RuntimeTurnCommitConflict, for the turn is recorded with another hash";
        return absl::StrCat("the recorded result, with head_revision ", turn->saved->revision);
      }
    }
    if (commit.expected_head_revision.has_value() && *commit.expected_head_revision != state.head_revision) {
      return absl::StrCat("HeadRevisionConflict with expected ", *commit.expected_head_revision, " and actual ",
                          state.head_revision);
    }
    std::string bad = Completions(commit);
    if (!bad.empty()) return bad;
    return absl::StrCat(
        IsOddDelta(state, commit.graph) ? "a Backend error, for the delta names a node that is stored or twice; or " : "",
        "success with head_revision ", state.head_revision + 1);
  }
};

template <class Request, class Response>
std::string Explanation(const Judge& judge, const Request& request, const Answer<Response>& answer) {
  return absl::StrCat("expected ", ExpectedOf{judge}(request), "; got ", Got(answer));
}

// Describe.

std::string DescribeRow(const Row& row, EpochMs now) {
  const QueuedWorkBatch& batch = row.stored->batch;
  std::string text = absl::StrCat("session ", Quote(batch.session_id), ": batch ", NameOf(*row.stored), ": ",
                                  std::string(WordOf(batch.slot_policy)), ", ", std::string(WordOf(batch.delivery_policy)));
  if (const auto* group = std::get_if<MergeGroup>(&batch.merge_key)) absl::StrAppend(&text, ", group ", Quote(group->group));
  if (batch.source_key.has_value()) absl::StrAppend(&text, ", key ", Quote(*batch.source_key));
  if (batch.available_at_ms > now) absl::StrAppend(&text, ", deferred until ", batch.available_at_ms);
  if (row.claim != nullptr) {
    absl::StrAppend(&text, ", ", row.claim->LiveAt(now) ? "claimed" : "lapsed", " by ", Quote(row.claim->owner_id),
                    row.claim->seen ? absl::StrCat(" as ", Quote(row.claim->claim_id)) : " in a grant nobody saw",
                    ", expires_at ", row.claim->expires);
  }
  if (row.head_fencing > 0) absl::StrAppend(&text, ", fencing_token ", row.head_fencing, " as head");
  return text;
}

void DescribeHead(const SpecState& state, std::vector<std::string>& lines) {
  if (state.head_revision == 0) return;
  lines.push_back(absl::StrCat("bound to session ", Quote(state.bound_session), ", head_revision ", state.head_revision,
                               ", leaf ", Quote(state.head->leaf), ", current frame ",
                               Quote(state.head->current_agent_frame_id)));
  for (const NodeRow& row : *state.nodes) {
    lines.push_back(absl::StrCat("node ", Quote(row.id()), " under ", Quote(row.record->parent_node_id),
                                 row.tombstoned ? ", tombstoned" : ""));
  }
  lines.push_back(absl::StrCat("checkpoint ", state.saved->seen ? Quote(state.saved->ref) : "of a name not seen yet", ": ",
                               TextOf(state.saved->given)));
  if (!state.ledger->empty()) lines.push_back(absl::StrCat("ledger ", LedgerOf(state)));
  for (const RecordedTurn& turn : *state.turns) {
    lines.push_back(absl::StrCat("turn ", Quote(turn.turn_id), " recorded with hash ", Quote(turn.hash), " as head_revision ",
                                 turn.saved->revision));
  }
}

}  // namespace
}  // namespace spec_internal

std::string RuntimePersistenceSpec::Explain(const State& state, const Request& request, const Outcome& outcome, EpochMs now,
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

std::string RuntimePersistenceSpec::Describe(const State& state, EpochMs now) {
  std::vector<std::string> lines = {absl::StrCat("now ", now)};
  spec_internal::DescribeHead(state, lines);
  for (const Row& row : *state.queue) lines.push_back(spec_internal::DescribeRow(row, now));
  for (const Attachment& row : *state.attachments) {
    lines.push_back(absl::StrCat("attachment ", spec_internal::TextOf(row.intent), row.committed ? ", committed" : ""));
  }
  if (!state.metas->empty()) lines.push_back(spec_internal::TextOf(*state.metas->back()));
  return absl::StrJoin(lines, "\n");
}

}  // namespace leasecheck::runtime_persistence
