// Check: is this store a conforming one? The harness as a library, for anyone's own tests.
//
//   #include "properties/check.h"
//   #include "properties/session_store.h"
//
//   TEST(MyStore, Conforms) {
//     leasecheck::StoreFactory<leasecheck::SessionStoreFamily> factory;
//     factory.info = {.name = "my store", .concurrency = 8};
//     factory.open = [](const leasecheck::OpenOptions& options) { return std::make_unique<MyStore>(options.environment); };
//     leasecheck::Report report = leasecheck::Check(leasecheck::InProcess(factory), {.operations = 100000});
//     EXPECT_TRUE(report.conforms()) << report.text();
//   }
#ifndef LEASECHECK_PROPERTIES_CHECK_H_
#define LEASECHECK_PROPERTIES_CHECK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "model/target.h"
#include "properties/engine/faults.h"
#include "properties/engine/in_process_target.h"
#include "properties/engine/report.h"
#include "properties/engine/system_time.h"

namespace leasecheck {

// How far a running check is; handed to CheckOptions::progress a few times a second.
struct Progress {
  std::string stage;
  uint64_t programs = 0;
  uint64_t operations = 0;
  double seconds = 0;         // since the check began
  double budget_seconds = 0;  // 0: limited by operations
};

struct CheckOptions {
  uint64_t seed = 1;
  // The check ends when either is used up; 0 means no limit. With both 0 it makes 200,000 operations.
  absl::Duration budget = absl::ZeroDuration();
  uint64_t operations = 0;

  // The stages, each given an equal part of the budget. A stage that the backend cannot do is left out with a note.
  bool sequential = true;
  bool concurrent = true;  // real threads, and deterministic switching where the store has the pause hook
  bool crash = true;       // kill and reopen, or reopen alone
  // False: a store with the pause hook is run by chosen schedules alone, and the same check finds the same every time.
  bool free_threads = true;

  int clients = 3;               // in the parallel phases
  uint64_t program_length = 60;  // contract calls of a sequential program
  engine::FaultTimes faults;     // what else befalls the programs of every stage, as often as usual
  bool shrink = true;
  uint64_t max_failures = 1;            // the check stops after that many different clauses
  uint64_t search_memory = 256u << 20;  // bytes, of one linearizability search

  int shard = 0;  // this check makes the programs k with k % shards == shard
  int shards = 1;

  // For a backend that reads the system's clock (TargetInfo::virtual_clock is false): how far its clock may be from ours, at
  // first and per millisecond that passes. Before such a window around a deadline the lease must hold, after it it must be
  // claimable, inside both answers are legal; where more than `inside_limit` of the calls fall inside, the check is inconclusive.
  absl::Duration clock_error = absl::Milliseconds(2);
  double clock_drift = 0;
  double inside_limit = 0.2;
  SystemTime* system_time = nullptr;  // the harness' clock, borrowed; null: the machine's

  std::vector<std::string> only;  // clause ids in scope; empty: all
  std::vector<std::string> skip;
  std::map<std::string, std::string> known_deviations;  // clause id -> reason; an unexpected pass fails the check

  std::string out;             // folder for the traces of failures, and for those found earlier, which are run first; "": none
  std::string replay_command;  // put before a trace's file name in a failure's replay command
  std::string replay_command_for_seed;  // ... and used with the seed where there is no file

  std::function<void(const Progress&)> progress;  // may be empty
};

// Checks the backend whose targets `factory` makes. Never throws; trouble of our own is Report::internal_error. Not to be called
// from several threads at once with one factory of a durable store.
template <class F>
Report Check(const TargetFactory<F>& factory, const CheckOptions& options);

// The same for a store that is killed in another form than it is otherwise checked in: the crash stage uses a killable target of
// `crash_factory`, such as a child process that serves the same store.
template <class F>
Report Check(const TargetFactory<F>& factory, const TargetFactory<F>& crash_factory, const CheckOptions& options);

// A trace that was read from a file.
struct TraceFile {
  std::string name;  // for messages
  std::string text;
};

// Plays traces on one target after the other and judges each by the contract and by its own expectations. A trace that cannot be
// parsed ends it: the report is inconclusive and its reason is the sentence with file, line and column.
template <class F>
Report ReplayTraces(const TargetFactory<F>& factory, const std::vector<TraceFile>& traces, const CheckOptions& options);

}  // namespace leasecheck

#endif  // LEASECHECK_PROPERTIES_CHECK_H_
