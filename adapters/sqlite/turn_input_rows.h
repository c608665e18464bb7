// Turn inputs as rows: what the operations read and write, one function a question.
#ifndef LEASECHECK_ADAPTERS_SQLITE_TURN_INPUT_ROWS_H_
#define LEASECHECK_ADAPTERS_SQLITE_TURN_INPUT_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/sqlite/rows.h"
#include "adapters/sqlite/transaction.h"
#include "model/environment.h"
#include "model/session_store/values.h"
#include "model/time.h"

namespace leasecheck::sqlite {

// A stored input with its claim.
struct InputRow {
  session_store::PendingTurnInput record;     // as it is now
  session_store::TurnInputIngress submitted;  // what it asked for at first
  uint64_t counter = 0;                       // the fencing token of its last grant
  std::optional<ClaimRecord> claim;           // live or lapsed
  bool IsLiveClaimed(EpochMs now) const { return claim.has_value() && claim->expires_at_ms > now; }
  bool IsListed(EpochMs now) const {
    return (record.state == session_store::TurnInputState::kPendingActive ||
            record.state == session_store::TurnInputState::kDeferredNextTurn) &&
           !IsLiveClaimed(now);
  }
};

// Takes the next enqueue_seq of turn inputs; 0 where they are used up, which fails the transaction.
uint64_t NextInputSeq(Transaction& transaction);
// Whether a row has the id, or a caller gave it to one that is gone, so that it may not be issued.
bool IsInputIdUsed(Transaction& transaction, absl::string_view input_id);
// Whether a row of any session has the id.
bool HasInput(Transaction& transaction, absl::string_view input_id);
// `given`: its id is the caller's.
void InsertInput(Transaction& transaction, const session_store::PendingTurnInput& input, bool given);

std::optional<InputRow> InputOf(Transaction& transaction, absl::string_view session_id,
                                const session_store::PendingTurnInputCancelTarget& target);
// All rows of the session from enqueue_seq on, in order.
std::vector<InputRow> InputsFrom(Transaction& transaction, absl::string_view session_id, uint64_t enqueue_seq);
// The rows that are PendingActive or DeferredNextTurn, in order.
std::vector<InputRow> WaitingInputs(Transaction& transaction, absl::string_view session_id);

// What a claim takes, in order, at most max_inputs. [TI-ACT-3,4; TI-NXT-2,3,4]
std::vector<InputRow> InputsForTurn(Transaction& transaction, absl::string_view session_id, absl::string_view turn_id,
                                    session_store::CheckpointKind checkpoint, uint64_t max_inputs);
std::vector<InputRow> InputsForNextTurn(Transaction& transaction, absl::string_view session_id,
                                        const session_store::LeaseOwnerIdentity& claimant, const LivenessProbe* probe,
                                        uint64_t max_inputs, EpochMs now);

// Puts the row under the claim, in this state.
void ClaimInput(Transaction& transaction, uint64_t enqueue_seq, session_store::TurnInputState state, const ClaimRecord& record);
// Gives back what the claim owns in the session. [TI-ABN-1,2]
void AbandonInputs(Transaction& transaction, absl::string_view session_id, absl::string_view claim_id,
                   absl::string_view lease_token);
void CancelInput(Transaction& transaction, uint64_t enqueue_seq);
// Completes what a completion lists; false where it does not own every input. An input listed twice is not owned the second
// time. [TI-CMT-4,5,6; TI-LAT-6,7]
bool CompleteInputs(Transaction& transaction, absl::string_view session_id, const session_store::TurnInputCompletion& completion);
// Defers what waits for the turn. [TI-CMT-10,11]
void InterruptTurn(Transaction& transaction, absl::string_view session_id, absl::string_view turn_id);
// Removes all tombstones and returns their number.
uint64_t VacuumInputs(Transaction& transaction);

}  // namespace leasecheck::sqlite

#endif  // LEASECHECK_ADAPTERS_SQLITE_TURN_INPUT_ROWS_H_
