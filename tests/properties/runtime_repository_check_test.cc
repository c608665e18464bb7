// The reference store under the generic check: it conforms, and every clause is exercised in the senses that it expects.
#include <string>

#include "gtest/gtest.h"
#include "memstore/runtime_repository.h"
#include "properties/check.h"
#include "properties/runtime_repository.h"

namespace leasecheck::runtime_repository {
namespace {

using F = RuntimeRepositoryFamily;

TargetFactory<F> ReferenceStores() {
  StoreFactory<F> factory;
  factory.info.name = "memory";
  factory.info.concurrency = 8;
  factory.info.pausable = true;
  factory.info.reference = true;
  factory.open = [](const OpenOptions& options) { return std::make_unique<memstore::RuntimeRepository>(options.environment); };
  return InProcess(factory);
}

TEST(RuntimeRepositoryCheck, TheReferenceStoreConforms) {
  CheckOptions options;
  options.seed = 7;
  options.operations = 60'000;
  const Report report = Check<F>(ReferenceStores(), options);
  EXPECT_TRUE(report.conforms()) << report.text();
}

// No clause that a store has to show is left out by chance or by the generator.
TEST(RuntimeRepositoryCheck, EveryClauseIsExercised) {
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
}  // namespace leasecheck::runtime_repository
