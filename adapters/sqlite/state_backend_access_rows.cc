#include "adapters/sqlite/state_backend_access_rows.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/columns.h"
#include "adapters/sqlite/instant_columns.h"
#include "codec/json.h"
#include "codec/values.h"

namespace leasecheck::sqlite {
namespace {

using state_backend::ApiToken;
using state_backend::Tenant;
using state_backend::TenantLimits;
using state_backend::TenantStatus;

std::optional<std::string> LimitsText(const std::optional<TenantLimits>& limits) {
  if (!limits.has_value()) return std::nullopt;
  return codec::CanonicalText(codec::Encode(*limits));
}

std::optional<TenantLimits> ReadLimits(Transaction& transaction, const std::optional<std::string>& text) {
  if (!text.has_value()) return std::nullopt;
  TenantLimits limits;
  absl::StatusOr<codec::Json> json = codec::ParseJson(*text);
  absl::Status status = json.ok() ? codec::Decode(*json, &limits) : json.status();
  if (!status.ok()) transaction.Fail(absl::DataLossError(absl::StrCat("a tenant's limits cannot be read: ", status.message())));
  return limits;
}

// From the columns tenant_id, name, status, policy, limits, created_at, updated_at.
Tenant TenantOf(Transaction& transaction, const Rows& rows) {
  Tenant tenant;
  tenant.id = rows.Text(0);
  tenant.name = rows.Text(1);
  tenant.status = FromWord<TenantStatus>(rows.Text(2));
  tenant.policy = ReadJson(rows, 3);
  tenant.limits = ReadLimits(transaction, rows.OptionalText(4));
  tenant.created_at = ReadInstant(rows, 5);
  tenant.updated_at = ReadInstant(rows, 6);
  return tenant;
}

}  // namespace

void AddToken(Transaction& transaction, absl::string_view hash, const ApiToken& info) {
  transaction.Execute("INSERT INTO tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)", info.id, hash, info.name, info.role,
                      info.created_at.ms, MsOf(info.expires_at), info.tenant_id);
}

std::optional<ApiToken> ReadTokenOfHash(Transaction& transaction, absl::string_view hash) {
  Rows rows = transaction.Query(
      "SELECT token_id, name, role, created_at, expires_at, tenant_id FROM tokens WHERE hash = ?1 AND revoked = 0", hash);
  if (!rows.Next()) return std::nullopt;
  return ApiToken{rows.Text(0), rows.Text(1), rows.Text(2), ReadInstant(rows, 3), ReadOptionalInstant(rows, 4), rows.Text(5)};
}

bool RevokeTokenRow(Transaction& transaction, absl::string_view id) {
  return transaction.Execute("UPDATE tokens SET revoked = 1 WHERE token_id = ?1", id) == 1;
}

bool ExpireTokenRow(Transaction& transaction, absl::string_view id, Instant expires_at) {
  return transaction.Execute("UPDATE tokens SET expires_at = ?2 WHERE token_id = ?1", id, expires_at.ms) == 1;
}

bool HasTenant(Transaction& transaction, absl::string_view id) {
  Rows rows = transaction.Query("SELECT 1 FROM tenants WHERE tenant_id = ?1", id);
  return rows.Next();
}

bool AddTenant(Transaction& transaction, const Tenant& tenant) {
  const int64_t added = transaction.Execute(
      "INSERT INTO tenants (tenant_id, name, status, policy, limits, created_at, updated_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant_id) DO NOTHING",
      tenant.id, tenant.name, WordOf(tenant.status), TextOf(tenant.policy), LimitsText(tenant.limits), tenant.created_at.ms,
      tenant.updated_at.ms);
  return added == 1;
}

bool WriteTenant(Transaction& transaction, const Tenant& tenant) {
  const int64_t written = transaction.Execute(
      "UPDATE tenants SET name = ?2, status = ?3, policy = ?4, limits = ?5, updated_at = ?6 WHERE tenant_id = ?1", tenant.id,
      tenant.name, WordOf(tenant.status), TextOf(tenant.policy), LimitsText(tenant.limits), tenant.updated_at.ms);
  return written == 1;
}

std::optional<Tenant> ReadTenant(Transaction& transaction, absl::string_view id) {
  Rows rows = transaction.Query(
      "SELECT tenant_id, name, status, policy, limits, created_at, updated_at FROM tenants WHERE tenant_id = ?1", id);
  if (!rows.Next()) return std::nullopt;
  return TenantOf(transaction, rows);
}

std::vector<Tenant> ReadTenants(Transaction& transaction) {
  Rows rows = transaction.Query(
      "SELECT tenant_id, name, status, policy, limits, created_at, updated_at FROM tenants ORDER BY created_at, place");
  std::vector<Tenant> tenants;
  while (rows.Next()) tenants.push_back(TenantOf(transaction, rows));
  return tenants;
}

}  // namespace leasecheck::sqlite
