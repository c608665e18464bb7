// At which instants may a call have taken effect? One, where the clock is virtual: what it reads. Where the target reads the
// system's clock, one of the call's window - and of these only those can differ at which something lapses.
#ifndef LEASECHECK_PROPERTIES_ENGINE_INSTANTS_H_
#define LEASECHECK_PROPERTIES_ENGINE_INSTANTS_H_

#include <algorithm>
#include <optional>
#include <vector>

#include "model/spec.h"
#include "properties/engine/history.h"

namespace leasecheck::engine {

// The longest window within which every millisecond is tried for a call whose answer nobody saw.
inline constexpr DurationMs kWidestUnseen = 32;

// Sets `instants` to those at which to judge the contract call `record` in `state`, as if it had had that outcome; the earliest
// first, never none. Time does not run back: none is before `now`. An instant that the answer reveals (claimed_at, expires - ttl)
// is the only one; else it is the earliest of the window and each deadline inside it. Between two of these nothing lapses, so the
// earlier of such instants leaves the most to the calls that follow. Without an answer nobody knows when a granted lease ends, so
// every millisecond of the window counts; of one longer than kWidestUnseen nothing can be said, and the caller judges no further.
template <class F>
void InstantsOf(const typename Spec<F>::State& state, EpochMs now, const CallRecord<F>& record, const OutcomeOf<F>& outcome,
                std::vector<EpochMs>* instants) {
  instants->clear();
  if (!record.window.has_value()) {
    instants->push_back(now);
    return;
  }
  const EpochMs from = std::max(now, record.window->earliest);
  const EpochMs to = record.window->latest;
  if (std::holds_alternative<Indefinite>(outcome) && from < to && to - from <= kWidestUnseen) {
    for (EpochMs instant = from; instant <= to; ++instant) instants->push_back(instant);
    return;
  }
  const std::optional<EpochMs> reported = Spec<F>::ReportedInstant(*RequestIf<F>(record.action), outcome);
  if (reported.has_value() && from <= *reported && *reported <= to) {
    instants->push_back(*reported);
    return;
  }
  Spec<F>::AppendDeadlines(state, instants);
  std::erase_if(*instants, [from, to](EpochMs deadline) { return deadline <= from || deadline > to; });
  instants->push_back(from);
  std::sort(instants->begin(), instants->end());
  instants->erase(std::unique(instants->begin(), instants->end()), instants->end());
}

// Whether the answer names an instant that the target's clock cannot have read, if its error is what was declared. (An answer
// that repeats an earlier one may name that one's instant; the contract allows it, and nobody asks then.)
template <class F>
bool ReportsOutsideItsWindow(const CallRecord<F>& record) {
  const RequestOf<F>* request = RequestIf<F>(record.action);
  if (request == nullptr || !record.window.has_value()) return false;
  const std::optional<EpochMs> reported = Spec<F>::ReportedInstant(*request, record.outcome);
  return reported.has_value() && (*reported < record.window->earliest || *reported > record.window->latest);
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_INSTANTS_H_
