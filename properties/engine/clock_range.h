// What the clock of the store may have read during each call of a history. Several clients may move it, also at the same time.
#ifndef LEASECHECK_PROPERTIES_ENGINE_CLOCK_RANGE_H_
#define LEASECHECK_PROPERTIES_ENGINE_CLOCK_RANGE_H_

#include <algorithm>
#include <vector>

#include "model/time.h"
#include "properties/engine/history.h"

namespace leasecheck::engine {

template <class F>
class ClockRange {
 public:
  explicit ClockRange(const History<F>& history) : start_(history.start) {
    for (const CallRecord<F>& call : history.calls) {
      if (const auto* clock = std::get_if<SetClock>(&call.action))
        moves_.push_back({call.called, call.returned, clock->now, call.called, call.called});
    }
    std::sort(moves_.begin(), moves_.end(), [](const Move& a, const Move& b) { return a.returned < b.returned; });
    for (std::size_t i = 1; i < moves_.size(); ++i) moves_[i].last_called = std::max(moves_[i].called, moves_[i - 1].last_called);
    for (std::size_t i = moves_.size(); i-- > 1;) {
      moves_[i - 1].first_called = std::min(moves_[i - 1].called, moves_[i].first_called);
    }
  }
  // The most that it may have read: by a move that overlaps the call, or by one of the last before it, whose order is not known
  // where they overlapped each other.
  EpochMs Latest(const CallRecord<F>& call) const {
    if (call.window.has_value()) return call.window->latest;
    return Bound(call, 0, [](EpochMs a, EpochMs b) { return std::max(a, b); });
  }
  // The least, likewise.
  EpochMs Earliest(const CallRecord<F>& call) const {
    if (call.window.has_value()) return call.window->earliest;
    return Bound(call, kEndOfTime, [](EpochMs a, EpochMs b) { return std::min(a, b); });
  }

 private:
  template <class Pick>
  EpochMs Bound(const CallRecord<F>& call, EpochMs bound, Pick pick) const {
    const auto returned_by = [this](Instant instant) {
      return std::partition_point(moves_.begin(), moves_.end(), [&](const Move& move) { return move.returned < instant; });
    };
    auto move = returned_by(call.called);
    if (move == moves_.begin()) {
      bound = start_;
    } else {
      move = returned_by(std::prev(move)->last_called);
    }
    for (; move != moves_.end() && move->first_called < call.returned; ++move) {
      if (move->called < call.returned) bound = pick(bound, move->now);
    }
    return bound;
  }

  struct Move {
    Instant called;
    Instant returned;
    EpochMs now;
    Instant last_called;   // of this move and those that returned before it
    Instant first_called;  // of this move and those that returned after it
  };
  EpochMs start_;
  std::vector<Move> moves_;  // in the order in which they returned
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_CLOCK_RANGE_H_
