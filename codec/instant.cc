#include "codec/instant.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace leasecheck::codec {
namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr absl::string_view kShape = "0000-00-00T00:00:00";  // a 0 stands for a digit

bool HasShape(absl::string_view text) {
  if (text.size() < kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == '0' ? !absl::ascii_isdigit(static_cast<unsigned char>(text[i])) : text[i] != kShape[i]) return false;
  }
  return true;
}

int NumberAt(absl::string_view text, std::size_t place, std::size_t digits) {
  int number = 0;
  for (const char digit : text.substr(place, digits)) number = number * 10 + (digit - '0');
  return number;
}

// The milliseconds of a fraction with its point, or none where it is no such fraction.
std::optional<int64_t> Fraction(absl::string_view text) {
  if (text.empty()) return 0;
  if (text.front() != '.' || text.size() < 2 || text.size() > 10) return std::nullopt;
  int64_t milliseconds = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) return std::nullopt;
  }
  for (std::size_t i = 1; i < 4; ++i) milliseconds = milliseconds * 10 + (i < text.size() ? text[i] - '0' : 0);
  return milliseconds;
}

}  // namespace

std::string InstantText(Instant instant) {
  int64_t milliseconds = instant.ms % kMsPerSecond;
  if (milliseconds < 0) milliseconds += kMsPerSecond;
  const int64_t seconds = (instant.ms - milliseconds) / kMsPerSecond;
  const absl::CivilSecond civil = absl::CivilSecond(1970, 1, 1) + seconds;
  std::string text = absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d", civil.year(), civil.month(), civil.day(), civil.hour(),
                                     civil.minute(), civil.second());
  if (milliseconds != 0) absl::StrAppendFormat(&text, ".%03d", milliseconds);
  text += 'Z';
  return text;
}

std::optional<Instant> ParseInstant(absl::string_view text) {
  if (!HasShape(text)) return std::nullopt;
  absl::string_view end = text.substr(kShape.size());
  if (absl::EndsWith(end, "Z")) {
    end.remove_suffix(1);
  } else if (absl::EndsWith(end, "+00:00")) {
    end.remove_suffix(6);
  } else {
    return std::nullopt;
  }
  const std::optional<int64_t> milliseconds = Fraction(end);
  const int fields[] = {NumberAt(text, 0, 4),  NumberAt(text, 5, 2),  NumberAt(text, 8, 2),
                        NumberAt(text, 11, 2), NumberAt(text, 14, 2), NumberAt(text, 17, 2)};
  // A civil time corrects what no calendar has: such a text comes out changed.
  const absl::CivilSecond civil(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
  const bool same = civil.year() == fields[0] && civil.month() == fields[1] && civil.day() == fields[2] &&
                    civil.hour() == fields[3] && civil.minute() == fields[4] && civil.second() == fields[5];
  if (!same || !milliseconds.has_value()) return std::nullopt;
  return Instant((civil - absl::CivilSecond(1970, 1, 1)) * kMsPerSecond + *milliseconds);
}

}  // namespace leasecheck::codec
