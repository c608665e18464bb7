// Prints what the linearizability search costs on every history that a target is set for, each measured in this run.
#ifndef LEASECHECK_BENCH_CHECKER_TABLE_H_
#define LEASECHECK_BENCH_CHECKER_TABLE_H_

#include <string>

namespace leasecheck::bench {

struct TableOptions {
  std::string only;  // part of a row's name; "": all
  int repeats = 5;   // of which the median time is printed
};

// On stdout. Returns 0; 1: a verdict is not the known one, or a witness or a core does not hold; 2: there is nothing to measure.
int PrintCheckerTable(const TableOptions& options);

}  // namespace leasecheck::bench

#endif  // LEASECHECK_BENCH_CHECKER_TABLE_H_
