// Traces of the session_store family, compiled once.
#include "model/session_store/family.h"
#include "properties/engine/trace_impl.h"

namespace leasecheck::engine {

LEASECHECK_INSTANTIATE_TRACE(SessionStoreFamily);

}  // namespace leasecheck::engine
