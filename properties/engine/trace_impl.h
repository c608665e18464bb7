// The bodies of properties/engine/trace.h. Included only by the file that instantiates them for a family,
// properties/<family>_trace.cc.
#ifndef LEASECHECK_PROPERTIES_ENGINE_TRACE_IMPL_H_
#define LEASECHECK_PROPERTIES_ENGINE_TRACE_IMPL_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "codec/family.h"
#include "properties/engine/driver.h"
#include "properties/engine/trace.h"
#include "properties/engine/trace_pattern.h"
#include "properties/engine/trace_text.h"
#include "properties/engine/trace_values.h"

// Compiles every function of properties/engine/trace.h for the family F. A macro only because an explicit instantiation takes no
// list.
// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot stand in parentheses.
#define LEASECHECK_INSTANTIATE_TRACE(F)                                                                                \
  template absl::StatusOr<Trace<F>> ParseTrace<F>(absl::string_view, absl::string_view, absl::Span<const Conversion>); \
  template std::string PrintTrace<F>(const Trace<F>&);                                                                 \
  template Trace<F> ProgramToTrace<F>(const Program<F>&, absl::Span<const Conversion>, const TraceDetails<F>&);        \
  template std::string PrintHistory<F>(const History<F>&);                                                             \
  template std::vector<Mismatch> MatchExpectations<F>(const Trace<F>&, const History<F>&, bool);                       \
  template absl::StatusOr<History<F>> PlayTrace<F>(Target<F>&, const Trace<F>&, absl::Span<const Conversion>)
// NOLINTEND(bugprone-macro-parentheses)

namespace leasecheck::engine {
namespace trace_internal {

template <class F>
absl::StatusOr<const NodeType*> ResponseTypeAt(std::size_t operation, absl::string_view path) {
  return VisitOperation<F>(operation, [&]<std::size_t I>() { return TypeAt<typename OperationAt<F, I>::Response>(path); });
}

template <class F>
std::string WriteRequest(const RequestOf<F>& request, const ReferenceTree* references, const ConstantNames& names) {
  return VisitOperation<F>(request.index(), [&]<std::size_t I>() { return Write(*std::get_if<I>(&request), references, names); });
}

template <class F>
std::string OutcomeText(const OutcomeOf<F>& outcome) {
  switch (outcome.index()) {
    case 0:
      return absl::StrCat("-> ", codec::DumpJson(codec::EncodeResponse<F>(std::get<0>(outcome))));
    case 1: {
      const auto& error = std::get<1>(outcome);
      return absl::StrCat("!! ", kAlternatives<typename F::Error>.alternatives[error.index()].name, " ",
                          codec::DumpJson(codec::EncodeError<F>(error)));
    }
    case 2:
      return absl::StrCat("?? ", std::get<Indefinite>(outcome).detail);
    case 3:
      return "not supported by this backend";
    default:
      return absl::StrCat("an answer that the contract does not have: ", std::get<ForeignError>(outcome).detail);
  }
}

// One line for a command: what stands left of the arguments, and these.
template <class F>
std::string CommandText(const std::string& label, const Action<F>& action, Loss loss, uint64_t hold,
                        const ReferenceTree* references, const ConstantNames& names) {
  if (const auto* clock = std::get_if<SetClock>(&action)) return absl::StrCat("@", clock->now);
  if (std::holds_alternative<Reopen>(action)) return "reopen";
  if (const auto* crash = std::get_if<Crash>(&action)) {
    std::string text = "crash";
    if (crash->process.has_value()) absl::StrAppend(&text, " process ", *crash->process);
    if (crash->after_calls != 0) absl::StrAppend(&text, " after ", crash->after_calls);
    if (crash->at_statement != 0) absl::StrAppend(&text, " at statement ", crash->at_statement);
    return text;
  }
  if (const auto* stall = std::get_if<Stall>(&action)) return absl::StrCat("stall until ", stall->until);
  const RequestOf<F>& request = *RequestIf<F>(action);
  static constexpr absl::string_view kLosses[] = {"", "lost ", "unknown ", "dropped "};
  return absl::StrCat(kLosses[static_cast<std::size_t>(loss)], hold == 0 ? "" : absl::StrCat("held ", hold, " "), label,
                      label.empty() ? "" : " = ", OperationName<F>(request.index()), " ",
                      WriteRequest<F>(request, references, names));
}

inline std::string ExpectationText(const Expectation& expectation) {
  const absl::string_view ref = expectation.reference ? "ref " : "";
  if (expectation.kind == Expectation::Kind::kIndefinite) return absl::StrCat(ref, "??");
  const std::string pattern = codec::DumpJson(expectation.pattern);
  if (expectation.kind == Expectation::Kind::kResponse) return absl::StrCat(ref, "-> ", pattern);
  return absl::StrCat(ref, "!! ", expectation.error, pattern == "{}" ? "" : " ", pattern == "{}" ? "" : pattern);
}

// ---- Parsing.

// Where a label is defined, to tell who can see it.
struct Definition {
  std::size_t phase = 0;
  std::size_t client = 0;
  std::size_t operation = 0;
  int line = 0;
};

// Which labels a command can see: those of earlier phases, and the earlier ones of its own client.
class Definitions {
 public:
  void Add(const std::string& label, const Definition& definition) { definitions_[label] = definition; }
  absl::StatusOr<Definition> Find(absl::string_view label, std::size_t phase, std::size_t client, bool across_clients) const {
    auto it = definitions_.find(label);
    if (it == definitions_.end())
      return absl::InvalidArgumentError(absl::StrCat("no label ", Quoted(label), " stands before this line"));
    const Definition& definition = it->second;
    if (!across_clients && definition.phase == phase && definition.client != client) {
      return absl::InvalidArgumentError(absl::StrCat("the label of line ", definition.line,
                                                     " belongs to another client of the same phase, which cannot be waited for"));
    }
    return definition;
  }

 private:
  absl::flat_hash_map<std::string, Definition> definitions_;
};

template <class F>
class Parser {
 public:
  Parser(absl::string_view file, absl::Span<const Conversion> conversions) : file_(file) {
    context_.conversions = conversions;
    context_.constants = &constants_;
    context_.constant_texts = &trace_.constants;
    context_.type_of = [this](absl::string_view label, absl::string_view path) { return TypeOf(label, path, false); };
    patterns_.type_of = [this](absl::string_view label, absl::string_view path) { return TypeOf(label, path, true); };
    patterns_.is_constant = [this](absl::string_view name) { return constants_.Find(name) != nullptr; };
  }

  absl::StatusOr<Trace<F>> Parse(SourceText source) {
    for (SourceLine& line : source.lines) {
      trace_.lines.push_back({line.kind, line.kind == TraceLine::Kind::kComment ? line.name : ""});
      if (absl::Status status = ReadLine(line); !status.ok()) return status;
    }
    return std::move(trace_);
  }

 private:
  using Kind = TraceLine::Kind;

  absl::Status ReadLine(SourceLine& line) {
    switch (line.kind) {
      case Kind::kStart:
        trace_.program.start = line.number;
        break;
      case Kind::kOrigin:
        trace_.origin = TraceOrigin{line.number, line.second};
        break;
      case Kind::kClause:
        trace_.clause = line.name;
        break;
      case Kind::kConstant:
        return ReadConstantLine(line);
      case Kind::kCommand:
        return ReadCommand(line);
      case Kind::kExpectation:
        return ReadExpectation(line);
      case Kind::kBarrier:
      case Kind::kEnd:
        in_phase_ = false;
        break;
      case Kind::kParallel:
        BeginPhase();
        break;
      case Kind::kSchedule:
        trace_.schedules.back() = std::move(line.schedule);
        break;
      case Kind::kClient:
        phase().clients.emplace_back();
        break;
      case Kind::kBlank:
      case Kind::kComment:
        break;
    }
    return absl::OkStatus();
  }

  Phase<F>& phase() { return trace_.program.phases.back(); }
  std::size_t phase_index() const { return trace_.program.phases.size() - 1; }
  std::size_t client_index() { return phase().clients.size() - 1; }
  void BeginPhase() {
    trace_.program.phases.emplace_back();
    trace_.schedules.emplace_back();
    in_phase_ = true;
  }

  absl::Status ReadConstantLine(SourceLine& line) {
    codec::Json plain = line.json;
    if (absl::Status status = Unescape(&plain); !status.ok()) {
      return ErrorAt(file_, line.line, line.json_column, absl::StrCat("in the constant ", line.name, ": ", status.message()));
    }
    const std::string text = codec::DumpJson(line.json);
    constants_.Add(line.name, std::move(line.json), text, &trace_.constants);
    return absl::OkStatus();
  }

  absl::Status ReadCommand(SourceLine& line) {
    if (!in_phase_) {
      BeginPhase();
      phase().clients.emplace_back();
    }
    Command<F> command;
    switch (line.command) {
      case CommandKind::kSetClock:
        command.action.template emplace<SetClock>().now = line.number;
        break;
      case CommandKind::kReopen:
        command.action.template emplace<Reopen>();
        break;
      case CommandKind::kCrash:
        command.action.template emplace<Crash>() = {line.number, line.second, line.process};
        break;
      case CommandKind::kStall:
        command.action.template emplace<Stall>().until = line.number;
        break;
      case CommandKind::kRequest:
        if (absl::Status status = ReadRequest(line, &command); !status.ok()) return status;
        break;
    }
    phase().clients.back().push_back(std::move(command));
    trace_.expectations.emplace_back();
    trace_.command_lines.push_back(line.line);
    return absl::OkStatus();
  }

  absl::Status ReadRequest(SourceLine& line, Command<F>* command) {
    const std::optional<std::size_t> operation = codec::FindOperation<F>(line.word);
    if (!operation.has_value()) {
      std::vector<absl::string_view> names;
      ForEachOperation<F>([&](const auto& known, std::size_t) { names.push_back(known.name); });
      return ErrorAt(
          file_, line.line, line.column,
          absl::StrCat("the family ", F::kName, " has no operation ", Quoted(line.word), "; ", DidYouMean(line.word, names)));
    }
    context_.references.clear();
    absl::Status status = VisitOperation<F>(*operation, [&]<std::size_t I>() {
      using Request = typename OperationAt<F, I>::Request;
      if (line.json.contains("$base")) return absl::InvalidArgumentError("the arguments themselves have no $base");
      return Prepare<Request>(&line.json, "", context_).status();
    });
    if (!status.ok()) return ErrorAt(file_, line.line, line.json_column, status.message());
    absl::StatusOr<RequestOf<F>> request = codec::DecodeRequest<F>(line.word, line.json, codec::kLenientParams);
    if (!request.ok()) return ErrorAt(file_, line.line, line.json_column, request.status().message());
    command->action.template emplace<0>(*std::move(request));
    command->label = line.name;
    command->loss = line.loss;
    command->hold = line.hold;
    command->references = std::move(context_.references);
    if (!line.name.empty()) definitions_.Add(line.name, {phase_index(), client_index(), *operation, line.line});
    last_operation_ = *operation;
    return absl::OkStatus();
  }

  absl::Status ReadExpectation(SourceLine& line) {
    Expectation expectation{line.expectation, line.flag, line.word, std::move(line.json)};
    absl::Status status;
    if (expectation.kind == Expectation::Kind::kResponse) {
      status = VisitOperation<F>(last_operation_, [&]<std::size_t I>() {
        return CheckPattern<typename OperationAt<F, I>::Response>(expectation.pattern, "", patterns_);
      });
    } else if (expectation.kind == Expectation::Kind::kError) {
      const auto& errors = kAlternatives<typename F::Error>.alternatives;
      if (absl::c_none_of(errors, [&](const Alternative& error) { return error.name == expectation.error; })) {
        std::vector<absl::string_view> names;
        for (const Alternative& error : errors) names.push_back(error.name);
        return ErrorAt(file_, line.line, line.column,
                       absl::StrCat("the family ", F::kName, " has no error ", Quoted(expectation.error), "; ",
                                    DidYouMean(expectation.error, names)));
      }
      if (!expectation.pattern.is_object()) status = absl::InvalidArgumentError("the pattern of an error is an object");
      if (status.ok()) status = CheckAlternative<typename F::Error>(expectation.error, expectation.pattern, "", "", patterns_);
    }
    if (!status.ok()) return ErrorAt(file_, line.line, line.json_column, status.message());
    trace_.expectations.back().push_back(std::move(expectation));
    return absl::OkStatus();
  }

  // An expectation may name what other clients were answered; it is compared when all is over.
  absl::StatusOr<const NodeType*> TypeOf(absl::string_view label, absl::string_view path, bool across_clients) {
    absl::StatusOr<Definition> definition = definitions_.Find(label, phase_index(), client_index(), across_clients);
    if (!definition.ok()) return definition.status();
    return ResponseTypeAt<F>(definition->operation, path);
  }

  absl::string_view file_;
  Trace<F> trace_;
  Constants constants_;
  Definitions definitions_;
  RequestContext context_;
  PatternContext patterns_;
  bool in_phase_ = false;
  std::size_t last_operation_ = 0;
};

// ---- Printing.

inline ConstantNames NamesOf(absl::Span<const TraceConstant> constants) {
  ConstantNames names;
  for (const TraceConstant& constant : constants) names.try_emplace(constant.text, constant.name);
  return names;
}

// The request with every place made that a reference names: what the writer walks.
template <class F>
RequestOf<F> WithPlaces(const RequestOf<F>& request, absl::Span<const Reference> references) {
  RequestOf<F> made = request;
  for (const Reference& reference : references) {
    VisitOperation<F>(made.index(), [&]<std::size_t I>() { MakeNode(*std::get_if<I>(&made), reference.to); });
  }
  return made;
}

template <class F>
std::string WriteCommand(const Command<F>& command, const ConstantNames& names) {
  const RequestOf<F>* request = RequestIf<F>(command.action);
  if (request == nullptr) return CommandText<F>("", command.action, Loss::kNone, 0, nullptr, names);
  ReferenceTree tree;
  for (const Reference& reference : command.references) tree.Add(reference);
  return CommandText<F>(command.label, Action<F>(std::in_place_index<0>, WithPlaces<F>(*request, command.references)),
                        command.loss, command.hold, command.references.empty() ? nullptr : &tree, names);
}

// All commands of a program in the order of a trace's text.
template <class F>
std::vector<const Command<F>*> CommandsOf(const Program<F>& program) {
  std::vector<const Command<F>*> commands;
  for (const Phase<F>& phase : program.phases) {
    for (const auto& client : phase.clients) {
      for (const Command<F>& command : client) commands.push_back(&command);
    }
  }
  return commands;
}

// Prints a trace line by line; each kind of line goes through its own list once.
template <class F>
class Printer {
 public:
  explicit Printer(const Trace<F>& trace) : trace_(trace), commands_(CommandsOf(trace.program)) {}

  std::string Print() {
    std::string text = absl::StrCat("leasecheck trace 1 ", F::kName, "\n");
    const std::vector<int> indents = Indents(trace_.lines);
    for (std::size_t i = 0; i < trace_.lines.size(); ++i) {
      const std::string content = LineText(trace_.lines[i]);
      absl::StrAppend(&text, std::string(content.empty() ? 0 : indents[i], ' '), content, "\n");
    }
    return text;
  }

 private:
  using Kind = TraceLine::Kind;

  std::string LineText(const TraceLine& line) {
    switch (line.kind) {
      case Kind::kBlank:
        return "";
      case Kind::kComment:
        return CommentLine(line.text);
      case Kind::kStart:
        return absl::StrCat("start ", trace_.program.start);
      case Kind::kOrigin:
        return absl::StrCat("seed ", trace_.origin->seed, " program ", trace_.origin->program);
      case Kind::kClause:
        return absl::StrCat("clause ", trace_.clause);
      case Kind::kConstant: {
        const TraceConstant& constant = trace_.constants[constant_++];
        names_.try_emplace(constant.text, constant.name);
        return absl::StrCat("let ", constant.name, " = ", constant.text);
      }
      case Kind::kCommand:
        expectation_ = 0;
        return WriteCommand<F>(*commands_[command_++], names_);
      case Kind::kExpectation:
        return ExpectationText(trace_.expectations[command_ - 1][expectation_++]);
      case Kind::kBarrier:
        return "barrier";
      case Kind::kParallel:
        client_ = 0;
        return "parallel";
      case Kind::kSchedule:
        return ScheduleText(ScheduleHere());
      case Kind::kClient:
        return absl::StrCat("client ", client_++, ":");
      case Kind::kEnd:
        return "end";
    }
    return "";
  }

  static std::string ScheduleText(const Schedule& schedule) {
    return absl::StrCat(schedule.of_calls ? "order " : "schedule ", absl::StrJoin(schedule, " "));
  }
  // The schedules stand in the order of their phases; phases without one are passed over.
  const Schedule& ScheduleHere() {
    while (trace_.schedules[schedule_].empty()) ++schedule_;
    return trace_.schedules[schedule_++];
  }

  const Trace<F>& trace_;
  std::vector<const Command<F>*> commands_;
  ConstantNames names_;  // of the constants printed so far
  std::size_t constant_ = 0;
  std::size_t command_ = 0;
  std::size_t expectation_ = 0;
  std::size_t client_ = 0;
  std::size_t schedule_ = 0;
};

// ---- From programs.

// Makes a program plain, as ProgramToTrace says.
template <class F>
class Plain {
 public:
  explicit Plain(absl::Span<const Conversion> conversions) : conversions_(conversions) {}

  Command<F> Make(const Command<F>& command, std::size_t phase, std::size_t client) {
    Command<F> plain;
    plain.action = command.action;
    auto* request = std::get_if<0>(&plain.action);
    if (request == nullptr) return plain;
    plain.loss = command.loss;
    plain.hold = command.hold;
    for (const Reference& reference : command.references) {
      Node to =
          VisitOperation<F>(request->index(), [&]<std::size_t I>() { return MakeNode(*std::get_if<I>(request), reference.to); });
      if (to.value != nullptr) plain.references.push_back(MakeReference(reference, to.type, phase, client));
    }
    if (!command.label.empty()) {
      names_[command.label] = plain.label = NewName(command.label);
      definitions_.Add(command.label, {phase, client, request->index(), 0});
    }
    return plain;
  }

 private:
  Reference MakeReference(const Reference& reference, const NodeType* to, std::size_t phase, std::size_t client) const {
    Reference nothing{reference.to, "", ""};
    absl::StatusOr<Definition> definition = definitions_.Find(reference.label, phase, client, false);
    if (!definition.ok()) return nothing;
    absl::StatusOr<const NodeType*> from = ResponseTypeAt<F>(definition->operation, reference.from);
    if (!from.ok()) return nothing;
    auto fits = [&](const Conversion& conversion) { return conversion.from == *from && conversion.to == to; };
    if (*from != to && absl::c_none_of(conversions_, fits)) return nothing;
    return {reference.to, names_.at(reference.label), reference.from};
  }

  std::string NewName(const std::string& label) {
    if (IsName(label) && used_.insert(label).second) return label;
    for (std::size_t i = used_.size();; ++i) {
      std::string name = absl::StrCat("r", i);
      if (used_.insert(name).second) return name;
    }
  }

  absl::Span<const Conversion> conversions_;
  Definitions definitions_;
  absl::flat_hash_map<std::string, std::string> names_;  // label -> its name in the trace
  absl::flat_hash_set<std::string> used_;
};

// The records of a history by phase and client, in the order of the commands they are of.
template <class F>
using RecordsByClient = std::map<std::pair<int, int>, std::vector<const CallRecord<F>*>>;

template <class F>
RecordsByClient<F> RecordsOf(const History<F>& history) {
  RecordsByClient<F> records;
  for (const CallRecord<F>& record : history.calls) {
    if (record.client >= 0) records[{record.phase, record.client}].push_back(&record);
  }
  return records;
}

template <class F>
std::string RecordText(const CallRecord<F>& record) {
  const std::string returned = record.returned == kNeverReturned ? "never" : absl::StrCat(record.returned);
  return absl::StrCat(OutcomeText<F>(record.outcome), " at ", record.called, "-", returned,
                      record.loss == Loss::kAnswer ? ", hidden from the client" : "");
}

// Lays a program out as a trace.
template <class F>
class Layout {
 public:
  Layout(absl::Span<const Conversion> conversions, const TraceDetails<F>& details) : details_(details), plain_(conversions) {
    if (details.history != nullptr) records_ = RecordsOf(*details.history);
  }

  Trace<F> Make(const Program<F>& program) {
    trace_.program.start = program.start;
    for (const std::string& comment : details_.comments) Comment(comment);
    Line(Kind::kStart);
    if (details_.origin.has_value()) {
      trace_.origin = details_.origin;
      Line(Kind::kOrigin);
    }
    if (!details_.clause.empty()) {
      trace_.clause = details_.clause;
      Line(Kind::kClause);
    }
    Line(Kind::kBlank);
    for (std::size_t i = 0; i < program.phases.size(); ++i) AddPhase(program.phases[i], i);
    if (trace_.lines.back().kind == Kind::kBlank) trace_.lines.pop_back();
    return std::move(trace_);
  }

 private:
  using Kind = TraceLine::Kind;

  void Line(Kind kind, absl::string_view text = "") { trace_.lines.push_back({kind, std::string(text)}); }
  void Comment(absl::string_view text) {
    for (absl::string_view line : absl::StrSplit(text, '\n')) Line(Kind::kComment, absl::StripTrailingAsciiWhitespace(line));
  }

  void AddPhase(const Phase<F>& phase, std::size_t index) {
    const bool empty = absl::c_all_of(phase.clients, [](const auto& client) { return client.empty(); });
    if (empty) return;
    const bool parallel = phase.clients.size() > 1;
    if (parallel) Line(Kind::kParallel);
    if (!parallel && after_sequence_) Line(Kind::kBarrier);
    after_sequence_ = !parallel;
    trace_.program.phases.emplace_back().clients.resize(phase.clients.size());
    trace_.schedules.emplace_back();
    if (parallel && index < details_.schedules.size() && !details_.schedules[index].empty()) {
      trace_.schedules.back() = details_.schedules[index];
      Line(Kind::kSchedule);
    }
    for (std::size_t client = 0; client < phase.clients.size(); ++client) {
      if (parallel) Line(Kind::kClient);
      AddClient(phase.clients[client], index, client);
    }
    if (parallel) Line(Kind::kEnd);
  }

  void AddClient(const std::vector<Command<F>>& commands, std::size_t phase, std::size_t client) {
    const auto found = records_.find({static_cast<int>(phase), static_cast<int>(client)});
    for (std::size_t i = 0; i < commands.size(); ++i) {
      trace_.program.phases.back().clients[client].push_back(plain_.Make(commands[i], phase, client));
      trace_.expectations.emplace_back();
      trace_.command_lines.push_back(0);
      Line(Kind::kCommand);
      if (details_.history == nullptr || RequestIf<F>(commands[i].action) == nullptr) continue;
      if (found == records_.end() || i >= found->second.size()) {
        Comment("  not made");
      } else {
        Comment(absl::StrCat("  ", RecordText(*found->second[i])));
      }
    }
  }

  const TraceDetails<F>& details_;
  Plain<F> plain_;
  RecordsByClient<F> records_;
  Trace<F> trace_;
  bool after_sequence_ = false;
};

// ---- Matching.

template <class F>
class Matcher {
 public:
  Matcher(const Trace<F>& trace, const History<F>& history, bool reference)
      : trace_(trace),
        reference_(reference),
        records_(RecordsOf(history)),
        names_(NamesOf(trace.constants)),
        matcher_(reference, [this](absl::string_view name, absl::string_view path) { return LookUp(name, path); }) {
    for (const CallRecord<F>& record : history.calls) {
      if (!record.label.empty()) answers_[record.label] = &record.outcome;
    }
    for (const TraceConstant& constant : trace.constants) {
      absl::StatusOr<codec::Json> json = codec::ParseJson(constant.text);
      if (json.ok()) constants_[constant.name] = *std::move(json);
    }
  }

  std::vector<Mismatch> Match() {
    std::vector<Mismatch> mismatches;
    std::size_t index = 0;
    for (std::size_t p = 0; p < trace_.program.phases.size(); ++p) {
      const Phase<F>& phase = trace_.program.phases[p];
      for (std::size_t c = 0; c < phase.clients.size(); ++c) {
        const auto& made = records_[{static_cast<int>(p), static_cast<int>(c)}];
        for (std::size_t i = 0; i < phase.clients[c].size(); ++i, ++index) {
          MatchCommand(phase.clients[c][i], i < made.size() ? made[i] : nullptr, index, &mismatches);
        }
      }
    }
    return mismatches;
  }

 private:
  void MatchCommand(const Command<F>& command, const CallRecord<F>* record, std::size_t index,
                    std::vector<Mismatch>* mismatches) {
    const std::vector<Expectation>& expectations = trace_.expectations[index];
    if (expectations.empty()) return;
    const bool only_reference = reference_ && absl::c_any_of(expectations, [](const Expectation& e) { return e.reference; });
    std::vector<std::string> differences;
    std::vector<std::string> accepted;
    for (const Expectation& expectation : expectations) {
      if (only_reference && !expectation.reference) continue;
      accepted.push_back(ExpectationText(expectation));
      std::vector<std::string> found;
      if (record != nullptr && Accepts(expectation, record->outcome, &found)) return;
      if (differences.empty()) differences = std::move(found);
    }
    Mismatch mismatch;
    mismatch.line = trace_.command_lines[index];
    mismatch.command = record == nullptr ? WriteCommand<F>(command, names_)
                                         : CommandText<F>(record->label, record->action, record->loss, 0, nullptr, names_);
    mismatch.expected = absl::StrJoin(accepted, ", or ");
    mismatch.got = record == nullptr ? "nothing: the call was not made" : OutcomeText<F>(record->outcome);
    mismatch.differences = std::move(differences);
    mismatches->push_back(std::move(mismatch));
  }

  bool Accepts(const Expectation& expectation, const OutcomeOf<F>& outcome, std::vector<std::string>* differences) {
    switch (expectation.kind) {
      case Expectation::Kind::kIndefinite:
        return std::holds_alternative<Indefinite>(outcome);
      case Expectation::Kind::kResponse:
        return outcome.index() == 0 &&
               matcher_.Matches(expectation.pattern, codec::EncodeResponse<F>(std::get<0>(outcome)), differences);
      case Expectation::Kind::kError:
        if (outcome.index() != 1) return false;
        if (kAlternatives<typename F::Error>.alternatives[std::get<1>(outcome).index()].name != expectation.error) return false;
        return matcher_.Matches(expectation.pattern, codec::EncodeError<F>(std::get<1>(outcome)), differences);
    }
    return false;
  }

  std::optional<PatternMatcher::Named> LookUp(absl::string_view name, absl::string_view path) const {
    if (auto it = constants_.find(name); it != constants_.end()) return PatternMatcher::Named{it->second, true};
    auto it = answers_.find(name);
    if (it == answers_.end() || it->second->index() != 0) return std::nullopt;
    const ResponseOf<F>& response = std::get<0>(*it->second);
    std::optional<codec::Json> value =
        VisitOperation<F>(response.index(), [&]<std::size_t I>() { return JsonAt(*std::get_if<I>(&response), path); });
    if (!value.has_value()) return std::nullopt;
    return PatternMatcher::Named{*std::move(value), false};
  }

  const Trace<F>& trace_;
  const bool reference_;
  RecordsByClient<F> records_;
  ConstantNames names_;
  PatternMatcher matcher_;
  absl::flat_hash_map<std::string, const OutcomeOf<F>*> answers_;
  absl::flat_hash_map<std::string, codec::Json> constants_;
};

}  // namespace trace_internal

template <class F>
absl::StatusOr<Trace<F>> ParseTrace(absl::string_view text, absl::string_view file, absl::Span<const Conversion> conversions) {
  absl::StatusOr<trace_internal::SourceText> source = trace_internal::ReadSource(text, file);
  if (!source.ok()) return source.status();
  if (source->family != F::kName) {
    return trace_internal::ErrorAt(
        file, 1, 1,
        absl::StrCat("expected a trace of the family ", F::kName, ", got one of ", trace_internal::Quoted(source->family)));
  }
  trace_internal::Parser<F> parser(file, conversions);
  return parser.Parse(*std::move(source));
}

template <class F>
std::string PrintTrace(const Trace<F>& trace) {
  return trace_internal::Printer<F>(trace).Print();
}

template <class F>
Trace<F> ProgramToTrace(const Program<F>& program, absl::Span<const Conversion> conversions, const TraceDetails<F>& details) {
  Trace<F> trace = trace_internal::Layout<F>(conversions, details).Make(program);
  // Reading it back puts the values that references overwrite, and the references' order, into their one canonical form.
  absl::StatusOr<Trace<F>> canonical = ParseTrace<F>(PrintTrace<F>(trace), "", conversions);
  return canonical.ok() ? *std::move(canonical) : trace;
}

template <class F>
std::string PrintHistory(const History<F>& history) {
  std::string text = absl::StrCat("# start ", history.start, "\n");
  for (const CallRecord<F>& record : history.calls) {
    const std::string returned = record.returned == kNeverReturned ? "never" : absl::StrCat(record.returned);
    const std::string who = record.client < 0 ? "harness" : absl::StrCat("client ", record.client);
    const std::string times = absl::StrCat(record.called, "-", returned);
    absl::StrAppend(&text, "# ", times, std::string(times.size() < 10 ? 10 - times.size() : 1, ' '), who, "  ",
                    trace_internal::CommandText<F>(record.label, record.action, record.loss, 0, nullptr, {}), "\n");
    if (RequestIf<F>(record.action) == nullptr) continue;
    absl::StrAppend(&text, "#           ", trace_internal::OutcomeText<F>(record.outcome), "\n");
  }
  return text;
}

template <class F>
std::vector<Mismatch> MatchExpectations(const Trace<F>& trace, const History<F>& history, bool reference) {
  return trace_internal::Matcher<F>(trace, history, reference).Match();
}

template <class F>
absl::StatusOr<History<F>> PlayTrace(Target<F>& target, const Trace<F>& trace, absl::Span<const Conversion> conversions) {
  Driver<F> driver(target, conversions);
  if (absl::Status status = driver.Begin(trace.program.start); !status.ok()) return status;
  const TargetInfo& info = target.info();
  for (std::size_t i = 0; i < trace.program.phases.size(); ++i) {
    const Phase<F>& phase = trace.program.phases[i];
    const bool recorded_here = i < trace.schedules.size();
    const bool replay = info.pausable && recorded_here && trace.schedules[i].switches();
    const bool one_by_one = static_cast<int>(phase.clients.size()) > info.concurrency;
    Schedule recorded;
    absl::Status status = phase.clients.size() > 1 && (replay || one_by_one)
                              ? driver.RunPhase(phase, ReplayChooser(replay ? trace.schedules[i] : Schedule()), &recorded)
                              : driver.RunPhase(phase, recorded_here ? &trace.schedules[i] : nullptr);
    if (!status.ok()) return status;
  }
  return driver.TakeHistory();
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_TRACE_IMPL_H_
