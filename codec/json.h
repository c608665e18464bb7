// JSON as the wire and the traces have it: parsed without exceptions, written canonically.
//
// Canonical text has no white space, sorted keys and numbers by value: 5.0 and 5 are the same text, so are 1e2 and 100, -0.0 and
// 0. Every 64-bit integer is kept exactly; any other number is a double, written as the shortest text that reads as it.
//
//   absl::StatusOr<Json> json = ParseJson(line);
//   if (!json.ok()) ... "byte 17: syntax error while parsing value - unexpected '}'"
#ifndef LEASECHECK_CODEC_JSON_H_
#define LEASECHECK_CODEC_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace leasecheck::codec {

using Json = nlohmann::json;

// How deep arrays and objects may nest in a parsed text, and how deep in one OpaqueJson: the latter is smaller, so that whatever
// was accepted as a value can be sent inside of a message.
inline constexpr int kMaxJsonDepth = 256;
inline constexpr int kMaxOpaqueDepth = 128;

// Parses one JSON value that fills the whole text. InvalidArgument says at which byte and why: a syntax error, text that is no
// UTF-8, a member given twice in one object, a number beyond the double range, nesting deeper than kMaxJsonDepth. Thread-safe.
absl::StatusOr<Json> ParseJson(absl::string_view text);

// Writes the value on one line with sorted keys; strings that are no UTF-8 get U+FFFD in the place of each bad byte. Never fails.
std::string DumpJson(const Json& json);

// DumpJson with numbers by value: the canonical text.
std::string CanonicalText(const Json& json);

// Whether arrays and objects nest deeper than `limit`.
bool DeeperThan(const Json& json, int limit);

}  // namespace leasecheck::codec

#endif  // LEASECHECK_CODEC_JSON_H_
