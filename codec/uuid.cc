#include "codec/uuid.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace leasecheck::codec {
namespace {

constexpr absl::string_view kShape = "00000000-0000-0000-0000-000000000000";  // a 0 stands for a digit
constexpr int kDigitsInHalf = 16;

uint64_t ValueOf(char digit) {
  return static_cast<uint64_t>(digit <= '9' ? digit - '0' : absl::ascii_tolower(static_cast<unsigned char>(digit)) - 'a' + 10);
}

}  // namespace

std::string UuidText(const Uuid& uuid) {
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", uuid.high >> 32, uuid.high >> 16 & 0xffff, uuid.high & 0xffff,
                         uuid.low >> 48, uuid.low & 0xffffffffffff);
}

std::optional<Uuid> ParseUuid(absl::string_view text) {
  if (text.size() != kShape.size()) return std::nullopt;
  Uuid uuid;
  int digits = 0;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == '-') {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return std::nullopt;
    uint64_t& half = digits++ < kDigitsInHalf ? uuid.high : uuid.low;
    half = half << 4 | ValueOf(text[i]);
  }
  return uuid;
}

}  // namespace leasecheck::codec
