// The runner: makes and runs one program on a target and judges it on the way; or runs a given one again.
#ifndef LEASECHECK_PROPERTIES_ENGINE_RUNNER_H_
#define LEASECHECK_PROPERTIES_ENGINE_RUNNER_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "model/spec.h"
#include "model/target.h"
#include "properties/engine/driver.h"
#include "properties/engine/generator.h"
#include "properties/engine/instants.h"
#include "properties/engine/judge.h"

namespace leasecheck::engine {

// What came of one program.
template <class F>
struct RunResult {
  absl::Status status;                 // not OK: the target failed in a way that is no answer
  std::optional<Violation> violation;  // its `call` is a position in `history`
  std::string undecided;               // why the search gave up; "" where it did not
  Program<F> program;                  // as far as it was made
  std::vector<Schedule> schedules;     // a phase each; empty where it had one client
  History<F> history;
  uint64_t inside = 0;  // calls with a deadline inside their window: either answer would have been legal
};

// The form of a generated program.
struct ProgramShape {
  std::size_t prefix = 60;  // commands of the sequential phase at the beginning
  int clients = 0;          // of each parallel phase; below 2: there are none
  int parallel_phases = 1;
  std::size_t branch = 3;      // commands of each client, at most
  bool deterministic = false;  // switch by the scheduler instead of running freely
  bool crash = false;          // kill the target's process in the parallel phases
  uint64_t processes = 1;      // of the target: each other crash is of one of them
  // Not 0: the process is told, after `prefix` / 2 commands at the latest, to kill itself before this statement.
  uint64_t kill_at_statement = 0;
};

// Uses one target for one program after the other. Everything given is borrowed. Not thread-safe.
template <class F>
class Runner {
 public:
  // `time` and `error` are as the driver has them.
  Runner(Target<F>& target, const SpecSetup& setup, const LinearizeOptions& search, ClauseHits* hits, SystemTime* time = nullptr,
         ClockError error = {})
      : driver_(target, PropertiesOf<F>::Conversions(), time, error),
        setup_(setup),
        search_(search),
        hits_(hits),
        judge_(setup, hits),
        system_clock_(time != nullptr) {}

  // Makes a program from `random` alone and runs it.
  RunResult<F> Generate(Random random, const GeneratorOptions& options, const ProgramShape& shape) {
    Begin();
    std::unique_ptr<Generator<F>> generator = PropertiesOf<F>::NewGenerator(random.Split(), options);
    generator_ = generator.get();
    run_.program.start = generator->Start();
    if (Reset(run_.program.start)) {
      GeneratePrefix(random, shape);
      for (int i = 0; shape.clients >= 2 && i < shape.parallel_phases && Going(); ++i) GenerateParallel(random, shape);
      GenerateEpilogue();
    }
    generator_ = nullptr;
    return Finish();
  }

  // Runs a program again: phases by their schedules, those without one freely. `chooser` (may be empty) makes the choosers of the
  // phases instead of the schedules.
  RunResult<F> Replay(const Program<F>& program, const std::vector<Schedule>& schedules,
                      const std::function<Chooser()>& chooser = {}) {
    Begin();
    run_.program = program;
    if (Reset(program.start)) {
      for (std::size_t i = 0; i < program.phases.size() && Going(); ++i) {
        const Phase<F>& phase = program.phases[i];
        if (phase.clients.size() == 1) {
          for (const Command<F>& command : phase.clients[0]) {
            if (Going()) RunOne(command);
          }
          driver_.EndPhase();
          run_.schedules.emplace_back();
        } else if (chooser) {
          RunParallel(phase, chooser());
        } else if (i < schedules.size() && schedules[i].switches()) {
          RunParallel(phase, ReplayChooser(schedules[i]));
        } else if (i < schedules.size()) {
          RunParallel(phase, nullptr, &schedules[i]);
        } else {
          RunParallel(phase, nullptr);
        }
      }
    }
    return Finish();
  }

 private:
  static constexpr std::size_t kUsualEpilogue = 32;

  void Begin() { run_ = RunResult<F>(); }
  bool Reset(EpochMs start) {
    run_.status = driver_.Begin(start);
    // Under the system's clock the first call says where time begins.
    judge_.Begin(system_clock_ ? 0 : start);
    inside_before_ = judge_.inside();
    judged_ = 0;
    ended_ = false;
    return run_.status.ok();
  }
  EpochMs Now() const { return std::max(judge_.now(), system_clock_ ? run_.program.start : 0); }
  bool Going() const { return run_.status.ok() && !run_.violation.has_value() && run_.undecided.empty() && !ended_; }

  RunResult<F> Finish() {
    run_.history = driver_.TakeHistory();
    run_.inside = judge_.inside() - inside_before_;
    if (run_.status.ok()) ScanHistory();
    if (run_.violation.has_value()) BlameTheClock();
    return std::move(run_);
  }

  void ScanHistory() {
    std::vector<Finding> findings = PropertiesOf<F>::Scan(run_.history, setup_, hits_);
    if (findings.empty()) return;
    // A scan's clause says more than the spec's: it is about what is seen, not about a state.
    Finding& finding = findings.front();
    Violation violation{finding.clause, SentenceOf<F>(finding.clause), finding.call, std::move(finding.explanation), ""};
    if (run_.violation.has_value()) {
      if (run_.history.calls[run_.violation->call].phase == run_.history.calls[violation.call].phase) {
        violation.state_before = run_.violation->state_before;
      }
      absl::StrAppend(&violation.expected, "\nThe spec refuses call ", run_.violation->call, " by ", run_.violation->clause, ": ",
                      run_.violation->expected);
    }
    run_.violation = std::move(violation);
  }

  // A clock that is off by more than was declared makes every answer about time look wrong: so it is asked what it reads now, and
  // often, because some answers of one that is off by little more are within their windows.
  void BlameTheClock() {
    constexpr int kProbes = 20;
    for (int i = 0; i < kProbes && system_clock_ && run_.status.ok(); ++i) {
      CallRecord<F> asked;
      for (RequestOf<F>& before : BeforeClockProbe<F>()) {
        if (run_.status.ok()) run_.status = driver_.RunAside(std::move(before), &asked);
      }
      if (run_.status.ok()) run_.status = driver_.RunAside(RequestOf<F>(PropertiesOf<F>::ClockProbe()), &asked);
      if (!run_.status.ok() || !ReportsOutsideItsWindow(asked)) continue;
      const EpochMs reported = *Spec<F>::ReportedInstant(*RequestIf<F>(asked.action), asked.outcome);
      run_.status = absl::FailedPreconditionError(
          absl::StrCat("the backend's clock read ", reported, " while the harness' read ", asked.window->earliest, " to ",
                       asked.window->latest, ", the declared error included; set the clocks, or declare a larger --clock-error"));
      run_.violation.reset();
    }
  }

  void GeneratePrefix(Random& random, const ProgramShape& shape) {
    AddSequentialPhase(shape.prefix);
    const std::size_t tell_at = shape.kill_at_statement == 0 ? shape.prefix : random.Below(shape.prefix / 2 + 1);
    for (std::size_t i = 0; i < shape.prefix && Going(); ++i) {
      if (i == tell_at) {
        Command<F> kill;
        kill.action = Crash{.at_statement = shape.kill_at_statement, .process = OneProcess(random, shape)};
        AddAndRun(std::move(kill));
      }
      AddAndRun(generator_->Next(judge_.state(), Now()));
    }
    driver_.EndPhase();
  }

  void GenerateEpilogue() {
    if (!Going()) return;
    AddSequentialPhase(kUsualEpilogue);
    while (Going()) {
      auto command = generator_->NextInEpilogue(judge_.state(), Now());
      if (!command.has_value()) break;
      AddAndRun(*std::move(command));
    }
    driver_.EndPhase();
  }

  void GenerateParallel(Random& random, const ProgramShape& shape) {
    Phase<F> phase;
    for (int client = 0; client < shape.clients; ++client) {
      auto& commands = phase.clients.emplace_back();
      const std::size_t length = 1 + random.Below(shape.branch);
      for (std::size_t i = 0; i < length; ++i) {
        commands.push_back(generator_->NextInBranch(client, judge_.state(), Now()));
      }
    }
    if (shape.crash && random.Percent(70)) {
      Command<F> crash;
      crash.action = Crash{.after_calls = 1 + random.Below(shape.clients * shape.branch),
                           .process = shape.processes > 1 && random.OneIn(2) ? OneProcess(random, shape) : std::nullopt};
      phase.clients.push_back({crash});
    }
    run_.program.phases.push_back(phase);
    RunParallel(phase, shape.deterministic ? RandomChooser(random) : nullptr);
  }

  static std::optional<uint64_t> OneProcess(Random& random, const ProgramShape& shape) {
    if (shape.processes == 1) return std::nullopt;
    return random.Below(shape.processes);
  }

  // Runs on mostly, switches one time in three.
  static Chooser RandomChooser(Random& random) {
    return [own = random.Split()](int current, absl::Span<const int> runnable) mutable {
      const bool stays = !own.OneIn(3) && std::find(runnable.begin(), runnable.end(), current) != runnable.end();
      return stays ? current : own.Pick(runnable);
    };
  }

  // Of about so many commands, which are big: growing would move each several times.
  void AddSequentialPhase(std::size_t commands) {
    run_.program.phases.emplace_back().clients.emplace_back().reserve(commands);
    run_.schedules.emplace_back();
  }

  void AddAndRun(Command<F> command) {
    RunOne(command);
    run_.program.phases.back().clients[0].push_back(std::move(command));
  }

  void RunOne(const Command<F>& command) {
    run_.status = driver_.Run(command);
    const auto& calls = driver_.history().calls;
    for (; judged_ < calls.size() && run_.status.ok() && !run_.violation.has_value(); ++judged_) {
      run_.violation = judge_.JudgeCall(calls[judged_], judged_);
      if (generator_ != nullptr) generator_->Observe(calls[judged_]);
      ended_ |= StaysOpen(calls, judged_) || judge_.width() > kWidestJudgement;
    }
  }

  // `order`, of free threads, may be null.
  void RunParallel(const Phase<F>& phase, Chooser chooser, const Schedule* order = nullptr) {
    Schedule recorded;
    if (chooser) {
      run_.status = driver_.RunPhase(phase, std::move(chooser), &recorded);
    } else {
      run_.status = driver_.RunPhase(phase, order);
      recorded = OrderOfCalls(absl::MakeConstSpan(driver_.history().calls).subspan(judged_));
    }
    run_.schedules.push_back(std::move(recorded));
    if (!run_.status.ok()) return;
    const auto& calls = driver_.history().calls;
    const auto in_phase = absl::MakeConstSpan(calls).subspan(judged_);
    const Verdict verdict = judge_.JudgePhase(in_phase, judged_, search_, &run_.violation);
    if (verdict == Verdict::kUnknown) run_.undecided = judge_.undecided();
    // Of a phase with an unseen call that may have read any of too many instants only a part was tried: none of these need fit.
    const bool unclear = absl::c_any_of(in_phase, [](const CallRecord<F>& call) { return IsUnclear(call); });
    if (unclear && run_.violation.has_value() && run_.violation->clause != kForeignAnswerClause) run_.violation.reset();
    for (; judged_ < calls.size(); ++judged_) {
      if (generator_ != nullptr) generator_->Observe(calls[judged_]);
      ended_ |= StaysOpen(calls, judged_);
    }
  }

  // Who began or ended a command, one after the other. One that never ended has its end where its phase has.
  static Schedule OrderOfCalls(absl::Span<const CallRecord<F>> calls) {
    std::vector<std::pair<Instant, int>> events;
    for (const CallRecord<F>& call : calls) {
      if (call.client < 0) continue;
      events.emplace_back(call.called, call.client);
      events.emplace_back(call.returned, call.client);
    }
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    Schedule order;
    order.of_calls = true;
    for (const auto& [instant, client] : events) order.push_back(client);
    return order;
  }

  // An unseen call whose clock may have read any of too many instants: nobody knows when its lease ends.
  static bool IsUnclear(const CallRecord<F>& call) {
    return std::holds_alternative<RequestOf<F>>(call.action) && std::holds_alternative<Indefinite>(call.outcome) &&
           call.window.has_value() && call.window->latest - call.window->earliest > kWidestUnseen;
  }

  // A call that may still take effect: nothing after it can be judged. One that a crash interrupted cannot, once reopened.
  bool StaysOpen(const std::vector<CallRecord<F>>& calls, std::size_t index) const {
    const bool indefinite =
        std::holds_alternative<RequestOf<F>>(calls[index].action) && std::holds_alternative<Indefinite>(calls[index].outcome);
    if (!indefinite) return false;
    if (IsUnclear(calls[index])) return true;
    if (calls[index].loss == Loss::kRequest || calls[index].returned != kNeverReturned) return false;
    for (std::size_t i = index + 1; i < calls.size(); ++i) {
      if (std::holds_alternative<Reopen>(calls[i].action)) return false;
    }
    return true;
  }

  // A program ends early when its unseen answers allow so many states: each call would be judged in all of them.
  static constexpr std::size_t kWidestJudgement = 4096;

  Driver<F> driver_;
  SpecSetup setup_;
  const LinearizeOptions& search_;
  ClauseHits* hits_;
  Judge<F> judge_;
  const bool system_clock_;
  Generator<F>* generator_ = nullptr;  // of the program that is being made
  RunResult<F> run_;
  std::size_t judged_ = 0;
  uint64_t inside_before_ = 0;
  bool ended_ = false;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_RUNNER_H_
