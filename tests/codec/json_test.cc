#include "codec/json.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace leasecheck::codec {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Case {
  const char* text;
  const char* expected;
};

TEST(CanonicalTextTest, HasOneTextAValue) {
  const Case kCases[] = {
      {" { \"b\" : 1 , \"a\" : [ 1 , 2 ] } ", "{\"a\":[1,2],\"b\":1}"},
      {"5.0", "5"},
      {"-5.0", "-5"},
      {"1e2", "100"},
      {"1.5e1", "15"},
      {"-0.0", "0"},
      {"-0", "0"},
      {"0.5", "0.5"},
      {"5e-1", "0.5"},
      {"0.1", "0.1"},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"-9.223372036854775808e18", "-9223372036854775808"},
      {"9007199254740993", "9007199254740993"},
      {"1e19", "10000000000000000000"},
      {"18446744073709551616", "1.8446744073709552e+19"},
      {"1e300", "1e+300"},
      {"{\"a\":[5.0,{\"b\":1e0}]}", "{\"a\":[5,{\"b\":1}]}"},
      {"\"\\u00e9\\/\\ud83d\\ude00\"", "\"\xc3\xa9/\xf0\x9f\x98\x80\""},
      {"\"\\u0000\"", "\"\\u0000\""},
      {"[]", "[]"},
      {"null", "null"},
  };
  for (const Case& test : kCases) {
    absl::StatusOr<Json> json = ParseJson(test.text);
    ASSERT_TRUE(json.ok()) << test.text << ": " << json.status();
    std::string canonical = CanonicalText(*json);
    EXPECT_EQ(canonical, test.expected) << test.text;
    absl::StatusOr<Json> again = ParseJson(canonical);
    ASSERT_TRUE(again.ok()) << canonical;
    EXPECT_EQ(CanonicalText(*again), canonical);
  }
}

TEST(ParseJsonTest, SaysWhereAndWhy) {
  const Case kCases[] = {
      {"", "byte 0: syntax error"},
      {"   ", "byte 3: syntax error"},
      {"{\"a\":}", "byte 5: syntax error"},
      {"{\"a\":1,}", "byte 7: syntax error"},
      {"[1 2]", "byte 3: syntax error"},
      {"nul", "byte 3: syntax error"},
      {"01", "byte 1: syntax error"},
      {"1 1", "byte 2: syntax error"},
      {"{} x", "byte 3: syntax error"},
      {"NaN", "byte 0: syntax error"},
      {"'a'", "byte 0: syntax error"},
      {"\"a", "byte 2: syntax error"},
      {"\"\\ud800\"", "byte 7: syntax error"},
      {"\"\xff\"", "byte 1: syntax error"},
      {"\"\xc0\x80\"", "byte 1: syntax error"},
      {"\"\xed\xa0\x80\"", "byte 2: syntax error"},
      {"\"\x01\"", "byte 1: syntax error"},
      {"1e999", "byte 4: number overflow"},
      {"{\"a\":1,\"a\":1}", "byte 9: the member \"a\" is given twice"},
  };
  for (const Case& test : kCases) {
    absl::StatusOr<Json> json = ParseJson(test.text);
    ASSERT_FALSE(json.ok()) << test.text;
    EXPECT_EQ(json.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(json.status().message()), StartsWith(test.expected)) << test.text;
  }
}

TEST(ParseJsonTest, RefusesNulBytes) {
  absl::StatusOr<Json> json = ParseJson(absl::string_view("5\0 x", 4));
  ASSERT_FALSE(json.ok());
  EXPECT_EQ(json.status().message(), "byte 1: a NUL byte");
}

TEST(ParseJsonTest, LimitsTheDepth) {
  const std::string deepest = std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']');
  absl::StatusOr<Json> json = ParseJson(deepest);
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(DumpJson(*json), deepest);
  EXPECT_TRUE(DeeperThan(*json, kMaxJsonDepth - 1));
  EXPECT_FALSE(DeeperThan(*json, kMaxJsonDepth));
  absl::Status status = ParseJson(std::string(1000000, '[')).status();
  EXPECT_EQ(status.message(), "byte 256: nested deeper than 256 levels");
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += "{\"a\":";
  EXPECT_THAT(std::string(ParseJson(objects).status().message()), HasSubstr("nested deeper than 256 levels"));
}

TEST(ParseJsonTest, KeepsMessagesShort) {
  absl::Status status = ParseJson("\"" + std::string(1 << 20, 'x')).status();
  EXPECT_FALSE(status.ok());
  EXPECT_LT(status.message().size(), 300u);
}

TEST(DumpJsonTest, ReplacesWhatIsNoUtf8) { EXPECT_EQ(DumpJson(Json("a\xff")), "\"a\xef\xbf\xbd\""); }

}  // namespace
}  // namespace leasecheck::codec
