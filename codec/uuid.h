// UUIDs as the wire has them: hyphenated text in lower case (docs/PROTOCOL.md, "Values").
//
//   UuidText(Uuid(0x4000, 1))  // "00000000-0000-4000-0000-000000000001"
#ifndef LEASECHECK_CODEC_UUID_H_
#define LEASECHECK_CODEC_UUID_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "model/uuid.h"

namespace leasecheck::codec {

// 36 characters. Never fails.
std::string UuidText(const Uuid& uuid);

// Reads what UuidText writes, digits in either case. None for any other text: no braces, no text without hyphens.
std::optional<Uuid> ParseUuid(absl::string_view text);

}  // namespace leasecheck::codec

#endif  // LEASECHECK_CODEC_UUID_H_
