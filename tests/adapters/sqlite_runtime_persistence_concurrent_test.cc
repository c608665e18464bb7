// Several connections, threads and processes on one file of the runtime_persistence store. The overlap is made, not hoped for
// (sqlite_meetings.h), or a call is stopped in the middle of its transaction.
#include <array>
#include <atomic>
#include <latch>
#include <set>
#include <thread>

#include "tests/adapters/sqlite_meetings.h"
#include "tests/adapters/sqlite_runtime_persistence_fixture.h"

namespace leasecheck::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kThreads = 4;
constexpr int kProcesses = 3;

class RuntimePersistenceConcurrent : public ::testing::Test {
 protected:
  RuntimePersistence::Options Options(int connections) {
    return {.path = folder_.File("session.db"), .connections = connections, .environment = {.clock = &clock_}};
  }
  static std::unique_ptr<RuntimePersistence> Open(const RuntimePersistence::Options& options) {
    auto store = RuntimePersistence::Open(options);
    if (!store.ok()) ADD_FAILURE() << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  Folder folder_;
  ManualClock clock_{1000};
};

// One node, one unit of usage and one snapshot a commit, so that every revision can be told in every part of a read.
rp::RuntimeCommit Step(uint64_t revision) {
  rp::RuntimeCommit commit = Session::Empty(revision - 1);
  const std::string name = absl::StrCat("n", revision);
  commit.graph = rp::Append{{Node(name, absl::StrCat("n", revision - 1))}, name};
  commit.checkpoint.tool_state = OpaqueJson{absl::StrCat(revision)};
  commit.usage_deltas = {Usage("turn", "m", {1, 0, 0, 0})};
  commit.current_agent_frame_id = name;
  return commit;
}
bool IsStep(const rp::PersistedSessionRead& read) {
  const uint64_t revision = read.head_revision;
  const std::string name = absl::StrCat("n", revision);
  return read.graph.nodes.size() == revision && read.graph.leaf_node_id == name && read.current_agent_frame_id == name &&
         read.checkpoint->tool_state == OpaqueJson{absl::StrCat(revision)} &&
         read.token_ledger == std::vector{Usage("turn", "m", {static_cast<int64_t>(revision), 0, 0, 0})};
}

// RP-INV-1,2: of the rivals that expect one revision exactly one wins, and the others are told the revision that it made.
TEST_F(RuntimePersistenceConcurrent, OneOfManyWinsARevision) {
  Meeting meeting(kThreads);
  RuntimePersistence::Options options = Options(kThreads);
  options.environment.pause = &meeting;
  auto store = Open(options);
  meeting.Meet(true);
  for (uint64_t revision = 1; revision <= 15; ++revision) {
    std::atomic<int> won{0};
    RunThreads(kThreads, [&](int) {
      auto result = store->CommitRuntimeState({Step(revision)});
      if (result.has_value()) {
        EXPECT_EQ(result->head_revision, revision);
        ++won;
      } else {
        EXPECT_TRUE(Fails(result, rp::HeadRevisionConflict{revision - 1, revision})) << Session::Text(result);
      }
    });
    ASSERT_EQ(won, 1);
  }
  meeting.Meet(false);
  EXPECT_TRUE(IsStep(*Session(store.get()).Load()));
}

// RP-INV-3: one of many retries of a turn is the commit, the others are its replays.
TEST_F(RuntimePersistenceConcurrent, ATurnIsCommittedOnce) {
  Meeting meeting(kThreads);
  RuntimePersistence::Options options = Options(kThreads);
  options.environment.pause = &meeting;
  auto store = Open(options);
  meeting.Meet(true);
  for (uint64_t turn = 1; turn <= 10; ++turn) {
    std::array<uint64_t, kThreads> revisions{};
    RunThreads(kThreads, [&](int me) {
      rp::RuntimeCommit commit = Session::Stamped(absl::StrCat("t", turn), "h");
      commit.usage_deltas = {Usage("turn", "m", {1, 0, 0, 0})};
      auto result = store->CommitRuntimeState({commit});
      if (result.has_value()) revisions[static_cast<std::size_t>(me)] = result->head_revision;
    });
    EXPECT_THAT(revisions, ::testing::Each(turn));
  }
  meeting.Meet(false);
  EXPECT_THAT(Session(store.get()).Load()->token_ledger, ElementsAre(Usage("turn", "m", {10, 0, 0, 0})));
}

TEST_F(RuntimePersistenceConcurrent, ThreadsShareTheQueueWithoutLossOrDouble) {
  constexpr int kRounds = 12;
  Meeting meeting(kThreads);
  RuntimePersistence::Options options = Options(kThreads);
  options.environment.pause = &meeting;
  auto store = Open(options);
  Session s(store.get());
  for (int i = 0; i < kThreads * kRounds / 2; ++i) s.Enqueue();
  meeting.Meet(true);
  std::array<std::vector<std::string>, kThreads> settled;
  RunThreads(kThreads, [&](int me) {
    Session mine(store.get());
    for (int round = 0; round < kRounds; ++round) {  // every thread makes as many calls, so every meeting comes about
      mine.Enqueue();
      auto claim = mine.Claim(1, 60000, absl::StrCat("W", me));
      mine.Commits(claim.has_value() ? Session::Completing({*claim}) : Session::Empty());
      if (claim.has_value()) settled[static_cast<std::size_t>(me)].push_back(claim->batches[0].batch_id);
    }
  });
  meeting.Meet(false);
  std::set<std::string> all;
  for (const auto& ids : settled) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kRounds)) << "there was always work, and none was settled twice";
  EXPECT_EQ(s.List().size(), static_cast<std::size_t>(kThreads * kRounds / 2));
  EXPECT_EQ(s.Revision(), static_cast<uint64_t>(kThreads * kRounds));
}

// RP-LDS-14: reads go on while commits are in the middle, and every read is of one revision.
TEST_F(RuntimePersistenceConcurrent, AReadIsOfOneCommit) {
  RuntimePersistence::Options options = Options(3);
  std::atomic<bool> armed{false};
  std::atomic<uint64_t> stops{0};
  std::atomic<int> turn{0};  // 0: the writer may go on; 1: the reader may
  thread_local bool writer = false;
  options.on_statement = [&](uint64_t) {
    if (!armed.load() || !writer) return absl::OkStatus();
    // Before every statement of the commit the reader makes a whole read.
    turn.store(1);
    turn.notify_all();
    turn.wait(1);
    ++stops;
    return absl::OkStatus();
  };
  auto store = Open(options);
  Session(store.get()).Commits(Step(1));
  armed = true;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    uint64_t last = 1;
    while (true) {
      turn.wait(0);
      if (done.load()) return;
      auto read = Session(store.get()).Load();
      EXPECT_TRUE(read.has_value() && IsStep(*read) && read->head_revision >= last);
      if (read.has_value()) last = read->head_revision;
      turn.store(0);
      turn.notify_all();
    }
  });
  writer = true;
  for (uint64_t revision = 2; revision <= 6; ++revision) Session(store.get()).Commits(Step(revision));
  writer = false;
  done = true;
  turn.store(1);
  turn.notify_all();
  reader.join();
  EXPECT_GT(stops.load(), 5u * 8) << "several reads inside of every commit";
}

// A commit stopped inside its transaction: a rival waits for it and is told its revision.
TEST_F(RuntimePersistenceConcurrent, AWriterInTheMiddleHoldsUpWritersOnly) {
  std::latch inside(1), go_on(1);
  std::atomic<bool> armed{false};
  std::atomic<uint64_t> first_statement{0};
  RuntimePersistence::Options options = Options(3);
  options.on_statement = [&](uint64_t n) {
    if (armed.load() && n == first_statement + 4) {  // after BEGIN IMMEDIATE and the binding
      inside.count_down();
      go_on.wait();
    }
    return absl::OkStatus();
  };
  auto store = Open(options);
  Session s(store.get());
  first_statement = store->statements();
  armed = true;
  std::thread one([&] { EXPECT_EQ(Session(store.get()).Commits(Step(1)), 1u); });
  inside.wait();
  EXPECT_EQ(s.Load(), std::nullopt) << "a reader sees the state before, at once";
  const uint64_t before_rival = store->statements();
  std::thread two([&] { EXPECT_TRUE(Fails(store->CommitRuntimeState({Step(1)}), rp::HeadRevisionConflict{0, 1})); });
  while (store->statements() == before_rival) std::this_thread::yield();  // the rival is at its BEGIN IMMEDIATE
  go_on.count_down();
  one.join();
  two.join();
}

struct Counters {
  static constexpr int kMost = 256;
  std::atomic<uint64_t> count;
  std::atomic<uint64_t> lost_races;
  std::atomic<uint64_t> values[kMost];
};

// Processes that claim, work and commit at their head's revision until the queue is empty; a lost race is tried again.
TEST_F(RuntimePersistenceConcurrent, ProcessesSettleEveryBatchOnce) {
  constexpr int kBatches = 45, kMeetings = 15;
  SharedMemory<Counters> settled(kProcesses);
  RuntimePersistence::Options options = Options(2);
  options.clock_in_database = true;
  std::set<uint64_t> enqueued;
  {
    auto store = Open(options);
    ASSERT_TRUE(store->SetClock(1000).ok());
    for (int i = 0; i < kBatches; ++i) enqueued.insert(Session(store.get()).Enqueue().enqueue_seq);
  }
  RunProcesses(kProcesses, [&](int me) {
    MeetingOfProcesses<Counters> meeting(&settled, kMeetings);
    RuntimePersistence::Options mine = options;
    mine.environment.pause = &meeting;
    auto store = RuntimePersistence::Open(mine);
    if (!store.ok()) return false;
    Session s(store->get());
    while (true) {
      auto claim = s.Claim(1, 60000, absl::StrCat("P", me));
      if (!claim.has_value()) return true;
      rp::RuntimeCommit commit = Session::Completing({*claim});
      do {
        commit.expected_head_revision = s.Revision();
        auto result = s.Commit(commit);
        if (result.has_value()) break;
        if (!std::holds_alternative<rp::HeadRevisionConflict>(result.error())) return false;
        ++settled->lost_races;
      } while (true);
      settled->values[settled->count++] = claim->batches[0].enqueue_seq;
    }
  });
  EXPECT_EQ(settled->count, static_cast<uint64_t>(kBatches));
  EXPECT_GE(settled->lost_races, 2u) << "the first commits of all processes met";
  EXPECT_EQ(std::set<uint64_t>(settled->values, settled->values + kBatches), enqueued);
  auto store = Open(options);
  EXPECT_THAT(Session(store.get()).List(), IsEmpty());
  EXPECT_EQ(Session(store.get()).Revision(), static_cast<uint64_t>(kBatches));
}

// Processes that all make the same new file and commit to it blindly: no gap, no repeat, and all of their ids differ.
TEST_F(RuntimePersistenceConcurrent, OneNewFileIsMadeOnce) {
  SharedMemory<Counters> revisions(kProcesses);
  for (int round = 0; round < 5; ++round) {
    revisions->count = 0;
    RuntimePersistence::Options options = Options(2);
    options.path = folder_.File(absl::StrCat("new-", round, ".db"));
    options.clock_in_database = true;
    RunProcesses(kProcesses, [&](int me) {
      revisions.Meet();
      auto store = RuntimePersistence::Open(options);
      if (!store.ok()) return false;
      rp::RuntimeCommit commit = Session::With(rp::Append{{Node(absl::StrCat(me))}, std::nullopt});
      auto result = (*store)->CommitRuntimeState({commit});
      if (!result.has_value() || !(*store)->EnqueueQueuedWork({Work()}).has_value()) return false;
      revisions->values[revisions->count++] = result->head_revision;
      return true;
    });
    EXPECT_EQ(std::set<uint64_t>(revisions->values, revisions->values + kProcesses), (std::set<uint64_t>{1, 2, 3}));
    auto store = Open(options);
    Session s(store.get());
    EXPECT_EQ(s.Load()->graph.nodes.size(), static_cast<std::size_t>(kProcesses));
    const std::vector<std::string> list = s.List();
    EXPECT_EQ(std::set<std::string>(list.begin(), list.end()).size(), static_cast<std::size_t>(kProcesses));
  }
}

}  // namespace
}  // namespace leasecheck::sqlite
