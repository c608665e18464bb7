// What the wire has for state_backend alone: views in initialize and beside the arguments, and texts of tokens in plain.
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "adapters/process/backend_process.h"
#include "adapters/process/pipes.h"
#include "adapters/process/server.h"
#include "codec/family.h"
#include "codec/json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "memstore/state_backend.h"
#include "model/state_backend/dialects.h"
#include "model/state_backend/family.h"
#include "model/target.h"

namespace leasecheck::process {
namespace {

using codec::Json;
using ::testing::MatchesRegex;

using F = StateBackendFamily;

// A reference store as a target, with these dialects.
class MemoryTarget final : public Target<F> {
 public:
  explicit MemoryTarget(Dialects dialects) {
    info_.name = "memory";
    info_.dialects = std::move(dialects);
  }
  const TargetInfo& info() const override { return info_; }
  OutcomeOf<F> Execute(const RequestOf<F>& request) override { return leasecheck::Execute<F>(*store_, request); }
  absl::Status Reset(EpochMs now) override {
    clock_.Set(now);
    store_ = std::make_unique<memstore::StateBackend>(Environment{.clock = &clock_});
    return absl::OkStatus();
  }
  absl::Status SetClock(EpochMs now) override {
    clock_.Set(now);
    return absl::OkStatus();
  }
  absl::Status Reopen() override { return absl::UnimplementedError("it is in memory"); }
  absl::Status Kill() override { return absl::UnimplementedError("it is in this process"); }

 private:
  TargetInfo info_;
  ManualClock clock_;
  std::unique_ptr<memstore::StateBackend> store_;
};

// A served store, seen through its pipes.
class StateBackendWire : public ::testing::Test {
 protected:
  void Serve(Dialects dialects) {
    target_ = std::make_unique<MemoryTarget>(std::move(dialects));
    input_ = *MakePipe();
    output_ = *MakePipe();
    server_ = std::thread([this] {
      EXPECT_TRUE(process::Serve<F>(*target_, input_.read.get(), output_.write.get()).ok());
      output_.write.Close();
    });
  }
  ~StateBackendWire() override {
    input_.write.Close();
    if (server_.joinable()) server_.join();
  }

  Json Ask(absl::string_view method, const Json& params) {
    const Json request = {{"jsonrpc", "2.0"}, {"id", 1}, {"method", std::string(method)}, {"params", params}};
    EXPECT_TRUE(WriteBytes(input_.write.get(), absl::StrCat(codec::DumpJson(request), "\n"), absl::InfiniteFuture()).ok());
    while (received_.find('\n') == std::string::npos) {
      std::string bytes;
      if (!ReadAvailable(output_.read.get(), &bytes)) break;
      received_ += bytes;
    }
    const std::size_t end = received_.find('\n');
    absl::StatusOr<Json> answer = codec::ParseJson(received_.substr(0, end));
    received_.erase(0, end == std::string::npos ? end : end + 1);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *std::move(answer) : Json();
  }

 private:
  std::unique_ptr<MemoryTarget> target_;
  Pipe input_, output_;
  std::thread server_;
  std::string received_;
};

FamilyNames Names() {
  FamilyNames names{F::kName, {}};
  ForEachOperation<F>([&](const auto& operation, std::size_t) { names.operations.push_back(operation.name); });
  return names;
}

TEST_F(StateBackendWire, ViewsAreAMemberOfInitialize) {
  Serve({{"views", "tenants"}, {"SB-LAT-20", "requeue"}, {"SB-LAT-35", "1000"}});
  const Json result = Ask("initialize", {{"protocol", 1}, {"family", "state_backend"}})["result"];
  EXPECT_EQ(result["views"], true);
  EXPECT_EQ(result["dialects"], (Json{{"SB-LAT-20", "requeue"}, {"SB-LAT-35", 1000}}));
  const auto info = ReadInitialize(result, Names(), state_backend::kDialectPoints);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->dialects, (Dialects{{"views", "tenants"}, {"SB-LAT-20", "requeue"}, {"SB-LAT-35", "1000"}}));
  EXPECT_EQ(state_backend::LeaseLengthOf(info->dialects), 1000u);
}

TEST_F(StateBackendWire, AStoreWithoutViewsSaysNothing) {
  Serve({});
  const Json result = Ask("initialize", {{"protocol", 1}, {"family", "state_backend"}})["result"];
  EXPECT_FALSE(result.contains("views"));
  EXPECT_EQ(ReadInitialize(result, Names(), state_backend::kDialectPoints)->dialects, Dialects());
  EXPECT_EQ(state_backend::LeaseLengthOf({}), 30'000u);
}

TEST_F(StateBackendWire, ATokenIsAnsweredInPlainAndFoundByItsText) {
  Serve({{"views", "tenants"}});
  EXPECT_EQ(Ask("reset", {{"now_ms", 5}})["result"], Json::object());
  const Json created = Ask("create_token", {{"name", "ci"}, {"role", "r"}})["result"];
  ASSERT_TRUE(created.is_array() && created.size() == 2);
  EXPECT_THAT(created[0].get<std::string>(), MatchesRegex("jj_[0-9a-f]{64}"));
  EXPECT_EQ(Ask("validate_token", {{"token", created[0]}})["result"], created[1]);
  EXPECT_EQ(Ask("validate_token", {{"token", created[1]["id"]}})["result"], nullptr);
}

TEST_F(StateBackendWire, ACallMayBeMadeThroughAView) {
  Serve({{"views", "tenants"}});
  Ask("reset", {{"now_ms", 0}});
  const std::string id = "e0000000-0000-4000-8000-000000000001";
  const Json execution = Json::parse(R"({"execution_id":")" + id +
                                     R"(","workflow_id":"f","workflow_version":"1","status":"running","initial_input":{},)"
                                     R"("current_state":{},"started_at":"1970-01-01T00:00:00Z",)"
                                     R"("updated_at":"1970-01-01T00:00:00.000000001+00:00"})");
  EXPECT_EQ(Ask("create_execution", {{"execution", execution}, {"$tenant", "ghost"}})["error"]["data"]["error"], "Database");
  EXPECT_EQ(Ask("create_execution", {{"execution", execution}, {"$tenant", "default"}})["result"], Json::object());
  EXPECT_EQ(Ask("get_execution", {{"id", id}})["result"]["execution_id"], id);
  EXPECT_EQ(Ask("get_execution", {{"id", id}, {"$tenant", "ghost"}})["result"], nullptr);
  EXPECT_EQ(Ask("list_dead_letters", {{"$tenant", "default"}})["error"]["code"], codec::kInvalidParams)
      << "fixtures have no view";
}

}  // namespace
}  // namespace leasecheck::process
