// Checks what the linearizability search claims, without it: no code is shared, and nothing here is clever. Slow on purpose.
#ifndef LEASECHECK_PROPERTIES_ENGINE_VERIFY_H_
#define LEASECHECK_PROPERTIES_ENGINE_VERIFY_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "properties/engine/linearize_plan.h"

namespace leasecheck::engine {

// Is `witness` an order that explains `history`? nullopt: yes. Otherwise a sentence that says what is wrong with it.
// Every answered call occurs once with all its parts in order, one of unknown outcome at most once with its first parts; real
// time is respected; the model allows every step, from some initial state.
template <class Model>
std::optional<std::string> CheckWitness(const Model& model, absl::Span<const Interval> history,
                                        absl::Span<const typename Model::State> initial, absl::Span<const StepRef> witness) {
  using State = typename Model::State;
  std::vector<int> done(history.size(), 0);
  std::vector<State> states(initial.begin(), initial.end());
  Instant latest_call = std::numeric_limits<Instant>::min();
  for (const StepRef& step : witness) {
    if (step.op < 0 || step.op >= static_cast<int>(history.size())) return absl::StrCat("there is no call ", step.op);
    const Interval& interval = history[step.op];
    if (step.part != done[step.op] || step.part >= interval.parts) {
      return absl::StrCat("part ", step.part, " of call ", step.op, " is out of order");
    }
    ++done[step.op];
    if (interval.end < latest_call) return absl::StrCat("call ", step.op, " comes after one that began when it had ended");
    latest_call = std::max(latest_call, interval.call);
    std::vector<State> next;
    for (const State& state : states) model.Step(state, step.op, step.part, &next);
    states.clear();
    for (const State& state : next) {
      if (std::find(states.begin(), states.end(), state) == states.end()) states.push_back(state);
    }
    if (states.empty()) return absl::StrCat("the model refuses part ", step.part, " of call ", step.op);
  }
  for (std::size_t op = 0; op < history.size(); ++op) {
    if (!history[op].optional && done[op] != history[op].parts)
      return absl::StrCat("call ", op, " was answered and is not in the order");
  }
  return std::nullopt;
}

namespace verify_internal {

// All orders, one after another, nothing remembered.
template <class Model>
class EveryOrder {
 public:
  using State = typename Model::State;
  EveryOrder(const Model& model, absl::Span<const Interval> history, const std::vector<bool>& weakened, uint64_t max_steps)
      : model_(model), history_(history), weakened_(weakened), steps_left_(max_steps), done_(history.size(), 0) {}

  // nullopt: given up.
  std::optional<bool> AnyExplains(const State& state) {
    bool complete = true;
    for (std::size_t op = 0; op < history_.size(); ++op) complete &= Optional(op) || done_[op] == history_[op].parts;
    if (complete) return true;
    for (std::size_t op = 0; op < history_.size(); ++op) {
      if (done_[op] == history_[op].parts || !MayBeNext(op)) continue;
      if (steps_left_-- == 0) return std::nullopt;
      std::vector<State> next;
      if (!weakened_.empty() && weakened_[op]) {
        if constexpr (requires { model_.StepWeakened(state, 0, 0, &next); }) model_.StepWeakened(state, op, done_[op], &next);
      } else {
        model_.Step(state, op, done_[op], &next);
      }
      ++done_[op];
      for (const State& after : next) {
        const std::optional<bool> found = AnyExplains(after);
        if (found != std::optional<bool>(false)) return found;
      }
      --done_[op];
    }
    return false;
  }

 private:
  bool Optional(std::size_t op) const { return history_[op].optional || (!weakened_.empty() && weakened_[op]); }
  bool MayBeNext(std::size_t op) const {
    for (std::size_t other = 0; other < history_.size(); ++other) {
      if (done_[other] > 0 && history_[other].call > history_[op].end) return false;
      if (done_[other] < history_[other].parts && !Optional(other) && history_[other].end < history_[op].call) return false;
    }
    return true;
  }

  const Model& model_;
  absl::Span<const Interval> history_;
  const std::vector<bool>& weakened_;
  uint64_t steps_left_;
  std::vector<int> done_;
};

}  // namespace verify_internal

// Does any order explain the history? `weakened` as in LinearizeOptions. nullopt: not decided within `max_steps`.
template <class Model>
std::optional<bool> AnyOrderExplains(const Model& model, absl::Span<const Interval> history,
                                     absl::Span<const typename Model::State> initial, const std::vector<bool>& weakened,
                                     uint64_t max_steps) {
  for (const typename Model::State& state : initial) {
    verify_internal::EveryOrder<Model> orders(model, history, weakened, max_steps);
    const std::optional<bool> found = orders.AnyExplains(state);
    if (found != std::optional<bool>(false)) return found;
  }
  return false;
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_VERIFY_H_
