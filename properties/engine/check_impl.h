// How Check works. Included once a family, by properties/<family>_check.cc, which instantiates it.
#ifndef LEASECHECK_PROPERTIES_ENGINE_CHECK_IMPL_H_
#define LEASECHECK_PROPERTIES_ENGINE_CHECK_IMPL_H_

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "codec/family.h"
#include "model/environment.h"
#include "model/spec.h"
#include "properties/check.h"
#include "properties/engine/generator.h"
#include "properties/engine/process_start.h"
#include "properties/engine/prove_clock.h"
#include "properties/engine/runner.h"
#include "properties/engine/shrink.h"
#include "properties/engine/trace.h"

namespace leasecheck::engine {

// How often each operation was answered in each way. Cheap to add to: it is asked for every call.
template <class F>
class AnswerCounts {
 public:
  static constexpr std::size_t kErrors = std::variant_size_v<typename F::Error>;
  enum Kind : std::size_t { kOk, kNone, kIndefinite, kUnsupported, kForeign, kFirstError };

  void Add(const RequestOf<F>& request, const OutcomeOf<F>& outcome) { ++counts_[request.index()][KindOf(outcome)]; }

  std::vector<OperationReport> Report() const {
    std::vector<OperationReport> reports;
    for (std::size_t operation = 0; operation < kOperationCount<F>; ++operation) {
      OperationReport& report = reports.emplace_back();
      report.name = std::string(OperationName<F>(operation));
      for (std::size_t kind = 0; kind < counts_[operation].size(); ++kind) {
        if (counts_[operation][kind] == 0) continue;
        report.calls += counts_[operation][kind];
        report.answers[NameOf(kind)] = counts_[operation][kind];
      }
    }
    return reports;
  }

 private:
  static std::size_t KindOf(const OutcomeOf<F>& outcome) {
    if (const auto* response = std::get_if<0>(&outcome)) {
      return std::visit(
          [](const auto& value) -> std::size_t {
            if constexpr (kIsOptional<std::decay_t<decltype(value)>>) {
              if (!value.has_value()) return kNone;
            }
            return kOk;
          },
          *response);
    }
    if (const auto* error = std::get_if<1>(&outcome)) return kFirstError + error->index();
    if (std::holds_alternative<Indefinite>(outcome)) return kIndefinite;
    return std::holds_alternative<Unsupported>(outcome) ? kUnsupported : kForeign;
  }
  static std::string NameOf(std::size_t kind) {
    static constexpr const char* kNames[] = {"ok", "none", "indefinite", "unsupported", "not of the contract"};
    if (kind < kFirstError) return kNames[kind];
    return std::string(kAlternatives<typename F::Error>.alternatives[kind - kFirstError].name);
  }

  std::array<std::array<uint64_t, kFirstError + kErrors>, kOperationCount<F>> counts_{};
};

// One check of one backend.
template <class F>
class Checker {
 public:
  // `crash_factory` may be null: crashes then need a killable target of `factory`.
  Checker(const TargetFactory<F>& factory, const TargetFactory<F>* crash_factory, const CheckOptions& options)
      : factory_(factory),
        crash_factory_(crash_factory),
        options_(options),
        clock_error_{static_cast<DurationMs>(absl::ToInt64Milliseconds(absl::Ceil(options.clock_error, absl::Milliseconds(1)))),
                     options.clock_drift},
        hits_(Spec<F>::Clauses().size()) {
    if (options_.operations == 0 && options_.budget <= absl::ZeroDuration()) options_.operations = 200'000;
  }

  Report Run() {
    began_ = absl::Now();
    report_.family = std::string(F::kName);
    report_.seed = options_.seed;
    report_.reason.clear();
    if (absl::Status status = OpenTarget(factory_); !status.ok()) return GiveUp(status);
    const TargetInfo& info = target_->info();
    report_.backend = BackendText(info);
    RunEarlierFailures();
    std::vector<Stage> stages = PlanStages();
    for (std::size_t i = 0; i < stages.size() && !Ended(); ++i) {
      if (stages[i].own_target) {
        runner_.reset();
        target_.reset();
        if (absl::Status status = OpenTarget(*crash_factory_); !status.ok()) return GiveUp(status);
      }
      RunStage(stages[i], stages.size() - i);
    }
    // What was left out is told after what was done.
    std::stable_partition(report_.stages.begin(), report_.stages.end(), [](const StageReport& s) { return s.programs > 0; });
    FillClauses();
    report_.operations = answers_.Report();
    Conclude();
    return std::move(report_);
  }

  // Plays the traces and judges each.
  Report RunTraces(const std::vector<TraceFile>& traces) {
    began_ = absl::Now();
    report_.family = std::string(F::kName);
    if (absl::Status status = OpenTarget(factory_); !status.ok()) return GiveUp(status);
    report_.backend = BackendText(target_->info());
    StageReport& stage = report_.stages.emplace_back();
    stage.name = "replay";
    for (const TraceFile& trace : traces) {
      if (!PlayOne(trace, stage)) break;
    }
    stage.seconds = Seconds();
    report_.operations = answers_.Report();
    if (report_.reason.empty()) {
      report_.verdict = report_.failures.empty() ? Verdict::kConforms : Verdict::kDoesNotConform;
      if (!report_.failures.empty()) report_.reason = "a trace broke the contract";
    }
    return std::move(report_);
  }

 private:
  using Verdict = leasecheck::Verdict;
  using Result = RunResult<F>;
  struct Stage {
    std::string name;
    std::vector<ProgramShape> shapes;  // drawn from alike
    bool free_threads = false;
    bool own_target = false;  // made by the crash factory
    std::vector<ProgramShape> sweep =
        {};  // not empty: every other program is one of a sweep over the statements of such a program
  };
  // How many statements in a row of one program the process is killed at, in as many programs of a sweep.
  static constexpr uint64_t kStatementsSwept = 64;
  // Where the target reads the system's clock: the driver waits for a quarter of a second at most.
  static constexpr absl::string_view kVirtualClockAdvice = ", or a clock that need not be waited for (--clock faketime)";

  static std::string BackendText(const TargetInfo& info) {
    return absl::StrCat(info.name, info.version.empty() ? "" : " ", info.version,
                        info.processes > 1 ? absl::StrCat(", ", info.processes, " processes") : "");
  }

  double Seconds() const { return absl::ToDoubleSeconds(absl::Now() - began_); }

  Report GiveUp(const absl::Status& status) {
    report_.verdict = Verdict::kInconclusive;
    report_.reason = std::string(status.message());
    report_.internal_error = absl::IsInternal(status);
    return std::move(report_);
  }

  absl::Status OpenTarget(const TargetFactory<F>& factory) {
    auto target = factory();
    if (!target.ok()) return target.status();
    target_ = *std::move(target);
    const TargetInfo& info = target_->info();
    if (info.faked_clock) {
      if (absl::Status status = ProveClock(*target_); !status.ok()) return status;
    }
    if (info.real_liveness) {
      live_pid_ = static_cast<uint32_t>(getpid());
      live_start_ = OwnProcessStart();
    }
    liveness_ = FixedLiveness(live_pid_, live_start_);
    dialects_ = info.dialects;
    setup_ = {&dialects_, &liveness_};
    runner_ = MakeRunner(&hits_);
    return absl::OkStatus();
  }

  std::unique_ptr<Runner<F>> MakeRunner(ClauseHits* hits) {
    return std::make_unique<Runner<F>>(*target_, setup_, Search(), hits, Time(), clock_error_);
  }

  // The harness' clock; null where the target's is virtual.
  SystemTime* Time() {
    if (target_->info().virtual_clock) return nullptr;
    return options_.system_time != nullptr ? options_.system_time : &machine_time_;
  }

  const LinearizeOptions& Search() {
    search_.memory_bytes = options_.search_memory;
    return search_;
  }

  GeneratorOptions Generation() {
    GeneratorOptions generation;
    generation.faults = options_.faults;
    const TargetInfo& info = target_->info();
    generation.durable = info.durable;
    if (SystemTime* time = Time()) {
      generation.system_now = time->Now();
      generation.clock_error = clock_error_.error;
      generation.clock_backwards = false;
    }
    generation.operations = info.operations;
    generation.dialects = info.dialects;
    generation.live_pid = live_pid_;
    generation.live_process_start = live_start_;
    return generation;
  }

  std::vector<Stage> PlanStages() {
    std::vector<Stage> stages;
    const TargetInfo& info = target_->info();
    if (options_.sequential) {
      ProgramShape shape;
      shape.prefix = options_.program_length;
      ProgramShape small = shape;
      small.prefix = std::max<std::size_t>(4, shape.prefix / 4);
      stages.push_back({"sequential", {shape, shape, small}, false});
    }
    if (options_.concurrent && info.concurrency < 2)
      Note("concurrent", "concurrency: not checked (the backend takes one call at a time)");
    if (options_.concurrent && info.concurrency >= 2) {
      ProgramShape shape;
      shape.prefix = 14;
      shape.clients = std::min(options_.clients, info.concurrency);
      shape.parallel_phases = 2;
      if (info.pausable) {
        ProgramShape deterministic = shape;
        deterministic.deterministic = true;
        stages.push_back({"deterministic", {deterministic}, false});
      }
      shape.parallel_phases = 3;
      shape.branch = 5;
      if (options_.free_threads || !info.pausable) stages.push_back({"concurrent", {shape}, true});
    }
    const bool kills = (info.killable && info.durable) || crash_factory_ != nullptr;
    if (options_.crash && !kills) {
      Note("crash", info.durable ? "crashes: not checked (the process cannot be killed); reopened in the other stages"
                                 : "crashes: not checked (the store is not durable)");
    }
    if (options_.crash && kills) {
      ProgramShape shape;
      shape.prefix = 10;
      shape.clients = std::max(2, std::min(options_.clients, info.concurrency));
      shape.branch = 4;
      shape.parallel_phases = 2;
      shape.crash = true;
      shape.processes = static_cast<uint64_t>(info.processes);
      ProgramShape sweep = shape;
      sweep.prefix = 16;
      sweep.parallel_phases = 1;
      sweep.crash = false;
      std::vector<ProgramShape> shapes = {shape};
      if (info.pausable && crash_factory_ == nullptr) {
        if (options_.free_threads) shapes.push_back(shape);
        shapes.back().deterministic = true;
      }
      stages.push_back({"crash", std::move(shapes), true, crash_factory_ != nullptr, {sweep}});
    }
    return stages;
  }

  void Note(std::string name, std::string note) {
    StageReport& stage = report_.stages.emplace_back();
    stage.name = std::move(name);
    stage.note = std::move(note);
  }

  bool Ended() const { return !report_.reason.empty() || failures_ >= std::max<uint64_t>(1, options_.max_failures); }

  void RunStage(const Stage& stage, std::size_t stages_left) {
    StageReport counts;
    counts.name = stage.name;
    const double begin = Seconds();
    const double total = absl::ToDoubleSeconds(options_.budget);
    const double end = total > 0 ? begin + (total - begin) / static_cast<double>(stages_left) : 0;
    const uint64_t operations_end =
        options_.operations > 0 ? operations_ + (options_.operations - std::min(operations_, options_.operations)) / stages_left
                                : 0;
    for (uint64_t k = options_.shard; !Ended(); k += options_.shards) {
      if (end > 0 && Seconds() >= end) break;
      if (operations_end > 0 && operations_ >= operations_end) break;
      RunProgram(stage, k, counts);
      Tell(counts, begin);
    }
    counts.seconds = Seconds() - begin;
    if (!target_->info().virtual_clock) {
      counts.note = absl::StrCat("system clock: ", counts.inside, " of ", counts.operations,
                                 " calls had a deadline within the clock's error, where either answer is legal");
    }
    report_.stages.push_back(std::move(counts));
  }

  void Tell(const StageReport& counts, double begin) {
    if (!options_.progress || Seconds() < next_progress_) return;
    next_progress_ = Seconds() + 0.2;
    options_.progress({counts.name, counts.programs, operations_, Seconds(), absl::ToDoubleSeconds(options_.budget)});
    (void)begin;
  }

  void RunProgram(const Stage& stage, uint64_t k, StageReport& counts) {
    // The stages draw from programs of their own.
    const uint64_t seed = options_.seed ^ (std::hash<std::string>()(stage.name) << 8);
    const bool may_sweep = !stage.sweep.empty() && target_->info().kills_at_statement && options_.faults.at_statement > 0;
    const bool sweeps = may_sweep && (k % 2 == 1 || options_.faults.crash == 0);
    // Programs of one sweep are the same up to the statement at which they end.
    const uint64_t place = k / 2;
    Random random = sweeps ? Random::ForProgram(~seed, place / kStatementsSwept) : Random::ForProgram(seed, k);
    ProgramShape shape = random.Pick(sweeps ? stage.sweep : stage.shapes);
    if (sweeps) shape.kill_at_statement = 1 + place % kStatementsSwept;
    GeneratorOptions generation = Generation();
    generation.program = sweeps ? place / kStatementsSwept : k;
    Result run = runner_->Generate(random.Split(), generation, shape);
    Count(run, counts);
    counts.inside += run.inside;
    if (!run.status.ok()) {
      TargetTrouble(stage.name, k, std::move(run));
    } else if (run.violation.has_value()) {
      Broken(stage.name, k, std::move(run));
    } else if (!run.undecided.empty()) {
      ++counts.undecided;
    }
  }

  void Count(const Result& run, StageReport& counts) {
    ++counts.programs;
    const auto& calls = run.history.calls;
    const bool crashed =
        std::any_of(calls.begin(), calls.end(), [](const auto& c) { return std::holds_alternative<Crash>(c.action); });
    counts.kills_at_statement += KillsAtStatements(calls);
    EpochMs clock = run.history.start;
    Instant latest = -1;  // return so far, to see overlap in one pass over calls in the order of their beginning
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const CallRecord<F>& call = calls[i];
      if (const auto* crash = std::get_if<Crash>(&call.action)) counts.crashes += crash->at_statement == 0 ? 1 : 0;
      if (std::holds_alternative<Reopen>(call.action)) ++counts.reopens;
      CountClock(call, &clock, counts);
      const RequestOf<F>* request = RequestIf<F>(call.action);
      if (request == nullptr) continue;
      ++counts.operations;
      ++operations_;
      answers_.Add(*request, call.outcome);
      if (call.loss == Loss::kAnswer) ++counts.lost_responses;
      if (call.loss == Loss::kOutcome || call.loss == Loss::kRequest) ++counts.unknown_outcomes;
      if (call.fault_took) ++counts.held;
      if (std::holds_alternative<Unsupported>(call.outcome)) ++counts.unsupported;
      const auto* indefinite = std::get_if<Indefinite>(&call.outcome);
      if (indefinite != nullptr && !crashed && call.returned == kNeverReturned) {
        ++counts.indefinite;
        last_indefinite_ = indefinite->detail;
      }
      const bool next_overlaps = i + 1 < calls.size() && calls[i + 1].called < call.returned;
      if (call.called < latest || next_overlaps) ++counts.overlapping;
      latest = std::max(latest, call.returned);
    }
  }

  static void CountClock(const CallRecord<F>& call, EpochMs* clock, StageReport& counts) {
    constexpr DurationMs kFar = 1'000'000;  // beyond most leases
    const auto* moved = std::get_if<SetClock>(&call.action);
    const bool stalled = std::holds_alternative<Stall>(call.action) || moved != nullptr;
    if (stalled && call.fault_took) ++counts.stalled;
    if (moved == nullptr || call.window.has_value()) return;  // a wait moves nobody's clock
    if (moved->now < *clock) ++counts.clock_back;
    if (moved->now > *clock && moved->now - *clock >= kFar) ++counts.clock_far;
    *clock = moved->now;
  }

  // How often the process did die at the statement it was told: the driver reopened it without having killed it.
  static uint64_t KillsAtStatements(const std::vector<CallRecord<F>>& calls) {
    uint64_t kills = 0;
    bool told = false;
    for (const CallRecord<F>& call : calls) {
      if (const auto* crash = std::get_if<Crash>(&call.action)) told = crash->at_statement != 0;
      if (!told || !std::holds_alternative<Reopen>(call.action) || call.client >= 0) continue;
      ++kills;
      told = false;
    }
    return kills;
  }

  // The target died, hung or broke the protocol.
  void TargetTrouble(const std::string& stage, uint64_t k, Result run) {
    const std::string why(run.status.message());
    if (absl::IsUnavailable(run.status) || absl::IsDeadlineExceeded(run.status)) {
      FailureReport failure;
      failure.stage = stage;
      failure.clause = std::string(kForeignAnswerClause);
      failure.sentence = "A backend answers every legal contract call, and in time.";
      failure.program = k;
      failure.operations = operations_;
      failure.got = why;
      failure.expected = "an answer";
      failure.calls = run.history.calls.size();
      if (!run.history.calls.empty()) failure.call = CallText(run.history.calls.back());
      WriteTrace(run, k, failure);
      broken_.insert(failure.clause);
      report_.failures.push_back(std::move(failure));
      report_.verdict = Verdict::kDoesNotConform;
      report_.reason = why;
      target_failed_ = true;
    } else {
      report_.verdict = Verdict::kInconclusive;
      report_.reason = why;
      report_.internal_error = absl::IsInternal(run.status);
    }
  }

  bool InScope(const std::string& clause) const {
    const auto names = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), clause) != list.end();
    };
    return (options_.only.empty() || names(options_.only)) && !names(options_.skip);
  }

  void Broken(const std::string& stage, uint64_t k, Result run) {
    const std::string clause = run.violation->clause;
    if (!InScope(clause) || broken_.contains(clause) || known_seen_.contains(clause)) return;
    const bool known = options_.known_deviations.contains(clause);
    std::string note;
    shrink_ = Shrinking();
    const double begin = Seconds();
    if (options_.shrink) run = Shrunk(std::move(run), k, note);
    shrink_.seconds = Seconds() - begin;
    (known ? known_seen_ : broken_).insert({clause, run.violation->clause});
    failures_ += known ? 0 : 1;
    report_.failures.push_back(Describe(stage, k, run, known, std::move(note)));
  }

  // Whether a smaller program that breaks `clause` may stand for one that was found to break `found`. A slip often shows late, by
  // whatever call meets the wrong state first; the smallest program that breaks the contract at all names its cause best. But
  // what was reported before, or may be broken, or is out of scope says nothing new.
  bool StandsFor(const std::string& clause, const std::string& found) const {
    return clause == found || (InScope(clause) && !broken_.contains(clause) && !options_.known_deviations.contains(found) &&
                               !options_.known_deviations.contains(clause));
  }

  FailureReport Describe(const std::string& stage, uint64_t k, const Result& run, bool known, std::string note) {
    const Violation& violation = *run.violation;
    FailureReport failure;
    failure.stage = stage;
    failure.clause = violation.clause;
    failure.sentence = violation.sentence;
    failure.state_before = violation.state_before;
    failure.expected = violation.expected;
    const CallRecord<F>& call = run.history.calls[violation.call];
    failure.call = CallText(call);
    failure.got = AnswerText(call);
    failure.program = k;
    failure.operations = operations_;
    for (const CallRecord<F>& record : run.history.calls) failure.calls += RequestIf<F>(record.action) != nullptr ? 1 : 0;
    failure.known_deviation = known;
    failure.note = std::move(note);
    failure.shrink_seconds = shrink_.seconds;
    failure.replays = shrink_.replays;
    failure.replayed = shrink_.replayed;
    WriteTrace(run, k, failure);
    return failure;
  }

  static std::string CallText(const CallRecord<F>& call) {
    const RequestOf<F>* request = RequestIf<F>(call.action);
    if (request == nullptr) return "(not a contract call)";
    return absl::StrCat(OperationName<F>(request->index()), " ", codec::EncodeRequest<F>(*request).dump());
  }
  static std::string AnswerText(const CallRecord<F>& call) {
    if (const auto* response = std::get_if<0>(&call.outcome)) return codec::EncodeResponse<F>(*response).dump();
    if (const auto* error = std::get_if<1>(&call.outcome)) return codec::EncodeError<F>(*error).dump();
    if (const auto* foreign = std::get_if<ForeignError>(&call.outcome)) return foreign->detail;
    if (std::holds_alternative<Indefinite>(call.outcome)) return "indefinite: it may have happened";
    return "unsupported";
  }

  void WriteTrace(const Result& run, uint64_t k, FailureReport& failure) {
    TraceDetails<F> details;
    details.clause = failure.clause;
    details.comments = {failure.sentence};
    details.origin = TraceOrigin{options_.seed, k};
    details.schedules = run.schedules;
    details.history = &run.history;
    failure.trace = PrintTrace(ProgramToTrace(run.program, PropertiesOf<F>::Conversions(), details));
    failure.replay = options_.replay_command_for_seed;
    if (options_.out.empty()) return;
    std::error_code error;
    std::filesystem::create_directories(options_.out, error);
    const std::string path =
        absl::StrCat(options_.out, "/", failure.clause, "-", failure.stage, "-", options_.seed, "-", k, ".trace");
    std::ofstream file(path);
    file << failure.trace;
    if (!file.flush()) return;
    failure.file = path;
    if (!options_.replay_command.empty()) failure.replay = absl::StrCat(options_.replay_command, " ", path);
  }

  // Shrinks by the recorded schedule where there is one and by a few others where the store can pause; else, as of other
  // processes, by the recorded order of calls and answers.
  Result Shrunk(Result run, uint64_t k, std::string& note) {
    const std::string clause = run.violation->clause;
    bool parallel = false;
    bool scheduled = true;
    for (std::size_t i = 0; i < run.program.phases.size(); ++i) {
      if (run.program.phases[i].clients.size() < 2) continue;
      parallel = true;
      scheduled &= i < run.schedules.size() && run.schedules[i].switches();
    }
    const bool pausable = target_->info().pausable;
    Random random = Random::ForProgram(options_.seed + 1, k);
    int replays = 0;
    const auto still = [&](const Program<F>& program, const std::vector<Schedule>& schedules) -> std::optional<Result> {
      const int others = !parallel ? 0 : pausable ? 12 : 10;
      for (int attempt = 0; attempt <= others; ++attempt) {
        std::function<Chooser()> chooser;
        if (attempt > 0 && pausable) chooser = [&random] { return RandomSwitches(random.Split()); };
        ++replays;
        Runner<F> runner(*target_, setup_, search_, nullptr, Time(), clock_error_);
        // Free threads: in the order of calls and answers that broke it, and now and then as it may come.
        Result again = runner.Replay(program, attempt % 3 == 2 && !pausable ? std::vector<Schedule>() : schedules, chooser);
        if (!again.status.ok()) return std::nullopt;
        if (again.violation.has_value() && StandsFor(again.violation->clause, clause)) return again;
      }
      return std::nullopt;
    };
    // A failure of free threads is first looked for under the scheduler, where it can be replayed exactly.
    if (parallel && !scheduled && pausable) {
      for (int attempt = 0; attempt < 300; ++attempt) {
        Runner<F> runner(*target_, setup_, search_, nullptr, Time(), clock_error_);
        Result again = runner.Replay(run.program, {}, [&random] { return RandomSwitches(random.Split()); });
        if (!again.violation.has_value() || !StandsFor(again.violation->clause, clause)) continue;
        run = std::move(again);
        scheduled = true;
        break;
      }
    }
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    Shrinker<F> shrinker(still, 4000, [deadline] { return absl::Now() > deadline; });
    Result shrunk = shrinker.Shrink(std::move(run));
    const auto add = [&note](absl::string_view text) { absl::StrAppend(&note, note.empty() ? "" : "; ", text); };
    if (shrunk.violation->clause != clause) add(absl::StrCat("it was first seen as a breach of ", clause));
    if (!shrinker.minimal()) add("not minimal: the budget for shrinking ended");
    if (parallel) add(ReplayRate(shrunk, shrunk.violation->clause));
    return shrunk;
  }

  static Chooser RandomSwitches(Random random) {
    return [random](int current, absl::Span<const int> runnable) mutable {
      const bool stays = !random.OneIn(3) && std::find(runnable.begin(), runnable.end(), current) != runnable.end();
      return stays ? current : random.Pick(runnable);
    };
  }

  std::string ReplayRate(const Result& run, const std::string& clause) {
    const bool exact = target_->info().pausable;
    const int runs = exact ? 10 : 20;
    int again = 0;
    for (int i = 0; i < runs; ++i) {
      Runner<F> runner(*target_, setup_, search_, nullptr, Time(), clock_error_);
      const Result replayed = runner.Replay(run.program, run.schedules);
      again += replayed.violation.has_value() && replayed.violation->clause == clause ? 1 : 0;
    }
    shrink_.replays = static_cast<uint64_t>(runs);
    shrink_.replayed = static_cast<uint64_t>(again);
    return absl::StrCat("replayed in ", again, " of ", runs, " runs",
                        exact ? "" : ", each with the recorded order of calls and answers");
  }

  // Failures found earlier, from the folder of --out.
  void RunEarlierFailures() {
    if (options_.out.empty() || !std::filesystem::is_directory(options_.out)) return;
    std::vector<TraceFile> traces;
    for (const auto& entry : std::filesystem::directory_iterator(options_.out)) {
      if (entry.path().extension() != ".trace") continue;
      std::ifstream file(entry.path());
      traces.push_back({entry.path().string(), std::string(std::istreambuf_iterator<char>(file), {})});
    }
    if (traces.empty()) return;
    std::sort(traces.begin(), traces.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    StageReport stage;
    stage.name = "earlier failures";
    for (const TraceFile& trace : traces) {
      auto family = TraceFamily(trace.text, trace.name);
      if (family.ok() && *family == F::kName) PlayOne(trace, stage);
    }
    stage.seconds = Seconds();
    report_.stages.push_back(std::move(stage));
  }

  // False: the rest of the traces cannot be played.
  bool PlayOne(const TraceFile& file, StageReport& stage) {
    auto trace = ParseTrace<F>(file.text, file.name, PropertiesOf<F>::Conversions());
    if (!trace.ok()) {
      report_.verdict = Verdict::kInconclusive;
      report_.reason = std::string(trace.status().message());
      bad_trace_ = true;
      return false;
    }
    Result run = runner_->Replay(trace->program, trace->schedules);
    Count(run, stage);
    if (!run.status.ok()) {
      TargetTrouble(stage.name, 0, std::move(run));
      return false;
    }
    if (run.violation.has_value()) {
      broken_.insert(run.violation->clause);
      ++failures_;
      FailureReport failure = Describe(stage.name, trace->origin.has_value() ? trace->origin->program : 0, run, false, "");
      failure.file = file.name;
      report_.failures.push_back(std::move(failure));
    } else if (!run.undecided.empty()) {
      ++stage.undecided;
    } else {
      for (const Mismatch& mismatch : MatchExpectations<F>(*trace, run.history, target_->info().reference)) {
        FailureReport failure;
        failure.stage = stage.name;
        failure.clause = trace->clause;
        failure.sentence = "The answer is one that the trace expects.";
        failure.call = mismatch.command;
        failure.expected = mismatch.expected;
        failure.got = mismatch.got;
        failure.file = file.name;
        report_.failures.push_back(std::move(failure));
        break;
      }
    }
    return true;
  }

  void FillClauses() {
    const auto clauses = Spec<F>::Clauses();
    for (std::size_t i = 0; i < clauses.size(); ++i) {
      const ClauseInfo& info = clauses[i];
      ClauseReport& clause = report_.clauses.emplace_back();
      clause.id = std::string(info.id);
      clause.sentence = std::string(info.sentence);
      clause.held = hits_.held(i);
      clause.refused = hits_.refused(i);
      clause.reason = std::string(info.reason);
      static constexpr const char* kCheckers[] = {"spec", "scan", "probe", "nobody"};
      clause.checked_by = kCheckers[static_cast<int>(info.checked_by)];
      clause.status = StatusOf(info, clause);
      const absl::string_view not_applicable = NotApplicable(static_cast<ClauseIndex>(i));
      if (not_applicable.empty() || clause.status != ClauseReport::Status::kMissing) continue;
      clause.status = ClauseReport::Status::kListed;
      clause.reason = std::string(not_applicable);
    }
  }

  // Why what the backend declared takes the clause out of what it has to show; "" where it does not.
  absl::string_view NotApplicable(ClauseIndex clause) const {
    if constexpr (requires(const Dialects& dialects) { Spec<F>::NotApplicable(clause, dialects); }) {
      if (target_ != nullptr) return Spec<F>::NotApplicable(clause, target_->info().dialects);
    }
    return "";
  }

  ClauseReport::Status StatusOf(const ClauseInfo& info, const ClauseReport& clause) const {
    if (broken_.contains(clause.id)) return ClauseReport::Status::kBroken;
    if (known_seen_.contains(clause.id)) return ClauseReport::Status::kExpectedly;
    if (!InScope(clause.id)) return ClauseReport::Status::kSkipped;
    if (info.checked_by == CheckedBy::kNobody) return ClauseReport::Status::kListed;
    if (info.warns && clause.held > 0) return ClauseReport::Status::kWarned;
    const bool missing = (info.expects_held && clause.held == 0) || (info.expects_refused && clause.refused == 0);
    if (!missing) return ClauseReport::Status::kExercised;
    // A reason says which conforming stores never show the clause.
    return info.reason.empty() ? ClauseReport::Status::kMissing : ClauseReport::Status::kListed;
  }

  // The operations that the backend declared it lacks.
  std::vector<std::string> NotOffered() const {
    std::vector<std::string> names;
    if (target_ == nullptr) return names;
    const std::vector<bool>& offered = target_->info().operations;
    for (std::size_t i = 0; i < offered.size(); ++i) {
      if (!offered[i]) names.emplace_back(OperationName<F>(i));
    }
    return names;
  }

  void Conclude() {
    if (!report_.reason.empty()) return;
    if (!broken_.empty()) {
      report_.verdict = Verdict::kDoesNotConform;
      report_.reason = absl::StrCat("it broke ", absl::StrJoin(broken_, ", "));
      return;
    }
    std::vector<std::string> missing, skipped, unexpected_passes;
    for (const ClauseReport& clause : report_.clauses) {
      if (clause.status == ClauseReport::Status::kMissing) missing.push_back(clause.id);
      if (clause.status == ClauseReport::Status::kSkipped) skipped.push_back(clause.id);
    }
    for (const auto& [clause, reason] : options_.known_deviations) {
      if (!known_seen_.contains(clause)) unexpected_passes.push_back(clause);
    }
    uint64_t undecided = 0, indefinite = 0, unsupported = 0, operations = 0, inside = 0;
    for (const StageReport& stage : report_.stages) {
      undecided += stage.undecided;
      indefinite += stage.indefinite;
      unsupported += stage.unsupported;
      inside += stage.inside;
      operations += stage.operations;
    }
    if (!unexpected_passes.empty()) {
      report_.verdict = Verdict::kDoesNotConform;
      report_.reason = absl::StrCat("listed as known deviations, but they held: ", absl::StrJoin(unexpected_passes, ", "));
    } else if (operations == 0) {
      report_.reason = "nothing was checked";
    } else if (const std::vector<std::string> lacking = NotOffered(); !lacking.empty() && unsupported + missing.size() > 0) {
      report_.reason = absl::StrCat("the backend does not offer ", absl::StrJoin(lacking, ", "),
                                    "; not exercised in this run: ", absl::StrJoin(missing, ", "));
    } else if (unsupported > 0) {
      report_.reason = "the backend does not support every operation";
    } else if (indefinite * 100 > operations) {
      report_.reason = absl::StrCat(indefinite, " of ", operations, " answers were indefinite; more than 1 % proves too little",
                                    last_indefinite_.empty() ? "" : ". The last says: ", last_indefinite_);
    } else if (static_cast<double>(inside) > options_.inside_limit * static_cast<double>(operations)) {
      report_.reason =
          absl::StrCat(inside, " of ", operations, " calls had a deadline within the clock's error; that proves too little");
    } else if (!skipped.empty()) {
      report_.reason = absl::StrCat(skipped.size(), " clauses were taken out of scope");
    } else if (!missing.empty()) {
      report_.reason = absl::StrCat("not exercised in this run: ", absl::StrJoin(missing, ", "), "; give it a larger budget",
                                    target_->info().virtual_clock ? "" : kVirtualClockAdvice);
    } else if (undecided > 0) {
      report_.reason = absl::StrCat(undecided, " programs could not be decided within the search's memory");
    } else {
      report_.verdict = Verdict::kConforms;
    }
  }

  const TargetFactory<F>& factory_;
  const TargetFactory<F>* const crash_factory_;
  CheckOptions options_;
  const ClockError clock_error_;
  MachineTime machine_time_;
  absl::Time began_;
  double next_progress_ = 0;
  Report report_;
  std::unique_ptr<Target<F>> target_;
  uint32_t live_pid_ = 1;
  std::string live_start_ = "1";
  FixedLiveness liveness_;
  Dialects dialects_;
  SpecSetup setup_;
  LinearizeOptions search_;
  ClauseHits hits_;
  AnswerCounts<F> answers_;
  std::unique_ptr<Runner<F>> runner_;
  struct Shrinking {
    double seconds = 0;
    uint64_t replays = 0;
    uint64_t replayed = 0;
  } shrink_;                     // of the last failure
  std::string last_indefinite_;  // what the last such answer said
  uint64_t operations_ = 0;
  std::set<std::string> broken_;
  uint64_t failures_ = 0;  // reported, those not counted that are known deviations
  std::set<std::string> known_seen_;
  bool target_failed_ = false;
  bool bad_trace_ = false;
};

}  // namespace leasecheck::engine

namespace leasecheck {

template <class F>
Report Check(const TargetFactory<F>& factory, const CheckOptions& options) {
  return engine::Checker<F>(factory, nullptr, options).Run();
}

template <class F>
Report Check(const TargetFactory<F>& factory, const TargetFactory<F>& crash_factory, const CheckOptions& options) {
  return engine::Checker<F>(factory, &crash_factory, options).Run();
}

template <class F>
Report ReplayTraces(const TargetFactory<F>& factory, const std::vector<TraceFile>& traces, const CheckOptions& options) {
  return engine::Checker<F>(factory, nullptr, options).RunTraces(traces);
}

}  // namespace leasecheck

#endif  // LEASECHECK_PROPERTIES_ENGINE_CHECK_IMPL_H_
