// What answers tell of the order of concurrent calls, and which calls need no order: hints for the search (model/spec.h).
#include <algorithm>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/session_store/spec_internal.h"
#include "model/session_store/spec_turn_input_order.h"

namespace leasecheck::session_store {
namespace {

using Request = SessionStoreSpec::Request;
using Outcome = SessionStoreSpec::Outcome;
using Family = SessionStoreFamily;

template <class R>
const auto* AnswerTo(const Outcome& outcome) {
  return ResponseIf<Family, OperationIndexOf<Family, R>()>(outcome);
}

// Marks.

// A batch: 0 before its insert, 1 while it is stored, 2 once it is gone.
void MarkBatch(const std::string& id, uint64_t before, uint64_t after, std::vector<Mark>* marks) {
  marks->push_back({absl::StrCat("batch ", id), before, after});
}
void MarkStored(const std::vector<QueuedWorkBatch>& batches, std::vector<Mark>* marks) {
  for (const QueuedWorkBatch& batch : batches) MarkBatch(batch.batch_id, 1, 1, marks);
}
// The lane's fencing token, as the call found and left it.
void MarkLane(const std::string& session, uint64_t fencing, std::vector<Mark>* marks) {
  marks->push_back({absl::StrCat("lane ", session), fencing, fencing});
}
void MarkHead(const std::string& session, uint64_t before, uint64_t after, std::vector<Mark>* marks) {
  marks->push_back({absl::StrCat("head ", session), before, after});
}

struct MarksOf {
  template <class Request>
  void operator()(const Request& request) const {
    AppendInputMarks(request, outcome, marks);
  }
  const Outcome& outcome;
  std::vector<Mark>* marks;

  void operator()(const EnqueueQueuedWorkRequest& request) const {
    const auto* batch = AnswerTo<EnqueueQueuedWorkRequest>(outcome);
    if (batch == nullptr) return;
    // With a key it may be the replay of an earlier insert.
    MarkBatch(batch->batch_id, request.batch.source_key.has_value() ? 1 : 0, 1, marks);
  }
  void operator()(const CancelQueuedWorkBatchRequest&) const {
    const auto* cancelled = AnswerTo<CancelQueuedWorkBatchRequest>(outcome);
    if (cancelled != nullptr && cancelled->has_value()) MarkBatch((*cancelled)->batch_id, 1, 2, marks);
  }
  void operator()(const ListQueuedWorkRequest&) const {
    if (const auto* list = AnswerTo<ListQueuedWorkRequest>(outcome)) MarkStored(*list, marks);
  }
  void operator()(const ListPendingQueuedWorkRequest&) const {
    if (const auto* list = AnswerTo<ListPendingQueuedWorkRequest>(outcome)) MarkStored(*list, marks);
  }
  void operator()(const ClaimLeadingReadySessionCommandRequest& request) const { Claim(request, 1); }
  void operator()(const ClaimReadyQueuedWorkRequest& request) const { Claim(request, request.max_batches); }
  void operator()(const ClaimReadyQueuedWorkByBatchIdsRequest& request) const { Claim(request, request.batch_ids.size()); }
  void operator()(const TryClaimSessionExecutionLeaseRequest& request) const { Lane(request); }
  void operator()(const ReclaimSessionExecutionLeaseRequest& request) const { Lane(request); }
  void operator()(const RenewSessionExecutionLeaseRequest& request) const {
    const auto* lease = AnswerTo<RenewSessionExecutionLeaseRequest>(outcome);
    if (lease != nullptr) MarkLane(request.fence.session_id, lease->fencing_token, marks);
  }
  void operator()(const CommitRuntimeStateRequest& request) const { Commit(request.commit); }
  void operator()(const LoadSessionRequest&) const {
    const auto* loaded = AnswerTo<LoadSessionRequest>(outcome);
    if (loaded == nullptr || !loaded->has_value()) return;
    MarkHead((*loaded)->session_id, (*loaded)->head_revision, (*loaded)->head_revision, marks);
  }
  void operator()(const RenewQueuedWorkClaimRequest&) const {}
  void operator()(const AbandonQueuedWorkClaimRequest&) const {}
  void operator()(const ReleaseSessionExecutionLeaseRequest&) const {}

 private:
  // A claim that came past the fence check found the fence's lane.
  template <class R>
  void Claim(const R& request, uint64_t max) const {
    const auto* grant = AnswerTo<R>(outcome);
    if (grant == nullptr || max == 0) return;
    MarkLane(request.session_id, request.session_execution_lease.fencing_token, marks);
    if (!grant->has_value() || (*grant)->batches.empty()) return;
    MarkStored((*grant)->batches, marks);
    // The fencing tokens of grants with one head rise (QW-INV-8).
    const uint64_t fencing = (*grant)->fencing_token;
    marks->push_back({absl::StrCat("claims of ", (*grant)->batches.front().batch_id), fencing == 0 ? 0 : fencing - 1, fencing});
  }
  // Acquired anew, re-entered or busy: in each case the lane then has this fencing token.
  template <class R>
  void Lane(const R& request) const {
    const auto* answer = AnswerTo<R>(outcome);
    if (answer == nullptr) return;
    const auto* acquired = std::get_if<LeaseAcquired>(answer);
    const SessionExecutionLease& lease = acquired != nullptr ? acquired->lease : std::get<LeaseBusy>(*answer).holder;
    MarkLane(request.session_id, lease.fencing_token, marks);
  }
  void Commit(const RuntimeCommit& commit) const {
    const auto* result = AnswerTo<CommitRuntimeStateRequest>(outcome);
    if (result == nullptr) return;
    // A stamped one may be a replay, which shows what was recorded and reads nothing else.
    const bool replay = commit.turn_commit.has_value();
    MarkHead(commit.session_id, replay ? kAnythingBefore : result->head_revision - 1, result->head_revision, marks);
    if (replay) return;
    if (commit.session_execution_lease.has_value()) {
      MarkLane(commit.session_id, commit.session_execution_lease->fencing_token, marks);
    }
    for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) {
      for (const std::string& id : completion.batch_ids) MarkBatch(id, 1, 2, marks);
    }
  }
};

// Commuting. Each function speaks of one kind of call against all that come behind it in the order of `Kind`.

enum class Kind { kEnqueue, kClaim, kClaimError, kRenewal, kCancel, kList, kPending, kLane, kCommit, kLoad };

// One call, with what matters of it.
struct View {
  Kind kind;
  const Request& request;
  const Outcome& outcome;
  bool unseen;
};

template <class R>
bool LeaseWasExpired(const Outcome& outcome) {
  const auto* error = std::get_if<1>(&outcome);
  return error != nullptr && std::holds_alternative<SessionExecutionLeaseExpired>(*error);
}

struct KindOf {
  const Outcome& outcome;
  Kind operator()(const EnqueueQueuedWorkRequest&) const { return Kind::kEnqueue; }
  Kind operator()(const RenewQueuedWorkClaimRequest&) const { return Kind::kRenewal; }
  Kind operator()(const AbandonQueuedWorkClaimRequest&) const { return Kind::kRenewal; }
  Kind operator()(const CancelQueuedWorkBatchRequest&) const { return Kind::kCancel; }
  Kind operator()(const ListQueuedWorkRequest&) const { return Kind::kList; }
  Kind operator()(const ListPendingQueuedWorkRequest&) const { return Kind::kPending; }
  Kind operator()(const CommitRuntimeStateRequest&) const { return Kind::kCommit; }
  Kind operator()(const LoadSessionRequest&) const { return Kind::kLoad; }
  Kind operator()(const TryClaimSessionExecutionLeaseRequest&) const { return Kind::kLane; }
  Kind operator()(const ReclaimSessionExecutionLeaseRequest&) const { return Kind::kLane; }
  Kind operator()(const RenewSessionExecutionLeaseRequest&) const { return Kind::kLane; }
  Kind operator()(const ReleaseSessionExecutionLeaseRequest&) const { return Kind::kLane; }
  // The three claims. One that was refused by its fence looked at the lane only.
  template <class R>
  Kind operator()(const R&) const {
    return LeaseWasExpired<R>(outcome) ? Kind::kClaimError : Kind::kClaim;
  }
};

const QueuedWorkClaim* GrantIn(const Outcome& outcome) {
  for (const auto* answer :
       {AnswerTo<ClaimLeadingReadySessionCommandRequest>(outcome), AnswerTo<ClaimReadyQueuedWorkRequest>(outcome),
        AnswerTo<ClaimReadyQueuedWorkByBatchIdsRequest>(outcome)}) {
    if (answer != nullptr && answer->has_value() && !(*answer)->batches.empty()) return &**answer;
  }
  return nullptr;
}

bool HasClass(const QueuedWorkBatchDraft& draft) {
  return !draft.payloads.empty() && std::all_of(draft.payloads.begin(), draft.payloads.end(), [&](const auto& payload) {
    return payload.index() == draft.payloads.front().index();
  });
}

// A grant that could take no more does not see a batch behind all that it took. (One that could take more does, even where the
// batch does not join: it may be what ended the group.)
bool GrantIgnores(const View& claim, const EnqueueQueuedWorkRequest& enqueue, const QueuedWorkBatch& inserted) {
  const QueuedWorkClaim* grant = GrantIn(claim.outcome);
  if (grant == nullptr || inserted.enqueue_seq <= grant->batches.back().enqueue_seq || !HasClass(enqueue.batch)) return false;
  const auto* work = std::get_if<ClaimReadyQueuedWorkRequest>(&claim.request);
  if (work == nullptr) return true;  // one command, or as many as ids were given
  return grant->batches.size() >= work->max_batches || grant->batches.front().slot_policy == SlotPolicy::kExclusive;
}

bool EnqueueCommutes(const View& a, const View& b) {
  const auto& enqueue = std::get<EnqueueQueuedWorkRequest>(a.request);
  const auto* inserted = AnswerTo<EnqueueQueuedWorkRequest>(a.outcome);
  const bool keyed = enqueue.batch.source_key.has_value();
  switch (b.kind) {
    case Kind::kEnqueue: {
      const auto& other = std::get<EnqueueQueuedWorkRequest>(b.request);
      const auto* other_inserted = AnswerTo<EnqueueQueuedWorkRequest>(b.outcome);
      if (inserted == nullptr || other_inserted == nullptr) return false;
      if (inserted->batch_id == other_inserted->batch_id || inserted->enqueue_seq == other_inserted->enqueue_seq) return false;
      return !keyed || enqueue.batch.source_key != other.batch.source_key;
    }
    case Kind::kClaim:
      return inserted != nullptr && GrantIgnores(b, enqueue, *inserted);
    case Kind::kCancel: {
      const auto& cancel = std::get<CancelQueuedWorkBatchRequest>(b.request);
      const auto* cancelled = AnswerTo<CancelQueuedWorkBatchRequest>(b.outcome);
      if (keyed || inserted == nullptr || cancelled == nullptr || inserted->batch_id == cancel.batch_id) return false;
      // A number may be used again once its batch is gone (QW-LAT-14).
      return !cancelled->has_value() || (*cancelled)->enqueue_seq < inserted->enqueue_seq;
    }
    case Kind::kList:
    case Kind::kPending:
      return false;
    case Kind::kCommit: {
      return std::get<CommitRuntimeStateRequest>(b.request).commit.completed_queue_claims.empty();
    }
    default:
      return true;
  }
}

const std::string& ClaimIdOf(const Request& request) {
  const auto* renew = std::get_if<RenewQueuedWorkClaimRequest>(&request);
  return renew != nullptr ? renew->claim.claim_id : std::get<AbandonQueuedWorkClaimRequest>(request).claim.claim_id;
}

// A renewal or an abandonment touches the records of its own claim's rows only.
bool RenewalCommutes(const View& a, const View& b) {
  switch (b.kind) {
    case Kind::kRenewal:
      return ClaimIdOf(a.request) != ClaimIdOf(b.request);
    case Kind::kCommit: {
      const RuntimeCommit& commit = std::get<CommitRuntimeStateRequest>(b.request).commit;
      return std::none_of(commit.completed_queue_claims.begin(), commit.completed_queue_claims.end(),
                          [&](const auto& completion) { return completion.claim_id == ClaimIdOf(a.request); });
    }
    case Kind::kCancel:
    case Kind::kPending:
      return false;
    default:
      return true;
  }
}

bool CancelCommutes(const View& a, const View& b) {
  switch (b.kind) {
    case Kind::kCancel:
      return std::get<CancelQueuedWorkBatchRequest>(a.request).batch_id !=
             std::get<CancelQueuedWorkBatchRequest>(b.request).batch_id;
    case Kind::kCommit:
      return std::get<CommitRuntimeStateRequest>(b.request).commit.completed_queue_claims.empty();
    case Kind::kList:
    case Kind::kPending:
      return false;
    default:
      return true;
  }
}

// `a.kind` is not behind `b.kind`.
bool CommuteInOrder(const View& a, const View& b) {
  const auto settles = [&] { return !std::get<CommitRuntimeStateRequest>(b.request).commit.completed_queue_claims.empty(); };
  const auto releases = [&] {
    return std::get<CommitRuntimeStateRequest>(b.request).commit.release_session_execution_lease.has_value();
  };
  switch (a.kind) {
    case Kind::kEnqueue:
      return EnqueueCommutes(a, b);
    case Kind::kClaim:
      if (b.kind == Kind::kCommit) return !settles() && !releases();
      return b.kind == Kind::kClaimError || b.kind == Kind::kList || b.kind == Kind::kLoad;
    case Kind::kClaimError:
      if (b.kind == Kind::kCommit) return !releases();
      return b.kind != Kind::kLane;
    case Kind::kRenewal:
      return RenewalCommutes(a, b);
    case Kind::kCancel:
      return CancelCommutes(a, b);
    case Kind::kList:
    case Kind::kPending:
      return b.kind != Kind::kCommit || !settles();
    case Kind::kLane:
      return b.kind == Kind::kLoad;
    case Kind::kCommit:
    case Kind::kLoad:
      return a.kind == Kind::kLoad;
  }
  return false;
}

// The instant at which the call took effect, where the answer leaves no other.
std::optional<EpochMs> ExactInstant(const Request& request, const Outcome& outcome) {
  const auto* enqueue = std::get_if<EnqueueQueuedWorkRequest>(&request);
  if (enqueue != nullptr && enqueue->batch.source_key.has_value()) return std::nullopt;
  const auto* input = std::get_if<EnqueuePendingTurnInputRequest>(&request);
  if (input != nullptr && input->input.source_key.has_value()) return std::nullopt;
  return SessionStoreSpec::ReportedInstant(request, outcome);
}

// A successful call that only moves the expiry of the lane that was held: its fencing token and token. Not one that may have
// acquired it.
const SessionExecutionLease* ExtendedLane(const View& call) {
  if (const auto* renewed = AnswerTo<RenewSessionExecutionLeaseRequest>(call.outcome)) {
    return std::get<RenewSessionExecutionLeaseRequest>(call.request).lease_ttl_ms > 0 ? renewed : nullptr;
  }
  const auto* taken = AnswerTo<TryClaimSessionExecutionLeaseRequest>(call.outcome);
  if (taken == nullptr) return nullptr;
  const DurationMs ttl = std::get<TryClaimSessionExecutionLeaseRequest>(call.request).lease_ttl_ms;
  const auto* acquired = std::get_if<LeaseAcquired>(taken);
  if (acquired == nullptr || ttl == 0 || acquired->lease.expires_at_epoch_ms == kEndOfTime) return nullptr;
  const bool re_entered = acquired->lease.claimed_at_epoch_ms != acquired->lease.expires_at_epoch_ms - ttl;
  return re_entered ? &acquired->lease : nullptr;
}
DurationMs TtlOf(const View& lane_call) {
  const auto* renew = std::get_if<RenewSessionExecutionLeaseRequest>(&lane_call.request);
  return renew != nullptr ? renew->lease_ttl_ms : std::get<TryClaimSessionExecutionLeaseRequest>(lane_call.request).lease_ttl_ms;
}

// Where it differs a refusal need not tell anything of the lane (TI-LAT-17).
template <class Claim>
bool SameOwner(const Claim& claim) {
  return spec_internal::SameIncarnation(claim.owner, claim.session_execution_lease.owner);
}

const SessionExecutionLeaseFence* FenceIn(const Request& request) {
  if (const auto* claim = std::get_if<ClaimLeadingReadySessionCommandRequest>(&request)) return &claim->session_execution_lease;
  if (const auto* claim = std::get_if<ClaimReadyQueuedWorkRequest>(&request)) {
    return claim->max_batches == 0 ? nullptr : &claim->session_execution_lease;
  }
  if (const auto* claim = std::get_if<ClaimReadyQueuedWorkByBatchIdsRequest>(&request)) {
    return claim->batch_ids.empty() ? nullptr : &claim->session_execution_lease;
  }
  if (const auto* claim = std::get_if<ClaimActiveTurnInputsRequest>(&request)) {
    return claim->max_inputs == 0 || !SameOwner(*claim) ? nullptr : &claim->session_execution_lease;
  }
  if (const auto* claim = std::get_if<ClaimNextTurnInputsRequest>(&request)) {
    return claim->max_inputs == 0 || !SameOwner(*claim) ? nullptr : &claim->session_execution_lease;
  }
  const auto* commit = std::get_if<CommitRuntimeStateRequest>(&request);
  if (commit == nullptr || !commit->commit.session_execution_lease.has_value()) return nullptr;
  if (commit->commit.turn_commit.has_value() || commit->commit.release_session_execution_lease.has_value()) return nullptr;
  return &*commit->commit.session_execution_lease;
}

// A call that extends the lane, and another call that needs the lane or was refused for want of one. Both lie at one instant
// (calls at different ones are never neighbours), at which the lane is live before and after the extension.
bool ExtensionCommutes(const View& extension, const View& other) {
  const SessionExecutionLease* lane = ExtendedLane(extension);
  if (lane == nullptr || other.unseen) return false;
  if (const SessionExecutionLease* other_lane = ExtendedLane(other)) {
    return lane->lease_token == other_lane->lease_token && TtlOf(extension) == TtlOf(other);
  }
  const SessionExecutionLeaseFence* fence = FenceIn(other.request);
  if (fence == nullptr || fence->session_id != lane->session_id) return false;
  const auto* error = std::get_if<1>(&other.outcome);
  const bool refused = error != nullptr && std::holds_alternative<SessionExecutionLeaseExpired>(*error);
  const bool same = fence->lease_token == lane->lease_token && fence->fencing_token == lane->fencing_token;
  return same != refused;
}

// Two enqueues that ask for one id: of the second the store may refuse it, whatever the sessions (TI-LAT-3).
bool SameInputId(const Request& a, const Request& b) {
  const auto* first = std::get_if<EnqueuePendingTurnInputRequest>(&a);
  const auto* second = std::get_if<EnqueuePendingTurnInputRequest>(&b);
  return first != nullptr && second != nullptr && first->input.input_id.has_value() &&
         first->input.input_id == second->input.input_id;
}

struct ReadsClockOf {
  bool operator()(const ListQueuedWorkRequest&) const { return false; }
  bool operator()(const LoadSessionRequest&) const { return false; }
  bool operator()(const AbandonQueuedWorkClaimRequest&) const { return false; }
  bool operator()(const ReleaseSessionExecutionLeaseRequest&) const { return false; }
  bool operator()(const AbandonTurnInputClaimRequest&) const { return false; }
  bool operator()(const VacuumRequest&) const { return false; }
  template <class R>
  bool operator()(const R&) const {
    return true;
  }
};

}  // namespace

bool SessionStoreSpec::ChangesNothing(const Request& request, const Outcome& outcome, const Context& context) {
  if (OperationEffect<Family>(request.index()) == Effect::kRead) return true;
  if (outcome.index() == 1) return true;
  if (outcome.index() != 0 || Parts(request, outcome, context) != 1) return false;
  // Not a claim by ids: what it took and gave back may have ended a claim (QW-LAT-22).
  for (const auto* answer :
       {AnswerTo<ClaimLeadingReadySessionCommandRequest>(outcome), AnswerTo<ClaimReadyQueuedWorkRequest>(outcome)}) {
    if (answer != nullptr) return !answer->has_value();
  }
  if (const auto* cancelled = AnswerTo<CancelQueuedWorkBatchRequest>(outcome)) return !cancelled->has_value();
  for (const auto* answer :
       {AnswerTo<TryClaimSessionExecutionLeaseRequest>(outcome), AnswerTo<ReclaimSessionExecutionLeaseRequest>(outcome)}) {
    if (answer != nullptr) return std::holds_alternative<LeaseBusy>(*answer);
  }
  return LeavesInputs(outcome);
}

void SessionStoreSpec::AppendMarks(const Request& request, const Outcome& outcome, std::vector<Mark>* marks) {
  std::visit(MarksOf{outcome, marks}, request);
  if (const std::optional<EpochMs> instant = ExactInstant(request, outcome))
    marks->push_back({kClockCounter, *instant, *instant});
}

bool SessionStoreSpec::Commute(const Request& a, const Outcome& outcome_a, const Request& b, const Outcome& outcome_b) {
  const std::optional<std::string> key_a = PartitionKey(a);
  const std::optional<std::string> key_b = PartitionKey(b);
  if (const std::optional<bool> commute = InputsCommute(a, outcome_a, b, outcome_b)) {
    if (key_a.has_value() && key_b.has_value() && *key_a != *key_b) return !SameInputId(a, b);
    if (*commute) return true;
    const std::optional<EpochMs> instant_a = ExactInstant(a, outcome_a);
    const std::optional<EpochMs> instant_b = ExactInstant(b, outcome_b);
    if (instant_a.has_value() && instant_b.has_value() && *instant_a != *instant_b) return true;
    const View input_a{Kind::kLoad, a, outcome_a, outcome_a.index() > 1};
    const View input_b{Kind::kLoad, b, outcome_b, outcome_b.index() > 1};
    return ExtensionCommutes(input_a, input_b) || ExtensionCommutes(input_b, input_a);
  }
  const View view_a{std::visit(KindOf{outcome_a}, a), a, outcome_a, outcome_a.index() > 1};
  const View view_b{std::visit(KindOf{outcome_b}, b), b, outcome_b, outcome_b.index() > 1};
  const bool bind = view_a.kind >= Kind::kCommit && view_b.kind >= Kind::kCommit;
  if (key_a.has_value() && key_b.has_value() && *key_a != *key_b) return !bind;
  const std::optional<EpochMs> instant_a = ExactInstant(a, outcome_a);
  const std::optional<EpochMs> instant_b = ExactInstant(b, outcome_b);
  if (instant_a.has_value() && instant_b.has_value() && *instant_a != *instant_b) return true;
  if (ExtensionCommutes(view_a, view_b) || ExtensionCommutes(view_b, view_a)) return true;
  return view_a.kind <= view_b.kind ? CommuteInOrder(view_a, view_b) : CommuteInOrder(view_b, view_a);
}

bool SessionStoreSpec::ReadsClock(const Request& request) { return std::visit(ReadsClockOf(), request); }

}  // namespace leasecheck::session_store
