#include "adapters/process/process_target_impl.h"
#include "model/session_store/family.h"

namespace leasecheck::process {

template class ProcessTarget<SessionStoreFamily>;
template absl::Status Serve<SessionStoreFamily>(Target<SessionStoreFamily>&, int, int, std::function<void(uint64_t)>);

}  // namespace leasecheck::process
