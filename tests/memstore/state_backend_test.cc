// state_backend in the reference store: the suite, and what is its own: the choices that it offers, and JSON changed as text.
#include <limits>
#include <memory>
#include <set>

#include "absl/hash/hash.h"
#include "memstore/json_object.h"
#include "memstore/minimal.h"
#include "tests/memstore/state_backend_fixture.h"
#include "tests/support/state_backend_suite.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MemoryHandle final : public StoreHandle {
 public:
  StateBackendStore& store() override { return store_; }
  void SetNow(EpochMs now) override { clock_.Set(now); }

 private:
  ManualClock clock_;
  Store store_{{.clock = &clock_}};
};

// A store that is copied into a new one before every call: a snapshot loses nothing.
class CopiedHandle final : public StoreHandle {
 public:
  StateBackendStore& store() override {
    auto copy = std::make_unique<Store>(Environment{.clock = &clock_});
    if (store_ != nullptr) {
      const StateBackendSnapshot snapshot = store_->Snapshot();
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

// A store with these dialects.
class ChosenStore : public ::testing::Test, public Calls {
 protected:
  void Open(const Dialects& dialects) {
    const auto choices = ChoicesOf(dialects);
    ASSERT_TRUE(choices.ok()) << choices.status();
    Dialects declared = DialectsOf(*choices);
    declared.erase("views");
    EXPECT_EQ(declared, dialects) << "what is chosen is declared";
    store_ = std::make_unique<Store>(Environment{.clock = &clock_}, StateBackendOptions{.choices = *choices});
  }
  StateBackendStore& store() override { return *store_; }
  void SetClock(double seconds) { clock_.Set(static_cast<EpochMs>(At(seconds).ms)); }

  ManualClock clock_;
  std::unique_ptr<Store> store_;
};

TEST_F(ChosenStore, ListsByStart) {
  Open({{"SB-LAT-5", "started_at"}});
  WorkflowExecution first = Execution(1, 1);
  first.started_at = At(5);
  Create(first).value();
  CreateAll({2});
  SetClock(9);
  SetStatus(2, WorkflowStatus::kFailed).value();
  EXPECT_THAT(List({}, 9, 0), ElementsAre(1, 2));
}

TEST_F(ChosenStore, TakesUnknownExecutions) {
  Open({{"SB-LAT-9", "accepted"}});
  EXPECT_EQ(Append(1, 9), 1);
  EXPECT_TRUE(Write(SnapshotAt(3, "{}", 9)).has_value());
  Enqueue(Item(1, 0, "tool", 9));
  EXPECT_THAT(Events(9), ElementsAre(1));
  EXPECT_EQ(LatestSnap(9), SnapshotAt(3, "{}", 9));
  EXPECT_EQ(Claimed(), 1u);
}

TEST_F(ChosenStore, NumbersEventsGlobally) {  // worked example 2
  Open({{"SB-LAT-10", "global"}});
  CreateAll({1, 2});
  EXPECT_EQ(Append(1, 1), 1);
  EXPECT_EQ(Append(2, 2), 2);
  EXPECT_TRUE(FailedWith<Database>(TryAppend(EventOf(2, 1))));
  EXPECT_EQ(Append(3, 1), 3);
  EXPECT_THAT(EventsSince(1), ElementsAre(3));
  EXPECT_EQ(Latest(2), 2);
  const StateBackendSnapshot snapshot = store_->Snapshot();
  store_->Restore(snapshot);
  EXPECT_EQ(Append(4, 2), 4);
}

TEST_F(ChosenStore, ClaimsAnyEligibleItem) {
  Open({{"SB-LAT-15", "any"}});
  CreateAll({1});
  Enqueue(Item(1, 1, "model"));
  Enqueue(Item(2, 2, "tool"));
  EXPECT_EQ(Claimed({"tool", "model"}), 2u);
  EXPECT_EQ(Claimed({"tool", "model"}), 1u);
}

TEST_F(ChosenStore, StealsExpiredItems) {  // worked example 12
  Open({{"SB-LAT-16", "stealing"}});
  CreateAll({1});
  Enqueue(Item(1));
  EXPECT_EQ(Claimed({"tool"}, "w1"), 1u);
  SetClock(30);
  EXPECT_EQ(Claimed({"tool"}, "w2"), 0u);
  SetClock(31);
  EXPECT_EQ(Claimed({}, "w2"), 0u);
  EXPECT_TRUE(Renew(1, "w1").has_value()) << "a claim without queue types does nothing";
  SetClock(62);
  EXPECT_EQ(Claimed({"other"}, "w2"), 0u);
  EXPECT_TRUE(FailedWith<NotFound>(Renew(1, "w1"))) << "it was reset by a claim of any queue";
  const WorkItem stolen = Claim({"tool"}, "w2").value();
  EXPECT_EQ(stolen.attempt, 0u);
  EXPECT_EQ(stolen.lease_expires_at, At(92));
  EXPECT_EQ(Reclaim(), ReclaimResult{});
  EXPECT_TRUE(Complete(1).has_value());
}

TEST_F(ChosenStore, BacksOffOtherwise) {
  for (const char* word : {"bounded", "none"}) {
    Open({{"SB-LAT-17", word}});
    CreateAll({1});
    Enqueue(Item(1));
    SetClock(0);
    EXPECT_EQ(Claimed(), 1u);
    SetClock(31);
    EXPECT_THAT(Retryable(), ElementsAre(1));
    EXPECT_EQ(Claimed(), std::string(word) == "none" ? 1u : 0u);
    SetClock(32);
    EXPECT_EQ(Claimed(), std::string(word) == "none" ? 0u : 1u);
  }
}

TEST_F(ChosenStore, RequeuesFailedItems) {  // worked example 13
  Open({{"SB-LAT-20", "requeue"}});
  CreateAll({1});
  Enqueue(Item(1));
  EXPECT_EQ(Claimed(), 1u);
  EXPECT_TRUE(Fail(1, "bo\"om").has_value());
  const WorkItem again = Claim().value();
  EXPECT_EQ(again.attempt, 1u);
  EXPECT_EQ(again.payload.text, R"({"last_error":"bo\"om","n":1})");
  EXPECT_TRUE(Fail(1, "x").has_value());
  EXPECT_TRUE(Fail(1, "y").has_value()) << "a pending one too";
  EXPECT_EQ(Claim()->attempt, 3u) << "no cap";
}

TEST_F(ChosenStore, HasNoTenantsOrAnotherLease) {
  Open({{"SB-LAT-34", "unsupported"}, {"SB-LAT-35", "1000"}});
  EXPECT_TRUE(FailedWith<Database>(AddTenant(TenantOf("a"))));
  EXPECT_EQ(GetTenant("default"), std::nullopt);
  EXPECT_THAT(store().ListTenants({}).value(), IsEmpty());
  EXPECT_TRUE(FailedWith<Database>(store().UpdateTenant({TenantOf("default")})));
  CreateAll({1});
  Enqueue(Item(1));
  EXPECT_EQ(Claim()->lease_expires_at, At(1));
}

TEST(Choices, AreTheContracts) {
  EXPECT_EQ(Store::Declared(), (Dialects{{"views", "tenants"}}));
  EXPECT_EQ(*ChoicesOf({{"views", "tenants"}, {"preset", "none"}}), StateBackendChoices{});
  EXPECT_THAT(ChoicesOf({{"SB-LAT-5", "no"}}).status().message(), HasSubstr("\"no\" at SB-LAT-5"));
  EXPECT_THAT(ChoicesOf({{"SB-LAT-35", "soon"}}).status().message(), HasSubstr("soon"));
  EXPECT_THAT(ChoicesOf({{"SB-LAT-99", "x"}}).status().message(), HasSubstr("no dialect \"SB-LAT-99\""));
  EXPECT_FALSE(ChoicesOf({{"preset", "memory"}}).ok());
}

TEST_F(StoreTest, AttemptsAndInstantsDoNotWrap) {  // SB-LAT-40
  CreateAll({1});
  WorkItem item = Item(1);
  item.attempt = std::numeric_limits<uint32_t>::max();
  item.max_attempts = item.attempt;
  Enqueue(item);
  clock_.Set(static_cast<EpochMs>(kLastInstant.ms) - 10);
  EXPECT_EQ(Claim()->lease_expires_at, kLastInstant);
  clock_.Set(std::numeric_limits<EpochMs>::max());
  EXPECT_EQ(Reclaim(), ReclaimResult{}) << "the last instant is not before itself";
}

// A claim and a reclaim find what they need behind any number of items that do not matter.
TEST_F(StoreTest, ClaimsDoNotStarve) {
  CreateAll({1});
  for (uint64_t n = 1; n <= 2000; ++n) {
    Enqueue(Item(n, 0));
    Enqueue(Item(100'000 + n, 0, "other"));
  }
  for (int n = 0; n < 2000; ++n) EXPECT_TRUE(Claim().has_value());
  SetClock(31);
  EXPECT_THAT(Retryable(), SizeIs(2000));
  Enqueue(Item(5000, 1));
  EXPECT_EQ(Claimed(), 5000u) << "2000 older ones wait for their retry";
  SetClock(33);
  std::set<uint64_t> taken;
  for (int n = 0; n < 2000; ++n) taken.insert(Claimed());
  EXPECT_EQ(taken.size(), 2000u);
  EXPECT_EQ(taken.count(0), 0u);
}

TEST(Minimal, InheritsTheTenantCalls) {
  ManualClock clock;
  MinimalStateBackend store({.clock = &clock});
  EXPECT_TRUE(FailedWith<Database>(store.CreateTenant({TenantOf("a")})));
  EXPECT_EQ(store.GetTenant({"default"}).value(), std::nullopt);
  EXPECT_THAT(store.ListTenants({}).value(), IsEmpty());
  EXPECT_TRUE(FailedWith<Database>(store.UpdateTenant({TenantOf("default")})));
  EXPECT_TRUE(store.CreateExecution({Execution(1)}).has_value());
}

TEST(JsonObject, IsChangedAsText) {
  const auto append = [](const char* object, absl::string_view name, const char* value) {
    return AppendToMember({object}, name, {value}).value_or(OpaqueJson{"none"}).text;
  };
  EXPECT_EQ(append("{}", "a", "1"), "{\"a\":[1]}");
  EXPECT_EQ(append("{\"a\":[]}", "a", "1"), "{\"a\":[1]}");
  EXPECT_EQ(append("{\"a\":[\"]\\\"}\"]}", "a", "{}"), "{\"a\":[\"]\\\"}\",{}]}");
  EXPECT_EQ(append("{\"b\":{\"a\":[]}}", "a", "1"), "{\"a\":[1],\"b\":{\"a\":[]}}");
  EXPECT_EQ(append("{\"b\":{\"c\":[]}}", "c", "1"), "{\"b\":{\"c\":[]},\"c\":[1]}");
  EXPECT_EQ(append("{\"a\":1,\"c\":2}", "b", "3"), "{\"a\":1,\"b\":[3],\"c\":2}");
  EXPECT_EQ(append("{\"a\":1}", "a", "1"), "none");
  EXPECT_EQ(append("{\"a\":\"[\"}", "a", "1"), "none");
  for (const char* other : {"[]", "null", "\"{\"", "7"}) EXPECT_EQ(append(other, "a", "1"), "none");
  // Names are compared, and sorted, by their bytes and not by how they are written.
  EXPECT_EQ(append("{\"\\n\":[],\"\\u001f\":[0],\"\\\"\":[]}", "\x1f", "1"), "{\"\\n\":[],\"\\u001f\":[0,1],\"\\\"\":[]}");
  EXPECT_EQ(append("{\" \":[],\"\\\\\":[]}", "\"", "1"), "{\" \":[],\"\\\"\":[1],\"\\\\\":[]}");
  EXPECT_EQ(SetMember({"{\"n\":[1]}"}, "n", JsonString("a\tb"))->text, "{\"n\":\"a\\tb\"}");
  EXPECT_EQ(SetMember({"[]"}, "n", {"1"}), std::nullopt);
}

}  // namespace
}  // namespace leasecheck::memstore

namespace leasecheck::state_backend {

INSTANTIATE_TEST_SUITE_P(Memory, StateBackendSuite,
                         ::testing::Values(StoreUnderTest{"Plain", [] { return std::make_unique<memstore::MemoryHandle>(); }},
                                           StoreUnderTest{"Copied", [] { return std::make_unique<memstore::CopiedHandle>(); }}),
                         StoreName);

}  // namespace leasecheck::state_backend
