// Which tenant's records a call of a state_backend store sees.
#ifndef LEASECHECK_MEMSTORE_TENANT_SCOPE_H_
#define LEASECHECK_MEMSTORE_TENANT_SCOPE_H_

#include <optional>

#include "model/state_backend/values.h"

namespace leasecheck::memstore {

// None: the unscoped store.
using TenantScope = std::optional<state_backend::TenantId>;

inline bool Sees(const TenantScope& view, const state_backend::TenantId& tenant) { return !view.has_value() || *view == tenant; }

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_TENANT_SCOPE_H_
