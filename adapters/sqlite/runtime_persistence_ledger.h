// The token ledger as rows.
#ifndef LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_LEDGER_H_
#define LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_LEDGER_H_

#include <vector>

#include "adapters/sqlite/transaction.h"
#include "model/runtime_persistence/values.h"

namespace leasecheck::sqlite {

// Adds each entry to the row of its (source, model), or makes that row; an entry of four zeros does nothing. False where a sum
// leaves the range of 64 bits: then the caller gives the transaction up.
bool AddUsage(Transaction& transaction, const std::vector<runtime_persistence::TokenLedgerEntry>& deltas);

// One entry a pair, in the order of the first that counted.
std::vector<runtime_persistence::TokenLedgerEntry> ReadLedger(Transaction& transaction);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_RUNTIME_PERSISTENCE_LEDGER_H_
