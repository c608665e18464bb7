// The bookkeeping of claims that all reference stores share: who holds which rows, under which tokens, until when.
//
// A *claim* is a lease over some rows (batches, turn inputs ...). The book knows nothing of what a row carries, how rows are
// chosen, or where they are indexed; an owner is any value (a LeaseOwnerIdentity, a plain id). Rows derive from Claimable:
//
//   struct Row : ClaimBook<Row, std::string>::Claimable { ... };
//   ClaimBook<Row, std::string> book;
//   if (auto token = book.NextFencingToken(rows)) book.Grant({claim_id, lease_token, "worker 1", expires, *token}, rows);
//   if (auto* claim = book.Find(claim_id, lease_token)) book.Renew(*claim, later);
//
// Rules it keeps: a row belongs to at most one claim; its counter rises with every grant and outlives the claim; a claim whose
// last row left is forgotten, so that its tokens own nothing for ever. Whether a claim is live is a question of the time, never
// stored: a clock that goes back finds lapsed claims live again.
#ifndef LEASECHECK_MEMSTORE_CLAIM_BOOK_H_
#define LEASECHECK_MEMSTORE_CLAIM_BOOK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "memstore/spares.h"
#include "model/time.h"

namespace leasecheck::memstore {

// Not thread-safe. Rows are borrowed: a row that goes away leaves its claim first (Release).
template <class Row, class Owner>
class ClaimBook {
 public:
  // What a grant says.
  struct Terms {
    std::string claim_id;  // never used before in this book
    std::string lease_token;
    Owner owner;
    EpochMs expires = 0;
    uint64_t fencing_token = 0;
    friend bool operator==(const Terms&, const Terms&) = default;
  };

  class Claim : public Terms {
   public:
    bool IsLive(EpochMs now) const { return this->expires > now; }
    // The rows it still owns, in no particular order; never empty.
    absl::Span<Row* const> rows() const { return rows_; }

   private:
    friend class ClaimBook;
    absl::InlinedVector<Row*, 1> rows_;
    std::size_t hash_ = 0;  // of the claim_id
  };

  // The claim record of a row.
  class Claimable {
   public:
    // The claim that owns the row, live or lapsed, or null.
    const Claim* claim() const { return claim_; }
    // The fencing token of the row's latest grant; kept when the claim ends.
    uint64_t counter() const { return counter_; }
    // For a row that enters with a past: before its first grant only.
    void set_counter(uint64_t counter) { counter_ = counter; }

    bool IsLiveClaimed(EpochMs now) const { return claim_ != nullptr && claim_->IsLive(now); }
    bool IsOwnedBy(absl::string_view claim_id, absl::string_view lease_token) const {
      return claim_ != nullptr && claim_->claim_id == claim_id && claim_->lease_token == lease_token;
    }

   private:
    friend class ClaimBook;
    Claim* claim_ = nullptr;
    std::size_t place_ = 0;  // in claim_->rows_
    uint64_t counter_ = 0;
  };

  // The claim that still owns something under exactly these tokens, live or lapsed, or null.
  Claim* Find(absl::string_view claim_id, absl::string_view lease_token) const {
    auto it = claims_.find(claim_id);
    return it != claims_.end() && it->second->lease_token == lease_token ? it->second.get() : nullptr;
  }

  // The fencing token that a grant of these rows has: above the counter of every one. None where a counter is at its end.
  static std::optional<uint64_t> NextFencingToken(absl::Span<Row* const> rows) {
    uint64_t largest = 0;
    for (const Row* row : rows) largest = std::max(largest, row->counter());
    if (largest == std::numeric_limits<uint64_t>::max()) return std::nullopt;
    return largest + 1;
  }

  // Gives the rows, at least one, to a new claim; they leave the claims that had them, and their counters take its fencing token.
  const Claim& Grant(Terms terms, absl::Span<Row* const> rows) {
    std::unique_ptr<Claim> owned = spares_.Take();
    Claim* claim = owned.get();
    static_cast<Terms&>(*claim) = std::move(terms);
    claim->hash_ = claims_.hash_function()(claim->claim_id);
    claim->rows_.reserve(rows.size());
    for (Row* row : rows) {
      Release(*row);
      Claimable& record = *row;
      record.claim_ = claim;
      record.place_ = claim->rows_.size();
      record.counter_ = claim->fencing_token;
      claim->rows_.push_back(row);
    }
    claims_.emplace(absl::string_view(claim->claim_id), std::move(owned));
    return *claim;
  }

  // The claim lapses at `expires` from now on; its tokens and counters stay.
  static void Renew(Claim& claim, EpochMs expires) { claim.expires = expires; }

  // The row leaves its claim, if it has one: abandoned, retaken, cancelled or settled. Forgets a claim left without rows.
  void Release(Row& row) {
    Claimable& record = row;
    Claim* claim = std::exchange(record.claim_, nullptr);
    if (claim == nullptr) return;
    Row* last = claim->rows_.back();
    claim->rows_[record.place_] = last;
    static_cast<Claimable&>(*last).place_ = record.place_;
    claim->rows_.pop_back();
    if (!claim->rows_.empty()) return;
    auto ended = claims_.find(claim->claim_id, claim->hash_);
    spares_.Keep(std::move(ended->second));
    claims_.erase(ended);
  }

 private:
  absl::flat_hash_map<absl::string_view, std::unique_ptr<Claim>> claims_;  // by claim_id, which lives in the claim
  Spares<Claim> spares_;
};

// Takes what find(place, id) finds for each id, once: a second mention finds it marked as `settling`. False where one is not
// found. The caller takes the marks off, with ClearMarks.
template <class Rows, class Find>
bool TakeAll(const std::vector<std::string>& ids, Rows& taken, Find&& find) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto* row = find(i, ids[i]);
    if (row == nullptr || row->settling) return false;
    row->settling = true;
    taken.push_back(row);
  }
  return true;
}
template <class Rows>
void ClearMarks(const Rows& taken) {
  for (auto* row : taken) row->settling = false;
}

// The terms of claims as a snapshot has them: one copy a claim, shared by its rows.
template <class Claims>
class SharedTerms {
 public:
  std::shared_ptr<const typename Claims::Terms> Of(const typename Claims::Claim* claim) {
    if (claim == nullptr) return nullptr;
    auto& shared = terms_[claim];
    if (shared == nullptr) shared = std::make_shared<const typename Claims::Terms>(*claim);
    return shared;
  }

 private:
  absl::flat_hash_map<const typename Claims::Claim*, std::shared_ptr<const typename Claims::Terms>> terms_;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_CLAIM_BOOK_H_
