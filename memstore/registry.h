// The reference store of each family, and the minimal one where there is one. Adding a family: its lines.
#ifndef LEASECHECK_MEMSTORE_REGISTRY_H_
#define LEASECHECK_MEMSTORE_REGISTRY_H_

#include "memstore/minimal.h"
#include "memstore/runtime_persistence.h"
#include "memstore/runtime_repository.h"
#include "memstore/session_store.h"
#include "memstore/state_backend.h"
#include "model/families.h"
#include "model/runtime_repository/family.h"
#include "model/state_backend/family.h"

namespace leasecheck::memstore {

// `type` is constructed from an Environment.
template <class F>
struct StoreOf;

template <>
struct StoreOf<SessionStoreFamily> {
  using type = SessionStore;
};

template <>
struct StoreOf<RuntimePersistenceFamily> {
  using type = RuntimePersistence;
};

template <>
struct StoreOf<RuntimeRepositoryFamily> {
  using type = RuntimeRepository;
};

template <>
struct StoreOf<StateBackendFamily> {
  using type = StateBackend;
};

// The store that overrides only what its trait requires; `type` is constructed from an Environment, and its Declared() is what
// such a backend declares. Not specialised for a family all of whose methods are required.
template <class F>
struct MinimalOf;

template <>
struct MinimalOf<RuntimePersistenceFamily> {
  using type = MinimalRuntimePersistence;
};

template <>
struct MinimalOf<StateBackendFamily> {
  using type = MinimalStateBackend;
};

template <class F>
inline constexpr bool kHasMinimal = requires {
  typename MinimalOf<F>::type;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_REGISTRY_H_
