// The reference store of each family. Adding a family: its line at the end.
#ifndef LEASECHECK_MEMSTORE_REGISTRY_H_
#define LEASECHECK_MEMSTORE_REGISTRY_H_

#include "memstore/runtime_persistence.h"
#include "memstore/session_store.h"
#include "model/families.h"

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

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_REGISTRY_H_
