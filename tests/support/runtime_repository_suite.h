// The clauses of runtime_repository and its worked examples as tests that any store can be put to.
//
// A test program compiles runtime_repository_suite.cc and runtime_repository_calls.cc and names its stores:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, RuntimeRepositorySuite, ::testing::Values(StoreUnderTest{"Plain", [] { ... }}), StoreName);
#ifndef LEASECHECK_TESTS_SUPPORT_RUNTIME_REPOSITORY_SUITE_H_
#define LEASECHECK_TESTS_SUPPORT_RUNTIME_REPOSITORY_SUITE_H_

#include <functional>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/runtime_repository/store.h"
#include "model/time.h"
#include "tests/support/runtime_repository_calls.h"

namespace leasecheck::runtime_repository {

// A store that makes the reference's choices, and its clock.
class StoreHandle {
 public:
  virtual ~StoreHandle() = default;
  // May be another opening of the same store each time.
  virtual RuntimeRepositoryStore& store() = 0;
  virtual void SetNow(EpochMs now) = 0;
};

struct StoreUnderTest {
  std::string name;
  std::function<std::unique_ptr<StoreHandle>()> open;  // at time 0
};

inline std::string StoreName(const ::testing::TestParamInfo<StoreUnderTest>& info) { return info.param.name; }

class RuntimeRepositorySuite : public ::testing::TestWithParam<StoreUnderTest>, public Calls {
 protected:
  RuntimeRepositorySuite() : handle_(GetParam().open()) {}

  RuntimeRepositoryStore& store() override { return handle_->store(); }
  void SetNow(EpochMs now) { handle_->SetNow(now); }
  void SetClock(double seconds) { SetNow(static_cast<EpochMs>(At(seconds).ms)); }

  // The end of worked example 5: a was leased to 30 and swept.
  Lease SweepOne() {
    Enqueue({"a"});
    const Lease lease = Claim("a", 30, "w1");
    EXPECT_EQ(Expire(30.001), 1u);
    return lease;
  }

 private:
  const std::unique_ptr<StoreHandle> handle_;
};

}  // namespace leasecheck::runtime_repository

#endif  // LEASECHECK_TESTS_SUPPORT_RUNTIME_REPOSITORY_SUITE_H_
