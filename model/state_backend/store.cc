// The provided methods as the trait has them: what a store does that has no tenants.
#include "model/state_backend/store.h"

namespace leasecheck::state_backend {
namespace {

tl::unexpected<StoreError> NoTenants() { return tl::unexpected<StoreError>(Database{"this store does not support tenants"}); }

}  // namespace

Result<Done> StateBackend::CreateTenant(const CreateTenantRequest&) { return NoTenants(); }

Result<std::optional<Tenant>> StateBackend::GetTenant(const GetTenantRequest&) { return std::nullopt; }

Result<std::vector<Tenant>> StateBackend::ListTenants(const ListTenantsRequest&) { return std::vector<Tenant>(); }

Result<Done> StateBackend::UpdateTenant(const UpdateTenantRequest&) { return NoTenants(); }

}  // namespace leasecheck::state_backend
