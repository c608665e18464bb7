#include "properties/engine/linearize_plan.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace leasecheck::engine {

// Sweeps over the history once, with the steps that are open at the moment.
class PlanBuilder {
 public:
  PlanBuilder(absl::Span<const Interval> history, absl::Span<const CallHint> hints, const PairHints& pairs, std::size_t max_bytes)
      : history_(history), hints_(hints), pairs_(pairs), max_bytes_(max_bytes), slot_(history.size(), -1) {}

  absl::StatusOr<SearchPlan> Build() {
    if (absl::Status status = CollectEvents(); !status.ok()) return status;
    if (pairs_) {
      if (absl::Status status = CountSlots(); !status.ok()) return status;
    }
    for (const Event& event : events_) {
      if (event.is_end) {
        CloseCall(event.op);
      } else {
        OpenCall(event.op);
      }
      if (plan_.slots_ > std::numeric_limits<int16_t>::max()) {
        return absl::ResourceExhaustedError("more than 32,767 steps are open at one time");
      }
      if (plan_.bytes() > max_bytes_) return absl::ResourceExhaustedError("the history alone exceeds the memory limit");
    }
    return std::move(plan_);
  }

 private:
  struct Event {
    Instant at;
    bool is_end;  // at the same instant calls come first: they overlap
    int op;
    friend bool operator<(const Event& a, const Event& b) {
      return std::tie(a.at, a.is_end, a.op) < std::tie(b.at, b.is_end, b.op);
    }
  };

  absl::Status CollectEvents() {
    events_.reserve(2 * history_.size());
    for (int op = 0; op < static_cast<int>(history_.size()); ++op) {
      const Interval& interval = history_[op];
      if (interval.end < interval.call) return absl::InvalidArgumentError(absl::StrCat("call ", op, " ends before it begins"));
      if (interval.parts < 1) return absl::InvalidArgumentError(absl::StrCat("call ", op, " has no part"));
      if (interval.parts > std::numeric_limits<int16_t>::max()) {
        return absl::ResourceExhaustedError("more than 32,767 steps are open at one time");
      }
      if (interval.optional && hints_[op].pure) continue;
      events_.push_back({interval.call, false, op});
      if (!interval.optional || interval.end != kOpen) events_.push_back({interval.end, true, op});
    }
    std::sort(events_.begin(), events_.end());
    return absl::OkStatus();
  }

  // How wide the rows of bits are has to be known before the first one is made.
  absl::Status CountSlots() {
    for (const Event& event : events_) {
      std::vector<int>& free = free_[history_[event.op].parts];
      if (event.is_end) {
        free.push_back(slot_[event.op]);
      } else {
        slot_[event.op] = TakeSlots(history_[event.op].parts);
      }
      if (plan_.slots_ > std::numeric_limits<int16_t>::max()) {
        return absl::ResourceExhaustedError("more than 32,767 steps are open at one time");
      }
    }
    final_words_ = plan_.words();
    rows_of_slot_.assign(static_cast<std::size_t>(plan_.slots_) * 2 * final_words_, 0);
    free_.clear();
    plan_.slots_ = 0;
    return absl::OkStatus();
  }

  // The slots of a call of several parts are adjacent, so that an end can clear them as a range.
  int TakeSlots(int parts) {
    std::vector<int>& free = free_[parts];
    if (!free.empty()) {
      const int slot = free.back();
      free.pop_back();
      return slot;
    }
    plan_.slots_ += parts;
    return plan_.slots_ - parts;
  }

  auto Urgency(const SearchPlan::Candidate& candidate) const {
    const SearchPlan::Step& step = plan_.steps_[candidate.step];
    const bool eager = step.eager && !step.pure;
    const Instant end = history_[step.ref.op].end;
    // Of eager steps the least urgent first: all that are allowed are to be taken before an end passes.
    return std::make_tuple(!eager, !step.pure, step.optional, eager ? -end : end, candidate.step);
  }

  void OpenCall(int op) {
    const Interval& interval = history_[op];
    slot_[op] = TakeSlots(interval.parts);
    if (plan_.slots_ > std::numeric_limits<int16_t>::max()) return;
    if (!interval.optional) ++open_answered_;
    if (pairs_) RelateToOpen(op);
    for (int part = 0; part < interval.parts; ++part) {
      SearchPlan::Candidate candidate;
      candidate.step = static_cast<uint32_t>(plan_.steps_.size());
      candidate.slot = static_cast<int16_t>(slot_[op] + part);
      candidate.after = static_cast<int16_t>(part > 0 ? candidate.slot - 1 : TwinSlot(op));
      plan_.steps_.push_back({{op, part}, hints_[op].pure, hints_[op].pure || hints_[op].eager, interval.optional});
      if (pairs_ && candidate.after >= 0) SetBit(Needs(candidate.slot), candidate.after);
      const auto less = [this](const auto& a, const auto& b) { return Urgency(a) < Urgency(b); };
      open_.insert(std::upper_bound(open_.begin(), open_.end(), candidate, less), candidate);
    }
  }

  uint64_t* Needs(int slot) { return &rows_of_slot_[static_cast<std::size_t>(slot) * 2 * final_words_]; }
  uint64_t* Touches(int slot) { return Needs(slot) + final_words_; }
  static void SetBit(uint64_t* row, int bit) { row[bit / 64] |= uint64_t{1} << (bit % 64); }

  // What the call that opens has to do with each open one.
  void RelateToOpen(int op) {
    for (int part = 0; part < history_[op].parts; ++part) {
      std::fill_n(Needs(slot_[op] + part), 2 * final_words_, 0);
    }
    int last = -1;
    for (const SearchPlan::Candidate& candidate : open_) {
      const int other = plan_.steps_[candidate.step].ref.op;
      if (other != last) hint_ = pairs_(op, other);
      last = other;
      for (int part = 0; part < history_[op].parts; ++part) {
        const int slot = slot_[op] + part;
        // A forced order is enforced where the first has to happen, and then needs no trying out.
        if (hint_.before && !history_[op].optional) SetBit(Needs(candidate.slot), slot);
        if (hint_.after && !history_[other].optional) SetBit(Needs(slot), candidate.slot);
        if (hint_.before && !history_[op].optional) continue;
        if (hint_.after && !history_[other].optional) continue;
        if (hint_.commutes) continue;
        SetBit(Touches(slot), candidate.slot);
        SetBit(Touches(candidate.slot), slot);
      }
    }
  }

  // Of calls of unknown outcome that are just alike and have the same bound, the one called first is taken first: any order in
  // which it is not can be told with the two exchanged.
  int TwinSlot(int op) {
    const Interval& interval = history_[op];
    if (!interval.optional || interval.parts != 1 || hints_[op].alike < 0) return -1;
    const auto [twin, is_first] = twins_.try_emplace({hints_[op].alike, interval.end}, op);
    return is_first ? -1 : slot_[std::exchange(twin->second, op)];
  }

  void CloseCall(int op) {
    const Interval& interval = history_[op];
    SearchPlan::End end;
    end.op = op;
    end.slot = static_cast<int16_t>(slot_[op]);
    end.parts = static_cast<int16_t>(interval.parts);
    end.optional = interval.optional;
    end.first_candidate = plan_.candidates_.size();
    plan_.candidates_.insert(plan_.candidates_.end(), open_.begin(), open_.end());
    end.last_candidate = plan_.candidates_.size();
    if (pairs_) {
      for (const SearchPlan::Candidate& candidate : open_) {
        plan_.rows_.insert(plan_.rows_.end(), Needs(candidate.slot), Needs(candidate.slot) + 2 * final_words_);
      }
    }
    open_.erase(std::remove_if(open_.begin(), open_.end(), [&](const auto& c) { return plan_.steps_[c.step].ref.op == op; }),
                open_.end());
    // Its twin is free from now on.
    for (SearchPlan::Candidate& candidate : open_) {
      if (candidate.after == slot_[op]) candidate.after = -1;
    }
    if (pairs_) {
      for (const SearchPlan::Candidate& candidate : open_) {
        for (int slot = slot_[op]; slot < slot_[op] + interval.parts; ++slot) {
          Needs(candidate.slot)[slot / 64] &= ~(uint64_t{1} << (slot % 64));
          Touches(candidate.slot)[slot / 64] &= ~(uint64_t{1} << (slot % 64));
        }
      }
    }
    free_[interval.parts].push_back(slot_[op]);
    if (!interval.optional) --open_answered_;
    end.cut = open_answered_ == 0;
    plan_.ends_.push_back(end);
  }

  absl::Span<const Interval> history_;
  absl::Span<const CallHint> hints_;
  const PairHints& pairs_;
  const std::size_t max_bytes_;
  SearchPlan plan_;
  std::vector<Event> events_;
  std::vector<int> slot_;                 // of each call's part 0
  std::map<int, std::vector<int>> free_;  // slots of ended calls, by the number of parts
  std::vector<SearchPlan::Candidate> open_;
  int open_answered_ = 0;
  std::size_t final_words_ = 0;
  std::vector<uint64_t> rows_of_slot_;  // Needs and Touches of the step that has the slot now
  PairHint hint_;
  std::map<std::pair<int, Instant>, int> twins_;  // the last call opened of each class and bound
};

absl::StatusOr<SearchPlan> SearchPlan::Make(absl::Span<const Interval> history, absl::Span<const CallHint> hints,
                                            const PairHints& pairs, std::size_t max_bytes) {
  return PlanBuilder(history, hints, pairs, max_bytes).Build();
}

std::size_t SearchPlan::bytes() const {
  return ends_.capacity() * sizeof(End) + steps_.capacity() * sizeof(Step) + candidates_.capacity() * sizeof(Candidate) +
         rows_.capacity() * sizeof(uint64_t);
}

std::size_t ConfigurationSet::Hash::operator()(const uint64_t* key) const {
  // Multiply and fold: the words are counters and bit masks, and the table wants all bits of the result to matter.
  uint64_t hash = 0x9E3779B97F4A7C15u;
  for (int i = 0; i < set->words_; ++i) {
    const unsigned __int128 product = static_cast<unsigned __int128>(hash ^ key[i]) * 0xD6E8FEB86659FD93u;
    hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  return hash;
}

bool ConfigurationSet::Equal::operator()(const uint64_t* a, const uint64_t* b) const { return std::equal(a, a + set->words_, b); }

std::pair<uint32_t, bool> ConfigurationSet::Insert(const uint64_t* key) {
  bool inserted = false;
  const auto row = rows_.lazy_emplace(key, [&](const auto& make) {
    if (size_ / kRowsPerBlock == blocks_.size()) blocks_.push_back(std::make_unique<uint64_t[]>(kRowsPerBlock * words_));
    std::copy(key, key + words_, blocks_[size_ / kRowsPerBlock].get() + (size_ % kRowsPerBlock) * words_);
    make(size_++);
    inserted = true;
  });
  return {*row, inserted};
}

void ConfigurationSet::Clear() {
  rows_.clear();
  size_ = 0;
  if (blocks_.size() > 1) blocks_.resize(1);
}

std::size_t ConfigurationSet::bytes() const {
  return blocks_.size() * kRowsPerBlock * words_ * sizeof(uint64_t) +
         BytesWithGrowth(rows_.size(), rows_.capacity() / 8 * 7, rows_.capacity() * (sizeof(uint32_t) + 1));
}

}  // namespace leasecheck::engine
