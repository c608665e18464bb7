// The values of the session_store contract as rows, beside those that every queue has (batch_rows.h, claim_rows.h): what the
// operations read and write, one function a question.
#ifndef LEASECHECK_ADAPTERS_SQLITE_ROWS_H_
#define LEASECHECK_ADAPTERS_SQLITE_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/connection.h"
#include "adapters/sqlite/transaction.h"
#include "model/environment.h"
#include "model/session_store/values.h"
#include "model/time.h"

namespace leasecheck::sqlite {

// Owners.

bool SameIncarnation(const session_store::LeaseOwnerIdentity& a, const session_store::LeaseOwnerIdentity& b);

// Whether `holder` is definitely dead as seen by `claimant`. `probe` may be null: nobody is.
bool DefinitelyDead(const session_store::LeaseOwnerIdentity& holder, const session_store::LeaseOwnerIdentity& claimant,
                    const LivenessProbe* probe);

// Batches.

// A batch's class; none for a classless one.
enum class WorkClass { kTurnWork, kSessionCommand };

// What choosing a claim needs to know of a batch.
struct Candidate {
  uint64_t enqueue_seq = 0;
  std::string batch_id;
  std::optional<WorkClass> work_class;
  session_store::DeliveryPolicy delivery_policy = session_store::DeliveryPolicy::kEarliestSafeBoundary;
  session_store::SlotPolicy slot_policy = session_store::SlotPolicy::kExclusive;
  session_store::MergeKey merge_key;
  uint64_t claim_counter = 0;
};

// A claim record as it is granted to each of its batches.
struct ClaimRecord {
  std::string claim_id;
  std::string lease_token;
  session_store::LeaseOwnerIdentity owner;
  uint64_t counter = 0;
  EpochMs expires_at_ms = 0;
};

void InsertBatch(Transaction& transaction, const session_store::QueuedWorkBatch& batch, EpochMs now);

// The candidates of one claimant in one session, in order, read as far as they are asked for. Begin it before and destroy it
// before anything is written.
class Candidates {
 public:
  Candidates(Transaction& transaction, absl::string_view session_id, const session_store::LeaseOwnerIdentity& claimant,
             const LivenessProbe* probe, EpochMs now);
  std::optional<Candidate> Next();

 private:
  void LoadNextInLine();

  Rows line_;
  std::optional<Candidate> next_in_line_;
  std::vector<Candidate> of_the_dead_;  // under live claims whose owners are dead, descending
};

// Whether a classless batch is a candidate of anybody. One under a live claim cannot be: it is never granted.
bool HasClasslessCandidate(Transaction& transaction, absl::string_view session_id, EpochMs now);

// Claim records.

void WriteClaim(Transaction& transaction, absl::string_view session_id, uint64_t enqueue_seq, const ClaimRecord& record);

// Lanes.

struct Lane {
  session_store::SessionExecutionLease lease;  // of a free lane only session_id and fencing_token mean anything
  bool held = false;                           // taken and not released, lapsed or not
  bool Live(EpochMs now) const { return held && lease.expires_at_epoch_ms > now; }
  // Whether a fence, or a completion, matches the held lane.
  template <class Fence>
  bool Matches(const Fence& fence) const {
    return held && fence.session_id == lease.session_id && SameIncarnation(fence.owner, lease.owner) &&
           fence.lease_token == lease.lease_token && fence.fencing_token == lease.fencing_token;
  }
};

// A lane that was never taken reads as free with fencing_token 0.
Lane ReadLane(Transaction& transaction, absl::string_view session_id);
// Whether the fence is of this session and valid.
bool HoldsLane(Transaction& transaction, absl::string_view session_id, const session_store::SessionExecutionLeaseFence& fence,
               EpochMs now);
void WriteLane(Transaction& transaction, const session_store::SessionExecutionLease& lease);
void FreeLane(Transaction& transaction, absl::string_view session_id);

// The head and its stamps.

std::optional<session_store::LoadedSession> ReadHead(Transaction& transaction);
void WriteHead(Transaction& transaction, const session_store::LoadedSession& head);

struct RecordedCommit {
  std::string turn_commit_hash;
  session_store::RuntimeCommitResult result;
};
std::optional<RecordedCommit> ReadStamp(Transaction& transaction, const session_store::RuntimeTurnCommitStamp& stamp);
void WriteStamp(Transaction& transaction, const session_store::RuntimeTurnCommitStamp& stamp,
                const session_store::RuntimeCommitResult& result);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_ROWS_H_
