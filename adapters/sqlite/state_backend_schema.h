// The tables of the state_backend family.
#ifndef LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_SCHEMA_H_
#define LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_SCHEMA_H_

#include "adapters/sqlite/schema.h"

namespace leasecheck::sqlite {

const Schema& StateBackendSchema();

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_STATE_BACKEND_SCHEMA_H_
