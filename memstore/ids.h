// Where a reference store's ids and tokens come from.
#ifndef LEASECHECK_MEMSTORE_IDS_H_
#define LEASECHECK_MEMSTORE_IDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace leasecheck::memstore {

enum class IdStyle {
  kOpaque,    // "b" and 13 letters and digits that look random
  kReadable,  // "b1", "b2" ...: for traces that people read
};

// What an id names. Each kind is numbered by itself and has a letter of its own: b, i, c, t, l, k.
enum class IdKind { kBatch, kItem, kClaim, kClaimToken, kLaneToken, kCheckpoint };
inline constexpr std::size_t kIdKinds = 6;

// Issues ids, never one twice. An opaque id is its number put through a keyed bijection of 64 bits: it cannot repeat, nothing
// needs to be remembered, and the whole state is a few counters, so a snapshot of a store is small and exact. The key is mixed
// from `seed`; two sources of one seed issue the same ids. This hides the order of ids from people and programs that should not
// rely on it; it is not cryptography. An id fits in the short-string buffer, so issuing one allocates nothing.
//
// Not thread-safe. A value: copies go on independently from the same point.
//
//   IdSource ids(IdStyle::kReadable, 0);
//   ids.Next(IdKind::kBatch);  // "b1"
class IdSource {
 public:
  IdSource(IdStyle style, uint64_t seed) : style_(style), seed_(seed) {}

  std::string Next(IdKind kind) {
    const std::size_t index = static_cast<std::size_t>(kind);
    const uint64_t number = ++issued_[index];
    if (style_ == IdStyle::kReadable) return absl::StrCat(std::string(1, kLetters[index]), number);
    uint64_t bits = Mix(Mix(number ^ Mix(seed_ + index + 1)) ^ Mix(~seed_ - index));
    std::string id(1 + kDigits, kLetters[index]);
    for (std::size_t i = kDigits; i > 0; --i, bits >>= 5) id[i] = kAlphabet[bits & 31];
    return id;
  }

  friend bool operator==(const IdSource&, const IdSource&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const IdSource& ids) {
    return H::combine(std::move(h), ids.seed_, ids.issued_);
  }

 private:
  static constexpr char kLetters[] = "bictlk";
  static constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
  static constexpr std::size_t kDigits = 13;  // of 5 bits: 64 bits and one to spare

  // The finaliser of SplitMix64: each step can be undone, so different inputs give different outputs.
  static constexpr uint64_t Mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

  IdStyle style_;
  uint64_t seed_;
  std::array<uint64_t, kIdKinds> issued_{};
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_IDS_H_
