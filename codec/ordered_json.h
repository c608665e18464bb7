// JSON that keeps the members of objects in the order of the text and every number exactly, for files that must survive a round
// trip (properties/engine/history_file.h). codec/json.h is for everything that is compared.
#ifndef LEASECHECK_CODEC_ORDERED_JSON_H_
#define LEASECHECK_CODEC_ORDERED_JSON_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace leasecheck::codec {

using OrderedJson = nlohmann::ordered_json;

// As ParseJson; an integer beyond 64 bits is an error too, because it would lose digits. On an error the message is the cause
// alone, and *bad_byte, where it is not null, the byte at which the text was refused. Thread-safe.
absl::StatusOr<OrderedJson> ParseOrderedJson(absl::string_view text, std::size_t* bad_byte);

// One line without white space, in the order of the members. ParseOrderedJson reads it as an equal value. Never fails: strings
// that are no UTF-8 get U+FFFD in the place of each bad byte.
std::string DumpOrderedJson(const OrderedJson& json);

}  // namespace leasecheck::codec

#endif  // LEASECHECK_CODEC_ORDERED_JSON_H_
