// What the files of the spec share. Not for others to include.
//
// Each operation has one JudgeCall. It first decides, reading only, and then changes the state: a refusal leaves it as it was.
#ifndef LEASECHECK_MODEL_SESSION_STORE_SPEC_INTERNAL_H_
#define LEASECHECK_MODEL_SESSION_STORE_SPEC_INTERNAL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "model/session_store/clauses.h"
#include "model/session_store/spec.h"

namespace leasecheck::session_store::spec_internal {

// nullopt: allowed; else the clause that forbids it.
using Verdict = std::optional<ClauseIndex>;
inline constexpr Verdict kAllowed = std::nullopt;

template <ClauseId kId>
constexpr Verdict Refuse() {
  return Clause<kId>();
}

// One outcome, seen as an operation's own: exactly one of response, error and unseen holds.
template <class Response>
struct Answer {
  const Response* response = nullptr;
  const StoreError* error = nullptr;
  bool unseen = false;

  template <class Error>
  const Error* ErrorIf() const {
    return error == nullptr ? nullptr : std::get_if<Error>(error);
  }
  bool IsBackend() const { return ErrorIf<Backend>() != nullptr; }
};

// A call being judged, with what it is judged against.
struct Judge {
  SpecState& state;
  EpochMs now;
  const SessionStoreSpec::Context& context;
  std::vector<SpecState>* alternatives;  // may be null

  bool counting() const { return context.hits != nullptr; }
  // Whether it matters which clause a refusal names.
  bool blames() const { return !context.any_clause; }
  template <ClauseId kId>
  void Held(bool applies = true) const {
    if (applies && counting()) context.hits->Add(Clause<kId>(), Sense::kHeld);
  }
  template <ClauseId kId>
  void Refused(bool applies = true) const {
    if (applies && counting()) context.hits->Add(Clause<kId>(), Sense::kRefused);
  }

  // The session as it is; an empty one where there is none.
  const SessionState& Session(absl::string_view id) const;
  bool Declares(absl::string_view point, absl::string_view word) const;
  bool DefinitelyDead(const LeaseOwnerIdentity& holder, const LeaseOwnerIdentity& claimant) const;
  // Dead to claimants of its own host and boot.
  bool DeadAtHome(const LeaseOwnerIdentity& holder) const;
  bool LiveClaim(const Row& row) const { return row.claim != nullptr && row.claim->expires.LiveAt(now); }
  bool LiveClaim(const InputRow& row) const { return row.claim != nullptr && row.claim->expires.LiveAt(now); }
  bool LiveLane(const SessionState& session) const { return session.holder != nullptr && session.holder->expires.LiveAt(now); }
  bool OverlapsCall(CallIndex call) const;
  bool OverlapsAny(absl::FunctionRef<bool(const SessionStoreSpec::Request&)> predicate) const;
  void AddAlternative(SpecState other) const {
    if (alternatives != nullptr) alternatives->push_back(std::move(other));
  }
};

// Times above this one may be refused (QW-LAT-13).
inline constexpr EpochMs kLastSignedTime = 9223372036854775807u;
inline bool BeyondSigned(EpochMs time) { return time > kLastSignedTime; }

inline bool SameIncarnation(const LeaseOwnerIdentity& a, const LeaseOwnerIdentity& b) {
  return a.owner_id == b.owner_id && a.incarnation_id == b.incarnation_id;
}

// Whether a fence or a release matches the session's stored lane, lapsed or not. Session ids are compared by the caller.
template <class Proof>
bool MatchesLane(const SessionState& session, const Proof& proof) {
  const LaneHolder* holder = session.holder.get();
  return holder != nullptr && holder->seen && session.lane_fencing == proof.fencing_token &&
         holder->lease_token == proof.lease_token && SameIncarnation(holder->owner, proof.owner);
}
// Whether a fence is valid for a call on `session_id` now (QW-CMD-1).
bool FenceValid(const Judge& judge, const SessionState& session, absl::string_view session_id,
                const SessionExecutionLeaseFence& fence);

// Whether `batch` may be what row `index` holds: equal to it where it was seen, else a possible first sight of it.
bool Fits(const SessionState& session, std::size_t index, const QueuedWorkBatch& batch);
// Takes over the ids of a row's first sight. Does nothing for a seen row.
void Bind(SessionState& session, std::size_t index, const QueuedWorkBatch& batch);
bool ItemIdsDistinct(const QueuedWorkBatch& batch);

// Whether the record is the one that this id and token name.
inline bool Owns(const std::shared_ptr<const ClaimRecord>& record, absl::string_view claim_id, absl::string_view lease_token) {
  return record != nullptr && record->seen && record->claim_id == claim_id && record->lease_token == lease_token;
}

// Positions of rows, ascending unless said otherwise.
using Indices = absl::InlinedVector<std::size_t, 8>;

// Puts a new row before that of the position.
void InsertRow(SessionState& session, std::size_t position, std::shared_ptr<const StoredBatch> stored);
// Removes rows and remembers the keys that became free.
void RemoveRows(SessionState& session, const Indices& indices);

// Any of the three claims.
struct ClaimCall {
  enum class Kind { kCommand, kWork, kByIds };
  Kind kind;
  absl::string_view session_id;
  const SessionExecutionLeaseFence& fence;
  const LeaseOwnerIdentity& owner;
  QueuedWorkClaimBoundary boundary;
  DurationMs ttl;
  uint64_t max;
  const std::vector<std::string>* ids = nullptr;  // of kByIds
};

// What a claim would do now, were its fence valid.
struct Forecast {
  enum class Gate {
    kOpen,       // a grant of `run`
    kEmpty,      // nothing is claimable
    kClass,      // the head is of the other class
    kBoundary,   // the head may not be delivered at this boundary
    kClassless,  // the head has no class
  };
  Gate gate = Gate::kEmpty;
  bool classless = false;  // some candidate has no class
  Indices candidates;
  Indices run;
};
Forecast ForecastClaim(const Judge& judge, const SessionState& session, const ClaimCall& call);
// Whether the ids asked for are exactly those of the run.
bool RunMatchesIds(const SessionState& session, const Forecast& forecast, const std::vector<std::string>& ids);

// Whether a call that can see or change this session overlaps the one being judged.
bool SessionOverlapped(const SessionStoreSpec::Context& context, absl::string_view session_id);

ClaimCall CallOf(const ClaimLeadingReadySessionCommandRequest& request);
ClaimCall CallOf(const ClaimReadyQueuedWorkRequest& request);
ClaimCall CallOf(const ClaimReadyQueuedWorkByBatchIdsRequest& request);

// The rows that a claim value owns (QW-REN-1).
Indices OwnedRows(const SessionState& session, absl::string_view claim_id, absl::string_view lease_token);

// How a commit's completions stand, were everything else in order.
enum class CompletionFate { kFine, kMayFail, kMustFail };
CompletionFate FateOf(const Judge& judge, const SessionState& session, const RuntimeCommit& commit, std::size_t index);

Verdict JudgeCall(Judge& judge, const EnqueueQueuedWorkRequest& request, const Answer<QueuedWorkBatch>& answer);
Verdict JudgeCall(Judge& judge, const ClaimLeadingReadySessionCommandRequest& request,
                  const Answer<std::optional<QueuedWorkClaim>>& answer);
Verdict JudgeCall(Judge& judge, const ClaimReadyQueuedWorkRequest& request, const Answer<std::optional<QueuedWorkClaim>>& answer);
Verdict JudgeCall(Judge& judge, const ClaimReadyQueuedWorkByBatchIdsRequest& request,
                  const Answer<std::optional<QueuedWorkClaim>>& answer);
Verdict JudgeCall(Judge& judge, const RenewQueuedWorkClaimRequest& request, const Answer<QueuedWorkClaim>& answer);
Verdict JudgeCall(Judge& judge, const AbandonQueuedWorkClaimRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const CancelQueuedWorkBatchRequest& request,
                  const Answer<std::optional<QueuedWorkBatch>>& answer);
Verdict JudgeCall(Judge& judge, const ListQueuedWorkRequest& request, const Answer<std::vector<QueuedWorkBatch>>& answer);
Verdict JudgeCall(Judge& judge, const ListPendingQueuedWorkRequest& request, const Answer<std::vector<QueuedWorkBatch>>& answer);
Verdict JudgeCall(Judge& judge, const TryClaimSessionExecutionLeaseRequest& request,
                  const Answer<SessionExecutionLeaseClaimOutcome>& answer);
Verdict JudgeCall(Judge& judge, const ReclaimSessionExecutionLeaseRequest& request,
                  const Answer<SessionExecutionLeaseClaimOutcome>& answer);
Verdict JudgeCall(Judge& judge, const RenewSessionExecutionLeaseRequest& request, const Answer<SessionExecutionLease>& answer);
Verdict JudgeCall(Judge& judge, const ReleaseSessionExecutionLeaseRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const CommitRuntimeStateRequest& request, const Answer<RuntimeCommitResult>& answer);
Verdict JudgeCall(Judge& judge, const LoadSessionRequest& request, const Answer<std::optional<LoadedSession>>& answer);

Verdict JudgeCall(Judge& judge, const EnqueuePendingTurnInputRequest& request, const Answer<PendingTurnInput>& answer);
Verdict JudgeCall(Judge& judge, const ListPendingTurnInputsRequest& request, const Answer<std::vector<PendingTurnInput>>& answer);
Verdict JudgeCall(Judge& judge, const CancelPendingTurnInputsRequest& request,
                  const Answer<std::vector<PendingTurnInputCancelResult>>& answer);
Verdict JudgeCall(Judge& judge, const CancelPendingTurnInputRequest& request,
                  const Answer<PendingTurnInputCancelOutcome>& answer);
Verdict JudgeCall(Judge& judge, const CancelPendingTurnInputSuffixRequest& request,
                  const Answer<PendingTurnInputSuffixCancelOutcome>& answer);
Verdict JudgeCall(Judge& judge, const ClaimActiveTurnInputsRequest& request, const Answer<std::optional<TurnInputClaim>>& answer);
Verdict JudgeCall(Judge& judge, const ClaimNextTurnInputsRequest& request, const Answer<std::optional<TurnInputClaim>>& answer);
Verdict JudgeCall(Judge& judge, const AbandonTurnInputClaimRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const VacuumRequest& request, const Answer<VacuumReport>& answer);

}  // namespace leasecheck::session_store::spec_internal

#endif  // LEASECHECK_MODEL_SESSION_STORE_SPEC_INTERNAL_H_
