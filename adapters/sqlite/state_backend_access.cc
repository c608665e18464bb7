// The calls of tokens and tenants.
#include <openssl/rand.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/state_backend.h"
#include "adapters/sqlite/state_backend_access_rows.h"
#include "adapters/sqlite/transaction.h"
#include "codec/sha256.h"

namespace leasecheck::sqlite {
namespace {

using codec::Sha256Hex;
using state_backend::ApiToken;
using state_backend::CreatedToken;
using state_backend::Done;
using state_backend::kDefaultTenant;
using state_backend::kTokenPrefix;
using state_backend::NotFound;
using state_backend::Result;
using state_backend::StoreError;
using state_backend::Tenant;

constexpr int kSecretBytes = 32;

tl::unexpected<StoreError> Refused(const char* why) { return Fails<StoreError>(state_backend::Database{why}); }

// Done, or NotFound.
Result<Done> DoneIf(bool found, const char* otherwise) {
  if (!found) return Fails<StoreError>(NotFound{otherwise});
  return Done{};
}

// A UUID's text (of version 4, whose bits are free) from an id of the store's, which is never issued twice.
std::string UuidTextFrom(absl::string_view id) {
  const std::string digest = Sha256Hex(id);
  return absl::StrCat(digest.substr(0, 8), "-", digest.substr(8, 4), "-4", digest.substr(13, 3), "-8", digest.substr(17, 3), "-",
                      digest.substr(20, 12));
}

}  // namespace

// Tokens.

std::optional<std::string> StateBackend::NewTokenText() {
  if (repeatable_) return absl::StrCat(kTokenPrefix, Sha256Hex(database_->NewId("token-text")));
  unsigned char bytes[kSecretBytes];
  if (RAND_bytes(bytes, kSecretBytes) != 1) return std::nullopt;
  const absl::string_view secret(reinterpret_cast<const char*>(bytes), kSecretBytes);
  return absl::StrCat(kTokenPrefix, absl::BytesToHexString(secret));
}

Result<CreatedToken> StateBackend::CreateToken(const state_backend::CreateTokenRequest& request) {
  std::optional<std::string> text = NewTokenText();
  if (!text.has_value()) return Refused("there are no random numbers for a token");
  CreatedToken created;
  created.plaintext = Secret(*std::move(text));
  created.info.id = UuidTextFrom(database_->NewId("token"));
  created.info.name = request.name;
  created.info.role = request.role;
  created.info.tenant_id = request.view.value_or(std::string(kDefaultTenant));
  const std::string hash = Sha256Hex(created.plaintext.text);
  return database_->Write([&](Transaction& transaction, EpochMs now) -> Result<CreatedToken> {
    if (!HasTenant(transaction, created.info.tenant_id)) return Refused("the view's tenant is not registered");
    created.info.created_at = InstantOf(now);
    AddToken(transaction, hash, created.info);
    return created;
  });
}

Result<std::optional<ApiToken>> StateBackend::ValidateToken(const state_backend::ValidateTokenRequest& request) {
  const std::string hash = Sha256Hex(request.token.text);
  return database_->Read([&](Transaction& transaction, EpochMs now) -> Result<std::optional<ApiToken>> {
    std::optional<ApiToken> info = ReadTokenOfHash(transaction, hash);
    const bool expired = info.has_value() && info->expires_at.has_value() && *info->expires_at <= InstantOf(now);
    if (expired) info.reset();
    return info;
  });
}

Result<Done> StateBackend::RevokeToken(const state_backend::RevokeTokenRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    return DoneIf(RevokeTokenRow(transaction, request.id), "no such token");
  });
}

Result<Done> StateBackend::ExpireToken(const state_backend::ExpireTokenRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    return DoneIf(ExpireTokenRow(transaction, request.id, request.expires_at), "no such token");
  });
}

// Tenants.

Result<Done> StateBackend::CreateTenant(const state_backend::CreateTenantRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    if (!AddTenant(transaction, request.tenant)) return Refused("a tenant of this id is there");
    return Done{};
  });
}

Result<std::optional<Tenant>> StateBackend::GetTenant(const state_backend::GetTenantRequest& request) {
  return database_->ReadTimeless(
      [&](Transaction& transaction) -> Result<std::optional<Tenant>> { return ReadTenant(transaction, request.id); });
}

Result<std::vector<Tenant>> StateBackend::ListTenants(const state_backend::ListTenantsRequest&) {
  return database_->ReadTimeless(
      [&](Transaction& transaction) -> Result<std::vector<Tenant>> { return ReadTenants(transaction); });
}

Result<Done> StateBackend::UpdateTenant(const state_backend::UpdateTenantRequest& request) {
  return database_->Write([&](Transaction& transaction, EpochMs) -> Result<Done> {
    return DoneIf(WriteTenant(transaction, request.tenant), "no such tenant");
  });
}

}  // namespace leasecheck::sqlite
