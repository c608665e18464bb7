// leasecheck serve: a built-in store over the wire, as the test double of a test in any language (PROTOCOL.md, "Serving").
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/process/server.h"
#include "cli/exit_code.h"
#include "cli/flags.h"
#include "cli/targets.h"
#include "cli/verbs.h"

namespace leasecheck::cli {
namespace {

struct ServeFlags {
  RunFlags run;
  std::string backend = "memory";
  uint64_t kill_at_statement = 0;
  std::string clock = "virtual";
};

// A store without a file of its own lives in the folder that the harness gave us, so that a new child finds it again.
void UseGivenFolder(Backend* backend) {
  const char* folder = std::getenv("LEASECHECK_DIR");
  if (backend->kind == Backend::Kind::kSqlite && backend->argument.empty() && folder != nullptr) backend->argument = folder;
}

template <class F>
absl::Status Serve(const Backend& backend, const BackendOptions& options) {
  absl::StatusOr<Targets<F>> targets = MakeTargets<F>(backend, options);
  if (!targets.ok()) return targets.status();
  absl::StatusOr<std::unique_ptr<Target<F>>> target = targets->main();
  if (!target.ok()) return target.status();
  std::function<void(uint64_t)> kill_at_statement;
  if (options.kill_switch != nullptr) kill_at_statement = [&](uint64_t n) { options.kill_switch->Set(n); };
  // A parent that has gone away is no mistake of this side.
  process::Serve<F>(**target, STDIN_FILENO, STDOUT_FILENO, kill_at_statement).IgnoreError();
  return absl::OkStatus();
}

int RunVerb(const ServeFlags& flags) {
  absl::StatusOr<Backend> backend = ReadBackend(flags.backend);
  if (!backend.ok()) return Complain(backend.status());
  if (backend->kind == Backend::Kind::kProcess) {
    return Complain(
        absl::InvalidArgumentError("serve: a process: backend speaks the protocol itself; serve memory or sqlite:PATH"));
  }
  if (flags.kill_at_statement != 0 && backend->kind != Backend::Kind::kSqlite) {
    return Complain(absl::InvalidArgumentError("--kill-at-statement: only sqlite: has statements"));
  }
  if (flags.clock == "shared" && backend->kind != Backend::Kind::kSqlite) {
    return Complain(absl::InvalidArgumentError("--clock: only sqlite: has a clock that several processes share"));
  }
  UseGivenFolder(&*backend);
  absl::Status status;
  absl::Status visited = VisitFamily(flags.run.family, [&]<class F>() {
    absl::StatusOr<BackendOptions> options = ReadBackendOptions(flags.run, Spec<F>::DialectPoints());
    if (options.ok()) {
      options->real_liveness = true;
      options->system_clock = flags.clock == "system";
      options->clock_in_store = flags.clock == "shared";
      options->kill_at_statement = flags.kill_at_statement;
      if (backend->kind == Backend::Kind::kSqlite) options->kill_switch = std::make_shared<sqlite::KillSwitch>();
    }
    status = options.ok() ? Serve<F>(*backend, *options) : options.status();
  });
  if (!visited.ok()) return Complain(visited);
  return status.ok() ? kConforms : Complain(status);
}

}  // namespace

void AddServeVerb(CLI::App& app, int* exit_code) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* verb = app.add_subcommand("serve", "Serve a built-in store on stdin and stdout, by docs/PROTOCOL.md");
  AddFamilyFlag(*verb, &flags->run);
  verb->add_option("--backend", flags->backend, "memory, minimal or sqlite:PATH")->type_name("BACKEND")->capture_default_str();
  verb->add_option("--dialect", flags->run.dialects, "Declare a choice at a latitude point; may be repeated")
      ->type_name("ID=WORD")
      ->allow_extra_args(false);
  verb->add_option("--clock", flags->clock,
                   "virtual, which the client sets; system, the machine's; of sqlite also shared: virtual, and\n"
                   "one for all processes that serve the file")
      ->type_name("WORD")
      ->check(CLI::IsMember({"virtual", "system", "shared"}))
      ->capture_default_str();
  verb->add_option("--kill-at-statement", flags->kill_at_statement,
                   "Of sqlite: send SIGKILL to this process before its n-th statement")
      ->type_name("N");
  verb->callback([flags, exit_code] { *exit_code = RunVerb(*flags); });
}

}  // namespace leasecheck::cli
