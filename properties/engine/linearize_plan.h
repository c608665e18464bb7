// What the linearizability search knows of a history before it starts: the calls' intervals, turned into a sequence of ends.
//
// At any moment of the search all calls that ended before some end `e` are settled, and of those open at `e` some have been
// taken. So a configuration is (e, which steps of the open calls were taken, state). Every step of an open call has a *slot*, a
// bit that is used again once its call has ended: the bitset is as wide as the history is concurrent, however long it is.
#ifndef LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_PLAN_H_
#define LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace leasecheck::engine {

// A point of the history's one total order. Only the order counts.
using Instant = int64_t;
inline constexpr Instant kOpen = std::numeric_limits<Instant>::max();

// When a call may have taken effect. X comes before Y in real time iff X.end < Y.call.
struct Interval {
  Instant call = 0;
  // Answered: when the answer came. Unknown outcome: the effect came before this instant or never. kOpen: no such bound.
  Instant end = kOpen;
  // The call may or may not have happened; of several parts the first few may have.
  bool optional = false;
  // The atomic steps that the call consists of, taken in this order within the interval. At least 1.
  int parts = 1;
};

// One atomic step: part `part` of call `op`, an index into the history.
struct StepRef {
  int op = 0;
  int part = 0;
  friend bool operator==(const StepRef&, const StepRef&) = default;
};

// What the model says of a call before the search.
struct CallHint {
  bool pure = false;   // it changes no state in which it is allowed
  bool eager = false;  // it loses nothing by being taken as soon as it is allowed
  int alike = -1;      // calls of one class have the same steps in every state; -1: none such
};

// What is known of two calls whatever the state.
struct PairHint {
  bool before = false;    // the first has to come before the second
  bool after = false;     // the second has to come before the first
  bool commutes = false;  // it makes no difference, now or later, which comes first
};
using PairHints = std::function<PairHint(int, int)>;

// The ends of a history in order, and what is open at each. Immutable.
class SearchPlan {
 public:
  struct Step {
    StepRef ref;
    bool pure = false;
    bool eager = false;  // or pure
    bool optional = false;
  };
  struct Candidate {
    uint32_t step = 0;  // into steps()
    int16_t slot = 0;
    int16_t after = -1;  // the slot of a step that has to be taken before: the part before, or an earlier call just alike
  };
  struct End {
    int op = 0;
    int16_t slot = 0;  // of part 0; the other parts' follow
    int16_t parts = 1;
    bool optional = false;            // it passes in any case
    bool cut = false;                 // behind it only calls of unknown outcome are open
    std::size_t first_candidate = 0;  // into candidates()
    std::size_t last_candidate = 0;   // behind the last
  };

  // `hints` are per call. Calls that are optional and pure tell nothing and are left out. `pairs` is asked about every two calls
  // that are open at one time; null: nothing is known.
  // InvalidArgument: an interval that ends before it begins, or without a part. ResourceExhausted: larger than `max_bytes`, or
  // more steps open at one time than a configuration can hold (32,767).
  static absl::StatusOr<SearchPlan> Make(absl::Span<const Interval> history, absl::Span<const CallHint> hints,
                                         const PairHints& pairs, std::size_t max_bytes);

  absl::Span<const End> ends() const { return ends_; }
  absl::Span<const Step> steps() const { return steps_; }
  // Those open at an end: eager ones first, the least urgent before the others; then pure ones, then all others, those of unknown
  // outcome last, the most urgent first.
  absl::Span<const Candidate> candidates(const End& end) const {
    return absl::MakeConstSpan(candidates_).subspan(end.first_candidate, end.last_candidate - end.first_candidate);
  }
  int slots() const { return slots_; }
  int words() const { return (slots_ + 63) / 64; }  // of a row of bits, one a slot

  // Where pairs are known: of each candidate the slots of the steps that have to be taken before it, and of those that it has to
  // be ordered with: they are to be tried where it is tried.
  bool has_pairs() const { return !rows_.empty(); }
  const uint64_t* Needs(const End& end, std::size_t candidate) const { return Row(end, candidate); }
  const uint64_t* Touches(const End& end, std::size_t candidate) const { return Row(end, candidate) + words(); }
  std::size_t bytes() const;

 private:
  friend class PlanBuilder;
  const uint64_t* Row(const End& end, std::size_t candidate) const {
    return &rows_[(end.first_candidate + candidate) * 2 * static_cast<std::size_t>(words())];
  }
  std::vector<End> ends_;
  std::vector<Step> steps_;
  std::vector<Candidate> candidates_;
  std::vector<uint64_t> rows_;  // two a candidate
  int slots_ = 0;
};

// What a container of `bytes` bytes occupies, or what it will while it grows (the old and the new, twice as large) where it is
// soon to grow: so that a limit is noticed before it is passed. It holds `size` of the `capacity` elements at which it grows.
constexpr std::size_t BytesWithGrowth(std::size_t size, std::size_t capacity, std::size_t bytes) {
  constexpr std::size_t kSoon = 4096;
  return size + kSoon >= capacity ? 3 * bytes : bytes;
}

// A set of fixed-width keys, each a row of 64-bit words, that grows without copying them and knows what it occupies.
class ConfigurationSet {
 public:
  explicit ConfigurationSet(int words) : words_(words), rows_(0, Hash{this}, Equal{this}) {}
  ConfigurationSet(const ConfigurationSet&) = delete;
  ConfigurationSet& operator=(const ConfigurationSet&) = delete;

  // The number of the row that equals `key`, which is `words` long, and whether it is new. Rows are numbered from 0 on.
  std::pair<uint32_t, bool> Insert(const uint64_t* key);
  const uint64_t* Row(uint32_t row) const { return blocks_[row / kRowsPerBlock].get() + (row % kRowsPerBlock) * words_; }
  void Clear();
  std::size_t size() const { return size_; }
  std::size_t bytes() const;

 private:
  static constexpr uint32_t kRowsPerBlock = 1024;
  struct Hash {
    using is_transparent = void;
    const ConfigurationSet* set;
    std::size_t operator()(const uint64_t* key) const;
    std::size_t operator()(uint32_t row) const { return (*this)(set->Row(row)); }
  };
  struct Equal {
    using is_transparent = void;
    const ConfigurationSet* set;
    bool operator()(const uint64_t* a, const uint64_t* b) const;
    bool operator()(uint32_t a, uint32_t b) const { return a == b; }
    bool operator()(uint32_t a, const uint64_t* b) const { return (*this)(set->Row(a), b); }
    bool operator()(const uint64_t* a, uint32_t b) const { return (*this)(a, set->Row(b)); }
  };

  int words_;
  uint32_t size_ = 0;
  std::vector<std::unique_ptr<uint64_t[]>> blocks_;
  absl::flat_hash_set<uint32_t, Hash, Equal> rows_;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_PLAN_H_
