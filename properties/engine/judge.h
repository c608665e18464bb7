// The judge: holds a history against the spec. Calls of sequential phases one by one, as they happen; a parallel phase whole, by
// the linearizability search, carrying the set of possible states over the barrier behind it.
#ifndef LEASECHECK_PROPERTIES_ENGINE_JUDGE_H_
#define LEASECHECK_PROPERTIES_ENGINE_JUDGE_H_

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "model/spec.h"
#include "properties/engine/history.h"
#include "properties/engine/instants.h"
#include "properties/engine/linearize.h"
#include "properties/engine/linearize_core.h"
#include "properties/engine/phase_model.h"

namespace leasecheck::engine {

// The pseudo clause of an answer that no contract has: an unknown error code, a field of the wrong type (PROTOCOL.md).
inline constexpr absl::string_view kForeignAnswerClause = "PROTOCOL";
inline constexpr absl::string_view kForeignAnswerSentence =
    "A contract call is answered with the value, or one of the errors, that the contract has for it.";

// A broken clause, with what a stranger needs to see of it.
struct Violation {
  std::string clause;        // its id
  std::string sentence;      // what must hold
  std::size_t call = 0;      // the position in the history of the call at which it shows
  std::string expected;      // what the contract would have allowed, and why the answer is not that
  std::string state_before;  // one fact a line; "" where the judge keeps no state
};

template <class F>
std::string SentenceOf(absl::string_view clause) {
  const auto clauses = Spec<F>::Clauses();
  const std::size_t index = FindClause(clauses, clause);
  return std::string(index < clauses.size() ? clauses[index].sentence : kForeignAnswerSentence);
}

// Carries the set of states that the answers so far allow: one, unless an answer was never seen. Not thread-safe.
template <class F>
class Judge {
 public:
  using State = typename Spec<F>::State;

  // `hits` may be null.
  Judge(const SpecSetup& setup, ClauseHits* hits) : setup_(setup), hits_(hits) {}

  void Begin(EpochMs start) {
    states_.clear();
    states_.push_back({start, Spec<F>::Initial(setup_)});
  }

  // Takes the next call of the history, the `index`th. A violation leaves the judge as it was.
  std::optional<Violation> JudgeCall(const CallRecord<F>& record, std::size_t index) {
    if (const auto* clock = std::get_if<SetClock>(&record.action); clock != nullptr && !record.window.has_value()) {
      for (TimedState<F>& state : states_) state.now = clock->now;
    }
    const RequestOf<F>* request = RequestIf<F>(record.action);
    if (request == nullptr || std::holds_alternative<Unsupported>(record.outcome)) return std::nullopt;
    if (const auto* foreign = std::get_if<ForeignError>(&record.outcome)) {
      return Violation{std::string(kForeignAnswerClause), std::string(kForeignAnswerSentence), index, foreign->detail,
                       Describe()};
    }
    const bool indefinite = std::holds_alternative<Indefinite>(record.outcome);
    if (indefinite && OperationEffect<F>(request->index()) == Effect::kRead) return std::nullopt;
    StepContext<F> context;
    context.setup = setup_;
    context.call = static_cast<CallIndex>(index);
    if (record.window.has_value()) context.latest = record.window->latest;
    context.hits = hits_;
    if (!record.window.has_value() && states_.size() == 1 && !indefinite) return StepOnly(record, *request, context, index);
    return StepSet(record, *request, context, index, indefinite);
  }

  // Takes the calls of a parallel phase; `first` is the index of the first in the history. kUnknown: the search ran out of its
  // budget, the reason is in undecided(), and the history cannot be judged further. kIllegal: `violation` says why.
  Verdict JudgePhase(absl::Span<const CallRecord<F>> calls, std::size_t first, const LinearizeOptions& options,
                     std::optional<Violation>* violation) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (const auto* foreign = std::get_if<ForeignError>(&calls[i].outcome)) {
        *violation = {std::string(kForeignAnswerClause), std::string(kForeignAnswerSentence), first + i, foreign->detail,
                      Describe()};
        return Verdict::kIllegal;
      }
    }
    const PhaseModel<F> model(calls, first, setup_, now());
    const std::vector<Interval> intervals = model.Intervals();
    const std::vector<TimedState<F>> initial = states_;
    LinearizeOptions wanted = options;
    wanted.want_final_states = true;
    auto result = Linearize(model, intervals, absl::MakeConstSpan(initial), wanted);
    if (result.verdict == Verdict::kIllegal) {
      // The blame is that of every order. Where that search gives up, the verdict of the hints stands (order_hints_test).
      wanted.ignore_order_hints = true;
      auto again = Linearize(model, intervals, absl::MakeConstSpan(initial), wanted);
      if (again.verdict != Verdict::kUnknown) result = std::move(again);
    }
    if (result.verdict == Verdict::kUnknown) undecided_ = result.detail;
    if (result.verdict == Verdict::kIllegal) *violation = ExplainPhase(model, calls, first, intervals, initial, result);
    if (result.verdict != Verdict::kOk) return result.verdict;
    CountWitness(model, calls, initial, result.witness);
    states_ = std::move(result.final_states);
    return Verdict::kOk;
  }
  const std::string& undecided() const { return undecided_; }

  // One of the possible states; the only one unless an answer was never seen.
  const State& state() const { return states_.front().state; }
  // The earliest that it can be.
  EpochMs now() const {
    EpochMs now = kEndOfTime;
    for (const TimedState<F>& state : states_) now = std::min(now, state.now);
    return now;
  }
  // How many states the answers so far allow.
  std::size_t width() const { return states_.size(); }
  // How many calls so far had a deadline inside their window, so that either answer would have been legal.
  uint64_t inside() const { return inside_; }

 private:
  std::optional<Violation> StepOnly(const CallRecord<F>& record, const RequestOf<F>& request, const StepContext<F>& context,
                                    std::size_t index) {
    alternatives_.clear();
    TimedState<F>& only = states_.front();
    const EpochMs now = only.now;
    auto refused = Spec<F>::Step(only.state, request, record.outcome, now, context, &alternatives_);
    if (refused.has_value()) return Refuse(*refused, record, request, context, index, now);
    for (State& state : alternatives_) states_.push_back({now, std::move(state)});
    return std::nullopt;
  }

  // Each state has its own instant, since what an answer leaves may depend on when it was given.
  std::optional<Violation> StepSet(const CallRecord<F>& record, const RequestOf<F>& request, const StepContext<F>& context,
                                   std::size_t index, bool indefinite) {
    std::vector<TimedState<F>> next;
    std::optional<ClauseIndex> first_refusal;
    bool inside = false;
    for (const TimedState<F>& from : states_) {
      InstantsOf<F>(from.state, from.now, record, record.outcome, &instants_);
      inside |= !indefinite && instants_.size() > 1;
      for (EpochMs instant : instants_) {
        alternatives_.clear();
        State stepped = from.state;
        auto refused = Spec<F>::Step(stepped, request, record.outcome, instant, context, &alternatives_);
        if (!refused.has_value()) Add({instant, std::move(stepped)}, &next);
        if (refused.has_value() && !first_refusal.has_value()) first_refusal = refused;
        for (State& state : alternatives_) Add({instant, std::move(state)}, &next);
      }
      if (indefinite) Add(from, &next);
    }
    inside_ += inside ? 1 : 0;
    if (next.empty()) return Refuse(*first_refusal, record, request, context, index, instants_.back());
    states_ = std::move(next);
    return std::nullopt;
  }

  // Of two equal states the earlier leaves more to the calls that follow.
  static void Add(TimedState<F> timed, std::vector<TimedState<F>>* states) {
    const auto same = std::find_if(states->begin(), states->end(), [&](const auto& other) { return other.state == timed.state; });
    if (same == states->end()) {
      states->push_back(std::move(timed));
    } else {
      same->now = std::min(same->now, timed.now);
    }
  }

  // Counts the clauses that a parallel phase exercised, along the order that the search found.
  void CountWitness(const PhaseModel<F>& model, absl::Span<const CallRecord<F>> calls, const std::vector<TimedState<F>>& initial,
                    const std::vector<StepRef>& witness) {
    if (hits_ == nullptr || initial.size() != 1) return;
    TimedState<F> at = initial.front();
    for (const StepRef& step : witness) {
      const CallRecord<F>& record = calls[step.op];
      if (const auto* clock = std::get_if<SetClock>(&record.action); clock != nullptr && !record.window.has_value()) {
        at.now = clock->now;
      }
      const RequestOf<F>* request = RequestIf<F>(record.action);
      if (request == nullptr || record.outcome.index() > 1) continue;
      StepContext<F> context = model.ContextOf(step.op, step.part);
      context.hits = hits_;
      alternatives_.clear();
      if (!StepAtFirst(record, *request, context, at)) return;
      if (!alternatives_.empty()) return;  // which of them the witness took is not known here
    }
  }
  // Steps at the first instant that explains the answer; false where there is none.
  bool StepAtFirst(const CallRecord<F>& record, const RequestOf<F>& request, const StepContext<F>& context, TimedState<F>& at) {
    InstantsOf<F>(at.state, at.now, record, record.outcome, &instants_);
    if (instants_.size() > 1) ++inside_;
    for (EpochMs instant : instants_) {
      if (Spec<F>::Step(at.state, request, record.outcome, instant, context, &alternatives_).has_value()) continue;
      at.now = instant;
      return true;
    }
    return false;
  }

  // By what a reader finds the call in the trace that is printed with it: "c10 at 10-11".
  static std::string NameOf(const CallRecord<F>& record) {
    const RequestOf<F>* request = RequestIf<F>(record.action);
    const absl::string_view name =
        request != nullptr ? OperationName<F>(request->index()) : absl::string_view("the harness's own");
    const std::string until = record.returned == kNeverReturned ? "never" : absl::StrCat(record.returned);
    return absl::StrCat(record.label.empty() ? name : absl::string_view(record.label), " at ", record.called, "-", until);
  }

  // Turns a refusal of the search into words: the clause that refuses the blocked call most often, and the answers that cannot
  // all be true.
  Violation ExplainPhase(const PhaseModel<F>& model, absl::Span<const CallRecord<F>> calls, std::size_t first,
                         const std::vector<Interval>& intervals, const std::vector<TimedState<F>>& initial,
                         const LinearizeResult<TimedState<F>>& result) const {
    Violation violation;
    violation.call = first + result.blocked;
    uint64_t most = 0;
    for (const auto& [clause, count] : result.refusals) {
      if (clause < 0 || count <= most) continue;
      most = count;
      violation.clause = std::string(Spec<F>::Clauses()[clause].id);
    }
    if (violation.clause.empty()) violation.clause = std::string(kForeignAnswerClause);
    violation.sentence = SentenceOf<F>(violation.clause);
    const Core core = FindCore(model, intervals, absl::MakeConstSpan(initial), result.blocked, CoreOptions());
    violation.expected =
        absl::StrCat("no order of the overlapping calls explains every answer. The clauses that stand in the way of ",
                     NameOf(calls[result.blocked]), ":");
    for (const auto& [clause, count] : result.refusals) {
      if (clause >= 0) absl::StrAppend(&violation.expected, " ", std::string(Spec<F>::Clauses()[clause].id), " (", count, ")");
    }
    absl::StrAppend(&violation.expected, ". These answers cannot all be true, whatever the others were");
    if (!core.minimal) violation.expected += " (not minimal)";
    violation.expected += ": ";
    for (int call : core.calls) {
      absl::StrAppend(&violation.expected, call == core.calls.front() ? "" : ", ", NameOf(calls[call]));
    }
    violation.state_before = Describe();
    return violation;
  }

  Violation Refuse(ClauseIndex clause, const CallRecord<F>& record, const RequestOf<F>& request, const StepContext<F>& context,
                   std::size_t index, EpochMs now) const {
    const ClauseInfo& info = Spec<F>::Clauses()[clause];
    return {std::string(info.id), std::string(info.sentence), index,
            Spec<F>::Explain(state(), request, record.outcome, now, context), Spec<F>::Describe(state(), now)};
  }

  std::string Describe() const { return Spec<F>::Describe(state(), states_.front().now); }

  SpecSetup setup_;
  ClauseHits* hits_;
  std::vector<TimedState<F>> states_;
  std::vector<State> alternatives_;
  std::vector<EpochMs> instants_;  // scratch
  uint64_t inside_ = 0;
  std::string undecided_;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_JUDGE_H_
