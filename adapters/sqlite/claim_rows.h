// The claims of queued work as rows: who holds which batch until when. Of every family with a queue, in the tables `store`,
// `batches` and `claims` of its schema; what to claim is each family's own.
//
//   batches(enqueue_seq u64 PRIMARY KEY, batch_id, session_id, available_at_ms u64, claim_counter u64, ready_at_ms u64, in_line
//   ...)
//     claim_counter  survives abandon and expiry, dies with the row
//     ready_at_ms    available_at_ms, or the expiry of its claim where that is later
//     in_line        some call saw ready_at_ms reached. A claim moves the rows whose time has come into the line and then reads
//     the
//                    line from its front, so rows that are deferred or under a claim are passed once, not at each claim.
//   claims(enqueue_seq u64 PRIMARY KEY REFERENCES batches, session_id, claim_id, lease_token, expires_at_ms u64 ...)
//     no row where nobody claimed the batch or the claim was abandoned; lapsed ones stay
#ifndef LEASECHECK_ADAPTERS_SQLITE_CLAIM_ROWS_H_
#define LEASECHECK_ADAPTERS_SQLITE_CLAIM_ROWS_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/transaction.h"
#include "model/session_store/values.h"
#include "model/time.h"

namespace leasecheck::sqlite {

// Takes the next enqueue_seq; 0 where they are used up, which fails the transaction.
uint64_t NextEnqueueSeq(Transaction& transaction);

// The caller has seen that it exists. Its items and its claim record go with it.
void DeleteBatch(Transaction& transaction, uint64_t enqueue_seq);

// Moves the session's rows whose time has come into the line.
void FormLine(Transaction& transaction, absl::string_view session_id, EpochMs now);

// Takes a batch out of the line, under a claim with this counter. The claim record is the caller's to write.
void LeaveLine(Transaction& transaction, uint64_t enqueue_seq, uint64_t claim_counter, EpochMs expires_at_ms);

// The enqueue_seqs of the session's batches under a live claim, ascending.
std::vector<uint64_t> LiveClaimed(Transaction& transaction, absl::string_view session_id, EpochMs now);
bool IsLiveClaimed(Transaction& transaction, uint64_t enqueue_seq, EpochMs now);

// The batches of the session whose record carries this claim_id and lease_token.
std::vector<uint64_t> OwnedBatches(Transaction& transaction, absl::string_view session_id, absl::string_view claim_id,
                                   absl::string_view lease_token);
void ExtendClaim(Transaction& transaction, uint64_t enqueue_seq, EpochMs expires_at_ms);
void ClearClaim(Transaction& transaction, uint64_t enqueue_seq);

// Deletes what a completion names, in a commit of this session; false where it does not own every batch. A batch named twice is
// gone the second time. What was deleted before a false stays deleted: the caller gives the transaction up.
// [SC-CMT-7,8,9; QW-LAT-2..6; RP-CMT-23..27]
bool Settle(Transaction& transaction, absl::string_view session_id, const session_store::QueuedWorkCompletion& completion);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_CLAIM_ROWS_H_
