#include "properties/engine/linearize_order.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace leasecheck::engine {

MarkedOrder::MarkedOrder(absl::Span<const Interval> history, const std::vector<std::vector<Mark>>& marks)
    : intervals_(history.begin(), history.end()) {
  for (Interval& interval : intervals_) {
    interval.call *= kScale;
    if (interval.end != kOpen) interval.end *= kScale;
  }
  absl::flat_hash_map<std::string, int> numbers;
  std::vector<std::vector<Reading>> counters;
  for (std::size_t op = 0; op < marks.size(); ++op) {
    for (const Mark& mark : marks[op]) {
      const auto [number, is_new] = numbers.try_emplace(mark.counter, static_cast<int>(counters.size()));
      if (is_new) counters.emplace_back();
      std::vector<Reading>& readings = counters[number->second];
      if (!readings.empty() && readings.back().op == static_cast<int>(op)) {
        readings.back().before = std::min(readings.back().before, mark.before);
        readings.back().after = std::max(readings.back().after, mark.after);
      } else {
        readings.push_back({static_cast<int>(op), mark.before, mark.after});
      }
    }
  }
  for (std::vector<Reading>& readings : counters) {
    if (Contradict(readings)) readings.clear();
  }
  NarrowAll(&counters);
  std::vector<std::vector<Entry>> entries(marks.size());
  for (std::size_t counter = 0; counter < counters.size(); ++counter) {
    for (const Reading& reading : counters[counter]) {
      entries[reading.op].push_back({static_cast<int>(counter), reading.before, reading.after});
    }
  }
  for (const std::vector<Entry>& of_op : entries) {
    first_entry_.push_back(entries_.size());
    entries_.insert(entries_.end(), of_op.begin(), of_op.end());
  }
  first_entry_.push_back(entries_.size());
}

// Each pass can narrow what others have to say; few passes do nearly all, and the rest is the search's.
void MarkedOrder::NarrowAll(std::vector<std::vector<Reading>>* counters) {
  constexpr int kPasses = 8;
  for (int pass = 0; pass < kPasses; ++pass) {
    bool changed = false;
    for (std::vector<Reading>& readings : *counters) {
      const Narrowing narrowing = Narrow(readings);
      if (narrowing == Narrowing::kContradiction) readings.clear();
      changed = changed || narrowing == Narrowing::kSome;
    }
    if (!changed) return;
  }
}

// Whether the readings cannot all be true, in whatever order: two that would each have to come before the other.
bool MarkedOrder::Contradict(std::vector<Reading> readings) const {
  readings.erase(std::remove_if(readings.begin(), readings.end(), [&](const Reading& r) { return intervals_[r.op].optional; }),
                 readings.end());
  std::sort(readings.begin(), readings.end(),
            [](const Reading& a, const Reading& b) { return std::tie(a.before, a.after) < std::tie(b.before, b.after); });
  uint64_t after = 0;
  for (const Reading& reading : readings) {
    if (after > reading.before) return true;
    after = std::max(after, reading.after);
  }
  return false;
}

MarkedOrder::Narrowing MarkedOrder::Narrow(const std::vector<Reading>& readings) {
  if (readings.size() < 2) return Narrowing::kNothing;
  // X before Y iff X.before < Y.after. By ascending `before` the latest call, by descending `after` the earliest end.
  std::vector<std::pair<uint64_t, Instant>> calls;
  std::vector<std::pair<uint64_t, Instant>> ends;
  for (const Reading& reading : readings) {
    const Interval& interval = intervals_[reading.op];
    if (interval.optional) continue;
    calls.emplace_back(reading.before, interval.call);
    ends.emplace_back(reading.after, interval.end);
  }
  std::sort(calls.begin(), calls.end());
  std::sort(ends.begin(), ends.end());
  for (std::size_t i = 1; i < calls.size(); ++i) calls[i].second = std::max(calls[i].second, calls[i - 1].second);
  for (std::size_t i = ends.size(); i-- > 1;) ends[i - 1].second = std::min(ends[i - 1].second, ends[i].second);
  std::vector<std::pair<int, Interval>> narrowed;
  for (const Reading& reading : readings) {
    Interval interval = intervals_[reading.op];
    const auto call = std::partition_point(calls.begin(), calls.end(), [&](const auto& c) { return c.first < reading.after; });
    if (call != calls.begin() && std::prev(call)->second > interval.call) interval.call = std::prev(call)->second + 1;
    const auto end = std::partition_point(ends.begin(), ends.end(), [&](const auto& e) { return e.first <= reading.before; });
    if (end != ends.end() && end->second < interval.end) interval.end = end->second - 1;
    if (interval.call > interval.end) return Narrowing::kContradiction;
    const Interval& old = intervals_[reading.op];
    if (interval.call != old.call || interval.end != old.end) narrowed.emplace_back(reading.op, interval);
  }
  for (const auto& [op, interval] : narrowed) intervals_[op] = interval;
  return narrowed.empty() ? Narrowing::kNothing : Narrowing::kSome;
}

absl::Span<const MarkedOrder::Entry> MarkedOrder::EntriesOf(int op) const {
  return absl::MakeConstSpan(entries_).subspan(first_entry_[op], first_entry_[op + 1] - first_entry_[op]);
}

bool MarkedOrder::Before(int a, int b) const {
  if (entries_.empty()) return false;
  absl::Span<const Entry> few = EntriesOf(a);
  absl::Span<const Entry> many = EntriesOf(b);
  const bool swapped = few.size() > many.size();
  if (swapped) std::swap(few, many);
  for (const Entry& entry : few) {
    auto other = std::partition_point(many.begin(), many.end(), [&](const Entry& e) { return e.counter < entry.counter; });
    for (; other != many.end() && other->counter == entry.counter; ++other) {
      const Entry& of_a = swapped ? *other : entry;
      const Entry& of_b = swapped ? entry : *other;
      if (of_b.after > of_a.before) return true;
    }
  }
  return false;
}

}  // namespace leasecheck::engine
