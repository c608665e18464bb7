#include "tests/traces/backends.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/process/process_target.h"
#include "adapters/sqlite/session_store.h"
#include "memstore/session_store.h"
#include "model/session_store/spec.h"
#include "properties/engine/in_process_target.h"
#include "tests/mutants/slip_target.h"

namespace leasecheck {
namespace {

using Store = std::unique_ptr<session_store::SessionStore>;

TargetFactory<SessionStoreFamily> Memory() {
  StoreFactory<SessionStoreFamily> factory;
  factory.info.name = "memory";
  factory.info.concurrency = 8;
  factory.info.pausable = true;
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<Store> {
    return std::make_unique<memstore::SessionStore>(options.environment,
                                                    memstore::SessionStoreOptions{.id_style = memstore::IdStyle::kReadable});
  };
  return InProcess(std::move(factory));
}

TargetFactory<SessionStoreFamily> Sqlite(const std::string& directory) {
  StoreFactory<SessionStoreFamily> factory;
  factory.info.name = "sqlite";
  factory.info.concurrency = 4;
  factory.info.durable = true;
  factory.info.pausable = true;
  factory.directory = directory;
  factory.open = [](const OpenOptions& options) -> absl::StatusOr<Store> {
    sqlite::SessionStore::Options sqlite_options;
    sqlite_options.path = absl::StrCat(options.directory, "/store.db");
    sqlite_options.environment = options.environment;
    return sqlite::SessionStore::Open(sqlite_options);
  };
  return InProcess(std::move(factory));
}

// Another process at the other end of the wire, or several of one store. Each has a folder of its own.
TargetFactory<SessionStoreFamily> Process(const std::string& command, int processes = 1) {
  return [command, processes]() -> absl::StatusOr<std::unique_ptr<Target<SessionStoreFamily>>> {
    process::ProcessOptions options;
    options.command = absl::StrCat("exec ", command);
    options.processes = processes;
    options.clock_in_store = processes > 1;
    options.dialect_points = Spec<SessionStoreFamily>::DialectPoints();
    return process::ProcessTarget<SessionStoreFamily>::Start(options);
  };
}

TargetFactory<SessionStoreFamily> Served(const std::string& backend, int processes = 1) {
  const char* const clock = processes > 1 ? " --clock shared" : "";
  return Process(absl::StrCat("'", LEASECHECK_PROGRAM, "' serve --backend ", backend, clock), processes);
}

TargetFactory<SessionStoreFamily> Plain(const std::string& name, bool durable) {
  mutants::SlipTargetOptions options;
  options.name = name;
  options.durable = durable;
  return mutants::SlipTargets(options);
}

}  // namespace

std::vector<SessionStoreBackend> SessionStoreBackends(const std::string& directory) {
  return {
      {"memory", Memory(), true},
      {"memory, served", Served("memory"), true},
      {"sqlite", Sqlite(directory)},
      {"sqlite, served", Served("sqlite:")},
      {"sqlite, three processes", Served("sqlite:", 3)},
      {"plain", Plain("plain", false)},
      {"plain, durable", Plain("plain, durable", true)},
      {"the example in Python", Process("python3 '" LEASECHECK_SOURCE_DIR "/examples/queue_backend.py'")},
  };
}

}  // namespace leasecheck
