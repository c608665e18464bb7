// Crashes of the runtime_repository store on SQLite: SIGKILL before every statement of every operation, and power cuts by a VFS
// that loses unsynced writes. What was acknowledged is there afterwards, and what was open is there whole or not at all.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <random>

#include "adapters/sqlite/unsynced_vfs.h"
#include "tests/adapters/sqlite_runtime_repository_fixture.h"

namespace leasecheck::sqlite {
namespace {

using Loss = UnsyncedVfs::Loss;

struct Operation {
  std::string name;
  std::function<bool(rr::RuntimeRepositoryStore&, const rr::Lease&)> run;  // whether the store acknowledged it
  bool reads = false;
};

// Each is acknowledged on the prepared store, whose attempts are "a" (leased, retries left), "b" (leased, none left), "c"
// (leased, timed out), "q" (queued) and "f" (failed, with a letter).
std::vector<Operation> Operations() {
  using S = rr::RuntimeRepositoryStore;
  using L = rr::Lease;
  return {
      {"upsert",
       [](S& s, const L&) {
         return s.UpsertLease({"q", "w", At(9)}).has_value();
       }},
      {"heartbeat",
       [](S& s, const L& l) {
         return s.HeartbeatLease({l.lease_id, At(2), At(9)}).has_value();
       }},
      {"expire", [](S& s, const L&) { return s.ExpireLeasesAndRequeue({At(6)}) == uint64_t{3}; }},
      {"timeout", [](S& s, const L&) { return s.TransitionTimedOutAttempts({At(2)}) == uint64_t{1}; }},
      {"enqueue",
       [](S& s, const L&) {
         return s.EnqueueAttempt({"new", "r"}).has_value();
       }},
      {"ack_completed",
       [](S& s, const L&) {
         return s.AckAttempt({"a", Status::kCompleted, std::nullopt, At(1), std::nullopt}).has_value();
       }},
      {"ack_retry",
       [](S& s, const L&) {
         return s.AckAttempt({"a", Status::kFailed, rr::Fixed(1, 1), At(1), std::nullopt}).has_value();
       }},
      {"ack_failed",
       [](S& s, const L&) {
         return s.AckAttempt({"b", Status::kFailed, std::nullopt, At(1), std::nullopt}).has_value();
       }},
      {"mark",
       [](S& s, const L&) {
         return s.MarkAttemptStatus({"a", Status::kRunning}).has_value();
       }},
      {"priority",
       [](S& s, const L&) {
         return s.SetAttemptPriority({"q", 5}).has_value();
       }},
      {"tenant",
       [](S& s, const L&) {
         return s.SetAttemptTenantId({"a", "t"}).has_value();
       }},
      {"timeout_policy",
       [](S& s, const L&) {
         return s.SetAttemptTimeoutPolicy({"a", 5, Status::kFailed}).has_value();
       }},
      {"started_at",
       [](S& s, const L&) {
         return s.SetAttemptStartedAt({"a", At(7)}).has_value();
       }},
      {"heartbeat_with_version",
       [](S& s, const L& l) {
         return s.HeartbeatLeaseWithVersion({l.lease_id, "w", 1, At(2), At(9)}).has_value();
       }},
      {"replay",
       [](S& s, const L&) {
         return s.ReplayDeadLetter({"f", At(1)}).has_value();
       }},
      {"append",
       [](S& s, const L&) {
         return s.AppendRunEvents({"r", 3}) == uint64_t{4};
       }},
      {"list",
       [](S& s, const L&) {
         return s.ListDispatchableAttempts({At(1), 5}).has_value();
       },
       true},
      {"letters", [](S& s, const L&) { return s.ListDeadLetters({}).has_value(); }, true},
  };
}

class RuntimeRepositoryCrash : public ::testing::Test {
 protected:
  RuntimeRepository::Options Options(const std::string& path) {
    return {.path = path, .connections = 1, .environment = {.clock = &clock_}, .id_seed = 5};
  }
  // Returns the lease of "a".
  rr::Lease Prepare(const std::string& path) {
    auto store = OpenRepository(Options(path));
    Scheduler s(store.get());
    s.Enqueue({"a", "b", "c", "q", "f"});
    const rr::Lease lease = s.Claim("a", 5);
    s.Claim("b", 5);
    s.SetTimeout("c", 1, Status::kFailed);
    s.Claim("c", 5);
    s.Ack("f", Status::kFailed, 0).value();
    s.AppendEvents("r", 1);
    return lease;
  }
  std::string Copy(const std::string& from, const std::string& name) {
    EXPECT_TRUE(RuntimeRepository::Remove(folder_.File(name)).ok());
    std::filesystem::copy_file(from, folder_.File(name));
    return folder_.File(name);
  }

  // Runs an operation in a child that is killed before its n-th statement, those of opening included. True: it was killed.
  bool RunKilled(const std::string& path, uint64_t n, const Operation& operation, const rr::Lease& lease) {
    pid_t child = fork();
    if (child == 0) {
      RuntimeRepository::Options options = Options(path);
      options.on_statement = KillAtStatement(n);
      auto store = RuntimeRepository::Open(options);
      _exit(store.ok() && operation.run(**store, lease) ? 0 : 1);
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

TEST_F(RuntimeRepositoryCrash, AKillBeforeAnyStatementLeavesAllOrNothing) {
  const std::string prepared = folder_.File("prepared.db");
  const rr::Lease lease = Prepare(prepared);
  const std::string before = DumpRepository(prepared);
  for (const Operation& operation : Operations()) {
    std::string path = Copy(prepared, "whole.db");
    { ASSERT_TRUE(operation.run(*OpenRepository(Options(path)), lease)) << operation.name; }
    const std::string after = DumpRepository(path);
    EXPECT_EQ(after == before, operation.reads) << operation.name;
    bool acknowledged = false;
    for (uint64_t n = 1; !acknowledged; ++n) {
      ASSERT_LT(n, 100u);
      path = Copy(prepared, "killed.db");
      acknowledged = !RunKilled(path, n, operation, lease);
      { OpenRepository(Options(path)); }  // recovers the log
      ASSERT_EQ(DumpRepository(path), acknowledged ? after : before) << operation.name << " killed before statement " << n;
    }
  }
}

// Attempts that fail, wait, are claimed again and end, until the power goes.
class RuntimeRepositoryPowerCut : public RuntimeRepositoryCrash {
 protected:
  // Returns how many attempts were acknowledged as ended.
  uint64_t RunUntilCut(const RuntimeRepository::Options& base, UnsyncedVfs* vfs, uint64_t n, Loss loss) {
    RuntimeRepository::Options options = base;
    std::atomic<uint64_t> cut{0};
    options.on_statement = [&cut, vfs, loss](uint64_t statement) {
      if (statement == cut) vfs->Crash(loss);
      return absl::OkStatus();
    };
    auto store = OpenRepository(options);
    cut = store->statements() + n;
    for (uint64_t i = 1;; ++i) {
      const std::string id = absl::StrCat("a", i);
      const bool ended = store->EnqueueAttempt({id, "r"}).has_value() && store->UpsertLease({id, "w", At(5)}).has_value() &&
                         store->AckAttempt({id, Status::kFailed, rr::Fixed(1, 1), At(-1), std::nullopt}).has_value() &&
                         store->UpsertLease({id, "w", At(5)}).has_value() &&
                         store->AckAttempt({id, Status::kFailed, std::nullopt, At(1), std::nullopt}).has_value();
      if (!ended) return i - 1;
    }
  }
  // The number of attempts that ended in the file, where everything in it agrees.
  static std::optional<uint64_t> Found(RuntimeRepository& store) {
    const auto letters = store.ListDeadLetters({});
    if (!letters.has_value()) return std::nullopt;
    const uint64_t ended = letters->size();
    for (uint64_t i = 1; i <= ended; ++i) {
      const std::string id = absl::StrCat("a", i);
      const auto status = store.GetAttemptStatus({id});
      const auto lease = store.GetLeaseForAttempt({id});
      const auto history = store.GetAttemptRetryHistory({id});
      const bool agrees = status.has_value() && *status == rr::AttemptStatus{2, Status::kFailed} && lease.has_value() &&
                          !lease->has_value() && history.has_value() && history->size() == 1;
      if (!agrees) return std::nullopt;
    }
    const auto after_next = store.GetAttemptStatus({absl::StrCat("a", ended + 2)});
    if (!after_next.has_value() || after_next->has_value()) return std::nullopt;
    return ended;
  }

  // The number of power cuts, of `cuts`, after which something acknowledged was missing or the file was spoilt.
  int Broken(Synchronous synchronous, Loss::Of of, int cuts) {
    int broken = 0;
    std::mt19937_64 random(11);
    for (int cut = 0; cut < cuts; ++cut) {
      auto vfs = UnsyncedVfs::Register(absl::StrCat("rr-power-", static_cast<int>(synchronous), static_cast<int>(of), "-", cut));
      EXPECT_TRUE(vfs.ok());
      RuntimeRepository::Options options = Options(folder_.File("power.db"));
      EXPECT_TRUE(RuntimeRepository::Remove(options.path).ok());
      options.vfs = (*vfs)->name();
      options.synchronous = synchronous;
      const uint64_t acknowledged = RunUntilCut(options, vfs->get(), 1 + random() % 800, {of, random()});
      EXPECT_TRUE((*vfs)->Restart().ok());
      auto store = RuntimeRepository::Open(options);
      std::optional<uint64_t> found;
      if (store.ok()) found = Found(**store);
      const bool kept = found.has_value() && (*found == acknowledged || *found == acknowledged + 1);
      if (!kept) ++broken;
      if (!store.ok()) continue;
      store->reset();
      if (DumpRepository(options.path, options.vfs).find("ok \n") == std::string::npos) ++broken;
    }
    return broken;
  }
};

TEST_F(RuntimeRepositoryPowerCut, NothingAcknowledgedIsLost) {
  EXPECT_EQ(Broken(Synchronous::kFull, Loss::Of::kEverything, 40), 0);
}
TEST_F(RuntimeRepositoryPowerCut, NothingAcknowledgedIsLostToTornWrites) {
  EXPECT_EQ(Broken(Synchronous::kFull, Loss::Of::kSomeSectors, 60), 0);
}
// The control: the same test sees the loss where nothing is synced, so it could have failed above.
TEST_F(RuntimeRepositoryPowerCut, WithoutSyncsTheSameTestFails) {
  EXPECT_GT(Broken(Synchronous::kOff, Loss::Of::kEverything, 10), 5);
}

}  // namespace
}  // namespace leasecheck::sqlite
