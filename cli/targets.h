// Targets of a family from a backend's name. Included by the verbs that run one.
#ifndef LEASECHECK_CLI_TARGETS_H_
#define LEASECHECK_CLI_TARGETS_H_

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/process/process_target.h"
#include "adapters/sqlite/registry.h"
#include "cli/backend.h"
#include "cli/families.h"
#include "cli/files.h"
#include "cli/wrapped_target.h"
#include "memstore/registry.h"
#include "model/target.h"
#include "properties/engine/process_start.h"
#include "properties/registry.h"

namespace leasecheck::cli {

inline constexpr char kVersion[] = "0.1.0";

// How one backend is checked.
template <class F>
struct Targets {
  TargetFactory<F> main;
  TargetFactory<F> crash;                         // the same store in a form that can be killed; empty: main is it
  std::shared_ptr<const TemporaryFolder> folder;  // lives as long as the targets
};

// What a store is opened with, besides what the harness injects.
inline Environment EnvironmentOf(const OpenOptions& options, bool real_liveness, bool system_clock) {
  static const engine::ProcessLiveness kReal;
  static const MachineClock kMachine;
  Environment environment = options.environment;
  if (real_liveness) environment.liveness = &kReal;
  if (system_clock) environment.clock = &kMachine;
  return environment;
}

// Whether a store makes choices at points of latitude that it has to declare.
template <class Store>
inline constexpr bool kDeclares = requires {
  Store::Declared();
};

// Whether a store can make other choices than its own, such as its dialects say.
template <class Store>
inline constexpr bool kChooses = requires {
  Store::OptionsOf(Dialects());
};

// Stores of this process, of the class Store.
template <class F, class Store>
StoreFactory<F> StoresInMemory(const char* name, const BackendOptions& backend) {
  StoreFactory<F> factory;
  factory.info.name = name;
  factory.info.version = kVersion;
  factory.info.concurrency = 64;
  factory.info.pausable = true;
  factory.info.real_liveness = backend.real_liveness;
  factory.info.virtual_clock = !backend.system_clock;
  if constexpr (kDeclares<Store>) factory.info.dialects = Store::Declared();
  if constexpr (kChooses<Store>) {
    const auto chosen = Store::OptionsOf(backend.dialects);
    if (chosen.ok()) factory.info.dialects = Store::DeclaredWith(*chosen);
  }
  factory.open = [real = backend.real_liveness, system = backend.system_clock,
                  dialects = backend.dialects](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<typename F::Store>> {
    const Environment environment = EnvironmentOf(options, real, system);
    if constexpr (kChooses<Store>) {
      const auto chosen = Store::OptionsOf(dialects);
      if (!chosen.ok()) return chosen.status();
      return std::make_unique<Store>(environment, *chosen);
    } else {
      return std::make_unique<Store>(environment);
    }
  };
  return factory;
}

template <class F>
StoreFactory<F> MemoryStores(const BackendOptions& backend) {
  StoreFactory<F> factory = StoresInMemory<F, typename memstore::StoreOf<F>::type>("memory", backend);
  factory.info.reference = true;
  return factory;
}

template <class F>
absl::StatusOr<StoreFactory<F>> MinimalStores(const BackendOptions& backend) {
  if constexpr (memstore::kHasMinimal<F>) {
    using Store = typename memstore::MinimalOf<F>::type;
    return StoresInMemory<F, Store>("minimal", backend);
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("--backend: there is no minimal store of ", F::kName, ": every method of its trait is required"));
  }
}

// Stores in one file.
template <class F>
StoreFactory<F> SqliteStores(const std::string& file, const BackendOptions& backend) {
  using Store = typename sqlite::StoreOf<F>::type;
  StoreFactory<F> factory;
  factory.info.name = "sqlite";
  factory.info.version = kVersion;
  factory.info.concurrency = 16;
  factory.info.durable = true;
  factory.info.pausable = true;
  factory.info.real_liveness = backend.real_liveness;
  factory.info.virtual_clock = !backend.system_clock;
  if constexpr (kDeclares<Store>) factory.info.dialects = Store::Declared();
  if (backend.clock_in_store) {
    factory.set_clock = [](typename F::Store& store, EpochMs now) { return static_cast<Store&>(store).SetClock(now); };
  }
  factory.trouble = [](const typename F::Store& store) { return static_cast<const Store&>(store).Trouble(); };
  factory.open = [file, kill = backend.kill_at_statement, kill_switch = backend.kill_switch, real = backend.real_liveness,
                  system = backend.system_clock, clock_in_store = backend.clock_in_store](
                     const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<typename F::Store>> {
    if (options.fresh) {
      if (kill_switch != nullptr) kill_switch->Set(0);
      if (absl::Status status = Store::Remove(file); !status.ok()) return status;
    }
    typename Store::Options opening;
    opening.path = file;
    opening.environment = EnvironmentOf(options, real, system);
    opening.clock_in_database = clock_in_store;
    if (kill_switch != nullptr) opening.on_statement = kill_switch->Hook();
    if (kill != 0) opening.on_statement = sqlite::KillAtStatement(kill);
    return Store::Open(opening);
  };
  return factory;
}

// The file that "sqlite:argument" means. A folder gets a file of ours; a file that exists must be a store of ours, because a
// check empties it.
template <class F>
absl::StatusOr<std::string> SqliteFile(const std::string& argument) {
  std::error_code error;
  if (std::filesystem::is_directory(argument, error)) return absl::StrCat(argument, "/leasecheck-", F::kName, ".db");
  if (!std::filesystem::exists(argument, error)) return argument;
  typename sqlite::StoreOf<F>::type::Options options;
  ManualClock clock;
  options.path = argument;
  options.environment.clock = &clock;
  options.busy_timeout = absl::Seconds(1);
  auto store = sqlite::StoreOf<F>::type::Open(options);
  const bool unusable = absl::IsUnavailable(store.status()) || absl::IsPermissionDenied(store.status());
  if (unusable) return absl::UnavailableError(absl::StrCat("cannot use ", argument, ": ", store.status().message()));
  if (!store.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--backend: ", argument, " would be emptied, and it is no store of ours: ", store.status().message()));
  }
  return argument;
}

template <class F>
process::ProcessOptions ChildOptions(const std::string& command, const BackendOptions& backend) {
  process::ProcessOptions options;
  options.command = command;
  options.call_timeout = backend.call_timeout;
  options.fake_clock = backend.fake_clock;
  options.processes = backend.processes;
  options.dialect_points = Spec<F>::DialectPoints();
  return options;
}

// Children that run the user's command.
template <class F>
TargetFactory<F> ProcessTargets(const std::string& command, const BackendOptions& backend) {
  return [command, backend]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    absl::StatusOr<std::unique_ptr<Target<F>>> target = process::ProcessTarget<F>::Start(ChildOptions<F>(command, backend));
    if (!target.ok()) return target.status();
    return Declared<F>(*std::move(target), backend.dialects);
  };
}

// Children that run this program, serving a store in a file.
template <class F>
TargetFactory<F> OwnChildren(const std::string& program, const std::string& file, const BackendOptions& backend) {
  const std::string command =
      absl::StrCat("exec ", ShellQuoted(program), " serve --family ", F::kName, " --backend ",
                   ShellQuoted(absl::StrCat("sqlite:", file)), backend.processes > 1 ? " --clock shared" : "");
  return [command, backend]() -> absl::StatusOr<std::unique_ptr<Target<F>>> {
    process::ProcessOptions options = ChildOptions<F>(command, backend);
    options.may_kill_itself = true;
    options.clock_in_store = backend.processes > 1;
    absl::StatusOr<std::unique_ptr<Target<F>>> child = process::ProcessTarget<F>::Start(options);
    if (!child.ok()) return child.status();
    return Declared<F>(*std::move(child), backend.dialects);
  };
}

template <class F>
absl::StatusOr<Targets<F>> SqliteTargets(const Backend& backend, const BackendOptions& options) {
  Targets<F> targets;
  std::string file;
  if (backend.argument.empty()) {
    absl::StatusOr<TemporaryFolder> folder = TemporaryFolder::Make();
    if (!folder.ok()) return folder.status();
    targets.folder = std::make_shared<const TemporaryFolder>(*std::move(folder));
    file = absl::StrCat(targets.folder->path(), "/store.db");
  } else {
    absl::StatusOr<std::string> named = SqliteFile<F>(backend.argument);
    if (!named.ok()) return named.status();
    file = *named;
  }
  absl::StatusOr<std::string> program = OwnProgram();
  if (!program.ok()) return program.status();
  if (options.processes > 1) {
    targets.main = OwnChildren<F>(*program, file, options);
    return targets;
  }
  targets.main = Declaring<F>(InProcess(SqliteStores<F>(file, options)), options.dialects);
  targets.crash = OwnChildren<F>(*program, file, options);
  return targets;
}

// InvalidArgument: the backend's argument cannot be used. Unavailable: it could be, but for somebody's lock or permissions.
template <class F>
absl::StatusOr<Targets<F>> MakeTargets(const Backend& backend, const BackendOptions& options) {
  Targets<F> targets;
  if (options.fake_clock && backend.kind != Backend::Kind::kProcess) {
    return absl::InvalidArgumentError(
        absl::StrCat("--clock: faketime is for a process: backend; the clock of ", backend.name, " is virtual already"));
  }
  if (options.processes > 1 && (backend.kind == Backend::Kind::kMemory || backend.kind == Backend::Kind::kMinimal)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--processes: ", backend.name, " is in this process alone; name --backend sqlite: or process:COMMAND"));
  }
  switch (backend.kind) {
    case Backend::Kind::kMemory:
      targets.main = Declaring<F>(InProcess(MemoryStores<F>(options)), options.dialects);
      break;
    case Backend::Kind::kMinimal: {
      absl::StatusOr<StoreFactory<F>> stores = MinimalStores<F>(options);
      if (!stores.ok()) return stores.status();
      targets.main = Declaring<F>(InProcess(*std::move(stores)), options.dialects);
      break;
    }
    case Backend::Kind::kSqlite:
      return SqliteTargets<F>(backend, options);
    case Backend::Kind::kProcess:
      targets.main = ProcessTargets<F>(backend.argument, options);
      break;
  }
  return targets;
}

}  // namespace leasecheck::cli

#endif  // LEASECHECK_CLI_TARGETS_H_
