// Crashes of the SQLite store: SIGKILL before every statement of every operation, and power cuts by a VFS that loses unsynced
// writes. What was acknowledged is there afterwards, and what was open is there whole or not at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <random>
#include <set>

#include "adapters/sqlite/unsynced_vfs.h"
#include "tests/adapters/sqlite_fixture.h"

namespace leasecheck::sqlite {
namespace {

using Loss = UnsyncedVfs::Loss;

// What stands in the file before each operation, with the handles to it.
struct Scene {
  ss::SessionExecutionLease lane;
  ss::QueuedWorkClaim claim;       // of two joined batches
  ss::QueuedWorkBatch ready;       // exclusive, at the head
  ss::SessionExecutionLease dead;  // the lane of session "d"
  ss::TurnInputClaim inputs;       // of two inputs for the next turn
  ss::TurnInputClaim accepted;     // of one input of turn "t"
};

struct Operation {
  std::string name;
  std::function<bool(ss::SessionStore&, const Scene&)> run;  // whether the store acknowledged it
};

std::vector<Operation> Operations() {
  return {
      {"enqueue",
       [](ss::SessionStore& s, const Scene&) {
         return s.EnqueueQueuedWork({Draft({Wake(), Wake()})}).has_value();
       }},
      {"claim_command",
       [](ss::SessionStore& s, const Scene& at) {
         auto lane = s.TryClaimSessionExecutionLease({"c", at.lane.owner, 1000});
         if (!lane.has_value()) return false;
         auto fence = ss::FenceOf(std::get<ss::LeaseAcquired>(*lane).lease);
         return s.ClaimLeadingReadySessionCommand({"c", fence, at.lane.owner, 1000}).has_value();
       }},
      {"claim",
       [](ss::SessionStore& s, const Scene& at) {
         return s.ClaimReadyQueuedWork({"s", ss::FenceOf(at.lane), at.lane.owner, ss::QueuedWorkClaimBoundary::kIdle, 1000, 10})
             .has_value();
       }},
      {"claim_by_ids",
       [](ss::SessionStore& s, const Scene& at) {
         return s
             .ClaimReadyQueuedWorkByBatchIds(
                 {"s", ss::FenceOf(at.lane), at.lane.owner, ss::QueuedWorkClaimBoundary::kIdle, 1000, {at.ready.batch_id}})
             .has_value();
       }},
      {"renew",
       [](ss::SessionStore& s, const Scene& at) {
         return s.RenewQueuedWorkClaim({at.claim, 99}).has_value();
       }},
      {"abandon", [](ss::SessionStore& s, const Scene& at) { return s.AbandonQueuedWorkClaim({at.claim}).has_value(); }},
      {"cancel",
       [](ss::SessionStore& s, const Scene& at) {
         return s.CancelQueuedWorkBatch({"s", at.ready.batch_id}).has_value();
       }},
      {"list", [](ss::SessionStore& s, const Scene&) { return s.ListQueuedWork({"s"}).has_value(); }},
      {"list_pending", [](ss::SessionStore& s, const Scene&) { return s.ListPendingQueuedWork({"s"}).has_value(); }},
      {"try_lane",
       [](ss::SessionStore& s, const Scene&) {
         return s.TryClaimSessionExecutionLease({"new", Owner("X"), 5}).has_value();
       }},
      {"reclaim_lane",
       [](ss::SessionStore& s, const Scene& at) {
         return s.ReclaimSessionExecutionLease({"d", Process("Y", 1), ss::FenceOf(at.dead), 5}).has_value();
       }},
      {"renew_lane",
       [](ss::SessionStore& s, const Scene& at) {
         return s.RenewSessionExecutionLease({ss::FenceOf(at.lane), 5}).has_value();
       }},
      {"release_lane",
       [](ss::SessionStore& s, const Scene& at) { return s.ReleaseSessionExecutionLease({ss::ReleaseOf(at.lane)}).has_value(); }},
      {"commit",
       [](ss::SessionStore& s, const Scene& at) {
         ss::RuntimeCommit commit = Caller::Settling(at.lane, {at.claim});
         commit.turn_commit = ss::RuntimeTurnCommitStamp{"s", "t2", "h"};
         commit.release_session_execution_lease = ss::ReleaseOf(at.lane);
         commit.body = OpaqueJson{"{\"graph\":2}"};
         commit.completed_turn_input_claims = {ss::CompletionOf(at.inputs), ss::CompletionOf(at.accepted)};
         commit.interrupted_turn_input_turn_id = "t";
         return s.CommitRuntimeState({commit}).has_value();
       }},
      {"enqueue_input",
       [](ss::SessionStore& s, const Scene&) {
         return s.EnqueuePendingTurnInput({{"s", "mine", "new", ss::ActiveTurnIngress{"t"}, {}}}).has_value();
       }},
      {"list_inputs", [](ss::SessionStore& s, const Scene&) { return s.ListPendingTurnInputs({"s"}).has_value(); }},
      {"cancel_inputs",
       [](ss::SessionStore& s, const Scene&) {
         return s.CancelPendingTurnInputs({"s", {ss::SourceKeyTarget{"k1"}, ss::SourceKeyTarget{"k2"}}}).has_value();
       }},
      {"cancel_suffix",
       [](ss::SessionStore& s, const Scene& at) {
         return s.CancelPendingTurnInputSuffix({"s", ss::InputIdTarget{at.accepted.inputs[0].input_id}}).has_value();
       }},
      {"claim_active",
       [](ss::SessionStore& s, const Scene& at) {
         return s
             .ClaimActiveTurnInputs(
                 {"s", ss::FenceOf(at.lane), at.lane.owner, "t", ss::CheckpointKind::kBeforeCompletion, 1000, 10})
             .has_value();
       }},
      {"claim_next",
       [](ss::SessionStore& s, const Scene& at) {
         return s.ClaimNextTurnInputs({"s", ss::FenceOf(at.lane), at.lane.owner, 1000, 10}).has_value();
       }},
      {"abandon_inputs", [](ss::SessionStore& s, const Scene& at) { return s.AbandonTurnInputClaim({at.inputs}).has_value(); }},
      {"vacuum", [](ss::SessionStore& s, const Scene&) { return s.Vacuum({}).has_value(); }},
      {"load", [](ss::SessionStore& s, const Scene&) { return s.LoadSession({}).has_value(); }},
  };
}

class SqliteCrash : public ::testing::Test {
 protected:
  SessionStore::Options Options(const std::string& path) {
    return {.path = path, .connections = 1, .environment = {.clock = &clock_, .liveness = &liveness_}, .id_seed = 5};
  }
  static std::unique_ptr<SessionStore> Open(const SessionStore::Options& options) {
    auto store = SessionStore::Open(options);
    if (!store.ok()) ADD_FAILURE() << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  Scene Prepare(const SessionStore::Options& options) {
    auto store = Open(options);
    Caller s(store.get());
    Scene scene;
    scene.lane = s.Lane(Owner("X"));
    s.Enqueue(Join("g"));
    s.Enqueue(Join("g"));
    auto claim = s.Claim(scene.lane);
    EXPECT_TRUE(claim.has_value() && claim->has_value());
    scene.claim = **claim;
    scene.ready = s.Enqueue();
    ss::QueuedWorkBatchDraft command = Draft({Command()});
    command.session_id = "c";
    s.Enqueue(command);
    auto dead = store->TryClaimSessionExecutionLease({"d", Process("D", kDeadPid), 60000});
    scene.dead = std::get<ss::LeaseAcquired>(*dead).lease;
    EXPECT_TRUE(s.Settle(scene.lane, {}).has_value());
    PrepareInputs(*store, scene);
    return scene;
  }
  // Beside the two claims: two that wait for turn "t", one for the next turn, and a tombstone whose id looks like the store's.
  static void PrepareInputs(ss::SessionStore& store, Scene& scene) {
    const auto enqueue = [&](std::optional<std::string> key, ss::TurnInputIngress ingress,
                             std::optional<std::string> id = std::nullopt) {
      return store.EnqueuePendingTurnInput({{"s", std::move(id), std::move(key), std::move(ingress), {}}}).has_value();
    };
    const auto fence = ss::FenceOf(scene.lane);
    EXPECT_TRUE(enqueue(std::nullopt, ss::NextTurnIngress{}) && enqueue(std::nullopt, ss::NextTurnIngress{}));
    scene.inputs = **store.ClaimNextTurnInputs({"s", fence, scene.lane.owner, 60000, 10});
    EXPECT_TRUE(enqueue(std::nullopt, ss::ActiveTurnIngress{"t"}));
    scene.accepted =
        **store.ClaimActiveTurnInputs({"s", fence, scene.lane.owner, "t", ss::CheckpointKind::kAfterWork, 60000, 10});
    EXPECT_TRUE(enqueue("k1", ss::ActiveTurnIngress{"t"}) && enqueue("k2", ss::NextTurnIngress{}));
    EXPECT_TRUE(enqueue(std::nullopt, ss::ActiveTurnIngress{"t"}) && enqueue(std::nullopt, ss::NextTurnIngress{}, "input-9"));
    EXPECT_TRUE(store.CancelPendingTurnInput({"s", "input-9"}).has_value());
  }
  std::string Copy(const std::string& from, const std::string& name) {
    EXPECT_TRUE(SessionStore::Remove(folder_.File(name)).ok());
    std::filesystem::copy_file(from, folder_.File(name));
    return folder_.File(name);
  }

  // Runs an operation in a child that is killed before its n-th statement, those of opening included. True: it was killed.
  bool RunKilled(const std::string& path, uint64_t n, const Operation& operation, const Scene& scene) {
    pid_t child = fork();
    if (child == 0) {
      SessionStore::Options options = Options(path);
      options.on_statement = KillAtStatement(n);
      auto store = SessionStore::Open(options);
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
  FixedLiveness liveness_;
};

TEST_F(SqliteCrash, AKillBeforeAnyStatementLeavesAllOrNothing) {
  std::string prepared = folder_.File("prepared.db");
  Scene scene = Prepare(Options(prepared));
  std::string before = Dump(prepared);
  int changed = 0;
  for (const Operation& operation : Operations()) {
    if (operation.name == "claim_command") continue;  // two calls; below
    std::string path = Copy(prepared, "whole.db");
    { ASSERT_TRUE(operation.run(*Open(Options(path)), scene)) << operation.name; }
    std::string after = Dump(path);
    bool acknowledged = false;
    for (uint64_t n = 1; !acknowledged; ++n) {
      ASSERT_LT(n, 200u);
      path = Copy(prepared, "killed.db");
      acknowledged = !RunKilled(path, n, operation, scene);
      { Open(Options(path)); }  // recovers the log
      ASSERT_EQ(Dump(path), acknowledged ? after : before) << operation.name << " killed before statement " << n;
    }
    if (after != before) ++changed;
  }
  EXPECT_EQ(changed, 18) << "all but the four reads";
}

// Two transactions: each is there whole or not at all, in order.
TEST_F(SqliteCrash, AKillBetweenTwoCallsKeepsTheFirst) {
  std::string prepared = folder_.File("prepared.db");
  Scene scene = Prepare(Options(prepared));
  Operation operation = Operations()[1];
  ASSERT_EQ(operation.name, "claim_command");
  std::vector<std::string> states = {Dump(prepared)};
  for (uint64_t n = 1;; ++n) {
    std::string path = Copy(prepared, "killed.db");
    bool killed = RunKilled(path, n, operation, scene);
    { Open(Options(path)); }
    std::string state = Dump(path);
    if (state != states.back()) states.push_back(state);
    if (!killed) break;
  }
  EXPECT_EQ(states.size(), 3u) << "before, with the lane, with lane and claim";
  EXPECT_EQ(std::set<std::string>(states.begin(), states.end()).size(), 3u);
}

TEST_F(SqliteCrash, AKillWhileTheFileIsMadeLeavesAFileThatOpens) {
  Operation list{"list", [](ss::SessionStore& s, const Scene&) { return s.ListQueuedWork({"s"}).has_value(); }};
  bool killed = true;
  uint64_t n = 1;
  for (; killed; ++n) {
    std::string path = folder_.File(absl::StrCat("new-", n, ".db"));
    killed = RunKilled(path, n, list, {});
    auto store = Open(Options(path));
    EXPECT_EQ(Caller(store.get()).Enqueue().enqueue_seq, 1u) << n;
  }
  EXPECT_GT(n, 20u) << "the schema's statements were passed";
}

// Enqueues and settles until the power goes; returns what was acknowledged last, as the file must show it.
class PowerCut : public SqliteCrash {
 protected:
  struct Promise {
    std::vector<std::string> batches;
    uint64_t head = 0;
    friend bool operator==(const Promise&, const Promise&) = default;
  };

  // Cuts the power before the n-th statement after the opening. Returns what was acknowledged before, and after the call that was
  // open.
  std::pair<Promise, Promise> RunUntilCut(const SessionStore::Options& base, UnsyncedVfs* vfs, uint64_t n, Loss loss) {
    SessionStore::Options options = base;
    std::atomic<uint64_t> cut{0};
    options.on_statement = [&cut, vfs, loss](uint64_t statement) {
      if (statement == cut) vfs->Crash(loss);
      return absl::OkStatus();
    };
    auto store = Open(options);
    Promise promised, next;
    auto lane = store->TryClaimSessionExecutionLease({"s", Owner("X"), 60000});
    if (!lane.has_value()) return {};
    ss::SessionExecutionLease held = std::get<ss::LeaseAcquired>(*lane).lease;
    cut = store->statements() + n;
    for (;;) {
      next = promised;
      auto batch = store->EnqueueQueuedWork({Draft()});
      if (!batch.has_value()) {
        next.batches.push_back("?");
        return {promised, next};
      }
      next.batches.push_back(batch->batch_id);
      promised = next;
      if (promised.batches.size() < 4) continue;
      auto claim =
          store->ClaimReadyQueuedWork({"s", ss::FenceOf(held), held.owner, ss::QueuedWorkClaimBoundary::kIdle, 60000, 1});
      if (!claim.has_value()) return {promised, promised};
      next.batches.erase(next.batches.begin());
      ++next.head;
      if (!store->CommitRuntimeState({Caller::Settling(held, {**claim})}).has_value()) return {promised, next};
      promised = next;
    }
  }

  static Promise Found(SessionStore& store) {
    Promise found;
    auto list = store.ListQueuedWork({"s"});
    if (list.has_value()) found.batches = Caller::Ids(*list);
    auto head = store.LoadSession({});
    if (head.has_value() && head->has_value()) found.head = (*head)->head_revision;
    return found;
  }

  // Whether the file shows what was acknowledged, with the open call or without.
  static bool Kept(const std::pair<Promise, Promise>& promised, Promise found) {
    if (found == promised.first) return true;
    Promise next = promised.second;
    if (!next.batches.empty() && next.batches.back() == "?" && found.batches.size() == next.batches.size()) {
      next.batches.back() = found.batches.back();
    }
    return found == next;
  }

  // The number of power cuts, of `cuts`, after which something acknowledged was missing or the file was spoilt.
  int Broken(Synchronous synchronous, Loss::Of of, int cuts) {
    int broken = 0;
    std::mt19937_64 random(11);
    for (int cut = 0; cut < cuts; ++cut) {
      auto vfs = UnsyncedVfs::Register(absl::StrCat("power-", static_cast<int>(synchronous), static_cast<int>(of), "-", cut));
      EXPECT_TRUE(vfs.ok());
      SessionStore::Options options = Options(folder_.File("power.db"));
      EXPECT_TRUE(SessionStore::Remove(options.path).ok());
      options.vfs = (*vfs)->name();
      options.synchronous = synchronous;
      auto promised = RunUntilCut(options, vfs->get(), 1 + random() % 600, {of, random()});
      EXPECT_TRUE((*vfs)->Restart().ok());
      auto store = SessionStore::Open(options);
      if (!store.ok() || !Kept(promised, Found(**store))) ++broken;
      if (!store.ok()) continue;
      store->reset();
      if (Dump(options.path, options.vfs).find("ok \n") == std::string::npos) ++broken;
    }
    return broken;
  }
};

TEST_F(PowerCut, NothingAcknowledgedIsLost) { EXPECT_EQ(Broken(Synchronous::kFull, Loss::Of::kEverything, 40), 0); }
TEST_F(PowerCut, NothingAcknowledgedIsLostToTornWrites) { EXPECT_EQ(Broken(Synchronous::kFull, Loss::Of::kSomeSectors, 60), 0); }

// The control: the same test sees the loss where nothing is synced, so it could have failed above.
TEST_F(PowerCut, WithoutSyncsTheSameTestFails) {
  EXPECT_EQ(Broken(Synchronous::kOff, Loss::Of::kEverything, 10), 10);
  EXPECT_GT(Broken(Synchronous::kOff, Loss::Of::kSomeSectors, 10), 5);
}

// A dead process is not a power cut: what it wrote stays, synced or not.
TEST_F(PowerCut, ADeathOfTheProcessAloneLosesNothing) { EXPECT_EQ(Broken(Synchronous::kOff, Loss::Of::kNothing, 10), 0); }

TEST_F(PowerCut, ACheckpointInTheMiddleIsNoWindow) {
  // Each batch fills pages, so that the log is checkpointed and begun again many times before the cut.
  for (uint64_t seed = 0; seed < 6; ++seed) {
    auto vfs = UnsyncedVfs::Register(absl::StrCat("checkpoint-", seed));
    ASSERT_TRUE(vfs.ok());
    SessionStore::Options options = Options(folder_.File(absl::StrCat("checkpoint-", seed, ".db")));
    options.vfs = (*vfs)->name();
    auto store = Open(options);
    std::vector<std::string> ids;
    for (uint64_t i = 0; i < 60 + seed * 7; ++i) {
      ids.push_back(Caller(store.get()).Enqueue(Draft({Wake(std::string(150000, 'x'))})).batch_id);
    }
    (*vfs)->Crash({Loss::Of::kSomeSectors, seed});
    store.reset();
    ASSERT_TRUE((*vfs)->Restart().ok());
    store = Open(options);
    EXPECT_EQ(Caller(store.get()).List(), ids);
  }
}

TEST_F(PowerCut, RestartWaitsUntilAllIsClosed) {
  auto vfs = UnsyncedVfs::Register("restart");
  ASSERT_TRUE(vfs.ok());
  EXPECT_TRUE(absl::IsAlreadyExists(UnsyncedVfs::Register("restart").status()));
  SessionStore::Options options = Options(folder_.File("restart.db"));
  options.vfs = (*vfs)->name();
  auto store = Open(options);
  EXPECT_GT((*vfs)->syncs(), 0u);
  (*vfs)->Crash({});
  EXPECT_TRUE(absl::IsFailedPrecondition((*vfs)->Restart()));
  EXPECT_TRUE(Is(store->ListQueuedWork({"s"}), ss::Backend{}));
  EXPECT_FALSE(SessionStore::Open(options).ok());
  store.reset();
  EXPECT_TRUE((*vfs)->Restart().ok());
  EXPECT_TRUE(SessionStore::Open(options).ok());
}

// The same by SIGKILL: the VFS keeps unsynced writes in the process, so killing it cuts the power.
TEST_F(PowerCut, AKilledChildKeepsWhatItAcknowledged) {
  for (Synchronous synchronous : {Synchronous::kFull, Synchronous::kOff}) {
    SessionStore::Options options = Options(folder_.File(absl::StrCat("child-", static_cast<int>(synchronous), ".db")));
    options.synchronous = synchronous;
    int acknowledged[2];
    ASSERT_EQ(pipe(acknowledged), 0);
    pid_t child = fork();
    if (child == 0) {
      auto vfs = UnsyncedVfs::Register("child");
      options.vfs = (*vfs)->name();
      auto store = SessionStore::Open(options);
      for (int i = 0; store.ok() && i < 5; ++i) {
        if (!(*store)->EnqueueQueuedWork({Draft()}).has_value() || write(acknowledged[1], "+", 1) != 1) _exit(1);
      }
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    close(acknowledged[1]);
    char signs[8];
    EXPECT_EQ(read(acknowledged[0], signs, sizeof(signs)), 5);
    close(acknowledged[0]);
    EXPECT_EQ(Caller(Open(options).get()).List().size(), synchronous == Synchronous::kFull ? 5u : 0u);
  }
}

}  // namespace
}  // namespace leasecheck::sqlite
