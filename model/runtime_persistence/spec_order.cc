// What answers tell of the order of concurrent calls, and which calls need no order: hints for the search (model/spec.h); and
// which calls get in each other's way.
#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/runtime_persistence/spec_internal.h"

namespace leasecheck::runtime_persistence {
namespace {

using Request = RuntimePersistenceSpec::Request;
using Outcome = RuntimePersistenceSpec::Outcome;
using Family = RuntimePersistenceFamily;

template <class R>
const auto* AnswerTo(const Outcome& outcome) {
  return ResponseIf<Family, OperationIndexOf<Family, R>()>(outcome);
}

// Where a call reaches.

enum class Area {
  kState,        // head, graph, checkpoint, ledger, turns, blobs
  kMeta,         // the slot of meta
  kTier,         // nothing
  kQueue,        // one session's batches
  kAttachments,  // the manifest
  kCommit,       // the state, and of queue and attachments what it names
};

struct AreaOf {
  Area operator()(const LoadSessionRequest&) const { return Area::kState; }
  Area operator()(const LoadNodeRequest&) const { return Area::kState; }
  Area operator()(const TombstoneNodesRequest&) const { return Area::kState; }
  Area operator()(const VacuumRequest&) const { return Area::kState; }
  Area operator()(const GcUnreachableRequest&) const { return Area::kState; }
  Area operator()(const SaveSessionMetaRequest&) const { return Area::kMeta; }
  Area operator()(const LoadSessionMetaRequest&) const { return Area::kMeta; }
  Area operator()(const DurabilityTierRequest&) const { return Area::kTier; }
  Area operator()(const RecordIntentRequest&) const { return Area::kAttachments; }
  Area operator()(const CommitRefsRequest&) const { return Area::kAttachments; }
  Area operator()(const ListUncommittedRequest&) const { return Area::kAttachments; }
  Area operator()(const ForgetRequest&) const { return Area::kAttachments; }
  Area operator()(const CommitRuntimeStateRequest&) const { return Area::kCommit; }
  template <class R>
  Area operator()(const R&) const {
    return Area::kQueue;
  }
};

// The session of a queue call.
struct QueueSessionOf {
  const std::string* operator()(const EnqueueQueuedWorkRequest& request) const { return &request.batch.session_id; }
  const std::string* operator()(const RenewQueuedWorkClaimRequest& request) const { return &request.claim.session_id; }
  const std::string* operator()(const AbandonQueuedWorkClaimRequest& request) const { return &request.claim.session_id; }
  const std::string* operator()(const ClaimReadyQueuedWorkRequest& request) const { return &request.session_id; }
  const std::string* operator()(const ClaimReadyQueuedWorkByBatchIdsRequest& request) const { return &request.session_id; }
  const std::string* operator()(const CancelQueuedWorkBatchRequest& request) const { return &request.session_id; }
  const std::string* operator()(const ListQueuedWorkRequest& request) const { return &request.session_id; }
  const std::string* operator()(const ListPendingQueuedWorkRequest& request) const { return &request.session_id; }
  template <class R>
  const std::string* operator()(const R&) const {
    return nullptr;
  }
};

bool Settles(const Request& request) {
  const auto* commit = std::get_if<CommitRuntimeStateRequest>(&request);
  return commit != nullptr && !commit->commit.completed_queue_claims.empty();
}

bool TouchesQueue(const Request& request, absl::string_view session_id) {
  const std::string* session = std::visit(QueueSessionOf(), request);
  if (session != nullptr) return *session == session_id;
  return Settles(request) && std::get<CommitRuntimeStateRequest>(request).commit.session_id == session_id;
}

bool OnlyReads(const Request& request) { return OperationEffect<Family>(request.index()) == Effect::kRead; }

// Marks.

// A batch: 0 before its insert, 1 while it is stored, 2 once it is gone.
void MarkBatch(const std::string& id, uint64_t before, uint64_t after, std::vector<Mark>* marks) {
  marks->push_back({absl::StrCat("batch ", id), before, after});
}
void MarkStored(const std::vector<QueuedWorkBatch>& batches, std::vector<Mark>* marks) {
  for (const QueuedWorkBatch& batch : batches) MarkBatch(batch.batch_id, 1, 1, marks);
}
void MarkHead(uint64_t before, uint64_t after, std::vector<Mark>* marks) { marks->push_back({"head", before, after}); }

struct MarksOf {
  const Outcome& outcome;
  std::vector<Mark>* marks;

  void operator()(const LoadSessionRequest&) const {
    const auto* read = AnswerTo<LoadSessionRequest>(outcome);
    if (read == nullptr) return;
    const uint64_t revision = read->has_value() ? (*read)->head_revision : 0;
    MarkHead(revision, revision, marks);
  }
  void operator()(const CommitRuntimeStateRequest& request) const {
    const RuntimeCommit& commit = request.commit;
    const auto* error = std::get_if<1>(&outcome);
    const auto* conflict = error == nullptr ? nullptr : std::get_if<HeadRevisionConflict>(error);
    // One without an expectation may be told what it read itself (RP-LAT-21).
    if (conflict != nullptr && commit.expected_head_revision.has_value()) MarkHead(conflict->actual, conflict->actual, marks);
    const auto* result = AnswerTo<CommitRuntimeStateRequest>(outcome);
    if (result == nullptr) return;
    // A stamped one may be a replay, which shows what was recorded and reads nothing else.
    const bool replay = commit.turn_commit.has_value();
    MarkHead(replay || result->head_revision == 0 ? kAnythingBefore : result->head_revision - 1, result->head_revision, marks);
    if (replay) return;
    for (const QueuedWorkCompletion& completion : commit.completed_queue_claims) {
      for (const std::string& id : completion.batch_ids) MarkBatch(id, 1, 2, marks);
    }
  }
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
  void operator()(const ClaimReadyQueuedWorkRequest&) const { Claim(AnswerTo<ClaimReadyQueuedWorkRequest>(outcome)); }
  void operator()(const ClaimReadyQueuedWorkByBatchIdsRequest&) const {
    Claim(AnswerTo<ClaimReadyQueuedWorkByBatchIdsRequest>(outcome));
  }
  template <class R>
  void operator()(const R&) const {}

 private:
  void Claim(const std::optional<QueuedWorkClaim>* grant) const {
    if (grant == nullptr || !grant->has_value() || (*grant)->batches.empty()) return;
    MarkStored((*grant)->batches, marks);
    // The fencing tokens of grants with one head rise (RP-CLM-9).
    const uint64_t fencing = (*grant)->fencing_token;
    marks->push_back({absl::StrCat("claims of ", (*grant)->batches.front().batch_id), fencing == 0 ? 0 : fencing - 1, fencing});
  }
};

// Commuting.

bool IsNone(const Request& request, const Outcome& outcome) {
  if (std::holds_alternative<ClaimReadyQueuedWorkRequest>(request)) {
    const auto* grant = AnswerTo<ClaimReadyQueuedWorkRequest>(outcome);
    return grant != nullptr && !grant->has_value();
  }
  const auto* cancelled = AnswerTo<CancelQueuedWorkBatchRequest>(outcome);
  return cancelled != nullptr && !cancelled->has_value();
}

// Two queue calls of different sessions share the numbering, which only an insert sees, and the gaps that rows of others make in
// a group (RP-LAT-15), which only a claim sees.
bool QueueCallsCommute(const Request& a, const Request& b) {
  const std::string& session_a = *std::visit(QueueSessionOf(), a);
  const std::string& session_b = *std::visit(QueueSessionOf(), b);
  if (session_a == session_b) return OnlyReads(a) && OnlyReads(b);
  const auto moves_rows = [](const Request& r) {
    return std::holds_alternative<EnqueueQueuedWorkRequest>(r) || std::holds_alternative<CancelQueuedWorkBatchRequest>(r);
  };
  const auto sees_rows = [&](const Request& r) {
    return moves_rows(r) || std::holds_alternative<ClaimReadyQueuedWorkRequest>(r) ||
           std::holds_alternative<ClaimReadyQueuedWorkByBatchIdsRequest>(r);
  };
  return !(moves_rows(a) && sees_rows(b)) && !(moves_rows(b) && sees_rows(a));
}

bool CommitCommutes(const RuntimeCommit& commit, Area area) {
  switch (area) {
    case Area::kMeta:
    case Area::kTier:
      return true;
    case Area::kQueue:
      return commit.completed_queue_claims.empty();
    case Area::kAttachments:
      return commit.committed_attachment_ids.empty();
    case Area::kState:
    case Area::kCommit:
      return false;
  }

  return false;
}

struct ReadsClockOf {
  bool operator()(const EnqueueQueuedWorkRequest&) const { return true; }
  bool operator()(const ClaimReadyQueuedWorkRequest&) const { return true; }
  bool operator()(const ClaimReadyQueuedWorkByBatchIdsRequest&) const { return true; }
  bool operator()(const RenewQueuedWorkClaimRequest&) const { return true; }
  bool operator()(const CancelQueuedWorkBatchRequest&) const { return true; }
  bool operator()(const ListPendingQueuedWorkRequest&) const { return true; }
  // Whether a completion's claim has lapsed decides what may be answered (RP-LAT-11).
  bool operator()(const CommitRuntimeStateRequest& request) const { return !request.commit.completed_queue_claims.empty(); }
  template <class R>
  bool operator()(const R&) const {
    return false;
  }
};

}  // namespace

namespace spec_internal {

bool QueueOverlapped(const RuntimePersistenceSpec::Context& context, absl::string_view session_id) {
  return context.overlap != nullptr &&
         context.overlap->Any([&](const Request& other) { return TouchesQueue(other, session_id); });
}

bool RowsLocked(const RuntimePersistenceSpec::Context& context, absl::string_view session_id) {
  return context.overlap != nullptr && context.overlap->Any([&](const Request& other) {
    return !OnlyReads(other) && !std::holds_alternative<EnqueueQueuedWorkRequest>(other) && TouchesQueue(other, session_id);
  });
}

}  // namespace spec_internal

bool RuntimePersistenceSpec::ChangesNothing(const Request& request, const Outcome& outcome, const Context&) {
  if (OnlyReads(request)) return true;
  // A renewal that failed by count may have moved the expiry (RP-LAT-19).
  if (outcome.index() == 1) return !std::holds_alternative<RenewQueuedWorkClaimRequest>(request);
  return outcome.index() == 0 && IsNone(request, outcome);
}

void RuntimePersistenceSpec::AppendMarks(const Request& request, const Outcome& outcome, std::vector<Mark>* marks) {
  std::visit(MarksOf{outcome, marks}, request);
  const auto* enqueue = std::get_if<EnqueueQueuedWorkRequest>(&request);
  if (enqueue != nullptr && enqueue->batch.source_key.has_value()) return;
  if (const auto instant = ReportedInstant(request, outcome)) marks->push_back({kClockCounter, *instant, *instant});
}

bool RuntimePersistenceSpec::Commute(const Request& a, const Outcome&, const Request& b, const Outcome&) {
  const Area area_a = std::visit(AreaOf(), a);
  const Area area_b = std::visit(AreaOf(), b);
  if (area_a == Area::kTier || area_b == Area::kTier) return true;
  if (area_a == Area::kCommit) return CommitCommutes(std::get<CommitRuntimeStateRequest>(a).commit, area_b);
  if (area_b == Area::kCommit) return CommitCommutes(std::get<CommitRuntimeStateRequest>(b).commit, area_a);
  if (area_a != area_b) return true;
  if (area_a == Area::kQueue) return QueueCallsCommute(a, b);
  return OnlyReads(a) && OnlyReads(b);
}

bool RuntimePersistenceSpec::ReadsClock(const Request& request) { return std::visit(ReadsClockOf(), request); }

}  // namespace leasecheck::runtime_persistence
