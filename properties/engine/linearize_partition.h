// Splits a history into parts whose calls do not touch each other, and judges each.
//
// `illegal` in a part proves that the whole history is illegal. `ok` of every part says that each part has an order, and no more:
// calls without a key are replicated into every part and may stand at different places of their orders.
#ifndef LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_PARTITION_H_
#define LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_PARTITION_H_

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "properties/engine/linearize.h"
#include "properties/engine/linearize_core.h"

namespace leasecheck::engine {

struct HistoryPart {
  std::optional<std::string> key;  // nullopt: no call has one, and this is the whole history
  std::vector<int> origin;         // the calls, as indices into the whole history, ascending
  std::vector<Interval> history;   // their intervals
};

// In the order in which the keys first occur. `key` says which part a call belongs to; nullopt: to every one.
inline std::vector<HistoryPart> SplitHistory(absl::Span<const Interval> history,
                                             absl::FunctionRef<std::optional<std::string>(int)> key) {
  std::vector<HistoryPart> parts;
  absl::flat_hash_map<std::string, std::size_t> numbers;
  std::vector<std::optional<std::size_t>> part_of(history.size());
  for (std::size_t op = 0; op < history.size(); ++op) {
    std::optional<std::string> name = key(static_cast<int>(op));
    if (!name) continue;
    const auto [number, is_new] = numbers.try_emplace(*name, parts.size());
    if (is_new) parts.push_back({std::move(name), {}, {}});
    part_of[op] = number->second;
  }
  if (parts.empty()) parts.emplace_back();
  const auto add = [&](HistoryPart& part, std::size_t op) {
    part.origin.push_back(static_cast<int>(op));
    part.history.push_back(history[op]);
  };
  for (std::size_t op = 0; op < history.size(); ++op) {
    if (part_of[op]) {
      add(parts[*part_of[op]], op);
    } else {
      for (HistoryPart& part : parts) add(part, op);
    }
  }
  return parts;
}

template <class State>
struct PartResult {
  HistoryPart part;
  LinearizeResult<State> result;  // its calls are indices into part.history
};

template <class State>
struct PartitionedResult {
  // kIllegal: some part is. kOk: every part is, each on its own. Otherwise kUnknown.
  Verdict verdict = Verdict::kOk;
  std::vector<PartResult<State>> parts;  // those judged: none behind the first illegal one
};

// Judges each part under the limits given, which hold for all parts' steps together and for each part's memory.
// options.weakened has to be empty.
template <LinearizeModel Model>
PartitionedResult<typename Model::State> LinearizeByPart(const Model& model, absl::Span<const Interval> history,
                                                         absl::Span<const typename Model::State> initial,
                                                         absl::FunctionRef<std::optional<std::string>(int)> key,
                                                         const LinearizeOptions& options) {
  PartitionedResult<typename Model::State> whole;
  LinearizeOptions left = options;
  for (HistoryPart& part : SplitHistory(history, key)) {
    PartResult<typename Model::State>& judged = whole.parts.emplace_back();
    judged.part = std::move(part);
    const SelectedCalls<Model> selected(model, judged.part.origin);
    judged.result = Linearize(selected, judged.part.history, initial, left);
    left.max_steps -= std::min(left.max_steps, judged.result.stats.steps);
    if (judged.result.verdict == Verdict::kIllegal) {
      whole.verdict = Verdict::kIllegal;
      break;
    }
    if (judged.result.verdict == Verdict::kUnknown) whole.verdict = Verdict::kUnknown;
  }
  return whole;
}

// One order of the whole history from one of each part, where every call is in one part only: whatever real time demands of two
// calls of different parts holds too (Herlihy and Wing: linearizability is local). So for a partition whose parts do not touch
// each other `ok` of every part is `ok` of the whole, and this is its witness.
template <class State>
std::vector<StepRef> WholeWitness(absl::Span<const Interval> history, const PartitionedResult<State>& result) {
  // When each step can be taken at the earliest behind those before it in its part. That is never after its call's end.
  std::vector<std::pair<Instant, StepRef>> steps;
  for (const PartResult<State>& part : result.parts) {
    Instant now = std::numeric_limits<Instant>::min();
    for (const StepRef& step : part.result.witness) {
      const int op = part.part.origin[step.op];
      now = std::max(now, history[op].call);
      steps.push_back({now, {op, step.part}});
    }
  }
  std::stable_sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<StepRef> witness;
  witness.reserve(steps.size());
  for (const auto& [now, step] : steps) witness.push_back(step);
  return witness;
}

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_LINEARIZE_PARTITION_H_
