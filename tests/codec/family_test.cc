#include "codec/family.h"

#include <cstddef>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "codec/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/runtime_persistence/family.h"
#include "model/runtime_repository/family.h"
#include "model/session_store/family.h"
#include "model/state_backend/family.h"
#include "tests/codec/random_value.h"

namespace leasecheck::codec {
namespace {

using ::leasecheck::codec_test::RandomValue;
using ::testing::HasSubstr;

constexpr int kRounds = 200;

// Through the text, as on the wire.
Json ThroughText(const Json& json) {
  absl::StatusOr<Json> parsed = ParseJson(DumpJson(json));
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? *parsed : Json();
}

template <class T>
std::set<std::string> OptionalFields() {
  std::set<std::string> names;
  ForEachField<T>([&](const auto& field) {
    if (kIsOptional<std::remove_cvref_t<decltype(std::declval<T&>().*field.member)>>) names.emplace(field.name);
  });
  return names;
}

template <class Family>
class EveryFamily : public ::testing::Test {};
using AllFamilies = ::testing::Types<SessionStoreFamily, RuntimePersistenceFamily, RuntimeRepositoryFamily, StateBackendFamily>;
TYPED_TEST_SUITE(EveryFamily, AllFamilies);

TYPED_TEST(EveryFamily, EveryRequestComesBackEqual) {
  using F = TypeParam;
  for (std::size_t operation = 0; operation < kOperationCount<F>; ++operation) {
    for (int round = 0; round < kRounds; ++round) {
      RandomValue random(operation * 1000 + round);
      const auto request = random.MakeAlternative<RequestOf<F>>(operation);
      const Json params = ThroughText(EncodeRequest<F>(request, Secrets::kPlaintext));
      absl::StatusOr<RequestOf<F>> read = DecodeRequest<F>(OperationName<F>(operation), params);
      ASSERT_TRUE(read.ok()) << read.status() << "\n" << params;
      EXPECT_TRUE(*read == request) << params;
    }
  }
}

TYPED_TEST(EveryFamily, EveryResponseComesBackEqual) {
  using F = TypeParam;
  for (std::size_t operation = 0; operation < kOperationCount<F>; ++operation) {
    for (int round = 0; round < kRounds; ++round) {
      RandomValue random(operation * 1000 + round);
      const OutcomeOf<F> outcome(random.MakeAlternative<ResponseOf<F>>(operation));
      const Json answer = ThroughText(EncodeOutcome<F>(outcome, Secrets::kPlaintext));
      EXPECT_TRUE(DecodeOutcome<F>(operation, answer) == outcome) << answer;
    }
  }
}

TYPED_TEST(EveryFamily, EveryErrorComesBackEqual) {
  using F = TypeParam;
  for (std::size_t error = 0; error < std::variant_size_v<typename F::Error>; ++error) {
    for (int round = 0; round < kRounds; ++round) {
      RandomValue random(error * 1000 + round);
      const auto value = random.MakeAlternative<typename F::Error>(error);
      const OutcomeOf<F> outcome(std::in_place_index<1>, value);
      EXPECT_TRUE(DecodeOutcome<F>(0, ThroughText(EncodeOutcome<F>(outcome))) == outcome);
      absl::StatusOr<typename F::Error> read = DecodeError<F>(EncodeError<F>(value));
      ASSERT_TRUE(read.ok());
      EXPECT_TRUE(*read == value);
    }
  }
}

TYPED_TEST(EveryFamily, EveryRequiredFieldIsRequired) {
  using F = TypeParam;
  for (std::size_t operation = 0; operation < kOperationCount<F>; ++operation) {
    RandomValue random(operation);
    Json params = EncodeRequest<F>(random.MakeAlternative<RequestOf<F>>(operation));
    params.erase("$tenant");  // beside the arguments, and never required
    const absl::string_view name_of = OperationName<F>(operation);
    const bool takes_nothing = name_of == "vacuum" || name_of == "load_session_meta" || name_of == "gc_unreachable" ||
                               name_of == "durability_tier" || name_of == "list_dead_letters" ||
                               name_of == "reclaim_expired_leases" || name_of == "list_tenants";
    EXPECT_EQ(params.empty(), takes_nothing) << name_of;
    const auto is_optional =
        VisitOperation<F>(operation, []<std::size_t I>() { return OptionalFields<typename OperationAt<F, I>::Request>(); });
    for (const auto& [name, value] : params.items()) {
      if (is_optional.count(name) != 0) continue;
      Json less = params;
      less.erase(name);
      EXPECT_EQ(DecodeRequest<F>(OperationName<F>(operation), less).status().message(),
                "params." + name + ": a required field is missing");
    }
    Json more = params;
    more["$more"] = 1;
    EXPECT_EQ(DecodeRequest<F>(OperationName<F>(operation), more).status().message(), "params: unknown member \"$more\"");
  }
}

TYPED_TEST(EveryFamily, FindsOperationsByName) {
  using F = TypeParam;
  for (std::size_t operation = 0; operation < kOperationCount<F>; ++operation) {
    EXPECT_EQ(FindOperation<F>(OperationName<F>(operation)), operation);
  }
  EXPECT_FALSE(FindOperation<F>("drop_table").has_value());
  EXPECT_EQ(DecodeRequest<F>("drop_table", Json::object()).status().code(), absl::StatusCode::kNotFound);
}

using F = SessionStoreFamily;

TEST(FamilyCodecTest, OutcomesBesideTheContract) {
  const OutcomeOf<F> kOthers[] = {Indefinite{"lost"}, Unsupported{}, ForeignError{"odd"}};
  for (const OutcomeOf<F>& outcome : kOthers) EXPECT_TRUE(DecodeOutcome<F>(3, EncodeOutcome<F>(outcome)) == outcome);
  EXPECT_EQ(std::get<Indefinite>(DecodeOutcome<F>(3, EncodeOutcome<F>(kOthers[0]))).detail, "lost");
}

TEST(FamilyCodecTest, OddAnswersAreForeign) {
  const std::size_t list = *FindOperation<F>("list_queued_work");
  const std::pair<const char*, const char*> kCases[] = {
      {R"([])", "either a result or an error"},
      {R"({})", "either a result or an error"},
      {R"({"result":[],"error":{"code":-32000,"message":""}})", "either a result or an error"},
      {R"({"result":{}})", "result: expected an array, got an object"},
      {R"({"result":[{"batch_id":1}]})", "result[0].batch_id: expected a string"},
      {R"({"error":null})", "whole number \"code\""},
      {R"({"error":{"code":-32000}})", "whole number \"code\""},
      {R"({"error":{"code":"x","message":""}})", "whole number \"code\""},
      {R"({"error":{"code":-32000,"message":"m"}})", "error.data: a contract error names itself there"},
      {R"({"error":{"code":-32000,"message":"m","data":{"error":"Odd"}}})", "error.data.error: expected one of"},
      {R"({"error":{"code":-32000,"message":"m","data":{"error":"QueuedWorkClaimExpired","session_id":"s"}}})",
       "error.data.claim_id: a required field is missing"},
      {R"({"error":{"code":-32602,"message":"bad"}})", "error -32602: bad"},
      {R"({"error":{"code":7,"message":"seven"}})", "error 7: seven"},
  };
  for (const auto& [text, detail] : kCases) {
    absl::StatusOr<Json> answer = ParseJson(text);
    ASSERT_TRUE(answer.ok());
    const OutcomeOf<F> outcome = DecodeOutcome<F>(list, *answer);
    ASSERT_TRUE(std::holds_alternative<ForeignError>(outcome)) << text;
    EXPECT_THAT(std::get<ForeignError>(outcome).detail, HasSubstr(detail)) << text;
  }
}

// The shapes that PROTOCOL.md gives to what only runtime_persistence has.
TEST(RuntimePersistenceCodecTest, ShapesAreTheProtocols) {
  namespace rp = runtime_persistence;
  rp::SessionNodeRecord node;
  node.node_id = "n";
  node.payload.text = R"({"body":1,"kind":"plugin","plugin_type":"p"})";
  EXPECT_EQ(Encode(node), Json::parse(R"({"node_id":"n","timestamp":"","kind":"plugin","plugin_type":"p","body":1})"));
  EXPECT_EQ(Encode(rp::GraphCommitDelta(rp::Unchanged{})), Json::parse(R"({"Unchanged":{}})"));
  EXPECT_EQ(Encode(rp::GraphCommitDelta(rp::ReplaceFull{{{}, "l"}})),
            Json::parse(R"({"ReplaceFull":{"nodes":[],"leaf_node_id":"l"}})"));
  EXPECT_EQ(Encode(rp::GraphCommitDelta(rp::Append{{node}, "n"}))["Append"]["nodes"][0]["node_id"], "n");
  EXPECT_EQ(Encode(rp::SessionRelation(rp::RelationChild{"p", std::nullopt})),
            Json::parse(R"({"kind":"child","parent_session_id":"p"})"));
  EXPECT_EQ(Encode(rp::QueuedWorkPayload(rp::TurnInput{{"[]"}})), Json::parse(R"({"type":"turn_input","input":[]})"));
  EXPECT_EQ(Encode(rp::DurabilityTier::kDurable), "Durable");
  rp::HydratedSessionCheckpoint checkpoint;
  checkpoint.execution_state = {0, 255};
  EXPECT_EQ(Encode(checkpoint)["execution_state"], Json::parse("[0,255]"));
  EXPECT_EQ(Decode(Json::parse(R"({"turn_state":{},"execution_state":[256]})"), &checkpoint).message(),
            "execution_state[0]: expected a whole number from 0 to 255, got the number 256");
  EXPECT_EQ(Encode(rp::StoreError(rp::UnsupportedReadScope{rp::ActivePath{"n"}})),
            Json::parse(R"({"error":"UnsupportedReadScope","scope":{"ActivePath":{"leaf_node_id":"n"}}})"));
}

// The shapes that PROTOCOL.md gives to what only runtime_repository has.
TEST(RuntimeRepositoryCodecTest, ShapesAreTheProtocols) {
  namespace rr = runtime_repository;
  EXPECT_EQ(Encode(std::optional<rr::AttemptStatus>({2, rr::AttemptExecutionStatus::kRetryBackoff})),
            Json::parse(R"([2,"RetryBackoff"])"));
  EXPECT_EQ(Encode(rr::StoreError(rr::Driver{rr::DriverClass::kLeaseConflict, std::nullopt})),
            Json::parse(R"({"error":"Driver","class":"LEASE_CONFLICT"})"));
  EXPECT_EQ(Encode(rr::ListDispatchableAttemptsRequest{Instant(30'000), 16}),
            Json::parse(R"({"now":"1970-01-01T00:00:30Z","limit":16})"));
  EXPECT_EQ(Encode(rr::AckAttemptRequest{"a", rr::AttemptExecutionStatus::kFailed,
                                         rr::RetryPolicy{rr::RetryStrategy::kExponential, 100, std::nullopt, 1.5, 2}, Instant(1),
                                         std::nullopt}),
            Json::parse(R"({"attempt_id":"a","status":"Failed","now":"1970-01-01T00:00:00.001Z",)"
                        R"("retry_policy":{"strategy":"exponential","backoff_ms":100,"multiplier":1.5,"max_retries":2}})"));
  EXPECT_EQ(Encode(rr::AckResult{rr::AttemptExecutionStatus::kFailed, std::nullopt, 3}),
            Json::parse(R"({"status":"Failed","next_attempt_no":3})"));
  rr::DeadLetter letter;
  EXPECT_TRUE(Decode(Json::parse(R"({"attempt_id":"a","reason":"r","replay_status":"replayed"})"), &letter).ok());
  EXPECT_EQ(letter, (rr::DeadLetter{"a", "r", rr::ReplayStatus::kReplayed, std::nullopt, std::nullopt}));
  rr::AttemptStatus status;
  EXPECT_EQ(Decode(Json::parse("[1]"), &status).message(), "expected an array of 2 elements, got one of 1");
  EXPECT_EQ(Decode(Json::parse(R"([1,"Lost"])"), &status).message(),
            "[1]: expected one of \"Queued\", \"Leased\", \"Running\", \"RetryBackoff\", \"Completed\", \"Failed\", "
            "\"Cancelled\", got \"Lost\"");
}

// The shapes that PROTOCOL.md gives to what only state_backend has.
TEST(StateBackendCodecTest, ShapesAreTheProtocols) {
  namespace sb = state_backend;
  const Uuid id(0x0123456789abcdef, 0xfedcba9876543210);
  EXPECT_EQ(Encode(sb::GetExecutionRequest{id, "alpha"}),
            Json::parse(R"({"id":"01234567-89ab-cdef-fedc-ba9876543210","$tenant":"alpha"})"));
  EXPECT_EQ(Encode(sb::ListExecutionsRequest{sb::WorkflowStatus::kLimitExceeded, 5, 0}),
            Json::parse(R"({"status":"limit_exceeded","limit":5,"offset":0})"));
  EXPECT_EQ(Encode(sb::StoreError(sb::Database{"locked"})), Json::parse(R"({"error":"Database","text":"locked"})"));
  sb::Tenant tenant;
  tenant.id = "t";
  tenant.limits.emplace().max_cost_per_month_usd = 0.5;
  EXPECT_EQ(Encode(tenant), Json::parse(R"({"id":"t","name":"","status":"active","limits":{"max_cost_per_month_usd":0.5},)"
                                        R"("created_at":"1970-01-01T00:00:00Z","updated_at":"1970-01-01T00:00:00Z"})"));
  sb::CreatedToken created;
  created.info.id = "i";
  EXPECT_EQ(Encode(created), Json::parse(R"(["",{"id":"i","name":"","role":"","created_at":"1970-01-01T00:00:00Z",)"
                                         R"("tenant_id":"default"}])"));
  EXPECT_EQ(Encode(sb::ReclaimResult{}), Json::parse(R"({"retryable":[],"exhausted":[]})"));
  sb::GetExecutionRequest read;
  EXPECT_TRUE(Decode(Json::parse(R"({"id":"01234567-89AB-CDEF-fedc-ba9876543210"})"), &read).ok());
  EXPECT_EQ(read, (sb::GetExecutionRequest{id}));
  for (const char* text : {"", "0123456789abcdeffedcba9876543210", "01234567-89ab-cdef-fedc-ba987654321g",
                           "{01234567-89ab-cdef-fedc-ba9876543210}", "01234567-89ab-cdef-fedcb-a9876543210"}) {
    EXPECT_THAT(Decode(Json({{"id", text}}), &read).message(), HasSubstr("id: expected a UUID such as")) << text;
  }
}

// A plaintext is written for the wire alone.
TEST(StateBackendCodecTest, SecretsAreHidden) {
  namespace sb = state_backend;
  using Family = StateBackendFamily;
  const std::string text = "jj_" + std::string(64, 'a');
  const RequestOf<Family> request(sb::ValidateTokenRequest{Secret(text)});
  sb::CreatedToken created;
  created.plaintext = Secret(text);
  const std::size_t create = *FindOperation<Family>("create_token");
  ResponseOf<Family> response;
  response.emplace<OperationIndexOf<Family, sb::CreateTokenRequest>()>(created);
  const std::string hidden = "secret:" + Sha256Hex(text).substr(0, 16);
  EXPECT_EQ(EncodeRequest<Family>(request), Json({{"token", hidden}}));
  EXPECT_EQ(EncodeRequest<Family>(request, Secrets::kPlaintext), Json({{"token", text}}));
  EXPECT_EQ(EncodeResponse<Family>(response)[0], hidden);
  EXPECT_EQ(EncodeOutcome<Family>(response)["result"][0], hidden);
  EXPECT_EQ(EncodeOutcome<Family>(response, Secrets::kPlaintext)["result"][0], text);
  // What was read from a file is the same when it is written again, and what is too short to be a secret is not hidden.
  const OutcomeOf<Family> read = DecodeOutcome<Family>(create, EncodeOutcome<Family>(response));
  EXPECT_EQ(EncodeOutcome<Family>(read), EncodeOutcome<Family>(response));
  EXPECT_EQ(Encode(Secret("jj_")), "jj_");
  EXPECT_EQ(Encode(Secret("jj_" + std::string(64, 'b'))) == Json(hidden), false);
}

TEST(Sha256, IsTheStandardsOwn) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace leasecheck::codec
