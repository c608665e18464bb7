#include "adapters/sqlite/claim_rows.h"

#include <string>

#include "absl/status/status.h"

namespace leasecheck::sqlite {

uint64_t NextEnqueueSeq(Transaction& transaction) {
  // The largest stored integer stands for 2^64-1.
  if (transaction.Execute(
          "UPDATE store SET last_enqueue_seq = last_enqueue_seq + 1 WHERE last_enqueue_seq < 9223372036854775807") == 0) {
    transaction.Fail(absl::ResourceExhaustedError("the queue's sequence numbers are used up"));
    return 0;
  }
  Rows rows = transaction.Query("SELECT last_enqueue_seq FROM store");
  return rows.Next() ? rows.U64(0) : 0;
}

void DeleteBatch(Transaction& transaction, uint64_t enqueue_seq) {
  transaction.Execute("DELETE FROM batches WHERE enqueue_seq = ?1", enqueue_seq);
}

void FormLine(Transaction& transaction, absl::string_view session_id, EpochMs now) {
  transaction.Execute("UPDATE batches SET in_line = 1 WHERE session_id = ?1 AND in_line = 0 AND ready_at_ms <= ?2", session_id,
                      now);
}

void LeaveLine(Transaction& transaction, uint64_t enqueue_seq, uint64_t claim_counter, EpochMs expires_at_ms) {
  transaction.Execute(
      "UPDATE batches SET claim_counter = ?2, in_line = 0, ready_at_ms = max(available_at_ms, ?3) WHERE enqueue_seq = ?1",
      enqueue_seq, claim_counter, expires_at_ms);
}

std::vector<uint64_t> LiveClaimed(Transaction& transaction, absl::string_view session_id, EpochMs now) {
  std::vector<uint64_t> claimed;
  Rows rows = transaction.Query(
      "SELECT enqueue_seq FROM batches JOIN claims USING (enqueue_seq) "
      "WHERE batches.session_id = ?1 AND expires_at_ms > ?2 ORDER BY enqueue_seq",
      session_id, now);
  while (rows.Next()) claimed.push_back(rows.U64(0));
  return claimed;
}

bool IsLiveClaimed(Transaction& transaction, uint64_t enqueue_seq, EpochMs now) {
  Rows rows = transaction.Query("SELECT 1 FROM claims WHERE enqueue_seq = ?1 AND expires_at_ms > ?2", enqueue_seq, now);
  return rows.Next();
}

std::vector<uint64_t> OwnedBatches(Transaction& transaction, absl::string_view session_id, absl::string_view claim_id,
                                   absl::string_view lease_token) {
  std::vector<uint64_t> owned;
  Rows rows = transaction.Query("SELECT enqueue_seq FROM claims WHERE claim_id = ?1 AND lease_token = ?2 AND session_id = ?3",
                                claim_id, lease_token, session_id);
  while (rows.Next()) owned.push_back(rows.U64(0));
  return owned;
}

void ExtendClaim(Transaction& transaction, uint64_t enqueue_seq, EpochMs expires_at_ms) {
  transaction.Execute("UPDATE claims SET expires_at_ms = ?2 WHERE enqueue_seq = ?1", enqueue_seq, expires_at_ms);
  transaction.Execute("UPDATE batches SET in_line = 0, ready_at_ms = max(available_at_ms, ?2) WHERE enqueue_seq = ?1",
                      enqueue_seq, expires_at_ms);
}

void ClearClaim(Transaction& transaction, uint64_t enqueue_seq) {
  transaction.Execute("DELETE FROM claims WHERE enqueue_seq = ?1", enqueue_seq);
  transaction.Execute("UPDATE batches SET in_line = 0, ready_at_ms = available_at_ms WHERE enqueue_seq = ?1", enqueue_seq);
}

bool Settle(Transaction& transaction, absl::string_view session_id, const session_store::QueuedWorkCompletion& completion) {
  if (completion.session_id != session_id) return false;
  for (const std::string& batch_id : completion.batch_ids) {
    int64_t deleted = transaction.Execute(
        "DELETE FROM batches WHERE batch_id = ?1 AND session_id = ?2 AND EXISTS (SELECT 1 FROM claims "
        "WHERE claims.enqueue_seq = batches.enqueue_seq AND claim_id = ?3 AND lease_token = ?4)",
        batch_id, completion.session_id, completion.claim_id, completion.lease_token);
    if (deleted != 1) return false;
  }
  return true;
}

}  // namespace leasecheck::sqlite
