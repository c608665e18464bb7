// runtime_repository in the reference store: the suite, and what is its own: the choices that it offers.
#include <memory>

#include "absl/hash/hash.h"
#include "tests/memstore/runtime_repository_fixture.h"
#include "tests/support/runtime_repository_suite.h"

namespace leasecheck::memstore {
namespace {

using ::testing::IsEmpty;

class MemoryHandle final : public StoreHandle {
 public:
  RuntimeRepositoryStore& store() override { return store_; }
  void SetNow(EpochMs now) override { clock_.Set(now); }

 private:
  ManualClock clock_;
  Store store_{{.clock = &clock_}};
};

// A store that is copied into a new one before every call: a snapshot loses nothing.
class CopiedHandle final : public StoreHandle {
 public:
  RuntimeRepositoryStore& store() override {
    auto copy = std::make_unique<Store>(Environment{.clock = &clock_}, RuntimeRepositoryOptions{.id_seed = 9});
    if (store_ != nullptr) {
      const RuntimeRepositorySnapshot snapshot = store_->Snapshot();
      copy->Restore(snapshot);
      EXPECT_EQ(copy->Snapshot(), snapshot);
      EXPECT_EQ(absl::HashOf(copy->Snapshot()), absl::HashOf(snapshot));
    }
    store_ = std::move(copy);
    return *store_;
  }
  void SetNow(EpochMs now) override { clock_.Set(now); }

 private:
  ManualClock clock_;
  std::unique_ptr<Store> store_;
};

class UpstreamExample : public StoreTest {
 protected:
  UpstreamExample() : StoreTest({.allow_early_retry_claim = true}) {}
};

TEST_F(UpstreamExample, E11EarlyClaim) {
  Enqueue({"a"});
  Ack("a", Status::kFailed, 0, Fixed(60'000, 1)).value();
  SetClock(59);
  EXPECT_THAT(List(59), IsEmpty());
  Claim("a", 90);
  EXPECT_EQ(Get("a"), (AttemptStatus{2, Status::kLeased}));
}

class FailoverExample : public StoreTest, public ::testing::WithParamInterface<TimeoutClock> {
 protected:
  FailoverExample() : StoreTest({.timeout_clock = GetParam()}) {}
};

TEST_P(FailoverExample, E12FailoverClock) {
  Enqueue({"a"});
  SetTimeout("a", 10, Status::kFailed);
  Claim("a", 3);
  EXPECT_EQ(Expire(5), 1u);
  SetClock(20);
  Claim("a", 50);
  const bool keeps = GetParam() == TimeoutClock::kKeep;
  EXPECT_EQ(Timeout(20), keeps ? 1u : 0u);
  EXPECT_EQ(Timeout(30), keeps ? 0u : 1u);
}
INSTANTIATE_TEST_SUITE_P(Both, FailoverExample, ::testing::Values(TimeoutClock::kKeep, TimeoutClock::kReset));

}  // namespace
}  // namespace leasecheck::memstore

namespace leasecheck::runtime_repository {

INSTANTIATE_TEST_SUITE_P(Memory, RuntimeRepositorySuite,
                         ::testing::Values(StoreUnderTest{"Plain", [] { return std::make_unique<memstore::MemoryHandle>(); }},
                                           StoreUnderTest{"Copied", [] { return std::make_unique<memstore::CopiedHandle>(); }}),
                         StoreName);

}  // namespace leasecheck::runtime_repository
