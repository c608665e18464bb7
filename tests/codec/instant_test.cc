#include "codec/instant.h"

#include <optional>
#include <string>
#include <utility>

#include "codec/values.h"
#include "gtest/gtest.h"

namespace leasecheck::codec {
namespace {

TEST(InstantText, IsShortAndComesBack) {
  const std::pair<Instant, const char*> kCases[] = {
      {Instant(0), "1970-01-01T00:00:00Z"},      {Instant(1), "1970-01-01T00:00:00.001Z"},
      {Instant(-1), "1969-12-31T23:59:59.999Z"}, {Instant(951782400000), "2000-02-29T00:00:00Z"},
      {kFirstInstant, "0000-01-01T00:00:00Z"},   {kLastInstant, "9999-12-31T23:59:59.999Z"},
      {Instant(-1000), "1969-12-31T23:59:59Z"},  {Instant(1700000000100), "2023-11-14T22:13:20.100Z"},
  };
  for (const auto& [instant, text] : kCases) {
    EXPECT_EQ(InstantText(instant), text);
    EXPECT_EQ(ParseInstant(text), instant) << text;
  }
}

TEST(ParseInstant, ReadsAnyFractionAndBothOffsets) {
  for (const char* text : {"1970-01-01T00:00:01.5Z", "1970-01-01T00:00:01.50+00:00", "1970-01-01T00:00:01.500999999Z"}) {
    EXPECT_EQ(ParseInstant(text), Instant(1500)) << text;
  }
  EXPECT_EQ(ParseInstant("1969-12-31T23:59:59.9999+00:00"), Instant(-1)) << "digits are cut, not rounded";
}

TEST(ParseInstant, RefusesEverythingElse) {
  for (const char* text : {"",
                           "1970-01-01",
                           "1970-01-01T00:00:00",
                           "1970-01-01 00:00:00Z",
                           "1970-01-01t00:00:00Z",
                           "1970-01-01T00:00:00z",
                           "1970-01-01T00:00:00.Z",
                           "1970-01-01T00:00:00.0000000001Z",
                           "1970-01-01T00:00:00.x+00:00",
                           "1970-01-01T00:00:00+01:00",
                           "1970-01-01T00:00:00-00:00",
                           "1970-02-30T00:00:00Z",
                           "1970-13-01T00:00:00Z",
                           "1970-00-01T00:00:00Z",
                           "1970-01-01T24:00:00Z",
                           "1970-01-01T00:60:00Z",
                           "1970-01-01T23:59:60Z",
                           "+970-01-01T00:00:00Z",
                           "10000-01-01T00:00:00Z",
                           "1970-01-01T00:00:00ZZ",
                           " 1970-01-01T00:00:00Z"}) {
    EXPECT_EQ(ParseInstant(text), std::nullopt) << text;
  }
}

TEST(InstantValues, FailWithASentence) {
  Instant instant;
  EXPECT_EQ(Decode(Json(5), &instant).message(), "expected an instant such as \"2026-01-31T23:59:59.999Z\", got the number 5");
  EXPECT_EQ(Decode(Json("noon"), &instant).message(), "expected an instant such as \"2026-01-31T23:59:59.999Z\", got \"noon\"");
}

}  // namespace
}  // namespace leasecheck::codec
