// Which rows are claimed by which local processes: what a dead process leaves behind is claimable before its claim lapses.
#ifndef LEASECHECK_MEMSTORE_LOCAL_HOLDERS_H_
#define LEASECHECK_MEMSTORE_LOCAL_HOLDERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "memstore/owners.h"
#include "memstore/position_index.h"
#include "model/environment.h"
#include "model/session_store/values.h"
#include "model/time.h"

namespace leasecheck::memstore {

// The claimed rows of one queue whose owners are local processes, grouped by process. A claimant's question costs one probe a
// process that holds a live claim, however many rows or claims it holds; processes whose claims have all lapsed are not visited.
// Not thread-safe.
template <class Row>
class LocalHolders {
 public:
  using Owner = session_store::LocalProcessOwner;
  // Rows by position, due when they become available.
  using Rows = PositionIndex<Row>;

  // Enters a row that `owner` claimed until `expires`.
  void Add(const Owner& owner, Row& row, uint64_t position, EpochMs available_at, EpochMs expires) {
    std::unique_ptr<Holder>& holder = holders_[owner];
    if (holder == nullptr) {
      holder = std::make_unique<Holder>(owner, ++last_serial_);
    } else {
      by_expiry_.erase(holder->Rank());
    }
    holder->rows.Set(position, &row, available_at);
    holder->expiries.insert(expires);
    by_expiry_.emplace(holder->Rank(), holder.get());
  }

  // Takes out a row that was entered with just these values.
  void Remove(const Owner& owner, uint64_t position, EpochMs expires) {
    auto it = holders_.find(owner);
    Holder& holder = *it->second;
    by_expiry_.erase(holder.Rank());
    holder.rows.Erase(position);
    holder.expiries.erase(holder.expiries.find(expires));
    if (holder.expiries.empty()) {
      holders_.erase(it);
    } else {
      by_expiry_.emplace(holder.Rank(), &holder);
    }
  }

  // The rows of every process with a live claim that is definitely dead as seen by `claimant`.
  absl::InlinedVector<const Rows*, 2> DeadFor(const session_store::LeaseOwnerIdentity& claimant, const LivenessProbe& probe,
                                              EpochMs now) const {
    absl::InlinedVector<const Rows*, 2> dead;
    const Owner* asks = LocalProcessOf(claimant);
    if (asks == nullptr) return dead;
    for (auto it = by_expiry_.rbegin(); it != by_expiry_.rend() && it->first.first > now; ++it) {
      if (DefinitelyDead(it->second->owner, *asks, probe)) dead.push_back(&it->second->rows);
    }
    return dead;
  }

 private:
  struct Holder {
    Holder(const Owner& process, uint64_t number) : owner(process), serial(number) {}
    // Where it stands in by_expiry_: by its last claim to lapse.
    std::pair<EpochMs, uint64_t> Rank() const { return {*expiries.rbegin(), serial}; }

    Owner owner;
    uint64_t serial;  // tells holders of one expiry apart, in an order that does not depend on addresses
    Rows rows;
    absl::btree_multiset<EpochMs> expiries;  // one a row
  };
  struct OwnerHash {
    std::size_t operator()(const Owner& owner) const {
      return absl::HashOf(absl::string_view(owner.host_id), absl::string_view(owner.boot_id), owner.pid,
                          absl::string_view(owner.process_start));
    }
  };

  absl::flat_hash_map<Owner, std::unique_ptr<Holder>, OwnerHash> holders_;
  absl::btree_map<std::pair<EpochMs, uint64_t>, const Holder*> by_expiry_;
  uint64_t last_serial_ = 0;
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_LOCAL_HOLDERS_H_
