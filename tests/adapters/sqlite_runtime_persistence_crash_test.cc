// Crashes of the runtime_persistence store on SQLite: SIGKILL before every statement of every operation, and power cuts by a VFS
// that loses unsynced writes. What was acknowledged is there afterwards, and what was open is there whole or not at all.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>

#include "adapters/sqlite/unsynced_vfs.h"
#include "tests/adapters/sqlite_runtime_persistence_fixture.h"

namespace leasecheck::sqlite {
namespace {

using Loss = UnsyncedVfs::Loss;

// What stands in the file before each operation, with the handles to it.
struct Scene {
  rp::QueuedWorkClaim claim;  // of two joined batches
  rp::QueuedWorkBatch ready;  // exclusive, at the head of the queue
};

struct Operation {
  std::string name;
  std::function<bool(rp::RuntimePersistence&, const Scene&)> run;  // whether the store acknowledged it
};

// Over everything: graph, queue, checkpoint with three snapshots, ledger, frames, turn and attachments.
rp::RuntimeCommit WholeCommit(const Scene& at) {
  rp::RuntimeCommit commit = Session::Stamped("t2", "h", Session::Completing({at.claim}));
  commit.graph = rp::Append{{Node("l1", "r"), Node("n", "l1")}, "n"};
  commit.agent_frames = {{"f", std::nullopt, {"{}"}}};
  commit.checkpoint.tool_state = OpaqueJson{"{\"g\":2}"};
  commit.checkpoint.plugin_snapshot = OpaqueJson{"[2]"};
  commit.checkpoint.execution_state = std::vector<uint8_t>{2};
  commit.usage_deltas = {Usage("turn", "m", {1, 1, 1, 1}), Usage("new", "m", {1, 1, 1, 1})};
  commit.committed_attachment_ids = {"x", "nosuch"};
  return commit;
}

std::vector<Operation> Operations() {
  return {
      {"commit_append",
       [](rp::RuntimePersistence& s, const Scene& at) { return s.CommitRuntimeState({WholeCommit(at)}).has_value(); }},
      {"commit_replace",
       [](rp::RuntimePersistence& s, const Scene& at) {
         rp::RuntimeCommit commit = WholeCommit(at);
         commit.graph = rp::ReplaceFull{{{Node("l1"), Node("q", "l1"), Node("z")}, "z"}};
         return s.CommitRuntimeState({commit}).has_value();
       }},
      {"save_meta",
       [](rp::RuntimePersistence& s, const Scene&) {
         return s.SaveSessionMeta({{"s", "new", "", "", std::nullopt, rp::RelationRoot{}}}).has_value();
       }},
      {"tombstone",
       [](rp::RuntimePersistence& s, const Scene&) {
         return s.TombstoneNodes({{"q", "l2", "nosuch"}}).has_value();
       }},
      {"vacuum", [](rp::RuntimePersistence& s, const Scene&) { return s.Vacuum({}).has_value(); }},
      {"gc", [](rp::RuntimePersistence& s, const Scene&) { return s.GcUnreachable({}).has_value(); }},
      {"enqueue", [](rp::RuntimePersistence& s, const Scene&) { return s.EnqueueQueuedWork({Work()}).has_value(); }},
      {"claim",
       [](rp::RuntimePersistence& s, const Scene&) {
         return s.ClaimReadyQueuedWork({"s", "o", rp::QueuedWorkClaimBoundary::kIdle, 1000, 10}).has_value();
       }},
      {"claim_by_ids",
       [](rp::RuntimePersistence& s, const Scene& at) {
         return s.ClaimReadyQueuedWorkByBatchIds({"s", "o", rp::QueuedWorkClaimBoundary::kIdle, 1000, {at.ready.batch_id}})
             .has_value();
       }},
      {"claim_by_other_ids",
       [](rp::RuntimePersistence& s, const Scene&) {
         return s.ClaimReadyQueuedWorkByBatchIds({"s", "o", rp::QueuedWorkClaimBoundary::kIdle, 1000, {"other"}}).has_value();
       }},
      {"renew",
       [](rp::RuntimePersistence& s, const Scene& at) {
         return s.RenewQueuedWorkClaim({at.claim, 99}).has_value();
       }},
      {"abandon", [](rp::RuntimePersistence& s, const Scene& at) { return s.AbandonQueuedWorkClaim({at.claim}).has_value(); }},
      {"cancel",
       [](rp::RuntimePersistence& s, const Scene& at) {
         return s.CancelQueuedWorkBatch({"s", at.ready.batch_id}).has_value();
       }},
      {"intent",
       [](rp::RuntimePersistence& s, const Scene&) {
         return s.RecordIntent({{"z", "s", "uri", 7}}).has_value();
       }},
      {"commit_refs",
       [](rp::RuntimePersistence& s, const Scene&) {
         return s.CommitRefs({"s", {"x", "y"}}).has_value();
       }},
      {"forget", [](rp::RuntimePersistence& s, const Scene&) { return s.Forget({"x"}).has_value(); }},
      {"load", [](rp::RuntimePersistence& s, const Scene&) { return s.LoadSession({}).has_value(); }},
      {"list", [](rp::RuntimePersistence& s, const Scene&) { return s.ListPendingQueuedWork({"s"}).has_value(); }},
  };
}
constexpr int kReads = 2;

class RuntimePersistenceCrash : public ::testing::Test {
 protected:
  RuntimePersistence::Options Options(const std::string& path) {
    return {.path = path, .connections = 1, .environment = {.clock = &clock_}, .id_seed = 5};
  }
  static std::unique_ptr<RuntimePersistence> Open(const RuntimePersistence::Options& options) {
    auto store = RuntimePersistence::Open(options);
    if (!store.ok()) ADD_FAILURE() << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  Scene Prepare(const RuntimePersistence::Options& options) {
    auto store = Open(options);
    Session s(store.get());
    Scene scene;
    rp::RuntimeCommit commit = Session::Stamped("t1", "h", Session::With(Branches()));
    commit.checkpoint.tool_state = OpaqueJson{"{\"g\":1}"};
    commit.usage_deltas = {Usage("turn", "m", {1, 2, 3, 4})};
    s.Commits(commit);
    s.Commits(Session::With(rp::Unchanged{"l2"}));
    s.Tombstone({"l1"});
    Session::Get(store->SaveSessionMeta({{"s", "old", "", "", std::nullopt, rp::RelationRoot{}}}));
    s.Enqueue(Joining("g"));
    s.Enqueue(Joining("g"));
    scene.claim = *s.Claim();
    scene.ready = s.Enqueue();
    s.Intend("x", "s", 1);
    s.Intend("y", "s", 2);
    return scene;
  }
  std::string Copy(const std::string& from, const std::string& name) {
    EXPECT_TRUE(RuntimePersistence::Remove(folder_.File(name)).ok());
    std::filesystem::copy_file(from, folder_.File(name));
    return folder_.File(name);
  }

  // Runs an operation in a child that is killed before its n-th statement, those of opening included. True: it was killed.
  bool RunKilled(const std::string& path, uint64_t n, const Operation& operation, const Scene& scene) {
    pid_t child = fork();
    if (child == 0) {
      RuntimePersistence::Options options = Options(path);
      options.on_statement = KillAtStatement(n);
      auto store = RuntimePersistence::Open(options);
      _exit(store.ok() && operation.run(**store, scene) ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
      EXPECT_EQ(WTERMSIG(status), SIGKILL);
      return true;
    }
    EXPECT_EQ(WEXITSTATUS(status), 0) << operation.name << " was not acknowledged";
    return false;
  }

  Folder folder_;
  ManualClock clock_{1000};
};

TEST_F(RuntimePersistenceCrash, AKillBeforeAnyStatementLeavesAllOrNothing) {
  const std::string prepared = folder_.File("prepared.db");
  const Scene scene = Prepare(Options(prepared));
  const std::string before = DumpSession(prepared);
  std::size_t changed = 0;
  for (const Operation& operation : Operations()) {
    std::string path = Copy(prepared, "whole.db");
    { ASSERT_TRUE(operation.run(*Open(Options(path)), scene)) << operation.name; }
    const std::string after = DumpSession(path);
    bool acknowledged = false;
    for (uint64_t n = 1; !acknowledged; ++n) {
      ASSERT_LT(n, 200u);
      path = Copy(prepared, "killed.db");
      acknowledged = !RunKilled(path, n, operation, scene);
      { Open(Options(path)); }  // recovers the log
      ASSERT_EQ(DumpSession(path), acknowledged ? after : before) << operation.name << " killed before statement " << n;
    }
    if (after != before) ++changed;
  }
  EXPECT_EQ(changed, Operations().size() - kReads);
}

// Commits until the power goes. Each commit is seen in five tables, which must agree.
class RuntimePersistencePowerCut : public RuntimePersistenceCrash {
 protected:
  static rp::RuntimeCommit Turn(uint64_t i, const rp::QueuedWorkClaim& claim) {
    rp::RuntimeCommit commit = Session::Stamped(absl::StrCat("turn", i), "h", Session::Completing({claim}));
    commit.graph = rp::Append{{Node(absl::StrCat("n", i))}, absl::StrCat("n", i)};
    commit.checkpoint.tool_state = OpaqueJson{absl::StrCat("{\"g\":", i, "}")};
    commit.usage_deltas = {Usage("turn", "m", {1, 0, 0, 0})};
    commit.committed_attachment_ids = {absl::StrCat("x", i)};
    return commit;
  }
  // Returns how many commits were acknowledged.
  uint64_t RunUntilCut(const RuntimePersistence::Options& base, UnsyncedVfs* vfs, uint64_t n, Loss loss) {
    RuntimePersistence::Options options = base;
    std::atomic<uint64_t> cut{0};
    options.on_statement = [&cut, vfs, loss](uint64_t statement) {
      if (statement == cut) vfs->Crash(loss);
      return absl::OkStatus();
    };
    auto store = Open(options);
    cut = store->statements() + n;
    for (uint64_t i = 1;; ++i) {
      if (!store->RecordIntent({{absl::StrCat("x", i), "s", "uri", 1}}).has_value()) return i - 1;
      if (!store->EnqueueQueuedWork({Work()}).has_value()) return i - 1;
      auto claim = store->ClaimReadyQueuedWork({"s", "o", rp::QueuedWorkClaimBoundary::kIdle, 60000, 1});
      if (!claim.has_value() || !claim->has_value()) return i - 1;
      if (!store->CommitRuntimeState({Turn(i, **claim)}).has_value()) return i - 1;
    }
  }
  // The revision that the file shows, where everything in it is of that revision.
  static std::optional<uint64_t> Found(RuntimePersistence& store) {
    auto read = store.LoadSession({});
    auto list = store.ListQueuedWork({"s"});
    auto uncommitted = store.ListUncommitted({1});
    if (!read.has_value() || !list.has_value() || !uncommitted.has_value()) return std::nullopt;
    if (!read->has_value()) return 0;
    const rp::PersistedSessionRead& at = **read;
    const uint64_t revision = at.head_revision;
    const bool agrees = at.graph.nodes.size() == revision && at.graph.leaf_node_id == absl::StrCat("n", revision) &&
                        at.checkpoint->tool_state == OpaqueJson{absl::StrCat("{\"g\":", revision, "}")} &&
                        at.token_ledger == std::vector{Usage("turn", "m", {static_cast<int64_t>(revision), 0, 0, 0})} &&
                        list->size() <= 1 && (list->empty() || list->front().enqueue_seq == revision + 1) &&
                        uncommitted->size() <= 1 &&
                        (uncommitted->empty() || uncommitted->front().attachment_id == absl::StrCat("x", revision + 1));
    if (!agrees) return std::nullopt;
    return revision;
  }

  // The number of power cuts, of `cuts`, after which something acknowledged was missing or the file was spoilt.
  int Broken(Synchronous synchronous, Loss::Of of, int cuts) {
    int broken = 0;
    std::mt19937_64 random(11);
    for (int cut = 0; cut < cuts; ++cut) {
      auto vfs = UnsyncedVfs::Register(absl::StrCat("rp-power-", static_cast<int>(synchronous), static_cast<int>(of), "-", cut));
      EXPECT_TRUE(vfs.ok());
      RuntimePersistence::Options options = Options(folder_.File("power.db"));
      EXPECT_TRUE(RuntimePersistence::Remove(options.path).ok());
      options.vfs = (*vfs)->name();
      options.synchronous = synchronous;
      const uint64_t acknowledged = RunUntilCut(options, vfs->get(), 1 + random() % 1200, {of, random()});
      EXPECT_TRUE((*vfs)->Restart().ok());
      auto store = RuntimePersistence::Open(options);
      std::optional<uint64_t> found;
      if (store.ok()) found = Found(**store);
      const bool kept = found.has_value() && (*found == acknowledged || *found == acknowledged + 1);
      if (!kept) ++broken;
      if (!store.ok()) continue;
      store->reset();
      if (DumpSession(options.path, options.vfs).find("ok \n") == std::string::npos) ++broken;
    }
    return broken;
  }
};

TEST_F(RuntimePersistencePowerCut, NothingAcknowledgedIsLost) {
  EXPECT_EQ(Broken(Synchronous::kFull, Loss::Of::kEverything, 40), 0);
}
TEST_F(RuntimePersistencePowerCut, NothingAcknowledgedIsLostToTornWrites) {
  EXPECT_EQ(Broken(Synchronous::kFull, Loss::Of::kSomeSectors, 60), 0);
}
// The control: the same test sees the loss where nothing is synced, so it could have failed above.
TEST_F(RuntimePersistencePowerCut, WithoutSyncsTheSameTestFails) {
  EXPECT_GT(Broken(Synchronous::kOff, Loss::Of::kEverything, 10), 5);
}

}  // namespace
}  // namespace leasecheck::sqlite
