// Tokens and tenants of the mutants' store.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/mutants/state_slip_store.h"

namespace leasecheck::mutants {

using namespace state_backend;  // NOLINT(build/namespaces): this file is about little else
using Slip = StateSlip;

namespace {

tl::unexpected<StoreError> Missing() { return tl::unexpected<StoreError>(NotFound{"no such record"}); }
tl::unexpected<StoreError> Refused() { return tl::unexpected<StoreError>(Database{"the tables do not take it"}); }
tl::unexpected<StoreError> NoTenants() { return tl::unexpected<StoreError>(Database{"no tenants here"}); }

// A text that looks drawn by chance and is the same in every run.
std::string Digits(uint64_t serial, int words) {
  std::string digits;
  uint64_t word = serial;
  for (int i = 0; i < words; ++i) {
    word = (word + 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    absl::StrAppend(&digits, absl::StrFormat("%016x", word ^ (word >> 31)));
  }
  return digits;
}

}  // namespace

// Tokens.

std::string StateSlipStore::NewText(const std::string& name) {
  const uint64_t serial = Is(Slip::kTokenTextOfName) ? name.size() : ++tables_.serial;
  return absl::StrCat(kTokenPrefix, Digits(serial, liberties_.short_tokens ? 2 : 4));
}

StateTables::TokenRow* StateSlipStore::FindTokenId(const std::string& id) {
  const auto found =
      std::find_if(tables_.tokens.begin(), tables_.tokens.end(), [&](const TokenRow& row) { return row.info.id == id; });
  return found == tables_.tokens.end() ? nullptr : &*found;
}

Result<CreatedToken> StateSlipStore::CreateToken(const CreateTokenRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  if (request.view.has_value() && !IsRegistered(*request.view)) return Refused();
  TokenRow row;
  row.text = NewText(request.name);
  row.info.id = absl::StrFormat("00000000-0000-4000-8000-%012x", ++tables_.serial);
  row.info.name = request.name;
  row.info.role = request.role;
  row.info.created_at = Now();
  row.info.tenant_id = Is(Slip::kTokenTenantDefault) ? TenantId(kDefaultTenant) : OwnerOf(request.view);
  CreatedToken created{Secret(row.text), row.info};
  tables_.tokens.push_back(std::move(row));
  if (!Is(Slip::kTokenTenantDefault)) return created;
  created.info.tenant_id = OwnerOf(request.view);
  return created;
}

Result<std::optional<ApiToken>> StateSlipStore::ValidateToken(const ValidateTokenRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Instant now = Now();
  for (const TokenRow& row : tables_.tokens) {
    const bool named = Is(Slip::kTokenIdIsText) && row.info.id == request.token.text;
    if (row.text != request.token.text && !named) continue;
    if (row.revoked && !Is(Slip::kRevokedValid)) return std::nullopt;
    const bool late = row.info.expires_at.has_value() &&
                      (*row.info.expires_at < now || (*row.info.expires_at == now && !Is(Slip::kTokenExpiresLate)));
    if (late) return std::nullopt;
    if (liberties_.hides_foreign_tokens && !Sees(request.view, row.info.tenant_id)) return std::nullopt;
    ApiToken info = row.info;
    if (liberties_.token_created_later) info.created_at = SaturatingAdd(info.created_at, 700);
    if (liberties_.default_tokens && !request.view.has_value()) info.tenant_id = TenantId(kDefaultTenant);
    return info;
  }
  return std::nullopt;
}

Result<Done> StateSlipStore::RevokeToken(const RevokeTokenRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  TokenRow* row = FindTokenId(request.id);
  if (row == nullptr) return Missing();
  row->revoked = true;
  return Done{};
}

Result<Done> StateSlipStore::ExpireToken(const ExpireTokenRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  TokenRow* row = FindTokenId(request.id);
  if (row == nullptr) return Missing();
  row->info.expires_at = request.expires_at;
  return Done{};
}

// Tenants.

Tenant* StateSlipStore::FindTenant(const std::string& id) {
  const auto found =
      std::find_if(tables_.tenants.begin(), tables_.tenants.end(), [&](const Tenant& tenant) { return tenant.id == id; });
  return found == tables_.tenants.end() ? nullptr : &*found;
}

Result<Done> StateSlipStore::CreateTenant(const CreateTenantRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  if (liberties_.no_tenants) return NoTenants();
  if (FindTenant(request.tenant.id) != nullptr) return Refused();
  tables_.tenants.push_back(request.tenant);
  return Done{};
}

Result<std::optional<Tenant>> StateSlipStore::GetTenant(const GetTenantRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Tenant* tenant = FindTenant(request.id);
  if (tenant == nullptr) return std::nullopt;
  return *tenant;
}

Result<std::vector<Tenant>> StateSlipStore::ListTenants(const ListTenantsRequest&) {
  absl::MutexLock lock(&mutex_);
  std::vector<Tenant> tenants = tables_.tenants;
  std::stable_sort(tenants.begin(), tenants.end(), [](const Tenant& a, const Tenant& b) { return a.created_at < b.created_at; });
  return tenants;
}

Result<Done> StateSlipStore::UpdateTenant(const UpdateTenantRequest& request) {
  absl::MutexLock lock(&mutex_);
  const Saving saving(this);
  if (liberties_.no_tenants) return NoTenants();
  Tenant* tenant = FindTenant(request.tenant.id);
  if (tenant == nullptr) {
    if (!Is(Slip::kTenantUpdateInserts)) return Missing();
    tables_.tenants.push_back(request.tenant);
    return Done{};
  }
  Tenant updated = request.tenant;
  if (!Is(Slip::kTenantUpdateTakesCreated)) updated.created_at = tenant->created_at;
  if (Is(Slip::kTenantKeepsPolicy) && !updated.policy.has_value()) updated.policy = tenant->policy;
  *tenant = std::move(updated);
  return Done{};
}

}  // namespace leasecheck::mutants
