// A parallel phase of a history, as the model that the linearizability search asks.
#ifndef LEASECHECK_PROPERTIES_ENGINE_PHASE_MODEL_H_
#define LEASECHECK_PROPERTIES_ENGINE_PHASE_MODEL_H_

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
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
  // ... `earliest` is an index: no call before it overlaps. `calls` are in the order in which they were called.
  PhaseOverlap(absl::Span<const CallRecord<F>> calls, std::size_t self, std::size_t first, std::size_t earliest)
      : calls_(calls), self_(self), first_(first), earliest_(earliest) {}
  bool Overlaps(CallIndex other) const override {
    const std::size_t index = static_cast<std::size_t>(other) - first_;  // wraps where the call is of an earlier phase
    return other >= 0 && index < calls_.size() && index != self_ && IntervalsOverlap(calls_[index], calls_[self_]);
  }
  bool Any(absl::FunctionRef<bool(const RequestOf<F>&)> predicate) const override {
    for (std::size_t i = earliest_; i < calls_.size() && calls_[i].called < calls_[self_].returned; ++i) {
      const RequestOf<F>* request = RequestIf<F>(calls_[i].action);
      if (i != self_ && request != nullptr && IntervalsOverlap(calls_[i], calls_[self_]) && predicate(*request)) return true;
    }
    return false;
  }
  bool AnyCall() const {
    for (std::size_t i = earliest_; i < calls_.size() && calls_[i].called < calls_[self_].returned; ++i) {
      if (i != self_ && IntervalsOverlap(calls_[i], calls_[self_])) return true;
    }
    return false;
  }

 private:
  absl::Span<const CallRecord<F>> calls_;
  std::size_t self_;
  std::size_t first_;
  std::size_t earliest_;
};

template <class F>
class PhaseModel {
 public:
  using State = TimedState<F>;

  // `calls` are the records of one phase, borrowed; `first` is the index of the first of them in the whole history. `now`: what
  // the virtual clock reads when the phase begins; without it no call is put between two moves of the clock.
  PhaseModel(absl::Span<const CallRecord<F>> calls, std::size_t first, const SpecSetup& setup,
             std::optional<EpochMs> now = std::nullopt)
      : calls_(calls), setup_(setup) {
    const bool system_time = std::any_of(calls.begin(), calls.end(), [](const auto& call) { return call.window.has_value(); });
    if (now.has_value() && !system_time) MarkClock(*now);
    overlaps_.reserve(calls.size());
    std::vector<Instant> latest;  // return of the calls up to each
    for (const CallRecord<F>& call : calls)
      latest.push_back(std::max(latest.empty() ? call.returned : latest.back(), call.returned));
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const auto earliest = std::upper_bound(latest.begin(), latest.end(), calls[i].called) - latest.begin();
      overlaps_.emplace_back(calls, i, first, static_cast<std::size_t>(earliest));
      StepContext<F> context;
      context.setup = setup;
      context.call = static_cast<CallIndex>(first + i);
      if (calls[i].window.has_value()) context.latest = calls[i].window->latest;
      if (overlaps_.back().AnyCall()) context.overlap = &overlaps_.back();
      contexts_.push_back(context);
    }
  }

  // When each call may have taken effect. A call without an answer may never have; its effect came within the phase, which a
  // crash and reopen, or the end of the program, closes.
  std::vector<Interval> Intervals() const {
    std::vector<Interval> intervals;
    Instant last = 0;
    for (const CallRecord<F>& call : calls_) last = std::max(last, call.returned == kNeverReturned ? call.called : call.returned);
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const Instant end = calls_[i].returned == kNeverReturned ? last + 1 : calls_[i].returned;
      Interval interval{calls_[i].called, end, IsOptional(i), 1};
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
    InstantsOf<F>(from.state, from.now, calls_[op], calls_[op].outcome, &instants);
    auto refused = Spec<F>::Step(to.state, *request, calls_[op].outcome, instants.back(), ContextOf(op, part), &alternatives);
    return refused.has_value() ? *refused : -1;
  }

  bool Pure(int op, bool weakened) const {
    const RequestOf<F>* request = RequestIf<F>(calls_[op].action);
    if (std::holds_alternative<Stall>(calls_[op].action)) return true;
    if (request == nullptr || IsSkipped(op)) return false;
    if (calls_[op].window.has_value()) return false;  // under the system's clock even a read says that it is later
    if (OperationEffect<F>(request->index()) == Effect::kRead) return true;
    if constexpr (requires { Spec<F>::ChangesNothing(*request, calls_[op].outcome, contexts_[op]); }) {
      return !weakened && Spec<F>::ChangesNothing(*request, calls_[op].outcome, contexts_[op]);
    }
    return false;
  }

  void AppendMarks(int op, std::vector<Mark>* marks) const {
    const RequestOf<F>* request = RequestIf<F>(calls_[op].action);
    if (const auto moved = clock_marks_.find(op); moved != clock_marks_.end()) {
      marks->insert(marks->end(), moved->second.begin(), moved->second.end());
    }
    if (request == nullptr || IsSkipped(op) || IsOptional(op)) return;
    if constexpr (requires { Spec<F>::AppendMarks(*request, calls_[op].outcome, marks); }) {
      Spec<F>::AppendMarks(*request, calls_[op].outcome, marks);
      TranslateClock(marks);
    }
  }

  bool Commute(int a, bool unseen_a, int b, bool unseen_b) const {
    const RequestOf<F>* request_a = RequestIf<F>(calls_[a].action);
    const RequestOf<F>* request_b = RequestIf<F>(calls_[b].action);
    if (calls_[a].window.has_value() || calls_[b].window.has_value()) return false;
    if (IsSkipped(a) || IsSkipped(b)) return true;
    if constexpr (requires { Spec<F>::ReadsClock(*request_a); }) {
      if (request_a == nullptr && request_b == nullptr) return false;
      if (request_a == nullptr) return std::holds_alternative<SetClock>(calls_[a].action) && !Spec<F>::ReadsClock(*request_b);
      if (request_b == nullptr) return std::holds_alternative<SetClock>(calls_[b].action) && !Spec<F>::ReadsClock(*request_a);
    }
    if constexpr (requires { Spec<F>::Commute(*request_a, calls_[a].outcome, *request_b, calls_[b].outcome); }) {
      static const OutcomeOf<F>& unseen = *new OutcomeOf<F>(std::in_place_type<Indefinite>);
      if (request_a == nullptr || request_b == nullptr) return false;
      return Spec<F>::Commute(*request_a, unseen_a ? unseen : calls_[a].outcome, *request_b,
                              unseen_b ? unseen : calls_[b].outcome);
    }
    return false;
  }

  StepContext<F> ContextOf(int op, int part) const {
    StepContext<F> context = contexts_[op];
    context.part = part;
    return context;
  }

 private:
  bool IsSkipped(std::size_t op) const {
    return std::holds_alternative<Unsupported>(calls_[op].outcome) || std::holds_alternative<Stall>(calls_[op].action);
  }
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
    InstantsOf<F>(from.state, from.now, calls_[op], outcome, &instants);
    for (EpochMs instant : instants) StepAt(instant, *request, outcome, from, op, part, next);
  }

  void StepAt(EpochMs now, const RequestOf<F>& request, const OutcomeOf<F>& outcome, const State& from, int op, int part,
              std::vector<State>* next) const {
    alternatives_.clear();
    State to{now, from.state};
    StepContext<F> context = ContextOf(op, part);
    context.any_clause = true;
    if (!Spec<F>::Step(to.state, request, outcome, now, context, &alternatives_).has_value()) {
      next->push_back(std::move(to));
    }
    for (auto& alternative : alternatives_) next->push_back({now, std::move(alternative)});
  }

  // The clock may fall, so an instant is no counter. But where it was set to that instant once only, calls at the instant come
  // after that move, and before every move that began when it had ended. Two counters for each such move: whether it was made,
  // and whether one behind it was.
  static std::string Made(EpochMs now) { return absl::StrCat("clock reached ", now); }
  static std::string Left(EpochMs now) { return absl::StrCat("clock left ", now); }
  void MarkClock(EpochMs start) {
    std::map<EpochMs, std::vector<int>> moves;
    std::vector<int> all;
    for (std::size_t op = 0; op < calls_.size(); ++op) {
      const auto* clock = std::get_if<SetClock>(&calls_[op].action);
      if (clock == nullptr) continue;
      moves[clock->now].push_back(static_cast<int>(op));
      all.push_back(static_cast<int>(op));
    }
    if (moves.count(start) == 0) {
      once_.insert(start);
      MarkLeft(start, all, std::numeric_limits<Instant>::min());
    }
    for (const auto& [now, ops] : moves) {
      if (ops.size() != 1 || now == start) continue;
      once_.insert(now);
      clock_marks_[ops.front()].push_back({Made(now), 0, 1});
      MarkLeft(now, all, calls_[ops.front()].returned);
    }
  }
  // The moves that come next behind `end`; others behind them are behind in any case.
  void MarkLeft(EpochMs now, const std::vector<int>& moves, Instant end) {
    Instant earliest = kOpen;
    for (auto op = std::upper_bound(moves.begin(), moves.end(), end, [&](Instant e, int o) { return e < calls_[o].called; });
         op != moves.end() && calls_[*op].called <= earliest; ++op) {
      earliest = std::min(earliest, calls_[*op].returned);
      clock_marks_[*op].push_back({Left(now), kAnythingBefore, 1});
    }
  }
  void TranslateClock(std::vector<Mark>* marks) const {
    for (std::size_t i = 0; i < marks->size(); ++i) {
      if ((*marks)[i].counter != kClockCounter) continue;
      const EpochMs now = (*marks)[i].after;
      marks->erase(marks->begin() + static_cast<std::ptrdiff_t>(i));
      if (!once_.contains(now)) return;
      marks->push_back({Made(now), 1, 1});
      marks->push_back({Left(now), 0, 0});
      return;
    }
  }

  absl::Span<const CallRecord<F>> calls_;
  SpecSetup setup_;
  std::map<int, std::vector<Mark>> clock_marks_;  // of moves of the clock
  std::set<EpochMs> once_;                        // what the clock was set to once only
  std::vector<PhaseOverlap<F>> overlaps_;
  std::vector<StepContext<F>> contexts_;
  mutable std::vector<typename Spec<F>::State> alternatives_;  // scratch
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_PHASE_MODEL_H_
