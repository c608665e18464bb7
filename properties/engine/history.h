// Histories: what happened. Every call with its answer, its interval and its client.
#ifndef LEASECHECK_PROPERTIES_ENGINE_HISTORY_H_
#define LEASECHECK_PROPERTIES_ENGINE_HISTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/operation.h"
#include "properties/engine/linearize_plan.h"
#include "properties/engine/program.h"
#include "properties/engine/system_time.h"

namespace leasecheck::engine {

inline constexpr Instant kNeverReturned = kOpen;

template <class F>
struct CallRecord {
  int client = 0;
  int phase = 0;
  std::string label;
  Action<F> action;                     // as sent: references resolved
  OutcomeOf<F> outcome = Indefinite{};  // of a contract call; as the harness saw it, also where the client did not
  Loss loss = Loss::kNone;              // not kNone: the client never saw the outcome
  bool fault_took = false;              // of a held answer: others went on meanwhile; of a stall: the clock got there
  Instant called = 0;
  Instant returned = kNeverReturned;
  std::optional<TimeWindow> window{};  // of a target that reads the system's clock; else the clock moves by SetClock alone
};

template <class F>
struct History {
  EpochMs start = 0;
  std::vector<CallRecord<F>> calls;  // in the order of `called`
};

// A finding of a scan: a clause that the history breaks, apart from any spec.
struct Finding {
  std::string clause;       // its id
  std::size_t call = 0;     // the call at which it shows
  std::string explanation;  // what was expected and what was got, in words
};

// The interval of every call, for questions about overlap.
template <class F>
bool IntervalsOverlap(const CallRecord<F>& a, const CallRecord<F>& b) {
  return a.called < b.returned && b.called < a.returned;
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_HISTORY_H_
