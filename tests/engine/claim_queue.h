// The claim queue again, as a model that leaves open what no answer has settled yet: much faster to search than ClaimModel, which
// says the same in the plainest way.
//
// An item that becomes ready (enqueue, abandon, expire) takes its place in the queue at some moment of its call; which moment is
// left open until its call has ended. So the ready list is no list but an interval order: a word of events, "x may be in from
// here" and "x is in by now". x precedes y where the second event of x comes before the first of y. A claim in fifo order may
// take whatever nothing precedes; a claim that answers "empty" needs that nothing has to be in by now.
//
// Taken so, nearly every call loses nothing by being taken as soon as it is allowed:
// - becoming ready: its moment stays open;
// - a claim of an item that nothing precedes: in any order that goes on, the claims before it were of items that nothing
//   precedes either, so it may as well be first;
// - settling a claim, once all renewals that its tokens put before it are taken: nothing else needs it live.
// Only calls of unknown outcome, and calls of tokens that a "stale" may have come before, are tried out. So most histories are
// decided in one straight pass.
//
// The order found is one of ClaimQueue; Arrange turns it into one of ClaimModel. What is eager was found from all answers
// together, so answers cannot be forgotten here: cores are ClaimModel's to find.
#ifndef LEASECHECK_TESTS_ENGINE_CLAIM_QUEUE_H_
#define LEASECHECK_TESTS_ENGINE_CLAIM_QUEUE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "properties/engine/linearize.h"
#include "properties/engine/linearize_order.h"
#include "tests/engine/linearize_models.h"

namespace leasecheck::engine {

class ClaimQueue {
 public:
  struct Event {
    int item = 0;
    int16_t token = 0;  // of the item's last claim
    bool in = false;    // by now; else: it may be in from here
    friend bool operator==(const Event&, const Event&) = default;
    friend bool operator<(const Event& a, const Event& b) { return a.item < b.item; }
    template <typename H>
    friend H AbslHashValue(H h, const Event& event) {
      return H::combine(std::move(h),
                        static_cast<uint64_t>(event.item) << 32 | static_cast<uint64_t>(event.token) << 1 | event.in);
    }
  };
  using Items = ClaimModel::Items;
  struct State {
    // Neighbours of one kind stand by item. In any order the events of one item stand together. An item's second event comes
    // behind its first.
    absl::InlinedVector<Event, 16> ready;
    Items live;  // claimed, by item
    friend bool operator==(const State&, const State&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const State& state) {
      return H::combine(std::move(h), state.ready, state.live);
    }
  };

  // Both are borrowed.
  ClaimQueue(const std::vector<ClaimOp>& ops, const std::vector<Interval>& history, bool fifo) : ops_(ops), fifo_(fifo) {
    absl::flat_hash_map<Attempt, int> claims;
    absl::flat_hash_set<Attempt> twice;
    for (std::size_t op = 0; op < ops.size(); ++op) {
      if (ops[op].kind != ClaimOp::kClaim || ops[op].answer != ClaimOp::kOk) continue;
      if (!claims.try_emplace(AttemptOf(ops[op]), op).second) twice.insert(AttemptOf(ops[op]));
    }
    late_stale_.assign(ops.size(), false);
    absl::flat_hash_set<Attempt> open;  // a "stale" may have come before the claim as well as after its end
    for (std::size_t op = 0; op < ops.size(); ++op) {
      if (ops[op].answer != ClaimOp::kStale) continue;
      const auto claim = claims.find(AttemptOf(ops[op]));
      if (claim != claims.end() && !twice.contains(claim->first) && history[claim->second].end < history[op].call) {
        late_stale_[op] = true;
      } else {
        open.insert(AttemptOf(ops[op]));
      }
    }
    for (std::size_t op = 0; op < ops.size(); ++op) {
      const bool never_ends = history[op].optional && history[op].end == kOpen && ops[op].kind == ClaimOp::kEnqueue;
      eager_.push_back((never_ends || !history[op].optional) && !open.contains(AttemptOf(ops[op])));
    }
  }

  void Step(const State& state, int index, int, std::vector<State>* next) const {
    const ClaimOp& op = ops_[index];
    if (op.kind == ClaimOp::kEnqueue) {
      next->push_back(state);
      Insert(&next->back(), {op.item, 0, false}, eager_[index]);
    } else if (op.kind == ClaimOp::kClaim) {
      Claim(state, op, next);
    } else {
      Finish(state, op, eager_[index], next);
    }
  }
  int Refusal(const State& state, int index, int) const {
    const ClaimOp& op = ops_[index];
    if (op.kind != ClaimOp::kClaim) return 10 + op.answer;
    return state.ready.empty() ? 1 : 2;
  }
  bool Pure(int index, bool weakened) const {
    const ClaimOp& op = ops_[index];
    return op.kind == ClaimOp::kRenew || (!weakened && (op.answer == ClaimOp::kStale || op.answer == ClaimOp::kEmpty));
  }
  bool Eager(int index, bool weakened) const { return !weakened && eager_[index]; }
  int Alike(int index) const {
    const ClaimOp& op = ops_[index];
    return op.answer == ClaimOp::kUnknown && op.kind == ClaimOp::kClaim ? 0 : -1;
  }

  // An item's life: 0, enqueued 1, first claim 2, ready again 3, second claim 4 ...
  void AppendMarks(int index, std::vector<Mark>* marks) const {
    const ClaimOp& op = ops_[index];
    if (op.answer == ClaimOp::kUnknown || op.answer == ClaimOp::kEmpty) return;
    const uint64_t live = 2 * static_cast<uint64_t>(op.token);
    const std::string counter = absl::StrCat(op.item);
    if (op.answer == ClaimOp::kStale) {
      if (late_stale_[index]) marks->push_back({counter, kAnythingBefore, live + 1});
      return;
    }
    switch (op.kind) {
      case ClaimOp::kEnqueue:
        return marks->push_back({counter, 0, 1});
      case ClaimOp::kClaim:
        return marks->push_back({counter, live - 1, live});
      case ClaimOp::kRenew:
        return marks->push_back({counter, live, live});
      default:
        return marks->push_back({counter, live, live + 1});
    }
  }

  void Passed(int index, State* state) const {
    const ClaimOp& op = ops_[index];
    if (!MakesReady(op) || !eager_[index]) return;
    Settle(state, {op.item, static_cast<int16_t>(op.kind == ClaimOp::kEnqueue ? 0 : op.token), true});
  }

  // An order that ClaimModel allows, from the one that was found for `history`.
  std::vector<StepRef> Arrange(absl::Span<const Interval> history, const LinearizeResult<State>& result) const;

 private:
  using Attempt = std::pair<int, int>;                // item and token
  using Ends = std::vector<std::pair<Instant, int>>;  // and whose they are
  std::vector<int> ClaimedItems(const Ends& ends, const LinearizeResult<State>& result) const;
  static Attempt AttemptOf(const ClaimOp& op) { return {op.item, op.token}; }
  static bool MakesReady(const ClaimOp& op) {
    if (op.answer == ClaimOp::kStale) return false;
    return op.kind == ClaimOp::kEnqueue || op.kind == ClaimOp::kAbandon || op.kind == ClaimOp::kExpire;
  }

  void Claim(const State& state, const ClaimOp& op, std::vector<State>* next) const {
    if (op.answer == ClaimOp::kEmpty) {
      const bool empty = std::none_of(state.ready.begin(), state.ready.end(), [](const Event& event) { return event.in; });
      if (empty) next->push_back(state);
      return;
    }
    const bool known = op.answer == ClaimOp::kOk;
    for (const Event& event : state.ready) {
      if (event.in) {
        if (fifo_) return;  // all that follow are preceded
        continue;
      }
      if (known && (event.item != op.item || event.token + 1 != op.token)) continue;
      next->push_back(state);
      State& after = next->back();
      const Event taken = event;
      after.ready.erase(
          std::remove_if(after.ready.begin(), after.ready.end(), [&](const Event& e) { return e.item == taken.item; }),
          after.ready.end());
      Normalize(&after);
      after.live.insert(FindLive(after.live, taken.item), {taken.item, taken.token + 1});
      if (known) return;
    }
  }

  void Finish(const State& state, const ClaimOp& op, bool lazy, std::vector<State>* next) const {
    const auto live = std::find(state.live.begin(), state.live.end(), ClaimModel::Item{op.item, op.token});
    const bool ok = live != state.live.end();
    if (op.answer != ClaimOp::kUnknown && ok != (op.answer == ClaimOp::kOk)) return;
    // It is stale for certain once the item is in again.
    if (op.answer == ClaimOp::kStale && MayBeOut(state, op)) return;
    if (!ok && op.answer == ClaimOp::kUnknown) return;  // as if it had not happened
    next->push_back(state);
    if (!ok || op.kind == ClaimOp::kRenew) return;
    State& after = next->back();
    after.live.erase(after.live.begin() + (live - state.live.begin()));
    if (op.kind != ClaimOp::kComplete) Insert(&after, {op.item, static_cast<int16_t>(op.token), false}, lazy);
  }
  static bool MayBeOut(const State& state, const ClaimOp& op) {
    bool may_be_out = false;
    for (const Event& event : state.ready) {
      if (event.item == op.item && event.token == op.token) may_be_out = !event.in;
    }
    return may_be_out;
  }

  static Items::iterator FindLive(Items& items, int item) {
    return std::find_if(items.begin(), items.end(), [&](const ClaimModel::Item& i) { return i.item >= item; });
  }
  // `lazy`: only its earliest moment is now.
  void Insert(State* state, Event event, bool lazy) const {
    AddEvent(state, event);
    if (lazy) return;
    event.in = true;
    AddEvent(state, event);
  }
  // The item is in by now, if it is still ready.
  void Settle(State* state, Event event) const {
    bool may_be_out = false;
    for (const Event& other : state->ready) {
      if (other.item == event.item && other.token == event.token) may_be_out = !other.in;
    }
    if (may_be_out) AddEvent(state, event);
  }
  void AddEvent(State* state, Event event) const {
    if (!fifo_) {
      state->ready.insert(std::upper_bound(state->ready.begin(), state->ready.end(), event), event);
      return;
    }
    auto at = state->ready.end();
    while (at != state->ready.begin() && std::prev(at)->in == event.in && event < *std::prev(at)) --at;
    state->ready.insert(at, event);
  }
  // Where an item was taken out, runs of one kind may have met.
  void Normalize(State* state) const {
    if (!fifo_) return;
    for (auto run = state->ready.begin(); run != state->ready.end();) {
      auto end = std::find_if(run, state->ready.end(), [&](const Event& event) { return event.in != run->in; });
      std::sort(run, end);
      run = end;
    }
  }

  const std::vector<ClaimOp>& ops_;
  const bool fifo_;
  std::vector<bool> eager_;       // by call; of one that makes an item ready also: its moment is left open
  std::vector<bool> late_stale_;  // the claim of its token had been answered before
};

// The item that each step of the order claims, -1 where it claims none. A claim of unknown outcome does not say; there the states
// that it may have led to are followed to the end.
inline std::vector<int> ClaimQueue::ClaimedItems(const Ends& ends, const LinearizeResult<State>& result) const {
  struct Reached {
    State state;
    std::size_t from;
  };
  const std::vector<StepRef>& witness = result.witness;
  std::vector<std::vector<Reached>> reached = {{{State(), 0}}};
  std::size_t at = 0;
  for (std::size_t i = 0; i < witness.size(); ++i) {
    std::vector<Reached> next;
    for (std::size_t from = 0; from < reached.back().size(); ++from) {
      State before = reached.back()[from].state;
      for (std::size_t end = at; end < result.passed[i]; ++end) Passed(ends[end].second, &before);
      std::vector<State> states;
      Step(before, witness[i].op, witness[i].part, &states);
      for (State& state : states) {
        const bool known = std::any_of(next.begin(), next.end(), [&](const Reached& r) { return r.state == state; });
        if (!known) next.push_back({std::move(state), from});
      }
    }
    at = result.passed[i];
    reached.push_back(std::move(next));
  }
  std::vector<int> claimed(witness.size(), -1);
  std::size_t here = 0;
  for (std::size_t i = witness.size(); i-- > 0;) {
    if (reached[i + 1].empty()) return claimed;  // no order of this model
    const std::size_t from = reached[i + 1][here].from;
    if (ops_[witness[i].op].kind == ClaimOp::kClaim) {
      for (const ClaimModel::Item& item : reached[i + 1][here].state.live) {
        const Items& before = reached[i][from].state.live;
        if (std::find(before.begin(), before.end(), item) == before.end()) claimed[i] = item.item;
      }
    }
    here = from;
  }
  return claimed;
}

// Calls that make items ready are put off until they have to come: at the claim of their item, at their end, and before any that
// has to come while its place in the queue is behind theirs. All others stay where they are.
inline std::vector<StepRef> ClaimQueue::Arrange(absl::Span<const Interval> history, const LinearizeResult<State>& result) const {
  const std::vector<StepRef>& witness = result.witness;
  std::vector<std::vector<Mark>> marks(ops_.size());
  for (std::size_t op = 0; op < ops_.size(); ++op) AppendMarks(static_cast<int>(op), &marks[op]);
  const MarkedOrder order(history, marks);
  Ends ends;
  for (std::size_t op = 0; op < ops_.size(); ++op) {
    const Interval& interval = order.intervals()[op];
    if (interval.optional && (interval.end == kOpen || Pure(static_cast<int>(op), false))) continue;
    ends.emplace_back(interval.end, static_cast<int>(op));
  }
  std::sort(ends.begin(), ends.end());

  std::map<int, std::size_t> place;          // in the queue, of calls that make items ready: when it is claimed
  absl::flat_hash_map<int, int> made_ready;  // by item, the call that did so last
  const std::vector<int> claimed = ClaimedItems(ends, result);
  for (std::size_t i = 0; i < witness.size(); ++i) {
    const ClaimOp& op = ops_[witness[i].op];
    if (MakesReady(op)) made_ready[op.item] = witness[i].op;
    if (claimed[i] >= 0 && made_ready.contains(claimed[i])) place[made_ready[claimed[i]]] = i;
  }
  std::vector<StepRef> arranged;
  std::set<std::pair<std::size_t, int>> waiting;  // calls put off, by place
  const auto emit_until = [&](std::size_t last) {
    while (!waiting.empty() && waiting.begin()->first <= last) {
      arranged.push_back({waiting.begin()->second, 0});
      waiting.erase(waiting.begin());
    }
  };
  std::size_t never = witness.size();  // the places of items that are not claimed again
  const auto pass = [&](int op) {
    const auto at = place.find(op);
    if (at == place.end() || !waiting.contains({at->second, op})) return;
    if (fifo_) return emit_until(at->second);
    waiting.erase({at->second, op});
    arranged.push_back({op, 0});
  };
  // Such items are in behind all that are claimed, in the order of their calls' ends.
  for (const auto& [end, op] : ends) {
    if (MakesReady(ops_[op])) place.try_emplace(op, never++);
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < witness.size(); ++i) {
    for (; at < result.passed[i]; ++at) pass(ends[at].second);
    const int index = witness[i].op;
    if (MakesReady(ops_[index]) && eager_[index]) {
      const auto known = place.find(index);
      if (known != place.end()) waiting.emplace(known->second, index);  // else nobody knows whether it happened
    } else if (!fifo_ && claimed[i] >= 0) {
      for (auto put_off = waiting.begin(); put_off != waiting.end(); ++put_off) {
        if (put_off->first != i) continue;
        arranged.push_back({put_off->second, 0});
        waiting.erase(put_off);
        break;
      }
      arranged.push_back(witness[i]);
    } else {
      const auto known = MakesReady(ops_[index]) ? place.find(index) : place.end();
      if (claimed[i] >= 0) emit_until(i);
      if (known != place.end()) emit_until(known->second);
      arranged.push_back(witness[i]);
    }
  }
  emit_until(std::numeric_limits<std::size_t>::max());
  return arranged;
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_TESTS_ENGINE_CLAIM_QUEUE_H_
