// What the spec says to people: Describe and Explain. Slow, and never used to judge. No secret is in any of it.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/state_backend/spec_internal.h"
#include "model/state_backend/spec_json.h"

namespace leasecheck::state_backend {
namespace spec_internal {
namespace {

std::string TextOf(const Uuid& id) {
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", id.high >> 32, (id.high >> 16) & 0xffff, id.high & 0xffff, id.low >> 48,
                         id.low & 0xffffffffffff);
}
std::string TextOf(Instant instant) { return absl::StrCat(instant.ms); }
std::string TextOf(const Moment& moment) {
  return moment.from == moment.to ? TextOf(moment.from) : absl::StrCat(TextOf(moment.from), " to ", TextOf(moment.to));
}
std::string TextOf(EventSequence number) { return absl::StrCat(number); }
std::string TextOf(const Done&) { return "success"; }
std::string TextOf(WorkflowStatus status) { return std::string(WordOf(status)); }

template <class T>
std::string TextOf(const std::optional<T>& value);

std::string TextOf(const WorkflowDefinition& d) {
  return absl::StrCat("definition \"", d.workflow_id, "\" \"", d.version, "\" of tenant \"", d.tenant_id, "\", created_at ",
                      TextOf(d.created_at), ", ir ", d.ir.text);
}
std::string TextOf(const WorkflowExecution& e) {
  return absl::StrCat("execution ", TextOf(e.execution_id), " (", TextOf(e.status), ", updated_at ", TextOf(e.updated_at),
                      ", completed_at ", TextOf(e.completed_at), ", started_at ", TextOf(e.started_at), ", session_type ",
                      e.session_type.has_value() ? std::string(WordOf(*e.session_type)) : "none", ", state ",
                      e.current_state.text, ")");
}
std::string TextOf(const Event& e) {
  return absl::StrCat("event ", TextOf(e.id), " with sequence ", e.sequence, " (created_at ", TextOf(e.created_at), ", ",
                      e.kind.text, ")");
}
std::string TextOf(const Snapshot& s) {
  return absl::StrCat("snapshot ", TextOf(s.id), " at_sequence ", s.at_sequence, " (created_at ", TextOf(s.created_at), ", ",
                      s.state.text, ")");
}
std::string TextOf(const WorkItem& w) {
  return absl::StrCat("item ", TextOf(w.id), " (queue_type \"", w.queue_type, "\", attempt ", w.attempt, " of ", w.max_attempts,
                      ", created_at ", TextOf(w.created_at), ", worker ", w.worker_id.value_or("none"), ", lease ",
                      TextOf(w.lease_expires_at), ", tenant \"", w.tenant_id, "\", payload ", w.payload.text, ")");
}
std::string TextOf(const DeadLetter& l) {
  return absl::StrCat("dead letter ", TextOf(l.id), " (attempt ", l.attempt, ", \"", l.last_error, "\", dead_lettered_at ",
                      TextOf(l.dead_lettered_at), ")");
}
std::string TextOf(const ApiToken& t) {
  return absl::StrCat("token ", t.id, " (\"", t.name, "\", role \"", t.role, "\", created_at ", TextOf(t.created_at),
                      ", expires_at ", TextOf(t.expires_at), ", tenant \"", t.tenant_id, "\")");
}
std::string TextOf(const CreatedToken& created) { return absl::StrCat("a text, and ", TextOf(created.info)); }
std::string TextOf(const Tenant& t) {
  return absl::StrCat("tenant \"", t.id, "\" (\"", t.name, "\", ", std::string(WordOf(t.status)), ", policy ",
                      t.policy.has_value() ? t.policy->text : "none", ", limits ", t.limits.has_value() ? "given" : "none",
                      ", created_at ", TextOf(t.created_at), ", updated_at ", TextOf(t.updated_at), ")");
}
template <class T>
std::string TextOf(const std::vector<T>& values) {
  if (values.empty()) return "an empty list";
  return absl::StrJoin(values, ", ", [](std::string* out, const T& value) { absl::StrAppend(out, TextOf(value)); });
}
std::string TextOf(const ReclaimResult& result) {
  return absl::StrCat("retryable: ", TextOf(result.retryable), "; exhausted: ", TextOf(result.exhausted));
}
template <class T>
std::string TextOf(const std::optional<T>& value) {
  return value.has_value() ? TextOf(*value) : "none";
}

struct ErrorText {
  std::string operator()(const NotFound& error) const { return absl::StrCat("NotFound (", error.text, ")"); }
  std::string operator()(const SequenceConflict& error) const { return absl::StrCat("SequenceConflict (", error.text, ")"); }
  std::string operator()(const Database& error) const { return absl::StrCat("Database (", error.text, ")"); }
  std::string operator()(const Serialization& error) const { return absl::StrCat("Serialization (", error.text, ")"); }
};

template <class Response>
std::string Got(const Answer<Response>& answer) {
  if (answer.response != nullptr) return TextOf(*answer.response);
  if (answer.error != nullptr) return std::visit(ErrorText(), *answer.error);
  return "an answer that nobody saw";
}

std::string EndsOf(Ends ends) {
  std::vector<absl::string_view> names;
  if ((ends & kCompleted) != 0) names.emplace_back("completed");
  if ((ends & kFailed) != 0) names.emplace_back("failed");
  if ((ends & kDead) != 0) names.emplace_back("dead-lettered");
  return absl::StrJoin(names, " or ");
}

std::string About(const Item& item) {
  std::string text = absl::StrCat("item ", TextOf(item.id()), " of tenant \"", item.work->tenant_id, "\" (queue_type \"",
                                  item.work->queue_type, "\", created_at ", TextOf(item.work->created_at), ", attempt ",
                                  item.attempt, " of ", item.work->max_attempts, "): ");
  switch (item.stage) {
    case Stage::kClaimed:
      return absl::StrCat(text, "claimed by \"", *item.worker, "\" until ", TextOf(item.lease));
    case Stage::kSettled:
      return absl::StrCat(text, EndsOf(item.ends));
    default:
      return absl::StrCat(text, "pending", item.retry_after.has_value() ? ", retry_after " : "",
                          item.retry_after.has_value() ? TextOf(*item.retry_after) : "");
  }
}

std::string About(const Execution& execution) {
  WorkflowExecution value = execution.born->value;
  value.status = execution.status;
  value.current_state.text = *execution.state;
  value.updated_at = execution.updated_at.from;
  value.completed_at.reset();
  if (execution.completed_at.has_value()) value.completed_at = execution.completed_at->from;
  return absl::StrCat(TextOf(value), " of tenant \"", execution.born->tenant, "\"");
}

// What was expected.

struct ExpectedOf {
  const Judge& judge;

  std::string operator()(const StoreWorkflowRequest& request) const {
    const TenantId tenant = request.view.value_or(request.def.tenant_id);
    return IsRegistered(judge, tenant) == Registered::kNo ? "Database, for the tenant is not registered" : "success";
  }
  std::string operator()(const GetWorkflowRequest& request) const {
    std::vector<std::string> own;
    for (const DefinitionRow& row : *judge.state.definitions) {
      const bool same = row.value->workflow_id == request.workflow_id && row.value->version == request.version;
      if (same && Sees(request.view, row.value->tenant_id)) own.push_back(TextOf(*row.value));
    }
    return own.empty() ? "none" : absl::StrJoin(own, ", or ");
  }
  std::string operator()(const CreateExecutionRequest& request) const {
    if (request.view.has_value() && IsRegistered(judge, *request.view) == Registered::kNo) return Unregistered("Database");
    return judge.state.FindExecution(request.execution.execution_id) == nullptr ? "success" : "Database, for the id is taken";
  }
  std::string operator()(const GetExecutionRequest& request) const {
    const Execution* execution = VisibleExecution(judge.state, request.id, request.view);
    return execution == nullptr ? "none" : About(*execution);
  }
  std::string operator()(const UpdateExecutionStatusRequest& request) const { return Named(request.id, request.view); }
  std::string operator()(const UpdateExecutionCurrentStateRequest& request) const { return Named(request.id, request.view); }
  std::string operator()(const PatchAppendArrayRequest& request) const {
    const Execution* execution = VisibleExecution(judge.state, request.execution_id, request.view);
    if (execution == nullptr) return "NotFound";
    switch (AppendToArray(*execution->state, request.key, request.value.text, nullptr)) {
      case Appended::kNoObject:
        return absl::StrCat("Database, for the state is ", *execution->state);
      case Appended::kNoArray:
        return absl::StrCat("Database, for under \"", request.key, "\" is no array in ", *execution->state);
      default:
        return "success";
    }
  }
  std::string operator()(const ListExecutionsRequest& request) const {
    std::vector<std::string> listed;
    for (const Execution& execution : *judge.state.executions) {
      const bool wanted = !request.status.has_value() || execution.status == *request.status;
      if (wanted && Sees(request.view, execution.born->tenant)) listed.push_back(About(execution));
    }
    return absl::StrCat("places ", request.offset, " and on, at most ", request.limit,
                        ", in the declared order of: ", listed.empty() ? "nothing" : absl::StrJoin(listed, ", "));
  }
  std::string operator()(const AppendEventRequest& request) const {
    std::string standing = Refers(request.event.execution_id, request.view);
    if (!standing.empty()) return standing;
    const Log* log = judge.state.FindLog(request.event.execution_id);
    const std::size_t next = (log == nullptr ? 0 : log->entries->size()) + 1;
    return absl::StrCat(judge.NumbersGlobally() ? "a new number above all of the log" : absl::StrCat(next),
                        ", or Database if an event of this id is in any log");
  }
  std::string operator()(const GetEventsRequest& request) const { return Events(request.execution_id, request.view, 0); }
  std::string operator()(const GetEventsSinceRequest& request) const {
    return Events(request.execution_id, request.view, request.since_sequence);
  }
  std::string operator()(const LatestSequenceRequest& request) const {
    return absl::StrCat("the last number of ", Events(request.execution_id, request.view, 0), ", or 0");
  }
  std::string operator()(const WriteSnapshotRequest& request) const {
    const std::string standing = Refers(request.snapshot.execution_id, request.view);
    return standing.empty() ? "success" : standing;
  }
  std::string operator()(const LatestSnapshotRequest& request) const {
    const Log* log = VisibleLog(judge.state, request.execution_id, request.view);
    return log == nullptr || log->newest == nullptr ? "none" : TextOf(*log->newest);
  }
  std::string operator()(const EnqueueWorkItemRequest& request) const {
    if (judge.state.FindItem(request.item.id) != nullptr) return "Database, for the id was enqueued before";
    const std::string standing = Refers(request.item.execution_id, request.view);
    return standing.empty() ? TextOf(request.item.id) : standing;
  }
  std::string operator()(const ClaimWorkItemRequest& request) const {
    std::vector<std::string> items;
    for (const Item& item : *judge.state.items) {
      if (Sees(request.view, item.work->tenant_id)) items.push_back(About(item));
    }
    return absl::StrCat("at ", judge.now, " the eligible item of the types [", absl::StrJoin(request.queue_types, ", "),
                        "] with the earliest created_at, leased until ", TextOf(judge.Stamp(judge.LeaseLength())),
                        ", or none where none is eligible; there is ", items.empty() ? "nothing" : absl::StrJoin(items, "; "));
  }
  std::string operator()(const RenewLeaseRequest& request) const {
    const Item* item = VisibleItem(judge.state, request.item_id, request.view);
    if (item == nullptr) return "NotFound, for there is no such item";
    return absl::StrCat(item->IsClaimedBy(request.worker_id) ? "success" : "NotFound", ", for there is ", About(*item));
  }
  std::string operator()(const CompleteWorkItemRequest& request) const {
    return Settles(request.item_id, request.view, "NotFound, or success without effect");
  }
  std::string operator()(const FailWorkItemRequest& request) const { return Settles(request.item_id, request.view, "NotFound"); }
  std::string operator()(const MoveToDeadLetterRequest& request) const {
    return Settles(request.item_id, request.view, "NotFound, or success without effect");
  }
  std::string operator()(const ReclaimExpiredLeasesRequest& request) const {
    std::vector<std::string> items;
    for (const Item& item : *judge.state.items) {
      if (Sees(request.view, item.work->tenant_id) && item.stage == Stage::kClaimed) items.push_back(About(item));
    }
    return absl::StrCat("the items claimed until before ", judge.now,
                        ", each with one attempt more, of: ", items.empty() ? "nothing" : absl::StrJoin(items, "; "));
  }
  std::string operator()(const CreateTokenRequest& request) const {
    if (request.view.has_value() && IsRegistered(judge, *request.view) == Registered::kNo) return Unregistered("Database");
    return absl::StrCat("a new text, and a token with a new id, \"", request.name, "\", role \"", request.role, "\", created_at ",
                        judge.now, ", tenant \"", OwnerOf(request.view), "\", without an expiry");
  }
  std::string operator()(const ValidateTokenRequest& request) const {
    const TokenRow* row = judge.state.FindToken(request.token);
    if (row == nullptr) return "none, for no token has this text";
    if (row->revoked) return absl::StrCat("none, for token ", row->created->info.id, " was revoked");
    ApiToken info = row->created->info;
    info.expires_at = row->expires_at;
    if (info.expires_at.has_value() && *info.expires_at <= judge.Clock())
      return absl::StrCat("none, for it is over: ", TextOf(info));
    return TextOf(info);
  }
  std::string operator()(const CreateTenantRequest& request) const {
    if (judge.NoTenants()) return "Database, for the store has no tenants";
    return judge.state.FindTenant(request.tenant.id) == nullptr ? "success" : "Database, for the tenant is there";
  }
  std::string operator()(const GetTenantRequest& request) const {
    const TenantRow* row = judge.NoTenants() ? nullptr : judge.state.FindTenant(request.id);
    if (row != nullptr) return TextOf(*row->value);
    return request.id == kDefaultTenant && !judge.NoTenants() ? "the tenant that a fresh store has, or none" : "none";
  }
  std::string operator()(const ListTenantsRequest&) const {
    if (judge.NoTenants()) return "an empty list";
    std::vector<std::string> tenants;
    for (const TenantRow& row : *judge.state.tenants) tenants.push_back(TextOf(*row.value));
    return absl::StrCat("by created_at, with or without an untouched \"default\": ",
                        tenants.empty() ? "nothing" : absl::StrJoin(tenants, ", "));
  }
  std::string operator()(const UpdateTenantRequest& request) const {
    if (judge.NoTenants()) return "Database, for the store has no tenants";
    return judge.state.FindTenant(request.tenant.id) == nullptr ? "NotFound, unless it is \"default\"" : "success";
  }
  std::string operator()(const RevokeTokenRequest& request) const { return OfToken(request.id); }
  std::string operator()(const ExpireTokenRequest& request) const { return OfToken(request.id); }
  std::string operator()(const ListDeadLettersRequest&) const {
    std::vector<DeadLetter> letters;
    for (const Item& item : *judge.state.items) {
      if ((item.ends & kDead) == 0) continue;
      letters.push_back({item.id(), item.attempt, item.letter->last_error.value_or("(any text)"), item.letter->at.from});
    }
    return TextOf(letters);
  }

 private:
  static std::string Unregistered(const char* error) { return absl::StrCat(error, ", for the view's tenant is not registered"); }
  std::string Named(const ExecutionId& id, const View& view) const {
    return VisibleExecution(judge.state, id, view) == nullptr ? "NotFound" : "success";
  }
  // The error that a call which refers to the execution has to get, or "".
  std::string Refers(const ExecutionId& id, const View& view) const {
    switch (StandingOf(judge, id, view)) {
      case Standing::kUnknown:
        return "Database, for the execution is unknown";
      case Standing::kForeign:
        return "Database, for the execution is another tenant's";
      case Standing::kUnregistered:
        return Unregistered("Database");
      default:
        return "";
    }
  }
  std::string Events(const ExecutionId& id, const View& view, EventSequence since) const {
    std::vector<std::string> events;
    const Log* log = VisibleLog(judge.state, id, view);
    if (log != nullptr) {
      for (const Entry& entry : *log->entries) {
        Event event = *entry.event;
        event.sequence = entry.sequence;
        if (entry.sequence == 0 || entry.sequence > since) events.push_back(TextOf(event));
      }
    }
    return events.empty() ? "an empty list" : absl::StrJoin(events, ", ");
  }
  std::string Settles(const WorkItemId& id, const View& view, const char* otherwise) const {
    const Item* item = VisibleItem(judge.state, id, view);
    if (item == nullptr) return absl::StrCat(otherwise, ", for there is no such item");
    return absl::StrCat(item->stage == Stage::kSettled ? "an answer that leaves it so" : "success", ", for there is ",
                        About(*item));
  }
  std::string OfToken(absl::string_view id) const {
    return judge.state.FindTokenId(id) == nullptr ? "NotFound, for no token has this id" : "success";
  }
};

template <class Request, class Response>
std::string Explanation(const Judge& judge, const Request& request, const Answer<Response>& answer) {
  return absl::StrCat("expected ", ExpectedOf{judge}(request), "; got ", Got(answer));
}

}  // namespace
}  // namespace spec_internal

std::string StateBackendSpec::Explain(const State& state, const Request& request, const Outcome& outcome, EpochMs now,
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

std::string StateBackendSpec::Describe(const State& state, EpochMs now) {
  std::vector<std::string> lines = {absl::StrCat("now ", now)};
  for (const DefinitionRow& row : *state.definitions) lines.push_back(spec_internal::TextOf(*row.value));
  for (const Execution& execution : *state.executions) lines.push_back(spec_internal::About(execution));
  for (const Log& log : *state.logs) {
    lines.push_back(absl::StrCat("log of ", spec_internal::TextOf(log.execution_id), ": ", log.entries->size(), " events",
                                 log.newest == nullptr ? "" : absl::StrCat(", ", spec_internal::TextOf(*log.newest))));
  }
  for (const Item& item : *state.items) lines.push_back(spec_internal::About(item));
  for (const TokenRow& row : *state.tokens) {
    lines.push_back(absl::StrCat(spec_internal::TextOf(row.created->info), row.revoked ? ", revoked" : "",
                                 row.expires_at.has_value() ? absl::StrCat(", until ", row.expires_at->ms) : ""));
  }
  for (const TenantRow& row : *state.tenants) lines.push_back(spec_internal::TextOf(*row.value));
  return absl::StrJoin(lines, "\n");
}

}  // namespace leasecheck::state_backend
