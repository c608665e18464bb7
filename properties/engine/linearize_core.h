// Which answers cannot all be true: the core of an illegal history.
//
// A core is found by *weakening*: forgetting the answer of a call, which then may or may not have happened, with any answer.
// Calls are never deleted, for without an enqueue an innocent claim would look wrong.
//
//   Core core = FindCore(model, history, initial, result.blocked, CoreOptions());
//   // The answers of core.calls contradict each other whatever all other calls answered.
#ifndef LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_CORE_H_
#define LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_CORE_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "properties/engine/linearize.h"

namespace leasecheck::engine {

struct CoreOptions {
  std::size_t memory_bytes = std::size_t{64} << 20;
  int max_searches = 1000;
  uint64_t max_steps = 20'000'000;  // questions to the model, of all searches together
  std::function<bool()> out_of_time;
};

struct Core {
  // The history up to the end at which every order is blocked: calls that begin later are left out, and those that end later may
  // not have happened yet. `origin` gives their indices in the whole history; `calls` and `weakened` are about these calls.
  std::vector<Interval> history;
  std::vector<int> origin;
  std::vector<bool> weakened;
  // Indices in the whole history, in ascending order: the calls whose answers were kept.
  std::vector<int> calls;
  // The answer of each was shown to be needed. False: a budget ran out before.
  bool minimal = false;
  int searches = 0;
};

// Asks a model about a selection of a history's calls.
template <LinearizeModel Model>
class SelectedCalls {
 public:
  using State = typename Model::State;
  // Both are borrowed.
  SelectedCalls(const Model& model, const std::vector<int>& origin) : model_(model), origin_(origin) {}
  void Step(const State& state, int op, int part, std::vector<State>* next) const { model_.Step(state, origin_[op], part, next); }
  int Refusal(const State& state, int op, int part) const { return model_.Refusal(state, origin_[op], part); }
  bool Pure(int op, bool weakened) const { return linearize_internal::Pure(model_, origin_[op], weakened); }
  bool Eager(int op, bool weakened) const { return linearize_internal::Eager(model_, origin_[op], weakened); }
  int Alike(int op) const { return linearize_internal::Alike(model_, origin_[op]); }
  void AppendMarks(int op, std::vector<Mark>* marks) const requires linearize_internal::kTellsOrder<Model> {
    linearize_internal::AppendMarks(model_, origin_[op], marks);
  }
  bool Commute(int a, bool unseen_a, int b, bool unseen_b) const requires linearize_internal::kTellsOrder<Model> {
    return linearize_internal::Commute(model_, origin_[a], unseen_a, origin_[b], unseen_b);
  }
  void Passed(int op, State* state) const requires requires(const Model& m) { m.Passed(op, state); }
  { model_.Passed(origin_[op], state); }
  std::size_t StateBytes(const State& state) const { return linearize_internal::StateBytes(model_, state); }
  void StepWeakened(const State& state, int op, int part, std::vector<State>* next) const requires requires(const Model& m) {
    m.StepWeakened(state, op, part, next);
  }
  { model_.StepWeakened(state, origin_[op], part, next); }

 private:
  const Model& model_;
  const std::vector<int>& origin_;
};

namespace linearize_internal {

template <LinearizeModel Model>
class CoreFinder {
 public:
  using State = typename Model::State;
  CoreFinder(const Model& model, absl::Span<const State> initial, const CoreOptions& options)
      : model_(model), initial_(initial), options_(options) {}

  Core Find(absl::Span<const Interval> history, int blocked) {
    Truncate(history, history[blocked].end);
    // With hints of order the search may be blocked earlier than without the answers that come later.
    if (linearize_internal::kTellsOrder<Model> && Judge() != Verdict::kIllegal) Truncate(history, kOpen);
    core_.weakened.assign(core_.history.size(), false);
    core_.minimal = true;
    std::vector<int> kept;  // indices into core_.history
    for (std::size_t op = 0; op < core_.history.size(); ++op) {
      if (!history[core_.origin[op]].optional && core_.origin[op] != blocked) kept.push_back(static_cast<int>(op));
    }
    // Coarse to fine: most calls of a long history have nothing to do with the contradiction.
    for (std::size_t size = std::max<std::size_t>(kept.size() / 2, 1); !kept.empty(); size /= 2) {
      kept = WeakenChunks(kept, size);
      if (size == 1) break;
    }
    for (std::size_t op = 0; op < core_.history.size(); ++op) {
      const bool answered = !history[core_.origin[op]].optional;
      if (answered && !core_.weakened[op]) core_.calls.push_back(core_.origin[op]);
    }
    return std::move(core_);
  }

 private:
  void Truncate(absl::Span<const Interval> history, Instant end) {
    core_.origin.clear();
    core_.history.clear();
    for (std::size_t op = 0; op < history.size(); ++op) {
      if (history[op].call > end) continue;
      core_.origin.push_back(static_cast<int>(op));
      core_.history.push_back(history[op]);
      if (history[op].end > end) {
        core_.history.back().optional = true;
        core_.history.back().end = kOpen;
      }
    }
  }

  // Weakens `size` neighbours at a time where the history stays illegal. Returns those that were not weakened.
  std::vector<int> WeakenChunks(const std::vector<int>& kept, std::size_t size) {
    std::vector<int> still_kept;
    for (std::size_t first = 0; first < kept.size(); first += size) {
      const auto chunk = absl::MakeConstSpan(kept).subspan(first, size);
      for (int op : chunk) core_.weakened[op] = true;
      const Verdict verdict = Judge();
      if (verdict == Verdict::kIllegal) continue;
      if (verdict == Verdict::kUnknown && size == 1) core_.minimal = false;
      for (int op : chunk) core_.weakened[op] = false;
      still_kept.insert(still_kept.end(), chunk.begin(), chunk.end());
    }
    return still_kept;
  }

  Verdict Judge() {
    if (core_.searches >= options_.max_searches || steps_ >= options_.max_steps) return Verdict::kUnknown;
    ++core_.searches;
    LinearizeOptions search;
    search.memory_bytes = options_.memory_bytes;
    // No single search may eat the whole budget.
    search.max_steps = std::min(options_.max_steps - steps_, std::max<uint64_t>(options_.max_steps / 16, 1));
    search.out_of_time = options_.out_of_time;
    search.weakened = core_.weakened;
    const SelectedCalls<Model> selected(model_, core_.origin);
    const auto result = Linearize(selected, core_.history, initial_, search);
    steps_ += result.stats.steps;
    return result.verdict;
  }

  const Model& model_;
  absl::Span<const State> initial_;
  const CoreOptions& options_;
  Core core_;
  uint64_t steps_ = 0;
};

}  // namespace linearize_internal

// The core of a history that Linearize found illegal, `blocked` as it said. The blocked call is always part of it. The model
// needs StepWeakened.
template <LinearizeModel Model>
Core FindCore(const Model& model, absl::Span<const Interval> history, absl::Span<const typename Model::State> initial,
              int blocked, const CoreOptions& options) {
  return linearize_internal::CoreFinder<Model>(model, initial, options).Find(history, blocked);
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_CORE_H_
