// The wire's other end: a target served to a parent process, as `leasecheck serve` does it (PROTOCOL.md, "Serving").
//
//   absl::Status status = Serve<F>(target, STDIN_FILENO, STDOUT_FILENO);
//   return status.ok() ? 0 : 1;
//
// One request a line, answered in any order. Up to info().concurrency contract calls, and at most 64, run at once on threads of
// their own; reset, reopen and shutdown wait until no call is open, set_clock overlaps calls. A bad request is answered with its
// error and the server lives on: -32700 no JSON, or a line of more than 16 MiB (its rest is skipped); -32600 no request, a batch,
// a contract call before the first reset or reopen; -32601 an unknown method, or one that the target cannot do; -32602 wrong
// params; -32603 a store that failed, or an answer of more than 16 MiB.
#ifndef LEASECHECK_ADAPTERS_PROCESS_SERVER_H_
#define LEASECHECK_ADAPTERS_PROCESS_SERVER_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "adapters/process/backend_process.h"
#include "codec/json.h"
#include "model/target.h"

namespace leasecheck::process {

// Serves until the input ends or `shutdown` is answered, and returns OK then. Unavailable: nobody reads the answers any more. The
// descriptors stay the caller's and should block; the target is used by this call alone. Where `kill_at_statement` is not empty,
// BackendProcess::KillAtStatement calls it; it may overlap calls. Compiled once a family.
template <class F>
absl::Status Serve(Target<F>& target, int in, int out, std::function<void(uint64_t)> kill_at_statement = {});

// The same for a target of any family. `call` is thread-safe and returns what an answer carries, {"result"} or {"error"};
// NotFound where there is no such operation, InvalidArgument where the params are wrong.
struct ServedCalls {
  FamilyNames names;
  const TargetInfo* info = nullptr;
  std::function<absl::Status(EpochMs)> reset;
  std::function<absl::Status(EpochMs)> set_clock;
  std::function<absl::Status()> reopen;
  std::function<absl::StatusOr<codec::Json>(absl::string_view method, const codec::Json& params)> call;
  std::function<void(uint64_t)> kill_at_statement;  // may be empty
};
absl::Status ServeCalls(const ServedCalls& calls, int in, int out);

}  // namespace leasecheck::process

#endif  // LEASECHECK_ADAPTERS_PROCESS_SERVER_H_
