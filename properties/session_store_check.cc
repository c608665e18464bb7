// Check and the runner, compiled for session_store.
#include "properties/engine/check_impl.h"
#include "properties/session_store.h"

namespace leasecheck {

template Report Check<SessionStoreFamily>(const TargetFactory<SessionStoreFamily>& factory, const CheckOptions& options);
template Report Check<SessionStoreFamily>(const TargetFactory<SessionStoreFamily>& factory,
                                          const TargetFactory<SessionStoreFamily>& crash_factory, const CheckOptions& options);
template Report ReplayTraces<SessionStoreFamily>(const TargetFactory<SessionStoreFamily>& factory,
                                                 const std::vector<TraceFile>& traces, const CheckOptions& options);

}  // namespace leasecheck
