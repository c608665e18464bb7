// The values of the state_backend contract: API tokens and tenants.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_ACCESS_VALUES_H_
#define LEASECHECK_MODEL_STATE_BACKEND_ACCESS_VALUES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "absl/strings/string_view.h"
#include "model/field.h"
#include "model/instant.h"
#include "model/secret.h"
#include "model/state_backend/values.h"

namespace leasecheck {
namespace state_backend {

// What is known of a token beside its text, which is nowhere in here.
struct ApiToken {
  std::string id;    // by the store: a UUID's text, never issued twice
  std::string name;  // by the caller; need not be unique
  std::string role;  // by the caller; any text
  Instant created_at;
  std::optional<Instant> expires_at;  // none: never. create_token always leaves it open
  TenantId tenant_id{kDefaultTenant};
  friend bool operator==(const ApiToken&, const ApiToken&) = default;
};

// The beginning of every token's text. What follows is lowercase hexadecimal: 64 digits in the reference, at least 32 anywhere
// (SB-LAT-37).
inline constexpr absl::string_view kTokenPrefix = "jj_";
inline constexpr std::size_t kFewestTokenDigits = 32;

// The one answer that has the text; an array on the wire: ["jj_..", {..}].
struct CreatedToken {
  Secret plaintext;
  ApiToken info;
  friend bool operator==(const CreatedToken&, const CreatedToken&) = default;
};

enum class TenantStatus { kActive, kSuspended, kArchived };

// No store enforces any of them.
struct TenantLimits {
  std::optional<uint32_t> max_concurrent_executions;
  std::optional<uint32_t> max_workflows;
  std::optional<uint64_t> max_tokens_per_month;
  std::optional<double> max_cost_per_month_usd;
  friend bool operator==(const TenantLimits&, const TenantLimits&) = default;
};

// All by the caller, both times too. Status and limits are data: no other call looks at them.
struct Tenant {
  TenantId id;
  std::string name;
  TenantStatus status = TenantStatus::kActive;
  std::optional<OpaqueJson> policy;
  std::optional<TenantLimits> limits;
  Instant created_at;
  Instant updated_at;
  friend bool operator==(const Tenant&, const Tenant&) = default;
};

}  // namespace state_backend

template <>
inline constexpr auto kWords<state_backend::TenantStatus> =
    std::array{Word<state_backend::TenantStatus>{state_backend::TenantStatus::kActive, "active"},
               Word<state_backend::TenantStatus>{state_backend::TenantStatus::kSuspended, "suspended"},
               Word<state_backend::TenantStatus>{state_backend::TenantStatus::kArchived, "archived"}};
template <>
inline constexpr auto kFields<state_backend::ApiToken> = std::make_tuple(
    Field{"id", &state_backend::ApiToken::id}, Field{"name", &state_backend::ApiToken::name},
    Field{"role", &state_backend::ApiToken::role}, Field{"created_at", &state_backend::ApiToken::created_at},
    Field{"expires_at", &state_backend::ApiToken::expires_at}, Field{"tenant_id", &state_backend::ApiToken::tenant_id});
template <>
inline constexpr auto kFields<state_backend::CreatedToken> = std::make_tuple(Field{"plaintext",
                                                                                   &state_backend::CreatedToken::plaintext},
                                                                             Field{"info", &state_backend::CreatedToken::info});
template <>
inline constexpr auto kElements<state_backend::CreatedToken> = kFields<state_backend::CreatedToken>;
template <>
inline constexpr auto kFields<state_backend::TenantLimits> =
    std::make_tuple(Field{"max_concurrent_executions", &state_backend::TenantLimits::max_concurrent_executions},
                    Field{"max_workflows", &state_backend::TenantLimits::max_workflows},
                    Field{"max_tokens_per_month", &state_backend::TenantLimits::max_tokens_per_month},
                    Field{"max_cost_per_month_usd", &state_backend::TenantLimits::max_cost_per_month_usd});
template <>
inline constexpr auto kFields<state_backend::Tenant> = std::make_tuple(Field{"id", &state_backend::Tenant::id},
                                                                       Field{"name", &state_backend::Tenant::name},
                                                                       Field{"status", &state_backend::Tenant::status},
                                                                       Field{"policy", &state_backend::Tenant::policy},
                                                                       Field{"limits", &state_backend::Tenant::limits},
                                                                       Field{"created_at", &state_backend::Tenant::created_at},
                                                                       Field{"updated_at", &state_backend::Tenant::updated_at});

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_STATE_BACKEND_ACCESS_VALUES_H_
