// Where a reference store's ids and tokens come from.
#ifndef LEASECHECK_MEMSTORE_IDS_H_
#define LEASECHECK_MEMSTORE_IDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace leasecheck::memstore {

enum class IdStyle {
  kOpaque,    // "b" and 13 letters and digits that look random
  kReadable,  // "b1", "b2" ...: for traces that people read
};

// What an id names. Each kind is numbered by itself and has a letter of its own: b, i, c, t, l, k, u.
enum class IdKind { kBatch, kItem, kClaim, kClaimToken, kLaneToken, kCheckpoint, kTurnInput };
inline constexpr std::size_t kIdKinds = 7;

// Issues ids, never one twice. An opaque id is its number put through a keyed bijection of 64 bits: it cannot repeat, nothing
// needs to be remembered, and the whole state is a few counters, so a snapshot of a store is small and exact. The key is mixed
// from `seed`; two sources of one seed issue the same ids. This hides the order of ids from people and programs that should not
// rely on it; it is not cryptography. Whoever has the source can turn an id back into its number, and so find what it names
// without a table of ids. An id fits in the short-string buffer, so issuing one allocates nothing.
//
// Not thread-safe. A value: copies go on independently from the same point.
//
//   IdSource ids(IdStyle::kReadable, 0);
//   ids.Next(IdKind::kBatch);  // "b1"
class IdSource {
 public:
  IdSource(IdStyle style, uint64_t seed) : style_(style) {
    for (uint64_t kind = 0; kind < kIdKinds; ++kind) keys_[kind] = {Mix(seed + kind + 1), Mix(~seed - kind)};
  }

  // The next id of the kind.
  std::string Next(IdKind kind) { return Name(kind, ++issued_[static_cast<std::size_t>(kind)]); }

  // Whether a later Next of the kind will issue this very id.
  bool WillIssue(IdKind kind, absl::string_view id) const {
    const std::optional<uint64_t> number = NumberOf(kind, id);
    return number.has_value() && *number > issued_[static_cast<std::size_t>(kind)] && Name(kind, *number) == id;
  }

  // The id with this number, for whoever numbers a kind by himself and never asks Next for it.
  std::string Name(IdKind kind, uint64_t number) const {
    const char letter = kLetters[static_cast<std::size_t>(kind)];
    if (style_ == IdStyle::kReadable) return absl::StrCat(absl::string_view(&letter, 1), number);
    uint64_t bits = Mix(Mix(number ^ KeysOf(kind).inner) ^ KeysOf(kind).outer);
    std::string id(1 + kDigits, letter);
    for (std::size_t i = kDigits; i > 0; --i, bits >>= 5) id[i] = kAlphabet[bits & 31];
    return id;
  }

  // The number of an id of the kind. Of any other text, none, or a number whose id is another text: compare.
  std::optional<uint64_t> NumberOf(IdKind kind, absl::string_view id) const {
    if (id.empty() || id.front() != kLetters[static_cast<std::size_t>(kind)]) return std::nullopt;
    id.remove_prefix(1);
    uint64_t bits = 0;
    if (style_ == IdStyle::kReadable) return absl::SimpleAtoi(id, &bits) ? std::optional<uint64_t>(bits) : std::nullopt;
    if (id.size() != kDigits) return std::nullopt;
    for (const char digit : id) bits = bits << 5 | kValues[static_cast<unsigned char>(digit)];
    return Unmix(Unmix(bits) ^ KeysOf(kind).outer) ^ KeysOf(kind).inner;
  }

  friend bool operator==(const IdSource&, const IdSource&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const IdSource& ids) {
    return H::combine(std::move(h), ids.keys_[0].inner, ids.issued_);
  }

 private:
  static constexpr char kLetters[] = "bictlku";
  static constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
  static constexpr std::size_t kDigits = 13;  // of 5 bits: 64 bits and one to spare

  // The value of each digit; 0 for what is none.
  static constexpr std::array<uint8_t, 256> kValues = [] {
    std::array<uint8_t, 256> values{};
    for (uint8_t i = 0; i < 32; ++i) values[static_cast<unsigned char>(kAlphabet[i])] = i;
    return values;
  }();

  // The finaliser of SplitMix64: each step can be undone, so different inputs give different outputs.
  static constexpr uint64_t Mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }
  static constexpr uint64_t Unmix(uint64_t x) {
    x = (x ^ (x >> 31) ^ (x >> 62)) * 0x319642b2d24d8ec3u;
    x = (x ^ (x >> 27) ^ (x >> 54)) * 0x96de1b173f119089u;
    return (x ^ (x >> 30) ^ (x >> 60)) - 0x9e3779b97f4a7c15u;
  }

  struct Keys {
    uint64_t inner = 0;
    uint64_t outer = 0;
    friend bool operator==(const Keys&, const Keys&) = default;
  };
  const Keys& KeysOf(IdKind kind) const { return keys_[static_cast<std::size_t>(kind)]; }

  IdStyle style_;
  std::array<Keys, kIdKinds> keys_;  // made from the seed
  std::array<uint64_t, kIdKinds> issued_{};
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_IDS_H_
