// Dialects: a store's declared choices at the latitude points of its contract (PROTOCOL.md, "Control methods").
#ifndef LEASECHECK_MODEL_DIALECT_H_
#define LEASECHECK_MODEL_DIALECT_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace leasecheck {

// One latitude point with the words a store may declare; the first word is what an undeclared point means.
struct DialectPoint {
  absl::string_view id;  // "QW-LAT-7"
  absl::Span<const absl::string_view> words;
};

// What a store declares: the latitude point's id -> the chosen word. An absent point means the contract's reference choice.
using Dialects = std::map<std::string, std::string>;

// Whether `dialects` chooses `word` at `id`.
inline bool Declares(const Dialects& dialects, absl::string_view id, absl::string_view word) {
  auto it = dialects.find(std::string(id));
  return it != dialects.end() && it->second == word;
}

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_DIALECT_H_
