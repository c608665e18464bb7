// The tables of the session_store family in SQLite.
#ifndef LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_SCHEMA_H_
#define LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_SCHEMA_H_

#include "adapters/sqlite/schema.h"

namespace leasecheck::sqlite {

const Schema& SessionStoreSchema();

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_SESSION_STORE_SCHEMA_H_
