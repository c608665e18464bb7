// Secrets: texts that whoever has them can use, and that are therefore shown to nobody else.
//
// The codec writes a secret as its *placeholder*, "secret:" and the first 16 digits of its SHA-256, except on the wire, where the
// backend has to get it (codec/values.h). So traces, histories and reports hold no secret, and yet two of them can be told apart,
// and one that is read back from a file is the same as before: a placeholder's placeholder is itself. A text of fewer than
// kShortestSecret bytes can be no secret, and is written as it is: a test may ask for "" or "never-issued".
//
// The digest is not computed here, because the model hashes nothing: whoever hides secrets brings a function for it.
#ifndef LEASECHECK_MODEL_SECRET_H_
#define LEASECHECK_MODEL_SECRET_H_

#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "model/field.h"

namespace leasecheck {

struct Secret {
  std::string text;

  Secret() = default;
  explicit Secret(std::string plaintext) : text(std::move(plaintext)) {}

  friend bool operator==(const Secret&, const Secret&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Secret& secret) {
    return H::combine(std::move(h), secret.text);
  }
};

inline constexpr std::size_t kShortestSecret = 16;  // bytes
inline constexpr absl::string_view kPlaceholderPrefix = "secret:";
inline constexpr std::size_t kPlaceholderDigits = 16;

// Whether the text stands for a secret, rather than being one.
inline bool IsPlaceholder(const Secret& secret) {
  if (secret.text.size() != kPlaceholderPrefix.size() + kPlaceholderDigits) return false;
  return absl::StartsWith(secret.text, kPlaceholderPrefix) &&
         secret.text.find_first_not_of("0123456789abcdef", kPlaceholderPrefix.size()) == std::string::npos;
}

// Makes of a text its SHA-256 in lowercase hexadecimal, 64 digits.
using Sha256Function = absl::FunctionRef<std::string(absl::string_view)>;

inline Secret PlaceholderOf(const Secret& secret, Sha256Function sha256_hex) {
  if (secret.text.size() < kShortestSecret || IsPlaceholder(secret)) return secret;
  return Secret(absl::StrCat(kPlaceholderPrefix, sha256_hex(secret.text).substr(0, kPlaceholderDigits)));
}

// Puts placeholders in the places of all secrets inside of the value, but for those in alternatives of a variant, which has none.
template <class T>
void HideSecrets(T& value, Sha256Function sha256_hex) {
  [[maybe_unused]] auto hide_members = [&](const auto&... field) { (HideSecrets(value.*field.member, sha256_hex), ...); };
  if constexpr (std::is_same_v<T, Secret>) {
    value = PlaceholderOf(value, sha256_hex);
  } else if constexpr (kIsOptional<T>) {
    if (value.has_value()) HideSecrets(*value, sha256_hex);
  } else if constexpr (kIsList<T>) {
    if constexpr (!std::is_arithmetic_v<typename T::value_type>) {
      for (auto& element : value) HideSecrets(element, sha256_hex);
    }
  } else if constexpr (kIsStruct<T>) {
    std::apply(hide_members, kFields<T>);
  } else if constexpr (kIsTuple<T>) {
    std::apply(hide_members, kElements<T>);
  }
}

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_SECRET_H_
