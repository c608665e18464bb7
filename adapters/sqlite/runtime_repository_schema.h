// The tables of the runtime_repository family in SQLite.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_SCHEMA_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_SCHEMA_H_

#include "adapters/sqlite/schema.h"

namespace leasecheck::sqlite {

const Schema& RuntimeRepositorySchema();

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_REPOSITORY_SCHEMA_H_
