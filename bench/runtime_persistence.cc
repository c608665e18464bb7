// What the runtime_persistence operations cost, at several sizes of what is stored.
//
//   leasecheck_bench_runtime_persistence                     Google Benchmark, all its flags
//   leasecheck_bench_runtime_persistence --benchmark_filter=memory
//
// Size is the number of graph nodes, attachments and waiting batches. Work is measured at a steady size: blocks of one operation
// are timed, and the store is brought back to its size between them, untimed. The rows:
//   append            a commit of one node, one usage delta, one snapshot and a stamp
//   commit_settling   a commit that completes a claim of one batch
//   load_node         one node, anywhere
//   path              the active path of kPath nodes, on a branch at the root of a graph of `size`
//   full_graph        everything; items are nodes
//   enqueue, claim    one batch a call; the claims are given back
//   record, uncommitted   one intent a call; the list of the kBlock earliest of `size`
#include "memstore/runtime_persistence.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "adapters/sqlite/runtime_persistence.h"
#include "benchmark/benchmark.h"
#include "model/runtime_persistence/store.h"

namespace leasecheck::bench {
namespace {

namespace rp = runtime_persistence;

constexpr int64_t kSizes[] = {1'000, 10'000, 100'000};
constexpr int kBlock = 128;  // operations timed at a time
constexpr int kPath = 100;   // nodes of the path that is read

template <class Response>
Response Must(rp::Result<Response> result) {
  if (!result.has_value()) {
    std::fputs("bench: a call failed\n", stderr);
    std::abort();
  }
  return *std::move(result);
}

template <class Work>
double Seconds(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Store {
  const char* name;
  std::function<std::unique_ptr<rp::RuntimePersistence>(const Environment&)> open;
};

const Store kStores[] = {
    {"memory", [](const Environment& environment) { return std::make_unique<memstore::RuntimePersistence>(environment); }},
    {"sqlite::memory:",
     [](const Environment& environment) -> std::unique_ptr<rp::RuntimePersistence> {
       auto store = sqlite::RuntimePersistence::Open({.path = ":memory:", .connections = 1, .environment = environment});
       if (store.ok()) return *std::move(store);
       std::fprintf(stderr, "bench: %s\n", store.status().ToString().c_str());
       std::abort();
     }},
};

rp::SessionNodeRecord NodeOf(std::string id, std::optional<std::string> parent) {
  rp::SessionNodeRecord node;
  node.node_id = std::move(id);
  node.parent_node_id = std::move(parent);
  node.agent_frame_id = "frame-1";
  node.timestamp = "2026-01-01T00:00:00Z";
  node.payload.text =
      R"({"event":{"role":"user","text":"please look at the build once more, it has failed since noon"},"kind":"event"})";
  return node;
}

// A store kept at a size, and timed calls on it.
class Subject {
 public:
  Subject(const Store& store, int64_t size) : size_(size), store_(store.open({.clock = &clock_, .liveness = &liveness_})) {
    rp::ReplaceFull graph;
    graph.graph.nodes.reserve(static_cast<std::size_t>(size));
    for (int64_t i = 0; i < size; ++i) {
      // A short branch at the front, and one long conversation behind it.
      const bool is_root = i == 0 || i == kPath;
      graph.graph.nodes.push_back(NodeOf(NodeId(i), is_root ? std::nullopt : std::optional(NodeId(i - 1))));
    }
    graph.graph.leaf_node_id = NodeId(kPath - 1);
    rp::RuntimeCommit commit = Commit();
    commit.graph = std::move(graph);
    Must(store_->CommitRuntimeState({commit}));
    for (int64_t i = 0; i < size; ++i) Enqueue();
    for (int64_t i = 0; i < size; ++i) Record(i);
  }

  double TimeAppends() {
    std::vector<rp::RuntimeCommit> commits;
    std::vector<std::string> appended;
    for (int i = 0; i < kBlock; ++i) {
      rp::RuntimeCommit& commit = commits.emplace_back(Commit());
      appended.push_back(absl::StrCat("appended-", i));
      commit.graph = rp::Append{{NodeOf(appended.back(), NodeId(kPath - 1))}, NodeId(kPath - 1)};
      commit.usage_deltas = {{"turn", "model-1", {100, 20, 50, 5}}};
      commit.checkpoint.tool_state = OpaqueJson{absl::StrCat("{\"generation\":", ++generation_, "}")};
      commit.turn_commit = {"session-1", absl::StrCat("turn-", generation_), "6d1f0c7e"};
    }
    const double seconds = Seconds([&] {
      for (const rp::RuntimeCommit& commit : commits) Must(store_->CommitRuntimeState({commit}));
    });
    Must(store_->TombstoneNodes({appended}));
    Must(store_->Vacuum({}));
    Must(store_->GcUnreachable({}));
    return seconds;
  }

  double TimeSettlingCommits() {
    std::vector<rp::RuntimeCommit> commits;
    for (const rp::QueuedWorkClaim& claim : Claims()) {
      rp::RuntimeCommit& commit = commits.emplace_back(Commit());
      commit.graph = rp::Unchanged{NodeId(kPath - 1)};
      commit.completed_queue_claims = {rp::CompletionOf(claim)};
    }
    const double seconds = Seconds([&] {
      for (const rp::RuntimeCommit& commit : commits) Must(store_->CommitRuntimeState({commit}));
    });
    for (int i = 0; i < kBlock; ++i) Enqueue();
    return seconds;
  }

  double TimeNodes() {
    return Seconds([&] {
      for (int i = 0; i < kBlock; ++i) {
        next_ = (next_ + 7919) % size_;
        benchmark::DoNotOptimize(Must(store_->LoadNode({NodeId(next_)})));
      }
    });
  }

  double TimeRead(const rp::SessionReadScope& scope) {
    return Seconds([&] { benchmark::DoNotOptimize(Must(store_->LoadSession({scope}))); });
  }

  double TimeEnqueues() {
    std::vector<rp::QueuedWorkBatch> batches;
    batches.reserve(kBlock);
    const double seconds = Seconds([&] {
      for (int i = 0; i < kBlock; ++i) batches.push_back(Enqueue());
    });
    for (const rp::QueuedWorkBatch& batch : batches) Must(store_->CancelQueuedWorkBatch({"session-1", batch.batch_id}));
    return seconds;
  }

  double TimeClaims() {
    std::vector<rp::QueuedWorkClaim> claims;
    const double seconds = Seconds([&] { claims = Claims(); });
    for (const rp::QueuedWorkClaim& claim : claims) Must(store_->AbandonQueuedWorkClaim({claim}));
    return seconds;
  }

  double TimeRecords() {
    const double seconds = Seconds([&] {
      for (int i = 0; i < kBlock; ++i) Record(size_ + i);
    });
    for (int i = 0; i < kBlock; ++i) Must(store_->Forget({absl::StrCat("attachment-", size_ + i)}));
    return seconds;
  }

  double TimeUncommitted() {
    return Seconds([&] { benchmark::DoNotOptimize(Must(store_->ListUncommitted({kBlock - 1}))); });
  }

 private:
  static std::string NodeId(int64_t number) { return absl::StrCat("node-", number); }

  static rp::RuntimeCommit Commit() {
    rp::RuntimeCommit commit;
    commit.session_id = "session-1";
    commit.config = {"provider-1", {R"({"id":"model-1"})"}};
    return commit;
  }

  rp::QueuedWorkBatch Enqueue() {
    rp::QueuedWorkBatchDraft draft;
    draft.session_id = "session-1";
    draft.payloads = {rp::ProcessWake{{R"({"process_id":"process-17","sequence":42,"text":"the build has finished"})"}}};
    return Must(store_->EnqueueQueuedWork({std::move(draft)}));
  }

  std::vector<rp::QueuedWorkClaim> Claims() {
    const rp::ClaimReadyQueuedWorkRequest request{"session-1", "runner-1", rp::QueuedWorkClaimBoundary::kIdle, 60'000, 1};
    std::vector<rp::QueuedWorkClaim> claims;
    claims.reserve(kBlock);
    for (int i = 0; i < kBlock; ++i) claims.push_back(*Must(store_->ClaimReadyQueuedWork(request)));
    return claims;
  }

  void Record(int64_t number) {
    const auto at = static_cast<EpochMs>(number);
    Must(store_->RecordIntent({{absl::StrCat("attachment-", number), "session-1", "file:///blobs/0", at}}));
  }

  const int64_t size_;
  ManualClock clock_{1'700'000'000'000};
  FixedLiveness liveness_;
  std::unique_ptr<rp::RuntimePersistence> store_;
  int64_t generation_ = 0;
  int64_t next_ = 0;
};

struct Row {
  const char* name;
  std::function<double(Subject&)> time;
  std::function<int64_t(int64_t size)> items;  // that one timing is about
};

int64_t OneBlock(int64_t) { return kBlock; }

const Row kRows[] = {
    {"append", &Subject::TimeAppends, OneBlock},
    {"commit_settling", &Subject::TimeSettlingCommits, OneBlock},
    {"load_node", &Subject::TimeNodes, OneBlock},
    {"path", [](Subject& subject) { return subject.TimeRead(rp::ActivePath{}); }, [](int64_t) { return int64_t{1}; }},
    {"full_graph", [](Subject& subject) { return subject.TimeRead(rp::FullGraph{}); }, [](int64_t size) { return size; }},
    {"enqueue", &Subject::TimeEnqueues, OneBlock},
    {"claim", &Subject::TimeClaims, OneBlock},
    {"record", &Subject::TimeRecords, OneBlock},
    {"uncommitted", &Subject::TimeUncommitted, OneBlock},
};

// The subject of a benchmark that is run several times is filled once: the latest is kept.
Subject& Opened(const Store& store, int64_t size) {
  static std::string kept_key;
  static std::unique_ptr<Subject> kept;
  std::string key = absl::StrCat(store.name, " ", size);
  if (kept_key != key) {
    kept = nullptr;
    kept = std::make_unique<Subject>(store, size);
    kept_key = std::move(key);
  }
  return *kept;
}

void RegisterAll() {
  for (const Store& store : kStores) {
    for (const int64_t size : kSizes) {
      for (const Row& row : kRows) {
        benchmark::RegisterBenchmark(absl::StrCat(store.name, "/", row.name).c_str(),
                                     [&store, &row](benchmark::State& state) {
                                       Subject& subject = Opened(store, state.range(0));
                                       for (auto _ : state) state.SetIterationTime(row.time(subject));
                                       state.SetItemsProcessed(state.iterations() * row.items(state.range(0)));
                                     })
            ->Arg(size)
            ->ArgName("size")
            ->UseManualTime();
      }
    }
  }
}

}  // namespace
}  // namespace leasecheck::bench

int main(int argc, char** argv) {
  // The cost of deadlock detection, a debugging aid of absl::Mutex, is nobody's here.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  leasecheck::bench::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
