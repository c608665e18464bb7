#include "memstore/session_store_state.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace leasecheck::memstore {
namespace {

using session_store::Backend;
using session_store::Done;
using session_store::HeadRevisionConflict;
using session_store::LeaseOwnerIdentity;
using session_store::LoadedSession;
using session_store::QueuedWorkBatch;
using session_store::QueuedWorkBatchDraft;
using session_store::QueuedWorkClaim;
using session_store::QueuedWorkClaimExpired;
using session_store::QueuedWorkCompletion;
using session_store::Result;
using session_store::RuntimeCommit;
using session_store::RuntimeCommitResult;
using session_store::RuntimeTurnCommitConflict;
using session_store::SessionBindingMismatch;
using session_store::SessionExecutionLease;
using session_store::SessionExecutionLeaseClaimOutcome;
using session_store::SessionExecutionLeaseExpired;
using session_store::StoreError;
using session_store::TurnInputClaimExpired;
using session_store::TurnInputCompletion;
using session_store::TurnInputState;

constexpr uint64_t kEndOfCounter = std::numeric_limits<uint64_t>::max();

// A contract error as the failure of any operation.
tl::unexpected<StoreError> Fail(StoreError error) { return tl::unexpected<StoreError>(std::move(error)); }

tl::unexpected<StoreError> FailClassless() {
  return Fail(Backend{"a claimable batch has no class: it carries no payload, or wakes and commands together"});
}

// Whether the batch holds so little memory that keeping it for later does not show.
bool IsSmall(const QueuedWorkBatch& batch) {
  constexpr std::size_t kMostBytes = 4096;
  std::size_t bytes = 0;
  for (const session_store::QueuedWorkItem& item : batch.items) {
    const auto* wake = std::get_if<session_store::ProcessWake>(&item.payload);
    bytes += sizeof(item) +
             (wake != nullptr ? wake->wake.text : std::get<session_store::SessionCommand>(item.payload).command.text).size();
  }
  return bytes <= kMostBytes;
}

}  // namespace

SessionStoreState::SessionStoreState(const LivenessProbe* liveness, IdSource ids, uint64_t first_counters,
                                     const TurnInputChoices& choices)
    : liveness_(liveness),
      ids_(ids),
      first_counters_(first_counters),
      choices_(choices),
      last_enqueue_seq_(first_counters),
      last_input_seq_(first_counters) {}

SessionStoreState::Session* SessionStoreState::Find(absl::string_view session_id) const {
  auto it = sessions_.find(session_id);
  return it == sessions_.end() ? nullptr : it->second.get();
}

SessionStoreState::Session& SessionStoreState::FindOrCreate(const std::string& session_id) {
  std::unique_ptr<Session>& session = sessions_[session_id];
  if (session == nullptr) session = std::make_unique<Session>(LeaseLane(session_id, first_counters_), choices_.lapsed_accepted);
  return *session;
}

SessionStoreState::Session* SessionStoreState::FindUnderFence(absl::string_view session_id,
                                                              const session_store::SessionExecutionLeaseFence& fence,
                                                              EpochMs now) const {
  Session* session = Find(session_id);
  return session != nullptr && session->lane.Admits(fence, now) ? session : nullptr;
}

void SessionStoreState::Remove(Session& session, QueueRow& row) {
  const std::shared_ptr<const QueuedWorkBatch> batch = session.queue.Remove(row);
  // No batch is made const, and this one has no owner left but us.
  if (batch->enqueue_seq > last_shared_seq_ && IsSmall(*batch)) {
    spare_batches_.Keep(std::const_pointer_cast<QueuedWorkBatch>(batch));
  }
}

// The queue.

Result<QueuedWorkBatch> SessionStoreState::EnqueueQueuedWork(const session_store::EnqueueQueuedWorkRequest& request,
                                                             EpochMs now) {
  const QueuedWorkBatchDraft& draft = request.batch;
  if (draft.source_key.has_value()) {
    const Session* known = Find(draft.session_id);
    const QueueRow* stored = known == nullptr ? nullptr : known->queue.FindBySourceKey(*draft.source_key);
    if (stored != nullptr) return *stored->batch;
  }
  if (last_enqueue_seq_ == kEndOfCounter) return Fail(Backend{"the store's enqueue_seq numbers are used up"});
  ++last_enqueue_seq_;
  std::shared_ptr<QueuedWorkBatch> batch = spare_batches_.Take();
  FillBatch(*batch, draft, last_enqueue_seq_, now, ids_);
  return *FindOrCreate(draft.session_id).queue.Append(std::move(batch), first_counters_).batch;
}

Result<std::optional<QueuedWorkClaim>> SessionStoreState::ClaimLeadingReadySessionCommand(
    const session_store::ClaimLeadingReadySessionCommandRequest& request, EpochMs now) {
  Session* session = FindUnderFence(request.session_id, request.session_execution_lease, now);
  if (session == nullptr) return Fail(SessionExecutionLeaseExpired{request.session_id});
  const auto candidates = session->queue.CandidatesFor(request.owner, *liveness_, now);
  if (candidates.HasClassless()) return FailClassless();
  return Grant(*session, SessionQueue::SelectCommand(candidates), request.owner, request.lease_ttl_ms, now);
}

Result<std::optional<QueuedWorkClaim>> SessionStoreState::ClaimReadyQueuedWork(
    const session_store::ClaimReadyQueuedWorkRequest& request, EpochMs now) {
  if (request.max_batches == 0) return std::nullopt;
  Session* session = FindUnderFence(request.session_id, request.session_execution_lease, now);
  if (session == nullptr) return Fail(SessionExecutionLeaseExpired{request.session_id});
  const auto candidates = session->queue.CandidatesFor(request.owner, *liveness_, now);
  if (candidates.HasClassless()) return FailClassless();
  const QueueRows rows = SessionQueue::SelectTurnWork(candidates, request.boundary, request.max_batches);
  return Grant(*session, rows, request.owner, request.lease_ttl_ms, now);
}

Result<std::optional<QueuedWorkClaim>> SessionStoreState::ClaimReadyQueuedWorkByBatchIds(
    const session_store::ClaimReadyQueuedWorkByBatchIdsRequest& request, EpochMs now) {
  if (request.batch_ids.empty()) return std::nullopt;
  Session* session = FindUnderFence(request.session_id, request.session_execution_lease, now);
  if (session == nullptr) return Fail(SessionExecutionLeaseExpired{request.session_id});
  const auto candidates = session->queue.CandidatesFor(request.owner, *liveness_, now);
  if (candidates.HasClassless()) return FailClassless();
  const QueueRows rows = SessionQueue::SelectTurnWork(candidates, request.boundary, request.batch_ids.size());
  if (!SameIds(rows, request.batch_ids)) return std::nullopt;
  return Grant(*session, rows, request.owner, request.lease_ttl_ms, now);
}

Result<std::optional<QueuedWorkClaim>> SessionStoreState::Grant(Session& session, const QueueRows& rows,
                                                                const LeaseOwnerIdentity& owner, DurationMs ttl, EpochMs now) {
  if (rows.empty()) return std::nullopt;
  const std::optional<uint64_t> fencing_token = QueueClaims::NextFencingToken(rows);
  if (!fencing_token.has_value()) return Fail(Backend{"a batch's fencing tokens are used up"});
  const QueueClaims::Claim& claim = session.queue.Grant(
      {ids_.Next(IdKind::kClaim), ids_.Next(IdKind::kClaimToken), owner, SaturatingAdd(now, ttl), *fencing_token}, rows);

  Result<std::optional<QueuedWorkClaim>> granted(tl::in_place, std::in_place);
  QueuedWorkClaim& answer = **granted;
  answer.session_id = session.lane.session_id();
  answer.claim_id = claim.claim_id;
  answer.owner = owner;
  answer.lease_token = claim.lease_token;
  answer.fencing_token = claim.fencing_token;
  answer.claimed_at_epoch_ms = now;
  answer.expires_at_epoch_ms = claim.expires;
  answer.batches.reserve(rows.size());
  for (const QueueRow* row : rows) answer.batches.push_back(*row->batch);
  return granted;
}

Result<QueuedWorkClaim> SessionStoreState::RenewQueuedWorkClaim(const session_store::RenewQueuedWorkClaimRequest& request,
                                                                EpochMs now) {
  const QueuedWorkClaim& passed = request.claim;
  Session* session = Find(passed.session_id);
  QueueClaims::Claim* claim = session == nullptr ? nullptr : session->queue.FindClaim(passed.claim_id, passed.lease_token);
  if (claim == nullptr || claim->rows().size() != passed.batches.size()) {
    return Fail(QueuedWorkClaimExpired{passed.session_id, passed.claim_id});
  }
  session->queue.Renew(*claim, SaturatingAdd(now, request.lease_ttl_ms));
  Result<QueuedWorkClaim> renewed(tl::in_place, passed);
  renewed->expires_at_epoch_ms = claim->expires;
  return renewed;
}

Result<Done> SessionStoreState::AbandonQueuedWorkClaim(const session_store::AbandonQueuedWorkClaimRequest& request, EpochMs) {
  Session* session = Find(request.claim.session_id);
  if (session == nullptr) return Done{};
  const QueueClaims::Claim* claim = session->queue.FindClaim(request.claim.claim_id, request.claim.lease_token);
  if (claim != nullptr) session->queue.Abandon(*claim);
  return Done{};
}

Result<std::optional<QueuedWorkBatch>> SessionStoreState::CancelQueuedWorkBatch(
    const session_store::CancelQueuedWorkBatchRequest& request, EpochMs now) {
  Session* session = Find(request.session_id);
  QueueRow* row = session == nullptr ? nullptr : session->queue.FindBatch(ids_, request.batch_id);
  if (row == nullptr || row->IsLiveClaimed(now)) return std::nullopt;
  Result<std::optional<QueuedWorkBatch>> cancelled(*row->batch);
  Remove(*session, *row);
  return cancelled;
}

Result<std::vector<QueuedWorkBatch>> SessionStoreState::ListQueuedWork(const session_store::ListQueuedWorkRequest& request,
                                                                       EpochMs) {
  std::vector<QueuedWorkBatch> batches;
  const Session* session = Find(request.session_id);
  if (session == nullptr) return batches;
  batches.reserve(session->queue.size());
  session->queue.ForEach([&](const QueueRow& row) { batches.push_back(*row.batch); });
  return batches;
}

Result<std::vector<QueuedWorkBatch>> SessionStoreState::ListPendingQueuedWork(
    const session_store::ListPendingQueuedWorkRequest& request, EpochMs now) {
  std::vector<QueuedWorkBatch> batches;
  const Session* session = Find(request.session_id);
  if (session == nullptr) return batches;
  session->queue.ForEach([&](const QueueRow& row) {
    if (!row.IsLiveClaimed(now)) batches.push_back(*row.batch);
  });
  return batches;
}

// The lane.

Result<SessionExecutionLeaseClaimOutcome> SessionStoreState::TryClaimSessionExecutionLease(
    const session_store::TryClaimSessionExecutionLeaseRequest& request, EpochMs now) {
  return FindOrCreate(request.session_id).lane.TryClaim(request.owner, request.lease_ttl_ms, now, ids_);
}

Result<SessionExecutionLeaseClaimOutcome> SessionStoreState::ReclaimSessionExecutionLease(
    const session_store::ReclaimSessionExecutionLeaseRequest& request, EpochMs now) {
  return FindOrCreate(request.session_id)
      .lane.Reclaim(request.owner, request.observed_holder, request.lease_ttl_ms, now, *liveness_, ids_);
}

Result<SessionExecutionLease> SessionStoreState::RenewSessionExecutionLease(
    const session_store::RenewSessionExecutionLeaseRequest& request, EpochMs now) {
  Session* session = Find(request.fence.session_id);
  std::optional<SessionExecutionLease> lease;
  if (session != nullptr) lease = session->lane.Renew(request.fence, request.lease_ttl_ms, now);
  if (!lease.has_value()) return Fail(SessionExecutionLeaseExpired{request.fence.session_id});
  return *std::move(lease);
}

Result<Done> SessionStoreState::ReleaseSessionExecutionLease(const session_store::ReleaseSessionExecutionLeaseRequest& request,
                                                             EpochMs) {
  Session* session = Find(request.completion.session_id);
  if (session != nullptr) session->lane.Release(request.completion);
  return Done{};
}

// The commit.

Result<RuntimeCommitResult> SessionStoreState::CommitRuntimeState(const session_store::CommitRuntimeStateRequest& request,
                                                                  EpochMs now) {
  const RuntimeCommit& commit = request.commit;
  if (committed_.bound_session_id.has_value() && *committed_.bound_session_id != commit.session_id) {
    return Fail(SessionBindingMismatch{*committed_.bound_session_id, commit.session_id});
  }
  Result<const RuntimeCommitResult*> replay = FindReplay(commit);
  if (!replay.has_value()) return Fail(std::move(replay).error());
  Session* session = Find(commit.session_id);
  Result<RuntimeCommitResult> result;
  if (*replay != nullptr) {
    *result = **replay;
  } else {
    Settled settled;
    std::optional<StoreError> error = CheckCommit(commit, session, now, settled);
    if (error.has_value()) return Fail(*std::move(error));
    ApplyCommit(commit, *session, settled, *result);
  }
  if (session != nullptr && commit.release_session_execution_lease.has_value()) {
    session->lane.Release(*commit.release_session_execution_lease);
  }
  return result;
}

Result<const RuntimeCommitResult*> SessionStoreState::FindReplay(const RuntimeCommit& commit) const {
  if (!commit.turn_commit.has_value()) return nullptr;
  const session_store::RuntimeTurnCommitStamp& stamp = *commit.turn_commit;
  if (stamp.session_id != commit.session_id) return Fail(RuntimeTurnCommitConflict{stamp.session_id, stamp.turn_id});
  // The recorded turns are of the bound session, and an unbound store has none.
  auto turn = committed_.turns.find(stamp.turn_id);
  if (turn == committed_.turns.end()) return nullptr;
  if (turn->second.turn_commit_hash != stamp.turn_commit_hash) {
    return Fail(RuntimeTurnCommitConflict{stamp.session_id, stamp.turn_id});
  }
  return &turn->second.result;
}

std::optional<StoreError> SessionStoreState::CheckCommit(const RuntimeCommit& commit, const Session* session, EpochMs now,
                                                         Settled& settled) const {
  const auto& fence = commit.session_execution_lease;
  if (session == nullptr || !fence.has_value() || !session->lane.Admits(*fence, now)) {
    return SessionExecutionLeaseExpired{commit.session_id};
  }
  if (commit.expected_head_revision.has_value() && *commit.expected_head_revision != committed_.head_revision) {
    return HeadRevisionConflict{commit.expected_head_revision, committed_.head_revision};
  }
  const QueuedWorkCompletion* bad_batches =
      session->queue.FindSettled(commit.session_id, commit.completed_queue_claims, ids_, settled.batches);
  const TurnInputCompletion* bad_inputs = nullptr;
  if (bad_batches == nullptr) TakeInputs(commit, *session, settled, &bad_inputs);
  ClearMarks(settled.inputs);
  if (bad_batches != nullptr) return QueuedWorkClaimExpired{bad_batches->session_id, bad_batches->claim_id};
  if (bad_inputs != nullptr) return TurnInputClaimExpired{bad_inputs->session_id, bad_inputs->claim_id};
  if (committed_.head_revision == kEndOfCounter) return Backend{"the session's head revisions are used up"};
  return std::nullopt;
}

bool SessionStoreState::TakeInputs(const RuntimeCommit& commit, const Session& session, Settled& settled,
                                   const TurnInputCompletion** bad) const {
  for (const TurnInputCompletion& completion : commit.completed_turn_input_claims) {
    const TurnInputClaims::Claim* claim = session.inputs.FindClaim(completion.claim_id, completion.lease_token);
    const bool owned = completion.session_id == commit.session_id &&
                       TakeAll(completion.input_ids, settled.inputs, [&](std::size_t place, absl::string_view input_id) {
                         return claim == nullptr ? nullptr : FindOwnedInput(commit.session_id, *claim, place, input_id);
                       });
    if (owned) continue;
    *bad = &completion;
    return false;
  }
  return true;
}

void SessionStoreState::ApplyCommit(const RuntimeCommit& commit, Session& session, const Settled& settled,
                                    RuntimeCommitResult& result) {
  for (QueueRow* row : settled.batches) Remove(session, *row);
  for (TurnInputRow* row : settled.inputs) session.inputs.Bury(*row, TurnInputState::kCompleted);
  if (commit.interrupted_turn_input_turn_id.has_value()) session.inputs.Interrupt(*commit.interrupted_turn_input_turn_id);
  if (!committed_.bound_session_id.has_value()) committed_.bound_session_id = commit.session_id;
  committed_.body = commit.body;
  result.head_revision = ++committed_.head_revision;
  result.checkpoint_ref.text = absl::StrCat("\"", ids_.Next(IdKind::kCheckpoint), "\"");
  result.manifest.text = "{}";
  if (commit.turn_commit.has_value()) {
    committed_.turns.emplace(commit.turn_commit->turn_id, RecordedTurn{commit.turn_commit->turn_commit_hash, result});
  }
}

Result<std::optional<LoadedSession>> SessionStoreState::LoadSession(const session_store::LoadSessionRequest&, EpochMs) {
  if (!committed_.bound_session_id.has_value()) return std::nullopt;
  return LoadedSession{*committed_.bound_session_id, committed_.head_revision, committed_.body};
}

// Snapshots.

SessionStoreContents SessionStoreState::Contents() const {
  last_shared_seq_ = last_enqueue_seq_;
  SessionStoreContents contents{ids_, last_enqueue_seq_, last_input_seq_, given_input_ids_, committed_, {}};
  for (const auto& [session_id, session] : sessions_) {
    SessionStoreContents::Session saved{session->lane, {}, {}};
    saved.rows.reserve(session->queue.size());
    SharedTerms<QueueClaims> queue_terms;
    session->queue.ForEach([&](const QueueRow& row) {
      saved.rows.push_back({row.batch, row.counter(), queue_terms.Of(row.claim())});
    });
    saved.inputs.reserve(session->inputs.size());
    SharedTerms<TurnInputClaims> input_terms;
    session->inputs.ForEach([&](const TurnInputRow& row) {
      saved.inputs.push_back({row.submitted, row.state, row.rewritten, row.counter(), input_terms.Of(row.claim())});
    });
    const bool untouched = saved.rows.empty() && saved.inputs.empty() && session->lane == LeaseLane(session_id, first_counters_);
    if (!untouched) contents.sessions.push_back(std::move(saved));
  }
  std::sort(contents.sessions.begin(), contents.sessions.end(),
            [](const auto& a, const auto& b) { return a.lane.session_id() < b.lane.session_id(); });
  return contents;
}

void SessionStoreState::Restore(const SessionStoreContents& contents) {
  ids_ = contents.ids;
  last_enqueue_seq_ = contents.last_enqueue_seq;
  last_shared_seq_ = last_enqueue_seq_;
  last_input_seq_ = contents.last_input_seq;
  given_input_ids_ = contents.given_input_ids;
  committed_ = contents.committed;
  inputs_by_id_.clear();
  sessions_.clear();
  for (const SessionStoreContents::Session& saved : contents.sessions) {
    Session& session = FindOrCreate(saved.lane.session_id());
    session.lane = saved.lane;
    absl::flat_hash_map<const QueueClaims::Terms*, QueueRows> claims;
    for (const SessionStoreContents::Row& row : saved.rows) {
      QueueRow& stored = session.queue.Append(row.batch, row.counter);
      if (row.claim != nullptr) claims[row.claim.get()].push_back(&stored);
    }
    for (const auto& [terms, rows] : claims) session.queue.Grant(*terms, rows);
    RestoreInputs(saved, session);
  }
}

void SessionStoreState::RestoreInputs(const SessionStoreContents::Session& saved, Session& session) {
  absl::flat_hash_map<const TurnInputClaims::Terms*, TurnInputRows> claims;
  for (const SessionStoreContents::Input& input : saved.inputs) {
    TurnInputRow& stored = session.inputs.Append(input.submitted, input.state, input.rewritten, input.counter);
    inputs_by_id_.emplace(absl::string_view(stored.submitted->input_id), &stored);
    if (input.claim != nullptr) claims[input.claim.get()].push_back(&stored);
  }
  for (const auto& [terms, rows] : claims) session.inputs.Grant(*terms, rows.front()->state, rows);
}

}  // namespace leasecheck::memstore
