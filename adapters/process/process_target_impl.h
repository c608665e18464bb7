// The bodies of process_target.h and server.h. Included only by the file that instantiates them, adapters/process/<family>.cc.
#ifndef LEASECHECK_ADAPTERS_PROCESS_PROCESS_TARGET_IMPL_H_
#define LEASECHECK_ADAPTERS_PROCESS_PROCESS_TARGET_IMPL_H_

#include <memory>
#include <string>
#include <utility>

#include "adapters/process/process_target.h"
#include "adapters/process/server.h"

namespace leasecheck::process {

template <class F>
FamilyNames NamesOf() {
  FamilyNames names{F::kName, {}};
  ForEachOperation<F>([&](const auto& operation, std::size_t) { names.operations.push_back(operation.name); });
  return names;
}

template <class F>
absl::StatusOr<std::unique_ptr<ProcessTarget<F>>> ProcessTarget<F>::Start(ProcessOptions options) {
  absl::StatusOr<std::unique_ptr<ProcessGroup>> process = ProcessGroup::Start(std::move(options), NamesOf<F>());
  if (!process.ok()) return process.status();
  return std::unique_ptr<ProcessTarget>(new ProcessTarget(*std::move(process)));
}

template <class F>
OutcomeOf<F> ProcessTarget<F>::Execute(const RequestOf<F>& request) {
  absl::StatusOr<codec::Json> answer =
      process_->Call(OperationName<F>(request.index()), codec::EncodeRequest<F>(request, codec::Secrets::kPlaintext));
  if (!answer.ok()) return Indefinite{std::string(answer.status().message())};
  return codec::DecodeOutcome<F>(request.index(), *answer);
}

template <class F>
absl::Status Serve(Target<F>& target, int in, int out, std::function<void(uint64_t)> kill_at_statement) {
  ServedCalls calls;
  calls.names = NamesOf<F>();
  calls.info = &target.info();
  calls.reset = [&](EpochMs now) { return target.Reset(now); };
  calls.set_clock = [&](EpochMs now) { return target.SetClock(now); };
  calls.reopen = [&] { return target.Reopen(); };
  calls.call = [&](absl::string_view method, const codec::Json& params) -> absl::StatusOr<codec::Json> {
    absl::StatusOr<RequestOf<F>> request = codec::DecodeRequest<F>(method, params);
    if (!request.ok()) return request.status();
    return codec::EncodeOutcome<F>(target.Execute(*request), codec::Secrets::kPlaintext);
  };
  calls.kill_at_statement = std::move(kill_at_statement);
  return ServeCalls(calls, in, out);
}

}  // namespace leasecheck::process

#endif  // LEASECHECK_ADAPTERS_PROCESS_PROCESS_TARGET_IMPL_H_
