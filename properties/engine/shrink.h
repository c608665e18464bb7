// Shrinking: the smallest program that still breaks the contract.
//
// Delta debugging over faults, clients, commands, time and values, in this order, each candidate run again. What counts as "still
// breaks it" is the caller's: by which clauses, and by the recorded schedule, by a few schedules, or in one of several free runs.
#ifndef LEASECHECK_PROPERTIES_ENGINE_SHRINK_H_
#define LEASECHECK_PROPERTIES_ENGINE_SHRINK_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "properties/engine/program.h"
#include "properties/engine/runner.h"
#include "properties/engine/simplify.h"

namespace leasecheck::engine {

// Runs a candidate; the run that breaks it, or nullopt.
template <class F>
using StillBreaks = std::function<std::optional<RunResult<F>>(const Program<F>& program, const std::vector<Schedule>& schedules)>;

template <class F>
class Shrinker {
 public:
  // At most `max_runs` candidates are run; `out_of_time` (may be empty) ends it earlier.
  Shrinker(StillBreaks<F> still_breaks, int max_runs, std::function<bool()> out_of_time)
      : still_breaks_(std::move(still_breaks)), runs_left_(max_runs), out_of_time_(std::move(out_of_time)) {}

  RunResult<F> Shrink(RunResult<F> broken) {
    best_ = std::move(broken);
    TrimAfterViolation();
    Remove();
    // A simpler value may need less before it: a call that no longer goes through a tenant's view needs no tenant.
    std::size_t before = 0;
    do {
      before = CommandCount(best_.program);
      SimplifyValues();
      Remove();
    } while (CommandCount(best_.program) < before && !Spent());
    return std::move(best_);
  }

  // Whether it ended because nothing smaller breaks it.
  bool minimal() const { return !Spent(); }

 private:
  bool Spent() const { return runs_left_ <= 0 || (out_of_time_ && out_of_time_()); }

  bool Try(Program<F> program) { return Try(std::move(program), best_.schedules); }
  bool Try(Program<F> program, std::vector<Schedule> schedules) {
    if (Spent()) return false;
    --runs_left_;
    schedules.resize(program.phases.size());
    std::optional<RunResult<F>> run = still_breaks_(program, schedules);
    if (!run.has_value()) return false;
    best_ = *std::move(run);
    return true;
  }

  // Until nothing can go.
  void Remove() {
    std::size_t before = 0;
    do {
      before = CommandCount(best_.program);
      RemovePhases();
      RemoveClients();
      RemoveCommands();
      JoinSequentialPhases();
    } while (CommandCount(best_.program) < before && !Spent());
  }

  // What was never run cannot matter.
  void TrimAfterViolation() {
    Program<F> program = best_.program;
    const int last = best_.history.calls[best_.violation->call].phase;
    if (static_cast<std::size_t>(last) + 1 < program.phases.size()) program.phases.resize(last + 1);
    Try(std::move(program));
  }

  void RemovePhases() {
    for (std::size_t i = best_.program.phases.size(); i-- > 0;) {
      if (i >= best_.program.phases.size()) continue;
      Program<F> program = best_.program;
      program.phases.erase(program.phases.begin() + i);
      std::vector<Schedule> schedules = best_.schedules;
      if (i < schedules.size()) schedules.erase(schedules.begin() + static_cast<std::ptrdiff_t>(i));
      Try(std::move(program), std::move(schedules));
    }
  }

  void RemoveClients() {
    for (std::size_t p = 0; p < best_.program.phases.size(); ++p) {
      for (std::size_t c = best_.program.phases[p].clients.size(); c-- > 0;) {
        if (best_.program.phases[p].clients.size() < 2 || c >= best_.program.phases[p].clients.size()) continue;
        Program<F> program = best_.program;
        program.phases[p].clients.erase(program.phases[p].clients.begin() + c);
        Try(std::move(program));
      }
    }
  }

  void RemoveCommands() {
    for (std::size_t p = best_.program.phases.size(); p-- > 0;) {
      for (std::size_t c = best_.program.phases[p].clients.size(); c-- > 0;) RemoveCommandsOf(p, c);
    }
  }

  // Removes ever smaller runs of one client's commands.
  void RemoveCommandsOf(std::size_t p, std::size_t c) {
    for (std::size_t length = best_.program.phases[p].clients[c].size(); length >= 1; length /= 2) {
      for (std::size_t end = best_.program.phases[p].clients[c].size(); end > 0 && !Spent();) {
        const std::size_t begin = end > length ? end - length : 0;
        Program<F> program = best_.program;
        auto& commands = program.phases[p].clients[c];
        commands.erase(commands.begin() + begin, commands.begin() + end);
        Try(std::move(program));
        end = std::min(begin, best_.program.phases[p].clients[c].size());
      }
    }
  }

  // Two sequential phases in a row are one; a parallel phase with one client left is sequential.
  void JoinSequentialPhases() {
    Program<F> program = best_.program;
    std::vector<Phase<F>> joined;
    std::vector<Schedule> schedules;
    for (std::size_t i = 0; i < program.phases.size(); ++i) {
      Phase<F>& phase = program.phases[i];
      std::erase_if(phase.clients, [](const auto& commands) { return commands.empty(); });
      if (phase.clients.empty()) continue;
      if (phase.clients.size() == 1 && !joined.empty() && joined.back().clients.size() == 1) {
        auto& commands = joined.back().clients[0];
        std::move(phase.clients[0].begin(), phase.clients[0].end(), std::back_inserter(commands));
        continue;
      }
      schedules.push_back(phase.clients.size() == 1 || i >= best_.schedules.size() ? Schedule() : best_.schedules[i]);
      joined.push_back(std::move(phase));
    }
    program.phases = std::move(joined);
    if (program == best_.program) return;
    std::vector<Schedule> kept = std::exchange(best_.schedules, std::move(schedules));
    if (!Try(std::move(program))) best_.schedules = std::move(kept);
  }

  void SimplifyValues() {
    for (std::size_t p = 0; p < best_.program.phases.size(); ++p) {
      for (std::size_t c = 0; c < best_.program.phases[p].clients.size(); ++c) {
        for (std::size_t i = 0; i < best_.program.phases[p].clients[c].size(); ++i) SimplifyCommand(p, c, i);
      }
    }
  }

  void SimplifyCommand(std::size_t p, std::size_t c, std::size_t i) {
    bool simpler = true;
    while (simpler && !Spent()) {
      simpler = false;
      for (Command<F>& candidate : SimplerCommands(best_.program.phases[p].clients[c][i])) {
        Program<F> program = best_.program;
        program.phases[p].clients[c][i] = std::move(candidate);
        if (Try(std::move(program))) {
          simpler = true;
          break;
        }
      }
    }
  }

  StillBreaks<F> still_breaks_;
  int runs_left_;
  std::function<bool()> out_of_time_;
  RunResult<F> best_;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_SHRINK_H_
