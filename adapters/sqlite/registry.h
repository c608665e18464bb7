// The SQLite store of each family. Adding a family: its line at the end.
#ifndef LEASECHECK_ADAPTERS_SQLITE_REGISTRY_H_
#define LEASECHECK_ADAPTERS_SQLITE_REGISTRY_H_

#include "adapters/sqlite/runtime_persistence.h"
#include "adapters/sqlite/runtime_repository.h"
#include "adapters/sqlite/session_store.h"
#include "adapters/sqlite/state_backend.h"
#include "model/families.h"
#include "model/runtime_persistence/family.h"
#include "model/runtime_repository/family.h"
#include "model/state_backend/family.h"

namespace leasecheck::sqlite {

// `type` has Options, Open(Options), Remove(path) and Trouble() as SessionStore has them.
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

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_REGISTRY_H_
