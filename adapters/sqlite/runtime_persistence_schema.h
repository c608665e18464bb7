// The tables of the runtime_persistence family in SQLite.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_SCHEMA_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_SCHEMA_H_

#include "adapters/sqlite/schema.h"

namespace leasecheck::sqlite {

const Schema& RuntimePersistenceSchema();

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_SCHEMA_H_
