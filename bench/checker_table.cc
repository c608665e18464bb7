#include "bench/checker_table.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/memory_target.h"
#include "model/session_store/spec.h"
#include "properties/engine/linearize.h"
#include "properties/engine/linearize_partition.h"
#include "properties/engine/phase_model.h"
#include "properties/engine/verify.h"
#include "tests/engine/claim_queue.h"
#include "tests/engine/public_histories.h"
#include "tests/mutants/catalogue.h"
#include "tests/support/own_histories.h"

namespace leasecheck::bench {
namespace {

using engine::Verdict;

double Now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// What one row may cost. No target: zero.
struct Target {
  double seconds = 0;
  double mebibytes = 256;
};

struct Sample {
  Verdict verdict = Verdict::kUnknown;
  std::string reason;
  bool wrong = false;  // not the known verdict, or its witness does not hold
  double seconds = 0;
  uint64_t steps = 0;
  std::size_t bytes = 0;
};

struct Row {
  std::string name;
  Target target;
  std::function<Sample(double)> measure;  // within so many seconds
};

engine::LinearizeOptions Limits(const Target& target, double seconds) {
  engine::LinearizeOptions options;
  options.memory_bytes = static_cast<std::size_t>(target.mebibytes * 1048576);
  options.out_of_time = [until = Now() + seconds] { return Now() > until; };
  return options;
}

template <class State>
Sample SampleOf(double seconds, const engine::LinearizeResult<State>& result) {
  return {result.verdict, result.detail, false, seconds, result.stats.steps, result.stats.peak_bytes};
}

Verdict KnownVerdict(const std::string& name) { return absl::StrContains(name, "bad") ? Verdict::kIllegal : Verdict::kOk; }

// The public histories.

Sample MeasureEtcd(const std::string& folder, double limit) {
  Sample sum;
  sum.verdict = Verdict::kOk;
  for (int number = 0; number <= 102; ++number) {
    const auto calls = engine::ReadEtcdLog(absl::StrFormat("%s/jepsen/etcd_%03d.log", folder, number));
    if (!calls.ok() || calls->ops.empty()) continue;
    const engine::RegisterModel model(calls->ops);
    const double start = Now();
    const auto result = engine::Linearize(model, calls->history, {engine::kNil}, Limits({}, limit));
    sum.seconds += Now() - start;
    sum.wrong = sum.wrong || (result.verdict == Verdict::kOk) != engine::EtcdLogIsLinearizable(number);
    if (result.verdict == Verdict::kUnknown) sum.verdict = Verdict::kUnknown;
    sum.steps += result.stats.steps;
    sum.bytes = std::max(sum.bytes, result.stats.peak_bytes);
  }
  return sum;
}

// By key. The keys' orders together are one of the whole map.
Sample MeasureKv(const std::string& path, const Target& target, double limit) {
  const auto calls = engine::ReadKvHistory(path);
  if (!calls.ok()) return {};
  const double start = Now();
  const engine::KvKeyModel model(&calls->ops);
  const auto result = engine::LinearizeByPart(
      model, calls->history, {engine::KvKeyModel::State()},
      [&](int op) { return std::optional<std::string>(calls->ops[op].key); }, Limits(target, limit));
  const std::vector<engine::StepRef> witness = engine::WholeWitness(absl::MakeConstSpan(calls->history), result);
  Sample sample;
  sample.seconds = Now() - start;
  sample.verdict = result.verdict;
  sample.wrong = result.verdict != KnownVerdict(path);
  for (const auto& part : result.parts) {
    sample.steps += part.result.stats.steps;
    sample.bytes = std::max(sample.bytes, part.result.stats.peak_bytes);
  }
  if (result.verdict == Verdict::kOk) {
    const engine::KvModel plain(calls->ops);
    sample.wrong |= engine::CheckWitness(plain, calls->history, {engine::KvModel::State()}, witness).has_value();
  }
  return sample;
}

Sample MeasureClaims(const std::string& path, const Target& target, double limit) {
  const auto history = engine::ReadClaimHistory(path);
  if (!history.ok()) return {};
  const std::vector<engine::Interval>& intervals = history->calls.history;
  const double start = Now();
  const engine::ClaimQueue queue(history->calls.ops, intervals, history->fifo);
  const auto result = engine::Linearize(queue, intervals, {engine::ClaimQueue::State()}, Limits(target, limit));
  Sample sample = SampleOf(Now() - start, result);
  sample.wrong = result.verdict != KnownVerdict(path);
  if (result.verdict == Verdict::kOk) {
    const engine::ClaimModel plain(history->calls.ops, history->fifo);
    const std::vector<engine::StepRef> order = queue.Arrange(intervals, result);
    sample.wrong |= engine::CheckWitness(plain, intervals, {engine::ClaimModel::State()}, order).has_value();
  }
  return sample;
}

// Our own histories.

using F = SessionStoreFamily;

Sample MeasureOwn(const tests::OwnHistory& own, const Target& target, bool is_right, double limit) {
  const FixedLiveness liveness;
  const Dialects dialects;
  const SpecSetup setup{&dialects, &liveness};
  engine::TimedState<F> start{own.start, Spec<F>::Initial(setup)};
  std::vector<Spec<F>::State> alternatives;
  for (const auto& call : own.prefix) {
    (void)Spec<F>::Step(start.state, std::get<RequestOf<F>>(call.action), call.outcome, start.now, {setup}, &alternatives);
  }
  const std::vector<engine::TimedState<F>> initial = {start};
  const double began = Now();
  const engine::PhaseModel<F> model(own.phase, own.prefix.size(), setup, own.start);
  const std::vector<engine::Interval> intervals = model.Intervals();
  const auto result = engine::Linearize(model, intervals, absl::MakeConstSpan(initial), Limits(target, limit));
  Sample sample = SampleOf(Now() - began, result);
  sample.wrong = is_right && result.verdict == Verdict::kIllegal;
  if (result.verdict == Verdict::kOk) {
    sample.wrong |= engine::CheckWitness(model, intervals, absl::MakeConstSpan(initial), result.witness).has_value();
  }
  return sample;
}

void AddOwn(const char* store, const TargetFactory<F>& factory, int clients, int calls, int unseen, std::vector<Row>* rows) {
  const Target target{1, 256};
  const std::string name = absl::StrCat("own ", store, " ", clients, "x", calls, unseen > 0 ? " 1% unseen" : " all seen");
  const bool is_right = absl::string_view(store) == "memory";
  auto own = std::make_shared<std::optional<tests::OwnHistory>>();  // recorded when the row is measured first
  rows->push_back({name, target, [=](double limit) {
                     if (!own->has_value()) {
                       tests::OwnHistoryOptions options;
                       options.clients = clients;
                       options.calls = calls;
                       options.unseen_percent = unseen;
                       auto recorded = tests::RecordOwnHistory(factory, options);
                       if (!recorded.ok()) return Sample{Verdict::kUnknown, std::string(recorded.status().message()), true};
                       *own = *std::move(recorded);
                     }
                     return MeasureOwn(**own, target, is_right, limit);
                   }});
}

std::vector<Row> PublicRows(const std::string& folder) {
  std::vector<Row> rows;
  rows.push_back({"etcd, sum of 102", {0.051}, [folder](double limit) { return MeasureEtcd(folder, limit); }});
  const std::pair<const char*, Target> maps[] = {
      {"c10-ok", {0.2, 32}}, {"c10-bad", {0.2, 32}}, {"c50-ok", {0.013, 1024}}, {"c50-bad", {60, 1024}}};
  for (const auto& [name, target] : maps) {
    rows.push_back(
        {absl::StrCat("kv ", name, " by key, whole order"), target, [=, n = std::string(name), t = target](double limit) {
           return MeasureKv(absl::StrCat(folder, "/kv/", n, ".txt"), t, limit);
         }});
  }
  const std::pair<const char*, Target> claims[] = {{"any-c8-n10000-d8", {0.007}},
                                                   {"any-c16-n10000-d8", {0.036}},
                                                   {"any-c32-n10000-d8", {1}},
                                                   {"any-c8-n1000-d4-bad-dup", {0.007}},
                                                   {"any-c8-n1000-d4-bad-stale", {0.007}},
                                                   {"fifo-c8-n1000-d4-bad-dup", {0.007}},
                                                   {"fifo-c8-n1000-d4-bad-stale", {0.007}},
                                                   {"fifo-c8-n1000-d8", {0.0225}},
                                                   {"fifo-c8-n1000-d16", {1}},
                                                   {"fifo-c8-n1000-d64", {1}},
                                                   {"fifo-c16-n1000-d8", {1}},
                                                   {"fifo-c16-n1000-d4-bad-dup", {1}},
                                                   {"fifo-c16-n1000-d4-bad-stale", {1}},
                                                   {"any-c16-n1000-d4-bad-dup", {1}},
                                                   {"any-c16-n1000-d4-bad-stale", {1}},
                                                   {"any-c8-n1000-d4-unknown", {}},
                                                   {"fifo-c4-n1000-d4-unknown", {}},
                                                   {"fifo-c8-n1000-d4-unknown", {}}};
  for (const auto& [name, target] : claims) {
    rows.push_back({absl::StrCat("claimq ", name), target, [=, n = std::string(name), t = target](double limit) {
                      return MeasureClaims(absl::StrCat(folder, "/claimq/", n, ".jsonl"), t, limit);
                    }});
  }
  return rows;
}

std::vector<Row> OwnRows() {
  std::vector<Row> rows;
  for (const int calls : {1000, 10000}) {
    for (const int clients : {4, 8, 16}) {
      for (const int unseen : {0, 1}) AddOwn("memory", MemoryTargets(), clients, calls, unseen, &rows);
    }
  }
  for (const char* mutant : {"race-select-then-mark", "race-fence-then-commit", "race-try-claim-check-then-take"}) {
    const mutants::Mutant* found = mutants::FindMutant(mutant);
    if (found == nullptr) continue;
    for (const int clients : {4, 16}) AddOwn(mutant, mutants::FactoryOf(*found), clients, 1000, 1, &rows);
  }
  return rows;
}

// The row, with the median of its times. A row without a verdict is not repeated.
bool Print(const Row& row, int repeats) {
  constexpr double kPatience = 10;  // seconds, or the target where that is more
  const double limit = std::max(kPatience, row.target.seconds);
  std::vector<double> seconds;
  Sample last;
  bool wrong = false;
  do {
    last = row.measure(limit);
    wrong = wrong || last.wrong;
    seconds.push_back(last.seconds);
  } while (static_cast<int>(seconds.size()) < repeats && last.verdict != Verdict::kUnknown && last.seconds < 1);
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2), seconds.end());
  const double median = seconds[seconds.size() / 2];
  const double mebibytes = static_cast<double>(last.bytes) / 1048576;
  const bool decided = last.verdict != Verdict::kUnknown;
  const bool met = decided && (row.target.seconds == 0 || median <= row.target.seconds) && mebibytes <= row.target.mebibytes;
  const std::string target =
      row.target.seconds == 0 ? "decided" : absl::StrFormat("%.4g ms, %.0f MiB", row.target.seconds * 1e3, row.target.mebibytes);
  std::printf("%-44s %-8s %10.2f ms %8.1f MiB %10llu steps   %-20s %s%s%s\n", row.name.c_str(), engine::VerdictName(last.verdict),
              median * 1e3, mebibytes, static_cast<unsigned long long>(last.steps), target.c_str(), met ? "met" : "missed",
              last.reason.empty() ? "" : ": ", last.reason.c_str());
  if (wrong) std::printf("    WRONG: not the known verdict, or its witness does not hold\n");
  std::fflush(stdout);
  return !wrong;
}

}  // namespace

int PrintCheckerTable(const TableOptions& options) {
  std::vector<Row> rows;
  const std::string folder = engine::PublicHistories();
  if (!folder.empty()) rows = PublicRows(folder);
  for (Row& row : OwnRows()) rows.push_back(std::move(row));
  bool right = true;
  int printed = 0;
  for (const Row& row : rows) {
    if (!absl::StrContains(row.name, options.only)) continue;
    right = Print(row, options.repeats) && right;
    ++printed;
  }
  if (printed == 0) {
    std::fprintf(stderr, "no row of the table has \"%s\" in its name\n", options.only.c_str());
    return 2;
  }
  return right ? 0 : 1;
}

}  // namespace leasecheck::bench
