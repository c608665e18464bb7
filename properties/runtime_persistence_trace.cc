// Traces of the runtime_persistence family, compiled once.
#include "model/runtime_persistence/family.h"
#include "properties/engine/trace_impl.h"

namespace leasecheck::engine {

LEASECHECK_INSTANTIATE_TRACE(RuntimePersistenceFamily);

}  // namespace leasecheck::engine
