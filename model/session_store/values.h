// The values of the session_store contract: what its requests carry and its answers return (queued-work.md, 2). Those of turn
// inputs are in turn_input_values.h, owners in owner.h.
//
// Plain structs; strings are opaque, compared byte by byte, and empty strings are legal. All times are milliseconds since the
// Unix epoch, all integers unsigned 64-bit unless noted.
#ifndef LEASECHECK_MODEL_SESSION_STORE_VALUES_H_
#define LEASECHECK_MODEL_SESSION_STORE_VALUES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "model/field.h"
#include "model/session_store/owner.h"
#include "model/session_store/turn_input_values.h"
#include "model/time.h"

namespace leasecheck {
namespace session_store {

// When a batch may be handed to a running session.
enum class DeliveryPolicy {
  kEarliestSafeBoundary,    // at a checkpoint of the running turn, or when idle
  kAfterCurrentTurnCommit,  // only when idle
};

// Whether a batch may share a claim with its neighbours.
enum class SlotPolicy { kJoin, kExclusive };

// Where in its run a session asks for work.
enum class QueuedWorkClaimBoundary { kActiveTurnCheckpoint, kIdle };

// Which Join batches may be claimed together: those with equal keys (`never` equals `never`).
struct MergeNever {
  friend bool operator==(const MergeNever&, const MergeNever&) = default;
};
struct MergePayloadDefault {
  friend bool operator==(const MergePayloadDefault&, const MergePayloadDefault&) = default;
};
struct MergeGroup {
  std::string group;
  friend bool operator==(const MergeGroup&, const MergeGroup&) = default;
};
using MergeKey = std::variant<MergeNever, MergePayloadDefault, MergeGroup>;

// What a batch carries. Only the alternative matters to the store: a wake is turn work, a command a session command. A batch's
// class is the one that all its payloads share; a batch without payloads, or with a mix, has no class ("classless").
struct ProcessWake {
  OpaqueJson wake;
  friend bool operator==(const ProcessWake&, const ProcessWake&) = default;
};
struct SessionCommand {
  OpaqueJson command;
  friend bool operator==(const SessionCommand&, const SessionCommand&) = default;
};
using QueuedWorkPayload = std::variant<ProcessWake, SessionCommand>;

// What a caller enqueues.
struct QueuedWorkBatchDraft {
  std::string session_id;
  std::optional<std::string> source_key;  // idempotency key, scoped to the session; "" is a real key
  DeliveryPolicy delivery_policy = DeliveryPolicy::kEarliestSafeBoundary;
  SlotPolicy slot_policy = SlotPolicy::kExclusive;
  MergeKey merge_key;
  EpochMs available_at_ms = 0;  // not claimable before; 0: at once
  std::vector<QueuedWorkPayload> payloads;
  friend bool operator==(const QueuedWorkBatchDraft&, const QueuedWorkBatchDraft&) = default;
};

struct QueuedWorkItem {
  std::string item_id;  // by the store: opaque, distinct, stable
  QueuedWorkPayload payload;
  friend bool operator==(const QueuedWorkItem&, const QueuedWorkItem&) = default;
};

// A stored batch. Never changes while it is stored.
struct QueuedWorkBatch {
  std::string batch_id;  // by the store: opaque, unique
  std::string session_id;
  std::optional<std::string> source_key;
  DeliveryPolicy delivery_policy = DeliveryPolicy::kEarliestSafeBoundary;
  SlotPolicy slot_policy = SlotPolicy::kExclusive;
  MergeKey merge_key;
  EpochMs available_at_ms = 0;
  uint64_t enqueue_seq = 0;    // by the store: the order of the queue
  EpochMs enqueued_at_ms = 0;  // by the store: its clock at the insert
  std::vector<QueuedWorkItem> items;
  friend bool operator==(const QueuedWorkBatch&, const QueuedWorkBatch&) = default;
};

// A granted claim: the right to work on `batches` until `expires_at_epoch_ms`.
struct QueuedWorkClaim {
  std::string session_id;
  std::string claim_id;  // opaque
  LeaseOwnerIdentity owner;
  std::string lease_token;     // opaque proof of this grant; kept by renew
  uint64_t fencing_token = 0;  // rises with every grant of the same head batch; kept by renew
  EpochMs claimed_at_epoch_ms = 0;
  EpochMs expires_at_epoch_ms = 0;
  std::vector<QueuedWorkBatch> batches;  // ascending enqueue_seq, never empty in a grant
  friend bool operator==(const QueuedWorkClaim&, const QueuedWorkClaim&) = default;
};

// Says in a commit that the work of a claim, or of some of its batches, is done.
struct QueuedWorkCompletion {
  std::string session_id;
  std::string claim_id;
  std::string lease_token;
  std::vector<std::string> batch_ids;
  friend bool operator==(const QueuedWorkCompletion&, const QueuedWorkCompletion&) = default;
};

// The lane of a session: the right to run it. One holder at a time.
struct SessionExecutionLease {
  std::string session_id;
  LeaseOwnerIdentity owner;
  std::string lease_token;     // opaque, new with each acquisition, kept by renew and re-entry
  uint64_t fencing_token = 0;  // per session, rises with each acquisition, survives release and expiry
  EpochMs claimed_at_epoch_ms = 0;
  EpochMs expires_at_epoch_ms = 0;
  friend bool operator==(const SessionExecutionLease&, const SessionExecutionLease&) = default;
};

// Proof of holding a lane, copied from the lease. It *matches* a stored lane when session, incarnation, token and fencing
// token are all equal.
struct SessionExecutionLeaseFence {
  std::string session_id;
  LeaseOwnerIdentity owner;
  std::string lease_token;
  uint64_t fencing_token = 0;
  friend bool operator==(const SessionExecutionLeaseFence&, const SessionExecutionLeaseFence&) = default;
};

// Asks to free a lane; matches as a fence does.
struct SessionExecutionLeaseCompletion {
  std::string session_id;
  LeaseOwnerIdentity owner;
  std::string lease_token;
  uint64_t fencing_token = 0;
  friend bool operator==(const SessionExecutionLeaseCompletion&, const SessionExecutionLeaseCompletion&) = default;
};

struct LeaseAcquired {
  SessionExecutionLease lease;
  friend bool operator==(const LeaseAcquired&, const LeaseAcquired&) = default;
};
struct LeaseBusy {
  SessionExecutionLease holder;
  friend bool operator==(const LeaseBusy&, const LeaseBusy&) = default;
};
using SessionExecutionLeaseClaimOutcome = std::variant<LeaseAcquired, LeaseBusy>;

// The idempotency stamp of a commit. The hash is the caller's, opaque, never recomputed.
struct RuntimeTurnCommitStamp {
  std::string session_id;
  std::string turn_id;
  std::string turn_commit_hash;
  friend bool operator==(const RuntimeTurnCommitStamp&, const RuntimeTurnCommitStamp&) = default;
};

// One atomic step: new session state in, finished work out.
struct RuntimeCommit {
  std::string session_id;
  std::optional<uint64_t> expected_head_revision;  // none: unconditional
  std::optional<SessionExecutionLeaseFence> session_execution_lease;
  std::optional<SessionExecutionLeaseCompletion> release_session_execution_lease;
  std::optional<RuntimeTurnCommitStamp> turn_commit;
  std::vector<QueuedWorkCompletion> completed_queue_claims;
  std::vector<TurnInputCompletion> completed_turn_input_claims;
  std::optional<std::string> interrupted_turn_input_turn_id;  // the turn whose waiting inputs become next-turn inputs
  OpaqueJson body{"{}"};                                      // everything else of the commit, an object, stored whole
  friend bool operator==(const RuntimeCommit&, const RuntimeCommit&) = default;
};

struct RuntimeCommitResult {
  uint64_t head_revision = 0;
  OpaqueJson checkpoint_ref;  // the store's
  OpaqueJson manifest;        // the store's
  friend bool operator==(const RuntimeCommitResult&, const RuntimeCommitResult&) = default;
};

// How much of a session to read; in this family both answer the same.
struct FullGraph {
  friend bool operator==(const FullGraph&, const FullGraph&) = default;
};
struct ActivePath {
  std::optional<std::string> leaf_node_id;
  friend bool operator==(const ActivePath&, const ActivePath&) = default;
};
using SessionReadScope = std::variant<FullGraph, ActivePath>;

// The state that the last successful commit left.
struct LoadedSession {
  std::string session_id;
  uint64_t head_revision = 0;
  OpaqueJson body{"{}"};  // that commit's body
  friend bool operator==(const LoadedSession&, const LoadedSession&) = default;
};

// How much a vacuum removed. This family's store holds no nodes.
struct VacuumReport {
  uint64_t removed_node_count = 0;
  uint64_t removed_pending_turn_input_tombstone_count = 0;
  friend bool operator==(const VacuumReport&, const VacuumReport&) = default;
};

// An answer that says only "done".
struct Done {
  friend bool operator==(const Done&, const Done&) = default;
};

// The contract's errors.

// A lane's fence is missing, foreign, released, superseded or lapsed. Names the fence's session where the call is a renew, else
// the call's.
struct SessionExecutionLeaseExpired {
  std::string session_id;
  friend bool operator==(const SessionExecutionLeaseExpired&, const SessionExecutionLeaseExpired&) = default;
};
// A renew or a completion no longer owns the batches it names.
struct QueuedWorkClaimExpired {
  std::string session_id;
  std::string claim_id;
  friend bool operator==(const QueuedWorkClaimExpired&, const QueuedWorkClaimExpired&) = default;
};
// A completion of turn inputs no longer owns the rows it names. Despite the name, a lapse alone does not cause it.
struct TurnInputClaimExpired {
  std::string session_id;
  std::string claim_id;
  friend bool operator==(const TurnInputClaimExpired&, const TurnInputClaimExpired&) = default;
};
// The source_key is bound in the session to a turn input with other content.
struct PendingTurnInputSourceKeyConflict {
  std::string session_id;
  std::string source_key;
  std::string existing_input_id;
  friend bool operator==(const PendingTurnInputSourceKeyConflict&, const PendingTurnInputSourceKeyConflict&) = default;
};
// The optimistic head check was lost.
struct HeadRevisionConflict {
  std::optional<uint64_t> expected;
  uint64_t actual = 0;
  friend bool operator==(const HeadRevisionConflict&, const HeadRevisionConflict&) = default;
};
// The turn was committed with another hash, or the stamp names another session than the commit.
struct RuntimeTurnCommitConflict {
  std::string session_id;
  std::string turn_id;
  friend bool operator==(const RuntimeTurnCommitConflict&, const RuntimeTurnCommitConflict&) = default;
};
// The handle commits for one session only, and this is another.
struct SessionBindingMismatch {
  std::string bound_session_id;
  std::string attempted_session_id;
  friend bool operator==(const SessionBindingMismatch&, const SessionBindingMismatch&) = default;
};
// Anything else. The text is for people and never compared.
struct Backend {
  std::string text;
  friend bool operator==(const Backend&, const Backend&) { return true; }
};
using StoreError =
    std::variant<SessionExecutionLeaseExpired, QueuedWorkClaimExpired, TurnInputClaimExpired, PendingTurnInputSourceKeyConflict,
                 HeadRevisionConflict, RuntimeTurnCommitConflict, SessionBindingMismatch, Backend>;

// The completion of a whole claim: all its batches, in order.
QueuedWorkCompletion CompletionOf(const QueuedWorkClaim& claim);
// The fence, or the release, of a lane.
SessionExecutionLeaseFence FenceOf(const SessionExecutionLease& lease);
SessionExecutionLeaseCompletion ReleaseOf(const SessionExecutionLease& lease);

}  // namespace session_store

// The lists that codec, traces and reports are made from.

template <>
inline constexpr auto kWords<session_store::DeliveryPolicy> = std::array{
    Word<session_store::DeliveryPolicy>{session_store::DeliveryPolicy::kEarliestSafeBoundary, "earliest_safe_boundary"},
    Word<session_store::DeliveryPolicy>{session_store::DeliveryPolicy::kAfterCurrentTurnCommit, "after_current_turn_commit"}};
template <>
inline constexpr auto kWords<session_store::SlotPolicy> =
    std::array{Word<session_store::SlotPolicy>{session_store::SlotPolicy::kJoin, "join"},
               Word<session_store::SlotPolicy>{session_store::SlotPolicy::kExclusive, "exclusive"}};
template <>
inline constexpr auto kWords<session_store::QueuedWorkClaimBoundary> =
    std::array{Word<session_store::QueuedWorkClaimBoundary>{session_store::QueuedWorkClaimBoundary::kActiveTurnCheckpoint,
                                                            "active_turn_checkpoint"},
               Word<session_store::QueuedWorkClaimBoundary>{session_store::QueuedWorkClaimBoundary::kIdle, "idle"}};

template <>
inline constexpr auto kFields<session_store::MergeNever> = std::tuple<>{};
template <>
inline constexpr auto kFields<session_store::MergePayloadDefault> = std::tuple<>{};
template <>
inline constexpr auto kFields<session_store::MergeGroup> = std::make_tuple(Field{"group", &session_store::MergeGroup::group});
template <>
inline constexpr auto kAlternatives<session_store::MergeKey> =
    AlternativeList<3>{Tagging::kExternal, "", "", {{"never"}, {"payload_default"}, {"group", AlternativeShape::kNewtype}}};

template <>
inline constexpr auto kFields<session_store::ProcessWake> = std::make_tuple(Field{"wake", &session_store::ProcessWake::wake});
template <>
inline constexpr auto kFields<session_store::SessionCommand> = std::make_tuple(Field{"command",
                                                                                     &session_store::SessionCommand::command});
template <>
inline constexpr auto kAlternatives<session_store::QueuedWorkPayload> =
    AlternativeList<2>{Tagging::kInternal, "type", "", {{"process_wake"}, {"session_command"}}};

template <>
inline constexpr auto kFields<session_store::QueuedWorkBatchDraft> =
    std::make_tuple(Field{"session_id", &session_store::QueuedWorkBatchDraft::session_id},
                    Field{"source_key", &session_store::QueuedWorkBatchDraft::source_key},
                    Field{"delivery_policy", &session_store::QueuedWorkBatchDraft::delivery_policy},
                    Field{"slot_policy", &session_store::QueuedWorkBatchDraft::slot_policy},
                    Field{"merge_key", &session_store::QueuedWorkBatchDraft::merge_key},
                    Field{"available_at_ms", &session_store::QueuedWorkBatchDraft::available_at_ms},
                    Field{"payloads", &session_store::QueuedWorkBatchDraft::payloads});
template <>
inline constexpr auto kFields<session_store::QueuedWorkItem> = std::make_tuple(
    Field{"item_id", &session_store::QueuedWorkItem::item_id}, Field{"payload", &session_store::QueuedWorkItem::payload});
template <>
inline constexpr auto kFields<session_store::QueuedWorkBatch> =
    std::make_tuple(Field{"batch_id", &session_store::QueuedWorkBatch::batch_id},
                    Field{"session_id", &session_store::QueuedWorkBatch::session_id},
                    Field{"source_key", &session_store::QueuedWorkBatch::source_key},
                    Field{"delivery_policy", &session_store::QueuedWorkBatch::delivery_policy},
                    Field{"slot_policy", &session_store::QueuedWorkBatch::slot_policy},
                    Field{"merge_key", &session_store::QueuedWorkBatch::merge_key},
                    Field{"available_at_ms", &session_store::QueuedWorkBatch::available_at_ms},
                    Field{"enqueue_seq", &session_store::QueuedWorkBatch::enqueue_seq},
                    Field{"enqueued_at_ms", &session_store::QueuedWorkBatch::enqueued_at_ms},
                    Field{"items", &session_store::QueuedWorkBatch::items});

template <>
inline constexpr auto kFields<session_store::QueuedWorkClaim> = std::make_tuple(
    Field{"session_id", &session_store::QueuedWorkClaim::session_id},
    Field{"claim_id", &session_store::QueuedWorkClaim::claim_id}, Field{"owner", &session_store::QueuedWorkClaim::owner},
    Field{"lease_token", &session_store::QueuedWorkClaim::lease_token},
    Field{"fencing_token", &session_store::QueuedWorkClaim::fencing_token},
    Field{"claimed_at_epoch_ms", &session_store::QueuedWorkClaim::claimed_at_epoch_ms},
    Field{"expires_at_epoch_ms", &session_store::QueuedWorkClaim::expires_at_epoch_ms},
    Field{"batches", &session_store::QueuedWorkClaim::batches});
template <>
inline constexpr auto kFields<session_store::QueuedWorkCompletion> =
    std::make_tuple(Field{"session_id", &session_store::QueuedWorkCompletion::session_id},
                    Field{"claim_id", &session_store::QueuedWorkCompletion::claim_id},
                    Field{"lease_token", &session_store::QueuedWorkCompletion::lease_token},
                    Field{"batch_ids", &session_store::QueuedWorkCompletion::batch_ids});

template <>
inline constexpr auto kFields<session_store::SessionExecutionLease> =
    std::make_tuple(Field{"session_id", &session_store::SessionExecutionLease::session_id},
                    Field{"owner", &session_store::SessionExecutionLease::owner},
                    Field{"lease_token", &session_store::SessionExecutionLease::lease_token},
                    Field{"fencing_token", &session_store::SessionExecutionLease::fencing_token},
                    Field{"claimed_at_epoch_ms", &session_store::SessionExecutionLease::claimed_at_epoch_ms},
                    Field{"expires_at_epoch_ms", &session_store::SessionExecutionLease::expires_at_epoch_ms});
template <>
inline constexpr auto kFields<session_store::SessionExecutionLeaseFence> =
    std::make_tuple(Field{"session_id", &session_store::SessionExecutionLeaseFence::session_id},
                    Field{"owner", &session_store::SessionExecutionLeaseFence::owner},
                    Field{"lease_token", &session_store::SessionExecutionLeaseFence::lease_token},
                    Field{"fencing_token", &session_store::SessionExecutionLeaseFence::fencing_token});
template <>
inline constexpr auto kFields<session_store::SessionExecutionLeaseCompletion> =
    std::make_tuple(Field{"session_id", &session_store::SessionExecutionLeaseCompletion::session_id},
                    Field{"owner", &session_store::SessionExecutionLeaseCompletion::owner},
                    Field{"lease_token", &session_store::SessionExecutionLeaseCompletion::lease_token},
                    Field{"fencing_token", &session_store::SessionExecutionLeaseCompletion::fencing_token});
template <>
inline constexpr auto kFields<session_store::LeaseAcquired> = std::make_tuple(Field{"lease",
                                                                                    &session_store::LeaseAcquired::lease});
template <>
inline constexpr auto kFields<session_store::LeaseBusy> = std::make_tuple(Field{"holder", &session_store::LeaseBusy::holder});
template <>
inline constexpr auto kAlternatives<session_store::SessionExecutionLeaseClaimOutcome> =
    AlternativeList<2>{Tagging::kExternal, "", "", {{"Acquired", AlternativeShape::kNewtype}, {"Busy"}}};

template <>
inline constexpr auto kFields<session_store::RuntimeTurnCommitStamp> =
    std::make_tuple(Field{"session_id", &session_store::RuntimeTurnCommitStamp::session_id},
                    Field{"turn_id", &session_store::RuntimeTurnCommitStamp::turn_id},
                    Field{"turn_commit_hash", &session_store::RuntimeTurnCommitStamp::turn_commit_hash});
template <>
inline constexpr auto kFields<session_store::RuntimeCommit> =
    std::make_tuple(Field{"session_id", &session_store::RuntimeCommit::session_id},
                    Field{"expected_head_revision", &session_store::RuntimeCommit::expected_head_revision},
                    Field{"session_execution_lease", &session_store::RuntimeCommit::session_execution_lease},
                    Field{"release_session_execution_lease", &session_store::RuntimeCommit::release_session_execution_lease},
                    Field{"turn_commit", &session_store::RuntimeCommit::turn_commit},
                    Field{"completed_queue_claims", &session_store::RuntimeCommit::completed_queue_claims},
                    Field{"completed_turn_input_claims", &session_store::RuntimeCommit::completed_turn_input_claims},
                    Field{"interrupted_turn_input_turn_id", &session_store::RuntimeCommit::interrupted_turn_input_turn_id},
                    Field{"body", &session_store::RuntimeCommit::body, FieldRole::kFlattened});
template <>
inline constexpr auto kFields<session_store::RuntimeCommitResult> =
    std::make_tuple(Field{"head_revision", &session_store::RuntimeCommitResult::head_revision},
                    Field{"checkpoint_ref", &session_store::RuntimeCommitResult::checkpoint_ref},
                    Field{"manifest", &session_store::RuntimeCommitResult::manifest});
template <>
inline constexpr auto kFields<session_store::FullGraph> = std::tuple<>{};
template <>
inline constexpr auto kFields<session_store::ActivePath> = std::make_tuple(Field{"leaf_node_id",
                                                                                 &session_store::ActivePath::leaf_node_id});
template <>
inline constexpr auto kAlternatives<session_store::SessionReadScope> =
    AlternativeList<2>{Tagging::kExternal, "", "", {{"FullGraph"}, {"ActivePath"}}};
template <>
inline constexpr auto kFields<session_store::LoadedSession> =
    std::make_tuple(Field{"session_id", &session_store::LoadedSession::session_id},
                    Field{"head_revision", &session_store::LoadedSession::head_revision},
                    Field{"body", &session_store::LoadedSession::body, FieldRole::kFlattened});
template <>
inline constexpr auto kFields<session_store::VacuumReport> =
    std::make_tuple(Field{"removed_node_count", &session_store::VacuumReport::removed_node_count},
                    Field{"removed_pending_turn_input_tombstone_count",
                          &session_store::VacuumReport::removed_pending_turn_input_tombstone_count});
template <>
inline constexpr auto kFields<session_store::Done> = std::tuple<>{};

template <>
inline constexpr auto kFields<session_store::SessionExecutionLeaseExpired> = std::make_tuple(Field{
    "session_id", &session_store::SessionExecutionLeaseExpired::session_id});
template <>
inline constexpr auto kFields<session_store::QueuedWorkClaimExpired> =
    std::make_tuple(Field{"session_id", &session_store::QueuedWorkClaimExpired::session_id},
                    Field{"claim_id", &session_store::QueuedWorkClaimExpired::claim_id});
template <>
inline constexpr auto kFields<session_store::TurnInputClaimExpired> =
    std::make_tuple(Field{"session_id", &session_store::TurnInputClaimExpired::session_id},
                    Field{"claim_id", &session_store::TurnInputClaimExpired::claim_id});
template <>
inline constexpr auto kFields<session_store::PendingTurnInputSourceKeyConflict> =
    std::make_tuple(Field{"session_id", &session_store::PendingTurnInputSourceKeyConflict::session_id},
                    Field{"source_key", &session_store::PendingTurnInputSourceKeyConflict::source_key},
                    Field{"existing_input_id", &session_store::PendingTurnInputSourceKeyConflict::existing_input_id});
template <>
inline constexpr auto kFields<session_store::HeadRevisionConflict> =
    std::make_tuple(Field{"expected", &session_store::HeadRevisionConflict::expected},
                    Field{"actual", &session_store::HeadRevisionConflict::actual});
template <>
inline constexpr auto kFields<session_store::RuntimeTurnCommitConflict> =
    std::make_tuple(Field{"session_id", &session_store::RuntimeTurnCommitConflict::session_id},
                    Field{"turn_id", &session_store::RuntimeTurnCommitConflict::turn_id});
template <>
inline constexpr auto kFields<session_store::SessionBindingMismatch> =
    std::make_tuple(Field{"bound_session_id", &session_store::SessionBindingMismatch::bound_session_id},
                    Field{"attempted_session_id", &session_store::SessionBindingMismatch::attempted_session_id});
template <>
inline constexpr auto kFields<session_store::Backend> = std::make_tuple(Field{"text", &session_store::Backend::text});
template <>
inline constexpr auto kAlternatives<session_store::StoreError> = AlternativeList<8>{Tagging::kInternal,
                                                                                    "error",
                                                                                    "",
                                                                                    {{"SessionExecutionLeaseExpired"},
                                                                                     {"QueuedWorkClaimExpired"},
                                                                                     {"TurnInputClaimExpired"},
                                                                                     {"PendingTurnInputSourceKeyConflict"},
                                                                                     {"HeadRevisionConflict"},
                                                                                     {"RuntimeTurnCommitConflict"},
                                                                                     {"SessionBindingMismatch"},
                                                                                     {"Backend"}}};

}  // namespace leasecheck

#endif  // LEASECHECK_MODEL_SESSION_STORE_VALUES_H_
