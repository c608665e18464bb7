// The SQLite store of each family. Adding a family: its line at the end.
#ifndef LEASECHECK_ADAPTERS_SQLITE_REGISTRY_H_
#define LEASECHECK_ADAPTERS_SQLITE_REGISTRY_H_

#include "adapters/sqlite/session_store.h"
#include "model/families.h"

namespace leasecheck::sqlite {

// `type` has Options, Open(Options), Remove(path) and Trouble() as SessionStore has them.
template <class F>
struct StoreOf;

template <>
struct StoreOf<SessionStoreFamily> {
  using type = SessionStore;
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_REGISTRY_H_
