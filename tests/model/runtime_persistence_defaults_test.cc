// The provided methods of runtime_persistence, over stores that override none, or some, of them.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/runtime_persistence/store.h"

namespace leasecheck::runtime_persistence {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Overrides the required methods only.
class Bare : public NoopAttachmentManifest<RuntimePersistence> {
 public:
  Result<std::optional<PersistedSessionRead>> LoadSession(const LoadSessionRequest&) override { return std::nullopt; }
  Result<std::optional<SessionNodeRecord>> LoadNode(const LoadNodeRequest&) override { return std::nullopt; }
  Result<RuntimeCommitResult> CommitRuntimeState(const CommitRuntimeStateRequest&) override { return RuntimeCommitResult(); }
  Result<Done> SaveSessionMeta(const SaveSessionMetaRequest&) override { return Done{}; }
  Result<std::optional<SessionMeta>> LoadSessionMeta(const LoadSessionMetaRequest&) override { return std::nullopt; }
  Result<Done> TombstoneNodes(const TombstoneNodesRequest&) override { return Done{}; }
  Result<VacuumReport> Vacuum(const VacuumRequest&) override { return VacuumReport{}; }
  Result<GcReport> GcUnreachable(const GcUnreachableRequest&) override { return GcReport{}; }
};

QueuedWorkBatch BatchOf(std::string id) {
  QueuedWorkBatch batch;
  batch.batch_id = std::move(id);
  return batch;
}

// Overrides the claim, the abandon and the list too, and notes what it was asked.
class Partial final : public Bare {
 public:
  Result<std::optional<QueuedWorkClaim>> ClaimReadyQueuedWork(const ClaimReadyQueuedWorkRequest& request) override {
    asked.push_back(request);
    if (grant.empty()) return std::nullopt;
    QueuedWorkClaim claim;
    claim.claim_id = "c";
    for (const std::string& id : grant) claim.batches.push_back(BatchOf(id));
    return claim;
  }
  Result<Done> AbandonQueuedWorkClaim(const AbandonQueuedWorkClaimRequest& request) override {
    abandoned.push_back(request.claim.claim_id);
    if (abandon_fails) return tl::unexpected<StoreError>(Backend{"disk"});
    return Done{};
  }
  Result<std::vector<QueuedWorkBatch>> ListQueuedWork(const ListQueuedWorkRequest&) override {
    return std::vector{BatchOf("claimed")};
  }

  std::vector<std::string> grant;
  bool abandon_fails = false;
  std::vector<ClaimReadyQueuedWorkRequest> asked;
  std::vector<std::string> abandoned;
};

template <class Response>
bool IsBackend(const Result<Response>& result) {
  return !result.has_value() && std::holds_alternative<Backend>(result.error());
}

TEST(Defaults, AreThoseOfAStoreWithoutAQueue) {
  Bare store;
  EXPECT_EQ(store.GetDurabilityTier({}).value(), DurabilityTier::kInline);
  EXPECT_TRUE(IsBackend(store.EnqueueQueuedWork({})));
  for (const uint64_t max_batches : {0u, 1u}) {
    ClaimReadyQueuedWorkRequest claim;
    claim.max_batches = max_batches;
    EXPECT_TRUE(IsBackend(store.ClaimReadyQueuedWork(claim)));
  }
  ClaimReadyQueuedWorkByBatchIdsRequest by_ids;
  EXPECT_EQ(store.ClaimReadyQueuedWorkByBatchIds(by_ids).value(), std::nullopt);
  by_ids.batch_ids = {"b"};
  EXPECT_TRUE(IsBackend(store.ClaimReadyQueuedWorkByBatchIds(by_ids)));
  QueuedWorkClaim claim;
  claim.session_id = "s";
  claim.claim_id = "c";
  const auto renewed = store.RenewQueuedWorkClaim({claim, 1});
  ASSERT_FALSE(renewed.has_value());
  EXPECT_EQ(renewed.error(), StoreError(QueuedWorkClaimExpired{"s", "c"}));
  EXPECT_TRUE(store.AbandonQueuedWorkClaim({claim}).has_value());
  EXPECT_EQ(store.CancelQueuedWorkBatch({"s", "b"}).value(), std::nullopt);
  EXPECT_THAT(store.ListQueuedWork({"s"}).value(), IsEmpty());
  EXPECT_THAT(store.ListPendingQueuedWork({"s"}).value(), IsEmpty());
}

TEST(Defaults, ThePendingListIsTheList) {
  Partial store;
  EXPECT_EQ(store.ListPendingQueuedWork({"s"}).value(), store.ListQueuedWork({"s"}).value());
}

TEST(Defaults, AClaimByIdsIsAClaimThatIsGivenBackUnlessItMatches) {
  Partial store;
  auto by_ids = [&](std::vector<std::string> ids) {
    return store.ClaimReadyQueuedWorkByBatchIds({"s", "o", QueuedWorkClaimBoundary::kIdle, 7, std::move(ids)});
  };
  EXPECT_EQ(by_ids({}).value(), std::nullopt);
  EXPECT_THAT(store.asked, IsEmpty());

  EXPECT_EQ(by_ids({"a", "b"}).value(), std::nullopt);
  EXPECT_THAT(store.asked, ElementsAre(ClaimReadyQueuedWorkRequest{"s", "o", QueuedWorkClaimBoundary::kIdle, 7, 2}));
  EXPECT_THAT(store.abandoned, IsEmpty());

  store.grant = {"a", "b"};
  EXPECT_EQ(by_ids({"a", "b"}).value()->claim_id, "c");
  EXPECT_THAT(store.abandoned, IsEmpty());
  for (const auto& other : std::vector<std::vector<std::string>>{{"a"}, {"b", "a"}, {"a", "b", "b"}}) {
    store.abandoned.clear();
    EXPECT_EQ(by_ids(other).value(), std::nullopt);
    EXPECT_THAT(store.abandoned, ElementsAre("c"));
  }
  store.abandon_fails = true;
  EXPECT_TRUE(IsBackend(by_ids({"b"})));
}

TEST(Defaults, AManifestWithoutAttachmentsForgetsAll) {
  Bare store;
  EXPECT_TRUE(store.RecordIntent({{"x", "s", "u", 1}}).has_value());
  EXPECT_THAT(store.ListUncommitted({5}).value(), IsEmpty());
  EXPECT_TRUE(store.CommitRefs({"s", {"x"}}).has_value());
  EXPECT_TRUE(store.Forget({"x"}).has_value());
}

}  // namespace
}  // namespace leasecheck::runtime_persistence
