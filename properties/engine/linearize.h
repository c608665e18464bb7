// Is there an order of the calls of a history that explains every answer? A search for one, blind to what the calls mean.
//
// The method is Wing and Gong's, with Lowe's memory of configurations: take calls one at a time, in any order that real time
// allows, and never look at the same configuration (which calls were taken, which state they led to) twice. Whatever gives
// out - memory, steps, time - ends in the verdict kUnknown, never in exhaustion.
//
// A model says what a step means. It is asked through const members only and must be pure:
//
//   struct RegisterModel {
//     using State = int;                                    // ==, AbslHashValue, copyable
//     // Appends every state that may follow `state` if part `part` of call `op` happens here, as the history has it answered.
//     // Appends nothing: refused. Several: the step is nondeterministic.
//     void Step(const State& state, int op, int part, std::vector<State>* next) const;
//     // For reports only: which clause refuses a refused step. The number is the caller's own.
//     int Refusal(const State& state, int op, int part) const;
//
//     // Optional. `op` changes no state in which it is allowed: it is then taken as soon as it is allowed, without branching,
//     // and left out where its outcome is unknown. `weakened`: whatever it answered.
//     bool Pure(int op, bool weakened) const;
//     // Optional. `op` changes states, but loses nothing by being taken as soon as it is allowed: whatever order goes on from
//     // there, the same with `op` first goes on too. It is then taken without branching.
//     bool Eager(int op, bool weakened) const;
//     // Optional. Calls of unknown outcome of one class (not -1) have the same steps in every state.
//     int Alike(int op) const;
//     // Optional. What the answer of `op` tells of the order of calls (linearize_order.h). Not asked of calls of unknown
//     outcome,
//     // nor of weakened ones. A mark that some allowed order belies hides or invents violations: test it against a search
//     // without marks.
//     void AppendMarks(int op, std::vector<Mark>* marks) const;
//     // Optional. In every state the two calls lead to the same states in both orders, and neither forbids or permits the other;
//     // `unseen_*`: whatever it answered. Of calls that commute with all that is open only one order is tried.
//     bool Commute(int a, bool unseen_a, int b, bool unseen_b) const;
//     // Optional. The end of `op` passes: it was taken, or it is optional and never will be. May tidy up `state`.
//     void Passed(int op, State* state) const;
//     // Optional; FindCore needs it. Like Step, with the answer of `op` forgotten: all that any answer would allow.
//     void StepWeakened(const State& state, int op, int part, std::vector<State>* next) const;
//     // Optional. What a state occupies, where that is more than sizeof(State).
//     std::size_t StateBytes(const State& state) const;
//   };
//
//   LinearizeResult<int> result = Linearize(model, history, {0}, LinearizeOptions());
//   if (result.verdict == Verdict::kIllegal) ... result.blocked ...
//
// First the search goes straight through the history. Where that gets too long it starts again from cut to cut, a cut being an
// end behind which only calls of unknown outcome are open (a barrier, or by chance): it finds *all* configurations that can be
// reached there and forgets what lies before. Where those are too many it goes straight through the rest.
//
// Calls of unknown outcome that stay open for long are most of the work, and most of them had their effect, if any, as soon as
// other calls have theirs. So before all that an order is looked for in which each had it within the usual time of a call, or
// never. Such an order explains the history; that there is none says nothing.
#ifndef LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_H_
#define LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/types/span.h"
#include "properties/engine/linearize_order.h"
#include "properties/engine/linearize_plan.h"
#include "properties/engine/verdict.h"

namespace leasecheck::engine {

template <class M>
concept LinearizeModel = requires(const M& model, const typename M::State& state, int i, std::vector<typename M::State>* next) {
  model.Step(state, i, i, next);
  { model.Refusal(state, i, i) } -> std::convertible_to<int>;
};

struct LinearizeOptions {
  std::size_t memory_bytes = std::size_t{256} << 20;
  uint64_t max_steps = std::numeric_limits<uint64_t>::max();  // questions to the model
  // Asked now and then; true ends the search. The search itself reads no clock.
  std::function<bool()> out_of_time;
  // Also find all states that the history may end in.
  bool want_final_states = false;
  // Per call: its answer is forgotten. Empty: none. Such calls are optional, whatever their interval says.
  std::vector<bool> weakened;
  // Without the model's hints of the order of calls (AppendMarks, Commute): slower, and the verdict the same.
  bool ignore_order_hints = false;
};

enum class UnknownReason { kNone, kMemory, kSteps, kTime, kHistory /* malformed or too wide; see detail */ };

struct LinearizeStats {
  uint64_t steps = 0;           // questions to the model
  uint64_t configurations = 0;  // distinct, looked at
  std::size_t peak_bytes = 0;   // including what growing takes while it lasts; never above the limit
};

template <class State>
struct LinearizeResult {
  Verdict verdict = Verdict::kUnknown;
  UnknownReason reason = UnknownReason::kNone;
  std::string detail;  // for kUnknown: a sentence

  // kOk: an order. Calls of unknown outcome that it does not need, or needs only in part, are absent or in part absent.
  std::vector<StepRef> witness;
  // How many ends had passed when each step of the witness was taken (for a model that is told of them: Passed), in the order of
  // the narrowed intervals' ends, those of pure calls of unknown outcome left out.
  std::vector<uint32_t> passed;
  // kOk and want_final_states: every state that some order ends in. All that may go on from here, if no call is left open.
  std::vector<State> final_states;

  // kIllegal: the call whose end is the earliest at which every order is blocked: what ended before can be explained.
  int blocked = -1;
  // kIllegal: which clauses refuse that call where an order can be extended by no call at all, and at how many configurations.
  std::map<int, uint64_t> refusals;

  LinearizeStats stats;
};

namespace linearize_internal {

// The hooks a model may lack.
template <class M>
bool Pure(const M& model, int op, bool weakened) {
  if constexpr (requires { model.Pure(op, weakened); }) return model.Pure(op, weakened);
  return false;
}
template <class M>
bool Eager(const M& model, int op, bool weakened) {
  if constexpr (requires { model.Eager(op, weakened); }) return model.Eager(op, weakened);
  return false;
}
template <class M>
void AppendMarks(const M& model, int op, std::vector<Mark>* marks) {
  if constexpr (requires { model.AppendMarks(op, marks); }) model.AppendMarks(op, marks);
}
template <class M>
bool Commute(const M& model, int a, bool unseen_a, int b, bool unseen_b) {
  if constexpr (requires { model.Commute(a, unseen_a, b, unseen_b); }) return model.Commute(a, unseen_a, b, unseen_b);
  return false;
}
template <class M>
constexpr bool kTellsOrder = requires(const M& model, std::vector<Mark>* marks) {
  model.AppendMarks(0, marks);
}
|| requires(const M& model) { model.Commute(0, false, 0, false); };
template <class M>
int Alike(const M& model, int op) {
  if constexpr (requires { model.Alike(op); }) return model.Alike(op);
  return -1;
}
template <class M>
std::size_t StateBytes(const M& model, const typename M::State& state) {
  if constexpr (requires { model.StateBytes(state); }) return model.StateBytes(state);
  return sizeof(state);
}

// The answered call whose end is the first at or behind `end`, an instant of the narrowed intervals: the call that `blocked`
// had to come before, or itself.
inline int EndsAt(absl::Span<const Interval> history, const std::vector<bool>& unseen, Instant end, const MarkedOrder& order,
                  int blocked) {
  if (order.intervals().empty()) return blocked;
  int first = blocked;
  for (std::size_t op = 0; op < history.size(); ++op) {
    if (history[op].optional || unseen[op] || history[op].end * MarkedOrder::kScale < end) continue;
    if (history[op].end < history[first].end) first = static_cast<int>(op);
  }
  return first;
}

// The intervals with those of unknown outcome as long as nearly all answered ones at most. Empty: they were before.
inline std::vector<Interval> UsualTimes(absl::Span<const Interval> intervals) {
  std::vector<Instant> lengths;
  for (const Interval& interval : intervals) {
    if (!interval.optional && interval.end != kOpen) lengths.push_back(interval.end - interval.call);
  }
  if (lengths.empty()) return {};
  const auto usual = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() * 9 / 10);
  std::nth_element(lengths.begin(), usual, lengths.end());
  bool shortened = false;
  std::vector<Interval> result(intervals.begin(), intervals.end());
  for (Interval& interval : result) {
    if (!interval.optional || interval.end <= interval.call + *usual) continue;
    interval.end = interval.call + *usual;
    shortened = true;
  }
  if (!shortened) result.clear();
  return result;
}

// Gives equal states one small number.
template <class State>
class StateTable {
 public:
  StateTable() : numbers_(0, Hash{this}, Equal{this}) {}
  StateTable(const StateTable&) = delete;
  StateTable& operator=(const StateTable&) = delete;

  // The number of `state` and whether it is new.
  std::pair<uint32_t, bool> Intern(State&& state) {
    const Key key{&state, absl::Hash<State>()(state)};
    bool is_new = false;
    const auto it = numbers_.lazy_emplace(key, [&](const auto& make) {
      make(static_cast<uint32_t>(states_.size()));
      is_new = true;
    });
    if (is_new) {
      hashes_.push_back(key.hash);
      states_.push_back(std::move(state));
    }
    return {*it, is_new};
  }
  const State& operator[](uint32_t number) const { return states_[number]; }
  std::size_t size() const { return states_.size(); }
  void Clear() {
    numbers_.clear();
    states_.clear();
    hashes_.clear();
  }
  // Without what the states occupy outside of themselves.
  std::size_t bytes() const {
    return BytesWithGrowth(states_.size(), states_.capacity(), states_.capacity() * sizeof(State)) +
           BytesWithGrowth(hashes_.size(), hashes_.capacity(), hashes_.capacity() * sizeof(std::size_t)) +
           BytesWithGrowth(numbers_.size(), numbers_.capacity() / 8 * 7, numbers_.capacity() * (sizeof(uint32_t) + 1));
  }

 private:
  struct Key {
    const State* state;
    std::size_t hash;
  };
  struct Hash {
    using is_transparent = void;
    const StateTable* table;
    std::size_t operator()(const Key& key) const { return key.hash; }
    std::size_t operator()(uint32_t number) const { return table->hashes_[number]; }
  };
  struct Equal {
    using is_transparent = void;
    const StateTable* table;
    bool operator()(uint32_t a, uint32_t b) const { return a == b; }
    bool operator()(uint32_t a, const Key& b) const { return table->hashes_[a] == b.hash && table->states_[a] == *b.state; }
    bool operator()(const Key& a, uint32_t b) const { return (*this)(b, a); }
  };
  std::vector<State> states_;
  std::vector<std::size_t> hashes_;
  absl::flat_hash_set<uint32_t, Hash, Equal> numbers_;
};

// One search. See Linearize.
template <LinearizeModel Model>
class Search {
 public:
  using State = typename Model::State;

  Search(const Model& model, const SearchPlan& plan, const LinearizeOptions& options)
      : model_(model),
        plan_(plan),
        options_(options),
        words_(std::max(1, (plan.slots() + 63) / 64)),
        seen_(words_ + 1),
        key_(words_ + 1) {}

  // Straight through with little patience. kOk or kUnknown.
  LinearizeResult<State> Try(absl::Span<const State> initial) {
    Begin(initial);
    const int ends = static_cast<int>(plan_.ends().size());
    const Outcome outcome = Explore(0, ends, /*all=*/false, kTryPatience * (ends + kShortest), options_.memory_bytes / 4);
    return outcome == Outcome::kExhausted && !levels_.back().empty() ? Ok() : WithStats(Verdict::kUnknown);
  }

  LinearizeResult<State> Run(absl::Span<const State> initial) {
    Begin(initial);
    const int ends = static_cast<int>(plan_.ends().size());
    const bool all = options_.want_final_states;
    // Most histories are easy: straight through first, and with care only where that does not do.
    const bool has_cut = NextCut(0) < ends;
    Outcome outcome = has_cut ? Explore(0, ends, all, kPatience * (ends + kShortest), options_.memory_bytes / 4)
                              : Explore(0, ends, all, kNoLimit, options_.memory_bytes);
    int from = outcome == Outcome::kExhausted ? ends : 0;
    if (outcome == Outcome::kImpatient) outcome = Outcome::kExhausted;
    while (from < ends && outcome == Outcome::kExhausted && !levels_.back().empty()) {
      int to = NextCut(from);
      outcome = to < ends ? Explore(from, to, /*all=*/true, kCutPatience * (to - from), options_.memory_bytes / 4)
                          : Outcome::kImpatient;
      if (outcome == Outcome::kImpatient) outcome = Explore(from, to = ends, all, kNoLimit, options_.memory_bytes);
      from = to;
    }
    if (outcome == Outcome::kExhausted && levels_.back().empty()) return Illegal();
    if (outcome != Outcome::kExhausted) return Unknown(outcome);
    return Ok();
  }

 private:
  // A configuration at a cut, and how it was reached from one at the cut before.
  struct Carried {
    std::vector<uint64_t> taken;
    State state;
    uint32_t from;
    std::vector<StepRef> path;
    std::vector<uint32_t> passed;
  };
  // A configuration on the way from the cut before to here. Its bitset is a row of taken_.
  struct Frame {
    uint32_t end;  // the first end that has not passed
    uint32_t state;
    uint32_t tried;           // the last candidate tried
    uint32_t next_candidate;  // to try
    uint32_t first_state;     // into pending_: the states that the last tried step leads to, still to be entered
    uint32_t row;             // its number in seen_
    uint32_t optional_taken;  // steps of unknown outcome on the way here
    bool stuck;               // no step was allowed so far
    bool may_pass;            // the end may pass without its call, and this was not tried
    bool resumed;             // it was put off, and now takes steps of unknown outcome
    bool passed;              // of an end whose call was taken before: it passed already
  };
  // How a configuration was reached first.
  struct Origin {
    uint32_t parent;  // a row, or kNone
    uint32_t step;    // or kNone: an end passed
  };
  // A configuration whose steps of unknown outcome are still to be tried. Most of them never help: they wait until nothing else
  // is left, and then the furthest configurations with the fewest such steps come first.
  struct PutOff {
    int64_t score;
    uint32_t row;
    uint32_t next_candidate;
    uint32_t optional_taken;
    bool stuck;
    friend bool operator<(const PutOff& a, const PutOff& b) { return std::tie(a.score, a.row) < std::tie(b.score, b.row); }
  };
  enum class Outcome { kExhausted, kImpatient, kMemory, kSteps, kTime };

  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  // The model is told when ends pass, so none passes before it was tried what can come first.
  static constexpr bool kTidies = requires(const Model& model, State* state) { model.Passed(0, state); };
  // How many ends a configuration may be behind for one step of unknown outcome less.
  static constexpr int64_t kEndsPerOptional = 8;
  static constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
  // Configurations per end: what going straight through may cost, and what finding all at a cut may cost.
  static constexpr uint64_t kPatience = 4;
  static constexpr uint64_t kCutPatience = 64;
  // ... and looking for an order in which calls of unknown outcome behave as others do.
  static constexpr uint64_t kTryPatience = 64;
  // Fewer ends than these are not worth a cut.
  static constexpr int kShortest = 16;
  static constexpr uint64_t kMovesBetweenChecks = 16;
  static constexpr uint64_t kMovesBetweenTimes = 1024;

  void Begin(absl::Span<const State> initial) {
    std::vector<Carried>& first = levels_.emplace_back();
    for (const State& state : initial) first.push_back({std::vector<uint64_t>(words_), state, 0, {}, {}});
  }

  int NextCut(int from) const {
    const int ends = static_cast<int>(plan_.ends().size());
    for (int to = std::min(from + kShortest, ends); to < ends; ++to) {
      if (plan_.ends()[to - 1].cut) return to;
    }
    return ends;
  }

  static bool Has(const uint64_t* bits, int slot) { return (bits[slot / 64] >> (slot % 64) & 1) != 0; }
  static void Set(uint64_t* bits, int slot) { bits[slot / 64] |= uint64_t{1} << (slot % 64); }
  static void Unset(uint64_t* bits, int slot) { bits[slot / 64] &= ~(uint64_t{1} << (slot % 64)); }

  // Finds the configurations at end `to` that follow from levels_.back(): all of them, or else at least one. Adds a level.
  Outcome Explore(int from, int to, bool all, uint64_t patience, std::size_t memory) {
    seen_.Clear();
    states_.Clear();
    state_bytes_ = 0;
    frames_.clear();
    taken_.clear();
    relevant_.clear();
    pending_.clear();
    origins_.clear();
    put_off_.clear();
    to_ = to;
    found_.clear();
    found_bytes_ = 0;
    blocked_.clear();
    blocked_end_ = static_cast<uint32_t>(from);
    const std::vector<Carried>& starts = levels_.back();
    for (start_ = 0; start_ < starts.size() && (all || found_.empty()); ++start_) {
      std::copy(starts[start_].taken.begin(), starts[start_].taken.end(), key_.begin() + 1);
      Enter(from, Intern(State(starts[start_].state)), {kNone, kNone}, 0);
      while ((!frames_.empty() || Resume()) && (all || found_.empty())) {
        Advance();
        if (const Outcome outcome = CheckLimits(patience, memory); outcome != Outcome::kExhausted) {
          configurations_ += seen_.size();
          return outcome;
        }
      }
    }
    configurations_ += seen_.size();
    if (found_.empty()) TellRefusals();
    levels_.push_back(std::move(found_));
    carried_bytes_ += found_bytes_;
    return Outcome::kExhausted;
  }

  // One move of the depth first search.
  void Advance() {
    Frame& frame = frames_.back();
    const uint64_t* taken = &taken_[taken_.size() - words_];
    if (pending_.size() > frame.first_state) {
      const uint32_t state = pending_.back();
      pending_.pop_back();
      const SearchPlan::Candidate& candidate = plan_.candidates(plan_.ends()[frame.end])[frame.tried];
      std::copy(taken, taken + words_, key_.begin() + 1);
      Set(key_.data() + 1, candidate.slot);
      const uint32_t more = plan_.steps()[candidate.step].optional ? 1 : 0;
      Enter(frame.end, state, {frame.row, candidate.step}, frame.optional_taken + more);
      return;
    }
    const SearchPlan::End& end = plan_.ends()[frame.end];
    if (frame.may_pass) {
      frame.may_pass = false;
      frame.stuck = false;
      std::copy(taken, taken + words_, key_.begin() + 1);
      for (int part = 0; part < end.parts; ++part) Unset(key_.data() + 1, end.slot + part);
      Enter(frame.end + 1, Passed(end.op, frame.state), {frame.row, kNone}, frame.optional_taken);
      return;
    }
    const absl::Span<const SearchPlan::Candidate> candidates = plan_.candidates(end);
    const bool ended = kTidies && Has(taken, end.slot + end.parts - 1);
    while (frame.next_candidate < candidates.size()) {
      frame.tried = frame.next_candidate++;
      const SearchPlan::Candidate& candidate = candidates[frame.tried];
      if (Has(taken, candidate.slot) || (candidate.after >= 0 && !Has(taken, candidate.after))) continue;
      const SearchPlan::Step& step = plan_.steps()[candidate.step];
      if (plan_.has_pairs()) {
        const bool relevant = Has(&relevant_[relevant_.size() - words_], candidate.slot) || ended || (kTidies && step.eager);
        if (!relevant || Needy(end, frame.tried, taken)) continue;
      }
      if (ended && !step.eager && !frame.passed) {
        frame.next_candidate = frame.tried;
        PassEnd(frame, end, taken);
        return;
      }
      if (step.optional && !step.eager && !frame.resumed) {
        PutOffLast();
        return;
      }
      Ask(states_[frame.state], step.ref);
      if (next_.empty()) continue;
      frame.stuck = false;
      for (auto state = next_.rbegin(); state != next_.rend(); ++state) pending_.push_back(Intern(std::move(*state)));
      // A pure step is taken now and nothing else: it disturbs nobody, so no order is lost. So is an eager one.
      if (step.eager && (!step.pure || pending_.back() == frame.state)) {
        frame.next_candidate = static_cast<uint32_t>(candidates.size());
        frame.passed = true;  // it will, further on
        if (step.pure) pending_.resize(frame.first_state + 1, frame.state);
        if (step.pure) pending_.back() = frame.state;
      }
      return;
    }
    if (ended && !frame.passed) {
      PassEnd(frame, end, taken);
      return;
    }
    if (frame.stuck && frame.end >= blocked_end_) RememberBlocked(frame, taken);
    PopFrame();
  }

  // The call of this end was taken before: the end passes.
  void PassEnd(Frame& frame, const SearchPlan::End& end, const uint64_t* taken) {
    frame.passed = true;
    frame.stuck = false;
    std::copy(taken, taken + words_, key_.begin() + 1);
    for (int part = 0; part < end.parts; ++part) Unset(key_.data() + 1, end.slot + part);
    Enter(frame.end + 1, Passed(end.op, frame.state), {frame.row, kNone}, frame.optional_taken);
  }
  // Whether some step may still be taken before the end passes.
  bool AnyLeft(const SearchPlan::End& end, const uint64_t* taken) const {
    const absl::Span<const SearchPlan::Candidate> candidates = plan_.candidates(end);
    return std::any_of(candidates.begin(), candidates.end(), [&](const auto& candidate) { return !Has(taken, candidate.slot); });
  }

  void PopFrame() {
    frames_.pop_back();
    taken_.resize(taken_.size() - words_);
    if (plan_.has_pairs()) relevant_.resize(relevant_.size() - words_);
  }

  void PutOffLast() {
    const Frame& frame = frames_.back();
    const int64_t score = static_cast<int64_t>(frame.end) - kEndsPerOptional * frame.optional_taken;
    put_off_.push_back({score, frame.row, frame.tried, frame.optional_taken, frame.stuck});
    std::push_heap(put_off_.begin(), put_off_.end());
    PopFrame();
  }
  // Takes up the best of those put off. False: there is none.
  bool Resume() {
    if (put_off_.empty()) return false;
    std::pop_heap(put_off_.begin(), put_off_.end());
    const PutOff best = put_off_.back();
    put_off_.pop_back();
    const uint64_t* key = seen_.Row(best.row);
    Frame frame = NewFrame(static_cast<uint32_t>(key[0] >> 32), static_cast<uint32_t>(key[0]), best.row, best.optional_taken);
    frame.next_candidate = best.next_candidate;
    frame.stuck = best.stuck;
    frame.may_pass = false;
    frame.resumed = true;
    frame.passed = true;
    PushFrame(frame, key + 1);
    return true;
  }

  // Whether a step that has to come before this candidate was not taken yet.
  bool Needy(const SearchPlan::End& end, std::size_t candidate, const uint64_t* taken) const {
    const uint64_t* needs = plan_.Needs(end, candidate);
    for (int i = 0; i < words_; ++i) {
      if ((needs[i] & ~taken[i]) != 0) return true;
    }
    return false;
  }

  // Which steps are to be tried in the configuration just entered: that of the next end, and whatever has to be ordered with one
  // that is to be tried. All others commute with these, so an order in which one comes first can be told with it later.
  void FindRelevant(const SearchPlan::End& end, const uint64_t* taken) {
    relevant_.resize(relevant_.size() + words_, 0);
    uint64_t* relevant = &relevant_[relevant_.size() - words_];
    for (int part = 0; part < end.parts; ++part) Set(relevant, end.slot + part);
    const absl::Span<const SearchPlan::Candidate> candidates = plan_.candidates(end);
    spread_.assign(words_, 0);
    for (bool grew = true; grew;) {
      grew = false;
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        const int slot = candidates[i].slot;
        if (!Has(relevant, slot) || Has(spread_.data(), slot) || Has(taken, slot)) continue;
        Set(spread_.data(), slot);
        const uint64_t* needs = plan_.Needs(end, i);
        const uint64_t* touches = plan_.Touches(end, i);
        for (int word = 0; word < words_; ++word) relevant[word] |= needs[word] | touches[word];
        grew = true;
      }
    }
  }

  Frame NewFrame(uint32_t end, uint32_t state, uint32_t row, uint32_t optional_taken) const {
    return {end, state, 0, 0, 0, row, optional_taken, true, plan_.ends()[end].optional, false, false};
  }
  void PushFrame(Frame frame, const uint64_t* taken) {
    frame.first_state = static_cast<uint32_t>(pending_.size());
    taken_.insert(taken_.end(), taken, taken + words_);
    if (plan_.has_pairs()) FindRelevant(plan_.ends()[frame.end], taken);
    frames_.push_back(frame);
  }

  // Enters the configuration whose bitset is in key_, unless it was seen: passes the ends whose calls are taken whole.
  void Enter(uint32_t at, uint32_t state, Origin origin, uint32_t optional_taken) {
    uint64_t* taken = key_.data() + 1;
    for (; at < to_; ++at) {
      const SearchPlan::End& end = plan_.ends()[at];
      if (!Has(taken, end.slot + end.parts - 1) || (kTidies && AnyLeft(end, taken))) break;
      for (int part = 0; part < end.parts; ++part) Unset(taken, end.slot + part);
      state = Passed(end.op, state);
    }
    key_[0] = static_cast<uint64_t>(at) << 32 | state;
    const auto [row, is_new] = seen_.Insert(key_.data());
    if (!is_new) return;
    origins_.push_back(origin);
    if (at == to_) {
      found_.push_back({std::vector<uint64_t>(taken, taken + words_), states_[state], static_cast<uint32_t>(start_), {}, {}});
      FindPath(row, &found_.back());
      found_bytes_ += 2 * sizeof(Carried) + found_.back().path.capacity() * sizeof(StepRef) +
                      found_.back().passed.capacity() * sizeof(uint32_t) + words_ * sizeof(uint64_t) +
                      StateBytes(model_, states_[state]);
      return;
    }
    PushFrame(NewFrame(at, state, row, optional_taken), taken);
  }

  uint32_t Passed(int op, uint32_t state) {
    if constexpr (kTidies) {
      State tidied = states_[state];
      model_.Passed(op, &tidied);
      return Intern(std::move(tidied));
    }
    return state;
  }

  void Ask(const State& state, StepRef step) {
    ++steps_;
    next_.clear();
    if (!options_.weakened.empty() && options_.weakened[step.op]) {
      if constexpr (requires { model_.StepWeakened(state, step.op, step.part, &next_); }) {
        model_.StepWeakened(state, step.op, step.part, &next_);
        return;
      }
    }
    model_.Step(state, step.op, step.part, &next_);
  }

  uint32_t Intern(State&& state) {
    const auto [number, is_new] = states_.Intern(std::move(state));
    if (is_new) state_bytes_ += StateBytes(model_, states_[number]) - sizeof(State);
    return number;
  }

  void FindPath(uint32_t row, Carried* reached) const {
    for (; origins_[row].parent != kNone; row = origins_[row].parent) {
      if (origins_[row].step == kNone) continue;
      reached->path.push_back(plan_.steps()[origins_[row].step].ref);
      reached->passed.push_back(static_cast<uint32_t>(seen_.Row(origins_[row].parent)[0] >> 32));
    }
    std::reverse(reached->path.begin(), reached->path.end());
    std::reverse(reached->passed.begin(), reached->passed.end());
  }

  template <class T>
  static std::size_t Bytes(const std::vector<T>& vector) {
    return BytesWithGrowth(vector.size(), vector.capacity(), vector.capacity() * sizeof(T));
  }
  Outcome CheckLimits(uint64_t patience, std::size_t memory) {
    if (steps_ >= options_.max_steps) return Outcome::kSteps;
    if (seen_.size() > patience) return Outcome::kImpatient;
    if (++moves_ % kMovesBetweenChecks != 0) return Outcome::kExhausted;
    const std::size_t bytes = plan_.bytes() + carried_bytes_ + found_bytes_ + seen_.bytes() + states_.bytes() + state_bytes_ +
                              Bytes(frames_) + Bytes(taken_) + Bytes(relevant_) + Bytes(origins_) + Bytes(put_off_) +
                              Bytes(pending_) + Bytes(blocked_);
    if (bytes > options_.memory_bytes) return Outcome::kMemory;
    if (bytes > memory) return Outcome::kImpatient;
    peak_bytes_ = std::max(peak_bytes_, bytes);
    if (moves_ % kMovesBetweenTimes == 0 && options_.out_of_time && options_.out_of_time()) return Outcome::kTime;
    return Outcome::kExhausted;
  }

  // A configuration that no step extends, at the furthest end so far.
  struct Blocked {
    uint32_t state;
    StepRef step;
  };
  void RememberBlocked(const Frame& frame, const uint64_t* taken) {
    if (frame.end > blocked_end_) blocked_.clear();
    blocked_end_ = frame.end;
    blocked_.push_back({frame.state, Obstacle(plan_.ends()[frame.end], taken)});
  }
  // The step that stands in the way of an end: the end's own, or one that has to come before it.
  StepRef Obstacle(const SearchPlan::End& end, const uint64_t* taken) const {
    const absl::Span<const SearchPlan::Candidate> candidates = plan_.candidates(end);
    int slot = end.slot;
    while (Has(taken, slot)) ++slot;
    std::size_t found = 0;
    for (std::size_t hops = 0; hops <= candidates.size(); ++hops) {
      while (candidates[found].slot != slot) found = (found + 1) % candidates.size();
      if (!plan_.has_pairs()) break;
      const uint64_t* needs = plan_.Needs(end, found);
      int needed = 0;
      while (needed < plan_.slots() && !(Has(needs, needed) && !Has(taken, needed))) ++needed;
      if (needed == plan_.slots()) break;
      slot = needed;
    }
    return plan_.steps()[candidates[found].step].ref;
  }
  void TellRefusals() {
    for (const Blocked& blocked : blocked_) {
      ++refusals_[model_.Refusal(states_[blocked.state], blocked.step.op, blocked.step.part)];
    }
  }

  LinearizeResult<State> Ok() {
    LinearizeResult<State> result = WithStats(Verdict::kOk);
    std::vector<const Carried*> links;
    uint32_t at = 0;
    for (std::size_t level = levels_.size() - 1; level > 0; --level) {
      links.push_back(&levels_[level][at]);
      at = links.back()->from;
    }
    for (auto link = links.rbegin(); link != links.rend(); ++link) {
      result.witness.insert(result.witness.end(), (*link)->path.begin(), (*link)->path.end());
      result.passed.insert(result.passed.end(), (*link)->passed.begin(), (*link)->passed.end());
    }
    if (options_.want_final_states) {
      absl::flat_hash_set<State> distinct;
      for (const Carried& last : levels_.back()) {
        if (distinct.insert(last.state).second) result.final_states.push_back(last.state);
      }
    }
    return result;
  }

  LinearizeResult<State> Illegal() {
    LinearizeResult<State> result = WithStats(Verdict::kIllegal);
    result.blocked = plan_.ends()[blocked_end_].op;
    result.refusals = std::move(refusals_);
    return result;
  }

  LinearizeResult<State> Unknown(Outcome outcome) {
    LinearizeResult<State> result = WithStats(Verdict::kUnknown);
    switch (outcome) {
      case Outcome::kMemory:
        result.reason = UnknownReason::kMemory;
        result.detail = "the search reached its memory limit";
        break;
      case Outcome::kSteps:
        result.reason = UnknownReason::kSteps;
        result.detail = "the search reached its limit of steps";
        break;
      default:
        result.reason = UnknownReason::kTime;
        result.detail = "the search ran out of time";
    }
    return result;
  }

  LinearizeResult<State> WithStats(Verdict verdict) const {
    LinearizeResult<State> result;
    result.verdict = verdict;
    result.stats = {steps_, configurations_, peak_bytes_};
    return result;
  }

  const Model& model_;
  const SearchPlan& plan_;
  const LinearizeOptions& options_;
  const int words_;  // of a bitset

  std::vector<std::vector<Carried>> levels_;  // at each cut so far
  std::size_t carried_bytes_ = 0;

  // Since the last cut.
  ConfigurationSet seen_;  // rows of (end << 32 | state, bitset)
  StateTable<State> states_;
  std::size_t state_bytes_ = 0;
  std::vector<Frame> frames_;
  std::vector<uint64_t> taken_;     // a row a frame
  std::vector<uint64_t> relevant_;  // a row a frame, where pairs are known
  std::vector<uint64_t> spread_;    // scratch of FindRelevant
  std::vector<uint32_t> pending_;
  std::vector<Origin> origins_;  // a row of seen_ each
  std::vector<PutOff> put_off_;  // a heap
  std::vector<Carried> found_;
  std::size_t found_bytes_ = 0;
  std::size_t start_ = 0;
  uint32_t to_ = 0;

  std::vector<uint64_t> key_;  // scratch: the row being entered
  std::vector<State> next_;    // scratch: the model's answer
  uint32_t blocked_end_ = 0;
  std::vector<Blocked> blocked_;
  std::map<int, uint64_t> refusals_;
  uint64_t steps_ = 0;
  uint64_t moves_ = 0;
  uint64_t configurations_ = 0;
  std::size_t peak_bytes_ = 0;
};

}  // namespace linearize_internal

// Judges `history`: is there an order, from one of the `initial` states? `model` is asked about calls by their index in it.
template <LinearizeModel Model>
LinearizeResult<typename Model::State> Linearize(const Model& model, absl::Span<const Interval> history,
                                                 absl::Span<const typename Model::State> initial,
                                                 const LinearizeOptions& options) {
  std::vector<Interval> intervals(history.begin(), history.end());
  std::vector<CallHint> hints(history.size());
  std::vector<bool> unseen(history.size());
  for (std::size_t op = 0; op < history.size(); ++op) {
    const bool weakened = !options.weakened.empty() && options.weakened[op];
    unseen[op] = weakened;
    if (weakened) intervals[op].optional = true;
    hints[op].pure = linearize_internal::Pure(model, static_cast<int>(op), weakened);
    hints[op].eager = linearize_internal::Eager(model, static_cast<int>(op), weakened);
    if (!weakened) hints[op].alike = linearize_internal::Alike(model, static_cast<int>(op));
  }
  if (initial.empty()) {
    LinearizeResult<typename Model::State> result;
    result.reason = UnknownReason::kHistory;
    result.detail = "there is no initial state";
    return result;
  }
  MarkedOrder order;
  PairHints pairs;
  if (linearize_internal::kTellsOrder<Model> && !options.ignore_order_hints) {
    std::vector<std::vector<Mark>> marks(history.size());
    for (std::size_t op = 0; op < history.size(); ++op) {
      if (!unseen[op]) linearize_internal::AppendMarks(model, static_cast<int>(op), &marks[op]);
    }
    order = MarkedOrder(intervals, marks);
    intervals = order.intervals();
    pairs = [&](int a, int b) {
      const bool commute = linearize_internal::Commute(model, a, unseen[a], b, unseen[b]);
      return PairHint{order.Before(a, b), order.Before(b, a), commute};
    };
  }
  LinearizeStats tried;
  LinearizeOptions left = options;
  constexpr bool kIsToldOfEnds = requires(const Model& m, typename Model::State* state) { m.Passed(0, state); };
  if (!kIsToldOfEnds && !options.want_final_states && options.weakened.empty()) {
    const std::vector<Interval> usual = linearize_internal::UsualTimes(intervals);
    if (!usual.empty()) {
      const absl::StatusOr<SearchPlan> plan = SearchPlan::Make(usual, hints, pairs, options.memory_bytes / 2);
      if (plan.ok()) {
        auto result = linearize_internal::Search<Model>(model, *plan, options).Try(initial);
        if (result.verdict == Verdict::kOk) return result;
        tried = result.stats;
        left.max_steps -= std::min(left.max_steps, tried.steps);
      }
    }
  }
  const absl::StatusOr<SearchPlan> plan = SearchPlan::Make(intervals, hints, pairs, options.memory_bytes);
  if (!plan.ok()) {
    LinearizeResult<typename Model::State> result;
    result.reason = absl::IsResourceExhausted(plan.status()) ? UnknownReason::kMemory : UnknownReason::kHistory;
    result.detail = std::string(plan.status().message());
    return result;
  }
  auto result = linearize_internal::Search<Model>(model, *plan, left).Run(initial);
  result.stats.steps += tried.steps;
  result.stats.configurations += tried.configurations;
  result.stats.peak_bytes = std::max(result.stats.peak_bytes, tried.peak_bytes);
  if (result.blocked >= 0) {
    result.blocked = linearize_internal::EndsAt(history, unseen, intervals[result.blocked].end, order, result.blocked);
  }
  return result;
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_H_
