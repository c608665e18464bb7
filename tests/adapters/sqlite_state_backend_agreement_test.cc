// The two state_backend stores of this project, put to the same random calls: every answer is the same, but for the texts and ids
// of tokens that each chooses. The reference's rules and the SQL are two readings of one contract.
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "memstore/state_backend.h"
#include "model/state_backend/family.h"
#include "tests/adapters/sqlite_state_backend_fixture.h"

namespace leasecheck::sqlite {
namespace {

using F = StateBackendFamily;

// Makes calls over few names and few instants, so that they meet.
class RandomCalls {
 public:
  explicit RandomCalls(uint64_t seed) : random_(seed) {}

  // Tokens are "#n" for the n-th one, and so are their ids; about one in four is none.
  RequestOf<F> Next(std::size_t tokens) {
    const Uuid execution = E(1 + Below(5));
    const Uuid item = I(1 + Below(12));
    const std::string token = tokens == 0 || Below(4) == 0 ? "none" : absl::StrCat("#", Below(tokens));
    switch (Below(34)) {
      case 0:
        return sb::StoreWorkflowRequest{{"flow", Of({"1", "2"}), Value(), Time(), Tenant()}, View()};
      case 1:
        return sb::GetWorkflowRequest{"flow", Of({"1", "2"}), View()};
      case 2:
      case 3: {
        sb::WorkflowExecution made = sb::Execution(1 + Below(5), 0, AnyStatus());
        made.updated_at = Time();
        made.current_state = Value();
        return sb::CreateExecutionRequest{made, View()};
      }
      case 4:
        return sb::GetExecutionRequest{execution, View()};
      case 5:
        return sb::UpdateExecutionStatusRequest{execution, AnyStatus(), View()};
      case 6:
        return sb::UpdateExecutionCurrentStateRequest{execution, Value(), View()};
      case 7:
      case 8:
      case 9:
        return sb::PatchAppendArrayRequest{execution, Of({"a", "b", "", "\n", "a.b", "\xc3\xa9", "\x7f"}), Value(), View()};
      case 10:
        return sb::ListExecutionsRequest{Below(2) == 0 ? std::nullopt : std::optional<sb::WorkflowStatus>(AnyStatus()),
                                         static_cast<uint32_t>(Below(4)), static_cast<uint32_t>(Below(3)), View()};
      case 11:
      case 12:
        return sb::AppendEventRequest{sb::EventOf(1 + Below(400), 1 + Below(5), static_cast<int64_t>(Below(9))), View()};
      case 13:
        return sb::GetEventsRequest{execution, View()};
      case 14:
        return sb::GetEventsSinceRequest{execution, static_cast<int64_t>(Below(6)) - 1, View()};
      case 15:
        return sb::LatestSequenceRequest{execution, View()};
      case 16:
        return sb::WriteSnapshotRequest{sb::SnapshotAt(static_cast<int64_t>(Below(5)) - 2, "{}", 1 + Below(5)), View()};
      case 17:
        return sb::LatestSnapshotRequest{execution, View()};
      case 18:
      case 19:
      case 20: {
        sb::WorkItem made = sb::Item(1 + Below(12), static_cast<double>(Below(4)), Of({"tool", "model"}), 1 + Below(5));
        made.attempt = static_cast<uint32_t>(Below(2));
        made.max_attempts = static_cast<uint32_t>(Below(4));
        made.tenant_id = Tenant();
        return sb::EnqueueWorkItemRequest{made, View()};
      }
      case 21:
      case 22:
      case 23:
        return sb::ClaimWorkItemRequest{Of({"v", "w"}), Queues(), View()};
      case 24:
        return sb::RenewLeaseRequest{item, Of({"v", "w"}), View()};
      case 25:
        return sb::CompleteWorkItemRequest{item, View()};
      case 26:
        return sb::FailWorkItemRequest{item, "e", View()};
      case 27:
        return sb::ReclaimExpiredLeasesRequest{View()};
      case 28:
        return sb::MoveToDeadLetterRequest{item, Of({"x", "y"}), View()};
      case 29:
        return sb::ListDeadLettersRequest{};
      case 30:
        return Below(2) == 0 ? RequestOf<F>(sb::CreateTokenRequest{"n", "r", View()})
                             : RequestOf<F>(sb::ValidateTokenRequest{Secret(token), View()});
      case 31:
        return Below(2) == 0 ? RequestOf<F>(sb::RevokeTokenRequest{token}) : RequestOf<F>(sb::ExpireTokenRequest{token, Time()});
      case 32:
        return Below(2) == 0 ? RequestOf<F>(sb::CreateTenantRequest{AnyTenant(), View()})
                             : RequestOf<F>(sb::UpdateTenantRequest{AnyTenant(), View()});
      default:
        return Below(2) == 0 ? RequestOf<F>(sb::GetTenantRequest{Tenant(), View()})
                             : RequestOf<F>(sb::ListTenantsRequest{View()});
    }
  }
  uint64_t Below(uint64_t bound) { return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_); }

 private:
  // 0 to 7 seconds, and a millisecond beside.
  Instant Time() { return Instant(static_cast<int64_t>(Below(8) * 1000 + Below(3)) - 1); }
  std::string Of(std::initializer_list<const char*> names) { return *(names.begin() + Below(names.size())); }
  std::string Tenant() { return Of({"default", "alpha", "bravo", "ghost"}); }
  std::optional<std::string> View() { return Below(2) == 0 ? std::nullopt : std::optional<std::string>(Tenant()); }
  sb::WorkflowStatus AnyStatus() { return kWords<sb::WorkflowStatus>[Below(kWords<sb::WorkflowStatus>.size())].value; }
  OpaqueJson Value() {
    return sb::Json(Of({"null", "{}", "[]", "0.5", "{\"a\":[]}", "{\"a\":1}", "{\"a\":[[]],\"z\":[\"}\",null]}",
                        "{\"\\n\":[1],\"b\":{\"a\":[]}}", "\"\xe2\x80\xa8\"", "{}", "{}", "18446744073709551615"}));
  }
  std::vector<std::string> Queues() {
    std::vector<std::string> queues;
    for (std::size_t n = Below(4); n > 0; --n) queues.push_back(Of({"tool", "model", "none"}));
    return queues;
  }
  sb::Tenant AnyTenant() {
    sb::Tenant tenant = sb::TenantOf(Tenant());
    tenant.created_at = Time();
    tenant.updated_at = Time();
    if (Below(2) == 0) tenant.policy = sb::Json("{\"p\":[1]}");
    if (Below(2) == 0) tenant.limits.emplace().max_cost_per_month_usd = 0.1 * static_cast<double>(Below(9));
    return tenant;
  }

  std::mt19937_64 random_;
};

// One of the stores, with the tokens that it chose.
class Side {
 public:
  explicit Side(sb::StateBackendStore* store) : store_(store) {}

  // The outcome with "#n" for the text and the id of the n-th token.
  OutcomeOf<F> Execute(RequestOf<F> request) {
    if (auto* validate = std::get_if<sb::ValidateTokenRequest>(&request)) Give(texts_, &validate->token.text);
    if (auto* revoke = std::get_if<sb::RevokeTokenRequest>(&request)) Give(ids_, &revoke->id);
    if (auto* expire = std::get_if<sb::ExpireTokenRequest>(&request)) Give(ids_, &expire->id);
    OutcomeOf<F> outcome = leasecheck::Execute<F>(*store_, request);
    auto* response = std::get_if<0>(&outcome);
    if (response == nullptr) return outcome;
    if (std::holds_alternative<sb::CreateTokenRequest>(request)) {
      auto& created = *std::get_if<OperationIndexOf<F, sb::CreateTokenRequest>()>(response);
      const std::string number = absl::StrCat("#", texts_.size());
      texts_.push_back(created.plaintext.text);
      ids_.push_back(created.info.id);
      created.plaintext.text = number;
      created.info.id = number;
    } else if (std::holds_alternative<sb::ValidateTokenRequest>(request)) {
      auto& info = *std::get_if<OperationIndexOf<F, sb::ValidateTokenRequest>()>(response);
      if (info.has_value()) Take(ids_, &info->id);
    }
    return outcome;
  }
  std::size_t tokens() const { return texts_.size(); }

 private:
  static void Give(const std::vector<std::string>& values, std::string* text) {
    for (std::size_t n = 0; n < values.size(); ++n) {
      if (*text == absl::StrCat("#", n)) {
        *text = values[n];
        return;
      }
    }
  }
  static void Take(const std::vector<std::string>& values, std::string* text) {
    const auto found = std::find(values.begin(), values.end(), *text);
    if (found != values.end()) *text = absl::StrCat("#", found - values.begin());
  }

  sb::StateBackendStore* const store_;
  std::vector<std::string> texts_;
  std::vector<std::string> ids_;
};

TEST(StateBackendAgreement, ReferenceAndSqliteAnswerTheSame) {
  std::map<std::size_t, int> successes;
  std::map<std::size_t, int> refusals;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    ManualClock clock(0);
    memstore::StateBackend reference({.clock = &clock});
    const auto sqlite = OpenBackend({.path = ":memory:", .connections = 1, .environment = {.clock = &clock}});
    Side a(&reference);
    Side b(sqlite.get());
    RandomCalls calls(seed);
    EpochMs now = 0;
    for (int n = 0; n < 400; ++n) {
      // To a deadline or beside it as often as not.
      if (calls.Below(4) == 0) clock.Set(now += std::vector<EpochMs>{1, 1000, 2000, 29'999, 30'000, 30'001}[calls.Below(6)]);
      const RequestOf<F> request = calls.Next(a.tokens());
      const OutcomeOf<F> expected = a.Execute(request);
      ASSERT_TRUE(expected == b.Execute(request))
          << "seed " << seed << ", call " << n << ": " << OperationName<F>(request.index());
      ++(expected.index() == 0 ? successes : refusals)[request.index()];
    }
  }
  // What can fail did both.
  ForEachOperation<F>([&](const auto& operation, std::size_t index) {
    EXPECT_GT(successes[index], 0) << operation.name;
    const std::string name(operation.name);
    const bool never_fails = operation.effect == Effect::kRead || name == "claim_work_item" || name == "reclaim_expired_leases";
    EXPECT_EQ(refusals[index] == 0, never_fails) << name;
  });
}

}  // namespace
}  // namespace leasecheck::sqlite
