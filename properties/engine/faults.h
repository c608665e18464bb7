// Which faults a check puts into its programs, and how often.
#ifndef LEASECHECK_PROPERTIES_ENGINE_FAULTS_H_
#define LEASECHECK_PROPERTIES_ENGINE_FAULTS_H_

#include <cstdint>

namespace leasecheck::engine {

// How many times as often as usual each is put in; 0: never. What is usual, the generators say, with their reasons. (Crashes are
// a stage of their own.)
struct FaultTimes {
  uint64_t lost = 1;        // the client does not see the answer, the checker does
  uint64_t unknown = 1;     // nobody sees the answer, or the request never arrives
  uint64_t held = 1;        // the answer arrives late: others went on, the clock may have moved
  uint64_t stalled = 1;     // a client sleeps across the end of a lease and goes on with what it knew
  uint64_t clock_back = 1;  // the clock falls
  uint64_t clock_far = 1;   // the clock leaps beyond every lease
  uint64_t reopen = 1;      // a durable store is closed and opened again between two calls
  // Of the stage of crashes, 0 or 1.
  uint64_t crash = 1;         // the process is killed from outside, at random
  uint64_t at_statement = 1;  // ... it kills itself before its n-th statement
};

}  // namespace leasecheck::engine

#endif  // LEASECHECK_PROPERTIES_ENGINE_FAULTS_H_
