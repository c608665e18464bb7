// Traces of the runtime_repository family, compiled once.
#include "model/runtime_repository/family.h"
#include "properties/engine/trace_impl.h"

namespace leasecheck::engine {

LEASECHECK_INSTANTIATE_TRACE(RuntimeRepositoryFamily);

}  // namespace leasecheck::engine
