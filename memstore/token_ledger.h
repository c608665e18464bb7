// The token ledger of a session: what each source spent on each model, summed up as commits add to it.
#ifndef LEASECHECK_MEMSTORE_TOKEN_LEDGER_H_
#define LEASECHECK_MEMSTORE_TOKEN_LEDGER_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "model/runtime_persistence/values.h"

namespace leasecheck::memstore {

// Keeps one entry a (source, model), in the order of the first delta that counted; a delta of four zeros does not, one with
// cached tokens only does. Sums stay at the ends of their range rather than wrap. [RP-CMT-18,19; RP-LAT-7] Adding costs the same
// however long the ledger is. Not thread-safe.
class TokenLedger {
 public:
  using Entry = runtime_persistence::TokenLedgerEntry;

  void Add(const Entry& delta);
  const std::vector<Entry>& entries() const { return entries_; }
  // Makes these the entries; they are those of a ledger.
  void Restore(std::vector<Entry> entries);

 private:
  std::vector<Entry> entries_;
  absl::flat_hash_map<std::pair<std::string, std::string>, std::size_t> places_;  // (source, model) -> place in entries_
};

}  // namespace leasecheck::memstore

#endif  // LEASECHECK_MEMSTORE_TOKEN_LEDGER_H_
