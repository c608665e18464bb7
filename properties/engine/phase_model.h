// A parallel phase of a history, as the model that the linearizability search asks.
#ifndef LEASECHECK_PROPERTIES_ENGINE_PHASE_MODEL_H_
#define LEASECHECK_PROPERTIES_ENGINE_PHASE_MODEL_H_

#include <utility>
#include <variant>
#include <vector>

#include "absl/types/span.h"
#include "model/spec.h"
#include "properties/engine/history.h"
#include "properties/engine/instants.h"
#include "properties/engine/linearize.h"

namespace leasecheck::engine {

// A spec's state and what the virtual clock reads.
template <class F>
struct TimedState {
  EpochMs now = 0;
  typename Spec<F>::State state;
  friend bool operator==(const TimedState&, const TimedState&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const TimedState& timed) {
    return H::combine(std::move(h), timed.now, timed.state);
  }
};

// The calls that overlap one call of a phase.
template <class F>
class PhaseOverlap final : public Overlap<F> {
 public:
  // `calls` is borrowed; `self` is an index into it, `first` the index of its first call in the whole history.
  PhaseOverlap(absl::Span<const CallRecord<F>> calls, std::size_t self, std::size_t first)
      : calls_(calls), self_(self), first_(first) {}
  bool Overlaps(CallIndex other) const override {
    const std::size_t index = static_cast<std::size_t>(other) - first_;  // wraps where the call is of an earlier phase
    return other >= 0 && index < calls_.size() && index != self_ && IntervalsOverlap(calls_[index], calls_[self_]);
  }
  bool Any(absl::FunctionRef<bool(const RequestOf<F>&)> predicate) const override {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const RequestOf<F>* request = RequestIf<F>(calls_[i].action);
      if (i != self_ && request != nullptr && IntervalsOverlap(calls_[i], calls_[self_]) && predicate(*request)) return true;
    }
    return false;
  }
  bool AnyCall() const {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (i != self_ && IntervalsOverlap(calls_[i], calls_[self_])) return true;
    }
    return false;
  }

 private:
  absl::Span<const CallRecord<F>> calls_;
  std::size_t self_;
  std::size_t first_;
};

template <class F>
class PhaseModel {
 public:
  using State = TimedState<F>;

  // `calls` are the records of one phase, borrowed; `first` is the index of the first of them in the whole history.
  PhaseModel(absl::Span<const CallRecord<F>> calls, std::size_t first, const SpecSetup& setup) : calls_(calls), setup_(setup) {
    overlaps_.reserve(calls.size());
    for (std::size_t i = 0; i < calls.size(); ++i) {
      overlaps_.emplace_back(calls, i, first);
      StepContext<F> context;
      context.setup = setup;
      context.call = static_cast<CallIndex>(first + i);
      if (overlaps_.back().AnyCall()) context.overlap = &overlaps_.back();
      contexts_.push_back(context);
    }
  }

  // When each call may have taken effect. A call without an answer may never have; its effect came within the phase, which a
  // crash and reopen, or the end of the program, closes.
  std::vector<Interval> Intervals() const {
    std::vector<Interval> intervals;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      Interval interval{calls_[i].called, calls_[i].returned, IsOptional(i), 1};
      if (const RequestOf<F>* request = RequestIf<F>(calls_[i].action); request != nullptr && !IsSkipped(i)) {
        interval.parts = Spec<F>::Parts(*request, calls_[i].outcome, contexts_[i]);
      }
      intervals.push_back(interval);
    }
    return intervals;
  }

  void Step(const State& from, int op, int part, std::vector<State>* next) const {
    StepAs(calls_[op].outcome, from, op, part, next);
  }

  // Whatever the call answered: it had its effect, or it had none.
  void StepWeakened(const State& from, int op, int part, std::vector<State>* next) const {
    StepAs(OutcomeOf<F>(std::in_place_type<Indefinite>), from, op, part, next);
    next->push_back(from);
  }

  int Refusal(const State& from, int op, int part) const {
    const RequestOf<F>* request = RequestIf<F>(calls_[op].action);
    if (request == nullptr) return -1;
    State to = from;
    std::vector<typename Spec<F>::State> alternatives;
    std::vector<EpochMs> instants;
    InstantsOf<F>(from.state, from.now, calls_[op], &instants);
    auto refused = Spec<F>::Step(to.state, *request, calls_[op].outcome, instants.back(), ContextOf(op, part), &alternatives);
    return refused.has_value() ? *refused : -1;
  }

  bool Pure(int op, bool /*weakened*/) const {
    const RequestOf<F>* request = RequestIf<F>(calls_[op].action);
    // Under the system's clock even a read says that it is later.
    return request != nullptr && !calls_[op].window.has_value() && OperationEffect<F>(request->index()) == Effect::kRead;
  }

  StepContext<F> ContextOf(int op, int part) const {
    StepContext<F> context = contexts_[op];
    context.part = part;
    return context;
  }

 private:
  bool IsSkipped(std::size_t op) const { return std::holds_alternative<Unsupported>(calls_[op].outcome); }
  bool IsOptional(std::size_t op) const {
    return std::holds_alternative<RequestOf<F>>(calls_[op].action) && std::holds_alternative<Indefinite>(calls_[op].outcome);
  }

  void StepAs(const OutcomeOf<F>& outcome, const State& from, int op, int part, std::vector<State>* next) const {
    if (const auto* clock = std::get_if<SetClock>(&calls_[op].action)) {
      next->push_back({calls_[op].window.has_value() ? from.now : clock->now, from.state});
      return;
    }
    const RequestOf<F>* request = RequestIf<F>(calls_[op].action);
    if (request == nullptr || IsSkipped(op)) {
      next->push_back(from);
      return;
    }
    if (!calls_[op].window.has_value()) return StepAt(from.now, *request, outcome, from, op, part, next);
    std::vector<EpochMs> instants;
    InstantsOf<F>(from.state, from.now, calls_[op], &instants);
    for (EpochMs instant : instants) StepAt(instant, *request, outcome, from, op, part, next);
  }

  void StepAt(EpochMs now, const RequestOf<F>& request, const OutcomeOf<F>& outcome, const State& from, int op, int part,
              std::vector<State>* next) const {
    alternatives_.clear();
    State to{now, from.state};
    if (!Spec<F>::Step(to.state, request, outcome, now, ContextOf(op, part), &alternatives_).has_value()) {
      next->push_back(std::move(to));
    }
    for (auto& alternative : alternatives_) next->push_back({now, std::move(alternative)});
  }

  absl::Span<const CallRecord<F>> calls_;
  SpecSetup setup_;
  std::vector<PhaseOverlap<F>> overlaps_;
  std::vector<StepContext<F>> contexts_;
  mutable std::vector<typename Spec<F>::State> alternatives_;  // scratch
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_PHASE_MODEL_H_
