// Workflow definitions.
#include <algorithm>

#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend::spec_internal {
namespace {

const DefinitionRow* Find(const SpecState& state, const TenantId& tenant, absl::string_view id, absl::string_view version) {
  const auto found = std::find_if(state.definitions->begin(), state.definitions->end(), [&](const DefinitionRow& row) {
    return row.value->workflow_id == id && row.value->version == version && row.value->tenant_id == tenant;
  });
  return found == state.definitions->end() ? nullptr : &*found;
}

bool Is(const DefinitionRow& row, const GetWorkflowRequest& request) {
  return row.value->workflow_id == request.workflow_id && row.value->version == request.version;
}

void CountStore(const Judge& judge, const StoreWorkflowRequest& request, bool replaces) {
  judge.Held<"SB-WF-1">();
  judge.Held<"SB-WF-2">(replaces);
  judge.Held<"SB-TEN-11">(request.view.has_value() && request.def.tenant_id != *request.view);
}

void Store(SpecState& state, const StoreWorkflowRequest& request, const TenantId& tenant) {
  const DefinitionRow* before = Find(state, tenant, request.def.workflow_id, request.def.version);
  WorkflowDefinition definition = request.def;
  definition.tenant_id = tenant;
  auto& rows = state.definitions.Edit();
  if (before != nullptr) {
    std::erase_if(rows, [&](const DefinitionRow& row) {
      return row.value->tenant_id == tenant && row.value->workflow_id == definition.workflow_id &&
             row.value->version == definition.version;
    });
  }
  const bool replaced = before != nullptr;
  // In the order of the keys, so that states that hold the same are equal.
  const auto key = [](const WorkflowDefinition& d) { return std::tie(d.workflow_id, d.version, d.tenant_id); };
  const auto place =
      std::find_if(rows.begin(), rows.end(), [&](const DefinitionRow& row) { return key(definition) < key(*row.value); });
  rows.insert(place, {Share(std::move(definition)), replaced});
}

// A definition that may not be shown; `own` is the one that the view has under this key, or null.
Verdict BlameShown(const Judge& judge, const GetWorkflowRequest& request, const WorkflowDefinition& shown,
                   const DefinitionRow* own) {
  if (shown.workflow_id != request.workflow_id || shown.version != request.version) return Refuse<"SB-WF-5">();
  const auto& rows = *judge.state.definitions;
  const auto foreign = [&](const DefinitionRow& row) { return *row.value == shown && !Sees(request.view, shown.tenant_id); };
  if (std::any_of(rows.begin(), rows.end(), foreign)) return own == nullptr ? Refuse<"SB-TEN-10">() : Refuse<"SB-WF-6">();
  if (own == nullptr) {
    const auto version = [&](const DefinitionRow& row) { return row.value->ir == shown.ir; };
    return std::any_of(rows.begin(), rows.end(), version) ? Refuse<"SB-WF-3">() : Refuse<"SB-WF-4">();
  }
  if (request.view.has_value() && shown.tenant_id != *request.view) return Refuse<"SB-TEN-11">();
  return own->replaced ? Refuse<"SB-WF-2">() : Refuse<"SB-WF-1">();
}

void CountGet(const Judge& judge, const GetWorkflowRequest& request, const DefinitionRow* own) {
  judge.Held<"SB-WF-1">(own != nullptr);
  judge.Held<"SB-WF-2">(own != nullptr && own->replaced);
  judge.Refused<"SB-WF-4">(own == nullptr);
  for (const DefinitionRow& row : *judge.state.definitions) {
    const bool same_key = Is(row, request);
    const bool visible = Sees(request.view, row.value->tenant_id);
    judge.Refused<"SB-TEN-10">(own == nullptr && same_key && !visible);
    judge.Held<"SB-WF-6">(own != nullptr && same_key && row.value->tenant_id != own->value->tenant_id);
    const bool version = row.value->workflow_id == request.workflow_id && row.value->version != request.version && visible;
    judge.Held<"SB-WF-3">(version && own != nullptr);
    judge.Refused<"SB-WF-3">(version && own == nullptr);
    judge.Refused<"SB-WF-5">(version && own == nullptr);
  }
}

}  // namespace

Verdict JudgeCall(Judge& judge, const StoreWorkflowRequest& request, const Answer<Done>& answer) {
  const TenantId tenant = request.view.value_or(request.def.tenant_id);
  const Registered registered = IsRegistered(judge, tenant);
  if (answer.error != nullptr) {
    if (registered == Registered::kYes) return RefuseError<"SB-WF-1">(judge, answer);
    if (!answer.IsDatabase()) return request.view.has_value() ? Refuse<"SB-TEN-12">() : Refuse<"SB-WF-7">();
    judge.Refused<"SB-WF-7">();
    judge.Refused<"SB-TEN-12">(request.view.has_value());
    return kAllowed;
  }
  if (registered == Registered::kNo) {
    if (answer.unseen) return kAllowed;
    return request.view.has_value() ? Refuse<"SB-TEN-12">() : Refuse<"SB-WF-7">();
  }
  if (answer.response != nullptr) {
    CountStore(judge, request, Find(judge.state, tenant, request.def.workflow_id, request.def.version) != nullptr);
  }
  Store(judge.state, request, tenant);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const GetWorkflowRequest& request, const Answer<std::optional<WorkflowDefinition>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SB-GEN-4">();
  const DefinitionRow* own = nullptr;  // through the unscoped store any that has the key (SB-LAT-42)
  const std::optional<WorkflowDefinition>& shown = *answer.response;
  for (const DefinitionRow& row : *judge.state.definitions) {
    if (!Is(row, request) || !Sees(request.view, row.value->tenant_id)) continue;
    if (own == nullptr || (shown.has_value() && *row.value == *shown)) own = &row;
  }
  if (shown.has_value()) {
    if (own == nullptr || !(*own->value == *shown)) return BlameShown(judge, request, *shown, own);
  } else if (own != nullptr) {
    return own->replaced ? Refuse<"SB-WF-2">() : Refuse<"SB-WF-1">();
  }
  if (judge.counting()) CountGet(judge, request, own);
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
