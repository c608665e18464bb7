// What a reference store of the runtime_repository contract holds at one instant, as a value.
#ifndef LEASECHECK_MEMSTORE_RUNTIME_REPOSITORY_SNAPSHOT_H_
#define LEASECHECK_MEMSTORE_RUNTIME_REPOSITORY_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "memstore/attempt_book.h"
#include "memstore/ids.h"
#include "model/runtime_repository/values.h"

namespace leasecheck::memstore {

// In canonical order, so that equal stores give equal contents, however they came to be.
struct RuntimeRepositoryContents {
  IdSource ids;
  std::vector<AttemptValue> attempts;                                    // by id
  absl::btree_map<std::string, runtime_repository::DeadLetter> letters;  // by attempt_id
  absl::btree_map<std::string, uint64_t> heads;                          // the last event of each run that has one
  friend bool operator==(const RuntimeRepositoryContents&, const RuntimeRepositoryContents&) = default;
};

// A snapshot of a RuntimeRepository: copied in constant time, compared and hashed by value. Only a store makes one; any store
// takes it back, as often as wanted. Thread-safe as a value: it never changes.
class RuntimeRepositorySnapshot {
 public:
  explicit RuntimeRepositorySnapshot(RuntimeRepositoryContents contents)
      : contents_(std::make_shared<const RuntimeRepositoryContents>(std::move(contents))) {}

  const RuntimeRepositoryContents& contents() const { return *contents_; }

  friend bool operator==(const RuntimeRepositorySnapshot& a, const RuntimeRepositorySnapshot& b) {
    return a.contents_ == b.contents_ || *a.contents_ == *b.contents_;
  }
  // Over the parts that tell states apart in practice; the rest is left to ==.
  template <typename H>
  friend H AbslHashValue(H h, const RuntimeRepositorySnapshot& snapshot) {
    const RuntimeRepositoryContents& contents = *snapshot.contents_;
    h = H::combine(std::move(h), contents.ids, contents.letters.size());
    for (const AttemptValue& attempt : contents.attempts) {
      h = H::combine(std::move(h), attempt.attempt_id, attempt.attempt_no, attempt.status, attempt.priority,
                     attempt.retry_at.value_or(kFirstInstant), attempt.started_at.value_or(kFirstInstant));
      if (attempt.lease.has_value()) h = H::combine(std::move(h), attempt.lease->lease_expires_at, attempt.lease->version);
    }
    for (const auto& [run_id, head] : contents.heads) h = H::combine(std::move(h), run_id, head);
    return h;
  }

 private:
  std::shared_ptr<const RuntimeRepositoryContents> contents_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_RUNTIME_REPOSITORY_SNAPSHOT_H_
