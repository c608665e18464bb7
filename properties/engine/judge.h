// The sequential judge: replays a history without overlap against the spec, call by call, as it happens.
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
class SequentialJudge {
 public:
  using State = typename Spec<F>::State;

  // `hits` may be null.
  SequentialJudge(const SpecSetup& setup, ClauseHits* hits) : setup_(setup), hits_(hits) {}

  void Begin(EpochMs start) {
    now_ = start;
    states_.clear();
    states_.push_back(Spec<F>::Initial(setup_));
  }

  // Takes the next call of the history, the `index`th. A violation leaves the judge as it was.
  std::optional<Violation> Judge(const CallRecord<F>& record, std::size_t index) {
    if (const auto* clock = std::get_if<SetClock>(&record.action)) now_ = clock->now;
    const RequestOf<F>* request = RequestIf<F>(record.action);
    if (request == nullptr || std::holds_alternative<Unsupported>(record.outcome)) return std::nullopt;
    if (const auto* foreign = std::get_if<ForeignError>(&record.outcome)) {
      return Violation{std::string(kForeignAnswerClause), std::string(kForeignAnswerSentence), index, foreign->detail,
                       Spec<F>::Describe(states_.front(), now_)};
    }
    const bool indefinite = std::holds_alternative<Indefinite>(record.outcome);
    if (indefinite && OperationEffect<F>(request->index()) == Effect::kRead) return std::nullopt;
    StepContext<F> context;
    context.setup = setup_;
    context.call = static_cast<CallIndex>(index);
    context.hits = hits_;
    if (states_.size() == 1 && !indefinite) return StepOnly(record, *request, context, index);
    return StepSet(record, *request, context, index, indefinite);
  }

  // One of the possible states; the only one unless an answer was never seen.
  const State& state() const { return states_.front(); }
  EpochMs now() const { return now_; }

 private:
  std::optional<Violation> StepOnly(const CallRecord<F>& record, const RequestOf<F>& request, const StepContext<F>& context,
                                    std::size_t index) {
    alternatives_.clear();
    auto refused = Spec<F>::Step(states_.front(), request, record.outcome, now_, context, &alternatives_);
    if (refused.has_value()) return Refuse(*refused, record, request, context, index);
    for (State& state : alternatives_) states_.push_back(std::move(state));
    return std::nullopt;
  }

  std::optional<Violation> StepSet(const CallRecord<F>& record, const RequestOf<F>& request, const StepContext<F>& context,
                                   std::size_t index, bool indefinite) {
    std::vector<State> next;
    std::optional<ClauseIndex> first_refusal;
    for (const State& state : states_) {
      State stepped = state;
      auto refused = Spec<F>::Step(stepped, request, record.outcome, now_, context, &next);
      if (!refused.has_value()) next.push_back(std::move(stepped));
      if (refused.has_value() && !first_refusal.has_value()) first_refusal = refused;
      if (indefinite) next.push_back(state);
    }
    if (next.empty()) return Refuse(*first_refusal, record, request, context, index);
    states_.clear();
    for (State& state : next) {
      if (std::find(states_.begin(), states_.end(), state) == states_.end()) states_.push_back(std::move(state));
    }
    return std::nullopt;
  }

  Violation Refuse(ClauseIndex clause, const CallRecord<F>& record, const RequestOf<F>& request, const StepContext<F>& context,
                   std::size_t index) const {
    const ClauseInfo& info = Spec<F>::Clauses()[clause];
    return {std::string(info.id), std::string(info.sentence), index,
            Spec<F>::Explain(states_.front(), request, record.outcome, now_, context), Spec<F>::Describe(states_.front(), now_)};
  }

  SpecSetup setup_;
  ClauseHits* hits_;
  EpochMs now_ = 0;
  std::vector<State> states_;
  std::vector<State> alternatives_;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_JUDGE_H_
