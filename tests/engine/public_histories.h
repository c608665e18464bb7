// Reads the public histories of ../shared/histories (its README describes the formats), for tests and measurements of the search.
#ifndef LEASECHECK_TESTS_ENGINE_PUBLIC_HISTORIES_H_
#define LEASECHECK_TESTS_ENGINE_PUBLIC_HISTORIES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/engine/linearize_models.h"

namespace leasecheck::engine {

// The folder, or "" where it is not mounted.
std::string PublicHistories();

// One call: what it was, and when.
template <class Op>
struct RecordedCalls {
  std::vector<Op> ops;
  std::vector<Interval> history;
};

// NotFound: no such file. InvalidArgument: a line that is not of the format, with its number.
inline constexpr int kNil = -1;  // the register's initial value
absl::StatusOr<RecordedCalls<RegisterOp>> ReadEtcdLog(const std::string& path);
absl::StatusOr<RecordedCalls<KvOp>> ReadKvHistory(const std::string& path);
struct ClaimHistory {
  RecordedCalls<ClaimOp> calls;
  bool fifo = false;
};
absl::StatusOr<ClaimHistory> ReadClaimHistory(const std::string& path);

// Whether the README says that etcd_<number>.log is linearizable.
bool EtcdLogIsLinearizable(int number);

}  // namespace leasecheck::engine

#endif  // LEASECHECK_TESTS_ENGINE_PUBLIC_HISTORIES_H_
