// What answers tell of the order of calls before any search: the orders that their marks (model/mark.h) force.
//
// Such an order narrows intervals: where X came before Y, X took effect before Y's end, and Y after X was called.
#ifndef LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_ORDER_H_
#define LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_ORDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "model/mark.h"
#include "properties/engine/linearize_plan.h"

namespace leasecheck::engine {

// The orders that the marks of a history's calls force. Immutable.
class MarkedOrder {
 public:
  // Nothing is marked, nothing is forced.
  MarkedOrder() = default;
  // `marks` are per call. Calls that may not have happened force nothing on others.
  MarkedOrder(absl::Span<const Interval> history, const std::vector<std::vector<Mark>>& marks);

  // Whether the marks say that call `a` comes before call `b`, if both happened. Where they say so of `b` and `a` too, or where
  // real time says otherwise, the counter in question is left out everywhere: the model is to find what is wrong.
  bool Before(int a, int b) const;
  bool empty() const { return entries_.empty(); }
  // The history's intervals, narrowed: the same orders explain it. Instants are multiplied by kScale, so that of two that were
  // narrowed to one the first comes first.
  static constexpr Instant kScale = 1024;
  const std::vector<Interval>& intervals() const { return intervals_; }

 private:
  struct Entry {
    int counter;
    uint64_t before;
    uint64_t after;
  };
  struct Reading {
    int op;
    uint64_t before;
    uint64_t after;
  };
  // One pass over one counter. kContradiction: some interval would be empty, and nothing was changed.
  enum class Narrowing { kNothing, kSome, kContradiction };
  bool Contradict(std::vector<Reading> readings) const;
  Narrowing Narrow(const std::vector<Reading>& readings);
  void NarrowAll(std::vector<std::vector<Reading>>* counters);
  absl::Span<const Entry> EntriesOf(int op) const;

  std::vector<Interval> intervals_;
  std::vector<Entry> entries_;  // by call, then by counter
  std::vector<std::size_t> first_entry_;
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_ORDER_H_
