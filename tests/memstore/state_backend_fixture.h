// A state_backend reference store with everything injected.
#ifndef LEASECHECK_TESTS_MEMSTORE_STATE_BACKEND_FIXTURE_H_
#define LEASECHECK_TESTS_MEMSTORE_STATE_BACKEND_FIXTURE_H_

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "memstore/state_backend.h"
#include "model/environment.h"
#include "tests/support/state_backend_calls.h"

namespace leasecheck::memstore {

using namespace state_backend;  // NOLINT: tests speak of the contract's values throughout
using Store = memstore::StateBackend;

class StoreTest : public ::testing::Test, public Calls {
 protected:
  explicit StoreTest(const StateBackendOptions& options = {}) : store_(Env(), options) {}

  StateBackendStore& store() override { return store_; }
  Environment Env() { return {.clock = &clock_}; }
  void SetClock(double seconds) { clock_.Set(static_cast<EpochMs>(At(seconds).ms)); }

  ManualClock clock_{0};
  Store store_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_TESTS_MEMSTORE_STATE_BACKEND_FIXTURE_H_
