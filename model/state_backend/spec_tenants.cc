// Tenants, and the provided methods of a store without them. The view means nothing here (SB-TEN-9).
//
// Whether a fresh store holds "default" (SB-LAT-33) is open until an answer shows it; then it has a row like any other.
#include <algorithm>
#include <vector>

#include "model/state_backend/spec_internal.h"

namespace leasecheck::state_backend::spec_internal {
namespace {

// Whether the tenant may be there without a row.
bool MayBeSeeded(const SpecState& state, absl::string_view id) {
  return id == kDefaultTenant && state.seed != Choice::kSecond && state.FindTenant(id) == nullptr;
}
bool IsSeeded(const SpecState& state, absl::string_view id) { return MayBeSeeded(state, id) && state.seed == Choice::kFirst; }

// The tenant as a fresh store has it; its times, policy and limits are the store's.
bool LooksSeeded(const Tenant& shown) {
  return shown.id == kDefaultTenant && shown.name == kDefaultTenantName && shown.status == TenantStatus::kActive;
}

Verdict BlameTenant(const TenantRow& row, const Tenant& shown) {
  if (!row.replaced) return Refuse<"SB-TEN-1">();
  const bool cleared = !row.value->policy.has_value() || !row.value->limits.has_value();
  const bool kept = shown.policy != row.value->policy || shown.limits != row.value->limits;
  return cleared && kept ? Refuse<"SB-TEN-5">() : Refuse<"SB-TEN-4">();
}

// A tenant that is shown; binds the seeded one.
Verdict TakeShown(SpecState& state, const Tenant& shown, Verdict unknown) {
  if (const TenantRow* row = state.FindTenant(shown.id)) {
    Tenant expected = *row->value;
    if (row->created_open) expected.created_at = shown.created_at;
    if (!(expected == shown)) return BlameTenant(*row, shown);
    if (row->created_open) Put(state, TenantRow{Share(std::move(expected)), row->replaced, false});
    return kAllowed;
  }
  if (!MayBeSeeded(state, shown.id)) return unknown;
  if (!LooksSeeded(shown)) return Refuse<"SB-TEN-8">();
  Choose(state, &SpecState::seed, Choice::kFirst);
  Put(state, TenantRow{Share(shown)});
  return kAllowed;
}

void CountShown(const Judge& judge, const Tenant& shown) {
  const TenantRow* row = judge.state.FindTenant(shown.id);
  judge.Held<"SB-TEN-1">(row != nullptr && !row->replaced);
  judge.Held<"SB-TEN-4">(row != nullptr && row->replaced);
  judge.Held<"SB-TEN-5">(row != nullptr && row->replaced && (!shown.policy.has_value() || !shown.limits.has_value()));
  judge.Held<"SB-TEN-8">(shown.id == kDefaultTenant);
}

Verdict JudgeUnsupported(const Answer<Done>& answer, Verdict refusal) {
  return answer.unseen || answer.IsDatabase() ? kAllowed : refusal;
}

// The tenant after an update. Of the seeded one, which nobody has read, created_at is not known; a store of preset memory may
// also take the caller's (SB-LAT-41).
TenantRow Updated(const Judge& judge, const TenantRow* row, bool inserts, const Tenant& given) {
  TenantRow updated{Share(given), true, (row == nullptr && !inserts) || judge.MemoryPreset()};
  if (row == nullptr) return updated;
  Tenant value = given;
  value.created_at = row->value->created_at;
  updated.value = Share(std::move(value));
  updated.created_open |= row->created_open;
  return updated;
}

}  // namespace

Verdict JudgeCall(Judge& judge, const CreateTenantRequest& request, const Answer<Done>& answer) {
  if (judge.NoTenants()) {
    const Verdict refused = JudgeUnsupported(answer, Refuse<"SB-DEF-1">());
    judge.Refused<"SB-DEF-1">(answer.IsDatabase());
    return refused;
  }
  const TenantId& id = request.tenant.id;
  const TenantRow* row = judge.state.FindTenant(id);
  const bool there = row != nullptr || IsSeeded(judge.state, id);
  if (answer.error != nullptr) {
    if (!answer.IsDatabase() || (!there && !MayBeSeeded(judge.state, id))) {
      return there ? Refuse<"SB-TEN-2">() : RefuseError<"SB-TEN-1">(judge, answer);
    }
    if (row == nullptr) Choose(judge.state, &SpecState::seed, Choice::kFirst);
    judge.Refused<"SB-TEN-2">();
    return kAllowed;
  }
  if (there && !judge.MemoryPreset()) return answer.unseen ? kAllowed : Refuse<"SB-TEN-2">();
  if (id == kDefaultTenant && row == nullptr && !judge.MemoryPreset()) Choose(judge.state, &SpecState::seed, Choice::kSecond);
  judge.Held<"SB-TEN-9">(answer.response != nullptr && request.view.has_value());
  Put(judge.state, TenantRow{Share(request.tenant)});
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const GetTenantRequest& request, const Answer<std::optional<Tenant>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SB-GEN-4">();
  const std::optional<Tenant>& shown = *answer.response;
  if (judge.NoTenants()) {
    if (shown.has_value()) return Refuse<"SB-DEF-2">();
    judge.Refused<"SB-DEF-2">(request.id == kDefaultTenant);
    return kAllowed;
  }
  if (shown.has_value()) {
    if (shown->id != request.id) return Refuse<"SB-TEN-1">();
    if (Verdict refused = TakeShown(judge.state, *shown, Refuse<"SB-TEN-3">())) return refused;
    if (judge.counting()) CountShown(judge, *shown);
    judge.Held<"SB-TEN-9">(request.view.has_value() && *request.view != request.id);
    return kAllowed;
  }
  const TenantRow* row = judge.state.FindTenant(request.id);
  if (row != nullptr) return row->replaced ? Refuse<"SB-TEN-4">() : Refuse<"SB-TEN-1">();
  if (IsSeeded(judge.state, request.id)) return Refuse<"SB-TEN-8">();
  if (request.id == kDefaultTenant) Choose(judge.state, &SpecState::seed, Choice::kSecond);
  judge.Refused<"SB-TEN-3">();
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const ListTenantsRequest& request, const Answer<std::vector<Tenant>>& answer) {
  if (answer.unseen) return kAllowed;
  if (answer.error != nullptr) return Refuse<"SB-GEN-4">();
  const std::vector<Tenant>& shown = *answer.response;
  if (judge.NoTenants()) {
    if (!shown.empty()) return Refuse<"SB-DEF-3">();
    judge.Refused<"SB-DEF-3">();
    return kAllowed;
  }
  SpecState after = judge.state;
  const Tenant* before = nullptr;
  for (const Tenant& tenant : shown) {
    const auto same = [&](const Tenant& other) { return other.id == tenant.id; };
    if (std::count_if(shown.begin(), shown.end(), same) > 1) return Refuse<"SB-TEN-7">();
    if (Verdict refused = TakeShown(after, tenant, Refuse<"SB-TEN-7">())) return refused;
    if (tenant.id == kDefaultTenant) continue;  // its place is the store's
    if (before != nullptr && tenant.created_at < before->created_at && !judge.MemoryPreset()) return Refuse<"SB-TEN-7">();
    before = &tenant;
  }
  if (shown.size() < after.tenants->size()) return Refuse<"SB-TEN-7">();
  if (after.FindTenant(kDefaultTenant) == nullptr) {
    if (after.seed == Choice::kFirst) return Refuse<"SB-TEN-8">();
    Choose(after, &SpecState::seed, Choice::kSecond);
  }
  judge.state = std::move(after);
  judge.Held<"SB-TEN-7">(shown.size() > 1);
  judge.Held<"SB-TEN-9">(request.view.has_value() && shown.size() > 1);
  return kAllowed;
}

Verdict JudgeCall(Judge& judge, const UpdateTenantRequest& request, const Answer<Done>& answer) {
  if (judge.NoTenants()) {
    const Verdict refused = JudgeUnsupported(answer, Refuse<"SB-DEF-4">());
    judge.Refused<"SB-DEF-4">(answer.IsDatabase());
    return refused;
  }
  const TenantId& id = request.tenant.id;
  const TenantRow* row = judge.state.FindTenant(id);
  const bool there = row != nullptr || IsSeeded(judge.state, id);
  if (answer.error != nullptr) {
    if (there) return RefuseError<"SB-TEN-4">(judge, answer);
    if (!answer.IsNotFound()) return Refuse<"SB-TEN-6">();
    if (id == kDefaultTenant) Choose(judge.state, &SpecState::seed, Choice::kSecond);
    judge.Refused<"SB-TEN-6">();
    return kAllowed;
  }
  const bool inserts = !there && !MayBeSeeded(judge.state, id);
  if (inserts && !judge.MemoryPreset()) return answer.unseen ? kAllowed : Refuse<"SB-TEN-6">();
  judge.Held<"SB-TEN-9">(answer.response != nullptr && request.view.has_value() && *request.view != id);
  TenantRow updated = Updated(judge, row, inserts, request.tenant);
  if (row == nullptr && !inserts) Choose(judge.state, &SpecState::seed, Choice::kFirst);
  Put(judge.state, std::move(updated));
  return kAllowed;
}

}  // namespace leasecheck::state_backend::spec_internal
