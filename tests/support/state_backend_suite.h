// The clauses of state_backend and its worked examples as tests that any store can be put to.
//
// A test program compiles state_backend_suite.cc and names its stores:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StateBackendSuite, ::testing::Values(StoreUnderTest{"Plain", [] { ... }}), StoreName);
#ifndef LEASECHECK_TESTS_SUPPORT_STATE_BACKEND_SUITE_H_
#define LEASECHECK_TESTS_SUPPORT_STATE_BACKEND_SUITE_H_

#include <functional>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/state_backend/store.h"
#include "model/time.h"
#include "tests/support/state_backend_calls.h"

namespace leasecheck::state_backend {

// A store that makes the reference's choices, and its clock.
class StoreHandle {
 public:
  virtual ~StoreHandle() = default;
  // May be another opening of the same store each time.
  virtual StateBackendStore& store() = 0;
  virtual void SetNow(EpochMs now) = 0;
};

struct StoreUnderTest {
  std::string name;
  std::function<std::unique_ptr<StoreHandle>()> open;  // at time 0
};

inline std::string StoreName(const ::testing::TestParamInfo<StoreUnderTest>& info) { return info.param.name; }

class StateBackendSuite : public ::testing::TestWithParam<StoreUnderTest>, public Calls {
 protected:
  StateBackendSuite() : handle_(GetParam().open()) {}

  StateBackendStore& store() override { return handle_->store(); }
  void SetNow(EpochMs now) { handle_->SetNow(now); }
  void SetClock(double seconds) { SetNow(static_cast<EpochMs>(At(seconds).ms)); }

 private:
  const std::unique_ptr<StoreHandle> handle_;
};

}  // namespace leasecheck::state_backend

#endif  // LEASECHECK_TESTS_SUPPORT_STATE_BACKEND_SUITE_H_
