// When this process started, as liveness probes know it.
#ifndef LEASECHECK_PROPERTIES_ENGINE_PROCESS_START_H_
#define LEASECHECK_PROPERTIES_ENGINE_PROCESS_START_H_

#include <string>

namespace leasecheck::engine {

// Field 22 of this process' stat, as text; "" where it cannot be read.
std::string OwnProcessStart();

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_PROCESS_START_H_
