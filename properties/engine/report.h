// What a check found, as plain data, and the forms it is shown in.
#ifndef LEASECHECK_PROPERTIES_ENGINE_REPORT_H_
#define LEASECHECK_PROPERTIES_ENGINE_REPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace leasecheck {

enum class Verdict {
  kConforms,
  kDoesNotConform,
  kInconclusive,  // unknown or incomplete: a required clause or operation was not exercised, a search ran out of its budget
};

// How one clause fared.
struct ClauseReport {
  enum class Status {
    kExercised,   // in every sense that is required
    kMissing,     // required, and this run did not reach it
    kListed,      // not required; `reason` says why
    kSkipped,     // taken out of scope by --only or --skip, or its operation is not supported
    kBroken,      // an answer broke it
    kExpectedly,  // broken, as the file of known deviations says
    kWarned,      // it was met: legal, and a user of the store should know
  };
  std::string id = {};
  std::string sentence = {};
  std::string checked_by = {};  // "spec", "scan", "probe", "nobody"
  uint64_t held = 0;
  uint64_t refused = 0;
  Status status = Status::kExercised;
  std::string reason = {};
};

// One part of a check.
struct StageReport {
  std::string name = {};  // "sequential", "concurrent", "deterministic", "crash"
  uint64_t programs = 0;
  uint64_t operations = 0;          // contract calls executed and judged
  uint64_t overlapping = 0;         // of them, calls that overlapped another one
  uint64_t crashes = 0;             // kills from outside
  uint64_t kills_at_statement = 0;  // the process killed itself at a statement chosen beforehand
  uint64_t reopens = 0;
  uint64_t lost_responses = 0;    // hidden from the client by the harness
  uint64_t unknown_outcomes = 0;  // ... from the checker too, or calls that the harness did not make
  uint64_t held = 0;              // answers that came late: others went on meanwhile
  uint64_t stalled = 0;           // clients that slept until the clock had reached the end of a lease
  uint64_t clock_back = 0;        // falls of the clock
  uint64_t clock_far = 0;         // leaps of it, of 1,000 s and more
  uint64_t indefinite = 0;        // answers "may have happened" that the harness did not cause
  uint64_t unsupported = 0;
  uint64_t inside = 0;     // calls with a deadline inside the window of their instant; under the system's clock only
  uint64_t undecided = 0;  // programs whose verdict is unknown (the search ran out of its budget)
  double seconds = 0;
  std::string note = {};  // "concurrency: not checked" and the like; "" where there is nothing to say
};

// One failure, shrunk.
struct FailureReport {
  std::string stage = {};
  std::string clause = {};        // its id
  std::string sentence = {};      // what must hold
  std::string trace = {};         // the minimal program in the trace format, with times and answers as comments
  std::string state_before = {};  // one fact a line
  std::string call = {};          // the call that broke it
  std::string expected = {};
  std::string got = {};
  std::string file = {};         // where the trace was written; "" where --out was not given
  std::string replay = {};       // the command that replays it
  std::string backend_log = {};  // the end of the backend's stderr, where it has one
  uint64_t program = 0;          // its number in the run
  uint64_t operations = 0;       // contract calls of the run until it showed
  std::size_t calls = 0;         // contract calls of the minimal trace
  double shrink_seconds = 0;     // that it took to find it
  uint64_t replays = 0;          // how often it was run again, where calls overlap in it
  uint64_t replayed = 0;         // ... and broke the same clause
  bool known_deviation = false;
  std::string note = {};  // "replayed at 7 of 10 runs", "not minimal: the budget ended"
};

struct OperationReport {
  std::string name = {};
  uint64_t calls = 0;
  std::map<std::string, uint64_t> answers = {};  // "ok", "none", the contract error's name, "indefinite", ... -> how often
};

struct Report {
  std::string family;
  std::string backend;  // name and version
  uint64_t seed = 0;
  Verdict verdict = Verdict::kInconclusive;
  std::string reason;  // one sentence: why it is not kConforms; "" where it is
  std::vector<StageReport> stages;
  std::vector<OperationReport> operations;
  std::vector<ClauseReport> clauses;
  std::vector<FailureReport> failures;
  bool internal_error = false;  // our own plumbing failed; `reason` says how

  bool conforms() const { return verdict == Verdict::kConforms; }
  // What the command line prints: failures in full, or the table of what was checked.
  std::string text() const;
};

// The other forms, of the reports of one or several backends. Pure; the caller writes the files.
std::string ToJUnitXml(const std::vector<Report>& reports);  // a suite a backend; a test case a stage, a clause and the verdict
std::string ToJson(const std::vector<Report>& reports);
// Reads what ToJson wrote. InvalidArgument: the text is nothing of that kind.
absl::StatusOr<std::vector<Report>> ReportsFromJson(absl::string_view text);
std::string ToMarkdown(const std::vector<Report>& reports);
std::string ToHtml(const std::vector<Report>& reports);
// One failure in full: the clause in its sentence, the minimal trace with times, the state before, expected against got, and the
// command that replays it.
std::string ToText(const FailureReport& failure);

}  // namespace leasecheck

#endif  // LEASECHECK_PROPERTIES_ENGINE_REPORT_H_
