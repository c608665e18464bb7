// The correct stores pass the whole check, every clause reached; and a store that is wrong only under overlap does not.
//
// LEASECHECK_NIGHTLY=1 makes the runs long: 10^7 operations in memory, 10^6 on SQLite.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "properties/check.h"
#include "properties/session_store.h"
#include "tests/conformance/backends.h"
#include "tests/conformance/stages.h"

namespace leasecheck {
namespace {

void ExpectConforms(const StoreFactory<SessionStoreFamily>& factory, uint64_t operations) {
  CheckOptions options;
  options.operations = operations;
  const Report report = Check<SessionStoreFamily>(InProcess(factory), options);
  EXPECT_TRUE(report.conforms()) << report.text();
  for (const StageReport& stage : report.stages) {
    // The scheduler decides how much overlaps under it; of free threads the machine has its say.
    if (stage.name == "deterministic") {
      EXPECT_GT(stage.overlapping * 10, stage.operations);
    } else if (stage.name == "concurrent") {
      EXPECT_GT(stage.overlapping, 0u);
    }
    EXPECT_EQ(stage.undecided, 0u) << stage.name;
  }
}

TEST(ConformanceTest, TheReferenceStoreConforms) { ExpectConforms(MemoryBackend(), Nightly() ? 10'000'000 : 300'000); }

TEST(ConformanceTest, SqliteConforms) {
  ExpectConforms(SqliteBackend(testing::TempDir() + "conformance-sqlite"), Nightly() ? 1'000'000 : 120'000);
}

// A reference store that makes other choices than the reference's, and what it says of them.
Report CheckChoosing(const memstore::TurnInputChoices& choices, const Dialects& dialects, uint64_t operations) {
  StoreFactory<SessionStoreFamily> factory = MemoryBackend();
  factory.info.dialects = dialects;
  factory.open = [choices](const OpenOptions& options) -> absl::StatusOr<std::unique_ptr<session_store::SessionStore>> {
    return std::make_unique<memstore::SessionStore>(options.environment, memstore::SessionStoreOptions{.turn_inputs = choices});
  };
  CheckOptions options;
  options.operations = operations;
  return Check<SessionStoreFamily>(InProcess(factory), options);
}

TEST(ConformanceTest, OtherChoicesAreToBeDeclared) {
  const uint64_t operations = Nightly() ? 3'000'000 : 300'000;
  const memstore::TurnInputChoices reacquire{.lapsed_accepted = memstore::LapsedAccepted::kReacquire};
  const memstore::TurnInputChoices own_session{.vacuum_reach = memstore::VacuumReach::kOwnSession};
  Report report = CheckChoosing(reacquire, {{"TI-LAT-1", "reacquire"}}, operations);
  EXPECT_TRUE(report.conforms()) << report.text();
  report = CheckChoosing(own_session, {{"TI-LAT-13", "own_session"}}, operations);
  EXPECT_TRUE(report.conforms()) << report.text();
  report = CheckChoosing({.key_match = memstore::KeyMatch::kCurrent}, {}, operations);  // needs no declaration
  EXPECT_TRUE(report.conforms()) << report.text();
  EXPECT_EQ(CheckChoosing(reacquire, {}, operations).verdict, Verdict::kDoesNotConform);
  EXPECT_EQ(CheckChoosing(own_session, {}, operations).verdict, Verdict::kDoesNotConform);
  EXPECT_EQ(CheckChoosing({}, {{"TI-LAT-13", "own_session"}}, operations).verdict, Verdict::kDoesNotConform);
}

// What a backend declares it lacks is neither asked for nor passed.
TEST(ConformanceTest, FewerOperationsAreNamed) {
  StoreFactory<SessionStoreFamily> factory = MemoryBackend();
  for (std::size_t i = 0; i < kOperationCount<SessionStoreFamily>; ++i) {
    factory.info.operations.push_back(i < OperationIndexOf<SessionStoreFamily, session_store::EnqueuePendingTurnInputRequest>());
  }
  CheckOptions options;
  options.operations = 100'000;
  const Report report = Check<SessionStoreFamily>(InProcess(factory), options);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive) << report.text();
  EXPECT_TRUE(report.failures.empty()) << report.text();
  EXPECT_THAT(report.reason,
              testing::StartsWith("the backend does not offer enqueue_pending_turn_input, list_pending_turn_inputs, "));
  for (const ClauseReport& clause : report.clauses) {
    if (clause.id.rfind("TI-", 0) == 0) continue;
    EXPECT_NE(clause.status, ClauseReport::Status::kMissing) << clause.id;
  }
}

// The suite that the store passes in this process, over the pipe: the same clauses are reached, and calls overlap.
TEST(ConformanceTest, TheServedReferenceStoreConforms) {
  CheckOptions options;
  options.operations = Nightly() ? 1'000'000 : 30'000;
  const Report report = Check<SessionStoreFamily>(ServedBackend(LEASECHECK_PROGRAM, "memory"), options);
  EXPECT_TRUE(report.conforms()) << report.text();
  for (const char* stage : {"sequential", "concurrent"}) EXPECT_GT(StageOf(report, stage).operations, 0u) << stage;
  EXPECT_GT(StageOf(report, "concurrent").overlapping, 0u);
  EXPECT_EQ(StageOf(report, "crash").programs, 0u) << "it declares that it is not durable";
}

// The durable one is killed and reopened too. The short run reaches too little of the contract to conform.
TEST(ConformanceTest, ServedSqliteBreaksNothing) {
  CheckOptions options;
  options.operations = Nightly() ? 100'000 : 2'000;
  const Report report = Check<SessionStoreFamily>(ServedBackend(LEASECHECK_PROGRAM, "sqlite:"), options);
  EXPECT_TRUE(report.failures.empty()) << report.text();
  EXPECT_NE(report.verdict, Verdict::kDoesNotConform) << report.text();
  EXPECT_GT(StageOf(report, "sequential").reopens, 0u);
  EXPECT_GT(StageOf(report, "concurrent").overlapping, 0u);
  EXPECT_GT(StageOf(report, "crash").crashes, 0u);
  EXPECT_GT(StageOf(report, "crash").operations, 0u);
  if (!Nightly()) return;
  EXPECT_TRUE(report.conforms()) << report.text();
}

// Three processes on one file, with the clock in it: whole ones and single ones are killed, from outside and at a statement.
TEST(ConformanceTest, SqliteServedByThreeProcessesBreaksNothing) {
  CheckOptions options;
  options.operations = Nightly() ? 300'000 : 4'500;
  const Report report = Check<SessionStoreFamily>(ServedBackend(LEASECHECK_PROGRAM, "sqlite:", 3), options);
  EXPECT_TRUE(report.failures.empty()) << report.text();
  EXPECT_NE(report.verdict, Verdict::kDoesNotConform) << report.text();
  if (Nightly()) {
    EXPECT_TRUE(report.conforms()) << report.text();
  }
  EXPECT_GT(StageOf(report, "sequential").reopens, 0u);
  EXPECT_GT(StageOf(report, "concurrent").overlapping, 0u);
  EXPECT_GT(StageOf(report, "crash").overlapping, 0u);
  EXPECT_GT(StageOf(report, "crash").crashes, 0u);
  EXPECT_GT(StageOf(report, "crash").kills_at_statement, 0u);
}

// Each process has a file of its own: every one of them is right, and together they are no store.
TEST(ConformanceTest, ProcessesThatShareNothingAreFoundOut) {
  CheckOptions options;
  options.operations = 500;
  options.shrink = false;
  const TargetFactory<SessionStoreFamily> factory = []() -> absl::StatusOr<std::unique_ptr<Target<SessionStoreFamily>>> {
    process::ProcessOptions apart;
    apart.command = absl::StrCat("mkdir -p \"$LEASECHECK_DIR/$$\" && exec '", LEASECHECK_PROGRAM,
                                 "' serve --backend sqlite:\"$LEASECHECK_DIR/$$\"");
    apart.dialect_points = Spec<SessionStoreFamily>::DialectPoints();
    apart.processes = 2;
    return process::ProcessTarget<SessionStoreFamily>::Start(apart);
  };
  const Report report = Check<SessionStoreFamily>(factory, options);
  EXPECT_EQ(report.verdict, Verdict::kDoesNotConform) << report.text();
}

// Nobody can choose what happens inside of another process: the failure keeps the order of its calls and answers, and says how
// often it comes back in that order.
TEST(ConformanceTest, ARaceInAnotherProcessShrinksInItsOrderOfCalls) {
  CheckOptions options;
  options.operations = 20'000;
  options.sequential = false;
  const TargetFactory<SessionStoreFamily> factory = []() -> absl::StatusOr<std::unique_ptr<Target<SessionStoreFamily>>> {
    process::ProcessOptions racy;
    racy.command = absl::StrCat("exec '", LEASECHECK_SERVE_MUTANT, "' race-select-then-mark");
    racy.dialect_points = Spec<SessionStoreFamily>::DialectPoints();
    return process::ProcessTarget<SessionStoreFamily>::Start(racy);
  };
  const Report report = Check<SessionStoreFamily>(factory, options);
  ASSERT_EQ(report.failures.size(), 1u) << report.text();
  const FailureReport& failure = report.failures.front();
  EXPECT_THAT(failure.trace, testing::HasSubstr("  order "));
  EXPECT_THAT(failure.note, testing::HasSubstr(" of 20 runs, each with the recorded order of calls and answers"));
  EXPECT_EQ(failure.replays, 20u);
}

TEST(ConformanceTest, TheSameSeedMakesTheSameCheck) {
  CheckOptions options;
  options.operations = 20'000;
  options.concurrent = false;
  const Report first = Check<SessionStoreFamily>(InProcess(MemoryBackend()), options);
  const Report again = Check<SessionStoreFamily>(InProcess(MemoryBackend()), options);
  ASSERT_EQ(first.clauses.size(), again.clauses.size());
  for (std::size_t i = 0; i < first.clauses.size(); ++i) {
    EXPECT_EQ(first.clauses[i].held, again.clauses[i].held) << first.clauses[i].id;
    EXPECT_EQ(first.clauses[i].refused, again.clauses[i].refused) << first.clauses[i].id;
  }
}

TEST(ConformanceTest, ShardsMakeDisjointPrograms) {
  CheckOptions options;
  options.operations = 5'000;
  options.concurrent = false;
  options.shards = 2;
  const Report zero = Check<SessionStoreFamily>(InProcess(MemoryBackend()), options);
  options.shard = 1;
  const Report one = Check<SessionStoreFamily>(InProcess(MemoryBackend()), options);
  bool differ = false;
  for (std::size_t i = 0; i < zero.clauses.size(); ++i) differ |= zero.clauses[i].held != one.clauses[i].held;
  EXPECT_TRUE(differ);
}

// A store that answers "not supported" or "may have happened" to everything proves nothing.
class Evasive final : public Target<SessionStoreFamily> {
 public:
  explicit Evasive(OutcomeOf<SessionStoreFamily> answer) : answer_(std::move(answer)) { info_.name = "evasive"; }
  const TargetInfo& info() const override { return info_; }
  OutcomeOf<SessionStoreFamily> Execute(const RequestOf<SessionStoreFamily>&) override { return answer_; }
  absl::Status Reset(EpochMs) override { return absl::OkStatus(); }
  absl::Status SetClock(EpochMs) override { return absl::OkStatus(); }
  absl::Status Reopen() override { return absl::UnimplementedError("no"); }
  absl::Status Kill() override { return absl::UnimplementedError("no"); }

 private:
  TargetInfo info_;
  OutcomeOf<SessionStoreFamily> answer_;
};

TEST(ConformanceTest, AnEvasiveBackendIsInconclusive) {
  for (const OutcomeOf<SessionStoreFamily>& answer :
       {OutcomeOf<SessionStoreFamily>(Indefinite{}), OutcomeOf<SessionStoreFamily>(Unsupported{})}) {
    CheckOptions options;
    options.operations = 2'000;
    const TargetFactory<SessionStoreFamily> factory = [&]() -> absl::StatusOr<std::unique_ptr<Target<SessionStoreFamily>>> {
      return std::make_unique<Evasive>(answer);
    };
    const Report report = Check<SessionStoreFamily>(factory, options);
    EXPECT_EQ(report.verdict, Verdict::kInconclusive) << report.text();
    EXPECT_NE(report.reason, "");
  }
}

TEST(ConformanceTest, AnAnswerThatNoContractHasIsAFailure) {
  CheckOptions options;
  options.operations = 2'000;
  const TargetFactory<SessionStoreFamily> factory = [&]() -> absl::StatusOr<std::unique_ptr<Target<SessionStoreFamily>>> {
    return std::make_unique<Evasive>(OutcomeOf<SessionStoreFamily>(ForeignError{"error code 17"}));
  };
  const Report report = Check<SessionStoreFamily>(factory, options);
  EXPECT_EQ(report.verdict, Verdict::kDoesNotConform);
  ASSERT_FALSE(report.failures.empty());
  EXPECT_EQ(report.failures.front().clause, "PROTOCOL");
}

TEST(ConformanceTest, ABackendThatCannotBeOpenedIsInconclusiveAndSaysWhy) {
  const TargetFactory<SessionStoreFamily> factory = []() -> absl::StatusOr<std::unique_ptr<Target<SessionStoreFamily>>> {
    return absl::InvalidArgumentError("there is no such file");
  };
  const Report report = Check<SessionStoreFamily>(factory, {});
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_EQ(report.reason, "there is no such file");
}

}  // namespace
}  // namespace leasecheck
