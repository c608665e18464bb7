// What every family's spec is to the engine: a relation, not a prediction.
//
// A spec says whether an outcome is a possible answer to a request at one instant, and which states may follow. It is PURE.
// For a family F the specialisation SpecOf<F> names a class with
//
//   using State = ...;                                  // a small value: cheap to copy, ==, AbslHashValue
//   static State Initial(const SpecSetup& setup);
//
//   // Judges `outcome` as the answer to `request`, taken as one atomic step at `now`. Allowed: returns nullopt and `state` is
//   // the next state; where several are allowed the others are appended to `alternatives`. Forbidden: returns the clause that
//   // forbids it and leaves `state` as it was. An Indefinite outcome is judged as "it happened"; that it did not happen is the
//   // engine's to try. Unsupported and ForeignError never reach Step.
//   static std::optional<ClauseIndex> Step(State& state, const RequestOf<F>& request, const OutcomeOf<F>& outcome, EpochMs now,
//                                          const StepContext<F>& context, std::vector<State>* alternatives);
//
//   // For people, and slow: what Step would have allowed, in words, for a refused step. Empty never.
//   static std::string Explain(const State& state, const RequestOf<F>& request, const OutcomeOf<F>& outcome, EpochMs now,
//                              const StepContext<F>& context);
//   static std::string Describe(const State& state, EpochMs now);   // for people, one fact a line
//
//   // The steps that one call may consist of (1 for almost all): a call that is allowed to be several atomic steps is judged
//   // with context.part = 0, 1, ... in this order within its interval.
//   static int Parts(const RequestOf<F>& request, const OutcomeOf<F>& outcome, const StepContext<F>& context);
//
//   // The part of the state that a call can read or write: calls of different keys commute. nullopt: all of it.
//   static std::optional<std::string> PartitionKey(const RequestOf<F>& request);
//
//   // The instant at which the store says it acted, where an answer reveals one (claimed_at, expires - ttl ...).
//   static std::optional<EpochMs> ReportedInstant(const RequestOf<F>& request, const OutcomeOf<F>& outcome);
//   // The instants at which the state means something else without any call: expiries and availability. Unordered.
//   static void AppendDeadlines(const State& state, std::vector<EpochMs>* deadlines);
//
//   // Optional, for the search through concurrent calls; `context` is that of Parts. What each says has to hold in every state.
//   // The outcome shows that the call changed nothing.
//   static bool ChangesNothing(const RequestOf<F>& request, const OutcomeOf<F>& outcome, const StepContext<F>& context);
//   // What the outcome tells of counters that only rise (model/mark.h).
//   static void AppendMarks(const RequestOf<F>& request, const OutcomeOf<F>& outcome, std::vector<Mark>* marks);
//   // Two concurrent calls, answered so, lead to the same states in both orders, and neither permits or forbids the other. An
//   // Indefinite outcome stands for every one.
//   static bool Commute(const RequestOf<F>& a, const OutcomeOf<F>& outcome_a, const RequestOf<F>& b,
//                       const OutcomeOf<F>& outcome_b);
//   // The call asks what time it is.
//   static bool ReadsClock(const RequestOf<F>& request);
//
//   // Optional: why a store with these dialects need not show the clause ("it inherits the provided methods"); else "".
//   static absl::string_view NotApplicable(ClauseIndex clause, const Dialects& dialects);
//
//   static absl::Span<const ClauseInfo> Clauses();
//   static absl::Span<const DialectPoint> DialectPoints();
#ifndef LEASECHECK_MODEL_SPEC_H_
#define LEASECHECK_MODEL_SPEC_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "model/clause.h"
#include "model/dialect.h"
#include "model/environment.h"
#include "model/mark.h"
#include "model/operation.h"
#include "model/time.h"

namespace leasecheck {

template <class F>
struct SpecOf;  // specialised in model/<family>/spec.h: struct SpecOf<F> { using type = ...; };

template <class F>
using Spec = typename SpecOf<F>::type;

// What does not change during a run. Both are borrowed.
struct SpecSetup {
  const Dialects* dialects = nullptr;       // null: nothing declared
  const LivenessProbe* liveness = nullptr;  // pure; the one the backend was given, or is known to agree with
};

// Identifies a call of a history, for questions about overlap. kNoCall where there is no history.
using CallIndex = int32_t;
inline constexpr CallIndex kNoCall = -1;

// The calls whose intervals overlap that of the call being judged. Implemented by the engine; a sequential run has none.
template <class F>
class Overlap {
 public:
  virtual ~Overlap() = default;
  virtual bool Overlaps(CallIndex other) const = 0;
  // Whether some overlapping call satisfies the predicate.
  virtual bool Any(absl::FunctionRef<bool(const RequestOf<F>&)> predicate) const = 0;
};

template <class F>
struct StepContext {
  SpecSetup setup;
  CallIndex call = kNoCall;
  const Overlap<F>* overlap = nullptr;  // null: nothing overlaps
  int part = 0;                         // see Spec::Parts
  bool partitioned = false;             // the history holds the calls of one partition key only: others may have done anything
  ClauseHits* hits = nullptr;           // null in a search; counts only steps that are allowed
  EpochMs latest = 0;                   // where later than `now`: the call may have read the clock as late as this
  bool any_clause = false;              // a refusal may name any clause: nobody will read it, so no time is to be spent on it
};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_SPEC_H_
