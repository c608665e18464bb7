// Traces: programs in files that people read, edit and compare, with the answers that are expected of them.
//
// A trace is a line-based text; the values in it are JSON. traces/README.md is the grammar. A golden scenario is a trace with
// expectations; a failure is a trace with its recorded schedule, the seed it came from and the clause that broke.
//
//   absl::StatusOr<Trace<F>> trace = ParseTrace<F>(text, "02-lapsed-claim-is-retaken.trace", conversions);
//   absl::StatusOr<History<F>> history = PlayTrace<F>(*target, *trace, conversions);
//   for (const Mismatch& mismatch : MatchExpectations<F>(*trace, *history, target->info().reference)) {
//     std::cout << mismatch.Describe("02-lapsed-claim-is-retaken.trace");
//   }
//
// The conversions are PropertiesOf<F>::Conversions(): which values may stand where others are expected (a lease for a fence).
// The functions are compiled once a family, in properties/<family>_trace.cc; this header only declares them. All are thread-safe:
// they share nothing, except for the target that PlayTrace is given.
#ifndef LEASECHECK_PROPERTIES_ENGINE_TRACE_H_
#define LEASECHECK_PROPERTIES_ENGINE_TRACE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "codec/json.h"
#include "model/target.h"
#include "properties/engine/history.h"
#include "properties/engine/node.h"
#include "properties/engine/program.h"

namespace leasecheck::engine {

// The largest trace that is read, in bytes, and the largest number of clients of one phase.
inline constexpr std::size_t kMaxTraceBytes = 16u << 20;
inline constexpr std::size_t kMaxTraceClients = 64;

// One answer that a trace accepts of a command; several mean any one of them.
struct Expectation {
  enum class Kind {
    kResponse,    // -> pattern
    kError,       // !! error pattern
    kIndefinite,  // ??
  };
  Kind kind = Kind::kResponse;
  bool reference = false;                       // `ref`: of a reference store only such lines are accepted, where there are any
  std::string error;                            // of kError: the contract error's name
  codec::Json pattern = codec::Json::object();  // of kResponse and kError
  friend bool operator==(const Expectation&, const Expectation&) = default;
};

// `let name = value`: a value that commands and patterns name as "$name".
struct TraceConstant {
  std::string name;
  std::string text;  // its JSON, an object or an array
  friend bool operator==(const TraceConstant&, const TraceConstant&) = default;
};

// Where a generated program came from.
struct TraceOrigin {
  uint64_t seed = 0;
  uint64_t program = 0;
  friend bool operator==(const TraceOrigin&, const TraceOrigin&) = default;
};

// A line of the file: what stands where. The contents of all but comments are in the trace's other members, each in the order of
// the text.
struct TraceLine {
  enum class Kind {
    kBlank,
    kComment,
    kStart,
    kOrigin,
    kClause,
    kConstant,
    kCommand,
    kExpectation,
    kBarrier,
    kParallel,
    kSchedule,
    kClient,
    kEnd,
  };
  Kind kind = Kind::kBlank;
  std::string text;  // of a comment, without "# "
  friend bool operator==(const TraceLine&, const TraceLine&) = default;
};

// A trace as ParseTrace and ProgramToTrace make it: the layout `lines` agrees with the rest. To change the program of a trace,
// make a new one with ProgramToTrace.
template <class F>
struct Trace {
  std::vector<TraceLine> lines;
  std::optional<TraceOrigin> origin;
  std::string clause;  // the id of the clause that broke; "" where the trace is no failure
  std::vector<TraceConstant> constants;
  Program<F> program;
  std::vector<Schedule> schedules;                     // by phase; empty: none is recorded
  std::vector<std::vector<Expectation>> expectations;  // by command, in the order of the text
  std::vector<int> command_lines;                      // by command: its line in the file; not compared

  friend bool operator==(const Trace& a, const Trace& b) {
    return a.lines == b.lines && a.origin == b.origin && a.clause == b.clause && a.constants == b.constants &&
           a.program == b.program && a.schedules == b.schedules && a.expectations == b.expectations;
  }
};

// The name of the family that a trace is of, from its first line. InvalidArgument where that line is not a trace's; whether there
// is such a family, the caller says.
absl::StatusOr<std::string> TraceFamily(absl::string_view text, absl::string_view file);

// Reads a trace. Any input is safe; the time is linear in its length. InvalidArgument is one sentence that begins with
// file:line:column: what was found there and what was expected.
template <class F>
absl::StatusOr<Trace<F>> ParseTrace(absl::string_view text, absl::string_view file, absl::Span<const Conversion> conversions);

// The canonical text: ParseTrace reads it as an equal trace, and printing that gives the same text again.
template <class F>
std::string PrintTrace(const Trace<F>& trace);

// What ProgramToTrace writes down beside the program.
template <class F>
struct TraceDetails {
  std::vector<std::string> comments;  // at the top; a line break begins a new line
  std::optional<TraceOrigin> origin;
  std::string clause;
  std::vector<Schedule> schedules;      // by phase of the program; may be shorter
  const History<F>* history = nullptr;  // the recorded answers, put under their commands as comments; borrowed for the call
};

// The trace of a program that some run made. What a run cannot see is made plain: a reference whose label has no value, or whose
// value does not fit, is "$none", one whose place does not exist is left out, phases without commands are too, and labels that
// are no names get others. Running the trace's program makes the same calls as running the given one,
// provided that references to the elements of one list come in ascending order, and none is to a flattened field.
template <class F>
Trace<F> ProgramToTrace(const Program<F>& program, absl::Span<const Conversion> conversions, const TraceDetails<F>& details);

// A history for people: every call in the order of its beginning with its interval, client and answer, each line a comment.
//
//   # start 1000
//   #    0-1    client 0  A = enqueue_queued_work {"batch":{"session_id":"s"}}
//   #           -> {"batch_id":"b1", ...}
template <class F>
std::string PrintHistory(const History<F>& history);

// An answer that the trace does not accept.
struct Mismatch {
  int line = 0;                          // of the command in the file; 0 where the trace was not read from one
  std::string command;                   // "c = claim_ready_queued_work {...}" as it was sent
  std::string expected;                  // the accepted answers, as the trace has them
  std::string got;                       // the answer
  std::vector<std::string> differences;  // "batches[0].batch_id: expected "b1" ($A.batch_id), got "b2""

  // Several lines, ready to print.
  std::string Describe(absl::string_view file) const;
};

// Compares every answer with what the trace accepts of its command; empty where all are accepted. The history is of a run of the
// trace's program. `reference`: the exact numbers that only a reference store promises ("$ref", `ref ->`) are compared too.
template <class F>
std::vector<Mismatch> MatchExpectations(const Trace<F>& trace, const History<F>& history, bool reference);

// Runs a trace's program on a target, from a Reset. A parallel phase with a recorded schedule is replayed exactly where the
// target is pausable; where the target takes fewer calls at once than the phase has clients, calls are made one at a time; else
// the clients are real threads. A status that is not OK is the target's own (Target).
template <class F>
absl::StatusOr<History<F>> PlayTrace(Target<F>& target, const Trace<F>& trace, absl::Span<const Conversion> conversions);

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_TRACE_H_
