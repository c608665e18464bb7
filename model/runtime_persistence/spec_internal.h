// What the files of the spec share. Not for others to include.
//
// Each operation has one JudgeCall. It first decides, reading only, and then changes the state: a refusal leaves it as it was.
#ifndef LEASECHECK_MODEL_RUNTIME_PERSISTENCE_SPEC_INTERNAL_H_
#define LEASECHECK_MODEL_RUNTIME_PERSISTENCE_SPEC_INTERNAL_H_

#include <algorithm>
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
#include "model/runtime_persistence/clauses.h"
#include "model/runtime_persistence/spec.h"

namespace leasecheck::runtime_persistence::spec_internal {

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

template <class Request>
Answer<typename OperationAt<RuntimePersistenceFamily, OperationIndexOf<RuntimePersistenceFamily, Request>()>::Response>
AnswerFrom(const RuntimePersistenceSpec::Outcome& outcome) {
  return {ResponseIf<RuntimePersistenceFamily, OperationIndexOf<RuntimePersistenceFamily, Request>()>(outcome),
          std::get_if<1>(&outcome), std::holds_alternative<Indefinite>(outcome)};
}

// A call being judged, with what it is judged against.
struct Judge {
  SpecState& state;
  EpochMs now;
  const RuntimePersistenceSpec::Context& context;
  std::vector<SpecState>* alternatives;  // may be null

  bool counting() const { return context.hits != nullptr; }
  template <ClauseId kId>
  void Held(bool applies = true) const {
    if (applies && counting()) context.hits->Add(Clause<kId>(), Sense::kHeld);
  }
  template <ClauseId kId>
  void Refused(bool applies = true) const {
    if (applies && counting()) context.hits->Add(Clause<kId>(), Sense::kRefused);
  }
  bool Declares(absl::string_view point, absl::string_view word) const {
    return context.setup.dialects != nullptr && leasecheck::Declares(*context.setup.dialects, point, word);
  }
  bool LiveClaim(const Row& row) const { return row.claim != nullptr && row.claim->LiveAt(now); }
  bool OverlapsAny(absl::FunctionRef<bool(const RuntimePersistenceSpec::Request&)> predicate) const {
    return context.overlap != nullptr && context.overlap->Any(predicate);
  }
  // Adds `other` as another state that the answer allows, unless it is the one that the step leaves anyway.
  void AddAlternative(SpecState other) const {
    if (alternatives != nullptr && !(other == state)) alternatives->push_back(std::move(other));
  }
};

// Ascending lists as sets.
inline bool Contains(const std::vector<std::string>& sorted, absl::string_view text) {
  return std::binary_search(sorted.begin(), sorted.end(), text);
}
void AddTo(std::vector<std::string>& sorted, absl::string_view text);
void RemoveFrom(std::vector<std::string>& sorted, absl::string_view text);
// A session and something of it, as one string.
std::string Joined(absl::string_view session, absl::string_view rest);

// Pointers first: states that share a value need no comparison.
template <class T>
bool SameValue(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

// The graph (spec_graph.cc).

// Whether a store may reject the delta: it names a node twice, or appends one that is stored (RP-LAT-6).
bool IsOddDelta(const SpecState& state, const GraphCommitDelta& delta);
void ApplyDelta(const Judge& judge, SpecState& state, const GraphCommitDelta& delta);
const std::optional<std::string>& LeafOf(const GraphCommitDelta& delta);
// Whether `graph` is what a read of the scope shows; else the clause that it breaks.
Verdict CheckGraph(const Judge& judge, const SessionReadScope& scope, const SessionGraph& graph);
void CountGraph(const Judge& judge, const SessionReadScope& scope);
// Takes over the order of nodes where a full graph shows it for the first time.
void BindOrder(SpecState& state, const SessionGraph& graph);

// The atomic steps of a tombstoning (RP-LAT-23).
int TombstoneParts(const RuntimePersistenceSpec::Context& context, const TombstoneNodesRequest& request);

// The ledger (spec_ledger.cc).
void ApplyUsage(SpecState& state, const std::vector<TokenLedgerEntry>& deltas);
// Whether the read ledger is right; `choice` becomes what it shows of the store's counting.
bool MatchesLedger(const SpecState& state, const std::vector<TokenLedgerEntry>& ledger, Choice* choice);
void CountLedger(const Judge& judge);

// Checkpoints (spec_checkpoint.cc).

Verdict CheckResult(const SpecState& state, const HydratedSessionCheckpoint& given, const RuntimeCommitResult& result);
// Makes `saved`, in the head and in every turn that has it, the one with this result's refs.
void BindSaved(SpecState& state, const std::shared_ptr<const SavedCheckpoint>& saved, const BlobRef& ref,
               const SessionCheckpoint& manifest);
// Of blobs that the head does not name nothing is sure any more.
void ReleaseBlobs(SpecState& state);
// The checkpoint part of a read; what it shows for the first time is in `manifest`.
Verdict CheckReadCheckpoint(const SpecState& state, const PersistedSessionRead& read, SessionCheckpoint* manifest);
void CountReadCheckpoint(const Judge& judge, const PersistedSessionRead& read);

// The queue (spec_queue.cc).

// Positions of rows, ascending.
using Indices = absl::InlinedVector<std::size_t, 8>;

// Whether `batch` may be what row `index` holds: equal to it where it was seen, else a possible first sight of it.
bool Fits(const Rows& rows, std::size_t index, const QueuedWorkBatch& batch);
void Bind(Rows& rows, std::size_t index, const QueuedWorkBatch& batch);
void RemoveRows(const Judge& judge, SpecState& state, const Indices& indices);
bool HasSession(const SpecState& state, absl::string_view session_id);
// Whether a call that can see or change the session's queue overlaps the one being judged; and whether one does that locks rows.
bool QueueOverlapped(const RuntimePersistenceSpec::Context& context, absl::string_view session_id);
bool RowsLocked(const RuntimePersistenceSpec::Context& context, absl::string_view session_id);

inline bool Owns(const Row& row, absl::string_view session_id, absl::string_view claim_id, absl::string_view lease_token) {
  return row.claim != nullptr && row.claim->seen && row.claim->claim_id == claim_id && row.claim->lease_token == lease_token &&
         row.session() == session_id;
}
// The rows that a claim value owns.
Indices OwnedRows(const Rows& rows, absl::string_view session_id, absl::string_view claim_id, absl::string_view lease_token);

// How a commit's completions stand, were everything else in order.
enum class CompletionFate { kFine, kMayFail, kMustFail };
CompletionFate FateOf(const Judge& judge, const RuntimeCommit& commit, std::size_t index);

// Claims (spec_claim.cc).

struct ClaimCall {
  absl::string_view session_id;
  absl::string_view owner_id;
  QueuedWorkClaimBoundary boundary;
  DurationMs ttl;
  uint64_t max;
  const std::vector<std::string>* ids = nullptr;  // of a claim by ids
};
ClaimCall CallOf(const ClaimReadyQueuedWorkRequest& request);
ClaimCall CallOf(const ClaimReadyQueuedWorkByBatchIdsRequest& request);

// What a plain claim of so many batches may do now.
struct Forecast {
  Indices candidates;
  bool boundary = false;       // the head may not be delivered at this boundary
  std::vector<Indices> takes;  // the groups that it may take; the first is the longest of the head
  bool may_be_none = false;    // where it takes something it may also take nothing, for another call is in the way (RP-LAT-22)
};
Forecast ForecastClaim(const Judge& judge, const ClaimCall& call);
bool HasIds(const Rows& rows, const Indices& take, const std::vector<std::string>& ids);

// Attachments (spec_attachments.cc).
void StampAttachments(const Judge& judge, SpecState& state, absl::string_view session_id, const std::vector<std::string>& ids);

Verdict JudgeCall(Judge& judge, const LoadSessionRequest& request, const Answer<std::optional<PersistedSessionRead>>& answer);
Verdict JudgeCall(Judge& judge, const LoadNodeRequest& request, const Answer<std::optional<SessionNodeRecord>>& answer);
Verdict JudgeCall(Judge& judge, const CommitRuntimeStateRequest& request, const Answer<RuntimeCommitResult>& answer);
Verdict JudgeCall(Judge& judge, const SaveSessionMetaRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const LoadSessionMetaRequest& request, const Answer<std::optional<SessionMeta>>& answer);
Verdict JudgeCall(Judge& judge, const TombstoneNodesRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const VacuumRequest& request, const Answer<VacuumReport>& answer);
Verdict JudgeCall(Judge& judge, const GcUnreachableRequest& request, const Answer<GcReport>& answer);
Verdict JudgeCall(Judge& judge, const DurabilityTierRequest& request, const Answer<DurabilityTier>& answer);
Verdict JudgeCall(Judge& judge, const EnqueueQueuedWorkRequest& request, const Answer<QueuedWorkBatch>& answer);
Verdict JudgeCall(Judge& judge, const ClaimReadyQueuedWorkRequest& request, const Answer<std::optional<QueuedWorkClaim>>& answer);
Verdict JudgeCall(Judge& judge, const ClaimReadyQueuedWorkByBatchIdsRequest& request,
                  const Answer<std::optional<QueuedWorkClaim>>& answer);
Verdict JudgeCall(Judge& judge, const RenewQueuedWorkClaimRequest& request, const Answer<QueuedWorkClaim>& answer);
Verdict JudgeCall(Judge& judge, const AbandonQueuedWorkClaimRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const CancelQueuedWorkBatchRequest& request,
                  const Answer<std::optional<QueuedWorkBatch>>& answer);
Verdict JudgeCall(Judge& judge, const ListQueuedWorkRequest& request, const Answer<std::vector<QueuedWorkBatch>>& answer);
Verdict JudgeCall(Judge& judge, const ListPendingQueuedWorkRequest& request, const Answer<std::vector<QueuedWorkBatch>>& answer);
Verdict JudgeCall(Judge& judge, const RecordIntentRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const CommitRefsRequest& request, const Answer<Done>& answer);
Verdict JudgeCall(Judge& judge, const ListUncommittedRequest& request,
                  const Answer<std::vector<AttachmentManifestEntry>>& answer);
Verdict JudgeCall(Judge& judge, const ForgetRequest& request, const Answer<Done>& answer);

// The provided methods of a store that declares RP-DEF = default (spec_defaults.cc); nullptr-like where the operation has none.
Verdict JudgeDefault(const Judge& judge, const RuntimePersistenceSpec::Request& request,
                     const RuntimePersistenceSpec::Outcome& outcome);
// Whether the operation is one of the nine provided ones.
bool IsProvided(const RuntimePersistenceSpec::Request& request);

}  // namespace leasecheck::runtime_persistence::spec_internal

#endif  // LEASECHECK_MODEL_RUNTIME_PERSISTENCE_SPEC_INTERNAL_H_
