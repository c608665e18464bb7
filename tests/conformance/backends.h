// The built-in backends, as the conformance tests open them: in this process, or at the other end of the wire.
#ifndef LEASECHECK_TESTS_CONFORMANCE_BACKENDS_H_
#define LEASECHECK_TESTS_CONFORMANCE_BACKENDS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/process/process_target.h"
#include "adapters/sqlite/registry.h"
#include "memstore/registry.h"
#include "model/session_store/family.h"
#include "model/spec.h"
#include "properties/check.h"
#include "tests/support/declared.h"

namespace leasecheck {

template <class F = SessionStoreFamily>
StoreFactory<F> MemoryBackend() {
  StoreFactory<F> factory;
  factory.info.name = "memory";
  factory.info.concurrency = 16;
  factory.info.pausable = true;
  factory.info.reference = true;
  factory.info.dialects = DeclaredBy<typename memstore::StoreOf<F>::type>();
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<typename F::Store>> {
    return std::make_unique<typename memstore::StoreOf<F>::type>(options.environment);
  };
  return factory;
}

// A file of its own a store, below `directory`; several connections.
template <class F = SessionStoreFamily>
StoreFactory<F> SqliteBackend(std::string directory) {
  StoreFactory<F> factory;
  factory.info.name = "sqlite";
  factory.info.concurrency = 4;
  factory.info.pausable = true;
  factory.info.durable = true;
  factory.info.reference = true;
  factory.info.dialects = DeclaredBy<typename sqlite::StoreOf<F>::type>();
  factory.directory = std::move(directory);
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<typename F::Store>> {
    auto store = sqlite::StoreOf<F>::type::Open({.path = options.directory + "/queue.db", .environment = options.environment});
    if (!store.ok()) return store.status();
    return *std::move(store);
  };
  return factory;
}

// What `leasecheck serve` makes of a backend: a child process for each target, which can be killed where the store is durable; or
// `processes` of them on one SQLite file, with one clock. `clock`: what --clock of `serve` takes.
template <class F = SessionStoreFamily>
TargetFactory<F> ServedBackend(const std::string& program, const std::string& backend, int processes = 1,
                               const std::string& clock = "virtual") {
  return [program, backend, processes, clock]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    process::ProcessOptions options;
    options.command = absl::StrCat("exec '", program, "' serve --family ", F::kName, " --backend ", backend, " --clock ",
                                   processes > 1 ? "shared" : clock);
    options.processes = processes;
    options.clock_in_store = processes > 1;
    options.may_kill_itself = backend != "memory";
    options.dialect_points = Spec<F>::DialectPoints();
    return process::ProcessTarget<F>::Start(options);
  };
}

}  // namespace leasecheck

#endif  // LEASECHECK_TESTS_CONFORMANCE_BACKENDS_H_
