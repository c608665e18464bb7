// The in-memory reference store as a target of the harness.
#ifndef LEASECHECK_BENCH_MEMORY_TARGET_H_
#define LEASECHECK_BENCH_MEMORY_TARGET_H_

#include <memory>
#include <utility>

#include "memstore/session_store.h"
#include "model/session_store/family.h"
#include "properties/engine/in_process_target.h"

namespace leasecheck::bench {

inline TargetFactory<SessionStoreFamily> MemoryTargets() {
  StoreFactory<SessionStoreFamily> factory;
  factory.info.name = "memory";
  factory.info.concurrency = 64;
  factory.info.pausable = true;
  factory.info.reference = true;
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<session_store::SessionStore>> {
    return std::make_unique<memstore::SessionStore>(options.environment);
  };
  return InProcess(std::move(factory));
}

}  // namespace leasecheck::bench

#endif  // LEASECHECK_BENCH_MEMORY_TARGET_H_
