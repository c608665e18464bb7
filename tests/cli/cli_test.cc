// The program as its user meets it: what it prints, where, and its exit status.
#include <algorithm>
#include <cstdint>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "properties/engine/report.h"
#include "pugixml.hpp"
#include "tests/cli/run_program.h"

namespace leasecheck::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

struct BadCommand {
  const char* command;
  int exit_code;
  const char* says;  // part of the one sentence
};

class CliTest : public CommandLineTest {
 protected:
  void ExpectComplaint(const BadCommand& bad) {
    SCOPED_TRACE(bad.command);
    const Ran ran = Run(bad.command);
    EXPECT_EQ(ran.exit_code, bad.exit_code);
    EXPECT_THAT(ran.err, HasSubstr(bad.says));
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
  }
};

TEST_F(CliTest, BadArgumentsGetOneSentence) {
  const std::vector<BadCommand> bad = {
      {"$L", 64, "A subcommand is required"},
      {"$L frobnicate", 64, "leasecheck: "},
      {"$L check --frobnicate", 64, "--frobnicate"},
      {"$L check --family nobody", 64, "there is no family \"nobody\"; there are "},
      {"$L check --backend postgres", 64,
       "there is no backend \"postgres\"; there are memory, minimal, sqlite:PATH and process:COMMAND"},
      {"$L check --family session_store --backend minimal", 64,
       "there is no minimal store of session_store: every method of its trait is required"},
      {"$L check --backend memory:x", 64, "there is no backend \"memory:x\""},
      {"$L check --backend process:", 64, "process: needs the command"},
      {"echo text >data; $L check --backend sqlite:data", 64, "data would be emptied, and it is no store of ours"},
      {"$L check --budget soon", 64, "--budget: \"soon\" is no length of time"},
      {"$L check --clock sundial", 64, "--clock: there is no clock \"sundial\"; there is faketime"},
      {"$L check --backend memory --clock faketime", 64, "the clock of memory is virtual already"},
      {"$L check --clock-error never", 64, "--clock-error: \"never\" is no length of time"},
      {"$L check --clock-drift 2", 64, "--clock-drift"},
      {"$L serve --clock sundial", 64, "--clock"},
      {"$L check --budget -5s", 64, "is no length of time"},
      {"$L check --call-timeout 0s", 64, "--call-timeout: \"0s\" is no length of time"},
      {"$L check --seed minus", 64, "--seed"},
      {"$L check --clients 1", 64, "--clients"},
      {"$L check --shard 4/4", 64, "--shard: 4/4 is no shard"},
      {"$L check --shard x", 64, "is no shard"},
      {"GTEST_TOTAL_SHARDS=2 GTEST_SHARD_INDEX=7 $L check", 64, "GTEST_SHARD_INDEX/GTEST_TOTAL_SHARDS: 7/2 is no shard"},
      {"$L check --only QW-NO-1", 64, "--only: there is no clause QW-NO-1"},
      {"$L check --skip QW-NO-1", 64, "--skip: there is no clause QW-NO-1"},
      {"$L check --dialect QW-LAT-7", 64, "QW-LAT-7 cannot be \"\"; it takes "},
      {"$L check --dialect QW-LAT-7=perhaps", 64, "QW-LAT-7 cannot be \"perhaps\"; it takes allow, refuse"},
      {"$L check --dialect QW-LAT-99=x", 64, "there is no latitude point \"QW-LAT-99\""},
      {"$L check --known-deviations nowhere", 64, "cannot read nowhere: No such file"},
      {"echo 'QW-NO-1 because' >d; $L check --known-deviations d", 64, "d:1: there is no clause QW-NO-1"},
      {"printf '# one\\n\\nQW-CLM-14\\n' >d; $L check --known-deviations d", 64, "d:3: the reason is missing after QW-CLM-14"},
      {"$L check --junit /nowhere/x.xml", 64, "cannot write /nowhere/x.xml: No such file"},
      {"touch file; $L check --out file/below", 64, "cannot make the folder file/below"},
      {"$L replay", 64, "FILE"},
      {"$L replay a b --history h", 64, "--history: it holds the run of one trace"},
      {"$L replay nowhere.trace", 64, "cannot read nowhere.trace: No such file"},
      {"$L replay .", 64, "cannot read .: it is a folder"},
      {"echo rubbish >t; $L replay t", 64, "t:1:1"},
      {"$L serve --backend process:x", 64, "a process: backend speaks the protocol itself"},
      {"$L serve --kill-at-statement 3", 64, "only sqlite: has statements"},
      {"$L coverage --json nowhere", 64, "cannot read nowhere"},
      {"echo '[]' >r; $L coverage --json r", 64, "r: it is no report that `leasecheck check --json` wrote"},
      {"$L convert in out", 64, "--to is required"},
      {"$L convert --to edn in", 64, "OUT is required"},
      {"$L convert --to yaml in out", 64,
       "--to: there is no format \"yaml\"; there are history, edn, etcd-log, porcupine-kv, claimq"},
      {"$L convert --from x --to edn - -", 64, "--from: there is no format \"x\""},
      {"$L convert --to edn nowhere -", 64, "cannot read nowhere: No such file"},
      {"$L convert --to edn - -", 64, "stdin:1:1: expected a history, found none of the formats"},
      {"$L convert --to edn --from history - /nowhere/out", 64, "cannot write /nowhere/out: No such file"},
      {"$L convert --to edn --from history - .", 64, "cannot write .: it is a folder"},
      {"printf '{\"type\":\n' >h; $L convert --to edn h -", 64, "h:1:9: expected an event in JSON"},
      {"$L mutants no_such_mutant", 64, "there is no mutant \"no_such_mutant\""},
      {"$L mutants --shrunk no_such_mutant", 64, "there is no mutant \"no_such_mutant\""},
      {"$L mutants --shrunk claim-expiry-strict", 64, "--shrunk: none of these mutants is a race"},
      {"$L mutants --shrunk --family no_such_family", 64, "no_such_family"},
  };
  for (const BadCommand& command : bad) ExpectComplaint(command);
}

TEST_F(CliTest, HelpIsGolden) {
  for (const char* verb : {"", "check", "convert", "replay", "serve", "coverage", "mutants"}) {
    const Ran ran = Run(absl::StrCat("$L ", verb, " --help"));
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_EQ(ran.err, "");
    const std::string name = *verb == '\0' ? "leasecheck" : verb;
    ExpectGolden(absl::StrCat("tests/cli/golden/help_", name, ".txt"), ran.out);
  }
}

TEST_F(CliTest, TheReferenceStoreConforms) {
  const Ran ran = Run("$L check --backend memory --operations 150000 --json r.json --junit r.xml --markdown r.md --html r.html");
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.err, "") << "no progress where stderr is no terminal";
  EXPECT_THAT(ran.out, HasSubstr("sequential"));
  EXPECT_THAT(ran.out, HasSubstr("concurrent"));
  EXPECT_THAT(ran.out, EndsWith(": CONFORMS\n"));
  pugi::xml_document xml;
  EXPECT_TRUE(xml.load_file(Path("r.xml").c_str()));
  EXPECT_EQ(xml.child("testsuites").child("testsuite").attribute("failures").as_int(-1), 0);
  auto reports = ReportsFromJson(ReadWhole(Path("r.json")));
  ASSERT_TRUE(reports.ok()) << reports.status();
  EXPECT_TRUE(reports->at(0).conforms());
  EXPECT_THAT(ReadWhole(Path("r.md")), HasSubstr("| clause |"));
  EXPECT_THAT(ReadWhole(Path("r.html")), HasSubstr("</html>"));

  const Ran coverage = Run("$L coverage --json r.json");
  EXPECT_EQ(coverage.exit_code, 0) << coverage.out;
  for (const ClauseReport& clause : reports->at(0).clauses) EXPECT_THAT(coverage.out, HasSubstr(clause.id));
}

TEST_F(CliTest, OneSeedIsOneRun) {
  const auto stages = [&](const std::string& flags) {
    const Ran ran = Run("$L check --backend memory --operations 20000 --clients 2 --json r.json " + flags);
    EXPECT_EQ(ran.err, "");
    nlohmann::json report = nlohmann::json::parse(ReadWhole(Path("r.json")))["reports"][0];
    return report["stages"][0]["programs"].dump() + report["stages"][0]["operations"].dump();
  };
  EXPECT_EQ(stages("--seed 5"), stages("--seed 5"));
  EXPECT_NE(stages("--seed 5"), stages("--seed 6"));
}

TEST_F(CliTest, ARunThatLeavesAClauseOutNeverConforms) {
  const Ran ran = Run("$L check --backend memory --operations 20000 --skip QW-CLM-14");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.out, HasSubstr("INCONCLUSIVE: "));
}

TEST_F(CliTest, AKnownDeviationThatHoldsFails) {
  const Ran ran =
      Run("echo 'QW-CLM-14 as in release 3' >known; $L check --backend memory --operations 20000 --known-deviations known");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.out, HasSubstr("listed as known deviations, but they held: QW-CLM-14"));
}

struct BadBackend {
  const char* how;
  int exit_code;
  const char* says;
};

TEST_F(CliTest, BackendsThatMisbehave) {
  const std::vector<BadBackend> backends = {
      {"version", 2, "protocol"},
      {"silent", 2, "hung"},
      {"dialect", 2, "NO-SUCH-1"},
      {"dies", 1, "backend died"},
      {"hangs", 1, "backend hung"},
      {"rubbish", 2, "backend broke the protocol"},
      {"twice", 2, "backend broke the protocol"},
      {"wrong_id", 2, "backend broke the protocol"},
      {"unsupported", 2, "does not support"},
      {"indefinite", 2, "indefinite"},
      {"empty", 1, "DOES NOT CONFORM"},
  };
  for (const BadBackend& backend : backends) {
    SCOPED_TRACE(backend.how);
    const Ran ran = Run(absl::StrCat("$L check --operations 500 --call-timeout 5s --backend \"process:exec python3 ",
                                     "$S/tests/cli/backends/lying_backend.py ", backend.how, "\""));
    EXPECT_EQ(ran.exit_code, backend.exit_code) << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(backend.says));
    EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("terminate called")));
  }
  const Ran missing = Run("$L check --operations 500 --backend process:./no_such_program");
  EXPECT_EQ(missing.exit_code, 2) << missing.out;
  EXPECT_THAT(missing.out, HasSubstr("127"));
}

TEST_F(CliTest, AFailureIsAFileThatReplaysWithOneCommand) {
  const std::string backend = "\"process:exec python3 $S/tests/cli/backends/lying_backend.py empty\"";
  const Ran check = Run("$L check --operations 2000 --out found --backend " + backend);
  ASSERT_EQ(check.exit_code, 1) << check.out << check.err;
  EXPECT_THAT(check.out, HasSubstr("replay with:\n"));
  const Ran again = Run("$L replay found/*.trace --backend " + backend);
  EXPECT_EQ(again.exit_code, 1) << again.out << again.err;
  const Ran good = Run("$L replay found/*.trace");
  EXPECT_EQ(good.exit_code, 0) << good.out << good.err;
  const Ran printed = Run("$L check --operations 2000 --out second --backend " + backend +
                          " >text; sh -c \"$(grep -A1 'replay with:' text | tail -n 1)\"");
  EXPECT_EQ(printed.exit_code, 1) << printed.out << printed.err;
}

// Without a file the whole run is made again, by every flag that decides what happens in it.
TEST_F(CliTest, ThePrintedCommandCarriesTheFlags) {
  const Ran check = Run(
      "$L check --operations 2000 --seed 4 --clients 2 --shard 1/2 --call-timeout 7s --dialect QW-LAT-7=refuse --skip QW-CLM-14 "
      "--known-deviations /dev/null --backend \"process:exec python3 $S/tests/cli/backends/lying_backend.py empty\" >text; cat "
      "text");
  EXPECT_THAT(check.out, HasSubstr(" --call-timeout 7s --dialect QW-LAT-7=refuse --seed 4 --operations 2000 --clients 2 "
                                   "--shard 1/2 --skip QW-CLM-14 --known-deviations /dev/null\n"));
  const Ran again = Run("sh -c \"$(grep -A1 'replay with:' text | tail -n 1)\"");
  EXPECT_EQ(again.exit_code, 1) << again.err;
  EXPECT_EQ(again.out.substr(again.out.find("FAILURE")), check.out.substr(check.out.find("FAILURE")));

  const Ran filed =
      Run("$L check --operations 2000 --out found --call-timeout 7s --dialect QW-LAT-7=refuse --backend "
          "\"process:exec python3 $S/tests/cli/backends/lying_backend.py empty\"");
  EXPECT_THAT(filed.out, HasSubstr(" --call-timeout 7s --dialect QW-LAT-7=refuse found/"));
}

TEST_F(CliTest, GoldenTracesReplayOnEveryBackend) {
  // Traces of two families are not played on one store.
  const Ran mixed = Run("$L replay $(find $S/traces -name '*.trace' | sort)");
  EXPECT_EQ(mixed.exit_code, 64);
  EXPECT_THAT(mixed.err, HasSubstr(": it is a trace of "));
  for (const std::string family : {"session_store", "runtime_persistence"}) {
    // What is not durable cannot be reopened.
    const std::string all = absl::StrCat("$(find $S/traces/", family, " -name '*.trace' | sort)");
    const std::string no_reopening =
        absl::StrCat("$(find $S/traces/", family, " -name '*.trace' | sort | xargs grep -LE '^ *(reopen|crash)')");
    const std::string served = absl::StrCat("'process:exec \"$L\" serve --family ", family);
    for (const std::string& backend : {std::string("memory"), served + "'"}) {
      const Ran ran = Run(absl::StrCat("$L replay ", no_reopening, " --backend ", backend));
      EXPECT_EQ(ran.exit_code, 0) << backend << ran.out << ran.err;
    }
    for (const std::string& backend : {std::string("sqlite:"), served + " --backend sqlite:'"}) {
      const Ran ran = Run(absl::StrCat("$L replay ", all, " --backend ", backend));
      EXPECT_EQ(ran.exit_code, 0) << backend << ran.out << ran.err;
    }
    const Ran not_durable = Run(absl::StrCat("$L replay ", all));
    EXPECT_EQ(not_durable.exit_code, 2);
    EXPECT_THAT(not_durable.out, HasSubstr("INCONCLUSIVE: the store is not durable: it cannot be reopened"));
  }
}

// A program that knows nothing of us but the wire, and asks libc for the time, across expiries in virtual time.
TEST_F(CliTest, AChildThatReadsTheSystemsClockIsCheckedInVirtualTime) {
  const Ran ran =
      Run("$L check --backend \"process:python3 $S/tests/cli/system_clock_backend.py\" --clock faketime --operations 60000");
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, EndsWith("queue_store 1: CONFORMS\n"));
}

TEST_F(CliTest, AFakedClockThatDoesNotFollowIsNotBelieved) {
  const Ran stuck = Run("$L check --backend \"process:python3 $S/tests/cli/system_clock_backend.py stuck\" --clock faketime");
  EXPECT_EQ(stuck.exit_code, 2);
  EXPECT_THAT(stuck.out, HasSubstr("does not follow the faked time"));
  // Where the program is built with AddressSanitizer, that wants to be loaded before any other library.
  const Ran virtual_already =
      Run("$L check --backend \"process:exec env ASAN_OPTIONS=verify_asan_link_order=0 $L serve\" --clock faketime");
  EXPECT_EQ(virtual_already.exit_code, 2);
  EXPECT_THAT(virtual_already.out, HasSubstr("there is none to fake"));
}

// In real time, by windows: no false alarm; whether every clause is reached is chance.
TEST_F(CliTest, AChildThatReadsTheSystemsClockIsCheckedByWindows) {
  const Ran ran = Run("$L check --backend \"process:exec $L serve --clock system\" --operations 2000 --clock-error 5ms");
  EXPECT_NE(ran.exit_code, 1) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("sequential: system clock: "));
  EXPECT_THAT(ran.out, Not(HasSubstr("FAILURE")));
}

TEST_F(CliTest, SqliteIsCheckedAcrossCrashes) {
  const Ran ran = Run("$L check --backend sqlite: --operations 3000 --json r.json");
  EXPECT_NE(ran.exit_code, 1) << ran.out << ran.err;
  auto reports = ReportsFromJson(ReadWhole(Path("r.json")));
  ASSERT_TRUE(reports.ok()) << reports.status();
  uint64_t crashes = 0;
  uint64_t at_statement = 0;
  uint64_t overlapping = 0;
  for (const StageReport& stage : reports->at(0).stages) {
    crashes += stage.crashes;
    at_statement += stage.kills_at_statement;
    overlapping += stage.overlapping;
  }
  EXPECT_GT(crashes, 0u) << ran.out;
  EXPECT_GT(at_statement, 0u) << ran.out;
  EXPECT_GT(overlapping, 0u) << ran.out;
}

TEST_F(CliTest, SeveralProcessesRaceOnOneFile) {
  const Ran ran = Run("$L check --backend sqlite: --processes 3 --operations 900 --json r.json");
  EXPECT_NE(ran.exit_code, 1) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("sqlite 0.1.0, 3 processes"));
  auto reports = ReportsFromJson(ReadWhole(Path("r.json")));
  ASSERT_TRUE(reports.ok()) << reports.status();
  for (const StageReport& stage : reports->at(0).stages) EXPECT_GT(stage.operations, 0u) << stage.name;

  // A user's own command: each of these children has a clock of its own, and a store of its own too.
  const std::string own = "--processes 2 --backend 'process:LEASECHECK_DIR=$(mktemp -d) exec \"$L\" serve --backend sqlite:'";
  const Ran apart = Run("$L check --operations 600 --out found " + own + " >text; cat text");
  EXPECT_THAT(apart.out, HasSubstr("DOES NOT CONFORM"));
  EXPECT_THAT(apart.out, HasSubstr(" --processes 2 found/"));
  const Ran again = Run("sh -c \"$(grep -A1 'replay with:' text | tail -n 1)\"");
  EXPECT_EQ(again.exit_code, 1) << again.out << again.err;
}

TEST_F(CliTest, ProcessesThatMakeNoSense) {
  const auto refused = [&](const std::string& flags, const std::string& why) {
    const Ran ran = Run("$L check --operations 100 " + flags);
    EXPECT_EQ(ran.exit_code, 64) << ran.out << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(why));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_EQ(ran.out, "");
  };
  refused("--processes 0 --backend sqlite:", "--processes: Value 0 not in range");
  refused("--processes x --backend sqlite:", "--processes");
  refused("--processes 2", "--processes: memory is in this process alone");
  refused("--processes 2 --backend memory", "--processes: memory is in this process alone");
  refused("--processes 2 --clock faketime --backend process:true", "--processes: the clock of one process only can be faked");
  const Ran transient = Run("$L check --operations 100 --processes 2 --backend \"process:exec $L serve\"");
  EXPECT_EQ(transient.exit_code, 2) << transient.out << transient.err;
  EXPECT_THAT(transient.out, HasSubstr("INCONCLUSIVE: the backend is not durable"));
  const Ran serve = Run("$L serve --clock shared </dev/null");
  EXPECT_EQ(serve.exit_code, 64);
  EXPECT_THAT(serve.err, HasSubstr("only sqlite: has a clock that several processes share"));
}

// Trouble that is not the contract's gets no verdict on it.
TEST_F(CliTest, ASqliteStoreThatCannotBeUsedGetsNoVerdict) {
  const Ran nowhere = Run("$L check --operations 3000 --backend sqlite:/proc/store.db");
  EXPECT_EQ(nowhere.exit_code, 2) << nowhere.out << nowhere.err;
  EXPECT_THAT(nowhere.out, HasSubstr("INCONCLUSIVE: SQLite database '/proc/store.db': unable to open database file"));

  // No file may grow beyond these blocks, as on a full disk.
  const Ran full = Run("trap '' XFSZ; ulimit -f 400; $L check --operations 60000 --backend sqlite:. --out found; ls found");
  EXPECT_THAT(full.out, HasSubstr("INCONCLUSIVE: SQLite database './leasecheck-")) << full.err;
  EXPECT_THAT(full.out, Not(HasSubstr("FAILURE")));
  EXPECT_THAT(full.out, Not(HasSubstr(".trace")));

  const Ran locked = Run(

      "$L check --operations 100 --backend sqlite:new.db >/dev/null; "
      "python3 -c \"import sqlite3, subprocess, sys; c = sqlite3.connect('new.db'); c.execute('pragma locking_mode = "
      "exclusive'); "
      "c.execute('begin exclusive'); sys.exit(subprocess.call([sys.argv[1], 'check', '--backend', 'sqlite:new.db']))\" $L");
  EXPECT_EQ(locked.exit_code, 2) << locked.out << locked.err;
  EXPECT_THAT(locked.err, HasSubstr("leasecheck: cannot use new.db: SQLite database 'new.db': database is locked"));
  EXPECT_EQ(std::count(locked.err.begin(), locked.err.end(), '\n'), 1) << locked.err;
  EXPECT_EQ(locked.out, "");
}

// Every statement of a call is passed, and the call is there whole or not at all: a trace that is killed at each in turn.
TEST_F(CliTest, ATraceIsKilledAtEachStatement) {
  const auto replay = [&](int statement, const std::string& backend) {
    return Run(absl::StrCat("printf '%s\n' 'leasecheck trace 1 session_store' 'start 1000' 'crash at statement ", statement,
                            "' 'enqueue_queued_work {\"batch\":{\"session_id\":\"s\",\"payloads\":[]}}' ",
                            "'list_queued_work {\"session_id\":\"s\"}' '  -> []' >t; $L replay t --backend ", backend));
  };
  int lost = 0;
  int kept = 0;
  for (int statement = 1; statement <= 12; ++statement) {
    const Ran ran = replay(statement, "sqlite:");
    // Exit 1 by the trace's own expectation: the batch was kept. The spec allows both.
    ASSERT_TRUE(ran.exit_code == 0 || ran.exit_code == 1) << ran.out << ran.err;
    EXPECT_EQ(ran.exit_code, absl::StrContains(ran.out, "The answer is one that the trace expects") ? 1 : 0) << ran.out;
    ++(ran.exit_code == 0 ? lost : kept);
  }
  EXPECT_GT(lost, 2);
  EXPECT_GT(kept, 0);
  const Ran memory = replay(1, "memory");
  EXPECT_EQ(memory.exit_code, 2) << memory.out << memory.err;
  EXPECT_THAT(memory.out, HasSubstr("INCONCLUSIVE: the backend cannot be killed at a statement"));
}

// A file is whole or as it was; its link and its permissions stay.
TEST_F(CliTest, ConvertWritesAWholeFileOrNothing) {
  const std::string good = "{:process 0, :type :invoke, :f :a}\n";
  const Ran ran =
      Run("printf '{:process 0, :type :invoke, :f :a}\n' >in; touch real; chmod 600 real; ln -s real out; "
          "$L convert --to history in out; stat -c %a real; readlink out; ls -A | grep -v '^[.]'");
  EXPECT_EQ(ran.out, "600\nreal\nin\nout\nreal\n") << ran.err;
  EXPECT_EQ(ReadWhole(Path("real")), "{\"process\":0,\"type\":\"invoke\",\"f\":\"a\"}\n");
  const Ran bad = Run("cat in in | $L convert --from edn --to history - out; echo $?; ls -A | grep -v '^[.]'");
  EXPECT_EQ(bad.out, "64\nin\nout\nreal\n");
  EXPECT_THAT(bad.err, HasSubstr("leasecheck: stdin:2:1: expected an answer to the open call"));
  EXPECT_EQ(ReadWhole(Path("real")), "{\"process\":0,\"type\":\"invoke\",\"f\":\"a\"}\n");
  const Ran piped = Run("cat real | $L convert --to edn - - | $L convert --to edn - /dev/stdout | cat");
  EXPECT_EQ(piped.out, good) << piped.err;
}

// The run of a trace as other checkers read it: sequential, with its clock moves; across a kill.
TEST_F(CliTest, ReplayWritesTheHistoryOfItsRun) {
  const Ran ran = Run("$L replay $S/traces/session_store/02-lapsed-claim-is-retaken.trace --history h.jsonl");
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  ExpectGolden("tests/cli/golden/history.jsonl", ReadWhole(Path("h.jsonl")));
  const Ran around = Run("$L convert --to edn h.jsonl h.edn && $L convert --to history h.edn - | cmp - h.jsonl");
  EXPECT_EQ(around.exit_code, 0) << around.out << around.err;

  const Ran killed =
      Run("printf '%s\n' 'leasecheck trace 1 session_store' 'start 1000' 'crash at statement 2' "
          "'enqueue_queued_work {\"batch\":{\"session_id\":\"s\",\"payloads\":[]}}' "
          "'list_queued_work {\"session_id\":\"s\"}' >t; $L replay t --backend sqlite: --history k.jsonl");
  EXPECT_EQ(killed.exit_code, 0) << killed.out << killed.err;
  const std::string history = ReadWhole(Path("k.jsonl"));
  EXPECT_THAT(history, HasSubstr("\"f\":\"kill_at_statement\",\"value\":2}"));
  EXPECT_THAT(history, HasSubstr("\"process\":0,\"type\":\"info\",\"f\":\"enqueue_queued_work\""));
  EXPECT_THAT(history, HasSubstr("\"f\":\"reopen\""));
  EXPECT_THAT(history, HasSubstr("\"process\":1,\"type\":\"ok\",\"f\":\"list_queued_work\""));
  EXPECT_EQ(Run("$L convert --to edn k.jsonl k.edn").exit_code, 0);
}

// Every command of docs/HISTORIES.md prints the block that stands under it.
TEST_F(CliTest, TheCommandsOfTheHistoriesDocumentPrintWhatItSays) {
  const std::string text = ReadWhole(std::string(LEASECHECK_SOURCE_DIR) + "/docs/HISTORIES.md");
  static const std::regex kBlocks("```sh\nscripts/leasecheck ([^\n]*)\n```\n\n```text\n([^`]*)```");
  int commands = 0;
  for (std::sregex_iterator block(text.begin(), text.end(), kBlocks), end; block != end; ++block, ++commands) {
    const Ran ran = Run(absl::StrCat("cd \"$S\"; \"$L\" ", (*block)[1].str()));
    EXPECT_EQ(ran.out + ran.err, (*block)[2].str());
  }
  EXPECT_EQ(commands, 2);
}

TEST_F(CliTest, ServeAnswersAndLivesOnAfterRubbish) {
  const Ran ran =
      Run("printf '%s\\n' 'rubbish' "
          "'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocol\":1,\"family\":\"session_store\"}}' "
          "'{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"reset\",\"params\":{\"now_ms\":1000}}' "
          "'{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"list_queued_work\",\"params\":{\"session_id\":\"s\"}}' "
          "'{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"shutdown\",\"params\":{}}' | $L serve");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("-32700"));
  EXPECT_THAT(ran.out, HasSubstr("\"result\":[]"));
  EXPECT_EQ(ran.err, "");
}

TEST_F(CliTest, ServeKillsItselfAtAStatement) {
  const Ran ran =
      Run("$L serve --backend sqlite: --kill-at-statement 1 <<'END'\n"
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocol\":1,\"family\":\"session_store\"}}\n"
          "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"reset\",\"params\":{\"now_ms\":1000}}\n"
          "END");
  EXPECT_TRUE(ran.exit_code == 137 || ran.exit_code == -1) << ran.exit_code << ran.out << ran.err;
}

}  // namespace
}  // namespace leasecheck::testing
