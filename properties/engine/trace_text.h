// The line structure of traces, apart from any family: lines with their words, numbers and parsed JSON.
#ifndef LEASECHECK_PROPERTIES_ENGINE_TRACE_TEXT_H_
#define LEASECHECK_PROPERTIES_ENGINE_TRACE_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "codec/json.h"
#include "properties/engine/program.h"
#include "properties/engine/trace.h"

namespace leasecheck::engine::trace_internal {

// What a kCommand line is.
enum class CommandKind { kRequest, kSetClock, kReopen, kCrash, kStall };

struct SourceLine {
  TraceLine::Kind kind = TraceLine::Kind::kBlank;
  CommandKind command = CommandKind::kRequest;                   // of kCommand
  Expectation::Kind expectation = Expectation::Kind::kResponse;  // of kExpectation
  int line = 0;                                                  // from 1
  int column = 0;                                                // of the operation, the error's name or the label, from 1
  int json_column = 0;                                           // of the JSON
  std::string name;  // a comment's text, a clause's id, a constant's name, a command's label
  int name_column = 0;
  std::string word;         // the operation, or the error's name
  bool flag = false;        // `ref` of an expectation
  Loss loss = Loss::kNone;  // of a command
  uint64_t hold = 0;        // of a command
  uint64_t number = 0;      // a start, a clock, a stall's end, a crash's calls, a seed, the number of a client
  uint64_t second = 0;      // the number of a seed's program, a crash's statement
  std::optional<uint64_t> process = std::nullopt;  // of a crash
  Schedule schedule;
  codec::Json json;
  std::string json_text;  // of a constant: as written
};

struct SourceText {
  std::string family;
  std::vector<SourceLine> lines;  // without the first; no blank lines at the ends, never two in a row
};

// file:line:column: message.
absl::Status ErrorAt(absl::string_view file, int line, int column, absl::string_view message);

// Reads and checks everything that needs no family: the order of the lines, the nesting of phases, names, numbers, JSON.
absl::StatusOr<SourceText> ReadSource(absl::string_view text, absl::string_view file);

// Whether this can be the name of a label or constant: letters, digits and underscores, no digit first, not one of the words of
// the format.
bool IsName(absl::string_view name);

// The up to three candidates that are written most like `word`, "did you mean a, b or c?"; or all, where none is like it.
std::string DidYouMean(absl::string_view word, absl::Span<const absl::string_view> candidates);

// Text for a message: quoted, with unprintable bytes escaped, cut where it is long.
std::string Quoted(absl::string_view text);

// A string of the JSON of a trace that begins with a single `$`, taken apart: "$c.batches.0" is the name "c" with the path
// "batches.0". False where the string is none of these, "$$..." included.
bool SplitDollar(absl::string_view text, absl::string_view* name, absl::string_view* path);

// Doubles the `$` that strings and member names of literal JSON begin with, and takes it off again. Unescape fails, naming the
// string, where a single `$` remains.
codec::Json Escape(codec::Json json);
absl::Status Unescape(codec::Json* json);

// How many blanks each line of a trace begins with; a comment has those of the line that it stands before.
std::vector<int> Indents(absl::Span<const TraceLine> lines);

// A comment as a line.
std::string CommentLine(absl::string_view text);

}  // namespace leasecheck::engine::trace_internal

#endif  // LEASECHECK_PROPERTIES_ENGINE_TRACE_TEXT_H_
