// The arguments of the state_backend operations on tokens and tenants. What each operation does is said in store.h, and what
// `view` means.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_ACCESS_REQUESTS_H_
#define LEASECHECK_MODEL_STATE_BACKEND_ACCESS_REQUESTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/field.h"
#include "model/instant.h"
#include "model/state_backend/access_values.h"
#include "model/state_backend/values.h"

namespace leasecheck {
namespace state_backend {

struct CreateTokenRequest {
  std::string name;
  std::string role;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const CreateTokenRequest&, const CreateTokenRequest&) = default;
};

struct ValidateTokenRequest {
  Secret token;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const ValidateTokenRequest&, const ValidateTokenRequest&) = default;
};

struct CreateTenantRequest {
  Tenant tenant;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const CreateTenantRequest&, const CreateTenantRequest&) = default;
};

struct GetTenantRequest {
  TenantId id;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const GetTenantRequest&, const GetTenantRequest&) = default;
};

struct ListTenantsRequest {
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const ListTenantsRequest&, const ListTenantsRequest&) = default;
};

struct UpdateTenantRequest {
  Tenant tenant;
  std::optional<TenantId> view = std::nullopt;
  friend bool operator==(const UpdateTenantRequest&, const UpdateTenantRequest&) = default;
};

// The fixtures.

struct RevokeTokenRequest {
  std::string id;
  friend bool operator==(const RevokeTokenRequest&, const RevokeTokenRequest&) = default;
};

struct ExpireTokenRequest {
  std::string id;
  Instant expires_at;
  friend bool operator==(const ExpireTokenRequest&, const ExpireTokenRequest&) = default;
};

}  // namespace state_backend

template <>
inline constexpr auto kFields<state_backend::CreateTokenRequest> = std::make_tuple(
    Field{"name", &state_backend::CreateTokenRequest::name}, Field{"role", &state_backend::CreateTokenRequest::role},
    Field{"$tenant", &state_backend::CreateTokenRequest::view});
template <>
inline constexpr auto kFields<state_backend::ValidateTokenRequest> = std::make_tuple(
    Field{"token", &state_backend::ValidateTokenRequest::token}, Field{"$tenant", &state_backend::ValidateTokenRequest::view});
template <>
inline constexpr auto kFields<state_backend::CreateTenantRequest> = std::make_tuple(
    Field{"tenant", &state_backend::CreateTenantRequest::tenant}, Field{"$tenant", &state_backend::CreateTenantRequest::view});
template <>
inline constexpr auto kFields<state_backend::GetTenantRequest> =
    std::make_tuple(Field{"id", &state_backend::GetTenantRequest::id}, Field{"$tenant", &state_backend::GetTenantRequest::view});
template <>
inline constexpr auto kFields<state_backend::ListTenantsRequest> = std::make_tuple(Field{
    "$tenant", &state_backend::ListTenantsRequest::view});
template <>
inline constexpr auto kFields<state_backend::UpdateTenantRequest> = std::make_tuple(
    Field{"tenant", &state_backend::UpdateTenantRequest::tenant}, Field{"$tenant", &state_backend::UpdateTenantRequest::view});
template <>
inline constexpr auto kFields<state_backend::RevokeTokenRequest> = std::make_tuple(Field{"id",
                                                                                         &state_backend::RevokeTokenRequest::id});
template <>
inline constexpr auto kFields<state_backend::ExpireTokenRequest> = std::make_tuple(
    Field{"id", &state_backend::ExpireTokenRequest::id}, Field{"expires_at", &state_backend::ExpireTokenRequest::expires_at});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_ACCESS_REQUESTS_H_
