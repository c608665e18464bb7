#include "adapters/process/process_target_impl.h"
#include "model/runtime_persistence/family.h"

namespace leasecheck::process {

template class ProcessTarget<RuntimePersistenceFamily>;
template absl::Status Serve<RuntimePersistenceFamily>(Target<RuntimePersistenceFamily>&, int, int, std::function<void(uint64_t)>);

}  // namespace leasecheck::process
