#include "adapters/process/process_target.h"

#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/session_store/family.h"

namespace leasecheck::process {
namespace {

using F = SessionStoreFamily;
using session_store::EnqueueQueuedWorkRequest;
using session_store::ListQueuedWorkRequest;
using session_store::LoadSessionRequest;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr absl::string_view kChoices[] = {"allow", "refuse"};
const DialectPoint kPoints[] = {{"QW-LAT-7", kChoices}, {"LENGTH", {}}};

std::size_t OpenDescriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

// Every test leaves no child, no descriptor and no thread's worth of either behind.
class ProcessTargetTest : public testing::Test {
 protected:
  void SetUp() override { descriptors_ = OpenDescriptors(); }
  void TearDown() override {
    EXPECT_EQ(OpenDescriptors(), descriptors_);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }

  static ProcessOptions Options(std::string command) {
    ProcessOptions options;
    options.command = std::move(command);
    options.dialect_points = kPoints;
    return options;
  }
  static std::string Bad(absl::string_view mode) {
    return absl::StrCat("exec ", LEASECHECK_PYTHON, " ", LEASECHECK_SOURCE_DIR, "/tests/adapters/process_bad_backend.py ", mode);
  }
  static std::string Good(int concurrency) { return absl::StrCat("exec ", LEASECHECK_FAKE_SERVER, " ", concurrency); }

  static std::unique_ptr<ProcessTarget<F>> Start(ProcessOptions options) {
    absl::StatusOr<std::unique_ptr<ProcessTarget<F>>> target = ProcessTarget<F>::Start(std::move(options));
    EXPECT_TRUE(target.ok()) << target.status();
    return target.ok() ? *std::move(target) : nullptr;
  }
  static OutcomeOf<F> List(ProcessTarget<F>& target, std::string session = "s") {
    return target.Execute(RequestOf<F>(ListQueuedWorkRequest{std::move(session)}));
  }
  static OutcomeOf<F> Enqueue(ProcessTarget<F>& target, std::string session) {
    EnqueueQueuedWorkRequest request;
    request.batch.session_id = std::move(session);
    return target.Execute(RequestOf<F>(request));
  }
  static std::size_t Listed(const OutcomeOf<F>& outcome) {
    const auto* batches = ResponseIf<F, 7>(outcome);
    EXPECT_NE(batches, nullptr);
    return batches == nullptr ? 0 : batches->size();
  }
  static void ExpectPlannedDeath(const std::string& command);
  static uint64_t ClockOf(ProcessTarget<F>& target) {
    OutcomeOf<F> outcome = target.Execute(RequestOf<F>(LoadSessionRequest{}));
    const auto* session = ResponseIf<F, 14>(outcome);
    EXPECT_NE(session, nullptr);
    return session == nullptr ? 0 : (*session)->head_revision;
  }

 private:
  std::size_t descriptors_ = 0;
};

TEST_F(ProcessTargetTest, ServesAStore) {
  auto target = Start(Options(Good(3)));
  ASSERT_NE(target, nullptr);
  EXPECT_EQ(target->info().name, "fake");
  EXPECT_EQ(target->info().concurrency, 3);
  EXPECT_TRUE(target->info().virtual_clock);
  EXPECT_TRUE(target->info().durable);
  EXPECT_TRUE(target->info().killable);
  EXPECT_EQ(target->info().dialects, (Dialects{{"LENGTH", "30000"}, {"QW-LAT-7", "refuse"}}));
  ASSERT_TRUE(target->Reset(1000).ok());
  EXPECT_EQ(ClockOf(*target), 1000u);
  ASSERT_TRUE(target->SetClock(1500).ok());
  EXPECT_EQ(ClockOf(*target), 1500u);
  EXPECT_EQ(Enqueue(*target, "s").index(), 0u);
  EXPECT_EQ(Listed(List(*target)), 1u);
  OutcomeOf<F> refused = target->Execute(RequestOf<F>(session_store::CancelQueuedWorkBatchRequest{"s", "b"}));
  EXPECT_TRUE(refused == OutcomeOf<F>(std::in_place_index<1>, session_store::QueuedWorkClaimExpired{"s", "b"}));
  EXPECT_TRUE(target->Health().ok());
  EXPECT_TRUE(target->Shutdown().ok());
}

TEST_F(ProcessTargetTest, CallsOverlap) {
  auto target = Start(Options(Good(2)));
  ASSERT_TRUE(target->Reset(1000).ok());
  // Neither returns before both are inside the child's store.
  std::thread other([&] { EXPECT_EQ(Listed(List(*target, "rendezvous")), 0u); });
  EXPECT_EQ(Listed(List(*target, "rendezvous")), 0u);
  other.join();
}

TEST_F(ProcessTargetTest, OneCallAtATimeWhereTheBackendSaysSo) {
  // A second request while one is open would meet the first in the store, and both would return.
  ProcessOptions options = Options(Good(1));
  options.call_timeout = absl::Milliseconds(300);
  auto target = Start(options);
  ASSERT_TRUE(target->Reset(1000).ok());
  std::thread other([&] { EXPECT_TRUE(std::holds_alternative<Indefinite>(List(*target, "rendezvous"))); });
  EXPECT_TRUE(std::holds_alternative<Indefinite>(List(*target, "rendezvous")));
  other.join();
  EXPECT_EQ(target->Health().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ProcessTargetTest, KilledAndReopenedOnTheSameFolder) {
  auto target = Start(Options(Good(2)));
  ASSERT_TRUE(target->Reset(1000).ok());
  EXPECT_EQ(Enqueue(*target, "s").index(), 0u);
  ASSERT_TRUE(target->SetClock(1700).ok());
  ASSERT_TRUE(target->Kill().ok());
  EXPECT_TRUE(std::holds_alternative<Indefinite>(List(*target)));
  EXPECT_TRUE(target->Health().ok()) << "the harness did it";
  ASSERT_TRUE(target->Reopen().ok());
  EXPECT_EQ(Listed(List(*target)), 1u);
  EXPECT_EQ(ClockOf(*target), 1700u);
  ASSERT_TRUE(target->Kill().ok());
  ASSERT_TRUE(target->Reset(5).ok());
  EXPECT_EQ(Listed(List(*target)), 0u);
  ASSERT_TRUE(target->Reopen().ok()) << "a living child reopens too";
  EXPECT_EQ(ClockOf(*target), 5u);
}

TEST_F(ProcessTargetTest, KillInterruptsOpenCalls) {
  ProcessOptions options = Options(Bad("hangs"));
  options.call_timeout = absl::InfiniteDuration();
  auto target = Start(options);
  ASSERT_TRUE(target->Reset(1000).ok());
  std::thread other([&] { EXPECT_TRUE(std::holds_alternative<Indefinite>(List(*target))); });
  while (target->Log() != "serving\n") std::this_thread::yield();
  ASSERT_TRUE(target->Kill().ok());
  other.join();
  EXPECT_TRUE(target->Health().ok());
}

TEST_F(ProcessTargetTest, FoldersArePrivateOrGiven) {
  const std::string folder = testing::TempDir() + "/process_target_test_folder";
  std::filesystem::remove_all(folder);
  ProcessOptions options = Options(Good(1));
  options.directory = folder;
  {
    auto target = Start(options);
    ASSERT_TRUE(target->Reset(1000).ok());
    EXPECT_EQ(Enqueue(*target, "s").index(), 0u);
    auto stranger = Start(Options(Good(1)));
    ASSERT_TRUE(stranger->Reset(1000).ok());
    EXPECT_EQ(Listed(List(*stranger)), 0u);
  }
  auto again = Start(options);
  ASSERT_TRUE(again->Reopen().ok());
  EXPECT_EQ(Listed(List(*again)), 1u);
  again.reset();
  EXPECT_TRUE(std::filesystem::exists(folder + "/sessions"));
  std::filesystem::remove_all(folder);
}

TEST_F(ProcessTargetTest, InitializeIsChecked) {
  struct Case {
    const char* mode;
    absl::StatusCode code;
    const char* message;
  };
  const absl::StatusCode kBroke = absl::StatusCode::kFailedPrecondition;
  const Case kCases[] = {
      {"wrong_protocol", kBroke, "initialize: the backend speaks protocol 2, this is protocol 1"},
      {"no_protocol", kBroke, "initialize: the result has no whole number \"protocol\""},
      {"no_name", kBroke, "initialize: result.name: expected a string, got null"},
      {"other_family", absl::StatusCode::kUnimplemented,
       "initialize: the backend has not the family session_store, only state_backend"},
      {"unknown_operation", kBroke, "initialize: the family session_store has no operation \"drop_table\""},
      {"unknown_dialect", kBroke, "initialize: the dialect \"QW-LAT-99\" is unknown; this family has QW-LAT-7, LENGTH"},
      {"unknown_word", kBroke, "initialize: the dialect QW-LAT-7 has no choice \"perhaps\"; its choices are allow, refuse"},
      {"word_for_number", kBroke, "initialize: the dialect LENGTH takes a whole number, got \"long\""},
      {"no_dialects", kBroke, "initialize: \"dialects\" is no object"},
      {"odd_clock", kBroke, "initialize: result.clock: expected \"virtual\" or \"system\", got \"sundial\""},
      {"no_concurrency", kBroke, "initialize: result.concurrency: expected at least 1, got 0"},
      {"dies_at_once", absl::StatusCode::kUnavailable,
       "backend died (exit 1) while serving initialize; its stderr: cannot find my configuration\n"},
  };
  for (const Case& test : kCases) {
    absl::Status status = ProcessTarget<F>::Start(Options(Bad(test.mode))).status();
    EXPECT_EQ(status.code(), test.code) << test.mode;
    EXPECT_EQ(status.message(), test.message) << test.mode;
  }
  absl::Status status = ProcessTarget<F>::Start(Options("/no/such/program")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), StartsWith("backend died (exit 127) while serving initialize"));
}

TEST_F(ProcessTargetTest, FewOperations) {
  auto target = Start(Options(Bad("few_operations")));
  std::vector<bool> expected(kOperationCount<F>, false);
  expected[7] = true;
  EXPECT_EQ(target->info().operations, expected);
}

TEST_F(ProcessTargetTest, OutcomesOfAnswers) {
  const std::pair<const char*, const char*> kForeign[] = {
      {"code", "error -32050: as asked"},
      {"params_code", "error -32602: as asked"},
      {"unknown_error", "error.data.error: expected one of"},
      {"missing_field", "result[0].session_id: a required field is missing"},
  };
  for (const auto& [mode, detail] : kForeign) {
    auto target = Start(Options(Bad(mode)));
    ASSERT_TRUE(target->Reset(1).ok());
    OutcomeOf<F> outcome = List(*target);
    ASSERT_TRUE(std::holds_alternative<ForeignError>(outcome)) << mode;
    EXPECT_THAT(std::get<ForeignError>(outcome).detail, StartsWith(detail));
    EXPECT_TRUE(target->Health().ok());
  }
  const std::pair<const char*, OutcomeOf<F>> kOthers[] = {
      {"contract_error", OutcomeOf<F>(std::in_place_index<1>, session_store::Backend{"disk"})},
      {"indefinite", Indefinite{}},
      {"unsupported", Unsupported{}},
      {"big_line", OutcomeOf<F>(std::in_place_index<0>, std::in_place_index<7>)},
  };
  for (const auto& [mode, expected] : kOthers) {
    auto target = Start(Options(Bad(mode)));
    ASSERT_TRUE(target->Reset(1).ok());
    EXPECT_TRUE(List(*target) == expected) << mode << " " << target->Health();
    EXPECT_TRUE(target->Health().ok()) << mode;
  }
}

TEST_F(ProcessTargetTest, FaultsHaveOneClearStatus) {
  struct Case {
    const char* mode;
    absl::StatusCode code;
    const char* message;
  };
  const absl::StatusCode kBroke = absl::StatusCode::kFailedPrecondition;
  const Case kCases[] = {
      {"dies", absl::StatusCode::kUnavailable, "backend died (exit 3) while serving list_queued_work"},
      {"dies_with_company", absl::StatusCode::kUnavailable, "backend died (exit 3) while serving list_queued_work"},
      {"kills_itself", absl::StatusCode::kUnavailable, "backend died (signal 9 (Killed)) while serving list_queued_work"},
      {"hangs", absl::StatusCode::kDeadlineExceeded, "backend hung: no answer to list_queued_work within 2s"},
      {"closes_stdin", absl::StatusCode::kDeadlineExceeded, "backend hung: no answer to list_queued_work within 2s"},
      {"rubbish", kBroke,
       "backend broke the protocol: a line on its stdout is no JSON (byte 0: syntax error while parsing value - invalid literal; "
       "last "
       "read: 'L'): Listening on port 8080 ..."},
      {"empty_line", kBroke, "backend broke the protocol: a line on its stdout is no JSON (byte 0: "},
      {"bad_utf8", kBroke, "backend broke the protocol: a line on its stdout is no JSON (byte "},
      {"array", kBroke, "backend broke the protocol: a line on its stdout is no object: []"},
      {"wrong_id", kBroke, "backend broke the protocol: an answer to no request, with id 1003: {"},
      {"string_id", kBroke, "backend broke the protocol: an answer has no whole number as its id: {"},
      {"no_version", kBroke, "backend broke the protocol: an answer lacks \"jsonrpc\":\"2.0\": {"},
      {"both", kBroke, "backend broke the protocol: an answer needs exactly one of result and error: {"},
      {"odd_error", kBroke,
       "backend broke the protocol: an error needs a whole number as its code and a string as its message: {"},
      {"huge_line", kBroke, "backend broke the protocol: a line on its stdout is longer than 16 MiB"},
      {"closes_stdout", kBroke, "backend broke the protocol: it closed its stdout and lives on"},
  };
  for (const Case& test : kCases) {
    ProcessOptions options = Options(Bad(test.mode));
    if (test.code == absl::StatusCode::kDeadlineExceeded) options.call_timeout = absl::Seconds(2);
    auto target = Start(options);
    ASSERT_TRUE(target->Reset(1).ok()) << test.mode;
    OutcomeOf<F> outcome = List(*target);
    ASSERT_TRUE(std::holds_alternative<Indefinite>(outcome)) << test.mode;
    absl::Status health = target->Health();
    EXPECT_EQ(health.code(), test.code) << test.mode;
    EXPECT_THAT(std::string(health.message()), StartsWith(test.message)) << test.mode;
    EXPECT_EQ(std::get<Indefinite>(outcome).detail, health.message());
    EXPECT_TRUE(std::holds_alternative<Indefinite>(List(*target))) << test.mode;
    EXPECT_FALSE(target->Crashed());
    const absl::string_view mode = test.mode;
    EXPECT_EQ(target->Log(), mode == "dies" ? "Traceback: the dog ate it\n" : mode == "hangs" ? "serving\n" : "");
    // A new life is as good as the first.
    EXPECT_TRUE(target->Reset(2).ok()) << test.mode;
    EXPECT_TRUE(target->Health().ok()) << test.mode;
  }
}

TEST_F(ProcessTargetTest, ASecondAnswerIsAFault) {
  auto target = Start(Options(Bad("twice")));
  ASSERT_TRUE(target->Reset(1).ok());
  // The first of the two answers is one; whether the second comes before the next call is sent, or while it is open, is open.
  EXPECT_EQ(List(*target).index(), 0u);
  absl::Status status = target->SetClock(2);
  while (status.ok()) status = target->SetClock(2);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a second answer to the request with id 3"));
  EXPECT_EQ(target->Health(), status);
}

TEST_F(ProcessTargetTest, AFloodOfStderrStopsNothing) {
  auto target = Start(Options(Bad("stderr_flood")));
  ASSERT_TRUE(target->Reset(1).ok());
  EXPECT_EQ(Listed(List(*target)), 0u);
  EXPECT_TRUE(target->Shutdown().ok());
  EXPECT_EQ(target->Log().size(), kLogBytes);
  EXPECT_THAT(target->Log(), HasSubstr("000019999"));
  EXPECT_THAT(target->Log(), testing::Not(HasSubstr("000010000")));
}

TEST_F(ProcessTargetTest, TheShellMayStayInFront) {
  const std::string waiting = absl::StrCat("(", Bad("dies"), "); code=$?; exit $code");
  auto target = Start(Options(waiting));
  ASSERT_TRUE(target->Reset(1).ok());
  EXPECT_TRUE(std::holds_alternative<Indefinite>(List(*target)));
  EXPECT_EQ(target->Health(), absl::UnavailableError("backend died (exit 3) while serving list_queued_work"));
  // Both the shell and what it started are killed before the next one starts.
  auto killed = Start(Options(absl::StrCat("(", Good(1), "); exit $?")));
  ASSERT_TRUE(killed->Reset(1).ok());
  EXPECT_EQ(Enqueue(*killed, "s").index(), 0u);
  ASSERT_TRUE(killed->Kill().ok());
  ASSERT_TRUE(killed->Reopen().ok());
  EXPECT_EQ(Listed(List(*killed)), 1u);
}

TEST_F(ProcessTargetTest, APlannedDeathIsACrash) {
  for (const std::string& command : {Bad("kills_itself"), absl::StrCat("(", Bad("kills_itself"), "); exit $?")}) {
    ExpectPlannedDeath(command);
  }
}

void ProcessTargetTest::ExpectPlannedDeath(const std::string& command) {
  ProcessOptions options = Options(command);
  options.may_kill_itself = true;
  auto target = Start(options);
  ASSERT_TRUE(target->Reset(1).ok());
  EXPECT_FALSE(target->Crashed());
  EXPECT_TRUE(std::holds_alternative<Indefinite>(List(*target)));
  EXPECT_TRUE(target->Crashed());
  EXPECT_TRUE(target->Health().ok());
  ASSERT_TRUE(target->Reopen().ok());
  EXPECT_FALSE(target->Crashed());
}

TEST_F(ProcessTargetTest, AbilitiesThatItLacks) {
  auto system = Start(Options(Bad("system_clock")));
  EXPECT_FALSE(system->info().virtual_clock);
  EXPECT_EQ(system->SetClock(5).code(), absl::StatusCode::kUnimplemented);
  auto transient = Start(Options(Bad("not_durable")));
  EXPECT_FALSE(transient->info().killable);
  EXPECT_EQ(transient->Reopen().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(ProcessTargetTest, RefusedControlMethods) {
  auto refuses = Start(Options(Bad("refuses_reset")));
  EXPECT_EQ(refuses->Reset(1), absl::FailedPreconditionError("the backend refused reset: error -32603: as asked"));
  auto odd = Start(Options(Bad("odd_reset")));
  EXPECT_EQ(odd->Reset(1), absl::FailedPreconditionError("backend broke the protocol: the result of reset is no object"));
}

TEST_F(ProcessTargetTest, Shutdown) {
  EXPECT_TRUE(Start(Options(Bad("none")))->Shutdown().ok());
  EXPECT_EQ(Start(Options(Bad("exit_4")))->Shutdown(), absl::UnavailableError("backend ended with exit 4 after shutdown"));
  EXPECT_EQ(Start(Options(Bad("silent_shutdown")))->Shutdown(),
            absl::UnavailableError("backend died (exit 0) while serving shutdown"));
  ProcessOptions options = Options(Bad("hangs_at_shutdown"));
  options.call_timeout = absl::Seconds(2);
  EXPECT_EQ(Start(options)->Shutdown(), absl::DeadlineExceededError("backend hung: it answered shutdown and did not exit"));
}

TEST_F(ProcessTargetTest, TooLongARequestIsNotSent) {
  ProcessOptions options = Options(Good(1));
  options.call_timeout = absl::Minutes(5);  // half of the longest line takes a sanitized child a while
  auto target = Start(std::move(options));
  ASSERT_TRUE(target->Reset(1).ok());
  OutcomeOf<F> outcome = List(*target, std::string(kMaxLineBytes, 'x'));
  ASSERT_TRUE(std::holds_alternative<Indefinite>(outcome));
  EXPECT_EQ(std::get<Indefinite>(outcome).detail, "the request list_queued_work is longer than 16 MiB");
  EXPECT_EQ(Listed(List(*target)), 0u);
  EXPECT_EQ(Listed(List(*target, std::string(kMaxLineBytes / 2, 'x'))), 0u);
}

TEST_F(ProcessTargetTest, ManyCallsOfManyThreads) {
  auto target = Start(Options(Good(4)));
  ASSERT_TRUE(target->Reset(1).ok());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      const std::string session = absl::StrCat("s", thread);
      for (int i = 0; i < 50; ++i) EXPECT_EQ(Enqueue(*target, session).index(), 0u);
      EXPECT_EQ(Listed(List(*target, session)), 50u);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace leasecheck::process
