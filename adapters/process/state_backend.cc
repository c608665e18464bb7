#include "adapters/process/process_target_impl.h"
#include "model/state_backend/family.h"

namespace leasecheck::process {

template class ProcessTarget<StateBackendFamily>;
template absl::Status Serve<StateBackendFamily>(Target<StateBackendFamily>&, int, int, std::function<void(uint64_t)>);

}  // namespace leasecheck::process
