// What a family gives the engine: how to make programs for it, and what to scan histories for.
#ifndef LEASECHECK_PROPERTIES_ENGINE_GENERATOR_H_
#define LEASECHECK_PROPERTIES_ENGINE_GENERATOR_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "model/spec.h"
#include "model/target.h"
#include "properties/engine/faults.h"
#include "properties/engine/history.h"
#include "properties/engine/node.h"
#include "properties/engine/program.h"
#include "properties/engine/random.h"

namespace leasecheck::engine {

// What a generator may rely on.
struct GeneratorOptions {
  uint64_t program = 0;         // its number in the run: what all programs should share in can be dealt out by it
  bool durable = false;         // may ask for Reopen
  bool move_clock = true;       // may ask for SetClock
  bool clock_backwards = true;  // ... to an earlier instant too
  // The target reads the system's clock, which now reads this: programs begin here, leases are short, and moving the clock is
  // waiting, to at least `clock_error` before or after a deadline. 0: the clock is virtual.
  EpochMs system_now = 0;
  DurationMs clock_error = 0;
  FaultTimes faults = {};        // how often each fault is put in
  std::vector<bool> operations;  // by index; empty: all
  Dialects dialects;             // as the target declares them
  // The process that is alive for every probe: the harness itself, where the target probes real processes.
  uint32_t live_pid = 1;
  std::string live_process_start = "1";
};

// Makes one program, command by command. A new one for each program; everything it does depends on the random numbers and on
// what it observed. Not thread-safe.
template <class F>
class Generator {
 public:
  using State = typename Spec<F>::State;
  virtual ~Generator() = default;
  // What the clock reads at first.
  virtual EpochMs Start() = 0;
  // The next command of a sequential phase.
  virtual Command<F> Next(const State& state, EpochMs now) = 0;
  // One command more of a client in a parallel phase; it may refer to what was observed before the phase and to that client's own
  // commands. Such commands are made before any of them runs.
  virtual Command<F> NextInBranch(int client, const State& state, EpochMs now) = 0;
  // The next command of the epilogue, which lists, drains and settles everything; nullopt at its end.
  virtual std::optional<Command<F>> NextInEpilogue(const State& state, EpochMs now) = 0;
  // What a command answered; called for every command that ran, in the order of the returns.
  virtual void Observe(const CallRecord<F>& record) = 0;
};

// Specialised in properties/<family>.h:
//
//   static absl::Span<const Conversion> Conversions();                                  // which values stand for which others
//   static std::unique_ptr<Generator<F>> NewGenerator(Random random, const GeneratorOptions& options);
//   // A request whose answer tells what the store's clock read (Spec<F>::ReportedInstant), legal in every state.
//   static RequestOf<F> ClockProbe();
//   // Optional: what has to be called before each ClockProbe, so that it is answered so.
//   static std::vector<RequestOf<F>> BeforeClockProbe();
//   // The invariants that are judged apart from the spec; `hits` (may be null) counts how often each was exercised.
//   static std::vector<Finding> Scan(const History<F>& history, const SpecSetup& setup, ClauseHits* hits);
template <class F>
struct PropertiesOf;

template <class F>
std::vector<RequestOf<F>> BeforeClockProbe() {
  if constexpr (requires { PropertiesOf<F>::BeforeClockProbe(); }) return PropertiesOf<F>::BeforeClockProbe();
  return {};
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_GENERATOR_H_
