#include "properties/engine/trace_text.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace leasecheck::engine::trace_internal {
namespace {

using Kind = TraceLine::Kind;

constexpr absl::string_view kMagic = "leasecheck trace 1 ";
constexpr std::size_t kLongestName = 64;
constexpr absl::string_view kStatements =
    "a command, an expectation (->, !!, \?\?), @time, let, parallel, client, schedule, order, end, barrier, reopen, crash, "
    "stall, "
    "start, seed, "
    "clause or a # comment";

// Words that begin a line, or mean something after a `$`.
constexpr std::array<absl::string_view, 22> kReserved = {
    "any", "none",   "rest",     "base",   "start", "seed", "clause",  "let",     "ref",  "barrier", "parallel",
    "end", "client", "schedule", "reopen", "crash", "lost", "unknown", "dropped", "held", "stall",   "order"};

bool IsNameByte(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// One line, read from left to right. Every failure names the column that it stands at.
class LineReader {
 public:
  LineReader(absl::string_view line, absl::string_view file, int number) : line_(line), file_(file), number_(number) {
    SkipBlanks();
  }

  bool AtEnd() const { return at_ == line_.size(); }
  int column() const { return static_cast<int>(at_) + 1; }
  absl::string_view rest() const { return line_.substr(at_); }

  bool Take(absl::string_view token) {
    if (!absl::StartsWith(rest(), token)) return false;
    at_ += token.size();
    SkipBlanks();
    return true;
  }
  // Takes `word` where it is the whole next word.
  bool TakeWord(absl::string_view word) {
    const absl::string_view left = rest();
    if (!absl::StartsWith(left, word) || (left.size() > word.size() && IsNameByte(left[word.size()]))) return false;
    return Take(word);
  }
  absl::string_view Word() {
    std::size_t end = at_;
    while (end < line_.size() && IsNameByte(line_[end])) ++end;
    const absl::string_view word = line_.substr(at_, end - at_);
    at_ = end;
    SkipBlanks();
    return word;
  }
  // Up to the next blank.
  absl::string_view Token() {
    std::size_t end = std::min(line_.find_first_of(" \t", at_), line_.size());
    const absl::string_view token = line_.substr(at_, end - at_);
    at_ = end;
    SkipBlanks();
    return token;
  }

  absl::Status Fail(int at_column, absl::string_view message) const { return ErrorAt(file_, number_, at_column, message); }
  absl::Status Expected(absl::string_view what) const {
    return Fail(column(), absl::StrCat("expected ", what, ", got ", AtEnd() ? "the end of the line" : Quoted(rest())));
  }
  absl::Status End() const { return AtEnd() ? absl::OkStatus() : Expected("the end of the line"); }

  absl::Status Number(absl::string_view what, uint64_t* number) {
    const int begin = column();
    const absl::string_view word = Word();
    const bool digits = !word.empty() && absl::c_all_of(word, [](unsigned char c) { return absl::ascii_isdigit(c); });
    if (digits && absl::SimpleAtoi(word, number)) return absl::OkStatus();
    if (word.empty()) return Expected(absl::StrCat(what, ", a whole number"));
    return Fail(begin, absl::StrCat("expected ", what, ", a whole number of at most 64 bits, got ", Quoted(word)));
  }
  // The JSON that fills the rest of the line.
  absl::Status Json(absl::string_view what, codec::Json* json, int* json_column) {
    *json_column = column();
    if (AtEnd()) return Expected(what);
    absl::StatusOr<codec::Json> parsed = codec::ParseJson(rest());
    if (parsed.ok()) {
      *json = *std::move(parsed);
      return absl::OkStatus();
    }
    // "byte 17: cause"
    absl::string_view message = parsed.status().message();
    std::size_t offset = 0;
    absl::string_view cause = message;
    if (absl::ConsumePrefix(&cause, "byte ")) {
      const std::size_t colon = cause.find(": ");
      if (colon != absl::string_view::npos && absl::SimpleAtoi(cause.substr(0, colon), &offset)) cause.remove_prefix(colon + 2);
    }
    return Fail(column() + static_cast<int>(offset), absl::StrCat(what, " is no JSON: ", cause));
  }

 private:
  void SkipBlanks() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
  }

  absl::string_view line_;
  absl::string_view file_;
  int number_;
  std::size_t at_ = 0;
};

// Classifies lines and follows their order.
class SourceReader {
 public:
  SourceReader(absl::string_view file, SourceText* source) : file_(file), source_(*source) {}

  absl::Status ReadLine(absl::string_view line, int number) {
    LineReader in(line, file_, number);
    SourceLine out;
    out.line = number;
    out.column = in.column();
    if (in.AtEnd()) return Blank(std::move(out));
    if (absl::Status status = Classify(in, &out); !status.ok()) return status;
    if (absl::Status status = CheckOrder(in, out); !status.ok()) return status;
    source_.lines.push_back(std::move(out));
    return absl::OkStatus();
  }

  absl::Status Finish(int lines) {
    if (!started_)
      return ErrorAt(file_, lines, 1, "expected a line \"start N\", the clock's first instant, got the end of the file");
    if (parallel_line_ != 0) {
      return ErrorAt(file_, lines, 1, absl::StrCat("the parallel of line ", parallel_line_, " has no end"));
    }
    if (last_barrier_) return ErrorAt(file_, lines, 1, "expected a command after the barrier, got the end of the file");
    while (!source_.lines.empty() && source_.lines.back().kind == Kind::kBlank) source_.lines.pop_back();
    return absl::OkStatus();
  }

 private:
  absl::Status Blank(SourceLine out) {
    if (!source_.lines.empty() && source_.lines.back().kind != Kind::kBlank) source_.lines.push_back(std::move(out));
    return absl::OkStatus();
  }

  absl::Status Classify(LineReader& in, SourceLine* out) {
    if (in.rest()[0] == '#') return Comment(in, out);
    if (in.Take("@")) return Clock(in, out);
    if (in.Take("->")) return Expect(in, Expectation::Kind::kResponse, out);
    if (in.Take("!!")) return Expect(in, Expectation::Kind::kError, out);
    if (in.Take("??")) return Expect(in, Expectation::Kind::kIndefinite, out);
    if (in.TakeWord("ref")) {
      out->flag = true;
      if (in.Take("->")) return Expect(in, Expectation::Kind::kResponse, out);
      if (in.Take("!!")) return Expect(in, Expectation::Kind::kError, out);
      return in.Expected("-> or !! after ref");
    }
    if (in.TakeWord("start")) return Numbered(in, Kind::kStart, "the clock's first instant", out);
    if (in.TakeWord("seed")) return Origin(in, out);
    if (in.TakeWord("clause")) return Clause(in, out);
    if (in.TakeWord("let")) return Let(in, out);
    if (in.TakeWord("barrier")) return Bare(in, Kind::kBarrier, out);
    if (in.TakeWord("parallel")) return Bare(in, Kind::kParallel, out);
    if (in.TakeWord("end")) return Bare(in, Kind::kEnd, out);
    if (in.TakeWord("client")) return Client(in, out);
    if (in.TakeWord("schedule")) return ReadSchedule(in, out);
    if (in.TakeWord("order")) {
      out->schedule.of_calls = true;
      return ReadSchedule(in, out);
    }
    if (in.TakeWord("reopen")) {
      out->command = CommandKind::kReopen;
      return Bare(in, Kind::kCommand, out);
    }
    if (in.TakeWord("crash")) return ReadCrash(in, out);
    if (in.TakeWord("stall")) return ReadStall(in, out);
    return Request(in, out);
  }

  static absl::Status Bare(LineReader& in, Kind kind, SourceLine* out) {
    out->kind = kind;
    return in.End();
  }
  static absl::Status Numbered(LineReader& in, Kind kind, absl::string_view what, SourceLine* out) {
    out->kind = kind;
    if (absl::Status status = in.Number(what, &out->number); !status.ok()) return status;
    return in.End();
  }
  static absl::Status Comment(LineReader& in, SourceLine* out) {
    out->kind = Kind::kComment;
    absl::string_view text = in.rest().substr(1);
    absl::ConsumePrefix(&text, " ");
    out->name = std::string(text);
    return absl::OkStatus();
  }
  static absl::Status Clock(LineReader& in, SourceLine* out) {
    out->command = CommandKind::kSetClock;
    return Numbered(in, Kind::kCommand, "the clock's new instant", out);
  }
  static absl::Status Expect(LineReader& in, Expectation::Kind kind, SourceLine* out) {
    out->kind = Kind::kExpectation;
    out->expectation = kind;
    out->json = codec::Json::object();
    if (kind == Expectation::Kind::kIndefinite) return in.End();
    if (kind == Expectation::Kind::kResponse) return in.Json("the pattern of the answer", &out->json, &out->json_column);
    out->column = in.column();
    out->word = std::string(in.Word());
    if (out->word.empty()) return in.Expected("the name of a contract error");
    return in.AtEnd() ? absl::OkStatus() : in.Json("the pattern of the error", &out->json, &out->json_column);
  }
  static absl::Status Origin(LineReader& in, SourceLine* out) {
    out->kind = Kind::kOrigin;
    if (absl::Status status = in.Number("the seed", &out->number); !status.ok()) return status;
    if (!in.TakeWord("program")) return in.Expected("\"program\" and its number after the seed");
    if (absl::Status status = in.Number("the program's number", &out->second); !status.ok()) return status;
    return in.End();
  }
  static absl::Status Clause(LineReader& in, SourceLine* out) {
    out->kind = Kind::kClause;
    if (in.AtEnd()) return in.Expected("the id of a clause");
    out->name = std::string(in.Token());
    return in.End();
  }
  static absl::Status Name(LineReader& in, absl::string_view what, SourceLine* out) {
    out->name_column = in.column();
    const absl::string_view name = in.Word();
    if (name.empty()) return in.Expected(what);
    if (!IsName(name)) {
      return in.Fail(out->name_column, absl::StrCat(Quoted(name),
                                                    " cannot be a name: expected letters, digits and underscores, no digit "
                                                    "first, at most ",
                                                    kLongestName, ", and no word of the format"));
    }
    out->name = std::string(name);
    return absl::OkStatus();
  }
  static absl::Status Let(LineReader& in, SourceLine* out) {
    out->kind = Kind::kConstant;
    if (absl::Status status = Name(in, "the constant's name", out); !status.ok()) return status;
    if (!in.Take("=")) return in.Expected("\"=\" and the constant's value");
    out->json_text = std::string(in.rest());
    if (absl::Status status = in.Json("the constant's value", &out->json, &out->json_column); !status.ok()) return status;
    if (out->json.is_structured() && !out->json.empty()) return absl::OkStatus();
    return in.Fail(out->json_column, "a constant is an object or an array with something in it");
  }
  static absl::Status Client(LineReader& in, SourceLine* out) {
    out->kind = Kind::kClient;
    if (absl::Status status = in.Number("the client's number", &out->number); !status.ok()) return status;
    if (!in.Take(":")) return in.Expected("\":\" after the client's number");
    return in.End();
  }
  static absl::Status ReadSchedule(LineReader& in, SourceLine* out) {
    out->kind = Kind::kSchedule;
    do {
      uint64_t client = 0;
      if (absl::Status status = in.Number("a client's number", &client); !status.ok()) return status;
      out->schedule.push_back(static_cast<int>(std::min<uint64_t>(client, kMaxTraceClients)));
    } while (!in.AtEnd());
    return absl::OkStatus();
  }
  static absl::Status ReadCrash(LineReader& in, SourceLine* out) {
    out->command = CommandKind::kCrash;
    out->kind = Kind::kCommand;
    if (in.TakeWord("process")) {
      if (absl::Status status = in.Number("the number of the process", &out->process.emplace()); !status.ok()) return status;
    }
    if (in.TakeWord("after")) {
      if (absl::Status status = in.Number("the number of calls", &out->number); !status.ok()) return status;
    }
    if (in.AtEnd()) return absl::OkStatus();
    if (!in.TakeWord("at")) {
      return in.Expected(
          "\"process\" and its number, \"after\" and a number of calls, \"at statement\" and its number, or the end of the line");
    }
    if (!in.TakeWord("statement")) return in.Expected("\"statement\" and its number");
    if (absl::Status status = in.Number("the number of the statement", &out->second); !status.ok()) return status;
    return in.End();
  }
  static absl::Status ReadStall(LineReader& in, SourceLine* out) {
    out->command = CommandKind::kStall;
    if (!in.TakeWord("until")) return in.Expected("\"until\" and what the clock reads when the client goes on");
    return Numbered(in, Kind::kCommand, "what the clock reads when the client goes on", out);
  }
  // What the harness keeps from the client: a word before the call, and how long its answer is held back.
  static absl::Status Faults(LineReader& in, absl::string_view* last, SourceLine* out) {
    constexpr std::pair<absl::string_view, Loss> kLosses[] = {
        {"lost", Loss::kAnswer}, {"unknown", Loss::kOutcome}, {"dropped", Loss::kRequest}};
    for (const auto& [word, loss] : kLosses) {
      if (!in.TakeWord(word)) continue;
      out->loss = loss;
      *last = word;
      break;
    }
    if (!in.TakeWord("held")) return absl::OkStatus();
    *last = "held and its number";
    return in.Number("the number of commands that end meanwhile", &out->hold);
  }
  static absl::Status Request(LineReader& in, SourceLine* out) {
    out->kind = Kind::kCommand;
    absl::string_view fault;
    if (absl::Status status = Faults(in, &fault, out); !status.ok()) return status;
    out->column = in.column();
    LineReader ahead = in;
    const absl::string_view word = ahead.Word();
    if (word.empty()) return in.Expected(fault.empty() ? kStatements : absl::StrCat("a call after ", fault));
    if (ahead.Take("=")) {
      if (absl::Status status = Name(in, "a label", out); !status.ok()) return status;
      in = ahead;
      out->column = in.column();
    }
    out->word = std::string(in.Word());
    if (out->word.empty()) return in.Expected("an operation after the label");
    if (!absl::StartsWith(in.rest(), "{"))
      return in.Expected(absl::StrCat("an object with the arguments of ", Quoted(out->word)));
    return in.Json("the object of the arguments", &out->json, &out->json_column);
  }

  absl::Status CheckOrder(const LineReader& in, const SourceLine& out) {
    const Kind before = std::exchange(previous_, out.kind == Kind::kComment ? previous_ : out.kind);
    switch (out.kind) {
      case Kind::kStart:
        if (std::exchange(started_, true)) return in.Fail(out.column, "start is given twice");
        break;
      case Kind::kOrigin:
        if (std::exchange(has_origin_, true)) return in.Fail(out.column, "seed is given twice");
        break;
      case Kind::kClause:
        if (std::exchange(has_clause_, true)) return in.Fail(out.column, "clause is given twice");
        break;
      case Kind::kConstant:
        if (parallel_line_ != 0) return in.Fail(out.column, "let stands outside of parallel phases");
        return Define(in, out);
      case Kind::kCommand:
        return CheckCommand(in, out);
      case Kind::kExpectation:
        if (before != Kind::kCommand && before != Kind::kExpectation)
          return in.Fail(out.column, "an expectation stands under a command");
        if (!last_is_request_) return in.Fail(out.column, "only a contract call has an answer to expect");
        return absl::OkStatus();
      case Kind::kBarrier:
        if (parallel_line_ != 0) return in.Fail(out.column, "barrier stands outside of parallel phases");
        if (!in_sequence_) return in.Fail(out.column, "barrier ends a sequence of commands, and there is none before it");
        in_sequence_ = false;
        last_barrier_ = true;
        return absl::OkStatus();
      case Kind::kParallel:
        return CheckParallel(in, out);
      case Kind::kSchedule:
        if (before != Kind::kParallel) return in.Fail(out.column, "a schedule or order stands right after parallel");
        schedule_ = out.schedule;
        schedule_line_ = out.line;
        return absl::OkStatus();
      case Kind::kClient:
        return CheckClient(in, out);
      case Kind::kEnd:
        return CheckEnd(in, out);
      default:
        return absl::OkStatus();
    }
    if (has_commands_) return in.Fail(out.column, "this line stands before the first command");
    return absl::OkStatus();
  }

  absl::Status Define(const LineReader& in, const SourceLine& out) {
    if (out.name.empty() || names_.insert(out.name).second) return absl::OkStatus();
    return in.Fail(out.name_column, absl::StrCat("the name ", Quoted(out.name), " is given twice"));
  }
  absl::Status CheckCommand(const LineReader& in, const SourceLine& out) {
    if (!started_) return in.Fail(out.column, "expected a line \"start N\" before the first command");
    if (parallel_line_ != 0 && clients_ == 0)
      return in.Fail(out.column, "expected \"client 0:\" before the commands of a parallel phase");
    has_commands_ = true;
    last_barrier_ = false;
    if (parallel_line_ == 0) in_sequence_ = true;
    last_is_request_ = out.command == CommandKind::kRequest;
    return Define(in, out);
  }
  absl::Status CheckParallel(const LineReader& in, const SourceLine& out) {
    if (!started_) return in.Fail(out.column, "expected a line \"start N\" before the first phase");
    if (parallel_line_ != 0) return in.Fail(out.column, absl::StrCat("the parallel of line ", parallel_line_, " has no end yet"));
    if (last_barrier_) return in.Fail(out.column, "a barrier stands between two sequences of commands only");
    parallel_line_ = out.line;
    clients_ = 0;
    schedule_ = Schedule();
    in_sequence_ = false;
    has_commands_ = true;
    return absl::OkStatus();
  }
  absl::Status CheckClient(const LineReader& in, const SourceLine& out) {
    if (parallel_line_ == 0) return in.Fail(out.column, "client stands in a parallel phase");
    if (out.number != clients_)
      return in.Fail(out.column, absl::StrCat("expected client ", clients_, ", got client ", out.number));
    if (clients_ == kMaxTraceClients)
      return in.Fail(out.column, absl::StrCat("a phase has at most ", kMaxTraceClients, " clients"));
    ++clients_;
    return absl::OkStatus();
  }
  absl::Status CheckEnd(const LineReader& in, const SourceLine& out) {
    if (parallel_line_ == 0) return in.Fail(out.column, "end ends a parallel phase, and there is none");
    if (clients_ < 2) return in.Fail(out.column, "a parallel phase has at least two clients");
    for (int client : schedule_) {
      if (client >= static_cast<int>(clients_)) {
        return ErrorAt(file_, schedule_line_, 1, absl::StrCat("the schedule names a client that is none of the ", clients_));
      }
    }
    parallel_line_ = 0;
    return absl::OkStatus();
  }

  absl::string_view file_;
  SourceText& source_;
  bool started_ = false;
  bool has_origin_ = false;
  bool has_clause_ = false;
  bool has_commands_ = false;     // a command or a phase was read
  bool in_sequence_ = false;      // the commands of a phase with one client are being read
  bool last_barrier_ = false;     // nothing but lets came since a barrier
  bool last_is_request_ = false;  // the last command
  int parallel_line_ = 0;         // of the open parallel; 0: none is open
  uint64_t clients_ = 0;          // of it, so far
  Schedule schedule_;
  int schedule_line_ = 0;
  Kind previous_ = Kind::kBlank;  // of the last line that is no comment
  absl::flat_hash_set<std::string> names_;
};

// How many letters have to be changed, added or left out; of the first letters only.
std::size_t EditDistance(absl::string_view a, absl::string_view b) {
  a = a.substr(0, kLongestName);
  b = b.substr(0, kLongestName);
  std::array<std::size_t, kLongestName + 1> row;
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// "a, b or c"; of many only the first.
std::string OneOf(absl::Span<const absl::string_view> names) {
  constexpr std::size_t kMost = 20;
  if (names.size() == 1) return std::string(names[0]);
  if (names.size() > kMost) return absl::StrCat("one of ", absl::StrJoin(names.subspan(0, kMost), ", "), " ...");
  return absl::StrCat(absl::StrJoin(names.subspan(0, names.size() - 1), ", "), " or ", names.back());
}

absl::string_view TakeLine(absl::string_view* text) {
  const std::size_t end = std::min(text->find('\n'), text->size());
  absl::string_view line = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return absl::StripTrailingAsciiWhitespace(line);
}

absl::Status Family(absl::string_view first_line, absl::string_view file, std::string* family) {
  LineReader in(first_line, file, 1);
  absl::Status refused = in.Fail(
      1, absl::StrCat("expected \"", kMagic, "\" and a family, got ", first_line.empty() ? "an empty line" : Quoted(first_line)));
  if (!in.TakeWord("leasecheck") || !in.TakeWord("trace")) return refused;
  uint64_t version = 0;
  const int column = in.column();
  if (!in.Number("the format's version", &version).ok()) return refused;
  if (version != 1) return in.Fail(column, absl::StrCat("the format's version ", version, " is unknown: expected 1"));
  *family = std::string(in.Word());
  if (family->empty() || !in.AtEnd()) return refused;
  return absl::OkStatus();
}

bool StartsSpecial(absl::string_view text) { return !text.empty() && text[0] == '$'; }

}  // namespace

absl::Status ErrorAt(absl::string_view file, int line, int column, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat(file, ":", line, ":", column, ": ", message));
}

absl::StatusOr<SourceText> ReadSource(absl::string_view text, absl::string_view file) {
  if (text.size() > kMaxTraceBytes) {
    return ErrorAt(file, 1, 1, absl::StrCat("the trace has ", text.size(), " bytes; at most ", kMaxTraceBytes, " are read"));
  }
  SourceText source;
  if (absl::Status status = Family(TakeLine(&text), file, &source.family); !status.ok()) return status;
  SourceReader reader(file, &source);
  int number = 1;
  while (!text.empty()) {
    ++number;
    if (absl::Status status = reader.ReadLine(TakeLine(&text), number); !status.ok()) return status;
  }
  if (absl::Status status = reader.Finish(number); !status.ok()) return status;
  return source;
}

bool IsName(absl::string_view name) {
  if (name.empty() || name.size() > kLongestName || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) return false;
  return absl::c_all_of(name, IsNameByte) && !absl::c_linear_search(kReserved, name);
}

std::string DidYouMean(absl::string_view word, absl::Span<const absl::string_view> candidates) {
  std::vector<std::pair<std::size_t, absl::string_view>> ranked;
  for (absl::string_view candidate : candidates) {
    const bool part = word.size() >= 3 && (absl::StrContains(candidate, word) || absl::StrContains(word, candidate));
    ranked.emplace_back(part ? 1 : EditDistance(word, candidate), candidate);
  }
  if (ranked.empty()) return "nothing can be named here";
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const std::size_t nearest = ranked.front().first;
  if (nearest > std::max<std::size_t>(2, word.size() / 3)) return absl::StrCat("expected ", OneOf(candidates));
  std::vector<absl::string_view> near;
  for (const auto& [distance, candidate] : ranked) {
    if (distance <= nearest + 1 && near.size() < 3) near.push_back(candidate);
  }
  return absl::StrCat("did you mean ", OneOf(near), "?");
}

std::string Quoted(absl::string_view text) {
  constexpr std::size_t kLongest = 60;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kLongest)), text.size() > kLongest ? "..." : "", "\"");
}

bool SplitDollar(absl::string_view text, absl::string_view* name, absl::string_view* path) {
  if (!StartsSpecial(text) || absl::StartsWith(text, "$$")) return false;
  const std::size_t dot = text.find('.');
  *name = text.substr(1, dot == absl::string_view::npos ? dot : dot - 1);
  *path = dot == absl::string_view::npos ? absl::string_view() : text.substr(dot + 1);
  return true;
}

codec::Json Escape(codec::Json json) {
  if (json.is_string()) {
    auto& text = json.get_ref<std::string&>();
    if (StartsSpecial(text)) text.insert(text.begin(), '$');
  } else if (json.is_array()) {
    for (codec::Json& element : json) element = Escape(std::move(element));
  } else if (json.is_object()) {
    codec::Json escaped = codec::Json::object();
    for (auto& [name, member] : json.get_ref<codec::Json::object_t&>()) {
      escaped[StartsSpecial(name) ? absl::StrCat("$", name) : name] = Escape(std::move(member));
    }
    return escaped;
  }
  return json;
}

absl::Status Unescape(codec::Json* json) {
  auto strip = [](absl::string_view text, std::string* stripped) -> absl::Status {
    if (StartsSpecial(text) && !absl::StartsWith(text, "$$")) {
      return absl::InvalidArgumentError(absl::StrCat(
          Quoted(text), " cannot stand here: nothing is referred to inside of this value, and a literal $ is written $$"));
    }
    *stripped = std::string(StartsSpecial(text) ? text.substr(1) : text);
    return absl::OkStatus();
  };
  if (json->is_string()) {
    std::string stripped;
    if (absl::Status status = strip(json->get_ref<std::string&>(), &stripped); !status.ok()) return status;
    *json = std::move(stripped);
  } else if (json->is_array()) {
    for (codec::Json& element : *json) {
      if (absl::Status status = Unescape(&element); !status.ok()) return status;
    }
  } else if (json->is_object()) {
    codec::Json plain = codec::Json::object();
    for (auto& [name, member] : json->get_ref<codec::Json::object_t&>()) {
      std::string stripped;
      if (absl::Status status = strip(name, &stripped); !status.ok()) return status;
      if (absl::Status status = Unescape(&member); !status.ok()) return status;
      plain[stripped] = std::move(member);
    }
    *json = std::move(plain);
  }
  return absl::OkStatus();
}

std::vector<int> Indents(absl::Span<const TraceLine> lines) {
  std::vector<int> indents(lines.size(), 0);
  int command = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Kind kind = lines[i].kind;
    if (kind == Kind::kParallel) command = 4;
    if (kind == Kind::kEnd) command = 0;
    if (kind == Kind::kSchedule || kind == Kind::kClient) indents[i] = 2;
    if (kind == Kind::kCommand) indents[i] = command;
    if (kind == Kind::kExpectation) indents[i] = command + 2;
  }
  int following = 0;
  for (std::size_t i = lines.size(); i-- > 0;) {
    if (lines[i].kind == Kind::kComment) {
      indents[i] = following;
    } else if (lines[i].kind != Kind::kBlank) {
      following = indents[i];
    }
  }
  return indents;
}

std::string CommentLine(absl::string_view text) { return absl::StrCat(text.empty() ? "#" : "# ", text); }

}  // namespace leasecheck::engine::trace_internal

namespace leasecheck::engine {

absl::StatusOr<std::string> TraceFamily(absl::string_view text, absl::string_view file) {
  std::string family;
  absl::Status status = trace_internal::Family(trace_internal::TakeLine(&text), file, &family);
  if (!status.ok()) return status;
  return family;
}

std::string Mismatch::Describe(absl::string_view file) const {
  std::string text = absl::StrCat(file, ":", line, ": ", command, "\n  expected ", expected, "\n  got      ", got, "\n");
  for (const std::string& difference : differences) absl::StrAppend(&text, "    ", difference, "\n");
  return text;
}

}  // namespace leasecheck::engine
