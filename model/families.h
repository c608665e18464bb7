// THE list of families. Adding one: its line here, and one in each registry (docs/ADDING_A_FAMILY.md).
#ifndef LEASECHECK_MODEL_FAMILIES_H_
#define LEASECHECK_MODEL_FAMILIES_H_

#include "model/runtime_persistence/family.h"
#include "model/runtime_repository/family.h"
#include "model/session_store/family.h"
#include "model/state_backend/family.h"

namespace leasecheck {

template <class... F>
struct FamilyList {};

using Families = FamilyList<SessionStoreFamily, RuntimePersistenceFamily, RuntimeRepositoryFamily, StateBackendFamily>;

// Calls visit.template operator()<F>() for each family, in order.
template <class Visit, class... F>
void ForEachFamily(FamilyList<F...>, Visit&& visit) {
  (visit.template operator()<F>(), ...);
}

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_FAMILIES_H_
