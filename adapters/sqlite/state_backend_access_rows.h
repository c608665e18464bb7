// Tokens and tenants as rows.
#ifndef LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_ACCESS_ROWS_H_
#define LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_ACCESS_ROWS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/transaction.h"
#include "model/state_backend/access_values.h"

namespace leasecheck::sqlite {

// `hash` is the SHA-256 of the token's text, which is never written.
void AddToken(Transaction& transaction, absl::string_view hash, const state_backend::ApiToken& info);
// None where there is no such token, or it was revoked.
std::optional<state_backend::ApiToken> ReadTokenOfHash(Transaction& transaction, absl::string_view hash);
// False where there is no such token.
bool RevokeTokenRow(Transaction& transaction, absl::string_view id);
bool ExpireTokenRow(Transaction& transaction, absl::string_view id, Instant expires_at);

bool HasTenant(Transaction& transaction, absl::string_view id);
// False, without effect, where a tenant of this id is there.
bool AddTenant(Transaction& transaction, const state_backend::Tenant& tenant);
// False where there is no such tenant. created_at stays.
bool WriteTenant(Transaction& transaction, const state_backend::Tenant& tenant);
std::optional<state_backend::Tenant> ReadTenant(Transaction& transaction, absl::string_view id);
// By created_at, of equals the one first that was added first.
std::vector<state_backend::Tenant> ReadTenants(Transaction& transaction);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_ACCESS_ROWS_H_
