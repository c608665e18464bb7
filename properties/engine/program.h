// Programs: generated or written tests, as plain data.
//
// A program is a list of phases with a barrier after each. A phase with one client is sequential (a prefix, an epilogue), one
// with several runs them in parallel. Commands refer to earlier results by label; a client may refer to earlier phases and to its
// own commands. A label without a value resolves to one fixed value that no store ever issued, so that any part of a program is
// still a program.
#ifndef LEASECHECK_PROPERTIES_ENGINE_PROGRAM_H_
#define LEASECHECK_PROPERTIES_ENGINE_PROGRAM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/operation.h"
#include "model/time.h"

namespace leasecheck::engine {

// Moves the virtual clock.
struct SetClock {
  EpochMs now = 0;
  friend bool operator==(const SetClock&, const SetClock&) = default;
};
// Drops every handle of a durable store and opens the same data again.
struct Reopen {
  friend bool operator==(const Reopen&, const Reopen&) = default;
};
// Kills the process that serves the store, once `after_calls` calls of the phase have begun. The store is reopened at the end
// of the phase; calls of the phase that had not begun are not made.
//
// With `at_statement` the process kills itself instead, before that statement from here on (Target::KillAtStatement), which may
// lie in a later phase, or come never. The store is reopened at the end of the call that it interrupted, or of that call's
// parallel phase.
//
// Where several processes share the store, `process` names the one that dies, modulo their number: the others live on, and the
// rest of the phase is made on them.
struct Crash {
  uint64_t after_calls = 0;
  uint64_t at_statement = 0;                       // 1 is the first; 0: it is killed from outside
  std::optional<uint64_t> process = std::nullopt;  // none: all of them; of `at_statement`, the first
  friend bool operator==(const Crash&, const Crash&) = default;
};

// The client sleeps until the clock reads `until`, and then goes on with what it knew before: a worker that stalls while its
// lease lapses. Others go on meanwhile. Where they all have finished or wait too, the sleeper moves the clock there itself;
// alone, at once. Under the system's clock it waits, but not for long.
struct Stall {
  EpochMs until = 0;
  friend bool operator==(const Stall&, const Stall&) = default;
};

// What a command does: a contract call, or something done to the store or to the client from outside.
template <class F>
using Action = std::variant<RequestOf<F>, SetClock, Reopen, Crash, Stall>;

template <class F>
const RequestOf<F>* RequestIf(const Action<F>& action) {
  return std::get_if<0>(&action);
}

// "Before the call, put the value at `from` in the response labelled `label` at `to` in the request." Applied in order, so a
// later one may change part of what an earlier one put. The empty label never has a value.
struct Reference {
  std::string to;
  std::string label;
  std::string from;
  friend bool operator==(const Reference&, const Reference&) = default;
};

// What the harness keeps from the client of a call, which then does not know whether it happened.
enum class Loss {
  kNone,
  kAnswer,   // the call is made; the checker sees its answer
  kOutcome,  // the call is made; nobody sees its answer, so to the checker it may have happened until it returned, or not
  kRequest,  // the call is not made; the checker is told no more than of kOutcome
};

template <class F>
struct Command {
  std::string label;  // unique in the program; "" where nothing refers to it
  Action<F> action;
  std::vector<Reference> references;
  Loss loss = Loss::kNone;
  // In a parallel phase: the answer is held back until so many commands of other clients have ended meanwhile, or none can.
  uint64_t hold = 0;
  friend bool operator==(const Command&, const Command&) = default;
};

template <class F>
struct Phase {
  std::vector<std::vector<Command<F>>> clients;
  friend bool operator==(const Phase&, const Phase&) = default;
};

// The clients of a parallel phase in the order in which they took turns: in a deterministic run at the points where it can
// switch; or (`of_calls`) in a run of free threads whenever one began or ended a command, which a replay keeps to. Empty: nothing
// is known.
struct Schedule : std::vector<int> {
  using std::vector<int>::vector;
  bool of_calls = false;
  bool switches() const { return !empty() && !of_calls; }
  friend bool operator==(const Schedule& a, const Schedule& b) {
    return a.of_calls == b.of_calls && static_cast<const std::vector<int>&>(a) == static_cast<const std::vector<int>&>(b);
  }
};

template <class F>
struct Program {
  EpochMs start = 0;  // what the clock reads at first
  std::vector<Phase<F>> phases;
  friend bool operator==(const Program&, const Program&) = default;
};

template <class F>
std::size_t CommandCount(const Program<F>& program) {
  std::size_t count = 0;
  for (const Phase<F>& phase : program.phases) {
    for (const auto& client : phase.clients) count += client.size();
  }
  return count;
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_PROGRAM_H_
