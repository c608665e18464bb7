#include "model/runtime_repository/values.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace leasecheck::runtime_repository {
namespace {

// 2^63, the first double that is no int64_t.
constexpr double kBeyondInt64 = 9223372036854775808.0;

int64_t ToInt64(double value) {
  if (std::isnan(value)) return 0;  // nothing, an endless number of times
  if (value >= kBeyondInt64) return std::numeric_limits<int64_t>::max();
  if (value < -kBeyondInt64) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

}  // namespace

int64_t RetryDelay(const RetryPolicy& policy, uint32_t attempt_no) {
  int64_t delay = policy.backoff_ms;
  if (policy.strategy == RetryStrategy::kExponential) {
    const double exponent = static_cast<double>(attempt_no) - 1.0;
    delay = ToInt64(std::round(static_cast<double>(policy.backoff_ms) * std::pow(policy.multiplier.value_or(2.0), exponent)));
  }
  if (policy.max_backoff_ms.has_value()) delay = std::min(delay, *policy.max_backoff_ms);
  return std::max<int64_t>(delay, 1);
}

}  // namespace leasecheck::runtime_repository
