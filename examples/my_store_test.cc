// Checks a store of one's own inside GoogleTest. MyStore stands for yours: any class that implements the interface
// leasecheck::session_store::SessionStore (model/session_store/store.h).
#include <memory>

#include "gtest/gtest.h"
#include "memstore/session_store.h"
#include "properties/check.h"
#include "properties/session_store.h"

using Family = leasecheck::SessionStoreFamily;
using MyStore = leasecheck::memstore::SessionStore;

TEST(MyStore, Conforms) {
  leasecheck::StoreFactory<Family> factory;
  factory.info.name = "my store";
  factory.info.concurrency = 8;  // the calls that it takes at once
  factory.open = [](const leasecheck::OpenOptions& options) -> absl::StatusOr<std::unique_ptr<Family::Store>> {
    // The store takes its time from options.environment.clock, and asks options.environment.liveness who is dead.
    return std::make_unique<MyStore>(options.environment);
  };
  leasecheck::CheckOptions options;
  options.operations = 200'000;
  const leasecheck::Report report = leasecheck::Check<Family>(leasecheck::InProcess(factory), options);
  EXPECT_TRUE(report.conforms()) << report.text();
}
