// Ids and tokens that are never used twice.
#ifndef LEASECHECK_ADAPTERS_SQLITE_IDS_H_
#define LEASECHECK_ADAPTERS_SQLITE_IDS_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace leasecheck::sqlite {

// Makes ids such as "batch-2-9f86d081884c7d65-17": the number of the store's opening, which the database counts, a random word,
// and a counter within the opening. So they differ within an opening, between processes and over crashes whatever the random
// word is; the word keeps ids of different files apart and makes a token hard to guess. Thread-safe.
class IdSource {
 public:
  IdSource(uint64_t opening, uint64_t random_word)
      : middle_(absl::StrCat("-", opening, "-", absl::Hex(random_word, absl::kZeroPad16), "-")) {}
  std::string Next(absl::string_view kind) { return absl::StrCat(kind, middle_, next_.fetch_add(1, std::memory_order_relaxed)); }

 private:
  const std::string middle_;
  std::atomic<uint64_t> next_{1};
};

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_IDS_H_
