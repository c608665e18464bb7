#include "bench/long_scan.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <utility>
#include <vector>

#include "bench/memory_target.h"
#include "properties/session_store_scans.h"
#include "tests/support/own_histories.h"

namespace leasecheck::bench {
namespace {

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The most that the process had in memory so far, in MiB.
double PeakMebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int PrintLongScan(const LongScanOptions& options) {
  const double begin = Seconds();
  auto own = tests::RecordOwnHistory(MemoryTargets(), {.clients = options.threads,
                                                       .calls = options.operations,
                                                       .sessions = options.sessions,
                                                       .seed = 1,
                                                       .unseen_percent = 1,
                                                       .free_threads = true});
  if (!own.ok()) {
    std::fprintf(stderr, "%s\n", own.status().ToString().c_str());
    return 70;
  }
  session_store::SessionHistory history;
  history.start = own->start;
  history.calls = std::move(own->prefix);
  std::move(own->phase.begin(), own->phase.end(), std::back_inserter(history.calls));
  const double recorded = Seconds();
  const double memory_before = PeakMebibytes();
  const SpecSetup setup;
  std::size_t findings = 0;
  const auto scan = [&](const char* name, std::vector<engine::Finding> found) {
    findings += found.size();
    for (const engine::Finding& finding : found) std::printf("%s: %s\n", finding.clause.c_str(), finding.explanation.c_str());
    std::printf("  %-8s done %6.2f s after the history was\n", name, Seconds() - recorded);
  };
  std::printf("%zu calls in %d sessions by %d threads, recorded in %.2f s\n", history.calls.size(), options.sessions,
              options.threads, recorded - begin);
  scan("batches", session_store::ScanBatches(history, setup, nullptr));
  scan("lanes", session_store::ScanLanes(history, nullptr));
  scan("probes", session_store::ProbeObservations(history, nullptr));
  std::printf("scanned in %.2f s; peak memory %.0f MiB with the history, %.0f MiB more with the scans\n", Seconds() - recorded,
              memory_before, PeakMebibytes() - memory_before);
  return findings == 0 ? 0 : 1;
}

}  // namespace leasecheck::bench
