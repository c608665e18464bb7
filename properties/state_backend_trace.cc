// Traces of the state_backend family, compiled once.
#include "model/state_backend/family.h"
#include "properties/engine/trace_impl.h"

namespace leasecheck::engine {

LEASECHECK_INSTANTIATE_TRACE(StateBackendFamily);

}  // namespace leasecheck::engine
