// Check and the runner, compiled for state_backend.
#include "properties/engine/check_impl.h"
#include "properties/state_backend.h"

namespace leasecheck {

using F = StateBackendFamily;

template Report Check<F>(const TargetFactory<F>& factory, const CheckOptions& options);
template Report Check<F>(const TargetFactory<F>& factory, const TargetFactory<F>& crash_factory, const CheckOptions& options);
template Report ReplayTraces<F>(const TargetFactory<F>& factory, const std::vector<TraceFile>& traces,
                                const CheckOptions& options);

}  // namespace leasecheck
