// The provided method as the trait has it.
#include "model/runtime_repository/store.h"

namespace leasecheck::runtime_repository {

Result<uint64_t> RuntimeRepository::TransitionTimedOutAttempts(const TransitionTimedOutAttemptsRequest&) { return 0; }

}  // namespace leasecheck::runtime_repository
