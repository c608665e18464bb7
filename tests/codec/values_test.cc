#include "codec/values.h"

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "model/session_store/family.h"

namespace leasecheck {
namespace values_test {

// Shapes that the first family lacks.
struct Nothing {
  friend bool operator==(const Nothing&, const Nothing&) = default;
};
struct Numbers {
  int64_t i64 = -1;
  int32_t i32 = 2;
  uint32_t u32 = 3;
  double f64 = 0.5;
  bool flag = true;
  friend bool operator==(const Numbers&, const Numbers&) = default;
};
struct Boxed {
  Numbers numbers;
  friend bool operator==(const Boxed&, const Boxed&) = default;
};
using Adjacent = std::variant<Nothing, Numbers, Boxed>;

}  // namespace values_test

template <>
inline constexpr auto kFields<values_test::Nothing> = std::tuple<>{};
template <>
inline constexpr auto kFields<values_test::Numbers> = std::make_tuple(Field{"i64", &values_test::Numbers::i64},
                                                                      Field{"i32", &values_test::Numbers::i32},
                                                                      Field{"u32", &values_test::Numbers::u32},
                                                                      Field{"f64", &values_test::Numbers::f64},
                                                                      Field{"flag", &values_test::Numbers::flag});
template <>
inline constexpr auto kFields<values_test::Boxed> = std::make_tuple(Field{"numbers", &values_test::Boxed::numbers});
template <>
inline constexpr auto kAlternatives<values_test::Adjacent> =
    AlternativeList<3>{Tagging::kAdjacent, "outcome", "data", {{"not_found"}, {"found"}, {"boxed", AlternativeShape::kNewtype}}};

namespace codec {
namespace {

using namespace session_store;  // NOLINT(google-build-using-namespace): the values under test
using ::leasecheck::values_test::Adjacent;
using ::leasecheck::values_test::Boxed;
using ::leasecheck::values_test::Nothing;
using ::leasecheck::values_test::Numbers;

template <class T>
absl::StatusOr<T> Read(const char* text, const DecodeOptions& options = {}) {
  absl::StatusOr<Json> json = ParseJson(text);
  if (!json.ok()) return json.status();
  T value{};
  absl::Status status = Decode(*json, &value, options);
  if (!status.ok()) return status;
  return value;
}

template <class T>
void ExpectShape(const T& value, const char* text) {
  EXPECT_EQ(DumpJson(Encode(value)), text);
  absl::StatusOr<T> read = Read<T>(text);
  ASSERT_TRUE(read.ok()) << text << ": " << read.status();
  EXPECT_TRUE(*read == value) << text;
}

template <class T>
void ExpectRefused(const char* text, const char* message, const DecodeOptions& options = {}) {
  absl::Status status = Read<T>(text, options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_EQ(status.message(), message) << text;
}

TEST(ValuesTest, HaveTheShapesOfTheProtocol) {
  ExpectShape(DeliveryPolicy::kAfterCurrentTurnCommit, R"("after_current_turn_commit")");
  ExpectShape(QueuedWorkClaimBoundary::kActiveTurnCheckpoint, R"("active_turn_checkpoint")");
  ExpectShape(MergeKey(MergeNever{}), R"("never")");
  ExpectShape(MergeKey(MergePayloadDefault{}), R"("payload_default")");
  ExpectShape(MergeKey(MergeGroup{"g"}), R"({"group":"g"})");
  ExpectShape(QueuedWorkPayload(ProcessWake{{R"({"id":1})"}}), R"({"type":"process_wake","wake":{"id":1}})");
  ExpectShape(QueuedWorkPayload(SessionCommand{{R"({"kind":"reset_session","reason":"r"})"}}),
              R"({"command":{"kind":"reset_session","reason":"r"},"type":"session_command"})");
  ExpectShape(LeaseOwnerLiveness(OpaqueOwner{}), R"({"kind":"opaque"})");
  ExpectShape(LeaseOwnerLiveness(LocalProcessOwner{"h", "b", 4294967295u, "s"}),
              R"({"boot_id":"b","host_id":"h","kind":"local_process","pid":4294967295,"process_start":"s"})");
  ExpectShape(SessionReadScope(FullGraph{}), R"("FullGraph")");
  ExpectShape(SessionReadScope(ActivePath{"n"}), R"({"ActivePath":{"leaf_node_id":"n"}})");
  ExpectShape(SessionReadScope(ActivePath{}), R"({"ActivePath":{}})");
  const SessionExecutionLease lease{"s", {"o", "i", OpaqueOwner{}}, "t", 1, 2, UINT64_MAX};
  const std::string lease_text =
      R"({"claimed_at_epoch_ms":2,"expires_at_epoch_ms":18446744073709551615,"fencing_token":1,"lease_token":"t",)"
      R"("owner":{"incarnation_id":"i","liveness":{"kind":"opaque"},"owner_id":"o"},"session_id":"s"})";
  ExpectShape(SessionExecutionLeaseClaimOutcome(LeaseAcquired{lease}), (R"({"Acquired":)" + lease_text + "}").c_str());
  ExpectShape(SessionExecutionLeaseClaimOutcome(LeaseBusy{lease}), (R"({"Busy":{"holder":)" + lease_text + "}}").c_str());
  ExpectShape(Done{}, "{}");
  ExpectShape(std::optional<QueuedWorkBatch>(), "null");
  ExpectShape(std::vector<std::string>{"a", "b"}, R"(["a","b"])");
  ExpectShape(StoreError(HeadRevisionConflict{std::nullopt, 3}), R"({"actual":3,"error":"HeadRevisionConflict"})");
  ExpectShape(StoreError(HeadRevisionConflict{0, 3}), R"({"actual":3,"error":"HeadRevisionConflict","expected":0})");
  ExpectShape(StoreError(Backend{"disk"}), R"({"error":"Backend","text":"disk"})");
}

TEST(ValuesTest, TurnInputsHaveTheShapesOfTheProtocol) {
  ExpectShape(CheckpointKind::kBeforeCompletion, R"("before_completion")");
  ExpectShape(TurnInputState::kDeferredNextTurn, R"("deferred_next_turn")");
  ExpectShape(TurnInputIngress(ActiveTurnIngress{"t"}), R"({"min_boundary":"after_work","scope":"active_turn","turn_id":"t"})");
  ExpectShape(TurnInputIngress(NextTurnIngress{}), R"({"scope":"next_turn"})");
  ExpectShape(PendingTurnInputCancelTarget(InputIdTarget{"i"}), R"({"kind":"input_id","value":"i"})");
  ExpectShape(PendingTurnInputCancelTarget(SourceKeyTarget{"k"}), R"({"kind":"source_key","value":"k"})");
  TurnInput payload;
  payload.items = {TextItem{"hi"}, ImageRefItem{"i"}};
  ExpectShape(TurnInput{}, R"({"image_blobs":{},"items":[]})");
  ExpectShape(payload, R"({"image_blobs":{},"items":[{"text":"hi","type":"text"},{"id":"i","type":"image_ref"}]})");
  const PendingTurnInput input{"u", "s", std::nullopt, 3, NextTurnIngress{}, TurnInputState::kCancelled, 5, {}};
  const std::string text =
      R"({"enqueue_seq":3,"enqueued_at_ms":5,"ingress":{"scope":"next_turn"},"input":{"image_blobs":{},"items":[]},)"
      R"("input_id":"u","session_id":"s","state":"cancelled"})";
  ExpectShape(input, text.c_str());
  ExpectShape(PendingTurnInputCancelOutcome(TurnInputCancelled{input}),
              (R"({"data":)" + text + R"(,"outcome":"cancelled"})").c_str());
  ExpectShape(PendingTurnInputCancelOutcome(TurnInputAlreadyClaimed{input, std::nullopt}),
              (R"({"data":{"input":)" + text + R"(},"outcome":"already_claimed"})").c_str());
  ExpectShape(
      PendingTurnInputCancelOutcome(
          TurnInputAlreadyClaimed{input, PendingTurnInputClaimDiagnostics{TurnInputState::kAccepted, {}, {}, {}, 4}}),
      (R"({"data":{"claim":{"claim_fencing_token":4,"state":"accepted"},"input":)" + text + R"(},"outcome":"already_claimed"})")
          .c_str());
  ExpectShape(PendingTurnInputCancelOutcome(TurnInputNotFound{}), R"({"outcome":"not_found"})");
  ExpectShape(PendingTurnInputSuffixCancelOutcome(SuffixAnchorNotFound{InputIdTarget{"i"}}),
              R"({"data":{"anchor":{"kind":"input_id","value":"i"}},"outcome":"anchor_not_found"})");
  ExpectShape(PendingTurnInputSuffixCancelOutcome(SuffixOutcomes{InputIdTarget{"i"}, {TurnInputNotFound{}}}),
              R"({"data":{"anchor":{"kind":"input_id","value":"i"},"outcomes":[{"outcome":"not_found"}]},"outcome":"outcomes"})");
  ExpectShape(TurnInputClaimMode(ActiveTurnClaimMode{"t", CheckpointKind::kAfterWork}),
              R"({"checkpoint":"after_work","kind":"active_turn","turn_id":"t"})");
  ExpectShape(TurnInputClaimMode(NextTurnClaimMode{}), R"({"kind":"next_turn"})");
  ExpectShape(VacuumReport{1, 2}, R"({"removed_node_count":1,"removed_pending_turn_input_tombstone_count":2})");
  ExpectShape(StoreError(PendingTurnInputSourceKeyConflict{"s", "k", "u"}),
              R"({"error":"PendingTurnInputSourceKeyConflict","existing_input_id":"u","session_id":"s","source_key":"k"})");
}

TEST(ValuesTest, FlattenedMembersLieBesideTheFields) {
  ExpectShape(LoadedSession{"s", 7, {R"({"body":1,"graph":{"a":[]}})"}},
              R"({"body":1,"graph":{"a":[]},"head_revision":7,"session_id":"s"})");
  absl::StatusOr<LoadedSession> session = Read<LoadedSession>(R"({"x":5.0,"head_revision":7,"session_id":"s","a":1e1})",
                                                              {.unknown = DecodeOptions::Unknown::kReject});
  ASSERT_TRUE(session.ok());
  EXPECT_EQ(session->body.text, R"({"a":10,"x":5})");
  // A body cannot overwrite a field.
  EXPECT_EQ(DumpJson(Encode(LoadedSession{"s", 7, {R"({"head_revision":9,"y":1})"}})),
            R"({"head_revision":7,"session_id":"s","y":1})");
}

TEST(ValuesTest, TextThatIsNoJsonIsSeen) {
  EXPECT_EQ(DumpJson(Encode(ProcessWake{{"{oops"}})), R"({"wake":"{oops"})");
  EXPECT_EQ(DumpJson(Encode(LoadedSession{"s", 1, {"{oops"}})), R"({"body":"{oops","head_revision":1,"session_id":"s"})");
}

TEST(ValuesTest, AdjacentTagging) {
  ExpectShape(Adjacent(Nothing{}), R"({"outcome":"not_found"})");
  ExpectShape(Adjacent(Numbers{}), R"({"data":{"f64":0.5,"flag":true,"i32":2,"i64":-1,"u32":3},"outcome":"found"})");
  ExpectShape(Adjacent(Boxed{}), R"({"data":{"f64":0.5,"flag":true,"i32":2,"i64":-1,"u32":3},"outcome":"boxed"})");
  EXPECT_TRUE(Read<Adjacent>(R"({"outcome":"not_found","data":{}})").ok());
  ExpectRefused<Adjacent>(R"({"outcome":"found"})", "expected the fields of found");
  ExpectRefused<Adjacent>(R"({"data":{}})", "outcome: a required field is missing");
  ExpectRefused<Adjacent>(R"({"outcome":"found","data":{"i64":"1"}})", "data.i64: expected a signed 64-bit number, got a string");
  ExpectRefused<Adjacent>(R"({"outcome":"not_found","more":1})", "unknown member \"more\"",
                          {.unknown = DecodeOptions::Unknown::kReject});
}

TEST(ValuesTest, WholeRangesOfIntegers) {
  EXPECT_EQ(*Read<uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(*Read<int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(*Read<int64_t>("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(*Read<uint32_t>("4294967295"), UINT32_MAX);
  EXPECT_EQ(*Read<int32_t>("-2147483648"), INT32_MIN);
  EXPECT_EQ(*Read<double>("7"), 7.0);
  ExpectRefused<uint64_t>("18446744073709551616", "expected an unsigned 64-bit number, got the number 1.8446744073709552e+19");
  ExpectRefused<uint64_t>("-1", "expected an unsigned 64-bit number, got the number -1");
  ExpectRefused<uint64_t>("5.0", "expected an unsigned 64-bit number, got the number 5.0");
  ExpectRefused<uint64_t>("\"5\"", "expected an unsigned 64-bit number, got a string");
  ExpectRefused<int64_t>("9223372036854775808", "expected a signed 64-bit number, got the number 9223372036854775808");
  ExpectRefused<uint32_t>("4294967296", "expected a whole number from 0 to 4294967295, got the number 4294967296");
  ExpectRefused<int32_t>("-2147483649", "expected a whole number from -2147483648 to 2147483647, got the number -2147483649");
  // A value built in code may hold a small number as signed.
  uint64_t value = 0;
  EXPECT_TRUE(Decode(Json(7), &value).ok());
  EXPECT_EQ(value, 7u);
}

TEST(ValuesTest, MessagesSayThePlace) {
  const DecodeOptions kNamed{.root = "result"};
  ExpectRefused<std::vector<QueuedWorkItem>>(R"([{"item_id":"i","payload":{"type":"process_wake","wake":1}},{"item_id":2}])",
                                             "result[1].item_id: expected a string, got the number 2", kNamed);
  ExpectRefused<QueuedWorkItem>(R"({"item_id":"i"})", "result.payload: a required field is missing", kNamed);
  ExpectRefused<QueuedWorkItem>("[]", "result: expected an object, got an array", kNamed);
  ExpectRefused<std::vector<std::string>>("{}", "expected an array, got an object");
  ExpectRefused<SlotPolicy>("\"JOIN\"", "expected one of \"join\", \"exclusive\", got \"JOIN\"");
  ExpectRefused<SlotPolicy>("true", "expected one of \"join\", \"exclusive\", got true");
  ExpectRefused<MergeKey>("\"group\"", "expected the fields of group");
  ExpectRefused<MergeKey>("{\"group\":null}", "group: expected a string, got null");
  ExpectRefused<MergeKey>("{\"never\":{}}", "never: expected nothing: the name alone is sent, as a string");
  ExpectRefused<MergeKey>("{\"group\":\"a\",\"b\":1}",
                          "expected one of \"never\", \"payload_default\", \"group\" as a string or as the only member of an "
                          "object, got an object");
  ExpectRefused<LeaseOwnerLiveness>("{}", "kind: a required field is missing");
  ExpectRefused<LeaseOwnerLiveness>("{\"kind\":3}", "kind: expected one of \"opaque\", \"local_process\", got the number 3");
  ExpectRefused<StoreError>(
      "{\"error\":\"Gone\"}",
      "error: expected one of \"SessionExecutionLeaseExpired\", \"QueuedWorkClaimExpired\", "
      "\"TurnInputClaimExpired\", \"PendingTurnInputSourceKeyConflict\", "
      "\"HeadRevisionConflict\", \"RuntimeTurnCommitConflict\", \"SessionBindingMismatch\", \"Backend\", got "
      "\"Gone\"");
  ExpectRefused<bool>("1", "expected true or false, got the number 1");
}

TEST(ValuesTest, UnknownMembers) {
  EXPECT_TRUE(Read<Done>(R"({"more":1})").ok());
  EXPECT_TRUE(Read<LeaseOwnerLiveness>(R"({"kind":"opaque","more":1})").ok());
  const DecodeOptions kReject{.unknown = DecodeOptions::Unknown::kReject, .root = "params"};
  ExpectRefused<Done>(R"({"mo\"re":1})", "params: unknown member \"mo\\\"re\"", kReject);
  ExpectRefused<LeaseOwnerLiveness>(R"({"kind":"opaque","more":1})", "params: unknown member \"more\"", kReject);
  EXPECT_TRUE(Read<LeaseOwnerLiveness>(R"({"kind":"opaque"})", kReject).ok());
}

TEST(ValuesTest, AbsentFieldsKeepDefaultsWhereAsked) {
  const DecodeOptions kDefaults{.absent = DecodeOptions::Absent::kDefault};
  absl::StatusOr<QueuedWorkBatchDraft> draft = Read<QueuedWorkBatchDraft>(R"({"session_id":"s"})", kDefaults);
  ASSERT_TRUE(draft.ok()) << draft.status();
  QueuedWorkBatchDraft expected;
  expected.session_id = "s";
  EXPECT_TRUE(*draft == expected);
  EXPECT_FALSE(Read<QueuedWorkBatchDraft>(R"({"session_id":"s"})").ok());
}

TEST(ValuesTest, OptionalFields) {
  absl::StatusOr<ActivePath> path = Read<ActivePath>(R"({"leaf_node_id":null})");
  ASSERT_TRUE(path.ok());
  EXPECT_FALSE(path->leaf_node_id.has_value());
  EXPECT_EQ(Read<ActivePath>(R"({"leaf_node_id":""})")->leaf_node_id, "");
}

TEST(ValuesTest, OpaqueJsonHasALimitedDepth) {
  const std::string wake = std::string(kMaxOpaqueDepth, '[') + std::string(kMaxOpaqueDepth, ']');
  absl::StatusOr<ProcessWake> read = Read<ProcessWake>(("{\"wake\":" + wake + "}").c_str());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->wake.text, wake);
  ExpectRefused<ProcessWake>(("{\"wake\":[" + wake + "]}").c_str(),
                             "wake: expected JSON of at most 128 levels, got a deeper one");
}

}  // namespace
}  // namespace codec
}  // namespace leasecheck
