// serve_mutant NAME: a deliberately wrong store over the wire, for tests of failures in other processes. Where a race lets others
// in, it waits a little, as a store does that asks its disk.
#include <unistd.h>

#include <iostream>
#include <memory>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "adapters/process/server.h"
#include "model/environment.h"
#include "tests/mutants/catalogue.h"

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
  auto target = leasecheck::mutants::FactoryOf(*mutant)();
  if (!target.ok()) return 70;
  Linger linger;
  (*target)->SetPauseHook(&linger);
  leasecheck::process::Serve<leasecheck::SessionStoreFamily>(**target, STDIN_FILENO, STDOUT_FILENO).IgnoreError();
  return 0;
}
