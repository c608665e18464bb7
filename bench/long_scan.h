// Measures the scans on a history that no search could judge: a million calls by free threads in many sessions.
#ifndef LEASECHECK_BENCH_LONG_SCAN_H_
#define LEASECHECK_BENCH_LONG_SCAN_H_

namespace leasecheck::bench {

struct LongScanOptions {
  int operations = 1'000'000;
  int sessions = 64;
  int threads = 8;
};

// Records the history on the in-memory store and scans it; prints what both took, and what the process' memory rose by. Returns
// 0; 1: a scan found the reference store wrong; 70: the history could not be recorded.
int PrintLongScan(const LongScanOptions& options);

}  // namespace leasecheck::bench

#endif  // LEASECHECK_BENCH_LONG_SCAN_H_
