// serve_mutant NAME: a deliberately wrong store over the wire, for tests of failures in other processes. Where a race lets others
// in, it waits a little, as a store does that asks its disk.
#include <unistd.h>

#include <iostream>
#include <memory>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "adapters/process/server.h"
#include "model/environment.h"
#include "properties/engine/in_process_target.h"
#include "properties/engine/process_start.h"
#include "tests/mutants/catalogue.h"
#include "tests/mutants/slip_store.h"
#include "tests/mutants/slip_target.h"

namespace {

class Linger final : public leasecheck::PauseHook {
 public:
  void Pause(absl::string_view /*point*/) override { absl::SleepFor(absl::Microseconds(200)); }
};

}  // namespace

int main(int argc, char** argv) {
  const leasecheck::mutants::Mutant* mutant = argc == 2 ? leasecheck::mutants::FindMutant(argv[1]) : nullptr;
  if (mutant == nullptr) {
    std::cerr << "serve_mutant: name one of the mutants\n";
    return 64;
  }
  // Its harness is another process, so who is dead it asks the system.
  static const leasecheck::engine::ProcessLiveness liveness;
  leasecheck::StoreFactory<leasecheck::SessionStoreFamily> factory;
  factory.info.name = argv[1];
  factory.info.concurrency = 16;
  if (mutant->slip < leasecheck::mutants::kFirstOfInputs) factory.info.operations = leasecheck::mutants::QueueOperations();
  factory.open =
      [mutant](
          const leasecheck::OpenOptions& options) -> absl::StatusOr<std::unique_ptr<leasecheck::session_store::SessionStore>> {
    leasecheck::Environment environment = options.environment;
    environment.liveness = &liveness;
    return std::make_unique<leasecheck::mutants::SlipStore>(environment, leasecheck::mutants::Policy{.slip = mutant->slip});
  };
  auto target = leasecheck::InProcess(factory)();
  if (!target.ok()) return 70;
  Linger linger;
  (*target)->SetPauseHook(&linger);
  leasecheck::process::Serve<leasecheck::SessionStoreFamily>(**target, STDIN_FILENO, STDOUT_FILENO).IgnoreError();
  return 0;
}
