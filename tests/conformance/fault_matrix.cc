// The fault matrix: every backend under every fault, and how often each fault did strike. A cell in which its fault never struck
// is a failure: it proved nothing. LEASECHECK_NIGHTLY=1 makes it fifty times as long. It prints the table of docs/FAULTS.md.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "properties/check.h"
#include "properties/session_store.h"
#include "tests/conformance/backends.h"
#include "tests/conformance/power_cut.h"

namespace leasecheck {
namespace {

using Factory = TargetFactory<SessionStoreFamily>;

struct MatrixFault {
  std::string name;
  void (*set)(CheckOptions& options);  // puts this fault in, and no other
  uint64_t (*strikes)(const StageReport& stage);
};

struct MatrixBackend {
  std::string name;
  Factory factory;
  uint64_t operations;  // of a cell, in the short run
  // Faults that cannot be, by their names, and why.
  std::map<std::string, std::string> impossible = {};
};

CheckOptions WithoutFaults() {
  CheckOptions options;
  options.faults = {.lost = 0,
                    .unknown = 0,
                    .held = 0,
                    .stalled = 0,
                    .clock_back = 0,
                    .clock_far = 0,
                    .reopen = 1,
                    .crash = 1,
                    .at_statement = 0};
  return options;
}

std::vector<MatrixFault> Faults() {
  return {
      {"crash at random",
       [](CheckOptions& o) {
         o.concurrent = false;
         o.faults.reopen = 10;
       },
       [](const StageReport& s) { return s.crashes > 0 ? s.crashes : s.reopens; }},
      {"kill at statement n",
       [](CheckOptions& o) {
         o.sequential = o.concurrent = false;
         o.faults.crash = 0;
         o.faults.at_statement = 1;
       },
       [](const StageReport& s) { return s.kills_at_statement; }},
      {"response lost", [](CheckOptions& o) { o.faults.lost = 8; }, [](const StageReport& s) { return s.lost_responses; }},
      {"outcome unknown", [](CheckOptions& o) { o.faults.unknown = 10; },
       [](const StageReport& s) { return s.unknown_outcomes; }},
      {"response late", [](CheckOptions& o) { o.faults.held = 8; }, [](const StageReport& s) { return s.held; }},
      {"worker stalled", [](CheckOptions& o) { o.faults.stalled = 6; }, [](const StageReport& s) { return s.stalled; }},
      {"clock back", [](CheckOptions& o) { o.faults.clock_back = 20; }, [](const StageReport& s) { return s.clock_back; }},
      {"clock far ahead", [](CheckOptions& o) { o.faults.clock_far = 20; }, [](const StageReport& s) { return s.clock_far; }},
  };
}

std::vector<MatrixBackend> Backends() {
  const std::string folder = testing::TempDir() + "fault-matrix";
  std::filesystem::create_directories(folder + "/cuts");
  const std::string gone = "it is not durable: nothing would come back";
  const std::string machine = "nobody moves the machine's clock";
  return {
      {"sqlite, in process, reopened",
       InProcess(SqliteBackend(folder)),
       4'000,
       {{"kill at statement n", "the statement would kill the test itself; the next row cuts the power there"}}},
      {"sqlite, in process, power cut", PowerCutBackend(folder + "/cuts", sqlite::Synchronous::kFull), 3'000},
      {"sqlite, served, killed", ServedBackend(LEASECHECK_PROGRAM, "sqlite:"), 1'500},
      {"sqlite, 3 processes, killed", ServedBackend(LEASECHECK_PROGRAM, "sqlite:", 3), 1'500},
      {"sqlite, system's clock, killed",
       ServedBackend(LEASECHECK_PROGRAM, "sqlite:", 1, "system"),
       1'500,
       {{"clock back", machine}, {"clock far ahead", machine}}},
      {"memory, served",
       ServedBackend(LEASECHECK_PROGRAM, "memory"),
       4'000,
       {{"crash at random", gone}, {"kill at statement n", gone}}},
  };
}

struct Cell {
  uint64_t programs = 0, operations = 0, strikes = 0, crashes = 0, undecided = 0, failures = 0;
  double seconds = 0;
};

uint64_t Times() { return std::getenv("LEASECHECK_NIGHTLY") != nullptr ? 50 : 1; }

Cell RunCell(const MatrixBackend& backend, const MatrixFault& fault) {
  CheckOptions options = WithoutFaults();
  options.operations = backend.operations * Times();
  fault.set(options);
  const Report report = Check<SessionStoreFamily>(backend.factory, options);
  EXPECT_NE(report.verdict, Verdict::kDoesNotConform) << backend.name << ", " << fault.name << "\n" << report.text();
  EXPECT_FALSE(report.internal_error) << report.reason;
  Cell cell;
  cell.failures = report.failures.size();
  for (const StageReport& stage : report.stages) {
    cell.programs += stage.programs;
    cell.operations += stage.operations;
    cell.strikes += fault.strikes(stage);
    cell.crashes += stage.crashes + stage.kills_at_statement;
    cell.undecided += stage.undecided;
    cell.seconds += stage.seconds;
  }
  EXPECT_GE(cell.operations, options.operations / 2) << report.text();
  EXPECT_GT(cell.strikes, 0u) << "it never struck: " << backend.name << ", " << fault.name << "\n" << report.text();
  return cell;
}

TEST(FaultMatrix, NoBackendBreaksUnderAnyFault) {
  std::string table =
      "| backend | fault | struck | crashes | programs | calls | undecided | failures | s "
      "|\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n";
  Cell all;
  for (const MatrixBackend& backend : Backends()) {
    for (const MatrixFault& fault : Faults()) {
      if (const auto no = backend.impossible.find(fault.name); no != backend.impossible.end()) {
        absl::StrAppend(&table, "| ", backend.name, " | ", fault.name, " | impossible: ", no->second, " | | | | | | |\n");
        continue;
      }
      const Cell cell = RunCell(backend, fault);
      absl::StrAppendFormat(&table, "| %s | %s | %d | %d | %d | %d | %d | %d | %.1f |\n", backend.name, fault.name, cell.strikes,
                            cell.crashes, cell.programs, cell.operations, cell.undecided, cell.failures, cell.seconds);
      all.crashes += cell.crashes;
      all.programs += cell.programs;
      all.operations += cell.operations;
      all.undecided += cell.undecided;
      all.failures += cell.failures;
      all.seconds += cell.seconds;
    }
  }
  absl::StrAppendFormat(&table, "| all | | | %d | %d | %d | %d | %d | %.1f |\n", all.crashes, all.programs, all.operations,
                        all.undecided, all.failures, all.seconds);
  std::cout << table;
}

// The controls: the same cells find what is broken.

Report RunControl(const Factory& factory, void (*set)(CheckOptions&)) {
  CheckOptions options = WithoutFaults();
  options.operations = 3'000;
  set(options);
  return Check<SessionStoreFamily>(factory, options);
}

TEST(FaultMatrix, AStoreThatDoesNotSyncIsFoundOut) {
  const std::string folder = testing::TempDir() + "fault-matrix-control";
  std::filesystem::create_directories(folder);
  const Factory unsynced = PowerCutBackend(folder, sqlite::Synchronous::kOff);
  for (const MatrixFault& fault : {Faults()[0], Faults()[1]}) {
    const Report report = RunControl(unsynced, fault.set);
    EXPECT_EQ(report.verdict, Verdict::kDoesNotConform) << fault.name << "\n" << report.text();
  }
}

}  // namespace
}  // namespace leasecheck
