// Serves the fake store on stdin and stdout: `process_fake_server CONCURRENCY`. Durable in LEASECHECK_DIR.
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "adapters/process/server.h"
#include "tests/adapters/process_fake_store.h"

int main(int argc, char** argv) {
  const char* directory = std::getenv("LEASECHECK_DIR");
  if (argc != 2 || directory == nullptr) return 64;
  leasecheck::process::FakeTarget target(std::atoi(argv[1]), absl::StrCat(directory, "/sessions"));
  return leasecheck::process::Serve<leasecheck::SessionStoreFamily>(target, STDIN_FILENO, STDOUT_FILENO).ok() ? 0 : 1;
}
