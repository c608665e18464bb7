// Tokens and tenants.
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "memstore/sha256.h"
#include "memstore/state_backend_state.h"

namespace leasecheck::memstore {

using state_backend::ApiToken;
using state_backend::CreatedToken;
using state_backend::Database;
using state_backend::Done;
using state_backend::kDefaultTenant;
using state_backend::kTokenPrefix;
using state_backend::NotFound;
using state_backend::Result;
using state_backend::StoreError;
using state_backend::Tenant;

namespace {

tl::unexpected<StoreError> NoTenants() { return tl::unexpected<StoreError>(Database{"this store does not support tenants"}); }

// A UUID's text (of version 4, whose bits are free) from the first digits of a digest.
std::string UuidTextFrom(const std::string& digest) {
  return absl::StrCat(digest.substr(0, 8), "-", digest.substr(8, 4), "-4", digest.substr(13, 3), "-8", digest.substr(17, 3), "-",
                      digest.substr(20, 12));
}

}  // namespace

// Tokens.

Result<CreatedToken> StateBackendState::CreateToken(const state_backend::CreateTokenRequest& request, EpochMs now) {
  if (MakesNothing(request.view)) return tl::unexpected<StoreError>(Database{"the view's tenant is not registered"});
  const std::size_t number = tokens_.all().size() + 1;
  CreatedToken created;
  created.plaintext = Secret(absl::StrCat(kTokenPrefix, Sha256Hex(absl::StrCat("text ", token_seed_, " ", number))));
  created.info.id = UuidTextFrom(Sha256Hex(absl::StrCat("id ", token_seed_, " ", number)));
  created.info.name = request.name;
  created.info.role = request.role;
  created.info.created_at = InstantOf(now);
  created.info.tenant_id = request.view.value_or(std::string(kDefaultTenant));
  tokens_.Add({Sha256Hex(created.plaintext.text), created.info, false});
  return created;
}

Result<std::optional<ApiToken>> StateBackendState::ValidateToken(const state_backend::ValidateTokenRequest& request,
                                                                 EpochMs now) {
  const TokenRow* row = tokens_.FindByHash(Sha256Hex(request.token.text));
  if (row == nullptr || row->revoked) return std::nullopt;
  if (row->info.expires_at.has_value() && *row->info.expires_at <= InstantOf(now)) return std::nullopt;
  return row->info;
}

Result<Done> StateBackendState::RevokeToken(const state_backend::RevokeTokenRequest& request, EpochMs) {
  TokenRow* row = tokens_.FindById(request.id);
  if (row == nullptr) return tl::unexpected<StoreError>(NotFound{"no such token"});
  row->revoked = true;
  return Done{};
}

Result<Done> StateBackendState::ExpireToken(const state_backend::ExpireTokenRequest& request, EpochMs) {
  TokenRow* row = tokens_.FindById(request.id);
  if (row == nullptr) return tl::unexpected<StoreError>(NotFound{"no such token"});
  row->info.expires_at = request.expires_at;
  return Done{};
}

// Tenants.

Result<Done> StateBackendState::CreateTenant(const state_backend::CreateTenantRequest& request, EpochMs) {
  if (choices_.tenant_calls == TenantCalls::kUnsupported) return NoTenants();
  if (!tenants_.Add(request.tenant)) return tl::unexpected<StoreError>(Database{"a tenant of this id is there"});
  return Done{};
}

Result<std::optional<Tenant>> StateBackendState::GetTenant(const state_backend::GetTenantRequest& request, EpochMs) {
  const Tenant* tenant = choices_.tenant_calls == TenantCalls::kUnsupported ? nullptr : tenants_.Find(request.id);
  if (tenant == nullptr) return std::nullopt;
  return *tenant;
}

Result<std::vector<Tenant>> StateBackendState::ListTenants(const state_backend::ListTenantsRequest&, EpochMs) {
  if (choices_.tenant_calls == TenantCalls::kUnsupported) return std::vector<Tenant>();
  return tenants_.All();
}

Result<Done> StateBackendState::UpdateTenant(const state_backend::UpdateTenantRequest& request, EpochMs) {
  if (choices_.tenant_calls == TenantCalls::kUnsupported) return NoTenants();
  Tenant* tenant = tenants_.Find(request.tenant.id);
  if (tenant == nullptr) return tl::unexpected<StoreError>(NotFound{"no such tenant"});
  const Instant created_at = tenant->created_at;
  *tenant = request.tenant;
  tenant->created_at = created_at;
  return Done{};
}

}  // namespace leasecheck::memstore
