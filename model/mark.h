// Marks: what one answer tells of something that only ever rises, and so of the order of calls.
//
// A fencing token, a head revision, a batch that is stored and later gone for good: each is a counter that never falls. A mark
// says that it read at most `before` when the call took effect and at least `after` once it had. If Y's `after` is larger than
// X's `before`, Y cannot have come before X: so X came before Y.
//
//   enqueue -> b      {"batch b", 0, 1}     it was not there, and then it was
//   list -> [b]       {"batch b", 1, 1}     after the enqueue, before the cancel
//   cancel(b) -> b    {"batch b", 1, 2}
#ifndef LEASECHECK_MODEL_MARK_H_
#define LEASECHECK_MODEL_MARK_H_

#include <cstdint>
#include <limits>
#include <string>

namespace leasecheck {

struct Mark {
  std::string counter;  // names something that never falls, in any order of calls that the contract allows
  uint64_t before = 0;  // at most, when the call takes effect
  uint64_t after = 0;   // at least, once it has
};

// The one counter that may also fall: what the clock read when the call took effect. `before` and `after` are that instant.
inline constexpr const char* kClockCounter = "now";

// A mark that does not say what was before.
inline constexpr uint64_t kAnythingBefore = std::numeric_limits<uint64_t>::max();

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_MARK_H_
