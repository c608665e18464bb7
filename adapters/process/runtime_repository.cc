#include "adapters/process/process_target_impl.h"
#include "model/runtime_repository/family.h"

namespace leasecheck::process {

template class ProcessTarget<RuntimeRepositoryFamily>;
template absl::Status Serve<RuntimeRepositoryFamily>(Target<RuntimeRepositoryFamily>&, int, int, std::function<void(uint64_t)>);

}  // namespace leasecheck::process
