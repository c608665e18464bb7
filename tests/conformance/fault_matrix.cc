// The fault matrix: every backend under every fault, and how often each fault did strike. A cell in which its fault never struck
// is a failure: it proved nothing. LEASECHECK_NIGHTLY=1 makes it fifty times as long. It prints the table of docs/FAULTS.md.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "properties/check.h"
#include "properties/registry.h"
#include "tests/conformance/backends.h"
#include "tests/conformance/power_cut.h"

namespace leasecheck {
namespace {

struct MatrixFault {
  std::string name;
  void (*set)(CheckOptions& options);  // puts this fault in, and no other
  uint64_t (*strikes)(const StageReport& stage);
};

template <class F>
struct MatrixBackend {
  std::string name;
  TargetFactory<F> factory;
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

template <class F>
std::vector<MatrixBackend<F>> Backends() {
  const std::string folder = absl::StrCat(testing::TempDir(), "fault-matrix-", F::kName);
  std::filesystem::create_directories(folder + "/cuts");
  const std::string gone = "it is not durable: nothing would come back";
  const std::string machine = "nobody moves the machine's clock";
  std::map<std::string, std::string> by_system_clock = {{"clock back", machine}, {"clock far ahead", machine}};
  if (std::is_same_v<F, StateBackendFamily>) by_system_clock["worker stalled"] = "a lease is half a minute long, or longer";
  return {
      {"sqlite, in process, reopened",
       InProcess(SqliteBackend<F>(folder)),
       4'000,
       {{"kill at statement n", "the statement would kill the test itself; the next row cuts the power there"}}},
      {"sqlite, in process, power cut", PowerCutBackend<F>(folder + "/cuts", sqlite::Synchronous::kFull), 3'000},
      {"sqlite, served, killed", ServedBackend<F>(LEASECHECK_PROGRAM, "sqlite:"), 1'500},
      {"sqlite, 3 processes, killed", ServedBackend<F>(LEASECHECK_PROGRAM, "sqlite:", 3), 1'500},
      {"sqlite, system's clock, killed", ServedBackend<F>(LEASECHECK_PROGRAM, "sqlite:", 1, "system"), 1'500, by_system_clock},
      {"memory, served",
       ServedBackend<F>(LEASECHECK_PROGRAM, "memory"),
       4'000,
       {{"crash at random", gone}, {"kill at statement n", gone}}},
  };
}

struct Cell {
  uint64_t programs = 0, operations = 0, strikes = 0, crashes = 0, undecided = 0, failures = 0;
  double seconds = 0;
};

uint64_t Times() { return std::getenv("LEASECHECK_NIGHTLY") != nullptr ? 50 : 1; }

template <class F>
Cell RunCell(const MatrixBackend<F>& backend, const MatrixFault& fault) {
  CheckOptions options = WithoutFaults();
  options.operations = backend.operations * Times();
  fault.set(options);
  const Report report = Check<F>(backend.factory, options);
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

template <class F>
void RunMatrix() {
  std::string table =
      "| backend | fault | struck | crashes | programs | calls | undecided | failures | s "
      "|\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n";
  Cell all;
  for (const MatrixBackend<F>& backend : Backends<F>()) {
    for (const MatrixFault& fault : Faults()) {
      if (const auto no = backend.impossible.find(fault.name); no != backend.impossible.end()) {
        absl::StrAppend(&table, "| ", backend.name, " | ", fault.name, " | impossible: ", no->second, " | | | | | | |\n");
        continue;
      }
      const Cell cell = RunCell<F>(backend, fault);
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

TEST(FaultMatrix, NoBackendBreaksUnderAnyFault) { RunMatrix<SessionStoreFamily>(); }
TEST(FaultMatrix, NoPersistenceBreaksUnderAnyFault) { RunMatrix<RuntimePersistenceFamily>(); }
TEST(FaultMatrix, NoRepositoryBreaksUnderAnyFault) { RunMatrix<RuntimeRepositoryFamily>(); }
TEST(FaultMatrix, NoStateBackendBreaksUnderAnyFault) { RunMatrix<StateBackendFamily>(); }

// The controls: the same cells find what is broken.

template <class F>
Report RunControl(const TargetFactory<F>& factory, void (*set)(CheckOptions&)) {
  CheckOptions options = WithoutFaults();
  options.operations = 3'000;
  set(options);
  return Check<F>(factory, options);
}

template <class F>
void ExpectUnsyncedIsFoundOut() {
  const std::string folder = absl::StrCat(testing::TempDir(), "fault-matrix-control-", F::kName);
  std::filesystem::create_directories(folder);
  const TargetFactory<F> unsynced = PowerCutBackend<F>(folder, sqlite::Synchronous::kOff);
  for (const MatrixFault& fault : {Faults()[0], Faults()[1]}) {
    const Report report = RunControl(unsynced, fault.set);
    EXPECT_EQ(report.verdict, Verdict::kDoesNotConform) << fault.name << "\n" << report.text();
  }
}

TEST(FaultMatrix, AStoreThatDoesNotSyncIsFoundOut) {
  ExpectUnsyncedIsFoundOut<SessionStoreFamily>();
  ExpectUnsyncedIsFoundOut<RuntimePersistenceFamily>();
  ExpectUnsyncedIsFoundOut<RuntimeRepositoryFamily>();
  ExpectUnsyncedIsFoundOut<StateBackendFamily>();
}

}  // namespace
}  // namespace leasecheck
