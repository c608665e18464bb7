// Instants as the wire has them: RFC 3339 text in UTC (docs/PROTOCOL.md, "Values").
//
//   InstantText(Instant(1500))                   // "1970-01-01T00:00:01.500Z"; whole seconds have no fraction
//   ParseInstant("1970-01-01T00:00:01.5+00:00")  // Instant(1500)
#ifndef LEASECHECK_CODEC_INSTANT_H_
#define LEASECHECK_CODEC_INSTANT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "model/instant.h"

namespace leasecheck::codec {

// Never fails. Beyond the years 0000 to 9999, where only a fault of the caller leads, the text is none that can be read again.
std::string InstantText(Instant instant);

// Reads a date, a `T`, a time of the day with 0 to 9 digits of a fraction, and `Z` or `+00:00`. Digits finer than a millisecond
// are cut off. None for any other text: another offset, a day that no calendar has, a leap second.
std::optional<Instant> ParseInstant(absl::string_view text);

}  // namespace leasecheck::codec

#endif  // LEASECHECK_CODEC_INSTANT_H_
