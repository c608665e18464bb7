// Crashes of the state_backend store on SQLite: SIGKILL before every statement of every operation, and power cuts by a VFS that
// loses unsynced writes. What was acknowledged is there afterwards, and what was open is there whole or not at all.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <random>

#include "adapters/sqlite/unsynced_vfs.h"
#include "tests/adapters/sqlite_state_backend_fixture.h"

namespace leasecheck::sqlite {
namespace {

using Loss = UnsyncedVfs::Loss;

struct Operation {
  std::string name;
  std::function<bool(sb::StateBackendStore&)> run;  // whether the store acknowledged it
  bool reads = false;
};

// Each is acknowledged at time 31 on the prepared store: execution 1 with an event and a snapshot, and the items 1 (expired), 2
// (expired, no attempts left), 3 (waits for its retry) and 4 (pending).
std::vector<Operation> Operations() {
  using S = sb::StateBackendStore;
  return {
      {"store_workflow",
       [](S& s) {
         return s.StoreWorkflow({{"flow", "1", sb::Json("2"), At(1), "default"}}).has_value();
       }},
      {"create_execution", [](S& s) { return s.CreateExecution({sb::Execution(2)}).has_value(); }},
      {"update_status",
       [](S& s) {
         return s.UpdateExecutionStatus({E(1), sb::WorkflowStatus::kFailed}).has_value();
       }},
      {"update_state",
       [](S& s) {
         return s.UpdateExecutionCurrentState({E(1), sb::Json("1")}).has_value();
       }},
      {"patch",
       [](S& s) {
         return s.PatchAppendArray({E(1), "k", sb::Json("1")}).has_value();
       }},
      {"append_event", [](S& s) { return s.AppendEvent({sb::EventOf(2)}) == sb::EventSequence{2}; }},
      {"write_snapshot", [](S& s) { return s.WriteSnapshot({sb::SnapshotAt(1, "[]")}).has_value(); }},
      {"enqueue", [](S& s) { return s.EnqueueWorkItem({sb::Item(5)}).has_value(); }},
      {"claim",
       [](S& s) {
         return s.ClaimWorkItem({"w", {"tool"}}).value_or(std::nullopt).has_value();
       }},
      {"renew",
       [](S& s) {
         return s.RenewLease({I(1), "w1"}).has_value();
       }},
      {"complete", [](S& s) { return s.CompleteWorkItem({I(1)}).has_value(); }},
      {"fail",
       [](S& s) {
         return s.FailWorkItem({I(4), "e"}).has_value();
       }},
      {"reclaim", [](S& s) { return s.ReclaimExpiredLeases({}).value_or(sb::ReclaimResult{}).exhausted.size() == 1; }},
      {"bury",
       [](S& s) {
         return s.MoveToDeadLetter({I(3), "e"}).has_value();
       }},
      {"create_token",
       [](S& s) {
         return s.CreateToken({"n", "r"}).has_value();
       }},
      {"create_tenant", [](S& s) { return s.CreateTenant({sb::TenantOf("t")}).has_value(); }},
      {"update_tenant", [](S& s) { return s.UpdateTenant({sb::TenantOf("default", 9)}).has_value(); }},
      {"list",
       [](S& s) {
         return s.ListExecutions({std::nullopt, 5, 0}).has_value();
       },
       true},
      {"tail",
       [](S& s) {
         return s.GetEventsSince({E(1), 0}).has_value();
       },
       true},
  };
}

class StateBackendCrash : public ::testing::Test {
 protected:
  StateBackend::Options Options(const std::string& path) {
    return {.path = path, .connections = 1, .environment = {.clock = &clock_}, .id_seed = 5};
  }
  void Prepare(const std::string& path) {
    auto store = OpenBackend(Options(path));
    Engine engine(store.get());
    store->StoreWorkflow({{"flow", "1", sb::Json("1"), At(1), "default"}}).value();
    engine.CreateAll({1});
    engine.Append(1);
    engine.Write(sb::SnapshotAt(1)).value();
    clock_.Set(0);
    engine.Enqueue(sb::Item(3));
    EXPECT_EQ(engine.Claimed(), 3u);
    clock_.Set(30'500);
    EXPECT_EQ(engine.Retryable(), (sb::Numbers{3}));
    clock_.Set(0);
    engine.Enqueue(sb::Item(1));
    sb::WorkItem last = sb::Item(2);
    last.max_attempts = 1;
    engine.Enqueue(last);
    EXPECT_EQ(engine.Claimed(), 1u);
    EXPECT_EQ(engine.Claimed(), 2u);
    engine.Enqueue(sb::Item(4));
    clock_.Set(31'000);
  }
  std::string Copy(const std::string& from, const std::string& name) {
    EXPECT_TRUE(StateBackend::Remove(folder_.File(name)).ok());
    std::filesystem::copy_file(from, folder_.File(name));
    return folder_.File(name);
  }

  // Runs an operation in a child that is killed before its n-th statement, those of opening included. True: it was killed.
  bool RunKilled(const std::string& path, uint64_t n, const Operation& operation) {
    const pid_t child = fork();
    if (child == 0) {
      StateBackend::Options options = Options(path);
      options.on_statement = KillAtStatement(n);
      auto store = StateBackend::Open(options);
      _exit(store.ok() && operation.run(**store) ? 0 : 1);
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
  ManualClock clock_{0};
};

TEST_F(StateBackendCrash, AKillBeforeAnyStatementLeavesAllOrNothing) {
  const std::string prepared = folder_.File("prepared.db");
  Prepare(prepared);
  const std::string before = DumpBackend(prepared);
  for (const Operation& operation : Operations()) {
    std::string path = Copy(prepared, "whole.db");
    { ASSERT_TRUE(operation.run(*OpenBackend(Options(path)))) << operation.name; }
    const std::string after = DumpBackend(path);
    EXPECT_EQ(after == before, operation.reads) << operation.name;
    bool acknowledged = false;
    for (uint64_t n = 1; !acknowledged; ++n) {
      ASSERT_LT(n, 100u);
      path = Copy(prepared, "killed.db");
      acknowledged = !RunKilled(path, n, operation);
      { OpenBackend(Options(path)); }  // recovers the log
      ASSERT_EQ(DumpBackend(path), acknowledged ? after : before) << operation.name << " killed before statement " << n;
    }
  }
}

// Executions that log, work and end, until the power goes.
class StateBackendPowerCut : public StateBackendCrash {
 protected:
  // Returns how many rounds were acknowledged whole.
  uint64_t RunUntilCut(const StateBackend::Options& base, UnsyncedVfs* vfs, uint64_t n, Loss loss) {
    StateBackend::Options options = base;
    std::atomic<uint64_t> cut{0};
    options.on_statement = [&cut, vfs, loss](uint64_t statement) {
      if (statement == cut) vfs->Crash(loss);
      return absl::OkStatus();
    };
    auto store = OpenBackend(options);
    cut = store->statements() + n;
    for (uint64_t i = 1;; ++i) {
      const bool whole =
          store->CreateExecution({sb::Execution(i)}).has_value() && store->AppendEvent({sb::EventOf(2 * i, i)}).has_value() &&
          store->EnqueueWorkItem({sb::Item(i, 0, "tool", i)}).has_value() && store->ClaimWorkItem({"w", {"tool"}}).has_value() &&
          store->CompleteWorkItem({I(i)}).has_value() && store->AppendEvent({sb::EventOf(2 * i + 1, i)}).has_value() &&
          store->UpdateExecutionStatus({E(i), sb::WorkflowStatus::kCompleted}).has_value();
      if (!whole) return i - 1;
    }
  }
  // The number of rounds in the file, where everything in it agrees.
  static std::optional<uint64_t> Found(StateBackend& store) {
    const auto ended = store.ListExecutions({sb::WorkflowStatus::kCompleted, 1'000'000, 0});
    if (!ended.has_value()) return std::nullopt;
    for (uint64_t i = 1; i <= ended->size(); ++i) {
      const auto events = store.GetEvents({E(i)});
      const bool agrees = events.has_value() && events->size() == 2 && events->back().id == sb::EventId(2 * i + 1) &&
                          store.CompleteWorkItem({I(i)}).has_value() &&
                          store.EnqueueWorkItem({sb::Item(i, 0, "tool", i)}) ==
                              sb::Result<sb::WorkItemId>(tl::unexpected<sb::StoreError>(sb::Database{}));
      if (!agrees) return std::nullopt;
    }
    const auto after_next = store.GetExecution({E(ended->size() + 2)});
    if (!after_next.has_value() || after_next->has_value()) return std::nullopt;
    return ended->size();
  }

  // The number of power cuts, of `cuts`, after which something acknowledged was missing or the file was spoilt.
  int Broken(Synchronous synchronous, Loss::Of of, int cuts) {
    int broken = 0;
    std::mt19937_64 random(11);
    for (int cut = 0; cut < cuts; ++cut) {
      auto vfs = UnsyncedVfs::Register(absl::StrCat("sb-power-", static_cast<int>(synchronous), static_cast<int>(of), "-", cut));
      EXPECT_TRUE(vfs.ok());
      StateBackend::Options options = Options(folder_.File("power.db"));
      EXPECT_TRUE(StateBackend::Remove(options.path).ok());
      options.vfs = (*vfs)->name();
      options.synchronous = synchronous;
      const uint64_t acknowledged = RunUntilCut(options, vfs->get(), 1 + random() % 800, {of, random()});
      EXPECT_TRUE((*vfs)->Restart().ok());
      auto store = StateBackend::Open(options);
      std::optional<uint64_t> found;
      if (store.ok()) found = Found(**store);
      const bool kept = found.has_value() && (*found == acknowledged || *found == acknowledged + 1);
      if (!kept) ++broken;
      if (!store.ok()) continue;
      store->reset();
      if (DumpBackend(options.path, options.vfs).find("ok \n") == std::string::npos) ++broken;
    }
    return broken;
  }
};

TEST_F(StateBackendPowerCut, NothingAcknowledgedIsLost) { EXPECT_EQ(Broken(Synchronous::kFull, Loss::Of::kEverything, 40), 0); }
TEST_F(StateBackendPowerCut, NothingAcknowledgedIsLostToTornWrites) {
  EXPECT_EQ(Broken(Synchronous::kFull, Loss::Of::kSomeSectors, 60), 0);
}
// The control: the same test sees the loss where nothing is synced, so it could have failed above.
TEST_F(StateBackendPowerCut, WithoutSyncsTheSameTestFails) { EXPECT_GT(Broken(Synchronous::kOff, Loss::Of::kEverything, 10), 5); }

}  // namespace
}  // namespace leasecheck::sqlite
