// The reference store under the generic check: it conforms, and every clause is exercised in the senses that it expects.
#include <string>

#include "gtest/gtest.h"
#include "memstore/runtime_persistence.h"
#include "properties/check.h"
#include "properties/runtime_persistence.h"

namespace leasecheck::runtime_persistence {
namespace {

using F = RuntimePersistenceFamily;

TargetFactory<F> ReferenceStores() {
  StoreFactory<F> factory;
  factory.info.name = "memory";
  factory.info.concurrency = 8;
  factory.info.pausable = true;
  factory.info.reference = true;
  factory.open = [](const OpenOptions& options) { return std::make_unique<memstore::RuntimePersistence>(options.environment); };
  return InProcess(factory);
}

TEST(RuntimePersistenceCheck, TheReferenceStoreConforms) {
  CheckOptions options;
  options.seed = 7;
  options.operations = 60'000;
  const Report report = Check<F>(ReferenceStores(), options);
  EXPECT_TRUE(report.conforms()) << report.text();
}

// No clause that a store with queue and attachments has to show is left out by chance or by the generator.
TEST(RuntimePersistenceCheck, EveryClauseIsExercised) {
  CheckOptions options;
  options.seed = 11;
  options.operations = 150'000;
  options.free_threads = false;
  const Report report = Check<F>(ReferenceStores(), options);
  ASSERT_TRUE(report.conforms()) << report.text();
  for (const ClauseReport& clause : report.clauses) {
    EXPECT_NE(clause.status, ClauseReport::Status::kMissing) << clause.id << ": " << clause.sentence;
  }
}

}  // namespace
}  // namespace leasecheck::runtime_persistence
