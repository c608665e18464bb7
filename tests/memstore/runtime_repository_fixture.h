// A runtime_repository reference store with everything injected.
#ifndef LEASECHECK_TESTS_MEMSTORE_RUNTIME_REPOSITORY_FIXTURE_H_
#define LEASECHECK_TESTS_MEMSTORE_RUNTIME_REPOSITORY_FIXTURE_H_

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "memstore/runtime_repository.h"
#include "model/environment.h"
#include "tests/support/runtime_repository_calls.h"

namespace leasecheck::memstore {

using namespace runtime_repository;  // NOLINT: tests speak of the contract's values throughout
using Store = memstore::RuntimeRepository;

class StoreTest : public ::testing::Test, public Calls {
 protected:
  explicit StoreTest(const RuntimeRepositoryOptions& options = {.id_style = IdStyle::kReadable}) : store_(Env(), options) {}

  RuntimeRepositoryStore& store() override { return store_; }
  Environment Env() { return {.clock = &clock_}; }
  void SetClock(double seconds) { clock_.Set(static_cast<EpochMs>(At(seconds).ms)); }

  ManualClock clock_{0};
  Store store_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_TESTS_MEMSTORE_RUNTIME_REPOSITORY_FIXTURE_H_
