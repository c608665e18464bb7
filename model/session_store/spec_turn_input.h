// What the files of the spec share about turn inputs. Not for others to include.
#ifndef LEASECHECK_MODEL_SESSION_STORE_SPEC_TURN_INPUT_H_
#define LEASECHECK_MODEL_SESSION_STORE_SPEC_TURN_INPUT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/session_store/spec_internal.h"

namespace leasecheck::session_store::spec_internal {

inline constexpr std::size_t kNoInput = static_cast<std::size_t>(-1);

inline bool IsTerminal(TurnInputState state) {
  return state == TurnInputState::kCancelled || state == TurnInputState::kCompleted;
}
// The ingress as it is now.
const TurnInputIngress& IngressOf(const InputRow& row);
// The row waits: it is listed, and a cancel cancels it.
inline bool IsWaiting(const Judge& judge, const InputRow& row) {
  return !IsTerminal(row.state) && row.state != TurnInputState::kAccepted && !judge.LiveClaim(row);
}
// Accepted under a claim that lapsed, in a store that lets nobody take it again (TI-LAT-1).
inline bool IsStranded(const Judge& judge, const InputRow& row) {
  return row.state == TurnInputState::kAccepted && !judge.LiveClaim(row) && !judge.Declares("TI-LAT-1", "reacquire");
}
// Whether the turn was committed before: it ended.
bool TurnEnded(const SessionState& session, const TurnInputIngress& ingress);

// The row of this id, key or target; kNoInput where there is none, or where its id was not seen yet.
std::size_t FindInput(const InputRows& rows, absl::string_view input_id);
std::size_t FindInputKey(const InputRows& rows, absl::string_view source_key);
std::size_t FindTarget(const InputRows& rows, const PendingTurnInputCancelTarget& target);
// Whether the target names a row of another session, or one that vacuum removed from this one.
bool NamesElsewhere(const Judge& judge, absl::string_view session_id, const PendingTurnInputCancelTarget& target);
bool NamesVacuumed(const SessionState& session, const PendingTurnInputCancelTarget& target);

// Whether `record` is row `index`, in `state` where that is to differ from the row's: equal to it where it was seen, else a
// possible first sight of it.
bool ShowsInput(const InputRows& rows, std::size_t index, const PendingTurnInput& record, TurnInputState state);
inline bool ShowsInput(const InputRows& rows, std::size_t index, const PendingTurnInput& record) {
  return ShowsInput(rows, index, record, rows[index].state);
}
// The row whose record this may be; kNoInput where there is none.
std::size_t RowShownBy(const InputRows& rows, const PendingTurnInput& record);
// Takes over the id and number of a row's first sight. Does nothing for a seen row.
void BindInput(InputRows& rows, std::size_t index, const PendingTurnInput& record);
// After rows of `session` were bound.
void NoteSequence(SessionState& session);
bool IsSorted(const std::vector<PendingTurnInput>& records);

// The rows that carry this claim's id and token (TI-ABN-1).
Indices OwnedInputs(const InputRows& rows, absl::string_view claim_id, absl::string_view lease_token);

// Whether a call that writes turn inputs of the session overlaps the one being judged. Then it may fail with Backend, without
// effect (TI-LAT-18).
bool InputsOverlapped(const Judge& judge, absl::string_view session_id);

// How an enqueue stands to the rows that are there.
struct Admission {
  enum class Kind {
    kFresh,       // a new row
    kTaken,       // its input_id is a row's of the session
    kMayBeTaken,  // ... of another session's, where the store may refuse it (TI-LAT-3)
    kReplay,      // its key and content are `twin`'s
    kConflict,    // its key is `twin`'s, its content is not
    kEither,      // `twin` was deferred since: one of the last two (TI-LAT-4)
  };
  Kind kind = Kind::kFresh;
  std::size_t twin = kNoInput;
};
Admission Admit(const Judge& judge, const SessionState& session, const PendingTurnInputDraft& draft);

// What a cancel makes of a row, in the order of PendingTurnInputCancelOutcome.
enum class CancelFate : std::size_t { kCancelled, kClaimed, kCompleted, kAlreadyCancelled, kNotFound };
CancelFate FateOfCancel(const Judge& judge, const InputRow& row);

// Either of the two claims.
struct InputClaimCall {
  bool active;  // for a running turn
  absl::string_view session_id;
  const SessionExecutionLeaseFence& fence;
  const LeaseOwnerIdentity& owner;
  TurnInputClaimMode mode;
  DurationMs ttl;
  uint64_t max;
};
InputClaimCall CallOf(const ClaimActiveTurnInputsRequest& request);
InputClaimCall CallOf(const ClaimNextTurnInputsRequest& request);
// The rows that a claim takes now, were its fence valid. `from_dead`: a holder that is definitely dead holds nothing (TI-LAT-16).
Indices ForecastInputs(const Judge& judge, const InputRows& rows, const InputClaimCall& call, bool from_dead);
// What a checkpoint admits for a turn.
bool AdmitsInput(const InputRow& row, absl::string_view turn_id, CheckpointKind checkpoint);

// Turn inputs in a commit.
inline bool ConcernsInputs(const RuntimeCommit& commit) {
  return !commit.completed_turn_input_claims.empty() || commit.interrupted_turn_input_turn_id.has_value();
}
// How one of its completions stands, were everything else in order.
CompletionFate FateOfInputs(const Judge& judge, const SessionState& session, const RuntimeCommit& commit, std::size_t index);
struct InputCompletions {
  bool must_fail = false;
  bool may_fail = false;
  std::size_t first_bad = 0;  // of must_fail
};
InputCompletions FateOfAllInputs(const Judge& judge, const SessionState& session, const RuntimeCommit& commit);
// The clause that success breaks, where completion `index` has to fail.
Verdict BlameInputCompletion(const InputRows& rows, const RuntimeCommit& commit, std::size_t index);
// TurnInputClaimExpired, where everything in front of the turn inputs is in order.
Verdict JudgeInputExpired(const Judge& judge, const SessionState& session, const RuntimeCommit& commit,
                          const InputCompletions& fate, const TurnInputClaimExpired& expired);
void CountInputsSettled(const Judge& judge, const SessionState& session, const RuntimeCommit& commit);
// Completes, then defers.
void SettleInputs(SessionState& session, const RuntimeCommit& commit);

// What vacuum removes from the session: how many rows.
std::size_t CountTombstones(const SessionState& session);
// The sessions that vacuum reaches, in every way that it may (TI-LAT-13): an empty optional is all of them.
std::vector<std::optional<std::string>> VacuumReaches(const Judge& judge);

}  // namespace leasecheck::session_store::spec_internal

#endif  // LEASECHECK_MODEL_SESSION_STORE_SPEC_TURN_INPUT_H_
