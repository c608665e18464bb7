// A backend in any language as a target: a child process that speaks PROTOCOL.md.
//
//   absl::StatusOr<std::unique_ptr<ProcessTarget<F>>> target =
//       ProcessTarget<F>::Start({.command = "python3 backend.py", .dialect_points = Spec<F>::DialectPoints()});
//   (*target)->Reset(1000);
//   OutcomeOf<F> outcome = (*target)->Execute(request);
//
// Outcomes: an answer of the contract is itself; a contract error that the family lacks, another error code, or a result without
// a required field is a ForeignError; -32001 is Indefinite, -32601 Unsupported. A call that the child's death, its silence or a
// breach of the protocol interrupts is Indefinite, and Health() says why until the next Reset or Reopen, each of which starts a
// new child where there is no living one. After a Kill, Reopen starts it on the same folder and gives it back its clock.
// Compiled once a family, in adapters/process/<family>.cc.
#ifndef LEASECHECK_ADAPTERS_PROCESS_PROCESS_TARGET_H_
#define LEASECHECK_ADAPTERS_PROCESS_PROCESS_TARGET_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/process/backend_process.h"
#include "adapters/process/process_group.h"
#include "codec/family.h"
#include "model/operation.h"
#include "model/target.h"

namespace leasecheck::process {

template <class F>
class ProcessTarget final : public Target<F> {
 public:
  // See ProcessGroup::Start for the errors.
  static absl::StatusOr<std::unique_ptr<ProcessTarget>> Start(ProcessOptions options);

  const TargetInfo& info() const override { return process_->info(); }
  OutcomeOf<F> Execute(const RequestOf<F>& request) override;
  absl::Status Reset(EpochMs now) override { return process_->Reset(now); }
  absl::Status SetClock(EpochMs now) override { return process_->SetClock(now); }
  absl::Status Reopen() override { return process_->Reopen(); }
  absl::Status Kill() override { return process_->Kill(); }
  absl::Status KillProcess(int process) override { return process_->KillProcess(process); }
  // Beyond PROTOCOL.md: of a `leasecheck serve` (BackendProcess::KillAtStatement).
  absl::Status KillAtStatement(int process, uint64_t n) override { return process_->KillAtStatement(process, n); }
  bool Crashed() const override { return process_->Crashed(); }
  absl::Status Health() const override { return process_->Health(); }
  // The last 64 KiB that the child wrote to stderr.
  std::string Log() const override { return process_->Log(); }
  // Sends `shutdown`. OK where the child answered and ended with exit 0. Nothing works afterwards but Reset and Reopen.
  absl::Status Shutdown() { return process_->Shutdown(); }

 private:
  explicit ProcessTarget(std::unique_ptr<ProcessGroup> process) : process_(std::move(process)) {}
  const std::unique_ptr<ProcessGroup> process_;
};

}  // namespace leasecheck::process

#endif  // LEASECHECK_ADAPTERS_PROCESS_PROCESS_TARGET_H_
