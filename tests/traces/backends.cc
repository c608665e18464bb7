#include "tests/traces/backends.h"

#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/process/process_target.h"
#include "adapters/sqlite/registry.h"
#include "memstore/registry.h"
#include "model/runtime_persistence/spec.h"
#include "model/runtime_repository/spec.h"
#include "model/session_store/spec.h"
#include "model/state_backend/spec.h"
#include "properties/engine/in_process_target.h"
#include "tests/mutants/slip_target.h"
#include "tests/support/declared.h"

namespace leasecheck {
namespace {

// Ids that people can read, where the store has a choice.
std::unique_ptr<session_store::SessionStore> NewInMemory(const Environment& environment, SessionStoreFamily*) {
  return std::make_unique<memstore::SessionStore>(environment,
                                                  memstore::SessionStoreOptions{.id_style = memstore::IdStyle::kReadable});
}
std::unique_ptr<runtime_persistence::RuntimePersistence> NewInMemory(const Environment& environment, RuntimePersistenceFamily*) {
  return std::make_unique<memstore::RuntimePersistence>(environment);
}
std::unique_ptr<runtime_repository::RuntimeRepositoryStore> NewInMemory(const Environment& environment,
                                                                        RuntimeRepositoryFamily*) {
  return std::make_unique<memstore::RuntimeRepository>(environment);
}
std::unique_ptr<state_backend::StateBackendStore> NewInMemory(const Environment& environment, StateBackendFamily*) {
  return std::make_unique<memstore::StateBackend>(environment);
}

template <class F>
TargetFactory<F> Memory() {
  StoreFactory<F> factory;
  factory.info.name = "memory";
  factory.info.concurrency = 8;
  factory.info.pausable = true;
  factory.info.dialects = DeclaredBy<typename memstore::StoreOf<F>::type>();
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<typename F::Store>> {
    return NewInMemory(options.environment, static_cast<F*>(nullptr));
  };
  return InProcess(std::move(factory));
}

template <class F>
TargetFactory<F> Sqlite(const std::string& directory) {
  StoreFactory<F> factory;
  factory.info.name = "sqlite";
  factory.info.concurrency = 4;
  factory.info.durable = true;
  factory.info.pausable = true;
  factory.info.dialects = DeclaredBy<typename sqlite::StoreOf<F>::type>();
  factory.directory = directory;
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<typename F::Store>> {
    using Store = typename sqlite::StoreOf<F>::type;
    typename Store::Options sqlite_options;
    sqlite_options.path = absl::StrCat(options.directory, "/store.db");
    sqlite_options.environment = options.environment;
    return Store::Open(sqlite_options);
  };
  return InProcess(std::move(factory));
}

// Another process at the other end of the wire, or several of one store. Each has a folder of its own.
template <class F>
TargetFactory<F> Process(const std::string& command, int processes = 1) {
  return [command, processes]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    process::ProcessOptions options;
    options.command = absl::StrCat("exec ", command);
    options.processes = processes;
    options.clock_in_store = processes > 1;
    options.dialect_points = Spec<F>::DialectPoints();
    return process::ProcessTarget<F>::Start(options);
  };
}

template <class F>
TargetFactory<F> Served(const std::string& backend, int processes = 1) {
  const char* const clock = processes > 1 ? " --clock shared" : "";
  return Process<F>(absl::StrCat("'", LEASECHECK_PROGRAM, "' serve --family ", F::kName, " --backend ", backend, clock),
                    processes);
}

template <class F>
TargetFactory<F> Example(const std::string& file) {
  return Process<F>(absl::StrCat("python3 '" LEASECHECK_SOURCE_DIR "/examples/", file, "'"));
}

TargetFactory<SessionStoreFamily> Plain(const std::string& name, bool durable) {
  mutants::SlipTargetOptions options;
  options.name = name;
  options.durable = durable;
  return mutants::SlipTargets(options);
}

// The reference store and SQLite, here and at the other end of the wire, which all keep the reference's numbers.
template <class F>
std::vector<GoldenBackend<F>> BuiltIn(const std::string& directory) {
  return {
      {"memory", Memory<F>(), true},
      {"memory, served", Served<F>("memory"), true},
      {"sqlite", Sqlite<F>(directory), true},
      {"sqlite, served", Served<F>("sqlite:"), true},
      {"sqlite, three processes", Served<F>("sqlite:", 3), true},
  };
}

// A store without a queue and attachments has the required methods alone.
bool IsRequired(absl::string_view operation) {
  return operation == "load_session" || operation == "load_node" || operation == "commit_runtime_state" ||
         operation == "tombstone_nodes" || operation == "vacuum" || operation == "gc_unreachable" ||
         absl::EndsWith(operation, "_session_meta");
}

}  // namespace

template <>
std::vector<GoldenBackend<SessionStoreFamily>> GoldenBackends(const std::string& directory) {
  using F = SessionStoreFamily;
  return {
      {"memory", Memory<F>(), true},
      {"memory, served", Served<F>("memory"), true},
      {"sqlite", Sqlite<F>(directory)},
      {"sqlite, served", Served<F>("sqlite:")},
      {"sqlite, three processes", Served<F>("sqlite:", 3)},
      {"plain", Plain("plain", false)},
      {"plain, durable", Plain("plain, durable", true)},
      {"the example in Python", Example<F>("queue_backend.py")},
  };
}

template <>
std::vector<GoldenBackend<RuntimePersistenceFamily>> GoldenBackends(const std::string& directory) {
  std::vector<GoldenBackend<RuntimePersistenceFamily>> backends = BuiltIn<RuntimePersistenceFamily>(directory);
  backends.push_back({"the example in Python", Example<RuntimePersistenceFamily>("minimal_backend.py"), false, &IsRequired});
  return backends;
}

template <>
std::vector<GoldenBackend<RuntimeRepositoryFamily>> GoldenBackends(const std::string& directory) {
  return BuiltIn<RuntimeRepositoryFamily>(directory);
}

template <>
std::vector<GoldenBackend<StateBackendFamily>> GoldenBackends(const std::string& directory) {
  return BuiltIn<StateBackendFamily>(directory);
}

}  // namespace leasecheck
