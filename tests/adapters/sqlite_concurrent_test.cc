// Several connections, threads and processes on one file. The overlap is made, not hoped for: every call of a round waits inside
// the store until all of its rivals are inside too, or a call is stopped in the middle of its transaction.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <map>
#include <set>
#include <thread>

#include "tests/adapters/sqlite_fixture.h"
#include "tests/adapters/sqlite_meetings.h"

namespace leasecheck::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SqliteConcurrent : public ::testing::Test {
 protected:
  SessionStore::Options Options(int connections) {
    return {
        .path = folder_.File("queue.db"), .connections = connections, .environment = {.clock = &clock_, .liveness = &liveness_}};
  }
  static std::unique_ptr<SessionStore> Open(const SessionStore::Options& options) {
    auto store = SessionStore::Open(options);
    if (!store.ok()) ADD_FAILURE() << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  Folder folder_;
  ManualClock clock_{1000};
  FixedLiveness liveness_;
};

constexpr int kThreads = 4;

TEST_F(SqliteConcurrent, ThreadsShareTheQueueWithoutLossOrDouble) {
  constexpr int kRounds = 12;
  Meeting meeting(kThreads);
  SessionStore::Options options = Options(kThreads);
  options.environment.pause = &meeting;
  auto store = Open(options);
  Caller s(store.get());
  for (int i = 0; i < kThreads * kRounds / 2; ++i) s.Enqueue();
  auto lane = s.Lane(Owner("X"));
  meeting.Meet(true);
  std::array<std::vector<std::string>, kThreads> settled;
  std::array<std::set<uint64_t>, kThreads> heads;
  RunThreads(kThreads, [&](int me) {
    Caller mine(store.get());
    for (int round = 0; round < kRounds; ++round) {  // every thread makes the same number of calls, so every meeting comes about
      mine.Enqueue();
      auto claim = mine.ClaimFor(Owner(absl::StrCat("W", me)), lane, 1);
      bool granted = claim.has_value() && claim->has_value();
      auto result = granted ? mine.Settle(lane, {**claim}) : mine.Settle(lane, {});
      EXPECT_TRUE(result.has_value()) << Caller::Text(result);
      if (!result.has_value()) continue;
      EXPECT_TRUE(heads[static_cast<std::size_t>(me)].insert(result->head_revision).second);
      if (granted) settled[static_cast<std::size_t>(me)].push_back((*claim)->batches[0].batch_id);
    }
  });
  meeting.Meet(false);
  std::set<std::string> all;
  std::size_t count = 0;
  for (const auto& ids : settled) {
    all.insert(ids.begin(), ids.end());
    count += ids.size();
  }
  EXPECT_EQ(all.size(), count) << "a batch was settled twice";
  EXPECT_EQ(count, static_cast<std::size_t>(kThreads * kRounds)) << "there was always work to claim";
  EXPECT_EQ(s.List().size(), static_cast<std::size_t>(kThreads * kRounds / 2));
  std::set<uint64_t> revisions;
  for (const auto& mine : heads) revisions.insert(mine.begin(), mine.end());
  EXPECT_EQ(revisions.size(), static_cast<std::size_t>(kThreads * kRounds));
  EXPECT_EQ(*revisions.rbegin(), static_cast<uint64_t>(kThreads * kRounds));
}

TEST_F(SqliteConcurrent, OneOfManyWinsALaneAndAKey) {
  Meeting meeting(kThreads);
  SessionStore::Options options = Options(kThreads);
  options.environment.pause = &meeting;
  auto store = Open(options);
  meeting.Meet(true);
  for (int round = 0; round < 8; ++round) {
    std::string session = absl::StrCat("session-", round);
    std::atomic<int> acquired{0};
    std::array<std::string, kThreads> ids;
    RunThreads(kThreads, [&](int me) {
      auto lane = store->TryClaimSessionExecutionLease({session, Owner(absl::StrCat("W", me)), 1000});
      if (lane.has_value() && std::holds_alternative<ss::LeaseAcquired>(*lane)) ++acquired;
      ss::QueuedWorkBatchDraft draft = Draft();
      draft.session_id = session;
      draft.source_key = "k";
      auto batch = store->EnqueueQueuedWork({draft});
      if (batch.has_value()) ids[static_cast<std::size_t>(me)] = batch->batch_id;
    });
    EXPECT_EQ(acquired, 1);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 1u);
    EXPECT_NE(ids[0], "");
  }
}

// A claim stopped inside its transaction: a rival waits for it and gets the next batch; a reader with the shared clock does not
// wait.
TEST_F(SqliteConcurrent, AWriterInTheMiddleHoldsUpWritersOnly) {
  std::latch inside(1), go_on(1), rival_waits(1);
  std::atomic<bool> armed{false};
  std::atomic<uint64_t> first_statement{0};
  SessionStore::Options options = Options(3);
  options.clock_in_database = true;
  options.on_statement = [&](uint64_t n) {
    if (!armed.load()) return absl::OkStatus();
    if (n == first_statement + 4) {  // after BEGIN IMMEDIATE, the clock and the lane
      inside.count_down();
      go_on.wait();
    }
    return absl::OkStatus();
  };
  auto store = Open(options);
  Caller s(store.get());
  std::string a = s.Enqueue().batch_id, b = s.Enqueue().batch_id;
  auto lane = s.Lane(Owner("X"));
  first_statement = store->statements();
  armed = true;
  std::vector<std::string> first, second;
  std::thread one([&] { first = Caller::Ids(Caller(store.get()).Claim(lane, 1)); });
  inside.wait();
  EXPECT_THAT(s.Pending(), ElementsAre(a, b)) << "a reader sees the state before, at once";
  uint64_t before_rival = store->statements();
  std::thread two([&] {
    rival_waits.count_down();
    second = Caller::Ids(Caller(store.get()).Claim(lane, 1));
  });
  rival_waits.wait();
  while (store->statements() == before_rival) std::this_thread::yield();  // the rival is at its BEGIN IMMEDIATE
  go_on.count_down();
  one.join();
  two.join();
  EXPECT_THAT(first, ElementsAre(a));
  EXPECT_THAT(second, ElementsAre(b));
}

// With an injected clock a read waits for the writer that has read the clock already: it must not show the state before it at a
// time after it.
TEST_F(SqliteConcurrent, AReadIsNeverOlderThanItsTime) {
  std::latch inside(1), go_on(1);
  std::atomic<bool> armed{false};
  SessionStore::Options options = Options(2);
  std::atomic<uint64_t> first_statement{0};
  options.on_statement = [&](uint64_t n) {
    if (armed.load() && n == first_statement + 2) {  // after BEGIN IMMEDIATE and the clock
      inside.count_down();
      go_on.wait();
    }
    return absl::OkStatus();
  };
  auto store = Open(options);
  first_statement = store->statements();
  armed = true;
  ss::QueuedWorkBatch written;
  std::thread writer([&] { written = Caller(store.get()).Enqueue(); });
  inside.wait();
  clock_.Set(2000);
  std::vector<std::string> seen;
  uint64_t before_reader = store->statements();
  std::thread reader([&] { seen = Caller(store.get()).List(); });
  while (store->statements() == before_reader) std::this_thread::yield();  // the reader is at its BEGIN
  go_on.count_down();
  writer.join();
  reader.join();
  EXPECT_EQ(written.enqueued_at_ms, 1000u);
  EXPECT_THAT(seen, ElementsAre(written.batch_id));
}

TEST_F(SqliteConcurrent, OneConnectionServesManyThreads) {
  SessionStore::Options options = Options(1);
  options.path = ":memory:";
  Meeting meeting(kThreads);
  options.environment.pause = &meeting;
  auto store = Open(options);
  meeting.Meet(true);
  RunThreads(kThreads, [&](int) {
    for (int i = 0; i < 50; ++i) Caller(store.get()).Enqueue();
  });
  meeting.Meet(false);
  auto list = *store->ListQueuedWork({"s"});
  EXPECT_EQ(list.size(), 50u * kThreads);
  EXPECT_EQ(list.back().enqueue_seq, 50u * kThreads);
}

// What the processes settled.
struct Settled {
  static constexpr int kMost = 256;
  std::atomic<uint64_t> settled_count;
  std::atomic<uint64_t> settled[kMost];  // enqueue_seqs
};

class SqliteProcesses : public SqliteConcurrent {
 protected:
  static constexpr int kProcesses = 3;
  SharedMemory<Settled> shared_{kProcesses};
};

TEST_F(SqliteProcesses, EveryBatchIsSettledExactlyOnce) {
  constexpr int kBatches = 60, kMeetings = 20;
  SessionStore::Options options = Options(2);
  options.clock_in_database = true;
  std::set<uint64_t> enqueued;
  ss::SessionExecutionLease lane;
  {
    auto store = Open(options);
    ASSERT_TRUE(store->SetClock(1000).ok());
    Caller s(store.get());
    for (int i = 0; i < kBatches; ++i) enqueued.insert(s.Enqueue().enqueue_seq);
    lane = s.Lane(Owner("X"));
  }
  RunProcesses(kProcesses, [&](int me) {
    // The first calls of every process overlap; one that finds the queue empty has met all it will.
    MeetingOfProcesses<Settled> meeting(&shared_, kMeetings);
    SessionStore::Options mine = options;
    mine.environment.pause = &meeting;
    auto store = SessionStore::Open(mine);
    if (!store.ok()) return false;
    Caller s(store->get());
    for (int i = 0;; ++i) {
      auto claim = s.ClaimFor(Owner(absl::StrCat("P", me)), lane, 1);
      if (!claim.has_value()) return false;
      if (!claim->has_value()) return i >= kMeetings / 2;
      auto result = s.Settle(lane, {**claim});
      if (!result.has_value()) return false;
      shared_->settled[shared_->settled_count++] = (*claim)->batches[0].enqueue_seq;
    }
  });
  EXPECT_EQ(shared_->settled_count, static_cast<uint64_t>(kBatches));
  std::set<uint64_t> settled(shared_->settled, shared_->settled + std::min<uint64_t>(shared_->settled_count, Settled::kMost));
  EXPECT_EQ(settled, enqueued);
  auto store = Open(options);
  EXPECT_THAT(Caller(store.get()).List(), IsEmpty());
  EXPECT_EQ((*store->LoadSession({}))->head_revision, static_cast<uint64_t>(kBatches));
}

TEST_F(SqliteProcesses, EveryInputIsCompletedExactlyOnce) {
  constexpr int kInputs = 60, kMeetings = 20;
  SessionStore::Options options = Options(2);
  options.clock_in_database = true;
  std::set<uint64_t> enqueued;
  ss::SessionExecutionLease lane;
  {
    auto store = Open(options);
    ASSERT_TRUE(store->SetClock(1000).ok());
    for (int i = 0; i < kInputs; ++i) {
      enqueued.insert(
          store->EnqueuePendingTurnInput({{"s", std::nullopt, std::nullopt, ss::NextTurnIngress{}, {}}})->enqueue_seq);
    }
    lane = Caller(store.get()).Lane(Owner("X"));
  }
  RunProcesses(kProcesses, [&](int me) {
    MeetingOfProcesses<Settled> meeting(&shared_, kMeetings);
    SessionStore::Options mine = options;
    mine.environment.pause = &meeting;
    auto store = SessionStore::Open(mine);
    if (!store.ok()) return false;
    for (int i = 0;; ++i) {
      auto claim = (*store)->ClaimNextTurnInputs({"s", ss::FenceOf(lane), Owner(absl::StrCat("P", me)), 60000, 1});
      if (!claim.has_value()) return false;
      if (!claim->has_value()) return i >= kMeetings / 2;
      ss::RuntimeCommit commit = Caller::Settling(lane, {});
      commit.completed_turn_input_claims = {ss::CompletionOf(**claim)};
      if (!(*store)->CommitRuntimeState({commit}).has_value()) return false;
      shared_->settled[shared_->settled_count++] = (*claim)->inputs[0].enqueue_seq;
    }
  });
  EXPECT_EQ(shared_->settled_count, static_cast<uint64_t>(kInputs));
  std::set<uint64_t> settled(shared_->settled, shared_->settled + std::min<uint64_t>(shared_->settled_count, Settled::kMost));
  EXPECT_EQ(settled, enqueued);
  EXPECT_EQ(Open(options)->Vacuum({})->removed_pending_turn_input_tombstone_count, static_cast<uint64_t>(kInputs));
}

// One of several processes gets an id, and the others are told that it is taken.
TEST_F(SqliteProcesses, AnInputIdIsGivenOnce) {
  SessionStore::Options options = Options(2);
  options.clock_in_database = true;
  { Open(options); }
  RunProcesses(kProcesses, [&](int me) {
    auto store = SessionStore::Open(options);
    if (!store.ok()) return false;
    shared_.Meet();
    for (int i = 0; i < 10; ++i) {
      auto input = (*store)->EnqueuePendingTurnInput(
          {{absl::StrCat("s", me), absl::StrCat("id", i), std::nullopt, ss::NextTurnIngress{}, {}}});
      if (input.has_value()) {
        shared_->settled[shared_->settled_count++] = input->enqueue_seq;
      } else if (!std::holds_alternative<ss::Backend>(input.error())) {
        return false;
      }
    }
    return true;
  });
  EXPECT_EQ(shared_->settled_count, 10u);
}

// Processes that all make the same new file.
TEST_F(SqliteProcesses, OneNewFileIsMadeOnce) {
  for (int round = 0; round < 5; ++round) {
    SessionStore::Options options = Options(2);
    options.path = folder_.File(absl::StrCat("new-", round, ".db"));
    options.clock_in_database = true;
    RunProcesses(kProcesses, [&](int) {
      shared_.Meet();
      auto store = SessionStore::Open(options);
      return store.ok() && (*store)->EnqueueQueuedWork({Draft()}).has_value();
    });
    auto list = *Open(options)->ListQueuedWork({"s"});
    ASSERT_EQ(list.size(), static_cast<std::size_t>(kProcesses));
    EXPECT_EQ(list.back().enqueue_seq, static_cast<uint64_t>(kProcesses));
    std::set<std::string> ids;
    for (const auto& batch : list) ids.insert({batch.batch_id, batch.items[0].item_id});
    EXPECT_EQ(ids.size(), 2u * kProcesses);
  }
}

}  // namespace
}  // namespace leasecheck::sqlite
